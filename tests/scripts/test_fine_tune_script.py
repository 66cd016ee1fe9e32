"""scripts/fine_tune.py on tiny data and encoders: every row, interruptions, bad options; and its helpers."""

import copy
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from helpers import checkpoints, data
from helpers.classification import (
    BertForClassification,
    Examples,
    FineTuning,
    evaluate,
    freeze_lower_layers,
    rater_agreement,
)
from helpers.encoder import Bert, BertConfig
from helpers.studies.fine_tuning import (
    MaskClassifier,
    as_prompt,
    features,
    fine_tune_with_trainer,
    last_sentences,
    remember_encodings,
    subset,
)
from helpers.studies.tables import RunTable, TableError
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer
from scripts import fine_tune as script

WORDS = ["a", "the", "film", "plot", "good", "great", "bad", "dull", "very", "."]
PLAN = FineTuning(epochs=3, batch_size=8, learning_rate=3e-3, max_length=20)


def make_tokenizer():
    return WordPieceTokenizer([*SPECIAL_TOKENS, *WORDS])


def make_bert(seed=0):
    config = BertConfig(
        vocab_size=len(SPECIAL_TOKENS) + len(WORDS), hidden_size=16, num_layers=2, num_heads=2,
        intermediate_size=32, max_positions=24, init_std=None,
    )  # fmt: skip
    torch.manual_seed(seed)
    return Bert(config)


def make_model(seed=0):
    return BertForClassification(make_bert(seed), 2)


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
    task = script.Task("movies", 2, *(make_examples(n, n) for n in (48, 20, 30)), people=people)
    monkeypatch.setattr(script, "load_task", lambda name: task)
    small = {"epochs": 1, "batch_size": 8, "learning_rate": 3e-3, "frozen_layers": "none"}
    monkeypatch.setattr(script, "RECIPES", {})
    monkeypatch.setattr(script, "MINILM", small)
    monkeypatch.setattr(script, "LEAST_STEPS", 1)
    script.load_encoder.cache_clear()
    yield SimpleNamespace(csv=tmp_path / "runs" / "table.csv", task=task, folder=tmp_path)
    script.load_encoder.cache_clear()


def run(tiny, *options):
    return script.main(["--csv", str(tiny.csv), "--threads", "1", "--own", "tiny", *options])


def table(tiny):
    return RunTable(tiny.csv, script.SETTINGS, script.RESULTS)


def no_runs(*_):
    raise AssertionError("this run is in the table already")


