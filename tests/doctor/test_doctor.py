"""`python -m helpers.environment`: each trouble is made, and the way out has to be named."""

import ast
import importlib.metadata
import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from helpers import doctor, environment
from helpers.data import catalogue, fetching
from helpers.doctor import findings, machine

ROOT = Path(__file__).resolve().parents[2]


def run(*command, **variables):
    result = subprocess.run(
        [sys.executable, *(command or ("-m", "helpers.environment"))],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", env=os.environ | variables,
    )  # fmt: skip
    return result.returncode, result.stdout, result.stderr


def only(found):
    (finding,) = found
    return finding


@pytest.fixture
def one_text(monkeypatch, tmp_path):
    """A cache folder of one small text that everybody needs, and one that is fetched on demand."""
    here = catalogue.CATALOGUE["labelled"]
    needed = catalogue.Package("small", "1", 1, "", (catalogue.Member("a/text.txt", 2, SHA_OF_HI),))
    for module in (fetching, sys.modules["helpers.data"]):
        monkeypatch.setattr(module, "CATALOGUE", {"small": needed, "labelled": here})
    monkeypatch.setenv("BERT_COURSE_CACHE", str(tmp_path))
    return tmp_path / "small"


SHA_OF_HI = "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"


def test_the_whole_here():
    """On the machine that runs the tests the packages and the data that notebooks need are there."""
    code, words, errors = run()
    lines = words.splitlines()
    assert errors == ""
    first = [line.split(":")[0] for line in lines[:5]]
    assert first == ["course", "system", "packages", "memory", "settings"]
    assert all(line[:2] in ("OK", "NO") for line in lines[5:-1])
    assert "OK  packages" in lines and "OK  data: minilm" in lines
    assert any(line.startswith("OK  device: ") for line in lines)
    assert code == int(any(line.startswith("NO") for line in lines))
    assert f"torch {importlib.metadata.version('torch')}" in words


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_any_terminal_shows_it(encoding, tmp_path):
    code, words, errors = run(PYTHONIOENCODING=encoding, BERT_COURSE_MINE=str(tmp_path / "数据"))
    assert "can write to" in words and "Traceback" not in errors


def test_an_address_does_not_tell_its_password(monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://ada:s3cret@mirror.example/simple")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    line = doctor.about()[-1]
    assert "PIP_INDEX_URL=https://…@mirror.example/simple" in line and "s3cret" not in line
    assert "HTTPS_PROXY=http://proxy.example:3128" in line


def test_an_old_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
    finding = only(findings._python())
    assert not finding.fine and "Python 3.9.18: the course needs 3.11 or newer" in str(finding)


@pytest.mark.parametrize("module", [environment, doctor, findings, machine])
def test_an_old_python_can_read_it(module):
    """Only then can it say that it is too old; annotations are not evaluated, so they may be new."""
    source = Path(module.__file__).read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 8))
    assert "\nfrom __future__ import annotations" in source


def test_a_python_without_the_packages_is_told_what_to_type(tmp_path):
    """-S leaves out installed packages; pip is lent, since every environment has it."""
    import pip

    (tmp_path / "pip").symlink_to(Path(pip.__file__).parent, target_is_directory=True)
    code, words, errors = run("-S", "-m", "helpers.environment", PYTHONPATH=str(tmp_path))
    assert code == 1 and "Traceback" not in errors, errors
    assert "NO  packages: torch>=" in words and "python -m pip install -r requirements.txt" in words


def test_another_environment_is_named(tmp_path):
    (tmp_path / "requirements.txt").write_text("no-such-package-anywhere>=1\n")
    (tmp_path / ".venv").mkdir()
    finding = only(findings._packages(tmp_path))
    assert "no-such-package-anywhere>=1 (here: none)" in finding.advice
    assert f"This is {sys.executable}; the course's own environment is {tmp_path / '.venv'}" in finding.advice


def test_pytorch_that_cannot_be_imported(monkeypatch):
    monkeypatch.setattr(findings, "ASK_TORCH", "raise ImportError('libgomp.so.1: not found')")
    finding = only(findings._device())
    assert not finding.fine and "ImportError: libgomp.so.1: not found. Install them anew" in finding.advice


def test_pytorch_that_takes_the_process_with_it(monkeypatch):
    monkeypatch.setattr(findings, "ASK_TORCH", "import os; os._exit(3)")
    assert "it ended with 3" in only(findings._device()).advice


