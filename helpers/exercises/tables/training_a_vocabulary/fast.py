"""Counting only what changes: the pairs beside a merged place, and a merge in all words."""

from helpers.exercises.exercise import Exercise, Mistake, with_method
from helpers.exercises.steps import stepwise
from helpers.wordpiece import PairCounts, changed_pairs

# 2.5 changed_pairs

SPLITS = (("hats", "at"), ("chatsy", "at"), ("xababy", "ab"), ("banana", "an"), ("aaaa", "aa"), ("at", "at"))


def probe_changed(changed_pairs):
    for word, pair in SPLITS:
        found = changed_pairs(word.split(pair), pair, "X")
        yield f"{pair} in {word}", sorted(map(tuple, found))  # in any order


def changes_with(left=True, right=True, between=True, of_left=-1, of_right=0, turned=False, most=None):
    """The changed pairs with one thing done in another way."""

    def changed(parts, pair, merged):
        found = []
        for place, (a, b) in enumerate(list(zip(parts, parts[1:], strict=False))[:most]):
            if a and left:
                found.append((a[of_left] + pair[0], a[of_left] + merged))
            elif not a and place and between:
                found.append((pair[1] + pair[0], merged + merged))
            if b and right:
                found.append((pair[1] + b[of_right], merged + b[of_right]))
        return [(after, before) for before, after in found] if turned else found

    return changed


def changes_of_whole_parts(parts, pair, merged):
    found = [(a + pair[0], a + merged) for a in parts[:-1] if a]
    found += [(pair[1] + b, merged + b) for b in parts[1:] if b]
    return found + [(pair[1] + pair[0], merged + merged) for bit in parts[1:-1] if not bit]


def changes_with_exchanged_letters(parts, pair, merged):
    return changed_pairs(parts, pair[::-1], merged)


def changes_between_twice(parts, pair, merged):
    found = changed_pairs(parts, pair, merged)
    return found + [(pair[1] + pair[0], merged + merged) for bit in parts[1:-1] if not bit]


def changes_between_as_two(parts, pair, merged):
    """Two merged places side by side as two changes, one after the other."""
    found = changes_with(between=False)(parts, pair, merged)
    for bit in parts[1:-1]:
        if not bit:
            found += [(pair[1] + pair[0], merged + pair[0]), (merged + pair[0], merged + merged)]
    return found


def changes_without_empty_places(parts, pair, merged):
    """Takes neighbors without asking whether there are any."""
    found = []
    for a, b in zip(parts, parts[1:], strict=False):
        found += [(a[-1] + pair[0], a[-1] + merged), (pair[1] + b[0], merged + b[0])]
    return found


def changes_between_at_the_start(parts, pair, merged):
    """Takes the empty part before a word's first place for one between two places."""
    found = []
    for a, b in zip(parts, parts[1:], strict=False):
        found.append((a[-1] + pair[0], a[-1] + merged) if a else (pair[1] + pair[0], merged + merged))
        if b:
            found.append((pair[1] + b[0], merged + b[0]))
    return found


def changes_with_empty_neighbors(parts, pair, merged):
    found = []
    for a, b in zip(parts, parts[1:], strict=False):
        found += [(a[-1:] + pair[0], a[-1:] + merged), (pair[1] + b[:1], merged + b[:1])]
    return found


def changes_between_half_merged(parts, pair, merged):
    found = changes_with(between=False)(parts, pair, merged)
    return found + [(pair[1] + pair[0], merged + pair[0]) for bit in parts[1:-1] if not bit]


def changes_with_the_whole_pair(parts, pair, merged):
    found = [(a[-1] + pair, a[-1] + merged) for a in parts[:-1] if a]
    return found + [(pair + b[0], merged + b[0]) for b in parts[1:] if b]


def in_hats(parts):
    return parts["at in hats"]


def in_xababy(parts):
    return parts["ab in xababy"]


