"""Try the course as on Colab: with Colab's versions, in empty folders, into which the set-up cell fetches it.

    python scripts/dev/try_colab.py                        all notebooks
    python scripts/dev/try_colab.py 03 05                  the ones whose names begin so
    python scripts/dev/try_colab.py --light                notebook 00, and every module of helpers/ imported
    python scripts/dev/try_colab.py --environment FOLDER   keep the environment in a folder, for the next time

The environment holds what colab_versions.txt lists, and the torch of this Python (linked, not copied). What
the working tree holds, committed or not, is what git finds at the course's public address. Nothing is stored.
A notebook fails where a cell raises or shows an error; what cells write to stderr is only told. At the end
stands what the set-up cell installed; a version of Colab's that it exchanged is a failure, too.

Left out, since no package registry has it: Colab's page around the notebook, its GPU and its build of torch.
"""

import argparse
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from helpers.data.output import accept_any_text  # noqa: E402
from scripts.dev.badges import repository  # noqa: E402
from scripts.dev.run_notebooks import SECONDS_PER_CELL, code_cells, find  # noqa: E402

VERSIONS = Path(__file__).with_name("colab_versions.txt")
IMPORT_ALL = """
import importlib, pkgutil, helpers
found = pkgutil.walk_packages(helpers.__path__, "helpers.", onerror=lambda name: None)  # they fail below
# No notebook needs the service, nor what it asks for.
names = [m.name for m in found if not m.name.startswith("helpers.serving")]
names = [name for name in names if not name.endswith("__main__")]
for name in names:
    importlib.import_module(name)
print(f"{len(names)} modules of helpers/ can be imported")
"""
# Not ours to keep: what would tell the kernel of this checkout or of an earlier choice.
NOT_ON_COLAB = ("PYTHONPATH", "VIRTUAL_ENV", "BERT_COURSE_STILL", "OMP_WAIT_POLICY")


def main(arguments: list[str] | None = None) -> int:
    accept_any_text()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="beginnings of notebooks' names; default: all")
    parser.add_argument("--light", action="store_true", help="notebook 00, and every module of helpers/")
    parser.add_argument("--environment", type=Path, help="keep the environment in this folder")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as work:
        work = Path(work).resolve()
        environment = (options.environment or work / "environment").resolve()
        start = time.monotonic()
        python = make_environment(environment)
        before = installed(python)
        print(f"environment with {len(before)} packages: {time.monotonic() - start:.0f} s", flush=True)
        variables = as_on_colab(publish(work / "published"))
        problems = []
        for path in find(["00"] if options.light else options.names):
            problems += run(path, python, work / path.stem, variables)
        if options.light:
            problems += import_all(python, work, variables)
        problems += changes(before, installed(python))
    print(f"{time.monotonic() - start:.0f} s; {len(problems)} problems")
    return 1 if problems else 0


def make_environment(folder: Path) -> Path:
    """The environment's Python, with exactly the listed packages; one that is there is cleared of others."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    lines = [line for line in VERSIONS.read_text(encoding="utf-8").splitlines() if "==" in line]
    listed = {canonicalize_name(line.split("==")[0]) for line in lines}
    if others := sorted(set(installed(python)) - listed - {"torch"}):
        subprocess.run([python, "-m", "pip", "uninstall", "--quiet", "--yes", *others], check=True)
    options = ["-qq", "--no-deps", "--no-compile", "--disable-pip-version-check"]  # -qq: errors only
    subprocess.run([python, "-m", "pip", "install", *options, "-r", str(VERSIONS)], check=True)
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.check_output([python, "-c", code], text=True).strip())
    torch = importlib.metadata.distribution("torch")
    for name in sorted({file.parts[0] for file in torch.files} - {"..", "__pycache__"}):
        if not (packages / name).exists():
            (packages / name).symlink_to(torch.locate_file(name))
    colab = packages / "google" / "colab"  # importable on Colab, though our cells import nothing of it
    colab.mkdir(parents=True, exist_ok=True)
    (colab / "__init__.py").touch()
    return python


def installed(python: Path) -> dict[str, str]:
    """{name: version} of the packages of an environment."""
    command = [python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {canonicalize_name(package["name"]): package["version"] for package in found}


def publish(folder: Path) -> Path:
    """A git repository that holds the working tree: what git tracks, or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git = ["git", "-c", "user.name=Try", "-c", "user.email=try@example.org", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "The course"]):
        subprocess.run([*git, *words], cwd=folder, check=True)
    return folder


def as_on_colab(published: Path) -> dict[str, str]:
    """The variables of a kernel there; the course's address leads to `published`, the data are those here."""
    return {name: value for name, value in os.environ.items() if name not in NOT_ON_COLAB} | {
        "COLAB_RELEASE_TAG": "release-colab",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{published.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": f"https://github.com/{repository()}",
        "BERT_COURSE_CACHE": os.environ.get("BERT_COURSE_CACHE") or str(ROOT / "data" / "cache"),
    }


class Kernels(KernelSpecManager):
    """Starts kernels in the Python named by `python`."""

    python: Path

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [str(self.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


def run(path: Path, python: Path, folder: Path, variables: dict[str, str]) -> list[str]:
    """Run one notebook in an empty folder, print its line, and return what went wrong."""
    folder.mkdir()
    notebook = nbformat.read(path, as_version=4)
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    kernels = Kernels()
    kernels.python = python
    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,
    )
    client.km = KernelManager(kernel_name="python3", kernel_spec_manager=kernels)
    start, problems = time.monotonic(), []
    try:
        client.execute(env=variables, stderr=subprocess.DEVNULL)  # the kernel process's own
    except (CellTimeoutError, DeadKernelError) as error:
        problems.append(f"{path.name}: {error}")
    except CellExecutionError:
        pass  # its output stands in the cell
    notes = []
    for number, cell in enumerate(code_cells(notebook), 1):
        for output in cell.outputs:
            if output.output_type == "error":  # also of what IPython lets pass: an object that can't be shown
                problems.append(f"{path.name}, code cell {number}: {output.ename}: {output.evalue}")
            if output.output_type == "stream" and output.name == "stderr":
                notes.append(f"code cell {number} wrote to stderr: {output.text.strip()[-500:]}")
    state = "FAILED" if problems else "ok"
    print(f"{path.stem:<40} {time.monotonic() - start:6.1f} s  {state}", flush=True)
    for line in [*problems, *notes]:
        print(f"  ! {line}", flush=True)
    return problems


def import_all(python: Path, work: Path, variables: dict[str, str]) -> list[str]:
    """Import every module of helpers/ in the environment, and return what went wrong."""
    found = subprocess.run(
        [python, "-c", IMPORT_ALL], cwd=work / "published", env=variables, capture_output=True, text=True
    )
    print(found.stdout + found.stderr[-2000:], end="", flush=True)
    return [found.stderr.strip().splitlines()[-1]] if found.returncode else []


def changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Tell what the set-up cell installed; the list of what it exchanged or removed, which must be empty."""
    new = [f"{name} {version}" for name, version in after.items() if name not in before]
    print(f"installed by the set-up cell: {', '.join(new) or 'nothing'}")
    moved = [f"{name} {v} -> {after.get(name)}" for name, v in before.items() if after.get(name) != v]
    print(f"exchanged by it: {', '.join(moved) or 'nothing'}")
    return [f"exchanged: {line}" for line in moved]


if __name__ == "__main__":
    sys.exit(main())
