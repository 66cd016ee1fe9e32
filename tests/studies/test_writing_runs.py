"""Models that write stories: rows, batches, a training that can be interrupted, and what is written."""

import itertools
import math

import pytest
import torch

from helpers import stories
from helpers.pretraining import IGNORE
from helpers.studies import writing_runs
from helpers.studies.errors import RowError
from helpers.studies.writing_runs import (
    WRITER,
    StoryRows,
    from_two_words,
    make_writer,
    sample,
    train_writer,
    upper_bound,
)

TINY = WRITER | {"hidden_size": 16, "num_layers": 1, "batch_size": 8, "steps": 6}
pytestmark = pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="Muon came with PyTorch 2.9")


@pytest.fixture(scope="module")
def rows():
    return StoryRows(stories.stories(50, 5), stories.stories(10, 6))


@pytest.fixture(scope="module")
def model(rows):
    return make_writer(rows, TINY, 0)


def test_a_row_is_a_whole_story(rows):
    assert rows.training == [rows.tokenizer.encode(story.text).ids for story in stories.stories(50, 5)]
    assert set(rows.lengths(30, 0)) <= {len(row) - 2 for row in rows.training}
    assert rows.lengths(30, 0) == rows.lengths(30, 0) != rows.lengths(30, 1)


def test_batches_go_over_every_story_and_on_from_any_step(rows):
    every = list(itertools.islice(rows.batches(8, 3, 0), 14))  # two epochs of seven
    for epoch in (every[:7], every[7:]):
        seen = [
            tuple(row[visible == 1].tolist())
            for ids, mask in epoch
            for row, visible in zip(ids, mask, strict=True)
        ]
        assert sorted(seen) == sorted(map(tuple, rows.training))
    assert [ids.tolist() for ids, _ in every[:7]] != [ids.tolist() for ids, _ in every[7:]]
    for (ids, _), (later, _) in zip(every[9:], itertools.islice(rows.batches(8, 3, 9), 5), strict=True):
        assert torch.equal(ids, later)


def test_an_interrupted_training_ends_with_the_same_weights(rows, tmp_path, monkeypatch):
    whole, _ = train_writer(rows, TINY, 1, tmp_path / "whole", 2, lambda text: None)
    said = []

    def stop(text):
        said.append(text)
        if len(said) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_writer(rows, TINY, 1, tmp_path / "cut", 2, stop)
    again = []
    model, _ = train_writer(rows, TINY, 1, tmp_path / "cut", 2, again.append)
    assert len(again) == 1 and again[0].startswith("seed 1, step 6, ")
    for name, weight in whole.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], weight, rtol=0, atol=1e-6)
    finished, _ = train_writer(rows, TINY, 1, tmp_path / "cut", 2, again.append)
    assert len(again) == 1 and torch.equal(finished.transform.weight, model.transform.weight)


def test_a_loss_that_is_not_finite_is_said(rows, tmp_path, monkeypatch):
    loss = writing_runs._loss
    monkeypatch.setattr(writing_runs, "_loss", lambda *given: loss(*given) * float("nan"))
    with pytest.raises(RowError, match="step 1: the loss is nan"):
        train_writer(rows, TINY, 0, tmp_path, 2, lambda text: None)


def test_a_state_of_another_model_is_said(rows, tmp_path):
    train_writer(rows, TINY | {"steps": 1}, 0, tmp_path, 1, lambda text: None)
    with pytest.raises(RowError, match="is the state of another model"):
        train_writer(rows, TINY | {"hidden_size": 24}, 0, tmp_path, 1, lambda text: None)


def test_mask_rates_rise(rows):
    assert writing_runs._most(WRITER, 0) == WRITER["first_rates"]
    rising = WRITER["all_rates_at"] * WRITER["steps"]
    assert writing_runs._most(WRITER, rising / 2) == (1 + WRITER["first_rates"]) / 2
    assert writing_runs._most(WRITER, rising) == writing_runs._most(WRITER, WRITER["steps"]) == 1


def test_the_bound_of_a_model_that_knows_frequencies_alone(rows, model, monkeypatch):
    """Its loss does not depend on what is hidden: the bound is the cross-entropy of the frequencies."""
    frequencies = rows.frequencies()

    def by_frequency(model, ids, positions, types, mask):
        return frequencies.expand(int(positions.sum()), -1)

    monkeypatch.setattr(writing_runs, "masked_token_logits", by_frequency)
    tokens = torch.tensor([token for row in rows.held_out for token in row[1:-1]])
    exact = -frequencies[tokens].mean().item()
    assert abs(upper_bound(model, rows, repeats=40) / exact - 1) < 0.05


def test_written_stories_keep_their_places(rows, model):
    lengths = [9, 3, 7, 3]
    texts = sample(model, rows.tokenizer, lengths, 1000, "random", 1.0, 0)
    assert [len(text) for text in texts] == lengths
    assert texts == sample(model, rows.tokenizer, lengths, 1000, "random", 1.0, 0)
    assert texts != sample(model, rows.tokenizer, lengths, 1000, "random", 1.0, 1)


def test_a_table_of_two_words_writes_what_it_has_seen(rows):
    seen = {
        tuple(row[place : place + 3]) for row in rows.training for place in range(len(row) - 2)
    }  # fmt: skip
    for text in from_two_words(rows, 5, 0):
        row = [rows.tokenizer.id_of[word] for word in ("[CLS]", *text)]
        assert all(tuple(row[place : place + 3]) in seen for place in range(len(row) - 2))
    assert max(map(len, from_two_words(rows, 5, 0, most=4))) <= 4


def test_the_loss_asks_at_hidden_places_alone(rows, model):
    ids, mask = rows.padded(rows.training[:4])
    loss = writing_runs._loss(model, rows.tokenizer, ids, mask, torch.Generator().manual_seed(0))
    assert math.isfinite(loss.item()) and 0 < loss.item() < 30 and IGNORE < 0
