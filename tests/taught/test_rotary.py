"""Rotary positions and local attention: against complex numbers, loops, and the library's functions."""

import pytest
import torch
from torch.nn import functional
from transformers.models.modernbert import modeling_modernbert

from helpers.attention import MultiHeadSelfAttention
from helpers.rotary import RotaryAttention, local_attention, local_mask, rotary_angles, rotate_pairs


def random_heads(length, width, batch=2, heads=3):
    torch.manual_seed(length)
    return [torch.randn(batch, heads, length, width) for _ in range(3)]


def test_angles_by_hand():
    found = rotary_angles(torch.tensor([0, 1, 7]), 4, base=100.0)
    assert torch.allclose(found, torch.tensor([[0.0, 0.0], [1.0, 0.1], [7.0, 0.7]]))
    with pytest.raises(ValueError, match="must be even, not 5"):
        rotary_angles(torch.arange(3), 5)


@pytest.mark.parametrize("base", [10_000.0, 160_000.0])
def test_turning_is_multiplying_complex_numbers(base):
    heads = random_heads(11, 8)[0]
    angles = rotary_angles(torch.arange(11), 8, base)
    numbers = torch.complex(heads[..., :4].double(), heads[..., 4:].double())
    turned = numbers * torch.exp(1j * angles.double())
    expected = torch.cat([turned.real, turned.imag], dim=-1)
    assert torch.allclose(rotate_pairs(heads, angles).double(), expected, atol=1e-6)


def test_turning_is_the_librarys():
    query, key, _ = random_heads(9, 12)
    angles = rotary_angles(torch.arange(9), 12)
    twice = torch.cat([angles, angles], dim=-1)[None]
    theirs = modeling_modernbert.apply_rotary_pos_emb(query, key, twice.cos(), twice.sin())
    for ours, other in zip((rotate_pairs(query, angles), rotate_pairs(key, angles)), theirs, strict=True):
        assert torch.allclose(ours, other, atol=1e-6)
    assert rotate_pairs(query.bfloat16(), angles).dtype == torch.bfloat16


def test_scores_depend_on_the_distance_only():
    torch.manual_seed(0)
    query, key = torch.randn(2, 1, 1, 1, 16)
    score = {
        (i, j): (
            rotate_pairs(query, rotary_angles(torch.tensor([i]), 16))
            * rotate_pairs(key, rotary_angles(torch.tensor([j]), 16))
        ).sum()
        for i in (0, 5, 400)
        for j in (i - 3, i + 1, i + 4)
    }
    for distance in (-3, 1, 4):
        values = torch.stack([score[i, i + distance] for i in (0, 5, 400)])
        assert (values - values[0]).abs().max() < 2e-4
    assert (score[0, 1] - score[0, 4]).abs() > 0.1


def mask_with_loops(length, window, visible):
    mask = torch.zeros(len(visible), 1, length, length, dtype=torch.bool)
    for text in range(len(visible)):
        for i in range(length):
            for j in range(length):
                near = -(window // 2) <= j - i <= window // 2
                mask[text, 0, i, j] = i == j or (near and visible[text, j])
    return mask


@pytest.mark.parametrize(("length", "window"), [(1, 2), (7, 2), (7, 3), (9, 4), (5, 64)])
def test_local_mask_is_what_loops_say(length, window):
    visible = torch.arange(length) < torch.tensor([length, max(1, length // 3)])[:, None]
    assert torch.equal(local_mask(length, window, visible), mask_with_loops(length, window, visible))
    assert torch.equal(local_mask(length, window), mask_with_loops(length, window, visible[:1]))


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize(
    ("length", "window"), [(1, 2), (5, 16), (16, 4), (17, 4), (30, 7), (64, 16), (65, 16)]
)
def test_blocks_give_what_a_mask_gives(length, window, padded):
    heads = [each.requires_grad_() for each in random_heads(length, 6)]
    visible = torch.arange(length) < torch.tensor([length, max(1, length // 3)])[:, None] if padded else None
    ours = local_attention(*heads, window, visible)
    masked = functional.scaled_dot_product_attention(*heads, local_mask(length, window, visible))
    assert (ours - masked).abs().max() < 1e-5
    weights = torch.randn_like(ours)
    for mine, other in zip(
        torch.autograd.grad((ours * weights).sum(), heads),
        torch.autograd.grad((masked * weights).sum(), heads),
        strict=True,
    ):
        assert (mine - other).abs().max() < 1e-5


@pytest.mark.parametrize("window", [0, 1])
def test_a_window_without_neighbors_is_refused(window):
    with pytest.raises(ValueError, match="window must be at least 2"):
        local_attention(*random_heads(4, 6), window)


@pytest.mark.parametrize("window", [None, 4, 8, 200])
def test_attention_gives_the_same_with_its_probabilities(window):
    torch.manual_seed(0)
    attention = RotaryAttention(24, 3, window)
    hidden, angles = torch.randn(2, 21, 24), rotary_angles(torch.arange(21), 8)
    visible = torch.arange(21) < torch.tensor([21, 6])[:, None]
    quick, none = attention(hidden, angles, visible)
    slow, probabilities = attention(hidden, angles, visible, return_probabilities=True)
    assert none is None and probabilities.shape == (2, 3, 21, 21)
    assert (quick - slow).abs().max() < 1e-5
    assert torch.allclose(probabilities.sum(-1), torch.ones(2, 3, 21), atol=1e-5)
    assert probabilities[1, :, :6, 6:].abs().max() == 0  # no text token sees padding
    reach = 21 if window is None else window // 2
    far = (torch.arange(21) - torch.arange(21)[:, None]).abs() > reach
    assert probabilities[..., far].abs().sum() == 0


def test_without_angles_and_biases_it_is_the_taught_attention():
    torch.manual_seed(0)
    ours, taught = RotaryAttention(24, 3), MultiHeadSelfAttention(24, 3, dropout=0.0)
    taught.load_state_dict(ours.state_dict(), strict=False)
    for linear in (taught.query, taught.key, taught.value, taught.output):
        torch.nn.init.zeros_(linear.bias)
    hidden, visible = torch.randn(2, 5, 24), torch.arange(5) < torch.tensor([5, 3])[:, None]
    expected, _ = taught(hidden, visible[:, None, None, :])
    found, _ = ours(hidden, torch.zeros(5, 4), visible)
    assert (found - expected).abs().max() < 1e-6


def test_a_width_that_heads_cannot_share_is_refused():
    with pytest.raises(ValueError, match="24 can't be shared out evenly among 5 heads"):
        RotaryAttention(24, 5)
