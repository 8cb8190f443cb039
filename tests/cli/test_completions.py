"""The completions, loaded into the real shells."""
import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

from test_commands import KACHE

ENV = {"PATH": f"{KACHE.parent}:/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "dumb"}

# What was typed, and what the shell must offer; "!" stands before what it must not. One that ends in "/" is a directory.
CASES = {
    "kache li": ["list"],
    "kache ": ["list", "report", "doctor", "completions", "help"],
    "kache help rep": ["report"],
    "kache list --so": ["--sort"],
    "kache list --sort ": ["name", "size", "hits", "age", "!other"],
    "kache list --sort h": ["hits", "!name"],
    "kache report --format j": ["json", "!text"],
    "kache report --": ["--since", "--output", "--format", "--help", "!--sort"],
    "kache report -o ": ["afile", "adir/"],
    "kache report --root ": ["adir/", "!afile"],
    "kache gc --": ["--max-age", "!--background"],
    "kache completions ": ["bash", "zsh", "fish"],
    "kache install-shims ": ["adir/", "!afile"],
    "kache gcc -c ": ["afile"],
}


@pytest.fixture
def place(tmp_path):
    (tmp_path / "afile").write_text("")
    (tmp_path / "adir").mkdir()
    return tmp_path


def need(shell):
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell} on this machine; tools/setup.sh test installs it")


def judge(line, offered):
    for word in CASES[line]:
        if word.startswith("!"):
            assert word[1:] not in offered, (line, offered)
        else:
            assert word in offered or word.rstrip("/") in offered, (line, offered)


@pytest.mark.parametrize("line", [*CASES, "kache list --sort=h"])
def test_bash(place, line):
    need("bash")
    script = r'''
source <(kache completions bash)
compopt() { :; }   # wants a completion that is under way
COMP_LINE=$1 COMP_POINT=${#1}
IFS=' ' read -ra COMP_WORDS <<< "${1//=/ = }"
[[ $1 == *' ' ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_kache
printf '%s\n' "${COMPREPLY[@]}"
complete -p kache >&2
'''
    result = subprocess.run(["bash", "--norc", "-c", script, "bash", line], cwd=place, env=ENV, capture_output=True, text=True, check=True)
    assert result.stderr == "complete -F _kache kache\n"
    if line.endswith("=h"):
        assert result.stdout.split() == ["hits"]
    else:
        judge(line, result.stdout.split())


@pytest.mark.parametrize("line", CASES)
def test_fish(place, line):
    need("fish")
    script = 'kache completions fish | source; complete -C "$argv[1]"'
    env = {**ENV, "HOME": str(place / "home")}
    result = subprocess.run(["fish", "--no-config", "-c", script, line], cwd=place, env=env, capture_output=True, text=True, check=True)
    assert result.stderr == ""
    judge(line, [one.split("\t")[0] for one in result.stdout.splitlines()])


class Zsh:
    """An interactive zsh in a terminal, in which Ctrl-X Ctrl-L prints what the line has become."""

    def __init__(self, place):
        pid, self.fd = pty.fork()
        if pid == 0:
            os.chdir(place)
            os.execve("/usr/bin/zsh", ["zsh", "-f", "-i"], {**ENV, "HOME": str(place), "PS1": "", "COLUMNS": "300"})
        self.pid, self.seen = pid, ""
        self.send("stty cols 200; unsetopt zle_bracketed_paste; autoload -Uz compinit && compinit -u -D; LISTMAX=1000\n"
                  "source <(kache completions zsh)\n"
                  "show() { print -r -- \"<<$BUFFER>>\"; BUFFER=; zle redisplay }; zle -N show; bindkey '^X^L' show\n"
                  "setopt auto_list no_menu_complete no_auto_menu no_beep; print rea\"\"dy\n")
        self.until("ready")

    def send(self, text):
        os.write(self.fd, text.encode())

    def until(self, word):
        deadline = time.monotonic() + 30
        while word not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
            assert ready, self.seen
            self.seen += os.read(self.fd, 65536).decode(errors="replace")
        before, self.seen = self.seen.split(word, 1)
        return before

    def complete(self, line):
        """What is offered: the list that is shown, or the word that the line has become."""
        self.seen = ""
        self.send(line + "\t\t\x18\x0c")
        shown = self.until("<<")
        return shown, self.until(">>")

    def close(self):
        self.send("\x03\nexit\n")
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def test_zsh(place):
    need("zsh")
    zsh = Zsh(place)
    try:
        for line in CASES:
            shown, became = zsh.complete(line)
            assert "rror" not in shown and "not found" not in shown, shown
            words = re.split(r"[\s]+", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", " ", shown)) + became[len(line.rpartition(" ")[0]) + 1:].split()
            judge(line, words)
    finally:
        zsh.close()


def test_an_unknown_shell(place):
    result = subprocess.run([KACHE, "completions", "zhs"], env=ENV, capture_output=True, text=True)
    assert result.returncode == 2 and "did you mean zsh?" in result.stderr
