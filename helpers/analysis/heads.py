"""What attention heads do: where they look, measured on many texts, and a map of their types.

Support code for notebook 10, for any model of ours. Left out: interactive pictures, and how much the words
matter for a prediction (attribution).
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from helpers.analysis.arrays import in_numpy
from helpers.checkpoints import Model, encoder_of
from helpers.encoder import Bert, evaluating
from helpers.plotting import COLOURS
from helpers.pretraining import check_tokenizer
from helpers.wordpiece import (
    Encoding,
    TruncationWarning,
    WordPieceTokenizer,
    check_text,
    pad_encodings,
    read_in_order,
)

__all__ = [
    "Measures",
    "PATTERNS",
    "Seen",
    "attentions",
    "describe",
    "draw_types",
    "head_types",
    "legend",
    "measure",
    "patterns",
]

# Where a head can look, and its letter in a map of heads.
PATTERNS = {"previous": "P", "next": "N", "same word": "S", "[SEP]": "E", "[CLS]": "C", "itself": "I"}
BROAD, OTHER = "broad", "other"
LETTERS = PATTERNS | {BROAD: "=", OTHER: "·"}
TYPE_COLOURS = dict(
    zip(LETTERS, (*COLOURS[:3], "#8f8a80", "#5b3f8c", COLOURS[3], COLOURS[4], "#ffffff"), strict=True)
)
MARKS = ("[CLS]", "[SEP]", "[PAD]")  # these ask no question that we count; [MASK] does
Text = str | tuple[str, str]


class Seen(NamedTuple):
    """A text as a model saw it."""

    tokens: list[str]  # T
    weights: np.ndarray  # (L, A, T, T): layer, head, the token that looks, the token that is looked at


def attentions(
    model: Model, tokenizer: WordPieceTokenizer, texts: Sequence[Text], max_length: int | None = None
) -> Iterator[Seen]:
    """The attention of every text (or pair of texts), in order, without padding.

    Computed in evaluation mode, 16 texts at a time; longer ones are cut to max_length tokens. Raises
    ValueError for a single string, with its row for a text that is none, and as `check_tokenizer` does.
    """
    check_tokenizer(tokenizer, encoder_of(model).config)
    pairs = [_pair(text, row) for row, text in enumerate(read_in_order(texts, "the texts"))]
    return _read_in_batches(encoder_of(model), tokenizer, pairs, max_length)


def _pair(text: Text, row: int) -> tuple[str, str | None]:
    """A text and its second one, or None."""
    name = f"the text in row {row} (from 0)"
    if not isinstance(text, tuple | list):
        return check_text(text, name), None
    if len(text) != 2:
        raise ValueError(f"{name} must be a string or a pair of two, not {len(text)} texts")
    return check_text(text[0], name), check_text(text[1], name)


def _read_in_batches(
    bert: Bert, tokenizer: WordPieceTokenizer, pairs: list[tuple[str, str | None]], max_length: int | None
) -> Iterator[Seen]:
    for start in range(0, len(pairs), 16):
        encodings = _encode(tokenizer, pairs[start : start + 16], max_length)
        for encoding, weights in zip(encodings, _weights(bert, tokenizer, encodings), strict=True):
            length = len(encoding.ids)
            yield Seen(encoding.tokens, weights[:, :, :length, :length])


@torch.no_grad()
def _weights(bert: Bert, tokenizer: WordPieceTokenizer, encodings: list[Encoding]) -> np.ndarray:
    """The attention of a batch, (B, L, A, T, T); the model's mode is changed only while it runs."""
    batch = pad_encodings(encodings, tokenizer.id_of["[PAD]"])
    inputs = {name: values.to(next(bert.parameters()).device) for name, values in batch.items()}
    with evaluating(bert):
        return in_numpy(torch.stack(bert(**inputs, output_attentions=True).attentions, dim=1))


def _encode(tokenizer: WordPieceTokenizer, pairs: list[tuple], max_length: int | None) -> list[Encoding]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)  # whoever gives a max_length wants them cut
        return [tokenizer.encode(*pair, max_length=max_length) for pair in pairs]


def patterns(tokens: Sequence[str]) -> dict[str, np.ndarray]:
    """For every pattern, which token (column) stands in that place for which word (row): (T, T) boolean.

    Rows of [CLS] and [SEP] are empty. No two patterns share a place, but for a word that is repeated at
    once; so previous, next and same word are words.
    """
    names = np.array(tokens)
    word = ~np.isin(names, MARKS)
    both = word[:, None] & word[None, :]
    own = np.eye(len(names), dtype=bool)
    found = {
        "previous": np.eye(len(names), k=-1, dtype=bool) & both,
        "next": np.eye(len(names), k=1, dtype=bool) & both,
        "same word": (names[:, None] == names[None, :]) & ~own & both,
        "[SEP]": word[:, None] & (names == "[SEP]")[None, :],
        "[CLS]": word[:, None] & (names == "[CLS]")[None, :],
        "itself": own & both,
    }
    return {name: found[name] for name in PATTERNS}


class Measures(NamedTuple):
    """What the heads of a model do on some texts; arrays are (L, A)."""

    shares: dict[str, np.ndarray]  # of the attention, by pattern: mean over the words that have such a place
    errors: dict[str, np.ndarray]  # the standard error of each share, between texts; of one text nan
    chance: dict[str, float]  # the share that even attention would give
    entropy: np.ndarray  # nats, mean over words
    uniform: float  # nats: the mean of ln T, the entropy of even attention
    words: int


