"""What the documents tell people to type: every command exists with its flags, every setting can be set, every configuration
file is good."""
import os
import pathlib
import re
import subprocess

import pytest

from test_commands import BUILD, KACHE

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMPILERS = {"cc", "c++", "gcc", "g++", "clang", "clang++", "ar", "ranlib", "rustc", "clippy-driver", "tool", "ld"}


def run(home, *args, **env):
    full = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **env}
    return subprocess.run([KACHE, *args], cwd=home, env=full, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def code(text):
    """What stands in blocks and in spans, a command a piece."""
    blocks = re.findall(r"^```(?:sh|console|bash)?\n(.*?)^```", text, flags=re.M | re.S)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    return [line for block in blocks for line in block.splitlines()] + spans


def commands(path):
    """["report", "--format", "html"] of each `kache report --format html`."""
    found = []
    for line in code(path.read_text()):
        line = re.sub(r"\s#.*", "", line)
        for match in re.finditer(r"(?:^|[;&|(`$] ?|\bsource <\()kache ([a-z][^;&|)\"`<>]*)", line.strip()):
            words = match[1].split()
            if words[0] not in COMPILERS and "…" not in words[0]:
                found.append(words)
    return found


def test_documents_name_commands():
    assert sum(len(commands(path)) for path in DOCUMENTS) > 30


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_of_a_document_exist_with_their_flags(path, tmp_path):
    unknown = []
    for words in commands(path):
        command = [words[0]]
        text = run(tmp_path, "help", words[0])
        if text.returncode == 0 and len(words) > 1 and re.search(rf"^  {re.escape(words[1])}\s", text.stdout, flags=re.M) and "COMMAND" in text.stdout:
            command.append(words[1])
            text = run(tmp_path, words[0], words[1], "--help")
        known = text.stdout
        flags = [word.split("=")[0].rstrip(",.:") for word in words[1:] if word.startswith("-") and word != "--"]
        if words[0] == "cargo":
            flags = []
        missing = [flag for flag in flags if not re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", known)]
        if text.returncode != 0 or missing:
            unknown.append((words, missing))
    assert unknown == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_settings_of_a_document_can_be_set(path, tmp_path):
    for words in commands(path):
        if words[:2] != ["config", "set"] or any(word.isupper() for word in words[3:] if word not in ("DIR",)):
            continue
        words = [str(tmp_path) if word == "DIR" else word for word in words]
        result = run(tmp_path, *words)
        assert result.returncode == 0, (words, result.stderr)
        assert run(tmp_path, "config", "get", words[2]).returncode == 0


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_configuration_files_of_a_document_are_good(path, tmp_path):
    for number, block in enumerate(re.findall(r"^```toml\n(.*?)^```", path.read_text(), flags=re.M | re.S)):
        name = "kache.toml" if block.lstrip("# \n").startswith("extra_inputs") else f"sample{number}.toml"
        (tmp_path / name).write_text(block)
        result = run(tmp_path, "config", "check", name)
        assert result.returncode == 0, (block, result.stdout + result.stderr)


# What a newcomer has: a home with nothing in it, and a directory that any of the build systems takes.
NEWCOMER = {
    "Cargo.toml": '[package]\nname = "serde"\nversion = "1.0.0"\nedition = "2021"\n',
    "src/lib.rs": "pub fn one() -> u32 {\n    1\n}\n",
    "CMakeLists.txt": "cmake_minimum_required(VERSION 3.21)\nproject(p C)\nadd_executable(p deflate.c)\n",
    "Makefile": "p: deflate.o\n\t$(CC) -o p deflate.o\nclean:\n\trm -f p *.o\n",
    "configure": "#!/bin/sh\n: configured with \"$@\"\n",
    "deflate.c": "int main(void) { return 0; }\n",
    "meson.build": "project('p', 'c', 'cpp')\nexecutable('p', 'deflate.c')\n",
}
NOT_HERE = ("./install",)  # builds kache itself


def test_every_line_of_getting_started_works(tmp_path):
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    for name, text in NEWCOMER.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text)
        (work / name).chmod(0o755)
    env = {"PATH": f"{KACHE.parent}:{os.environ['PATH']}", "HOME": str(home), "LANG": "C.UTF-8", "CARGO_NET_OFFLINE": "true",
           "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", os.path.expanduser("~/.rustup"))}
    ran = []
    for block in re.findall(r"^```\n(.*?)^```", (ROOT / "docs/getting-started.md").read_text(), flags=re.M | re.S):
        lines = [line for line in block.splitlines() if not line.startswith(NOT_HERE)]
        for name in ("p", "deflate.o"):
            (work / name).unlink(missing_ok=True)
        # As one typing shell, whose questions are answered with yes.
        plain = [re.sub(r"\s#.*", "", line) for line in lines]
        script = "set -e\n" + "\n".join(line if line.startswith("export ") else "printf 'y\\ny\\n' | { " + line + "; }" for line in plain)
        result = subprocess.run(["bash", "-c", script], cwd=work, env=env, capture_output=True, text=True, timeout=300)
        is_gate = "--fail-under" in block and result.returncode == 3
        assert result.returncode == 0 or is_gate, (script, result.stdout, result.stderr)
        ran += lines
    assert len(ran) > 20 and (home / ".cache/kache/v1").exists()
    events = (home / ".cache/kache/events.jsonl").read_text()
    for unit in ("serde", "deflate.c"):
        assert f'"crate_name":"{unit}"' in events
    env["RUSTC_WRAPPER"] = ""
    assert subprocess.run([KACHE, "init", "--undo", "-y"], cwd=work, env=env, capture_output=True, text=True).returncode == 0
    assert not (work / "CMakeUserPresets.json").exists() and "rustc-wrapper" not in "".join(p.read_text() for p in (home / ".cargo").glob("config*"))


def test_this_test_can_fail(tmp_path):
    assert run(tmp_path, "help", "no-such-command").returncode == 2
    assert BUILD.exists()
