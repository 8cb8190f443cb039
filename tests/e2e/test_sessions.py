"""Which events are of one build: found in the process tree, whatever started what."""
import subprocess

from laboratory import KACHE, package, write_tree


def write_sources(directory, count=3):
    files = {f"{name}.c": f"int {name}(void) {{ return {i}; }}\n" for i, name in enumerate("abcdefgh"[:count])}
    return write_tree(directory, files)


def sessions(lab):
    return [(event.get("session_id"), event.get("build_tool")) for event in lab.events()]


def sh(lab, directory, script, **env):
    """In a session of its own, as a terminal or a service has: the tests themselves may run below a make."""
    return subprocess.run(["setsid", "-w", "sh", "-c", script], cwd=directory, env=lab.env(**env), capture_output=True, check=True, text=True)


def test_makes_below_a_make_are_one_build_and_two_makes_are_two(lab):
    tree = write_sources(lab.root / "tree")
    (tree / "Makefile").write_text(f"all: a.o\n\t$(MAKE) -f sub.mk b.o\n\tfalse || sh -c '{KACHE} cc -c c.c'\n%.o: %.c\n\t{KACHE} cc -c $<\n")
    (tree / "sub.mk").write_text(f"%.o: %.c\n\t{KACHE} cc -c $<\n")
    sh(lab, tree, "make")
    first = sessions(lab)
    assert len(first) == 3 and len(set(first)) == 1 and first[0][1] == "make" and first[0][0]
    sh(lab, tree, "rm *.o; make & make -C . -f sub.mk b.o & wait")
    later = {session for session, tool in sessions(lab)[3:]}
    assert len(later) == 2 and first[0][0] not in later


def test_ninja_below_cmake_is_one_build(lab):
    tree = write_sources(lab.root / "tree")
    (tree / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.20)\nproject(t C)\nadd_library(t STATIC a.c b.c c.c)\n")
    launcher = f"-DCMAKE_C_COMPILER_LAUNCHER={KACHE}"
    sh(lab, tree, f"cmake -G Ninja -B out {launcher}")
    configured = set(sessions(lab))
    sh(lab, tree, "cmake --build out")
    built = {one for one in sessions(lab)} - configured
    assert len(built) == 1 and built.pop()[1] == "cmake"


def test_a_script_is_a_build_with_its_subshells(lab):
    tree = write_sources(lab.root / "tree")
    (tree / "build.sh").write_text(f"#!/bin/sh\n{KACHE} cc -c a.c\n({KACHE} cc -c b.c; true)\n{KACHE} cc -c c.c\n")
    (tree / "build.sh").chmod(0o755)
    subprocess.run(["setsid", "-w", "./build.sh"], cwd=tree, env=lab.env(), check=True)
    assert len(set(sessions(lab))) == 1 and sessions(lab)[0][1] == "build.sh"
    subprocess.run(["setsid", "-w", "./build.sh"], cwd=tree, env=lab.env(), check=True)
    assert len(set(sessions(lab))) == 2


def test_a_cargo_is_a_build_with_what_its_build_scripts_compile(lab):
    tree = write_tree(lab.root / "tree", {
        "Cargo.toml": package("app"),
        "build.rs": 'fn main() { assert!(std::process::Command::new("sh").args(["-c", "$KACHE cc -c a.c -o $OUT_DIR/a.o; true"])'
                    '.status().unwrap().success()); }\n',
        "a.c": "int a(void) { return 1; }\n", "src/lib.rs": "pub fn f() {}\n"})
    sh(lab, tree, "cargo build; true", KACHE=str(KACHE))
    assert {event["crate_name"] for event in lab.events()} >= {"app", "a.c", "build_script_build"}
    assert len(set(sessions(lab))) == 1 and sessions(lab)[0][1] == "cargo"
