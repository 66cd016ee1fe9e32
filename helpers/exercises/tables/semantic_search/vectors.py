"""Notebook 14: the mean over a text's tokens, the nearest paragraphs, pairs by label."""

import torch
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import semantic_search as references

# 14.1 mean_pooling

POOLING = '''
def my_mean_pooling(hidden, attention_mask):
    """The mean of the vectors of a text's tokens: (B, T, H), (B, T) -> (B, H).

    attention_mask is 1 at a token, [CLS] and [SEP] included, and 0 at padding, whose vectors are no zeros.
    """
    ...
'''

MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 0, 0, 0]])  # B = 3, T = 5


def hidden() -> torch.Tensor:
    return torch.linspace(-2, 5, 3 * 5 * 4).sin().mul(3).view(3, 5, 4)  # H = 4


def probe_pooling(pool):
    yield "a text without padding", pool(hidden()[:1], MASK[:1])
    yield "three texts", pool(hidden(), MASK.clone())


def last_text(parts):
    return parts["three texts"][2]


def masked(vectors, mask):
    return vectors * mask[:, :, None]


POOLING_MISTAKES = (
    Mistake(
        "padding counts",
        lambda vectors, mask: vectors.mean(dim=1),
        "the last text gets {yours}, expected {expected}: its three places of padding are in the mean",
    ),
    Mistake(
        "divided by T",
        lambda vectors, mask: masked(vectors, mask).mean(dim=1),
        "the last text gets {yours}, expected {expected}: the padding is zero in your sum, but you still divide by all "
        "places. How many tokens has the text?",
    ),
    Mistake(
        "divided by the tokens of all texts",
        lambda vectors, mask: masked(vectors, mask).sum(dim=1) / mask.sum(),
        "the last text gets {yours}, expected {expected}: you divide by the tokens of the whole batch, not of this text",
    ),
    Mistake(
        "a sum",
        lambda vectors, mask: masked(vectors, mask).sum(dim=1),
        "the last text gets {yours}, expected {expected}: that is the sum. A text of twice as many tokens would get a "
        "vector twice as long",
    ),
    Mistake(
        "the first token",
        lambda vectors, mask: vectors[:, 0],
        "the last text gets {yours}, expected {expected}: that is the vector at [CLS] alone",
    ),
    Mistake(
        "without the first token",
        lambda vectors, mask: masked(vectors, mask)[:, 1:].sum(dim=1) / (mask.sum(dim=1, keepdim=True) - 1),
        "the last text gets {yours}, expected {expected}: you leave out its first token, [CLS]. Here it counts like any other",
    ),
    Mistake(
        "over the hidden numbers",
        lambda vectors, mask: masked(vectors, mask).sum(dim=2)[:, :4] / mask.sum(dim=1, keepdim=True),
        "the last text gets {yours}, expected {expected}: you add up the numbers of one token instead of those of all "
        "tokens in one place",
    ),
    Mistake(
        "the maximum",
        lambda vectors, mask: vectors.masked_fill(mask[:, :, None] == 0, -torch.inf).amax(dim=1),
        "the last text gets {yours}, expected {expected}: that is the largest number of each place, not the mean",
    ),
)

# 14.2 nearest

NEAREST = '''
def my_nearest(questions, paragraphs, count):
    """Numbers of the `count` paragraphs with the largest cosine, best first: (Q, H), (N, H) -> (Q, count).

    The cosine of two vectors is their dot product divided by both lengths.
    """
    ...
'''


def vectors(rows: int, seed: int) -> torch.Tensor:
    """Rows (rows, 3) of unequal length with a common part, as an encoder gives them."""
    drawn = torch.randn(rows, 3, generator=torch.Generator().manual_seed(seed))
    return (drawn + 0.4) * torch.linspace(0.3, 4, rows)[:, None]


def probe_nearest(nearest):
    yield "the best of seven", nearest(vectors(2, 1), vectors(7, 2), 1)
    yield "the four best of seven", nearest(vectors(2, 1), vectors(7, 2), 4)


