"""What the configuration does to a build; and that no configuration, however broken, fails one."""
import os
import shutil
import subprocess

import pytest

from laboratory import KACHE, package, relocate, workspace, write_tree

TREE = {
    "Cargo.toml": workspace("app", "unit"),
    "unit/Cargo.toml": package("unit"),
    "unit/src/lib.rs": "pub fn one() -> u8 { 1 }\n",
    "app/Cargo.toml": package("app", ["unit"]),
    "app/src/main.rs": 'fn main() { println!("{}", unit::one()); }\n',
}

# As text, or as what stands in the place of the file.
BROKEN = {
    "no TOML": "[cache\n",
    "not UTF-8": b"[cache]\nkey_salt = '\xff\xfe'\n",
    "zeros": b"\0" * 100,
    "a list for a size": "[cache]\nlocal_max_size = ['1GiB']\n",
    "a list for a switch": "[cache]\nauto_gc = [true, false]\n",
    "a list for a path": "[cache]\nlocal_store = ['/a', '/b']\n",
    "a list for a text": "[cache]\nkey_salt = ['a']\n",
    "a text for a list": "[cache]\nbypass_crates = 'nobody'\n",
    "a number for a text": "[cache]\nkey_salt = 7\n",
    "a table for a text": "[cache]\nkey_salt = { a = 1 }\n",
    "a list of lists": "[cache]\nexclude = [['a'], ['b']]\n",
    "a float": "[cache]\nheartbeat_secs = 1.5\n",
    "a date": "[cache]\nheartbeat_secs = 2026-01-01\n",
    "a negative number": "[cache]\nheartbeat_secs = -1\n",
    "an enormous size": "[cache]\nlocal_max_size = '999999999999999999TiB'\n",
    "a relative place": "[paths]\nbase_dirs = ['here', '/']\n",
    "unknown keys": "[cash]\nlocal_store = '/x'\n[cache]\nlocal_maxsize = '1GiB'\n",
    "deep nesting": "[" + ".".join("abcdefgh" * 20) + "]\nx = 1\n",
    "a very long line": "[cache]\nkey_salt = '" + "x" * 100_000 + "'\n",
}


@pytest.fixture
def tree(lab):
    return write_tree(lab.root / "tree", TREE)


def doctor(lab, **env):
    return subprocess.run([KACHE, "doctor"], env=lab.env(**env), cwd=lab.root, capture_output=True, text=True)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_fails_no_build_and_is_reported(lab, tree, name):
    text = BROKEN[name]
    path = lab.home / ".config/kache/config.toml"
    path.parent.mkdir(parents=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    lab.cargo(tree, "build")
    assert {event["result"] for event in lab.events()} <= {"miss", "local_hit", "dup", "passthrough"}
    said = doctor(lab).stderr
    harmless = name in ("a number for a text", "a text for a list", "a very long line")
    assert (str(path) in said) != harmless, said
    if name == "unknown keys":
        assert "did you mean cache.local_max_size?" in said


def test_a_file_that_can_not_be_read_fails_no_build(lab, tree):
    place = lab.home / "config.toml"
    for make in (lambda: place.mkdir(), lambda: place.symlink_to(place.name), lambda: os.mkfifo(place), lambda: place.symlink_to("/dev/zero"),
                 lambda: None):
        make()
        lab.cargo(tree, "build", KACHE_CONFIG=str(place))
        assert str(place) in doctor(lab, KACHE_CONFIG=str(place)).stderr
        shutil.rmtree(tree / "target")
        if place.is_dir() and not place.is_symlink():
            place.rmdir()
        else:
            place.unlink(missing_ok=True)


@pytest.mark.hits
def test_one_bad_value_does_not_take_the_others_along(lab, tree):
    path = lab.home / ".config/kache/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[cache]\nlocal_max_size = ['1GiB']\nbypass_crates = ['unit']\n")
    lab.cargo(tree, "build")
    shutil.rmtree(tree / "target")
    lab.forget_events()
    lab.cargo(tree, "build")
    assert lab.missed() == ["unit"]


@pytest.mark.hits
def test_a_changed_file_counts_at_once(lab, tree):
    path = lab.home / ".config/kache/config.toml"
    path.parent.mkdir(parents=True)
    for text, expected in (("", []), ("[cache]\nbypass_crates = ['unit']\n", ["unit"]), ("[cache]\nexclude = ['**/app/**']\n", ["app"]),
                           ("[cache]\nexclude = ['$HERE/unit/**']\n", ["unit"]), ("[cache]\ncache_executables = false\n", ["app"]),
                           ("[cache]\nbypass_argv = ['src/main.rs']\n", ["app"]), ("[cache]\nbypass_env = ['HERE']\n", ["app", "unit"]),
                           ("[cache]\nbypass_env = ['HERE=elsewhere']\n", [])):
        path.write_text(text)
        lab.cargo(tree, "build", HERE=str(tree))
        shutil.rmtree(tree / "target")
        lab.forget_events()
        lab.cargo(tree, "build", HERE=str(tree))
        assert lab.missed() == expected, text
        shutil.rmtree(tree / "target")


@pytest.mark.hits
def test_a_variable_that_only_names_files_says_so(lab):
    """A macro of another crate makes the include, where reading the sources says nothing."""
    files = {
        "Cargo.toml": workspace("macros", "made"),
        "macros/Cargo.toml": package("macros"),
        "macros/src/lib.rs": '#[macro_export] macro_rules! bring { ($n:literal) => { include!(concat!(env!("OUT_DIR"), $n)); } }\n',
        "made/Cargo.toml": package("made", ["macros"]),
        "made/build.rs": 'fn main() {\n    let out = std::env::var("OUT_DIR").unwrap();\n'
                         '    std::fs::write(format!("{out}/made.rs"), "pub const MADE: u8 = 1;\\n").unwrap();\n'
                         '    println!("cargo:rerun-if-changed=build.rs");\n}\n',
        "made/src/lib.rs": 'macros::bring!("/made.rs");\n',
    }
    for setting, expected in ((None, ["made"]), ("made:OUT_DIR", [])):
        one = write_tree(lab.root / f"one{len(expected)}", files)
        lab.cargo(one, "build", KACHE_PATH_ONLY_ENV_VARS=setting, KACHE_KEY_SALT=str(setting))
        two = relocate(one, lab.root / f"two{len(expected)}")
        lab.forget_events()
        lab.cargo(two, "build", KACHE_PATH_ONLY_ENV_VARS=setting, KACHE_KEY_SALT=str(setting))
        assert lab.missed() == expected


def test_incremental_state_stays_unless_asked_otherwise(lab, tree):
    incremental = tree / "target/debug/incremental"

    def states(prefix):
        return [path.name for path in incremental.glob(f"{prefix}-*")] if incremental.exists() else []

    lab.cargo(tree, "build", CARGO_INCREMENTAL="1", KACHE_DISABLED="1")
    assert states("unit") and states("app")
    for clean in (None, "1"):
        (tree / "unit/src/lib.rs").write_text(f"pub fn one() -> u8 {{ 1 }}\n// {clean}\n")
        lab.cargo(tree, "build", CARGO_INCREMENTAL="1", KACHE_CLEAN_INCREMENTAL=clean)
        assert bool(states("unit")) == (clean is None)
