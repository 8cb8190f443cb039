"""Every shape of a C or C++ compile, a link and an archive: what comes from the cache is what the compiler alone would have left,
each file, each message; or the shape is refused, with a reason, and nothing is lost."""
import os
import subprocess
import time

import pytest

from laboratory import unequal, write_tree

FILES = {
    "a.c": '#include "h.h"\n#include <stdio.h>\nint add(int x) { return x + H; }\nint warns(void) { int unused = 1; return H; }\n',
    "b.c": '#include "h.h"\nint twice(int x) { return 2 * x * H; }\n',
    "main.c": '#include <stdio.h>\nint add(int);\nint main(void) { printf("%d\\n", add(41)); return 0; }\n',
    "x.cc": '#include <vector>\n#include "h.h"\nint sum(const std::vector<int>& v) { int s = H; for (int i : v) s += i; return s; }\n'
            "int main() { return sum({1, 2}) == 4 ? 0 : 1; }\n",
    "inc/h.h": "#define H 1\n",
    "inc/sp ace/o#d$d.h": "#define ODD 3\n",
    "odd.c": '#include "sp ace/o#d$d.h"\nint odd(void) { return ODD; }\n',
    "s.s": ".text\n.globl s\ns:\n ret\n",
    "t.S": '#include "h.h"\n.text\n.globl t\nt:\n mov $H, %eax\n ret\n',
    "blob.s": '.data\n.incbin "blob.bin"\n',
    "blob.bin": "bytes",
    "m.m": '#include "h.h"\nint objc(void) { return H; }\n',
    "p.h": '#include "h.h"\n#include <stdio.h>\nstatic inline int from_header(void) { return H; }\n',
    "words": "-Iinc -c 'a.c' -o \"out/a.o\"\n",
    "more": "@words -O1",
    "exports": "{ global: add; local: *; };\n",
}


def shape(*args, only=None, refused=None, steps=(), env=None, after=None, tool=None):
    """`only`: the one compiler that has it. `refused`: part of the reason. `steps` run before, without kache. `after`: run at the end."""
    return {"args": list(args), "only": only, "refused": refused, "steps": steps, "env": env or {}, "after": after, "tool": tool}


def compile_(*args, **rest):
    return shape("-Iinc", "-c", "a.c", "-o", "out/a.o", *args, **rest)


