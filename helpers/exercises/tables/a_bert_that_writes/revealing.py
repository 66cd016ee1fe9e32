"""Exercise 20.3. Which gaps to fill in a step."""

import torch

from helpers import writing
from helpers.exercises.exercise import Exercise, Mistake

REVEAL = '''
def my_positions_to_reveal(scores, hidden, keep):
    """The hidden places to fill in this step, those with the highest scores: (B, T) boolean.

    scores (B, T): how sure the model is. hidden (B, T) boolean: where [MASK] stands. keep (B, 1): how many
    of each text are to stay hidden; all other hidden places are filled. A place that is not hidden is never
    chosen, whatever its score. Of equal scores the one further left is filled first.
    """
    ...
'''


def given():
    scores = torch.tensor([
        [0.99, 0.30, 0.70, 0.10, 0.50, 0.60],
        [0.20, 0.95, 0.40, 0.80, 0.15, 0.98],
        [0.35, 0.25, 0.45, 0.65, 0.55, 0.75],
    ])  # fmt: skip
    hidden = torch.tensor([
        [False, True, True, True, True, False],
        [True, False, True, True, True, False],
        [True, True, True, True, True, True],
    ])  # fmt: skip
    return scores, hidden, torch.tensor([[1], [2], [4]])


def probe_reveal(positions_to_reveal):
    scores, hidden, keep = given()
    yield "three texts", positions_to_reveal(scores, hidden, keep).long()
    yield "nothing stays hidden", positions_to_reveal(scores, hidden, torch.zeros_like(keep)).long()
    equal = torch.full((1, 5), 0.5)
    everywhere = torch.ones(1, 5, dtype=torch.bool)
    yield "equal scores", positions_to_reveal(equal, everywhere, torch.tensor([[3]])).long()
    more = positions_to_reveal(scores, hidden, torch.tensor([[5], [4], [6]]))
    yield "nothing to fill", more.long()


def reveal_with(
    mask=True, descending=True, keep=lambda keep, hidden: hidden.sum(dim=1, keepdim=True) - keep, ranks=None
):
    def program(scores, hidden, given_keep):
        held = scores.masked_fill(~hidden, -torch.inf if descending else torch.inf) if mask else scores
        order = held.argsort(dim=1, descending=descending, stable=True)
        rank = ranks(order) if ranks else order.argsort(dim=1)
        return hidden & (rank < keep(given_keep, hidden))

    return program


def reveal_one_number(scores, hidden, keep):
    count = int((hidden.sum(dim=1) - keep[:, 0]).float().mean().round())
    rank = scores.masked_fill(~hidden, -torch.inf).argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    return hidden & (rank < count)


def reveal_by_limit(scores, hidden, keep):
    found = torch.zeros_like(hidden)
    for row in range(len(scores)):
        count = int(hidden[row].sum() - keep[row])
        if count > 0:
            limit = scores[row][hidden[row]].sort(descending=True).values[count - 1]
            found[row] = hidden[row] & (scores[row] >= limit)
    return found


def reveal_over_the_batch(scores, hidden, keep):
    count = int((hidden.sum(dim=1) - keep[:, 0]).clamp(min=0).sum())
    flat = scores.masked_fill(~hidden, -torch.inf).flatten()
    found = torch.zeros_like(flat, dtype=torch.bool)
    found[flat.argsort(descending=True, stable=True)[:count]] = True
    return found.view_as(hidden) & hidden


def reveal_by_loop(scores, hidden, keep):
    found = torch.zeros_like(hidden)
    for row in range(len(scores)):
        places = sorted(
            hidden[row].nonzero()[:, 0].tolist(), key=lambda place: (-scores[row, place].item(), place)
        )
        for place in places[: max(0, len(places) - int(keep[row]))]:
            found[row, place] = True
    return found


def reveal_by_topk(scores, hidden, keep):
    found = torch.zeros_like(hidden)
    held = scores.masked_fill(~hidden, -torch.inf)
    for row in range(len(scores)):
        count = max(0, int(hidden[row].sum() - keep[row]))
        found[row, held[row].argsort(descending=True, stable=True)[:count]] = True
    return found & hidden


def shown(parts):
    return parts["three texts"]


REVEAL_MISTAKES = (
    Mistake(
        "the least sure first",
        reveal_with(descending=False),
        "three texts give {yours}, expected {expected}: the places of which the model is least sure are filled",
        show=shown,
    ),
    Mistake(
        "visible places ranked, too",
        reveal_with(mask=False),
        "three texts give {yours}, expected {expected}: places that are not hidden take ranks, and too few gaps are filled. "
        "What score keeps a place out of the ranking?",
        show=shown,
    ),
    Mistake(
        "keep of them filled",
        reveal_with(keep=lambda keep, hidden: keep),
        "three texts give {yours}, expected {expected}: `keep` says how many stay hidden, not how many are filled",
        show=shown,
    ),
    Mistake(
        "one argsort",
        reveal_with(ranks=lambda order: order),
        "three texts give {yours}, expected {expected}: argsort says which place comes first, second, third. Which rank a "
        "place has is the argsort of that",
        show=shown,
    ),
    Mistake(
        "counted from all places",
        reveal_with(keep=lambda keep, hidden: hidden.shape[1] - keep),
        "three texts give {yours}, expected {expected}: you fill T - keep places. Some are no gaps any more: count from the "
        "hidden ones",
        show=shown,
    ),
    Mistake(
        "one number for the batch",
        reveal_one_number,
        "three texts give {yours}, expected {expected}: the same number is filled in every text; each has a `keep` of its own",
        show=shown,
    ),
    Mistake(
        "ranked over the batch",
        reveal_over_the_batch,
        "three texts give {yours}, expected {expected}: the surest of the whole batch are filled, and one text gets ahead of "
        "another. Rank within each row",
        show=shown,
    ),
    Mistake(
        "all that reach the limit",
        reveal_by_limit,
        "with equal scores you fill {yours}, expected {expected}: all that are as high as the last one are taken, more than "
        "wanted. Ranks are never equal",
        show=lambda parts: parts["equal scores"],
    ),
)

EXERCISES = (
    Exercise(
        id="20.3",
        name="positions_to_reveal",
        reference=writing.positions_to_reveal,
        stub=REVEAL,
        probe=probe_reveal,
        hints=(
            "Give the places that are not hidden a score below all others, and rank each row.",
            "argsort of an argsort gives ranks: 0 for the highest with descending=True. A stable one leaves equal scores in order "
            "(with stable=True PyTorch takes names only: dim=1).",
            "hidden & (ranks < hidden.sum(dim=1, keepdim=True) - keep).",
        ),
        mistakes=REVEAL_MISTAKES,
        notice="with random scores the same function chooses at random: the order is a matter of the scores alone",
        difficulty=2,
        minutes=12,
        variants=(reveal_by_loop, reveal_by_topk),
    ),
)
