"""MultiHeadSelfAttention.__init__: what it is made of."""

from torch import nn

from helpers.attention import MultiHeadSelfAttention
from helpers.exercises.exercise import Exercise, Mistake, with_method

PARTS = '''
def my_attention_init(self, hidden_size, num_heads, dropout=0.1):
    """Make the linear layers self.query, self.key, self.value and self.output; keep num_heads and dropout.

    self.num_heads and self.dropout are the two numbers themselves. A hidden_size that can't be shared out
    evenly among the heads, or no head at all, is refused with a ValueError.
    """
    nn.Module.__init__(self)  # in a class: super().__init__()
    ...
'''


def probe_parts(function):
    cls = with_method(MultiHeadSelfAttention, "__init__", function)
    made = cls(12, 3, 0.25)
    yield "shapes", {name: tuple(tensor.shape) for name, tensor in sorted(made.state_dict().items())}
    yield "parameters", sum(parameter.numel() for parameter in made.parameters())
    yield "heads", made.num_heads
    yield "share of dropout", f"{made.dropout}"
    yield "share of dropout by default", f"{cls(12, 4).dropout}"
    yield "heads of one number", cls(5, 5).num_heads
    yield (
        "10 numbers for 3 heads, 12 for 0, 4 for 8 are refused",
        [_refuses(cls, *s) for s in ((10, 3), (12, 0), (4, 8))],
    )


def _refuses(cls, hidden_size, num_heads):
    try:
        cls(hidden_size, num_heads)
    except ValueError:
        return True
    except Exception as error:
        return type(error).__name__
    return False


def _parts(self, hidden_size, num_heads, dropout=0.1, *, change=None, refuse=None):
    nn.Module.__init__(self)
    if (refuse or (lambda H, A: A < 1 or H % A))(hidden_size, num_heads):
        raise ValueError("can't be shared out evenly")
    self.num_heads, self.dropout = num_heads, dropout
    for name in ("query", "key", "value", "output"):
        setattr(self, name, nn.Linear(hidden_size, hidden_size))
    if change:
        change(self, hidden_size, num_heads)


def made(**options):
    return lambda self, hidden_size, num_heads, dropout=0.1: _parts(
        self, hidden_size, num_heads, dropout, **options
    )


