"""The tables of notebook 6: methods side by side, over several seeds and numbers of labels.

    python scripts/fine_tune.py --task movies --csv benchmarks/results/fine_tuning.csv
    python scripts/fine_tune.py --task movies --labels 50 200 1000 all --rows random own frozen ours
    python scripts/fine_tune.py --task stories --labels 50 200 1000 5000
    python scripts/fine_tune.py --task movies --grid --labels 2000 --seeds 0 1 2
    python scripts/fine_tune.py --csv benchmarks/results/fine_tuning.csv --report

Every run is a line of the CSV, with all settings that decide it; its answers to all test examples go into the
.npz file beside it (helpers/studies/tables.py). Runs that are there already are left out, so an
interrupted series goes on with the same command. Choices (epoch, strength, pooling) are made on the
validation part; a run with few labels sees no more validation examples than it has labels. Rows:

    majority  the most frequent class           frozen   minilm as it is, with a linear head
    tfidf     words and pairs of words          ours     minilm fine-tuned by the course's own loop
    random    an encoder from random weights    trainer  the same by the library's Trainer
    own       an own checkpoint, fine-tuned     bert     bert-base-uncased, by our loop (only if asked for)
    human     one person (movies)               perfect  who knows the grammar (stories)

human: the share of a sentence's raters who have the sign of the mean of the others; a rating of 0 is half
right, and where the others' mean is 0 there is no truth and the judgment is left out. Sentences with a mean
of 0 are in no part.
"""

import argparse
import hashlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch

from helpers import checkpoints, data, stories
from helpers.analysis.comparison import paired_bootstrap, prediction_interval, summarize
from helpers.classification import (
    BertForClassification,
    Examples,
    FineTuning,
    fine_tune,
    freeze_lower_layers,
    predict,
    rater_agreement,
)
from helpers.data.files import sha256_of
from helpers.encoder import Bert
from helpers.studies.fine_tuning import (
    MaskClassifier,
    as_prompt,
    features,
    fine_tune_with_trainer,
    last_sentences,
    remember_encodings,
    subset,
)
from helpers.studies.tables import RunTable, TableError

# The order is that of the ladder.
ROWS = ("majority", "tfidf", "random", "own", "frozen", "ours", "trainer", "bert", "human", "perfect")
TRAINED = ("random", "own", "ours", "trainer", "bert")
DEFAULT_ROWS = {
    "movies": ("majority", "tfidf", "random", "own", "frozen", "ours", "trainer", "human"),
    "stories": ("majority", "tfidf", "random", "own", "perfect"),
}
OWN = {"movies": "real_text", "stories": "stories_long"}
# What a row starts from, unless the options say otherwise: small encoders take larger steps and more of them.
SMALL = {"epochs": 4, "batch_size": 16, "learning_rate": 5e-4, "frozen_layers": "none"}
RECIPES = {
    ("movies", "random"): SMALL,
    ("movies", "own"): SMALL,
    ("movies", "bert"): {"epochs": 3, "batch_size": 32, "learning_rate": 3e-5, "frozen_layers": "none"},
    ("stories", "random"): SMALL | {"epochs": 10, "reads": "[MASK]"},
    ("stories", "own"): SMALL | {"epochs": 10, "reads": "[MASK]"},
}
MINILM = {"epochs": 2, "batch_size": 32, "learning_rate": 2e-4, "frozen_layers": "3"}
COMMON = {"reads": "[CLS]", "layer_decay": 1.0, "warm_up": 0.1, "weight_decay": 0.01, "max_length": 128}
LEAST_STEPS = 100  # few labels get more epochs (Zhang et al. 2021, section 6; Mosbach et al. 2021, section 6)
GRID = {"learning_rate": (2e-5, 5e-5, 2e-4, 5e-4, 2e-3), "batch_size": (16, 32), "epochs": (1, 2, 4)}

SETTINGS = (
    "task", "row", "checkpoint", "weights", "labels", "seed", "epochs", "batch_size", "learning_rate",
    "layer_decay", "frozen_layers", "warm_up", "weight_decay", "max_length", "reads",
)  # fmt: skip
RESULTS = (
    "validation_examples", "chosen", "best_epoch", "validation_accuracy", "test_examples", "test_accuracy",
    "note", "seconds", "threads", "torch", "transformers",
)  # fmt: skip


