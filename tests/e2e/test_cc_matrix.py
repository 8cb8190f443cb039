"""The mutation matrix for C and C++: one kind of input a row. A fresh compile with an empty cache decides what the right bytes,
messages and exit status are; what comes through the cache has to be the same, and what changes them has to be compiled."""
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from laboratory import KACHE, link, program, same_size_and_time, unequal, write, write_tree

OBJECT = ["-c", "a.c", "-o", "out/a.o"]
DEBUG = ["-g", *OBJECT]


def append(name, text):
    def make(work):
        with open(work / name, "a") as file:
            file.write(text)
    return make


def copy_of(program, name):
    """A program or library of this system, with its links followed."""
    def make(work):
        (work / name).parent.mkdir(exist_ok=True)
        shutil.copy(os.path.realpath(shutil.which(program) or program), work / name)
    return make


def script(name, text):
    return program(name, "#!/bin/sh\n" + text)


def run(*command):
    return lambda work: subprocess.run(command, cwd=work, check=True, capture_output=True)


def all_of(*steps):
    return lambda work: [step(work) for step in steps]


def nothing(work):
    pass


def row(files, mutate=nothing, args=OBJECT, env=None, then=None, more=None, compiled=True, only=None, before=nothing, after=None, tool=None):
    """`env` holds before the change, `then` after it; `after` are the arguments after it, `more` are added to them."""
    return {"files": files, "mutate": mutate, "args": args, "env": env or {}, "then": (env or {}) if then is None else then,
            "after": (after or args) + (more or []), "compiled": compiled, "only": only, "before": before, "tool": tool}


A = {"a.c": "int a(void) { return 1; }\n"}
H = {"a.c": '#include "h.h"\nint a(void) { return H; }\n', "inc/h.h": "#define H 1\n"}
INC = ["-Iinc", *OBJECT]
HAS = {"a.c": '#if __has_include("opt.h")\n#include "opt.h"\n#else\n#define O 0\n#endif\nint a(void) { return O; }\n', "inc/opt.h": "#define O 5\n"}
WARNS = {"a.c": "int a(void) { int unused = 1; return 0; }\n"}
BLOB = {"a.c": 'asm(".data\\n.incbin \\"blob\\"\\n");\n', "blob": "one"}
SPLIT_BLOB = {"a.c": 'asm(".data\\n.inc" "bin \\"blob\\"\\n");\n', "blob": "one"}
LINK = {"a.c": "int f(void);\nint main(void) { return f(); }\n", "f.c": "int f(void) { return 0; }\n", "g.c": "int f(void) { return 7; }\n"}
CC1 = subprocess.run(["gcc", "-print-prog-name=cc1"], capture_output=True, text=True).stdout.strip()
ISL = next((word for word in subprocess.run(["ldd", CC1], capture_output=True, text=True).stdout.split() if word.startswith("/") and "libisl" in word), "/libisl.so")
TRIPLE = subprocess.run(["gcc", "-dumpmachine"], capture_output=True, text=True).stdout.strip()
MAKE_A_AND_F = all_of(run("gcc", "-c", "a.c", "-o", "a.o"), run("gcc", "-c", "f.c", "-o", "f.o"), run("ar", "crsD", "libf.a", "f.o"))
PROGRAM = ["a.o", "f.o", "-o", "out/prog"]
LIBRARY = ["a.o", "-L.", "-lf", "-o", "out/prog"]
CHANGE_F = all_of(run("gcc", "-c", "g.c", "-o", "f.o"), run("ar", "crsD", "libf.a", "f.o"))

COUNTED = {"a.c": "int one(int x) { return x * 3; }\nint main(int argc, char **argv) {\n  int s = 0;\n"
                  "  for (int i = 0; i < 1000; i++) { if (argc > 1) { s += one(s) + i; if (s & 64) s ^= i * 7; } else s -= i; }\n  return s == 12345;\n}\n"}