def four(parts):
    return parts["the four best of seven"].tolist()


def cosines(questions, paragraphs):
    return functional.normalize(questions, dim=1) @ functional.normalize(paragraphs, dim=1).T


NEAREST_MISTAKES = (
    Mistake(
        "dot products",
        lambda q, p, count: (q @ p.T).topk(count).indices,
        "you find {yours}, expected {expected}: nothing is divided by the lengths, so long vectors come first",
    ),
    Mistake(
        "farthest",
        lambda q, p, count: cosines(q, p).topk(count, largest=False).indices,
        "you find {yours}, expected {expected}: those are the paragraphs with the smallest cosine",
    ),
    Mistake(
        "worst of the best first",
        lambda q, p, count: cosines(q, p).argsort(dim=1)[:, -count:],
        "you find {yours}, expected {expected}: the right ones, but the best stands last",
    ),
    Mistake(
        "cosines instead of numbers",
        lambda q, p, count: cosines(q, p).topk(count).values,
        "you give {yours}, expected {expected}: those are the cosines; asked for is which paragraphs they belong to",
    ),
    Mistake(
        "lengths of columns",
        lambda q, p, count: (
            (functional.normalize(q, dim=0) @ functional.normalize(p, dim=0).T).topk(count).indices
        ),
        "you find {yours}, expected {expected}: you divide each column by its length. A vector is a row",
    ),
    Mistake(
        "the nearest question",
        lambda q, p, count: cosines(q, p).argsort(dim=0, descending=True)[:, :count],
        "you find {yours}, expected {expected}: for each paragraph the questions are ranked, not for each question the "
        "paragraphs",
    ),
)

# 14.5 contrast_pairs

PAIRS = '''
def my_contrast_pairs(labels, count, generator):
    """`count` pairs (i, j, same) of numbers of texts, `same` 1 for equal labels and 0 for others.

    Half of the pairs of each kind (for an odd count one more with 1), never a text with itself, drawn with
    replacement, in random order. `torch.randint(n, (m,), generator=generator)` draws m numbers below n,
    `torch.randperm(n, generator=generator)` an order.
    """
    ...
'''

LABELS = [0, 1, 1, 0, 1, 0, 0, 0]


def probe_pairs(make):
    """What does not depend on the order of drawing: shares and membership, of many pairs."""
    found = [tuple(map(int, pair)) for pair in make(LABELS, 601, torch.Generator().manual_seed(3))]
    true = [same == int(LABELS[i] == LABELS[j]) for i, j, same in found]
    first = [same for *_, same in found[:200]]
    return {
        "how many": len(found),
        "with 1": sum(same for *_, same in found),
        "with themselves": sum(i == j for i, j, _ in found),
        "wrong": len(true) - sum(true),
        "texts": len({i for i, j, _ in found} | {j for i, j, _ in found}),
        "mixed": 60 < sum(first) < 140,
        "kinds": len({frozenset((i, j)) for i, j, _ in found}) > 20,
    }


