"""The recorder in process trees: threads, children of every kind, environments, and ends of every kind."""
import os
import signal
import subprocess
import time

import pytest
from recorded import LIBRARY, RECORD_RUN, read_events

PYTHON = "/usr/bin/python3"
CLOCK_REALTIME_COARSE = 5


def sh(script):
    return ["/bin/sh", "-c", script]


# --- threads ---------------------------------------------------------------------------------------------------------

OPENERS = r"""
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
enum { THREADS = 8, FILES = 500 };
static void *open_many(void *arg) {
  for (int i = 0; i < FILES; ++i) {
    char path[64];
    snprintf(path, sizeof path, "absent-%s-%ld-%d", getenv("WHO"), (long)arg, i);
    open(path, O_RDONLY);
  }
  return NULL;
}
int main(void) {
  pthread_t threads[THREADS];
  for (long i = 0; i < THREADS; ++i) pthread_create(&threads[i], NULL, open_many, (void *)i);
  for (int i = 0; i < THREADS; ++i) pthread_join(threads[i], NULL);
  return 0;
}
"""


def absent_files(run, who):
    return {os.path.basename(e.a) for e in run.of("open_read", result=2) if f"absent-{who}-" in e.a}


def test_nothing_is_lost_between_threads(record, build, root):
    program = build("openers.c", OPENERS, "-pthread")
    run = record([program], cwd=root, env={"WHO": "a"})
    assert run.state == "ok"
    assert absent_files(run, "a") == {f"absent-a-{t}-{i}" for t in range(8) for i in range(500)}


def test_nothing_is_lost_between_processes(record, build, root):
    program = build("openers.c", OPENERS, "-pthread")
    run = record(sh(f"WHO=a {program} & WHO=b {program} & wait"), cwd=root)
    assert run.state == "ok"
    for who in "ab":
        assert absent_files(run, who) == {f"absent-{who}-{t}-{i}" for t in range(8) for i in range(500)}


# --- repetition --------------------------------------------------------------------------------------------------------

def test_equal_questions_are_written_once_and_different_answers_always(record, build, root):
    program = build("repeat.c", r"""
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
  struct stat st;
  for (int i = 0; i < 1000; ++i) { getenv("HOT"); stat("file", &st); }
  close(open("file", O_CREAT | O_WRONLY, 0600));
  for (int i = 0; i < 1000; ++i) { getenv("HOT"); stat("file", &st); }
  setenv("HOT", "other", 1);
  truncate("file", 10);
  for (int i = 0; i < 1000; ++i) { getenv("HOT"); stat("file", &st); }
  return 0;
}""")
    run = record([program], cwd=root, env={"HOT": "one"})
    assert [e.b for e in run.of("get_env", "HOT")] == ["one", "other"]
    stats = run.of("stat", f"{root}/file")
    assert [(e.result, e.size) for e in stats] == [(2, 0), (0, 0), (0, 10)]


# --- children ------------------------------------------------------------------------------------------------------------

def test_exec_in_a_vfork_child(record, build, root):
    program = build("vforker.c", r"""
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
  pid_t pid = vfork();
  if (pid == 0) { chdir("/usr"); execlp("true", "true", NULL); _exit(1); }
  int status;
  waitpid(pid, &status, 0);
  if (access("here", F_OK) == 0) return 7;
  pid = vfork();
  if (pid == 0) { execl("/absent", "absent", NULL); _exit(3); }
  waitpid(pid, &status, 0);
  return WEXITSTATUS(status);
}""")
    run = record([program], cwd=root)
    assert run.status == 3
    parent = run.one("hello", str(program))
    child = run.one("hello", "/usr/bin/true")
    assert child.aux == parent.pid and child.b == "/usr"
    assert run.one("exec", "/usr/bin/true", pid=child.pid, result=0).ino == child.ino
    run.one("bye", pid=child.pid)
    failed = run.one("exec", "/absent")
    assert failed.result == 2 and failed.pid not in (parent.pid, child.pid)
    run.one("bye", pid=failed.pid)
    # The child's chdir was its own: this path is the parent's.
    assert run.one("stat", f"{root}/here").pid == parent.pid


