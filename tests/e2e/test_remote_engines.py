"""The same two machines, with each engine between them: a real Ceph gateway, nginx, Redis."""
import pathlib
import subprocess
import sys

import pytest

from laboratory import write_tree
from test_remote import C, RUST, machines, results, unit, work  # noqa: F401

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "remote"))
import servers  # noqa: E402


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    running = {}

    def start(name):
        if name not in running:
            running[name] = {"ceph": servers.Ceph, "nginx": servers.Nginx, "redis": servers.Redis, "plain": lambda _: servers.Plain()}[name](
                tmp_path_factory.mktemp(name))
        return running[name]

    yield start
    for server in running.values():
        server.close()


def place(engines, name):
    """(URL, variables)"""
    server = engines(name)
    if name == "ceph":
        server.make_bucket("machines")
        return server.url("machines", "cache"), server.env
    return (server.url if isinstance(server.url, str) else server.url()), {}


@pytest.mark.hits
@pytest.mark.parametrize("name", ["ceph", "nginx", "redis", "plain"])
def test_a_second_machine_compiles_nothing(machines, engines, tmp_path, name):
    url, variables = place(engines, name)
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


def test_the_gateway_dies_and_comes_back(machines, engines, tmp_path, work):
    url, variables = place(engines, "ceph")
    ceph = engines("ceph")
    first = machines("first", url, **variables)
    assert unit(first, work, "a.c", "int before;\n")["result"] == "miss"
    ceph.stop_gateway()
    try:
        for i in range(3):
            assert unit(first, work, f"b{i}.c", f"int during{i};\n")["result"] == "miss"
        first.daemon("stop", "--drain", "1")
    finally:
        ceph.start_gateway()
    assert first.daemon("start").returncode == 0
    assert unit(first, work, "c.c", "int after;\n")["result"] == "miss"  # brings the credentials for what is waiting
    first.settle()
    assert list((first.cache / "v1/outbox").iterdir()) == []
    second = machines("second", url, **variables)
    for name, text in (("a.c", "int before;\n"), ("b1.c", "int during1;\n"), ("c.c", "int after;\n")):
        assert unit(second, work, name, text)["result"] in ("remote_hit", "prefetch_hit")


def test_wrong_credentials_are_named(machines, engines, work):
    url, variables = place(engines, "ceph")
    secret = next(name for name in variables if "SECRET" in name)
    machine = machines("one", url, **(variables | {secret: "wrong"}))
    event = unit(machine, work)
    assert event["result"] == "miss" and "remote" in event["remote_error"], event
    checked = machine.kache(work, "remote", "check")
    assert checked.returncode == 1 and (b"SignatureDoesNotMatch" in checked.stdout or b"denied" in checked.stdout or b"403" in checked.stdout), checked.stdout
