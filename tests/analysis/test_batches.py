"""Texts in batches of similar length, against each text alone."""

import pandas as pd
import pytest
import torch

from helpers.analysis.batches import in_batches
from helpers.encoder import Bert, BertConfig
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, "a", "b", "c"])


def make_bert():
    torch.manual_seed(0)
    return Bert(BertConfig(len(TOKENIZER.vocabulary), 16, 2, 2, 32, 40, init_std=None))


def test_rows_come_back_in_their_order_as_each_text_alone():
    bert = make_bert()
    texts = [" ".join("abc"[i % 3] for i in range(7 * number % 31)) for number in range(20)]
    encodings = [TOKENIZER.encode(text) for text in texts]
    found = in_batches(bert, encodings, 0, lambda batch: bert(**batch).pooled_output, batch_size=3)
    assert bert.training and found.shape == (20, 16)
    bert.eval()
    with torch.no_grad():
        for row, text in zip(found, texts, strict=True):
            torch.testing.assert_close(row, bert(**TOKENIZER.encode_batch([text])).pooled_output[0])


@pytest.mark.parametrize(
    ("dtype", "result"),
    [(torch.float16, torch.float32), (torch.bfloat16, torch.float32), (torch.float64, torch.float64)],
)
def test_half_precision_becomes_single(dtype, result):
    bert = make_bert().to(dtype)
    found = in_batches(bert, [TOKENIZER.encode("a b")], 0, lambda batch: bert(**batch).pooled_output)
    assert found.dtype == result and found.isfinite().all()


def test_any_sequence_of_encodings_is_read_by_position():
    bert, encodings = make_bert(), [TOKENIZER.encode(text) for text in ("a b c", "b", "c c", "a c b a")]
    frame = pd.DataFrame({"encoding": [encodings[1], *encodings]})
    kinds = {
        "tuple": tuple(encodings),
        "shuffled series": pd.Series(encodings, index=[2, 0, 3, 1]),
        "column of a slice": frame["encoding"][1:],
        "series of names": pd.Series(encodings, index=list("wxyz")),
        "generator": (encoding for encoding in encodings),
    }
    expected = in_batches(bert, encodings, 0, lambda batch: bert(**batch).pooled_output, batch_size=3)
    for kind, given in kinds.items():
        found = in_batches(bert, given, 0, lambda batch: bert(**batch).pooled_output, batch_size=3)
        assert torch.equal(found, expected), kind


def test_no_texts():
    with pytest.raises(ValueError, match="give at least one"):
        in_batches(make_bert(), [], 0, lambda batch: batch["ids"])
