"""Attention against PyTorch, the Transformers library, NumPy and closed forms, forward and backward."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from transformers import BertConfig as TheirConfig
from transformers import BertModel
from transformers.models.bert.modeling_bert import BertAttention

from helpers import data
from helpers.attention import (
    MultiHeadSelfAttention,
    join_heads,
    scaled_dot_product_attention,
    split_heads,
)
from helpers.encoder import BertConfig, check_inputs

IMAGES = Path(__file__).resolve().parents[2] / "notebooks" / "images"

# hidden size, heads, tokens: the shape of bert-base, one head, odd sizes, the shortest and longest text
SHAPES = [(768, 12, 8), (384, 12, 20), (36, 3, 7), (20, 1, 5), (48, 4, 1), (24, 2, 512), (12, 12, 9)]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def some_mask(batch: int, tokens: int) -> torch.Tensor:
    """(B, T) boolean, at least one True in a row, padding at the end of every text but the first."""
    lengths = torch.randint(1, tokens + 1, (batch,))
    lengths[0] = tokens
    return torch.arange(tokens) < lengths[:, None]


def within(tolerance: float, reference: torch.Tensor) -> float:
    """The tolerance, times the largest reference value where that is above 1."""
    return tolerance * max(1.0, reference.detach().abs().max().item())


def in_numpy(query, key, value, mask=None):
    """Attention for one head, one query at a time, written in NumPy and in double precision."""
    query, key, value = (np.asarray(x, dtype=np.float64) for x in (query, key, value))
    contexts, table = [], []
    for i, q in enumerate(query):
        scores = [q @ k / math.sqrt(len(q)) for k in key]
        visible = [mask is None or bool(mask[i, j]) for j in range(len(key))]
        exponentials = [math.exp(s) if seen else 0.0 for s, seen in zip(scores, visible, strict=True)]
        table.append([e / sum(exponentials) for e in exponentials])
        contexts.append(sum(p * v for p, v in zip(table[-1], value, strict=True)))
    return np.array(contexts), np.array(table)


# --- the function -----------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 5), st.integers(0, 10**6), st.booleans())
def test_equals_a_loop_in_numpy(queries, keys, size, random, masked):
    generator = torch.Generator().manual_seed(random)
    query = torch.randn(queries, size, generator=generator, dtype=torch.float64)
    key, value = torch.randn(2, keys, size, generator=generator, dtype=torch.float64)
    mask = torch.rand(queries, keys, generator=generator) < 0.6 if masked else None
    if masked:
        mask[:, random % keys] = True
    context, probabilities = scaled_dot_product_attention(query, key, value, mask)
    expected_context, expected_probabilities = in_numpy(query, key, value, mask)
    np.testing.assert_allclose(context, expected_context, atol=1e-12)
    np.testing.assert_allclose(probabilities, expected_probabilities, atol=1e-12)


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (2, 7, 4), (2, 3, 40, 8), (2, 12, 64, 64)])
@pytest.mark.parametrize("masked", [False, True])
def test_equals_pytorch_forward_and_backward(shape, dtype, tolerance, masked):
    inputs = torch.randn(3, *shape, dtype=dtype)
    mask = torch.rand(shape[-2], shape[-2]) < 0.7
    mask = mask | torch.eye(shape[-2], dtype=torch.bool) if masked else None
    weight = torch.randn(shape, dtype=dtype)
    results = []
    for attend in (
        lambda *x: scaled_dot_product_attention(*x)[0],
        lambda *x: functional.scaled_dot_product_attention(*x),
    ):
        leaves = [x.clone().requires_grad_() for x in inputs]
        context = attend(*leaves, mask)
        results.append([context, *torch.autograd.grad((context * weight).sum(), leaves)])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, atol=within(tolerance, theirs), rtol=0)


def test_keys_and_values_may_be_more_than_queries():
    query, key, value = torch.randn(2, 8), torch.randn(5, 8), torch.randn(5, 3)
    context, probabilities = scaled_dot_product_attention(query, key, value)
    assert context.shape == (2, 3) and probabilities.shape == (2, 5)


def test_closed_forms():
    key, value = torch.randn(2, 6, 4)
    same, probabilities = scaled_dot_product_attention(torch.zeros(3, 4), key, value)
    torch.testing.assert_close(same, value.mean(dim=0).expand(3, 4))  # no preference: the plain mean
    torch.testing.assert_close(probabilities, torch.full((3, 6), 1 / 6))
    one_key, _ = scaled_dot_product_attention(torch.randn(3, 4), key[:1], value[:1])
    torch.testing.assert_close(one_key, value[:1].expand(3, 4))  # one key: its value
    sharp, _ = scaled_dot_product_attention(1000 * torch.eye(4), torch.eye(4), value[:4])
    torch.testing.assert_close(sharp, value[:4])  # very large scores: the value of the best key
    _, two = scaled_dot_product_attention(torch.ones(1, 4), torch.tensor([[1.0] * 4, [0.0] * 4]), value[:2])
    assert two[0, 0].item() == pytest.approx(1 / (1 + math.exp(-2)))  # scores 4 / √4 and 0


def test_large_scores_do_not_overflow():
    query = torch.full((2, 4), 1e4)
    context, probabilities = scaled_dot_product_attention(query, query, torch.randn(2, 4))
    assert context.isfinite().all() and torch.allclose(probabilities.sum(-1), torch.ones(2))


def test_scores_of_random_vectors_have_variance_one():
    query, key = torch.randn(400, 256), torch.randn(400, 256)
    _, probabilities = scaled_dot_product_attention(query, key, key)
    scores = probabilities.log()
    centred = scores - scores.mean(dim=1, keepdim=True)  # softmax keeps scores up to a constant of the row
    assert centred.var().item() == pytest.approx(1, abs=0.05)


# --- masks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["taught", "fused"])
def test_masking_a_position_is_removing_its_key_and_value(path):
    query, key, value = torch.randn(3, 2, 9, 8)
    visible = torch.tensor([1, 1, 0, 1, 0, 0, 1, 1, 0]).bool()
    if path == "taught":
        masked, probabilities = scaled_dot_product_attention(query, key, value, visible)
        assert (probabilities[..., ~visible] == 0).all()
        removed, _ = scaled_dot_product_attention(query, key[:, visible], value[:, visible])
    else:
        masked = functional.scaled_dot_product_attention(query, key, value, visible.expand(9, 9))
        removed = functional.scaled_dot_product_attention(query, key[:, visible], value[:, visible])
    torch.testing.assert_close(masked, removed, atol=1e-6, rtol=0)


def test_no_gradient_reaches_a_hidden_key_or_value():
    query, key, value = (torch.randn(4, 8, requires_grad=True) for _ in range(3))
    visible = torch.tensor([True, True, False, True])
    scaled_dot_product_attention(query, key, value, visible)[0].square().sum().backward()
    assert (key.grad[2] == 0).all() and (value.grad[2] == 0).all()
    assert (key.grad[:2] != 0).all() and (value.grad[3] != 0).all()


@pytest.mark.parametrize("return_probabilities", [True, False])
def test_padding_more_changes_nothing(return_probabilities):
    attention = MultiHeadSelfAttention(24, 3).eval()
    short = torch.randn(2, 5, 24)
    padded = torch.cat([short, torch.randn(2, 8, 24)], dim=1)
    visible = (torch.arange(13) < 5)[None, None, None, :]
    expected, _ = attention(short, None, return_probabilities)
    result, _ = attention(padded, visible, return_probabilities)
    torch.testing.assert_close(result[:, :5], expected, atol=1e-6, rtol=0)


def test_a_row_with_nothing_visible_is_nan_here_and_refused_by_the_encoder():
    query = torch.randn(3, 4)
    context, _ = scaled_dot_product_attention(query, query, query, torch.zeros(3, dtype=torch.bool))
    assert context.isnan().all()
    ids = torch.ones(2, 3, dtype=torch.long)
    with pytest.raises(ValueError, match="no visible token"):
        check_inputs(ids, None, torch.tensor([[1, 1, 1], [0, 0, 0]]), BertConfig())


@pytest.mark.parametrize("dtype", [torch.long, torch.float32])
@pytest.mark.parametrize("return_probabilities", [True, False])
def test_a_mask_that_is_not_boolean_is_refused(dtype, return_probabilities):
    # PyTorch's function would add a mask of numbers to the scores: a silent mistake
    attention = MultiHeadSelfAttention(8, 2)
    mask = torch.ones(1, 1, 1, 3, dtype=dtype)
    with pytest.raises(ValueError, match=r"mask must be boolean.*mask\.bool\(\)"):
        attention(torch.randn(1, 3, 8), mask, return_probabilities)


@pytest.mark.parametrize("return_probabilities", [True, False])
def test_a_mask_of_the_wrong_length_is_refused(return_probabilities):
    attention = MultiHeadSelfAttention(8, 2)
    with pytest.raises(RuntimeError):
        attention(torch.randn(1, 3, 8), torch.ones(1, 1, 1, 4, dtype=torch.bool), return_probabilities)


# --- heads ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch, tokens, hidden_size, num_heads", [(1, 3, 6, 2), (2, 5, 24, 8), (3, 1, 7, 1)])
def test_a_head_gets_its_own_slice_of_every_token(batch, tokens, hidden_size, num_heads):
    hidden = torch.arange(batch * tokens * hidden_size).view(batch, tokens, hidden_size)
    heads, size = split_heads(hidden, num_heads), hidden_size // num_heads
    assert heads.shape == (batch, num_heads, tokens, size)
    for head in range(num_heads):
        assert torch.equal(heads[:, head], hidden[:, :, head * size : (head + 1) * size])
    assert torch.equal(join_heads(heads), hidden)
    assert torch.equal(
        split_heads(hidden.transpose(0, 1), num_heads), heads.permute(2, 1, 0, 3)
    )  # any strides


@pytest.mark.parametrize("num_heads", [5, 0, -2])
def test_heads_that_do_not_divide_the_hidden_size_are_refused(num_heads):
    with pytest.raises(ValueError, match=f"hidden_size 12 .* {num_heads} heads"):
        MultiHeadSelfAttention(12, num_heads)


@pytest.mark.parametrize("hidden_size, num_heads", [(768, 12), (36, 3), (5, 1)])
def test_parameters_do_not_depend_on_the_number_of_heads(hidden_size, num_heads):
    module = MultiHeadSelfAttention(hidden_size, num_heads)
    assert sum(p.numel() for p in module.parameters()) == 4 * (hidden_size**2 + hidden_size)


def test_equals_pytorchs_multihead_attention():
    ours, theirs = MultiHeadSelfAttention(12, 3).eval(), nn.MultiheadAttention(12, 3, batch_first=True).eval()
    parts = (ours.query, ours.key, ours.value)
    theirs.load_state_dict(
        {
            "in_proj_weight": torch.cat([part.weight for part in parts]),
            "in_proj_bias": torch.cat([part.bias for part in parts]),
            "out_proj.weight": ours.output.weight,
            "out_proj.bias": ours.output.bias,
        }
    )
    hidden, visible = torch.randn(3, 7, 12), some_mask(3, 7)
    expected, table = theirs(hidden, hidden, hidden, key_padding_mask=~visible, average_attn_weights=False)
    for return_probabilities in (True, False):
        result, probabilities = ours(hidden, visible[:, None, None], return_probabilities)
        torch.testing.assert_close(result, expected, atol=1e-6, rtol=0)
    assert probabilities is None
    torch.testing.assert_close(ours(hidden, visible[:, None, None], True)[1], table, atol=1e-6, rtol=0)


# --- the library ------------------------------------------------------------------------------------------


def pair(hidden_size: int, num_heads: int, attn_implementation: str = "eager"):
    """The library's BERT attention with random weights, and ours with the same ones."""
    config = TheirConfig(
        hidden_size=hidden_size, num_attention_heads=num_heads, attn_implementation=attn_implementation
    )
    theirs = BertAttention(config).eval()
    return theirs, copy_of(theirs)


