"""What those who change or cite the course read: its commands, links, forms and versions are right."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from scripts.dev import badges

ROOT = Path(__file__).resolve().parent.parent
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[0-9]*.yml"))
PAGES = ("CONTRIBUTING.md", "CHANGELOG.md")


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", read(page))
    assert links or page == "CHANGELOG.md"
    for link in links:
        assert link.startswith("https://") or (ROOT / link).is_file(), link


def test_commands_of_contributing_are_there():
    words = read("CONTRIBUTING.md")
    commands = re.findall(r"`([^`\n]+)`", words) + re.findall(r"^(make .*?)(?: {2,}#.*)?$", words, re.M)
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.M))
    for command in commands:
        parts = shlex.split(command)
        if parts[0] == "make":
            assert parts[1] in targets, command
        for part in parts:
            if re.match(r"(scripts|benchmarks|tests|helpers|\.ci)/", part):
                assert (ROOT / part).exists(), command
    assert sum(command.startswith("make") for command in commands) >= 5


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_issue_forms(path):
    """GitHub shows a form only where each field has a kind that it knows, an id of its own and a label."""
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(form) == {"name", "description", "labels", "body"}
    assert len({field["id"] for field in form["body"]}) == len(form["body"])
    for field in form["body"]:
        assert field["type"] in ("input", "textarea", "dropdown", "checkboxes")
        assert re.fullmatch(r"[\w-]+", field["id"]) and field["attributes"]["label"]
        assert field["validations"] == {"required": True}


def test_there_are_forms():
    assert len(FORMS) == 3
    assert "python -m helpers.environment" in FORMS[0].read_text(encoding="utf-8")


def test_the_citation():
    """The keys that version 1.2.0 of the Citation File Format asks for; facts that stand elsewhere, too."""
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["cff-version"] == "1.2.0" and citation["message"] and citation["authors"]
    assert f"# {citation['title']}\n" in read("README.md")
    assert citation["repository-code"] == f"https://github.com/{badges.repository()}"
    assert citation["license"] == "Apache-2.0" and "Apache License" in read("LICENSE")
    newest = re.search(r"^## ([\d.]+), ", read("CHANGELOG.md"), re.M)[1]
    assert citation["version"] == newest
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", str(citation["date-released"]))
