"""Settings for the whole test run: how stored notebooks are compared, and what each one cost."""

import os
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from helpers import environment
from scripts.dev.run_notebooks import peak_megabytes

# What is stored was made on the CPU; kernels started by the tests inherit this.
os.environ.setdefault("BERT_COURSE_DEVICE", "cpu")

# Pixels differ between font libraries; that there is a picture is still compared, by its text.
PICTURES = ("image/png", "image/jpeg", "image/svg+xml")

SECONDS = pytest.StashKey[dict]()
MEGABYTES = pytest.StashKey[dict]()


ROOT = Path(__file__).resolve().parent
# Where git cannot be asked (a downloaded archive), these are left out.
NOT_OURS = {".git", ".venv", "cache", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis"}


@pytest.fixture(scope="module")
def quiet_libraries():
    """Transformers without its bars and hints, as the notebooks' set-up cell leaves it."""
    environment.keep_libraries_quiet()


@pytest.fixture(scope="session")
def project_files() -> list[Path]:
    """The project's own files, as paths from its root: what git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
        paths = [Path(name) for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        paths = [p.relative_to(ROOT) for p in ROOT.rglob("*") if not NOT_OURS & set(p.parts)]
    return sorted(p for p in paths if (ROOT / p).is_file())


def pytest_configure(config):
    config.stash[SECONDS] = defaultdict(float)
    config.stash[MEGABYTES] = defaultdict(float)


def is_notebook_cell(item) -> bool:
    return type(item).__name__ == "IPyNbCell"


def pytest_collectstart(collector):
    if type(collector).__name__ == "IPyNbFile":
        collector.skip_compare += PICTURES


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if is_notebook_cell(item):
        name = item.path.name
        item.config.stash[SECONDS][name] += call.duration
        kernel = item.parent.kernel
        if call.when == "call" and kernel is not None and kernel.is_alive():
            held = peak_megabytes(kernel.km.provisioner.pid)
            item.config.stash[MEGABYTES][name] = max(item.config.stash[MEGABYTES][name], held)
    return report


def pytest_terminal_summary(terminalreporter, config):
    seconds, megabytes = config.stash[SECONDS], config.stash[MEGABYTES]
    if seconds:
        terminalreporter.section("notebooks: seconds, and most memory of the kernel")
        for name in seconds:
            terminalreporter.write_line(f"{name:<44} {seconds[name]:7.1f} s {megabytes[name]:7.0f} MB")
        terminalreporter.write_line(
            f"{'all':<44} {sum(seconds.values()):7.1f} s {max(megabytes.values(), default=0):7.0f} MB"
        )
