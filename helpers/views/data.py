"""What the attention views show: tokens, attention, queries and keys of one text, from any BERT.

Ours and the Transformers library's models are read while they run: the attention is what the model itself
returns, queries and keys are what its projection layers put out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from helpers.checkpoints import uncompiled
from helpers.encoder import evaluating
from helpers.pretraining import check_tokenizer
from helpers.wordpiece import read_in_order

# What one page draws without keeping the reader waiting: 12 layers x 12 heads x 45 tokens x 45 tokens.
MAX_WEIGHTS = 300_000
# Queries and keys: 3 layers x 12 heads x 40 tokens x 64 numbers, twice.
MAX_VECTOR_NUMBERS = 200_000


@dataclass(frozen=True)
class Reading:
    """The attention of one text, and whose it is.

    tokens: T strings. attention (L, A, T, T), rows look at columns. queries, keys (L, A, T, D) or None.
    layers, heads: the model's own numbers of the L layers and A heads. second: where the second text
    begins, or None.
    """

    tokens: list[str]
    attention: np.ndarray
    layers: list[int]
    heads: list[int]
    second: int | None = None
    queries: np.ndarray | None = None
    keys: np.ndarray | None = None

    def choose(self, layers: Sequence[int] | int | None, heads: Sequence[int] | int | None) -> "Reading":
        """The same for some layers and heads; None keeps all. Raises ValueError for one that is not there."""
        rows = _chosen("layers", layers, len(self.layers))
        columns = _chosen("heads", heads, len(self.heads))
        parts = {
            name: None if (values := getattr(self, name)) is None else values[rows][:, columns]
            for name in ("attention", "queries", "keys")
        }
        return replace(self, layers=rows, heads=columns, **parts)


def read_model(
    model: nn.Module, tokenizer, text: str, pair: str | None = None, vectors: bool = False
) -> Reading:
    """Run `model` on a text or a pair; `vectors`: keep queries and keys as well.

    model: ours (`Bert`, or a model with one inside) or a BERT of the Transformers library; tokenizer: ours or
    the library's. The model is left as it was. Raises TypeError for another kind of model, ValueError for a
    text that is no string, has more tokens than the model has positions, or is of another tokenizer.
    """
    ids, types, tokens, second = _encode(tokenizer, text, pair)
    encoder = getattr(model, "bert", model)
    projections, heads, call = _parts(encoder, type(model).__name__)
    if call is _run_ours:
        check_tokenizer(_in_our_form(tokenizer), encoder.config)
    else:
        _check_ids(ids, encoder.config)
    device = next(encoder.parameters()).device
    inputs = [torch.tensor([row], device=device) for row in (ids, types)]
    with torch.no_grad(), evaluating(model), _outputs_of(projections if vectors else []) as outputs:
        with uncompiled():  # hooks, and the library's choice of attention
            attentions = call(encoder, *inputs)
    attention = torch.cat(list(attentions)).float().cpu().numpy()  # (L, A, T, T)
    queries, keys = (_by_head(values, heads) for values in outputs) if vectors else (None, None)
    count = range(len(attention)), range(heads)
    return Reading(tokens, attention, list(count[0]), list(count[1]), second, queries, keys)


def read_arrays(attention, tokens: Sequence[str], queries=None, keys=None) -> Reading:
    """The same from numbers: attention (L, A, T, T) or a list of (1, A, T, T), queries and keys (L, A, T, D).

    Raises ValueError where shapes do not fit or weights lie outside of 0 to 1.
    """
    tokens = list(read_in_order(tokens, "the tokens"))
    if not tokens or not all(isinstance(token, str) for token in tokens):
        raise ValueError("tokens must be a list of strings, one for each position.")
    weights = _stacked(attention)
    if weights.ndim != 4 or weights.shape[2:] != (len(tokens), len(tokens)) or 0 in weights.shape:
        raise ValueError(
            f"attention must be (layers, heads, {len(tokens)}, {len(tokens)}) for {len(tokens)} tokens, or a "
            f"list of (1, heads, {len(tokens)}, {len(tokens)}); it is {weights.shape}."
        )
    if not (weights.min() >= 0 and weights.max() <= 1 + 1e-5):  # NaN fails, too
        raise ValueError(
            "attention weights must lie between 0 and 1: give them as they are after the softmax."
        )
    count = [list(range(size)) for size in weights.shape[:2]]
    vectors = [None if values is None else _stacked(values) for values in (queries, keys)]
    for name, values in zip(("queries", "keys"), vectors, strict=True):
        if values is not None and (values.shape[:3] != weights.shape[:3] or not np.isfinite(values).all()):
            raise ValueError(f"{name} must be finite and {weights.shape[:3]} + (D,), not {values.shape}.")
    return Reading(tokens, weights, *count, None, *vectors)


def check_size(reading: Reading, vectors: bool = False) -> None:
    """Raise ValueError for what a page can't draw in reasonable time; the message names the ways out."""
    layers, heads, length = reading.attention.shape[:3]
    shape, limit, what = f"{length} x {length}", MAX_WEIGHTS, "weights"
    count = reading.attention.size
    if vectors and 2 * reading.queries.size > MAX_VECTOR_NUMBERS:
        count, limit, what = 2 * reading.queries.size, MAX_VECTOR_NUMBERS, "numbers in queries and keys"
        shape = f"{length} x {reading.queries.shape[-1]} x 2"
    if count > limit:
        raise ValueError(
            f"{layers} layers x {heads} heads x {shape} are {count:,} {what}, and a view draws at most "
            f"{limit:,}: choose with layers= and heads= (for example layers=[0], heads=[0, 1]), or give "
            f"a text shorter than these {length} tokens."
        )


