"""Near duplicates: groups that reading would make, in the order of the texts, however they are written."""

import numpy as np
import pytest

from helpers.analysis.duplicates import near_duplicates

CAMPAIGN = [
    "URGENT! You have won a £1000 prize. Call 09061701461 now",
    "URGENT!! you have won a £2000 prize - call 09064012103 now",
    "Urgent. U have won a £900 prize! Call 09050003091 now",
]
OTHERS = ["Sorry, I'll call later", "Are we meeting at the library?", "Happy birthday to you, dear"]


def test_a_campaign_is_one_group_and_numbers_follow_the_order():
    texts = [OTHERS[0], CAMPAIGN[0], OTHERS[1], CAMPAIGN[1], CAMPAIGN[2], OTHERS[2]]
    assert near_duplicates(texts).tolist() == [0, 1, 2, 1, 1, 3]


def test_case_digits_and_marks_do_not_matter_and_texts_without_letters_are_alike():
    texts = ["Call 08001 NOW!!!", "call   99345, now", "...", "?!", "Something else"]
    assert near_duplicates(texts, least=1.0).tolist() == [0, 0, 1, 1, 2]


def test_a_chain_of_near_texts_is_one_group():
    words = "one two three four five six seven eight nine ten eleven twelve thirteen".split()
    chain = [" ".join(words[start : start + 8]) for start in range(6)]
    assert len(set(near_duplicates(chain, least=0.8))) == 1
    assert len(set(near_duplicates([chain[0], chain[-1]], least=0.8))) == 2  # the ends alone are far apart


def test_a_higher_cosine_never_joins_more():
    texts = CAMPAIGN + OTHERS + ["Sorry, I'll call you later", "sorry will call later on"]
    counts = [len(set(near_duplicates(texts, least))) for least in (0.2, 0.5, 0.7, 0.9, 1.0)]
    assert counts == sorted(counts) and counts[-1] == len(texts) - 1  # two differ in digits alone


def test_one_text_and_any_iterable():
    assert near_duplicates(["only"]).tolist() == [0]
    assert near_duplicates(text for text in np.array(["a b c", "x y z"], dtype=object)).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("texts", "least", "words"),
    [
        ([], 0.7, "at least one"),
        (["a", None], 0.7, "each a string"),
        (["a"], 0, "above 0"),
        (["a"], 1.1, "at most 1"),
    ],
)
def test_what_can_not_be_grouped(texts, least, words):
    with pytest.raises(ValueError, match=words):
        near_duplicates(texts, least)
