"""clang-cl: the command line of Microsoft's compiler, as far as it runs without Windows."""
import shutil
import subprocess
import time

import pytest

from laboratory import Lab, write_tree

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

    run_any = lab.run

    def run(args, through=True, work=None, repro=("/Brepro",), **env):
        # Without /Brepro the object holds the second in which it was made.
        return run_any(work or lab.work, lab.cl, *repro, *args, through=through, **env)
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


# Where COFF keeps the time of the compile: four bytes behind the machine and the number of sections.
STAMP = slice(4, 8)


def without_stamp(data):
    return data[:4] + data[8:]


def stamp(data):
    return int.from_bytes(data[STAMP], "little")


@pytest.mark.hits
@pytest.mark.parametrize("tool", ["clang", "clang-cl"])
def test_an_object_with_the_second_of_its_compile_keeps_that(cl, tool):
    """Known and written down (docs/bugs.md): a hit brings the second of the first compile, and all else as it would be now."""
    if tool == "clang":
        args = ["--target=x86_64-pc-windows-msvc", "-DX=1", "-Iinc", "-c", "a.c", "-o", "out/a.obj"]
        run = lambda through: Lab.run(cl, cl.work, "clang", *args, through=through)
    else:
        run = lambda through: cl.run(["--target=x86_64-pc-windows-msvc", "/DX=1", "/Iinc", "/c", "/Foout/a.obj", "a.c"], through=through, repro=())
    started = int(time.time())
    first = run(True)
    assert first[0] == 0 and cl.event()["result"] == "miss" and "passthrough_reason" not in cl.event(), cl.event()
    made = first[3]["a.obj"][0]
    assert started <= stamp(made) <= time.time()
    while int(time.time()) == stamp(made):
        time.sleep(0.05)
    again, alone = run(True), run(False)
    assert again == first
    assert cl.events()[-1]["result"] == "local_hit" and cl.event()["compiler_runs"] == 0
    now = alone[3]["a.obj"][0]
    assert stamp(now) > stamp(made) and without_stamp(now) == without_stamp(made) and alone[:3] == again[:3]
    # What changes is compiled, and has its own time.
    (cl.work / "inc/h.h").write_text("#define H 7\n")
    time.sleep(0.02)
    changed = run(True)
    assert cl.event()["result"] == "miss" and without_stamp(changed[3]["a.obj"][0]) == without_stamp(run(False)[3]["a.obj"][0]) != without_stamp(made)


@pytest.mark.hits
@pytest.mark.parametrize("directory,elsewhere", [("{work}/inc", "miss"), ("inc", "local_hit")])
def test_included_files_are_named_where_they_are(cl, directory, elsewhere):
    """Ninja reads its dependencies from these lines: another checkout must not be told of the first one's headers."""
    places = [write_tree(cl.root / name, {**FILES, "CMakeLists.txt": ""}) for name in ("first", "the/second")]
    time.sleep(0.02)
    for place, expected in zip(places, ("miss", elsewhere)):
        args = ["--target=x86_64-pc-windows-msvc", "/showIncludes", "/DX=1", "/I" + directory.format(work=place), "/c", "/Foout/a.obj", "a.c"]
        alone = cl.run(args, through=False, work=place)
        named = f"{directory.format(work=place)}/h.h".encode()
        assert alone[0] == 0 and named in alone[1], alone
        for result in (expected, "local_hit"):
            assert cl.run(args, work=place) == alone
            assert cl.event()["result"] == result, cl.event()
    # The first one's own is still there.
    args = [arg.replace(str(places[1]), str(places[0])) for arg in args]
    through = cl.run(args, work=places[0])
    assert cl.event()["result"] == "local_hit" and through == cl.run(args, through=False, work=places[0])
