"""A compiler that can not be recorded: what is cached by its own word, and what is refused."""
import shutil
import subprocess
import time

import pytest

from laboratory import KACHE, TOOLCHAIN, package, relocate, workspace, write_tree

# Static, and takes the recorder out of the way: as a compiler of another libc does by not loading it.
LAUNCHER = r"""
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv) {
  (void)argc;
  unsetenv("LD_PRELOAD");
  argv[0] = RUSTC;
  execv(RUSTC, argv);
  return 127;
}
"""

TREE = {
    "Cargo.toml": workspace("app", "unit", "user"),
    "unit/Cargo.toml": package("unit"),
    "unit/src/lib.rs": 'mod a;\npub fn said() -> (&\'static str, &\'static str, Option<&\'static str>) '
                       '{ (a::A, include_str!("../text"), option_env!("UNIT_WORD")) }\n',
    "unit/src/a.rs": 'pub const A: &str = "a";\n',
    "unit/text": "text",
    "user/Cargo.toml": package("user", ["unit"]),
    "user/src/lib.rs": "pub fn said() -> String { format!(\"{:?}\", unit::said()) }\n",
    "app/Cargo.toml": package("app", ["user"]),
    "app/src/main.rs": "fn main() { println!(\"{}\", user::said()); }\n",
}


@pytest.fixture
def tree(lab):
    (lab.root / "toolchain" / "bin").mkdir(parents=True)
    (lab.root / "launcher.c").write_text(LAUNCHER)
    launcher = lab.root / "toolchain" / "bin" / "rustc"
    subprocess.run(["gcc", "-static", f'-DRUSTC="{TOOLCHAIN / "rustc"}"', "-o", launcher, lab.root / "launcher.c"], check=True)
    (lab.root / "toolchain" / "lib").symlink_to(TOOLCHAIN.parent / "lib")
    lab.extra_env["RUSTC"] = str(launcher)
    tree = write_tree(lab.root / "tree", TREE)
    # Twice: what reads a file of the same tick of the clock is not stored the first time.
    for _ in range(2):
        lab.cargo(tree, "build")
        shutil.rmtree(tree / "target")
    return tree


def rebuild(lab, tree, **env):
    shutil.rmtree(tree / "target", ignore_errors=True)
    lab.forget_events()
    lab.cargo(tree, "build", **env)
    said = subprocess.run([tree / "target/debug/app"], capture_output=True, text=True, check=True).stdout
    return lab.missed(), said


@pytest.mark.hits
def test_libraries_are_cached_and_programs_are_refused_with_a_reason(lab, tree):
    missed, said = rebuild(lab, tree)
    assert missed == ["app"]
    assert said == '("a", "text", None)\n'
    app = next(event for event in lab.events() if event["crate_name"] == "app")
    assert "what its linker reads is not known" in app["passthrough_reason"]
    missed, _ = rebuild(lab, relocate(tree, lab.root / "two"))
    assert missed == ["app"]


def test_doctor_says_which_compiler_that_is(lab, tree):
    said = subprocess.run([KACHE, "doctor"], env=lab.env(), cwd=lab.root, capture_output=True, text=True).stdout
    line = next(line for line in said.splitlines() if lab.extra_env["RUSTC"] in line)
    assert "BAD" in line and "declared mode" in line
    line = next(line for line in said.splitlines() if f"{TOOLCHAIN}/rustc:" in line)
    assert "ok" in line and line.endswith(": recorded")


@pytest.mark.hits
def test_what_the_compiler_names_is_an_input(lab, tree):
    for change, expected in (
        (lambda: (tree / "unit/src/a.rs").write_text('pub const A: &str = "b";\n'), '("b", "text", None)\n'),
        (lambda: (tree / "unit/text").write_text("new"), '("b", "new", None)\n'),
    ):
        change()
        missed, said = rebuild(lab, tree)
        assert "unit" in missed and said == expected
        assert rebuild(lab, tree)[0] == ["app"]
    for value, expected in (("", 'Some("")'), ("x", 'Some("x")'), (None, "None")):
        assert rebuild(lab, tree, UNIT_WORD=value)[1] == f'("b", "new", {expected})\n'


@pytest.mark.hits
def test_an_archive_that_goes_into_a_library_is_an_input(lab, tree):
    native = lab.root / "native"
    native.mkdir()

    def archive(number):
        (native / "n.c").write_text(f"int number(void) {{ return {number}; }}\n")
        subprocess.run(["gcc", "-c", "n.c", "-o", "n.o"], cwd=native, check=True)
        subprocess.run(["ar", "crsD", "libn.a", "n.o"], cwd=native, check=True)
        (native / "n.o").unlink()

    source = lab.root / "n.rs"
    source.write_text('#[link(name = "n", kind = "static")] extern "C" { fn number() -> i32; }\npub fn n() -> i32 { unsafe { number() } }\n')
    seen = []
    for number in (1, 2, 1):
        archive(number)
        time.sleep(0.02)  # an input of the last tick of the clock would be refused
        out = lab.root / f"out{len(seen)}"
        out.mkdir()
        lab.forget_events()
        result = lab.kache(lab.root, lab.extra_env["RUSTC"], "--crate-name", "n", "--crate-type", "rlib", "--emit=dep-info,link",
                           "-L", f"native={native}", "--out-dir", str(out), "--error-format=json", str(source))
        assert result.returncode == 0, result.stderr
        seen.append((lab.events()[-1]["result"], (out / "libn.rlib").read_bytes()))
    assert [result for result, _ in seen] == ["miss", "miss", "local_hit"]
    assert seen[0][1] != seen[1][1] and seen[0][1] == seen[2][1]


@pytest.mark.hits
def test_what_the_compiler_asks_for_by_itself_is_an_input(lab, tree):
    source = lab.root / "plain.rs"
    source.write_text("#![feature(never_type)]\npub fn f() {}\n")
    time.sleep(0.02)
    seen = []
    for value in ("1", "1", None):
        (lab.root / "out").mkdir(exist_ok=True)
        result = lab.kache(lab.root, lab.extra_env["RUSTC"], "--crate-name", "plain", "--crate-type", "rlib", "--emit=dep-info,metadata",
                           "--out-dir", "out", str(source), RUSTC_BOOTSTRAP=value)
        seen.append((result.returncode, lab.events()[-1]["result"]))
    assert seen == [(0, "miss"), (0, "local_hit"), (1, "error")]
