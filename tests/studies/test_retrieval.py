"""Few labels by contrast, and a pair classifier that re-ranks, against formulas worked by hand."""

import copy
import math
import warnings

import numpy as np
import pytest
import torch
from small import TOKENIZER, make_bert

from helpers import data
from helpers.classification import BertForClassification
from helpers.exercises.references.semantic_search import contrast_pairs, mean_pooling, ranks_of
from helpers.studies import retrieval, rows, tasks
from helpers.studies.errors import RowError

TEXTS = ["good film", "a great plot", "bad", "the film it very dull ."]
RUN = {"task": "movies", "checkpoint": "minilm", "labels": "24", "seed": "3", "steps": "6"}
RUN |= {"learning_rate": "1e-3", "max_length": "24", "reads": ""}


def same_weights(first, second):
    return all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def paragraphs(count=20):
    """Each with two words of its own kind and one question about it."""
    words = ["film", "plot", "good", "great", "bad", "dull", "cheap", "solid"]
    found = []
    for n in range(count):
        text = f"{words[n % 8]} {words[n // 8]} plot {words[n % 5]}"
        found.append(
            data.Paragraph(f"article {n % 4}", text, (data.AnsweredQuestion(str(n), words[n % 8], ()),))
        )
    return found


def test_bm25_is_the_formula():
    """Two words, counted by hand; the idf of Lucene, which bm25s uses."""
    texts = ["film film plot", "plot cheap solid dull bad", "great"]
    (found,) = retrieval.bm25_scores(texts, ["which film"], k1=1.5, b=0.75)
    idf = math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    weight = 2 / (2 + 1.5 * (1 - 0.75 + 0.75 * 3 / 3))
    assert found == pytest.approx([idf * weight, 0, 0], abs=1e-5)
    assert not retrieval.bm25_scores(texts, ["the"]).any()  # a question of stop words alone


def test_a_step_by_contrast_is_worked_by_hand():
    bert = make_bert(dropout=0.0)
    vectors = []
    for text in TEXTS:
        batch = TOKENIZER.encode_batch([text])
        vectors.append(mean_pooling(bert(**batch).last_hidden_state, batch["attention_mask"])[0])
    cosine = torch.cosine_similarity
    expected = (
        (cosine(vectors[0], vectors[1], dim=0) - 1) ** 2 + cosine(vectors[0], vectors[3], dim=0) ** 2
    ) / 2
    optimizer = torch.optim.SGD(bert.parameters(), lr=0.05)
    pairs = [(0, 1, 1), (0, 3, 0)]
    losses = [retrieval.contrast_step(bert, TEXTS, pairs, TOKENIZER, optimizer) for _ in range(12)]
    assert losses[0] == pytest.approx(expected.item(), abs=1e-6)
    assert losses[-1] < 0.8 * losses[0]


def test_contrast_leaves_the_loaded_encoder_as_it_was_and_repeats(tiny):
    loaded = tasks.load_encoder("minilm")[0]
    before = copy.deepcopy(loaded)
    first, second = (retrieval.by_contrast(tiny.tasks["movies"], RUN, contrast_pairs) for _ in range(2))
    assert same_weights(before, loaded)
    assert np.array_equal(first.answers, second.answers) and first.chosen == second.chosen


def test_without_steps_it_is_the_row_frozen(tiny):
    task = tiny.tasks["movies"]
    expected = rows.frozen(task, RUN)
    found = retrieval.by_contrast(task, RUN | {"steps": "0"}, lambda labels, count, generator: [])
    assert np.array_equal(found.answers, expected.answers) and found.chosen == expected.chosen


def test_contrast_sees_the_sentences_of_the_run_alone(tiny):
    task, seen = tiny.tasks["movies"], []

    def draw(labels, count, generator):
        seen.append((labels, count))
        return contrast_pairs(labels, count, generator)

    retrieval.by_contrast(task, RUN, draw)
    assert seen == [(list(tasks.subset(task.train, 24, 3).labels), 6 * 16)]
    with pytest.raises(RowError, match="no pairs can be made"):
        retrieval.by_contrast(task, RUN | {"labels": "1"}, draw)


