"""The study of smaller models, on tiny encoders: every point is made, and is what its name says."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from small import TOKENIZER, make_examples

from helpers import checkpoints, data
from helpers.encoder import Bert, BertConfig
from helpers.studies import recipes, smaller, smaller_forms, tasks
from helpers.studies.errors import RowError
from helpers.studies.exported import OnnxClassifier, Plain, export_onnx
from helpers.studies.smaller_table import Points
from helpers.studies.speed import logits_in_order, measure_speed
from helpers.studies.tables import RunTable, TableError
from helpers.wordpiece import pad_encodings
from scripts import compress
from tests.scripts.refusing import refusal


def encoder(layers, width, heads):
    torch.manual_seed(layers)
    return Bert(BertConfig(len(TOKENIZER.vocabulary), width, layers, heads, 2 * width, 24, init_std=None))


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Four tiny domains, a `minilm` of six layers, an own encoder of four."""
    checkpoints.save(encoder(6, 24, 3), TOKENIZER, tmp_path / "minilm")
    checkpoints.save(encoder(4, 16, 2), TOKENIZER, tmp_path / "own")
    monkeypatch.setattr(data, "fetch", lambda name: tmp_path / name)
    names = ("movies", *smaller_forms.DOMAINS)
    found = {
        domain: tasks.Task(
            domain, 2, *(make_examples(count, count, domain) for count in (60, 20, 30 + place))
        )
        for place, domain in enumerate(names)
    }
    monkeypatch.setattr(tasks, "load_task", found.get)
    monkeypatch.setattr(recipes, "OWN", {"movies": str(tmp_path / "own")})
    monkeypatch.setattr(recipes, "LEAST_STEPS", 1)
    tasks.load_encoder.cache_clear()
    yield tmp_path
    tasks.load_encoder.cache_clear()


@pytest.fixture
def study(tiny):
    return smaller.Study(3, 48)


def test_students_have_the_layers_of_their_teacher(study):
    teacher, student = study.model("teacher"), study.model("student 3")
    assert len(student.bert.layers) == 3 and len(teacher.bert.layers) == 6
    assert torch.equal(student.bert.embeddings.token.weight, teacher.bert.embeddings.token.weight)
    assert not torch.equal(
        student.bert.layers[0].attention.query.weight, teacher.bert.layers[1].attention.query.weight
    )
    assert study.model("student 3") is student


def test_half_of_heads_and_units_are_gone(study):
    pruned = study.model("pruned")
    heads = sum(layer.attention.num_heads for layer in pruned.bert.layers)
    units = sum(layer.feed_forward.widen.out_features for layer in pruned.bert.layers)
    assert 9 <= heads < 15 and 6 * 24 <= units < 6 * 48 * 0.6
    assert all(
        layer.attention.query.out_features == 8 * layer.attention.num_heads for layer in pruned.bert.layers
    )


def test_lora_is_merged(study):
    model = study.model("lora")
    assert not [name for name, _ in model.named_parameters() if "down" in name]
    assert len(model.bert.layers) == 6


def test_a_graph_gives_what_the_model_gives(study, tmp_path):
    model, texts = study.model("pruned"), study.task.test.texts[:9]
    batch = pad_encodings([TOKENIZER.encode(text, max_length=20) for text in texts], TOKENIZER.id_of["[PAD]"])
    with torch.no_grad():
        expected = model(**batch)
        assert torch.equal(Plain(model)(**batch), expected)
    found = OnnxClassifier(export_onnx(model, tmp_path / "model.onnx"))(batch)
    assert (found - expected).abs().max() < 1e-5
    alone = {name: values[:1, :4] for name, values in batch.items()}
    with torch.no_grad():
        assert (OnnxClassifier(tmp_path / "model.onnx")(alone) - model(**alone)).abs().max() < 1e-5


def test_forms_of_a_point_have_its_answers(study):
    texts = study.task.test.texts
    whole = logits_in_order(smaller_forms.made(study, "student 2").runner, texts)
    for form, bound in (("bf16", 0.1), ("int8", 0.2), ("onnx", 1e-5), ("onnx int8", 0.2)):
        found = smaller_forms.made(study, f"student 2 {form}")
        assert (logits_in_order(found.runner, texts) - whole).abs().max() < bound, form
    assert smaller.base_of("student 2 onnx int8") == smaller.base_of("student 2 onnx") == "student 2"


def test_answers_are_in_the_order_of_the_texts():
    def runner(texts):
        return torch.tensor([[len(text), 0.0] for text in texts])

    texts = ["four", "a", "three three", "bb", "sixsix"]
    assert logits_in_order(runner, texts, batch_size=2)[:, 0].tolist() == [4, 1, 11, 2, 6]


def test_speeds_are_those_of_the_runner():
    import time

    def slow(texts):
        time.sleep(0.004 + 0.002 * max(map(len, texts)))
        return torch.zeros(len(texts), 2)

    found = measure_speed(
        {"fast": lambda texts: torch.zeros(len(texts), 2), "slow": slow}, ["a", "bbbb"] * 4, 2, 4
    )
    assert 5 < found["slow"].median_ms < found["slow"].p95_ms + 1e-9
    assert found["fast"].as_they_come > 10 * found["slow"].as_they_come
    assert found["slow"].sorted_by_length > found["slow"].as_they_come  # the short ones wait for no long one
    with pytest.raises(ValueError, match="no texts"):
        measure_speed({"slow": slow}, [])


