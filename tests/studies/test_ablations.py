"""The ablation table: rows that differ from the recipe in one thing, runs that are found again."""

import math
from collections import Counter
from pathlib import Path

import pytest

from helpers import stories
from helpers.pretraining import mean_losses
from helpers.studies import ablations, trial_tables
from helpers.studies.ablations import COLUMNS, ROWS, SHARE, identity, measure, settings_of
from helpers.studies.story_runs import RECIPE, Task, make_tokenizer, run

STORED = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "pretraining_ablations.csv"


@pytest.mark.parametrize("row", ROWS)
def test_a_row_changes_the_recipe(row):
    settings = settings_of(row)
    changed = {name for name in settings if settings[name] != settings_of("recipe").get(name)}
    assert changed == {name for name in ROWS[row]} and (changed or row == "recipe")


@pytest.mark.parametrize("row", [row for row in ROWS if row.startswith("batch ")])
def test_other_batch_sizes_read_as_much_at_a_rate_that_goes_with_the_root(row):
    size, settings = int(row.split()[1]), settings_of(row)
    assert settings["batch_size"] == size != RECIPE["batch_size"]
    assert settings["steps"] * size == pytest.approx(SHARE * RECIPE["steps"] * RECIPE["batch_size"], rel=1e-3)
    ratio = settings["learning_rate"] / RECIPE["learning_rate"]
    assert ratio == pytest.approx(math.sqrt(size / RECIPE["batch_size"]))


def test_a_run_is_found_by_all_that_decides_it(monkeypatch):
    first = identity("recipe", 0)
    assert first == identity("recipe", 0) and first["steps"] == str(round(SHARE * RECIPE["steps"]))
    assert identity("recipe", 1) != first != identity("recipe", 0, share=0.1)
    monkeypatch.setitem(ablations.RECIPE, "learning_rate", 0.5)
    assert identity("recipe", 0) != first


def test_a_run_is_that_of_the_recipe_measured_at_its_end(monkeypatch):
    found = {name: stories.split(name)[:count] for name, count in (("train", 200), ("validation", 30))}
    known = set(make_tokenizer(found["train"], RECIPE["vocab_size"]).id_of)
    found["validation"] = [s for s in found["validation"] if known.issuperset(stories.to_words(s.text))]
    task, share = Task(found, RECIPE["vocab_size"]), 6 / RECIPE["steps"]
    cells = measure(task, "mask 15 %", 1, share)
    model = run(task, settings_of("mask 15 %", share), 1, 6, lambda *_: None)
    losses = mean_losses(model, task.batches)
    assert cells["token_loss"] == losses.token_loss and cells["next_accuracy"] == losses.next_accuracy
    assert cells["gain"] == task.gain(losses.token_loss) and cells["tokens"] > 0 < cells["cpu_seconds"]
    assert set(cells) <= set(COLUMNS)


def test_the_stored_table_has_three_seeds_of_each_row_under_today_s_recipe():
    lines = trial_tables.read(STORED, COLUMNS)
    seeds = Counter(line["row"] for line in lines)
    assert set(seeds) <= set(ROWS) and set(seeds.values()) == {3} and "recipe" in seeds
    for line in lines:
        assert identity(line["row"], int(line["seed"])).items() <= line.items()
        assert 0 < float(line["gain"]) < 1
