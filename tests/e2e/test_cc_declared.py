"""C compilers that can not be recorded: cached by what their preprocessor makes, or passed on with the reason."""
import shutil
import subprocess
import time

import pytest

from laboratory import write_tree

# Static, so that no recorder enters it, and it starts the real compiler without ours.
HIDDEN = r"""
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
  unsetenv("LD_PRELOAD");
  unsetenv("KACHE_RECORD");
  argv[0] = "/usr/bin/gcc";
  execv(argv[0], argv);
  return 127;
}
"""
FILES = {
    "a.c": '#include "h.h"\nint a(void) { int unused = 1; return H; }\n',
    "inc/h.h": "#define H 1\n",
    "s.s": ".text\n",
    "blob.c": 'asm(".incbin \\"a.c\\"");\n',
}


@pytest.fixture
def hidden(lab):
    lab.work = write_tree(lab.root / "work", FILES)
    lab.gcc = lab.root / "bin/gcc"
    lab.gcc.parent.mkdir()
    (lab.root / "hidden.c").write_text(HIDDEN)
    subprocess.run(["gcc", "-static", "-O1", "-o", lab.gcc, lab.root / "hidden.c"], check=True)
    time.sleep(0.02)

    def run(*args, **env):
        shutil.rmtree(lab.work / "out", ignore_errors=True)
        (lab.work / "out").mkdir()
        result = lab.kache(lab.work, lab.gcc, *args, **env)
        plain = subprocess.run(["gcc", *args], cwd=lab.work, env=lab.env(**env), capture_output=True)
        return result, plain, lab.events()[-1]
    lab.run = run
    return lab


@pytest.mark.hits
def test_compiles_are_cached_by_their_preprocessed_text(hidden):
    args = ["-Wall", "-O1", "-g", "-MD", "-Iinc", "-c", "a.c", "-o", "out/a.o"]
    for expected in ("miss", "local_hit"):
        shutil.rmtree(hidden.work / "out", ignore_errors=True)
        (hidden.work / "out").mkdir()
        result = hidden.kache(hidden.work, hidden.gcc, *args, KACHE_CC_PATH_NORMALIZE="0")
        event = hidden.events()[-1]
        assert (result.returncode, event["result"], event.get("passthrough_reason")) == (0, expected, None), event
        assert event["declared"] and event["preprocessor_runs"] == 1 and event["compiler_runs"] == (expected == "miss")
        made = (hidden.work / "out/a.o").read_bytes(), (hidden.work / "out/a.d").read_text(), result.stderr
        plain = subprocess.run(["gcc", *args], cwd=hidden.work, env=hidden.env(), capture_output=True)
        assert made == ((hidden.work / "out/a.o").read_bytes(), (hidden.work / "out/a.d").read_text(), plain.stderr)
    for change in (("inc/h.h", "#define H 2\n"), ("h.h", "#define H 3\n"), ("a.c", FILES["a.c"] + "\n\nint b;\n")):
        (hidden.work / change[0]).write_text(change[1])
        time.sleep(0.02)
        _, _, event = hidden.run(*args)
        assert event["result"] == "miss", change


@pytest.mark.hits
def test_a_flag_that_the_user_allows(hidden):
    args = ["-falign-loops=8", "-O2", "-Iinc", "-c", "a.c", "-o", "out/a.o"]
    for allowed, expected in ((None, "passthrough"), ("-falign-loops=4", "passthrough"), ("-falign-loops=8", "miss"), ("-falign-loops=8", "local_hit"),
                              ("-falign-loops=8 -falign-jumps=8", "miss"), (None, "passthrough")):
        result, plain, event = hidden.run(*args, KACHE_CC_EXTRA_ALLOWLIST_FLAGS=allowed)
        assert (result.returncode, result.stdout, result.stderr) == (plain.returncode, plain.stdout, plain.stderr) and plain.returncode == 0
        assert event["result"] == expected, event
        assert ("-falign-loops=8" in event.get("passthrough_reason", "")) == (expected == "passthrough"), event


