"""The encoder against the library's, forward and backward, and what must hold whatever the weights are."""

import math
from functools import partial

import pytest
import torch
import transformers
from torch.utils.flop_counter import FlopCounterMode

from helpers import checkpoints, data
from helpers.encoder import Bert, BertConfig, FeedForward, check_inputs, evaluating, initialize_weights
from helpers.pretraining import BertForPreTraining
from helpers.wordpiece import pad_encodings

SMALL = BertConfig(
    vocab_size=50, hidden_size=24, num_layers=3, num_heads=4, intermediate_size=40, max_positions=20
)


pytestmark = pytest.mark.usefixtures("quiet_libraries")


def small(seed=0, **changes):
    """A small encoder whose biases and LayerNorms are not the neutral ones that they start as."""
    torch.manual_seed(seed)
    bert = Bert(BertConfig(**SMALL.__dict__ | {"init_std": None} | changes))
    scatter(bert)
    return bert.eval()


def scatter(model):
    """Move what starts neutral (biases, LayerNorm), and matrices unless they are large, which takes long."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.numel() < 100_000:
                parameter.add_(0.05 * torch.randn_like(parameter))


# Equal to the library, forward and backward

# name: (B, T), and what differs from the library's own default, which is the shape of bert-base
SHAPES = {
    "bert-base": ((2, 24), {}),
    "one layer": ((3, 17), {"num_hidden_layers": 1, "hidden_size": 64, "num_attention_heads": 4}),
    "one head": (
        (3, 17),
        {"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 1, "layer_norm_eps": 1e-3},
    ),
    "hidden 36, 3 heads": ((4, 23), {"num_hidden_layers": 3, "hidden_size": 36, "num_attention_heads": 3}),
    "T = 1": ((5, 1), {"num_hidden_layers": 2, "hidden_size": 48, "num_attention_heads": 6}),
    "T = 512": ((2, 512), {"num_hidden_layers": 4, "hidden_size": 64, "num_attention_heads": 4}),
    "V = 11": (
        (3, 9),
        {"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 2, "vocab_size": 11},
    ),
    "deep and narrow": ((2, 30), {"num_hidden_layers": 24, "hidden_size": 16, "num_attention_heads": 2}),
    "heads of one": ((2, 12), {"num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 8}),
}
DTYPES = {"fp32": torch.float32, "fp64": torch.float64}


def bounds(dtype):
    """(forward, backward): how far from the reference is still equal."""
    return (1e-5, 1e-5) if dtype == torch.float32 else (1e-10, 1e-10)


def recorded(modules, run):
    """The outputs of modules, {name: tensor}, while `run` runs."""
    outputs = {}

    def keep(name, _module, _inputs, output):
        outputs[name] = (output if torch.is_tensor(output) else output[0]).detach()

    handles = [module.register_forward_hook(partial(keep, name)) for name, module in modules.items()]
    run()
    for handle in handles:
        handle.remove()
    return outputs


def parts(bert, ours):
    """The modules whose outputs are compared, under one set of names."""
    modules = {"embeddings": bert.embeddings}
    for number, layer in enumerate(bert.layers if ours else bert.encoder.layer, 1):
        modules |= {
            f"attention {number}": layer.attention if ours else layer.attention.output.dense,
            f"attended {number}": layer.attention_norm if ours else layer.attention.output,
            f"widened {number}": layer.feed_forward.widen if ours else layer.intermediate.dense,
            f"layer {number}": layer.feed_forward_norm if ours else layer.output,
        }
    return modules


def gradients(model, loss):
    """{our or their name: gradient of the loss}; every parameter must have one."""
    model.zero_grad()
    loss.backward()
    assert all(p.grad is not None for p in model.parameters())
    found = {name: p.grad for name, p in model.named_parameters()}
    for p in model.parameters():
        p.grad = None
    return found


def compare(ours, theirs, bound, scale=None):
    assert ours.keys() == theirs.keys()
    for name, wanted in theirs.items():
        largest = max(1, wanted.abs().max().item()) if scale is None else scale
        assert ours[name].shape == wanted.shape, name
        difference = (ours[name] - wanted).abs().max().item()
        assert difference <= bound * largest, f"{name}: {difference:.1e}, at most {bound * largest:.1e}"


def compare_gradients(ours, theirs, bound):
    renamed = {checkpoints.their_name(name): gradient for name, gradient in ours.items()}
    largest = max(gradient.abs().max().item() for gradient in theirs.values())
    assert largest > 0
    compare(renamed, theirs, bound, scale=largest)


def pretraining_case(shape, settings, dtype):
    """A model of the library with random weights, a batch for it, and labels for both heads."""
    torch.manual_seed(3)
    sizes = {"vocab_size": 97, "intermediate_size": 50} if settings else {}
    config = transformers.BertConfig(**(sizes | settings), attn_implementation="eager")
    reference = transformers.BertForPreTraining(config).eval().to(dtype)
    scatter(reference)
    batch = random_batch(shape, config.vocab_size)
    labels = torch.randint(config.vocab_size, shape), torch.randint(2, shape[:1])
    return reference, batch, labels


def random_batch(shape, vocab_size):
    """Random ids and segments; the last text is padded over its second half."""
    batch = {"ids": torch.randint(vocab_size, shape), "type_ids": torch.randint(2, shape)}
    batch["attention_mask"] = torch.ones(shape, dtype=torch.long)
    batch["attention_mask"][-1, (shape[1] + 1) // 2 :] = 0
    return batch


def theirs_of(batch):
    names = {"ids": "input_ids", "type_ids": "token_type_ids", "attention_mask": "attention_mask"}
    return {names[name]: values for name, values in batch.items()}


def loss_of(token_logits, next_logits, labels):
    cross_entropy = torch.nn.functional.cross_entropy
    return cross_entropy(token_logits.flatten(0, 1), labels[0].flatten()) + cross_entropy(
        next_logits, labels[1]
    )


def run_theirs(reference, batch, labels):
    """Everything to compare: ({name: output}, {name: gradient}) of the library's model."""
    kept = {}

    def run():
        kept["output"] = reference(**theirs_of(batch), output_attentions=True, output_hidden_states=True)

    values = recorded(parts(reference.bert, ours=False), run)
    output = kept["output"]
    loss = loss_of(output.prediction_logits, output.seq_relationship_logits, labels)
    values |= {f"probabilities {n}": p.detach() for n, p in enumerate(output.attentions, 1)}
    values |= {f"hidden state {n}": h.detach() for n, h in enumerate(output.hidden_states)}
    values["token logits"] = output.prediction_logits.detach()
    values["next logits"] = output.seq_relationship_logits.detach()
    return values, gradients(reference, loss)


