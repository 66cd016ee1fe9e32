"""The start at the neighbors: where the heads look, that little else changes, and what is refused."""

import pytest
import torch

from helpers.encoder import Bert, BertConfig
from helpers.training.starts import sinusoidal_positions, start_with_neighbors

OFFSETS = (-1, 1, -2, 2)


def make(layers=3, hidden=96, heads=6, positions=48) -> Bert:
    torch.manual_seed(0)
    sizes = {"max_positions": positions, "dropout": 0.0, "init_std": None}
    return Bert(BertConfig(200, hidden, layers, heads, 4 * hidden, **sizes)).eval()


@torch.no_grad()
def attentions(bert: Bert) -> list[torch.Tensor]:
    ids = torch.randint(5, 200, (4, 48), generator=torch.Generator().manual_seed(1))
    return [layer.mean(dim=0) for layer in bert(ids, output_attentions=True).attentions]  # (A, T, T) each


def test_the_heads_look_at_their_offsets():
    bert = make()
    random = attentions(bert)[0]
    start_with_neighbors(bert, OFFSETS)
    started = attentions(bert)[0]
    for head, offset in enumerate(OFFSETS):
        near = {shift: started[head].diagonal(shift).mean().item() for shift in range(-8, 9)}
        assert max(near, key=near.get) == offset
        assert near[offset] > 0.15 > 3 * random[head].diagonal(offset).mean()
        assert near[offset] > 1.5 * max(share for shift, share in near.items() if shift != offset)


def test_wide_heads_look_at_all_tokens_alike():
    bert = make()
    start_with_neighbors(bert, OFFSETS[:2], wide=(4, 5))
    started = attentions(bert)[0]
    torch.testing.assert_close(started[4:], torch.full((2, 48, 48), 1 / 48))
    assert (started[3] - 1 / 48).abs().max() > 0.01


def test_other_heads_and_layers_keep_their_directions():
    bert, started = make(), make()
    start_with_neighbors(started, OFFSETS[:2], later=0.1)
    for name, before in bert.state_dict().items():
        after = started.state_dict()[name]
        if name == "embeddings.position.weight":
            continue
        if name.startswith("layers.0.attention.") and name.split(".")[3] in ("query", "key", "value"):
            assert torch.equal(before[32:], after[32:])  # of the third head on
        elif (
            name.endswith(("attention.output.weight", "feed_forward.narrow.weight"))
            and "layers.0" not in name
        ):
            torch.testing.assert_close(after, 0.1 * before)
        else:
            assert torch.equal(before, after), name


def test_a_turned_position_is_the_position_further_on():
    """The identity behind the heads, for every pair of columns and several offsets."""
    positions = sinusoidal_positions(40, 16).double().unflatten(1, (8, 2))  # (t, i, sin and cos)
    frequencies = torch.pi * (torch.arange(8, dtype=torch.double) + 0.5) / 8
    for offset in (-3, 1, 2):
        sin, cos = (frequencies * offset).sin(), (frequencies * offset).cos()
        turn = torch.stack([torch.stack([cos, sin], -1), torch.stack([-sin, cos], -1)], -2)  # (i, 2, 2)
        turned = torch.einsum("ijk,tik->tij", turn, positions)
        torch.testing.assert_close(turned[5:30], positions[5 + offset : 30 + offset], atol=1e-6, rtol=0)


def test_positions_are_as_large_as_asked_and_alike_only_where_equal():
    positions = sinusoidal_positions(64, 192, std=0.02)
    assert positions.square().mean().sqrt().item() == pytest.approx(0.02, rel=1e-3)
    cosines = torch.nn.functional.cosine_similarity(positions[:, None], positions[None], dim=-1)
    assert (cosines - torch.eye(64)).abs().max() < 0.05


def test_what_is_refused():
    with pytest.raises(ValueError, match="5 offsets need as many heads, but there are 4"):
        start_with_neighbors(make(hidden=64, heads=4), (-1, 1, -2, 2, 3))
    with pytest.raises(ValueError, match="its width 3 must be even"):
        start_with_neighbors(make(hidden=18, heads=6), (-1,))
    with pytest.raises(ValueError, match="wide heads lie between 2 and 5"):
        start_with_neighbors(make(), (-1, 1), wide=(1, 2))
    with pytest.raises(ValueError, match="must be even, not 5"):
        sinusoidal_positions(4, 5)
