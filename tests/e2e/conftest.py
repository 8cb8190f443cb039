import pytest

from laboratory import CONTROL, Lab


def pytest_configure(config):
    config.addinivalue_line("markers", "hits: asserts that something comes from the cache; fails when caching is off")


def pytest_collection_modifyitems(config, items):
    """The negative control runs each test with its first parameter: the assertion is the same for all of them."""
    if not CONTROL:
        return
    seen, kept = set(), []
    for item in items:
        function = (item.path, getattr(item, "originalname", item.name))
        if function not in seen:
            kept.append(item)
        seen.add(function)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)
