"""What is taken for a C compiler, and that nothing which is none is run otherwise than it was asked to."""
import os
import shutil
import signal
import subprocess
import time

import pytest

from laboratory import BUILD, KACHE, write_tree

A = {"a.c": "int a(void) { return 1; }\n"}
SHIM = KACHE.with_name("kache")


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def work(lab):
    lab.work = write_tree(lab.root / "work", A)
    time.sleep(0.02)
    return lab


def twice(lab, command, **env):
    """Results of the same compile twice, with a fresh object each time."""
    results = []
    for _ in range(2):
        (lab.work / "a.o").unlink(missing_ok=True)
        result = subprocess.run(command, cwd=lab.work, env=lab.env(**env), capture_output=True)
        assert result.returncode == 0, result.stderr
        assert (lab.work / "a.o").exists()
        results.append(lab.events()[-1]["result"] if lab.events() else None)
    return results


@pytest.mark.hits
@pytest.mark.parametrize("name", ["gcc", "cc", "gcc-12", "gcc-14", "x86_64-linux-gnu-gcc", "/usr/bin/gcc", "clang", "clang-14", "clang-19", "g++", "c++", "clang++", "c99"])
def test_compilers_by_name(work, name):
    if not shutil.which(name):
        pytest.skip(f"no {name}")
    assert twice(work, [KACHE, name, "-c", "a.c", "-o", "a.o"]) == ["miss", "local_hit"]


@pytest.mark.hits
@pytest.mark.parametrize("way", ["symlink", "hard link", "copy of the name"])
def test_shims(work, way):
    shims = work.root / "shims"
    shims.mkdir()
    if way == "hard link":
        os.link(KACHE, shims / "gcc")
    else:
        (shims / "gcc").symlink_to(KACHE)
    path = f"{shims}:/usr/bin:/bin" if way != "copy of the name" else f"/nothing:{shims}/../shims:{shims}:/usr/bin:/bin"
    env = {"PATH": path, "KACHE_LIBEXEC": str(BUILD / "libexec/kache")}
    assert twice(work, [str(shims / "gcc"), "-c", "a.c", "-o", "a.o"], **env) == ["miss", "local_hit"]
    # And in front of the name of a shim.
    assert twice(work, [KACHE, "gcc", "-c", "a.c", "-o", "a.o"], **env) == ["local_hit", "local_hit"]
    result = subprocess.run([shims / "gcc", "--version"], env=work.env(**env), capture_output=True, text=True)
    assert result.returncode == 0 and "gcc" in result.stdout.lower()
    result = subprocess.run([shims / "gcc", "-c", "a.c"], cwd=work.work, env=work.env(**{**env, "PATH": str(shims)}), capture_output=True, text=True)
    assert result.returncode == 127 and "no gcc on PATH but kache itself" in result.stderr


@pytest.mark.hits
def test_installed_shims(work):
    shims = work.root / "made" / "shims"
    result = work.kache(work.work, "install-shims", shims, "--archives")
    assert result.returncode == 0 and b"export PATH=" in result.stdout
    env = {"PATH": f"{shims}:/usr/bin:/bin"}
    assert twice(work, ["sh", "-c", "gcc -c a.c -o a.o"], **env) == ["miss", "local_hit"]
    assert twice(work, ["sh", "-c", "gcc -c a.c -o a.o && rm -f lib.a && ar crs lib.a a.o"], **env) == ["miss", "local_hit"]
    assert work.kache(work.work, "install-shims", shims).returncode == 0  # again changes nothing
    (shims / "cc").unlink()
    (shims / "cc").write_text("mine")
    assert work.kache(work.work, "install-shims", shims).returncode == 1
    assert (shims / "cc").read_text() == "mine"
    assert work.kache(work.work, "install-shims", shims, "--force").returncode == 0
    assert (shims / "cc").is_symlink()
    assert work.kache(work.work, "install-shims", "/proc/nothing").returncode == 1


