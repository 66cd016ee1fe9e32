"""GELU, the feed-forward block, and one layer: exercises 5.1 to 5.3."""

import math

import torch
from torch import nn
from torch.nn import functional

from helpers import encoder
from helpers.exercises.exercise import Exercise, Mistake, with_method
from helpers.exercises.references import encoder as references

# 5.1 gelu

GELU = '''
def my_gelu(x):
    """x (a tensor of any shape) -> x · Φ(x) for each of its numbers, in the same shape."""
    ...
'''


def probe_gelu(gelu):
    yield "the numbers -2, 0.5, 1.5, 3", gelu(torch.tensor([-2.0, 0.5, 1.5, 3.0]))
    yield "two texts", gelu(torch.linspace(-4, 4, 24).reshape(2, 3, 4))


def four_numbers(parts):
    return parts["the numbers -2, 0.5, 1.5, 3"]


GELU_MISTAKES = (
    Mistake(
        "the approximation with tanh",
        lambda x: functional.gelu(x, approximate="tanh"),
        "-2, 0.5, 1.5, 3 give {yours}, expected {expected}: so near that it must be the approximation with tanh. "
        "The formula above has erf, and trained weights want what they were trained with",
    ),
    Mistake(
        "the approximation with a sigmoid",
        lambda x: x * torch.sigmoid(1.702 * x),
        "-2, 0.5, 1.5, 3 give {yours}, expected {expected}: this is the rougher approximation with a sigmoid",
    ),
    Mistake(
        "ReLU",
        torch.relu,
        "-2, 0.5, 1.5, 3 give {yours}, expected {expected}: that is ReLU. In GELU a negative number is weakened, not "
        "cut off, and a positive one is weakened a little as well",
    ),
    Mistake(
        "Φ alone",
        lambda x: (1 + torch.erf(x / math.sqrt(2))) / 2,
        "-2, 0.5, 1.5, 3 give {yours}, expected {expected}: these are the probabilities Φ(x). What are they "
        "multiplied by?",
    ),
    Mistake(
        "erf without the root of 2",
        lambda x: x / 2 * (1 + torch.erf(x)),
        "-2, 0.5, 1.5, 3 give {yours}, expected {expected}: the switch is too steep. erf is made for a variance of "
        "1/2: what must x be divided by first?",
    ),
    Mistake(
        "erf of a half",
        lambda x: x / 2 * (1 + torch.erf(x / 2)),
        "-2, 0.5, 1.5, 3 give {yours}, expected {expected}: the switch is too flat. You divide by 2 inside erf; look "
        "at the formula once more",
    ),
    Mistake(
        "multiplied by the root of 2",
        lambda x: x / 2 * (1 + torch.erf(x * math.sqrt(2))),
        "-2, 0.5, 1.5, 3 give {yours}, expected {expected}: the switch is twice too steep, since x is multiplied by "
        "the root inside erf instead of divided",
    ),
    Mistake(
        "not halved",
        lambda x: x * (1 + torch.erf(x / math.sqrt(2))),
        "-2, 0.5, 1.5, 3 give {yours}, expected {expected}: twice too much. 1 + erf runs from 0 to 2, a probability "
        "from 0 to 1",
    ),
    Mistake(
        "erf alone",
        lambda x: x / 2 * torch.erf(x / math.sqrt(2)),
        "-2, 0.5, 1.5, 3 give {yours}, expected {expected}: -2 comes out positive. erf runs from -1 to 1: what makes "
        "a probability of it?",
    ),
    Mistake(
        "SiLU",
        functional.silu,
        "-2, 0.5, 1.5, 3 give {yours}, expected {expected}: x times a sigmoid is called SiLU. The Φ of the formula is "
        "that of a normal variable",
    ),
    Mistake(
        "math.erf",
        lambda x: x / 2 * (1 + math.erf(x / math.sqrt(2))),
        "math.erf takes one number; torch has a function of that name for whole tensors",
    ),
)

# 5.2 FeedForward

FEED_FORWARD = '''
def my_feed_forward(self, hidden):
    """(B, T, H) -> (B, T, H): widen, GELU, narrow.

    self.widen is a linear layer from H to 4H numbers, self.narrow one back.
    """
    ...
'''


