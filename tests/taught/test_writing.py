"""Masked diffusion: rates, the loss and its bound, what is shown in a step, and texts written from [MASK]."""

import itertools
import math

import pytest
import torch
from torch.nn import functional

from helpers.encoder import Bert, BertConfig
from helpers.pretraining import IGNORE, BertForPreTraining
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer
from helpers.writing import (
    blank_texts,
    diffusion_loss,
    hide_at_rates,
    positions_to_reveal,
    spread_rates,
    write,
)

TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, *"abcdefg"])
MASK = TOKENIZER.id_of["[MASK]"]


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    size = len(TOKENIZER.vocabulary)
    return BertForPreTraining(
        Bert(BertConfig(size, 8, 1, 2, 16, 20, dropout=0.5, pad_token_id=TOKENIZER.id_of["[PAD]"]))
    )


def test_rates_are_spread_evenly_and_mixed():
    rates = spread_rates(8, dice(3))
    assert rates.shape == (8, 1) and rates.min() > 0 and rates.max() <= 1
    assert sorted((8 * rates[:, 0]).ceil().int().tolist()) == list(range(1, 9))  # one in each eighth
    assert rates[:, 0].tolist() != sorted(rates[:, 0].tolist())
    assert spread_rates(8, dice(3), most=0.25).max() <= 0.25
    many = torch.cat([spread_rates(4, dice(seed)) for seed in range(500)])
    assert abs(many.mean() - 0.5) < 0.01


def test_tokens_are_hidden_at_the_rates_of_their_texts():
    ids = torch.randint(5, 12, (3, 4000), generator=dice())
    ids[:, 0], ids[:, -1] = TOKENIZER.id_of["[CLS]"], TOKENIZER.id_of["[SEP]"]
    before, rates = ids.clone(), torch.tensor([[0.1], [0.5], [1.0]])
    read, labels = hide_at_rates(ids, rates, TOKENIZER, dice())
    hidden = read == MASK
    assert torch.equal(ids, before) and torch.equal(labels != IGNORE, hidden)
    assert torch.equal(labels[hidden], ids[hidden]) and torch.equal(read[~hidden], ids[~hidden])
    assert not hidden[:, [0, -1]].any()
    assert (hidden[:, 1:-1].float().mean(dim=1) - rates[:, 0]).abs().max() < 0.03


def test_the_loss_equals_a_loop():
    labels = torch.tensor([[IGNORE, 6, IGNORE, 7], [8, 9, 5, 5]])
    rates, scores = torch.tensor([[0.25], [0.9]]), torch.randn(6, 12, generator=dice())
    wanted = place = 0
    for row in range(2):
        for label in labels[row].tolist():
            if label != IGNORE:
                wanted -= functional.log_softmax(scores[place], 0)[label].item() / rates[row].item() / 8
                place += 1
    torch.testing.assert_close(diffusion_loss(scores, labels, rates, 8).item(), wanted)


def test_the_loss_of_the_true_conditionals_is_the_entropy():
    """Two tokens, drawn together: a perfect model's expected loss is their entropy."""
    joint = {("a", "c"): 0.5, ("a", "d"): 0.2, ("b", "d"): 0.3}
    entropy = -sum(p * math.log(p) for p in joint.values())

    def chance(place, word, seen):  # P(word at place | what is seen)
        fits = {pair: p for pair, p in joint.items() if all(pair[i] == s for i, s in seen.items())}
        return sum(p for pair, p in fits.items() if pair[place] == word) / sum(fits.values())

    expected, steps = 0.0, 2000
    for step in range(steps):  # the mean over rates, by the midpoint rule
        rate = (step + 0.5) / steps
        for (pair, p), gaps in itertools.product(joint.items(), [(0,), (1,), (0, 1)]):
            seen = {i: pair[i] for i in (0, 1) if i not in gaps}
            weight = rate ** len(gaps) * (1 - rate) ** (2 - len(gaps)) * p / steps
            rows = torch.zeros(len(gaps), 12, dtype=torch.double)
            labels = torch.full((1, 2), IGNORE)
            for row, gap in enumerate(gaps):
                labels[0, gap] = TOKENIZER.id_of[pair[gap]]
                for word in "abcd":
                    rows[row, TOKENIZER.id_of[word]] = chance(gap, word, seen)
            loss = diffusion_loss(rows.log(), labels, torch.tensor([[rate]], dtype=torch.double), 2)
            expected += weight * 2 * loss.item()
    assert abs(expected - entropy) < 1e-3


