"""19.5: a layer that normalizes before each block."""

import torch

from helpers import modern
from helpers.exercises.exercise import Exercise, Mistake, with_method
from helpers.exercises.tables.after_bert import layer_steps as steps
from helpers.exercises.tables.encoder.blocks import randomized
from helpers.exercises.tables.mlm_pretraining.small import About
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
    layer.dropout.p = 0.5
    layer.feed_forward.narrow.weight.data.zero_()
    yield "dropped of what attention adds", dropped(layer, hidden, angles)
    layer.feed_forward.narrow.weight.data.normal_()
    layer.attention.output.weight.data.zero_()
    yield "dropped of what the feed-forward block adds", dropped(layer, hidden, angles)


def dropped(layer, hidden, angles):
    """The share of numbers to which a layer adds nothing."""
    return About((layer(hidden.clone(), angles)[0] - hidden == 0).float().mean(), 0.2)


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
            steps.variant(steps.post_norm),
            "the first token becomes {yours}, expected {expected}: this is BERT's order, the norm around the sum. Here the norm is "
            "taken of what a block reads, and the sum is left alone",
        ),
        Mistake(
            "the normalized vector goes on",
            steps.variant(steps.norm_kept),
            "the first token becomes {yours}, expected {expected}: you add to the normalized vector, so that what was there is lost. "
            "A block reads a normalized copy; the sum keeps the vector itself",
        ),
        Mistake(
            "norm behind the block",
            steps.variant(steps.norm_behind),
            "the first token becomes {yours}, expected {expected}: what a block adds is normalized, not what it reads",
        ),
        Mistake(
            "norms exchanged",
            steps.variant(steps.exchanged),
            "the first token becomes {yours}, expected {expected}: the two norms have changed places, and every shape fits",
        ),
        Mistake(
            "one norm for both",
            steps.variant(steps.one_norm),
            "the first token becomes {yours}, expected {expected}: attention_norm does the work of both norms",
        ),
        Mistake(
            "side by side",
            steps.variant(steps.side_by_side),
            "the first token becomes {yours}, expected {expected}: both blocks read the input of the layer. The second should read "
            "what attention has written",
        ),
        Mistake(
            "the layer's input added twice",
            steps.variant(steps.input_twice),
            "the first token becomes {yours}, expected {expected}: in the end you add the input of the layer, and attention's part is "
            "lost. Each sum adds to what is there by then",
        ),
        Mistake(
            "no residuals",
            steps.variant(steps.no_residuals),
            "the first token becomes {yours}, expected {expected}: each block replaces the vector instead of adding to it",
        ),
        Mistake(
            "no norm before the second block",
            steps.variant(steps.second_without_norm),
            "the first token becomes {yours}, expected {expected}: the feed-forward block reads the sum as it is. It gets a "
            "normalized copy, as attention does",
        ),
        Mistake(
            "the first sum on the normalized",
            steps.variant(steps.first_sum_normalized),
            "the first token becomes {yours}, expected {expected}: attention's part is added to the normalized copy. The copy is there to be read; to what is added?",
        ),
        Mistake(
            "the second sum on the normalized",
            steps.variant(steps.second_sum_normalized),
            "the first token becomes {yours}, expected {expected}: what the feed-forward block gives is added to the normalized copy. To what does it belong?",
        ),
        Mistake(
            "no residual at attention",
            steps.variant(steps.no_first_residual),
            "the first token becomes {yours}, expected {expected}: what attention gives takes the place of what was there. The second block adds; and the first?",
        ),
        Mistake(
            "no residual at the end",
            steps.variant(steps.no_second_residual),
            "the first token becomes {yours}, expected {expected}: what the feed-forward block gives takes the place of what was there. The first block adds; and the second?",
        ),
        Mistake(
            "attention reads it as it is",
            steps.variant(steps.first_without_norm),
            "the first token becomes {yours}, expected {expected}: attention reads the vectors as they are. What does the layer have attention_norm for?",
        ),
        Mistake(
            "no norms",
            steps.variant(steps.no_norms),
            "the first token becomes {yours}, expected {expected}: nothing is normalized at all, and numbers grow from block to block. What do the two blocks read?",
        ),
        Mistake(
            "feed-forward first",
            steps.variant(steps.feed_forward_first),
            "the first token becomes {yours}, expected {expected}: the feed-forward block comes before attention. The order of the blocks is that of 2018",
        ),
        Mistake(
            "the attended alone goes on",
            steps.variant(steps.attended_only),
            "the first token becomes {yours}, expected {expected}: the second block reads only what attention gave. It reads the sum",
        ),
        Mistake(
            "a norm at the end of the layer",
            steps.variant(steps.normalized_at_the_end),
            "the first token becomes {yours}, expected {expected}: the layer normalizes once more at its end. Each norm stands before a block; how many are there?",
        ),
        Mistake(
            "dropout on what is read",
            steps.variant(steps.dropped_before),
            "with a dropout of one half, {yours} of the numbers that attention adds are 0, expected about {expected}: what a block reads is dropped, and not what it adds",
            show=lambda parts: parts["dropped of what attention adds"],
        ),
        Mistake(
            "dropout at attention only",
            steps.variant(steps.dropped_in_the_first),
            "with a dropout that drops everything, the first token becomes {yours}, expected {expected}: what the feed-forward block adds is still there. Both blocks pass through dropout",
            show=dropped_token,
        ),
        Mistake(
            "dropout at the feed-forward block only",
            steps.variant(steps.dropped_in_the_second),
            "with a dropout that drops everything, the first token becomes {yours}, expected {expected}: what attention adds is still there. Both blocks pass through dropout",
            show=dropped_token,
        ),
        Mistake(
            "padding is seen",
            steps.variant(steps.right, padding=False),
            "in a text with padding, its last token becomes {yours}, expected {expected}: attention did not learn which tokens are "
            "visible",
            show=padded_token,
        ),
        Mistake(
            "no probabilities",
            steps.variant(steps.right, asked=False),
            "the probabilities were asked for, and are {yours}: hand return_probabilities on to attention",
            show=lambda parts: parts["probabilities, asked for"],
        ),
        Mistake(
            "no dropout",
            steps.variant(steps.without_dropout),
            "with a dropout that drops everything, the first token becomes {yours}, expected {expected}: what the blocks add passes "
            "through dropout, so only the token itself is left",
            show=dropped_token,
        ),
        Mistake(
            "the sum dropped",
            steps.variant(steps.sum_dropped),
            "with a dropout that drops everything, the first token becomes {yours}, expected {expected}: dropout belongs on what a "
            "block adds, not on the sum",
            show=dropped_token,
        ),
    ),
    asks={
        "two texts": "without dropout or padding: what does each block read, to what is its part added, and what is given back beside the vectors",
        "with everything dropped": "what the blocks add is dropped, so each token is left as it came in",
    },
    notice="from the first layer to the last there is a way on which nothing is ever normalized: that way the gradient comes back whole",
    difficulty=2,
    minutes=8,
    variants=(steps.variant(steps.right),),
)
