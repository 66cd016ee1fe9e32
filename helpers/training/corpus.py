"""Text for the long run, as documents: the course's own or the wider one, and plain-text files.

Support code. Documents come one at a time, so that a text may be larger than memory; how they are cut into
rows is the business of `helpers.training.rows`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from helpers.data import gutenberg, summaries
from helpers.data.catalogue import CATALOGUE
from helpers.training import course, wider
from helpers.training.course import DOMAINS, HELD_OUT
from helpers.wordpiece import read_in_order

__all__ = [
    "CORPORA",
    "DOMAINS",
    "HELD_OUT",
    "CorpusError",
    "ShortTextError",
    "first_characters",
    "held_out_documents",
    "made_from",
    "text_documents",
    "training_documents",
]

CORPORA = ("course", "wider")  # the course's own text; the same with books and Wikipedia leads


class CorpusError(ValueError):
    """Text that can't be used for training; the message says why and what to do."""


class ShortTextError(CorpusError):
    """Text that does not fill one row."""


def training_documents(name: str = "course") -> Iterator[str]:
    """The training text of one of `CORPORA`: "course" is Wikipedia without `HELD_OUT` and the reviews.

    The reviews come as single sentences; a hundred of them, in the order of their file, make a document. The
    documents come shuffled, so that every shard of rows has some of each kind. Raises DataError.
    """
    yield from (wider if _known(name) == "wider" else course).documents()


def held_out_documents(name: str = "course") -> dict[str, list[str]]:
    """Text to measure on: "articles" are the articles of `HELD_OUT`, "reviews" the validation split.

    The wider text has "chapters" besides, the last of every book.
    """
    parts = {"articles": course.held_out_articles(), "reviews": course.held_out_reviews()}
    return parts | {"chapters": wider.held_out_chapters()} if _known(name) == "wider" else parts


def made_from(name: str) -> str:
    """What prepared rows of a text were made from, so that stale ones are found; "" for the course's own."""
    if _known(name) == "course":
        return ""
    files = {entry: [member.sha256 for member in CATALOGUE[entry].members] for entry in ("books", "leads")}
    return json.dumps([name, wider.VERSION, gutenberg.VERSION, summaries.VERSION, files])


def _known(name: str) -> str:
    if name not in CORPORA:
        raise CorpusError(f"there is no text called {name!r}: choose {' or '.join(CORPORA)}")
    return name


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
