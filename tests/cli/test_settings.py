"""`kache config`: what is set, where it comes from, and edits that change one value and nothing else."""
import json
import os
import stat
import subprocess
import tomllib

import pytest

from test_commands import KACHE

FILE = """\
# my settings
[cache]           # the store
local_max_size = "20GiB"  # enough
exclude = [
    "a/**",   # first
    'b/**',
]
unknown_to_kache = { a = 1, b = [2, "}"] }

[cc]
prefix_map = "all"
"""


@pytest.fixture
def home(tmp_path):
    class Home:
        path = tmp_path
        work = tmp_path / "work"
        file = tmp_path / ".config/kache/config.toml"

        def run(self, *args, check=None, cwd=None, **env):
            full = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8", **env}
            result = subprocess.run([KACHE, *args], cwd=cwd or self.work, env=full, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            assert check is None or result.returncode == check, result
            return result

        def get(self, key, **env):
            return self.run("config", "get", key, check=0, **env).stdout.rstrip("\n")

        def shown(self, **env):
            answer = json.loads(self.run("config", "show", "--json", check=0, **env).stdout)
            return {row["key"]: row for row in answer["options"]}

        def write(self, text):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.write_text(text, newline="")

        def backups(self):
            return sorted(self.file.parent.glob("config.toml.kache-backup.*"))

    Home.work.mkdir()
    return Home()


def test_every_option_with_its_value_and_source(home):
    home.write(FILE)
    rows = home.shown(KACHE_MIN_FREE_SPACE="2GiB", KACHE_PROGRESS="1")
    assert rows["cache.local_max_size"]["value"] == 20 << 30 and rows["cache.local_max_size"]["default"] == 50 << 30
    assert rows["cache.local_max_size"]["source"] == "file" and rows["cache.local_max_size"]["where"] == f"{home.file}:3"
    assert rows["cache.exclude"]["value"] == ["a/**", "b/**"] and rows["cache.exclude"]["where"] == f"{home.file}:4"
    assert (rows["cache.min_free_space"]["source"], rows["cache.min_free_space"]["where"]) == ("environment", "KACHE_MIN_FREE_SPACE")
    assert rows["KACHE_PROGRESS"]["value"] == "hits" and rows["cache.auto_gc"]["value"] is True
    assert (rows["cache.auto_gc"]["source"], rows["cache.auto_gc"]["where"]) == ("default", None)
    text = home.run("config", "show", "--origin", check=0).stdout
    assert f"{home.file}:3" in next(line for line in text.splitlines() if line.startswith("cache.local_max_size "))
    # Without a terminal there is no editor.
    assert home.run("config", check=0).stdout == home.run("config", "show", check=0).stdout


def test_get_takes_a_key_the_end_of_one_or_a_variable(home):
    home.write(FILE)
    for name in ("cache.local_max_size", "local_max_size", "KACHE_MAX_SIZE"):
        assert home.get(name) == "20GiB"
    assert home.get("exclude") == "a/**\nb/**"
    assert home.get("fallback") == "" and home.get("heartbeat_secs") == "30s"
    answer = json.loads(home.run("config", "get", "exclude", "--json", check=0).stdout)
    assert answer["value"] == ["a/**", "b/**"] and answer["schema_version"] == 1
    for wrong, word in (("cache.local_max_sise", "cache.local_max_size"), ("KACHE_MAXSIZE", "KACHE_MAX_SIZE"), ("excude", "cache.exclude")):
        assert f"did you mean {word}?" in home.run("config", "get", wrong, check=2).stderr
    assert "is not set" in home.run("config", "get", "windows_hardlink", check=1).stderr


def test_set_changes_one_value_and_keeps_the_rest(home):
    home.write(FILE)
    home.file.chmod(0o640)
    said = home.run("config", "set", "local_max_size", "100GiB", check=0).stdout
    assert home.file.read_text() == FILE.replace("20GiB", "100GiB")
    [backup] = home.backups()
    assert backup.read_text() == FILE and str(backup) in said and str(home.file) in said
    assert stat.S_IMODE(home.file.stat().st_mode) == stat.S_IMODE(backup.stat().st_mode) == 0o640
    home.run("config", "set", "cache.exclude", "x y", 'quote"d', check=0)
    after = home.file.read_text()
    assert tomllib.loads(after)["cache"]["exclude"] == ["x y", 'quote"d']
    assert "# my settings" in after and "# the store" in after and "# enough" in after and 'unknown_to_kache = { a = 1, b = [2, "}"] }' in after
    home.run("config", "unset", "exclude", check=0)
    assert "exclude" not in home.file.read_text() and home.get("exclude") == ""
    assert len(home.backups()) == 3 and home.backups()[0].read_text() == FILE


@pytest.mark.parametrize("text", [FILE.replace("\n", "\r\n"), "[cache]", "cache.auto_gc = true\n", "cache = { auto_gc = true } # x\n",
                                  "cache = {}\n", "[cache.remote]\nbucket = 'b'\n", "\ufeff[cache]\nx = 1\n", "[[x]]\na = 1\n", "# only words",
                                  "[other]\nlocal_max_size = 1\n", '["cache"]\n"local_max_size" = "1GiB"\n', "[cache]\nlocal_max_size='''1GiB'''#\n"])
def test_set_in_files_of_every_shape(home, text):
    home.write(text)
    before = tomllib.loads(text.lstrip("\ufeff"))
    home.run("config", "set", "local_max_size", "7GiB", check=0)
    after = home.file.read_bytes().decode()
    meant = json.loads(json.dumps(before))
    meant.setdefault("cache", {})["local_max_size"] = "7GiB"
    assert tomllib.loads(after.lstrip("\ufeff").replace("\r\n", "\n")) == meant
    assert ("\r\n" in text) == ("\r\n" in after) and after.count("\r\n") in (0, after.count("\n"))
    assert home.get("local_max_size") == "7GiB"
    home.run("config", "unset", "local_max_size", check=0)
    meant["cache"].pop("local_max_size")
    left = tomllib.loads(home.file.read_bytes().decode().lstrip("\ufeff").replace("\r\n", "\n"))
    assert {k: v for k, v in left.items() if v} == {k: v for k, v in meant.items() if v}


def test_values_of_every_type(home):
    for key, words, value, shown in (
            ("auto_gc", ["off"], False, "false"), ("gc_max_age_hours", ["2w"], 336, "336h"), ("heartbeat_secs", ["007"], 7, "7s"),
            ("min_store_compile_ms", ["1.5s"], 1500, "1500ms"), ("event_log_keep_lines", ["5"], 5, "5"), ("min_free_space", ["5 gb"], "5 gb", "5000000000"),
            ("key_salt", ["a \"b\" \\c"], "a \"b\" \\c", "a \"b\" \\c"), ("fallback", ["sccache", "--x"], "sccache --x", "sccache --x"),
            ("bypass_argv", ["-flto", "a,b"], ["-flto", "a,b"], "-flto\na,b"), ("bypass_env", [""], [], ""), ("exclude", ['["a", "b"]'], ["a", "b"], "a\nb"),
            ("local_store", ["~/cache"], "~/cache", f"{home.path}/cache"), ("prefix_map", ["off"], "off", "off"),
            ("extra_allowlist_flags", ["-Wl,-z", "-O2"], ["-Wl,-z", "-O2"], "-Wl,-z\n-O2"), ("base_dirs", ["/b/", "/a"], ["/b/", "/a"], "/a\n/b"),
            ("remote.bucket", ["b"], "b", "b"), ("prefetch_enabled", ["no"], False, "false")):
        home.run("config", "set", key, *words, check=0)
        table = tomllib.loads(home.file.read_text())
        values = {**table.get("cache", {}), **table.get("cc", {}), **table.get("paths", {}), **{f"remote.{k}": v for k, v in table["cache"].get("remote", {}).items()}}
        assert values[key] == value, key
        assert home.get(key) == shown, key
    assert "good" in home.run("config", "check", check=0).stdout


def test_what_can_not_be_set_changes_nothing(home):
    home.write(FILE)
    for args, status, words in (
            (["local_max_size", "much"], 2, "expected a size"), (["auto_gc", "perhaps"], 2, "true or false"), (["auto_gc"], 2, "say which value"),
            (["auto_gc", "yes", "no"], 2, "one value"), (["base_dirs", "here"], 2, "absolute"), (["gc_max_age_hours", "soon"], 2, "span of time"),
            (["heartbeat_secs", "-1"], 2, "span of time"), (["prefix_map", "some"], 2, "debug, all or off"), (["nosuch", "1"], 2, "no option nosuch"),
            (["KACHE_PROGRESS", "1"], 2, "export it"), (["local_store", "here"], 2, "absolute path"), (["prefetch_max_bytes", "lots"], 2, "a size")):
        result = home.run("config", "set", *args, check=status)
        assert words in result.stderr and result.stderr.count("\n") == 1, result.stderr
    assert home.file.read_text() == FILE and home.backups() == []


def test_a_broken_file_is_left_alone_and_its_place_is_named(home):
    for text, place in (("[cache]\nlocal_max_size = \n", ":2:"), ("[cache\n", ":1:"), ("cache = 1\n", ""), ("[[cache]]\nauto_gc = true\n", "")):
        home.write(text)
        result = home.run("config", "set", "local_max_size", "1GiB", check=1)
        assert str(home.file) in result.stderr and result.stderr.count("\n") == 1
        assert home.file.read_text() == text and home.backups() == []
        if place:
            assert f"{home.file}{place}" in home.run("config", "check", check=1).stdout


def test_links_stay_links_and_a_new_file_is_made(home):
    real = home.path / "dotfiles/kache.toml"
    real.parent.mkdir()
    real.write_text(FILE)
    home.file.parent.mkdir(parents=True)
    home.file.symlink_to(real)
    home.run("config", "set", "auto_gc", "false", check=0)
    assert home.file.is_symlink() and "auto_gc = false" in real.read_text()
    assert home.run("config", "path", check=0).stdout == f"{home.file}\n"
    other = home.path / "new/dir/c.toml"
    home.run("config", "set", "auto_gc", "false", check=0, KACHE_CONFIG=str(other))
    assert other.read_text() == "[cache]\nauto_gc = false\n"
    home.run("config", "set", "--file", "here.toml", "auto_gc", "true", check=0)
    assert (home.work / "here.toml").read_text() == "[cache]\nauto_gc = true\n"
    (home.work / ".kache.toml").write_text("[cache]\n")
    home.run("config", "set", "auto_gc", "true", check=0)
    assert (home.work / ".kache.toml").read_text() == "[cache]\nauto_gc = true\n"
    assert home.run("config", "path", check=0).stdout == f"{home.work}/.kache.toml\n"
    assert json.loads(home.run("config", "path", "--json", check=0, KACHE_CONFIG="/nonexistent/x").stdout)["exists"] is False


def test_a_directory_that_can_not_be_written_is_an_error(home):
    home.write(FILE)
    for place in (home.work, "/dev/null", "/proc/x/y"):
        result = home.run("config", "set", "--file", str(place), "auto_gc", "true", check=1)
        assert result.stderr.startswith("kache: ") and result.stderr.count("\n") == 1


def test_check_names_file_line_column_and_the_key_that_was_meant(home):
    home.write("[cache]\nlocal_max_sise = '1GiB'\nauto_gc = 1.5\nheartbeat_secs = '5x'\nexclude = [['a']]\nremote = { bucket = 'b' }\n"
               "  key_salt = 7\n[cash]\nx = 1\n")
    result = home.run("config", "check", check=1)
    lines = result.stdout.splitlines()
    assert lines[0] == f"{home.file}:2:1: unknown key cache.local_max_sise; did you mean cache.local_max_size?"
    assert [line.split(": ")[0] for line in lines] == [f"{home.file}:{place}" for place in ("2:1", "3:1", "4:1", "5:1", "9:1")]
    answer = json.loads(home.run("config", "check", "--json", check=1).stdout)
    assert answer["problems"][0]["suggestion"] == "cache.local_max_size" and answer["problems"][0]["key"] == "cache.local_max_sise"
    assert [problem["line"] for problem in answer["problems"]] == [2, 3, 4, 5, 9] and answer["ok"] is False
    # A bad value does not take the others along.
    assert home.shown()["cache.key_salt"]["value"] == "7"
    assert "KACHE_MAX_SIZE: expected a size" in home.run("config", "check", check=1, KACHE_MAX_SIZE="much").stdout
    rules = home.work / "kache.toml"
    rules.write_text("extra_inputs = ['a/**']\nextra_input = 1\n")
    assert f"{rules}:2:1: unknown key extra_input" in home.run("config", "check", "kache.toml", check=1).stdout
    assert "no such file" in home.run("config", "check", check=1, KACHE_CONFIG="/nonexistent/x").stdout
    assert str(home.work) in home.run("config", "check", str(home.work), check=1).stdout


def test_ignore_env_makes_the_file_win_and_says_so_once(home):
    home.write("[cache]\nignore_env = true\nlocal_max_size = '20GiB'\n")
    env = {"KACHE_MAX_SIZE": "7GiB", "KACHE_AUTO_GC": "0", "KACHE_CACHE_DIR": str(home.path / "elsewhere"), "KACHE_PROGRESS": "all"}
    rows = home.shown(**env)
    assert rows["cache.local_max_size"]["value"] == 20 << 30 and rows["cache.auto_gc"]["value"] is True
    assert rows["cache.local_store"]["value"] == f"{home.path}/.cache/kache"
    assert rows["KACHE_PROGRESS"]["value"] == "all"  # a variable without a key
    said = home.run("stats", check=0, **env).stderr
    assert said.count("\n") == 1 and all(name in said for name in ("KACHE_MAX_SIZE", "KACHE_AUTO_GC", "KACHE_CACHE_DIR", "ignore_env"))
    assert "KACHE_PROGRESS" not in said and "/ 20.0 GiB" in home.run("stats", **env).stdout
    assert home.run("stats").stderr == ""
    assert "wins" not in home.run("config", "set", "local_max_size", "21GiB", check=0, **env).stdout
    home.run("config", "set", "ignore_env", "false", check=0, **env)
    assert "KACHE_MAX_SIZE is set in the environment, and wins" in home.run("config", "set", "local_max_size", "22GiB", check=0, **env).stdout
    assert home.get("local_max_size", **env) == "7GiB"


def test_spans_of_time(home):
    for span in ("45s", "30m", "24h", "7d", "2w", "12", "1h30m", "1.5h", "0"):
        assert home.run("stats", "--since", span).returncode == 0, span
        assert home.run("gc", "--max-age", span).returncode == 0, span
    for span in ("5x", "-1h", "soon", ""):
        result = home.run("stats", "--since", span)
        assert result.returncode == 2 and "2w" in result.stderr, span


def test_rules_for_extra_inputs_of_a_tree_are_checked(home):
    file = home.work / ".kache.toml"
    file.write_text('[workspace]\nmembers = []\n[[workspace.extra_inputs]]\ncrates = ["a"]\npaths = ["sql/**"]\npropagate_to_dependents = true\n')
    assert "good" in home.run("config", "check", check=0).stdout
    for text, place, words in (("[workspace]\nextra_inputs = ['../x']\n", ":2:1", "below the directory"), ("[workspace]\nextra_inputs = ['/etc/*']\n", ":2:1", "below"),
                               ("[[workspace.extra_inputs]]\npath = ['x']\n", ":2:1", "unknown key"), ("[workspace]\nextra_inputs = [[1]]\n", ":2:1", "texts"),
                               ("[[workspace.extra_inputs]]\npaths = ['x']\npropagate_to_dependents = 'perhaps'\n", ":3:1", "true or false")):
        file.write_text(text)
        said = home.run("config", "check", check=1).stdout
        assert f"{file}{place}: workspace.extra_inputs" in said and words in said, said


def test_a_secret_is_given_to_who_asks_for_it_only(home):
    home.write("[cache.planner]\ntoken = 'geheim'\n")
    for command in (["config", "show", "--origin"], ["config", "show", "--json"], ["doctor"], ["doctor", "--json"]):
        said = home.run(*command, check=0)
        assert "geheim" not in said.stdout + said.stderr and "cache.planner.token" in said.stdout
    assert home.get("cache.planner.token") == "geheim"


def test_passwords_of_remotes_are_not_shown(home):
    home.write("[cache]\nremotes = ['redis://ci:hunter2@host/0?ttl=7d', '/mnt/a:b@c', 's3://bucket/a@b:c']\n")
    for command in (("config", "show"), ("config", "show", "--json"), ("doctor",), ("doctor", "--json")):
        said = home.run(*command).stdout
        assert "hunter2" not in said, command
    shown = home.run("config", "show", "--json").stdout
    assert "redis://ci:***@host/0?ttl=7d" in shown and "/mnt/a:b@c" in shown and "s3://bucket/a@b:c" in shown


def test_what_is_set_is_repeated_without_its_secrets(home):
    home.write("[cache]\n")
    home.file.chmod(0o644)
    for key, value in (("cache.remotes", "https://ci:hunter2@host/kache"), ("cache.planner.token", "hunter2")):
        said = home.run("config", "set", key, value).stdout + home.run("config", "set", key, value).stdout
        assert "hunter2" not in said and key in said
        assert f"chmod 600 {home.file}" in said
        assert "hunter2" in home.get(key)
    home.file.chmod(0o600)
    assert "chmod" not in home.run("config", "set", "cache.remotes", "redis://ci:hunter3@host").stdout
    home.file.chmod(0o644)
    assert "chmod" not in home.run("config", "set", "cache.remotes", "/mnt/a").stdout
