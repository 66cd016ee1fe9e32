"""What batching does for the service: texts a second and waiting times, on the loopback address.

    python benchmarks/serving.py FOLDER          writes results/serving.csv; 6 minutes on a quiet machine
    python benchmarks/serving.py FOLDER --look   one short round; stores nothing

FOLDER is a classifier of scripts/classify.py. Three services (scripts/serve.py, one thread each) stand side
by side: one text at a time, batches of what waits, and batches for which a text waits five milliseconds. They
take turns, in a new order every round, with 1, 8 and 32 clients. A client sends an SMS message of
`helpers.data.messages`, waits for the answer, and sends the next one, over one connection. The services have
one core and the clients another, where the system can be told so and has two.

Columns: texts answered in a second; median and 99th percentile of the time from request to answer; texts in a
batch; processor time of the service for a text. The last one says the same on a busy machine; the others tell
of its neighbors, too, so the load before each measurement stands beside them.
"""

import argparse
import http.client
import json
import os
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402

from benchmarks import timing  # noqa: E402
from helpers.data import DataError, messages  # noqa: E402
from helpers.data.output import accept_any_text  # noqa: E402
from helpers.training.options import count, number  # noqa: E402

FILE = ROOT / "benchmarks" / "results" / "serving.csv"
WARM_UP = 0.5  # seconds of each measurement that are not counted


class Side(NamedTuple):
    """A way to serve: the options of scripts/serve.py."""

    batch_size: int
    wait: float  # milliseconds

    @property
    def name(self) -> str:
        if self.batch_size == 1:
            return "one text at a time"
        return f"batches, {self.wait:g} ms for others" if self.wait else "batches of what waits"


SIDES = (Side(1, 0), Side(32, 0), Side(32, 5))
CLIENTS = (1, 8, 32)