def copy_of(theirs: BertAttention) -> MultiHeadSelfAttention:
    ours = MultiHeadSelfAttention(theirs.self.all_head_size, theirs.self.num_attention_heads).eval()
    for name, layer in linear_layers(theirs).items():
        getattr(ours, name).load_state_dict(layer.state_dict())
    return ours.to(theirs.output.dense.weight.dtype)


def linear_layers(theirs: BertAttention) -> dict[str, nn.Linear]:
    names = {name: getattr(theirs.self, name) for name in ("query", "key", "value")}
    return names | {"output": theirs.output.dense}


def their_mask(visible: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return torch.zeros(visible.shape, dtype=dtype).masked_fill(~visible, torch.finfo(dtype).min)


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-10)])
@pytest.mark.parametrize("hidden_size, num_heads, tokens", SHAPES)
def test_equals_the_library_forward_and_backward(hidden_size, num_heads, tokens, dtype, tolerance):
    theirs = pair(hidden_size, num_heads)[0].to(dtype)
    hidden, weight = torch.randn(2, 2, tokens, hidden_size, dtype=dtype)
    visible = some_mask(2, tokens)[:, None, None, :]
    other = hidden.clone().requires_grad_()
    context, table = theirs.self(other, attention_mask=their_mask(visible, dtype))
    expected = theirs.output.dense(context)
    (expected * weight).sum().backward()

    for return_probabilities in (True, False):  # our own path, and the fused one
        ours, mine = copy_of(theirs), hidden.clone().requires_grad_()
        result, probabilities = ours(mine, visible, return_probabilities)
        if return_probabilities:
            torch.testing.assert_close(probabilities, table, atol=tolerance, rtol=0)
        torch.testing.assert_close(result, expected, atol=within(tolerance, expected), rtol=0)

        (result * weight).sum().backward()
        gradients = {"hidden": (mine.grad, other.grad)}
        for name, layer in linear_layers(theirs).items():
            gradients[f"{name}.weight"] = (getattr(ours, name).weight.grad, layer.weight.grad)
            gradients[f"{name}.bias"] = (getattr(ours, name).bias.grad, layer.bias.grad)
        largest = max(theirs_.abs().max() for _, theirs_ in gradients.values())
        for name, (ours_, theirs_) in gradients.items():
            assert (ours_ - theirs_).abs().max() <= tolerance * largest, name


