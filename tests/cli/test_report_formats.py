"""The forms of a report, over a log that is written by hand."""
import json
import re
import subprocess

import pytest

from test_builds import KACHE, NOW, Log

HOSTILE = '</script><script>alert(1)</script>|"`*[x](y)\n\\'


@pytest.fixture
def log(tmp_path):
    log = Log(tmp_path)
    for i in range(12):
        log.add(f"hit{i}", 100 - i, "local_hit", 3, 1000 + i, "x-1-1", key_ms=1, lookup_ms=1, restore_ms=1, copied_bytes=10)
    log.add("edited", 80, "miss", 2500, 2400, "x-1-1", miss_reason=["file /home/u/my app/src/edited.rs", "variable CFLAGS"], key_ms=1,
            store_ms=20, store_output_blobs=1, store_copied_bytes=10)
    log.add(HOSTILE, 79, "miss", 900, 800, "x-1-1")
    log.add("broken", 78, "error", 300, 300, "x-1-1", exit_code=1)
    log.add("odd", 77, "passthrough", 1, 0, "x-1-1", passthrough_reason="policy|bypass rule: env: SECRET=hush /etc/odd.h")
    return log


def report(log, form, *args):
    result = log.kache("report", "--format", form, *args)
    assert result.returncode == 0 and result.stderr == "", result.stderr
    return result.stdout


def rows_of(table):
    """Of a Markdown table: the cells of each row, as GitHub splits them."""
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines() if line.startswith("|")]


def test_github_begins_as_its_readers_expect_and_advertises_nothing(log):
    text = report(log, "github")
    lines = text.splitlines()
    assert lines[0] == "### kache build cache" and lines[2].startswith("**85.7%** hit rate - 12/14 cacheable crates from cache, 2 compiled | **")
    assert lines[4:6] == ["| | |", "|---|---|"]
    labels = [line.split("**")[1] for line in lines if line.startswith("| **")]
    assert labels == ["Window", "Crates", "Hit rate", "Compile work avoided", "Cache hit overhead", "Miss compile work", "Errors", "Passthroughs / skipped"]
    titles = re.findall(r"<details><summary><strong>(.*?)</strong>", text)
    assert titles == ["Top compiled cache-key misses", "Causes", "Expensive cache hits", "Passthroughs & skips", "Errors",
                      "Storage", "Timing & Prefetch"]
    assert text.count("<details>") == text.count("</details>") and "action" not in lines[-1]
    assert report(log, "gh") == text


@pytest.mark.parametrize("form", ["markdown", "github"])
def test_names_stay_in_their_cells(log, form):
    text = report(log, form)
    assert "<script" not in text and "alert(1)" in text
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        rows = rows_of(block)
        assert len({len(row) for row in rows}) == 1, block
    assert report(log, "md") == report(log, "markdown")


def test_markdown_has_its_sections(log):
    text = report(log, "markdown")
    assert re.findall(r"^#+ .*", text, re.M) == [
        "### kache build report", "#### Summary", "#### Timing", "#### Storage", "#### Causes", "#### Passthroughs & Skips", "#### Errors",
        "#### Top Compiled Cache-Key Misses", "#### Top Cache Hits"]
    causes = rows_of(text.split("#### Causes")[1].split("####")[0])
    assert ["file changed", "/home/u/my app/src/edited.rs", "1", "2.4s", "edited"] in causes


