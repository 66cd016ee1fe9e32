"""The articles of the Wikipedia slice, parsed once and kept beside the dump."""

import io
import json
import sys
from pathlib import Path
from typing import NamedTuple

import mwparserfromhell
from tqdm import tqdm

from helpers.data import wikitext
from helpers.data.catalogue import CATALOGUE, Member
from helpers.data.derived import read_derived, write_derived
from helpers.data.fetching import fetch, locked, read_checked
from helpers.data.files import explain_os_errors

__all__ = ["Article", "wikipedia"]


class Article(NamedTuple):
    """A Wikipedia article: its title and its running text, paragraphs separated by a blank line."""

    title: str
    text: str


def wikipedia() -> list[Article]:
    """The articles of the Wikipedia slice, in the order of the dump.

    The markup is parsed at the first call (some seconds) and the result kept beside the dump, with its
    SHA-256; where the two do not agree, it is parsed again. Raises DataError.
    """
    folder, dump = fetch("wikipedia"), CATALOGUE["wikipedia"].members[0]
    version = f"{wikitext.VERSION}-mwparserfromhell-{mwparserfromhell.__version__}"
    parsed = folder / f"articles-{version}.jsonl"
    with explain_os_errors(folder):
        content = read_derived(parsed, dump.sha256)
        if content is None:
            with locked("wikipedia"):
                content = read_derived(parsed, dump.sha256)  # another process may have been faster
                if content is None:
                    content = _make(parsed, dump)
    return [Article(*json.loads(line)) for line in content.splitlines()]


def _make(parsed: Path, dump: Member) -> bytes:
    """Parse the dump into `parsed`: one article a line, [title, text]."""
    if parsed.exists():
        print(f"{parsed.name} is damaged, or of an earlier state of this course: it is made anew")
    content = _to_json_lines(_parse(read_checked("wikipedia", dump)))
    write_derived(parsed, content, dump.sha256)
    return content


def _parse(dump: bytes) -> list[Article]:
    articles = []
    with tqdm(desc="reading Wikipedia", unit=" articles", file=sys.stdout, mininterval=0.5) as bar:
        for title, source in wikitext.articles(io.BytesIO(dump)):
            articles.append(Article(title, wikitext.plain_text(source)))
            bar.update()
    return [article for article in articles if article.text]  # a page can be nothing but lists


def _to_json_lines(articles: list[Article]) -> bytes:
    return "".join(json.dumps(article, ensure_ascii=False) + "\n" for article in articles).encode()
