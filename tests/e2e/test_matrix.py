"""The mutation matrix: one kind of input a row. A fresh compile with an empty cache decides what the right bytes, messages
and exit status are; what comes through the cache has to be the same, and a change has to be compiled."""
import atexit
import json
import mmap
import os
import pathlib
import socket
import subprocess
import time

import pytest

from laboratory import TOOLCHAIN, empty, files_in, link, program, same_size_and_time, write, write_tree

LIB = ["--crate-name", "unit", "--crate-type", "rlib", "--emit=dep-info,metadata,link", "lib.rs"]
CHECK = ["--crate-name", "unit", "--crate-type", "rlib", "--emit=dep-info,metadata", "lib.rs"]
BIN = ["--crate-name", "app", "--emit=dep-info,link", "app.rs"]
MACRO = ["--crate-name", "looks", "--crate-type", "proc-macro", "-Cprefer-dynamic", "--emit=dep-info,link", "looks.rs"]
USE_MACRO = LIB + ["--extern", "looks=out/liblooks.so"]


def looks(body):
    """A proc macro that makes a text of what `body`, an expression of type String, finds out."""
    return {"looks.rs": "extern crate proc_macro;\n#[proc_macro]\npub fn look(_: proc_macro::TokenStream) -> proc_macro::TokenStream {\n"
                        f"    let found: String = {{ {body} }};\n    format!(\"{{found:?}}\").parse().unwrap()\n}}\n",
            "lib.rs": "pub fn found() -> &'static str { looks::look!() }\n"}


def archive(name, number):
    def make(work):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / "number.c").write_text(f"int number(void) {{ return {number}; }}\n")
        subprocess.run(["gcc", "-c", "number.c", "-o", "number.o"], cwd=work, check=True)
        (work / name).unlink(missing_ok=True)
        subprocess.run(["ar", "crsD", name, "number.o"], cwd=work, check=True)
    return make


def through_mapping(name, data):
    def make(work):
        with open(work / name, "r+b") as file, mmap.mmap(file.fileno(), 0) as mapping:
            mapping[:] = data
            mapping.flush()
    return make


def sparse(name, size, tail):
    def make(work):
        with open(work / name, "wb") as file:
            file.seek(size)
            file.write(tail)
    return make


SHARED = f"/dev/shm/kache-test-{os.getpid()}"
atexit.register(lambda: pathlib.Path(SHARED).unlink(missing_ok=True))


def shared_memory(text):
    return lambda work: pathlib.Path(SHARED).write_text(text)


def profile(count):
    def make(work):
        (work / "p.text").write_text(f":ir\nmain\n10\n1\n{count}\n")
        run_tool(["llvm-profdata", "merge", "p.text", "-o", "p.profdata"], work)
    return make


# What LLVM asks a plugin for (llvm/Passes/PassPlugin.h): version of the interface, name, version, a function.
PLUGIN = """
#include <stdint.h>
struct info { uint32_t api; const char *name, *version; void (*take)(void *); };
static void take(void *builder) { (void)builder; }
struct info llvmGetPassPluginInfo(void) { struct info i = {2, "%s", "1", take}; return i; }
"""


def plugin(word):
    def make(work):
        (work / "plugin.c").write_text(PLUGIN % word)
        run_tool(["gcc", "-shared", "-fPIC", "-o", "plugin.so", "plugin.c"], work)
    return make


def target_json(name, version):
    def make(work):
        found = run_tool([TOOLCHAIN / "rustc", "-Zunstable-options", "--print", "target-spec-json", "--target", "aarch64-unknown-none"], work,
                         env={**os.environ, "RUSTC_BOOTSTRAP": "1"})
        spec = json.loads(found.stdout)
        spec["max-atomic-width"] = 64 * version
        (work / name).write_text(json.dumps(spec))
    return make


def run_tool(args, work, **more):
    try:
        return subprocess.run(args, cwd=work, capture_output=True, check=True, **more)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"{args[0]}: {error}")


SCRIPT = "SECTIONS { .mine : { LONG(%d) } } INSERT AFTER .data;\n"


def nothing(work):
    pass


NATIVE = '#[link(name = "number"%s)] extern "C" { fn number() -> i32; }\npub fn n() -> i32 { unsafe { number() } }\n'
# A library that wraps C code, one on top of it, and a program: the metadata of neither changes with the C code.
SYS = {"sys.rs": NATIVE % ', kind = "static"', "middle.rs": "pub fn n() -> i32 { sys::n() }\n",
       "app.rs": 'fn main() { println!("{}", middle::n()); }\n'}
