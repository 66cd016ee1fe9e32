"""Tokens per word; the gain of likelihood by a join."""

from collections import Counter
from math import log, log2

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import training_a_vocabulary as references
from helpers.exercises.steps import stepwise
from helpers.wordpiece import longest_match_first

# 2.8 tokens_per_word

ENTRIES = ("ab", "c", "##a", "##b", "##c", "x")
WORD_COUNTS = {"ab": 6, "abc": 2, "cab": 3, "xyz": 1}


def probe_tokens(tokens_per_word):
    yield "four words", float(tokens_per_word(list(ENTRIES), Counter(WORD_COUNTS)))
    yield "one word", float(tokens_per_word(list(ENTRIES), Counter({"cab": 7})))


def cut(word, entries):
    return [piece for piece, _, _ in longest_match_first(word, set(entries))]


def tokens_counted(entries, counts, size=len):
    return sum(count * size(cut(word, entries)) for word, count in counts.items())


TOKENS_MISTAKES = (
    Mistake(
        "each word once",
        lambda entries, counts: sum(len(cut(word, entries)) for word in counts) / len(counts),
        "you get {yours}, expected {expected}: each distinct word counts once. In running text, a frequent word counts as often as "
        "it occurs",
    ),
    Mistake(
        "divided by the distinct words",
        lambda entries, counts: tokens_counted(entries, counts) / len(counts),
        "you get {yours}, expected {expected}: all tokens of the text are divided by the number of *distinct* words",
    ),
    Mistake(
        "tokens of distinct words",
        lambda entries, counts: sum(len(cut(word, entries)) for word in counts) / counts.total(),
        "you get {yours}, expected {expected}: the tokens of each word are counted once, and the words as often as they occur",
    ),
    Mistake(
        "divided by the entries",
        lambda entries, counts: tokens_counted(entries, counts) / len(entries),
        "you get {yours}, expected {expected}: you divide by the size of the vocabulary. How many *words* has the text?",
    ),
    Mistake(
        "not divided",
        lambda entries, counts: float(tokens_counted(entries, counts)),
        "you get {yours}, expected {expected}: that is the number of tokens of the whole text. How many words has it?",
    ),
    Mistake(
        "words per token",
        lambda entries, counts: counts.total() / tokens_counted(entries, counts),
        "you get {yours}, expected {expected}: words per token. No word has less than one token",
    ),
    Mistake(
        "letters",
        lambda entries, counts: sum(count * len(word) for word, count in counts.items()) / counts.total(),
        "you get {yours}, expected {expected}: that is the number of letters of a word. A token may have several",
    ),
    Mistake(
        "letters of a token",
        lambda entries, counts: (
            sum(count * len(word) for word, count in counts.items()) / tokens_counted(entries, counts)
        ),
        "you get {yours}, expected {expected}: that is the number of letters per token",
    ),
    Mistake(
        "unknown left out",
        lambda entries, counts: (
            tokens_counted(entries, counts, lambda pieces: sum(p != "[UNK]" for p in pieces)) / counts.total()
        ),
        "you get {yours}, expected {expected}: a word that becomes [UNK] counts as a word, so its one token counts, too",
    ),
    Mistake(
        "the largest number",
        lambda entries, counts: float(max(len(cut(word, entries)) for word in counts)),
        "you get {yours}, expected {expected}: that is the most tokens of any word",
    ),
    Mistake(
        "whole numbers",
        lambda entries, counts: tokens_counted(entries, counts) // sum(counts.values()),
        "you get {yours}, expected {expected}: `//` cuts to a whole number; a mean has digits behind the point",
    ),
)

TOKENS_PER_WORD = Exercise(
    id="2.8",
    name="tokens_per_word",
    reference=references.tokens_per_word,
    stub='''
def my_tokens_per_word(entries, word_counts):
    """The mean number of tokens of a word in running text; word_counts: a Counter {word: how often}."""
    ...
''',
    probe=stepwise(probe_tokens, references.tokens_per_word),
    hints=(
        "Two numbers are needed: how many tokens the whole text has, and how many words.",
        "`len(longest_match_first(word, entries))` is the number of tokens of one word; it occurs `word_counts[word]` times. A "
        "Counter's `total()` adds up its counts.",
    ),
    mistakes=TOKENS_MISTAKES,
    notice="`longest_match_first` asks for each end of each piece whether it is in the vocabulary: make a set of the entries first, "
    "or a list of 8,000 is searched each time",
    asks={
        "four words": "All tokens of the text divided by all its words, each word as often as it occurs",
    },
    difficulty=1,
    minutes=6,
    show=lambda parts: parts["four words"],
    variants=(
        lambda entries, counts: (
            sum(len(cut(word, entries)) for word in counts.elements()) / len(list(counts.elements()))
        ),
        lambda entries, counts: tokens_counted(entries, counts) / sum(counts.values()),
    ),
)

