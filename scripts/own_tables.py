"""The table of notebook 12: a linear model, minilm as it is, and minilm fine-tuned, on three tables of texts.

    python scripts/own_tables.py --task messages --csv benchmarks/results/own_tables.csv
    python scripts/own_tables.py --task questions --labels 200 all --seeds 0 1 2 3 4
    python scripts/own_tables.py --csv benchmarks/results/own_tables.csv --report

Every run is a line of the CSV; its answers to all test examples go into the .npz file beside it. Runs that
are there already are left out, so an interrupted series goes on with the same command. Methods:

    majority  the most frequent class          frozen  minilm's mean vectors, logistic regression
    linear    words, characters, logistic      minilm  fine-tuned by the Transformers library's Trainer

helpers/studies/own_tables.py says what the tables are, how they are split, and what was chosen on validation.
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

from helpers.analysis.comparison import compare_runs, summarize
from helpers.studies import own_methods, own_tables
from helpers.studies.errors import RowError, run_script
from helpers.studies.tables import RunTable, circumstances, ensure_writable, number_in
from helpers.training import options as kinds

RESULTS = (
    "chosen", "validation_macro_f1", "test_examples", "test_accuracy", "test_macro_f1", "threshold",
    "cost_at_half", "cost_at_threshold", "seconds", "threads", "torch", "transformers", "scikit_learn",
)  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Compute what is missing in the table, seed by seed; returns 0."""
    runs = RunTable(options.csv, own_methods.SETTINGS, RESULTS)
    if options.report:
        report(runs)
        return 0
    ensure_writable(options.csv)
    table = own_tables.load(options.task)
    total = len(table.train)
    counts = [total if labels == "all" else labels for labels in options.labels]
    if max(counts) > total:
        raise RowError(f"{options.task} has {total:,} training rows: --labels at most that")
    for seed, labels, method in product(options.seeds, counts, options.methods):
        line = own_methods.settings_of(options.task, method, labels, seed)
        if runs.find(line):
            continue
        start = time.perf_counter()
        answer = own_methods.run_method(line)
        line |= results(table.drawn(labels, seed), answer, time.perf_counter() - start)
        runs.add(line, answer.test.argmax(axis=1), table.labels("test"))
        print(f"{describe(line)}, {line['seconds']} s", flush=True)
    return 0


def results(table: own_tables.Table, answer: own_methods.Answer, seconds: float) -> dict[str, str]:
    """The columns RESULTS of a run that took so many seconds."""
    import sklearn

    held_out, labels = table.labels("validation"), table.labels("test")
    found = answer.test.argmax(axis=1)
    line = {
        "chosen": answer.chosen,
        "validation_macro_f1": f"{own_tables.macro_f1(held_out, answer.validation.argmax(axis=1)):.6f}",
        "test_examples": len(labels),
        "test_accuracy": f"{(found == labels).mean():.6f}",
        "test_macro_f1": f"{own_tables.macro_f1(labels, found):.6f}",
        "scikit_learn": sklearn.__version__,
    } | circumstances(seconds)
    if table.name == "messages":
        spam, their_spam = answer.validation[:, 1], answer.test[:, 1]
        threshold = own_tables.threshold_of_least_cost(held_out, spam)
        line |= {
            "threshold": f"{threshold:.6f}",
            "cost_at_half": f"{own_tables.cost(labels, their_spam, 0.5):.6f}",
            "cost_at_threshold": f"{own_tables.cost(labels, their_spam, threshold):.6f}",
        }
    return {name: str(value) for name, value in line.items()}


def describe(line: dict[str, str]) -> str:
    """One sentence about a finished run."""
    seed = f", seed {line['seed']}" if line["seed"] else ""
    return (
        f"{line['task']}, {line['method']}, {int(line['labels']):,} labels{seed}: "
        f"macro-F1 {number_in(line, 'test_macro_f1'):.1%}, accuracy {number_in(line, 'test_accuracy'):.1%}"
    )


def report(runs: RunTable) -> None:
    """Print, for each group of runs that differ in their seed only, the macro-F1; and minilm against linear.

    The interval of a mean holds for other seeds, that of a difference (in accuracy) for other examples, too.
    """
    groups: dict[tuple, list[dict]] = {}
    for line in runs.lines:
        groups.setdefault((line["task"], int(line["labels"]), line["method"]), []).append(line)
    for (task, labels, method), lines in sorted(groups.items()):
        values = [number_in(line, "test_macro_f1") for line in lines]
        text = f"{task:<10}{labels:>6,}  {method:<9}{len(values):>3}  macro-F1 {np.mean(values):6.1%}"
        if len(values) > 1:
            found = summarize(values)
            text += f"  mean {found.low:.1%} to {found.high:.1%}"
        if method == "minilm" and (others := groups.get((task, labels, "linear"))):
            points = [np.array([runs.points(line) for line in each]) for each in (lines, others)]
            gap = compare_runs(*points)
            text += f"  accuracy against linear {100 * gap.mean:+.1f}"
            text += f" ({100 * gap.low:+.1f} to {100 * gap.high:+.1f})"
        print(text)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("--task", choices=own_tables.TABLES, default="messages")
    add("--methods", nargs="+", choices=own_methods.LEARNERS, default=list(own_methods.LEARNERS))
    add("--seeds", type=kinds.seed(), nargs="+", default=[0, 1, 2, 3, 4])
    add("--labels", type=kinds.either("all", kinds.count(20)), nargs="+", default=["all"],
        help="numbers of training rows, or all")  # fmt: skip
    add("--csv", type=kinds.growing_table(), default=Path("runs/own_tables.csv"),
        help="the table; its answers go beside it, as .npz")  # fmt: skip
    return kinds.parse_with_report(parser, given, "print means, intervals, differences")


def main(given: list[str] | None = None) -> int:
    return run_script(given, arguments, run)


if __name__ == "__main__":
    sys.exit(main())
