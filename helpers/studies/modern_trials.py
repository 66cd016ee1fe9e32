"""Does a modern encoder pay at our size? The recipes that are compared, and what a step of each costs.

Support code. The shape and numbers are those of notebook 6's live run. Every recipe gets as many steps as fit
into the same CPU seconds; what a step takes is measured first, all recipes in turn, so that a busy minute
hits all alike. `scripts/modern_trials.py` is the loop; `trials` trains.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

import torch

from helpers.encoder import Bert, BertConfig
from helpers.modern import ModernBert, ModernConfig
from helpers.studies.trials import RECIPES, Hiding, Recipe, make_model, make_optimizer, update
from helpers.training.changes import CHANGES

__all__ = [
    "BASELINE", "COLUMNS", "COSTS", "ROW_LENGTHS", "MODERN", "WAYS", "length_seconds", "make_encoder",
    "median_and_least", "learned_weights", "step_seconds",
]  # fmt: skip

PLAIN = replace(RECIPES["live"], steps=1)
BASELINE = "BERT"
MODERN: dict[str, Recipe] = {
    BASELINE: PLAIN,
    **{name: replace(PLAIN, changes=(name,)) for name in CHANGES},
    "all": replace(PLAIN, changes=CHANGES),
    "BERT, twice the rate": replace(PLAIN, learning_rate=2 * PLAIN.learning_rate),
    "all, twice the rate": replace(PLAIN, changes=CHANGES, learning_rate=2 * PLAIN.learning_rate),
    "BERT, half the rate": replace(PLAIN, learning_rate=PLAIN.learning_rate / 2),
    "all, half the rate": replace(PLAIN, changes=CHANGES, learning_rate=PLAIN.learning_rate / 2),
}
COLUMNS = (
    "corpus", "recipe", "settings", "seed", "steps", "step_ms", "weights", "ended", "updates", "tokens",
    "cpu_seconds", "stories_loss", "stories_accuracy", "stories_share", "stories_gain", "curve", "command",
)  # fmt: skip
COSTS = ("what", "length", "milliseconds", "least", "rounds")  # of a step; a length of 0: the stories

ROW_LENGTHS = (64, 128, 256, 512, 1024, 2048)
WAYS = ("BERT", "global", "masked", "local")
BATCH_TOKENS = 2048  # in every batch of those lengths
SMALL_SHAPE = {"vocab_size": 500, "hidden_size": 64, "num_layers": 3, "num_heads": 2}
LOCAL_WINDOW = 64


def step_seconds(
    recipes: dict[str, Recipe], corpus, rounds: int, steps: int = 20, say: Callable[[str], None] = print
) -> dict[str, list[float]]:
    """CPU seconds of a training step of each recipe, one a round; all in turn, with the same batches."""
    batches = list(islice(corpus.batches(PLAIN.rows, 0, Hiding(PLAIN.mask_rate)), steps))
    made = {}
    for name, recipe in recipes.items():
        model = make_model(recipe, corpus, 0).train()
        made[name] = model, make_optimizer(recipe, model), recipe.precision
    found = {name: [] for name in recipes}
    for number in range(rounds + 1):
        for name, (model, optimizer, precision) in made.items():
            begun = time.process_time()
            for batch in batches:
                update(model, [batch], optimizer, precision)
            if number:  # the first round warms up
                found[name].append((time.process_time() - begun) / steps)
        say(f"round {number} of {rounds}")
    return found


def make_encoder(way: str, length: int) -> torch.nn.Module:
    """An encoder of three layers: BERT's, or a modern one whose layers are global or local."""
    if way == "BERT":
        return Bert(BertConfig(**SMALL_SHAPE, intermediate_size=256, max_positions=length, dropout=0.0))
    config = ModernConfig(**SMALL_SHAPE, intermediate_size=171, pad_token_id=0, window=LOCAL_WINDOW,
                          global_every=1 if way == "global" else 3)  # fmt: skip
    model = ModernBert(config)
    if way == "masked":
        for layer in model.layers:
            layer.attention.in_blocks = False
    return model


def length_seconds(
    ways: Sequence[str], length: int, rounds: int, tokens: int = BATCH_TOKENS
) -> dict[str, list[float]]:
    """CPU seconds of forward and backward for so many tokens in rows of a length, by each of WAYS.

    "BERT" as it was; "global": a modern encoder whose three layers see all; "masked": the second and third
    see a window, by a mask on full attention; "local": the same in blocks, without computing the rest.
    """
    torch.manual_seed(0)
    ids = torch.randint(1, SMALL_SHAPE["vocab_size"], (max(1, tokens // length), length))
    models = {way: make_encoder(way, length) for way in ways}
    found = {way: [] for way in ways}
    for number in range(rounds + 1):
        for way, model in models.items():
            begun = time.process_time()
            model(ids).last_hidden_state.square().mean().backward()
            if number:
                found[way].append(time.process_time() - begun)
            model.zero_grad()
    return found


def learned_weights(recipe: Recipe, corpus) -> int:
    """The weights that a recipe's model learns, with its token head."""
    return sum(
        weight.numel() for weight in make_model(recipe, corpus, 0).parameters() if weight.requires_grad
    )


def median_and_least(values: list[float]) -> tuple[float, float]:
    """Of the rounds, in milliseconds."""
    return 1000 * statistics.median(values), 1000 * min(values)
