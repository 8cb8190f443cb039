"""The editor of `kache config`, on a terminal of its own."""
import subprocess
import tomllib

import pytest

from test_commands import KACHE
from test_settings import FILE
from tmux import screen


@pytest.fixture
def home(tmp_path):
    class Home:
        path = tmp_path
        work = tmp_path / "work"
        file = tmp_path / ".config/kache/config.toml"

        def write(self, text):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.write_text(text)

        def edit(self, width=100, height=30, **env):
            return screen([KACHE, "config"], self.work, {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **env}, width, height)

        def backups(self):
            return sorted(self.file.parent.glob("config.toml.kache-backup.*"))

    Home.work.mkdir()
    return Home()


def go_to(shown, name):
    """Down until the facts below the list are those of this option; the cursor is shown in reverse."""
    for _ in range(80):
        colours = [line for line in shown.colours().split("\n") if "\x1b[7m" in line or ";7m" in line]
        if any(f" {name} " in line for line in colours):
            return
        before = shown.colours()
        shown.keys("Down")
        shown.wait_for(lambda _: shown.colours() != before, "the cursor moves", 5)
    raise AssertionError(f"no {name}")


def test_change_save_and_nothing_else_changes(home):
    home.write(FILE)
    with home.edit() as shown:
        shown.wait("kache config", "[cache]", "local_max_size", "20GiB", "config.toml:3", "unknown key cache.unknown_to_kache")
        go_to(shown, "local_max_size")
        shown.keys("Enter")
        shown.wait("Enter keep")
        shown.keys(*["BSpace"] * 5)
        shown.type("nonsense")
        shown.keys("Enter")
        shown.wait("expected", "size")
        shown.keys("Escape")
        shown.wait_gone("Enter keep")
        assert "20GiB" in shown.line_of("local_max_size")
        shown.keys("Enter", "Home", "Delete")
        shown.type("3")
        shown.keys("Enter")
        shown.wait("[*] unsaved", "30GiB", "not saved")
        go_to(shown, "explain_miss")
        shown.keys("Space")
        shown.wait("*  explain_miss")
        shown.keys("s")
        shown.wait("Write it? The old file is kept. (y/n)")
        assert home.file.read_text() == FILE
        shown.keys("y")
        shown.wait("Saved! The old file is config.toml.kache-backup.")
        shown.wait_gone("unsaved")
        shown.keys("q")
        assert shown.ended()[0] == 0
    text = home.file.read_text()
    kept = [line for line in FILE.splitlines() if "20GiB" not in line]
    assert [line for line in text.splitlines() if line in kept] == kept and "# enough" in text
    values = tomllib.loads(text)["cache"]
    assert values["local_max_size"] == "30GiB" and values["explain_miss"] is True and values["unknown_to_kache"] == {"a": 1, "b": [2, "}"]}
    assert [backup.read_text() for backup in home.backups()] == [FILE]


def test_lists_and_defaults(home):
    home.write(FILE)
    with home.edit() as shown:
        shown.wait("local_max_size")
        go_to(shown, "exclude")
        assert '["a/**", "b/**"]' in shown.line_of("exclude")
        shown.keys("Enter")
        shown.wait("Enter keep")
        shown.keys("BSpace")
        shown.keys("Enter")
        shown.wait("expected a list")
        shown.type(', "with, comma"]')
        shown.keys("Enter")
        shown.wait("not saved")
        go_to(shown, "prefix_map")
        shown.keys("u")
        shown.wait("default, not saved")
        shown.keys("C-s")
        shown.wait("(y/n)")
        shown.keys("y")
        shown.wait("Saved!")
        shown.keys("q")
        assert shown.ended()[0] == 0
    values = tomllib.loads(home.file.read_text())
    assert values["cache"]["exclude"] == ["a/**", "b/**", "with, comma"] and values["cc"] == {}


