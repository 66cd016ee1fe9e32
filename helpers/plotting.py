"""Figures with one look: sizes, colors, the drawings that several notebooks share, tokens as boxes.

Support code. The colors are told apart by people who confuse red and green, and differ in lightness, so
that they stay apart in greyscale; the opaque light background keeps a figure readable in a dark theme.
"""

import html
from collections.abc import Iterable, Mapping, Sequence

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes

# Dark to light: blue-black, red-orange, blue, amber, light blue.
COLOURS = ("#1b2a49", "#c8401a", "#2f7fb8", "#e0a100", "#8cc5e3")
LINE_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
BACKGROUND = "#fbfaf7"
HEAT_COLOURS = "cividis"


def use_course_style() -> None:
    """Set matplotlib's defaults for every figure that follows."""
    matplotlib.rcParams.update(
        {
            "figure.figsize": (7.0, 3.6),
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "figure.facecolor": BACKGROUND,
            "savefig.facecolor": BACKGROUND,
            "axes.facecolor": BACKGROUND,
            "axes.prop_cycle": cycler(color=COLOURS) + cycler(linestyle=LINE_STYLES),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": "medium",
            "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
            "svg.hashsalt": "bert-from-the-ground-up",  # otherwise ids in an SVG are random
        }
    )


def heat_map(
    matrix: Sequence | np.ndarray,
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    title: str = "",
    axis: Axes | None = None,
    limits: tuple[float, float] = (0.0, 1.0),
    colour_bar: str | None = "weight",
) -> None:
    """Draw a matrix as coloured squares for the value range `limits`, with a colour bar so labelled.

    matrix: (rows, columns), a nested list, array or CPU tensor. Rows are drawn from top to bottom: for
    attention, row = the token that looks, column = the token that is looked at. colour_bar=None leaves the
    bar out, for all but the last of several maps side by side. Raises ValueError where the labels do not
    fit the matrix.
    """
    values = np.asarray(matrix, dtype=float)
    if values.shape != (len(row_labels), len(column_labels)):
        raise ValueError(
            f"The matrix is {values.shape}, the labels are for {(len(row_labels), len(column_labels))}: "
            "give one label for each row and column."
        )
    if axis is None:
        side = 2.4 + 0.28 * max(values.shape)
        axis = plt.subplots(figsize=(side + 0.8, side))[1]
    image = axis.imshow(values, cmap=HEAT_COLOURS, vmin=limits[0], vmax=limits[1])
    axis.set_xticks(range(len(column_labels)), column_labels, rotation=60, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(row_labels)), row_labels)
    axis.set_title(title)
    if colour_bar is not None:
        axis.figure.colorbar(image, ax=axis, label=colour_bar, fraction=0.046, pad=0.04)


def loss_curve(
    steps: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    baselines: Mapping[str, float],
    title: str = "",
    axis: Axes | None = None,
    x_label: str = "step",
    y_label: str = "loss (nats per token)",
) -> None:
    """Draw curves over training steps, with every baseline as a labelled horizontal line."""
    if axis is None:
        axis = plt.subplots()[1]
    for name, values in curves.items():
        axis.plot(steps, values, label=name)
    for name, value in baselines.items():
        axis.axhline(value, color="0.35", linewidth=1, linestyle=":")
        axis.annotate(
            f"{name}: {value:.2f}",
            (1.0, value),
            xycoords=("axes fraction", "data"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="right",
            color="0.25",
            fontsize="small",
        )
    axis.set(title=title, xlabel=x_label, ylabel=y_label)
    axis.legend(loc="center right" if baselines else "best", frameon=False)


def show_pieces(tokens: Iterable[str], title: str = "") -> None:
    """Draw tokens as boxes; the pieces of a word (`##`) touch each other and share a shade."""
    from IPython.display import HTML, display

    shades = ("#cfe3f3", "#f7dfa6", "#dcdcdc", "#f6cdbd")
    boxes, word = [], -1
    for token in tokens:
        joined = token.startswith("##")
        word += not joined
        style = f"background:{shades[word % 4]};color:#111;border:1px solid #555;border-radius:4px;"
        style += f"display:inline-block;line-height:1.3;padding:1px 4px;margin-left:{0 if joined else 7}px"
        boxes.append(f'<span style="{style}">{html.escape(token)}</span>')
    heading = f"<b>{html.escape(title)}</b><br>" if title else ""
    display(HTML(f'<div style="font-family:monospace;line-height:2.1">{heading}{"".join(boxes)}</div>'))
