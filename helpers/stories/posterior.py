"""The perfect model of the stories: the exact probability of every hidden word, given all visible ones.

Nothing is approximated: the sum runs over every way in which the grammar can write the visible words (which
sentences are there, where they end, which templates and latent choices); hidden words that are not asked for
and sentences outside the window are summed out. `helpers/stories/reader.py` does the work.

The perfect model knows how windows are cut out of stories, but not where in its story this one stood. So a
model that is compared with it must get windows that were cut out in that way.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache

from helpers.stories.grammar import ENGLISH
from helpers.stories.reader import Reader, Reading
from helpers.stories.tables import Table

__all__ = [
    "any_window",
    "feeling_distribution",
    "masked_word_distribution",
    "neighbours",
    "pair_distribution",
    "read",
    "read_pair",
    "story_lengths",
    "text_probability",
    "whole_story",
]

Shares = dict[int, dict[str, float]]  # position of a hidden word -> word -> probability

# P(the window is the sentences first ... stop - 1 | the story has `total` sentences)
Window = Callable[[int, int, int], float]
# P(the segments are the sentences first ... middle - 1 and middle ... stop - 1 | `total` sentences in all)
Pairs = Callable[[int, int, int, int], float]

IMPOSSIBLE = (
    "The story grammar cannot write these words in such a window; give lower-case words of a story "
    "(stories.to_words), [MASK] for each hidden one, and the way in which the window was cut out."
)


def whole_story(first: int, stop: int, total: int) -> float:
    """The window is the story."""
    return float(first == 0 and stop == total)


def any_window(size: int) -> Window:
    """The window is `size` sentences in a row, every such window of a story equally often."""
    return lambda first, stop, total: float(stop - first == size <= total) / max(total - size + 1, 1)


def neighbours(first_size: int, second_size: int) -> Pairs:
    """Two segments in a row, of so many sentences each, every such pair of a story equally often."""
    window = any_window(first_size + second_size)
    return lambda first, middle, stop, total: (middle - first == first_size) * window(first, stop, total)


def masked_word_distribution(words: Sequence[str], window: Window = whole_story, cut: bool = False) -> Shares:
    """The perfect model's guess at every hidden word: {position: {word: probability}}.

    words: lower-case words as from `stories.to_words`, "[MASK]" for each hidden one. window: how the text was
    cut out of its story, in whole sentences. cut=True instead: the text is the beginning of a story, cut off
    at a limit that it has reached (a shorter story is a whole one). ValueError if the grammar can't write
    the visible words so.
    """
    return read(_reader(), words, window, cut).words


def text_probability(words: Sequence[str], window: Window = whole_story) -> float:
    """How probable a text is under the grammar, and 0 if the grammar can't write it; arguments as above.

    With another window than the whole story: the probability that a story is drawn and this is cut out of it.
    """
    return (
        _reader()
        .read(words, len(words), lambda first, _, stop, total: window(first, stop, total))
        .probability
    )


def pair_distribution(
    first: Sequence[str],
    second: Sequence[str],
    pairs: Pairs,
    chance: float = 0.5,
    stranger: Window | None = None,
) -> tuple[Shares, float]:
    """The same for two segments as in next-sentence prediction, and P(they are neighbours in one story).

    Positions count on from the first segment into the second. pairs: how two neighbours are cut out of a
    story; with probability 1 - chance the second segment is cut out of another story instead, as the second
    segment of its pair, or as the window `stranger` says.
    """
    reading, near = read_pair(_reader(), first, second, pairs, chance, stranger)
    return reading.words, near


def feeling_distribution(words: Sequence[str]) -> dict[str, float]:
    """The perfect classifier: P(feeling | a story that does not tell it); words can be hidden."""
    reader, found = _reader(say_feeling=False), defaultdict(float)
    for known, weight in read(reader, words, whole_story).known.items():
        for feeling, share in reader.latents.word_probabilities(_FEELING, known).items():
            found[feeling] += weight * share
    return dict(found)


def story_lengths() -> dict[int, float]:
    """How long stories are: {number of sentences: probability}."""
    reader, found = _reader(), defaultdict(float)
    for known, counts in reader.sentence_counts(0, len(reader.lines)).items():
        share = reader.latents.probability(known)
        for count, weight in counts.items():
            found[count] += share * weight
    return dict(found)


def read(reader: Reader, words: Sequence[str], window: Window, cut: bool = False) -> Reading:
    """As `masked_word_distribution`, for any grammar, with all that the reading says."""
    return _possible(
        reader.read(words, len(words), lambda first, _, stop, total: window(first, stop, total), cut)
    )


def read_pair(
    reader: Reader,
    first: Sequence[str],
    second: Sequence[str],
    pairs: Pairs,
    chance: float = 0.5,
    stranger: Window | None = None,
) -> tuple[Reading, float]:
    """As `pair_distribution`, for any grammar; `known` of the reading is empty."""
    count = len(first)

    def as_first(start: int, stop: int, _: int, total: int) -> float:
        return sum(pairs(start, stop, end, total) for end in range(stop + 1, total + 1))

    def as_second(start: int, _: int, stop: int, total: int) -> float:
        if stranger is not None:
            return stranger(start, stop, total)
        return sum(pairs(begin, start, stop, total) for begin in range(start))

    # Inside the lone segments `middle` is their end.
    together = reader.read([*first, *second], count, pairs)
    left = reader.read(first, count, as_first)
    right = reader.read(second, len(second), as_second)
    near, apart = chance * together.probability, (1 - chance) * left.probability * right.probability
    lone = left.words | {position + count: shares for position, shares in right.words.items()}
    mixed = defaultdict(lambda: defaultdict(float))
    for shares_of, weight in ((together.words, near), (lone, apart)):
        for position, shares in shares_of.items() if weight else ():
            for word, share in shares.items():
                mixed[position][word] += weight / (near + apart) * share
    words = {position: dict(shares) for position, shares in sorted(mixed.items())}
    reading = _possible(Reading(near + apart, words, {}))
    return reading, near / reading.probability


def _possible(reading: Reading) -> Reading:
    if not reading.probability:
        raise ValueError(IMPOSSIBLE)
    return reading


@cache
def _reader(say_feeling: bool = True) -> Reader:
    return Reader(ENGLISH if say_feeling else ENGLISH._replace(roles=ENGLISH.roles[:-2]))


_INDEX = [variable.name for variable in ENGLISH.variables].index("feeling")
_VALUES = dict.fromkeys(feeling for feeling, _, _ in ENGLISH.variables[_INDEX].table.entries)
_FEELING = Table((feeling, ((_INDEX, feeling),), 1) for feeling in _VALUES)
