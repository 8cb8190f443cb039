"""Servers that misbehave: each call ends with the error that remote.h names for it, and in time."""
import hashlib
import ssl
import subprocess

import pytest

import hostile
from hostile import dav, page, pages, status

DEADLINE = 1500
A, B = ("k1/blobs/%s/%s" % (digest[:2], digest) for digest in sorted(hashlib.sha256(text).hexdigest() for text in (b"a", b"b")))


@pytest.fixture
def start():
    servers = []

    def begin(behave, **options):
        servers.append(hostile.Hostile(behave, **options))
        return servers[-1]

    yield begin
    for server in servers:
        server.close()


def s3(server):
    return f"s3://bucket/p?endpoint=http://{server.host}&profile=anonymous"


# call, how the server behaves, how it ends, at least and at most this many ms
CALLS = [
    ("get", hostile.silent, "timed_out", 1400, 1900),
    ("put", hostile.silent, "timed_out", 1400, 1900),
    ("has", hostile.silent, "timed_out", 1400, 1900),
    ("list", hostile.silent, "timed_out", 1400, 1900),
    ("remove", hostile.silent, "timed_out", 1400, 1900),
    ("get", hostile.drip, "timed_out", 1400, 1900),
    ("get", hostile.drip_body, "timed_out", 1400, 1900),
    ("list", hostile.drip_body, "timed_out", 1400, 1900),
    ("get", hostile.reset, "io", 0, 1000),
    ("put", hostile.reset, "io", 0, 1000),
    ("get", hostile.reset_in_body, "io", 0, 1000),
    ("get", hostile.too_short, "io", 0, 1000),
    ("get", hostile.endless, "too_large", 0, 1400),
    ("get", hostile.endless_chunks, "too_large", 0, 1400),
    ("get", hostile.endless_header, "corrupt", 0, 1400),
    ("get", hostile.endless_error, "too_large", 0, 1400),
    ("get", hostile.endless_continue, "corrupt", 0, 1400),
    ("get", hostile.not_http, "corrupt", 0, 1000),
    ("get", hostile.loop, {"http": "io", "s3": "invalid"}, 0, 1000),
    ("put", hostile.loop, "invalid", 0, 1000),  # a body is not sent elsewhere
    ("get", status(403), "denied", 0, 1000),
    ("has", status(403), "denied", 0, 1000),
    ("put", status(403), "denied", 0, 1000),
    ("get", status(401), "denied", 0, 1000),
    ("get", status(404), "not_found", 0, 1000),
    ("remove", status(404), "ok", 0, 1000),
    ("get", status(429), "io", 0, 1000),
    ("put", status(500), "io", 0, 1000),
    ("get", status(503), "io", 0, 1000),
    ("put", status(413), "too_large", 0, 1000),
    ("put", status(507), "no_space", 0, 1000),
    ("get", status(418), "corrupt", 0, 1000),
    ("get", status(204), "corrupt", 0, 1000),  # no content is no object
]


