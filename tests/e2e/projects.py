"""Small cargo projects that hold the shapes on which caches break. No network."""

WORKSPACE = {
    "Cargo.toml": '[workspace]\nmembers = ["app", "util", "generated", "place", "derive"]\nresolver = "2"\n',
    "util/Cargo.toml": '[package]\nname = "util"\nversion = "0.1.0"\nedition = "2021"\n',
    "util/src/lib.rs": "pub mod a;\npub mod b;\n/// Where this line is.\npub fn here() -> &'static str { file!() }\n"
                       "pub fn unused_warning() { let x = 1; }\n",
    "util/src/a.rs": "pub fn name() -> &'static str { \"a\" }\n",
    "util/src/b.rs": "pub fn name() -> &'static str { \"b\" }\n",
    # A build script whose output is included: the ordinary use of OUT_DIR.
    "generated/Cargo.toml": '[package]\nname = "generated"\nversion = "0.1.0"\nedition = "2021"\nbuild = "build.rs"\n',
    "generated/build.rs": 'fn main() {\n    let out = std::env::var("OUT_DIR").unwrap();\n'
                          '    std::fs::write(format!("{out}/made.rs"), "pub const MADE: u32 = 42;\\n").unwrap();\n'
                          '    println!("cargo:rerun-if-changed=build.rs");\n}\n',
    "generated/src/lib.rs": 'include!(concat!(env!("OUT_DIR"), "/made.rs"));\n',
    # The location itself as a value: another checkout must not get it.
    "place/Cargo.toml": '[package]\nname = "place"\nversion = "0.1.0"\nedition = "2021"\n',
    "place/src/lib.rs": 'pub fn dir() -> &\'static str { env!("CARGO_MANIFEST_DIR") }\n',
    # A proc macro that reads a variable, a file and a directory and declares none of them.
    "derive/Cargo.toml": '[package]\nname = "derive"\nversion = "0.1.0"\nedition = "2021"\n[lib]\nproc-macro = true\n',
    "derive/src/lib.rs": 'use proc_macro::TokenStream;\n#[proc_macro]\npub fn look(_: TokenStream) -> TokenStream {\n'
                         '    let variable = std::env::var("SECRET").unwrap_or_else(|_| "unset".into());\n'
                         '    let file = std::fs::read_to_string("assets/note.txt").unwrap_or_else(|_| "none".into());\n'
                         '    let mut names: Vec<String> = std::fs::read_dir("assets").map(|d| d.map(|e| '
                         'e.unwrap().file_name().into_string().unwrap()).collect()).unwrap_or_default();\n'
                         '    names.sort();\n'
                         '    format!("\\"{variable}/{}/{}\\"", file.trim(), names.join("+")).parse().unwrap()\n}\n',
    "assets/note.txt": "first\n",
    "app/Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\n'
                      'util = { path = "../util" }\ngenerated = { path = "../generated" }\n'
                      'place = { path = "../place" }\nderive = { path = "../derive" }\n',
    "app/src/main.rs": 'fn main() {\n    println!("{} {} {} {} {} {}", util::a::name(), util::b::name(), util::here(), '
                       'generated::MADE, place::dir(), derive::look!());\n}\n'
                       '#[test]\nfn works() { assert_eq!(generated::MADE, 42); }\n',
}