def narrow(self, H, A):
    for name in ("query", "key", "value"):
        setattr(self, name, nn.Linear(H, H // A))


def layers_as_modules(self, hidden_size, num_heads, dropout=0.1):
    _parts(self, hidden_size, num_heads)
    self.dropout = nn.Dropout(dropout)


def without_bias(self, H, A):
    for name in ("query", "key", "value", "output"):
        setattr(self, name, nn.Linear(H, H, bias=False))


def shared(self, H, A):
    self.key = self.query


def size_of_a_head(self, H, A):
    self.num_heads = H // A


def init_with_super(self, hidden_size, num_heads, dropout=0.1):
    super().__init__()


def without_the_heads(self, hidden_size, num_heads, dropout=0.1):
    _parts(self, hidden_size, num_heads, dropout)
    del self.num_heads


def without_the_share(self, hidden_size, num_heads, dropout=0.1):
    _parts(self, hidden_size, num_heads, dropout)
    del self.dropout


def with_a_share_of_its_own(self, hidden_size, num_heads, dropout=0.1):
    _parts(self, hidden_size, num_heads)


def one_layer_for_three(self, H, A):
    for name in ("query", "key", "value"):
        delattr(self, name)
    self.query = nn.Linear(H, 3 * H)


def wide_output(self, H, A):
    self.output = nn.Linear(H // A, H)


def lists_of_layers(self, H, A):
    for name in ("query", "key", "value"):
        setattr(self, name, nn.ModuleList(nn.Linear(H, H // A) for _ in range(A)))


PARTS_MISTAKES = (
    Mistake(
        "no output layer",
        made(change=lambda self, H, A: delattr(self, "output")),
        "a layer is missing: where do the heads meet after each has worked alone?",
    ),
    Mistake(
        "queries of one head",
        made(change=narrow),
        "a layer that makes D numbers serves one head. Here one layer makes the queries of all heads, A · D = H numbers",
    ),
    Mistake(
        "without bias",
        made(change=without_bias),
        "BERT's four layers have a bias each: leave `nn.Linear` as it comes",
    ),
    Mistake(
        "keys from the layer of the queries",
        made(change=shared),
        "the shapes are right, but there are {yours} parameters, expected {expected}: queries and keys come from one "
        "layer. Then a score would be the same both ways round, and that was the second fault",
        show=lambda parts: parts["parameters"],
    ),
    Mistake(
        "size of a head",
        made(change=size_of_a_head),
        "self.num_heads is {yours}, expected {expected}: that is D, how many numbers a head has, not how many heads",
        show=lambda parts: parts["heads"],
    ),
    Mistake(
        "dropout as a layer",
        layers_as_modules,
        "self.dropout should be the number itself: attention takes the share, not a layer",
    ),
    Mistake(
        "nothing refused",
        made(refuse=lambda H, A: False),
        "10 numbers can't be shared out evenly among 3 heads, 12 not among 0, and 4 not among 8: yours refuses {yours}, "
        "expected {expected}. Refuse here, or `split_heads` fails later with a message that nobody understands",
        show=lambda parts: list(parts.values())[-1],
    ),
    Mistake(
        "no head at all",
        made(refuse=lambda H, A: A and H % A),
        "10 numbers for 3 heads, 12 for 0 and 4 for 8 are refused with a ValueError in {yours}, expected {expected}: no "
        "head at all passes, or ends in a division by zero, which is another error. Ask for the heads first",
        show=lambda parts: list(parts.values())[-1],
    ),
    Mistake(
        "super() outside of a class",
        init_with_super,
        "`super()` works only where a class is written down, and this function stands alone: keep the stub's first line, "
        "which says the same",
    ),
    Mistake(
        "num_heads not kept",
        without_the_heads,
        "self.num_heads is asked for later, when the heads are split: keep it as it is",
    ),
    Mistake(
        "dropout not kept",
        without_the_share,
        "self.dropout is asked for later, in training: keep the share",
    ),
    Mistake(
        "always a tenth dropped",
        with_a_share_of_its_own,
        "the argument `dropout` has no effect: with 0.25 self.dropout is {yours}, expected {expected}",
        show=lambda parts: parts["share of dropout"],
    ),
    Mistake(
        "more heads than numbers accepted",
        made(refuse=lambda H, A: A < 1 or (H % A and H > A)),
        "10 numbers for 3 heads, 12 for 0 and 4 for 8 are refused in {yours}, expected {expected}: 4 numbers for 8 heads "
        "leave each without one",
        show=lambda parts: list(parts.values())[-1],
    ),
    Mistake(
        "refused the wrong way round",
        made(refuse=lambda H, A: A < 1 or A % H),
        "12 numbers can be shared out evenly among 3 heads, and yours refuses them: which number is divided by which?",
        raises=ValueError,
    ),
    Mistake(
        "one layer for all three",
        made(change=one_layer_for_three),
        "queries, keys and values have a layer each, under their own names; who loads weights looks for these",
    ),
    Mistake(
        "an output layer for one head",
        made(change=wide_output),
        "the output layer gets all heads side by side, A · D = H numbers, and yours takes those of one head",
    ),
    Mistake(
        "a list of layers, one for each head",
        made(change=lists_of_layers),
        "you made a small layer for each head. One layer of H to H numbers makes the queries of all heads at once; they are cut "
        "afterwards",
    ),
    Mistake(
        "another error",
        made(refuse=lambda H, A: (H % A if A else 1 / 0) and 1 / 0),
        "what can't be shared out is refused, but with another error than a ValueError ({yours}): who calls it waits for that "
        "one",
        show=lambda parts: list(parts.values())[-1],
    ),
)

EXERCISE = Exercise(
    id="4.8",
    name="MultiHeadSelfAttention.__init__",
    reference=MultiHeadSelfAttention.__init__,
    stub=PARTS,
    probe=probe_parts,
    hints=(
        "Four linear layers of one size, two numbers to keep, and a question to ask first.",
        "`nn.Linear(hidden_size, hidden_size)` makes the queries of all heads at once. `%` gives the rest of a "
        "division.",
    ),
    mistakes=PARTS_MISTAKES,
    notice="the number of heads appears in no layer: it only says how the H numbers are cut",
    asks={
        "shapes": "Four layers of H to H numbers, self.query, self.key, self.value and self.output, each one nn.Linear that serves all heads",
        "10 numbers for 3 heads, 12 for 0, 4 for 8 are refused": "All three are refused with a ValueError",
    },
    difficulty=1,
    minutes=5,
    variants=(made(), made(refuse=lambda H, A: A <= 0 or (H // A) * A != H)),
)