def test_every_row_writes_a_line_and_its_answers(tiny, monkeypatch, capsys):
    assert run(tiny, "--seeds", "0", "1") == 0
    found = table(tiny)
    rows = [line["row"] for line in found.lines]
    assert {row: rows.count(row) for row in rows} == {
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
    monkeypatch.setattr(script, "METHODS", dict.fromkeys(script.ROWS, no_runs))
    assert run(tiny, "--seeds", "0", "1") == 0  # all are there
    assert tiny.csv.read_bytes() == before
    capsys.readouterr()
    assert script.main(["--csv", str(tiny.csv), "--report"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 8 and "against ours" in printed[6] and "next run" in printed[6]


def test_an_interrupted_series_goes_on(tiny, monkeypatch, capsys):
    rows = ("--rows", "majority", "tfidf", "--labels", "20", "--seeds", "0", "1")
    calls = []

    def interrupted(task, settings):
        calls.append(settings)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return majority(task, settings)

    majority = script.majority
    monkeypatch.setitem(script.METHODS, "majority", interrupted)
    assert run(tiny, *rows) == 130
    assert [(line["row"], line["seed"]) for line in table(tiny).lines] == [("majority", "0"), ("tfidf", "0")]
    assert "goes on" in capsys.readouterr().out
    assert run(tiny, *rows) == 0
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
    monkeypatch.setattr(script, "LEAST_STEPS", 5)
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

    monkeypatch.setattr(script, "fine_tune", diverges)
    assert run(tiny, "--rows", "ours", "--seeds", "0") == 0
    (line,) = table(tiny).lines
    assert "step 3" in line["note"] and line["validation_accuracy"] == "" and line["best_epoch"] == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--labels", "0"], "at least 2 each"),
        (["--labels", "few"], "or all"),
        (["--seeds", "-1"], "--seeds are 0 or more"),
        (["--threads", "0"], "--threads must be at least 1"),
        (["--learning-rate", "0"], "above 0"),
        (["--learning-rate", "nan"], "above 0"),
        (["--layer-decay", "1.5"], "at most 1"),
        (["--warm-up", "1"], "below 1"),
        (["--weight-decay", "-1"], "0 or more"),
        (["--minutes", "0"], "above 0"),
        (["--frozen-layers", "some"], "none or a number"),
        (["--csv", "table.txt"], "end in .csv"),
        (["--grid", "--rows", "own"], "leave --rows away"),
        (["--grid", "--epochs", "2"], "leave them away"),
        (["--task", "stories", "--rows", "human"], "no row human"),
        (["--rows", "perfect"], "no row perfect"),
        (["--report", "--csv", "nowhere.csv"], "no table"),
    ],
)
def test_bad_options_get_one_sentence(options, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        script.main(options)
    assert stopped.value.code == 2 and message in capsys.readouterr().err.splitlines()[-1]


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
    task = script.Task("stories", 2, *longer, sentences, perfect=np.array(longer[2].labels))
    monkeypatch.setattr(script, "load_task", lambda name: task)
    assert run(tiny, "--task", "stories", "--seeds", "0", "--reads", "[MASK]") == 0
    lines = {line["row"]: line for line in table(tiny).lines}
    assert list(lines) == ["majority", "tfidf", "random", "own", "perfect"]
    assert float(lines["perfect"]["test_accuracy"]) == 1 and lines["perfect"]["chosen"].startswith("0.9")
    for text, short in zip(longer[2].texts, script.texts_for(task, "test", "tiny", 24), strict=True):
        words = short.split()
        assert words == text.split()[-len(words) :] and len(make_tokenizer().encode(short).ids) <= 24
    assert {lines[row]["reads"] for row in ("random", "own")} == {"[MASK]"}
    for short in script.texts_for(task, "test", "tiny", 24, "[MASK]"):
        assert short.count("[MASK]") == 1 and len(make_tokenizer().encode(short).ids) <= 24


# The table


def test_a_table_keeps_its_columns_answers_and_labels(tmp_path):
    found = RunTable(tmp_path / "a.csv", ("task", "seed"), ("accuracy",))
    found.add({"task": "t", "seed": 0, "accuracy": 0.5}, np.array([0, 1]), np.array([0, 0]))
    other = RunTable(tmp_path / "a.csv", ("task", "seed"), ("accuracy",))  # another process
    other.add({"task": "t", "seed": 1}, np.array([0.25, 1.0]), np.array([0, 0]))
    found.add({"task": "t", "seed": 0, "accuracy": 1.0}, np.array([0, 0]), np.array([0, 0]))  # once more
    found.read()
    assert [line["seed"] for line in found.lines] == ["1", "0"]
    assert found.find({"task": "t", "seed": 0})["accuracy"] == "1.0"
    assert found.find({"task": "t", "seed": 2}) is None
    assert found.points(found.lines[0]).tolist() == [0.25, 1.0]
    assert found.points(found.lines[1]).tolist() == [1.0, 1.0]
    with pytest.raises(TableError, match="other test examples"):
        found.add({"task": "t", "seed": 3}, np.array([0, 1]), np.array([1, 0]))
    with pytest.raises(TableError, match="one for each"):
        found.add({"task": "t", "seed": 3}, np.array([0]), np.array([1, 0]))
    with pytest.raises(TableError, match="other columns"):
        RunTable(tmp_path / "a.csv", ("task",), ("accuracy",))
    stored = RunTable.stored(tmp_path / "a.csv")
    assert [line["accuracy"] for line in stored.matching(task="t")] == ["1.0", ""]  # in the order of seeds
    assert stored.points(stored.matching(seed=1)[0]).tolist() == [0.25, 1.0]
    assert stored.matching(task="t", seed=2) == []
    with pytest.raises(TableError, match="no column sed: it has key, task, seed, accuracy"):
        stored.matching(sed=1)
    with pytest.raises(TableError, match="there is no table"):
        RunTable.stored(tmp_path / "b.csv")
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(TableError, match="can't be read"):
        RunTable(tmp_path / "a.csv", ("task", "seed"), ("accuracy",))
    assert not list(tmp_path.glob("*.partial"))


# Helpers of the rows


def test_the_trainer_learns_keeps_the_best_epoch_and_leaves_frozen_layers():
    train, validation = make_examples(64, 0), make_examples(24, 1)
    model = make_model()
    freeze_lower_layers(model.bert, 1)
    before = copy.deepcopy(model.state_dict())
    accuracies = fine_tune_with_trainer(model, train, validation, make_tokenizer(), PLAN)
    assert len(accuracies) == PLAN.epochs
    assert evaluate(model, validation, make_tokenizer()).accuracy == pytest.approx(max(accuracies))
    for name, weight in model.state_dict().items():
        frozen = name.startswith(("bert.embeddings", "bert.layers.0"))
        assert torch.equal(weight, before[name]) == frozen, name


def test_features_are_those_of_a_text_alone():
    bert, tokenizer = make_bert().eval(), make_tokenizer()
    texts = ["good", "the very very dull plot .", "bad film"]
    found = features(bert, texts, tokenizer)
    for row, text in enumerate(texts):
        with torch.no_grad():
            vectors = bert(**tokenizer.encode_batch([text])).last_hidden_state[0]
        assert np.allclose(found["[CLS]"][row], vectors[0], atol=1e-6)
        assert np.allclose(found["mean"][row], vectors.mean(dim=0), atol=1e-6)


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
    tokenizer = remember_encodings(make_tokenizer())
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


def test_the_mask_classifier_reads_at_the_gap():
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, "a", "b", "c", "."])
    torch.manual_seed(0)
    bert = Bert(BertConfig(len(tokenizer.vocabulary), 16, 2, 2, 32, 20, dropout=0.0, init_std=None)).eval()
    model = MaskClassifier(bert, 3, tokenizer, dropout=0.0).eval()
    batch = tokenizer.encode_batch(["a b . [SEP] b [MASK] c", "[MASK] c"])
    with torch.no_grad():
        logits = model(**batch)
        for row, (types, place) in enumerate((([0] * 5 + [1] * 4, 6), ([0] * 4, 1))):
            ids = batch["ids"][row : row + 1, : len(types)]
            hidden = bert(ids, torch.tensor([types])).last_hidden_state[0, place]
            torch.testing.assert_close(logits[row], model.classifier(hidden), atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="every text needs one .MASK."):
        model(**tokenizer.encode_batch(["a b"]))


def test_prompts_fit_and_keep_the_last_sentence():
    words = "one two three four i am so !".split()
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *words, '"'])
    sentences = ["one one", "two two", "three", "four"]
    whole = as_prompt(sentences, tokenizer, 20)
    assert whole == 'two two three [SEP] four "I am so [MASK]!"'
    assert as_prompt(sentences, tokenizer, 13) == 'three [SEP] four "I am so [MASK]!"'
    assert as_prompt(sentences, tokenizer, 11) == '[SEP] four "I am so [MASK]!"'
    with pytest.raises(ValueError, match="no room in 10 tokens"):
        as_prompt(sentences, tokenizer, 10)
