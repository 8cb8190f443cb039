"""Faults, hostile files and crowds: the build succeeds with the right bytes, whatever is done to the cache."""
import os
import random
import resource
import shutil
import signal
import subprocess
import time

import pytest

from laboratory import BUILD, KACHE, TOOLCHAIN, write_tree

LIB = ["--crate-name", "unit", "--edition=2021", "src.rs", "--crate-type", "lib", "--emit=dep-info,metadata,link",
       "-C", "metadata=1", "-C", "extra-filename=-1", "--out-dir", "out/debug/deps"]
NAMES = ["unit-1.d", "libunit-1.rlib", "libunit-1.rmeta"]


@pytest.fixture
def unit(lab):
    tree = write_tree(lab.root / "tree", {"src.rs": "pub fn f() -> u32 { 7 }\npub fn g() { let unused = 1; }\n"})
    lab.tree = tree

    def build(*extra, args=LIB, clean=True, **env):
        if clean:
            shutil.rmtree(tree / "out", ignore_errors=True)
        (tree / "out/debug/deps").mkdir(parents=True, exist_ok=True)
        return lab.rustc(tree, *args, *extra, **env)
    lab.build = build
    lab.bytes = lambda: {name: (tree / "out/debug/deps" / name).read_bytes() for name in NAMES}
    return lab


def last(lab):
    return lab.events()[-1]["result"]


def store_files(lab):
    return [path for path in (lab.cache / "v1").rglob("*") if path.is_file() and "locks" not in path.parts]


def test_hit_replays_bytes_status_and_messages(unit):
    first = unit.build()
    made = unit.bytes()
    second = unit.build()
    assert last(unit) == "local_hit"
    assert (second.returncode, second.stdout, second.stderr) == (first.returncode, first.stdout, first.stderr)
    assert b"unused variable" in second.stderr
    assert unit.bytes() == made


