"""What looks into a model takes any precision, mode and sequence of texts, and leaves the model as it was."""

import contextlib

import numpy as np
import pandas as pd
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import checkpoints, views
from helpers.analysis import altering, attribution, baselines, faithfulness, flow, heads
from helpers.analysis.calibration import (
    apply_temperature,
    expected_calibration_error,
    fit_temperature,
    reliability,
    reliability_diagram,
)
from helpers.analysis.comparison import mcnemar_exact, paired_bootstrap, summarize
from helpers.classification import BertForClassification
from helpers.encoder import Bert, BertConfig
from helpers.views.data import read_arrays, read_model
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

WORDS = "a the film plot good bad very not ##ly .".split()
TEXTS = ["the film not very badly good .", "the the film", "a bad plot . a good film"]
TEXT = TEXTS[0]
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
# The relative distance of neighboring numbers, some tens of times: two layers round in many places.
LIMITS = {torch.float16: 2e-2, torch.bfloat16: 2e-1, torch.float32: 1e-5, torch.float64: 1e-5}
TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, *WORDS])


def make(dtype=torch.float32):
    torch.manual_seed(0)
    config = BertConfig(len(SPECIAL_TOKENS) + len(WORDS), 24, 2, 3, 48, max_positions=40, init_std=None)
    return BertForClassification(Bert(config), 3).to(dtype)


def gradients(model, texts=TEXTS):
    return attribution.integrated_gradients(model, TOKENIZER, texts[0], target=1).scores


def scores_of(method):
    return lambda model, texts=TEXTS: method(model, TOKENIZER, texts[0]).scores


def faithful(model, texts=TEXTS):
    scores = [np.arange(len(TOKENIZER.encode(text).ids)) for text in TEXTS]
    return np.array(faithfulness.faithfulness_of_each(model, TOKENIZER, texts, scores))


def mean_faithful(model, texts=TEXTS):
    # One method whose order of the words does not depend on roundings.
    def method(model, tokenizer, text, max_length):
        return attribution.random_scores(model, tokenizer, text, max_length=max_length)

    return np.array(faithfulness.mean_faithfulness(model, TOKENIZER, texts, method))


def seen(model, texts=TEXTS):
    return np.concatenate([one.weights.ravel() for one in heads.attentions(model, TOKENIZER, texts)])


def measured(model, texts=TEXTS):
    found = heads.measure(model, TOKENIZER, texts)
    return np.stack([*found.shares.values(), found.entropy])


def viewed(model, texts=TEXTS):
    reading = read_model(model, TOKENIZER, texts[0], vectors=True)
    return np.concatenate([values.ravel() for values in (reading.attention, reading.queries, reading.keys)])


def switched_off(model, texts=TEXTS):
    with altering.heads_off(model, [(0, 1)]):
        return seen(model, texts)


LOOKS = {
    "attentions": seen,
    "measure": measured,
    "heads_off": switched_off,
    "integrated_gradients": gradients,
    "attention_scores": scores_of(attribution.attention_scores),
    "random_scores": scores_of(attribution.random_scores),
    "faithfulness": faithful,
    "mean_faithfulness": mean_faithful,
    "read_model": viewed,
}
OF_MANY = ["attentions", "measure", "heads_off", "faithfulness", "mean_faithfulness"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LOOKS)
def test_any_precision_gives_what_single_precision_gives(name, dtype):
    found = LOOKS[name](make(dtype))
    assert np.isfinite(found).all() and found.dtype in (np.float32, np.float64)
    expected = LOOKS[name](make())
    np.testing.assert_allclose(found, expected, atol=LIMITS[dtype] * np.abs(expected).max())


def broken(*_):
    raise RuntimeError("broken on purpose")


@settings(max_examples=5, deadline=None)
@given(training=st.lists(st.booleans(), min_size=40, max_size=40), fails=st.booleans())
@pytest.mark.parametrize("name", LOOKS)
def test_every_part_is_in_its_mode_afterwards(name, training, fails):
    model = make()
    for index, part in enumerate(model.modules()):
        part.training = training[index % len(training)]
    modes = [part.training for part in model.modules()]
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    if fails:
        model.bert.pooler.forward = broken
        with pytest.raises(RuntimeError, match="on purpose"):
            LOOKS[name](model)
    else:
        LOOKS[name](model)
    assert [part.training for part in model.modules()] == modes
    assert all(torch.equal(value, weights[key]) for key, value in model.state_dict().items())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())


