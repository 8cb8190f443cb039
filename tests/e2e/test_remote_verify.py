"""cache.remote.verify: what a remote gave is compiled again, and compared with what the compiler makes here."""
import fcntl
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import time

import pytest

from laboratory import BUILD, KACHE, empty, package, workspace, write_tree
from test_remote import C, RUST, Machine, machines, results, shared, work  # noqa: F401 (fixtures)

ALL = {"KACHE_REMOTE_VERIFY": "100%", "KACHE_IDLE_LOAD": "0"}  # the daemon leaves it to the test
def verify(machine, *args):
    return machine.kache(machine.root, "remote", "verify", *args)


def counts(machine, *args):
    done = verify(machine, "--json", *args)
    report = json.loads(done.stdout)
    assert done.returncode == (1 if report["differences"] else 0), report
    return {name: count for name, count in report["counts"].items() if count}, report


def notes(machine):
    directory = machine.cache / "v1/recheck"
    return sorted(path for path in directory.iterdir() if path.is_file()) if directory.exists() else []


def snapshot(root):
    return {path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in root.rglob("*") if path.is_file()}


def purge(machine, work):
    assert machine.kache(work, "purge", "--crate-name", "unit.c", "--yes").returncode == 0


def compile_unit(machine, work, *flags, source="unit.c", out="out/unit.o", **env):
    """Through kache; what it said of it."""
    (work / "out").mkdir(exist_ok=True)
    (work / out).unlink(missing_ok=True)
    time.sleep(0.01)
    done = machine.kache(work, "gcc", *flags, "-c", source, "-o", out, **env)
    assert done.returncode == 0, done.stderr
    return machine.event()


def lie(machines, shared, work, name="liar", **env):
    """The remote has for unit.c, under its key, what another source compiles to; whole and well-formed. Returns both objects."""
    (work / "unit.c").write_text("int unit(void) { return 1; }\n")
    (work / "lie.c").write_text("int unit(void) { return 666; }\n")
    liar = machines(name, shared, **env)
    for source, out in (("lie.c", "out/lie.o"), ("unit.c", "out/unit.o")):
        assert compile_unit(liar, work, source=source, out=out, KACHE_REMOTE_READONLY="1")["result"] == "miss"
    subprocess.run([BUILD / "tests/forge_result", liar.cache, "unit.c", work / "out/lie.o"], check=True)
    pushed = liar.kache(work, "sync", "--push", "--all")
    assert pushed.returncode == 0, pushed.stderr
    return (work / "out/unit.o").read_bytes(), (work / "out/lie.o").read_bytes()


def hit(machines, shared, work, *flags, name="second", **env):
    """One unit.c of another machine, restored from the remote, with a note of it."""
    (work / "unit.c").write_text("#include <stdio.h>\nint unit(void) { return printf(\"1\"); }\n")
    home = {"HOME": str(work), "CARGO_HOME": str(work / ".cargo")}  # -flto hides whether it is in there
    first = machines(f"{name}-maker", shared, **home)
    assert compile_unit(first, work, *flags)["result"] == "miss"
    first.settle()
    second = machines(name, shared, **{**ALL, **home, **env})
    assert compile_unit(second, work, *flags)["result"] == "remote_hit"
    second.daemon("stop")
    assert len(notes(second)) == 1
    return second


@pytest.mark.hits
def test_what_is_right_is_found_to_be_right(machines, shared, tmp_path):
    first, second = machines("first", shared), machines("second", shared, **ALL)
    first.cargo(write_tree(tmp_path / "one/rust", RUST), "build")
    first.make(write_tree(tmp_path / "one/c", C))
    first.settle()
    rust, c = write_tree(tmp_path / "elsewhere/two", RUST), write_tree(tmp_path / "elsewhere/c", C)
    second.cargo(rust, "build")
    second.make(c)
    assert results(second) == {"remote_hit": 7}
    second.daemon("stop")
    assert len(notes(second)) == 7
    second.forget_events()
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in notes(second))
    before = snapshot(tmp_path / "elsewhere")
    found, report = counts(second)
    assert found == {"same": 7}, report
    assert report["waiting"] == 0 and notes(second) == []
    assert snapshot(tmp_path / "elsewhere") == before
    assert not (second.cache / "v1/tmp/recheck").exists()
    assert "7 same" in second.kache(rust, "stats").stdout.decode()
    # It is as if it had been compiled here: no more notes.
    shutil.rmtree(rust / "target")
    second.forget_events()
    second.cargo(rust, "build")
    assert set(second.results()) == {"local_hit"}
    assert notes(second) == []


