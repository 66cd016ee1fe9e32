"""The speedrun: how much processor time an entry needs until its model has 92 % of the reachable gain.

Support code; the rules are in `benchmarks/speedruns/README.md`, the loop over entries and seeds in
`benchmarks/speedrun.py`. An entry gets the training stories as token ids and has its model measured now and
then; the clock stands still meanwhile, and the run ends when the target is reached.
"""

import importlib.util
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch.nn import functional

from helpers.pretraining import IGNORE
from helpers.studies.errors import RowError
from helpers.studies.story_runs import Task
from helpers.wordpiece import WordPieceTokenizer

__all__ = [
    "MOST_MEASUREMENTS", "TARGET", "Clock", "Data", "Entry", "Judge", "Predict", "Result", "commit_of",
    "race", "read_entry",
]  # fmt: skip

TARGET = 0.92  # of the way from word frequencies to the perfect model
MOST_MEASUREMENTS = 50  # of one run
PART, FAR = 8, 0.03  # an eighth of the pairs is enough where the gain is so far below the target

# ids, type_ids, attention_mask, positions (B, T) -> scores (M, V) at the M positions that are True
Predict = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


class Data(NamedTuple):
    """What an entry is given: every training story as segments of token ids, and their tokenizer."""

    documents: list[list[list[int]]]
    tokenizer: WordPieceTokenizer


class Entry(NamedTuple):
    """A file of the race: train(data, seed, measure) calls measure(predict, step) now and then."""

    name: str
    who: str
    what: str
    train: Callable[[Data, int, Callable[[Predict, int], None]], None]
    path: Path


class Result(NamedTuple):
    """What a run came to: the target reached or not, when, and every measurement on the way."""

    reached: bool
    gain: float
    step: int
    cpu_seconds: float
    curve: tuple[tuple[int, float, float], ...]  # (step, CPU seconds, loss in nats)


class Ended(Exception):
    """The run is over, whatever the entry was about to do."""


class Clock:
    """Processor seconds of this process and its ended children, without those in which it stood still."""

    def __init__(self, read: Callable[[], float] | None = None):
        self.read = read or (lambda: sum(os.times()[:4]))
        self.begun = self.read()

    def now(self) -> float:
        return self.read() - self.begun

    def without(self, action: Callable[[], float]) -> float:
        """What the action returns; its seconds are not counted."""
        before = self.read()
        result = action()
        self.begun += self.read() - before
        return result


class Judge:
    """Measures an entry's model on the validation pairs, keeps the curve, and ends the run at the target.

    most: seconds after which a run is ended; only: a step after which it is ended (to time the reference).
    """

    def __init__(
        self, task: Task, clock: Clock, most: float, only: int | None = None, target: float = TARGET
    ):
        self.task, self.clock, self.most, self.only, self.target = task, clock, most, only, target
        self.curve, self.gain, self.reached = [], 0.0, False

    def __call__(self, predict: Predict, step: int) -> None:
        """Measure; Ended where the target is reached, or the run may not go on."""
        seconds = self.clock.now()
        if self.only is None:
            loss = self.clock.without(lambda: self.measured(predict))
            self.gain = self.task.gain(loss)
            self.curve.append((step, seconds, loss))
            self.reached = self.gain >= self.target
        else:
            self.curve.append((step, seconds, float("nan")))
        stop = self.only is not None and step >= self.only
        if self.reached or stop or seconds >= self.most or len(self.curve) == MOST_MEASUREMENTS:
            raise Ended

    def measured(self, predict: Predict) -> float:
        """The loss on all pairs; on an eighth of them where that is clearly too high."""
        part = self.task.batches[::PART]
        loss = self.loss(predict, part)
        far = self.task.gain(loss) < self.target - FAR
        return loss if far or len(part) == len(self.task.batches) else self.loss(predict, self.task.batches)

    @torch.no_grad()
    def loss(self, predict: Predict, batches: list[dict]) -> float:
        """The mean loss at the hidden words of validation pairs; RowError for scores that are none."""
        total = asked = 0.0
        for batch in batches:
            positions = batch["labels"] != IGNORE
            scores = predict(
                batch["ids"].clone(),
                batch["type_ids"].clone(),
                batch["attention_mask"].clone(),
                positions.clone(),
            )
            hidden = batch["labels"][positions]
            wanted = (len(hidden), len(self.task.tokenizer.vocabulary))
            if not isinstance(scores, torch.Tensor) or tuple(scores.shape) != wanted:
                found = tuple(scores.shape) if isinstance(scores, torch.Tensor) else type(scores).__name__
                raise RowError(
                    f"predict must return scores of shape {wanted}, one row a hidden word, not {found}"
                )
            total += functional.cross_entropy(scores.float(), hidden, reduction="sum").item()
            asked += len(hidden)
        return total / asked


def read_entry(path: str | Path) -> Entry:
    """The entry in a file; RowError for one that does not say who, what and train."""
    path = Path(path)
    if not path.is_file():
        raise RowError(f"there is no entry {path}: choose one of the files beside it, or write it")
    spec = importlib.util.spec_from_file_location(f"speedrun_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    missing = [name for name in ("WHO", "WHAT", "train") if not hasattr(module, name)]
    if missing:
        raise RowError(
            f"{path.name} lacks {missing[0]}: an entry has WHO, WHAT and train(data, seed, measure)"
        )
    return Entry(path.stem, module.WHO, module.WHAT, module.train, path)


def commit_of(path: Path) -> str:
    """The last commit that changed a file, "+" if it has changed since; "" outside of a repository."""

    def ask(*words: str) -> str:
        found = subprocess.run(
            ["git", *words, "--", path.name], cwd=path.parent, capture_output=True, text=True
        )
        return found.stdout.strip() if found.returncode == 0 else ""

    try:
        commit = ask("log", "-1", "--format=%h")
        return commit and commit + "+" * bool(ask("status", "--porcelain"))
    except OSError:  # no git
        return ""


def race(
    entry: Entry, task: Task, seed: int, most: float, only: int | None = None, target: float = TARGET
) -> Result:
    """One run of an entry, on one thread; the clock starts when it is given the stories.

    Raises RowError for an entry that was never measured, or that says its numbers are not finite.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    data = Data([[list(segment) for segment in document] for document in task.documents], task.tokenizer)
    clock = Clock()
    judge = Judge(task, clock, most, only, target)
    try:
        entry.train(data, seed, judge)
    except Ended:
        pass
    except FloatingPointError as error:
        raise RowError(f"{entry.name}, seed {seed}: {error}") from error
    if not judge.curve:
        raise RowError(f"{entry.name} had no model measured: call measure(predict, step) on the way")
    step, seconds, _ = judge.curve[-1]
    return Result(judge.reached, judge.gain, step, seconds, tuple(judge.curve))
