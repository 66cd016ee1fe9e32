"""Notebook 10: who looks at a place, the places of words, breadth."""

import numpy as np

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import attention_views as references

# 10.1 rows_looking_most_at

LOOKING = '''
def my_rows_looking_most_at(weights, place):
    """weights (T, T), row i: where token i looks.

    A list of the rows whose largest weight is in column `place`, a list."""
    ...
'''

TABLE = np.array([[0.3, 0.2, 0.4, 0.1], [0.5, 0.1, 0.3, 0.1], [0.05, 0.25, 0.6, 0.1], [0.05, 0.15, 0.7, 0.1]])


def probe_looking(looking):
    for place in (2, 0, 3):
        found = looking(TABLE.copy(), place)
        yield f"column {place}", [row.item() if hasattr(row, "item") else row for row in found]
    found = looking(np.array([[0.35, 0.33, 0.32], [0.42, 0.5, 0.08], [0.2, 0.2, 0.6]]), 0)
    yield "another table", [row.item() if hasattr(row, "item") else row for row in found]


def column_two(parts):
    return parts["column 2"]


LOOKING_MISTAKES = (
    Mistake(
        "along the other axis",
        lambda weights, place: np.flatnonzero(weights.argmax(axis=0) == place),
        "for column 2 you give the rows {yours}, expected {expected}: you ask each column for its strongest row. "
        "It is the rows that look: along which axis does the weight of one row change?",
    ),
    Mistake(
        "where the place itself looks",
        lambda weights, place: [int(weights[place].argmax())],
        "for column 2 you give {yours}, expected {expected}: that is where token 2 itself looks. The question is "
        "which tokens look at it",
    ),
    Mistake(
        "the strongest one only",
        lambda weights, place: [int(weights[:, place].argmax())],
        "for column 2 you give {yours}, expected {expected}: that is the row that looks at it most of all rows. "
        "Asked for is every row that looks nowhere more",
    ),
    Mistake(
        "more than half",
        lambda weights, place: np.flatnonzero(weights[:, place] > 0.5),
        "for column 2 you give {yours}, expected {expected}: a weight of 0.4 can be the largest of its row as well",
    ),
    Mistake(
        "more than even",
        lambda weights, place: np.flatnonzero(weights[:, place] > 1 / len(weights)),
        "for column 2 you give {yours}, expected {expected}: more than an even share is not yet the largest weight "
        "of the row; row 1 gives 0.3 to it and 0.5 to another",
    ),
    Mistake(
        "a fixed bound",
        lambda weights, place: np.flatnonzero(weights[:, place] >= 0.4),
        "right for one table, but in another you give {yours}, expected {expected}: whether a weight is the largest of "
        "its row hangs on the others of the row, not on a bound",
        show=lambda parts: parts["another table"],
    ),
    Mistake(
        "without itself",
        lambda weights, place: [
            int(r) for r in np.flatnonzero(weights.argmax(axis=1) == place) if r != place
        ],
        "for column 2 you give {yours}, expected {expected}: a token may look most at itself, and counts then, too",
    ),
    Mistake(
        "yes and no",
        lambda weights, place: weights.argmax(axis=1) == place,
        "for column 2 you give {yours}, expected {expected}: these are answers, yes or no, for every row. Asked for "
        "are the numbers of the rows with a yes",
    ),
    Mistake(
        "counted from one",
        lambda weights, place: [int(r) + 1 for r in np.flatnonzero(weights.argmax(axis=1) == place)],
        "for column 2 you give {yours}, expected {expected}: rows count from 0",
    ),
    Mistake(
        "weights instead of rows",
        lambda weights, place: [row[place] for row in weights if row.argmax() == place],
        "for column 2 you give {yours}, expected {expected}: these are the weights, asked for are the rows they stand in",
    ),
    Mistake(
        "the smallest weight",
        lambda weights, place: np.flatnonzero(weights.argmin(axis=1) == place).tolist(),
        "for column 2 you give {yours}, expected {expected}: in these rows the weight in that column is the smallest",
    ),
    Mistake(
        "the column of the rows",
        lambda weights, place: weights.argmax(axis=1).tolist(),
        "for column 2 you give {yours}, expected {expected}: that is, for each row, where it looks most. Which of the rows have "
        "`place` there?",
    ),
    Mistake(
        "not itself counted back",
        lambda weights, place: np.flatnonzero(weights.argmax(axis=1) != place).tolist(),
        "for column 2 you give {yours}, expected {expected}: these are the rows that look most at another column",
    ),
)

