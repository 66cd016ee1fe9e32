r"""Two studies of fine-tuning for notebook 6: other domains, and what goes wrong step by step.

    python scripts/fine_tuning_studies.py --study domains --seeds 0 1 2 --csv benchmarks/results/domains.csv
    python scripts/fine_tuning_studies.py --study curves --csv benchmarks/results/fine_tuning_curves.csv
    python scripts/fine_tuning_studies.py --study domains --csv benchmarks/results/domains.csv --report
    python scripts/fine_tuning_studies.py --study curves --report \
        --csv benchmarks/results/fine_tuning_curves.csv

domains: `minilm`, fine-tuned on movie sentences with the recipe of the row `ours` of scripts/fine_tune.py,
answers the test parts of all four domains. Then that model goes on learning with each of the other domains,
whose validation part chooses the epoch, and answers that domain's test part and the movies' again: what it
has gained and what it has forgotten. In `trained_on`, "movies + tweets" is one after the other for minilm and
both at once for tfidf. `majority` is the most frequent class of a domain's training part, `human` one person
as in scripts/fine_tune.py. `epochs` and `validation_accuracy` are those of the last domain. The answers are
stored beside the table (helpers/studies/tables.py).

curves: loss, gradient norm before clipping and learning rate of every step, and now and then the accuracy on
movie sentences of the validation part, for single runs under the plans of PLANS. The forgetting plans train a
model that was tuned on movies with tweets.

Runs that are there already are left out, so an interrupted series goes on with the same command; a model that
missing runs start from is trained again.
"""

import argparse
import copy
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch

from helpers.analysis.comparison import paired_bootstrap
from helpers.classification import BertForClassification, Examples, check_and_encode, evaluate, predict
from helpers.studies import curves as learning_curves
from helpers.studies.fine_tuning import subset
from helpers.studies.tables import RunTable
from scripts import fine_tune as runs
from scripts.fine_tune import RowError

DOMAINS = ("movies", "products", "editorials", "tweets")
RECIPE = (
    "weights", "epochs", "batch_size", "learning_rate", "layer_decay", "frozen_layers", "warm_up",
    "weight_decay", "max_length",
)  # fmt: skip
SETTINGS = (
    "study", "seed", "trained_on", "method", "evaluated_on", "labels", "domain_labels", *RECIPE
)  # fmt: skip
RESULTS = (
    "accuracy", "n", "validation_accuracy", "best_epoch", "chosen", "note", "seconds", "threads", "torch",
)  # fmt: skip
CURVE_SETTINGS = (
    "plan", "seed", "trained_on", "labels", "validation_examples", "every",
    *(name.replace("learning_rate", "peak_rate") for name in RECIPE),
)  # fmt: skip
DEFAULTS = {
    "domains": {"seeds": [0, 1, 2], "labels": 2000, "domain_labels": 1000},
    "curves": {"seeds": [0], "labels": 1000, "epochs": 3, "every": 12, "validation": 400},
}
RESAMPLES = 2000  # of the report's intervals


class Plan(NamedTuple):
    """How a run of the curves differs from the recipe; `rate` is a multiple of its learning rate."""

    rate: float = 1
    changes: dict = {}
    trained_on: tuple[str, ...] = ("movies",)


PLANS = {
    "recipe": Plan(),
    "no warm-up": Plan(changes={"warm_up": 0.0}),
    "rate too high": Plan(20, {"warm_up": 0.0}),
    "rate too low": Plan(0.01),
    "collapse": Plan(20, {"frozen_layers": "none"}),
    "forgetting, gentle": Plan(0.1, trained_on=("movies", "tweets")),
    "forgetting, harsh": Plan(10, trained_on=("movies", "tweets")),
}


class Stage(NamedTuple):
    """One trained model or rule, and the domains that it is asked about."""

    method: str
    trained_on: tuple[str, ...]
    evaluated_on: tuple[str, ...]
    seeded: bool = True


STAGES = (
    *(Stage(method, (domain,), (domain,), False) for method in ("majority", "human") for domain in DOMAINS),
    *(
        Stage(method, trained_on, DOMAINS if trained_on == ("movies",) else trained_on[::-1])
        for method in ("tfidf", "minilm")
        for trained_on in (("movies",), *(("movies", domain) for domain in DOMAINS[1:]))
    ),
)


class Result(NamedTuple):
    """The answers of a stage by domain, and its columns of the table."""

    answers: dict[str, np.ndarray]
    columns: dict = {}


def recipe(domain: str, labels: int, seed: int, **changes) -> dict:
    """The settings of the row `ours` of scripts/fine_tune.py; RowError if there are not so many labels."""
    task = runs.load_task(domain)
    if labels > len(task.train.texts):
        raise RowError(
            f"{domain} has {len(task.train.texts):,} training examples, not {labels:,}: ask for fewer labels"
        )
    return runs.settings_of("ours", task, labels, seed, runs.arguments([]), **changes)


