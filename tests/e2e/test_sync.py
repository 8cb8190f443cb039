"""sync, sessions and prefetch, and the garbage of a remote: what users type, and what comes of it."""
import json
import os
import shutil
import ssl
import subprocess
import time

import pytest

import servers
from laboratory import KACHE, write_tree
from test_daemon import log_of, wait_for
from test_remote import C, RUST, machines as quiet_machines, objects, results, shared, unit, work  # noqa: F401

LONG_AGO = time.time() - 60 * 24 * 3600


@pytest.fixture
def machines(quiet_machines):  # noqa: F811
    return lambda name, remote, **env: quiet_machines(name, remote, **{"KACHE_PREFETCH_ENABLED": "1", **env})


def built(machine, tree):
    machine.cargo(tree, "build")
    return tree


def age(shared, kind=""):
    for path in (shared / "k1" / kind).rglob("*"):
        if path.is_file():
            os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.mark.hits
def test_push_and_pull_without_a_daemon(machines, shared, tmp_path):
    first = machines("first", shared, KACHE_REMOTE_READONLY="1")
    one = built(first, write_tree(tmp_path / "one/project", RUST))
    assert not (shared / "k1").exists()
    del first.extra_env["KACHE_REMOTE_READONLY"]
    first.settle()
    plan = first.kache(one, "sync", "--push", "--dry-run")
    assert plan.returncode == 0 and b"Plan: pull 0 artifacts, push " in plan.stdout and b"  push  " in plan.stdout
    assert not (shared / "k1").exists()
    pushed = first.kache(one, "sync", "--push")
    assert pushed.returncode == 0 and b"(0 failed)" in pushed.stderr, pushed
    assert first.kache(one, "sync", "--push").stdout == b"Nothing to sync.\n"
    assert not (first.cache / "daemon.sock").exists()
    saved = first.kache(one, "save-manifest")
    assert saved.returncode == 0 and b"entries for 'project'" in saved.stderr, saved

    second = machines("second", shared)
    two = write_tree(tmp_path / "two/project", RUST)
    pulled = second.kache(two, "sync", "--pull", "--json")
    assert pulled.returncode == 0, pulled
    said = json.loads(pulled.stdout)
    assert said["sessions"] == 1 and len(said["pull"]) >= 4 and said["failed_pulls"] == 0
    built(second, two)
    assert results(second) == {"prefetch_hit": 4}, second.events()
    assert not (second.cache / "daemon.log").exists()  # nothing was lacking
    shutil.rmtree(two / "target")
    second.forget_events()
    built(second, two)
    assert results(second) == {"local_hit": 4}  # once used, it is like any other

    third = machines("third", shared)
    three = write_tree(tmp_path / "three/elsewhere", RUST)
    nothing = third.kache(three, "sync", "--pull")
    assert nothing.returncode == 0 and nothing.stdout == b"Nothing to sync.\n" and b"--all" in nothing.stderr
    assert third.kache(three, "sync", "--pull", "--all").returncode == 0
    built(third, three)
    assert results(third) == {"prefetch_hit": 4}, third.events()


def test_sync_says_what_failed(machines, shared, tmp_path, work):
    first = machines("first", shared)
    unit(first, work)
    first.settle()
    for path in objects(shared, "records"):
        path.write_bytes(b"torn")
    second = machines("second", shared)
    failed = second.kache(work, "sync", "--pull", "--all")
    assert failed.returncode == 1 and b"error: pull " in failed.stderr and b"1 transfer(s) or import(s) failed" in failed.stderr
    assert second.kache(work, "sync", "--pull", "--all", "--allow-partial").returncode == 0
    assert second.kache(work, "sync", "--all", "--workspace").returncode == 2
    alone = machines("alone", "")
    assert alone.kache(work, "sync").returncode == 2
    assert b"no remote is configured" in alone.kache(work, "sync").stderr
    wrong = machines("wrong", "ftp://somewhere")
    refused = wrong.kache(work, "sync")
    assert refused.returncode == 2 and b"cache.remotes" in refused.stderr