def test_fit_is_the_second_logit_minus_the_first_alone_and_together():
    torch.manual_seed(2)
    model = BertForClassification(make_bert(), 2).train()
    pairs = [("good", "a great plot ."), ("bad film", "dull"), ("it", "the film it very dull . bad bad bad")]
    together = retrieval.fit_scores(model, TOKENIZER, pairs)
    assert model.training
    model.eval()
    for pair, fit in zip(pairs, together, strict=True):
        (logits,) = model(**TOKENIZER.encode_batch([pair[0]], [pair[1]]))
        assert fit.item() == pytest.approx((logits[1] - logits[0]).item(), abs=1e-5)


def test_the_best_are_sorted_anew_and_the_rest_stays_behind(monkeypatch):
    scores = torch.tensor([[0.1, 0.9, 0.8, 0.2, 0.5], [5.0, 4.0, 3.0, 2.0, 1.0]])
    texts = ["a", "b", "c", "d", "e"]
    fits = {("one", "b"): 1.0, ("one", "c"): 3.0, ("one", "e"): 2.0}
    fits |= {("two", "a"): 0.0, ("two", "b"): -1.0, ("two", "c"): 7.0}
    asked = []

    def known(model, tokenizer, pairs, half):
        asked.extend(pairs)
        return torch.tensor([fits[pair] for pair in pairs])

    monkeypatch.setattr(retrieval, "fit_scores", known)
    found = retrieval.rerank(scores, None, None, ["one", "two"], texts, depth=3)
    assert found.argsort(dim=1, descending=True).tolist() == [[2, 4, 1, 3, 0], [2, 0, 1, 3, 4]]
    assert set(asked) == set(fits) and len(asked) == 6  # no other pair is read
    assert ranks_of(found, torch.tensor([0, 1])).tolist() == [5, 3]


def test_a_reranker_learns_and_repeats(tiny):
    loaded = tasks.load_encoder("minilm")[0]
    before, said = copy.deepcopy(loaded), []
    make = lambda seed: retrieval.train_reranker(paragraphs(), 18, seed, learning_rate=1e-2, note=said.append)  # noqa: E731
    first, second, other = (make(seed)[0] for seed in (0, 0, 1))
    assert same_weights(before, loaded)
    assert same_weights(first, second) and not same_weights(first, other)
    assert not same_weights(first.bert, loaded) and said[0].startswith("step 4 of 4: loss ")


def test_a_reranker_is_shown_its_own_paragraph_and_three_that_words_find(tiny, monkeypatch):
    shown, whole = [], retrieval._encode

    def noted(tokenizer, question, text):
        shown.append((question, text))
        return whole(tokenizer, question, text)

    monkeypatch.setattr(retrieval, "_encode", noted)
    every = paragraphs()
    retrieval.train_reranker(every, 8, 0, note=lambda text: None)
    own = {(p.questions[0].text, p.text) for p in every}
    assert len(shown) == 8 * 4
    for start in range(0, len(shown), 4):
        group = shown[start : start + 4]
        assert len({question for question, _ in group}) == 1 and group[0] in own
        scores = retrieval.bm25_scores([p.text for p in every], [group[0][0]])[0]
        best = {every[n].text for n in np.argsort(-scores, kind="stable")[:15]}
        assert {text for _, text in group[1:]} <= best


@pytest.mark.parametrize(("count", "texts"), [(3, 20), (21, 20), (8, 15)])
def test_too_little_to_learn_from(count, texts):
    with pytest.raises(RowError, match="can be learned from, not"):
        retrieval.train_reranker(paragraphs(texts), count, 0)


def test_a_long_paragraph_is_cut_and_said(tiny):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        encoding = retrieval._encode(TOKENIZER, "good", "film " * 500)
    assert len(encoding.ids) == retrieval.MOST_TOKENS and caught
