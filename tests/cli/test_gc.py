"""`kache gc` and `kache purge`: what they say would go is what goes."""
import json
import os
import pathlib
import subprocess
import time

import pytest

from test_commands import KACHE

DAY = 24 * 3600


@pytest.fixture
def kache(tmp_path):
    def run(*args, **more):
        env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8", "KACHE_AUTO_GC": "0", **more}
        return subprocess.run([KACHE, *args], cwd=tmp_path, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    run.home = tmp_path
    run.v1 = tmp_path / ".cache/kache/v1"
    return run


def read(result):
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def fill(kache, count=6):
    """Units of which a higher number is larger and younger by a day. What was published in the last hour is never swept, and ctime
    can not be set, so that blobs stay: only entries are compared, and what is freed by them."""
    for n in range(count):
        (kache.home / f"u{n}.c").write_text(f"char data{n}[] = \"{os.urandom(50 * 1024).hex()}\";\n")
        assert kache("gcc", "-c", f"u{n}.c", "-o", f"u{n}.o").returncode == 0
    units = {entry["cache_key"]: entry["unit"] for entry in read(kache("list", "--json"))["entries"]}
    for key, unit in units.items():
        used = time.time() - (count - int(unit[1])) * DAY
        os.utime(kache.v1 / "entries" / key[:2] / key, (used, used))


def files(kache):
    """All files of the store but the index, which is made of them."""
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in kache.v1.rglob("*")
            if path.is_file() and not path.name.startswith("index.db")}


def units(kache):
    return sorted(entry["unit"] for entry in read(kache("list", "--json"))["entries"])


WAYS = [
    (["--max-age", "60h"], {}, ["u0.c", "u1.c", "u2.c", "u3.c"], "age"),
    ([], {"KACHE_MAX_SIZE": "400KiB"}, None, "size"),
    ([], {"KACHE_MAX_SIZE": "1"}, [f"u{n}.c" for n in range(6)], "size"),
    ([], {}, [], None),
    (["--stale-schema"], {}, [], None),
]


@pytest.mark.parametrize("args,env,goes,reason", WAYS)
def test_a_dry_run_removes_nothing_and_the_real_one_what_it_said(kache, args, env, goes, reason):
    fill(kache)
    before, all_units = files(kache), units(kache)
    plan = read(kache("gc", "--dry-run", "--json", *args, **env))
    text = kache("gc", "-n", *args, **env)
    assert text.returncode == 0 and files(kache) == before and units(kache) == all_units
    assert plan["dry_run"] and plan["schema_version"] == 1 and plan["command"] == "gc"
    named = sorted(entry["unit"] for entry in plan["evicted"])
    assert named == goes if goes is not None else 0 < len(named) < 6
    assert {entry["reason"] for entry in plan["evicted"]} == ({reason} if reason else set())
    for unit in named:
        assert unit in text.stdout
    assert named or text.stdout.startswith(("No entry has to go", "Nothing is of another"))
    for word in {"age": ["not used for 60h"], "size": ["its limit is"]}.get(reason, []):
        assert word in text.stdout
    done = read(kache("gc", "--json", *args, **env))
    assert not done["dry_run"] and units(kache) == sorted(set(all_units) - set(named))
    for field in plan:
        assert field == "dry_run" or plan[field] == done[field], field


def test_what_a_run_tells_people(kache):
    fill(kache)
    text = kache("gc", "--max-age", "60h").stdout
    assert text.startswith("GC complete: age 4, size 0, broken 0; ") and "Store: " in text and text.endswith("(2 entries)\n")
    assert "comes back with a run in an hour" in text  # blobs
    text = kache("gc", "--dry-run", "--max-age", "1h").stdout
    assert "Dry run: age 2, size 0" in text and text.endswith("(0 entries)\n")
    refused = kache("gc", "--max-age", "1h", "--stale-schema")
    assert refused.returncode == 2 and "--stale-schema" in refused.stderr
    # What a build may be using stays, and it says so.
    for n in (4, 5):
        assert kache("gcc", "-c", f"u{n}.c", "-o", f"u{n}.o").returncode == 0
    text = kache("gc", KACHE_MAX_SIZE="1").stdout
    assert "2 entries were used in the last two minutes" in text and len(units(kache)) == 2


def test_entries_of_another_format_are_called_stale_and_torn_ones_broken(kache):
    fill(kache, 3)
    paths = sorted((kache.v1 / "entries").rglob("*/*"))
    paths[0].write_bytes(b"KENTRY01" + paths[0].read_bytes()[8:])
    paths[1].write_bytes(paths[1].read_bytes()[:40])
    plan = read(kache("gc", "--stale-schema", "--dry-run", "--json"))
    assert plan["evicted"] == [] and plan["key_schema"] > 0  # the grace of an hour
    # What they become after it: collect_test.cc, where the clock can be moved.
    assert "Stale-schema GC: 0 entries" in kache("gc", "--stale-schema").stdout
    assert len(units(kache)) == 1


def test_purge_for_programs_says_beforehand_what_it_does(kache):
    fill(kache, 3)
    before = files(kache)
    assert kache("purge", "--json").returncode == 2 and files(kache) == before
    plan = read(kache("purge", "--json", "--dry-run"))
    assert files(kache) == before and plan["entries_evicted"] == 3 and plan["crate_name"] is None
    on_disk = sum(path.stat().st_blocks * 512 for kind in ("entries", "blobs", "traces") for path in (kache.v1 / kind).rglob("*/*"))
    assert plan["disk_bytes_reclaimed"] == on_disk and plan["young_bytes_retained"] == 0
    one = read(kache("purge", "--json", "--dry-run", "--crate-name", str(kache.home / "u1.c")))
    assert [entry["unit"] for entry in one["evicted"]] == ["u1.c"] and one["crate_name"] == "u1.c"
    assert "would come back" in kache("purge", "--dry-run").stdout
    done = read(kache("purge", "--json", "--yes"))
    assert {**plan, "dry_run": False} == done
    assert not [path for kind in ("entries", "blobs", "traces") for path in (kache.v1 / kind).rglob("*/*")]


def test_what_a_target_directory_shares_is_not_promised(kache):
    fill(kache, 1)
    (blob,) = (kache.v1 / "blobs").rglob("*/*")
    os.link(blob, kache.home / "shared")
    plan = read(kache("purge", "--json", "--dry-run"))
    assert plan["shared_bytes_retained"] == blob.stat().st_blocks * 512
    assert "comes back when the target directories" in kache("purge", "-n").stdout


def test_without_a_store_there_is_nothing_to_do_and_none_is_made(kache):
    for args in (["gc", "--dry-run"], ["gc", "--json"], ["gc", "--stale-schema"], ["purge", "--dry-run", "--json"], ["purge", "--yes", "--json"]):
        assert kache(*args).returncode == 0
    assert not pathlib.Path(kache.home / ".cache").exists()
