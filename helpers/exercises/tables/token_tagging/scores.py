"""Notebook 13: precision, recall and F1 of tags, and the entities that BIO tags name."""

from collections import Counter

from helpers import tagging
from helpers.exercises.exercise import Exercise, Mistake
from helpers.tagging import Scores

# 13.6 tag_scores

SCORES = '''
def my_tag_scores(truth, predicted, tags):
    """Scores.of(right, found, there) for some tags together; truth and predicted: a tag for each word.

    there: how many words have one of `tags`. found: to how many the model gave one. right: how many of these
    have the very tag that was given. Scores.of makes precision, recall and F1 of the three numbers.
    """
    ...
'''

TRUTH = [0, 1, 1, 2, 0, 3, 1, 2, 0, 0, 1]
GUESSED = [0, 1, 2, 2, 1, 0, 1, 1, 0, 3, 1]


def probe_scores(scores):
    for name, tags in (
        ("tag 1", (1,)),
        ("tags 1 and 2", (1, 2)),
        ("all but tag 0", {1, 2, 3}),
        ("a tag that is not there", (7,)),
    ):
        yield name, tuple(float(value) for value in scores(list(TRUTH), list(GUESSED), tags))


def scores_with(right=None, found=None, there=None):
    """With another count of what is right, found, or there; each a function of (true, guessed, tags)."""
    right = right or (lambda true, guessed, tags: true == guessed and true in tags)
    found = found or (lambda true, guessed, tags: guessed in tags)
    there = there or (lambda true, guessed, tags: true in tags)

    def scores(truth, predicted, tags):
        pairs = list(zip(truth, predicted, strict=True))
        return Scores.of(
            *(sum(bool(count(*pair, tags)) for pair in pairs) for count in (right, found, there))
        )

    return scores


def exchanged(truth, predicted, tags):
    scores = tagging.tag_scores(truth, predicted, tags)
    return Scores(scores.recall, scores.precision, scores.f1)


def mean_of_tags(truth, predicted, tags):
    each = [tagging.tag_scores(truth, predicted, (tag,)) for tag in tags]
    return Scores(*(sum(values) / len(each) for values in zip(*each, strict=True)))


def plain_mean(truth, predicted, tags):
    scores = tagging.tag_scores(truth, predicted, tags)
    return scores._replace(f1=(scores.precision + scores.recall) / 2)


def tags_counted(truth, predicted, tags):
    there, found = (Counter(tag for tag in row if tag in tags) for row in (truth, predicted))
    return Scores.of((there & found).total(), found.total(), there.total())


def tags_in_sets(truth, predicted, tags):
    there, found = (set(row) & set(tags) for row in (truth, predicted))
    return Scores.of(len(there & found), len(found), len(there))


def both(parts):
    return parts["tags 1 and 2"]


SCORES_MISTAKES = (
    Mistake(
        "precision and recall exchanged",
        exchanged,
        "precision and recall are {yours}, expected {expected}: they have changed places. Precision asks of what was found, "
        "recall of what was there",
        show=lambda parts: tuple(round(value, 2) for value in parts["tag 1"][:2]),
    ),
    Mistake(
        "any of the tags will do",
        scores_with(right=lambda true, guessed, tags: true in tags and guessed in tags),
        "for tags 1 and 2 you get {yours}, expected {expected}: a word with tag 1 that was given tag 2 counts as right",
        show=both,
    ),
    Mistake(
        "all right ones",
        scores_with(right=lambda true, guessed, tags: true == guessed),
        "for tags 1 and 2 you get {yours}, expected {expected}: words with another tag that were given it count as right, too",
        show=both,
    ),
    Mistake(
        "accuracy",
        scores_with(found=lambda *_: True, there=lambda *_: True),
        "for tags 1 and 2 you get {yours}, expected {expected}: you divide by all words",
        show=both,
    ),
    Mistake(
        "the mean of the tags",
        mean_of_tags,
        "for tags 1 and 2 you get {yours}, expected {expected}: that is the mean of the two tags' scores (macro average), where "
        "a rare tag counts as much as a frequent one",
        show=both,
    ),
    Mistake(
        "the plain mean for F1",
        plain_mean,
        "F1 of all but tag 0 is {yours}, expected {expected}: that is half of precision plus recall. F1 is the harmonic mean; "
        "Scores.of computes it",
        show=lambda parts: parts["all but tag 0"][2],
    ),
    Mistake(
        "numbers of the tags",
        tags_counted,
        "for tags 1 and 2 you get {yours}, expected {expected}: you compare how often each tag was given with "
        "how often it is there. Right is a tag at its own word",
        show=both,
    ),
    Mistake(
        "a set",
        tags_in_sets,
        "for tags 1 and 2 you get {yours}, expected {expected}: each tag counts once, however many words have "
        "it",
        show=both,
    ),
    Mistake(
        "found and there",
        scores_with(found=lambda true, guessed, tags: true in tags and guessed in tags),
        "for tags 1 and 2 you get {yours}, expected {expected}: found are only words that have one of the "
        "tags, so a tag that was given wrongly costs nothing",
        show=both,
    ),
    Mistake(
        "whatever is not tag 0",
        scores_with(found=lambda true, guessed, tags: guessed != 0),
        "for tags 1 and 2 you get {yours}, expected {expected}: found are all words with another tag than 0. "
        "Asked is for `tags` alone",
        show=both,
    ),
)

