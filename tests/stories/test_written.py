"""The judge of written stories: exact by the grammar, and simple where it counts."""

import math

import pytest

from helpers import stories
from helpers.stories.posterior import any_window, text_probability
from helpers.stories.written import RUN, StoryJudge, into_sentences


@pytest.fixture(scope="module")
def training():
    return stories.stories(40, 5)


@pytest.fixture(scope="module")
def judge(training):
    return StoryJudge(training)


def words_of(some):
    return [stories.to_words(story.text) for story in some]


def test_a_probability_is_that_of_all_ways_to_hide_nothing():
    story = stories.stories(1, 3)[0]
    words = stories.to_words(story.text)
    assert 0 < text_probability(words) < 1e-8
    assert text_probability([*words, "."]) == 0
    first = stories.to_words(story.sentences[0])
    assert text_probability(first, any_window(1)) > 0
    assert text_probability(first) == 0  # no whole story


def test_probabilities_of_short_beginnings_add_up():
    """Of the first sentences the grammar can write, all with their probabilities: they are one."""
    total = 0.0
    for near in "church bridge river mill tower square".split():
        for years in "six seven eight nine ten eleven twelve".split():
            line = f"[MASK] was {years} years old and lived near the {near} ."
            total += text_probability(
                line.split(), lambda first, stop, count: float(first == 0 and stop == 1)
            )
    assert abs(total - 1 / 5) < 1e-9  # one of five templates


def test_stories_of_the_grammar_pass(judge, training):
    scores = judge(words_of(stories.stories(60, 9)))
    assert scores.grammatical == scores.fitting == scores.consistent == 1
    assert 0.5 < scores.nats_per_word < 0.8
    assert judge(words_of(training)).copied_sentences == judge(words_of(training)).copied_runs == 1


def test_a_wrong_word_is_found_where_it_stands(judge):
    story = stories.stories(1, 9)[0]
    words = stories.to_words(story.text)
    other = "he" if "she" in words else "she"
    place = next(i for i, word in enumerate(words) if word in ("she", "he"))
    changed = [*words[:place], other, *words[place + 1 :]]
    scores = judge([changed])
    assert scores.grammatical == 1 and scores.consistent == 0 and math.isnan(scores.nats_per_word)
    salad = judge([words[::-1]])
    assert salad.grammatical < 0.2 and salad.consistent == 0


def test_diversity_and_copies(judge, training):
    words = stories.to_words(training[0].text)
    scores = judge([words, words])
    assert scores.overlap == 1 and scores.different == 0.5
    assert scores.copied_runs == 1
    alone = judge([["once"] * (RUN - 1)])
    assert math.isnan(alone.copied_runs) and math.isnan(alone.fitting) and alone.copied_sentences == 0


def test_sentences_end_at_full_stops():
    assert into_sentences("a b . c . d".split()) == [("a", "b", "."), ("c", "."), ("d",)]
    assert into_sentences(["."]) == [(".",)]


@pytest.mark.parametrize("texts", [[], [[]], [["a"], []]])
def test_no_story(judge, texts):
    with pytest.raises(ValueError, match="at least one story"):
        judge(texts)
