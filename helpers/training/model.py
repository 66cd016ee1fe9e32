"""The model of a long run: how it is made, how training calls it, and how it is measured on held-out rows.

Support code. Only masked positions are computed in the last layer and the token head; the next-sentence head
and the pooler stay as they were drawn.
"""

import argparse
from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.nn import functional

from helpers import checkpoints
from helpers.encoder import Bert, BertConfig, evaluating
from helpers.pretraining import IGNORE, BertForPreTraining, mask_tokens
from helpers.training.cost import number_of_weights
from helpers.training.rows import MaskedRows, count_tokens
from helpers.training.settings import RunError
from helpers.training.shortcuts import masked_token_logits
from helpers.training.starts import NEIGHBORS, log_frequencies, start_with_neighbors
from helpers.training.variants import VariantBert, masked_variant_logits, share_left, shrink_by_layer
from helpers.wordpiece import WordPieceTokenizer

__all__ = [
    "MaskedOnly", "bias_share", "config_of", "make_model", "masked_loss", "measure", "refuse_too_large",
]  # fmt: skip

BYTES = 16  # a weight, its gradient and AdamW's two averages


def config_of(settings: argparse.Namespace, vocab_size: int, pad_token_id: int = 0) -> BertConfig:
    """The shape of a new model; pad_token_id: the tokenizer's [PAD]."""
    return BertConfig(
        vocab_size, settings.hidden, settings.layers, settings.heads, 4 * settings.hidden, settings.length,
        dropout=settings.dropout, init_std=None, pad_token_id=pad_token_id,
    )  # fmt: skip


def refuse_too_large(config: BertConfig, memory: int) -> None:
    """RunError for a model whose weights can't be trained in so many bytes, before it is built."""
    weights = number_of_weights(config)
    if BYTES * weights > memory:
        raise RunError(
            f"a model of {config.num_layers} layers of hidden size {config.hidden_size} has {weights:,} "
            f"weights, which take {BYTES * weights / 1e9:,.0f} GB in training, and there are "
            f"{memory / 1e9:,.0f} GB: choose a smaller one"
        )


def make_model(
    settings: argparse.Namespace, tokenizer: WordPieceTokenizer, rows: list, start: nn.Module | None
) -> BertForPreTraining:
    """The model as the run begins: a new one, or `start`, that of --init; a new token head if it has none."""
    torch.manual_seed(settings.seed)
    if start is None:
        config = config_of(settings, len(tokenizer.vocabulary), tokenizer.id_of["[PAD]"])
        bert = VariantBert(config, bias="offsets") if settings.fade_steps else Bert(config)
        if settings.shrink_by_layer:
            shrink_by_layer(bert)
        if settings.neighbors:
            start_with_neighbors(bert, NEIGHBORS[: settings.heads])
    else:
        bert = checkpoints.encoder_of(start)
        if bert.config.max_positions < settings.length:
            raise RunError(
                f"{settings.init} has fewer positions than --length {settings.length}: make it less"
            )
    if isinstance(start, BertForPreTraining):
        model = start
    else:
        model = BertForPreTraining(bert)
        with torch.no_grad():  # start at the unigram loss
            model.token_bias.copy_(log_frequencies(count_tokens(rows, len(tokenizer.vocabulary))))
    for part in (model.next_sentence, model.bert.pooler):
        part.requires_grad_(False)
    return model


def bias_share(step: int, settings: argparse.Namespace) -> float:
    """The share of the bias of attention that is there after so many steps: from 1 to 0 in --fade-steps."""
    return share_left(step, settings.fade_steps)


class MaskedOnly(nn.Module):
    """The model as training calls it: ids and positions (B, T) -> token scores (M, V) at those positions.

    scores: the function that computes them, from the model, ids and positions; by default, the one that
    fits its encoder.
    """

    def __init__(self, model: BertForPreTraining, scores: Callable | None = None):
        super().__init__()
        varied = isinstance(model.bert, VariantBert)
        self.model, self.scores = model, scores or (masked_variant_logits if varied else masked_token_logits)

    def forward(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        return self.scores(self.model, ids, positions)


def masked_loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """The sum of the losses at the masked positions of a batch, and the number of right answers there."""
    positions = batch["labels"] != IGNORE
    logits, hidden = model(batch["ids"], positions).float(), batch["labels"][positions]
    return functional.cross_entropy(logits, hidden, reduction="sum"), (logits.argmax(-1) == hidden).sum()


@torch.no_grad()
def measure(
    model: BertForPreTraining, shards: list, tokenizer, device, most: int | None = None,
    scores: Callable | None = None,
) -> dict:  # fmt: skip
    """Loss and accuracy on held-out rows, 15 % of the tokens behind [MASK], always the same ones.

    most: so many rows only; scores: as in `MaskedOnly`.
    """
    mask = partial(mask_tokens, rate=0.15, shares=(1.0, 0.0, 0.0))
    rows = MaskedRows(shards, tokenizer, seed=0, mask=mask)
    places = range(min(len(rows), most or len(rows)))
    loss = right = count = 0.0
    with evaluating(model):
        for start in range(0, len(places), 32):
            examples = [rows[place] for place in places[start : start + 32]]
            batch = {name: torch.stack([row[name] for row in examples]).to(device) for name in examples[0]}
            more_loss, more_right = masked_loss(MaskedOnly(model, scores), batch)
            loss, right = loss + more_loss.item(), right + more_right.item()
            count += (batch["labels"] != IGNORE).sum().item()
    return {"loss": loss / count, "accuracy": right / count}