# 13.7 entities_of

ENTITIES = '''
def my_entities_of(tags):
    """The entities that BIO tags name: a list of (kind, begin, end); end is the word after the last.

    "B-who" begins an entity of the kind "who", "I-who" continues one, "O" belongs to none. An I- that has
    nothing to continue (nothing right before it, or another kind) begins an entity as well. A kind may hold
    a hyphen ("B-first-name"). Entities are tuples, since they are put into sets.
    """
    ...
'''

TEXTS = {
    "one of two words": ["O", "B-who", "I-who", "O"],
    "two neighbors": ["B-who", "B-who", "I-who", "O"],
    "at the end": ["O", "B-place", "I-place"],
    "an I alone": ["O", "I-who", "I-who", "O"],
    "another kind": ["B-who", "I-place", "I-place", "O"],
    "after a gap": ["B-who", "O", "I-who"],
    "a kind with a hyphen": ["B-first-name", "I-first-name", "O"],
}


def probe_entities(entities):
    for name, tags in TEXTS.items():
        found = entities(list(tags))
        yield name, [tuple(entity) for entity in found]
    yield "what can go into a set", len(set(found))


def entities_with(
    *,
    ends_at=0,
    any_kind=False,
    b_begins=True,
    stray=True,
    gap=False,
    at_end=True,
    kind_of=lambda tag: tag[2:],
):
    """The function with one rule changed."""

    def entities(tags):
        found = []
        for place, tag in enumerate(tags):
            if tag == "O":
                continue
            kind, last = kind_of(tag), found[-1] if found else None
            joins = last and (gap or last[2] == place) and (any_kind or last[0] == kind)
            if joins and (tag[0] == "I" or not b_begins):
                found[-1] = (last[0], last[1], place + 1)
            elif tag[0] == "B" or stray:
                found.append((kind, place, place + 1))
        if not at_end:
            found = [entity for entity in found if entity[2] < len(tags)]
        return [(kind, begin, end + ends_at) for kind, begin, end in found]

    return entities


def entities_by_splitting(tags):
    found, current = [], None
    for place, tag in enumerate([*tags, "O"]):
        kind = None if tag == "O" else tag.split("-", 1)[1]
        if current and (tag[0] != "I" or kind != current[0]):
            found.append((*current, place))
            current = None
        if kind and current is None:
            current = (kind, place)
    return found