SYS_STEPS = [
    ["--crate-name", "sys", "--crate-type", "rlib", "--emit=dep-info,metadata,link", "-L", "native=native", "sys.rs"],
    ["--crate-name", "middle", "--crate-type", "rlib", "--emit=dep-info,metadata,link", "--extern", "sys=out/libsys.rmeta",
     "-L", "dependency=out", "middle.rs"],
    BIN + ["--extern", "middle=out/libmiddle.rlib", "-L", "dependency=out"],
]
ONE = {"lib.rs": "pub fn one() -> u8 { 1 }\n"}
WARNS = {"lib.rs": "pub fn one() { let unused = 1; }\n"}
READS_FILE = looks('std::fs::read_to_string("note").unwrap_or_else(|e| format!("{:?}", e.kind()))')
READS_DIR = looks('let mut n: Vec<_> = std::fs::read_dir("notes").map(|d| d.map(|e| e.unwrap().file_name().into_string().unwrap())'
                  '.collect()).unwrap_or_default(); n.sort(); n.join("+")')
READS_TREE = looks('fn walk(p: &std::path::Path, out: &mut String) { let mut n: Vec<_> = std::fs::read_dir(p).unwrap().map(|e| e.unwrap().path())'
                   '.collect(); n.sort(); for p in n { if p.is_dir() { walk(&p, out) } else { out.push_str(&format!("{}={} ", p.display(), '
                   'std::fs::read_to_string(&p).unwrap())) } } } let mut out = String::new(); walk(std::path::Path::new("notes"), &mut out); out')
READS_VARIABLE = looks('format!("{:?}", std::env::var("SECRET"))')
RUNS = looks('String::from_utf8(std::process::Command::new("teller").output().unwrap().stdout).unwrap()')
# Programs without a shell in them; a shell makes the whole environment an input.
TELLER = '#include <stdio.h>\n#include <stdlib.h>\nint main(void) {{ puts("{}"); return 0; }}\n'


def teller(name, word):
    def make(work):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / "teller.c").write_text(TELLER.replace("{}", word).replace("{{", "{").replace("}}", "}"))
        subprocess.run(["gcc", "-o", "new", "teller.c"], cwd=work, check=True)
        os.replace(work / "new", work / name)
    return make


def row(files, mutate=nothing, steps=(LIB,), before=nothing, env=None, then=None, more=None, compiled=True, only_if_works=False):
    """`env` holds before the change, `then` after it; `more` are arguments that the last step gets after it."""
    return {"files": files, "only_if_works": only_if_works, "mutate": mutate, "steps": steps, "before": before, "env": env or {}, "more": more or [],
            "then": (env or {}) if then is None else then, "compiled": compiled}


