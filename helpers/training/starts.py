"""Where weights start: the token head at the unigrams, heads of a small model's first layer at the neighbors.

Support code. Where a text is large and batches are, attention finds the neighbors by itself; with a million
tokens and small batches it did not. Everything here is only where the weights start; all of them are learned.
"""

import math

import torch

from helpers.encoder import Bert

__all__ = ["NEIGHBORS", "log_frequencies", "sinusoidal_positions", "start_with_neighbors"]

NEIGHBORS = (-1, 1, -2, 2)  # where the heads of --neighbors look, in tokens to the right


def sinusoidal_positions(count: int, hidden_size: int, std: float = 0.02) -> torch.Tensor:
    """One vector (H,) for each of `count` positions: sines and cosines, together of standard deviation `std`.

    Columns 2i and 2i + 1 are sin(w t) and cos(w t) with w = pi (i + 1/2) / (H / 2), as Vaswani et al. 2017,
    section 3.5, but with evenly spaced frequencies, so that the product of two positions is large only if
    they are the same. ValueError for an odd hidden_size.
    """
    if hidden_size % 2:
        raise ValueError(f"sines and cosines come in pairs: hidden_size must be even, not {hidden_size}")
    angles = torch.arange(count)[:, None] * _frequencies(hidden_size)  # (count, H / 2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1) * std * math.sqrt(2)


def _frequencies(hidden_size: int) -> torch.Tensor:
    half = hidden_size // 2
    return math.pi * (torch.arange(half) + 0.5) / half


@torch.no_grad()
def start_with_neighbors(
    bert: Bert, offsets: tuple[int, ...], sharpness: float = 2.5, strength: float = 6.0, later: float = 0.1,
    wide: tuple[int, ...] = (),
) -> None:  # fmt: skip
    """Let head h of the first layer begin by looking `offsets[h]` tokens to the right (negative: left).

    The positions become sinusoidal. Turning each pair (sin w t, cos w t) by the angle w d gives the vector
    of position t + d (Vaswani et al. 2017, section 3.5), so a query that is the turned position matches the
    key d tokens further. `sharpness` multiplies queries and keys, `strength` what these heads hand on. Each
    head reads its own share of the frequencies, drawn at random. All layers above hand their input on
    nearly as it is: what they add is multiplied by `later` (the idea of Wang et al. 2022, DeepNet). The
    heads in `wide` begin by looking at all tokens alike, and hand on their mean, `strength` times.
    ValueError for more offsets than heads, for heads of an odd width, and for wide heads that there aren't.
    """
    attention = bert.layers[0].attention
    size = bert.config.hidden_size
    width = size // attention.num_heads  # D
    if len(offsets) > attention.num_heads:
        raise ValueError(f"{len(offsets)} offsets need as many heads, but there are {attention.num_heads}")
    if wide and not len(offsets) <= min(wide) <= max(wide) < attention.num_heads:
        raise ValueError(f"wide heads lie between {len(offsets)} and {attention.num_heads - 1}, not {wide}")
    if width % 2:
        raise ValueError(f"a head needs sines and cosines in pairs: its width {width} must be even")
    positions = bert.embeddings.position.weight
    positions.copy_(sinusoidal_positions(len(positions), size))
    frequencies = _frequencies(size)
    shares = torch.randperm(size // 2)
    for head, offset in enumerate(offsets):
        chosen = shares[head * width // 2 : (head + 1) * width // 2]  # (D / 2,)
        angles = frequencies[chosen] * offset
        turned, plain = torch.zeros(width, size), torch.zeros(width, size)
        sines, cosines = torch.arange(0, width, 2), torch.arange(1, width, 2)
        plain[sines, 2 * chosen] = 1
        plain[cosines, 2 * chosen + 1] = 1
        turned[sines, 2 * chosen] = angles.cos()  # sin(wt + wd) = sin wt cos wd + cos wt sin wd
        turned[sines, 2 * chosen + 1] = angles.sin()
        turned[cosines, 2 * chosen] = -angles.sin()  # cos(wt + wd) = cos wt cos wd - sin wt sin wd
        turned[cosines, 2 * chosen + 1] = angles.cos()
        rows = slice(head * width, (head + 1) * width)
        attention.query.weight[rows] = sharpness * turned
        attention.key.weight[rows] = sharpness * plain
        attention.value.weight[rows] *= strength
    for head in wide:
        rows = slice(head * width, (head + 1) * width)
        attention.query.weight[rows] = 0
        attention.value.weight[rows] *= strength
    for layer in bert.layers[1:]:
        layer.attention.output.weight *= later
        layer.feed_forward.narrow.weight *= later


def log_frequencies(counts: torch.Tensor) -> torch.Tensor:
    """The logarithm of every entry's share of the tokens, one added to each count: (V,) -> (V,), 32 bits.

    Worked out in the numbers of the counts: in 64 bits for doubles, in 32 for whole numbers.
    """
    counts = counts + 1
    return (counts / counts.sum()).log().float()
