"""Taught in notebook 5 and not used again."""

import math

import torch
from torch import nn

from helpers.attention import MultiHeadSelfAttention
from helpers.encoder import Bert, BertConfig, EncoderLayer, FeedForward, initialize_weights

__all__ = [
    "gelu",
    "visible_keys",
    "pooled_output",
    "load_layer",
    "visible_difference",
    "count_parameters",
    "count_multiply_adds",
    "same_meaning_neighbors",
    "mended_layer_from",
    "mended_classifier_from",
    "mended_stack",
]


def gelu(x: torch.Tensor) -> torch.Tensor:
    """x Φ(x), number by number, in any shape (Hendrycks and Gimpel 2016, section 2)."""
    return x / 2 * (1 + torch.erf(x / math.sqrt(2)))


def visible_keys(attention_mask: torch.Tensor | None) -> torch.Tensor | None:
    """(B, T), 1 visible, 0 padding -> boolean (B, 1, 1, T), for every head and query alike; None -> None."""
    return None if attention_mask is None else attention_mask.bool()[:, None, None, :]


def pooled_output(hidden: torch.Tensor, pooler: nn.Linear) -> torch.Tensor:
    """One vector for each text, from the last hidden state of its first token: (B, T, H) -> (B, H)."""
    return torch.tanh(pooler(hidden[:, 0]))


@torch.no_grad()
def load_layer(layer: EncoderLayer, weights: dict[str, torch.Tensor], number: int) -> None:
    """Copy the library's layer `number` into ours: sixteen tensors, found in `weights` by their names."""
    places = {
        "attention.query": "attention.self.query",
        "attention.key": "attention.self.key",
        "attention.value": "attention.self.value",
        "attention.output": "attention.output.dense",
        "attention_norm": "attention.output.LayerNorm",
        "feed_forward.widen": "intermediate.dense",
        "feed_forward.narrow": "output.dense",
        "feed_forward_norm": "output.LayerNorm",
    }
    for ours, theirs in places.items():
        module, name = layer.get_submodule(ours), f"encoder.layer.{number}.{theirs}"
        module.weight.copy_(weights[f"{name}.weight"])
        module.bias.copy_(weights[f"{name}.bias"])


def visible_difference(a: torch.Tensor, b: torch.Tensor, visible: torch.Tensor) -> float:
    """The largest difference between two results; hidden states (B, T, H) at visible tokens (B, T) only."""
    return ((a - b)[visible] if a.dim() == 3 else a - b).abs().max().item()


def count_parameters(config: BertConfig) -> dict[str, int]:
    """The parameters of each kind of block, over all layers, in closed form."""
    V, H, L, F = config.vocab_size, config.hidden_size, config.num_layers, config.intermediate_size
    return {
        "embeddings": (V + config.max_positions + config.num_segments) * H + 2 * H,
        "attention": L * 4 * (H * H + H),  # query, key, value, output
        "feed-forward": L * ((H * F + F) + (F * H + H)),
        "LayerNorm": L * 2 * 2 * H,
        "pooler": H * H + H,
    }


def count_multiply_adds(config: BertConfig, tokens: int) -> dict[str, int]:
    """The multiply-adds of each kind of block for one text of `tokens` tokens, over all layers."""
    T, H, L, F = tokens, config.hidden_size, config.num_layers, config.intermediate_size
    return {
        "attention: linear layers": L * 4 * T * H * H,
        "attention: T x T": L * 2 * T * T * H,  # scores, and probabilities times values
        "feed-forward": L * 2 * T * H * F,
        "pooler": H * H,
    }


def same_meaning_neighbors(vectors: torch.Tensor, meaning: torch.Tensor) -> int:
    """Of how many of the vectors (B, H) the nearest other one, by cosine, has the same meaning (B,)."""
    unit = nn.functional.normalize(vectors, dim=-1)
    cosines = (unit @ unit.T).fill_diagonal_(float("-inf"))
    return (meaning[cosines.argmax(dim=1)] == meaning).sum().item()


def mended_layer_from(config):
    """A fresh encoder layer: hidden (B, T, H) -> hidden (B, T, H), and probabilities if asked for."""

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = MultiHeadSelfAttention(config.hidden_size, config.num_heads, config.dropout)
            self.attention_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
            self.feed_forward = FeedForward(config.hidden_size, config.intermediate_size)
            self.feed_forward_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
            self.dropout = nn.Dropout(config.dropout)

        def forward(self, hidden, mask=None, return_probabilities=False):
            attended, probabilities = self.attention(hidden, mask, return_probabilities)
            hidden = self.attention_norm(hidden + self.dropout(attended))
            hidden = self.feed_forward_norm(hidden + self.dropout(self.feed_forward(hidden)))
            return hidden, probabilities

    return Layer()


def mended_classifier_from(config, weights, num_classes):
    """A trained encoder with a fresh layer for classes on top: a ModuleDict with "bert" and "classify"."""
    bert = Bert(config)
    bert.load_state_dict(weights)
    classify = nn.Linear(config.hidden_size, num_classes)
    initialize_weights(classify, config.init_std)
    return nn.ModuleDict({"bert": bert, "classify": classify}).eval()


def mended_stack(config):
    """The layers of a new encoder: a ModuleList of config.num_layers, each with weights of its own."""
    layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.num_layers))
    initialize_weights(layers, config.init_std)
    return layers
