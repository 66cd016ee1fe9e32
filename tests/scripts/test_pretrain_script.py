"""scripts/pretrain.py as a program: killed, stopped, out of room, damaged, and shared by two processes.

Runs are real processes. All but the last test's are forked from one server that has the imports behind it.
"""

import csv
import json
import multiprocessing
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file

from helpers.training.optimizer import make_optimizer
from helpers.training.rows import MaskedRows, rows_on_disk
from helpers.training.settings import arguments as settings_of
from helpers.training.state import load_latest
from helpers.wordpiece import WordPieceTokenizer
from scripts import pretrain

ROOT = Path(__file__).resolve().parents[2]
STEPS = 36
# Wide enough that PyTorch shares the work among its threads: it does so from 32,768 numbers on.
SHAPE = """--cpu --vocab-size 110 --layers 1 --hidden 64 --heads 2 --length 16 --batch-size 32
    --warm-up-steps 5""".split()
USUAL = [*SHAPE, "--dropout=0.1", f"--steps={STEPS}", "--log-every=2", "--save-every=6",
         "--evaluate-every=12", "--learning-rate=3e-3", "--half"]  # fmt: skip
# For --init, which brings its own shape and dropout
WITHOUT_SHAPE = "--cpu --length=16 --batch-size=32 --warm-up-steps=5 --log-every=2 --save-every=6".split()
POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has other signals and limits")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """600 documents of short sentences from 26 words."""
    dice = random.Random(0)
    subjects, verbs = "anna bob carl dora emil fred gina hans".split(), "sees likes finds holds takes".split()
    objects = "a red ball|the old house|two green apples|a small dog|the long road|some warm bread".split("|")

    def sentence():
        return f"{dice.choice(subjects)} {dice.choice(verbs)} {dice.choice(objects)} ."

    documents = ["\n".join(sentence() for _ in range(dice.randint(4, 9))) for _ in range(600)]
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("\n\n".join(documents), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def processes():
    """Where new processes come from: a server that has imported the script, where there is such a thing."""
    context = multiprocessing.get_context("spawn" if os.name == "nt" else "forkserver")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("OMP_NUM_THREADS", "2")
        patch.setenv("OMP_WAIT_POLICY", "passive")  # threads that wait leave the core to others
        if os.name != "nt":
            context.set_forkserver_preload(["scripts.pretrain"])
        yield context


def child(arguments, output, threads, most):
    """In the new process: the script's main, with what it says in a file; `most`: a limit for file sizes."""
    if most:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.argv = ["pretrain.py", *arguments]
    torch.set_num_threads(threads)
    sys.exit(pretrain.main())


class Started:
    """A run that has been started: `step()` from its log, and `end()` for its exit code and what it said."""

    def __init__(self, processes, out, arguments, threads=2, most=None):
        self.out, self.output = Path(out), Path(out).with_suffix(".said")
        self.output.unlink(missing_ok=True)
        arguments = [*map(str, arguments), f"--out={out}"]
        self.process = processes.Process(target=child, args=(arguments, str(self.output), threads, most))
        self.process.start()

    def wait_for(self, step):
        """Wait until the log has the line of an even step."""
        deadline, path = time.monotonic() + 120, self.out / "log.csv"
        while not path.exists() or path.read_bytes().count(b"\n") <= step // 2:
            assert self.process.is_alive() and time.monotonic() < deadline, self.said()
            time.sleep(0.005)

    def said(self):
        return self.output.read_text(encoding="utf-8") if self.output.exists() else ""

    def end(self):
        self.process.join(120)
        return self.process.exitcode, self.said()


def log_of(out):
    path = out / "log.csv"
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["step"]]


def without_seconds(out):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in log_of(out)]


def states_of(out):
    return sorted(path.name for path in (out / "states").glob("step-*"))


def same_result(one, other):
    """The finished checkpoint, the last state (32 bits, with the moments) and the log: bit for bit."""
    last = f"states/step-{STEPS:08}"
    names = ("model/model.safetensors", f"{last}/model.safetensors", f"{last}/optimizer.safetensors")
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in names)
    assert without_seconds(one) == without_seconds(other)


