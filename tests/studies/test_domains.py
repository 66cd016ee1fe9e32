"""The study of other domains against the course's loop and plain scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from small import TOKENIZER

from helpers import checkpoints
from helpers.classification import (
    BertForClassification,
    FineTuning,
    evaluate,
    fine_tune,
    freeze_lower_layers,
)
from helpers.studies.domains import STAGES, DomainStudy, Labels
from helpers.studies.tasks import subset


def computed(tiny, seed):
    """The table of a study with 48 movie sentences and 24 of each other domain."""
    study, known = DomainStudy(tiny.folder / "domains.csv", Labels(48, 24)), {}
    for stage in STAGES:
        study.write(study.missing(stage, seed), study.compute(stage, seed, known), 0.0)
    return study.table


def answers(table, **settings):
    (line,) = table.matching(**settings)
    return table.answers(line)


def test_minilm_goes_on_from_the_movies(tiny):
    """The same by the course's loop alone."""
    table = computed(tiny, 3)
    bert, _ = checkpoints.load(tiny.folder / "minilm")
    torch.manual_seed(3)
    model = BertForClassification(checkpoints.encoder_of(bert), 2)
    freeze_lower_layers(model.bert, 1)
    plan = FineTuning(epochs=2, batch_size=8, learning_rate=3e-3, max_length=24, seed=3)
    for domain, count in (("movies", 48), ("tweets", 24)):
        task = tiny.tasks[domain]
        fine_tune(model, subset(task.train, count, 3), task.validation, TOKENIZER, plan)
        trained_on = "movies" if domain == "movies" else "movies + tweets"
        for asked in ("movies", "tweets"):
            expected = evaluate(model, tiny.tasks[asked].test, TOKENIZER).probabilities.argmax(dim=-1)
            found = answers(table, method="minilm", trained_on=trained_on, evaluated_on=asked)
            assert np.array_equal(found, expected.numpy()), (domain, asked)


def test_tfidf_learns_from_both_domains_at_once(tiny):
    table = computed(tiny, 2)
    parts = [subset(tiny.tasks[domain].train, count, 2) for domain, count in (("movies", 48), ("tweets", 24))]
    texts, labels = parts[0].texts + parts[1].texts, parts[0].labels + parts[1].labels
    words = TfidfVectorizer(ngram_range=(1, 2)).fit(texts)
    (line,) = [line for line in table.lines if (line["method"], line["trained_on"], line["evaluated_on"])
               == ("tfidf", "movies + tweets", "tweets")]  # fmt: skip
    strength = float(line["chosen"].split(",")[0].removeprefix("C "))
    classifier = LogisticRegression(C=strength, solver="liblinear", tol=1e-6)
    classifier.fit(words.transform(texts), labels)
    held_out = tiny.tasks["tweets"].validation
    right = classifier.score(words.transform(held_out.texts), held_out.labels)
    assert float(line["validation_accuracy"]) == pytest.approx(right, abs=1e-6)
    for asked in ("movies", "tweets"):
        expected = classifier.predict(words.transform(tiny.tasks[asked].test.texts))
        found = answers(table, method="tfidf", trained_on="movies + tweets", evaluated_on=asked)
        assert np.array_equal(found, expected)
