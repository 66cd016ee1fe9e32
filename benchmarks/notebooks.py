"""Time and memory of every notebook, each run in a fresh kernel on this machine, as a table.

    python benchmarks/notebooks.py           all notebooks; writes benchmarks/results/notebooks.csv
    python benchmarks/notebooks.py 01 03     some of them; writes nothing

Outputs are compared with the stored ones on the way, nothing in the notebooks is changed.
"""

import csv
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from helpers.data.output import accept_any_text  # noqa: E402
from scripts.dev import run_notebooks  # noqa: E402


def main(names: list[str]) -> int:
    accept_any_text()
    os.environ.setdefault("BERT_COURSE_DEVICE", "cpu")
    print(f"{os.cpu_count()} CPU cores")
    runs = list(run_notebooks.run_all(run_notebooks.find(names), store=False))
    print(
        f"all: {sum(run.seconds for run in runs) / 60:.1f} minutes, "
        f"most memory {max((run.peak_megabytes for run in runs), default=0):.0f} MB"
    )
    if not names:
        path = ROOT / "benchmarks" / "results" / "notebooks.csv"
        with open(path, "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["notebook", "seconds", "peak_megabytes"])
            table.writerows([run.name, f"{run.seconds:.1f}", f"{run.peak_megabytes:.0f}"] for run in runs)
    return 1 if any(run.problems for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
