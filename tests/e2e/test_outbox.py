"""The daemon is killed at each step of sending a result. Nobody gets a wrong one, and the next daemon sends it."""
import os
import signal
import threading

import pytest

import servers
from test_daemon import alive, wait_for
from test_remote import machines, unit, work  # noqa: F401

# What is sent for a result with a large output, in this order.
STEPS = ["blobs", "records", "traces"]


class Killer:
    """Kills a daemon while it waits for the answer to one PUT."""

    def __init__(self, server):
        self.server, self.moment, self.pid = server, None, None
        self.struck = threading.Event()
        server.on_put = self.look

    def arm(self, pid, *moment):
        self.pid, self.moment = pid, moment
        self.struck.clear()

    def look(self, what, path):
        if self.moment != (what, path.split("/")[3]):
            return
        self.moment = None
        os.kill(self.pid, signal.SIGKILL)
        wait_for(lambda: not alive(self.pid))
        self.struck.set()
        if what == "arrived":
            raise ConnectionResetError  # the server loses it


@pytest.mark.hits
def test_killed_at_each_step_of_sending(machines, work):
    server = servers.Plain()
    url = f"{server.url}/cache"
    killer = Killer(server)
    # Without the notes on builds, which are sent too.
    machine = machines("one", url)
    number = 0
    for step in STEPS:
        for moment in ("arrived", "stored"):
            number += 1
            text = f"const char large{number}[] = \"{os.urandom(300_000).hex()}\";\n"
            assert machine.daemon("start").returncode == 0
            killer.arm(machine.status()["pid"], moment, step)
            assert unit(machine, work, f"{number}.c", text)["result"] == "miss"
            assert killer.struck.wait(20), (step, moment)
            assert len(list((machine.cache / "v1/outbox").iterdir())) == 1
            kinds = [path.split("/")[3] for path in server.objects]
            assert kinds.count("traces") == number - (1 if (step, moment) != ("traces", "stored") else 0), kinds

            # Meanwhile another one builds it: unit() compares with what the compiler alone makes.
            stranger = machines(f"during{number}", url, KACHE_REMOTE_READONLY="1")
            event = unit(stranger, work, f"{number}.c", text)
            assert event["result"] == ("remote_hit" if (step, moment) == ("traces", "stored") else "miss"), event
            assert not event.get("remote_error"), event
            stranger.daemon("stop", "--drain", "0")

            assert machine.daemon("start").returncode == 0
            machine.settle()
            assert list((machine.cache / "v1/outbox").iterdir()) == []
            later = machines(f"later{number}", url, KACHE_REMOTE_READONLY="1")
            event = unit(later, work, f"{number}.c", text)
            assert event["result"] == "remote_hit" and event["compiler_runs"] == 0, event
            later.daemon("stop", "--drain", "0")
    server.close()
