"""The still pictures beside the attention views, for places that run no scripts: GitHub, print, PDF."""

import io
import math
import warnings

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from helpers.plotting import BACKGROUND, HEAT_COLOURS
from helpers.view_data import Reading

MAX_BYTES = 60_000
FONT_SIZE = 8


def picture(kind: str, reading: Reading) -> bytes:
    """A PNG of at most 60 kB of what the view of this kind first shows; kind: "head", "model" or "neuron"."""
    draw = {"head": _lines, "model": _map_of_heads, "neuron": _query_key_weights}[kind]
    figure = draw(reading)
    FigureCanvasAgg(figure)
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a token may hold a dollar sign
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a script that the font lacks is drawn as boxes
        figure.savefig(content, dpi=110, facecolor=BACKGROUND)
    return _small(content)


def _small(content: io.BytesIO) -> bytes:
    """Fewer colors, then fewer pixels, until the picture is small enough."""
    image = Image.open(content).convert("RGB")
    for scale, colors in ((1, 256), (1, 64), (1, 24), (0.8, 24), (0.6, 16), (0.4, 16), (0.25, 8)):
        size = [max(1, round(scale * side)) for side in image.size]
        shrunk = image.resize(size, Image.Resampling.LANCZOS) if scale < 1 else image
        result = io.BytesIO()
        shrunk.quantize(colors, dither=Image.Dither.NONE).save(result, "PNG", optimize=True)
        if result.tell() <= MAX_BYTES:
            break
    return result.getvalue()


def _lines(reading: Reading) -> Figure:
    """Two columns of tokens, a line for each weight of each head in the first layer."""
    weights, length = reading.attention[0], len(reading.tokens)
    figure = Figure(figsize=(4.6, 0.5 + 0.19 * length), layout="constrained")
    axis = figure.subplots()
    palette = colormaps["tab10"].colors  # bertviz's own ten colors, in its order
    rows, columns = np.nonzero(weights.max(axis=0) > 0.01)
    for number, head in enumerate(weights):
        color = [*palette[number % 10], 1.0]
        colors = np.tile(color, (len(rows), 1))
        colors[:, 3] = np.minimum(1, head[rows, columns] / math.sqrt(len(weights)))
        lines = [((0, row), (1, column)) for row, column in zip(rows, columns, strict=True)]
        axis.add_collection(LineCollection(lines, colors=colors, linewidths=1.4))
    _tokens(axis, reading)
    right = axis.secondary_yaxis("right")
    right.set_yticks(range(length), _labels(reading), fontsize=FONT_SIZE)
    right.tick_params(length=0)
    right.spines[:].set_visible(False)
    axis.set(xlim=(0, 1), ylim=(length - 0.5, -0.5), xticks=[])
    axis.spines[:].set_visible(False)
    names = ", ".join(map(str, reading.heads))
    axis.set_title(f"Layer {reading.layers[0]}, heads {names}: left looks at right", fontsize=9)
    return figure


def _map_of_heads(reading: Reading) -> Figure:
    """A small heat map of every head, layers from top to bottom."""
    layers, heads, length = reading.attention.shape[:3]
    side = min(1.3, max(0.55, 7.2 / heads))
    figure = Figure(figsize=(max(3.2, 0.8 + side * heads), 0.8 + side * layers), layout="constrained")
    grid = figure.subplots(layers, heads, squeeze=False)
    for row, layer in enumerate(reading.layers):
        for column, head in enumerate(reading.heads):
            axis = grid[row, column]
            image = axis.imshow(reading.attention[row, column], cmap=HEAT_COLOURS, vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
            if row == 0:
                axis.set_title(f"head {head}" if heads < 9 else head, fontsize=FONT_SIZE)
            if column == 0:
                axis.set_ylabel(f"layer {layer}" if layers < 9 else layer, fontsize=FONT_SIZE)
    bar = figure.colorbar(image, ax=grid, label="attention weight", fraction=0.04, pad=0.02)
    bar.ax.tick_params(labelsize=FONT_SIZE)
    figure.suptitle(f"{length} x {length} tokens in each: row looks at column", fontsize=9)
    return figure


def _query_key_weights(reading: Reading) -> Figure:
    """Queries, keys and attention of the first layer and head."""
    length = len(reading.tokens)
    figure = Figure(figsize=(9.6, 1.5 + 0.19 * length), layout="constrained")
    axes = figure.subplots(1, 3)
    largest = max(float(np.abs(values[0, 0]).max()) for values in (reading.queries, reading.keys))
    for axis, name in zip(axes, ("queries", "keys"), strict=False):
        values = getattr(reading, name)[0, 0]
        image = axis.imshow(values, cmap="PuOr", vmin=-largest, vmax=largest, aspect="auto")
        axis.set_title(f"{name}: {values.shape[1]} numbers", fontsize=9)
        axis.set_xticks([])
        _tokens(axis, reading)
        figure.colorbar(image, ax=axis, location="bottom", shrink=0.7).ax.tick_params(labelsize=FONT_SIZE)
    image = axes[2].imshow(reading.attention[0, 0], cmap=HEAT_COLOURS, vmin=0, vmax=1, aspect="auto")
    axes[2].set_title("weights: row looks at column", fontsize=9)
    axes[2].set_xticks([])
    _tokens(axes[2], reading)
    figure.colorbar(image, ax=axes[2], location="bottom", shrink=0.7).ax.tick_params(labelsize=FONT_SIZE)
    figure.suptitle(f"Layer {reading.layers[0]}, head {reading.heads[0]}", fontsize=9)
    return figure


def _tokens(axis: Axes, reading: Reading) -> None:
    axis.set_yticks(range(len(reading.tokens)), _labels(reading), fontsize=FONT_SIZE)
    axis.tick_params(length=0)


def _labels(reading: Reading) -> list[str]:
    """Tokens as one line of drawable text each: what can't be seen is written as its code."""
    visible = (
        "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in token) for token in reading.tokens
    )
    return [token if len(token) <= 24 else token[:23] + "\u2026" for token in visible]
