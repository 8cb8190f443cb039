import pytest

from laboratory import Lab


def pytest_configure(config):
    config.addinivalue_line("markers", "hits: asserts that something comes from the cache; fails when caching is off")


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)
