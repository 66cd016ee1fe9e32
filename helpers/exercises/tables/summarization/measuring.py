"""Notebook 16: ROUGE-1, and the longest common subsequence behind ROUGE-L."""

from collections import Counter

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import summarization as references

# 16.2 rouge_1

ROUGE_1 = '''
def my_rouge_1(words, written):
    """ROUGE-1 of two lists of words, a float: the F1 of the words that they share.

    words: of the summary; written: of the one that a person wrote. A word is shared as often as both have
    it: three times "the" here and two times there make two. Precision is the share of `words` that is
    shared, recall the share of `written`, F1 is 2 * precision * recall / (precision + recall), and 0.0 where
    nothing is shared.
    """
    ...
'''

SUMMARY = "the model reads the text and the model marks the words".split()
WRITTEN = "the model quickly reads text and writes a title of the text".split()


def probe_rouge_1(rouge_1):
    yield "eleven words and twelve", float(rouge_1(list(SUMMARY), list(WRITTEN)))
    yield "nothing shared", float(rouge_1(["one"], ["two", "three"]))
    yield "no words", float(rouge_1([], ["two", "three"]))


def f1(shared, own, other):
    return 2 * shared / (own + other) if shared else 0.0


def overlap(words, written):
    return sum(min(words.count(word), written.count(word)) for word in set(words))


def of_sets(words, written):
    return f1(len(set(words) & set(written)), len(set(words)), len(set(written)))


def first(parts):
    return parts["eleven words and twelve"]


ROUGE_1_MISTAKES = (
    Mistake(
        "sets",
        of_sets,
        "eleven words and twelve give {yours}, expected {expected}: each word counts once, however often it stands there. "
        "A word is shared as often as both texts have it",
    ),
    Mistake(
        "every word that occurs there",
        lambda words, written: f1(sum(word in written for word in words), len(words), len(written)),
        'eleven words and twelve give {yours}, expected {expected}: all four "the" of the summary count, but the other '
        'text has two. A text of nothing but "the" would have a precision of 1',
    ),
    Mistake(
        "recall",
        lambda words, written: overlap(words, written) / len(written),
        "eleven words and twelve give {yours}, expected {expected}: that is the recall alone. Whoever copies the whole text "
        "has a recall of 1",
    ),
    Mistake(
        "precision",
        lambda words, written: overlap(words, written) / max(len(words), 1),
        "eleven words and twelve give {yours}, expected {expected}: that is the precision alone. A summary of one right word "
        "has a precision of 1",
    ),
    Mistake(
        "plain mean",
        lambda words, written: (
            overlap(words, written) / max(len(words), 1) / 2 + overlap(words, written) / len(written) / 2
        ),
        "eleven words and twelve give {yours}, expected {expected}: that is the plain mean of precision and recall; F1 is the "
        "harmonic one",
    ),
    Mistake(
        "in the same place",
        lambda words, written: f1(
            sum(a == b for a, b in zip(words, written, strict=False)), len(words), len(written)
        ),
        "eleven words and twelve give {yours}, expected {expected}: a word counts only where both texts have it in the same "
        "place. ROUGE-1 does not look at places",
    ),
    Mistake(
        "nothing shared is an error",
        lambda words, written: (
            2 / (len(words) / overlap(words, written) + len(written) / overlap(words, written))
        ),
        "two texts that share nothing end in a division by zero: their ROUGE-1 is 0.0",
        show=False,
        raises=ZeroDivisionError,
    ),
    Mistake(
        "the other text's words",
        lambda words, written: f1(sum(word in words for word in written), len(words), len(written)),
        'eleven words and twelve give {yours}, expected {expected}: both "text" of the written one count, but '
        "the summary has one. A word is shared as often as both texts have it",
    ),
    Mistake(
        "different words by all words",
        lambda words, written: f1(len(set(words) & set(written)), len(words), len(written)),
        "eleven words and twelve give {yours}, expected {expected}: all words are divided by, but a word that "
        "both have twice is shared once only (the length of a Counter is the number of its different words)",
    ),
    Mistake(
        "of the same word the larger count",
        lambda words, written: f1((Counter(words) | Counter(written)).total(), len(words), len(written)),
        "eleven words and twelve give {yours}, expected {expected}: of each word you keep the larger count, "
        "also where the other text has none. Shared is the smaller one",
    ),
    Mistake(
        "half of it",
        lambda words, written: f1(overlap(words, written), len(words), len(written)) / 2,
        "eleven words and twelve give {yours}, expected {expected}: half of it. Two equal texts would get 0.5",
    ),
    Mistake(
        "divided by the different words",
        lambda words, written: f1(overlap(words, written), len(set(words)), len(set(written))),
        "eleven words and twelve give {yours}, expected {expected}: the words are counted as often as they "
        "stand there above, and once below",
    ),
)

