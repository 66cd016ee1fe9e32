"""The story corpus: small English stories drawn from a known grammar, the same on every machine.

`data/README.md` describes the grammar; `helpers/stories/grammar.py` is the grammar itself, fixed for good;
`helpers/stories/story.py` draws from it.

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
