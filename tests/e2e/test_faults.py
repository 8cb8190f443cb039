"""Disks that fill up, directories that may not be written or read, limits: every build succeeds with the compiler's own bytes and
messages, and nothing of kache's."""
import contextlib
import os
import resource
import shutil
import subprocess
import time

import pytest

from disks import bound, mounted
from laboratory import BUILD, KACHE, TOOLCHAIN, write_tree
from test_robust import LIB, NAMES

NOBODY = 65534
SOURCE = "pub fn f() -> u32 { 7 }\npub fn g() { let unused = 1; }\n" + "".join(f"pub fn h{i}() -> String {{ format!(\"{i}\") }}\n" for i in range(60))


class Case:
    """One compile, by the compiler alone and through kache, both with literal paths."""

    def __init__(self, lab):
        self.lab = lab
        self.tree = write_tree(lab.root / "tree", {"src.rs": SOURCE})
        time.sleep(0.02)
        self.alone = self.run([TOOLCHAIN / "rustc", *LIB])
        assert self.alone[0] == 0

    def run(self, command, cwd=None, prefix=(), before=None, **env):
        cwd = cwd or self.tree
        shutil.rmtree(cwd / "out", ignore_errors=True)
        (cwd / "out/debug/deps").mkdir(parents=True)
        result = subprocess.run([*prefix, *command], cwd=cwd, env=self.lab.env(KACHE_RUSTC_PATH_NORMALIZE="0", **env), capture_output=True,
                                preexec_fn=before)
        files = {name: (cwd / "out/debug/deps" / name).read_bytes() for name in NAMES if (cwd / "out/debug/deps" / name).exists()}
        return result.returncode, result.stdout, result.stderr, files

    def kache(self, **more):
        return self.run([KACHE, TOOLCHAIN / "rustc", *LIB], **more)

    def check(self, **more):
        """Through kache it is what the compiler alone makes."""
        result = self.kache(**more)
        assert result[:3] == self.alone[:3], (result[:3], more)
        assert {name for name in NAMES if result[3].get(name) != self.alone[3][name]} == set(), more


@pytest.fixture
def case(lab):
    return Case(lab)


