"""Measures of attention heads, compared with loops, the library, a linear program and closed forms."""

import math

import networkx
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from helpers import checkpoints
from helpers.analysis import altering, flow, heads
from helpers.attention import join_heads, split_heads
from helpers.classification import BertForClassification
from helpers.encoder import Bert, BertConfig
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

WORDS = "the dog cat saw ran and ##s . !".split()
CONFIG = BertConfig(len(SPECIAL_TOKENS) + len(WORDS), 12, 2, 3, 24, max_positions=16, init_std=0.6)
TEXTS = [
    "the dog saw the cat",
    ("the dog ran", "and the cats saw the dogs"),
    "cat",
    "the cat and the dog ran .",
]


@pytest.fixture(scope="module")
def tokenizer():
    return WordPieceTokenizer([*SPECIAL_TOKENS, *WORDS])


@pytest.fixture
def bert():
    torch.manual_seed(0)
    return Bert(CONFIG).eval()


def test_attentions_are_the_librarys_without_padding(bert, tokenizer):
    theirs = checkpoints.to_transformers(bert)
    for text, seen in zip(TEXTS, heads.attentions(bert, tokenizer, TEXTS), strict=True):
        encoding = tokenizer.encode(*([text] if isinstance(text, str) else text))
        ids, types = torch.tensor([encoding.ids]), torch.tensor([encoding.type_ids])
        with torch.no_grad():
            found = theirs(ids, token_type_ids=types, output_attentions=True).attentions
        assert seen.tokens == encoding.tokens
        np.testing.assert_allclose(seen.weights, torch.cat(found).numpy(), atol=1e-5)


def test_attentions_of_a_model_in_training_are_without_dropout_and_leave_its_mode(bert, tokenizer):
    (calm,) = heads.attentions(bert, tokenizer, ["the dog"])
    (seen,) = heads.attentions(BertForClassification(bert, 2).train(), tokenizer, ["the dog"])
    assert bert.training
    np.testing.assert_array_equal(calm.weights, seen.weights)


def test_more_texts_than_a_batch_come_in_order_and_are_cut_silently(bert, tokenizer, recwarn):
    texts = ["the dog saw the cat", "cat"] * 20
    seen = list(heads.attentions(bert, tokenizer, texts, max_length=5))
    assert [len(one.tokens) for one in seen] == [5, 3] * 20
    assert not recwarn.list


def test_patterns_worked_by_hand():
    found = heads.patterns(["[CLS]", "the", "cat", "the", "[SEP]"])
    places = {name: list(zip(*map(list, mask.nonzero()), strict=True)) for name, mask in found.items()}
    assert places == {
        "previous": [(2, 1), (3, 2)],
        "next": [(1, 2), (2, 3)],
        "same word": [(1, 3), (3, 1)],
        "[SEP]": [(1, 4), (2, 4), (3, 4)],
        "[CLS]": [(1, 0), (2, 0), (3, 0)],
        "itself": [(1, 1), (2, 2), (3, 3)],
    }


def brute_force(bert, tokenizer, name, layer, head):
    """Share, chance and entropy by loops over rows, from the definitions."""
    shares, chances, entropies = [], [], []
    for tokens, weights in heads.attentions(bert, tokenizer, TEXTS):
        for i, token in enumerate(tokens):
            if token in ("[CLS]", "[SEP]"):
                continue
            row = weights[layer, head, i]
            entropies.append(-sum(float(w) * math.log(w) for w in row if w > 0))
            places = {
                "previous": [j for j in [i - 1] if j > 0 and tokens[j] != "[SEP]"],
                "next": [j for j in [i + 1] if tokens[j] != "[SEP]"],
                "same word": [j for j, other in enumerate(tokens) if other == token and j != i],
                "[SEP]": [j for j, other in enumerate(tokens) if other == "[SEP]"],
                "[CLS]": [0],
                "itself": [i],
            }[name]
            if places:
                shares.append(sum(float(row[j]) for j in places))
                chances.append(len(places) / len(tokens))
    return np.mean(shares), np.mean(chances), np.mean(entropies)


@pytest.mark.parametrize("name", heads.PATTERNS)
def test_measure_against_loops(bert, tokenizer, name):
    measured = heads.measure(bert, tokenizer, TEXTS)
    for layer in range(2):
        for head in range(3):
            share, chance, entropy = brute_force(bert, tokenizer, name, layer, head)
            assert measured.shares[name][layer, head] == pytest.approx(share, abs=1e-6)
            assert measured.chance[name] == pytest.approx(chance)
            assert measured.entropy[layer, head] == pytest.approx(entropy, abs=1e-5)


def test_even_attention_measures_as_chance(bert, tokenizer):
    for layer in bert.layers:
        torch.nn.init.zeros_(layer.attention.query.weight)  # all scores are zero
    measured = heads.measure(bert, tokenizer, TEXTS)
    for name, shares in measured.shares.items():
        np.testing.assert_allclose(shares, measured.chance[name], atol=1e-6)
    np.testing.assert_allclose(measured.entropy, measured.uniform, atol=1e-5)
    assert (heads.head_types(measured) == "broad").all()


