"""scripts/fine_tuning_studies.py on tiny domains and encoders."""

import random
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from helpers import checkpoints, data
from helpers.classification import Examples
from helpers.encoder import Bert, BertConfig
from helpers.studies import curves as learning_curves
from helpers.studies import domains as other_domains
from helpers.studies import recipes, tasks
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer
from scripts import fine_tuning_studies as script
from tests.scripts.refusing import refusal

WORDS = ["a", "the", "it", "good", "great", "bad", "dull", "very", "cheap", "solid", "."]
TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, *WORDS])
SMALL = {"epochs": 2, "batch_size": 8, "learning_rate": 3e-3, "frozen_layers": "1"}
TELLING = {"movies": (["bad", "dull"], ["good", "great"]), "tweets": (["cheap", "good"], ["solid", "great"])}
TELLING |= {"products": (["good"], ["bad"]), "editorials": (["dull"], ["very"])}


def make_bert(seed=0, dropout=0.1):
    torch.manual_seed(seed)
    return Bert(BertConfig(len(TOKENIZER.vocabulary), 16, 2, 2, 32, 24, dropout=dropout, init_std=None))


def make_examples(domain, count, seed):
    """Sentences with one word that decides their class; which one depends on the domain."""
    dice = random.Random(f"{domain} {seed}")
    texts, labels = [], [int(dice.random() < 0.7) for _ in range(count)]
    for label in labels:
        words = [dice.choice(["a", "the", "it", "."]) for _ in range(dice.randrange(8))]
        words.insert(dice.randint(0, len(words)), dice.choice(TELLING[domain][label]))
        texts.append(" ".join(words))
    return Examples(texts, labels)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """The script with four tiny domains, a tiny `minilm` and a small recipe."""
    checkpoints.save(make_bert(1), TOKENIZER, tmp_path / "minilm")
    monkeypatch.setattr(data, "fetch", lambda name: tmp_path / name)
    found = {
        domain: tasks.Task(
            domain, 2, *(make_examples(domain, count, count) for count in (60, 20, 30 + place)),
            people=np.full(30 + place, 0.75),
        )
        for place, domain in enumerate(other_domains.DOMAINS)
    }  # fmt: skip
    monkeypatch.setattr(tasks, "load_task", found.get)
    monkeypatch.setattr(recipes, "MINILM", SMALL)
    monkeypatch.setattr(recipes, "LEAST_STEPS", 1)
    tasks.load_encoder.cache_clear()
    yield SimpleNamespace(folder=tmp_path, tasks=found)
    tasks.load_encoder.cache_clear()


def domains(tiny, *options):
    return script.main(["--study", "domains", "--csv", str(tiny.folder / "domains.csv"), "--threads", "1",
                        "--labels", "48", "--domain-labels", "24", *options])  # fmt: skip


def curves(tiny, *options):
    return script.main(["--study", "curves", "--csv", str(tiny.folder / "curves.csv"), "--threads", "1",
                        "--labels", "40", "--validation", "16", "--every", "4", *options])  # fmt: skip


def domain_table(tiny):
    return other_domains.domain_table(tiny.folder / "domains.csv")


def curve_lines(tiny, **settings):
    return learning_curves.find(
        learning_curves.read(tiny.folder / "curves.csv", learning_curves.SETTINGS), settings
    )


def no_runs(*_):
    raise AssertionError("this run is in the table already")


# Domains