OBJECTS = (["{cc}", "-Iinc", "-c", "a.c", "-o", "a.o"], ["{cc}", "-Iinc", "-c", "b.c", "-o", "b.o"], ["{cc}", "-c", "main.c", "-o", "main.o"])
SHAPES = {
    "object": compile_(),
    "optimised": compile_("-O2", "-fPIC"),
    "warnings": compile_("-Wall", "-Wextra"),
    "warnings in colour": compile_("-Wall", "-fdiagnostics-color=always"),
    "errors that are warnings": compile_("-Wall", "-Werror", "-Wno-error=unused-variable"),
    "debug information": compile_("-g"),
    "debug information with macros": compile_("-g3", "-O1"),
    "debug information, split": compile_("-g", "-gsplit-dwarf"),
    "debug information, compressed": compile_("-g", "-gz"),
    "no output named": shape("-Iinc", "-c", "../a.c", "-I../inc"),
    "an odd suffix": shape("-Iinc", "-c", "a.c", "-o", "out/a.os"),
    "no suffix": shape("-Iinc", "-c", "a.c", "-o", "out/object"),
    "joined -o": shape("-Iinc", "-c", "a.c", "-oout/a.o"),
    "c++": shape("-Iinc", "-c", "x.cc", "-o", "out/x.o"),
    "c++ by -x": shape("-x", "c++", "-Iinc", "-c", "b.c", "-o", "out/b.o"),
    "objective c": shape("-Iinc", "-c", "m.m", "-o", "out/m.o", only="clang"),
    "assembler": shape("-c", "s.s", "-o", "out/s.o"),
    "assembler with cpp": shape("-Iinc", "-c", "t.S", "-o", "out/t.o"),
    "assembler with debug information": shape("-g", "-Iinc", "-c", "t.S", "-o", "out/t.o"),
    "incbin": shape("-c", "blob.s", "-o", "out/blob.o"),
    "to assembler": shape("-Iinc", "-S", "a.c", "-o", "out/a.s"),
    "to assembler, no name": shape("-I../inc", "-S", "../a.c"),
    "preprocessed to a file": shape("-Iinc", "-E", "a.c", "-o", "out/a.i"),
    "syntax only": shape("-Iinc", "-fsyntax-only", "-Wall", "a.c"),
    "pipe": compile_("-pipe"),
    "forced include": shape("-include", "inc/h.h", "-Iinc", "-c", "a.c", "-o", "out/a.o"),
    "response file": shape("@words"),
    "response file in a response file": shape("@more", "-Wall"),
    "depfile": compile_("-MD"),
    "depfile of the user's headers": compile_("-MMD"),
    "depfile named": compile_("-MD", "-MF", "out/named.dep"),
    "depfile named, joined": compile_("-MMD", "-MFout/named.d"),
    "depfile with phony targets": compile_("-MD", "-MP"),
    "depfile with targets": compile_("-MD", "-MT", "one two", "-MQ", "th$ree x", "-MT", "four"),
    "depfile by words": compile_("-Wp,-MD,out/words.d"),
    "depfile by words, user headers": compile_("-Wp,-MMD,out/words.d"),
    "depfile of odd names": shape("-Iinc", "-MD", "-c", "odd.c", "-o", "out/o d.o"),
    "depfile of the system": shape("-Iinc", "-MD", "-MP", "-c", "x.cc", "-o", "out/a-very-long-name-for-an-object-file-that-makes-lines-fold.o"),
    "depfile without an object": shape("-Iinc", "-fsyntax-only", "-MD", "-MF", "out/s.d", "a.c"),
    "coverage": compile_("--coverage"),
    "coverage by parts": compile_("-fprofile-arcs", "-ftest-coverage"),
    "stack usage": compile_("-fstack-usage"),
    "call graph": compile_("-fcallgraph-info", only="gcc"),
    "dumps": compile_("-fdump-tree-original", only="gcc"),
    "temporary files kept": compile_("-save-temps=obj"),
    "temporary files kept here": shape("-I../inc", "-c", "../a.c", "-o", "a.o", "-save-temps"),
    "assembler listing": compile_("-Wa,-a=out/a.lst", only="gcc"),
    "serialised diagnostics": compile_("--serialize-diagnostics", "out/a.dia", "-Wall", only="clang"),
    "optimisation record": compile_("-O2", "-fsave-optimization-record"),
    "optimisation record named": compile_("-O2", "-fsave-optimization-record", "-foptimization-record-file=out/r.yaml", only="clang"),
    "time trace": compile_("-ftime-trace", only="clang"),
    "link time optimisation": compile_("-flto"),
    "thin link time optimisation": compile_("-flto=thin", only="clang"),
    "profile made": compile_("-fprofile-generate"),
    "address sanitizer": compile_("-fsanitize=address", "-g"),
    "undefined sanitizer": compile_("-fsanitize=undefined"),
    "native cpu": compile_("-march=native", "-O2"),
    "sections and visibility": compile_("-ffunction-sections", "-fdata-sections", "-fvisibility=hidden"),
    "record of switches": compile_("-frecord-gcc-switches"),
    "an unknown switch": compile_("-fno-such-thing-as-this", "-Wno-unknown-warning-option"),
    "precompiled header": shape("-Iinc", "-x", "c-header", "p.h", "-o", "out/p.h.gch", only="clang"),
    "precompiled header used": shape("-Iinc", "-Ipch", "-include", "p.h", "-c", "a.c", "-o", "out/a.o", only="gcc",
                                     steps=(["mkdir", "pch"], ["gcc", "-Iinc", "-x", "c-header", "p.h", "-o", "pch/p.h.gch"])),
    "precompiled header used, clang": shape("-Iinc", "-include-pch", "p.pch", "-c", "a.c", "-o", "out/a.o", only="clang",
                                            steps=(["clang", "-Iinc", "-x", "c-header", "p.h", "-o", "p.pch"],)),
    "program": shape("a.o", "main.o", "-o", "out/prog", steps=OBJECTS, after=["out/prog"]),
    "program, compiled and linked": shape("-Iinc", "a.c", "main.c", "-o", "out/prog", after=["out/prog"]),
    "program with debug information": shape("-g", "-Iinc", "a.c", "main.c", "-o", "out/prog", after=["out/prog"]),
    "program without a name": shape("../a.o", "../main.o", steps=OBJECTS),
    "program with a map": shape("a.o", "main.o", "-Wl,-Map=out/prog.map", "-o", "out/prog", steps=OBJECTS),
    "program with a map, apart": shape("a.o", "main.o", "-Wl,-Map,out/prog.map", "-o", "out/prog", steps=OBJECTS),
    "static program": shape("-static", "a.o", "main.o", "-o", "out/prog", steps=OBJECTS, after=["out/prog"]),
    "program by lld": shape("-fuse-ld=lld", "a.o", "main.o", "-o", "out/prog", steps=OBJECTS, after=["out/prog"]),
    "program by gold": shape("-fuse-ld=gold", "a.o", "main.o", "-o", "out/prog", steps=OBJECTS, after=["out/prog"]),
    "program of c++": shape("-Iinc", "x.cc", "-o", "out/x", after=["out/x"], tool="c++"),
    "shared library": shape("-shared", "a.o", "-Wl,-soname,liba.so.1", "-o", "out/liba.so", steps=((["{cc}", "-fPIC", "-Iinc", "-c", "a.c", "-o", "a.o"]),)),
    "shared library with a script": shape("-shared", "-fPIC", "-Iinc", "a.c", "-Wl,--version-script=exports", "-o", "out/liba.so"),
    "relocatable": shape("-r", "a.o", "b.o", "-o", "out/ab.o", steps=OBJECTS),
    "program with a library": shape("main.o", "-Llib", "-lab", "-o", "out/prog",
                                    steps=OBJECTS + (["mkdir", "lib"], ["ar", "crsD", "lib/libab.a", "a.o", "b.o"]), after=["out/prog"]),
    "program by link time optimisation": shape("-flto", "-O2", "-Iinc", "a.c", "main.c", "-o", "out/prog", after=["out/prog"]),
    "archive": shape("rcs", "out/libab.a", "a.o", "b.o", steps=OBJECTS, tool="ar"),
    "archive, quick": shape("qc", "out/libab.a", "a.o", "b.o", steps=OBJECTS, tool="ar"),
    "archive, thin": shape("rcsT", "out/libab.a", "a.o", "b.o", steps=OBJECTS, tool="ar"),
    "archive by llvm": shape("rcs", "out/libab.a", "a.o", "b.o", steps=OBJECTS, tool="llvm-ar"),
    # What is not cached, with its reason.
    "to standard output": shape("-Iinc", "-E", "a.c", refused="prints"),
    "object to standard output": shape("-Iinc", "-c", "s.s", "-o", "/dev/null", refused="not a regular file"),
    "the time": shape("-c", "time.c", "-o", "out/t.o", steps=(["sh", "-c", "echo 'const char *t = __DATE__;' > time.c"],), refused="time"),
    "the time in a listing": compile_("-Wa,-ag=out/a.lst", only="gcc", refused="time"),
    "the time by a flag": shape("-DNOW=__DATE__", "-c", "now.c", "-o", "out/t.o",
                                steps=(["sh", "-c", "echo 'const char *t = NOW;' > now.c"],), refused="time"),
    "the time of the file": shape("-c", "time.c", "-o", "out/t.o", steps=(["sh", "-c", "echo 'const char *t = __TIMESTAMP__;' > time.c"],), refused="time"),
    "dependencies by a variable": compile_(env={"DEPENDENCIES_OUTPUT": "out/deps target"}, refused="wrote a file", only="gcc"),
    "dependencies by another variable": compile_(env={"SUNPRO_DEPENDENCIES": "out/deps target"}, refused="wrote a file", only="gcc"),
    "archive with times": shape("rcsU", "out/libab.a", "a.o", "b.o", steps=OBJECTS, tool="ar", refused="times of its members"),
}


