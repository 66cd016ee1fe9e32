"""The pronouns of the stories: whom each one means, where the names stand, and what a model does at the gap.

Support code for notebook 10: the grammar says whom a pronoun means, so the answers need no annotator. Left
out: pronouns of things (*it*, *they*), and texts that no grammar wrote.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch

from helpers.analysis.arrays import in_numpy
from helpers.encoder import evaluating
from helpers.pretraining import BertForPreTraining, split_into_segments
from helpers.stories import Story, to_words
from helpers.wordpiece import WordPieceTokenizer, pad_encodings

__all__ = ["FORMS", "Pronoun", "at_gaps", "pronouns"]

FORMS = {"girl": ("she", "her"), "boy": ("he", "his", "him")}


class Pronoun(NamedTuple):
    """A pronoun in a pair of segments, and where the names of the one who is meant and of the other stand."""

    halves: tuple[str, str]
    tokens: list[str]
    place: int
    meant: list[int]
    other: list[int]
    same_gender: bool


def pronouns(story: Story, tokenizer: WordPieceTokenizer) -> Iterator[Pronoun]:
    """All pronouns of a story in pairs of two segments, as in training, that name both people.

    A pronoun means the main person, except in the sentences about the friend (the role *companion*). The
    tokenizer must be one of the stories': every word one token.
    """
    people = story.choices["name"], story.choices["other"]
    same = story.choices["gender"] == story.choices["other_gender"]
    told_by = list(zip(story.sentences, story.roles, strict=True))
    for pair in pairwise(split_into_segments(told_by, 2)):
        halves = tuple(" ".join(sentence for sentence, _ in half) for half in pair)
        tokens = tokenizer.encode(*halves).tokens
        roles = []  # of the sentence that each token belongs to
        for half in pair:
            roles += [None] + [role for sentence, role in half for _ in to_words(sentence)]
        names = [[i for i, token in enumerate(tokens) if token == name] for name in people]
        for place, (token, role) in enumerate(zip(tokens, [*roles, None], strict=True)):
            if token in FORMS["girl"] + FORMS["boy"] and all(names):
                meant, other = names if role != "companion" else names[::-1]
                yield Pronoun(halves, tokens, place, meant, other, same)


@torch.no_grad()
def at_gaps(
    model: BertForPreTraining, tokenizer: WordPieceTokenizer, items: Sequence[Pronoun]
) -> tuple[torch.Tensor, list[np.ndarray]]:
    """With the pronouns hidden: the chance of every entry (items, V), and the attention, (L, A, T) each.

    The rows of attention of a short text end in padding, at which they are 0.
    """
    chances, looks = [], []
    with evaluating(model):
        for start in range(0, len(items), 64):
            some = items[start : start + 64]
            batch = pad_encodings([tokenizer.encode(*item.halves) for item in some], tokenizer.id_of["[PAD]"])
            rows, places = range(len(some)), [item.place for item in some]
            batch["ids"][rows, places] = tokenizer.id_of["[MASK]"]
            gaps = torch.zeros_like(batch["ids"], dtype=torch.bool)
            gaps[rows, places] = True
            chances.append(model(**batch, positions=gaps).token_logits.softmax(dim=-1))
            attention = torch.stack(model.bert(**batch, output_attentions=True).attentions, dim=1)
            looks += [in_numpy(row[:, :, place]) for row, place in zip(attention, places, strict=True)]
    return torch.cat(chances), looks
