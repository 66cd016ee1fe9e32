"""The modern encoder against `ModernBertModel`: outputs and gradients, windows, padding; its parts alone."""

import math

import pytest
import torch
import transformers
from torch.nn import functional

from helpers import checkpoints
from helpers.checkpoints.configuration import CheckpointError
from helpers.modern import GatedFeedForward, ModernBert, ModernConfig
from helpers.pretraining import BertForPreTraining

SHAPES = {  # layers, hidden, heads, inside, window, every, then B, T
    "as ModernBERT, small": (4, 32, 4, 48, 8, 3, 3, 40),
    "window 2": (3, 24, 3, 20, 2, 2, 2, 19),
    "odd window": (3, 24, 3, 20, 7, 3, 2, 33),
    "window longer than the text": (3, 16, 2, 24, 128, 3, 2, 11),
    "window as long as the text": (3, 16, 2, 24, 16, 3, 2, 16),
    "all layers global": (2, 16, 2, 24, 8, 1, 2, 20),
    "one global layer": (3, 16, 2, 24, 8, 5, 2, 37),
    "one token": (3, 16, 2, 24, 4, 3, 4, 1),
    "one layer": (1, 16, 1, 10, 4, 3, 2, 12),
}


def pair_of_models(shape, seed=0):
    """The library's model, all weights random, those of the norms included, and ours with the same."""
    layers, hidden, heads, inside, window, every = shape[:6]
    torch.manual_seed(seed)
    theirs = transformers.ModernBertModel(
        transformers.ModernBertConfig(
            vocab_size=60, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
            intermediate_size=inside, local_attention=window, global_attn_every_n_layers=every,
            max_position_embeddings=64, pad_token_id=0, cls_token_id=1, sep_token_id=2, bos_token_id=1,
            eos_token_id=2, attn_implementation="eager",
        )
    ).eval()  # fmt: skip
    with torch.no_grad():
        for weight in theirs.parameters():
            weight.normal_(1.0 if weight.dim() == 1 else 0.0, 0.2)
    return checkpoints.from_modernbert(theirs), theirs


def batch_of(batch, length, padded):
    torch.manual_seed(length)
    ids = torch.randint(1, 60, (batch, length))
    lengths = torch.tensor([length, max(1, length // 3), *[length] * batch])[:batch, None]
    mask = (torch.arange(length) < lengths).long() if padded else None
    return ids, mask


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("name", SHAPES)
def test_equal_to_the_library(name, padded):
    ours, theirs = pair_of_models(SHAPES[name])
    ids, mask = batch_of(*SHAPES[name][6:], padded)
    real = torch.ones_like(ids) if mask is None else mask
    mine = ours(ids, attention_mask=mask).last_hidden_state
    reference = theirs(input_ids=ids, attention_mask=mask).last_hidden_state
    assert (mine - reference)[real.bool()].abs().max() < 1e-5

    weights = torch.randn_like(mine) * real[:, :, None]  # a loss of the real tokens
    (mine * weights).sum().backward()
    (reference * weights).sum().backward()
    gradients = {n: w.grad for n, w in ours.named_parameters()}
    gradients = checkpoints.under_modernbert_names(gradients, ours.config.num_layers)
    largest = max(weight.grad.abs().max() for weight in theirs.parameters())
    for weight_name, weight in theirs.named_parameters():
        assert (gradients[weight_name] - weight.grad).abs().max() < 1e-5 * largest, weight_name


@pytest.mark.parametrize("padded", [False, True])
def test_every_layer_and_its_attention(padded):
    ours, theirs = pair_of_models(SHAPES["as ModernBERT, small"])
    ids, mask = batch_of(3, 40, padded)
    real = torch.ones_like(ids).bool() if mask is None else mask.bool()
    settings = {"attention_mask": mask, "output_hidden_states": True, "output_attentions": True}
    mine, reference = ours(ids, **settings), theirs(input_ids=ids, **settings)
    assert len(mine.hidden_states) == len(reference.hidden_states) == 5
    for state, other in zip(mine.hidden_states, reference.hidden_states, strict=True):
        assert (state - other)[real].abs().max() < 1e-5
    for seen, other in zip(mine.attentions, reference.attentions, strict=True):
        assert (seen - other).transpose(1, 2)[real].abs().max() < 1e-5
    assert torch.equal(mine.pooled_output, mine.last_hidden_state[:, 0])


def test_there_and_back():
    ours, theirs = pair_of_models(SHAPES["odd window"])
    again = checkpoints.to_modernbert(ours)
    assert again.state_dict().keys() == theirs.state_dict().keys()
    for name, weight in theirs.state_dict().items():
        assert torch.equal(again.state_dict()[name], weight)
    ids, mask = batch_of(2, 33, True)
    found, wanted = (model(input_ids=ids, attention_mask=mask)[0] for model in (again, theirs))
    assert torch.equal(found, wanted)
    back = checkpoints.from_modernbert(again)
    assert back.config == ours.config and not again.training


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"attention_bias": True}, "attention_bias must be False, not True"),
        ({"norm_bias": True}, "norm_bias must be False"),
        ({"mlp_dropout": 0.1}, "mlp_dropout must be 0.0, not 0.1"),
        ({"hidden_activation": "silu"}, "hidden_activation must be gelu, not silu"),
        ({"layer_types": ["sliding_attention", "full_attention"]}, "see the whole text"),
    ],
)
def test_what_ours_has_not_is_refused(setting, words):
    config = {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
              "intermediate_size": 8, "pad_token_id": 0} | setting  # fmt: skip
    theirs = transformers.ModernBertModel(transformers.ModernBertConfig(**config))
    with pytest.raises(CheckpointError, match=words):
        checkpoints.from_modernbert(theirs)