@pytest.mark.parametrize("args,reason", [
    (["-fplugin=x.so", "-Iinc", "-c", "a.c", "-o", "out/a.o"], "-fplugin=x.so"),
    (["-specs=x", "-Iinc", "-c", "a.c", "-o", "out/a.o"], "-specs=x"),
    (["-Iinc", "a.c", "-shared", "-o", "out/a"], "no compile to an object"),
    (["-c", "s.s", "-o", "out/s.o"], "not preprocessed"),
    (["-c", "blob.c", "-o", "out/b.o"], "does not read"),
    (["-Iinc", "-gsplit-dwarf", "-c", "a.c", "-o", "out/a.o"], "-gsplit-dwarf"),
])
def test_what_a_preprocessor_does_not_tell_is_passed_on(hidden, args, reason):
    for _ in range(2):
        result, plain, event = hidden.run(*args)
        assert (result.returncode, result.stdout) == (plain.returncode, plain.stdout)
        assert reason in event["passthrough_reason"], event


# The same with programs of one's own behind the driver, found before the real ones.
CHOOSING = HIDDEN.replace('execv(argv[0], argv);', """char *all[64] = {argv[0], "-B" TOOLS};
  for (int i = 1; i <= argc; i++) all[i + 1] = argv[i];
  execv(all[0], all);""")
SAME, LATER = 'exec {real} "$@"\n', {
    "cc1": 'case " $* " in *" -E "*) exec {real} "$@";; esac\nexec {real} "$@" -O3\n',
    "as": 'exec {real} "$@" --defsym swapped=1\n',
    "cc1plus": 'case " $* " in *" -E "*) exec {real} "$@";; esac\nexec {real} "$@" -O3\n',
}


@pytest.mark.hits
@pytest.mark.parametrize("name", LATER)
def test_a_program_behind_the_driver_is_an_input(hidden, name):
    tools = hidden.root / "tools"
    tools.mkdir()
    (hidden.root / "choosing.c").write_text(CHOOSING)
    subprocess.run(["gcc", "-static", "-O1", f'-DTOOLS="{tools}"', "-o", hidden.gcc, hidden.root / "choosing.c"], check=True)
    real = subprocess.run(["gcc", f"-print-prog-name={name}"], capture_output=True, text=True, check=True).stdout.strip()

    def install(text):
        (tools / "new").write_text("#!/bin/sh\n" + text.format(real=shutil.which(real)))
        (tools / "new").chmod(0o755)
        (tools / "new").rename(tools / name)
        time.sleep(0.02)

    source = "s.cc" if name == "cc1plus" else "s.c"
    (hidden.work / source).write_text("int sum(int *p, int n) { int s = 0; for (int i = 0; i < n; i++) s += p[i]; return s; }\n")
    seen = []
    for text, expected in ((SAME, "miss"), (SAME, "local_hit"), (LATER[name], "miss"), (SAME, "local_hit")):
        install(text)
        args = ["-O1", "-c", source, "-o", "s.o"]
        (hidden.work / "s.o").unlink(missing_ok=True)
        assert hidden.kache(hidden.work, hidden.gcc, *args).returncode == 0
        event = hidden.events()[-1]
        assert (event["result"], event.get("passthrough_reason"), event["declared"]) == (expected, None, True)
        kept = (hidden.work / "s.o").read_bytes()
        subprocess.run([hidden.gcc, *args], cwd=hidden.work, env=hidden.env(), check=True)
        assert kept == (hidden.work / "s.o").read_bytes()
        seen.append(kept)
        if text != SAME:
            assert f"changed: program {name}\n" in hidden.kache(hidden.work, "why-miss", source).stdout.decode()
    assert seen[0] != seen[2]


def test_a_driver_that_does_not_say_what_it_starts_is_passed_on(hidden):
    (hidden.root / "mute.c").write_text(HIDDEN.replace("argv[0] =", 'if (argc > 1 && !strcmp(argv[1], "-###")) return 0;\n  argv[0] ='))
    subprocess.run(["gcc", "-static", "-O1", "-o", hidden.gcc, hidden.root / "mute.c"], check=True)
    time.sleep(0.02)
    result, plain, event = hidden.run("-Iinc", "-c", "a.c", "-o", "out/a.o")
    assert (result.returncode, result.stdout, result.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    assert "does not say what it starts" in event["passthrough_reason"]