PATHS = "{work}/first:{work}/second:" + f"{TOOLCHAIN}:/usr/bin:/bin"
MATRIX = {
    # Sources.
    "a source": row(ONE, write("lib.rs", "pub fn one() -> u8 { 2 }\n")),
    "a source of the same size and time": row(ONE, same_size_and_time("lib.rs", "pub fn one() -> u8 { 2 }\n")),
    "a comment": row(ONE, write("lib.rs", "// more\npub fn one() -> u8 { 1 }\n")),
    "a touched source": row(ONE, lambda work: os.utime(work / "lib.rs"), compiled=False),
    "a source written again": row(ONE, write("lib.rs", ONE["lib.rs"]), compiled=False),
    "a module": row({"lib.rs": "pub mod a;\n", "a.rs": "pub const A: u8 = 1;\n"}, write("a.rs", "pub const A: u8 = 2;\n")),
    "a module that moved": row({"lib.rs": "pub mod a;\n", "a.rs": "pub const A: u8 = 1;\n"},
                               lambda work: write("a/mod.rs", "pub const A: u8 = 1;\n")(work) or (work / "a.rs").unlink()),
    "a second module file appears": row({"lib.rs": "pub mod a;\n", "a.rs": "pub const A: u8 = 1;\n"}, write("a/mod.rs", "")),
    "a module behind a symlink": row({"lib.rs": "pub mod a;\n", "one.rs": "pub const A: u8 = 1;\n", "two.rs": "pub const A: u8 = 2;\n"},
                                     link("a.rs", "two.rs"), before=link("a.rs", "one.rs")),
    "an included text": row({"lib.rs": 'pub const T: &str = include_str!("t");\n', "t": "one"}, write("t", "two")),
    "included bytes": row({"lib.rs": 'pub const T: &[u8] = include_bytes!("t");\n', "t": "one"}, write("t", "three")),
    "included code": row({"lib.rs": 'include!("t");\n', "t": "pub const A: u8 = 1;\n"}, write("t", "pub const A: u8 = 2;\n")),
    "documentation from a file": row({"lib.rs": '#![doc = include_str!("t")]\n', "t": "one"}, write("t", "two")),
    "an unrelated file": row(ONE, write("other.rs", "nonsense"), compiled=False),
    # Variables.
    "env!": row({"lib.rs": 'pub const W: &str = env!("WORD");\n'}, env={"WORD": "a"}, then={"WORD": "b"}),
    "option_env! set": row({"lib.rs": 'pub const W: Option<&str> = option_env!("WORD");\n'}, then={"WORD": "b"}),
    "option_env! empty": row({"lib.rs": 'pub const W: Option<&str> = option_env!("WORD");\n'}, then={"WORD": ""}),
    "option_env! emptied": row({"lib.rs": 'pub const W: Option<&str> = option_env!("WORD");\n'}, env={"WORD": "a"}, then={"WORD": ""}),
    # Variables that every compile asks for and that mostly do not matter: here they do.
    "env! of PATH": row({"lib.rs": 'pub const W: &str = env!("PATH");\n'}, env={"PATH": PATHS}, then={"PATH": PATHS + ":/nowhere"}),
    "the length of PATH": row({"lib.rs": 'pub const W: usize = env!("PATH").len();\n'}, env={"PATH": "{work}/a:" + PATHS},
                              then={"PATH": "/proc/self/cwd/a:" + PATHS}),
    "option_env! of TERM": row({"lib.rs": 'pub const W: bool = option_env!("TERM").is_some();\n'}, then={"TERM": "dumb"}),
    "option_env! of RUST_LOG": row({"lib.rs": 'pub const W: bool = option_env!("RUST_LOG").is_some();\n'}, then={"RUST_LOG": "x"}),
    "option_env! of RUST_BACKTRACE": row({"lib.rs": 'pub const W: bool = option_env!("RUST_BACKTRACE").is_some();\n'},
                                         then={"RUST_BACKTRACE": "1"}),
    "option_env! of KACHE_WORD": row({"lib.rs": 'pub const W: Option<&str> = option_env!("KACHE_WORD");\n'}, then={"KACHE_WORD": "x"}),
    "option_env! of LANG": row({"lib.rs": 'pub const W: Option<&str> = option_env!("LANG");\n'}, then={"LANG": "C"}),
    "option_env! of TERM without dep-info": row({"lib.rs": 'pub const W: bool = option_env!("TERM").is_some();\n'},
                                                steps=[[arg.replace("dep-info,", "") for arg in LIB]], then={"TERM": "dumb"}),
    "TERM": row(ONE, then={"TERM": "dumb"}, compiled=False),
    "PATH": row(ONE, env={"PATH": PATHS}, then={"PATH": PATHS + ":/nowhere"}, compiled=False),
    "a value that looks remapped": row({"lib.rs": 'pub const W: usize = env!("WORD").len();\n'}, env={"WORD": "/proc/self/cwd/a"},
                                       then={"WORD": "{work}/a"}),
    "the language of a linker that says nothing": row({"app.rs": "fn main() {}\n"}, steps=[BIN + ["-Clink-arg=-fuse-ld=bfd"]],
                                                      then={"LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"}, compiled=False),
    "the language of a linker that warns": row(
        {"app.rs": "#![warn(linker_messages)]\nfn main() {}\n"}, steps=[BIN + ["-Clink-arg=-fuse-ld=bfd", "-Clink-arg=-Wl,-z,nosuch"]],
        then={"LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"}),
    "an unrelated variable": row(ONE, then={"WORD": "b"}, compiled=False),
    "a variable that rustc asks for itself": row(ONE, then={"RUSTC_FORCE_RUSTC_VERSION": "1.2.3"}),
    "RUSTC_BOOTSTRAP": row({"lib.rs": "#![feature(never_type)]\npub fn f() -> ! { loop {} }\n"}, env={"RUSTC_BOOTSTRAP": "1"}, then={}),
    "a salt": row(ONE, then={"KACHE_KEY_SALT": "x"}),
    "a variable in the key": row(ONE, env={"KACHE_KEY_ENV_VARS": "WORD"}, then={"KACHE_KEY_ENV_VARS": "WORD", "WORD": "a"}),
    # What a proc macro does and nobody declares.
    "a proc macro's file": row(READS_FILE | {"note": "one"}, write("note", "two"), [MACRO, USE_MACRO]),
    "a proc macro's file appears": row(READS_FILE, write("note", "one"), [MACRO, USE_MACRO]),
    "a proc macro's file goes": row(READS_FILE | {"note": "one"}, lambda work: (work / "note").unlink(), [MACRO, USE_MACRO]),
    "a proc macro's file is a directory": row(READS_FILE, lambda work: (work / "note").mkdir(), [MACRO, USE_MACRO]),
    "a proc macro's file behind a symlink": row(READS_FILE | {"one": "one", "two": "two"}, link("note", "two"), [MACRO, USE_MACRO],
                                                before=link("note", "one")),
    "a proc macro's file behind two symlinks": row(
        READS_FILE | {"a/one": "one", "b/one": "two"}, link("dir", "b"), [MACRO, USE_MACRO],
        before=lambda work: link("dir", "a")(work) or link("note", "dir/one")(work)),
    "a proc macro's directory": row(READS_DIR | {"notes/a": ""}, write("notes/b", ""), [MACRO, USE_MACRO]),
    "a proc macro's directory appears": row(READS_DIR, write("notes/b", ""), [MACRO, USE_MACRO]),
    "a proc macro's directory, a name": row(READS_DIR | {"notes/a": ""},
                                            lambda work: (work / "notes/a").rename(work / "notes/c"), [MACRO, USE_MACRO]),
    "a proc macro's variable": row(READS_VARIABLE, steps=[MACRO, USE_MACRO], env={"SECRET": "a"}, then={"SECRET": "b"}),
    "a proc macro's variable goes": row(READS_VARIABLE, steps=[MACRO, USE_MACRO], env={"SECRET": "a"}, then={}),
    "a proc macro's variable is empty": row(READS_VARIABLE, steps=[MACRO, USE_MACRO], then={"SECRET": ""}),
    "a proc macro asks whether a file is there": row(looks('format!("{}", std::path::Path::new("note").exists())'), write("note", ""),
                                                     [MACRO, USE_MACRO]),
    "a proc macro asks for a size": row(looks('format!("{:?}", std::fs::metadata("note").unwrap().len())') | {"note": "one"},
                                        write("note", "three"), [MACRO, USE_MACRO]),
    "a proc macro reads a link": row(looks('format!("{:?}", std::fs::read_link("note"))'), link("note", "two"), [MACRO, USE_MACRO],
                                     before=link("note", "one")),
    "a proc macro resolves a path": row(looks('format!("{:?}", std::fs::canonicalize("note").unwrap().file_name())') | {"one": "", "two": ""},
                                        link("note", "two"), [MACRO, USE_MACRO], before=link("note", "one")),
    "a proc macro's PATH": row(looks('format!("{:?}", std::env::var("PATH"))'), steps=[MACRO, USE_MACRO], env={"PATH": PATHS},
                               then={"PATH": PATHS + ":/nowhere"}),
    "a proc macro's TERM": row(looks('format!("{:?}", std::env::var("TERM"))'), steps=[MACRO, USE_MACRO], then={"TERM": "dumb"}),
    "a proc macro's RUST_LOG": row(looks('format!("{:?}", std::env::var("RUST_LOG"))'), steps=[MACRO, USE_MACRO], then={"RUST_LOG": "a"}),
    "a proc macro's LANG": row(looks('format!("{:?}", std::env::var("LANG"))'), steps=[MACRO, USE_MACRO], then={"LANG": "C"}),
    "a program's TERM": row(RUNS, steps=[MACRO, USE_MACRO], before=teller("first/teller", 'x"); puts(getenv("TERM") ? "a" : "b'),
                            env={"PATH": PATHS}, then={"PATH": PATHS, "TERM": "dumb"}),
    "the environment as a file": row(
        looks('String::from_utf8_lossy(&std::fs::read("/proc/self/environ").unwrap()).split(\'\\0\').find(|e| e.starts_with("SECRET"))'
              '.unwrap_or("").to_string()'), steps=[MACRO, USE_MACRO], env={"SECRET": "a"}, then={"SECRET": "b"}),
    # Files that a proc macro reaches in unusual ways.
    "a file by the kernel's name of the directory": row(
        looks('std::fs::read_to_string("/proc/self/cwd/note").unwrap_or_default()') | {"note": "one"}, write("note", "two"),
        [MACRO, USE_MACRO]),
    "a file by the kernel's name of the root": row(
        looks('std::fs::read_to_string(format!("/proc/self/root{}/note", std::env::current_dir().unwrap().display())).unwrap_or_default()')
        | {"note": "one"}, write("note", "two"), [MACRO, USE_MACRO]),
    "a file that appears by the kernel's name of the directory": row(
        looks('std::fs::read_to_string("/proc/self/cwd/note").unwrap_or_default()'), write("note", "two"), [MACRO, USE_MACRO]),
    "a file behind a linked directory": row(
        looks('std::fs::read_to_string("dir/note").unwrap()') | {"a/note": "one", "b/note": "two"}, link("dir", "b"), [MACRO, USE_MACRO],
        before=link("dir", "a")),
    "a file beside the package": row(
        looks('std::fs::read_to_string(format!("{}/../other/note", std::env::var("CARGO_MANIFEST_DIR").unwrap())).unwrap()')
        | {"package/x": "", "other/note": "one"}, write("other/note", "two"), [MACRO, USE_MACRO], env={"CARGO_MANIFEST_DIR": "{work}/package"}),
    "a file by its other name": row(READS_FILE | {"other": "one"}, lambda work: (work / "other").write_text("two"), [MACRO, USE_MACRO],
                                    before=lambda work: os.link(work / "other", work / "note")),
    "a file through a mapping": row(READS_FILE | {"note": "one"}, through_mapping("note", b"two"), [MACRO, USE_MACRO]),
    "a file beyond four gigabytes": row(
        looks('use std::io::{Read, Seek}; let mut f = std::fs::File::open("note").unwrap(); f.seek(std::io::SeekFrom::Start(1 << 32)).unwrap();'
              'let mut s = String::new(); f.read_to_string(&mut s).unwrap(); s'), sparse("note", 1 << 32, b"two"), [MACRO, USE_MACRO],
        before=sparse("note", 1 << 32, b"one")),
    "a size beyond four gigabytes": row(looks('format!("{}", std::fs::metadata("note").unwrap().len())'), sparse("note", 1 << 33, b"one"),
                                        [MACRO, USE_MACRO], before=sparse("note", 1 << 32, b"one")),
    "a file in shared memory": row(
        looks('std::fs::read_to_string(std::env::var("SHARED").unwrap()).unwrap_or_default()'), shared_memory("two"), [MACRO, USE_MACRO],
        before=shared_memory("one"), env={"SHARED": SHARED}),
    "a tree of directories": row(READS_TREE | {"notes/a/b/c": "one"}, write("notes/a/b/d", "two"), [MACRO, USE_MACRO]),
    "a tree of directories, a file in it": row(READS_TREE | {"notes/a/b/c": "one"}, write("notes/a/b/c", "two"), [MACRO, USE_MACRO]),
    "a directory that is also searched for C libraries": row(READS_DIR | {"notes/a": ""}, write("notes/b", ""),
                                                             [MACRO, USE_MACRO + ["-L", "native=notes"]]),
    "a directory that is also searched for libraries": row(READS_DIR | {"notes/a": ""}, write("notes/b", ""),
                                                           [MACRO, USE_MACRO + ["-L", "notes"]]),
    "a directory searched for C libraries": row(ONE | {"notes/a": ""}, write("notes/b", ""), [LIB + ["-L", "native=notes"]], compiled=False),
    "a proc macro's program": row(RUNS, teller("second/teller", "two"), [MACRO, USE_MACRO], before=teller("second/teller", "one"),
                                  env={"PATH": PATHS}),
    "a proc macro's program, another one first": row(RUNS, teller("first/teller", "two"), [MACRO, USE_MACRO],
                                                     before=teller("second/teller", "one"), env={"PATH": PATHS}),
    "a proc macro's program, PATH turned": row(
        RUNS, steps=[MACRO, USE_MACRO], before=lambda work: (teller("first/teller", "one")(work), teller("second/teller", "two")(work)),
        env={"PATH": PATHS}, then={"PATH": "{work}/second:{work}/first:" + f"{TOOLCHAIN}:/usr/bin:/bin"}),
    "a proc macro's script": row(RUNS, program("first/teller", "#!/bin/sh\necho two\n"), [MACRO, USE_MACRO],
                                 before=program("first/teller", "#!/bin/sh\necho one\n"), env={"PATH": PATHS}),
    "a script's variable": row(RUNS, steps=[MACRO, USE_MACRO], before=program("first/teller", '#!/bin/sh\necho "$WORD"\n'),
                               env={"PATH": PATHS, "WORD": "one"}, then={"PATH": PATHS, "WORD": "two"}),
    "the proc macro itself": row(looks('"one".to_string()'), write("looks.rs", looks('"two".to_string()')["looks.rs"]), [MACRO, USE_MACRO]),
    # Levels of lints and what they are told: bytes may be the same, messages and the exit status are not.
    "warn to deny": row(WARNS, more=["-D", "unused"]),
    "warn to allow": row(WARNS, more=["-A", "unused"]),
    "capped lints": row(WARNS, more=["--cap-lints", "allow"]),
    "checked names": row({"lib.rs": "#[cfg(odd)] pub fn odd() {}\n"}, more=["--check-cfg", "cfg()"]),
    "an edition": row({"lib.rs": "pub fn f() { let async = 1; let _ = async; }\n"}, more=["--edition", "2021"]),
    "messages for people": row(WARNS, more=["--error-format=human"]),
    "messages in colour": row(WARNS, more=["--json=diagnostic-rendered-ansi"]),
    "messages as wide as asked for": row(WARNS, more=["--diagnostic-width=20"]),
    "the width without messages": row(ONE, more=["--diagnostic-width=20"], compiled=False),
    # Flags.
    "a cfg": row({"lib.rs": "#[cfg(odd)] pub fn odd() {}\n"}, more=["--cfg", "odd"]),
    "a level of optimisation": row(ONE, more=["-O"]),
    "metadata of the name": row(ONE, more=["-Cmetadata=x"]),
    "tests": row({"lib.rs": "#[test] fn t() {}\n"}, more=["--test"]),
    "an order of flags": row(ONE, more=["-Copt-level=3", "-Copt-level=0"]),
    "a remapping": row({"lib.rs": "pub fn f() -> &'static str { file!() }\n"}, more=["--remap-path-prefix=lib=elsewhere"]),
    "questions beside the compile": row(ONE, more=["--print=native-static-libs"]),
    # Crates.
    "an extern": row({"dep.rs": "pub const A: u8 = 1;\n", "lib.rs": "pub const B: u8 = dep::A;\n"}, write("dep.rs", "pub const A: u8 = 2;\n"),
                     [["--crate-name", "dep", "--crate-type", "rlib", "--emit=metadata,link", "dep.rs"],
                      LIB + ["--extern", "dep=out/libdep.rmeta"]]),
    "an extern found by -L alone": row({"dep.rs": "pub const A: u8 = 1;\n", "lib.rs": "extern crate dep;\npub const B: u8 = dep::A;\n"},
                                       write("dep.rs", "pub const A: u8 = 2;\n"),
                                       [["--crate-name", "dep", "--crate-type", "rlib", "--emit=metadata,link", "dep.rs"],
                                        LIB + ["-L", "out"]]),
    "options of an extern": row(
        {"dep.rs": "pub const A: u8 = 1;\n", "lib.rs": ONE["lib.rs"]}, steps=[
            ["--crate-name", "dep", "--crate-type", "rlib", "--emit=metadata,link", "dep.rs"], LIB],
        more=["-Zunstable-options", "--extern", "noprelude:dep=out/libdep.rmeta"], env={"RUSTC_BOOTSTRAP": "1"}),
    "an extern that nobody uses": row({"dep.rs": "pub const A: u8 = 1;\n", "lib.rs": ONE["lib.rs"]}, write("dep.rs", "pub const A: u8 = 2;\n"),
                                      [["--crate-name", "dep", "--crate-type", "rlib", "--emit=metadata,link", "dep.rs"],
                                       LIB + ["--extern", "dep=out/libdep.rmeta"]], compiled=False),
    "C code under a program": row(SYS, archive("native/libnumber.a", 2), SYS_STEPS, before=archive("native/libnumber.a", 1)),
    # Native libraries.
    "an archive of a link attribute": row({"lib.rs": NATIVE % ', kind = "static"'}, archive("native/libnumber.a", 2),
                                          [LIB + ["-L", "native=native"]], before=archive("native/libnumber.a", 1)),
    "an archive of -l": row({"app.rs": 'extern "C" { fn number() -> i32; }\nfn main() { println!("{}", unsafe { number() }); }\n'},
                            archive("native/libnumber.a", 2), [BIN + ["-L", "native=native", "-l", "number"]],
                            before=archive("native/libnumber.a", 1)),
    "an archive that is found first": row(
        {"app.rs": 'extern "C" { fn number() -> i32; }\nfn main() { println!("{}", unsafe { number() }); }\n'},
        archive("first/libnumber.a", 2),
        [BIN + ["-L", "native=first", "-L", "native=native", "-l", "number"]],
        before=lambda work: (work / "first").mkdir() or archive("native/libnumber.a", 1)(work)),
    "a library of LIBRARY_PATH": row(
        {"app.rs": 'extern "C" { fn number() -> i32; }\nfn main() { println!("{}", unsafe { number() }); }\n'},
        steps=[BIN + ["-l", "number"]], env={"LIBRARY_PATH": "{work}/a"}, then={"LIBRARY_PATH": "{work}/b"},
        before=lambda work: (archive("a/libnumber.a", 1)(work), archive("b/libnumber.a", 2)(work))),
    # The linker.
    "a linker on PATH": row({"app.rs": "fn main() {}\n"}, program("first/cc", '#!/bin/sh\nexec /usr/bin/cc -Wl,--build-id=0x42 "$@"\n'), [BIN],
                            env={"PATH": PATHS}),
    "a linker's script": row({"app.rs": "fn main() {}\n"}, program("mine", '#!/bin/sh\nexec /usr/bin/cc -Wl,--build-id=0x42 "$@"\n'),
                             [BIN + ["-Clinker=./mine"]], before=program("mine", '#!/bin/sh\nexec /usr/bin/cc "$@"\n')),
    "the program that the linker's driver calls": row(
        {"app.rs": "fn main() {}\n"}, program("tools/ld.bfd", '#!/bin/sh\nexec /usr/bin/ld --build-id=0x42 "$@"\n'),
        [BIN + ["-Clink-arg=-B{work}/tools/", "-Clink-arg=-fuse-ld=bfd"]],
        before=program("tools/ld.bfd", '#!/bin/sh\nexec /usr/bin/ld "$@"\n')),
    "COMPILER_PATH": row({"app.rs": "fn main() {}\n"}, steps=[BIN + ["-Clink-arg=-fuse-ld=bfd"]], then={"COMPILER_PATH": "{work}/tools"},
                         before=program("tools/ld.bfd", '#!/bin/sh\nexec /usr/bin/ld --build-id=0x42 "$@"\n')),
    "a script of the linker": row({"app.rs": "fn main() {}\n", "one.ld": SCRIPT % 1}, write("one.ld", SCRIPT % 2),
                                  [BIN + ["-Clink-arg=-fuse-ld=bfd", "-Clink-arg=-Wl,-T,one.ld"]]),
    "a script that the linker's script includes": row(
        {"app.rs": "fn main() {}\n", "one.ld": 'INCLUDE "two.x"\n', "scripts/two.x": SCRIPT % 1}, write("scripts/two.x", SCRIPT % 2),
        [BIN + ["-Clink-arg=-fuse-ld=bfd", "-Clink-arg=-Wl,-T,one.ld", "-Clink-arg=-Lscripts"]]),
    "a version script": row({"lib.rs": '#[no_mangle] pub extern "C" fn one() {}\n', "v": "V1 { global: *; };\n"}, write("v", "V2 { global: *; };\n"),
                            [["--crate-name", "unit", "--crate-type", "cdylib", "--emit=link", "lib.rs", "-Clink-arg=-Wl,--version-script=v"]],
                            only_if_works=True),  # beside rustc's own script some linkers want none without a name
    "an object among the linker's arguments": row(
        {"app.rs": 'extern "C" { fn number() -> i32; }\nfn main() { println!("{}", unsafe { number() }); }\n'}, archive("unused.a", 2),
        [BIN + ["-Clink-arg=number.o"]], before=archive("unused.a", 1)),
    "the linker of one crate type of two": row(
        ONE, program("mine", '#!/bin/sh\nexec /usr/bin/cc -Wl,--build-id=0x42 "$@"\n'),
        [["--crate-name", "unit", "--crate-type", "rlib,cdylib", "--emit=link", "lib.rs", "-Clinker=./mine"]],
        before=program("mine", '#!/bin/sh\nexec /usr/bin/cc "$@"\n')),
    "a profile": row({"app.rs": "fn main() { println!(\"{}\", std::env::args().count()); }\n"}, profile(5), [BIN + ["-Cprofile-use=p.profdata", "-O"]],
                     before=profile(1)),
    "a plugin of LLVM": row(ONE, plugin("two"), [LIB + ["-Zllvm-plugins={work}/plugin.so"]], before=plugin("one"), env={"RUSTC_BOOTSTRAP": "1"},
                            only_if_works=True),  # LLVM's number of the interface changes
    "a description of a target": row({"lib.rs": "#![feature(no_core)]\n#![no_core]\n"}, target_json("own.json", 2), [
        ["--crate-name", "unit", "--crate-type", "rlib", "--emit=metadata,obj", "--target", "own.json", "-Zunstable-options", "lib.rs"]],
        before=target_json("own.json", 1), env={"RUSTC_BOOTSTRAP": "1"}),
    "a description of a target that is found by name": row({"lib.rs": "#![feature(no_core)]\n#![no_core]\n"}, target_json("own.json", 2), [
        ["--crate-name", "unit", "--crate-type", "rlib", "--emit=metadata,obj", "--target", "own", "-Zunstable-options", "lib.rs"]],
        before=target_json("own.json", 1), env={"RUSTC_BOOTSTRAP": "1", "RUST_TARGET_PATH": "{work}"}),
    "the producer's name": row(ONE, then={"LLVM_OVERRIDE_PRODUCER": "somebody"}),
    "a date": row(ONE, then={"SOURCE_DATE_EPOCH": "1"}, compiled=False),
    # Command lines that are elsewhere.
    "a response file": row(ONE | {"args": "--cfg\none\n"}, write("args", "--cfg\ntwo\n"), [LIB + ["@args"]]),
    # Declared inputs.
    "an extra input": row(ONE | {"kache.toml": 'extra_inputs = ["schema/**"]\n', "Cargo.toml": "", "schema/a": "one"}, write("schema/a", "two"),
                          env={"CARGO_MANIFEST_DIR": "{work}"}),
    "an extra input appears": row(ONE | {"kache.toml": 'extra_inputs = ["schema/**"]\n', "Cargo.toml": "", "schema/a": "one"},
                                  write("schema/deep/b", "two"), env={"CARGO_MANIFEST_DIR": "{work}"}),
    "an extra input goes": row(ONE | {"kache.toml": 'extra_inputs = ["schema/*"]\n', "Cargo.toml": "", "schema/a": "one", "schema/b": "two"},
                               lambda work: (work / "schema/b").unlink(), env={"CARGO_MANIFEST_DIR": "{work}"}),
    "a file beside the extra inputs": row(ONE | {"kache.toml": 'extra_inputs = ["schema/*.sql"]\n', "Cargo.toml": "", "schema/a.sql": "one"},
                                          write("schema/b.txt", "two"), env={"CARGO_MANIFEST_DIR": "{work}"}, compiled=False),
    "the rules of extra inputs": row(ONE | {"kache.toml": 'extra_inputs = ["schema/*"]\n', "Cargo.toml": "", "schema/a": "one", "more/b": "two"},
                                     write("kache.toml", 'extra_inputs = ["schema/*", "more/*"]\n'), env={"CARGO_MANIFEST_DIR": "{work}"}),
    "rules of extra inputs appear": row(ONE | {"Cargo.toml": "", "schema/a": "one"}, write("kache.toml", 'extra_inputs = ["schema/*"]\n'),
                                        env={"CARGO_MANIFEST_DIR": "{work}"}),
    "an extra input of the tree": row(ONE | {".kache.toml": '[workspace]\nextra_inputs = ["schema/**"]\n', "schema/a": "one"}, write("schema/a", "two")),
    "an extra input of the tree appears": row(ONE | {".kache.toml": '[[workspace.extra_inputs]]\npaths = ["s*/**"]\n', "schema/a": "one"},
                                              write("schema/deep/b", "two")),
    "an extra input of this crate": row(ONE | {".kache.toml": '[[workspace.extra_inputs]]\ncrates = ["unit"]\npaths = ["schema/*"]\n', "schema/a": "one"},
                                        write("schema/a", "two")),
    "an extra input of another crate": row(ONE | {".kache.toml": '[[workspace.extra_inputs]]\ncrates = ["other-*"]\npaths = ["schema/*"]\n', "schema/a": "one"},
                                           write("schema/a", "two"), compiled=False),
    "the rules of the tree": row(ONE | {".kache.toml": '[workspace]\nextra_inputs = ["schema/*"]\n', "schema/a": "one", "more/b": "two"},
                                 write(".kache.toml", '[workspace]\nextra_inputs = ["schema/*", "more/*"]\n')),
    "rules of the tree appear": row(ONE | {"schema/a": "one"}, write(".kache.toml", '[workspace]\nextra_inputs = ["schema/*"]\n')),
    "a setting beside the rules of the tree": row(ONE | {".kache.toml": '[workspace]\nextra_inputs = ["schema/*"]\n', "schema/a": "one"},
                                                  write(".kache.toml", '# words\n[workspace]\nextra_inputs = ["schema/*"]\n'), compiled=False),
}


