"""What is printed about tables of runs: means over seeds, intervals and paired comparisons."""

from pathlib import Path

import numpy as np

from helpers.analysis.comparison import compare_runs, prediction_interval, summarize
from helpers.studies import curves, domains, recipes
from helpers.studies.rows import ROWS
from helpers.studies.tables import RunTable, TableError, number_in

__all__ = ["report_curves", "report_domains", "report_rows"]


def report_rows(table: RunTable) -> None:
    """Print, for each group of runs that differ in their seed only, mean and intervals, and paired tests.

    Tested are neighbors of the ladder with the same task and number of labels; the intervals hold for other
    sentences and other seeds.
    """
    ladder = list(ROWS)
    groups: dict[tuple, list[dict]] = {}
    most: dict[str, int] = {}
    for line in table.lines:
        count = number_in(line, "labels", int) if line["labels"] else 0
        most[line["task"]] = max(most.get(line["task"], 0), count)
    for line in table.lines:
        labels = number_in(line, "labels", int) if line["labels"] else most[line["task"]]
        if line["row"] not in ROWS:
            raise TableError(f"{table.path} has a row {line['row']!r}: only {', '.join(ROWS)} are known")
        rest = tuple(line[name] for name in recipes.SETTINGS[2:] if name not in ("labels", "seed"))
        groups.setdefault((line["task"], labels, ladder.index(line["row"]), rest), []).append(line)
    before = None
    for key in sorted(groups):
        (task, labels, row, rest), lines = key, groups[key]
        values = [number_in(line, "test_accuracy") for line in lines]
        text = f"{task:<8}{labels:>6,}  {ladder[row]:<9}{len(values):>3}  {np.mean(values):6.1%}"
        if len(values) > 1:
            found, (low, high) = summarize(values), prediction_interval(values)
            text += (f" ± {found.deviation:.1%}  mean {found.low:.1%} to {found.high:.1%}"
                     f"  next run {low:.1%} to {high:.1%}")  # fmt: skip
        points = np.array([table.points(line) for line in lines])
        if before and before[0] == (task, labels):
            text += f"  against {before[2]}: {_gap(points, before[1])}"
        before = (task, labels), points, ladder[row]
        print(text, "  " + " ".join(value for value in rest if value))


def report_domains(table: RunTable) -> None:
    """Print mean and deviation over the seeds, and paired differences with 95 % intervals.

    Against the same method before it saw the second domain (on movies: what it forgot), and minilm against
    tfidf; the intervals hold for other sentences and other seeds.
    """
    groups: dict[tuple, list[dict]] = {}
    for line in table.lines:
        groups.setdefault(tuple(line[name] for name in domains.SETTINGS if name != "seed"), []).append(line)
    for lines in groups.values():
        values = [number_in(line, "accuracy") for line in lines]
        text = f"{domains.about(lines[0])}{len(values):>2} runs  {np.mean(values):6.1%}"
        if len(values) > 1:
            text += f" ± {np.std(values, ddof=1):.1%}"
        points = np.array([table.points(line) for line in lines])
        for others in groups.values():
            if name := _compared(lines[0], others[0]):
                theirs = np.array([table.points(line) for line in others])
                text += f"  against {name}: {_gap(points, theirs)}"
        print(text)


def report_curves(path: str | Path) -> None:
    """Print a line about each run."""
    groups: dict[tuple, list[dict]] = {}
    for line in curves.read(path, curves.SETTINGS):
        groups.setdefault(tuple(line[name] for name in curves.SETTINGS), []).append(line)
    for steps in groups.values():
        print(curves.summary(steps), f" peak rate {steps[0]['peak_rate']}")


def _gap(points: np.ndarray, others: np.ndarray) -> str:
    gap = compare_runs(points, others)
    return f"{100 * gap.mean:+.1f} points ({100 * gap.low:+.1f} to {100 * gap.high:+.1f})"


def _compared(line: dict, other: dict) -> str:
    """What to call the other group in a comparison; "" if the two should not be compared."""
    if (line["evaluated_on"], line["labels"]) != (other["evaluated_on"], other["labels"]):
        return ""
    if line["method"] == other["method"] and line["trained_on"] != other["trained_on"] == "movies":
        return "before"
    same = all(line[name] == other[name] for name in ("trained_on", "domain_labels"))
    return "tfidf" if same and (line["method"], other["method"]) == ("minilm", "tfidf") else ""