class Bench:
    def __init__(self, lab, case, compiler):
        self.lab, self.case, self.compiler = lab, case, compiler
        self.work = write_tree(lab.root / "work", FILES)
        (self.work / "out").mkdir()
        self.cwd = self.work / "out" if any(arg.startswith("../") for arg in case["args"]) else self.work
        for step in case["steps"]:
            step = [word.replace("{cc}", compiler) for word in step]
            done = subprocess.run(step, cwd=self.work, capture_output=True, text=True)
            if done.returncode != 0:
                pytest.skip(f"{step}: {done.stderr[-300:]}")
        time.sleep(0.02)

    def run(self, through_kache, **env):
        tool = {None: self.compiler, "c++": {"gcc": "g++", "clang": "clang++"}[self.compiler]}.get(self.case["tool"], self.case["tool"])
        left = self.lab.run(self.work, tool, *self.case["args"], through=through_kache, cwd=self.cwd, **self.case["env"], **env)
        if self.case["after"] and left[0] == 0:
            ran = subprocess.run(self.case["after"], cwd=self.work, capture_output=True)
            assert ran.returncode == 0, ran
        return left

    def event(self):
        return self.lab.event()


CASES = [(name, compiler) for name, case in SHAPES.items() for compiler in ("gcc", "clang") if case["only"] in (None, compiler)]