def test_a_loop_over_attentions_leaves_the_mode_alone_at_each_turn():
    model = make().train()
    for _ in heads.attentions(model, TOKENIZER, TEXTS * 10):
        assert all(part.training for part in model.modules())
        assert torch.is_grad_enabled()
    next(heads.attentions(model, TOKENIZER, TEXTS))  # left in the middle
    assert all(part.training for part in model.modules())


SEQUENCES = {
    "tuple": tuple,
    "array": np.array,
    "series": pd.Series,
    "shuffled series": lambda texts: pd.Series(texts, index=[7, 2, 5]),
    "generator": lambda texts: (text for text in texts),
}


@pytest.mark.parametrize("kind", SEQUENCES)
@pytest.mark.parametrize("name", OF_MANY)
def test_any_sequence_of_texts_is_read_in_its_order(name, kind):
    np.testing.assert_array_equal(LOOKS[name](make(), SEQUENCES[kind](TEXTS)), LOOKS[name](make(), TEXTS))


@pytest.mark.parametrize("name", OF_MANY)
@pytest.mark.parametrize("texts", [TEXT, set(TEXTS), {"a": 1}, 3, pd.DataFrame({"text": TEXTS})], ids=type)
def test_what_is_no_sequence_of_texts_is_refused(name, texts):
    with pytest.raises(ValueError, match="must be a list"):
        LOOKS[name](make(), texts)


NO_TEXTS = [None, float("nan"), 3, b"the", ["the"], pd.NA]


@pytest.mark.parametrize("wrong", NO_TEXTS, ids=str)
@pytest.mark.parametrize("name", OF_MANY)
def test_a_text_that_is_none_is_named_by_its_row(name, wrong):
    with pytest.raises(ValueError, match=r"in row 1 \(from 0\) must be a string"):
        LOOKS[name](make(), [TEXT, wrong, TEXT])


def test_a_pair_is_two_texts():
    pair, (both,) = ["the film", "good ."], heads.attentions(make(), TOKENIZER, [("the film", "good .")])
    (listed,) = heads.attentions(make(), TOKENIZER, [pair])
    assert listed.tokens == both.tokens == ["[CLS]", "the", "film", "[SEP]", "good", ".", "[SEP]"]
    for wrong in (("the", None), ("the", "a", "film"), ()):
        with pytest.raises(ValueError, match=r"in row 1 \(from 0\) must be a string"):
            heads.attentions(make(), TOKENIZER, [TEXT, wrong])


@pytest.mark.parametrize("wrong", [*NO_TEXTS, TEXTS], ids=str)
@pytest.mark.parametrize("name", ["integrated_gradients", "attention_scores", "random_scores", "read_model"])
def test_one_text_is_a_string(name, wrong):
    with pytest.raises(ValueError, match="string"):
        LOOKS[name](make(), [wrong])


