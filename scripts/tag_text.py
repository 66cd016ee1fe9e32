"""Give lower-case text its capitals back, and its full stops and commas: the methods of notebook 13.

    python scripts/tag_text.py --seeds 0 1 2 3 4 --csv benchmarks/results/tagging.csv
    python scripts/tag_text.py --csv benchmarks/results/tagging.csv --report

Tasks: "capitals" (marks are there, capitals are not) and "capitals and stops" (words alone). Methods: the
rule "sentence start"; each word's most frequent tag; both; a linear model on features of words and neighbors,
tuned on the validation articles, with all the training text and with as many words as minilm gets; `minilm`
fine-tuned with a tagging head on a part of the words, for the capitals also on all. All answer the test
articles (helpers/studies/running_text.py). Some nine minutes of one core for each seed. Runs that are
there already are left out, so an interrupted series goes on with the same command.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: see helpers/environment.py
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from helpers.analysis.comparison import summarize
from helpers.studies import tagging_runs
from helpers.studies.errors import run_script
from helpers.studies.tables import locked
from helpers.training import options as kinds


def run(options: argparse.Namespace) -> None:
    """Compute what is missing in the table, task by task."""
    if options.report:
        return report(options.csv)
    with locked(options.csv):  # said now, not after the first run, if nothing can be written there
        known = tagging_runs.read(options.csv)
    for task in options.tasks:
        for one in tagging_runs.runs(task, options.seeds):
            if one not in known:
                lines = tagging_runs.measure(one)
                tagging_runs.add(options.csv, lines)
                print(f"{task}, {one[1]}, seed {one[2]}: F1 {lines[0]['f1']} ({lines[0]['measure']}), "
                      f"{lines[0]['cpu_seconds']} s", flush=True)  # fmt: skip


def report(path: Path) -> None:
    """Print the F1 of each method, with an interval over its seeds where it has several."""
    groups: dict[tuple, list[float]] = {}
    for lines in tagging_runs.read(path).values():
        for line in lines:
            key = line["task"], line["measure"], line["on"], line["method"]
            groups.setdefault(key, []).append(line["f1"])
    for (task, measure, on, method), values in sorted(groups.items()):
        text = f"{task:<18} {measure:<15} {on:<6} {method:<20} {sum(values) / len(values):.1%}"
        if len(values) > 1:
            found = summarize(values)
            text += f"  mean of such runs {found.low:.1%} to {found.high:.1%}, {found.runs} seeds"
        print(text)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    tasks = tuple(tagging_runs.TAGGING_METHODS)
    add("--csv", type=kinds.growing_table(), default=Path("runs/tagging.csv"))
    add("--tasks", choices=tasks, nargs="+", default=tasks, metavar="TASK", help=f"of {', '.join(tasks)}")
    add("--seeds", type=kinds.seed(), nargs="+", default=[0], help="default: 0")
    return kinds.parse_with_report(parser, given, "print what the table says")


def main(given: list[str] | None = None) -> int:
    return run_script(given, arguments, run)


if __name__ == "__main__":
    sys.exit(main())
