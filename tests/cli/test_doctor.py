"""What `kache doctor` says to people who build C, to people who build Rust, and to programs."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

from test_commands import KACHE

STATIC = '#include <unistd.h>\nint main(int n, char **v) { (void)n; v[0] = "/usr/bin/gcc"; unsetenv("LD_PRELOAD"); return execv(v[0], v); }\n'


@pytest.fixture
def lab(tmp_path):
    """A machine with a C compiler and nothing else; `rust` adds a cargo. PATH is `bin`, in which kache lies too."""
    class Lab:
        home, bin, work = tmp_path / "home", tmp_path / "bin", tmp_path / "work"

        def doctor(self, *args, cwd=None, **env):
            full = {"PATH": str(self.bin), "HOME": str(self.home), "LANG": "C.UTF-8", **env}
            return subprocess.run([KACHE, "doctor", *args], cwd=cwd or self.work, env=full, capture_output=True, text=True)

        def say(self, **env):
            result = self.doctor(**env)
            assert result.returncode == 0, result.stderr
            return result.stdout

        def row(self, label, **env):
            """The row with this label and what stands below it."""
            lines = self.say(**env).splitlines()
            at = next((i for i, line in enumerate(lines) if line[6:].startswith(label + "  ")), None)
            assert at is not None, (label, lines)
            fix = lines[at + 1] if at + 1 < len(lines) and lines[at + 1].startswith("      -> ") else ""
            return lines[at][2:] + fix

        def asked(self, **env):
            return json.loads(self.doctor("--json", **env).stdout)

        def add_rust(self):
            cargo = self.bin / "cargo"
            cargo.write_text("#!/bin/sh\n")
            cargo.chmod(0o755)

    for path in (Lab.home, Lab.bin, Lab.work):
        path.mkdir()
    for name in ("cc", "gcc", "c++", "g++"):
        (Lab.bin / name).symlink_to(shutil.which(name))
    (Lab.bin / "kache").symlink_to(KACHE)
    return Lab()


def test_a_machine_without_rust_has_no_issue_with_rust(lab):
    assert lab.row("RUSTC_WRAPPER").startswith("-   ")
    assert "All checks passed" in lab.say(CC="kache cc")
    # And where nothing at all goes through kache, all the ways of C are named.
    row = lab.row("C and C++")
    assert row.startswith("BAD") and all(way in row for way in ('CC="kache cc"', "CMAKE_C_COMPILER_LAUNCHER", "install-shims"))


def test_rust_that_is_not_set_up_is_an_issue_unless_c_is(lab):
    lab.add_rust()
    row = lab.row("RUSTC_WRAPPER")
    assert row.startswith("BAD") and "kache init" in row
    row = lab.row("RUSTC_WRAPPER", CC="kache cc")
    assert row.startswith("-   ") and "kache init" in row
    assert lab.row("RUSTC_WRAPPER", RUSTC_WRAPPER="kache").startswith("ok")
    # Then C is nothing that has to be set up.
    assert lab.row("C and C++", RUSTC_WRAPPER="kache").startswith("-   ")
    assert lab.row("RUSTC_WRAPPER", RUSTC_WRAPPER="sccache").startswith("BAD")
    assert "is not there" in lab.row("RUSTC_WRAPPER", RUSTC_WRAPPER="/nowhere/kache")
    config = lab.work / ".cargo/config.toml"
    config.parent.mkdir()
    config.write_text('[build]\nrustc-wrapper = "kache"\n')
    assert lab.row("RUSTC_WRAPPER").startswith("ok") and str(config) in lab.row("RUSTC_WRAPPER")


@pytest.mark.parametrize("variable, value, mark, words", [
    ("CC", "kache cc", "ok", "kache cc"),
    ("CXX", f"{KACHE} g++ -m64", "ok", "g++"),
    ("CC", "gcc", "-", 'export CC="kache gcc"'),
    ("CC", "kache", "BAD", 'export CC="kache cc"'),
    ("CXX", "kache -O2", "BAD", 'export CXX="kache c++"'),
    ("CC", "kache nosuch", "BAD", "there is no nosuch"),
    ("CC", "/nowhere/kache cc", "BAD", "/nowhere/kache is not there"),
    ("CC", "nosuch", "BAD", "not on PATH"),
    ("CMAKE_C_COMPILER_LAUNCHER", "kache", "ok", "kache"),
    ("CMAKE_CXX_COMPILER_LAUNCHER", "/nowhere/kache", "BAD", str(KACHE)),
    ("CMAKE_CXX_COMPILER_LAUNCHER", "ccache", "-", "is not kache"),
])
def test_variables_of_c(lab, variable, value, mark, words):
    row = lab.row(variable, **{variable: value})
    assert row.startswith(mark + " ") and words in row
    assert lab.asked(**{variable: value})["c"]["set_up"] == (mark == "ok")


def test_kache_that_is_not_on_path(lab):
    (lab.bin / "kache").unlink()
    row = lab.row("CC", CC="kache cc")
    assert row.startswith("BAD") and "kache is not on PATH" in row and str(KACHE.parent) in row


def test_shims_count_where_they_come_first(lab):
    shims = lab.work / "shims"
    assert subprocess.run([KACHE, "install-shims", shims], capture_output=True).returncode == 0
    row = lab.row("Shims", PATH=f"{shims}:{lab.bin}")
    assert row.startswith("ok") and "cc, c++, gcc, g++" in row and str(shims) in row
    assert lab.row("C and C++", PATH=f"{shims}:{lab.bin}").startswith("ok")
    assert "no real clang, clang++" in lab.say(PATH=f"{shims}:{lab.bin}")
    row = lab.row("Shims", PATH=f"{lab.bin}:{shims}")
    assert row.startswith("BAD") and str(lab.bin) in row and f"export PATH={shims}:$PATH" in row
    # CC=cc is then a shim, and the compiler is the real one behind it.
    row = lab.row("CC", CC="cc", PATH=f"{shims}:{lab.bin}")
    assert row.startswith("ok") and "shim" in row
    paths = [compiler["path"] for compiler in lab.asked(PATH=f"{shims}:{lab.bin}")["c"]["compilers"]]
    assert paths and all(os.path.dirname(path) == str(lab.bin) for path in paths)


def test_a_build_directory_of_cmake(lab):
    (lab.work / "CMakeCache.txt").write_text("A:STRING=b\nCMAKE_C_COMPILER_LAUNCHER:STRING=kache\n")
    row = lab.row("CMAKE_C_COMPILER_LAUNCHER")
    assert row.startswith("ok") and "CMakeCache.txt" in row
    assert lab.row("C and C++").startswith("ok")


def test_what_went_through_kache_lately_is_set_up(lab):
    (lab.work / "a.c").write_text("int a;\n")
    env = {"PATH": f"{lab.bin}:/usr/bin", "HOME": str(lab.home)}
    assert subprocess.run([KACHE, "gcc", "-c", "a.c"], cwd=lab.work, env=env).returncode == 0
    row = lab.row("C and C++")
    assert row.startswith("ok") and "a.c" in row


def test_compilers_with_version_and_mode(lab):
    rows = [line for line in lab.say(CC="kache cc").splitlines() if " C compiler " in line]
    version = subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True).stdout.strip()
    assert len(rows) == 2 and all(row.endswith(": recorded") and version in row for row in rows)
    assert "cc, gcc" in rows[0] and "c++, g++" in rows[1]
    source, static = lab.work / "static.c", lab.work / "mycc"
    source.write_text("#include <stdlib.h>\n" + STATIC)
    subprocess.run(["gcc", "-static", "-O1", "-o", static, source], check=True)
    row = next(line for line in lab.say(CC=f"kache {static}").splitlines() if f"{static}: " in line)
    assert "BAD" in row and "declared mode" in row and "linked statically" in row
    answer = next(one for one in lab.asked(CC=f"kache {static}")["c"]["compilers"] if one["path"] == str(static))
    assert answer["names"] == ["CC"] and answer["mode"] == "declared" and "statically" in answer["why"]


def test_the_answer_for_programs_and_the_exit_status(lab):
    good = lab.asked(CC="kache cc")
    assert good["schema_version"] == 1 and good["command"] == "doctor" and good["issues"] == 0
    assert good["c"]["set_up"] and good["c"]["found"] and not good["rust"]["set_up"] and not good["rust"]["found"]
    assert {"label", "status", "detail"} <= set(good["checks"][0])
    assert lab.doctor("--strict", CC="kache cc").returncode == 0
    bad = lab.asked(CC="kache")
    assert bad["issues"] == sum(check["status"] == "issue" for check in bad["checks"]) > 0
    assert lab.doctor(CC="kache").returncode == 0 and lab.doctor("--json", CC="kache").returncode == 0
    assert lab.doctor("--strict", CC="kache").returncode == 3
    row = lab.row("KACHE_DISABLED", CC="kache cc", KACHE_DISABLED="1")
    assert row.startswith("BAD")


def test_the_store_for_programs(lab):
    (lab.work / "a.c").write_text("int a;\n")
    env = {"PATH": f"{lab.bin}:/usr/bin", "HOME": str(lab.home)}
    subprocess.run([KACHE, "gcc", "-c", "a.c"], cwd=lab.work, env=env, check=True)
    checked = lab.doctor("--verify", "--json")
    answer = json.loads(checked.stdout)
    assert checked.returncode == 0 and answer["entries"] == answer["valid"] == 1 and answer["corrupted"] == 0
    entry = next(path for path in (lab.home / ".cache/kache/v1/entries").rglob("*") if path.is_file())
    entry.chmod(0o644)
    entry.write_bytes(b"x")
    checked = lab.doctor("--verify", "--json")
    assert checked.returncode == 1 and json.loads(checked.stdout)["corrupted"] == 1
    repaired = lab.doctor("--repair", "--json")
    assert repaired.returncode == 0 and json.loads(repaired.stdout)["repaired"] and not entry.exists()


def test_every_value_that_is_not_the_default_and_where_it_comes_from(lab):
    file = lab.home / ".config/kache/config.toml"
    assert "no file" in lab.row("Configuration") and "Setting" not in lab.say()
    file.parent.mkdir(parents=True)
    file.write_text('[cache]\nlocal_max_size = "20GiB"\nauto_gc = true\nexclude = ["a/**", "b"]\n')
    said = lab.say(KACHE_MIN_FREE_SPACE="2GiB", KACHE_PROGRESS="all")
    rows = [line.split("Setting")[1].strip() for line in said.splitlines() if "Setting " in line]
    assert rows == [f"cache.local_max_size = 20GiB ({file}:2)", "cache.min_free_space = 2GiB (KACHE_MIN_FREE_SPACE)",
                    f"cache.exclude = a/**, b ({file}:4)", "KACHE_PROGRESS = all (KACHE_PROGRESS)"]
    answer = lab.asked(KACHE_MIN_FREE_SPACE="2GiB")
    assert answer["config_file"] == str(file) and [row["key"] for row in answer["settings"]] == [
        "cache.local_max_size", "cache.min_free_space", "cache.exclude"]
    assert answer["settings"][0]["value"] == 20 << 30 and answer["settings"][0]["source"] == "file"
    file.write_text("[cache]\nlocal_max_sise = 1\n")
    assert lab.row("Configuration").startswith("BAD") and f"{file}:2: unknown key" in lab.row("Configuration")
    file.write_text("[cache]\nignore_env = true\n")
    said = lab.say(KACHE_MIN_FREE_SPACE="2GiB")
    assert "these variables do not count: KACHE_MIN_FREE_SPACE" in said and "min_free_space =" not in said
