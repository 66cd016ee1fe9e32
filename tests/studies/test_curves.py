"""Runs followed step by step, against the course's loop and figures by hand."""

import copy
import csv
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
import torch
from small import TOKENIZER, make_bert, make_examples

from helpers.classification import (
    BertForClassification,
    FineTuning,
    classification_loss,
    encode_texts,
    evaluate,
    fine_tune,
)
from helpers.studies import curves, domains, recipes, reports
from helpers.studies.curves import CurveStudy, follow
from helpers.studies.errors import RowError
from helpers.studies.tables import TableError
from helpers.studies.tasks import subset


def make_run(dropout=0.1):
    model = BertForClassification(make_bert(0, dropout), 2, dropout)
    train = make_examples(20, 0)
    return model, train, encode_texts(train.texts, TOKENIZER, 24)


def test_the_steps_are_those_of_the_taught_loop():
    plan = FineTuning(epochs=3, batch_size=8, learning_rate=3e-3, warm_up=0.5, seed=5)
    model, train, encodings = make_run()
    twin, held_out, seen = copy.deepcopy(model), make_examples(12, 1), []

    def measure(model):
        seen.append(evaluate(model, held_out, TOKENIZER).accuracy)
        return seen[-1]

    start = evaluate(model, held_out, TOKENIZER).accuracy
    lines = follow(model, encodings, train.labels, TOKENIZER, plan, 4, measure)
    assert [line["step"] for line in lines] == [str(step) for step in range(10)]
    losses = fine_tune(twin, train, held_out, TOKENIZER, plan)
    assert [float(line["loss"]) for line in lines[1:]] == pytest.approx(losses, rel=1e-5)
    rates = [
        3e-3 * min(step / 5, (10 - step) / 5) for step in range(1, 10)
    ]  # by hand: up to step 5, then down
    assert [float(line["learning_rate"]) for line in lines[1:]] == pytest.approx(rates)
    assert [line["step"] for line in lines if line["accuracy"]] == ["0", "4", "8", "9"]
    assert [float(line["accuracy"]) for line in lines if line["accuracy"]] == pytest.approx(seen, rel=1e-5)
    assert seen[0] == start and seen[-1] == evaluate(model, held_out, TOKENIZER).accuracy


def test_the_gradient_norm_is_that_before_clipping():
    model, train, encodings = make_run(dropout=0.0)
    with torch.no_grad():
        model.classifier.weight.mul_(30)  # a large gradient, which is clipped
    batch = TOKENIZER.encode_batch(train.texts)
    loss = classification_loss(model, batch, torch.tensor(train.labels))
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    norm = sum(gradient.double().square().sum() for gradient in gradients).sqrt().item()
    plan = FineTuning(epochs=1, batch_size=20)
    (_, line) = follow(model, encodings, train.labels, TOKENIZER, plan, 1, lambda _: 0.5)
    assert norm > 1 and float(line["gradient_norm"]) == pytest.approx(norm, rel=1e-4)


def test_a_loss_that_is_not_finite_ends_the_curve():
    model, train, encodings = make_run()
    plan = FineTuning(epochs=3, batch_size=8, learning_rate=1e30, warm_up=0)
    lines = follow(model, encodings, train.labels, TOKENIZER, plan, 9, lambda _: 0.5)
    assert [line["step"] for line in lines] == ["0", "1", "2"]
    assert lines[2]["loss"] == "nan" and lines[2]["gradient_norm"] == "" and "step 2" in lines[2]["note"]
    assert not lines[1]["note"]


def test_forgetting_is_measured_on_movies_from_a_model_tuned_on_them(tiny, monkeypatch):
    task, asked, accuracy = tiny.tasks["movies"], [], curves.accuracy
    held_out = subset(task.validation, 16, 4)
    monkeypatch.setattr(
        curves,
        "accuracy",
        lambda model, held_out, **rest: asked.append(held_out) or accuracy(model, held_out, **rest),
    )
    study = CurveStudy(tiny.folder / "curves.csv", labels=40, epochs=3, every=4, validation=16)
    lines = study.compute("forgetting, harsh", 4, {})
    assert len(asked) == 5 and all(examples == held_out for examples in asked)
    run = domains.recipe("movies", 40, 4)
    tuned = recipes.starting_model(task, run)
    fine_tune(tuned, subset(task.train, 40, 4), task.validation, TOKENIZER, recipes.plan_of(run))
    (columns,) = study.missing("forgetting, harsh", 4)
    assert columns["trained_on"] == "movies + tweets"
    expected = evaluate(tuned, held_out, TOKENIZER).accuracy
    assert float(lines[0]["accuracy"]) == pytest.approx(expected, rel=1e-5)
    tweets = subset(tiny.tasks["tweets"].train, 40, 4)
    plan = FineTuning(epochs=3, batch_size=8, learning_rate=3e-2, max_length=24, seed=4)
    losses = fine_tune(tuned, tweets, held_out, TOKENIZER, plan)
    assert [float(line["loss"]) for line in lines[1:]] == pytest.approx(losses, rel=1e-4)


