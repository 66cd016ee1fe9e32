"""The committed checkpoint and logs: they belong together and reach what the course claims."""

import csv
import os
from pathlib import Path

import pytest
import torch

from helpers import checkpoints, stories
from helpers.pretraining import IGNORE, mean_losses
from helpers.story_pairs import perfect_losses, story_documents
from scripts.pretrain_stories import log_frequencies, measured_batches

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "data" / "checkpoints"


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def last_steps():
    """{seed: the last line of its story run}"""
    rows = table(FOLDER / "stories.csv")
    assert all(row["variant"] == "recipe" for row in rows)
    return {int(row["seed"]): row for row in rows}


def test_the_story_checkpoint_is_that_of_the_log(last_steps):
    model, tokenizer = checkpoints.load("stories")
    batches = measured_batches(story_documents(stories.split("validation"), tokenizer), tokenizer)
    losses, stored = mean_losses(model, batches), last_steps[0]
    for name, value in losses._asdict().items():
        assert value == pytest.approx(float(stored[name]), abs=1e-3)
    perfect = perfect_losses(batches[:4], tokenizer)
    some = mean_losses(model, batches[:4])
    assert perfect.token_loss < some.token_loss and perfect.next_loss < some.next_loss


def test_the_story_checkpoint_holds_on_stories_that_no_choice_was_made_on():
    """The recipe was chosen on the validation stories; these were drawn afterwards."""
    model, tokenizer = checkpoints.load("stories")
    batches = measured_batches(story_documents(stories.stories(400, seed=6), tokenizer), tokenizer)
    asked = torch.cat([batch["labels"][batch["labels"] != IGNORE] for batch in batches])
    documents = story_documents(stories.stories(5_000, 1), tokenizer)
    unigram = -log_frequencies(documents, len(tokenizer.vocabulary))[asked].mean().item()
    losses, perfect = mean_losses(model, batches), perfect_losses(batches, tokenizer)
    assert (unigram - losses.token_loss) / (unigram - perfect.token_loss) >= 0.92
    assert losses.next_accuracy >= 0.88  # 1,150 pairs: 0.90 less two standard errors


def test_the_checkpoint_is_small():
    assert sum(os.path.getsize(file) for file in (FOLDER / "stories").iterdir()) < 2.5e6