def labels_for(domain: str, options: argparse.Namespace) -> int:
    return options.labels if domain == "movies" else options.domain_labels


def without_training(stage: Stage) -> Result:
    """What the rows `majority` and `human` say, on all labels of the domain."""
    (domain,) = stage.trained_on
    task = runs.load_task(domain)
    run = {"labels": len(task.train.texts), "seed": 0, "checkpoint": ""}
    outcome = runs.METHODS[stage.method](task, run)
    return Result({domain: outcome.answers}, {"chosen": outcome.chosen})


def tfidf(stage: Stage, seed: int, options: argparse.Namespace) -> Result:
    """One classifier for all domains in `trained_on`; the last one's validation part chooses its strength."""
    drawn = []
    for domain in stage.trained_on:
        settings = recipe(domain, labels_for(domain, options), seed) | {"checkpoint": ""}
        drawn.append(runs.parts_of(runs.load_task(domain), settings)[:2])
    tests = [runs.load_task(domain).test for domain in stage.evaluated_on]
    task = runs.Task("tfidf", 2, joined([train for train, _ in drawn]), drawn[-1][1], joined(tests))
    run = {"labels": len(task.train.texts), "seed": seed, "checkpoint": ""}
    outcome = runs.tfidf(task, run)
    ends = np.cumsum([len(test.labels) for test in tests])
    answers = dict(zip(stage.evaluated_on, np.split(outcome.answers, ends[:-1]), strict=True))
    columns = {"validation_accuracy": f"{outcome.validation_accuracy:.6f}", "chosen": outcome.chosen}
    return Result(answers, columns)


def joined(parts: list[Examples]) -> Examples:
    return Examples([text for part in parts for text in part.texts],
                    [label for part in parts for label in part.labels])  # fmt: skip


def tuned(trained_on: tuple[str, ...], seed: int, options: argparse.Namespace, known: dict) -> tuple:
    """minilm after these domains, one after the other: the model and its columns; `known` keeps the first."""
    if trained_on in known:
        return known[trained_on]
    *before, domain = trained_on
    run, task = recipe(domain, labels_for(domain, options), seed), runs.load_task(domain)
    model = copy.deepcopy(tuned(tuple(before), seed, options, known)[0]) if before else runs.start(task, run)
    accuracies, note = runs.train(model, task, run)
    columns = {name: run[name] for name in RECIPE} | {"note": note}
    if accuracies:
        best = max(accuracies)
        columns |= {"validation_accuracy": f"{best:.6f}", "best_epoch": accuracies.index(best) + 1}
    if not before:
        known[trained_on] = model, columns
    return model, columns


def minilm(stage: Stage, seed: int, options: argparse.Namespace, known: dict) -> Result:
    model, columns = tuned(stage.trained_on, seed, options, known)
    return Result({domain: answers_of(model, domain) for domain in stage.evaluated_on}, columns)


def answers_of(model: BertForClassification, domain: str) -> np.ndarray:
    """The class of each test example (N,) of a domain."""
    tokenizer, length = runs.load_encoder("minilm")[1], runs.COMMON["max_length"]
    return predict(model, runs.load_task(domain).test.texts, tokenizer, length).argmax(dim=-1).numpy()


def lines_of(stage: Stage, seed: int, options: argparse.Namespace) -> Iterator[dict]:
    """The lines of a stage before it runs: everything that decides them, as text; "" for what does not."""
    settings = dict.fromkeys(SETTINGS, "") | {
        "study": "domains", "trained_on": " + ".join(stage.trained_on), "method": stage.method,
    }  # fmt: skip
    if stage.seeded:
        settings |= {"seed": str(seed), "labels": str(options.labels)}
        counts = [labels_for(domain, options) for domain in stage.trained_on]
        if len(counts) > 1:
            settings["domain_labels"] = str(counts[-1])
        run = recipe(stage.trained_on[-1], counts[-1], seed)  # also tells when there are too few labels
        if stage.method == "minilm":
            settings |= {name: run[name] for name in RECIPE}
    for domain in stage.evaluated_on:
        yield settings | {"evaluated_on": domain}


def result_of(stage: Stage, seed: int, options: argparse.Namespace, known: dict) -> Result:
    if not stage.seeded:
        return without_training(stage)
    return tfidf(stage, seed, options) if stage.method == "tfidf" else minilm(stage, seed, options, known)