@pytest.mark.hits
def test_the_daemon_notes_a_build_and_fetches_ahead(machines, shared, tmp_path):
    first = machines("first", shared)
    one = write_tree(tmp_path / "one/project", RUST | {f"lib/src/m{i}.rs": "" for i in range(3)})
    built(first, one)
    first.settle()
    assert len(objects(shared, "sessions")) == 1
    assert "session of project saved" in log_of(first)

    second = machines("second", shared)
    two = write_tree(tmp_path / "two/project", RUST | {f"lib/src/m{i}.rs": "" for i in range(3)})
    built(second, two)
    assert set(results(second)) <= {"remote_hit", "prefetch_hit"}, second.events()
    wait_for(lambda: second.status()["prefetch"]["plans"] == 1)
    second.settle()
    assert len(objects(shared, "sessions")) == 1  # nothing was compiled: no news

    third = machines("third", shared)
    three = write_tree(tmp_path / "three/project", RUST)
    plan = third.kache(three, "prefetch", "--dry-run")
    assert plan.returncode == 0 and b"Plan: fetch " in plan.stdout
    fetched = third.kache(three, "prefetch")
    assert fetched.returncode == 0, fetched
    built(third, three)
    assert results(third) == {"prefetch_hit": 4}, third.events()


MANY = {f"part{i}.c": f"int part{i}(int x) {{ return x + {i}; }}\n" for i in range(11)} | {
    "Makefile": "app: " + " ".join(f"part{i}.o" for i in range(11)) + "\n\t$(CC) -shared -o $@ $^\n",
}


def make(machine, tree):
    made = subprocess.run(["make", "-j2", f"CC={KACHE} gcc", "CFLAGS=-g"], cwd=tree, env=machine.env(), capture_output=True, text=True)
    assert made.returncode == 0, made
    return (tree / "app").read_bytes()


@pytest.mark.hits
def test_a_build_is_fetched_as_packs(machines, shared, tmp_path):
    """Alone with the sessions and the packs of them a machine has everything."""
    first = machines("first", shared)
    app = make(first, write_tree(tmp_path / "one/project", MANY))
    first.settle()
    assert len(objects(shared, "packs")) == 1
    assert "12 of them in packs, 1 new" in log_of(first)
    for kind in ("records", "traces", "blobs"):
        shutil.rmtree(shared / "k1" / kind, ignore_errors=True)

    second = machines("second", shared)
    two = write_tree(tmp_path / "two/project", MANY)
    assert b"(0 failed)" in second.kache(two, "prefetch").stderr
    assert make(second, two) == app
    assert results(second) == {"prefetch_hit": 12}, second.events()

    third = machines("third", shared)
    three = write_tree(tmp_path / "three/project", MANY)
    make(third, three)  # the first units may come too early
    wait_for(lambda: third.status()["prefetch"]["downloads_completed"] >= 12 - results(third).get("miss", 0))
    shutil.rmtree(three)
    third.forget_events()
    assert make(third, write_tree(three, MANY)) == app
    assert "miss" not in results(third)


def test_without_packs_and_with_damaged_ones(machines, shared, tmp_path):
    lean = machines("lean", shared, KACHE_PREFETCH_PACKS="0")
    app = make(lean, write_tree(tmp_path / "lean tree/project", MANY))
    lean.settle()
    assert objects(shared, "packs") == []
    first = machines("first", shared)
    tree = write_tree(tmp_path / "one/project", MANY)
    assert make(first, tree) == app
    assert b"12 entries" in first.kache(tree, "save-manifest").stderr
    (pack,) = objects(shared, "packs")
    pack.write_bytes(pack.read_bytes()[:300])
    second = machines("second", shared)
    two = write_tree(tmp_path / "two/project", MANY)
    fetched = second.kache(two, "prefetch")
    assert fetched.returncode == 0 and b"12/12 (0 failed)" in fetched.stderr, fetched
    assert make(second, two) == app
    assert results(second) == {"prefetch_hit": 12}, second.events()


