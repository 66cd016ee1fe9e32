"""From a table to a folder to answers, with a tiny encoder: what the library and pandas make of them."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from helpers import checkpoints
from helpers.everyday import Choices, InputError, evaluate, load_classifier, predict, train, write_table
from helpers.everyday.card import model_card
from helpers.everyday.folder import check_folder, save_classifier
from tests.everyday.tables_of_texts import sentences, tiny_start

ODD = ["nan", "N/A", 'a film, very\nbad; "dull"', "", " ", "good " * 20_000, "中 | <b>", "0"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a table, a classifier `out` trained on it, and what was said."""
    folder = tmp_path_factory.mktemp("made")
    rows = [[str(number), *row] for number, row in enumerate(sentences(300))]
    write_table(folder / "t.csv", ["id", "text", "label"], rows)
    start = str(tiny_start(folder / "start"))
    choices = Choices("text", "label", model=start, max_length=24, learning_rate=3e-3)
    said = []
    settings = train(folder / "t.csv", folder / "out", choices, say=said.append, command="a command")
    (folder / "said").write_text("\n".join(said))
    (folder / "settings").write_text(json.dumps(settings))
    return folder


def odd_table(path):
    rows = [[str(n), text, "good"] for n, text in enumerate([*ODD, *(row[0] for row in sentences(9, 5))])]
    write_table(path, ["", "text", "label"], rows)
    return path


def test_it_learned_and_says_so(made):
    settings = json.loads((made / "settings").read_text())
    assert (
        settings["test"]["macro_f1"]["value"]
        > 0.9
        > settings["baseline"]["most_frequent"]["macro_f1"]["value"]
    )
    assert settings["baseline"]["macro_f1"]["value"] > 0.9
    said = (made / "said").read_text()
    for words in ("300 rows", "2 classes; ", "epoch 3", "this classifier", "word counts, tuned", "saved in"):
        assert words in said


def test_the_folder_holds_plain_settings(made):
    assert json.loads((made / "out" / "classifier.json").read_text()) == json.loads(
        (made / "settings").read_text()
    )
    labels = json.loads((made / "out" / "classifier.json").read_text())["labels"]
    assert [each["name"] for each in labels] == ["bad", "good"]
    assert sum(each[part] for each in labels for part in ("train", "validation", "test")) <= 300
    assert len({path.stat().st_mode for path in (made / "out").iterdir()}) == 1
    files = {path.name for path in (made / "out").iterdir()}
    assert files == {*checkpoints.FILES, "classifier.json", "README.md"}
    card = (made / "out" / "README.md").read_text()
    for words in ("a command", "bad, good", "What it must not be used for", "| good |", "base_model"):
        assert words in card


def test_the_library_gives_the_same_probabilities(made):
    model = AutoModelForSequenceClassification.from_pretrained(made / "out").eval()
    tokenizer = AutoTokenizer.from_pretrained(made / "out")
    assert model.config.id2label == {0: "bad", 1: "good"}
    assert model.config.hidden_dropout_prob == 0.1 and model.config.classifier_dropout == 0.1
    predict(
        made / "out",
        odd_table(made / "odd.csv"),
        made / "odd_out.csv",
        "text",
        force=True,
        say=lambda _: None,
    )
    frame = pd.read_csv(made / "odd_out.csv", keep_default_na=False, dtype=str)
    for _, row in frame[frame.predicted_label != ""].iterrows():
        inputs = tokenizer(row.text, truncation=True, max_length=24, return_tensors="pt")
        with torch.no_grad():
            wanted = model(**inputs).logits.softmax(-1)[0].numpy()
        found = np.array([float(row.probability_bad), float(row.probability_good)])
        assert np.abs(found - wanted).max() < 1e-5
        assert row.predicted_label == model.config.id2label[int(found.argmax())]


