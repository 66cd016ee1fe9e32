"""One layer: exercise 5.3."""

import torch

from helpers import encoder
from helpers.exercises.exercise import Exercise, Mistake, with_method
from helpers.exercises.tables.encoder.blocks import randomized

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
    yield "two texts", layer(hidden.clone())
    yield "with a mask", layer(hidden.clone(), mask)[0]
    yield "probabilities, asked for", layer(hidden.clone(), mask, True)[1]
    layer.train()
    layer.dropout.p = 1.0
    yield "with everything dropped", layer(hidden.clone())[0]


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


def addition_after_the_norm(self, hidden, attended):
    hidden = self.attention_norm(hidden) + self.dropout(attended)
    return self.feed_forward_norm(hidden) + self.dropout(self.feed_forward(hidden))


def norm_before_the_second_block(self, hidden, attended):
    hidden = hidden + self.dropout(attended)
    return self.feed_forward_norm(hidden + self.dropout(self.feed_forward(self.attention_norm(hidden))))


def attention_not_dropped(self, hidden, attended):
    hidden = self.attention_norm(hidden + attended)
    return self.feed_forward_norm(hidden + self.dropout(self.feed_forward(hidden)))


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


def layer_not_unpacked(self, hidden, mask=None, return_probabilities=False):
    attended = self.attention(hidden, mask, return_probabilities)
    hidden = self.attention_norm(hidden + self.dropout(attended))
    return self.feed_forward_norm(hidden + self.dropout(self.feed_forward(hidden))), None


LAYER_MISTAKES = (
    Mistake(
        "attention gives a pair",
        layer_not_unpacked,
        "self.attention gives two things, the new vectors and the probabilities, and you take both for the vectors",
        raises=TypeError,
    ),
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
        "addition after the norm",
        layer_of(addition_after_the_norm),
        "the first token becomes {yours}, expected {expected}: you normalize x and then add. The sum is to be "
        "normalized, so the addition comes first",
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
        "first norm for the block only",
        layer_of(norm_before_the_second_block),
        "the first token becomes {yours}, expected {expected}: the feed-forward block reads normalized vectors, but "
        "what is added to its result is the sum before LayerNorm. x is the same in both places",
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
        "probabilities always",
        lambda self, hidden, mask=None, asked=False: _layer(self, hidden, mask, True),
        "the vectors are right; but probabilities come back even where nobody asked for them. Hand the question on "
        "to attention as it was put",
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
        "dropout on the feed-forward block only",
        layer_of(attention_not_dropped),
        "right in evaluation, and in training after the feed-forward block; but what attention gives is not dropped: "
        "with everything dropped the first token becomes {yours}, expected {expected}",
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