@pytest.mark.parametrize("wish", ["cuda", "tpu"])
def test_a_device_that_is_not_here(monkeypatch, wish):
    answer = 'course: {"cuda": false, "built for": null, "threads": 2, "gpu": null, "mps": false}'
    monkeypatch.setattr(findings, "ASK_TORCH", f"print({answer!r})")
    monkeypatch.setattr(findings.shutil, "which", lambda name: None)
    monkeypatch.setenv("BERT_COURSE_DEVICE", wish)
    finding = only(findings._device())
    assert not finding.fine and f"asks for {wish!r}, which is not here" in finding.advice


def test_a_gpu_that_pytorch_does_not_see(monkeypatch):
    answer = 'course: {"cuda": false, "built for": null, "threads": 2, "gpu": null, "mps": false}'
    monkeypatch.setattr(findings, "ASK_TORCH", f"print({answer!r})")
    monkeypatch.setattr(findings.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.delenv("BERT_COURSE_DEVICE", raising=False)
    device, gpu = findings._device()
    assert device.fine and not gpu.fine and "a build for the CPU alone" in gpu.advice


def test_data_not_fetched_fetched_damaged(one_text):
    first, later = findings._data()
    assert not first.fine and "`python -m helpers.data`" in first.advice
    assert later.fine and "labelled (32 MB)" in later.what
    one_text.mkdir()
    (one_text / "text.txt").write_text("hi")
    assert findings._data()[0] == doctor.Finding("data: small", True, findings._data()[0].advice)
    (one_text / "text.txt").write_text("ho")
    damaged = findings._data()[0]
    assert not damaged.fine
    assert "text.txt missing or damaged: `python -m helpers.data --verify`" in damaged.advice


def test_little_memory_and_disk(monkeypatch):
    monkeypatch.setattr(findings, "free_memory", lambda: 1.2)
    finding = only(findings._memory())
    assert not finding.fine and finding.what == "memory: 1.2 GB free" and "Shut down" in finding.advice
    usage = namedtuple("usage", "total used free")(10, 10, 2e8)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda place: usage)
    finding = only(findings._disk())
    assert not finding.fine and "disk: 0.2 GB free" in finding.what and "BERT_COURSE_CACHE" in finding.advice


def test_memory_is_that_of_the_system():
    import psutil

    assert machine.free_memory() == pytest.approx(psutil.virtual_memory().available / 1e9, rel=0.2)


def test_memory_without_psutil(monkeypatch):
    known = machine.free_memory()
    monkeypatch.setitem(sys.modules, "psutil", None)
    without = machine.free_memory()
    assert without == pytest.approx(known, rel=0.2) if sys.platform == "linux" else without is None


