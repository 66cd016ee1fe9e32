"""The rows of the table of methods, one by one."""

import numpy as np
import torch
from small import TOKENIZER, make_bert

from helpers.studies.rows import features


def test_features_are_those_of_a_text_alone():
    bert, tokenizer = make_bert().eval(), TOKENIZER
    texts = ["good", "the very very dull plot .", "bad film"]
    found = features(bert, texts, tokenizer)
    for row, text in enumerate(texts):
        with torch.no_grad():
            vectors = bert(**tokenizer.encode_batch([text])).last_hidden_state[0]
        assert np.allclose(found["[CLS]"][row], vectors[0], atol=1e-6)
        assert np.allclose(found["mean"][row], vectors.mean(dim=0), atol=1e-6)
