"""Real compiles, watched by strace and by the recorder at once: what strace saw of the file system and the recorder did
not must belong to a class named in EXCUSES. (pytest tests/recorder/strace_crosscheck.py)

Compared are, per path: opens, stats and accesses, links read, programs tried, names changed; each with its success or
failure. strace -k tells who made each call, so that an excuse is for a caller and not for a path."""
import os
import re
import shutil
import subprocess
from typing import NamedTuple

import pytest


class Seen(NamedTuple):
    pid: int
    call: str    # as strace names it
    path: str    # absolute, tidied
    error: str   # "" for success
    text: str    # the line
    stack: list  # (module, function), the innermost first; filled in by the lines that follow

    def library_frames(self):
        """The functions of libc that the call went through before it came out of libc."""
        names = []
        for module, function in self.stack:
            if not module.startswith("libc.so"):
                break
            names.append(function)
        return names

    def came_from(self):
        """The module that called libc, or made the system call itself."""
        return next((m for m, _ in self.stack if not m.startswith("libc.so")), "")


def within(*functions):
    return lambda s: any(name in functions for name in s.library_frames())


# What the recorder does not note, each with its reason.
EXCUSES = {
    "the dynamic linker makes its own system calls; MAP tells what it loaded, which is part of the programs' identity":
        lambda s: bool(s.stack) and s.stack[0][0].startswith("ld-linux"),
    "the recorder itself: identities before a call, names of descriptors, the program about to be started":
        lambda s: bool(s.stack) and s.library_frames()[:1] == ["syscall"] and s.came_from() == "libkache-record.so",
    "locales, message catalogues and converters are read inside libc; the variables that choose them are recorded":
        within("setlocale", "newlocale", "__newlocale", "bindtextdomain", "textdomain", "gettext", "dgettext", "dcgettext",
               "__dcgettext", "ngettext", "iconv_open", "__gconv_open", "__gconv_get_cache", "nl_langinfo"),
    "realpath looks at every component inside libc; the event has the whole path and what became of it":
        within("realpath", "__realpath_chk", "canonicalize_file_name"),
    "an allocator may not call libc, and asks the kernel about the machine":
        lambda s: s.path.startswith(("/proc/", "/sys/")),
    "libc counts processors and asks about memory inside itself":
        lambda s: within("sysconf", "get_nprocs", "get_nprocs_conf", "pthread_getattr_np", "malloc")(s)
        and s.path.startswith(("/proc/", "/sys/")),
}

KINDS = {
    "open": {"open_read", "open_write", "list_dir", "stat"},
    "openat": {"open_read", "open_write", "list_dir", "stat"},
    "creat": {"open_write"},
    "stat": {"stat", "list_dir"},
    "lstat": {"stat", "list_dir"},
    "newfstatat": {"stat", "list_dir"},
    "statx": {"stat", "list_dir"},
    "access": {"stat"},
    "faccessat": {"stat"},
    "faccessat2": {"stat"},
    "readlink": {"read_link"},
    "readlinkat": {"read_link"},
    "execve": {"exec", "spawn"},
    "execveat": {"exec", "spawn"},
    "rename": {"rename"}, "renameat": {"rename"}, "renameat2": {"rename"},
    "unlink": {"unlink"}, "unlinkat": {"unlink"}, "rmdir": {"unlink"},
    "mkdir": {"make_dir"}, "mkdirat": {"make_dir"},
}


def tidy(path):
    while "/./" in path or "//" in path:
        path = path.replace("/./", "/").replace("//", "/")
    if path.endswith("/."):
        path = path[:-2]
    return path.rstrip("/") or "/"


def unescape(text):
    return text.encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "surrogateescape")


STRING = r'"((?:[^"\\]|\\.)*)"'
LINE = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+)(?:<(.*)>)?(?: (E\w+))?")
FRAME = re.compile(r"^ > (.*?)\((?:([\w.]+)\+0x[0-9a-f]+)?.*?\) \[0x[0-9a-f]+\]$")