PROFILED = ["-O2", "-fprofile-use=p", "-Wmissing-profile", *OBJECT]
PROFILED_BY_CLANG = ["-O2", "-fprofile-use=p/a.profdata", *OBJECT]
# gcc names the counts after the place of the object.
COUNTING = all_of(run("mkdir", "-p", "p", "out"), run("gcc", "-O2", "-fprofile-generate=p", "-c", "a.c", "-o", "out/a.o"),
                  run("gcc", "-fprofile-generate", "out/a.o", "-o", "prog"))
COUNTING_BY_CLANG = all_of(run("mkdir", "-p", "p"), run("clang", "-O2", "-fprofile-instr-generate=p/raw", "a.c", "-o", "prog"))


def count(*words):
    """Runs the program and leaves its counts; with words it takes another branch."""
    return all_of(run("sh", "-c", "rm -f p/*.gcda"), run("./prog", *words))


def count_by_clang(*words):
    return all_of(run("./prog", *words), run("llvm-profdata", "merge", "p/raw", "-o", "p/a.profdata"))


# gcc and clang both take it; what it does is to say something.
PLUGIN = {**A, "plugin.c": "#include <string.h>\n#include <unistd.h>\nint plugin_is_GPL_compatible;\nint plugin_init(void *a, void *b) { return 0; }\n"
                           "__attribute__((constructor)) static void say(void) { if (write(2, SAYS, strlen(SAYS)) < 0) _exit(1); }\n"}


def plugin(says):
    return run("gcc", "-shared", "-fPIC", f'-DSAYS="{says}\\n"', "plugin.c", "-o", "plugin.so")


