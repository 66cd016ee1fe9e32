"""What a training text has in common with text that is held out: word for word, whatever case and marks.

Support code. Text that stands on both sides can be learned by heart, and then a model is measured on what it
has read (Lee et al. 2022, "Deduplicating Training Data Makes Language Models Better", section 6).
"""

from collections.abc import Iterable

from helpers.data import normalized

__all__ = ["HeldOutText", "Sentences"]


class Sentences:
    """Sentences of at least five words, to be found inside longer text; shorter ones are common phrases."""

    LEAST = 5

    def __init__(self, sentences: Iterable[str]):
        self._found: dict[tuple, list[list[str]]] = {}  # by their first words
        for words in (normalized(sentence).split() for sentence in sentences):
            if len(words) >= self.LEAST:
                self._found.setdefault(tuple(words[: self.LEAST]), []).append(words)

    def are_inside(self, text: str) -> bool:
        """Whether a text is one of the sentences or has one inside it."""
        words = normalized(text).split()
        return any(
            words[start : start + len(other)] == other
            for start in range(len(words) - self.LEAST + 1)
            for other in self._found.get(tuple(words[start : start + self.LEAST]), ())
        )


class HeldOutText:
    """All that is held out, by its runs of eight words: a text that has one of them is a near duplicate.

    >>> held_out = HeldOutText(["The aardvark is a medium-sized, burrowing, nocturnal mammal."])
    >>> held_out.shared("AARDVARK is a medium sized burrowing nocturnal mammal!")
    True
    """

    RUN = 8

    def __init__(self, texts: Iterable[str]):
        self._runs = {run for text in texts for run in self._runs_of(text)}

    def _runs_of(self, text: str) -> Iterable[tuple[str, ...]]:
        words = normalized(text).split()
        return zip(*(words[start:] for start in range(self.RUN)), strict=False)

    def shared(self, text: str) -> bool:
        """Whether eight words in a row of the text stand in a row in what is held out."""
        return any(run in self._runs for run in self._runs_of(text))