def test_other_models_and_dropout_are_refused():
    ours, _ = pair_of_models(SHAPES["one layer"])
    with pytest.raises(CheckpointError, match="ModernBert is no ModernBertModel"):
        checkpoints.from_modernbert(ours)
    with pytest.raises(CheckpointError, match="dropout=0.0"):
        checkpoints.to_modernbert(ModernBert(ModernConfig(30, 8, 1, 2, 8, dropout=0.1, pad_token_id=0)))


def test_the_defaults_are_modernbert_base():
    theirs = transformers.ModernBertConfig()
    assert checkpoints.modern.our_modern_config(theirs) == ModernConfig()
    with torch.device("meta"):
        model = ModernBert(ModernConfig())
    assert sum(weight.numel() for weight in model.parameters()) == 149_014_272


def test_gated_feed_forward_by_hand():
    block = GatedFeedForward(2, 1)
    with torch.no_grad():
        block.widen.weight.copy_(torch.tensor([[1.0, 2.0]]))
        block.gate.weight.copy_(torch.tensor([[3.0, -1.0]]))
        block.narrow.weight.copy_(torch.tensor([[1.0], [10.0]]))
    gelu = 5 * 0.5 * (1 + math.erf(5 / math.sqrt(2)))  # of 1 · 1 + 2 · 2
    assert block(torch.tensor([[[1.0, 2.0]]])).flatten().tolist() == pytest.approx([gelu, 10 * gelu])
    assert GatedFeedForward(2, 3, bias=True).gate.bias is not None


def test_the_first_weights_have_their_sizes():
    torch.manual_seed(0)
    model = ModernBert(ModernConfig(500, 128, 4, 4, 192, pad_token_id=0))
    cut = 0.8796  # standard deviation of a normal distribution cut off at two
    for name, weight in model.named_parameters():
        if weight.dim() == 2:
            wanted = 0.02 / math.sqrt(8) if name.endswith(("output.weight", "narrow.weight")) else 0.02
            assert weight.std().item() == pytest.approx(cut * wanted, rel=0.05), name
            assert weight.abs().max() <= 2 * wanted + 1e-6
    narrow = ModernBert(ModernConfig(500, 128, 4, 4, 192, init_std=None, pad_token_id=0))
    narrow = narrow.layers[1].attention.query.weight
    assert narrow.std().item() == pytest.approx(cut / math.sqrt(128), rel=0.05)


def test_heads_and_input_checks():
    model = BertForPreTraining(ModernBert(ModernConfig(40, 16, 2, 2, 24, pad_token_id=0)))
    ids = torch.randint(1, 40, (2, 7))
    assert model(ids, torch.zeros_like(ids)).token_logits.shape == (2, 7, 40)
    with pytest.raises(ValueError, match=r"type_ids must lie in 0\.\.0"):
        model(ids, torch.ones_like(ids))
    with pytest.raises(ValueError, match="no visible token"):
        model(ids, attention_mask=torch.tensor([[1] * 7, [0] * 7]))


def test_a_pad_outside_the_vocabulary_is_refused():
    with pytest.raises(ValueError, match="pad_token_id must be an entry, 0 to 39, not 50283"):
        ModernBert(ModernConfig(40, 16, 2, 2, 24))


def test_texts_have_no_longest_length():
    model = ModernBert(ModernConfig(40, 16, 2, 2, 24, max_positions=8, pad_token_id=0, window=4)).eval()
    assert model(torch.randint(1, 40, (1, 600))).last_hidden_state.shape == (1, 600, 16)


def test_layers_of_today_written_out():
    """One text through two layers, as the formulas say it, with no class of ours."""
    config = ModernConfig(20, 8, 2, 1, 6, pad_token_id=None, window=2, global_every=2)
    torch.manual_seed(0)
    model = ModernBert(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(1.0 if weight.dim() == 1 else 0.0, 0.3)
    w = dict(model.named_parameters())
    ids = torch.randint(20, (6,))

    def norm(x, name):
        return functional.layer_norm(x, (8,), w[f"{name}.weight"], eps=1e-5)

    x = norm(w["embeddings.token.weight"][ids], "embeddings.norm")
    for layer, base, reach in ((0, 160_000.0, 6), (1, 10_000.0, 1)):
        at = f"layers.{layer}"
        read = norm(x, f"{at}.attention_norm") if layer else x
        q, k, v = (read @ w[f"{at}.attention.{n}.weight"].T for n in ("query", "key", "value"))
        turn = torch.zeros(6, 8, 8)
        for place in range(6):
            for i in range(4):
                angle = torch.tensor(place / base ** (2 * i / 8))
                turn[place, i, i] = turn[place, i + 4, i + 4] = angle.cos()
                turn[place, i, i + 4], turn[place, i + 4, i] = -angle.sin(), angle.sin()
        q, k = ((turn @ each[:, :, None])[:, :, 0] for each in (q, k))
        scores = q @ k.T / math.sqrt(8)
        distance = (torch.arange(6) - torch.arange(6)[:, None]).abs()
        probabilities = scores.masked_fill(distance > reach, -1e30).softmax(-1)
        x = x + probabilities @ v @ w[f"{at}.attention.output.weight"].T
        read = norm(x, f"{at}.feed_forward_norm")
        inside = functional.gelu(read @ w[f"{at}.feed_forward.widen.weight"].T)
        inside = inside * (read @ w[f"{at}.feed_forward.gate.weight"].T)
        x = x + inside @ w[f"{at}.feed_forward.narrow.weight"].T
    expected = norm(x, "final_norm")
    assert (model(ids[None]).last_hidden_state[0] - expected).abs().max() < 1e-5