@pytest.mark.hits
def test_a_program_with_a_strange_name_that_compiles(work):
    wrapper = script(work.root / "bin/mycompiler", '#!/bin/sh\nexec gcc "$@"\n')
    assert twice(work, [KACHE, wrapper, "-c", "a.c", "-o", "a.o"]) == ["miss", "local_hit"]
    path = f"{work.root}/bin:/usr/bin:/bin"
    assert twice(work, [KACHE, "mycompiler", "-c", "a.c", "-o", "a.o"], PATH=path)[1] == "local_hit"
    result = work.kache(work.work, "mycompiler", "--version", PATH=path)
    assert result.returncode == 0 and b"gcc" in result.stdout.lower()


def test_other_programs_run_once_as_they_were_asked(work):
    counter = script(work.root / "bin/tool", '#!/bin/sh\necho run >> "$COUNT"\necho out "$@"\nexit 5\n')
    for args in (["x"], ["a.c"], ["-E", "a.c"]):
        count = work.root / "count"
        count.unlink(missing_ok=True)
        result = work.kache(work.work, counter, *args, COUNT=str(count))
        assert result.returncode == 5 and result.stdout == f"out {' '.join(args)}\n".encode()
        assert count.read_text() == "run\n"
    # A bare name that is no command of ours is an error, even if PATH has such a program.
    result = work.kache(work.work, "tool", "x", PATH=f"{work.root}/bin:/usr/bin:/bin")
    assert result.returncode == 2 and b"out" not in result.stdout


def test_known_compilers_that_are_not_cached_say_why(work):
    script(work.root / "bin/nvcc", '#!/bin/sh\ntouch a.o\necho nvcc "$@"\n')
    result = work.kache(work.work, work.root / "bin/nvcc", "-c", "a.c", "-o", "a.o")
    assert result.stdout == b"nvcc -c a.c -o a.o\n"
    assert "not a compiler that kache knows" in work.events()[-1]["passthrough_reason"]


@pytest.mark.parametrize("question", [["--version"], ["-v"], ["-dumpmachine"], ["-print-search-dirs"], ["-E", "a.c"], ["-###", "-c", "a.c"], ["-M", "a.c"]])
def test_questions_are_answered_by_the_compiler(work, question):
    plain = subprocess.run(["gcc", *question], cwd=work.work, env=work.env(), capture_output=True)
    through = work.kache(work.work, "gcc", *question)
    assert (through.returncode, through.stdout) == (plain.returncode, plain.stdout)
    assert not work.cache.exists()


def test_the_cc_crate_gets_the_answer_of_the_real_compiler(work):
    probe = write_tree(work.root / "probe", {"detect.c": "#ifdef __clang__\n#pragma message \"clang\"\n#endif\n#ifdef __GNUC__\ngcc\n#endif\n"})
    for env, compiler in (({"CC": "kache clang"}, "clang"), ({"CC": f"{KACHE} gcc", "TARGET": "x86_64-unknown-linux-gnu"}, "gcc"),
                          ({"CC_x86_64_unknown_linux_gnu": "kache clang", "CC": "kache gcc", "TARGET": "x86_64-unknown-linux-gnu"}, "clang"), ({}, "cc")):
        plain = subprocess.run([compiler, "-E", "detect.c"], cwd=probe, env=work.env(), capture_output=True)
        through = work.kache(probe, "-E", "detect.c", **env)
        assert (through.returncode, through.stdout) == (plain.returncode, plain.stdout), env


@pytest.mark.hits
def test_recursion_ends_in_the_real_compiler(work):
    wrapper = script(work.root / "bin/gcc", f'#!/bin/sh\nexec {KACHE} /usr/bin/gcc "$@"\n')
    path = f"{work.root}/bin:/usr/bin:/bin"
    started = time.monotonic()
    for _ in range(2):
        (work.work / "a.o").unlink(missing_ok=True)
        assert work.kache(work.work, "gcc", "-c", "a.c", "-o", "a.o", PATH=path).returncode == 0
        assert (work.work / "a.o").exists()
    loop = script(work.root / "loop/cc", f'#!/bin/sh\nexec {KACHE} cc "$@"\n')
    result = subprocess.run([loop, "-c", "a.c", "-o", "a.o"], cwd=work.work, env=work.env(PATH=f"{loop.parent}:/usr/bin:/bin"),
                            capture_output=True, timeout=60, preexec_fn=lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_NPROC, (4000, 4000)))
    assert time.monotonic() - started < 60
    assert wrapper.exists() and result.returncode is not None
    assert twice(work, [KACHE, "/usr/bin/gcc", "-c", "a.c", "-o", "a.o"])[1] == "local_hit"


