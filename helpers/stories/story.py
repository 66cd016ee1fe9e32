"""A story, how it is drawn from the grammar, its splits, and its words as text.

Draws use only `random.Random(seed).random()`, whose sequence Python promises to keep; how `choice` and
`shuffle` use it may change between versions. Nothing depends on the order of a set or on sums of floats.
"""

import random
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from typing import NamedTuple

from helpers.stories import words as story_words
from helpers.stories.grammar import ENGLISH
from helpers.stories.tables import Grammar

__all__ = [
    "FEELINGS", "MASK", "SPLITS", "Story", "draw_stories", "shared_windows", "split", "stories", "to_text",
    "to_words",
]  # fmt: skip

MASK = "[MASK]"
FEELINGS = tuple(story_words.FEELINGS)

# Split: number of stories, seed. No story is in two splits, and none is there twice; a test checks it.
SPLITS = {
    "train": (30_000, 1),
    "validation": (1_000, 2),
    "classification_train": (5_000, 3),
    "classification_validation": (500, 4),
    "classification_test": (2_000, 5),
}

_TELLING = ("feeling", "reaction")  # the roles that say how the story feels: left out for classification
_CAPITALS = {
    word.lower(): word
    for word in [*story_words.GIRLS, *story_words.BOYS, *story_words.LOCAL["weekday"].split(), "I"]
}


class Story(NamedTuple):
    """A story: its sentences, how the main character feels at the end, and the choices behind it.

    `choices` maps each latent choice of the grammar to its value; `roles` names the role of each sentence.
    """

    sentences: tuple[str, ...]
    feeling: str
    choices: dict[str, str]
    roles: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.sentences)


def stories(count: int, seed: int, say_feeling: bool = True) -> list[Story]:
    """`count` stories; a larger count with the same seed begins with the same stories.

    say_feeling=False leaves out the last sentences, those that say or show the feeling.
    """
    if count < 0:
        raise ValueError(f"count is a number of stories, 0 or more, not {count}")
    left_out = () if say_feeling else _TELLING
    return list(islice(draw_stories(ENGLISH, seed, left_out), count))


def draw_stories(grammar: Grammar, seed: int, left_out: tuple[str, ...] = ()) -> Iterator[Story]:
    """Stories of a grammar without end; sentences of the roles in `left_out` are drawn but not written."""
    random_number = random.Random(seed).random

    def pick(urn: tuple) -> object:
        return urn[int(random_number() * len(urn))]

    names = [variable.name for variable in grammar.variables]
    while True:
        latents = grammar.draw_latents(pick)
        sentences, roles = [], []
        for role in grammar.roles:
            if pick(role.presence.urn(latents)):
                items = pick(role.templates.urn(latents))
                words = [item if isinstance(item, str) else pick(item.urn(latents)) for item in items]
                if role.name not in left_out:
                    sentences.append(to_text(words))
                    roles.append(role.name)
        choices = dict(zip(names, latents, strict=True))
        yield Story(tuple(sentences), choices.get("feeling", ""), choices, tuple(roles))


def split(name: str) -> list[Story]:
    """The stories of one split (see SPLITS), drawn anew. ValueError for a name that is none."""
    if name not in SPLITS:
        raise ValueError(f"There is no split called {name!r}; choose one of {', '.join(SPLITS)}.")
    return stories(*SPLITS[name], say_feeling=not name.startswith("classification"))


def to_words(text: str) -> list[str]:
    """The words and marks of a story in lower case, as the grammar and an uncased BERT count them.

    [MASK] stays one word.
    """
    found = re.findall(r"\[MASK\]|[A-Za-z]+|[^A-Za-z\s]", text)
    return [word if word == MASK else word.lower() for word in found]


def to_text(words: Iterable[str]) -> str:
    """A sentence with capitals and spaces, from its lower-case words; `to_words` takes it back."""
    text, begins, quoted = "", True, False
    for word in words:
        opens = word == '"' and not quoted
        quoted ^= word == '"'
        if not (begins or word in ".,!" or (word == '"' and not opens)):
            text += " "
        text += _capitalized(word) if begins else _CAPITALS.get(word, word)
        begins = opens or (begins and word == '"')
    return text


@cache
def _capitalized(word: str) -> str:
    return word[:1].upper() + word[1:]


def shared_windows(texts: list[Story], others: list[Story], size: int = 3) -> float:
    """The share of windows of `size` sentences in `texts` that stand word for word in `others`, too."""

    def windows(story: Story) -> Iterator[tuple[str, ...]]:
        for start in range(len(story.sentences) - size + 1):
            yield story.sentences[start : start + size]

    known = {window for story in others for window in windows(story)}
    found = [window in known for story in texts for window in windows(story)]
    return sum(found) / len(found)
