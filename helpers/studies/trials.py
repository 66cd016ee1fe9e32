"""Pretraining trials: a recipe in, a corpus and a seed, and what came of it out.

Support code. Only the masked-language loss, at masked positions; `scripts/trials.py` is the loop over recipes
and seeds, `trial_corpora` what is read, `trial_tables` where the results stand.
"""

import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from itertools import islice

import torch
from torch import nn
from torch.nn import functional

from helpers.encoder import BertConfig
from helpers.pretraining import IGNORE, BertForPreTraining, mask_tokens
from helpers.training import optimizer as long_run
from helpers.training.changes import CHANGES, ChangedBert
from helpers.training.starts import NEIGHBORS, start_with_neighbors
from helpers.training.variants import (
    BIASES,
    NORMS,
    VariantBert,
    masked_variant_logits,
    share_left,
    shrink_by_layer,
)

__all__ = ["RECIPES", "Hiding", "Recipe", "differences", "make_model", "make_optimizer", "run", "update"]

CHOICES = {
    "norm": NORMS,
    "bias": BIASES,
    "start": ("plain", "neighbors"),
    "optimizer": long_run.OPTIMIZERS,
    "precision": ("fp32", "bf16"),
    "initial_std": (None, 0.02, "by layer"),
}
POSITIVE = ("layers", "hidden", "heads", "length", "rows", "last_rows", "steps")  # whole numbers


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a trial, except its corpus and seed; ValueError for what makes no sense.

    `steps` are batches of `rows` rows that are read. Where batches grow, an update takes several of them, so
    that recipes with the same steps read the same number of tokens. Shares are shares of the steps.
    """

    layers: int = 4
    hidden: int = 192  # H; feed-forward blocks are 4 H wide
    heads: int = 6
    length: int = 64  # tokens in a row; the stories have their own
    rows: int = 16  # in an update at first
    last_rows: int = 16  # in the last update; between, it grows in steps of `rows`
    steps: int = 3000
    learning_rate: float = 1e-3
    warm_up: float = 0.06  # first share, in which the rate rises
    decay: float = 0.5  # last share, in which it falls to zero
    dropout: float = 0.0
    norm: str = "post"
    anneal: float = 0.0  # the share at which a bias of attention has faded to zero; 0: there is none
    bias: str = "distance"  # for the near, or "offsets": each head for one place
    start: str = "plain"  # or "neighbors": heads that look at them (helpers/training/starts.py)
    initial_std: float | str | None = None  # None: 1 / sqrt(inputs); "by layer": so, and shrunk by depth
    mask_rate: float = 0.3  # at first; every hidden token becomes [MASK]
    last_mask_rate: float = 0.3
    embedding_rate: float = 1.0  # the embeddings learn so many times as fast
    optimizer: str = "adamw"  # or "muon" for the matrices of the layers, AdamW for all else
    precision: str = "bf16"  # autocast, or "fp32"
    weight_decay: float = 0.01
    beta2: float = 0.98
    changes: tuple[str, ...] = ()  # of those that made the encoder a modern one (helpers/training/changes.py)
    window: int = 16  # of its local layers

    def __post_init__(self):
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {allowed}, not {getattr(self, name)!r}")
        for name in POSITIVE:
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number from 1 on, not {value!r}")
        limits = {
            "learning_rate": (0, 1), "embedding_rate": (0, 1000), "beta2": (0, 1), "mask_rate": (0, 1),
            "last_mask_rate": (0, 1), "warm_up": (-1, 1), "dropout": (-1, 1), "anneal": (-1, 1),
            "decay": (-1, 1), "weight_decay": (-1, 1),
        }  # fmt: skip
        for name, (above, most) in limits.items():
            if not max(above, -1e-9) < getattr(self, name) <= most:
                least = "above 0" if above == 0 else "at least 0"
                raise ValueError(f"{name} must be {least} and at most {most}, not {getattr(self, name)}")
        if self.warm_up + self.decay > 1:
            raise ValueError("warm_up and decay are shares of one run: together at most 1")
        if self.dropout == 1 or self.beta2 == 1:
            raise ValueError("dropout and beta2 must be below 1")
        if self.hidden % self.heads:
            raise ValueError(f"hidden {self.hidden} can't be shared out evenly among {self.heads} heads")
        if self.start == "neighbors" and self.hidden // self.heads % 2:
            raise ValueError("the start at the neighbors needs heads of an even width")
        if unknown := set(self.changes) - set(CHANGES):
            raise ValueError(f"changes must be of {CHANGES}, not {min(unknown)!r}")
        if self.changes and (self.norm, self.anneal, self.start) != ("post", 0.0, "plain"):
            raise ValueError("changes go with norm 'post', anneal 0 and start 'plain': they bring their own")
        if self.changes and (self.window < 2 or "rotary" in self.changes and self.hidden // self.heads % 2):
            raise ValueError("changes need a window of at least 2, and rotary ones heads of an even width")
        if self.last_rows % self.rows:
            raise ValueError(f"last_rows must be a multiple of rows, {self.rows}, not {self.last_rows}")

    def at(self, progress: float) -> tuple[int, float, float]:
        """After this share of the steps: batches in an update, mask rate, share of the bias."""
        parts = round(1 + progress * (self.last_rows // self.rows - 1))
        rate = self.mask_rate + progress * (self.last_mask_rate - self.mask_rate)
        return parts, rate, share_left(progress, self.anneal)


PLAIN, PRE = Recipe(), Recipe(norm="pre", anneal=0.5)
RECIPES = {
    "plain": PLAIN,
    "plain, rate 5e-4": replace(PLAIN, learning_rate=5e-4),
    "neighbors": replace(PLAIN, start="neighbors", learning_rate=5e-4),
    "pre-norm": replace(PRE, anneal=0.0),
    "pre-norm, fading bias": PRE,
    "pre-norm, bias fades in a fifth": replace(PRE, anneal=0.2),
    "pre-norm, bias fades late": replace(PRE, anneal=0.8),
    "pre-norm, fading bias, rate 5e-4": replace(PRE, learning_rate=5e-4),
    "pre-norm, fading bias, rate 2e-3": replace(PRE, learning_rate=2e-3),
    "pre-norm, fading bias, batches grow": replace(PRE, last_rows=64),
    "pre-norm, fading bias, masks fall": replace(PRE, mask_rate=0.4, last_mask_rate=0.15),
    "pre-norm, fading bias, by layer": replace(PRE, initial_std="by layer"),
    "pre-norm, fading bias, 0.02": replace(PRE, initial_std=0.02),
    "pre-norm, neighbors": replace(PRE, anneal=0.0, start="neighbors"),
    "pre-norm, bias and neighbors": replace(PRE, start="neighbors"),
    "pre-norm, fading bias, fast embeddings": replace(PRE, embedding_rate=4.0),
    "pre-norm, fading offsets": replace(PRE, bias="offsets"),
    "post-norm, fading bias": replace(PLAIN, anneal=0.5, learning_rate=5e-4, warm_up=0.2),
    "post-norm, fading offsets": replace(PLAIN, anneal=0.5, learning_rate=5e-4, bias="offsets"),
    "post-norm, fading offsets, by layer": replace(
        PLAIN, anneal=0.5, learning_rate=5e-4, bias="offsets", initial_std="by layer"
    ),
    "plain, rate 1e-4": replace(PLAIN, learning_rate=1e-4),
    "plain, large batches": replace(PLAIN, rows=128, last_rows=128),
    # The shape and numbers of notebook 6's live run (helpers/studies/story_runs.py)
    "live": replace(
        PLAIN, layers=2, hidden=64, heads=2, steps=10_000, learning_rate=2e-3, embedding_rate=5.0,
        warm_up=0.02, decay=0.98, precision="fp32",
    ),
}  # fmt: skip
if "muon" in CHOICES["optimizer"]:  # of newer PyTorch
    RECIPES["pre-norm, fading bias, muon"] = replace(PRE, optimizer="muon")
    RECIPES["post-norm, fading bias, muon"] = replace(PLAIN, anneal=0.5, warm_up=0.2, optimizer="muon")
    RECIPES["plain, muon"] = replace(PLAIN, optimizer="muon")
    RECIPES["neighbors, muon"] = replace(RECIPES["neighbors"], optimizer="muon")
    RECIPES["post-norm, fading offsets, muon"] = replace(
        RECIPES["post-norm, fading offsets, by layer"], optimizer="muon"
    )


def differences(recipe: Recipe) -> str:
    """The settings that are not `Recipe`'s own, as text; steps have a column of their own."""
    usual, found = asdict(Recipe()), asdict(recipe)
    changed = [name for name in found if found[name] != usual[name] and name != "steps"]
    return ", ".join(f"{name} {found[name]}" for name in changed)


