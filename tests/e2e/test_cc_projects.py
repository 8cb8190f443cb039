"""Real C and C++ projects, built by their own build systems: cold, again after a clean, and in another checkout. What comes out is
what the compiler alone makes, and their own tests pass with a restored build. Large ones only with KACHE_TEST_LARGE=1."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from debian import source
from laboratory import KACHE, package, write_tree

PCH = {
    "CMakeLists.txt": "cmake_minimum_required(VERSION 3.16)\nproject(pch CXX)\nadd_executable(app main.cc one.cc two.cc)\n"
                      "target_precompile_headers(app PRIVATE <vector> <map> <string> all.h)\n",
    "all.h": "#pragma once\n#define ALL 3\n",
    "main.cc": "int one(); int two();\nint main() { return one() + two() == 2 * ALL ? 0 : 1; }\n",
    "one.cc": "int one() { std::vector<int> v{ALL}; return v[0]; }\n",
    "two.cc": "int two() { std::map<std::string, int> m{{\"a\", ALL}}; return m[\"a\"]; }\n",
}
# The distribution's tarball of fmt comes without its copy of GoogleTest.
FMT_GTEST = ("mkdir test/gtest && echo 'add_subdirectory(/usr/src/googletest made EXCLUDE_FROM_ALL)\n"
             "target_link_libraries(gtest INTERFACE gmock)' > test/gtest/CMakeLists.txt && ")
CMAKE = "cmake -S . -B b -G Ninja -DCMAKE_C_COMPILER_LAUNCHER=$KACHE -DCMAKE_CXX_COMPILER_LAUNCHER=$KACHE "


class Project:
    def __init__(self, build, test="true", package=None, files=None, may_miss=(), large=False, needs=()):
        self.build, self.test, self.package, self.files = build, test, package, files
        self.may_miss = may_miss  # parts of names of what is another thing in each build: names with process numbers, times
        self.large, self.needs = large, needs


PROJECTS = {  # the negative control takes the first
    "xxhash": Project('make -j2 CC="$KACHE clang" AR="$KACHE ar" lib xxhsum', "./xxhsum xxhsum", package="xxhash"),
    "zlib": Project('CC="$KACHE gcc" AR="$KACHE ar" ./configure && make -j2', "make test", package="zlib", may_miss=("ztest",)),
    "lua": Project('make -j2 linux CC="$KACHE gcc -std=gnu99" AR="$KACHE ar rcu" RANLIB="$KACHE ranlib"', "src/lua -e 'assert(1 + 1 == 2)'", package="lua5.4"),
    "inih": Project('CC="$KACHE gcc" CXX="$KACHE g++" meson setup b >/dev/null && ninja -C b', "true", package="libinih", may_miss=("testfile", "output.exe", "sanitycheck"),
                    needs=("meson",)),
    "precompiled headers, gcc": Project(CMAKE + "-DCMAKE_CXX_COMPILER=g++ && cmake --build b", "b/app", files=PCH, may_miss=("CMakeCXXCompilerABI", "testCXX")),
    "precompiled headers, clang": Project(CMAKE + "-DCMAKE_CXX_COMPILER=clang++ && cmake --build b", "b/app", files=PCH, may_miss=("CMakeCXXCompilerABI", "testCXX")),
    "json-c": Project(CMAKE + "-DCMAKE_BUILD_TYPE=Debug && cmake --build b", "cd b && ctest -j2 >/dev/null", package="json-c", large=True),
    "sqlite": Project('CC="$KACHE gcc" ./configure --disable-tcl --enable-all >/dev/null && make -j2 sqlite3', "./sqlite3 :memory: 'select 1'", package="sqlite3", large=True),
    "redis": Project('cd src && make -j2 MALLOC=libc CC="$KACHE gcc" AR="$KACHE ar" redis-server', "src/redis-server --version", package="redis",
                     may_miss=("release", "redis-server"), large=True),
    "curl": Project('autoreconf -fi >/dev/null 2>&1; CC="$KACHE gcc" ./configure --without-ssl --disable-shared >/dev/null && make -j2 >/dev/null', "src/curl --version",
                    package="curl", large=True),
    "fmt": Project(FMT_GTEST + CMAKE + "-DCMAKE_BUILD_TYPE=Release && cmake --build b --target fmt os-test args-test", "cd b && bin/args-test && bin/os-test", package="fmtlib", large=True),
    "pixman": Project('CC="$KACHE gcc" meson setup b -Dgtk=disabled -Dlibpng=disabled >/dev/null && ninja -C b', "true", package="pixman",
                      may_miss=("testfile", "output.exe", "sanitycheck"), needs=("meson",), large=True),
}


def binaries(tree):
    """Objects, libraries and programs, by name, with their bytes."""
    found = {}
    for path in sorted(tree.rglob("*")):
        if path.is_file() and not path.is_symlink() and ("CMakeFiles/3" not in str(path) and "meson-private" not in str(path)):
            head = path.open("rb").read(8)
            if head.startswith(b"\x7fELF") or head.startswith(b"!<arch>"):
                found[str(path.relative_to(tree))] = path.read_bytes()
    return found


@pytest.mark.hits
@pytest.mark.parametrize("name", PROJECTS)
def test_project(lab, name):
    project = PROJECTS[name]
    if project.large and not os.environ.get("KACHE_TEST_LARGE"):
        pytest.skip("large; set KACHE_TEST_LARGE=1")
    for program in project.needs:
        if not shutil.which(program):
            pytest.skip(f"no {program}")
    pristine = lab.root / "pristine"
    if project.files:
        write_tree(pristine, project.files)
    else:
        source(project.package, pristine)

    def build(place, launcher=str(KACHE), **env):
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(pristine, place, symlinks=True)
        lab.forget_events()
        time.sleep(0.02)
        command = project.build.replace("$KACHE ", f"{launcher} ").replace("=$KACHE", f"={launcher}" if launcher != "env" else "=env")
        result = subprocess.run(["sh", "-c", command], cwd=place, env=lab.env(**env), capture_output=True, text=True)
        assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
        tested = subprocess.run(["sh", "-c", project.test], cwd=place, env=lab.env(), capture_output=True, text=True)
        assert tested.returncode == 0, tested.stdout[-2000:] + tested.stderr[-2000:]
        return binaries(place)

    def compiled(trials=True):  # what does not compile, in the questions of a configure script, is never stored
        return sorted(event["crate_name"] for event in lab.events() if event.get("compiler_runs", 0) and event["result"] == "miss"
                      and not event.get("exit_code") and (trials or not event.get("trial")) and not any(part in event["crate_name"] for part in project.may_miss))

    cold = build(lab.root / "one")
    units = len([event for event in lab.events() if event.get("result") == "miss"])
    assert units > 3 and not [event for event in lab.events() if "store_error" in event]
    warm = build(lab.root / "one")
    assert compiled() == []
    unstable = {path for path in cold if any(part in path for part in project.may_miss)}
    assert {path for path in cold if warm.get(path) != cold[path]} <= unstable and set(cold) == set(warm)
    # Another checkout: what holds its place is compiled there, and all is as if kache were not there. Trials of a configure
    # script get no prefix map, and hold it.
    two = build(lab.root / "another-name")
    again = compiled(trials=False)
    if not project.files:
        assert len(again) <= units / 3, again
    alone = build(lab.root / "another-name", launcher="env", KACHE_DISABLED="1")
    literal = build(lab.root / "another-name", KACHE_CC_PATH_NORMALIZE="0", KACHE_CACHE_DIR=str(lab.root / "second-cache"))
    literal = build(lab.root / "another-name", KACHE_CC_PATH_NORMALIZE="0", KACHE_CACHE_DIR=str(lab.root / "second-cache"))
    differ = {path for path in alone if literal.get(path) != alone[path]} - unstable
    if differ:  # does the compiler alone make the same again?
        again = build(lab.root / "another-name", launcher="env", KACHE_DISABLED="1")
        assert differ <= {path for path in alone if again.get(path) != alone[path]}, differ
    assert set(two) == set(alone)


@pytest.mark.hits
def test_a_crate_that_builds_c_is_restored_whole(lab):
    """A -sys crate whose build script compiles bundled C through the cc crate: no compiler runs when it is built again."""
    files = {
        "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nlibz-sys = { version = "1", features = ["static"] }\n',
        "src/main.rs": "fn main() { println!(\"{}\", unsafe { libz_sys::zlibVersion().is_null() }); }\n",
    }
    one = write_tree(lab.root / "one", files)
    env = {"CC": f"{KACHE} cc", "AR": f"{KACHE} ar", "CC_KNOWN_WRAPPER_CUSTOM": "kache"}
    lab.cargo(one, "build", **env)
    crates = [event for event in lab.events() if event["crate_name"].endswith(".c") and event["result"] == "miss"]
    assert len(crates) > 10 and not [event for event in crates if "passthrough_reason" in event]
    shutil.rmtree(one / "target")
    lab.forget_events()
    lab.cargo(one, "build", **env)
    assert [event for event in lab.events() if event["result"] == "miss"] == []
    assert subprocess.run([one / "target/debug/app"], capture_output=True, text=True).stdout == "false\n"
    two = lab.root / "two"
    shutil.copytree(one, two, ignore=shutil.ignore_patterns("target"))
    lab.forget_events()
    lab.cargo(two, "build", **env)
    assert [event["crate_name"] for event in lab.events() if event["result"] == "miss"] == []


@pytest.mark.parametrize("name", ["zlib", "xxhash"])
def test_configure_and_make_say_the_same(lab, name):
    """The verdicts of a configure script, and what a build says, with and without kache."""
    seen = []
    for launcher in ("env", str(KACHE), str(KACHE)):
        tree = source(PROJECTS[name].package, lab.root / f"tree{len(seen)}")
        command = "./configure" if (tree / "configure").exists() else "make -n lib"
        result = subprocess.run(["sh", "-c", f'CC="{launcher} gcc" {command}'], cwd=tree, env=lab.env(), capture_output=True, text=True)
        seen.append((result.returncode, result.stdout.replace(launcher + " ", "").replace(str(tree), "")))
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.hits
@pytest.mark.parametrize("name", ["xxhash", "lua"])
def test_hits_of_a_project_are_what_a_compile_would_have_made(lab, name):
    checked = []
    for place in ("one", "one", "two"):
        shutil.rmtree(lab.root / place, ignore_errors=True)
        tree = source(PROJECTS[name].package, lab.root / place)
        lab.forget_events()
        time.sleep(0.02)
        subprocess.run(["sh", "-c", PROJECTS[name].build], cwd=tree, env=lab.env(KACHE=str(KACHE), KACHE_CHECK_HITS="1"), check=True, capture_output=True)
        checked = [event for event in lab.events() if event["result"] == "local_hit"]
        assert [event["wrong"] for event in checked if event["wrong"]] == []
        assert all(event["compiler_runs"] == 1 for event in checked)
    assert len(checked) > 3


@pytest.mark.hits
@pytest.mark.skipif(shutil.which("gdb") is None, reason="no gdb")
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_gdb_finds_the_sources_of_a_restored_program_in_the_project(lab, compiler):
    files = {"configure": "", "src/part.c": "int part(void) {\n  return 42; /* here */\n}\n", "src/main.c": "int part(void);\nint main(void) { return part(); }\n",
             "Makefile": "app: src/main.o src/part.o\n\t$(CC) -g -o $@ $^\n%.o: %.c\n\t$(CC) -g -c $< -o $@\n"}
    for place in ("one", "two"):
        tree = write_tree(lab.root / place, files)
        time.sleep(0.02)
        subprocess.run(["make", f"CC={KACHE} {compiler}"], cwd=tree, env=lab.env(), check=True, capture_output=True)
        result = subprocess.run(["gdb", "-nx", "-batch", "-ex", "list part", "app"], cwd=tree, capture_output=True, text=True)
        assert "/* here */" in result.stdout, result.stdout + result.stderr
        assert str(lab.root / "one").encode() not in (tree / "app").read_bytes()
    assert lab.results()["local_hit"] >= 2


@pytest.mark.hits
def test_a_wrapper_that_is_killed_at_any_moment_leaves_a_store_that_works(lab):
    tree = write_tree(lab.root / "tree", {"a.c": "#include <stdio.h>\nint a(void) { return puts(\"a\"); }\n"})
    time.sleep(0.02)
    command = [KACHE, "gcc", "-g", "-c", "a.c", "-o", "a.o"]
    delay = 0.001
    for _ in range(40):
        (tree / "a.o").unlink(missing_ok=True)
        process = subprocess.Popen(command, cwd=tree, env=lab.env(KACHE_KEY_SALT=str(delay)), start_new_session=True)
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        delay *= 1.1
    results = set()
    for salt in ("", str(0.001), str(delay / 1.1)):
        expected = None
        for _ in range(2):
            (tree / "a.o").unlink(missing_ok=True)
            lab.forget_events()
            subprocess.run(command, cwd=tree, env=lab.env(KACHE_KEY_SALT=salt), check=True)
            results.add(lab.events()[-1]["result"])
            expected = expected or (tree / "a.o").read_bytes()
            assert (tree / "a.o").read_bytes() == expected
    assert results == {"miss", "local_hit"}


@pytest.mark.hits
def test_many_jobs_on_one_cache(lab):
    tree = write_tree(lab.root / "tree", {f"f{i}.c": f"#include <stdio.h>\nint f{i % 7}(void) {{ return {i % 7}; }}\n" for i in range(60)} | {
        "Makefile": "OBJECTS = $(patsubst %.c,%.o,$(wildcard *.c))\nall: $(OBJECTS)\n%.o: %.c\n\t$(CC) -g -O1 -c $< -o $@\n"})
    time.sleep(0.02)
    for expected in ("miss", "local_hit"):
        for path in tree.glob("*.o"):
            path.unlink()
        lab.forget_events()
        subprocess.run(["make", "-j16", f"CC={KACHE} gcc"], cwd=tree, env=lab.env(), check=True, capture_output=True)
        assert len(list(tree.glob("*.o"))) == 60
        results = lab.results()
        assert sum(results.values()) == 60 and results[expected] == 60, results
    assert pathlib.Path(tree / "f1.o").read_bytes() != pathlib.Path(tree / "f2.o").read_bytes()


@pytest.mark.hits
def test_many_programs_under_one_command_line(lab):
    """What a configure script does: it writes one source after another under one name, and compiles each in the same way."""
    tree = write_tree(lab.root / "tree", {"common.h": "int common(void);\n"})
    objects = {}
    for expected in ("miss", "local_hit"):
        lab.forget_events()
        for number in range(120):
            (tree / "conftest.c").write_text(f'#include <stdio.h>\n#include "common.h"\nint value(void) {{ return {number}; }}\n')
            subprocess.run([KACHE, "gcc", "-O1", "-c", "conftest.c"], cwd=tree, env=lab.env(), check=True)
            assert number > 0 or lab.results() == {expected: 1}
            assert objects.setdefault(number, (tree / "conftest.o").read_bytes()) == (tree / "conftest.o").read_bytes()
        assert lab.results() == {expected: 120}
    assert len(set(objects.values())) == 120
