"""From a Wikipedia dump to plain paragraphs, with mwparserfromhell as the parser of the markup.

Like BERT's own preparation, only text passages are kept: no lists, tables, headings (Devlin et al. 2018,
section 3.1), and no footnotes, captions, formulas or infoboxes. Templates are not expanded: a few that
stand inside sentences show one of their values, the others leave nothing.
"""

import bz2
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree

import mwparserfromhell
from mwparserfromhell import nodes
from mwparserfromhell.wikicode import Wikicode

from helpers.data.files import DataError

# Raise this when a change below changes the text: data/cache/ then gets a new file.
VERSION = 1

_XML = "{http://www.mediawiki.org/xml/export-0.10/}"
_LIST_ITEM = "\x00"  # stands at the place of a list mark; dumps hold no such character
_DROPPED_TAGS = {
    "gallery", "hiero", "imagemap", "math", "ref", "references", "s", "score", "source", "syntaxhighlight",
    "table", "td", "th", "timeline", "tr",
}  # fmt: skip
# Templates that stand inside sentences, and which of their values the reader of Wikipedia sees.
_SHOWN_VALUE = {
    "abbr": "1", "angbr": "1", "blockquote": "1", "cquote": "1", "ipa": "1", "keypress": "1", "lang": "2",
    "nihongo": "1", "nobold": "1", "nowrap": "1", "quote": "1", "small": "1", "smaller": "1", "transl": "2",
    "val": "1", "vanchor": "1", "vr": "1",
}  # fmt: skip
_RANGE_WORDS = {"to", "and", "or", "by", "x", "-", "–"}
# Markup with a mistake in it, which the parser leaves as text.
_BROKEN_MARKUP = re.compile(
    r"<ref.*?</ref>|</?[a-z]+>|\[\[(?:File|Image):.*?\]\]|\{\{.*?\}\}|__[A-Z]+__|'{2,}"
)


def articles(dump: Path | BinaryIO) -> Iterator[tuple[str, str]]:
    """Yield (title, wikitext) of every article in a bz2 dump: namespace 0, no redirects.

    Raises DataError if the dump can't be read; articles before the damage may have been yielded then.
    """
    with _explain_damage(), bz2.open(dump) as file:
        for _, element in ElementTree.iterparse(file):
            if element.tag != _XML + "page":
                continue
            if element.findtext(_XML + "ns") == "0" and element.find(_XML + "redirect") is None:
                yield element.findtext(_XML + "title"), element.findtext(f"{_XML}revision/{_XML}text")
            element.clear()


@contextmanager
def _explain_damage() -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, ElementTree.ParseError) as error:
        raise DataError(
            f"The Wikipedia dump can't be read ({error}). Run `python -m helpers.data --verify` in the "
            "folder of the course, which fetches it anew."
        ) from error


def plain_text(wikitext: str) -> str:
    """The running text of an article: paragraphs separated by a blank line."""
    paragraphs, lines = [], []
    for line in [*_render(mwparserfromhell.parse(wikitext)).splitlines(), ""]:
        line = line.strip()
        if line and not line.startswith((_LIST_ITEM, "{|", "|", "!")):
            lines.append(line)
        elif lines:
            paragraphs.append(tidy(" ".join(lines)))
            lines = []
    return "\n\n".join(filter(_is_prose, paragraphs))


def _is_prose(paragraph: str) -> bool:
    """Not a stray label, nor a short line that introduced a list."""
    return len(paragraph.split()) >= 8 or bool(re.search(r"[.!?][\"')\]”]*$", paragraph))


def _render(code: Wikicode | None) -> str:
    return "".join(map(_render_node, code.nodes)) if code is not None else ""


def _render_node(node: nodes.Node) -> str:
    match node:
        case nodes.Text():
            return node.value
        case nodes.HTMLEntity():
            return node.normalize()
        case nodes.Heading():
            return "\n\n"
        case nodes.ExternalLink():
            return _render(node.title)
        case nodes.Wikilink():
            # "File:", "Category:", another language's "fr:"; a leading colon or a prefix alone is a real link
            is_special = re.match(r"\s*[\w-]+:\S", str(node.title)) and not node.text
            is_file = re.match(r"\s*(file|image|category)\s*:", str(node.title), re.IGNORECASE)
            return "" if is_file or is_special else _render(node.text or node.title)
        case nodes.Template():
            return _render_template(node)
        case nodes.Tag():
            return _render_tag(node)
    return ""  # comments, arguments


def _render_tag(tag: nodes.Tag) -> str:
    name = str(tag.tag).strip().lower()
    if name in _DROPPED_TAGS:
        return ""
    if name in ("li", "dd", "dt"):
        return _LIST_ITEM
    return "\n" if name in ("br", "hr") else _render(tag.contents)


def _render_template(template: nodes.Template) -> str:
    name = str(template.name).strip().lower()

    def value(key: str) -> str:
        return _render(template.get(key).value).strip() if template.has(key) else ""

    if name in ("convert", "cvt"):  # "1300|mi|km", or "55|to|80|cm|in"
        return " ".join(value(key) for key in ("1234" if value("2") in _RANGE_WORDS else "12"))
    if name == "as of":
        return f"{'as' if template.has('lc') else 'As'} of {value('1')}"
    if name == "chem":
        return "".join(value(str(p.name)) for p in template.params)
    return value(_SHOWN_VALUE[name]) if name in _SHOWN_VALUE else ""


def tidy(text: str) -> str:
    """Remove what dropped nodes leave behind, such as "( ; born 1920 )" and " ,"."""
    text = " ".join(_BROKEN_MARKUP.sub("", text.replace(_LIST_ITEM, " ")).split())
    text = re.sub(r"([(\[])[\s;,:]+", r"\1", text)
    text = re.sub(r"[\s;,:]+([)\]])", r"\1", text)
    text = re.sub(r"\(\)|\[\]", "", text)
    text = re.sub(r"\s+([,;:]|\.(?=\s|$))", r"\1", text)
    text = re.sub(r",+(?=[,.])", "", text)
    return " ".join(text.split())
