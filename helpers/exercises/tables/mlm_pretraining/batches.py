"""Exercise 6.5. Batches made of pairs."""

import torch
from torch.nn.utils.rnn import pad_sequence

from helpers import pretraining
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.tables.mlm_pretraining.small import CLS, MASK, PAD, SEP, TOKENIZER

BATCH = '''
def my_pairs_to_batch(pairs, tokenizer):
    """`[CLS] first [SEP] second [SEP]` for pairs (first, second, label) of id lists, padded to the longest.

    Gives a dictionary of whole numbers: ids, type_ids, attention_mask (B, T), and next_labels (B,). type_ids:
    0 up to the first [SEP] with it, then 1; 0 for padding. attention_mask: 1 for text, 0 for padding.
    """
    ...
'''


def some_pairs():
    return [([11, 0, 13], [14, 15, 16, 17], 0), ([21], [22, 0], 1), ([31, 32], [33, 34], 1)]


def probe_batch(pairs_to_batch):
    yield from pairs_to_batch(some_pairs(), TOKENIZER).items()
    yield "names", sorted(pairs_to_batch(some_pairs()[:1], TOKENIZER))
    yield "ids of one pair", pairs_to_batch(some_pairs()[1:2], TOKENIZER)["ids"]


def _batch(pairs, tokenizer, *, row=None, kinds=None, mask=None, pad=PAD, kind_of_padding=0, left=False):
    made = [row(a, b) if row else [CLS, *a, SEP, *b, SEP] for a, b, _ in pairs]
    types = [kinds(a, b) if kinds else [0] * (len(a) + 2) + [1] * (len(b) + 1) for a, b, _ in pairs]
    side = {"padding_side": "left"} if left else {}
    ids = pad_sequence([torch.tensor(r) for r in made], batch_first=True, padding_value=pad, **side)
    ones = pad_sequence([torch.ones(len(r), dtype=torch.long) for r in made], batch_first=True, **side)
    return {
        "ids": ids,
        "type_ids": pad_sequence(
            [torch.tensor(t) for t in types], batch_first=True, padding_value=kind_of_padding, **side
        ),
        "attention_mask": mask(ids, ones) if mask else ones,
        "next_labels": torch.tensor([label for _, _, label in pairs]),
    }


def batch_variant(**changes):
    return lambda pairs, tokenizer: _batch(pairs, tokenizer, **changes)


def batch_by_encoding(pairs, tokenizer):
    size = max(len(a) + len(b) for a, b, _ in pairs) + 3
    shape = len(pairs), size
    ids, types, mask = torch.full(shape, PAD), torch.zeros(shape).long(), torch.zeros(shape).long()
    for number, (a, b, _) in enumerate(pairs):
        tokens = [CLS, *a, SEP, *b, SEP]
        ids[number, : len(tokens)] = torch.tensor(tokens)
        types[number, len(a) + 2 : len(tokens)] = 1
        mask[number, : len(tokens)] = 1
    labels = torch.tensor([label for *_, label in pairs])
    return {"ids": ids, "type_ids": types, "attention_mask": mask, "next_labels": labels}


def second_row(name):
    return lambda parts: parts[name][1]


