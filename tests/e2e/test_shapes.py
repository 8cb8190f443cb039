"""Every shape of a compile: what comes from the cache is what the compiler alone would have left, each file and each message;
or the shape is refused, with a reason, and nothing is lost."""
import subprocess
import time

import pytest

from laboratory import TOOLCHAIN, unequal, write_tree

LIB = 'pub fn one() -> u8 { 1 }\n#[inline] pub fn two() -> u8 { one() + 1 }\npub fn fail(x: Option<u8>) -> u8 { x.unwrap() }\n'
MAIN = 'fn main() { let unused = 1; println!("{}", std::env::args().count()); }\n'
MACRO = "extern crate proc_macro;\n#[proc_macro] pub fn m(i: proc_macro::TokenStream) -> proc_macro::TokenStream { i }\n"
TESTS = "#[test] fn passes() {}\n#[cfg(test)] mod more { #[test] fn too() {} }\npub fn f() {}\n"
# Without core, so that any target can be compiled for.
BARE = ("#![feature(no_core, lang_items)]\n#![no_core]\n#![allow(internal_features)]\n#[lang = \"pointee_sized\"] pub trait PointeeSized {}\n"
        "#[lang = \"meta_sized\"] pub trait MetaSized: PointeeSized {}\n#[lang = \"sized\"] pub trait Sized: MetaSized {}\n"
        "#[lang = \"copy\"] pub trait Copy {}\nimpl Copy for i32 {}\n#[no_mangle] pub extern \"C\" fn one() -> i32 { 1 }\n")
NIGHTLY = {"RUSTC_BOOTSTRAP": "1"}


def shape(*args, source=LIB, files=None, env=None, refused=None, steps=()):
    """`refused`: part of the reason; None: it is cached."""
    return {"args": list(args), "files": {"in.rs": source, **(files or {})}, "env": env or {}, "refused": refused, "steps": steps}


def crate(kind, *more, **rest):
    return shape("--crate-name", "unit", "--crate-type", kind, "--emit=dep-info,metadata,link", "-Cextra-filename=-1a", *more, **rest)


def program(*more, source=MAIN, **rest):
    return shape("--crate-name", "unit", "--emit=dep-info,link", "-Cextra-filename=-1a", *more, source=source, **rest)


OBJECT = (["gcc", "-c", "n.c", "-o", "n.o"],)
N_C = {"n.c": "int number(void) { return 1; }\n"}
USES_N = 'extern "C" { fn number() -> i32; }\nfn main() { println!("{}", unsafe { number() }); }\n'
LIBRARIES = (["gcc", "-c", "-fPIC", "n.c", "-o", "n.o"], ["ar", "crsD", "libn.a", "n.o"], ["gcc", "-shared", "-o", "libd.so", "n.o"])

