"""The same two machines, with each engine between them: a real Ceph gateway, nginx, Redis."""
import subprocess

import pytest

import servers
from laboratory import write_tree
from test_remote import C, RUST, machines, results, unit, work  # noqa: F401


def place(request, name, bucket="machines"):
    """(URL, variables)"""
    if name == "ceph":
        server = request.getfixturevalue("ceph")
        return server.url(server.make_bucket(bucket), "cache"), server.env
    if name == "plain":
        server = servers.Plain()
        request.addfinalizer(server.close)
        return server.url, {}
    server = request.getfixturevalue(name)
    return (server.url + "/machines" if name == "nginx" else server.url("/3")), {}


@pytest.mark.hits
@pytest.mark.parametrize("name", ["ceph", "nginx", "redis", "plain"])
def test_a_second_machine_compiles_nothing(machines, request, tmp_path, name):
    url, variables = place(request, name)
    first, second = machines("first", url, **variables), machines("second", url, **variables)
    one, two = write_tree(tmp_path / "one/rust", RUST), write_tree(tmp_path / "elsewhere/two", RUST)
    first.cargo(one, "build")
    first.make(write_tree(tmp_path / "one/c", C))
    assert results(first) == {"miss": 7}, first.events()
    first.settle()
    status = first.kache(one, "remote", "check")
    assert status.returncode == 0, status.stdout

    second.cargo(two, "build")
    assert second.make(write_tree(tmp_path / "elsewhere/c", C)) == 0
    assert set(results(second)) <= {"remote_hit", "prefetch_hit"} and sum(results(second).values()) == 7, second.events()
    assert sum(event["compiler_runs"] for event in second.events()) == 0
    assert subprocess.run([two / "target/debug/app"], capture_output=True, text=True).stdout == "1\n"


def test_the_gateway_dies_and_comes_back(machines, ceph, work):
    bucket = ceph.make_bucket("dies")
    with ceph.another_gateway() as gateway:
        url = ceph.url(bucket, "cache", endpoint=f"http://127.0.0.1:{gateway.port}")
        first = machines("first", url, **ceph.env)
        assert unit(first, work, "a.c", "int before;\n")["result"] == "miss"
        gateway.kill()
        for i in range(3):
            assert unit(first, work, f"b{i}.c", f"int during{i};\n")["result"] == "miss"
        first.daemon("stop", "--drain", "1")
        gateway.start()
        assert first.daemon("start").returncode == 0
        assert unit(first, work, "c.c", "int after;\n")["result"] == "miss"  # brings the credentials for what is waiting
        first.settle()
        assert list((first.cache / "v1/outbox").iterdir()) == []
        second = machines("second", url, **ceph.env)
        for name, text in (("a.c", "int before;\n"), ("b1.c", "int during1;\n"), ("c.c", "int after;\n")):
            assert unit(second, work, name, text)["result"] in ("remote_hit", "prefetch_hit")


def test_wrong_credentials_are_named(machines, ceph, work):
    machine = machines("one", ceph.url(ceph.make_bucket("denies")), **(ceph.env | {"KACHE_S3_SECRET_KEY": "wrong"}))
    event = unit(machine, work)
    assert event["result"] == "miss" and "remote" in event["remote_error"], event
    checked = machine.kache(work, "remote", "check")
    assert checked.returncode == 1 and (b"SignatureDoesNotMatch" in checked.stdout or b"denied" in checked.stdout or b"403" in checked.stdout), checked.stdout