def test_blank_texts():
    batch = blank_texts([3, 1], TOKENIZER)
    tokens = [[TOKENIZER.vocabulary[i] for i in row] for row in batch["ids"].tolist()]
    assert tokens[0] == ["[CLS]", "[MASK]", "[MASK]", "[MASK]", "[SEP]"]
    assert tokens[1] == ["[CLS]", "[MASK]", "[SEP]", "[PAD]", "[PAD]"]
    assert batch["attention_mask"].tolist() == [[1] * 5, [1, 1, 1, 0, 0]]


def test_the_surest_are_shown_first():
    scores = torch.tensor([[0.9, 0.2, 0.8, 0.8, 0.1]])
    hidden = torch.tensor([[False, True, True, True, True]])
    for keep, places in ((4, []), (3, [2]), (2, [2, 3]), (1, [1, 2, 3]), (0, [1, 2, 3, 4])):
        found = positions_to_reveal(scores, hidden, torch.tensor([[keep]]))
        assert found[0].nonzero()[:, 0].tolist() == places


@pytest.mark.parametrize("order", ["confidence", "random"])
@pytest.mark.parametrize("steps", [1, 3, 50])
def test_every_text_is_written_to_its_end(model, order, steps):
    lengths = [7, 1, 4]
    texts = write(model, TOKENIZER, lengths, steps, order, 1.0, dice())
    assert [len(text) for text in texts] == lengths
    assert all(token >= len(SPECIAL_TOKENS) for text in texts for token in text)
    assert texts == write(model, TOKENIZER, lengths, steps, order, 1.0, dice())
    assert model.training  # put back, and without dropout meanwhile


def test_the_passes_are_as_many_as_the_steps(model, monkeypatch):
    seen = []
    forward = model.forward
    monkeypatch.setattr(
        model, "forward", lambda *given: seen.append(given[3].sum(dim=1).tolist()) or forward(*given)
    )
    write(model, TOKENIZER, [8, 4], 4, "random", 1.0, dice())
    assert seen == [[8, 4], [6, 3], [4, 2], [2, 1]]


def test_at_temperature_zero_nothing_is_drawn(model):
    first = write(model, TOKENIZER, [5, 6], 3, "confidence", 0.0, dice(1))
    assert first == write(model, TOKENIZER, [5, 6], 3, "confidence", 0.0, dice(2))


def test_one_token_at_a_time_draws_from_the_model(model):
    """P(text) is then a product of the model's conditionals; compared for two tokens."""
    model.eval()
    mask, sep, cls = MASK, TOKENIZER.id_of["[SEP]"], TOKENIZER.id_of["[CLS]"]

    def chances(first, second, place):
        ids = torch.tensor([[cls, first, second, sep]])
        positions = torch.zeros(1, 4, dtype=torch.bool)
        positions[0, place + 1] = True
        with torch.no_grad():
            scores = model(ids, None, torch.ones(1, 4, dtype=torch.long), positions).token_logits[0]
        scores[: len(SPECIAL_TOKENS)] = -torch.inf
        return scores.softmax(0)

    left, right = chances(mask, mask, 0), chances(mask, mask, 1)
    a, b = TOKENIZER.id_of["a"], TOKENIZER.id_of["b"]
    expected = (left[a] * chances(a, mask, 1)[b] + right[b] * chances(mask, b, 0)[a]) / 2
    texts = write(model, TOKENIZER, [2] * 20_000, 2, "random", 1.0, dice())
    share = sum(text == [a, b] for text in texts) / len(texts)
    assert abs(share - expected.item()) < 4 * math.sqrt(expected.item() / len(texts))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"steps": 0}, "steps"),
        ({"order": "left to right"}, 'order must be "confidence" or "random"'),
        ({"temperature": -1.0}, "temperature"),
    ],
)
def test_what_can_not_be_written(model, given, words):
    with pytest.raises(ValueError, match=words):
        write(model, TOKENIZER, [3], **{"steps": 2, **given})


def test_the_tokenizer_of_another_model(model):
    with pytest.raises(ValueError, match="load both from one checkpoint"):
        write(model, WordPieceTokenizer([*SPECIAL_TOKENS, "a"]), [3], 2)
