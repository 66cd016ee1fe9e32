"""The table of notebook 15: readers of Wikipedia paragraphs, three seeds, exact match and F1.

    python scripts/question_answering.py
    python scripts/question_answering.py --rows minilm --seeds 3 4 --questions 8000 --csv runs/reading.csv
    python scripts/question_answering.py --report

Every run is two lines of the CSV, exact match and F1, with all settings that decide it; its points for every
test question go into the .npz file beside it. Runs that are there already are left out, so an interrupted
series goes on with the same command. The questions are fetched first: 358 MB, of which 14 MB are kept. Rows:

    sentence  the sentence that shares the rarest words with the question
    kinds     in it, a span of the kind that the question word asks for
    random    a model of minilm's shape from random weights (only if asked for)
    minilm    minilm, trained to read
"""

import argparse
import os
import sys
import time
from itertools import product
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: see helpers/environment.py
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from helpers import data
from helpers.studies import reading_runs as runs
from helpers.studies.errors import RowError, run_script
from helpers.studies.tables import RunTable, ensure_writable
from helpers.training import options as kinds

TABLE = Path("benchmarks/results/question_answering.csv")


def compute(options: argparse.Namespace) -> None:
    """Compute what is missing in the table, row by row, so that a row has all its seeds early."""
    table = RunTable(options.csv, runs.SETTINGS, runs.RESULTS)
    if options.report:
        print(runs.reading_report(table))
        return
    ensure_writable(options.csv)
    parts = {name: runs.reading_examples(found) for name, found in data.question_paragraphs().items()}
    test = runs.evenly(parts["test"], options.test_questions)
    for questions, row, seed in product(options.questions, options.rows, options.seeds):
        settings = runs.settings_of(row, seed, questions, len(test))
        name = f"{row}, {questions} questions, seed {seed}" if settings["questions"] else row
        if runs.is_there(table, settings):
            print(f"{name}: is in the table", flush=True)
            continue
        began = time.process_time()
        try:
            scores = runs.run(row, seed, parts["train"], test, questions)
        except FloatingPointError as error:
            raise RowError(f"{name}: {error}") from error
        runs.add_run(table, settings, scores, began)
        print(f"{name}: exact match {scores.exact:.1%}, F1 {scores.f1:.1%}", flush=True)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("--rows", nargs="+", default=["sentence", "kinds", "minilm"], choices=runs.ROWS)
    add("--seeds", type=kinds.seed(), nargs="+", default=[0, 1, 2])
    add("--questions", type=kinds.count(), nargs="+", default=[1000, 4000], help="default: 1000 4000")
    add("--test-questions", type=kinds.count(), default=400, help="default: 400, evenly spread")
    add("--csv", type=kinds.growing_table(), default=TABLE, help=f"default: {TABLE}")
    return kinds.parse_with_report(parser, given, "print what is in the table")


def main(given: list[str] | None = None) -> int:
    return run_script(given, arguments, compute)


if __name__ == "__main__":
    sys.exit(main())