class RowError(RuntimeError):
    """One row that can't be computed; the message says why and what to do."""


@dataclass(eq=False)  # a task is loaded once, and cached values hang on it
class Task:
    """The three parts of a task; `sentences` has the sentences of texts that may be too long for a model."""

    name: str
    classes: int
    train: Examples
    validation: Examples
    test: Examples
    sentences: dict[str, tuple[str, ...]] = field(default_factory=dict)
    people: np.ndarray | None = None  # points of one human rater for each test example
    perfect: np.ndarray | None = None  # the best possible answers to the test examples


class Outcome(NamedTuple):
    """What a run says on the test part, and what was chosen on the validation part."""

    answers: np.ndarray  # (N,) classes, or points from 0 to 1
    validation_accuracy: float | None = None
    chosen: str = ""
    best_epoch: int | None = None
    note: str = ""


@cache
def load_task(name: str) -> Task:
    """ "stories": which feeling follows the events; else a domain: is a sentence's mean rating above zero."""
    if name != "stories":
        parts = {part: [review for review in rows if review.label is not None]
                 for part, rows in data.reviews(name).items()}  # fmt: skip
        examples = [Examples([r.text for r in rows], [r.label for r in rows]) for rows in parts.values()]
        people = np.array([rater_agreement(review.ratings) for review in parts["test"]])
        return Task(name, 2, *examples, people=people)
    parts = [stories.split(f"classification_{part}") for part in ("train", "validation", "test")]
    number = {feeling: index for index, feeling in enumerate(stories.FEELINGS)}
    examples = [Examples([s.text for s in part], [number[s.feeling] for s in part]) for part in parts]
    sentences = {story.text: story.sentences for part in parts for story in part}
    perfect = np.array([number[stories.usual_feeling(story)] for story in parts[2]])
    return Task(name, len(number), *examples, sentences, perfect=perfect)


@cache
def load_encoder(name: str) -> tuple[Bert, object, str]:
    """Encoder, tokenizer and a fingerprint of the weights. RowError if there is no such checkpoint."""
    here = checkpoints.CHECKPOINTS / name
    try:
        if name in ("minilm", "bert-base-uncased"):
            folder = data.fetch("minilm") if name == "minilm" else None
            model, tokenizer = checkpoints.load(name)
        else:
            folder = here if here.is_dir() else Path(name)
            if not folder.is_dir():
                raise RowError(
                    f"there is no checkpoint {name!r}, neither in data/checkpoints/ nor as a folder: train "
                    "and save it, or name another one with --own"
                )
            model, tokenizer = checkpoints.load(folder)
    except (checkpoints.CheckpointError, data.DataError) as error:
        raise RowError(str(error)) from error
    digest = sha256_of(folder / "model.safetensors")[:12] if folder else ""
    return checkpoints.encoder_of(model), remember_encodings(tokenizer), digest


@cache
def texts_for(
    task: Task, part: str, checkpoint: str, max_length: int, reads: str = "[CLS]"
) -> tuple[str, ...]:
    """The texts of a part; of stories the last sentences, which decide, and a gap if that is what is read."""
    tokenizer = load_encoder(checkpoint)[1]
    shorten = as_prompt if reads == "[MASK]" else last_sentences
    return tuple(
        shorten(task.sentences[text], tokenizer, max_length) if text in task.sentences else text
        for text in getattr(task, part).texts
    )


def places(task: Task, run: dict) -> tuple[list[int], list[int]]:
    """Which training and which validation examples a run sees."""
    count, seed = int(run["labels"]), int(run["seed"] or 0)

    def drawn(examples: Examples) -> list[int]:
        total = len(examples.labels)
        return list(subset(Examples(range(total), examples.labels), min(count, total), seed).texts)

    return drawn(task.train), drawn(task.validation)


def parts_of(task: Task, run: dict) -> tuple[Examples, Examples, tuple[str, ...]]:
    """Training and validation examples of a run, and the test texts, as its encoder can read them."""
    found = []
    for part, chosen in zip(("train", "validation"), places(task, run), strict=True):
        examples = getattr(task, part)
        texts = texts_of(task, part, run)
        found.append(Examples([texts[i] for i in chosen], [examples.labels[i] for i in chosen]))
    return *found, texts_of(task, "test", run)


