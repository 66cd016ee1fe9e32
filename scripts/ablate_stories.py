r"""The ablation table of notebook 7: the recipe of notebook 6 with one thing changed, three seeds a row.

    python scripts/ablate_stories.py
    python scripts/ablate_stories.py --rows recipe "batch 32" --seeds 3 4 --csv runs/ablations.csv

Every run begins with random weights and reads a quarter of the tokens that notebook 6's reads. It is measured
once, at its end, on all validation pairs (15 % of the words behind [MASK]). Runs that are in the table are
left out, so an interrupted series goes on with the same command. Rows: helpers/studies/ablations.py.
"""

import argparse
import os
import shlex
import sys
from functools import cache
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: see helpers/environment.py
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


from helpers import stories
from helpers.studies import ablations, trial_tables
from helpers.studies.errors import RowError, run_script
from helpers.studies.story_runs import Task
from helpers.training import options as kinds

TABLE = Path("benchmarks/results/pretraining_ablations.csv")


@cache
def task(vocab_size: int) -> Task:
    return Task({name: stories.split(name) for name in ("train", "validation")}, vocab_size)


def compute(options: argparse.Namespace) -> None:
    """Compute what is missing in the table, row by row, so that a row has all its seeds early."""
    trial_tables.check_place(options.csv, ablations.COLUMNS)
    for row in options.rows:
        for seed in options.seeds:
            wanted = ablations.identity(row, seed, options.share)
            if trial_tables.has(options.csv, wanted, ablations.COLUMNS):
                print(f"{row}, seed {seed}: is in the table", flush=True)
                continue
            size = ablations.settings_of(row)["vocab_size"]
            try:
                found = ablations.measure(task(size), row, seed, options.share)
            except FloatingPointError as error:
                raise RowError(f"{row}, seed {seed}: {error}") from error
            command = f"python scripts/ablate_stories.py --rows {shlex.quote(row)} --seeds {seed}"
            command += f" --share {options.share}"
            line = trial_tables.add(options.csv, wanted, found, command, ablations.COLUMNS)
            print(trial_tables.in_words(line, "settings"), flush=True)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add, names = parser.add_argument, "; ".join(ablations.ROWS)
    add("--rows", nargs="+", default=["all"], metavar="NAME", help=f"all, or: {names}".replace("%", "%%"))
    add("--seeds", type=kinds.seed(), nargs="+", default=[0, 1, 2])
    add("--share", type=kinds.number(above=0, most=1), default=ablations.SHARE,
        help="of notebook 6's steps; default: a quarter")  # fmt: skip
    add("--csv", type=kinds.growing_table(), default=TABLE, help=f"default: {TABLE}")
    add("--threads", type=kinds.threads(), default=1)
    options = parser.parse_args(given)
    options.rows = list(ablations.ROWS) if options.rows == ["all"] else options.rows
    if unknown := [name for name in options.rows if name not in ablations.ROWS]:
        parser.error(f"there is no row {unknown[0]!r}: choose from {names}")
    return options


def main(given: list[str] | None = None) -> int:
    return run_script(given, arguments, compute)


if __name__ == "__main__":
    sys.exit(main())