@pytest.mark.hits
@pytest.mark.parametrize("signed", [True, False])
def test_a_lie_is_found_out_and_not_believed_again(machines, shared, work, signed):
    trust = {}
    if signed:  # by somebody whom we trust
        key = machines("keys", shared).kache(work, "keys", "generate", str(work / "signing.key")).stdout.decode().strip()
        trust = {"KACHE_REMOTE_TRUSTED_KEYS": key, "KACHE_REMOTE_SIGN_WITH": str(work / "signing.key")}
    honest, forged = lie(machines, shared, work, **trust)
    assert honest != forged
    victim = machines("victim", shared, **ALL, **trust)
    assert compile_unit(victim, work)["result"] == "remote_hit"
    assert (work / "out/unit.o").read_bytes() == forged
    victim.daemon("stop")

    done = verify(victim)
    text = done.stdout.decode()
    assert done.returncode == 1 and "differs   unit.c (unit.o)" in text, text
    assert str(work) in text and "build again" in text  # what was built with it is still there
    assert (work / "out/unit.o").read_bytes() == forged
    assert verify(victim).returncode == 1  # until it is forgotten
    doctor = victim.kache(work, "doctor").stdout.decode()
    assert "1 results of remotes are not what the compiler makes here: unit.c" in doctor, doctor
    assert "1 differs" in victim.kache(work, "stats").stdout.decode()
    assert json.loads(victim.kache(work, "stats", "--json").stdout)["verified"] == {"differs": 1}

    event = compile_unit(victim, work)
    assert event["result"] == "miss" and "another result" in event["remote_error"], event
    assert (work / "out/unit.o").read_bytes() == honest
    assert compile_unit(victim, work)["result"] == "local_hit"
    assert notes(victim) == []
    # Nor by the other ways in.
    purge(victim, work)
    pulled = victim.kache(work, "sync", "--pull", "--all")
    assert pulled.returncode == 1 and b"another result" in pulled.stderr, pulled
    assert compile_unit(victim, work)["result"] == "miss"
    victim.daemon("stop")

    assert verify(victim, "--forget").returncode == 0
    assert verify(victim).returncode == 0
    purge(victim, work)
    assert compile_unit(victim, work)["result"] == "remote_hit"


def edit_source(machine, work):
    (work / "unit.c").write_text("int unit(void) { return 2; }\n")


def edit_config(machine, work):
    machine.extra_env["KACHE_KEY_SALT"] = "another"
    config = work / ".config/kache/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('[cache]\nkey_salt = "another"\n')


def add_header(machine, work):
    (work / "inc/stdio.h").write_text("#define printf(x) 3\n")


def remove_all(machine, work):
    shutil.rmtree(work)


def evict(machine, work):
    purge(machine, work)


def compile_again(machine, work):
    """Another process has compiled it meanwhile: its result is not that of the remote any more."""
    evict(machine, work)
    assert compile_unit(machine, work, "-Iinc", KACHE_LOCAL_ONLY="1")["result"] == "miss"


@pytest.mark.hits
@pytest.mark.parametrize("change, why", [
    (edit_source, "changed since: file"), (edit_config, "settings"), (add_header, "changed since: new file"), (remove_all, "is gone"),
    (evict, "not in the store"), (compile_again, "compiled here since")])
def test_what_would_be_another_compile_by_now_is_dropped(machines, shared, work, change, why):
    (work / "inc").mkdir()
    machine = hit(machines, shared, work, "-Iinc")
    change(machine, work)
    found, report = counts(machine)
    assert found == {"dropped": 1}, report
    assert why in report["units"][0]["why"], report
    assert report["units"][0]["compile_time_ms"] == 0
    assert notes(machine) == []
    assert not (machine.cache / "v1/recheck/judged").exists()


