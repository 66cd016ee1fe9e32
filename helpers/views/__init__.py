"""Attention drawn by bertviz (Vig 2019): head view, model view, neuron view. Nothing is fetched to be seen.

    views.head_view(model, tokenizer, "The cat sat.")         # one layer at a time, a color for each head
    views.model_view(model, tokenizer, "The cat sat.")        # all layers and heads as thumbnails
    views.neuron_view(model, tokenizer, "The cat sat.")       # how queries meet keys
    views.head_view(attention=weights, tokens=["The", "cat"])  # (L, A, T, T), or a list of (1, A, T, T)

model and tokenizer: the course's own, or the Transformers library's BERT models and tokenizers. A view that
is the last line of a cell, or given to `display`, makes two outputs:

- the live view: an HTML page in a sandboxed frame, which may run its own scripts and nothing else (it has no
  network and no access to the notebook). JupyterLab and Notebook show it in a cell that was run or a notebook
  that is trusted; so do Colab, and pages exported by nbconvert.
- a still picture (PNG) of what the live view first shows, for GitHub, print, and notebooks not yet trusted.

    data      what is drawn: the numbers, read from a model or given
    page      the live view: bertviz's own scripts, which choose a color for each head, in page.html
    pictures  the still pictures, in the same colors
    explorer  the panel with which a notebook's reader chooses layer, head and text
    marked    words of a text set off by color, for tags (no bertviz in it)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from helpers.views import page as view_page
from helpers.views.data import Reading, check_size, read_arrays, read_model
from helpers.views.explorer import Describe, Explorer, describe_head
from helpers.views.pictures import picture

__all__ = ["View", "explorer", "head_view", "model_view", "neuron_view"]

Numbers = Sequence[int] | int | None


@dataclass(frozen=True)
class View:
    """One view of one text: live as `html`, still as `png`; a notebook shows both."""

    kind: str
    reading: Reading

    @property
    def title(self) -> str:
        """What is to be seen, in words: the frame's name and the picture's alternative text."""
        count = f"{len(self.reading.layers)} layers, {len(self.reading.heads)} heads"
        text = " ".join(self.reading.tokens)
        text = text.encode(errors="replace").decode()  # half a surrogate pair can't be written to a file
        return f"Attention, {self.kind} view ({count}): {text if len(text) <= 120 else text[:119] + '…'}"

    @cached_property
    def html(self) -> str:
        """The live view, to be put into any page."""
        return view_page.frame(self.kind, self.reading, self.title)

    @cached_property
    def png(self) -> bytes:
        """The still picture, at most 60 kB."""
        return picture(self.kind, self.reading)

    def _repr_html_(self) -> str:
        return self.html

    def _repr_png_(self) -> tuple[bytes, dict]:
        return self.png, {"alt": self.title}

    def __repr__(self) -> str:
        return f"<{self.title}>"

    def _ipython_display_(self) -> None:
        """Two outputs: of one output with both forms, most places would show the one that they can't draw."""
        from IPython.display import display

        heading = f"<p>bertviz, {self.kind} view. Below it stands a picture of the same attention.</p>"
        display({"text/html": heading + self.html, "text/plain": repr(self)}, raw=True)
        display(
            {"image/png": self.png, "text/plain": repr(self)},
            raw=True,
            metadata={"image/png": {"alt": self.title}},
        )


def head_view(
    model=None,
    tokenizer=None,
    text: str | None = None,
    pair: str | None = None,
    layers: Numbers = None,
    heads: Numbers = None,
    attention=None,
    tokens: Sequence[str] | None = None,
) -> View:
    """Lines between tokens in one layer, a color for each head; choose the layer in its menu.

    Hover over a token: its own weights alone. Click a square: that head off or on; double-click: it alone.
    Give model, tokenizer and text (and pair), or attention and tokens. layers, heads: which, default all.
    Raises ValueError where it would be too much to draw, and says how to choose less.
    """
    return _view("head", (model, tokenizer, text, pair), (attention, tokens), layers, heads)


def model_view(
    model=None,
    tokenizer=None,
    text: str | None = None,
    pair: str | None = None,
    layers: Numbers = None,
    heads: Numbers = None,
    attention=None,
    tokens: Sequence[str] | None = None,
) -> View:
    """A thumbnail for every layer (row) and head (column); click one for its lines and tokens.

    Arguments and errors as in `head_view`.
    """
    return _view("model", (model, tokenizer, text, pair), (attention, tokens), layers, heads)


def neuron_view(
    model=None,
    tokenizer=None,
    text: str | None = None,
    pair: str | None = None,
    layers: Numbers = 0,
    heads: Numbers = None,
    attention=None,
    tokens: Sequence[str] | None = None,
    queries=None,
    keys=None,
) -> View:
    """How one token's query meets all keys, number by number: hover over a token and click its plus sign.

    Arguments and errors as in `head_view`, but queries and keys take much room: the default is one layer, 0,
    and all its heads. With arrays, give queries and keys (L, A, T, D) as well.
    """
    return _view("neuron", (model, tokenizer, text, pair), (attention, tokens, queries, keys), layers, heads)


def explorer(
    models: Mapping[str, tuple], text: str = "The cat sat on the mat .", describe: Describe = describe_head
) -> Explorer:
    """A panel for typing a sentence and choosing model, layer and head, with a still picture beside it.

    models: name -> (model, tokenizer), as for `head_view`. describe: attention (T, T), tokens, the
    model's name, layer and head -> the line that tells the head's type and score; `heads.describe` makes one
    from measurements, the default compares six places of this text with even attention.
    """
    return Explorer(models, text, describe)


def _view(kind: str, from_model: tuple, arrays: tuple, layers: Numbers, heads: Numbers) -> View:
    """Read a model or arrays, choose, and refuse what is too much."""
    model, tokenizer, text, pair = from_model
    vectors = kind == "neuron"
    if arrays[0] is None and None not in (model, tokenizer, text):
        reading = read_model(model, tokenizer, text, pair, vectors)
    elif all(value is None for value in from_model) and all(value is not None for value in arrays):
        reading = read_arrays(*arrays)
    else:
        more = ", queries and keys" if vectors else ""
        raise ValueError(f"give either model, tokenizer and text, or attention and tokens{more}.")
    reading = reading.choose(layers, heads)
    check_size(reading, vectors)
    return View(kind, reading)
