"""Time to the live run's target: our loop against the Transformers Trainer, on the same stories and encoder.

    python benchmarks/pretraining_race.py                 all four, one after the other (some 15 minutes)
    python benchmarks/pretraining_race.py --only ours tuned

The target is the loss at 92 % of the reachable gain on the validation pairs, 15 % of the words behind [MASK].
- live run: notebook 6's run as it is, next-sentence loss and all.
- ours: the same without the next-sentence loss, which the Trainer's runs do not have, and with the last layer
  computed at the hidden words only (`helpers/training/shortcuts.py`).
- tuned: `Trainer` and `DataCollatorForLanguageModeling` with everything that we know: our initial weights,
  optimizer, learning rates, schedule, number of steps, batch size and masking, no dropout, batches of similar
  length. What is left is how the work is done.
- defaults: the same encoder's shape with all that the library does by itself: initialization, dropout,
  learning rate 5e-5, batches of 8, 15 % masked 80 / 10 / 10.
A side ends when it has reached the target, or after `--limit` times our time. Measuring is not counted.
Seconds are CPU seconds of one thread, so that other work on the machine counts for no side; the wall time
stands beside. The table is written aside, and put in its place when all have ended.
"""

import argparse
import csv
import os
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
import transformers
from torch.nn import functional
from torch.utils.data import Dataset

from helpers import checkpoints, stories
from helpers.data.output import accept_any_text
from helpers.pretraining import (
    IGNORE,
    BertForPreTraining,
    make_optimizer,
    make_sentence_pairs,
    mean_losses,
    update_weights,
)
from helpers.studies.story_runs import RECIPE, Task, make_model, run, training_batches
from helpers.training.options import count, number, table
from helpers.training.shortcuts import masked_token_logits

TARGET = 0.92
DEFAULTS = {
    "init_std": 0.02,
    "dropout": 0.1,
    "start_at_frequencies": False,
}  # what the library does by itself
STORED = Path(__file__).parent / "results" / "pretraining_race.csv"
COLUMNS = ("side", "step", "cpu_seconds", "wall_seconds", "token_loss", "gain")


class Clock:
    """CPU and wall seconds since the start, without those spent measuring."""

    def __init__(self):
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def now(self) -> tuple[float, float]:
        return time.process_time() - self.cpu, time.perf_counter() - self.wall

    def pause(self, action):
        before = self.now()
        result = action()
        after = self.now()
        self.cpu, self.wall = self.cpu + after[0] - before[0], self.wall + after[1] - before[1]
        return result


class Pairs(Dataset):
    """Every pair of an epoch as the library's tokenized texts: input_ids, token_type_ids."""

    def __init__(self, task: Task, seed: int = 0):
        cls, sep = task.tokenizer.id_of["[CLS]"], task.tokenizer.id_of["[SEP]"]
        self.rows = [
            {
                "input_ids": [cls, *first, sep, *second, sep],
                "token_type_ids": [0] * (len(first) + 2) + [1] * (len(second) + 1),
            }
            for first, second, _ in make_sentence_pairs(task.documents, seed)
        ]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        return self.rows[index]


def gain(task: Task, model: BertForPreTraining) -> tuple[float, float]:
    loss = mean_losses(model, task.batches).token_loss
    return loss, task.gain(loss)


class Reached(Exception):
    """A side is at the target."""


def run_live(task: Task, write, every: int) -> None:
    clock = Clock()

    def on_measure(step, tokens, seconds, model):
        clock.pause(lambda: write("live run", step, clock.now(), *gain(task, model)))

    run(task, RECIPE, 0, every, on_measure)


def run_ours(task: Task, write, every: int) -> None:
    model, clock = make_model(task, RECIPE, 0), Clock()
    steps = RECIPE["steps"]
    optimizer, schedule = make_optimizer(model, steps, RECIPE["learning_rate"], RECIPE["warm_up"],
                                         embedding_rate=RECIPE["embedding_rate"])  # fmt: skip
    for step, batch in enumerate(islice(training_batches(task, RECIPE, 0), steps), 1):
        positions = batch["labels"] != IGNORE
        logits = masked_token_logits(
            model, batch["ids"], positions, batch["type_ids"], batch["attention_mask"]
        )
        loss = functional.cross_entropy(logits, batch["labels"][positions])
        update_weights(model, loss, optimizer, schedule, step)
        if step % every == 0 or step == steps:
            clock.pause(lambda step=step: write("ours", step, clock.now(), *gain(task, model)))


def run_trainer(task: Task, tuned: bool, write, every: int, limit: float) -> None:
    """One of the Trainer's runs; it ends after `limit` CPU seconds."""
    side, start = "tuned" if tuned else "defaults", start_of(task, tuned)

    class Measure(transformers.TrainerCallback):
        def on_step_end(self, args, state, control, model=None, **more):
            step, over = state.global_step, clock.now()[0] > limit
            if step % every == 0 or step == state.max_steps or over:
                clock.pause(lambda: write(side, step, clock.now(), *gain(task, ours(model, start))))
            control.should_training_stop |= over

    with tempfile.TemporaryDirectory() as folder:
        trainer = make_trainer(task, tuned, folder, Measure())
        clock = Clock()
        trainer.train()


