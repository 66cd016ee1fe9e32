"""Nearest neighbors: exercise 5.13."""

import torch
from torch import nn

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import encoder as references

# 5.13 same_meaning_neighbors

NEIGHBORS = '''
def my_same_meaning_neighbors(vectors, meaning):
    """How many vectors have, as their nearest other vector by cosine, one of the same meaning.

    vectors: (B, H), of any length. meaning: (B,), such as 0 for a river and 1 for money.
    The result is a whole number (int).
    """
    ...
'''
MEANINGS = torch.tensor([0, 0, 0, 1, 1, 1, 1])


def probe_neighbors(same_meaning_neighbors):
    torch.manual_seed(NEIGHBOR_SEED)
    vectors = torch.randn(7, 3) * torch.tensor([1.0, 5, 0.3, 2, 1, 4, 0.5])[:, None]
    yield "seven vectors", same_meaning_neighbors(vectors, MEANINGS)
    yield (
        "all more or less opposite",
        same_meaning_neighbors(
            torch.tensor([[1.0, 0.1], [-0.6, 1.0], [-0.4, -1.1]]), torch.tensor([5, 7, 5])
        ),
    )
    axes = torch.eye(4) + 0.01 * torch.randn(4, 4)
    yield "three meanings", same_meaning_neighbors(axes, torch.tensor([2, 1, 2, 0]))


NEIGHBOR_SEED = 1


def _neighbors(vectors, meaning, *, unit=True, hide=float("-inf"), choose=torch.argmax, score=None):
    """Nearest neighbors with one thing done in another way; the indices of the chosen."""
    vectors = nn.functional.normalize(vectors, dim=-1) if unit else vectors
    scores = vectors @ vectors.T if score is None else score(vectors)
    if hide is not None:
        scores = scores.masked_fill(torch.eye(len(vectors), dtype=torch.bool), hide)
    return choose(scores, dim=1)


def hits_with(**changes):
    return lambda vectors, meaning: int((meaning[_neighbors(vectors, meaning, **changes)] == meaning).sum())


def hits_of_means(vectors, meaning):
    """Nearer, on average, to one's own meaning than to the others."""
    unit = nn.functional.normalize(vectors, dim=-1)
    cosines, same = unit @ unit.T, meaning[:, None] == meaning
    within = (cosines * same).sum(1) / same.sum(1)
    across = (cosines * ~same).sum(1) / (~same).sum(1)
    return int((within > across).sum())


def hits_with_loops(vectors, meaning):
    count = 0
    for i, one in enumerate(vectors):
        cosines = [
            -2.0 if i == j else torch.cosine_similarity(one, other, dim=0).item()
            for j, other in enumerate(vectors)
        ]
        count += meaning[cosines.index(max(cosines))].item() == meaning[i].item()
    return count


def seven(parts):
    return parts["seven vectors"]


NEIGHBORS_MISTAKES = (
    Mistake(
        "its own neighbor",
        hits_with(hide=None),
        "{yours} of seven, expected {expected}: everybody is nearest to himself, and of his own meaning. Who has to "
        "be left out?",
    ),
    Mistake(
        "products instead of cosines",
        hits_with(unit=False),
        "{yours} of seven, expected {expected}: long vectors win, since you compare products. A cosine knows only "
        "directions",
    ),
    Mistake(
        "the farthest",
        hits_with(hide=float("inf"), choose=torch.argmin),
        "{yours} of seven, expected {expected}: you choose the smallest cosine, and that is the farthest",
    ),
    Mistake(
        "normalized over the texts",
        hits_with(
            unit=False,
            score=lambda v: nn.functional.normalize(v, dim=0) @ nn.functional.normalize(v, dim=0).T,
        ),
        "{yours} of seven, expected {expected}: you bring columns to length 1, that is, each place over all vectors. "
        "It is each vector that should have length 1",
    ),
    Mistake(
        "places compared with meanings",
        lambda vectors, meaning: int((_neighbors(vectors, meaning) == meaning).sum()),
        "{yours} of seven, expected {expected}: `argmax` gives places, and you compare them with meanings. What is "
        "meant at that place?",
    ),
    Mistake(
        "misses",
        lambda vectors, meaning: int((meaning[_neighbors(vectors, meaning)] != meaning).sum()),
        "{yours} of seven, expected {expected}: you count those whose neighbor has another meaning",
    ),
    Mistake(
        "by distance",
        hits_with(unit=False, hide=float("inf"), choose=torch.argmin, score=lambda v: torch.cdist(v, v)),
        "{yours} of seven, expected {expected}: you compare distances between vectors of different lengths. By "
        "cosine, the length does not count",
    ),
    Mistake(
        "0 for oneself",
        hits_with(hide=0.0),
        "right for most, but of three vectors that point away from each other {yours} hit, expected {expected}: "
        "where all cosines are negative, the 0 that you give oneself is the largest",
        show=lambda parts: parts["all more or less opposite"],
    ),
    Mistake(
        "nearer on average",
        hits_of_means,
        "{yours} of seven, expected {expected}: you compare averages over all of one meaning. Asked for is the one "
        "nearest vector",
    ),
    Mistake(
        "share instead of number",
        lambda vectors, meaning: (meaning[_neighbors(vectors, meaning)] == meaning).float().mean().item(),
        "this is the share of hits; how many are they?",
    ),
    Mistake(
        "a list of hits",
        lambda vectors, meaning: meaning[_neighbors(vectors, meaning)] == meaning,
        "these are the hits, one by one; how many are they?",
    ),
    Mistake(
        "number as a tensor",
        lambda vectors, meaning: (meaning[_neighbors(vectors, meaning)] == meaning).sum(),
        "the count is right",
    ),
)

EXERCISES = (
    Exercise(
        id="5.13",
        name="same_meaning_neighbors",
        reference=references.same_meaning_neighbors,
        stub=NEIGHBORS,
        probe=probe_neighbors,
        hints=(
            "The cosines of all pairs are one matrix product of vectors of length 1 (`nn.functional.normalize`).",
            "In row i, leave out place i, and take the place of the largest; `meaning[places]` is what is meant there.",
            "`fill_diagonal_(float('-inf'))` leaves everybody out of his own row; `argmax(dim=1)` gives the places.",
        ),
        mistakes=NEIGHBORS_MISTAKES,
        notice="chance is not 50%: of six and six, one's own meaning has five of the other eleven",
        difficulty=2,
        minutes=8,
        show=seven,
        variants=(hits_with_loops, hits_with()),
    ),
)