def pairs_by(
    labels, count, generator, own=False, balanced=True, same_only=False, shuffled=True, flipped=False, few=0
):
    span = [(i, j) for i in range(len(labels)) for j in range(i + own)]
    every = [(i, j, int((labels[i] == labels[j]) != flipped)) for i, j in span]
    if same_only:
        every = [pair for pair in every if pair[2]]
    if few:
        every = every[:few]
    groups = [(every, count)]
    if balanced:
        halves = ((1, count - count // 2), (0, count // 2))
        groups = [([pair for pair in every if pair[2] == kind], wanted) for kind, wanted in halves]
    pairs = [
        group[n] for group, m in groups for n in torch.randint(len(group), (m,), generator=generator).tolist()
    ]
    return [pairs[n] for n in torch.randperm(len(pairs), generator=generator).tolist()] if shuffled else pairs


PAIRS_MISTAKES = (
    Mistake(
        "with itself",
        lambda *given: pairs_by(*given, own=True),
        "{yours[with themselves]} pairs are of a text with itself: their cosine is 1 whatever the encoder does, so they teach "
        "nothing",
    ),
    Mistake(
        "as they come",
        lambda *given: pairs_by(*given, balanced=False),
        "{yours[with 1]} of 601 pairs have the same label, expected {expected[with 1]}: the share is that of all pairs, not a half",
    ),
    Mistake(
        "only alike",
        lambda *given: pairs_by(*given, balanced=False, same_only=True),
        "all {yours[with 1]} pairs have the same label: the encoder could bring all texts to one point and have no loss",
    ),
    Mistake(
        "in two blocks",
        lambda *given: pairs_by(*given, shuffled=False),
        "all pairs with equal labels come first. Trained in that order, the encoder learns first that everything is "
        "alike and then that nothing is",
    ),
    Mistake(
        "each pair once",
        lambda *given: list(dict.fromkeys(pairs_by(*given))),
        "you give {yours[how many]} pairs, expected {expected[how many]}: each pair is there once. With replacement a pair may "
        "come again, as often as it is drawn",
    ),
    Mistake(
        "1 for a difference",
        lambda *given: pairs_by(*given, flipped=True),
        "{yours[wrong]} of 601 pairs say the opposite of what they should: 1 means the same label",
    ),
    Mistake(
        "the first texts only",
        lambda *given: pairs_by(*given, few=6),
        "{yours[texts]} of 8 texts occur in 601 pairs: some are never drawn",
    ),
)

EXERCISES = (
    Exercise(
        id="14.1",
        name="mean_pooling",
        reference=references.mean_pooling,
        stub=POOLING,
        probe=probe_pooling,
        hints=(
            "Padding should count neither in the sum nor in the number that you divide by.",
            "The mask has no last dimension: attention_mask[:, :, None] is (B, T, 1), which fits (B, T, H).",
        ),
        mistakes=POOLING_MISTAKES,
        notice="[CLS] and [SEP] are in the mean: that is how the encoder used here was tuned",
        difficulty=1,
        minutes=6,
        show=last_text,
        variants=(
            lambda vectors, mask: (
                torch.einsum("bth,bt->bh", vectors, mask.float()) / mask.sum(dim=1, keepdim=True)
            ),
            lambda vectors, mask: torch.stack(
                [v[m.bool()].mean(dim=0) for v, m in zip(vectors, mask, strict=True)]
            ),
        ),
    ),
    Exercise(
        id="14.2",
        name="nearest",
        reference=references.nearest,
        stub=NEAREST,
        probe=probe_nearest,
        hints=(
            "If every vector has length 1, a dot product is a cosine; one product of matrices gives all of them.",
            "functional.normalize(x, dim=1) divides each row by its length; topk(count, dim=1) has values and indices.",
        ),
        mistakes=NEAREST_MISTAKES,
        notice="one matrix product compares every question with every paragraph",
        difficulty=1,
        minutes=6,
        show=four,
        variants=(
            lambda q, p, count: functional.cosine_similarity(q[:, None], p[None], dim=2).topk(count).indices,
            lambda q, p, count: (q @ (p / p.norm(dim=1, keepdim=True)).T).argsort(dim=1, descending=True)[
                :, :count
            ],
        ),
    ),
)
CONTRAST = (
    Exercise(
        id="14.5",
        name="contrast_pairs",
        reference=references.contrast_pairs,
        stub=PAIRS,
        probe=probe_pairs,
        hints=(
            "List all pairs i, j with j below i once, split them by whether the labels agree, and draw from both.",
            "For a list `among` of pairs: [among[n] for n in torch.randint(len(among), (m,), generator=generator)].",
        ),
        mistakes=PAIRS_MISTAKES,
        notice="50 labels make 1,225 pairs: that is why so few labels go so far",
        difficulty=2,
        minutes=12,
        show=dict,
        variants=(lambda *given: [(j, i, same) for i, j, same in references.contrast_pairs(*given)],),
    ),
)
