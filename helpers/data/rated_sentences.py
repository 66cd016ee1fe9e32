"""Sentences that people rated, in a fixed split that a hash of the sentence decides."""

import hashlib
import html
import io
import json
import tarfile
import unicodedata
from typing import NamedTuple

from helpers.data.catalogue import CATALOGUE
from helpers.data.fetching import fetch, read_checked
from helpers.data.files import DataError

__all__ = ["Review", "normalized", "reviews", "split_of"]

# Domain -> start of its two files' names in the archive of Hutto & Gilbert (2014).
_REVIEW_FILES = {
    "movies": "movieReviewSnippets",
    "products": "amazonReviewSnippets",
    "editorials": "nytEditorialSnippets",
    "tweets": "tweets",
}


class Review(NamedTuple):
    """A sentence and how people rated it, from -4 (most negative) to 4 (most positive).

    `rating` is the mean of the single `ratings`; `label` is 1 where it is above 0, 0 where it is below,
    and None where it is exactly 0.
    """

    text: str
    rating: float
    ratings: tuple[int, ...]
    label: int | None


def reviews(domain: str = "movies") -> dict[str, list[Review]]:
    """Rated sentences of one domain in a fixed split: "train", "validation", "test" (70 / 10 / 20).

    Domains: "movies", "products", "editorials", "tweets". The split is decided by a hash of the
    sentence (see `split_of`), so no sentence is in two splits, whatever its domain. Of sentences that
    are equal in that sense the first is kept; those without a letter or digit are left out.
    Source: Hutto & Gilbert (2014).
    """
    if domain not in _REVIEW_FILES:
        raise DataError(f"There are no reviews of {domain!r}; choose one of {', '.join(_REVIEW_FILES)}.")
    splits = {"train": [], "validation": [], "test": []}
    seen = {""}
    for text, ratings in _rated_sentences(_REVIEW_FILES[domain]):
        key = normalized(text)
        if key not in seen:
            seen.add(key)
            mean = sum(ratings) / len(ratings)
            label = None if mean == 0 else int(mean > 0)
            splits[split_of(text)].append(Review(text, mean, ratings, label))
    return splits


def normalized(text: str) -> str:
    """What makes two sentences count as equal: their letters and digits, without case or form."""
    text = unicodedata.normalize("NFKC", text).lower()
    return " ".join("".join(c if c.isalnum() else " " for c in text).split())


def split_of(text: str) -> str:
    """The split of a sentence: the first 32 bits of its SHA-256 as a fraction of their range."""
    fraction = int(hashlib.sha256(normalized(text).encode()).hexdigest()[:8], 16) / 2**32
    return "train" if fraction < 0.7 else "validation" if fraction < 0.8 else "test"


def _rated_sentences(stem: str) -> list[tuple[str, tuple[int, ...]]]:
    """Sentences with their single ratings, in the order of the file, joined by id."""
    fetch("reviews")
    archive = read_checked("reviews", CATALOGUE["reviews"].members[0])
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:

        def rows(name: str) -> list[list[str]]:
            content = tar.extractfile(f"hutto_ICWSM_2014/{stem}_{name}.txt").read().decode("utf-8-sig")
            return [line.split("\t") for line in content.split("\r\n") if line]

        # The last column alone: for 199 tweets the mean in the files is not the mean of the ratings.
        ratings = {row[0]: tuple(json.loads(row[-1])) for row in rows("anonDataRatings")}
        return [(html.unescape(text).strip(), ratings[id_]) for id_, _, text in rows("GroundTruth")]
