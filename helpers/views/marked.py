"""Words of a text set off by color, each kind with its own: what a tagger says, read in the text itself.

HTML without scripts; every character of a text is escaped, so any text is safe. The colors stand on an opaque
ground with dark letters, so they can be read in a dark theme; each kind has an underline of its own as well,
so they can be told apart in greyscale.
"""

import html
from collections.abc import Mapping, Sequence

__all__ = ["MarkedText", "marked_text"]

GROUNDS = ("#cfe3f3", "#f7dfa6", "#f6cdbd", "#d5ead0", "#e3d6f0", "#e4e4e4")
LINES = ("solid", "double", "dashed", "dotted", "wavy", "solid")


class MarkedText:
    """A piece of HTML, shown by Jupyter where it is the last line of a cell or given to `display`."""

    def __init__(self, content: str, plain: str):
        self.html, self.plain = content, plain

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.plain


def marked_text(
    text: str, spans: Sequence[tuple[int, int]], kinds: Sequence[str | None], *,
    order: Sequence[str] | None = None, notes: Mapping[int, str] | None = None, title: str = "",
) -> MarkedText:  # fmt: skip
    """The text with its words marked by kind, and a legend of the kinds.

    spans: [begin, end) in characters, in order; kinds: for each span its kind, or None for no mark. order:
    the kinds that there are, so that several texts get the same colors. notes: {number of a span: what a
    mouse over it shows}. ValueError for spans out of order, unequal numbers, and kinds that order lacks.
    """
    if len(spans) != len(kinds):
        raise ValueError(f"{len(spans)} spans, but {len(kinds)} kinds: give one for each span, or None")
    order = list(dict.fromkeys(kind for kind in kinds if kind)) if order is None else list(order)
    if unknown := [kind for kind in kinds if kind and kind not in order]:
        raise ValueError(f"the kind {unknown[0]!r} is none of {order}: add it to order")
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    if any(b < a for a, b in zip(edges, edges[1:], strict=False)):
        raise ValueError(f"spans must lie in the text of {len(text)} characters, in order, without overlap")
    made, plain, done = [], "", 0
    for number, ((begin, end), kind) in enumerate(zip(spans, kinds, strict=True)):
        made.append(html.escape(text[done:begin]))
        plain += text[done:begin]
        word, note = text[begin:end], (notes or {}).get(number, kind)
        made.append(_mark(word, order.index(kind), note) if kind else html.escape(word))
        plain += f"[{word} {kind}]" if kind else word
        done = end
    made.append(html.escape(text[done:]))
    plain += text[done:]
    legend = " ".join(_mark(kind, number, kind) for number, kind in enumerate(order))
    head = f"<b>{html.escape(title)}</b> &nbsp; " if title else ""
    body = "".join(made).replace("\n", "<br>")
    style = "line-height:2;max-width:60em"
    return MarkedText(f'<div style="{style}">{head}{legend}<br>{body}</div>', plain)


def _mark(word: str, number: int, note: str | None) -> str:
    ground, line = GROUNDS[number % len(GROUNDS)], LINES[number % len(LINES)]
    style = f"background:{ground};color:#111;border-radius:3px;padding:1px 3px;"
    style += f"text-decoration:underline {line} #333"
    return f'<span style="{style}" title="{html.escape(note or "")}">{html.escape(word)}</span>'
