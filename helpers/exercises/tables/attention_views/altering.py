"""Notebook 10: other weights in the place of a head's own."""

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import attention_views as references

VISIBLE = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]], dtype=torch.bool)[:, None, None, :]

# 10.7 even_weights

EVEN = '''
def my_even_weights(weights, visible):
    """weights (B, A, T, T), visible (B, 1, 1, T), False for padding -> new weights (B, A, T, T).

    Every visible token gets the same share of each row, padding gets 0.
    """
    ...
'''


def some_weights():
    given = (
        torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(1)) * VISIBLE
    )  # B = 2, A = 3, T = 6
    return given / given.sum(dim=-1, keepdim=True)


def probe_even(even_weights):
    given = some_weights()
    yield "a text without padding", even_weights(given[:1], VISIBLE[:1])
    yield "with a shorter text", even_weights(given, VISIBLE.clone())


def long_text(parts):
    return parts["a text without padding"][0, 0, 0]


def short_text(parts):
    return parts["with a shorter text"][1, 0, 0]


EVEN_MISTAKES = (
    Mistake(
        "padding counts",
        lambda weights, visible: torch.full_like(weights, 1 / weights.shape[-1]),
        "of a text with three visible tokens and three of padding a row is {yours}, expected {expected}: padding gets "
        "its part, too. Among how many is the weight shared out?",
        show=short_text,
    ),
    Mistake(
        "not divided anew",
        lambda weights, visible: torch.ones_like(weights) * visible / weights.shape[-1],
        "of a text with three visible tokens a row is {yours}, expected {expected}: it adds up to a half. Padding gets "
        "nothing, but its part is lost instead of shared out",
        show=short_text,
    ),
    Mistake(
        "ones",
        lambda weights, visible: torch.ones_like(weights) * visible,
        "a row of six visible tokens is {yours}, expected {expected}: all weights are equal, but they don't add up to 1",
        show=long_text,
    ),
    Mistake(
        "divided by the batch's tokens",
        lambda weights, visible: torch.ones_like(weights) * visible / visible.sum(),
        "with a shorter text in the batch, its row is {yours}, expected {expected}: the tokens of both texts are "
        "counted together. Each text has its own number",
        show=short_text,
    ),
    Mistake(
        "softmax of the mask",
        lambda weights, visible: (torch.ones_like(weights) * visible).softmax(dim=-1),
        "of a text with three visible tokens a row is {yours}, expected {expected}: softmax gives padding a share, too, "
        "since e to the power of 0 is 1. What must stand there before softmax, or instead of it?",
        show=short_text,
    ),
    Mistake(
        "softmax of the given weights",
        lambda weights, visible: weights.masked_fill(~visible, float("-inf")).softmax(dim=-1),
        "a row of six visible tokens is {yours}, expected {expected}: softmax of the old weights flattens them, but they "
        "are not yet equal. What would scores have to be for that?",
        show=long_text,
    ),
    Mistake(
        "mean over the heads",
        lambda weights, visible: weights.mean(dim=1, keepdim=True).expand_as(weights).clone(),
        "a row of six visible tokens is {yours}, expected {expected}: this is the mean over the heads. The weights of one "
        "row are to be equal",
        show=long_text,
    ),
    Mistake(
        "along the tokens that look",
        lambda weights, visible: (
            torch.ones_like(weights) * visible.transpose(-1, -2) / visible.sum(dim=-1, keepdim=True)
        ),
        "of a text with three visible tokens a row is {yours}, expected {expected}: whole rows are zero or full, "
        "instead of columns. Padding is what must not be looked at: row or column?",
        show=short_text,
    ),
    Mistake(
        "one row for all",
        lambda weights, visible: visible / visible.sum(dim=-1, keepdim=True),
        "the numbers are right, but there is one row for each text: every head and every token that looks needs its own",
    ),
    Mistake(
        "padding gets it",
        lambda weights, visible: (
            (~visible / (~visible).sum(dim=-1, keepdim=True).clamp_min(1)).expand_as(weights)
        ),
        "a row of six visible tokens is {yours}, expected {expected}: the tokens that can be seen get nothing; padding would get "
        "all. What does True mean in `visible`?",
        show=long_text,
    ),
    Mistake(
        "one token too few",
        lambda weights, visible: (visible / (visible.sum(dim=-1, keepdim=True) - 1)).expand_as(weights),
        "a row of six visible tokens is {yours}, expected {expected}: you divide by one token too few, so the row adds up to "
        "more than 1",
        show=long_text,
    ),
    Mistake(
        "only the largest",
        lambda weights, visible: torch.zeros_like(weights).scatter(-1, weights.argmax(-1, keepdim=True), 1.0),
        "a row of six visible tokens is {yours}, expected {expected}: one token gets everything; every visible one should get "
        "the same",
        show=long_text,
    ),
)

