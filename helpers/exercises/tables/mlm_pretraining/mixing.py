"""Exercise 6.14. Counts that lean on a simpler table."""

from collections import Counter

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import mlm_pretraining as references

MIXED = '''
def my_mix_counts(counts, simpler):
    """Probabilities (V,) from counts, a Counter {entry: number} or None, leaning on a simpler table (V,).

    The simpler table counts like three observations more, shared out over the entries as it says.
    """
    ...
'''


def probe_mixed(mixed):
    simpler = torch.tensor([0.5, 0.2, 0.1, 0.15, 0.05])
    yield "seven counts", mixed(Counter({1: 5, 4: 2}), simpler)
    yield "the simpler table afterwards", simpler
    yield "one count", mixed(Counter({3: 1}), simpler)
    yield "nothing counted", mixed(Counter(), simpler)
    yield "None", mixed(None, simpler)


def _mixed(counts, simpler, *, row=None, add=None, divide=None):
    made = row(simpler) if row else 3 * simpler
    total = sum(counts.values()) if counts else 0
    for entry, number in (counts or {}).items():
        made[entry] += add(number, total) if add else number
    return divide(made, total) if divide else made / made.sum()


def mixed_variant(**changes):
    return lambda counts, simpler: _mixed(counts, simpler, **changes)


def mixed_in_place(counts, simpler):
    simpler *= 3
    for entry, number in (counts or {}).items():
        simpler[entry] += number
    return simpler / simpler.sum()


def mixed_set_instead_of_added(counts, simpler):
    made = 3 * simpler
    for entry, number in (counts or {}).items():
        made[entry] = number
    return made / made.sum()


def mixed_one_or_the_other(counts, simpler):
    return _mixed(counts, simpler, row=lambda s: 0 * s) if counts else simpler.clone()


def mixed_only_counted(counts, simpler):
    right, made = _mixed(counts, simpler), simpler.clone()
    for entry in counts or {}:
        made[entry] = right[entry]
    return made


def mixed_three_times(counts, simpler):
    return _mixed(counts, simpler) if counts else 3 * simpler


def mixed_by_dense(counts, simpler):
    found = torch.tensor([float((counts or {}).get(entry, 0)) for entry in range(len(simpler))])
    return (found + 3 * simpler) / (found.sum() + 3)


def seven(parts):
    return parts["seven counts"]


MIXED_MISTAKES = (
    Mistake(
        "even where nothing was counted",
        lambda counts, simpler: (
            references.mix_counts(counts, simpler) if counts else torch.full_like(simpler, 1 / len(simpler))
        ),
        "right with counts, but where nothing was counted you give all entries alike: {yours}, expected {expected}. What does the simpler table say there?",
        show=lambda parts: parts["nothing counted"],
    ),
    Mistake(
        "counts alone",
        mixed_one_or_the_other,
        "with seven counts you give {yours}, expected {expected}: where anything was counted, the simpler table is not "
        "asked, so what has not been seen is impossible",
        show=seven,
    ),
    Mistake(
        "not divided",
        mixed_variant(divide=lambda made, total: made),
        "with seven counts you give {yours}, expected {expected}: they don't sum to 1",
        show=seven,
    ),
    Mistake(
        "weight of one",
        mixed_variant(row=lambda s: 1 * s),
        "with seven counts you give {yours}, expected {expected}: the simpler table counts as one observation; three "
        "were asked for",
        show=seven,
    ),
    Mistake(
        "three for every entry",
        mixed_variant(row=lambda s: 0 * s + 3),
        "with seven counts you give {yours}, expected {expected}: each entry gets three, whatever the simpler table "
        "says. How are the three shared out?",
        show=seven,
    ),
    Mistake(
        "three and the table",
        mixed_variant(row=lambda s: s + 3),
        "with seven counts you give {yours}, expected {expected}: three is added to the table's shares, and it should be "
        "their total",
        show=seven,
    ),
    Mistake(
        "counts set, not added",
        mixed_set_instead_of_added,
        "with seven counts you give {yours}, expected {expected}: where something was counted, the simpler table's part "
        "is written over. Both are added up",
        show=seven,
    ),
    Mistake(
        "shares mixed",
        mixed_variant(add=lambda number, total: number / total),
        "with seven counts you give {yours}, expected {expected}: your counts are shares before they are mixed, so "
        "that a hundred observations weigh as much as one",
        show=seven,
    ),
    Mistake(
        "every entry once",
        mixed_variant(add=lambda number, total: 1),
        "with seven counts you give {yours}, expected {expected}: it does not matter how often an entry was counted",
        show=seven,
    ),
    Mistake(
        "only what was counted",
        mixed_only_counted,
        "with seven counts you give {yours}, expected {expected}: the entries that were counted are right, and the others "
        "keep the simpler table's shares, so the sum is more than 1",
        show=seven,
    ),
    Mistake(
        "three times, when nothing was counted",
        mixed_three_times,
        "right where something was counted, but without counts you give {yours}, expected {expected}: it is not divided "
        "by its sum",
        show=lambda parts: parts["nothing counted"],
    ),
    Mistake(
        "divided by the counts alone",
        mixed_variant(divide=lambda made, total: made / max(total, 1)),
        "with seven counts you give {yours}, expected {expected}: the three of the simpler table are missing in the "
        "total. Do they sum to 1?",
        show=seven,
    ),
    Mistake(
        "the simpler table changed",
        mixed_in_place,
        "the first result is right, but the simpler table is afterwards another: {yours} instead of {expected}. The next "
        "call leans on what this one left",
        show=lambda parts: parts["the simpler table afterwards"],
    ),
)


EXERCISE = Exercise(
    id="6.14",
    name="mix_counts",
    reference=references.mix_counts,
    stub=MIXED,
    probe=probe_mixed,
    hints=(
        "Three observations, shared out as the simpler table says, are a row of V numbers. Add the counts to it.",
        "The row must be a new tensor. At the end it is divided by its own sum, so that it sums to 1.",
    ),
    mistakes=MIXED_MISTAKES,
    notice="the more a table has counted, the less the simpler one matters: after a hundred counts its part is 3%",
    difficulty=1,
    minutes=8,
    show=seven,
    variants=(mixed_by_dense, mixed_variant()),
)
