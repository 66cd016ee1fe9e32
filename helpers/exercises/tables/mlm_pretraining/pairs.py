"""Exercise 6.4. Sentence pairs: two neighbors, or a stranger."""

import random
from itertools import combinations, pairwise

from helpers import pretraining
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.tables.mlm_pretraining.small import About

PAIRS = '''
def my_make_sentence_pairs(documents, seed):
    """A list of (first, second, label): label 0 if `second` follows `first`, 1 if it is from elsewhere.

    documents: lists of segments, in order; some are empty. Every two neighbors of a document give one pair.
    A coin decides: the two as they are, or the first with any segment of any other document that has one.
    All chance comes from dice = random.Random(seed): dice.random(), dice.choice(a list).
    """
    ...
'''


def few_documents():
    return [["a1", "a2", "a3", "a4"], ["b1"], ["c1", "c2", "c3"], ["d1", "d2"]]


def probe_pairs(make_sentence_pairs):
    def made(documents, seeds):
        return [list(map(tuple, make_sentence_pairs(documents(), seed))) for seed in seeds]

    def with_an_empty_one():
        return [[], *few_documents()]

    runs = made(few_documents, range(100))
    yield "the first segments", [pair[0] for pair in runs[0]]
    follows = dict(pair for document in few_documents() for pair in pairwise(document))
    pairs = [pair for run in runs for pair in run]
    yield (
        "label 0 where the second follows",
        About(_share(pairs, lambda a, b, n: (n == 0) == (follows[a] == b)), 0.01),
    )
    yield "share of pairs that follow", About(_share(pairs, lambda a, b, n: follows[a] == b), 0.12)
    strangers = [pair for pair in pairs if follows[pair[0]] != pair[1]]
    yield "strangers from the same document", About(_share(strangers, lambda a, b, n: a[0] == b[0]), 0.01)
    yield "strangers that are a first segment", About(_share(strangers, lambda a, b, n: b[1] == "1"), 0.2)
    of_a = [pair for pair in strangers if pair[0][0] == "a"]
    yield "documents that lend one to the first", sorted({b[0] for _, b, _ in of_a})
    coins = [len({label for first, _, label in run if first[0] == "a"}) == 2 for run in runs]
    yield "both labels in one document", About(sum(coins) / len(coins), 0.25)
    yield "the same seed gives the same", made(few_documents, [3]) == runs[3:4]
    yield "another seed gives the same", all(run == runs[0] for run in runs)
    yield "an empty document among them", [pair[0] for pair in made(with_an_empty_one, range(40))[-1]]


def _share(pairs, holds):
    return sum(holds(*pair) for pair in pairs) / max(1, len(pairs))


def _pairs(
    documents, seed, *, neighbors=pairwise, coin=None, label=None, other=None, segment=None, dice=None
):
    dice = dice or random.Random(seed)
    found = []
    usable = [i for i, document in enumerate(documents) if document]
    for index, document in enumerate(documents):
        for first, following in neighbors(document):
            if coin(index) if coin else dice.random() < 0.5:
                found.append((first, following, 0))
                continue
            number = (
                other(dice, index, documents) if other else dice.choice([i for i in usable if i != index])
            )
            second = segment(dice, documents[number]) if segment else dice.choice(documents[number])
            found.append((first, second, 1))
    return [(a, b, label(n)) for a, b, n in found] if label else found


def pairs_variant(**changes):
    return lambda documents, seed: _pairs(documents, seed, **changes)


def pairs_one_coin(documents, seed):
    coins = [random.Random(seed * 100 + index).random() < 0.5 for index in range(len(documents))]
    return _pairs(documents, seed, coin=lambda index: coins[index])


def pairs_across_documents(documents, seed):
    segments = [(i, s) for i, document in enumerate(documents) for s in document]
    dice, found = random.Random(seed), []
    for (index, first), (_, following) in pairwise(segments):
        if dice.random() < 0.5:
            found.append((first, following, 0))
        else:
            found.append((first, dice.choice([s for i, s in segments if i != index]), 1))
    return found


