"""Heads joined."""

import torch

from helpers import attention
from helpers.exercises.exercise import Exercise, Mistake

JOIN_HEADS = '''
def my_join_heads(heads):
    """(B, A, T, D) -> (B, T, H): the heads' results side by side, head 0 first."""
    ...
'''


def probe_join_heads(join_heads):
    yield "two heads", join_heads(torch.arange(12).view(1, 2, 3, 2))  # B = 1, A = 2, T = 3, D = 2
    yield "two texts", join_heads(torch.arange(240).view(2, 4, 5, 6))  # B = 2, A = 4, T = 5, D = 6


def joined_token(parts):
    return parts["two heads"][0, 1]


JOIN_HEADS_MISTAKES = (
    Mistake(
        "flattened before moved",
        lambda heads: heads.reshape(heads.shape[0], heads.shape[2], -1),
        "token 1 got {yours}, expected {expected}: the numbers are taken in the order in which they lie, head after "
        "head, so a token gets numbers of other tokens. Move the heads back behind the tokens first",
    ),
    Mistake(
        "interleaved",
        lambda heads: heads.permute(0, 2, 3, 1).flatten(2),
        "token 1 got {yours}, expected {expected}: the heads' numbers alternate. Side by side means all of head 0, then "
        "all of head 1",
    ),
    Mistake(
        "last head first",
        lambda heads: heads.flip(1).transpose(1, 2).flatten(2),
        "token 1 got {yours}, expected {expected}: the heads stand in the wrong order",
    ),
    Mistake(
        "added",
        lambda heads: heads.sum(dim=1),
        "you added the heads up, and D numbers are left for each token; side by side they are H = A · D",
    ),
    Mistake(
        "moved, not flattened",
        lambda heads: heads.transpose(1, 2),
        "the heads stand where they should; now A and D have to become one dimension again",
    ),
    Mistake(
        "flattened, not moved",
        lambda heads: heads.flatten(1, 2),
        "heads and tokens became one dimension; it is A and D that belong together. Which two must stand next to each "
        "other?",
    ),
    Mistake(
        "one head's tokens in a row",
        lambda heads: heads.flatten(2),
        "each head's tokens lie in one row: T and D became one dimension. It is A and D that belong together",
    ),
    Mistake(
        "averaged",
        lambda heads: heads.float().mean(dim=1),
        "you averaged the heads; side by side they keep all their numbers, H = A · D for each token",
    ),
    Mistake(
        "only one head",
        lambda heads: heads[:, 0],
        "that is head 0 alone; all heads' numbers belong into a token's row",
    ),
)

EXERCISE = Exercise(
    id="4.7",
    name="join_heads",
    reference=attention.join_heads,
    stub=JOIN_HEADS,
    probe=probe_join_heads,
    hints=(
        "The way back: what was done last when the heads were split is undone first.",
        "After `transpose` the dimensions are (B, T, A, D); `flatten(2)` makes one of the last two.",
    ),
    mistakes=JOIN_HEADS_MISTAKES,
    notice="flatten had to copy the numbers this time: after the exchange they no longer lie in reading order",
    difficulty=1,
    minutes=4,
    show=joined_token,
    variants=(
        lambda heads: torch.cat(list(heads.unbind(1)), dim=-1),
        lambda heads: heads.permute(0, 2, 1, 3).reshape(heads.shape[0], heads.shape[2], -1),
    ),
)
