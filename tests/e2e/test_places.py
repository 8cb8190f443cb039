"""Checkouts and target directories: what another place gets from the cache, and what it must not get."""
import os
import shutil
import subprocess

import pytest

from laboratory import package, relocate, workspace, write_tree

# Crates that hold no place: each may come from the cache anywhere.
ORDINARY = {
    "Cargo.toml": workspace("app", "lines", "made", "above", "twice"),
    # A panic location, and file!() that goes through a macro into the crates above.
    "lines/Cargo.toml": package("lines"),
    "lines/src/lib.rs": "#[macro_export]\nmacro_rules! spot { () => { concat!(file!(), \":\", line!()) } }\n"
                        "pub fn spot() -> &'static str { file!() }\npub fn fail(x: Option<u8>) -> u8 { x.unwrap() }\n",
    "above/Cargo.toml": package("above", ["lines"]),
    "above/src/lib.rs": "pub fn spots() -> [&'static str; 2] { [lines::spot(), lines::spot!()] }\n",
    "made/Cargo.toml": package("made"),
    "made/build.rs": 'fn main() {\n    let out = std::env::var("OUT_DIR").unwrap();\n'
                     '    std::fs::write(format!("{out}/made.rs"), "pub const MADE: &str = file!();\\n").unwrap();\n'
                     '    println!("cargo:rerun-if-changed=build.rs");\n}\n',
    "made/src/lib.rs": 'include!(concat!(env!("OUT_DIR"), "/made.rs"));\n',
    # The place of a made file, handed over by the build script (what typenum does).
    "twice/Cargo.toml": package("twice"),
    "twice/build.rs": 'fn main() {\n    let file = format!("{}/two.rs", std::env::var("OUT_DIR").unwrap());\n'
                      '    std::fs::write(&file, "pub const TWO: u8 = 2;\\n").unwrap();\n'
                      '    println!("cargo:rustc-env=TWO_RS={file}");\n    println!("cargo:rerun-if-changed=build.rs");\n}\n',
    "twice/src/lib.rs": 'include!(env!("TWO_RS"));\n',
    "app/Cargo.toml": package("app", ["lines", "made", "above", "twice"]),
    "app/src/main.rs": 'fn main() { println!("{:?} {} {} {}", above::spots(), lines::fail(Some(1)), made::MADE, twice::TWO); }\n',
}

# Each crate but `user` holds its place as a value.
EMBEDDING = {
    "Cargo.toml": workspace("app", "out", "both", "manifest", "user", "plain", "size"),
    "out/Cargo.toml": package("out"),
    "out/build.rs": 'fn main() { println!("cargo:rerun-if-changed=build.rs"); }\n',
    "out/src/lib.rs": 'pub fn dir() -> &\'static str { env!("OUT_DIR") }\n',
    "both/Cargo.toml": package("both"),
    "both/build.rs": ORDINARY["made/build.rs"],
    "both/src/lib.rs": 'include!(concat!(env!("OUT_DIR"), "/made.rs"));\npub const DIR: &str = env!("OUT_DIR");\n',
    "manifest/Cargo.toml": package("manifest"),
    "manifest/src/lib.rs": 'pub const DIR: &str = env!("CARGO_MANIFEST_DIR");\n'
                           '#[inline] pub fn of(x: u8) -> (u8, &\'static str) { (x, DIR) }\n',
    "user/Cargo.toml": package("user", ["manifest"]),
    "user/src/lib.rs": "pub fn of() -> (u8, &'static str) { manifest::of(1) }\n",
    # What no search for the place finds in the outputs.
    "size/Cargo.toml": package("size"),
    "size/src/lib.rs": 'pub const SIZE: usize = env!("CARGO_MANIFEST_DIR").len();\n',
    "plain/Cargo.toml": package("plain"),
    "plain/src/lib.rs": "pub fn one() -> u8 { 1 }\n",
    "app/Cargo.toml": package("app", ["out", "both", "manifest", "user", "plain", "size"]),
    "app/src/main.rs": 'fn main() { println!("{}\\n{}\\n{}\\n{}\\n{}", out::dir(), both::DIR, user::of().1, plain::one(), size::SIZE); }\n',
}


@pytest.fixture
def counted(lab):
    lab.count_compiles()
    return lab


@pytest.mark.hits
@pytest.mark.parametrize("setting", [
    "plain", "release", "remapped", "external", "external-each", "through-a-link", "symlinked"])
