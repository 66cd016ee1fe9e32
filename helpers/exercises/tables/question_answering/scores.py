"""Notebook 15, scores: what counts as the same answer, and how much of it was found."""

import re
import string
from collections import Counter

from helpers import reading
from helpers.exercises.exercise import Exercise, Mistake
from helpers.reading import normalize_answer

# 15.6 normalize_answer

NORMALIZE = '''
def my_normalize_answer(text):
    """What SQuAD compares: the text in lower case, without punctuation, without the words a, an and the.

    In this order; punctuation is what is in string.punctuation. Words are separated by one space, none stands
    at the ends.
    """
    ...
'''

CASES = {
    "an article": "the  Eiffel Tower",
    "capitals": "New York",
    "marks": "U.S.A.",
    "a hyphen": "well-known",
    "letters of an article in a word": "a theater and the banana",
    "an article behind a mark": "(The) Beatles",
    "an article with a mark in it": "A.N. Other, a.k.a. An",
    "nothing left": "The!",
    "two articles in a row": "the The end",
    "marks of other kinds": "snake_case costs 5 €",
}


def probe_normalize(normalize):
    for name, text in CASES.items():
        yield name, normalize(text)


def normal_with(text, *, lower=True, marks="", articles=r"\b(a|an|the)\b", joined=True, first="marks"):
    """SQuAD's steps, some of them in another way."""
    text = text.lower() if lower else text
    steps = {
        "marks": lambda text: "".join(marks if c in string.punctuation else c for c in text),
        "articles": lambda text: re.sub(articles, " ", text) if articles else text,
    }
    for step in (first, *(name for name in steps if name != first)):
        text = steps[step](text)
    return " ".join(text.split()) if joined else text


def articles_before_lower(text):
    text = "".join(c for c in text if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).lower().split())


def case(name):
    return lambda parts: parts[name]


NORMALIZE_MISTAKES = (
    Mistake(
        "capitals stay",
        lambda text: normal_with(text, lower=False),
        '"New York" becomes {yours!r}, expected {expected!r}: capitals are no difference between answers',
        show=case("capitals"),
    ),
    Mistake(
        "marks to spaces",
        lambda text: normal_with(text, marks=" "),
        '"U.S.A." becomes {yours!r}, expected {expected!r}: marks become spaces, and one word three. SQuAD\'s marks '
        "vanish without a trace",
        show=case("marks"),
    ),
    Mistake(
        "marks stay",
        lambda text: (
            normal_with(text, first="articles", marks="").join(["", ""])
            if not any(c in string.punctuation for c in text)
            else " ".join(re.sub(r"\b(a|an|the)\b", " ", text.lower()).split())
        ),
        '"U.S.A." becomes {yours!r}, expected {expected!r}: nothing takes the marks away',
        show=case("marks"),
    ),
    Mistake(
        "articles stay",
        lambda text: normal_with(text, articles=""),
        "an article stays: {yours!r}, expected {expected!r}",
        show=case("an article"),
    ),
    Mistake(
        "letters of articles",
        lambda text: normal_with(text, articles="a|an|the"),
        '"a theater and the banana" becomes {yours!r}, expected {expected!r}: letters inside words are taken for '
        "articles. Only whole words are meant: in a regular expression \\b is the border of a word",
        show=case("letters of an article in a word"),
    ),
    Mistake(
        "articles first",
        lambda text: normal_with(text, first="articles"),
        '"A.N. Other, a.k.a. An" becomes {yours!r}, expected {expected!r}: articles are taken away before the marks, so '
        "a letter between marks counts as an article",
        show=case("an article with a mark in it"),
    ),
    Mistake(
        "spaces stay",
        lambda text: normal_with(text, joined=False),
        "an article leaves its spaces: {yours!r}, expected {expected!r}. split() and join make one of many",
        show=case("an article"),
    ),
    Mistake(
        "only strip at the ends",
        lambda text: " ".join(
            word
            for word in (w.strip(string.punctuation) for w in text.lower().split())
            if word not in ("a", "an", "the", "")
        ),
        '"well-known" becomes {yours!r}, expected {expected!r}: only marks at the ends of words are taken away',
        show=case("a hyphen"),
    ),
    Mistake(
        "no spaces left",
        lambda text: normal_with(text).replace(" ", ""),
        "an article and two words become {yours!r}, expected {expected!r}: words are separated by one space",
        show=case("an article"),
    ),
    Mistake(
        "articles in capitals stay",
        articles_before_lower,
        "an article behind a mark becomes {yours!r}, expected {expected!r}: articles are looked for before "
        "the letters are small",
        show=case("an article behind a mark"),
    ),
    Mistake(
        "only the",
        lambda text: normal_with(text, articles=r"\bthe\b"),
        "two of the three articles stay: {yours!r}, expected {expected!r}",
        show=case("letters of an article in a word"),
    ),
    Mistake(
        "what no word has",
        lambda text: (
            normal_with(re.sub(r"[^\w\s]", "", text))
            if "_" not in text
            else " ".join(re.sub(r"[^\w\s]", "", text.lower()).split())
        ),
        "marks of other kinds become {yours!r}, expected {expected!r}: \\w takes _ for a letter and not €. "
        "Punctuation is just what is in string.punctuation",
        show=case("marks of other kinds"),
    ),
)

