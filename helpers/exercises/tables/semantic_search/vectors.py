"""Notebook 14: the mean over a text's tokens, and the nearest paragraphs."""

import torch
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import semantic_search as references

# 14.1 mean_pooling

POOLING = '''
def my_mean_pooling(hidden, attention_mask):
    """The mean of the vectors of a text's tokens: (B, T, H), (B, T) -> (B, H).

    attention_mask is 1 at a token, [CLS] and [SEP] included, and 0 at padding, whose vectors are no zeros.
    """
    ...
'''

MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 0, 0, 0]])  # B = 3, T = 5


def hidden() -> torch.Tensor:
    return torch.linspace(-2, 5, 3 * 5 * 4).sin().mul(3).view(3, 5, 4)  # H = 4


def probe_pooling(pool):
    yield "a text without padding", pool(hidden()[:1], MASK[:1].clone())
    yield "three texts", pool(hidden(), MASK.clone())


def last_text(parts):
    return parts["three texts"][2]


def masked(vectors, mask):
    return vectors * mask[:, :, None]


POOLING_MISTAKES = (
    Mistake(
        "padding counts",
        lambda vectors, mask: vectors.mean(dim=1),
        "the last text gets {yours}, expected {expected}: its three places of padding are in the mean",
    ),
    Mistake(
        "divided by T",
        lambda vectors, mask: masked(vectors, mask).mean(dim=1),
        "the last text gets {yours}, expected {expected}: the padding is zero in your sum, but you still divide by all "
        "places. How many tokens has the text?",
    ),
    Mistake(
        "divided by the tokens of all texts",
        lambda vectors, mask: masked(vectors, mask).sum(dim=1) / mask.sum(),
        "the last text gets {yours}, expected {expected}: you divide by the tokens of the whole batch, not of this text",
    ),
    Mistake(
        "a sum",
        lambda vectors, mask: masked(vectors, mask).sum(dim=1),
        "the last text gets {yours}, expected {expected}: that is the sum. A text of twice as many tokens would get a "
        "vector twice as long",
    ),
    Mistake(
        "the first token",
        lambda vectors, mask: vectors[:, 0],
        "the last text gets {yours}, expected {expected}: that is the vector at [CLS] alone",
    ),
    Mistake(
        "without the first token",
        lambda vectors, mask: masked(vectors, mask)[:, 1:].sum(dim=1) / (mask.sum(dim=1, keepdim=True) - 1),
        "the last text gets {yours}, expected {expected}: you leave out its first token, [CLS]. Here it counts like any other",
    ),
    Mistake(
        "over the hidden numbers",
        lambda vectors, mask: masked(vectors, mask).sum(dim=2)[:, :4] / mask.sum(dim=1, keepdim=True),
        "the last text gets {yours}, expected {expected}: you add up the numbers of one token instead of those of all "
        "tokens in one place",
    ),
    Mistake(
        "the maximum",
        lambda vectors, mask: vectors.masked_fill(mask[:, :, None] == 0, -torch.inf).amax(dim=1),
        "the last text gets {yours}, expected {expected}: that is the largest number of each place, not the mean",
    ),
    Mistake(
        "the last token",
        lambda vectors, mask: vectors[torch.arange(len(mask)), mask.sum(dim=1) - 1],
        "the last text gets {yours}, expected {expected}: that is the vector at its last token, [SEP], alone",
    ),
    Mistake(
        "without the last token",
        lambda vectors, mask: torch.stack(
            [v[: int(m.sum()) - 1].mean(dim=0) for v, m in zip(vectors, mask, strict=True)]
        ),
        "the last text gets {yours}, expected {expected}: you leave out its last token, [SEP]. Here it counts "
        "like any other",
    ),
    Mistake(
        "the mean of padding",
        lambda vectors, mask: (
            masked(vectors, 1 - mask).sum(dim=1) / (1 - mask).sum(dim=1, keepdim=True).clamp(min=1)
        ),
        "the last text gets {yours}, expected {expected}: that is the mean over its padding. Is the mask 1 at "
        "a token or at padding?",
    ),
    Mistake(
        "divided by the length",
        lambda vectors, mask: functional.normalize(references.mean_pooling(vectors, mask), dim=1),
        "the last text gets {yours}, expected {expected}: the mean is divided by its length. That comes "
        "later, where vectors are compared; here the mean itself is wanted",
    ),
)

# 14.2 nearest

NEAREST = '''
def my_nearest(questions, paragraphs, count):
    """Numbers of the `count` paragraphs with the largest cosine, best first: (Q, H), (N, H) -> (Q, count).

    The cosine of two vectors is their dot product divided by both lengths.
    """
    ...
'''


def vectors(rows: int, seed: int) -> torch.Tensor:
    """Rows (rows, 3) of unequal length with a common part, as an encoder gives them."""
    drawn = torch.randn(rows, 3, generator=torch.Generator().manual_seed(seed))
    return (drawn + 0.4) * torch.linspace(0.3, 4, rows)[:, None]


