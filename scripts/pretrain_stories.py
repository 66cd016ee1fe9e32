r"""Notebook 5's live run without the notebook: several seeds, and small variations of the recipe.

    python scripts/pretrain_stories.py --seeds 0 1 2 --save
    python scripts/pretrain_stories.py --long --save
    python scripts/pretrain_stories.py --variants all --steps 2500 \
        --csv benchmarks/results/pretraining_ablations.csv

Each run is measured on the same validation pairs (15 % of the words behind [MASK]) beside the unigram
baseline and the perfect model; "gain" is the share of the way from one to the other. In the CSV, a line per
measurement. --long trains eight times as long and more slowly, for what takes longer to learn (who *she* is).
The variations differ from the recipe in the one thing that their name says.
"""

import argparse
import csv
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from helpers import checkpoints, stories
from helpers.studies.story_runs import COLUMNS, LONG, RECIPE, VARIANTS, Task, measurements, run

FOLDER = checkpoints.CHECKPOINTS


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--variants", nargs="+", default=["recipe"], help=f"all, or: {'; '.join(VARIANTS)}")
    parser.add_argument("--long", action="store_true", help="train longer and more slowly")
    parser.add_argument("--steps", type=int, help=f"{RECIPE['steps']:,}, or {LONG['steps']:,} with --long")
    parser.add_argument("--every", type=int, default=500, help="steps between two measurements")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--csv", type=Path, help="where measurements go: stories.csv, stories_long.csv")
    parser.add_argument("--save", type=Path, nargs="?", const=FOLDER,
                        help="folder for the checkpoint of the first run")  # fmt: skip
    given = parser.parse_args()
    folder = FOLDER / ("stories_long" if given.long else "stories")
    recipe = RECIPE | (LONG if given.long else {})
    given.steps = given.steps or recipe["steps"]
    given.csv = given.csv or folder.with_suffix(".csv")
    given.save = folder if given.save == FOLDER else given.save
    chosen = list(VARIANTS) if given.variants == ["all"] else given.variants
    if unknown := [name for name in chosen if name not in VARIANTS]:
        parser.error(f"there is no variant {unknown[0]!r}: choose from {'; '.join(VARIANTS)}")
    torch.set_num_threads(given.threads)
    texts = {name: stories.split(name) for name in ("train", "validation")}
    tasks: dict[int, Task] = {}
    with open(given.csv, "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        for name in chosen:
            settings = recipe | VARIANTS[name] | {"steps": given.steps}
            size = settings["vocab_size"]
            task = tasks[size] = tasks.get(size) or Task(texts, size)
            for seed in given.seeds:

                def write(step, tokens, seconds, model, name=name, seed=seed, task=task):
                    values = measurements(task, model, whole=step == given.steps)
                    shown = {key: f"{value:.4f}" for key, value in values.items()}
                    line = {"variant": name, "seed": seed, "step": step, "tokens": tokens,
                            "seconds": f"{seconds:.1f}", **shown}  # fmt: skip
                    table.writerow(line)
                    file.flush()
                    print("  ".join(f"{key} {value}" for key, value in line.items()), flush=True)

                model = run(task, settings, seed, given.every, write)
                if given.save and name == chosen[0] and seed == given.seeds[0]:
                    checkpoints.save(model, task.tokenizer, given.save)
    return 0


if __name__ == "__main__":
    sys.exit(main())
