"""What must be compiled again because something changed, and what must not."""
import os
import shutil
import subprocess
import unicodedata

import pytest

from laboratory import package, relocate, workspace, write_tree

TREE = {
    "Cargo.toml": workspace("app", "unit", "idle") + "[profile.dev]\nopt-level = 0\n",
    "unit/Cargo.toml": package("unit", features="loud = []"),
    "unit/src/lib.rs": 'mod plain;\n#[path = "odd/place.rs"]\nmod moved;\n'
                       'pub fn words() -> String {\n'
                       '    let loud = if cfg!(feature = "loud") { "loud" } else { "quiet" };\n'
                       '    format!("{} {} {} {} {} {:?} {loud} {}", plain::WORD, moved::WORD, include_str!("../shared/text.txt").trim(),\n'
                       '            include_bytes!("../shared/data.bin").len(), include_str!("../shared/caf\u00e9.txt").trim(),\n'
                       '            option_env!("UNIT_WORD"), cfg!(debug_assertions))\n}\n',
    "unit/src/plain.rs": 'pub const WORD: &str = "plain";\n',
    "unit/src/odd/place.rs": 'pub const WORD: &str = "moved";\n',
    "unit/shared/text.txt": "text\n",
    "unit/shared/data.bin": "12345",
    "unit/shared/caf\u00e9.txt": "composed\n",
    "idle/Cargo.toml": package("idle"),
    "idle/src/lib.rs": "pub fn idle() {}\n",
    "app/Cargo.toml": package("app", ["unit", "idle"], features='loud = ["unit/loud"]'),
    "app/src/main.rs": 'fn main() { idle::idle(); println!("{}", unit::words()); }\n',
}
FIRST = "plain moved text 5 composed None quiet true\n"


@pytest.fixture
def tree(lab):
    lab.count_compiles()
    lab.tree = write_tree(lab.root / "tree", TREE)
    assert unicodedata.normalize("NFC", "caf\u00e9") == "caf\u00e9"
    lab.cargo(lab.tree, "build")
    return lab


def said(tree, profile="debug"):
    return subprocess.run([tree / "target" / profile / "app"], capture_output=True, text=True, check=True).stdout


EDITS = {
    "a module": ("unit/src/plain.rs", 'pub const WORD: &str = "other";\n', "other moved text 5 composed None quiet true\n"),
    "a module elsewhere": ("unit/src/odd/place.rs", 'pub const WORD: &str = "went";\n', "plain went text 5 composed None quiet true\n"),
    "an included text": ("unit/shared/text.txt", "new\n", "plain moved new 5 composed None quiet true\n"),
    "included bytes": ("unit/shared/data.bin", "123", "plain moved text 3 composed None quiet true\n"),
    "same size": ("unit/shared/text.txt", "tekst", "plain moved tekst 5 composed None quiet true\n"),
}


@pytest.mark.hits
@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_compiles_the_crate_and_what_links_it(tree, edit):
    name, text, expected = EDITS[edit]
    assert said(tree.tree) == FIRST
    original = (tree.tree / name).read_text()
    (tree.tree / name).write_text(text)
    assert tree.rebuild(tree.tree) == ["app", "unit"]
    assert said(tree.tree) == expected
    # Taken back, it is the old result again, and no compile.
    (tree.tree / name).write_text(original)
    assert tree.rebuild(tree.tree) == []
    assert said(tree.tree) == FIRST


@pytest.mark.hits
def test_touching_is_no_change(tree):
    for path in tree.tree.rglob("*.rs"):
        os.utime(path)
    assert tree.rebuild(tree.tree) == []


