"""Which words drove a prediction: integrated gradients, and attention to compare them with.

Support code; `helpers.analysis.faithfulness` measures how good such scores are. A score belongs to a token,
`[CLS]` and `[SEP]` included; `in_words` adds up the pieces of a word. Left out: pairs of texts, and methods
that train a second model to explain the first.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch, Rectangle

from helpers.classification import BertForClassification
from helpers.encoder import evaluating
from helpers.wordpiece import Encoding, WordPieceTokenizer

__all__ = [
    "Attribution",
    "attention_scores",
    "class_evidence",
    "draw_attribution",
    "encode_words",
    "in_words",
    "integrated_gradients",
    "random_scores",
    "word_numbers",
]

FOR, AGAINST, UNSIGNED = "#6aaed6", "#f0b35a", "#b4b2ac"  # light enough for black words
FONT, NAMES = "DejaVu Sans Mono", 22  # columns for the names of the methods


class Attribution(NamedTuple):
    """A score for every token; the last two fields are None for methods that have no sign (attention)."""

    tokens: list[str]
    scores: np.ndarray  # (T,)
    target: int  # the class in question
    total: float | None = None  # output(text) - output(baseline)
    completeness_gap: float | None = None  # sum of the scores - total


@contextmanager
def _token_vectors(model: BertForClassification, vectors: torch.Tensor) -> Iterator[None]:
    """The model gets these vectors (B, T, H) in place of its tokens' embeddings."""
    handle = model.bert.embeddings.token.register_forward_hook(lambda *_: vectors)
    try:
        yield
    finally:
        handle.remove()


def encode_words(tokenizer: WordPieceTokenizer, text: str, max_length: int) -> Encoding:
    """`tokenizer.encode`, with a ValueError for a text without words."""
    encoding = tokenizer.encode(text, max_length=max_length)
    if len(encoding.ids) < 3:
        raise ValueError(f"the text {text!r} has no words to score: give a text with at least one")
    return encoding


def _target(logits: torch.Tensor, target: int | None) -> int:
    """The class asked for, or the predicted one, for logits (C,)."""
    classes = len(logits)
    if classes < 2:
        raise ValueError(f"the model has {classes} class, and nothing speaks against it: it needs at least 2")
    if target is None:
        return int(logits.argmax())
    if target not in range(classes):
        raise ValueError(f"the target must be a class, 0 to {classes - 1}, not {target!r}")
    return int(target)


def class_evidence(logits: torch.Tensor, target: int) -> torch.Tensor:
    """The target's logit minus the mean of the others: (B, C) -> (B,).

    Not the logit alone: what is added to all logits alike changes no probability, so it explains nothing.
    """
    others = (logits.sum(dim=1) - logits[:, target]) / (logits.shape[1] - 1)
    return logits[:, target] - others


