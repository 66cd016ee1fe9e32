"""A word in characters; how often pairs occur; a pair joined in a word."""

from collections import Counter
from collections.abc import Mapping
from itertools import combinations, pairwise

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import training_a_vocabulary as references
from helpers.exercises.steps import stepwise
from helpers.wordpiece import split_into_characters

# 2.1 split_into_characters

LETTERS = "abchstn"


def probe_split(split):
    yield "`chats`", split("chats", LETTERS)
    yield "`that`", split("that", LETTERS)
    yield "`bäh`", split("bäh", LETTERS)
    yield "`éat`", split("éat", LETTERS)
    yield "`a`", split("a", LETTERS)


def split_with(mark, alphabet_counts=True, other=None, first=False):
    """Characters with a mark: mark(place, word) says whether; `first`: what is not wanted goes before counting."""

    def split(word, alphabet):
        if first:
            word = [c for c in word if c in alphabet]
        kept = [(i, c) for i, c in enumerate(word) if not alphabet_counts or other or c in alphabet]
        return [
            ("##" if mark(i, word) else "") + (c if not other or c in alphabet else other) for i, c in kept
        ]

    return split


def inside(place, word):
    return place > 0


def chats(parts):
    return parts["`chats`"]


SPLIT_MISTAKES = (
    Mistake(
        "no mark",
        split_with(lambda place, word: False),
        "`chats` becomes {yours}, expected {expected}: nothing tells a `t` that begins a word from one inside it",
    ),
    Mistake(
        "all marked",
        split_with(lambda place, word: True),
        "`chats` becomes {yours}, expected {expected}: ## says that a piece continues a word, and the first one doesn't",
    ),
    Mistake(
        "last one unmarked",
        split_with(lambda place, word: place < len(word) - 1),
        "`chats` becomes {yours}, expected {expected}: ## stands before what *continues* a word, not before what is continued",
    ),
    Mistake(
        "marks only at the end",
        split_with(lambda place, word: place == len(word) - 1 and place > 0),
        "`chats` becomes {yours}, expected {expected}: only the last character is marked, and each one after the first should be",
    ),
    Mistake(
        "by the letter",
        split_with(lambda place, word: word[place] != word[0]),
        "`that` becomes {yours}, expected {expected}: its last letter is the same as its first, but it doesn't begin the word. "
        "Compare places, not letters",
        show=lambda parts: parts["`that`"],
    ),
    Mistake(
        "other characters kept",
        split_with(inside, alphabet_counts=False),
        "`bäh` becomes {yours}, expected {expected}: `ä` isn't in the alphabet, so it is left out",
        show=lambda parts: parts["`bäh`"],
    ),
    Mistake(
        "unknown put in",
        split_with(inside, other="[UNK]"),
        "`bäh` becomes {yours}, expected {expected}: the trainer would learn pieces with [UNK] in them. A character that isn't in "
        "the alphabet is left out",
        show=lambda parts: parts["`bäh`"],
    ),
    Mistake(
        "counted after leaving out",
        split_with(inside, first=True),
        "`éat` becomes {yours}, expected {expected}: `é` is left out, but the `a` behind it still doesn't begin a word",
        show=lambda parts: parts["`éat`"],
    ),
    Mistake(
        "first character always kept",
        lambda word, alphabet: [word[0], *("##" + c for c in word[1:] if c in alphabet)],
        "`éat` becomes {yours}, expected {expected}: the first character is kept though it isn't in the alphabet",
        show=lambda parts: parts["`éat`"],
    ),
    Mistake(
        "one string",
        lambda word, alphabet: " ".join(split_into_characters(word, alphabet)),
        "a list of pieces is asked for, not one string",
    ),
    Mistake(
        "looked up with the mark",
        lambda word, alphabet: [
            p for i, c in enumerate(word) if (p := c if i == 0 else "##" + c) in set(alphabet)
        ],
        "`chats` becomes {yours}, expected {expected}: the alphabet holds characters without ##, so you must look for the "
        "character before the mark is set",
    ),
    Mistake(
        "mark behind",
        lambda word, alphabet: [c if i == 0 else c + "##" for i, c in enumerate(word) if c in alphabet],
        "`chats` becomes {yours}, expected {expected}: the mark stands before the character",
    ),
    Mistake(
        "one mark for all",
        lambda word, alphabet: [word[0], "##" + word[1:]],
        "`chats` becomes {yours}, expected {expected}: the rest of the word is left whole; every character is a piece",
    ),
)

