"""Readers of Wikipedia paragraphs: what they are trained and tested on, the rows of the table, its lines.

Support code of `scripts/question_answering.py` and notebook 15. Articles are in one part only, and tests give
the whole paragraph. A run writes two lines into the table, one for exact match and one for F1.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import torch

from helpers import checkpoints
from helpers.analysis.comparison import compare_runs, summarize
from helpers.encoder import Bert
from helpers.reading import (
    BertForQuestionAnswering,
    Reading,
    ReadingExample,
    ReadingScores,
    answer_texts,
    read_answers,
    score_answers,
    train_reader,
)
from helpers.studies.reading_baselines import SentenceReader
from helpers.studies.tables import RunTable
from helpers.wordpiece import WordPieceTokenizer

__all__ = [
    "MEASURES", "PLAN", "RESULTS", "ROWS", "SETTINGS", "add_run", "evenly", "is_there", "reading_examples",
    "reading_report", "run", "settings_of",
]  # fmt: skip

SETTINGS = (
    "task", "measure", "row", "seed", "questions", "epochs", "batch_size", "learning_rate", "max_length",
    "precision", "test_questions",
)  # fmt: skip
RESULTS = ("score", "cpu_seconds", "threads", "torch")
MEASURES = ("exact", "f1")
TRAINED = ("random", "minilm")
ROWS = ("sentence", "kinds", *TRAINED)
TASK = "wikipedia"
PRECISION = "bf16"  # autocast: half the time, where the processor multiplies such numbers

# Training reads windows that hold an answer; tests read whole paragraphs in windows of the same length.
PLAN = Reading(
    epochs=1, batch_size=8, learning_rate=3e-4, max_length=64, overlap=20, keep_empty=False
)  # fmt: skip


def reading_examples(paragraphs: Iterable) -> list[ReadingExample]:
    """The questions of `data.question_paragraphs()`; every marked span once, in the order of the file."""
    found = []
    for paragraph in paragraphs:
        for question in paragraph.questions:
            spans = ((answer.start, answer.start + len(answer.text)) for answer in question.answers)
            found.append(ReadingExample(question.text, paragraph.text, tuple(dict.fromkeys(spans))))
    return found


def evenly(examples: Sequence, count: int) -> list:
    """So many examples, evenly spread; all of them where there are not more."""
    count = min(count, len(examples))
    return [examples[place * len(examples) // count] for place in range(count)]


def settings_of(row: str, seed: int, questions: int, test_questions: int) -> dict:
    """What decides a run, under the names of the table; a row that is not trained has no seed."""
    found = {"task": TASK, "row": row, "test_questions": test_questions}
    if row in TRAINED:
        plan = {name: getattr(PLAN, name) for name in ("epochs", "batch_size", "learning_rate", "max_length")}
        found |= {"seed": seed, "questions": questions, "precision": PRECISION, **plan}
    return {name: found.get(name, "") for name in SETTINGS if name != "measure"}


def encoder_for(row: str, seed: int) -> tuple[Bert, WordPieceTokenizer]:
    """minilm, or a model of its shape with random weights."""
    bert, tokenizer = checkpoints.load("minilm")
    torch.manual_seed(seed)
    return (Bert(bert.config) if row == "random" else bert), tokenizer


def run(
    row: str, seed: int, train: Sequence[ReadingExample], test: Sequence[ReadingExample], questions: int
) -> ReadingScores:
    """Train the row's reader on so many of the questions, and score its answers to the test questions."""
    if row not in TRAINED:
        reader = SentenceReader([example.context for example in train], kinds=row == "kinds")
        return score_answers([reader(example) for example in test], test)
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed)).tolist()
    bert, tokenizer = encoder_for(row, seed)
    model = BertForQuestionAnswering(bert)
    chosen = [train[index] for index in order[:questions]]
    # Without the cache: it would keep the rounded weights of the first step for all that follow.
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        train_reader(model, chosen, tokenizer, replace(PLAN, seed=seed))
        answers = read_answers(model, test, tokenizer, PLAN)
    return score_answers(answer_texts(answers, -np.inf), test)


def is_there(table: RunTable, settings: dict) -> bool:
    """Whether both lines of a run are in the table."""
    return all(table.find(settings | {"measure": measure}) for measure in MEASURES)


def add_run(table: RunTable, settings: dict, scores: ReadingScores, began: float) -> None:
    """Write both lines of a run: its mean, and its points for every test question."""
    for measure, mean, points in (
        ("exact", scores.exact, scores.each_exact), ("f1", scores.f1, scores.each_f1)
    ):  # fmt: skip
        line = settings | {"measure": measure, "score": f"{mean:.4f}", "threads": torch.get_num_threads()}
        line |= {"cpu_seconds": f"{time.process_time() - began:.0f}", "torch": torch.__version__}
        table.add(line, np.array(points, dtype=np.float32), np.zeros(len(points), dtype=np.uint8))


def reading_report(table: RunTable) -> str:
    """A line for each row and number of questions: means, 95 % intervals over test questions and seeds."""
    lines = []
    for row, questions in dict.fromkeys((line["row"], line["questions"]) for line in table.lines):
        cells = []
        for measure in MEASURES:
            runs = table.matching(row=row, questions=questions, measure=measure)
            points = np.array([table.points(line) for line in runs])
            found = compare_runs(points, np.zeros(points.shape[1]))
            cells.append(f"{measure} {found.mean:6.1%} ({found.low:.1%} to {found.high:.1%})")
        seconds = summarize_seconds([line["cpu_seconds"] for line in runs])
        lines.append(
            f"{row:<9}{questions:>6}  {len(runs)} runs  " + "  ".join(cells) + f"  {seconds} CPU seconds"
        )
    return "\n".join(lines)


def summarize_seconds(values: Sequence[str]) -> str:
    """The mean of numbers as text, without a fraction."""
    numbers = [float(value) for value in values]
    return f"{summarize(numbers).mean if len(numbers) > 1 else numbers[0]:.0f}"
