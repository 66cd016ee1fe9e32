"""The classifier and its training loop, compared with the Transformers library and with scikit-learn."""

import copy
import math
import random
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, log_loss

from helpers import checkpoints, classification
from helpers.classification import (
    BertForClassification,
    Evaluation,
    Examples,
    FineTuning,
    classification_loss,
    encode_texts,
    evaluate,
    fine_tune,
    freeze_lower_layers,
    labelled_batches,
    layer_wise_groups,
    length_buckets,
    predict,
)
from helpers.encoder import Bert, BertConfig
from helpers.pretraining import make_optimizer
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

WORDS = ["a", "the", "film", "plot", "good", "great", "bad", "dull", "very", "not", "##ly", "."]
CONFIG = BertConfig(
    vocab_size=len(SPECIAL_TOKENS) + len(WORDS), hidden_size=24, num_layers=2, num_heads=3,
    intermediate_size=48, max_positions=40, init_std=None,
)  # fmt: skip
PLAN = FineTuning(epochs=2, batch_size=8, learning_rate=3e-3, max_length=20)


@pytest.fixture
def tokenizer():
    return WordPieceTokenizer([*SPECIAL_TOKENS, *WORDS])


def make_model(num_classes=2, seed=0, config=CONFIG):
    torch.manual_seed(seed)
    return BertForClassification(Bert(config), num_classes).eval()


def make_examples(count, seed=0):
    """Sentences of 1 to 12 words with one word that decides their class."""
    dice = random.Random(seed)
    texts, labels = [], []
    for _ in range(count):
        label = dice.randrange(2)
        words = [dice.choice(["a", "the", "film", "plot", "very", "."]) for _ in range(dice.randrange(12))]
        words.insert(dice.randint(0, len(words)), dice.choice([["bad", "dull"], ["good", "great"]][label]))
        texts.append(" ".join(words))
        labels.append(label)
    return Examples(texts, labels)


def weights_of(model):
    return copy.deepcopy(model.state_dict())


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


# The model and its loss


@pytest.mark.parametrize("num_classes", [2, 3])
def test_loss_and_gradients_are_the_librarys(tokenizer, num_classes):
    model = make_model(num_classes)
    theirs = checkpoints.to_transformers(model).eval()
    batch = tokenizer.encode_batch(["a good film", "the plot is not good ly .", "", "dull"])
    labels = torch.tensor([1, 0, num_classes - 1, 0])
    output = theirs(
        input_ids=batch["ids"], token_type_ids=batch["type_ids"], attention_mask=batch["attention_mask"],
        labels=labels,
    )  # fmt: skip
    loss = classification_loss(model, batch, labels)
    torch.testing.assert_close(model(**batch), output.logits, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(loss, output.loss, atol=1e-6, rtol=1e-5)
    loss.backward()
    output.loss.backward()
    for parameter in theirs.parameters():  # a model whose weights are the gradients, to get our names
        parameter.data = parameter.grad
    gradients = checkpoints.from_transformers(theirs).state_dict()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name], atol=1e-6, rtol=1e-4, msg=name)


def test_loss_by_hand():
    model = make_model()
    torch.nn.init.zeros_(model.classifier.weight)
    model.classifier.bias.data = torch.tensor(
        [0.0, math.log(3)]
    )  # probabilities 1/4 and 3/4, whatever the text
    batch = {"ids": torch.tensor([[2, 3], [2, 3]])}
    loss = classification_loss(model, batch, torch.tensor([1, 0]))
    assert loss.item() == pytest.approx((math.log(4 / 3) + math.log(4)) / 2)


def test_the_head_leaves_the_encoder_as_it_was():
    torch.manual_seed(0)
    bert = Bert(CONFIG)
    before = weights_of(bert)
    model = BertForClassification(bert, 2)
    assert model.bert is bert and same(before, bert.state_dict())
    assert model.classifier.bias.eq(0).all() and model.classifier.weight.std() > 0


def test_names_of_the_classes_and_the_rate_of_dropout_are_kept():
    model = BertForClassification(Bert(CONFIG), 2, 0.3, labels=["bad", "good"])
    assert model.labels == ("bad", "good") and model.dropout.p == 0.3
    assert BertForClassification(Bert(CONFIG), 2).labels is None


@pytest.mark.parametrize("labels", [(), ["bad"], ["bad", "bad"], ["bad", "good", "good"], "ab"])
def test_names_that_do_not_fit_the_classes_are_refused(labels):
    with pytest.raises(ValueError, match="2 classes need as many names, all different"):
        BertForClassification(Bert(CONFIG), 2, labels=labels)