SPLIT = Exercise(
    id="2.1",
    name="split_into_characters",
    reference=split_into_characters,
    stub='''
def my_split_into_characters(word, alphabet):
    """`cats` -> ["c", "##a", "##t", "##s"]; characters that are not in the alphabet are left out.

    Every character behind the first place of the word gets ##, also if the one before it was left out.
    """
    ...
''',
    probe=stepwise(probe_split, split_into_characters),
    hints=(
        "`enumerate(word)` gives each character with its place.",
        "One list is enough: for each place and character, if the character is in the alphabet, the character itself at place 0 "
        "and with ## before it elsewhere.",
    ),
    mistakes=SPLIT_MISTAKES,
    notice="so every character is there twice in the vocabulary, at the beginning of a word and inside one",
    asks={
        "`bäh`": "`ä` is left out, and all others stay as they were",
        "`éat`": "Whether a character gets ## hangs on its place in the word, not in your list",
        "`a`": "A single character begins the word and gets no mark",
    },
    difficulty=1,
    minutes=5,
    show=chats,
    variants=(split_with(inside), lambda word, alphabet: list(_pieces_of(word, alphabet))),
)


def _pieces_of(word, alphabet):
    mark = ""
    for character in word:
        if character in alphabet:
            yield mark + character
        mark = "##"


# 2.2 pair_frequencies

BANANA = ["b", "##a", "##n", "##a", "##n", "##a"]
WORDS = (BANANA, ["a", "##n"], ["x"], ["h", "##a", "##n"])
COUNTS = (2, 3, 5, 4)


def probe_pairs(pair_frequencies):
    found = pair_frequencies([list(word) for word in WORDS], list(COUNTS))
    return dict(found) if isinstance(found, Mapping) else found


def pairs_of(neighbors=pairwise, weight=lambda count: count, key=tuple):
    """Counting pairs with one thing done in another way."""

    def count(words, counts):
        found = Counter()
        for pieces, often in zip(words, counts, strict=True):
            for pair in neighbors(pieces):
                found[key(pair)] += weight(often)
        return found

    return count


def pairs_across_words(words, counts):
    line = [
        piece for pieces, often in zip(words, counts, strict=True) for _ in range(often) for piece in pieces
    ]
    return Counter(pairwise(line))


def pairs_overwritten(words, counts):
    found = {}
    for pieces, often in zip(words, counts, strict=True):
        for pair in pairwise(pieces):
            found[pair] = often
    return found


def pairs_in_a_plain_dict(words, counts):
    found = {}
    for pieces, often in zip(words, counts, strict=True):
        for pair in pairwise(pieces):
            found[pair] += often
    return found


def in_a_and_n(counts):
    return counts[("##a", "##n")]