def measure(
    model: Model, tokenizer: WordPieceTokenizer, texts: Sequence[Text], max_length: int | None = None
) -> Measures:
    """Where every head looks from the words of the texts, and how broadly (Clark et al. 2019, section 3).

    ValueError without texts, if a pattern occurs in none of them, and as in `attentions`.
    """
    sums = {name: [] for name in PATTERNS}
    entropies, uniform, words = 0.0, 0.0, 0
    for tokens, weights in attentions(model, tokenizer, texts, max_length):
        asks = ~np.isin(tokens, MARKS)
        logs = np.log(weights, where=weights > 0, out=np.zeros_like(weights))
        entropies = entropies - (weights * logs).sum(axis=-1)[..., asks].sum(axis=-1)
        uniform += asks.sum() * np.log(len(tokens))
        words += int(asks.sum())
        for name, mask in patterns(tokens).items():
            has = mask.any(axis=1)
            looks = (weights * mask).sum(axis=(-2, -1))  # (L, A)
            sums[name].append((looks, has.sum(), mask.sum() / len(tokens)))
    if not words:
        raise ValueError("there are no words to measure on: give at least one text")
    found = {name: _ratio(name, rows) for name, rows in sums.items()}
    shares, errors, chance = ({name: values[i] for name, values in found.items()} for i in range(3))
    return Measures(shares, errors, chance, entropies / words, float(uniform / words), words)


def _ratio(name: str, rows: list[tuple]) -> tuple[np.ndarray, np.ndarray, float]:
    """Share, its standard error between texts (of a ratio: Cochran 1977, section 2.11), and chance."""
    looks, counts, even = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    if not counts.sum():
        raise ValueError(f"no word of these texts has a place of the kind {name!r}: give other texts")
    share = looks.sum(axis=0) / counts.sum()  # (L, A)
    left = looks - share * counts[:, None, None]
    scale = len(rows) / max(len(rows) - 1, 1)
    error = np.sqrt(scale * (left**2).sum(axis=0)) / counts.sum()
    if (counts > 0).sum() < 2:  # one text says nothing of others: its deviations from itself are 0
        error = np.full_like(share, np.nan)
    return share, error, float(even.sum() / counts.sum())


def head_types(measures: Measures, least: float = 0.3, times: float = 3.0, broad: float = 0.8) -> np.ndarray:
    """The type of every head, (L, A) of names in PATTERNS, "broad" or "other".

    A head has the type of its largest share, if that (less two standard errors) is at least `least` and
    `times` chance; a share that only one text tells of is not sure enough. Otherwise it is broad where its
    entropy is at least `broad` of that of even attention.
    """
    kinds = np.where(measures.entropy >= broad * measures.uniform, BROAD, OTHER).astype(object)
    names = list(PATTERNS)
    shares = np.stack([measures.shares[name] for name in names])  # (P, L, A)
    best = shares.argmax(axis=0)
    for index, name in enumerate(names):
        surely = measures.shares[name] - 2 * measures.errors[name]
        kinds[(best == index) & (surely >= max(least, times * measures.chance[name]))] = name
    return kinds


def describe(measured: Mapping[str, Measures]) -> Callable[..., str]:
    """For `views.explorer`: tells a head's type and score, measured on many texts, and its score in this one.

    measured: the panel's model names -> `measure`.
    """
    types = {name: head_types(found) for name, found in measured.items()}

    def line(attention: np.ndarray, tokens: list[str], name: str, layer: int, head: int) -> str:
        kind, found = types[name][layer, head], measured[name]
        asks = ~np.isin(tokens, MARKS)
        if kind in PATTERNS:
            mask = patterns(tokens)[kind]
            score, what = found.shares[kind][layer, head], f"by chance {found.chance[kind]:.0%}"
            counts = int(mask.any(axis=1).sum())
            here = f"{(attention * mask).sum() / counts:.0%}" if counts else "no such place"
        else:
            score, what = found.entropy[layer, head] / found.uniform, "of the entropy of even attention"
            rows = attention[asks]
            entropy = -(rows * np.log(np.maximum(rows, 1e-12))).sum(axis=1).mean() if asks.any() else np.nan
            here = f"{entropy / np.log(len(tokens)):.0%}"
        return f"{kind}, {score:.0%} ({what}) in {found.words:,} words; in this text {here}"

    return line


def draw_types(axis: Axes, measures: Measures, kinds: np.ndarray, title: str = "") -> None:
    """A map of all heads: a colored square for each, with the letter of its type and its share in percent.

    Under = (broad) and · (other) stands the entropy, in percent of that of even attention.
    """
    layers, heads = kinds.shape
    for layer in range(layers):
        for head in range(heads):
            kind = kinds[layer, head]
            evenness = measures.entropy[layer, head] / measures.uniform
            number = measures.shares[kind][layer, head] if kind in PATTERNS else evenness
            colour = TYPE_COLOURS[kind]
            ink = "white" if sum(int(colour[i : i + 2], 16) for i in (1, 3, 5)) < 420 else "black"
            box = (head - 0.5, layer - 0.5)
            axis.add_patch(Rectangle(box, 1, 1, facecolor=colour, edgecolor="0.5", linewidth=0.6))
            axis.text(head, layer - 0.12, LETTERS[kind], ha="center", va="center", color=ink, weight="bold")
            axis.text(head, layer + 0.28, f"{number:.0%}", ha="center", va="center", color=ink, fontsize=7.5)
    axis.set(xlim=(-0.5, heads - 0.5), ylim=(layers - 0.5, -0.5), title=title, xlabel="head", ylabel="layer")
    axis.set(xticks=range(heads), yticks=range(layers), aspect="equal")


def legend() -> list[Patch]:
    """What letters and colors of such a map mean, as handles for matplotlib's legend."""
    return [
        Patch(facecolor=TYPE_COLOURS[kind], edgecolor="0.5", label=f"{letter} {kind}")
        for kind, letter in LETTERS.items()
    ]