# 15.7 f1_score

F1 = '''
def my_f1_score(answer, truths):
    """The F1 of an answer against the truth that fits best: 2 x shared / (words of both), from 0.0 to 1.0.

    answer: a text. truths: a list of texts, one at least. Words are those of normalize_answer(text).split();
    a word that is twice in both counts twice. Where the answer or the truth has no words, the F1 is 1.0 if
    neither has any, else 0.0.
    """
    ...
'''

PAIRS = {
    "the same": ("The red house", ["red house"]),
    "half of it": ("house", ["the old house"]),
    "more than it": ("in the old red house", ["red house"]),
    "a word twice in one": ("no no no", ["no"]),
    "a word more often in the truth": ("no", ["no no no"]),
    "a word twice in both": ("very very good", ["very good very bad"]),
    "two truths": ("red house", ["a green house", "house of stone", "the red house", "a house"]),
    "truths that could add up": ("red house", ["red", "house"]),
    "no answer, rightly": ("", [""]),
    "no answer, wrongly": ("", ["house"]),
    "an answer where there is none": ("a house", [""]),
    "nothing shared": ("red", ["green"]),
}


def probe_f1(f1):
    for name, (answer, truths) in PAIRS.items():
        yield name, float(f1(answer, list(truths)))


def f1_with(answer, truths, *, shared=None, formula=None, combine=max, words=lambda text: normalize_answer(text).split(),
            empty=lambda found, truth: float(found == truth)):  # fmt: skip
    """F1 with another count of shared words, another formula, or another way of combining truths."""
    shared = shared or (lambda a, b: sum((Counter(a) & Counter(b)).values()))
    formula = formula or (lambda same, a, b: 2 * same / (a + b))
    found = words(answer)
    scores = []
    for truth in map(words, truths):
        if not found or not truth:
            scores.append(empty(found, truth))
        else:
            scores.append(formula(shared(found, truth), len(found), len(truth)))
    return combine(scores)


