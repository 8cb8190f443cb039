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
    def __init__(self, root, remote, **env):
        root.mkdir()
        super().__init__(root)
        self.extra_env = {"KACHE_REMOTES": str(remote), "KACHE_DAEMON_IDLE_TIMEOUT": "600", **env}

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
