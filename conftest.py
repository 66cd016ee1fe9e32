"""Settings for the whole test run: what runs beside what, and what each notebook cost.

    python -m pytest                     everything, in two processes
    python -m pytest --part attention    a taught module with its notebook, or a room: make test PART=…
    python -m pytest -n 0 tests/data     in one process, as a debugger wants it
    python -m pytest --stored -m stored  what only notebooks as the course stores them pass: make lint
    python -m pytest --solutions notebooks    the long solutions of exercises, too: make solutions

A learner who writes into notebooks and saves them breaks nothing: such a notebook is run and its asserts
hold, what it shows is not compared, and the tests marked `stored` are left out.

After a notebook's cells its folded solutions run in the same kernel (scripts/dev/solutions.py). A file's
tests, and a notebook's cells, stay together in one process; the longest notebooks begin.
"""

import csv
import os
import subprocess
from collections import defaultdict
from pathlib import Path

import nbformat
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from scripts.dev.run_notebooks import ONE_THREAD, leave_learners_folder, peak_megabytes

# Processes and kernels that the tests start inherit this: what is stored was made with the same settings.
for name, value in ONE_THREAD.items():
    os.environ.setdefault(name, value)
leave_learners_folder()  # what a learner wrote is neither read nor written by tests

from helpers import environment  # noqa: E402
from scripts.dev import parts, sync_exercises  # noqa: E402
from scripts.dev.solutions import solutions  # noqa: E402

# Pixels differ between font libraries; that there is a picture is still compared, by its text.
PICTURES = ("image/png", "image/jpeg", "image/svg+xml")

COSTS = pytest.StashKey[dict]()
COST_OF_CELL = "notebook, seconds, megabytes"

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


def pytest_addoption(parser):
    parser.addoption("--part", metavar="NAME", help=f"test one part: {parts.names()}")
    parser.addoption("--solutions", action="store_true", help="also the solutions that take minutes")
    parser.addoption("--stored", action="store_true", help="also the tests of the notebooks' stored form")


def pytest_configure(config):
    config.stash[COSTS] = {}
    config.addinivalue_line("markers", "stored: of the notebooks as the course stores them; --stored")
    config.pluginmanager.register(Costs(config.stash[COSTS]), "notebook costs")
    if name := config.getoption("--part"):
        try:
            config.args = [str(path) for path in parts.paths(name)]
        except LookupError as error:
            raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Notebooks first, the longest before the others, so that no process is left with one at the end."""
    if not config.getoption("--stored"):
        left_out = [item for item in items if item.get_closest_marker("stored")]
        items[:] = [item for item in items if not item.get_closest_marker("stored")]
        config.hook.pytest_deselected(items=left_out)
    notebooks: dict[IPyNbFile, list[IPyNbCell]] = {}
    for item in filter(is_notebook_cell, items):
        notebooks.setdefault(item.parent, []).append(item)
    for notebook, cells in notebooks.items():
        if sync_exercises.is_learners(notebook.nb):
            for cell in cells:
                cell.options["check"] = False
        if len(cells) == sum(cell.cell_type == "code" for cell in notebook.nb.cells):  # all are to be run
            place = items.index(cells[-1]) + 1
            items[place:place] = solution_cells(notebook, len(cells), config.getoption("--solutions"))
    seconds = recorded_seconds()
    items.sort(key=lambda item: -seconds.get(item.path.stem, 60) if isinstance(item, IPyNbCell) else 0)


class SolutionCell(IPyNbCell):
    """The folded solution of an exercise, run in the kernel of its notebook."""

    def reportinfo(self):
        return self.fspath, 0, self.name


def solution_cells(notebook: IPyNbFile, count: int, long: bool) -> list[SolutionCell]:
    """The solutions of a notebook with so many code cells, to be run behind them; also the long ones."""
    return [
        SolutionCell.from_parent(
            notebook, name=solution.name, cell_num=count + number, options=defaultdict(bool),
            cell=nbformat.v4.new_code_cell(solution.cell),
        )
        for number, solution in enumerate(solutions(notebook.nb))
        if long or not solution.long
    ]  # fmt: skip


def recorded_seconds() -> dict[str, float]:
    """What each notebook took when it was last measured."""
    with open(ROOT / "benchmarks" / "results" / "notebooks.csv", encoding="utf-8-sig", newline="") as file:
        return {row["notebook"]: float(row["seconds"]) for row in csv.DictReader(file)}


def is_notebook_cell(item) -> bool:
    return type(item) is IPyNbCell


def pytest_collectstart(collector):
    if isinstance(collector, IPyNbFile):
        collector.skip_compare += PICTURES


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if is_notebook_cell(item):
        kernel, held = item.parent.kernel, 0.0
        if call.when == "call" and kernel is not None and kernel.is_alive():
            held = peak_megabytes(kernel.km.provisioner.pid)
        report.user_properties.append((COST_OF_CELL, (item.path.name, call.duration, held)))
    return report


class Costs:
    """Adds up what the cells of each notebook cost, in whichever process they ran."""

    def __init__(self, costs: dict):
        self.costs = costs

    def pytest_runtest_logreport(self, report):
        for name, value in report.user_properties:
            if name == COST_OF_CELL:
                notebook, seconds, held = value
                before = self.costs.get(notebook, (0.0, 0.0))
                self.costs[notebook] = before[0] + seconds, max(before[1], held)


def pytest_terminal_summary(terminalreporter, config):
    costs = config.stash[COSTS]
    if costs:
        terminalreporter.section("notebooks: seconds, and most memory of the kernel")
        for name, (seconds, megabytes) in sorted(costs.items()):
            terminalreporter.write_line(f"{name:<44} {seconds:7.1f} s {megabytes:7.0f} MB")
        total, most = sum(s for s, _ in costs.values()), max(m for _, m in costs.values())
        terminalreporter.write_line(f"{'all':<44} {total:7.1f} s {most:7.0f} MB")
