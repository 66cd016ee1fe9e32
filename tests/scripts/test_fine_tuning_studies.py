"""scripts/fine_tuning_studies.py and helpers/studies/curves.py on tiny domains and encoders."""

import copy
import csv
import random
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from helpers import checkpoints, data
from helpers.classification import (
    BertForClassification,
    Examples,
    FineTuning,
    classification_loss,
    encode_texts,
    evaluate,
    fine_tune,
    freeze_lower_layers,
)
from helpers.encoder import Bert, BertConfig
from helpers.studies import curves as learning_curves
from helpers.studies.fine_tuning import subset
from helpers.studies.tables import TableError
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer
from scripts import fine_tune as runs
from scripts import fine_tuning_studies as script

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
    tasks = {
        domain: runs.Task(
            domain, 2, *(make_examples(domain, count, count) for count in (60, 20, 30 + place)),
            people=np.full(30 + place, 0.75),
        )
        for place, domain in enumerate(script.DOMAINS)
    }  # fmt: skip
    monkeypatch.setattr(runs, "load_task", tasks.get)
    monkeypatch.setattr(runs, "MINILM", SMALL)
    monkeypatch.setattr(runs, "LEAST_STEPS", 1)
    monkeypatch.setattr(script, "RESAMPLES", 20)
    runs.load_encoder.cache_clear()
    yield SimpleNamespace(folder=tmp_path, tasks=tasks)
    runs.load_encoder.cache_clear()


def domains(tiny, *options):
    return script.main(["--study", "domains", "--csv", str(tiny.folder / "domains.csv"), "--threads", "1",
                        "--labels", "48", "--domain-labels", "24", *options])  # fmt: skip


def curves(tiny, *options):
    return script.main(["--study", "curves", "--csv", str(tiny.folder / "curves.csv"), "--threads", "1",
                        "--labels", "40", "--validation", "16", "--every", "4", *options])  # fmt: skip


def domain_table(tiny):
    return script.domain_table(tiny.folder / "domains.csv")


def curve_lines(tiny, **settings):
    return learning_curves.find(
        learning_curves.read(tiny.folder / "curves.csv", script.CURVE_SETTINGS), settings
    )


def answers(table, **settings):
    (line,) = [line for line in table.lines if all(line[name] == value for name, value in settings.items())]
    return table.answers(line)


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
    monkeypatch.setattr(script, "result_of", no_runs)
    assert domains(tiny, "--seeds", "1", "0") == 0  # all are there
    assert (tiny.folder / "domains.csv").read_bytes() == before
    capsys.readouterr()
    assert domains(tiny, "--report") == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 8 + 10 + 10 and sum("against" in line for line in printed) == 6 + 10
    assert sum("against before" in line and "against tfidf" in line for line in printed) == 6


def test_minilm_goes_on_from_the_movies(tiny):
    """The same by the course's loop alone."""
    assert domains(tiny, "--seeds", "3") == 0
    table = domain_table(tiny)
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
    assert domains(tiny, "--seeds", "2") == 0
    table = domain_table(tiny)
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


def test_an_interrupted_study_goes_on_with_the_same_answers(tiny, monkeypatch, capsys):
    assert domains(tiny, "--seeds", "0") == 0
    whole = domain_table(tiny)
    for file in tiny.folder.glob("domains.*"):
        file.unlink()
    computed = script.result_of

    def interrupted(stage, *rest):
        if stage.trained_on == ("movies", "products") and stage.method == "minilm":
            raise KeyboardInterrupt
        return computed(stage, *rest)

    monkeypatch.setattr(script, "result_of", interrupted)
    assert domains(tiny, "--seeds", "0") == 130 and "goes on" in capsys.readouterr().out
    assert len(domain_table(tiny).lines) == 8 + 10 + 4
    monkeypatch.setattr(script, "result_of", computed)
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


def make_run(dropout=0.1):
    model = BertForClassification(make_bert(0, dropout), 2, dropout)
    train = make_examples("movies", 20, 0)
    return model, train, encode_texts(train.texts, TOKENIZER, 24)


def test_the_steps_are_those_of_the_taught_loop():
    plan = FineTuning(epochs=3, batch_size=8, learning_rate=3e-3, warm_up=0.5, seed=5)
    model, train, encodings = make_run()
    twin, held_out, seen = copy.deepcopy(model), make_examples("movies", 12, 1), []

    def measure(model):
        seen.append(evaluate(model, held_out, TOKENIZER).accuracy)
        return seen[-1]

    start = evaluate(model, held_out, TOKENIZER).accuracy
    lines = learning_curves.follow(model, encodings, train.labels, TOKENIZER, plan, 4, measure)
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
    (_, line) = learning_curves.follow(model, encodings, train.labels, TOKENIZER, plan, 1, lambda _: 0.5)
    assert norm > 1 and float(line["gradient_norm"]) == pytest.approx(norm, rel=1e-4)


def test_a_loss_that_is_not_finite_ends_the_curve():
    model, train, encodings = make_run()
    plan = FineTuning(epochs=3, batch_size=8, learning_rate=1e30, warm_up=0)
    lines = learning_curves.follow(model, encodings, train.labels, TOKENIZER, plan, 9, lambda _: 0.5)
    assert [line["step"] for line in lines] == ["0", "1", "2"]
    assert lines[2]["loss"] == "nan" and lines[2]["gradient_norm"] == "" and "step 2" in lines[2]["note"]
    assert not lines[1]["note"]


