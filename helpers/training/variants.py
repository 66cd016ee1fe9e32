"""Variants of the encoder that trials compare: where LayerNorm stands, and a bias for the places of tokens.

Support code: the parts and their weights are those of the taught `Bert`, put together in another order.

    post-norm (BERT)   x = LayerNorm(x + attention(x));  x = LayerNorm(x + feed_forward(x))
    pre-norm           x = x + attention(LayerNorm(x));  x = x + feed_forward(LayerNorm(x))

Pre-norm has no LayerNorm after the embeddings and one more at the end (Xiong et al. 2020, figure 1), as
`MegatronBertForMaskedLM` of the Transformers library. Left out: attention probabilities as an output.
"""

import math
import re

import torch
import transformers
from torch import nn
from torch.nn import functional

from helpers import checkpoints
from helpers.attention import join_heads, split_heads
from helpers.encoder import Bert, BertConfig, BertOutput, EncoderLayer, check_inputs
from helpers.pretraining import BertForPreTraining
from helpers.training.shortcuts import places_of, take, token_scores

__all__ = [
    "BIASES", "NORMS", "VariantBert", "alibi_slopes", "masked_variant_logits", "share_left",
    "shrink_by_layer", "to_megatron",
]  # fmt: skip

NORMS = ("post", "pre")
BIASES = ("distance", "offsets")
SLOPE = 4.0  # of the offsets: a token one place beside the favorite gets e^-4 of its weight


def share_left(done: float, whole: float) -> float:
    """What is left, after `done`, of something that falls from 1 to 0 at `whole`; 0 where `whole` is 0."""
    return max(0.0, 1 - done / whole) if whole else 0.0


def alibi_slopes(num_heads: int) -> list[float]:
    """One slope for each head, from steep to flat (Press et al. 2022, section 3, and their code).

    2 ** (-8 / n), 2 ** (-16 / n), … for n heads, n a power of two; otherwise those of the power of two below,
    then every other one of the power above.
    """
    below = 2 ** int(math.log2(num_heads))
    slopes = [2 ** (-8 * (head + 1) / below) for head in range(below)]
    between = [2 ** (-4 * (head + 1) / below) for head in range(0, 2 * below, 2)]
    return slopes + between[: num_heads - below]


