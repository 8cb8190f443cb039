"""Somebody sets the clock of a machine while it builds: forward, and back. Builds go on, and nothing stays as it is for ever.

The daemon's clocks are turned by a library that stands before it; the wrapper is linked statically, so for it what it compares with
the clock is turned the other way."""
import mmap
import os
import struct
import subprocess
import time

import pytest

import servers
from laboratory import KACHE
from test_daemon import log_of, wait_for
from test_remote import machines, objects, shared, unit, work  # noqa: F401

LIBRARY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long long *steps; /* seconds: of the wall, and of the monotonic clock */
static volatile long long none[2];

__attribute__((constructor)) static void begin(void) {
  int fd = open(getenv("CLOCK_STEPS"), O_RDONLY | O_CLOEXEC);
  void *at = fd >= 0 ? mmap(0, sizeof none, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
  steps = at == MAP_FAILED ? none : at;
  if (fd >= 0) close(fd);
}
static long long step_of(clockid_t id) {
  if (!steps) return 0;
  return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE ? steps[0] : id == CLOCK_MONOTONIC ? steps[1] : 0;
}
int clock_gettime(clockid_t id, struct timespec *t) {
  int failed = (int)syscall(SYS_clock_gettime, id, t);
  if (!failed) t->tv_sec += step_of(id);
  return failed;
}
int gettimeofday(struct timeval *t, void *zone) {
  (void)zone;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  t->tv_sec = now.tv_sec, t->tv_usec = now.tv_nsec / 1000;
  return 0;
}
time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
/* The kernel waits by its own clock. */
int pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t id, const struct timespec *until) {
  static int (*real)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
  struct timespec t = *until;
  t.tv_sec -= step_of(id);
  return real(c, m, id, &t);
}
"""
DAY = 24 * 3600


class Steps:
    """Turns the clocks of a daemon that it has started."""

    def __init__(self, directory):
        source, self.library, self.file = directory / "clock.c", directory / "clock.so", directory / "steps"
        source.write_text(LIBRARY)
        subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", self.library, source, "-ldl"], check=True)
        self.file.write_bytes(bytes(16))
        with open(self.file, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 16)

    def set(self, wall=None, monotonic=None):
        now = struct.unpack("qq", self.map[:])
        self.map[:] = struct.pack("qq", now[0] if wall is None else wall, now[1] if monotonic is None else monotonic)

    def start_daemon(self, machine):
        environment = machine.env(LD_PRELOAD=str(self.library), CLOCK_STEPS=str(self.file))
        process = subprocess.Popen([KACHE, "daemon", "run"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: (machine.cache / "daemon.sock").exists())
        return process


@pytest.fixture
def steps(tmp_path):
    directory = tmp_path / "steps"
    directory.mkdir()
    return Steps(directory)


def eventually(what, seconds):
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.02)
    return what()


def quick(machine, work, name, text):
    began = time.monotonic()
    event = unit(machine, work, name, text)
    assert time.monotonic() - began < 3, event
    return event


@pytest.mark.hits
def test_the_clock_of_the_daemon_is_set_while_something_is_built(machines, shared, work, steps):
    first, second = machines("first", shared), machines("second", shared)
    process = steps.start_daemon(first)
    turns = [0, 2 * DAY, -3 * DAY, 365 * DAY, -20 * 365 * DAY, 0]
    for i, turn in enumerate(turns):
        steps.set(wall=turn)
        assert quick(first, work, f"{i}.c", f"int unit{i};\n")["result"] == "miss"
        wait_for(lambda: len(objects(shared, "records")) == i + 1)
    assert first.status()["uploads_failed"] == 0
    first.settle()
    assert process.wait(10) == 0
    assert list((first.cache / "v1/outbox").iterdir()) == []
    steps.set(wall=-1000 * DAY)
    process = steps.start_daemon(second)
    for i, turn in enumerate(turns):
        steps.set(wall=-turn)
        assert quick(second, work, f"{i}.c", f"int unit{i};\n")["result"] in ("remote_hit", "prefetch_hit")
    second.settle()
    assert process.wait(10) == 0
    # The library does what it says.
    first_line, last_line = [log_of(second).splitlines()[i] for i in (0, -1)]
    assert int(first_line[:4]) + 2 <= int(last_line[:4]), log_of(second)


@pytest.mark.hits
@pytest.mark.parametrize("turn", [400 * DAY, -400 * DAY], ids=["forward", "back"])
def test_what_failed_is_tried_again_in_its_time(machines, work, steps, turn):
    """Neither the pause after failures nor what waits to be sent goes by the clock on the wall."""
    server = servers.Plain()
    url = f"{server.url}/cache"
    giver = machines("giver", url)
    for name in ("shared", "another"):
        assert unit(giver, work, f"{name}.c", f"int {name};\n")["result"] == "miss"
    giver.settle()
    machine = machines("one", url)
    process = steps.start_daemon(machine)
    server.fails_with = 503
    for i in range(4):
        quick(machine, work, f"{i}.c", f"int unit{i};\n")
    assert machine.status()["remotes"][0]["reads_suspended"]
    wait_for(lambda: machine.status()["pending_uploads"] == 4)
    # Set, and it is some seconds later: each has failed once more, and none is given up for its age. The pause is not over.
    suppressed = machine.status()["uploads_suppressed"]
    steps.set(wall=turn, monotonic=25)
    wait_for(lambda: machine.status()["uploads_suppressed"] >= suppressed + 4)
    server.fails_with = 0
    event = quick(machine, work, "shared.c", "int shared;\n")
    assert event["result"] == "miss" and "failed several times" in event["remote_error"], event
    assert machine.status()["pending_uploads"] == 5 and machine.status()["uploads_failed"] == 0
    # Minutes later. The first that is sent finds out that the remote is back; the others have their own time.
    for later in range(100, 700, 60):
        steps.set(monotonic=later)
        if eventually(lambda: machine.status()["pending_uploads"] == 0, 1.2):
            break
    assert machine.status()["pending_uploads"] == 0
    assert machine.status()["uploads_failed"] == 0
    assert list((machine.cache / "v1/outbox").iterdir()) == []
    event = quick(machine, work, "another.c", "int another;\n")
    assert event["result"] == "remote_hit", event
    assert quick(giver, work, "0.c", "int unit0;\n")["result"] == "remote_hit"
    machine.settle()
    assert process.wait(10) == 0
    server.close()


@pytest.mark.hits
def test_marks_that_a_clock_left_in_the_future(machines, shared, work):
    """The clock of the machine was set back."""
    ahead = 400 * DAY
    first = machines("first", shared)
    assert unit(first, work)["result"] == "miss"
    first.settle()
    second = machines("second", shared)
    assert unit(second, work, "other.c", "int other;\n")["result"] == "miss"
    silent, stamp = second.cache / "v1/daemon-silent", second.cache / "v1/gc-stamp"
    silent.touch()
    now = time.time()
    assert "did not answer a moment ago" in unit(second, work, "third.c", "int third;\n")["remote_error"]
    for mark in (silent, stamp):
        os.utime(mark, (now + ahead, now + ahead))
    event = quick(second, work, "unit.c", "int unit(void) { return 1; }\n")
    assert event["result"] == "remote_hit", event
    # The collection is due, where its last one seems to be to come.
    wait_for(lambda: stamp.stat().st_mtime <= time.time())
    # So is what is stamped by such a clock: it is compiled, stored and found.
    (work / "future.c").write_text("int future;\n")
    os.utime(work / "future.c", (now + ahead, now + ahead))
    for result in ("miss", "local_hit"):
        done = second.run(work, "gcc", "-c", "future.c", "-o", "out/unit.o", cwd=work)
        assert done[0] == 0 and second.event()["result"] == result, second.event()
