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


def first_columns(attention, kept):
    smaller = heads_with()(attention, kept)
    smaller.output = smaller_linear(attention.output, inputs=first_heads(attention, kept, 6))
    return smaller


def value_left(attention, kept):
    smaller = heads_with()(attention, kept)
    smaller.value = copy.deepcopy(attention.value)
    return smaller


def query_and_key(attention, kept):
    smaller = value_left(attention, kept)
    smaller.output = copy.deepcopy(attention.output)
    return smaller


def as_wide(attention, kept, size):
    return torch.cat([torch.arange(head, head + size) for head in kept])


def as_a_stretch(attention, kept, size):
    return torch.arange(kept[0] * size, (kept[-1] + 1) * size)


def by_number_first(attention, kept, size):
    return torch.tensor([head * size + n for n in range(size) for head in kept])


def of_the_kept(attention, kept, size):
    size = attention.query.out_features // len(kept)
    return torch.cat([torch.arange(h * size, (h + 1) * size) for h in kept]) % attention.query.out_features


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
        "other columns of the output",
        first_columns,
        "the first token gets {yours}, expected {expected}: query, key and value have the right rows, and "
        "`output` has its first columns, which read other heads. Which places belong to the kept ones there?",
    ),
    Mistake(
        "rows from the head's number on",
        heads_with(as_wide),
        "the first token gets {yours}, expected {expected}: head 2 has rows 2 to 7 with you. How many rows stand "
        "before those of head 2?",
    ),
    Mistake(
        "all in between",
        heads_with(as_a_stretch),
        "the first token gets {yours}, expected {expected}: from the first row of head 0 to the last of head 2, "
        "and head 1 stands between. One stretch for each head?",
    ),
    Mistake(
        "the heads' rows mixed",
        heads_with(by_number_first),
        "the first token gets {yours}, expected {expected}: the right rows in another order: first each head's "
        "row 0, then each one's row 1. How do a head's rows stand in the matrix?",
    ),
    Mistake(
        "D of the smaller one",
        heads_with(of_the_kept),
        "the first token gets {yours}, expected {expected}: D was made of H and the number of kept heads. It is "
        "the width of a head as it was before",
    ),
    Mistake(
        "query and key only",
        query_and_key,
        "the first token gets {yours}, expected {expected}: value and output have all their columns still, shared "
        "out among two heads. Which matrices hold rows of a head?",
    ),
    Mistake(
        "value left",
        value_left,
        "the shapes don't fit: query and key have fewer rows, and value has all of them. Which matrices hold rows "
        "of a head?",
    ),
    Mistake(
        "as many as were taken",
        heads_with(count=lambda old, kept: old - len(kept)),
        "of four heads two are right, but one head of three gets {yours}, expected {expected}: num_heads is the "
        "number of those taken out. How many are left?",
        show=lambda parts: parts["one head of three"][0, 0, :3],
    ),
    Mistake(
        "a width that is always 6",
        heads_with(lambda attention, kept, size: torch.cat([torch.arange(6 * h, 6 * h + 6) for h in kept])),
        "of four heads two are right, but one head of three gets {yours}, expected {expected}: a head is 8 rows "
        "wide there. From what can D be computed?",
        show=lambda parts: parts["one head of three"][0, 0, :3],
    ),
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
        asks={
            "heads 0 and 2": "with D = 6, which twelve rows of query, key and value belong to them, in which order, and "
            "what does num_heads say?",
        },
        notice="nothing is approximated: the smaller layer gives what the large one gives with these heads switched off",
        difficulty=3,
        minutes=15,
        show=one,
        variants=(by_slices,),
    ),
)
