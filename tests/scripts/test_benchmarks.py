"""The pretraining benchmarks: that they compare like with like, and that their laws and counts are right.

Nothing is timed here. Counts are compared with PyTorch's own counter, laws with numbers made from a law.
"""

import csv
from types import SimpleNamespace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import helpers.attention
from benchmarks import pretraining_cost, pretraining_gpu, pretraining_race, pretraining_speed, timing, waiting
from helpers.encoder import Bert, BertConfig
from helpers.pretraining import IGNORE, BertForPreTraining
from helpers.training import cost
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer
from tests.scripts.refusing import refusal

VOCABULARY = [*SPECIAL_TOKENS, *(f"{first}{second}" for first in "abcdefghij" for second in "klmnopqrst")]
SMALL = BertConfig(len(VOCABULARY), 32, 2, 2, 64, max_positions=64, init_std=None)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def batches():
    """Padded and packed batches of random lines."""
    tokenizer, generator = WordPieceTokenizer(VOCABULARY), torch.Generator().manual_seed(0)
    lines = [
        torch.randint(len(SPECIAL_TOKENS), len(VOCABULARY), (5 + index % 30,), generator=generator).tolist()
        for index in range(200)
    ]
    return [pretraining_speed.make_batches(lines, tokenizer, 24, 8, padded) for padded in (True, False)]


def test_every_rung_has_the_loss_of_the_library(batches):
    apart = pretraining_speed.differences(SMALL, *batches)  # asserts the bounds itself
    assert set(apart) == {rung.name for rung in pretraining_speed.LADDER[1:]} | {
        pretraining_speed.LIBRARY.name
    }


def test_a_rung_that_computes_something_else_is_found(batches, monkeypatch):
    right = helpers.attention.functional

    def wrong(query, key, value, mask=None, dropout=0.0):
        return right.scaled_dot_product_attention(query, key, value, mask, dropout) * 1.01

    stand_in = SimpleNamespace(scaled_dot_product_attention=wrong, dropout=right.dropout)
    monkeypatch.setattr(helpers.attention, "functional", stand_in)
    with pytest.raises(AssertionError, match="attention"):
        pretraining_speed.differences(SMALL, *batches)


def test_padded_and_packed_rows(batches):
    for batch in batches[0]:
        assert (batch["labels"][batch["attention_mask"] == 0] == IGNORE).all()
        assert 0 < batch["attention_mask"].float().mean() < 1
    for batch in batches[1]:
        assert "attention_mask" not in batch and batch["ids"].shape == (8, 24)


@pytest.mark.parametrize("written_out", [True, False])
def test_written_out_takes_the_taught_function(batches, monkeypatch, written_out):
    calls = []
    taught = helpers.attention.scaled_dot_product_attention
    monkeypatch.setattr(
        helpers.attention, "scaled_dot_product_attention",
        lambda *arguments: calls.append(1) or taught(*arguments),
    )  # fmt: skip
    rung = pretraining_speed.Rung("", written_out=written_out)
    pretraining_speed.losses_of(rung, SMALL, batches[1], steps=1)
    assert len(calls) == (SMALL.num_layers if written_out else 0)


def test_take_turns_calls_each_equally_often():
    calls = []
    work = {name: lambda turn, name=name: calls.append((turn, name)) or 10 for name in "abc"}
    rates, rounds = timing.take_turns(work, seconds=0.0)
    assert rounds == 3 and set(rates) == {"a", "b", "c"}
    assert sorted(calls) == [(turn, name) for turn in range(rounds + 1) for name in "abc"]


@pytest.mark.parametrize("length", [8, 32])
def test_counted_work_is_what_pytorch_counts(length):
    model = BertForPreTraining(Bert(SMALL))
    rows = 4
    positions = torch.zeros(rows, length, dtype=torch.bool)
    positions[:, :2] = True
    with FlopCounterMode(display=False) as counter:
        output = model(torch.randint(5, SMALL.vocab_size, (rows, length)), positions=positions)
        output.token_logits.sum().backward()
    hidden = SMALL.hidden_size
    left_out = 2 * rows * (hidden**2 + 2 * hidden)  # pooler and pair head, which get no gradient here
    work = cost.training_flops(SMALL, length, predicted=2 / length)
    assert counter.get_total_flops() - left_out == pytest.approx(rows * length * work, rel=1e-9)


