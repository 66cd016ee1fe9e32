"""Three tables of labelled texts, cleaned and split as in notebook 12, and what is measured on them.

messages   ham or spam; duplicates and near duplicates left out
questions  which of six kinds of answer is asked for; duplicates left out
neighbors  two sentences of a Wikipedia article: does the second follow the first? (columns text, second)
"""

import random
import re
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from helpers import data
from helpers.analysis.duplicates import near_duplicates

__all__ = [
    "COSTS",
    "TABLES",
    "Table",
    "cost",
    "load",
    "macro_f1",
    "neighbors",
    "split",
    "threshold_of_least_cost",
]

TABLES = ("messages", "questions", "neighbors")
COSTS = (10, 1)  # of a lost message, and of spam let through


@dataclass(eq=False)
class Table:
    """A task: the names of its classes in the order of their numbers, and its three parts.

    Each part is a DataFrame with the columns text and label (a name), for pairs also second.
    """

    name: str
    classes: list[str]
    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame

    def labels(self, part: str) -> np.ndarray:
        """The numbers of the classes of a part, (N,)."""
        numbers = {name: number for number, name in enumerate(self.classes)}
        return getattr(self, part)["label"].map(numbers).to_numpy()

    def drawn(self, count: int, seed: int) -> "Table":
        """The same with `count` training rows, drawn by class as far as that is possible, and no more
        validation rows than that."""
        if count >= len(self.train):
            return self
        fewer = min(count, len(self.validation))
        return Table(
            self.name,
            self.classes,
            _share(self.train, count, seed),
            _share(self.validation, fewer, seed),
            self.test,
        )


@cache
def load(name: str) -> Table:
    """One of TABLES. ValueError for another name."""
    if name == "messages":
        rows = pd.DataFrame(data.messages())
        rows = rows[rows["text"].map(data.normalized) != ""]
        rows = rows[~pd.Series(near_duplicates(rows["text"]), rows.index).duplicated()]
        parts = split(rows)
    elif name == "questions":
        rows = pd.DataFrame(data.questions())[["text", "label"]]
        parts = split(rows[~rows["text"].map(data.normalized).duplicated()])
    elif name == "neighbors":
        parts = neighbors()
    else:
        raise ValueError(f"there is no table {name!r}: choose one of {', '.join(TABLES)}")
    return Table(name, sorted(parts[0]["label"].unique()), *parts)


def split(rows: pd.DataFrame, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Training, validation and test part (60, 20, 20 %), each with every label's share of the rows."""
    from sklearn.model_selection import train_test_split

    train, rest = train_test_split(rows, test_size=0.4, stratify=rows["label"], random_state=seed)
    validation, test = train_test_split(rest, test_size=0.5, stratify=rest["label"], random_state=seed)
    return tuple(part.reset_index(drop=True) for part in (train, validation, test))


def neighbors(counts: tuple[int, int, int] = (400, 150, 400), seed: int = 0) -> tuple[pd.DataFrame, ...]:
    """Pairs of sentences, two for each of `counts` first sentences in training, validation and test part.

    One second sentence is the next one of the paragraph ("follows"), the other stands elsewhere in the same
    article, in another paragraph ("elsewhere"). Neither begins a paragraph, so the second sentence alone
    tells nothing. Every article is in one part only.
    """
    chance = random.Random(seed)
    articles = [found for article in data.wikipedia() if len(found := _paragraphs(article.text)) >= 8]
    chance.shuffle(articles)
    ends = (0, len(articles) * 6 // 10, len(articles) * 7 // 10, len(articles))
    parts = []
    for count, start, end in zip(counts, ends, ends[1:], strict=False):
        places = [
            (article, paragraph, sentence)
            for article in range(start, end)
            for paragraph, sentences in enumerate(articles[article])
            for sentence in range(len(sentences) - 1)
        ]
        rows = []
        for article, paragraph, sentence in chance.sample(places, count):
            others = [s for n, p in enumerate(articles[article]) if n != paragraph for s in p[1:]]
            first, follows = articles[article][paragraph][sentence : sentence + 2]
            rows += [(first, follows, "follows"), (first, chance.choice(others), "elsewhere")]
        chance.shuffle(rows)
        parts.append(pd.DataFrame(rows, columns=["text", "second", "label"]))
    return tuple(parts)


def _paragraphs(text: str) -> list[list[str]]:
    """The sentences of each paragraph that has two or more, of 5 to 40 words each."""
    found = []
    for paragraph in text.split("\n\n"):
        sentences = re.split(r"(?<=[a-z\d)][.!?])\s+(?=[A-Z])", paragraph)
        if len(sentences) > 1 and all(5 <= len(sentence.split()) <= 40 for sentence in sentences):
            found.append(sentences)
    return found


def _share(rows: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """`count` rows, of each class its share, and one at least."""
    from sklearn.model_selection import StratifiedShuffleSplit

    if count >= len(rows):
        return rows
    chosen, _ = next(
        StratifiedShuffleSplit(1, train_size=count, random_state=seed).split(rows, rows["label"])
    )
    return rows.iloc[np.sort(chosen)].reset_index(drop=True)


def macro_f1(labels: np.ndarray, answers: np.ndarray) -> float:
    """The mean over the classes of the labels (or answers) of each one's F1."""
    from sklearn.metrics import f1_score

    return float(f1_score(labels, answers, average="macro", zero_division=0.0))


def cost(labels: np.ndarray, spam: np.ndarray, threshold: float, costs: tuple[float, float] = COSTS) -> float:
    """What a hundred messages cost: lost ones (ham taken for spam) and spam let through, each at its price.

    labels (N,): 1 for spam. spam (N,): its probability; a message is spam from `threshold` on.
    """
    taken = spam >= threshold
    lost, let_through = (taken & (labels == 0)).sum(), (~taken & (labels == 1)).sum()
    return float(100 * (costs[0] * lost + costs[1] * let_through) / len(labels))


def threshold_of_least_cost(
    labels: np.ndarray, spam: np.ndarray, costs: tuple[float, float] = COSTS
) -> float:
    """The threshold with the least cost on these messages, in the middle between two probabilities."""
    found = np.unique(spam)
    candidates = [found[0], *((found[1:] + found[:-1]) / 2), np.nextafter(found[-1], np.inf)]
    return float(min(candidates, key=lambda threshold: cost(labels, spam, threshold, costs)))
