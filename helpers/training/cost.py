"""What pretraining costs: the work of a token counted on paper, and a law fitted to measurements.

Counted in multiply-adds and stored numbers, per token of a full row. Left out: the token that [CLS] gives
to the pooler, and the optimizer's own arithmetic, which does not grow with the batch.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares

from helpers.encoder import BertConfig

__all__ = [
    "BERT_BASE_RUN",
    "CostLaw",
    "MemoryLaw",
    "Point",
    "Work",
    "fit_cost",
    "fit_memory",
    "number_of_weights",
    "read_points",
    "relative_error",
    "run_flops",
    "run_seconds",
    "training_flops",
    "work_per_token",
]

PREDICTED = 0.15  # the share of tokens that are predicted
# The original run as (steps, rows, T): a million steps, 90 % of them short (Devlin et al. 2018, A.2).
BERT_BASE_RUN = ((900_000, 256, 128), (100_000, 256, 512))


class Work(NamedTuple):
    """What one token costs in a forward pass."""

    linear: float  # multiply-adds with the weights of the encoder
    attention: float  # multiply-adds of queries with keys, and of probabilities with values
    head: float  # multiply-adds of the token head, at the predicted tokens only
    stored: float  # numbers kept for the backward pass


class Point(NamedTuple):
    """One measurement: a shape, rows of T tokens, and what a step of training took."""

    config: BertConfig
    length: int  # T
    rows: int  # B
    seconds_per_token: float
    peak_megabytes: float  # of the whole process


def work_per_token(config: BertConfig, length: int, predicted: float = PREDICTED) -> Work:
    """Count the work of one token in a row of `length` tokens, of which the share `predicted` is guessed.

    A linear layer from n to m numbers takes n m multiply-adds. Stored: with fused attention and without
    dropout a layer keeps 9 H + 2 I numbers (inputs of the linear layers, queries, keys and values, inputs
    of the two LayerNorms, of GELU), the loss V logits and V probabilities.
    """
    hidden, inner, vocab = config.hidden_size, config.intermediate_size, config.vocab_size
    return Work(
        linear=config.num_layers * (4 * hidden**2 + 2 * hidden * inner),
        attention=config.num_layers * 2 * length * hidden,
        head=predicted * (hidden**2 + hidden * vocab),
        stored=config.num_layers * (9 * hidden + 2 * inner) + predicted * 2 * vocab,
    )


def training_flops(config: BertConfig, length: int, predicted: float = PREDICTED) -> float:
    """Floating-point operations to train on one token: a multiply-add is two, and it is done three times.

    Once forward, and twice backward: for the gradient of the input and for that of the weights (Kaplan et
    al. 2020, section 2.1, whose 6 N this is with attention and head counted). Recomputing is not counted.
    """
    work = work_per_token(config, length, predicted)
    return 6 * (work.linear + work.attention + work.head)


def number_of_weights(config: BertConfig) -> int:
    """All weights of encoder, pooler and the two pretraining heads."""
    hidden, inner = config.hidden_size, config.intermediate_size
    tables = config.vocab_size + config.max_positions + config.num_segments
    layer = 4 * (hidden**2 + hidden) + 2 * hidden * inner + inner + hidden + 4 * hidden
    heads = 2 * (hidden**2 + hidden) + 2 * hidden + config.vocab_size + 2 * hidden + 2  # with the pooler
    return tables * hidden + 2 * hidden + config.num_layers * layer + heads


class CostLaw(NamedTuple):
    """Seconds per token = a (linear + head) + b attention + c stored, the three counted in `Work`.

    One term for each kind of work, as each runs at its own speed: large matrix products near the machine's
    peak, attention in small products, everything elementwise (GELU, LayerNorm, softmax) as fast as memory
    gives and takes numbers.
    """

    per_multiply_add: float
    per_attention: float
    per_number: float

    def parts(self, config: BertConfig, length: int) -> tuple[float, float, float]:
        """Seconds per token of the three terms: matrix products, attention, elementwise."""
        work = work_per_token(config, length)
        return (
            self.per_multiply_add * (work.linear + work.head),
            self.per_attention * work.attention,
            self.per_number * work.stored,
        )

    def seconds_per_token(self, config: BertConfig, length: int) -> float:
        return sum(self.parts(config, length))


class MemoryLaw(NamedTuple):
    """Peak megabytes = base + 16 bytes per weight + `copies` x 4 bytes per number stored.

    The 16 bytes are weight, gradient and AdamW's two averages in fp32; `copies` is above 1 because the
    backward pass holds gradients beside what it still needs, and an allocator does not fill every gap.
    """

    base: float  # MB: the interpreter and the libraries
    copies: float

    def megabytes(self, config: BertConfig, length: int, rows: int) -> float:
        stored = rows * length * work_per_token(config, length).stored
        return self.base + (16 * number_of_weights(config) + self.copies * 4 * stored) / 1e6


def fit_cost(points: Sequence[Point]) -> CostLaw:
    """The law whose logarithm is nearest to the measured ones: every point counts by its relative error.

    Raises ValueError for fewer than four points: three parameters always fit three.
    """
    if len(points) < 4:
        raise ValueError(f"a law with three parameters needs at least four points, not {len(points)}")
    works = [work_per_token(point.config, point.length) for point in points]
    terms = np.array([[work.linear + work.head, work.attention, work.stored] for work in works])
    return CostLaw(*_fit(terms, np.array([point.seconds_per_token for point in points])))


def fit_memory(points: Sequence[Point]) -> MemoryLaw:
    """The memory law nearest to the measured peaks, by relative error. ValueError for fewer than three."""
    if len(points) < 3:
        raise ValueError(f"a law with two parameters needs at least three points, not {len(points)}")
    known = np.array([16e-6 * number_of_weights(point.config) for point in points])
    terms = np.array(
        [
            [1.0, 4e-6 * p.rows * p.length * work_per_token(p.config, p.length).stored]
            for p in points
        ]
    )  # fmt: skip
    return MemoryLaw(*_fit(terms, np.array([point.peak_megabytes for point in points]), known))


def _fit(terms: np.ndarray, measured: np.ndarray, known: np.ndarray | float = 0.0) -> list[float]:
    """Weights, none negative, of the columns of `terms` such that log(known + terms weights) fits best."""
    scale = measured.mean() / terms.mean(axis=0) / terms.shape[1]  # start: all columns weigh the same

    def error(weights):
        return np.log(known + terms @ (weights * scale)) - np.log(measured)

    found = least_squares(error, np.ones(terms.shape[1]), bounds=(1e-9, np.inf), xtol=1e-12, ftol=1e-12)
    return (found.x * scale).tolist()


def relative_error(predicted: float, measured: float) -> float:
    """How far a prediction is off: 0.1 means a tenth too much, -0.1 a tenth too little."""
    return predicted / measured - 1


def run_flops(config: BertConfig, run: Sequence[tuple[int, int, int]] = BERT_BASE_RUN) -> float:
    """Floating-point operations of a whole run, given as phases (steps, rows, T)."""
    return sum(steps * rows * length * training_flops(config, length) for steps, rows, length in run)


def run_seconds(
    law: CostLaw, config: BertConfig, run: Sequence[tuple[int, int, int]] = BERT_BASE_RUN
) -> float:
    """Seconds that the law gives for a whole run, given as phases (steps, rows, T)."""
    return sum(steps * rows * length * law.seconds_per_token(config, length) for steps, rows, length in run)


def read_points(path: str | Path) -> list[Point]:
    """The measurements that `benchmarks/pretraining_cost.py` stored, in their order."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        return [
            Point(
                BertConfig(
                    int(row["vocab_size"]), int(row["hidden_size"]), int(row["layers"]), int(row["heads"]),
                    int(row["intermediate_size"]), int(row["length"]), dropout=0.0,
                ),
                int(row["length"]), int(row["rows"]),
                1 / float(row["tokens_per_second"]), float(row["peak_megabytes"]),
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip
