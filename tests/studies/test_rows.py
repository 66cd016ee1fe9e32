"""The rows of the table of methods, one by one."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from small import TOKENIZER, make_bert

from helpers.classification import BertForClassification, Examples, FineTuning, fine_tune, predict
from helpers.encoder import Bert
from helpers.studies import rows, tasks
from helpers.studies.errors import RowError
from helpers.studies.prompts import MeanClassifier
from helpers.studies.recipes import settings_of
from helpers.studies.rows import features
from helpers.wordpiece import WordPieceTokenizer


def test_features_are_those_of_a_text_alone():
    bert, tokenizer = make_bert().eval(), TOKENIZER
    texts = ["good", "the very very dull plot .", "bad film"]
    found = features(bert, texts, tokenizer)
    for row, text in enumerate(texts):
        with torch.no_grad():
            vectors = bert(**tokenizer.encode_batch([text])).last_hidden_state[0]
        assert np.allclose(found["[CLS]"][row], vectors[0], atol=1e-6)
        assert np.allclose(found["mean"][row], vectors.mean(dim=0), atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_features_in_other_precisions(dtype):
    texts = ["good", "the very very dull plot .", "bad film"]
    single = features(make_bert(), texts, TOKENIZER)
    found = features(make_bert().to(dtype), texts, TOKENIZER)
    for pooling, vectors in single.items():
        assert found[pooling].dtype == np.float32 and vectors.shape == (3, 16)
        assert np.allclose(found[pooling], vectors, atol=0.03)


def test_features_leave_the_mode_and_refuse_what_is_no_list_of_texts():
    bert = make_bert().train()
    bert.layers[0].eval()
    modes = [part.training for part in bert.modules()]
    features(bert, ["good film"], TOKENIZER)
    assert [part.training for part in bert.modules()] == modes
    for wrong in ("good film", []):
        with pytest.raises(ValueError, match="texts"):
            features(bert, wrong, TOKENIZER)


@pytest.mark.parametrize(
    ("vocabulary", "words"),
    [
        (TOKENIZER.vocabulary[:-1], "tokenizer with 17 entries, model with 18"),
        ([*TOKENIZER.vocabulary, "more"], "tokenizer with 19 entries, model with 18"),
        ([*TOKENIZER.vocabulary[1:], "[PAD]"], r"\[PAD\] is entry 17 of the tokenizer, but entry 0"),
    ],
)
def test_features_refuse_the_tokenizer_of_another_model(vocabulary, words):
    with pytest.raises(ValueError, match=words):
        features(make_bert(), ["good film"], WordPieceTokenizer(vocabulary))


def test_the_ladder_has_its_order_and_a_function_for_each_row():
    order = "majority tfidf random own frozen ours trainer bert human perfect".split()
    assert list(rows.ROWS) == order
    source = Path(rows.__file__).read_text(encoding="utf-8")
    places = [source.index(f"def {row}(task: Task, run: dict)") for row in order]
    assert places == sorted(places)
    assert [rows.ROWS[row].__name__ for row in order] == order


def test_the_cheap_rows_by_plain_means(tiny):
    task = tiny.tasks["movies"]
    run = {"row": "tfidf", "labels": "30", "seed": "1", "checkpoint": ""}
    train, validation, _ = tasks.parts(task, run)
    most = int(np.mean(train.labels) > 0.5)
    found = rows.majority(task, run)
    assert set(found.answers) == {most} and len(found.answers) == 30
    assert found.validation_accuracy == pytest.approx(np.mean(np.array(validation.labels) == most))
    words = TfidfVectorizer(ngram_range=(1, 2)).fit(train.texts)
    best, chosen = 0, None
    for strength in (1, 3, 10, 30, 100):
        classifier = LogisticRegression(C=strength, solver="liblinear", tol=1e-6)
        classifier.fit(words.transform(train.texts), train.labels)
        score = classifier.score(words.transform(validation.texts), validation.labels)
        if score > best:
            best, chosen = score, classifier.predict(words.transform(task.test.texts))
    found = rows.tfidf(task, run)
    assert found.validation_accuracy == pytest.approx(best) and np.array_equal(found.answers, chosen)
    assert np.array_equal(rows.human(task, {}).answers, task.people)


def test_fine_tuned_rows_are_the_taught_loop_from_the_start_that_their_name_says(tiny):
    task = tiny.tasks["movies"]
    pretrained = tasks.load_encoder("minilm")[0]
    for row in ("random", "own", "ours"):
        run = settings_of(row, task, 16, 3, own=str(tiny.folder / "minilm"), epochs=1, frozen_layers="none")
        torch.manual_seed(3)
        bert = Bert(pretrained.config)
        if row != "random":
            bert.load_state_dict(pretrained.state_dict())
            torch.manual_seed(3)
        assert run["reads"] == ("[CLS]" if row == "ours" else "mean")
        model = (BertForClassification if row == "ours" else MeanClassifier)(bert, 2)
        train, validation, test = tasks.parts(task, run)
        plan = FineTuning(1, int(run["batch_size"]), float(run["learning_rate"]), max_length=24, seed=3)
        fine_tune(model, train, validation, TOKENIZER, plan)
        found = rows.ROWS[row](task, run)
        expected = predict(model, test, TOKENIZER).argmax(dim=-1).numpy()
        assert np.array_equal(found.answers, expected) and found.best_epoch == 1, row


def test_one_class_is_a_sentence_in_every_row_that_learns(tiny):
    one = Examples(["a film", "good plot"], [1, 1])
    task = tasks.Task("movies", 2, one, one, one)
    for row in ("tfidf", "frozen", "own", "ours", "trainer"):
        run = settings_of(row, task, 2, 0, own=str(tiny.folder / "minilm"))
        with pytest.raises(RowError, match="the same class: use more labels"):
            rows.ROWS[row](task, run)
