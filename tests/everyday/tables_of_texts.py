"""A tiny encoder and small tables that it can learn, for the tests of the everyday program."""

import random
from pathlib import Path

import torch

from helpers import checkpoints
from helpers.encoder import Bert, BertConfig
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

FILLERS = ["a", "the", "film", "plot", "very", ".", "it", "was", "and"]
DECIDE = {"bad": ["bad", "dull"], "good": ["good", "great"]}
WORDS = [*FILLERS, *DECIDE["bad"], *DECIDE["good"]]


def tiny_start(folder: Path) -> Path:
    """A folder with a BERT of two layers and random weights."""
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *WORDS])
    config = BertConfig(
        vocab_size=len(tokenizer.vocabulary), hidden_size=16, num_layers=2, num_heads=2, intermediate_size=32,
        max_positions=40, init_std=None,
    )  # fmt: skip
    torch.manual_seed(1)
    checkpoints.save(Bert(config), tokenizer, folder)
    return folder


def sentences(count: int, seed: int = 0) -> list[list[str]]:
    """Rows of text and label: one word of each text decides."""
    dice = random.Random(seed)
    rows = []
    for _ in range(count):
        label = dice.choice(["bad", "good"])
        words = [dice.choice(["a", "the", "film", "plot", "very", ".", "it", "was", "and"]) for _ in range(6)]
        words.insert(
            dice.randint(0, 6), dice.choice({"bad": ["bad", "dull"], "good": ["good", "great"]}[label])
        )
        rows.append([" ".join(words), label])
    return rows
