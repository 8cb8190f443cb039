"""What the configuration does to compiles of C, links and archives. Whatever it says, the outcome is that of the compiler alone."""
import time

import pytest

from laboratory import write_tree

FILES = {
    "Makefile": "",
    "src/one.c": '#include "h.h"\nint one(void) { int unused = 1; return H; }\n',
    "src/other-file.c": "int other(void) { return 2; }\n",
    "main.c": "int one(void);\nint main(void) { return one() - 1; }\n",
    "inc/h.h": "#define H 1\n",
}
COMPILERS = pytest.mark.parametrize("compiler", ["gcc", "clang"])
ONE = ["-Wall", "-Iinc", "-c", "src/one.c", "-o", "out/one.o"]
OTHER = ["-c", "src/other-file.c", "-o", "out/other.o"]


@pytest.fixture
def work(lab):
    lab.work = write_tree(lab.root / "work", FILES)
    time.sleep(0.02)
    return lab


def configure(lab, text):
    path = lab.home / ".config/kache/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def said(lab, *command, times=2, **env):
    """So many runs: each one's result, and the reason where there is one. What they leave is what the tool alone does."""
    alone = lab.run(lab.work, *command, through=False, **env)
    assert alone[0] == 0, alone
    out = []
    for _ in range(times):
        assert lab.run(lab.work, *command, **env) == alone, command
        event = lab.event()
        assert event["compiler_runs"] == (event["result"] != "local_hit"), event
        out.append((event["result"], event.get("passthrough_reason")))
    return out


CACHED = [("miss", None), ("local_hit", None)]


@pytest.mark.hits
@COMPILERS
@pytest.mark.parametrize("rule,reason", [
    ("exclude = ['**/one.c']", "policy|the source is excluded: **/one.c"),
    ("exclude = ['src/one.*']", "policy|the source is excluded: src/one.*"),
    ("exclude = ['$PLACE/src/one.c']", "policy|the source is excluded: {work}/src/one.c"),
    ("exclude = ['nothing', '${PLACE}/*/one.c']", "policy|the source is excluded: {work}/*/one.c"),
    ("bypass_crates = ['one.c']", "policy|bypass rule: crate: one.c"),
    ("bypass_argv = ['-Iinc']", "policy|bypass rule: argv contains: -Iinc"),
    ("bypass_argv = ['src/one']", "policy|bypass rule: argv contains: src/one"),
])
def test_rules_that_pass_one_file_on(work, compiler, rule, reason):
    reason = reason.format(work=work.work)
    configure(work, f"[cache]\n{rule}\n")
    assert said(work, compiler, *ONE, PLACE=str(work.work)) == [("passthrough", reason)] * 2
    assert said(work, compiler, *OTHER, PLACE=str(work.work)) == CACHED
    # Nothing was stored meanwhile, and what is stored from now on is not looked at under the rule.
    configure(work, "")
    assert said(work, compiler, *ONE, PLACE=str(work.work)) == CACHED
    configure(work, f"[cache]\n{rule}\n")
    assert said(work, compiler, *ONE, times=1, PLACE=str(work.work)) == [("passthrough", reason)]


@pytest.mark.hits
@COMPILERS
def test_rules_about_variables(work, compiler):
    configure(work, "[cache]\nbypass_env = ['NIGHTLY', 'MODE=release', 'EMPTY=']\n")
    for env, rule in (({"NIGHTLY": "1"}, "NIGHTLY"), ({"NIGHTLY": ""}, "NIGHTLY"), ({"MODE": "release"}, "MODE=release"), ({"EMPTY": ""}, "EMPTY=")):
        assert said(work, compiler, *ONE, **env) == [("passthrough", f"policy|bypass rule: env: {rule}")] * 2
    assert said(work, compiler, *ONE) == CACHED
    for env in ({"MODE": "debug"}, {"MODE": ""}, {"NIGHTLY_": "1"}, {"EMPTY": "1"}):
        assert said(work, compiler, *ONE, times=1, **env) == [("local_hit", None)], env


@pytest.mark.hits
@COMPILERS
@pytest.mark.parametrize("off", ["KACHE_CC_CACHE_LINKS=0", "[cc]\ncache_links = false\n"])
def test_links_and_archives_alone_can_be_left_out(work, compiler, off):
    env = {}
    if off.startswith("["):
        configure(work, off)
    else:
        env = dict([off.split("=")])
    objects = work.work / "obj"
    objects.mkdir()
    for name, source in (("one", "src/one.c"), ("main", "main.c")):
        assert work.run(work.work, compiler, "-Iinc", "-c", source, "-o", f"obj/{name}.o", through=False)[0] == 0
    time.sleep(0.02)
    links = ([compiler, "obj/main.o", "obj/one.o", "-o", "out/prog"], [compiler, "-shared", "-fPIC", "src/other-file.c", "-o", "out/libother.so"],
             ["ar", "crsD", "out/lib.a", "obj/one.o"])
    for link in links:
        assert said(work, *link, **env) == [("passthrough", "policy|links are not cached (cc.cache_links)")] * 2, link
    assert said(work, compiler, *ONE, **env) == CACHED
    # The variable wins over the file.
    for link in links:
        assert said(work, *link, KACHE_CC_CACHE_LINKS="1") == CACHED, link


