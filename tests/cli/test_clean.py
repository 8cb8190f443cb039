"""kache clean: what is found, what is said about it, and that nothing else goes."""
import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import pytest

from test_commands import KACHE
from tmux import screen

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import disks  # noqa: E402

TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This file is a cache directory tag created by cargo.\n"


@pytest.fixture
def work(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def env_of(work):
    return {"HOME": str(work.parent / "home"), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


def clean(work, *args, stdin="", **more):
    return subprocess.run([KACHE, "clean", *args], cwd=work, env={**env_of(work), **more}, input=stdin, capture_output=True, text=True)


def found(work, *args):
    result = clean(work, "-n", "--json", *args)
    assert result.returncode == 0, result.stderr
    return {os.path.relpath(row["path"], work): row for row in json.loads(result.stdout)["directories"]}


def write(path, size=1000):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size))
    return path


def cargo(project, size=100_000):
    write(project / "Cargo.toml", 10)
    write(project / "src/main.rs", 10)
    write(project / "target/debug/deps/libx.rlib", size)
    write(project / "target/debug/.fingerprint/x/lib", 100)
    write(project / "target/debug/.cargo-lock", 0)
    write(project / "target/debug/x", 500)
    write(project / "target/CACHEDIR.TAG", 0).write_text(TAG)
    return project / "target"


def cmake(source, build, extra=""):
    write(source / "CMakeLists.txt", 10)
    write(build / "CMakeFiles/x.dir/a.c.o", 3000)
    (build / "CMakeCache.txt").write_text(f"//comment\nCMAKE_BUILD_TYPE:STRING=Release\n{extra}CMAKE_HOME_DIRECTORY:INTERNAL={source}\n")
    return build


def tree(path):
    return sorted(str(entry.relative_to(path)) for entry in path.rglob("*"))


def test_what_is_found_and_what_is_not(work):
    cargo(work / "app")
    cargo(work / "deep/er/lib")
    cmake(work / "c", work / "c/out")
    write(work / "m/meson.build", 10)
    write(work / "m/b/meson-private/x.dat")
    write(work / "m/b/build.ninja")
    write(work / "elsewhere/.rustc_info.json")  # CARGO_TARGET_DIR
    # Not these:
    cargo(work / ".hidden")
    cargo(work / "node_modules/native")
    write(work / "java/target/x.class")              # no Cargo.toml beside it
    write(work / "empty/Cargo.toml", 10)
    (work / "empty/target").mkdir()
    write(work / "registry/CACHEDIR.TAG", 0).write_text(TAG)  # of CARGO_HOME
    write(work / "ninja/build.ninja", 10)
    os.symlink(work / "app", work / "link")
    assert set(found(work)) == {"app/target", "deep/er/lib/target", "c/out", "m/b", "elsewhere"}
    kinds = {name: row["kind"] for name, row in found(work).items()}
    assert kinds["c/out"] == "cmake" and kinds["m/b"] == "meson" and kinds["elsewhere"] == "cargo"
    assert found(work)["c/out"]["labels"] == ["Release"] and found(work)["app/target"]["labels"] == ["debug"]
    # What is named is looked through.
    assert set(found(work, ".hidden", "link")) == {".hidden/target", "app/target"}
    assert set(found(work, ".", "app", "app/target")) == set(found(work))


def test_a_profile_below_a_target_triple_and_the_parts(work):
    target = cargo(work / "app")
    write(target / "x86_64-unknown-linux-musl/release/incremental/a", 7000)
    write(target / "x86_64-unknown-linux-musl/release/build/b-1/out/c", 300)
    row = found(work)["app/target"]
    assert row["labels"] == ["debug", "x86_64-unknown-linux-musl/release"]
    assert row["parts"] == {"incremental": 7000, "build": 300, "deps": 100_000, "fingerprint": 100, "binaries": 500, "objects": 0, "other": len(TAG)}
    assert row["size_bytes"] == sum(row["parts"].values())


@pytest.mark.parametrize("marker", [".git/HEAD", "Cargo.toml", "lib.rs", "CMakeLists.txt"])
def test_sources_stay(work, marker):
    target = cargo(work / "app")
    write(target / marker, 10)
    cargo(target / "inner")
    before = tree(work / "app/target/debug")
    result = clean(work, "-y")
    assert result.returncode == 0, result.stderr
    assert tree(work / "app/target/debug") == before and (target / marker).exists()
    assert not (target / "inner/target").exists()  # that one is a build directory all the same
    assert f"sources are in it: {marker.split('/')[0]}" in clean(work, "-n").stdout