class Bench:
    def __init__(self, lab, case):
        self.lab, self.case, self.work = lab, case, lab.root / "work"
        write_tree(self.work, case["files"])
        case["before"](self.work)
        time.sleep(0.02)

    def filled(self, text):
        return str(text).replace("{work}", str(self.work))

    def run(self, env, more, cache):
        """Everything that the user gets of all steps, and what became of the last one."""
        empty(self.work / "out")
        self.lab.forget_events()
        env = {name: self.filled(value) for name, value in env.items()} | {"KACHE_CACHE_DIR": str(cache)}
        seen, result = [], None
        for i, step in enumerate(self.case["steps"]):
            tail = more if i == len(self.case["steps"]) - 1 else []
            args = [self.filled(arg) for arg in step + ["--out-dir", "out"] + tail]
            if not any(arg.startswith("--error-format") for arg in args):
                args += ["--error-format=json"]
            result = self.lab.rustc(self.work, *args, **env)
            seen.append((result.returncode, result.stdout, result.stderr))
            if result.returncode != 0:
                break
        events = self.lab.events(cache)
        return (seen, files_in(self.work / "out")), (events[-1]["result"] if events else "no event")


@pytest.mark.hits
@pytest.mark.parametrize("name", MATRIX)
def test_a_change_of(lab, name):
    case = MATRIX[name]
    bench = Bench(lab, case)
    first, _ = bench.run(case["env"], [], lab.cache)
    if case["only_if_works"] and first[0][-1][0] != 0:
        pytest.skip(first[0][-1][2].decode())
    again, result = bench.run(case["env"], [], lab.cache)
    # Without a change it is a hit, and the same.
    assert result == "local_hit" and again == first
    case["mutate"](bench.work)
    time.sleep(0.02)
    cached, result = bench.run(case["then"], case["more"], lab.cache)
    (messages, files), _ = bench.run(case["then"], case["more"], lab.root / "empty")
    assert cached[0] == messages
    assert {name for name in files.keys() | cached[1].keys() if files.get(name) != cached[1].get(name)} == set()
    assert (result != "local_hit") == case["compiled"], result
    if case["compiled"] and result == "miss":
        # And what was compiled answers from now on.
        _, result = bench.run(case["then"], case["more"], lab.cache)
        assert result == "local_hit"


