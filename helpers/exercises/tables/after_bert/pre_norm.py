"""19.5: a layer that normalizes before each block."""

import torch

from helpers import modern
from helpers.exercises.exercise import Exercise, Mistake, with_method
from helpers.exercises.tables.encoder.blocks import randomized
from helpers.rotary import rotary_angles

STUB = '''
def my_modern_layer_forward(self, hidden, angles, visible=None, return_probabilities=False):
    """hidden (B, T, H) -> hidden (B, T, H), and the probabilities that attention returns.

    self.attention(hidden, angles, visible, return_probabilities) -> (B, T, H), and probabilities or None.
    Besides it the layer has self.attention_norm, self.feed_forward, self.feed_forward_norm, self.dropout.
    """
    ...
'''


def probe(forward):
    torch.manual_seed(2)
    config = modern.ModernConfig(20, 12, 2, 3, intermediate_size=7, window=4)
    layer = randomized(with_method(modern.ModernLayer, "forward", forward)(config, 1))
    hidden, angles = torch.randn(2, 7, 12), rotary_angles(torch.arange(7), 4)
    visible = torch.arange(7) < torch.tensor([7, 4])[:, None]
    layer.eval()
    yield "two texts", layer(hidden.clone(), angles)
    yield "with padding", layer(hidden.clone(), angles, visible)[0]
    yield "probabilities, asked for", layer(hidden.clone(), angles, visible, True)[1]
    layer.train()
    layer.dropout.p = 1.0
    yield "with everything dropped", layer(hidden.clone(), angles)[0]


def variant(steps, padding=True, asked=True):
    """A layer from what it does with an `attend` that gives vectors alone."""

    def forward(self, hidden, angles, visible=None, return_probabilities=False):
        kept = []

        def attend(read):
            attended, probabilities = self.attention(
                read, angles, visible if padding else None, return_probabilities and asked
            )
            kept.append(probabilities)
            return attended

        return steps(self, hidden, attend), kept[0]

    return forward


def right(self, x, attend):
    x = x + self.dropout(attend(self.attention_norm(x)))
    return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))


def post_norm(self, x, attend):
    x = self.attention_norm(x + self.dropout(attend(x)))
    return self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))


def norm_kept(self, x, attend):
    x = self.attention_norm(x)
    x = x + self.dropout(attend(x))
    x = self.feed_forward_norm(x)
    return x + self.dropout(self.feed_forward(x))


def norm_behind(self, x, attend):
    x = x + self.attention_norm(self.dropout(attend(x)))
    return x + self.feed_forward_norm(self.dropout(self.feed_forward(x)))


def exchanged(self, x, attend):
    x = x + self.dropout(attend(self.feed_forward_norm(x)))
    return x + self.dropout(self.feed_forward(self.attention_norm(x)))


def one_norm(self, x, attend):
    x = x + self.dropout(attend(self.attention_norm(x)))
    return x + self.dropout(self.feed_forward(self.attention_norm(x)))


def side_by_side(self, x, attend):
    first = self.dropout(attend(self.attention_norm(x)))
    return x + first + self.dropout(self.feed_forward(self.feed_forward_norm(x)))


def input_twice(self, x, attend):
    inner = x + self.dropout(attend(self.attention_norm(x)))
    return x + self.dropout(self.feed_forward(self.feed_forward_norm(inner)))


def no_residuals(self, x, attend):
    x = self.dropout(attend(self.attention_norm(x)))
    return self.dropout(self.feed_forward(self.feed_forward_norm(x)))


def second_without_norm(self, x, attend):
    x = x + self.dropout(attend(self.attention_norm(x)))
    return x + self.dropout(self.feed_forward(x))


def without_dropout(self, x, attend):
    x = x + attend(self.attention_norm(x))
    return x + self.feed_forward(self.feed_forward_norm(x))


def sum_dropped(self, x, attend):
    x = self.dropout(x + attend(self.attention_norm(x)))
    return self.dropout(x + self.feed_forward(self.feed_forward_norm(x)))


def first_token(parts):
    return parts["two texts"][0][0, 0, :3]