def run_domains(options: argparse.Namespace) -> None:
    """Compute what is missing in the table, seed by seed."""
    table = domain_table(options.csv)
    for seed in options.seeds:
        known = {}
        for stage in STAGES:
            lines = [line for line in lines_of(stage, seed, options) if not table.find(line)]
            if not lines:
                continue
            began = time.perf_counter()
            result = result_of(stage, seed, options, known)
            common = result.columns | {
                "seconds": f"{time.perf_counter() - began:.1f}", "threads": torch.get_num_threads(),
                "torch": torch.__version__,
            }  # fmt: skip
            for line in lines:
                write(table, line | common, result.answers[line["evaluated_on"]])


def domain_table(path: Path) -> RunTable:
    return RunTable(path, SETTINGS, RESULTS, task="evaluated_on")


def write(table: RunTable, line: dict, answers: np.ndarray) -> None:
    labels = np.array(runs.load_task(line["evaluated_on"]).test.labels)
    points = answers if answers.dtype.kind == "f" else answers == labels
    line |= {"accuracy": f"{points.mean():.6f}", "n": len(labels)}
    table.add(line, answers, labels)
    said = f"{about(line)} seed {line['seed'] or '-':<2} {points.mean():6.1%}, {line['seconds']} s"
    print(said, line.get("note", ""), flush=True)


def about(line: dict) -> str:
    return f"{line['method']:<9}trained on {line['trained_on']:<20} asked about {line['evaluated_on']:<11}"


def report_domains(table: RunTable) -> None:
    """Print mean and deviation over the seeds, and paired differences with 95 % intervals.

    Against the same method before it saw the second domain (on movies: what it forgot), and minilm against
    tfidf; the intervals hold for other sentences and other seeds.
    """
    groups: dict[tuple, list[dict]] = {}
    for line in table.lines:
        groups.setdefault(tuple(line[name] for name in SETTINGS if name != "seed"), []).append(line)
    for lines in groups.values():
        values = [float(line["accuracy"]) for line in lines]
        text = f"{about(lines[0])}{len(values):>2} runs  {np.mean(values):6.1%}"
        if len(values) > 1:
            text += f" ± {np.std(values, ddof=1):.1%}"
        points = np.array([table.points(line) for line in lines])
        for others in groups.values():
            if name := compared(lines[0], others[0]):
                theirs = np.array([table.points(line) for line in others])
                gap = paired_bootstrap(points, theirs, RESAMPLES, resample_runs=True)
                text += (f"  against {name}: {100 * gap.mean:+.1f} points "
                         f"({100 * gap.low:+.1f} to {100 * gap.high:+.1f})")  # fmt: skip
        print(text)


def compared(line: dict, other: dict) -> str:
    """What to call the other group in a comparison; "" if the two should not be compared."""
    if (line["evaluated_on"], line["labels"]) != (other["evaluated_on"], other["labels"]):
        return ""
    if line["method"] == other["method"] and line["trained_on"] != other["trained_on"] == "movies":
        return "before"
    same = all(line[name] == other[name] for name in ("trained_on", "domain_labels"))
    return "tfidf" if same and (line["method"], other["method"]) == ("minilm", "tfidf") else ""


def curve_run(name: str, seed: int, options: argparse.Namespace) -> tuple[dict, dict]:
    """The settings of a plan's last training, as the recipe names them and as the table of curves does."""
    plan = PLANS[name]
    usual = float(recipe("movies", options.labels, seed)["learning_rate"])
    run = recipe(plan.trained_on[-1], options.labels, seed, epochs=options.epochs,
                 learning_rate=float(f"{plan.rate * usual:.6g}"), **plan.changes)  # fmt: skip
    columns = run | {
        "plan": name, "trained_on": " + ".join(plan.trained_on), "validation_examples": options.validation,
        "every": options.every, "peak_rate": run["learning_rate"],
    }  # fmt: skip
    return run, {name: str(columns[name]) for name in CURVE_SETTINGS}


def run_curves(options: argparse.Namespace) -> None:
    """Compute the plans that are missing in the table; several seeds one after the other."""
    options.domain_labels = options.labels
    total = len(runs.load_task("movies").validation.texts)
    if options.validation > total:
        raise RowError(f"movies have {total:,} validation examples: --validation at most that")
    for seed in options.seeds:
        known: dict = {}
        for name in options.plans:
            run, columns = curve_run(name, seed, options)
            if learning_curves.find(learning_curves.read(options.csv, CURVE_SETTINGS), columns):
                continue
            began = time.perf_counter()
            steps = curve(name, run, seed, options, known)
            learning_curves.add(options.csv, columns, steps)
            print(f"{summary(name, steps)}, {time.perf_counter() - began:.1f} s", flush=True)


