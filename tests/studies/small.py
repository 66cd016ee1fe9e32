"""Tiny encoders and sentences for the tests of this room."""

import random

import torch

from helpers.classification import Examples
from helpers.encoder import Bert, BertConfig
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

WORDS = ["a", "the", "film", "plot", "it", "good", "great", "bad", "dull", "very", "cheap", "solid", "."]
TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, *WORDS])
# The words of class 0 and of class 1.
TELLING = {"movies": (["bad", "dull"], ["good", "great"]), "tweets": (["cheap", "good"], ["solid", "great"])}
TELLING |= {"products": (["good"], ["bad"]), "editorials": (["dull"], ["very"])}


def make_bert(seed=0, dropout=0.1):
    torch.manual_seed(seed)
    return Bert(BertConfig(len(TOKENIZER.vocabulary), 16, 2, 2, 32, 24, dropout=dropout, init_std=None))


def make_examples(count, seed, domain="movies"):
    """Sentences with one word that decides their class; which one depends on the domain."""
    dice = random.Random(f"{domain} {seed}")
    texts, labels = [], [int(dice.random() < 0.6) for _ in range(count)]
    for label in labels:
        words = [dice.choice(["a", "the", "it", "film", "."]) for _ in range(dice.randrange(8))]
        words.insert(dice.randint(0, len(words)), dice.choice(TELLING[domain][label]))
        texts.append(" ".join(words))
    return Examples(texts, labels)
