"""The two trainers: counting everything again, and with a queue."""

import heapq
from collections import Counter

from helpers import wordpiece
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import training_a_vocabulary as references
from helpers.exercises.references.training_a_vocabulary import join_everywhere, pair_frequencies
from helpers.exercises.steps import stepwise
from helpers.wordpiece import (
    PairCounts,
    choose_alphabet,
    count_words,
    first_pieces,
    split_into_characters,
    without_long_words,
)

# 2.4 train_naively

TEN_WORDS = Counter("hat hats hat that chat chats cat cats cat bat".split())
TEN_PIECES = ("##a", "##h", "##s", "##t", "a", "b", "c", "h", "s", "t")


def probe_naive(train_naively):
    def train(steps):
        words = [split_into_characters(word, "abchst") for word in TEN_WORDS]
        pieces = list(TEN_PIECES)
        return train_naively(words, list(TEN_WORDS.values()), pieces, steps), pieces[len(TEN_PIECES) :]

    trace, added = train(20)
    yield "joins of the ten words", trace[:12] if isinstance(trace, list) else trace
    yield "pieces that were added", added[:12]
    yield "number of joins with steps=2", len(train(2)[0])


def naively(
    tie=lambda number: lambda p: (number[p[0]], number[p[1]]),
    least=2,
    sign=-1,
    recount=True,
    rejoin=True,
    extend=True,
    limit=True,
    entry=lambda pair, count: (" ".join(pair), count),
):
    """The naive trainer with one thing done in another way."""

    def train(words, counts, pieces, steps):
        number = {piece: index for index, piece in enumerate(pieces)}
        trace, found = [], pair_frequencies(words, counts)
        for _ in range(steps if limit else 20):
            found = pair_frequencies(words, counts) if recount else found
            if not found or max(found.values()) < least:
                break
            pair = min(found, key=lambda p: (sign * found[p], *tie(number)(p)))
            trace.append(entry(pair, found[pair]))
            if not recount:
                found = Counter({p: n for p, n in found.items() if p != pair})
            words = [join_everywhere(word, pair) for word in words] if rejoin else words
            piece = pair[0] + pair[1].removeprefix("##")
            number.setdefault(piece, len(number))
            if extend:
                pieces.append(piece)
        return trace

    return train


def naive_without_numbers(words, counts, pieces, steps):
    """New pieces get no number."""
    number = {piece: index for index, piece in enumerate(pieces)}
    trace = []
    for _ in range(steps):
        found = pair_frequencies(words, counts)
        if max(found.values(), default=0) < 2:
            break
        pair = min(found, key=lambda p: (-found[p], number[p[0]], number[p[1]]))
        words = [join_everywhere(word, pair) for word in words]
        pieces.append(pair[0] + pair[1].removeprefix("##"))
        trace.append((" ".join(pair), found[pair]))
    return trace


def naive_with_index(words, counts, pieces, steps):
    trace = []
    for _ in range(steps):
        found = pair_frequencies(words, counts)
        if max(found.values(), default=0) < 2:
            break
        pair = min(found, key=lambda p: (-found[p], pieces.index(p[0]), pieces.index(p[1])))
        words = [join_everywhere(word, pair) for word in words]
        pieces += [pair[0] + pair[1].removeprefix("##")]
        trace += [(" ".join(pair), found[pair])]
    return trace


def naive_without_end(words, counts, pieces, steps):
    trace = []
    for _ in range(steps):
        found = pair_frequencies(words, counts)
        pair = min(found, key=lambda p: (-found[p], pieces.index(p[0]), pieces.index(p[1])))
        words = [join_everywhere(word, pair) for word in words]
        pieces.append(pair[0] + pair[1].removeprefix("##"))
        trace.append((" ".join(pair), found[pair]))
    return trace


def naive_with_index_and_marks(words, counts, pieces, steps):
    trace = []
    for _ in range(steps):
        found = pair_frequencies(words, counts)
        pair = min(found, key=lambda p: (-found[p], pieces.index(p[0]), pieces.index(p[1])))
        words = [join_everywhere(word, pair) for word in words]
        pieces.append("".join(pair))
        trace.append((" ".join(pair), found[pair]))
    return trace


def second_join(parts):
    return parts["joins of the ten words"][1]


def number_of_joins(parts):
    return len(parts["joins of the ten words"])


