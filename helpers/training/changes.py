"""BERT's encoder with some of the changes that made it a modern one, each alone or together.

Support code for trials: with all changes it is the taught `ModernBert`, with none the taught `Bert`; a test
compares both. Left out: local attention that saves work; on short texts a mask costs less than blocks.
"""

import torch
from torch import nn

from helpers.encoder import BertConfig, EncoderLayer, check_inputs, initialize_weights
from helpers.modern import GatedFeedForward, ModernConfig
from helpers.rotary import local_mask, rotary_angles, rotate_pairs
from helpers.training.variants import VariantBert

__all__ = ["CHANGES", "ChangedBert"]

CHANGES = ("rotary", "pre-norm", "GeGLU", "no biases", "local", "no segments")


class ChangedBert(VariantBert):
    """A `Bert` with some of CHANGES: ids (B, T) -> `BertOutput`, with the weights' names of `Bert`.

    "rotary": queries and keys are turned, and there is no table of positions. "pre-norm": as ModernBERT's,
    with the norm after the embeddings and none before the first attention. "GeGLU": gated blocks of two
    thirds of the width, so of as many weights. "no biases": none in the layers and norms. "local": all but
    every third layer see `window` tokens. "no segments": type_ids are not read. Raises ValueError for
    another change. Initial weights are drawn as `Bert` draws them.
    """

    def __init__(self, config: BertConfig, changes: tuple[str, ...] = CHANGES, window: int = 128):
        if unknown := set(changes) - set(CHANGES):
            raise ValueError(f"changes are {', '.join(CHANGES)}, not {min(unknown)!r}")
        super().__init__(config)
        self.changes, self.window = frozenset(changes), window
        width = config.hidden_size // config.num_heads
        self.shape = ModernConfig()  # which layers are global, and both bases of the angles
        places = torch.arange(config.max_positions)
        bases = (self.shape.local_base, self.shape.global_base)
        angles = torch.stack([rotary_angles(places, width, base) for base in bases])  # (2, T, D / 2)
        self.register_buffer("angles", angles, persistent=False)
        if "rotary" in changes:
            self.embeddings.position = None
        if "no segments" in changes:
            self.embeddings.segment = None
        if "pre-norm" in changes:
            self.norm = "pre"
            self.final_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
            self.layers[0].attention_norm = nn.Identity()
        for layer in self.layers:
            if "GeGLU" in changes:
                layer.feed_forward = GatedFeedForward(
                    config.hidden_size, 2 * config.intermediate_size // 3, bias=True
                )
                initialize_weights(layer.feed_forward, config.init_std)
        if "no biases" in changes:
            for part in (self.embeddings, self.layers, self.final_norm):
                for module in part.modules():
                    if getattr(module, "bias", None) is not None:
                        module.bias = None

    def embedded(self, ids, type_ids, attention_mask) -> torch.Tensor:
        if not self.changes & {"rotary", "no segments"}:
            return super().embedded(ids, type_ids, attention_mask)
        check_inputs(ids, type_ids, attention_mask, self.config)
        parts = self.embeddings
        summed = parts.token(ids)
        if parts.segment is not None:
            summed = summed + parts.segment(torch.zeros_like(ids) if type_ids is None else type_ids)
        if parts.position is not None:
            summed = summed + parts.position(torch.arange(ids.shape[1], device=ids.device))
        return parts.dropout(parts.norm(summed))

    def number(self, layer: EncoderLayer) -> int:
        """Which layer this is, from 0."""
        return next(number for number, each in enumerate(self.layers) if each is layer)

    def seen(self, layer, length, mask):
        if "local" not in self.changes or self.shape.is_global(self.number(layer)):
            return mask
        visible = None if mask is None else mask[:, 0, 0, :]
        return local_mask(length, self.window, visible)

    def turned(self, layer, query, key, places):
        if "rotary" not in self.changes:
            return query, key
        # a model of global layers alone has the base of the paper on rotary positions, 10,000
        far = "local" in self.changes and self.shape.is_global(self.number(layer))
        angles = self.angles[int(far)]
        asking = angles[: query.shape[2]] if places is None else angles[places][:, None]  # (B, 1, N, D / 2)
        return rotate_pairs(query, asking), rotate_pairs(key, angles[: key.shape[2]])
