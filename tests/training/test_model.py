"""The model of the long run as it begins."""

import pytest
import torch

from helpers.training.model import make_model, measure
from helpers.training.rows import rows_on_disk
from helpers.training.settings import arguments
from helpers.training.starts import start_with_neighbors
from helpers.wordpiece import WordPieceTokenizer, train_wordpiece


@pytest.mark.parametrize("layers", [1, 3])
def test_a_new_model_may_start_at_the_neighbors(layers, tmp_path):
    tokenizer = WordPieceTokenizer(train_wordpiece(["a few words for a few entries"], 40))
    rows = rows_on_disk(["a few words for a few entries " * 20], tokenizer, 16, tmp_path / "rows")
    options = f"--out=x --hidden=32 --heads=2 --length=16 --layers={layers}".split()
    models = [
        make_model(arguments([*options, *more]), tokenizer, rows, None).bert for more in ([], ["--neighbors"])
    ]
    expected = models[0]
    torch.manual_seed(5)
    start_with_neighbors(expected, (-1, 1))  # two heads, so two of the offsets
    ours, theirs = models[1].state_dict(), expected.state_dict()
    same = {name for name in ours if torch.equal(ours[name], theirs[name])}
    first = {f"layers.0.attention.{name}.weight" for name in ("query", "key")}  # the draw of frequencies
    assert set(ours) - same <= first and "embeddings.position.weight" in same


@pytest.mark.parametrize("broken", [False, True])
def test_measuring_leaves_every_part_in_its_mode(broken, tmp_path):
    tokenizer = WordPieceTokenizer(train_wordpiece(["a few words for a few entries"], 40))
    rows = rows_on_disk(["a few words for a few entries " * 20], tokenizer, 16, tmp_path / "rows")
    options = "--out=x --hidden=32 --heads=2 --length=16 --layers=2 --dropout=0.5".split()
    model = make_model(arguments(options), tokenizer, rows, None).train()
    model.bert.layers[0].eval()  # as where lower layers are frozen
    before = {name: part.training for name, part in model.named_modules()}
    assert set(before.values()) == {True, False}
    seen = []

    def looking(module, inputs):
        seen.append(any(part.training for part in model.modules()))
        if broken:
            raise KeyboardInterrupt

    model.bert.layers[0].register_forward_pre_hook(looking)
    if broken:
        with pytest.raises(KeyboardInterrupt):
            measure(model, rows, tokenizer, "cpu")
    else:
        assert measure(model, rows, tokenizer, "cpu") == measure(model, rows, tokenizer, "cpu")
    assert seen and not any(seen)
    assert {name: part.training for name, part in model.named_modules()} == before
