"""Notebook 16: sentences chosen one after the other by a measure."""

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import summarization as references

# 16.5 greedy_choice

GREEDY = '''
def my_greedy_choice(sentences, written, count, measure):
    """Places of at most `count` sentences, chosen one after the other; a list in the order of the text.

    sentences: a list of lists of words. measure(words, written) is a number: how good a summary with these
    words is. Begin with no sentence, and a measure of 0. Each step tries every sentence that is left beside
    those chosen (the words one after the other, in the order of the text), and takes the one with the
    highest measure, of equal ones the earlier. Stop when none raises the measure, or `count` are chosen.
    """
    ...
'''

SENTENCES = [
    "how exact it is with us".split(),
    "a german one of old".split(),
    "it is fast".split(),
    "the old one is slow".split(),
    "we study a fast german parser".split(),
    "we study a fast parser here and there".split(),
]
ABOUT = "we study a fast german parser and how exact it is".split()


def probe_greedy(greedy_choice):
    measure = references.rouge_1

    def chosen(sentences, written, *more):
        return list(greedy_choice([[*words] for words in sentences], [*written], *more))

    yield "two of six", chosen(SENTENCES, ABOUT, 2, measure)
    yield "as many as help", chosen(SENTENCES, ABOUT, 6, measure)
    yield "nothing helps", chosen([["no"], ["none"]], ABOUT, 2, measure)
    yield "order counts", chosen([["b"], ["a", "c"], ["d"]], "bd", 2, in_one_order)
    yield "a sentence before the first choice", chosen([["b"], ["a"], ["d", "e"]], "bde", 2, in_one_order)
    yield "a measure of two different texts", chosen([["b", "a", "a"], ["b"]], "bd", 1, in_one_order)
    yield "two equal ones", chosen([["a"], ["b"], ["d"]], "bd", 1, in_one_order)
    yield "a measure that grows", chosen([["a"], ["b", "c"]], "a", 2, lambda words, written: len(words))


def in_one_order(words, written):
    """A measure that asks for words in the order of the text."""
    return references.longest_common(words, written) - 0.1 * len(words)


def greedy_with(stop=True, alone=False, in_order=True, join_in_order=True, first=False):
    """The greedy choice with one of its parts left out."""

    def program(sentences, written, count, measure):
        chosen, best = [], 0.0
        while len(chosen) < min(count, len(sentences)):
            tried = {}
            for place in range(len(sentences)):
                if place not in chosen:
                    places = [place] if alone else [*chosen, place]
                    places = sorted(places) if join_in_order else places[::-1]
                    tried[place] = measure([word for at in places for word in sentences[at]], written)
            better = [place for place in tried if tried[place] > best]
            if stop and not alone and not better:
                break
            if alone and max(tried.values()) == 0:
                break
            place = better[0] if first and better else max(tried, key=tried.get)
            chosen, best = [*chosen, place], tried[place]
        return sorted(chosen) if in_order else chosen

    return program


def greedy_by(join=sorted, tie=lambda place: -place, again=False):
    """The greedy choice with the words joined in another way, another of equal ones, or sentences tried again."""

    def program(sentences, written, count, measure):
        chosen, best = [], 0.0
        while len(chosen) < min(count, len(sentences)):
            tried = {
                place: measure([word for at in join([*chosen, place]) for word in sentences[at]], written)
                for place in range(len(sentences))
                if again or place not in chosen
            }
            place = max(tried, key=lambda place: (tried[place], tie(place)))
            if tried[place] <= best:
                break
            chosen, best = [*chosen, place], tried[place]
        return sorted(chosen)

    return program


greedy_joined_behind, greedy_later, greedy_again = (
    greedy_by(join=list),
    greedy_by(tie=int),
    greedy_by(again=True),
)


def six(parts):
    return parts["as many as help"]


def two(parts):
    return parts["two of six"]


GREEDY_MISTAKES = (
    Mistake(
        "each sentence alone",
        greedy_with(alone=True),
        "two of six are {yours}, expected {expected}: each sentence is measured alone. What is said already counts nothing "
        "the second time: measure it beside those that are chosen",
        show=two,
    ),
    Mistake(
        "never stops",
        greedy_with(stop=False),
        "asked for up to six you take {yours}, expected {expected}: sentences are taken that lower the measure. Stop when "
        "none raises it",
        show=six,
    ),
    Mistake(
        "the first that helps",
        greedy_with(first=True),
        "two of six are {yours}, expected {expected}: the first sentence that raises the measure is taken. Try all that are "
        "left, and take the best",
        show=two,
    ),
    Mistake(
        "in the order of choice",
        greedy_with(in_order=False),
        "two of six are {yours}, expected {expected}: the right ones, in the order in which they were chosen; the order of "
        "the text is wanted",
        show=two,
    ),
    Mistake(
        "joined as chosen",
        greedy_with(join_in_order=False),
        "with a measure that asks for the order you take {yours}, expected {expected}: the new sentence is put before those "
        "chosen, wherever it stands. Join the words in the order of the text",
        show=lambda parts: parts["order counts"],
    ),
    Mistake(
        "only the best one",
        lambda sentences, written, count, measure: greedy_with()(sentences, written, 1, measure),
        "two of six are {yours}, expected {expected}: one sentence, then you stop",
        show=two,
    ),
    Mistake(
        "joined behind those chosen",
        greedy_joined_behind,
        "where a sentence is chosen that stands before the first choice you take {yours}, expected "
        "{expected}: its words are put behind. Join the words in the order of the text",
        show=lambda parts: parts["a sentence before the first choice"],
    ),
    Mistake(
        "the measure's texts exchanged",
        lambda sentences, written, count, measure: greedy_with()(
            sentences, written, count, lambda a, b: measure(b, a)
        ),
        "with a measure that is not the same both ways you take {yours}, expected {expected}: which of the "
        "two texts comes first in `measure`?",
        show=lambda parts: parts["a measure of two different texts"],
    ),
    Mistake(
        "of equal ones the later",
        greedy_later,
        "of two equal sentences you take {yours}, expected {expected}: the earlier one is wanted",
        show=lambda parts: parts["two equal ones"],
    ),
    Mistake(
        "a sentence twice",
        greedy_again,
        "with a measure that grows with every word you take {yours}, expected {expected}: a sentence that is "
        "chosen already is tried again",
        show=lambda parts: parts["a measure that grows"],
    ),
    Mistake(
        "equal is enough",
        lambda sentences, written, count, measure: greedy_with()(
            sentences, written, count, lambda a, b: measure(a, b) + 1e-9
        ),
        "where no sentence has a word of the text you take {yours}, expected {expected}: a measure that stays "
        "at 0 is not raised",
        show=lambda parts: parts["nothing helps"],
    ),
)


EXERCISES = (
    Exercise(
        id="16.5",
        name="greedy_choice",
        reference=references.greedy_choice,
        stub=GREEDY,
        probe=probe_greedy,
        hints=(
            "Keep a list of the places that are chosen, and the measure that they have. In each round compute for every "
            "other place the measure of `sorted([*chosen, place])`.",
            "The words of some places are `[word for at in sorted(places) for word in sentences[at]]`. Take the place with "
            "the highest measure; if that is not above the one before, break.",
        ),
        mistakes=GREEDY_MISTAKES,
        notice="greedy is not best: two sentences that are only good together are never found; to try all sets would take "
        "too long",
        difficulty=2,
        minutes=14,
        show=two,
        variants=(greedy_with(),),
        seconds=5.0,
    ),
)
