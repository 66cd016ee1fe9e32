"""Time and memory of every notebook, one after the other in fresh kernels on this machine, as a table.

    python benchmarks/notebooks.py           all notebooks; writes benchmarks/results/notebooks.csv
    python benchmarks/notebooks.py --store   the same, and stores what they show in them
    python benchmarks/notebooks.py 01 03     some of them; no table is written

Each is run as `scripts/dev/run_notebooks.py` runs them, with one thread on the CPU (OMP_NUM_THREADS and
BERT_COURSE_DEVICE say otherwise). Without --store what they show is compared with what is stored, and no
notebook is changed. A run in which a notebook fails writes no table.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from helpers.data.files import write_atomically  # noqa: E402
from helpers.data.output import accept_any_text  # noqa: E402
from helpers.studies.tables import csv_line  # noqa: E402
from scripts.dev import run_notebooks  # noqa: E402

TABLE = ROOT / "benchmarks" / "results" / "notebooks.csv"
COLUMNS = ("notebook", "seconds", "peak_megabytes")


def main(arguments: list[str] | None = None) -> int:
    accept_any_text()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="beginnings of names, or paths; default: all")
    parser.add_argument("--store", action="store_true", help="store the outputs instead of comparing them")
    options = parser.parse_args(arguments)
    run_notebooks.as_stored()
    if not options.store:
        run_notebooks.leave_learners_folder()
    print(f"{os.cpu_count()} CPU cores, {os.environ['OMP_NUM_THREADS']} thread(s)")
    runs = list(run_notebooks.run_all(run_notebooks.find(options.names), options.store))
    print(
        f"all: {sum(run.seconds for run in runs) / 60:.1f} minutes, "
        f"most memory {max((run.peak_megabytes for run in runs), default=0):.0f} MB"
    )
    if any(run.problems for run in runs):
        return 1
    if not options.names:
        lines = [(run.name, f"{run.seconds:.1f}", f"{run.peak_megabytes:.0f}") for run in runs]
        write_atomically(TABLE, "".join(csv_line(line) for line in (COLUMNS, *lines)).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
