"""A run in this process: it goes on from its folder, refuses what can't be, and gives back what it took."""

import json
import shutil
import signal
from types import SimpleNamespace

import accelerate
import psutil
import pytest
import torch
from safetensors.torch import load_file
from transformers import BertForMaskedLM

from helpers import checkpoints
from helpers.encoder import Bert
from helpers.training import engine
from helpers.training.corpus import CorpusError
from helpers.training.engine import Run, is_lack_of_memory
from helpers.training.log import read_log
from helpers.training.model import make_model
from helpers.training.optimizer import OPTIMIZERS
from helpers.training.prepare import prepare_text
from helpers.training.settings import RunError, arguments
from helpers.training.state import StateError
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer, train_wordpiece

SMALL = """--cpu --mixed-precision=no --vocab-size=60 --layers=1 --hidden=16 --heads=2 --length=8
    --batch-size=4 --warm-up-steps=2 --steps=6 --log-every=1 --save-every=2 --evaluate-every=6""".split()
WORDS = "anna sees a red ball\n\nbob has two green apples\n\nthe old house is small\n\n"


@pytest.fixture(autouse=True)
def one_process():
    """Accelerate keeps one state for a process: begin without it, and leave none."""
    accelerate.state.AcceleratorState._reset_state(reset_partial_state=True)
    yield
    accelerate.state.AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(WORDS * 30, encoding="utf-8")
    return path


@pytest.fixture
def settings(tmp_path, text):
    """Settings of a run in tmp_path / "run", with some more arguments."""
    return lambda *more: arguments([*SMALL, f"--out={tmp_path / 'run'}", "--text", str(text), *more])


def go(settings, steps=None):
    """The loop of the script; it breaks off, without a state, when so many steps are done."""
    with Run(settings) as run:
        tokenizer, rows, held_out = prepare_text(settings, None)
        run.begin(make_model(settings, tokenizer, rows, None), tokenizer, rows, held_out)
        first = run.step
        for batch in run.batches():
            run.update(batch)
            if run.is_due(settings.log_every):
                run.report()
            if run.step == steps:
                return first
            if run.is_due(settings.save_every):
                run.save()
        run.export()
    return first


@pytest.mark.parametrize("more", [("--fade-steps=4", "--shrink-by-layer"), ("--optimizer=muon",)])
def test_other_recipes_go_on_too_and_end_as_a_plain_bert(settings, tmp_path, more):
    if "muon" in more[0] and "muon" not in OPTIMIZERS:
        pytest.skip("PyTorch before 2.9 has no Muon")
    go(settings(*more))
    (tmp_path / "run").rename(tmp_path / "whole")
    assert go(settings(*more), steps=3) == 0
    assert go(settings(*more)) == 2
    assert lines(tmp_path / "run") == lines(tmp_path / "whole")
    weights = [load_file(tmp_path / name / "model" / "model.safetensors") for name in ("run", "whole")]
    assert all(torch.equal(weight, weights[1][name]) for name, weight in weights[0].items())
    model, tokenizer = checkpoints.load(tmp_path / "run" / "model")
    assert type(model.bert) is Bert
    library = BertForMaskedLM.from_pretrained(tmp_path / "run" / "model").eval()
    inputs = tokenizer.encode_batch(["anna"])
    theirs = library(inputs["ids"], inputs["attention_mask"]).logits
    torch.testing.assert_close(model.eval()(**inputs).token_logits, theirs, rtol=0, atol=1e-5)


def test_the_bias_fades_step_by_step(settings):
    with Run(settings("--fade-steps=4")) as run:
        tokenizer, rows, held_out = prepare_text(run.settings, None)
        run.begin(make_model(run.settings, tokenizer, rows, None), tokenizer, rows, held_out)
        shares = [run.plain.bert.bias_share]
        for batch in run.batches():
            run.update(batch)
            shares.append(run.plain.bert.bias_share)
    assert shares == [1.0, 0.75, 0.5, 0.25, 0.0, 0.0, 0.0]