REFUSED = {
    "a descriptor by its number": (looks('use std::os::fd::AsRawFd; let f = std::fs::File::open("looks.rs").unwrap();'
                                         'format!("{}", std::fs::read(format!("/proc/self/fd/{}", f.as_raw_fd())).unwrap().len())'), "could not be read"),
    "a random number of the kernel": (looks('std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap()'), "could not be read"),
    "a source that is written by the way": (looks('std::fs::write("lib.rs", std::fs::read("lib.rs").unwrap()).unwrap(); String::new()'), "wrote a file"),
    "a connection": (looks('format!("{:?}", std::net::TcpStream::connect("127.0.0.1:{port}").is_ok())'), "network"),
    "a file written by the way": (looks('format!("{:?}", std::fs::write("side", "x"))'), "wrote a file"),
    "a static program": (looks('format!("{:?}", std::process::Command::new("./static").status().unwrap().code())'), "could not be watched"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_known_is_not_stored(lab, name):
    files, reason = REFUSED[name]
    work = write_tree(lab.root / "work", files)
    (work / "out").mkdir()
    (work / "static.c").write_text("int main(void) { return 3; }\n")
    subprocess.run(["gcc", "-static", "-o", "static", "static.c"], cwd=work, check=True)
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = (work / "looks.rs").read_text().replace("{port}", str(server.getsockname()[1]))
        (work / "looks.rs").write_text(source)
        time.sleep(0.02)
        for _ in range(2):
            for step in (MACRO, USE_MACRO):
                result = lab.rustc(work, *step, "--out-dir", "out")
                assert result.returncode == 0, result.stderr
            event = lab.events()[-1]
            assert event["result"] == "miss" and reason in event["passthrough_reason"], event