# 10.2 places_of_words

PLACES = '''
def my_places_of_words(tokens):
    """T tokens -> {place: (T, T) boolean array}, for the places "previous", "next", "same word", "[SEP]",
    "[CLS]" and "itself": in row i, column j, whether token j stands in that place for the word i.

    [CLS], [SEP] and [PAD] are marks, everything else (also [MASK]) is a word. Rows of marks stay empty, and
    "previous", "next" and "same word" are words; "same word" is the same token in another position.
    """
    ...
'''

ORDER = ("previous", "next", "[CLS]", "[SEP]", "itself", "same word")
SHORT = "[CLS] the dog saw the cat [SEP]".split()
LONG = "[CLS] the [MASK] ran [SEP] home the cat [SEP] [PAD] [PAD]".split()


def probe_places(places_of_words):
    for text, tokens in (("one sentence", SHORT), ("two sentences and padding", LONG)):
        masks = places_of_words(list(tokens))
        for name in ORDER:
            yield f"{text}, {name}", np.asarray(masks[name]).astype(int)


def row_of(part, row):
    """The columns that are marked in a row."""
    return lambda parts: np.flatnonzero(parts[part][row]).tolist()


def _changed(**rules):
    """places_of_words with some of its rules replaced; each gets the tokens as an array and the right masks."""

    def program(tokens):
        right, names = references.places_of_words(tokens), np.array(tokens)
        return right | {name.replace("_", " "): rule(names, right) for name, rule in rules.items()}

    return program


def _with_marks(*marks):
    """The reference, with other tokens taken for marks."""

    def program(tokens):
        names = np.array(tokens)
        word = ~np.isin(names, marks)
        both, own = word[:, None] & word, np.eye(len(names), dtype=bool)
        return {
            "previous": np.eye(len(names), k=-1, dtype=bool) & both,
            "next": np.eye(len(names), k=1, dtype=bool) & both,
            "same word": (names[:, None] == names) & ~own & both,
            "[SEP]": word[:, None] & (names == "[SEP]"),
            "[CLS]": word[:, None] & (names == "[CLS]"),
            "itself": own & both,
        }

    return program


def places_neighbors_may_be_marks(tokens):
    names = np.array(tokens)
    word = ~np.isin(names, ("[CLS]", "[SEP]", "[PAD]"))
    return references.places_of_words(tokens) | {
        "previous": np.eye(len(names), k=-1, dtype=bool) & word[:, None],
        "next": np.eye(len(names), k=1, dtype=bool) & word[:, None],
    }


def places_only_last_sep(tokens):
    masks = references.places_of_words(tokens)
    last = len(tokens) - 1 - list(tokens)[::-1].index("[SEP]")
    return masks | {"[SEP]": masks["[SEP]"] & (np.arange(len(tokens)) == last)}


def places_in_loops(tokens):
    size = len(tokens)
    masks = {name: np.zeros((size, size), dtype=bool) for name in ORDER}
    words = [token not in ("[CLS]", "[SEP]", "[PAD]") for token in tokens]
    for i in range(size):
        for j in range(size):
            if not words[i]:
                continue
            masks["[CLS]"][i, j] = tokens[j] == "[CLS]"
            masks["[SEP]"][i, j] = tokens[j] == "[SEP]"
            masks["itself"][i, j] = i == j
            masks["previous"][i, j] = words[j] and j == i - 1
            masks["next"][i, j] = words[j] and j == i + 1
            masks["same word"][i, j] = i != j and tokens[i] == tokens[j]
    return masks


