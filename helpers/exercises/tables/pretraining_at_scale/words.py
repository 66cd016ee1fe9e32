"""17.1: runs of words, by which copies are found."""

import re

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import pretraining_at_scale as references

STUB = '''
def my_runs_of_words(passage, length_of_run):
    """All runs of so many words in a passage, a set of tuples: in small letters, without punctuation."""
    ...
'''


def probe(runs_of_words):
    yield "three words in a row", runs_of_words("The Cat, the dog; the CAT.", 3)
    yield "two words in a row", runs_of_words("one two\none  two three", 2)
    yield "a passage that is too short", runs_of_words("only two", 3)
    yield "a passage of one run", runs_of_words("just three words", 3)
    yield "numbers and other letters", runs_of_words("Été 2018: BERT", 2)
    yield "repeated runs", runs_of_words("so so so so", 2)


def found(text):
    return re.findall(r"\w+", text)


def windows(words, size, step=1, last=1):
    return {tuple(words[k : k + size]) for k in range(0, len(words) - size + last, step)}


def first(parts):
    return len(parts["three words in a row"])


def one_run(parts):
    return parts["a passage of one run"]


EXERCISE = Exercise(
    id="17.1",
    name="runs_of_words",
    reference=references.runs_of_words,
    stub=STUB,
    probe=probe,
    hints=(
        "First the list of all words in small letters; then a slice of it for every place where a run can begin.",
        "Of 6 words, runs of 3 can begin at the places 0, 1, 2 and 3: how many places is that, in general?",
        "A set holds tuples, not lists: `tuple(words[k : k + length_of_run])`.",
    ),
    mistakes=(
        Mistake(
            "marks are words",
            lambda passage, size: windows(re.findall(r"\w+|[^\w\s]", passage.lower()), size),
            "you find {yours} runs of three in six words, expected {expected}: commas and stops are kept as words of their own. They are to be left out",
            show=first,
        ),
        Mistake(
            "marks cut out, words left together",
            lambda passage, size: windows(re.sub(r"[^a-z]", "", passage.lower()).split(), size),
            "you find {yours} runs of three in six words, expected {expected}: with the punctuation the spaces went, too, and all words became one",
            show=first,
        ),
        Mistake(
            "capitals kept",
            lambda passage, size: windows(found(passage), size),
            "capitals are kept, so THE CAT and the cat are different runs: a copy with other capitals would not be "
            "found",
        ),
        Mistake(
            "punctuation kept",
            lambda passage, size: windows(passage.lower().split(), size),
            "words keep their commas and stops, so a copy with other punctuation would not be found: what does "
            "`re.findall` with the pattern for words give?",
        ),
        Mistake(
            "last run lost",
            lambda passage, size: windows(found(passage.lower()), size, last=0),
            "you find {yours} runs of three in six words, expected {expected}: the last one is lost. At which place "
            "does the last run begin?",
            show=first,
        ),
        Mistake(
            "runs that do not overlap",
            lambda passage, size: windows(found(passage.lower()), size, step=size),
            "you find {yours} runs of three in six words, expected {expected}: yours lie side by side. A copy may "
            "begin at any word",
            show=first,
        ),
        Mistake(
            "short ends kept",
            lambda passage, size: windows(found(passage.lower()), size, last=size),
            "you find {yours} runs of three in six words, expected {expected}: those that begin near the end are "
            "shorter than asked for",
            show=first,
        ),
        Mistake(
            "letters",
            lambda passage, size: windows(passage.lower(), size),
            "these are runs of letters, not of words: a string is a sequence of letters, so cut it into words first",
        ),
        Mistake(
            "texts instead of tuples",
            lambda passage, size: {" ".join(run) for run in windows(found(passage.lower()), size)},
            "right but for the form: each run is one string, and a tuple of words is asked for",
        ),
        Mistake(
            "a list",
            lambda passage, size: [
                tuple(found(passage.lower())[k : k + size])
                for k in range(len(found(passage.lower())) - size + 1)
            ],
            "the runs are right, but a list keeps each as often as it occurs, and has no intersection: make it a set",
        ),
        Mistake(
            "no word twice",
            lambda passage, size: windows(list(dict.fromkeys(found(passage.lower()))), size),
            "you find {yours} runs of three in six words, expected {expected}: a word that comes again is dropped "
            "from the line of words. Only runs need to be unique",
            show=first,
        ),
        Mistake(
            "lists in a set",
            lambda passage, size: {
                found(passage.lower())[k : k + size] for k in range(len(found(passage.lower())) - size + 1)
            },
            "a list can't be put in a set, since it may change later: make each run a tuple",
            raises=TypeError,
        ),
        Mistake(
            "sorted words",
            lambda passage, size: windows(sorted(found(passage.lower())), size),
            "the words are no longer in their order, so these runs stand nowhere in the passage",
        ),
        Mistake(
            "letters of English alone",
            lambda passage, size: windows(re.findall(r"[a-z]+", passage.lower()), size),
            "of 'Été 2018: BERT' you find {yours}, expected {expected}: numbers are words, too, and so is what "
            "other languages write. What does \\w stand for?",
            show=lambda parts: parts["numbers and other letters"],
        ),
        Mistake(
            "a short passage as a run",
            lambda passage, size: windows(found(passage.lower()), size) or {tuple(found(passage.lower()))},
            "right but for a passage that is too short: you give {yours}, expected {expected}: it has no run of "
            "so many words",
            show=lambda parts: parts["a passage that is too short"],
        ),
        Mistake(
            "the first run lost",
            lambda passage, size: windows(found(passage.lower())[1:], size),
            "you find {yours} runs of three in six words, expected {expected}: the first one is lost. At which "
            "place does the first run begin?",
            show=first,
        ),
        Mistake(
            "a word too many",
            lambda passage, size: windows(found(passage.lower()), size + 1),
            "your runs are one word too long: of how many words is `words[k : k + length_of_run]`?",
        ),
    ),
    notice="a set answers the question whether a run is in it at once, however many runs it holds",
    difficulty=1,
    minutes=6,
    variants=(
        lambda passage, size: set(zip(*(found(passage.lower())[k:] for k in range(size)), strict=False)),
        lambda passage, size: windows([w.lower() for w in found(passage)], size),
    ),
)
