"""Entities of the stories: the same stories as without them, and what the grammar's words say."""

from collections import Counter

import pytest

from helpers import stories
from helpers.stories.grammar import ENGLISH
from helpers.stories.spans import ENTITY_KINDS, marked_stories
from helpers.tagging import bio_tags, entities_of

COUNT = 400


def test_the_stories_are_the_same():
    plain = stories.stories(COUNT, 7)
    assert [stories.to_words(story.text) for story in plain] == [m.words for m in marked_stories(COUNT, 7)]
    assert marked_stories(0, 7) == [] and marked_stories(3, 7) == marked_stories(5, 7)[:3]
    with pytest.raises(ValueError, match="0 or more, not -1"):
        marked_stories(-1, 0)


def test_entities_agree_with_the_choices_behind_the_story():
    """Whoever is called by name is the main character or the companion, as the latent choices say."""
    names = [variable.name for variable in ENGLISH.variables]
    assert {"name", "other", "scene", "relation"} <= set(names)
    seen = Counter()
    for story, marked in zip(stories.stories(COUNT, 7), marked_stories(COUNT, 7), strict=True):
        assert entities_of(bio_tags(len(marked.words), marked.entities)) == marked.entities, (
            "BIO loses nothing"
        )
        for kind, begin, end in marked.entities:
            words = marked.words[begin:end]
            seen[kind] += 1
            if kind == "who":
                assert words in ([story.choices["name"]], ["she"], ["he"])
            elif kind == "companion":
                assert words[-1] in (story.choices["other"], story.choices["relation"]) and len(words) <= 2
            elif kind == "place":
                assert words == [story.choices["scene"]]
        inside = {place for _, begin, end in marked.entities for place in range(begin, end)}
        people = {story.choices["name"], story.choices["other"]}
        assert not [w for place, w in enumerate(marked.words) if w in people and place not in inside]
    assert set(seen) == set(ENTITY_KINDS) and min(seen.values()) > 100