def test_a_table_of_curves_keeps_whole_runs(tmp_path):
    path = tmp_path / "new" / "curves.csv"
    assert curves.read(path, ("plan",)) == []
    step = dict.fromkeys(curves.MEASURED, "")
    curves.add(path, {"plan": "a"}, [step | {"step": "0"}, step | {"step": "1"}])
    curves.add(path, {"plan": "b"}, [step | {"step": "0"}])
    curves.add(path, {"plan": "a"}, [step | {"step": "7"}])  # once more
    lines = curves.read(path, ("plan",))
    assert [(line["plan"], line["step"]) for line in lines] == [("b", "0"), ("a", "7")]
    with open(path, encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == ["plan", *curves.MEASURED]
    with pytest.raises(TableError, match="other columns"):
        curves.add(path, {"name": "a"}, [step])
    assert not list(path.parent.glob("*.partial"))


def test_labels_are_read_by_position():
    plan = FineTuning(epochs=1, batch_size=8, learning_rate=3e-3, seed=5)
    results = []
    for kind in (list, lambda labels: pd.Series(labels, index=range(len(labels))[::-1]), np.array):
        model, train, encodings = make_run()
        results.append(follow(model, encodings, kind(train.labels), TOKENIZER, plan, 9, lambda _: 0.5))
    assert results[0] == results[1] == results[2]


def test_encodings_are_read_by_position():
    plan = FineTuning(epochs=1, batch_size=8, learning_rate=3e-3, seed=5)
    results = []
    for kind in (
        list,
        lambda encodings: pd.Series(encodings, index=range(len(encodings))[::-1]),
        lambda encodings: pd.DataFrame({"encoding": [encodings[0], *encodings]})["encoding"][1:],
    ):
        model, train, encodings = make_run()
        results.append(follow(model, kind(encodings), train.labels, TOKENIZER, plan, 9, lambda _: 0.5))
    assert results[0] == results[1] == results[2]


def test_what_can_not_be_followed():
    model, train, encodings = make_run()
    for labels, every, changes, message in (
        (train.labels[:-1], 1, {}, "20 texts, 19 labels"),
        (train.labels, 0, {}, "every must be at least 1"),
        (train.labels, 1, {"patience": 1}, "leave patience away"),
    ):
        with pytest.raises(ValueError, match=message):
            follow(model, encodings, labels, TOKENIZER, FineTuning(**changes), every, lambda _: 0.5)


def followed(tiny):
    """A study with the run "recipe" in its table."""
    study = CurveStudy(tiny.folder / "curves.csv", labels=16, epochs=1, every=1, validation=4)
    study.write(study.missing("recipe", 0), study.compute("recipe", 0, {}), 0.0)
    return study


def test_what_a_spreadsheet_saved_is_read(tiny, capsys):
    study = followed(tiny)
    reports.report_curves(study.csv)
    said, lines = capsys.readouterr().out, curves.read(study.csv, curves.SETTINGS)
    study.csv.write_bytes(b"\xef\xbb\xbf" + study.csv.read_bytes().replace(b"\n", b"\r\n"))
    assert curves.read(study.csv, curves.SETTINGS) == lines and study.missing("recipe", 0) == []
    reports.report_curves(study.csv)
    assert capsys.readouterr().out == said


def test_a_run_that_lost_steps_is_computed_anew(tiny):
    study = followed(tiny)
    whole = study.csv.read_text(encoding="utf-8")
    lines = whole.splitlines(keepends=True)
    assert len(lines) == 1 + 1 + 2  # 16 labels in batches of 8
    for left in (lines[:-1], lines[:2], [lines[0], *lines[2:]], [*lines[:2], lines[3]]):
        study.csv.write_text("".join(left), encoding="utf-8")
        with pytest.raises(TableError, match="steps of the run 'recipe' are missing"):
            reports.report_curves(study.csv)
        missing = study.missing("recipe", 0)
        study.write(missing, study.compute("recipe", 0, {}), 0.0)
        assert study.csv.read_text(encoding="utf-8") == whole


def test_damaged_curves_get_one_sentence(tiny):
    study = followed(tiny)
    whole = study.csv.read_bytes()
    study.csv.write_bytes(whole[:-20])
    with pytest.raises(TableError, match="line 3 has"):
        study.missing("recipe", 0)
    for content in (b"", b"\xff\xfe\x00", b"a,b\n"):
        study.csv.write_bytes(content)
        with pytest.raises(TableError, match="is empty|can't be read as a table|other columns"):
            study.missing("recipe", 0)
    for place in range(len(whole)):
        for byte in b'\xff"x,':
            study.csv.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
            with suppress(TableError):
                study.missing("recipe", 0)
                reports.report_curves(study.csv)
    study.csv.unlink()
    study.csv.mkdir()
    with pytest.raises(TableError, match="can't be read as a table"):
        study.missing("recipe", 0)


def test_too_few_validation_sentences(tiny):
    study = CurveStudy(tiny.folder / "curves.csv", labels=16, epochs=1, every=1, validation=21)
    with pytest.raises(RowError, match="20 validation examples"):
        study.missing("recipe", 0)


def test_a_plan_of_any_name_is_read_back(tmp_path):
    path = tmp_path / "c.csv"
    step = dict.fromkeys(curves.MEASURED, "1")
    for name in ("recipe", "a\rb", "a\nb"):
        curves.add(path, {"plan": name}, [step])
    lines = curves.read(path, ("plan",))
    assert [line["plan"] for line in lines] == ["recipe", "a\rb", "a\nb"]
    with pytest.raises(TableError, match="no character of a text file"):
        curves.add(path, {"plan": "a\ud800"}, [step])
    with pytest.raises(TableError, match="extra is nothing that is measured"):
        curves.add(path, {"plan": "b"}, [step | {"extra": "1"}])
    assert curves.read(path, ("plan",)) == lines


@pytest.mark.parametrize("wrong", [[0.9, 0.2, 0.7, 0.4], [0, 1, 2, 1], [0, 1, -1, 1], [0, 1, None, 1]])
def test_labels_that_are_no_classes_are_not_followed(wrong):
    model = make_run()[0]
    encodings = [TOKENIZER.encode(text) for text in ("a film", "bad", "good", "it")]
    with pytest.raises(ValueError, match="labels must be 0 to 1 for 2 classes"):
        follow(model, encodings, wrong, TOKENIZER, FineTuning(epochs=1), 1, lambda model: 0.5)