SHAPES = {
    "lib": crate("lib"),
    "rlib": crate("rlib"),
    "dylib": crate("dylib"),
    "cdylib": crate("cdylib", source="#[no_mangle] pub extern \"C\" fn one() -> u8 { 1 }\n"),
    "staticlib": crate("staticlib", source="#[no_mangle] pub extern \"C\" fn one() -> u8 { 1 }\n"),
    "rlib and cdylib": crate("rlib,cdylib"),
    "lib, staticlib and cdylib apart": crate("lib", "--crate-type", "staticlib", "--crate-type", "cdylib"),
    "proc macro": crate("proc-macro", "-Cprefer-dynamic", source=MACRO),
    "bin": program(),
    "bin with debug information": program("-g"),
    "bin stripped": program("-Cstrip=symbols"),
    "release": program("-Copt-level=3", "-Clto=fat", "-Ccodegen-units=1", "-Cpanic=abort"),
    "thin lto": program("-Copt-level=1", "-Clto=thin"),
    "tests": shape("--crate-name", "unit", "--test", "--emit=dep-info,link", source=TESTS),
    "tests without a harness": shape("--crate-name", "unit", "--test", "--emit=dep-info,link", source=MAIN),
    "build script": shape("--crate-name", "build_script_build", "--emit=dep-info,link", source=MAIN),
    "checked lib": shape("--crate-name", "unit", "--crate-type", "lib", "--emit=dep-info,metadata"),
    "checked bin": shape("--crate-name", "unit", "--crate-type", "bin", "--emit=dep-info,metadata", source=MAIN),
    "checked tests": shape("--crate-name", "unit", "--test", "--emit=dep-info,metadata", source=TESTS),
    "no name": shape("--crate-type", "lib"),
    "several units of code": crate("lib", "-Ccodegen-units=4", "-Copt-level=2"),
    "bitcode for a linker plugin": crate("lib", "-Clinker-plugin-lto"),
    "asm": shape("--crate-name", "unit", "--crate-type", "lib", "--emit=asm"),
    "llvm-ir": shape("--crate-name", "unit", "--crate-type", "lib", "--emit=llvm-ir"),
    "llvm-bc": shape("--crate-name", "unit", "--crate-type", "lib", "--emit=llvm-bc"),
    "obj": shape("--crate-name", "unit", "--crate-type", "lib", "--emit=obj"),
    "mir": shape("--crate-name", "unit", "--crate-type", "lib", "--emit=mir"),
    "all at once": shape("--crate-name", "unit", "--crate-type", "lib", "--emit=asm,llvm-ir,llvm-bc,obj,mir,link,metadata,dep-info"),
    "all at once, each in its place": shape(
        "--crate-name", "unit", "--crate-type", "lib",
        "--emit=asm=out/a.asm,llvm-ir=out/b,obj=out/c.obj,mir=out/d.txt,link=out/e.archive,metadata=out/f.meta,dep-info=out/g.deps"),
    "-o": shape("--crate-name", "unit", "-o", "out/named", source=MAIN),
    "-o with an extension": shape("--crate-name", "unit", "-o", "out/named.bin", "--emit=dep-info,link", source=MAIN),
    "temporary files kept": program("-Csave-temps", refused="wrote a file"),  # in a directory with a random name
    "split debug information, packed": program("-g", "-Csplit-debuginfo=packed"),
    "split debug information, unpacked": program("-g", "-Csplit-debuginfo=unpacked"),
    "split debug information of a lib": crate("lib", "-g", "-Csplit-debuginfo=unpacked"),
    "coverage": crate("lib", "-Cinstrument-coverage"),
    "coverage of a program": program("-Cinstrument-coverage"),
    "native cpu": crate("lib", "-Ctarget-cpu=native", "-Copt-level=3"),
    "unstable flags": crate("lib", "-Zmir-opt-level=3", "-Zshare-generics=y", env=NIGHTLY),
    "unstable features": crate("lib", source="#![feature(never_type)]\npub fn f() -> ! { loop {} }\n", env=NIGHTLY),
    "save-analysis of time": crate("lib", "-Zself-profile=out", env=NIGHTLY, refused="profiles of the compiler"),
    "another linker": program("-Clinker=clang"),
    "another linker behind the linker": program("-Clink-arg=-fuse-ld=lld"),
    "a frame of its own": program("-Crelocation-model=static", "-Clink-args=-Wl,-z,now -Wl,--as-needed"),
    "a map of the linker": program("-Clink-arg=-Wl,-Map=out/unit.map", refused="wrote a file"),
    "rpath": crate("dylib", "-Crpath", "-Cprefer-dynamic"),
    "an object to link": program("-Clink-arg=n.o", source=USES_N, files=N_C, steps=OBJECT),
    "a version script": crate("cdylib", "-Clink-arg=-Wl,--version-script=exports", files={"exports": "{ local: *; };\n"}),
    "a static library": program("-L", "native=.", "-l", "static=n", source=USES_N, files=N_C, steps=LIBRARIES),
    "a dynamic library": program("-L", "native=.", "-l", "dylib=d", source=USES_N, files=N_C, steps=LIBRARIES),
    "a static library in a lib": crate("lib", "-L", "native=.", "-l", "static=n", files=N_C, steps=LIBRARIES),
    "questions beside the compile": crate("staticlib", "--print=native-static-libs"),
    "messages for people": crate("lib", "--error-format=human", source="pub fn f() { let unused = 1; }\n"),
    "messages in colour": crate("lib", "--error-format=human", "--color=always", source="pub fn f() { let unused = 1; }\n"),
    "artifact messages": crate("lib", "--error-format=json", "--json=artifacts,diagnostic-rendered-ansi", source="pub fn f() { let u = 1; }\n"),
    "future incompatibilities": crate("lib", "--error-format=json", "--json=artifacts,future-incompat,diagnostic-short"),
    "profile made": program("-Cprofile-generate"),
    "profile used": program("-Cprofile-use=p.profdata", files={"p.text": ":ir\nmain\n10\n1\n1\n"},
                            steps=(["llvm-profdata", "merge", "p.text", "-o", "p.profdata"],)),
    "wasm": shape("--crate-name", "unit", "--crate-type", "lib", "--target", "wasm32-unknown-unknown", "--emit=metadata,link,dep-info", source=BARE,
                  env=NIGHTLY),
    "wasm, linked": shape("--crate-name", "unit", "--crate-type", "cdylib", "--target", "wasm32-unknown-unknown", "-Clink-self-contained=no",
                          "-Clinker=wasm-ld", source=BARE, env=NIGHTLY),
    "another architecture": shape("--crate-name", "unit", "--crate-type", "lib", "--target", "aarch64-unknown-none", "--emit=metadata,obj", source=BARE,
                                  env=NIGHTLY),
    "a target of one's own": shape(
        "--crate-name", "unit", "--crate-type", "lib", "--target", "own.json", "-Zunstable-options", "--emit=metadata,obj", source=BARE, env=NIGHTLY,
        steps=(["sh", "-c", f"RUSTC_BOOTSTRAP=1 {TOOLCHAIN}/rustc -Zunstable-options --print target-spec-json --target aarch64-unknown-none > own.json"],)),
    "a target of one's own by name": shape(
        "--crate-name", "unit", "--crate-type", "lib", "--target", "own", "-Zunstable-options", "--emit=metadata,obj", source=BARE,
        env=NIGHTLY | {"RUST_TARGET_PATH": "{work}"},
        steps=(["sh", "-c", f"RUSTC_BOOTSTRAP=1 {TOOLCHAIN}/rustc -Zunstable-options --print target-spec-json --target aarch64-unknown-none > own.json"],)),
}


