"""Redis as the distribution has it."""
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

import servers

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs/remotes.md"


def test_contract(contract, redis):
    contract.check(redis.url("/1?prefix=team/cache&ttl=7d"), without="times")
    contract.check(f"redis+unix://{redis.socket}?prefix=large*&largest=100MiB", without="times")
    keys = redis.ask("-n", "1", "--scan").splitlines()
    assert keys and all(key.startswith("team/cache:k1/") for key in keys)
    assert 0 < int(redis.ask("-n", "1", "TTL", keys[0])) <= 7 * 24 * 3600


@pytest.fixture
def server(request, tmp_path):
    server = servers.Redis(tmp_path / "redis", *getattr(request, "param", ()))
    yield server
    server.close()


def test_time_to_live(contract, server):
    assert contract.call(server.url("?ttl=1s"), "put")[0] == "ok: put"
    assert contract.call(server.url("?ttl=1s"), "get")[0].startswith("ok: 1000 bytes")
    time.sleep(1.2)
    assert contract.call(server.url("?ttl=1s"), "get")[0].startswith("not_found: ")

    assert contract.call(server.url(), "put")[0] == "ok: put"
    key = server.ask("--scan")
    assert server.ask("TTL", key) == "-1"
    server.ask("EXPIRE", key, "100")
    contract.call(server.url("?ttl=1000s&mode=read"), "get")
    assert int(server.ask("TTL", key)) <= 100  # who only reads does not write that either
    contract.call(server.url("?ttl=1000s"), "get")
    assert 900 < int(server.ask("TTL", key)) <= 1000


def test_keys_of_others_are_left_alone(contract, server):
    server.ask("SET", "k1/blobs/not/ours", "x")
    server.ask("SADD", "kache:k1/blobs/set", "x")
    assert contract.call(server.url("?prefix=kache"), "put")[0] == "ok: put"
    listed = contract.call(server.url("?prefix=kache"), "list")[0]
    assert re.fullmatch("ok: listed k1/blobs/[0-9a-f]{2}/[0-9a-f]{64}", listed)
    assert contract.call(server.url(), "list")[0] == "ok: listed"
    assert server.ask("DBSIZE") == "3"


@pytest.mark.parametrize("server", [("--requirepass", "s3cret", "--user", "ci", "on", ">other", "~*", "+@all")], indirect=True)
def test_passwords(contract, server):
    assert contract.call(server.url(login=":s3cret@"), "put")[0] == "ok: put"
    assert contract.call(server.url("/2", login="ci:other@"), "put")[0] == "ok: put"
    for login in ("", ":wrong-one@", "ci:wrong-one@"):
        outcome = contract.call(server.url(login=login), "get")[0]
        assert outcome.startswith("denied: ") and "password" in outcome and "wrong-one" not in outcome


@pytest.mark.parametrize("server", [("--maxmemory", "4mb", "--maxmemory-policy", "noeviction")], indirect=True)
def test_a_full_server(contract, server):
    server.ask("SETRANGE", "filler", "5000000", "x")
    outcome = contract.call(server.url(), "put")[0]
    assert outcome.startswith("no_space: ") and "maxmemory" in outcome
    assert contract.call(server.url(), "has")[0] == "ok: no"


def test_a_replica_takes_no_writes(contract, redis, server):
    server.ask("REPLICAOF", "127.0.0.1", str(redis.port))
    outcome = contract.call(server.url(), "put")[0]
    assert outcome.startswith("io: ") and "replica" in outcome and "mode=read" in outcome


@pytest.mark.parametrize("server", [("--cluster-enabled", "yes", "--cluster-port", str(servers.free_port()))], indirect=True)
def test_a_cluster_is_refused(contract, server):
    outcome = contract.call(server.url(), "get")[0]
    assert outcome.startswith("unsupported: ") and "cluster" in outcome


def test_no_such_database(contract, server):
    assert contract.call(server.url("/99"), "get")[0].startswith("invalid: ")


def test_one_that_hangs_costs_the_deadline(contract, server):
    os.kill(server.process.pid, signal.SIGSTOP)
    outcome, ms = contract.call(server.url(), "get", "--deadline-ms", 300)
    assert outcome.startswith("timed_out: ") and 250 < ms < 3000
    outcome, ms = contract.call(server.url(), "put", "--size", 30_000_000, "--deadline-ms", 300)
    assert outcome.startswith("timed_out: ") and 250 < ms < 3000
    outcome, ms = contract.call(server.url(), "get", "--cancel-ms", 100)
    assert outcome.startswith("timed_out: ") and ms < 3000
    os.kill(server.process.pid, signal.SIGCONT)


def test_nobody_there(contract):
    outcome = contract.call(f"redis://127.0.0.1:{servers.free_port()}", "get")[0]
    assert outcome.startswith("io: ") and "refused" in outcome
    assert contract.call("redis+unix:///tmp/kache-no-such.sock", "get")[0].startswith("io: ")


def test_rights_of_the_document_are_enough(contract, server):
    """What docs/remotes.md tells to give a user."""
    text = " ".join(DOCUMENT.read_text().split())
    writer = re.search(r"user of its own needs `([^`]*)`", text)[1].split()
    reader = re.search(r"only reads \(`mode=read`\) needs `([^`]*)`", text)[1].split()
    for name, rights in (("ci", writer), ("guest", reader)):
        server.ask("ACL", "SETUSER", name, "on", ">pw", "-@all", "~kache:*", *rights)
    contract.check(server.url("/1?prefix=kache&ttl=7d", login="ci:pw@"), without="times")
    assert contract.call(server.url("/1?prefix=kache", login="ci:pw@"), "put")[0] == "ok: put"
    guest = server.url("/1?prefix=kache&ttl=7d&mode=read", login="guest:pw@")
    assert contract.call(guest, "get")[0].startswith("ok: 1000 bytes")
    assert contract.call(guest, "has")[0] == "ok: yes"
    assert contract.call(guest, "list")[0].startswith("ok: listed k1/blobs/")
    assert contract.call(guest, "put")[0].startswith("denied: ")


def test_tls(contract, tmp_path):
    servers.needs("openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    tls_port = servers.free_port()
    server = servers.Redis(tmp_path / "redis", "--tls-port", str(tls_port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key),
                           "--tls-ca-cert-file", str(certificate), "--tls-auth-clients", "no")
    try:
        url = f"rediss://localhost:{tls_port}"
        outcome = contract.call(url, "put")[0]
        if outcome.startswith("unsupported: "):
            assert "hiredis 1.0 or newer with TLS" in outcome
            pytest.skip("this kache was built with a hiredis without TLS; Debian 13 has one with it")
        assert outcome.startswith("denied: ") and "certificate is not trusted" in outcome
        trusting = {"SSL_CERT_FILE": str(certificate)}
        contract.check(url, without="times", env=trusting)
        # Another name of the same machine is another host.
        outcome = contract.call(f"rediss://127.0.0.1:{tls_port}", "put", env=trusting)[0]
        assert outcome.startswith("denied: ") and "certificate is not trusted" in outcome
        # A server without TLS is none.
        assert contract.call(f"rediss://localhost:{server.port}", "put", "--deadline-ms", 3000, env=trusting)[0].split(":")[0] in ("io", "timed_out")
    finally:
        server.close()
