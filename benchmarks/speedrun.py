r"""The speedrun: processor time from the first look at the stories to 92 % of the reachable gain, one thread.

    python benchmarks/speedrun.py                                   every entry that is not in the table
    python benchmarks/speedrun.py --entries NAME --seeds 0 1 2      one entry
    python benchmarks/speedrun.py --check-newest --seeds 0          is the record still what it was?

Entries are the files in benchmarks/speedruns; the rules are in its README.md. Each entry's time is given as
its ratio to that of the reference, `live` with seed 0, on the same machine at the same time: the reference
runs whole where the table lacks it, and later its first steps are timed again for every seed; how many steps
it takes does not depend on the machine. Runs that are in the table are left out, so that an interrupted
series goes on with the same command.

--check-newest takes the record, the entry with the smallest mean ratio. Exit code 1 if the target is not
reached, or if the ratio is above the recorded one by more than --room, in all of --tries.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: see helpers/environment.py
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from helpers import stories
from helpers.analysis.comparison import summarize
from helpers.studies import trial_tables
from helpers.studies.errors import RowError, run_script
from helpers.studies.speedrun import TARGET, Entry, Result, commit_of, race, read_entry
from helpers.studies.story_runs import RECIPE, Task
from helpers.studies.tables import number_in
from helpers.training import options as kinds

FOLDER = Path(__file__).parent / "speedruns"
TABLE = Path("benchmarks/results/speedrun.csv")
REFERENCE, REFERENCE_SEED = "live", 0
RUN = ("entry", "seed")  # what a run is found by
COLUMNS = (
    *RUN, "who", "what", "commit", "reached", "gain", "steps", "cpu_seconds", "reference_seconds", "ratio",
    "curve", "torch", "command",
)  # fmt: skip
LONGEST = 900.0  # seconds for the reference
TIMED = 1000  # its steps that are timed again


def entries(names: list[str] | None) -> list[Entry]:
    """The entries of these names, all by default; RowError for one that is not there."""
    names = names or sorted(path.stem for path in FOLDER.glob("*.py"))
    return [read_entry(FOLDER / f"{name}.py") for name in names]


def the_task() -> Task:
    return Task({name: stories.split(name) for name in ("train", "validation")}, RECIPE["vocab_size"])


def line_of(entry: Entry, seed: int, found: Result, reference: float) -> dict:
    """The cells of a run's line that its result decides."""
    return {
        "who": entry.who, "what": entry.what, "commit": commit_of(entry.path),
        "reached": "yes" if found.reached else "no", "gain": found.gain, "steps": found.step,
        "cpu_seconds": found.cpu_seconds, "reference_seconds": f"{reference:.1f}",
        "ratio": found.cpu_seconds / reference,
        "curve": " ".join(f"{step}:{seconds:.1f}:{loss:.3f}" for step, seconds, loss in found.curve),
        "torch": torch.__version__,
    }  # fmt: skip


def compute(options: argparse.Namespace, task: Callable[[], Task]) -> int:
    """Run what is missing in the table, the reference first of all; print the records."""
    trial_tables.check_place(options.csv, COLUMNS)
    asked = [entry for entry in entries(options.entries) if entry.name != REFERENCE]
    missing = [
        (seed, entry) for seed in options.seeds for entry in asked
        if not trial_tables.has(options.csv, {"entry": entry.name, "seed": str(seed)}, COLUMNS)
    ]  # fmt: skip
    task = cache(task)
    seconds, timed_for = None, None
    for seed, entry in missing:
        if seconds is None and not trial_tables.has(options.csv, {"entry": REFERENCE}, COLUMNS):
            seconds, timed_for = run_reference(options, task()), seed
        if timed_for != seed:
            seconds, timed_for = time_reference(options, task()), seed
        found = race(entry, task(), seed, options.limit * seconds, target=options.target)
        add(options, entry, seed, found, seconds)
    print(records(trial_tables.read(options.csv, COLUMNS)))
    return 0


def run_reference(options: argparse.Namespace, task: Task) -> float:
    """The reference's whole run, kept as a line; its CPU seconds. RowError if it misses the target."""
    entry = read_entry(FOLDER / f"{REFERENCE}.py")
    whole = race(entry, task, REFERENCE_SEED, LONGEST, target=options.target)
    if not whole.reached:
        raise RowError(
            f"the reference got to {whole.gain:.1%} of the gain, not to {options.target:.0%}, so no ratio "
            "can be given: a lower --target tries the program"
        )
    add(options, entry, REFERENCE_SEED, whole, whole.cpu_seconds)
    return whole.cpu_seconds


def time_reference(options: argparse.Namespace, task: Task) -> float:
    """CPU seconds that the reference would take now: its first steps are timed, the table counts them."""
    lines = [line for line in trial_tables.read(options.csv, COLUMNS) if line["entry"] == REFERENCE]
    if not lines:
        raise RowError(f"{options.csv} has no run of the reference, {REFERENCE}: run an entry first")
    entry = read_entry(FOLDER / f"{REFERENCE}.py")
    timed = race(entry, task, REFERENCE_SEED, LONGEST, only=options.timed)
    return timed.cpu_seconds / timed.step * number_in(lines[0], "steps", int)


