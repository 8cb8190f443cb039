"""A program in a terminal of its own: keys go in, the screen comes out."""
import contextlib
import shutil
import subprocess
import time
import uuid

import pytest


class Screen:
    def __init__(self, socket, width, height):
        self.socket, self.size = socket, (width, height)

    def tmux(self, *args):
        return subprocess.run(["tmux", "-L", self.socket, *args], capture_output=True, text=True)

    def lines(self):
        return self.tmux("capture-pane", "-p", "-t", "0").stdout.split("\n")[:-1]

    def text(self):
        return "\n".join(self.lines())

    def colours(self):
        """The screen with its escape sequences."""
        return self.tmux("capture-pane", "-e", "-p", "-t", "0").stdout

    def keys(self, *keys):
        """Names as tmux has them: Up, Enter, C-c, a."""
        self.tmux("send-keys", "-t", "0", *keys)

    def type(self, text):
        self.tmux("send-keys", "-t", "0", "-l", text)

    def resize(self, width, height):
        self.tmux("resize-window", "-t", "0", "-x", str(width), "-y", str(height))

    def wait(self, *words, seconds=20):
        """Until all of them are seen; the screen."""
        return self.wait_for(lambda text: all(word in text for word in words), words, seconds)

    def wait_gone(self, word, seconds=20):
        return self.wait_for(lambda text: word not in text, f"no {word}", seconds)

    def wait_for(self, is_right, what, seconds=20):
        end = time.monotonic() + seconds
        while True:
            text = self.text()
            if is_right(text):
                return text
            assert time.monotonic() < end, f"{what} did not come:\n{text}"
            time.sleep(0.05)

    def line_of(self, word):
        return next(line for line in self.lines() if word in line)

    def ended(self):
        """The status of the program, once it has ended, and the screen that is left behind."""
        text = self.wait("STATUS=")
        return int(text.split("STATUS=")[1].split()[0]), text


@contextlib.contextmanager
def screen(command, cwd, env, width=80, height=24):
    if not shutil.which("tmux"):
        pytest.skip("there is no tmux on this machine; tools/setup.sh test installs it")
    socket = f"kache-{uuid.uuid4().hex[:12]}"
    full = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "xterm-256color", "SHELL": "/bin/sh", **env}
    inside = [f"{name}={value}" for name, value in env.items()]
    script = " ".join(f"'{word}'" for word in map(str, command))
    # Whether the modes of the terminal are those of before is seen by what stty says of it.
    line = f"stty -g >before; {script}; status=$?; stty -g >after; cmp before after && echo STATUS=$status; exec sleep 1000"
    made = subprocess.run(["tmux", "-L", socket, "-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height),
                           "env", *inside, "sh", "-c", line], cwd=cwd, env=full, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    shown = Screen(socket, width, height)
    shown.tmux("set", "-g", "status", "off")
    shown.resize(width, height)
    try:
        yield shown
    finally:
        shown.tmux("kill-server")
