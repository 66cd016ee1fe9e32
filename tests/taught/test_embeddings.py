"""BertEmbeddings against the Transformers library, NumPy, and closed forms: forward, backward, bad input."""

import numpy as np
import pytest
import torch
import transformers
from transformers.models.bert import modeling_bert

from helpers import checkpoints, data
from helpers.embeddings import BertEmbeddings
from helpers.encoder import Bert, BertConfig

LIMITS = {torch.float32: 1e-5, torch.float64: 1e-10}
SHAPES = {  # vocabulary, hidden, positions, segments, then B, T
    "bert-base": (30522, 768, 512, 2, 2, 24),
    "hidden 36": (50, 36, 16, 2, 3, 9),
    "one token": (50, 32, 16, 2, 4, 1),
    "512 tokens": (50, 8, 512, 2, 1, 512),
    "11 entries": (11, 12, 20, 2, 5, 20),
    "one segment": (40, 16, 10, 1, 2, 10),
    "five segments": (40, 6, 10, 5, 2, 7),
}


def pair_of_modules(vocab_size, hidden_size, max_positions=512, num_segments=2, dropout=0.1):
    """Ours and the library's embeddings with the same random weights, gain and bias included."""
    config = transformers.BertConfig(
        vocab_size=vocab_size,
        hidden_size=hidden_size,
        num_attention_heads=1,
        max_position_embeddings=max_positions,
        type_vocab_size=num_segments,
        hidden_dropout_prob=dropout,
    )
    theirs = modeling_bert.BertEmbeddings(config)
    ours = BertEmbeddings(vocab_size, hidden_size, max_positions, num_segments, dropout)
    with torch.no_grad():
        for name, weight in theirs.named_parameters():
            weight.normal_()
            ours.get_parameter(our_name(name)).copy_(weight)
    return ours.eval(), theirs.eval()


def our_name(name):
    names = {"word_embeddings": "token", "position_embeddings": "position"}
    names |= {"token_type_embeddings": "segment", "LayerNorm": "norm"}
    part, kind = name.split(".")
    return f"{names[part]}.{kind}"


def random_input(vocab_size, num_segments, batch, length):
    ids = torch.randint(vocab_size, (batch, length))
    ids[:, 0] = 0  # [PAD] is among them
    return ids, torch.randint(num_segments, (batch, length))


def assert_equal_forward_and_backward(ours, theirs, ids, type_ids, dtype):
    ours, theirs, limit = ours.to(dtype), theirs.to(dtype), LIMITS[dtype]
    mine, reference = ours(ids, type_ids), theirs(input_ids=ids, token_type_ids=type_ids)
    assert mine.shape == (*ids.shape, ours.norm.normalized_shape[0]) and mine.dtype == dtype
    assert (mine - reference).abs().max() <= limit * max(1, reference.abs().max())
    factors = torch.randn_like(reference)
    ours.zero_grad(), theirs.zero_grad()
    (mine * factors).sum().backward()
    (reference * factors).sum().backward()
    largest = max(weight.grad.abs().max() for weight in theirs.parameters())
    assert largest > 0.1
    for name, weight in theirs.named_parameters():
        difference = (ours.get_parameter(our_name(name)).grad - weight.grad).abs().max()
        assert difference <= limit * largest, f"{name}: {difference}"


@pytest.fixture
def small():
    """Ours alone, 20 entries, H = 12, 16 positions, in evaluation mode."""
    torch.manual_seed(0)
    return pair_of_modules(20, 12, 16)[0]


@pytest.mark.parametrize("dtype", LIMITS, ids=str)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_forward_and_gradients_equal_the_library(shape, dtype):
    torch.manual_seed(1)
    *sizes, batch, length = shape
    ids, type_ids = random_input(sizes[0], sizes[3], batch, length)
    assert_equal_forward_and_backward(*pair_of_modules(*sizes), ids, type_ids, dtype)