OTHERS = {
    "smaller": ([*SPECIAL_TOKENS, *WORDS[:-1]], "tokenizer with 14 entries, model with 15"),
    "larger": ([*SPECIAL_TOKENS, *WORDS, "more"], "tokenizer with 16 entries, model with 15"),
    "[PAD] elsewhere": ([*WORDS, *SPECIAL_TOKENS], r"\[PAD\] is entry 10 of the tokenizer, but entry 0"),
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("name", LOOKS)
def test_the_tokenizer_of_another_model_is_refused(name, other, monkeypatch):
    vocabulary, words = OTHERS[other]
    model = make()
    monkeypatch.setitem(globals(), "TOKENIZER", WordPieceTokenizer(vocabulary))
    with pytest.raises(ValueError, match=words):
        LOOKS[name](model)


def test_it_is_refused_before_the_first_text_is_asked_for():
    with pytest.raises(ValueError, match="tokenizer with 14 entries"):
        heads.attentions(make(), WordPieceTokenizer(OTHERS["smaller"][0]), TEXTS)


@pytest.mark.parametrize("other", OTHERS)
def test_the_librarys_tokenizer_of_another_model_is_refused(other, tmp_path, quiet_libraries):
    vocabulary, words = OTHERS[other]
    for name, entries in (("own", TOKENIZER.vocabulary), ("other", vocabulary)):
        (tmp_path / name).mkdir()
        WordPieceTokenizer(entries).save(tmp_path / name / "vocab.txt")
    own, theirs = (transformers.BertTokenizer(str(tmp_path / n / "vocab.txt")) for n in ("own", "other"))
    assert read_model(make(), own, TEXT).tokens == read_model(make(), TOKENIZER, TEXT).tokens
    with pytest.raises(ValueError, match=words):
        read_model(make(), theirs, TEXT)


def test_scores_may_be_tensors_of_any_precision_and_must_be_finite():
    count = len(TOKENIZER.encode(TEXT).ids)
    expected = faithfulness.faithfulness(make(), TOKENIZER, TEXT, list(range(count)), (0.3, 0.5))
    for dtype in DTYPES:
        scores = torch.arange(count, dtype=dtype, requires_grad=True)
        shares = np.array([0.3, 0.5])
        assert faithfulness.faithfulness(make(), TOKENIZER, TEXT, scores, shares) == expected
    for wrong in (np.nan, np.inf):
        with pytest.raises(ValueError, match="not finite"):
            faithfulness.faithfulness(make(), TOKENIZER, TEXT, [wrong] * count)


# Probabilities


def predictions(count=400, classes=4, seed=0):
    dice = np.random.default_rng(seed)
    logits = 2 * dice.normal(size=(count, classes))
    chances = np.exp(logits / 1.6)
    labels = [dice.choice(classes, p=row / row.sum()) for row in chances]
    return torch.tensor(logits).softmax(dim=-1), torch.tensor(labels)


@pytest.mark.parametrize("dtype", DTYPES)
def test_probabilities_of_any_precision(dtype):
    probabilities, labels = predictions()
    rounded = probabilities.to(dtype).requires_grad_()
    found, expected = reliability(rounded, labels), reliability(probabilities, labels)
    np.testing.assert_allclose(found.confidence.mean(), expected.confidence.mean(), atol=1e-2)
    close = {"abs": 1e-2 if dtype.itemsize == 2 else 1e-5}
    assert expected_calibration_error(rounded, labels) == pytest.approx(
        expected_calibration_error(probabilities, labels), **close
    )
    assert fit_temperature(rounded, labels) == pytest.approx(fit_temperature(probabilities, labels), **close)
    mended = apply_temperature(rounded, 2.0)
    np.testing.assert_allclose(mended, apply_temperature(probabilities, 2.0), atol=5e-3)
    with pytest.raises(ValueError, match="softmax"):
        reliability(torch.full((3, 4), 0.3, dtype=dtype), [0, 1, 2])


def test_points_of_any_kind():
    dice = np.random.default_rng(0)
    first, second = dice.random((3, 40)) < 0.8, dice.random((2, 40)) < 0.6
    expected = paired_bootstrap(first, second, resamples=50)
    for dtype in (torch.bool, *DTYPES):
        runs = [torch.tensor(run).to(dtype) for run in first]
        assert paired_bootstrap(runs, torch.tensor(second).to(dtype), resamples=50) == expected
    assert mcnemar_exact(
        torch.tensor(first[0]), pd.Series(second[0], index=range(40, 0, -1))
    ) == mcnemar_exact(first[0], second[0])
    assert summarize([torch.tensor(0.5), torch.tensor(0.25)]) == summarize([0.5, 0.25])


def test_one_example_has_no_interval():
    with pytest.raises(ValueError, match="at least 2"):
        paired_bootstrap([1.0], [0.0])


# Temperatures that mean nothing


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    classes=st.integers(2, 5),
    count=st.integers(1, 30),
    largest=st.floats(1e-3, 1e4),
    dtype=st.sampled_from([torch.float16, torch.float32, torch.float64]),
)
def test_answers_that_are_all_right_have_no_temperature(data, classes, count, largest, dtype):
    """However sure: also where all other probabilities underflow."""
    seed = data.draw(st.integers(0, 2**32 - 1))
    logits = torch.tensor(np.random.default_rng(seed).uniform(0, largest, (count, classes)))
    probabilities = logits.softmax(dim=-1).to(dtype)
    with pytest.raises(ValueError, match="no temperature .* all right"):
        fit_temperature(probabilities, probabilities.double().argmax(dim=-1))