def test_fewer_than_two_classes_are_refused():
    with pytest.raises(ValueError, match="at least 2 classes, not 1"):
        BertForClassification(Bert(CONFIG), 1)


# Prediction and evaluation


def test_predictions_keep_the_order_and_do_not_depend_on_the_batch(tokenizer):
    model = make_model(3)
    texts = make_examples(150).texts + ["", "very " * 17]  # more than two batches of 64
    together = predict(model, texts, tokenizer)
    assert together.shape == (152, 3)
    torch.testing.assert_close(together.sum(dim=1), torch.ones(152))
    alone = torch.cat([predict(model, [text], tokenizer) for text in texts])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    assert len({round(value, 4) for value in alone[:, 0].tolist()}) > 50  # so that another order would show


def test_prediction_switches_dropout_off(tokenizer):
    model = make_model().train()
    first = predict(model, ["a good film"], tokenizer)
    assert torch.equal(first, predict(model.train(), ["a good film"], tokenizer))
    assert not first.requires_grad


@pytest.mark.parametrize("num_classes", [2, 3])
def test_evaluation_is_scikit_learns(tokenizer, num_classes):
    texts, labels = make_examples(100)
    labels = [label if index % 5 else num_classes - 1 for index, label in enumerate(labels)]
    model = make_model(num_classes)
    result = evaluate(model, Examples(texts, labels), tokenizer)
    assert result.probabilities.shape == (100, num_classes)
    predicted = result.probabilities.argmax(dim=1)
    assert result.accuracy == pytest.approx(accuracy_score(labels, predicted))
    # Rows summing to 1 in float64, as scikit-learn wants them
    rows = predict(model, texts, tokenizer).double()
    expected = log_loss(labels, rows / rows.sum(dim=1, keepdim=True), labels=range(num_classes))
    assert result.loss == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", [np.array, torch.tensor, tuple])
def test_labels_may_be_an_array(tokenizer, kind):
    texts, labels = make_examples(20)
    model = make_model()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected, result = (evaluate(model, Examples(texts, y), tokenizer) for y in (labels, kind(labels)))
    assert result.accuracy == expected.accuracy and result.loss == expected.loss
    assert fine_tune(model, Examples(texts, kind(labels)), Examples(texts, labels), tokenizer, PLAN)


def test_an_empty_text_works(tokenizer):
    result = evaluate(make_model(), Examples(["", "a film"], [0, 1]), tokenizer)
    assert torch.isfinite(result.probabilities).all()
    assert fine_tune(make_model(), Examples(["", "a film"], [0, 1]), Examples([""], [0]), tokenizer, PLAN)


# What is refused, before anything is computed


@pytest.mark.parametrize(
    ("examples", "words"),
    [
        (Examples([], []), "no examples"),
        (Examples(["a film", "a plot"], [1]), "2 texts, but 1 labels"),
        (Examples(["a film", "a plot"], [0, 2]), r"0 to 1 for 2 classes, but 1 are not, such as 2"),
        (Examples(["a film", "a plot"], [-1, 0]), "such as -1"),
        (Examples(["a film", "a plot"], [None, 0.5]), "but 2 are not, such as None"),
    ],
    ids=["empty data set", "unequal lengths", "label too large", "negative label", "missing label"],
)
def test_bad_examples_are_refused(tokenizer, examples, words):
    model, good = make_model(), make_examples(10)
    before = weights_of(model)
    with pytest.raises(ValueError, match=words):
        evaluate(model, examples, tokenizer)
    with pytest.raises(ValueError, match=words):
        fine_tune(model, examples, good, tokenizer, PLAN)
    with pytest.raises(ValueError, match=words):
        fine_tune(model, good, examples, tokenizer, PLAN)
    assert same(before, model.state_dict())


def test_predicting_nothing_is_refused(tokenizer):
    with pytest.raises(ValueError, match="no texts to predict"):
        predict(make_model(), [], tokenizer)


@pytest.mark.parametrize("setting", [{"epochs": 0}, {"batch_size": 0}, {"patience": 0}])
def test_a_plan_without_steps_is_refused(setting):
    with pytest.raises(ValueError, match="at least 1"):
        replace(PLAN, **setting)


# Texts that are too long


def test_a_long_text_is_cut_with_one_warning_that_counts(tokenizer):
    texts = ["a good film", "very " * 50, "bad " * 51]
    with pytest.warns(UserWarning) as caught:
        encodings = encode_texts(texts, tokenizer, 20)
    assert [str(warning.message) for warning in caught] == [
        "2 of 3 texts are longer than 20 tokens and were cut"
    ]
    assert [len(encoding.ids) for encoding in encodings] == [5, 20, 20]
    assert [encoding.truncated for encoding in encodings] == [0, 32, 33]


