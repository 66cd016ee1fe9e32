"""How the cost of pretraining grows with hidden size, layers and T, and what BERT-base would take here.

    python benchmarks/pretraining_cost.py              measures (4 minutes); writes pretraining_cost.csv
    python benchmarks/pretraining_cost.py --fit        the laws and the paper figures from the stored table

One of the three varies at a time. Each shape is trained in a fresh process, whose peak memory is therefore
its own: steps of 4,096 tokens, packed rows, logits at the masked positions, fused AdamW, no dropout. Two
shapes of BERT-base are measured as well, and not fitted: they show how far the laws can be trusted.
"""

import argparse
import multiprocessing
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from benchmarks import timing  # noqa: E402
from helpers.data.output import accept_any_text  # noqa: E402
from helpers.encoder import Bert, BertConfig  # noqa: E402
from helpers.pretraining import BertForPreTraining  # noqa: E402
from helpers.training import cost, options  # noqa: E402

FILE = ROOT / "benchmarks" / "results" / "pretraining_cost.csv"
ENTRIES, TOKENS, HEAD = 8_000, 4_096, 64  # V, B x T, D
HIDDEN, LAYERS, LENGTH = 128, 4, 128  # the middle, from which one is varied at a time
SHAPES = [
    *((hidden, LAYERS, LENGTH) for hidden in (64, 128, 192, 256, 384, 512)),
    *((HIDDEN, layers, LENGTH) for layers in (1, 2, 8, 12)),
    *((HIDDEN, LAYERS, length) for length in (32, 64, 256, 512)),
]
# BERT-base: few tokens a step, as a step of 4,096 would take a minute.
CHECKS = [(BertConfig(dropout=0.0), 128, 8), (BertConfig(dropout=0.0), 512, 2)]
# Peak of dense bf16 matrix products in the maker's data sheets, and the share that training reaches.
GPUS = {"A100": 312e12, "H100 SXM": 989e12}
GPU_SHARE = 0.4


