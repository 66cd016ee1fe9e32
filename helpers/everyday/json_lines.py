"""JSON lines: one object a line, its entries the columns of a table.

Values are kept as JSON has them (numbers, true, null); an entry that a line lacks is null. NaN, which is no
JSON but written by some programs, is read as null.
"""

import json
import math
import re
from typing import NamedTuple

from helpers.everyday.errors import InputError

__all__ = ["Objects", "parse_json_lines"]

SURROGATES = re.compile("[\ud800-\udfff]")


class Objects(NamedTuple):
    """The columns in the order of their first appearance, a list of values for each line, and its number."""

    header: list[str]
    rows: list[list]
    lines: list[int]


class _Double(ValueError):
    """A name that stands twice in an object."""


def parse_json_lines(text: str, name: str) -> Objects:
    """The table in a text of JSON lines; lines without anything are no rows.

    InputError naming the line for anything that is no JSON object, an object with a name twice, and a string
    with half a surrogate pair, which no UTF-8 file can hold.
    """
    found, lines, header = [], [], {}
    for number, line in enumerate(text.split("\n"), 1):  # other line ends may stand in strings
        if line.strip():
            found.append(_object(line, f"{name}, line {number:,}"))
            lines.append(number)
            header |= dict.fromkeys(found[-1])
    if not found:
        raise InputError(f"{name} is empty: JSON lines hold one object in each line")
    return Objects(list(header), [[each.get(column) for column in header] for each in found], lines)


def _object(line: str, place: str) -> dict:
    """The object in one line."""
    try:
        found = json.loads(
            line, object_pairs_hook=_without_doubles, parse_constant=lambda _: None, parse_float=_finite
        )
    except _Double as error:
        raise InputError(f"{place}: the name {error} stands twice in the object: remove one") from None
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, ValueError) else "nested too deeply"
        hint = ", and no list over many lines" if line.strip()[:1] == "[" or place.endswith("line 1") else ""
        raise InputError(f"{place} is no JSON ({reason}): write one object in each line{hint}") from None
    if not isinstance(found, dict):
        raise InputError(
            f"{place} holds a JSON {type(found).__name__}, expected an object such as "
            '{"text": "…", "label": "…"} (pandas: to_json with orient="records", lines=True)'
        )
    if SURROGATES.search(line) or (
        "\\u" in line and SURROGATES.search(json.dumps(found, ensure_ascii=False))
    ):
        raise InputError(f"{place} holds half of a character (a lone surrogate): remove it")
    return found


def _finite(written: str) -> float | str:
    """A number; one that is too large for a float stays the string that it was written as."""
    number = float(written)
    return number if math.isfinite(number) else written


def _without_doubles(pairs: list[tuple]) -> dict:
    found = {}
    for key, value in pairs:
        if key in found:
            raise _Double(repr(key))
        found[key] = value
    return found
