"""Every hooked function, called by name, succeeding and failing: what it returns and what is recorded.

All calls are made by one process (caller.py), each in a directory of its own, once bare and once recorded."""
import errno
import json
import os
import pathlib
import re
import socket
import struct
import subprocess

import pytest
from recorded import CREATE, HERE, LIBRARY, NOFOLLOW, READ, RECORD_RUN, TEMPORARY, TRUNCATE, Run, read_events

PYTHON = "/usr/bin/python3"
ST = {"buffer": 4096}
BUF = {"buffer": 4096}
DIR = {"directory": "dir"}
CWD = -100
O = os


class Case:
    """A call, and the event it must leave: kind, a, b (relative names lie in the case's own directory), fields."""

    def __init__(self, call, args, kind=None, a=None, b=None, result=0, returns="int", fork=False, also=(), **fields):
        self.call, self.args, self.returns, self.fork = call, args, returns, fork
        self.kind, self.a, self.b, self.result, self.fields, self.also = kind, a, b, result, fields, also

    @property
    def id(self):
        texts = [a for a in self.args if isinstance(a, (str, int))]
        return "-".join([self.call, *map(str, texts), str(self.result)]).replace("/", "_")


def found_and_absent(call, before, after, kind, present="have", absent="absent", returns="int", **fields):
    """The call on something that is there and on something that is not."""
    return [Case(call, [*before, present, *after], kind, present, returns=returns, **fields),
            Case(call, [*before, absent, *after], kind, absent, result=errno.ENOENT, returns=returns, **fields)]


def open_cases():
    cases = []
    for call in ("open", "open64", "__open", "__open64", "__open_2", "__open64_2"):
        cases += found_and_absent(call, [], [O.O_RDONLY], "open_read", identity="have")
    for call in ("openat", "openat64", "__openat_2", "__openat64_2"):
        cases += found_and_absent(call, [DIR], [O.O_RDONLY], "open_read", "inner", "absent", below="dir")
        cases += found_and_absent(call, [CWD], [O.O_RDONLY], "open_read")
    for call in ("open", "open64", "__open", "__open64"):
        cases += [
            Case(call, ["new", O.O_WRONLY | O.O_CREAT, 0o640], "open_write", "new", flags=CREATE, identity=None),
            Case(call, ["have", O.O_WRONLY | O.O_TRUNC], "open_write", "have", flags=TRUNCATE, size=5),
            Case(call, ["have", O.O_RDWR], "open_write", "have", flags=READ, size=5),
            Case(call, ["have", O.O_RDWR | O.O_CREAT, 0o644], "open_write", "have", flags=READ | CREATE, size=5),
            Case(call, ["have", O.O_WRONLY | O.O_CREAT | O.O_EXCL, 0o644], "open_write", "have", result=errno.EEXIST,
                 flags=CREATE | TRUNCATE),
            Case(call, ["new", O.O_WRONLY | O.O_CREAT | O.O_EXCL, 0o644], "open_write", "new", flags=CREATE | TRUNCATE),
            Case(call, ["link", O.O_RDONLY | O.O_NOFOLLOW], "open_read", "link", result=errno.ELOOP, flags=NOFOLLOW),
            Case(call, ["have", O.O_PATH], "stat", "have", identity="have"),
            Case(call, ["dir", O.O_RDONLY | O.O_DIRECTORY], "open_read", "dir", identity="dir"),
            Case(call, ["dir", O.O_TMPFILE | O.O_WRONLY, 0o600], "open_write", "dir",
                 flags=TEMPORARY | CREATE | TRUNCATE),
        ]
    for call in ("openat", "openat64"):
        cases.append(Case(call, [DIR, "new", O.O_WRONLY | O.O_CREAT, 0o640], "open_write", "new", below="dir",
                          flags=CREATE, identity=None))
    for call in ("creat", "creat64"):
        cases += [Case(call, ["new", 0o600], "open_write", "new", flags=CREATE | TRUNCATE, identity=None),
                  Case(call, ["have", 0o600], "open_write", "have", flags=CREATE | TRUNCATE, size=5),
                  Case(call, ["absent/new", 0o600], "open_write", "absent/new", result=errno.ENOENT)]
    for call in ("fopen", "fopen64"):
        cases += found_and_absent(call, [], ["r"], "open_read", returns="pointer")
        cases += [Case(call, ["have", "r+"], "open_write", "have", returns="pointer", flags=READ, size=5),
                  Case(call, ["new", "w"], "open_write", "new", returns="pointer", flags=CREATE | TRUNCATE),
                  Case(call, ["have", "a+"], "open_write", "have", returns="pointer", flags=CREATE | READ, size=5),
                  Case(call, ["have", "wx"], "open_write", "have", returns="pointer", result=errno.EEXIST,
                       flags=CREATE | TRUNCATE)]
    for call in ("freopen", "freopen64"):
        stream = {"result_of": ["fopen", "link", "r"]}
        cases += found_and_absent(call, [], ["rb", stream], "open_read", returns="pointer")
    return cases