def test_an_in_source_build_stays_and_says_why(work):
    cmake(work / "c", work / "c")
    write(work / "outer/s/main.c")
    cmake(work / "outer/s", work / "outer")
    cargo(work / "c/rust")
    dry = clean(work, "-n").stdout
    for name in ("c", "outer"):
        line = next(line for line in dry.splitlines() if line.split()[:1] == [name])
        assert "stays: an in-source build" in line
    before = tree(work / "c/CMakeFiles"), tree(work / "outer")
    assert clean(work, "-y").returncode == 0
    assert (tree(work / "c/CMakeFiles"), tree(work / "outer")) == before
    assert not (work / "c/rust/target").exists()


def test_the_store_stays(work):
    store = work / "build" / "cache"
    cmake(work / "src", work / "build")
    write(store / "v1/blobs/x")
    row = json.loads(clean(work, "-n", "--json", KACHE_CACHE_DIR=str(store)).stdout)["directories"][0]
    assert not row["removable"] and "store" in row["reason"]
    assert clean(work, "-y", KACHE_CACHE_DIR=str(store)).returncode == 0 and (store / "v1/blobs/x").exists()


def test_the_lines_of_a_dry_run(work):
    cargo(work / "app", 2_000_000)
    cargo(work / "b", 1000)
    lines = clean(work, "--dry-run", "--yes").stdout.splitlines()
    assert lines[0] == "Found 2 target/ directories (1.9 MiB total, 0 B cached)"
    assert lines[1] == "" and lines[4] == ""
    assert lines[2] == "  app/target     1.9 MiB  cached: 0 B  [debug]"
    assert lines[3] == "  b/target       1.6 KiB  cached: 0 B  [debug]"
    assert lines[5].startswith("Dry run: estimated to free 1.9 MiB")
    assert (work / "app/target/debug/x").exists()
    # From elsewhere they have their whole paths.
    assert f"  {work}/app/target  " in clean(work.parent / "home", "-n", str(work)).stdout


def test_removal_and_its_lines(work):
    cargo(work / "app")
    cmake(work / "c", work / "c/out")
    result = clean(work, "-y")
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[:2] == ["  removed app/target", "  removed c/out"]
    assert result.stdout.splitlines()[3].startswith("Removed 2 build dirs; estimated reclaimed ")
    assert tree(work) == ["app", "app/Cargo.toml", "app/src", "app/src/main.rs", "c", "c/CMakeLists.txt"]
    nothing = clean(work, "-y")
    assert nothing.returncode == 0 and nothing.stdout.startswith("No target/ directories found")


def test_nobody_to_ask(work):
    cargo(work / "app")
    before = tree(work)
    for args in ((), ("--json",), ("--stale", "1s")):
        result = clean(work, *args, stdin="y\n\n")
        assert result.returncode == 2 and result.stdout == "" and tree(work) == before
        assert "--yes" in result.stderr and len(result.stderr.splitlines()) == 1


def test_wrong_usage(work):
    for args, word in ((["nosuch"], "nosuch"), (["-n", "--stale", "x"], "--stale"), (["-n", "--stael", "1d"], "--stale")):
        result = clean(work, "-n", *args)
        assert result.returncode == 2 and word in result.stderr and len(result.stderr.splitlines()) == 1


def test_links_that_live_elsewhere_do_not_come_back(work):
    target = cargo(work / "app", 1_000_000)
    os.link(target / "debug/deps/libx.rlib", work / "store-blob")
    row = found(work)["app/target"]
    assert row["cached_bytes"] == 1_000_000 and row["reclaimable_bytes"] < 200_000 and row["size_bytes"] > 1_000_000
    os.unlink(work / "store-blob")
    # Two names in one directory are one file.
    os.link(target / "debug/deps/libx.rlib", target / "debug/libx.rlib")
    row = found(work)["app/target"]
    assert row["cached_bytes"] == 0 and 1_000_000 < row["reclaimable_bytes"] < 1_200_000 and row["size_bytes"] < 1_100_000
    # A name in each of two: alone neither frees it, both do.
    other = cargo(work / "b", 10)
    os.rename(target / "debug/libx.rlib", other / "debug/libx.rlib")
    rows = found(work)
    assert all(row["reclaimable_bytes"] < 200_000 for row in rows.values())
    assert json.loads(clean(work, "-n", "--json").stdout)["reclaimable_bytes"] > 1_000_000


def test_a_sparse_file_is_what_the_disk_holds(work):
    target = cargo(work / "app", 10)
    with open(target / "debug/hole", "wb") as hole:
        hole.truncate(1 << 30)
    row = found(work)["app/target"]
    assert row["size_bytes"] > 1 << 30 and row["reclaimable_bytes"] < 1 << 20
    assert "of apparent size is shared, sparse, or duplicate)" in clean(work, "-n").stdout


