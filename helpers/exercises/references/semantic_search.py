"""Taught in notebook 14 and not used again: vectors of texts, search, ranks, joined rankings, pairs."""

from collections.abc import Sequence

import torch
from torch.nn import functional

__all__ = [
    "mean_pooling",
    "nearest",
    "ranks_of",
    "join_rankings",
    "contrast_pairs",
    "search_by_meaning",
    "in_batch_loss",
]


def mean_pooling(hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """The mean of the vectors of a text's tokens, without padding: (B, T, H), (B, T) -> (B, H)."""
    mask = attention_mask[:, :, None].to(hidden.dtype)  # (B, T, 1)
    return (hidden * mask).sum(dim=1) / mask.sum(dim=1)


def nearest(questions: torch.Tensor, paragraphs: torch.Tensor, count: int) -> torch.Tensor:
    """Numbers of the `count` paragraphs with the largest cosine, best first: (Q, H), (N, H) -> (Q, count)."""
    cosines = functional.normalize(questions, dim=1) @ functional.normalize(paragraphs, dim=1).T  # (Q, N)
    return cosines.topk(count, dim=1).indices


def ranks_of(scores: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """The place of the right paragraph in each row, from 1: scores (Q, N), right (Q,) -> (Q,).

    Of equal scores the right one comes last: a method that says the same of everything gains nothing.
    """
    own = scores.gather(1, right[:, None])  # (Q, 1)
    return (scores >= own).sum(dim=1)


def join_rankings(rankings: Sequence[torch.Tensor], weights: Sequence[float], k: float = 60) -> torch.Tensor:
    """Reciprocal rank fusion (Cormack et al. 2009): several scores (Q, N) -> one, (Q, N).

    Each ranking gives a paragraph weight / (k + its place, from 1).
    """
    joined = torch.zeros_like(rankings[0], dtype=torch.float)
    for scores, weight in zip(rankings, weights, strict=True):
        places = scores.argsort(dim=1, descending=True).argsort(dim=1) + 1  # (Q, N)
        joined += weight / (k + places)
    return joined


def contrast_pairs(
    labels: Sequence[int], count: int, generator: torch.Generator
) -> list[tuple[int, int, int]]:
    """`count` pairs (i, j, 1 for the same label, else 0), half of each kind, never a text with itself.

    As in SetFit (Tunstall et al. 2022, section 3), whose pairs are drawn with replacement.
    """
    every = [(i, j, int(labels[i] == labels[j])) for i in range(len(labels)) for j in range(i)]
    pairs = []
    for kind, wanted in ((1, count - count // 2), (0, count // 2)):
        among = [pair for pair in every if pair[2] == kind]
        pairs += [among[n] for n in torch.randint(len(among), (wanted,), generator=generator).tolist()]
    return [pairs[n] for n in torch.randperm(count, generator=generator).tolist()]


def search_by_meaning(questions: torch.Tensor, paragraphs: torch.Tensor, count: int) -> list[list[int]]:
    """Numbers of the paragraphs that are nearest by cosine, best first."""
    questions = questions / questions.norm(dim=1, keepdim=True)
    paragraphs = paragraphs / paragraphs.norm(dim=1, keepdim=True)
    return (questions @ paragraphs.T).topk(count, dim=1).indices.tolist()


def in_batch_loss(questions: torch.Tensor, paragraphs: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """Each question's own paragraph against the others of the batch, cross-entropy in nats.

    questions and paragraphs (B, H); numbers (B,) says which paragraph a row has. One that stands in the
    batch twice is no wrong answer to either question.
    """
    scores = 20 * functional.normalize(questions, dim=1) @ functional.normalize(paragraphs, dim=1).T  # (B, B)
    twice = (numbers[:, None] == numbers[None, :]) & ~torch.eye(len(numbers), dtype=torch.bool)
    return functional.cross_entropy(scores.masked_fill(twice, -torch.inf), torch.arange(len(numbers)))