def temporary_cases():
    flags = TEMPORARY | CREATE | TRUNCATE | READ
    name = re.compile(r"tmp......(\.c)?$")
    cases = []
    for call, more in (("mkstemp", []), ("mkostemp", [O.O_CLOEXEC])):
        for twin in (call, call + "64"):
            cases += [Case(twin, [{"text": "tmpXXXXXX"}, *more], "open_write", name, flags=flags),
                      Case(twin, [{"text": "absent/XXXXXX"}, *more], "open_write", re.compile("absent/"), flags=flags,
                           result=errno.ENOENT)]
    for call, more in (("mkstemps", [2]), ("mkostemps", [2, O.O_CLOEXEC])):
        for twin in (call, call + "64"):
            cases.append(Case(twin, [{"text": "tmpXXXXXX.c"}, *more], "open_write", name, flags=flags))
    cases += [Case("mkdtemp", [{"text": "tmpXXXXXX"}], "make_dir", name, flags=TEMPORARY, returns="pointer"),
              Case("tmpfile", [], "open_write", re.compile("^/tmp/"), flags=flags, returns="pointer"),
              Case("tmpfile64", [], "open_write", re.compile("^/tmp/"), flags=flags, returns="pointer"),
              Case("tempnam", [None, "x"], "get_env", "=TMPDIR", returns="pointer", result=None)]
    return cases


def stat_cases():
    cases = []
    for call in ("stat", "stat64"):
        cases += found_and_absent(call, [], [ST], "stat", identity="have")
        cases += found_and_absent(call, [], [ST], "stat", "link", "dangling", identity="have")
    for call in ("lstat", "lstat64"):
        cases += found_and_absent(call, [], [ST], "stat", "link", identity="link", flags=NOFOLLOW)
    for call in ("__xstat", "__xstat64"):
        cases += found_and_absent(call, [1], [ST], "stat", identity="have")
    for call in ("__lxstat", "__lxstat64"):
        cases += found_and_absent(call, [1], [ST], "stat", "link", identity="link", flags=NOFOLLOW)
    for call in ("fstatat", "fstatat64"):
        cases += found_and_absent(call, [DIR], [ST, 0], "stat", "inner", below="dir", identity="dir/inner")
        cases += found_and_absent(call, [CWD], [ST, 0x100], "stat", "link", identity="link", flags=NOFOLLOW)
    for call in ("__fxstatat", "__fxstatat64"):
        cases += found_and_absent(call, [1, DIR], [ST, 0], "stat", "inner", below="dir", identity="dir/inner")
    cases += found_and_absent("statx", [CWD], [0, 0x7ff, ST], "stat", identity="have")
    cases += found_and_absent("statx", [DIR], [0, 0, ST], "stat", "inner", below="dir", identity="dir/inner")
    cases += found_and_absent("statx", [CWD], [0x100, 0x7ff, ST], "stat", "link", identity="link", flags=NOFOLLOW)
    cases += [Case("statx", [0, None, 0, 0x7ff, None], result=errno.EFAULT),  # how Rust asks whether there is one
              Case("statx", [{"descriptor": "have"}, "", 0x1000, 0x7ff, ST]),
              Case("fstatat", [{"descriptor": "have"}, "", ST, 0x1000]),
              Case("stat", ["", ST], result=errno.ENOENT),
              Case("stat", [None, ST], result=errno.EFAULT)]
    for call in ("access", "eaccess", "euidaccess"):
        cases += found_and_absent(call, [], [O.R_OK], "stat", aux=O.R_OK, identity="have")
        cases.append(Case(call, ["have", O.X_OK], "stat", "have", result=errno.EACCES, aux=O.X_OK))
    cases += found_and_absent("faccessat", [DIR], [O.F_OK, 0], "stat", "inner", below="dir")
    cases += found_and_absent("chdir", [], [], "stat", "dir", identity="dir")
    cases.append(Case("chdir", ["have"], "stat", "have", result=errno.ENOTDIR, identity=None))
    return cases