ENTITIES_MISTAKES = (
    Mistake(
        "the last word instead of the one after",
        entities_with(ends_at=-1),
        "an entity of two words is {yours}, expected {expected}: the end is the word after the last, as in Python's slices",
        show=lambda parts: parts["one of two words"],
    ),
    Mistake(
        "B- does not begin anew",
        entities_with(b_begins=False),
        "two neighbors of one kind are {yours}, expected {expected}: they have grown together. That is what the B- is for",
        show=lambda parts: parts["two neighbors"],
    ),
    Mistake(
        "the last one is lost",
        entities_with(at_end=False),
        "an entity at the end of the text is {yours}, expected {expected}: nothing comes after it that would close it",
        show=lambda parts: parts["at the end"],
    ),
    Mistake(
        "an I- alone is dropped",
        entities_with(stray=False),
        "an I- with nothing to continue is {yours}, expected {expected}: a model may say so, and somebody has to decide what it "
        "means. Here it begins an entity, as in the program that the CoNLL tasks were scored with",
        show=lambda parts: parts["an I alone"],
    ),
    Mistake(
        "any kind continues",
        entities_with(any_kind=True),
        "an I- of another kind gives {yours}, expected {expected}: it continues only what has its own kind",
        show=lambda parts: parts["another kind"],
    ),
    Mistake(
        "over a gap",
        entities_with(gap=True),
        "an I- after a gap gives {yours}, expected {expected}: what it continues must stand right before it",
        show=lambda parts: parts["after a gap"],
    ),
    Mistake(
        "split at every hyphen",
        entities_with(kind_of=lambda tag: tag.split("-")[1]),
        'the kind "first-name" becomes {yours}, expected {expected}: cut at the first hyphen alone',
        show=lambda parts: parts["a kind with a hyphen"],
    ),
    Mistake(
        "every word an entity",
        lambda tags: [(tag[2:], place, place + 1) for place, tag in enumerate(tags) if tag != "O"],
        "an entity of two words is {yours}, expected {expected}: each word is one of its own. What does the "
        "I- say?",
        show=lambda parts: parts["one of two words"],
    ),
    Mistake(
        "the first word alone",
        lambda tags: [(tag[2:], place, place + 1) for place, tag in enumerate(tags) if tag[0] == "B"],
        "an entity of two words is {yours}, expected {expected}: it ends after its first word. How far does "
        "it go on?",
        show=lambda parts: parts["one of two words"],
    ),
    Mistake(
        "begin and length",
        lambda tags: [(kind, begin, end - begin) for kind, begin, end in tagging.entities_of(tags)],
        "an entity at the end of the text is {yours}, expected {expected}: the third thing is the end, not "
        "the length",
        show=lambda parts: parts["at the end"],
    ),
    Mistake(
        "the whole tag",
        lambda tags: [(tags[begin], begin, end) for kind, begin, end in tagging.entities_of(tags)],
        "an entity of two words is {yours}, expected {expected}: the kind is what stands behind the B- or I-",
        show=lambda parts: parts["one of two words"],
    ),
    Mistake(
        "the last part of the kind",
        entities_with(kind_of=lambda tag: tag.rsplit("-", 1)[-1]),
        'the kind "first-name" becomes {yours}, expected {expected}: you keep what stands behind the last '
        "hyphen. Cut at the first one alone",
        show=lambda parts: parts["a kind with a hyphen"],
    ),
)

EXERCISES = (
    Exercise(
        id="13.6",
        name="tag_scores",
        reference=tagging.tag_scores,
        stub=SCORES,
        probe=probe_scores,
        hints=(
            "Three counts over the pairs of `zip(truth, predicted)`: there looks at the first of a pair, found at the second, "
            "right at both.",
            "`sum(true == guessed and true in tags for true, guessed in zip(truth, predicted))` is the one for right.",
        ),
        mistakes=SCORES_MISTAKES,
        notice="words with tag 0 that got tag 0 appear in none of the three counts: that is why F1 is lower than accuracy",
        difficulty=1,
        minutes=7,
        variants=(scores_with(),),
    ),
    Exercise(
        id="13.7",
        name="entities_of",
        reference=tagging.entities_of,
        stub=ENTITIES,
        probe=probe_entities,
        hints=(
            "Go through the tags with their numbers and keep a list of what was found; an I- either makes the last entry one "
            "word longer or begins a new one.",
            "It makes the last entry longer if there is one, if it ends right here, and if it has the same kind. Else, and at "
            "every B-, append (kind, place, place + 1).",
            '`start, _, kind = tag.partition("-")` takes a tag apart, also one with a second hyphen.',
        ),
        mistakes=ENTITIES_MISTAKES,
        notice="who keeps each entity with its end as it grows needs no special case for the end of the text",
        difficulty=2,
        minutes=12,
        variants=(entities_with(), entities_by_splitting),
    ),
)