NAIVE_MISTAKES = (
    Mistake(
        "ties by order of counting",
        naively(tie=lambda number: lambda p: ()),
        "the second join is {yours}, expected {expected}: four pairs have the same count, and you take the one that was counted "
        "first. The rule says: the pair whose first piece is older",
    ),
    Mistake(
        "ties by the alphabet",
        naively(tie=lambda number: lambda p: p),
        "the second join is {yours}, expected {expected}: four pairs have the same count, and you take the first in the alphabet. "
        "The rule goes by age: the place of a piece in `pieces`",
    ),
    Mistake(
        "youngest first",
        naively(tie=lambda number: lambda p: (-number[p[0]], -number[p[1]])),
        "the second join is {yours}, expected {expected}: four pairs have the same count, and of these you take the youngest "
        "pieces. Older ones win",
    ),
    Mistake(
        "ties by the second piece",
        naively(tie=lambda number: lambda p: (number[p[1]], number[p[0]])),
        "the second join is {yours}, expected {expected}: four pairs have the same count, and you compare their second pieces "
        "first",
    ),
    Mistake(
        "rarest pair",
        naively(sign=1),
        "your second join is {yours}, expected {expected}: the pair that occurs least is joined. Which one saves most pieces?",
    ),
    Mistake(
        "counted once",
        naively(recount=False, tie=lambda number: lambda p: p),
        "the second join is {yours}, expected {expected}: its count is from the beginning. After ##a ##t was joined, some pairs "
        "are gone and new ones are there",
    ),
    Mistake(
        "words left as they were",
        naively(rejoin=False),
        "the second join is {yours}, expected {expected}: the same pair wins again, since it was never joined in the words",
    ),
    Mistake(
        "pairs that occur once",
        naively(least=1),
        "you make {yours} joins, expected {expected}: the last ones are of pairs that occur once, which teach nothing",
        show=number_of_joins,
    ),
    Mistake(
        "stops at two",
        naively(least=3),
        "you make {yours} joins, expected {expected}: a pair that occurs twice is still joined",
        show=number_of_joins,
    ),
    Mistake(
        "pieces not extended",
        naively(extend=False),
        "the joins are right, but `pieces` has got {yours} new entries, expected {expected}: each new piece is written into it",
        show=lambda parts: len(parts["pieces that were added"]),
    ),
    Mistake(
        "steps ignored",
        naively(limit=False),
        "right, but with steps=2 you make {yours} joins: `steps` is the most that are wanted",
        show=lambda parts: parts["number of joins with steps=2"],
    ),
    Mistake(
        "pair as a tuple",
        naively(entry=lambda pair, count: (pair, count)),
        'in the trace each pair is asked for as one string with a space, "##a ##t"',
    ),
    Mistake(
        "no end",
        naive_without_end,
        "when every word is one piece, there are no pairs left to choose from. Before you choose, ask whether any pair occurs twice",
    ),
    Mistake(
        "## inside the new piece",
        naive_with_index_and_marks,
        "the new piece is written into `pieces` with the ## of its second part, as `##a##t`, and in the words it is `##at`",
    ),
    Mistake(
        "no number for the new piece",
        naive_without_numbers,
        "when ties are broken for the next join, the new piece has no age yet. Where do you note it?",
        raises=KeyError,
    ),
)

TRAIN_NAIVELY = Exercise(
    id="2.4",
    name="train_naively",
    reference=references.train_naively,
    stub='''
def my_train_naively(words, counts, pieces, steps):
    """Join the most frequent pair, at most `steps` times: [("##a ##t", 10), ("##h ##at", 3), ...].

    words: lists of pieces, word i occurs counts[i] times; leave this list as it is. pieces: the vocabulary,
    to which every new piece is appended. Of pairs that tie, the one whose first piece stands earlier in
    `pieces` wins, then the one whose second does. It ends when no pair occurs twice.
    """
    ...
''',
    probe=stepwise(probe_naive, references.train_naively),
    hints=(
        "A loop of `steps` rounds. In each: count all pairs (pair_frequencies), choose one, join it in every word "
        "(join_everywhere), append the new piece, and note what you joined.",
        "The choice is a `min` over the pairs with a key of three numbers: minus the count, the place of the first piece, the "
        "place of the second. Tuples are compared number by number.",
        "`pieces.index(piece)` is a piece's place (slow, but right). Before choosing, ask whether the largest count is below 2; "
        "`max(..., default=0)` also serves when no pair is left.",
    ),
    mistakes=NAIVE_MISTAKES,
    notice="this is all of WordPiece training: what follows in this notebook only makes it faster",
    asks={
        "joins of the ten words": "Each round counts anew, takes the pair that occurs most (the older pieces where they tie), and joins it in all words",
        "pieces that were added": "Each new piece is appended to `pieces`",
        "number of joins with steps=2": "No more than `steps` joins",
    },
    difficulty=2,
    minutes=20,
    show=second_join,
    changes=("pieces",),
    variants=(naively(), naive_with_index),
)

