"""What a child is given: the recorder put back where it was taken out, and nothing else changed."""
import os
import subprocess

import pytest
from recorded import LIBRARY

OPENER = r"""
#include <fcntl.h>
int main(void) { open("absent", O_RDONLY); return 0; }
"""


def sh(script):
    return ["/bin/sh", "-c", script]


SCRUB = r"""
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
  char *const empty[] = {NULL}, *const foreign[] = {"LD_PRELOAD=/lib/x86_64-linux-gnu/libdl.so.2", "A=1", NULL};
  char *const args[] = {argv[2], NULL};
  if (strcmp(argv[1], "empty") == 0) execve(argv[2], args, empty);
  if (strcmp(argv[1], "null") == 0) execve(argv[2], args, NULL);
  if (strcmp(argv[1], "foreign") == 0) execve(argv[2], args, foreign);
  if (strcmp(argv[1], "clear") == 0) { clearenv(); execv(argv[2], args); }
  if (strcmp(argv[1], "unset") == 0) { unsetenv("LD_PRELOAD"); execvp(argv[2], args); }
  if (strcmp(argv[1], "spawn") == 0) {
    pid_t pid;
    posix_spawn(&pid, argv[2], NULL, NULL, args, empty);
    waitpid(pid, NULL, 0);
    return 0;
  }
  return 1;
}
"""


@pytest.mark.parametrize("how", ["empty", "null", "foreign", "clear", "unset", "spawn"])
def test_a_scrubbed_environment_gets_the_recorder_back(record, build, how):
    program = build("scrub.c", SCRUB)
    run = record([program, how, "/usr/bin/env"])
    assert len(run.hellos("env")) == 1
    printed = run.stdout.decode().splitlines()
    preload = f"LD_PRELOAD={LIBRARY}"
    if how == "foreign":
        assert sorted(printed)[0] == "A=1"
        preload += ":/lib/x86_64-linux-gnu/libdl.so.2"
    assert preload in printed
    assert len([line for line in printed if line.startswith("LD_PRELOAD=")]) == 1
    assert len([line for line in printed if line.startswith("KACHE_RECORD=")]) == 1


def test_the_library_is_never_listed_twice(record):
    run = record(["env", "sh", "-c", "exec env env"])
    lists = [line for line in run.stdout.decode().splitlines() if line.startswith("LD_PRELOAD=")]
    assert lists == [f"LD_PRELOAD={LIBRARY}"]


def test_a_record_of_its_own_is_left_to_a_nested_recording(record, root):
    run = record(["env", "KACHE_RECORD=/nonexistent", "env"])
    assert b"KACHE_RECORD=/nonexistent\n" in run.stdout
    assert len(run.hellos("env")) == 1  # the inner one records elsewhere: here, nowhere


def test_the_users_own_preloaded_library_stays_active(record, build, root):
    library = build("user.c", r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
char *getenv(const char *name) {
  if (strcmp(name, "WHO_IS_IT") == 0) return "the user's library";
  return ((char *(*)(const char *))dlsym(RTLD_NEXT, "getenv"))(name);
}""", "-shared", "-fPIC")
    program = build("ask.c", "#include <stdio.h>\n#include <stdlib.h>\nint main(void) { puts(getenv(\"WHO_IS_IT\")); }")
    run = record([program], env={"LD_PRELOAD": str(library)})
    assert run.stdout == b"the user's library\n"
    assert run.one("get_env", "WHO_IS_IT").b == "the user's library"


@pytest.mark.parametrize("value", [None, "", "relative", "/nonexistent/file", "/etc/passwd", "/dev/null", "/tmp"])
def test_without_a_record_it_is_as_if_it_was_not_there(build, root, value):
    program = build("opener.c", OPENER)
    env = {"LD_PRELOAD": str(LIBRARY), "PATH": os.environ["PATH"]}
    if value is not None:
        env["KACHE_RECORD"] = value
    before = os.stat("/etc/passwd")
    done = subprocess.run(sh(f"{program} && exec env -i env"), cwd=root, env=env, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"LD_PRELOAD" not in done.stdout, "nothing is put back into environments"
    assert os.stat("/etc/passwd").st_mtime_ns == before.st_mtime_ns


def test_a_truncated_or_foreign_record_is_not_touched(build, root):
    program = build("opener.c", OPENER)
    for content in (b"KREC0001", b"KREC0001" + bytes(40), b"x" * 4096, b"KREC0001" + b"\xff" * 100):
        record = root / "record"
        record.write_bytes(content)
        done = subprocess.run([program], cwd=root, capture_output=True,
                              env={"LD_PRELOAD": str(LIBRARY), "KACHE_RECORD": str(record)})
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert record.read_bytes() == content
