"""`kache why-miss` for a source file of C: a real miss, and the text names the thing that changed. And the words for units."""
import os
import subprocess
import time

import pytest

from test_commands import KACHE


@pytest.fixture
def tree(tmp_path):
    class Tree:
        root, home = tmp_path / "tree", tmp_path / "home"

        def run(self, *args, **env):
            full = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", **env}
            result = subprocess.run([KACHE, *args], cwd=self.root, env=full, capture_output=True, text=True)
            assert result.returncode == 0, result.stderr
            return result.stdout

        def write(self, name, text):
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            time.sleep(0.02)

        def compile(self, *flags, **env):
            self.run("gcc", *flags, "-Iearly", "-Ilate", "-c", "src/my-file.c", "-o", "my-file.o", **env)

        def why(self, name="my-file.c"):
            """What stands below the diagnosis."""
            text = self.run("why-miss", name)
            return [line.strip() for line in text.split("Diagnosis:")[1].split("\n\n")[0].splitlines()[1:]]

    tree = Tree()
    tree.home.mkdir()
    (tmp_path / "tree/early").mkdir(parents=True)
    tree.write("src/my-file.c", '#include "h.h"\nint a(void) { return H; }\n')
    tree.write("late/h.h", "#define H 1\n")
    tree.compile()
    return tree


def change_header(tree):
    tree.write("late/h.h", "#define H 2\n")
    tree.compile()
    return f"file {tree.root}/late/h.h"


def change_source(tree):
    tree.write("src/my-file.c", "int b;\n")
    tree.compile()
    return f"file {tree.root}/src/my-file.c"


def change_variable(tree):
    tree.compile(CPATH="/nowhere")
    return 'variable CPATH: unset -> "/nowhere"'


def add_shadow(tree):
    tree.write("early/h.h", "#define H 3\n")
    tree.compile()
    return f"new file {tree.root}/early/h.h"


def add_shadow_after_others(tree):
    """The newest result differs in two things, the nearest in one."""
    tree.compile(CPATH="/nowhere")
    return add_shadow(tree)


def add_flag(tree):
    tree.compile("-DX=1")
    return "new:  argv: -DX=1"


@pytest.mark.parametrize("change", [change_header, change_source, change_variable, add_shadow, add_shadow_after_others, add_flag])
def test_the_thing_that_changed_is_named(tree, change):
    expected = change(tree)
    assert tree.why() == [expected]
    # By its path as well, which is what a build prints.
    assert tree.why("src/my-file.c") == [expected]
    assert f"Built in: {tree.root}" in tree.run("why-miss", "my-file.c")


def test_a_changed_and_a_dropped_flag(tree):
    tree.compile("-O1")
    assert tree.why() == ["new:  argv: -O1"]
    tree.compile("-O1", "-DX")
    tree.compile("-O1", "-DY")
    assert tree.why() == ["new:  argv: -DY"] or set(tree.why()) == {"new:  argv: -DY", "gone: argv: -DX"}


def test_explain_miss_says_it_at_once(tree):
    tree.write("late/h.h", "#define H 2\n")
    full = {"PATH": os.environ["PATH"], "HOME": str(tree.home), "KACHE_EXPLAIN_MISS": "1"}
    args = ["gcc", "-Iearly", "-Ilate", "-c", "src/my-file.c", "-o", "my-file.o"]
    said = subprocess.run([KACHE, *args], cwd=tree.root, env=full, capture_output=True, text=True).stderr
    assert said == f"[kache] miss: my-file.c (changed: file {tree.root}/late/h.h)\n"


def test_names_that_no_event_has(tree):
    assert "there is one called my-file.c" in tree.run("why-miss", "my-file")
    text = tree.run("why-miss", "other.c")
    assert "cargo" not in text and "kache doctor" in text
    assert "cargo build -p other" in tree.run("why-miss", "other")


def test_a_source_file_is_called_no_crate(tree):
    tree.write("late/h.h", "#define H 2\n")
    tree.compile()
    for command in (("report",), ("list",), ("list", "my-file.c"), ("stats",), ("why-miss", "my-file.c")):
        assert "crate" not in tree.run(*command).lower().replace("a crate, or a source file", ""), command
    assert "Unit:     my-file.c" in tree.run("list", "src/my-file.c")
    assert "2 entries" in tree.run("list") and "units cached" in tree.run("report")


def test_help_names_the_ways_of_c(tree):
    text = tree.run("--help")
    for way in ("RUSTC_WRAPPER=kache", 'CC="kache cc"', "CMAKE_C_COMPILER_LAUNCHER=kache", "install-shims"):
        assert way in text
