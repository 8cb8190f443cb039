"""What is generated from the tables: the manual, and the reference in docs/configuration.md."""
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from test_commands import BUILD, KACHE

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted((BUILD / "share/man").glob("man*/*"))


def kache(*args):
    return subprocess.run([KACHE, *args], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}).stdout


def commands():
    return re.findall(r"^  ([a-z-]+)  +\S", kache("--help").split("How builds")[0], re.M)


def plain(page):
    """The page without what escapes its letters."""
    text = (BUILD / "share/man" / page).read_text()
    for escape, letter in (("\\-", "-"), ("\\(dq", '"'), ("\\(aq", "'"), ("\\(ga", "`"), ("\\(ti", "~"), ("\\&", ""), ("\\e", "\\")):
        text = text.replace(escape, letter)
    return text


def test_each_command_has_a_page_with_all_its_options():
    names = commands()
    assert len(names) >= 11
    main = plain("man1/kache.1")
    for name in names:
        assert f".B {name}" in main
        page = plain(f"man1/kache-{name}.1")
        helps = [kache(name, "--help")]
        subcommands = re.search(r"\nCommands:\n(.*?)\n\n", helps[0], re.S)
        if subcommands:
            helps += [kache(name, word, "--help") for word in re.findall(r"^  ([a-z]+) ", subcommands[1], re.M)]
            assert len(helps) > 2
        for text in helps:
            for option in re.findall(r"^  +(?:-\w, )?(--[a-z-]+)", text, re.M):
                assert option in page, (name, option)
    assert {page.name for page in PAGES} == {f"kache-{name}.1" for name in names} | {"kache.1", "kache-config.5"}


def test_the_page_of_the_configuration_has_every_key_and_variable():
    page = plain("man5/kache-config.5")
    table = (ROOT / "src/config/options.cc").read_text()
    names = re.findall(r'^    \{"([a-z_0-9.]*)", "([A-Z_0-9]*)", T::', table, re.M)
    assert len(names) > 60
    for key, variable in names:
        assert (f".B {key}" if key else f".B {variable}") in page, (key, variable)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_are_good_roff(page):
    done = 0
    if shutil.which("man"):
        shown = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", page], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "MANWIDTH": "80", "LANG": "C.UTF-8"})
        assert shown.returncode == 0 and shown.stderr == ""
        assert "NAME" in shown.stdout and "SYNOPSIS" in shown.stdout or page.name.endswith(".5")
        done += 1
    if shutil.which("mandoc"):
        lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True).stdout
        assert [line for line in lint.splitlines() if "missing date" not in line] == []
        done += 1
    if not done:
        pytest.skip("neither man nor mandoc is here; tools/setup.sh test installs them")


def test_the_reference_of_the_options_is_fresh():
    result = subprocess.run([sys.executable, ROOT / "tools/make_reference.py", BUILD, "--check"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_manual_and_completions_are_installed(tmp_path):
    if not shutil.which("cmake"):
        pytest.skip("there is no cmake")
    subprocess.run(["cmake", "--install", BUILD, "--prefix", tmp_path], check=True, capture_output=True)
    for name in ("man/man1/kache.1", "man/man1/kache-config.1", "man/man5/kache-config.5", "bash-completion/completions/kache",
                 "zsh/site-functions/_kache", "fish/vendor_completions.d/kache.fish"):
        assert (tmp_path / "share" / name).is_file(), name
    said = subprocess.run([tmp_path / "bin/kache", "--version"], capture_output=True, text=True)
    assert said.stdout.startswith("kache ")


def test_a_directory_that_can_not_be_written_fails_the_build():
    tool = BUILD / "libexec/kache/kache-tool"
    for word in ("__man", "__completions"):
        result = subprocess.run([tool, word, "/dev/null/x"], capture_output=True, text=True)
        assert result.returncode == 1 and result.stderr.startswith("kache: ")