PAIR_MISTAKES = (
    Mistake(
        "counts ignored",
        pairs_of(weight=lambda count: 1),
        "##a ##n is counted {yours} times, expected {expected}: each word counts once, though it stands several times in the "
        "text",
    ),
    Mistake(
        "once per word",
        pairs_of(neighbors=lambda pieces: dict.fromkeys(pairwise(pieces))),
        "##a ##n is counted {yours} times, expected {expected}: in `banana` it stands twice, and the word occurs 2 times",
    ),
    Mistake(
        "overwritten",
        pairs_overwritten,
        "##a ##n is counted {yours} times, expected {expected}: the count of the last word that holds the pair replaces what the "
        "words before have given",
    ),
    Mistake(
        "pairs across words",
        pairs_across_words,
        "you count pairs of the last piece of one word and the first one of the next. Pieces never reach over the end of a word",
    ),
    Mistake(
        "string as key",
        pairs_of(key="".join),
        "a pair is asked for as a tuple of two pieces: glued together, `##a##n` could come from two pieces or be one",
    ),
    Mistake(
        "string with a space as key",
        pairs_of(key=" ".join),
        "a pair is asked for as a tuple of its two pieces, not as one string",
    ),
    Mistake(
        "## dropped",
        pairs_of(key=lambda pair: tuple(piece.removeprefix("##") for piece in pair)),
        "## has disappeared from the pieces, so `a` at the beginning of a word and `##a` inside one are counted as the same",
    ),
    Mistake(
        "last pair lost",
        pairs_of(neighbors=lambda pieces: list(pairwise(pieces))[:-1]),
        "the last pair of each word is missing: a word of 6 pieces has 5 pairs, one of 2 has one",
    ),
    Mistake(
        "last piece as a pair",
        pairs_of(neighbors=lambda pieces: [tuple(pieces[i : i + 2]) for i in range(len(pieces))]),
        "the last piece of each word is counted as a pair of one: behind it nothing comes. How many pairs has a word of 6 pieces?",
    ),
    Mistake(
        "no beginning at 0",
        pairs_in_a_plain_dict,
        "a pair that is met for the first time has no count yet to which something could be added. A Counter takes it for 0",
        raises=KeyError,
    ),
    Mistake(
        "first pair lost",
        pairs_of(neighbors=lambda pieces: list(pairwise(pieces))[1:]),
        "the first pair of each word is missing: a word of 6 pieces has 5 pairs, one of 2 has one. At which place does the first "
        "pair begin?",
    ),
    Mistake(
        "every two pieces",
        pairs_of(neighbors=lambda pieces: combinations(pieces, 2)),
        "##a ##n is counted {yours} times, expected {expected}: you pair each piece with all that follow in the word, and only "
        "neighbors are wanted",
    ),
    Mistake(
        "without overlap",
        pairs_of(neighbors=lambda pieces: zip(pieces[::2], pieces[1::2], strict=False)),
        "##a ##n is counted {yours} times, expected {expected}: you go on by two pieces, so every second pair is skipped. A piece "
        "belongs to a pair with the one before it, and to another with the one behind it",
        show=lambda counts: counts.get(("##a", "##n"), 0),
    ),
    Mistake(
        "order ignored",
        pairs_of(key=lambda pair: tuple(sorted(pair))),
        "##a ##n is counted {yours} times, expected {expected}: ##n ##a is taken for the same pair, but joined it gives another "
        "piece",
    ),
)

PAIR_FREQUENCIES = Exercise(
    id="2.2",
    name="pair_frequencies",
    reference=references.pair_frequencies,
    stub='''
def my_pair_frequencies(words, counts):
    """{(piece, next piece): how often it occurs}; words are lists of pieces, word i occurs counts[i] times.

    (["a", "##n"], ["b", "##a"]) with the counts 3 and 1 gives {("a", "##n"): 3, ("b", "##a"): 1}.
    """
    ...
''',
    probe=probe_pairs,
    hints=(
        "Two loops: over the words with their counts (`zip` brings both together), and over the pairs of a word.",
        "`pairwise(pieces)` gives the pairs of neighbors as tuples; a Counter starts every key at 0, so you can add to it.",
    ),
    mistakes=PAIR_MISTAKES,
    notice="a word of one piece has no pair at all, so the vocabulary stops growing when every word is whole",
    difficulty=1,
    minutes=8,
    show=in_a_and_n,
    variants=(
        pairs_of(),
        lambda words, counts: {
            pair: sum(
                often * list(pairwise(pieces)).count(pair)
                for pieces, often in zip(words, counts, strict=True)
            )
            for pair in {pair for pieces in words for pair in pairwise(pieces)}
        },
    ),
)

# 2.3 join_everywhere


def probe_join(join_everywhere):
    yield "h ##a ##t ##s ##y", join_everywhere(["h", "##a", "##t", "##s", "##y"], ("##a", "##t"))
    yield "c ##at", join_everywhere(["c", "##at"], ("c", "##at"))
    yield "b ##a ##n ##a ##n", join_everywhere(["b", "##a", "##n", "##a", "##n"], ("##a", "##n"))
    yield "h ##a ##a ##a", join_everywhere(["h", "##a", "##a", "##a"], ("##a", "##a"))
    yield "a ##b ##a ##b", join_everywhere(["a", "##b", "##a", "##b"], ("a", "##b"))
    yield "h ##t", join_everywhere(["h", "##t"], ("##a", "##t"))


