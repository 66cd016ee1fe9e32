"""Exercise 6.2. Which tokens are hidden."""

import torch

from helpers import pretraining
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.tables.mlm_pretraining.small import (
    TOKENIZER,
    About,
    rows,
    shape_of,
)

CHOOSE = '''
def my_choose_positions(ids, tokenizer, rate, generator):
    """Choose tokens of every text by chance, none of them special: (B, T) boolean.

    places_to_mask(ids, tokenizer, rate) says where, and how many of each text: exactly so many. All chance
    comes from torch.rand(..., generator=generator), so that a seed repeats it.
    """
    ...
'''


def probe_choose(choose_positions):
    def chosen(ids, seed=1, rate=0.15):
        return choose_positions(ids, TOKENIZER, rate, torch.Generator().manual_seed(seed))

    few = rows([6, 3], 9)
    yield "the form", shape_of(chosen(few))
    long = rows([18] * 300, 25)
    found = chosen(long)
    yield "a special token is chosen", bool((found & (long < 10)).any())
    yield "special tokens chosen in a text", About((found & (long < 10)).sum(1).float().mean(), 0.12)
    yield "chosen of 18 words", About(found.sum(1).float().mean(), 0.12)
    yield "as many in every text of 18 words", bool((found.sum(1) == found.sum(1)[0]).all())
    mixed = rows([18, 2] * 150, 25)
    yield "chosen of 2 words", About(chosen(mixed)[1::2].sum(1).float().mean(), 0.12)
    yield "the same places in every text", bool((found == found[0]).all())
    yield "how often the first word", About(found[:, 1].float().mean(), 0.15)
    yield "the same seed gives the same", bool((chosen(long) == found).all())
    yield "another seed gives the same", bool((chosen(long, seed=2) == found).all())
    yield "at a rate of 1 every word is chosen", bool((chosen(few, rate=1.0) == (few >= 10)).all())


def _choose(ids, tokenizer, rate, generator, *, draws=None, hide=True, count=None):
    places, number = pretraining.places_to_mask(ids, tokenizer, rate)
    drawn = draws(ids, places) if draws else torch.rand(ids.shape, generator=generator)
    drawn = drawn.masked_fill(~places, 2.0) if hide else drawn
    number = count(ids, number, rate) if count else number
    limit = drawn.sort(dim=1).values.gather(1, number - 1)
    return (drawn <= limit) & (places | (not hide))


def choose_variant(**changes):
    return lambda ids, tokenizer, rate, generator: _choose(ids, tokenizer, rate, generator, **changes)


def choose_by_one_argsort(ids, tokenizer, rate, generator):
    places, number = pretraining.places_to_mask(ids, tokenizer, rate)
    drawn = torch.rand(ids.shape, generator=generator).masked_fill(~places, 2.0)
    return drawn.argsort(dim=1) < number


def choose_by_coin(ids, tokenizer, rate, generator):
    return (torch.rand(ids.shape, generator=generator) < rate) & pretraining.places_to_mask(
        ids, tokenizer, rate
    )[0]


def choose_then_strike_out(ids, tokenizer, rate, generator):
    return (
        _choose(ids, tokenizer, rate, generator, hide=False)
        & pretraining.places_to_mask(ids, tokenizer, rate)[0]
    )


def choose_one_draw(ids, tokenizer, rate, generator):
    drawn = torch.rand(ids.shape[1], generator=generator).expand(ids.shape)
    return _choose(ids, tokenizer, rate, generator, draws=lambda *_: drawn)


def choose_own_seed(ids, tokenizer, rate, generator):
    return _choose(ids, tokenizer, rate, torch.Generator().manual_seed(0))


def choose_most_for_all(ids, tokenizer, rate, generator):
    return _choose(ids, tokenizer, rate, generator, count=lambda ids, n, rate: n.max().expand(n.shape))


def choose_with_replacement(ids, tokenizer, rate, generator):
    places, number = pretraining.places_to_mask(ids, tokenizer, rate)
    chosen = torch.zeros_like(places)
    for row in range(len(ids)):
        found = places[row].nonzero().flatten()
        draws = torch.rand(int(number[row]), generator=generator) * len(found)
        chosen[row, found[draws.long()]] = True
    return chosen


def choose_one_threshold(ids, tokenizer, rate, generator):
    places, number = pretraining.places_to_mask(ids, tokenizer, rate)
    drawn = torch.rand(ids.shape, generator=generator).masked_fill(~places, 2.0)
    return (drawn <= drawn.flatten().sort().values[number.sum() - 1]) & places


def choose_special_first(ids, tokenizer, rate, generator):
    places, number = pretraining.places_to_mask(ids, tokenizer, rate)
    drawn = torch.rand(ids.shape, generator=generator) * places
    return drawn <= drawn.sort(dim=1).values.gather(1, number - 1)


def choose_one_too_few(ids, tokenizer, rate, generator):
    places, number = pretraining.places_to_mask(ids, tokenizer, rate)
    drawn = torch.rand(ids.shape, generator=generator).masked_fill(~places, 2.0)
    return drawn < drawn.sort(dim=1).values.gather(1, number - 1)


def choose_one_too_many(ids, tokenizer, rate, generator):
    places, number = pretraining.places_to_mask(ids, tokenizer, rate)
    drawn = torch.rand(ids.shape, generator=generator).masked_fill(~places, 2.0)
    return (drawn <= drawn.sort(dim=1).values.gather(1, number)) & places


def choose_by_topk(ids, tokenizer, rate, generator):
    places, number = pretraining.places_to_mask(ids, tokenizer, rate)
    drawn = torch.rand(ids.shape, generator=generator) * places
    rank = drawn.argsort(dim=1, descending=True).argsort(dim=1)
    return rank < number