def run_ours(model, batch, labels, explicit):
    """As `run_theirs`; `explicit` asks for probabilities, without it PyTorch's fused kernel runs."""
    kept, forward = {}, model.bert.forward

    def encode(*inputs):
        kept["output"] = forward(*inputs, output_hidden_states=True, output_attentions=explicit)
        return kept["output"]

    def run():
        kept["logits"] = model(**batch)

    model.bert.forward = encode
    values = recorded(parts(model.bert, ours=True), run)
    del model.bert.forward
    output, logits = kept["output"], kept["logits"]
    if explicit:
        values |= {f"probabilities {n}": p.detach() for n, p in enumerate(output.attentions, 1)}
    values |= {f"hidden state {n}": h.detach() for n, h in enumerate(output.hidden_states)}
    values["token logits"] = logits.token_logits.detach()
    values["next logits"] = logits.next_logits.detach()
    return values, gradients(model, loss_of(*logits, labels))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SHAPES)
def test_every_output_and_gradient_is_the_librarys(name, dtype):
    forward, backward = bounds(DTYPES[dtype])
    reference, batch, labels = pretraining_case(*SHAPES[name], DTYPES[dtype])
    theirs, wanted = run_theirs(reference, batch, labels)
    model = checkpoints.from_transformers(reference)
    del reference  # bert-base in double precision: 0.9 GB
    assert type(model) is BertForPreTraining
    assert {p.dtype for p in model.parameters()} == {DTYPES[dtype]}
    for explicit in (True, False):
        ours, found = run_ours(model, batch, labels, explicit)
        if not explicit:
            theirs = {key: value for key, value in theirs.items() if not key.startswith("probabilities")}
        compare(ours, theirs, forward)
        compare_gradients(found, wanted, backward)


