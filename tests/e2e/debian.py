"""Sources of real projects, from the distribution's archive, as their authors published them."""
import fcntl
import pathlib
import re
import subprocess
import tarfile

import pytest

from laboratory import BUILD

PLACE = BUILD / "sources"


def source_lists():
    """The system's own lists of where packages come from, turned into lists of where sources do."""
    parts = []
    for path in [pathlib.Path("/etc/apt/sources.list"), *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]:
        if path.suffix == ".sources":
            parts.append((path.name, re.sub(r"(?m)^Types:.*$", "Types: deb-src", path.read_text())))
        elif path.suffix == ".list" and path.exists():
            parts.append((path.name, re.sub(r"(?m)^deb ", "deb-src ", path.read_text())))
    return [(name, text) for name, text in parts if "deb-src" in text]


def apt(*args):
    config = ["-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={PLACE}/parts", "-o", f"Dir::State::lists={PLACE}/lists",
              "-o", "APT::Sandbox::User=root"]
    return subprocess.run(["apt-get", *config, "-qq", *args], cwd=PLACE, capture_output=True, text=True)


def download(package, destination):
    """One at a time: apt refuses to work beside itself, and a test that is run beside another would be skipped."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with (PLACE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in ("parts", "lists/partial"):
            (PLACE / name).mkdir(parents=True, exist_ok=True)
        destination.mkdir(exist_ok=True)
        if not list((PLACE / "parts").iterdir()):
            for name, text in source_lists():
                (PLACE / "parts" / name).write_text(text)
            apt("update")
        done = apt("source", "--download-only", package)
        for path in [*PLACE.glob("*.orig*.tar.*")]:
            path.rename(destination / path.name)
        return done


def source(package, destination):
    """Unpacks the upstream sources of a Debian package."""
    downloads = PLACE / package
    done = download(package, downloads) if not list(downloads.glob("*.orig.tar.*")) else None
    archives = list(downloads.glob("*.orig.tar.*"))
    if not archives:
        pytest.skip(f"the sources of {package} can not be had here: {done.stderr[-200:]}")
    with tarfile.open([path for path in archives if not path.name.endswith(".asc")][0]) as archive:
        archive.extractall(destination.parent / f"{destination.name}.unpacked")
    (top,) = (destination.parent / f"{destination.name}.unpacked").iterdir()
    return top.rename(destination)