def link_cases():
    size = {"size": 4096}
    cases = []
    for call, more in (("readlink", []), ("__readlink_chk", [size])):
        cases += [Case(call, ["link", BUF, size, *more], "read_link", "link", "=have", returns="long"),
                  Case(call, ["have", BUF, size, *more], "read_link", "have", "=", result=errno.EINVAL, returns="long"),
                  Case(call, ["absent", BUF, size, *more], "read_link", "absent", "=", result=errno.ENOENT, returns="long")]
    for call, more in (("readlinkat", []), ("__readlinkat_chk", [size])):
        cases += [Case(call, [DIR, "up", BUF, size, *more], "read_link", "up", "=../have", below="dir", returns="long"),
                  Case(call, [DIR, "no", BUF, size, *more], "read_link", "no", "=", below="dir", result=errno.ENOENT,
                       returns="long")]
    for call, more in (("realpath", [BUF]), ("realpath", [None]), ("__realpath_chk", [BUF, size]),
                       ("canonicalize_file_name", [])):
        cases += [Case(call, ["link", *more], "real_path", "link", "have", returns="pointer"),
                  Case(call, ["dir/../absent", *more], "real_path", "dir/../absent", "=", result=errno.ENOENT,
                       returns="pointer")]
    return cases


def directory_cases():
    cases = found_and_absent("opendir", [], [], "list_dir", "dir", identity="dir", returns="pointer")
    cases += [Case("opendir", ["have"], "list_dir", "have", result=errno.ENOTDIR, returns="pointer"),
              Case("fdopendir", [DIR], "list_dir", "dir", identity="dir", returns="pointer"),
              Case("fdopendir", [{"descriptor": "have"}], result=errno.ENOTDIR, returns="pointer"),
              Case("getdents64", [DIR, BUF, {"size": 4096}], "list_dir", "dir", identity="dir", returns="long"),
              Case("getdents64", [{"descriptor": "have"}, BUF, {"size": 4096}], result=errno.ENOTDIR, returns="long")]
    for call in ("scandir", "scandir64"):
        cases += found_and_absent(call, [], [BUF, None, None], "list_dir", "dir", identity="dir")
    for call in ("scandirat", "scandirat64"):
        cases += found_and_absent(call, [DIR], [BUF, None, None], "list_dir", "deep", below="dir", identity="dir/deep")
    for call in ("glob", "glob64"):
        cases += [Case(call, ["dir/in*", 0, None, BUF], "list_dir", "dir", identity="dir"),
                  Case(call, ["absent/*", 0, None, BUF], "list_dir", "absent", result=None, also=[("list_dir", "absent", errno.ENOENT)]),
                  Case(call, ["dir/*/x", 0, None, BUF], "list_dir", "dir",
                       also=[("stat", "dir/deep/x", 0)])]
    for call, more in (("ftw", []), ("ftw64", []), ("nftw", [0]), ("nftw64", [0]), ("nftw", [4])):
        cases += [Case(call, ["dir", {"walker": 0}, 9, *more], "list_dir", "dir", identity="dir",
                       also=[("list_dir", "dir/deep", 0), ("stat", "dir/inner", 0), ("stat", "dir/deep/x", 0)]),
                  Case(call, ["absent", {"walker": 0}, 9, *more], "stat", "absent", result=errno.ENOENT)]
    for name in ("fts", "fts64"):
        for options in (0x10, 0x14):  # with and without changing the directory
            walk = {"result_of": [name + "_open", {"strings": ["dir"]}, options, None]}
            cases.append(Case(name + "_read", [walk], "list_dir", "dir", identity="dir", returns="pointer"))
        cases += [Case(name + "_open", [{"strings": ["have"]}, 0x10, None], "stat", "have", returns="pointer"),
                  Case(name + "_open", [{"strings": ["absent"]}, 0x10, None], "stat", "absent", result=None,
                       returns="pointer", also=[("stat", "absent", errno.ENOENT)])]
    return cases


