"""The trials of a modern encoder: their recipes, what is measured, and that local attention saves work."""

from pathlib import Path

import pytest
import torch

from helpers import stories
from helpers.studies import modern_trials, trial_tables
from helpers.studies.modern_trials import BASELINE, MODERN, ROW_LENGTHS, WAYS, length_seconds, step_seconds
from helpers.studies.story_runs import RECIPE, Task, make_tokenizer
from helpers.studies.tables import read_csv
from helpers.studies.trial_corpora import StoryCorpus
from helpers.studies.trials import differences, run
from helpers.training.changes import CHANGES


@pytest.fixture(scope="module")
def corpus():
    found = {name: stories.split(name)[:count] for name, count in (("train", 300), ("validation", 40))}
    known = set(make_tokenizer(found["train"], RECIPE["vocab_size"]).id_of)
    found["validation"] = [s for s in found["validation"] if known.issuperset(stories.to_words(s.text))]
    return StoryCorpus(Task(found, RECIPE["vocab_size"]))


def test_recipes_are_the_live_run_with_one_change_each():
    assert next(iter(MODERN)) == BASELINE and MODERN[BASELINE].changes == ()
    plain = MODERN[BASELINE]
    for name, value in (("layers", "num_layers"), ("hidden", "hidden_size"), ("heads", "num_heads"),
                        ("learning_rate", "learning_rate"), ("mask_rate", "mask_rate")):  # fmt: skip
        assert getattr(plain, name) == RECIPE[value]
    for name in CHANGES:
        assert MODERN[name].changes == (name,) and name in differences(MODERN[name])
    assert MODERN["all"].changes == CHANGES
    assert MODERN["all, twice the rate"].learning_rate == 2 * plain.learning_rate


def test_steps_of_all_recipes_are_timed_in_turn(corpus):
    said = []
    recipes = {name: MODERN[name] for name in (BASELINE, "GeGLU")}
    found = step_seconds(recipes, corpus, rounds=2, steps=1, say=said.append)
    assert {name: len(values) for name, values in found.items()} == {BASELINE: 2, "GeGLU": 2}
    assert all(0 < value < 5 for values in found.values() for value in values)
    assert said[-1] == "round 2 of 2"


def test_every_recipe_trains(corpus):
    losses = {}
    for name, recipe in MODERN.items():
        steps = 2 if name != "all" else 12
        results = run(modern_trials.replace(recipe, steps=steps), corpus, 0, 1000, lambda text: None)
        assert results["ended"] == steps, name
        losses[name] = results["stories_loss"]
    assert losses["all"] < losses["all, half the rate"] + 1
    plain, gated, bare = (modern_trials.learned_weights(MODERN[name], corpus)
                          for name in (BASELINE, "GeGLU", "no biases"))  # fmt: skip
    assert abs(gated / plain - 1) < 0.01 and bare < plain


def test_masked_and_local_attention_give_the_same_vectors():
    ids = torch.randint(1, 500, (1, 300))
    torch.manual_seed(0)
    models = {way: modern_trials.make_encoder(way, 300).eval() for way in WAYS}
    models["masked"].load_state_dict(models["local"].state_dict())
    masked, local = (models[way](ids).last_hidden_state for way in ("masked", "local"))
    assert (masked - local).abs().max() < 1e-5
    models["global"].load_state_dict(models["local"].state_dict())
    assert (models["global"](ids).last_hidden_state - local).abs().max() > 1e-3


def test_lengths_are_timed():
    found = length_seconds(WAYS, ROW_LENGTHS[1], rounds=1, tokens=256)
    assert list(found) == list(WAYS) and all(len(values) == 1 for values in found.values())
    assert modern_trials.median_and_least([0.003, 0.001, 0.002]) == (2.0, 1.0)


def test_the_stored_runs_had_the_same_time():
    """What notebook 19 shows: three seeds of each change, within a tenth of the same CPU seconds."""
    results = Path(__file__).resolve().parents[2] / "benchmarks" / "results"
    lines = trial_tables.read(results / "modern_trials.csv", modern_trials.COLUMNS)
    main = (BASELINE, *CHANGES, "all")
    assert {(line["recipe"], line["seed"]) for line in lines} >= {
        (name, seed) for name in main for seed in "012"
    }
    for line in lines:
        recipe = MODERN[line["recipe"]]
        assert line["settings"] == differences(recipe) and line["ended"] == line["steps"]
        assert abs(int(line["steps"]) * float(line["step_ms"]) / 60_000 - 1) < 0.001
        assert abs(float(line["cpu_seconds"]) / 60 - 1) < 0.2, line["recipe"]
    columns, costs = read_csv(results / "modern_costs.csv")
    assert columns == modern_trials.COSTS
    assert {(line["what"], int(line["length"])) for line in costs} == {
        *((name, 0) for name in MODERN), *((way, length) for way in WAYS for length in ROW_LENGTHS)
    }  # fmt: skip