def _neighbors_across(step):
    """The next word in one direction, over marks."""

    def rule(names, right):
        words = [i for i, name in enumerate(names) if name not in ("[CLS]", "[SEP]", "[PAD]")]
        table = np.zeros((len(names), len(names)), dtype=bool)
        for a, b in zip(words, words[1:], strict=False):
            table[(b, a) if step < 0 else (a, b)] = True
        return table

    return rule


PLACES_MISTAKES = (
    Mistake(
        "columns ask",
        lambda tokens: {name: mask.T for name, mask in references.places_of_words(tokens).items()},
        "in the row of *dog* (row 2) you mark as *previous* the columns {yours}, expected {expected}: rows and columns are "
        "exchanged. Row i is the token that looks, column j the one that is looked at",
        show=row_of("one sentence, previous", 2),
    ),
    Mistake(
        "previous and next exchanged",
        _changed(
            previous=lambda names, right: right["next"],
            next=lambda names, right: right["previous"],
        ),
        "*dog* stands in row 2, and as *previous* you mark the columns {yours}, expected {expected}: that is the word after "
        "it. Which way does the "
        "diagonal move?",
        show=row_of("one sentence, previous", 2),
    ),
    Mistake(
        "marks ask",
        _with_marks(),
        "in the row of [CLS] you mark as *next* the columns {yours}, expected {expected}: marks don't ask, so their rows are "
        "empty, and "
        "the first word has no word before it",
        show=row_of("one sentence, next", 0),
    ),
    Mistake(
        "marks ask for the marks",
        lambda tokens: (
            references.places_of_words(tokens)
            | {mark: np.tile(np.array(tokens) == mark, (len(tokens), 1)) for mark in ("[CLS]", "[SEP]")}
        ),
        "previous and next are right, but for the place [CLS] the row of [CLS] itself has the columns {yours}, expected "
        "{expected}: "
        "only words ask",
        show=row_of("one sentence, [CLS]", 0),
    ),
    Mistake(
        "a mark as neighbor",
        places_neighbors_may_be_marks,
        "the first word has the columns {yours} as *previous*, expected {expected}: what stands before it is [CLS], which "
        "is no word and has a place of its own. Otherwise a head that looks at [CLS] would look like one that "
        "looks at the word before",
        show=row_of("one sentence, previous", 1),
    ),
    Mistake(
        "the word itself is the same word",
        _changed(same_word=lambda names, right: right["same word"] | right["itself"]),
        "*dog* stands there once, but its row of *same word* has the columns {yours}, expected {expected}: another position is "
        "meant, or the place would be *itself* over again",
        show=row_of("one sentence, same word", 2),
    ),
    Mistake(
        "everything before",
        _changed(
            previous=lambda names, right: np.tril(
                right["previous"].any(1)[:, None] & right["itself"].any(0), -1
            ),
            next=lambda names, right: np.triu(right["next"].any(1)[:, None] & right["itself"].any(0), 1),
        ),
        "the third word has the columns {yours} in its row of *previous*, expected {expected}: only the word right before "
        "it is meant, not every one that came earlier",
        show=row_of("one sentence, previous", 3),
    ),
    Mistake(
        "the same word only further on",
        _changed(same_word=lambda names, right: np.triu(right["same word"])),
        "the second *the* has the columns {yours} in its row of *same word*, expected {expected}: the other one may stand before "
        "it as well as after it",
        show=row_of("one sentence, same word", 4),
    ),
    Mistake(
        "padding is a word",
        _with_marks("[CLS]", "[SEP]"),
        "right without padding, but with it the first [PAD] has the columns {yours} in its row of *next*, expected {expected}: padding "
        "asks nothing and is nobody's word",
        show=row_of("two sentences and padding, next", 9),
    ),
    Mistake(
        "[MASK] is a mark",
        _with_marks("[CLS]", "[SEP]", "[PAD]", "[MASK]"),
        "the row of [MASK] in *previous* has the columns {yours}, expected {expected}: a hidden word is still a word, and the one "
        "whose attention one wants to see most",
        show=row_of("two sentences and padding, previous", 2),
    ),
    Mistake(
        "only the last [SEP]",
        places_only_last_sep,
        "with two sentences there are two [SEP], but the first word has the columns {yours} in its row of [SEP], expected "
        "{expected}: one of them is missing",
        show=row_of("two sentences and padding, [SEP]", 1),
    ),
    Mistake(
        "neighbors over marks",
        _changed(previous=_neighbors_across(-1), next=_neighbors_across(1)),
        "right in one sentence; where a [SEP] stands between two words you take them for neighbors: the word behind it has the "
        "columns {yours} in *previous*, expected {expected}. Right before it stands a mark, and that is no word",
        show=row_of("two sentences and padding, previous", 5),
    ),
)

