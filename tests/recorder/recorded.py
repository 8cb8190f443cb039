"""What a recorded program did, as record_run prints it, and where the built things are.

KACHE_BUILD names the build directory (default: build beside the checkout's CMakeLists.txt)."""
import os
import pathlib
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("KACHE_BUILD", HERE.parent.parent / "build"))
LIBRARY = BUILD / "libexec/kache/libkache-record.so"
RECORD_RUN = BUILD / "tests/recorder/record_run"

# Flags of record_format.h.
NOFOLLOW, CREATE, TRUNCATE, READ, TEMPORARY = 1, 2, 4, 8, 16


class Event(NamedTuple):
    kind: str
    flags: int
    pid: int
    result: int
    clock_ns: int
    aux: int
    dev: int
    ino: int
    size: int
    mtime_ns: int
    ctime_ns: int
    mode: int
    a: str
    b: str


def read_events(path):
    first, *rest = path.read_text().splitlines()
    if first != "ok":
        return first, []
    events = []
    for line in rest:
        kind, *numbers, a, b = line.split("\t")
        texts = [unquote_to_bytes(t).decode("utf-8", "surrogateescape") for t in (a, b)]
        events.append(Event(kind, *map(int, numbers), *texts))
    return first, events


class Run:
    """One recorded command."""

    def __init__(self, done, state, events):
        self.status, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr
        self.state, self.events = state, events

    def of(self, kind, a=None, b=None, **fields):
        return [e for e in self.events
                if e.kind == kind and a in (None, e.a) and b in (None, e.b)
                and all(getattr(e, name) == value for name, value in fields.items())]

    def one(self, kind, a=None, b=None, **fields):
        found = self.of(kind, a, b, **fields)
        assert len(found) == 1, (kind, a, b, fields, found or [e for e in self.events if a and a in (e.a, e.b)])
        return found[0]

    def hellos(self, program):
        """Those of programs whose executable has this name."""
        return [e for e in self.events if e.kind == "hello" and os.path.basename(e.a) == program]
