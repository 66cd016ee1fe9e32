"""Two published bugs of token tagging, as they stand in the workshop of notebook 13: each a small program."""

import torch
from torch.nn import functional

__all__ = ["wrong_batch_loss", "wrong_piece_tags"]


def wrong_batch_loss(logits, labels):
    """Mean cross-entropy over the words of a batch; labels: a list for each text, without its padding."""
    length = logits.shape[1]  # (B, T, C)
    padded = torch.tensor([row + [0] * (length - len(row)) for row in labels])
    return functional.cross_entropy(logits.flatten(0, 1), padded.flatten())


def wrong_piece_tags(offsets, spans, tags):
    """A tag for each token, so that entities can be counted: that of its word, None where it has none."""
    found = []
    for begin, end in offsets:
        of_words = [tag for (a, b), tag in zip(spans, tags, strict=True) if a <= begin < b and begin < end]
        found.append(of_words[0] if of_words else None)
    return found
