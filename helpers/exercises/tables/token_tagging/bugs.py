"""Notebook 13, "Break it": two published bugs, to be found and mended."""

import torch
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import token_tagging as references
from helpers.exercises.sources import planted
from helpers.exercises.tables.token_tagging import published

# 13.b1 padding with a label

ROWS = [[2, 0, 1, 0, 3], [1, 0], [0, 3, 2]]


def probe_batch_loss(loss_of):
    torch.manual_seed(3)
    logits = 2 * torch.randn(3, 5, 4)
    yield "three texts", loss_of(logits, [list(row) for row in ROWS])
    longer = torch.cat([logits, torch.randn(3, 4, 4)], dim=1)
    yield "the same with more padding", loss_of(longer, [list(row) for row in ROWS])
    yield "no padding", loss_of(logits[:1], [list(ROWS[0])])


def padded(rows, length, value):
    return torch.tensor([row + [value] * (length - len(row)) for row in rows])


def loss_with(value=-100, score=None):
    def loss_of(logits, labels):
        found = padded(labels, logits.shape[1], value)
        return (score or functional.cross_entropy)(logits.flatten(0, 1), found.flatten())

    return loss_of


def mean_of_texts(logits, labels):
    return torch.stack([functional.cross_entropy(row[: len(tags)], torch.tensor(tags))
                        for row, tags in zip(logits, labels, strict=True)]).mean()  # fmt: skip


def cut_to_shortest(logits, labels):
    least = min(map(len, labels))
    return functional.cross_entropy(
        logits[:, :least].flatten(0, 1), torch.tensor([row[:least] for row in labels]).flatten()
    )


def one_by_one(logits, labels):
    pairs = [(logits[b, t], tag) for b, row in enumerate(labels) for t, tag in enumerate(row)]
    return torch.stack([-vector.log_softmax(dim=-1)[tag] for vector, tag in pairs]).mean()


LOSS_MISTAKES = (
    Mistake(
        "tag 0 is left out",
        loss_with(0, lambda logits, labels: functional.cross_entropy(logits, labels, ignore_index=0)),
        "the loss is {yours}, expected {expected}: padding is left out now, and with it every word whose tag is 0",
    ),
    Mistake(
        "a class of its own",
        lambda logits, labels: functional.cross_entropy(
            torch.cat([logits, torch.zeros_like(logits[:, :, :1])], dim=-1).flatten(0, 1),
            padded(labels, logits.shape[1], logits.shape[2]).flatten(),
        ),
        "the loss is {yours}, expected {expected}: padding has a class of its own now, which the model has to learn. It should "
        "not be asked at all",
    ),
    Mistake(
        "divided by everything",
        loss_with(
            score=lambda logits, labels: (
                functional.cross_entropy(logits, labels, reduction="sum") / labels.numel()
            )
        ),
        "the loss is {yours}, expected {expected}: padding adds nothing now, but you still divide by it",
    ),
    Mistake(
        "mean of means",
        mean_of_texts,
        "the loss is {yours}, expected {expected}: padding has no part in it, but a word of a short text now counts more than "
        "one of a long text",
    ),
    Mistake(
        "cut to the shortest",
        cut_to_shortest,
        "the loss is {yours}, expected {expected}: without padding, but the words of longer texts are lost",
    ),
    Mistake(
        "the last tag instead",
        loss_with(3),
        "the loss is {yours}, expected {expected}: padding counts as tag 3 now. No tag of the model is the right one for it",
    ),
    Mistake(
        "padding in front",
        lambda logits, labels: functional.cross_entropy(
            logits.flatten(0, 1),
            torch.tensor([[-100] * (logits.shape[1] - len(row)) + row for row in labels]).flatten(),
        ),
        "the loss is {yours}, expected {expected}: padding is left out, but you put it in front, so that the "
        "labels stand at other tokens. At which end do the texts have it?",
    ),
    Mistake(
        "a sum",
        loss_with(score=lambda logits, labels: functional.cross_entropy(logits, labels, reduction="sum")),
        "the loss is {yours}, expected {expected}: that is the sum over the words, and the mean was asked for",
    ),
    Mistake(
        "up to the longest",
        lambda logits, labels: published.wrong_batch_loss(logits[:, : max(map(len, labels))], labels),
        "right without more padding than needed; with more the loss should not change either: {yours}, "
        "expected {expected}. Shorter texts still have padding that counts as tag 0",
    ),
)

# 13.b2 a tag at every piece

OFFSETS = [(0, 0), (0, 4), (4, 5), (6, 9), (10, 13), (13, 15), (15, 16), (17, 20), (21, 23), (0, 0)]
SPANS = [(0, 5), (6, 9), (10, 16), (17, 20), (21, 23)]
TAGS = ["B-who", "O", "B-place", "I-place", "I-place"]


def probe_piece_tags(tags_of):
    found = tags_of(list(OFFSETS), list(SPANS), list(TAGS))
    yield "tags", list(found)
    yield "entities", sum(tag is not None and tag.startswith("B") for tag in found)
    yield (
        "one piece each",
        list(tags_of([(0, 0), (0, 1), (2, 4), (4, 5), (0, 0)], [(0, 1), (2, 4)], ["O", "I-who"])),
    )


