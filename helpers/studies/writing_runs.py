"""Models that write stories: how one is trained, a run that can be resumed, and what it writes.

Support code. `scripts/write_stories.py` is the loop over seeds and ways to write; the scores are in
`helpers/stories/written.py`.
"""

import random
import time
from argparse import Namespace
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from helpers import stories
from helpers.encoder import Bert, BertConfig, evaluating
from helpers.pretraining import IGNORE, BertForPreTraining
from helpers.studies.errors import RowError
from helpers.studies.story_runs import make_tokenizer
from helpers.training import optimizer as long_run
from helpers.training.shortcuts import masked_token_logits
from helpers.training.starts import log_frequencies, start_with_neighbors
from helpers.training.state import StateError, load_latest, save_state
from helpers.wordpiece import WordPieceTokenizer
from helpers.writing import diffusion_loss, hide_at_rates, spread_rates, write

__all__ = [
    "ALL",
    "WRITER",
    "StoryRows",
    "from_two_words",
    "make_writer",
    "sample",
    "train_writer",
    "upper_bound",
]

# Everything that decides a training, except its seed. Shares are shares of the steps.
WRITER = {
    "hidden_size": 64,
    "num_layers": 3,
    "num_heads": 4,
    "batch_size": 16,
    "steps": 12_000,
    "learning_rate": 2e-3,
    "muon_rate": 8e-3,  # of the matrices of the layers
    "warm_up": 0.03,
    "decay": 0.6,
    "first_rates": 0.25,  # mask rates go up to this at first,
    "all_rates_at": 0.4,  # and up to 1 after this share of the steps
}
POSITIONS = 128  # more than the longest story has
ALL = 1000  # steps: more than a story has tokens, so one token at a time


