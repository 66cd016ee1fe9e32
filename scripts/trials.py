r"""Pretraining trials: recipes compared on real text or on the stories, with a line of a table for each run.

    python scripts/trials.py --corpus text --recipes plain neighbors --steps 3000 --folder runs/trials
    python scripts/trials.py --corpus stories --recipes live --seeds 0 1 2 --csv runs/stories.csv

Every run begins with random weights and has only the masked-language loss. It is measured on what its
corpus holds out, 15 % of the tokens behind [MASK]: loss in nats, share of right answers, and how far it has
come from frequencies (0) to a table of both neighbors (1); on the stories also the gain, whose end is the
perfect model. Recipes with the same --steps read the same number of tokens. Runs that are in the table
already are left out, so an interrupted series goes on with the same command; two processes may share a table
and a folder, if their recipes differ. The recipes are in helpers/studies/trials.py.
"""

import argparse
import os
import shlex
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: see helpers/environment.py
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from helpers.studies import trial_tables
from helpers.studies.errors import RowError, run_script
from helpers.studies.trial_corpora import TEXTS, StoryCorpus, TextCorpus
from helpers.studies.trials import RECIPES, run
from helpers.training import options as kinds
from helpers.training.corpus import CorpusError
from helpers.training.settings import RunError

TABLE = Path("benchmarks/results/pretraining_trials.csv")


def compute(options: argparse.Namespace) -> None:
    """Compute what is missing in the table, seed by seed, so that every recipe has its first run early."""
    trial_tables.check_place(options.csv)

    @cache
    def corpus(length: int | None):
        if not length:
            return StoryCorpus()
        named = next(name for name, column in TEXTS.items() if column == options.corpus)
        return TextCorpus(options.folder, length, corpus=named)

    for seed in options.seeds:
        for name in options.recipes:
            recipe = RECIPES[name]
            recipe = replace(recipe, steps=options.steps or recipe.steps)
            wanted = trial_tables.identity(options.corpus, name, recipe, seed)
            if trial_tables.has(options.csv, wanted):
                print(f"{name}, seed {seed}: is in the table", flush=True)
                continue
            print(f"{name}, seed {seed}: {wanted['settings']}", flush=True)
            every = options.every or max(1, recipe.steps // 10)
            read_from = corpus(None if options.corpus == "stories" else recipe.length)
            found = run(recipe, read_from, seed, every, lambda text: print(text, flush=True))
            command = f"python scripts/trials.py --corpus {options.corpus} --recipes {shlex.quote(name)} "
            command += f"--seeds {seed} --steps {recipe.steps}"
            line = trial_tables.add(options.csv, wanted, found, command)
            print(trial_tables.in_words(line, "curve"), flush=True)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add, names = parser.add_argument, "; ".join(RECIPES)
    add("--corpus", choices=(*TEXTS.values(), "stories"), required=True,
        help="the course's own text, the same with books and Wikipedia leads, or stories")  # fmt: skip
    add("--recipes", nargs="+", required=True, metavar="NAME", help=f"all, or: {names}".replace("%", "%%"))
    add("--seeds", type=kinds.seed(), nargs="+", default=[0])
    add("--steps", type=kinds.count(), help="batches to read; default: as the recipe says")
    add("--every", type=kinds.count(), help="steps between two measurements; default: a tenth of them")
    add("--csv", type=kinds.growing_table(), default=TABLE, help=f"default: {TABLE}")
    add("--folder", type=kinds.folder(), default=Path("runs/trials"),
        help="where the prepared text is kept; default: runs/trials")  # fmt: skip
    add("--threads", type=kinds.threads(), default=1)
    options = parser.parse_args(given)
    options.recipes = list(RECIPES) if options.recipes == ["all"] else options.recipes
    if unknown := [name for name in options.recipes if name not in RECIPES]:
        parser.error(f"there is no recipe {unknown[0]!r}: choose from {names}")
    return options


def work(options: argparse.Namespace) -> None:
    """The same, with what is wrong with a corpus or a run said as one sentence."""
    try:
        compute(options)
    except (CorpusError, RunError) as error:
        raise RowError(str(error)) from error


def main(given: list[str] | None = None) -> int:
    return run_script(given, arguments, work)


if __name__ == "__main__":
    sys.exit(main())
