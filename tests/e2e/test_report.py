"""The fields that readers of events and reports rely on: names, types, and that the numbers are about what happened."""
import collections
import json
import re
import shutil
import subprocess
import time

import pytest

from laboratory import KACHE, TOOLCHAIN, package, write_tree
from projects import WORKSPACE
from test_robust import LIB

COUNT, RATE, TEXT, LIST = int, float, str, list
MAYBE = lambda kind: (kind, type(None))
RUN_COUNTS = {"compiler_runs": COUNT, "preprocessor_runs": COUNT, "probe_runs": COUNT, "store_output_blobs": COUNT,
              "store_duplicate_blobs": COUNT, "store_new_blobs": COUNT}
TIMES = {"start_time": TEXT, "end_time": TEXT, "start_unix_ms": COUNT, "end_unix_ms": COUNT}
CRATE = {"crate_name": TEXT, "result": TEXT, **TIMES, "elapsed_ms": COUNT, "compile_time_ms": COUNT, "overhead_ms": COUNT, "size": COUNT,
         "cache_key": TEXT, **RUN_COUNTS}
TRACE = {"name": TEXT, "cat": TEXT, "ph": TEXT, "ts": COUNT, "dur": COUNT, "pid": COUNT, "tid": COUNT, "cname": TEXT,
         "args": {"crate_name": TEXT, "root": TEXT, "result": TEXT, "route": TEXT, "reason": TEXT, "cache_key": TEXT, "elapsed_ms": COUNT,
                  "compile_time_ms": COUNT, "overhead_ms": COUNT, "size": COUNT, **RUN_COUNTS}}

# Required by the schema of reports, version 1.
REPORT = {
    "schema_version": COUNT,
    "meta": {"kache_version": TEXT, "generated_at": TEXT, "since_hours": COUNT},
    "summary": {"hit_rate_pct": RATE, "weighted_hit_rate_pct": MAYBE(RATE), "cache_efficiency_pct": RATE, **dict.fromkeys((
        "time_saved_ms", "total_crates", "local_hits", "prefetch_hits", "remote_hits", "dups", "misses", "errors", "passthroughs", "probes",
        "skipped", "store_failures", "fallbacks", "total_duration_ms"), COUNT)},
    "timeline": {"start_time": MAYBE(TEXT), "end_time": MAYBE(TEXT), "start_unix_ms": MAYBE(COUNT), "end_unix_ms": MAYBE(COUNT), **dict.fromkeys((
        "duration_ms", "event_count", "cacheable_count", "hit_count", "compiled_count", "passthrough_count", "probe_count", "skipped_count",
        "error_count"), COUNT)},
    "timing": {**dict.fromkeys(("hit_time_ms", "miss_time_ms", "miss_compile_time_ms", "total_key_ms", "total_lookup_ms", "total_restore_ms",
                                "total_store_ms"), COUNT),
               **dict.fromkeys(("avg_hit_ms", "avg_miss_ms", "avg_hit_overhead_ms", "avg_key_ms", "avg_lookup_ms", "avg_restore_ms",
                                "avg_store_ms"), RATE)},
    "storage": {"zero_copy_pct": RATE, **dict.fromkeys((
        "reflinked_bytes", "hardlinked_bytes", "copied_bytes", "restored_bytes", "store_reflinked_bytes", "store_hardlinked_bytes",
        "store_copied_bytes", "store_blobs", "logical_bytes", "blob_bytes", "dedup_saved_bytes"), COUNT)},
    "network": (dict, type(None)),
    "prefetch": {"prefetch_hits": COUNT, "total_hits": COUNT, "contribution_pct": RATE},
    "top_misses": [CRATE], "top_hits": [CRATE], "all_events": [CRATE],
    "traceEvents": [TRACE], "displayTimeUnit": TEXT,
    "bypass": {"passthroughs": COUNT, "probes": COUNT, "skipped": COUNT, "fallbacks": COUNT, "direct_passthroughs": COUNT,
               "reasons": [{"result": TEXT, "route": TEXT, "reason": TEXT, "count": COUNT, "failures": COUNT, "max_elapsed_ms": COUNT}],
               "slowest": [{"crate_name": TEXT, "result": TEXT, "route": TEXT, "reason": TEXT, **TIMES, "elapsed_ms": COUNT,
                            "exit_code": MAYBE(COUNT), "timestamp": TEXT}]},
    "errors_detail": [{"crate_name": TEXT, "cache_key": TEXT, "timestamp": TEXT}],
    "suggestions": LIST,
}