def start_of(task: Task, tuned: bool, seed: int = 0) -> BertForPreTraining:
    """The model with which the Trainer's run begins."""
    return make_model(task, RECIPE if tuned else RECIPE | DEFAULTS, seed)


def make_trainer(task: Task, tuned: bool, folder: str, callback, seed: int = 0) -> transformers.Trainer:
    """The library's Trainer with all that we know, or with its own defaults; `folder` is its own."""
    transformers.set_seed(seed)
    start = start_of(task, tuned, seed)
    theirs = checkpoints.to_transformers(start)
    config = theirs.config
    config._attn_implementation = "sdpa"
    model = transformers.BertForMaskedLM(config)
    if tuned:
        model.load_state_dict(theirs.state_dict(), strict=False)
    checkpoints.save(start, task.tokenizer, Path(folder) / "tokenizer")
    tokenizer = transformers.AutoTokenizer.from_pretrained(Path(folder) / "tokenizer")
    masking = {
        "mlm_probability": RECIPE["mask_rate"],
        "mask_replace_prob": 1.0,
        "random_replace_prob": 0.0,
    }
    collator = transformers.DataCollatorForLanguageModeling(tokenizer, **(masking if tuned else {}))
    options = {"output_dir": folder, "use_cpu": True, "report_to": "none", "save_strategy": "no",
               "logging_strategy": "no", "disable_tqdm": True, "seed": seed}  # fmt: skip
    optimizers = (None, None)
    if tuned:
        options |= {"per_device_train_batch_size": RECIPE["batch_size"], "max_steps": RECIPE["steps"],
                    "max_grad_norm": 1.0, "train_sampling_strategy": "group_by_length"}  # fmt: skip
        optimizers = make_optimizer(model, RECIPE["steps"], RECIPE["learning_rate"], RECIPE["warm_up"],
                                    embedding_rate=RECIPE["embedding_rate"])  # fmt: skip
    return transformers.Trainer(
        model, transformers.TrainingArguments(**options), data_collator=collator,
        train_dataset=Pairs(task, seed), optimizers=optimizers, callbacks=[callback],
    )  # fmt: skip


def ours(theirs: transformers.BertForMaskedLM, shape: BertForPreTraining) -> BertForPreTraining:
    """Our model with the Trainer's weights, to be measured by our function."""
    state = theirs.state_dict()
    names = {name: checkpoints.their_name(name) for name in shape.state_dict()}
    kept = shape.state_dict()
    shape.load_state_dict({name: state.get(other, kept[name]) for name, other in names.items()})
    return shape


def report(rows: list[dict]) -> str:
    """For each side: when it reached the target, and how that compares with ours."""
    sides = {}
    for row in rows:  # a side's last line is the one at the target, if it got there
        sides[row["side"]] = row
    lines = []
    for side, last in sides.items():
        there, seconds = float(last["gain"]) >= TARGET, float(last["cpu_seconds"])
        line = f"{side:<9} {float(last['gain']):.1%} of the gain after {seconds:.0f} s, {last['step']} steps"
        if "ours" in sides and side != "ours":
            ratio = seconds / float(sides["ours"]["cpu_seconds"])
            line += f": {'' if there else 'target not reached after '}{ratio:.1f} times our time"
        lines.append(line)
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    accept_any_text()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=("live", "ours", "tuned", "defaults"),
                        default=["live", "ours", "tuned", "defaults"])  # fmt: skip
    parser.add_argument("--every", type=count(), default=250, help="steps between two measurements")
    parser.add_argument(
        "--limit", type=number(above=0), default=4.0, help="when a side ends at the latest, in times ours"
    )
    parser.add_argument("--steps", type=count(), default=RECIPE["steps"], help="fewer, to try the program")
    parser.add_argument("--csv", type=table(), default=STORED)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    RECIPE["steps"] = given.steps
    task = Task({name: stories.split(name) for name in ("train", "validation")}, RECIPE["vocab_size"])
    rows: list[dict] = []
    aside = given.csv.with_name(f"{given.csv.name}.partial")  # takes the place of the table at the end
    with open(aside, "w", encoding="utf-8", newline="") as file:
        lines = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        lines.writeheader()

        def write(side, step, spent, loss, share):
            values = (side, step, f"{spent[0]:.1f}", f"{spent[1]:.1f}", f"{loss:.4f}", f"{share:.4f}")
            rows.append(dict(zip(COLUMNS, values, strict=True)))
            lines.writerow(rows[-1])
            file.flush()
            print("  ".join(map(str, values)), flush=True)
            if share >= TARGET:
                raise Reached

        def go(action, *more) -> float:
            try:
                action(task, *more)
            except Reached:
                pass
            return float(rows[-1]["cpu_seconds"])

        spent = 100.0
        if "live" in given.only:
            go(run_live, write, given.every)
        if "ours" in given.only:
            spent = go(run_ours, write, given.every)
        if "tuned" in given.only:
            go(run_trainer, True, write, given.every, given.limit * spent)
        if "defaults" in given.only:
            go(run_trainer, False, write, 2 * given.every, given.limit * spent)
    os.replace(aside, given.csv)
    print(report(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