@pytest.mark.parametrize("kind", ["xfs", "btrfs", "ext4"])
def test_the_promise_is_kept_on_a_real_disk(work, kind):
    with disks.mounted(kind, work / "disk") as disk:
        target = cargo(disk / "app", 3_000_000)
        write(target / "debug/deps/shared.rlib", 8_000_000)
        if kind in disks.REFLINKS:
            subprocess.run(["cp", "--reflink=always", target / "debug/deps/shared.rlib", disk / "blob"], check=True)
        else:
            os.link(target / "debug/deps/shared.rlib", disk / "blob")
        before = disks.used(disk)
        assert found(work) == {}  # another file system, which nobody named
        row = found(work, "disk")["disk/app/target"]
        assert row["cached_bytes"] == 8_000_000
        assert clean(work, "-y", "disk").returncode == 0
        end = time.monotonic() + 20  # XFS frees in the background
        while (freed := before - disks.used(disk)) < 2_000_000 and time.monotonic() < end:
            time.sleep(0.2)
        assert abs(freed - row["reclaimable_bytes"]) < 600_000 and freed < 4_500_000


def test_what_is_mounted_inside_is_left_alone(work):
    target = cargo(work / "app")
    with disks.mounted("tmpfs", target / "inside") as inside:
        write(inside / "precious")
        row = found(work)["app/target"]
        assert not row["removable"] and "another file system" in row["reason"]
        assert clean(work, "-y").returncode == 0
        assert (inside / "precious").exists() and (target / "debug/x").exists()


def test_links_are_removed_and_not_followed(work):
    precious = write(work / "precious/file")
    target = cargo(work / "app")
    os.symlink(work / "precious", target / "debug/deps/link")
    os.symlink(precious, target / "debug/link")
    assert clean(work, "-y").returncode == 0
    assert precious.exists() and not target.exists()
    # A target that is itself a link is none.
    os.symlink(work / "precious", target)
    assert found(work) == {}


