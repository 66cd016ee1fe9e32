"""The set-up cell, run as it is in a process made to look like Colab, and like a computer at home."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import environment
from scripts.dev import badges

ROOT = Path(__file__).resolve().parent.parent
CELL = (ROOT / "scripts" / "dev" / "setup_cell.py").read_text(encoding="utf-8")

# Runs the cell with a made-up Colab, GPU, set of installed versions and pip; prints what came of it.
HARNESS = """
import importlib.metadata, json, os, subprocess, sys, types

asked = json.loads(sys.argv[1])
if asked["colab"]:
    sys.modules["google"] = types.ModuleType("google")
    sys.modules["google.colab"] = types.ModuleType("google.colab")

import torch
torch.cuda.is_available = lambda: asked["gpu"]

real_version, real_run, pip = importlib.metadata.version, subprocess.run, []
real_packages = list(importlib.metadata.distributions())
imports = []

def version(name):
    found = asked["versions"].get(name, "as it is")
    if found is None:
        raise importlib.metadata.PackageNotFoundError(name)
    return real_version(name) if found == "as it is" else found

def distributions():
    installed = {package.metadata["Name"]: package.version for package in real_packages} | asked["versions"]
    abouts = [{"Name": name, "Version": found} for name, found in installed.items() if found]
    abouts += [{}, {"Name": "odd", "Version": "no version"}]  # left by broken installations
    return [types.SimpleNamespace(metadata=about) for about in abouts]

def run(command, **options):
    if isinstance(command, str):  # git's
        return real_run(command, **options)
    if command[1] == "-c":
        imports.append(command[2])
        return subprocess.CompletedProcess(command, asked["import_fails"], "", "ImportError: too new")
    if "pip" not in command:
        return real_run(command, **options)
    constraints = open(command[command.index("-c") + 1]).read().split()
    pip.append({"command": command, "constraints": constraints})
    failed = asked["pip_fails"] >= len(pip)
    return subprocess.CompletedProcess(command, int(failed), "", "no room")

importlib.metadata.distributions = distributions
importlib.metadata.version, subprocess.run = version, run
before = list(sys.path)
try:
    exec(asked["cell"])
    settings = [settings.device.type, settings.gpu, settings.colab]
    found = {"settings": settings, "helpers": environment.__file__, "first": sys.path[0]}
except Exception as error:
    found = {"error": f"{type(error).__name__}: {error}"}
print("\\n" + json.dumps(found | {"pip": pip, "imports": imports}))
"""


@pytest.fixture
def run_cell(tmp_path):
    """A function that runs the set-up cell in a folder and returns what came of it, with what it printed."""

    def run(folder, colab=False, gpu=False, versions=None, pip_fails=0, import_fails=0, variables=None):
        asked = {"cell": CELL, "colab": colab, "gpu": gpu, "versions": versions or {}}
        asked |= {"pip_fails": pip_fails, "import_fails": import_fails}  # the first calls of pip that fail
        ignored = ("COLAB_RELEASE_TAG", "BERT_COURSE_DEVICE", "PYTHONPATH")
        clean = {k: v for k, v in os.environ.items() if k not in ignored}
        result = subprocess.run(
            [sys.executable, "-c", HARNESS, json.dumps(asked)],
            cwd=folder,
            env=clean | (variables or {}),
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert result.returncode == 0, result.stderr
        *printed, found = result.stdout.strip().split("\n")
        return json.loads(found) | {"printed": [line for line in printed if line], "stderr": result.stderr}

    return run


@pytest.fixture(scope="module")
def published(tmp_path_factory, project_files):
    """Variables under which git finds this checkout, committed, at the repository's public address."""
    work = tmp_path_factory.mktemp("published") / "course"
    for path in project_files:
        if path.parts[0] in ("helpers", "scripts") or len(path.parts) == 1:
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, work / path)
    git = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "The course"]):
        subprocess.run([*git, *command], cwd=work, check=True)
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{work.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": f"https://github.com/{badges.repository()}",
    }


def test_the_cell_is_short():
    assert len(CELL.rstrip("\n").split("\n")) <= 25


@pytest.mark.parametrize("gpu", [False, True])
def test_colab(run_cell, published, tmp_path, gpu):
    versions = {"mwparserfromhell": None, "transformers": "4.57.1", "numpy": "1.26.4", "jupyterlab": None}
    versions |= {"bertviz": None}
    found = run_cell(tmp_path, colab=True, gpu=gpu, versions=versions, variables=published)
    course = tmp_path / badges.repository().split("/")[1]
    assert found["first"] == str(course)
    assert Path(found["helpers"]) == course / "helpers" / "environment.py"
    assert found["settings"] == ["cuda" if gpu else "cpu", gpu, True]
    assert found["printed"][-1] == f"Ready: the course runs on the {'GPU' if gpu else 'CPU'}."
    together, alone = found["pip"]
    wanted = {word.split(">=")[0] for word in together["command"] if ">=" in word}
    assert {"torch", "transformers", "tokenizers", "datasets", "accelerate", "mwparserfromhell"} <= wanted
    assert not wanted & {"numpy", "bertviz", *environment.AROUND_THE_NOTEBOOKS}
    # What is there stays as it is, even a numpy below the bound, of which the learner is told.
    pins = dict(pin.split("==") for pin in together["constraints"])
    assert pins["numpy"] == "1.26.4" and {"torch", "huggingface-hub", "python-dateutil"} <= set(pins)
    assert not {"transformers", "mwparserfromhell", "bertviz", "odd"} & set(pins)  # the first three are free
    assert any(line.startswith("Note:") and "numpy" in line for line in found["printed"])
    assert "--no-deps" in alone["command"] and alone["command"][-1].startswith("bertviz>=")
    assert "Trainer" in found["imports"][0]


