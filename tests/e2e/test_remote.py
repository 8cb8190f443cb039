"""Two machines and a remote between them: two homes, two cache directories, two checkouts at other paths."""
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

from laboratory import BUILD, KACHE, Lab, package, workspace, write_tree

RUST = {
    "Cargo.toml": workspace("app", "lib", "mac"),
    "mac/Cargo.toml": package("mac", lib="proc-macro = true"),
    "mac/src/lib.rs": "use proc_macro::TokenStream;\n#[proc_macro]\npub fn one(_: TokenStream) -> TokenStream { \"1\".parse().unwrap() }\n",
    "lib/Cargo.toml": package("lib", ["mac"]),
    "lib/src/lib.rs": "pub fn one() -> i32 { mac::one!() }\n",
    "app/Cargo.toml": package("app", ["lib"]),
    "app/src/main.rs": "fn main() { println!(\"{}\", lib::one()); }\n",
    "app/build.rs": "fn main() { println!(\"cargo:rustc-cfg=built\"); }\n",
}
C = {
    "a.c": '#include "a.h"\nint a(void) { return A; }\n',
    "a.h": "#define A 1\n",
    "main.c": '#include "a.h"\nint a(void);\nint main(void) { return a() - A; }\n',
}


class Machine(Lab):
    """Nothing comes ahead of what is asked for, unless a test is about that: it would be a prefetch_hit or a remote_hit, whichever
    comes first."""

    def __init__(self, root, remote, **env):
        root.mkdir()
        super().__init__(root)
        self.extra_env = {"KACHE_REMOTES": str(remote), "KACHE_DAEMON_IDLE_TIMEOUT": "600", "KACHE_PREFETCH_ENABLED": "0", **env}

    def daemon(self, *args):
        return self.kache(self.root, "daemon", *args)

    def settle(self):
        """Everything that waits has been sent."""
        result = self.daemon("stop", "--drain", "60")
        assert result.returncode == 0, result.stderr
        return result

    def status(self):
        return json.loads(self.daemon("status", "--json").stdout)

    def make(self, work):
        """A small C program, link included; its exit status."""
        kache = str(KACHE)
        for source in ("a.c", "main.c"):
            result = self.run(work, "gcc", "-g", "-c", source, "-o", f"{source}.o", cwd=work)
            assert result[0] == 0, result
        result = self.run(work, "gcc", "a.c.o", "main.c.o", "-o", "program", cwd=work)
        assert result[0] == 0, result
        return subprocess.run([work / "program"]).returncode


@pytest.fixture
def machines(tmp_path):
    made = []

    def make(name, remote, **env):
        machine = Machine(tmp_path / name, remote, **env)
        made.append(machine)
        return machine

    yield make
    for machine in made:
        machine.daemon("stop", "--drain", "0")


@pytest.fixture
def shared(tmp_path):
    (tmp_path / "shared").mkdir()
    return tmp_path / "shared"


def results(machine):
    """Without cargo's questions to the compiler, which it asks more than once."""
    counts = {}
    for event in machine.events():
        if event["crate_name"] not in ("", "___"):
            counts[event["result"]] = counts.get(event["result"], 0) + 1
    return counts


@pytest.mark.hits
def test_a_second_machine_compiles_nothing(machines, shared, tmp_path):
    first, second = machines("first", shared), machines("second", shared)
    one, two = write_tree(tmp_path / "one/rust", RUST), write_tree(tmp_path / "elsewhere/two", RUST)
    first.cargo(one, "build")
    first.make(write_tree(tmp_path / "one/c", C))
    assert results(first) == {"miss": 7}, first.events()
    first.settle()

    second.cargo(two, "build")
    assert second.make(write_tree(tmp_path / "elsewhere/c", C)) == 0
    assert results(second) == {"remote_hit": 7}, [(e["crate_name"], e["result"], e.get("remote_error"), e.get("miss_reason")) for e in second.events()]
    for event in second.events():
        assert event["compiler_runs"] == 0 and event.get("probe_runs", 0) == 0, event
    ran = subprocess.run([two / "target/debug/app"], capture_output=True, text=True)
    assert ran.stdout == "1\n"


def unit(machine, work, name="unit.c", text="int unit(void) { return 1; }\n", **env):
    """One compile of C; what kache said of it. The object is that of the compiler alone."""
    (work / name).write_text(text)
    alone = machine.run(work, "gcc", "-c", name, "-o", "out/unit.o", through=False, cwd=work)
    time.sleep(0.01)
    assert machine.run(work, "gcc", "-c", name, "-o", "out/unit.o", cwd=work, **env) == alone
    return machine.event()


@pytest.fixture
def work(tmp_path):
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def share_one(machines, shared, work, **env):
    first = machines("first", shared, **env)
    assert unit(first, work)["result"] == "miss"
    first.settle()
    return first


def objects(shared, kind):
    return sorted(path for path in (shared / "k1" / kind).rglob("*") if path.is_file())


