"""How wrong numbers and tensors are related to the right ones: sign, factor, order of dimensions, one row."""

import itertools
import math

from helpers.exercises.comparison import as_text

__all__ = ["FEWEST", "of_tensors", "of_numbers", "of_answers", "more"]

FEWEST = 3  # numbers that must agree, so that it is no chance
CLOSE = 1e-4
RIGHT_ONES = "The numbers are the right ones"


def of_tensors(yours, expected) -> str | None:
    if yours.shape != expected.shape:
        return _of_shapes(yours, expected)
    if expected.numel() < FEWEST:
        return None
    if str(expected.dtype) == str(yours.dtype) == "torch.bool":
        return of_answers(yours.flatten().tolist(), expected.flatten().tolist())
    a, b = yours.double(), expected.double()
    if str(expected.dtype) == "torch.bool":
        return "1 and 0 stand where True and False should: what gives booleans?" if _same(a, b) else None
    if _same(a, b):  # only the type is another
        return None
    return (
        of_numbers(a.flatten().tolist(), b.flatten().tolist())
        or _of_order(a, b)
        or _of_part(a, b)
        or _of_rows(a, b)
    )


def _same(a, b) -> bool:
    import torch

    return a.shape == b.shape and torch.allclose(a, b, rtol=CLOSE, atol=1e-5, equal_nan=True)


def _of_shapes(yours, expected) -> str | None:
    a, b = yours.double(), expected.double()
    if found := _of_dimensions(a, b):
        return found
    if a.numel() == b.numel() and _same(a.flatten(), b.flatten()):
        return "The numbers are the right ones and in the right order; only the shape is another"
    for dim in range(b.ndim):
        for how, reduced in (("added up", b.sum(dim)), ("averaged", b.mean(dim))):
            if a.numel() > 1 and (_same(a, reduced) or _same(a, reduced.unsqueeze(dim))):
                return f"That is the expected result, {how} along its dimension {dim}, which should stay"
    return None


def _of_dimensions(a, b) -> str | None:
    """The right numbers, their dimensions in another order."""
    if a.ndim == b.ndim <= 4:
        for order in itertools.permutations(range(b.ndim)):
            if _same(a, b.permute(order)):
                return f"{RIGHT_ONES}, but the dimensions stand in another order: {_order(order)}"
    return None


def _order(order) -> str:
    moved = [place for place, dim in enumerate(order) if place != dim]
    if len(moved) == 2:
        return f"{moved[0]} and {moved[1]} are exchanged"
    return f"yours are the expected {list(order)}"


def _of_order(a, b) -> str | None:
    """The right numbers at other places."""
    if _same(a.flatten().sort().values, b.flatten().sort().values) and b.unique().numel() >= FEWEST:
        if found := _of_dimensions(a, b):
            return found
        for dim in range(b.ndim):
            if _same(a, b.flip(dim)):
                return f"{RIGHT_ONES}, but along dimension {dim} they stand the other way round"
            for step in (1, -1):
                if b.shape[dim] > 2 and _same(a, b.roll(step, dim)):
                    return f"{RIGHT_ONES}, moved by one place along dimension {dim}"
        return "The numbers are the right ones, but they stand at other places"
    return None


def _of_rows(a, b) -> str | None:
    """Right but for a factor or a summand that each row has of its own."""
    if b.ndim < 2 or b.shape[-1] < FEWEST:
        return None
    for dim, row in ((-1, "row"), (-2, "column")):
        if b.shape[dim] < FEWEST:
            continue
        moved = a - b
        if _same(moved, moved.mean(dim, keepdim=True).expand_as(b)):
            return f"Within each {row} all numbers are off by the same: what is added or taken away?"
        if (b.abs() > 1e-6).all():
            ratio = a / b
            if ratio.isfinite().all() and _same(ratio, ratio.mean(dim, keepdim=True).expand_as(b)):
                return (
                    f"Within each {row} the proportions are right; only a factor is off, another in each "
                    f"{row}: what is a {row} divided by or multiplied with?"
                )
    return None


