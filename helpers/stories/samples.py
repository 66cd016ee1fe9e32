"""The story files that are committed in data/stories/."""

import codecs
import json
import os
from collections.abc import Iterable
from pathlib import Path

from helpers.stories.story import SPLITS, Story, stories

__all__ = ["FOLDER", "files", "is_written", "to_json_lines", "write"]

FOLDER = Path(__file__).resolve().parents[2] / "data" / "stories"
_FILES = {"validation": 1_000, "train": 150, "classification_train": 150}  # file: how many of the split


def to_json_lines(written: Iterable[Story]) -> str:
    """One story a line: its feeling and its sentences."""
    rows = ({"feeling": story.feeling, "sentences": story.sentences} for story in written)
    return "".join(json.dumps(row) + "\n" for row in rows)


def files() -> dict[str, str]:
    """The committed files: name -> content."""
    contents = {}
    for name, count in _FILES.items():
        sample = stories(count, SPLITS[name][1], say_feeling=not name.startswith("classification"))
        whole = count == SPLITS[name][0]
        contents[f"{name}.jsonl" if whole else f"{name}-sample.jsonl"] = to_json_lines(sample)
    return contents


def is_written(name: str, content: str) -> bool:
    """Whether the committed file has this content; a byte order mark and Windows line ends are allowed."""
    path = FOLDER / name
    if not path.exists():
        return False
    return path.read_bytes().removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n") == content.encode()


def write(name: str, content: str) -> None:
    """Write a committed file; the one of before stays until the new one is whole."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    partial = FOLDER / f"{name}.partial"
    try:
        partial.write_bytes(content.encode())
        os.replace(partial, FOLDER / name)
    finally:
        partial.unlink(missing_ok=True)