@pytest.mark.parametrize("name", [name for name in SHAPES if name != "bert-base"])
def test_weights_go_back_to_the_library(name):
    reference, batch, labels = pretraining_case(*SHAPES[name], torch.float32)
    again = checkpoints.to_transformers(checkpoints.from_transformers(reference))
    assert again.state_dict().keys() == reference.state_dict().keys()
    for key, value in reference.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key
    (values, found), (theirs, wanted) = (run_theirs(m, batch, labels) for m in (again, reference))
    assert all(torch.equal(values[key], theirs[key]) for key in theirs)
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)


@pytest.fixture(scope="module")
def minilm():
    return checkpoints.load("minilm")


@pytest.fixture(scope="module")
def tokenizer(minilm):
    return minilm[1]


def wikipedia_batch(tokenizer, lengths):
    """One text of the Wikipedia slice per length, cut to that many tokens in all."""
    articles = [article.text for article in data.wikipedia() if len(article.text) > 5000]
    with pytest.warns(UserWarning, match="was cut"):
        rows = [tokenizer.encode(text, max_length=n) for text, n in zip(articles, lengths, strict=False)]
    return pad_encodings(rows)


def run_encoder(model, batch, seen, explicit):
    """Everything to compare of an encoder, ours or the library's, where `seen` (B, T) is true."""
    ours, kept = isinstance(model, Bert), {}
    inputs = batch if ours else theirs_of(batch)

    def run():
        kept["output"] = model(**inputs, output_hidden_states=True, output_attentions=explicit)

    values = recorded(parts(model, ours), run)
    output = kept["output"]
    pooled = output.pooled_output if ours else output.pooler_output
    values |= {f"hidden state {n}": h.detach() for n, h in enumerate(output.hidden_states)}
    for n, p in enumerate(output.attentions if explicit else [], 1):
        values[f"probabilities {n}"] = p.detach().transpose(1, 2)  # (B, T, A, T)
    values = {name: value[seen] for name, value in values.items()} | {"pooled": pooled.detach()}
    torch.manual_seed(0)
    loss = (output.last_hidden_state[seen] * torch.randn(seen.sum(), pooled.shape[1])).sum()
    loss = loss + (pooled * torch.randn(pooled.shape)).sum()
    return values, gradients(model, loss)


@pytest.mark.parametrize(
    ("dtype", "lengths", "kernel"),
    [
        ("fp32", [40, 12, 3, 25], "eager"),
        ("fp32", [40, 12, 3, 25], "sdpa"),
        ("fp32", [512, 200], "eager"),
        ("fp32", [512, 7], "sdpa"),
        ("fp64", [100, 30], "eager"),
    ],
)
def test_minilm_is_the_librarys(tokenizer, dtype, lengths, kernel):
    """In fp32 at visible tokens: what stands at padding is read by nobody, and there the real weights
    amplify rounding, the library's as much as ours, to differences of 1e-4. In fp64 everywhere."""
    forward, backward = bounds(DTYPES[dtype])
    batch = wikipedia_batch(tokenizer, lengths)
    seen = batch["attention_mask"].bool() | (dtype == "fp64")
    reference = transformers.BertModel.from_pretrained(data.fetch("minilm"), attn_implementation=kernel)
    reference = reference.eval().to(DTYPES[dtype])
    explicit = kernel == "eager"
    theirs, wanted = run_encoder(reference, batch, seen, explicit)
    ours, found = run_encoder(checkpoints.from_transformers(reference), batch, seen, explicit)
    assert len([key for key in ours if key.startswith("probabilities")]) == (6 if explicit else 0)
    compare(ours, theirs, forward)
    compare_gradients(found, wanted, backward)


