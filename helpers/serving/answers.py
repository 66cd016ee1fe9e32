"""Texts to answers, through the same functions as `scripts/classify.py predict`."""

from collections.abc import Sequence

from helpers.everyday import predict_pairs
from helpers.everyday.examples import Pair
from helpers.everyday.folder import Classifier

__all__ = ["answer_pairs"]


def answer_pairs(classifier: Classifier, pairs: Sequence[Pair]) -> list[dict | Exception]:
    """The answer to each text or pair, in their order.

    label: the most probable class; probability: of that class; probabilities: of every class, with six
    decimals; cut: whether the text was longer than the classifier reads. FloatingPointError in the place of
    an answer that is not finite; InputError as in `predict_pairs`.
    """
    predictions = predict_pairs(classifier, pairs)
    cut, found = set(predictions.cut_rows), []
    for row, answer in enumerate(predictions.answers):
        if answer is None:  # the text is not empty, so the model gave no number
            found.append(FloatingPointError("the probabilities are not finite"))
            continue
        chances = predictions.rounded(row)
        found.append(
            {
                "label": classifier.names[answer],
                "probability": chances[answer],
                "probabilities": dict(zip(classifier.names, chances, strict=True)),
                "cut": row in cut,
            }
        )
    return found
