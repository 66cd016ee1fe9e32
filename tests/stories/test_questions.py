"""Questions about stories: answers stand in the text, silence has none, and the best possible score."""

import re
from collections import Counter

import pytest

from helpers.stories import stories, words
from helpers.stories.questions import QUESTION_KINDS, ask, best_possible, possible_questions

STORIES = stories(150, 31)


@pytest.fixture(scope="module")
def asked():
    return ask(STORIES, 5, per_story=4)


def test_weights_add_up_and_kinds_are_equally_frequent():
    for story in STORIES:
        shares = Counter()
        for question in possible_questions(story):
            assert question.weight > 0
            shares[question.kind] += question.weight
        assert tuple(shares) == QUESTION_KINDS
        assert all(abs(share - 1 / len(QUESTION_KINDS)) < 1e-9 for share in shares.values())


def test_answers_are_what_the_choices_say():
    for story in STORIES:
        choices = story.choices
        wanted = {
            "main": {choices["name"]}, "friend": {choices["other"]}, "where": {choices["scene"]},
            "color": {choices["color"]}, "count": {choices["count"]},
            "doer": {choices["name"], choices["other"]},
            "feeling": set(words.FEELINGS[story.feeling][0].split()),
            "when": {*f"{words.LOCAL['weekday']} {words.LOCAL['season']}".lower().split(), *words.DAYTIMES},
        }  # fmt: skip
        for question in possible_questions(story):
            for start, end in question.answers:
                text = story.text[start:end].lower()
                before, after = story.text[:start][-1:], story.text[end:][:1]
                assert not before.isalpha() and not after.isalpha()
                if question.kind == "what":
                    count, kind, noun = text.split()
                    assert count == choices["object_count"] and noun.startswith(choices["object"][:3])
                else:
                    assert text in wanted[question.kind]


def test_what_the_text_does_not_say_has_no_answer():
    """Strangers, other places, other verbs and animals, colors that are not told, the friend's feeling."""
    silent = Counter()
    for story in STORIES:
        names = {story.choices["name"].capitalize(), story.choices["other"].capitalize()}
        for question in possible_questions(story):
            people = {*re.findall("[A-Z][a-z]+", question.question)} & {
                *map(str, [*words.GIRLS, *words.BOYS])
            }
            if people - names or (
                question.kind == "feeling" and story.choices["other"].capitalize() in people
            ):
                assert not question.answers
            silent[question.kind] += not question.answers
    assert silent["main"] == 0 and all(silent[kind] for kind in QUESTION_KINDS if kind != "main")


def test_a_color_is_that_of_the_animal():
    """Colors stand at things, too ("a golden spoon"): such a word is no answer."""
    for story in STORIES:
        told = {r: s for r, s in zip(story.roles, story.sentences, strict=True) if r in ("pets", "agreement")}
        says = any(re.search(rf"\b{story.choices['color']}\b", s, re.I) for s in told.values())
        answers = {bool(q.answers) for q in possible_questions(story) if q.kind == "color"}
        assert answers == ({True, False} if says else {False})


def test_best_possible_by_drawing():
    """Whoever knows the weights and always gives the likeliest answer is right as often as computed."""
    drawn = ask(STORIES[:40], 8, per_story=400)
    tables = {}
    for question in drawn:
        key = (question.story, question.example.question)
        answers = tables.setdefault(key, Counter())
        answers[question.example.truths[0].lower()] += 1
    right = sum(max(answers.values()) for answers in tables.values()) / len(drawn)
    assert abs(right - best_possible(STORIES[:40])) < 0.01
    assert abs(sum(q.best for q in drawn) / len(drawn) - best_possible(STORIES[:40])) < 0.01
    assert best_possible(STORIES[:40]) < 0.995


def test_only_when_is_ambiguous(asked):
    assert {q.kind for q in asked if q.best < 1} == {"when"}
    assert all(0.4 < q.best <= 1 for q in asked)


def test_draws_repeat_and_grow(asked):
    assert ask(STORIES, 5, per_story=4) == asked
    assert asked != ask(STORIES, 6, per_story=4)
    assert ask(STORIES[:30], 5, per_story=4) == asked[:120]
    with pytest.raises(ValueError, match="at least 1"):
        ask(STORIES, 5, per_story=0)


def test_share_without_an_answer(asked):
    assert 0.2 < sum(not q.example.answers for q in asked) / len(asked) < 0.45
