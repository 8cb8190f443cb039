"""The table of restores on real file systems: what is shared, what is copied, with which mode and time; what a second checkout
costs; and a file that somebody wrote into."""
import contextlib
import os
import shutil
import subprocess
import time

import pytest

from disks import REFLINKS, bound, is_shared, mounted, used
from laboratory import package, workspace, write_tree

# Big enough that blocks can be counted.
BIG = "".join(f"pub fn f{i}(x: u64) -> String {{ format!(\"{{}} {i}\", x * {i}) }}\n" for i in range(400))
TREE = {
    "Cargo.toml": workspace("app", "big", "native"),
    "big/Cargo.toml": package("big"), "big/src/lib.rs": BIG,
    "native/Cargo.toml": package("native", lib='crate-type = ["cdylib"]'),
    "native/src/lib.rs": '#[no_mangle] pub extern "C" fn one() -> u8 { 1 }\n',
    "app/Cargo.toml": package("app", ["big"]),
    "app/src/main.rs": 'fn main() { println!("{}", big::f7(6)); }\n',
}
# Where the store is, where the tree is, and what a restore of the rlib is then.
PLACES = {
    "xfs": ("xfs", "xfs", "reflink"),
    "btrfs": ("btrfs", "btrfs", "reflink"),
    "ext4": ("ext4", "ext4", "hardlink"),
    "tmpfs": ("tmpfs", "tmpfs", "hardlink"),
    "store on tmpfs, tree on ext4": ("tmpfs", "ext4", "copy"),
    "store on ext4, tree on xfs": ("ext4", "xfs", "copy"),
}


@contextlib.contextmanager
def place(lab, name):
    store, tree, way = PLACES[name]
    with contextlib.ExitStack() as stack:
        disk = stack.enter_context(mounted(store, lab.root / "store-disk", "900M"))
        lab.cache = disk / "cache"
        if tree != store:
            disk = stack.enter_context(mounted(tree, lab.root / "tree-disk", "900M"))
        lab.tree = write_tree(disk / "one", TREE)
        lab.disk = disk
        time.sleep(0.02)
        lab.cargo(lab.tree, "build")
        yield way


def rebuild(lab, tree):
    shutil.rmtree(tree / "target", ignore_errors=True)
    lab.forget_events()
    lab.cargo(tree, "build")
    return lab.missed() if lab.events() else ["nothing was asked"]


def outputs(tree):
    """{"rlib": path, …} of what lies in deps."""
    deps = tree / "target/debug/deps"
    kinds = {"rlib": "libbig-*.rlib", "rmeta": "libbig-*.rmeta", "depfile": "big-*.d", "dylib": "libnative*.so"}
    found = {kind: next(deps.glob(pattern)) for kind, pattern in kinds.items()}
    found["program"] = next(path for path in deps.glob("app-*") if path.suffix == "")
    return found


def blobs(lab):
    return {(os.stat(path).st_dev, os.stat(path).st_ino) for path in (lab.cache / "v1/blobs").rglob("*") if path.is_file()}


@pytest.mark.hits
@pytest.mark.parametrize("name", PLACES)
def test_what_a_restore_shares_and_copies(lab, name):
    with place(lab, name) as way:
        first = {kind: path.read_bytes() for kind, path in outputs(lab.tree).items()}
        before = time.time() - 1
        time.sleep(1.1)
        assert rebuild(lab, lab.tree) == []
        found, in_store = outputs(lab.tree), blobs(lab)
        assert {kind: path.read_bytes() for kind, path in found.items()} == first
        for kind, path in found.items():
            status = os.stat(path)
            is_blob = (status.st_dev, status.st_ino) in in_store
            assert is_blob == (kind == "rlib" and way == "hardlink"), kind
            assert status.st_mode & 0o777 == {"rlib": 0o444 if is_blob else 0o644, "program": 0o755, "dylib": 0o755}.get(kind, 0o644), kind
            # What cargo looks at is new; an inode of the store keeps its seal.
            assert (status.st_mtime > before + 1) != is_blob, kind
            if status.st_size > 64 << 10:
                assert is_shared(path) == (way == "reflink"), kind
        bytes_by = {key: sum(event[key] for event in lab.events()) for key in ("reflinked_bytes", "hardlinked_bytes", "copied_bytes")}
        assert (bytes_by["reflinked_bytes"] > 0) == (way == "reflink") and (bytes_by["hardlinked_bytes"] > 0) == (way == "hardlink"), bytes_by
        assert subprocess.run([found["program"]], capture_output=True, text=True).stdout == "42 7\n"
        lab.forget_events()
        assert b"Compiling" not in lab.cargo(lab.tree, "build").stderr and lab.events() == []