class VariantBert(Bert):
    """The encoder in another order: ids (B, T) -> `BertOutput`, as `Bert`; a drop-in for its heads.

    norm: "post" as in BERT or "pre". `bias_share`, set from outside at any time, is the share of a bias that
    is added to the attention scores: 0 at first, and then post-norm is `Bert`. The bias of key j for query i
    is -slope |j - i| ("distance": slopes of `alibi_slopes`), or -4 |j - i - o| ("offsets": the heads have
    o = -1, 1, -2, 2 and so on, so that each prefers one place). Raises ValueError for another norm or bias,
    and for the attention probabilities, which are not kept here.
    """

    def __init__(self, config: BertConfig, norm: str = "post", bias: str = "distance"):
        if norm not in NORMS:
            raise ValueError(f"norm must be one of {', '.join(NORMS)}, not {norm!r}")
        if bias not in BIASES:
            raise ValueError(f"bias must be one of {', '.join(BIASES)}, not {bias!r}")
        super().__init__(config)
        self.norm, self.bias_share = norm, 0.0
        if norm == "pre":
            self.embeddings.norm = nn.Identity()
            self.final_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
        else:
            self.final_norm = nn.Identity()
        places, heads = torch.arange(config.max_positions), torch.arange(config.num_heads)
        slopes = torch.tensor(alibi_slopes(config.num_heads))
        offsets = torch.zeros_like(heads)
        if bias == "offsets":
            slopes, offsets = torch.full_like(slopes, SLOPE), (heads // 2 + 1) * (2 * (heads % 2) - 1)
        distance = (places - places[:, None] - offsets[:, None, None]).abs()
        self.register_buffer("bias", -slopes[:, None, None] * distance, persistent=False)  # (A, T, T)

    def forward(
        self, ids, type_ids=None, attention_mask=None, output_hidden_states=False, output_attentions=False
    ) -> BertOutput:
        if output_attentions:
            raise ValueError("a VariantBert keeps no attention probabilities: leave output_attentions away")
        states = [hidden := self.embedded(ids, type_ids, attention_mask)]
        mask = self.mask(ids.shape[1], attention_mask)
        for layer in self.layers:
            states.append(hidden := self.pass_layer(layer, hidden, mask))
        hidden = self.final_norm(hidden)
        pooled = torch.tanh(self.pooler(hidden[:, 0]))
        return BertOutput(hidden, pooled, states if output_hidden_states else None, None)

    def embedded(self, ids, type_ids, attention_mask) -> torch.Tensor:
        """The input of the first layer: (B, T) -> (B, T, H)."""
        check_inputs(ids, type_ids, attention_mask, self.config)
        return self.embeddings(ids, type_ids)

    def mask(self, length: int, attention_mask: torch.Tensor | None) -> torch.Tensor | None:
        """What attention is given: None, boolean (B, 1, 1, T), or with a bias numbers (B or 1, A, T, T)."""
        visible = None if attention_mask is None else attention_mask.bool()[:, None, None, :]
        if not self.bias_share:
            return visible
        bias = (self.bias_share * self.bias[:, :length, :length])[None]
        return bias if visible is None else bias.masked_fill(~visible, float("-inf"))

    def seen(self, layer: EncoderLayer, length: int, mask: torch.Tensor | None) -> torch.Tensor | None:
        """The mask of one layer; all have the same here (helpers/training/changes.py has other ones)."""
        return mask

    def turned(self, layer: EncoderLayer, query, key, places: torch.Tensor | None):
        """Queries and keys as one layer compares them, here as they are; places (B, N) of the queries."""
        return query, key

    def pass_layer(
        self, layer: EncoderLayer, hidden: torch.Tensor, mask: torch.Tensor | None,
        positions: torch.Tensor | None = None,
    ) -> torch.Tensor:  # fmt: skip
        """(B, T, H) -> (B, T, H); with positions (B, T) boolean only at those: (M, H)."""
        attention, pre = layer.attention, self.norm == "pre"
        mask = self.seen(layer, hidden.shape[1], mask)
        reading = layer.attention_norm(hidden) if pre else hidden
        asking, kept = reading, hidden
        if positions is not None:
            places, chosen = places_of(positions)  # (B, N)
            asking, kept = take(reading, places), take(hidden, places)[chosen]
            if mask is not None and mask.shape[2] > 1:  # the lines of the asking tokens
                mask = mask.expand(len(hidden), -1, -1, -1)
                lines = places[:, None, :, None].expand(-1, mask.shape[1], -1, mask.shape[3])
                mask = mask.gather(2, lines)
        query, key, value = (
            split_heads(linear(tokens), attention.num_heads)
            for linear, tokens in (
                (attention.query, asking),
                (attention.key, reading),
                (attention.value, reading),
            )
        )
        query, key = self.turned(layer, query, key, None if positions is None else places)
        dropout = attention.dropout if attention.training else 0.0
        context = join_heads(functional.scaled_dot_product_attention(query, key, value, mask, dropout))
        context = context if positions is None else context[chosen]
        summed = kept + layer.dropout(attention.output(context))
        if pre:
            return summed + layer.dropout(layer.feed_forward(layer.feed_forward_norm(summed)))
        summed = layer.attention_norm(summed)
        return layer.feed_forward_norm(summed + layer.dropout(layer.feed_forward(summed)))


def masked_variant_logits(
    model: BertForPreTraining,
    ids: torch.Tensor,
    positions: torch.Tensor,
    type_ids: torch.Tensor | None = None,
    attention_mask: torch.Tensor | None = None,
) -> torch.Tensor:
    """Token scores (M, V) at the positions, with the last layer computed only there (see `shortcuts`)."""
    bert = model.bert
    hidden = bert.embedded(ids, type_ids, attention_mask)
    mask = bert.mask(ids.shape[1], attention_mask)
    for layer in bert.layers[:-1]:
        hidden = bert.pass_layer(layer, hidden, mask)
    hidden = bert.final_norm(bert.pass_layer(bert.layers[-1], hidden, mask, positions))
    return token_scores(model, hidden)


@torch.no_grad()
def shrink_by_layer(bert: Bert) -> None:
    """Multiply what every block adds by 1 / √(2 L), so that their sum is no larger than one of them.

    Radford et al. 2019 (GPT-2), section 2.3; L layers of two blocks each.
    """
    for layer in bert.layers:
        for matrix in (layer.attention.output.weight, layer.feed_forward.narrow.weight):
            matrix /= math.sqrt(2 * len(bert.layers))


MEGATRON = {
    r"(layer\.\d+)\.attention\.output\.LayerNorm": r"\1.attention.ln",
    r"(layer\.\d+)\.output\.LayerNorm": r"\1.ln",
    r"bert\.final_norm": "bert.encoder.ln",
}


def to_megatron(model: BertForPreTraining) -> transformers.MegatronBertForMaskedLM:
    """A pre-norm model as one of the Transformers library; ValueError for another, or one with a bias."""
    if getattr(model.bert, "norm", None) != "pre" or model.bert.bias_share:
        raise ValueError("only a pre-norm VariantBert whose bias_share is 0 is a MegatronBertForMaskedLM")
    config = model.bert.config
    theirs = transformers.MegatronBertForMaskedLM(
        transformers.MegatronBertConfig(
            vocab_size=config.vocab_size, hidden_size=config.hidden_size,
            num_hidden_layers=config.num_layers, num_attention_heads=config.num_heads,
            intermediate_size=config.intermediate_size, max_position_embeddings=config.max_positions,
            type_vocab_size=config.num_segments, hidden_dropout_prob=config.dropout,
            attention_probs_dropout_prob=config.dropout, layer_norm_eps=config.norm_eps,
            pad_token_id=config.pad_token_id,
        )
    )  # fmt: skip
    state = {}
    for name, weight in model.state_dict().items():
        name = name if "final_norm" in name else checkpoints.their_name(name)
        for ours, other in MEGATRON.items():
            name = re.sub(ours, other, name)
        state[name] = weight
    unused = {name for name in state if "pooler" in name or "seq_relationship" in name}
    found = theirs.load_state_dict({n: w for n, w in state.items() if n not in unused}, strict=False)
    if found.unexpected_keys or any("decoder" not in name for name in found.missing_keys):
        raise ValueError(f"the library's model has other weights than ours: {found}")
    theirs.tie_weights()
    return theirs.eval()