# 16.3 longest_common

LONGEST = '''
def my_longest_common(words, written):
    """The length of the longest common subsequence of two lists of words, an integer.

    A subsequence keeps the order and may leave words out: "the cat slept" is one of "the old cat never
    slept". The longest that both lists have is wanted.
    """
    ...
'''

LEFT = "works in this paper we show that the old parser fails and the new one is the best".split()
RIGHT = "in this paper we show the new parser works".split()


def probe_longest(longest_common):
    yield "eighteen words and nine", int(longest_common(list(LEFT), list(RIGHT)))
    yield "one word twice", int(longest_common(["a", "b", "a", "c"], ["a", "a", "b"]))
    yield "a word that never comes", int(longest_common(["b", "c", "d"], ["x", "b", "c"]))
    yield "no words", int(longest_common([], ["a"]))
    yield "the order turned", int(longest_common(list("abcde"), list("edcba")))


def longest_with(step=1, diagonal=True, both=True):
    """The table, filled with something else in one of its steps."""

    def program(words, written):
        table = [[0] * (len(written) + 1) for _ in range(len(words) + 1)]
        for i, word in enumerate(words, 1):
            for j, other in enumerate(written, 1):
                if word == other:
                    table[i][j] = (table[i - 1][j - 1] if diagonal else table[i - 1][j]) + step
                else:
                    table[i][j] = max(table[i - 1][j], table[i][j - 1]) if both else 0
        return table[-1][-1] if both else max(map(max, table))

    return program


def longest_greedy(words, written):
    place = found = 0
    for word in words:
        if word in written[place:]:
            place, found = place + written[place:].index(word) + 1, found + 1
    return found


def longest_waiting(words, written):
    found = 0
    for word in words:
        found += found < len(written) and word == written[found]
    return found


def longest_by(equal, other, rows=lambda n, m: [[0] * m for _ in range(n)]):
    """The table, filled by rules of (table, i, j)."""

    def program(words, written):
        table = rows(len(words) + 1, len(written) + 1)
        for i, word in enumerate(words, 1):
            for j, second in enumerate(written, 1):
                table[i][j] = (equal if word == second else other)(table, i, j)
        return table[-1][-1]

    return program


def before(table, i, j):
    return table[i - 1][j - 1]


def larger(table, i, j):
    return max(table[i - 1][j], table[i][j - 1])


longest_from_neighbors = longest_by(lambda *at: larger(*at) + 1, larger)
longest_diagonal = longest_by(lambda *at: before(*at) + 1, before)
longest_in_one_row = longest_by(lambda *at: before(*at) + 1, larger, lambda n, m: [[0] * m] * n)


def longest_recursive(words, written):
    known = {}

    def length(i, j):
        if i == len(words) or j == len(written):
            return 0
        if (i, j) not in known:
            same = words[i] == written[j]
            known[i, j] = 1 + length(i + 1, j + 1) if same else max(length(i + 1, j), length(i, j + 1))
        return known[i, j]

    return length(0, 0)


def eighteen(parts):
    return parts["eighteen words and nine"]


