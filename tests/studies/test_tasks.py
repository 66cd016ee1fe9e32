"""Tasks and the texts that a run sees."""

import copy
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from small import TOKENIZER, make_examples

from helpers import data, stories
from helpers.classification import Examples, rater_agreement
from helpers.studies import tasks
from helpers.studies.errors import RowError
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


def shuffled(examples):
    """The examples as two columns of a shuffled frame, whose index is not the position."""
    frame = pd.DataFrame({"text": examples.texts, "label": examples.labels}).sample(frac=1, random_state=0)
    assert list(frame.index) != list(range(len(frame)))
    plain = Examples(frame.text.tolist(), frame.label.tolist())
    return SimpleNamespace(texts=frame.text, labels=frame.label), plain


def test_any_sequence_is_read_by_position():
    examples, plain = shuffled(make_examples(40, 0))
    for count in (10, 40):
        assert subset(examples, count, 1) == subset(plain, count, 1)
    sliced = SimpleNamespace(texts=examples.texts[20:], labels=examples.labels[20:])
    assert subset(sliced, 20, 0) == Examples(plain.texts[20:], plain.labels[20:])
    as_arrays = SimpleNamespace(texts=np.array(plain.texts), labels=torch.tensor(plain.labels))
    assert list(subset(as_arrays, 9, 1).texts) == subset(plain, 9, 1).texts
    with pytest.raises(ValueError, match="40 texts, but 39 labels"):
        subset(SimpleNamespace(texts=plain.texts, labels=plain.labels[:-1]), 3, 0)

    run = {"labels": "10", "seed": "1", "checkpoint": ""}
    ours = tasks.parts(tasks.Task("movies", 2, examples, examples, examples), run)
    theirs = tasks.parts(tasks.Task("movies", 2, plain, plain, plain), run)
    assert ours == theirs and ours[0] == subset(plain, 10, 1)


def test_sentences_are_read_by_position():
    frame = pd.Series(["bad .", "a film .", "the very good plot ."], index=[2, 0, 1]).sort_index()
    assert last_sentences(frame, TOKENIZER, 12) == "a film . the very good plot . bad ."
    assert last_sentences(frame, TOKENIZER, 4) == "bad ."
    for wrong in ("bad .", [], ()):
        with pytest.raises(ValueError, match="a list with one at least"):
            last_sentences(wrong, TOKENIZER, 12)


def test_places_are_those_of_subsets_and_no_more_validation_examples_than_labels():
    task = tasks.Task("movies", 2, make_examples(40, 0), make_examples(12, 1), make_examples(9, 2))
    for labels, seed in ((8, 3), (40, 0)):
        run = {"labels": str(labels), "seed": str(seed), "checkpoint": ""}
        train, validation, test = tasks.parts(task, run)
        assert train == subset(task.train, labels, seed)
        assert validation == subset(task.validation, min(labels, 12), seed)
        assert test == task.test.texts


def test_the_real_tasks():
    movies = tasks.load_task("movies")
    rated = data.reviews("movies")
    assert movies.classes == 2 and len(movies.people) == len(movies.test.texts)
    assert movies.test.labels == [review.label for review in rated["test"] if review.label is not None]
    told = tasks.load_task("stories")
    assert told.classes == len(stories.FEELINGS) == len(set(told.train.labels))
    right = np.mean(told.perfect == np.array(told.test.labels))
    assert right == pytest.approx(float(stories.ceiling()), abs=0.05)


def test_an_encoder_that_can_not_read_a_task_says_so(tiny):
    filler = "the very good plot . " * 6
    examples = Examples([filler], [0])
    task = tasks.Task("stories", 2, examples, examples, examples, {filler: (filler,)})
    run = {"checkpoint": "minilm", "max_length": "24", "reads": "[MASK]"}
    with pytest.raises(RowError, match="minilm can't read stories: the last sentence has no room"):
        tasks.texts(task, "test", run)
    with pytest.raises(RowError, match="there is no checkpoint 'nowhere'"):
        tasks.load_encoder("nowhere")


def test_a_plain_pair_of_texts_and_labels_will_do():
    plain = make_examples(12, 0)
    pair = (plain.texts, plain.labels)
    assert subset(pair, 5, 1) == subset(plain, 5, 1)
    task = tasks.Task("movies", 2, pair, pair, pair)
    assert task.train == task.validation == task.test == plain and isinstance(task.test, Examples)
    for wrong in (plain.texts, plain.texts[:1], None, 3):
        with pytest.raises(ValueError, match=r"Examples\(texts, labels\), not (list|NoneType|int)"):
            subset(wrong, 1, 0)


def test_last_sentences_need_an_order():
    assert last_sentences((text for text in ["a film .", "bad ."]), TOKENIZER, 12) == "a film . bad ."
    with pytest.raises(ValueError, match="sequence in order, not set"):
        last_sentences({"a film .", "bad ."}, TOKENIZER, 12)