def test_the_comparison_would_notice():
    """A model with one attention bias off by 1e-3 must fail the comparison that all the others pass."""
    reference, batch, labels = pretraining_case(*SHAPES["hidden 36, 3 heads"], torch.float32)
    theirs, wanted = run_theirs(reference, batch, labels)
    model = checkpoints.from_transformers(reference)
    with torch.no_grad():
        model.bert.layers[1].attention.value.bias[5] += 1e-3
    ours, found = run_ours(model, batch, labels, explicit=True)
    with pytest.raises(AssertionError, match="attention 2: "):
        compare(ours, theirs, 1e-5)
    with pytest.raises(AssertionError):
        compare_gradients(found, wanted, 1e-5)


# What must hold whatever the weights are


def test_padding_more_changes_nothing():
    bert = small()
    torch.manual_seed(1)
    ids = torch.randint(1, 50, (2, 7))
    alone = bert(ids, attention_mask=torch.ones_like(ids))
    for more in (1, 5, 13):
        padding = torch.randint(50, (2, more))  # whatever stands there
        mask = torch.cat([torch.ones(2, 7), torch.zeros(2, more)], dim=1).long()
        padded = bert(torch.cat([ids, padding], dim=1), attention_mask=mask)
        torch.testing.assert_close(
            padded.last_hidden_state[:, :7], alone.last_hidden_state, atol=1e-5, rtol=0
        )
        torch.testing.assert_close(padded.pooled_output, alone.pooled_output, atol=1e-5, rtol=0)


def test_a_text_is_the_same_alone_and_in_a_batch(minilm):
    model, tokenizer = minilm
    texts = ["The bank of the river.", "A longer text, so that the first one is padded here.", "Yes"]
    together = model(**tokenizer.encode_batch(texts))
    for row, text in enumerate(texts):
        alone = model(**tokenizer.encode_batch([text]))
        tokens = alone.last_hidden_state.shape[1]
        torch.testing.assert_close(
            together.last_hidden_state[row, :tokens], alone.last_hidden_state[0], atol=1e-5, rtol=0
        )


def test_permuting_the_batch_permutes_the_result():
    bert = small()
    batch = random_batch((6, 11), 50)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    straight = bert(**batch)
    permuted = bert(**{name: values[order] for name, values in batch.items()})
    torch.testing.assert_close(
        permuted.last_hidden_state, straight.last_hidden_state[order], atol=1e-5, rtol=0
    )
    torch.testing.assert_close(permuted.pooled_output, straight.pooled_output[order], atol=1e-5, rtol=0)


@pytest.mark.parametrize("explicit", [True, False])
def test_masking_a_position_is_removing_its_key_and_value(explicit):
    layer = small().layers[0]
    torch.manual_seed(1)
    hidden = torch.randn(2, 9, 24)
    kept = torch.tensor([0, 1, 3, 4, 6, 7, 8])
    mask = torch.zeros(1, 1, 1, 9, dtype=torch.bool)
    mask[..., kept] = True
    masked, probabilities = layer.attention(hidden, mask, explicit)
    removed, _ = layer.attention(hidden[:, kept], None, explicit)
    torch.testing.assert_close(masked[:, kept], removed, atol=1e-5, rtol=0)
    if explicit:
        assert (probabilities[..., ~mask.flatten()] == 0).all()


def test_without_positions_the_encoder_is_permutation_equivariant():
    bert = small()
    ids = torch.randint(50, (2, 12))
    order = torch.randperm(12, generator=torch.Generator().manual_seed(3))
    with_positions = bert(ids[:, order]).last_hidden_state - bert(ids).last_hidden_state[:, order]
    assert with_positions.abs().max() > 0.1
    torch.nn.init.zeros_(bert.embeddings.position.weight)
    without = bert(ids[:, order]).last_hidden_state - bert(ids).last_hidden_state[:, order]
    assert without.abs().max() <= 1e-5