@pytest.mark.hits
@pytest.mark.parametrize("name,compiler", [case for case in CASES if not SHAPES[case[0]]["refused"]])
def test_a_cached_shape(lab, name, compiler):
    case = SHAPES[name]
    bench = Bench(lab, case, compiler)
    alone = bench.run(False)
    if alone[0] != 0:
        if name == "an unknown switch":
            for _ in range(2):
                through = bench.run(True)
                assert through[:3] == alone[:3] and bench.event()["result"] == "error"
            return
        pytest.skip(alone[2].decode()[-300:])
    for env in ({"KACHE_CC_PATH_NORMALIZE": "0"}, {}):
        first = bench.run(True, **env)
        assert bench.event()["result"] in ("miss", "local_hit") and "passthrough_reason" not in bench.event(), bench.event()
        second = bench.run(True, **env)
        assert bench.event()["result"] == "local_hit", bench.event()
        assert bench.event()["compiler_runs"] == 0
        assert first[:3] == second[:3] == alone[:3] and unequal(first, second) == []
        assert set(alone[3]) == set(second[3])
        if env:
            differ = set(unequal(alone, second))  # only what the compiler itself makes otherwise each time
            assert not differ or differ <= set(unequal(alone, bench.run(False))), differ


@pytest.mark.parametrize("name,compiler", [case for case in CASES if SHAPES[case[0]]["refused"]])
def test_a_refused_shape(lab, name, compiler):
    case = SHAPES[name]
    bench = Bench(lab, case, compiler)
    alone = bench.run(False)
    assert alone[0] == 0, alone[2]
    for _ in range(2):
        through = bench.run(True, KACHE_CC_PATH_NORMALIZE="0")
        assert through[:3] == alone[:3] and set(through[3]) == set(alone[3])
        if lab.events():
            assert case["refused"] in bench.event()["passthrough_reason"], bench.event()
        else:
            assert case["refused"] == "prints"  # a question: no event, no store
    assert os.path.exists("/dev/null") and not os.path.isfile("/dev/null")


def test_the_time_is_cached_where_it_is_fixed_and_honoured(lab):
    work = write_tree(lab.root / "work", {"t.c": "const char *t = __DATE__;\n"})
    time.sleep(0.02)
    for epoch, expected in (("0", "miss"), ("0", "local_hit"), ("86400", "miss")):
        result = lab.kache(work, "gcc", "-c", "t.c", "-o", "t.o", SOURCE_DATE_EPOCH=epoch)
        assert result.returncode == 0 and lab.events()[-1]["result"] == expected, lab.events()[-1]
    assert b"Jan  2 1970" in (work / "t.o").read_bytes()


