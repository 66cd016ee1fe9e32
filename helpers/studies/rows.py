"""The rows of the table of methods, in its order: each says what it makes of a task under a run's settings.

A new row is a function here and its place in ROWS; if it trains, also its name in TRAINED and its recipe in
RECIPES (`helpers/studies/recipes.py`). `scripts/fine_tune.py` says which rows run unasked. Choices (epoch,
strength, pooling) are made on the validation part.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
import torch

from helpers import stories
from helpers.analysis.batches import in_batches
from helpers.checkpoints import encoder_of
from helpers.classification import BertForClassification, Examples, encode_texts, fine_tune, predict
from helpers.encoder import Bert
from helpers.pretraining import check_tokenizer
from helpers.studies import tasks
from helpers.studies.errors import RowError
from helpers.studies.recipes import plan_of, starting_model
from helpers.studies.tables import circumstances
from helpers.studies.tasks import Task
from helpers.studies.trainer import fine_tune_with_trainer
from helpers.wordpiece import WordPieceTokenizer

__all__ = [
    "RESULTS", "ROWS", "Outcome", "describe", "features", "linear", "mean_of_tokens", "result_columns",
    "train",
]  # fmt: skip

RESULTS = (
    "validation_examples", "chosen", "best_epoch", "validation_accuracy", "test_examples", "test_accuracy",
    "note", "seconds", "threads", "torch", "transformers",
)  # fmt: skip


class Outcome(NamedTuple):
    """What a run says on the test part, and what was chosen on the validation part."""

    answers: np.ndarray  # (N,) classes, or points from 0 to 1
    validation_accuracy: float | None = None
    chosen: str = ""
    best_epoch: int | None = None
    note: str = ""


def majority(task: Task, run: dict) -> Outcome:
    """The most frequent class of the training examples."""
    train, validation, test = tasks.parts(task, run)
    answer = max(range(task.classes), key=train.labels.count)
    accuracy = validation.labels.count(answer) / len(validation.labels)
    return Outcome(np.full(len(test), answer), accuracy, f"class {answer}")


def tfidf(task: Task, run: dict) -> Outcome:
    """Words and pairs of words, weighted by their rarity, and a linear classifier."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    train, validation, test = tasks.parts(task, run)
    least = 2 if len(train.texts) >= 1000 else 1
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=least)
    inputs = words.fit_transform(train.texts), words.transform(validation.texts), words.transform(test)
    solver = {"solver": "liblinear", "tol": 1e-6} if task.classes == 2 else {"max_iter": 1000}
    candidates = {
        f"C {strength}, min_df {least}": (LogisticRegression(C=strength, **solver), inputs)
        for strength in (1, 3, 10, 30, 100)
    }
    return _best(candidates, train, validation)


def random(task: Task, run: dict) -> Outcome:
    """An encoder from random weights with the shape of the own checkpoint."""
    return _fine_tuned(task, run)


def own(task: Task, run: dict) -> Outcome:
    """An own checkpoint, fine-tuned."""
    return _fine_tuned(task, run)


def frozen(task: Task, run: dict) -> Outcome:
    """minilm as it is, with a linear classifier on its vectors."""
    found = _frozen_features(task, run["checkpoint"], int(run["max_length"]))
    train, validation, _ = tasks.parts(task, run)
    seen, held_out = tasks.places(task, run)
    chosen = {name: (parts[0][seen], parts[1][held_out], parts[2]) for name, parts in found.items()}
    return linear(chosen, train, validation)


def ours(task: Task, run: dict) -> Outcome:
    """minilm, fine-tuned by the course's own loop."""
    return _fine_tuned(task, run)


def trainer(task: Task, run: dict) -> Outcome:
    """minilm, fine-tuned by the Transformers library's `Trainer`."""
    return _fine_tuned(task, run)


def bert(task: Task, run: dict) -> Outcome:
    """bert-base-uncased, fine-tuned by the course's own loop."""
    return _fine_tuned(task, run)


def human(task: Task, run: dict) -> Outcome:
    """One person."""
    return Outcome(task.people)


def perfect(task: Task, run: dict) -> Outcome:
    """Who knows the grammar of the stories."""
    return Outcome(task.perfect, chosen=f"{float(stories.ceiling()):.4f} on average")


ROWS: dict[str, Callable[[Task, dict], Outcome]] = {
    "majority": majority,
    "tfidf": tfidf,
    "random": random,
    "own": own,
    "frozen": frozen,
    "ours": ours,
    "trainer": trainer,
    "bert": bert,
    "human": human,
    "perfect": perfect,
}


def _best(candidates: dict, train: Examples, validation: Examples) -> Outcome:
    """The candidate that is best on the validation examples; the first of several."""
    best = None
    _check_classes(train)
    for name, (classifier, (inputs, held_out, test)) in candidates.items():
        classifier.fit(inputs, train.labels)
        accuracy = float(np.mean(classifier.predict(held_out) == np.array(validation.labels)))
        if best is None or accuracy > best.validation_accuracy:
            best = Outcome(classifier.predict(test), accuracy, name)
    return best