def test_a_folder_that_cannot_be_written_to(monkeypatch, tmp_path):
    monkeypatch.setenv("BERT_COURSE_CACHE", str(tmp_path / "cache"))

    def refuse(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(findings.tempfile, "TemporaryFile", refuse)
    first = findings._writable(tmp_path)[0]
    assert not first.fine and "Permission denied. Let BERT_COURSE_CACHE name a folder" in first.advice


def test_looking_leaves_nothing_behind(monkeypatch, tmp_path):
    monkeypatch.setenv("BERT_COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BERT_COURSE_MINE", str(tmp_path / "mine"))
    assert all(finding.fine for finding in findings._writable(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_kernel_of_another_python(monkeypatch):
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel

    def other(self, name):
        return KernelSpec(argv=["/elsewhere/bin/python", "-m", "ipykernel_launcher"])

    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", other)
    finding = only(findings._kernel())
    assert not finding.fine and "it starts /elsewhere/bin/python" in finding.advice

    def none(self, name):
        raise NoSuchKernel(name)

    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", none)
    assert "python -m pip install ipykernel" in only(findings._kernel()).advice


def test_a_busy_machine(monkeypatch):
    monkeypatch.setattr(findings.os, "getloadavg", lambda: (64.0, 1.0, 1.0), raising=False)
    monkeypatch.setattr(findings, "cores", lambda: 2)
    finding = only(findings._busy())
    assert finding.fine and "for 2 cores: all is right, but takes longer" in finding.what


def test_a_question_that_fails_is_a_finding(monkeypatch):
    def _memory():
        raise RuntimeError("no such counter")

    monkeypatch.setattr(findings, "_memory", _memory)
    found = {finding.what: finding for finding in doctor.diagnose()}
    assert "RuntimeError: no such counter" in found["looking at memory"].advice
    assert "packages" in found and any(what.startswith("disk") for what in found)


def test_the_commit(tmp_path):
    def git(*words):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True, capture_output=True)

    assert machine.commit(tmp_path).startswith("unknown")
    git("init", "-q")
    git("config", "user.email", "a@b.c")
    git("config", "user.name", "a")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("-c", "commit.gpgsign=false", "commit", "-qm", "first")
    assert machine.commit(tmp_path).endswith("files changed since: 0")
    (tmp_path / "file").write_text("2")
    assert machine.commit(tmp_path).endswith("files changed since: 1")


def test_the_last_line_counts(capsys, monkeypatch):
    good, bad = doctor.Finding("a", True, "b"), doctor.Finding("c", False, "d")
    assert doctor.as_text([good, bad]) == "OK  a\nNO  c: d\n1 to mend: what to do stands behind NO."
    monkeypatch.setattr(doctor, "diagnose", lambda: [good])
    assert doctor.main() == 0
    assert capsys.readouterr().out.endswith("OK  a\nAll is as the course needs it.\n")


def test_names_of_packages_are_right():
    """A misspelled one would be reported as not installed."""
    here = [name for name in machine.PACKAGES if environment.installed_version(name)]
    assert set(machine.PACKAGES) - set(here) <= {"notebook"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("http://10.0.0.1:8080", "http://10.0.0.1:8080"),
        ("http://user:secret@10.0.0.1:8080", "http://…@10.0.0.1:8080"),
        ("user:secret@10.0.0.1:8080", "…@10.0.0.1:8080"),
        ("http://u:sec@ret@h", "http://…@h"),
        ("http://u:sec/ret@h/simple", "http://…@h/simple"),
        ("https://h/simple?token=secret", "https://h/simple?…"),
        ("https://a:secret@h/x https://b:secret@h/y", "https://…@h/x https://…@h/y"),
    ],
)
def test_settings_hold_no_secret(monkeypatch, value, shown):
    for name in machine.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", value)
    assert machine.about()[-1] == f"settings: PIP_EXTRA_INDEX_URL={shown}"
    monkeypatch.setenv("PYTHONPATH", "/home/a@b/x?y")
    assert machine.about()[-1].endswith("PYTHONPATH=/home/a@b/x?y")


@pytest.mark.parametrize("name", ["torch", "transformers", "numpy"])
def test_a_file_in_the_place_of_a_package(tmp_path, name):
    (tmp_path / f"{name}.py").write_text("x = 1\n")
    code, said, error = run(PYTHONPATH=str(tmp_path))
    assert code == 1 and error == ""
    assert f"NO  {name} is the one that is installed: {tmp_path / name}.py is imported in its place" in said
    assert "force-reinstall" not in said


def test_words_before_what_torch_says(monkeypatch, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('welcome')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert all(finding.fine for finding in findings._device())
    (tmp_path / "sitecustomize.py").write_text("import sys, os\nos._exit(0)\n")
    assert "it ended with 0" in only(findings._device()).advice


def test_an_environment_without_pip(monkeypatch):
    monkeypatch.setattr(findings.importlib.util, "find_spec", lambda name: None)
    wrong = [finding for finding in findings._packages(ROOT) if not finding.fine]
    assert "python -m ensurepip" in only(wrong).advice


def test_a_file_where_a_folder_should_be(monkeypatch, tmp_path):
    (tmp_path / "mine").touch()
    monkeypatch.setenv("BERT_COURSE_MINE", str(tmp_path / "mine"))
    monkeypatch.setenv("BERT_COURSE_CACHE", str(tmp_path / "mine" / "below"))
    for finding in findings._writable(ROOT):
        assert not finding.fine and f"{tmp_path / 'mine'} is a file" in finding.advice


def test_jupyter_s_own_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    assert findings._jupyter() == []
    (tmp_path / "runtime").touch()
    assert "JUPYTER_RUNTIME_DIR" in only(findings._jupyter()).advice


@pytest.mark.parametrize("text", ["", "{", '{"argv": [], "display_name": "x", "language": "python"}'])
def test_a_broken_kernel_file(monkeypatch, tmp_path, text):
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(text)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    finding = only(findings._kernel())
    assert not finding.fine and "kernel.json" in finding.advice and "ipykernel install" in finding.advice


def test_from_another_folder_by_its_path(tmp_path):
    command = [sys.executable, str(ROOT / "helpers" / "environment.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8")
    assert "course: commit" in done.stdout and "OK  packages" in done.stdout and done.stderr == ""


def test_without_packages_and_pip(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    python = tmp_path / "bare" / ("Scripts" if os.name == "nt" else "bin") / "python"
    command = [str(python), "-m", "helpers.environment"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "has neither the course's packages nor pip: `make lab`" in done.stderr