def test_every_line_of_the_domain_study(tiny, monkeypatch, capsys):
    assert domains(tiny, "--seeds", "0", "1") == 0
    table = domain_table(tiny)
    assert Counter((line["method"], line["seed"]) for line in table.lines) == {
        ("majority", ""): 4, ("human", ""): 4, ("tfidf", "0"): 10, ("tfidf", "1"): 10, ("minilm", "0"): 10,
        ("minilm", "1"): 10,
    }  # fmt: skip
    for line in table.lines:
        test = tiny.tasks[line["evaluated_on"]].test
        assert int(line["n"]) == len(test.labels)
        if line["method"] == "human":
            assert float(line["accuracy"]) == 0.75
        else:
            right = np.mean(table.answers(line) == np.array(test.labels))
            assert float(line["accuracy"]) == pytest.approx(right, abs=1e-6)
        if line["method"] == "majority":
            ((most, _),) = Counter(tiny.tasks[line["trained_on"]].train.labels).most_common(1)
            assert set(table.answers(line)) == {most}

    before = (tiny.folder / "domains.csv").read_bytes()
    monkeypatch.setattr(script.DomainStudy, "compute", no_runs)
    assert domains(tiny, "--seeds", "1", "0") == 0  # all are there
    assert (tiny.folder / "domains.csv").read_bytes() == before
    capsys.readouterr()
    assert domains(tiny, "--report") == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 8 + 10 + 10 and sum("against" in line for line in printed) == 6 + 10
    assert sum("against before" in line and "against tfidf" in line for line in printed) == 6


def test_an_interrupted_study_goes_on_with_the_same_answers(tiny, monkeypatch, capsys):
    assert domains(tiny, "--seeds", "0") == 0
    whole = domain_table(tiny)
    for file in tiny.folder.glob("domains.*"):
        file.unlink()
    computed = script.DomainStudy.compute

    def interrupted(study, stage, *rest):
        if stage.trained_on == ("movies", "products") and stage.method == "minilm":
            raise KeyboardInterrupt
        return computed(study, stage, *rest)

    monkeypatch.setattr(script.DomainStudy, "compute", interrupted)
    assert domains(tiny, "--seeds", "0") == 130 and "goes on" in capsys.readouterr().out
    assert len(domain_table(tiny).lines) == 8 + 10 + 4
    monkeypatch.setattr(script.DomainStudy, "compute", computed)
    assert domains(tiny, "--seeds", "0") == 0
    again = domain_table(tiny)
    assert [line["key"] for line in again.lines] == [line["key"] for line in whole.lines]
    for line in again.lines:
        assert np.array_equal(again.answers(line), whole.answers(line))


def test_other_numbers_of_labels_are_other_runs(tiny):
    assert domains(tiny, "--seeds", "0") == 0
    assert domains(tiny, "--seeds", "0", "--domain-labels", "16") == 0
    found = Counter(line["domain_labels"] for line in domain_table(tiny).lines)
    assert found == {"": 8 + 4 + 4, "24": 12, "16": 12}


# Curves


def test_every_plan_is_a_curve(tiny, monkeypatch, capsys):
    assert curves(tiny) == 0
    steps = 3 * 5
    for name, plan in learning_curves.PLANS.items():
        lines = curve_lines(tiny, plan=name)
        assert [line["step"] for line in lines] == [str(step) for step in range(steps + 1)]
        assert [line["step"] for line in lines if line["accuracy"]] == ["0", "4", "8", "12", "15"]
        assert float(lines[0]["peak_rate"]) == pytest.approx(3e-3 * plan.rate)
        frozen = plan.changes.get("frozen_layers", "1")
        assert {line["frozen_layers"] for line in lines} == {frozen}
    first = {name: float(curve_lines(tiny, plan=name)[1]["learning_rate"]) for name in learning_curves.PLANS}
    assert first["no warm-up"] == pytest.approx(3e-3 * 15 / 16) and first["recipe"] < 2e-3
    before = (tiny.folder / "curves.csv").read_bytes()
    monkeypatch.setattr(script.CurveStudy, "compute", no_runs)
    assert curves(tiny) == 0 and (tiny.folder / "curves.csv").read_bytes() == before
    capsys.readouterr()
    assert curves(tiny, "--report") == 0
    assert len(capsys.readouterr().out.splitlines()) == len(learning_curves.PLANS)


