"""Notebook 8: batches of texts of similar length, in a new order each time."""

import itertools

import torch

from helpers import classification
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.tables.classification_fine_tuning.small import Seen

# 8.5 length_buckets

BUCKETS = '''
def my_length_buckets(lengths, batch_size):
    """Numbers of texts in batches, a list of lists; each batch has texts of similar length.

    Shuffle all numbers; take them in groups of 50 batches; sort each group by length and cut it into batches;
    at the end shuffle the batches. `torch.randperm(n)` gives the numbers below n in random order.
    """
    ...
'''

COUNT, SIZE = 1039, 4  # five groups of 200, and one of 39
LENGTHS = [10 + (index * 37) % COUNT for index in range(COUNT)]  # all different


def probe_buckets(buckets):
    batches = [[int(i) for i in batch] for batch in buckets(list(LENGTHS), SIZE)]
    second = [[int(i) for i in batch] for batch in buckets(list(LENGTHS), SIZE)]
    numbers = [index for batch in batches for index in batch]
    yield "largest batch", max(len(batch) for batch in batches)
    yield "different numbers", len(set(numbers))
    yield "numbers in all", len(numbers)
    yield "smallest and largest number", (min(numbers), max(numbers))
    computed = sum(len(batch) * max(_length(i) for i in batch) for batch in batches)
    padding = 1 - sum(_length(i) for batch in batches for i in batch) / computed
    yield "padding in percent", Seen(round(100 * padding))
    yield "less than a tenth is padding", padding < 0.1
    yield "batches", len(batches)
    longest = [max(_length(i) for i in batch) for batch in batches]
    rising = sum(a <= b for a, b in itertools.pairwise(longest)) / max(1, len(longest) - 1)
    yield "steps to a batch that is as long or longer, in percent", Seen(round(100 * rising))
    yield "short and long batches are mixed", 0.35 < rising < 0.7
    yield "the second epoch is in another order", batches != second
    again = {frozenset(batch) for batch in batches} & {frozenset(batch) for batch in second}
    yield "batches that come again", Seen(len(again))
    spans = [max(_length(i) for i in batch) - min(_length(i) for i in batch) for batch in batches]
    yield "all texts in one order of length", max(spans) < SIZE
    yield "the second epoch has other batches", len(again) < len(batches) / 2


def _length(index: int) -> int:
    return LENGTHS[index] if 0 <= index < COUNT else 1


def buckets_with(
    lengths,
    size,
    *,
    shuffle=True,
    groups=50,
    mix=True,
    sort=True,
    cut=True,
    whole=False,
    seed=None,
    all_groups=True,
    last=False,
):
    """The buckets with one thing done in another way."""
    if seed is not None:
        torch.manual_seed(seed)
    order = torch.randperm(len(lengths)).tolist() if shuffle else list(range(len(lengths)))
    group, batches = int(groups * size), []
    for start in range(0, len(order) if all_groups else len(order) - group, group):
        part = order[start : start + group]
        part = sorted(part, key=lambda index: lengths[index]) if sort else part
        batches += (
            [part[first : first + size] for first in range(0, len(part) - size * last, size)]
            if cut
            else [part]
        )
    batches = [batch for batch in batches if len(batch) == size or not whole]
    return [batches[i] for i in torch.randperm(len(batches))] if mix else batches


def changed(**options):
    return lambda lengths, size: buckets_with(lengths, size, **options)


def lengths_for_numbers(lengths, size):
    return [[lengths[index] for index in batch] for batch in buckets_with(lengths, size)]


def numbers_within_the_group(lengths, size):
    order, batches = torch.randperm(len(lengths)).tolist(), []
    for start in range(0, len(order), 50 * size):
        part = order[start : start + 50 * size]
        places = sorted(range(len(part)), key=lambda place: lengths[part[place]])
        batches += [places[first : first + size] for first in range(0, len(places), size)]
    return [batches[i] for i in torch.randperm(len(batches))]


def batches_with_replacement(lengths, size):
    batches = buckets_with(lengths, size)
    return [batches[i] for i in torch.randint(len(batches), (len(batches),))]


def sorting_the_input(lengths, size):
    batches = buckets_with(lengths, size)
    lengths.sort()
    return batches


def shown(name):
    return lambda parts: parts[name]


