"""The tables of notebooks 8 and 9: methods side by side, over several seeds and numbers of labels.

    python scripts/fine_tune.py --task movies --csv benchmarks/results/fine_tuning.csv
    python scripts/fine_tune.py --task movies --labels 50 200 1000 all --rows random own frozen ours
    python scripts/fine_tune.py --task stories --labels 50 200 1000 5000
    python scripts/fine_tune.py --task movies --grid --labels 2000 --seeds 0 1 2
    python scripts/fine_tune.py --csv benchmarks/results/fine_tuning.csv --report

Every run is a line of the CSV, with all settings that decide it; its answers to all test examples go into the
.npz file beside it (helpers/studies/tables.py). Runs that are there already are left out, so an
interrupted series goes on with the same command. Choices (epoch, strength, pooling) are made on the
validation part; a run with few labels sees no more validation examples than it has labels. Rows:

    majority  the most frequent class           frozen   minilm as it is, with a linear head
    tfidf     words and pairs of words          ours     minilm fine-tuned by the course's own loop
    random    an encoder from random weights    trainer  the same by the library's Trainer
    own       an own checkpoint, fine-tuned     bert     bert-base-uncased, by our loop (only if asked for)
    human     one person (movies)               perfect  who knows the grammar (stories)

human: the share of a sentence's raters who have the sign of the mean of the others; a rating of 0 is half
right, and where the others' mean is 0 there is no truth and the judgment is left out. Sentences with a mean
of 0 are in no part.
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

from helpers.studies.errors import RowError, run_script
from helpers.studies.recipes import CHANGES, GRID, OWN, SETTINGS, settings_of
from helpers.studies.reports import report_rows
from helpers.studies.rows import RESULTS, ROWS, describe, result_columns
from helpers.studies.tables import RunTable, ensure_writable
from helpers.studies.tasks import load_task
from helpers.training import options as kinds

DEFAULT_ROWS = {
    "movies": ("majority", "tfidf", "random", "own", "frozen", "ours", "trainer", "human"),
    "stories": ("majority", "tfidf", "random", "own", "perfect"),
}


def run(options: argparse.Namespace) -> int:
    """Compute what is missing in the table, seed by seed, cheap rows first; returns 1 if a row failed."""
    runs = RunTable(options.csv, SETTINGS, RESULTS)
    if options.report:
        report_rows(runs)
        return 0
    task = load_task(options.task)
    total = len(task.train.texts)
    counts = [total if labels == "all" else labels for labels in options.labels]
    if max(counts) > total:
        raise RowError(f"{task.name} has {total:,} training examples: --labels at most that")
    given = {name: vars(options)[name] for name in CHANGES if vars(options)[name] is not None}
    tried = [given]
    if options.grid:
        tried = [given | dict(zip(GRID, values, strict=True)) for values in product(*GRID.values())]
    rows = [row for row in ROWS if row in options.rows]
    todo = list(product(options.seeds, counts, rows, tried))

    ensure_writable(options.csv)
    began, failed = time.perf_counter(), set()
    for done, (seed, labels, row, changes) in enumerate(todo):
        if row in failed:
            continue
        try:
            settings = settings_of(row, task, labels, seed, options.own, **changes)
            if runs.find(settings):
                continue
            if options.minutes is not None and time.perf_counter() - began > 60 * options.minutes:
                print(f"{options.minutes:g} minutes are over: the same command goes on "
                      f"(up to {len(todo) - done} runs are left)")  # fmt: skip
                break
            start = time.perf_counter()
            outcome = ROWS[row](task, settings)
        except RowError as error:
            failed.add(row)
            print(f"{row}: left out, {error}", file=sys.stderr, flush=True)
            continue
        line = settings | result_columns(task, settings, outcome, time.perf_counter() - start)
        runs.add(line, outcome.answers, np.array(task.test.labels))
        print(describe(line), flush=True)
    return int(bool(failed))


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("--task", choices=("movies", "stories"), default="movies")
    add("--rows", nargs="+", choices=tuple(ROWS), metavar="ROW", help="default: all of the task but bert")
    add("--seeds", type=kinds.seed(), nargs="+", default=[0, 1, 2, 3, 4])
    add("--labels", type=kinds.either("all", kinds.count(2)), nargs="+", default=["all"],
        help="numbers of training examples, or all")  # fmt: skip
    add("--csv", type=kinds.growing_table(), default=Path("runs/fine_tuning.csv"),
        help="the table; its answers go beside it, as .npz")  # fmt: skip
    add("--own", help="an own checkpoint, by folder; its shape is that of the random row, too")
    add("--threads", type=kinds.threads(), default=2)
    add("--minutes", type=kinds.number(above=0), help="begin no new run after so many minutes")
    add("--grid", action="store_true", help="row ours: learning rates by batch sizes by epochs")
    add("--report", action="store_true", help="compute nothing: print means, intervals and paired tests")
    add("--epochs", type=kinds.count(), help="for all trained rows, in place of the recipe's; so are:")
    add("--batch-size", type=kinds.count())
    add("--learning-rate", type=kinds.number(above=0))
    add("--layer-decay", type=kinds.number(above=0, most=1))
    add("--warm-up", type=kinds.number(least=0, below=1), help="a share of the steps")
    add("--weight-decay", type=kinds.number(least=0))
    add("--frozen-layers", type=kinds.either("none", kinds.count(0)),
        help="none, or how many lower layers stay as they are with the embeddings")  # fmt: skip
    add("--reads", choices=("[CLS]", "mean", "[MASK]"),
        help="what the classifier reads; [MASK] for stories alone, which have a place for the feeling")
    options = parser.parse_args(given)
    if options.reads == "[MASK]" and options.task != "stories":
        parser.error("--reads [MASK] is for the stories, which have a place for the feeling")
    if options.grid:
        if options.rows not in (None, ["ours"]):
            parser.error("--grid is for the row ours: leave --rows away")
        if [name for name in GRID if getattr(options, name) is not None]:
            parser.error("--grid goes through learning rates, batch sizes and epochs: leave them away")
        options.rows = ["ours"]
    options.rows = options.rows or DEFAULT_ROWS[options.task]
    missing = {"movies": "perfect", "stories": "human"}[options.task]
    if missing in options.rows:
        parser.error(f"{options.task} have no row {missing}: leave it away")
    options.own = options.own or OWN[options.task]
    if options.report and not options.csv.exists():
        parser.error(f"there is no table {options.csv} to report on")
    return options


def main(given: list[str] | None = None) -> int:
    return run_script(given, arguments, run)


if __name__ == "__main__":
    sys.exit(main())