def test_trace_names_its_lanes_and_shows_the_phases_within_each_unit(log):
    trace = json.loads(report(log, "trace"))
    assert trace["displayTimeUnit"] == "ms"
    events = trace["traceEvents"]
    assert events[0] == {"name": "process_name", "ph": "M", "pid": 1, "tid": 0, "args": {"name": "kache"}}
    lanes = [event["args"]["name"] for event in events if event["name"] == "thread_name"]
    slices = [event for event in events if event["ph"] == "X"]
    units = [event for event in slices if ":" in event["name"]]
    assert lanes == [f"worker {i}" for i in range(len(lanes))] and {unit["tid"] for unit in units} == set(range(len(lanes)))
    assert len(units) == 16 and {event["name"] for event in slices} - {unit["name"] for unit in units} == {"key", "lookup", "restore", "store", "compile"}
    for unit in units:
        inner = [event for event in slices if event not in units and event["tid"] == unit["tid"] and unit["ts"] <= event["ts"] < unit["ts"] + unit["dur"]]
        end = unit["ts"]
        for event in inner:
            assert event["args"]["crate_name"] == unit["args"]["crate_name"] and event["ts"] == end
            end = event["ts"] + event["dur"]
        assert end <= unit["ts"] + unit["dur"]
        if unit["name"] == "miss: edited":
            assert [(event["name"], event["dur"]) for event in inner] == [("key", 1000), ("compile", 2400000), ("store", 20000)]
    # No two units of one lane at a time.
    for lane in range(len(lanes)):
        mine = sorted((unit["ts"], unit["dur"]) for unit in units if unit["tid"] == lane)
        assert all(a[0] + a[1] <= b[0] for a, b in zip(mine, mine[1:]))
    assert report(log, "perfetto") == report(log, "chrome-trace") == report(log, "trace")
    inside = json.loads(report(log, "json"))["traceEvents"]
    assert len(inside) == 16 and all(event["ph"] == "X" for event in inside)


def test_an_unknown_form_names_the_known(log):
    result = log.kache("report", "--format", "pdf")
    assert result.returncode == 2 and result.stdout == ""
    assert all(name in result.stderr for name in ("text", "json", "markdown", "github", "trace", "html"))


def test_fail_under_is_a_gate(log):
    assert log.kache("report", "--fail-under", "85").returncode == 0
    result = log.kache("report", "--fail-under", "85.8", "--format", "json")
    assert result.returncode == 3 and "85.7%" in result.stderr and json.loads(result.stdout)["schema_version"] == 1
    for value in ("101", "-1", "x"):
        assert log.kache("report", "--fail-under", value).returncode == 2
    # Nothing to judge is no failure.
    assert log.kache("report", "--fail-under", "100", "--since", "1s").returncode == 0


def test_output_to_a_file_is_whole_or_not_there(log):
    result = log.kache("report", "--format", "github", "-o", "out.md")
    assert result.returncode == 0 and result.stdout == "" and (log.home / "out.md").read_text() == report(log, "github")
    assert log.kache("report", "-o", "nowhere/out.md").returncode == 1
    assert sorted(path.name for path in log.home.iterdir()) == [".cache", "out.md"]