def texts_of(task: Task, part: str, run: dict) -> tuple[str, ...]:
    """The texts of a part; whole ones for methods without an encoder."""
    if not run["checkpoint"]:
        return getattr(task, part).texts
    return texts_for(task, part, run["checkpoint"], int(run["max_length"]), run["reads"])


def majority(task: Task, run: dict) -> Outcome:
    train, validation, test = parts_of(task, run)
    answer = max(range(task.classes), key=train.labels.count)
    accuracy = validation.labels.count(answer) / len(validation.labels)
    return Outcome(np.full(len(test), answer), accuracy, f"class {answer}")


def tfidf(task: Task, run: dict) -> Outcome:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    train, validation, test = parts_of(task, run)
    least = 2 if len(train.texts) >= 1000 else 1
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=least)
    inputs = words.fit_transform(train.texts), words.transform(validation.texts), words.transform(test)
    solver = {"solver": "liblinear", "tol": 1e-6} if task.classes == 2 else {"max_iter": 1000}
    candidates = {
        f"C {strength}, min_df {least}": (LogisticRegression(C=strength, **solver), inputs)
        for strength in (1, 3, 10, 30, 100)
    }
    return _best(candidates, train, validation)


@cache
def frozen_features(task: Task, checkpoint: str, max_length: int) -> dict[str, list[np.ndarray]]:
    """Pooling -> features of the three parts, computed once for all seeds and numbers of labels."""
    bert, tokenizer, _ = load_encoder(checkpoint)
    parts = [features(bert, texts_for(task, part, checkpoint, max_length), tokenizer, max_length)
             for part in ("train", "validation", "test")]  # fmt: skip
    return {pooling: [part[pooling] for part in parts] for pooling in parts[0]}


def frozen(task: Task, run: dict) -> Outcome:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    found = frozen_features(task, run["checkpoint"], int(run["max_length"]))
    train, validation, _ = parts_of(task, run)
    seen, held_out = places(task, run)
    candidates = {}
    for pooling, strength in product(found, (1e-3, 1e-2, 1e-1, 1.0)):
        inputs = found[pooling][0][seen], found[pooling][1][held_out], found[pooling][2]
        head = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))
        candidates[f"{pooling}, C {strength}"] = head, inputs
    return _best(candidates, train, validation)


def _best(candidates: dict, train: Examples, validation: Examples) -> Outcome:
    """The candidate that is best on the validation examples; the first of several."""
    best = None
    if len(set(train.labels)) < 2:
        raise RowError("all training examples have the same class: use more labels or another seed")
    for name, (classifier, (inputs, held_out, test)) in candidates.items():
        classifier.fit(inputs, train.labels)
        accuracy = float(np.mean(classifier.predict(held_out) == np.array(validation.labels)))
        if best is None or accuracy > best.validation_accuracy:
            best = Outcome(classifier.predict(test), accuracy, name)
    return best


def human(task: Task, run: dict) -> Outcome:
    return Outcome(task.people)


def perfect(task: Task, run: dict) -> Outcome:
    return Outcome(task.perfect, chosen=f"{float(stories.ceiling()):.4f} on average")


def trained(task: Task, run: dict) -> Outcome:
    """Fine-tune an encoder: the rows of TRAINED."""
    model = start(task, run)
    accuracies, note = train(model, task, run)
    answers = predict(model, texts_of(task, "test", run), load_encoder(run["checkpoint"])[1],
                      int(run["max_length"])).argmax(dim=-1).numpy()  # fmt: skip
    if not accuracies:
        return Outcome(answers, note=note)
    best = max(accuracies)
    return Outcome(answers, best, best_epoch=accuracies.index(best) + 1, note=note)


