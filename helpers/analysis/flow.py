"""Attention followed through the layers: how much can flow from the last layer to each input token.

Support code for notebook 10.
"""

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import maximum_flow

from helpers.analysis.arrays import as_array

__all__ = ["attention_flow"]


def attention_flow(weights: np.ndarray, residual: float = 0.5, unit: int = 10**6) -> np.ndarray:
    """How much can flow from every token of the last layer to every input token: (T, T), rows sum to one.

    weights (L, T, T), the mean over heads. A pipe leads from each token to each of the layer below, as wide
    as its attention, with the share `residual` for the token itself (Abnar and Zuidema 2020, section 3).
    Each entry is a maximum flow of its own, in units of 1 / `unit`. ValueError for another shape, and for
    what is no attention: weights outside of 0 to 1.
    """
    weights = as_array(weights)
    if weights.ndim != 3 or weights.shape[1] != weights.shape[2] or not weights.size:
        raise ValueError(f"weights must be (L, T, T), the mean over heads, not {weights.shape}")
    if not (weights.min() >= 0 and weights.max() <= 1 + 1e-5 and 0 <= residual <= 1):  # NaN fails, too
        raise ValueError("attention and the residual's share must lie between 0 and 1")
    layers, size, _ = weights.shape
    mixed = residual * np.eye(size) + (1 - residual) * weights
    pipes = sparse.lil_matrix(((layers + 1) * size,) * 2, dtype=np.int32)
    for level in range(layers):  # level 0 are the input tokens
        lower, upper = (slice(at * size, (at + 1) * size) for at in (level, level + 1))
        pipes[upper, lower] = np.round(unit * mixed[level]).astype(np.int32)
    pipes = sparse.csr_matrix(pipes)
    top = layers * size
    flows = [[maximum_flow(pipes, top + i, j).flow_value for j in range(size)] for i in range(size)]
    return np.array(flows) / np.sum(flows, axis=1, keepdims=True)
