"""C in two checkouts: what holds its place stays there, what does not is shared; and what `cc.prefix_map` makes of that."""
import gzip
import os
import time

import pytest

from laboratory import write_tree

# The project, because there is a Makefile. Its sources are named absolutely, as CMake does it.
FILES = {
    "Makefile": "",
    "src/says.c": '#include "h.h"\nconst char *file = __FILE__;\nint says(int x) { return x + H; }\n',
    "src/quiet.c": '#include "h.h"\nint quiet(int x) { return x + H; }\n',
    "src/warns.c": '#include "h.h"\nint warns(void) { int unused = 1; return H; }\n',
    "inc/h.h": "#define H 1\n",
}
COMPILERS = pytest.mark.parametrize("compiler", ["gcc", "clang"])
# The flag that kache adds for each setting, and whether a unit that says __FILE__ is the same in all places.
MAPS = {"debug": ("-fdebug-prefix-map=", False), "all": ("-ffile-prefix-map=", True), "off": (None, False)}


@pytest.fixture
def places(lab):
    lab.places = [write_tree(lab.root / name, FILES) for name in ("first", "the/second")]
    time.sleep(0.02)
    return lab


def configure(lab, text):
    path = lab.home / ".config/kache/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def command(compiler, place, source, *more):
    return [compiler, *more, f"-I{place}/inc", "-c", f"{place}/src/{source}.c", "-o", "out/a.o"]


def results(lab, place, compiler, source, *more, times=2, alone_with=(), **env):
    """Compiles so often and says how; each time the outcome is that of the compiler alone, which has these flags as well."""
    alone = lab.run(place, *command(compiler, place, source, *alone_with, *more), through=False, **env)
    assert alone[0] == 0, alone
    said = []
    for _ in range(times):
        assert lab.run(place, *command(compiler, place, source, *more), **env) == alone
        event = lab.event()
        assert event["compiler_runs"] == (event["result"] == "miss") and "passthrough_reason" not in event, event
        said.append(event["result"])
    return said, alone


@pytest.mark.hits
@COMPILERS
@pytest.mark.parametrize("setting", MAPS)
def test_what_a_prefix_map_maps(places, compiler, setting):
    flag, is_shared = MAPS[setting]
    configure(places, f"[cc]\nprefix_map = '{setting}'\n")
    made = []
    for place, expected in zip(places.places, (["miss", "local_hit"], ["local_hit"] * 2 if is_shared else ["miss", "local_hit"])):
        flags = [f"{flag}{place}=/proc/self/cwd"] if flag else []
        said, left = results(places, place, compiler, "says", "-g", alone_with=flags)
        assert said == expected
        made.append(left[3]["a.o"][0])
        assert (os.fsencode(place) in made[-1]) == (not is_shared)
        assert (b"/proc/self/cwd" in made[-1]) == (flag is not None)
    assert (made[0] == made[1]) == is_shared
    # Both are there to stay.
    for place, bytes_there in zip(places.places, made):
        flags = [f"{flag}{place}=/proc/self/cwd"] if flag else []
        said, left = results(places, place, compiler, "says", "-g", times=1, alone_with=flags)
        assert (said, left[3]["a.o"][0]) == (["local_hit"], bytes_there)


@pytest.mark.hits
@COMPILERS
def test_one_setting_does_not_answer_another(places, compiler):
    place = places.places[0]
    for expected in ("miss", "local_hit"):
        for setting, (flag, _) in MAPS.items():
            configure(places, f"[cc]\nprefix_map = '{setting}'\n")
            flags = [f"{flag}{place}=/proc/self/cwd"] if flag else []
            assert results(places, place, compiler, "says", "-g", times=1, alone_with=flags)[0] == [expected], setting


@pytest.mark.hits
@COMPILERS
def test_all_maps_without_debug_information_too(places, compiler):
    configure(places, "[cc]\nprefix_map = 'all'\n")
    for place, expected in zip(places.places, (["miss", "local_hit"], ["local_hit"] * 2)):
        said, left = results(places, place, compiler, "says", alone_with=[f"-ffile-prefix-map={place}=/proc/self/cwd"])
        assert said == expected and os.fsencode(place) not in left[3]["a.o"][0]


@pytest.mark.hits
@COMPILERS
def test_a_variable_switches_the_map_off(places, compiler):
    """Byte for byte what the user asked for, in each place."""
    for setting in MAPS:
        configure(places, f"[cc]\nprefix_map = '{setting}'\n[cache]\nkey_salt = '{setting}'\n")
        for place in places.places:
            said, left = results(places, place, compiler, "says", "-g", KACHE_CC_PATH_NORMALIZE="0")
            assert said == ["miss", "local_hit"] and os.fsencode(place) in left[3]["a.o"][0]


