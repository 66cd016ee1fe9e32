"""Exercise 6.3. What is put in the place of the chosen tokens."""

import torch

from helpers import pretraining
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.tables.mlm_pretraining.small import (
    MASK,
    TOKENIZER,
    About,
    rows,
)
from helpers.pretraining import IGNORE

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


def corrupt_other_mask(ids, chosen, tokenizer, generator, shares=(0.8, 0.1, 0.1)):
    read, labels = _corrupt(ids, chosen, tokenizer, generator, shares)
    return read.masked_fill(chosen & (read == MASK), 103), labels


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


def corrupt_one_die(ids, chosen, tokenizer, generator, shares=(0.8, 0.1, 0.1)):
    die = torch.rand(1, generator=generator)
    return _corrupt(ids, chosen, tokenizer, generator, shares, dice=lambda ids: die.expand(ids.shape))


CORRUPT_MISTAKES = (
    Mistake(
        "one die for the batch",
        corrupt_one_die,
        "{yours} of the chosen tokens are behind [MASK], expected {expected}: one die is thrown for the whole batch, and all have the same fate. Each token needs its own",
        show=behind_mask,
    ),
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
        corrupt_variant(second=lambda draws, s: draws >= s[0]),
        "{yours} of the chosen tokens stay unchanged, expected {expected}: what does not become [MASK] becomes random, "
        "and nothing is left as it was",
        show=unchanged,
    ),
    Mistake(
        "the second case undoes the first",
        corrupt_variant(second=lambda draws, s: draws < s[0] + s[1]),
        "{yours} of the chosen tokens are behind [MASK], expected {expected}: what is below 0.8 is also below 0.9, so the "
        "second case writes over the first. Where does its share begin?",
        show=behind_mask,
    ),
    Mistake(
        "another vocabulary's [MASK]",
        corrupt_other_mask,
        "none of the chosen tokens is behind [MASK]: 103 is its id in the official vocabulary. Ask this tokenizer",
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


EXERCISE = Exercise(
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
    notice="who draws entries for all places and uses few of them pays next to nothing, and needs no loop",
    difficulty=2,
    minutes=15,
    variants=(corrupt_by_loop, corrupt_variant(dice=None)),
)
