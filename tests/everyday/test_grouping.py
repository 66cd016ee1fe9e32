"""Groups of texts that are read at once: all ways to cut tried by brute force."""

import math
import random

import pytest
import torch

from helpers.everyday import load_classifier
from helpers.everyday.examples import Pair
from helpers.everyday.grouping import BATCH, call_in_tokens, groups_by_length
from helpers.everyday.training import encode_pairs, logits_of
from tests.serving.small_service import different_texts, small_folder


def cost(groups, lengths, call):
    return sum(call + len(group) * max(lengths[index] for index in group) for group in groups)


def partitions(items):
    """All ways to put items into groups, of any kind."""
    if not items:
        yield []
        return
    first, *rest = items
    for groups in partitions(rest):
        yield [[first], *groups]
        for place in range(len(groups)):
            yield [*groups[:place], [first, *groups[place]], *groups[place + 1 :]]


@pytest.mark.parametrize("call", [0, 3, 20, 1_000])
@pytest.mark.parametrize("most", [2, 3, 7])
def test_no_other_groups_cost_less(call, most):
    dice = random.Random(call + most)
    for _ in range(4):
        lengths = [dice.randint(3, 60) for _ in range(7)]
        found = groups_by_length(lengths, call, most)
        assert sorted(index for group in found for index in group) == list(range(7))
        assert max(map(len, found)) <= most
        least = min(
            cost(groups, lengths, call)
            for groups in partitions(list(range(7)))
            if max(map(len, groups)) <= most
        )
        assert cost(found, lengths, call) == least


def test_texts_of_one_length_and_calls_that_cost_more_than_anything():
    assert groups_by_length([], 20) == []
    assert list(map(len, groups_by_length([9] * 130, 20))) in ([2, 64, 64], [64, 64, 2], [64, 2, 64])
    lengths = [random.Random(0).randint(3, 60) for _ in range(130)]
    assert len(groups_by_length(lengths, math.inf)) == math.ceil(130 / BATCH)
    assert groups_by_length([60, 4, 5, 61], 20) == [[3, 0], [2, 1]]


def test_what_a_call_costs():
    assert (call_in_tokens(384), call_in_tokens(768), call_in_tokens(192)) == (20, 5, 80)


def test_groups_change_no_answer(tmp_path, monkeypatch):
    classifier = load_classifier(small_folder(tmp_path / "random"))
    monkeypatch.setattr("helpers.everyday.training.call_in_tokens", lambda hidden_size: 4)
    encodings, _ = encode_pairs([Pair(text) for text in different_texts(40)], classifier.tokenizer, 24)
    seen = []
    together = logits_of(classifier.model, encodings, classifier.tokenizer, seen.append)
    alone = [logits_of(classifier.model, [each], classifier.tokenizer) for each in encodings]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)
    assert sum(seen) == 40 and len(seen) > 1