@pytest.mark.parametrize("config", [SMALL, BertConfig()])
def test_number_of_weights(config):
    with torch.device("meta"):
        model = BertForPreTraining(Bert(config))
    assert cost.number_of_weights(config) == sum(weight.numel() for weight in model.parameters())


def points_of(law, memory, noise=0.0):
    """Points as the benchmark measures them, made from two laws; the noise alternates."""
    points = []
    for index, (hidden, layers, length) in enumerate(pretraining_cost.SHAPES):
        config, rows = pretraining_cost.config_of(hidden, layers, length), 4096 // length
        factor = 1 + noise * (-1) ** index
        points.append(
            cost.Point(
                config, length, rows, factor * law.seconds_per_token(config, length),
                factor * memory.megabytes(config, length, rows),
            )
        )  # fmt: skip
    return points


def test_laws_are_found_again():
    law, memory = cost.CostLaw(5e-11, 3e-10, 2e-9), cost.MemoryLaw(400.0, 1.5)
    points = points_of(law, memory)
    assert cost.fit_cost(points) == pytest.approx(law, rel=1e-4)
    assert cost.fit_memory(points) == pytest.approx(memory, rel=1e-4)


def test_laws_survive_noise_and_foretell_a_large_model():
    law, memory = cost.CostLaw(5e-11, 3e-10, 2e-9), cost.MemoryLaw(400.0, 1.5)
    points = points_of(law, memory, noise=0.05)
    found, large = cost.fit_cost(points), BertConfig()
    assert (
        abs(cost.relative_error(found.seconds_per_token(large, 128), law.seconds_per_token(large, 128))) < 0.1
    )
    megabytes = cost.fit_memory(points).megabytes(large, 128, 8), memory.megabytes(large, 128, 8)
    assert abs(cost.relative_error(*megabytes)) < 0.1


def test_laws_never_get_a_negative_term():
    points = points_of(cost.CostLaw(5e-11, 0.0, 2e-9), cost.MemoryLaw(400.0, 1.5), noise=0.03)
    assert min(cost.fit_cost(points)) >= 0


def test_laws_refuse_too_few_points():
    points = points_of(cost.CostLaw(5e-11, 3e-10, 2e-9), cost.MemoryLaw(400.0, 1.5))
    with pytest.raises(ValueError, match="at least four"):
        cost.fit_cost(points[:3])
    with pytest.raises(ValueError, match="at least three"):
        cost.fit_memory(points[:2])


def test_points_that_a_spreadsheet_has_stored_again(tmp_path):
    """A byte order mark before the first column's name, and Windows' line ends."""
    text = pretraining_cost.FILE.read_text(encoding="utf-8")
    path = tmp_path / "points.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert text.startswith("vocab_size,") and cost.read_points(path)
    assert cost.read_points(path) == cost.read_points(pretraining_cost.FILE)


BAD = {
    (pretraining_cost, "--threads=0"): "--threads: must be at least 1, not 0",
    (pretraining_cost, "--seconds=nan"): "--seconds: must be a finite number, not nan",
    (pretraining_gpu, "--seconds=-1"): "--seconds: must be above 0, not -1",
    (pretraining_speed, "--layers=0"): "--layers: must be at least 1, not 0",
    (pretraining_speed, "--length=2"): "--length: must be at least 3, not 2",
    (pretraining_speed, "--threads=2.5"): "--threads: must be a whole number, not '2.5'",
    (pretraining_race, "--steps=0"): "--steps: must be at least 1, not 0",
    (pretraining_race, "--every=-1"): "--every: must be at least 1, not -1",
    (pretraining_race, "--limit=0"): "--limit: must be above 0, not 0",
    (pretraining_race, "--csv=no/such/a.csv"): "--csv: there is no folder",
    (waiting, "--rounds=0"): "--rounds: must be at least 1, not 0",
    (waiting, "--seconds=inf"): "--seconds: must be a finite number, not inf",
}


@pytest.mark.parametrize(("benchmark", "option"), BAD, ids=lambda value: str(value).rpartition(".")[2])
def test_bad_options(benchmark, option, capsys):
    assert BAD[benchmark, option] in refusal(benchmark.main, [option], capsys)


