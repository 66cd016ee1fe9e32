"""Taught in notebook 6 and not used again."""

from collections import Counter
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from helpers.pretraining import IGNORE, choose_positions

__all__ = ["unigram_logs", "mix_counts", "lowest_loss", "hide_words", "token_loss_of_slots", "two_losses"]


def unigram_logs(documents: Sequence[Sequence[Sequence[int]]], vocab_size: int) -> torch.Tensor:
    """The log of each entry's share of the tokens, (V,), with one added to every count.

    documents: lists of segments, which are lists of token ids.
    """
    tokens = [token for document in documents for segment in document for token in segment]
    counts = torch.bincount(torch.tensor(tokens, dtype=torch.long), minlength=vocab_size)
    return ((counts + 1) / (counts + 1).sum()).log()


def mix_counts(counts: Counter | None, simpler: torch.Tensor) -> torch.Tensor:
    """Counts of entries and, with the weight of three counts more, what a simpler table says: (V,)."""
    row = 3 * simpler
    if counts:
        row[list(counts)] += torch.tensor(list(counts.values()), dtype=row.dtype)
    return row / row.sum()


def lowest_loss(chances: torch.Tensor) -> float:
    """The lowest mean loss that guesses can have whose true probabilities are the rows of `chances`, (N, V).

    In nats: the mean of the entropies. An entry that cannot be costs nothing.
    """
    return -torch.xlogy(chances, chances).sum(dim=-1).mean().item()


def hide_words(ids, tokenizer, rate, generator):
    """Hide some words of every text: ids (B, T) -> what the model reads, and the labels, both (B, T)."""
    chosen = choose_positions(ids, tokenizer, rate, generator)
    labels = torch.full_like(ids, IGNORE)
    labels[chosen] = ids[chosen]
    read = ids.clone()
    read[chosen] = tokenizer.id_of["[MASK]"]
    return read, labels


def token_loss_of_slots(logits, labels, weights):
    """The mean loss of the guesses in S slots: logits (B, S, V), labels and weights (B, S); 1: slot used."""
    losses = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    losses = losses * weights.flatten()
    return losses.sum() / weights.sum()


def two_losses(token_logits, labels, next_logits, next_labels):
    """The losses of tokens and pairs. labels (B, T): 0, the entry [PAD], where nothing is asked."""
    token_loss = nn.CrossEntropyLoss(ignore_index=0)(token_logits.flatten(0, 1), labels.flatten())
    next_loss = nn.CrossEntropyLoss()(next_logits, next_labels)
    return token_loss, next_loss
