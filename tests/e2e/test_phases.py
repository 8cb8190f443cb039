"""cold → warm → no-op → relocated → relocated and modified → relocated no-op."""
import shutil
import subprocess

import pytest

from laboratory import outputs, relocate, write_tree
from projects import WORKSPACE


def run_app(tree, profile="debug"):
    return subprocess.run([tree / "target" / profile / "app"], cwd=tree, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def cold(lab):
    tree = write_tree(lab.root / "one", WORKSPACE)
    lab.first = lab.cargo(tree, "build")
    return tree


def warm_misses(lab, tree, **env):
    shutil.rmtree(tree / "target")
    lab.forget_events()
    lab.cargo(tree, "build", **env)
    return lab.missed() if lab.events() else ["nothing was asked"]


@pytest.mark.hits
def test_warm_build_runs_no_compiler_and_brings_the_same_bytes(lab, cold):
    before, said = outputs(cold / "target"), run_app(cold)
    assert warm_misses(lab, cold) == []
    assert all(event["compiler_runs"] == 0 for event in lab.events())
    after = outputs(cold / "target")
    assert {name: data for name, data in after.items() if before.get(name) != data} == {}
    assert set(after) == set(before)
    assert run_app(cold) == said


def test_noop_builds_dispatch_nothing(lab, cold):
    warm_misses(lab, cold)
    for tree in (cold,):
        lab.forget_events()
        result = lab.cargo(tree, "build")
        assert lab.events() == []
        assert b"Compiling" not in result.stderr


def test_diagnostics_come_back(lab, cold):
    assert b"unused variable: `x`" in lab.first.stderr
    shutil.rmtree(cold / "target")
    assert b"unused variable: `x`" in lab.cargo(cold, "build").stderr


@pytest.mark.hits
def test_another_checkout_compiles_only_what_embeds_its_place(lab, cold):
    two = relocate(cold, lab.root / "two-with-a-longer-name")
    lab.forget_events()
    lab.cargo(two, "build")
    # `place` holds CARGO_MANIFEST_DIR as a value; app links it.
    assert lab.missed() == ["app", "place"]
    shutil.rmtree(cold)
    assert str(two / "place") in run_app(two)
    lab.forget_events()
    assert b"Compiling" not in lab.cargo(two, "build").stderr
    assert lab.events() == []
    # And changed there.
    (two / "util/src/a.rs").write_text('pub fn name() -> &\'static str { "changed" }\n')
    lab.forget_events()
    lab.cargo(two, "build")
    assert lab.missed() == ["app", "util"]
    assert run_app(two).startswith("changed b ")


def test_restored_outputs_equal_a_fresh_compile_at_the_same_place(lab, cold):
    two = relocate(cold, lab.root / "two")
    lab.cargo(two, "build")
    restored = outputs(two / "target")
    shutil.rmtree(two / "target")
    lab.cargo(two, "build", KACHE_CACHE_DIR=str(lab.root / "empty-cache"))
    fresh = outputs(two / "target")
    assert [name for name in fresh if restored.get(name) != fresh[name]] == []


@pytest.mark.parametrize("mutation", [
    ("util/src/a.rs", 'pub fn name() -> &\'static str { "changed" }\n', "changed b "),
    ("assets/note.txt", "second\n", "second"),
    ("assets/appears.txt", "", "appears.txt+note.txt"),
])
def test_each_changed_file_is_seen(lab, cold, mutation):
    path, text, expected = mutation
    (cold / path).write_text(text)
    shutil.rmtree(cold / "target")
    lab.cargo(cold, "build")
    assert expected in run_app(cold)


def test_swapped_module_bodies_are_seen(lab, cold):
    a, b = (cold / "util/src/a.rs").read_text(), (cold / "util/src/b.rs").read_text()
    (cold / "util/src/a.rs").write_text(b)
    (cold / "util/src/b.rs").write_text(a)
    shutil.rmtree(cold / "target")
    lab.cargo(cold, "build")
    assert run_app(cold).startswith("b a ")


def test_a_variable_that_nobody_declared_is_seen(lab, cold):
    for value in ("x", "", "y", None, "x"):
        shutil.rmtree(cold / "target")
        lab.cargo(cold, "build", SECRET=value)
        assert run_app(cold).rstrip().endswith(f"{'unset' if value is None else value}/first/note.txt")


def test_a_file_that_appears_beside_a_module_is_seen(lab, cold):
    (cold / "util/src/a").mkdir()
    (cold / "util/src/a/mod.rs").write_text("")
    shutil.rmtree(cold / "target")
    result = lab.cargo(cold, "build", check=False)
    assert result.returncode != 0 and b"E0761" in result.stderr


@pytest.mark.hits
def test_tests_and_checks_come_back_and_run(lab, cold):
    for arguments in (["test", "--no-run"], ["check", "--all-targets"], ["build", "--release"]):
        lab.cargo(cold, *arguments)
        shutil.rmtree(cold / "target")
        lab.forget_events()
        lab.cargo(cold, *arguments)
        assert lab.events() and lab.missed() == [], arguments
    shutil.rmtree(cold / "target")
    assert b"1 passed" in lab.cargo(cold, "test").stdout


def test_lint_levels_decide_about_success(lab, cold):
    shutil.rmtree(cold / "target")
    result = lab.cargo(cold, "build", check=False, RUSTFLAGS="-D warnings")
    assert result.returncode != 0


@pytest.mark.hits
def test_clippy_is_cached_with_its_diagnostics(lab, cold):
    first = lab.cargo(cold, "clippy", check=False)
    if b"no such command" in first.stderr or b"not installed" in first.stderr:
        pytest.skip("this toolchain has no clippy")
    shutil.rmtree(cold / "target")
    lab.forget_events()
    second = lab.cargo(cold, "clippy")
    assert lab.events() and lab.missed() == []
    assert b"unused variable" in second.stderr


@pytest.mark.hits
def test_restored_programs_are_executable_and_not_shared(lab, cold):
    shutil.rmtree(cold / "target")
    lab.cargo(cold, "build")
    rlibs = list((cold / "target/debug/deps").glob("*.rlib"))
    assert rlibs and all(path.stat().st_mode & 0o222 == 0 for path in rlibs)
    app = next(path for path in (cold / "target/debug/deps").glob("app-*") if path.suffix == "")
    assert app.stat().st_mode & 0o111
    # A tool that writes into a program in place does not write into the store.
    with open(app, "r+b") as program:
        program.write(b"garbage")
    shutil.rmtree(cold / "target")
    lab.cargo(cold, "build")
    assert run_app(cold).startswith("a b ")


@pytest.mark.skipif(shutil.which("gdb") is None, reason="no gdb")
def test_gdb_finds_the_sources_of_a_restored_program_in_the_workspace(lab, cold):
    two = relocate(cold, lab.root / "two")
    lab.cargo(two, "build")
    for place, expected in (("app::main", "util::a::name()"), ("util::here", "file!()")):
        result = subprocess.run(["gdb", "-nx", "-batch", "-ex", f"list {place}", "target/debug/app"], cwd=two,
                                capture_output=True, text=True)
        assert expected in result.stdout, result.stdout + result.stderr


@pytest.mark.hits
def test_an_edit_loop_gets_incremental_compilation_back(lab, cold):
    incremental = {"CARGO_INCREMENTAL": "1"}
    lab.cargo(cold, "build", **incremental)
    results = []
    for i in range(4):
        (cold / "app/src/main.rs").write_text(WORKSPACE["app/src/main.rs"] + f"// edit {i}\npub fn edit{i}() {{}}\n")
        lab.forget_events()
        lab.cargo(cold, "build", **incremental)
        results.append([event["result"] for event in lab.events() if event["crate_name"] == "app"])
        run_app(cold)
    assert results[-1] == ["skipped"]
    assert list((cold / "target/debug/incremental").glob("app-*"))
    # What is back as it was is a hit again.
    (cold / "app/src/main.rs").write_text(WORKSPACE["app/src/main.rs"])
    lab.forget_events()
    lab.cargo(cold, "build", **incremental)
    assert [event["result"] for event in lab.events() if event["crate_name"] == "app"] == ["local_hit"]
