"""Sentences of papers: what is known of them, rankers without labels, precision and ROUGE."""

import numpy as np
import pytest

from helpers.data import ASPECTS, Paper, PaperSentence
from helpers.studies import summaries, summary_methods
from helpers.studies.summaries import Corpus

PLACES = (("abstract", 2), ("introduction", 3), ("conclusion", 1))
TEXTS = (
    "We parse trees .",
    "Trees are slow .",
    "Parsers parse trees and more trees .",
    "No .",
    "Fish .",
    "End .",
)
MARKS = (("challenge",), ("outcome", "approach"), (), ("approach",), (), ("outcome",))


def small_paper(name="x"):
    sections = [section for section, count in PLACES for _ in range(count)]
    sentences = [PaperSentence(*each) for each in zip(TEXTS, sections, MARKS, strict=True)]
    return Paper(name, "Trees", tuple(sentences), {aspect: f"They {aspect} trees." for aspect in ASPECTS})


@pytest.fixture(scope="module")
def corpus():
    return Corpus.of([small_paper(), small_paper("y")])


def test_rows_labels_and_classes(corpus):
    assert corpus.starts.tolist() == [0, 6, 12] and list(corpus.rows()) == [slice(0, 6), slice(6, 12)]
    assert corpus.classes().tolist() == 2 * [1, 2, 0, 2, 0, 3]
    assert corpus.labels[1].tolist() == [False, True, True]


def test_place_and_length_by_hand(corpus):
    block = 4 + 2 * summaries.NEAR_AN_END
    second_of_three = corpus.places[3]
    assert second_of_three[:block].sum() == 0 and second_of_three[2 * block : 3 * block].sum() == 0
    inside = second_of_three[block : 2 * block]
    assert inside[:4].tolist() == pytest.approx([1, 1 / 3, 1 / 9, 1 / 27])
    assert np.flatnonzero(inside[4:]).tolist() == [1, summaries.NEAR_AN_END + 1]  # one before it, one after
    assert second_of_three[3 * block :].tolist() == pytest.approx([2 / 30, 2**0.5 / 5, 1, 0, 0.1, 6 / 40])


def test_precision_by_hand(corpus):
    scores = np.array([3, 1, 2, 0, 0, 0, 0, 0, 0, 9, 9, 1.0])
    labels = corpus.labels[:, ASPECTS.index("approach")]
    assert summaries.precision_at(corpus, scores, labels, 2).tolist() == [0, 0.5]
    assert summaries.precision_at(corpus, scores, labels, 10).tolist() == [1 / 3, 1 / 3]
    assert summaries.highest(np.array([1, 5, 5, 2]), 2).tolist() == [1, 2]


@pytest.mark.parametrize("texts", [[], ["the"], ["", "?"], ["one sentence alone here"]])
@pytest.mark.parametrize("name", summaries.RANKERS)
def test_rankers_take_any_text(name, texts):
    found = summaries.RANKERS[name](texts)
    assert found.shape == (len(texts),) and np.isfinite(found).all()


def test_text_rank_is_the_solution_of_its_equation():
    links = summaries.shared_words(TEXTS)
    assert np.array_equal(links, links.T) and not links.diagonal().any()
    # "parse" and "trees" are shared by sentences of 2 and 3 different words
    assert links[0, 2] == pytest.approx(2 / (np.log(2) + np.log(3)))
    totals = links.sum(axis=1, keepdims=True)
    shares = np.where(totals > 0, links / np.where(totals > 0, totals, 1), 1 / len(TEXTS))
    solved = np.linalg.solve(np.eye(6) - 0.85 * shares.T, np.full(6, 0.15 / 6))
    assert summaries.text_rank(TEXTS) == pytest.approx(solved, abs=1e-7)


def test_centroid_is_the_cosine_with_the_mean():
    found = summaries.centroid(["red fish", "red fish", "green bird"])
    assert found[0] == found[1] > found[2] > 0 and found.max() <= 1


def test_rouge_by_hand():
    text, other = "The cat sat on a mat", "Cats sat on the old mats!"
    # stems: the cat sat on a mat / cat sat on the old mat: five words, two pairs, four in a row
    assert summaries.rouge([text], [other])[0] == pytest.approx([10 / 12, 4 / 10, 8 / 12], abs=1e-6)
    assert summaries.rouge(["", "x"], ["a", "y"]).tolist() == [[0, 0, 0], [0, 0, 0]]
    with pytest.raises(ValueError, match="2 texts for 1 written"):
        summaries.rouge(["a", "b"], ["a"])


def test_rouge_is_the_reference():
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer([*summaries.ROUGE], use_stemmer=True)
    test = summaries.load("test")
    texts = [" ".join(test.texts[rows][:3]) for rows in list(test.rows())[:20]]
    written = [summaries.joined_summaries(paper) for paper in test.papers[:20]]
    found = summaries.rouge(texts, written)
    for row, text, other in zip(found, texts, written, strict=True):
        reference = scorer.score(other, text)
        assert row == pytest.approx([reference[name].fmeasure for name in summaries.ROUGE], abs=1e-6)


def test_a_place_is_written_before_a_sentence():
    assert summary_methods.with_place([small_paper()])[1:4] == [
        "abstract 2 : Trees are slow .",
        "introduction 1 : Parsers parse trees and more trees .",
        "introduction 2 : No .",
    ]


def test_methods_and_their_settings():
    with pytest.raises(ValueError, match="there is no method 'best'"):
        summary_methods.run_method("best")
    assert summary_methods.settings_of("any", "lead", 3)["seed"] == ""
    assert summary_methods.settings_of("outcome", "minilm", 3) == {
        "task": "outcome", "method": "minilm", "seed": "3", "epochs": "2", "batch_size": "32",
        "learning_rate": "0.0002", "frozen_layers": "3", "max_length": "64",
    }  # fmt: skip
    scores, chosen = summary_methods.run_method("lead")
    test = summaries.load("test")
    assert scores.shape == (len(test.texts), 1) and not chosen
    assert all(scores[rows].argmax() == 0 and scores[rows].min() == 0 for rows in test.rows())


def test_place_and_length_alone_beat_the_first_sentences():
    scores, chosen = summary_methods.run_method("place")
    test = summaries.load("test")
    assert chosen.startswith("C ") and scores.shape == (len(test.texts), 3)
    marked = test.labels.any(axis=1)
    first = summary_methods.run_method("lead")[0][:, 0]
    precisions = [
        summaries.precision_at(test, each, marked, 10).mean() for each in (scores.sum(axis=1), first)
    ]
    assert precisions[0] > precisions[1] + 0.05
    assert summary_methods.mean_precision(test, test.labels.astype(float), 1) > 0.98
