"""Modules of C++20 and of clang: what uses a module is compiled again when the module is another one; what can not be restored says why."""
import os
import shutil
import time

import pytest

from laboratory import write_tree

SOURCES = {
    "a.cppm": "export module a;\nexport inline int a() { return 1; }\n",
    "b.cppm": "export module b;\nexport import a;\nexport inline int b() { return a() + 10; }\n",
    "user.cc": "import b;\nint user() { return a() + b(); }\n",
    "plain.cc": "int plain() { return 1; }\n",
    "h.h": "inline int h() { return 1; }\n",
}
MAPPED = {
    "a.c": '#include "h.h"\nint a(void) { return h(); }\n',
    "inc/h.h": "static inline int h(void) { return 1; }\n",
    "inc/module.modulemap": 'module h { header "h.h" export * }\n',
}
CLANG = ["clang++", "-std=c++20", "-fprebuilt-module-path=."]
CLANG_BUILD = {
    "a": [*CLANG, "--precompile", "a.cppm", "-o", "a.pcm"],
    "b": [*CLANG, "--precompile", "b.cppm", "-o", "b.pcm"],
    "a.o": [*CLANG, "-c", "a.pcm", "-o", "out/a.o"],
    "b.o": [*CLANG, "-c", "b.pcm", "-o", "out/b.o"],
    "user": [*CLANG, "-c", "user.cc", "-o", "out/user.o"],
    "user by file": ["clang++", "-std=c++20", "-fmodule-file=b.pcm", "-fmodule-file=a.pcm", "-c", "user.cc", "-o", "out/user.o"],
    "other": [*CLANG, "-c", "plain.cc", "-o", "out/plain.o"],
}
GCC = ["g++", "-std=c++20", "-fmodules-ts", "-x", "c++"]
IMPLICIT = ["clang", "-fmodules", "-fmodules-cache-path=modules", "-Iinc", "-c", "a.c", "-o", "out/a.o"]


@pytest.fixture
def work(lab):
    lab.work = write_tree(lab.root / "work", SOURCES)
    time.sleep(0.02)
    return lab


def write(path, text):
    path.write_text(text)
    time.sleep(0.02)


def build(lab, through):
    """All of it from nothing: the results of kache, and what each command left."""
    for module in lab.work.glob("*.pcm"):
        module.unlink()
    results, left = {}, {}
    for name, command in CLANG_BUILD.items():
        left[name] = lab.run(lab.work, *command, through=through)
        assert left[name][0] == 0, left[name]
        if through:
            event = lab.event()
            assert "passthrough_reason" not in event, event
            results[name] = event["result"]
        time.sleep(0.02)
    # A module holds the times of those that it imports, so only the first one is the same in each build.
    return results, left, (lab.work / "a.pcm").read_bytes()


@pytest.mark.hits
def test_modules_of_clang_come_from_the_cache(work):
    _, alone, module = build(work, through=False)
    results, left, made = build(work, through=True)
    assert results == dict.fromkeys(CLANG_BUILD, "miss") and (left, made) == (alone, module)
    results, left, made = build(work, through=True)
    assert results == dict.fromkeys(CLANG_BUILD, "local_hit") and (left, made) == (alone, module)
    # What imports none of it is not compiled again.
    write(work.work / "a.cppm", SOURCES["a.cppm"].replace("return 1", "return 7"))
    results, left, made = build(work, through=True)
    assert results == {**dict.fromkeys(CLANG_BUILD, "miss"), "other": "local_hit"}
    _, alone, module = build(work, through=False)
    assert (left, made) == (alone, module) and alone["user"][3] != {}
    results, left, made = build(work, through=True)
    assert results == dict.fromkeys(CLANG_BUILD, "local_hit") and (left, made) == (alone, module)


@pytest.mark.hits
@pytest.mark.parametrize("user", ["user", "user by file"])
def test_a_module_that_was_made_without_kache_is_its_content(work, user):
    results, objects = [], []
    for value in ("1", "7"):
        write(work.work / "a.cppm", SOURCES["a.cppm"].replace("return 1", f"return {value}"))
        for name in ("a", "b"):
            assert work.run(work.work, *CLANG_BUILD[name], through=False)[0] == 0
        time.sleep(0.02)
        alone = work.run(work.work, *CLANG_BUILD[user], through=False)
        for _ in range(2):
            assert work.run(work.work, *CLANG_BUILD[user]) == alone and alone[0] == 0
            results.append(work.event()["result"])
        objects.append(alone[3])
    assert results == ["miss", "local_hit"] * 2 and objects[0] != objects[1]


@pytest.mark.hits
def test_a_module_without_a_name_for_it_is_named_after_its_source(work):
    command = ["clang++", "-std=c++20", "--precompile", "../a.cppm"]
    alone = work.run(work.work, *command, through=False, cwd=work.work / "out")
    assert alone[0] == 0 and list(alone[3]) == ["a.pcm"]
    for expected in ("miss", "local_hit"):
        assert work.run(work.work, *command, cwd=work.work / "out") == alone
        assert work.event()["result"] == expected and work.event()["compiler_runs"] == (expected == "miss")


def test_modules_are_no_links(work):
    """Whoever wants no links cached still gets modules."""
    for expected in ("miss", "local_hit"):
        assert work.run(work.work, *CLANG_BUILD["a"], KACHE_CC_CACHE_LINKS="0")[0] == 0
        assert (work.event()["result"], work.event()["crate_type"]) == (expected, "c++-module")


