"""Pretraining trials: recipes that make sense, a training loop as one writes it by hand, two tiny corpora."""

import itertools
import math
import random
from dataclasses import fields, replace

import pytest
import torch
from torch.nn import functional

from helpers import stories
from helpers.encoder import Bert
from helpers.pretraining import IGNORE, BertForPreTraining, mean_losses
from helpers.studies import trial_tables, trials
from helpers.studies.story_runs import RECIPE, Task, make_tokenizer
from helpers.studies.tables import TableError, csv_line
from helpers.studies.trial_corpora import StoryCorpus, TextCorpus
from helpers.studies.trials import RECIPES, Hiding, Recipe, differences, make_model, make_optimizer, run
from helpers.training import corpus as texts

TINY = Recipe(layers=2, hidden=16, heads=2, length=12, rows=4, last_rows=4, steps=6, precision="fp32")
RESULTS = {"ended", "updates", "tokens", "cpu_seconds", "curve"}


def documents(count, seed):
    """Lines in which a word tells the next one, one pair of words in five."""
    dice = random.Random(seed)
    words = ["red", "blue", "cat", "dog", "sun", "moon", "tea", "milk", "one", "two"]
    for _ in range(count):
        firsts = dice.choices(range(5), k=20)
        yield " ".join(f"{words[2 * i]} {words[2 * i + 1]}" for i in firsts)


@pytest.fixture
def text(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "training_documents", lambda name: documents(40, 0))
    monkeypatch.setattr(
        texts,
        "held_out_documents",
        lambda name: {"articles": list(documents(5, 1)), "reviews": list(documents(4, 2))},
    )
    return TextCorpus(tmp_path, 12, entries=60)


@pytest.fixture(scope="module")
def told():
    found = {name: stories.split(name)[:count] for name, count in (("train", 300), ("validation", 40))}
    known = set(make_tokenizer(found["train"], RECIPE["vocab_size"]).id_of)
    found["validation"] = [s for s in found["validation"] if known.issuperset(stories.to_words(s.text))]
    return StoryCorpus(Task(found, RECIPE["vocab_size"]))


# Recipes


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"norm": "mid"}, "norm must be one of"),
        ({"start": "far"}, "start must be one of"),
        ({"optimizer": "sgd"}, "optimizer must be one of"),
        ({"precision": "fp16"}, "precision must be one of"),
        ({"initial_std": 0.5}, "initial_std must be one of"),
        ({"layers": 0}, "layers must be a whole number from 1 on, not 0"),
        ({"steps": 1.5}, "steps must be a whole number"),
        ({"learning_rate": 0}, "learning_rate must be above 0"),
        ({"learning_rate": math.nan}, "learning_rate must be above 0"),
        ({"mask_rate": 0.0}, "mask_rate must be above 0 and at most 1"),
        ({"last_mask_rate": 1.5}, "last_mask_rate must be above 0 and at most 1, not 1.5"),
        ({"anneal": -0.1}, "anneal must be at least 0"),
        ({"warm_up": 0.6, "decay": 0.6}, "together at most 1"),
        ({"dropout": 1.0}, "dropout and beta2 must be below 1"),
        ({"heads": 5}, "can't be shared out evenly among 5 heads"),
        ({"heads": 64, "start": "neighbors"}, "heads of an even width"),
        ({"changes": ("swish",)}, "changes must be of .*, not 'swish'"),
        ({"changes": ("rotary",), "norm": "pre"}, "they bring their own"),
        ({"changes": ("local",), "window": 1}, "a window of at least 2"),
        ({"last_rows": 40}, "last_rows must be a multiple of rows, 16, not 40"),
    ],
)
def test_recipes_without_sense_are_refused(setting, words):
    with pytest.raises(ValueError, match=words):
        Recipe(**setting)