@pytest.mark.parametrize("damage", ["truncate", "garbage", "empty", "directory", "remove", "flip"])
def test_damaged_store_files_cost_a_compile_and_nothing_else(unit, damage):
    unit.build()
    made = unit.bytes()
    rng = random.Random(7)
    for path in store_files(unit):
        copy = path.read_bytes()
        os.chmod(path, 0o644)
        if damage == "truncate":
            path.write_bytes(copy[:len(copy) // 2])
        elif damage == "garbage":
            path.write_bytes(rng.randbytes(len(copy)))
        elif damage == "flip" and copy:
            at = rng.randrange(len(copy))
            path.write_bytes(copy[:at] + bytes([copy[at] ^ 1]) + copy[at + 1:])
        elif damage == "empty":
            path.write_bytes(b"")
        else:
            path.unlink()
            if damage == "directory":
                path.mkdir()
        for _ in range(2):
            result = unit.build()
            assert result.returncode == 0, (path, result.stderr)
            assert unit.bytes() == made, path
        if path.is_dir():
            path.rmdir()
    assert unit.build().returncode == 0 and unit.bytes() == made


def reboot(lab, lose=None):
    """As after a power cut: nothing in the store was synced, and `lose` takes the content of each blob away. Sizes and
    times stay, as they do when a journal has the names and the disk never got the data."""
    for blob in (lab.cache / "v1/blobs").rglob("*"):
        if lose and blob.is_file():
            before = blob.stat()
            os.chmod(blob, 0o644)
            blob.write_bytes(lose(before.st_size))
            os.utime(blob, ns=(before.st_atime_ns, before.st_mtime_ns))
            os.chmod(blob, 0o444)
    subprocess.run([BUILD / "tests/as_after_reboot", lab.cache], check=True)


@pytest.mark.parametrize("lose", [bytes, random.Random(5).randbytes], ids=["zeros", "garbage"])
def test_content_that_a_crash_lost_is_never_restored(unit, lose):
    unit.build()
    made = unit.bytes()
    for _ in range(2):
        shutil.rmtree(unit.tree / "out")  # the rlib there is one inode with the blob
        reboot(unit, lose)
        assert unit.build().returncode == 0 and unit.bytes() == made
        assert last(unit) == "miss"
        assert "blob" in unit.events()[-1]["lookup_rejection"]
        unit.build()
        assert last(unit) == "local_hit" and unit.bytes() == made


def test_after_a_reboot_content_is_read_once(unit):
    unit.build()
    made = unit.bytes()
    shutil.rmtree(unit.tree / "out")
    reboot(unit)
    entry = next(path for path in (unit.cache / "v1/entries").rglob("*") if path.is_file())
    stamped = entry.read_bytes()
    unit.build()
    assert last(unit) == "local_hit" and unit.bytes() == made
    renewed = entry.read_bytes()
    assert renewed != stamped
    unit.build()
    assert entry.read_bytes() == renewed


def test_a_durable_store_is_marked_before_the_compile_ends(unit):
    mark = unit.cache / "v1/synced"
    unit.build()
    assert not mark.exists()
    (unit.tree / "src.rs").write_text("pub fn f() {}\n")
    unit.build(KACHE_DURABLE="1")
    assert mark.read_bytes()[:8] == b"KSYNCD01"
    marked = mark.stat().st_mtime_ns
    unit.build(KACHE_DURABLE="1")
    assert last(unit) == "local_hit" and mark.stat().st_mtime_ns == marked
    assert unit.kache(unit.tree, "gc").returncode == 0
    assert mark.stat().st_mtime_ns > marked


def test_changed_restored_file_breaks_the_seal(unit):
    unit.build()
    made = unit.bytes()
    unit.build()
    rlib = unit.tree / "out/debug/deps/libunit-1.rlib"
    os.chmod(rlib, 0o644)
    with open(rlib, "r+b") as file:
        file.seek(100)
        file.write(b"tampered")
    assert unit.build().returncode == 0
    assert unit.bytes() == made


@pytest.mark.skipif(os.getuid() != 0, reason="needs another user")
def test_unwritable_cache_and_home(unit):
    made = None
    unit.build()
    made = unit.bytes()
    for cache in ("/proc/nothing", "/dev/null/x", str(unit.root / "tree/src.rs")):
        result = unit.build(KACHE_CACHE_DIR=cache)
        assert result.returncode == 0, result.stderr
        assert unit.bytes()["libunit-1.rmeta"][:4] == made["libunit-1.rmeta"][:4]
    assert unit.build(KACHE_CACHE_DIR=None, HOME="/nonexistent").returncode == 0
    assert unit.build(KACHE_CACHE_DIR=None, HOME=None).returncode == 0


def test_failures_pass_through_and_are_not_stored(unit):
    (unit.tree / "src.rs").write_text("pub fn f() -> u32 { \"no\" }\n")
    (unit.tree / "out/debug/deps").mkdir(parents=True)
    plain = subprocess.run([TOOLCHAIN / "rustc", *LIB], cwd=unit.tree, env=unit.env(), capture_output=True)
    for _ in range(2):
        result = unit.build()
        assert (result.returncode, result.stderr) == (plain.returncode, plain.stderr)
        assert last(unit) == "error"


def test_lint_level_is_part_of_the_question(unit):
    assert unit.build().returncode == 0
    assert unit.build("-D", "unused_variables").returncode == 1
    assert unit.build("-A", "unused_variables").stderr == b""


def test_arguments_and_directories_that_are_not_utf8(unit):
    # rustc refuses such an argument itself, in its own words; kache adds nothing.
    odd = [b"caf\xe9.rs" if arg == "src.rs" else arg for arg in LIB]
    plain = subprocess.run([TOOLCHAIN / "rustc", *odd], cwd=unit.tree, env=unit.env(), capture_output=True)
    result = unit.build(args=odd)
    assert result.returncode == plain.returncode
    assert b"caf\\xE9.rs" in result.stderr
    # In a directory of that kind rustc manages a metadata-free crate at most; kache must not make that worse.
    directory = os.fsencode(unit.root) + b"/caf\xe9"
    args = [TOOLCHAIN / "rustc", "--crate-name", "unit", "main.rs", "--crate-type", "bin", "--emit=link", "--out-dir", "out"]
    os.makedirs(directory + b"/out")
    with open(directory + b"/main.rs", "w") as file:
        file.write("fn main() {}\n")
    plain = subprocess.run(args, cwd=directory, env=unit.env(), capture_output=True)
    cached = unit.kache(directory, *args)
    assert (cached.returncode, cached.stderr) == (plain.returncode, plain.stderr)


def test_response_files(unit):
    (unit.tree / "args").write_text("\n".join(LIB) + "\n")
    assert unit.build(args=["@args"]).returncode == 0
    assert unit.build(args=["@args"]).returncode == 0
    assert last(unit) == "local_hit"
    assert unit.build(args=["@missing"]).returncode != 0


def test_disabled_and_nested_runs_go_straight_to_the_compiler(unit):
    for name in ("KACHE_DISABLED", "KACHE_ACTIVE"):
        assert unit.build(**{name: "1"}).returncode == 0
        assert unit.events() == []


def test_signals_end_the_wrapper_as_they_end_the_compiler(lab):
    script = lab.root / "rustc"
    script.write_text("#!/bin/sh\necho started >&2\nkill -TERM $$\nsleep 5\n")
    script.chmod(0o755)
    (lab.root / "src.rs").write_text("")
    (lab.root / "out/debug/deps").mkdir(parents=True)
    result = subprocess.run([KACHE, script, *LIB], cwd=lab.root, env=lab.env(), capture_output=True)
    assert result.returncode == -signal.SIGTERM
    assert result.stderr == b"started\n"


def test_messages_of_a_miss_arrive_while_the_compiler_runs(lab):
    script = lab.root / "rustc"
    script.write_text("#!/bin/sh\necho first >&2\nsleep 1\necho second >&2\nexit 3\n")
    script.chmod(0o755)
    (lab.root / "src.rs").write_text("")
    process = subprocess.Popen([KACHE, script, *LIB], cwd=lab.root, env=lab.env(), stderr=subprocess.PIPE)
    assert process.stderr.readline() == b"first\n"
    assert process.poll() is None
    assert process.stderr.read() == b"second\n"
    assert process.wait() == 3


def crowd(lab, count, **env):
    processes = []
    for i in range(count):
        out = lab.tree / f"crowd{i}/debug/deps"
        out.mkdir(parents=True)
        args = LIB[:-1] + [str(out)]
        processes.append(subprocess.Popen([KACHE, TOOLCHAIN / "rustc", *args], cwd=lab.tree, env=lab.env(**env),
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    return processes


def test_a_crowd_on_an_empty_store_compiles_once(unit):
    processes = crowd(unit, 300)
    for process in processes:
        _, messages = process.communicate()
        assert process.returncode == 0, messages
    results = unit.results()
    assert results["miss"] == 1, results
    assert results["local_hit"] + results["dup"] == 299
    rlibs = {(unit.tree / f"crowd{i}/debug/deps/libunit-1.rlib").read_bytes() for i in range(300)}
    assert len(rlibs) == 1


def test_killed_at_any_moment_the_store_stays_sound(unit):
    unit.build()
    made = unit.bytes()
    rng = random.Random(3)
    shutil.rmtree(unit.cache)
    for _ in range(25):
        out = unit.tree / "out"
        shutil.rmtree(out, ignore_errors=True)
        (out / "debug/deps").mkdir(parents=True)
        process = subprocess.Popen([KACHE, TOOLCHAIN / "rustc", *LIB], cwd=unit.tree, env=unit.env(),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.random() * 0.08)
        process.kill()
        process.wait()
        if rng.random() < 0.3:
            shutil.rmtree(unit.cache, ignore_errors=True)
    assert unit.build().returncode == 0 and unit.bytes() == made
    assert unit.build().returncode == 0 and unit.bytes() == made


def test_two_cargos_at_once_compile_each_unit_once(lab):
    from projects import WORKSPACE
    tree = write_tree(lab.root / "tree", WORKSPACE)
    processes = [subprocess.Popen(["cargo", "build", "--target-dir", str(lab.root / name)], cwd=tree, env=lab.env(),
                                  stderr=subprocess.PIPE) for name in ("t1", "t2")]
    for process in processes:
        _, messages = process.communicate()
        assert process.returncode == 0, messages
    # `place` and `app` hold a path; whether that counts as the place of the target directory too depends on the names.
    missed = [event["crate_name"] for event in lab.events()
              if event["result"] == "miss" and event["crate_name"] not in ("___", "place", "app")]
    assert len(missed) == len(set(missed)), missed


def test_without_room_for_an_index_the_commands_work(unit):
    unit.build()

    def no_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # every write into a file fails

    def run(*args, **env):
        result = subprocess.run([KACHE, *args], cwd=unit.tree, env=unit.env(**env), capture_output=True, preexec_fn=no_room)
        assert result.returncode == 0, result.stderr
        return result.stdout
    for _ in range(2):
        assert b"(1 entries," in run("stats")
        assert b"libunit-1.rlib" in run("list", "unit")
        assert b"(1 entries)" in run("gc")
        assert unit.kache(unit.tree, "stats").returncode == 0  # and again beside one that was made with room
    run("purge", "--yes")
    assert b"No cached entries" in run("list")
    assert not [path for path in store_files(unit) if "blobs" in path.parts]


def test_a_broken_index_is_made_again(unit):
    unit.build()
    index = unit.cache / "v1/index.db"
    for damage in (b"", b"garbage" * 1000, None):
        assert b"unit" in unit.kache(unit.tree, "list").stdout
        if damage is None:
            index.unlink()
        else:
            index.write_bytes(damage)
            for part in index.parent.glob("index.db-*"):
                part.unlink()
        assert b"(1 entries," in unit.kache(unit.tree, "stats").stdout


def test_garbage_collection_between_builds(unit):
    unit.build()
    made = unit.bytes()
    assert unit.kache(unit.tree, "gc", KACHE_MAX_SIZE="1").returncode == 0
    assert unit.build().returncode == 0 and unit.bytes() == made
    assert unit.kache(unit.tree, "purge", "--yes").returncode == 0
    assert not [path for path in store_files(unit) if "blobs" in path.parts]
    assert unit.build().returncode == 0 and unit.bytes() == made
    assert last(unit) == "miss"
    unit.build()
    assert last(unit) == "local_hit"