def test_the_script_goes_on_and_reports(tiny, capsys):
    path = tiny / "compression.csv"
    asked = ["--csv", str(path), "--labels", "48", "--seeds", "0", "1", "--points"]
    assert compress.main([*asked, "teacher", "student 2", "tfidf", "labels 3"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said] == [
        f"{point}, seed {seed}"
        for points in (("teacher", "tfidf"), ("student 2", "labels 3"))
        for seed in (0, 1)
        for point in points
    ]
    before = path.read_bytes()
    assert compress.main([*asked, "tfidf", "teacher"]) == 0
    assert path.read_bytes() == before and not capsys.readouterr().out
    table = RunTable.stored(path)
    line = table.matching(point="student 2", seed=1)[0]
    assert np.isclose(table.points(line).mean(), float(line["accuracy"]), atol=1e-6)
    assert float(line["median_ms"]) > 0
    assert compress.main(["--csv", str(path), "--report"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line[:10].strip() for line in said[1:]] == ["teacher", "tfidf", "student 2", "labels 3"]
    assert "beside the teacher" in said[0] and " to " in said[2]


def test_what_is_refused(tiny, capsys):
    with pytest.raises(RowError, match="--labels is 2 to 60, not 61"):
        smaller.Study(0, 61)
    options = ["--csv", str(tiny / "none.csv"), "--report"]
    assert "there is no table" in refusal(compress.main, options, capsys)


SPEEDS = (
    "median_ms", "p95_ms", "sorted_by_length", "teacher_median_ms", "teacher_p95_ms",
    "teacher_sorted_by_length",
)  # fmt: skip


def table_of(path, lines):
    """A table of 200 test sentences: (point, seed, share right, milliseconds of one text)."""
    settings, results = (
        ("task", "point", "seed"),
        ("accuracy", "megabytes", "calibration_error", "accuracy_tweets", *SPEEDS),
    )
    table = RunTable(path, settings, results)
    labels = np.zeros(200, dtype=np.int64)
    for point, seed, share, milliseconds in lines:
        speeds = {
            "median_ms": milliseconds,
            "p95_ms": 3 * milliseconds,
            "sorted_by_length": 500 / milliseconds,
        }
        teacher = {"teacher_median_ms": 10.0, "teacher_p95_ms": 20.0, "teacher_sorted_by_length": 50.0}
        line = {"task": "movies", "point": point, "seed": seed, "accuracy": share, "megabytes": 4.0}
        line |= {"calibration_error": 0.031}
        line |= {"accuracy_tweets": 0.5 if point == "teacher" else ""} | speeds | teacher
        answers = (np.arange(200) >= round(200 * share)).astype(np.int64)
        table.add({name: str(value) for name, value in line.items()}, answers, labels)
    return table


def test_points_are_compared_with_their_teacher(tmp_path):
    lines = [("student 3 onnx int8", 0, 0.7, 2.0), ("teacher", 0, 0.8, 10.0), ("teacher", 1, 0.9, 10.0)]
    lines += [("student 3", 0, 0.75, 5.0), ("student 3", 1, 0.85, 4.0)]
    points = Points(table_of(tmp_path / "table.csv", lines))
    assert list(points) == ["teacher", "student 3", "student 3 onnx int8"]  # the study's order
    assert points.times_as_fast("student 3", "median_ms") == pytest.approx((2 + 2.5) / 2)
    assert points.times_as_fast("student 3 onnx int8", "sorted_by_length") == pytest.approx(5)
    assert points.times_as_fast("student 3 onnx int8", "p95_ms", "median_ms") == pytest.approx(10 / 6)
    assert points.difference("student 3").mean == pytest.approx(-0.05)
    assert points.right("student 3").shape == (2, 200)
    assert points.has("accuracy_tweets") == ["teacher"]
    rows = points.as_text().splitlines()
    assert len(rows) == 4 and rows[2].split()[:5] == ["student", "3", "2", "4.0", "80.0%"]
    assert "-5.0 (" in rows[2] and rows[2].split()[-4:-2] == ["3.1", "2.2"]
    assert rows[1].split() == ["teacher", "2", "4.0", "85.0%", "3.1", "1.0", "0.7", "1.0"]


def test_the_picture_has_every_point_and_the_wanted_names(tmp_path):
    lines = [("teacher", 0, 0.8, 10.0), ("student 3", 0, 0.75, 5.0), ("student 3 onnx int8", 0, 0.7, 2.0)]
    points = Points(table_of(tmp_path / "table.csv", lines))
    figure, axis = plt.subplots()
    points.draw(axis, "median_ms", "p95_ms", {"student 3 onnx int8": (3, 4), "teacher": (1, 2)})
    marks = sorted(tuple(each.get_offsets()[0]) for each in axis.collections if len(each.get_offsets()) == 1)
    plt.close(figure)
    assert {(round(x, 6), round(y, 6)) for x, y in marks} >= {(1, 80), (2, 75), (5, 70)}
    assert [text.get_text() for text in axis.texts] == ["teacher", "student 3"]


def test_a_table_without_a_teacher_is_refused(tmp_path):
    with pytest.raises(TableError, match="no line of a teacher"):
        Points(table_of(tmp_path / "table.csv", [("student 3", 0, 0.75, 5.0)]))