def glued(pair):
    return pair[0] + pair[1].removeprefix("##")


def joined_with(piece=glued, step=2, end=0, alike=lambda two, pair: two == list(pair), once=False):
    """Walking from left to right, with one thing done in another way."""

    def join(pieces, pair):
        joined, place, done = [], 0, False
        while place < len(pieces) - end:
            if alike(pieces[place : place + 2], pair) and not (once and done):
                joined.append(piece(pair))
                place, done = place + step, True
            else:
                joined.append(pieces[place])
                place += 1
        return joined

    return join


def joined_overlapping(pieces, pair):
    hits = [i for i in range(len(pieces)) if tuple(pieces[i : i + 2]) == pair]
    return [glued(pair) if i in hits else p for i, p in enumerate(pieces) if i in hits or i - 1 not in hits]


def joined_by_replace(pieces, pair):
    return " ".join(pieces).replace(" ".join(pair), glued(pair)).split()


def joined_in_place(pieces, pair):
    place = 0
    while place < len(pieces) - 1:
        if pieces[place : place + 2] == list(pair):
            pieces[place : place + 2] = [glued(pair)]
        place += 1
    return pieces


def joined_from_the_right(pieces, pair):
    joined, place = [], len(pieces) - 1
    while place >= 0:
        if place and tuple(pieces[place - 1 : place + 1]) == pair:
            joined.insert(0, glued(pair))
            place -= 2
        else:
            joined.insert(0, pieces[place])
            place -= 1
    return joined


def joined_asking_behind_the_end(pieces, pair):
    joined, place = [], 0
    while place < len(pieces):
        if pieces[place] == pair[0] and pieces[place + 1] == pair[1]:
            joined.append(glued(pair))
            place += 2
        else:
            joined.append(pieces[place])
            place += 1
    return joined


def joined_or_removed(pieces, pair):
    """Removes the pair wherever it is, and puts the new piece at the end."""
    kept = [piece for piece in pieces if piece not in pair]
    return [*kept, glued(pair)] if len(kept) < len(pieces) else kept


JOIN_MISTAKES = (
    Mistake(
        "inner ## kept",
        joined_with(piece="".join),
        "h ##a ##t ##s ##y becomes {yours}, expected {expected}: the ## of the second piece has got into the middle of the new one, "
        "where it marks nothing",
    ),
    Mistake(
        "all ## dropped",
        joined_with(piece=lambda pair: "".join(pair).replace("##", "")),
        "h ##a ##t ##s ##y becomes {yours}, expected {expected}: the new piece stands inside the word, too. Whose ## does it keep?",
    ),
    Mistake(
        "one step after a join",
        joined_with(step=1),
        "h ##a ##t ##s ##y becomes {yours}, expected {expected}: the second piece of the pair is in the new one, and stands there "
        "once more. How many pieces have you dealt with after a join?",
    ),
    Mistake(
        "three steps after a join",
        joined_with(step=3),
        "h ##a ##t ##s ##y becomes {yours}, expected {expected}: the piece behind the pair is skipped. How many pieces have you dealt "
        "with after a join?",
    ),
    Mistake(
        "last piece lost",
        joined_with(end=1),
        "h ##a ##t ##s ##y becomes {yours}, expected {expected}: the last piece is missing. It begins no pair, but it still belongs "
        "to the word",
    ),
    Mistake(
        "list beside tuple",
        joined_with(alike=lambda two, pair: two == pair),
        "nothing is joined: h ##a ##t ##s ##y stays {yours}. A slice of a list is a list, the pair is a tuple, and to Python the two "
        "are never equal",
    ),
    Mistake(
        "first place only",
        joined_with(once=True),
        "b ##a ##n ##a ##n becomes {yours}, expected {expected}: only the first place is joined, and the pair stands there twice",
        show=lambda parts: parts["b ##a ##n ##a ##n"],
    ),
    Mistake(
        "overlaps",
        joined_overlapping,
        "h ##a ##a ##a becomes {yours}, expected {expected}: the middle ##a is used twice, once with each neighbor. A piece that "
        "has been joined is gone",
        show=lambda parts: parts["h ##a ##a ##a"],
    ),
    Mistake(
        "from the right",
        joined_from_the_right,
        "h ##a ##a ##a becomes {yours}, expected {expected}: you go from right to left, so of three equal pieces the last two are "
        "joined",
        show=lambda parts: parts["h ##a ##a ##a"],
    ),
    Mistake(
        "replaced in a string",
        joined_by_replace,
        "a ##b ##a ##b becomes {yours}, expected {expected}: as a string, `a ##b` is also found at the end of `##a ##b`, which is "
        "another pair. Compare whole pieces",
        show=lambda parts: parts["a ##b ##a ##b"],
    ),
    Mistake(
        "behind the end",
        joined_asking_behind_the_end,
        "the last piece has no neighbor to ask for. A slice, `pieces[i : i + 2]`, may reach over the end; it is just shorter there",
        raises=IndexError,
    ),
    Mistake(
        "put at the end",
        joined_or_removed,
        "h ##a ##t ##s ##y becomes {yours}, expected {expected}: the new piece must stand where the pair stood",
    ),
    Mistake(
        "input changed",
        joined_in_place,
        "the result is right, but it was made in the list that you were given. The trainer still needs the word as it was: make "
        "a new list",
    ),
    Mistake(
        "## for every new piece",
        lambda pieces, pair: [
            "##" + p if p == pair[0] + pair[1].removeprefix("##") and not p.startswith("##") else p
            for p in references.join_everywhere(pieces, pair)
        ],
        "c ##at becomes {yours}, expected {expected}: the new piece begins the word, as its first part did, and gets no ##",
        show=lambda parts: parts["c ##at"],
    ),
)