def test_a_text_of_two_thousand_tokens_is_classified_with_a_notice(tokenizer):
    model, long = make_model(), "a good film . " * 500
    assert len(tokenizer.encode(long).ids) == 2002
    with pytest.warns(UserWarning, match="1 of 2 texts are longer than 40 tokens and were cut"):
        probabilities = predict(model, [long, "a good film"], tokenizer, max_length=40)
    start = predict(model, ["a good film . " * 9 + "a good"], tokenizer, max_length=40)  # 38 tokens
    torch.testing.assert_close(probabilities[:1], start)


def test_truncation_is_never_silent(tokenizer):
    model, good, long = make_model(), make_examples(10), Examples(["very " * 50, "good"], [0, 1])
    with pytest.warns(UserWarning, match="1 of 2 texts"):
        predict(model, long.texts, tokenizer, max_length=20)
    with pytest.warns(UserWarning, match="1 of 2 texts"):
        evaluate(model, long, tokenizer, max_length=20)
    with pytest.warns(UserWarning, match="1 of 2 texts"):
        fine_tune(model, long, good, tokenizer, PLAN)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fine_tune(model, good, good, tokenizer, PLAN)


def test_more_tokens_than_positions_are_refused(tokenizer):
    with pytest.raises(ValueError, match="40 positions"):
        predict(make_model(), ["very " * 50], tokenizer, max_length=128)


# Batches


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(2, 60), max_size=500), st.integers(1, 40))
def test_length_buckets_hold_every_index_once(lengths, batch_size):
    batches = length_buckets(lengths, batch_size)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(1 <= len(batch) <= batch_size for batch in batches)
    # only the last batch of each group of 50 may be short: the step count is that of plain batches
    assert len(batches) == math.ceil(len(lengths) / batch_size)


def test_length_buckets_save_padding_and_are_shuffled():
    dice = random.Random(0)
    lengths = [dice.randint(3, 60) for _ in range(5000)]
    torch.manual_seed(0)
    batches = length_buckets(lengths, 16)
    computed = sum(len(batch) * max(lengths[index] for index in batch) for batch in batches)
    assert computed < 1.05 * sum(lengths)
    longest = [max(lengths[index] for index in batch) for batch in batches]
    assert abs(np.corrcoef(longest, range(len(longest)))[0, 1]) < 0.2  # no run from short to long
    assert length_buckets(lengths, 16) != batches


def test_batches_hold_each_text_with_its_label(tokenizer):
    texts, labels = make_examples(50)
    encodings = encode_texts(texts, tokenizer, 20)
    seen = []
    for batch, batch_labels in labelled_batches(encodings, labels, 8, tokenizer):
        for ids, mask, label in zip(batch["ids"], batch["attention_mask"], batch_labels, strict=True):
            seen.append((tuple(ids[mask == 1].tolist()), label.item()))
    assert sorted(seen) == sorted((tuple(e.ids), label) for e, label in zip(encodings, labels, strict=True))


# Freezing


@pytest.mark.parametrize("count", [0, 1, 2])
def test_freezing_leaves_exactly_those_weights(tokenizer, count):
    model, examples = make_model(), make_examples(40)
    freeze_lower_layers(model.bert, count)
    before = weights_of(model)
    fine_tune(model, examples, examples, tokenizer, replace(PLAN, epochs=1))
    after = model.state_dict()
    kept = {name for name in before if torch.equal(before[name], after[name])}
    parts = ("bert.embeddings.", *(f"bert.layers.{index}." for index in range(count)))
    assert kept == {name for name in before if name.startswith(parts)}


@pytest.mark.parametrize("count", [-1, 3])
def test_freezing_other_layers_than_there_are_is_refused(count):
    with pytest.raises(ValueError, match=f"there are 2 layers, {count} of them"):
        freeze_lower_layers(make_model().bert, count)


# Fine-tuning


def test_fine_tuning_learns(tokenizer):
    model, held_out = make_model(), make_examples(200, seed=2)
    assert evaluate(model, held_out, tokenizer).accuracy < 0.75
    steps, epochs = [], []
    losses = fine_tune(
        model, make_examples(250, seed=1), held_out, tokenizer, replace(PLAN, epochs=4),
        on_epoch=lambda epoch, result: epochs.append((epoch, result)),
        on_step=lambda step, loss: steps.append((step, loss)),
    )  # fmt: skip
    assert evaluate(model, held_out, tokenizer).accuracy > 0.97
    assert len(losses) == 4 * math.ceil(250 / 8)
    assert steps == list(enumerate(losses, 1))
    assert [epoch for epoch, _ in epochs] == [1, 2, 3, 4]
    assert max(result.accuracy for _, result in epochs) == evaluate(model, held_out, tokenizer).accuracy


