"""Pruning, LoRA and 8-bit numbers against masked models, peft, PyTorch's own and closed forms."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from helpers.analysis.altering import heads_off
from helpers.classification import BertForClassification
from helpers.compression import (
    LoraLinear,
    QuantizedLinear,
    add_lora,
    dequantize,
    importance,
    merge_lora,
    most_important,
    nearest_rank,
    prune,
    prune_heads,
    prune_units,
    quantize,
    smaller_linear,
)
from helpers.encoder import Bert, BertConfig


def classifier(seed=0):
    torch.manual_seed(seed)
    return BertForClassification(Bert(BertConfig(40, 24, 3, 4, 36, 16, init_std=None)), 3).eval()


def batch():
    torch.manual_seed(9)
    ids, mask = torch.randint(1, 40, (5, 7)), torch.ones(5, 7, dtype=torch.long)
    mask[2, 4:] = 0
    return {"ids": ids, "attention_mask": mask}, torch.tensor([0, 2, 1, 1, 0])


def test_importance_is_the_derivative_of_a_gate():
    """By finite differences, text by text."""
    model, (inputs, labels) = classifier().double(), batch()
    heads, units = importance(model.float(), [(inputs, labels)])
    assert [len(each) for each in heads] == [4] * 3 and [len(each) for each in units] == [36] * 3
    model, step = model.double(), 1e-5

    def losses(layer, place, columns, factor):
        changed = copy.deepcopy(model)
        linear = getattr(getattr(changed.bert.layers[layer], place[0]), place[1])
        linear.weight.data[:, columns] *= factor
        with torch.no_grad():
            return functional.cross_entropy(changed(**inputs), labels, reduction="none")

    for layer, head in ((0, 1), (2, 3)):
        columns, place = slice(6 * head, 6 * head + 6), ("attention", "output")
        slope = (losses(layer, place, columns, 1 + step) - losses(layer, place, columns, 1 - step)) / (
            2 * step
        )
        assert heads[layer][head].item() == pytest.approx(slope.abs().mean().item(), rel=1e-3, abs=1e-6)
    slope = [losses(1, ("feed_forward", "narrow"), [7], 1 + s * step) for s in (1, -1)]
    slope = (slope[0] - slope[1]) / (2 * step)
    assert units[1][7].item() == pytest.approx(slope.abs().mean().item(), rel=1e-3, abs=1e-6)


def test_importance_leaves_no_trace():
    model, given = classifier().train(), batch()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first = importance(model, [given])
    again = importance(model, [given, given])  # a mean, not a sum
    assert model.training and all(weight.grad is None for weight in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    for a, b in zip(first[0] + first[1], again[0] + again[1], strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_removed_heads_are_heads_switched_off():
    model, (inputs, _) = classifier(), batch()
    kept = [[1, 2, 3], [0], [0, 3]]
    everything = [list(range(36))] * 3
    smaller = prune(model, kept, everything)
    off = [(layer, head) for layer in range(3) for head in range(4) if head not in kept[layer]]
    with torch.no_grad(), heads_off(model, off):
        assert (model(**inputs) - smaller(**inputs)).abs().max() < 1e-5
    shapes = [tuple(layer.attention.query.weight.shape) for layer in smaller.bert.layers]
    assert shapes == [(18, 24), (6, 24), (12, 24)]
    assert model.bert.layers[0].attention.num_heads == 4


def test_removed_units_are_columns_of_zeros():
    model, (inputs, _) = classifier(), batch()
    kept = [[0, 5, 35], list(range(36)), [7]]
    smaller, masked = prune(model, [range(4)] * 3, kept), copy.deepcopy(model)
    for layer, units in zip(masked.bert.layers, kept, strict=True):
        gone = [unit for unit in range(36) if unit not in units]
        layer.feed_forward.narrow.weight.data[:, gone] = 0
    with torch.no_grad():
        assert (masked(**inputs) - smaller(**inputs)).abs().max() < 1e-5
    assert smaller.bert.layers[2].feed_forward.widen.weight.shape == (1, 24)


def test_a_layer_keeps_something():
    model = classifier()
    with pytest.raises(ValueError, match="no head would be left"):
        prune_heads(model.bert.layers[0].attention, [])
    with pytest.raises(ValueError, match="no unit would be left"):
        prune_units(model.bert.layers[0].feed_forward, [])
    scores = [torch.tensor([0.1, 0.2]), torch.tensor([5.0, 6.0, 7.0]), torch.tensor([0.3])]
    assert most_important(scores, 0.5) == [[1], [0, 1, 2], [0]]
    assert most_important(scores, 1.0) == [[0, 1], [0, 1, 2], [0]]
    with pytest.raises(ValueError, match="share"):
        most_important(scores, 1.5)


def test_a_smaller_linear_layer():
    torch.manual_seed(4)
    linear, given = nn.Linear(5, 4), torch.randn(3, 5)
    rows, columns = torch.tensor([2, 0]), torch.tensor([4, 1, 3])
    assert torch.allclose(smaller_linear(linear, outputs=rows)(given), linear(given)[:, rows], atol=1e-6)
    found = smaller_linear(linear, inputs=columns)(given[:, columns])
    masked = torch.zeros_like(given).index_copy(1, columns, given[:, columns])
    assert torch.allclose(found, linear(masked), atol=1e-6)


def test_lora_is_pefts():
    peft = pytest.importorskip("peft")
    torch.manual_seed(5)
    linear, given = nn.Linear(12, 9), torch.randn(4, 7, 12)
    ours = LoraLinear(copy.deepcopy(linear), rank=3, alpha=6)
    assert torch.equal(ours(given), linear(given))  # it begins as the layer was
    nn.init.normal_(ours.up)
    config = peft.LoraConfig(r=3, lora_alpha=6, target_modules=["0"], lora_dropout=0.0)
    theirs = peft.get_peft_model(nn.Sequential(copy.deepcopy(linear)), config)
    layer = theirs.base_model.model[0]
    layer.lora_A["default"].weight.data.copy_(ours.down)
    layer.lora_B["default"].weight.data.copy_(ours.up)
    with torch.no_grad():
        assert (ours(given) - theirs(given)).abs().max() < 1e-5
        merged = theirs.merge_and_unload()[0]
        assert (ours.merged().weight - merged.weight).abs().max() < 1e-6
        assert (ours.merged()(given) - ours(given)).abs().max() < 1e-5
    assert torch.equal(ours.linear.weight, linear.weight)


def test_lora_trains_little_and_goes_away():
    model, (inputs, labels) = classifier(), batch()
    before, total = model(**inputs), sum(weight.numel() for weight in model.parameters())
    add_lora(model, rank=2)
    assert torch.equal(model(**inputs), before)
    trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert {name.split(".")[-1] for name in trained if name.startswith("bert")} == {"down", "up"}
    assert len(trained) == 3 * 2 * 2 + 2
    optimizer = torch.optim.AdamW([w for w in model.parameters() if w.requires_grad], lr=0.05)
    for _ in range(3):
        functional.cross_entropy(model(**inputs), labels).backward()
        optimizer.step()
    after = model(**inputs)
    assert (after - before).abs().max() > 0.01
    merge_lora(model)
    assert sum(weight.numel() for weight in model.parameters()) == total
    assert (model(**inputs) - after).abs().max() < 1e-5
    with pytest.raises(ValueError, match="rank"):
        LoraLinear(nn.Linear(3, 3), rank=0)


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("by_row", [False, True])
def test_eight_bits_are_within_half_a_step(symmetric, by_row):
    torch.manual_seed(6)
    numbers = torch.randn(5, 9) * torch.tensor([[0.01], [1.0], [3.0], [0.2], [7.0]]) + 0.5
    found = quantize(numbers, symmetric, by_row)
    assert found.values.dtype == torch.int8
    assert ((dequantize(found) - numbers).abs() <= found.scale * 0.501 * (1 if symmetric else 2)).all()
    assert (dequantize(quantize(torch.zeros(2, 3), symmetric, by_row)) == 0).all()
    if symmetric:
        assert (found.zero_point == 0).all() and found.values.abs().max() == 127
    assert found.scale.numel() == (5 if by_row else 1)


def test_zero_stays_zero():
    numbers = torch.tensor([[0.0, 0.3, 2.0], [1.7, 0.0, 0.9]])
    assert (dequantize(quantize(numbers))[numbers == 0] == 0).all()


def test_whole_numbers_multiply_as_fractions_do():
    torch.manual_seed(7)
    linear, given = nn.Linear(24, 10), torch.randn(6, 24) + 0.7
    layer = QuantizedLinear(linear)
    by_hand = functional.linear(dequantize(quantize(given)), dequantize(layer.weight), linear.bias)
    assert (layer(given) - by_hand).abs().max() < 1e-4
    assert (layer(given) - linear(given)).abs().max() < 0.06


def test_a_rank_is_one_of_the_values():
    values = [7.0, 1.0, 5.0, 3.0]
    assert [nearest_rank(values, share) for share in (0.0, 0.25, 0.5, 0.51, 0.95, 1.0)] == [1, 1, 3, 5, 7, 7]
    dice = np.random.default_rng(8).normal(size=101).tolist()
    assert nearest_rank(dice, 0.95) == np.quantile(dice, 0.95, method="inverted_cdf")
    assert nearest_rank(dice, 0.5) == sorted(dice)[50] and math.isclose(nearest_rank(dice, 1), max(dice))
    with pytest.raises(ValueError, match="no values"):
        nearest_rank([], 0.5)
