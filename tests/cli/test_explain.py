"""`kache explain` and the chain that `kache why-miss` follows: what made a file, and which unit a miss goes back to."""
import json
import os
import shutil
import subprocess
import time

import pytest

from test_commands import KACHE


class Tree:
    def __init__(self, path):
        self.root, self.home = path / "tree", path / "home"
        self.home.mkdir()
        self.root.mkdir()
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", "GIT_CONFIG_GLOBAL": "/dev/null",
                    "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", os.path.expanduser("~/.rustup"))}

    def run(self, *args, status=0, **env):
        result = subprocess.run(args, cwd=self.root, env={**self.env, **env}, capture_output=True, text=True)
        assert result.returncode == status, result.stdout + result.stderr
        return result.stdout + result.stderr

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        time.sleep(0.02)


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


def test_an_object_is_explained(tree):
    tree.write("h.h", "#define H 1\n")
    tree.write("a.c", '#include "h.h"\nint a(void) { return H; }\n')
    for _ in range(2):
        tree.run(KACHE, "gcc", "-O1", "-c", "a.c", "-o", "out.o", CPATH="")
    text = tree.run(KACHE, "explain", "out.o", "--inputs")
    assert "object of a.c" in text and "as it was stored" in text and f"Built in:  {tree.root}" in text
    assert "Restored:  1 times" in text and "-O1" in text and "/h.h" in text and "CPATH" in text
    found = json.loads(tree.run(KACHE, "explain", "out.o", "--json"))["origins"]
    assert [origin["unit"] for origin in found] == ["a.c"] and found[0]["content_matches"]
    assert any(item["path"].endswith("h.h") and item["kind"] == "file" for item in found[0]["inputs"])


def test_a_file_that_was_changed_since_is_said_to_be(tree):
    tree.write("a.c", "int a;\n")
    tree.run(KACHE, "gcc", "-c", "a.c")
    (tree.root / "a.o").write_bytes(b"other")
    assert "NOT as it was stored" in tree.run(KACHE, "explain", "a.o")


def test_a_file_of_unknown_origin(tree):
    tree.write("notes.txt", "nothing")
    assert "notes.txt: nothing in the store is like it" in tree.run(KACHE, "explain", "notes.txt", status=1)
    assert "none" in tree.run(KACHE, "explain", "none", status=1)
    assert "not a regular file" in tree.run(KACHE, "explain", ".", status=1)


def test_a_file_that_two_units_made_names_both(tree):
    tree.write("a.c", "int same;\n")
    tree.run(KACHE, "gcc", "-c", "a.c", "-o", "one.o")
    tree.run(KACHE, "gcc", "-DUNUSED", "-c", "a.c", "-o", "two.o")
    assert len(json.loads(tree.run(KACHE, "explain", "two.o", "--json"))["origins"]) == 2


def test_a_program_missed_because_of_a_header(tree):
    """The link saw another object; the object was made of another header."""
    tree.write("h.h", "#define H 1\n")
    tree.write("a.c", '#include "h.h"\nint main(void) { return H; }\n')
    for value in (1, 2):
        tree.write("h.h", f"#define H {value}\n")
        tree.run(KACHE, "gcc", "-c", "a.c", "-o", "a.o")
        tree.run(KACHE, "gcc", "a.o", "-o", "app")
    text = tree.run(KACHE, "why-miss", "app")
    assert f"file {tree.root}/a.o" in text.split("Diagnosis")[1]
    assert "root: a.c -- its own inputs changed:\n    file " + f"{tree.root}/h.h" in text and "via: app <- a.c" in text
    said = json.loads(tree.run(KACHE, "why-miss", "app", "--json"))
    assert [cause["via"] for cause in said["causes"]] == [["app", "a.c"]]
    # The unit is also known by what it made, and by its key.
    assert tree.run(KACHE, "why-miss", "a.o") == tree.run(KACHE, "why-miss", "a.c")
    assert tree.run(KACHE, "why-miss", said["cache_key"][:10]).split("Last events")[0] == text.split("Last events")[0]


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
def test_the_lines_that_changed_are_shown_where_git_knows_them(tree):
    tree.write("a.c", "int a;\nint b;\nint c;\n")
    tree.run("git", "init", "-q", ".")
    tree.run("git", "add", "a.c")
    tree.run("git", "-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "first")
    tree.run(KACHE, "gcc", "-c", "a.c")
    tree.write("a.c", "int a;\nlong b;\nint c;\n")
    tree.run(KACHE, "gcc", "-c", "a.c")
    assert "a.c\n      -int b;\n      +long b;\n" in tree.run(KACHE, "why-miss", "a.c")
    # A terminal would obey an escape; a tab is only wide.
    tree.run("git", "add", "a.c")
    tree.run("git", "-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "second")
    tree.write("a.c", "int a;\nlong b; /* \x1b[31m */\n\tint c;\n")
    tree.run(KACHE, "gcc", "-c", "a.c")
    text = tree.run(KACHE, "why-miss", "a.c")
    assert "+long b; /* \\x1b[31m */\n" in text and "+    int c;\n" in text and "\x1b" not in text
    # What was built from is gone; better no diff than a wrong one.
    tree.write("a.c", "int z;\n")
    assert "int z" not in tree.run(KACHE, "why-miss", "a.c")


def test_values_that_may_be_secret_are_not_shown(tree):
    tree.write("src/lib.rs", 'pub const A: Option<&str> = option_env!("PLAIN");\npub const B: Option<&str> = option_env!("API_TOKEN");\n')
    tree.write("Cargo.toml", '[package]\nname = "part"\nversion = "0.1.0"\nedition = "2021"\n')
    cargo = {"RUSTC_WRAPPER": str(KACHE), "CARGO_HOME": os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo")), "CARGO_NET_OFFLINE": "true"}
    for plain, token in (("one", "hidden1"), ("two", "hidden2")):
        tree.run("cargo", "build", "-q", PLAIN=plain, API_TOKEN=token, **cargo)
    text = tree.run(KACHE, "why-miss", "part")
    assert 'variable PLAIN: "one" -> "two"' in text and "variable API_TOKEN\n" in text
    assert text == tree.run(KACHE, "why-miss", "src/lib.rs")
    # It is in the library, where the compiler put it, and in nothing that kache writes of itself.
    cache = tree.home / ".cache/kache"
    assert subprocess.run(["grep", "-rq", "hidden1", cache / "v1/traces", cache / "events.jsonl"], check=False).returncode == 1
    assert subprocess.run(["grep", "-rq", "one", cache / "v1/traces"], check=False).returncode == 0


def test_cargo_goes_through_kache_for_once(tree):
    tree.write("src/lib.rs", "pub fn f() {}\n")
    tree.write("Cargo.toml", '[package]\nname = "part"\nversion = "0.1.0"\nedition = "2021"\n')
    env = {"CARGO_HOME": os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo")), "CARGO_NET_OFFLINE": "true"}
    tree.run(KACHE, "cargo", "--", "build", "-q", **env)
    assert "part" in tree.run(KACHE, "list")
    assert "no such command" in tree.run(KACHE, "cargo", "no-such-command", status=101, **env)
    assert "kache itself" in tree.run(KACHE, "cargo", "build", status=1, KACHE_REAL_CARGO=str(KACHE), **env)
    assert "not found" in tree.run(KACHE, "cargo", "build", status=1, CARGO="no-cargo-of-this-name", **env)