@pytest.mark.hits
@pytest.mark.parametrize("name", sorted(REFLINKS))
def test_a_second_checkout_costs_next_to_nothing_where_files_can_share(lab, name):
    with place(lab, name):
        files = [path.stat() for path in (lab.tree / "target").rglob("*") if path.is_file()]
        full = sum({status.st_ino: status.st_blocks * 512 for status in files}.values())
        two = lab.disk / "another-name"
        shutil.copytree(lab.tree, two, ignore=shutil.ignore_patterns("target"))
        before = used(lab.disk)
        lab.forget_events()
        lab.cargo(two, "build")
        assert lab.missed() == []
        assert full > 4 << 20
        assert used(lab.disk) - before <= 0.05 * full, (used(lab.disk) - before, full)


@pytest.mark.hits
@pytest.mark.parametrize("name", ["xfs", "btrfs", "ext4", "tmpfs"])
def test_a_file_that_was_written_into_is_not_served_again(lab, name):
    with place(lab, name) as way:
        good = outputs(lab.tree)["rlib"].read_bytes()
        assert rebuild(lab, lab.tree) == []
        # Into the blob itself: through the restored file where that is the same inode.
        blob = max((path for path in (lab.cache / "v1/blobs").rglob("*") if path.is_file() and path.stat().st_size == len(good)),
                   key=lambda path: path.read_bytes() == good)
        path = outputs(lab.tree)["rlib"] if way == "hardlink" else blob
        os.chmod(path, 0o644)
        with open(path, "r+b") as file:
            file.seek(200)
            file.write(b"tampered")
        assert "big" in rebuild(lab, lab.tree)
        assert outputs(lab.tree)["rlib"].read_bytes() == good
        assert [path.name for path in (lab.cache / "v1/quarantine").iterdir()] == [blob.name]
        assert rebuild(lab, lab.tree) == []


@pytest.mark.hits
@pytest.mark.parametrize("kind", ["another file system", "a bind mount"])
def test_sources_may_lie_elsewhere(lab, kind):
    tree = write_tree(lab.root / "tree", TREE)
    with contextlib.ExitStack() as stack:
        text = tree / "big/src/lib.rs"
        if kind == "a bind mount":
            write_tree(lab.root / "other", {"lib.rs": BIG})
            stack.enter_context(bound(lab.root / "other", tree / "big/src"))
        else:
            text.unlink()
            stack.enter_context(mounted("tmpfs", tree / "big/src"))
            text.write_text(BIG)
        time.sleep(0.02)
        lab.cargo(tree, "build")
        assert rebuild(lab, tree) == []
        text.write_text(BIG.replace("x * 7)", "x * 8)"))
        time.sleep(0.02)
        assert "big" in rebuild(lab, tree)
        assert subprocess.run([tree / "target/debug/app"], capture_output=True, text=True).stdout == "48 7\n"


def test_another_mount_over_the_sources_is_seen(lab):
    tree = write_tree(lab.root / "tree", TREE)
    write_tree(lab.root / "other", {"lib.rs": BIG.replace("x * 7)", "x * 8)")})
    time.sleep(0.02)
    lab.cargo(tree, "build")
    with bound(lab.root / "other", tree / "big/src"):
        rebuild(lab, tree)
        assert subprocess.run([tree / "target/debug/app"], capture_output=True, text=True).stdout == "48 7\n"
    rebuild(lab, tree)
    assert subprocess.run([tree / "target/debug/app"], capture_output=True, text=True).stdout == "42 7\n"