class Hiding:
    """A mask for batches whose rate may change: called as `mask_tokens`, all behind [MASK]."""

    def __init__(self, rate: float):
        self.rate = rate

    def __call__(self, ids: torch.Tensor, tokenizer, generator=None):
        return mask_tokens(ids, tokenizer, self.rate, generator, (1.0, 0.0, 0.0))


def make_model(recipe: Recipe, corpus, seed: int) -> BertForPreTraining:
    """The model as a trial begins; its token head starts at the frequencies of the corpus."""
    torch.manual_seed(seed)
    std = None if recipe.initial_std == "by layer" else recipe.initial_std
    config = BertConfig(
        len(corpus.tokenizer.vocabulary), recipe.hidden, recipe.layers, recipe.heads, 4 * recipe.hidden,
        corpus.positions, dropout=recipe.dropout, init_std=std, pad_token_id=corpus.tokenizer.id_of["[PAD]"],
    )  # fmt: skip
    if recipe.changes:
        bert = ChangedBert(config, recipe.changes, recipe.window)
    else:
        bert = VariantBert(config, recipe.norm, recipe.bias)
    if recipe.start == "neighbors":
        start_with_neighbors(bert, NEIGHBORS[: recipe.heads])
    if recipe.initial_std == "by layer":
        shrink_by_layer(bert)
    model = BertForPreTraining(bert)
    with torch.no_grad():
        model.token_bias.copy_(corpus.frequencies)
    for part in (model.next_sentence, bert.pooler):
        part.requires_grad_(False)
    return model


