"""Notebook 16: two published bugs."""

from collections import Counter
from itertools import pairwise

import torch

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import summarization as references

# 16.b1 rouge_2

ROUGE_2 = '''
def my_rouge_2(words, written):
    """ROUGE-2 of two lists of words, a float: the F1 of their pairs of neighboring words."""
    pairs, others = set(pairwise(words)), set(pairwise(written))
    shared = len(pairs & others)
    if shared == 0:
        return 0.0
    precision, recall = shared / len(pairs), shared / len(others)
    return 2 * precision * recall / (precision + recall)
'''

LOOP = "the new model wins the new model wins the new task".split()
SHORT = "the new model wins on the new task and the old task wins model".split()


def probe_rouge_2(rouge_2):
    yield "a text that repeats itself", float(rouge_2(list(LOOP), list(SHORT)))
    yield "the other way round", float(rouge_2(list(SHORT), list(LOOP)))
    yield "one word", float(rouge_2(["one"], ["one"]))


def f1(shared, own, other):
    return 2 * shared / (own + other) if shared else 0.0


def of_pairs(count):
    return lambda words, written: count([*pairwise(words)], [*pairwise(written)])


def clipped(pairs, others):
    return (Counter(pairs) & Counter(others)).total()


def repeating(parts):
    return parts["a text that repeats itself"]


ROUGE_2_MISTAKES = (
    Mistake(
        "still sets",
        of_pairs(lambda a, b: f1(len({*a} & {*b}), len({*a}), len({*b}))),
        "a text that repeats itself gets {yours}, expected {expected}: each pair counts once, so saying something three "
        "times costs nothing",
    ),
    Mistake(
        "lists below, sets above",
        of_pairs(lambda a, b: f1(len({*a} & {*b}), len(a), len(b))),
        "a text that repeats itself gets {yours}, expected {expected}: all pairs are divided by, but a pair that both texts "
        "have twice is shared once only",
    ),
    Mistake(
        "every pair that occurs there",
        of_pairs(lambda a, b: f1(sum(pair in b for pair in a), len(a), len(b))),
        "a text that repeats itself gets {yours}, expected {expected}: a pair of the summary counts whenever the other text "
        "has it at all. It is shared as often as both have it",
    ),
    Mistake(
        "single words",
        references.rouge_1,
        "a text that repeats itself gets {yours}, expected {expected}: single words are counted; that is ROUGE-1",
    ),
    Mistake(
        "joined counts",
        of_pairs(lambda a, b: f1((Counter(a) | Counter(b)).total(), len(a), len(b))),
        "a text that repeats itself gets {yours}, expected {expected}: of each pair you keep the larger count. Shared is the "
        "smaller one",
    ),
    Mistake(
        "recall",
        of_pairs(lambda a, b: clipped(a, b) / max(len(b), 1)),
        "a text that repeats itself gets {yours}, expected {expected}: pairs are counted as they should be, but this is the "
        "recall alone",
    ),
    Mistake(
        "sets below, counts above",
        of_pairs(lambda a, b: f1(clipped(a, b), len({*a}), len({*b}))),
        "a text that repeats itself gets {yours}, expected {expected}: shared pairs are counted as often as "
        "both have them, but you divide by the different pairs",
    ),
    Mistake(
        "divided by the words",
        lambda words, written: f1(
            clipped([*pairwise(words)], [*pairwise(written)]), len(words), len(written)
        ),
        "a text that repeats itself gets {yours}, expected {expected}: you divide by the numbers of words. "
        "How many pairs have eleven words?",
    ),
    Mistake(
        "precision",
        of_pairs(lambda a, b: clipped(a, b) / max(len(a), 1)),
        "a text that repeats itself gets {yours}, expected {expected}: pairs are counted as they should be, "
        "but this is the precision alone",
    ),
    Mistake(
        "pairs in any order",
        of_pairs(
            lambda a, b: f1(
                clipped([frozenset(pair) for pair in a], [frozenset(pair) for pair in b]), len(a), len(b)
            )
        ),
        'a text that repeats itself gets {yours}, expected {expected}: the pair "wins model" counts as "model '
        'wins". A pair has an order',
    ),
)

# 16.b2 decoder_mask

VISIBLE = '''
def my_decoder_mask(count, attention_mask=None):
    """What each query of a decoder may see, boolean: (B, 1, T, T), or (1, 1, T, T) without attention_mask.

    T = count. attention_mask (B, T): 1 for a token, 0 for padding, which nobody may see; None: no padding.
    """
    visible = torch.ones(1, 1, count, count, dtype=torch.bool)
    if attention_mask is not None:
        visible = torch.ones(count, count, dtype=torch.bool).tril()[None, None]
        visible = visible & attention_mask.bool()[:, None, None, :]
    return visible
'''