def test_the_whole_block_equals_the_library():
    theirs, ours = pair(36, 3)
    hidden, visible = torch.randn(2, 7, 36), some_mask(2, 7)[:, None, None, :]
    expected = theirs(hidden, attention_mask=their_mask(visible, torch.float32))[0]
    block = theirs.output.LayerNorm(hidden + ours(hidden, visible)[0])
    torch.testing.assert_close(block, expected, atol=1e-5, rtol=0)


@pytest.fixture(scope="module")
def minilm():
    return BertModel.from_pretrained(data.fetch("minilm"), attn_implementation="eager").eval()


@pytest.mark.parametrize("layer", range(6))
def test_equals_the_library_on_every_layer_of_minilm(minilm, layer):
    ids = torch.randint(1000, 30000, (2, 16))
    visible = some_mask(2, 16)
    theirs = minilm.encoder.layer[layer].attention
    with torch.no_grad():
        hidden = minilm(ids, visible.long(), output_hidden_states=True).hidden_states[layer]
        mask = visible[:, None, None, :]
        context, table = theirs.self(hidden, attention_mask=their_mask(mask, torch.float32))
        expected = theirs.output.dense(context)
        result, probabilities = copy_of(theirs)(hidden, mask, return_probabilities=True)
        fused, _ = copy_of(theirs)(hidden, mask)
    torch.testing.assert_close(probabilities, table, atol=1e-5, rtol=0)
    tolerance = within(1e-5, expected)
    torch.testing.assert_close(result, expected, atol=tolerance, rtol=0)
    torch.testing.assert_close(fused, expected, atol=tolerance, rtol=0)


