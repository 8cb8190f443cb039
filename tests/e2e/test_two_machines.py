"""Two machines for real: two users, two homes, two toolchains at two places, two networks, and a Ceph gateway on a third one."""
import json
import os
import pathlib
import signal

import pytest

from laboratory import CONTROL, write_tree
from network import HUB, Network
from test_remote import C, RUST

DELAY_S = 0.005  # of each request


@pytest.fixture(scope="module")
def network():
    made = Network()
    yield made
    made.close()


@pytest.fixture(scope="module")
def world(network, ceph):
    """(wire, gateway, what makes a machine)"""
    bucket = ceph.make_bucket(f"two-machines-{os.getpid()}")  # another process may run another test of this file
    with ceph.another_gateway() as gateway:
        wire = network.wire(gateway.port, DELAY_S)
        url = ceph.url(bucket, "cache", endpoint=f"http://{HUB}:{wire.port}")
        made = []

        def machine(name, **env):
            one = network.machine(name)
            one.extra_env = {"KACHE_REMOTES": url, "AWS_EC2_METADATA_DISABLED": "true", **ceph.env, **env} | ({"KACHE_DISABLED": "1"} if CONTROL else {})
            made.append(one)
            return one

        yield wire, gateway, machine
        for one in made:
            one.run("/", one.kache, "daemon", "stop", "--drain", "0")


def build(machine, place):
    """The Rust project and the C project, below `place`; what every step left there, by name."""
    tree = machine.home / place
    for name, files in (("rust", RUST), ("c", C)):
        write_tree(tree / name, files)
    machine.give_tree(machine.home / pathlib.Path(place).parts[0])
    done = machine.run(tree / "rust", "cargo", "build", "--offline")
    assert done.returncode == 0, done.stderr.decode()
    for source in ("a.c", "main.c"):
        done = machine.run(tree / "c", machine.kache, "gcc", "-g", "-c", source, "-o", f"{source}.o")
        assert done.returncode == 0, done
    done = machine.run(tree / "c", machine.kache, "gcc", "a.c.o", "main.c.o", "-o", "program")
    assert done.returncode == 0, done
    assert machine.run(tree / "c", "./program").returncode == 0
    assert machine.run(tree / "rust", "target/debug/app").stdout == b"1\n"
    wanted = (".rlib", ".rmeta", ".so", ".o")
    return {str(path.relative_to(tree)): path.read_bytes() for path in sorted(tree.rglob("*"))
            if path.is_file() and (path.suffix in wanted or path.name in ("app", "program", "build-script-build"))}


def events(machine):
    log = machine.cache / "events.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    return [event for event in map(json.loads, lines) if event["crate_name"] not in ("", "___")]


def kinds(machine):
    return [event["result"] for event in events(machine)]


def daemon_of(machine):
    return json.loads(machine.run("/", machine.kache, "daemon", "status", "--json").stdout)


@pytest.fixture(scope="module")
def built(world):
    """What the first machine has made, and sent."""
    first = world[2]("first")
    files = build(first, "work/project")
    first.run("/", first.kache, "daemon", "stop", "--drain", "60")
    return first, files


@pytest.mark.hits
def test_the_second_machine_compiles_nothing(world, built):
    wire, _, machine = world
    first, files = built
    assert kinds(first) == ["miss"] * 7, events(first)
    assert list((first.cache / "v1/outbox").iterdir()) == []
    second = machine("second")
    # They see neither each other nor this machine but over the wire.
    blocked = second.run("/", "/usr/bin/python3", "-c", f"import socket; socket.create_connection(('127.0.0.1', {wire.target}), 2)")
    assert blocked.returncode != 0 and b"Connection refused" in blocked.stderr
    assert first.user != second.user and not set(wire.requests) & {second.address}
    assert second.run("/", "ls", first.cache).returncode != 0

    restored = build(second, "another/place/of/mine")
    assert set(kinds(second)) <= {"remote_hit", "prefetch_hit"} and len(kinds(second)) == 7, events(second)
    assert all(event["compiler_runs"] == 0 and event.get("probe_runs", 0) == 0 for event in events(second))
    assert restored.keys() == files.keys() and len(files) >= 9
    assert [name for name in files if restored[name] != files[name]] == []
    assert wire.requests[first.address] > 0 and wire.requests[second.address] > 0
    assert (second.home / "another/place/of/mine/c/program").stat().st_uid == second.user


def test_the_daemon_dies_while_it_is_asked(world, built):
    wire, _, machine = world
    third = machine("third", KACHE_PREFETCH_ENABLED="0")
    assert third.run("/", third.kache, "daemon", "start").returncode == 0
    pid, killed = daemon_of(third)["pid"], []

    def kill(host, count):
        if host == third.address and kinds(third).count("remote_hit") == 2 and not killed:
            killed.append(count)
            os.kill(pid, signal.SIGKILL)

    wire.on_request = kill
    try:
        files = build(third, "work")
    finally:
        wire.on_request = lambda host, count: None
    # What had come had come, and what had not was compiled.
    assert len(kinds(third)) == 7 and {"remote_hit", "miss"} <= set(kinds(third)), events(third)
    assert killed and daemon_of(third).get("pid") != pid
    assert [name for name in built[1] if files.get(name) != built[1][name]] == []


def test_the_gateway_dies_in_the_middle(world, built):
    wire, gateway, machine = world
    fourth = machine("fourth", KACHE_PREFETCH_ENABLED="0")

    def kill(host, count):
        if host == fourth.address and kinds(fourth).count("remote_hit") == 2 and gateway.pid:
            gateway.kill()

    wire.on_request = kill
    files = build(fourth, "work")
    assert gateway.pid is None
    assert len(kinds(fourth)) == 7 and {"remote_hit", "miss"} <= set(kinds(fourth)), events(fourth)
    assert [name for name in built[1] if files.get(name) != built[1][name]] == []