def test_what_changes_in_a_run_goes_from_its_first_value_to_its_last():
    recipe = Recipe(rows=8, last_rows=32, mask_rate=0.4, last_mask_rate=0.2, anneal=0.5)
    assert recipe.at(0) == (1, 0.4, 1.0)
    assert recipe.at(0.25) == (2, pytest.approx(0.35), 0.5)
    assert recipe.at(1) == (4, pytest.approx(0.2), 0.0)
    assert Recipe().at(0) == (1, 0.3, 0.0)


def test_the_named_recipes_differ_and_the_live_one_is_the_notebook_s():
    assert len(set(RECIPES.values())) == len(RECIPES)
    live = RECIPES["live"]
    theirs = {"hidden": "hidden_size", "layers": "num_layers", "heads": "num_heads", "rows": "batch_size"}
    for field in fields(live):
        name = theirs.get(field.name, field.name)
        if name in RECIPE and name != "init_std":
            assert getattr(live, field.name) == RECIPE[name], field.name
    assert differences(Recipe(steps=7)) == ""
    assert differences(Recipe(norm="pre", anneal=0.1)) == "norm pre, anneal 0.1"


# A run


def by_hand(recipe, corpus, seed):
    """The same training with the taught model, all logits, whole batches and plain AdamW."""
    start = make_model(recipe, corpus, seed)
    model = BertForPreTraining(Bert(start.bert.config))
    model.load_state_dict(start.state_dict())
    weights = [w for name, w in model.named_parameters() if "pooler" not in name and "next" not in name]
    groups = [{"params": [w for w in weights if (w.dim() > 1) == decayed], "weight_decay": 0.01 * decayed}
              for decayed in (True, False)]  # fmt: skip
    optimizer = torch.optim.AdamW(groups, betas=(0.9, recipe.beta2))
    batches = corpus.batches(recipe.last_rows, seed, Hiding(recipe.mask_rate))
    for step in range(recipe.steps * recipe.rows // recipe.last_rows):
        batch = next(batches)
        logits = model(batch["ids"], batch.get("type_ids"), batch.get("attention_mask")).token_logits
        loss = functional.cross_entropy(logits.flatten(0, 1), batch["labels"].flatten(), ignore_index=IGNORE)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        done = step * recipe.last_rows // recipe.rows + 1
        for group in optimizer.param_groups:  # rises for 2 of 6 steps, falls in the last 3
            group["lr"] = recipe.learning_rate * min(1, done / 2, (7 - done) / 3)
        optimizer.step()
    start.load_state_dict(model.state_dict())
    return corpus.measure(start, whole=True)


@pytest.mark.parametrize("which", ["text", "told"])
def test_a_run_is_the_training_that_one_writes_by_hand(which, request):
    corpus = request.getfixturevalue(which)
    recipe = replace(TINY, warm_up=1 / 3, learning_rate=1e-2)
    said = []
    found = run(recipe, corpus, 3, 2, said.append)
    wanted = by_hand(recipe, corpus, 3)
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, abs=1e-5), name
    assert found["ended"] == found["updates"] == 6 and found["cpu_seconds"] > 0
    assert [pair.split(":")[0] for pair in found["curve"].split()] == ["2", "4"]
    assert len(said) == 2 and said[0].startswith("step 2 ")
    for part in corpus.parts:
        unigram, both = corpus.baselines[part]
        assert found[f"{part}_share"] == pytest.approx((unigram - found[f"{part}_loss"]) / (unigram - both))
    assert found.keys() - RESULTS <= set(trial_tables.COLUMNS)


def test_several_batches_of_an_update_are_one_large_batch(text, monkeypatch):
    """From the first update on, three batches at once; the rate is that of the first of them."""
    monkeypatch.setattr(Recipe, "at", lambda recipe, progress: (3, recipe.mask_rate, 0.0))
    recipe = replace(TINY, warm_up=1 / 3, learning_rate=1e-2, last_rows=12)
    found = run(recipe, text, 3, 100, lambda text: None)
    for name, value in by_hand(recipe, text, 3).items():
        assert found[name] == pytest.approx(value, abs=1e-5), name
    assert (found["ended"], found["updates"], found["tokens"]) == (6, 2, 6 * 4 * 12)