def curve(name: str, run: dict, seed: int, options: argparse.Namespace, known: dict) -> list[dict]:
    """Train as the plan says and measure on movie sentences of the validation part."""
    *before, domain = PLANS[name].trained_on
    task, tokenizer = runs.load_task(domain), runs.load_encoder("minilm")[1]
    if before:
        model = copy.deepcopy(tuned(tuple(before), seed, options, known)[0])
    else:
        model = runs.start(task, run)
    plan, (train, validation, _) = runs.plan_of(run), runs.parts_of(task, run)
    encodings = check_and_encode(model, train, validation, tokenizer, plan.max_length)
    held_out = subset(runs.load_task("movies").validation, options.validation, seed)
    measure = partial(accuracy, held_out=held_out, tokenizer=tokenizer, max_length=plan.max_length)
    return learning_curves.follow(model, encodings, train.labels, tokenizer, plan, options.every, measure)


def accuracy(model: BertForClassification, held_out: Examples, tokenizer, max_length: int) -> float:
    return evaluate(model, held_out, tokenizer, max_length).accuracy


def summary(name: str, steps: list[dict]) -> str:
    """One line about a plan: how its loss, gradient norm and accuracy went."""
    losses = [float(line["loss"]) for line in steps if line["loss"]]
    norms = [float(line["gradient_norm"]) for line in steps if line["gradient_norm"]]
    measured = [float(line["accuracy"]) for line in steps if line["accuracy"]]
    return (
        f"{name:<19}{len(losses):>4} steps  loss {losses[0]:.3f} first, {max(losses):.3f} most, "
        f"{np.mean(losses[-10:]):.3f} mean of the last ten  "
        f"gradient norm {max(norms, default=np.nan):.1f} most  accuracy {measured[0]:.1%} before, "
        f"{min(measured):.1%} least, {max(measured):.1%} most, {measured[-1]:.1%} last  {steps[-1]['note']}"
    ).rstrip()


def report_curves(path: Path) -> None:
    lines = learning_curves.read(path, CURVE_SETTINGS)
    groups: dict[tuple, list[dict]] = {}
    for line in lines:
        groups.setdefault(tuple(line[name] for name in CURVE_SETTINGS), []).append(line)
    for (name, *_), steps in groups.items():
        print(summary(name, steps), f" peak rate {steps[0]['peak_rate']}")


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("--study", choices=tuple(DEFAULTS), required=True)
    add("--csv", type=Path, help="the table (default: runs/domains.csv or runs/fine_tuning_curves.csv)")
    add("--seeds", type=int, nargs="+", help="default: 0 1 2 for domains, 0 for curves")
    add(
        "--labels",
        type=int,
        help="movie sentences to train with; default: 2000, for curves 1000 (tweets, too)",
    )
    add("--domain-labels", type=int, help="domains: sentences of each other domain; default: 1000")
    add("--plans", nargs="+", choices=tuple(PLANS), help="curves: default: all", metavar="PLAN")
    add("--epochs", type=int, help="curves: default: 3, which is 96 steps")
    add("--every", type=int, help="curves: steps from one measurement to the next; default: 12")
    add("--validation", type=int, help="curves: movie sentences to measure with; default: 400")
    add("--threads", type=int, default=2)
    add("--report", action="store_true", help="compute nothing: print what the table says")
    return check(parser, parser.parse_args(given))


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> argparse.Namespace:
    other = {"domains": "curves", "curves": "domains"}[options.study]
    for name in ("domain_labels", "plans", "epochs", "every", "validation"):
        belongs = "domains" if name == "domain_labels" else "curves"
        if getattr(options, name) is not None and belongs == other:
            parser.error(f"--{name.replace('_', '-')} is for --study {other}: leave it away")
    names = {"domains": "domains", "curves": "fine_tuning_curves"}
    for name, value in (DEFAULTS[options.study] | {
        "csv": Path("runs", f"{names[options.study]}.csv"), "plans": list(PLANS)
    }).items():  # fmt: skip
        if getattr(options, name) is None:
            setattr(options, name, value)
    least = {"threads": 1, "labels": 2, "domain_labels": 2, "epochs": 1, "every": 1, "validation": 1}
    for name, smallest in least.items():
        if getattr(options, name) is not None and getattr(options, name) < smallest:
            parser.error(
                f"--{name.replace('_', '-')} must be at least {smallest}, not {getattr(options, name)}"
            )
    if min(options.seeds) < 0:
        parser.error("--seeds are 0 or more")
    if options.csv.suffix != ".csv":
        parser.error(f"--csv must end in .csv, not {options.csv.name}")
    if options.report and not options.csv.exists():
        parser.error(f"there is no table {options.csv} to report on")
    return options


def main(given: list[str] | None = None) -> int:
    options = arguments(given)
    torch.set_num_threads(options.threads)
    if options.report and options.study == "domains":
        return runs.exit_code(lambda: report_domains(domain_table(options.csv)))
    if options.report:
        return runs.exit_code(lambda: report_curves(options.csv))
    return runs.exit_code(lambda: {"domains": run_domains, "curves": run_curves}[options.study](options))


if __name__ == "__main__":
    sys.exit(main())