def test_crates_without_a_place_come_from_the_cache_anywhere(counted, setting):
    lab, one = counted, write_tree(counted.root / "one", ORDINARY)

    def build(tree):
        env, args, target = {}, ["build"], tree / "target"
        if setting == "release":
            args.append("--release")
        elif setting == "remapped":
            env["RUSTFLAGS"] = f"--remap-path-prefix={tree}="
        elif setting in ("external", "external-each"):
            target = lab.root / ("outside" if setting == "external" else f"outside-{tree.name}")
            env["CARGO_TARGET_DIR"] = str(target)
        elif setting == "symlinked":
            real = lab.root / f"disk-{tree.name}"
            shutil.rmtree(real, ignore_errors=True)
            real.mkdir()
            target.unlink(missing_ok=True)
            target.symlink_to(real)
        elif setting == "through-a-link":
            link = lab.root / f"link-to-{tree.name}"
            if not link.exists():
                link.symlink_to(tree)
            tree = link
        lab.forget()
        if setting == "symlinked":
            lab.cargo(tree, *args, **env)
        else:
            lab.rebuild(tree, *args, target=target, **env)
        compiled = lab.compiled()
        program = target / ("release" if setting == "release" else "debug") / "app"
        said = subprocess.run([program], capture_output=True, text=True, check=True).stdout
        # And cargo finds everything fresh afterwards.
        lab.forget()
        again = lab.cargo(tree, *args, **env)
        assert b"Compiling" not in again.stderr and lab.events() == [] and lab.compiled() == []
        return compiled, said

    compiled, first = build(one)
    assert {"above", "app", "lines", "made", "twice"} <= set(compiled)
    two = lab.root / "another-name"
    shutil.copytree(one, two, ignore=shutil.ignore_patterns("target"))
    if (one / "target").is_symlink():
        (one / "target").unlink()
    shutil.rmtree(one)
    compiled, second = build(two)
    assert compiled == []
    assert str(one) not in second and first == second


@pytest.mark.parametrize("profile", ["debug", "release"])
def test_crates_that_hold_their_place_are_compiled_at_each_place(counted, profile):
    lab, one = counted, write_tree(counted.root / "one", EMBEDDING)
    args = ["build"] + (["--release"] if profile == "release" else [])
    lab.cargo(one, *args)
    two = relocate(one, lab.root / "another-name")
    shutil.rmtree(one)
    compiled = lab.rebuild(two, *args)
    assert {"app", "both", "manifest", "out", "size"} <= set(compiled), compiled
    said = subprocess.run([two / "target" / profile / "app"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.startswith(f"{two}/") for line in said[:3]] == [True] * 3, said
    assert str(one) not in "".join(said)
    assert said[4] == str(len(f"{two}/size"))
    lab.forget()
    assert b"Compiling" not in lab.cargo(two, *args).stderr and lab.events() == []


@pytest.mark.hits
def test_crates_beside_one_that_holds_its_place_still_come_from_the_cache(counted):
    lab, one = counted, write_tree(counted.root / "one", EMBEDDING)
    lab.cargo(one, "build")
    two = relocate(one, lab.root / "two")
    compiled = lab.rebuild(two)
    assert "plain" not in compiled and "build_script_build" not in compiled
    # And where it was built, everything does.
    assert lab.rebuild(two) == []


def observe(path):
    status = os.stat(path)
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode)


@pytest.mark.hits
def test_two_target_directories_on_one_cache_leave_each_other_alone(counted):
    lab, tree = counted, write_tree(counted.root / "tree", ORDINARY)
    targets = [lab.root / "a", lab.root / "b"]
    lab.cargo(tree, "build", "--target-dir", str(targets[0]))
    lab.rebuild(tree, "build", "--target-dir", str(targets[0]), target=targets[0])
    rlib = next((targets[0] / "debug" / "deps").glob("liblines-*.rlib"))
    with open(rlib, "rb") as reader:
        half = reader.read(1000)
        before = observe(rlib)
        for round in range(3):
            assert lab.rebuild(tree, "build", "--target-dir", str(targets[1]), target=targets[1]) == []
        assert observe(rlib) == before
        whole = half + reader.read()
    assert whole == rlib.read_bytes()
    for target in targets * 2:
        lab.forget()
        result = lab.cargo(tree, "build", "--target-dir", str(target))
        assert b"Compiling" not in result.stderr and lab.events() == []


@pytest.mark.hits
def test_two_cargos_at_once_run_the_compiler_once_for_each_unit(counted):
    lab, tree = counted, write_tree(counted.root / "tree", ORDINARY)
    lab.forget()
    cargos = [subprocess.Popen(["cargo", "build", "--target-dir", str(lab.root / name)], cwd=tree, env=lab.env(),
                               stderr=subprocess.PIPE) for name in ("a", "b")]
    for cargo in cargos:
        _, messages = cargo.communicate()
        assert cargo.returncode == 0, messages
    units = [name for name in lab.compiled() if name != "build_script_build"]
    assert units == sorted(set(units)) and lab.compiled().count("build_script_build") == 2, lab.compiled()


@pytest.mark.hits
def test_bytes_hold_the_remapped_place_and_no_real_one(counted):
    lab, one = counted, write_tree(counted.root / "one", ORDINARY)
    lab.cargo(one, "build")
    two = relocate(one, lab.root / "two")
    assert lab.rebuild(two) == []
    outputs = [path for path in (two / "target" / "debug" / "deps").iterdir() if path.is_file() and path.suffix != ".d"]
    for path in outputs:
        data = path.read_bytes()
        for place in (str(lab.home), str(one), str(two)):
            assert place.encode() not in data, (path, place)
    app = next(path for path in outputs if path.name.startswith("app-"))
    # What debuggers resolve, when they are started in the workspace.
    assert b"/proc/self/cwd" in app.read_bytes()
    for name in ("liblines", "libmade", "app"):
        depfile = next((two / "target" / "debug" / "deps").glob(f"{name.removeprefix('lib')}-*.d")).read_text()
        assert str(one) not in depfile and f"{two}/target/debug/deps/" in depfile