def test_fork_children_speak_under_their_own_pid(record, build, root):
    program = build("forker.c", r"""
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
pid_t __fork(void);
pid_t _Fork(void);
static pid_t (*const kinds[])(void) = {fork, __fork, _Fork};
int main(void) {
  open("before", O_RDONLY);
  for (int i = 0; i < 3; ++i) {
    if (kinds[i]() == 0) { open("before", O_RDONLY); _exit(0); }
    wait(NULL);
  }
  return 0;
}""")
    run = record([program], cwd=root)
    parent = run.one("hello").pid
    children = [e.aux for e in run.of("spawn", pid=parent, result=0)]
    assert len(set(children)) == 3
    assert [e.pid for e in run.of("open_read", f"{root}/before")] == [parent, *children]
    assert {e.pid for e in run.of("bye")} == {parent, *children}


def test_posix_spawn_tells_the_pid_and_the_program(record, root):
    run = record([PYTHON, "-c", "import os, sys\n"
                  "pid = os.posix_spawnp('true', ['true'], {'PATH': '/usr/bin'})\n"
                  "os.waitpid(pid, 0)"], cwd=root)
    spawn, = [e for e in run.of("spawn", result=0) if e.a.endswith("/true")]
    child, = run.hellos("true")
    assert (spawn.aux, spawn.ino) == (child.pid, child.ino)


STATIC = "#include <fcntl.h>\nint main(void) { open(\"hidden\", O_RDONLY); return 5; }"


@pytest.mark.parametrize("flag", ["-static", "-static-pie"])
def test_a_static_child_is_executed_but_says_no_hello(record, build, root, flag):
    program = build("static.c", STATIC, flag)
    run = record(sh(f"{program}; exit $?"), cwd=root)
    assert run.status == 5
    exec_event = run.one("exec", str(program), result=0)
    assert run.of("hello", pid=exec_event.pid) == [e for e in run.of("hello", pid=exec_event.pid) if e.a != str(program)]
    assert run.of("hello", str(program)) == []
    assert run.of("open_read", f"{root}/hidden") == []


def test_what_a_static_child_starts_is_seen_again(record, build, root):
    program = build("static.c", "#include <unistd.h>\nint main(void) { execl(\"/bin/true\", \"true\", (char *)0); }",
                    "-static")
    run = record(sh(f"{program}; exit $?"), cwd=root)
    assert len(run.hellos("true")) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a program setuid for another user")
def test_a_setuid_child_runs_unobserved(record, build, root):
    program = build("setuid.c", "#include <fcntl.h>\n#include <unistd.h>\n"
                    "int main(void) { open(\"hidden\", O_RDONLY); return geteuid() == 65534 ? 6 : 1; }")
    for directory in [root, *root.parents]:
        if directory.stat().st_uid == 0 and str(directory).startswith("/tmp/"):
            directory.chmod(0o755)
    os.chown(program, 65534, 65534)
    program.chmod(0o6755)
    run = record(sh(f"{program}; exit $?"), cwd=root)
    assert (run.status, run.stderr) == (6, b"")
    run.one("exec", str(program), result=0)
    assert run.of("hello", str(program)) == []


SPY = r"""
#include <errno.h>
#include <stdio.h>
#include <string.h>
/* The next execve after the recorder's: shows what a child would be given. */
int execve(const char *path, char *const *argv, char *const *envp) {
  for (; *envp; ++envp) if (strncmp(*envp, "LD_PRELOAD=", 11) == 0) puts(*envp);
  errno = EPERM;
  return -1;
}"""


