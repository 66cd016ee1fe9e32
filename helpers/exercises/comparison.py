"""Where two results first differ, in a sentence: types, then shapes, then values.

Understood are tensors, arrays, numbers, strings, None, and lists, tuples, dicts and sets of them; any other
thing is compared by ==.
"""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Difference", "difference", "as_text"]

FLOAT_TOLERANCE = 1e-5
MOST_SHOWN = 8  # numbers of a list


@dataclass(frozen=True)
class Difference:
    """The first place where two results differ. `sentence` names it; kind: "type", "shape" or "value"."""

    kind: str
    sentence: str
    where: str = ""
    yours: Any = None
    expected: Any = None


def difference(yours, expected, tolerance: float | None = None, where: str = "") -> Difference | None:
    """The first difference of a result from the expected one; None where they are equal.

    tolerance: for floats, absolute and relative; None: 1e-5. Doubles are taken where floats are expected,
    half precision is not; NaN equals NaN.
    """
    tolerance = FLOAT_TOLERANCE if tolerance is None else tolerance
    if _is_tensor(expected):
        return _tensors(yours, expected, tolerance, where)
    if _is_array(expected):
        return _arrays(yours, expected, tolerance, where)
    if isinstance(expected, bool) or expected is None or isinstance(expected, str):
        return _plain(yours, expected, where)
    if isinstance(expected, int | float):
        return _numbers(yours, expected, tolerance, where)
    if isinstance(expected, Mapping):
        return _mappings(yours, expected, tolerance, where)
    if isinstance(expected, list | tuple):
        return _sequences(yours, expected, tolerance, where)
    if type(yours) is not type(expected) and not isinstance(yours, type(expected)):
        return _types(yours, expected, where)
    try:
        equal = bool(yours == expected)
    except Exception as error:  # a foreign type decides what == does
        return Difference("value", f"{_at(where)}can't be compared: {error}", where, yours, expected)
    return None if equal else _values(yours, expected, where)


def as_text(value) -> str:
    """A value as messages show it: numbers rounded, long things cut."""
    if _is_tensor(value):
        value = value.detach().tolist() if value.numel() <= 64 else f"a tensor of {_shape(value)}"
    elif _is_array(value) or type(value).__module__ == "numpy":
        value = value.tolist()
    if isinstance(value, bool | None):
        return str(value)
    if isinstance(value, float):
        if math.isfinite(value) and value != 0 and not 1e-3 <= abs(value) < 1e6:
            return f"{value:.3g}"
        return f"{value:.4f}".rstrip("0").rstrip(".") if math.isfinite(value) else str(value)
    if isinstance(value, list | tuple):
        parts = [as_text(v) if not isinstance(v, str) else repr(v) for v in value[:MOST_SHOWN]]
        parts += ["…"] if len(value) > MOST_SHOWN else []
        opening, closing = "[]" if isinstance(value, list) else "()"
        return opening + ", ".join(parts) + closing
    text = str(value)
    return text if len(text) <= 120 else text[:117] + "…"


def _is_tensor(value) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _is_array(value) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def _kind(value) -> str:
    """The type of a value, in words."""
    if _is_tensor(value):
        return f"a tensor of shape {_shape(value)}"
    if _is_array(value):
        return f"a numpy array of shape {_shape(value)}"
    names = {"NoneType": "None", "int": "a whole number (int)", "float": "a number (float)"}
    names |= {"str": "a string", "generator": "a generator", "ellipsis": "the dots (...)"}
    name = type(value).__name__
    if isinstance(value, list | tuple):
        return f"a {name} of {len(value)}"
    return names.get(name, f"a {name}")


def _shape(value) -> str:
    return str(tuple(value.shape))


def _at(where: str) -> str:
    return f"{where}: " if where else ""


REMEDY = {
    ("array", "tensor"): "stay with torch's own functions",
    ("list", "tensor"): "torch.tensor or torch.stack makes one of a list",
    ("tuple", "tensor"): "torch.stack or torch.cat makes one of several",
    ("float", "tensor"): "keep the tensor; .item() takes its number out and the gradient with it",
    ("tensor", "float"): ".item() takes the number out",
    ("tensor", "int"): ".item() takes the number out",
    ("tensor", "bool"): "bool() or .item() takes the answer out",
    ("tensor", "list"): ".tolist() makes one",
    ("tuple", "list"): "square brackets, or list(), make one",
    ("list", "tuple"): "round brackets, or tuple(), make one",
    ("generator", "list"): "list() makes one",
}


def _short(value) -> str:
    return "tensor" if _is_tensor(value) else "array" if _is_array(value) else type(value).__name__


def _types(yours, expected, where: str) -> Difference:
    remedy = REMEDY.get((_short(yours), _short(expected)))
    if yours is None:
        remedy = "is a `return` missing?"
    words = f"{_at(where)}your result is {_kind(yours)}, expected {_kind(expected)}"
    return Difference("type", words + (f" ({remedy})" if remedy else ""), where, yours, expected)


def _values(yours, expected, where: str) -> Difference:
    one, other = _told_apart(yours, expected)
    words = f"{_at(where)}yours is {one}, expected {other}"
    return Difference("value", words, where, yours, expected)


