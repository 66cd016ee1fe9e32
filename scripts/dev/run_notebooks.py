"""Run notebooks from top to bottom, each in a fresh kernel, and store their outputs.

    python scripts/dev/run_notebooks.py               all notebooks
    python scripts/dev/run_notebooks.py 01 03         the ones whose names begin so (a path will do, too)
    python scripts/dev/run_notebooks.py --check 02    run and compare with what is stored; write nothing
    python scripts/dev/run_notebooks.py --twice 02    all cells twice in one kernel; write nothing

A notebook that raises an error or writes to stderr fails, and its file stays as it was. Two notebooks run at
a time, with one thread each, on the CPU, so that what is stored repeats on any machine; OMP_NUM_THREADS and
BERT_COURSE_DEVICE say otherwise.
"""

import argparse
import atexit
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from helpers.data.output import accept_any_text  # noqa: E402
from helpers.training.options import count  # noqa: E402
from scripts.dev import sync_exercises  # noqa: E402

NOTEBOOKS = ROOT / "notebooks"
SECONDS_PER_CELL = 1200
MOST_JOBS = 61  # as many processes as Python can wait for on Windows
IGNORE_OUTPUT = "nbval-ignore-output"
# Of a cell's metadata: the rest is an editor's. cellView folds a cell on Colab, jupyter elsewhere.
KEPT = ("tags", "jupyter", "cellView")
PICTURES = ("image/png", "image/jpeg", "image/svg+xml")
# What notebooks are stored and tested with. A thread that waits must not keep a core busy that another needs.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "BERT_COURSE_DEVICE": "cpu"}
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


@dataclass
class Run:
    """What running one notebook gave. `problems` is empty when all went well."""

    name: str
    seconds: float = 0.0
    peak_megabytes: float = 0.0
    problems: list[str] = field(default_factory=list)