def pairs_from_all_segments(documents, seed):
    everything = [segment for document in documents for segment in document]
    dice, found = random.Random(seed), []
    for document in documents:
        for first, following in pairwise(document):
            follows = dice.random() < 0.5
            found.append((first, following if follows else dice.choice(everything), 0 if follows else 1))
    return found


def pairs_both(documents, seed):
    dice, found = random.Random(seed), []
    for index, document in enumerate(documents):
        others = [d for i, d in enumerate(documents) if i != index and d]
        for first, following in pairwise(document):
            found += [(first, following, 0), (first, dice.choice(dice.choice(others)), 1)]
    return found


def pairs_by_segments(documents, seed):
    """Right: any other document's segment, each segment as likely."""
    dice, found = random.Random(seed), []
    for index, document in enumerate(documents):
        others = [s for i, d in enumerate(documents) if i != index for s in d]
        for place in range(len(document) - 1):
            stays = dice.random() >= 0.5
            found.append(
                (document[place], document[place + 1] if stays else dice.choice(others), int(not stays))
            )
    return found


def pairs_drawn_again(documents, seed):
    """Right: drawn again until it is another document."""
    dice, found = random.Random(seed), []
    for index, document in enumerate(documents):
        for first, following in zip(document, document[1:], strict=False):
            if dice.randint(0, 1):
                found.append((first, following, 0))
                continue
            other = index
            while other == index or not documents[other]:
                other = dice.randrange(len(documents))
            found.append((first, dice.choice(documents[other]), 1))
    return found


def pairs_with_strange_first(documents, seed):
    dice, found = random.Random(seed), []
    for index, document in enumerate(documents):
        others = [s for number, other in enumerate(documents) if number != index for s in other]
        for first, second in pairwise(document):
            same = dice.random() < 0.5
            found.append((first, second, 0) if same else (dice.choice(others), second, 1))
    return found


def _variant_all_later(documents, seed):
    return _pairs(documents, seed, neighbors=lambda document: combinations(document, 2))


def pairs_with_next_document(documents, seed):
    def after(dice, index, documents):
        count = len(documents)
        return next(n % count for n in range(index + 1, index + count) if documents[n % count])

    return _pairs(documents, seed, other=after)


