"""The articles of the Wikipedia slice, parsed once and kept beside the dump."""

import json
import sys
from pathlib import Path
from typing import NamedTuple

import mwparserfromhell
from tqdm import tqdm

from helpers.data import wikitext
from helpers.data.catalogue import CATALOGUE
from helpers.data.fetching import fetch, locked
from helpers.data.files import explain_os_errors, write_atomically

__all__ = ["Article", "wikipedia"]


class Article(NamedTuple):
    """A Wikipedia article: its title and its running text, paragraphs separated by a blank line."""

    title: str
    text: str


def wikipedia() -> list[Article]:
    """The articles of the Wikipedia slice, in the order of the dump.

    The markup is parsed at the first call (some seconds) and the result kept beside the dump.
    """
    folder = fetch("wikipedia")
    version = f"{wikitext.VERSION}-mwparserfromhell-{mwparserfromhell.__version__}"
    parsed = folder / f"articles-{version}.jsonl"
    if not parsed.exists():
        with locked("wikipedia"):
            if not parsed.exists():
                dump = folder / CATALOGUE["wikipedia"].members[0].name
                write_atomically(parsed, _to_json_lines(_parse(dump)))
    with explain_os_errors(folder), open(parsed, encoding="utf-8") as file:
        return [Article(*json.loads(line)) for line in file]


def _parse(dump: Path) -> list[Article]:
    articles = []
    with tqdm(desc="reading Wikipedia", unit=" articles", file=sys.stdout, mininterval=0.5) as bar:
        for title, source in wikitext.articles(dump):
            articles.append(Article(title, wikitext.plain_text(source)))
            bar.update()
    return [article for article in articles if article.text]  # a page can be nothing but lists


def _to_json_lines(articles: list[Article]) -> bytes:
    return "".join(json.dumps(article, ensure_ascii=False) + "\n" for article in articles).encode()