def test_standard_errors_are_those_of_a_bootstrap_over_texts(bert, tokenizer):
    dice = np.random.default_rng(0)
    texts = [" ".join(dice.choice(WORDS[:6], size=size)) for size in dice.integers(3, 12, size=60)]
    measured = heads.measure(bert, tokenizer, texts)
    rows = []
    for tokens, weights in heads.attentions(bert, tokenizer, texts):
        mask = heads.patterns(tokens)["previous"]
        rows.append(((weights * mask).sum(axis=(-2, -1)), mask.any(axis=1).sum()))
    looks, counts = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    drawn = [dice.integers(60, size=60) for _ in range(2000)]
    again = [looks[some].sum(axis=0) / counts[some].sum() for some in drawn]
    np.testing.assert_allclose(measured.errors["previous"], np.std(again, axis=0), rtol=0.15)


def test_measure_without_texts_or_without_a_pattern_says_so(bert, tokenizer):
    with pytest.raises(ValueError, match="at least one text"):
        heads.measure(bert, tokenizer, [])
    with pytest.raises(ValueError, match="same word"):
        heads.measure(bert, tokenizer, ["the dog"])


def test_one_text_tells_of_no_error_and_makes_no_head_sure(bert, tokenizer):
    for layer in bert.layers:
        torch.nn.init.zeros_(layer.attention.query.weight)  # even attention: every share is that of chance
    text = "the dog saw the cat"
    one, again = (heads.measure(bert, tokenizer, [text] * count) for count in (1, 2))
    assert all(np.isnan(error).all() for error in one.errors.values())
    assert all((error < 1e-6).all() for error in again.errors.values())
    assert (heads.head_types(one, least=0, times=0.5, broad=2) == heads.OTHER).all()
    assert not (heads.head_types(again, least=0, times=0.5, broad=2) == heads.OTHER).any()
    some = heads.measure(bert, tokenizer, [text, "the dog saw"])  # one of them repeats a word
    assert [name for name, error in some.errors.items() if np.isnan(error).any()] == ["same word"]


def made_up(share, error=0.0, entropy=1.0):
    """Measures of one head that looks at the previous token with this share."""
    zero = np.zeros((1, 1))
    shares = {name: zero + (share if name == "previous" else 0) for name in heads.PATTERNS}
    errors = {name: zero + error for name in heads.PATTERNS}
    chance = dict.fromkeys(heads.PATTERNS, 0.05)
    return heads.Measures(shares, errors, chance, zero + entropy, 3.0, 100)


@pytest.mark.parametrize(
    ("measures", "kind"),
    [
        (made_up(0.31), "previous"),
        (made_up(0.29), "other"),
        (made_up(0.31, error=0.01), "other"),
        (made_up(0.31, entropy=2.5), "previous"),
        (made_up(0.2, entropy=2.5), "broad"),
        (made_up(0.35)._replace(chance=dict.fromkeys(heads.PATTERNS, 0.12)), "other"),
    ],
)
def test_the_rule_for_types(measures, kind):
    assert heads.head_types(measures).tolist() == [[kind]]


def test_map_of_heads_has_a_letter_and_a_number_for_each(bert, tokenizer):
    measured = heads.measure(bert, tokenizer, TEXTS)
    kinds = heads.head_types(measured)
    figure, axis = plt.subplots()
    heads.draw_types(axis, measured, kinds, "a model")
    written = [text.get_text() for text in axis.texts]
    assert written[::2] == [heads.LETTERS[kind] for kind in kinds.ravel()]
    assert all(text.endswith("%") for text in written[1::2])
    assert len(set(heads.LETTERS.values())) == len(set(heads.TYPE_COLOURS.values())) == len(heads.LETTERS)
    plt.close(figure)


def test_heads_off_is_zeroing_their_columns(bert, tokenizer):
    batch = tokenizer.encode_batch(["the dog saw the cat"])
    before = {name: value.clone() for name, value in bert.state_dict().items()}
    with torch.no_grad():
        whole = bert(**batch).last_hidden_state
        with altering.heads_off(bert, [(0, 1), (1, 0), (1, 2)]):
            off = bert(**batch).last_hidden_state
        assert torch.equal(bert(**batch).last_hidden_state, whole)
        assert all(torch.equal(value, before[name]) for name, value in bert.state_dict().items())
        for layer, head in [(0, 1), (1, 0), (1, 2)]:  # D = 4 columns of the output layer for each head
            bert.layers[layer].attention.output.weight[:, 4 * head : 4 * head + 4] = 0
        torch.testing.assert_close(off, bert(**batch).last_hidden_state)
    assert not torch.allclose(off, whole)


@pytest.mark.parametrize("head", [(2, 0), (0, 3), (-1, 0)])
def test_heads_off_refuses_a_head_that_is_not_there(bert, head):
    with pytest.raises(ValueError, match="2 layers of 3 heads"), altering.heads_off(bert, [head]):
        pass