# --- invariances, dropout, cost ---------------------------------------------------------------------------


@pytest.mark.parametrize("return_probabilities", [True, False])
def test_permuting_tokens_or_texts_permutes_the_result(return_probabilities):
    attention, hidden = MultiHeadSelfAttention(24, 3).eval(), torch.randn(4, 6, 24)
    result, _ = attention(hidden, None, return_probabilities)
    tokens, texts = torch.randperm(6), torch.randperm(4)
    by_token, _ = attention(hidden[:, tokens], None, return_probabilities)
    by_text, _ = attention(hidden[texts], None, return_probabilities)
    torch.testing.assert_close(by_token, result[:, tokens], atol=1e-6, rtol=0)
    torch.testing.assert_close(by_text, result[texts], atol=1e-6, rtol=0)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_dropout_at_the_stated_rate(rate):
    query, key = torch.randn(2, 300, 16)
    after, before = scaled_dot_product_attention(query, key, torch.eye(300), dropout=rate)
    dropped = after == 0
    assert dropped.float().mean().item() == pytest.approx(rate, abs=0.01)
    torch.testing.assert_close(after[~dropped], before[~dropped] / (1 - rate))
    torch.testing.assert_close(before.sum(-1), torch.ones(300))  # what is returned is the table before


@pytest.mark.parametrize("return_probabilities", [True, False])
def test_dropout_is_on_in_training_and_off_in_evaluation(return_probabilities):
    attention, hidden = MultiHeadSelfAttention(24, 3, dropout=0.5), torch.randn(2, 6, 24)
    runs = [attention.train()(hidden, None, return_probabilities)[0] for _ in range(2)]
    assert not torch.equal(*runs)
    runs = [attention.eval()(hidden, None, return_probabilities)[0] for _ in range(2)]
    assert torch.equal(*runs)
    no_dropout = MultiHeadSelfAttention(24, 3, dropout=0.0)
    no_dropout.load_state_dict(attention.state_dict())
    torch.testing.assert_close(no_dropout.train()(hidden)[0], runs[0], atol=1e-6, rtol=0)