def _logits_of_vectors(model, ids: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """ids (1, T), token vectors (B, T, H) -> logits (B, C)."""
    with _token_vectors(model, vectors):
        return model(ids.expand(len(vectors), -1))


def _ends_of_path(model, encoding: Encoding, baseline_id: int) -> tuple[torch.Tensor, ...]:
    """The text's ids (1, T), and the token vectors of the baseline and of the text, each (T, H)."""
    table = model.bert.embeddings.token.weight
    ids = torch.tensor([encoding.ids], device=table.device)
    start_ids = ids[0].clone()
    start_ids[1:-1] = baseline_id
    return ids, table[start_ids], table[ids[0]]


def _mean_slope(model, ids, start: torch.Tensor, way: torch.Tensor, target: int, steps: int, rows: int):
    """The gradient of the evidence, (T, H), averaged on start + share * way by Gauss-Legendre."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)  # on -1..1, weights that add up to 2
    shares, weights = (start.new_tensor(values)[:, None, None] for values in ((nodes + 1) / 2, weights / 2))
    slope = torch.zeros_like(start)
    for first in range(0, steps, rows):
        points = (start + shares[first : first + rows] * way).requires_grad_()
        with torch.enable_grad():
            evidence = class_evidence(_logits_of_vectors(model, ids, points), target).sum()
            (slopes,) = torch.autograd.grad(evidence, points)  # of the points alone, not of the weights
        slope += (weights[first : first + rows] * slopes).sum(dim=0)
    return slope


@torch.no_grad()
def integrated_gradients(
    model: BertForClassification, tokenizer: WordPieceTokenizer, text: str, target: int | None = None,
    steps: int = 32, baseline: str = "[PAD]", max_length: int = 128, rows: int = 32,
) -> Attribution:  # fmt: skip
    """What every token adds to the evidence for the target (default: the predicted class) over a baseline.

    The straight path in token embeddings goes from a text whose words are all `baseline` ("[PAD]", visible,
    or "[MASK]") to the text; `[CLS]`, `[SEP]` and positions stay. A score is summed over H; they add up
    to `total`, but for the error of `steps` nodes, of which `rows` are computed at a time. Sundararajan, Taly
    and Yan 2017, sections 3 and 5. ValueError: no words, unknown target or baseline.
    """
    if baseline not in ("[PAD]", "[MASK]") or steps < 1 or rows < 1:
        raise ValueError(f"baseline must be [PAD] or [MASK], not {baseline!r}; steps and rows at least 1")
    encoding = encode_words(tokenizer, text, max_length)
    ids, start, end = _ends_of_path(model, encoding, tokenizer.id_of[baseline])
    with evaluating(model):
        logits = _logits_of_vectors(model, ids, torch.stack([end, start]))
        target = _target(logits[0], target)
        slope = _mean_slope(model, ids, start, end - start, target, steps, rows)
    scores = ((end - start) * slope).sum(dim=1).double().cpu().numpy()
    with_text, without = class_evidence(logits, target).tolist()
    total = with_text - without
    return Attribution(encoding.tokens, scores, target, total, float(scores.sum()) - total)


@torch.no_grad()
def attention_scores(
    model: BertForClassification, tokenizer: WordPieceTokenizer, text: str, rollout: bool = False,
    max_length: int = 128,
) -> Attribution:  # fmt: skip
    """The attention that `[CLS]` gives to each token, which adds up to 1, as the mean over a layer's heads.

    Of the last layer; rollout=True: through all layers, each half attention and half residual connection
    (Abnar and Zuidema 2020, section 3). It has no sign and no class. ValueError for a text without words.
    """
    encoding = encode_words(tokenizer, text, max_length)
    ids = torch.tensor([encoding.ids], device=model.bert.embeddings.token.weight.device)
    with evaluating(model):
        target = _target(model(ids)[0], None)
        layers = [layer[0].mean(dim=0) for layer in model.bert(ids, output_attentions=True).attentions]
    looks = layers[-1]  # (T, T): row = who looks
    if rollout:
        looks = torch.eye(len(looks), device=looks.device)
        for layer in layers:
            looks = (layer @ looks + looks) / 2
    return Attribution(encoding.tokens, looks[0].double().cpu().numpy(), target)


def random_scores(
    model: BertForClassification,
    tokenizer: WordPieceTokenizer,
    text: str,
    seed: int = 0,
    max_length: int = 128,
) -> Attribution:
    """Scores drawn at random, other ones for other texts: the baseline that an explanation has to beat."""
    encoding = encode_words(tokenizer, text, max_length)
    dice = np.random.default_rng([seed, zlib.crc32(text.encode())])
    with evaluating(model), torch.no_grad():
        ids = torch.tensor([encoding.ids], device=model.bert.embeddings.token.weight.device)
        target = _target(model(ids)[0], None)
    return Attribution(encoding.tokens, dice.random(len(encoding.ids)), target)


def word_numbers(tokens: Sequence[str]) -> np.ndarray:
    """The number of the word that each token belongs to, from 0 for `[CLS]`."""
    return np.cumsum([not token.startswith("##") for token in tokens]) - 1


def in_words(attribution: Attribution) -> Attribution:
    """The same with pieces joined to words, the scores of a word's pieces added."""
    words = " ".join(attribution.tokens).replace(" ##", "").split(" ")
    scores = np.bincount(word_numbers(attribution.tokens), weights=attribution.scores)
    return attribution._replace(tokens=words, scores=scores)


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
