"""The daemon comes, goes, hangs and is replaced; a build notices nothing but the time."""
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from laboratory import BUILD, KACHE
from test_remote import Machine, machines, objects, shared, unit, work  # noqa: F401


def wait_for(what, seconds=10):
    end = time.time() + seconds
    while time.time() < end:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def log_of(machine):
    path = machine.cache / "daemon.log"
    return path.read_text() if path.exists() else ""


def alive(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def listen_at(path):
    """In the place of a daemon."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


def test_three_hundred_at_once_start_one_daemon(machines, shared, work):
    machine = machines("one", shared)
    (work / "unit.c").write_text("int unit(void) { return 1; }\n")
    time.sleep(0.02)
    environment = machine.env()
    started = [subprocess.Popen([KACHE, "gcc", f"-DN={i}", "-c", "unit.c", "-o", f"{i}.o"], cwd=work, env=environment) for i in range(300)]
    assert [one.wait() for one in started] == [0] * 300
    assert log_of(machine).count(" serves ") == 1
    machine.settle()
    # Whoever had no answer in time has compiled. What they made arrives all the same.
    assert {len((work / f"{i}.o").read_bytes()) > 0 for i in range(300)} == {True}
    assert len(objects(shared, "records")) == len({e["cache_key"] for e in machine.events()})


def test_a_daemon_that_hangs_costs_one_wait(machines, shared, work):
    machine = machines("one", shared)
    unit(machine, work)
    pid = machine.status()["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        waits = []
        for i in range(4):
            began = time.time()
            unit(machine, work, f"{i}.c", f"int unit{i};\n")
            waits.append(time.time() - began)
        assert max(waits) < 4.5, waits
        assert sorted(waits)[2] < 1.5, waits  # the others did not wait for it again
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.hits
def test_what_was_not_sent_is_sent_by_the_next_one(machines, shared, work):
    machine = machines("one", shared)
    unit(machine, work)
    machine.settle()
    sent = len(objects(shared, "records"))
    machine.daemon("start")
    pid = machine.status()["pid"]
    os.kill(pid, signal.SIGSTOP)
    unit(machine, work, "late.c", "int late;\n")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not alive(pid))
    assert len(objects(shared, "records")) == sent
    assert len(list((machine.cache / "v1/outbox").iterdir())) == 1
    assert machine.daemon("start").returncode == 0
    machine.settle()
    assert len(objects(shared, "records")) == sent + 1
    assert list((machine.cache / "v1/outbox").iterdir()) == []
    assert unit(machines("two", shared), work, "late.c", "int late;\n")["result"] == "remote_hit"


def test_killed_at_any_moment_of_a_build(machines, shared, work):
    machine = machines("one", shared)
    ends = threading.Event()

    def kill():
        while not ends.is_set():
            status = machine.daemon("status", "--json")
            if status.returncode == 0:
                import json
                os.kill(json.loads(status.stdout)["pid"], signal.SIGKILL)
            time.sleep(0.05)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        for i in range(12):
            event = unit(machine, work, f"{i}.c", f"int unit{i};\n")
            assert event["result"] == "miss"
    finally:
        ends.set()
        killer.join()
    (machine.cache / "v1/daemon-silent").unlink(missing_ok=True)
    assert machine.daemon("start").returncode == 0
    machine.settle()
    assert list((machine.cache / "v1/outbox").iterdir()) == []


def test_a_replaced_program_takes_over(machines, shared, work, tmp_path):
    libexec = tmp_path / "libexec"
    shutil.copytree(BUILD / "libexec/kache", libexec)
    machine = machines("one", shared, KACHE_LIBEXEC=str(libexec))
    unit(machine, work)
    before = machine.status()
    shutil.copy(libexec / "kache-tool", libexec / "new")
    os.replace(libexec / "new", libexec / "kache-tool")
    wait_for(lambda: log_of(machine).count(" serves ") == 2)
    after = machine.status()
    assert after["pid"] == before["pid"] and after["uptime_s"] <= before["uptime_s"] + 5
    assert unit(machine, work, "b.c")["result"] == "miss"


def test_the_remote_is_that_of_the_request(machines, tmp_path, work):
    one, two = tmp_path / "s1", tmp_path / "s2"
    one.mkdir(), two.mkdir()
    machine = machines("one", one)
    unit(machine, work)
    unit(machine, work, "b.c", "int b;\n", KACHE_REMOTES=str(two))
    machine.settle()
    assert len(objects(one, "records")) == 1 and len(objects(two, "records")) == 1


def test_a_socket_in_a_deep_directory(machines, shared, work, tmp_path):
    machine = machines("one", shared)
    machine.cache = tmp_path / ("deep" * 20) / ("deeper" * 10)
    machine.cache.parent.mkdir()
    machine.extra_env["KACHE_CACHE_DIR"] = str(machine.cache)
    unit(machine, work)
    machine.settle()
    assert len(objects(shared, "records")) == 1


def test_a_stranger_behind_the_socket_is_not_asked(machines, shared, work, tmp_path):
    """A socket of another user would be refused by its owner's number; one that speaks another language is given up at once."""
    machine = machines("one", shared, KACHE_SOCKET_PATH=str(tmp_path / "sock"))
    listener = listen_at(tmp_path / "sock")

    def talk():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.sendall(b"\xff" * 100)

    threading.Thread(target=talk, daemon=True).start()
    began = time.time()
    event = unit(machine, work)
    assert event["result"] == "miss" and event["remote_error"], event
    assert time.time() - began < 3
    stopped = machine.daemon("stop")
    assert stopped.returncode == 1 and b"none of kache's" in stopped.stderr  # and we live
    listener.close()


def test_a_build_announces_itself_before_its_compiler_is_read(machines, shared, work, tmp_path):
    """Reading a compiler that was never seen takes longer than to fetch a small build. Where the store holds something, the build may
    need no remote."""
    machine = machines("one", shared, KACHE_SOCKET_PATH=str(tmp_path / "sock"), KACHE_PREFETCH_ENABLED="1")
    listener = listen_at(tmp_path / "sock")
    said = []

    def talk():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            received = b""
            while data := client.recv(1 << 16):
                received += data
                while len(received) >= 4 and len(received) >= 4 + (size := int.from_bytes(received[:4], "little")):
                    said.append(received[4])
                    if received[4] == 2:
                        client.close()
                        break
                    received = received[4 + size:]
                else:
                    continue
                break

    threading.Thread(target=talk, daemon=True).start()
    assert unit(machine, work)["result"] == "miss"
    wait_for(lambda: said.count(2) == 1)
    assert said[:4] == [1, 6, 1, 2], said  # a hello and the announcement; a hello and what is asked for
    for name, is_known in (("b", True), ("c", False)):
        said.clear()
        (machine.cache / "v1/daemon-silent").unlink()  # it was told nothing, and would leave us alone for a while
        if not is_known:
            shutil.rmtree(machine.cache / "v1/toolchains")
        assert unit(machine, work, f"{name}.c", f"int {name};\n")["result"] == "miss"
        wait_for(lambda: said.count(2) == 1)
        assert said == [1, 2], said
    listener.close()


def test_a_dead_endpoint_costs_one_deadline(machines, work):
    """It accepts and never answers. What asks at the same time waits at the same time; what asks later does not wait."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(100)
    machine = machines("one", f"http://127.0.0.1:{listener.getsockname()[1]}/cache")
    assert machine.daemon("start").returncode == 0
    for i in range(3):
        (work / f"{i}.c").write_text(f"int unit{i};\n")
    began = time.time()
    together = [subprocess.Popen([KACHE, "gcc", "-c", f"{i}.c"], cwd=work, env=machine.env()) for i in range(3)]
    assert [one.wait() for one in together] == [0] * 3
    assert 2.5 < time.time() - began < 5.9  # less than two of them
    waits = []
    for i in range(3, 8):
        began = time.time()
        assert unit(machine, work, f"{i}.c", f"int unit{i};\n")["result"] == "miss"
        waits.append(time.time() - began)
    assert max(waits) < 1, waits  # three have failed, and it is left alone
    listener.close()
    machine.daemon("stop", "--drain", "0")


def test_one_at_a_time(machines, shared, work):
    machine = machines("one", shared)
    assert machine.daemon("start").returncode == 0
    pid = machine.status()["pid"]
    again = machine.kache(work, "daemon", "run")
    assert again.returncode == 0 and b"another daemon serves" in again.stderr
    assert machine.daemon("start").returncode == 0
    assert machine.status()["pid"] == pid
    assert machine.daemon("restart").returncode == 0
    assert machine.status()["pid"] != pid
    assert machine.daemon("stop").returncode == 0
    assert machine.daemon("stop").returncode == 0  # nothing to stop is no failure
    status = machine.daemon("status")
    assert status.returncode == 1 and b"not running" in status.stdout


def test_stats_say_how_sharing_fares(machines, shared, work):
    machine = machines("one", shared)
    before = machine.kache(work, "stats").stdout.decode()
    assert f"Remote:     directory {shared}" in before and "Daemon:     offline" in before
    unit(machine, work)
    after = machine.kache(work, "stats").stdout.decode()
    assert f"pid {machine.status()['pid']}" in after and "remote round trips" in after and "Prefetch:" in after
    import json
    assert json.loads(machine.kache(work, "stats", "--json").stdout)["daemon"]["running"]
    wrong = machines("wrong", "ftp://x")
    assert b"MISCONFIGURED - " in wrong.kache(work, "stats").stdout
    assert b"local-only mode" in wrong.kache(work, "stats", KACHE_LOCAL_ONLY="1").stdout


def test_it_ends_when_nobody_asks(machines, shared, work):
    machine = machines("one", shared, KACHE_DAEMON_IDLE_TIMEOUT="1")
    unit(machine, work)
    pid = machine.status()["pid"]
    wait_for(lambda: not alive(pid), 15)
    assert " idle" in log_of(machine)


def test_it_ends_with_its_cache(machines, shared, work):
    machine = machines("one", shared)
    unit(machine, work)
    pid = machine.status()["pid"]
    shutil.rmtree(machine.cache)
    wait_for(lambda: not alive(pid), 15)
