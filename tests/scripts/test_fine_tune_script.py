"""scripts/fine_tune.py on tiny data and encoders: every row, interruptions, bad options."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from helpers import checkpoints, data
from helpers.classification import Examples
from helpers.encoder import Bert, BertConfig
from helpers.studies import recipes, rows, tasks
from helpers.studies.tables import RunTable
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer
from scripts import fine_tune as script
from tests.scripts.refusing import refusal

WORDS = ["a", "the", "film", "plot", "good", "great", "bad", "dull", "very", "."]


def make_tokenizer():
    return WordPieceTokenizer([*SPECIAL_TOKENS, *WORDS])


def make_bert(seed=0):
    config = BertConfig(
        vocab_size=len(SPECIAL_TOKENS) + len(WORDS), hidden_size=16, num_layers=2, num_heads=2,
        intermediate_size=32, max_positions=24, init_std=None,
    )  # fmt: skip
    torch.manual_seed(seed)
    return Bert(config)


def make_examples(count, seed):
    """Sentences with one word that decides their class."""
    dice = random.Random(seed)
    texts, labels = [], []
    for _ in range(count):
        label = dice.randrange(2)
        words = [dice.choice(["a", "the", "film", "plot", "very", "."]) for _ in range(dice.randrange(8))]
        words.insert(
            dice.randint(0, len(words)), [["bad", "dull"], ["good", "great"]][label][dice.randrange(2)]
        )
        texts.append(" ".join(words))
        labels.append(label)
    return Examples(texts, labels)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """The script with a tiny task, a tiny `minilm`, a tiny own checkpoint and small recipes."""
    tokenizer = make_tokenizer()
    checkpoints.save(make_bert(1), tokenizer, tmp_path / "cache" / "minilm")
    checkpoints.save(make_bert(2), tokenizer, tmp_path / "checkpoints" / "tiny")
    monkeypatch.setattr(data, "fetch", lambda name: tmp_path / "cache" / name)
    monkeypatch.setattr(checkpoints, "CHECKPOINTS", tmp_path / "checkpoints")
    people = np.full(30, 0.9)
    task = tasks.Task("movies", 2, *(make_examples(n, n) for n in (48, 20, 30)), people=people)
    monkeypatch.setattr(script, "load_task", lambda name: task)
    small = {"epochs": 1, "batch_size": 8, "learning_rate": 3e-3, "frozen_layers": "none"}
    monkeypatch.setattr(recipes, "RECIPES", {})
    monkeypatch.setattr(recipes, "MINILM", small)
    monkeypatch.setattr(recipes, "LEAST_STEPS", 1)
    tasks.load_encoder.cache_clear()
    yield SimpleNamespace(csv=tmp_path / "runs" / "table.csv", task=task, folder=tmp_path)
    tasks.load_encoder.cache_clear()


def run(tiny, *options):
    return script.main(["--csv", str(tiny.csv), "--threads", "1", "--own", "tiny", *options])


def table(tiny):
    return RunTable(tiny.csv, script.SETTINGS, script.RESULTS)


def no_runs(*_):
    raise AssertionError("this run is in the table already")


def test_every_row_writes_a_line_and_its_answers(tiny, monkeypatch, capsys):
    assert run(tiny, "--seeds", "0", "1") == 0
    found = table(tiny)
    names = [line["row"] for line in found.lines]
    assert {name: names.count(name) for name in names} == {
        "majority": 1, "tfidf": 1, "frozen": 1, "human": 1, "random": 2, "own": 2, "ours": 2, "trainer": 2
    }  # fmt: skip
    for line in found.lines:
        points = found.points(line)
        assert len(points) == int(line["test_examples"]) == 30
        assert points.mean() == pytest.approx(float(line["test_accuracy"]), abs=1e-6)
    by_row = {line["row"]: line for line in found.lines}
    assert float(by_row["human"]["test_accuracy"]) == pytest.approx(0.9)
    assert float(by_row["tfidf"]["test_accuracy"]) > 0.9  # a word decides
    assert by_row["frozen"]["chosen"].split(",")[0] in ("[CLS]", "mean")
    assert by_row["ours"]["weights"] == by_row["trainer"]["weights"] != by_row["own"]["weights"]
    assert by_row["ours"]["learning_rate"] == "0.003" and by_row["ours"]["best_epoch"] == "1"

    before = tiny.csv.read_bytes()
    monkeypatch.setattr(script, "ROWS", dict.fromkeys(rows.ROWS, no_runs))
    assert run(tiny, "--seeds", "0", "1") == 0  # all are there
    assert tiny.csv.read_bytes() == before
    capsys.readouterr()
    assert script.main(["--csv", str(tiny.csv), "--report"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 8 and "against ours" in printed[6] and "next run" in printed[6]


def test_an_interrupted_series_goes_on(tiny, monkeypatch, capsys):
    asked = ("--rows", "majority", "tfidf", "--labels", "20", "--seeds", "0", "1")
    calls = []

    def interrupted(task, settings):
        calls.append(settings)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return majority(task, settings)

    majority = rows.majority
    monkeypatch.setitem(rows.ROWS, "majority", interrupted)
    assert run(tiny, *asked) == 130
    assert [(line["row"], line["seed"]) for line in table(tiny).lines] == [("majority", "0"), ("tfidf", "0")]
    assert "goes on" in capsys.readouterr().out
    assert run(tiny, *asked) == 0
    assert len(calls) == 3 and len(table(tiny).lines) == 4
    assert {line["validation_examples"] for line in table(tiny).lines} == {"20"}


def test_other_settings_are_other_runs(tiny):
    options = ("--rows", "ours", "--seeds", "0")
    for more in ((), ("--epochs", "2"), ("--learning-rate", "0.001"), ("--frozen-layers", "1"),
                 ("--layer-decay", "0.8"), ("--labels", "8"), ("--epochs", "2")):  # fmt: skip
        assert run(tiny, *options, *more) == 0
    lines = table(tiny).lines
    assert len(lines) == len({line["key"] for line in lines}) == 6
    assert lines[1]["epochs"] == "2" and lines[3]["frozen_layers"] == "1" and lines[4]["layer_decay"] == "0.8"


def test_few_labels_get_more_epochs(tiny, monkeypatch):
    monkeypatch.setattr(recipes, "LEAST_STEPS", 5)
    assert run(tiny, "--rows", "ours", "--seeds", "0", "--labels", "12", "48") == 0
    assert [line["epochs"] for line in table(tiny).lines] == ["3", "1"]  # 2 and 6 steps in an epoch


def test_a_missing_checkpoint_stops_its_rows_alone(tiny, capsys):
    assert run(tiny, "--rows", "majority", "own", "random", "--seeds", "0", "1", "--own", "nowhere") == 1
    assert [line["row"] for line in table(tiny).lines] == ["majority"]
    said = capsys.readouterr().err
    assert said.count("own: left out, there is no checkpoint 'nowhere'") == 1 and "--own" in said


def test_bert_says_when_the_hub_is_out_of_reach(tiny, monkeypatch, capsys):
    def nothing(name):
        raise checkpoints.CheckpointError("the model hub did not give it: check the connection")

    monkeypatch.setattr(checkpoints, "load", nothing)
    assert run(tiny, "--rows", "bert", "majority") == 1
    assert "bert: left out, the model hub did not give it" in capsys.readouterr().err
    assert [line["row"] for line in table(tiny).lines] == ["majority"]


def test_minutes_begin_no_new_run(tiny, capsys):
    assert run(tiny, "--rows", "majority", "--minutes", "1e-9") == 0
    assert "minutes are over" in capsys.readouterr().out and not tiny.csv.exists()


def test_the_grid_is_a_table_of_ours(tiny, monkeypatch):
    small = {"learning_rate": (1e-3, 1e-2), "batch_size": (8,), "epochs": (1, 2)}
    monkeypatch.setattr(script, "GRID", small)
    assert run(tiny, "--grid", "--labels", "16", "--seeds", "0") == 0
    found = [(line["learning_rate"], line["epochs"]) for line in table(tiny).lines]
    assert found == [("0.001", "1"), ("0.001", "2"), ("0.01", "1"), ("0.01", "2")]


def test_a_run_that_breaks_off_is_noted(tiny, monkeypatch):
    def diverges(*_):
        raise FloatingPointError("step 3: the loss is nan")

    monkeypatch.setattr(rows, "fine_tune", diverges)
    assert run(tiny, "--rows", "ours", "--seeds", "0") == 0
    (line,) = table(tiny).lines
    assert "step 3" in line["note"] and line["validation_accuracy"] == "" and line["best_epoch"] == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--labels", "0"], "--labels: must be at least 2, not 0; or give all"),
        (["--labels", "few"], "--labels: must be a whole number, not 'few'; or give all"),
        (["--seeds", "-1"], "--seeds: must be at least 0, not -1"),
        (["--threads", "0"], "--threads: must be at least 1, not 0"),
        (["--learning-rate", "0"], "--learning-rate: must be above 0, not 0"),
        (["--learning-rate", "nan"], "--learning-rate: must be a finite number, not nan"),
        (["--layer-decay", "1.5"], "--layer-decay: must be above 0 and at most 1, not 1.5"),
        (["--threads", str(10**12)], "--threads: must be at most 1,024, not 1000000000000"),
        (["--seeds", str(2**31)], "--seeds: must be at most"),
        (["--labels", "1"], "--labels: must be at least 2, not 1; or give all"),
        (["--frozen-layers", "-1"], "--frozen-layers: must be at least 0, not -1; or give none"),
        (["--minutes", "nan"], "--minutes: must be a finite number, not nan"),
        (["--warm-up", "50"], "--warm-up: must be at least 0 and below 1, not 50"),
        (["--warm-up", "-0.1"], "--warm-up: must be at least 0 and below 1, not -0.1"),
        (["--warm-up", "nan"], "--warm-up: must be a finite number, not nan"),
        (["--warm-up", "1"], "--warm-up: must be at least 0 and below 1, not 1"),
        (["--weight-decay", "-1"], "--weight-decay: must be at least 0, not -1"),
        (["--minutes", "0"], "--minutes: must be above 0, not 0"),
        (["--frozen-layers", "some"], "--frozen-layers: must be a whole number, not 'some'; or give none"),
        (["--csv", "table.txt"], "--csv: must end in .csv, not table.txt"),
        (["--grid", "--rows", "own"], "leave --rows away"),
        (["--grid", "--epochs", "2"], "leave them away"),
        (["--task", "stories", "--rows", "human"], "no row human"),
        (["--rows", "perfect"], "no row perfect"),
        (["--report", "--csv", "nowhere.csv"], "no table"),
    ],
)
def test_bad_options_get_one_sentence(options, message, capsys):
    assert message in refusal(script.main, options, capsys)


def test_what_only_the_data_show_is_said_as_well(tiny, capsys):
    assert run(tiny, "--rows", "majority", "--labels", "49") == 1
    assert "48 training examples" in capsys.readouterr().err
    assert run(tiny, "--rows", "ours", "trainer", "--frozen-layers", "3") == 1
    assert "has 2 layers" in capsys.readouterr().err
    assert run(tiny, "--rows", "trainer", "--layer-decay", "0.9") == 1
    assert "one learning rate for all layers" in capsys.readouterr().err


def test_story_rows_and_their_texts(tiny, monkeypatch):
    """Without their sentences whole texts would be too long for the encoder's 24 positions."""
    parts = [make_examples(count, count) for count in (30, 10, 12)]
    filler = "the film . " * 9
    longer = [Examples([filler + text for text in part.texts], part.labels) for part in parts]
    sentences = {
        filler + text: ("the film . " * 5, "the film . " * 4, text) for part in parts for text in part.texts
    }
    task = tasks.Task("stories", 2, *longer, sentences, perfect=np.array(longer[2].labels))
    monkeypatch.setattr(script, "load_task", lambda name: task)
    assert run(tiny, "--task", "stories", "--seeds", "0", "--reads", "[MASK]") == 0
    lines = {line["row"]: line for line in table(tiny).lines}
    assert list(lines) == ["majority", "tfidf", "random", "own", "perfect"]
    assert float(lines["perfect"]["test_accuracy"]) == 1 and lines["perfect"]["chosen"].startswith("0.9")
    whole = {"checkpoint": "tiny", "max_length": "24", "reads": "[CLS]"}
    for text, short in zip(longer[2].texts, tasks.texts(task, "test", whole), strict=True):
        words = short.split()
        assert words == text.split()[-len(words) :] and len(make_tokenizer().encode(short).ids) <= 24
    assert {lines[row]["reads"] for row in ("random", "own")} == {"[MASK]"}
    for short in tasks.texts(task, "test", whole | {"reads": "[MASK]"}):
        assert short.count("[MASK]") == 1 and len(make_tokenizer().encode(short).ids) <= 24


