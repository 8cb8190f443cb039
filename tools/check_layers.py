#!/usr/bin/env python3
"""Checks that includes go with the data flow: a folder may use itself and what stands before it, never what comes after.

And that no two headers define a type of the same name: they would be one type to the linker, which picks either's functions."""
import pathlib
import re
import sys
import tempfile

ORDER = ["base", "config", "compiler", "key", "record", "store", "wrapper", "remote", "index", "daemon", "clean", "tui", "cli"]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([a-z_]+)/', re.M)


def violations(src):
    found = []
    for path in sorted(src.rglob("*")):
        if path.suffix not in (".h", ".cc", ".c") or path.parent == src:
            continue
        folder = path.relative_to(src).parts[0]
        if folder not in ORDER:
            found.append(f"{path}: folder {folder} has no place in the order")
            continue
        for used in INCLUDE.findall(path.read_text(errors="replace")):
            if used in ORDER and ORDER.index(used) > ORDER.index(folder):
                found.append(f"{path}: {folder} includes {used}, which comes after it")
    return found


DEFINITION = re.compile(r"^(?:struct|class|enum class) (\w+)\s*(?:final\s*)?(?::[^;]*)?\{", re.M)


def twins(src):
    homes = {}
    for path in sorted(src.rglob("*.h")):
        for name in DEFINITION.findall(path.read_text(errors="replace")):
            homes.setdefault(name, []).append(str(path))
    return [f"{' and '.join(paths)}: both define {name}" for name, paths in homes.items() if len(set(paths)) > 1]


def self_test():
    with tempfile.TemporaryDirectory() as directory:
        src = pathlib.Path(directory)
        for folder in ("base", "store"):
            (src / folder).mkdir()
        (src / "store" / "good.cc").write_text('#include "base/path.h"\n')
        (src / "base" / "bad.cc").write_text('#include "store/blob.h"\n')
        found = violations(src)
        assert len(found) == 1 and "bad.cc" in found[0], found
        for folder in ("base", "store"):
            (src / folder / "same.h").write_text("struct Same {\n};\nenum class Apart : int { a };\nclass Only;\n" if folder == "base" else "class Same final : Other {\n};\n")
        assert len(twins(src)) == 1 and "Same" in twins(src)[0], twins(src)


if __name__ == "__main__":
    self_test()
    source = pathlib.Path(__file__).resolve().parent.parent / "src"
    problems = violations(source) + twins(source)
    print("\n".join(problems) or "layers: includes follow the data flow")
    sys.exit(1 if problems else 0)