def test_feed_forward_sees_each_token_alone():
    block = FeedForward(12, 48)
    hidden = torch.randn(2, 5, 12)
    singly = torch.stack([block(hidden[:, place]) for place in range(5)], dim=1)
    torch.testing.assert_close(block(hidden), singly)
    by_hand = block.widen(hidden)
    by_hand = by_hand * 0.5 * (1 + torch.erf(by_hand / math.sqrt(2)))
    torch.testing.assert_close(block(hidden), block.narrow(by_hand))


def test_dropout_is_off_in_evaluation_and_on_in_training_at_its_rate(monkeypatch):
    bert = small(dropout=0.3)
    ids = torch.randint(50, (16, 20))
    assert torch.equal(bert(ids).last_hidden_state, bert(ids).last_hidden_state)
    rates = []
    fused = torch.nn.functional.scaled_dot_product_attention

    def record(*inputs, **named):
        rates.append(named.get("dropout_p", inputs[4] if len(inputs) > 4 else 0.0))
        return fused(*inputs, **named)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", record)
    bert(ids)
    assert rates == [0.0] * 3
    bert.train()
    assert not torch.equal(bert(ids).last_hidden_state, bert(ids).last_hidden_state)
    assert rates == [0.0] * 3 + [0.3] * 6
    dropped = []
    for module in bert.modules():
        if isinstance(module, torch.nn.Dropout):
            module.register_forward_hook(lambda _module, _inputs, output: dropped.append(output))
    bert(ids)
    assert len(dropped) == 1 + 2 * 3  # after the embeddings, and in each layer after both blocks
    for output in dropped:
        share = (output == 0).float().mean().item()
        # a share of n numbers strays from the rate by about sqrt(0.3 * 0.7 / n): allow five times that
        assert abs(share - 0.3) < 5 * math.sqrt(0.21 / output.numel())


@pytest.mark.parametrize("fails", [False, True])
def test_evaluating_gives_every_part_its_mode_back(fails):
    bert = small().train()
    bert.layers[1].eval()
    bert.embeddings.norm.eval()
    modes = [part.training for part in bert.modules()]
    try:
        with evaluating(bert):
            assert not any(part.training for part in bert.modules())
            if fails:
                raise KeyError
    except KeyError:
        assert fails
    assert [part.training for part in bert.modules()] == modes
    assert len(set(modes)) == 2


def test_attention_drops_probabilities_at_its_rate():
    bert = small(dropout=0.3).train()
    attention = bert.layers[0].attention
    with torch.no_grad():  # every value becomes 1, so that an output is the sum of what was not dropped
        attention.value.weight.zero_()
        attention.value.bias.fill_(1.0)
        attention.output.weight.copy_(torch.eye(24))
        attention.output.bias.zero_()
        attention.query.weight.zero_()
        attention.query.bias.zero_()
    torch.manual_seed(0)
    for explicit in (True, False):
        sums, _ = attention(torch.randn(64, 20, 24), None, explicit)  # multiples of 1 / (20 * 0.7)
        kept = sums.unflatten(-1, (4, 6))[..., 0] * 20 * 0.7
        torch.testing.assert_close(kept, kept.round(), atol=1e-3, rtol=0)
        assert abs(kept.mean().item() / 20 - 0.7) < 5 * math.sqrt(0.21 / (kept.numel() * 20))


# Shapes, counts, initialization


def test_shapes_and_what_is_returned_on_request():
    output = small()(torch.randint(50, (2, 7)))
    assert output.last_hidden_state.shape == (2, 7, 24) and output.pooled_output.shape == (2, 24)
    assert output.hidden_states is None and output.attentions is None
    output = small()(torch.randint(50, (2, 7)), output_hidden_states=True, output_attentions=True)
    assert [tuple(h.shape) for h in output.hidden_states] == [(2, 7, 24)] * 4
    assert [tuple(p.shape) for p in output.attentions] == [(2, 4, 7, 7)] * 3
    assert output.hidden_states[-1] is output.last_hidden_state
    for probabilities in output.attentions:
        torch.testing.assert_close(probabilities.sum(dim=-1), torch.ones(2, 4, 7))


