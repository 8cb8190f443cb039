"""One program is several compilers: by the name that it is started under, and by the place that it looks for its parts from."""
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from laboratory import write_tree

FILES = {
    "a.c": "int a(void) { return sizeof(void*); }\n",
    "main.c": "int main(void) { return 0; }\n",
    "bin/x": "",
}
DRIVER = r"""
#include <unistd.h>
#define TEXT(x) #x
#define OPTION(x) "-O" TEXT(x)
int main(int argc, char **argv) {
  char *words[256] = {"/usr/bin/gcc", OPTION(LEVEL)};
  for (int i = 1; i < argc && i < 250; i++) words[i + 1] = argv[i];
  execv(words[0], words);
  return 127;
}
"""


def answer(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def work(lab):
    lab.work = write_tree(lab.root / "work", FILES)
    return lab


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


def compare(lab, programs, *args):
    """Each of them compiles, or is restored, as it does alone; none is answered by what another one made."""
    time.sleep(0.02)
    left = []
    for program in programs:
        alone = lab.run(lab.work, program, *args, through=False)
        assert alone[0] == 0, alone
        for expected in ("miss", "local_hit"):
            assert lab.run(lab.work, program, *args) == alone, program
            event = lab.event()
            assert event["result"] == expected and event["compiler_runs"] == (expected == "miss"), event
        left.append(alone[3])
    return left


@pytest.mark.hits
def test_clang_compiles_for_the_target_in_its_name(work):
    clang = os.path.realpath(shutil.which("clang"))
    names = ["clang", "i686-linux-gnu-clang", "aarch64-linux-gnu-clang"]
    for name in names:
        (work.work / "bin" / name).symlink_to(clang)
    one, two, three = compare(work, [f"bin/{name}" for name in names], "-c", "a.c", "-o", "out/a.o")
    assert one != two and two != three and one != three


@pytest.mark.hits
def test_clang_links_what_its_name_says(work):
    subprocess.run(["clang", "-c", "main.c", "-o", "main.o"], cwd=work.work, check=True)
    c, cxx = compare(work, ["clang", "clang++"], "main.o", "-Wl,--no-as-needed", "-o", "out/main")
    assert b"libstdc++" in cxx["main"][0] and b"libstdc++" not in c["main"][0]


@pytest.mark.hits
def test_a_driver_looks_for_its_compiler_beside_itself(work):
    """Two installations with one driver and two compilers behind it."""
    driver, compiler = os.path.realpath(shutil.which("gcc")), answer("gcc", "-print-prog-name=cc1")
    below = pathlib.Path(compiler).relative_to("/usr").parent
    if not str(below).startswith("lib"):
        pytest.skip("this gcc keeps its compiler elsewhere")
    places = []
    for name, more in (("one", ""), ("two", "-O2")):
        place = work.root / "installed" / name
        (place / "bin").mkdir(parents=True)
        shutil.copy(driver, place / "bin/gcc")
        script(place / below / "cc1", f'exec {compiler} "$@" {more}\n')
        places.append(place / "bin/gcc")
        if str(place) not in answer(places[-1], "-print-prog-name=cc1"):
            pytest.skip("this gcc is not to be moved")
    (work.work / "a.c").write_text("int a(int x) { return x + 1; }\n")
    one, two = compare(work, places, "-c", "a.c", "-o", "out/a.o")
    assert one != two


@pytest.mark.hits
def test_a_script_goes_by_the_link_that_it_is_called_through(work):
    script(work.root / "shared/cc", 'exec gcc -D"PLACE=$(cat "$(dirname "$0")/place")" "$@"\n')
    links = []
    for name in ("one", "two"):
        place = write_tree(work.root / name, {"place": name.replace("one", "1").replace("two", "2")})
        (place / "gcc").symlink_to("../shared/cc")
        links.append(place / "gcc")
    (work.work / "a.c").write_text("int a(void) { return PLACE; }\n")
    one, two = compare(work, links, "-c", "a.c", "-o", "out/a.o")
    assert one != two


@pytest.mark.hits
def test_a_link_is_turned_to_another_installation(work):
    """The name stays, and so does the content of what is behind it; not what lies beside that."""
    for name, value in (("one", "1"), ("two", "2")):
        script(work.root / name / "gcc", 'exec gcc -D"PLACE=$(cat "$(dirname "$(readlink -f "$0")")/place")" "$@"\n')
        (work.root / name / "place").write_text(value)
    (work.work / "a.c").write_text("int a(void) { return PLACE; }\n")
    left = []
    for name in ("one", "two"):
        (work.work / "bin/gcc").unlink(missing_ok=True)
        (work.work / "bin/gcc").symlink_to(work.root / name / "gcc")
        left += compare(work, ["bin/gcc"], "-c", "a.c", "-o", "out/a.o")
    assert left[0] != left[1]


@pytest.mark.hits
def test_a_link_is_turned_to_another_compiler(work):
    """As /etc/alternatives turns them; none of these asks where it is itself."""
    for name, level in (("one", "0"), ("two", "2")):
        (work.root / "driver.c").write_text(DRIVER)
        subprocess.run(["gcc", f"-DLEVEL={level}", work.root / "driver.c", "-o", work.root / name], check=True)
    (work.work / "a.c").write_text("int a(int x) { return x + 1; }\n")
    left = []
    for name in ("one", "two"):
        (work.work / "bin/gcc").unlink(missing_ok=True)
        (work.work / "bin/gcc").symlink_to(work.root / name)
        left += compare(work, ["bin/gcc"], "-c", "a.c", "-o", "out/a.o")
    assert left[0] != left[1]


def test_kinds_of_compiles_that_are_passed_on_with_a_reason(work):
    """Several passes behind one call: what comes out is the compiler's own, each time."""
    (work.work / "c.cu").write_text("int a;\n")
    host = ["--cuda-host-only", "-nocudainc", "-nocudalib", "-o", "out/c.o"]
    for command, reason in ((["clang", *host, "-c", "c.cu"], "-x cuda"), (["clang", *host, "-x", "cuda", "-c", "a.c"], "-x cuda"),
                            (["gcc", "-x", "cuda", "-c", "a.c", "-o", "out/a.o"], "-x cuda"),
                            (["clang", "-arch", "x86_64", "-arch", "arm64", "-c", "a.c", "-o", "out/a.o"], "several -arch"),
                            (["gcc", "-arch", "x86_64", "-arch", "arm64", "-c", "a.c", "-o", "out/a.o"], "several -arch"),
                            (["clang", "--target=x86_64-apple-darwin", "-arch", "x86_64", "-arch", "arm64", "-c", "a.c", "-o", "out/a.o"], "several -arch")):
        alone = work.run(work.work, *command, through=False)
        for _ in range(2):
            assert work.run(work.work, *command) == alone, command
            event = work.event()
            assert event["result"] == "passthrough" and event["compiler_runs"] == 1, event
            assert event["passthrough_reason"] == f"unsupported|a flag that is not supported: {reason}"


@pytest.mark.hits
def test_one_architecture_is_cached(work):
    compare(work, ["clang"], "--target=x86_64-apple-darwin", "-arch", "x86_64", "-c", "a.c", "-o", "out/a.o")