F1_MISTAKES = (
    Mistake(
        "words as a set",
        lambda answer, truths: f1_with(answer, truths, shared=lambda a, b: len(set(a) & set(b))),
        "with a word twice in both you get {yours}, expected {expected}: a set holds each word once",
        show=case("a word twice in both"),
    ),
    Mistake(
        "words counted in one only",
        lambda answer, truths: f1_with(answer, truths, shared=lambda a, b: sum(word in b for word in a)),
        '"no no no" against "no" gets {yours}, expected {expected}: a word of the truth can be found once only. What is '
        "shared of two counts is the smaller one",
        show=case("a word twice in one"),
    ),
    Mistake(
        "precision",
        lambda answer, truths: f1_with(answer, truths, formula=lambda same, a, b: same / a),
        "half of the truth gets {yours}, expected {expected}: that is the share of the answer's words that are right, "
        "and a single word would always do",
        show=case("half of it"),
    ),
    Mistake(
        "recall",
        lambda answer, truths: f1_with(answer, truths, formula=lambda same, a, b: same / b),
        "more than the truth gets {yours}, expected {expected}: that is the share of the truth that was found, and the "
        "whole context would be perfect",
        show=case("more than it"),
    ),
    Mistake(
        "shared by all words of either",
        lambda answer, truths: f1_with(answer, truths, formula=lambda same, a, b: same / (a + b - same)),
        "more than the truth gets {yours}, expected {expected}: shared words by all different ones is another measure, "
        "Jaccard's",
        show=case("more than it"),
    ),
    Mistake(
        "mean over the truths",
        lambda answer, truths: f1_with(answer, truths, combine=lambda scores: sum(scores) / len(scores)),
        "with four truths you get {yours}, expected {expected}: they are answers of several people, and agreeing with "
        "one is enough",
        show=case("two truths"),
    ),
    Mistake(
        "the first truth",
        lambda answer, truths: f1_with(answer, truths[:1]),
        "with four truths you get {yours}, expected {expected}: only the first is looked at",
        show=case("two truths"),
    ),
    Mistake(
        "all truths in one",
        lambda answer, truths: f1_with(answer, [" ".join(truths)]),
        "with truths that could add up you get {yours}, expected {expected}: the truths' words are thrown together",
        show=case("truths that could add up"),
    ),
    Mistake(
        "not normalized",
        lambda answer, truths: f1_with(answer, truths, words=str.split),
        '"The red house" against "red house" gets {yours}, expected {expected}: the words are compared as they are '
        "written",
        show=case("the same"),
    ),
    Mistake(
        "only the answer normalized",
        lambda answer, truths: f1_with(normalize_answer(answer), truths, words=str.split),
        '"house" against "the old house" gets {yours}, expected {expected}: the truths have to be normalized, too',
        show=case("half of it"),
    ),
    Mistake(
        "nothing is wrong",
        lambda answer, truths: f1_with(answer, truths, empty=lambda found, truth: 0.0),
        '"no answer" where there is none gets {yours}, expected {expected}: saying nothing was right',
        show=case("no answer, rightly"),
    ),
    Mistake(
        "division by zero",
        lambda answer, truths: max(
            2 * sum((Counter(a) & Counter(b)).values()) / (len(a) + len(b))
            for a, b in ((normalize_answer(answer).split(), normalize_answer(t).split()) for t in truths)
        ),
        "something is divided by zero: where a text has no words, for which the docstring has a rule of its own, or "
        "where two texts share none, so that precision and recall are both 0",
        raises=ZeroDivisionError,
    ),
    Mistake(
        "the last truth",
        lambda answer, truths: f1_with(answer, truths[-1:]),
        "with four truths you get {yours}, expected {expected}: only the last is looked at. Is the best one "
        "kept?",
        show=case("two truths"),
    ),
    Mistake(
        "the worst truth",
        lambda answer, truths: f1_with(answer, truths, combine=min),
        "with four truths you get {yours}, expected {expected}: that is the one that fits worst",
        show=case("two truths"),
    ),
    Mistake(
        "counted in the answer only",
        lambda answer, truths: f1_with(answer, truths, shared=lambda a, b: sum(word in a for word in b)),
        '"no" against "no no no" gets {yours}, expected {expected}: a word of the answer can be used once '
        "only. What is shared of two counts is the smaller one",
        show=case("a word more often in the truth"),
    ),
    Mistake(
        "the plain mean",
        lambda answer, truths: f1_with(answer, truths, formula=lambda same, a, b: (same / a + same / b) / 2),
        "half of the truth gets {yours}, expected {expected}: that is the plain mean of precision and recall. "
        "F1 is the harmonic one",
        show=case("half of it"),
    ),
    Mistake(
        "letters",
        lambda answer, truths: f1_with(answer, truths, words=normalize_answer),
        "half of the truth gets {yours}, expected {expected}: letters are compared. What makes words of a "
        "text?",
        show=case("half of it"),
    ),
    Mistake(
        "always right without words",
        lambda answer, truths: f1_with(answer, truths, empty=lambda found, truth: 1.0),
        '"no answer" where there is one gets {yours}, expected {expected}: an empty answer is right only '
        "where the truth is empty, too",
        show=case("no answer, wrongly"),
    ),
    Mistake(
        "all or nothing",
        lambda answer, truths: float(
            any(normalize_answer(answer) == normalize_answer(truth) for truth in truths)
        ),
        "half of the truth gets {yours}, expected {expected}: you ask whether the two are equal. That is the "
        "other measure, exact match",
        show=case("half of it"),
    ),
)


def f1_by_precision_and_recall(answer, truths):
    best = 0.0
    for truth in truths:
        a, b = normalize_answer(answer).split(), normalize_answer(truth).split()
        left, shared = list(b), 0
        for word in a:
            if word in left:
                left.remove(word)
                shared += 1
        if not a or not b:
            score = float(a == b)
        elif shared == 0:
            score = 0.0
        else:
            precision, recall = shared / len(a), shared / len(b)
            score = 2 * precision * recall / (precision + recall)
        best = max(best, score)
    return best


EXERCISES = (
    Exercise(
        id="15.6",
        name="normalize_answer",
        reference=reading.normalize_answer,
        stub=NORMALIZE,
        probe=probe_normalize,
        hints=(
            "Four steps, and their order matters: lower case, marks, articles, spaces.",
            "Marks: keep the characters that are not in string.punctuation, and join them with nothing between. "
            'Articles: `re.sub(r"\\b(a|an|the)\\b", " ", text)`. Spaces: `" ".join(text.split())`.',
        ),
        mistakes=NORMALIZE_MISTAKES,
        notice='"U.S." and "us" become the same, and 3.5 becomes 35: the rule is crude, but it is the one that all published '
        "numbers used",
        difficulty=1,
        minutes=7,
        variants=(
            lambda text: " ".join(
                word
                for word in "".join(c for c in text.lower() if c not in string.punctuation).split()
                if word not in ("a", "an", "the")
            ),
        ),
    ),
    Exercise(
        id="15.7",
        name="f1_score",
        reference=reading.f1_score,
        stub=F1,
        probe=probe_f1,
        hints=(
            "For each truth a number, and at the end the largest. For one truth: how many words are shared, when each "
            "can be used up once?",
            "`Counter(a) & Counter(b)` has of each word the smaller count; the sum of its values is what is shared.",
        ),
        mistakes=F1_MISTAKES,
        notice="F1 is the harmonic mean of two shares: how much of the answer is right, and how much of the truth was found",
        difficulty=2,
        minutes=10,
        variants=(f1_by_precision_and_recall,),
    ),
)
