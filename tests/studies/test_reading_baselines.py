"""Readers without a network, on cases worked by hand."""

import pytest

from helpers.reading import ReadingExample, score_answers
from helpers.stories import stories
from helpers.stories.questions import ask
from helpers.studies.reading_baselines import SentenceReader, TableReader, sentence_spans

CONTEXT = (
    "Ada Lovelace was born in London on 10 December 1815. Her notes on the engine appeared in 1843. "
    'The engine was never built. "It can weave patterns," she wrote.'
)


def test_sentences():
    found = [CONTEXT[start:end] for start, end in sentence_spans(CONTEXT)]
    assert found[1] == "Her notes on the engine appeared in 1843." and len(found) == 4
    assert " ".join(found) == CONTEXT
    assert sentence_spans("One") == [(0, 3)] and sentence_spans("") == [(0, 0)]
    assert [(a, b) for a, b in sentence_spans("A is 3.5. B is U.S. made.")] == [(0, 9), (10, 25)]


@pytest.mark.parametrize(
    ("question", "sentence", "answer"),
    [
        ("When did the notes appear?", 1, "1843"),
        ("When was Lovelace born?", 0, "10 December 1815"),
        ("Where was Lovelace born?", 0, "London"),
        ("Who was born on 10 December 1815?", 0, "Ada Lovelace"),
    ],
)
def test_the_sentence_and_a_span_of_the_kind_asked_for(question, sentence, answer):
    example = ReadingExample(question, CONTEXT)
    whole, chosen = (SentenceReader([CONTEXT, "Other text."], kinds=kinds) for kinds in (False, True))
    start, end = sentence_spans(CONTEXT)[sentence]
    assert whole(example) == CONTEXT[start:end]
    assert chosen(example) == answer


def test_rare_words_count_more():
    context = "The cat sat on the mat. The zebra sat on the hill."
    texts = [context] + ["The cat sat." for _ in range(9)]
    reader = SentenceReader(texts, kinds=False)
    assert reader(ReadingExample("Where did the cat and the zebra, who sat, go?", context)).startswith(
        "The zebra"
    )


def test_counts_learn_where_somebody_went_and_when_to_say_nothing():
    asked = ask(stories(400, 3), seed=1, per_story=3)
    train, test = asked[:900], asked[900:]
    table = TableReader([q.example for q in train], form=lambda text: " ".join(text.lower().split()[:2]))
    scores = score_answers([table(q.example) for q in test], [q.example for q in test])
    where = [point for point, q in zip(scores.each_exact, test, strict=True) if q.kind == "where"]
    assert sum(where) / len(where) > 0.45 and scores.exact > 0.45
    unknown = ReadingExample("Why not?", "No text.")
    assert table(unknown) == ""