# 10.3 mean_entropy

ENTROPY = '''
def my_mean_entropy(weights):
    """weights (T, T), NumPy, of a text that begins with [CLS] and ends with [SEP] -> the mean entropy in nats
    (a number) of the rows of its words. A weight of 0 adds nothing to the entropy of its row."""
    ...
'''

HALVES = np.array([[0.9, 0.05, 0.05], [0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])
FIVE = np.array(
    [
        [0.2, 0.2, 0.2, 0.2, 0.2],
        [0.7, 0.1, 0.1, 0.06, 0.04],
        [0.3, 0.3, 0.2, 0.1, 0.1],
        [0.9, 0.02, 0.02, 0.03, 0.03],
        [0.05, 0.05, 0.4, 0.1, 0.4],
    ]
)
ZEROS = np.array([[1.0, 0, 0, 0], [0.5, 0.497, 0.003, 0], [0, 0, 1.0, 0], [0.2, 0.3, 0.4, 0.1]])


def probe_entropy(mean_entropy):
    yield "one word with the weights 1/2, 1/4, 1/4", float(mean_entropy(HALVES.copy()))
    yield "three words", float(mean_entropy(FIVE.copy()))
    yield "weights of 0", float(mean_entropy(ZEROS.copy()))


def one_word(parts):
    return parts["one word with the weights 1/2, 1/4, 1/4"]


def three_words(parts):
    return parts["three words"]


def _entropies(rows, axis=1):
    return -(rows * np.log(np.where(rows > 0, rows, 1.0))).sum(axis=axis)


def entropy_nan(weights):
    with np.errstate(divide="ignore", invalid="ignore"):
        return -(weights[1:-1] * np.log(weights[1:-1])).sum(axis=1).mean()


ENTROPY_MISTAKES = (
    Mistake(
        "marks ask",
        lambda weights: _entropies(weights).mean(),
        "the weights 1/2, 1/4, 1/4 of the only word give {yours}, expected {expected}: the rows of [CLS] and [SEP] "
        "are counted in. Who asks?",
        show=one_word,
    ),
    Mistake(
        "only one mark left out",
        lambda weights: _entropies(weights[1:]).mean(),
        "the weights 1/2, 1/4, 1/4 of the only word give {yours}, expected {expected}: the row of [SEP] is still counted in",
        show=one_word,
    ),
    Mistake(
        "of the largest weight",
        lambda weights: -np.log(weights[1:-1].max(axis=1)).mean(),
        "the weights 1/2, 1/4, 1/4 give {yours}, expected {expected}: you take minus the logarithm of the largest weight; "
        "an entropy is the mean of that over all weights of the row, each counted by its own size",
        show=one_word,
    ),
    Mistake(
        "bits",
        lambda weights: _entropies(weights[1:-1]).mean() / np.log(2),
        "the weights 1/2, 1/4, 1/4 give {yours}, expected {expected}: that is in bits. Nats come from another "
        "logarithm",
        show=one_word,
    ),
    Mistake(
        "no minus",
        lambda weights: -_entropies(weights[1:-1]).mean(),
        "the weights 1/2, 1/4, 1/4 give {yours}, expected {expected}: logarithms of numbers below 1 are negative, and "
        "an entropy is not",
        show=one_word,
    ),
    Mistake(
        "divided by ln T",
        lambda weights: _entropies(weights[1:-1]).mean() / np.log(len(weights)),
        "the weights 1/2, 1/4, 1/4 give {yours}, expected {expected}: you divide by the entropy of even attention. "
        "Useful for comparing texts, but not asked for here",
        show=one_word,
    ),
    Mistake(
        "summed over the words",
        lambda weights: _entropies(weights[1:-1]).sum(),
        "right for one word, but for three you give {yours}, expected {expected}: the sum instead of the mean, so "
        "long texts would look broad",
        show=three_words,
    ),
    Mistake(
        "mean over everything",
        lambda weights: _entropies(weights[1:-1]).mean() / weights.shape[1],
        "the weights 1/2, 1/4, 1/4 give {yours}, expected {expected}: the terms of a row are averaged over its three "
        "tokens, and its entropy is their sum. Only over the rows is a mean taken",
        show=one_word,
    ),
    Mistake(
        "columns",
        lambda weights: _entropies(weights[:, 1:-1], axis=0).mean(),
        "the weights 1/2, 1/4, 1/4 give {yours}, expected {expected}: that is the column of the word, which need not "
        "add up to 1. The word's own weights stand in its row",
        show=one_word,
    ),
    Mistake(
        "entropy of the mean row",
        lambda weights: float(_entropies(weights[1:-1].mean(axis=0)[None])[0]),
        "right for one word, but for three you give {yours}, expected {expected}: you average the rows and take the "
        "entropy of that. Three words that look sharply at three places would look broad. Which comes first?",
        show=three_words,
    ),
    Mistake(
        "logarithm of 0",
        entropy_nan,
        "right where all weights are positive, but with weights of 0 the result is {yours}, expected {expected}: the "
        "logarithm of 0 is minus infinity, and 0 times that is no number. Such a term has to be left out",
        show=lambda parts: parts["weights of 0"],
    ),
    Mistake(
        "marks as columns left out, too",
        lambda weights: _entropies(weights[1:-1, 1:-1]).mean(),
        "the weights 1/2, 1/4, 1/4 of the only word give {yours}, expected {expected}: the columns of [CLS] and [SEP] are left "
        "out as well. Only their rows are: a word may look at a mark",
        show=one_word,
    ),
    Mistake(
        "to the base 10",
        lambda weights: _entropies(weights[1:-1]).mean() / np.log(10),
        "the weights 1/2, 1/4, 1/4 give {yours}, expected {expected}: that is to the base 10; nats come from the natural "
        "logarithm",
        show=one_word,
    ),
    Mistake(
        "divided by all tokens",
        lambda weights: _entropies(weights[1:-1]).sum() / len(weights),
        "the weights 1/2, 1/4, 1/4 of the only word give {yours}, expected {expected}: the sum over the words is divided by the "
        "number of all tokens. How many rows count?",
        show=one_word,
    ),
    Mistake(
        "logarithms alone",
        lambda weights: -np.log(np.where(weights[1:-1] > 0, weights[1:-1], 1.0)).sum(axis=1).mean(),
        "the weights 1/2, 1/4, 1/4 give {yours}, expected {expected}: the logarithms are added up without their weights",
        show=one_word,
    ),
    Mistake(
        "the first word only",
        lambda weights: _entropies(weights[1:2]).mean(),
        "right for one word, but for three you give {yours}, expected {expected}: that is the entropy of the first word's row",
        show=three_words,
    ),
    Mistake(
        "divided by the largest weight",
        lambda weights: (
            -(
                (r := weights[1:-1])
                * np.log(np.where(r > 0, r / r.max(axis=1, keepdims=True), 1.0))
            )
            .sum(axis=1)
            .mean()
        ),
        "the weights 1/2, 1/4, 1/4 give {yours}, expected {expected}: you divide by the largest weight before the logarithm. The "
        "weights of a row add up to 1 as they are",
        show=one_word,
    ),
)

EXERCISES = (
    Exercise(
        id="10.1",
        name="rows_looking_most_at",
        reference=references.rows_looking_most_at,
        stub=LOOKING,
        probe=probe_looking,
        hints=(
            "Ask every row by itself: in which column is its largest weight? Then keep the rows whose answer is `place`.",
            "`weights.argmax(axis=1)` asks all rows at once; `np.flatnonzero` gives the positions of what is true. A "
            "loop over `enumerate(weights)` does as well.",
        ),
        mistakes=LOOKING_MISTAKES,
        notice="a column can be chosen by all rows or by none, while each row chooses exactly one column",
        asks={
            "column 2": "Of each row the largest weight: in which column does it stand?",
        },
        difficulty=1,
        minutes=5,
        show=column_two,
        variants=(
            lambda weights, place: [i for i, row in enumerate(weights) if row[place] == max(row)],
            lambda weights, place: np.where(weights[:, place] >= weights.max(axis=1))[0],
        ),
    ),
    Exercise(
        id="10.2",
        name="places_of_words",
        reference=references.places_of_words,
        stub=PLACES,
        probe=probe_places,
        hints=(
            "First decide for every token whether it is a word. Then each place is a table of pairs (i, j): when is the "
            "answer yes? Two loops over i and j are a good beginning.",
            "With arrays: `word[:, None] & word` is the table of pairs in which both are words, and `np.eye(T, k=-1)` has "
            "ones one step left of the diagonal.",
            "`names[:, None] == names` compares every token with every other; take the diagonal away, and what stays is "
            "the same word in another position.",
        ),
        mistakes=PLACES_MISTAKES,
        notice="each place is a mask of the size of the attention itself, so the share that a head gives to a place is "
        "the weights times the mask, added up along each row",
        asks={
            "one sentence, previous": "In the row of a word, the one place before it, if a word stands there",
            "one sentence, next": "In the row of a word, the one place after it, if a word stands there",
            "one sentence, same word": "In the row of a word, the other places with the same token",
            "one sentence, itself": "In the row of a word, its own place",
        },
        difficulty=2,
        minutes=15,
        variants=(places_in_loops,),
    ),
    Exercise(
        id="10.3",
        name="mean_entropy",
        reference=references.mean_entropy,
        stub=ENTROPY,
        probe=probe_entropy,
        hints=(
            "Three steps: leave out the rows of the two marks; one entropy for each row that is left; their mean.",
            "Where a weight is 0, let the logarithm be taken of 1 instead: 0 times 0 is 0. `np.where` chooses between "
            "two arrays.",
        ),
        mistakes=ENTROPY_MISTAKES,
        notice="e to the power of the entropy is a number of tokens: over how many a head spreads itself as if evenly",
        asks={
            "one word with the weights 1/2, 1/4, 1/4": "Minus the sum of weight times its natural logarithm: 1/2 ln 2 + 2 · 1/4 ln 4 = 1.04",
            "three words": "The entropy of each word's row, and their mean",
            "weights of 0": "0 times the logarithm of 0 counts as 0",
        },
        difficulty=1,
        minutes=8,
        variants=(
            lambda weights: -(weights[1:-1] * np.log(weights[1:-1] + 1e-30)).sum(-1).mean(),
            lambda weights: np.mean([-sum(w * np.log(w) for w in row if w > 0) for row in weights[1:-1]]),
        ),
    ),
)
