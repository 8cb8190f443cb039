#!/usr/bin/env python3
"""Writes the reference of the options into docs/configuration.md, from the table in src/config/options.cc.
  tools/make_reference.py BUILD           writes it
  tools/make_reference.py BUILD --check   only says whether it is stale (status 1)"""
import pathlib
import subprocess
import sys

DOCUMENT = pathlib.Path(__file__).resolve().parents[1] / "docs/configuration.md"
START, END = "<!-- options: made by tools/make_reference.py from src/config/options.cc -->\n", "<!-- end of options -->\n"


def renewed(build):
    made = subprocess.run([pathlib.Path(build) / "libexec/kache/kache-tool", "__options-markdown"], capture_output=True, text=True, check=True).stdout
    before, rest = DOCUMENT.read_text().split(START)
    return before + START + made + END + rest.split(END)[1]


if __name__ == "__main__":
    text = renewed(sys.argv[1])
    if "--check" in sys.argv:
        if text != DOCUMENT.read_text():
            sys.exit(f"{DOCUMENT.name} is stale; run tools/make_reference.py {sys.argv[1]}")
    else:
        DOCUMENT.write_text(text)
