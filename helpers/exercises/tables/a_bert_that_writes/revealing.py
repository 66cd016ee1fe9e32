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
    yield "scores below zero", positions_to_reveal(scores.log(), hidden, keep).long()
    equal = torch.full((1, 20), 0.5)  # of fewer than 17 an argsort that is not stable keeps the order, too
    everywhere = torch.ones(1, 20, dtype=torch.bool)
    yield "equal scores", positions_to_reveal(equal, everywhere, torch.tensor([[15]])).long()
    more = positions_to_reveal(scores, hidden, torch.tensor([[5], [4], [6]]))
    yield "nothing to fill", more.long()
    yield "kind of the answer", str(more.dtype)


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


def held(scores, hidden, value=-torch.inf):
    return scores.masked_fill(~hidden, value)


def ranked(scores, dim=1, descending=True):
    return scores.argsort(dim=dim, descending=descending, stable=True).argsort(dim=dim)


def wanted(hidden, keep):
    return hidden.sum(dim=1, keepdim=True) - keep


def reveal_the_largest_number(scores, hidden, keep):
    return hidden & (ranked(held(scores, hidden)) < wanted(hidden, keep).max())


def reveal_by_number_of_the_gap(scores, hidden, keep):
    found = torch.zeros_like(hidden)
    for row in range(len(scores)):
        count = max(0, int(hidden[row].sum() - keep[row]))
        found[row, scores[row][hidden[row]].argsort(descending=True, stable=True)[:count]] = True
    return found


def reveal_from_the_right(scores, hidden, keep):
    return hidden & (ranked(held(scores, hidden, torch.inf), descending=False) >= keep)


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
        "visible places chosen",
        lambda scores, hidden, keep: ranked(scores) < wanted(hidden, keep),
        "three texts give {yours}, expected {expected}: places that are not hidden are filled, where a word stands already. "
        "Where does `hidden` come in?",
        show=shown,
    ),
    Mistake(
        "the hidden out of the ranking",
        lambda scores, hidden, keep: hidden & (ranked(held(scores, ~hidden)) < wanted(hidden, keep)),
        "three texts give {yours}, expected {expected}: the low score went to the hidden places, so the visible ones come "
        "first. masked_fill fills where its table is True: where should that be?",
        show=shown,
    ),
    Mistake(
        "places among the gaps",
        reveal_by_number_of_the_gap,
        "three texts give {yours}, expected {expected}: you rank the gaps alone, and take the first, second, third gap for places 0, "
        "1, 2 of the text. At which place does a gap stand?",
        show=shown,
    ),
    Mistake(
        "0 for what is visible",
        lambda scores, hidden, keep: hidden & (ranked(held(scores, hidden, 0.0)) < wanted(hidden, keep)),
        "with scores between 0 and 1 all is right; with their logarithms, all below 0, you fill {yours}, expected "
        "{expected}: what is visible has the score 0 with you. Which score is below every other?",
        show=lambda parts: parts["scores below zero"],
    ),
    Mistake(
        "one too many",
        lambda scores, hidden, keep: hidden & (ranked(held(scores, hidden)) <= wanted(hidden, keep)),
        "three texts give {yours}, expected {expected}: one too many in each text. Ranks begin at 0; which ones are the first "
        "two?",
        show=shown,
    ),
    Mistake(
        "one too few",
        lambda scores, hidden, keep: hidden & (ranked(held(scores, hidden)) < wanted(hidden, keep) - 1),
        "three texts give {yours}, expected {expected}: one too few in each text. Ranks begin at 0; which ones are the first "
        "two?",
        show=shown,
    ),
    Mistake(
        "what stays",
        lambda scores, hidden, keep: hidden & (ranked(held(scores, hidden)) >= wanted(hidden, keep)),
        "three texts give {yours}, expected {expected}: exactly the gaps that are to stay hidden. True means that a place is "
        "filled now",
        show=shown,
    ),
    Mistake(
        "every gap",
        lambda scores, hidden, keep: hidden.clone(),
        "three texts give {yours}, expected {expected}: every gap is filled at once. What does `keep` ask for?",
        show=shown,
    ),
    Mistake(
        "one in each step",
        lambda scores, hidden, keep: hidden & (ranked(held(scores, hidden)) < 1),
        "three texts give {yours}, expected {expected}: only the surest place of each text is filled. How many are to be left?",
        show=shown,
    ),
    Mistake(
        "ranked down the columns",
        lambda scores, hidden, keep: hidden & (ranked(held(scores, hidden), dim=0) < wanted(hidden, keep)),
        "three texts give {yours}, expected {expected}: each place is ranked among the same places of other texts. Along which "
        "dimension do the places of one text lie?",
        show=shown,
    ),
    Mistake(
        "the largest number for all",
        reveal_the_largest_number,
        "three texts give {yours}, expected {expected}: where one text has three to fill, you fill three in all of them. Each "
        "has its own number",
        show=shown,
    ),
    Mistake(
        "equal scores from the right",
        reveal_from_the_right,
        "with equal scores you fill the places {yours}, expected {expected}: those furthest to the right. Of equal ones the left one "
        "comes first; from which end do you rank?",
        show=lambda parts: parts["equal scores"][0].nonzero()[:, 0],
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
        "with equal scores you fill the places {yours}, expected {expected}: all that are as high as the last one are taken, more than "
        "wanted. Ranks are never equal",
        show=lambda parts: parts["equal scores"][0].nonzero()[:, 0],
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
        asks={
            "three texts": "in these texts 4, 4 and 6 places are hidden, and 1, 2 and 4 are to stay so: count what you fill in "
            "each row, and see whether each of them is a gap",
            "scores below zero": "these are the logarithms of the scores before, in the same order, so nothing should change: "
            "which score has what is visible with you, and is it below all of them?",
            "nothing to fill": "of one text more are to stay hidden than there are: what do you do when the number to fill is "
            "below 0?",
            "kind of the answer": "the places are right; whoever uses them wants True and False, not 1 and 0",
            "equal scores": "of equal scores the one further left is filled first; argsort promises that only with "
            "stable=True",
        },
        notice="with random scores the same function chooses at random: the order is a matter of the scores alone",
        difficulty=2,
        minutes=12,
        variants=(reveal_by_loop, reveal_by_topk),
    ),
)
