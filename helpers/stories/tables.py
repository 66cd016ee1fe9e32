"""Tables of weighted choices, and grammars made of them: what the story corpus is written in.

A story is drawn in two steps. First the latent choices of the whole story (`Grammar.variables`: who, where,
what happens, how it feels ...), each given its parents. Then, role by role in a fixed order (`Grammar.roles`:
introduction, pets, way, ...), one sentence: is it there, which template, which word in each slot. Given the
latent choices, sentences do not depend on each other; that makes the exact probability of a hidden word
computable (`helpers/stories/posterior.py`). The grammar of the corpus itself is `helpers/stories/grammar.py`.

Every one of these draws is a `Table`: values, each with the latent choices that it needs and a whole-number
weight. In all tables but those of the variables the weights of what is possible add up to the same total
whatever the latent choices are (a test checks it), so a weight over the total is a probability.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

Binding = tuple[tuple[int, str], ...]  # (index of a variable, its value), in the order of the variables


class Variable(NamedTuple):
    """A latent choice: the indices of the choices that it depends on, and its values given theirs."""

    name: str
    parents: tuple[int, ...]
    table: "Table"


class Table:
    """Values with the latent choices that they need and their weights: P(value | latent choices)."""

    def __init__(self, entries: Iterable[tuple[object, Binding, int]]):
        self.entries = tuple(entries)
        self.variables = tuple(sorted({index for _, binding, _ in self.entries for index, _ in binding}))
        self._urns = {}

    def urn(self, latents: list[str]) -> tuple:
        """The values that are possible under the latent choices, each as often as its weight says."""
        key = tuple([latents[index] for index in self.variables])
        if key not in self._urns:
            held = dict(zip(self.variables, key, strict=True))
            self._urns[key] = tuple(
                value
                for value, binding, weight in self.entries
                if all(held[index] == wanted for index, wanted in binding)
                for _ in range(weight)
            )
        return self._urns[key]


class Role(NamedTuple):
    """A place in the story: is its sentence there (a Table of True and False), and by which template."""

    name: str
    presence: Table
    templates: Table  # of tuples whose items are words and slots (Tables)


class Grammar(NamedTuple):
    """Latent choices in an order in which parents come first, and roles in the order of the story."""

    variables: tuple[Variable, ...]
    roles: tuple[Role, ...]

    def draw_latents(self, pick: Callable[[tuple], str]) -> list[str]:
        """The values of all variables; `pick` chooses one item of a tuple."""
        latents = []
        for variable in self.variables:
            latents.append(pick(variable.table.urn(latents)))
        return latents


class Builder:
    """Makes Tables from entries that name their variables: (value, {"gender": "girl"}, weight)."""

    def __init__(self):
        self.variables = []
        self.index = {}

    def binding(self, wanted: Mapping[str, str]) -> Binding:
        return tuple(sorted((self.index[name], value) for name, value in wanted.items()))

    def table(self, entries: Iterable[tuple[object, Mapping[str, str], int]]) -> Table:
        return Table((value, self.binding(wanted), weight) for value, wanted, weight in entries)

    def variable(self, name: str, entries: Iterable[tuple[str, Mapping[str, str], int]]) -> None:
        """Add a latent choice; its parents are the variables that its entries name."""
        table = self.table(entries)
        self.index[name] = len(self.variables)
        self.variables.append(Variable(name, table.variables, table))

    def role(
        self,
        name: str,
        lines: Iterable[tuple[str, Mapping[str, str], int]],
        slots: Mapping[str, Table],
        quarters: int = 4,
        only_if: Mapping[str, tuple[str, str]] | None = None,
    ) -> Role:
        """A role whose sentence stands in `quarters` of four stories, or only where a variable has a value.

        only_if: {variable: (value with the sentence, value without)}.
        """
        presence = [(True, {}, quarters), (False, {}, 4 - quarters)]
        for variable, (there, absent) in (only_if or {}).items():
            presence = [(True, {variable: there}, 4), (False, {variable: absent}, 4)]

        def compile_line(line: str) -> tuple:
            return tuple(
                slots[word[1:-1]] if word.startswith("{") else word.lower() for word in line.split(" ")
            )

        templates = [(compile_line(line), wanted, weight) for line, wanted, weight in lines]
        return Role(name, self.table(entry for entry in presence if entry[2]), self.table(templates))
