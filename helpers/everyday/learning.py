"""From a table to a folder: `train` reads, splits, trains, measures and saves.

Everything that can be checked is checked before anything is computed. What is found on the way goes to `say`,
line by line. InputError, CheckpointError and DataError are sentences for the user.
"""

import platform
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from tqdm import tqdm

from helpers.checkpoints import encoder_of
from helpers.classification import FineTuning, freeze_lower_layers
from helpers.data.files import sha256_of
from helpers.everyday import reports
from helpers.everyday.baseline import FEATURES, Baseline, count_words
from helpers.everyday.card import model_card
from helpers.everyday.errors import InputError
from helpers.everyday.examples import Labelled, Parts, labelled, split
from helpers.everyday.folder import check_folder, load_start, save_classifier
from helpers.everyday.scoring import Scores, compare_answers, score
from helpers.everyday.tables import load_table
from helpers.everyday.training import (
    Epoch,
    encode_pairs,
    logits_of,
    new_classifier,
    train_classifier,
    usual_rate,
)

__all__ = ["Choices", "train"]

LEAST_EPOCHS, LEAST_STEPS = 3, 100  # few texts get more epochs (Mosbach et al. 2021, section 6)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Choices:
    """What may be chosen for a training; None: by the size of the table, or of the encoder."""

    text: str
    label: str
    second: str | None = None
    model: str = "minilm"
    merge_labels: bool = False
    encoding: str = "utf-8"
    epochs: int | None = None
    learning_rate: float | None = None
    batch_size: int = 32
    max_length: int = 128
    seed: int = 0


def train(
    file: str | Path, out: str | Path, choices: Choices, *, force: bool = False, device: str = "cpu",
    command: str = "", say: Say = print,
) -> dict:  # fmt: skip
    """Train a classifier on a table and save it; returns what classifier.json gets: settings, figures."""
    began = time.perf_counter()
    check_folder(out, force)
    columns = [name for name in (choices.text, choices.second, choices.label) if name is not None]
    table = load_table(file, columns, choices.encoding)
    examples = labelled(table, choices.text, choices.label, choices.second, choices.merge_labels)
    for line in (*table.notes, *reports.count_lines(examples.counts, examples.left_out), *examples.notes):
        say(line)
    parts = split(examples, choices.seed)
    say(f"{len(examples.classes)} classes; {len(parts.train):,} rows for training, "
        f"{len(parts.validation):,} texts for choices, {len(parts.test):,} for the test")  # fmt: skip
    encoder, tokenizer, notes = load_start(choices.model)
    for line in notes:
        say(f"{choices.model}: {line}")
    model = new_classifier(encoder_of(encoder), examples.classes, choices.seed).to(device)
    frozen = len(model.bert.layers) // 2 if choices.model == "minilm" else 0
    freeze_lower_layers(model.bert, frozen)
    plan = _plan(choices, len(parts.train), model)
    encodings, cut = encode_pairs(examples.pairs, tokenizer, plan.max_length)
    if cut:
        say(f"{cut:,} texts are longer than {plan.max_length} tokens and are read up to there (--max-length)")

    with tqdm(total=len(FEATURES) + 1, desc="word counts", disable=None) as bar:
        counted = count_words(examples, parts, choices.seed, bar.update)
    sets = [([encodings[row] for row in rows], [examples.labels[row] for row in rows]) for rows in parts]
    started = time.perf_counter()
    with _steps(plan, len(parts.train)) as bar:
        try:
            best = train_classifier(model, tokenizer, *sets[:2], plan, _teller(say, plan, bar), _counter(bar))
        except FloatingPointError as error:
            raise InputError(f"training went astray: {error}. Try a smaller --learning-rate") from None
    seconds = time.perf_counter() - started
    answers = logits_of(model, sets[2][0], tokenizer).argmax(dim=-1).tolist()
    scores, others = _scores(examples, parts, answers, counted, choices.seed)

    settings = {
        "format": 1,
        **asdict(choices),
        "learning_rate": plan.learning_rate, "epochs": plan.epochs, "best_epoch": best,
        "frozen_layers": frozen, "max_length": plan.max_length, "cut_texts": cut, "seconds": seconds,
        "command": command,
        "data": {"file": table.name, "sha256": sha256_of(Path(file)), **examples.counts},
        "labels": _label_counts(examples, parts),
        "test": scores.as_json(),
        "baseline": others,
        "versions": {"Python": platform.python_version()}
        | {name: version(name) for name in ("torch", "transformers", "scikit-learn")},
    }  # fmt: skip
    save_classifier(out, model.cpu(), tokenizer, settings, model_card(settings), force)
    for line in (*reports.outcome_lines(scores, settings), *reports.class_lines(scores)):
        say(line)
    say(
        f"{time.perf_counter() - began:.0f} seconds in all; saved in {out}, where README.md is the model card"
    )
    return settings