@pytest.mark.parametrize(
    ("probabilities", "labels", "words"),
    [
        ([[0.5, 0.5]] * 4, [0, 1, 0, 1], "all right"),  # ties: no temperature changes anything
        ([[1.0, 0.0]] * 3, [0, 0, 0], "all right"),
        ([[1.0, 1e-300], [1e-320, 1.0]], [0, 1], "all right"),
        ([[0.9, 0.1], [0.9, 0.1]], [0, 1], "chance"),
        ([[1.0, 0.0], [1.0, 0.0]], [1, 1], "chance"),
        ([[1.0, 0.0]], [1], "chance"),
    ],
)
def test_no_temperature_fits_these(probabilities, labels, words):
    with pytest.raises(ValueError, match=f"no temperature .*{words}"):
        fit_temperature(probabilities, labels)


def test_sure_predictions_with_an_error_have_one():
    """Nine of ten right at a logit of 100 (with the smallest number for 0, 87.3): T = 87.3 / ln 9."""
    probabilities = torch.tensor([[100.0, 0.0]] * 10).softmax(dim=-1)
    found = fit_temperature(probabilities, [0] * 9 + [1])
    assert found == pytest.approx(-np.log(np.finfo(np.float32).tiny) / np.log(9), rel=1e-4)


@pytest.mark.parametrize("temperature", [1e-320, 1e-300, 1e-8, 1e8, 1e300])
def test_extreme_temperatures_give_probabilities(temperature):
    changed = apply_temperature([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]], temperature)
    np.testing.assert_allclose(changed.sum(axis=1), 1)
    assert changed.argmax(axis=1).tolist() == [0, 2] or temperature > 1e200


@pytest.mark.parametrize("bins", [0, -1, 2.5, True, None, "ten"])
def test_bins_are_a_whole_number(bins):
    with pytest.raises(ValueError, match="at least 1 bin"):
        reliability(*predictions(20), bins)


# Flow and tables


@pytest.mark.parametrize("dtype", DTYPES)
def test_flow_of_any_precision(dtype):
    weights = torch.tensor(np.random.default_rng(0).dirichlet(np.full(4, 0.3), (2, 4)))
    expected = flow.attention_flow(weights.numpy())
    np.testing.assert_allclose(flow.attention_flow(weights.to(dtype)), expected, atol=LIMITS[dtype])


@pytest.mark.parametrize(
    ("weights", "residual", "words"),
    [
        (np.full((2, 3, 4, 4), 0.25), 0.5, r"must be \(L, T, T\), the mean over heads, not \(2, 3, 4, 4\)"),
        (np.full((2, 4, 3), 0.25), 0.5, r"must be \(L, T, T\)"),
        (np.empty((0, 4, 4)), 0.5, r"must be \(L, T, T\)"),
        (np.full((1, 2, 2), np.nan), 0.5, "between 0 and 1"),
        (np.full((1, 2, 2), -0.5), 0.5, "between 0 and 1"),
        (np.full((1, 2, 2), 0.5), 1.5, "between 0 and 1"),
        (np.full((1, 2, 2), 0.5), np.nan, "between 0 and 1"),
    ],
)
def test_what_is_no_attention_does_not_flow(weights, residual, words):
    with pytest.raises(ValueError, match=words):
        flow.attention_flow(weights, residual)


@pytest.mark.parametrize("table", ["unigram", "bigram"])
def test_a_batch_that_asks_nothing_has_no_score(table):
    tables = baselines.Tables(np.array([3, 2, 1]), np.array([1]), np.array([2]))
    batch = {"ids": torch.tensor([[0, 1]]), "labels": torch.full((1, 2), -100)}
    with pytest.raises(ValueError, match="no position of the batch has a label"):
        getattr(tables, table)(batch)


# Views


@pytest.mark.parametrize("one", [np.int64(1), np.int32(1), 1])
def test_one_layer_and_one_head_of_any_whole_type(one):
    reading = views.head_view(make(), TOKENIZER, TEXT, layers=one, heads=one).reading
    assert (reading.layers, reading.heads) == ([1], [1])
    reading = views.head_view(make(), TOKENIZER, TEXT, layers=np.array([1, 0])).reading
    assert reading.layers == [1, 0] and all(type(layer) is int for layer in reading.layers)


def test_attention_that_the_library_did_not_keep(quiet_libraries):
    theirs = checkpoints.to_transformers(make().eval())
    theirs.set_attn_implementation("sdpa")
    ids = torch.tensor([TOKENIZER.encode(TEXT).ids])
    with contextlib.suppress(ValueError), torch.no_grad():
        attentions = theirs(ids, output_attentions=True).attentions or (None, None)
    for given_ in (attentions, None, [None, None]):
        if given_ is not None and all(layer is not None for layer in given_):
            continue  # a library that falls back to the plain one
        with pytest.raises(ValueError, match='attention is None.*attn_implementation="eager"'):
            read_arrays(given_, TOKENIZER.encode(TEXT).tokens)
    with pytest.raises(ValueError, match="at least one layer"):
        read_arrays([], ["a"])