def test_a_report_that_can_not_be_written_is_no_success(log):
    with open("/dev/full", "w") as full:
        result = subprocess.run([KACHE, "report"], env={"PATH": "/usr/bin:/bin", "HOME": str(log.home)}, stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 1 and "standard output: No space left" in result.stderr


@pytest.mark.parametrize("form", ["text", "json", "markdown", "github", "trace", "html"])
def test_redacted_reports_hold_no_directories_and_no_values(log, form):
    log.add("at_home", 70, session="x-1-1", root=str(log.home / "private dir"), store_error=f"{log.home}/private dir/x: no space")
    plain, redacted = report(log, form, "--last-build"), report(log, form, "--last-build", "--redact")
    assert "/w/app" in plain
    for secret in ("hush", "/home/u", "/etc", str(log.home), "/w/"):
        assert secret not in redacted, secret
    assert "at_home" in redacted
    if form == "text":
        assert "edited.rs" in redacted


def test_causes_are_counted(log):
    causes = {(cause["why"], cause["what"]): cause for cause in json.loads(report(log, "json"))["causes"]}
    assert causes["file changed", "/home/u/my app/src/edited.rs"]["compile_ms"] == 2400
    assert causes["new command line", ""]["crates"] == [HOSTILE]
    assert causes["compile failed", "broken"]["count"] == 1 and causes["not cacheable", "bypass rule"]["count"] == 1


def test_a_terminal_gets_no_control_characters_from_names(log):
    log.add("esc\x1b[31m\nred", 60, session="x-1-1", miss_reason=["file \x1b]0;x\x07"])
    text = report(log, "text", "--top", "50")
    assert "esc\\x1b[31m\\x0ared" in text and "\x1b" not in text and "\x07" not in text and "\n\nMost expensive misses:\n" in text


def test_where_the_time_went(log):
    log.add("fine", 76, "local_hit", 1, 500, "x-1-1", key_ms=0, lookup_ms=1, restore_ms=0, key_us=120, lookup_us=640, restore_us=280)
    log.add("waited", 75, "dup", 900, 800, "x-1-1", lookup_us=77000)  # another one's compile
    text = report(log, "text")
    assert "\nTiming:\n  Hits: avg 2.8ms (key 0.9ms + lookup 1.0ms + restore 0.9ms), 37ms in all\n" \
           "  Misses: avg 1.6s (key 0.5ms + compile 1.6s + store 10ms), 3.2s in all\n" in text
    timing = json.loads(report(log, "json"))["timing"]
    assert timing["hit_phases_us"] == {"units": 13, "key": 12120, "lookup": 12640, "restore": 12280, "compile": 0, "store": 0}
    assert timing["miss_phases_us"] == {"units": 2, "key": 1000, "lookup": 0, "restore": 0, "compile": 3_200_000, "store": 20_000}
    slices = [event for event in json.loads(report(log, "trace"))["traceEvents"] if event.get("args", {}).get("crate_name") == "fine"]
    assert [(one["name"], one["dur"]) for one in slices[1:]] == [("key", 120), ("lookup", 640), ("restore", 240)]  # to the end of the unit
    assert "Timing:" not in report(log, "text", "--since", "1s")


def test_transfers_are_shown_where_there_were_any(log):
    for form in ("text", "markdown", "github"):
        assert "Remote transfer" not in report(log, form) and "Prefetch: " not in report(log, form)
    assert json.loads(report(log, "json"))["network"] is None
    lines = [transfer("serde", "download", 3 << 20, 40), transfer("tokio", "download", 1 << 20, 160), transfer("syn", "download", 99, 9, ok=False),
             transfer("app", "upload", 2 << 20, 100), transfer("long ago", "download", 1 << 30, 5, ago=10 * 86400)]
    (log.path.parent / "transfers.jsonl").write_text("rubbish\n" + "\n".join(lines) + "\n{}\n")
    log.add("early", 70, "prefetch_hit", 3, 1000, "x-1-1")
    text = report(log, "text")
    assert "\nRemote transfer:\n  Downloaded: 4.0 MiB in 2, 1 failed\n  Uploaded: 2.0 MiB in 1\n" \
           "  Latency: avg 100ms, p95 160ms, max 160ms\n  Throughput: 20.0 MiB/s of one download\n" in text
    assert "\nPrefetch: 1 / 13 hits (7.7%)\n" in text
    network = json.loads(report(log, "json"))["network"]
    assert (network["bytes_down"], network["downloads_ok"], network["downloads_failed"], network["uploads_ok"]) == (4 << 20, 2, 1, 1)
    assert [one["crate_name"] for one in network["slowest_downloads"]] == ["tokio", "serde", "syn"] and network["throughput_mbps"] == 167.8
    assert ["Downloaded", "2", "1", "4.0 MiB", "100ms"] in rows_of(report(log, "markdown"))
    assert "<strong>Remote transfer</strong>" in report(log, "github")
    assert json.loads(report(log, "json", "--root", "/w/app"))["network"] is None  # nobody says of which tree they are
    assert json.loads(report(log, "json", "--last-build"))["network"]["bytes_up"] == 2 << 20


def transfer(name, direction, size, ms, ok=True, ago=80):
    when = int(NOW.timestamp()) - ago
    return json.dumps({"crate_name": name, "direction": direction, "compressed_bytes": size, "elapsed_ms": ms, "ok": ok, "timestamp": when})
