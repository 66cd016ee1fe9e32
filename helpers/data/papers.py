"""Papers on language technology: which of their sentences say what was hard, what was done, what came out."""

import json
from typing import NamedTuple

from helpers.data.catalogue import CATALOGUE
from helpers.data.fetching import fetch, read_checked
from helpers.data.files import unexpected

__all__ = ["ASPECTS", "SECTIONS", "Paper", "PaperSentence", "papers"]

ASPECTS = ("challenge", "approach", "outcome")
SECTIONS = ("abstract", "introduction", "conclusion")
_FILES = {"train": "train.jsonl", "validation": "val.jsonl", "test": "test.jsonl"}


class PaperSentence(NamedTuple):
    """A sentence, its section (one of SECTIONS), and the aspects (of ASPECTS) that somebody marked it for."""

    text: str
    section: str
    aspects: tuple[str, ...]


class Paper(NamedTuple):
    """Abstract, introduction and conclusion of a paper, and a summary of about 23 words for each aspect.

    id: the paper's name in the ACL Anthology. summaries: {aspect: text}, written by a person.
    """

    id: str
    title: str
    sentences: tuple[PaperSentence, ...]
    summaries: dict[str, str]


def papers() -> dict[str, list[Paper]]:
    """The 250 papers of ACLSum: "train" (100), "validation" (50), "test" (100), the split of its authors.

    9,612 sentences in the order of the text, as the authors' programs cut and spaced them. Fetched at the
    first call (5 MB, a wheel). Raises DataError. Source: Takeshita et al. (2024).
    """
    return {part: _read(name) for part, name in _FILES.items()}


def _read(name: str) -> list[Paper]:
    fetch("papers")
    member = next(member for member in CATALOGUE["papers"].members if member.name == name)
    try:
        lines = read_checked("papers", member).decode("utf-8-sig").split("\n")
        found = [_paper(json.loads(line)) for line in lines if line]
        if not found:
            raise ValueError("no lines")
        return found
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise unexpected("papers", f"{member.name} holds no papers ({error!r})") from error


def _paper(entry: dict) -> Paper:
    """A line of the file; ValueError where sentences and marks are not equally many."""
    sentences = []
    for section in SECTIONS:
        marks = [entry["highlights"][aspect][section] for aspect in ASPECTS]
        for text, *marked in zip(entry["sentences"][section], *marks, strict=True):
            aspects = tuple(aspect for aspect, mark in zip(ASPECTS, marked, strict=True) if mark)
            sentences.append(PaperSentence(text, section, aspects))
    summaries = {aspect: entry["summary"][aspect] for aspect in ASPECTS}
    return Paper(entry["id"], entry["title"], tuple(sentences), summaries)
