"""benchmarks/retrieval.py: a series goes on where it stopped, and its lines say what the answers say."""

import numpy as np
import pytest
import torch

from benchmarks import retrieval as script
from helpers import data
from helpers.studies import retrieval, tasks
from helpers.studies.rows import Outcome
from helpers.studies.tables import RunTable
from helpers.studies.tasks import Examples, Task
from tests.scripts.refusing import refusal


@pytest.fixture
def quick(monkeypatch):
    """Three articles with twelve paragraphs, thirty sentences, and a list of the runs that were made."""
    made = []
    parts = {
        name: [
            data.Paragraph(
                f"article {n % 3}",
                f"text {n}",
                tuple(data.AnsweredQuestion("", f"{n} {i}", ()) for i in "ab"),
            )
            for n in range(12)
        ]
        for name in ("train", "test")
    }
    monkeypatch.setattr(data, "question_paragraphs", lambda: parts)
    right = lambda questions: torch.tensor([int(text.split()[0]) for text in questions])  # noqa: E731

    def joined(texts, questions):  # the right one is third everywhere
        scores = -torch.arange(float(len(texts))).repeat(len(questions), 1)
        return (
            scores.scatter(1, right(questions)[:, None], 0.0)
            - torch.nn.functional.one_hot(right(questions), len(texts)) * 1.5
        )

    def rerank(scores, model, tokenizer, questions, texts, depth, half):  # the right one is first
        made.append(("rerank", model, depth))
        return scores + 9 * torch.nn.functional.one_hot(right(questions), len(texts))

    def by_contrast(task, run, draw):
        made.append(("contrast", run["seed"], run["steps"]))
        return Outcome(np.array([1, 0, 1] * 10), 0.75, "mean, C 0.1")

    monkeypatch.setattr(script, "joined_search", joined)
    monkeypatch.setattr(retrieval, "train_reranker", lambda p, count, seed, **k: ((count, seed), None))
    monkeypatch.setattr(retrieval, "rerank", rerank)
    monkeypatch.setattr(retrieval, "by_contrast", by_contrast)
    examples = Examples([f"sentence {n}" for n in range(30)], [1, 0] * 15)
    monkeypatch.setattr(tasks, "load_task", lambda name: Task(name, 2, examples, examples, examples))
    return made


def test_contrast_goes_on_where_it_stopped(quick, tmp_path):
    asked = ["contrast", "--csv", str(tmp_path / "contrast.csv"), "--steps", "7", "--seeds", "0"]
    assert script.main(asked) == 0 and script.main([*asked, "2"]) == 0
    assert quick == [("contrast", "0", "7"), ("contrast", "2", "7")]
    table = RunTable.stored(tmp_path / "contrast.csv")
    for line in table.lines:
        assert float(line["test_accuracy"]) == pytest.approx(table.points(line).mean(), abs=1e-6) == 0.5
        assert (line["labels"], line["chosen"], line["threads"]) == ("50", "mean, C 0.1", "1")


def test_rerank_goes_on_where_it_stopped(quick, tmp_path):
    path = tmp_path / "rerank.csv"
    asked = ["rerank", "--csv", str(path), "--trained-on", "8", "--every", "3", "--seeds", "0"]
    assert script.main(asked) == 0 and script.main([*asked, "1"]) == 0
    assert quick == [("rerank", (8, 0), 10), ("rerank", (8, 1), 10)]
    table = RunTable.stored(path, "questions")
    assert sorted((line["row"], line["seed"]) for line in table.lines) == [
        ("both", "0"), ("both", "1"), ("joined", ""), ("re-ranked", "0"), ("re-ranked", "1"),
    ]  # fmt: skip
    for line in table.lines:
        inverse = table.answers(line)
        assert len(inverse) == int(line["asked"]) == 8
        assert float(line["mrr"]) == pytest.approx(inverse.mean(), abs=1e-6)
        for k in (1, 5, 20):
            assert float(line[f"recall_{k}"]) == pytest.approx(np.mean(np.rint(1 / inverse) <= k), abs=1e-6)
    (joined,), (anew, _) = table.matching(row="joined"), table.matching(row="re-ranked")
    assert float(joined["recall_1"]) < float(joined["recall_5"]) == 1 == float(anew["recall_1"])


def test_another_setting_is_another_run(quick, tmp_path):
    asked = ["rerank", "--csv", str(tmp_path / "rerank.csv"), "--every", "3", "--seeds", "0"]
    for count in ("8", "12"):
        assert script.main([*asked, "--trained-on", count]) == 0
    assert len(RunTable.stored(tmp_path / "rerank.csv", "questions").lines) == 1 + 2 * 2


def test_what_is_no_table_of_this_script_is_said(quick, tmp_path, capsys):
    path = tmp_path / "rerank.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    assert script.main(["rerank", "--csv", str(path)]) == 1
    assert "has other columns" in capsys.readouterr().err
    options = ["rerank", "--csv", str(path), "--trained-on", "3"]
    assert "must be at least 4" in refusal(script.main, options, capsys)
