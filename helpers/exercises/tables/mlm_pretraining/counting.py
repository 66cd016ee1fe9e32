"""Models that count, and the lowest loss that there can be."""

import math
from collections import Counter

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import mlm_pretraining as references

# 6.13 unigram_logs

UNIGRAM = '''
def my_unigram_logs(documents, vocab_size):
    """The natural log of each entry's share of the tokens, (V,), with one added to every count.

    documents: lists of segments, which are lists of token ids.
    """
    ...
'''


def probe_unigram(unigram):
    documents = [[[3, 1, 3], [0, 3]], [[1, 1, 5, 3, 5]], []]
    yield "ten tokens", unigram(documents, 7)
    yield "one token", unigram([[[2]]], 3)


def _tokens(documents):
    return [token for document in documents for segment in document for token in segment]


def _unigram(documents, vocab_size, *, tokens=_tokens, added=1, total=None, log=torch.log):
    counts = torch.bincount(torch.tensor(tokens(documents)), minlength=vocab_size).float() + added
    return log(counts / (total(counts) if total else counts.sum()))


def unigram_variant(**changes):
    return lambda documents, vocab_size: _unigram(documents, vocab_size, **changes)


def unigram_by_counter(documents, vocab_size):
    counts = Counter(_tokens(documents))
    total = counts.total() + vocab_size
    return torch.tensor([math.log((counts[entry] + 1) / total) for entry in range(vocab_size)])


def unigram_by_loop(documents, vocab_size):
    counts = torch.ones(vocab_size)
    for document in documents:
        for segment in document:
            for token in segment:
                counts[token] += 1
    return counts.log() - counts.sum().log()


def ten(parts):
    return parts["ten tokens"]


UNIGRAM_MISTAKES = (
    Mistake(
        "nothing added",
        unigram_variant(added=0),
        "of ten tokens the logs are {yours}, expected {expected}: an entry that was never counted gets the probability "
        "0, whose log is minus infinity, and a single such word would make the whole loss infinite",
        show=ten,
    ),
    Mistake(
        "divided by the tokens alone",
        unigram_variant(total=lambda counts: counts.sum() - len(counts)),
        "of ten tokens the logs are {yours}, expected {expected}: one was added to each count, and not to the total, so "
        "the shares sum to more than 1",
        show=ten,
    ),
    Mistake(
        "one added to the total",
        unigram_variant(total=lambda counts: counts.sum() - len(counts) + 1),
        "of ten tokens the logs are {yours}, expected {expected}: the total has grown by 1, but V counts have. Do your "
        "shares sum to 1?",
        show=ten,
    ),
    Mistake(
        "the smoothed share after the log",
        lambda documents, vocab_size: (_unigram(documents, vocab_size, added=0).exp() + 1).log(),
        "of ten tokens the logs are {yours}, expected {expected}: one is added to the shares. It belongs to the counts",
        show=ten,
    ),
    Mistake(
        "no log",
        unigram_variant(log=lambda shares: shares),
        "of ten tokens you give {yours}, expected {expected}: these are the shares; their logs are asked for",
        show=ten,
    ),
    Mistake(
        "log to the base 2",
        unigram_variant(log=torch.log2),
        "of ten tokens the logs are {yours}, expected {expected}: these are to the base 2, in bits. All losses here are "
        "in nats",
        show=ten,
    ),
    Mistake(
        "negative log",
        unigram_variant(log=lambda shares: -shares.log()),
        "of ten tokens you give {yours}, expected {expected}: that is the loss; the log itself is negative, and the "
        "minus comes later",
        show=ten,
    ),
    Mistake(
        "first segments only",
        unigram_variant(tokens=lambda documents: [t for d in documents for t in (d[0] if d else [])]),
        "of ten tokens the logs are {yours}, expected {expected}: only the first segment of each document was counted",
        show=ten,
    ),
    Mistake(
        "each entry once a segment",
        unigram_variant(tokens=lambda documents: [t for d in documents for s in d for t in set(s)]),
        "of ten tokens the logs are {yours}, expected {expected}: a word that stands twice in a segment counts once",
        show=ten,
    ),
    Mistake(
        "logits",
        unigram_variant(log=lambda shares: (shares / (1 - shares)).log()),
        "of ten tokens you give {yours}, expected {expected}: the share is divided by what is left over. The log of the "
        "share alone is asked for",
        show=ten,
    ),
)

# 6.14 mix_counts

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


def mixed_by_dense(counts, simpler):
    found = torch.tensor([float((counts or {}).get(entry, 0)) for entry in range(len(simpler))])
    return (found + 3 * simpler) / (found.sum() + 3)


def seven(parts):
    return parts["seven counts"]