def test_arguments_and_directories_that_are_not_utf8(work):
    name = b"caf\xe9.c"
    with open(os.fsencode(work.work) + b"/" + name, "w") as file:
        file.write(A["a.c"])
    time.sleep(0.02)
    for _ in range(2):
        result = work.kache(work.work, "gcc", "-c", name, "-o", b"caf\xe9.o")
        assert result.returncode == 0, result.stderr
    assert work.events()[-1]["result"] == "local_hit" or os.environ.get("KACHE_TEST_CONTROL")
    odd = os.fsencode(work.root) + b"/d\xe9"
    os.mkdir(odd)
    with open(odd + b"/a.c", "w") as file:
        file.write(A["a.c"])
    time.sleep(0.02)
    assert work.kache(odd, "gcc", "-g", "-c", "a.c", "-o", "a.o").returncode == 0


def test_failures_and_signals_are_the_compilers_own(work):
    (work.work / "bad.c").write_text("int a(void) { return }\n")
    plain = subprocess.run(["gcc", "-c", "bad.c"], cwd=work.work, env=work.env(), capture_output=True)
    through = work.kache(work.work, "gcc", "-c", "bad.c")
    assert (through.returncode, through.stderr) == (plain.returncode, plain.stderr) and plain.returncode == 1
    killed = script(work.root / "bin/gcc", "#!/bin/sh\necho started >&2\nkill -TERM $$\nsleep 5\n")
    result = work.kache(work.work, killed, "-c", "a.c", "-o", "a.o")
    assert result.returncode == -signal.SIGTERM and result.stderr == b"started\n"


def test_outputs_that_are_no_private_files(work):
    source = ["-c", "a.c", "-o"]
    for compiler in ("gcc", "clang"):
        assert work.kache(work.work, compiler, *source, "plain.o").returncode == 0
        real, name = work.work / f"{compiler}-real.o", work.work / f"{compiler}-link.o"
        for path in (real, name):
            path.unlink(missing_ok=True)
        real.write_bytes(b"")
        name.symlink_to(real.name)
        plain = subprocess.run([compiler, *source, str(name)], cwd=work.work, env=work.env(), check=True)
        kept, size = name.is_symlink(), real.stat().st_size
        for path in (real, name):
            path.unlink()
        real.write_bytes(b"")
        name.symlink_to(real.name)
        assert work.kache(work.work, compiler, *source, str(name)).returncode == plain.returncode
        assert (name.is_symlink(), real.stat().st_size) == (kept, size)
        # A missing directory is not made.
        assert work.kache(work.work, compiler, *source, "no/such/a.o").returncode != 0
        assert not (work.work / "no").exists()
        # Another name of an old object keeps the old content.
        (work.work / "other.o").unlink(missing_ok=True)
        os.link(work.work / "plain.o", work.work / "other.o")
        (work.work / "other.o").write_bytes(b"old")
        assert work.kache(work.work, compiler, *source, "plain.o").returncode == 0
        assert (work.work / "other.o").read_bytes() == b"old" and (work.work / "plain.o").read_bytes() != b"old"


@pytest.mark.hits
def test_a_hit_starts_no_program(work):
    args = ["strace", "-f", "-e", "trace=execve", "-o", str(work.root / "trace"), str(KACHE), "gcc", "-g", "-MD", "-c", "a.c", "-o", "a.o"]
    assert twice(work, args) == ["miss", "local_hit"]
    assert (work.root / "trace").read_text().count("execve(") == 1


@pytest.mark.hits
@pytest.mark.parametrize("listed", ["my-file.c", "my_file.c"])
def test_sources_that_are_not_to_be_cached(work, listed):
    (work.work / ".kache.toml").write_text(f"[cache]\nbypass_crates = ['{listed}']\n")
    (work.work / "my-file.c").write_text("int a(void) { return 1; }\n")
    time.sleep(0.02)
    assert twice(work, [KACHE, "gcc", "-c", "my-file.c", "-o", "a.o"])[1] == "passthrough"
    assert twice(work, [KACHE, "gcc", "-c", "a.c", "-o", "a.o"]) == ["miss", "local_hit"]