def test_arrays_of_any_precision():
    weights = torch.tensor(np.random.default_rng(0).dirichlet(np.full(4, 0.3), (2, 3, 4)))
    for dtype in DTYPES:
        reading = read_arrays(
            [layer[None].to(dtype) for layer in weights], pd.Series(list("abcd"), index=[3, 1, 2, 0])
        )
        assert reading.tokens == list("abcd") and reading.attention.dtype == np.float32
        np.testing.assert_allclose(reading.attention, weights, atol=LIMITS[dtype])
    with pytest.raises(ValueError, match="must be a list, not one string"):
        read_arrays(weights, "abcd")


@pytest.mark.parametrize(
    ("text", "words"),
    [("the " * 60, "62 tokens, but the model has only 40 positions"), ("other", "own tokenizer")],
)
def test_texts_that_the_librarys_model_cannot_read(text, words, quiet_libraries):
    theirs = checkpoints.to_transformers(make())
    larger = WordPieceTokenizer([*TOKENIZER.vocabulary, "other"])
    with pytest.raises(ValueError, match=words):
        read_model(theirs, larger, text)


@pytest.mark.parametrize("model", [torch.nn.Linear(1, 1), torch.nn.Module()])
def test_what_is_no_bert_is_refused(model):
    with pytest.raises(TypeError, match="is no BERT"):
        read_model(model, TOKENIZER, TEXT)


# Compiled models


def logits_of(model):
    return model(**TOKENIZER.encode_batch(TEXTS)).detach()


def compiled(way):
    model = make().eval()
    if way == "in place":
        model.compile(backend="eager")
    elif way == "its encoder":
        model.bert.compile(backend="eager")
    else:
        model = torch.compile(model, backend="eager")
    with torch.no_grad():
        logits_of(model)  # compiled now, without hooks
        model(torch.tensor([TOKENIZER.encode(TEXT).ids]))
    return model


@pytest.mark.parametrize("way", ["torch.compile", "in place", "its encoder"])
def test_a_compiled_model_is_altered_like_the_plain_one(way):
    plain, model = make().eval(), compiled(way)
    before = logits_of(model)
    for context in (
        lambda model: altering.heads_off(model, [(0, 1), (1, 2)]),
        lambda model: altering.altered_attention(model, lambda p, _: torch.full_like(p, 1 / p.shape[-1])),
    ):
        with context(plain), context(model):
            expected, found = logits_of(plain), logits_of(model)
        torch.testing.assert_close(found, expected)
        assert (expected - before).abs().max() > 1e-2
        torch.testing.assert_close(logits_of(model), before)  # and runs compiled again


@pytest.mark.parametrize("way", ["torch.compile", "in place", "its encoder"])
def test_a_compiled_model_is_looked_into_like_the_plain_one(way):
    model = compiled(way)
    for look in LOOKS.values():
        np.testing.assert_allclose(look(model), look(make()), atol=1e-5)


# What is given by mistake


@pytest.mark.parametrize("off", [(0, 1), {0: [0, 1]}, [(0.0, 1.0)], [(0, 1.5)], [(0, 1, 2)], "01", 3])
def test_heads_are_pairs_of_whole_numbers(off):
    with pytest.raises(ValueError, match=r"pairs of whole numbers, \(layer, head\), such as \[\(0, 1\)\]"):
        with altering.heads_off(make(), off):
            pass


@pytest.mark.parametrize("off", [np.array([[0, 1]]), torch.tensor([[0, 1]]), {(0, 1)}, iter([(0, 1)])])
def test_pairs_of_heads_come_in_any_container(off):
    model = make().eval()
    with altering.heads_off(model, off):
        found = logits_of(model)
    with altering.heads_off(model, [(0, 1)]):
        assert torch.equal(found, logits_of(model))


def test_gradients_are_there_in_inference_mode():
    model = make()
    expected = gradients(model)
    with torch.inference_mode():
        np.testing.assert_allclose(gradients(model), expected, atol=1e-6)
        without = make()
    with pytest.raises(ValueError, match="made in torch.inference_mode"):
        gradients(without)


