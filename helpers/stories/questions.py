"""Questions that the grammar asks about its own stories, with their answers, and the best possible score.

Support code for notebook 15. The grammar knows what happened; a question whose answer the text does not say
has none. Every answer is a span of the text. One kind of question, "when", is ambiguous: the story may name a
weekday, a time of day and a season, and who asks has one of them in mind. All questions of a story with
their probabilities are enumerated, so the best possible reader's score is known.

Draws use only `random.Random(seed).random()`, as the stories do.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from helpers.reading import ReadingExample
from helpers.stories import words
from helpers.stories.story import Story

__all__ = ["QUESTION_KINDS", "StoryQuestion", "ask", "best_possible", "possible_questions"]

# What a question is about, and the share of them that ask for it.
QUESTION_KINDS = ("main", "friend", "where", "what", "color", "count", "feeling", "when", "doer")

_NAMES = [*words.GIRLS, *words.BOYS]
_PLURAL = dict(forms.split() for forms in words.ANIMALS.split("|"))
_BASES = [thing.split()[0] for things, *_ in words.SCENES.values() for thing in things]
# What somebody may do after the end: predicates without a name or a pronoun in them.
_DEEDS = [
    line.removeprefix("{s} ").removesuffix(" .")
    for _, *lines in words.FEELINGS.values() for line in lines
    if line.startswith("{s} ") and "{" not in line[4:]
]  # fmt: skip
_TIMES = {"weekday": 2, "day": 1, "season": 1}  # what "when" asks for, with its weight


class StoryQuestion(NamedTuple):
    """A question about a story: what it asks for, question with context and answers, and its number of story.

    best: the probability of the likeliest answer, given the story and the question: what no reader exceeds.
    """

    kind: str
    example: ReadingExample
    story: int
    best: float


class _Asked(NamedTuple):
    weight: float
    kind: str
    question: str
    answers: tuple[tuple[int, int], ...]


def possible_questions(story: Story) -> list[_Asked]:
    """Everything that can be asked about a story: weight (they add up to 1), kind, question, answers."""
    found = []
    for kind in QUESTION_KINDS:
        asked = list(_ASKERS[kind](_Text(story)))
        total = sum(weight for weight, _, _ in asked) * len(QUESTION_KINDS)
        found += [_Asked(weight / total, kind, question, tuple(spans)) for weight, question, spans in asked]
    return found


def ask(stories: Iterable[Story], seed: int, per_story: int = 1) -> list[StoryQuestion]:
    """So many questions about each story, drawn with their weights; ValueError for fewer than one."""
    if per_story < 1:
        raise ValueError(f"per_story is a number of questions, at least 1, not {per_story}")
    random_number = random.Random(seed).random
    found = []
    for number, story in enumerate(stories):
        possible = possible_questions(story)
        shares = _shares(story.text, possible)
        for _ in range(per_story):
            asked, rest = possible[-1], random_number()
            for candidate in possible:
                rest -= candidate.weight
                if rest < 0:
                    asked = candidate
                    break
            likely = shares[asked.question]
            example = ReadingExample(asked.question, story.text, asked.answers)
            found.append(
                StoryQuestion(asked.kind, example, number, max(likely.values()) / sum(likely.values()))
            )
    return found


def best_possible(stories: Iterable[Story]) -> float:
    """The exact match that no reader can exceed on average over all questions of these stories."""
    scores = []
    for story in stories:
        shares = _shares(story.text, possible_questions(story))
        scores.append(sum(max(likely.values()) for likely in shares.values()))
    return sum(scores) / len(scores)


def _shares(text: str, possible: list[_Asked]) -> dict[str, dict[str, float]]:
    """For each question its answers, as texts, with their weights; "" is "no answer"."""
    shares = defaultdict(lambda: defaultdict(float))
    for asked in possible:
        answer = text[slice(*asked.answers[0])].lower() if asked.answers else ""
        shares[asked.question][answer] += asked.weight
    return shares


class _Text:
    """A story's text with its choices, and where in it a pattern stands."""

    def __init__(self, story: Story):
        self.story, self.choices = story, story.choices
        self.name, self.friend = story.choices["name"].capitalize(), story.choices["other"].capitalize()
        self.place = story.choices["scene"]
        self.animals = (story.choices["animal"], _PLURAL[story.choices["animal"]])

    def spans(self, pattern: str, *roles: str) -> list[tuple[int, int]]:
        """Where the pattern stands in the sentences of these roles (none: in all)."""
        found, begin = [], 0
        for role, sentence in zip(self.story.roles, self.story.sentences, strict=True):
            if not roles or role in roles:
                for match in re.finditer(rf"\b(?:{pattern})\b", sentence, re.IGNORECASE):
                    found.append((begin + match.start(), begin + match.end()))
            begin += len(sentence) + 1
        return found

    def strangers(self) -> list[str]:
        return [name for name in _NAMES if name not in (self.name, self.friend)]


