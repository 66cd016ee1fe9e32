"""Numbers from anywhere as NumPy arrays: tensors of any device and precision, columns of a table, lists.

Support code.
"""

from numbers import Number

import numpy as np
import torch

from helpers.wordpiece import read_in_order

__all__ = ["as_array", "in_numpy", "precision"]


def in_numpy(tensor: torch.Tensor) -> np.ndarray:
    """A tensor as an array on the CPU, of at least 32 bits: NumPy has no bfloat16."""
    tensor = tensor.detach().cpu()
    if tensor.is_floating_point():
        tensor = tensor.to(torch.promote_types(tensor.dtype, torch.float32))
    return tensor.numpy()


def as_array(values) -> np.ndarray:
    """Any sequence of numbers or of tensors as an array, in the order of its places.

    ValueError for values that are missing or masked, for what are no numbers, and for what has no order.
    """
    if isinstance(values, torch.Tensor):
        return in_numpy(values)
    if not hasattr(values, "__array__"):
        values = list(read_in_order(values, "the numbers"))
        inner = (torch.Tensor, np.ma.MaskedArray)
        values = [as_array(value) if isinstance(value, inner) else value for value in values]
    if np.ma.is_masked(values):
        raise ValueError("some values are masked or missing: leave them out, on all sides alike")
    found = np.asarray(values)
    if found.dtype == object:  # such as a column with missing values
        for value in found.ravel():
            if not isinstance(value, Number | np.generic):
                raise ValueError(f"{value!r} is no number: leave out what is missing, on all sides alike")
        found = np.array(found.tolist())
    return found


def precision(values) -> tuple[float, float]:
    """Of floating-point values: the relative distance of neighboring numbers, and the smallest one above 0.

    Zeros for whole numbers and for plain lists.
    """
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, torch.dtype) and dtype.is_floating_point:
        found = torch.finfo(dtype)
    elif isinstance(dtype, np.dtype) and np.issubdtype(dtype, np.floating):
        found = np.finfo(dtype)
    else:
        return 0.0, 0.0
    return float(found.eps), float(found.smallest_normal) * float(found.eps)
