"""The story corpus: small English stories drawn from a known grammar, the same on every machine.

`data/README.md` describes the grammar.

    grammar    the grammar itself, fixed for good
    words      its words
    tables     weighted choices: what grammars are made of
    story      a story drawn from it, and the splits
    label      how a story feels, as far as its text tells
    spans      what stands where in a story: its entities
    samples    the story files in data/stories/
    latents    how probable hidden choices are when some are known
    reader     all ways in which the grammar can write a text with hidden words
    posterior  the perfect model: the exact probability of every hidden word
    pairs      pairs of segments, and what a perfect model makes of them
    written    what written stories are worth: grammar, diversity, what is copied
    questions  questions about stories, their answers, and the best possible score

    python -m helpers.stories            write the files in data/stories/ anew
    python -m helpers.stories --check    compare them with what the generator draws now
"""

from helpers.stories.label import ceiling, usual_feeling
from helpers.stories.story import (
    FEELINGS,
    MASK,
    SPLITS,
    Story,
    shared_windows,
    split,
    stories,
    to_text,
    to_words,
)

__all__ = [
    "FEELINGS",
    "MASK",
    "SPLITS",
    "Story",
    "ceiling",
    "shared_windows",
    "split",
    "stories",
    "to_text",
    "to_words",
    "usual_feeling",
]
