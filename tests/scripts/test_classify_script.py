"""scripts/classify.py as a program: nasty tables, exit codes, sentences, and what an interruption leaves."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers.everyday import write_table
from scripts import classify as script
from tests.everyday.tables_of_texts import sentences, tiny_start

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, str(ROOT / "scripts" / "classify.py")]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a tiny encoder, a table and a classifier."""
    folder = tmp_path_factory.mktemp("made")
    tiny_start(folder / "start")
    write_table(folder / "t.csv", ["text", "label"], sentences(120))
    assert script.main(train(folder, "t.csv", "out")) == 0
    return folder


def train(made, file, out, *options):
    start = ["--model", str(made / "start"), "--max-length", "24", "--epochs", "1", "--threads", "1"]
    columns = ["--text", "text", "--label", "label"]
    return ["train", str(made / file), *columns, "--out", str(made / out), *start, *options]


def predict(made, file, out, *options):
    return [
        "predict",
        str(made / "out"),
        str(made / file),
        "--text",
        "text",
        "--out",
        str(made / out),
        *options,
    ]


def evaluate(made, file, *options):
    return ["evaluate", str(made / "out"), str(made / file), "--text", "text", "--label", "label", *options]


def lines_of(capsys):
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    return printed.out, printed.err


def test_from_table_to_answers(made, capsys):
    assert script.main(predict(made, "t.csv", "answers.csv")) == 0
    assert "120 rows written to" in lines_of(capsys)[0]
    assert script.main(evaluate(made, "answers.csv")) == 0
    out, _ = lines_of(capsys)
    assert "macro-F1" in out and "rows: the label; columns: the answer" in out
    assert "--text text --label label" in (made / "out" / "README.md").read_text()


