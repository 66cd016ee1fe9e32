"""How a wrong result is related to the right one, in a sentence: what is said where no named mistake fits.

Looked for are relations that one slip makes: another sign, a factor, exchanged dimensions, a missing last
item, everything one too high, a condition the wrong way round. A relation counts only where it holds for the
whole result and could not hold by chance (three numbers or more, not all alike).
"""

from collections.abc import Mapping

from helpers.exercises.comparison import _is_array, _is_tensor, as_text, difference
from helpers.exercises.relations_of_numbers import FEWEST, more, of_answers, of_numbers, of_tensors

__all__ = ["relation"]


def relation(yours, expected) -> str | None:
    """A sentence on how `yours` comes from `expected`; None where no relation is found.

    For the parts of a probe (a dict) the first part that differs is looked at; single numbers and answers of
    yes and no are looked at over all parts.
    """
    try:
        return _of_parts(yours, expected) if isinstance(expected, Mapping) else _of_values(yours, expected)
    except Exception:  # a learner's result can be anything; without a relation the difference is told alone
        return None


def _of_parts(yours: Mapping, expected: Mapping) -> str | None:
    if not isinstance(yours, Mapping):
        return None
    common = [key for key in expected if key in yours]
    first = next((key for key in common if difference(yours[key], expected[key])), None)
    if first is None:
        return None
    if found := _of_values(yours[first], expected[first]):
        return found
    alike = [key for key in common if _is_number(expected[key]) and _is_number(yours[key])]
    if _is_number(expected[first]) and len(alike) >= FEWEST:
        return of_numbers([float(yours[k]) for k in alike], [float(expected[k]) for k in alike])
    answers = [key for key in common if isinstance(expected[key], bool) and isinstance(yours[key], bool)]
    if isinstance(expected[first], bool) and len(answers) >= FEWEST:
        return of_answers([yours[k] for k in answers], [expected[k] for k in answers])
    return None


def _of_values(yours, expected) -> str | None:
    if _is_tensor(expected) and _is_tensor(yours):
        return of_tensors(yours.detach().cpu(), expected.detach().cpu())
    if _is_array(expected) and _is_array(yours):
        import torch

        return of_tensors(torch.from_numpy(yours.copy()), torch.from_numpy(expected.copy()))
    if isinstance(expected, str) and isinstance(yours, str):
        return _of_strings(yours, expected)
    if isinstance(expected, tuple) and isinstance(yours, tuple):
        return _of_tuples(yours, expected)
    if isinstance(expected, list) and isinstance(yours, list):
        return _of_lists(yours, expected)
    if isinstance(expected, Mapping) and isinstance(yours, Mapping):
        return _of_mappings(yours, expected)
    if isinstance(expected, set) and isinstance(yours, set):
        return _of_sets(yours, expected)
    return None


def _is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_lists(yours: list, expected: list) -> str | None:
    n, m = len(yours), len(expected)
    if yours == expected:
        return None  # what is wrong is the kind of the items
    if n == m >= FEWEST and all(map(_is_number, yours + expected)):
        if found := of_numbers([float(x) for x in yours], [float(x) for x in expected]):
            return found
    if m >= 2 and yours == expected[::-1] and yours != expected:
        return "The items are the right ones, in the reverse order"
    if m >= 2 and n == m and sorted(map(repr, yours)) == sorted(map(repr, expected)):
        return "The items are the right ones, in another order"
    if m >= 2 and 0 < n < m and yours == expected[:n]:
        return f"All is right as far as it goes, but the last {_items(m - n)} missing: what ends too soon?"
    if n and n < m and yours == expected[m - n :]:
        return f"The first {_items(m - n)} missing, and the rest is right: what begins too late?"
    if m and n > m and yours[:m] == expected:
        return f"All is right, but {_items(n - m)} too many at the end: what ends too late?"
    if m and n > m and yours[n - m :] == expected:
        return f"All is right, but {_items(n - m)} too many at the beginning: what begins too soon?"
    if n == m >= 2:
        return _of_columns(yours, expected)
    if n < m and _inside(yours, expected):
        return f"What you have is right, but {as_text(_rest(expected, yours))} is missing"
    if n > m and _inside(expected, yours):
        return f"All that is expected is there, and {as_text(_rest(yours, expected))} besides"
    return None


