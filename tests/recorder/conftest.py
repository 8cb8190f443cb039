"""Fixtures: a scratch directory, recording a command, building a small program."""
import os
import pathlib
import re
import subprocess
from typing import Optional

import pytest

from recorded import LIBRARY, RECORD_RUN, Run, read_events


@pytest.fixture
def root(tmp_path):
    return pathlib.Path(os.path.realpath(tmp_path))


@pytest.fixture
def record(tmp_path_factory):
    """record(command, cwd=..., env={...}, capacity=..., trace=...) -> Run"""
    scratch = pathlib.Path(os.path.realpath(tmp_path_factory.mktemp("record")))

    def run(command, cwd=None, env: Optional[dict] = None, capacity=None, trace=None, stdin=None) -> Run:
        output = scratch / "events"
        options = ["--capacity", str(capacity)] if capacity else []
        options += ["--trace", str(trace)] if trace else []
        done = subprocess.run([RECORD_RUN, LIBRARY, output, *options, "--", *map(str, command)], cwd=cwd,
                              env={**os.environ, **(env or {})}, input=stdin, capture_output=True, timeout=300)
        assert output.exists(), done
        state, events = read_events(output)
        output.unlink()
        return Run(done, state, events)

    return run


@pytest.fixture
def build(root):
    """build("name.c", text, *flags) -> path of the program"""
    def compile_it(name, text, *flags):
        source = root / name
        source.write_text(text)
        program = root / re.sub(r"\.c$", ".so" if "-shared" in flags else "", name)
        subprocess.run(["gcc", "-O1", "-o", program, source, *flags], check=True)
        return program
    return compile_it
