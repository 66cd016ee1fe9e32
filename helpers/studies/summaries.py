"""Papers and their sentences worth keeping: what is known of each, ways to rank, what a choice is worth.

A summary by extraction is made of sentences of the text. Each way to choose gives every sentence a score, for
one of three aspects (challenge, approach, outcome) or for all of them; the sentences with the highest scores
are taken.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from helpers import data
from helpers.data import ASPECTS, SECTIONS, Paper

__all__ = [
    "RANKERS",
    "ROUGE",
    "Corpus",
    "centroid",
    "highest",
    "joined_summaries",
    "lead",
    "load",
    "place_and_length",
    "precision_at",
    "rouge",
    "shared_words",
    "text_rank",
]

ROUGE = ("rouge1", "rouge2", "rougeL")
NEAR_AN_END = 8  # how many first and last sentences of a section have a number of their own


@dataclass(eq=False)
class Corpus:
    """The sentences of some papers, one below the other: paper n has the rows starts[n] to starts[n + 1].

    texts: N sentences. labels (N, 3), boolean: marked for each of ASPECTS. places (N, F): `place_and_length`.
    """

    papers: list[Paper]
    texts: list[str]
    labels: np.ndarray
    places: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, papers: Sequence[Paper]) -> "Corpus":
        sentences = [sentence for paper in papers for sentence in paper.sentences]
        return cls(
            list(papers),
            [sentence.text for sentence in sentences],
            np.array([[aspect in sentence.aspects for aspect in ASPECTS] for sentence in sentences]),
            np.vstack([place_and_length(paper) for paper in papers]),
            np.cumsum([0, *(len(paper.sentences) for paper in papers)]),
        )

    def rows(self) -> Iterator[slice]:
        """The rows of each paper."""
        return (slice(start, end) for start, end in zip(self.starts, self.starts[1:], strict=False))

    def classes(self) -> np.ndarray:
        """(N,) 0 for a sentence without a mark, else 1 + the first aspect that it is marked for."""
        return np.where(self.labels.any(axis=1), 1 + self.labels.argmax(axis=1), 0)


@cache
def load(part: str) -> Corpus:
    """The papers of "train", "validation" or "test"; KeyError for another name."""
    return Corpus.of(data.papers()[part])


def place_and_length(paper: Paper) -> np.ndarray:
    """What a sentence's place and length say before a word is read: numbers of about the size 1, (n, F).

    For each section: is it this one, is it the 1st to 8th sentence of it, the last to 8th from the end, and
    the share of the section before it, with its square and cube. Then its words, the section's sentences and
    the paper's.
    """
    counts = {name: [s.section for s in paper.sentences].count(name) for name in SECTIONS}
    seen, rows = dict.fromkeys(SECTIONS, 0), []
    for sentence in paper.sentences:
        total, before = counts[sentence.section], seen[sentence.section]
        seen[sentence.section] += 1
        share, after, row = before / total, total - 1 - before, []
        for section in SECTIONS:
            here = float(section == sentence.section)
            row += [here, here * share, here * share**2, here * share**3]
            row += [here * (place == n) for place in (before, after) for n in range(NEAR_AN_END)]
        words = len(sentence.text.split())
        row += [words / 30, min(words, 60) ** 0.5 / 5, words < 6, words > 45, total / 30]
        rows.append([*row, len(paper.sentences) / 40])
    return np.array(rows, dtype=float)


# Rankers that read no label: a score for each sentence of a text, (n,)


def lead(texts: Sequence[str]) -> np.ndarray:
    """The earlier, the higher."""
    return -np.arange(len(texts), dtype=float)


def centroid(texts: Sequence[str]) -> np.ndarray:
    """The cosine of a sentence's TF-IDF vector with the mean of all of them (Radev et al. 2000)."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        vectors = TfidfVectorizer(stop_words="english", sublinear_tf=True).fit_transform(texts)
    except ValueError:  # no word is left
        return np.zeros(len(texts))
    middle = np.asarray(vectors.mean(axis=0)).ravel()
    return vectors @ middle / max(np.linalg.norm(middle), 1e-12)


def shared_words(texts: Sequence[str]) -> np.ndarray:
    """How much two sentences share: different words in both, over log words + log words; 0 with itself.

    Mihalcea and Tarau 2004, section 4.1. Without the most frequent English words. texts (n) -> (n, n).
    """
    from sklearn.feature_extraction.text import CountVectorizer

    try:
        found = CountVectorizer(binary=True, stop_words="english").fit_transform(texts)
    except ValueError:
        return np.zeros((len(texts), len(texts)))
    common = (found @ found.T).toarray().astype(float)
    size = np.log(np.maximum(np.asarray(found.sum(axis=1)).ravel(), 1))
    both = size[:, None] + size[None, :]
    np.fill_diagonal(common, 0.0)
    return np.divide(common, both, out=np.zeros_like(common), where=both > 0)


def text_rank(texts: Sequence[str]) -> np.ndarray:
    """PageRank in the graph of sentences that share words (Mihalcea and Tarau 2004), by networkx."""
    import networkx

    found = networkx.pagerank(networkx.from_numpy_array(shared_words(texts)), alpha=0.85, tol=1e-10)
    return np.array([found[place] for place in range(len(texts))])


RANKERS = {"lead": lead, "centroid": centroid, "textrank": text_rank}


# What a choice is worth


def highest(scores: np.ndarray, count: int) -> np.ndarray:
    """Places of the `count` highest scores, the earlier of equal ones; in the order of the text."""
    return np.sort(np.argsort(-np.asarray(scores), kind="stable")[:count])


def precision_at(corpus: Corpus, scores: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """For each paper, which share of its `count` highest scored sentences has the label.

    scores (N,), labels (N,) boolean -> (papers,).
    """
    return np.array([labels[rows][highest(scores[rows], count)].mean() for rows in corpus.rows()])


def joined_summaries(paper: Paper) -> str:
    """The three written summaries one after the other."""
    return " ".join(paper.summaries[aspect] for aspect in ASPECTS)


def rouge(texts: Sequence[str], written: Sequence[str]) -> np.ndarray:
    """ROUGE-1, ROUGE-2, ROUGE-L of each text, (N, 3): F1 with the words' stems (Lin 2004), by torchmetrics.

    A text is one sequence of words: what some call ROUGE-L of a summary, sentence by sentence, is another.
    ValueError for unequal numbers of texts.
    """
    from torchmetrics.functional.text.rouge import rouge_score

    if len(texts) != len(written):
        raise ValueError(f"{len(texts)} texts for {len(written)} written summaries: give one for each")
    found = [
        rouge_score(text, other, use_stemmer=True, rouge_keys=ROUGE)
        for text, other in zip(texts, written, strict=True)
    ]
    return np.array([[float(scores[f"{name}_fmeasure"]) for name in ROUGE] for scores in found])