@pytest.mark.parametrize("config", [BertConfig(), SMALL], ids=["bert-base", "small"])
def test_parameters_in_closed_form(config):
    with torch.device("meta"):
        bert = Bert(config)
    V, H, L, F = config.vocab_size, config.hidden_size, config.num_layers, config.intermediate_size
    layer = 4 * (H * H + H) + (H * F + F) + (F * H + H) + 2 * 2 * H
    wanted = (V + config.max_positions + config.num_segments) * H + 2 * H + L * layer + H * H + H
    assert sum(p.numel() for p in bert.parameters()) == wanted
    if config == BertConfig():
        assert wanted == 109_482_240  # the 110M of Devlin et al. 2018, section 3


@pytest.mark.parametrize("tokens", [1, 16, 128])
def test_multiply_adds_in_closed_form(tokens):
    config = BertConfig(num_layers=2, num_heads=4, hidden_size=64, intermediate_size=256, vocab_size=100)
    bert = Bert(config)
    with FlopCounterMode(display=False) as counter:
        bert(torch.zeros(3, tokens, dtype=torch.long), output_attentions=True)
    T, H, F = tokens, 64, 256
    layer = 4 * T * H * H + 2 * T * T * H + 2 * T * H * F
    assert counter.get_total_flops() == 2 * 3 * (2 * layer + H * H)


@pytest.mark.parametrize(("std", "linear", "table"), [(0.02, 0.02, 0.02), (None, 1 / math.sqrt(256), 0.02)])
def test_initialization(std, linear, table):
    torch.manual_seed(0)
    bert = Bert(
        BertConfig(vocab_size=500, hidden_size=256, num_layers=1, num_heads=4, intermediate_size=1024)
    )
    initialize_weights(bert, std)
    layer = bert.layers[0]
    for weight in (layer.attention.query.weight, layer.feed_forward.widen.weight, bert.pooler.weight):
        assert weight.std().item() == pytest.approx(linear, rel=0.02)
        assert abs(weight.mean().item()) < linear / 50
    assert layer.feed_forward.narrow.weight.std().item() == pytest.approx(std or 1 / 32, rel=0.02)
    assert bert.embeddings.token.weight[1:].std().item() == pytest.approx(table, rel=0.02)
    assert not bert.embeddings.token.weight[0].any()
    assert not any(p.any() for name, p in bert.named_parameters() if name.endswith("bias"))
    assert all((p == 1).all() for name, p in bert.named_parameters() if name.endswith("norm.weight"))


def test_initialization_is_the_librarys():
    """Mean and spread of every weight as in the library's freshly made model."""
    torch.manual_seed(0)
    theirs = transformers.BertModel(transformers.BertConfig(num_hidden_layers=1)).state_dict()
    for name, ours in Bert(BertConfig(num_layers=1)).state_dict().items():
        wanted = theirs[checkpoints.their_name(name)]
        assert ours.mean().item() == pytest.approx(wanted.mean().item(), abs=1e-3), name
        assert ours.std().item() == pytest.approx(wanted.std().item(), abs=1e-3), name


def test_the_printed_shape_is_that_of_recorded_runs():
    """Recorded runs are known by a fingerprint of it (the first of them: benchmarks/results)."""
    assert repr(BertConfig(10, pad_token_id=3)) == (
        "BertConfig(vocab_size=10, hidden_size=768, num_layers=12, num_heads=12, intermediate_size=3072, "
        "max_positions=512, num_segments=2, dropout=0.1, norm_eps=1e-12, init_std=0.02)"
    )
    assert BertConfig(10, pad_token_id=3) != BertConfig(10)


def test_a_seed_gives_the_same_weights():
    first, second = small(seed=4).state_dict(), small(seed=4).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


# Bad input


def ids_of(*rows):
    return torch.tensor(rows)