def start(task: Task, run: dict) -> BertForClassification:
    """The classifier of a run before its first step, with its lower layers frozen if the run says so."""
    pretrained, tokenizer, _ = load_encoder(run["checkpoint"])
    seed = int(run["seed"])
    torch.manual_seed(seed)
    bert = Bert(pretrained.config)
    if run["row"] != "random":
        bert.load_state_dict(pretrained.state_dict())
        torch.manual_seed(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if run["reads"] == "[MASK]":
        model = MaskClassifier(bert, task.classes, tokenizer).to(device)
    else:
        model = BertForClassification(bert, task.classes).to(device)
    if run["frozen_layers"] != "none":
        freeze_lower_layers(model.bert, int(run["frozen_layers"]))
    return model


def plan_of(run: dict) -> FineTuning:
    """The settings of a run, which are text, as the plan of the loop."""
    return FineTuning(
        epochs=int(run["epochs"]), batch_size=int(run["batch_size"]), warm_up=float(run["warm_up"]),
        learning_rate=float(run["learning_rate"]), weight_decay=float(run["weight_decay"]),
        max_length=int(run["max_length"]), seed=int(run["seed"]), layer_decay=float(run["layer_decay"]),
    )  # fmt: skip


def train(model: BertForClassification, task: Task, run: dict) -> tuple[list[float], str]:
    """Fine-tune by the run's loop: the validation accuracy of each epoch, and what broke it off, or ""."""
    examples, tokenizer = parts_of(task, run)[:2], load_encoder(run["checkpoint"])[1]
    if run["row"] == "trainer":
        return fine_tune_with_trainer(model, *examples, tokenizer, plan_of(run)), ""
    accuracies = []
    try:
        fine_tune(model, *examples, tokenizer, plan_of(run),
                  lambda epoch, result: accuracies.append(result.accuracy))  # fmt: skip
    except FloatingPointError as error:  # part of what a grid shows
        return accuracies, str(error)
    return accuracies, ""


METHODS = {"majority": majority, "tfidf": tfidf, "frozen": frozen, "human": human, "perfect": perfect}


def settings_of(row: str, task: Task, labels: int, seed: int, options: argparse.Namespace, **changes) -> dict:
    """The line of a run before it runs: everything that decides it, as text; "" for what does not matter."""
    run = dict.fromkeys(SETTINGS, "") | {"task": task.name, "row": row}
    if row in ("human", "perfect"):
        return run
    total = len(task.train.texts)
    # With all labels nothing is drawn in rows that are not trained by steps.
    run |= {"labels": labels, "seed": seed if row in TRAINED or labels < total else ""}
    if row in ("majority", "tfidf"):
        return {name: str(value) for name, value in run.items()}
    checkpoint = {"random": options.own, "own": options.own, "bert": "bert-base-uncased"}.get(row, "minilm")
    bert, tokenizer, digest = load_encoder(checkpoint)
    run |= {"checkpoint": checkpoint, "max_length": min(COMMON["max_length"], bert.config.max_positions)}
    if row == "random":  # of the checkpoint only shape and vocabulary count
        shape = repr(bert.config) + "\n".join(tokenizer.vocabulary)
        digest = hashlib.sha256(shape.encode()).hexdigest()[:12]
    run["weights"] = digest
    if row in TRAINED:
        recipe = COMMON | RECIPES.get((task.name, row), MINILM)
        given = {name: value for name, value in vars(options).items() if name in recipe and value is not None}
        recipe = recipe | given | changes
        if "epochs" not in given | changes:
            steps = -(-labels // recipe["batch_size"])  # in an epoch
            recipe["epochs"] = max(recipe["epochs"], -(-LEAST_STEPS // steps))
        if recipe["frozen_layers"] != "none" and int(recipe["frozen_layers"]) > len(bert.layers):
            raise RowError(
                f"{checkpoint} has {len(bert.layers)} layers, {recipe['frozen_layers']} can't be frozen: "
                "choose a smaller --frozen-layers"
            )
        if row == "trainer" and recipe["layer_decay"] != 1:
            raise RowError("the Trainer row has one learning rate for all layers: leave --layer-decay away")
        run |= {name: recipe[name] for name in recipe if name != "max_length"}
    return {name: str(value) for name, value in run.items()}


def planned(task: Task, options: argparse.Namespace) -> list[tuple[str, int, int, dict]]:
    """Row, labels, seed and changes of all runs that the options ask for; seed by seed, cheap rows first."""
    counts = [len(task.train.texts) if count == "all" else count for count in options.labels]
    changes = [{}]
    if options.grid:
        changes = [dict(zip(GRID, values, strict=True)) for values in product(*GRID.values())]
    rows = [row for row in ROWS if row in options.rows]
    return [
        (row, labels, seed, change)
        for seed in options.seeds for labels in counts for row in rows for change in changes
    ]  # fmt: skip


def run_all(options: argparse.Namespace) -> int:
    """Compute what is missing in the table; returns the exit code: 1 if a row failed."""
    began, failed = time.perf_counter(), {}
    table = RunTable(options.csv, SETTINGS, RESULTS)
    task = load_task(options.task)
    too_many = [count for count in options.labels if count != "all" and count > len(task.train.texts)]
    if too_many:
        raise RowError(f"{task.name} has {len(task.train.texts):,} training examples: --labels at most that")
    todo = planned(task, options)
    for number, (row, labels, seed, changes) in enumerate(todo):
        if row in failed:
            continue
        try:
            run = settings_of(row, task, labels, seed, options, **changes)
            if table.find(run):
                continue
            if options.minutes is not None and time.perf_counter() - began > 60 * options.minutes:
                print(f"{options.minutes:g} minutes are over: the same command goes on "
                      f"(up to {len(todo) - number} runs are left)")  # fmt: skip
                break
            start = time.perf_counter()
            outcome = METHODS.get(row, trained)(task, run)
        except RowError as error:
            failed[row] = error
            print(f"{row}: left out, {error}", file=sys.stderr, flush=True)
            continue
        seconds = time.perf_counter() - start
        line = run | result_columns(task, run, outcome, seconds)
        table.add(line, outcome.answers, np.array(task.test.labels))
        print(describe(line), flush=True)
    return int(bool(failed))


def result_columns(task: Task, run: dict, outcome: Outcome, seconds: float) -> dict:
    import transformers

    answers, labels = outcome.answers, np.array(task.test.labels)
    points = answers if answers.dtype.kind == "f" else answers == labels
    checked = outcome.validation_accuracy
    return {
        "validation_examples": "" if checked is None else min(int(run["labels"]), len(task.validation.texts)),
        "chosen": outcome.chosen,
        "best_epoch": "" if outcome.best_epoch is None else outcome.best_epoch,
        "validation_accuracy": "" if checked is None else f"{checked:.6f}",
        "test_examples": len(labels),
        "test_accuracy": f"{points.mean():.6f}",
        "note": outcome.note,
        "seconds": f"{seconds:.1f}",
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def describe(line: dict) -> str:
    parts = [line["task"], line["row"]]
    if line["labels"]:
        parts.append(f"{int(line['labels']):,} labels")
    if line["seed"] != "":
        parts.append(f"seed {line['seed']}")
    parts.append(f"{float(line['test_accuracy']):.1%} of the test examples, {line['seconds']} s")
    return ", ".join(parts + ([line["note"]] if line["note"] else []))


def report(table: RunTable) -> None:
    """Print, for each group of runs that differ in their seed only, mean and intervals, and paired tests.

    Tested are neighbors of the ladder with the same task and number of labels; the intervals hold for other
    sentences and other seeds.
    """
    groups: dict[tuple, list[dict]] = {}
    most: dict[str, int] = {}
    for line in table.lines:
        most[line["task"]] = max(most.get(line["task"], 0), int(line["labels"] or 0))
    for line in table.lines:
        labels = int(line["labels"] or most[line["task"]])
        rest = tuple(line[name] for name in SETTINGS[2:] if name not in ("labels", "seed"))
        groups.setdefault((line["task"], labels, ROWS.index(line["row"]), rest), []).append(line)
    before = None
    for key in sorted(groups):
        (task, labels, row, rest), lines = key, groups[key]
        values = [float(line["test_accuracy"]) for line in lines]
        text = f"{task:<8}{labels:>6,}  {ROWS[row]:<9}{len(values):>3}  {np.mean(values):6.1%}"
        if len(values) > 1:
            found, (low, high) = summarize(values), prediction_interval(values)
            text += (f" ± {found.deviation:.1%}  mean {found.low:.1%} to {found.high:.1%}"
                     f"  next run {low:.1%} to {high:.1%}")  # fmt: skip
        points = np.array([table.points(line) for line in lines])
        if before and before[0] == (task, labels):
            gap = paired_bootstrap(points, before[1], resamples=2000, resample_runs=True)
            text += (f"  against {before[2]}: {100 * gap.mean:+.1f} points "
                     f"({100 * gap.low:+.1f} to {100 * gap.high:+.1f})")  # fmt: skip
        before = (task, labels), points, ROWS[row]
        print(text, "  " + " ".join(value for value in rest if value))


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("--task", choices=("movies", "stories"), default="movies")
    add("--rows", nargs="+", choices=ROWS, metavar="ROW", help="default: all of the task but bert")
    add("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    add("--labels", nargs="+", default=["all"], help="numbers of training examples, or all")
    add("--csv", type=Path, default=Path("runs/fine_tuning.csv"), help="the table; its answers go beside it")
    add("--own", help="an own checkpoint, by folder; its shape is that of the random row, too")
    add("--threads", type=int, default=2)
    add("--minutes", type=float, help="begin no new run after so many minutes")
    add("--grid", action="store_true", help="row ours: learning rates by batch sizes by epochs")
    add("--report", action="store_true", help="compute nothing: print means, intervals and paired tests")
    for name in ("epochs", "batch-size"):
        add(f"--{name}", type=int, help="in place of the recipe's, for all rows that are trained")
    for name in ("learning-rate", "layer-decay", "warm-up", "weight-decay"):
        add(f"--{name}", type=float)
    add(
        "--reads",
        choices=("[CLS]", "[MASK]"),
        help="stories: where the classifier reads; [MASK] unless given",
    )
    add("--frozen-layers", help="none, or how many lower layers stay as they are with the embeddings")
    return check(parser, parser.parse_args(given))


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> argparse.Namespace:
    for name in ("threads", "epochs", "batch_size"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1, not {getattr(options, name)}")
    try:
        options.labels = [count if count == "all" else int(count) for count in options.labels]
        if min((count for count in options.labels if count != "all"), default=2) < 2:
            raise ValueError
    except ValueError:
        parser.error("--labels are numbers of training examples, at least 2 each, or all")
    if min(options.seeds) < 0:
        parser.error("--seeds are 0 or more")
    if options.learning_rate is not None and not 0 < options.learning_rate < float("inf"):
        parser.error(f"--learning-rate must be above 0, not {options.learning_rate}")
    if options.layer_decay is not None and not 0 < options.layer_decay <= 1:
        parser.error(f"--layer-decay is above 0 and at most 1, not {options.layer_decay}")
    if options.warm_up is not None and not 0 <= options.warm_up < 1:
        parser.error(f"--warm-up is a share of the steps, from 0 to below 1, not {options.warm_up}")
    if options.weight_decay is not None and not 0 <= options.weight_decay < float("inf"):
        parser.error(f"--weight-decay must be 0 or more, not {options.weight_decay}")
    if options.minutes is not None and not options.minutes > 0:
        parser.error(f"--minutes must be above 0, not {options.minutes}")
    if options.frozen_layers not in (None, "none") and not options.frozen_layers.isdecimal():
        parser.error(f"--frozen-layers is none or a number of layers, not {options.frozen_layers}")
    if options.reads and options.task != "stories":
        parser.error("--reads is for the stories, which have a place for the feeling")
    if options.csv.suffix != ".csv":
        parser.error(f"--csv must end in .csv, not {options.csv.name}: the answers go beside it as .npz")
    if options.grid:
        if options.rows not in (None, ["ours"]):
            parser.error("--grid is for the row ours: leave --rows away")
        if [name for name in GRID if getattr(options, name) is not None]:
            parser.error("--grid goes through learning rates, batch sizes and epochs: leave them away")
        options.rows = ["ours"]
    options.rows = options.rows or DEFAULT_ROWS[options.task]
    missing = {"movies": "perfect", "stories": "human"}[options.task]
    if missing in options.rows:
        parser.error(f"{options.task} have no row {missing}: leave it away")
    options.own = options.own or OWN[options.task]
    if options.report and not options.csv.exists():
        parser.error(f"there is no table {options.csv} to report on")
    return options


def main(given: list[str] | None = None) -> int:
    options = arguments(given)
    torch.set_num_threads(options.threads)
    if options.report:
        return exit_code(lambda: report(RunTable(options.csv, SETTINGS, RESULTS)))
    return exit_code(lambda: run_all(options))


def exit_code(work: Callable[[], int | None]) -> int:
    """What `work` returns, 0 for None; a sentence and 1 or 130 where it fails or is interrupted."""
    try:
        return work() or 0
    except (RowError, TableError, data.DataError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: the finished runs are in the table, and the same command goes on")
        return 130


if __name__ == "__main__":
    sys.exit(main())