def _check_classes(train: Examples) -> None:
    if len(set(train.labels)) < 2:
        raise RowError("all training examples have the same class: use more labels or another seed")


def linear(found: dict[str, Sequence], train: Examples, validation: Examples) -> Outcome:
    """The best linear classifier; found: pooling -> vectors (N, H) of training, validation and test part."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    candidates = {}
    for pooling, strength in product(found, (1e-3, 1e-2, 1e-1, 1.0)):
        head = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))
        candidates[f"{pooling}, C {strength}"] = head, found[pooling]
    return _best(candidates, train, validation)


@cache
def _frozen_features(task: Task, checkpoint: str, max_length: int) -> dict[str, list[np.ndarray]]:
    """Pooling -> features of the three parts, computed once for all seeds and numbers of labels."""
    encoder, tokenizer, _ = tasks.load_encoder(checkpoint)
    run = {"checkpoint": checkpoint, "max_length": max_length, "reads": ""}
    found = [features(encoder, tasks.texts(task, part, run), tokenizer, max_length)
             for part in ("train", "validation", "test")]  # fmt: skip
    return {pooling: [part[pooling] for part in found] for pooling in found[0]}


def mean_of_tokens(vectors: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """The mean of the vectors of a text's tokens, padding left out: (B, T, H), (B, T) -> (B, H)."""
    real = attention_mask[:, :, None]  # (B, T, 1)
    return (vectors * real).sum(dim=1) / real.sum(dim=1)


def features(
    bert: Bert, texts: Sequence[str], tokenizer: WordPieceTokenizer, max_length: int = 128
) -> dict[str, np.ndarray]:
    """What a frozen encoder says of each text, (N, H): "[CLS]", its last vector, and "mean" over all tokens.

    [CLS] and [SEP] count in the mean, padding does not. The encoder's mode is left as it was.
    ValueError: no texts, or as `check_texts` and `check_tokenizer` do.
    """
    check_tokenizer(tokenizer, encoder_of(bert).config)
    if isinstance(texts, str):
        raise ValueError("texts is one string: give a list of texts")

    def compute(batch: dict[str, torch.Tensor]) -> torch.Tensor:
        vectors = bert(**batch).last_hidden_state.float()  # (B, T, H)
        mean = mean_of_tokens(vectors, batch["attention_mask"])
        return torch.stack([vectors[:, 0], mean], dim=1)  # (B, 2, H)

    encodings = encode_texts(texts, tokenizer, max_length)
    found = in_batches(bert, encodings, tokenizer.id_of["[PAD]"], compute)
    return {"[CLS]": found[:, 0].numpy(), "mean": found[:, 1].numpy()}


def _fine_tuned(task: Task, run: dict) -> Outcome:
    model = starting_model(task, run)
    accuracies, note = train(model, task, run)
    test, tokenizer = tasks.texts(task, "test", run), tasks.load_encoder(run["checkpoint"])[1]
    answers = predict(model, test, tokenizer, int(run["max_length"])).argmax(dim=-1).numpy()
    if not accuracies:
        return Outcome(answers, note=note)
    best = max(accuracies)
    return Outcome(answers, best, best_epoch=accuracies.index(best) + 1, note=note)


def train(model: BertForClassification, task: Task, run: dict) -> tuple[list[float], str]:
    """Fine-tune by the run's loop: the validation accuracy of each epoch, and what broke it off, or "".

    RowError if the run sees one class only.
    """
    examples, tokenizer = tasks.parts(task, run)[:2], tasks.load_encoder(run["checkpoint"])[1]
    _check_classes(examples[0])
    if run["row"] == "trainer":
        return fine_tune_with_trainer(model, *examples, tokenizer, plan_of(run)), ""
    accuracies = []
    try:
        fine_tune(model, *examples, tokenizer, plan_of(run),
                  lambda epoch, result: accuracies.append(result.accuracy))  # fmt: skip
    except FloatingPointError as error:  # part of what a grid shows
        return accuracies, str(error)
    return accuracies, ""


def result_columns(task: Task, run: dict, outcome: Outcome, seconds: float) -> dict:
    """The columns RESULTS of a run that took so many seconds."""
    answers, labels = outcome.answers, np.array(task.test.labels)
    points = answers if answers.dtype.kind == "f" else answers == labels
    checked = outcome.validation_accuracy
    return {
        "validation_examples": "" if checked is None else min(int(run["labels"]), len(task.validation.texts)),
        "chosen": outcome.chosen,
        "best_epoch": "" if outcome.best_epoch is None else outcome.best_epoch,
        "validation_accuracy": "" if checked is None else f"{checked:.6f}",
        "test_examples": len(labels),
        "test_accuracy": f"{points.mean():.6f}",
        "note": outcome.note,
    } | circumstances(seconds)


def describe(line: dict) -> str:
    """One sentence about a finished run."""
    said = [line["task"], line["row"]]
    if line["labels"]:
        said.append(f"{int(line['labels']):,} labels")
    if line["seed"] != "":
        said.append(f"seed {line['seed']}")
    said.append(f"{float(line['test_accuracy']):.1%} of the test examples, {line['seconds']} s")
    return ", ".join(said + ([line["note"]] if line["note"] else []))
