"""What the pretraining benchmarks share: taking turns, the machine's peak, keeping memory, storing tables."""

import csv
import ctypes
import platform
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn


def take_turns(work: dict, seconds: float) -> tuple[dict, int]:
    """Call each in turn, in a new order every round, until the time is up: median units per second, rounds.

    Each is called with the number of the round and returns the units of work that it did. The first round
    makes buffers and is not counted; at least three are.
    """
    rates, dice, order = {name: [] for name in work}, random.Random(0), list(work)
    turn, start = 0, time.perf_counter()
    while turn < 4 or time.perf_counter() - start < seconds:
        dice.shuffle(order)
        for name in order:
            began = time.perf_counter()
            units = work[name](turn)
            rates[name].append(units / (time.perf_counter() - began))
        turn += 1
    return {name: statistics.median(values[1:]) for name, values in rates.items()}, turn - 1


def matrix_product(size: int) -> Callable[[int], int]:
    """A function for `take_turns`: a square fp32 product; returns its floating-point operations."""
    left, right, out = (torch.randn(size, size) for _ in range(3))

    def work(turn: int) -> int:
        torch.mm(left, right, out=out)
        return 2 * size**3

    return work


def keep_memory() -> bool:
    """Ask glibc never to give memory back between steps, so that pages are not made anew; False elsewhere."""
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    mmap_max, trim_threshold = -4, -1  # malloc.h: M_MMAP_MAX, M_TRIM_THRESHOLD
    return bool(libc.mallopt(mmap_max, 0) and libc.mallopt(trim_threshold, 2**31 - 1))


def write_out_attention(bert: nn.Module) -> None:
    """Have an encoder of ours take the taught attention function: asked for attentions, it does."""
    bert.register_forward_pre_hook(
        lambda _, positional, named: (positional, named | {"output_attentions": True}), with_kwargs=True
    )


def bfloat16_is_fast() -> bool:
    """Whether the processor multiplies bfloat16 numbers itself: without that, autocast only slows down."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def store(path: Path, rows: list[dict]) -> None:
    """Write a table as CSV: the keys of the first row are the header."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