# --- what lies in the remote is not believed ---------------------------------------------------------------------------

def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.hits
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "bomb", "another"])
def test_damaged_objects_are_misses(machines, shared, work, damage):
    share_one(machines, shared, work)
    other = machines("other", shared)
    assert unit(other, work, "other.c", "int other(void) { return 2; }\n")["result"] == "miss"
    other.settle()
    for kind in ("traces", "records"):
        paths = objects(shared, kind)
        assert len(paths) == 2
        contents = [path.read_bytes() for path in paths]
        for path, swapped in zip(paths, reversed(contents)):
            if damage == "flip":
                flip(path)
            elif damage == "cut":
                path.write_bytes(path.read_bytes()[:-20])
            elif damage == "empty":
                path.write_bytes(b"")
            elif damage == "bomb":
                path.write_bytes(b"KREMOT01" + b"\0" * (100 << 20))
            else:
                path.write_bytes(swapped)  # under the name of the other one
    second = machines("second", shared)
    event = unit(second, work)
    assert event["result"] == "miss" and "remote" in event["remote_error"], event
    # What this one has made takes the place of what was damaged.
    second.settle()
    third = machines("third", shared)
    assert unit(third, work)["result"] == "remote_hit"


@pytest.mark.hits
def test_a_large_output_that_is_not_what_it_should_be(machines, shared, work):
    text = "".join(f"const char *const t{i} = \"{os.urandom(400).hex()}\";\n" for i in range(1500))
    first = machines("first", shared)
    assert unit(first, work, text=text)["result"] == "miss"
    first.settle()
    [blob] = objects(shared, "blobs")
    good = blob.read_bytes()
    flip(blob)
    assert unit(machines("second", shared), work, text=text)["result"] == "miss"
    blob.write_bytes(good)
    event = unit(machines("third", shared), work, text=text)
    assert event["result"] == "remote_hit" and event["compiler_runs"] == 0


@pytest.mark.hits
def test_signatures(machines, shared, work):
    maker = machines("maker", shared)
    keys = {}
    for name in ("ours", "theirs"):
        made = maker.kache(work, "keys", "generate", str(maker.root / name))
        assert made.returncode == 0, made.stderr
        keys[name] = made.stdout.decode().strip()
        assert (maker.root / name).stat().st_mode & 0o777 == 0o600
        assert maker.kache(work, "keys", "show", str(maker.root / name)).stdout.decode().strip() == keys[name]
    careful = {"KACHE_REMOTE_TRUSTED_KEYS": keys["ours"]}

    assert unit(maker, work)["result"] == "miss"
    maker.settle()
    event = unit(machines("a", shared, **careful), work)
    assert event["result"] == "miss" and "not signed" in event["remote_error"], event

    stranger = machines("stranger", shared, KACHE_REMOTE_SIGN_WITH=str(maker.root / "theirs"))
    assert unit(stranger, work, "b.c")["result"] == "miss"
    stranger.settle()
    event = unit(machines("b", shared, **careful), work, "b.c")
    assert event["result"] == "miss" and "not trusted" in event["remote_error"], event
    assert unit(machines("c", shared), work, "b.c")["result"] == "remote_hit"  # who asks for no signature takes it

    # A trusted one replaces what nobody could use.
    trusted = machines("trusted", shared, KACHE_REMOTE_SIGN_WITH=str(maker.root / "ours"), **careful)
    assert unit(trusted, work, "b.c")["result"] == "miss"
    trusted.settle()
    assert unit(machines("d", shared, **careful), work, "b.c")["result"] == "remote_hit"

    (maker.root / "ours").chmod(0o644)
    event = unit(machines("e", shared, KACHE_REMOTE_SIGN_WITH=str(maker.root / "ours")), work, "c.c")
    assert "others may read" in event["remote_error"], event


@pytest.mark.hits
def test_read_only_and_local_only(machines, shared, work):
    reader = machines("reader", shared, KACHE_REMOTE_READONLY="1")
    assert unit(reader, work)["result"] == "miss"
    reader.settle()
    assert not (shared / "k1").exists()
    share_one(machines, shared, work)
    assert unit(machines("again", shared, KACHE_REMOTE_READONLY="1"), work)["result"] == "remote_hit"
    alone = machines("alone", shared, KACHE_LOCAL_ONLY="1")
    assert unit(alone, work)["result"] == "miss"
    assert not (alone.cache / "daemon.log").exists()


@pytest.mark.hits
def test_tiers(machines, tmp_path, work):
    near, far = tmp_path / "nearer", tmp_path / "farther"
    near.mkdir(), far.mkdir()
    share_one(machines, far, work)
    both = machines("both", f"{near} file://{far}?mode=read")
    assert unit(both, work)["result"] == "remote_hit"
    both.settle()
    far.rename(tmp_path / "gone")
    assert unit(machines("near", near), work)["result"] == "remote_hit"  # it was brought nearer