BUCKETS_MISTAKES = (
    Mistake(
        "all texts sorted at once",
        changed(groups=10**6),
        "hardly any padding, but {yours} of the 260 batches come again in the second epoch: all texts are sorted at once, and where all lengths differ nothing is left of the shuffling. Groups of 50 batches keep some chance",
        show=shown("batches that come again"),
    ),
    Mistake(
        "rest dropped",
        changed(whole=True),
        "of 1,039 texts {yours} come in an epoch, expected {expected}: the last, smaller batch is missing. It is small, "
        "not worthless",
        show=shown("different numbers"),
    ),
    Mistake(
        "last group lost",
        changed(all_groups=False),
        "of 1,039 texts {yours} come in an epoch, expected {expected}: the loop over the groups ends too early. How many "
        "texts has the last group?",
        show=shown("different numbers"),
    ),
    Mistake(
        "no sorting",
        changed(sort=False),
        "{yours}% of what is computed is padding: the texts of a batch have any lengths. Either nothing sorts the groups "
        "by length (numbers sorted by themselves are in the order of the table), or they are sorted by the lengths of other "
        "texts: a place in a group is not the number of the text there",
        show=shown("padding in percent"),
    ),
    Mistake(
        "not shuffled first",
        changed(shuffle=False),
        "hardly any padding, but {yours} of the 260 batches come again in the second epoch: a text always meets the same "
        "neighbors. What has to be shuffled before anything is sorted?",
        show=shown("batches that come again"),
    ),
    Mistake(
        "batches not shuffled",
        changed(mix=False),
        "after {yours}% of the batches comes one that is as long or longer: within each group the short texts come "
        "first. Which shuffle is still missing?",
        show=shown("steps to a batch that is as long or longer, in percent"),
    ),
    Mistake(
        "the same each time",
        changed(seed=0),
        "both epochs are exactly the same: the generator is set back at each call. Whoever wants a run that repeats "
        "sets the seed once, before it",
    ),
    Mistake(
        "groups not cut",
        changed(cut=False),
        "the largest batch has {yours} texts, expected {expected}: those are whole groups. After sorting, each group is "
        "still to be cut",
        show=shown("largest batch"),
    ),
    Mistake(
        "lengths instead of numbers",
        lengths_for_numbers,
        "the numbers in the batches go from {yours}, expected {expected}: they seem to be lengths. The caller wants to know "
        "which texts, that is, their numbers",
        show=shown("smallest and largest number"),
    ),
    Mistake(
        "places in the group",
        numbers_within_the_group,
        "only {yours} different numbers come, expected {expected}: after sorting you give places within a group of 200, "
        "not the numbers of the texts that stand there",
        show=shown("different numbers"),
    ),
    Mistake(
        "drawn with replacement",
        batches_with_replacement,
        "only {yours} of 1,039 texts come in an epoch: some batches come twice and others never. Shuffling is drawing "
        "without putting back",
        show=shown("different numbers"),
    ),
    Mistake(
        "input sorted",
        sorting_the_input,
        "the batches are right, but the list of lengths that you were given is sorted afterwards: the caller's lengths "
        "no longer belong to the caller's texts. sorted() makes a new list",
    ),
    Mistake(
        "groups of 50 texts",
        lambda lengths, size: buckets_with(lengths, size, groups=50 / size),
        "{yours} batches come out, expected {expected}: your groups have 50 texts, and should have 50 batches. A group that "
        "is no whole number of batches leaves a small one behind",
        show=shown("batches"),
    ),
    Mistake(
        "last batch of each group lost",
        changed(last=True),
        "of 1,039 texts {yours} come in an epoch, expected {expected}: the last batch of each group is lost. Where does the "
        "range over a group end?",
        show=shown("different numbers"),
    ),
    Mistake(
        "one list for each group",
        lambda lengths, size: [buckets_with(lengths, size)[:50], buckets_with(lengths, size)[50:]],
        "Your result is a list of groups of batches; each group's batches should be added to one list",
    ),
    Mistake(
        "nothing shuffled",
        changed(shuffle=False, groups=10**6, mix=False),
        "after {yours}% of the batches comes one that is as long or longer, in each epoch the same: everything is sorted, and "
        "nothing is shuffled. Training would begin with the shortest texts every time",
        show=shown("steps to a batch that is as long or longer, in percent"),
    ),
)

EXERCISES = (
    Exercise(
        id="8.5",
        name="length_buckets",
        reference=classification.length_buckets,
        stub=BUCKETS,
        probe=probe_buckets,
        hints=(
            "Four steps, and the docstring has them in order. What you shuffle, group and sort are always numbers of "
            "texts, never lengths.",
            "`sorted(group, key=…)` sorts numbers by something else; the key of a number is the length of that text.",
            "Cutting into parts of n: `[part[start : start + n] for start in range(0, len(part), n)]`, for the groups "
            "and for the batches.",
        ),
        mistakes=BUCKETS_MISTAKES,
        notice="only 50 batches at a time are sorted, and that is enough: nearly no padding is left, and each epoch has "
        "batches that never were before",
        difficulty=2,
        minutes=12,
        variants=(
            changed(sort=True, groups=20),
            lambda lengths, size: [
                batch[::-1]
                for batch in sorted(buckets_with(lengths, size), key=lambda batch: torch.rand(()).item())
            ],
        ),
    ),
)
