"""How fast classifiers are beside each other: one text at a time, and many, measured in turns.

Times on a busy machine say little; ratios of times that were taken in turns say more. A runner takes texts
and gives their logits (N, C): what it needs (words, tokens, padding) is part of its time.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch

from helpers.classification import encode_texts
from helpers.compression import nearest_rank
from helpers.encoder import evaluating
from helpers.wordpiece import WordPieceTokenizer, pad_encodings

__all__ = ["Runner", "Speed", "logits_in_order", "measure_speed", "runner_of"]

Runner = Callable[[Sequence[str]], torch.Tensor]


class Speed(NamedTuple):
    """Milliseconds for one text, and texts in a second where there are many."""

    median_ms: float
    p95_ms: float
    as_they_come: float  # batches in the order of the texts
    sorted_by_length: float


def runner_of(
    run: Callable[[dict[str, torch.Tensor]], torch.Tensor], tokenizer: WordPieceTokenizer, max_length: int
) -> Runner:
    """From texts to logits, by what takes a batch of ids; a module is run in evaluation mode."""

    @torch.no_grad()
    def runner(texts: Sequence[str]) -> torch.Tensor:
        encodings = encode_texts(texts, tokenizer, max_length)
        batch = pad_encodings(encodings, tokenizer.id_of["[PAD]"])
        if not isinstance(run, torch.nn.Module):
            return run(batch).float()
        with evaluating(run):
            return run(**batch).float()

    return runner


def logits_in_order(runner: Runner, texts: Sequence[str], batch_size: int = 64) -> torch.Tensor:
    """The logits of all texts (N, C) in their order, computed in batches of similar length."""
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    parts = [runner([texts[index] for index in order[start : start + batch_size]])
             for start in range(0, len(order), batch_size)]  # fmt: skip
    return torch.cat(parts)[torch.tensor(order).argsort()]


def measure_speed(
    runners: Mapping[str, Runner],
    texts: Sequence[str],
    rounds: int = 3,
    batch_size: int = 32,
    single: int = 40,
) -> dict[str, Speed]:
    """The speed of each runner on the same texts, in turns: text by text, then batch by batch.

    Every text is given alone `rounds` times (the first `single` of them); of the batches each runner's
    fastest round counts. Raises ValueError without texts.
    """
    if not len(texts):
        raise ValueError("there are no texts to measure with: give at least one")
    by_length = sorted(texts, key=len)
    for runner in runners.values():  # what is made at the first call is no part of the speed
        runner(list(texts[:2]))
    alone: dict[str, list[float]] = {name: [] for name in runners}
    fastest = {name: {"as_they_come": float("inf"), "sorted_by_length": float("inf")} for name in runners}
    for _ in range(rounds):
        for text in texts[:single]:
            for name, runner in runners.items():
                alone[name].append(_seconds(runner, [text]))
        for kind, given in (("as_they_come", texts), ("sorted_by_length", by_length)):
            taken = dict.fromkeys(runners, 0.0)
            for start in range(0, len(given), batch_size):
                for name, runner in runners.items():
                    taken[name] += _seconds(runner, list(given[start : start + batch_size]))
            for name, seconds in taken.items():
                fastest[name][kind] = min(fastest[name][kind], seconds)
    return {
        name: Speed(
            1000 * nearest_rank(alone[name], 0.5),
            1000 * nearest_rank(alone[name], 0.95),
            **{kind: len(texts) / seconds for kind, seconds in fastest[name].items()},
        )
        for name in runners
    }


def _seconds(runner: Runner, texts: list[str]) -> float:
    start = time.perf_counter()
    runner(texts)
    return time.perf_counter() - start
