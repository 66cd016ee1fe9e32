"""GELU and the feed-forward block: exercises 5.1 and 5.2."""

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
        "tanh without its cubic term",
        lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * x)),
        "-2, 0.5, 1.5, 3 give {yours}, expected {expected}: this is the approximation by tanh, without the term in x³ that makes it a good one. Here Φ itself is asked for",
    ),
    Mistake(
        "the density",
        lambda x: x * torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi),
        "-2, 0.5, 1.5, 3 give {yours}, expected {expected}: that is x times the density of the normal distribution, the bell. Φ is its area to the left of x",
    ),
    Mistake(
        "the error function by itself",
        lambda x: x * torch.erf(x / math.sqrt(2)),
        "-2, 0.5, 1.5, 3 give {yours}, expected {expected}: erf runs from -1 to 1, and a probability from 0 to 1. What has to be added, and by what divided?",
    ),
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
        "tanh instead of erf",
        lambda x: x / 2 * (1 + torch.tanh(x)),
        "-2, 0.5, 1.5, 3 give {yours}, expected {expected}: tanh runs from -1 to 1 as erf does, but along another "
        "curve",
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
        "tanh between the layers",
        lambda self, hidden: self.narrow(torch.tanh(self.widen(hidden))),
        "one token gives {yours}, expected {expected}: between the two layers stands tanh, which is the pooler's function. What does the block have?",
    ),
    Mistake(
        "sigmoid between the layers",
        lambda self, hidden: self.narrow(torch.sigmoid(self.widen(hidden))),
        "one token gives {yours}, expected {expected}: between the two layers stands a sigmoid. What does the block have?",
    ),
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
        "SiLU between",
        (lambda self, x: self.narrow(functional.silu(self.widen(x)))),
        "one token gives {yours}, expected {expected}: between the layers stands x times a sigmoid, called SiLU, as "
        "in many later models. BERT has GELU",
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
        "dropout inside",
        lambda self, x: functional.dropout(self.narrow(functional.gelu(self.widen(x))), 0.1),
        "one token gives {yours}, expected {expected}: some numbers became 0 and the others a ninth larger, so there "
        "is dropout in the block. The layer around it does that",
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
)
