"""The files under ci/: they parse, and what they run does what they say, as far as there is no GitHub and no GitLab here."""
import os
import pathlib
import re
import subprocess

import pytest
import yaml

from test_builds import KACHE, Log

CI = pathlib.Path(__file__).resolve().parents[2] / "ci"


class Job:
    """A home, and the files that a runner gives to the steps of a job."""

    def __init__(self, home):
        self.log = Log(home)
        self.home, self.env = home, {"PATH": f"{KACHE.parent}:/usr/bin:/bin", "HOME": str(home), "RUNNER_TEMP": str(home / "tmp"), "LANG": "C.UTF-8"}
        for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
            self.env[name] = str(home / name)
            (home / name).touch()

    def action(self, name, **inputs):
        """Runs the steps of an action with these inputs, and its defaults for the others."""
        action = yaml.safe_load((CI / "github" / name / "action.yml").read_text())
        assert action["runs"]["using"] == "composite" and set(inputs) <= {key.replace("-", "_") for key in action["inputs"]}
        values = {key: inputs.get(key.replace("-", "_"), value["default"]) for key, value in action["inputs"].items()}
        for step in action["runs"]["steps"]:
            assert step["shell"] == "bash" and "${{" not in step["run"]  # inputs are no text of the script
            given = {key: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: values[m[1]], text) for key, text in step["env"].items()}
            result = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], cwd=self.home, env=self.env | given,
                                    capture_output=True, text=True)
            if result.returncode:
                break
        for line in self.read("GITHUB_ENV").splitlines():
            key, value = line.split("=", 1)
            self.env[key] = value
        return result

    def read(self, name):
        return (self.home / name).read_text()


@pytest.fixture
def job(tmp_path):
    return Job(tmp_path)


def test_setup_sends_builds_through_kache(job):
    assert job.action("setup", shims="true").returncode == 0
    assert job.env["RUSTC_WRAPPER"] == job.env["CMAKE_C_COMPILER_LAUNCHER"] == str(KACHE.resolve()) and job.env["KACHE_CACHE_DIR"] == f"{job.home}/tmp/kache"
    job.env["PATH"] = job.read("GITHUB_PATH").strip() + ":" + job.env["PATH"]
    (job.home / "a.c").write_text("int a;\n")
    subprocess.run(["cc", "-c", "a.c"], cwd=job.home, env=job.env, check=True)
    assert '"crate_name":"a.c"' in (job.home / "tmp/kache/events.jsonl").read_text()
    assert job.action("report", window="job").returncode == 0
    assert job.read("GITHUB_STEP_SUMMARY").startswith("### kache build cache\n") and "hit-rate=0.0" in job.read("GITHUB_OUTPUT")


def test_setup_says_that_there_is_no_kache(job):
    result = job.action("setup", kache="nosuch")
    assert result.returncode == 1 and "::error::" in result.stdout and "nosuch" in result.stdout and job.read("GITHUB_ENV") == ""


def test_report_appends_and_judges(job):
    job.log.add("old", 90000, "miss", session="x-1-1")
    for crate, result in (("a", "local_hit"), ("b", "local_hit"), ("c", "miss")):
        job.log.add(crate, 60, result, session="x-2-2")
    (job.home / "GITHUB_STEP_SUMMARY").write_text("before\n")
    assert job.action("report", fail_under="60", html="out.html").returncode == 0
    summary = job.read("GITHUB_STEP_SUMMARY")
    assert summary.startswith("before\n### kache build cache\n") and "2/3 cacheable" in summary
    assert job.read("GITHUB_OUTPUT") == "hit-rate=66.7\n" and job.read("out.html").startswith("<!DOCTYPE html>")
    assert job.action("report", fail_under="67").returncode == 3
    assert job.action("report", window="week").returncode == 2


def test_a_job_that_compiled_nothing_does_not_fail(job):
    result = job.action("report", fail_under="90")
    assert result.returncode == 0 and "::warning::" in result.stdout and job.read("GITHUB_STEP_SUMMARY") == ""


def test_gitlab_job_leaves_its_page_and_its_metrics(job):
    template = yaml.safe_load((CI / "gitlab" / "kache.yml").read_text())[".kache"]
    for crate, result in (("a", "local_hit"), ("c", "miss")):
        job.log.add(crate, 60, result, session="x-2-2")
    script = "\n".join(template["after_script"])
    result = subprocess.run(["sh", "-c", script], cwd=job.home, env=job.env, capture_output=True, text=True)
    assert result.returncode == 0 and "50.0% hit rate" in result.stdout
    assert job.read(template["artifacts"]["reports"]["metrics"]) == "kache_hit_rate_pct 50.0\nkache_time_saved_ms 90\n"
    assert all((job.home / path).exists() for path in template["artifacts"]["paths"])
    assert template["cache"]["paths"] == [".kache/"] and template["variables"]["KACHE_CACHE_DIR"] == "$CI_PROJECT_DIR/.kache"


def test_samples_in_the_document_are_whole(job):
    text = (CI.parent / "docs" / "ci.md").read_text()
    samples = re.findall(r"```yaml\n(.*?)```", text, re.S)
    assert len(samples) >= 2
    for sample in samples:
        parsed = yaml.safe_load(sample)
        for step in (step for one in parsed.get("jobs", {}).values() for step in one["steps"]):
            action = re.fullmatch(r"\./kache/(ci/github/\w+)|[\w.-]+/kache/(ci/github/\w+)@\w+", step.get("uses", ""))
            if action:
                declared = yaml.safe_load((CI.parent / (action[1] or action[2]) / "action.yml").read_text())
                assert set(step.get("with", {})) <= set(declared["inputs"])
