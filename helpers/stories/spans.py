"""What stands where in a story: the words that fill the grammar's slots, as entities with their kinds.

The story is drawn as `helpers.stories.story` draws it, with the same random numbers; a test compares them.
"""

import random
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from helpers.stories.grammar import ENGLISH, slots
from helpers.stories.tables import Builder, Grammar, Table

__all__ = ["ENTITY_KINDS", "MarkedStory", "marked_stories"]

# The kinds and their slots; neighbors of one kind are one entity ("three golden rabbits").
ENTITY_KINDS = {
    "who": ("name", "s", "she"),
    "companion": ("relation", "friend"),
    "pet": ("count", "color", "animal"),
    "place": ("place",),
    "object": ("some", "kind", "noun"),
    "time": ("weekday", "day"),
}


class MarkedStory(NamedTuple):
    """A story's words and marks in lower case; its entities: kind, first word, the word after the last."""

    words: list[str]
    entities: list[tuple[str, int, int]]


def marked_stories(count: int, seed: int) -> list[MarkedStory]:
    """`count` stories, those of `helpers.stories.stories(count, seed)`, with their entities."""
    if count < 0:
        raise ValueError(f"count is a number of stories, 0 or more, not {count}")
    return list(islice(_draw(seed), count))


def _draw(seed: int) -> Iterator[MarkedStory]:
    """Stories without end, drawn step by step as `helpers.stories.story.draw_stories` does."""
    random_number, kind_of = random.Random(seed).random, _kinds_of_slots(ENGLISH)

    def pick(urn: tuple) -> object:
        return urn[int(random_number() * len(urn))]

    while True:
        latents, words, entities = ENGLISH.draw_latents(pick), [], []
        for role in ENGLISH.roles:
            if pick(role.presence.urn(latents)):
                for item in pick(role.templates.urn(latents)):
                    kind = None if isinstance(item, str) else kind_of.get(id(item))
                    words.append(item if isinstance(item, str) else pick(item.urn(latents)))
                    if kind and entities and entities[-1][0] == kind and entities[-1][2] == len(words) - 1:
                        entities[-1] = (kind, entities[-1][1], len(words))
                    elif kind:
                        entities.append((kind, len(words) - 1, len(words)))
        yield MarkedStory(words, entities)


def _kinds_of_slots(grammar: Grammar) -> dict[int, str]:
    """The kind of each table in the grammar's templates, by its id: known by what it holds."""
    build = Builder()
    build.variables = list(grammar.variables)
    build.index = {variable.name: number for number, variable in enumerate(grammar.variables)}
    named = slots(build)
    kinds = {named[slot].entries: kind for kind, names in ENTITY_KINDS.items() for slot in names}
    used: set[Table] = {
        item
        for role in grammar.roles
        for template, _, _ in role.templates.entries
        for item in template
        if isinstance(item, Table)
    }
    return {id(table): kinds[table.entries] for table in used if table.entries in kinds}
