"""Heads: split, joined, what each adds, and how far away it looks."""

import torch

from helpers import attention
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import self_attention as references

# 4.6 split_heads

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
)

# 4.7 join_heads

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
)

# 4.10 head_contributions

CONTRIBUTIONS = '''
def my_head_contributions(context, weight):
    """What each head adds to each token: (A, B, T, H).

    context (B, A, T, D): the heads' results before they are joined. weight (H, H): that of the output layer,
    which computes y = x W^T + b from the joined x. The bias belongs to no head and is left out.
    """
    ...
'''


def probe_contributions(contributions):
    context = torch.tensor([[[[1.0, 2.0]], [[3.0, 5.0]]]])  # B = 1, A = 2, T = 1, D = 2
    weight = torch.tensor(
        [[1.0, 0.0, 10.0, 0.0], [2.0, 1.0, 0.0, 20.0], [0.0, 3.0, 7.0, 0.0], [0.5, 0.0, 0.0, 4.0]]
    )
    yield "one token", contributions(context, weight)
    torch.manual_seed(2)
    yield "two texts", contributions(torch.randn(2, 3, 5, 4), torch.randn(12, 12))  # B, A, T, D = 2, 3, 5, 4


def _blocks(context, weight, *, cut=None, finish=None):
    A, D = context.shape[1], context.shape[3]
    cut = cut or (lambda w, a: w[:, D * a : D * a + D].T)
    return torch.stack([context[:, a] @ cut(weight, a) for a in range(A)])


def contributions_from_rows(context, weight):
    D = context.shape[3]
    return _blocks(context, weight, cut=lambda w, a: w[D * a : D * a + D])


def contributions_interleaved(context, weight):
    A = context.shape[1]
    return _blocks(context, weight, cut=lambda w, a: w[:, a::A].T)


def contributions_with_zeros(context, weight):
    """The other heads' numbers made zero, then joined and multiplied."""
    result = []
    for a in range(context.shape[1]):
        alone = torch.zeros_like(context)
        alone[:, a] = context[:, a]
        result.append(alone.transpose(1, 2).flatten(2) @ weight.T)
    return torch.stack(result)


def what_head_one_adds(parts):
    return parts["one token"][1, 0, 0]


CONTRIBUTIONS_MISTAKES = (
    Mistake(
        "rows instead of columns",
        contributions_from_rows,
        "head 1 adds {yours}, expected {expected}: you took D rows of the weights. In y = x Wᵀ each number of x meets a "
        "column of W",
    ),
    Mistake(
        "interleaved",
        contributions_interleaved,
        "head 1 adds {yours}, expected {expected}: you took every A-th column. In the joined vector the numbers of a "
        "head are neighbors",
    ),
    Mistake(
        "the first block for every head",
        lambda context, weight: _blocks(context, weight, cut=lambda w, a: w[:, : context.shape[3]].T),
        "head 1 adds {yours}, expected {expected}: every head goes through the columns of head 0",
    ),
    Mistake(
        "blocks in the wrong order",
        lambda context, weight: _blocks(context.flip(1), weight),
        "head 1 adds {yours}, expected {expected}: the heads go through each other's columns",
    ),
    Mistake(
        "mean of the heads",
        lambda context, weight: _blocks(context, weight) / context.shape[1],
        "head 1 adds {yours}, expected {expected}: you divided by the number of heads. A product of matrices adds up "
        "and averages nothing",
    ),
    Mistake(
        "already added up",
        lambda context, weight: _blocks(context, weight).sum(dim=0),
        "this is the sum over the heads; here each head's part is wanted by itself, heads first",
    ),
    Mistake(
        "texts before heads",
        lambda context, weight: _blocks(context, weight).transpose(0, 1),
        "the texts stand before the heads: (B, A, T, H), and (A, B, T, H) is asked for",
    ),
)

# 4.11 share_at_distance

SHARE = '''
def my_share_at_distance(probabilities, distance):
    """What tokens give, on average, to the token `distance` places after them: (..., T, T) -> (...).

    distance -1: to the token before them. The mean is over those tokens that have such a neighbor.
    """
    ...
'''


def probe_share(share_at_distance):
    rows = torch.tensor([[0.1, 0.2, 0.7], [0.5, 0.1, 0.4], [0.05, 0.8, 0.15]])
    for distance in (-1, 1, 2, 0):
        yield f"one table, distance {distance}", share_at_distance(rows, distance)
    torch.manual_seed(0)
    stack = torch.randn(2, 3, 5, 5).softmax(dim=-1)  # L = 2, A = 3, T = 5
    yield "layers and heads, distance -1", share_at_distance(stack, -1)
    yield "layers and heads, distance 3", share_at_distance(stack, 3)