def _chosen(name: str, wanted: Sequence[int] | int | None, size: int) -> list[int]:
    if wanted is None:
        return list(range(size))
    numbers = list(wanted) if isinstance(wanted, Iterable) else [wanted]
    if not numbers or len(set(numbers)) != len(numbers) or not set(numbers) <= set(range(size)):
        raise ValueError(f"{name}={wanted!r} must name some of 0 to {size - 1}, each once.")
    return [int(number) for number in numbers]


def _stacked(values) -> np.ndarray:
    """An array, a tensor, or a list of either with a leading 1 for the batch, as one array of floats."""
    if values is None or isinstance(values, (list, tuple)) and any(value is None for value in values):
        raise ValueError(
            "attention is None: the library's fused attention keeps no weights. Load the model with "
            'attn_implementation="eager", and run it with output_attentions=True.'
        )
    if isinstance(values, (list, tuple)):
        layers = [_stacked(value) for value in values]
        layers = [layer[0] if layer.ndim == 4 and len(layer) == 1 else layer for layer in layers]
        if not layers or len({layer.shape for layer in layers}) > 1:
            raise ValueError("there must be at least one layer, and all of the same shape.")
        return np.stack(layers)
    if isinstance(values, torch.Tensor):
        values = values.detach().float().cpu()
    if np.ma.is_masked(values):
        raise ValueError("some numbers are masked, that is, missing: give all of them.")
    return np.asarray(values, dtype=np.float32)


def _encode(tokenizer, text: str, pair: str | None) -> tuple[list[int], list[int], list[str], int | None]:
    """ids, segments, tokens, and where the second text begins."""
    if not isinstance(text, str) or not isinstance(pair, str | None):
        raise ValueError(f"give text and pair as strings, not {type(text).__name__}, {type(pair).__name__}.")
    if hasattr(tokenizer, "convert_ids_to_tokens"):  # the library's
        encoded = tokenizer(text, pair)
        ids = list(encoded["input_ids"])
        types = list(encoded.get("token_type_ids") or [0] * len(ids))
        tokens = tokenizer.convert_ids_to_tokens(ids)
    else:
        encoded = tokenizer.encode(text, pair)
        ids, types, tokens = list(encoded.ids), list(encoded.type_ids), list(encoded.tokens)
    return ids, types, tokens, types.index(1) if pair is not None and 1 in types else None


def _in_our_form(tokenizer):
    """What `check_tokenizer` asks of a tokenizer, for the library's as well."""
    if not hasattr(tokenizer, "convert_ids_to_tokens"):
        return tokenizer
    return SimpleNamespace(vocabulary=tokenizer.get_vocab(), id_of={"[PAD]": tokenizer.pad_token_id})


def _check_ids(ids: list[int], config) -> None:
    """What our encoder refuses, for the library's, which fails with an IndexError."""
    if len(ids) > config.max_position_embeddings:
        raise ValueError(
            f"{len(ids)} tokens, but the model has only {config.max_position_embeddings} positions: give a "
            "shorter text"
        )
    if max(ids) >= config.vocab_size:
        raise ValueError(
            f"id {max(ids)} is no entry of a model with {config.vocab_size}: give the model's own tokenizer"
        )


def _parts(encoder: nn.Module, name: str) -> tuple[list[tuple[nn.Module, nn.Module]], int, Callable]:
    """The query and the key layer of each layer, the number of heads, and how to run it; TypeError."""
    try:
        if hasattr(encoder, "layers"):
            attentions = [layer.attention for layer in encoder.layers]
            heads, call = attentions[0].num_heads, _run_ours
        else:
            attentions = [layer.attention.self for layer in encoder.encoder.layer]
            heads, call = encoder.config.num_attention_heads, _run_library
        return [(attention.query, attention.key) for attention in attentions], heads, call
    except (AttributeError, IndexError, TypeError):
        raise TypeError(
            f"{name} is no BERT that can be read: give the course's Bert or a model with one inside, or a "
            "BertModel or BertFor... of the Transformers library."
        ) from None


def _run_ours(encoder: nn.Module, ids: torch.Tensor, types: torch.Tensor):
    return encoder(ids, types, output_attentions=True).attentions


def _run_library(encoder: nn.Module, ids: torch.Tensor, types: torch.Tensor):
    """The library's fused attention keeps no weights: run its plain one, then put the choice back."""
    before = encoder.config._attn_implementation
    try:
        encoder.set_attn_implementation("eager")
        return encoder(input_ids=ids, token_type_ids=types, output_attentions=True).attentions
    finally:
        encoder.set_attn_implementation(before)


def _by_head(outputs: list[torch.Tensor], heads: int) -> np.ndarray:
    """L of (1, T, H) -> (L, A, T, D)."""
    values = torch.cat(outputs).unflatten(2, (heads, -1)).transpose(1, 2)
    return values.float().cpu().numpy()


@contextmanager
def _outputs_of(projections: list[tuple[nn.Module, nn.Module]]) -> Iterator[tuple[list, list]]:
    """Two lists that fill while the model runs: what the query and the key layers put out."""
    outputs = [], []
    hooks = [
        layer.register_forward_hook(lambda _, __, output, kept=kept: kept.append(output))
        for pair in projections
        for layer, kept in zip(pair, outputs, strict=True)
    ]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()