LONGEST_MISTAKES = (
    Mistake(
        "words in common",
        lambda words, written: (Counter(words) & Counter(written)).total(),
        "eighteen words and nine give {yours}, expected {expected}: these are all words that both have, in whatever "
        "order. A subsequence keeps the order in both",
    ),
    Mistake(
        "without a gap",
        longest_with(both=False),
        "eighteen words and nine give {yours}, expected {expected}: that is the longest stretch without a gap. A "
        "subsequence may leave words out",
    ),
    Mistake(
        "always the next that fits",
        longest_greedy,
        "eighteen words and nine give {yours}, expected {expected}: each word takes the next place that fits, and one "
        "that matches far away costs all places before it. Sometimes a word is better left out",
    ),
    Mistake(
        "a word used twice",
        longest_with(diagonal=False),
        "eighteen words and nine give {yours}, expected {expected}: where two words are equal, you go on from the same "
        "place of the second list, so one word of it can serve several of the first. From which cell must one come?",
    ),
    Mistake(
        "different words",
        lambda words, written: len(set(words) & set(written)),
        "eighteen words and nine give {yours}, expected {expected}: these are the different words that both have. Order "
        "counts here, and a word can stand twice",
    ),
    Mistake(
        "equal from the beginning",
        lambda words, written: next(
            (n for n, (a, b) in enumerate(zip(words, written, strict=False)) if a != b),
            min(len(words), len(written)),
        ),
        "eighteen words and nine give {yours}, expected {expected}: you count until the first difference. After a "
        "difference it may go on",
    ),
    Mistake(
        "waiting for the next word",
        longest_waiting,
        "where the first word of the other list never comes you get {yours}, expected {expected}: you wait "
        "for it to the end. May a word of the second list be left out, too?",
        show=lambda parts: parts["a word that never comes"],
    ),
    Mistake(
        "one more than the neighbors",
        longest_from_neighbors,
        "eighteen words and nine give {yours}, expected {expected}: where two words are equal you go on from "
        "the larger neighbor, and a word can be used twice. From which cell must one come?",
    ),
    Mistake(
        "always down the diagonal",
        longest_diagonal,
        "eighteen words and nine give {yours}, expected {expected}: where two words differ you leave both "
        "out. Only one of them need be left out",
    ),
    Mistake(
        "one list of zeros for all rows",
        longest_in_one_row,
        "with a word that is in one list twice you get {yours}, expected {expected}: `[row] * n` is n times "
        "the same list, so that the row above is overwritten",
        show=lambda parts: parts["one word twice"],
    ),
)

EXERCISES = (
    Exercise(
        id="16.2",
        name="rouge_1",
        reference=references.rouge_1,
        stub=ROUGE_1,
        probe=probe_rouge_1,
        hints=(
            "`Counter(words)` counts each word. Two counters joined by & keep of each word the smaller count.",
            "`shared = sum((Counter(words) & Counter(written)).values())`; return 0.0 if that is 0, before you divide.",
        ),
        mistakes=ROUGE_1_MISTAKES,
        notice="F1 is also 2 × shared / (words + words of the other): a long summary pays for every word that is not shared",
        difficulty=1,
        minutes=8,
        show=first,
        variants=(lambda words, written: f1(overlap(words, written), len(words), len(written)),),
    ),
    Exercise(
        id="16.3",
        name="longest_common",
        reference=references.longest_common,
        stub=LONGEST,
        probe=probe_longest,
        hints=(
            "Make a table with a row for each number of first words of one list and a column for each of the other. Which "
            "three cells tell what stands in the next one?",
            "If the two words are equal, the cell is the one diagonally before it plus 1; if not, the larger of the one "
            "above and the one to the left. The first row and column are zeros; the answer is the last cell.",
        ),
        mistakes=LONGEST_MISTAKES,
        notice="the table has as many cells as the product of both lengths: for whole papers that is slow, for summaries not",
        difficulty=3,
        minutes=18,
        show=eighteen,
        variants=(longest_recursive,),
    ),
)
