"""MultiHeadSelfAttention.forward: what it computes."""

import math

import torch
from torch.nn import functional

from helpers.attention import MultiHeadSelfAttention, join_heads, scaled_dot_product_attention, split_heads
from helpers.exercises.exercise import Exercise, Mistake, with_method

FORWARD = '''
def my_attention_forward(self, hidden, mask=None, return_probabilities=False):
    """hidden (B, T, H) -> the result (B, T, H), and the probabilities (B, A, T, T) or None.

    mask: boolean, broadcast to (B, A, T, T), False hides a key; one that is not boolean is refused with a
    ValueError. The probabilities are returned only if asked for. A share self.dropout of them is dropped in
    training (self.training is True), none in evaluation.
    """
    ...
'''


def probe_forward(function):
    torch.manual_seed(1)
    made = with_method(MultiHeadSelfAttention, "forward", function)(12, 3, 0.25).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape))
        hidden = torch.randn(2, 5, 12)  # B = 2, T = 5, H = 12, A = 3, D = 4
        visible = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]).bool()[:, None, None, :]
        yield "two texts", made(hidden)
        yield "with probabilities", made(hidden, None, True)
        yield "with a mask", made(hidden, visible)
        yield "with a mask and probabilities", made(hidden, visible, return_probabilities=True)
        yield "a mask of 0 and 1 is refused", _refuses_mask(made, hidden, visible)
        plain = with_method(MultiHeadSelfAttention, "forward", function)(12, 3, 0.4)
        plain.value.weight.zero_()  # all tokens hand over the same, so a head's D numbers are dropped together
        plain.value.bias.fill_(1.0)
        plain.output.weight.copy_(torch.eye(12))
        plain.output.bias.zero_()
        results = plain.train()(hidden)[0].view(2, 5, 3, 4)
        yield (
            "what is dropped are probabilities",
            torch.allclose(results, results[..., :1].expand_as(results), atol=1e-4),
        )
        made.train()
        one, other = made(hidden), made(hidden)
        yield "training differs from time to time", not torch.equal(one[0], other[0])
        looking = made(hidden, None, True)[1].sum(dim=-1)
        yield "probabilities before dropout", bool(((looking - 1).abs() < 1e-4).all())
        yield (
            "with probabilities training drops, too",
            not torch.equal(made(hidden, None, True)[0], made(hidden, None, True)[0]),
        )
    yield "evaluation where gradients are wanted", made.eval()(hidden)


def _refuses_mask(made, hidden, visible):
    try:
        made(hidden, visible.long())
    except ValueError:
        return True
    except Exception:
        return False
    return False


def _forward(self, hidden, mask=None, return_probabilities=False, *, layers="query key value", split=split_heads,
             join=join_heads, output=True, dropout=None, attend=scaled_dot_product_attention, give=None,
             check=True, scale=1.0, hide=lambda mask: mask, shown=lambda p: p):  # fmt: skip
    """The module's way with one thing done in another way."""
    if check and mask is not None and mask.dtype != torch.bool:
        raise ValueError("mask must be boolean")
    parts = [split(getattr(self, name)(hidden), self.num_heads) for name in layers.split()]
    share = (self.dropout if self.training else 0.0) if dropout is None else dropout(self)
    context, probabilities = attend(scale * parts[0], parts[1], parts[2], hide(mask), share)
    result = join(context)
    result = self.output(result) if output else result
    return (
        give(result, probabilities)
        if give
        else (result, shown(probabilities) if return_probabilities else None)
    )


def going(**options):
    return lambda self, hidden, mask=None, return_probabilities=False: _forward(
        self, hidden, mask, return_probabilities, **options
    )


def attend_and_give_the_dropped(query, key, value, mask=None, dropout=0.0):
    _, probabilities = scaled_dot_product_attention(query, key, value, mask)
    dropped = functional.dropout(probabilities, dropout)
    return dropped @ value, dropped