def keep_to(cores: set[int]) -> bool:
    """Have this process, and those that it starts from now on, keep to these cores; whether that is so."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    os.sched_setaffinity(0, cores)
    return True


@contextmanager
def program(folder: Path, side: Side):
    """scripts/serve.py in a process of its own: (port, psutil's view of it)."""
    options = [
        "--port",
        "0",
        "--threads",
        "1",
        "--quiet",
        "--batch-size",
        side.batch_size,
        "--wait",
        side.wait,
    ]
    command = [sys.executable, ROOT / "scripts" / "serve.py", folder, *options]
    process = subprocess.Popen([str(each) for each in command], stderr=subprocess.PIPE, text=True)
    try:
        line = process.stderr.readline()
        found = re.search(r"listens on http://127\.0\.0\.1:(\d+)$", line)
        if not found:
            raise SystemExit(f"the service did not begin: {line.strip()}")
        yield int(found[1]), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


class Client(threading.Thread):
    """Asks for one text after the other until told to stop; times: (when it was sent, seconds it took)."""

    def __init__(self, port: int, texts: list[str], stop: threading.Event):
        super().__init__(daemon=True)
        self.port, self.texts, self.stop = port, texts, stop
        self.times: list[tuple[float, float]] = []
        self.error: Exception | None = None

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        turn = 0
        try:
            while not self.stop.is_set():
                body = json.dumps({"text": self.texts[turn % len(self.texts)]})
                began = time.perf_counter()
                connection.request("POST", "/classify", body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                content = response.read()
                self.times.append((began, time.perf_counter() - began))
                if response.status != 200:
                    raise RuntimeError(f"{response.status}: {content.decode()}")
                turn += 1
        except Exception as error:
            self.error = error
        finally:
            connection.close()


def health(port: int) -> dict:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/health")
    content = json.loads(connection.getresponse().read())
    connection.close()
    return content


def measure(port: int, process: psutil.Process, texts: list[str], clients: int, seconds: float) -> dict:
    """The figures of so many clients that ask for so many seconds; RuntimeError where one gets no answer."""
    stop = threading.Event()
    threads = [Client(port, texts[number::clients], stop) for number in range(clients)]
    before, used = health(port), sum(process.cpu_times()[:2])
    began = time.perf_counter() + WARM_UP
    for thread in threads:
        thread.start()
    stop.wait(seconds + WARM_UP)
    ended = time.perf_counter()
    stop.set()
    for thread in threads:
        thread.join()
        if thread.error:
            raise RuntimeError(f"a client got no answer: {thread.error}") from thread.error
    after, used = health(port), sum(process.cpu_times()[:2]) - used
    times = [(sent, took) for thread in threads for sent, took in thread.times]
    counted = [took for sent, took in times if sent >= began and sent + took <= ended]
    if len(counted) < 2:
        raise RuntimeError(f"{len(counted)} answers in {seconds:g} seconds: measure for longer")
    answered = after["answered"] - before["answered"]
    if answered != len(times):
        raise RuntimeError(f"{len(times)} answers to texts, but the service counts {answered}")
    return {
        "texts_per_second": f"{len(counted) / (ended - began):.1f}",
        "median_ms": f"{1000 * statistics.median(counted):.1f}",
        "p99_ms": f"{1000 * statistics.quantiles(counted, n=100, method='inclusive')[98]:.1f}",
        "texts": len(counted),
        "texts_per_batch": f"{answered / (after['batches'] - before['batches']):.2f}",
        "service_cpu_ms_per_text": f"{1000 * used / answered:.2f}",
    }


def summary(table: list[dict]) -> list[str]:
    """For each number of clients a line for each side: medians of the rounds, and ratios to the first side.

    A ratio is the median of the rounds' ratios, since the sides of one round stood under the same load.
    """
    lines = []
    for clients in dict.fromkeys(row["clients"] for row in table):
        for side in SIDES:
            rows, base = (
                {row["round"]: row for row in table
                 if (row["clients"], row["batch_size"], row["wait_ms"]) == (clients, *each)}
                for each in (side, SIDES[0])
            )  # fmt: skip
            words = [f"{clients:3} clients, {side.name:<24}"]
            for column, label in (
                ("texts_per_second", "texts/s"), ("median_ms", "ms median"), ("p99_ms", "ms 99%"),
                ("service_cpu_ms_per_text", "ms CPU a text"),
            ):  # fmt: skip
                middle = statistics.median(float(row[column]) for row in rows.values())
                ratio = statistics.median(
                    float(rows[round_][column]) / float(base[round_][column]) for round_ in rows
                )
                words.append(f"{middle:7.1f} {label} ({ratio:.2f})")
            words.append(
                f"{statistics.median(float(r['texts_per_batch']) for r in rows.values()):.1f} a batch"
            )
            lines.append("  ".join(words))
    return lines


def main(arguments: list[str] | None = None) -> int:
    accept_any_text()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="a classifier of scripts/classify.py")
    parser.add_argument("--rounds", type=count(), default=5)
    parser.add_argument("--seconds", type=number(above=0), default=6.0, help="of each measurement")
    parser.add_argument("--look", action="store_true", help="one short round; stores nothing")
    options = parser.parse_args(arguments)
    rounds, seconds = (1, 1.0) if options.look else (options.rounds, options.seconds)
    try:
        texts = [message.text for message in messages() if message.text.strip()]
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    pinned, table, dice = len(cores) > 1 and keep_to({cores[0]}), [], random.Random(0)
    with ExitStack() as stack:
        programs = {side: stack.enter_context(program(options.folder, side)) for side in SIDES}
        if pinned:
            stack.callback(keep_to, set(cores))
            keep_to({cores[1]})
        model = health(programs[SIDES[0]][0])
        for round_ in range(rounds):
            for clients in CLIENTS:
                for side in dice.sample(SIDES, len(SIDES)):
                    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
                    row = {
                        "round": round_,
                        "clients": clients,
                        "batch_size": side.batch_size,
                        "wait_ms": side.wait,
                    }
                    row |= measure(*programs[side], texts, clients, seconds)
                    row |= {"load_before": f"{load:.1f}", "cores_apart": pinned, "weights": model["version"]}
                    table.append(row)
                    print("  ".join(f"{name} {value}" for name, value in list(row.items())[:-2]), flush=True)
                    if not options.look:
                        timing.store(FILE, table)
    for line in summary(table):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
