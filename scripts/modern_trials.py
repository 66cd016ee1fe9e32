r"""Does a modern encoder pay at our size? BERT and its changes on the stories, for the same CPU seconds each.

    python scripts/modern_trials.py             everything that is missing in the two tables

First the milliseconds of a step are measured, of every recipe on the stories and of four ways of attention at
six lengths, all in turn (benchmarks/results/modern_costs.csv). Then every recipe is trained from random
weights, with as many steps as its cost allows in --seconds, and measured as in scripts/trials.py, of which
this is a case: a line for each run in benchmarks/results/modern_trials.csv. Runs that are there already are
left out, so an interrupted series goes on with the same command. The recipes are in
helpers/studies/modern_trials.py.
"""

import argparse
import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: see helpers/environment.py
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from helpers.data.files import write_atomically
from helpers.studies import modern_trials, trial_tables
from helpers.studies.errors import run_script
from helpers.studies.modern_trials import COLUMNS, COSTS, MODERN, ROW_LENGTHS, WAYS
from helpers.studies.tables import TableError, csv_line
from helpers.studies.trial_corpora import StoryCorpus
from helpers.studies.trials import run
from helpers.training import options as kinds

TABLE = Path("benchmarks/results/modern_trials.csv")
COST_TABLE = Path("benchmarks/results/modern_costs.csv")


def costs(options: argparse.Namespace, corpus: StoryCorpus) -> dict[str, float]:
    """Milliseconds of a step of each recipe: from the table, or measured and written with the lengths."""
    path = Path(options.costs)
    lines = trial_tables.read(path, COSTS)
    if not lines:
        said = lambda text: print(text, flush=True)  # noqa: E731
        found = [(name, 0, values) for name, values in
                 modern_trials.step_seconds(MODERN, corpus, options.rounds, say=said).items()]  # fmt: skip
        for length in ROW_LENGTHS:
            said(f"{length} tokens")
            by_way = modern_trials.length_seconds(WAYS, length, options.rounds)
            found += [(way, length, values) for way, values in by_way.items()]
        lines = []
        for what, length, values in found:
            median, least = modern_trials.median_and_least(values)
            row = (what, str(length), f"{median:.3f}", f"{least:.3f}", str(len(values)))
            lines.append(dict(zip(COSTS, row, strict=True)))
        text = csv_line(COSTS) + "".join(csv_line(line.values()) for line in lines)
        write_atomically(path, text.encode())
    return {line["what"]: float(line["milliseconds"]) for line in lines if line["length"] == "0"}


def compute(options: argparse.Namespace) -> None:
    """Compute what is missing, seed by seed, so that every recipe has its first run early."""
    trial_tables.check_place(options.csv, COLUMNS)
    trial_tables.check_place(options.costs, COSTS)
    corpus = StoryCorpus()
    cost = costs(options, corpus)
    for seed in options.seeds:
        for name in options.recipes:
            if name not in cost:
                raise TableError(f"{options.costs} has no cost of {name!r}: delete it, and all are measured")
            steps = round(1000 * options.seconds / cost[name])
            recipe = replace(MODERN[name], steps=steps)
            wanted = trial_tables.identity("stories", name, recipe, seed)
            if trial_tables.has(options.csv, wanted, COLUMNS):
                print(f"{name}, seed {seed}: is in the table", flush=True)
                continue
            print(f"{name}, seed {seed}: {steps} steps", flush=True)
            found = run(recipe, corpus, seed, max(1, steps // 6), lambda text: print(text, flush=True))
            found |= {"step_ms": cost[name], "weights": modern_trials.learned_weights(recipe, corpus)}
            command = f"python scripts/modern_trials.py --recipes {shlex.quote(name)} --seeds {seed}"
            command += f" --seconds {options.seconds:g}"
            line = trial_tables.add(options.csv, wanted, found, command, COLUMNS)
            print(trial_tables.in_words(line, "curve"), flush=True)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add, names = parser.add_argument, "; ".join(MODERN)
    add("--recipes", nargs="+", default=list(MODERN), metavar="NAME", help=f"default: all, {names}")
    add("--seeds", type=kinds.seed(), nargs="+", default=[0, 1, 2])
    add("--seconds", type=float, default=60, help="CPU seconds of a run, by the measured cost; default: 60")
    add("--rounds", type=kinds.count(), default=15, help="of measuring costs; default: 15")
    add("--csv", type=kinds.growing_table(), default=TABLE, help=f"default: {TABLE}")
    add("--costs", type=kinds.growing_table(), default=COST_TABLE, help=f"default: {COST_TABLE}")
    add("--threads", type=kinds.threads(), default=1)
    options = parser.parse_args(given)
    if unknown := [name for name in options.recipes if name not in MODERN]:
        parser.error(f"there is no recipe {unknown[0]!r}: choose from {names}")
    if not 0 < options.seconds <= 86_400:
        parser.error(f"--seconds must be above 0 and at most 86400, not {options.seconds}")
    return options


def main(given: list[str] | None = None) -> int:
    return run_script(given, arguments, compute)


if __name__ == "__main__":
    sys.exit(main())
