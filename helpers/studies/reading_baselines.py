"""Readers without a network: the sentence most like the question, and in it a span of the kind asked for.

What notebook 15's readers are compared with. The first is the sliding window of Richardson et al. (2013),
with sentences for windows and words weighted by their rarity; the second chooses in that sentence by the
question word: a number, a date, a name, else the longest run of words that the question does not hold. The
third learns from examples, by counting.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from helpers.reading import ReadingExample

__all__ = ["SentenceReader", "TableReader", "sentence_spans"]

WORD = re.compile(r"\w+(?:[.,'’-]\w+)*")
MONTHS = "January February March April May June July August September October November December".split()
NAME = r"[A-Z][\w’'-]+(?: (?:of|the|de|von|van|and) (?=[A-Z])| [A-Z][\w’'-]*| [A-Z]\.)*(?:[\w’'-]*)"
NUMBER = r"(?:\$|£|€)?\d[\d,.]*(?<![,.])(?: (?:percent|million|billion|thousand))?%?"
NUMBER += r"|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|hundred)\b"
DATE = (
    rf"(?:\d{{1,2}} )?(?:{'|'.join(MONTHS)})(?: \d{{1,2}}(?!\d))?(?:,? \d{{4}})?|\b1\d{{3}}s?\b|\b20\d\ds?\b"
)
STOP = frozenset(
    "a an the of in on at to for by with from and or is are was were be been do does did has have had what "
    "which who whom whose when where why how many much that this these those it its as".split()
)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a text stand: they end with a mark before a space and a capital or a quote."""
    ends = [match.start() + 1 for match in re.finditer(r"[.!?](?=[\"”')]* +[A-Z\"“(])", text)]
    starts = [0, *ends]
    spans = zip(starts, [*ends, len(text)], strict=True)
    return [(start + len(text[start:end]) - len(text[start:end].lstrip()), end) for start, end in spans]


def _words(text: str) -> list[str]:
    return [word.lower() for word in WORD.findall(text)]


class SentenceReader:
    """Chooses the sentence with the rarest shared words; `kinds`: then a span of the kind asked for."""

    def __init__(self, contexts: Iterable[str], kinds: bool = True):
        texts = set(contexts)
        counts = Counter(word for text in texts for word in set(_words(text)))
        self.rarity = {word: 1 + math.log((1 + len(texts)) / (1 + count)) for word, count in counts.items()}
        self.most, self.kinds = 1 + math.log(1 + len(texts)), kinds

    def sentence(self, example: ReadingExample) -> tuple[int, int]:
        """The sentence whose words shared with the question are rarest together."""
        asked = set(_words(example.question)) - STOP

        def shared(span: tuple[int, int]) -> float:
            words = asked & set(_words(example.context[slice(*span)]))
            return sum(self.rarity.get(word, self.most) for word in words)

        return max(sentence_spans(example.context), key=shared)

    def __call__(self, example: ReadingExample) -> str:
        sentence = example.context[slice(*self.sentence(example))]
        return self._choose(example.question, sentence) if self.kinds else sentence

    def _choose(self, question: str, sentence: str) -> str:
        """The first span of the wanted kind that the question does not hold; else the words not shared."""
        asked = set(_words(question))
        for pattern in _patterns(question.lower()):
            for match in re.finditer(pattern, sentence):
                words = _words(match.group())
                if match.group().strip() and not set(words) & asked - STOP and set(words) - STOP:
                    return match.group().strip()
        return _longest_new(sentence, asked)


def _patterns(question: str) -> list[str]:
    if re.search(r"\bwhen\b|what (?:year|date|month|decade|century|day)", question):
        return [DATE, NUMBER]
    if re.search(r"how (?:many|much|long|old|far|high|large|big|often)|what percent|what number", question):
        return [NUMBER]
    return [NAME] if re.search(r"\b(?:who|whom|whose|where|which|what)\b", question) else []


def _longest_new(sentence: str, asked: set[str]) -> str:
    """The longest run of words, at most eight, of which the question has none; marks end a run."""
    best, run = (0, ""), []
    for match in [*WORD.finditer(sentence), None]:
        gap = sentence[run[-1].end() : match.start()] if run and match else ""
        if match is None or match.group().lower() in asked | STOP or gap.strip() or len(run) == 8:
            if len(run) > best[0]:
                best = len(run), sentence[run[0].start() : run[-1].end()]
            run = [] if match is None or match.group().lower() in asked | STOP else [match]
        else:
            run.append(match)
    return best[1]


class TableReader:
    """Learns from examples which texts answer which form of question, and where they stand: counts alone.

    form: takes a question to its form, such as its first words. For a new question every span of up to
    `longest` words of the context is weighed: how often such a text was the answer to that form when it stood
    in the context, the words before it, and how many rare words of the question stand in its sentence.
    """

    def __init__(self, examples: Sequence[ReadingExample], form: Callable[[str], str], longest: int = 3):
        self.form, self.longest = form, longest
        self.there, self.right, self.silent, self.asked = Counter(), Counter(), Counter(), Counter()
        for example in examples:
            kind, truths = form(example.question), {truth.lower() for truth in example.truths}
            self.asked[kind] += 1
            self.silent[kind] += not example.answers
            for key, text in {(self._key(kind, *span), span[1]) for span in self._spans(example)}:
                self.there[key] += 1
                self.right[key] += text in truths

    def _spans(self, example: ReadingExample) -> list[tuple[str, str, int]]:
        """The word before, the text in lower case, the words of the question in the sentence."""
        found, asked = [], set(_words(example.question)) - STOP
        for start, end in sentence_spans(example.context):
            words = [match for match in WORD.finditer(example.context, start, end)]
            here = len(asked & {word.group().lower() for word in words})
            for first, word in enumerate(words):
                before = words[first - 1].group().lower() if first else "."
                for last in range(first, min(first + self.longest, len(words))):
                    text = example.context[word.start() : words[last].end()].lower()
                    if not asked & set(text.split()):
                        found.append((before, text, here))
        return found

    def _key(self, kind: str, before: str, text: str, shared: int) -> tuple:
        return kind, text, min(shared, 3)

    def __call__(self, example: ReadingExample) -> str:
        kind = self.form(example.question)
        best, answer = (self.silent[kind] + 0.5) / (self.asked[kind] + 1), ""
        for before, text, shared in self._spans(example):
            key = self._key(kind, before, text, shared)
            share = self.right[key] / (self.there[key] + 1)
            if share > best:
                best, answer = share, text
        return answer
