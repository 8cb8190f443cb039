"""kache monitor, on a terminal of its own and in a pipe."""
import datetime
import json
import os
import subprocess
import time

import pytest

from test_commands import KACHE
from tmux import screen


@pytest.fixture
def work(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    (tmp_path / "home/.cache/kache").mkdir(parents=True)
    return tmp_path / "work"


def env_of(work):
    return {"HOME": str(work.parent / "home"), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


def log_of(work):
    return work.parent / "home/.cache/kache/events.jsonl"


def now(ago=0):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def event(name, result="miss", ago=0, **more):
    return json.dumps({"ts": now(ago), "crate_name": name, "result": result, "elapsed_ms": 12, "compile_time_ms": 3400, "size": 2048,
                       "cache_key": "", **more}, separators=(",", ":")) + "\n"


def heartbeat(name, elapsed, typical=0, pid=77, ago=0, **more):
    line = {"event": "heartbeat", "ts": now(ago), "crate_name": name, "pid": pid, "elapsed_s": elapsed, **more}
    return json.dumps({**line, **({"typical_s": typical} if typical else {}), "schema": 1}, separators=(",", ":")) + "\n"


def append(work, *lines):
    with open(log_of(work), "a") as log:
        log.write("".join(lines))


def monitor(work, *args, **more):
    return subprocess.run([KACHE, "monitor", *args], cwd=work, env={**env_of(work), **more}, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def watch(work, **size):
    return screen([KACHE, "monitor"], work, env_of(work), **size)


def test_in_a_pipe_it_prints_once(work):
    append(work, event("serde", "local_hit"), event("tokio"), event("old", ago=3 * 86400),
           event("conftest", "passthrough", passthrough_reason="unsupported|-o -"), heartbeat("arrow", 60, 90))
    result = monitor(work)
    assert result.returncode == 0 and result.stderr == ""
    out = result.stdout
    for word in ("Hit rate 50.0% (local 1, miss 1, pass 1)", "In flight: 1", "arrow", "typical 1m30s", "✓ hit", "serde", "● miss", "tokio",
                 "Nothing is stored yet.", "No remote is set up", "unsupported", "-o -", "kache clean --dry-run"):
        assert word in out, word
    assert "old" not in out and "\x1b" not in out
    assert "old" in monitor(work, "--since", "1w").stdout
    # Nobody who reads is no fault.
    piped = subprocess.run(f"'{KACHE}' monitor | head -1", shell=True, cwd=work, env=env_of(work), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert piped.stderr == "" and piped.stdout.startswith("Store ")
    assert monitor(work, TERM="dumb").returncode == 0
    assert monitor(work, LANG="C", LC_ALL="C").stdout.isascii() and "+ hit" in monitor(work, LANG="C", LC_ALL="C").stdout


def test_wrong_usage(work):
    result = monitor(work, "--since", "x")
    assert result.returncode == 2 and "--since" in result.stderr and result.stdout == ""


def test_it_makes_nothing(work):
    os.rmdir(work.parent / "home/.cache/kache")
    out = monitor(work).stdout
    assert "No builds yet" in out and not (work.parent / "home/.cache/kache").exists()


def test_events_appear_as_they_happen_also_over_a_rotation(work):
    append(work, event("first", "local_hit"))
    with watch(work) as shown:
        shown.wait("1 Build", "✓ hit", "first", "Hit rate 100.0%")
        append(work, event("second"))
        shown.wait("● miss", "second", "Hit rate 50.0%")
        # As the wrapper rotates it, with a line that came late.
        append(work, event("third"))
        lines = log_of(work).read_text().splitlines(keepends=True)
        (log_of(work).parent / "new").write_text(lines[-2] + lines[-1] + event("fourth"))
        os.rename(log_of(work).parent / "new", log_of(work))
        shown.wait("third", "fourth", "miss 3")
        append(work, event("fifth"))
        text = shown.wait("fifth", "miss 4")
        assert [text.count(name) for name in ("first", "second", "third", "fourth", "fifth")] == [1] * 5
        shown.keys("q")
        assert shown.ended()[0] == 0


def test_a_compile_under_way(work):
    append(work, heartbeat("arrow", 60, 90), heartbeat("silent", 60, 90, pid=5, ago=200))
    with watch(work) as shown:
        text = shown.wait("In flight: 1", "arrow", "ETA")
        assert "silent" not in text
        first = shown.line_of("arrow")
        shown.wait_for(lambda text: first not in text, "time goes on")
        append(work, event("arrow"))
        shown.wait_gone("In flight")
        shown.wait("● miss      arrow")
        shown.keys("C-c")
        assert shown.ended()[0] == 0


def test_tabs_filter_sort_help_pause(work):
    append(work, *(event(f"unit{i:03}", compile_time_ms=i) for i in range(200)),
           event("conftest", "passthrough", passthrough_reason="unsupported|-o -", exit_code=1))
    with watch(work) as shown:
        shown.wait("unit199", "of 201")
        shown.keys("End")
        shown.wait("unit000", "-201 of 201")
        shown.keys("Home", "PageDown")
        shown.wait("unit180")
        shown.keys("f")
        shown.type("t05")
        shown.wait("Filter: t05", "unit050", "unit059")
        shown.wait_gone("unit180")
        shown.keys("Enter")
        shown.wait("filter: t05")
        shown.keys("5")
        shown.wait("conftest", "unsupported", "Reason")
        shown.keys("4")
        shown.wait("No remote is set up")
        shown.keys("BTab")
        shown.wait("Nothing is stored yet.")
        shown.keys("1", "?")
        shown.wait("Keys", "look for build directories again")
        shown.keys("Escape")
        shown.wait("filter: t05")
        shown.keys("Escape")
        shown.wait("f filter", "unit190")
        shown.keys("Escape")  # never out
        shown.keys("s")
        shown.wait("sort: slowest")
        shown.keys("p")
        shown.wait("PAUSED")
        append(work, event("meanwhile"))
        time.sleep(1)
        assert "meanwhile" not in shown.text()
        shown.keys("p", "s", "s", "s")
        shown.wait("sort: newest", "meanwhile")
        shown.keys("c")
        shown.wait("No builds yet")
        shown.keys("q")
        assert shown.ended()[0] == 0


def test_details_say_why(work):
    append(work, event("tokio", miss_reason=["src/lib.rs"], crate_type="lib", root="/r"))
    with watch(work) as shown:
        shown.wait("tokio")
        shown.keys("Enter")
        shown.wait("tokio (lib) in /r", "changed: src/lib.rs")
        shown.keys("q")


CARGO = {"session_id": "0000-1-1", "build_tool": "cargo", "root": "/p/app"}
MAKE = {"session_id": "0000-2-2", "build_tool": "make", "root": "/p/lib"}


def test_one_build_of_several(work):
    append(work, event("serde", "local_hit", ago=900, **CARGO), event("zlib.c", **MAKE), heartbeat("deflate.c", 60, pid=8, **MAKE))
    with watch(work) as shown:
        shown.wait("serde", "zlib.c", "last 24h")
        shown.keys("b")
        shown.wait("all builds", "/p/app", "/p/lib", "Enter choose")
        shown.keys("End", "Enter")
        shown.wait("cargo of ", "Hit rate 100.0%", "serde")
        assert "● miss" not in shown.text() and "In flight" not in shown.text()
        append(work, heartbeat("tokio", 60, pid=9, **CARGO))
        assert "deflate.c" not in shown.wait("In flight: 1", "tokio")
        shown.keys("b", "Home", "Down", "Enter")  # the latest: that of the newest sign of life
        shown.wait("cargo of ", "tokio")
        append(work, event("crc.c", **MAKE))
        shown.wait("make of ", "crc.c", "zlib.c", "deflate.c")
        assert "✓ hit" not in shown.text()
        shown.keys("Escape")
        shown.wait("last 24h", "serde", "In flight: 2")
        shown.keys("q")
        assert shown.ended()[0] == 0


def test_why_a_unit_missed(work):
    (work / "unit.h").write_text("#define A 1\n")
    (work / "unit.c").write_text('#include "unit.h"\nint unit(void) { return A; }\n')
    for value in (1, 2):
        (work / "unit.h").write_text(f"#define A {value}\n")
        subprocess.run([KACHE, "gcc", "-c", "unit.c"], cwd=work, env=env_of(work), check=True)
    key = json.loads(log_of(work).read_text().splitlines()[-1])["cache_key"]
    said = subprocess.run([KACHE, "why-miss", key], cwd=work, env=env_of(work), capture_output=True, text=True, check=True).stdout
    assert "unit.h" in said
    with watch(work, width=120) as shown:
        shown.wait("● miss      unit.c")
        shown.keys("p", "w")  # an answer comes also while it is paused
        text = shown.wait("Diagnosis:", "unit.h", "Last events:")
        assert text.split("\n")[1:len(said.splitlines()) + 1] == [line.rstrip() for line in said.splitlines()]
        shown.resize(60, 8)
        shown.wait("Why unit.c missed:", "1-6 of ")
        shown.keys("PageDown")
        shown.wait_gone("Why unit.c missed:")
        shown.keys("Home")
        shown.wait("Why unit.c missed:")
        shown.keys("Escape")
        shown.wait("1 Build", "unit.c")
        shown.keys("q")
        assert shown.ended()[0] == 0


def press(shown, x, y, button=0):
    """As a terminal reports it, with the release; cells from 0."""
    shown.type(f"\x1b[<{button};{x + 1};{y + 1}M" + (f"\x1b[<0;{x + 1};{y + 1}m" if button < 64 else ""))


def has_mouse(shown):
    return shown.tmux("display", "-p", "-t", "0", "#{mouse_standard_flag}#{mouse_sgr_flag}").stdout.strip() == "11"


def test_the_mouse(work):
    append(work, *(event(f"unit{i:03}") for i in range(100)))
    with watch(work) as shown:
        shown.wait("unit099")
        assert has_mouse(shown)
        row = next(y for y, line in enumerate(shown.lines()) if "unit095" in line)
        press(shown, 20, row)
        press(shown, 20, row)
        shown.wait("compiler runs", "at ")
        press(shown, 20, 10, button=65)
        shown.wait_gone("unit099")
        press(shown, 20, 10, button=64)
        shown.wait("unit099")
        press(shown, shown.lines()[0].index("3 Store"), 0)
        shown.wait("Nothing is stored yet.")
        shown.type("\x1b[M" + " " + chr(33 + shown.lines()[0].index("1 Build")) + "!")  # as old terminals say it
        shown.wait("unit099")
        shown.type("\x1b[<9999999999999999999999999999;1;1M\x1b[<0;1M\x1b[<")  # no report, and no keys either
        time.sleep(0.3)
        shown.keys("m")
        shown.wait("mouse off")
        assert not has_mouse(shown)
        shown.keys("m")
        shown.wait_gone("mouse off")
        assert has_mouse(shown)
        shown.keys("q")
        assert shown.ended()[0] == 0 and not has_mouse(shown)
    with screen([KACHE, "monitor", "--no-mouse"], work, env_of(work)) as shown:
        shown.wait("unit099", "mouse off")
        assert not has_mouse(shown)


@pytest.mark.parametrize("name", ["TERM", "HUP", "SEGV"])
def test_whatever_ends_it_gives_the_mouse_back(work, name):
    with screen(["sh", "-c", f'echo $$ >pid; exec "{KACHE}" monitor'], work, env_of(work)) as shown:
        shown.wait("No builds yet")
        assert has_mouse(shown)
        subprocess.run(["kill", f"-{name}", (work / "pid").read_text().strip()], check=True)
        shown.ended()
        assert not has_mouse(shown)


def test_a_stop_lends_the_mouse_to_the_shell(work):
    with screen(["bash", "--norc", "-i"], work, {**env_of(work), "PS1": "shell$ "}) as shown:
        shown.wait("shell$")
        for stop in ("key", "signal"):
            shown.type(f"sh -c 'echo $$ >pid; exec \"{KACHE}\" monitor'\n")
            shown.wait("No builds yet")
            if stop == "key":
                shown.keys("C-z")
            else:
                subprocess.run(["kill", "-TSTP", (work / "pid").read_text().strip()], check=True)
            shown.wait("Stopped")
            assert not has_mouse(shown)
            shown.type("clear; fg\n")
            shown.wait("No builds yet")
            assert has_mouse(shown)
            shown.keys("q")
            shown.wait_gone("No builds yet")
            assert not has_mouse(shown)
            shown.type("clear\n")


def test_projects(work):
    (work / "app/target/debug/deps").mkdir(parents=True)
    (work / "app/Cargo.toml").write_text("")
    (work / "app/target/debug/deps/x").write_bytes(b"x" * 5000)
    with watch(work, width=120) as shown:
        shown.wait("No builds yet")
        shown.keys("2")
        shown.wait("app/target", "cargo", "4.8 KiB", "1 directory,")
        (work / "lib/target/debug").mkdir(parents=True)
        (work / "lib/Cargo.toml").write_text("")
        shown.keys("r")
        shown.wait("lib/target", "2 directories,")
        shown.keys("q")


def test_the_store(work):
    source = work / "unit.c"
    source.write_text("int unit(void) { return 1; }\n")
    compiled = subprocess.run([KACHE, "gcc", "-c", "unit.c"], cwd=work, env=env_of(work), capture_output=True, text=True)
    assert compiled.returncode == 0, compiled.stderr
    with watch(work) as shown:
        shown.wait("● miss", "unit.c")
        shown.keys("3")
        shown.wait("unit.c", "1 entry,")
        source.write_text("int unit(void) { return 2; }\n")
        subprocess.run([KACHE, "gcc", "-c", "unit.c"], cwd=work, env=env_of(work), check=True)
        shown.wait("2 entries,")
        shown.keys("q")
    assert "unit.c" in monitor(work).stdout


def test_transfers_of_a_program_that_has_remotes(work):
    line = {"crate_name": "serde", "direction": "download", "compressed_bytes": 3000, "elapsed_ms": 40, "ok": True, "timestamp": int(time.time())}
    (log_of(work).parent / "transfers.jsonl").write_text(json.dumps(line) + "\n" + json.dumps({**line, "ok": False, "direction": "upload"}) + "\nrubbish\n")
    out = monitor(work).stdout
    assert "↓ down" in out and "↑ up" in out and "2.9 KiB down" in out and "1 failed" in out


@pytest.mark.parametrize("width,height", [(80, 24), (40, 10), (20, 5), (200, 50)])
def test_every_size_and_resizes(work, width, height):
    append(work, *(event(f"unit{i:03}") for i in range(100)))
    with watch(work, width=width, height=height) as shown:
        shown.wait("1 Build", "unit099")
        assert all(len(line) <= width for line in shown.lines())
        shown.resize(60, 15)
        shown.wait("1 Build", "unit099", "of 100")
        for tab in "2345":
            shown.keys(tab)
            shown.wait(f"{tab} ")
        shown.resize(10, 2)
        shown.resize(100, 30)
        shown.wait("Passthrough", "Nothing went past kache.")
        shown.keys("q")
        assert shown.ended()[0] == 0
