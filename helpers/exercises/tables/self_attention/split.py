"""Heads split."""

import torch

from helpers import attention
from helpers.exercises.exercise import Exercise, Mistake

SPLIT_HEADS = '''
def my_split_heads(hidden, num_heads):
    """(B, T, H) -> (B, A, T, D): each head gets its own D = H / A of a token's H numbers."""
    ...
'''


def probe_split_heads(split_heads):
    yield "the figure's numbers", split_heads(torch.arange(18).view(1, 3, 6), 2)
    yield "two texts", split_heads(torch.arange(240).view(2, 5, 24), 8)  # B = 2, T = 5, A = 8, D = 3


def token_one(parts):
    return parts["the figure's numbers"][0, 0, 1]


SPLIT_HEADS_MISTAKES = (
    Mistake(
        "view",
        lambda hidden, heads: hidden.reshape(hidden.shape[0], heads, hidden.shape[1], -1),
        "head 0 got the numbers {yours} for token 1, expected {expected}: asking for (B, A, T, D) at once fills the "
        "new shape in reading order, so a head gets numbers of other tokens. Cut H first, then move the heads",
    ),
    Mistake(
        "interleaved",
        lambda hidden, heads: hidden.unflatten(2, (-1, heads)).permute(0, 3, 1, 2),
        "head 0 got the numbers {yours} for token 1, expected {expected}: you deal the numbers out like cards, and "
        "each head should get neighbors. Which of A and D comes first when H is cut?",
    ),
    Mistake(
        "not moved",
        lambda hidden, heads: hidden.unflatten(2, (heads, -1)),
        "the cut is right, but the heads still stand behind the tokens: attention works on the last two "
        "dimensions, and those must be T and D",
    ),
    Mistake(
        "A and D exchanged",
        lambda hidden, heads: hidden.unflatten(2, (-1, heads)).transpose(1, 2),
        "you made D heads of A numbers; it should be A heads of D numbers",
    ),
    Mistake(
        "heads first",
        lambda hidden, heads: hidden.unflatten(2, (heads, -1)).permute(2, 0, 1, 3),
        "the heads stand before the texts, so the dimensions are (A, B, T, D). The batch stays in front",
    ),
    Mistake(
        "tokens last",
        lambda hidden, heads: hidden.unflatten(2, (heads, -1)).permute(0, 2, 3, 1),
        "the last two dimensions are D and T, and should be T and D: a row for each token",
    ),
    Mistake(
        "heads folded into the batch",
        lambda hidden, heads: hidden.unflatten(2, (heads, -1)).transpose(1, 2).flatten(0, 1),
        "batch and heads have become one dimension; keep them apart, four dimensions in all",
    ),
    Mistake(
        "every head gets everything",
        lambda hidden, heads: hidden[:, None].expand(-1, heads, -1, -1),
        "each head got all H numbers of a token; the heads share them, D = H / A for each",
    ),
    Mistake(
        "one behind the other",
        lambda hidden, heads: torch.cat(hidden.chunk(heads, dim=-1), dim=1),
        "the heads' tokens stand one behind the other, in one dimension of A · T; the heads need a dimension of their own",
    ),
    Mistake(
        "texts and heads exchanged in reading order",
        lambda hidden, heads: hidden.reshape(hidden.shape[0], -1, heads, hidden.shape[2] // heads).flatten(1, 2)[
            :, None
        ],
        "there is a dimension for the heads, but only one in it: the heads were put among the tokens",
    ),
    Mistake(
        "one head's numbers only",
        lambda hidden, heads: hidden[:, None, :, : hidden.shape[2] // heads].expand(-1, heads, -1, -1),
        "head 0 is right, but every head gets the same first D numbers: of two texts, head 1 begins with {yours}, expected "
        "{expected}",
        show=lambda parts: parts["two texts"][0, 1, 0],
    ),
)

EXERCISE = Exercise(
    id="4.6",
    name="split_heads",
    reference=attention.split_heads,
    stub=SPLIT_HEADS,
    probe=probe_split_heads,
    hints=(
        "Two steps: cut the last dimension into A groups of D numbers, then bring the heads before the tokens.",
        "`unflatten(2, (…, …))` cuts dimension 2 into two, or `view` with four sizes does; `transpose` "
        "exchanges two dimensions.",
    ),
    mistakes=SPLIT_HEADS_MISTAKES,
    notice="no number was moved in memory: cutting and exchanging dimensions only changes how it is read",
    difficulty=2,
    minutes=8,
    show=token_one,
    variants=(
        lambda hidden, heads: torch.stack(hidden.chunk(heads, dim=-1), dim=1),
        lambda hidden, heads: hidden.view(*hidden.shape[:2], heads, -1).permute(0, 2, 1, 3),
    ),
)