# How a unit is compiled, and what comes of compiling it again elsewhere.
SHAPES = [
    (("-g",), "same"),
    (("-MMD", "-MF", "out/deps.d"), "same"),
    (("-MD", "-MT", "named target"), "same"),
    (("-Wp,-MMD,out/.unit.d",), "same"),
    (("-Wall", "-DUNUSED", "-include", "warn.h"), "same"),  # with messages
    (("-fstack-usage",), "same"),                           # a file besides
    (("-flto",), "unsteady"),                               # names of chance
    (("--coverage",), "skipped"),                           # the object names its own place
    (("-g", "-gsplit-dwarf"), "skipped"),
]


@pytest.mark.hits
@pytest.mark.parametrize("flags, verdict", SHAPES, ids=lambda value: " ".join(value) if isinstance(value, tuple) else None)
def test_each_shape_has_its_verdict(machines, shared, work, flags, verdict):
    (work / "warn.h").write_text("static int unused(void) { return 1; }\n")
    machine = hit(machines, shared, work, *flags)
    before = snapshot(work)
    found, report = counts(machine)
    assert found == {verdict: 1}, report
    assert snapshot(work) == before
    # A verdict is remembered, whatever it is: the unit is not compiled again and again.
    assert compile_unit(machine, work, *flags)["result"] == "local_hit"
    assert notes(machine) == []


@pytest.mark.hits
def test_what_names_no_output_is_left_alone(machines, shared, work):
    (work / "unit.c").write_text("int unit(void) { return 1; }\n")
    for name in ("first", "second"):
        machine = machines(name, shared, **ALL)
        assert machine.kache(work, "gcc", "-c", "unit.c").returncode == 0
        machine.settle()
    before = snapshot(work)
    found, report = counts(machine)
    assert found == {"skipped": 1} and "can not be put elsewhere" in report["units"][0]["why"], report
    assert snapshot(work) == before


@pytest.mark.hits
def test_secrets_are_not_written_down(machines, shared, tmp_path):
    files = {"Cargo.toml": workspace("lib"), "lib/Cargo.toml": package("lib"),
             "lib/src/lib.rs": 'pub const A: &str = env!("API_TOKEN"); pub const B: &str = env!("COLOUR");\n'}
    env = {"API_TOKEN": "hunter2hunter2", "COLOUR": "blueish", "UNRELATED": "nothing-of-it", "AWS_SECRET_ACCESS_KEY": "do-not-tell"}
    first, second = machines("first", shared), machines("second", shared, **ALL)
    first.cargo(write_tree(tmp_path / "one", files), "build", **env)
    first.settle()
    second.cargo(write_tree(tmp_path / "two", files), "build", **env)
    second.settle()
    [note] = notes(second)
    assert b"COLOUR=blueish" in note.read_bytes()
    for secret in (b"hunter2", b"nothing-of-it", b"do-not-tell"):
        assert secret not in note.read_bytes()
    found, report = counts(second)
    assert found == {"skipped": 1} and "API_TOKEN" in report["units"][0]["why"], report


@pytest.mark.hits
def test_a_sample_is_the_same_build_after_build(machines, shared, work):
    names = [f"u{i}.c" for i in range(24)]
    for i, name in enumerate(names):
        (work / name).write_text(f"int u{i}(void) {{ return {i}; }}\n")
    first = machines("first", shared)
    for name in names:
        compile_unit(first, work, source=name)
    first.settle()
    sampled = []
    second = machines("second", shared, **{**ALL, "KACHE_REMOTE_VERIFY": "30"})
    for percent in ("30", "30", "0"):
        shutil.rmtree(second.cache / "v1/recheck", ignore_errors=True)
        for name in names:
            assert compile_unit(second, work, source=name, KACHE_REMOTE_VERIFY=percent)["compiler_runs"] == 0
        sampled.append([path.name for path in notes(second)])
    assert sampled[0] == sampled[1] and sampled[2] == []
    assert 0 < len(sampled[0]) < len(names)
    assert not (second.cache / "v1/recheck").exists()


