"""Marked text: any text is safe in it, and nothing of it is lost."""

import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.views.marked import marked_text


class Reader(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def test_words_are_marked():
    shown = marked_text("anna in rome.", [(0, 4), (8, 12)], ["who", "place"], title="a <b>")
    assert repr(shown) == "[anna who] in [rome place]."
    reader = Reader(shown._repr_html_())
    assert reader.text.endswith("anna in rome.") and "a <b>" in reader.text
    marks = [attributes for tag, attributes in reader.tags if tag == "span"]
    assert [mark["title"] for mark in marks] == ["who", "place", "who", "place"], "the legend, then the text"
    assert marks[0]["style"] == marks[2]["style"] != marks[1]["style"]
    assert all("color:#111" in mark["style"] and "background:#" in mark["style"] for mark in marks)


@given(st.text(st.sampled_from("ab<>&\"' /='\n"), max_size=30), st.data())
def test_any_text_is_safe(text, data):
    edges = sorted(data.draw(st.sets(st.integers(0, len(text)))))
    spans = list(zip(edges[::2], edges[1::2], strict=False))
    kinds = [data.draw(st.sampled_from([None, "x", '"><script>'])) for _ in spans]
    page = marked_text(text, spans, kinds, order=["x", '"><script>'], notes={0: "'\"><i>"})._repr_html_()
    reader = Reader(page)
    assert {tag for tag, _ in reader.tags} <= {"div", "span", "br", "b"}
    assert all(set(attributes) <= {"style", "title"} for _, attributes in reader.tags)
    body = re.sub("<br>", "\n", page.split("<br>", 1)[1])
    assert html.unescape(re.sub("<[^>]*>", "", body)) == text


@pytest.mark.parametrize(
    ("spans", "kinds", "words"),
    [
        ([(0, 1)], [], "1 spans, but 0 kinds"),
        ([(0, 9)], ["x"], "in order, without overlap"),
        ([(1, 2), (0, 1)], ["x", "x"], "in order, without overlap"),
        ([(0, 1)], ["y"], "the kind 'y' is none of"),
    ],
)
def test_what_can_not_be_marked_is_refused(spans, kinds, words):
    with pytest.raises(ValueError, match=words):
        marked_text("abc", spans, kinds, order=["x"])
