"""Builds: what belongs together, what is listed, and what two of them did otherwise. The log is written by hand."""
import datetime
import json
import os
import pathlib
import subprocess

import pytest

BUILD = pathlib.Path(os.environ.get("KACHE_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))
KACHE = BUILD / "bin" / "kache"
NOW = datetime.datetime.now(datetime.timezone.utc)


class Log:
    """A home with an event log; times are seconds before now."""

    def __init__(self, home):
        self.home, self.lines = home, []
        self.path = home / ".cache" / "kache" / "events.jsonl"
        self.path.parent.mkdir(parents=True)

    def add(self, crate, ago, result="miss", elapsed_ms=100, compile_ms=90, session=None, tool=None, root="/w/app", **fields):
        ts = (NOW - datetime.timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        event = {"ts": ts, "crate_name": crate, "root": root, "result": result, "elapsed_ms": elapsed_ms, "compile_time_ms": compile_ms,
                 "size": 10, "cache_key": "ab" * 32, "schema": 16, **fields}
        if session:
            event |= {"session_id": session, "build_tool": tool or "cargo"}
        self.lines.append(json.dumps(event))
        self.path.write_text("\n".join(self.lines) + "\n")

    def kache(self, *args):
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8"}
        return subprocess.run([KACHE, *args], cwd=self.home, env=env, capture_output=True, text=True)

    def json(self, *args):
        result = self.kache(*args)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def builds(self, *args):
        return self.json("builds", "--json", *args)["builds"]


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path)


def test_a_session_is_a_build_and_two_side_by_side_are_two(log):
    log.add("a", 60, session="x-1-1")
    log.add("b", 59, session="x-2-2", tool="ninja", root="/w/lib")
    log.add("c", 58, "local_hit", session="x-1-1")
    log.add("d", 57, "error", session="x-2-2", tool="ninja", root="/w/lib")
    log.add("___", 56, session="x-3-3")  # a cargo that only asked
    last, before = log.builds()
    assert (last["number"], last["session_id"], last["tool"], last["root"]) == (1, "x-2-2", "ninja", "/w/lib")
    assert (last["units"], last["hits"], last["misses"], last["failed"]) == (2, 0, 1, 1)
    assert (before["session_id"], before["units"], before["hits"], before["misses"], before["hit_rate_pct"]) == ("x-1-1", 2, 1, 1, 50.0)
    assert before["compile_time_ms"] == 90 and before["time_saved_ms"] == 90 and before["duration_ms"] == 2100
    text = log.kache("builds").stdout.splitlines()
    assert len(text) == 3 and "/w/lib" in text[1] and "50.0%" in text[2]
    assert [build["session_id"] for build in log.builds("--root", "/w/app")] == ["x-1-1"]


def test_a_build_is_that_of_its_crates_whatever_their_build_scripts_compile(log):
    log.add("app", 60, session="x-1-1", crate_type="bin")
    for unit in ("zstd.c", "huf.c", "fse.c"):
        log.add(unit, 61, session="x-1-1", crate_type="c", root="/registry/zstd-sys")
        log.add(unit, 50, session="x-2-2", tool="make", crate_type="c", root="/w/zstd")
    log.add("bindings", 50, session="x-2-2", tool="make", crate_type="lib", root="/w/zstd/rust")
    assert [build["root"] for build in log.builds()] == ["/w/zstd", "/w/app"]


def test_a_long_pause_ends_a_script_and_what_has_no_session_but_no_make(log):
    for tool, session in (("make", "x-1-1"), ("bash", "x-2-2"), (None, None)):
        for ago in (4000, 3950, 1000):
            log.add("a", ago, session=session, tool=tool, root=f"/w/{tool}")
    log.add("b", 3940, root="/w/other")
    by_root = {}
    for build in log.builds():
        by_root.setdefault(build["root"], []).append((build["session_id"], build["units"]))
    assert by_root["/w/make"] == [("x-1-1", 3)]
    assert by_root["/w/bash"] == [("x-2-2.2", 1), ("x-2-2", 2)]
    assert [units for name, units in by_root["/w/None"]] == [1, 2] and len(by_root["/w/other"]) == 1


def test_reports_and_stats_of_one_build(log):
    log.add("old", 90000, session="x-1-1")
    log.add("a", 60, session="x-2-2")
    log.add("b", 50, "local_hit", session="x-2-2")
    for args, names in ((["--last-build"], ["a", "b"]), (["--build", "2"], ["old"]), (["--build", "x-1-1"], ["old"]), (["--build", "x-2"], ["a", "b"])):
        report = log.json("report", "--format", "json", *args)
        assert [event["crate_name"] for event in report["all_events"]] == names
    assert report["meta"]["build"]["number"] == 1 and report["meta"]["build"]["session_id"] == "x-2-2"
    assert "build 2: cargo in /w/app" in log.kache("report", "--build", "2").stdout.splitlines()[0]
    assert "local: 0, prefetch: 0, remote: 0, dup: 0, miss: 1)" in log.kache("stats", "--build", "2").stdout
    assert "Hit rate:   50.0%" in log.kache("stats", "--last-build").stdout


def test_a_build_that_is_not_there(log):
    assert log.kache("report", "--last-build").returncode == 1 and "doctor" in log.kache("report", "--last-build").stderr
    assert log.kache("builds").stdout == "No builds recorded.\n" and log.builds() == []
    log.add("a", 60, session="x-1-1")
    log.add("b", 50, session="x-1-2")
    for which, word in (("3", "1 (the last one) to 2"), ("0", "no build"), ("nosuch", "kache builds"), ("x-", "2 builds"), ("99999999999", "no build")):
        for command in (["report", "--build", which], ["stats", "--build", which], ["diff", which]):
            result = log.kache(*command)
            assert result.returncode == 2 and word in result.stderr and result.stdout == "", command
    assert log.kache("diff").returncode == 0
    log.add("c", 40, session="x-1-3", root="/w/new")
    assert log.kache("diff").returncode == 1 and "/w/new" in log.kache("diff").stderr


def test_diff_says_what_newly_missed_and_why(log):
    for crate, key in (("kept", "k1"), ("edited", "k2"), ("gone", "k3"), ("broken", "k4")):
        log.add(crate, 600, "local_hit", 2, 500, "x-1-1", invocation_key=key)
    log.add("slow", 590, "miss", 1000, 900, "x-1-1", invocation_key="k5")
    log.add("elsewhere", 300, session="x-2-2", root="/w/other")
    log.add("kept", 60, "local_hit", 2, 500, "x-3-3", invocation_key="k1")
    log.add("edited", 59, "miss", 600, 550, "x-3-3", invocation_key="k2", miss_reason=["file src/edited.rs", "variable CFLAGS"])
    log.add("broken", 58, "error", 600, 550, "x-3-3", invocation_key="k4")
    log.add("slow", 57, "miss", 4000, 3900, "x-3-3", invocation_key="k5")
    log.add("fresh", 56, "miss", 4000, 3900, "x-3-3", invocation_key="k6")
    diff = log.json("diff", "--json")
    names = lambda key: [unit["crate_name"] for unit in diff[key]]
    assert diff["before"]["session_id"] == "x-1-1" and diff["after"]["session_id"] == "x-3-3"
    assert names("newly_missed") == ["edited"] and diff["newly_missed"][0]["why"] == ["file src/edited.rs", "variable CFLAGS"]
    assert names("newly_failed") == ["broken"] and names("slower") == names("missed_again") == ["slow"] and names("faster") == []
    assert names("appeared") == ["fresh"] and names("vanished") == ["gone"]
    text = log.kache("diff").stdout
    assert "edited - 550ms  [file src/edited.rs, variable CFLAGS]" in text and "slow - 900ms -> 3.9s" in text
    assert "Hit rate:     80.0% -> 25.0%" in text
    # From 1 to 3, the other way round; and what is the same in both.
    back = log.json("diff", "1", "3", "--json")
    assert [unit["crate_name"] for unit in back["newly_hit"]] == ["broken", "edited"] and [unit["crate_name"] for unit in back["faster"]] == ["slow"]
    log.add("kept", 10, "local_hit", 2, 500, "x-4-4", invocation_key="k1")
    assert "No unit was treated otherwise." in log.kache("diff", "1", "1").stdout


def test_units_of_one_name_are_told_apart_by_their_command_lines(log):
    for key in ("k1", "k2", "k3"):
        log.add("build_script_build", 600, "local_hit", 2, 500, "x-1-1", invocation_key=key)
    for key, result in (("k3", "local_hit"), ("k1", "miss"), ("k2", "local_hit")):
        log.add("build_script_build", 60, result, 2, 500, "x-2-2", invocation_key=key)
    diff = log.json("diff", "--json")
    assert len(diff["newly_missed"]) == 1 and not diff["appeared"] and not diff["vanished"] and not diff["newly_hit"]


def test_lines_with_absurd_numbers_and_sessions_break_nothing(log):
    log.add("a", 60, elapsed_ms=2**63, session="../../x", tool="\x1b[31m<b>")
    log.add("b", 60, elapsed_ms=-1, session="../../x")
    log.lines.append('{"ts":"2026-01-01T00:00:00Z","crate_name":"c","result":"miss","elapsed_ms":1,"size":1,"session_id":5,"build_tool":null}')
    log.add("d", 60)
    assert sum(build["units"] for build in log.builds()) == 4
    assert log.kache("diff", "1", "2").returncode == 0
    assert "\x1b" not in log.kache("builds").stdout + log.kache("diff", "1", "2").stdout + log.kache("report", "--build", "..").stdout
