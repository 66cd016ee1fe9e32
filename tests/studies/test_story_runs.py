"""The story runs and notebook 6 are one recipe, and their stored results keep what is promised."""

import ast
import csv
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from helpers.studies.story_runs import COLUMNS, RECIPE, SENTENCES, Measurements

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
    notebook = nbformat.read(ROOT / "notebooks" / "06_mlm_pretraining.ipynb", as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def rows(path):
    with open(ROOT / path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def settings_of(cells):
    """The values of the notebook's settings, each of them given in one place: {name: value}."""
    wanted = {*NAMES.values(), "SENTENCES", "START_AT_FREQUENCIES", "SEED", "THREADS"}
    chosen, found = [], Counter()
    for node in ast.parse("\n".join(cells)).body:
        stored = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        if stored & wanted:
            chosen.append(node)
            found.update(stored & wanted)
    assert found == dict.fromkeys(wanted, 1)
    values = {"settings": SimpleNamespace(gpu=False)}
    exec(compile(ast.Module(chosen, type_ignores=[]), "<settings>", "exec"), values)
    return values


def test_the_notebook_has_the_numbers_of_the_script(cells):
    found = settings_of(cells)
    assert {name: found[theirs] for name, theirs in NAMES.items()} == {name: RECIPE[name] for name in NAMES}
    assert (found["SENTENCES"], found["START_AT_FREQUENCIES"], found["SEED"]) == (SENTENCES, True, 0)
    # What the notebook writes out instead of naming it.
    assert {name: RECIPE[name] for name in RECIPE.keys() - NAMES} == {
        "init_std": None,
        "mask": "tokens",
        "next_sentence": 1.0,
    }
    assert any("init_std=None" in cell for cell in cells)


def test_the_run_uses_these_numbers(cells):
    (source,) = [cell for cell in cells if "history = pretrain(" in cell]
    assert "partial(mask_tokens, rate=MASK_RATE, shares=SHARES)" in source
    assert "pretraining_batches(documents, tokenizer, BATCH_SIZE, SEED, mask=hide)" in source
    assert "STEPS, LEARNING_RATE" in source and "warm_up=WARM_UP, embedding_rate=EMBEDDING_RATE" in source


def test_three_seeds_reach_the_promise():
    last = {row["seed"]: row for row in rows("data/checkpoints/stories.csv")}
    assert sorted(last) == ["0", "1", "2"]
    for row in last.values():
        assert int(row["step"]) == RECIPE["steps"]
        assert float(row["gain"]) >= 0.92 and float(row["next_accuracy"]) >= 0.90


# The CSV of a series


VALUES = {"token_loss": 1.23456, "gain": 0.5}


def test_a_series_takes_the_place_of_the_old_one_when_it_has_ended(tmp_path, capsys):
    path = tmp_path / "stories.csv"
    path.write_text("old", encoding="utf-8")
    with Measurements(path) as table:
        table.add("recipe", 0, 20, 1000, 1.25, VALUES)
        assert path.read_text(encoding="utf-8") == "old"
    (row,) = rows(path)
    shown = {name: value for name, value in row.items() if value}
    assert list(row) == list(COLUMNS) and shown == {
        "variant": "recipe", "seed": "0", "step": "20", "tokens": "1000", "seconds": "1.2",
        "token_loss": "1.2346", "gain": "0.5000",
    }  # fmt: skip
    assert [file.name for file in tmp_path.iterdir()] == ["stories.csv"]
    assert "variant recipe  seed 0  step 20" in capsys.readouterr().out


def test_a_series_that_breaks_off_leaves_the_old_one_and_what_it_measured(tmp_path):
    path = tmp_path / "stories.csv"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt), Measurements(path) as table:
        table.add("recipe", 0, 20, 1000, 1.25, VALUES)
        raise KeyboardInterrupt
    assert path.read_text(encoding="utf-8") == "old"
    assert [row["step"] for row in rows(table.aside)] == ["20"]
