"""Reading at a gap."""

import pandas as pd
import pytest
import torch
from small import TOKENIZER, make_bert

from helpers.encoder import Bert, BertConfig
from helpers.studies.prompts import MaskClassifier, MeanClassifier, as_prompt
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer


def test_the_mask_classifier_reads_at_the_gap():
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, "a", "b", "c", "."])
    torch.manual_seed(0)
    bert = Bert(BertConfig(len(tokenizer.vocabulary), 16, 2, 2, 32, 20, dropout=0.0, init_std=None)).eval()
    model = MaskClassifier(bert, 3, tokenizer, dropout=0.0).eval()
    batch = tokenizer.encode_batch(["a b . [SEP] b [MASK] c", "[MASK] c"])
    with torch.no_grad():
        logits = model(**batch)
        for row, (types, place) in enumerate((([0] * 5 + [1] * 4, 6), ([0] * 4, 1))):
            ids = batch["ids"][row : row + 1, : len(types)]
            hidden = bert(ids, torch.tensor([types])).last_hidden_state[0, place]
            torch.testing.assert_close(logits[row], model.classifier(hidden), atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="every text needs one .MASK."):
        model(**tokenizer.encode_batch(["a b"]))


def test_the_mean_classifier_leaves_padding_out():
    model = MeanClassifier(make_bert(), 3, dropout=0.0).eval()
    texts = ["dog cat dog", "cat"]
    with torch.no_grad():
        logits = model(**TOKENIZER.encode_batch(texts))
        for row, text in enumerate(texts):
            ids = TOKENIZER.encode_batch([text])["ids"]
            mean = model.bert(ids).last_hidden_state[0].mean(dim=0)
            torch.testing.assert_close(logits[row], model.classifier(mean), atol=1e-5, rtol=0)
            torch.testing.assert_close(model(ids)[0], logits[row], atol=1e-5, rtol=0)  # without a mask


def test_prompts_fit_and_keep_the_last_sentence():
    words = "one two three four i am so !".split()
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *words, '"'])
    sentences = ["one one", "two two", "three", "four"]
    whole = as_prompt(sentences, tokenizer, 20)
    assert whole == 'two two three [SEP] four "I am so [MASK]!"'
    assert as_prompt(sentences, tokenizer, 13) == 'three [SEP] four "I am so [MASK]!"'
    assert as_prompt(sentences, tokenizer, 11) == '[SEP] four "I am so [MASK]!"'
    with pytest.raises(ValueError, match="no room in 10 tokens"):
        as_prompt(sentences, tokenizer, 10)


def test_sentences_come_in_any_sequence_but_one_string():
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *"one two three i am so !".split(), '"'])
    series = pd.Series(["three", "one", "two"], index=[2, 0, 1]).sort_index()
    assert as_prompt(series, tokenizer, 20) == 'one two [SEP] three "I am so [MASK]!"'
    for wrong in ("one two", []):
        with pytest.raises(ValueError, match="a list with one at least"):
            as_prompt(wrong, tokenizer, 20)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_mask_classifier_in_other_precisions(dtype):
    torch.manual_seed(0)
    model = MaskClassifier(make_bert(), 3, TOKENIZER).eval()
    batch = TOKENIZER.encode_batch(["a film . [SEP] very [MASK] .", "[MASK] plot"])
    with torch.no_grad():
        single = model(**batch)
        found = model.to(dtype)(**batch)
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), single, atol=0.02, rtol=0.02)


def test_sentences_without_an_order_are_refused():
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *"one two three i am so !".split(), '"'])
    told = (sentence for sentence in ["one two", "three"])
    assert as_prompt(told, tokenizer, 20) == 'one two [SEP] three "I am so [MASK]!"'
    with pytest.raises(ValueError, match="sequence in order, not set"):
        as_prompt({"one two", "three"}, tokenizer, 20)
    with pytest.raises(ValueError, match="the sentence in row 1 .* must be a string, not None"):
        as_prompt(["one two", None], tokenizer, 20)
