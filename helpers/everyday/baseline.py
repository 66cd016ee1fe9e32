"""What a classifier has to beat: word counts with a tuned linear model, and always the most frequent class.

Support code. Features and strength are chosen on the validation part by macro-F1; of more than 20,000 texts
for training a sample chooses.
"""

import random
import time
import warnings
from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from helpers.everyday.examples import Labelled, Pair, Parts
from helpers.everyday.scoring import macro_f1

__all__ = ["Baseline", "count_words"]

WORDS = {"ngram_range": (1, 2), "sublinear_tf": True, "token_pattern": r"(?u)\b\w+\b|[^\w\s]"}
CHARACTERS = {"analyzer": "char_wb", "ngram_range": (2, 5), "sublinear_tf": True, "min_df": 2}
FEATURES = {"words": (WORDS,), "characters": (CHARACTERS,), "words and characters": (WORDS, CHARACTERS)}
STRENGTHS = (0.1, 0.3, 1.0, 3.0)
WEIGHTS = {"": None, ", classes balanced": "balanced"}
MOST = 20_000  # texts for choosing
LONGEST = 20_000  # characters of a text that are counted


class Baseline(NamedTuple):
    """The best linear model of word counts: its answers to the test part, and what was chosen."""

    answers: list[int]
    most_frequent: int  # class of the training part
    chosen: str
    seconds: float


def count_words(
    examples: Labelled, parts: Parts, seed: int = 0, on_step: Callable[[], None] = lambda: None
) -> Baseline:
    """TF-IDF of words and characters with a linear support vector machine, tuned on the validation part.

    Calls on_step() len(FEATURES) + 1 times.
    """
    began = time.perf_counter()
    labels = np.array(examples.labels)
    some = parts.train
    if len(some) > MOST:
        some = random.Random(seed).sample(some, MOST)
        some += _first_of_missing(labels, some, parts.train)
    held = parts.validation or some  # where no class has a third text, there is nothing to choose on
    best, chosen = -1.0, None
    for name in FEATURES:
        seen, asked = _features(name, examples.pairs, some, held)
        for strength, (words, weight) in product(STRENGTHS, WEIGHTS.items()):
            model = _fit(seen, labels[some], strength, weight, seed)
            found = macro_f1(labels[held], model.predict(asked))
            if found > best:
                best, chosen = found, (name, strength, words)
        on_step()
    name, strength, words = chosen
    seen, asked = _features(name, examples.pairs, parts.train, parts.test)
    model = _fit(seen, labels[parts.train], strength, WEIGHTS[words], seed)
    answers = model.predict(asked).tolist()
    on_step()
    usual = int(np.bincount(labels[parts.train]).argmax())
    return Baseline(answers, usual, f"{name}, C {strength:g}{words}", time.perf_counter() - began)


def _fit(inputs, labels: np.ndarray, strength: float, weight: str | None, seed: int):
    """A linear support vector machine; one that stops before it has converged is as good as it is."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LinearSVC(C=strength, class_weight=weight, random_state=seed).fit(inputs, labels)


def _first_of_missing(labels: np.ndarray, some: Sequence[int], every: Sequence[int]) -> list[int]:
    """A row of each class that a sample lacks."""
    first = {}
    for row in every:
        first.setdefault(labels[row], row)
    return [row for label, row in first.items() if label not in set(labels[some])]


def _features(name: str, pairs: list[Pair], seen: Sequence[int], asked: Sequence[int]) -> tuple:
    """Counts of two sets of rows in the words of the first set; both texts of a pair, side by side."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    found = [], []
    for column in range(1 if pairs[0].second is None else 2):
        texts = [[pairs[row][column][:LONGEST] for row in rows] for rows in (seen, asked)]
        for options in FEATURES[name]:
            least = {"min_df": 1} if len(seen) < 1000 else {}
            try:
                counter = TfidfVectorizer(**options | least).fit(texts[0])
            except ValueError:  # no words at all, such as nothing but pictures of one kind
                continue
            for rows, each in zip(found, texts, strict=True):
                rows.append(counter.transform(each))
    if not found[0]:
        return np.zeros((len(seen), 1)), np.zeros((len(asked), 1))
    return tuple(hstack(rows).tocsr() for rows in found)
