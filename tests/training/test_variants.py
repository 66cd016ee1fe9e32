"""Variants of the encoder: equal to the taught one, to the library's, and to formulas written out."""

import pytest
import torch
from torch.nn import functional
from transformers.models.bloom.modeling_bloom import build_alibi_tensor

from helpers.encoder import Bert, BertConfig
from helpers.pretraining import BertForPreTraining
from helpers.training.shortcuts import masked_token_logits
from helpers.training.variants import (
    VariantBert,
    alibi_slopes,
    masked_variant_logits,
    shrink_by_layer,
    to_megatron,
)
from tests.training.small_encoders import make_batch, with_random_weights

CONFIG = BertConfig(50, 24, 3, 6, 48, max_positions=20, dropout=0.0, init_std=None)


def make_model(norm="post", seed=0, bias="distance"):
    return with_random_weights(lambda: VariantBert(CONFIG, norm, bias), seed)


@pytest.mark.parametrize("heads", [1, 2, 4, 6, 8, 12])
def test_slopes_are_those_of_the_library(heads):
    theirs = build_alibi_tensor(torch.ones(1, 2), heads, torch.float32)[:, 0, 1]  # one token further
    assert alibi_slopes(heads) == pytest.approx(theirs.tolist())


@pytest.mark.parametrize("padded", [False, True])
def test_post_norm_without_a_bias_is_the_taught_encoder(padded):
    model = make_model()
    taught = BertForPreTraining(Bert(CONFIG)).eval()
    taught.load_state_dict(model.state_dict())
    ids, type_ids, mask, positions = make_batch(18, padded)
    ours, theirs = model(ids, type_ids, mask), taught(ids, type_ids, mask)
    assert torch.equal(ours.token_logits, theirs.token_logits)
    assert torch.equal(ours.next_logits, theirs.next_logits)
    short = masked_variant_logits(model, ids, positions, type_ids, mask)
    assert torch.equal(short, masked_token_logits(taught, ids, positions, type_ids, mask))


@pytest.mark.parametrize("padded", [False, True])
def test_pre_norm_is_the_library_s(padded):
    model = make_model("pre")
    theirs = to_megatron(model)
    ids, type_ids, mask, _ = make_batch(18, padded)
    visible = torch.ones_like(ids) if mask is None else mask
    with torch.no_grad():
        logits = theirs(ids, token_type_ids=type_ids, attention_mask=visible).logits
        ours = model(ids, type_ids, mask).token_logits
    torch.testing.assert_close(ours[visible.bool()], logits[visible.bool()], rtol=0, atol=1e-5)


OFFSETS = [(4.0, offset) for offset in (-1, 1, -2, 2, -3, 3)]


@pytest.mark.parametrize(
    ("kind", "heads"), [("distance", [(slope, 0) for slope in alibi_slopes(6)]), ("offsets", OFFSETS)]
)
def test_the_bias_is_a_slope_times_a_distance(kind, heads):
    """One post-norm layer, written out with loops over heads and tokens."""
    torch.manual_seed(0)
    config = BertConfig(50, 24, 1, 6, 48, max_positions=20, dropout=0.0, init_std=None)
    bert = VariantBert(config, bias=kind).double()
    bert.bias_share = 0.7
    ids = torch.randint(5, 50, (1, 9))
    layer, hidden = bert.layers[0], bert.embeddings(ids)[0]
    attention, parts = layer.attention, []
    for head, (slope, offset) in enumerate(heads):
        rows = slice(4 * head, 4 * head + 4)
        q, k, v = (part(hidden)[:, rows] for part in (attention.query, attention.key, attention.value))
        scores = q @ k.T / 2
        for i in range(9):
            for j in range(9):
                scores[i, j] -= 0.7 * slope * abs(j - i - offset)
        parts.append(scores.softmax(dim=1) @ v)
    hidden = layer.attention_norm(hidden + attention.output(torch.cat(parts, dim=1)))
    wanted = layer.feed_forward_norm(hidden + layer.feed_forward(hidden))
    torch.testing.assert_close(bert(ids).last_hidden_state[0], wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("norm", ["post", "pre"])
@pytest.mark.parametrize(("share", "bias"), [(0.0, "distance"), (0.5, "distance"), (0.5, "offsets")])
@pytest.mark.parametrize("padded", [False, True])
def test_only_what_is_asked_is_computed_and_nothing_else_changes(norm, share, bias, padded):
    model = make_model(norm, bias=bias).double()
    model.bert.bias_share = share
    ids, type_ids, mask, positions = make_batch(18, padded)
    used = [w for name, w in model.named_parameters() if "pooler" not in name and "next" not in name]
    results = []
    for logits in (
        model(ids, type_ids, mask, positions).token_logits,
        masked_variant_logits(model, ids, positions, type_ids, mask),
    ):
        loss = functional.cross_entropy(logits, ids[positions])
        results.append([logits, *torch.autograd.grad(loss, used)])
    for whole, short in zip(*results, strict=True):
        torch.testing.assert_close(short, whole, rtol=1e-9, atol=1e-12)


def test_shrunk_blocks_add_as_much_as_one():
    bert, plain = make_model("pre").bert, make_model("pre").bert
    shrink_by_layer(bert)
    for mine, other in zip(bert.layers, plain.layers, strict=True):
        torch.testing.assert_close(mine.attention.output.weight * 6**0.5, other.attention.output.weight)
        torch.testing.assert_close(mine.feed_forward.narrow.weight * 6**0.5, other.feed_forward.narrow.weight)
        assert torch.equal(mine.attention.query.weight, other.attention.query.weight)


def test_what_is_no_variant_is_refused():
    with pytest.raises(ValueError, match="norm must be one of post, pre, not 'mid'"):
        VariantBert(CONFIG, "mid")
    with pytest.raises(ValueError, match="bias must be one of distance, offsets, not 'left'"):
        VariantBert(CONFIG, bias="left")
    with pytest.raises(ValueError, match="keeps no attention probabilities"):
        make_model().bert(make_batch(18)[0], output_attentions=True)
    biased = make_model("pre")
    biased.bert.bias_share = 0.1
    for model in (make_model(), biased, BertForPreTraining(Bert(CONFIG))):
        with pytest.raises(ValueError, match="only a pre-norm VariantBert"):
            to_megatron(model)