def test_the_program_in_the_card_runs(made):
    (program,) = re.findall(r"```python\n(.*?)```", (made / "out" / "README.md").read_text(), re.S)
    printed = []
    exec(program.replace("FOLDER", str(made / "out")), {"print": printed.append})
    assert printed[0][0]["label"] in ("bad", "good") and 0.5 <= printed[0][0]["score"] <= 1


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl"])
def test_pandas_reads_as_many_rows_as_went_in(made, tmp_path, ending):
    said = []
    predict(made / "out", odd_table(tmp_path / "odd.csv"), tmp_path / f"out{ending}", "text", say=said.append)
    given = pd.read_csv(tmp_path / "odd.csv", keep_default_na=False, dtype=str)
    if ending == ".jsonl":
        found = pd.read_json(tmp_path / "out.jsonl", lines=True, dtype=False)
        assert found.columns[0] == ""
        found = found.rename(columns={"": given.columns[0]})
        assert found[found.text.str.strip() == ""].predicted_label.isna().all()
    else:
        separator = {".csv": ",", ".tsv": "\t"}[ending]
        found = pd.read_csv(tmp_path / f"out{ending}", sep=separator, keep_default_na=False, dtype=str)
        assert set(found[found.text.str.strip() == ""].predicted_label) == {""}
    assert len(found) == len(given) == len(ODD) + 9
    assert found[given.columns].to_numpy().tolist() == given.to_numpy().tolist()
    added = ["predicted_label", "probability", "probability_bad", "probability_good"]
    assert list(found.columns[3:]) == added
    assert any("2 of 17 rows have no text" in line for line in said)
    assert any("1 texts are longer than 24 tokens" in line for line in said)


def test_evaluation(made, tmp_path):
    rows = [*sentences(60, 9), ["a film", "so-so"], ["", "good"], ["a plot", " "], ["good film", "Good"]]
    write_table(tmp_path / "t.jsonl", ["text", "label"], rows)
    said = []
    asked = made / "out", tmp_path / "t.jsonl", "text", "label"
    found = evaluate(*asked, out=tmp_path / "f.json", say=said.append)
    assert found["accuracy"]["value"] > 0.9 and found["examples"] == 60
    assert found["unknown_labels"] == {"so-so": 1, "Good": 1}
    assert found["empty_texts"] == 1 and found["missing_labels"] == 1
    right = round(found["accuracy"]["value"] * 60)
    assert found["accuracy_with_unknown"] == pytest.approx(right / 62)
    assert json.loads((tmp_path / "f.json").read_text()) == found
    words = "2 rows have labels that the classifier does not know, 'so-so', 'Good'"
    assert any(words in line for line in said)
    assert any(line.startswith("good ") for line in said)
    assert "left out: 1 without a label (line 63)" in said
    assert not any("merge" in line for line in said)
    merged = evaluate(*asked, merge_labels=True, say=said.append)
    assert "labels merged: 'Good' -> 'good'" in said
    assert merged["examples"] == 61 and merged["unknown_labels"] == {"so-so": 1}
    with pytest.raises(InputError, match="exists already"):
        evaluate(*asked, out=tmp_path / "f.json")
    write_table(tmp_path / "u.csv", ["text", "label"], [["a", "x"]])
    with pytest.raises(InputError, match="no row has a text and a label that the classifier knows"):
        evaluate(made / "out", tmp_path / "u.csv", "text", "label", say=said.append)


