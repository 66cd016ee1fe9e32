r"""Notebook 6's live run without the notebook, with several seeds.

    python scripts/pretrain_stories.py --seeds 0 1 2 --threads 1 --save
    python scripts/pretrain_stories.py --long --threads 1 --save

Each run is measured on the same validation pairs (15 % of the words behind [MASK]) beside the unigram
baseline and the perfect model; "gain" is the share of the way from one to the other. In the CSV, a line per
measurement; it takes the place of an old one when all runs have ended. --long trains eight times as long and
more slowly, for what takes longer to learn (who *she* is). Variations: scripts/ablate_stories.py.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: see helpers/environment.py
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from safetensors import SafetensorError

from helpers import checkpoints, stories
from helpers.data.output import accept_any_text
from helpers.studies.story_runs import LONG, RECIPE, Measurements, Task, measurements, run
from helpers.training import options

FOLDER = checkpoints.CHECKPOINTS
ERRORS = (checkpoints.CheckpointError, FloatingPointError, OSError, SafetensorError)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--seeds", type=options.seed(), nargs="+", default=[0])
    add("--long", action="store_true", help="train longer and more slowly")
    add("--steps", type=options.count(), help=f"{RECIPE['steps']:,}, or {LONG['steps']:,} with --long")
    add("--every", type=options.count(), default=500, help="steps between two measurements")
    add("--threads", type=options.threads(), default=2)
    add("--csv", type=options.table(), help="where measurements go: stories.csv, stories_long.csv")
    add("--save", type=options.folder(), nargs="?", const=FOLDER,
        help="folder for the checkpoint of the first run")  # fmt: skip
    settings = parser.parse_args(given)
    folder = FOLDER / ("stories_long" if settings.long else "stories")
    settings.steps = settings.steps or (LONG if settings.long else RECIPE)["steps"]
    settings.csv = settings.csv or folder.with_suffix(".csv")
    settings.save = folder if settings.save == FOLDER else settings.save
    return settings


def main(given: list[str] | None = None) -> int:
    accept_any_text()
    settings = arguments(given)
    torch.set_num_threads(settings.threads)
    base = RECIPE | (LONG if settings.long else {}) | {"steps": settings.steps}
    try:
        with Measurements(settings.csv) as table:
            texts = {name: stories.split(name) for name in ("train", "validation")}
            task = Task(texts, base["vocab_size"])
            for seed in settings.seeds:

                def write(step, tokens, seconds, model, seed=seed):
                    values = measurements(task, model, whole=step == settings.steps)
                    table.add("recipe", seed, step, tokens, seconds, values)

                model = run(task, base, seed, settings.every, write)
                if settings.save and seed == settings.seeds[0]:
                    checkpoints.save(model, task.tokenizer, settings.save)
    except ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