def forward_with_one_head(self, hidden, mask=None, return_probabilities=False):
    return _forward(self, hidden, mask, return_probabilities, split=lambda x, heads: x[:, None])


def _without_layers(self, hidden, mask, return_probabilities):
    if mask is not None and mask.dtype != torch.bool:
        raise ValueError("mask must be boolean")
    heads = split_heads(hidden, self.num_heads)
    share = self.dropout if self.training else 0.0
    context, probabilities = scaled_dot_product_attention(heads, heads, heads, mask, share)
    return self.output(join_heads(context)), probabilities if return_probabilities else None


def _with_the_input(self, hidden, mask, return_probabilities):
    result, probabilities = _forward(self, hidden, mask, return_probabilities)
    return hidden + result, probabilities


def _layers_after_the_split(self, hidden):
    return self.query(split_heads(hidden, self.num_heads)), None


def forward_fused(self, hidden, mask=None, return_probabilities=False):
    if mask is not None and mask.dtype != torch.bool:
        raise ValueError("mask must be boolean")
    if return_probabilities:
        return _forward(self, hidden, mask, True)
    query, key, value = (
        split_heads(layer(hidden), self.num_heads) for layer in (self.query, self.key, self.value)
    )
    share = self.dropout if self.training else 0.0
    context = functional.scaled_dot_product_attention(query, key, value, mask, share)
    return self.output(join_heads(context)), None


def first_numbers(parts):
    return parts["two texts"][0][0, 0, :4]


def _of_mask(parts):
    return parts["with a mask"][0][1, 0, :4]


def forward_asking_every_mask(self, hidden, mask=None, return_probabilities=False):
    if mask.dtype != torch.bool:
        raise ValueError("mask must be boolean")
    return _forward(self, hidden, mask, return_probabilities)


