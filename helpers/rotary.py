"""Attention of today: queries and keys turned by their place, and layers that look at the near tokens only.

Left out: angles that are rescaled for texts longer than those of the training (position interpolation, YaRN).
"""

import torch
from torch import nn
from torch.nn import functional

from helpers.attention import join_heads, scaled_dot_product_attention, split_heads

__all__ = ["rotary_angles", "rotate_pairs", "local_mask", "block_mask", "local_attention", "RotaryAttention"]


def rotary_angles(places: torch.Tensor, width: int, base: float = 10_000.0) -> torch.Tensor:
    """By how much each pair of a head's numbers is turned at each place: (T,) -> (T, D / 2), in radians.

    Pair i is turned by place / base^(2i / D): the first by one radian a token, each later one more slowly.
    width: D, the numbers of a head. Raises ValueError for an odd one. Su et al. 2021, section 3.2.2.
    """
    if width % 2:
        raise ValueError(f"a head's numbers are turned in pairs: its width must be even, not {width}")
    exponents = torch.arange(0, width, 2, device=places.device).float() / width  # (D / 2,)
    return places.float()[:, None] * (1.0 / base**exponents)


def rotate_pairs(heads: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    """Turn each pair of numbers by its angle: (B, A, T, D) and (T, D / 2) -> (B, A, T, D).

    A pair is number i of the first half and number i of the second half, as in GPT-NeoX and the Transformers
    library (Su et al. 2021, section 3.2.2, have pairs of neighbors: the same, in another order).
    """
    first, second = heads.float().chunk(2, dim=-1)  # (B, A, T, D / 2) each
    cos, sin = angles.cos(), angles.sin()
    turned = torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
    return turned.to(heads.dtype)


def local_mask(length: int, window: int, visible: torch.Tensor | None = None) -> torch.Tensor:
    """Who sees whom when each token looks `window // 2` tokens to either side, itself included.

    visible (B, T) boolean, False is padding -> boolean (B, 1, T, T), B = 1 without it. A token always sees
    itself, so that padding far from the text has something to look at. Beltagy et al. 2020, section 3.1.
    """
    places = torch.arange(length, device=None if visible is None else visible.device)
    distance = (places[None, :] - places[:, None]).abs()  # (T, T)
    mask = (distance <= window // 2)[None, None]
    if visible is None:
        return mask
    return mask & visible[:, None, None, :] | (distance == 0)


def block_mask(visible: torch.Tensor, reach: int) -> torch.Tensor:
    """`local_mask` cut into blocks of r = `reach` tokens: visible (B, T) -> (B, blocks, r, 3 r).

    The keys of a block are those of the block before, its own and the one after; the last one is filled up.
    """
    end = -visible.shape[1] % reach
    seen = functional.pad(visible, (reach, reach + end)).unfold(1, 3 * reach, reach)  # (B, blocks, 3 r)
    inside = torch.arange(3 * reach, device=visible.device)
    distance = inside - reach - inside[:reach, None]  # (r, 3 r): how far to the right of the query
    return (distance.abs() <= reach) & seen[:, :, None, :] | (distance == 0)


def local_attention(query, key, value, window: int, visible: torch.Tensor | None = None) -> torch.Tensor:
    """Attention under `local_mask` that does not compute what it hides; all tensors (B, A, T, D).

    In blocks of r = window // 2, so that T queries meet 3 r keys each and not T. visible: as in `local_mask`.
    Raises ValueError for a window below 2. Beltagy et al. 2020, section 3.1 and appendix A ("chunks").
    """
    batch, _, length, _ = query.shape
    reach = window // 2
    if reach < 1:
        raise ValueError(f"window must be at least 2, a token to either side, not {window}")
    if visible is None:
        visible = torch.ones(batch, length, dtype=torch.bool, device=query.device)
    mask = block_mask(visible, reach)  # (B, blocks, r, 3 r)
    blocks, end = mask.shape[1], -length % reach
    asking = functional.pad(query, (0, 0, 0, end)).unflatten(2, (blocks, reach))  # (B, A, blocks, r, D)
    near = [functional.pad(each, (0, 0, reach, reach + end)) for each in (key, value)]
    near = [each.unfold(2, 3 * reach, reach).transpose(3, 4) for each in near]  # (B, A, blocks, 3 r, D)
    # blocks become texts of their own: (B · blocks, A, …)
    asking, *near = (each.transpose(1, 2).flatten(0, 1) for each in (asking, *near))
    context = functional.scaled_dot_product_attention(asking, *near, mask.flatten(0, 1)[:, None])
    context = context.unflatten(0, (batch, blocks)).transpose(1, 2)  # (B, A, blocks, r, D)
    return context.flatten(2, 3)[:, :, :length]


class RotaryAttention(nn.Module):
    """`MultiHeadSelfAttention` with turned queries and keys, without biases, and with a window if given.

    hidden (B, T, H), angles (T, D / 2) of `rotary_angles`, visible (B, T) boolean or None -> (B, T, H), and
    the probabilities (B, A, T, T) if asked for, otherwise None. Without `in_blocks` a mask hides what is
    computed all the same. Raises ValueError for a width that the heads can't share.
    Warner et al. 2024, section 2.1.
    """

    def __init__(self, hidden_size: int, num_heads: int, window: int | None = None):
        super().__init__()
        if num_heads < 1 or hidden_size % num_heads:
            raise ValueError(f"hidden_size {hidden_size} can't be shared out evenly among {num_heads} heads")
        self.num_heads, self.window = num_heads, window
        self.in_blocks = True
        self.query = nn.Linear(hidden_size, hidden_size, bias=False)
        self.key = nn.Linear(hidden_size, hidden_size, bias=False)
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.output = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, hidden, angles, visible=None, return_probabilities: bool = False):
        length = hidden.shape[1]
        query, key, value = (
            split_heads(linear(hidden), self.num_heads) for linear in (self.query, self.key, self.value)
        )  # each (B, A, T, D)
        query, key = rotate_pairs(query, angles), rotate_pairs(key, angles)
        probabilities = None
        mask = None if visible is None else visible[:, None, None, :]
        if self.window is not None:
            mask = local_mask(length, self.window, visible)
        if return_probabilities:
            context, probabilities = scaled_dot_product_attention(query, key, value, mask)
        elif self.window is not None and self.in_blocks and length > 2 * self.window:  # blocks save work
            context = local_attention(query, key, value, self.window, visible)
        else:
            context = functional.scaled_dot_product_attention(query, key, value, mask)
        return self.output(join_heads(context)), probabilities
