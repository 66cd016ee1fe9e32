"""Notebook 18: heads taken out of the matrices."""

import copy

import torch
from torch import nn

from helpers import compression
from helpers.attention import MultiHeadSelfAttention
from helpers.compression import smaller_linear
from helpers.exercises.exercise import Exercise, Mistake

# 18.4 prune_heads

HEADS = '''
def my_prune_heads(attention, kept):
    """The same attention with only the heads in `kept`, numbers from 0, in a new object.

    attention has num_heads and four linear layers, query, key, value and output. The A heads stand side by
    side: of the H rows of query, key and value the first D are of head 0, the next D of head 1 (D = H / A);
    of `output` the H columns do. There are `copy.deepcopy` and `smaller_linear(linear, outputs=places)` or
    `inputs=places`, places a tensor of whole numbers.
    """
    ...
'''


def attention_of(num_heads=4, size=24):
    torch.manual_seed(3)
    return MultiHeadSelfAttention(size, num_heads, dropout=0.0).eval()


def probe_heads(prune):
    torch.manual_seed(4)
    hidden, mask = torch.randn(2, 5, 24), torch.tensor([[True] * 5, [True] * 3 + [False] * 2])[:, None, None]
    attention = attention_of()
    before = attention(hidden, mask)[0]
    smaller = prune(attention, [0, 2])
    with torch.no_grad():
        yield "heads 0 and 2", smaller(hidden, mask)[0]
        yield "shapes", [tuple(getattr(smaller, n).weight.shape) for n in ("query", "key", "value", "output")]
        yield "heads left", int(smaller.num_heads)
        yield "the attention that was given", bool(torch.equal(attention(hidden, mask)[0], before))
        yield "one head of three", prune(attention_of(3), [1])(hidden, mask)[0]


def heads_with(places=None, count=None, given=False, zeros=False):
    """Pruning with one thing done in another way."""

    def program(attention, kept):
        size = attention.query.out_features // attention.num_heads
        rows = torch.cat([torch.arange(h * size, (h + 1) * size) for h in kept])
        rows = rows if places is None else places(attention, list(kept), size)
        smaller = attention if given else copy.deepcopy(attention)
        if zeros:
            off = torch.ones(attention.query.out_features).index_fill(0, rows, 0.0).bool()
            smaller.output.weight.data[:, off] = 0
            return smaller
        smaller.num_heads = (count or (lambda old, kept: len(kept)))(attention.num_heads, kept)
        for name in ("query", "key", "value"):
            setattr(smaller, name, smaller_linear(getattr(attention, name), outputs=rows))
        smaller.output = smaller_linear(attention.output, inputs=rows)

        return smaller

    return program


def first_heads(attention, kept, size):
    return torch.arange(len(kept) * size)


def others(attention, kept, size):
    gone = [head for head in range(attention.num_heads) if head not in kept]
    return torch.cat([torch.arange(h * size, (h + 1) * size) for h in gone])


def every_so_many(attention, kept, size):
    total = attention.query.out_features
    return torch.cat([torch.arange(head, total, attention.num_heads) for head in kept])


def single_rows(attention, kept, size):
    return torch.tensor(kept)


def rows_of_the_output(attention, kept):
    smaller = heads_with()(attention, kept)
    size = attention.query.out_features // attention.num_heads
    rows = torch.cat([torch.arange(h * size, (h + 1) * size) for h in kept])
    smaller.output = smaller_linear(attention.output, outputs=rows)
    return smaller


def output_left(attention, kept):
    smaller = heads_with()(attention, kept)
    smaller.output = copy.deepcopy(attention.output)
    return smaller


def bias_dropped(attention, kept):
    smaller = heads_with()(attention, kept)
    nn.init.zeros_(smaller.output.bias)
    return smaller


def rescaled(attention, kept):
    smaller = heads_with()(attention, kept)
    smaller.output.weight.data *= attention.num_heads / len(kept)
    return smaller


def one(result):
    return result["heads 0 and 2"][0, 0, :3]


HEADS_MISTAKES = (
    Mistake(
        "the first ones",
        heads_with(first_heads),
        "the first token gets {yours}, expected {expected}: these are heads 0 and 1, the first two, whatever `kept` says",
    ),
    Mistake(
        "the others",
        heads_with(others),
        "the first token gets {yours}, expected {expected}: these are heads 1 and 3. `kept` names those that stay",
    ),
    Mistake(
        "every A-th row",
        heads_with(every_so_many),
        "the first token gets {yours}, expected {expected}: you take every fourth row, so each new head has rows of all "
        "heads. A head's D rows stand next to each other",
    ),
    Mistake(
        "the old number of heads",
        heads_with(count=lambda old, kept: old),
        "the first token gets {yours}, expected {expected}: the rows are right, but num_heads is still 4, so they are "
        "shared out among four heads of three numbers",
    ),
    Mistake(
        "scaled up",
        rescaled,
        "the first token gets {yours}, expected {expected}: the output is scaled up for what is missing, as dropout does. "
        "The layers above were trained with what these heads give",
    ),
    Mistake(
        "bias lost",
        bias_dropped,
        "the first token gets {yours}, expected {expected}: the bias of `output` is gone. It belongs to no head, and stays",
    ),
    Mistake(
        "one row for a head",
        heads_with(single_rows),
        "the first token gets {yours}, expected {expected}: each head has kept one row of its D. A head is D = 6 rows",
    ),
    Mistake(
        "switched off only",
        heads_with(zeros=True),
        "the result is right, but the shapes are {yours}, expected {expected}: the other heads are computed and thrown "
        "away. Take their rows and columns out of the matrices",
        show=lambda parts: parts["shapes"],
    ),
    Mistake(
        "in the given one",
        heads_with(given=True),
        "the result is right, but the attention that was given has lost its heads, too: work on a copy",
        show=False,
    ),
    Mistake(
        "rows of the output",
        rows_of_the_output,
        "the last product does not fit: of `output` the rows are cut. Its inputs come from the heads, and inputs are the "
        "columns of a weight",
    ),
    Mistake(
        "output left",
        output_left,
        "the last product does not fit: query, key and value are smaller now, and `output` still expects all heads",
    ),
)


def by_slices(attention, kept):
    smaller = copy.deepcopy(attention)
    size = attention.query.out_features // attention.num_heads
    places = torch.tensor([head * size + n for head in kept for n in range(size)])
    for name in ("query", "key", "value"):
        old = getattr(attention, name)
        new = nn.Linear(old.in_features, len(places))
        new.weight.data, new.bias.data = old.weight.data[places], old.bias.data[places]
        setattr(smaller, name, new)
    smaller.output = smaller_linear(attention.output, inputs=places)
    smaller.num_heads = len(kept)
    return smaller


EXERCISES = (
    Exercise(
        id="18.4",
        name="prune_heads",
        reference=compression.prune_heads,
        stub=HEADS,
        probe=probe_heads,
        hints=(
            "First the places: head h owns h * D to (h + 1) * D - 1. `torch.cat` joins several `torch.arange`.",
            "Copy the attention, set num_heads, then put `smaller_linear(attention.query, outputs=places)` and so on in "
            "its layers; `output` gets `inputs=places`.",
        ),
        mistakes=HEADS_MISTAKES,
        notice="nothing is approximated: the smaller layer gives what the large one gives with these heads switched off",
        difficulty=3,
        minutes=15,
        show=one,
        variants=(by_slices,),
    ),
)
