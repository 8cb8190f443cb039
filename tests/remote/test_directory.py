"""A shared directory."""
import os


def test_contract(contract, tmp_path):
    share, other = tmp_path / "share", tmp_path / "other"
    share.mkdir()
    other.mkdir()
    contract.check(str(share))
    assert sorted(path.name for path in share.iterdir()) == [".kache-tmp", "k1"]
    contract.check(f"file://{other}?atomic_write_dir={other}/.staging")
    assert sorted(path.name for path in other.iterdir()) == [".kache-tmp", ".staging", "k1"]
    assert not [name for _, _, names in os.walk(tmp_path) for name in names if name.startswith("put-")]


def test_a_share_that_is_not_mounted(contract, tmp_path):
    share = tmp_path / "share"
    for call in ("get", "put", "has", "list", "remove"):
        assert contract.call(str(share), call)[0] == f"invalid: no directory {share}: is it mounted? kache does not create it"
    assert not share.exists()


def test_what_others_left_there(contract, tmp_path):
    share = tmp_path / "share"
    (share / "k1/blobs/ab").mkdir(parents=True)
    (share / "k1/blobs/ab/Thumbs.db").write_text("x")
    (share / "k1/blobs/elsewhere").symlink_to("/etc")
    (share / "notes.txt").write_text("x")
    assert contract.call(str(share), "put")[0] == "ok: put"
    listed = contract.call(str(share), "list")[0]
    assert listed.startswith("ok: listed k1/blobs/") and listed.count(" ") == 2
    assert (share / "k1/blobs/ab/Thumbs.db").exists()


def test_a_directory_that_may_not_be_written(contract, tmp_path):
    if os.getuid() == 0:
        share = "/proc/self"  # root may write everywhere else
        assert contract.call(share, "put")[0].split(":")[0] in ("denied", "not_found")
        return
    share = tmp_path / "share"
    share.mkdir(mode=0o555)
    outcome = contract.call(str(share), "put")[0]
    assert outcome.startswith(f"denied: {share}/") and "umask" in outcome and "mode=read" in outcome