def test_the_seed_decides_the_losses(tokenizer):
    def losses(seed):
        return fine_tune(
            make_model(), make_examples(40), make_examples(10), tokenizer, replace(PLAN, seed=seed)
        )

    first = losses(5)
    torch.rand(100)  # what happened before must not matter
    assert first == losses(5)
    assert first != losses(6)


@pytest.mark.parametrize("accuracies", [[0.6, 0.8, 0.7], [0.8, 0.6, 0.8], [0.5, 0.6, 0.7]])
def test_the_weights_of_the_best_epoch_are_kept(tokenizer, monkeypatch, accuracies):
    made_up = iter(accuracies)
    monkeypatch.setattr(
        classification, "evaluate", lambda *arguments: Evaluation(next(made_up), 0.0, torch.empty(0))
    )
    model, examples, states = make_model(), make_examples(20), []
    fine_tune(
        model, examples, examples, tokenizer, replace(PLAN, epochs=3),
        on_epoch=lambda epoch, result: states.append(weights_of(model)),
    )  # fmt: skip
    assert not same(states[0], states[1]) and not same(states[1], states[2])
    assert same(model.state_dict(), states[accuracies.index(max(accuracies))])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_the_training(tokenizer, monkeypatch, bad):
    model, examples, states = make_model(), make_examples(40), []

    def loss_gone_wrong(*arguments):
        loss = classification_loss(*arguments)
        return loss * bad if len(states) == 3 else loss  # in the first epoch of five steps

    monkeypatch.setattr(classification, "classification_loss", loss_gone_wrong)
    with pytest.raises(FloatingPointError, match="step 4: the loss is (nan|inf)"):
        fine_tune(
            model, examples, examples, tokenizer, PLAN,
            on_step=lambda step, loss: states.append(weights_of(model)),
        )  # fmt: skip
    assert len(states) == 3 and not same(states[1], states[2])
    assert same(model.state_dict(), states[2])


# The way to the library


@pytest.mark.parametrize("num_classes", [2, 3])
def test_the_librarys_pipeline_gives_our_probabilities(tokenizer, tmp_path, num_classes):
    from transformers import pipeline

    config = replace(CONFIG, init_std=0.5)  # large weights: the probabilities then differ from text to text
    model, texts = make_model(num_classes, config=config), ["a good film", "the plot is not good .", "dull"]
    checkpoints.save(model, tokenizer, tmp_path / "classifier")
    answers = pipeline("text-classification", str(tmp_path / "classifier"), top_k=None)(texts)
    theirs = [[{a["label"]: a["score"] for a in answer}[f"LABEL_{c}"] for c in range(num_classes)]
              for answer in answers]  # fmt: skip
    ours = predict(model, texts, tokenizer)
    torch.testing.assert_close(torch.tensor(theirs), ours, atol=1e-5, rtol=0)
    assert ours[:, 0].std() > 0.01


# Refused before the first step


@pytest.mark.parametrize("label", [-100, -1, 2])
def test_a_label_outside_the_classes_has_no_loss(tokenizer, label):
    batch = tokenizer.encode_batch(["a good film", "bad"])
    with pytest.raises(ValueError, match="labels must be 0 to 1"):
        classification_loss(make_model(), batch, torch.tensor([0, label]))


@pytest.mark.parametrize("part", ["train", "validation"])
def test_fine_tuning_refuses_more_tokens_than_positions_before_it_trains(tokenizer, part):
    model, good = make_model(), make_examples(12)
    before = weights_of(model)
    long = Examples([*good.texts, "film " * 50], [*good.labels, 1])
    train, validation = (long, good) if part == "train" else (good, long)
    with pytest.raises(ValueError, match="52 tokens, the model 40 positions: choose a smaller max_length"):
        fine_tune(model, train, validation, tokenizer, replace(PLAN, max_length=128))
    assert same(before, weights_of(model))


@pytest.mark.parametrize("entries", [-1, 1])
def test_fine_tuning_refuses_a_tokenizer_of_another_vocabulary(tokenizer, entries):
    vocabulary = [*tokenizer.vocabulary, "superb"] if entries > 0 else tokenizer.vocabulary[:entries]
    examples = Examples(["a superb film"] * 4, [1, 1, 0, 1])
    with pytest.raises(ValueError, match=f"tokenizer with {17 + entries} entries, model with 17: load both"):
        fine_tune(make_model(), examples, examples, WordPieceTokenizer(vocabulary), PLAN)


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor])
def test_fine_tuning_on_one_class_is_refused(tokenizer, kind):
    model, good = make_model(), make_examples(12)
    before = weights_of(model)
    with pytest.raises(
        ValueError, match="all training labels are .*1.*: give examples of at least two classes"
    ):
        fine_tune(model, Examples(["a good film", "great"], kind([1, 1])), good, tokenizer, PLAN)
    assert same(before, weights_of(model))