@pytest.mark.hits
def test_garbage_in_the_queue_is_named_and_removed(machines, shared, work):
    machine = hit(machines, shared, work)
    [note] = notes(machine)
    queue, good = note.parent, note.read_bytes()
    bad = {"0" * 64: good, "1" * 64: os.urandom(300), "2" * 64: good[:-1], "3" * 64: b"", "4" * 64: b"x" * (1 << 20), "readme": b"hello"}
    for name, data in bad.items():
        (queue / name).write_bytes(data)
    (queue / ("7" * 64)).write_bytes(good)  # somebody else may have written it
    (queue / ("7" * 64)).chmod(0o666)
    (queue / ("5" * 64)).symlink_to("/dev/zero")
    os.mkfifo(queue / ("6" * 64))
    found, report = counts(machine)
    assert found == {"same": 1}, report
    assert len(report["unreadable"]) == len(bad) + 3
    assert any("7777: not a file of this user alone" in line for line in report["unreadable"]), report
    assert any("1111: not a file of this kind" in line for line in report["unreadable"]), report
    assert any("0000: the note of another result" in line for line in report["unreadable"]), report
    assert notes(machine) == []


@pytest.mark.hits
def test_the_queue_is_bounded(machines, shared, work):
    machine = hit(machines, shared, work)
    [note] = notes(machine)
    note.unlink()
    for i in range(256):
        (note.parent / f"{i:064x}").write_bytes(b"")
    assert compile_unit(machine, work)["result"] == "local_hit"
    assert len(notes(machine)) == 256