@pytest.mark.parametrize("command,written", [
    ([*GCC, "-c", "a.cppm", "-o", "out/a.o"], "gcm.cache/a.gcm"),
    (["g++", "-std=c++20", "-fmodules-ts", "-x", "c++-header", "h.h"], "h.h.gcm"),
])
def test_a_module_of_gcc_is_compiled_each_time(work, command, written):
    cache = work.work / "gcm.cache"
    alone = work.run(work.work, *command, through=False)
    assert alone[0] == 0
    names = sorted(path.name for path in cache.rglob("*"))
    for _ in range(2):
        shutil.rmtree(cache)
        assert work.run(work.work, *command) == alone
        assert sorted(path.name for path in cache.rglob("*")) == names
        event = work.event()
        assert event["result"] == "miss" and event["compiler_runs"] == 1
        assert "wrote a file that is not one of its outputs" in event["passthrough_reason"] and written in event["passthrough_reason"], event


@pytest.mark.hits
def test_what_imports_a_module_of_gcc_is_cached_with_its_content(work):
    command = [*GCC, "-c", "user.cc", "-o", "out/user.o"]
    objects = []
    for value in ("1", "7"):
        write(work.work / "a.cppm", SOURCES["a.cppm"].replace("return 1", f"return {value}"))
        for name in ("a", "b"):
            assert work.run(work.work, *GCC, "-c", f"{name}.cppm", "-o", f"out/{name}.o")[0] == 0
        time.sleep(0.02)
        alone = work.run(work.work, *command, through=False)
        assert alone[0] == 0, alone
        for expected in ("miss", "local_hit"):
            assert work.run(work.work, *command) == alone
            assert work.event()["result"] == expected and work.event()["compiler_runs"] == (expected == "miss")
        objects.append(alone[3])
    assert objects[0] != objects[1]


@pytest.mark.hits
@pytest.mark.parametrize("more", [[], ["-g"]])
def test_implicit_modules_are_stored_where_the_compiler_made_none(lab, more):
    """A compile that fills the cache of modules is not stored; one that finds them there depends on them and on their headers."""
    work = write_tree(lab.root / "work", MAPPED)
    objects = []
    for value in ("1", "22"):  # of another length: clang looks at the size and at whole seconds
        write(work / "inc/h.h", MAPPED["inc/h.h"].replace("return 1", f"return {value}"))
        results, reasons = [], []
        for _ in range(4):
            through = lab.run(work, *IMPLICIT, *more, KACHE_CC_PATH_NORMALIZE="0")
            results.append(lab.event()["result"])
            reasons.append(lab.event().get("passthrough_reason", ""))
            assert through == lab.run(work, *IMPLICIT, *more, through=False) and through[0] == 0
            time.sleep(0.02)
        assert "wrote a file that is not one of its outputs" in reasons[0] and "/modules/" in reasons[0], reasons
        assert results[0] == "miss" and results[-1] == "local_hit" and reasons[-1] == "", (results, reasons)
        objects.append(through[3])
    assert objects[0] != objects[1]
    # Without the modules that it was made with, the compiler has to make them.
    shutil.rmtree(work / "modules")
    through = lab.run(work, *IMPLICIT, *more, KACHE_CC_PATH_NORMALIZE="0")
    assert lab.event()["result"] == "miss" and (work / "modules").exists()
    assert through == lab.run(work, *IMPLICIT, *more, through=False)


@pytest.mark.hits
def test_a_stale_implicit_module_is_made_again_when_the_compiler_would(lab):
    """clang compares whole seconds: a header that is written twice in one leaves a module that the next touch makes stale."""
    work = write_tree(lab.root / "work", MAPPED)
    header = work / "inc/h.h"
    os.utime(header, (1_600_000_000, 1_600_000_000))
    time.sleep(0.02)
    for _ in range(2):
        assert lab.run(work, *IMPLICIT, through=False)[0] == 0
    header.write_text(MAPPED["inc/h.h"].replace("return 1", "return 2"))
    os.utime(header, (1_600_000_000, 1_600_000_000))
    time.sleep(0.02)
    for expected in ("miss", "local_hit"):
        stale = lab.run(work, *IMPLICIT)
        assert lab.event()["result"] == expected and "passthrough_reason" not in lab.event(), lab.event()
        assert stale == lab.run(work, *IMPLICIT, through=False)
    os.utime(header, (1_600_000_001, 1_600_000_001))
    time.sleep(0.02)
    through = lab.run(work, *IMPLICIT)
    assert lab.event()["result"] == "miss"
    assert through == lab.run(work, *IMPLICIT, through=False) and through[3] != stale[3]


@pytest.mark.hits
def test_a_precompiled_header_of_another_time_is_refused_as_by_the_compiler(lab):
    """One that was made without kache, that is: of its own ones kache knows what they were made of."""
    work = write_tree(lab.root / "work", {"p.h": "#define H 1\n", "a.c": "int a(void) { return H; }\n"})
    os.utime(work / "p.h", (1_600_000_000, 1_600_000_000))
    time.sleep(0.02)
    assert lab.run(work, "clang", "-x", "c-header", "p.h", "-o", "p.pch", through=False)[0] == 0
    time.sleep(0.02)
    command = ["clang", "-include-pch", "p.pch", "-c", "a.c", "-o", "out/a.o"]
    for expected in ("miss", "local_hit"):
        assert lab.run(work, *command)[0] == 0 and lab.event()["result"] == expected
    os.utime(work / "p.h", (1_600_000_001, 1_600_000_001))
    time.sleep(0.02)
    alone = lab.run(work, *command, through=False)
    assert alone[0] == 1 and lab.run(work, *command) == alone
