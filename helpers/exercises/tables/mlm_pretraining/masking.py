"""Which tokens are hidden, and what is put there."""

import torch

from helpers import pretraining
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.tables.mlm_pretraining.small import (
    CLS,
    MASK,
    PAD,
    SEP,
    TOKENIZER,
    UNK,
    About,
    rows,
    shape_of,
)
from helpers.pretraining import IGNORE

# 6.1 places_to_mask

PLACES = '''
def my_places_to_mask(ids, tokenizer, rate):
    """ids (B, T) -> places (B, T), True where no special token stands, and how many to choose, (B, 1).

    Special tokens are all those in SPECIAL_TOKENS; tokenizer.id_of["[PAD]"] is the id of one. How many:
    `rate` times the tokens of that text that are not special, rounded, at least one; whole numbers.
    """
    ...
'''


def probe_places(places_to_mask):
    ids = rows([18, 11, 2], 25)
    ids[0, 4], ids[1, 3] = UNK, MASK  # 17, 10 and 2 words are left
    places, count = places_to_mask(ids, TOKENIZER, 0.15)
    yield "where tokens may be chosen", places
    yield "how many", count
    yield "how many at a rate of 0.2", places_to_mask(ids, TOKENIZER, 0.2)[1]


def _places(ids, tokenizer, rate, *, special=None, count=None, result=None):
    """The right program with one thing done in another way."""
    numbers = torch.tensor([tokenizer.id_of[t] for t in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")])
    hidden = special(ids) if special else torch.isin(ids, numbers)
    right = (rate * (~hidden).sum(dim=1, keepdim=True)).round().long().clamp(min=1)
    number = count(ids, ~hidden, rate) if count else right
    return result(~hidden, number) if result else (~hidden, number)


def places_variant(**changes):
    return lambda ids, tokenizer, rate: _places(ids, tokenizer, rate, **changes)


def how_many(parts):
    return parts["how many"].flatten()


def how_many_at_two_tenths(parts):
    return parts["how many at a rate of 0.2"].flatten()


def special_places(parts):
    return parts["where tokens may be chosen"][0, [0, 1, 4, 19, 24]]


PLACES_MISTAKES = (
    Mistake(
        "only padding is special",
        places_variant(special=lambda ids: ids == PAD),
        "at the places of [CLS], a word, [UNK], [SEP] and [PAD] you say {yours}, expected {expected}: padding is not "
        "the only special token. Which tokens could nobody guess anything from?",
        show=special_places,
    ),
    Mistake(
        "[CLS], [SEP] and padding alone are special",
        places_variant(special=lambda ids: torch.isin(ids, torch.tensor([PAD, CLS, SEP]))),
        "at the places of [CLS], a word, [UNK], [SEP] and [PAD] you say {yours}, expected {expected}: [UNK] and "
        "[MASK] stand in the list of special tokens, too; guessing “unknown” teaches nothing",
        show=special_places,
    ),
    Mistake(
        "padding may be chosen",
        places_variant(special=lambda ids: torch.isin(ids, torch.tensor([CLS, SEP, UNK, MASK]))),
        "at the places of [CLS], a word, [UNK], [SEP] and [PAD] you say {yours}, expected {expected}: padding fills "
        "the row up and is no text, and yet it may be chosen, and counts among the 15%",
        show=special_places,
    ),
    Mistake(
        "inverted",
        places_variant(result=lambda places, count: (~places, count)),
        "at the places of [CLS], a word, [UNK], [SEP] and [PAD] you say {yours}, expected {expected}: True should say "
        "that a token *may* be chosen",
        show=special_places,
    ),
    Mistake(
        "rate of the whole row",
        places_variant(
            count=lambda ids, places, rate: torch.full((len(ids), 1), rate * ids.shape[1]).round().long()
        ),
        "the places are right, but to choose are {yours} tokens, expected {expected}: you take the rate of all T = 25 "
        "places of a row, padding included. A short text would be hidden nearly whole",
        show=how_many,
    ),
    Mistake(
        "specials counted, padding not",
        places_variant(
            count=lambda ids, places, rate: (
                (rate * (ids != PAD).sum(1, keepdim=True)).round().long().clamp(min=1)
            )
        ),
        "the places are right, but at a rate of 0.2 to choose are {yours} tokens, expected {expected}: the rate is taken "
        "of all tokens but padding, so [CLS] and [SEP] count. Of which tokens is a share to be hidden?",
        show=how_many_at_two_tenths,
    ),
    Mistake(
        "cut off instead of rounded",
        places_variant(
            count=lambda ids, places, rate: (rate * places.sum(1, keepdim=True)).long().clamp(min=1)
        ),
        "the places are right, but to choose are {yours} tokens, expected {expected}: what stands behind the point is "
        "cut off. Is 2.55 nearer to 2 or to 3? (10 × 0.15 = 1.5 is a tie, and `round` goes to the even number.)",
        show=how_many,
    ),
    Mistake(
        "always up",
        places_variant(
            count=lambda ids, places, rate: (rate * places.sum(1, keepdim=True)).ceil().long().clamp(min=1)
        ),
        "right at a rate of 0.15, but at 0.2 to choose are {yours} tokens, expected {expected}: you go up to the next whole "
        "number, and so hide more than was asked",
        show=how_many_at_two_tenths,
    ),
    Mistake(
        "none in a short text",
        places_variant(count=lambda ids, places, rate: (rate * places.sum(1, keepdim=True)).round().long()),
        "the places are right, but to choose are {yours} tokens, expected {expected}: of a text of two words you choose "
        "none, and a text with no question teaches nothing",
        show=how_many,
    ),
    Mistake(
        "one number for the batch",
        places_variant(
            count=lambda ids, places, rate: (rate * places.sum()).round().long().expand(len(ids), 1).clone()
        ),
        "the places are right, but to choose are {yours} tokens, expected {expected}: you add up the tokens of the whole "
        "batch. Each text has a number of its own: along which dimension do you add?",
        show=how_many,
    ),
)

# 6.2 choose_positions

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
    everything = chosen(few, rate=1.0)
    yield "at a rate of 1 every word is chosen", bool((everything == (few >= 10)).all())
    long = rows([18] * 300, 25)
    found = chosen(long)
    yield "a special token is chosen", bool((found & (long < 10)).any())
    yield "chosen of 18 words", About(found.sum(1).float().mean(), 0.12)
    yield "as many in every text of 18 words", bool((found.sum(1) == found.sum(1)[0]).all())
    mixed = rows([18, 2] * 150, 25)
    yield "chosen of 2 words", About(chosen(mixed)[1::2].sum(1).float().mean(), 0.12)
    yield "the same places in every text", bool((found == found[0]).all())
    yield "how often the first word", About(found[:, 1].float().mean(), 0.08)
    yield "the same seed gives the same", bool((chosen(long) == found).all())
    yield "another seed gives the same", bool((chosen(long, seed=2) == found).all())


def _choose(ids, tokenizer, rate, generator, *, draws=None, hide=True, count=None):
    places, number = pretraining.places_to_mask(ids, tokenizer, rate)
    drawn = draws(ids, places) if draws else torch.rand(ids.shape, generator=generator)
    drawn = drawn.masked_fill(~places, 2.0) if hide else drawn
    number = count(ids, number, rate) if count else number
    limit = drawn.sort(dim=1).values.gather(1, number - 1)
    return (drawn <= limit) & (places | (not hide))


def choose_variant(**changes):
    return lambda ids, tokenizer, rate, generator: _choose(ids, tokenizer, rate, generator, **changes)


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


CHOOSE_MISTAKES = (
    Mistake(
        "a coin for every token",
        choose_by_coin,
        "of 18 words you choose {yours} on the average, expected {expected} in each text: a coin for every token gives "
        "some texts many and others none. How can you be sure of the exact number?",
        show=of_18,
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

# 6.3 corrupt

CORRUPT = '''
def my_corrupt(ids, chosen, tokenizer, generator, shares=(0.8, 0.1, 0.1)):
    """Of the chosen tokens 80 % become [MASK], 10 % a random entry, 10 % stay: (corrupted, labels), (B, T).

    chosen: (B, T) boolean. shares: ([MASK], random, unchanged), with the sum 1. labels: the original id at
    every chosen place, IGNORE elsewhere. There are len(tokenizer.vocabulary) entries; torch.rand and
    torch.randint take generator=generator. ids stays as it is.
    """
    ...
'''


def probe_corrupt(corrupt):
    ids = rows([28] * 120, 30)
    chosen = (torch.rand(ids.shape, generator=torch.Generator().manual_seed(7)) < 0.4) & (ids >= 10)

    def run(shares, seed=3):
        return corrupt(ids, chosen, TOKENIZER, torch.Generator().manual_seed(seed), shares)

    read, labels = run((1.0, 0.0, 0.0))
    yield "what the model reads, all behind [MASK]", read
    yield "labels", labels
    read, labels = run((0.0, 0.0, 1.0))
    yield "what the model reads, all unchanged", read
    yield "labels of the unchanged", labels
    read, labels = run((0.0, 1.0, 0.0))
    yield "how many different random entries", About(len(read[chosen].unique()), 8)
    yield "they differ from text to text", bool((read[chosen] != read[0][chosen[0]][0]).any())
    read, labels = run((0.8, 0.1, 0.1))
    became, stayed = (read == MASK)[chosen].float(), (read == ids)[chosen].float()
    yield "share behind [MASK]", About(became.mean(), 0.06)
    yield "share unchanged", About(stayed.mean(), 0.045)
    yield "share of the others changed", About((read != ids)[~chosen & (ids >= 10)].float().mean(), 0.02)
    yield "share with a label", About((labels != IGNORE)[chosen].float().mean(), 0.02)
    per_text = ((read == MASK) & chosen).sum(1) / chosen.sum(1)
    yield "each token has a die of its own", bool(((per_text > 0) & (per_text < 1)).float().mean() > 0.5)
    yield "the same seed gives the same", bool((run((0.8, 0.1, 0.1))[0] == read).all())
    yield "another seed gives the same", bool((run((0.8, 0.1, 0.1), seed=4)[0] == read).all())


def _corrupt(ids, chosen, tokenizer, generator, shares=(0.8, 0.1, 0.1), *, labels=None, dice=None, entries=None,
             where=None, second=None):  # fmt: skip
    draws = dice(ids) if dice else torch.rand(ids.shape, generator=generator)
    size = len(tokenizer.vocabulary)
    drawn = entries(ids, size) if entries else torch.randint(size, ids.shape, generator=generator)
    places = where(ids) if where else chosen
    read = ids.masked_fill(places & (draws < shares[0]), tokenizer.id_of["[MASK]"])
    rest = second(draws, shares) if second else (draws >= shares[0]) & (draws < shares[0] + shares[1])
    read = torch.where(places & rest, drawn, read)
    right = ids.masked_fill(~chosen, IGNORE)
    return read, labels(ids, chosen, read, right) if labels else right


def corrupt_variant(**changes):
    def program(ids, chosen, tokenizer, generator, shares=(0.8, 0.1, 0.1)):
        return _corrupt(ids, chosen, tokenizer, generator, shares, **changes)

    return program


def corrupt_in_place(ids, chosen, tokenizer, generator, shares=(0.8, 0.1, 0.1)):
    read, labels = _corrupt(ids, chosen, tokenizer, generator, shares)
    ids[chosen] = read[chosen]
    return ids, labels


def corrupt_in_place_and_late(ids, chosen, tokenizer, generator, shares=(0.8, 0.1, 0.1)):
    ids[chosen] = _corrupt(ids, chosen, tokenizer, generator, shares)[0][chosen]
    return ids, ids.masked_fill(~chosen, IGNORE)


def corrupt_three_dice(ids, chosen, tokenizer, generator, shares=(0.8, 0.1, 0.1)):
    dice = torch.rand(3, *ids.shape, generator=generator)
    read = torch.where(chosen & (dice[0] < shares[0]), MASK, ids)
    entries = torch.randint(len(tokenizer.vocabulary), ids.shape, generator=generator)
    read = torch.where(chosen & (dice[1] < shares[1]), entries, read)
    return torch.where(chosen & (dice[2] < shares[2]), ids, read), ids.masked_fill(~chosen, IGNORE)


def corrupt_one_entry(ids, chosen, tokenizer, generator, shares=(0.8, 0.1, 0.1)):
    entry = torch.randint(len(tokenizer.vocabulary), (1,), generator=generator)
    return _corrupt(ids, chosen, tokenizer, generator, shares, entries=lambda ids, size: entry)


def corrupt_one_die_a_text(ids, chosen, tokenizer, generator, shares=(0.8, 0.1, 0.1)):
    die = torch.rand(len(ids), 1, generator=generator)
    return _corrupt(ids, chosen, tokenizer, generator, shares, dice=lambda ids: die)


def corrupt_fixed_shares(ids, chosen, tokenizer, generator, shares=(0.8, 0.1, 0.1)):
    return _corrupt(ids, chosen, tokenizer, generator)


def corrupt_own_chance(ids, chosen, tokenizer, generator, shares=(0.8, 0.1, 0.1)):
    return _corrupt(ids, chosen, tokenizer, None, shares)


def corrupt_by_loop(ids, chosen, tokenizer, generator, shares=(0.8, 0.1, 0.1)):
    read, labels = ids.clone(), torch.full_like(ids, IGNORE)
    dice = torch.rand(int(chosen.sum()), generator=generator).tolist()
    for (row, place), die in zip(chosen.nonzero().tolist(), dice, strict=True):
        labels[row, place] = ids[row, place]
        if die < shares[0]:
            read[row, place] = MASK
        elif die < shares[0] + shares[1]:
            read[row, place] = int(torch.randint(len(tokenizer.vocabulary), (1,), generator=generator))
    return read, labels


def behind_mask(parts):
    return parts["share behind [MASK]"]


def unchanged(parts):
    return parts["share unchanged"]


def first_labels(parts):
    return parts["labels"][0, 1:7]


CORRUPT_MISTAKES = (
    Mistake(
        "every token corrupted",
        corrupt_variant(where=lambda ids: ids >= 10),
        "tokens that were not chosen are changed, too: where nothing is asked, the text has to stay as it is",
    ),
    Mistake(
        "labels after corrupting",
        corrupt_variant(labels=lambda ids, chosen, read, right: read.masked_fill(~chosen, IGNORE)),
        "the first labels are {yours}, expected {expected}: they are what stands in the text *after* it was corrupted, "
        "so the model would be asked to say [MASK] where it reads [MASK]. Where is the original?",
        show=first_labels,
    ),
    Mistake(
        "ids changed, labels too late",
        corrupt_in_place_and_late,
        "the first labels are {yours}, expected {expected}, and your function writes into `ids`, which the caller still "
        "needs: after that nobody knows what stood there",
        show=first_labels,
    ),
    Mistake(
        "ids changed",
        corrupt_in_place,
        "both results are right, but your function writes into `ids`, which the caller still needs: the next epoch "
        "would read a text with holes. On what do you work instead?",
    ),
    Mistake(
        "labels inverted",
        corrupt_variant(labels=lambda ids, chosen, read, right: ids.masked_fill(chosen, IGNORE)),
        "the first labels are {yours}, expected {expected}: they stand where nothing was chosen, and the model is asked "
        "for what it can read",
        show=first_labels,
    ),
    Mistake(
        "labels everywhere",
        corrupt_variant(labels=lambda ids, chosen, read, right: ids.clone()),
        "the first labels are {yours}, expected {expected}: every token has its label, and the model is mostly asked for "
        "what it can read. What says “nothing is asked here”?",
        show=first_labels,
    ),
    Mistake(
        "0 instead of IGNORE",
        corrupt_variant(labels=lambda ids, chosen, read, right: ids.masked_fill(~chosen, 0)),
        "the first labels are {yours}, expected {expected}: 0 is an entry of the vocabulary like others, and the loss "
        "would ask for it",
        show=first_labels,
    ),
    Mistake(
        "labels at [MASK] alone",
        corrupt_variant(labels=lambda ids, chosen, read, right: right.masked_fill(read != MASK, IGNORE)),
        "of the chosen tokens only those behind [MASK] have a label: the model must say the original in all three cases, "
        "or it would learn that a visible token is always right",
    ),
    Mistake(
        "three dice",
        corrupt_three_dice,
        "{yours} of the chosen tokens are behind [MASK], expected {expected}: you throw a new die for each of the three "
        "cases, and a later case undoes an earlier one. One die for each token has to decide between the three",
        show=behind_mask,
    ),
    Mistake(
        "a tenth of the rest",
        corrupt_variant(second=lambda draws, s: (draws >= s[0]) & (draws < s[0] + (1 - s[0]) * s[1])),
        "{yours} of the chosen tokens stay unchanged, expected {expected}: you take 10% of those that [MASK] left over. "
        "10% of what is asked for?",
        show=unchanged,
    ),
    Mistake(
        "the rest is random",
        corrupt_variant(second=lambda draws, s: (draws >= s[0]) & (s[2] < 1)),
        "{yours} of the chosen tokens stay unchanged, expected {expected}: what does not become [MASK] becomes random, "
        "and nothing is left as it was",
        show=unchanged,
    ),
    Mistake(
        "one random entry",
        corrupt_one_entry,
        "with all chosen tokens made random there stand {yours} different entries, expected about {expected}: one entry "
        "was drawn for the whole batch",
        show=lambda parts: parts["how many different random entries"],
    ),
    Mistake(
        "one die for a text",
        corrupt_one_die_a_text,
        "the shares are about right, but all chosen tokens of a text have the same fate: one die was thrown for each "
        "text. Which shape has one die for every token?",
    ),
    Mistake(
        "shares fixed",
        corrupt_fixed_shares,
        "with `shares=(1, 0, 0)` every chosen token should stand behind [MASK], and yours does not: the 80 / 10 / 10 is "
        "written into the function, and the parameter is not looked at",
    ),
    Mistake(
        "generator forgotten",
        corrupt_own_chance,
        "the shares are right, but the same seed gives two different results: where do your random numbers come from?",
    ),
)

EXERCISES = (
    Exercise(
        id="6.1",
        name="places_to_mask",
        reference=pretraining.places_to_mask,
        stub=PLACES,
        probe=probe_places,
        hints=(
            "Two results: a table of True and False, and a column of numbers. The second is counted from the first.",
            "`torch.isin(ids, tensor)` is True where an id stands in a list; True counts as 1 when you add up.",
            "`places.sum(dim=1, keepdim=True)` counts each text and keeps the shape (B, 1); then `round`, `long`, and "
            "`clamp(min=1)`.",
        ),
        mistakes=PLACES_MISTAKES,
        notice="a text of two words gets one question all the same, half of it: the rate is a wish, and the smallest "
        "number is 1",
        difficulty=1,
        minutes=8,
        show=how_many,
        variants=(
            places_variant(special=lambda ids: (ids >= 5) & (ids < 10)),
            lambda ids, tokenizer, rate: (
                (places := ~torch.isin(ids, torch.tensor([PAD, UNK, CLS, SEP, MASK]))),
                torch.tensor([[max(1, round(rate * int(row.sum())))] for row in places]),
            ),
        ),
    ),
    Exercise(
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
        notice="no loop runs over the texts, though each has a number of its own: a threshold for each row does it",
        difficulty=3,
        minutes=15,
        variants=(choose_by_topk, choose_by_loop),
    ),
    Exercise(
        id="6.3",
        name="corrupt",
        reference=pretraining.corrupt,
        stub=CORRUPT,
        probe=probe_corrupt,
        hints=(
            "Make the labels first, while the text is whole. Then one number in [0, 1) for every token decides: below "
            "0.8, from 0.8 to 0.9, or above.",
            "`ids.masked_fill(condition, value)` gives a new tensor; `torch.where(condition, a, b)` takes a where the "
            "condition holds and b elsewhere. Conditions are joined with &.",
            "`torch.randint(len(tokenizer.vocabulary), ids.shape, generator=generator)` draws an entry for every place; "
            "take it only where a chosen token is to become random.",
        ),
        mistakes=CORRUPT_MISTAKES,
        notice="entries are drawn for all places and used at few of them: that costs next to nothing, and saves a loop",
        difficulty=2,
        minutes=15,
        variants=(corrupt_by_loop, corrupt_variant(dice=None)),
    ),
)