# 2.7 train_wordpiece

TEN_CORPUS = ["hat hats hat that chat", "chats cat cats cat bat"]
TOUCHING = ["aaaa abab banana"] * 3 + ["abab banana"] * 2


def probe_train(train_wordpiece):
    yield "joins of the ten words", train_wordpiece(TEN_CORPUS, 100)[15:40]
    yield "entries of at most 18", len(train_wordpiece(TEN_CORPUS, 18))
    yield "joins with min_frequency=3", train_wordpiece(TEN_CORPUS, 100, 3)[15:40]
    yield "joins of ab ab", train_wordpiece(["ab ab"], 40)[9:40]
    yield "joins in ba, baaa, nb", train_wordpiece(["ba ba ba ba nb baaa baaa baaa"], 60)[10:40]
    yield "joins in aaaa, abab, banana", train_wordpiece(TOUCHING, 40)[5:40]


def with_queue(
    stale="back", push=True, enough=lambda count, least: count >= least, full=lambda n, size: n >= size
):
    """The trainer's loop with one thing done in another way."""

    def train(corpus, vocab_size, min_frequency=2, alphabet_size=1000, **options):
        word_counts = without_long_words(count_words(corpus, **options))
        alphabet = choose_alphabet(word_counts, alphabet_size)
        words = [split_into_characters(word, alphabet) for word in word_counts]
        pairs = PairCounts(words, word_counts.values(), first_pieces(words, alphabet, vocab_size))
        queue = [(-count, pair) for pair, count in pairs.count_of.items()]
        heapq.heapify(queue)
        while not full(len(pairs.pieces), vocab_size) and queue:
            promised, pair = heapq.heappop(queue)
            if not enough(-promised, min_frequency):
                break
            if pairs.count_of[pair] < -promised and stale != "taken":
                if stale == "back":
                    heapq.heappush(queue, (-pairs.count_of[pair], pair))
                continue
            if pair not in pairs.found_in:
                continue
            for grown in pairs.merge(pair):
                if push:
                    heapq.heappush(queue, (-pairs.count_of[grown], grown))
        return pairs.pieces

    return train


def queue_runs_dry(corpus, vocab_size, min_frequency=2, alphabet_size=1000, **options):
    """Pops until the vocabulary is full, with only the pairs that occur often enough in the queue."""
    word_counts = without_long_words(count_words(corpus, **options))
    alphabet = choose_alphabet(word_counts, alphabet_size)
    words = [split_into_characters(word, alphabet) for word in word_counts]
    pairs = PairCounts(words, word_counts.values(), first_pieces(words, alphabet, vocab_size))
    queue = [(-count, pair) for pair, count in pairs.count_of.items()]
    heapq.heapify(queue)
    while len(pairs.pieces) < vocab_size:
        promised, pair = heapq.heappop(queue)
        count = pairs.count_of[pair]
        if count < -promised:
            heapq.heappush(queue, (-count, pair)) if count else None
        elif count >= min_frequency:
            for grown in pairs.merge(pair):
                heapq.heappush(queue, (-pairs.count_of[grown], grown))
    return pairs.pieces


def joins(parts):
    return parts["joins of the ten words"]


