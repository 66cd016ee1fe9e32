"""Two tables of notebook 14: 50 labels by contrast (five seeds), and a pair classifier that re-ranks.

    python benchmarks/retrieval.py contrast
    python benchmarks/retrieval.py rerank --seeds 0 1

A line that is in the table is left out, so an interrupted series goes on with the same command. One thread;
about 50 CPU seconds a line of `contrast`, four minutes one of `rerank`.
"""

import argparse
import csv
import io
import os
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: see helpers/environment.py
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch

from helpers import data
from helpers.data.files import replace_whole
from helpers.exercises.references.semantic_search import contrast_pairs
from helpers.studies import retrieval, tasks
from helpers.studies.tables import read_csv

RESULTS = Path(__file__).parent / "results"
COLUMNS = {
    "contrast": ("row", "labels", "seed", "steps", "test_accuracy", "seconds"),
    "rerank": ("row", "trained_on", "seed", "asked", "candidates", "recall_10", "recall_1", "mrr", "seconds"),
}


def keep(path: Path, line: dict, columns: tuple[str, ...]) -> None:
    """Add a line to the table, which is written whole."""
    lines = [*(read_csv(path)[1] if path.exists() else []), line]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    replace_whole(path, text.getvalue().encode())


def done(path: Path, **values) -> bool:
    """Whether the table has a line with these values."""
    lines = read_csv(path)[1] if path.exists() else []
    return any(all(line[name] == str(value) for name, value in values.items()) for line in lines)


def contrast(path: Path, seeds: list[int], steps: int) -> None:
    """With and without the step by contrast, 50 labels, all test sentences."""
    task = tasks.load_task("movies")
    for seed in seeds:
        for taken in (steps, 0):
            if not done(path, seed=seed, steps=taken):
                line = retrieval.by_contrast(task, 50, seed, taken, contrast_pairs)
                keep(path, line, COLUMNS["contrast"])
                print(line, flush=True)


def rerank(path: Path, seeds: list[int], trained_on: int, asked: int) -> None:
    """BM25's ten best of the test articles' paragraphs, as they come and re-ranked; the same questions."""
    parts = data.question_paragraphs()
    texts = [paragraph.text for paragraph in parts["test"]]
    questions = [(n, q.text) for n, paragraph in enumerate(parts["test"]) for q in paragraph.questions]
    questions = questions[:: len(questions) // asked][:asked]
    best = np.argsort(-retrieval.bm25_scores(texts, [text for _, text in questions]), axis=1)[:, :10].tolist()
    for seed in seeds:
        if done(path, row="re-ranked", seed=seed):
            continue
        began = time.process_time()
        model, tokenizer = retrieval.train_reranker(parts["train"], trained_on, seed)
        pairs = zip(questions, best, strict=True)
        orders = [retrieval.rerank(model, tokenizer, text, texts, ten) for (_, text), ten in pairs]
        for row, found in (("BM25", best), ("re-ranked", orders)):
            line = {"row": row, "trained_on": trained_on, "seed": seed, "asked": asked, "candidates": 10}
            line |= measured([n for n, _ in questions], found)
            line |= {"seconds": f"{time.process_time() - began:.0f}"}
            keep(path, line, COLUMNS["rerank"])
            print(line, flush=True)


def measured(right: list[int], found: list[list[int]]) -> dict[str, str]:
    """Recall at 10 and 1, and the mean of 1 / place (0 where it is not among the ten)."""
    places = [ten.index(n) + 1 if n in ten else None for n, ten in zip(right, found, strict=True)]
    inverse = [1 / place if place else 0.0 for place in places]
    return {
        "recall_10": f"{np.mean([place is not None for place in places]):.4f}",
        "recall_1": f"{np.mean([place == 1 for place in places]):.4f}",
        "mrr": f"{np.mean(inverse):.4f}",
    }


def main() -> None:
    """Compute what is missing in a table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("table", choices=COLUMNS)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)), help="0 to 4")
    parser.add_argument("--steps", type=int, default=40, help="steps of 16 pairs, for contrast")
    parser.add_argument("--questions", type=int, default=240, help="training questions, for rerank")
    parser.add_argument("--asked", type=int, default=200, help="test questions, for rerank")
    parser.add_argument("--csv", type=Path, help="the table; benchmarks/results/retrieval_….csv")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", UserWarning)  # long paragraphs are cut, as said in the notebook
    path = options.csv or RESULTS / f"retrieval_{options.table}.csv"
    if options.table == "contrast":
        contrast(path, options.seeds, options.steps)
    else:
        rerank(path, options.seeds, options.questions, options.asked)


if __name__ == "__main__":
    main()
