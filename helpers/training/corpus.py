"""Text for the long run, as documents: the course's own, what is held out of it, and plain-text files.

Support code. Documents come one at a time, so that a text may be larger than memory; how they are cut into
rows is the business of `helpers.training.rows`.
"""

import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from helpers import data
from helpers.wordpiece import read_in_order

__all__ = [
    "HELD_OUT",
    "CorpusError",
    "ShortTextError",
    "first_characters",
    "held_out_documents",
    "text_documents",
    "training_documents",
]

# Articles on which the long run is measured; they are in no training text, nor in that of the tokenizer.
HELD_OUT = (
    "Aardvark", "Abacus", "Acid", "Aikido", "Alphabet", "Altruism", "Andorra", "Animal Farm", "Asphalt",
    "Astronaut",
)  # fmt: skip
DOMAINS = ("movies", "products", "editorials", "tweets")


class CorpusError(ValueError):
    """Text that can't be used for training; the message says why and what to do."""


class ShortTextError(CorpusError):
    """Text that does not fill one row."""


def training_documents() -> Iterator[str]:
    """The course's training text: Wikipedia without `HELD_OUT`, and the training split of all reviews.

    The reviews come as single sentences; a hundred of them, in the order of their file, make a document. A
    sentence that has one of the validation or test split inside it, of five words or more, is left out. The
    documents come shuffled, so that every shard of rows has some of each kind.
    """
    documents = [article.text for article in data.wikipedia() if article.title not in HELD_OUT]
    reviews = {domain: data.reviews(domain) for domain in DOMAINS}
    unseen = _by_first_words(
        review.text for splits in reviews.values() for review in [*splits["validation"], *splits["test"]]
    )
    for splits in reviews.values():
        kept = [review for review in splits["train"] if not _has_inside(review.text, unseen)]
        documents += _in_hundreds(kept)
    random.Random(0).shuffle(documents)
    yield from documents


def held_out_documents() -> dict[str, list[str]]:
    """Text to measure on: "articles" are the articles of `HELD_OUT`, "reviews" the validation split."""
    articles = [article.text for article in data.wikipedia() if article.title in HELD_OUT]
    reviews = [text for domain in DOMAINS for text in _in_hundreds(data.reviews(domain)["validation"])]
    return {"articles": articles, "reviews": reviews}


def _by_first_words(sentences: Iterable[str], count: int = 5) -> dict[tuple, list[list[str]]]:
    """Normalised sentences of at least `count` words, as lists of words, by their first words."""
    found: dict[tuple, list[list[str]]] = {}
    for words in (data.normalized(sentence).split() for sentence in sentences):
        if len(words) >= count:
            found.setdefault(tuple(words[:count]), []).append(words)
    return found


def _has_inside(sentence: str, others: dict[tuple, list[list[str]]], count: int = 5) -> bool:
    """Whether a sentence, normalised, is one of `_by_first_words` or has one inside it."""
    words = data.normalized(sentence).split()
    return any(
        words[start : start + len(other)] == other
        for start in range(len(words) - count + 1)
        for other in others.get(tuple(words[start : start + count]), ())
    )


def _in_hundreds(sentences: Sequence[data.Review]) -> Iterator[str]:
    for start in range(0, len(sentences), 100):
        yield "\n".join(review.text for review in sentences[start : start + 100])


def text_documents(paths: Sequence[str | Path], held_out: bool = False) -> Iterator[str]:
    """Documents of plain-text files (UTF-8), parted by empty lines or after a million characters.

    About one in a hundred is held out, chosen by the document's own hash. Raises CorpusError for a path that
    is no file, and for a file that is not UTF-8; ValueError at once for a single path.
    """
    return _documents_of(read_in_order(paths, "the paths"), held_out)


def _documents_of(paths: Iterable[str | Path], held_out: bool) -> Iterator[str]:
    for path in map(Path, paths):
        if not path.is_file():
            raise CorpusError(f"there is no text file {path}: give plain-text files in UTF-8")
        try:
            with open(path, encoding="utf-8-sig") as file:
                for document in _paragraphs(file):
                    digest = hashlib.sha256(document.encode()).digest()
                    if (int.from_bytes(digest[:4]) % 100 == 0) == held_out:
                        yield document
        except UnicodeDecodeError as error:
            raise CorpusError(f"{path} is not UTF-8 text ({error}): convert it first") from error


def _paragraphs(lines: Iterable[str], most: int = 1_000_000) -> Iterator[str]:
    document, size = [], 0
    for line in lines:
        blank = not line.strip()
        if not blank:
            document.append(line)
            size += len(line)
        if document and (blank or size >= most):
            yield "".join(document)
            document, size = [], 0
    if document:
        yield "".join(document)


def first_characters(documents: Iterator[str], count: int = 20_000_000) -> Iterator[str]:
    """Documents until `count` characters are together: enough for a vocabulary, and they fit into memory."""
    for document in documents:
        yield document
        count -= len(document)
        if count < 0:
            return
