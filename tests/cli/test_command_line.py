"""What is said to somebody who mistypes, asks for help, or reads only the beginning."""
import os
import pty
import re
import subprocess

import pytest

from test_commands import KACHE, kache  # noqa: F401 (a fixture)


@pytest.mark.parametrize("line, words", {
    "statz": "statz is no command; did you mean stats?",
    "help lst": "lst is no command; did you mean list?",
    "list --srot size": "there is no flag --srot; did you mean --sort?",
    "list --sort sise": "--sort sise: choose name, size, hits or age; did you mean size?",
    "report --format jsn": "did you mean json?",
    "report --formt=json": "there is no flag --formt; did you mean --format?",
    "report --since": "--since needs a value: SPAN",
    "report --top few": "--top few: a number is expected",
    "doctor --json=x": "--json takes no value",
    "list a b": 'nothing is expected where "b" stands',
    "why-miss": "NAME is missing",
    "why-miss --jsno": "there is no flag --jsno",
    "why-miss a -x": "there is no flag -x; see kache why-miss --help",
    "--vresion": "there is no flag --vresion",
}.items())
def test_a_slip_is_one_line_that_says_what_was_meant(kache, line, words):  # noqa: F811
    result = kache(*line.split())
    assert result.returncode == 2 and result.stdout == ""
    assert words in result.stderr and result.stderr.count("\n") == 1


def test_the_last_of_two_values_counts_and_a_word_may_be_a_commands_name(kache):  # noqa: F811
    assert kache("list", "--sort=hits", "--sort", "name").returncode == 0
    assert "No cached entries for 'gc'" in kache("list", "gc").stdout
    assert "No cached entries for 'help'" in kache("list", "help").stdout


def test_each_command_has_help_that_fits_80_columns(kache):  # noqa: F811
    overview = kache("--help").stdout
    names = [name for name in re.findall(r"^  ([a-z-]+)  +\S", overview.split("How builds")[0], re.M)]
    assert len(names) >= 9
    for name in names:
        text = kache(name, "--help").stdout
        assert text.startswith(f"kache {name}: ") and f"Usage: kache {name}" in text
        assert text == kache("help", name).stdout
        assert [line for line in text.splitlines() if len(line) > 80] == []


def test_what_is_hidden_is_understood_and_not_shown(kache):  # noqa: F811
    assert "--background" not in kache("gc", "--help").stdout and kache("gc", "--background").returncode == 0


def test_nobody_who_reads_on_is_no_error_and_a_full_disk_is_one(kache):  # noqa: F811
    env = {"HOME": str(kache.home), "PATH": "/usr/bin:/bin"}
    for command in (["report"], ["--help"], ["doctor"]):
        for ignored in (False, True):  # what our parent does with the signal
            read, write = os.pipe()
            os.close(read)
            result = subprocess.run([KACHE, *command], env=env, stdout=write, stderr=subprocess.PIPE, restore_signals=not ignored)
            os.close(write)
            assert result.stderr == b"" and result.returncode in (0, -13), result
    with open("/dev/full", "wb") as full:
        result = subprocess.run([KACHE, "report"], env=env, stdout=full, stderr=subprocess.PIPE)
    assert result.returncode == 1 and b"No space left" in result.stderr


def test_help_fits_a_narrow_terminal(kache):  # noqa: F811
    script = f"stty cols 50; '{KACHE}' doctor --help"
    main, side = pty.openpty()
    process = subprocess.Popen(["sh", "-c", script], stdin=side, stdout=side, stderr=side, start_new_session=True)
    os.close(side)
    out = b""
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    process.wait()
    assert b"Usage: kache doctor" in out
    assert [line for line in out.decode().splitlines() if len(line) > 50] == []