def config_of(hidden: int, layers: int, length: int) -> BertConfig:
    """An encoder with heads of HEAD numbers each and a feed-forward block of 4 H."""
    heads = max(1, hidden // HEAD)
    return BertConfig(ENTRIES, hidden, layers, heads, 4 * hidden, length, dropout=0.0, init_std=None)


def measure(config: BertConfig, length: int, rows: int, threads: int, seconds: float) -> dict:
    """Train one shape on random tokens for some seconds, at least four steps; medians without the first."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = BertForPreTraining(Bert(config)).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    times, products, start = [], [], time.perf_counter()
    product = timing.matrix_product(1024)
    while len(times) < 4 or time.perf_counter() - start < seconds:
        ids = torch.randint(5, config.vocab_size, (rows, length))
        positions = torch.rand(rows, length) < cost.PREDICTED
        began = time.perf_counter()
        optimizer.zero_grad()
        functional.cross_entropy(model(ids, positions=positions).token_logits, ids[positions]).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        times.append(time.perf_counter() - began)
        began = time.perf_counter()
        products.append(product(0) / (time.perf_counter() - began))
    return {
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_size,
        "layers": config.num_layers,
        "heads": config.num_heads,
        "intermediate_size": config.intermediate_size,
        "length": length,
        "rows": rows,
        "tokens_per_second": f"{rows * length / statistics.median(times[1:]):.1f}",
        "peak_megabytes": f"{peak_megabytes():.0f}",
        "product_gflops": f"{statistics.median(products[1:]) / 1e9:.1f}",
        "threads": threads,
    }


def peak_megabytes() -> float:
    """The most memory that this process has held so far; without such a record the memory held now."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux: kB, of this program alone
        return next(int(line.split()[1]) for line in status.open() if line.startswith("VmHWM")) * 1024 / 1e6
    memory = psutil.Process().memory_info()
    return getattr(memory, "peak_wset", memory.rss) / 1e6


def measure_all(shapes: list[tuple], threads: int, seconds: float) -> list[dict]:
    """Every shape (config, T, B) in a process of its own; prints as it goes."""
    table = []
    for config, length, rows in shapes:
        with multiprocessing.get_context("spawn").Pool(1) as process:
            table.append(process.apply(measure, (config, length, rows, threads, seconds)))
        print(f"H {config.hidden_size:>4}  L {config.num_layers:>2}  T {length:>3}  B {rows:>3}  "
              f"{float(table[-1]['tokens_per_second']):>8,.0f} tokens/s  "
              f"{float(table[-1]['peak_megabytes']):>6,.0f} MB", flush=True)  # fmt: skip
    return table


def show_laws(points: list[cost.Point]) -> None:
    """Fit the laws to all points but BERT-base's, and print how well they fit these and foretell those."""
    large = [point for point in points if point.config.hidden_size == 768]
    small = [point for point in points if point not in large]
    law, memory = cost.fit_cost(small), cost.fit_memory(small)
    print(f"\nseconds per token = {law.per_multiply_add:.2e} (linear + head) + {law.per_attention:.2e} "
          f"attention + {law.per_number:.2e} stored")  # fmt: skip
    print(f"   matrix products at {6e-9 / law.per_multiply_add:.0f} GFLOP/s, attention at "
          f"{6e-9 / max(law.per_attention, 1e-30):.0f} GFLOP/s")  # fmt: skip
    print(f"megabytes = {memory.base:.0f} + 16 B per weight + {memory.copies:.2f} x 4 B per number stored")
    print(f"\n{'':>24}{'tokens/s':>10}{'law':>9}{'off':>7}{'MB':>8}{'law':>8}{'off':>7}")
    errors = {"small": [], "large": []}
    for point in [*small, *large]:
        shape = point.config, point.length
        seconds, megabytes = law.seconds_per_token(*shape), memory.megabytes(*shape, point.rows)
        off = (cost.relative_error(seconds, point.seconds_per_token),
               cost.relative_error(megabytes, point.peak_megabytes))  # fmt: skip
        errors["large" if point in large else "small"].append(off)
        name = f"H {point.config.hidden_size} L {point.config.num_layers} T {point.length} B {point.rows}"
        print(f"{name:>24}{1 / point.seconds_per_token:>10,.0f}{1 / seconds:>9,.0f}{off[0]:>+7.0%}"
              f"{point.peak_megabytes:>8,.0f}{megabytes:>8,.0f}{off[1]:>+7.0%}")  # fmt: skip
    for kind, what in (("small", "fitted"), ("large", "BERT-base, foretold")):
        if errors[kind]:
            worst = [max(map(abs, column)) for column in zip(*errors[kind], strict=True)]
            print(f"worst error, {what}: {worst[0]:.0%} of the time, {worst[1]:.0%} of the memory")
    show_original_run(law, large)


def show_original_run(law: cost.CostLaw, measured: list[cost.Point]) -> None:
    """BERT-base's run on paper: operations, years on this machine, days on a GPU."""
    flops = cost.run_flops(BertConfig())
    tokens = sum(steps * rows * length for steps, rows, length in cost.BERT_BASE_RUN)
    year, day = 365.25 * 86_400, 86_400
    print(f"\nBERT-base, a million steps of 256 rows, 90 % at T = 128, 10 % at T = 512: "
          f"{tokens:.2e} tokens, {flops:.2e} operations")  # fmt: skip
    print(f"   here, by the law: {cost.run_seconds(law, BertConfig()) / year:.1f} years")
    speeds = {point.length: point.seconds_per_token for point in measured}
    if all(length in speeds for _, _, length in cost.BERT_BASE_RUN):
        seconds = sum(steps * rows * length * speeds[length] for steps, rows, length in cost.BERT_BASE_RUN)
        print(f"   here, at the measured speed of BERT-base: {seconds / year:.1f} years")
    for name, peak in GPUS.items():
        days = flops / (GPU_SHARE * peak) / day
        print(f"   one {name}, at {GPU_SHARE:.0%} of its {peak / 1e12:.0f} TFLOP/s (bf16): {days:.1f} days")


def main(arguments: list[str] | None = None) -> int:
    accept_any_text()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--fit", action="store_true", help="measure nothing, read the stored table")
    parser.add_argument("--threads", type=options.threads(), default=2)
    parser.add_argument("--seconds", type=options.number(above=0), default=5,
                        help="training time of each shape")  # fmt: skip
    given = parser.parse_args(arguments)
    if not given.fit:
        print(f"{given.threads} threads, steps of {TOKENS:,} tokens (BERT-base: {8 * 128:,})")
        shapes = [(config_of(*shape), shape[2], TOKENS // shape[2]) for shape in SHAPES] + CHECKS
        timing.store(FILE, measure_all(shapes, given.threads, given.seconds))
    show_laws(cost.read_points(FILE))
    return 0


if __name__ == "__main__":
    sys.exit(main())
