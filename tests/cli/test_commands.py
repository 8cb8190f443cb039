"""The commands, in an empty home."""
import json
import os
import pathlib
import subprocess

import pytest

BUILD = pathlib.Path(os.environ.get("KACHE_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))
KACHE = BUILD / "bin" / "kache"


@pytest.fixture
def kache(tmp_path):
    def run(*args, stdin="", **env):
        full = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8", **env}
        return subprocess.run([KACHE, *args], cwd=tmp_path, env=full, input=stdin, capture_output=True, text=True)
    run.home = tmp_path
    return run


def test_version_and_help(kache):
    assert kache("--version").stdout.startswith("kache 0.")
    for command in ("stats", "list", "report", "why-miss", "gc", "purge", "doctor", "init"):
        assert command in kache("--help").stdout
        assert kache(command, "--help").returncode == 0


def test_no_word_and_a_wrong_one(kache):
    assert kache().returncode == 0 and kache().stdout.rstrip("\n") == kache("help").stdout.rstrip("\n") == kache("--help").stdout.rstrip("\n")
    assert kache("help", "gc").stdout.rstrip("\n") == kache("gc", "--help").stdout.rstrip("\n")
    for args in (("nosuch",), ("ld", "-r", "a.o", "-o", "b.o")):
        result = kache(*args)
        assert result.returncode == 2 and f"{args[0]} is no command" in result.stderr and f"kache /path/to/{args[0]}" in result.stderr
    for args, word in ((("--nosuch",), "--nosuch"), (("help", "nosuch"), "nosuch")):
        result = kache(*args)
        assert result.returncode == 2 and word in result.stderr and "/path/to" not in result.stderr


def test_wrong_usage_is_2_and_says_what_is_right(kache):
    for args, word in ((["nosuch"], ""), (["gc", "--max-age", "5x"], "24h"), (["list", "--sort", "x"], "size"),
                       (["report", "--format", "x"], "json"), (["report", "--since", "x"], "7d"), (["why-miss"], "NAME")):
        result = kache(*args)
        assert result.returncode == 2, args
        assert word in result.stderr


def test_an_empty_store_is_no_error_and_is_not_created(kache):
    assert kache("list").stdout == "No cached entries.\n"
    assert "No cached entries for 'x'" in kache("list", "x").stdout
    assert "Time saved: n/a" in kache("stats").stdout and "Remote:     not configured" in kache("stats").stdout
    assert "No events found for x" in kache("why-miss", "x").stdout
    for command in (["gc"], ["purge", "--yes"], ["purge", "--dry-run"], ["doctor", "--verify"]):
        assert kache(*command).returncode == 0
    report = json.loads(kache("report", "--format", "json").stdout)
    for name in ("schema_version", "meta", "summary", "timeline", "timing", "storage", "prefetch", "top_misses", "top_hits",
                 "all_events", "traceEvents", "displayTimeUnit", "bypass", "errors_detail", "suggestions"):
        assert name in report
    assert not (kache.home / ".cache" / "kache").exists()


def test_events_of_others_and_torn_lines_are_passed_over(kache):
    log = kache.home / ".cache" / "kache" / "events.jsonl"
    log.parent.mkdir(parents=True)
    good = ('{"ts":"2199-01-01T00:00:00Z","crate_name":"x","result":"local_hit","elapsed_ms":1,"size":2,'
            '"compile_time_ms":100,"unknown":[1]}\n')
    log.write_bytes(b'{"event":"heartbeat"}\n' + b'{"ts":"2026' + b"\n" + b"\xff\xfe\n[]\n" + good.encode() +
                    b'{"ts":"2026-01-01T00:00:00Z","crate_na' + good.encode())
    summary = json.loads(kache("report", "--format", "json").stdout)["summary"]
    assert summary["local_hits"] == 2 and summary["time_saved_ms"] == 200 and summary["hit_rate_pct"] == 100.0


@pytest.mark.parametrize("text", ["", "[build]\njobs = 2\n", "# note\r\n[build]\r\njobs = 2", "[net]\nretry = 2",
                                  '[build]\nrustc-wrapper   =  "other" # keep\n[net]\n'])
def test_init_changes_one_value_and_nothing_else(kache, text):
    config = kache.home / ".cargo" / "config.toml"
    config.parent.mkdir()
    config.write_bytes(text.encode())
    assert kache("init", "--check").returncode == 0
    assert config.read_bytes() == text.encode()
    assert kache("init").returncode == 1  # no answer is no consent
    assert config.read_bytes() == text.encode()
    assert kache("init", "-y").returncode == 0
    after = config.read_text()
    assert f'"{KACHE}"' in after
    for line in text.splitlines():
        assert line in after or "other" in line
    assert "# keep" in after or "# keep" not in text
    assert list(config.parent.glob("config.toml.kache-backup.*"))
    assert "already uses" in kache("init", "-y").stdout
    assert config.read_text() == after


def test_init_leaves_alone_what_it_can_not_edit(kache):
    config = kache.home / ".cargo" / "config.toml"
    config.parent.mkdir()
    for text in ('build = { jobs = 4 }\n', "[build\n"):
        config.write_text(text)
        result = kache("init", "-y")
        assert result.returncode == 1 and "config.toml" in result.stderr
        assert config.read_text() == text


def test_a_broken_configuration_file_is_named(kache):
    path = kache.home / ".kache.toml"
    path.write_text("[cache]\nlocal_max_size = \n")
    result = kache("stats")
    assert result.returncode == 0 and ".kache.toml:2" in result.stderr
    path.write_text('[cache]\nlocal_max_size = "5 GiB"\n')
    assert "/ 5.0 GiB" in kache("stats").stdout
    assert "/ 7.0 GiB" in kache("stats", KACHE_MAX_SIZE="7GiB").stdout
    result = kache("stats", KACHE_MAX_SIZE="much")
    assert "/ 5.0 GiB" in result.stdout and "KACHE_MAX_SIZE" in result.stderr


def test_purge_asks_first(kache, tmp_path):
    source = tmp_path / "my-unit.c"
    source.write_text("int a;\n")
    assert kache("gcc", "-c", str(source), "-o", str(tmp_path / "a.o")).returncode == 0
    refused = kache("purge")
    assert refused.returncode == 2 and "1 entry" in refused.stderr and "--yes" in refused.stderr
    assert kache("purge", "-n").stdout.startswith("Would remove the whole store: 1 entry (")
    assert kache("purge", "-n", "--crate-name", str(source)).stdout.startswith("Would remove 'my-unit.c': 1 entry (")
    assert kache("purge", "-n", "--crate-name", "other").stdout.startswith("Would remove 'other': 0 entries")
    assert "my-unit.c" in kache("list").stdout
    answered = {}
    for answer in ("n\n", "", "y\n"):
        script = subprocess.run(["script", "-qec", f"{KACHE} purge --crate-name my-unit.c", "/dev/null"], input=answer, env={**os.environ, "HOME": str(kache.home)},
                                capture_output=True, text=True)
        answered[answer] = script.returncode
        left = "my-unit.c" in kache("list").stdout
        assert left == (answer != "y\n"), script.stdout
    assert answered == {"n\n": 1, "": 1, "y\n": 0}


def test_stats_and_list_for_programs(kache, tmp_path):
    assert json.loads(kache("stats", "--json").stdout)["store"]["entries"] == 0
    assert json.loads(kache("list", "--json").stdout)["entries"] == []
    (tmp_path / "a.c").write_text("int a;\n")
    for _ in range(2):
        kache("gcc", "-c", "a.c", "-o", "a.o")
    stats = json.loads(kache("stats", "--json").stdout)
    assert stats["store"]["entries"] == 1 and stats["store"]["bytes"] > 0
    assert (stats["local_hits"], stats["misses"], stats["hit_rate_pct"]) == (1, 1, 50.0)
    (entry,) = json.loads(kache("list", "--json").stdout)["entries"]
    assert entry["unit"] == "a.c" and entry["hits"] == 1 and len(entry["cache_key"]) == 64
    assert json.loads(kache("list", "other", "--json").stdout)["entries"] == []