_Questions = Iterator[tuple[float, str, list[tuple[int, int]]]]


def _evenly(total: float, questions: list[str], spans: list[tuple[int, int]]) -> _Questions:
    for question in questions:
        yield total / len(questions), question, spans


def _main(text: _Text) -> _Questions:
    questions = ["Who is this story about?", "Who is the main character?"]
    yield from _evenly(1, questions, text.spans(text.name))


def _friend(text: _Text) -> _Questions:
    def phrases(place: str) -> list[str]:
        return [f"Who went to the {place} with {text.name}?", f"Who was at the {place} with {text.name}?"]

    yield from _evenly(3, phrases(text.place), text.spans(text.friend))
    others = [question for place in words.SCENES if place != text.place for question in phrases(place)]
    yield from _evenly(1, others, [])


def _where(text: _Text) -> _Questions:
    def phrases(name: str) -> list[str]:
        return [f"Where did {name} go?", f"Where was {name} that day?"]

    yield from _evenly(3, phrases(text.name) + phrases(text.friend), text.spans(text.place))
    yield from _evenly(1, [question for name in text.strangers() for question in phrases(name)], [])


def _what(text: _Text) -> _Questions:
    wanted = "want to " if text.spans("wanted to", "action") else ""
    thing = text.spans(r"(?:a|two|three|four) \w+ \w+(?<! and)", "action")
    base = next(things.split()[0] for things in words.SCENES[text.place][0]
                if things.split()[2] == text.choices["object"])  # fmt: skip
    yield 3, f"What did {text.name} {wanted}{base}?", thing
    yield from _evenly(1, [f"What did {text.name} {wanted}{other}?" for other in _BASES if other != base], [])


def _animal_questions(text: _Text, phrase) -> tuple[str, list[str]]:
    others = [pair for pair in _PLURAL.items() if pair[0] != text.animals[0]]
    return phrase(text.animals), [phrase(pair) for pair in others]


def _color(text: _Text) -> _Questions:
    several = text.choices["number"] == "many"

    def phrase(pair):
        return f"What color {'were' if several else 'was'} the {pair[several]} of {text.name}?"

    right, others = _animal_questions(text, phrase)
    spans = text.spans(rf"{text.choices['color']}(?= (?:{'|'.join(text.animals)}))", "pets", "agreement")
    yield 5, right, spans
    yield from _evenly(1, others, [])


def _count(text: _Text) -> _Questions:
    def phrase(pair):
        return f"How many {pair[1]} did {text.name} have?"

    right, others = _animal_questions(text, phrase)
    animal = rf"(?: {text.choices['color']})? (?:{'|'.join(text.animals)})"
    yield 5, right, text.spans(rf"{text.choices['count']}(?={animal})", "pets", "agreement")
    yield from _evenly(1, others, [])


def _feeling(text: _Text) -> _Questions:
    def phrases(name: str) -> list[str]:
        return [f"How did {name} feel in the end?", f"How was {name} in the end?"]

    names = "|".join(words.FEELINGS[text.story.feeling][0].split())
    yield from _evenly(3, phrases(text.name), text.spans(names, "feeling"))
    yield from _evenly(1, phrases(text.friend), [])


def _when(text: _Text) -> _Questions:
    patterns = {"weekday": "|".join(words.LOCAL["weekday"].split()), "day": "|".join(words.DAYTIMES),
                "season": "|".join(words.LOCAL["season"].split())}  # fmt: skip
    questions = [
        f"When did {text.name} go to the {text.place}?",
        f"When was {text.name} at the {text.place}?",
    ]
    found = {name: text.spans(pattern, "way", "setting") for name, pattern in patterns.items()}
    for name, spans in found.items():
        if spans:
            yield from _evenly(_TIMES[name], questions, spans)
    if not any(found.values()):
        yield from _evenly(1, questions, [])


def _doer(text: _Text) -> _Questions:
    people = {
        "she": text.name,
        "he": text.name,
        text.name.lower(): text.name,
        text.friend.lower(): text.friend,
    }
    deeds = []
    for role, sentence in zip(text.story.roles, text.story.sentences, strict=True):
        first, _, rest = sentence.removesuffix(".").partition(" ")
        named = re.search(rf'\b(?:{text.name}|{text.friend})\b|"', rest)
        if role in ("companion", "event", "reaction") and first.lower() in people and not named:
            if not rest.startswith((",", "and ")):
                deeds.append((f"Who {rest}?", text.spans(people[first.lower()])))
    for question, spans in deeds:
        yield 3 / len(deeds), question, spans
    known = {question for question, _ in deeds}
    others = [f"Who {deed}?" for deed in _DEEDS if f"Who {deed}?" not in known]
    yield from _evenly(1, others, [])


_ASKERS = {"main": _main, "friend": _friend, "where": _where, "what": _what, "color": _color, "count": _count,
           "feeling": _feeling, "when": _when, "doer": _doer}  # fmt: skip