def change_cases():
    cases = [
        Case("unlink", ["have"], "unlink", "have"),
        Case("unlink", ["absent"], "unlink", "absent", result=errno.ENOENT),
        Case("unlinkat", [DIR, "inner", 0], "unlink", "inner", below="dir"),
        Case("unlinkat", [DIR, "deep", 0x200], "unlink", "deep", below="dir", result=errno.ENOTEMPTY),
        Case("rmdir", ["empty"], "unlink", "empty"),
        Case("rmdir", ["absent"], "unlink", "absent", result=errno.ENOENT),
        Case("remove", ["have"], "unlink", "have"),
        Case("remove", ["absent"], "unlink", "absent", result=errno.ENOENT),
        Case("mkdir", ["new", 0o755], "make_dir", "new"),
        Case("mkdir", ["dir", 0o755], "make_dir", "dir", result=errno.EEXIST),
        Case("mkdirat", [DIR, "new", 0o755], "make_dir", "new", below="dir"),
        Case("mkdirat", [DIR, "inner", 0o755], "make_dir", "inner", below="dir", result=errno.EEXIST),
        Case("rename", ["have", "new"], "rename", "have", "new"),
        Case("rename", ["absent", "new"], "rename", "absent", "new", result=errno.ENOENT),
        Case("renameat", [DIR, "inner", CWD, "new"], "rename", "dir/inner", "new"),
        Case("renameat", [DIR, "absent", CWD, "new"], "rename", "dir/absent", "new", result=errno.ENOENT),
        Case("renameat2", [DIR, "inner", CWD, "new", 0], "rename", "dir/inner", "new"),
        Case("renameat2", [DIR, "inner", CWD, "have", 1], "rename", "dir/inner", "have", result=errno.EEXIST),
        Case("link", ["have", "new"], "link", "have", "new"),
        Case("link", ["absent", "new"], "link", "absent", "new", result=errno.ENOENT),
        Case("linkat", [DIR, "inner", CWD, "new", 0], "link", "dir/inner", "new"),
        Case("linkat", [DIR, "absent", CWD, "new", 0], "link", "dir/absent", "new", result=errno.ENOENT),
        Case("symlink", ["to/what", "new"], "symlink", "=to/what", "new"),
        Case("symlink", ["to/what", "have"], "symlink", "=to/what", "have", result=errno.EEXIST),
        Case("symlinkat", ["to/what", DIR, "new"], "symlink", "=to/what", "dir/new"),
        Case("symlinkat", ["to/what", DIR, "inner"], "symlink", "=to/what", "dir/inner", result=errno.EEXIST),
        Case("mkfifo", ["new", 0o600], "open_write", "new", flags=CREATE | TRUNCATE),
        Case("mkfifo", ["have", 0o600], "open_write", "have", flags=CREATE | TRUNCATE, result=errno.EEXIST),
        Case("mkfifoat", [DIR, "new", 0o600], "open_write", "new", below="dir"),
        Case("mknod", ["new", 0o100600, 0], "open_write", "new"),
        Case("mknodat", [DIR, "new", 0o100600, 0], "open_write", "new", below="dir"),
    ]
    for call in ("truncate", "truncate64"):
        cases += [Case(call, ["have", {"size": 0}], "open_write", "have", flags=TRUNCATE, size=5),
                  Case(call, ["have", {"size": 3}], "open_write", "have", flags=READ, size=5),
                  Case(call, ["absent", {"size": 0}], "open_write", "absent", result=errno.ENOENT)]
    return cases


def environment_cases():
    cases = []
    for call in ("getenv", "secure_getenv"):
        cases += [Case(call, ["RECORDER_SET"], "get_env", "=RECORDER_SET", "=some value", returns="pointer"),
                  Case(call, ["RECORDER_EMPTY"], "get_env", "=RECORDER_EMPTY", "=", returns="pointer"),
                  Case(call, ["RECORDER_UNSET_" + call], "get_env", "=RECORDER_UNSET_" + call, "=",
                       result=errno.ENOENT, returns="pointer", errno_kept=True)]
    cases += [Case("setlocale", [6, ""], "get_env", "=LC_ALL", returns="pointer", result=None,
                   also=[("get_env", "=LC_CTYPE", None), ("get_env", "=LANG", None)]),
              Case("newlocale", [1 << 5, "", None], "get_env", "=LC_MESSAGES", returns="pointer", result=None),
              Case("__newlocale", [1 << 1, "", None], "get_env", "=LC_NUMERIC", returns="pointer", result=None)]
    return cases