def padded_token(parts):
    return parts["with padding"][1, 3, :3]


def dropped_token(parts):
    return parts["with everything dropped"][0, 0, :3]


def not_unpacked(self, hidden, angles, visible=None, return_probabilities=False):
    attended = self.attention(self.attention_norm(hidden), angles, visible, return_probabilities)
    hidden = hidden + self.dropout(attended)
    return hidden + self.dropout(self.feed_forward(self.feed_forward_norm(hidden))), None


EXERCISE = Exercise(
    id="19.5",
    name="ModernLayer.forward",
    reference=modern.ModernLayer.forward,
    stub=STUB,
    probe=probe,
    show=first_token,
    hints=(
        "Two lines, of one form: what is there, plus what a block makes of a normalized copy of it.",
        "The sum is never normalized. The norm stands inside the brackets: self.attention(self.attention_norm(hidden), …).",
    ),
    mistakes=(
        Mistake(
            "attention gives a pair",
            not_unpacked,
            "self.attention returns a pair here, too: the new vectors, and the probabilities (or None). You use the pair as if it were the vectors",
            raises=TypeError,
        ),
        Mistake(
            "norm after the sum",
            variant(post_norm),
            "the first token becomes {yours}, expected {expected}: this is BERT's order, the norm around the sum. Here the norm is "
            "taken of what a block reads, and the sum is left alone",
        ),
        Mistake(
            "the normalized vector goes on",
            variant(norm_kept),
            "the first token becomes {yours}, expected {expected}: you add to the normalized vector, so that what was there is lost. "
            "A block reads a normalized copy; the sum keeps the vector itself",
        ),
        Mistake(
            "norm behind the block",
            variant(norm_behind),
            "the first token becomes {yours}, expected {expected}: what a block adds is normalized, not what it reads",
        ),
        Mistake(
            "norms exchanged",
            variant(exchanged),
            "the first token becomes {yours}, expected {expected}: the two norms have changed places, and every shape fits",
        ),
        Mistake(
            "one norm for both",
            variant(one_norm),
            "the first token becomes {yours}, expected {expected}: attention_norm does the work of both norms",
        ),
        Mistake(
            "side by side",
            variant(side_by_side),
            "the first token becomes {yours}, expected {expected}: both blocks read the input of the layer. The second should read "
            "what attention has written",
        ),
        Mistake(
            "the layer's input added twice",
            variant(input_twice),
            "the first token becomes {yours}, expected {expected}: in the end you add the input of the layer, and attention's part is "
            "lost. Each sum adds to what is there by then",
        ),
        Mistake(
            "no residuals",
            variant(no_residuals),
            "the first token becomes {yours}, expected {expected}: each block replaces the vector instead of adding to it",
        ),
        Mistake(
            "no norm before the second block",
            variant(second_without_norm),
            "the first token becomes {yours}, expected {expected}: the feed-forward block reads the sum as it is. It gets a "
            "normalized copy, as attention does",
        ),
        Mistake(
            "padding is seen",
            variant(right, padding=False),
            "in a text with padding, its last token becomes {yours}, expected {expected}: attention did not learn which tokens are "
            "visible",
            show=padded_token,
        ),
        Mistake(
            "no probabilities",
            variant(right, asked=False),
            "the probabilities were asked for, and are {yours}: hand return_probabilities on to attention",
            show=lambda parts: parts["probabilities, asked for"],
        ),
        Mistake(
            "no dropout",
            variant(without_dropout),
            "with a dropout that drops everything, the first token becomes {yours}, expected {expected}: what the blocks add passes "
            "through dropout, so only the token itself is left",
            show=dropped_token,
        ),
        Mistake(
            "the sum dropped",
            variant(sum_dropped),
            "with a dropout that drops everything, the first token becomes {yours}, expected {expected}: dropout belongs on what a "
            "block adds, not on the sum",
            show=dropped_token,
        ),
    ),
    notice="from the first layer to the last there is a way on which nothing is ever normalized: that way the gradient comes back whole",
    difficulty=2,
    minutes=8,
    variants=(variant(right),),
)