def _items(count: int) -> str:
    return "one is" if count == 1 else f"{count} are"


def _inside(short: list, long: list) -> bool:
    rest = iter(long)
    return bool(short) and all(any(item == other for other in rest) for item in short)


def _rest(long: list, short: list) -> list:
    rest = list(long)
    for item in short:
        rest.remove(item)
    return rest


def _of_columns(yours: list, expected: list) -> str | None:
    """Lists of equally long tuples: which place of the tuples is wrong, and how."""
    both = yours + expected
    if not all(isinstance(item, tuple) for item in both) or len({len(item) for item in both}) != 1:
        return None
    columns = [
        (place, list(a), list(b))
        for place, (a, b) in enumerate(
            zip(zip(*yours, strict=True), zip(*expected, strict=True), strict=True)
        )
        if list(a) != list(b)
    ]
    if len(columns) == 2 and columns[0][1] == columns[1][2] and columns[1][1] == columns[0][2]:
        return "Two things of each tuple are exchanged"
    if len(columns) != 1:
        return None
    place, a, b = columns[0]
    words = f"Only the {('first', 'second', 'third', 'fourth')[place]} thing of the tuples is wrong"
    if all(map(_is_number, a + b)):
        steps = {x - y for x, y in zip(a, b, strict=True)}
        if len(steps) == 1 and len(a) >= 2:
            return f"{words}: it is always {more(steps.pop())} than expected"
    return f"{words}: {as_text(a)}, expected {as_text(b)}"


def _of_tuples(yours: tuple, expected: tuple) -> str | None:
    if len(yours) != len(expected):
        return None
    if len(yours) == 2 and not difference(yours[0], expected[1]) and not difference(yours[1], expected[0]):
        return "Your two results are exchanged"
    wrong = [place for place, (a, b) in enumerate(zip(yours, expected, strict=True)) if difference(a, b)]
    if not wrong or not any(
        isinstance(e, list | tuple | str | Mapping) or hasattr(e, "shape") for e in expected
    ):
        return None
    found = _of_values(yours[wrong[0]], expected[wrong[0]])
    if len(wrong) < len(yours):
        right = f"Of your {len(yours)} results only the {('first', 'second', 'third')[wrong[0]]} is wrong"
        return (f"{right}. {found}" if found else right) if len(wrong) == 1 and wrong[0] < 3 else found
    return found


def _of_mappings(yours: Mapping, expected: Mapping) -> str | None:
    added, fewer = [k for k in yours if k not in expected], [k for k in expected if k not in yours]
    common = [k for k in expected if k in yours]
    if (added or fewer) and all(not difference(yours[k], expected[k]) for k in common):
        words = f"{as_text(fewer)} is missing" if fewer else ""
        words += " and " if fewer and added else ""
        return words + (f"{as_text(added)} is too much" if added else "") + "; the rest is right"
    if not added and not fewer and all(_is_number(expected[k]) and _is_number(yours[k]) for k in common):
        return of_numbers([float(yours[k]) for k in common], [float(expected[k]) for k in common])
    return None


def _of_sets(yours: set, expected: set) -> str | None:
    if yours < expected:
        return f"What you have is right, but {as_text(sorted(expected - yours, key=repr))} is missing"
    if yours > expected:
        return f"All that is expected is there, and {as_text(sorted(yours - expected, key=repr))} besides"
    return None


def _of_strings(yours: str, expected: str) -> str | None:
    if yours == expected:
        return None
    if expected and yours.startswith(expected):
        return f"All is right, but {yours[len(expected) :]!r} stands behind it"
    if expected and yours.endswith(expected):
        return f"All is right, but {yours[: -len(expected)]!r} stands before it"
    if yours.split() == expected.split():
        return "They differ only in their spaces"
    if yours.lower() == expected.lower():
        return "They differ only in capital and small letters"
    if len(expected) > 2 and yours == expected[::-1]:
        return "It is the right text, backwards"
    if len(yours) >= 2 and expected.startswith(yours):
        return f"It is right as far as it goes, but {expected[len(yours) :]!r} is missing at the end"
    if len(yours) >= 2 and expected.endswith(yours):
        return f"{expected[: -len(yours)]!r} is missing at the beginning; the rest is right"
    return None