JOIN_EVERYWHERE = Exercise(
    id="2.3",
    name="join_everywhere",
    reference=references.join_everywhere,
    stub='''
def my_join_everywhere(pieces, pair):
    """A new list, in which every occurrence of a pair of neighbors is one piece, from left to right.

    (["h", "##a", "##t", "##s"], ("##a", "##t")) gives ["h", "##at", "##s"].
    """
    ...
''',
    probe=stepwise(probe_join, references.join_everywhere),
    hints=(
        "Walk through the word with a place that you move yourself (`while`): at each place either the pair begins, or it "
        "doesn't. How far do you go on in each case?",
        "`pieces[place : place + 2]` is the piece at a place with its neighbor. Compare it with `list(pair)`.",
        "The new piece is the first one as it is, and the second one without its ##: `removeprefix` takes it off.",
    ),
    mistakes=JOIN_MISTAKES,
    notice="of `##a ##a ##a` one piece is left over: with an odd number, somebody stays alone, and from left to right it is the "
    "last one",
    asks={
        "h ##a ##t ##s ##y": "One pair becomes one piece, and what stands before and behind it stays",
        "b ##a ##n ##a ##n": "The pair may stand in the word several times",
        "h ##a ##a ##a": "A piece that was joined is used up: the next pair begins behind it",
        "a ##b ##a ##b": "Compare whole pieces: the pair is a, ##b, and not ##a, ##b",
        "h ##t": "A word without the pair stays as it is",
    },
    difficulty=2,
    minutes=12,
    show=lambda parts: parts["h ##a ##t ##s ##y"],
    fresh=True,
    variants=(
        joined_with(),
        lambda pieces, pair: _joined_to_the_last(pieces, pair),
        lambda pieces, pair: _joined_by_recursion(list(pieces), pair),
    ),
)


def _joined_to_the_last(pieces, pair):
    joined = []
    for piece in pieces:
        if joined and (joined[-1], piece) == pair:
            joined[-1] = glued(pair)
        else:
            joined.append(piece)
    return joined


def _joined_by_recursion(pieces, pair):
    if len(pieces) < 2:
        return pieces
    if tuple(pieces[:2]) == pair:
        return [glued(pair), *_joined_by_recursion(pieces[2:], pair)]
    return [pieces[0], *_joined_by_recursion(pieces[1:], pair)]
