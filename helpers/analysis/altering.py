"""Attention changed while a model runs: heads switched off, probabilities replaced by others.

Support code for notebook 10, for any model of ours. Left out: removing heads for good (pruning).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from operator import index

import torch

from helpers.attention import join_heads, split_heads
from helpers.checkpoints import Model, encoder_of, uncompiled

__all__ = ["altered_attention", "heads_off"]


@contextmanager
def heads_off(model: Model, off: Iterable[tuple[int, int]]) -> Iterator[None]:
    """While open, nothing that these heads found, given as (layer, head), reaches the hidden state.

    Michel, Levy and Neubig 2019, section 2.3. The weights stay as they are. A compiled model runs uncompiled
    meanwhile. ValueError for a head that the model does not have, and for what are no pairs.
    """
    bert = encoder_of(model)
    by_layer: dict[int, list[int]] = {}
    for layer, head in _pairs(off):
        if not (0 <= layer < len(bert.layers) and 0 <= head < bert.config.num_heads):
            raise ValueError(
                f"there is no head {head} in a layer {layer}: the model has {len(bert.layers)} layers of "
                f"{bert.config.num_heads} heads, each counted from 0"
            )
        by_layer.setdefault(layer, []).append(head)
    size = bert.config.hidden_size // bert.config.num_heads
    with uncompiled(), ExitStack() as hooks:
        for layer, heads in by_layer.items():
            kept = torch.ones(bert.config.num_heads).index_fill(0, torch.tensor(heads), 0.0)
            kept = kept.repeat_interleave(size)  # (H,): the heads stand side by side, D numbers each
            output = bert.layers[layer].attention.output
            hook = output.register_forward_pre_hook(lambda _, args, kept=kept: args[0] * kept.to(args[0]))
            hooks.callback(hook.remove)
        yield


def _pairs(off: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    try:
        return [(index(layer), index(head)) for layer, head in off]
    except (TypeError, ValueError):
        raise ValueError(
            f"heads are given as pairs of whole numbers, (layer, head), such as [(0, 1)], not as {off!r}"
        ) from None


@contextmanager
def altered_attention(model: Model, alter: Callable[[torch.Tensor, int], torch.Tensor]) -> Iterator[None]:
    """While open, every layer uses alter(probabilities (B, A, T, T), layer) in the place of its own.

    What `alter` gives is used in the model's precision; a compiled model runs uncompiled meanwhile. Without
    dropout, so for evaluation only: RuntimeError in training mode.
    """

    def replace(attention, inputs: tuple, output: tuple, layer: int) -> tuple:
        if attention.training:
            raise RuntimeError("attention is altered in evaluation mode only: call model.eval() first")
        hidden, mask, *_ = inputs
        _, probabilities = attention.forward(hidden, mask, True)
        values = split_heads(attention.value(hidden), attention.num_heads)  # (B, A, T, D)
        probabilities = alter(probabilities, layer).to(values.dtype)  # may be computed in another precision
        context = probabilities @ values
        return attention.output(join_heads(context)), probabilities

    with uncompiled(), ExitStack() as hooks:
        for number, layer in enumerate(encoder_of(model).layers):
            hook = layer.attention.register_forward_hook(
                lambda module, inputs, output, number=number: replace(module, inputs, output, number)
            )
            hooks.callback(hook.remove)
        yield
