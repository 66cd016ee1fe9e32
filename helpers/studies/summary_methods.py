"""Ways to score the sentences of a paper, the rows of notebook 16's results.

    lead, centroid, textrank   no labels are read: one score for all aspects (helpers/studies/summaries.py)
    place      place and length of a sentence, no word of it, and logistic regression
    linear     words and pairs of words weighted by rarity, place and length, and logistic regression
    frozen     minilm's mean vectors, place and length, and logistic regression
    minilm     minilm fine-tuned on the sentences alone, by the loop of notebook 8
    informed   the same, each sentence with its section and its number in it written before it

Choices (the strength of the regression) are made on the validation part, by precision at 3.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np

from helpers.data import ASPECTS, Paper
from helpers.studies import summaries
from helpers.studies.summaries import Corpus

__all__ = [
    "LEARNED",
    "SCORERS",
    "PLAN",
    "SETTINGS",
    "STRENGTHS",
    "cut_quietly",
    "mean_precision",
    "run_method",
    "settings_of",
    "with_place",
]

LEARNED = ("place", "linear", "frozen", "minilm", "informed")
SCORERS = (*summaries.RANKERS, *LEARNED)
SETTINGS = ("task", "method", "seed", "epochs", "batch_size", "learning_rate", "frozen_layers", "max_length")
PLAN = {"epochs": 2, "batch_size": 32, "learning_rate": 2e-4, "frozen_layers": 3, "max_length": 64}
STRENGTHS = {  # C of each regression; the best on the validation part should not be the first or the last
    "place": (0.01, 0.1, 1.0, 10.0),
    "linear": (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0),
    "frozen": (1e-3, 3e-3, 1e-2, 3e-2, 1e-1),
}
PARTS = ("train", "validation", "test")


def settings_of(task: str, method: str, seed: int) -> dict[str, str]:
    """The line of a run before it runs: everything that decides it. task: an aspect, or "any"."""
    line = dict.fromkeys(SETTINGS, "") | {"task": task, "method": method}
    if method in ("minilm", "informed"):
        line |= {"seed": seed, **PLAN}
    return {name: str(value) for name, value in line.items()}


def run_method(method: str, seed: int = 0) -> tuple[np.ndarray, str]:
    """The scores of all test sentences, from 0 to 1, and what was chosen.

    (N, 3), a column for each of ASPECTS; (N, 1) of a method that knows no aspects. ValueError for a method
    that is none.
    """
    if method in summaries.RANKERS:
        test = summaries.load("test")
        found = [_from_0_to_1(summaries.RANKERS[method](test.texts[rows])) for rows in test.rows()]
        return np.concatenate(found)[:, None], ""
    if method in ("minilm", "informed"):
        return _fine_tuned(method == "informed", seed), ""
    if method not in STRENGTHS:
        raise ValueError(f"there is no method {method!r}: choose one of {', '.join(SCORERS)}")
    return _regression(method)


def _from_0_to_1(scores: np.ndarray) -> np.ndarray:
    """The same order, the lowest 0 and the highest 1."""
    span = scores.max() - scores.min()
    return (scores - scores.min()) / span if span > 0 else np.zeros(len(scores))


def mean_precision(corpus: Corpus, scores: np.ndarray, count: int = 3) -> float:
    """Precision at `count`, the mean over papers and aspects; scores (N, 3)."""
    columns = [
        summaries.precision_at(corpus, scores[:, n], corpus.labels[:, n], count) for n in range(len(ASPECTS))
    ]
    return float(np.mean(columns))


def _regression(method: str) -> tuple[np.ndarray, str]:
    from sklearn.linear_model import LogisticRegression

    parts = {part: summaries.load(part) for part in PARTS}
    inputs = {"place": _places, "linear": _words, "frozen": _vectors}[method](parts)
    best, highest = None, -1.0
    for strength in STRENGTHS[method]:
        model = LogisticRegression(C=strength, max_iter=3000)
        model.fit(inputs["train"], parts["train"].classes())
        found = mean_precision(parts["validation"], model.predict_proba(inputs["validation"])[:, 1:])
        if found > highest:
            highest, best = found, (model.predict_proba(inputs["test"])[:, 1:], f"C {strength:g}")
    return best


def _places(parts: dict[str, Corpus]) -> dict[str, np.ndarray]:
    return {part: corpus.places for part, corpus in parts.items()}


def _words(parts: dict[str, Corpus]) -> dict:
    """TF-IDF of words and pairs of words, and place and length beside them."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2).fit(parts["train"].texts)
    return {
        part: hstack([words.transform(corpus.texts), csr_matrix(corpus.places)]).tocsr()
        for part, corpus in parts.items()
    }


def _vectors(parts: dict[str, Corpus]) -> dict[str, np.ndarray]:
    """minilm's mean vectors, each number with the mean 0 and the deviation 1, and twice the places."""
    from sklearn.preprocessing import StandardScaler

    found = {part: _mean_vectors(part) for part in parts}
    scaler = StandardScaler().fit(found["train"])
    return {part: np.hstack([scaler.transform(found[part]), 2 * parts[part].places]) for part in parts}


@cache
def _mean_vectors(part: str) -> np.ndarray:
    from helpers.studies.rows import features
    from helpers.studies.tasks import load_encoder

    bert, tokenizer, _ = load_encoder("minilm")
    with cut_quietly():
        return features(bert, summaries.load(part).texts, tokenizer, PLAN["max_length"])["mean"]


def cut_quietly():
    """No warning about the one sentence in twenty that is longer than the encoder is given."""
    import warnings

    from helpers.wordpiece import TruncationWarning

    return warnings.catch_warnings(action="ignore", category=TruncationWarning)


def with_place(papers: Sequence[Paper]) -> list[str]:
    """Every sentence with its section and its number there before it: "abstract 2 : We show …"."""
    found = []
    for paper in papers:
        seen = {}
        for sentence in paper.sentences:
            seen[sentence.section] = seen.get(sentence.section, 0) + 1
            found.append(f"{sentence.section} {seen[sentence.section]} : {sentence.text}")
    return found


def _fine_tuned(informed: bool, seed: int) -> np.ndarray:
    """The probabilities of the three aspects for the test sentences, (N, 3), after the last epoch of PLAN."""
    import torch

    from helpers import checkpoints
    from helpers.classification import (
        BertForClassification,
        Examples,
        FineTuning,
        encode_texts,
        freeze_lower_layers,
        labelled_batches,
        predict,
        train_epoch,
    )

    train, test = (summaries.load(part) for part in ("train", "test"))
    texts = [with_place(part.papers) if informed else part.texts for part in (train, test)]
    bert, tokenizer = checkpoints.load("minilm")
    torch.manual_seed(seed)
    model = BertForClassification(bert, 1 + len(ASPECTS))
    freeze_lower_layers(model.bert, PLAN["frozen_layers"])
    plan = FineTuning(
        epochs=PLAN["epochs"], batch_size=PLAN["batch_size"], learning_rate=PLAN["learning_rate"]
    )
    examples = Examples(texts[0], train.classes().tolist())
    steps = -(-len(examples.texts) // plan.batch_size)
    optimizer, schedule = plan.optimizer(model, steps * plan.epochs)
    with cut_quietly():
        encodings = encode_texts(examples.texts, tokenizer, PLAN["max_length"])
        for epoch in range(plan.epochs):
            batches = labelled_batches(encodings, examples.labels, plan.batch_size, tokenizer)
            train_epoch(model, batches, optimizer, schedule, epoch * steps)
        return predict(model, texts[1], tokenizer, PLAN["max_length"])[:, 1:].numpy()
