import os
import pathlib
import subprocess

import pytest

BUILD = pathlib.Path(os.environ.get("KACHE_BUILD", "build/dev"))
CONTRACT = BUILD / "tests/remote/kache_remote_contract"


class Contract:
    """Runs the contract, or one call, on a remote."""

    def __init__(self, home):
        self.home = home

    def run(self, url, *flags, env=None, timeout=300):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "AWS_EC2_METADATA_DISABLED": "true", **(env or {})}
        return subprocess.run([CONTRACT, url, *flags], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout,
                              env=environment, cwd=self.home)

    def check(self, url, without="", env=None):
        """All checks; `without` names what the engine says that it can not."""
        done = self.run(url, *(["--without", without] if without else []), env=env)
        assert done.returncode == 0, f"{url}\n{done.stdout}"
        assert done.stdout.count("ok ") >= 13, done.stdout

    def call(self, url, what, *flags, env=None):
        """(what came out, milliseconds)"""
        done = self.run(url, "--do", what, *(str(flag) for flag in flags), env=env)
        lines = done.stdout.splitlines()
        assert done.returncode in (0, 2) and len(lines) == 2, (done.returncode, done.stdout)
        return lines[0], int(lines[1])


@pytest.fixture
def contract(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return Contract(home)