class ThisPython(KernelSpecManager):
    """Starts kernels in the Python that runs this program, whatever kernels are installed beside it."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


def main(arguments: list[str] | None = None) -> int:
    accept_any_text()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="beginnings of names, or paths; default: all")
    parser.add_argument("--check", action="store_true", help="compare with the stored outputs, write nothing")
    parser.add_argument("--twice", action="store_true", help="all cells twice in one kernel, write nothing")
    parser.add_argument("--jobs", type=count(1, MOST_JOBS), default=2,
                        help="notebooks run at the same time (default 2)")  # fmt: skip
    options = parser.parse_args(arguments)
    as_stored()
    if options.check or options.twice:  # what is written must not come from, or get into, a learner's folder
        leave_learners_folder()
    start = time.monotonic()
    paths, store = find(options.names), not (options.check or options.twice)
    runs = list(run_all(paths, store, options.jobs, options.twice))
    failed = [run.name for run in runs if run.problems]
    print(
        f"{len(runs)} notebooks, {time.monotonic() - start:.0f} s, most memory "
        f"{max((run.peak_megabytes for run in runs), default=0):.0f} MB"
        + (f"; failed: {', '.join(failed)}" if failed else "; all well")
    )
    return 1 if failed else 0


def as_stored() -> None:
    """The environment in which notebooks are stored, for all kernels from here on."""
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("BERT_COURSE_STILL", "1")  # helpers/views/explorer.py: a picture, no widgets


def leave_learners_folder() -> None:
    """From here on, exercises that pass are kept in an empty folder, which goes when this process ends."""
    os.environ["BERT_COURSE_MINE"] = tempfile.mkdtemp(prefix="bert_course_mine_")
    atexit.register(shutil.rmtree, os.environ["BERT_COURSE_MINE"], ignore_errors=True)


def find(names: list[str], folder: Path = NOTEBOOKS) -> list[Path]:
    """The notebooks meant by `names`, in the order given; all of the folder, sorted, for an empty list."""
    everything = sorted(folder.glob("*.ipynb"))
    if not names:
        return everything
    found = []
    for name in names:
        matches = [Path(name)] if Path(name).is_file() else [p for p in everything if p.name.startswith(name)]
        if not matches:
            raise SystemExit(f"No notebook in {folder} begins with {name!r}.")
        found += matches
    return found


def run_all(paths: list[Path], store: bool, jobs: int = 1, twice: bool = False):
    """Run the notebooks and yield a Run for each, having printed its line."""
    for run in results(paths, store, jobs, twice):
        state = "FAILED" if run.problems else "ok"
        print(f"{run.name:<40} {run.seconds:6.1f} s {run.peak_megabytes:6.0f} MB  {state}", flush=True)
        for problem in run.problems:
            print(f"  ! {problem}", flush=True)
        yield run


def results(paths: list[Path], store: bool, jobs: int, twice: bool):
    """What running each notebook gave, as they end; one after the other where `jobs` is 1."""
    if jobs == 1:
        yield from (run_notebook(path, store, twice) for path in paths)
        return
    with ProcessPoolExecutor(jobs) as pool:
        tasks = [pool.submit(run_notebook, path, store, twice) for path in paths]
        yield from (task.result() for task in as_completed(tasks))


def run_notebook(path: Path, store: bool, twice: bool = False) -> Run:
    """Execute one notebook in a fresh kernel, in its own folder; store it, or compare it with the file.

    twice: all cells, and then all of them again in the same kernel; neither stored nor compared.
    """
    stored = nbformat.read(path, as_version=4)
    fresh = normalized(stored)
    if twice:
        again = normalized(fresh)
        for cell in again.cells:
            cell.id += "-again"
        fresh.cells += again.cells
    client = NotebookClient(
        fresh,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
    )
    run, started = Run(path.stem), []
    client.on_cell_start = lambda cell, cell_index: started.append(cell)
    client.on_cell_executed = lambda **_: measure(client, run)
    start = time.monotonic()
    try:
        client.km = client.kernel_manager_class(kernel_name="python3", kernel_spec_manager=ThisPython())
        client.execute(stderr=subprocess.DEVNULL)  # the kernel process's own; what cells write is caught
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        number = code_cells(fresh).index(started[-1]) + 1 if started else 1
        run.problems.append(f"code cell {number} ({type(error).__name__}): {error}")
    run.seconds = time.monotonic() - start
    fresh = normalized(fresh)
    if not run.problems:
        run.problems += output_problems(fresh)
    if not run.problems and not store and not twice:
        run.problems += differences(stored, fresh)
    if not run.problems and store:
        write(fresh, path)
    return run


def measure(client: NotebookClient, run: Run) -> None:
    run.peak_megabytes = max(run.peak_megabytes, peak_megabytes(client.km.provisioner.pid))


def peak_megabytes(process_id: int) -> float:
    """The most memory that a process has held so far, in MB; what it holds now where that is not told."""
    status = Path(f"/proc/{process_id}/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    try:
        memory = psutil.Process(process_id).memory_info()
    except psutil.Error:
        return 0.0
    return getattr(memory, "peak_wset", memory.rss) / 1e6


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def output_problems(notebook) -> list[str]:
    """What must not stand in a stored notebook: errors, stderr, live widgets, cells without a count."""
    problems = []
    for number, cell in enumerate(code_cells(notebook), 1):
        if cell.execution_count != number:
            problems.append(f"code cell {number} has count {cell.execution_count}: is it empty?")
        for output in cell.outputs:
            if output.output_type == "error":  # one that the kernel swallowed, as when a value can't be shown
                problems.append(f"code cell {number} shows an error: {output.ename}: {output.evalue}")
            if output.output_type == "stream" and output.name == "stderr":
                problems.append(f"code cell {number} writes to stderr: {output.text.strip()[-300:]!r}")
            if "application/vnd.jupyter.widget-view+json" in output.get("data", {}):
                problems.append(f"code cell {number} shows a live widget, which is dead in a stored file")
    return problems


def normalized(notebook):
    """A copy whose metadata, ids and outputs hold nothing of one machine, editor or moment."""
    copy = nbformat.from_dict(notebook)
    copy = nbformat.reads(nbformat.writes(copy), as_version=4)
    copy.metadata = nbformat.from_dict(METADATA)
    copy.nbformat, copy.nbformat_minor = 4, 5
    seen = {}
    for cell in copy.cells:
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in KEPT}
        key = f"{cell.cell_type}\n{cell.source}"
        seen[key] = seen.get(key, 0) + 1
        cell.id = hashlib.sha256(f"{key}\n{seen[key]}".encode()).hexdigest()[:12]
        for output in cell.get("outputs", []):
            if output.output_type in ("display_data", "execute_result"):
                alts = {
                    kind: {"alt": about["alt"]}
                    for kind, about in output.metadata.items()
                    if isinstance(about, dict) and "alt" in about
                }
                output.metadata = nbformat.from_dict(alts)
    return copy


def comparable(cell) -> list[tuple[str, str]]:
    """The outputs of a cell that must repeat, as (kind, text); pictures only by their being there."""
    parts = []
    for output in cell.outputs:
        if output.output_type == "stream":
            parts.append((output.name, output.text))
        for kind, value in output.get("data", {}).items():
            parts.append((kind, "" if kind in PICTURES else str(value)))
    return parts


def differences(stored, fresh) -> list[str]:
    """One line for each cell whose output differs from the stored one and is not tagged to be ignored.

    A notebook that a learner wrote in or saved is not compared: what it shows is theirs.
    """
    problems = []
    if sync_exercises.is_learners(stored):
        return problems
    for number, (old, new) in enumerate(zip(code_cells(stored), code_cells(fresh), strict=True), 1):
        if IGNORE_OUTPUT not in new.metadata.get("tags", []) and comparable(old) != comparable(new):
            problems.append(
                f"code cell {number} differs from what is stored: "
                f"{str(comparable(old))[:200]} became {str(comparable(new))[:200]}"
            )
    return problems


def write(notebook, path: Path) -> None:
    """Write in one step: whoever looks sees the old file or the new one, never half of it."""
    nbformat.validate(notebook)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="\n", dir=path.parent, suffix=".tmp", delete=False
    ) as file:
        file.write(nbformat.writes(notebook).rstrip("\n") + "\n")
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


if __name__ == "__main__":
    sys.exit(main())
