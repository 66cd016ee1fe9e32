"""Which words drove a prediction: integrated gradients, and attention to compare them with.

Support code; `helpers.analysis.faithfulness` measures how good such scores are. A score belongs to a token,
`[CLS]` and `[SEP]` included; `in_words` adds up the pieces of a word. Left out: pairs of texts, and methods
that train a second model to explain the first.
"""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch

from helpers.checkpoints import encoder_of, uncompiled
from helpers.classification import BertForClassification
from helpers.encoder import evaluating
from helpers.pretraining import check_tokenizer
from helpers.wordpiece import Encoding, WordPieceTokenizer, check_text

__all__ = [
    "Attribution",
    "attention_scores",
    "class_evidence",
    "encode_words",
    "in_words",
    "integrated_gradients",
    "random_scores",
    "word_numbers",
]


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
        with uncompiled():
            yield
    finally:
        handle.remove()


def encode_words(tokenizer: WordPieceTokenizer, text: str, max_length: int) -> Encoding:
    """`tokenizer.encode`, with a ValueError for what is no text, and for a text without words."""
    encoding = tokenizer.encode(check_text(text), max_length=max_length)
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
    if isinstance(target, bool) or target not in range(classes):
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
    shares, weights = (
        torch.tensor(values, device=start.device)[:, None, None] for values in ((nodes + 1) / 2, weights / 2)
    )
    slope = torch.zeros_like(start, dtype=torch.float64)  # sums of 16-bit numbers would be rounded off
    for first in range(0, steps, rows):
        points = (start + shares[first : first + rows].to(way.dtype) * way).requires_grad_()
        with torch.enable_grad():
            evidence = class_evidence(_logits_of_vectors(model, ids, points), target).sum()
            (slopes,) = torch.autograd.grad(evidence, points)  # of the points alone, not of the weights
        slope += (weights[first : first + rows] * slopes).sum(dim=0)
    return slope


@torch.inference_mode(False)  # gradients are needed, wherever it is called from
@torch.no_grad()
def integrated_gradients(
    model: BertForClassification, tokenizer: WordPieceTokenizer, text: str, target: int | None = None,
    steps: int = 32, baseline: str = "[PAD]", max_length: int = 128, rows: int = 32,
) -> Attribution:  # fmt: skip
    """What every token adds to the evidence for the target (default: the predicted class) over a baseline.

    The straight path in token embeddings goes from a text whose words are all `baseline` ("[PAD]", visible,
    or "[MASK]") to the text; `[CLS]`, `[SEP]` and positions stay. A score is summed over H; they add up
    to `total`, but for the error of `steps` nodes, of which `rows` are computed at a time. Sundararajan, Taly
    and Yan 2017, sections 3 and 5. ValueError: no words, unknown target or baseline, another
    model's tokenizer, a model made in inference mode.
    """
    check_tokenizer(tokenizer, encoder_of(model).config)
    if baseline not in ("[PAD]", "[MASK]") or steps < 1 or rows < 1:
        raise ValueError(f"baseline must be [PAD] or [MASK], not {baseline!r}; steps and rows at least 1")
    if model.bert.embeddings.token.weight.is_inference():
        raise ValueError("the model was made in torch.inference_mode, without gradients: make it outside")
    encoding = encode_words(tokenizer, text, max_length)
    ids, start, end = _ends_of_path(model, encoding, tokenizer.id_of[baseline])
    with evaluating(model):
        logits = _logits_of_vectors(model, ids, torch.stack([end, start]))
        target = _target(logits[0], target)
        slope = _mean_slope(model, ids, start, end - start, target, steps, rows)
    scores = ((end - start).double() * slope).sum(dim=1).cpu().numpy()
    with_text, without = class_evidence(logits.double(), target).tolist()
    total = with_text - without
    return Attribution(encoding.tokens, scores, target, total, float(scores.sum()) - total)


@torch.no_grad()
def attention_scores(
    model: BertForClassification, tokenizer: WordPieceTokenizer, text: str, rollout: bool = False,
    max_length: int = 128,
) -> Attribution:  # fmt: skip
    """The attention that `[CLS]` gives to each token, which adds up to 1, as the mean over a layer's heads.

    Of the last layer; rollout=True: through all layers, each half attention and half residual connection
    (Abnar and Zuidema 2020, section 3). It has no sign and no class. ValueError: no words, another
    model's tokenizer.
    """
    check_tokenizer(tokenizer, encoder_of(model).config)
    encoding = encode_words(tokenizer, text, max_length)
    ids = torch.tensor([encoding.ids], device=model.bert.embeddings.token.weight.device)
    with evaluating(model):
        target = _target(model(ids)[0], None)
        attentions = model.bert(ids, output_attentions=True).attentions
    layers = [layer[0].double().mean(dim=0) for layer in attentions]
    looks = layers[-1]  # (T, T): row = who looks
    if rollout:
        looks = torch.eye(len(looks), dtype=looks.dtype, device=looks.device)
        for layer in layers:
            looks = (layer @ looks + looks) / 2
    return Attribution(encoding.tokens, looks[0].cpu().numpy(), target)


def random_scores(
    model: BertForClassification,
    tokenizer: WordPieceTokenizer,
    text: str,
    seed: int = 0,
    max_length: int = 128,
) -> Attribution:
    """Scores drawn at random, other ones for other texts: the baseline that an explanation has to beat.

    ValueError: no words, another model's tokenizer.
    """
    check_tokenizer(tokenizer, encoder_of(model).config)
    encoding = encode_words(tokenizer, text, max_length)
    dice = np.random.default_rng([seed, zlib.crc32(text.encode(errors="surrogatepass"))])
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
