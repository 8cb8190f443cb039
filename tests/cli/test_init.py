"""`kache init`: what it writes, with the build systems that read it, and that --undo leaves nothing of it."""
import json
import os
import re
import subprocess

import pytest

from test_commands import KACHE

USER = "CMakeUserPresets.json"
LISTS = "cmake_minimum_required(VERSION 3.21)\nproject(p C CXX)\nadd_executable(p a.c b.cc)\n"
# As people write them.
PRESETS = {
    "lines": '{\n    "version": 3,\n    "configurePresets": [\n        {\n            "name": "mine",\n            "generator": "Ninja"\n        }\n    ]\n}',
    "one line": '{"version":3,"configurePresets":[{"name":"mine","binaryDir":"${sourceDir}/b"}],"vendor":{"x":["]","}"]}}\n',
    "crlf": '{\r\n\t"configurePresets": [ {"name": "mine"} ],\r\n\t"version": 4, "buildPresets": []\r\n}\r\n',
    "no presets": '{\n  "version": 3\n}\n',
    "old": '{"version": 1}\n',
}


@pytest.fixture
def project(tmp_path):
    (tmp_path / "home").mkdir()
    work = tmp_path / "work"
    work.mkdir()

    def run(*args, program=KACHE, **more):
        env = {"PATH": f"{KACHE.parent}:/usr/bin:/bin", "HOME": str(tmp_path / "home"), "LANG": "C.UTF-8", **more}
        return subprocess.run([program, *args], cwd=work, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    run.dir = work
    run.home = tmp_path / "home"
    return run


def make_sources(directory):
    (directory / "a.c").write_text("int f(void);\nint main(void) { return f(); }\n")
    (directory / "b.cc").write_text('extern "C" int f() { return 0; }\n')


def hits(project):
    return json.loads(project("stats", "--json").stdout)["local_hits"]


def good(result):
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_a_cmake_project_is_built_through_the_preset(project):
    make_sources(project.dir)
    (project.dir / "CMakeLists.txt").write_text(LISTS)
    out = good(project("init", "--cc", "--yes"))
    assert "through kache by CMakeUserPresets.json" in project("doctor").stdout
    assert USER in out and "cmake --preset kache" in out and not (project.home / ".cargo").exists()
    for expected in (0, 2):
        good(project("--preset", "kache", program="cmake"))
        before = hits(project)
        good(project("--build", "--preset", "kache", program="cmake"))
        assert hits(project) - before == expected
        good(project("-rf", "build", program="rm"))
    again = project("init", "--cc", "--yes")
    assert "already has the preset" in good(again) and "Done" not in again.stdout
    good(project("init", "--undo", "--yes"))
    assert sorted(os.listdir(project.dir)) == ["CMakeLists.txt", "a.c", "b.cc"]
    assert "--preset" not in good(project("init", "--cargo", "-y"))


@pytest.mark.parametrize("text", PRESETS.values(), ids=PRESETS.keys())
def test_a_file_of_presets_gets_one_more_and_is_given_back(project, text):
    (project.dir / "CMakeLists.txt").write_text(LISTS)
    path = project.dir / USER
    path.write_bytes(text.encode())
    assert "inherits" not in good(project("init", "--cc", "--check")) or "mine" in text
    assert path.read_bytes() == text.encode()
    good(project("init", "--cc", "-y"))
    preset = json.loads(path.read_text())["configurePresets"][-1]
    assert preset["name"] == "kache" and preset.get("inherits") == ("mine" if "mine" in text else None)
    assert '"kache"' in good(project("--list-presets=configure", program="cmake"))
    # Every piece of the old text is there, in its order.
    at, new = 0, path.read_bytes().decode()
    for piece in re.findall(r'\s+|"[^"]*"|\d+', text):
        at = new.index(piece, at) + len(piece)
    assert "\r\n" not in text or "\n" not in new.replace("\r\n", "")
    good(project("init", "--undo", "-y"))
    assert path.read_bytes() == text.encode() and os.listdir(project.dir).count(USER) == 1
    assert not list(project.dir.glob("*.kache-backup.*"))


@pytest.mark.parametrize("text", PRESETS.values(), ids=PRESETS.keys())
def test_undo_takes_its_preset_out_of_a_file_that_changed(project, text):
    (project.dir / "CMakeLists.txt").write_text(LISTS)
    path = project.dir / USER
    path.write_bytes(text.encode())
    good(project("init", "--cc", "-y"))
    path.write_bytes(path.read_bytes().replace(b'{', b'{"vendor-note": 1, ', 1).replace(b'"vendor-note": 1, ', b'"$x": 1, ', 1))
    good(project("init", "--undo", "-y"))
    left = json.loads(path.read_text())
    assert left.pop("$x") == 1
    meant = json.loads(text)
    if not meant.get("buildPresets", True):
        meant.pop("buildPresets"), left.pop("buildPresets", None)
    assert left == meant


def test_the_preset_inherits_one_that_can_be_used_here(project):
    make_sources(project.dir)
    (project.dir / "CMakeLists.txt").write_text(LISTS)
    never = {"type": "equals", "lhs": "a", "rhs": "b"}
    (project.dir / "CMakePresets.json").write_text(json.dumps({"version": 3, "configurePresets": [
        {"name": "windows", "condition": never}, {"name": "base", "hidden": True, "cacheVariables": {"CMAKE_C_COMPILER_LAUNCHER": "none"}},
        {"name": "debug", "inherits": "base", "binaryDir": "${sourceDir}/out", "cacheVariables": {"MARK": "here"}}]}))
    assert 'inherits "debug"' in good(project("init", "--cc", "-y"))
    good(project("--preset", "kache", program="cmake"))
    cache = (project.dir / "build/kache/CMakeCache.txt").read_text()
    assert "MARK:UNINITIALIZED=here" in cache and "CMAKE_C_COMPILER_LAUNCHER:UNINITIALIZED=kache" in cache


@pytest.mark.parametrize("name,text,word", [
    (USER, '{"version": 3,}', USER),
    (USER, '{"version": 3, "configurePresets": {}}', USER),
    (USER, '{"version": 3, "configurePresets": [{"name": "kache", "binaryDir": "b"}]}', "kache"),
    ("CMakePresets.json", '{"version": 3, "configurePresets": [{"name": "kache"}]}', "by hand"),
    ("CMakePresets.json", '{"version": 3, "configurePresets": [{"name": "kache", "hidden": true}]}', "kache"),
    ("CMakePresets.json", '{"version": 3', "cmake can not read"),
])
def test_presets_that_can_not_be_added_to_are_left_alone(project, name, text, word):
    (project.dir / "CMakeLists.txt").write_text(LISTS)
    (project.dir / name).write_text(text)
    result = project("init", "--cc", "-y")
    assert result.returncode == 1 and word in result.stderr and result.stderr.count("\n") == 1 and "Done" not in result.stdout
    assert (project.dir / name).read_text() == text
    assert sorted(os.listdir(project.dir)) == ["CMakeLists.txt", name]


def test_a_preset_of_somebody_elses_hand_is_not_taken_back(project):
    (project.dir / "CMakeLists.txt").write_text(LISTS)
    text = '{"version": 3, "configurePresets": [{"name": "kache", "cacheVariables": {"CMAKE_C_COMPILER_LAUNCHER": "kache"}}]}'
    (project.dir / USER).write_text(text)
    assert "already has" in good(project("init", "--cc", "-y"))
    assert "Nothing to undo" in good(project("init", "--undo", "-y"))
    assert (project.dir / USER).read_text() == text


CARGO = ["", "[build]\njobs = 2\n", "# note\r\n[build]\r\njobs = 2", "[net]\nretry = 2", '[build]\nrustc-wrapper   =  \'other\' # keep\n[net]\n']


@pytest.mark.parametrize("text", CARGO)
def test_undo_gives_cargos_file_back_byte_for_byte(project, text):
    path = project.home / ".cargo" / "config.toml"
    path.parent.mkdir()
    path.write_bytes(text.encode())
    good(project("init", "--cargo", "-y"))
    assert "as it was" in good(project("init", "--undo", "--check")) and path.read_bytes() != text.encode()
    assert project("init", "--undo").returncode == 1 and path.read_bytes() != text.encode()
    good(project("init", "--undo", "-y"))
    assert path.read_bytes() == text.encode() and os.listdir(path.parent) == ["config.toml"]
    nothing = project("init", "--undo")
    assert nothing.returncode == 0 and nothing.stdout.startswith("Nothing to undo")


@pytest.mark.parametrize("text,left", zip(CARGO, [CARGO[0], CARGO[1], CARGO[2], CARGO[3] + "\n", CARGO[4].replace("'", '"')]))
def test_undo_leaves_what_came_into_cargos_file_since(project, text, left):
    path = project.home / ".cargo" / "config.toml"
    path.parent.mkdir()
    path.write_bytes(text.encode())
    good(project("init", "--cargo", "-y"))
    path.write_bytes(b"# of today\n" + path.read_bytes() + b"# end\n")
    good(project("init", "--undo", "-y"))
    assert path.read_bytes().decode() == f"# of today\n{left}# end\n"
    assert list(path.parent.glob("config.toml.kache-backup.*"))


def test_undo_removes_a_file_that_init_made_and_no_other(project):
    path = project.home / ".cargo" / "config.toml"
    good(project("init", "-y"))
    assert path.exists()
    good(project("init", "--undo", "-y"))
    assert not path.exists()
    good(project("init", "-y"))
    path.write_text(path.read_text() + "jobs = 3\n")
    good(project("init", "--undo", "-y"))
    assert path.read_text() == "[build]\njobs = 3\n"
    path.write_text('[build]\nrustc-wrapper = "kache"\n')  # by hand: init writes a path
    assert "already uses kache" in good(project("init", "-y"))
    assert "Nothing to undo" in good(project("init", "--undo", "-y"))


def test_undo_goes_back_behind_a_kache_that_moved(project):
    path = project.home / ".cargo" / "config.toml"
    path.parent.mkdir()
    path.write_text("[net]\n")
    good(project("init", "-y"))
    moved = path.read_text().replace(str(KACHE), "/opt/old/kache")
    path.write_text(moved)
    good(project("init", "-y"))
    assert "instead of" not in path.read_text() and str(KACHE) in path.read_text()
    good(project("init", "--undo", "-y"))
    assert path.read_text() == "[net]\n"


def test_a_variable_that_wins_over_cargos_file_is_named(project):
    assert "RUSTC_WRAPPER=sccache in the environment wins" in good(project("init", "--check", RUSTC_WRAPPER="sccache"))
    assert "environment" not in good(project("init", "--check", RUSTC_WRAPPER="kache"))


def test_a_link_to_cargos_file_stays_one(project):
    real = project.home / "dotfiles"
    real.write_text("[net]\n")
    (project.home / ".cargo").mkdir()
    (project.home / ".cargo/config.toml").symlink_to(real)
    good(project("init", "-y"))
    assert (project.home / ".cargo/config.toml").is_symlink() and "rustc-wrapper" in real.read_text()
    good(project("init", "--undo", "-y"))
    assert (project.home / ".cargo/config.toml").is_symlink() and real.read_text() == "[net]\n"


def test_init_for_programs(project):
    (project.home / ".cargo").mkdir()
    (project.dir / "CMakeLists.txt").write_text(LISTS)
    assert project("init", "--json").returncode == 2
    plan = json.loads(good(project("init", "--json", "--check")))
    assert plan["schema_version"] == 1 and plan["command"] == "init" and plan["check"] and plan["found"] == ["cmake"]
    assert [(step["kind"], step["action"], step["written"]) for step in plan["steps"] if step["kind"] == "cmake"] == [("cmake", "create", False)]
    assert ["cmake", "--preset", "kache"] in [line["argv"] for line in plan["next"]]
    assert not (project.dir / USER).exists()
    done = json.loads(good(project("init", "--json", "--yes")))
    assert all(step["written"] for step in done["steps"]) and (project.dir / USER).exists()
    (project.dir / USER).write_text("{")
    result = project("init", "--json", "--yes")
    assert result.returncode == 1 and "JSON" in json.loads(result.stdout)["steps"][-1]["error"] and result.stderr == ""
    (project.dir / USER).unlink()
    undone = json.loads(good(project("init", "--json", "--undo", "--yes")))
    assert [(step["kind"], step["action"]) for step in undone["steps"]] == [("cargo", "remove-file")] and undone["next"] == []


PROJECTS = {
    "make": {"Makefile": "p: a.o b.o\n\t$(CXX) -o p a.o b.o\nb.o: b.cc\n\t$(CXX) -c b.cc\nclean:\n\trm -f *.o p\n"},
    "configure": {"configure": "#!/bin/sh\nfor word; do echo \"$word\"; done | sed 's/=/ = /' > Makefile\ncat rules >> Makefile\n",
                  "rules": "p: a.o b.o\n\t$(CXX) -o p a.o b.o\nb.o: b.cc\n\t$(CXX) -c b.cc\n"},
    "meson": {"meson.build": "project('p', 'c', 'cpp')\nexecutable('p', 'a.c', 'b.cc')\n"},
}


@pytest.mark.parametrize("system", PROJECTS)
def test_what_it_says_to_type_builds_through_kache(project, system):
    make_sources(project.dir)
    for name, text in PROJECTS[system].items():
        (project.dir / name).write_text(text)
        (project.dir / name).chmod(0o755)
    before = sorted(os.listdir(project.dir))
    plan = json.loads(good(project("init", "--json", "--yes", "--cc")))
    assert plan["found"] == [system] and plan["steps"] == [] and sorted(os.listdir(project.dir)) == before
    text = good(project("init", "--cc"))
    assert text.startswith("No file has to be changed here")
    for expected in (0, 2):
        earlier = hits(project)
        for line in plan["next"]:
            assert line["line"] in text
            good(project("-c", line["line"], program="/bin/sh"))
        assert hits(project) - earlier >= expected
        assert expected or hits(project) == 0 or system == "meson"
        for name in set(os.listdir(project.dir)) - set(before):
            good(project("-rf", name, program="rm"))
