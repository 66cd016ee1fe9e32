"""Taught in notebook 2 and not used again."""

from collections import Counter
from itertools import pairwise
from math import log

from helpers.wordpiece import longest_match_first

__all__ = ["pair_frequencies", "join_everywhere", "train_naively", "tokens_per_word", "likelihood_gain"]


def pair_frequencies(words, counts):
    """How often each pair of neighboring pieces occurs in words that occur `counts` times."""
    found = Counter()
    for pieces, count in zip(words, counts, strict=True):
        for pair in pairwise(pieces):
            found[pair] += count
    return found


def join_everywhere(pieces, pair):
    """Join every occurrence of a pair of neighbors in a word, from left to right."""
    joined, place = [], 0
    while place < len(pieces):
        if pieces[place : place + 2] == list(pair):
            joined.append(pair[0] + pair[1].removeprefix("##"))
            place += 2
        else:
            joined.append(pieces[place])
            place += 1
    return joined


def train_naively(words, counts, pieces, steps):
    """Join the most frequent pair, `steps` times; returns [(pair, count), ...] and extends `pieces`."""
    number = {piece: index for index, piece in enumerate(pieces)}
    trace = []
    for _ in range(steps):
        found = pair_frequencies(words, counts)
        if max(found.values(), default=0) < 2:  # nothing is left that occurs twice
            break
        pair = min(found, key=lambda p: (-found[p], number[p[0]], number[p[1]]))  # ties: older pieces first
        words = [join_everywhere(word, pair) for word in words]
        pieces.append(pair[0] + pair[1].removeprefix("##"))
        number[pieces[-1]] = len(number)
        trace.append((" ".join(pair), found[pair]))
    return trace


def tokens_per_word(entries, word_counts):
    """The mean number of tokens of a word, in running text."""
    entries = set(entries)
    tokens = sum(count * len(longest_match_first(word, entries)) for word, count in word_counts.items())
    return tokens / word_counts.total()


def likelihood_gain(n_pair, n_first, n_second, n_all):
    """By how many nats (natural-log units) the log likelihood of the text rises if a pair is joined."""

    def f(x):
        return x * log(x) if x > 0 else 0.0

    after = f(n_first - n_pair) + f(n_second - n_pair) + f(n_pair) - f(n_all - n_pair)
    return round(after - f(n_first) - f(n_second) + f(n_all), 3)