@pytest.mark.parametrize("room", [0, 4, 16, 40, 64, 96, 128, 200, 400])
def test_the_disk_of_the_cache_is_full(case, room):
    """`room` KiB are left when the compile begins; and none when the next one does."""
    with mounted("tmpfs", case.lab.root / "small", "2m") as disk:
        case.lab.cache = disk / "cache"
        case.check()
        shutil.rmtree(case.lab.cache)
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        (disk / "ballast").write_bytes(bytes(max(0, free - (room << 10))))
        for _ in range(3):
            case.check()
        with contextlib.suppress(OSError), open(disk / "ballast", "ab") as file:
            while True:
                file.write(bytes(512))
        for _ in range(2):
            case.check()
        (disk / "ballast").unlink()
        for _ in range(2):
            case.check()
        assert case.lab.events()[-1]["result"] == "local_hit"


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_a_small_disk_of_another_kind_is_full(case, kind):
    with mounted(kind, case.lab.root / "small", "320M" if kind == "xfs" else "8M") as disk:
        case.lab.cache = disk / "cache"
        with contextlib.suppress(OSError), open(disk / "ballast", "wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        for _ in range(3):
            case.check()
        (disk / "ballast").unlink()
        for _ in range(2):
            case.check()


def test_the_disk_of_the_target_is_full(case):
    """A restore that does not fit leaves nothing half done: the compiler is run, and says what it has to say."""
    case.check()
    with mounted("tmpfs", case.lab.root / "target-disk", "1m") as disk:
        write_tree(disk, {"src.rs": SOURCE})
        with contextlib.suppress(OSError), open(disk / "ballast", "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        alone = case.run([TOOLCHAIN / "rustc", *LIB], cwd=disk)
        through = case.kache(cwd=disk)
        assert through[0] == alone[0] != 0
        assert b"No space left" in through[2]
        assert [path for path in (disk / "out").rglob("*.tmp")] == []
        (disk / "ballast").unlink()
        assert case.kache(cwd=disk)[0] == 0


def test_a_cache_that_is_mounted_read_only(case):
    case.check()
    with bound(case.lab.cache, case.lab.root / "shown", read_only=True) as shown:
        for _ in range(2):
            case.check(KACHE_CACHE_DIR=str(shown))
    empty = case.lab.root / "empty"
    empty.mkdir()
    with bound(empty, case.lab.root / "shown-empty", read_only=True) as shown:
        case.check(KACHE_CACHE_DIR=str(shown / "cache"))


@pytest.fixture
def nobody(case):
    """Compiles as nobody, who can not reach the toolchain and kache where they are (below /root, often): they are shown elsewhere."""
    if os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root and setpriv")
    for path in (case.lab.root, *case.lab.root.parents):
        if path.stat().st_uid == 0:
            path.chmod(path.stat().st_mode | 0o011)
    with bound(TOOLCHAIN.parent, case.lab.root / "toolchain") as toolchain, bound(BUILD, case.lab.root / "build") as build:
        case.compiler, case.wrapper = toolchain / "bin/rustc", build / "bin/kache"
        case.prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "--"]

        def own(path):
            subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", path], check=True)

        def check(**more):
            result = case.run([case.wrapper, case.compiler, *LIB], prefix=["sh", "-c", f'chown -R {NOBODY} . && exec "$@"', "sh", *case.prefix], **more)
            assert result[:3] == case.alone[:3], (result[:3], more)
            assert result[3] == case.alone[3]
        case.nobody, case.own = check, own
        yield case


def test_a_cache_of_another_user(nobody):
    nobody.check()  # as root
    nobody.nobody()
    for path in nobody.lab.cache.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    nobody.lab.cache.chmod(0o755)
    for _ in range(2):
        nobody.nobody()  # may read, may not write


def test_a_cache_of_ones_own_that_may_not_be_written(nobody):
    nobody.own(nobody.lab.home)
    cache = nobody.lab.root / "theirs"
    cache.mkdir()
    nobody.own(cache)
    nobody.nobody(KACHE_CACHE_DIR=str(cache))
    for mode in (0o500, 0o000):
        for path in [*cache.rglob("*"), cache]:
            if path.is_dir():
                path.chmod(mode)
        nobody.nobody(KACHE_CACHE_DIR=str(cache))
        for path in [cache, *cache.rglob("*")]:
            if path.is_dir():
                path.chmod(0o700)


def test_a_home_that_may_not_be_read(nobody):
    home = nobody.lab.root / "closed"
    home.mkdir(mode=0o000)
    nobody.nobody(HOME=str(home), CARGO_HOME=None, KACHE_CACHE_DIR=None)


def test_an_extern_that_may_not_be_read_is_not_taken_for_an_absent_one(nobody):
    """Hole 15: the compiler fails as without kache, and what it would make of a readable one is not answered."""
    tree = nobody.tree
    (tree / "dep.rs").write_text("pub const A: u8 = 1;\n")
    (tree / "src.rs").write_text("extern crate dep;\npub const B: u8 = dep::A;\n")
    subprocess.run([TOOLCHAIN / "rustc", "--crate-name", "dep", "--crate-type", "rlib", "--out-dir", "closed", "dep.rs"], cwd=tree, check=True)
    args = [*LIB, "--extern", "dep=closed/libdep.rlib"]
    cache = nobody.lab.root / "theirs"
    cache.mkdir()
    nobody.own(cache)

    def compile(*command):
        shown = ["sh", "-c", f'chown -R {NOBODY} . && chown 0 closed && chmod $MODE closed && exec "$@"', "sh", *nobody.prefix]
        return nobody.run([*command, nobody.compiler, *args], prefix=shown, KACHE_CACHE_DIR=str(cache), MODE=mode)
    for mode in ("755", "700", "755"):
        alone, through = compile(), compile(nobody.wrapper)
        assert (alone[0] == 0) == (mode == "755")
        assert through == alone


@pytest.mark.parametrize("limit, value", [("RLIMIT_FSIZE", 1 << 20), ("RLIMIT_FSIZE", 64 << 10), ("RLIMIT_NOFILE", 20)])
def test_limits_of_the_process(case, limit, value):
    def lower():
        resource.setrlimit(getattr(resource, limit), (value, value))
    alone = case.run([TOOLCHAIN / "rustc", *LIB], before=lower)
    for _ in range(2):
        through = case.kache(before=lower)
        assert through[:3] == alone[:3] and through[3] == alone[3]
    # And a result that is there already is restored under it.
    case.check()
    if alone[0] == 0:
        case.check(before=lower)


UNSHARED = ["unshare", "--mount", "--propagation", "private", "sh", "-c"]


@pytest.mark.parametrize("without", ["/proc", "/tmp", "/dev/shm"])
def test_without(case, without):
    if os.getuid() != 0:
        pytest.skip("mounting needs root")
    # In a chroot whose root is no mount point, for one.
    refused = subprocess.run([*UNSHARED, ":"], capture_output=True, text=True)
    if refused.returncode != 0:
        pytest.skip(refused.stderr.strip())
    # The test's own directory may lie below /tmp: it is kept at another place.
    hide = 'mkdir -p /mnt/kept && mount --bind "$KEEP" /mnt/kept && mount -t tmpfs -o size=0,nr_inodes=1,mode=000 none "$HIDE"; cd /mnt/kept/tree && exec "$@"'
    env = {"KEEP": str(case.lab.root), "HIDE": without, "HOME": "/mnt/kept/home", "CARGO_HOME": "/mnt/kept/home/.cargo", "KACHE_CACHE_DIR": "/mnt/kept/cache",
           "LD_LIBRARY_PATH": str(TOOLCHAIN.parent / "lib")}  # rustc finds its libraries with the help of /proc
    if without == "/tmp" and str(BUILD).startswith("/tmp"):
        pytest.skip("the build lies there")
    alone = case.run([TOOLCHAIN / "rustc", *LIB], prefix=[*UNSHARED, hide, "sh"], **env)
    if alone[0] != 0:
        pytest.skip("this rustc itself needs it: " + alone[2].decode())
    for _ in range(2):
        through = case.kache(prefix=[*UNSHARED, hide, "sh"], **env)
        assert through == alone


def test_a_cache_that_vanishes_while_the_compiler_runs(case):
    slow = case.lab.root / "slow" / "rustc"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\n{TOOLCHAIN}/rustc "$@"\nstatus=$?\nrm -rf "$VANISH"\nexit $status\n')
    slow.chmod(0o755)
    for what in ("", "/v1", "/v1/tmp", "/v1/blobs", "/v1/locks", "/v1/memo"):
        result = case.run([KACHE, slow, *LIB], VANISH=f"{case.lab.cache}{what}")
        assert result[:3] == case.alone[:3], (what, result)
        assert result[3] == case.alone[3]
        case.check()


def test_a_compiler_that_is_not_there(case):
    result = case.run([KACHE, "/nonexistent/rustc", *LIB])
    assert result[0] == 127 and b"/nonexistent/rustc" in result[2] and result[3] == {}


def test_read_only_outputs_are_no_obstacle_where_caching_is_off(nobody):
    cache = nobody.lab.root / "theirs"
    cache.mkdir()
    nobody.own(cache)
    nobody.nobody(KACHE_CACHE_DIR=str(cache))
    nobody.nobody(KACHE_CACHE_DIR=str(cache))
    rlib = nobody.tree / "out/debug/deps/libunit-1.rlib"
    blob, before = os.stat(rlib), rlib.read_bytes()
    assert blob.st_nlink > 1 and not blob.st_mode & 0o222
    (nobody.tree / "src.rs").write_text(SOURCE + "pub fn more() {}\n")
    for env in ({"KACHE_DISABLED": "1"}, {"KACHE_ACTIVE": "1"}):
        result = subprocess.run([*nobody.prefix, nobody.wrapper, nobody.compiler, *LIB], cwd=nobody.tree, capture_output=True,
                                env=nobody.lab.env(KACHE_CACHE_DIR=str(cache), **env))
        assert result.returncode == 0, result.stderr
        assert rlib.read_bytes() != before and os.stat(rlib).st_ino != blob.st_ino
    (nobody.tree / "src.rs").write_text(SOURCE)
    nobody.nobody(KACHE_CACHE_DIR=str(cache))