def test_the_last_updates_read_no_more_than_there_is(text):
    found = run(replace(TINY, last_rows=16, steps=7), text, 0, 100, lambda text: None)
    assert found["ended"] == 7 and found["updates"] < 7 and found["tokens"] == 7 * 4 * 12


def test_the_same_seed_gives_the_same_run_and_another_one_another(text):
    results = [run(replace(TINY, dropout=0.1), text, seed, 9, lambda text: None) for seed in (0, 0, 1)]
    losses = [result["articles_loss"] for result in results]
    assert losses[0] == losses[1] != losses[2]


def test_a_start_lies_at_the_frequencies_and_training_leaves_it(text):
    unigram = text.baselines["articles"].unigram
    model = make_model(TINY, text, 0)
    with torch.no_grad():
        model.bert.embeddings.token.weight.zero_()  # the bias alone is left
    assert text.measure(model, True)["articles_loss"] == pytest.approx(unigram, abs=1e-5)
    recipe = replace(TINY, steps=300, learning_rate=1e-2, norm="pre", anneal=0.5)
    found = run(recipe, text, 0, 1000, lambda text: None)
    assert found["articles_loss"] < unigram - 0.2 and found["reviews_share"] > 0.05


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_runs(name, text):
    recipe = RECIPES[name]
    small = {"layers": 2, "hidden": 16, "heads": 2, "length": 12, "steps": 5, "rows": 2}
    found = run(replace(recipe, **small, last_rows=recipe.last_rows // 8), text, 0, 3, lambda text: None)
    assert found["ended"] == 5 and math.isfinite(found["reviews_loss"])


def test_a_run_whose_loss_is_not_finite_ends_and_is_measured(text, monkeypatch):
    ordinary, calls = trials.masked_variant_logits, itertools.count()
    monkeypatch.setattr(
        trials, "masked_variant_logits",
        lambda *given: ordinary(*given) * (math.nan if next(calls) == 2 else 1),
    )  # fmt: skip
    found = run(TINY, text, 0, 100, lambda text: None)
    assert found["ended"] == 2 and math.isfinite(found["articles_loss"])


@pytest.mark.parametrize("optimizer", trials.CHOICES["optimizer"])
def test_the_optimizer_takes_the_numbers_of_the_recipe(text, optimizer):
    model = make_model(TINY, text, 0)
    found = make_optimizer(replace(TINY, optimizer=optimizer, beta2=0.95, embedding_rate=3.0), model)
    held = [id(w) for group in found.param_groups for w in group["params"]]
    assert sorted(held) == sorted(id(w) for w in model.parameters() if w.requires_grad)
    assert all(group["betas"] == (0.9, 0.95) for group in found.param_groups if "betas" in group)
    peaks = {id(w): group["peak"] for group in found.param_groups for w in group["params"]}
    assert peaks[id(model.bert.embeddings.token.weight)] == pytest.approx(3 * TINY.learning_rate)
    assert peaks[id(model.bert.layers[0].attention.query.weight)] == TINY.learning_rate


# Corpora


def test_text_is_prepared_once_and_found_again(text, tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "training_documents", lambda name: iter(()))
    monkeypatch.setattr("helpers.studies.trial_corpora.count_two_neighbors", None)
    again = TextCorpus(tmp_path, 12, entries=60)
    assert again.tokenizer.vocabulary == text.tokenizer.vocabulary and again.baselines == text.baselines
    assert [len(shard) for shard in again.rows] == [len(shard) for shard in text.rows]


def test_other_rows_have_the_same_vocabulary(text, tmp_path):
    longer = TextCorpus(tmp_path, 20, entries=60)
    assert longer.tokenizer.vocabulary == text.tokenizer.vocabulary
    assert next(longer.batches(3, 0, Hiding(0.3)))["ids"].shape == (3, 20)


def test_the_wider_text_has_a_third_part_and_a_folder_of_its_own(text, tmp_path, monkeypatch):
    parts = ("articles", "reviews", "chapters")
    held_out = {part: list(documents(4, seed)) for seed, part in enumerate(parts)}
    monkeypatch.setattr(texts, "training_documents", lambda name: documents(80 if name == "wider" else 40, 0))
    monkeypatch.setattr(texts, "held_out_documents", lambda name: held_out)
    wider = TextCorpus(tmp_path, 12, entries=60, corpus="wider")
    assert (text.name, text.parts) == ("text", ("articles", "reviews"))
    assert (wider.name, wider.parts) == ("wider", parts)
    assert wider.tokenizer.vocabulary == text.tokenizer.vocabulary
    assert sum(map(len, wider.rows)) > 1.8 * sum(map(len, text.rows))
    found = run(TINY, wider, 0, 100, lambda said: None)
    assert {f"chapters_{what}" for what in ("loss", "accuracy", "share")} <= found.keys()
    assert found.keys() <= set(trial_tables.COLUMNS)


def test_neighbors_tell_much_in_these_texts(text):
    for part in text.parts:
        unigram, both = text.baselines[part]
        assert 0 < both < unigram - 0.5


def test_the_stories_are_measured_as_the_taught_function_does(told):
    model = make_model(replace(TINY, norm="pre"), told, 0)
    losses = mean_losses(model, told.task.batches)
    found = told.measure(model, whole=True)
    assert found["stories_loss"] == pytest.approx(losses.token_loss, abs=1e-5)
    assert found["stories_accuracy"] == pytest.approx(losses.token_accuracy, abs=1e-6)
    assert found["stories_gain"] == pytest.approx(told.task.gain(losses.token_loss), abs=1e-5)
    assert told.baselines["stories"].unigram == pytest.approx(told.task.unigram, abs=1e-5)
    assert told.baselines["stories"].two_neighbors < told.task.unigram


# The table


def test_a_run_is_found_again_by_what_decides_it(tmp_path):
    path = tmp_path / "trials.csv"
    assert trial_tables.read(path) == []
    results = {"ended": 6, "cpu_seconds": 1.25, "articles_loss": 6.54321}
    recipes = (TINY, replace(TINY, norm="pre"), replace(TINY, steps=9))
    ones = [trial_tables.identity("text", "tiny", recipe, seed) for recipe in recipes for seed in (0, 1)]
    for one in ones + ones[:1]:
        line = trial_tables.add(path, one, results, "python")
    assert (line["articles_loss"], line["ended"], line["stories_gain"]) == ("6.5432", "6", "")
    lines = trial_tables.read(path)
    assert [{name: line[name] for name in trial_tables.RUN} for line in lines] == ones[1:] + ones[:1]


def test_a_table_from_before_the_wider_text_is_read_and_goes_on(tmp_path):
    path = tmp_path / "trials.csv"
    one, other = (trial_tables.identity(name, "tiny", TINY, 0) for name in ("text", "wider"))
    trial_tables.add(path, one, {"cpu_seconds": 1.0, "articles_loss": 6.0}, "python")
    older = [name for name in trial_tables.COLUMNS if not name.startswith("chapters_")]
    lines = trial_tables.read(path)
    path.write_text(csv_line(older) + csv_line([lines[0][name] for name in older]), encoding="utf-8")
    assert trial_tables.read(path) == lines
    trial_tables.add(path, other, {"cpu_seconds": 1.0, "chapters_loss": 5.0}, "python")
    assert [line["chapters_loss"] for line in trial_tables.read(path)] == ["", "5.0000"]


def test_foreign_tables_and_results_are_refused(tmp_path):
    path = tmp_path / "trials.csv"
    one = trial_tables.identity("text", "tiny", TINY, 0)
    with pytest.raises(TableError, match="no column speed"):
        trial_tables.add(path, one, {"cpu_seconds": 1.0, "speed": 3}, "")
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(TableError, match="other columns"):
        trial_tables.add(path, one, {"cpu_seconds": 1.0}, "")
    assert path.read_text(encoding="utf-8") == "a,b\n1,2\n"