@pytest.mark.hits
@COMPILERS
def test_flags_that_are_allowed_are_in_the_key(work, compiler):
    for setting in ("-fsome-flag", "-fsome-flag -fother-flag", "-fother-flag -fsome-flag", None):
        assert said(work, compiler, *ONE, KACHE_CC_EXTRA_ALLOWLIST_FLAGS=setting) == CACHED
    configure(work, "[cc]\nextra_allowlist_flags = ['-fsome-flag']\n")
    assert said(work, compiler, *ONE, times=1) == [("local_hit", None)]
    assert said(work, compiler, *ONE, KACHE_CC_EXTRA_ALLOWLIST_FLAGS="-fthird") == CACHED


@COMPILERS
def test_switched_off_it_is_the_compiler_alone(work, compiler):
    """No result, no event, no store; an output of an earlier hit is written over."""
    assert work.run(work.work, compiler, *ONE)[0] == 0
    assert work.run(work.work, compiler, *ONE)[0] == 0
    events = len(work.events())
    (work.work / "inc/h.h").write_text("#define H 2\n")
    alone = work.run(work.work, compiler, *ONE, through=False)
    for value in ("1", "true", "yes"):
        assert work.run(work.work, compiler, *ONE, KACHE_DISABLED=value) == alone
    assert len(work.events()) == events
    empty = work.root / "another"
    for command in ([compiler, *ONE], [compiler, "src/one.c", "-Iinc", "-shared", "-fPIC", "-o", "out/lib.so"], [compiler, "--version"],
                    [compiler, "-c", "no-such.c", "-o", "out/x.o"]):
        alone = work.run(work.work, *command, through=False)
        assert work.run(work.work, *command, KACHE_DISABLED="1", KACHE_CACHE_DIR=str(empty)) == alone
    assert not empty.exists()


@pytest.mark.hits
@COMPILERS
def test_another_wrapper_gets_what_is_passed_on(work, compiler):
    """All arguments as they were, and nothing that is cached, or asked."""
    log, wrapper = work.root / "log", work.root / "wrapper"
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> {log}\nshift\nexec "$@"\n')
    wrapper.chmod(0o755)
    configure(work, f"[cache]\nfallback = ['{wrapper}', '--word']\nbypass_argv = ['src/one.c']\n")
    assert said(work, compiler, *OTHER) == CACHED
    assert work.run(work.work, compiler, "--version")[0] == 0
    assert not log.exists()
    assert said(work, compiler, *ONE, times=1) == [("passthrough", "policy|bypass rule: argv contains: src/one.c")]
    assert log.read_text() == f"--word {compiler} {' '.join(ONE)}\n"
    assert work.event()["fallback"] is True
    # Its exit status is the user's, too.
    failing = [compiler, "-c", "src/one.c", "-o", "no/such/directory.o"]
    alone = work.run(work.work, *failing, through=False)
    assert work.run(work.work, *failing) == alone and alone[0] != 0
    # One that can not be started is none, and none can be asked for.
    (work.root / "broken").write_text("#!/no/such/interpreter\n")
    (work.root / "broken").chmod(0o755)
    assert work.run(work.work, compiler, *ONE, KACHE_FALLBACK=str(work.root / "broken")) == work.run(work.work, compiler, *ONE, through=False)
    for setting in ("/no/such/wrapper", "no-such-wrapper", str(work.root), str(work.work / "main.c"), "off"):
        log.unlink(missing_ok=True)
        assert said(work, compiler, *ONE, times=1, KACHE_FALLBACK=setting) == [("passthrough", "policy|bypass rule: argv contains: src/one.c")]
        assert "fallback" not in work.event() and not log.exists()


@pytest.mark.hits
@COMPILERS
def test_salt_and_variables_of_the_key(work, compiler):
    assert said(work, compiler, *ONE) == CACHED
    for env in ({"KACHE_KEY_SALT": "one"}, {"KACHE_KEY_SALT": "two"}, {"KACHE_KEY_ENV_VARS": "LIVE", "LIVE": "1"}, {"KACHE_KEY_ENV_VARS": "LIVE", "LIVE": "2"},
                {"KACHE_KEY_ENV_VARS": "LIVE"}, {"KACHE_KEY_ENV_VARS": "LI*", "LIVE": "1"}):
        assert said(work, compiler, *ONE, **env) == CACHED, env
    assert said(work, compiler, *ONE, times=1) == [("local_hit", None)]


@COMPILERS
def test_what_compiles_fast_need_not_be_stored(work, compiler):
    for result, reason in said(work, compiler, *ONE, KACHE_MIN_STORE_COMPILE_MS="100000"):
        assert result == "miss" and reason.startswith("policy|cheaper than min_store_compile_ms: ")
