"""Attribution and faithfulness, against closed forms, captum, transformers' attention and plain loops."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from helpers import checkpoints
from helpers.analysis import attribution, faithfulness
from helpers.analysis.attribution import (
    Attribution,
    attention_scores,
    in_words,
    integrated_gradients,
)
from helpers.classification import BertForClassification
from helpers.encoder import Bert, BertConfig
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

WORDS = ["a", "the", "film", "plot", "good", "bad", "dull", "very", "not", "##ly", "."]
CONFIG = BertConfig(
    vocab_size=len(SPECIAL_TOKENS) + len(WORDS), hidden_size=24, num_layers=2, num_heads=3,
    intermediate_size=48, max_positions=40, init_std=None,
)  # fmt: skip
TEXT = "the film is goodly plot not very badly good ."  # "is" is unknown, two words have two pieces


@pytest.fixture(scope="module")
def tokenizer():
    return WordPieceTokenizer([*SPECIAL_TOKENS, *WORDS])


@pytest.fixture(scope="module")
def model():
    return make_model()


def make_model(classes=3, seed=0):
    torch.manual_seed(seed)
    model = BertForClassification(Bert(CONFIG), classes).eval()
    with torch.no_grad():  # large enough for probabilities that differ from text to text
        model.bert.embeddings.token.weight.normal_()
        model.classifier.weight.normal_()
    return model


class LinearModel(nn.Module):
    """logits = sum over places of W[class, place] · token vector."""

    def __init__(self, places, classes=3, hidden=4):
        super().__init__()
        table = nn.Embedding(CONFIG.vocab_size, hidden)
        self.bert = nn.Module()
        self.bert.config = CONFIG
        self.bert.embeddings = nn.Module()
        self.bert.embeddings.token = table
        self.weight = nn.Parameter(torch.randn(classes, places, hidden))

    def forward(self, ids):
        return torch.einsum("bth,cth->bc", self.bert.embeddings.token(ids), self.weight)


@pytest.mark.parametrize("baseline", ["[PAD]", "[MASK]"])
@pytest.mark.parametrize("steps", [1, 5])
def test_of_a_linear_model_it_is_weight_times_difference(tokenizer, baseline, steps):
    torch.manual_seed(1)
    ids = tokenizer.encode(TEXT).ids
    model = LinearModel(len(ids))
    found = integrated_gradients(model, tokenizer, TEXT, target=2, steps=steps, baseline=baseline, rows=2)
    table, weight = model.bert.embeddings.token.weight.detach(), model.weight.detach()
    weight = weight[2] - (weight[0] + weight[1]) / 2
    expected = [
        weight[place] @ (table[index] - table[tokenizer.id_of[baseline]]) for place, index in enumerate(ids)
    ]
    expected[0] = expected[-1] = torch.tensor(0.0)  # the baseline has the same [CLS] and [SEP]
    np.testing.assert_allclose(found.scores, torch.stack(expected), atol=1e-5)
    assert abs(found.completeness_gap) < 1e-5


def test_scores_add_up_to_the_difference_of_outputs(tokenizer, model):
    ids = torch.tensor([tokenizer.encode(TEXT).ids])
    empty = torch.full_like(ids, tokenizer.id_of["[MASK]"])
    empty[:, [0, -1]] = ids[:, [0, -1]]
    with torch.no_grad():
        first, second, third = (model(ids) - model(empty))[0].tolist()
    found = integrated_gradients(model, tokenizer, TEXT, target=1, steps=64, baseline="[MASK]")
    assert found.total == pytest.approx(second - (first + third) / 2, abs=1e-5)
    assert found.scores.sum() == pytest.approx(found.total, abs=2e-4)
    assert found.completeness_gap == pytest.approx(found.scores.sum() - found.total)
    coarse = integrated_gradients(model, tokenizer, TEXT, target=1, steps=2, baseline="[MASK]")
    assert abs(coarse.completeness_gap) > 10 * abs(found.completeness_gap)


@pytest.mark.parametrize("rows", [7, 32])
def test_scores_are_captums(tokenizer, model, rows):
    captum = pytest.importorskip("captum.attr")
    ids = torch.tensor([tokenizer.encode(TEXT).ids])
    start = torch.full_like(ids, tokenizer.id_of["[PAD]"])
    start[:, [0, -1]] = ids[:, [0, -1]]

    def evidence(some_ids):
        logits = model(some_ids)
        return logits[:, 0] - (logits[:, 1] + logits[:, 2]) / 2

    theirs = captum.LayerIntegratedGradients(evidence, model.bert.embeddings.token)
    scores = theirs.attribute(ids, start, n_steps=20, method="gausslegendre").sum(dim=-1)[0]
    ours = integrated_gradients(model, tokenizer, TEXT, target=0, steps=20, rows=rows)
    np.testing.assert_allclose(ours.scores, scores.detach(), atol=1e-4 * scores.abs().max().item())


def test_default_target_is_the_predicted_class(tokenizer, model):
    with torch.no_grad():
        predicted = model(torch.tensor([tokenizer.encode(TEXT).ids])).argmax().item()
    for method in (integrated_gradients, attention_scores, attribution.random_scores):
        assert method(model, tokenizer, TEXT).target == predicted
    with torch.no_grad():
        assert integrated_gradients(model, tokenizer, TEXT).target == predicted


def test_the_model_is_left_as_it_was(tokenizer):
    model = make_model()
    model.train()
    model.bert.layers[0].eval()
    modes = [part.training for part in model.modules()]
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    first = integrated_gradients(model, tokenizer, TEXT).scores
    attention_scores(model, tokenizer, TEXT)
    faithfulness.faithfulness(model, tokenizer, TEXT, first)
    assert np.array_equal(first, integrated_gradients(model.eval(), tokenizer, TEXT).scores), "dropout was on"
    model.train()
    model.bert.layers[0].eval()
    model.requires_grad_(False)
    assert np.array_equal(first, integrated_gradients(model, tokenizer, TEXT).scores)
    assert not any(value.requires_grad for value in model.parameters())
    assert [part.training for part in model.modules()] == modes
    assert all(value.grad is None for value in model.parameters())
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert not model.bert.embeddings.token._forward_hooks


def test_the_hook_goes_when_the_model_fails(tokenizer):
    model = make_model().train()

    def fail(*_):
        raise RuntimeError("broken on purpose")

    model.classifier.register_forward_hook(fail)
    with pytest.raises(RuntimeError, match="on purpose"):
        integrated_gradients(model, tokenizer, TEXT)
    assert not model.bert.embeddings.token._forward_hooks
    assert model.training and model.dropout.training


def test_attention_is_the_librarys(tokenizer, model):
    theirs = checkpoints.to_transformers(model).eval()
    theirs.set_attn_implementation("eager")
    ids = torch.tensor([tokenizer.encode(TEXT).ids])
    with torch.no_grad():
        layers = theirs(ids, output_attentions=True).attentions
    means = [layer[0].mean(dim=0).double().numpy() for layer in layers]
    found = attention_scores(model, tokenizer, TEXT)
    np.testing.assert_allclose(found.scores, means[-1][0], atol=1e-6)
    halves = [(mean + np.eye(len(mean))) / 2 for mean in means]
    rolled = attention_scores(model, tokenizer, TEXT, rollout=True)
    np.testing.assert_allclose(rolled.scores, (halves[1] @ halves[0])[0], atol=1e-6)
    assert found.total is rolled.total is None
    assert rolled.scores.sum() == pytest.approx(1, abs=1e-5)


def test_pieces_of_a_word_are_added():
    tokens = ["[CLS]", "em", "##bed", "##ding", "is", "[UNK]", "fun", "##ny", "[SEP]"]
    found = in_words(Attribution(tokens, np.array([1.0, 2, 3, 4, 5, 6, 7, -9, 10]), 0, 29.0, 0.0))
    assert found.tokens == ["[CLS]", "embedding", "is", "[UNK]", "funny", "[SEP]"]
    assert found.scores.tolist() == [1, 9, 5, 6, -2, 10]
    assert found.total == 29
    assert in_words(found).scores.tolist() == found.scores.tolist()


# Faithfulness


def by_hand(model, tokenizer, words, scores, shares):
    """words: lists of pieces, one score each; every text alone, without padding."""

    def probabilities(some_words):
        pieces = ["[CLS]", *(piece for word in some_words for piece in word), "[SEP]"]
        with torch.no_grad():
            return model(torch.tensor([[tokenizer.id_of[piece] for piece in pieces]])).softmax(dim=-1)[0]

    whole = probabilities(words)
    best = whole.argmax()
    removed, kept = [], []
    for share in shares:
        top = sorted(range(len(words)), key=lambda index: -scores[index])[: max(1, round(share * len(words)))]
        removed.append(whole[best] - probabilities([w for i, w in enumerate(words) if i not in top])[best])
        kept.append(whole[best] - probabilities([w for i, w in enumerate(words) if i in top])[best])
    return np.mean(removed), np.mean(kept)


PIECES = {
    TEXT: "the film [UNK] good,##ly plot not very bad,##ly good .",
    "good": "good",
    "the badly film .": "the bad,##ly film .",
}
CASES = {text: [word.split(",") for word in words.split()] for text, words in PIECES.items()}


@pytest.mark.parametrize("shares", [(0.1, 0.2, 0.5), (1.0,), (0.34,)])
def test_faithfulness_by_brute_force(tokenizer, model, shares):
    dice = np.random.default_rng(0)
    scores = [dice.normal(size=len(tokenizer.encode(text).ids)) for text in CASES]
    found = faithfulness.faithfulness_of_each(model, tokenizer, list(CASES), scores, shares)
    for (text, words), values, result in zip(CASES.items(), scores, found, strict=True):
        left = iter(values[1:-1])
        sums = [sum(next(left) for _ in word) for word in words]
        assert result == pytest.approx(by_hand(model, tokenizer, words, sums, shares), abs=1e-5)
        assert faithfulness.faithfulness(model, tokenizer, text, values, shares) == pytest.approx(
            result, abs=1e-5
        )
    assert max(abs(value) for result in found for value in result) > 0.01, "the test would see nothing"


def test_keeping_everything_loses_nothing(tokenizer, model):
    result = faithfulness.faithfulness(model, tokenizer, TEXT, np.arange(14.0), shares=(1.0,))
    assert result.sufficiency == pytest.approx(0, abs=1e-6)


def test_mean_over_texts(tokenizer, model):
    texts = list(CASES)
    for method in (integrated_gradients, partial(attention_scores, rollout=True)):
        each = [
            faithfulness.faithfulness(model, tokenizer, t, method(model, tokenizer, t).scores) for t in texts
        ]
        found = faithfulness.mean_faithfulness(model, tokenizer, texts, method)
        assert found == pytest.approx(np.mean(each, axis=0), abs=1e-5)


class Finder(nn.Module):
    """A model of two classes that looks for one word: its evidence is 3 for each."""

    def __init__(self, word_id):
        super().__init__()
        self.bert = nn.Module()
        self.bert.config = CONFIG
        self.bert.embeddings = nn.Module()
        self.bert.embeddings.token = nn.Embedding(CONFIG.vocab_size, 1)
        nn.init.zeros_(self.bert.embeddings.token.weight)
        self.bert.embeddings.token.weight.data[word_id] = 3

    def forward(self, ids, type_ids=None, attention_mask=None):
        evidence = self.bert.embeddings.token(ids).sum(dim=(1, 2))
        return torch.stack([torch.zeros_like(evidence), evidence], dim=1)


def test_true_scores_beat_random_and_reversed_ones(tokenizer):
    finder = Finder(tokenizer.id_of["good"])
    text = "the film . the plot . a good film . the end"
    drop = 1 / (1 + np.exp(-3)) - 0.5
    measure = partial(faithfulness.mean_faithfulness, finder, tokenizer, [text])
    assert measure(integrated_gradients) == pytest.approx((drop, 0), abs=1e-6)

    def reversed_scores(*arguments, **options):
        found = integrated_gradients(*arguments, **options)
        return found._replace(scores=-found.scores)

    assert measure(reversed_scores) == pytest.approx((0, drop), abs=1e-6)
    random = [measure(partial(attribution.random_scores, seed=seed)) for seed in range(40)]
    assert 0 < np.mean(random, axis=0)[0] < drop
    assert random[0] == measure(attribution.random_scores) and len(set(random)) > 1


# Bad input


@pytest.mark.parametrize("text", ["", "  \n "])
@pytest.mark.parametrize("method", [integrated_gradients, attention_scores, attribution.random_scores])
def test_a_text_without_words(tokenizer, model, method, text):
    with pytest.raises(ValueError, match="has no words"):
        method(model, tokenizer, text)


def test_one_class_has_nothing_against_it(tokenizer):
    model = make_model()
    model.classifier = nn.Linear(CONFIG.hidden_size, 1)
    for method in (integrated_gradients, attention_scores):
        with pytest.raises(ValueError, match="1 class"):
            method(model, tokenizer, TEXT)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"target": 3}, "0 to 2, not 3"),
        ({"target": -1}, "0 to 2, not -1"),
        ({"baseline": "zero"}, "PAD"),
        ({"steps": 0}, "at least 1"),
    ],
)
def test_options_that_are_refused(tokenizer, model, options, message):
    with pytest.raises(ValueError, match=message):
        integrated_gradients(model, tokenizer, TEXT, **options)


def test_faithfulness_refuses(tokenizer, model):
    measure = partial(faithfulness.faithfulness_of_each, model, tokenizer)
    for texts, scores, shares, message in (
        ([], [], (0.1,), "0 texts"),
        ([TEXT], [], (0.1,), "1 texts and 0"),
        (["good"], [[1.0]], (0.1,), "1 scores for 3 tokens"),
        (["good"], [[0.0] * 3], (), "shares"),
        (["good"], [[0.0] * 3], (0.5, 1.5), "shares"),
        ([""], [[0.0] * 2], (0.5,), "no words"),
    ):
        with pytest.raises(ValueError, match=message):
            measure(texts, scores, shares)
