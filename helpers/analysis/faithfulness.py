"""How faithful an explanation is: what happens to a prediction without its top words, or with only these.

Support code. Scores come from `helpers.analysis.attribution`, or from anywhere else, one for each token.
Left out: comparison with the words that people marked, which needs marked texts.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from helpers.analysis.arrays import as_array
from helpers.analysis.attribution import Attribution, encode_words, word_numbers
from helpers.analysis.batches import in_batches
from helpers.checkpoints import encoder_of
from helpers.classification import BertForClassification
from helpers.pretraining import check_tokenizer
from helpers.wordpiece import Encoding, WordPieceTokenizer, check_text, check_texts, read_in_order

__all__ = ["TOP_SHARES", "Faithfulness", "faithfulness", "faithfulness_of_each", "mean_faithfulness"]

TOP_SHARES = (0.1, 0.2, 0.5)  # of the words, the top ones


class Faithfulness(NamedTuple):
    """Drops in the predicted class's probability; a good order has a high first and a low second one."""

    comprehensiveness: float  # when the top words are removed
    sufficiency: float  # when only the top words are kept


def _erased(encoding: Encoding, scores: Sequence[float], shares: Sequence[float]) -> list[list[int]]:
    """The ids of the text, then without its top words for each share, then with only those."""
    if len(scores) != len(encoding.tokens):
        raise ValueError(f"{len(scores)} scores for {len(encoding.tokens)} tokens: give one for each token")
    scores = as_array(scores).astype(float)
    if not np.isfinite(scores).all():
        raise ValueError("some scores are not finite numbers: they put the words in no order")
    numbers = word_numbers(encoding.tokens)
    last = numbers[-1]  # [SEP]
    of_words = np.bincount(numbers, weights=scores)[1:last]
    order = 1 + np.argsort(-of_words, kind="stable")  # ties: the earlier word first
    tops = [order[: max(1, round(share * len(order)))] for share in shares]
    removed = [~np.isin(numbers, top) for top in tops]
    kept = [np.isin(numbers, [0, last, *top]) for top in tops]
    ids = np.array(encoding.ids)
    return [encoding.ids, *(ids[keep].tolist() for keep in (*removed, *kept))]


def _probabilities(model: BertForClassification, rows: list[list[int]], pad_id: int) -> torch.Tensor:
    """Probabilities (N, C) for rows of ids."""
    encodings = [Encoding(ids, [0] * len(ids), [1] * len(ids), [], []) for ids in rows]

    def compute(batch: dict[str, torch.Tensor]) -> torch.Tensor:
        logits = model(**batch)
        return logits.to(torch.promote_types(logits.dtype, torch.float32)).softmax(dim=-1)

    return in_batches(model, encodings, pad_id, compute)


def faithfulness_of_each(
    model: BertForClassification, tokenizer: WordPieceTokenizer, texts: Sequence[str],
    scores: Sequence[Sequence[float]], shares: Sequence[float] = TOP_SHARES, max_length: int = 128,
) -> list[Faithfulness]:  # fmt: skip
    """Comprehensiveness and sufficiency of every text, the mean over `shares` of its words.

    scores: one per token, [CLS] and [SEP] included, which stay; the higher, the more a word speaks for the
    predicted class. Words are deleted, as in DeYoung et al. 2020 (ERASER, section 4.2), and whole: [MASK] in
    their place would favor the method whose baseline is [MASK]. A share is rounded, to one word at least.
    ValueError: no texts, or what is none, unequal numbers, scores that are not finite, shares outside 0..1,
    another model's tokenizer.
    """
    check_tokenizer(tokenizer, encoder_of(model).config)
    texts = list(check_texts(texts))
    scores, shares = list(read_in_order(scores, "the scores")), list(shares)
    if not texts or len(texts) != len(scores):
        raise ValueError(f"{len(texts)} texts and {len(scores)} score lists: give one list for each text")
    if len(shares) == 0 or not all(0 < share <= 1 for share in shares):
        raise ValueError(f"shares must lie above 0 and not above 1, not {tuple(shares)}")
    rows = []
    for text, values in zip(texts, scores, strict=True):
        rows += _erased(encode_words(tokenizer, text, max_length), values, shares)
    found = _probabilities(model, rows, tokenizer.id_of["[PAD]"]).unflatten(
        0, (len(texts), -1)
    )  # (N, 1+2S, C)
    predicted = found[:, 0].argmax(dim=-1)[:, None, None].expand(-1, found.shape[1], 1)
    confidence = found.gather(2, predicted).squeeze(2).double()  # (N, 1 + 2S)
    drops = (confidence[:, :1] - confidence[:, 1:]).unflatten(1, (2, -1)).mean(dim=2)  # (N, 2)
    return [Faithfulness(*row) for row in drops.tolist()]


def faithfulness(
    model: BertForClassification, tokenizer: WordPieceTokenizer, text: str, scores: Sequence[float],
    shares: Sequence[float] = TOP_SHARES, max_length: int = 128,
) -> Faithfulness:  # fmt: skip
    """`faithfulness_of_each` for one text and its scores (T,)."""
    check_text(text)
    return faithfulness_of_each(model, tokenizer, [text], [scores], shares, max_length)[0]


def mean_faithfulness(
    model: BertForClassification, tokenizer: WordPieceTokenizer, texts: Sequence[str],
    method: Callable[..., Attribution], shares: Sequence[float] = TOP_SHARES, max_length: int = 128,
) -> Faithfulness:  # fmt: skip
    """The mean over texts for a method such as `integrated_gradients`, `attention_scores`, `random_scores`.

    method(model, tokenizer, text, max_length=…) explains the predicted class; options by functools.partial.
    """
    check_tokenizer(tokenizer, encoder_of(model).config)
    texts = list(check_texts(texts))
    scores = [method(model, tokenizer, text, max_length=max_length).scores for text in texts]
    each = faithfulness_of_each(model, tokenizer, texts, scores, shares, max_length)
    return Faithfulness(*np.mean(each, axis=0).tolist())
