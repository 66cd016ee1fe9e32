"""What written stories are worth: judged by the grammar, compared with each other and with the training text.

A story is a list of lower-case words and marks, as `stories.to_words` gives it. What the grammar says is
exact: a text that it cannot write has the probability 0 (`helpers/stories/posterior.py`).
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from helpers.stories.posterior import any_window, text_probability
from helpers.stories.story import Story, to_words

__all__ = ["RUN", "StoryJudge", "WrittenScores", "into_sentences"]

RUN = 13  # words in a row that count as copied if the training text has them, too


class WrittenScores(NamedTuple):
    """Shares from 0 to 1; nats per word is the mean over the consistent stories, nan if there are none."""

    grammatical: float  # sentences that the grammar can write
    fitting: float  # two sentences in a row that can stand so in one story
    consistent: float  # stories that the grammar can write as a whole
    nats_per_word: float  # -log p(story) under the grammar
    different: float  # sentences of all, each counted once
    overlap: float  # sentences that stand in another of the stories, too
    copied_sentences: float  # sentences that stand in the training text
    copied_runs: float  # runs of 13 words that stand in the training text


def into_sentences(words: Sequence[str]) -> list[tuple[str, ...]]:
    """The sentences of a text, each up to its full stop; what follows the last stop is one, too."""
    found, begin = [], 0
    for place, word in enumerate(words):
        if word == "." or place == len(words) - 1:
            found.append(tuple(words[begin : place + 1]))
            begin = place + 1
    return found


def _runs(words: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    words = tuple(words)
    return (words[start : start + size] for start in range(len(words) - size + 1))


@lru_cache(100_000)
def _can_be_written(words: tuple[str, ...], sentences: int) -> bool:
    return text_probability(words, any_window(sentences)) > 0


class StoryJudge:
    """Scores written stories beside the training stories, whose sentences and runs of words it remembers."""

    def __init__(self, training: Iterable[Story]):
        self.sentences, self.runs = set(), set()
        for story in training:
            words = to_words(story.text)
            self.sentences.update(into_sentences(words))
            self.runs.update(map(hash, _runs(words, RUN)))  # numbers: a third of the memory of the words

    def __call__(self, texts: Sequence[Sequence[str]]) -> WrittenScores:
        """The scores of some stories; ValueError for none, and for a story without a word."""
        if not texts or not all(texts):
            raise ValueError("give at least one story, each with at least one word")
        told = [into_sentences(words) for words in texts]
        sentences = [sentence for story in told for sentence in story]
        pairs = [(*first, *second) for story in told for first, second in zip(story, story[1:], strict=False)]
        within = Counter(sentence for story in told for sentence in set(story))  # in how many stories
        runs = [run for words in texts for run in _runs(words, RUN)]
        chances = [text_probability(words) for words in texts]
        nats = [-math.log(p) / len(words) for p, words in zip(chances, texts, strict=True) if p]
        return WrittenScores(
            _share(_can_be_written(sentence, 1) for sentence in sentences),
            _share(_can_be_written(pair, 2) for pair in pairs),
            _share(p > 0 for p in chances),
            sum(nats) / len(nats) if nats else math.nan,
            len(set(sentences)) / len(sentences),
            _share(within[sentence] > 1 for sentence in sentences),
            _share(sentence in self.sentences for sentence in sentences),
            _share(hash(run) in self.runs for run in runs),
        )


def _share(found: Iterable[bool]) -> float:
    found = list(found)
    return sum(found) / len(found) if found else math.nan
