"""The committed checkpoint and logs: they belong together and reach what the course claims."""

import csv
import os
from functools import partial
from pathlib import Path

import pytest
import torch

from helpers import checkpoints, stories
from helpers.analysis import baselines
from helpers.pretraining import IGNORE, mask_tokens, mean_losses
from helpers.stories.pairs import perfect_losses, story_documents
from helpers.studies.story_runs import LONG, measured_batches, token_counts
from helpers.training import corpus
from helpers.training.model import measure
from helpers.training.rows import MaskedRows, rows_on_disk
from helpers.training.starts import log_frequencies

ROOT = Path(__file__).resolve().parents[2]
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
    unigram = -log_frequencies(token_counts(documents, len(tokenizer.vocabulary)))[asked].mean().item()
    losses, perfect = mean_losses(model, batches), perfect_losses(batches, tokenizer)
    assert (unigram - losses.token_loss) / (unigram - perfect.token_loss) >= 0.92
    assert losses.next_accuracy >= 0.88  # 1,150 pairs: 0.90 less two standard errors


def test_the_long_story_run_is_its_log_and_knows_who_she_is(last_steps):
    model, tokenizer = checkpoints.load("stories_long")
    documents = story_documents(stories.split("validation"), tokenizer)
    batches = measured_batches(documents, tokenizer)
    losses, stored = mean_losses(model, batches), table(FOLDER / "stories_long.csv")[-1]
    assert int(stored["step"]) == LONG["steps"]
    for name, value in losses._asdict().items():
        assert value == pytest.approx(float(stored[name]), abs=1e-3)
    assert float(stored["gain"]) > max(float(row["gain"]) for row in last_steps.values())
    short, same = checkpoints.load("stories")
    assert same.vocabulary == tokenizer.vocabulary
    pronouns = [same.id_of[word] for word in ("she", "he")]
    assert right_pronouns(model, batches, pronouns) > 0.8 > 0.65 > right_pronouns(short, batches, pronouns)


@torch.no_grad()
def right_pronouns(model, batches, pronouns):
    """Where one of two words is hidden: how often the model prefers the right one of the two."""
    right = []
    for batch in batches:
        positions = torch.isin(batch["labels"], torch.tensor(pronouns))
        logits = model(batch["ids"], batch["type_ids"], batch["attention_mask"], positions).token_logits
        best = torch.tensor(pronouns)[logits[:, pronouns].argmax(dim=-1)]
        right.append(best == batch["labels"][positions])
    assert sum(map(len, right)) > 300
    return torch.cat(right).double().mean()


@pytest.mark.parametrize("name", ["stories", "stories_long", "real_text", "wider_text", "writer"])
def test_checkpoints_are_small(name):
    size = sum(os.path.getsize(file) for file in (FOLDER / name).iterdir())
    assert size < (2.5e6 if name.startswith("stories") else 16e6)


@pytest.fixture(scope="module")
def held_out_rows(tmp_path_factory):
    """The held-out rows by name: both models on real text have one vocabulary and one length."""
    model, tokenizer = checkpoints.load("wider_text")
    folder, documents = tmp_path_factory.mktemp("rows"), corpus.held_out_documents("wider")
    length = model.bert.config.max_positions
    return {name: rows_on_disk(documents[name], tokenizer, length, folder / name) for name in documents}


@pytest.fixture(scope="module")
def real_text(held_out_rows):
    """The model, its tokenizer, and the held-out rows of its text by name."""
    model, tokenizer = checkpoints.load("real_text")
    return model, tokenizer, {name: held_out_rows[name] for name in corpus.held_out_documents()}


@pytest.fixture(scope="module")
def wider_text(held_out_rows):
    model, tokenizer = checkpoints.load("wider_text")
    return model, tokenizer, held_out_rows


@pytest.mark.parametrize("name", ["real_text", "wider_text"])
def test_a_checkpoint_of_real_text_is_that_of_its_log(name, request):
    """The weights are stored in 16 bits: hence the bound."""
    model, tokenizer, rows = request.getfixturevalue(name)
    last = table(FOLDER / f"{name}.csv")[-1]
    for name, shards in rows.items():
        found = measure(model, shards, tokenizer, torch.device("cpu"))
        assert found["loss"] == pytest.approx(float(last[f"{name}_loss"]), abs=2e-3)
        assert found["accuracy"] == pytest.approx(float(last[f"{name}_accuracy"]), abs=2e-3)


