"""Compression: a trained classifier with smaller matrices, with thin ones beside them, or with 8-bit numbers.

    pruning        heads and units of least importance are taken out of the matrices
    LoRA           a large matrix is changed through two thin ones
    quantization   products of 8-bit whole numbers

Left out: pruning of single weights, training with quantized weights.
"""

import copy
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from helpers.attention import MultiHeadSelfAttention
from helpers.classification import BertForClassification
from helpers.encoder import FeedForward, evaluating
from helpers.wordpiece import check_number

__all__ = [
    "gates",
    "importance",
    "smaller_linear",
    "prune_heads",
    "prune_units",
    "most_important",
    "prune",
    "LoraLinear",
    "add_lora",
    "merge_lora",
    "Quantized",
    "quantize",
    "dequantize",
    "QuantizedLinear",
    "nearest_rank",
]


@contextmanager
def gates(model: BertForClassification) -> Iterator[list[torch.Tensor]]:
    """While open, each head and each unit has a gate, a factor of 1, made anew for every batch.

    The list is filled by a forward pass: for each layer the gates of its heads (B, 1, A), then those of its
    units (B, 1, 4H).
    """
    made: list[torch.Tensor] = []

    def gated(module: nn.Module, args: tuple, parts: int) -> torch.Tensor:
        values = args[0]  # (B, T, A * D) or (B, T, 4H)
        made.append(torch.ones(len(values), 1, parts, device=values.device, requires_grad=True))
        return values * made[-1].repeat_interleave(values.shape[-1] // parts, dim=-1)

    with ExitStack() as hooks:
        for layer in model.bert.layers:
            attention, narrow = layer.attention, layer.feed_forward.narrow
            for place, parts in ((attention.output, attention.num_heads), (narrow, narrow.in_features)):
                hook = place.register_forward_pre_hook(partial(gated, parts=parts))
                hooks.callback(hook.remove)
        yield made


def importance(
    model: BertForClassification, batches: Iterable[tuple[dict[str, torch.Tensor], torch.Tensor]]
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """How much each head (A,) and each unit (4H,) of every layer matters to the loss: two lists of L tensors.

    The mean over the texts of |∂ loss / ∂ gate|, a first-order estimate of what removing it would change
    (Michel, Levy and Neubig 2019, section 4.1; Molchanov et al. 2017, section 2.2). batches: as
    `labelled_batches` gives them.
    """
    totals, texts = None, 0
    with evaluating(model), gates(model) as made:
        for batch, labels in batches:
            made.clear()
            loss = functional.cross_entropy(model(**batch), labels, reduction="sum")  # a gate is of one text
            found = [each.abs().sum(dim=(0, 1)) for each in torch.autograd.grad(loss, made)]
            totals = found if totals is None else [a + b for a, b in zip(totals, found, strict=True)]
            texts += len(labels)
    if not texts:
        raise ValueError("there are no texts to measure the importance on: give at least one batch")
    means = [total / texts for total in totals]
    return means[0::2], means[1::2]


def smaller_linear(
    linear: nn.Linear, outputs: torch.Tensor | None = None, inputs: torch.Tensor | None = None
) -> nn.Linear:
    """A new linear layer with only these places of a layer's outputs, or of its inputs; None: all."""
    weight, bias = linear.weight.detach(), linear.bias.detach()
    if outputs is not None:
        weight, bias = weight[outputs], bias[outputs]
    if inputs is not None:
        weight = weight[:, inputs]
    smaller = nn.Linear(weight.shape[1], weight.shape[0]).to(weight)
    smaller.load_state_dict({"weight": weight, "bias": bias})
    return smaller


def prune_heads(attention: MultiHeadSelfAttention, kept: Sequence[int]) -> MultiHeadSelfAttention:
    """The same attention with only these heads, numbers from 0: smaller matrices, (B, T, H) -> (B, T, H).

    Michel, Levy and Neubig 2019, section 2. Raises ValueError where no head would be left.
    """
    if not len(kept):
        raise ValueError("no head would be left: keep at least one in each layer")
    size = attention.query.out_features // attention.num_heads  # D
    places = torch.cat([torch.arange(head * size, (head + 1) * size) for head in kept])
    smaller = copy.deepcopy(attention)
    smaller.num_heads = len(kept)
    for name in ("query", "key", "value"):  # a head's own D rows of the three
        setattr(smaller, name, smaller_linear(getattr(attention, name), outputs=places))
    smaller.output = smaller_linear(attention.output, inputs=places)  # and its D columns of the fourth
    return smaller


def prune_units(feed_forward: FeedForward, kept: Sequence[int]) -> FeedForward:
    """The same block with only these of the units between its two layers: (B, T, H) -> (B, T, H)."""
    if not len(kept):
        raise ValueError("no unit would be left: keep at least one in each layer")
    places = torch.as_tensor(kept)
    smaller = copy.deepcopy(feed_forward)
    smaller.widen = smaller_linear(feed_forward.widen, outputs=places)
    smaller.narrow = smaller_linear(feed_forward.narrow, inputs=places)
    return smaller


def most_important(importances: Sequence[torch.Tensor], share: float) -> list[list[int]]:
    """The numbers to keep in each layer: a `share` of all, those of most importance, one or more of a layer.

    importances: one tensor for each layer. Compared are all layers together.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"the share to keep lies from 0 to 1, not {share}")
    together = torch.cat(list(importances))
    count = max(1, round(share * len(together)))
    least = together.sort(descending=True).values[count - 1]
    return [torch.nonzero((each >= least) | (each == each.max())).flatten().tolist() for each in importances]


def prune(
    model: BertForClassification, heads: Sequence[Sequence[int]], units: Sequence[Sequence[int]]
) -> BertForClassification:
    """A copy of a classifier with only these heads and units of each layer; its `config` is the old one."""
    smaller = copy.deepcopy(model)
    for layer, kept_heads, kept_units in zip(smaller.bert.layers, heads, units, strict=True):
        layer.attention = prune_heads(layer.attention, kept_heads)
        layer.feed_forward = prune_units(layer.feed_forward, kept_units)
    return smaller


class LoraLinear(nn.Module):
    """A linear layer that stays as it is, and beside it two thin matrices that learn: (..., N) -> (..., M).

    down (r, N) is drawn at random, up (M, r) begins at zero; what they add counts alpha / r (Hu et al. 2021,
    section 4.1, where they are called A and B).
    """

    def __init__(self, linear: nn.Linear, rank: int = 8, alpha: float = 16.0):
        super().__init__()
        check_number("rank", rank, 1, whole=True)
        self.linear = linear.requires_grad_(False)
        self.down = nn.Parameter(torch.empty(rank, linear.in_features).to(linear.weight))
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank).to(linear.weight))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))  # as the authors' code does
        self.scale = alpha / rank

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.linear(hidden) + self.scale * (hidden @ self.down.T @ self.up.T)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """One linear layer that gives the same, with nothing beside it."""
        merged = copy.deepcopy(self.linear)
        merged.weight += self.scale * self.up @ self.down
        return merged


def add_lora(
    model: BertForClassification, rank: int = 8, alpha: float = 16, names: Sequence[str] = ("query", "value")
) -> BertForClassification:
    """Freeze the encoder and put a `LoraLinear` in the place of these layers of each attention; the model."""
    model.bert.requires_grad_(False)
    for layer in model.bert.layers:
        for name in names:
            setattr(layer.attention, name, LoraLinear(getattr(layer.attention, name), rank, alpha))
    return model


def merge_lora(model: BertForClassification) -> BertForClassification:
    """Put plain linear layers in the place of every `LoraLinear`; the model, as large and fast as before."""
    for part in model.modules():
        for name, child in part.named_children():
            if isinstance(child, LoraLinear):
                setattr(part, name, child.merged())
    return model


class Quantized(NamedTuple):
    """A matrix in whole numbers: (values - zero_point) * scale is what they stand for."""

    values: torch.Tensor  # int8, as large as the matrix
    scale: torch.Tensor  # of one step: a number, or (rows, 1)
    zero_point: torch.Tensor  # the whole number that stands for 0


def quantize(numbers: torch.Tensor, symmetric: bool = False, by_row: bool = False) -> Quantized:
    """Numbers (rows, columns) in 8 bits, -128 to 127 (Jacob et al. 2018, section 2.1).

    The step is chosen so that the smallest and the largest number just fit, 0 among them. symmetric: the
    zero point is 0, and -127 to 127 are used. by_row: every row has a scale of its own.
    """
    low, high = (numbers.amin(1, True), numbers.amax(1, True)) if by_row else numbers.aminmax()
    low, high = low.clamp(max=0.0), high.clamp(min=0.0)  # 0 must be exact: padding and ReLU give it
    if symmetric:
        scale, zero_point = torch.maximum(-low, high) / 127, torch.zeros_like(low)
    else:
        scale = (high - low) / 255
        zero_point = (-128 - low / scale.clamp(min=1e-12)).round()
    scale = scale.clamp(min=1e-12)  # of a matrix of zeros
    values = (numbers / scale).round() + zero_point
    return Quantized(values.clamp(-128, 127).to(torch.int8), scale, zero_point)


def dequantize(quantized: Quantized) -> torch.Tensor:
    """The numbers that a quantized matrix stands for."""
    return (quantized.values.float() - quantized.zero_point) * quantized.scale


class QuantizedLinear(nn.Module):
    """A linear layer whose product is of whole numbers: (N, in) -> (N, out).

    Weights have a scale for each output; the inputs are quantized when they come ("dynamic").
    """

    def __init__(self, linear: nn.Linear):
        super().__init__()
        self.weight = quantize(linear.weight.detach(), symmetric=True, by_row=True)
        self.bias = linear.bias.detach()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        given, weight = quantize(inputs), self.weight
        product = given.values.int() @ weight.values.int().T  # (N, out), whole numbers of 32 bits
        # (x - z) w = x w - z w: what the zero point added is taken away, once for each output
        product = product - given.zero_point * weight.values.int().sum(dim=1)
        return product * given.scale * weight.scale.T + self.bias


def nearest_rank(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share of them do not exceed (0.5: a median)."""
    if not 0 <= share <= 1:
        raise ValueError(f"a share of the values lies from 0 to 1, not {share}")
    if not len(values):
        raise ValueError("there are no values: measure at least one")
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]
