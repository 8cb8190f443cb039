"""daemon install and uninstall, with a systemctl and a launchctl that only note what they are asked."""
import os
import pathlib
import plistlib
import subprocess

import pytest

BUILD = pathlib.Path(os.environ.get("KACHE_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))


class Home:
    def __init__(self, root):
        self.path, self.log = root / "home", root / "calls"
        (root / "bin").mkdir()
        self.path.mkdir()
        for name in ("systemctl", "launchctl"):
            program = root / "bin" / name
            program.write_text(f'#!/bin/sh\necho {name} "$@" >> "{self.log}"\n[ ! -e "{root}/broken" ]\n')
            program.chmod(0o755)
        self.env = {"PATH": f"{root}/bin:/usr/bin:/bin", "HOME": str(self.path), "KACHE_CACHE_DIR": str(root / "cache"), "LANG": "C.UTF-8"}

    def daemon(self, *words, check=0):
        done = subprocess.run([BUILD / "bin/kache", "daemon", *words], env=self.env, cwd=self.path, capture_output=True, text=True)
        assert done.returncode == check, done
        return done

    def calls(self):
        text = self.log.read_text() if self.log.exists() else ""
        self.log.unlink(missing_ok=True)
        return text.splitlines()


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def test_a_unit_of_systemd(home):
    unit = home.path / ".config/systemd/user/kache.service"
    shown = home.daemon("install", "--print").stdout
    assert f'ExecStart="{BUILD}/bin/kache" daemon run' in shown and not unit.exists() and home.calls() == []
    said = home.daemon("install").stdout
    assert "Service installed and started." in said and str(unit) in said
    assert unit.read_text() == shown
    assert home.calls() == ["systemctl --user daemon-reload", "systemctl --user enable --now kache.service", "systemctl --user restart kache.service"]
    assert "Service:  installed" in home.daemon("status", check=1).stdout
    assert "upgrading in place" in home.daemon("install").stdout
    home.calls()
    assert "Service stopped and removed." in home.daemon("uninstall").stdout
    assert home.calls() == ["systemctl --user disable --now kache.service", "systemctl --user daemon-reload"] and not unit.exists()
    assert "Service is not installed" in home.daemon("uninstall").stdout
    assert home.calls() == []


def test_a_unit_goes_where_the_configuration_is(home):
    home.env["XDG_CONFIG_HOME"] = str(home.path / "conf")
    home.daemon("install")
    assert (home.path / "conf/systemd/user/kache.service").exists()


def test_an_agent_of_launchd(home):
    home.daemon("install", "--manager", "launchd")
    agent = home.path / "Library/LaunchAgents/ninja.kunobi.kache.plist"
    parsed = plistlib.loads(agent.read_bytes())
    assert parsed["ProgramArguments"] == [f"{BUILD}/bin/kache", "daemon", "run"] and parsed["RunAtLoad"] is True
    assert home.calls() == [f"launchctl bootstrap gui/{os.getuid()} {agent}"]
    home.daemon("uninstall", "--manager", "launchd")
    assert not agent.exists()


def test_what_fails_is_said(home):
    (home.path.parent / "broken").touch()
    failed = home.daemon("install", check=1)
    assert "systemctl --user daemon-reload failed" in failed.stderr and "kache.service" in failed.stderr
    wrong = home.daemon("install", "--manager", "upstart", check=2)
    assert "systemd" in wrong.stderr


@pytest.mark.skipif(not pathlib.Path("/usr/bin/systemd-analyze").exists(), reason="no systemd-analyze")
def test_systemd_finds_the_unit_good(home, tmp_path):
    (tmp_path / "kache.service").write_text(home.daemon("install", "--print").stdout)
    checked = subprocess.run(["systemd-analyze", "verify", "--user", tmp_path / "kache.service"], capture_output=True, text=True,
                             env={**home.env, "XDG_RUNTIME_DIR": str(tmp_path)})
    assert "kache.service:" not in checked.stderr, checked.stderr
