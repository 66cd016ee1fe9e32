"""The library's loop in the place of ours."""

import copy

import pytest
import torch
from small import TOKENIZER, make_bert, make_examples

from helpers.classification import BertForClassification, FineTuning, evaluate, freeze_lower_layers
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