def test_blanks_of_labels_are_seen_everywhere(made, tmp_path):
    """Two classes that differ in a blank alone, and a training too short to tell them apart."""
    rows = [[text, {"bad": "good "}.get(label, label)] for text, label in sentences(120)]
    path = tmp_path / "t.csv"
    path.write_bytes(
        "".join(f"{text};{label}\n" for text, label in [["text", "label"], *rows]).encode("cp1252")
    )
    said = []
    choices = Choices("text", "label", model=str(made / "start"), max_length=24, epochs=1, learning_rate=1e-9)
    train(path, tmp_path / "out", choices, say=said.append)
    assert sum(line.startswith(("'good'  ", "'good '  ")) for line in said) == 2
    assert any("gives one answer to every test text" in line and "--merge-labels" in line for line in said)
    card = (tmp_path / "out" / "README.md").read_text()
    assert "gives one answer to every test text" in card and card.count("| 'good ' |") == 2
    predict(tmp_path / "out", path, tmp_path / "a.csv", "text", encoding="cp1252", say=said.append)
    header = (tmp_path / "a.csv").read_text().splitlines()[0]
    assert header.endswith("predicted_label,probability,probability_'good',probability_'good '")
    changed = "with commas, not semicolons as in t.csv, in UTF-8, not cp1252 as t.csv is"
    assert said[-1] == f"120 rows written to {tmp_path / 'a.csv'}, {changed}"
    assert said[-2].startswith("     120  'good")
    evaluate(tmp_path / "out", path, "text", "label", merge_labels=True, say=said.append)
    assert any("--merge-labels does nothing here" in line and "'good', 'good '" in line for line in said)


def test_the_same_seed_gives_the_same_classifier(made, tmp_path):
    choices = Choices("text", "label", model=str(made / "start"), max_length=24, epochs=1, seed=3)
    for name in ("one", "two"):
        train(made / "t.csv", tmp_path / name, choices, say=lambda _: None)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two")]
    assert weights[0] == weights[1]


def test_pairs(made, tmp_path):
    """Whether the second text repeats the word that decides the first: single texts can't tell."""
    rows = []
    for n in range(120):
        one, two = "good" if n % 2 else "bad", "good" if n % 3 else "bad"
        rows.append([f"{'the ' * n}{one}", two, "same" if one == two else "other"])  # no text twice
    write_table(tmp_path / "p.csv", ["one", "two", "label"], [*rows, ["a", "", "same"]])
    choices = Choices("one", "label", "two", model=str(made / "start"), max_length=40, epochs=1)
    settings = train(tmp_path / "p.csv", tmp_path / "out", choices, say=lambda _: None)
    assert settings["data"]["empty_texts"] == 1 and settings["second"] == "two"
    predict(tmp_path / "out", tmp_path / "p.csv", tmp_path / "a.csv", "one", "two", say=lambda _: None)
    frame = pd.read_csv(tmp_path / "a.csv", keep_default_na=False, dtype=str)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    for _, row in frame[:5].iterrows():
        inputs = tokenizer(row.one, row.two, truncation=True, max_length=40, return_tensors="pt")
        with torch.no_grad():
            wanted = model(**inputs).logits.softmax(-1)[0, 1].item()
        assert float(row.probability_same) == pytest.approx(wanted, abs=1e-5)
    assert frame.predicted_label.iloc[-1] == ""
    assert "--second two" in (tmp_path / "out" / "README.md").read_text()
    with pytest.raises(InputError, match="trained on pairs: name the second column"):
        predict(tmp_path / "out", tmp_path / "p.csv", tmp_path / "b.csv", "one", say=lambda _: None)
    with pytest.raises(InputError, match="trained on single texts"):
        predict(made / "out", tmp_path / "p.csv", tmp_path / "b.csv", "one", "two", say=lambda _: None)
    assert not (tmp_path / "b.csv").exists()


def test_answers_to_answers_are_refused(made, tmp_path):
    predict(made / "out", made / "t.csv", tmp_path / "a.csv", "text", say=lambda _: None)
    with pytest.raises(InputError, match="has the column 'predicted_label' already"):
        predict(made / "out", tmp_path / "a.csv", tmp_path / "b.csv", "text", say=lambda _: None)


