"""Faithfulness of any sequence of texts and in other precisions; test_attribution.py has its values."""

import numpy as np
import pandas as pd
import pytest
import torch

from helpers.analysis.faithfulness import faithfulness_of_each
from helpers.classification import BertForClassification
from helpers.encoder import Bert, BertConfig
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, "a", "b", "c"])
TEXTS = ["a b c", "b", "c a"]
SCORES = [[0, 1.0, 2, 3, 0], [0, 1.0, 0], [0, 2.0, 1, 0]]


def make_model():
    torch.manual_seed(0)
    return BertForClassification(
        Bert(BertConfig(len(TOKENIZER.vocabulary), 16, 2, 2, 32, 20, init_std=None)), 2
    )


def test_texts_are_read_by_position():
    texts = pd.Series(TEXTS, index=[2, 0, 1])
    expected = faithfulness_of_each(make_model(), TOKENIZER, TEXTS, SCORES, [0.5])
    assert faithfulness_of_each(make_model(), TOKENIZER, texts, SCORES, np.array([0.5])) == expected
    for texts in (pd.Series([], dtype=str), []):
        with pytest.raises(ValueError, match="0 texts"):
            faithfulness_of_each(make_model(), TOKENIZER, texts, [])
    with pytest.raises(ValueError, match="shares must lie above 0"):
        faithfulness_of_each(make_model(), TOKENIZER, TEXTS, SCORES, np.array([]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(dtype):
    model = make_model()
    expected = faithfulness_of_each(model, TOKENIZER, TEXTS, SCORES)
    found = faithfulness_of_each(model.to(dtype), TOKENIZER, TEXTS, SCORES)
    assert np.allclose(found, expected, atol=0.02) and model.training