def add(options: argparse.Namespace, entry: Entry, seed: int, found: Result, reference: float) -> None:
    """Keep a run as a line of the table, and print it."""
    command = f"python benchmarks/speedrun.py --entries {shlex.quote(entry.name)} --seeds {seed}"
    run = {"entry": entry.name, "seed": str(seed)}
    trial_tables.add(options.csv, run, line_of(entry, seed, found, reference), command, COLUMNS)
    print(in_words(entry, seed, found, reference), flush=True)


def in_words(entry: Entry, seed: int, found: Result, reference: float) -> str:
    """What came of a run, in a line."""
    there = "reached" if found.reached else "NOT reached"
    return (
        f"{entry.name}, seed {seed}: target {there}, {found.gain:.1%} of the gain after "
        f"{found.cpu_seconds:.1f} s, step {found.step}: "
        f"{found.cpu_seconds / reference:.2f} times the reference"
    )


def records(lines: list[dict[str, str]]) -> str:
    """The table of records: for each entry the mean ratio with its interval over seeds, or "not reached"."""
    shown = []
    for name in dict.fromkeys(line["entry"] for line in lines):
        runs = [line for line in lines if line["entry"] == name]
        ratios = [number_in(line, "ratio") for line in runs]
        mean = sum(ratios) / len(ratios)
        text = f"{mean:.2f}"
        if len(runs) > 1 and name != REFERENCE:
            found = summarize(ratios)
            text += f" ({found.low:.2f} to {found.high:.2f})"
        late = sum(line["reached"] != "yes" for line in runs)
        if late:
            text = f"not reached in {late} of {len(runs)} runs"
        shown.append((bool(late), mean, f"{name:<12} {text:<24} {runs[0]['what']} ({runs[0]['who']})"))
    return "\n".join(text for *_, text in sorted(shown))


def record(lines: list[dict[str, str]]) -> str | None:
    """The newest record is the best entry: the smallest mean ratio, the target reached in every run."""
    ratios: dict[str, list[float]] = {}
    for line in lines:
        if line["entry"] != REFERENCE:
            ratio = number_in(line, "ratio") if line["reached"] == "yes" else float("inf")
            ratios.setdefault(line["entry"], []).append(ratio)
    means = {name: sum(found) / len(found) for name, found in ratios.items()}
    best = min(means, key=means.get, default=None)
    return best if best and means[best] < float("inf") else None


def check_newest(options: argparse.Namespace, task: Callable[[], Task]) -> int:
    """Run the newest record again: 0 if it is still what the table says, within the room, otherwise 1."""
    lines = trial_tables.read(options.csv, COLUMNS)
    newest = record(lines)
    if newest is None:
        raise RowError(
            f"{options.csv} holds no entry beside the reference that reached the target: run one first"
        )
    task, failed = cache(task), False
    for seed in options.seeds:
        stored = [line for line in lines if (line["entry"], line["seed"]) == (newest, str(seed))]
        if not stored:
            raise RowError(f"{options.csv} has no run of {newest} with seed {seed}: choose another")
        recorded = number_in(stored[0], "ratio")
        entry, most = read_entry(FOLDER / f"{newest}.py"), recorded * (1 + options.room)
        for _ in range(options.tries):  # other programs slow a run down and never speed it up
            reference = time_reference(options, task())
            found = race(entry, task(), seed, most * reference, target=options.target)
            print(in_words(entry, seed, found, reference), flush=True)
            print(f"recorded: {recorded:.2f}, with room {most:.2f}", flush=True)
            if found.reached and found.cpu_seconds / reference <= most:
                break
        else:
            failed = True
    return int(failed)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("--entries", nargs="+", metavar="NAME", help="files in benchmarks/speedruns; default: all")
    add("--seeds", type=kinds.seed(), nargs="+", default=[0, 1, 2])
    add("--limit", type=kinds.number(above=0), default=3.0,
        help="when a run ends at the latest, in times of the reference")  # fmt: skip
    add(
        "--target",
        type=kinds.number(above=0, below=1),
        default=TARGET,
        help="share of the gain, to try the program",
    )
    add("--check-newest", action="store_true", help="run the newest record again and compare")
    add("--room", type=kinds.number(least=0), default=0.25, help="by how much it may be slower, as a share")
    add("--tries", type=kinds.count(), default=3, help="runs of which one has to keep within the room")
    add("--timed", type=kinds.count(), default=TIMED, help="steps of the reference that are timed again")
    add("--csv", type=kinds.growing_table(), default=TABLE, help=f"default: {TABLE}")
    options = parser.parse_args(given)
    options.threads = 1
    return options


def work(options: argparse.Namespace) -> int:
    return check_newest(options, the_task) if options.check_newest else compute(options, the_task)


def main(given: list[str] | None = None) -> int:
    return run_script(given, arguments, work)


if __name__ == "__main__":
    sys.exit(main())