@pytest.mark.hits
def test_one_at_a_time(machines, shared, work):
    machine = hit(machines, shared, work)
    with open(machine.cache / "v1/locks/recheck", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = verify(machine)
        assert done.returncode == 1 and b"another kache remote verify" in done.stderr
    shown = verify(machine, "--dry-run")
    assert shown.returncode == 0 and b"1 results wait" in shown.stdout
    assert len(notes(machine)) == 1
    assert counts(machine)[0] == {"same": 1}


@pytest.mark.hits
def test_the_daemon_does_it_when_nothing_else_is_to_do(machines, shared, work):
    machine = hit(machines, shared, work)
    machine.extra_env["KACHE_IDLE_LOAD"] = "1000"
    assert machine.daemon("start").returncode == 0
    deadline = time.time() + 60
    while notes(machine) and time.time() < deadline:
        time.sleep(0.2)
    assert notes(machine) == []
    while "verify" not in (machine.cache / "daemon.log").read_text() and time.time() < deadline:
        time.sleep(0.2)
    log = (machine.cache / "daemon.log").read_text()
    assert " same: unit.c" in log, log
    [line] = [json.loads(text) for text in (machine.cache / "events.jsonl").read_text().splitlines() if '"verification"' in text]
    assert line["verdict"] == "same" and line["crate_name"] == "unit.c"
    assert verify(machine).returncode == 0


def test_a_busy_machine_is_left_alone(machines, shared, work):
    machine = machines("second", shared, **ALL)
    assert machine.daemon("start").returncode == 0
    queue = machine.cache / "v1/recheck"
    queue.mkdir()
    (queue / ("0" * 64)).write_bytes(b"")
    time.sleep(8)
    assert len(notes(machine)) == 1  # nobody has even looked at it


@pytest.mark.parametrize("value", ["101", "-1", "many", "5%%"])
def test_a_value_that_is_no_percentage(lab, tmp_path, value):
    done = lab.kache(tmp_path, "config", "set", "cache.remote.verify", "--", value)
    assert done.returncode == 2 and b"percentage from 0 to 100" in done.stderr, done


def test_a_percentage_is_kept_as_a_number(lab, tmp_path):
    assert lab.kache(tmp_path, "config", "set", "cache.remote.verify", "5%").returncode == 0
    assert lab.kache(tmp_path, "config", "get", "cache.remote.verify").stdout.strip() == b"5"
    assert "verify = 5\n" in pathlib.Path(lab.home / ".config/kache/config.toml").read_text()


# A driver that a file of ours puts out of order: a letter for each call, the last one for all that follow. It looks by bare
# system calls, so that no recorder sees it.
DRIVER = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv) {
  char moods[64] = "", mood;
  long fd = syscall(SYS_openat, AT_FDCWD, MOOD, O_RDWR), count = fd >= 0 ? syscall(SYS_read, fd, moods, 63) : 0;
  if (count > 1) syscall(SYS_pwrite64, fd, moods + 1, count - 1, 0), syscall(SYS_ftruncate, fd, count - 1);
  if (fd >= 0) syscall(SYS_close, fd);
  mood = moods[0];
  if (mood == 'f') {
    syscall(SYS_write, 2, "out of order\n", 13);
    return 7;
  }
  while (mood == 's') pause();
  char *lying[64] = {"/usr/bin/gcc", "-DLIE"};
  memcpy(lying + 2, argv + 1, argc * sizeof *argv);
  argv[0] = lying[0];
  execv(lying[0], mood == 'l' ? lying : argv);
  return 127;
}
"""


@pytest.fixture
def moody(machines, shared, work):
    """A machine with a restored unit, and what sets the mood of its compiler."""
    (work / "driver.c").write_text(DRIVER)
    (work / "bin").mkdir()
    subprocess.run(["/usr/bin/gcc", f'-DMOOD="{work / "mood"}"', "driver.c", "-o", "bin/gcc"], cwd=work, check=True)
    source = "#ifdef LIE\nint unit = 2;\n#else\nint unit = 1;\n#endif\n"
    path = {"PATH": f"{work / 'bin'}:/usr/bin:/bin", "HOME": str(work), "CARGO_HOME": str(work / ".cargo")}

    def make(mood_of_maker=""):
        (work / "unit.c").write_text(source)
        (work / "mood").write_text(mood_of_maker)
        first = machines("maker", shared, **path)
        assert compile_unit(first, work)["result"] == "miss"
        first.settle()
        (work / "mood").unlink()
        second = machines("second", shared, **ALL, **path)
        assert compile_unit(second, work)["result"] == "remote_hit"
        second.daemon("stop")
        return second, work / "mood"

    return make


@pytest.mark.hits
def test_a_compiler_that_lies_is_found_out(moody, work):
    machine, mood = moody("l")
    found, report = counts(machine)
    assert found == {"differs": 1} and report["units"][0]["what"] == ["unit.o"], report
    assert compile_unit(machine, work)["result"] == "miss"


@pytest.mark.hits
@pytest.mark.parametrize("moods", ["lh", "lllh"])
def test_a_compiler_with_two_answers_says_nothing(moody, work, moods):
    machine, mood = moody()
    mood.write_text(moods)
    found, report = counts(machine)
    assert found == {"unsteady": 1} and report["units"][0]["what"] == ["unit.o"], report
    assert compile_unit(machine, work)["result"] == "local_hit"


@pytest.mark.hits
def test_what_does_not_compile_here_says_nothing(moody, work):
    machine, mood = moody()
    mood.write_text("f")
    found, report = counts(machine)
    assert found == {"failed": 1} and report["units"][0]["why"] == "status 7: out of order", report
    assert compile_unit(machine, work)["result"] == "local_hit"


@pytest.mark.hits
def test_interrupted_it_is_done_the_next_time(moody, work):
    machine, mood = moody()
    mood.write_text("s")
    # What runs in the background of a shell ignores it, and so would what we start.
    running = subprocess.Popen([KACHE, "remote", "verify"], cwd=work, env=machine.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    place = machine.cache / "v1/tmp/recheck/x/0"
    deadline = time.time() + 30
    while not place.exists() and time.time() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    told = running.communicate(timeout=30)[0]
    assert running.returncode == 1 and b"interrupted" in told, told
    assert len(notes(machine)) == 1
    assert not place.exists()
    mood.unlink()
    assert counts(machine)[0] == {"same": 1}


@pytest.mark.hits
def test_kinds_of_rust(machines, shared, tmp_path):
    files = {
        "Cargo.toml": workspace("all"),
        "all/Cargo.toml": package("all", lib='crate-type = ["rlib", "cdylib"]'),
        "all/build.rs": 'fn main() { std::fs::write(std::env::var("OUT_DIR").unwrap() + "/made.rs", "pub const MADE: u8 = 7;").unwrap(); }\n',
        "all/src/lib.rs": 'include!(concat!(env!("OUT_DIR"), "/made.rs"));\nfn unused() {}\npub fn name() -> &\'static str { file!() }\n',
        "all/src/main.rs": "fn main() { let unused = all::name(); panic!(); }\n",
        "all/examples/shown.rs": 'fn main() { println!("{}", all::MADE); }\n',
        "all/tests/tried.rs": "#[test]\nfn tried() { assert_eq!(all::MADE, 7); }\n",
    }
    first, second = machines("first", shared), machines("second", shared, **ALL)
    one, two = write_tree(tmp_path / "one", files), write_tree(tmp_path / "two", files)
    ways = (("build", "--all-targets"), ("build", "--release"), ("check", "--all-targets"))
    for way in ways:
        first.cargo(one, *way)
    first.settle()
    for way in ways:
        second.cargo(two, *way)
    restored = sum(event["result"] == "remote_hit" and event["crate_name"] not in ("", "___") for event in second.events())
    second.daemon("stop")
    assert len(notes(second)) == restored > 10
    before = snapshot(two)
    found, report = counts(second)
    assert set(found) == {"same"}, [(unit["unit"], unit["verdict"], unit["why"], unit["what"]) for unit in report["units"] if unit["verdict"] != "same"]
    assert snapshot(two) == before


# Whole commands, %s being the directory of outputs as the command line spells it.
COMMANDS = {
    "a program": ("gcc main.o a.o -o out/program", "same"),
    "a program with a map": ("gcc main.o a.o -o out/program -Wl,-Map=out/program.map", "unsteady"),  # which names the program
    "a map by two words": ("gcc main.o a.o -o out/program -Xlinker -Map -Xlinker out/program.map", "skipped"),
    "a shared library": ("gcc -shared -fPIC a.c -o out/liba.so -Wl,-soname,liba.so.1", "same"),
    "a program from its source": ("gcc -g main.c a.c -o out/program", "same"),
    "C++": ("g++ -O2 -g -std=c++17 -c unit.cc -o out/unit.o", "same"),
    "assembly": ("gcc -S a.c -o out/a.s", "same"),
    "preprocessed": ("gcc -E a.c -o out/a.i", "same"),
    "outputs in two places": ("gcc -MMD -MF deps/a.d -c a.c -o out/a.o", "same"),
    "a joined output": ("gcc -c a.c -oout/a.o", "same"),
    "a response file with the output": ("gcc @args", "skipped"),
    "intermediate files beside the output": ("gcc -save-temps -c a.c -o out/a.o", "same"),
    "intermediate files in the working directory": ("gcc -save-temps=cwd -c a.c -o out/a.o", "skipped"),
    "a directory that texts quote": ("gcc -c a.c -o 'out/with space/a.o'", "skipped"),
    "clang": ("clang -g -MMD -MF out/a.d -c a.c -o out/a.o", "same"),
    "clang with debug information apart": ("clang -g -gsplit-dwarf -c a.c -o out/a.o", "skipped"),
    "clang's diagnostics in a file": ("clang --serialize-diagnostics out/a.dia -c a.c -o out/a.o", "same"),
    "a precompiled header": ("gcc -x c-header a.h -o out/a.h.gch", None),  # by the version of gcc
    "a profile": ("gcc -fprofile-use -O2 -c a.c -o out/a.o", None),
    "link-time optimisation": ("clang -flto -c a.c -o out/a.o", "same"),
}


@pytest.mark.hits
@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_its_verdict(machines, shared, work, name):
    command, verdict = COMMANDS[name]
    words = shlex.split(command)
    if not shutil.which(words[0]):
        pytest.skip(f"{words[0]} is not installed")
    write_tree(work, {**C, "unit.cc": "#include <string>\n#include <vector>\nnamespace { int hidden() { return 1; } }\nstd::vector<std::string> unit() { return {std::to_string(hidden())}; }\n",
                      "args": "-c a.c -o out/a.o\n"})
    home = {"HOME": str(work), "CARGO_HOME": str(work / ".cargo")}
    for source in ("main", "a"):
        subprocess.run(["gcc", "-c", f"{source}.c", "-o", f"{source}.o"], cwd=work, check=True)
    (work / "deps").mkdir()
    results = []
    for machine in (machines("first", shared, **home), machines("second", shared, **ALL, **home)):
        empty(work / "out")
        (work / "out/with space").mkdir()
        time.sleep(0.01)
        done = machine.kache(work, *words)
        assert done.returncode == 0, done.stderr
        results.append(machine.event()["result"])
        machine.settle()
    assert results == ["miss", "remote_hit"], machine.event()
    before = snapshot(work)
    found, report = counts(machine)
    assert found == {verdict: 1} or (verdict is None and "differs" not in found), report
    assert snapshot(work) == before