@pytest.mark.parametrize("dtype", LIMITS, ids=str)
def test_minilm_equals_the_library(dtype):
    torch.manual_seed(2)
    bert, tokenizer = checkpoints.load("minilm")
    theirs = transformers.BertModel.from_pretrained(data.fetch("minilm")).eval().embeddings
    batch = tokenizer.encode_batch(
        ["Cats purr", "To be, or not to be"] * 2, ["Dogs bark", "Naïve 12 %", "b", "x" * 200]
    )
    assert_equal_forward_and_backward(bert.embeddings, theirs, batch["ids"], batch["type_ids"], dtype)


def test_equals_numpy_token_by_token(small):
    ids, type_ids = random_input(20, 2, 2, 5)
    weights = {name: weight.detach().double().numpy() for name, weight in small.named_parameters()}
    output = small(ids, type_ids).detach().numpy()
    for b in range(2):
        for t in range(5):
            row = weights["token.weight"][ids[b, t]] + weights["position.weight"][t]
            row = row + weights["segment.weight"][type_ids[b, t]]
            row = (row - row.mean()) / np.sqrt(row.var() + 1e-12)
            expected = row * weights["norm.weight"] + weights["norm.bias"]
            np.testing.assert_allclose(output[b, t], expected, atol=1e-5)


def test_a_sum_worked_by_hand():
    module = BertEmbeddings(3, 4, 2, 2).eval()
    with torch.no_grad():
        module.token.weight[1] = torch.tensor([1.0, 2.0, 3.0, 4.0])
        module.position.weight[0] = torch.tensor([1.0, 2.0, 3.0, 3.0])
        module.segment.weight[1] = torch.tensor([0.0, 0.0, 0.0, 1.0])
        result = module(torch.tensor([[1]]), torch.tensor([[1]]))[0, 0]
    # The sum is 2, 4, 6, 8: mean 5, variance 5.
    expected = torch.tensor([-3, -1, 1, 3]) / 5**0.5
    torch.testing.assert_close(result, expected, atol=1e-6, rtol=0)


def test_a_constant_vector_gives_zeros_not_nan():
    module = BertEmbeddings(3, 4, 2).eval()
    torch.nn.init.ones_(module.token.weight)
    torch.nn.init.zeros_(module.position.weight)
    torch.nn.init.zeros_(module.segment.weight)
    assert module(torch.tensor([[1, 2]])).eq(0).all()


def test_type_ids_default_to_the_first_segment(small):
    ids, _ = random_input(20, 2, 3, 6)
    assert torch.equal(small(ids), small(ids, torch.zeros_like(ids)))
    assert not torch.allclose(small(ids), small(ids, torch.ones_like(ids)))


def test_parameters_in_closed_form():
    for vocab_size, hidden, positions, segments in [(30522, 768, 512, 2), (11, 36, 7, 3)]:
        ours = BertEmbeddings(vocab_size, hidden, positions, segments)
        count = sum(weight.numel() for weight in ours.parameters())
        assert count == (vocab_size + positions + segments + 2) * hidden
    assert sum(weight.numel() for weight in BertEmbeddings(30522, 768).parameters()) == 23_837_184


def test_padding_learns_nothing_and_starts_at_zero():
    module = BertEmbeddings(10, 4)
    assert module.token.weight[0].eq(0).all()
    ids = torch.tensor([[3, 3, 0, 0]])
    (module(ids) * torch.arange(16.0).view(1, 4, 4).sin()).sum().backward()
    assert module.token.weight.grad[0].eq(0).all()
    assert module.token.weight.grad[3].abs().max() > 0.01
    assert module.token.weight.grad[[1, 2, 4, 5, 6, 7, 8, 9]].eq(0).all()


# Invariances


def test_more_padding_and_longer_neighbours_change_nothing(small):
    ids, type_ids = random_input(20, 2, 1, 6)
    alone = small(ids, type_ids)
    wide_ids, wide_types = random_input(20, 2, 4, 16)
    wide_ids[2, :6], wide_types[2, :6] = ids[0], type_ids[0]
    wide_ids[2, 6:], wide_types[2, 6:] = 0, 0
    torch.testing.assert_close(small(wide_ids, wide_types)[2, :6], alone[0], atol=1e-5, rtol=0)


