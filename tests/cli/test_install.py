"""`./install` and tools/setup.sh before they do anything: an ordinary user is told what is missing, and what to do."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ("bash", "realpath", "dirname", "id", "grep", "env")


@pytest.fixture
def lab():
    """A directory that everybody may enter, which tmp_path is not."""
    with tempfile.TemporaryDirectory() as name:
        path = pathlib.Path(name)
        path.chmod(0o755)
        (path / "tools").mkdir()
        shutil.copy(ROOT / "install", path)
        shutil.copy(ROOT / "tools/setup.sh", path / "tools")
        (path / "bin").mkdir()
        for program in PROGRAMS:
            (path / "bin" / program).symlink_to(shutil.which(program))
        yield path


def say(lab, name, text):
    (lab / "bin" / name).write_text(f"#!/bin/bash\n{text}\n")
    (lab / "bin" / name).chmod(0o755)


def run(lab, *command):
    other = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
    return subprocess.run(command, cwd=lab, env={"PATH": f"{lab}/bin"}, capture_output=True, text=True, **other)


def test_a_wrong_word_is_no_place(lab):
    for words in (["--help"], ["a", "b"]):
        said = run(lab, "./install", *words)
        assert said.returncode == 2 and said.stderr.startswith("usage: ./install [PREFIX]")


def test_a_place_that_is_not_ours_is_said_before_the_build(lab):
    (lab / "place").mkdir(mode=0o555)
    say(lab, "dpkg-query", "echo built >&2; exit 1")
    said = run(lab, "./install", "place/deeper")
    assert said.returncode == 1
    assert said.stderr == f"install: {lab}/place is not yours to write, and there is no sudo; another place: ./install ~/.local\n"


def test_missing_packages_without_sudo(lab):
    say(lab, "dpkg-query", "exit 1")
    said = run(lab, "tools/setup.sh", "build", "rust")
    assert said.returncode == 1
    assert said.stderr == f"setup.sh: packages are missing, and there is no sudo to install them; as root: {lab}/tools/setup.sh build rust\n"


def test_packages_are_named_and_fetched_with_sudo(lab):
    log = lab / "log"
    log.touch()
    log.chmod(0o666)
    say(lab, "dpkg-query", 'case "${!#}" in g++) exit 1 ;; esac; echo installed')
    say(lab, "sudo", f'echo "$*" >>{log}; exec "$@"')
    say(lab, "apt-get", "exit 0")
    said = run(lab, "tools/setup.sh", "build")
    assert (said.returncode, said.stdout, said.stderr) == (0, "installing g++\n", "")
    update, install = log.read_text().splitlines()
    assert update.startswith("env apt-get update") and install.startswith("env DEBIAN_FRONTEND=noninteractive apt-get install")
    assert install.endswith(" ca-certificates g++")
    say(lab, "dpkg-query", "echo installed")
    assert run(lab, "tools/setup.sh", "build").stdout == ""


def test_what_is_missing_of_a_toolchain_is_fetched(lab):
    say(lab, "dpkg-query", 'case "${!#}" in *-web) exit 1 ;; esac; echo installed')
    say(lab, "sudo", 'exec "$@"')
    say(lab, "apt-get", "exit 0")
    say(lab, "apt-cache", '[ "$2" = rustc-web ]')
    say(lab, "cargo", "exit 0")
    assert run(lab, "tools/setup.sh", "build", "rust").stdout == "installing rustc-web cargo-web\n"
    say(lab, "rustc", "exit 0")
    assert run(lab, "tools/setup.sh", "build", "rust").stdout == ""


def test_another_system_builds_with_what_it_has(lab):
    said = run(lab, "tools/setup.sh", "build")
    assert said.returncode == 0 and "not a Debian system" in said.stderr and "libcurl4-openssl-dev" in said.stderr