def test_a_classifier_that_the_library_saved(made, tmp_path):
    """Without settings of ours, and without names for its classes."""
    model = AutoModelForSequenceClassification.from_pretrained(made / "out")
    model.config.id2label = {0: "LABEL_0", 1: "LABEL_1"}
    model.save_pretrained(tmp_path / "theirs")
    AutoTokenizer.from_pretrained(made / "out").save_pretrained(tmp_path / "theirs")
    predict(tmp_path / "theirs", made / "t.csv", tmp_path / "a.csv", "text", say=lambda _: None)
    assert set(pd.read_csv(tmp_path / "a.csv").predicted_label) == {"LABEL_0", "LABEL_1"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is damaged"), ("[1]", "is damaged"), ('{"max_length": "9"}', "max_length is '9'"),
        ('{"max_length": 99}', "3 to 40"), ('{"second": 1}', "second must be null"),
    ],
)  # fmt: skip
def test_settings_that_somebody_changed(made, tmp_path, content, words):
    shutil.copytree(made / "out", tmp_path / "out")
    (tmp_path / "out" / "classifier.json").write_text(content)
    with pytest.raises(InputError, match=words):
        load_classifier(tmp_path / "out")


def test_folders_that_are_no_classifier(made, tmp_path):
    with pytest.raises(InputError, match="holds a Bert, no classifier"):
        load_classifier(made / "start")
    with pytest.raises(checkpoints.CheckpointError, match="no folder"):
        load_classifier(tmp_path / "none")
    shutil.copytree(made / "out", tmp_path / "out")
    with open(tmp_path / "out" / "model.safetensors", "r+b") as file:
        file.seek(-4, 2)
        file.write(b"!!!!")
    with pytest.raises(checkpoints.CheckpointError, match="SHA-256"):
        load_classifier(tmp_path / "out")


def test_what_a_classifier_may_replace(made, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("")
    (tmp_path / "empty").mkdir()
    for name, words in {"file": "is a file", "file/out": "is no folder", "full": "'thesis.txt'"}.items():
        for force in (False, True):
            with pytest.raises(InputError, match=words):
                check_folder(tmp_path / name, force)
    assert check_folder(tmp_path / "empty") == tmp_path / "empty"
    with pytest.raises(InputError, match="holds a model already.*--force"):
        check_folder(made / "out")
    check_folder(made / "out", force=True)


def test_a_classifier_is_replaced_whole_or_not_at_all(made, tmp_path, monkeypatch):
    shutil.copytree(made / "out", tmp_path / "out")
    classifier = load_classifier(tmp_path / "out")
    classifier.model.classifier.bias.data += 1

    def full_disk(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.write_text", full_disk)  # the settings, when the weights are there
        with pytest.raises(InputError, match="No space left"):
            save_classifier(tmp_path / "out", *classifier[:2], {}, "card", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "README.md").read_text() == (made / "out" / "README.md").read_text()
    save_classifier(tmp_path / "out", *classifier[:2], {}, "card", force=True)
    assert (tmp_path / "out" / "README.md").read_text() == "card"
    bias = load_classifier(tmp_path / "out").model.classifier.bias
    assert torch.equal(bias, classifier.model.classifier.bias)
    with pytest.raises(InputError, match="already"):  # made by somebody else while training ran
        save_classifier(tmp_path / "out", *classifier[:2], {}, "card")


def test_a_card_is_safe_with_any_name(made):
    settings = json.loads((made / "settings").read_text())
    settings |= {"text": "a `b` |c", "command": "x `y`\n# z"}
    for part in (settings["labels"], settings["test"]["classes"]):
        part[0]["name"] = "bad|\n<script>*"
    card = model_card(settings)
    lines = [line for line in card.splitlines() if "script" in line and "scripts/" not in line]
    assert len(lines) == 3 and all(r"bad\| \<script\>\*" in line for line in lines)
    assert "`x 'y' # z`" in card and "\n# z" not in card


def test_an_option_that_the_encoder_can_not_take(made, tmp_path):
    choices = Choices("text", "label", model=str(made / "start"), max_length=41)
    with pytest.raises(InputError, match="--max-length is 41, but .* reads 3 to 40 tokens"):
        train(made / "t.csv", tmp_path / "out", choices, say=lambda _: None)
    choices = Choices("text", "label", model=str(made / "start"), max_length=24, learning_rate=1e30, epochs=3)
    with pytest.raises(InputError, match="training went astray"):
        train(made / "t.csv", tmp_path / "out", choices, say=lambda _: None)
    assert list(tmp_path.iterdir()) == []
