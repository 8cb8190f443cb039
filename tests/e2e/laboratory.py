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

# Set by the negative control: everything runs with caching off, and what asserts a hit has to fail.
CONTROL = os.environ.get("KACHE_TEST_CONTROL") == "1"


# Writes by bare system calls: kache would see a file that is written by the way and rightly refuse to store anything.
COUNTER = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv) {
  char line[512] = "";
  int unit = 0;
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--crate-name") && i + 1 < argc) strncat(line, argv[i + 1], 500);
    unit |= !strncmp(argv[i], "--error-format=json", 19);
  }
  strcat(line, "\n");
  long fd = unit && line[1] ? syscall(SYS_openat, AT_FDCWD, LOG, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
  if (fd >= 0) syscall(SYS_write, fd, line, strlen(line)), syscall(SYS_close, fd);
  argv[0] = RUSTC;
  execv(RUSTC, argv);
  return 127;
}
"""


class Lab:
    """A home, a cache and, after count_compiles(), a compiler that counts its runs without kache's help."""

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
        if CONTROL:
            env["KACHE_DISABLED"] = "1"
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

    def run(self, work, *command, through=True, cwd=None, **env):
        """One command, through kache or alone: its status, its two streams and what it left in work/out, which is empty before."""
        empty(work / "out")
        if through:
            command = [KACHE, *command]
        result = subprocess.run(command, cwd=cwd or work, env=self.env(**env), capture_output=True)
        return result.returncode, result.stdout, result.stderr, files_in(work / "out")

    def count_compiles(self):
        """From here on cargo's compiler is one that notes the crate of each compile; see compiled()."""
        source, shim = self.root / "counter.c", self.root / "counter" / "rustc"
        source.write_text(COUNTER)
        shim.parent.mkdir()
        self.compile_log = self.root / "compiles"
        subprocess.run(["gcc", "-O1", f'-DRUSTC="{TOOLCHAIN / "rustc"}"', f'-DLOG="{self.compile_log}"', "-o", shim, source],
                       check=True)
        self.extra_env["RUSTC"] = str(shim)

    def compiled(self):
        """The crates that a real compiler compiled since the last forget(), sorted; with repetitions."""
        names = self.compile_log.read_text().split() if self.compile_log.exists() else []
        return sorted(name for name in names if name != "___")

    def forget(self):
        self.forget_events()
        if hasattr(self, "compile_log"):
            self.compile_log.unlink(missing_ok=True)

    def rebuild(self, directory, *args, target=None, **env):
        """Throws the outputs away, builds again, and says which crates the compiler was run for."""
        shutil.rmtree(target or directory / "target", ignore_errors=True)
        self.forget()
        self.last = self.cargo(directory, *(args or ("build",)), **env)
        return self.compiled()

    def events(self, cache=None):
        log = (cache or self.cache) / "events.jsonl"
        if not log.exists():
            return []
        # A line of a disk that was full may have a piece of another one before it.
        lines = log.read_text().splitlines()
        return [json.loads(line[line.rindex('{"ts":'):] if line.count('{"ts":') else line) for line in lines if line.endswith("}")]

    def event(self, cache=None):
        """What kache said of the last command."""
        return self.events(cache)[-1]

    def forget_events(self):
        (self.cache / "events.jsonl").unlink(missing_ok=True)

    def results(self):
        """Results by kind, of units (not of cargo's questions to the compiler)."""
        return collections.Counter(event["result"] for event in self.events() if event["crate_name"] != "___")

    def missed(self):
        return sorted(e["crate_name"] for e in self.events() if e["result"] != "local_hit" and e["crate_name"] != "___")


def package(name, dependencies=(), **tables):
    """Cargo.toml of a small package; `tables` are further lines by the name of their table."""
    text = f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n'
    if dependencies:
        text += "[dependencies]\n" + "".join(f'{name} = {{ path = "../{name}" }}\n' for name in dependencies)
    return text + "".join(f"[{table}]\n{lines}\n" for table, lines in tables.items())


def workspace(*members):
    return f'[workspace]\nmembers = {json.dumps(list(members))}\nresolver = "2"\n'


def write_tree(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def empty(directory):
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()


def files_in(directory):
    """Every file below, by name, with its bytes and whether it may be run."""
    return {str(path.relative_to(directory)): (path.read_bytes(), bool(path.stat().st_mode & 0o111))
            for path in directory.rglob("*") if path.is_file()}


def unequal(one, two):
    """Of two outcomes of Lab.run: the names of files that are not the same, or not in both."""
    return sorted(name for name in one[3].keys() | two[3].keys() if one[3].get(name) != two[3].get(name))


# Changes of a tree, for the tables of the tests: each is a function of the directory.

def write(name, text):
    """Into the file that is there, if one is."""
    def make(work):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text)
    return make


def program(name, text):
    def make(work):
        write(name, text)(work)
        (work / name).chmod(0o755)
    return make


def link(name, target):
    def make(work):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).unlink(missing_ok=True)
        (work / name).symlink_to(target)
    return make


def same_size_and_time(name, text):
    def make(work):
        before = os.stat(work / name)
        assert len(text) == before.st_size
        (work / name).write_text(text)
        os.utime(work / name, ns=(before.st_atime_ns, before.st_mtime_ns))
    return make


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