def test_what_is_not_asked_for_is_not_fetched_on(machines, shared, work, tmp_path):
    """A plan that is wrong through and through ends, and delays nothing."""
    first = machines("first", shared, KACHE_NAMESPACE="same")
    for i in range(40):
        unit(first, work, f"{i}.c", f"int wrong{i};\n")
    first.settle()
    assert len(objects(shared, "sessions")) >= 1
    second = machines("second", shared, KACHE_NAMESPACE="same", KACHE_PREFETCH_MAX_KEYS="5")
    for i in range(12):
        assert unit(second, work, f"other{i}.c", f"int other{i};\n")["result"] == "miss"
    prefetch = second.status()["prefetch"]
    assert prefetch["downloads_completed"] <= 5 and prefetch["keys_over_budget"] >= 30
    off = machines("off", shared, KACHE_NAMESPACE="same", KACHE_PREFETCH_ENABLED="0")
    unit(off, work, "another.c", "int another;\n")
    assert off.status()["prefetch"]["plans"] == 0


@pytest.mark.hits
def test_branches(machines, shared, tmp_path):
    first = machines("first", shared)
    one = write_tree(tmp_path / "one/project", RUST)
    (one / ".git").mkdir()
    (one / ".git/HEAD").write_text("ref: refs/heads/main\n")
    (one / ".git/config").write_text('[remote "origin"]\n\turl = git@host:group/project.git\n')
    built(first, one)
    first.settle()
    second = machines("second", shared)
    two = write_tree(tmp_path / "two/renamed", RUST)
    (two / ".git").mkdir()
    (two / ".git/HEAD").write_text("ref: refs/heads/feature\n")
    (two / ".git/config").write_text('[core]\n[remote "origin"]\n\turl = https://user@host/group/project\n')
    fetched = second.kache(two, "prefetch", "--dry-run")
    assert b"Plan: fetch " in fetched.stdout, fetched


def test_remote_gc(machines, shared, tmp_path, work):
    first = machines("first", shared, KACHE_PREFETCH_ENABLED="0")
    large = "".join(f"const char *const t{i} = \"{os.urandom(400).hex()}\";\n" for i in range(1500))
    unit(first, work, "old.c", large)
    first.settle()
    age(shared)
    unit(first, work, "new.c", "int new_one;\n")
    first.settle()
    assert len(objects(shared, "records")) == 2 and len(objects(shared, "blobs")) == 1

    def gc(*args):
        done = first.kache(work, "remote", "gc", "--json", *args)
        assert done.returncode == 0, done
        return json.loads(done.stdout)["remotes"][0]

    would = gc("--dry-run")
    assert (would["records"], would["traces"], would["blobs"], would["kept_records"]) == (1, 1, 1, 1), would
    assert len(objects(shared, "records")) == 2
    assert gc() == would
    assert len(objects(shared, "records")) == 1 and objects(shared, "blobs") == [] and objects(shared, "control") == []
    assert gc()["records"] == 0
    second = machines("second", shared)
    assert unit(second, work, "new.c", "int new_one;\n")["result"] == "remote_hit"
    assert unit(second, work, "old.c", large)["result"] == "miss"

    # What a recorded build asked for stays, however old.
    third = machines("third", shared, KACHE_NAMESPACE="kept")
    unit(third, work, "kept.c", "int kept;\n")
    third.settle()
    age(shared, "records"), age(shared, "traces")
    gc()
    assert unit(machines("fourth", shared), work, "kept.c", "int kept;\n")["result"] == "remote_hit"

    # One at a time; the lease of a dead one is taken over.
    lease = shared / "k1/control/gc-lease"
    lease.parent.mkdir(exist_ok=True)
    lease.write_text("somebody")
    busy = first.kache(work, "remote", "gc")
    assert busy.returncode == 1 and b"another collection is running" in busy.stderr
    os.utime(lease, (LONG_AGO, LONG_AGO))
    gc()
    assert not lease.exists()