def _share(p, distance, *, sign=1, size=None):
    line = p.diagonal(sign * distance, dim1=-2, dim2=-1)
    return line.sum(dim=-1) / (size(p, line) if size else line.shape[-1])


def share_by_loops(p, distance):
    T = p.shape[-1]
    pairs = [p[..., i, i + distance] for i in range(T) if 0 <= i + distance < T]
    return torch.stack(pairs).mean(dim=0)


def share_round_the_end(p, distance):
    T = p.shape[-1]
    return torch.stack([p[..., i, (i + distance) % T] for i in range(T)]).mean(dim=0)


def share_from_negative_places(p, distance):
    T = p.shape[-1]
    return torch.stack([p[..., i, i + distance] for i in range(T) if i + distance < T]).mean(dim=0)


def to_the_one_before(parts):
    return parts["one table, distance -1"].item()


SHARE_MISTAKES = (
    Mistake(
        "looked at, not looking",
        lambda p, distance: _share(p, distance, sign=-1),
        "to the token before go {yours}, expected {expected}: that is what goes to the token after. A row is the token "
        "that looks, a column the one that is looked at",
    ),
    Mistake(
        "divided by T",
        lambda p, distance: _share(p, distance, size=lambda p, line: p.shape[-1]),
        "to the token before go {yours}, expected {expected}: you divide by T = 3, but the first token has none before "
        "it. How many tokens do?",
    ),
    Mistake(
        "sum",
        lambda p, distance: _share(p, distance, size=lambda p, line: 1),
        "to the token before go {yours}, expected {expected}: that is the sum over the tokens, and can be above 1",
    ),
    Mistake(
        "round the end",
        share_round_the_end,
        "to the token before go {yours}, expected {expected}: the first token is said to have the last one before it. "
        "A text is no circle",
    ),
    Mistake(
        "places counted from the end",
        share_from_negative_places,
        "to the token before go {yours}, expected {expected}: for the first token the place before it is -1, and Python "
        "takes that for the last one",
    ),
    Mistake(
        "first two dimensions",
        lambda p, distance: p.diagonal(distance).mean(dim=-1),
        "right for one table; of a stack you take the diagonal along the first two dimensions, layers and heads. The "
        "tokens are the last two",
    ),
    Mistake(
        "all heads together",
        lambda p, distance: p.diagonal(distance, dim1=-2, dim2=-1).mean(),
        "right for one table; of a stack you give one number for all layers and heads, and each head should have its "
        "own",
    ),
    Mistake(
        "the largest",
        lambda p, distance: p.diagonal(distance, dim1=-2, dim2=-1).amax(dim=-1),
        "to the token before go {yours}, expected {expected}: that is the token that gives most; the mean is asked for",
    ),
)

EXERCISES_OF_SHAPES = (
    Exercise(
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
    ),
    Exercise(
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
    ),
)

EXERCISES_OF_MEANING = (
    Exercise(
        id="4.10",
        name="head_contributions",
        reference=references.head_contributions,
        stub=CONTRIBUTIONS,
        probe=probe_contributions,
        hints=(
            "Imagine that all heads but one gave zeros. Which columns of the weights would still matter?",
            "`weight.split(D, dim=1)` gives A blocks of D columns, each (H, D). A head's result (B, T, D) goes through "
            "its own block as through a linear layer.",
        ),
        mistakes=CONTRIBUTIONS_MISTAKES,
        notice="added over the heads, and with the bias once, this is the module's result: no head's part depends on "
        "another head",
        difficulty=3,
        minutes=12,
        show=what_head_one_adds,
        variants=(
            contributions_with_zeros,
            lambda c, w: torch.einsum("batd,had->abth", c, w.unflatten(1, (c.shape[1], -1))),
        ),
    ),
    Exercise(
        id="4.11",
        name="share_at_distance",
        reference=references.share_at_distance,
        stub=SHARE,
        probe=probe_share,
        hints=(
            "In the table (T, T), where do the probabilities stand that tokens give to the token before them?",
            "`tensor.diagonal(distance, dim1=-2, dim2=-1)` takes a diagonal of the last two dimensions; 0 is the main "
            "one, negative ones lie below it.",
        ),
        mistakes=SHARE_MISTAKES,
        notice="with equal attention to all T tokens every distance would give 1 / T: that is what a head must beat",
        difficulty=2,
        minutes=6,
        show=to_the_one_before,
        variants=(share_by_loops,),
    ),
)
