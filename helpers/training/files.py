"""JSON and tables that a run wrote and somebody may have opened since: read, or refused by name.

Support code. A byte order mark at the beginning, which spreadsheets and some editors write, is no part of
the text.
"""

import csv
import json
from pathlib import Path

__all__ = ["read_object", "csv_lines"]


def read_object(path: Path) -> dict:
    """The JSON object in a file. ValueError for anything else, OSError for a file that can't be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except RecursionError:
        raise ValueError(f"{path.name} is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} holds a JSON {type(found).__name__} instead of an object")
    return found


def csv_lines(path: Path) -> list[dict]:
    """The lines of a CSV file by column. ValueError for bytes that are none, OSError as above."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    except csv.Error as error:
        raise ValueError(f"{path.name} is no table: {error}") from None
