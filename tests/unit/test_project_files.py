"""The files for contributors: they parse, and agree with noxfile.py and with the files they name."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
NOXFILE = (ROOT / "noxfile.py").read_text(encoding="utf-8")


def load(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def linters():
    """The requirements in LINTERS of noxfile.py, by name: ``{"ruff": "ruff==1.2.3"}``."""
    text = re.search(r"^LINTERS = \(\n(.*?)^\)", NOXFILE, re.DOTALL | re.MULTILINE).group(1)
    return {re.split("[=<>]", requirement)[0]: requirement for requirement in re.findall(r'"(.*?)"', text)}


class TestPreCommit:
    def hooks(self):
        return {hook["id"]: (repo, hook) for repo in load(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]}

    def test_it_runs_what_the_lint_session_runs(self):
        assert sorted(self.hooks()) == ["mypy", "ruff-check", "ruff-format"]

    @pytest.mark.parametrize("hook, linter", [("ruff-check", "ruff"), ("ruff-format", "ruff"), ("mypy", "mypy")])
    def test_versions_are_those_of_the_lint_session(self, hook, linter):
        assert "{}=={}".format(linter, self.hooks()[hook][0]["rev"].lstrip("v")) == linters()[linter]

    def test_mypy_sees_the_same_packages(self):
        tools = ("ruff", "mypy", "pyright[nodejs]", "jedi")
        wanted = {requirement for name, requirement in linters().items() if name not in tools}
        assert set(self.hooks()["mypy"][1]["additional_dependencies"]) == wanted


class TestWorkflow:
    WORKFLOW = load(".github/workflows/tests.yml")

    def test_each_job_runs_after_those_it_reads_from(self):
        jobs = self.WORKFLOW["jobs"]
        for job in jobs.values():
            assert set(re.findall(r"needs\.(\w+)\.", str(job["steps"]) + str(job.get("strategy")))) <= {
                job.get("needs")
            }
        assert {job["needs"] for job in jobs.values() if "needs" in job} <= set(jobs)

    def test_sessions_outside_of_the_matrix_are_run_after_it(self):
        listing = self.WORKFLOW["jobs"]["list"]["steps"][-1]["run"]
        left_out = set(re.findall(r'"(\w+)"', listing.split("IN(")[1].split(")")[0])) - {"more", "mutation"}
        last = self.WORKFLOW["jobs"]["together"]["steps"][-1]["run"]
        assert last.split()[:2] == ["nox", "--session"] and set(last.split()[2:]) == left_out
        assert left_out <= set(re.findall(r"^def (\w+)\(session: nox\.Session", NOXFILE, re.MULTILINE))

    def test_a_name_from_outside_never_becomes_part_of_a_script(self):
        scripts = [step["run"] for job in self.WORKFLOW["jobs"].values() for step in job["steps"] if "run" in step]
        assert [script for script in scripts if "${{" in script] == []

    def test_outputs_are_where_the_noxfile_puts_them(self):
        assert 'os.environ.get("UNIHUB_EXAMPLES"' in NOXFILE
        assert self.WORKFLOW["env"]["UNIHUB_EXAMPLES"].endswith("/outputs/examples")


def test_a_bug_report_asks_for_the_environment():
    fields = {field.get("id"): field for field in load(".github/ISSUE_TEMPLATE/bug_report.yml")["body"]}
    assert "`unihub env`" in fields["environment"]["attributes"]["label"]
    assert fields["environment"]["validations"]["required"]


def test_issues_link_to_the_documentation():
    (link,) = load(".github/ISSUE_TEMPLATE/config.yml")["contact_links"]
    assert "site_url: {}\n".format(link["url"]) in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "SECURITY.md", ".github/pull_request_template.md"])
def test_pages_name_files_that_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    names = re.findall(r"`((?:unihub|tests|docs|\.ci)/[\w./-]+|\w+\.(?:py|md|cfg|toml))`", text)
    names += [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_contributing_links_to_sections_that_exist():
    headings = re.findall(r"^## (.*)$", (ROOT / "docs" / "extending.md").read_text(encoding="utf-8"), re.MULTILINE)
    anchors = re.findall(r"docs/extending\.md#([\w-]+)", CONTRIBUTING)
    assert len(anchors) >= 6 and set(anchors) <= {heading.lower().replace(" ", "-") for heading in headings}


def test_contributing_has_each_folder_of_the_package():
    folders = {name for name in os.listdir(str(ROOT / "unihub")) if (ROOT / "unihub" / name / "__init__.py").exists()}
    assert [name for name in sorted(folders) if "`unihub/{}`".format(name) not in CONTRIBUTING] == []


def test_the_source_distribution_has_what_these_tests_read():
    manifest = (ROOT / "MANIFEST.in").read_text(encoding="utf-8")
    for name in ("CONTRIBUTING.md", "SECURITY.md", ".editorconfig", ".pre-commit-config.yaml", ".github *.yml *.md"):
        assert name in manifest