def changed_on_both_sides(parts, pair, merged):
    """Every part is taken to lie between two merged places."""
    changes = []
    for part in parts:
        if part:
            changes += [(pair[1] + part[0], merged + part[0]), (part[-1] + pair[0], part[-1] + merged)]
    return changes


CHANGED_MISTAKES = (
    Mistake(
        "side by side forgotten",
        changes_with(between=False),
        "for ab in xababy you give {yours}, expected {expected}: the pair `ba` between the two merged places is gone, and a pair "
        "of two new pieces has come. What is the part between them after the split, "
        "whatever lies behind the second one?",
        show=in_xababy,
    ),
    Mistake(
        "right side only",
        changes_with(left=False),
        "for at in hats you give {yours}, expected {expected}: the neighbor at the left of the merged place is forgotten",
    ),
    Mistake(
        "left side only",
        changes_with(right=False),
        "for at in hats you give {yours}, expected {expected}: the neighbor at the right of the merged place is forgotten",
    ),
    Mistake(
        "before and after exchanged",
        changes_with(turned=True),
        "for at in hats you give {yours}, expected {expected}: first comes the pair as it was, then as it is",
    ),
    Mistake(
        "first place only",
        changes_with(most=1),
        "for an in banana you give {yours}, expected {expected}: the pair stands there twice. Between how many parts of the split "
        "does it lie?",
        show=lambda parts: parts["an in banana"],
    ),
    Mistake(
        "whole parts",
        changes_of_whole_parts,
        "for at in chatsy you give {yours}, expected {expected}: a pair has two pieces, so of a part only the character next to "
        "the merged place counts",
        show=lambda parts: parts["at in chatsy"],
    ),
    Mistake(
        "wrong end of the left part",
        changes_with(of_left=0),
        "for at in chatsy you give {yours}, expected {expected}: of the part at the left, which character stands next to the "
        "merged place?",
        show=lambda parts: parts["at in chatsy"],
    ),
    Mistake(
        "wrong end of the right part",
        changes_with(of_right=-1),
        "for at in chatsy you give {yours}, expected {expected}: of the part at the right, which character stands next to the "
        "merged place?",
        show=lambda parts: parts["at in chatsy"],
    ),
    Mistake(
        "letters of the pair exchanged",
        changes_with_exchanged_letters,
        "for at in hats you give {yours}, expected {expected}: the left neighbor touched the first piece of the pair, the right one "
        "the second",
    ),
    Mistake(
        "between counted twice",
        changes_between_twice,
        "for ab in xababy you give {yours}, expected {expected}: what lies between two merged places is seen from both sides, but it "
        "is one pair",
        show=in_xababy,
    ),
    Mistake(
        "only one of two merged",
        changes_between_half_merged,
        "for ab in xababy you give {yours}, expected {expected}: the first place is merged, the second still as it was. What is the "
        "second neighbor now?",
        show=in_xababy,
    ),
    Mistake(
        "the whole pair as a neighbor",
        changes_with_the_whole_pair,
        "for at in hats you give {yours}, expected {expected}: a pair has two characters. Of `a t`, only the `a` touches the `h`",
    ),
    Mistake(
        "two changes for one",
        changes_between_as_two,
        "for ab in xababy you give {yours}, expected {expected}: one change after the other would come to the same if the places were "
        "merged one by one. Here both are merged at once, so give what was before and what is in the end",
        show=in_xababy,
    ),
    Mistake(
        "empty parts taken for characters",
        changes_without_empty_places,
        "where the pair begins or ends the word, or touches another one, a part of the split is empty and has no first or last "
        "character. Ask before you take one",
        raises=IndexError,
    ),
    Mistake(
        "empty neighbors",
        changes_with_empty_neighbors,
        "for ab in xababy you give {yours}, expected {expected}: where two merged places touch, no character lies between, and you note "
        "a pair of one piece. Which pair was there, and which one is?",
        show=in_xababy,
    ),
    Mistake(
        "beginning of the word taken for a merged place",
        changes_between_at_the_start,
        "for aa in aaaa you give {yours}, expected {expected}: the part before the first place is empty as well, but there is no "
        "merged place before it. There the word begins",
        show=lambda parts: parts["aa in aaaa"],
    ),
    Mistake(
        "merged places on both sides of every part",
        changed_on_both_sides,
        "for at in hats you give {yours}, expected {expected}: before the first part and behind the last one there is no merged "
        "place, so these have a neighbor on one side only",
        show=lambda parts: parts["at in hats"],
    ),
)