@pytest.mark.parametrize("name", [name for name in LOOKS if name != "read_model"])
def test_a_model_of_the_library_is_sent_to_be_converted(name, quiet_libraries):
    theirs = checkpoints.to_transformers(make())
    with pytest.raises(ValueError, match="the Transformers library's: convert it with .*from_transformers"):
        LOOKS[name](theirs)
    with pytest.raises(ValueError, match="Parallel is no model of this course: give .* its .module"):
        checkpoints.encoder_of(torch.nn.DataParallel(make()))


SMALL = {"hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 3, "intermediate_size": 8}
WITH_WORDS = SMALL | {"vocab_size": len(SPECIAL_TOKENS) + len(WORDS)}
SPECIAL = {f"{name}_token_id": number for number, name in enumerate(("pad", "cls", "sep", "bos", "eos"))}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("Llama", WITH_WORDS),
        ("ModernBert", WITH_WORDS | SPECIAL),
        ("DebertaV2", WITH_WORDS),
        ("MPNet", WITH_WORDS),
        ("ViT", SMALL),
    ],
)
def test_models_that_are_built_otherwise_are_no_bert(kind, options, quiet_libraries):
    config = getattr(transformers, f"{kind}Config")(**options)
    model = getattr(transformers, f"{kind}Model")(config)
    with pytest.raises(TypeError, match=f"{kind}Model is no BERT that can be read"):
        views.head_view(model, TOKENIZER, TEXT)


# Numbers in any container


VALUES = [0.5, 0.25, 1.0]
ORDERED = {
    "generator": lambda values: (value for value in values),
    "dictionary's values": lambda values: dict(enumerate(values)).values(),
    "column": lambda values: pd.Series(values, index=range(9, 9 - len(values), -1)),
    "column of objects": lambda values: pd.Series(values, dtype=object),
    "masked array without a mask": np.ma.array,
}


@pytest.mark.parametrize("kind", ORDERED)
def test_numbers_are_read_in_their_order(kind):
    put = ORDERED[kind]
    assert summarize(put(VALUES)) == summarize(VALUES)
    assert paired_bootstrap(put(VALUES), put([0, 1, 1])) == paired_bootstrap(VALUES, [0, 1, 1])
    assert mcnemar_exact(put([1, 0, 1]), put([0, 1, 1])) == mcnemar_exact([1, 0, 1], [0, 1, 1])
    probabilities, labels = predictions(30)
    expected = reliability(probabilities, labels)
    for found, wanted in zip(reliability(probabilities, put(labels.tolist())), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    reliability_diagram({"a": probabilities, "b": probabilities}, put(labels.tolist()))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({0.5, 0.25}, "another sequence in order, not set"),
        ({"a": 0.5, "b": 0.25}, "another sequence in order, not dict"),
        ("0.5", "not one string"),
        (0.5, "another sequence in order, not float"),
        ([0.5, None], "None is no number"),
        (np.ma.array([0.5, 0.25, 1.0], mask=[0, 1, 0]), "masked or missing"),
        ([np.ma.array([0.5, 0.25], mask=[0, 1]), np.array([0.5, 1.0])], "masked or missing"),
    ],
)
def test_what_has_no_order_or_misses_some_is_refused(values, words):
    for take in (summarize, lambda values: paired_bootstrap(values, values)):
        with pytest.raises(ValueError, match=words):
            take(values)


@pytest.mark.parametrize("missing", [pd.array([True, None], dtype="boolean"), pd.Series([True, pd.NA])])
def test_a_missing_answer_is_none(missing):
    with pytest.raises(ValueError, match="missing"):
        mcnemar_exact(missing, [1, 0])


def test_masked_weights_are_not_drawn():
    weights = np.ma.array(np.full((1, 1, 2, 2), 0.5), mask=np.eye(2)[None, None])
    for given_ in (weights, [weights]):
        with pytest.raises(ValueError, match="masked"):
            read_arrays(given_, ["a", "b"])


def test_the_temperature_may_be_one_that_is_trained():
    probabilities, _ = predictions(20)
    expected = apply_temperature(probabilities, 1.5)
    for temperature in (torch.nn.Parameter(torch.tensor(1.5)), torch.nn.Parameter(torch.tensor([1.5]))):
        np.testing.assert_array_equal(apply_temperature(probabilities, temperature), expected)
    for wrong in (None, "warm", torch.ones(2), 0, float("nan")):
        with pytest.raises(ValueError, match="the temperature must be a number above 0"):
            apply_temperature(probabilities, wrong)