def test_the_real_text_checkpoint_beats_the_tables(real_text, tmp_path):
    model, tokenizer, rows = real_text
    length, size = model.bert.config.max_positions, len(tokenizer.vocabulary)
    training = rows_on_disk(corpus.training_documents(), tokenizer, length, tmp_path / "training")
    tables = baselines.count(training, size)
    for name, shards in rows.items():
        batch = masked(shards, tokenizer)
        unigram, bigram = tables.unigram(batch), tables.bigram(batch)
        found = measure(model, shards, tokenizer, torch.device("cpu"))
        assert unigram.loss > bigram.loss and unigram.accuracy < bigram.accuracy, name
        assert found["loss"] < bigram.loss - 0.5 and found["accuracy"] > 1.2 * bigram.accuracy, name


def masked(shards, tokenizer):
    """All rows with 15 % of the tokens behind [MASK], as `measure` hides them."""
    hide = partial(mask_tokens, rate=0.15, shares=(1.0, 0.0, 0.0))
    rows = MaskedRows(shards, tokenizer, seed=0, mask=hide)
    examples = [rows[place] for place in range(len(rows))]
    return {key: torch.stack([example[key] for example in examples]) for key in examples[0]}


def test_the_wider_text_checkpoint_beats_the_tables_of_both_neighbors(wider_text, tmp_path):
    """Of its last stage's text and of the wider one: whichever table is the better on a part."""
    model, tokenizer, rows = wider_text
    length, size = model.bert.config.max_positions, len(tokenizer.vocabulary)
    tables = [
        baselines.count_two_neighbors(
            rows_on_disk(corpus.training_documents(name), tokenizer, length, tmp_path / name), size
        )
        for name in corpus.CORPORA
    ]
    for name, shards in rows.items():
        scores = [table.score(masked(shards, tokenizer)) for table in tables]
        found = measure(model, shards, tokenizer, torch.device("cpu"))
        assert found["loss"] < min(score.loss for score in scores) - 0.2, name
        least = 0.02 if name == "chapters" else 0.05  # the last stage reads no books
        assert found["accuracy"] > max(score.accuracy for score in scores) + least, name


def test_the_log_of_the_wider_text_has_both_stages_and_the_fade():
    lines = table(FOLDER / "wider_text.csv")
    steps = [int(line["step"]) for line in lines]
    assert steps == sorted(steps) and {line["stage"] for line in lines} == {"1", "2"}
    one, two = ([line for line in lines if line["stage"] == stage] for stage in "12")
    assert int(two[0]["step"]) > int(one[-1]["step"])
    measured = {int(line["step"]): float(line["articles_loss"]) for line in one if line["articles_loss"]}
    assert measured[3000] > measured[2500] + 0.1  # the bias is gone
    assert measured[3500] < measured[2500]  # and not missed
    assert float(two[-1]["reviews_loss"]) < float(one[-1]["reviews_loss"]) - 0.2
    assert float(two[-1]["chapters_loss"]) > float(one[-1]["chapters_loss"]) + 0.2  # it forgets the books


def test_without_the_start_at_the_neighbors_the_plateau_is_long():
    """Both logs measure the same hidden tokens, so the losses can be compared at the same step."""
    plain = {row["step"]: row for row in table(FOLDER / "real_text_plain_start.csv") if row["articles_loss"]}
    ours = {row["step"]: row for row in table(FOLDER / "real_text.csv") if row["articles_loss"]}
    shared = [step for step in plain if step in ours and int(step) >= 1000]
    assert len(shared) >= 3
    for step in shared:
        assert float(ours[step]["articles_loss"]) < float(plain[step]["articles_loss"]) - 0.4


def test_the_library_fills_masks_with_the_real_text_checkpoint(real_text):
    import transformers

    model, _, _ = real_text
    theirs = transformers.AutoModelForMaskedLM.from_pretrained(FOLDER / "real_text")
    assert theirs.dtype == torch.float32
    filler = transformers.pipeline("fill-mask", str(FOLDER / "real_text"))
    (best, *_) = filler("it is one of the most [MASK] films of the year .")
    assert 0 < best["score"] < 1 and best["token"] < model.bert.config.vocab_size


def test_what_our_pretraining_is_worth_with_few_labels():
    """On stories, with 200 labels: at least twenty points in the mean of five seeds, and always ahead."""
    found = {}
    for row in table(ROOT / "benchmarks" / "results" / "fine_tuning.csv"):
        if row["task"] == "stories" and row["row"] in ("own", "random"):
            found.setdefault((row["row"], int(row["labels"])), {})[row["seed"]] = float(row["test_accuracy"])
    assert {len(seeds) for seeds in found.values()} == {5}
    gains = [found["own", 200][seed] - found["random", 200][seed] for seed in found["own", 200]]
    assert sum(gains) / len(gains) > 0.2 and min(gains) > 0
    assert max(max(seeds.values()) for seeds in found.values()) < 0.92  # the best possible is 0.9 on average
