r"""Stories written by masked language models, from nothing but [MASK], and what the grammar says of them.

    python scripts/write_stories.py                                the stored table
    python scripts/write_stories.py --seeds 0 --training-steps 200 --csv runs/try.csv      to try it

For every seed a model is trained at mask rates from 0 to 1 (helpers/studies/writing_runs.py), and writes
stories of the lengths of training stories: in so many steps, showing first the tokens of which it is surest,
or any. The last number of steps, 1000, is more than a story has tokens: one token at a time. Beside them,
stories drawn from the grammar itself, and from a table of the two words before. A training goes on from its
latest state in --out, and lines that are in the table are left out, so an interrupted series goes on with the
same command.
"""

import argparse
import os
import sys
from functools import cache
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: see helpers/environment.py
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from safetensors import SafetensorError

from helpers import checkpoints, stories
from helpers.stories.written import StoryJudge, WrittenScores
from helpers.studies import trial_tables
from helpers.studies.errors import RowError, run_script
from helpers.studies.writing_runs import (
    ALL,
    WRITER,
    StoryRows,
    from_two_words,
    sample,
    train_writer,
    upper_bound,
)
from helpers.training import options as kinds

TABLE = Path("benchmarks/results/writing.csv")
RUN = ("writer", "seed", "steps", "order", "temperature", "training_steps")  # what a line is found by
COLUMNS = (*RUN, "stories", *WrittenScores._fields, "bound", "training_seconds", "cpu_seconds", "command")
FRESH = 1000  # the grammar's stories have seeds from here on, which no split has


def compute(options: argparse.Namespace) -> None:
    """Write what is missing in the table, seed by seed."""
    trial_tables.check_place(options.csv, COLUMNS)
    training = stories.split("train")
    rows = StoryRows(training, stories.split("validation"))
    judge = cache(lambda: StoryJudge(training))

    def add(run: dict, texts: list, **more: float) -> None:
        found = {"stories": len(texts), **judge()(texts)._asdict(), **more}
        command = (
            f"python scripts/write_stories.py --seeds {run['seed']} --training-steps {options.training_steps}"
        )
        line = trial_tables.add(options.csv, run, found, command, COLUMNS)
        print(trial_tables.in_words(line), flush=True)

    def missing(run: dict) -> bool:
        return not trial_tables.has(options.csv, run, COLUMNS)

    for seed in options.seeds:
        for writer in ("grammar", "two words before"):
            run = dict.fromkeys(RUN, "") | {"writer": writer, "seed": str(seed)}
            if missing(run):
                drawn = stories.stories(options.stories, FRESH + seed)
                texts = [stories.to_words(story.text) for story in drawn]
                if writer != "grammar":
                    texts = from_two_words(rows, options.stories, seed)
                add(run, texts, cpu_seconds=0.0)
        ways = [(steps, order, temperature) for temperature in options.temperatures for steps in options.steps
                for order in (["any"] if steps == 1 else options.orders)]  # fmt: skip
        runs = [
            dict(zip(RUN, map(str, ("bert", seed, *way, options.training_steps)), strict=True))
            for way in ways
        ]
        if any(map(missing, runs)) or (options.save and seed == options.seeds[0]):
            settings = WRITER | {"steps": options.training_steps}
            folder = options.out / f"seed-{seed}-{options.training_steps}"
            model, trained = train_writer(
                rows, settings, seed, folder, options.every, lambda t: print(t, flush=True)
            )
            bound = upper_bound(model, rows)
            print(f"seed {seed}: at most {bound:.3f} nats per token of the held-out stories", flush=True)
            if options.save and seed == options.seeds[0]:
                save(model, rows, options.save)
        for run, (steps, order, temperature) in zip(runs, ways, strict=True):
            if missing(run):
                lengths = rows.lengths(options.stories, seed)
                order = "random" if order == "any" else order
                texts, seconds = timed(model, rows, lengths, steps, order, temperature, seed)
                add(run, texts, bound=bound, training_seconds=trained, cpu_seconds=seconds)


def timed(model, rows, lengths, steps, order, temperature, seed) -> tuple[list, float]:
    """The stories and the CPU seconds that they took."""
    begun = sum(os.times()[:2])
    texts = sample(model, rows.tokenizer, lengths, steps, order, temperature, seed)
    return texts, sum(os.times()[:2]) - begun


def save(model, rows: StoryRows, folder: Path) -> None:
    """The checkpoint in 16 bits; RowError where it can't be written."""
    try:
        checkpoints.save(model, rows.tokenizer, folder, torch.float16)
    except (checkpoints.CheckpointError, OSError, SafetensorError) as error:
        raise RowError(
            f"the checkpoint could not be written to {folder} ({error}): choose another folder"
        ) from error


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("--seeds", type=kinds.seed(), nargs="+", default=[0, 1, 2])
    add(
        "--steps",
        type=kinds.count(),
        nargs="+",
        default=[1, 4, 16, 64, ALL],
        help="in which a story is written",
    )
    add("--orders", choices=("confidence", "random"), nargs="+", default=["confidence", "random"])
    add("--temperatures", type=kinds.number(least=0), nargs="+", default=[1.0])
    add("--stories", type=kinds.count(), default=200, help="written in each way; default: 200")
    add("--training-steps", type=kinds.count(), default=WRITER["steps"], help=f"default: {WRITER['steps']}")
    add("--every", type=kinds.count(), default=500, help="training steps between two states")
    add("--out", type=kinds.folder(), default=Path("runs/writing"), help="where trainings keep their states")
    add("--save", type=kinds.folder(), help="folder for the checkpoint of the first seed")
    add("--csv", type=kinds.growing_table(), default=TABLE, help=f"default: {TABLE}")
    add("--threads", type=kinds.threads(), default=1)
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    return run_script(given, arguments, compute)


if __name__ == "__main__":
    sys.exit(main())