def test_colab_with_only_bertviz_missing(run_cell, published, tmp_path):
    found = run_cell(tmp_path, colab=True, versions={"bertviz": None}, variables=published)
    (call,) = found["pip"]
    assert "--no-deps" in call["command"] and [w for w in call["command"] if ">=" in w] == ["bertviz>=1.4.0"]


def test_where_pip_finds_no_way_only_torch_and_numpy_stay(run_cell, published, tmp_path):
    versions = {"mwparserfromhell": None}
    found = run_cell(tmp_path, colab=True, versions=versions, pip_fails=1, variables=published)
    first, second = found["pip"]
    assert [pin.split("==")[0] for pin in second["constraints"]] == ["torch", "numpy"]
    assert first["command"][-5:] == second["command"][-5:] and found["settings"] == ["cpu", False, True]


def test_colab_again_fetches_and_installs_nothing(run_cell, published, tmp_path):
    variables = published | {"COLAB_RELEASE_TAG": "release-colab"}  # the other sign of Colab
    assert run_cell(tmp_path, variables=variables)["pip"] == []
    course = tmp_path / badges.repository().split("/")[1]
    (course / "mine.txt").write_text("kept")
    nowhere = {"GIT_CONFIG_VALUE_0": "https://example.invalid/", "GIT_TERMINAL_PROMPT": "0"}
    found = run_cell(tmp_path, variables=variables | nowhere)
    assert found["settings"] == ["cpu", False, True] and found["pip"] == []
    assert found["printed"] == ["Ready: the course runs on the CPU."]
    assert (course / "mine.txt").read_text() == "kept"


def test_colab_says_what_pip_said(run_cell, published, tmp_path):
    versions = {"mwparserfromhell": None}
    found = run_cell(tmp_path, colab=True, versions=versions, pip_fails=2, variables=published)
    assert "could not install mwparserfromhell" in found["error"] and "no room" in found["error"]
    assert "delete runtime" in found["error"] and found["imports"] == []


def test_colab_says_when_the_installed_packages_do_not_fit(run_cell, published, tmp_path):
    versions = {"mwparserfromhell": None}
    found = run_cell(tmp_path, colab=True, versions=versions, import_fails=1, variables=published)
    assert "can't be imported: ImportError: too new" in found["error"]
    assert "no room" in found["error"] and "delete runtime" in found["error"]


@pytest.mark.parametrize("git", [False, True])
def test_colab_says_why_the_course_is_not_fetched(run_cell, published, tmp_path, git):
    nowhere = {"GIT_CONFIG_KEY_0": "url.file:///nowhere/at/all/.insteadOf"}
    without = {"PATH": str(tmp_path)}
    found = run_cell(tmp_path, colab=True, variables=published | (nowhere if git else without))
    assert f"could not be fetched from https://github.com/{badges.repository()}: " in found["error"]
    assert ("nowhere" if git else "git") in found["error"].split(badges.repository(), 1)[1]


def test_at_home_nothing_is_installed(run_cell):
    found = run_cell(ROOT / "notebooks")
    assert found["settings"] == ["cpu", False, False] and found["pip"] == []
    assert found["first"] == str(ROOT)
    assert found["printed"] == ["Ready: the course runs on the CPU."] and found["stderr"] == ""
    found = run_cell(ROOT / "notebooks", versions={"mwparserfromhell": None, "torch": "2.0.1"})
    assert found["pip"] == []
    assert "torch>=" in found["error"] and "2.0.1" in found["error"] and "not installed" in found["error"]
    assert "make lab" in found["error"] and "pip install -r requirements.txt" in found["error"]


def test_waiting_threads_sleep():
    """The policy stands before torch is imported, and a learner's own choice stays."""
    code = "import os, sys; from helpers import environment\n"
    code += "print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    clean = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    for variables, policy in ((clean, "PASSIVE"), (clean | {"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")):
        command = [sys.executable, "-c", code]
        result = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True)
        assert result.stdout.split() == [policy, "False"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_requirements_as_any_editor_saves_them(tmp_path, mark, end):
    path = tmp_path / "requirements.txt"
    lines = [b"torch>=2.2  # a comment", b"", b"# another", b"jupyterlab", b"numpy", b""]
    path.write_bytes(mark + end.join(lines))
    assert environment.imported_requirements(path) == ["torch>=2.2", "numpy"]
    assert environment.unmet_requirements(path) == {}


def test_outside_the_course(run_cell, tmp_path):
    assert "start Jupyter in the course's folder" in run_cell(tmp_path)["error"]


@pytest.mark.parametrize(
    ("wish", "gpu", "outcome"),
    [
        ("cpu", True, ["cpu", False, False]),
        ("cuda", False, "RuntimeError: BERT_COURSE_DEVICE asks for cuda"),
        ("tpu", False, "ValueError: BERT_COURSE_DEVICE is 'tpu'"),
    ],
)
def test_the_device_can_be_chosen(run_cell, wish, gpu, outcome):
    found = run_cell(ROOT, gpu=gpu, variables={"BERT_COURSE_DEVICE": wish})
    assert found.get("settings") == outcome or found.get("error", "").startswith(str(outcome))