# 2.9 likelihood_gain


def probe_gain(likelihood_gain):
    yield "n_pair=4, n_first=10, n_second=7, n_all=100", float(likelihood_gain(4, 10, 7, 100))
    yield "n_pair=3, n_first=3, n_second=3, n_all=8", float(likelihood_gain(3, 3, 3, 8))
    yield "n_pair=2, n_first=40, n_second=30, n_all=200", float(likelihood_gain(2, 40, 30, 200))


def f(x, ln=log):
    return x * ln(x) if x > 0 else 0.0


def gain_with(second=True, first=True, new=True, shorter=True, fewer=1, total=1, sign=1, ln=log, f=f):
    """The gain with one term done in another way."""

    def gain(n_pair, n_first, n_second, n_all):
        after = f(n_first - n_pair * first, ln) + f(n_second - n_pair * second, ln) + f(n_pair, ln) * new
        before = f(n_first, ln) + f(n_second, ln)
        after -= total * f(n_all - n_pair * shorter * fewer, ln)
        return sign * (after - before + total * f(n_all, ln))

    return gain


def unguarded(x, ln):
    return x * ln(x)


def gain_of_terms(before, after):
    """The gain with f(N) counted with these signs, before and after the join."""

    def gain(n_pair, n_first, n_second, n_all):
        pieces = f(n_first - n_pair) + f(n_second - n_pair) + f(n_pair) - f(n_first) - f(n_second)
        return pieces + before * f(n_all) + after * f(n_all - n_pair)

    return gain


GAIN_MISTAKES = (
    Mistake(
        "f of 0",
        gain_with(f=unguarded),
        "where a piece occurs only in this pair, nothing of it is left, and 0 has no logarithm. What is x ln x close to 0?",
        raises=ValueError,
    ),
    Mistake(
        "text as long as before",
        gain_with(shorter=False),
        "with n_pair=4, n_first=10, n_second=7, n_all=100 you get {yours}, expected {expected}: you let the text keep its "
        "length, so f(N) cancels out. But each join makes one piece of two",
    ),
    Mistake(
        "second piece not reduced",
        gain_with(second=False),
        "with n_pair=4, n_first=10, n_second=7, n_all=100 you get {yours}, expected {expected}: the second piece is lost in the "
        "join as often as the first",
    ),
    Mistake(
        "neither piece reduced",
        gain_with(first=False, second=False),
        "with n_pair=4, n_first=10, n_second=7, n_all=100 you get {yours}, expected {expected}: both pieces have become rarer by "
        "the join, since they went into the new one",
    ),
    Mistake(
        "new piece forgotten",
        gain_with(new=False),
        "with n_pair=4, n_first=10, n_second=7, n_all=100 you get {yours}, expected {expected}: the new piece has a count, too, and "
        "a probability",
    ),
    Mistake(
        "two pieces fewer",
        gain_with(fewer=2),
        "with n_pair=4, n_first=10, n_second=7, n_all=100 you get {yours}, expected {expected}: the text loses two pieces at each join, you say. It "
        "loses two and gains one",
    ),
    Mistake(
        "sign of the length",
        gain_with(total=-1),
        "with n_pair=4, n_first=10, n_second=7, n_all=100 you get {yours}, expected {expected}: f of the length is taken away from the sum, "
        "both after and before",
    ),
    Mistake(
        "sign",
        gain_with(sign=-1),
        "with n_pair=4, n_first=10, n_second=7, n_all=100 you get {yours}, expected {expected}: a gain is what comes after minus what was "
        "before",
    ),
    Mistake(
        "base 2",
        gain_with(ln=log2),
        "with n_pair=4, n_first=10, n_second=7, n_all=100 you get {yours}, expected {expected}: these are bits. Nats are asked for, "
        "with the natural logarithm",
    ),
    Mistake(
        "ratio",
        lambda n_pair, n_first, n_second, n_all: n_pair / (n_first * n_second),
        "you give the ratio, {yours} for n_pair=4, n_first=10, n_second=7, expected {expected}: that is the simpler score, not the gain",
    ),
    Mistake(
        "surprise",
        lambda n_pair, n_first, n_second, n_all: n_pair * log(n_pair * n_all / (n_first * n_second)),
        "with n_pair=4, n_first=10, n_second=7, n_all=100 you get {yours}, expected {expected}: that takes the old probabilities of both "
        "pieces as if they stayed. The other places of the two change, too",
    ),
    Mistake(
        "new piece for two old ones",
        lambda n_pair, n_first, n_second, n_all: (
            n_pair * log(n_pair / n_all) - n_first * log(n_first / n_all) - n_second * log(n_second / n_all)
        ),
        "with n_pair=4, n_first=10, n_second=7, n_all=100 you get {yours}, expected {expected}: you take both old pieces away wholly. What is "
        "left of them outside the pair stays in the text, and the text has become shorter",
    ),
    Mistake(
        "after alone",
        lambda n_pair, n_first, n_second, n_all: (
            f(n_first - n_pair) + f(n_second - n_pair) + f(n_pair) - f(n_all - n_pair)
        ),
        "with n_pair=4, n_first=10, n_second=7, n_all=100 you get {yours}, expected {expected}: that is only what comes after. What was "
        "there before?",
    ),
    Mistake(
        "the length added after the join",
        gain_of_terms(1, 1),
        "with n_pair=4, n_first=10, n_second=7, n_all=100 you get {yours}, expected {expected}: f of the new length is added; it "
        "is taken away from the sum, as that of the old length is",
    ),
    Mistake(
        "only the old length",
        gain_of_terms(1, 0),
        "with n_pair=4, n_first=10, n_second=7, n_all=100 you get {yours}, expected {expected}: f of the old length is in it, and "
        "that of the new length isn't",
    ),
    Mistake(
        "only the new length",
        gain_of_terms(0, -1),
        "with n_pair=4, n_first=10, n_second=7, n_all=100 you get {yours}, expected {expected}: f of the new length is in it, and "
        "that of the old length isn't",
    ),
    Mistake(
        "the length taken away before the join",
        gain_of_terms(-1, -1),
        "with n_pair=4, n_first=10, n_second=7, n_all=100 you get {yours}, expected {expected}: what was before is taken away as a "
        "whole, its minus f(N), too: minus a minus is a plus",
    ),
    Mistake(
        "divided by the length",
        lambda n_pair, n_first, n_second, n_all: gain_of_terms(1, -1)(n_pair, n_first, n_second, n_all) / n_all,
        "with n_pair=4, n_first=10, n_second=7, n_all=100 you get {yours}, expected {expected}: you divide by the number of "
        "pieces; asked for is the gain of the whole text",
    ),
)

