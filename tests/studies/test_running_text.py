"""Wikipedia's text as tags, and what tags it without BERT."""

import random

import pytest

from helpers.studies import running_text, tagging_runs, word_tags
from helpers.studies.running_text import STOPS, as_spoken, with_case, words_of
from helpers.tagging import CASES, TaggedText, restore, tag_scores

TEXT = 'On 3 May, Ayn Rand ("A. R.") met NASA\'s J. McCoy; he said: 3.5% of the mid-1960s! U.S. law – Été.'


def test_a_text_comes_back_with_its_capitals():
    example = with_case(TEXT)
    assert example.text == TEXT.lower() and "3" not in words_of(example)
    cases = [CASES[tag] for tag in example.tags]
    assert restore(example.text, example.spans, cases, spellings={"mccoy": "McCoy"}) == TEXT
    assert with_case("İI").text == "İi", "a letter that would become two stays"


def test_a_spoken_text_has_its_stops_as_tags():
    example = as_spoken(TEXT)
    assert (
        example.text
        == "on 3 may ayn rand a. r. met nasa's j. mccoy he said 3.5 of the mid-1960s u.s. law été"
    )
    cases, stops = [CASES[tag // 3] for tag in example.tags], [STOPS[tag % 3] for tag in example.tags]
    assert restore(example.text, example.spans, cases, stops, {"mccoy": "McCoy"}) == (
        "On 3 May, Ayn Rand A. R. met NASA's J. McCoy, he said, 3.5 of the mid-1960s. U.S. law Été."
    )
    assert as_spoken("– ( ) ...") == TaggedText("", [], []) and as_spoken("") == TaggedText("", [], [])
    assert as_spoken("he went . then").tags[1] % 3 == 2, "a mark after a space belongs to the word before it"


def test_articles_are_apart():
    parts = running_text.paragraphs()
    assert not set(parts["train"]) & (set(parts["validation"]) | set(parts["test"]))
    assert [len(text) > 0 for text in parts["test"]] and sum(map(len, parts["train"])) > 1_500_000
    with pytest.raises(ValueError, match="there is no task 'x': choose capitals or capitals and stops"):
        running_text.task("x")


def test_sentence_starts():
    example = with_case('It is. He, J. Smith, left! "Why?" Ask (a) e.g. this.')
    found = [
        word
        for word, first in zip(words_of(example), word_tags.first_in_sentence(example), strict=True)
        if first
    ]
    assert found == ["it", "he", "why", "ask"]
    assert sum(word_tags.sentence_start(example)) == 4


def test_most_frequent_tags():
    train = [
        with_case("Rome is. Is Rome in Italy. The Turkey, the turkey, the turkey"),
        with_case("A dog. Cats"),
    ]
    usual = word_tags.MostFrequentTag(train)
    assert usual.predict(with_case("the rome is turkey")) == [0, 1, 0, 0]
    assert word_tags.MostFrequentTag(train, word_tags.first_in_sentence).predict(
        with_case("the rome. is zebra")
    ) == [1, 1, 1, 0]


def test_the_linear_tagger_uses_neighbors():
    """A capital after "mr": the word itself says nothing."""
    dice = random.Random(0)

    def text():
        words = [dice.choice(["mr", "king", "rose", "may", "the"]) for _ in range(30)]
        return " ".join(
            w.title() if i and words[i - 1] == "mr" and w != "mr" else w for i, w in enumerate(words)
        )

    parts = [[with_case(text()) for _ in range(count)] for count in (60, 10, 20)]
    tagger = word_tags.LinearTagger(
        *parts[:2], lambda a, b: tag_scores(a, b, (1,)).f1, strengths=(1e-5, 1e-4)
    )
    truth, found = ([t for e in parts[2] for t in of(e)] for of in (lambda e: e.tags, tagger.predict))
    assert tag_scores(truth, found, (1,)).f1 > 0.95 and tagger.strength in tagger.tried
    usual = [t for e in parts[2] for t in word_tags.MostFrequentTag(parts[0]).predict(e)]
    assert tag_scores(truth, usual, (1,)).f1 < 0.6 and tagger.predict(TaggedText("", [], [])) == []


def test_the_linear_tagger_does_not_lean_on_words_that_it_has_counted_itself():
    """Every word stands once, so a table of all training words would know each of them, and no new one."""
    dice = random.Random(0)

    def text():
        words = ["".join(dice.choices("abcdefghijklm", k=9)) for _ in range(30)]
        marked = [("mr " if number % 5 == 2 else "") + word for number, word in enumerate(words)]
        return " ".join(f"mr {word[3:].title()}" if word.startswith("mr ") else word for word in marked)

    parts = [[with_case(text()) for _ in range(count)] for count in (60, 10, 20)]
    tagger = word_tags.LinearTagger(*parts[:2], lambda a, b: tag_scores(a, b, (1,)).f1, strengths=(1e-5,))
    truth, found = ([t for e in parts[2] for t in of(e)] for of in (lambda e: e.tags, tagger.predict))
    assert tag_scores(truth, found, (1,)).f1 > 0.95


def test_measures_and_the_table(tmp_path):
    task = "capitals and stops"
    found = [example.tags for example in running_text.task(task)["test"]]
    lines = tagging_runs.scored(task, found)
    assert {line["f1"] for line in lines if line["count"]} == {"1.00000"}
    nothing = tagging_runs.scored(task, [[0] * len(tags) for tags in found])
    assert {line["f1"] for line in nothing} == {"0.00000"}
    run = ("capitals", "most frequent", 0)
    path = tmp_path / "table.csv"
    lines = tagging_runs.measure(run)
    tagging_runs.add(path, lines)
    before = path.read_bytes()
    tagging_runs.add(path, lines)
    assert path.read_bytes() == before and list(tagging_runs.read(path)) == [run]
    unseen = [line for line in tagging_runs.read(path)[run] if line["on"] == "unseen"]
    assert {line["f1"] for line in unseen} == {0.0}, (
        "a table of words knows nothing of a word that is not in it"
    )
    assert [r[1:] for r in tagging_runs.runs("capitals", [3, 4])].count(("minilm", 4)) == 1
    assert len(tagging_runs.runs("capitals", [3, 4])) == len(tagging_runs.TAGGING_METHODS["capitals"]) + 2


def test_texts_are_drawn_by_seed():
    examples = running_text.task("capitals")["validation"]
    chosen = tagging_runs.first_words(examples, 2000, 1)
    assert 2000 <= sum(len(e.tags) for e in chosen) < 3000
    assert (
        chosen == tagging_runs.first_words(examples, 2000, 1) != tagging_runs.first_words(examples, 2000, 2)
    )
