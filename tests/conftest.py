"""Servers that several folders of tests use. Each is started once, when the first test asks for it."""
import os
import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "remote"))
import servers  # noqa: E402


@pytest.fixture(scope="session")
def shared_directory(tmp_path_factory):
    """One for all processes of this run: the workers of xdist, and the negative control."""
    base = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent
    return pathlib.Path(os.environ.get("KACHE_TEST_SHARED", base))


@pytest.fixture(scope="session")
def ceph(shared_directory):
    with servers.shared_ceph(shared_directory / "ceph") as server:
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
