"""What changes while the compiler runs: the result is the user's, and is not stored; what answers later is right."""
import os
import signal
import subprocess
import time

import pytest

from laboratory import KACHE, TOOLCHAIN, write_tree
from test_matrix import LIB, MACRO, USE_MACRO, looks

# Says that it has read, and waits until it may go on.
WAIT = 'extern "C" { fn write(fd: i32, bytes: *const u8, n: usize) -> isize; fn read(fd: i32, bytes: *mut u8, n: usize) -> isize; } ' \
       'let mut go = [0u8; 1]; unsafe { write(2, b"ready\\n".as_ptr(), 6); read(0, go.as_mut_ptr(), 1); } '
READ = 'std::fs::read_to_string("note").unwrap_or_else(|e| format!("{:?}", e.kind()))'


def slow(before, after='String::new()'):
    """A proc macro that looks, waits for the test, and looks again."""
    return looks(f'let first: String = {{ {before} }}; {WAIT} let second: String = {{ {after} }}; format!("{{first}}/{{second}}")')


class Slow:
    def __init__(self, lab, files, before=None, step=USE_MACRO):
        self.lab, self.work, self.step = lab, write_tree(lab.root / "work", files), step
        (self.work / "out").mkdir()
        if before:
            before(self.work)
        time.sleep(0.02)
        assert lab.rustc(self.work, *MACRO, "--out-dir", "out").returncode == 0

    def start(self, **env):
        return subprocess.Popen([KACHE, TOOLCHAIN / "rustc", *self.step, "--out-dir", "out"], cwd=self.work, env=self.lab.env(**env),
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def compile(self, meanwhile=None, **env):
        """(result, reason, bytes)"""
        process = self.start(**env)
        line = process.stderr.readline()
        if line == b"ready\n":
            if meanwhile:
                meanwhile(self.work)
            time.sleep(0.02)
        else:
            assert not meanwhile, "came from the cache"
        _, messages = process.communicate(b"g")
        assert process.returncode == 0, messages
        event = self.lab.events()[-1]
        return event["result"], event.get("passthrough_reason", ""), (self.work / "out/libunit.rlib").read_bytes()


def replace(name, text):
    return lambda work: (work / name).write_text(text)


NOTE = {"note": "one"}
LISTS = 'let mut n: Vec<_> = std::fs::read_dir("notes").unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect(); n.sort(); n.join("+")'
MEANWHILE = {
    "a file is written": (slow(READ) | NOTE, replace("note", "two")),
    "a file is written twice": (slow(READ) | NOTE, lambda work: (work / "note").write_text("two") or (work / "note").write_text("one")),
    "a file is replaced": (slow(READ) | NOTE, lambda work: (work / "new").write_text("one") and os.replace(work / "new", work / "note")),
    "a file is removed": (slow(READ) | NOTE, lambda work: (work / "note").unlink()),
    "a file appears": (slow(READ), replace("note", "two")),
    "its directory is renamed": (slow(READ.replace("note", "dir/note")) | {"dir/note": "one"},
                                 lambda work: (work / "dir").rename(work / "other")),
    "the source is written": (slow(READ) | NOTE, replace("lib.rs", "pub fn found() -> &'static str { looks::look!() }\n// more\n")),
    "a name appears in a directory": (slow(LISTS) | {"notes/a": ""}, replace("notes/b", "")),
    "a name goes from a directory": (slow(LISTS) | {"notes/a": "", "notes/b": ""}, lambda work: (work / "notes/b").unlink()),
    "a file grows": (slow('format!("{}", std::fs::metadata("note").unwrap().len())') | NOTE, replace("note", "longer")),
    "a link turns": (slow('format!("{:?}", std::fs::read_link("link").unwrap())') | NOTE,
                     lambda work: (work / "link").unlink() or (work / "link").symlink_to("elsewhere")),
    "a path resolves elsewhere": (slow('format!("{:?}", std::fs::canonicalize("link").unwrap().file_name())') | NOTE | {"other": "one"},
                                  lambda work: (work / "link").unlink() or (work / "link").symlink_to("other")),
    "the compile changes its own input": (slow(READ, 'std::fs::write("note", "two").unwrap(); String::new()') | NOTE, lambda work: None),
}


@pytest.mark.parametrize("name", MEANWHILE)
def test_meanwhile(lab, name):
    files, change = MEANWHILE[name]
    case = Slow(lab, files, before=lambda work: (work / "link").symlink_to("note"))
    result, reason, _ = case.compile(change)
    assert result == "miss" and reason.startswith(("impure|", "unsupported|")), reason
    # What is compiled afterwards is what a compile without a history makes.
    _, _, cached = case.compile()
    lab.cache = lab.root / "empty"
    _, _, fresh = case.compile()
    assert cached == fresh


@pytest.mark.hits
def test_without_a_change_it_is_stored(lab):
    slow_one = Slow(lab, slow(READ) | NOTE)
    first = slow_one.compile(lambda work: None)
    again = slow_one.compile()
    assert first[:2] == ("miss", "") and again[0] == "local_hit" and first[2] == again[2]


def test_a_pipe_is_no_input_that_can_be_known(lab):
    slow_one = Slow(lab, looks('std::fs::read_to_string("pipe").unwrap()'), before=lambda work: os.mkfifo(work / "pipe"))
    # Its path is the beginning of the jobserver's: that makes it no jobserver.
    env = lab.env(CARGO_MAKEFLAGS=f"-j --jobserver-auth=fifo:{slow_one.work}/pipe-of-make")
    seen = []
    for word in ("one", "two"):
        process = subprocess.Popen([KACHE, TOOLCHAIN / "rustc", *USE_MACRO, "--out-dir", "out"], cwd=slow_one.work, env=env,
                                   stderr=subprocess.PIPE)
        (slow_one.work / "pipe").write_text(word)
        _, messages = process.communicate()
        assert process.returncode == 0, messages
        seen.append((slow_one.work / "out/libunit.rlib").read_bytes())
        assert "could not be read" in lab.events()[-1]["passthrough_reason"]
    assert seen[0] != seen[1]


@pytest.mark.hits
def test_those_who_wait_take_over_when_the_first_one_dies(lab):
    slow_one = Slow(lab, slow(READ) | NOTE)
    first = slow_one.start()
    assert first.stderr.readline() == b"ready\n"
    waiting = [slow_one.start() for _ in range(3)]
    time.sleep(0.2)
    assert [process.poll() for process in waiting] == [None] * 3
    first.send_signal(signal.SIGKILL)
    first.wait()
    for process in waiting:  # whoever compiles now waits for this
        process.stdin.write(b"g")
        process.stdin.flush()
    results = [process.communicate() for process in waiting]
    assert [process.returncode for process in waiting] == [0, 0, 0], results
    kinds = sorted(event["result"] for event in lab.events()[-3:])
    assert kinds == ["dup", "dup", "miss"], kinds


def test_those_who_wait_for_a_compile_that_fails_get_its_messages_themselves(lab):
    files = slow(READ) | NOTE
    slow_one = Slow(lab, files | {"lib.rs": files["lib.rs"] + 'pub fn wrong() -> u8 { "no" }\n'})
    processes = [slow_one.start() for _ in range(3)]
    for process in processes:  # whoever is first, and then each of the others
        process.stdin.write(b"g")
        process.stdin.flush()
    ended = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [1, 1, 1]
    messages = {messages.replace(b"ready\n", b"") for _, messages in ended}
    assert len(messages) == 1 and b"E0308" in messages.pop()