def test_equal_size_and_time_is_still_a_change(tree):
    path = tree.tree / "unit/shared/text.txt"
    before = os.stat(path)
    path.write_text("tEXT\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    tree.rebuild(tree.tree)
    assert " tEXT " in said(tree.tree)
    # And by a rename over it.
    other = tree.tree / "unit/shared/other"
    other.write_text("Text\n")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.rename(other, path)
    tree.rebuild(tree.tree)
    assert " Text " in said(tree.tree)


def test_a_new_module_is_seen(tree):
    library = tree.tree / "unit/src/lib.rs"
    library.write_text("pub mod added;\n" + library.read_text())
    (tree.tree / "unit/src/added.rs").write_text("")
    assert "unit" in tree.rebuild(tree.tree)
    library.write_text(library.read_text().replace("plain::WORD", "added::WORD"))
    (tree.tree / "unit/src/added.rs").write_text('pub const WORD: &str = "added";\n')
    assert "unit" in tree.rebuild(tree.tree)
    assert said(tree.tree).startswith("added ")


def test_a_renamed_asset_is_a_failed_compile_as_without_kache(tree):
    os.rename(tree.tree / "unit/shared/text.txt", tree.tree / "unit/shared/renamed.txt")
    shutil.rmtree(tree.tree / "target")
    result = tree.cargo(tree.tree, "build", check=False)
    assert result.returncode != 0 and b"text.txt" in result.stderr
    library = tree.tree / "unit/src/lib.rs"
    library.write_text(library.read_text().replace("text.txt", "renamed.txt"))
    assert "unit" in tree.rebuild(tree.tree)
    assert said(tree.tree) == FIRST


def test_names_that_differ_in_normalisation_only_are_two_files(tree):
    composed, decomposed = "caf\u00e9.txt", unicodedata.normalize("NFD", "caf\u00e9.txt")
    (tree.tree / "unit/shared" / decomposed).write_text("decomposed\n")
    library = tree.tree / "unit/src/lib.rs"
    original = library.read_text()
    library.write_text(original.replace(composed, decomposed))
    tree.rebuild(tree.tree)
    assert " decomposed " in said(tree.tree)
    library.write_text(original)
    tree.rebuild(tree.tree)
    assert said(tree.tree) == FIRST


@pytest.mark.hits
def test_a_variable_has_three_kinds_of_values(tree):
    for value, shown in ((None, "None"), ("", 'Some("")'), ("x", 'Some("x")'), ("y", 'Some("y")')):
        tree.rebuild(tree.tree, UNIT_WORD=value)
        assert f" {shown} " in said(tree.tree)
    for value, shown in ((None, "None"), ("", 'Some("")'), ("x", 'Some("x")')):
        assert tree.rebuild(tree.tree, UNIT_WORD=value) == []
        assert f" {shown} " in said(tree.tree)


@pytest.mark.hits
def test_features_and_profiles_do_not_answer_each_other(tree):
    shapes = {
        "feature": (["build", "--features", "app/loud"], "debug", "loud true"),
        "release": (["build", "--release"], "release", "quiet false"),
    }
    for args, profile, expected in shapes.values():
        compiled = tree.rebuild(tree.tree, *args)
        assert "unit" in compiled and "app" in compiled
        assert said(tree.tree, profile).endswith(expected + "\n")
    for args, profile, expected in shapes.values():
        assert tree.rebuild(tree.tree, *args) == []
        assert said(tree.tree, profile).endswith(expected + "\n")
    assert tree.rebuild(tree.tree) == []
    assert said(tree.tree) == FIRST


@pytest.mark.hits
def test_checks_and_builds_do_not_answer_each_other(tree):
    """And metadata without content, as tests and programs have it, is no reason to compile."""
    write_tree(tree.tree, {
        "unit/tests/outside.rs": "#[test] fn outside() { assert!(unit::words().len() > 3); }\n",
        "unit/examples/show.rs": "fn main() { println!(\"{}\", unit::words()); }\n",
        "unit/benches/slow.rs": "fn main() {}\n",
    })
    checked = tree.rebuild(tree.tree, "check", "--all-targets")
    assert {"unit", "idle", "app", "outside", "show", "slow"} <= set(checked)
    empty = [path for path in (tree.tree / "target/debug/deps").glob("*.rmeta") if path.stat().st_size == 0]
    assert empty
    assert tree.rebuild(tree.tree, "check", "--all-targets") == []
    assert all(path.exists() for path in empty)
    assert tree.rebuild(tree.tree) == []
    assert said(tree.tree) == FIRST


FLAG_SOUP = ["-C", "debuginfo=1", "-Cforce-frame-pointers=yes", "--cfg", "soup", '--cfg=taste="salt"', "-C", "symbol-mangling-version=v0",
             "-C", "link-arg=-Wl,-z,relro", "-Clink-args=-Wl,-O1 -Wl,--as-needed", "-A", "dead_code", "--cap-lints=warn", "-C", "opt-level=1",
             "-Copt-level=0", "--codegen", "overflow-checks=on", "-Cllvm-args=--inline-threshold=100", "-g"]


@pytest.mark.hits
def test_a_soup_of_flags_does_not_switch_caching_off(tree):
    soup = "\x1f".join(FLAG_SOUP)
    assert "unit" in tree.rebuild(tree.tree, CARGO_ENCODED_RUSTFLAGS=soup)
    assert tree.rebuild(tree.tree, CARGO_ENCODED_RUSTFLAGS=soup) == []
    two = relocate(tree.tree, tree.root / "two")
    assert tree.rebuild(two, CARGO_ENCODED_RUSTFLAGS=soup) == []
    assert said(two) == FIRST


@pytest.mark.hits
def test_one_more_flag_is_another_question(tree):
    soup = "\x1f".join(FLAG_SOUP)
    tree.rebuild(tree.tree, CARGO_ENCODED_RUSTFLAGS=soup)
    for more in ("--cfg\x1fmore", "-Cllvm-args=--unroll-threshold=77", "-Cno-vectorize-loops"):
        assert "unit" in tree.rebuild(tree.tree, CARGO_ENCODED_RUSTFLAGS=f"{soup}\x1f{more}"), more
        assert tree.rebuild(tree.tree, CARGO_ENCODED_RUSTFLAGS=f"{soup}\x1f{more}") == [], more
    assert tree.rebuild(tree.tree, CARGO_ENCODED_RUSTFLAGS=soup) == []


@pytest.mark.hits
@pytest.mark.parametrize("spelling", ["-Cinstrument-coverage", "-Cinstrument_coverage", "-Cinstrument-coverage=off"])
def test_coverage_is_another_question_and_keeps_real_paths(tree, spelling):
    assert "unit" in tree.rebuild(tree.tree, RUSTFLAGS=spelling)
    assert tree.rebuild(tree.tree, RUSTFLAGS=spelling) == []
    covered = not spelling.endswith("off")
    rlib = next((tree.tree / "target/debug/deps").glob("libunit-*.rlib"))
    if covered:
        # The mapping names the sources for the coverage tool, which does not know of remapping.
        assert b"/proc/self/cwd" not in rlib.read_bytes()
    two = relocate(tree.tree, tree.root / "two")
    assert ("unit" in tree.rebuild(two, RUSTFLAGS=spelling)) == covered
