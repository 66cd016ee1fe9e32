"""Tasks and the texts that a run sees."""

import copy

import pytest
from small import TOKENIZER

from helpers.classification import Examples, rater_agreement
from helpers.studies.tasks import last_sentences, remember_encodings, subset


def test_subsets_are_nested_and_ordered():
    examples = Examples([str(number) for number in range(40)], list(range(40)))
    small, large = subset(examples, 5, 3), subset(examples, 20, 3)
    assert set(small.labels) < set(large.labels) and large.labels == sorted(large.labels)
    assert [str(label) for label in large.labels] == large.texts
    assert subset(examples, 40, 3) == examples and subset(examples, 5, 4) != small
    for wrong in (0, 41):
        with pytest.raises(ValueError, match="1 to 40"):
            subset(examples, wrong, 0)


def test_last_sentences_fit():
    tokenizer = remember_encodings(copy.copy(TOKENIZER))
    sentences = ("a film .", "the very good plot .", "bad .")  # 3, 5 and 2 tokens
    for limit, kept in ((12, 3), (11, 2), (9, 2), (8, 1), (4, 1), (3, 1)):  # at 3 the last one is too long
        assert last_sentences(sentences, tokenizer, limit) == " ".join(sentences[3 - kept :])
    assert tokenizer.encode("bad .") is tokenizer.encode("bad .")


def test_one_rater_by_hand():
    # 2 is left out (the others sum to 0), 1 agrees, -1 does not, 0 is half right
    assert rater_agreement([2, 1, -1, 0]) == (1 + 0 + 0.5) / 3
    assert rater_agreement([2, 1, -1, 0], zero=0.0) == 1 / 3
    with pytest.raises(ValueError, match="leave the sentence out"):
        rater_agreement([0, 0])
