r"""Comma, semicolon or tab: which one a table uses is found out by reading it with each.

Rules of RFC 4180, read by Python's csv module: a value in double quotes may hold line breaks and the
delimiter, and a quote in it is written twice. Other habits are tried where these rules can't read a file:
a blank after the delimiter, quotes with a backslash before them (\"), and, for tabs, quotes that are plain
characters.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from helpers.everyday.errors import InputError, named

__all__ = ["Parsed", "parse_delimited", "whole_fields"]

WORDS = {",": "comma", ";": "semicolon", "\t": "tab"}
SAMPLE = 300_000  # characters that the delimiters are compared on
STANDARD = {"strict": True}
BLANKS = {"strict": True, "skipinitialspace": True}
BACKSLASH = {"strict": True, "doublequote": False, "escapechar": "\\"}
NO_QUOTES = {"quoting": csv.QUOTE_NONE}
HABITS = {
    "standard": "",
    "blanks": "blanks after delimiters are left out",
    "backslash": "quotes in texts have a backslash before them",
    "none": "double quotes are read as plain characters",
}
FORMATS = {"standard": STANDARD, "blanks": BLANKS, "backslash": BACKSLASH, "none": NO_QUOTES}


@contextmanager
def whole_fields() -> Iterator[None]:
    """Texts of any length are read inside; elsewhere csv has its own limit, 131,072 characters."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


class Parsed(NamedTuple):
    """A table as it stands in the file: the first row is `header`; lines: where each row begins, from 1."""

    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    delimiter: str
    habit: str  # what was unusual about quotes; "": nothing


class _Wrong(Exception):
    """A place that the rules can't read: line and reason."""

    def __init__(self, line: int, reason: str):
        super().__init__(reason)
        self.line, self.reason = line, reason


@whole_fields()
def parse_delimited(text: str, name: str, delimiters: str = ",;\t", wanted: Sequence[str] = ()) -> Parsed:
    """The table in a text. wanted: names of columns that are known to be there, which help to decide.

    A first line `sep=;`, which Excel reads, decides. Lines without anything are no rows. InputError for a
    text without a header, for rows with more or fewer values than the header, and for wrong quotes.
    """
    offset = 0
    if text[:4].lower() == "sep=" and text[4:5] in WORDS and text[5:6] in ("\n", "\r"):
        delimiters = text[4]
        text, offset = text[5:].removeprefix("\r").removeprefix("\n"), 1
    if not text.strip():
        raise InputError(f"{name} is empty: a table has a first line with the names of its columns")
    delimiter = max(delimiters, key=lambda each: _fit(text, each, wanted))  # the first of equals
    problem, found = None, None
    for habit in _habits(text, delimiter):
        try:
            header, rows, lines = _read(text, delimiter, habit)
        except _Wrong as error:
            problem = problem or error
            continue
        parsed = Parsed(header, rows, [line + offset for line in lines], delimiter, HABITS[habit])
        if _has(header, wanted):
            return parsed
        found = found or parsed
    if found:
        return found
    raise InputError(f"{name}, line {problem.line + offset:,}: {problem.reason}")


def _has(header: list[str], wanted: Sequence[str]) -> bool:
    """Whether a first line names what is wanted, with no quote left at the beginning of a name."""
    names = {column.strip() for column in header}
    return {name.strip() for name in wanted} <= names and not any(name.startswith('"') for name in names)


def _habits(text: str, delimiter: str) -> list[str]:
    """What to try with quotes, the standard first; the others only where their mark is there."""
    marks = {"blanks": f'{delimiter} "', "backslash": '\\"'}
    others = [habit for habit, mark in marks.items() if mark in text]
    return ["standard", *others, *(["none"] if delimiter == "\t" else [])]


def _fit(text: str, delimiter: str, wanted: Sequence[str]) -> tuple:
    """How well a delimiter explains the beginning of a text: larger is better."""
    best = (False, False, 0.0, 0)
    for habit in _habits(text[:SAMPLE], delimiter):
        rows, whole = [], True
        try:
            for row, _ in _rows(text[:SAMPLE], delimiter, habit):
                rows.append(row)
        except _Wrong:
            whole = len(text) > SAMPLE  # a quoted text may just have been cut
        if len(text) > SAMPLE and len(rows) > 1:
            rows.pop()
        if not rows:
            continue
        width = len(rows[0])
        even = sum(len(row) == width for row in rows) / (len(rows) + (not whole))
        best = max(best, (_has(rows[0], wanted), width > 1, even, width))
    return best


def _rows(text: str, delimiter: str, habit: str):
    """Each row that holds anything with the line where it begins; _Wrong where quotes are."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, **FORMATS[habit])
    begins, width = 1, 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _Wrong(begins, _about_quotes(str(error), delimiter)) from None
        if row and not (len(row) == 1 != width and row[0].isspace()):  # in one column, blanks are a text
            width = width or len(row)
            yield row, begins
        begins = reader.line_num + 1


def _read(text: str, delimiter: str, habit: str) -> tuple[list[str], list[list[str]], list[int]]:
    """Header, rows and their lines; _Wrong unless all rows have as many values as the header."""
    found = _rows(text, delimiter, habit)
    header, _ = next(found)
    rows, lines, uneven = [], [], []
    for row, line in found:
        rows.append(row)
        lines.append(line)
        if len(row) != len(header):
            uneven.append(len(rows) - 1)
    if uneven:
        raise _Wrong(lines[uneven[0]], _about_widths(header, rows, uneven, delimiter))
    return header, rows, lines


def _about_widths(header: list[str], rows: list[list[str]], uneven: list[int], delimiter: str) -> str:
    """The reason why rows of other widths can't be read."""
    width, word = len(rows[uneven[0]]), WORDS[delimiter]
    told = (
        f"{width} {'value' if width == 1 else 'values'}, but the first line names {len(header)} "
        f"{'column' if len(header) == 1 else 'columns'} ({named(header, 6)}), set off by a {word}"
    )
    usual, count = Counter(len(row) for row in rows).most_common(1)[0]
    if usual == len(header) + 1 and count == len(rows):
        return f"{told}. All rows have one value more: name their column in the first line, too"
    more = f", as in {len(uneven) - 1:,} more rows" if len(uneven) > 1 else ""
    return f"{told}{more}. Put a text that holds a {word} or a line break in double quotes"


def _about_quotes(error: str, delimiter: str) -> str:
    """The reason in our words: csv says "unexpected end of data" or "',' expected after '"'"."""
    if "unexpected end" in error:
        return "the double quote that begins a text here is closed nowhere: close it, or write it twice"
    if "expected after" in error:
        return (
            f"after the double quote that closes a text comes neither a {WORDS[delimiter]} nor a line end: "
            'write a quote inside a text twice ("")'
        )
    return f"the rules of CSV can't read this row ({error})"