def _plain(yours, expected, where: str) -> Difference | None:
    if type(yours) is not type(expected):
        numpy_bool = isinstance(expected, bool) and type(yours).__name__ in ("bool_", "bool")
        if not numpy_bool and not (isinstance(expected, str) and isinstance(yours, str)):
            return _types(yours, expected, where)
    if yours == expected:
        return None
    if isinstance(expected, str):
        place = next((i for i, (a, b) in enumerate(zip(yours, expected, strict=False)) if a != b), None)
        place = min(len(yours), len(expected)) if place is None else place
        words = f"{_at(where)}yours is {as_text(repr(yours))}, expected {as_text(repr(expected))}"
        words += f"; they part at character {place}" if len(expected) > 12 else ""
        return Difference("value", words, where, yours, expected)
    return _values(yours, expected, where)


def _numbers(yours, expected, tolerance: float, where: str) -> Difference | None:
    if isinstance(yours, bool) or not isinstance(yours, int | float):
        numpy = sys.modules.get("numpy")
        if numpy is None or not isinstance(yours, numpy.number):
            return _types(yours, expected, where)
    if isinstance(expected, int) and not float(yours).is_integer():
        return _values(yours, expected, where)
    if isinstance(expected, int) and isinstance(yours, float):
        return _types(yours, expected, where)
    return None if _close(float(yours), float(expected), tolerance) else _values(yours, expected, where)


def _close(a: float, b: float, tolerance: float) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or abs(a - b) <= tolerance + tolerance * abs(b) and math.isfinite(a) and math.isfinite(b)


def _mappings(yours, expected, tolerance: float, where: str) -> Difference | None:
    if not isinstance(yours, Mapping):
        return _types(yours, expected, where)
    for key, value in expected.items():
        inner = f"{where}[{key!r}]" if where else str(key)
        if key not in yours:
            words = f"{_at(where)}{key!r} is missing: yours has {as_text(list(yours))}"
            return Difference("shape", words, inner, list(yours), list(expected))
        if found := difference(yours[key], value, tolerance, inner):
            return found
    if more := [key for key in yours if key not in expected]:
        words = f"{_at(where)}{more[0]!r} is in yours and not expected"
        return Difference("shape", words, where, list(yours), list(expected))
    return None


def _sequences(yours, expected, tolerance: float, where: str) -> Difference | None:
    kind = list if isinstance(expected, list) else tuple
    if not isinstance(yours, kind):
        return _types(yours, expected, where)
    for place, (a, b) in enumerate(zip(yours, expected, strict=False)):
        if found := difference(a, b, tolerance, f"{where}[{place}]" if where else f"item {place}"):
            if len(yours) != len(expected) and found.kind == "value":
                break
            return found
    if len(yours) != len(expected):
        words = f"{_at(where)}yours has {len(yours)} items, expected {len(expected)}"
        words += f": {as_text(yours)}, expected {as_text(expected)}"
        return Difference("shape", words, where, yours, expected)
    return None


def _arrays(yours, expected, tolerance: float, where: str) -> Difference | None:
    torch = sys.modules.get("torch")
    if not _is_array(yours):
        return _types(yours, expected, where)
    if torch is not None and expected.dtype.kind in "biuf" and yours.dtype.kind in "biuf":
        return _tensors(torch.from_numpy(yours.copy()), torch.from_numpy(expected.copy()), tolerance, where)
    return difference(yours.tolist(), expected.tolist(), tolerance, where)


def _tensors(yours, expected, tolerance: float, where: str) -> Difference | None:
    torch = sys.modules["torch"]
    if not _is_tensor(yours):
        return _types(yours, expected, where)
    if yours.shape != expected.shape:
        words = f"{_at(where)}wrong shape {_shape(yours)}, expected {_shape(expected)}"
        return Difference("shape", words, where, tuple(yours.shape), tuple(expected.shape))
    floats = expected.is_floating_point()
    half = yours.dtype in (torch.float16, torch.bfloat16) and expected.dtype != yours.dtype
    truth = (yours.dtype == torch.bool) != (expected.dtype == torch.bool)
    if half or truth or yours.is_floating_point() != floats or yours.is_complex():
        words = f"{_at(where)}your numbers are {yours.dtype}, expected {expected.dtype}"
        words += ": half precision keeps only two or three digits" if half else ""
        return Difference("type", words, where, str(yours.dtype), str(expected.dtype))
    a, b = yours.detach().cpu(), expected.detach().cpu()
    if floats:
        same = torch.isclose(a.double(), b.double(), rtol=tolerance, atol=tolerance, equal_nan=True)
    else:
        same = a == b
    if same.all():
        return None
    place = tuple(torch.nonzero(~same)[0].tolist())
    wrong, whole = int((~same).sum()), same.numel()
    at = f"{where} at {list(place)}".strip() if place else where
    one, other = _told_apart(a[place].item(), b[place].item())
    words = f"{_at(where)}yours is {one} at {list(place)}, " if place else f"{_at(where)}yours is {one}, "
    words += f"expected {other}" + (f" ({wrong} of {whole} numbers differ)" if place else "")
    return Difference("value", words, at, a[place].item(), b[place].item())


def _told_apart(a, b) -> tuple[str, str]:
    """Two values as shown; with more digits where rounding would make them look equal."""
    if as_text(a) == as_text(b) and isinstance(a, float) and isinstance(b, float):
        return f"{a:.8g}", f"{b:.8g}"
    return as_text(a), as_text(b)