CHANGED_PAIRS = Exercise(
    id="2.5",
    name="changed_pairs",
    reference=changed_pairs,
    stub='''
def my_changed_pairs(parts, pair, merged):
    """The neighbors of each merged place, before and after: [(pair that was, pair that is), ...].

    parts: the word split at the pair. "hats".split("at") is ["h", "s"]; with the pair "at" and the merged "X"
    the word was h a t s and is h X s, so the result is [("ha", "hX"), ("ts", "Xs")].
    """
    ...
''',
    probe=stepwise(probe_changed, changed_pairs),
    hints=(
        "A merged place lies between each part and the next one: go through these pairs of parts.",
        "If the part at the left has characters, its last one touched the first piece of the pair. If the part at the right has "
        "any, its first one touched the second piece.",
        "An empty part has two meanings. At the beginning (or the end) of the word there is no neighbor. Elsewhere two merged "
        "places touch, and one pair lies between them: count it once, from one side.",
    ),
    mistakes=CHANGED_MISTAKES,
    notice="in `aaaa` split at `aa` there are three empty parts, and only the one in the middle stands for a pair",
    asks={
        "at in hats": "The first part has a merged place only behind it, the last one only before it",
        "at in chatsy": "Only the one character next to the merged place changes its pair",
        "ab in xababy": "Two merged places touch: where `ba` was, `XX` is",
        "an in banana": "Between two merged places lies one character, and both its pairs change",
        "at in at": "Without neighbors nothing changes",
    },
    difficulty=3,
    minutes=15,
    show=in_hats,
    variants=(
        changes_with(),
        lambda parts, pair, merged: (
            changes_with(between=False)(parts, pair, merged)
            + [(pair[1] + pair[0], merged * 2)] * sum(not bit for bit in parts[1:-1])
        ),
    ),
)

# 2.6 PairCounts.merge

MERGED_WORDS = {"chats": 3, "hat": 2, "xabab": 5, "tab": 4}
MERGES = (("##a", "##t"), ("##a", "##b"), ("##h", "##at"), ("c", "##h"), ("c", "##hat"), ("##ab", "##ab"))


def probe_merge(merge):
    words = [[c if i == 0 else "##" + c for i, c in enumerate(word)] for word in MERGED_WORDS]
    start = sorted({piece for word in words for piece in word} | {"ch"})
    pairs = with_method(PairCounts, "merge", merge)(words, MERGED_WORDS.values(), start)

    def written(pair):
        known = len(pairs.pieces)
        return " ".join(pairs.pieces[ord(c)] if ord(c) < known else f"number {ord(c)}?" for c in pair)

    for first, second in MERGES:
        pair = chr(pairs.number[first]) + chr(pairs.number[second])
        if pair not in pairs.found_in:
            continue
        name, grown = f"{first} {second}", pairs.merge(pair)
        yield f"words after {name}", [written(word) for word in pairs.words]
        counts = {written(p): n for p, n in pairs.count_of.items() if n != 0}
        yield f"counts after {name}", dict(sorted(counts.items()))
        yield f"pieces after {name}", pairs.pieces[len(start) :]
        if grown is not None:  # pairs that were there for a moment only don't matter
            grown = sorted(written(p) for p in set(grown) if pairs.count_of[p] > 0)
        yield f"grown in {name}", grown
        places = {
            written(p): sorted(set(found)) for p, found in pairs.found_in.items() if pairs.count_of[p] > 0
        }
        yield f"places after {name}", dict(sorted(places.items()))