def forward_with_widths(self, hidden, mask=None, return_probabilities=False):
    """The size of a head is taken for the number of heads."""
    return _forward(
        self, hidden, mask, return_probabilities, split=lambda x, A: split_heads(x, x.shape[2] // A)
    )


FORWARD_MISTAKES = (
    Mistake(
        "no output layer",
        going(output=False),
        "the first token begins with {yours}, expected {expected}: that is what the heads found, side by side. Which "
        "layer mixes them?",
    ),
    Mistake(
        "keys from the queries' layer",
        going(layers="query query value"),
        "the first token begins with {yours}, expected {expected}: queries and keys come from the same layer",
    ),
    Mistake(
        "values from the keys' layer",
        going(layers="query key key"),
        "the first token begins with {yours}, expected {expected}: the values come from the layer of the keys",
    ),
    Mistake(
        "queries and keys exchanged",
        going(layers="key query value"),
        "the first token begins with {yours}, expected {expected}: queries and keys are exchanged, so the tables of "
        "scores are turned round",
    ),
    Mistake(
        "one head",
        forward_with_one_head,
        "the first token begins with {yours}, expected {expected}: there is one head of H numbers. When are the queries "
        "of the heads taken apart?",
    ),
    Mistake(
        "heads split by view",
        going(split=lambda x, A: x.reshape(x.shape[0], A, x.shape[1], -1)),
        "the first token begins with {yours}, expected {expected}: the heads are cut so that each gets numbers of other "
        "tokens. `split_heads` does it right",
    ),
    Mistake(
        "joined before moved",
        going(join=lambda heads: heads.reshape(heads.shape[0], heads.shape[2], -1)),
        "the first token begins with {yours}, expected {expected}: the heads' results are put together in the order in "
        "which they lie. `join_heads` moves them first",
    ),
    Mistake(
        "scaled twice",
        going(scale=0.5),
        "the first token begins with {yours}, expected {expected}: the scores are divided by √D twice. Who does it "
        "already?",
    ),
    Mistake(
        "root of H",
        going(scale=1 / math.sqrt(3)),
        "the first token begins with {yours}, expected {expected}: the scores are divided by √H = √12. How many "
        "products does a score of one head add up?",
    ),
    Mistake(
        "mask left out",
        going(hide=lambda mask: None),
        "right without a mask; with one, the first token of the second text begins with {yours}, expected {expected}: the "
        "mask has no effect",
        show=_of_mask,
    ),
    Mistake(
        "mask inverted",
        going(hide=lambda mask: None if mask is None else ~mask),
        "right without a mask; with one, the first token of the second text begins with {yours}, expected {expected}: "
        "what is visible gets hidden",
        show=_of_mask,
    ),
    Mistake(
        "other masks taken",
        going(check=False, hide=lambda mask: None if mask is None else mask.bool()),
        "a mask of 0 and 1 should be refused with a ValueError: the caller may have meant numbers to add, where 0 is "
        "visible",
    ),
    Mistake(
        "dropout in evaluation",
        going(dropout=lambda self: self.dropout),
        "in evaluation the first token begins with {yours}, expected {expected}, and with other numbers the next time: "
        "dropout is on. `self.training` says whether it should be",
    ),
    Mistake(
        "no dropout where probabilities are asked for",
        lambda self, hidden, mask=None, return_probabilities=False: _forward(
            self,
            hidden,
            mask,
            return_probabilities,
            dropout=lambda self: self.dropout if self.training and not return_probabilities else 0.0,
        ),
        "right but for one case: in training, and with the probabilities asked for, nothing is dropped. Who only looks "
        "should not change what is computed",
    ),
    Mistake(
        "never dropout",
        going(dropout=lambda self: 0.0),
        "right in evaluation; in training nothing is dropped: two runs give the same",
    ),
    Mistake(
        "dropout the wrong way round",
        going(dropout=lambda self: 0.0 if self.training else self.dropout),
        "in evaluation the first token begins with {yours}, expected {expected}: dropout is on in evaluation and off in "
        "training",
    ),
    Mistake(
        "probabilities after dropout",
        going(attend=attend_and_give_the_dropped),
        "right in evaluation; in training the rows of your probabilities don't sum to 1: they are those after dropout",
    ),
    Mistake(
        "probabilities always",
        going(give=lambda result, probabilities: (result, probabilities)),
        "the second result should be None unless the probabilities were asked for",
    ),
    Mistake(
        "probabilities never",
        going(give=lambda result, probabilities: (result, None)),
        "the probabilities were asked for, and None came",
    ),
    Mistake(
        "the result alone",
        going(give=lambda result, probabilities: result),
        "two things are given back, also where the second is None: then whoever calls it can always unpack two",
    ),
    Mistake(
        "dropout on the heads' results",
        lambda self, hidden, mask=None, return_probabilities=False: _forward(
            self,
            hidden,
            mask,
            return_probabilities,
            dropout=lambda self: 0.0,
            join=lambda heads: functional.dropout(join_heads(heads), self.dropout, self.training),
        ),
        "right in evaluation; in training you drop numbers of the heads' results, or of what the output layer makes of them. What is dropped are probabilities, so "
        "that a token now and then does without a neighbor",
    ),
    Mistake(
        "no layers",
        lambda self, hidden, mask=None, return_probabilities=False: _without_layers(
            self, hidden, mask, return_probabilities
        ),
        "the first token begins with {yours}, expected {expected}: the heads work on the tokens themselves. Queries, keys "
        "and values come from a layer each",
    ),
    Mistake(
        "the input added",
        lambda self, hidden, mask=None, return_probabilities=False: _with_the_input(
            self, hidden, mask, return_probabilities
        ),
        "the first token begins with {yours}, expected {expected}: the input was added to the result. The encoder does "
        "that, outside of this module (notebook 5)",
    ),
    Mistake(
        "mean of the heads' probabilities",
        going(shown=lambda p: p.mean(dim=1)),
        "the probabilities of all heads are averaged; each head's own table is asked for, (B, A, T, T)",
    ),
    Mistake(
        "layers after the split",
        lambda self, hidden, mask=None, return_probabilities=False: _layers_after_the_split(self, hidden),
        "the layers take all H numbers of a token, and a head has D: first the layers, then the split",
    ),
    Mistake(
        "no mask not expected",
        forward_asking_every_mask,
        "`mask` may be None: ask for that before you ask for its type",
    ),
    Mistake(
        "the size of a head for the number of heads",
        forward_with_widths,
        "the first token begins with {yours}, expected {expected}: you cut into as many heads as a head has numbers. "
        "`split_heads` wants to know how many heads there are",
    ),
    Mistake(
        "one layer for all three",
        going(layers="query query query"),
        "the first token begins with {yours}, expected {expected}: queries, keys and values all come from the layer of the "
        "queries",
    ),
    Mistake(
        "keys and values exchanged",
        going(layers="query value key"),
        "the first token begins with {yours}, expected {expected}: the layer of the values makes your keys, and that of the "
        "keys your values",
    ),
    Mistake(
        "queries hidden",
        going(hide=lambda mask: None if mask is None else mask.transpose(-1, -2)),
        "right without a mask; with one, rows are hidden instead of columns, and the first token of the second text begins "
        "with {yours}, expected {expected}. The mask already fits as it comes",
        show=_of_mask,
    ),
    Mistake(
        "dropout where gradients are",
        going(dropout=lambda self: self.dropout if torch.is_grad_enabled() else 0.0),
        "you ask whether gradients are wanted; but training without them drops as well, and evaluation with them doesn't. "
        "`self.training` is the switch",
    ),
    Mistake(
        "the mask only where probabilities are asked for",
        lambda self, hidden, mask=None, return_probabilities=False: _forward(
            self,
            hidden,
            mask,
            return_probabilities,
            hide=lambda mask: mask if return_probabilities else None,
        ),
        "right with the probabilities; without them the mask is lost: the first token of the second text begins with {yours}, "
        "expected {expected}",
        show=_of_mask,
    ),
    Mistake(
        "a dimension more for the mask",
        going(hide=lambda mask: None if mask is None else mask[:, None]),
        "the mask already fits the tables of the heads, (B, A, T, T): with one more dimension everything that comes after "
        "it has one too many",
    ),
)

EXERCISE = Exercise(
    id="4.9",
    name="MultiHeadSelfAttention.forward",
    reference=MultiHeadSelfAttention.forward,
    stub=FORWARD,
    probe=probe_forward,
    hints=(
        "Five steps: three layers, split each, attention, join, the output layer. All four functions are there.",
        "`split_heads(self.query(hidden), self.num_heads)` are the queries of all heads. The mask is already of a "
        "shape that fits.",
        "The share to drop is `self.dropout` if `self.training` is true, and otherwise 0.0. The mask's type is "
        "`mask.dtype`, to be compared with `torch.bool`.",
    ),
    mistakes=FORWARD_MISTAKES,
    notice="the same code serves one head or twelve, one text or sixty-four, with or without a mask",
    asks={
        "two texts": "Queries, keys and values from their layers, split, attention, joined, and through self.output",
        "with probabilities": "Asked for the probabilities, it gives the same result and the table of each head",
        "with a mask": "The mask goes to attention as it comes",
        "a mask of 0 and 1 is refused": "A mask that is not boolean is refused with a ValueError",
        "what is dropped are probabilities": "Dropout falls on probabilities, so a head's D numbers lose the same key together",
        "training differs from time to time": "self.training alone decides whether the share self.dropout is dropped",
        "with probabilities training drops, too": "Who asks for the probabilities gets the same computation, dropout included",
    },
    difficulty=2,
    minutes=15,
    show=first_numbers,
    variants=(going(), forward_fused),
)