MATRIX = {
    # Sources and headers.
    "a source": row(A, write("a.c", "int a(void) { return 2; }\n")),
    "a source of the same size and time": row(A, same_size_and_time("a.c", "int a(void) { return 2; }\n")),
    "a touched source": row(A, lambda work: os.utime(work / "a.c"), compiled=False),
    "a source written again": row(A, write("a.c", A["a.c"]), compiled=False),
    "a header": row(H, write("inc/h.h", "#define H 2\n"), INC),
    "a header back-dated": row(H, all_of(write("inc/h.h", "#define H 2\n"), lambda work: os.utime(work / "inc/h.h", (1, 1))), INC),
    "a header renamed over": row(H, lambda work: all_of(write("new", "#define H 2\n"), lambda w: os.rename(w / "new", w / "inc/h.h"))(work), INC),
    "a header that nobody includes": row({**H, "inc/other.h": ""}, write("inc/other.h", "#error\n"), INC, compiled=False),
    "a header behind a symlink": row({"a.c": H["a.c"], "inc/one.h": "#define H 1\n", "inc/two.h": "#define H 2\n"}, link("inc/h.h", "two.h"), INC,
                                     before=link("inc/h.h", "one.h")),
    "a blank line under -g": row(A, write("a.c", "\n" + A["a.c"]), DEBUG),
    "a comment of another length under -g": row({"a.c": "/* x */ int a(void) { return 1; }\n"}, write("a.c", "/* xyz */ int a(void) { return 1; }\n"), DEBUG),
    "a header that is renamed": row({"a.c": '#include NAME\nint a(void) { return H; }\n', "inc/h.h": "#define H 1\n", "inc/i.h": "#define H 1\n"},
                                    args=["-DNAME=\"h.h\"", "-g", *INC, "-MD"], after=["-DNAME=\"i.h\"", "-g", *INC, "-MD"]),
    "the name of the source": row({**A, "b.c": A["a.c"]}, args=["-g", "-c", "a.c", "-o", "out/a.o"], after=["-g", "-c", "b.c", "-o", "out/a.o"]),
    "an unrelated file": row(A, write("z.c", ""), compiled=False),
    # What must stay absent.
    "a header that shadows another": row({"a.c": H["a.c"], "second/h.h": "#define H 1\n", "first/x": ""}, write("first/h.h", "#define H 2\n"),
                                         ["-Ifirst", "-Isecond", *OBJECT]),
    "a header beside the source": row(H, write("h.h", "#define H 2\n"), INC),
    "a directory that shadows": row({"a.c": '#include <sub/h.h>\nint a(void) { return H; }\n', "second/sub/h.h": "#define H 1\n", "first/x": ""},
                                    write("first/sub/h.h", "#define H 2\n"), ["-Ifirst", "-Isecond", *OBJECT]),
    "a search directory appears": row({"a.c": H["a.c"], "second/h.h": "#define H 1\n"}, write("first/h.h", "#define H 2\n"),
                                      ["-Ifirst", "-Isecond", *OBJECT]),
    # Both compilers ask first which search directories there are.
    "a search directory without it appears": row({"a.c": H["a.c"], "second/h.h": "#define H 1\n"}, write("first/other.h", "#define H 2\n"),
                                                 ["-Ifirst", "-Isecond", *OBJECT]),
    "an optional header appears": row({"a.c": HAS["a.c"], "inc/x": ""}, write("inc/opt.h", HAS["inc/opt.h"]), INC),
    "an optional header goes": row(HAS, lambda work: (work / "inc/opt.h").unlink(), INC),
    "stdc-predef.h appears": row({**H}, write("inc/stdc-predef.h", "#define H 9\n#undef H\n"), INC, only="gcc"),
    "a precompiled header appears": row({"a.c": "int a(void) { return H; }\n", "p.h": "#define H 1\n"},
                                        run("gcc", "-DH=4", "-x", "c-header", "/dev/null", "-o", "p.h.gch"), ["-include", "p.h", *OBJECT], only="gcc"),
    "a precompiled header is remade": row({"a.c": "int a(void) { return H; }\n", "p.h": "#define H 1\n", "q.h": "#define H 2\n"},
                                          run("gcc", "-x", "c-header", "q.h", "-o", "p.h.gch"), ["-include", "p.h", *OBJECT],
                                          before=run("gcc", "-x", "c-header", "p.h", "-o", "p.h.gch"), only="gcc"),
    "a stale precompiled header counts": row({"a.c": "int a(void) { return H; }\n", "p.h": "#define H 1\n"}, write("p.h", "#define H 2\n"),
                                             ["-include", "p.h", *OBJECT], before=run("gcc", "-x", "c-header", "p.h", "-o", "p.h.gch"), only="gcc",
                                             compiled=False),
    "include_next": row({"a.c": '#include "h.h"\nint a(void) { return H; }\n', "one/h.h": "#include_next <h.h>\n", "two/h.h": "#define H 1\n"},
                        write("two/h.h", "#define H 2\n"), ["-Ione", "-Itwo", *OBJECT]),
    # Files that no directive names.
    "incbin": row(BLOB, write("blob", "two"), only="gcc"),
    "incbin in pieces": row(SPLIT_BLOB, write("blob", "two")),
    "incbin of clang": row(BLOB, write("blob", "two"), only="clang"),
    "a plugin": row(PLUGIN, plugin("two"), ["-fplugin=./plugin.so", *OBJECT], before=plugin("one")),
    "a plugin that is named absolutely": row(PLUGIN, plugin("two"), ["-fplugin={work}/plugin.so", *OBJECT], before=plugin("one")),
    "a plugin that is made again": row(PLUGIN, plugin("one"), ["-fplugin=./plugin.so", *OBJECT], before=plugin("one"), compiled=False),
    "a plugin by -Xclang": row(PLUGIN, plugin("two"), ["-Xclang", "-load", "-Xclang", "./plugin.so", *OBJECT], before=plugin("one"), only="clang"),
    "a profile": row(COUNTED, count("x"), PROFILED, before=all_of(COUNTING, count()), only="gcc"),
    "a profile appears": row(COUNTED, count(), PROFILED, before=COUNTING, only="gcc"),
    "a profile that says the same": row(COUNTED, count(), PROFILED, before=all_of(COUNTING, count()), only="gcc", compiled=False),
    "a profile of clang": row(COUNTED, count_by_clang("x"), PROFILED_BY_CLANG, before=all_of(COUNTING_BY_CLANG, count_by_clang()), only="clang"),
    "a list of the sanitizer": row({**A, "list": "fun:none\n"}, write("list", "fun:a\n"),
                                   ["-fsanitize=address", "-fsanitize-blacklist=list", *OBJECT], only="clang"),
    "a list of the coverage": row({**A, "list": "src:*\nfun:*\n"}, write("list", "src:*\nfun:none\n"),
                                  ["-fsanitize-coverage=trace-pc-guard", "-fsanitize-coverage-allowlist=list", *OBJECT], only="clang"),
    "specs": row({**A, "s": "*cc1_options:\n+ -DX=1\n"}, write("s", "*cc1_options:\n+ -O2\n"), ["-specs=s", *OBJECT], only="gcc"),
    "a configuration file": row({**A, "c.cfg": "-O0\n"}, write("c.cfg", "-O2\n"), ["--config", "./c.cfg", *OBJECT], only="clang"),
    "a response file": row({**A, "r": "-O0"}, write("r", "-O2 -g"), ["@r", *OBJECT]),
    "a response file says the same": row({**A, "r": "-O0"}, write("r", " '-O0' \n"), ["@r", *OBJECT], compiled=False),
    "a module map of the file system": row({**A, "map.yaml": "{ 'version': 0, 'roots': [] }\n"},
                                           write("map.yaml", "{ 'version': 0, 'roots': [], 'case-sensitive': 'true' }\n"),
                                           ["-ivfsoverlay", "map.yaml", *OBJECT], only="clang"),
    # Flags.
    "a level of optimisation": row(A, more=["-O2"]),
    "a definition": row({"a.c": "int a(void) { return X; }\n"}, args=["-DX=1", *OBJECT], after=["-DX=2", *OBJECT]),
    "the order of definitions": row({"a.c": "int a(void) { return X; }\n"}, args=["-UX", "-DX=1", *OBJECT], after=["-DX=1", "-UX", "-DX=2", *OBJECT]),
    "an unknown switch": row(A, more=["-fno-tree-vectorize"]),
    "one letter of a switch": row({"a.c": "extern int x;\nint a(void) { return x; }\n"}, args=["-fpic", *OBJECT], after=["-fPIC", *OBJECT]),
    "the value of a switch, in a word of its own": row(A, args=["--param", "ssp-buffer-size=4", *OBJECT], after=["--param", "ssp-buffer-size=8", *OBJECT]),
    "warnings that are asked for and switched off": row(WARNS, args=["-Wall", *OBJECT], after=["-Wall", "-w", *OBJECT]),
    "the new side of a prefix map": row(A, args=["-fdebug-prefix-map={work}=AAA", *DEBUG], after=["-fdebug-prefix-map={work}=BBB", *DEBUG]),
    "the new side of a map of macros": row({"a.c": "const char *f = __FILE__;\n"}, args=["-fmacro-prefix-map={work}=AAA", "-c", "{work}/a.c", "-o", "out/a.o"],
                                           after=["-fmacro-prefix-map={work}=BBB", "-c", "{work}/a.c", "-o", "out/a.o"]),
    "a map of the environment": row(A, args=["-fdebug-prefix-map=OUT=AAA", *DEBUG], after=["-fdebug-prefix-map=OUT=BBB", *DEBUG]),
    "warnings that are errors": row(WARNS, args=["-Wall", *OBJECT], after=["-Wall", "-Werror", *OBJECT]),
    "more warnings": row(WARNS, more=["-Wall"]),
    "colours": row(WARNS, args=["-Wall", *OBJECT], after=["-Wall", "-fdiagnostics-color=always", *OBJECT]),
    "an assembler's switch": row({"a.S": ".text\n"}, args=["-c", "a.S", "-o", "out/a.o"], after=["-c", "a.S", "-Wa,--noexecstack", "-o", "out/a.o"]),
    "words for the preprocessor": row({"a.c": "int a(void) { return X; }\n"}, args=["-Wp,-DX=1", *OBJECT], after=["-Wp,-DX=2", *OBJECT]),
    "the language": row({"a.c": "int a(void) { return sizeof('a'); }\n"}, args=OBJECT, after=["-x", "c++", *OBJECT]),
    "the target of the depfile": row(H, args=["-MD", "-MT", "one", *INC], after=["-MD", "-MT", "two", *INC], compiled=False),
    "the place of the object": row(H, args=["-MD", *INC], after=["-MD", "-Iinc", "-c", "a.c", "-o", "out/other.o"], compiled=False),
    "the place of an object that says it": row(A, args=["-g", "-gsplit-dwarf", *OBJECT], after=["-g", "-gsplit-dwarf", "-c", "a.c", "-o", "out/other.o"]),
    "the place of a covered object": row(A, args=["--coverage", *OBJECT], after=["--coverage", "-c", "a.c", "-o", "out/other.o"], only="clang"),  # gcc's notes hold a random number
    "the place of the depfile": row(H, args=["-MD", "-MF", "out/x", *INC], after=["-MD", "-MF", "out/y", *INC], compiled=False),
    # The environment.
    "CPATH": row({"a.c": H["a.c"], "one/h.h": "#define H 1\n", "two/h.h": "#define H 2\n"}, env={"CPATH": "one"}, then={"CPATH": "two"}),
    "C_INCLUDE_PATH appears": row({**H, "two/stdio.h": "#error found\n", "a.c": '#include <stdio.h>\nint a(void) { return 1; }\n'}, then={"C_INCLUDE_PATH": "two"}),
    "an unrelated variable": row(A, then={"WORD": "x"}, compiled=False),
    "a language of messages that nobody sees": row(A, then={"LC_ALL": "C"}, compiled=False),
    "a language of messages": row(WARNS, args=["-Wall", *OBJECT], then={"LC_ALL": "C"}, only="gcc"),
    "a language of messages that are in none": row(WARNS, args=["-Wall", *OBJECT], then={"LC_ALL": "C"}, only="clang", compiled=False),
    "COMPILER_PATH": row(A, env={}, then={"COMPILER_PATH": "{work}/bin"}, before=all_of(write("bin/as", "#!/bin/sh\nexec /usr/bin/as --keep-locals \"$@\"\n"), run("chmod", "+x", "bin/as")), only="gcc"),
    "the time, fixed": row({"a.c": "const char *t = __DATE__;\n"}, env={"SOURCE_DATE_EPOCH": "0"}, then={"SOURCE_DATE_EPOCH": "86400"}, only="gcc"),
    # Newer clangs look at it before they know, and fail where it is no number: there any change of it counts.
    "a time that nobody uses": row(A, env={"SOURCE_DATE_EPOCH": "0"}, then={"SOURCE_DATE_EPOCH": "86400"}, compiled=False, only="gcc"),
    # Tools.
    "another assembler first on PATH": row(A, all_of(write("bin/as", "#!/bin/sh\nexec /usr/bin/as --keep-locals \"$@\"\n"), run("chmod", "+x", "bin/as")),
                                           env={"PATH": "{work}/bin:/usr/bin:/bin"}, only="gcc", before=lambda work: (work / "bin").mkdir()),
    "another linker first on PATH": row(LINK, all_of(write("bin/ld", "#!/bin/sh\nexec /usr/bin/ld -s \"$@\"\n"), run("chmod", "+x", "bin/ld")), PROGRAM,
                                        env={"PATH": "{work}/bin:/usr/bin:/bin"}, before=all_of(MAKE_A_AND_F, lambda work: (work / "bin").mkdir()), only="gcc"),
    "an assembler of another content": row(A, script("bin/as", "exec /usr/bin/as --keep-locals \"$@\"\n"), ["-Bbin/", *OBJECT], only="gcc",
                                           before=script("bin/as", "exec /usr/bin/as \"$@\"\n")),
    "the compiler behind the driver": row({"a.c": "int a(int x) { return x + 1; }\n"}, script("bin/cc1", f"exec {CC1} -O2 \"$@\"\n"), ["-Bbin/", *OBJECT], only="gcc",
                                          before=script("bin/cc1", f"exec {CC1} \"$@\"\n")),
    "a library of the compiler": row(A, append(f"lib/{os.path.basename(ISL)}", "x"), env={"LD_LIBRARY_PATH": "{work}/lib"}, only="gcc",
                                     before=copy_of(ISL, f"lib/{os.path.basename(ISL)}")),
    "the driver, with one version": row(A, append("bin/clang", "x"), env={"PATH": "{work}/bin:/usr/bin:/bin"}, only="clang", before=copy_of("clang", "bin/clang")),
    "a gcc that clang discovers": row(A, write(f"gt/lib/gcc/{TRIPLE}/12/crtbegin.o", ""), ["--gcc-toolchain=gt", *OBJECT], only="clang",
                                      before=lambda work: (work / f"gt/lib/gcc/{TRIPLE}").mkdir(parents=True)),
    "a compiler that is changed": row(A, script("bin/cc", "exec /usr/bin/gcc -O2 \"$@\"\n"), before=script("bin/cc", "exec /usr/bin/gcc \"$@\"\n"), tool="bin/cc"),
    # Links and archives.
    "an object": row(LINK, CHANGE_F, PROGRAM, before=MAKE_A_AND_F),
    "a library": row(LINK, CHANGE_F, LIBRARY, before=MAKE_A_AND_F),
    "a shared library before a static one": row(LINK, run("gcc", "-shared", "-fPIC", "g.c", "-o", "libf.so"), LIBRARY, before=MAKE_A_AND_F),
    "a library in a directory that is searched first": row(LINK, lambda work: all_of(run("mkdir", "first"), run("gcc", "-c", "g.c", "-o", "first/f.o"),
                                                                                     run("ar", "crsD", "first/libf.a", "first/f.o"))(work),
                                                           ["a.o", "-Lfirst", "-L.", "-lf", "-o", "out/prog"], before=MAKE_A_AND_F),
    "a linker script": row({**LINK, "ld.t": "PROVIDE(extra = 1);\n"}, write("ld.t", "extra = 2;\n"), [*PROGRAM, "ld.t"], before=MAKE_A_AND_F),
    "the order of objects": row(LINK, before=MAKE_A_AND_F, args=["a.o", "f.o", "-o", "out/prog"], after=["f.o", "a.o", "-o", "out/prog"]),
    "LIBRARY_PATH": row(LINK, env={"LIBRARY_PATH": "."}, then={"LIBRARY_PATH": "{work}/second"}, args=["a.o", "-lf", "-o", "out/prog"],
                        before=all_of(MAKE_A_AND_F, run("mkdir", "second"), run("gcc", "-c", "g.c", "-o", "second/f.o"), run("ar", "crsD", "second/libf.a", "second/f.o"))),
    "a member": row(LINK, CHANGE_F, ["crs", "out/lib.a", "a.o", "f.o"], before=MAKE_A_AND_F, tool="ar"),
    "the order of members": row(LINK, before=MAKE_A_AND_F, args=["crs", "out/lib.a", "a.o", "f.o"], after=["crs", "out/lib.a", "f.o", "a.o"], tool="ar"),
}


