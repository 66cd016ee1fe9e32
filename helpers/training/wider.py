"""The wider text: books and Wikipedia leads beside the course's own, less near duplicates of held-out text.

Support code. Held out are the articles and reviews of the course's text and, besides, the last chapters of
every book. A piece of the training text (a paragraph of an article or book, a rated sentence, a lead) is left
out if it shares eight words in a row with any of that or with a test sentence, or has a sentence of five
words or more of the validation or test split inside it; so is the lead of a held-out article, whatever it
says.
"""

import random
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from helpers import data
from helpers.training import course
from helpers.training.overlap import HeldOutText, Sentences

__all__ = ["VERSION", "Source", "documents", "held_out_chapters", "sources"]

# Raise this when a change below changes the text.
VERSION = 1

SHARE = 50  # a fiftieth of every book is held out, at least


class Source(NamedTuple):
    """Training documents of one kind, and how many pieces there were and were left out as near duplicates."""

    name: str
    documents: list[str]
    pieces: int
    removed: int


def documents() -> list[str]:
    """The documents of all sources, shuffled, so that every shard of rows has some of each kind."""
    found = [document for source in sources() for document in source.documents]
    random.Random(0).shuffle(found)
    return found


def sources() -> Iterator[Source]:
    """Articles, reviews, leads and chapters, one source after the other."""
    unseen = course.unseen_reviews(data.reviews(domain) for domain in course.DOMAINS)
    runs = HeldOutText([*course.held_out_articles(), *unseen, *held_out_chapters()])
    sentences = Sentences(unseen)

    def near(piece: str) -> bool:
        return runs.shared(piece) or sentences.are_inside(piece)

    def cleaned(name: str, texts: Iterable[list[str]], between: str) -> Source:
        texts = list(texts)
        kept = [[piece for piece in pieces if not near(piece)] for pieces in texts]
        pieces, left = sum(map(len, texts)), sum(map(len, kept))
        return Source(name, [between.join(pieces) for pieces in kept if pieces], pieces, pieces - left)

    yield cleaned("articles", (article.text.split("\n\n") for article in course.articles()), "\n\n")
    hundreds = (document for sentences in course.reviews() for document in course.in_hundreds(sentences))
    yield cleaned("reviews", (document.split("\n") for document in hundreds), "\n")
    leads = data.leads()
    kept = [lead.text for lead in leads if lead.title not in course.HELD_OUT and not near(lead.text)]
    yield Source("leads", kept, len(leads), len(leads) - len(kept))
    chapters = (chapter for book in data.books() for chapter in book.chapters[: _first_held_out(book)])
    yield cleaned("chapters", (chapter.split("\n\n") for chapter in chapters), "\n\n")


def held_out_chapters() -> list[str]:
    """Of every book the last chapters, as few as hold a fiftieth of its words."""
    return [chapter for book in data.books() for chapter in book.chapters[_first_held_out(book) :]]


def _first_held_out(book: data.Book) -> int:
    words = [len(chapter.split()) for chapter in book.chapters]
    first = len(words)
    while SHARE * sum(words[first:]) < sum(words):
        first -= 1
    return first