REFUSED = {
    "more tokens than positions": (
        {"ids": torch.ones(2, 21, dtype=torch.long)},
        "21 tokens, but the model has only 20 positions.*max_length",
    ),
    "an id that is too large": ({"ids": ids_of([1, 50])}, r"ids must lie in 0\.\.49, not in 1\.\.50"),
    "a negative id": ({"ids": ids_of([-1, 3])}, r"ids must lie in 0\.\.49, not in -1\.\.3"),
    "a segment that is not there": (
        {"ids": ids_of([1, 2]), "type_ids": ids_of([0, 2])},
        r"type_ids must lie in 0\.\.1, not in 0\.\.2",
    ),
    "a negative segment": (
        {"ids": ids_of([1, 2]), "type_ids": ids_of([0, -1])},
        r"type_ids must lie in 0\.\.1, not in -1\.\.0",
    ),
    "segments of another shape": (
        {"ids": ids_of([1, 2]), "type_ids": ids_of([0, 0, 0])},
        r"type_ids must have the shape of ids, \(1, 2\), not \(1, 3\)",
    ),
    "a mask of another length": (
        {"ids": ids_of([1, 2]), "attention_mask": ids_of([1, 1, 1])},
        r"attention_mask must have the shape of ids, \(1, 2\), not \(1, 3\)",
    ),
    "a mask for another batch": (
        {"ids": ids_of([1, 2], [3, 4]), "attention_mask": ids_of([1, 1])},
        r"attention_mask must have the shape of ids, \(2, 2\), not \(1, 2\)",
    ),
    "a mask with a dimension too many": (
        {"ids": ids_of([1, 2]), "attention_mask": torch.ones(1, 1, 1, 2, dtype=torch.long)},
        r"attention_mask must have the shape of ids, \(1, 2\), not \(1, 1, 1, 2\)",
    ),
    "a mask of other numbers": (
        {"ids": ids_of([1, 2]), "attention_mask": ids_of([0, -10000])},
        r"attention_mask must lie in 0\.\.1, not in -10000\.\.0",
    ),
    "a mask of fractions": (
        {"ids": ids_of([1, 2]), "attention_mask": torch.tensor([[0.0, float("-inf")]])},
        "attention_mask must be whole numbers .* not torch.float32",
    ),
    "a text without a visible token": (
        {"ids": ids_of([1, 2], [3, 4]), "attention_mask": ids_of([1, 1], [0, 0])},
        "text 1 of the batch has no visible token",
    ),
    "an empty batch": (
        {"ids": torch.zeros(0, 5, dtype=torch.long)},
        r"shape \(B, T\), B and T at least 1, not \(0, 5\)",
    ),
    "texts without tokens": (
        {"ids": torch.zeros(2, 0, dtype=torch.long)},
        r"shape \(B, T\), B and T at least 1, not \(2, 0\)",
    ),
    "one text without a batch": (
        {"ids": torch.ones(5, dtype=torch.long)},
        r"shape \(B, T\), B and T at least 1, not \(5,\)",
    ),
    "ids that are fractions": (
        {"ids": torch.ones(1, 5)},
        "ids must be whole numbers .* not torch.float32",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused(name):
    inputs, words = REFUSED[name]
    with pytest.raises(ValueError, match=words):
        small()(**inputs)


def test_heads_that_do_not_divide_the_hidden_size_are_refused():
    with pytest.raises(ValueError, match="24 can't be shared out evenly among 5 heads"):
        small(num_heads=5)


def test_good_input_is_accepted():
    ids = torch.randint(50, (2, 20))
    mask = torch.ones_like(ids)
    mask[0, 3:] = 0
    check_inputs(ids, None, None, SMALL)
    check_inputs(ids, torch.ones_like(ids), mask, SMALL)
    check_inputs(ids.int(), None, mask.bool(), SMALL)
    bert = small()
    assert torch.equal(bert(ids, None, mask.bool())[0], bert(ids, torch.zeros_like(ids), mask)[0])
