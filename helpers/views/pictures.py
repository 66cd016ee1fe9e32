"""The still pictures beside the attention views, for places that run no scripts: GitHub, print, PDF."""

import io
import math
import warnings

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from helpers.plotting import BACKGROUND, HEAT_COLOURS
from helpers.views.data import Reading

MAX_BYTES = 60_000
MAX_SQUARES = 60_000  # more do not fit into so many bytes
FONT_SIZE = 8
STRONGEST = 3  # lines that start at one token; all of them would hide each other


def picture(kind: str, reading: Reading) -> bytes:
    """A PNG of at most 60 kB of what the view of this kind first shows; kind: "head", "model" or "neuron"."""
    return small_png({"head": _lines, "model": _map_of_heads, "neuron": _query_key_weights}[kind](reading))


def small_png(figure: Figure) -> bytes:
    """A figure with tokens in it, as a PNG of at most 60 kB."""
    FigureCanvasAgg(figure)
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a token may hold a dollar sign
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a script that the font lacks is drawn as boxes
        figure.savefig(content, dpi=100, facecolor=BACKGROUND)
    return _small(content)


def _small(content: io.BytesIO) -> bytes:
    """Fewer colors, then fewer pixels, until the picture is small enough."""
    image = Image.open(content).convert("RGB")
    for scale, colors in ((1, 256), (1, 96), (0.85, 96), (0.7, 64), (0.55, 48), (0.4, 16), (0.25, 8)):
        size = [max(1, round(scale * side)) for side in image.size]
        shrunk = image.resize(size, Image.Resampling.LANCZOS) if scale < 1 else image
        result = io.BytesIO()
        shrunk.quantize(colors, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            result, "PNG", optimize=True
        )
        if result.tell() <= MAX_BYTES:
            break
    return result.getvalue()


def _lines(reading: Reading) -> Figure:
    """Two columns of tokens, and in the first layer the strongest lines of each token, colored by head."""
    weights, length = reading.attention[0], len(reading.tokens)
    figure = Figure(figsize=(4.8, 0.9 + 0.19 * length), layout="constrained")
    axis = figure.subplots()
    heads, rows, columns = _strongest(weights)
    palette = np.array(colormaps["tab10"].colors)  # bertviz's own ten colors, in its order
    colors = np.column_stack([palette[heads % 10], np.ceil(5 * weights[heads, rows, columns]) / 5])
    lines = [((0, row), (1, column)) for row, column in zip(rows, columns, strict=True)]
    styles = np.where(heads < 10, "-", "--")  # the eleventh color is the first again
    axis.add_collection(LineCollection(lines, colors=colors, linewidths=1.6, linestyles=styles))
    _tokens(axis, reading)
    right = axis.secondary_yaxis("right")
    right.set_yticks(range(length), labels(reading), fontsize=FONT_SIZE)
    right.tick_params(length=0)
    right.spines[:].set_visible(False)
    axis.set(xlim=(0, 1), ylim=(length - 0.5, -0.5), xticks=[])
    axis.spines[:].set_visible(False)
    axis.set_title(
        f"Layer {reading.layers[0]}: left looks at right, the {STRONGEST} strongest of each", fontsize=9
    )
    for number in sorted(set(heads.tolist())):
        axis.plot(
            [],
            [],
            color=palette[number % 10],
            label=str(reading.heads[number]),
            linestyle="-" if number < 10 else "--",
        )
    figure.legend(
        loc="outside lower center", ncols=8, title="head", fontsize=FONT_SIZE, title_fontsize=FONT_SIZE,
        frameon=False, handlelength=1.6,
    )  # fmt: skip
    return figure


def _strongest(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(A, T, T) -> heads, rows, columns of the few largest weights in each row, over all heads."""
    heads, length = weights.shape[:2]
    by_row = weights.transpose(1, 0, 2).reshape(length, heads * length)
    places = np.argsort(-by_row, axis=1, kind="stable")[:, :STRONGEST]
    rows = np.repeat(np.arange(length), places.shape[1])
    return places.ravel() // length, rows, places.ravel() % length


def _map_of_heads(reading: Reading) -> Figure:
    """A small heat map of every head, layers from top to bottom, as one image."""
    layers, heads, length = reading.attention.shape[:3]
    block = math.ceil(math.sqrt(reading.attention.size / MAX_SQUARES))
    tiles = _largest_of_blocks(reading.attention, block)
    side = tiles.shape[-1]
    gap = max(1, side // 12)
    framed = np.pad(tiles, ((0, 0), (0, 0), (0, gap), (0, gap)), constant_values=np.nan)
    mosaic = framed.transpose(0, 2, 1, 3).reshape(layers * (side + gap), heads * (side + gap))
    inches = min(1.4, max(0.6, 7.2 / heads))
    figure = Figure(figsize=(1.6 + inches * heads, 0.8 + inches * layers), layout="constrained")
    axis = figure.subplots()
    image = axis.imshow(mosaic, cmap=HEAT_COLOURS, norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
    places = (side - 1) / 2 + (side + gap) * np.arange(max(layers, heads))
    axis.set_xticks(places[:heads], reading.heads, fontsize=FONT_SIZE)
    axis.set_yticks(places[:layers], reading.layers, fontsize=FONT_SIZE)
    axis.set(xlabel="head", ylabel="layer")
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axis, label="attention weight (root scale)", shrink=0.8, pad=0.02)
    bar.ax.tick_params(labelsize=FONT_SIZE)
    squares = f", the largest of {block} x {block} in each square" if block > 1 else ""
    figure.suptitle(f"{length} x {length} weights a head: row looks at column{squares}", fontsize=9)
    return figure


def _largest_of_blocks(weights: np.ndarray, block: int) -> np.ndarray:
    """(L, A, T, T) -> (L, A, T / block, T / block), rounded up."""
    length = weights.shape[-1]
    count = math.ceil(length / block)
    missing = count * block - length
    padded = np.pad(weights, ((0, 0), (0, 0), (0, missing), (0, missing)))
    return padded.reshape(*weights.shape[:2], count, block, count, block).max(axis=(3, 5))


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
        figure.colorbar(image, ax=axis, location="bottom", shrink=0.7, pad=0.01, aspect=30).ax.tick_params(
            labelsize=FONT_SIZE
        )
    image = axes[2].imshow(
        reading.attention[0, 0], cmap=HEAT_COLOURS, norm=PowerNorm(0.5, 0, 1), aspect="auto"
    )
    axes[2].set_title("attention (root scale)", fontsize=9)
    axes[2].set_xticks([])
    _tokens(axes[2], reading)
    bar = figure.colorbar(image, ax=axes[2], location="bottom", shrink=0.7, pad=0.01, aspect=30)
    bar.set_ticks([0, 0.1, 0.4, 1])
    bar.ax.tick_params(labelsize=FONT_SIZE)
    figure.suptitle(f"Layer {reading.layers[0]}, head {reading.heads[0]}", fontsize=9)
    return figure


def _tokens(axis: Axes, reading: Reading) -> None:
    axis.set_yticks(range(len(reading.tokens)), labels(reading), fontsize=FONT_SIZE)
    axis.tick_params(length=0)


def labels(reading: Reading) -> list[str]:
    """Tokens as one line of drawable text each: what can't be seen is written as its code."""
    visible = (
        "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in token) for token in reading.tokens
    )
    return [token if len(token) <= 24 else token[:23] + "\u2026" for token in visible]
