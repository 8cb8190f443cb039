"""clang-cl: the command line of Microsoft's compiler, as far as it runs without Windows."""
import shutil
import subprocess
import time

import pytest

from laboratory import KACHE, write_tree

FILES = {
    "a.c": '#include "h.h"\nint a(void) { int unused = 1; return H + X; }\n',
    "b.cpp": '#include "h.h"\nnamespace n { int b() { return H; } }\n',
    "inc/h.h": "#define H 1\n",
    "words": '/nologo "/DX=2" -W4',
}
# What CMake passes for a debug build, and the parts of it alone.
STOCK = ["--target=x86_64-pc-windows-msvc", "/nologo", "/DWIN32", "/D_WINDOWS", "/DX=1", "/W3", "/Zi", "/Ob0", "/Od", "/RTC1", "-MDd", "/Iinc", "/showIncludes",
         "/Foout/a.c.obj", "/Fdout/", "-c", "--", "a.c"]
SHAPES = {
    "cmake, debug": STOCK,
    "cmake, release": ["--target=x86_64-pc-windows-msvc", "/nologo", "/DX=1", "/W3", "/O2", "/Ob2", "/DNDEBUG", "-MD", "/Iinc", "/Foout/a.c.obj", "/c", "a.c"],
    "c++": ["--target=x86_64-pc-windows-msvc", "/nologo", "/EHsc", "/std:c++17", "/GR", "/utf-8", "/I", "inc", "/Foout/b.obj", "/c", "/TP", "b.cpp"],
    "warnings as errors that are none": ["/WX-", "/W4", "/DX=1", "/Iinc", "/c", "/Foout/a.obj", "a.c"],
    "a directory for the object": ["/DX=1", "/Iinc", "/c", "/Foout/", "a.c"],
    "a name without an extension": ["/DX=1", "/Iinc", "/c", "/Foout/name", "a.c"],
    "-o": ["/DX=1", "/Iinc", "/c", "-o", "out/x.obj", "a.c"],
    "debug information inside": ["/Z7", "/DX=1", "/Iinc", "/c", "/Foout/a.obj", "a.c"],
    "a forced include": ["/FIinc/h.h", "/DX=1", "/Iinc", "/c", "/Foout/a.obj", "a.c"],
    "a response file": ["@words", "/Iinc", "/c", "/Foout/a.obj", "a.c"],
    "syntax only": ["/DX=1", "/Iinc", "/Zs", "a.c"],
    "words for clang": ["/clang:-fno-inline", "-Xclang", "-fno-show-column", "/DX=1", "/Iinc", "/c", "/Foout/a.obj", "a.c"],
}


@pytest.fixture
def cl(lab):
    clang = shutil.which("clang")
    if not clang:
        pytest.skip("no clang")
    lab.work = write_tree(lab.root / "work", FILES)
    lab.cl = lab.root / "bin/clang-cl"
    lab.cl.parent.mkdir()
    lab.cl.symlink_to(subprocess.run(["realpath", clang], capture_output=True, text=True).stdout.strip())
    time.sleep(0.02)

    def run(args, through=True, **env):
        shutil.rmtree(lab.work / "out", ignore_errors=True)
        (lab.work / "out").mkdir()
        command = [lab.cl, "/Brepro", *args]  # without it the object holds the second in which it was made
        result = subprocess.run([KACHE, *command] if through else command, cwd=lab.work, env=lab.env(**env), capture_output=True)
        files = {path.name: path.read_bytes() for path in (lab.work / "out").iterdir()}
        return result.returncode, result.stdout, result.stderr, files
    lab.run = run
    return lab


@pytest.mark.hits
@pytest.mark.parametrize("name", SHAPES)
def test_a_cached_shape(cl, name):
    alone = cl.run(SHAPES[name], through=False)
    assert alone[0] == 0, alone[2]
    for expected in ("miss", "local_hit"):
        through = cl.run(SHAPES[name])
        event = cl.events()[-1]
        assert event["result"] == expected and "passthrough_reason" not in event, event
        assert through == alone


@pytest.mark.parametrize("args,reason", [
    (["/c", "/Iinc", "/DX=1", "a.c", "b.cpp"], "several sources"), (["/Iinc", "/DX=1", "/Ych.h", "/c", "a.c"], "Yc"), (["/Iinc", "/DX=1", "/FA", "/c", "a.c"], "FA"),
])
def test_what_can_not_be_tested_here_is_passed_on(cl, args, reason):
    cl.run(args)
    assert reason in cl.events()[-1]["passthrough_reason"]


@pytest.mark.hits
def test_changes_are_compiled(cl):
    args = SHAPES["cmake, debug"]
    cl.run(args)
    for change in (lambda: (cl.work / "inc/h.h").write_text("#define H 7\n"), lambda: (cl.work / "h.h").write_text("#define H 8\n")):
        change()
        time.sleep(0.02)
        through = cl.run(args)
        assert cl.events()[-1]["result"] == "miss"
        assert through == cl.run(args, through=False)
        assert cl.run(args) == through and cl.events()[-1]["result"] == "local_hit"
    for more in ("/O2", "/DY", "-MT", "/WX"):
        through, alone = cl.run([*args[:-2], more, "--", "a.c"]), cl.run([*args[:-2], more, "--", "a.c"], through=False)
        assert through == alone, more


@pytest.mark.hits
@pytest.mark.parametrize("variable", ["CL", "_CL_"])
def test_flags_of_a_variable(cl, variable):
    args = ["/Iinc", "/c", "/Foout/a.obj", "a.c"]
    seen = []
    for value, expected in (("/DX=1", "miss"), ("/DX=1", "local_hit"), ("/DX=2", "miss"), ("/DX=2", "local_hit")):
        through = cl.run(args, **{variable: value})
        assert through[0] == 0 and cl.events()[-1]["result"] == expected, cl.events()[-1]
        assert through == cl.run(args, through=False, **{variable: value})
        seen.append(through)
    assert seen[1] != seen[2]
