"""The negative control: with caching off, every test that asserts a hit has to fail. Guards against empty assertions."""
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

import pytest

from laboratory import CONTROL

HERE = pathlib.Path(__file__).resolve().parent


@pytest.mark.skipif(CONTROL, reason="this is the control itself")
def test_every_assertion_of_a_hit_fails_without_a_cache(tmp_path, shared_directory):
    results = tmp_path / "results.xml"
    subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", "-m", "hits", f"--junitxml={results}",
                    f"--basetemp={tmp_path / 'control'}", HERE], env={**os.environ, "KACHE_TEST_CONTROL": "1", "KACHE_TEST_SHARED": str(shared_directory)}, capture_output=True)
    cases = list(xml.etree.ElementTree.parse(results).iter("testcase"))
    assert len(cases) >= 30
    # "skipped" is how an expected failure is written down.
    passed = [f"{case.get('classname')}.{case.get('name')}" for case in cases if not list(case)]
    errors = [case.get("name") for case in cases if case.find("error") is not None]
    assert (passed, errors) == ([], [])
