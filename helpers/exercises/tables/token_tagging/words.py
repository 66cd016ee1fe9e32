"""Notebook 13: the case of a word."""

from helpers import tagging
from helpers.exercises.exercise import Exercise, Mistake

CASE = '''
def my_case_of(word):
    """How the letters of a word are written: "lower", "Capital", "UPPER" or "miXed".

    "lower": no letter is a capital one (or there is no letter). "Capital": the first letter is one, no other;
    digits in front don't count. "UPPER": all letters are capital ones, two or more. "miXed": the rest.
    """
    ...
'''

WORDS = {
    "the": "the", "The": "The", "NASA": "NASA", "UK": "UK", "iPhone": "iPhone", "McDonald": "McDonald", "A": "A", "a": "a",
    "3D": "3D", "1960s": "1960s", "number 42": "42", "État": "État",
}  # fmt: skip


def probe_case(case_of):
    yield "words", {name: case_of(word) for name, word in WORDS.items()}


def case_with(*, single="Capital", rest="miXed", letters=lambda word: [c for c in word if c.isalpha()]):
    """The function with another answer for single letters or mixed words, or another idea of a letter."""

    def case_of(word):
        found = letters(word)
        if not any(letter.isupper() for letter in found):
            return "lower"
        if len(found) == 1:
            return single
        if found[0].isupper() and not any(letter.isupper() for letter in found[1:]):
            return "Capital"
        return "UPPER" if all(letter.isupper() for letter in found) else rest

    return case_of


def case_by_first_letter(word):
    letters = [c for c in word if c.isalpha()]
    return (
        "Capital"
        if letters and letters[0].isupper()
        else "miXed"
        if any(map(str.isupper, letters))
        else "lower"
    )


def case_without_lower_first(word):
    if word.islower():
        return "lower"
    letters = [c for c in word if c.isalpha()]
    if len(letters) == 1 or (letters and letters[0].isupper() and not any(map(str.isupper, letters[1:]))):
        return "Capital"
    return "UPPER" if all(map(str.isupper, letters)) else "miXed"


def case_by_methods(word):
    if word == word.lower():
        return "lower"
    if word == word.title():
        return "Capital"
    return "UPPER" if word == word.upper() else "miXed"


def case_by_count(word):
    capitals, letters = sum(map(str.isupper, word)), sum(map(str.isalpha, word))
    return (
        "lower"
        if capitals == 0
        else "Capital"
        if capitals == 1
        else "UPPER"
        if capitals == letters
        else "miXed"
    )


def case_by_upper_first(word):
    if word == word.lower():
        return "lower"
    if word[0].isupper() and word[1:] == word[1:].lower():
        return "Capital"
    return "UPPER" if word == word.upper() else "miXed"


MISTAKES = (
    Mistake(
        "a single letter is UPPER",
        case_with(single="UPPER"),
        '"A" is {yours[A]}, expected {expected[A]}: a single capital letter could be both, and nearly always it is a word '
        "at the start of a sentence, or an initial. Which class should it go to?",
    ),
    Mistake(
        "the first letter alone",
        case_by_first_letter,
        '"NASA" is {yours[NASA]}, expected {expected[NASA]}: you look at the first letter alone; what do the others say?',
    ),
    Mistake(
        "nothing is mixed",
        case_with(rest="Capital"),
        '"iPhone" is {yours[iPhone]}, expected {expected[iPhone]}: a word with some capital letters, but not only the first '
        "one, has a class of its own",
    ),
    Mistake(
        "ASCII letters alone",
        case_with(letters=lambda word: [c for c in word if c.isascii() and c.isalpha()]),
        '"État" is {yours[État]}, expected {expected[État]}: É is a letter, too. Python\'s strings have a method that '
        "knows the letters of all alphabets",
    ),
    Mistake(
        "42 is not lower",
        case_without_lower_first,
        '"42" is {yours[number 42]}, expected {expected[number 42]}: a word without letters is neither. `islower` is False for it, '
        "since it asks for at least one letter",
    ),
    Mistake(
        "digits in front",
        case_by_upper_first,
        '"3D" is {yours[3D]}, expected {expected[3D]}: the first character is a digit. Look at the letters alone',
    ),
    Mistake(
        "istitle, isupper, islower",
        lambda word: (
            "lower"
            if word.islower()
            else "UPPER"
            if word.isupper()
            else "Capital"
            if word.istitle()
            else "miXed"
        ),
        '"A" is {yours[A]} and "42" {yours[number 42]}, expected {expected[A]} and {expected[number 42]}: '
        "`isupper` says yes to a single capital letter, and neither it nor `islower` to a word without "
        "letters. Which question should come first?",
    ),
    Mistake(
        "the number of capitals",
        case_by_count,
        '"iPhone" is {yours[iPhone]}, expected {expected[iPhone]}: it has one capital letter, but is it the '
        "first of its letters?",
    ),
    Mistake(
        "42 is mixed",
        lambda word: (
            "lower"
            if word.islower()
            else "Capital"
            if word.istitle()
            else "UPPER"
            if word.isupper()
            else "miXed"
        ),
        '"42" is {yours[number 42]}, expected {expected[number 42]}: a word without letters is neither. '
        "`islower` asks for at least one letter",
    ),
)

EXERCISES = (
    Exercise(
        id="13.1",
        name="case_of",
        reference=tagging.case_of,
        stub=CASE,
        probe=probe_case,
        hints=(
            "Make a list of the letters first: `[c for c in word if c.isalpha()]`. Then ask three things of it, one after "
            "the other.",
            'No capital letter among them: "lower". The first one and no other: "Capital". All of them: "UPPER". `any` and '
            "`all` with `c.isupper()` say it.",
        ),
        mistakes=MISTAKES,
        notice="the order of the questions decides what a single letter is",
        difficulty=1,
        minutes=6,
        show=lambda parts: parts["words"],
        variants=(case_with(), case_by_methods),
    ),
)