@pytest.mark.parametrize("breaks", [True, False])
def test_a_race_stores_its_table_when_it_has_ended(breaks, tmp_path, monkeypatch, capsys):
    def running(task, write, every):
        write("ours", every, (1.0, 2.0), 0.5, 0.7)
        if breaks:
            raise KeyboardInterrupt

    monkeypatch.setitem(pretraining_race.RECIPE, "steps", 2)  # put back afterwards
    monkeypatch.setattr(pretraining_race, "Task", lambda texts, size: None)
    monkeypatch.setattr(pretraining_race.stories, "split", lambda name: [])
    monkeypatch.setattr(pretraining_race, "run_ours", running)
    path = tmp_path / "race.csv"
    path.write_text("what was measured before", encoding="utf-8")
    given = ["--only", "ours", "--steps=2", "--every=1", f"--csv={path}"]
    if breaks:
        with pytest.raises(KeyboardInterrupt):
            pretraining_race.main(given)
        assert path.read_text(encoding="utf-8") == "what was measured before"
        path = path.with_name("race.csv.partial")  # what there is stays, aside
    else:
        assert pretraining_race.main(given) == 0
        assert [place.name for place in tmp_path.iterdir()] == ["race.csv"]
    (row,) = read(path)
    assert tuple(row) == pretraining_race.COLUMNS and row["gain"] == "0.7000"


def test_the_original_run_by_hand():
    assert sum(steps * rows * length for steps, rows, length in cost.BERT_BASE_RUN) == 42_598_400_000
    linear = 12 * 12 * 768**2  # 12 layers of 4 H² for attention and 8 H² for feed-forward
    head = 0.15 * (768**2 + 768 * 30522)
    short, long = (6 * (linear + 12 * 2 * length * 768 + head) for length in (128, 512))
    by_hand = 0.9e6 * 256 * 128 * short + 0.1e6 * 256 * 512 * long
    assert cost.run_flops(BertConfig()) == pytest.approx(by_hand)
    law = cost.CostLaw(6e-11, 6e-11, 0.0)  # 6 operations in 6e-11 s: 100 GFLOP/s for everything
    assert cost.run_seconds(law, BertConfig()) == pytest.approx(by_hand / 100e9)


def test_gpu_benchmark_says_what_it_needs(capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pretraining_gpu.main([]) == 1
    assert "needs a CUDA GPU" in capsys.readouterr().out


@pytest.mark.parametrize("precision", pretraining_gpu.PRECISIONS)
def test_gpu_benchmark_runs_on_the_cpu(precision):
    config, rows = pretraining_gpu.TINY["tiny"]
    before = torch.get_float32_matmul_precision()
    for fused in (False, True):
        setting = pretraining_gpu.Setting("tiny", precision, fused, compiled=False)
        assert pretraining_gpu.tokens_per_second(setting, config, rows, torch.device("cpu"), 0.0) > 0
    assert torch.get_float32_matmul_precision() == before


def test_gpu_data_sheets():
    assert pretraining_gpu.data_sheet("NVIDIA A100-SXM4-80GB", "bf16") == 312e12
    assert pretraining_gpu.data_sheet("Tesla T4", "bf16") is None
    assert pretraining_gpu.data_sheet("unheard of", "fp32") is None


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_stored_speed_table():
    rows = read(pretraining_speed.FILE)
    settings = {row["setting"] for row in rows}
    assert len(settings) == len(pretraining_speed.RUNS)
    for setting in settings:
        speed = {row["rung"]: float(row["tokens_per_second"]) for row in rows if row["setting"] == setting}
        for ours, library in pretraining_speed.HEADLINES:
            assert speed[ours.name] > speed[library.name]


def test_stored_cost_points():
    points = cost.read_points(pretraining_cost.FILE)
    assert len(points) == len(pretraining_cost.SHAPES) + len(pretraining_cost.CHECKS)
    assert all(0 < point.seconds_per_token < 1 and point.peak_megabytes > 100 for point in points)


def test_stored_gpu_table_has_every_setting():
    rows = read(pretraining_gpu.FILE)
    assert len(rows) == len(pretraining_gpu.settings(pretraining_gpu.SHAPES))
    assert all(bool(row["tokens_per_second"]) != bool(row["note"]) for row in rows)