class StoryRows:
    """Every story as one row, [CLS] story [SEP]: rows to train on, to measure on, and their tokenizer."""

    def __init__(
        self, training: Sequence[stories.Story], held_out: Sequence[stories.Story], vocab_size: int = 2000
    ):
        self.tokenizer = make_tokenizer(training, vocab_size)
        known: dict[str, list[int]] = {}

        def row(story: stories.Story) -> list[int]:
            for sentence in story.sentences:
                if sentence not in known:
                    known[sentence] = self.tokenizer.encode(sentence).ids
            inside = [token for sentence in story.sentences for token in known[sentence][1:-1]]
            return [self.tokenizer.id_of["[CLS]"], *inside, self.tokenizer.id_of["[SEP]"]]

        self.training, self.held_out = ([row(story) for story in part] for part in (training, held_out))

    def frequencies(self) -> torch.Tensor:
        """Logarithms of the entries' shares (V,)."""
        ids = torch.tensor([token for row in self.training for token in row[1:-1]])
        return log_frequencies(torch.bincount(ids, minlength=len(self.tokenizer.vocabulary)))

    def lengths(self, count: int, seed: int) -> list[int]:
        """Lengths of so many stories in tokens, drawn from those of the training stories."""
        dice = random.Random(seed)
        return [len(dice.choice(self.training)) - 2 for _ in range(count)]

    def padded(self, rows: Sequence[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """ids and attention_mask (B, T)."""
        longest, pad = max(map(len, rows)), self.tokenizer.id_of["[PAD]"]
        ids = torch.tensor([row + [pad] * (longest - len(row)) for row in rows])
        return ids, (ids != pad).long()

    def batches(self, size: int, seed: int, step: int):
        """Batches without end from this step on, stories of about one length together, new every epoch."""
        dice, each = random.Random(), -(-len(self.training) // size)
        while True:
            epoch, place = divmod(step, each)
            dice.seed(f"{seed} {epoch}")
            order = sorted(dice.sample(range(len(self.training)), len(self.training)),
                           key=lambda row: len(self.training[row]))  # fmt: skip
            starts = dice.sample(range(0, len(order), size), each)
            for start in starts[place:]:
                yield self.padded([self.training[row] for row in order[start : start + size]])
            step = (epoch + 1) * each


def make_writer(rows: StoryRows, settings: dict, seed: int) -> BertForPreTraining:
    """The model as a training begins: two heads at the neighbors, two wide, the scores at the frequencies."""
    torch.manual_seed(seed)
    size = settings["hidden_size"]
    bert = Bert(BertConfig(
        len(rows.tokenizer.vocabulary), size, settings["num_layers"], settings["num_heads"], 4 * size,
        POSITIONS, dropout=0.0, init_std=None, pad_token_id=rows.tokenizer.id_of["[PAD]"],
    ))  # fmt: skip
    start_with_neighbors(bert, (-1, 1), later=1.0, wide=(2, 3))
    model = BertForPreTraining(bert)
    with torch.no_grad():
        model.token_bias.copy_(rows.frequencies())
    for part in (model.next_sentence, bert.pooler):
        part.requires_grad_(False)
    return model


def _optimizer(model: nn.Module, settings: dict) -> torch.optim.Optimizer:
    if "muon" not in long_run.OPTIMIZERS:
        raise RowError("this training needs Muon, which PyTorch has from 2.9 on: take a newer PyTorch")
    optimizer = long_run.make_optimizer(
        Namespace(learning_rate=settings["learning_rate"], embedding_rate=1.0, head_learning_rate=None,
                  weight_decay=0.01, optimizer="muon"), model
    )  # fmt: skip
    optimizer.param_groups[-1]["peak"] = settings["muon_rate"]  # Muon's is the last group
    return optimizer


def train_writer(
    rows: StoryRows,
    settings: dict,
    seed: int,
    folder: str | Path,
    every: int,
    say: Callable[[str], None] = print,
) -> tuple[BertForPreTraining, float]:
    """A trained model and its CPU seconds; goes on from the latest state in the folder.

    A state is written every so many steps and at the end. Raises RowError where the loss is not finite, or a
    state can't be written or read.
    """
    model = make_writer(rows, settings, seed)
    optimizer = _optimizer(model, settings)
    steps = settings["steps"]
    rates = Namespace(warm_up_steps=settings["warm_up"] * steps, decay=settings["decay"], steps=steps)
    try:
        state = load_latest(folder, model, optimizer, say)
        step, spent, since, total = state.get("step", 0), state.get("seconds", 0.0), 0, 0.0
        model.train()
        for ids, mask in rows.batches(settings["batch_size"], seed, step):
            if step >= steps:
                break
            begun, step = time.process_time(), step + 1
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * long_run.learning_rate_share(step, rates)
            dice = torch.Generator().manual_seed(seed * 1_000_003 + step)
            loss = _loss(model, rows.tokenizer, ids, mask, dice, _most(settings, step))
            loss.backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            if not torch.isfinite(norm):
                raise RowError(f"step {step}: the loss is {loss.item()}; lower the learning rate")
            optimizer.step()
            optimizer.zero_grad()
            spent, since, total = spent + time.process_time() - begun, since + 1, total + loss.item()
            if step % every == 0 or step == steps:
                save_state(folder, step, model, optimizer, {"seconds": spent}, keep=1)
                say(f"seed {seed}, step {step}, {spent:.0f} s, training loss {total / since:.3f}")
                since, total = 0, 0.0
    except StateError as error:
        raise RowError(str(error)) from error
    return model, spent


def _most(settings: dict, step: int) -> float:
    """The highest mask rate in a step."""
    first, rising = settings["first_rates"], settings["all_rates_at"] * settings["steps"]
    return min(1.0, first + (1 - first) * step / rising) if rising else 1.0


def _loss(model, tokenizer, ids, mask, generator, most=1.0) -> torch.Tensor:
    rates = spread_rates(len(ids), generator, most)
    corrupted, labels = hide_at_rates(ids, rates, tokenizer, generator)
    logits = masked_token_logits(model, corrupted, labels != IGNORE, None, mask)
    return diffusion_loss(logits, labels, rates, int(mask.sum()) - 2 * len(ids))


@torch.no_grad()
def upper_bound(model: BertForPreTraining, rows: StoryRows, seed: int = 0, repeats: int = 4) -> float:
    """The bound on -log p of the held-out stories, given their lengths: nats per token."""
    total = tokens = 0
    held_out, dice = sorted(rows.held_out, key=len), torch.Generator().manual_seed(seed)
    with evaluating(model):
        for start in range(0, len(held_out), 64):
            ids, mask = rows.padded(held_out[start : start + 64])
            count = int(mask.sum()) - 2 * len(ids)
            for _ in range(repeats):
                total += _loss(model, rows.tokenizer, ids, mask, dice).item() * count
                tokens += count
    return total / tokens


def sample(
    model: BertForPreTraining, tokenizer: WordPieceTokenizer, lengths: Sequence[int], steps: int, order: str,
    temperature: float, seed: int,
) -> list[list[str]]:  # fmt: skip
    """Stories of these lengths as words, in that order; written 50 at a time, alike in length."""
    places, dice = sorted(range(len(lengths)), key=lengths.__getitem__), torch.Generator().manual_seed(seed)
    found: list[list[str]] = [[] for _ in lengths]
    for start in range(0, len(places), 50):
        some = places[start : start + 50]
        written = write(model, tokenizer, [lengths[place] for place in some], min(steps, max(lengths)), order,
                        temperature, dice)  # fmt: skip
        for place, ids in zip(some, written, strict=True):
            found[place] = [tokenizer.vocabulary[token] for token in ids]
    return found


def from_two_words(rows: StoryRows, count: int, seed: int, most: int = 300) -> list[list[str]]:
    """Stories by a table: each token is one that followed the two before it in the training stories.

    From left to right, until the end is drawn, or `most` tokens.
    """
    after: dict[tuple[int, int], Counter] = defaultdict(Counter)
    for row in rows.training:
        for first, second, third in zip([-1, *row], row, row[1:], strict=False):
            after[first, second][third] += 1
    dice, begin, end = random.Random(seed), rows.tokenizer.id_of["[CLS]"], rows.tokenizer.id_of["[SEP]"]
    found = []
    for _ in range(count):
        row = [-1, begin]
        while row[-1] != end and len(row) < most + 2:
            choices = after[row[-2], row[-1]]
            row += dice.choices(list(choices), list(choices.values()))
        found.append([rows.tokenizer.vocabulary[token] for token in row[2:] if token != end])
    return found