def lines(out):
    return [row | {"seconds": ""} for row in read_log(out / "log.csv")]


def test_a_run_that_broke_off_ends_as_one_that_did_not(settings, tmp_path):
    assert go(settings()) == 0
    (tmp_path / "run").rename(tmp_path / "whole")
    assert go(settings(), steps=1) == 0  # before its first state: the log has a line already
    assert [row["step"] for row in lines(tmp_path / "run")] == ["1"]
    assert go(settings(), steps=5) == 0
    assert go(settings()) == 4
    assert lines(tmp_path / "run") == lines(tmp_path / "whole")
    names = ("model/model.safetensors", "states/step-00000006/optimizer.safetensors")
    for name in names:
        ours, theirs = (load_file(tmp_path / folder / name) for folder in ("run", "whole"))
        assert ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_a_vocabulary_with_pad_in_its_last_line(settings, tmp_path):
    """Row 0 is a piece of a word here and learns as one; the checkpoint says where [PAD] is."""
    entries = train_wordpiece(WORDS.split(), 60)[::-1]
    assert entries[-1] == "[PAD]" and entries[0] not in SPECIAL_TOKENS
    WordPieceTokenizer(entries).save(tmp_path / "vocab.txt")
    chosen = settings(f"--tokenizer={tmp_path / 'vocab.txt'}", "--weight-decay=0")
    go(chosen)
    model, tokenizer = checkpoints.load(tmp_path / "run" / "model")
    assert model.bert.config.pad_token_id == tokenizer.id_of["[PAD]"] == len(entries) - 1
    _, rows, _ = prepare_text(chosen, tokenizer)
    start = make_model(chosen, tokenizer, rows, None).bert.embeddings.token
    assert start.weight[0].any() and not start.weight[-1].any()
    assert not torch.equal(model.bert.embeddings.token.weight[0], start.weight[0])
    start(torch.tensor([0, len(entries) - 1])).sum().backward()
    assert start.weight.grad[0].any() and not start.weight.grad[-1].any()  # a look-up alone


def test_what_a_run_took_is_given_back(settings):
    before = [signal.getsignal(name) for name in engine.SIGNALS]
    with Run(settings()) as run:
        assert torch.are_deterministic_algorithms_enabled() and signal.getsignal(signal.SIGTERM) == run.stop
        with pytest.raises(RunError, match="another run is writing to"), Run(settings()):
            pass
    assert [signal.getsignal(name) for name in engine.SIGNALS] == before
    assert not torch.are_deterministic_algorithms_enabled()
    with Run(settings()):
        pass


def test_damaged_states_are_refused_by_every_start(settings, tmp_path):
    go(settings("--steps=4"))
    log = (tmp_path / "run" / "log.csv").read_bytes()
    for place in (tmp_path / "run" / "states").iterdir():
        (place / "model.safetensors").write_bytes(b"")
    for _ in range(3):
        with pytest.raises(StateError, match="no state in .* is whole"):
            go(settings())
        assert (tmp_path / "run" / "log.csv").read_bytes() == log


@pytest.mark.parametrize("removed", ["states", "each"])
def test_states_that_are_gone_are_missed(settings, tmp_path, removed):
    go(settings("--steps=4"))
    log = (tmp_path / "run" / "log.csv").read_bytes()
    states = tmp_path / "run" / "states"
    for place in [states] if removed == "states" else list(states.iterdir()):
        shutil.rmtree(place)
    for _ in range(2):
        with pytest.raises(StateError, match="the log has lines, but .* no state"):
            go(settings())
        assert (tmp_path / "run" / "log.csv").read_bytes() == log
    (tmp_path / "run" / "log.csv").unlink()
    assert go(settings()) == 0


def test_settings_that_were_changed_by_hand_do_not_fit_the_state(settings, tmp_path):
    go(settings("--steps=4"))
    path = tmp_path / "run" / "settings.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"seed": 3}))
    with pytest.raises(RunError, match="made under other settings than settings.json has: seed was 0, now 3"):
        go(settings("--seed=3"))