# Rates from layer to layer, and stopping early


def test_layer_wise_rates_fall_from_top_to_bottom():
    model = make_model()
    groups = layer_wise_groups(model, learning_rate=1.0, weight_decay=0.01, layer_decay=0.5)
    found = {id(weight): group for group in groups for weight in group["params"]}
    assert len(found) == len(list(model.parameters()))
    for name, weight in model.named_parameters():
        height = 0 if "pooler" in name or "classifier" in name else 1 if "layers.1" in name else 2
        height = 3 if "embeddings" in name else height
        assert found[id(weight)]["lr"] == 0.5**height, name
        assert found[id(weight)]["weight_decay"] == (0.01 if weight.dim() > 1 else 0), name
    for wrong in (0, 1.5):
        with pytest.raises(ValueError, match="at most 1"):
            replace(PLAN, layer_decay=wrong)


def test_one_rate_for_all_layers_is_the_optimizer_of_pretraining(tokenizer, monkeypatch):
    def optimizer_of_pretraining(plan, model, steps):
        return make_optimizer(model, steps, plan.learning_rate, plan.warm_up, plan.weight_decay)

    train, validation = make_examples(24, 0), make_examples(10, 1)
    first, second, layer_wise = make_model(), make_model(), make_model()
    losses = fine_tune(first, train, validation, tokenizer, PLAN)
    fine_tune(layer_wise, train, validation, tokenizer, replace(PLAN, layer_decay=0.5))
    monkeypatch.setattr(FineTuning, "optimizer", optimizer_of_pretraining)
    assert fine_tune(second, train, validation, tokenizer, PLAN) == pytest.approx(losses)
    for name, weight in first.state_dict().items():
        assert torch.allclose(weight, second.state_dict()[name], atol=1e-6), name
    assert not same(weights_of(first), weights_of(layer_wise))


@pytest.mark.parametrize(
    ("accuracies", "patience", "epochs"),
    [([0.5, 0.8, 0.7, 0.9], None, 4), ([0.5, 0.8, 0.7, 0.9], 1, 3), ([0.8, 0.7, 0.6, 0.9], 2, 3),
     ([0.8, 0.7, 0.9, 0.9], 2, 4), ([0.5, 0.5, 0.5, 0.5], 3, 4)],
)  # fmt: skip
def test_early_stopping_waits_for_a_better_epoch(tokenizer, monkeypatch, accuracies, patience, epochs):
    made_up, states = iter(accuracies), []
    monkeypatch.setattr(
        classification, "evaluate", lambda *arguments: Evaluation(next(made_up), 0.0, torch.empty(0))
    )
    model, examples = make_model(), make_examples(20)
    fine_tune(
        model, examples, examples, tokenizer, replace(PLAN, epochs=4, patience=patience),
        on_epoch=lambda epoch, result: states.append(weights_of(model)),
    )  # fmt: skip
    assert len(states) == epochs
    assert same(weights_of(model), states[accuracies.index(max(accuracies[:epochs]))])


def test_an_interrupted_fine_tuning_keeps_the_best_epoch(tokenizer):
    model, states = make_model(), []

    def interrupt(step, loss):
        if states:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fine_tune(
            model, make_examples(20), make_examples(8, 1), tokenizer, PLAN,
            on_epoch=lambda epoch, result: states.append(weights_of(model)), on_step=interrupt,
        )  # fmt: skip
    assert len(states) == 1 and same(states[0], weights_of(model))


def test_a_run_that_breaks_off_keeps_the_best_epoch(tokenizer, monkeypatch):
    model, after_first = make_model(), {}
    true_loss = classification.classification_loss

    def break_in_the_second_epoch(model, batch, labels):
        return true_loss(model, batch, labels) * (math.nan if after_first else 1.0)

    monkeypatch.setattr(classification, "classification_loss", break_in_the_second_epoch)
    with pytest.raises(FloatingPointError, match="step 4"):
        fine_tune(
            model, make_examples(24), make_examples(8, 1), tokenizer, PLAN,
            on_epoch=lambda epoch, result: after_first.update(weights_of(model)),
        )  # fmt: skip
    assert after_first and same(after_first, weights_of(model))