ROWS = "".join(f"{text},{label}\n" for text, label in sentences(60, 3)).encode()
# Tables that train refuses: name -> (bytes, words of the sentence)
REFUSED = {
    "another encoding": (
        b"text,label\ncaf\xe9,good\n" + ROWS, ["byte 14", "line 2", "0xe9", "--encoding cp1252"]
    ),
    "no such column": (b"words,label\n" + ROWS, ["no column 'text'", "'words', 'label'"]),
    "nothing": (b"", ["is empty"]),
    "one class": (b"text,label\na,x\nb,x\nthe,x\n", ["all labels are 'x'"]),
    "a class with one text": (b"text,label\na plot,once\n" + ROWS, ["'once' (the first in line 2)"]),
    "labels of another column": (
        b"text,label\n" + b"".join(b"film %d,%d\n" % (n, n) for n in range(50)), ["is this the column"]
    ),
    "a ragged row": (b"text,label\n" + ROWS + b"a film, a plot,bad\n", ["line 62: 3 values"]),
    "a quote never closed": (b"text,label\n" + ROWS + b'"a film,bad\n' + ROWS, ["line 62", "closed nowhere"]),
}  # fmt: skip
# Tables that it learns from: name -> (bytes, words that are said)
TAKEN = {
    "semicolons, CRLF, a mark": (
        b"\xef\xbb\xbftext;label\r\n" + ROWS.replace(b",", b";").replace(b"\n", b"\r\n"), ["by a semicolon"]
    ),
    "empty texts, no labels": (b"text,label\n,good\n  ,bad\na film,\n,\n" + ROWS, [
        "64 rows, left out: 3 without a text (lines 2, 3, 5), 1 without a label (line 4)",
    ]),
    "spellings": (b"text,label\nit was,Good\nand it was,Good\n" + ROWS, ["'good', 'Good' differ"]),
    "a text with two labels": (
        b"text,label\nand,good\nand,bad\nand,bad\n" + ROWS, ["1 text has more than one"]
    ),
    "words that mean nothing elsewhere": (
        b"text,label\nnan,nan\nN/A,nan\nNone,nan\n" + ROWS, ["63 rows", "'nan' counts as a class"],
    ),
    "100,000 characters and line breaks": (
        b'text,label\n"' + b"it was\n" * 15_000 + b'",good\n' + ROWS, ["1 texts are longer than 24 tokens"],
    ),
    "numbers as labels": (
        b"text,label\n" + ROWS.replace(b"good", b"1").replace(b"bad", b"2"), ["2 classes"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_table_that_is_refused(made, tmp_path, capsys, name):
    content, words = REFUSED[name]
    (tmp_path / "t.csv").write_bytes(content)
    assert script.main(train(made, tmp_path / "t.csv", tmp_path / "out")) == 1
    out, err = lines_of(capsys)
    assert err.startswith("error: t.csv") and err.count("\n") == 1, err
    assert all(word in err for word in words), err
    assert os.listdir(tmp_path) == ["t.csv"]


@pytest.mark.parametrize("name", TAKEN)
def test_a_table_that_is_taken(made, tmp_path, capsys, name):
    content, words = TAKEN[name]
    (tmp_path / "t.csv").write_bytes(content)
    assert script.main(train(made, tmp_path / "t.csv", tmp_path / "out")) == 0
    out, _ = lines_of(capsys)
    assert all(word in out for word in words), out
    answers = ["predict", str(tmp_path / "out"), str(tmp_path / "t.csv"), "--text", "text"]
    assert script.main([*answers, "--out", str(tmp_path / "a.jsonl")]) == 0
    rows = int(next(line for line in out.splitlines() if " rows" in line and line[0].isdigit()).split()[0])
    assert len((tmp_path / "a.jsonl").read_bytes().splitlines()) == rows


def test_help_says_what_a_written_table_looks_like(capsys):
    with pytest.raises(SystemExit):
        script.main(["predict", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "always commas" in said and "always in UTF-8" in said


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (lambda m: train(m, "t.csv", "out"), 1, "holds a model already"),
        (lambda m: train(m, "t.csv", "t.csv"), 1, "is a file: name a folder"),
        (lambda m: train(m, "none.csv", "new"), 1, "can't be read (No such file"),
        (lambda m: train(m, "out", "new"), 1, "ends in nothing"),
        (lambda m: train(m, "t.csv", "new", "--epochs", "0"), 2, "at least 1"),
        (lambda m: train(m, "t.csv", "new", "--learning-rate", "nan"), 2, "finite"),
        (lambda m: train(m, "t.csv", "new", "--max-length", "999"), 1, "reads 3 to 40 tokens"),
        (lambda m: train(m, "t.csv", "new", "--encoding", "klingon"), 1, "there is no encoding 'klingon'"),
        (lambda m: train(m, "t.csv", "new", "--model", "./none"), 1, "there is no folder ./none"),
        (lambda m: train(m, "t.csv", "new")[:2], 2, "required: --text, --label, --out"),
        (lambda m: predict(m, "t.csv", "t.csv"), 1, "is the table that is read"),
        (lambda m: predict(m, "t.csv", "a.xlsx"), 1, "ends in .xlsx"),
        (lambda m: predict(m, "t.csv", "no/a.csv"), 1, "there is no folder"),
        (lambda m: predict(m, "t.csv", "a.csv", "--second", "label"), 1, "leave --second away"),
        (lambda m: evaluate(m, "t.csv", "--out", str(m / "f.txt")), 1, "ends in .json"),
        (lambda m: [], 2, "required: COMMAND"),
    ],
)
def test_wrong_options(made, capsys, options, code, words):
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    given = options(made)
    if code == 2:
        with pytest.raises(SystemExit) as ended:
            script.main(given)
        assert ended.value.code == 2
    else:
        assert script.main(given) == code
    assert words in lines_of(capsys)[1]
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*")} == before


def test_what_exists_is_replaced_only_by_force(made, tmp_path, capsys):
    (tmp_path / "a.csv").write_text("old")
    assert script.main(predict(made, "t.csv", tmp_path / "a.csv")) == 1
    assert "--force" in lines_of(capsys)[1] and (tmp_path / "a.csv").read_text() == "old"
    assert script.main(predict(made, "t.csv", tmp_path / "a.csv", "--force")) == 0
    assert (tmp_path / "a.csv").read_text().startswith("text,label,predicted_label")


def test_a_hub_that_is_not_reached(made, tmp_path, capsys, monkeypatch):
    import huggingface_hub

    def unreachable(*_, **__):
        raise ConnectionError("no network")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    assert script.main(train(made, "t.csv", tmp_path / "new", "--model", "some/bert")) == 1
    _, err = lines_of(capsys)
    assert "'some/bert' is no folder here, and the model hub did not give it" in err and "minilm" in err


def test_a_wrong_device_is_named(made, capsys, monkeypatch):
    monkeypatch.setenv("BERT_COURSE_DEVICE", "abacus")
    assert script.main(evaluate(made, "t.csv")) == 1
    assert "BERT_COURSE_DEVICE is 'abacus'" in lines_of(capsys)[1]


def test_an_interruption_leaves_nothing(made, tmp_path, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    for place in ("helpers.everyday.learning.train_classifier", "helpers.everyday.folder.Path.write_text"):
        with monkeypatch.context() as patch:
            patch.setattr(place, interrupted)
            assert script.main(train(made, "t.csv", tmp_path / "new")) == 130
        assert "nothing half-written" in lines_of(capsys)[1] and os.listdir(tmp_path) == []
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", interrupted)
        assert script.main(predict(made, "t.csv", tmp_path / "a.csv")) == 130
    assert os.listdir(tmp_path) == []


# A child process is stopped inside training, or while the weights are written.
STOPPED = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in a shell's background ignore it
from scripts import classify
from helpers.everyday import learning, folder

def wait(*_, **__):
    print("waiting", flush=True)
    time.sleep(60)

if sys.argv[1] == "training":
    learning.train_classifier = wait
else:
    folder.Path.write_text = wait
sys.exit(classify.main(sys.argv[2:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_a_stopped_program_leaves_nothing_half_written(made, tmp_path, name):
    stop = getattr(signal, name)
    where = "writing" if stop == signal.SIGKILL else "training"
    options = train(made, "t.csv", tmp_path / "new")
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED, where, *options], cwd=ROOT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while "waiting" not in (line := process.stdout.readline()):
        assert line, process.stderr.read()
    time.sleep(0.1)
    process.send_signal(stop)
    _, err = process.communicate(timeout=60)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[stop]
    assert "Traceback" not in err and not (tmp_path / "new").exists()
    if stop == signal.SIGKILL:  # what it left, hidden, goes with the next training
        assert [name.startswith(".new-unfinished-") for name in os.listdir(tmp_path)] == [True]
        assert script.main(options) == 0
        assert os.listdir(tmp_path) == ["new"]
    else:
        assert os.listdir(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no broken pipes like these")
def test_a_reader_that_goes_away(made, tmp_path):
    command = [*PROGRAM, *evaluate(made, "t.csv")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(timeout=60) == 1 and "Traceback" not in err and "Exception" not in err