def merge_with(
    subtract=True,
    add=True,
    weight=True,
    delete=True,
    note=True,
    rewrite=True,
    known=True,
    returned="after",
    late=False,
    symbol=True,
):
    """PairCounts.merge with one thing done in another way."""

    def merge(self, pair):
        piece, grown = self.spell(pair), set()
        if piece not in self.number or not known:
            self.number[piece] = len(self.pieces) + late
            self.pieces.append(piece)
        merged = chr(self.number[piece]) if symbol else piece
        for index in self.found_in.pop(pair):
            parts = self.words[index].split(pair)
            if rewrite:
                self.words[index] = merged.join(parts)
            for before, after in changed_pairs(parts, pair, merged):
                often = self.counts[index] if weight else 1
                self.count_of[before] -= often * subtract
                self.count_of[after] += often * add
                if note:
                    self.found_in[after].append(index)
                grown.add(before if returned == "before" else after)
        if delete:
            del self.count_of[pair]
        return grown if returned else None

    return merge


def merge_replacing(self, pair):
    """Rewrites the words first, then looks for neighbors in what is left."""
    piece, grown = self.spell(pair), set()
    if piece not in self.number:
        self.number[piece] = len(self.pieces)
        self.pieces.append(piece)
    merged = chr(self.number[piece])
    for index in self.found_in.pop(pair):
        self.words[index] = self.words[index].replace(pair, merged)
        for before, after in changed_pairs(self.words[index].split(pair), pair, merged):
            self.count_of[before] -= self.counts[index]
            self.count_of[after] += self.counts[index]
            self.found_in[after].append(index)
            grown.add(after)
    del self.count_of[pair]
    return grown


def merge_loosely(self, pair):
    """Right, in another order: old pairs of a word are taken away, new ones are added."""
    piece, grown = self.spell(pair), set()
    if piece not in self.number:
        self.number[piece] = len(self.pieces)
        self.pieces.append(piece)
    merged = chr(self.number[piece])
    for index in set(self.found_in[pair]):
        word = self.words[index]
        if pair not in word:
            continue
        new = word.replace(pair, merged)
        for i in range(len(word) - 1):
            self.count_of[word[i : i + 2]] -= self.counts[index]
        for i in range(len(new) - 1):
            self.count_of[new[i : i + 2]] += self.counts[index]
            self.found_in[new[i : i + 2]].append(index)
            if merged in new[i : i + 2]:
                grown.add(new[i : i + 2])
        self.words[index] = new
    self.count_of.pop(pair, None)
    self.found_in.pop(pair, None)
    return grown


def count_in(name, after="##a ##t"):
    return lambda parts: parts[f"counts after {after}"].get(name, 0)