def join_unfinished(lines):
    """strace cuts a call in two where another process comes between; its stack follows the second part."""
    pending = {}
    for line in lines:
        cut = re.match(r"^(\d+) +(.*) <unfinished \.\.\.>$", line)
        if cut:
            pending[cut[1]] = cut[2]
            continue
        resumed = re.match(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$", line)
        if resumed and resumed[1] in pending:
            line = f"{resumed[1]} {pending.pop(resumed[1])}{resumed[2]}"
        yield line


def parse_trace(path, cwd):
    """The calls on paths, in order. Working directories are followed through chdir and into children."""
    cwds, seen, last = {}, [], None
    for line in join_unfinished(path.read_text(errors="surrogateescape").splitlines()):
        if line.startswith(" > "):
            frame = FRAME.match(line)
            if last and frame:
                last.stack.append((os.path.basename(frame[1]), frame[2] or ""))
            continue
        match, last = LINE.match(line), None
        if not match:
            continue
        pid, call, args, rc, error = int(match[1]), match[2], match[3], int(match[4]), match[6] or ""
        here = cwds.setdefault(pid, cwd)
        if call in ("fork", "vfork", "clone", "clone3"):
            if rc > 0 and cwds.get(rc, cwd) == cwd:
                cwds[rc] = here
        elif call == "chdir" and rc == 0:
            cwds[pid] = os.path.join(here, unescape(re.match(STRING, args)[1]))
        elif call == "fchdir" and rc == 0:
            cwds[pid] = re.match(r"\d+<(.*?)>", args)[1]
        elif call in KINDS and "AT_EMPTY_PATH" not in args:
            named = re.match(rf"(?:(AT_FDCWD|\d+)(?:<(.*?)>)?, )?{STRING}", args)
            if named and named[3] and error != "EFAULT":
                base = named[2] if named[1] and named[1] != "AT_FDCWD" else here
                last = Seen(pid, call, tidy(os.path.join(base, unescape(named[3]))), error, line, [])
                seen.append(last)
    return seen


def unseen(record, root, command, **more):
    """(calls seen by strace, lines that the recorder missed, calls excused by reason)"""
    trace = root / "trace"
    run = record(command, cwd=root, trace=trace, **more)
    assert run.state == "ok"
    assert run.status == 0, run.stderr.decode()
    known = {}
    for e in run.events:
        for text in (e.a, e.b):
            if text.startswith("/"):
                known.setdefault(tidy(text), set()).add((e.kind, bool(e.result)))

    seen = parse_trace(trace, str(root))
    # The command is started by strace itself; nobody inside could tell.
    first = next(i for i, s in enumerate(seen) if s.call == "execve")
    missing, excused = [], {}
    for s in seen[first + 1:]:
        if any(kind in KINDS[s.call] and failed == bool(s.error) for kind, failed in known.get(s.path, ())):
            continue
        reason = next((why for why, applies in EXCUSES.items() if applies(s)), None)
        if reason:
            excused.setdefault(reason, []).append(s)
        else:
            missing.append(f"{s.text}  [{' < '.join(f'{m}:{f}' for m, f in s.stack[:4])}]")
    return seen[first + 1:], missing, excused


def check(record, root, command, at_least, **more):
    seen, missing, excused = unseen(record, root, command, **more)
    assert all(s.stack for s in seen), "strace -k gave no stacks: nothing could be excused"
    compared = len(seen) - sum(map(len, excused.values()))
    assert compared >= at_least, "too little was compared: the check would prove nothing"
    assert not missing, f"{len(missing)} not recorded:\n" + "\n".join(sorted(set(missing))[:12])


needs = lambda program: pytest.mark.skipif(not shutil.which(program), reason=f"no {program}")

STL = """#include <algorithm>
#include <iostream>
#include <map>
#include <regex>
#include <string>
#include <vector>
#if __has_include("optional-header.h")
#include "optional-header.h"
#endif
#include "present.h"
int main() { std::map<std::string, std::vector<int>> m; m["a"] = {PRESENT}; std::cout << m.size() << std::regex("a").mark_count(); }
"""


@pytest.fixture
def stl(root):
    (root / "include1").mkdir()
    (root / "include2").mkdir()
    (root / "include2/present.h").write_text("#define PRESENT 1\n")
    (root / "main.cc").write_text(STL)
    return root


INCLUDES = ["-I", "include1", "-I", "absent", "-I", "include2"]


@pytest.mark.parametrize("compiler", [pytest.param(c, marks=needs(c)) for c in ("g++", "clang++")])
def test_compile(record, stl, compiler):
    check(record, stl, [compiler, *INCLUDES, "-O1", "-g", "-MMD", "-c", "main.cc", "-o", "main.o"], 500)


def test_compile_with_dwo_and_coverage(record, stl):
    check(record, stl, ["g++", *INCLUDES, "-g", "-gsplit-dwarf", "--coverage", "-save-temps", "-c", "main.cc"], 500)


@pytest.mark.parametrize("linker", [pytest.param(n, marks=needs(f"ld.{n}")) for n in ("bfd", "gold", "lld", "mold")])
@pytest.mark.parametrize("driver", [pytest.param(c, marks=needs(c)) for c in ("g++", "clang++")])
def test_link(record, stl, driver, linker):
    subprocess.run([driver, *INCLUDES, "-c", "main.cc"], cwd=stl, check=True)
    (stl / "lib.c").write_text("int f(void) { return 1; }\n")
    subprocess.run("gcc -c lib.c && ar rc liblocal.a lib.o", shell=True, cwd=stl, check=True)
    check(record, stl, [driver, f"-fuse-ld={linker}", "-Wl,-Map,main.map", "main.o", "-L.", "-Labsent", "-llocal", "-lm",
                        "-o", "main"], 60)


@needs("ld.bfd")
def test_link_time_optimisation(record, stl):
    subprocess.run(["g++", *INCLUDES, "-flto", "-c", "main.cc"], cwd=stl, check=True)
    check(record, stl, ["g++", "-flto=2", "main.o", "-o", "main"], 100)


def rustc():
    """The real one behind a proxy."""
    sysroot = subprocess.run(["rustc", "--print=sysroot"], capture_output=True, text=True).stdout.strip()
    return os.path.join(sysroot, "bin/rustc")


@needs("rustc")
@pytest.mark.parametrize("options", [[], ["-Copt-level=2", "-Cdebuginfo=2", "-Csplit-debuginfo=unpacked"],
                                     ["-Cincremental=inc"], ["-Clinker=clang"]],
                         ids=["plain", "split", "incremental", "clang"])
def test_rust_program(record, root, options):
    (root / "foo").mkdir()
    (root / "foo/mod.rs").write_text("pub const F: &str = include_str!(\"../data.txt\");\n")
    (root / "data.txt").write_text("data\n")
    (root / "main.rs").write_text("mod foo;\nfn main() { println!(\"{} {:?}\", foo::F, option_env!(\"SOME\")); }\n")
    check(record, root, [rustc(), "main.rs", "--emit=dep-info,link", *options], 150)


@needs("rustc")
def test_rust_library_with_a_macro_that_reads(record, root):
    (root / "hidden.txt").write_text("42")
    (root / "mac.rs").write_text("""extern crate proc_macro;
#[proc_macro]
pub fn read(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let text = std::fs::read_to_string("hidden.txt").unwrap();
    let _ = std::env::var("HIDDEN_VARIABLE");
    let _ = std::fs::metadata("hidden-absent");
    let _ = std::fs::read_dir(".").unwrap().count();
    text.parse().unwrap()
}
""")
    (root / "lib.rs").write_text("pub fn f() -> i32 { mac::read!() }\n")
    subprocess.run([rustc(), "mac.rs", "--crate-type=proc-macro"], cwd=root, check=True)
    command = [rustc(), "lib.rs", "--crate-type=lib", "--emit=dep-info,metadata,link", "--extern", "mac=libmac.so", "-L", "."]
    check(record, root, command, 40)
    run = record(command, cwd=root)
    run.one("open_read", f"{root}/hidden.txt", result=0)
    run.one("get_env", "HIDDEN_VARIABLE", result=2)
    assert run.of("stat", f"{root}/hidden-absent", result=2)
    assert run.of("list_dir", f"{root}/.", result=0)
    assert any(e.a == f"{root}/libmac.so" for e in run.of("map"))


def test_the_check_can_fail(record, root):
    """A program that opens by a bare system call is what a missing hook looks like."""
    (root / "raw.c").write_text('#include <fcntl.h>\n#include <sys/syscall.h>\n#include <unistd.h>\nint main(void) {'
                                'syscall(SYS_openat, AT_FDCWD, "raw-absent", O_RDONLY); return 0; }\n')
    subprocess.run(["gcc", "raw.c", "-o", "raw"], cwd=root, check=True)
    _, missing, _ = unseen(record, root, ["./raw"])
    assert len(missing) == 1 and "raw-absent" in missing[0]