def _of_part(a, b) -> str | None:
    """All differences lie in one slice: the first, the last."""
    wrong = ~((a - b).abs() <= 1e-5 + CLOSE * b.abs())
    for dim in range(b.ndim):
        size = b.shape[dim]
        if size < 2:
            continue
        where = wrong.transpose(0, dim).flatten(1).any(1) if b.ndim > 1 else wrong
        places = where.nonzero().flatten().tolist()
        kind = {1: "places"}.get(b.ndim, {b.ndim - 1: "columns", b.ndim - 2: "rows"}.get(dim, "tables"))
        if places == [0]:
            return f"Only the first of the {kind} is wrong: what is different at the beginning?"
        if places == [size - 1]:
            return f"Only the last of the {kind} is wrong: what is different at the end?"
    return None


# numbers


def of_numbers(a: list[float], b: list[float]) -> str | None:
    """One and the same step leads from each number to the other."""
    pairs = list(zip(a, b, strict=True))
    if len({round(y, 9) for _, y in pairs}) < FEWEST or not all(map(math.isfinite, a)):
        return None

    def all_are(step) -> bool:
        try:
            return all(math.isclose(x, step(y), rel_tol=CLOSE, abs_tol=1e-6) for x, y in pairs)
        except (ValueError, ZeroDivisionError, OverflowError):
            return False

    if all_are(lambda y: -y):
        return "Your numbers have the wrong sign: each is minus the expected one"
    if all_are(lambda y: y):
        return None  # what is wrong is their kind
    largest = max(pairs, key=lambda pair: abs(pair[1]))
    if largest[1] and all_are(lambda y, c=largest[0] / largest[1]: c * y) and largest[0]:
        return _factor(largest[0] / largest[1])
    if all_are(lambda y, c=a[0] - b[0]: y + c):
        return f"Each of your numbers is {more(a[0] - b[0])} than expected"
    if all_are(lambda y: 1 - y):
        return "Yours and the expected add up to 1 everywhere: that is the other share"
    for name, step in (
        ("the squares of the expected ones: is a root missing?", lambda y: y * y),
        ("the roots of the expected ones", math.sqrt),
        ("the logarithms of the expected ones", math.log),
        ("the exponentials of the expected ones: is a logarithm missing?", math.exp),
        ("one divided by the expected ones: what is divided by what?", lambda y: 1 / y),
        ("the expected ones, cut to whole numbers: `//` cuts, `/` doesn't", math.floor),
        ("the expected ones without their signs", abs),
        ("the expected ones with all below 0 made 0", lambda y: max(y, 0.0)),
    ):
        if all_are(step):
            return f"Your numbers are {name}"
    return None


def _factor(c: float) -> str:
    words = f"Each of your numbers is {as_text(c)} times the expected one"
    square = round(c * c) if c > 1 else round(1 / (c * c)) if c > 0 else 0
    for base, said in ((math.log(2), "1 / ln 2 or ln 2: a logarithm to another base"),):
        if math.isclose(c, base, rel_tol=CLOSE) or math.isclose(c, 1 / base, rel_tol=CLOSE):
            return f"{words} ({said})"
    if c > 0 and not math.isclose(max(c, 1 / c), round(max(c, 1 / c)), rel_tol=CLOSE):
        if 1 < square < 2000 and math.isclose(max(c, 1 / c), math.sqrt(square), rel_tol=CLOSE):
            words += f" (the root of {square})" if c > 1 else f" (1 divided by the root of {square})"
    elif 0 < c < 1:
        words += f" (1 / {round(1 / c)})"
    return f"{words}: what is it multiplied with or divided by?"


def more(c: float) -> str:
    return f"{as_text(abs(float(c)))} {'more' if c > 0 else 'less'}"


def of_answers(a: list[bool], b: list[bool]) -> str | None:
    if len(set(b)) < 2:
        return None
    if all(x != y for x, y in zip(a, b, strict=True)):
        return "Every answer is the wrong way round: True where False is expected, and False where True is"
    extra = sum(x and not y for x, y in zip(a, b, strict=True))
    missing = sum(y and not x for x, y in zip(a, b, strict=True))
    if len(set(a)) == 1:
        return f"Every answer of yours is {a[0]}"
    if extra and not missing:
        return (
            f"All that should be True is; {extra} more are, which should be False: the condition is too wide"
        )
    if missing and not extra:
        return f"All that you call True is; {missing} more should be: the condition is too narrow"
    return None