def program_cases():
    true = ["true", "an argument"]
    env = {"strings": ["PATH=/usr/bin:/bin", "HOME=/"]}
    script = "./script"
    cases = [
        Case("execv", ["/bin/true", {"strings": true}], "exec", "=/bin/true", fork=True, hello="true"),
        Case("execv", ["absent", {"strings": true}], "exec", "absent", result=errno.ENOENT, fork=True),
        Case("execv", ["have", {"strings": true}], "exec", "have", result=errno.EACCES, fork=True),
        Case("execv", [script, {"strings": [script]}], "exec", "./script", fork=True),
        Case("execve", ["/bin/true", {"strings": true}, env], "exec", "=/bin/true", fork=True),
        Case("execve", ["absent", {"strings": true}, env], "exec", "absent", result=errno.ENOENT, fork=True),
        Case("execve", ["/bin/true", {"strings": true}, None], "exec", "=/bin/true", fork=True),
        Case("execvp", ["true", {"strings": true}], "exec", "=/usr/bin/true", fork=True,
             also=[("exec", "=/nowhere/true", errno.ENOENT), ("exec", "=/etc/passwd/true", errno.ENOTDIR)]),
        Case("execvp", ["no-such", {"strings": true}], "exec", "=/usr/bin/no-such", result=errno.ENOENT, fork=True),
        Case("execvp", [script, {"strings": [script]}], "exec", "./script", fork=True),
        Case("execvp", ["./headless", {"strings": ["x"]}], "exec", "./headless", fork=True),  # libc hands it to sh
        Case("execvp", ["", {"strings": true}], fork=True, result=errno.ENOENT),
        Case("execvpe", ["true", {"strings": true}, env], "exec", "=/usr/bin/true", fork=True),
        Case("execvpe", ["no-such", {"strings": true}, env], "exec", "=/usr/bin/no-such", result=errno.ENOENT, fork=True),
        Case("execl", ["/bin/true", "a", "b", None], "exec", "=/bin/true", fork=True),
        Case("execl", ["absent", "a", "b", None], "exec", "absent", result=errno.ENOENT, fork=True),
        Case("execlp", ["true", "a", "b", None], "exec", "=/usr/bin/true", fork=True),
        Case("execlp", ["no-such", "a", None], "exec", "=/usr/bin/no-such", result=errno.ENOENT, fork=True),
        Case("execle", ["/bin/true", "a", "b", None, env], "exec", "=/bin/true", fork=True),
        Case("execle", ["absent", "a", None, env], "exec", "absent", result=errno.ENOENT, fork=True),
        Case("fexecve", [{"descriptor": "/bin/true"}, {"strings": true}, env], "exec", re.compile("/true$"), fork=True),
        Case("fexecve", [{"descriptor": "have"}, {"strings": true}, env], "exec", "have", result=errno.EACCES, fork=True),
        Case("execveat", [CWD, "/bin/true", {"strings": true}, env, 0], "exec", "=/bin/true", fork=True),
        Case("execveat", [DIR, "absent", {"strings": true}, env, 0], "exec", "absent", below="dir", result=errno.ENOENT,
             fork=True),
        Case("posix_spawn", [BUF, "/bin/true", None, None, {"strings": true}, env], "spawn", "=/bin/true", returns="errno"),
        Case("posix_spawn", [BUF, "absent", None, None, {"strings": true}, env], "spawn", "absent", result=errno.ENOENT,
             returns="errno"),
        Case("posix_spawnp", [None, "true", None, None, {"strings": true}, env], "spawn", "=/usr/bin/true",
             returns="errno", also=[("spawn", "=/nowhere/true", errno.ENOENT)]),
        Case("posix_spawnp", [None, "no-such", None, None, {"strings": true}, env], "spawn", "=/usr/bin/no-such",
             result=errno.ENOENT, returns="errno"),
        Case("posix_spawn_file_actions_addopen", [BUF, 1, "have", O.O_RDONLY, 0], "open_read", "have", returns="errno"),
        Case("posix_spawn_file_actions_addopen", [BUF, 1, "new", O.O_WRONLY | O.O_CREAT, 0o600], "open_write", "new",
             flags=CREATE, identity=None, returns="errno"),
        Case("system", ["exit 3"], "shell", "=exit 3"),
        Case("system", [None]),
        Case("popen", ["exit 0", "r"], "shell", "=exit 0", returns="pointer"),
        Case("_IO_popen", ["exit 1", "r"], "shell", "=exit 1", returns="pointer"),
        Case("_exit", [5], "bye", "=", fork=True, result=None),
        Case("_Exit", [6], "bye", "=", fork=True, result=None),
        Case("quick_exit", [7], "bye", "=", fork=True, result=None),
    ]
    return cases


