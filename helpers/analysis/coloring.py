"""The words of a text on colored ground, as strong as they drove a prediction.

Support code; the scores come from `helpers.analysis.attribution`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch, Rectangle

from helpers.analysis.attribution import Attribution, in_words

__all__ = ["draw_attribution"]

FOR, AGAINST, UNSIGNED = "#6aaed6", "#f0b35a", "#b4b2ac"  # light enough for black words
FONT, NAMES = "DejaVu Sans Mono", 22  # columns for the names of the methods


def _color(score: float, strongest: float, color: str) -> np.ndarray:
    """White for no score, the full color for the strongest."""
    share = abs(score) / strongest if strongest else 0.0
    return 1 - share * (1 - np.array(to_rgb(color)))


def _lines(words: Sequence[str], width: int) -> list[list[tuple[int, int, int]]]:
    """Words set in lines of `width` characters: (number of the word, first column, columns that it takes)."""
    lines, column = [[]], 0
    for number, word in enumerate(words):
        room = len(word) + 3  # one for the sign, one for the gap, one to breathe
        if lines[-1] and column + room > width:
            lines.append([])
            column = 0
        lines[-1].append((number, column, room))
        column += room
    return lines


def _name_of_row(name: str, attribution: Attribution) -> str:
    """Says how much of the scores is on `[CLS]` and `[SEP]`, which are not drawn."""
    sizes = np.abs(attribution.scores)
    elsewhere = (sizes[0] + sizes[-1]) / sizes.sum() if sizes.sum() else 0
    return name if elsewhere < 0.005 else f"{name}\n({elsewhere:.0%} on [CLS], [SEP])"


def _draw_word(axis: Axes, word: str, score: float, signed: bool, strongest: float, box: tuple, size) -> None:
    """One word in its box (column, row, columns); a sign where the score is a tenth of the strongest."""
    column, row, columns = box
    color = (FOR if score > 0 else AGAINST) if signed else UNSIGNED
    face = _color(score, strongest, color)
    axis.add_patch(
        Rectangle((column, row + 0.1), columns - 0.6, 0.8, facecolor=face, edgecolor="0.75", lw=0.4)
    )
    sign = ("+" if score > 0 else "−") if signed and strongest and abs(score) >= strongest / 10 else ""
    axis.text(column + 0.6, row + 0.54, word + sign, size=size, va="center", color="black", family=FONT)


def draw_attribution(
    attributions: Mapping[str, Attribution], axis: Axes | None = None, title: str = "", width: int = 84
) -> Axes:
    """The words of one text on colored ground, a row for each named method; returns the axis.

    Blue with + speaks for the class, amber with − against it; grey is attention, which has no sign. The depth
    is relative to the method's strongest word; `[CLS]` and `[SEP]` are left out, the name says their share.
    Lines break after `width` characters. ValueError: nothing to draw, or the methods have different words.
    """
    rows = {name: in_words(attribution) for name, attribution in attributions.items()}
    words = next(iter(rows.values())).tokens[1:-1] if rows else []
    if not words or any(row.tokens[1:-1] != words for row in rows.values()):
        raise ValueError("there must be at least one method, and all methods must be of the same text")
    lines = _lines(words, width - NAMES)
    height = len(lines) * (len(rows) + 0.4) + 1
    if axis is None:
        axis = plt.subplots(figsize=(7.4, 0.3 * height + (0.3 if title else 0)))[1]
    axis.set(xlim=(0, width), ylim=(height, 0), title=title)
    axis.axis("off")
    axis.figure.draw_without_rendering()  # lays the figure out, so that the axis has its width
    size = min(
        9.0, axis.get_window_extent().width / axis.figure.dpi * 72 / width / 0.602
    )  # 0.602 em a character
    for at, line in enumerate(lines):
        for below, (name, row) in enumerate(rows.items()):
            top = at * (len(rows) + 0.4) + below
            axis.text(0, top + 0.5, _name_of_row(name, attributions[name]), size=0.8 * size, va="center")
            scores, signed = row.scores[1:-1], row.total is not None
            for number, column, room in line:
                box = (NAMES + column, top, room)
                _draw_word(axis, words[number], scores[number], signed, np.abs(scores).max(), box, size)
    _draw_legend(axis, rows, size)
    return axis


def _draw_legend(axis: Axes, rows: Mapping[str, Attribution], size: float) -> None:
    signed = {row.total is not None for row in rows.values()}
    labels = [(FOR, "+ for the class"), (AGAINST, "− against it")] if True in signed else []
    labels += [(UNSIGNED, "no sign")] if False in signed else []
    patches = [Patch(facecolor=color, edgecolor="0.75", label=label) for color, label in labels]
    axis.legend(
        handles=patches, loc="lower left", ncols=3, frameon=False, fontsize=0.9 * size, borderaxespad=0
    )
