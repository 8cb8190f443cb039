"""docs/proof.md names tests; they are there."""
import pathlib
import re

import pytest

import test_cc_canaries
import test_cc_cl
import test_cc_matrix
import test_cc_projects
import test_cc_shapes
from test_matrix import MATRIX, REFUSED
from test_races import MEANWHILE
from test_shapes import SHAPES

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLES = {"matrix": MATRIX, "refused": REFUSED, "meanwhile": MEANWHILE, "shape": SHAPES, "cc_matrix": test_cc_matrix.MATRIX,
          "cc_shape": test_cc_shapes.SHAPES, "cl_shape": test_cc_cl.SHAPES, "canary": test_cc_canaries.CANARIES, "project": test_cc_projects.PROJECTS}
LINES = [line for line in (ROOT / "docs/proof.md").read_text().splitlines() if line.startswith("| ") and not line.startswith("| |")]


def exists(name):
    if table := re.fullmatch(r"(\w+)\[(.+)\]", name):
        return table[2] in TABLES[table[1]]
    if function := re.fullmatch(r"(test_\w+\.py)::(test_\w+)", name):
        return f"def {function[2]}(" in (ROOT / "tests/e2e" / function[1]).read_text()
    suite, test = name.split(".")
    pattern = re.compile(rf"TEST(_F|_P)?\({suite}, {test}\)")
    return any(pattern.search(path.read_text()) for path in (ROOT / "src").rglob("*_test.cc"))


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[2:40])
def test_each_row_names_tests_that_exist(line):
    names = re.findall(r"`((?:test_\w+\.py::|\w+\[|[A-Z]\w+\.)[^`]+)`", line)
    if line.startswith("| what |"):
        return
    assert names, line
    assert [name for name in names if not exists(name)] == []


def test_all_holes_and_contracts_are_there():
    numbers = [int(match[1]) for line in LINES if (match := re.match(r"\| (\d+) \|", line))]
    assert numbers == [*range(1, 33), *range(1, 15)]
    numbers = [int(match[1]) for line in LINES if (match := re.match(r"\| H(\d+) \|", line))]
    assert numbers == [*range(1, 20)]
