"""Servers that several folders of tests use. Each is started once, when the first test asks for it."""
import os
import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "remote"))
import servers  # noqa: E402


@pytest.fixture(scope="session")
def ceph(tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent  # that of the whole run
    with servers.shared_ceph(base / "ceph") as server:
        yield server


@pytest.fixture(scope="session")
def nginx(tmp_path_factory):
    server = servers.Nginx(tmp_path_factory.mktemp("nginx"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def redis(tmp_path_factory):
    server = servers.Redis(tmp_path_factory.mktemp("redis"))
    yield server
    server.close()
