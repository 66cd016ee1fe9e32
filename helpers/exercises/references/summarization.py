"""Functions that notebook 16 teaches; later notebooks and scripts don't use them."""

from collections import Counter
from itertools import pairwise

import numpy as np
import torch

from helpers.attention import join_heads, scaled_dot_product_attention, split_heads

__all__ = [
    "best_in_order",
    "rouge_1",
    "longest_common",
    "sentence_rank",
    "greedy_choice",
    "marginal_choice",
    "causal_mask",
    "cross_attention",
    "rouge_2",
    "decoder_mask",
]


def best_in_order(scores, count):
    """Places of the `count` highest scores, of equal ones the earlier, in the order of the text: a list."""
    order = np.argsort(-np.asarray(scores), kind="stable")  # stable: equal ones stay in their order
    return sorted(order[:count].tolist())


def rouge_1(words, written):
    """ROUGE-1 of two lists of words: the F1 of the words that they share, each as often as both have it."""
    shared = sum((Counter(words) & Counter(written)).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(words), shared / len(written)
    return 2 * precision * recall / (precision + recall)


def longest_common(words, written):
    """The number of words in the longest common subsequence of two lists of words."""
    longest = [[0] * (len(written) + 1) for _ in range(len(words) + 1)]
    for i, word in enumerate(words, 1):
        for j, other in enumerate(written, 1):
            if word == other:
                longest[i][j] = longest[i - 1][j - 1] + 1
            else:
                longest[i][j] = max(longest[i - 1][j], longest[i][j - 1])
    return longest[-1][-1]


def sentence_rank(similarity, damping=0.85, rounds=100):
    """Scores (n,) that add up to 1: the PageRank of sentences whose links have the weights (n, n)."""
    count, totals = len(similarity), similarity.sum(axis=1)
    shares = np.full((count, count), 1 / count)  # a sentence without links gives to all alike
    shares[totals > 0] = similarity[totals > 0] / totals[totals > 0, None]
    scores = np.full(count, 1 / count)
    for _ in range(rounds):
        scores = (1 - damping) / count + damping * scores @ shares
    return scores


def greedy_choice(sentences, written, count, measure):
    """Places of at most `count` sentences (lists of words), taken while measure(words, written) rises."""
    chosen, best = [], 0.0
    while len(chosen) < min(count, len(sentences)):
        tried = {}
        for place in set(range(len(sentences))) - set(chosen):
            words = [word for at in sorted([*chosen, place]) for word in sentences[at]]
            tried[place] = measure(words, written)
        place = max(sorted(tried), key=tried.get)
        if tried[place] <= best:
            break
        chosen, best = [*chosen, place], tried[place]
    return sorted(chosen)


def marginal_choice(scores, similarity, count, weight=0.7):
    """Places of `count` sentences as they are chosen: a high score, and little like those chosen before."""
    chosen = []
    for _ in range(min(count, len(scores))):
        worth = weight * np.asarray(scores, dtype=float)
        if chosen:
            worth = worth - (1 - weight) * similarity[:, chosen].max(axis=1)
        worth[chosen] = -np.inf
        chosen.append(int(worth.argmax()))
    return chosen


def causal_mask(count):
    """(T, T) boolean, T = count: the query in row i may see the keys 0 to i."""
    return torch.ones(count, count, dtype=torch.bool).tril()


def cross_attention(attention, hidden, memory):
    """Queries from hidden (B, T, H), keys and values from memory (B, N, H): (B, T, H), and (B, A, T, N)."""
    query = split_heads(attention.query(hidden), attention.num_heads)  # (B, A, T, D)
    key = split_heads(attention.key(memory), attention.num_heads)  # (B, A, N, D)
    value = split_heads(attention.value(memory), attention.num_heads)
    context, probabilities = scaled_dot_product_attention(query, key, value)
    return attention.output(join_heads(context)), probabilities


def rouge_2(words, written):
    """ROUGE-2 of two lists of words: the F1 of their pairs of neighboring words."""
    pairs, others = Counter(pairwise(words)), Counter(pairwise(written))
    shared = (pairs & others).total()
    if shared == 0:
        return 0.0
    precision, recall = shared / pairs.total(), shared / others.total()
    return 2 * precision * recall / (precision + recall)


def decoder_mask(count, attention_mask=None):
    """What each query of a decoder may see, boolean, (1, 1, T, T), with an attention_mask (B, 1, T, T)."""
    visible = torch.ones(count, count, dtype=torch.bool).tril()[None, None]
    if attention_mask is not None:
        visible = visible & attention_mask.bool()[:, None, None, :]
    return visible
