"""S3 over TLS: Ceph's gateway with a certificate of an authority that no system knows."""
import pytest

import servers
from test_daemon import wait_for
from test_remote import machines, unit, work  # noqa: F401

NOT_TRUSTED = "its certificate is not trusted by this system"


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return servers.Authority(tmp_path_factory.mktemp("stranger"), "another authority").certificate


def secure(ceph, bucket, **options):
    return ceph.url(bucket, "cache", endpoint=f"https://localhost:{ceph.tls_port}", **options)


@pytest.mark.hits
@pytest.mark.parametrize("style", ["path", "virtual"])
def test_an_authority_that_is_named_is_trusted(machines, ceph, work, style):
    url = secure(ceph, ceph.make_bucket(ceph.SECURE), style=style)
    trusting = ceph.env | {"SSL_CERT_FILE": str(ceph.authority)}
    text = f"int with_{style};\n"
    first, second = machines("first", url, **trusting), machines("second", url, **trusting)
    checked = first.kache(work, "remote", "check")
    assert checked.returncode == 0, checked.stdout
    assert unit(first, work, text=text)["result"] == "miss"
    first.settle()
    event = unit(second, work, text=text)
    assert event["result"] == "remote_hit" and event["compiler_runs"] == 0, event


def test_the_usual_variable_of_s3_names_it_too(machines, ceph, work):
    url = secure(ceph, ceph.make_bucket("bundle"))
    assert machines("one", url, **ceph.env, AWS_CA_BUNDLE=str(ceph.authority)).kache(work, "remote", "check").returncode == 0


@pytest.mark.parametrize("given", ["none", "another", "missing"])
def test_a_server_that_nobody_vouches_for_is_a_miss_and_is_named(machines, ceph, work, stranger, given):
    url = secure(ceph, ceph.make_bucket("stranger"))
    variables = {"none": {}, "another": {"SSL_CERT_FILE": str(stranger)}, "missing": {"SSL_CERT_FILE": "/no/such.pem"}}[given]
    why = "the certificates to trust can not be read; see SSL_CERT_FILE" if given == "missing" else NOT_TRUSTED
    machine = machines("one", url, **ceph.env, **variables)
    event = unit(machine, work)
    assert event["result"] == "miss" and why in event["remote_error"], event
    checked = machine.kache(work, "remote", "check")
    assert checked.returncode == 1
    said = [line for line in (checked.stdout + checked.stderr).decode().splitlines() if why in line]
    assert len(said) == 1 and f"localhost:{ceph.tls_port}" in said[0], checked


def test_a_certificate_of_another_host(machines, ceph, work):
    url = ceph.url(ceph.make_bucket("other-host"), style="virtual", endpoint=f"https://localhost:{ceph.tls_port}")
    checked = machines("one", url, **ceph.env, SSL_CERT_FILE=str(ceph.authority)).kache(work, "remote", "check")
    assert checked.returncode == 1 and NOT_TRUSTED.encode() in checked.stdout, checked


@pytest.mark.hits
def test_whom_to_trust_is_said_by_who_asks(machines, ceph, work):
    """Not by whoever started the daemon."""
    url = secure(ceph, ceph.make_bucket("who-asks"))
    machine = machines("one", url, **ceph.env)
    assert NOT_TRUSTED in unit(machine, work, "a.c", "int a;\n")["remote_error"]
    pid = machine.status()["pid"]
    event = unit(machine, work, "b.c", "int b;\n", SSL_CERT_FILE=str(ceph.authority))
    assert machine.status()["pid"] == pid
    assert event["result"] == "miss" and not event.get("remote_error"), event
    wait_for(lambda: machine.status()["uploads_completed"] == 1)
    assert NOT_TRUSTED in unit(machine, work, "c.c", "int c;\n")["remote_error"]
    other = machines("other", url, **ceph.env, SSL_CERT_FILE=str(ceph.authority))
    assert unit(other, work, "b.c", "int b;\n")["result"] == "remote_hit"