def test_a_run_from_before_the_warm_up_was_called_by_its_steps(settings, tmp_path, monkeypatch):
    def as_before(known):
        return {"warm_up" if name == "warm_up_steps" else name: value for name, value in known.items()}

    save = engine.save_state
    monkeypatch.setattr(
        engine, "save_state",
        lambda *a: save(*a[:-1], a[-1] | {"settings": as_before(a[-1]["settings"])}),
    )  # fmt: skip
    go(settings("--steps=4"))
    path = tmp_path / "run" / "settings.json"
    path.write_text(json.dumps(as_before(json.loads(path.read_text()))))
    assert '"warm_up": 2' in path.read_text() and "warm_up_steps" not in path.read_text()
    assert go(settings()) == 4


def test_a_state_from_before_settings_were_kept_there(settings, tmp_path, monkeypatch):
    save = engine.save_state
    monkeypatch.setattr(engine, "save_state", lambda *a: save(*a[:-1], {k: v for k, v in a[-1].items()
                                                                       if k != "settings"}))  # fmt: skip
    go(settings("--steps=4"))
    assert go(settings()) == 4


def test_rows_with_a_flipped_bit_stop_the_run_that_goes_on(settings, tmp_path):
    go(settings("--steps=2"))
    path = tmp_path / "run" / "rows" / "training" / "rows-00000.arrow"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorpusError, match="the bytes of rows-00000.arrow have changed"):
        go(settings())


def test_a_text_edited_to_the_same_size_stops_the_run_that_goes_on(settings, tmp_path, text):
    go(settings("--steps=2"))
    text.write_text(WORDS.replace("anna", "emma") * 30, encoding="utf-8")
    for _ in range(2):
        with pytest.raises(RunError, match="the content of the text has changed"):
            go(settings())
        shutil.rmtree(tmp_path / "run" / "rows", ignore_errors=True)  # without its rows it is refused as well


def test_a_vocabulary_that_can_t_be_read_is_named(settings, tmp_path):
    go(settings("--steps=2"))
    (tmp_path / "run" / "vocab.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(RunError, match="vocab.txt is no vocabulary"):
        go(settings())


def test_a_model_that_memory_can_t_hold_is_refused_before_anything_is_made(settings, tmp_path, monkeypatch):
    memory = SimpleNamespace(total=8_000_000_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    shape = ("--hidden=65536", "--layers=1000", "--vocab-size=8000")
    with pytest.raises(RunError, match="1000 layers .* has 51,5.* take 824,.* and there are 8 GB"):
        Run(settings(*shape))
    assert not (tmp_path / "run").exists()
    Run(settings())


def test_memory_that_runs_out_is_said_in_a_sentence(settings):
    for error in (MemoryError(), torch.OutOfMemoryError("CUDA: none is left"), too_much()):
        assert is_lack_of_memory(error)
        with pytest.raises(RunError, match="not memory enough .* --batch-size"), Run(settings()):
            raise error
    assert not is_lack_of_memory(RuntimeError("another")) and not is_lack_of_memory(None)


def too_much():
    """What PyTorch itself raises on the CPU."""
    try:
        torch.empty(2**60)
    except RuntimeError as error:
        return error
    raise AssertionError("this machine has an exabyte")


def test_bad_numbers_name_the_step_and_change_nothing(settings):
    with Run(settings("--learning-rate=1e30", "--save-every=1")) as run:
        tokenizer, rows, held_out = prepare_text(run.settings, None)
        model = make_model(run.settings, tokenizer, rows, None)
        run.begin(model, tokenizer, rows, held_out)
        batches = run.batches()
        run.update(next(batches))
        before = {name: weight.clone() for name, weight in model.state_dict().items()}
        with pytest.raises(RunError, match="step 2: the loss is nan"):
            run.update(next(batches))
        assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())


def test_stopping(settings):
    with Run(settings("--minutes=1000")) as run:
        run.limit = float("inf")
        assert not run.must_stop()
        run.stop()
        assert run.must_stop() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