def probe_visible(decoder_mask):
    padding = torch.tensor([[1, 1, 1], [1, 1, 0]])
    yield "without padding", decoder_mask(3)
    yield "with padding", decoder_mask(3, padding)
    yield "padding before", decoder_mask(3, torch.tensor([[0, 1, 1]]))


def visible_with(without, padded):
    def program(count, attention_mask=None):
        causal = torch.ones(count, count, dtype=torch.bool).tril()[None, None]
        if attention_mask is None:
            return without(causal)
        return padded(causal, attention_mask.bool())

    return program


def keys(mask):
    return mask[:, None, None, :]


def joined(causal, mask):
    return causal & keys(mask)


def in_rows(name, text=0):
    def show(parts):
        return [
            "".join("x" if v else "." for v in row) for row in torch.as_tensor(parts[name])[text, 0].tolist()
        ]

    return show


def same(causal):
    return causal


VISIBLE_MISTAKES = (
    Mistake(
        "still without the causal part",
        visible_with(lambda causal: torch.ones_like(causal), joined),
        "without padding three places see {yours}, expected {expected} (x is visible): everything sees everything, also "
        "what comes later. The causal part belongs there with padding and without",
    ),
    Mistake(
        "padding forgotten",
        visible_with(same, lambda causal, mask: causal.expand(len(mask), -1, -1, -1)),
        "in the second text, whose last place is padding, you give {yours}, expected {expected} (x is visible): padding is "
        "seen now",
        show=in_rows("with padding", 1),
    ),
    Mistake(
        "one or the other",
        visible_with(same, lambda causal, mask: keys(mask).expand(-1, -1, causal.shape[-1], -1)),
        "with padding the first text gets {yours}, expected {expected} (x is visible): now the causal part is lost where "
        "there is padding. Both must hold",
        show=in_rows("with padding"),
    ),
    Mistake(
        "either will do",
        visible_with(same, lambda causal, mask: causal | keys(mask)),
        "with padding the first text gets {yours}, expected {expected} (x is visible): a key is visible if one of the two "
        "allows it. Both must allow it",
        show=in_rows("with padding"),
    ),
    Mistake(
        "padding of the queries",
        visible_with(same, lambda causal, mask: causal & mask[:, None, :, None]),
        "in the second text, whose last place is padding, you give {yours}, expected {expected} (x is visible): the mask "
        "hides rows, the queries, and not columns, the keys",
        show=in_rows("with padding", 1),
    ),
    Mistake(
        "the upper half",
        visible_with(lambda causal: causal.transpose(-2, -1), lambda causal, mask: joined(causal.mT, mask)),
        "without padding three places see {yours}, expected {expected} (x is visible): each place sees itself and what comes "
        "later",
    ),
)

EXERCISES = (
    Exercise(
        id="16.b1",
        name="rouge_2",
        kind="bug",
        source="issue #27 of pltrdy/rouge (February 2019), mended in its pull request 38",
        reference=references.rouge_2,
        stub=ROUGE_2,
        probe=probe_rouge_2,
        hints=(
            "How many pairs of neighboring words has a text of eleven words? How many does this program see in the first "
            "text of the check?",
            "`Counter(pairwise(words))` counts every pair, & keeps the smaller count of each, and `total()` adds up.",
        ),
        mistakes=ROUGE_2_MISTAKES,
        notice="a measure that can't see repetition rewards models that repeat themselves, which decoders like to do",
        difficulty=1,
        minutes=8,
        show=repeating,
        variants=(of_pairs(lambda a, b: f1(clipped(a, b), len(a), len(b))),),
    ),
    Exercise(
        id="16.b2",
        name="decoder_mask",
        kind="bug",
        source="issue #103 of facebookresearch/xformers (November 2021), mended in its pull request 104",
        reference=references.decoder_mask,
        stub=VISIBLE,
        probe=probe_visible,
        hints=(
            "Call it for three places, once with an attention_mask of ones and once without. Should there be a difference?",
            "Make the causal part first, outside of the `if`.",
        ),
        mistakes=VISIBLE_MISTAKES,
        notice="a loss that is too good to be true is a symptom, too: ask what the model may see",
        difficulty=1,
        minutes=6,
        show=in_rows("without padding"),
        variants=(
            lambda count, attention_mask=None: (
                (torch.arange(count)[None, :] <= torch.arange(count)[:, None])[None, None]
                & (torch.ones(1, count) if attention_mask is None else attention_mask).bool()[:, None, None]
            ),
        ),
    ),
)
