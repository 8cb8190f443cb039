"""One contract for all engines (contract.cc), each on the server that people run."""
import pytest

import servers


def test_nginx_with_dav(contract, nginx):
    contract.check(f"{nginx.url}/team/cache", without="if_absent,if_version")


def test_nginx_lies_about_no_collection(contract, nginx):
    """Objects are where a person looks for them, and collections of others do not hurt."""
    url = f"{nginx.url}/named"
    (nginx.root / "named/k1/blobs/zz").mkdir(parents=True)
    (nginx.root / "named/k1/blobs/not ours & <odd>").write_text("x")
    (nginx.root / "named/k1/blobs/zz/..hidden").write_text("x")
    assert contract.call(url, "put")[0] == "ok: put"
    names = [path for path in (nginx.root / "named/k1/blobs").rglob("*") if len(path.name) == 64]
    assert len(names) == 1 and names[0].parent.name == names[0].name[:2] and names[0].stat().st_size == 1000
    assert contract.call(url, "list")[0] == f"ok: listed k1/blobs/{names[0].parent.name}/{names[0].name}"


def test_login_of_the_url(contract, nginx):
    (nginx.root / "locked").mkdir(exist_ok=True)
    host = nginx.url.removeprefix("http://")
    assert contract.call(f"http://user:pass%20word@{host}/locked", "put")[0] == "ok: put"
    outcome = contract.call(f"http://user:wrongpassword@{host}/locked", "put")[0]
    assert outcome.startswith("denied: ") and "401" in outcome and "wrongpassword" not in outcome


def test_a_server_that_takes_no_writes(contract, nginx):
    (nginx.root / "no-dav").mkdir(exist_ok=True)
    assert contract.call(f"{nginx.url}/no-dav", "put")[0].startswith("unsupported: ")
    assert contract.call(f"{nginx.url}/no-dav", "list")[0].startswith("unsupported: ")
    assert contract.call(f"{nginx.url}/no-dav", "get")[0].startswith("not_found: ")


@pytest.fixture
def plain(request):
    server = servers.Plain(**getattr(request, "param", {}))
    yield server
    server.close()


def test_plain_server(contract, plain):
    contract.check(f"{plain.url}/cache", without="list")


@pytest.mark.parametrize("plain", [{"conditions": False, "deletes": False, "bazel": True}], indirect=True)
def test_layout_of_bazel(contract, plain):
    contract.check(f"{plain.url}/?layout=bazel", without="list,if_absent,if_version,remove")


@pytest.mark.parametrize("plain", [{"token": "s3cret"}], indirect=True)
def test_token(contract, plain):
    url = f"{plain.url}/?token_env=BUILD_TOKEN"
    assert contract.call(url, "put", env={"BUILD_TOKEN": "s3cret"})[0] == "ok: put"
    outcome = contract.call(url, "put", env={"BUILD_TOKEN": "wrong-one"})[0]
    assert outcome.startswith("denied: ") and "wrong-one" not in outcome
    assert "BUILD_TOKEN, which is not set" in contract.call(url, "put")[0]


def test_ceph(contract, ceph):
    bucket = ceph.make_bucket("contract")
    contract.check(ceph.url(bucket, "team/cache"), env=ceph.env)


def test_ceph_by_the_name_of_the_host(contract, ceph):
    """bucket.localhost, which every resolver sends to this machine."""
    bucket = ceph.make_bucket("by-host")
    url = ceph.url(bucket, "a b", style="virtual").replace("127.0.0.1", "localhost")
    assert contract.call(url, "put", env=ceph.env)[0] == "ok: put"
    assert contract.call(url, "get", env=ceph.env)[0].startswith("ok: 1000 bytes")
    listed = contract.call(url, "list", env=ceph.env)[0]
    assert listed.startswith("ok: listed k1/blobs/") and listed == contract.call(ceph.url(bucket, "a b"), "list", env=ceph.env)[0]
    assert contract.call(ceph.url(bucket, "other"), "list", env=ceph.env)[0] == "ok: listed"


def test_ceph_says_what_is_wrong(contract, ceph):
    bucket = ceph.make_bucket("wrong")
    url = ceph.url(bucket)
    assert contract.call(ceph.url("nowhere"), "put", env=ceph.env)[0].startswith("invalid: s3://nowhere")
    assert "no such bucket" in contract.call(ceph.url("nowhere"), "list", env=ceph.env)[0]
    wrong = contract.call(url, "put", env={**ceph.env, "KACHE_S3_SECRET_KEY": "notthesecret"})[0]
    assert wrong.startswith("denied: ") and "secret key does not fit" in wrong and "notthesecret" not in wrong
    unknown = contract.call(url, "put", env={"KACHE_S3_ACCESS_KEY": "nobody", "KACHE_S3_SECRET_KEY": "x"})[0]
    assert unknown.startswith("denied: ") and "access key is not known" in unknown
    assert contract.call(url + "&profile=anonymous", "put")[0].startswith("denied: ")
    nothing = contract.call(url, "put")[0]
    assert nothing.startswith("denied: ") and "set KACHE_S3_ACCESS_KEY" in nothing
    half = contract.call(url, "put", env={"KACHE_S3_ACCESS_KEY": "AK"})[0]
    assert half.startswith("invalid: ") and "KACHE_S3_SECRET_KEY" in half


def test_names_of_others_in_a_bucket(contract, ceph):
    """What lies there and is none of ours is passed over, however it is called."""
    bucket = ceph.make_bucket("foreign")
    url = ceph.url(bucket, "p")
    assert contract.call(url, "put", env=ceph.env)[0] == "ok: put"
    before = contract.call(url, "list", env=ceph.env)[0]
    for name in ("p/k1/blobs/x", "p/k1/blobs/ab/..%2F..%2Fetc", "p/k1/blobs/%0A%1B%5B31m", "p/k1/blobs/%C3%A4&<>\"", "p/k1/blobsx", "p2/k1/blobs/y"):
        ceph.put(bucket, name, b"x")
    assert contract.call(url, "list", env=ceph.env)[0] == before