class Bench:
    def __init__(self, lab, case, compiler):
        self.lab, self.case, self.compiler, self.work = lab, case, compiler, lab.root / "work"
        write_tree(self.work, case["files"])
        case["before"](self.work)
        time.sleep(0.02)

    def run(self, args, env, cache):
        fill = lambda text: text.replace("{work}", str(self.work))
        env = {name: fill(value) for name, value in env.items()}
        tool = self.case["tool"] or self.compiler
        left = self.lab.run(self.work, tool, *map(fill, args), KACHE_CACHE_DIR=str(cache), **env)
        return left, self.lab.event(cache)


@pytest.mark.hits
@pytest.mark.parametrize("name,compiler", [(name, compiler) for name, case in MATRIX.items() for compiler in ("gcc", "clang")
                                           if case["only"] in (None, compiler) and not (case["tool"] and compiler == "clang")])
def test_a_change_of(lab, name, compiler):
    case = MATRIX[name]
    bench = Bench(lab, case, compiler)
    first, event = bench.run(case["args"], case["env"], lab.cache)
    if first[0] != 0:
        pytest.skip(first[2].decode()[-300:])
    assert event["result"] == "miss" and "passthrough_reason" not in event, event
    again, event = bench.run(case["args"], case["env"], lab.cache)
    assert event["result"] == "local_hit" and again == first, event
    case["mutate"](bench.work)
    time.sleep(0.02)
    cached, event = bench.run(case["after"], case["then"], lab.cache)
    fresh, _ = bench.run(case["after"], case["then"], lab.root / "empty")
    assert cached[:3] == fresh[:3], (cached[:3], fresh[:3])
    assert unequal(fresh, cached) == []
    assert (event["result"] != "local_hit") == case["compiled"], event
    if event["result"] == "miss" and "passthrough_reason" not in event:
        _, event = bench.run(case["after"], case["then"], lab.cache)
        assert event["result"] == "local_hit", event