def test_a_failure_is_named_and_is_status_1(work):
    target = cargo(work / "app")
    good = cargo(work / "b")
    with open(target / "debug/.cargo-lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as cargo does while it builds
        result = clean(work, "-y")
        again = json.loads(clean(work, "-y", "--json").stdout)
    assert result.returncode == 1
    assert "  failed  app/target - cargo is building in it" in result.stdout and "  removed b/target" in result.stdout
    assert "Removed 1 target/ dirs" in result.stdout
    assert (target / "debug/x").exists() and not good.exists()
    assert again["failed"] == 1 and again["removed"] == 0 and again["directories"][0]["error"] == "cargo is building in it"


@pytest.mark.skipif(os.getuid() != 0, reason="needs a second user")
def test_what_belongs_to_others(work):
    target = cargo(work / "app")
    (target / "debug/deps").chmod(0o500)
    for path in [work.parent, *work.parents]:
        if path == pathlib.Path("/tmp"):
            break
        path.chmod(0o755)
    subprocess.run(["chown", "-R", "65534", work / "app"], check=True)
    as_nobody = ["setpriv", "--reuid=65534", "--clear-groups"]
    # Read-only directories of one's own are no obstacle.
    result = subprocess.run([*as_nobody, KACHE, "clean", "-y"], cwd=work, env=env_of(work), capture_output=True, text=True)
    if "Permission denied" in result.stderr:
        pytest.skip("kache itself can not be reached by another user here")
    assert result.returncode == 0 and not target.exists(), result.stdout + result.stderr
    cargo(work / "root")
    result = subprocess.run([*as_nobody, KACHE, "clean", "-y"], cwd=work, env=env_of(work), capture_output=True, text=True)
    assert result.returncode == 1 and "failed  root/target" in result.stdout and (work / "root/target/debug/x").exists()


def test_stale(work):
    old, new = cargo(work / "old"), cargo(work / "new")
    month_ago = time.time() - 30 * 86400
    for path in [*old.rglob("*"), old]:
        os.utime(path, (month_ago, month_ago))
    assert set(found(work, "--stale", "14d")) == {"old/target"}
    assert set(found(work, "--stale", "60d")) == set()
    assert "All 2 build directories were written to in the last 60d." in clean(work, "-n", "--stale", "60d").stdout
    assert clean(work, "-y", "--stale", "14d").returncode == 0
    assert not old.exists() and new.exists()


def test_names_do_not_play_with_the_terminal(work):
    cargo(work / "a\x1b[31m\nb")
    out = clean(work, "-n").stdout
    assert "a\\x1b[31m\\x0ab/target" in out and "\x1b" not in out


# --- the screen ---


def projects(work, count=30):
    for i in range(count):
        cargo(work / f"p{i:02}", 1000 * (i + 1))


def test_choose_and_remove(work):
    projects(work, 3)
    cmake(work / "ins", work / "ins")
    with screen([KACHE, "clean"], work, env_of(work)) as shown:
        text = shown.wait("4 dirs", "Selected: 0", "p02/target", "Space choose")
        assert text.splitlines()[2].startswith("[ ]  p02/target")  # the largest first
        shown.keys("Space")
        shown.wait("[x]  p02/target", "Selected: 1")
        shown.keys("a")
        shown.wait("Selected: 3", "[-]  ins")
        shown.keys("n", "Home", "Space", "Space")
        shown.wait("Selected: 2")
        shown.keys("Enter")
        shown.wait("Remove 2 directories, about", "(y/n)")
        shown.keys("n")
        shown.wait_gone("(y/n)")
        assert (work / "p02/target").exists()
        shown.keys("Enter")
        shown.wait("(y/n)")
        shown.keys("y")
        status, text = shown.ended()
    assert status == 0 and "removed p02/target" in text and "Removed 2 target/ dirs" in text
    assert not (work / "p02/target").exists() and not (work / "p01/target").exists()
    assert (work / "p00/target").exists() and (work / "ins/CMakeFiles").exists()


@pytest.mark.parametrize("key", ["q", "Escape", "C-c"])
def test_cancel(work, key):
    projects(work, 2)
    with screen([KACHE, "clean"], work, env_of(work)) as shown:
        shown.wait("2 dirs", "q cancel")
        shown.keys("a")
        shown.wait("Selected: 2")
        shown.keys(key)
        status, text = shown.ended()
    assert status == 0 and "Cancelled." in text and (work / "p00/target").exists()


def test_the_list_scrolls_in_any_size(work):
    projects(work)
    with screen([KACHE, "clean"], work, env_of(work)) as shown:
        shown.wait("30 dirs", "1-16 of 30")
        shown.keys("End")
        shown.wait("p00/target", "15-30 of 30")
        shown.resize(40, 10)
        shown.wait("p00/target", "24-30 of 30")
        shown.keys("Home", "PageDown")
        shown.wait("p22/target")
        shown.resize(120, 40)
        shown.wait("p29/target", "p00/target", "Profiles")
        assert all(len(line) <= 120 for line in shown.lines())
        shown.keys("s")
        shown.wait("sort: path")
        assert shown.lines()[2].startswith("[ ]  p00/target")
        shown.resize(20, 3)
        shown.wait_gone("Profiles")
        shown.keys("q")
        assert shown.ended()[0] == 0


def test_colours_or_none(work):
    projects(work, 1)
    for more, has_colours in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "vt100"}, False)):
        with screen([KACHE, "clean"], work, {**env_of(work), "TERM": "xterm-256color", **more}) as shown:
            shown.wait("1 dirs")
            shown.keys("a")
            shown.wait("Selected: 1")
            assert ("\x1b[31m" in shown.colours() or "\x1b[33m" in shown.colours()) == has_colours, more


def test_a_terminal_without_utf8(work):
    cargo(work / "grüße")
    with screen([KACHE, "clean"], work, {**env_of(work), "LANG": "C", "LC_ALL": "C"}) as shown:
        text = shown.wait("1 dirs", "Space choose", "----")
        assert "gr??e/target" in text and "─" not in text


@pytest.mark.parametrize("signal", ["TERM", "HUP", "SEGV", "ABRT"])
def test_whatever_ends_it_the_terminal_is_as_before(work, signal):
    projects(work, 1)
    with screen([KACHE, "clean"], work, env_of(work)) as shown:
        shown.wait("1 dirs")
        pane = shown.tmux("list-panes", "-F", "#{pane_pid}").stdout.strip()
        child = subprocess.run(["pgrep", "-P", pane], capture_output=True, text=True).stdout.split()
        subprocess.run(["kill", f"-{signal}", child[0]], check=True)
        status, text = shown.ended()  # with the modes of before, or it would not be there
    assert status > 128 and "1 dirs" not in text and (work / "p00/target").exists()


def test_a_terminal_that_is_not_known(work):
    projects(work, 1)
    with screen([KACHE, "clean"], work, {**env_of(work), "TERM": "nosuchterm"}) as shown:
        status, text = shown.ended()
    assert status == 2 and "TERM=nosuchterm" in text
    with screen([KACHE, "clean"], work, {**env_of(work), "TERM": "dumb"}) as shown:
        status, text = shown.ended()
    assert status == 2 and "--dry-run" in text.replace("\n", "")