PAIRS_MISTAKES = (
    Mistake(
        "always the next document, of those with text",
        pairs_with_next_document,
        "the strangers of the first document come from {yours}, expected from {expected}: always the document after it. Any other one may lend a segment, by chance",
        show=lambda parts: parts["documents that lend one to the first"],
    ),
    Mistake(
        "the first is replaced",
        pairs_with_strange_first,
        "the first segments of the pairs are {yours}, expected {expected}: where the coin says so, it is the second of a pair that comes from elsewhere; the first stays",
        show=lambda parts: parts["the first segments"],
    ),
    Mistake(
        "pairs with every later segment",
        _variant_all_later,
        "the first segments of the pairs are {yours}, expected {expected}: you pair a segment with all that come later. Only the next one follows it",
        show=lambda parts: parts["the first segments"],
    ),
    Mistake(
        "labels exchanged",
        pairs_variant(label=lambda n: 1 - n),
        "a share of {yours} of the labels is right: 0 and 1 are exchanged. BERT's 0 means “follows”, and the library's "
        "does, too",
        show=lambda parts: parts["label 0 where the second follows"],
    ),
    Mistake(
        "the same document as stranger",
        pairs_variant(other=lambda dice, index, documents: dice.randrange(len(documents))),
        "of the second segments that don't follow, a share of {yours} comes from the same document, expected {expected}: "
        "any document may be drawn, the one at hand among them. What has to be shut out?",
        show=lambda parts: parts["strangers from the same document"],
    ),
    Mistake(
        "any segment of all",
        pairs_from_all_segments,
        "a share of {yours} of the labels is right, expected {expected}: the stranger is drawn from all segments, so it "
        "may be the very one that follows, with label 1, or another of the same document",
        show=lambda parts: parts["label 0 where the second follows"],
    ),
    Mistake(
        "one coin for a document",
        pairs_one_coin,
        "both labels occur in one document in a share of {yours} of the runs, expected about {expected}: you throw one "
        "coin for each document. It is thrown for each pair",
        show=lambda parts: parts["both labels in one document"],
    ),
    Mistake(
        "no coin",
        pairs_variant(coin=lambda index: True),
        "a share of {yours} of the pairs follow each other, expected {expected}: a model that always says “follows” "
        "would be right every time",
        show=lambda parts: parts["share of pairs that follow"],
    ),
    Mistake(
        "always a stranger",
        pairs_variant(coin=lambda index: False),
        "a share of {yours} of the pairs follow each other, expected {expected}: every second segment is replaced. What "
        "does the coin decide?",
        show=lambda parts: parts["share of pairs that follow"],
    ),
    Mistake(
        "both of each",
        pairs_both,
        "your pairs begin with {yours}, expected {expected}: you give both, the neighbors and a pair with a stranger. A coin "
        "decides between the two",
        show=lambda parts: parts["the first segments"],
    ),
    Mistake(
        "pairs across documents",
        pairs_across_documents,
        "your pairs begin with {yours}, expected {expected}: the last segment of a document is taken to be followed by "
        "the first of the next one. Whose neighbors are they?",
        show=lambda parts: parts["the first segments"],
    ),
    Mistake(
        "every segment once",
        pairs_variant(neighbors=lambda d: zip(d[::2], d[1::2], strict=False)),
        "your pairs begin with {yours}, expected {expected}: you go on by two segments after each pair. Every two "
        "neighbors are a pair, so most segments stand in two of them",
        show=lambda parts: parts["the first segments"],
    ),
    Mistake(
        "the last pair lost",
        pairs_variant(neighbors=lambda d: list(pairwise(d))[:-1]),
        "your pairs begin with {yours}, expected {expected}: the last two segments of each document give no pair. Four "
        "segments have how many pairs of neighbors?",
        show=lambda parts: parts["the first segments"],
    ),
    Mistake(
        "always the first segment",
        pairs_variant(segment=lambda dice, document: document[0]),
        "a share of {yours} of the strangers is the first segment of its document, expected about {expected}: a model "
        "would learn that beginnings of a story don't follow, and look at nothing else",
        show=lambda parts: parts["strangers that are a first segment"],
    ),
    Mistake(
        "always the next document",
        pairs_variant(other=lambda dice, index, documents: (index + 1) % len(documents)),
        "strangers for the first document come from {yours}, expected {expected}: it is always the same neighbor. Any "
        "other document should do",
        show=lambda parts: parts["documents that lend one to the first"],
    ),
    Mistake(
        "chance without the seed",
        lambda documents, seed: _pairs(documents, seed, dice=random),
        "the pairs are right, but the same seed gives other ones the next time: the chance does not come from a "
        "`random.Random(seed)` of this call",
    ),
    Mistake(
        "seed not used",
        lambda documents, seed: _pairs(documents, 0),
        "the pairs are right, but every seed gives the same ones: then each epoch would have the same strangers",
    ),
    Mistake(
        "empty documents drawn",
        pairs_variant(
            other=lambda dice, index, documents: dice.choice([i for i in range(len(documents)) if i != index])
        ),
        "that is an empty document, from which a segment was to be drawn: which documents can lend one?",
        raises=IndexError,
    ),
)


EXERCISE = Exercise(
    id="6.4",
    name="make_sentence_pairs",
    reference=pretraining.make_sentence_pairs,
    stub=PAIRS,
    probe=probe_pairs,
    hints=(
        "Two loops: over the documents with their numbers, and over the neighbors of each. Inside, one coin.",
        "`pairwise(document)`, from itertools, gives all neighbors. For a stranger choose another document first, "
        "then a segment of it.",
        "Which documents may lend one? Those that are not empty and have another number: draw again until it is so, "
        "or draw from a list of just these.",
    ),
    mistakes=PAIRS_MISTAKES,
    notice="a document with a single segment gives no pair, but may well lend its segment to others",
    difficulty=2,
    minutes=15,
    variants=(pairs_by_segments, pairs_drawn_again),
)