# 10.8 shuffled_weights

SHUFFLED = '''
def my_shuffled_weights(weights, visible):
    """weights (B, A, T, T), visible (B, 1, 1, T) -> the weights of each row in another order, (B, A, T, T).

    The order is drawn at random, for every row anew. Padding, which stands at the end of each row and has the
    weight 0, takes no part.
    """
    ...
'''


def probe_shuffled(shuffled_weights):
    given = (
        torch.tensor([0.3, 0.4, 0.1, 0.15, 0.01, 0.04]).expand(1, 3, 6, 6).clone()
    )  # the same in every row
    got = shuffled_weights(given, VISIBLE[:1])
    yield "the sum of a row", got.sum(dim=-1)
    yield "one text, the weights of a row by size", got.sort(dim=-1, descending=True).values
    yield "another order in most rows", bool(((got - given).abs().amax(dim=-1) > 1e-6).float().mean() > 0.8)
    orders = {tuple(row) for row in got.flatten(0, 2).mul(1000).round().long().tolist()}
    yield "rows with orders of their own", len(orders) > 9
    yield "heads with orders of their own", bool((got[0, 0] - got[0, 1]).abs().max() > 1e-6)
    firsts = got[..., 0].flatten()
    yield "each weight comes first somewhere", len({round(w, 3) for w in firsts.tolist()}) > 2
    given = some_weights()
    got = shuffled_weights(given, VISIBLE.clone())
    yield "padding", got[1, ..., 3:].amax()
    moved = (got[0, ..., 3:] - given[0, ..., 3:]).abs().amax(dim=-1) > 1e-6
    yield "the longer text, its last three columns have other weights", bool(moved.float().mean() > 0.6)
    yield "two texts, the weights of a row by size", got.sort(-1).values - given.sort(-1).values


def sorted_row(parts):
    return parts["one text, the weights of a row by size"][0, 0, 0]


def padding(parts):
    return parts["padding"]


def _order(lots):
    """The weights of each row in the order of such numbers."""
    return lambda weights, visible: weights.gather(
        -1, lots(weights, visible).expand_as(weights).argsort(dim=-1)
    )


def shuffled_drawn_anew(weights, visible):
    drawn = torch.rand_like(weights) * visible
    return drawn / drawn.sum(dim=-1, keepdim=True)


def shuffled_and_masked(weights, visible):
    return _order(lambda weights, visible: torch.rand_like(weights))(weights, visible) * visible


def shuffled_to_the_shortest(weights, visible):
    count = int(visible.sum(dim=-1).min())
    found = weights.clone()
    lots = torch.rand(weights[..., :count].shape)
    found[..., :count] = weights[..., :count].gather(-1, lots.argsort(dim=-1))
    return found


def shuffled_in_loops(weights, visible):
    found = torch.zeros_like(weights)
    for b in range(len(weights)):
        count = int(visible[b].sum())
        for a in range(weights.shape[1]):
            for i in range(weights.shape[2]):
                found[b, a, i, :count] = weights[b, a, i, :count][torch.randperm(count)]
    return found