def test_what_the_environment_sets_is_locked(home):
    with home.edit(KACHE_MAX_SIZE="7GiB") as shown:
        shown.wait("7GiB", "env KACHE_MAX_SIZE")
        shown.keys("Home", "Down")
        shown.wait_for(lambda _: "min_free_space" in next(line for line in shown.colours().split("\n") if "7m" in line), "the locked one is passed over")
        shown.keys("End", "Enter")
        shown.wait("only the variable KACHE_", "[environment]")
        shown.keys("q")
        assert shown.ended()[0] == 0
    assert not home.file.exists()


def test_a_secret_is_neither_shown_nor_overwritten_by_what_is_shown(home):
    home.write("[cache]\nremotes = ['redis://ci:hunter2@host']\n")
    with home.edit(height=90, KACHE_PLANNER_TOKEN="hunter2") as shown:
        text = shown.wait("redis://ci:***@host", "(set)")
        with pytest.raises(AssertionError):
            go_to(shown, "remotes")
        text += shown.text()
        shown.keys("q")
        shown.ended()
    assert "hunter2" not in text


def test_a_first_file_is_made_without_asking(home):
    with home.edit() as shown:
        shown.wait("cache_executables")
        go_to(shown, "auto_gc")
        shown.keys("Space", "s")
        shown.wait("Saved!")
        shown.keys("Space", "s")
        shown.wait("(y/n)")
        shown.keys("y")
        shown.wait("Saved! The old file")
        shown.keys("Escape")
        assert shown.ended()[0] == 0
    assert tomllib.loads(home.file.read_text()) == {"cache": {"auto_gc": True}}


@pytest.mark.parametrize("key", ["q", "Escape", "C-c"])
def test_unsaved_changes_are_asked_about(home, key):
    with home.edit() as shown:
        shown.wait("auto_gc")
        go_to(shown, "auto_gc")
        shown.keys("Space")
        shown.wait("unsaved")
        shown.keys(key)
        shown.wait("Unsaved changes. Quit? (y/n)")
        shown.keys("n")
        shown.wait_gone("(y/n)")
        shown.keys(key)
        shown.wait("(y/n)")
        shown.keys("y")
        assert shown.ended()[0] == 0
    assert not home.file.exists()


def test_a_broken_file_is_not_written_over(home):
    home.write("[cache\nlocal_max_size = 1\n")
    with home.edit() as shown:
        shown.wait("kache config", ":1:")
        go_to(shown, "auto_gc")
        shown.keys("Space", "s")
        shown.wait("(y/n)")
        shown.keys("y")
        shown.wait("Save failed:")
        shown.keys("q", "y")
        shown.ended()
    assert home.file.read_text() == "[cache\nlocal_max_size = 1\n" and home.backups() == []


def test_what_somebody_else_wrote_meanwhile_stays(home):
    home.write("[cache]\n")
    with home.edit() as shown:
        shown.wait("auto_gc")
        home.write("[cache]\n# theirs\n")
        go_to(shown, "auto_gc")
        shown.keys("Space", "s")
        shown.wait("(y/n)")
        shown.keys("y")
        shown.wait("Save failed:", "changed meanwhile")
        shown.keys("q", "y")
    assert home.file.read_text() == "[cache]\n# theirs\n"


def test_small_and_resized(home):
    with home.edit(width=40, height=8) as shown:
        shown.wait("local_store")
        shown.keys("End")
        shown.wait("KACHE_EVENT_ROOT")
        shown.resize(80, 24)
        shown.wait("KACHE_EVENT_ROOT", "the build tree")
        shown.keys("Tab")
        shown.wait("[cache]", "local_store")
        shown.resize(10, 3)
        shown.resize(80, 24)
        shown.wait("[cache]")
        shown.keys("q")
        assert shown.ended()[0] == 0


def test_without_a_terminal_it_shows(home):
    full = {"PATH": "/usr/bin:/bin", "HOME": str(home.path)}
    result = subprocess.run([KACHE, "config"], cwd=home.work, env=full, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert result.returncode == 0 and "cache.local_max_size" in result.stdout and "\x1b" not in result.stdout
