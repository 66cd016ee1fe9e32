"""Exercise 6.13. The model that only knows how frequent each entry is."""

import math
from collections import Counter

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import mlm_pretraining as references

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


def unigram_mean_of(cut):
    """The log of the mean of several shares, each with its ones added; cut: into lists of documents."""

    def program(documents, vocab_size):
        shares = [
            (torch.bincount(torch.tensor(_tokens(each), dtype=torch.long), minlength=vocab_size) + 1.0)
            for each in cut(documents)
        ]
        return torch.stack([counts / counts.sum() for counts in shares]).mean(dim=0).log()

    return program


UNIGRAM_MISTAKES = (
    Mistake(
        "mean over the documents",
        unigram_mean_of(lambda documents: [[d] for d in documents]),
        "of ten tokens the logs are {yours}, expected {expected}: you take the mean of the documents' shares, so a word in a short document counts more than one in a long one. Count all tokens together",
        show=ten,
    ),
    Mistake(
        "mean over the segments",
        unigram_mean_of(lambda documents: [[[s]] for d in documents for s in d]),
        "of ten tokens the logs are {yours}, expected {expected}: you take the mean of the segments' shares, so a word in a short segment counts more than one in a long one. Count all tokens together",
        show=ten,
    ),
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
        "0 where nothing was counted",
        unigram_variant(added=0, log=lambda shares: torch.where(shares > 0, shares.log(), 0.0)),
        "of ten tokens the logs are {yours}, expected {expected}: what was never counted gets the log 0, which is the "
        "probability 1. It should be small, and not nothing",
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


EXERCISE = Exercise(
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
)