TRAIN_MISTAKES = (
    Mistake(
        "promises believed",
        with_queue(stale="taken"),
        "the joins of the ten words are {yours}, expected {expected}: a pair that was joined away by its neighbors is still taken "
        "by its old count. Is the promise still true when it comes out of the queue?",
    ),
    Mistake(
        "stale ones dropped",
        with_queue(stale="dropped"),
        "right for the ten words, but the joins of four ba, three baaa and one nb are {yours}, expected {expected}: ##a ##a has "
        "become rarer and is thrown away, though it is still frequent enough. Where does it belong?",
        show=lambda parts: parts["joins in ba, baaa, nb"],
    ),
    Mistake(
        "new pairs not queued",
        with_queue(push=False),
        "the joins of the ten words are {yours}, expected {expected}: only pairs of single characters are ever joined. `merge` "
        "returns the pairs that have grown, and their turn never comes unless they go into the queue as the others did, with minus "
        "their count",
    ),
    Mistake(
        "min_frequency ignored",
        with_queue(enough=lambda count, least: count >= 1),
        "the joins of the ten words are {yours}, expected {expected}: pairs that occur once are joined, too. What does "
        "min_frequency say, which is 2 here?",
    ),
    Mistake(
        "always two",
        with_queue(enough=lambda count, least: count >= 2),
        "right, but with min_frequency=3 the joins are {yours}, expected {expected}: pairs that occur twice are still joined",
        show=lambda parts: parts["joins with min_frequency=3"],
    ),
    Mistake(
        "more than min_frequency",
        with_queue(enough=lambda count, least: count > least),
        "the joins of the ten words are {yours}, expected {expected}: a pair that occurs exactly min_frequency times is joined, too",
    ),
    Mistake(
        "one entry too many",
        with_queue(full=lambda n, size: n > size),
        "with vocab_size 18 there are {yours} entries: is the vocabulary full at that size, or only above it?",
        show=lambda parts: parts["entries of at most 18"],
    ),
    Mistake(
        "vocab_size joins",
        with_queue(full=lambda n, size: n >= size + 15),
        "with vocab_size 18 there are {yours} entries: vocab_size counts all entries, not only the joins",
        show=lambda parts: parts["entries of at most 18"],
    ),
    Mistake(
        "minus forgotten when comparing",
        with_queue(enough=lambda count, least: -count >= least),
        "nothing is joined: {yours}, expected {expected}. In the queue stands *minus* the count; compared with min_frequency as it is, "
        "it is always too small",
    ),
    Mistake(
        "queue runs dry",
        queue_runs_dry,
        "the queue is empty, and the vocabulary still isn't full: a small text runs out of pairs. When does your loop end?",
        raises=IndexError,
    ),
)

TRAIN_WORDPIECE = Exercise(
    id="2.7",
    name="train_wordpiece",
    reference=wordpiece.train_wordpiece,
    stub='''
def my_train_wordpiece(corpus, vocab_size, min_frequency=2, alphabet_size=1000, **options):
    """The vocabulary: special tokens, characters, then merged pairs, the most frequent pair first."""
    word_counts = without_long_words(count_words(corpus, **options))
    alphabet = choose_alphabet(word_counts, alphabet_size)
    words = [split_into_characters(word, alphabet) for word in word_counts]
    pairs = PairCounts(words, word_counts.values(), first_pieces(words, alphabet, vocab_size))
    queue = [(-count, pair) for pair, count in pairs.count_of.items()]
    heapq.heapify(queue)  # the most frequent pair comes out first; ties in the order of their numbers
    # Merge pairs until pairs.pieces has vocab_size entries or no pair occurs min_frequency times.
    ...
    return pairs.pieces
''',
    probe=stepwise(probe_train, wordpiece.train_wordpiece),
    hints=(
        "A loop that takes the first entry out of the queue. Three things can be: its count is too small to go on, its count is "
        "no longer true, or it is merged.",
        "`pairs.count_of[pair]` is the true count. If it is below what was promised, the pair goes back with the true one.",
        "After `pairs.merge(pair)`, each pair that it returns goes into the queue: `heapq.heappush(queue, "
        "(-pairs.count_of[grown], grown))`.",
    ),
    mistakes=TRAIN_MISTAKES,
    notice="a pair may stand in the queue several times with different counts: those that are no longer true are found out when "
    "they come out, which is cheaper than looking for them",
    asks={
        "joins of the ten words": "Take the first of the queue; if its count was promised too high, put it back with the true one; otherwise merge, and put in what has grown",
        "entries of at most 18": "It stops when the vocabulary has vocab_size entries",
        "joins with min_frequency=3": "Pairs that occur fewer than min_frequency times are not joined",
        "joins in ba, baaa, nb": "A count that shrank is put back with its true value, not thrown away",
    },
    difficulty=3,
    minutes=15,
    show=joins,
    variants=(with_queue(),),
)
