"""The table of notebook 16: scores of the sentences of a hundred papers, by ways to choose among them.

    python scripts/summaries.py --csv benchmarks/results/summaries.csv
    python scripts/summaries.py --methods minilm informed --seeds 0 1 2
    python scripts/summaries.py --csv benchmarks/results/summaries.csv --report

A run gives each test sentence a score for each aspect: three lines of the CSV, with the scores in the .npz
file beside it (one line, task "any", for a method that knows no aspects). Runs that are there already are
left out, so an interrupted series goes on with the same command. Methods:

    lead, centroid, textrank  without labels        minilm    fine-tuned on the sentences alone
    place     place and length                      informed  the same, told section and number, too
    linear    words, place and length               frozen    minilm's mean vectors, place and length

helpers/studies/summaries.py and summary_methods.py say what each of them does.
"""

import argparse
import os
import sys
import time
from itertools import product
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: see helpers/environment.py
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from helpers.analysis.comparison import compare_runs
from helpers.data import ASPECTS
from helpers.studies import summaries, summary_methods
from helpers.studies.errors import run_script
from helpers.studies.tables import RunTable, circumstances, ensure_writable
from helpers.training import options as kinds

RESULTS = ("chosen", "test_examples", "at", "test_precision", "seconds", "threads", "torch", "transformers",
           "scikit_learn")  # fmt: skip
AT = {"any": 10} | dict.fromkeys(ASPECTS, 3)  # of how many sentences the precision is


def run(options: argparse.Namespace) -> int:
    """Compute what is missing in the table; returns 0."""
    runs = RunTable(options.csv, summary_methods.SETTINGS, RESULTS)
    if options.report:
        report(runs)
        return 0
    ensure_writable(options.csv)
    for method, seed in product(options.methods, options.seeds):
        tasks = ("any",) if method in summaries.RANKERS else ASPECTS
        lines = [summary_methods.settings_of(task, method, seed) for task in tasks]
        if all(map(runs.find, lines)):
            continue
        start = time.perf_counter()
        scores, chosen = summary_methods.run_method(method, seed)
        seconds = time.perf_counter() - start
        for line, column in zip(lines, scores.T, strict=True):
            line |= results(line["task"], column, seconds) | {"chosen": chosen}
            runs.add(line, column.astype(np.float32), labels_of(line["task"]))
        print(
            f"{method}, seed {seed}: {seconds:.0f} s", *(line["test_precision"] for line in lines), flush=True
        )
    return 0


def labels_of(task: str) -> np.ndarray:
    """(N,) 1 for a test sentence that is marked for the aspect, or for any."""
    labels = summaries.load("test").labels
    return (labels.any(axis=1) if task == "any" else labels[:, ASPECTS.index(task)]).astype(np.uint8)


def results(task: str, scores: np.ndarray, seconds: float) -> dict[str, str]:
    """The columns RESULTS of a run, but for what was chosen."""
    import sklearn

    found = summaries.precision_at(summaries.load("test"), scores, labels_of(task) == 1, AT[task])
    line = {"test_examples": len(scores), "at": AT[task], "test_precision": f"{found.mean():.6f}"}
    return {name: str(value) for name, value in line.items()} | circumstances(seconds) | {
        "scikit_learn": sklearn.__version__
    }  # fmt: skip


def precisions(runs: RunTable, method: str, task: str) -> np.ndarray:
    """(seeds, papers) the precision of each paper; for "any" the scores of the aspects are added."""
    test = summaries.load("test")
    if task == "any" and method not in summaries.RANKERS:
        by_aspect = [runs.matching(task=aspect, method=method) for aspect in ASPECTS]
        scores = [sum(runs.answers(line) for line in lines) for lines in zip(*by_aspect, strict=True)]
    else:
        scores = [runs.answers(line) for line in runs.matching(task=task, method=method)]
    return np.array([summaries.precision_at(test, each, labels_of(task) == 1, AT[task]) for each in scores])


def report(runs: RunTable) -> None:
    """Print the precisions of each method, and minilm's and informed's against the linear model's.

    The intervals hold for other papers, and for other seeds where there are several.
    """
    there = [method for method in summary_methods.SCORERS if runs.matching(method=method)]
    for task, method in product(AT, there):
        if task != "any" and method in summaries.RANKERS:
            continue
        found = precisions(runs, method, task)
        text = f"{task:<10} {method:<9}{len(found):>2}  precision at {AT[task]:<2} {found.mean():6.1%}"
        if method in ("minilm", "informed") and "linear" in there:
            gap = compare_runs(found, precisions(runs, "linear", task))
            text += f"  against linear {100 * gap.mean:+.1f} ({100 * gap.low:+.1f} to {100 * gap.high:+.1f})"
        print(text)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("--methods", nargs="+", choices=summary_methods.SCORERS, default=list(summary_methods.SCORERS))
    add("--seeds", type=kinds.seed(), nargs="+", default=[0, 1, 2])
    add("--csv", type=kinds.growing_table(), default=Path("runs/summaries.csv"),
        help="the table; its scores go beside it, as .npz")  # fmt: skip
    return kinds.parse_with_report(parser, given, "print precisions and differences")


def main(given: list[str] | None = None) -> int:
    return run_script(given, arguments, run)


if __name__ == "__main__":
    sys.exit(main())