@pytest.mark.parametrize("kind", ["native", "other linker", "32 bits", "static", "script", "script of native"])
def test_a_program_of_another_libc_is_started_without_the_library(record, build, root, kind):
    """It would die from our library, or the dynamic linker would complain on stderr."""
    spy = build("spy.c", SPY, "-shared", "-fPIC")
    other = root / "ld-other.so"
    other.write_bytes(open("/lib64/ld-linux-x86-64.so.2", "rb").read())
    other.chmod(0o755)
    flags = {"other linker": [f"-Wl,--dynamic-linker={other}"], "script": [f"-Wl,--dynamic-linker={other}"],
             "static": ["-static"]}
    target = build("target.c", "int main(void) { return 0; }", *flags.get(kind, []))
    if kind == "32 bits":
        code = bytearray(target.read_bytes())
        code[4] = 1
        target.write_bytes(code)
    if kind.startswith("script"):
        script = root / "script"
        script.write_text(f"#! {target} x\n")
        script.chmod(0o755)
        target = script
    program = build("start.c", "#include <unistd.h>\n#include <stdio.h>\n"
                    "int main(int argc, char **argv) { execv(argv[1], argv + 1); return 3; }")
    run = record([program, target], env={"LD_PRELOAD": str(spy)})
    assert run.status == 3
    enters = kind in ("native", "static", "script of native")
    assert run.stdout.decode().splitlines() == [f"LD_PRELOAD={LIBRARY}:{spy}" if enters else f"LD_PRELOAD={spy}"]


def test_a_program_with_its_own_dynamic_linker_really_runs(record, build, root):
    other = root / "ld-other.so"
    other.write_bytes(open("/lib64/ld-linux-x86-64.so.2", "rb").read())
    other.chmod(0o755)
    target = build("target.c", "int main(void) { return 8; }", f"-Wl,--dynamic-linker={other}")
    run = record(sh(f"{target}; exit $?"))
    assert (run.status, run.stderr) == (8, b"")
    assert run.of("hello", str(target)) == []


# --- loading ----------------------------------------------------------------------------------------------------------------

def test_libraries_are_listed_at_start_and_when_they_come_later(record, build, root):
    plugin = build("plugin.c", "int plugin(void) { return 1; }", "-shared", "-fPIC")
    stays = root / "stays.so"
    stays.write_bytes(plugin.read_bytes())
    program = build("loader.c", r"""
#include <dlfcn.h>
int main(int argc, char **argv) {
  void *gone = dlopen(argv[1], RTLD_NOW);
  dlclose(gone);
  return dlopen(argv[2], RTLD_NOW) ? 0 : 1;
}""")
    run = record([program, plugin, stays])
    assert run.status == 0
    maps = {e.a: e for e in run.of("map")}
    assert {str(plugin), str(stays)} <= set(maps)
    assert maps[str(stays)].ino == stays.stat().st_ino
    assert any(os.path.basename(name).startswith("libc.so") for name in maps)
    assert str(LIBRARY) not in maps


