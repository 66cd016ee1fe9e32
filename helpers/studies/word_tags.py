"""Tags without BERT: a word's most frequent tag, the rule of the sentence start, a linear model on features.

Support code. What a tagger of `helpers.tagging` is compared with; the linear model is scikit-learn's.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import SGDClassifier

from helpers.studies.running_text import words_of
from helpers.tagging import TaggedText

__all__ = ["LinearTagger", "MostFrequentTag", "features", "first_in_sentence", "sentence_start"]

STRENGTHS = (1e-6, 3e-6, 1e-5, 3e-5)
FOLDS = 5


def first_in_sentence(example: TaggedText) -> list[bool]:
    """For each word whether a sentence begins with it: at the start, and after `.`, `!` or `?` and a space.

    A single letter before the full stop is taken for an initial, which ends no sentence.
    """
    found, before, last = [], 0, ""
    for begin, end in example.spans:
        between = example.text[before:begin]
        ended = any(mark in between for mark in ".!?") and any(c.isspace() for c in between)
        found.append(before == 0 or (ended and len(last) > 1))
        before, last = end, example.text[begin:end]
    return found


def sentence_start(example: TaggedText) -> list[int]:
    """The rule alone: tag 1 (a capital letter) where a sentence begins, else 0."""
    return [int(first) for first in first_in_sentence(example)]


class MostFrequentTag:
    """Each word's most frequent tag in training; a word never seen there gets that of the words seen once.

    aside: words that are not counted, a function from a text to a True or False for each word, such as
    `first_in_sentence`; at these places the tag is 1 if a word's own tag is 0.
    """

    def __init__(
        self, examples: Iterable[TaggedText], aside: Callable[[TaggedText], list[bool]] | None = None
    ):
        self.aside = aside
        counts: defaultdict[str, Counter] = defaultdict(Counter)
        for example in examples:
            left_out = aside(example) if aside else [False] * len(example.tags)
            for word, tag, skip in zip(words_of(example), example.tags, left_out, strict=True):
                if not skip:
                    counts[word][tag] += 1
        self.tag_of = {word: found.most_common(1)[0][0] for word, found in counts.items()}
        once = Counter(next(iter(found)) for found in counts.values() if found.total() == 1)
        self.unknown = once.most_common(1)[0][0] if once else 0

    def predict(self, example: TaggedText) -> list[int]:
        tags = [self.tag_of.get(word, self.unknown) for word in words_of(example)]
        if self.aside:
            tags = [tag or int(first) for tag, first in zip(tags, self.aside(example), strict=True)]
        return tags


def features(example: TaggedText, usual: MostFrequentTag) -> Iterator[list[str]]:
    """Strings for every word: itself, its ends, its shape, what stands around it, the usual tags of these."""
    words = ["<2", "<1", *words_of(example), ">1", ">2"]
    tags = [str(usual.tag_of.get(word, "?")) for word in words]
    firsts = first_in_sentence(example)
    edges = [0, *(edge for span in example.spans for edge in span), len(example.text)]
    marks = [example.text[a:b].strip() for a, b in zip(edges[::2], edges[1::2], strict=True)]
    for place, first in enumerate(firsts):
        i, before, after = place + 2, marks[place], marks[place + 1]
        ll, left, w, right, rr = words[i - 2 : i + 3]
        tll, tl, t, tr, trr = tags[i - 2 : i + 3]
        found = [
            w, left, right, ll, rr, f"{left} {w}", f"{w} {right}", f"{ll} {left} {w}", f"{left} {right}",
            f"{w} {right} {rr}", first, before, after, f"{before} {w}", min(len(w), 9),
            any(c.isdigit() for c in w), f"{t} {first}", f"{tl}{t}{tr}", f"{tll}{tl}{t}{tr}{trr}",
            f"{tl} {w}", f"{w} {tr}", f"{t} {left}", f"{t} {right}", f"{t} {tl} {w[-3:]}",
            *(w[-n:] for n in (1, 2, 3, 4)), *(w[:n] for n in (1, 2, 3)),
        ]  # fmt: skip
        yield [f"{kind}={value}" for kind, value in enumerate(found)]


class LinearTagger:
    """Multinomial logistic regression on `features`, its strength of regularization chosen on validation.

    The usual tags among a training text's features are counted in the other texts (in `FOLDS` parts): counted
    in all, every training word would be known, which no new text's words are, and the model would rely on it.
    goal: (true tags, predicted tags) -> number, the higher the better. `tried` keeps it for each strength.
    """

    def __init__(
        self, train: Sequence[TaggedText], validation: Sequence[TaggedText], goal: Callable, seed: int = 0,
        strengths: Sequence[float] = STRENGTHS,
    ):  # fmt: skip
        self.usual = MostFrequentTag(train)
        self.hasher = FeatureHasher(2**20, input_type="string", alternate_sign=False)
        table, tags = self._training_table(train)
        truth, seen = [tag for example in validation for tag in example.tags], self._table(validation)
        models, self.tried = {}, {}
        for strength in strengths:
            models[strength] = SGDClassifier(
                loss="log_loss", alpha=strength, max_iter=6, tol=None, random_state=seed, average=True
            ).fit(table, tags)
            self.tried[strength] = goal(truth, models[strength].predict(seen).tolist())
        self.strength = max(self.tried, key=self.tried.__getitem__)
        self.model = models[self.strength]

    def _training_table(self, train: Sequence[TaggedText]):
        """The features of all words of the training texts, and their tags, part by part."""
        parts, rows, tags = [train[start::FOLDS] for start in range(FOLDS)], [], []
        for part in parts:
            usual = MostFrequentTag(example for other in parts if other is not part for example in other)
            rows += [row for example in part for row in features(example, usual)]
            tags += [tag for example in part for tag in example.tags]
        return self.hasher.transform(rows), tags

    def _table(self, examples: Iterable[TaggedText]):
        return self.hasher.transform(row for example in examples for row in features(example, self.usual))

    def predict(self, example: TaggedText) -> list[int]:
        return self.model.predict(self._table([example])).tolist() if example.tags else []