def test_movies_are_read_at_their_mean_if_asked_for(tiny, capsys):
    assert run(tiny, "--rows", "own", "ours", "--seeds", "0", "--labels", "20", "--reads", "mean") == 0
    assert {line["reads"] for line in table(tiny).lines} == {"mean"}
    with pytest.raises(SystemExit):
        run(tiny, "--rows", "own", "--reads", "[MASK]")
    assert "--reads [MASK] is for the stories" in capsys.readouterr().err


def test_a_csv_that_is_no_table_gets_one_sentence(tiny, capsys):
    folder = tiny.folder / "folder.csv"
    folder.mkdir()
    assert "--csv: " in refusal(script.main, ["--csv", str(folder)], capsys)
    tiny.csv.parent.mkdir()
    for content, message in ((b"", "is empty: delete it"), (bytes(range(256)), "can't be read as a table"),
                             (b"a,b\n1,2\n", "other columns")):  # fmt: skip
        tiny.csv.write_bytes(content)
        for more in ((), ("--report",)):
            assert run(tiny, "--rows", "majority", *more) == 1
            said = capsys.readouterr()
            assert said.out == "" and message in said.err and said.err.count("\n") == 1
        assert tiny.csv.read_bytes() == content


def test_where_nothing_can_be_written_it_is_said_before_the_first_run(tiny, monkeypatch, capsys):
    monkeypatch.setattr(script, "ROWS", dict.fromkeys(rows.ROWS, no_runs))
    (tiny.folder / "file").write_text("")
    assert run(tiny, "--csv", str(tiny.folder / "file" / "table.csv")) == 1
    assert "table.csv can't be written" in capsys.readouterr().err


def test_the_library_reads_at_cls_alone(tiny, monkeypatch, capsys):
    examples = make_examples(20, 0)
    task = tasks.Task("stories", 2, examples, examples, examples)
    monkeypatch.setattr(script, "load_task", lambda name: task)
    assert run(tiny, "--task", "stories", "--rows", "majority", "trainer", "--reads", "[MASK]") == 1
    assert "trainer: left out, the library's classifier reads at [CLS]" in capsys.readouterr().err
    assert [line["row"] for line in table(tiny).lines] == ["majority"]