def test_permuting_the_batch_permutes_the_result(small):
    ids, type_ids = random_input(20, 2, 5, 7)
    order = torch.tensor([3, 0, 4, 1, 2])
    permuted = small(ids[order], type_ids[order])
    torch.testing.assert_close(permuted, small(ids, type_ids)[order], atol=1e-5, rtol=0)


def test_a_token_changes_its_own_vector_only(small):
    ids, type_ids = random_input(20, 2, 2, 8)
    other = ids.clone()
    other[1, 3] = (ids[1, 3] + 1) % 20
    changed = (small(ids, type_ids) - small(other, type_ids)).abs().amax(dim=2) > 1e-5
    assert changed.nonzero().tolist() == [[1, 3]]


def test_positions_are_all_that_tells_the_order(small):
    ids, type_ids = random_input(20, 2, 2, 8)
    order = torch.tensor([5, 2, 7, 0, 1, 6, 3, 4])
    assert not torch.allclose(small(ids[:, order], type_ids[:, order]), small(ids, type_ids)[:, order])
    torch.nn.init.zeros_(small.position.weight)
    moved = small(ids[:, order], type_ids[:, order])
    torch.testing.assert_close(moved, small(ids, type_ids)[:, order], atol=1e-5, rtol=0)


# Dropout


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_dropout_in_training_at_the_stated_rate_and_scale(rate):
    torch.manual_seed(3)
    module, _ = pair_of_modules(20, 64, 512, dropout=rate)
    ids, type_ids = random_input(20, 2, 16, 512)
    whole = module.eval()(ids, type_ids)
    dropped = module.train()(ids, type_ids)
    is_zero = dropped == 0
    count = is_zero.numel()  # the rate of this many draws lies within five standard errors of the true one
    assert abs(is_zero.float().mean() - rate) < 5 * (rate * (1 - rate) / count) ** 0.5
    expected = torch.where(is_zero, 0, whole / (1 - rate))
    torch.testing.assert_close(dropped, expected, atol=1e-5, rtol=1e-5)
    assert not torch.equal(dropped, module(ids, type_ids)), "each step draws anew"


def test_dropout_is_off_in_evaluation(small):
    ids, type_ids = random_input(20, 2, 4, 16)
    assert small.dropout.p == 0.1
    assert torch.equal(small(ids, type_ids), small(ids, type_ids))


# Bad input


@pytest.mark.parametrize("length", [17, 600])
def test_more_tokens_than_positions_is_refused(small, length):
    with pytest.raises(ValueError, match=rf"{length} tokens.* only 16 positions.*max_length"):
        small(torch.ones(1, length, dtype=torch.long))


def test_as_many_tokens_as_positions_are_read(small):
    assert small(torch.ones(2, 16, dtype=torch.long)).shape == (2, 16, 12)


@pytest.mark.parametrize("pad_token_id", [0, 3, None])
def test_every_entry_but_padding_learns(pad_token_id):
    torch.manual_seed(0)
    bert = Bert(BertConfig(8, 12, 1, 2, 24, 16, pad_token_id=pad_token_id))
    output = bert(torch.arange(8)[None])
    (output.last_hidden_state * torch.randn(1, 8, 12)).sum().backward()
    still = (bert.embeddings.token.weight.grad == 0).all(dim=1).nonzero().flatten().tolist()
    assert still == ([] if pad_token_id is None else [pad_token_id])
    zero = (bert.embeddings.token.weight == 0).all(dim=1).nonzero().flatten().tolist()
    assert zero == still


@pytest.mark.parametrize("pad_token_id", [-1, 8])
def test_padding_outside_the_vocabulary_is_refused(pad_token_id):
    with pytest.raises(ValueError, match=f"an entry, 0 to 7, not {pad_token_id}"):
        Bert(BertConfig(8, 12, 1, 2, 24, 16, pad_token_id=pad_token_id))
