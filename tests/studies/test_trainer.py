"""The library's loop in the place of ours."""

import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
import transformers
from small import TOKENIZER, make_bert, make_examples

from helpers import checkpoints
from helpers.classification import BertForClassification, Examples, FineTuning, evaluate, freeze_lower_layers
from helpers.studies.trainer import fine_tune_with_trainer

PLAN = FineTuning(epochs=3, batch_size=8, learning_rate=3e-3, max_length=20)


def test_the_trainer_learns_keeps_the_best_epoch_and_leaves_frozen_layers():
    train, validation = make_examples(64, 0), make_examples(24, 1)
    model = BertForClassification(make_bert(), 2)
    freeze_lower_layers(model.bert, 1)
    before = copy.deepcopy(model.state_dict())
    accuracies = fine_tune_with_trainer(model, train, validation, TOKENIZER, PLAN)
    assert len(accuracies) == PLAN.epochs
    assert evaluate(model, validation, TOKENIZER).accuracy == pytest.approx(max(accuracies))
    for name, weight in model.state_dict().items():
        frozen = name.startswith(("bert.embeddings", "bert.layers.0"))
        assert torch.equal(weight, before[name]) == frozen, name


def test_the_trainer_reads_labels_of_any_kind_by_position():
    plan = replace(PLAN, epochs=1)
    train, validation = make_examples(16, 0), make_examples(8, 1)
    index = range(len(train.labels))[::-1]
    kinds = (list, lambda labels: np.array(labels, dtype=np.int8),
             lambda labels: pd.Series(labels, index=index, dtype=bool))  # fmt: skip
    results = []
    for kind in kinds:
        model = BertForClassification(make_bert(), 2)
        fine_tune_with_trainer(model, Examples(train.texts, kind(train.labels)), validation, TOKENIZER, plan)
        results.append(model.state_dict())
    for name, weight in results[0].items():
        assert all(torch.equal(weight, other[name]) for other in results[1:]), name


def test_the_trainer_keeps_the_classifiers_dropout(monkeypatch):
    made, convert = [], checkpoints.to_transformers
    monkeypatch.setattr(checkpoints, "to_transformers", lambda model: made.append(convert(model)) or made[0])
    model = BertForClassification(make_bert(), 2, dropout=0.4)
    plan = replace(PLAN, epochs=1)
    pair = tuple(make_examples(8, 0))  # plain texts and labels will do, too
    fine_tune_with_trainer(model, pair, make_examples(8, 1), TOKENIZER, plan)
    assert [theirs.dropout.p for theirs in made] == [0.4] and model.dropout.p == 0.4


@pytest.mark.parametrize("lost", [{"layer_decay": 0.9}, {"patience": 1}])
def test_the_trainer_refuses_what_it_would_not_do(lost):
    with pytest.raises(ValueError, match=next(iter(lost))):
        fine_tune_with_trainer(
            BertForClassification(make_bert(), 2), make_examples(8, 0), make_examples(8, 1), TOKENIZER,
            replace(PLAN, **lost),
        )  # fmt: skip


def test_a_model_without_a_weight_to_learn_is_refused_before_the_trainer_is_built(monkeypatch):
    built = []
    monkeypatch.setattr(transformers, "Trainer", lambda *_, **__: built.append(1))
    model = BertForClassification(make_bert(), 2).requires_grad_(False)
    with pytest.raises(ValueError, match="all weights are frozen: call requires_grad_"):
        fine_tune_with_trainer(model, make_examples(8, 0), make_examples(8, 1), TOKENIZER, PLAN)
    assert not built