def probe_nearest(nearest):
    yield "the best of seven", nearest(vectors(2, 1), vectors(7, 2), 1)
    yield "the four best of seven", nearest(vectors(2, 1), vectors(7, 2), 4)


def four(parts):
    return parts["the four best of seven"].tolist()


def cosines(questions, paragraphs):
    return functional.normalize(questions, dim=1) @ functional.normalize(paragraphs, dim=1).T


NEAREST_MISTAKES = (
    Mistake(
        "dot products",
        lambda q, p, count: (q @ p.T).topk(count).indices,
        "you find {yours}, expected {expected}: long paragraphs come first, so nothing is divided by the length of each of them. "
        "To divide all scores of a question by one number changes no order",
    ),
    Mistake(
        "farthest",
        lambda q, p, count: cosines(q, p).topk(count, largest=False).indices,
        "you find {yours}, expected {expected}: those are the paragraphs with the smallest cosine",
    ),
    Mistake(
        "worst of the best first",
        lambda q, p, count: cosines(q, p).argsort(dim=1)[:, -count:],
        "you find {yours}, expected {expected}: the right ones, but the best stands last",
    ),
    Mistake(
        "cosines instead of numbers",
        lambda q, p, count: cosines(q, p).topk(count).values,
        "you give {yours}, expected {expected}: those are the cosines; asked for is which paragraphs they belong to",
    ),
    Mistake(
        "lengths of columns",
        lambda q, p, count: (
            (functional.normalize(q, dim=0) @ functional.normalize(p, dim=0).T).topk(count).indices
        ),
        "you find {yours}, expected {expected}: you divide each column by its length. A vector is a row",
    ),
    Mistake(
        "the nearest question",
        lambda q, p, count: cosines(q, p).argsort(dim=0, descending=True)[:, :count],
        "you find {yours}, expected {expected}: for each paragraph the questions are ranked, not for each question the "
        "paragraphs",
    ),
    Mistake(
        "by distance",
        lambda q, p, count: torch.cdist(q, p).topk(count, largest=False).indices,
        "you find {yours}, expected {expected}: the nearest by distance. It depends on the lengths, the "
        "cosine on the directions alone",
    ),
    Mistake(
        "the square of the length",
        lambda q, p, count: (q @ (p / p.square().sum(dim=1, keepdim=True)).T).topk(count).indices,
        "you find {yours}, expected {expected}: you divide by the square of each length: is a root missing?",
    ),
    Mistake(
        "without the sign",
        lambda q, p, count: cosines(q, p).abs().topk(count).indices,
        "you find {yours}, expected {expected}: a paragraph that points the other way, with a cosine near -1, "
        "counts as near",
    ),
    Mistake(
        "in the order of their numbers",
        lambda q, p, count: cosines(q, p).topk(count).indices.sort(dim=1).values,
        "you find {yours}, expected {expected}: the right ones, but sorted by their numbers. Best first",
    ),
)

EXERCISES = (
    Exercise(
        id="14.1",
        name="mean_pooling",
        reference=references.mean_pooling,
        stub=POOLING,
        probe=probe_pooling,
        hints=(
            "Padding should count neither in the sum nor in the number that you divide by.",
            "The mask has no last dimension: attention_mask[:, :, None] is (B, T, 1), which fits (B, T, H).",
        ),
        mistakes=POOLING_MISTAKES,
        notice="[CLS] and [SEP] are in the mean: that is how the encoder used here was tuned",
        difficulty=1,
        minutes=6,
        show=last_text,
        variants=(
            lambda vectors, mask: (
                torch.einsum("bth,bt->bh", vectors, mask.float()) / mask.sum(dim=1, keepdim=True)
            ),
            lambda vectors, mask: torch.stack(
                [v[m.bool()].mean(dim=0) for v, m in zip(vectors, mask, strict=True)]
            ),
        ),
    ),
    Exercise(
        id="14.2",
        name="nearest",
        reference=references.nearest,
        stub=NEAREST,
        probe=probe_nearest,
        hints=(
            "If every vector has length 1, a dot product is a cosine; one product of matrices gives all of them.",
            "functional.normalize(x, dim=1) divides each row by its length; topk(count, dim=1) has values and indices.",
        ),
        mistakes=NEAREST_MISTAKES,
        notice="one matrix product compares every question with every paragraph",
        difficulty=1,
        minutes=6,
        show=four,
        variants=(
            lambda q, p, count: functional.cosine_similarity(q[:, None], p[None], dim=2).topk(count).indices,
            lambda q, p, count: (q @ (p / p.norm(dim=1, keepdim=True)).T).argsort(dim=1, descending=True)[
                :, :count
            ],
        ),
    ),
)