def network_cases():
    inet = {"bytes": list(struct.pack("=HHI", socket.AF_INET, socket.htons(9), socket.htonl(0x7f000001)) + bytes(8))}
    inet6 = {"bytes": list(struct.pack("=HHI", socket.AF_INET6, socket.htons(9), 0) + bytes(15) + b"\1" + bytes(4))}
    unix = {"bytes": list(struct.pack("=H", socket.AF_UNIX) + b"/tmp/no-such-socket\0")}
    abstract = {"bytes": list(struct.pack("=H", socket.AF_UNIX) + b"\0no-such")}
    stream, datagram = {"socket": [socket.AF_INET, socket.SOCK_STREAM]}, {"socket": [socket.AF_INET, socket.SOCK_DGRAM]}
    local = {"socket": [socket.AF_UNIX, socket.SOCK_STREAM]}
    cases = []
    for call in ("connect", "__connect"):
        cases += [Case(call, [stream, inet, 16], "connect", "=inet:127.0.0.1:9", result=errno.ECONNREFUSED),
                  Case(call, [datagram, inet, 16], "connect", "=inet:127.0.0.1:9"),
                  Case(call, [local, unix, 22], "connect", "=unix:/tmp/no-such-socket", result=errno.ENOENT),
                  Case(call, [local, abstract, 10], "connect", "=unix:@no-such", result=errno.ECONNREFUSED),
                  Case(call, [{"socket": [socket.AF_INET6, socket.SOCK_DGRAM]}, inet6, 28], "connect", "=inet:::1:9"),
                  Case(call, [datagram, {"bytes": [0] * 16}, 16], "connect", "=family:0")]
    cases += [Case("sendto", [datagram, "x", {"size": 1}, 0, inet, 16], "connect", "=inet:127.0.0.1:9", returns="long"),
              Case("getaddrinfo", ["localhost", None, None, BUF], "connect", "=name:localhost", returns="errno"),
              Case("getaddrinfo", [None, "80", None, BUF], returns="errno"),
              Case("gethostbyname", ["127.0.0.1"], "connect", "=name:127.0.0.1", returns="pointer"),
              Case("gethostbyname2", ["127.0.0.2", socket.AF_INET], "connect", "=name:127.0.0.2", returns="pointer"),
              Case("gethostbyname_r", ["127.0.0.3", BUF, BUF, {"size": 4096}, BUF, BUF], "connect", "=name:127.0.0.3"),
              Case("gethostbyname2_r", ["127.0.0.4", socket.AF_INET, BUF, BUF, {"size": 4096}, BUF, BUF], "connect",
                   "=name:127.0.0.4")]
    return cases


CASES = (open_cases() + temporary_cases() + stat_cases() + link_cases() + directory_cases() + change_cases() +
         environment_cases() + program_cases() + network_cases())