BATCH_MISTAKES = (
    Mistake(
        "second segment first",
        lambda pairs, tokenizer: _batch([(b, a, n) for a, b, n in pairs], tokenizer),
        "the second pair is {yours}, expected {expected}: its two segments have changed places",
        show=second_row("ids"),
    ),
    Mistake(
        "first [SEP] in segment 1",
        batch_variant(kinds=lambda a, b: [0] * (len(a) + 1) + [1] * (len(b) + 2)),
        "the segments of the second pair are {yours}, expected {expected}: the first [SEP] ends the first segment, and "
        "belongs to it",
        show=second_row("type_ids"),
    ),
    Mistake(
        "last [SEP] in segment 0",
        batch_variant(kinds=lambda a, b: [0] * (len(a) + 2) + [1] * len(b) + [0]),
        "the segments of the second pair are {yours}, expected {expected}: the last [SEP] ends the second segment, and "
        "belongs to it",
        show=second_row("type_ids"),
    ),
    Mistake(
        "padding in segment 1",
        batch_variant(kind_of_padding=1),
        "the segments of the second pair are {yours}, expected {expected}: padding is typed 1 like the second segment, "
        "and should be 0",
        show=second_row("type_ids"),
    ),
    Mistake(
        "one segment",
        batch_variant(kinds=lambda a, b: [0] * (len(a) + len(b) + 3)),
        "the segments of the second pair are {yours}, expected {expected}: all are 0, and the model is not told where "
        "the second half begins",
        show=second_row("type_ids"),
    ),
    Mistake(
        "segments from 1",
        batch_variant(kinds=lambda a, b: [1] * (len(a) + 2) + [2] * (len(b) + 1)),
        "the segments of the second pair are {yours}, expected {expected}: they are counted from 0, and there is no "
        "row 2 in the table of segment embeddings",
        show=second_row("type_ids"),
    ),
    Mistake(
        "last [SEP] missing",
        batch_variant(
            row=lambda a, b: [CLS, *a, SEP, *b], kinds=lambda a, b: [0] * (len(a) + 2) + [1] * len(b)
        ),
        "the second pair begins {yours}, expected {expected}: a [SEP] stands at the end of each of the two segments",
        show=second_row("ids"),
    ),
    Mistake(
        "[SEP] in the middle missing",
        batch_variant(
            row=lambda a, b: [CLS, *a, *b, SEP], kinds=lambda a, b: [0] * (len(a) + 1) + [1] * (len(b) + 1)
        ),
        "the second pair begins {yours}, expected {expected}: nothing stands between the two segments",
        show=second_row("ids"),
    ),
    Mistake(
        "a second [CLS]",
        batch_variant(
            row=lambda a, b: [CLS, *a, SEP, CLS, *b, SEP],
            kinds=lambda a, b: [0] * (len(a) + 2) + [1] * (len(b) + 2),
        ),
        "the second pair begins {yours}, expected {expected}: [CLS] stands once, in front of the whole",
        show=second_row("ids"),
    ),
    Mistake(
        "padded with 0",
        batch_variant(pad=0),
        "the second pair is {yours}, expected {expected}: it is filled up with 0, which is a word of this vocabulary. "
        "Ask the tokenizer for the id of [PAD]",
        show=second_row("ids"),
    ),
    Mistake(
        "padding at the left",
        batch_variant(left=True),
        "the second pair is {yours}, expected {expected}: padding stands in front, so [CLS] is no longer at place 0, "
        "where the pooler looks",
        show=second_row("ids"),
    ),
    Mistake(
        "mask from ids > 0",
        batch_variant(mask=lambda ids, ones: (ids > 0).long()),
        "the mask of the second pair is {yours}, expected {expected}: it is 1 where an id is above 0, but here 0 is a "
        "word, and [PAD] has another number. What do you know without looking at ids?",
        show=second_row("attention_mask"),
    ),
    Mistake(
        "mask all ones",
        batch_variant(mask=lambda ids, ones: torch.ones_like(ids)),
        "the mask of the second pair is {yours}, expected {expected}: padding would be looked at like text",
        show=second_row("attention_mask"),
    ),
    Mistake(
        "mask inverted",
        batch_variant(mask=lambda ids, ones: 1 - ones),
        "the mask of the second pair is {yours}, expected {expected}: 1 means text, 0 padding",
        show=second_row("attention_mask"),
    ),
    Mistake(
        "mask hides special tokens",
        batch_variant(mask=lambda ids, ones: (~torch.isin(ids, torch.tensor([CLS, SEP, PAD, MASK]))).long()),
        "the mask of the second pair is {yours}, expected {expected}: [CLS] and [SEP] are hidden, too. They are no "
        "padding: every token looks at them",
        show=second_row("attention_mask"),
    ),
)


EXERCISE = Exercise(
    id="6.5",
    name="pairs_to_batch",
    reference=pretraining.pairs_to_batch,
    stub=BATCH,
    probe=probe_batch,
    hints=(
        "Make each row as a list first, with its segments beside it; only then pad all rows to the same length.",
        "`pad_sequence(tensors, batch_first=True, padding_value=…)` pads a list of tensors; the id of a special "
        'token is `tokenizer.id_of["[SEP]"]`.',
        "A row has len(first) + 2 places of segment 0 and len(second) + 1 of segment 1. The mask is a row of ones "
        "for each text, padded with 0.",
    ),
    mistakes=BATCH_MISTAKES,
    notice="nothing in the ids says for sure what is padding; who makes the batch knows it, and writes it down in "
    "the mask",
    difficulty=2,
    minutes=12,
    variants=(batch_by_encoding, batch_variant()),
)