def test_the_fused_path_keeps_no_table_for_the_backward_pass():
    attention = MultiHeadSelfAttention(48, 4).eval()
    for return_probabilities, table_expected in ((True, True), (False, False)):
        sizes = []

        def note(tensor, sizes=sizes):
            sizes.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            attention(torch.randn(1, 300, 48), None, return_probabilities)
        assert (max(sizes) >= 4 * 300 * 300) == table_expected


# --- the posters ------------------------------------------------------------------------------------------


def numbers_of(picture: str, group: str) -> list[float]:
    """The numbers written in one group of an SVG, row by row."""
    text = (IMAGES / picture).read_text(encoding="utf-8")
    inside = text.split(f'<g id="{group}">')[1].split("</g>")[0]
    found = re.findall(r"<text[^>]*>([\u2212\d.]+)</text>", inside)
    return [float(number.replace("\u2212", "-")) for number in found]


def test_the_numbers_in_the_poster_of_one_head_are_right():
    read = {name: torch.tensor(numbers_of("attention_head.svg", name)) for name in ("tokens", "scores")}
    query, key, value = (
        torch.tensor(numbers_of("attention_head.svg", name)).view(3, 2) for name in ("query", "key", "value")
    )
    assert read["tokens"].shape == (12,)
    assert torch.equal(query @ key.T, read["scores"].view(3, 3))
    context, probabilities = scaled_dot_product_attention(query, key, value)
    for name, expected in (("probabilities", probabilities), ("context", context)):
        drawn = numbers_of("attention_head.svg", name)
        assert drawn == [round(number, 2) for number in expected.flatten().tolist()]


@pytest.mark.parametrize(
    "picture",
    ["attention_head.svg", "attention_heads_reshape.svg", "encoder_block.svg", "input_representation.svg"],
)
def test_posters_are_legible_in_any_theme(picture):
    text = (IMAGES / picture).read_text(encoding="utf-8")
    width = float(re.search(r'viewBox="0 0 (\d+) ', text)[1])
    smallest = min(float(size) for size in re.findall(r'font-size="([\d.]+)"', text))
    assert smallest * 700 / width >= 11.9, "text of at least 12 pixels where the page is 700 wide"
    assert re.search(rf'<rect width="{width:.0f}" [^>]*fill="#fbfaf7"', text), "an opaque background"
    assert (
        "<title" in text and "<desc" in text and "http" not in text.replace("http://www.w3.org/2000/svg", "")
    )
