"""Two published bugs of search by vectors, as they stand in the workshop of notebook 14."""

import torch
from torch.nn import functional

__all__ = ["wrong_search_by_meaning", "wrong_in_batch_loss"]


def wrong_search_by_meaning(questions, paragraphs, count):
    """Numbers of the paragraphs that are nearest by cosine, best first."""
    scores = questions @ paragraphs.T  # (Q, N)
    return scores.topk(count, dim=1).indices.tolist()


def wrong_in_batch_loss(questions, paragraphs, numbers):
    """Each question's own paragraph against the others of the batch: (B, H), (B, H), (B,) -> a number."""
    scores = 20 * functional.normalize(questions, dim=1) @ functional.normalize(paragraphs, dim=1).T  # (B, B)
    return functional.cross_entropy(scores, torch.arange(len(numbers)))