@pytest.mark.parametrize("context", [altering.heads_off, altering.altered_attention])
def test_hooks_are_removed_after_an_error(bert, context):
    argument = [(0, 0)] if context is altering.heads_off else (lambda weights, layer: weights)
    with pytest.raises(KeyError), context(bert, argument):
        raise KeyError
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in bert.modules())


def test_attention_altered_into_itself_changes_nothing(bert, tokenizer):
    batch = tokenizer.encode_batch(["the dog", "the dog saw the cat"])
    with torch.no_grad():
        whole = bert(**batch).last_hidden_state
        with altering.altered_attention(bert, lambda weights, layer: weights):
            same = bert(**batch).last_hidden_state
    torch.testing.assert_close(same, whole)


def test_attention_replaced_by_the_identity_hands_on_the_own_value(bert, tokenizer):
    batch = tokenizer.encode_batch(["the dog saw the cat"])

    def own(weights, layer):
        return torch.eye(weights.shape[-1]).expand_as(weights) if layer == 1 else weights

    with torch.no_grad(), altering.altered_attention(bert, own):
        output = bert(**batch, output_hidden_states=True, output_attentions=True)
    layer, hidden = bert.layers[1], output.hidden_states[1]
    values = join_heads(split_heads(layer.attention.value(hidden), 3))
    hidden = layer.attention_norm(hidden + layer.attention.output(values))
    hidden = layer.feed_forward_norm(hidden + layer.feed_forward(hidden))
    torch.testing.assert_close(output.last_hidden_state, hidden)
    assert torch.equal(output.attentions[1], torch.eye(7).expand(1, 3, 7, 7))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("computed", [torch.float32, torch.float64])
def test_attention_may_be_computed_in_another_precision_than_the_models(bert, tokenizer, dtype, computed):
    batch = tokenizer.encode_batch(["the dog saw the cat"])

    def even(weights, layer):
        return torch.full(weights.shape, 1 / weights.shape[-1], dtype=computed)

    outputs = []
    for alter in (even, lambda weights, layer: even(weights, layer).to(weights.dtype)):
        with torch.no_grad(), altering.altered_attention(bert.to(dtype), alter):
            outputs.append(bert(**batch, output_attentions=True))
    assert torch.equal(*(output.last_hidden_state for output in outputs))
    assert outputs[0].last_hidden_state.dtype == outputs[0].attentions[0].dtype == dtype


def test_altering_in_training_mode_is_refused(bert, tokenizer):
    bert.train()
    with (
        pytest.raises(RuntimeError, match="eval"),
        altering.altered_attention(bert, lambda weights, _: weights),
    ):
        bert(**tokenizer.encode_batch(["the dog"]))


def test_flow_is_networkx_maximum_flow():
    weights = np.random.default_rng(0).dirichlet(np.full(4, 0.3), size=(3, 4))
    graph = networkx.DiGraph()
    for level in range(3):
        for i in range(4):
            for j in range(4):
                capacity = 0.5 * weights[level, i, j] + 0.5 * (i == j)
                graph.add_edge((level + 1, i), (level, j), capacity=capacity)
    expected = np.array(
        [[networkx.maximum_flow_value(graph, (3, i), (0, j)) for j in range(4)] for i in range(4)]
    )
    np.testing.assert_allclose(
        flow.attention_flow(weights), expected / expected.sum(axis=1, keepdims=True), atol=1e-5
    )


def test_flow_of_one_layer_is_the_layer():
    weights = np.random.default_rng(1).dirichlet(np.ones(5), size=(1, 5))
    np.testing.assert_allclose(flow.attention_flow(weights), (weights[0] + np.eye(5)) / 2, atol=1e-5)


def test_describe_tells_the_measured_type_and_the_score_in_the_text(bert, tokenizer):
    measured = heads.measure(bert, tokenizer, TEXTS)
    shares = {name: values.copy() for name, values in measured.shares.items()}
    shares["previous"][0, 0] = 0.9
    entropy = measured.entropy.copy()
    entropy[0, 1] = measured.uniform
    errors = {name: np.zeros_like(values) for name, values in measured.errors.items()}
    tell = heads.describe({"tiny": measured._replace(shares=shares, errors=errors, entropy=entropy)})
    tokens = ["[CLS]", "the", "dog", "ran", "[SEP]"]
    attention = np.full((5, 5), 0.1)
    attention[[2, 3], [1, 2]] = 0.6  # the two words with a word before them
    told = tell(attention, tokens, "tiny", 0, 0)
    assert told.startswith("previous, 90% (by chance") and told.endswith("in this text 60%")
    assert tell(attention[:3, :3], tokens[:2] + ["[SEP]"], "tiny", 0, 0).endswith(
        "in this text no such place"
    )
    even = tell(np.full((5, 5), 0.2), tokens, "tiny", 0, 1)
    assert even.startswith("broad, 100% (of the entropy of even attention)") and even.endswith("100%")
