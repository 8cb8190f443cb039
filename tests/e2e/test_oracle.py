"""Every hit of a whole build compared with a fresh compile: KACHE_CHECK_HITS runs the compiler as well and says what differs."""
import shutil
import subprocess

import pytest

from laboratory import package, relocate, workspace, write_tree
from projects import WORKSPACE


def checked(lab, tree, *args, **env):
    """(units that were compared, what differed) of a build from nothing."""
    shutil.rmtree(tree / "target", ignore_errors=True)
    lab.forget_events()
    lab.cargo(tree, *(args or ("build",)), KACHE_CHECK_HITS="1", **env)
    events = [event for event in lab.events() if event["result"] in ("local_hit", "dup")]
    assert all(event["compiler_runs"] == 1 for event in events)
    return len(events), [(event["crate_name"], event["wrong"]) for event in events if event["wrong"]]


@pytest.mark.hits
@pytest.mark.parametrize("args", [["build"], ["build", "--release"], ["check", "--all-targets"], ["test", "--no-run"]])
def test_hits_of_the_workspace_are_what_a_compile_would_have_made(lab, args):
    one = write_tree(lab.root / "one", WORKSPACE)
    lab.cargo(one, *args)
    count, wrong = checked(lab, one, *args)
    assert count >= 5 and wrong == []
    count, wrong = checked(lab, relocate(one, lab.root / "two"), *args)
    assert count >= 3 and wrong == []


@pytest.mark.hits
def test_the_check_finds_what_no_record_can_see(lab):
    """A proc macro that walks the whole environment: the documented limit, and so a wrong result to be found."""
    one = write_tree(lab.root / "one", {
        "Cargo.toml": workspace("walks", "app"),
        "walks/Cargo.toml": package("walks", lib="proc-macro = true"),
        "walks/src/lib.rs": "use proc_macro::TokenStream;\n#[proc_macro]\npub fn look(_: TokenStream) -> TokenStream {\n"
                            '    let found = std::env::vars_os().find(|(name, _)| name == "HIDDEN").map(|(_, value)| value);\n'
                            '    format!("{:?}", format!("{found:?}")).parse().unwrap()\n}\n',
        "app/Cargo.toml": package("app", ["walks"]),
        "app/src/main.rs": 'fn main() { println!("{}", walks::look!()); }\n',
    })
    lab.cargo(one, "build", HIDDEN="one")
    assert checked(lab, one, HIDDEN="one")[1] == []
    wrong = checked(lab, one, HIDDEN="two")[1]
    assert [crate for crate, _ in wrong] == ["app"] and wrong[0][1][0].startswith("app-")
    # The user gets what the compiler said, and the configuration closes the hole.
    assert "two" in subprocess.run([one / "target/debug/app"], capture_output=True, text=True, check=True).stdout
    assert checked(lab, one, HIDDEN="two", KACHE_KEY_ENV_VARS="HIDDEN")[1] == []
    assert "app" in lab.missed()
