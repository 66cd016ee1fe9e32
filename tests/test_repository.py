"""The house itself: one address, versions that agree, commands that do what the README says."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from helpers import environment
from scripts.dev import badges
from scripts.dev.lowest_constraints import lowest

ROOT = Path(__file__).resolve().parent.parent


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def requirements(name):
    lines = [line.split("#")[0].strip() for line in read(name).splitlines()]
    return [Requirement(line) for line in lines if line]


# One address


def test_every_address_is_the_one_in_the_settings(project_files):
    for path, text in badges.wanted_files().items():
        assert path.read_text(encoding="utf-8") == text, f"run `make badges`: {path.name} has another address"
    for path in project_files:
        if path.suffix in (".md", ".ipynb"):
            for slug in re.findall(r"colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)", read(path)):
                assert slug == badges.repository(), f"{path} opens {slug} on Colab"


def test_a_fork_changes_one_line(tmp_path, project_files):
    for path in project_files:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, tmp_path / path)
    old, new = badges.repository(), "someone/my.bert-course"
    settings = tmp_path / "pyproject.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert badges.main(["--check"], tmp_path) == 1
    assert badges.main([], tmp_path) == 0
    texts = {p: p.read_text(encoding="utf-8") for p in badges.wanted_files(tmp_path)}
    for path, text in texts.items():
        assert f"github.com/{old}" not in text and f"/github/{old}/" not in text, path.name
        if path.suffix == ".ipynb":
            assert f'REPOSITORY = \\"https://github.com/{new}\\"' in text
            assert f"https://colab.research.google.com/github/{new}/blob/main/notebooks/{path.name}" in text
    assert badges.main([], tmp_path) == 0
    assert texts == {p: p.read_text(encoding="utf-8") for p in texts}
    assert badges.main(["--check"], tmp_path) == 0


@pytest.mark.parametrize(
    "address", ["https://gitlab.com/a/b", "https://github.com/a", "git@github.com:a/b.git"]
)
def test_an_address_elsewhere_is_refused(tmp_path, address):
    (tmp_path / "pyproject.toml").write_text(f'[tool.course]\nrepository = "{address}"\n')
    with pytest.raises(SystemExit, match="from GitHub only"):
        badges.repository(tmp_path)


# Versions


def test_constraints_satisfy_requirements():
    pins = {r.name.lower(): r for r in requirements("constraints.txt")}
    for requirement in [*requirements("requirements.txt"), *requirements("requirements-dev.txt")]:
        (pin,) = pins[requirement.name].specifier
        assert pin.operator == "==" and not Version(pin.version).local
        assert requirement.specifier.contains(pin.version), requirement
    assert len(pins) == len(requirements("constraints.txt")), "a package is pinned twice"


def test_every_requirement_says_what_it_is_for():
    for line in read("requirements.txt").splitlines():
        fine = not line or line.startswith("#") or re.fullmatch(r"[\w-]+>=[\d.]+(,<\d+)? +# .+: .+", line)
        assert fine, line


def test_lowest_constraints():
    assert lowest("# a\ntorch>=2.1  # b\n\ntqdm>=4\n") == ["torch==2.1", "tqdm==4"]
    with pytest.raises(ValueError, match="no lower bound"):
        lowest("torch\n")
    assert len(lowest(read("requirements.txt"))) == len(requirements("requirements.txt"))


def test_what_colab_does_without_is_required_elsewhere():
    names = {r.name for r in requirements("requirements.txt")}
    assert set(environment.KEPT_ON_COLAB) <= names
    assert set(environment.AROUND_THE_NOTEBOOKS) <= names
    assert set(environment.FILES_ONLY) <= names


def test_the_installed_packages_will_do():
    assert environment.unmet_requirements(ROOT / "requirements.txt") == {}


# Commands


@pytest.fixture
def checkout(tmp_path):
    """A folder with a space in its name, the Makefile, and a Python that only notes what it is asked for."""
    if not shutil.which("make") or sys.platform == "win32":
        pytest.skip("make is not on this system")
    folder = tmp_path / "my course"
    folder.mkdir()
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt", "constraints.txt"):
        shutil.copy2(ROOT / name, folder / name)
    return folder


def fake_python(path, answers=""):
    """A stand-in for Python: notes its arguments in asked.txt, makes a venv from itself, obeys `answers`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        '#!/bin/sh\necho "$@" >> asked.txt\n'
        + answers
        + 'if [ "$2" = venv ]; then mkdir -p .venv/bin && cp "$0" .venv/bin/python; fi\n'
    )
    path.chmod(0o755)
    return path


def make(folder, *arguments):
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "PIP_ARGS", "PYTHON"))
    }
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True)


def test_make_installs_once(checkout):
    python = f"PYTHON={fake_python(checkout.parent / 'bin dir' / 'python3')}"
    assert make(checkout, "test", python).returncode == 0
    asked = (checkout / "asked.txt").read_text().splitlines()
    assert "-m venv .venv" in asked and asked[-2:] == ["-m helpers.data all", "-m pytest"]
    assert "-m pip install -r requirements.txt -c constraints.txt" in asked
    opening = ["-m helpers.data", "-m jupyterlab --ServerApp.root_dir=. notebooks/00_start_here.ipynb"]
    for target, wanted in (("test", ["-m helpers.data all", "-m pytest"]), ("lab", opening)):
        (checkout / "asked.txt").unlink()
        assert make(checkout, target, python).returncode == 0
        assert (checkout / "asked.txt").read_text().splitlines() == wanted


def test_a_broken_install_starts_again(checkout):
    python = f"PYTHON={fake_python(checkout.parent / 'python3', 'if [ $2 = pip ]; then exit 1; fi')}\n"
    assert make(checkout, "test", python.strip()).returncode != 0
    assert not (checkout / ".venv" / ".installed").exists()
    fake_python(checkout / ".venv" / "bin" / "python")
    assert make(checkout, "test", python.strip()).returncode == 0
    assert (checkout / ".venv" / ".installed").exists()


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ('case "$2" in *version_info*) exit 1;; esac\n', "needs Python 3.11 or newer"),
        ('case "$2" in *ensurepip*) exit 1;; esac\n', "sudo apt install python3-venv"),
    ],
)
def test_make_says_what_is_wrong_with_a_python(checkout, answers, words):
    result = make(checkout, "lab", f"PYTHON={fake_python(checkout.parent / 'python3', answers)}")
    assert result.returncode != 0 and words in result.stdout
    assert not (checkout / ".venv").exists()


def test_make_without_a_python(checkout):
    result = make(checkout, "lab", "PYTHON=no-such-python")
    assert result.returncode != 0 and "no program called no-such-python" in result.stdout


def test_the_workflow_runs_what_it_should():
    jobs = yaml.safe_load(read(".github/workflows/test.yml"))["jobs"]
    commands = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    matrix = jobs["test"]["strategy"]["matrix"]
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert "3.11" in matrix["python"] and len(matrix["python"]) == 2
    assert not any("make" in command for command in commands["test"])  # Windows has none
    assert "python -m pip install -r requirements.txt -c constraints.txt" in commands["test"]
    assert "python -m pip install -r requirements.txt -c lowest.txt" in commands["lowest"]
    assert commands["test"][-1] == commands["lowest"][-1] == "python -m pytest"
    assert commands["make"] == ["bash .ci/run"]


def test_the_licence_is_whole():
    text = read("LICENSE")
    assert "Apache License" in text and "END OF TERMS AND CONDITIONS" in text
    assert tomllib.loads(read("pyproject.toml"))["tool"]["course"]["repository"]