def choose_by_loop(ids, tokenizer, rate, generator):
    places, number = pretraining.places_to_mask(ids, tokenizer, rate)
    chosen = torch.zeros_like(places)
    for row in range(len(ids)):
        found = places[row].nonzero().flatten()
        order = torch.rand(len(found), generator=generator).argsort()
        chosen[row, found[order[: number[row]]]] = True
    return chosen


def of_18(parts):
    return parts["chosen of 18 words"]


def choose_most_by_topk(ids, tokenizer, rate, generator):
    places, number = pretraining.places_to_mask(ids, tokenizer, rate)
    drawn = torch.rand(ids.shape, generator=generator).masked_fill(~places, 2.0)
    found = drawn.topk(int(number.max()), dim=1, largest=False).indices
    return torch.zeros_like(places).scatter(1, found, True)


CHOOSE_MISTAKES = (
    Mistake(
        "the longest text's number for all, special tokens among them",
        choose_most_by_topk,
        "of a text of 2 words you choose {yours} on the average, expected {expected}: what is chosen in the longest text is chosen in all, and where the words are used up, special tokens are taken",
        show=lambda parts: parts["chosen of 2 words"],
    ),
    Mistake(
        "a coin for every token",
        choose_by_coin,
        "of 18 words you choose {yours} on the average, expected {expected} in each text: a coin for every token gives "
        "some texts many and others none. How can you be sure of the exact number?",
        show=of_18,
    ),
    Mistake(
        "one argsort for the ranks",
        choose_by_one_argsort,
        "special tokens are chosen, though their numbers are the largest: `argsort` says which *token* comes first, second, "
        "third; asked for is which rank each token has. What does a second `argsort`, of the first one's result, give?",
        show=False,
    ),
    Mistake(
        "special tokens take part",
        choose_variant(hide=False),
        "special tokens are chosen, too: [CLS] and padding draw numbers like the others. How can they be made to come "
        "last in the order?",
        show=False,
    ),
    Mistake(
        "special tokens struck out afterwards",
        choose_then_strike_out,
        "of 18 words you choose {yours} on the average, expected {expected}: special tokens take part in the draw and "
        "are struck out afterwards, so that too few are left. When do they have to be out?",
        show=of_18,
    ),
    Mistake(
        "the longest text's number for all",
        choose_most_for_all,
        "of a text of 2 words you choose {yours} on the average, expected {expected}: every text gets the number of the "
        "longest one",
        show=lambda parts: parts["chosen of 2 words"],
    ),
    Mistake(
        "one threshold for the batch",
        choose_one_threshold,
        "the number is right for the batch as a whole, but some texts of 18 words get more and others fewer than 3: one "
        "threshold serves all of them. Each text has its own smallest numbers",
    ),
    Mistake(
        "special tokens come first",
        choose_special_first,
        "special tokens are chosen, and of 18 words only {yours} on the average, expected {expected}: their numbers were "
        "made 0, and the smallest are chosen. To which end of the order do they belong?",
        show=of_18,
    ),
    Mistake(
        "one too few",
        choose_one_too_few,
        "of 18 words you choose {yours}, expected {expected}: the number at the threshold is itself one of those wanted",
        show=of_18,
    ),
    Mistake(
        "one too many",
        choose_one_too_many,
        "of 18 words you choose {yours}, expected {expected}: the third smallest number stands at which place of the "
        "sorted row, counted from 0?",
        show=of_18,
    ),
    Mistake(
        "with replacement",
        choose_with_replacement,
        "of 18 words you choose {yours} on the average, expected {expected}: places are drawn one by one, and the same "
        "place may be drawn twice. Which way of drawing can't do that?",
        show=of_18,
    ),
    Mistake(
        "one draw for all texts",
        choose_one_draw,
        "in every text the same places are chosen: one row of numbers is drawn for the whole batch, and it takes one "
        "for every text",
    ),
    Mistake(
        "always the first",
        choose_variant(draws=lambda ids, places: torch.arange(ids.shape[1]).expand(ids.shape) / 1000),
        "the first word of a text is chosen in a share of {yours} of the texts, expected {expected}: without chance, "
        "the model would never be asked for the end of a text",
        show=lambda parts: parts["how often the first word"],
    ),
    Mistake(
        "generator forgotten",
        choose_variant(draws=lambda ids, places: torch.rand(ids.shape)),
        "the number of places is right, but two runs with the same seed choose different ones: the chance does not come "
        "from the generator that you were given",
    ),
    Mistake(
        "a seed of its own",
        choose_own_seed,
        "whatever seed the generator has, the same places are chosen: you make a generator of your own, which begins "
        "anew in every call. Then a text is masked in the same way in every epoch",
    ),
)


EXERCISE = Exercise(
    id="6.2",
    name="choose_positions",
    reference=pretraining.choose_positions,
    stub=CHOOSE,
    probe=probe_choose,
    hints=(
        "Let every token draw a number, and take as many of the smallest as are wanted. What number would keep "
        "special tokens out of it?",
        "`torch.rand(ids.shape, generator=generator)` draws for all; `masked_fill(~places, 2.0)` puts special "
        "tokens at the end. The number that is just small enough stands in the sorted row.",
        "`draws.sort(dim=1).values.gather(1, count - 1)` is that number, (B, 1), for each text; compare the draws "
        "with it.",
    ),
    mistakes=CHOOSE_MISTAKES,
    notice="no loop over the texts is needed, though each has a number of its own: a threshold for each row does it",
    difficulty=3,
    minutes=15,
    variants=(choose_by_topk, choose_by_loop),
)