SHUFFLED_MISTAKES = (
    Mistake(
        "rows instead of weights",
        lambda weights, visible: weights[
            :, :, torch.randperm(weights.shape[2], generator=torch.Generator().manual_seed(4))
        ],
        "where all rows of a text are equal, nothing has changed: you put the rows in another order, and each row's own "
        "weights should move, along the last dimension",
    ),
    Mistake(
        "one order for all rows",
        _order(
            lambda weights, visible: (
                torch.rand(weights.shape[-1]).expand_as(weights).masked_fill(~visible, 2.0)
            )
        ),
        "all rows that were equal are still equal: with one order for all (or sorted by size) what was looked at by all "
        "is one column as before, only another one. Draw for every row anew",
    ),
    Mistake(
        "one order for each row number, the same in all heads",
        _order(
            lambda weights, visible: torch.rand(weights.shape[:1] + (1,) + weights.shape[2:]).masked_fill(
                ~visible, 2.0
            )
        ),
        "the rows of a head have orders of their own, but all heads the same ones. Draw as many numbers as there are "
        "weights",
    ),
    Mistake(
        "new random weights",
        shuffled_drawn_anew,
        "by size, the weights of the first row are {yours}, expected {expected}: these are new weights. The ones that "
        "were there should come back, in other columns",
        show=sorted_row,
    ),
    Mistake(
        "padding takes part",
        _order(lambda weights, visible: torch.rand_like(weights)),
        "right without padding, but with it a token of padding gets the weight {yours}, expected {expected}: what is "
        "padding must keep its place at the end",
        show=padding,
    ),
    Mistake(
        "masked afterwards",
        shuffled_and_masked,
        "padding gets nothing, but by size the weights of the shorter text have changed ({where} yours is off by "
        "{yours}): what chance dealt to padding was thrown away. Keep padding out of the draw instead",
        show=False,
    ),
    Mistake(
        "backwards",
        lambda weights, visible: weights.flip(-1),
        "every row is turned round, which is one order for all, and not drawn at random; and padding comes to the front",
    ),
    Mistake(
        "numbers of places",
        lambda weights, visible: torch.rand_like(weights).masked_fill(~visible, 2.0).argsort(dim=-1),
        "these are the new places; the weights must still be fetched from them",
    ),
    Mistake(
        "only as far as the shortest text",
        shuffled_to_the_shortest,
        "in the longer text only the first columns have been shuffled, as many as the shorter one has tokens. Each text "
        "has its own number",
    ),
    Mistake(
        "drawn with repetition",
        lambda weights, visible: (
            weights.gather(-1, torch.randint(0, weights.shape[-1], weights.shape)) * visible
        ),
        "rows no longer add up to 1 (yours to {yours}): every place draws a weight by itself, so some weights come twice "
        "and some not at all. An order uses each once",
        show=lambda parts: parts["the sum of a row"][0, 0],
    ),
    Mistake(
        "as it was",
        lambda weights, visible: weights.clone(),
        "nothing has changed its place",
    ),
    Mistake(
        "heads instead of weights",
        lambda weights, visible: weights.gather(1, torch.rand(weights.shape).argsort(dim=1)),
        "weights of the same place are exchanged between the heads; they should move within their row, to other tokens: along "
        "which dimension do these lie?",
    ),
)

EXERCISES = (
    Exercise(
        id="10.7",
        name="even_weights",
        reference=references.even_weights,
        stub=EVEN,
        probe=probe_even,
        hints=(
            "In a text with three visible tokens each gets a third. How many are visible in each text, and what shape "
            "must that number have to divide a table of (B, A, T, T)?",
            "Ones of the shape of the weights, times `visible`, have zeros where padding is; divide by the number of "
            "visible tokens, `sum` along the last dimension with `keepdim=True`.",
        ),
        mistakes=EVEN_MISTAKES,
        notice="with even weights no query and no key is read any more: the head gives every token the mean of the values",
        asks={
            "a text without padding": "Six visible tokens get a sixth each",
            "with a shorter text": "Each text shares out among its own visible tokens, and padding gets 0",
        },
        difficulty=1,
        minutes=6,
        fresh=True,
        variants=(
            lambda weights, visible: (
                torch.zeros_like(weights).masked_fill(~visible, float("-inf")).softmax(dim=-1)
            ),
            lambda weights, visible: (
                (visible.float() / visible.float().sum(-1, keepdim=True)).expand_as(weights).clone()
            ),
        ),
    ),
    Exercise(
        id="10.8",
        name="shuffled_weights",
        reference=references.shuffled_weights,
        stub=SHUFFLED,
        probe=probe_shuffled,
        hints=(
            "Draw lots: a random number for every weight. The order of the numbers in a row is a random order of its "
            "columns. What number must padding draw, so that it comes last for sure?",
            "`torch.rand` of the shape of the weights gives numbers below 1; `masked_fill(~visible, 2.0)` sends padding "
            "to the end; `argsort` along the last dimension makes places of numbers.",
            "`weights.gather(-1, places)` fetches, in every row, the weights from these places.",
        ),
        mistakes=SHUFFLED_MISTAKES,
        notice="the entropy of each row stays exactly what it was: as sharp as before, only at other tokens",
        asks={
            "the sum of a row": "The weights of a row only change places, so its sum stays 1",
            "one text, the weights of a row by size": "The weights of a row stay the same numbers",
            "another order in most rows": "The weights move *within* their row: along the last dimension, and by chance",
            "rows with orders of their own": "Every row draws an order of its own",
            "heads with orders of their own": "Every head draws orders of its own",
            "padding": "Padding keeps its weight of 0, at the end of the row",
        },
        difficulty=3,
        minutes=15,
        variants=(shuffled_in_loops,),
    ),
)
