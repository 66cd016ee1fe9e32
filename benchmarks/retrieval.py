"""Two tables of notebook 14: 50 labels by contrast, and a pair classifier that re-ranks.

    python benchmarks/retrieval.py contrast             writes results/retrieval_contrast.csv, five seeds
    python benchmarks/retrieval.py rerank --seeds 0     writes results/retrieval_rerank.csv

Every run is a line of the CSV, and what it said to each test example goes into the .npz file beside it. Runs
that are there already are left out, so an interrupted series goes on with the same command. One thread; three
CPU minutes a line of `contrast`, six a seed of `rerank`.

contrast: the row `frozen` of results/fine_tuning.csv (same 50 + 50 sentences, same test part), with an
encoder that was tuned on pairs of the 50. rerank: the joined search of notebook 14 over the test articles, as
it is ("joined"), its ten best sorted anew ("re-ranked"), and both orders joined by places ("both"). The
answers are 1 / place of each question's paragraph; the "labels" beside them are the numbers of the articles.
"""

import argparse
import os
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: see helpers/environment.py
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
from torch.nn import functional

from helpers import data
from helpers.exercises.references.semantic_search import contrast_pairs, join_rankings, ranks_of
from helpers.studies import retrieval, rows, tasks
from helpers.studies.errors import run_script
from helpers.studies.tables import RunTable, circumstances, ensure_writable
from helpers.training import options as kinds
from helpers.wordpiece import TruncationWarning

RESULTS = Path(__file__).parent / "results"
SETTINGS = {
    "contrast": (
        "task",
        "row",
        "checkpoint",
        "labels",
        "seed",
        "steps",
        "learning_rate",
        "max_length",
        "reads",
    ),
    "rerank": ("questions", "row", "seed", "trained_on", "learning_rate", "precision", "depth"),
}
MADE = ("seconds", "threads", "torch", "transformers")
FOUND = {
    "contrast": ("chosen", "validation_accuracy", "test_accuracy", *MADE),
    "rerank": ("asked", "recall_1", "recall_5", "recall_20", "mrr", *MADE),
}
DEPTH, MOST_TOKENS = 10, 192  # paragraphs that are sorted anew; tokens of a text that becomes a vector
JOINED = {"weights": (1.0, 0.25), "k": 10}  # chosen on the validation articles, in notebook 14


def table_of(name: str, path: Path) -> RunTable:
    """The table `contrast` or `rerank` in a file."""
    return RunTable(path, SETTINGS[name], FOUND[name], {"contrast": "task", "rerank": "questions"}[name])


def contrast(table: RunTable, options: argparse.Namespace) -> None:
    """50 labels of the movie sentences, by contrast."""
    for seed in options.seeds:
        values = ("movies", "contrast", "minilm", 50, seed, options.steps, 5e-5, 128, "")
        line = dict(zip(SETTINGS["contrast"], values, strict=True))
        line = {name: str(value) for name, value in line.items()}
        if table.find(line):
            continue
        began, task = time.process_time(), tasks.load_task("movies")
        outcome = retrieval.by_contrast(task, line, contrast_pairs)
        labels = np.array(task.test.labels)
        line |= {"chosen": outcome.chosen, "validation_accuracy": f"{outcome.validation_accuracy:.6f}"}
        line |= {"test_accuracy": f"{np.mean(outcome.answers == labels):.6f}"}
        keep(table, line, outcome.answers, labels, began)


