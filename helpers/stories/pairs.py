"""Pairs of story segments, and what a perfect model makes of them: the floor under the training curve.

Support code for notebooks 6 and 7. A segment is a fixed number of sentences; pairs are made by the taught
`make_sentence_pairs`. The perfect model gets exactly what the encoder gets: the same two segments, the same
words behind [MASK], and the knowledge of how pairs are made.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache

import torch

from helpers.pretraining import IGNORE, PreTrainingLoss, split_into_segments
from helpers.stories import posterior
from helpers.stories.posterior import Pairs, Window
from helpers.stories.story import Story
from helpers.wordpiece import WordPieceTokenizer

__all__ = ["pair_windows", "perfect_guesses", "perfect_losses", "story_documents"]


def story_documents(
    stories: Iterable[Story], tokenizer: WordPieceTokenizer, sentences: int = 2
) -> list[list[list[int]]]:
    """Every story as a list of segments of so many sentences, each a list of token ids.

    A sentence that is left over at the end is dropped, as `split_into_segments` does.
    """
    known: dict[str, list[int]] = {}

    def ids(sentence: str) -> list[int]:
        if sentence not in known:
            known[sentence] = tokenizer.encode(sentence).ids[1:-1]
        return known[sentence]

    return [
        [
            [token for sentence in segment for token in ids(sentence)]
            for segment in split_into_segments(story.sentences, sentences)
        ]
        for story in stories
    ]


def pair_windows(sentences: int = 2, lengths: dict[int, float] | None = None) -> tuple[Pairs, Window]:
    """How such pairs are cut out of stories, for `posterior.pair_distribution`: pairs, stranger.

    Every two segments in a row are a pair, so a story gives as many pairs as it has segments but one: each
    has the weight 1 / (mean number of pairs of a story). The second segment of a false pair is any segment
    of a story drawn evenly. lengths: {sentences in a story: probability}, default those of our stories.
    """
    lengths = lengths or posterior.story_lengths()
    mean = sum(share * max(total // sentences - 1, 0) for total, share in lengths.items())

    def pairs(first: int, middle: int, stop: int, total: int) -> float:
        fits = first % sentences == 0 and middle - first == stop - middle == sentences and stop <= total
        return fits / mean

    def stranger(first: int, stop: int, total: int) -> float:
        fits = first % sentences == 0 and stop - first == sentences and stop <= total
        return fits / max(total // sentences, 1)

    return pairs, stranger


_windows = cache(pair_windows)


def perfect_guesses(
    first: Sequence[str], second: Sequence[str], sentences: int = 2
) -> tuple[dict[int, dict[str, float]], float]:
    """The exact probabilities for two segments: {position: {word: probability}}, P(the second follows).

    first, second: lower-case words, "[MASK]" for each hidden one; positions count on into the second.
    """
    pairs, stranger = _windows(sentences)
    return posterior.pair_distribution(first, second, pairs, 0.5, stranger)


def perfect_losses(
    batches: Iterable[dict[str, torch.Tensor]], tokenizer: WordPieceTokenizer, sentences: int = 2
) -> PreTrainingLoss:
    """What `mean_losses` would give for the perfect model: no model can be better on average.

    batches as from `pretraining_batches`, every hidden token behind [MASK] (shares 1, 0, 0), every word one
    token. Raises ValueError where a label stands at another token than [MASK], and for impossible words.
    """
    sums = defaultdict(float)
    for batch in batches:
        if ((batch["labels"] != IGNORE) & (batch["ids"] != tokenizer.id_of["[MASK]"])).any():
            raise ValueError("the perfect model knows [MASK] alone: mask with shares=(1.0, 0.0, 0.0)")
        for row in range(len(batch["ids"])):
            _add_pair({name: values[row] for name, values in batch.items()}, tokenizer, sentences, sums)
    return PreTrainingLoss(
        sums["token"] / sums["tokens"],
        sums["next"] / sums["pairs"],
        sums["right"] / sums["tokens"],
        sums["next_right"] / sums["pairs"],
    )


def _add_pair(
    row: dict[str, torch.Tensor], tokenizer: WordPieceTokenizer, sentences: int, sums: dict
) -> None:
    visible = row["attention_mask"].bool()
    ids, labels = row["ids"][visible].tolist(), row["labels"][visible].tolist()
    count = int((row["type_ids"] == 0)[visible].sum()) - 2  # words of the first segment: not [CLS], [SEP]
    words = [tokenizer.vocabulary[token] for token in ids]
    wanted = labels[1 : count + 1] + labels[count + 2 : -1]
    guesses, follows = perfect_guesses(words[1 : count + 1], words[count + 2 : -1], sentences)
    for place, label in enumerate(wanted):
        if label != IGNORE:
            word, shares = tokenizer.vocabulary[label], guesses[place]
            sums["token"] -= math.log(shares[word])
            sums["right"] += max(shares, key=shares.get) == word
            sums["tokens"] += 1
    is_next = int(row["next_labels"]) == 0
    sums["next"] -= math.log(follows if is_next else 1 - follows)
    sums["next_right"] += (follows > 0.5) == is_next
    sums["pairs"] += 1
