"""All ways in which a grammar can write a text with hidden words, weighed exactly.

Sentences are independent given the latent choices, so readings of a text are paths through its positions: a
node says which role has just ended where, and which latent choices the visible words have revealed so far.
Paths that agree in that share a node; a forward and a backward pass weigh them all. A choice that no visible
word has revealed is summed out at the end (`helpers/stories/latents.py`), and so are the sentences around the
text. What it is for stands in `helpers/stories/posterior.py`.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from helpers.stories.latents import Known, Latents
from helpers.stories.story import MASK
from helpers.stories.tables import Grammar, Table

# (first, middle, stop, total) -> P(a text is the sentences first ... stop - 1, and its second segment begins
# at sentence `middle` | the story has `total` sentences)
Window = Callable[[int, int, int, int], float]


class Reading(NamedTuple):
    """What the visible words say: how probable they are, the hidden words by position, the latent choices.

    `words` maps the position of each hidden word to {word: probability}; `known` maps what the visible
    words reveal of the latent choices to its probability.
    """

    probability: float
    words: dict[int, dict[str, float]]
    known: dict[Known, float]


class _Line(NamedTuple):
    """A template: what it needs to be known, and its probability then."""

    items: tuple[str | Table, ...]
    literals: tuple[tuple[int, str], ...]  # the last one first: it fails most often
    slots: tuple[tuple[int, Table], ...]
    known: Known
    share: float


class _Match(NamedTuple):
    """A template at a place of the text: what its visible words reveal, and their probability then."""

    line: _Line
    start: int
    stop: int
    known: Known
    weight: float


class _Edge(NamedTuple):
    """A sentence from one node (None: the beginning) to the next."""

    source: "_Node | None"
    target: "_Node"
    match: _Match
    weight: float


class _Node(NamedTuple):
    """Where a reading stands after a sentence."""

    position: int
    first_role: int
    role: int  # of the last sentence; the number of roles where that sentence is cut
    before: int  # sentences up to `middle`, and after it
    after: int
    known: Known


class Reader:
    """Reads texts of one grammar."""

    def __init__(self, grammar: Grammar):
        self.grammar = grammar
        self.latents = latents = Latents(grammar)
        self.lines = [[self._line(*entry, role.templates) for entry in role.templates.entries]
                      for role in grammar.roles]  # fmt: skip
        self.there = [self._presence(role.presence, True) for role in grammar.roles]
        self.absent = [self._presence(role.presence, False) for role in grammar.roles]
        tables = {table for lines in self.lines for line in lines for _, table in line.slots}
        self.by_word = {table: defaultdict(list) for table in tables}
        for table in tables:
            for word, binding, weight in table.entries:
                self.by_word[table][word].append((latents.known(binding), weight / latents.total(table)))
        self._next = cache(self._next_role)
        self._counts = cache(self.sentence_counts)

    def read(self, words: Sequence[str], middle: int, window: Window, cut: bool = False) -> Reading:
        """Read a text of lower-case words, MASK for each hidden one; a sentence ends at `middle`.

        cut=True: the text is the beginning of a story, cut off after so many words; the window is not asked.
        """
        hidden = [None if word == MASK else word for word in words]
        nodes, edges = self._forward(hidden, middle, cut)
        beyond: dict[_Node, dict[Known, float]] = defaultdict(lambda: defaultdict(float))
        for node in nodes[len(hidden)] if hidden else ():
            for known, weight in self._ends(node, window, cut):
                if known is not None:
                    beyond[node][known] += weight * self.latents.probability(known)
        total, finals, masses = 0.0, defaultdict(float), defaultdict(float)
        for source, target, match, share in reversed(edges):  # they were made in the order of their sources
            if target not in beyond:
                continue
            so_far = (1.0 if source is None else nodes[source.position][source]) * share
            places = range(match.start, match.stop)
            items = [(i, match.line.items[i - match.start]) for i in places if hidden[i] is None]
            for known, weight in beyond[target].items():
                if source is None:
                    total += so_far * weight
                    finals[known] += so_far * weight
                else:
                    beyond[source][known] += share * weight
                for place, item in items:
                    masses[place, item, None if isinstance(item, str) else known] += so_far * weight
        if not total:
            return Reading(0.0, {}, {})
        return Reading(total, self._spread(masses, total), {k: w / total for k, w in finals.items() if w})

    def _spread(self, masses: dict, total: float) -> dict[int, dict[str, float]]:
        """The words of the hidden places, from the weight of each (place, word or slot, known choices)."""
        found = defaultdict(lambda: defaultdict(float))
        for (place, item, known), mass in masses.items():
            if not mass:
                continue
            shares = {item: 1.0} if isinstance(item, str) else self.latents.word_probabilities(item, known)
            for word, share in shares.items():
                found[place][word] += mass / total * share
        return {place: dict(found[place]) for place in sorted(found)}

    def _forward(self, words: list, middle: int, cut: bool) -> tuple[list[dict], list[_Edge]]:
        """All nodes by position with their weights, and the edges in the order of their sources."""
        nodes = [defaultdict(float) for _ in range(len(words) + 1)]
        edges = []
        matches = cache(lambda role, start: self._matches(words, role, start, middle, cut))

        def extend(source: _Node | None, role: int, known: Known, weight: float, so_far: float) -> None:
            start = 0 if source is None else source.position
            for match in matches(role, start):
                joined = self.latents.join(known, match.known)
                if joined is None:
                    continue
                inside = start < middle
                target = _Node(
                    match.stop,
                    role if source is None else source.first_role,
                    role if match.stop - start == len(match.line.items) else len(self.lines),
                    (source.before if source else 0) + inside,
                    (source.after if source else 0) + (not inside),
                    joined,
                )
                nodes[match.stop][target] += so_far * weight * match.weight
                edges.append(_Edge(source, target, match, weight * match.weight))

        for role, options in enumerate(self.there):
            for known, share in options:
                extend(None, role, known, share, 1.0)
        for position in range(1, len(words)):
            for source, so_far in nodes[position].items():
                for role in range(source.role + 1, len(self.lines)):
                    for needed, share in self._next(source.role, role):
                        known = self.latents.join(source.known, needed)
                        if known is not None:
                            extend(source, role, known, share, so_far)
        return nodes, edges

    def _matches(self, words: list, role: int, start: int, middle: int, cut: bool) -> list[_Match]:
        """The ways in which a sentence of the role can begin at `start`, as far as its words are visible."""
        end, found = len(words), []
        for line in self.lines[role]:
            stop = start + len(line.items)
            if (stop > end and not cut) or start < middle < min(stop, end):
                continue
            if any(
                start + offset < end and words[start + offset] not in (None, word)
                for offset, word in line.literals
            ):
                continue
            options = [(line.known, line.share)]
            for offset, table in line.slots:
                word = words[start + offset] if start + offset < end else None
                if word is not None:
                    options = [
                        (joined, weight * share)
                        for known, weight in options
                        for added, share in self.by_word[table].get(word, ())
                        if (joined := self.latents.join(known, added)) is not None
                    ]
                    if not options:
                        break
            found += [_Match(line, start, min(stop, end), known, weight) for known, weight in options]
        return found

    def _ends(self, node: _Node, window: Window, cut: bool) -> list[tuple[Known, float]]:
        """How the story around the window can go on: (what is known then, the probability)."""
        if cut:
            return [(node.known, 1.0)] if node.first_role == 0 else []
        found = []
        for earlier, counts in self._counts(0, node.first_role).items():
            for later, more in self._counts(node.role + 1, len(self.lines)).items():
                known = self.latents.join(node.known, earlier)
                known = known and self.latents.join(known, later)
                weight = 0.0
                for first, share in counts.items():
                    middle = first + node.before
                    stop = middle + node.after
                    weight += share * sum(
                        rest * window(first, middle, stop, stop + count) for count, rest in more.items()
                    )
                if weight:
                    found.append((known, weight))
        return found

    def sentence_counts(self, start: int, stop: int) -> dict[Known, dict[int, float]]:
        """How many sentences the roles start ... stop - 1 have: {known choices: {number: probability}}."""
        found = {self.latents.nothing: {0: 1.0}}
        for role in range(start, stop):
            longer = defaultdict(lambda: defaultdict(float))
            for known, counts in found.items():
                for added, options in ((1, self.there[role]), (0, self.absent[role])):
                    for wanted, share in options:
                        joined = self.latents.join(known, wanted)
                        for count, weight in counts.items() if joined else ():
                            longer[joined][count + added] += weight * share
            found = longer
        return found

    def _next_role(self, before: int, after: int) -> list[tuple[Known, float]]:
        """What it takes that the role `after` has the next sentence after that of `before`."""
        found = [(self.latents.nothing, 1.0)]
        for options in (*self.absent[before + 1 : after], self.there[after]):
            found = [
                (joined, weight * share)
                for known, weight in found
                for wanted, share in options
                if (joined := self.latents.join(known, wanted)) is not None
            ]
        return found

    def _presence(self, table: Table, wanted: bool) -> list[tuple[Known, float]]:
        total = self.latents.total(table)
        return [
            (self.latents.known(b), weight / total) for value, b, weight in table.entries if value == wanted
        ]

    def _line(self, items: tuple, binding: tuple, weight: int, table: Table) -> _Line:
        literals = tuple((i, item) for i, item in enumerate(items) if isinstance(item, str))[::-1]
        slots = tuple((i, item) for i, item in enumerate(items) if not isinstance(item, str))
        return _Line(items, literals, slots, self.latents.known(binding), weight / self.latents.total(table))
