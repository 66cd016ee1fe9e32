"""How probable latent choices are when only some of them are known.

Known choices are a tuple with one place per variable of the grammar, None where nothing is known yet. A
choice is only filled in when a visible word asks for it; what stays None is summed out here, exactly.
"""

from functools import cache, lru_cache

from helpers.stories.tables import Binding, Grammar, Table

Known = tuple[str | None, ...]


class Latents:
    """The variables of a grammar and what is known about them."""

    def __init__(self, grammar: Grammar):
        self.variables = grammar.variables
        self.nothing: Known = (None,) * len(grammar.variables)
        self._some = grammar.draw_latents(lambda urn: urn[0])
        self._parts = self._independent_parts()
        self._part = lru_cache(100_000)(self._part_probability)
        self._shares = cache(self._shares_of)
        self._places = cache(self._places_of)
        self._words = lru_cache(20_000)(self._word_shares)
        self._implied = self._implications()

    def total(self, table: Table) -> int:
        """The weights of a table's possible values: the same sum whatever the latent choices are."""
        return len(table.urn(self._some))

    def join(self, one: Known, other: Known) -> Known | None:
        """What is known when both are; None if they contradict each other."""
        joined = []
        for a, b in zip(one, other, strict=True):
            if a is None:
                joined.append(b)
            elif b is None or a == b:
                joined.append(a)
            else:
                return None
        return tuple(joined)

    def known(self, binding: Binding) -> Known | None:
        """A binding with all that it implies (the name implies the gender, the event its place)."""
        held = self.nothing
        for index, value in binding:
            held = self.join(held, self._implied[index, value])
            if held is None:
                return None
        return held

    def word_probabilities(self, table: Table, known: Known) -> dict[str, float]:
        """P(word | what is known) for the words of a slot."""
        places = self._places(table)
        return self._words(table, tuple([value if i in places else None for i, value in enumerate(known)]))

    def _word_shares(self, table: Table, known: Known) -> dict[str, float]:
        whole, total, found = self.probability(known), self.total(table), {}
        for word, binding, weight in table.entries:
            added = self.known(binding)
            joined = self.join(known, added) if added else None
            share = self.probability(joined) / whole if joined else 0.0
            if share:
                found[word] = found.get(word, 0.0) + share * weight / total
        return found

    def _places_of(self, table: Table) -> frozenset[int]:
        """The variables that can say something about the words of a slot."""
        return frozenset(i for part in self._parts for i in part if not set(part).isdisjoint(table.variables))

    def probability(self, known: Known) -> float:
        """P(the known choices), the unknown ones summed out."""
        product = 1.0
        for part in self._parts:
            values = tuple([known[i] for i in part])
            if any(values):
                product *= self._part(part, values)
        return product

    def _part_probability(self, part: tuple[int, ...], values: Known) -> float:
        """Sum over the unknown ancestors of what is known; unknown variables without such heirs sum to 1."""
        held = dict(zip(part, values, strict=True))
        needed = {index for index in part if held[index] is not None}
        for index in reversed(part):  # parents come before children
            if index in needed:
                needed.update(self.variables[index].parents)
        return self._sum([index for index in part if index in needed], held)

    def _sum(self, order: list[int], held: dict[int, str | None]) -> float:
        if not order:
            return 1.0
        index, rest = order[0], order[1:]
        shares = self._shares(index, tuple([held[parent] for parent in self.variables[index].parents]))
        if held[index] is not None:
            share = shares.get(held[index], 0.0)
            return share * self._sum(rest, held) if share else 0.0
        return sum(share * self._sum(rest, held | {index: value}) for value, share in shares.items())

    def _shares_of(self, index: int, parents: tuple[str, ...]) -> dict[str, float]:
        variable = self.variables[index]
        urn = variable.table.urn(dict(zip(variable.parents, parents, strict=True)))
        return {value: urn.count(value) / len(urn) for value in dict.fromkeys(urn)}

    def _independent_parts(self) -> list[tuple[int, ...]]:
        """The variables in groups that have nothing to do with each other."""
        group = list(range(len(self.variables)))
        for index, variable in enumerate(self.variables):
            for parent in variable.parents:
                old, new = group[index], group[parent]
                group = [new if each == old else each for each in group]
        return [tuple(i for i, each in enumerate(group) if each == part) for part in sorted(set(group))]

    def _implications(self) -> dict[tuple[int, str], Known]:
        """(variable, value) -> that value and all others without which it is impossible."""
        implied = {}
        for index, variable in enumerate(self.variables):
            for value in dict.fromkeys(entry[0] for entry in variable.table.entries):
                bindings = [dict(binding) for each, binding, _ in variable.table.entries if each == value]
                held = tuple(value if i == index else None for i in range(len(self.nothing)))
                for parent in variable.parents:
                    wanted = {binding.get(parent) for binding in bindings}
                    if len(wanted) == 1 and None not in wanted:
                        held = self.join(held, implied[parent, wanted.pop()])
                implied[index, value] = held
        return implied