class Bench:
    def __init__(self, lab, case):
        self.lab, self.case = lab, case
        self.work = write_tree(lab.root / "work", case["files"])
        for step in case["steps"]:
            done = subprocess.run(step, cwd=self.work, capture_output=True, text=True)
            if done.returncode != 0:
                pytest.skip(f"{step[0]}: {done.stderr}")
        time.sleep(0.02)

    def run(self, through_kache, **env):
        args = [*self.case["args"]] + (["in.rs"] if "-o" in self.case["args"] else ["--out-dir", "out", "in.rs"])
        env = {**{name: value.replace("{work}", str(self.work)) for name, value in self.case["env"].items()}, **env}
        return self.lab.run(self.work, TOOLCHAIN / "rustc", *args, through=through_kache, **env)

    def event(self):
        return self.lab.event()


@pytest.mark.hits
@pytest.mark.parametrize("name", [name for name, case in SHAPES.items() if not case["refused"]])
def test_a_cached_shape(lab, name):
    bench = Bench(lab, SHAPES[name])
    alone = bench.run(False)
    if alone[0] != 0:
        pytest.skip(alone[2].decode()[-300:])
    keeps_paths = any("instrument-coverage" in arg for arg in bench.case["args"])  # of themselves
    for env in ({"KACHE_RUSTC_PATH_NORMALIZE": "0"}, {}):
        if keeps_paths and not env:
            break
        first = bench.run(True, **env)
        assert bench.event()["result"] == "miss", bench.event()
        assert "passthrough_reason" not in bench.event(), bench.event()
        second = bench.run(True, **env)
        assert bench.event()["result"] == "local_hit", bench.event()
        assert first[:3] == second[:3] and unequal(first, second) == []
        if env:
            # With literal paths it is byte for byte what the compiler alone makes.
            assert alone[:3] == second[:3]
            differ = set(unequal(alone, second))  # only what the compiler itself makes otherwise each time
            assert not differ or differ <= set(unequal(alone, bench.run(False))), differ


@pytest.mark.parametrize("name", [name for name, case in SHAPES.items() if case["refused"]])
def test_a_refused_shape(lab, name):
    bench = Bench(lab, SHAPES[name])
    alone = bench.run(False)
    assert alone[0] == 0, alone[2]
    for _ in range(2):
        through = bench.run(True, KACHE_RUSTC_PATH_NORMALIZE="0")
        assert through[:3] == alone[:3] and len(through[3]) == len(alone[3])
        assert SHAPES[name]["refused"] in bench.event()["passthrough_reason"], bench.event()