def randomized(module):
    """The module with all its weights drawn anew, those of the norms as well."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_()
    return module


def probe_feed_forward(forward):
    torch.manual_seed(1)
    block = randomized(with_method(encoder.FeedForward, "forward", forward)(6, 10))
    hidden = torch.linspace(-1.5, 2, 48).reshape(2, 4, 6)  # (B, T, H)
    yield "one token", block(hidden[1:, 2:3])
    yield "two texts", block(hidden)


def one_token(parts):
    return parts["one token"][0, 0, :3]


def forward_making_layers(self, hidden):
    widen, narrow = nn.Linear(6, 10), nn.Linear(10, 6)
    return narrow(functional.gelu(widen(hidden)))


FEED_FORWARD_MISTAKES = (
    Mistake(
        "tanh GELU",
        (lambda self, x: self.narrow(functional.gelu(self.widen(x), approximate="tanh"))),
        "right to two or three digits: one token gives {yours}, expected {expected}. It is the GELU with tanh; the "
        "one above has erf",
    ),
    Mistake(
        "ReLU between",
        (lambda self, x: self.narrow(torch.relu(self.widen(x)))),
        "one token gives {yours}, expected {expected}: between the two layers stands ReLU, as in the Transformer of "
        "2017. What does BERT have there?",
    ),
    Mistake(
        "nothing between",
        (lambda self, x: self.narrow(self.widen(x))),
        "one token gives {yours}, expected {expected}: two linear layers in a row are one linear layer. What has to "
        "stand between them?",
    ),
    Mistake(
        "GELU last",
        (lambda self, x: functional.gelu(self.narrow(self.widen(x)))),
        "one token gives {yours}, expected {expected}: hardly anything is negative, since GELU comes last. Where do "
        "the wide vectors, with four times as many numbers, stand?",
    ),
    Mistake(
        "GELU first",
        (lambda self, x: self.narrow(self.widen(functional.gelu(x)))),
        "one token gives {yours}, expected {expected}: GELU is applied to the input, and the two linear layers "
        "follow each other",
    ),
    Mistake(
        "GELU twice",
        (lambda self, x: functional.gelu(self.narrow(functional.gelu(self.widen(x))))),
        "one token gives {yours}, expected {expected}: the first GELU is right; the block's result is not cut off "
        "a second time",
    ),
    Mistake(
        "residual inside",
        (lambda self, x: x + self.narrow(functional.gelu(self.widen(x)))),
        "one token gives {yours}, expected {expected}: you add the input to the result. That is right for BERT, but "
        "it is the layer around the block that does it, and twice would be too much",
    ),
    Mistake(
        "narrow first",
        (lambda self, x: self.widen(functional.gelu(self.narrow(x)))),
        "the layers are called in the wrong order: which of the two can take a vector of hidden_size numbers?",
    ),
    Mistake(
        "layers made in forward",
        forward_making_layers,
        "one token gives {yours}, expected {expected}: the linear layers are made anew in each call, with new random "
        "weights, and nothing could ever be learned. Use those that the module has",
    ),
    Mistake(
        "norm at the end",
        lambda self, x: functional.layer_norm(self.narrow(functional.gelu(self.widen(x))), (6,)),
        "one token gives {yours}, expected {expected}, mean 0 and variance 1: you normalize the result. LayerNorm "
        "follows, but outside of this block, after the addition",
    ),
)

# 5.3 EncoderLayer.forward

LAYER = '''
def my_encoder_layer_forward(self, hidden, mask=None, return_probabilities=False):
    """hidden (B, T, H) -> hidden (B, T, H), and the probabilities that attention returns.

    self.attention(hidden, mask, return_probabilities) -> (B, T, H), and probabilities or None.
    Besides it the layer has self.attention_norm, self.feed_forward, self.feed_forward_norm, self.dropout.
    """
    ...
'''


def probe_layer(forward):
    torch.manual_seed(2)
    sizes = {"hidden_size": 6, "num_heads": 3, "intermediate_size": 10, "dropout": 0.0}
    layer = randomized(with_method(encoder.EncoderLayer, "forward", forward)(encoder.BertConfig(**sizes)))
    hidden = torch.randn(2, 4, 6)  # (B, T, H)
    mask = torch.tensor([[True, True, True, False], [True, True, False, False]])[:, None, None]
    layer.eval()
    yield "two texts", layer(hidden)
    yield "with a mask", layer(hidden, mask)[0]
    yield "probabilities, asked for", layer(hidden, mask, True)[1]
    layer.train()
    layer.dropout.p = 1.0
    yield "with everything dropped", layer(hidden)[0]


def _layer(self, hidden, mask=None, return_probabilities=False, *, drop=True, **changes):
    """A layer with one thing done in another way."""
    first, second = changes.get("norms", ("attention_norm", "feed_forward_norm"))
    norm_one, norm_two = getattr(self, first), getattr(self, second)
    attended, probabilities = self.attention(hidden, mask, return_probabilities)
    inner = norm_one(changes.get("add_one", True) * hidden + self.dropout(attended))
    fed = self.feed_forward(hidden if changes.get("parallel") else inner)
    kept = hidden if changes.get("adds_the_input") else inner
    dropped = self.dropout(fed) if drop else fed
    return norm_two(changes.get("add_two", True) * kept + dropped), probabilities


def layer_with(**changes):
    return lambda self, hidden, mask=None, asked=False: _layer(self, hidden, mask, asked, **changes)


def layer_of(steps):
    """A layer from what it does with (self, hidden, attended): without probabilities, if none are asked for."""

    def forward(self, hidden, mask=None, return_probabilities=False):
        attended, probabilities = self.attention(hidden, mask, return_probabilities)
        return steps(self, hidden, attended), probabilities

    return forward


def norm_first(self, hidden, mask=None, return_probabilities=False):
    attended, probabilities = self.attention(self.attention_norm(hidden), mask, return_probabilities)
    hidden = hidden + self.dropout(attended)
    return hidden + self.dropout(self.feed_forward(self.feed_forward_norm(hidden))), probabilities


def sum_dropped(self, hidden, attended):
    hidden = self.attention_norm(self.dropout(hidden + attended))
    return self.feed_forward_norm(self.dropout(hidden + self.feed_forward(hidden)))


def dropped_after_the_norm(self, hidden, attended):
    hidden = self.dropout(self.attention_norm(hidden + attended))
    return self.dropout(self.feed_forward_norm(hidden + self.feed_forward(hidden)))


def without_dropout(self, hidden, attended):
    hidden = self.attention_norm(hidden + attended)
    return self.feed_forward_norm(hidden + self.feed_forward(hidden))


def norm_inside(self, hidden, attended):
    hidden = hidden + self.attention_norm(self.dropout(attended))
    return hidden + self.feed_forward_norm(self.dropout(self.feed_forward(hidden)))


def sum_thrown_away(self, hidden, attended):
    hidden = hidden + self.dropout(attended)
    self.attention_norm(hidden)
    hidden = hidden + self.dropout(self.feed_forward(hidden))
    return self.feed_forward_norm(hidden)


def attention_not_taken_apart(self, hidden, mask=None, return_probabilities=False):
    return self.attention_norm(hidden + self.attention(hidden, mask)), None


def first_token(parts):
    result = parts["two texts"]
    return (result[0] if isinstance(result, tuple) else result)[0, 0, :3]


def masked_token(parts):
    return parts["with a mask"][1, 0, :3]


def dropped_token(parts):
    return parts["with everything dropped"][0, 0, :3]


LAYER_MISTAKES = (
    Mistake(
        "norm before the block",
        norm_first,
        "the first token becomes {yours}, expected {expected}: you normalize before each block, as GPT-2 does. The "
        "formula has LayerNorm around the sum",
    ),
    Mistake(
        "norm inside the residual",
        layer_of(norm_inside),
        "the first token becomes {yours}, expected {expected}: LayerNorm is applied to what a block adds, and it "
        "should be applied to the sum",
    ),
    Mistake(
        "one norm for both",
        layer_with(norms=("attention_norm", "attention_norm")),
        "the first token becomes {yours}, expected {expected}: attention_norm does the work of both norms. A layer "
        "has two, each with weights of its own",
    ),
    Mistake(
        "norms exchanged",
        layer_with(norms=("feed_forward_norm", "attention_norm")),
        "the first token becomes {yours}, expected {expected}: the two norms have changed places, and every shape "
        "fits. Which one follows attention?",
    ),
    Mistake(
        "the layer's input added twice",
        layer_with(adds_the_input=True),
        "the first token becomes {yours}, expected {expected}: after the feed-forward block you add back the input "
        "of the layer. Each residual connection adds the input of its own block",
    ),
    Mistake(
        "side by side",
        layer_with(parallel=True),
        "the first token becomes {yours}, expected {expected}: the feed-forward block gets the input of the layer, "
        "so both blocks work side by side. It should read what attention has written",
    ),
    Mistake(
        "no residuals",
        layer_with(add_one=False, add_two=False),
        "the first token becomes {yours}, expected {expected}: each block replaces the vector instead of adding to "
        "it. What is x on the right of the formula for?",
    ),
    Mistake(
        "no residual around attention",
        layer_with(add_one=False),
        "the first token becomes {yours}, expected {expected}: attention replaces the vector instead of adding to "
        "it; around the feed-forward block it is right",
    ),
    Mistake(
        "no residual around the feed-forward block",
        layer_with(add_two=False),
        "the first token becomes {yours}, expected {expected}: the feed-forward block replaces the vector instead "
        "of adding to it; around attention it is right",
    ),
    Mistake(
        "result of the first norm thrown away",
        layer_of(sum_thrown_away),
        "the first token becomes {yours}, expected {expected}: the sum after attention goes on without LayerNorm. A "
        "norm does not change its input, it returns something new",
    ),
    Mistake(
        "attention alone",
        layer_of(lambda self, hidden, attended: self.attention_norm(hidden + self.dropout(attended))),
        "the first token becomes {yours}, expected {expected}: that is the layer after its first half. Where is the "
        "feed-forward block?",
    ),
    Mistake(
        "mask not passed on",
        lambda self, hidden, mask=None, asked=False: _layer(self, hidden, None, asked),
        "right without padding, but with a mask the first token of the second text becomes {yours}, expected "
        "{expected}: attention has not heard of the mask",
        show=masked_token,
    ),
    Mistake(
        "probabilities not asked for",
        lambda self, hidden, mask=None, asked=False: _layer(self, hidden, mask),
        "the vectors are right. With return_probabilities=True the second result should be what attention gives, "
        "and attention gives them only if it is asked",
    ),
    Mistake(
        "vectors alone",
        lambda self, hidden, mask=None, asked=False: _layer(self, hidden, mask, asked)[0],
        "two results are asked for: the vectors, and the probabilities (None, if attention returned None)",
    ),
    Mistake(
        "no dropout",
        layer_of(without_dropout),
        "right in evaluation. In training, what a block gives goes through self.dropout before it is added: with "
        "everything dropped the first token becomes {yours}, expected {expected}",
        show=dropped_token,
    ),
    Mistake(
        "dropout on attention only",
        layer_with(drop=False),
        "right in evaluation, and in training after attention; but what the feed-forward block gives is not "
        "dropped: with everything dropped the first token becomes {yours}, expected {expected}",
        show=dropped_token,
    ),
    Mistake(
        "dropout on the sum",
        layer_of(sum_dropped),
        "right in evaluation, as every comparison of predictions would say. In training you drop from the sum, and "
        "with everything dropped the first token becomes {yours}, expected {expected}: the residual connection "
        "should stay whole",
        show=dropped_token,
    ),
    Mistake(
        "dropout after the norm",
        layer_of(dropped_after_the_norm),
        "right in evaluation. In training you drop after LayerNorm, and with everything dropped the first token "
        "becomes {yours}, expected {expected}. The formula has Dropout around f(x) alone",
        show=dropped_token,
    ),
    Mistake(
        "attention's pair added",
        attention_not_taken_apart,
        "attention returns two things, the vectors and the probabilities; only the first can be added",
    ),
)


def sums_in_another_order(self, hidden, attended):
    between = self.attention_norm(self.dropout(attended) + hidden)
    return self.feed_forward_norm(self.dropout(self.feed_forward(between)) + between)


EXERCISES = (
    Exercise(
        id="5.1",
        name="gelu",
        reference=references.gelu,
        stub=GELU,
        probe=probe_gelu,
        hints=(
            "The second form of the formula needs only arithmetic and the function erf.",
            "`torch.erf` works on a whole tensor, number by number, and so do + and *. `math.sqrt(2)` is a plain number.",
        ),
        mistakes=GELU_MISTAKES,
        notice="-2 becomes -0.05 and not 0: Φ(-2) is 2%, and that much of it passes",
        difficulty=1,
        minutes=5,
        show=four_numbers,
        variants=(
            functional.gelu,
            lambda x: x * torch.distributions.Normal(0.0, 1.0).cdf(x),
            lambda x: 0.5 * x * (1 + torch.erf(x / 2**0.5)),
        ),
    ),
    Exercise(
        id="5.2",
        name="FeedForward.forward",
        reference=encoder.FeedForward.forward,
        stub=FEED_FORWARD,
        probe=probe_feed_forward,
        hints=(
            "A linear layer is called like a function: `self.widen(hidden)` is (B, T, 4H).",
            "`nn.functional.gelu` is GELU as in the formula. The result is narrow(gelu(widen(hidden))), and nothing else.",
        ),
        mistakes=FEED_FORWARD_MISTAKES,
        notice="nothing in it mentions B or T: linear layers work on the last dimension and leave the others alone",
        difficulty=1,
        minutes=4,
        show=one_token,
        variants=(
            (lambda self, x: self.narrow(references.gelu(self.widen(x)))),
            (
                lambda self, x: (
                    functional.gelu(x @ self.widen.weight.T + self.widen.bias) @ self.narrow.weight.T
                    + self.narrow.bias
                )
            ),
        ),
    ),
    Exercise(
        id="5.3",
        name="EncoderLayer.forward",
        reference=encoder.EncoderLayer.forward,
        stub=LAYER,
        probe=probe_layer,
        hints=(
            "The formula is used twice: f is attention the first time, the feed-forward block the second, and the x "
            "of the second is the result of the first.",
            "Attention returns a pair: give the two names. Then norm(x + dropout(what attention gave)) is the new x.",
            "Three lines and a `return` of two things. The second norm gets hidden + self.dropout(self.feed_forward("
            "hidden)), where `hidden` is what the first norm returned.",
        ),
        mistakes=LAYER_MISTAKES,
        notice="the shape that goes in comes out, so layers can be stacked as high as one likes",
        difficulty=2,
        minutes=12,
        show=first_token,
        variants=(layer_with(), layer_of(sums_in_another_order)),
    ),
)