MERGE_MISTAKES = (
    Mistake(
        "old counts kept",
        merge_with(subtract=False),
        "after ##a ##t is merged, `##h ##a` is still counted {yours} times, expected {expected}: where the pair was merged, the pairs "
        "beside it are gone",
        show=count_in("##h ##a"),
    ),
    Mistake(
        "new counts missing",
        merge_with(add=False),
        "after ##a ##t is merged, `##h ##at` is counted {yours} times, expected {expected}: the pairs beside the new piece are new "
        "as well",
        show=count_in("##h ##at"),
    ),
    Mistake(
        "count of the word ignored",
        merge_with(weight=False),
        "after ##a ##t is merged, `##h ##at` is counted {yours} times, expected {expected}: it stands in `chats`, which occurs 3 "
        "times. self.counts knows that",
        show=count_in("##h ##at"),
    ),
    Mistake(
        "merged pair still counted",
        merge_with(delete=False),
        "after ##a ##t is merged, it is still counted {yours} times, expected {expected}: it stands nowhere any more",
        show=count_in("##a ##t"),
    ),
    Mistake(
        "places not noted",
        merge_with(note=False),
        "the counts are right, but nobody notes in which words the new pairs stand: `##h ##at` has the places {yours}, expected "
        "{expected}. When its turn comes, its words won't be found",
        show=lambda parts: parts["places after ##a ##t"].get("##h ##at", []),
    ),
    Mistake(
        "words left as they were",
        merge_with(rewrite=False),
        "after ##a ##t is merged, the first word still reads {yours!r}, expected {expected!r}: the words themselves must change",
        show=lambda parts: parts["words after ##a ##t"][0],
    ),
    Mistake(
        "known piece entered again",
        merge_with(known=False),
        "the piece `ch` is there already and gets a second entry: after c ##h the new pieces are {yours}, expected {expected}. A "
        "piece can be made in two ways, and is one entry all the same",
        show=lambda parts: (
            parts["pieces after c ##h"] if "pieces after c ##h" in parts else parts["pieces after c ##hat"]
        ),
    ),
    Mistake(
        "number counted after appending",
        merge_with(late=True),
        "after ##a ##t is merged, the first word reads {yours!r}, expected {expected!r}: the new piece got a number one too high, since "
        "it was already in self.pieces when its length was asked for. The first place is 0",
        show=lambda parts: parts["words after ##a ##t"][0],
    ),
    Mistake(
        "text of the piece for its character",
        merge_with(symbol=False),
        "after ##a ##t is merged, the first word reads {yours!r}, expected {expected!r}: you join by the text of the piece. In "
        "self.words every piece is *one* character, `chr` of its number",
        show=lambda parts: parts["words after ##a ##t"][0],
    ),
    Mistake(
        "pairs that shrank returned",
        merge_with(returned="before"),
        "of the pairs that you return, {yours} are still there, expected {expected}: you return those that have become rarer. The "
        "queue corrects these by itself; it needs to hear of the ones that have *grown*",
        show=lambda parts: parts["grown in ##a ##t"],
    ),
    Mistake(
        "nothing returned",
        merge_with(returned=""),
        "the trainer needs the set of pairs that have grown",
    ),
    Mistake(
        "word changed too early",
        merge_replacing,
        "after ##a ##t is merged, `##h ##at` is counted {yours} times, expected {expected}: you change the word first and then look "
        "for the pair in it, where it no longer is",
        show=count_in("##h ##at"),
    ),
)

MERGE = Exercise(
    id="2.6",
    name="PairCounts.merge",
    reference=PairCounts.merge,
    stub='''
def my_merge(self, pair):
    """Join a pair (a string of two characters) wherever it stands, and correct the counts next to it.

    Returns the set of pairs that have grown. A piece that is not in self.number yet gets the next number.
    """
    ...
''',
    probe=stepwise(probe_merge, PairCounts.merge),
    hints=(
        "First the new piece: `self.spell(pair)` is its text; if self.number doesn't have it, it goes to the end of self.pieces. "
        "Its character is `chr` of its number.",
        "Then, for each place in `self.found_in.pop(pair)`: split the word at the pair, join the parts by the new character, and "
        "let changed_pairs say what was before and what is after.",
        "For each change: the old pair loses the count of the word, the new one gains it, the new one's place is noted in "
        "self.found_in, and it has grown. At the very end the merged pair itself goes out of self.count_of.",
    ),
    mistakes=MERGE_MISTAKES,
    notice="the places of pairs that shrank are not taken out of found_in: looking for them would cost more than splitting a word "
    "in vain now and then",
    asks={
        "words after ##a ##t": "In each word that holds the pair, it is replaced by the one character of the new piece",
        "counts after ##a ##t": "For each place in a word, the old pairs beside it become fewer and the new ones more, by how often the word occurs",
        "pieces after ##a ##t": "The new piece goes to the end of self.pieces, and its number is its place there",
        "grown in ##a ##t": "What is returned are the pairs that have become more, as a set",
        "places after ##a ##t": "self.found_in notes for each new pair in which words it stands",
    },
    difficulty=3,
    minutes=20,
    show=count_in("##h ##at"),
    variants=(merge_with(), merge_loosely),
)
