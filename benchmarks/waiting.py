"""What it costs, and saves, that waiting threads sleep: one training step under each OMP_WAIT_POLICY.

    python benchmarks/waiting.py          writes results/waiting.csv; about 4 minutes on a quiet machine
    python benchmarks/waiting.py --look   one short round; stores nothing

OpenMP reads the policy when torch is imported, so each measurement is a Python of its own; the policies take
turns. "unset" is what torch does without helpers/environment.py. Measured alone, and beside one program that
keeps a core busy. On a machine that does something else besides, the rows "alone" are not what they say: the
load that the system tells before each measurement stands beside it.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from helpers.data.output import accept_any_text  # noqa: E402
from helpers.training.options import count, number  # noqa: E402  (no torch: the workers import it anew)

FILE = ROOT / "benchmarks" / "results" / "waiting.csv"
POLICIES = {"unset": None, "active": "ACTIVE", "passive": "PASSIVE"}
THREADS = 2
SHAPE = {"layers": 4, "hidden_size": 128, "rows": 32, "length": 128}  # L, H, B, T


def step_times(seconds: float) -> list[float]:
    """Seconds of each training step of a BERT of SHAPE on random tokens; the first two are left away."""
    import torch
    from torch.nn import functional

    from helpers.encoder import Bert, BertConfig
    from helpers.pretraining import BertForPreTraining

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    hidden, layers = SHAPE["hidden_size"], SHAPE["layers"]
    config = BertConfig(8_000, hidden, layers, hidden // 64, 4 * hidden, SHAPE["length"], init_std=None)
    model = BertForPreTraining(Bert(config)).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    ids = torch.randint(5, config.vocab_size, (SHAPE["rows"], SHAPE["length"]))
    positions = torch.rand(ids.shape) < 0.15
    times, start = [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - start < seconds:
        began = time.perf_counter()
        optimizer.zero_grad()
        functional.cross_entropy(model(ids, positions=positions).token_logits, ids[positions]).backward()
        optimizer.step()
        times.append(time.perf_counter() - began)
    return times[2:]


def measure(policy: str, busy: int, seconds: float) -> dict:
    """One row: the median step in a new Python under a policy, beside `busy` programs that never rest."""
    variables = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "OMP_NUM_THREADS")}
    if POLICIES[policy]:
        variables["OMP_WAIT_POLICY"] = POLICIES[policy]
    load = os.getloadavg()[0]
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    try:
        command = [sys.executable, str(Path(__file__).resolve()), "--worker", "--seconds", str(seconds)]
        printed = subprocess.run(command, env=variables, check=True, capture_output=True, text=True).stdout
    finally:
        for other in others:
            other.kill()
            other.wait()
    times = [float(word) for word in printed.split()]
    row = {**SHAPE, "threads": THREADS, "policy": policy, "busy_programs": busy}
    row |= {"milliseconds_per_step": f"{1000 * statistics.median(times):.0f}", "steps": len(times)}
    return row | {"load_before": f"{load:.1f}"}


def main(arguments: list[str] | None = None) -> int:
    accept_any_text()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=count(), default=4)
    parser.add_argument("--seconds", type=number(above=0), default=6.0,
                        help="of steps in each measurement")  # fmt: skip
    parser.add_argument("--look", action="store_true", help="one short round; stores nothing")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        print(*step_times(options.seconds))
        return 0
    from benchmarks import timing  # only here: the workers import torch anew

    rounds, seconds = (1, 1.0) if options.look else (options.rounds, options.seconds)
    table = []
    for round_ in range(rounds):
        for busy in (0, 1):
            for policy in list(POLICIES)[:: 1 if round_ % 2 else -1]:  # each policy first and last in turn
                row = {"round": round_, **measure(policy, busy, seconds)}
                table.append(row)
                print("  ".join(f"{name} {row[name]}" for name in list(row)[6:]), flush=True)
                if not options.look:
                    timing.store(FILE, table)
    for busy in (0, 1):
        for policy in POLICIES:
            rows = [row for row in table if (row["policy"], row["busy_programs"]) == (policy, busy)]
            middle = statistics.median(float(row["milliseconds_per_step"]) for row in rows)
            print(f"{policy:<8} beside {busy} busy programs: {middle:6.0f} ms a step (median of {len(rows)})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