# Of every event of a compile.
EVENT = {"ts": TEXT, "crate_name": TEXT, "root": TEXT, "version": TEXT, "result": TEXT, "cache_key": TEXT, "schema": COUNT, **RUN_COUNTS,
         **dict.fromkeys(("elapsed_ms", "compile_time_ms", "size", "key_ms", "lookup_ms", "restore_ms", "store_ms", "key_us", "lookup_us", "restore_us", "store_us", "key_hash_hits",
                          "key_hash_misses", "key_hash_bytes", "reflinked_bytes", "hardlinked_bytes", "copied_bytes", "store_reflinked_bytes",
                          "store_hardlinked_bytes", "store_copied_bytes"), COUNT)}


def faults(value, shape, path="report"):
    """What of `shape` is missing in `value` or of another type; and lists that have nothing to look at."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{path}: no object"]
        return [fault for name, below in shape.items()
                for fault in (faults(value[name], below, f"{path}.{name}") if name in value else [f"{path}.{name}: missing"])]
    if isinstance(shape, list):
        if not isinstance(value, list) or not value:
            return [f"{path}: nothing in it"]
        return [fault for i, item in enumerate(value) for fault in faults(item, shape[0], f"{path}[{i}]")]
    good = isinstance(value, shape) and not isinstance(value, bool)
    if shape is COUNT and good:
        good = value >= 0
    return [] if good else [f"{path}: {value!r}"]


@pytest.fixture
def built(lab):
    """A build, a warm build, one that is skipped and one that fails."""
    tree = write_tree(lab.root / "tree", WORKSPACE | {".kache.toml": '[cache]\nbypass_crates = ["bypassed"]\n'})
    time.sleep(0.02)
    lab.cargo(tree, "build")
    shutil.rmtree(tree / "target")
    lab.cargo(tree, "build")
    lab.rustc(tree, "--crate-name", "bypassed", "--crate-type", "lib", "util/src/a.rs", "--out-dir", "out")
    (tree / "wrong.rs").write_text("fn main() { 1 }")
    lab.rustc(tree, "--crate-name", "wrong", "wrong.rs", "--out-dir", "out")
    lab.tree = tree
    return lab


def report(lab, *args):
    result = lab.kache(lab.tree, "report", "--format", "json", *args)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.hits
def test_every_required_field_is_there_and_of_its_type(built):
    assert faults(report(built), REPORT) == []


@pytest.mark.hits
def test_the_numbers_are_about_what_happened(built):
    full, events = report(built), [event for event in built.events() if event["crate_name"] not in ("___", "")]
    results = collections.Counter(event["result"] for event in events)
    summary, storage = full["summary"], full["storage"]
    assert summary["local_hits"] == results["local_hit"] >= 5 and summary["misses"] == results["miss"]
    assert summary["total_crates"] == results["local_hit"] + results["miss"] and summary["errors"] == results["error"] == 1
    assert summary["hit_rate_pct"] == round(100 * summary["local_hits"] / summary["total_crates"], 1)
    assert summary["time_saved_ms"] == sum(event["compile_time_ms"] for event in events if event["result"] == "local_hit")
    assert storage["restored_bytes"] == storage["reflinked_bytes"] + storage["hardlinked_bytes"] + storage["copied_bytes"] > 0
    assert storage["zero_copy_pct"] == round(100 * (1 - storage["copied_bytes"] / storage["restored_bytes"]), 1)
    assert storage["logical_bytes"] - storage["blob_bytes"] == storage["dedup_saved_bytes"] >= 0
    blobs = [path for path in (built.cache / "v1/blobs").rglob("*") if path.is_file()]
    assert storage["blob_bytes"] == sum(path.stat().st_size for path in blobs) > 0
    assert full["bypass"]["slowest"][0]["crate_name"] == "bypassed" and full["errors_detail"][0]["crate_name"] == "wrong"


# As anyhow and thiserror do it: may the compiler at hand do this?
TRYING = """
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let env = |name| std::env::var(name).unwrap();
    let status = std::process::Command::new(env("RUSTC_WRAPPER")).arg(env("RUSTC"))
        .args(["--edition=2021", "--crate-name=trying", "--crate-type=lib", "--emit=dep-info,metadata", "--out-dir"])
        .arg(env("OUT_DIR")).arg("build/probe.rs").stderr(std::process::Stdio::null()).status().unwrap();
    assert!(!status.success());
}
"""


def test_what_only_tries_the_compiler_out_is_no_error_of_the_build(lab):
    lab.tree = tree = write_tree(lab.root / "tree", {"Cargo.toml": package("app"), "build.rs": TRYING, "src/main.rs": "fn main() {}\n",
                                                     "build/probe.rs": "#![feature(nothing_of_the_kind)]\n", "conftest.c": "int f(;\n"})
    time.sleep(0.02)
    lab.cargo(tree, "build")
    assert lab.kache(tree, "gcc", "-c", "conftest.c").returncode != 0
    failed = [event for event in lab.events() if event["result"] == "error"]
    assert [(event["crate_name"], event["trial"], event["exit_code"]) for event in failed] == [("trying", True, 1), ("conftest.c", True, 1)]
    full = report(lab)
    assert full["summary"]["errors"] == full["timeline"]["error_count"] == full["summary"]["failed_compiles"] == 0
    assert full["summary"]["failed_probes"] == 2 and full["summary"]["faults"] == 0 and full["errors_detail"] == []
    text = lab.kache(tree, "report").stdout.decode()
    assert "  Failed probes: 2 (" in text and "Failed compiles" not in text and "Error" not in text and "Faults" not in text
    assert "0 failed compiles, 2 failed probes, 0 faults" in lab.kache(tree, "stats").stdout.decode()

    (tree / "src/main.rs").write_text("fn main() { 1 }\n")
    assert lab.cargo(tree, "build", check=False).returncode != 0
    (tree / "wrong.c").write_text("int f(;\n")
    assert lab.kache(tree, "gcc", "-c", "wrong.c").returncode != 0
    summary = report(lab)["summary"]
    assert (summary["errors"], summary["failed_compiles"], summary["failed_probes"], summary["faults"]) == (2, 2, 2, 0)
    assert "  Failed compiles: 2 (the compiler said no: wrong.c, app)\n" in lab.kache(tree, "report").stdout.decode()
    assert "the compile failed (exit status 1)" in lab.kache(tree, "why-miss", "wrong.c").stdout.decode()


@pytest.mark.hits
def test_what_could_not_be_kept_is_a_fault_of_kache_and_no_failed_compile(lab):
    lab.tree = tree = write_tree(lab.root / "tree", {"a.c": "int a;\n"})
    time.sleep(0.02)
    assert lab.kache(tree, "gcc", "-c", "a.c").returncode == 0
    for entry in (lab.cache / "v1/entries").rglob("*"):
        if entry.is_file():
            entry.chmod(0o600)
            entry.write_bytes(b"broken")
    assert lab.kache(tree, "gcc", "-c", "a.c").returncode == 0
    summary = report(lab)["summary"]
    assert (summary["faults"], summary["errors"]) == (1, 0)
    assert "  Faults of kache: 1 (" in lab.kache(tree, "report").stdout.decode()


@pytest.mark.hits
def test_events_carry_what_readers_ask_for(built):
    for event in built.events():
        if event["result"] in ("local_hit", "miss"):
            assert faults(event, EVENT, event["crate_name"]) == []
    events = [event for event in built.events() if event["crate_name"] == "util"]
    miss, hit = events
    # Of a hit every digest is known from a stat. What its key is made of the miss has said, and hashing it again takes time.
    assert hit["key_hash_hits"] > 0 and hit["key_hash_misses"] == hit["key_hash_bytes"] == 0
    assert miss["key_hash_misses"] > 0 and miss["key_hash_bytes"] > 0
    assert "key_fields" not in hit
    assert {"compiler", "args", "sources", "remap", "crate"} <= set(miss["key_fields"])
    assert all(re.fullmatch("[0-9a-f]{16}", digest) for digest in miss["key_fields"].values())
    # The first compile of all asked whether the toolchain can be recorded.
    assert sum(event["probe_runs"] for event in built.events()) == 1


@pytest.mark.hits
@pytest.mark.parametrize("change, group", [("source", "sources"), ("cfg", "env_cfg"), ("flag", "args"), ("variable", "env_deps")])
def test_key_fields_tell_what_changed(lab, change, group):
    tree = write_tree(lab.root / "tree", {"src.rs": 'pub const W: Option<&str> = option_env!("WORD");\n'})
    (tree / "out/debug/deps").mkdir(parents=True)
    args = list(LIB)
    time.sleep(0.02)
    lab.rustc(tree, *args)
    if change == "source":
        (tree / "src.rs").write_text('pub const W: Option<&str> = option_env!("WORD");\n// more\n')
    more = {"cfg": ["--cfg", "more"], "flag": ["-Copt-level=1"]}.get(change, [])
    time.sleep(0.02)
    lab.rustc(tree, *args, *more, **({"WORD": "x"} if change == "variable" else {}))
    assert [event["result"] for event in lab.events()] == ["miss", "miss"]
    before, after = (event["key_fields"] for event in lab.events())
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == {group}


def test_heartbeats_know_how_long_it_took_before(lab):
    """A compiler that sleeps, and a history of compiles of four seconds in this tree and of an hour in others."""
    (lab.root / "src.rs").write_text("")
    compiler = lab.root / "toolchain/bin/rustc"
    write_tree(lab.root / "toolchain", {"bin/rustc": "#!/bin/sh\nsleep 2.5\nexit 3\n", "lib/rustlib/components": ""})
    compiler.chmod(0o755)
    lab.cache.mkdir()
    def line(crate, root, ms, result="miss"):
        return json.dumps({"ts": "2026-01-01T00:00:00Z", "crate_name": crate, "root": root, "result": result, "elapsed_ms": ms,
                           "compile_time_ms": ms, "size": 1}, separators=(",", ":")) + "\n"
    root = str(lab.root / "out")
    history = [line("unit", root, 4000)] * 21 + [line("unit", root, 3_600_000), line("unit", "/elsewhere", 3_600_000), line("other", root, 3_600_000),
                                                 line("unit", root, 3_600_000, "local_hit")]
    args = [str(lab.root / "out/debug/deps") if arg == "out/debug/deps" else arg for arg in LIB]
    (lab.cache / "events.jsonl").write_text("".join(history))
    result = subprocess.run([KACHE, compiler, *args], cwd=lab.root, capture_output=True,
                            env=lab.env(KACHE_HEARTBEAT_SECS="1", KACHE_PROGRESS="all", KACHE_EVENT_ROOT=root))
    assert result.returncode == 3
    beats = [event for event in lab.events() if event.get("event") == "heartbeat"]
    assert [(beat["elapsed_s"], beat["typical_s"], beat["eta_s"]) for beat in beats] == [(1, 4, 3), (2, 4, 2)]
    assert b"[kache] still compiling unit - 1s elapsed (typical: 4s, ETA 3s)\n" in result.stderr
    end = lab.events()[-1]
    assert end["session_id"] and {(beat["session_id"], beat["build_tool"]) for beat in beats} == {(end["session_id"], end["build_tool"])}


def test_a_log_that_is_cut_keeps_whole_lines_and_more_than_the_newest_thousand(lab):
    tree = write_tree(lab.root / "tree", {"src.rs": "pub fn f() {}\n"})
    (tree / ".kache.toml").write_text('[cache]\nevent_log_max_size = "1MiB"\nevent_log_keep_lines = 1000\n')
    lab.cache.mkdir()
    old = [json.dumps({"ts": "2026-01-01T00:00:00Z", "crate_name": f"c{i}", "result": "miss", "elapsed_ms": 1, "size": 1}) for i in range(12000)]
    (lab.cache / "events.jsonl").write_text("\n".join(old) + "\n")
    lab.rustc(tree, *LIB)
    text = (lab.cache / "events.jsonl").read_text()
    names = [json.loads(line)["crate_name"] for line in text.splitlines()]
    assert 400 << 10 < len(text) <= 600 << 10
    assert names[-1] == "unit" and names[:-1] == [f"c{i}" for i in range(12000 - len(names) + 1, 12000)]
    assert len(names) > 2000


@pytest.mark.hits
@pytest.mark.parametrize("place, profile", [("target/release/deps", "release"), ("target/debug/build/unit-1/out", "debug"), ("elsewhere", "-")])
def test_the_profile_is_where_cargo_puts_it(lab, place, profile):
    tree = write_tree(lab.root / "tree", {"a.rs": "pub fn a() {}\n"})
    (tree / place).mkdir(parents=True)
    time.sleep(0.02)
    lab.rustc(tree, "--crate-name", "a", "--crate-type", "lib", "a.rs", "--out-dir", place)
    listed = lab.kache(tree, "list").stdout.decode()
    assert [line.split()[2] for line in listed.splitlines() if line.startswith("a ")] == [profile]
