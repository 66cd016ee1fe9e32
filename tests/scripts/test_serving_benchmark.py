"""benchmarks/serving.py: it counts what the service answers, and its ratios are those of a round."""

import os
from collections import namedtuple

import psutil
import pytest

from benchmarks import serving
from helpers.serving import Limits
from tests.serving.small_service import different_texts, running, small_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small_folder(tmp_path_factory.mktemp("classifier") / "random")


def test_what_is_counted(folder):
    with running(folder, batch_size=8) as server:
        row = serving.measure(server.port, psutil.Process(os.getpid()), different_texts(40), 8, 0.5)
        health = serving.health(server.port)
    assert 0 < row["texts"] <= health["answered"]
    assert row["texts_per_batch"] == f"{health['answered'] / health['batches']:.2f}"
    assert 0 < float(row["median_ms"]) <= float(row["p99_ms"])
    assert float(row["service_cpu_ms_per_text"]) > 0


def test_a_refusal_is_no_answer(folder):
    with (
        running(folder, Limits(characters=3)) as server,
        pytest.raises(RuntimeError, match="413: .*at most 3"),
    ):
        serving.measure(server.port, psutil.Process(os.getpid()), different_texts(4), 1, 0.1)


def test_ratios_are_those_of_a_round():
    columns = ("median_ms", "p99_ms", "texts_per_batch", "service_cpu_ms_per_text")
    table = [
        {"round": round_, "clients": 8, "batch_size": side.batch_size, "wait_ms": side.wait,
         "texts_per_second": str(speed * load), **dict.fromkeys(columns, "2.0")}
        for round_, load in enumerate((1.0, 0.1, 0.5))
        for side, speed in zip(serving.SIDES, (100, 300, 400), strict=True)
    ]  # fmt: skip
    first, second, third = serving.summary(table)
    assert "50.0 texts/s (1.00)" in first and "one text at a time" in first
    assert "150.0 texts/s (3.00)" in second and "200.0 texts/s (4.00)" in third


def test_a_look_stores_nothing(folder, monkeypatch, tmp_path, capsys):
    message = namedtuple("message", ["text", "label"])
    monkeypatch.setattr(serving, "messages", lambda: [message(text, "ham") for text in different_texts(40)])
    monkeypatch.setattr(serving, "FILE", tmp_path / "serving.csv")
    monkeypatch.setattr(serving, "CLIENTS", (2,))
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    assert serving.main([str(folder), "--look"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 2 * len(serving.SIDES) and printed[0].startswith("round 0  clients 2  batch_size")
    assert not list(tmp_path.iterdir())
    assert before is None or os.sched_getaffinity(0) == before


def test_a_folder_that_can_not_be_served(tmp_path, monkeypatch):
    monkeypatch.setattr(serving, "messages", lambda: [])
    with pytest.raises(SystemExit, match="did not begin: error: there is no folder"):
        serving.main([str(tmp_path / "none")])
