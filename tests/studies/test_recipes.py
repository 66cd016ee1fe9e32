"""What decides a run."""

import pytest
from small import make_examples

from helpers.classification import FineTuning, freeze_lower_layers
from helpers.studies import recipes, tasks
from helpers.studies.errors import RowError
from helpers.studies.recipes import plan_of, settings_of, starting_model


def test_a_line_has_every_setting_as_text(tiny):
    task = tiny.tasks["movies"]
    for row in ("majority", "tfidf", "frozen", "ours", "trainer", "human"):
        run = settings_of(row, task, 16, 3)
        assert tuple(run) == recipes.SETTINGS and all(isinstance(value, str) for value in run.values())
    assert settings_of("human", task, 16, 3)["labels"] == ""
    assert settings_of("tfidf", task, 60, 3)["seed"] == ""  # nothing is drawn
    assert settings_of("tfidf", task, 16, 3)["seed"] == settings_of("ours", task, 60, 3)["seed"] == "3"


def test_a_plan_has_the_recipe_and_its_changes(tiny):
    task = tiny.tasks["movies"]
    assert plan_of(settings_of("ours", task, 16, 3)) == FineTuning(
        epochs=2, batch_size=8, learning_rate=3e-3, max_length=24, seed=3
    )
    changed = {"epochs": 5, "batch_size": 4, "learning_rate": 1e-3, "layer_decay": 0.9, "warm_up": 0.0}
    changed["weight_decay"] = 0.1
    run = settings_of("ours", task, 16, 3, **changed)
    assert plan_of(run) == FineTuning(**changed, max_length=24, seed=3)


def test_few_labels_get_more_epochs_unless_they_are_given(tiny, monkeypatch):
    monkeypatch.setattr(recipes, "LEAST_STEPS", 10)
    task = tiny.tasks["movies"]
    found = [settings_of("ours", task, labels, 0)["epochs"] for labels in (8, 9, 32, 60)]
    assert found == ["10", "5", "3", "2"]  # 1, 2, 4 and 8 steps in an epoch
    assert settings_of("ours", task, 8, 0, epochs=1)["epochs"] == "1"


def test_what_no_row_can_do_is_said(tiny):
    task = tiny.tasks["movies"]
    for row, changes, message in (
        ("ours", {"frozen_layers": 3}, "has 2 layers, 3 can't be frozen"),
        ("trainer", {"layer_decay": 0.9}, "one learning rate for all layers"),
        ("trainer", {"reads": "[MASK]"}, "reads at .CLS."),
    ):
        with pytest.raises(RowError, match=message):
            settings_of(row, task, 16, 0, **changes)
    for lost in ("max_length", "rate"):
        with pytest.raises(ValueError, match=f"no recipe has '{lost}'"):
            settings_of("ours", task, 16, 0, **{lost: 9})


def test_a_warm_up_is_a_share(tiny):
    for wrong in (50, 1.0, -0.1, float("nan")):
        with pytest.raises(ValueError, match="warm_up is a share of the steps, from 0 to below 1"):
            settings_of("ours", tiny.tasks["movies"], 16, 0, warm_up=wrong)


def test_what_is_frozen_at_the_start(tiny):
    task = tiny.tasks["movies"]
    model = starting_model(task, settings_of("ours", task, 16, 0, frozen_layers=1))
    twin = starting_model(task, settings_of("ours", task, 16, 0, frozen_layers="none"))
    assert all(weight.requires_grad for weight in twin.parameters())
    freeze_lower_layers(twin.bert, 1)
    assert [weight.requires_grad for weight in model.parameters()] == [
        weight.requires_grad for weight in twin.parameters()
    ]


def test_the_seed_draws_other_labels_and_another_head(tiny):
    task = tasks.Task("movies", 2, make_examples(40, 0), make_examples(9, 1), make_examples(9, 2))
    runs = [settings_of("ours", task, 16, seed) for seed in (0, 0, 1)]
    heads = [starting_model(task, run).classifier.weight for run in runs]
    assert heads[0].equal(heads[1]) and not heads[0].equal(heads[2])
    assert tasks.places(task, runs[0]) == tasks.places(task, runs[1]) != tasks.places(task, runs[2])
