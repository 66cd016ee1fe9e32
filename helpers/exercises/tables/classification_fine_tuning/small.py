"""What the probes of notebook 8 are made of: a small classifier, its texts, and notes that are not compared."""

import torch

from helpers.classification import BertForClassification
from helpers.encoder import Bert, BertConfig
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

__all__ = ["Seen", "small_bert", "small_classifier", "small_tokenizer", "as_classifier", "PADDED", "LABELS"]

PADDED = {  # B = 4, T = 6: two segments in the first text, padding behind the second and the fourth
    "ids": torch.tensor([[2, 5, 3, 6, 7, 3], [2, 8, 3, 0, 0, 0], [2, 9, 6, 5, 10, 3], [2, 7, 7, 3, 0, 0]]),
    "type_ids": torch.tensor([[0, 0, 0, 1, 1, 1], [0] * 6, [0] * 6, [0] * 6]),
    "attention_mask": torch.tensor([[1] * 6, [1, 1, 1, 0, 0, 0], [1] * 6, [1, 1, 1, 1, 0, 0]]),
}
LABELS = torch.tensor([2, 0, 1, 2])


class Seen(str):
    """A number or a word that a message shows; any two are equal, so it is never compared."""

    def __eq__(self, other) -> bool:
        return isinstance(other, str)

    def __ne__(self, other) -> bool:
        return not self == other

    __hash__ = str.__hash__


def small_bert(layers: int = 2, vocab_size: int = 11) -> Bert:
    """An encoder with H = 8 and large random weights, the same each time, without dropout."""
    torch.manual_seed(4)
    return Bert(BertConfig(vocab_size, 8, layers, 2, 12, 16, dropout=0.0, init_std=0.5))


def as_classifier(kind: type, bert: Bert, num_classes: int, dropout: float) -> BertForClassification:
    """A classifier of a class, with weights that are the same each time and no zeros among the biases."""
    torch.manual_seed(5)
    model = kind(bert, num_classes, dropout)
    with torch.no_grad():
        model.classifier.weight.copy_(torch.randn(num_classes, 8) / 2)
        model.classifier.bias.copy_(torch.linspace(-0.4, 0.5, num_classes))
    return model


def small_classifier(
    num_classes: int = 3, dropout: float = 0.0, layers: int = 2, vocab_size: int = 11
) -> BertForClassification:
    return as_classifier(BertForClassification, small_bert(layers, vocab_size), num_classes, dropout)


def small_tokenizer() -> WordPieceTokenizer:
    return WordPieceTokenizer([*SPECIAL_TOKENS, "good", "bad", "film", "a"])