MIXED_MISTAKES = (
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

# 6.15 lowest_loss

LOWEST = '''
def my_lowest_loss(chances):
    """The lowest mean loss, in nats, a float. chances (N, V): row i has the true probabilities of guess i.

    Nobody knows more than these probabilities, and the best guess says just them. 0 times the log of 0 is 0.
    """
    ...
'''


def probe_lowest(lowest_loss):
    yield "a coin", lowest_loss(torch.tensor([[0.5, 0.25, 0.25], [0.2, 0.5, 0.3]]))
    yield "one row", lowest_loss(torch.tensor([[0.7, 0.1, 0.2]]))
    third = [1 / 3, 1 / 3, 1 / 3, 0.0]
    yield (
        "with what cannot be",
        lowest_loss(torch.tensor([third, [0.0, 1.0, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0]])),
    )


def entropies(chances):
    return -torch.xlogy(chances, chances).sum(dim=-1)


def coin(parts):
    return parts["a coin"]


LOWEST_MISTAKES = (
    Mistake(
        "base 2",
        lambda chances: entropies(chances).mean().item() / math.log(2),
        "the first two guesses cost {yours}, expected {expected}: that is in bits; the natural logarithm gives nats",
        show=coin,
    ),
    Mistake(
        "sign",
        lambda chances: -entropies(chances).mean().item(),
        "the first two guesses cost {yours}, expected {expected}: logs of probabilities are negative, and a loss is not",
        show=coin,
    ),
    Mistake(
        "sum over the guesses",
        lambda chances: entropies(chances).sum().item(),
        "the first two guesses cost {yours}, expected {expected}: the costs of the two are added up, and their mean is "
        "asked for",
        show=coin,
    ),
    Mistake(
        "mean over the entries",
        lambda chances: (entropies(chances) / chances.shape[1]).mean().item(),
        "the first two guesses cost {yours}, expected {expected}: you take the mean over the V entries as well. An "
        "expected loss is weighted by the probabilities already",
        show=coin,
    ),
    Mistake(
        "entropy of the mean",
        lambda chances: entropies(chances.mean(dim=0)).item(),
        "the first two guesses cost {yours}, expected {expected}: the tables are averaged first, as if nobody knew which "
        "gap it is. The text beside a gap tells more than that",
        show=coin,
    ),
    Mistake(
        "the likeliest entry's loss",
        lambda chances: -chances.amax(dim=-1).log().mean().item(),
        "the first two guesses cost {yours}, expected {expected}: that is the loss when the likeliest word was right. "
        "It is not always right",
        show=coin,
    ),
    Mistake(
        "logs not weighted",
        lambda chances: -chances.log().mean(dim=-1).mean().item(),
        "the first two guesses cost {yours}, expected {expected}: all logs count the same. What is rare is also rarely "
        "paid for",
        show=coin,
    ),
    Mistake(
        "share wrong",
        lambda chances: (1 - chances.amax(dim=-1)).mean().item(),
        "the first two guesses cost {yours}, expected {expected}: that is how often the best guess is wrong, and no loss "
        "in nats",
        show=coin,
    ),
    Mistake(
        "the log of nothing",
        lambda chances: -(chances * chances.log()).sum(dim=-1).mean().item(),
        "right while all is possible, but with what cannot be you give {yours}, expected {expected}: the log of 0 is "
        "minus infinity, and 0 times that is no number",
        show=lambda parts: parts["with what cannot be"],
    ),
    Mistake(
        "a little added",
        lambda chances: -(chances * (chances + 1e-3).log()).sum(dim=-1).mean().item(),
        "the first two guesses cost {yours}, expected {expected}: near, but no longer the lowest loss. Whatever is added "
        "to a probability within the log is missing in the result",
        show=coin,
    ),
    Mistake(
        "exponential",
        lambda chances: entropies(chances).mean().exp().item(),
        "the first two guesses cost {yours}, expected {expected}: that is the perplexity, e to the power of the loss",
        show=coin,
    ),
)

EXERCISES = (
    Exercise(
        id="6.13",
        name="unigram_logs",
        reference=references.unigram_logs,
        stub=UNIGRAM,
        probe=probe_unigram,
        hints=(
            "Count all tokens of all segments; add one to each of the V counts; divide by their new sum; take the log.",
            "`torch.bincount(tensor_of_ids, minlength=vocab_size)` counts, zeros included; a Counter does, too.",
        ),
        mistakes=UNIGRAM_MISTAKES,
        notice="with the text of a book the one that is added hardly matters for *the*; it matters for what the book "
        "lacks",
        difficulty=1,
        minutes=8,
        show=ten,
        variants=(unigram_by_counter, unigram_by_loop),
    ),
    Exercise(
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
    ),
    Exercise(
        id="6.15",
        name="lowest_loss",
        reference=references.lowest_loss,
        stub=LOWEST,
        probe=probe_lowest,
        hints=(
            "Of one row: with probability p(w) the word is w, and the best guess then pays −ln p(w). What is paid on the "
            "average?",
            "That is −Σ p ln p along each row; then the mean over the rows, and `.item()`.",
            "`torch.xlogy(p, p)` is p ln p, and 0 where p is 0; or take `chances.clamp(min=1e-30).log()`.",
        ),
        mistakes=LOWEST_MISTAKES,
        notice="a row with a single 1 costs nothing, and a row of V equal chances costs ln V: every entropy lies between",
        difficulty=2,
        minutes=8,
        show=coin,
        variants=(
            lambda chances: torch.distributions.Categorical(probs=chances).entropy().mean().item(),
            lambda chances: (
                sum(-sum(p * math.log(p) for p in r if p > 0) for r in chances.tolist()) / len(chances)
            ),
        ),
    ),
)