def tags_with(further=lambda tag: None, *, special=None, last=False):
    """The repaired program with another tag at further pieces or at tokens without a word."""

    def tags_of(offsets, spans, tags):
        found = []
        for begin, end in offsets:
            words = [word for word, (a, b) in enumerate(spans) if a <= begin < b and begin < end]
            if not words:
                found.append(special)
                continue
            a, b = spans[words[0]]
            alone = end == b if last else begin == a
            found.append(tags[words[0]] if alone else further(tags[words[0]]))
        return found

    return tags_of


def tags_once(offsets, spans, tags):
    found = published.wrong_piece_tags(offsets, spans, tags)
    return [tag if place == 0 or tag != found[place - 1] else None for place, tag in enumerate(found)]


TAGS_MISTAKES = (
    Mistake(
        "I- at further pieces",
        tags_with(lambda tag: tag if tag == "O" else f"I-{tag[2:]}"),
        "the tags are {yours}, expected {expected}: the number of entities is right again, but long words still count several "
        "times, and a model that errs on a third piece has lost the entity. Which tokens should have a say?",
        show=lambda parts: parts["tags"],
    ),
    Mistake(
        "O at further pieces",
        tags_with(lambda tag: "O"),
        "the tags are {yours}, expected {expected}: O says that the entity is over, so the I- after it begins another one",
        show=lambda parts: parts["tags"],
    ),
    Mistake(
        "the last piece",
        tags_with(last=True),
        "the tags are {yours}, expected {expected}: one tag for each word, but at its last piece; the labels stand at the first",
        show=lambda parts: parts["tags"],
    ),
    Mistake(
        "O at [CLS] and [SEP]",
        tags_with(special="O"),
        "the tags are {yours}, expected {expected}: tokens without a word are O now, and would count as answers",
        show=lambda parts: parts["tags"],
    ),
    Mistake(
        "further words are lost",
        lambda offsets, spans, tags: [
            tag if tag and not tag.startswith("I") else None for tag in tags_with()(offsets, spans, tags)
        ],
        "the tags are {yours}, expected {expected}: the further words of an entity have lost their tags, not the further pieces "
        "of a word",
        show=lambda parts: parts["tags"],
    ),
    Mistake(
        "a tag that comes again is dropped",
        tags_once,
        "the last tags are {yours}, expected {expected}: a tag is left out where the token before has the same "
        "one. But two words next to each other may have it, too: which tokens belong to one word?",
        show=lambda parts: parts["tags"][-3:],
    ),
    Mistake(
        "words of one piece alone",
        lambda offsets, spans, tags: [dict(zip(spans, tags, strict=True)).get(span) for span in offsets],
        "the tags are {yours}, expected {expected}: only a token with the span of the whole word gets its "
        "tag, and a word of several pieces none",
        show=lambda parts: parts["tags"],
    ),
    Mistake(
        "[CLS] gets a tag",
        lambda offsets, spans, tags: [
            next((t for (a, _), t in zip(spans, tags, strict=True) if a == begin), None)
            for begin, _ in offsets
        ],
        "the tags are {yours}, expected {expected}: [CLS] and [SEP] have the span (0, 0), and 0 is where the "
        "first word begins",
        show=lambda parts: parts["tags"],
    ),
)

EXERCISES = (
    Exercise(
        id="13.b1",
        name="batch_loss",
        kind="bug",
        source="kaiyinzhou/BERT-NER, issue 3 (November 2018)",
        reference=references.batch_loss,
        stub=planted(published.wrong_batch_loss),
        probe=probe_batch_loss,
        hints=(
            "Which label has a token of padding, and what does the loss make of it?",
            "`cross_entropy` leaves out tokens whose label is `ignore_index`, -100 unless you say otherwise.",
        ),
        mistakes=LOSS_MISTAKES,
        notice="with the bug, the loss depended on how long the longest text of the batch happened to be",
        difficulty=1,
        minutes=6,
        show=lambda parts: parts["three texts"],
        variants=(loss_with(), one_by_one),
    ),
    Exercise(
        id="13.b2",
        name="piece_tags",
        kind="bug",
        source="huggingface/transformers, issue 14043 (October 2021), on run_ner_no_trainer.py --label_all_tokens",
        reference=references.piece_tags,
        stub=planted(published.wrong_piece_tags),
        probe=probe_piece_tags,
        hints=(
            "Print what it gives for a word of three pieces whose tag is B-who, and count the entities by hand.",
            "Only the first piece of a word may have its tag. How do you see that a token is the first piece? Compare its "
            "begin with the word's.",
        ),
        mistakes=TAGS_MISTAKES,
        notice="nothing crashed, and every score was computed correctly: from tags that said something else",
        difficulty=1,
        minutes=8,
        show=lambda parts: parts["entities"],
        variants=(tags_with(),),
    ),
)