def test_calls_before_any_constructor_are_recorded(record, build, root):
    """An allocator that reads its configuration when the dynamic linker first allocates."""
    allocator = build("allocator.c", r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static char arena[64 << 20];
static size_t used;
static int ready;
static void prepare(void) {
  ready = 1;
  char link[100];
  struct stat st;
  readlink("early-link", link, sizeof link);
  stat("early-stat", &st);
  getenv("EARLY_VARIABLE");
  int fd = open("early-open", O_RDONLY);
  if (fd >= 0) close(fd);
}
void *malloc(size_t size) {
  if (!ready) prepare();
  size_t at = __atomic_fetch_add(&used, (size + 31) & ~15ul, __ATOMIC_RELAXED) + 16;
  if (at + size > sizeof arena) return NULL;
  *(size_t *)(arena + at - 8) = size;
  return arena + at;
}
void free(void *p) { (void)p; }
void *calloc(size_t n, size_t size) { return malloc(n * size); }
void *realloc(void *p, size_t size) {
  void *to = malloc(size);
  if (p && to) memcpy(to, p, ((size_t *)p)[-1] < size ? ((size_t *)p)[-1] : size);
  return to;
}
__attribute__((constructor)) static void early(void) { free(malloc(1)); }
""", "-shared", "-fPIC", "-fno-builtin")
    for index, preload in enumerate([str(allocator), ""]):
        program = build(f"early{index}.c", "#include <stdlib.h>\nint main(void) { return malloc(10) == NULL; }",
                        *([str(allocator)] if not preload else []))
        run = record([program], cwd=root, env={"LD_PRELOAD": preload})
        assert (run.status, run.state) == (0, "ok")
        assert run.events[0].kind == "hello"
        for kind, name in (("read_link", "early-link"), ("stat", "early-stat"), ("open_read", "early-open")):
            assert run.one(kind, f"{root}/{name}").result == 2
        run.one("get_env", "EARLY_VARIABLE", result=2)


def test_a_fork_beside_a_thread_that_loads_libraries_does_not_hang(record, build, root):
    plugin = build("plugin.c", "int plugin(void) { return 1; }", "-shared", "-fPIC")
    program = build("forks.c", r"""
#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile int done;
static void *load(void *path) {
  while (!done) dlclose(dlopen(path, RTLD_NOW));
  return NULL;
}
int main(int argc, char **argv) {
  pthread_t thread;
  pthread_create(&thread, NULL, load, argv[1]);
  for (int i = 0; i < 200; ++i) {
    pid_t pid = fork();
    if (pid == 0) {
      alarm(20);
      if (i % 2) execl("/bin/true", "true", NULL);
      _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    if (status != 0) return 1;
  }
  done = 1;
  pthread_join(thread, NULL);
  return 0;
}""", "-pthread")
    assert record([program, plugin]).status == 0


# --- ends --------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("end, status", [("kill(getpid(), SIGKILL)", 128 + signal.SIGKILL),
                                         ("abort()", 128 + signal.SIGABRT), ("*(volatile int *)8 = 1", 128 + 11)])
def test_a_crash_leaves_a_record_without_a_bye(record, build, root, end, status):
    program = build("crash.c", f"""
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
int main(void) {{ open("seen", O_RDONLY); {end}; return 0; }}""", "-w")
    run = record([program], cwd=root)
    assert (run.status, run.state) == (status, "ok")
    assert run.one("open_read", f"{root}/seen").result == 2
    assert run.of("bye") == []


@pytest.mark.parametrize("end", ["return 4", "exit(4)", "_exit(4)", "_Exit(4)", "quick_exit(4)"])
def test_every_orderly_end_says_bye(record, build, root, end):
    program = build("end.c", f"#include <stdlib.h>\n#include <unistd.h>\nint main(void) {{ {end}; }}")
    run = record([program])
    assert run.status == 4
    run.one("bye", pid=run.one("hello").pid)


def test_an_overflow_is_said_and_disturbs_nothing(record, build, root):
    program = build("openers.c", OPENERS, "-pthread")
    run = record([program], cwd=root, env={"WHO": "a"}, capacity=1 << 16)
    assert (run.status, run.stdout, run.stderr) == (0, b"", b"")
    assert run.state == "error: record: overflowed"


def test_a_record_grows_beyond_its_first_chunk(record, build, root):
    program = build("many.c", r"""
#include <stdio.h>
#include <sys/stat.h>
int main(void) {
  struct stat st;
  char path[64];
  for (int i = 0; i < 40000; ++i) { snprintf(path, sizeof path, "absent-a-%d", i); stat(path, &st); }
  return 0;
}""")
    run = record([program], cwd=root)
    assert run.state == "ok"
    assert len(run.of("stat", result=2)) == 40000


@pytest.mark.skipif(os.geteuid() != 0, reason="a full disk is a small tmpfs, which only root can mount")
def test_a_full_disk_loses_the_record_and_not_the_program(build, root):
    disk = root / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", disk], capture_output=True).returncode != 0:
        pytest.skip("may not mount")
    try:
        program = build("many.c", r"""
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
int main(void) {
  struct stat st;
  char path[64];
  for (int i = 0; i < 40000; ++i) {
    snprintf(path, sizeof path, "absent-a-%d", i);
    if (stat(path, &st) == 0 || errno != ENOENT) return 9;
  }
  return 0;
}""")
        done = subprocess.run([RECORD_RUN, LIBRARY, root / "events", "--dir", disk, "--", program], capture_output=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert read_events(root / "events")[0] == "error: record: overflowed"
    finally:
        subprocess.run(["umount", disk], check=True)


# --- the rest ------------------------------------------------------------------------------------------------------------------

def test_messages_with_an_address_are_connections(record, root):
    run = record([PYTHON, "-c", "import socket, struct, array\n"
                  "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                  "s.sendmsg([b'x'], [], 0, ('127.0.0.1', 9))"])
    run.one("connect", "inet:127.0.0.1:9", result=0)


def test_paths_below_a_descriptor_follow_it_when_it_moves(record, root):
    (root / "old").mkdir()
    run = record([PYTHON, "-c", "import os\n"
                  "fd = os.open('old', os.O_RDONLY)\n"
                  "os.rename('old', 'new')\n"
                  "try: os.stat('x', dir_fd=fd)\n"
                  "except OSError: pass"], cwd=root)
    run.one("stat", f"{root}/new/x", result=2)


def test_a_deleted_working_directory_is_not_taken_for_a_path(record, root):
    run = record(sh(f"mkdir {root}/d && cd {root}/d && rmdir {root}/d && cat x"), cwd=root)
    assert [e.a for e in run.of("open_read") if e.a.endswith("x") and e.result == 2] == ["(unknown)/x"]


def test_what_the_recorder_fails_at_does_not_reach_errno(record, build, root):
    program = build("errno.c", r"""
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
  mkdir("gone", 0700);
  chdir("gone");
  rmdir("../gone");
  errno = 77;
  if (open(".", O_RDONLY) < 0) return 1; /* works in a directory without a name */
  return errno == 77 ? 0 : 2;
}""")
    run = record([program], cwd=root)
    assert run.status == 0
    assert run.of("open_read", "(unknown)/.", result=0)


def test_clock_and_identity_serve_the_race_guard(record, root):
    (root / "old").write_text("x")
    os.utime(root / "old", ns=(1, 10**18 + 7))
    while time.clock_gettime_ns(CLOCK_REALTIME_COARSE) < (root / "old").stat().st_ctime_ns:
        pass  # newer kernels stamp some changes with a finer clock
    run = record(sh("cat old; echo y > new; cat new"), cwd=root)
    old = run.one("open_read", f"{root}/old")
    assert old.mtime_ns == 10**18 + 7 and 0 < old.ctime_ns <= old.clock_ns
    written = run.one("open_write", f"{root}/new")
    assert written.ino == 0, "it did not exist before"
    assert run.one("open_read", f"{root}/new").ctime_ns >= written.clock_ns > 0


def test_a_make_tree_is_followed_to_its_leaves(record, root):
    (root / "Makefile").write_text("all: a b\na:\n\t@$(MAKE) -s -f sub.mk\nb:\n\t@cat leaf-b\n")
    (root / "sub.mk").write_text("all:\n\t@sh -c 'cat leaf-a; true'\n")
    for leaf in ("leaf-a", "leaf-b"):
        (root / leaf).write_text(leaf + "\n")
    run = record(["make", "-j2"], cwd=root)
    assert run.status == 0 and sorted(run.stdout.split()) == [b"leaf-a", b"leaf-b"]
    for name in ("Makefile", "sub.mk", "leaf-a", "leaf-b"):
        assert run.of("open_read", f"{root}/{name}", result=0), name
    assert len(run.hellos("make")) == 2 and len(run.hellos("cat")) == 2
    # Every program that started ended in order, or was replaced by another that said hello.
    hellos = [e.pid for e in run.of("hello")]
    assert {e.pid for e in run.of("bye")} == set(hellos)


def test_every_child_can_be_traced_to_its_parent(record, root):
    run = record(sh("true; /usr/bin/env true; (cd / && exec ls >/dev/null); echo x | cat"))
    first = run.events[0]
    known = {first.pid}
    for e in run.events:
        if e.kind == "spawn" and e.result == 0:
            known.add(e.aux)
    for e in run.of("hello")[1:]:
        assert e.aux in known or e.pid in known, e
        known.add(e.pid)


def test_output_is_never_disturbed(record, root):
    (root / "a.c").write_text("int f(void) { return undeclared; }\n")
    for command in (["gcc", "-c", "a.c"], ["clang", "-c", "a.c"], ["ls", "/nonexistent"], ["make", "-n"], ["python3", "-c", ""]):
        bare = subprocess.run(command, cwd=root, capture_output=True)
        seen = record(command, cwd=root)
        assert (seen.status, seen.stdout, seen.stderr) == (bare.returncode, bare.stdout, bare.stderr)