def test_every_plan_is_a_curve(tiny, monkeypatch, capsys):
    assert curves(tiny) == 0
    steps = 3 * 5
    for name, plan in script.PLANS.items():
        lines = curve_lines(tiny, plan=name)
        assert [line["step"] for line in lines] == [str(step) for step in range(steps + 1)]
        assert [line["step"] for line in lines if line["accuracy"]] == ["0", "4", "8", "12", "15"]
        assert float(lines[0]["peak_rate"]) == pytest.approx(3e-3 * plan.rate)
        frozen = plan.changes.get("frozen_layers", "1")
        assert {line["frozen_layers"] for line in lines} == {frozen}
    first = {name: float(curve_lines(tiny, plan=name)[1]["learning_rate"]) for name in script.PLANS}
    assert first["no warm-up"] == pytest.approx(3e-3 * 15 / 16) and first["recipe"] < 2e-3
    before = (tiny.folder / "curves.csv").read_bytes()
    monkeypatch.setattr(script, "curve", no_runs)
    assert curves(tiny) == 0 and (tiny.folder / "curves.csv").read_bytes() == before
    capsys.readouterr()
    assert curves(tiny, "--report") == 0
    assert len(capsys.readouterr().out.splitlines()) == len(script.PLANS)


def test_forgetting_is_measured_on_movies_from_a_model_tuned_on_them(tiny, monkeypatch):
    task, asked, accuracy = tiny.tasks["movies"], [], script.accuracy
    held_out = subset(task.validation, 16, 4)
    monkeypatch.setattr(
        script,
        "accuracy",
        lambda model, held_out, **rest: asked.append(held_out) or accuracy(model, held_out, **rest),
    )
    assert curves(tiny, "--plans", "forgetting, harsh", "--seeds", "4") == 0
    assert len(asked) == 5 and all(examples == held_out for examples in asked)
    run = script.recipe("movies", 40, 4)
    tuned = runs.start(task, run)
    fine_tune(tuned, subset(task.train, 40, 4), task.validation, TOKENIZER, runs.plan_of(run))
    lines = curve_lines(tiny, plan="forgetting, harsh")
    assert lines[0]["trained_on"] == "movies + tweets"
    expected = evaluate(tuned, held_out, TOKENIZER).accuracy
    assert float(lines[0]["accuracy"]) == pytest.approx(expected, rel=1e-5)
    tweets = subset(tiny.tasks["tweets"].train, 40, 4)
    plan = FineTuning(epochs=3, batch_size=8, learning_rate=3e-2, max_length=24, seed=4)
    losses = fine_tune(tuned, tweets, held_out, TOKENIZER, plan)
    assert [float(line["loss"]) for line in lines[1:]] == pytest.approx(losses, rel=1e-4)


def test_interrupted_curves_go_on_and_a_broken_one_is_kept(tiny, monkeypatch, capsys):
    monkeypatch.setattr(script, "PLANS", {"fine": script.Plan(), "breaks": script.Plan(1e30)})
    monkeypatch.setitem(script.DEFAULTS["curves"], "plans", ["fine", "breaks"])
    followed = script.curve

    def interrupted(name, *rest):
        if name == "breaks":
            raise KeyboardInterrupt
        return followed(name, *rest)

    monkeypatch.setattr(script, "curve", interrupted)
    assert curves(tiny) == 130
    assert {line["plan"] for line in curve_lines(tiny)} == {"fine"}
    monkeypatch.setattr(script, "curve", followed)
    assert curves(tiny) == 0
    broken = curve_lines(tiny, plan="breaks")
    assert broken[-1]["note"].startswith("step 2: the loss is nan") and len(broken) == 3
    assert len(curve_lines(tiny, plan="fine")) == 16
    assert "the loss is nan" in capsys.readouterr().out
    assert curves(tiny, "--report") == 0


def test_a_table_of_curves_keeps_whole_runs(tmp_path):
    path = tmp_path / "new" / "curves.csv"
    assert learning_curves.read(path, ("plan",)) == []
    step = dict.fromkeys(learning_curves.MEASURED, "")
    learning_curves.add(path, {"plan": "a"}, [step | {"step": "0"}, step | {"step": "1"}])
    learning_curves.add(path, {"plan": "b"}, [step | {"step": "0"}])
    learning_curves.add(path, {"plan": "a"}, [step | {"step": "7"}])  # once more
    lines = learning_curves.read(path, ("plan",))
    assert [(line["plan"], line["step"]) for line in lines] == [("b", "0"), ("a", "7")]
    with open(path, encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == ["plan", *learning_curves.MEASURED]
    with pytest.raises(TableError, match="other columns"):
        learning_curves.add(path, {"name": "a"}, [step])
    assert not list(path.parent.glob("*.partial"))


# Bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--study", "domains", "--labels", "1"], "--labels must be at least 2, not 1"),
        (["--study", "domains", "--domain-labels", "0"], "--domain-labels must be at least 2"),
        (["--study", "domains", "--seeds", "-1"], "--seeds are 0 or more"),
        (["--study", "domains", "--threads", "0"], "--threads must be at least 1"),
        (["--study", "domains", "--every", "4"], "--every is for --study curves"),
        (["--study", "curves", "--domain-labels", "9"], "--domain-labels is for --study domains"),
        (["--study", "curves", "--every", "0"], "--every must be at least 1"),
        (["--study", "curves", "--plans", "other"], "invalid choice"),
        (["--study", "curves", "--csv", "table.txt"], "must end in .csv"),
        (["--study", "curves", "--csv", "nowhere.csv", "--report"], "no table nowhere.csv"),
        (["--report"], "--study"),
    ],
)
def test_bad_options_get_one_sentence(options, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        script.main(options)
    assert stopped.value.code == 2 and message in capsys.readouterr().err.splitlines()[-1]


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