def object_of(lab, work, command, cache):
    """The bytes of one compile through this cache."""
    (work / "a.o").unlink(missing_ok=True)
    result = subprocess.run([KACHE, *command], cwd=work, env=lab.env(KACHE_CACHE_DIR=str(cache)), capture_output=True)
    assert result.returncode == 0, result.stderr
    return (work / "a.o").read_bytes()


@pytest.mark.hits
@pytest.mark.parametrize("command,files", [
    (["gcc", "-Bbin/", "-c", "a.c", "-o", "a.o"], ("bin/as", "#!/bin/sh\nexec /usr/bin/as \"$@\"\n", "#!/bin/sh\nexec /usr/bin/as --keep-locals \"$@\"\n")),
    (["clang", "--config", "./c.cfg", "-c", "a.c", "-o", "a.o"], ("c.cfg", "-O0\n", "-O2\n")),
    (["clang", "--sysroot=root", "-c", "a.c", "-o", "a.o"], ("root/usr/include/h.h", "#define H 1\n", "#define H 2\n")),
])
def test_a_relative_name_is_another_file_elsewhere(lab, command, files):
    name, one, two = files
    sources = {"Makefile": "", "a.c": '#if __has_include(<h.h>)\n#include <h.h>\n#else\n#define H 0\n#endif\nint a(int x) { return x + H; }\n'}
    results = []
    for place, text in (("one", one), ("same", one), ("other", two)):
        work = write_tree(lab.root / place, {**sources, name: text})
        (work / name).chmod(0o755)
        time.sleep(0.02)
        cached = object_of(lab, work, command, lab.cache)
        results.append(lab.events()[-1]["result"])
        assert cached == object_of(lab, work, command, lab.root / f"empty-{place}")
    assert results == ["miss", "local_hit", "miss"]


def is_running(script):
    for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if os.fsencode(script) in process.read_bytes().split(b"\0"):
                return True
        except OSError:
            pass
    return False


@pytest.mark.parametrize("compiler", [["gcc"], ["clang", "-fno-integrated-as"]])
def test_a_header_that_is_written_meanwhile(lab, compiler):
    """After the compiler has read it and before the assembler ends."""
    work = write_tree(lab.root / "work", {**H, "bin/as": "#!/bin/sh\nsleep 1\nexec /usr/bin/as \"$@\"\n"})
    (work / "bin/as").chmod(0o755)
    time.sleep(0.02)
    command = [KACHE, *compiler, f"-B{work}/bin/", "-Iinc", "-c", "a.c", "-o", "a.o"]
    process = subprocess.Popen(command, cwd=work, env=lab.env())
    deadline = time.monotonic() + 30
    while not is_running(work / "bin/as"):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    (work / "inc/h.h").write_text("#define H 2\n")
    assert process.wait() == 0
    assert "input changed" in lab.events()[-1]["passthrough_reason"], lab.events()[-1]
    first = (work / "a.o").read_bytes()
    time.sleep(0.02)
    assert object_of(lab, work, command[1:], lab.cache) != first and lab.events()[-1]["result"] == "miss"