def make_optimizer(recipe: Recipe, model: BertForPreTraining) -> torch.optim.Optimizer:
    """That of the long run (`helpers.training.optimizer`), with the numbers of the recipe."""
    settings = Namespace(
        learning_rate=recipe.learning_rate, embedding_rate=recipe.embedding_rate, head_learning_rate=None,
        weight_decay=recipe.weight_decay, optimizer=recipe.optimizer,
    )  # fmt: skip
    return long_run.make_optimizer(settings, model, recipe.beta2)


def update(model: BertForPreTraining, parts: list[dict], optimizer, precision: str) -> bool:
    """One update from the mean loss over all hidden tokens of the parts; False if a number is not finite."""
    asked = sum((part["labels"] != IGNORE).sum().item() for part in parts)
    for part in parts:
        positions = part["labels"] != IGNORE
        with torch.autocast("cpu", torch.bfloat16) if precision == "bf16" else nullcontext():
            logits = masked_variant_logits(
                model, part["ids"], positions, part.get("type_ids"), part.get("attention_mask")
            )
        hidden = part["labels"][positions]
        (functional.cross_entropy(logits.float(), hidden, reduction="sum") / asked).backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    finite = bool(torch.isfinite(norm))
    if finite:
        optimizer.step()
    optimizer.zero_grad()
    return finite


def run(recipe: Recipe, corpus, seed: int, every: int, say: Callable[[str], None] = print) -> dict:
    """Train from random weights: results by name, of the corpus's parts and of the work.

    `curve` has the loss of the first part, on few rows, every so many steps. A run whose loss is not finite
    any more ends there: `ended` is below `steps` then. CPU seconds are those of this process, without
    measuring.
    """
    model, hide = make_model(recipe, corpus, seed), Hiding(recipe.mask_rate)
    optimizer, batches = make_optimizer(recipe, model), corpus.batches(recipe.rows, seed, hide)
    rates = Namespace(warm_up_steps=recipe.warm_up * recipe.steps, decay=recipe.decay, steps=recipe.steps)
    read = updates = tokens = 0
    spent, curve = 0.0, []
    model.train()
    while read < recipe.steps:
        begun = time.process_time()
        parts, hide.rate, model.bert.bias_share = recipe.at(read / recipe.steps)
        taken = list(islice(batches, min(parts, recipe.steps - read)))
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * long_run.learning_rate_share(read + 1, rates)
        if not update(model, taken, optimizer, recipe.precision):
            break
        before, read, updates = read, read + len(taken), updates + 1
        tokens += sum(part.get("attention_mask", torch.ones_like(part["ids"])).sum().item() for part in taken)
        spent += time.process_time() - begun
        model.bert.bias_share = recipe.at(read / recipe.steps)[2]
        if read // every > before // every and read < recipe.steps:
            curve.append((read, corpus.measure(model, whole=False)[f"{corpus.parts[0]}_loss"]))
            say(f"step {read}  {spent:.0f} s  loss {curve[-1][1]:.3f}  bias {model.bert.bias_share:.2f}")
    results = {"ended": read, "updates": updates, "tokens": tokens, "cpu_seconds": spent}
    results |= corpus.measure(model, whole=True)
    for part, baseline in corpus.baselines.items():
        results[f"{part}_share"] = baseline.share(results[f"{part}_loss"])
    return results | {"curve": " ".join(f"{step}:{loss:.3f}" for step, loss in curve)}