def lay_out(root):
    """One directory per case, all alike."""
    for index in range(len(CASES)):
        case = root / f"c{index}"
        (case / "dir/deep").mkdir(parents=True)
        (case / "empty").mkdir()
        (case / "have").write_text("hello")
        (case / "dir/inner").write_text("inner")
        (case / "dir/deep/x").write_text("x")
        (case / "link").symlink_to("have")
        (case / "dangling").symlink_to("nothing")
        (case / "dir/up").symlink_to("../have")
        for name, text in (("script", "#!/bin/sh\nexit 4\n"), ("headless", "exit 0\n")):
            (case / name).write_text(text)
            (case / name).chmod(0o755)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """(results bare, results recorded, Run, where it ran, identities before)"""
    base = pathlib.Path(os.path.realpath(tmp_path_factory.mktemp("calls")))
    env = {**os.environ, "RECORDER_SET": "some value", "RECORDER_EMPTY": "",
           "PATH": "/nowhere:/etc/passwd:" + "/usr/bin:/bin"}
    for name in [n for n in env if n.startswith(("LC_", "LANG", "TMPDIR"))]:
        del env[name]
    results = []
    for name, prefix in (("bare", []), ("seen", [RECORD_RUN, LIBRARY, base / "events", "--"])):
        root = base / name
        lay_out(root)
        stats = {path: os.lstat(path) for path in map(str, root.rglob("*"))}
        steps = [{"cwd": str(root / f"c{i}"), "call": c.call, "args": c.args, "returns": c.returns, "fork": c.fork}
                 for i, c in enumerate(CASES)]
        (root / "steps.json").write_text(json.dumps(steps))
        done = subprocess.run([*prefix, PYTHON, HERE / "caller.py", root / "steps.json"], env=env, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        assert done.stderr == b""
        results.append(json.loads(done.stdout))
    state, events = read_events(base / "events")
    assert state == "ok"
    return results[0], results[1], Run(done, state, events), root, stats


def expected_text(case, text, where):
    if text is None or isinstance(text, re.Pattern):
        return text
    return text[1:] if text.startswith("=") else f"{where}/{text}"


def matches(expected, text):
    return expected is None or (expected.search(text) if isinstance(expected, re.Pattern) else expected == text)


@pytest.mark.parametrize("index", range(len(CASES)), ids=[f"{i}-{c.id}" for i, c in enumerate(CASES)])
def test_call(runs, index):
    bare, seen, run, root, stats = runs
    case = CASES[index]
    # 1. The program notices nothing.
    assert seen[index] == bare[index]
    if case.result is not None and not case.fields.get("errno_kept") and case.returns != "errno":
        if case.result == 0 and not case.fork:
            assert bare[index][0], f"the test's own assumption: {bare[index]}"
        elif case.result != 0:
            assert bare[index] == [False, case.result], "the test's own assumption"
    # 2. The record tells it.
    where = f"{root}/c{index}"
    if case.kind is None:
        return
    below = f"{where}/{case.fields['below']}" if "below" in case.fields else where
    a, b = expected_text(case, case.a, below), expected_text(case, case.b, where)
    mine = [e for e in run.events if e.kind == case.kind and matches(a, e.a) and matches(b, e.b)
            and case.result in (None, e.result)]
    for field in ("flags", "aux", "size"):
        if field in case.fields and not (field == "aux" and case.result):
            mine = [e for e in mine if getattr(e, field) == case.fields[field]]
    assert mine, (case.kind, a, b, case.result, [e for e in run.events if where in e.a or where in e.b])
    if "identity" in case.fields and case.result == 0:
        of = case.fields["identity"]
        st = stats[f"{where}/{of}"] if of else None
        wanted = (st.st_dev, st.st_ino, st.st_size, st.st_mtime_ns, st.st_mode) if st else (0, 0, 0, 0, 0)
        got = [(e.dev, e.ino, e.size, e.mtime_ns, e.mode) for e in mine]
        assert wanted in got
    for kind, text, result in case.also:
        wanted = expected_text(case, text, where)
        assert [e for e in run.events if e.kind == kind and e.a == wanted and result in (None, e.result)], (kind, wanted)


def test_what_has_nothing_to_tell_is_not_recorded(runs):
    _, _, run, root, _ = runs
    for index, case in enumerate(CASES):
        if case.kind is None and case.call in ("stat", "statx", "fstatat"):
            events = [e for e in run.events if f"{root}/c{index}" in (e.a, e.b) and e.kind == "stat" and e.result != 0]
            assert events == [], case.id


def test_every_hook_is_exercised():
    """A hook without a test would be a guess."""
    symbols = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], capture_output=True, text=True, check=True).stdout
    hooks = {line.split()[2] for line in symbols.splitlines()}
    elsewhere = {
        "fork", "__fork", "_Fork", "dlclose",  # test_processes.py
        "sendmsg", "sendmmsg",  # test_processes.py: they take structures
        "__secure_getenv",  # only old binaries can bind to it
        "pidfd_spawn", "pidfd_spawnp",  # present where libc has them
    }
    assert hooks - {case.call for case in CASES} - elsewhere == set()
    assert {case.call for case in CASES} - hooks == set()
