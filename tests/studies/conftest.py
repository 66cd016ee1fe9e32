"""Four tiny domains and a tiny `minilm` in the place of the real ones."""

from types import SimpleNamespace

import numpy as np
import pytest
from small import TOKENIZER, make_bert, make_examples

from helpers import checkpoints, data
from helpers.studies import domains, recipes, tasks


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    checkpoints.save(make_bert(1), TOKENIZER, tmp_path / "minilm")
    monkeypatch.setattr(data, "fetch", lambda name: tmp_path / name)
    found = {
        domain: tasks.Task(
            domain, 2, *(make_examples(count, count, domain) for count in (60, 20, 30 + place)),
            people=np.full(30 + place, 0.75),
        )
        for place, domain in enumerate(domains.DOMAINS)
    }  # fmt: skip
    small = {"epochs": 2, "batch_size": 8, "learning_rate": 3e-3, "frozen_layers": "1"}
    monkeypatch.setattr(tasks, "load_task", found.get)
    monkeypatch.setattr(recipes, "MINILM", small)
    monkeypatch.setattr(recipes, "LEAST_STEPS", 1)
    tasks.load_encoder.cache_clear()
    yield SimpleNamespace(folder=tmp_path, tasks=found)
    tasks.load_encoder.cache_clear()