@pytest.mark.hits
@COMPILERS
def test_a_unit_that_holds_its_place_is_bound_to_it(places, compiler):
    """Without debug information nothing is mapped: what the object says decides."""
    first, second = places.places
    for source, elsewhere in (("says", "miss"), ("quiet", "local_hit")):
        assert results(places, first, compiler, source)[0] == ["miss", "local_hit"]
        said, left = results(places, second, compiler, source, times=1)
        assert said == [elsewhere], places.event()
        if elsewhere == "miss":
            assert any(str(first) in reason for reason in places.event()["miss_reason"]), places.event()
        assert (os.fsencode(second) in left[3]["a.o"][0]) == (elsewhere == "miss")
        assert results(places, second, compiler, source, times=1)[0] == ["local_hit"]
        assert results(places, first, compiler, source, times=1)[0] == ["local_hit"]


HIDDEN = {
    "compressed debug information": ["{compiler}", "-g", "-gz"],
    "compressed debug information of the old kind": ["gcc", "-g", "-gdwarf-4", "-gz=zlib-gnu"],
    "the other order of bytes": ["clang", "--target=s390x-linux-gnu", "-ffreestanding", "-g", "-gdwarf-4", "-gz"],
    "link-time optimisation": ["{compiler}", "-g", "-flto"],
    "a compressed record of optimisations": ["gcc", "-O3", "-fsave-optimization-record"],
    "an open record of optimisations": ["clang", "-O3", "-fsave-optimization-record"],
}


@pytest.mark.hits
@pytest.mark.parametrize("name,compiler", [(name, compiler) for name, words in HIDDEN.items() for compiler in ("gcc", "clang")
                                           if words[0] in ("{compiler}", compiler)])
def test_a_place_that_can_not_be_read_in_the_output_binds_it_too(places, name, compiler):
    for place in places.places:
        # Many names, so that compressing is worth it.
        (place / "inc/long.h").write_text("".join(f"struct some_long_name_{i} {{ int member_of_it_{i}; }} variable_with_a_name_{i};\n" for i in range(60)))
        (place / "src/loop.c").write_text('#include "long.h"\nint loop(const int *x, int n) { int s = 0; while (n--) s += x[n]; return s; }\n')
    time.sleep(0.02)
    made = []
    for place in places.places:
        line = command(compiler, place, "loop", *HIDDEN[name][1:])
        said = []
        for _ in range(2):
            through = places.run(place, *line, KACHE_CC_PATH_NORMALIZE="0")
            assert through[0] == 0 and "passthrough_reason" not in places.event(), (through[2], places.event())
            said.append(places.event()["result"])
        assert said == ["miss", "local_hit"]
        alone = places.run(place, *line, through=False)
        if name == "a compressed record of optimisations":  # which also holds addresses of the compiler's own
            assert set(through[3]) == set(alone[3]) and len(through[3]) == 2
            record = next(file for file in through[3] if file.endswith(".gz"))
            assert os.fsencode(place) in gzip.decompress(through[3][record][0])
        elif name != "link-time optimisation":  # the names of its sections are random
            assert through == alone
        made.append(through[3])
    assert made[0] != made[1]


@pytest.mark.hits
@COMPILERS
def test_messages_name_the_file_where_it_is(places, compiler):
    """A place in the messages alone binds nothing: it is written for whoever asks."""
    for place, expected in zip(places.places, (["miss", "local_hit"], ["local_hit"] * 2)):
        said, left = results(places, place, compiler, "warns", "-Wall")
        assert said == expected and os.fsencode(f"{place}/src/warns.c:2") in left[2]


@pytest.mark.hits
@COMPILERS
def test_a_map_of_the_users_own_is_the_only_one(places, compiler):
    configure(places, "[cc]\nprefix_map = 'all'\n")
    for place, expected in zip(places.places, (["miss", "local_hit"], ["local_hit"] * 2)):
        said, left = results(places, place, compiler, "says", "-g", f"-ffile-prefix-map={place}=mine")
        assert said == expected and b"mine/src/says.c" in left[3]["a.o"][0]


@pytest.mark.hits
@pytest.mark.parametrize("compiler,flags", [("gcc", ["-frecord-gcc-switches"]), ("gcc", ["-grecord-gcc-switches"]), ("clang", ["-frecord-gcc-switches"]),
                                            ("clang", ["-grecord-command-line"]), ("clang", ["-grecord-gcc-switches"]), ("clang", ["-MJ", "out/a.json"])])
def test_a_command_line_that_is_written_down_is_the_users(places, compiler, flags):
    """Byte for byte: clang writes all flags, so there are none of kache's; gcc leaves maps out, and has one."""
    for place in places.places:
        mapped = [f"-fdebug-prefix-map={place}=/proc/self/cwd"] if compiler == "gcc" else []
        said, left = results(places, place, compiler, "says", "-g", *flags, alone_with=mapped)
        assert said == ["miss", "local_hit"] and b"/kache/" not in b"".join(data for data, _ in left[3].values())
