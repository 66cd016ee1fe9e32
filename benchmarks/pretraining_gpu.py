"""Training speed on a CUDA GPU: fp32, tf32 and bf16, attention written out or fused, eager or compiled.

    python benchmarks/pretraining_gpu.py                          writes pretraining_gpu.csv; needs a GPU
    python benchmarks/pretraining_gpu.py --device cpu --tiny      tries the code; stores nothing
    python benchmarks/pretraining_gpu.py --empty                  writes the table without a measurement

Packed rows of T = 128 random tokens, logits at the masked positions, fused AdamW, gradients clipped, no
dropout. Shares are of the matrix product measured in the same run in the same precision, and of the data
sheet where the GPU is in the list. Compiled: each encoder layer on its own (`layer.compile()`).
"""

import argparse
import itertools
import statistics
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from benchmarks import timing  # noqa: E402
from helpers.data.output import accept_any_text  # noqa: E402
from helpers.encoder import Bert, BertConfig  # noqa: E402
from helpers.pretraining import BertForPreTraining  # noqa: E402
from helpers.training import cost  # noqa: E402
from helpers.training.options import number  # noqa: E402

FILE = ROOT / "benchmarks" / "results" / "pretraining_gpu.csv"
LENGTH = 128  # T
PRECISIONS = ("fp32", "tf32", "bf16")
# name: (configuration, rows of a batch)
SHAPES = {
    "BERT-base": (BertConfig(dropout=0.0), 256),
    "4 layers, hidden 256": (BertConfig(8_000, 256, 4, 4, 1024, LENGTH, dropout=0.0, init_std=None), 512),
}
TINY = {"tiny": (BertConfig(100, 32, 2, 2, 64, LENGTH, dropout=0.0, init_std=None), 2)}
# Dense matrix products by the makers' data sheets, TFLOP/s: fp32, tf32, bf16.
DATA_SHEETS = {
    "H100 80GB HBM3": (67, 494.7, 989.4),  # SXM5
    "H100 PCIe": (51, 378, 756),
    "H200": (67, 494.7, 989.4),
    "A100": (19.5, 156, 312),
    "L4": (30.3, 60, 121),
    "T4": (8.1, None, None),
}


class Setting(NamedTuple):
    """One cell of the table."""

    shape: str
    precision: str
    fused: bool
    compiled: bool


def settings(shapes: dict) -> list[Setting]:
    """All combinations, the plainest first."""
    return [Setting(*cell) for cell in itertools.product(shapes, PRECISIONS, (False, True), (False, True))]


@contextmanager
def precision(name: str):
    """Inside, fp32 matrix products may be rounded to tf32 or not; what autocast does comes on top."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if name == "tf32" else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def seconds_of(work, device: torch.device, seconds: float) -> float:
    """Median time of a call, the device's queue emptied around each; the first three are not counted."""
    times, start = [], time.perf_counter()
    while len(times) < 6 or time.perf_counter() - start < seconds:
        began = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    return statistics.median(times[3:])


def matrix_peak(name: str, device: torch.device, size: int, seconds: float) -> float:
    """Operations per second of a square matrix product in a precision."""
    dtype = torch.bfloat16 if name == "bf16" else torch.float32
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    with precision(name):
        return 2 * size**3 / seconds_of(lambda: left @ right, device, seconds)


def tokens_per_second(
    setting: Setting, config: BertConfig, rows: int, device: torch.device, seconds: float
) -> float:
    """Train one shape in one setting."""
    torch.manual_seed(0)
    model = BertForPreTraining(Bert(config)).to(device).train()
    if not setting.fused:
        timing.write_out_attention(model.bert)
    if setting.compiled:
        for layer in model.bert.layers:
            layer.compile()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    ids = torch.randint(5, config.vocab_size, (rows, LENGTH), device=device)
    positions = torch.rand(rows, LENGTH, device=device) < cost.PREDICTED

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=setting.precision == "bf16"):
            loss = functional.cross_entropy(model(ids, positions=positions).token_logits, ids[positions])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    with precision(setting.precision):
        return rows * LENGTH / seconds_of(step, device, seconds)


def data_sheet(gpu: str, name: str) -> float | None:
    """Operations per second that the maker promises, None where the list does not know."""
    for part, peaks in DATA_SHEETS.items():
        if part in gpu:
            peak = peaks[PRECISIONS.index(name)]
            return peak and peak * 1e12
    return None


def row_of(setting: Setting, rows: int, gpu: str, speed: float | None, peak: float | None, note: str) -> dict:
    """A line of the table; what was not measured stays empty."""
    config = (SHAPES | TINY)[setting.shape][0]
    done = speed and speed * cost.training_flops(config, LENGTH)
    promised = data_sheet(gpu, setting.precision)
    return {
        "shape": setting.shape,
        "rows": rows,
        "precision": setting.precision,
        "attention": "fused" if setting.fused else "written out",
        "compiled": "yes" if setting.compiled else "no",
        "gpu": gpu,
        "tokens_per_second": f"{speed:.0f}" if speed else "",
        "share_of_measured_peak": f"{done / peak:.3f}" if speed else "",
        "share_of_data_sheet": f"{done / promised:.3f}" if speed and promised else "",
        "note": note,
    }


def measure_all(shapes: dict, device: torch.device, seconds: float, size: int) -> list[dict]:
    """Measure every setting, print as it goes; a setting that fails keeps an empty cell and says why."""
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU"
    peaks = {name: matrix_peak(name, device, size, seconds) for name in PRECISIONS}
    print(", ".join(f"{name} {peak / 1e12:.2f} TFLOP/s" for name, peak in peaks.items()), "on", gpu)
    table = []
    for setting in settings(shapes):
        config, rows = shapes[setting.shape]
        speed, note = None, ""
        try:
            speed = tokens_per_second(setting, config, rows, device, seconds)
        except (RuntimeError, torch.OutOfMemoryError) as error:  # no compiler, or not enough memory
            note = f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"
        torch.compiler.reset()
        row = row_of(setting, rows, gpu, speed, peaks[setting.precision], note)
        print("  ".join(f"{row[key] or '-':>{width}}" for key, width in WIDTHS.items()), flush=True)
        table.append(row)
    return table


WIDTHS = {"shape": 20, "precision": 5, "attention": 11, "compiled": 3, "tokens_per_second": 10,
          "share_of_measured_peak": 6, "share_of_data_sheet": 6, "note": 1}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    accept_any_text()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a tiny model, to try the code; stores nothing")
    parser.add_argument("--empty", action="store_true", help="store the table without a measurement")
    parser.add_argument("--seconds", type=number(above=0), help="time for each setting, default 5, tiny 0.1")
    options = parser.parse_args(arguments)
    if options.empty:
        table = [
            row_of(setting, SHAPES[setting.shape][1], "", None, None, "not measured: no GPU could be had")
            for setting in settings(SHAPES)
        ]
        timing.store(FILE, table)
        return 0
    if options.device == "cuda" and not torch.cuda.is_available():
        print("This benchmark needs a CUDA GPU, and PyTorch finds none: --device cpu --tiny tries its code.")
        return 1
    if options.tiny:
        torch.set_num_threads(1)  # so small that more would only wait for each other
    seconds = options.seconds or (0.1 if options.tiny else 5)
    table = measure_all(TINY if options.tiny else SHAPES, torch.device(options.device), seconds,
                        256 if options.tiny else 8192)  # fmt: skip
    if options.device == "cuda" and not options.tiny:
        timing.store(FILE, table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
