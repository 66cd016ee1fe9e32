"""Changes to the encoder: with none the taught `Bert`, with all the taught `ModernBert`, and each alone."""

import itertools

import pytest
import torch

from helpers.encoder import Bert, BertConfig
from helpers.modern import ModernBert, ModernConfig
from helpers.pretraining import BertForPreTraining
from helpers.training.changes import CHANGES, ChangedBert
from helpers.training.variants import masked_variant_logits
from tests.training.small_encoders import make_batch, with_random_weights

CONFIG = BertConfig(50, 24, 5, 3, 48, max_positions=24, dropout=0.0, init_std=None, norm_eps=1e-5)


def make_model(changes, window=6):
    return with_random_weights(lambda: ChangedBert(CONFIG, changes, window))


def test_without_changes_it_is_the_taught_encoder():
    model, taught = make_model(()), BertForPreTraining(Bert(CONFIG)).eval()
    taught.load_state_dict(model.state_dict())
    ids, type_ids, mask, _ = make_batch(22)
    assert torch.equal(model(ids, type_ids, mask).token_logits, taught(ids, type_ids, mask).token_logits)


@pytest.mark.parametrize("padded", [False, True])
def test_with_all_changes_it_is_the_modern_encoder(padded):
    bert = make_model(CHANGES).bert
    config = ModernConfig(50, 24, 5, 3, 32, pad_token_id=0, window=6)
    modern = ModernBert(config).eval()
    modern.load_state_dict({n: w for n, w in bert.state_dict().items() if "pooler" not in n})
    ids, type_ids, mask, _ = make_batch(22, padded)
    ours = bert(ids, type_ids, mask).last_hidden_state
    theirs = modern(ids, attention_mask=mask).last_hidden_state
    real = torch.ones_like(ids).bool() if mask is None else mask.bool()
    assert (ours - theirs)[real].abs().max() < 1e-5


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("changes", [*itertools.combinations(CHANGES, 1), CHANGES, ("rotary", "local")])
def test_the_last_layer_at_masked_positions_only(changes, padded):
    model = make_model(changes)
    ids, type_ids, mask, positions = make_batch(22, padded)
    whole = model(ids, type_ids, mask).token_logits[positions]
    short = masked_variant_logits(model, ids, positions, type_ids, mask)
    assert (whole - short).abs().max() < 1e-4


def outputs(changes, ids, type_ids, window=6):
    bert = make_model(changes, window).bert
    return bert(ids, type_ids).last_hidden_state


def test_what_each_change_leaves_out():
    names = {changes: {n for n, _ in ChangedBert(CONFIG, changes).named_parameters()} for changes in [
        (), ("rotary",), ("no segments",), ("no biases",), ("pre-norm",), ("GeGLU",), ("local",)
    ]}  # fmt: skip
    plain = names[()]
    assert plain - names[("rotary",)] == {"embeddings.position.weight"}
    assert plain - names[("no segments",)] == {"embeddings.segment.weight"}
    assert plain - names[("no biases",)] == {n for n in plain if n.endswith("bias") and "pooler" not in n}
    assert plain ^ names[("pre-norm",)] == {
        "final_norm.weight", "final_norm.bias", "layers.0.attention_norm.weight",
        "layers.0.attention_norm.bias",
    }  # fmt: skip
    assert names[("local",)] == plain
    sizes = [sum(w.numel() for w in ChangedBert(CONFIG, c).parameters()) for c in ((), ("GeGLU",))]
    assert abs(sizes[1] / sizes[0] - 1) < 0.01


def test_segments_places_and_windows_do_what_they_say():
    ids, type_ids, _, _ = make_batch(22, False)
    other = 1 - type_ids
    assert torch.equal(outputs(("no segments",), ids, type_ids), outputs(("no segments",), ids, other))
    assert not torch.equal(outputs((), ids, type_ids), outputs((), ids, other))
    repeated = ids[:, :1].expand(-1, 22)
    same = torch.zeros_like(ids)
    by_place = outputs(("rotary",), repeated, same)  # all tokens alike: averages of the same, at every place
    assert (by_place - by_place[:, :1]).abs().max() < 1e-5
    assert (outputs((), repeated, same)[:, 0] - outputs((), repeated, same)[:, 1]).abs().max() > 0.01
    local, whole = outputs(("local",), ids, type_ids, 2), outputs(("local",), ids, type_ids, 100)
    assert not torch.allclose(local, whole, atol=1e-3)
    assert torch.allclose(whole, outputs((), ids, type_ids), atol=1e-5)


def test_another_change_is_refused():
    with pytest.raises(ValueError, match="changes are rotary, .*not 'swish'"):
        ChangedBert(CONFIG, ("rotary", "swish"))
