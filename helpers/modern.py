"""A modern encoder, ModernBERT's, as small changes to the encoder of BERT.

    ids -> embeddings, LayerNorm -> [ + attention(LayerNorm) , + GeGLU(LayerNorm) ] x L -> LayerNorm

No positions and no segments in the embeddings, no biases; every third layer sees the whole text, the others
a window. Left out: unpadding (texts laid end to end for the GPU's kernels), and a pooler.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional

from helpers.encoder import BertConfig, BertOutput, check_inputs
from helpers.rotary import RotaryAttention, rotary_angles

__all__ = [
    "ModernConfig",
    "GatedFeedForward",
    "ModernLayer",
    "initialize_modern_weights",
    "ModernEmbeddings",
    "ModernBert",
]


@dataclass(frozen=True)
class ModernConfig(BertConfig):
    """The shape of a modern encoder; the defaults are ModernBERT-base (Warner et al. 2024, table 4)."""

    vocab_size: int = 50368
    num_layers: int = 22
    intermediate_size: int = 1152  # the width inside the gated block, 1.5 H
    max_positions: int = 8192  # how long the texts were; no table of positions ends there
    num_segments: int = 1  # all tokens are of one
    dropout: float = 0.0
    norm_eps: float = 1e-5
    pad_token_id: int | None = field(default=50283, repr=False)
    window: int = 128  # of local layers: so many tokens around each, half to either side
    global_every: int = 3  # layers 0, 3, 6 … see the whole text
    global_base: float = 160_000.0  # of the rotary angles in global layers
    local_base: float = 10_000.0  # and in local ones

    def is_global(self, layer: int) -> bool:
        """Whether this layer, counted from 0, sees the whole text."""
        return layer % self.global_every == 0


class GatedFeedForward(nn.Module):
    """GeGLU: what is widened passes through GELU and is multiplied by a gate: (B, T, H) -> (B, T, H).

    Shazeer 2020, section 2; without biases. Three matrices and not two: at equal parameters the width inside
    is two thirds of that of `FeedForward`.
    """

    def __init__(self, hidden_size: int, intermediate_size: int, bias: bool = False):
        super().__init__()
        self.widen = nn.Linear(hidden_size, intermediate_size, bias=bias)
        self.gate = nn.Linear(hidden_size, intermediate_size, bias=bias)
        self.narrow = nn.Linear(intermediate_size, hidden_size, bias=bias)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.narrow(functional.gelu(self.widen(hidden)) * self.gate(hidden))


class ModernLayer(nn.Module):
    """Attention, then the gated block; each reads a normalized copy and adds to what is there (pre-norm).

    hidden (B, T, H), angles and visible as in `RotaryAttention` -> hidden (B, T, H), probabilities or None.
    The first layer's attention has no norm before it: the embeddings end in one. Xiong et al. 2020, figure 1.
    """

    def __init__(self, config: ModernConfig, number: int):
        super().__init__()
        size, eps = config.hidden_size, config.norm_eps
        window = None if config.is_global(number) else config.window
        self.attention_norm = nn.LayerNorm(size, eps=eps, bias=False) if number else nn.Identity()
        self.attention = RotaryAttention(size, config.num_heads, window)
        self.feed_forward_norm = nn.LayerNorm(size, eps=eps, bias=False)
        self.feed_forward = GatedFeedForward(size, config.intermediate_size)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden, angles, visible=None, return_probabilities: bool = False):
        attended, probabilities = self.attention(
            self.attention_norm(hidden), angles, visible, return_probabilities
        )
        hidden = hidden + self.dropout(attended)
        hidden = hidden + self.dropout(self.feed_forward(self.feed_forward_norm(hidden)))
        return hidden, probabilities


def initialize_modern_weights(model: nn.Module, std: float | None, num_layers: int) -> None:
    """Draw the weights from a normal distribution that is cut off at two standard deviations.

    What a block adds (`output`, `narrow`) is smaller by 1 / sqrt(2 L), so that the sum over L layers of two
    blocks each keeps its size. std=None means 1 / sqrt(number of inputs), and 0.02 for embeddings.
    Warner et al. 2024, appendix A (Megatron initialization, Shoeybi et al. 2019).
    """
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            size = std or 1 / math.sqrt(module.in_features)
            if name.endswith(("output", "narrow")):
                size /= math.sqrt(2 * num_layers)
            nn.init.trunc_normal_(module.weight, std=size, a=-2 * size, b=2 * size)
        elif isinstance(module, nn.Embedding):
            size = std or 0.02
            nn.init.trunc_normal_(module.weight, std=size, a=-2 * size, b=2 * size)
            if module.padding_idx is not None:
                nn.init.zeros_(module.weight[module.padding_idx])


class ModernEmbeddings(nn.Module):
    """Token embeddings, LayerNorm, dropout: (B, T) -> (B, T, H). Places come in with attention.

    Raises ValueError for a [PAD] outside the vocabulary.
    """

    def __init__(self, config: ModernConfig):
        super().__init__()
        pad = config.pad_token_id
        if pad is not None and not 0 <= pad < config.vocab_size:
            raise ValueError(f"pad_token_id must be an entry, 0 to {config.vocab_size - 1}, not {pad}")
        self.token = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=pad)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps, bias=False)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.dropout(self.norm(self.token(ids)))


class ModernBert(nn.Module):
    """The encoder of Warner et al. (2024, ModernBERT): ids (B, T) long -> `BertOutput`.

    attention_mask (B, T): 1 visible, 0 padding, default all 1. There is no pooler: `pooled_output` is the
    first token's vector. type_ids are there so that heads can call every encoder alike, and must be 0: there
    are no segments. Raises ValueError for input that `check_inputs` refuses.
    """

    def __init__(self, config: ModernConfig):
        super().__init__()
        self.config = config
        self.embeddings = ModernEmbeddings(config)
        self.layers = nn.ModuleList(ModernLayer(config, number) for number in range(config.num_layers))
        self.final_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps, bias=False)
        initialize_modern_weights(self, config.init_std, config.num_layers)

    def forward(
        self, ids, type_ids=None, attention_mask=None, output_hidden_states=False, output_attentions=False
    ) -> BertOutput:
        config = self.config
        check_inputs(ids, type_ids, attention_mask, config)
        visible = None if attention_mask is None else attention_mask.bool()  # (B, T)
        places, width = torch.arange(ids.shape[1], device=ids.device), config.hidden_size // config.num_heads
        angles = [rotary_angles(places, width, base) for base in (config.local_base, config.global_base)]
        hidden = self.embeddings(ids)  # (B, T, H)
        states, attentions = [hidden], []
        for number, layer in enumerate(self.layers):
            turned = angles[config.is_global(number)]
            hidden, probabilities = layer(hidden, turned, visible, output_attentions)
            states.append(hidden)
            attentions.append(probabilities)
        hidden = self.final_norm(hidden)
        states = [*states[:-1], hidden]  # the library counts the last norm to the last layer
        return BertOutput(
            hidden, hidden[:, 0], states if output_hidden_states else None,
            attentions if output_attentions else None,
        )  # fmt: skip
