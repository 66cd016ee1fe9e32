"""The story runs and notebook 5 are one recipe, and their stored results keep what is promised."""

import csv
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from helpers.studies.story_runs import RECIPE, SENTENCES, VARIANTS

ROOT = Path(__file__).resolve().parents[2]
# The notebook's name for each number of the recipe.
NAMES = {
    "vocab_size": "VOCAB_SIZE",
    "hidden_size": "HIDDEN_SIZE",
    "num_layers": "NUM_LAYERS",
    "num_heads": "NUM_HEADS",
    "batch_size": "BATCH_SIZE",
    "steps": "STEPS",
    "learning_rate": "LEARNING_RATE",
    "embedding_rate": "EMBEDDING_RATE",
    "warm_up": "WARM_UP",
    "mask_rate": "MASK_RATE",
    "shares": "SHARES",
}


@pytest.fixture(scope="module")
def cells():
    notebook = nbformat.read(ROOT / "notebooks" / "05_mlm_pretraining.ipynb", as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def rows(path):
    with open(ROOT / path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_settings_cell_has_the_numbers_of_the_script(cells):
    (source,) = [cell for cell in cells if cell.startswith("SENTENCES = ")]
    found = {"settings": SimpleNamespace(gpu=False)}
    exec(source, found)
    assert {name: found[theirs] for name, theirs in NAMES.items()} == {name: RECIPE[name] for name in NAMES}
    assert (found["SENTENCES"], found["START_AT_FREQUENCIES"], found["SEED"]) == (SENTENCES, True, 0)
    # What the notebook writes out instead of naming it.
    assert {name: RECIPE[name] for name in RECIPE.keys() - NAMES} == {
        "init_std": None,
        "mask": "tokens",
        "next_sentence": 1.0,
    }
    assert any("init_std=None" in cell for cell in cells)


def test_three_seeds_reach_the_promise():
    last = {row["seed"]: row for row in rows("data/checkpoints/stories.csv")}
    assert sorted(last) == ["0", "1", "2"]
    for row in last.values():
        assert int(row["step"]) == RECIPE["steps"]
        assert float(row["gain"]) >= 0.92 and float(row["next_accuracy"]) >= 0.90


def test_every_variant_is_in_the_table():
    table = rows("benchmarks/results/pretraining_ablations.csv")
    assert list(dict.fromkeys(row["variant"] for row in table)) == [*VARIANTS]
