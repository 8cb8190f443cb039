"""End to end: the real kache in front of the real cargo and rustc, in an empty home."""
import collections
import json
import os
import pathlib
import shutil
import subprocess

BUILD = pathlib.Path(os.environ.get("KACHE_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))
KACHE = BUILD / "bin" / "kache"


def real_toolchain():
    """The bin directory of the toolchain itself, behind rustup's shims where there are any."""
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True).stdout.strip()
    return pathlib.Path(sysroot) / "bin"


TOOLCHAIN = real_toolchain()


class Lab:
    """A home, a cache and a compiler that counts its runs."""

    def __init__(self, root):
        self.root = root
        self.home = root / "home"
        self.cache = root / "cache"
        self.home.mkdir()
        self.extra_env = {}

    def env(self, **extra):
        env = {
            "PATH": f"{TOOLCHAIN}:/usr/bin:/bin",
            "HOME": str(self.home),
            "CARGO_HOME": str(self.home / ".cargo"),
            "KACHE_CACHE_DIR": str(self.cache),
            "RUSTC_WRAPPER": str(KACHE),
            "CARGO_INCREMENTAL": "0",
            "LANG": "C.UTF-8",
        }
        env.update(self.extra_env)
        env.update(extra)
        return {name: value for name, value in env.items() if value is not None}

    def cargo(self, directory, *args, check=True, **env):
        result = subprocess.run(["cargo", *args], cwd=directory, env=self.env(**env), capture_output=True)
        if check and result.returncode != 0:
            raise AssertionError(f"cargo {args}: {result.returncode}\n{result.stderr.decode(errors='replace')}")
        return result

    def kache(self, directory, *args, **env):
        return subprocess.run([KACHE, *args], cwd=directory, env=self.env(**env), capture_output=True)

    def rustc(self, directory, *args, **env):
        return self.kache(directory, TOOLCHAIN / "rustc", *args, **env)

    def events(self):
        log = self.cache / "events.jsonl"
        if not log.exists():
            return []
        return [json.loads(line) for line in log.read_text().splitlines()]

    def forget_events(self):
        (self.cache / "events.jsonl").unlink(missing_ok=True)

    def results(self):
        """Results by kind, of units (not of cargo's questions to the compiler)."""
        return collections.Counter(event["result"] for event in self.events() if event["crate_name"] != "___")

    def missed(self):
        return sorted(e["crate_name"] for e in self.events() if e["result"] != "local_hit" and e["crate_name"] != "___")


def write_tree(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def outputs(target):
    """Every file that a build left in deps and build directories, by name, with its bytes."""
    found = {}
    for path in sorted(target.rglob("*")):
        relative = path.relative_to(target)
        if path.is_file() and ("deps" in relative.parts or "build" in relative.parts):
            found[str(relative)] = path.read_bytes()
    return found


def relocate(source, destination):
    """A second checkout: the sources, not what was built from them; the first one's outputs are gone."""
    shutil.copytree(source, destination, ignore=shutil.ignore_patterns("target"), symlinks=True)
    shutil.rmtree(source / "target", ignore_errors=True)
    return destination