@pytest.mark.parametrize("engine", ["http", "s3"])
@pytest.mark.parametrize("call, behave, code, least, most", CALLS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_call(contract, start, engine, call, behave, code, least, most):
    server = start(behave)
    code = code if isinstance(code, str) else code[engine]
    outcome, ms = contract.call(server.url if engine == "http" else s3(server), call, "--deadline-ms", DEADLINE, "--max-bytes", 100_000)
    assert outcome.split(":")[0] == code, outcome
    assert least <= ms <= most, (outcome, ms)
    assert "\x1b" not in outcome and (code == "ok" or server.host in outcome), outcome


def test_more_than_announced_is_not_read(contract, start):
    assert contract.call(start(hostile.too_long).url, "get")[0].startswith("ok: 10 bytes")


def test_retry_after_is_passed_on(contract, start):
    assert "again in 7 s" in contract.call(start(status(503, "Retry-After: 7")).url, "get")[0]


def test_nobody_listens(contract, start):
    server = start(hostile.silent)
    url, host = server.url, server.host
    server.close()
    assert contract.call(url, "get", "--deadline-ms", DEADLINE)[0] == f"io: {host}: could not connect"


def test_a_call_is_given_up(contract, start):
    outcome, ms = contract.call(start(hostile.silent).url, "get", "--cancel-ms", 300)
    assert outcome.startswith("timed_out: ") and 250 < ms < 700, (outcome, ms)


def test_a_refusal_before_the_body_was_read(contract, start):
    def refuse(connection, number, request):
        connection.sendall(hostile.answer(413, b"", "Connection: close"))
        connection.close()
        raise OSError

    outcome, ms = contract.call(start(refuse, drains=False).url, "put", "--size", 50_000_000, "--deadline-ms", 20_000)
    assert outcome.startswith(("too_large: ", "io: ")) and ms < 5000, (outcome, ms)


def test_a_kept_connection_that_died(contract, start):
    """The server closes behind each answer without saying so; the next request must not suffer."""

    def close(connection, number, request):
        connection.sendall(hostile.answer(409 if number == 1 else 201))
        connection.close()
        raise OSError

    server = start(close)
    assert contract.call(server.url, "put")[0] == "ok: put"
    assert [request.split()[0] for request in server.requests] == ["PUT", "MKCOL", "PUT"]


def test_a_certificate_that_nobody_vouches_for(contract, start, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", tmp_path / "key", "-out", tmp_path / "certificate"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    server = start(status(200), tls=context)
    outcome = contract.call(server.url.replace("http:", "https:").replace("//", "//user:secret@"), "get")[0]
    assert outcome == f"denied: {server.host}: its certificate is not trusted by this system"
    assert not server.requests


def test_credentials_do_not_follow_a_redirect(contract, start):
    elsewhere = start(status(404))
    server = start(lambda connection, number, request: connection.sendall(hostile.head(302, 0, f"Location: {elsewhere.url}")))
    assert contract.call(f"http://user:secret@{server.host}/", "get")[0].startswith("not_found")
    assert contract.call(f"http://{server.host}/?token_env=TOKEN", "get", env={"TOKEN": "secret"})[0].startswith("not_found")
    assert len(elsewhere.requests) == 2 and all("authorization" in request.lower() for request in server.requests)
    assert not any("authorization" in request.lower() for request in elsewhere.requests)


def test_nothing_is_compressed_or_decompressed(contract, start):
    server = start(status(200, "Content-Encoding: gzip", body=b"\x1f\x8b not gzip at all"))
    assert contract.call(server.url, "get")[0].startswith("ok: 18 bytes")
    assert "accept-encoding" not in server.requests[0].lower()


# --- listings -----------------------------------------------------------------------------------------------------------

S3_LISTS = {
    "fine": (pages(lambda n: page([f"p/{A}"], "t") if n == 1 else page([f"p/{B}"])), f"ok: listed {A} {B}"),
    "a token again": (pages(lambda n: page([f"p/{A[:-8]}{n:08}"], "t")), "corrupt: "),
    "keys again": (pages(lambda n: page([f"p/{A}"], f"t{n}")), "corrupt: "),
    "empty for ever": (pages(lambda n: page([], f"t{n}")), "corrupt: "),
    "no token": (pages(lambda n: b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"), "corrupt: "),
    "no XML": (pages(lambda n: b"{}"), "corrupt: "),
    "cut XML": (pages(lambda n: page([f"p/{A}"])[:-30]), "corrupt: "),
    "other XML": (pages(lambda n: b"<html><body>hello</body></html>"), "corrupt: "),
    "deep XML": (pages(lambda n: b"<a>" * 100_000), "corrupt: "),
    "many tags": (pages(lambda n: b"<ListBucketResult>" + b"<a/>" * 1_000_000 + b"</ListBucketResult>"), "too_large: "),
    "entities": (pages(lambda n: b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + page(["p/&b;", f"p/{A}"])), f"ok: listed {A}"),
    "a page without end": (hostile.endless, "too_large: "),
    "other names": (
        pages(lambda n: page(["p/k1/blobs/../../etc/passwd", f"p/../p/{A}", "p/k1/blobs/ab/" + "c" * 64, "p/k1/blobs/%00", "p/k1/blobs/%ff", "",
                              "p/", f"p/{A}/", f"p/{A.upper()}", A, f"q/{A}", f"p/{A.replace('blobs', 'packs')}", f"p/{B}"])),
        f"ok: listed {B}"),
    "encoded": (pages(lambda n: page([f"p%2F{A.replace('/', '%2F')}"])), f"ok: listed {A}"),
    "badly encoded": (pages(lambda n: page(["p/%zz", f"p/{A}"])), f"ok: listed {A}"),
    "no bucket": (status(404, body=b"<Error><Code>NoSuchBucket</Code></Error>"), "invalid: "),
}


@pytest.mark.parametrize("case", S3_LISTS)
def test_list_of_s3(contract, start, case):
    behave, outcome = S3_LISTS[case]
    got, ms = contract.call(s3(start(behave)), "list", "--deadline-ms", 20_000)
    assert got == outcome if outcome.startswith("ok") else got.startswith(outcome), got
    assert ms < 5000


def tree(*children):
    """PROPFIND of k1/blobs/ first, then of what is below."""
    def behave(connection, number, request):
        path = request.split()[1]
        if path == "/cache/k1/blobs/":
            hostile.multistatus(dav(path, True), *children)(connection, number, request)
        else:
            name = A.rpartition("/")[2] if A.split("/")[2] in path else "x"
            hostile.multistatus(dav(path, True), dav(path + name), dav(path + "deeper", True))(connection, number, request)

    return behave


DAV_LISTS = {
    "fine": (tree(dav(f"/cache/k1/blobs/{A.split('/')[2]}/", True)), f"ok: listed {A}"),
    "whole URLs": (tree(dav(f"http://else.where/cache/k1/blobs/{A.split('/')[2]}/", True)), f"ok: listed {A}"),
    "other paths": (tree(dav("/etc/", True), dav("/cache/k1/blobs/../../..", True), dav("/cache/k1/blobs/%2e%2e/", True), dav("/cache/k1/blobs/a%2Fb/", True),
                         dav("/cache/k1/blobs/%00/", True), dav("/cache/k1/blobs//", True), dav("", True), dav("/cache/k1/blobs/x%0a%1b/", True)), "ok: listed"),
    "no XML": (status(207, body=b"hello"), "corrupt: "),
    "other XML": (status(207, body=b"<html/>"), "corrupt: "),
    "not WebDAV": (status(200, body=b"<html/>"), "unsupported: "),
    "refused": (status(405), "unsupported: "),
    "nothing there": (status(404), "ok: listed"),
    "without end": (hostile.endless, "too_large: "),
}


@pytest.mark.parametrize("case", DAV_LISTS)
def test_list_of_webdav(contract, start, case):
    behave, outcome = DAV_LISTS[case]
    server = start(behave)
    got, ms = contract.call(server.url, "list", "--deadline-ms", 20_000)
    assert got == outcome if outcome.startswith("ok") else got.startswith(outcome), got
    assert ms < 5000 and all(request.split()[1].startswith("/cache/k1/blobs/") and ".." not in request.split()[1] for request in server.requests)