@pytest.fixture(scope="module")
def whole(processes, text, tmp_path_factory):
    """A run that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole") / "run"
    code, said = Started(processes, out, [*USUAL, "--text", text]).end()
    assert code == 0, said
    return out


# One run


def test_the_log(whole):
    rows = log_of(whole)
    assert [int(row["step"]) for row in rows] == list(range(2, STEPS + 1, 2))
    assert [int(row["tokens"]) for row in rows] == [step * 32 * 16 for step in range(2, STEPS + 1, 2)]
    measured = [int(row["step"]) for row in rows if row["text_loss"]]
    assert measured == list(range(12, STEPS + 1, 12))
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"]) - 0.1
    assert float(rows[-1]["text_loss"]) < float(rows[5]["text_loss"])
    assert states_of(whole) == [f"step-{STEPS - 6:08}", f"step-{STEPS:08}"]


def test_tensorboard_has_the_same_numbers(whole):
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = event_accumulator.EventAccumulator(str(whole / "tensorboard")).Reload()
    for name in ("loss", "accuracy", "gradient_norm", "text_loss"):
        shown = {event.step: event.value for event in events.Scalars(name)}
        logged = {int(row["step"]): float(row[name]) for row in log_of(whole) if row[name]}
        assert shown == pytest.approx(logged, rel=1e-5)


def test_the_library_opens_the_checkpoint_in_32_bits(whole):
    import transformers

    stored = load_file(whole / "model" / "model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    model = transformers.AutoModelForMaskedLM.from_pretrained(whole / "model")
    assert {tensor.dtype for tensor in model.parameters()} == {torch.float32}
    state = load_file(whole / "states" / f"step-{STEPS:08}" / "model.safetensors")
    theirs = model.get_input_embeddings().weight
    ours = state["bert.embeddings.token.weight"]
    assert torch.equal(theirs, ours.half().float()) and not torch.equal(theirs, ours)
    answers = transformers.pipeline("fill-mask", str(whole / "model"), top_k=110)("anna sees a red [MASK] .")
    assert sum(answer["score"] for answer in answers) == pytest.approx(1, abs=1e-4)
    # The script's own loss at the end, worked out by the library on the rows that it measures on.
    from helpers.pretraining import IGNORE, mask_tokens

    tokenizer = WordPieceTokenizer.from_file(whole / "vocab.txt")
    rows = MaskedRows(
        rows_on_disk((), tokenizer, 16, whole / "rows" / "text", source_of(whole)), tokenizer, 0,
        lambda ids, tokenizer, generator: mask_tokens(ids, tokenizer, 0.15, generator, (1.0, 0.0, 0.0)),
    )  # fmt: skip
    batch = [rows[place] for place in range(len(rows))]
    ids, labels = (torch.stack([row[name] for row in batch]) for name in ("ids", "labels"))
    with torch.no_grad():
        loss = model(input_ids=ids, labels=labels).loss.item()
    assert (labels != IGNORE).sum() >= len(rows)
    assert float(log_of(whole)[-1]["text_loss"]) == pytest.approx(loss, abs=2e-3)  # stored in 16 bits


def source_of(out):
    return json.loads((out / "rows" / "text" / "rows.json").read_text(encoding="utf-8"))["source"]


# Killed, stopped, out of room


def test_killed_at_a_random_moment_it_ends_with_the_same_bits(processes, text, whole, tmp_path):
    arguments, out = [*USUAL, "--text", text], tmp_path / "run"
    moment = random.SystemRandom().uniform(8, STEPS - 12)  # a state is there
    run = Started(processes, out, arguments)
    run.wait_for(int(moment))
    time.sleep(0.03 * (moment % 1))
    run.process.kill()
    code, said = run.end()
    assert code not in (0, 1, 3), said
    assert not (out / "model").exists()
    code, said = Started(processes, out, arguments).end()
    assert code == 0 and "from step 0" not in said, said
    same_result(whole, out)


@POSIX
def test_stopped_out_of_room_out_of_time_and_damaged_it_ends_with_the_same_bits(
    processes, text, whole, tmp_path
):
    arguments, out = [*USUAL, "--text", text], tmp_path / "run"
    run = Started(processes, out, arguments)
    run.wait_for(8)
    run.process.terminate()  # SIGTERM
    code, said = run.end()
    assert code == 3 and "the same command goes on from there" in said, said
    stopped = int(states_of(out)[-1][5:])
    assert stopped >= 8 and f"stopped after step {stopped} of {STEPS}" in said

    before = states_of(out)
    code, said = Started(processes, out, arguments, most=40_000).end()
    assert code == 1 and f"from step {stopped}" in said, said
    assert "error: the state after step" in said and "make room" in said and "Traceback" not in said
    assert states_of(out) == before and not list((out / "states").glob(".*"))
    assert load_latest(out / "states", *fresh(), warn=pytest.fail)["step"] == stopped

    code, said = Started(processes, out, [*arguments, "--minutes=0.0001"]).end()
    assert code == 3 and f"stopped after step {stopped + 1} of {STEPS}" in said, said

    newest = out / "states" / states_of(out)[-1] / "model.safetensors"
    newest.write_bytes(newest.read_bytes()[:-100])
    with open(out / "log.csv", "a", encoding="utf-8") as file:
        file.write(f"{stopped},12")  # a line that a full disk cut short
    code, said = Started(processes, out, [*arguments, "--workers=1"]).end()
    assert code == 0, said
    assert (
        f"{newest.parent.name} is damaged (model.safetensors has" in said and f"from step {stopped}" in said
    )
    same_result(whole, out)


def fresh():
    """A model and optimizer of the shape of the runs."""
    settings = settings_of([*USUAL, "--out=x"])
    from helpers.encoder import Bert, BertConfig
    from helpers.pretraining import BertForPreTraining

    model = BertForPreTraining(Bert(BertConfig(110, 64, 1, 2, 256, 16)))
    for part in (model.next_sentence, model.bert.pooler):
        part.requires_grad_(False)
    return model, make_optimizer(settings, model)


def test_a_loss_that_is_not_finite_stops_the_run_at_its_step(processes, text, tmp_path):
    out = tmp_path / "run"
    arguments = [*SHAPE, "--text", text, "--learning-rate=1e30", "--save-every=1", "--log-every=1"]
    code, said = Started(processes, out, arguments).end()
    assert code == 1 and "Traceback" not in said, said
    assert "error: step 2: the loss is nan" in said and "Lower --learning-rate" in said
    assert states_of(out) == ["step-00000001"] and not (out / "model").exists()
    model, optimizer = fresh()
    assert load_latest(out / "states", model, optimizer, warn=pytest.fail)["step"] == 1
    assert all(tensor.isfinite().all() for tensor in model.parameters())


def test_other_settings_for_the_same_folder_are_refused(processes, text, whole):
    before = {path: path.read_bytes() for path in whole.rglob("*") if path.is_file()}
    changed = ["--dropout=0.2", "--seed=3", "--text", ROOT / "README.md"]
    code, said = Started(processes, whole, [*USUAL, "--text", text, *changed]).end()
    assert code == 1 and "holds a run with other settings" in said, said
    assert "dropout was 0.1, now 0.2" in said and "seed was 0, now 3" in said and "text was" in said
    assert {path: path.read_bytes() for path in whole.rglob("*") if path.is_file()} == before


def test_a_first_try_that_failed_does_not_hold_the_folder(processes, text, tmp_path):
    """A text that is not UTF-8 ends the first try; the second may name another."""
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe bad")
    out = tmp_path / "run"
    code, said = Started(processes, out, [*USUAL, "--text", tmp_path / "bad.txt"]).end()
    assert code == 1 and "bad.txt is not UTF-8" in said and "Traceback" not in said, said
    code, said = Started(processes, out, [*USUAL, "--text", text, "--steps=2"]).end()
    assert code == 0, said


def test_two_runs_in_one_folder_are_refused(processes, text, tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    with FileLock(out / ".lock"):
        code, said = Started(processes, out, [*USUAL, "--text", text, "--steps=2"]).end()
    assert code == 1 and "another run is writing to" in said and "Traceback" not in said, said


# In this process


@pytest.mark.parametrize("kind", pretrain.ERRORS, ids=lambda kind: kind.__name__)
def test_every_refusal_is_a_sentence_and_an_exit_code(kind, tmp_path, capsys, monkeypatch):
    def refusing(settings):
        raise kind("what was wrong")

    monkeypatch.setattr(pretrain, "Run", refusing)
    assert pretrain.main([*SHAPE, f"--out={tmp_path / 'run'}"]) == 1
    assert capsys.readouterr().err == "error: what was wrong\n"


BROKEN = {
    "settings.json": (b"", "settings.json, can't be read"),
    "log.csv": (bytes(range(256)), "log.csv can't be read"),
    "vocab.txt": (b"\xff\xfe", "vocab.txt is no vocabulary"),
    "rows/training/rows.json": (b"[]", "rows.json holds a JSON list instead of an object"),
    "rows/training/rows-00000.arrow": (b"rows", "the bytes of rows-00000.arrow have changed"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_of_the_run_is_named(name, whole, text, tmp_path, capsys):
    """The run is over, so nothing would be trained: what it left is read, and that is all."""
    out, (content, words) = tmp_path / "run", BROKEN[name]
    shutil.copytree(whole, out)
    (out / name).write_bytes(content)
    assert pretrain.main([*USUAL, "--text", str(text), f"--out={out}"]) == 1
    assert words in capsys.readouterr().err and (out / name).read_bytes() == content


# Where it starts, and in which numbers


def test_going_on_from_a_checkpoint(processes, text, whole, tmp_path):
    options = ["--steps=4", "--evaluate-every=12", "--learning-rate=1e-6", f"--init={whole / 'model'}"]
    arguments = [*WITHOUT_SHAPE, "--text", text, *options]
    code, said = Started(processes, tmp_path / "run", arguments).end()
    assert code == 0, said
    first, last = log_of(whole)[0], log_of(whole)[-1]
    (started,) = [float(row["text_loss"]) for row in log_of(tmp_path / "run") if row["text_loss"]]
    assert started == pytest.approx(float(last["text_loss"]), abs=0.01)
    assert float(log_of(tmp_path / "run")[0]["loss"]) < float(first["loss"]) - 0.1
    assert (tmp_path / "run" / "vocab.txt").read_bytes() == (whole / "vocab.txt").read_bytes()


def test_a_model_of_the_hub_without_a_network(processes, text, tmp_path):
    arguments = [*WITHOUT_SHAPE, "--text", text, "--init=somebody/no-such-bert"]
    code, said = Started(processes, tmp_path / "run", arguments).end()
    assert code == 1 and "Traceback" not in said, said
    assert "error: 'somebody/no-such-bert' is no folder here" in said and "connection" in said


def test_bf16_on_the_cpu(processes, text, whole, tmp_path):
    arguments = [*USUAL, "--text", text, "--mixed-precision=bf16"]
    code, said = Started(processes, tmp_path / "run", arguments, threads=1).end()
    assert code == 0, said
    for ours, exact in zip(log_of(tmp_path / "run"), log_of(whole), strict=True):
        assert float(ours["loss"]) == pytest.approx(float(exact["loss"]), rel=0.03)
    assert ours["loss"] != exact["loss"], "the numbers are those of 32 bits"
    state = load_file(tmp_path / "run" / "states" / f"step-{STEPS:08}" / "model.safetensors")
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}


def test_fp16_on_the_cpu_is_refused(processes, text, tmp_path):
    arguments = [*USUAL, "--text", text, "--mixed-precision=fp16"]
    code, said = Started(processes, tmp_path / "run", arguments).end()
    assert code == 1 and "error: fp16 needs a GPU" in said and "Traceback" not in said, said


# Two processes


def test_two_processes_give_the_losses_of_one(processes, tmp_path):
    """Gradients are summed in another order, so the last bits differ.

    Many documents are a word long, so that rows, and with them the processes, differ in how many tokens they
    mask: a mean of the processes' own means would show in the gradient norm.
    """
    dice, text = random.Random(0), tmp_path / "text.txt"
    words = [first + second for first in "bdfgklmn" for second in ("a", "el", "or")]
    documents = [" ".join(dice.choices(words, k=dice.choice([1, 1, 1, 30]))) for _ in range(800)]
    text.write_text("\n\n".join(documents), encoding="utf-8")
    common = [*SHAPE, "--text", str(text), "--dropout=0", "--batch-size=8", "--mask-rate=0.4",
              "--steps=20", "--log-every=1", "--save-every=20", "--learning-rate=3e-3"]  # fmt: skip
    outs = [tmp_path / name for name in ("one", "parts", "two")]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2",
                "--master-addr=127.0.0.1", f"--master-port={port}"]  # fmt: skip
    command = [*torchrun, str(ROOT / "scripts" / "pretrain.py"), f"--out={outs[2]}", *common]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    if os.name == "nt":
        environment["USE_LIBUV"] = "0"  # PyTorch's builds for Windows may lack it
    two = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=170)
    assert two.returncode == 0, two.stdout + two.stderr
    assert "2 × cpu" in two.stdout, "the world has not two processes"
    one = Started(processes, outs[0], common, threads=1)
    parts = Started(processes, outs[1], [*common, "--accumulate=3"], threads=1)
    for run in (one, parts):
        code, said = run.end()
        assert code == 0 and "1 × cpu" in said, said
    first, *others = (log_of(out) for out in outs)
    assert len(first) == 20 and float(first[-1]["loss"]) < float(first[0]["loss"]) - 0.1
    for other in others:
        for name in ("loss", "accuracy", "gradient_norm"):
            differences = [abs(float(a[name]) - float(b[name])) for a, b in zip(first, other, strict=True)]
            assert max(differences) < 1e-4, name