def rerank(table: RunTable, options: argparse.Namespace) -> None:
    """The joined search over the test articles, as it is and with its best sorted anew."""
    name = f"test, one in {options.every}"
    parts, joined = data.question_paragraphs(), None
    texts = [paragraph.text for paragraph in parts["test"]]
    asked = [(q.text, n) for n, paragraph in enumerate(parts["test"]) for q in paragraph.questions]
    questions, right = zip(*asked[:: options.every], strict=True)
    titles = [parts["test"][n].title for n in right]
    articles = np.unique(titles, return_inverse=True)[1]

    def write(row: str, scores: torch.Tensor, began: float, **settings) -> None:
        ranks = ranks_of(scores, torch.tensor(right)).numpy()
        line = dict.fromkeys(SETTINGS["rerank"], "") | {"questions": name, "row": row, "asked": len(ranks)}
        line |= settings | {f"recall_{k}": f"{np.mean(ranks <= k):.6f}" for k in (1, 5, 20)}
        keep(table, line | {"mrr": f"{np.mean(1 / ranks):.6f}"}, 1 / ranks, articles, began)

    for seed in options.seeds:
        settings = {"seed": str(seed), "trained_on": str(options.trained_on), "depth": str(DEPTH)}
        settings |= {"learning_rate": str(options.learning_rate), "precision": options.precision}
        if table.matching(questions=name, row="both", **settings):
            continue
        if joined is None:
            began, joined = time.process_time(), joined_search(texts, questions)
            write("joined", joined, began)
        began = time.process_time()
        half = options.precision == "bfloat16"
        model, tokenizer = retrieval.train_reranker(
            parts["train"], options.trained_on, seed, learning_rate=options.learning_rate, half=half
        )
        sorted_anew = retrieval.rerank(joined, model, tokenizer, questions, texts, DEPTH, half)
        write("re-ranked", sorted_anew, began, **settings)
        write("both", join_rankings([joined, sorted_anew], (1, 1), JOINED["k"]), began, **settings)


def joined_search(texts: list[str], questions: tuple[str, ...]) -> torch.Tensor:
    """Scores (Q, N) of notebook 14's search by words and by meaning, joined."""
    bert, tokenizer, _ = tasks.load_encoder("minilm")
    asked, found = (
        functional.normalize(torch.tensor(rows.features(bert, part, tokenizer, MOST_TOKENS)["mean"]), dim=1)
        for part in (list(questions), texts)
    )
    words = torch.tensor(retrieval.bm25_scores(texts, questions))
    return join_rankings([words, asked @ found.T], **JOINED)


def keep(table: RunTable, line: dict, answers: np.ndarray, labels: np.ndarray, began: float) -> None:
    """Write a line and say it."""
    table.add(line | circumstances(time.process_time() - began), answers, labels)
    print(", ".join(f"{name} {value}" for name, value in line.items() if value not in ("", None)), flush=True)


def arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("table", choices=tuple(SETTINGS))
    add("--seeds", type=kinds.seed(), nargs="+", default=[0, 1, 2, 3, 4])
    add("--steps", type=kinds.count(), default=125, help="contrast: steps of 16 pairs (default: 125)")
    add("--trained-on", type=kinds.count(4), default=640, help="rerank: training questions (default: 640)")
    add("--learning-rate", type=kinds.number(above=0), default=2e-4, help="rerank (default: 2e-4)")
    add("--precision", choices=("bfloat16", "float32"), default="bfloat16", help="rerank (default: bfloat16)")
    add("--every", type=kinds.count(), default=12, help="rerank: one test question in so many (default: 12)")
    add("--csv", type=kinds.growing_table(), help="the table; its answers go beside it, as .npz")
    add("--threads", type=kinds.threads(), default=1)
    options = parser.parse_args(given)
    options.csv = options.csv or RESULTS / f"retrieval_{options.table}.csv"
    return options


def run(options: argparse.Namespace) -> int:
    """Compute what is missing in a table; returns 0."""
    warnings.simplefilter("ignore", TruncationWarning)  # long paragraphs are cut, as said in the notebook
    ensure_writable(options.csv)
    {"contrast": contrast, "rerank": rerank}[options.table](table_of(options.table, options.csv), options)
    return 0


def main(given: list[str] | None = None) -> int:
    return run_script(given, arguments, run)


if __name__ == "__main__":
    sys.exit(main())
