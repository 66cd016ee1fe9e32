"""Self-attention without anything learned."""

import torch
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import self_attention as references

PLAIN = '''
def my_plain_self_attention(tokens):
    """Each token (T, H) becomes an average of all tokens, weighted by its similarity to them: (T, H).

    Nothing is learned: similarity is the dot product, the weights are its softmax.
    """
    ...
'''


def probe_plain(plain_self_attention):
    yield "two tokens", plain_self_attention(torch.tensor([[1.0, 0.0, 0.5], [0.0, 1.5, 0.5]]))
    yield (
        "bank",
        plain_self_attention(
            torch.tensor([[0.0, 0.0, 1.0, 0.0], [2.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 1.0]])
        ),
    )
    yield "T = H", plain_self_attention(torch.tensor([[1.0, 0.3], [-0.5, 2.0]]))


def _plain(tokens, *, weigh=None, factor=1.0):
    scores = factor * tokens @ tokens.T
    return (weigh or (lambda s: s.softmax(dim=-1)))(scores) @ tokens


def weighing(**options):
    return lambda tokens: _plain(tokens, **options)


def plain_by_loops(tokens):
    rows = []
    for token in tokens:
        weights = torch.stack([token @ other for other in tokens]).softmax(dim=0)
        rows.append(sum(weight * other for weight, other in zip(weights, tokens, strict=True)))
    return torch.stack(rows)


def bank(parts):
    return parts["bank"][2]


PLAIN_MISTAKES = (
    Mistake(
        "no softmax",
        weighing(weigh=lambda s: s),
        "*bank* becomes {yours}, expected {expected}: the similarities themselves are the weights, so they don't sum "
        "to 1, and the longer a vector, the more it counts",
    ),
    Mistake(
        "divided by the sum",
        weighing(weigh=lambda s: s / s.sum(dim=-1, keepdim=True)),
        "*bank* becomes {yours}, expected {expected}: the similarities are divided by their sum. A negative one "
        "would get a negative weight; which function was built for this?",
    ),
    Mistake(
        "softmax down the columns",
        weighing(weigh=lambda s: s.softmax(dim=0)),
        "*bank* becomes {yours}, expected {expected}: the columns of the table sum to 1, and the rows don't. A row "
        "is a token that looks",
    ),
    Mistake(
        "softmax of the whole table",
        weighing(weigh=lambda s: s.flatten().softmax(dim=0).view(s.shape)),
        "*bank* becomes {yours}, expected {expected}: all weights of the table together sum to 1. Every token shares "
        "out a 1 of its own",
    ),
    Mistake(
        "all alike",
        weighing(weigh=lambda s: torch.full_like(s, 1 / len(s))),
        "*bank* becomes {yours}, expected {expected}: every token becomes the plain mean of all; the similarities "
        "have no effect",
    ),
    Mistake(
        "the most similar only",
        weighing(weigh=lambda s: torch.eye(len(s))[s.argmax(dim=-1)]),
        "*bank* becomes {yours}, expected {expected}: you take the most similar token and nothing of the others. "
        "Softmax gives a share to each",
    ),
    Mistake(
        "itself left out",
        weighing(weigh=lambda s: s.masked_fill(torch.eye(len(s)).bool(), float("-inf")).softmax(dim=-1)),
        "*bank* becomes {yours}, expected {expected}: a token may look at itself, too; you left it out",
    ),
    Mistake(
        "scaled",
        lambda tokens: _plain(tokens, factor=tokens.shape[1] ** -0.5),
        "*bank* becomes {yours}, expected {expected}: you divide the scores by √H. Something like it comes later; "
        "here the dot products go into softmax as they are",
    ),
    Mistake(
        "weights returned",
        lambda tokens: (tokens @ tokens.T).softmax(dim=-1),
        "these are the weights (T, T). What is averaged with them?",
    ),
    Mistake(
        "cosines",
        lambda tokens: (
            (functional.normalize(tokens, dim=1) @ functional.normalize(tokens, dim=1).T).softmax(-1) @ tokens
        ),
        "*bank* becomes {yours}, expected {expected}: you compare by the cosine. Similarity is the bare dot product here, "
        "lengths and all",
    ),
    Mistake(
        "one token's weights for all",
        lambda tokens: ((tokens @ tokens[-1]).softmax(dim=0) @ tokens).expand(len(tokens), -1),
        "every token becomes the same: you use the weights of the last token for all. The first token becomes {yours}, "
        "expected {expected}",
        show=lambda parts: parts["bank"][0],
    ),
    Mistake(
        "the token added",
        lambda tokens: tokens + (tokens @ tokens.T).softmax(dim=-1) @ tokens,
        "*bank* becomes {yours}, expected {expected}: the token itself was added to the average. The encoder does that, "
        "in notebook 5; attention alone doesn't",
    ),
    Mistake(
        "one token only",
        lambda tokens: (tokens @ tokens[-1]).softmax(dim=0) @ tokens,
        "that is the new vector of the last token alone. Every token gets one: all dot products with all make a table "
        "(T, T)",
    ),
    Mistake(
        "softmax before the dot products",
        lambda tokens: (tokens.softmax(dim=-1) @ tokens.softmax(dim=-1).T) @ tokens,
        "*bank* becomes {yours}, expected {expected}: softmax was applied to the tokens. It makes weights of scores, so it "
        "comes after the dot products",
    ),
    Mistake(
        "distances",
        weighing(weigh=lambda s: (2 * s - s.diagonal()[:, None] - s.diagonal()[None, :]).softmax(dim=-1)),
        "*bank* becomes {yours}, expected {expected}: you compare by the distance of two tokens; similarity is the dot "
        "product here",
    ),
)

EXERCISE = Exercise(
    id="4.2",
    name="plain_self_attention",
    reference=references.plain_self_attention,
    stub=PLAIN,
    probe=probe_plain,
    hints=(
        "For one token: its dot products with all tokens, softmax, the weighted average of all tokens. A matrix "
        "product does the first step for all tokens at once, and another the last.",
        "`tokens @ tokens.T` is the table of all dot products, (T, T). Along which dimension must its softmax sum "
        "to 1, so that `weights @ tokens` averages?",
    ),
    mistakes=PLAIN_MISTAKES,
    notice="two matrix products and a softmax are all of attention; what comes now only decides what is compared "
    "with what",
    asks={
        "two tokens": "Dot products of each token with all, softmax along each row, then the average of all tokens with these weights",
    },
    difficulty=1,
    minutes=6,
    show=bank,
    variants=(
        plain_by_loops,
        lambda tokens: torch.einsum("ts,sh->th", (tokens @ tokens.mT).softmax(-1), tokens),
    ),
)
