"""File systems of the test's own, on loop devices: made, mounted, and always taken down again. Needs root."""
import contextlib
import os
import pathlib
import shutil
import subprocess

import pytest

MAKERS = {
    "xfs": ["mkfs.xfs", "-q", "-m", "reflink=1"],
    "btrfs": ["mkfs.btrfs", "-q"],
    "ext4": ["mkfs.ext4", "-q", "-F"],
}
REFLINKS = {"xfs", "btrfs"}


def run(*args):
    return subprocess.run(args, capture_output=True, text=True)


@contextlib.contextmanager
def mounted(kind, where, size="400M", options=""):
    """`where`, an empty directory, with a new file system of this kind on it. Skips with the reason where that can not be."""
    if os.getuid() != 0:
        pytest.skip("mounting needs root")
    where.mkdir(parents=True, exist_ok=True)
    image = where.parent / f"{where.name}.img"
    if kind == "tmpfs":
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", where]
    else:
        maker = MAKERS[kind]
        if not shutil.which(maker[0]):
            pytest.skip(f"{maker[0]} is not installed")
        run("truncate", "-s", size, image)
        made = run(*maker, image)
        if made.returncode != 0:
            pytest.skip(f"{maker[0]}: {made.stderr}")
        mount = ["mount", "-o", ",".join(filter(None, ["loop", options])), image, where]
    done = run(*mount)
    if done.returncode != 0:
        image.unlink(missing_ok=True)
        pytest.skip(f"mount {kind}: {done.stderr.strip()}")
    try:
        yield where
    finally:
        if run("umount", where).returncode != 0:
            run("umount", "-l", where)
        image.unlink(missing_ok=True)


@contextlib.contextmanager
def bound(source, where, read_only=False):
    """`where` shows `source`."""
    if os.getuid() != 0:
        pytest.skip("mounting needs root")
    where.mkdir(parents=True, exist_ok=True)
    done = run("mount", "--bind", source, where)
    if done.returncode != 0:
        pytest.skip(f"mount --bind: {done.stderr.strip()}")
    try:
        if read_only and run("mount", "-o", "remount,bind,ro", where).returncode != 0:
            pytest.skip("a read-only bind mount can not be made")
        yield where
    finally:
        if run("umount", where).returncode != 0:
            run("umount", "-l", where)


def used(where):
    """Bytes on the disk, as the file system itself counts, once all is written."""
    run("sync", "-f", where)
    status = os.statvfs(where)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def is_shared(path):
    """Does the file share extents with another one? By FIEMAP, as filefrag shows it."""
    run("sync", "-f", path)
    return "shared" in run("filefrag", "-v", path).stdout


def device(path):
    return os.stat(pathlib.Path(path)).st_dev
