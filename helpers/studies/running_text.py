"""Wikipedia's running text as a task of tags: the capitals taken away, or the capitals and the stops.

Every paragraph of an article is a text. The articles of `helpers.training.course.HELD_OUT` are the test part,
every twelfth of the others the validation part, so no article is in two parts.
"""

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache

from helpers.tagging import CASES, TaggedText, case_of
from helpers.training import course
from helpers.wordpiece import word_spans

__all__ = [
    "SPOKEN_TAGS", "STOPS", "TASKS", "as_spoken", "known_words", "paragraphs", "spellings", "task",
    "with_case", "without_capitals", "words_of",
]  # fmt: skip

STOPS = ("", ",", ".")
TASKS = {"capitals": CASES, "capitals and stops": tuple(case + stop for case in CASES for stop in STOPS)}
SPOKEN_TAGS = TASKS["capitals and stops"]  # a tag's number is 3 times that of its case, and that of its stop
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+")  # "U.S.", "J.": their full stops end no sentence
_MARK = {"!": ".", "?": ".", ";": ",", ":": ","}


@cache
def paragraphs() -> dict[str, list[str]]:
    """The paragraphs of each part, in the order of the dump; a part holds whole articles."""
    others = [article.text for article in course.articles()]
    parts = {
        "train": [text for number, text in enumerate(others) if number % 12 != 5],
        "validation": others[5::12],
        "test": course.held_out_articles(),
    }
    return {name: [p for text in texts for p in text.split("\n\n")] for name, texts in parts.items()}


def without_capitals(text: str) -> str:
    """The text in lower case, character by character, so that every place stays the same."""
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def with_case(text: str) -> TaggedText:
    """A text without its capitals; each word with a letter has the number of its case as its tag."""
    spans = [(a, b) for a, b in word_spans(text) if any(c.isalpha() for c in text[a:b])]
    tags = [CASES.index(case_of(text[a:b])) for a, b in spans]
    return TaggedText(without_capitals(text), spans, tags)


def as_spoken(text: str) -> TaggedText:
    """A text as a speech recognizer gives it: words alone, without capitals and marks between words.

    Marks inside a word stay ("don't", "3.5"). A tag is the case of the word and what follows it: a full stop
    (also for "!" and "?"), a comma (also for ";" and ":") or nothing. Initials keep their full stops.
    """
    made, spans, tags = "", [], []
    for chunk in text.split():
        core, stop = _core(chunk)
        inside = [(a, b) for a, b in word_spans(core) if any(c.isalnum() for c in core[a:b])]
        if not inside:  # a dash or a bracket alone: what it says belongs to the word before it
            if tags and tags[-1] % 3 == 0 and stop:
                tags[-1] += STOPS.index(stop)
            continue
        made += " " if made else ""
        for a, b in inside:
            spans.append((len(made) + a, len(made) + b))
            tags.append(3 * CASES.index(case_of(core[a:b])))
        tags[-1] += STOPS.index(stop)
        made += core
    return TaggedText(without_capitals(made), spans, tags)


def _core(chunk: str) -> tuple[str, str]:
    """A chunk between white space without the marks at its ends, and which stop was among those behind it."""
    begin = next((i for i, c in enumerate(chunk) if c.isalnum()), 0)
    end = next((i for i in range(len(chunk), begin, -1) if chunk[i - 1].isalnum()), begin)
    core, behind = chunk[begin:end], chunk[end:]
    if _INITIALS.fullmatch(core + behind[:1]):
        core, behind = core + ".", behind[1:]
    marks = [_MARK.get(mark, mark) for mark in behind]
    return core, "." if "." in marks else "," if "," in marks else ""


@cache
def task(name: str) -> dict[str, list[TaggedText]]:
    """A task of `TASKS` in its three parts; ValueError for a name that is none."""
    if name not in TASKS:
        raise ValueError(f"there is no task {name!r}: choose {' or '.join(TASKS)}")
    make = with_case if name == "capitals" else as_spoken
    return {part: [make(text) for text in texts] for part, texts in paragraphs().items()}


def words_of(example: TaggedText) -> list[str]:
    """The words of a text, in lower case."""
    return [example.text[begin:end] for begin, end in example.spans]


def known_words(examples: Iterable[TaggedText]) -> Counter[str]:
    """How often each word stands in some texts."""
    return Counter(word for example in examples for word in words_of(example))


@cache
def spellings() -> dict[str, str]:
    """The most frequent spelling of every word that the training part writes in mixed case at times."""
    counts: dict[str, Counter] = {}
    for text in paragraphs()["train"]:
        for begin, end in word_spans(text):
            if case_of(word := text[begin:end]) == "miXed":
                counts.setdefault(without_capitals(word), Counter())[word] += 1
    return {word: found.most_common(1)[0][0] for word, found in counts.items()}
