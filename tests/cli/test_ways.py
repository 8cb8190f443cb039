"""The ways of C that README and the man page name, as a newcomer takes them: in an empty home, twice from nothing."""
import collections
import json
import shutil
import subprocess

import pytest

from test_commands import KACHE

FILES = {
    "main.c": "int util(void);\nint main(void) { return util(); }\n",
    "util.c": "int util(void) { return 0; }\n",
    "Makefile": "hello: main.o lib.a\n\t$(CC) -o $@ main.o lib.a\nlib.a: util.o\n\t$(AR) rcs $@ util.o\nclean:\n\trm -f *.o *.a hello\n",
    "CMakeLists.txt": "cmake_minimum_required(VERSION 3.21)\nproject(hello C)\nadd_executable(hello main.c util.c)\n",
}


@pytest.fixture
def lab(tmp_path):
    class Lab:
        home, tree, bin = tmp_path / "home", tmp_path / "tree", tmp_path / "bin"

        def run(self, *args, check=True, **env):
            full = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8", **env}
            result = subprocess.run(args, cwd=self.tree, env=full, capture_output=True, text=True)
            assert not check or result.returncode == 0, result.stderr
            return result

        def results(self):
            """What happened since the last question, by the name of the unit."""
            log = self.home / ".cache/kache/events.jsonl"
            events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
            log.unlink(missing_ok=True)
            return {event["crate_name"]: event["result"] for event in events if "result" in event and not event.get("trial")}

    for path in (Lab.home, Lab.tree, Lab.bin):
        path.mkdir()
    for name, text in FILES.items():
        (Lab.tree / name).write_text(text)
    (Lab.bin / "kache").symlink_to(KACHE)
    return Lab()


def twice(lab, build):
    seen = []
    for _ in range(2):
        build()
        seen.append(collections.Counter(lab.results().values()))
    return seen


@pytest.mark.parametrize("how", ["variables", "line"])
def test_make(lab, how):
    words = {"CC": "kache cc", "AR": "kache ar"}

    def build():
        lab.run("make", "clean")
        if how == "variables":
            lab.run("make", **words)
        else:
            lab.run("make", *(f"{name}={value}" for name, value in words.items()))
    # Two compiles, the archive, the link. GNU make's own value for CC is the weakest of all, so the variable counts.
    assert twice(lab, build) == [{"miss": 4}, {"local_hit": 4}]


def test_cmake_with_launchers(lab):
    def build():
        shutil.rmtree(lab.tree / "b", ignore_errors=True)
        kinds = ("COMPILER", "LINKER")
        lab.run("cmake", "-S", ".", "-B", "b", *(f"-DCMAKE_C_{kind}_LAUNCHER=kache" for kind in kinds))
        lab.run("cmake", "--build", "b")
    assert twice(lab, build) == [{"miss": 3}, {"local_hit": 3}]


def test_shims_and_kache_cc_do_not_share_and_each_is_served(lab):
    """gcc looks up its own bare name along PATH and finds the shim, so that is an input. Documented; once for each unit, and safe."""
    lab.run("kache", "install-shims", "shims")
    shimmed = {"PATH": f"{lab.tree}/shims:{lab.bin}:/usr/bin:/bin"}
    ways = [(["kache", "cc"], {}), (["cc"], shimmed)]
    bytes_of = []
    for expected in ("miss", "local_hit"):
        for words, env in ways:
            (lab.tree / "util.o").unlink(missing_ok=True)
            lab.run(*words, "-c", "util.c", **env)
            bytes_of.append((lab.tree / "util.o").read_bytes())
            why = lab.run("kache", "why-miss", "util.c").stdout
            assert lab.results() == {"util.c": expected}
            if expected == "miss" and env:
                assert "\n  program cc\n" in why
    assert len(set(bytes_of)) == 1


def test_a_name_that_is_no_compiler_and_the_same_by_its_path(lab):
    lab.run("cc", "-c", "util.c")
    assert lab.run("kache", "ld", "-r", "util.o", "-o", "r.o", check=False).returncode == 2 and not (lab.tree / "r.o").exists()
    lab.run("kache", "/usr/bin/ld", "-r", "util.o", "-o", "r.o")
    assert (lab.tree / "r.o").exists()


@pytest.mark.skipif(not shutil.which("clang"), reason="no clang")
def test_an_analysis_is_a_link(lab):
    for expected in ("miss", "local_hit"):
        lab.run("kache", "clang", "--analyze", "util.c", "-o", "util.plist")
        assert lab.results() == {"util.plist": expected}
    lab.run("kache", "clang", "--analyze", "util.c", "-o", "util.plist", KACHE_CC_CACHE_LINKS="0")
    assert lab.results() == {"util.plist": "passthrough"}