def test_remote_check_stats_and_ls(machines, shared, tmp_path, work):
    first = machines("first", shared)
    unit(first, work)
    first.settle()
    check = json.loads(first.kache(work, "remote", "check", "--json").stdout)
    assert check["ok"] and check["remotes"][0]["put"] == "ok" and check["remotes"][0]["delete"] == "ok"
    assert objects(shared, "control") == []
    stats = json.loads(first.kache(work, "remote", "stats", "--json").stdout)
    assert stats["kinds"]["records"]["objects"] == 1 and stats["bytes"] > 0
    listed = json.loads(first.kache(work, "remote", "ls", "--json").stdout)
    assert [one["name"] for one in listed["objects"]] == [str(path.relative_to(shared)) for path in objects(shared, "records")]
    gone = machines("gone", tmp_path / "nowhere")
    bad = gone.kache(work, "remote", "check")
    assert bad.returncode == 1 and b"nowhere" in bad.stdout


def test_a_planner_is_asked_and_may_fail(machines, shared, tmp_path, work):
    import http.server
    import threading

    first = machines("first", shared, KACHE_NAMESPACE="elsewhere")
    for i in range(4):
        unit(first, work, f"{i}.c", f"int planned{i};\n")
    first.settle()
    answers, asked = [], []

    class Planner(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_POST(self):
            asked.append((self.path, self.headers.get("Authorization"), json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            status, body = answers[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Planner)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    keys = [event["cache_key"] for event in first.events()]
    good = {"disposition": "execute", "candidates": [{"cache_key": key, "crate_name": "x", "demand_index": i} for i, key in enumerate(keys)] + [
        {"cache_key": "../../etc", "crate_name": "x"}, 7]}
    variables = {"KACHE_PLANNER_ENDPOINT": f"http://127.0.0.1:{server.server_address[1]}/", "KACHE_PLANNER_TOKEN": "secret", "KACHE_NAMESPACE": "mine",
                 "KACHE_PLANNER_TIMEOUT_MS": "5000"}
    for name, answer, fetched in (("good", (200, json.dumps(good).encode()), 4), ("none", (200, b'{"disposition":"do_nothing"}'), 0),
                                  ("broken", (200, b"{"), 0), ("down", (503, b""), 0)):
        answers[:] = [answer]
        machine = machines(name, shared, **variables)
        assert unit(machine, work, "other.c", f"int other_{name};\n")["result"] == "miss"
        wait_for(lambda: len(asked) == 1 and machine.status()["prefetch"]["downloads_completed"] == fetched)
        assert asked[0][:2] == ("/v2/prefetch-plan", "Bearer secret") and asked[0][2]["namespace"] == "mine"
        asked.clear()
        for i in range(4):
            event = unit(machine, work, f"{i}.c", f"int planned{i};\n")
            assert event["result"] == ("prefetch_hit" if fetched else "remote_hit"), event
    server.shutdown()

    # Over TLS; whom to trust is said by who asks, not by whoever started the daemon.
    authority = servers.Authority(tmp_path / "authority", "planners")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.certify("planner", "DNS:localhost"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Planner)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    variables["KACHE_PLANNER_ENDPOINT"] = f"https://localhost:{server.server_address[1]}/"
    answers[:] = [(200, json.dumps(good).encode())]
    for name, given in (("trusting", {"SSL_CERT_FILE": str(authority.certificate)}), ("wary", {})):
        machine = machines(name, shared, **variables)
        assert machine.daemon("start").returncode == 0
        assert unit(machine, work, "other.c", f"int other_{name};\n", **given)["result"] == "miss"
        if given:
            wait_for(lambda: machine.status()["prefetch"]["downloads_completed"] == 4)
        else:
            wait_for(lambda: "its certificate is not trusted" in log_of(machine))
    assert len(asked) == 1
    server.shutdown()
