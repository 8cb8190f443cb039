"""Which compiler is it: a proxy that chooses one, a copy with the same banner and other contents."""
import os
import shutil
import subprocess
import time

import pytest

from laboratory import TOOLCHAIN, write_tree

LIB = ["--crate-name", "unit", "--crate-type", "lib", "--emit=dep-info,metadata,link", "--out-dir", "out", "src.rs"]

# Chooses as rustup does; with -static nobody can watch it.
PROXY = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
  char path[4096], line[256] = "";
  const char *name = getenv("RUSTUP_TOOLCHAIN");
  FILE *file = name ? 0 : fopen("rust-toolchain", "r");
  if (file && fgets(line, sizeof line, file)) line[strcspn(line, "\n")] = 0, name = line;
  snprintf(path, sizeof path, "%s/%s/bin/rustc", TOOLCHAINS, name && *name ? name : "one");
  execv(path, argv);
  return 127;
}
"""


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    """The toolchain again, of the test's own: a hard link to the real one would move its ctime under the other tests."""
    toolchain = tmp_path_factory.mktemp("toolchain")
    (toolchain / "bin").mkdir()
    shutil.copy2(TOOLCHAIN / "rustc", toolchain / "bin/rustc")
    shutil.copytree(TOOLCHAIN.parent / "lib", toolchain / "lib", symlinks=True,
                    ignore=lambda directory, names: {"src", "etc"} & set(names) if directory.endswith("rustlib") else set())
    yield toolchain
    shutil.rmtree(toolchain)


def copy(private, toolchain):
    shutil.copytree(private, toolchain, copy_function=os.link, symlinks=True)
    return toolchain


def change(toolchain):
    """One library of its own bytes: as a locally built one differs that says the same of itself."""
    library = next((toolchain / "lib/rustlib").glob("*-linux-*/lib/libpanic_abort-*.rlib"))
    data = library.read_bytes()
    library.unlink()
    library.write_bytes(data + b"\n")
    return library, data


@pytest.fixture
def unit(lab):
    lab.tree = write_tree(lab.root / "tree", {"src.rs": "pub fn f() -> u8 { 1 }\n"})
    time.sleep(0.02)

    def compile(program, **env):
        shutil.rmtree(lab.tree / "out", ignore_errors=True)
        (lab.tree / "out").mkdir()
        result = lab.kache(lab.tree, program, *LIB, **env)
        assert result.returncode == 0, result.stderr
        return lab.events()[-1]["result"]
    lab.compile = compile
    return lab


@pytest.mark.hits
def test_toolchains_with_one_banner_and_other_contents_do_not_answer_each_other(unit, private):
    one, two = copy(private, unit.root / "one"), copy(private, unit.root / "two")
    banner = {subprocess.run([toolchain / "bin/rustc", "-vV"], capture_output=True, check=True).stdout for toolchain in (one, two)}
    library, data = change(two)
    assert len(banner) == 1
    assert unit.compile(one / "bin/rustc") == "miss" and unit.compile(one / "bin/rustc") == "local_hit"
    assert unit.compile(two / "bin/rustc") == "miss" and unit.compile(two / "bin/rustc") == "local_hit"
    assert unit.compile(one / "bin/rustc") == "local_hit"
    # With equal contents it is one toolchain, wherever it is.
    library.write_bytes(data)
    assert unit.compile(two / "bin/rustc") == "local_hit"


@pytest.mark.hits
def test_a_link_that_is_turned_to_another_toolchain(unit, private):
    """As "current" is by those who keep several: what the link led to an hour ago does not count."""
    one, two = copy(private, unit.root / "one"), copy(private, unit.root / "two")
    change(two)
    current = unit.root / "current"
    for toolchain, expected in ((one, "miss"), (one, "local_hit"), (two, "miss"), (two, "local_hit"), (one, "local_hit")):
        current.unlink(missing_ok=True)
        current.symlink_to(toolchain)
        assert unit.compile(current / "bin/rustc") == expected


@pytest.fixture
def proxies(unit, private):
    one, two = copy(private, unit.root / "toolchains/one"), copy(private, unit.root / "toolchains/two")
    change(two)
    (unit.root / "proxy.c").write_text(PROXY)
    for name, flags in (("dynamic", []), ("static", ["-static"])):
        (unit.root / name).mkdir()
        subprocess.run(["gcc", *flags, f'-DTOOLCHAINS="{unit.root / "toolchains"}"', "-o", unit.root / name / "rustc", unit.root / "proxy.c"],
                       check=True, capture_output=True)
    unit.dynamic, unit.static = unit.root / "dynamic/rustc", unit.root / "static/rustc"
    return unit


@pytest.mark.hits
def test_a_proxy_that_chooses_by_a_variable_or_a_file(proxies):
    assert proxies.compile(proxies.dynamic) == "miss" and proxies.compile(proxies.dynamic) == "local_hit"
    assert proxies.compile(proxies.dynamic, RUSTUP_TOOLCHAIN="two") == "miss"
    assert proxies.compile(proxies.dynamic, RUSTUP_TOOLCHAIN="two") == "local_hit"
    (proxies.tree / "rust-toolchain").write_text("two\n")
    time.sleep(0.02)
    assert proxies.compile(proxies.dynamic) == "miss" and proxies.compile(proxies.dynamic) == "local_hit"
    (proxies.tree / "rust-toolchain").unlink()
    assert proxies.compile(proxies.dynamic) == "local_hit"


def test_a_proxy_that_can_not_be_watched_is_not_cached(proxies):
    for toolchain in ("one", "two", "one"):
        assert proxies.compile(proxies.static, RUSTUP_TOOLCHAIN=toolchain) == "miss"
        assert "could not be watched" in proxies.events()[-1]["passthrough_reason"]
