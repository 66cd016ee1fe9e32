"""Notebook 14: pairs of texts by label."""

from itertools import pairwise

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import semantic_search as references

# 14.5 contrast_pairs

PAIRS = '''
def my_contrast_pairs(labels, count, generator):
    """`count` pairs (i, j, same) of numbers of texts, `same` 1 for equal labels and 0 for others.

    Half of the pairs of each kind (for an odd count one more with 1), never a text with itself, drawn with
    replacement, in random order. `torch.randint(n, (m,), generator=generator)` draws m numbers below n,
    `torch.randperm(n, generator=generator)` an order.
    """
    ...
'''

LABELS = [0, 1, 1, 0, 1, 0, 0, 0]


def probe_pairs(make):
    """What does not depend on the order of drawing: shares and membership, of many pairs."""
    found = [tuple(map(int, pair)) for pair in make([*LABELS], 601, torch.Generator().manual_seed(3))]
    true = [same == int(LABELS[i] == LABELS[j]) for i, j, same in found]
    first = [same for *_, same in found[:200]]
    again = [
        [tuple(pair) for pair in make([*LABELS], 40, torch.Generator().manual_seed(8))] for _ in range(2)
    ]
    return {
        "how many": len(found),
        "with 1": sum(same for *_, same in found),
        "with themselves": sum(i == j for i, j, _ in found),
        "wrong": len(true) - sum(true),
        "texts": len({i for i, j, _ in found} | {j for i, j, _ in found}),
        "mixed": 60 < sum(first) < 140,
        "one kind twice running": sum(a[2] == b[2] for a, b in pairwise(found)) > 200,
        "kinds": len({frozenset((i, j)) for i, j, _ in found}) == 28,  # all that there are
        "the same again": again[0] == again[1],
    }


def pairs_by(
    labels, count, generator, own=False, balanced=True, same_only=False, shuffled=True, flipped=False, few=0
):
    span = [(i, j) for i in range(len(labels)) for j in range(i + own)]
    every = [(i, j, int((labels[i] == labels[j]) != flipped)) for i, j in span]
    if same_only:
        every = [pair for pair in every if pair[2]]
    if few:
        every = every[:few]
    groups = [(every, count)]
    if balanced:
        halves = ((1, count - count // 2), (0, count // 2))
        groups = [([pair for pair in every if pair[2] == kind], wanted) for kind, wanted in halves]
    pairs = [
        group[n] for group, m in groups for n in torch.randint(len(group), (m,), generator=generator).tolist()
    ]
    return [pairs[n] for n in torch.randperm(len(pairs), generator=generator).tolist()] if shuffled else pairs


def pairs_more_with_0(labels, count, generator):
    pairs = pairs_by(labels, count + 1, generator)
    pairs.pop(next(place for place, pair in enumerate(pairs) if pair[2]))
    return pairs


def pairs_by_themselves(labels, count, generator):
    drawn = torch.randint(len(labels), (count, 2), generator=generator).tolist()
    return [(i, j, int(labels[i] == labels[j])) for i, j in drawn]


def pairs_in_turn(labels, count, generator):
    pairs = pairs_by(labels, count, generator, shuffled=False)
    half = count - count // 2
    return [pairs[n // 2 + half * (n % 2)] for n in range(count)]


def pairs_both_of_count(labels, count, generator):
    return pairs_by(labels, 2 * count, generator)


PAIRS_MISTAKES = (
    Mistake(
        "with itself",
        lambda *given: pairs_by(*given, own=True),
        "{yours[with themselves]} pairs are of a text with itself: their cosine is 1 whatever the encoder does, so they teach "
        "nothing",
    ),
    Mistake(
        "as they come",
        lambda *given: pairs_by(*given, balanced=False),
        "{yours[with 1]} of 601 pairs have the same label, expected {expected[with 1]}: the share is that of all pairs, not a half",
    ),
    Mistake(
        "only alike",
        lambda *given: pairs_by(*given, balanced=False, same_only=True),
        "all {yours[with 1]} pairs have the same label: the encoder could bring all texts to one point and have no loss",
    ),
    Mistake(
        "in two blocks",
        lambda *given: pairs_by(*given, shuffled=False),
        "all pairs with equal labels come first. Trained in that order, the encoder learns first that everything is "
        "alike and then that nothing is",
    ),
    Mistake(
        "each pair once",
        lambda *given: list(dict.fromkeys(pairs_by(*given))),
        "you give {yours[how many]} pairs, expected {expected[how many]}: each pair is there once. With replacement a pair may "
        "come again, as often as it is drawn",
    ),
    Mistake(
        "1 for a difference",
        lambda *given: pairs_by(*given, flipped=True),
        "{yours[wrong]} of 601 pairs say the opposite of what they should: 1 means the same label",
    ),
    Mistake(
        "the first texts only",
        lambda *given: pairs_by(*given, few=6),
        "{yours[texts]} of 8 texts occur in 601 pairs: some are never drawn",
    ),
    Mistake(
        "one of each in turn",
        pairs_in_turn,
        "the two kinds come in turn, one of each: half of each kind, but in no random order",
    ),
    Mistake(
        "so many of each kind",
        pairs_both_of_count,
        "you give {yours[how many]} pairs, expected {expected[how many]}: `count` of each kind. How many are "
        "there to be together?",
    ),
    Mistake(
        "the half cut down twice",
        lambda labels, count, generator: pairs_by(labels, count // 2 * 2, generator),
        "you give {yours[how many]} pairs, expected {expected[how many]}: half of an odd number is cut down "
        "both times. Which kind gets one more?",
    ),
    Mistake(
        "one more with 0",
        pairs_more_with_0,
        "{yours[with 1]} pairs have the same label, expected {expected[with 1]}: for an odd count the one "
        "more should be of the kind 1",
    ),
    Mistake(
        "i and j by themselves",
        pairs_by_themselves,
        "{yours[with themselves]} pairs are of a text with itself, and {yours[with 1]} of 601 have the same "
        "label, expected {expected[with 1]}: both texts are drawn from all. From which list of pairs should "
        "one of kind 1 come?",
    ),
)

EXERCISES = (
    Exercise(
        id="14.5",
        name="contrast_pairs",
        reference=references.contrast_pairs,
        stub=PAIRS,
        probe=probe_pairs,
        hints=(
            "List all pairs i, j with j below i once, split them by whether the labels agree, and draw from both.",
            "For a list `among` of pairs: [among[n] for n in torch.randint(len(among), (m,), generator=generator)].",
        ),
        mistakes=PAIRS_MISTAKES,
        asks={
            "the same again": "with a generator of the same seed other pairs come. Does each draw, the order included, get "
            "`generator=generator`?",
            "kinds": "some pairs of texts never come: does your list hold each pair of two texts?",
        },
        notice="50 labels make 1,225 pairs: that is why so few labels go so far",
        difficulty=2,
        minutes=12,
        show=dict,
        variants=(lambda *given: [(j, i, same) for i, j, same in references.contrast_pairs(*given)],),
    ),
)
