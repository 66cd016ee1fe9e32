"""The BERT encoder: embeddings, a stack of attention and feed-forward layers, and the pooler.

    ids -> embeddings -> [ attention, + , LayerNorm, feed-forward, + , LayerNorm ] x L -> hidden state
                                                                         first token -> pooler

Left out: decoder and cross-attention layers, pre-LayerNorm variants, relative positions.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import nn

from helpers.attention import MultiHeadSelfAttention
from helpers.embeddings import BertEmbeddings

__all__ = [
    "BertConfig",
    "FeedForward",
    "EncoderLayer",
    "BertOutput",
    "check_inputs",
    "initialize_weights",
    "Bert",
    "evaluating",
]


@dataclass(frozen=True)
class BertConfig:
    """The shape of a BERT encoder; the defaults are bert-base-uncased (Devlin et al. 2018, section 3)."""

    vocab_size: int = 30522  # V
    hidden_size: int = 768  # H
    num_layers: int = 12  # L
    num_heads: int = 12  # A
    intermediate_size: int = 3072  # the width inside the feed-forward block, 4 H
    max_positions: int = 512
    num_segments: int = 2
    dropout: float = 0.1
    norm_eps: float = 1e-12
    init_std: float | None = 0.02  # None: 1 / sqrt(inputs of the layer), better for narrow models
    # The entry [PAD], which learns nothing (None: every entry learns). It belongs to the vocabulary, not to
    # the shape, and is not printed.
    pad_token_id: int | None = field(default=0, repr=False)

    @staticmethod
    def of(model) -> "BertConfig":
        """The shape of a model's encoder; raises ValueError for a model that is none of this course."""
        config = getattr(getattr(model, "bert", model), "config", model)
        if not isinstance(config, BertConfig):
            raise ValueError(
                f"{type(model).__name__} is no model of this course: checkpoints.from_transformers makes one "
                "of a Transformers model; of a wrapped model, such as DataParallel, give model.module"
            )
        return config


class FeedForward(nn.Module):
    """Two linear layers with GELU between, applied to every token alone: (B, T, H) -> (B, T, H).

    Vaswani et al. 2017, section 3.3, with the GELU of Hendrycks and Gimpel 2016.
    """

    def __init__(self, hidden_size: int, intermediate_size: int):
        super().__init__()
        self.widen = nn.Linear(hidden_size, intermediate_size)
        self.narrow = nn.Linear(intermediate_size, hidden_size)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.narrow(nn.functional.gelu(self.widen(hidden)))  # (B, T, H) -> (B, T, 4H) -> (B, T, H)


class EncoderLayer(nn.Module):
    """Attention, then feed-forward; after each, the input is added back and the sum normalized.

    hidden (B, T, H) and mask as in `MultiHeadSelfAttention` -> hidden (B, T, H), probabilities or None.
    """

    def __init__(self, config: BertConfig):
        super().__init__()
        self.attention = MultiHeadSelfAttention(config.hidden_size, config.num_heads, config.dropout)
        self.attention_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
        self.feed_forward = FeedForward(config.hidden_size, config.intermediate_size)
        self.feed_forward_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, hidden: torch.Tensor, mask: torch.Tensor | None = None, return_probabilities: bool = False
    ):
        attended, probabilities = self.attention(hidden, mask, return_probabilities)
        hidden = self.attention_norm(hidden + self.dropout(attended))
        hidden = self.feed_forward_norm(hidden + self.dropout(self.feed_forward(hidden)))
        return hidden, probabilities


class BertOutput(NamedTuple):
    """What `Bert` returns; the last two are None unless asked for."""

    last_hidden_state: torch.Tensor  # (B, T, H)
    pooled_output: torch.Tensor  # (B, H)
    hidden_states: list[torch.Tensor] | None = None  # L + 1 of (B, T, H): embeddings, then every layer
    attentions: list[torch.Tensor] | None = None  # L of (B, A, T, T)


def check_inputs(
    ids: torch.Tensor, type_ids: torch.Tensor | None, attention_mask: torch.Tensor | None, config: BertConfig
) -> None:
    """Refuse what the encoder can't read, with a ValueError that says what was expected."""
    for name, values, size, more in (
        ("ids", ids, config.vocab_size, ()),
        ("type_ids", type_ids, config.num_segments, ()),
        ("attention_mask", attention_mask, 2, (torch.bool, torch.uint8, torch.int8, torch.int16)),
    ):
        if values is None and name != "ids":
            continue
        found = values.dtype if isinstance(values, torch.Tensor) else type(values).__name__
        if found not in (torch.long, torch.int32, *more):
            raise ValueError(f"{name} must be whole numbers (a tensor of torch.long), not {found}")
        if ids.dim() != 2 or ids.numel() == 0:
            raise ValueError(f"ids must have the shape (B, T), B and T at least 1, not {tuple(ids.shape)}")
        if values.shape != ids.shape:
            raise ValueError(
                f"{name} must have the shape of ids, {tuple(ids.shape)}, not {tuple(values.shape)}"
            )
        if not 0 <= values.min() <= values.max() < size:
            raise ValueError(f"{name} must lie in 0..{size - 1}, not in {values.min()}..{values.max()}")
    if attention_mask is not None and not attention_mask.any(dim=1).all():
        row = attention_mask.any(dim=1).long().argmin()
        raise ValueError(f"text {row} of the batch has no visible token: its attention_mask is 0 everywhere")


def initialize_weights(model: nn.Module, std: float | None) -> None:
    """Draw the weights of linear and embedding layers from a normal distribution; biases start at zero.

    std=None means 1 / sqrt(number of inputs) for linear layers and 0.02 for embeddings.
    """
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=std or 1 / math.sqrt(module.in_features))
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=std or 0.02)
            if module.padding_idx is not None:
                nn.init.zeros_(module.weight[module.padding_idx])


class Bert(nn.Module):
    """The encoder of Devlin et al. (2018): ids (B, T) long -> `BertOutput`.

    type_ids (B, T): 0 or 1, default all 0. attention_mask (B, T): 1 visible, 0 padding, default all 1.
    Raises ValueError for input that `check_inputs` refuses.
    """

    def __init__(self, config: BertConfig):
        super().__init__()
        self.config = config
        self.embeddings = BertEmbeddings(
            config.vocab_size, config.hidden_size, config.max_positions, config.num_segments, config.dropout,
            config.norm_eps, config.pad_token_id,
        )  # fmt: skip
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.num_layers))
        self.pooler = nn.Linear(config.hidden_size, config.hidden_size)
        initialize_weights(self, config.init_std)

    def forward(
        self,
        ids: torch.Tensor,
        type_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
    ) -> BertOutput:
        check_inputs(ids, type_ids, attention_mask, self.config)
        # (B, 1, 1, T): the same keys are visible to every head and every query
        mask = None if attention_mask is None else attention_mask.bool()[:, None, None, :]
        hidden = self.embeddings(ids, type_ids)  # (B, T, H)
        hidden_states, attentions = [hidden], []
        for layer in self.layers:
            hidden, probabilities = layer(hidden, mask, output_attentions)
            if output_hidden_states:
                hidden_states.append(hidden)
            attentions.append(probabilities)
        pooled = torch.tanh(self.pooler(hidden[:, 0]))  # (B, H), from the first token, [CLS]
        return BertOutput(
            hidden,
            pooled,
            hidden_states if output_hidden_states else None,
            attentions if output_attentions else None,
        )


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode (no dropout); afterwards every part is in the mode in which it was."""
    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        yield
    finally:  # also after an error
        for part, mode in modes:
            part.training = mode