def test_several_sources_are_several_compiles(lab):
    work = write_tree(lab.root / "work", {**FILES, "w.c": "int w(void) { int unused = 1; return 0; }\n"})
    time.sleep(0.02)
    args = ["gcc", "-Wall", "-Iinc", "-MD", "-c", "b.c", "w.c", "odd.c"]
    alone = subprocess.run(args, cwd=work, capture_output=True)
    made = {path.name: path.read_bytes() for path in work.glob("*.[od]")}
    assert set(made) == {"b.o", "b.d", "w.o", "w.d", "odd.o", "odd.d"}
    for expected in (["miss"] * 3, ["local_hit"] * 3, ["local_hit", "miss", "local_hit"]):
        for name in made:
            (work / name).unlink()
        lab.forget_events()
        if expected[1] == "miss" and expected[0] != "miss":
            (work / "w.c").write_text("int w(void) { int unused = 2; return 0; }\n")
            time.sleep(0.02)
        result = lab.kache(work, *args)
        assert result.returncode == 0 and len(result.stderr.splitlines()) == len(alone.stderr.splitlines())
        assert [event["result"] for event in lab.events()] == expected
        assert {path.name: path.read_bytes() for path in work.glob("*.d")} == {n: b for n, b in made.items() if n.endswith(".d")}
    (work / "w.c").write_text("broken\n")
    assert lab.kache(work, *args).returncode == 1
    assert (work / "odd.o").exists()


def test_an_archive_is_changed_in_place_as_by_the_tool(lab):
    work = write_tree(lab.root / "work", FILES)
    for name in ("a", "b", "odd"):
        subprocess.run(["gcc", "-Iinc", "-c", f"{name}.c"], cwd=work, check=True)
    time.sleep(0.02)
    steps = [["ar", "rc", "lib.a", "a.o"], ["ar", "r", "lib.a", "b.o"], ["ranlib", "lib.a"], ["ar", "q", "lib.a", "odd.o"], ["ar", "r", "lib.a", "a.o"]]
    states = []
    for step in steps:
        subprocess.run(step, cwd=work, check=True, capture_output=True)
        states.append((work / "lib.a").read_bytes())
    for expected in ("miss", "local_hit"):
        (work / "lib.a").unlink()
        for step, state in zip(steps, states):
            assert lab.kache(work, *step).returncode == 0
            assert (work / "lib.a").read_bytes() == state, step
            assert lab.events()[-1]["result"] == expected, lab.events()[-1]
            time.sleep(0.02)


@pytest.mark.hits
def test_a_precompiled_header_is_what_it_was_made_of(lab):
    """gcc makes other bytes each time: who includes them depends on what they were made of."""
    work = write_tree(lab.root / "work", FILES)
    header = ["gcc", "-Iinc", "-x", "c-header", "p.h", "-o", "p.h.gch"]
    consumer = ["gcc", "-Iinc", "-include", "p.h", "-c", "b.c", "-o", "b.o"]
    time.sleep(0.02)
    for command in (header, consumer):
        assert lab.kache(work, *command).returncode == 0
    entry = lab.events()[0]["cache_key"]
    made = (work / "p.h.gch").read_bytes()
    time.sleep(0.02)
    # The header's entry goes, and it is made again: with other bytes, from the same inputs.
    (lab.cache / "v1/entries" / entry[:2] / entry).unlink()
    (work / "p.h.gch").unlink()
    assert lab.kache(work, *header).returncode == 0 and lab.events()[-1]["result"] == "miss"
    assert (work / "p.h.gch").read_bytes() != made
    time.sleep(0.02)
    assert lab.kache(work, *consumer).returncode == 0 and lab.events()[-1]["result"] == "local_hit", lab.events()[-1]
    # One that was made of something else is something else.
    (work / "inc/h.h").write_text("#define H 2\n")
    (work / "p.h.gch").unlink()
    time.sleep(0.02)
    assert lab.kache(work, *header).returncode == 0 and lab.events()[-1]["result"] == "miss"
    time.sleep(0.02)
    assert lab.kache(work, *consumer).returncode == 0 and lab.events()[-1]["result"] == "miss"
