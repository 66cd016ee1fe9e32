"""The table of notebook 18: a classifier made smaller and faster, each way with its accuracy and its speed.

    python scripts/compress.py --csv benchmarks/results/compression.csv
    python scripts/compress.py --points teacher "student 3" --seeds 0 1 2 --precision fp32
    python scripts/compress.py --csv benchmarks/results/compression.csv --report

Every point of every seed is a line of the CSV; its answers to all test sentences go into the .npz file beside
it. Points that are there already are left out, so an interrupted series goes on with the same command; what a
point is made of (its teacher) is then trained again. helpers/studies/smaller.py says what the points are.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: see helpers/environment.py
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from helpers.studies import smaller, smaller_forms
from helpers.studies.errors import run_script
from helpers.studies.smaller_table import Points
from helpers.studies.tables import RunTable, ensure_writable, number_in
from helpers.training import options as kinds


def run(options: argparse.Namespace) -> int:
    """Make what is missing in the table: stage by stage, in each stage seed by seed; returns 0."""
    runs = RunTable(options.csv, smaller.SETTINGS, smaller_forms.RESULTS)
    if options.report:
        print(Points(runs).as_text())
        return 0
    ensure_writable(options.csv)
    studies: dict[int, smaller.Study] = {}
    for stage in stages(options.points):
        for seed in options.seeds:
            for point in stage:
                if seed not in studies:
                    studies[seed] = smaller.Study(seed, options.labels, options.precision)
                line = smaller.settings_of(point, seed, studies[seed].labels, options.precision)
                if runs.find(line):
                    continue
                start = time.perf_counter()
                found, answers = smaller_forms.measure_point(studies[seed], point)
                line |= found | {"seconds": f"{time.perf_counter() - start:.1f}"}
                runs.add(line, answers, np.array(studies[seed].task.test.labels))
                print(describe(line), flush=True)
    return 0


def stages(points: list[str]) -> list[list[str]]:
    """The points in two stages, so that every seed has the first before any seed begins the second."""
    first = [point for point in points if smaller.POINTS.index(point) <= smaller.POINTS.index("tfidf")]
    return [first, [point for point in points if point not in first]]


def faster(line: dict[str, str], name: str) -> float:
    """How many times as fast as its teacher, measured in turns with it."""
    ratio = number_in(line, name) / number_in(line, f"teacher_{name}")
    return 1 / ratio if name.endswith("_ms") else ratio


def describe(line: dict[str, str]) -> str:
    """One sentence about a finished point."""
    return (
        f"{line['point']}, seed {line['seed']}: {number_in(line, 'accuracy'):.1%} right, "
        f"{number_in(line, 'megabytes'):.0f} MB; beside its teacher {faster(line, 'median_ms'):.1f} times as "
        f"fast for one text, {faster(line, 'sorted_by_length'):.1f} for many; {line['seconds']} s"
    )


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("--points", nargs="+", choices=smaller.POINTS, default=list(smaller.POINTS))
    add("--seeds", type=kinds.seed(), nargs="+", default=[0, 1, 2])
    add("--labels", type=kinds.count(20), help="training sentences; all by default")
    add("--precision", choices=("fp32", "bf16"), default="fp32",
        help="of the training; bf16 is faster on processors that have it")  # fmt: skip
    add("--csv", type=kinds.growing_table(), default=Path("runs/compression.csv"),
        help="the table; its answers go beside it, as .npz")  # fmt: skip
    add("--threads", type=kinds.threads(), default=1)
    add("--report", action="store_true", help="compute nothing: print means, intervals, differences")
    options = parser.parse_args(given)
    if options.report and not options.csv.exists():
        parser.error(f"there is no table {options.csv} to report on")
    return options


def main(given: list[str] | None = None) -> int:
    return run_script(given, arguments, run)


if __name__ == "__main__":
    sys.exit(main())