def test_interrupted_curves_go_on_and_a_broken_one_is_kept(tiny, monkeypatch, capsys):
    plans = {"fine": learning_curves.Plan(), "breaks": learning_curves.Plan(1e30)}
    monkeypatch.setattr(learning_curves, "PLANS", plans)
    monkeypatch.setitem(script.DEFAULTS["curves"], "plans", ["fine", "breaks"])
    followed = script.CurveStudy.compute

    def interrupted(study, name, *rest):
        if name == "breaks":
            raise KeyboardInterrupt
        return followed(study, name, *rest)

    monkeypatch.setattr(script.CurveStudy, "compute", interrupted)
    assert curves(tiny) == 130
    assert {line["plan"] for line in curve_lines(tiny)} == {"fine"}
    monkeypatch.setattr(script.CurveStudy, "compute", followed)
    assert curves(tiny) == 0
    broken = curve_lines(tiny, plan="breaks")
    assert broken[-1]["note"].startswith("step 2: the loss is nan") and len(broken) == 3
    assert len(curve_lines(tiny, plan="fine")) == 16
    assert "the loss is nan" in capsys.readouterr().out
    assert curves(tiny, "--report") == 0


# Bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--study", "domains", "--labels", "1"], "--labels: must be at least 2, not 1"),
        (["--study", "domains", "--domain-labels", "0"], "--domain-labels: must be at least 2, not 0"),
        (["--study", "domains", "--seeds", "-1"], "--seeds: must be at least 0, not -1"),
        (["--study", "domains", "--threads", "0"], "--threads: must be at least 1, not 0"),
        (["--study", "domains", "--every", "4"], "--every is for --study curves"),
        (["--study", "curves", "--domain-labels", "9"], "--domain-labels is for --study domains"),
        (["--study", "curves", "--every", "0"], "--every: must be at least 1, not 0"),
        (["--study", "curves", "--plans", "other"], "invalid choice"),
        (["--study", "curves", "--csv", "table.txt"], "--csv: must end in .csv, not table.txt"),
        (["--study", "curves", "--csv", "nowhere.csv", "--report"], "no table nowhere.csv"),
        (["--study", "curves", "--threads", str(10**12)], "--threads: must be at most 1,024"),
        (["--study", "domains", "--csv", "nowhere.csv", "--report"], "no table nowhere.csv"),
        (["--report"], "--study"),
    ],
)
def test_bad_options_get_one_sentence(options, message, capsys):
    assert message in refusal(script.main, options, capsys)


def test_what_only_the_data_show_is_said_as_well(tiny, capsys):
    assert domains(tiny, "--labels", "61") == 1
    assert "movies has 60 training examples, not 61" in capsys.readouterr().err
    assert domains(tiny, "--domain-labels", "61") == 1
    assert "products has 60 training examples" in capsys.readouterr().err
    assert curves(tiny, "--validation", "21") == 1
    assert "20 validation examples" in capsys.readouterr().err
    (tiny.folder / "curves.csv").write_text("a,b\n", encoding="utf-8")
    assert curves(tiny, "--report") == 1
    assert "other columns" in capsys.readouterr().err


@pytest.mark.parametrize("study", [domains, curves])
def test_a_csv_that_is_no_table_gets_one_sentence(tiny, study, capsys):
    path = tiny.folder / f"{study.__name__}.csv"
    for content, message in ((b"", "is empty: delete it"), (bytes(range(256)), "can't be read as a table")):
        path.write_bytes(content)
        for more in ((), ("--report",)):
            assert study(tiny, *more) == 1
            said = capsys.readouterr()
            assert said.out == "" and message in said.err and said.err.count("\n") == 1
    path.unlink()
    path.mkdir()
    with pytest.raises(SystemExit) as stopped:
        study(tiny)
    assert stopped.value.code == 2 and "is a folder" in capsys.readouterr().err.splitlines()[-1]
