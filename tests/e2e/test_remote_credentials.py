"""Credentials that expire while something is built: new ones are asked for, the build goes on, and everything is sent in the end."""
import time

import pytest

import servers
from test_daemon import wait_for
from test_remote import machines, unit, work  # noqa: F401

COUNT = 8


@pytest.fixture
def expiring():
    running = []

    def start(**how):
        running.append(servers.ExpiringS3(**how))
        return running[-1]

    yield start
    for server in running:
        server.close()


def from_program(server, tmp_path):
    """A credential_process, which fails while `broken` is there."""
    program, config = tmp_path / "credentials.py", tmp_path / "aws-config"
    program.write_text(f"import os, sys, urllib.request\nif os.path.exists('{tmp_path}/broken'): sys.exit(3)\n"
                       f"print(urllib.request.urlopen('{server.url}/credentials').read().decode())\n")
    config.write_text(f"[profile ci]\ncredential_process = /usr/bin/python3 -S {program}\n")
    return {"AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "ci"}


def from_container(server, tmp_path):
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server.url}/credentials"}


def url_of(server):
    return f"s3://bucket/cache?endpoint={server.url}"


def records(server):
    return [name for name in server.objects if name.startswith("/bucket/cache/k1/records/")]


WAYS = {
    "a program, after some requests": (from_program, {"requests": 7, "says_when": False}),
    "a container, after some requests": (from_container, {"requests": 5}),
    "a container, after a second": (from_container, {"seconds": 1.0}),
}


@pytest.mark.hits
@pytest.mark.parametrize("way", WAYS)
def test_they_expire_while_something_is_built(machines, expiring, work, tmp_path, way):
    source, how = WAYS[way]
    server = expiring(**how)
    variables = source(server, tmp_path) | {"AWS_EC2_METADATA_DISABLED": "true"}
    first, second = machines("first", url_of(server), **variables), machines("second", url_of(server), **variables)

    def pause(i):
        """In the middle time passes, where time is what ends them."""
        if i == COUNT // 2:
            time.sleep(how.get("seconds", -0.2) + 0.2)

    for i in range(COUNT):
        pause(i)
        event = unit(first, work, f"{i}.c", f"int unit{i};\n")
        assert event["result"] == "miss" and not event.get("remote_error"), event
    first.settle()
    assert list((first.cache / "v1/outbox").iterdir()) == []
    assert len(records(server)) == COUNT
    for i in range(COUNT):
        pause(i)
        event = unit(second, work, f"{i}.c", f"int unit{i};\n")
        assert event["result"] == "remote_hit" and event["compiler_runs"] == 0, event
    # They did expire; and who asked for new ones did not do so for each request.
    uses = [used for _, used in server.given.values()]
    assert len(uses) >= 4 and sum(uses) >= 1.5 * len(uses), server.given
    if "requests" in how:
        assert server.refusals >= 2


def test_none_are_to_be_had_for_a_while(machines, expiring, work, tmp_path):
    server = expiring(requests=4)
    machine = machines("one", url_of(server), **from_program(server, tmp_path), AWS_EC2_METADATA_DISABLED="true")
    assert not unit(machine, work, "good.c", "int good;\n").get("remote_error")
    wait_for(lambda: machine.status()["uploads_completed"] == 1)
    server.requests = 0  # all that were given out are over
    (tmp_path / "broken").touch()
    events = [unit(machine, work, f"{i}.c", f"int unit{i};\n") for i in range(4)]
    assert all(event["result"] == "miss" for event in events)
    assert "expired" in events[0]["remote_error"], events[0]
    assert all("credential_process of profile ci" in event["remote_error"] and "status 3" in event["remote_error"] for event in events[2:]), events
    asked = server.refusals
    assert asked <= 3  # nothing is sent without credentials
    server.requests = 100
    (tmp_path / "broken").unlink()
    machine.daemon("stop", "--drain", "0")
    assert len(list((machine.cache / "v1/outbox").iterdir())) == 4
    # The next daemon needs nobody to bring it secrets: a profile is none.
    assert machine.daemon("start").returncode == 0
    machine.settle()
    assert list((machine.cache / "v1/outbox").iterdir()) == [] and len(records(server)) == 5