def _plan(choices: Choices, rows: int, model) -> FineTuning:
    """The settings of the training loop; InputError for more tokens than the encoder has positions."""
    most = model.bert.config.max_positions
    if not (least := 3 if choices.second is None else 5) <= choices.max_length <= most:
        raise InputError(
            f"--max-length is {choices.max_length}, but {choices.model} reads {least} to {most} tokens"
        )
    steps = -(-rows // choices.batch_size)
    return FineTuning(
        epochs=choices.epochs or max(LEAST_EPOCHS, -(-LEAST_STEPS // steps)), batch_size=choices.batch_size,
        learning_rate=choices.learning_rate or usual_rate(model.bert), max_length=choices.max_length,
        seed=choices.seed,
    )  # fmt: skip


def _steps(plan: FineTuning, rows: int) -> tqdm:
    return tqdm(total=plan.epochs * -(-rows // plan.batch_size), desc="training", unit="step", disable=None)


def _counter(bar: tqdm) -> Callable[[int, float], None]:
    def count(step: int, loss: float) -> None:
        bar.update()

    return count


def _teller(say: Say, plan: FineTuning, bar: tqdm) -> Callable[[Epoch], None]:
    """Says a line for each epoch, or for every tenth part of very many."""

    def tell(epoch: Epoch) -> None:
        if epoch.number % max(1, plan.epochs // 10) == 0:
            bar.clear()
            checked = ""
            if epoch.validation_f1 is not None:
                checked = f", validation macro-F1 {100 * epoch.validation_f1:.1f}%"
            say(f"epoch {epoch.number} of {plan.epochs}: loss {epoch.train_loss:.3f}{checked}")

    return tell


def _scores(
    examples: Labelled, parts: Parts, answers: list[int], counted: Baseline, seed: int
) -> tuple[Scores, dict]:
    """The figures of the classifier, and those of what stands beside it."""
    truth = [examples.labels[row] for row in parts.test]
    usual = score(truth, [counted.most_frequent] * len(truth), examples.classes, seed)
    beside = score(truth, counted.answers, examples.classes, seed)
    return score(truth, answers, examples.classes, seed), {
        "chosen": counted.chosen,
        "seconds": counted.seconds,
        "macro_f1": beside.macro_f1._asdict(),
        "accuracy": beside.accuracy._asdict(),
        "difference": compare_answers(truth, answers, counted.answers, seed)._asdict(),
        "most_frequent": {
            "name": examples.classes[counted.most_frequent],
            "macro_f1": usual.macro_f1._asdict(),
            "accuracy": usual.accuracy._asdict(),
        },
    }


def _label_counts(examples: Labelled, parts: Parts) -> list[dict]:
    """How many rows of each class each part has."""
    counts = [Counter(examples.labels[row] for row in rows) for rows in parts]
    return [
        {"name": name, **{part: found[number] for part, found in zip(Parts._fields, counts, strict=True)}}
        for number, name in enumerate(examples.classes)
    ]