LIKELIHOOD_GAIN = Exercise(
    id="2.9",
    name="likelihood_gain",
    reference=references.likelihood_gain,
    stub='''
def my_likelihood_gain(n_pair, n_first, n_second, n_all):
    """By how many nats (natural-log units) the log likelihood of the text rises if a pair is joined.

    The pair occurs n_pair times, its pieces (two different ones) n_first and n_second times, and the text has
    n_all pieces in all, before the join.
    """
    ...
''',
    probe=stepwise(probe_gain, references.likelihood_gain, 1e-3),
    hints=(
        "Write the sum of f over the counts that change, minus f of the length, once after the join and once before. The other "
        "pieces of the text cancel out.",
        "After: f of both pieces less n_pair, plus f(n_pair) for the new one, minus f(n_all - n_pair). Before: the same without the "
        "join. f(0) is 0.",
    ),
    mistakes=GAIN_MISTAKES,
    notice="the other pieces of the text cancel out, so a gain costs seven logarithms however long the text is",
    asks={
        "n_pair=4, n_first=10, n_second=7, n_all=100": "With f(x) = x ln x: the sum over pieces after the join minus f of the new length, minus the same before. Four counts change: which, and to what?",
        "n_pair=3, n_first=3, n_second=3, n_all=8": "Here nothing of the two pieces is left: f(0) is 0",
    },
    difficulty=2,
    minutes=12,
    show=lambda parts: parts["n_pair=4, n_first=10, n_second=7, n_all=100"],
    tolerance=1e-3,
    variants=(
        gain_with(),
        lambda n_pair, n_first, n_second, n_all: (
            sum(n * log(n / (n_all - n_pair)) for n in (n_first - n_pair, n_second - n_pair, n_pair) if n)
            - sum(n * log(n / n_all) for n in (n_first, n_second))
            + (n_all - n_first - n_second) * log(n_all / (n_all - n_pair))
        ),
    ),
)
