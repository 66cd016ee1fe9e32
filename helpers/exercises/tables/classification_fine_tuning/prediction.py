"""Notebook 8: prediction for texts of any length, in their order."""

import warnings

import torch

from helpers import classification
from helpers.encoder import evaluating
from helpers.exercises.comparison import as_text
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.tables.classification_fine_tuning.small import Seen, small_classifier, small_tokenizer

# 8.4 class_logits

LOGITS = '''
def my_class_logits(model, texts, tokenizer, max_length=128):
    """The logits of the classes for each text, (N, C), in the order of the texts; the model stays as it was.

    Texts of similar length go through the model together, at most 64 at a time; no dropout, no gradients.
    There are `encode_texts`, `pad_encodings` (encodings, id of [PAD] -> the model's inputs), `evaluating`.
    """
    ...
'''

# All of different lengths in tokens; the order by length is not its own inverse.
TEXTS = [
    "good film", "a good bad a film", "bad", "film a good", "a a bad good film bad a", "", "good bad a film",
    "a a a a bad film",
]  # fmt: skip


def probe_logits(logits_of):
    model, tokenizer = small_classifier(3, 0.5, vocab_size=9), small_tokenizer()
    first = logits_of(model, TEXTS, tokenizer)
    mode = "training" if model.training else "evaluation"
    model.train()
    steady = torch.equal(torch.as_tensor(first), torch.as_tensor(logits_of(model, TEXTS, tokenizer)))
    yield "the same texts twice get the same", steady
    if not steady:  # numbers that chance made are not compared
        return
    yield "the first row", Seen(as_text(first[0]))
    order = order_of(first, model, tokenizer)
    yield "order of the rows", order
    if order != "that of the texts":
        return
    yield "eight texts", first
    yield "the model's mode afterwards", mode
    yield "the result carries a graph for gradients", first.requires_grad
    many, sizes = (TEXTS * 9)[:70], []
    hook = model.bert.embeddings.register_forward_hook(lambda part, inputs, output: sizes.append(len(output)))
    yield "seventy texts", logits_of(model.train(), many, tokenizer)
    hook.remove()
    yield "at most 64 texts at a time", max(sizes, default=0) <= 64
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that texts were cut
        yield "texts of at most five tokens", logits_of(model, TEXTS, tokenizer, 5)


@torch.no_grad()
def order_of(rows, model, tokenizer) -> str:
    """In which order the rows stand, judged by what each text gets alone; no order where other numbers stand there."""
    with evaluating(model):
        alone = torch.cat([model(**tokenizer.encode_batch([text])) for text in TEXTS])
    if rows.shape != alone.shape:
        return "that of the texts"  # the shape is told of next
    apart = (rows[:, None] - alone).abs().amax(dim=-1)  # row by text
    found = apart.argmin(dim=1).tolist()
    if apart.amin(dim=1).max() > 1e-4 or found == list(range(len(TEXTS))):
        return "that of the texts"
    lengths = [len(tokenizer.encode(TEXTS[number]).ids) for number in found]
    if lengths == sorted(lengths):
        return "the shortest first"
    return "the longest first" if lengths == sorted(lengths, reverse=True) else "mixed"


@torch.no_grad()
def logits_with(
    model,
    texts,
    tokenizer,
    max_length=128,
    *,
    key=len,
    back=None,
    mask=True,
    end=None,
    keep=slice(None),
    size=64,
):
    """Prediction with one thing done in another way; key: by which the order comes, back: how it goes back."""
    encodings = classification.encode_texts(texts, tokenizer, max_length)
    order = sorted(range(len(encodings)), key=lambda index: key(encodings[index].ids))
    rows = []
    with evaluating(model):
        starts = list(range(0, len(order), size))[keep]
        for start in starts:
            chosen = [encodings[index] for index in order[start : start + size]]
            batch = classification.pad_encodings(chosen, tokenizer.id_of["[PAD]"])
            if not mask:
                del batch["attention_mask"]
            rows.append(model(**batch))
    found = torch.cat(rows)[: len(order)]
    back = back or (lambda order: torch.tensor(order).argsort())
    found = found[back(order)] if len(found) == len(order) else found
    return end(found) if end else found


def changed(**options):
    return lambda *args, **kwargs: logits_with(*args, **kwargs, **options)


def logits_in_training_mode(model, texts, tokenizer, max_length=128):
    with torch.no_grad():
        return model(**tokenizer.encode_batch(texts))


def logits_leaving_evaluation_mode(model, texts, tokenizer, max_length=128):
    return logits_with(model.eval(), texts, tokenizer, max_length)


def logits_in_training_mode_afterwards(model, texts, tokenizer, max_length=128):
    with evaluating(model):
        return model(**tokenizer.encode_batch(texts))


def logits_of_the_first_batch(model, texts, tokenizer, max_length=128):
    return logits_with(model, texts, tokenizer, max_length)[: 64 if len(texts) > 64 else None]


def logits_of_cut_texts(model, texts, tokenizer, max_length=128):
    return logits_with(model, texts, tokenizer, len(tokenizer.encode(texts[0]).ids))


def logits_of_whole_batches(model, texts, tokenizer, max_length=128):
    return logits_with(model, texts, tokenizer, max_length)[len(texts) % 64 if len(texts) > 64 else 0 :]


def rows_in_a_list(model, texts, tokenizer, max_length=128):
    return list(logits_with(model, texts, tokenizer, max_length))


def first_row(parts):
    return (
        parts["the first row"]
        if isinstance(parts, dict) and "eight texts" not in parts
        else parts["eight texts"][0]
    )


def row(number):
    return lambda parts: parts["eight texts"][number]


LOGITS_MISTAKES = (
    Mistake(
        "order not restored",
        changed(back=lambda order: list(range(len(order)))),
        "the first of eight texts gets the logits {yours}, expected {expected}: the numbers are right, but they stand in "
        "the order of the lengths. To whom does the first row belong?",
    ),
    Mistake(
        "longest first, order not restored",
        changed(key=lambda ids: -len(ids), back=lambda order: list(range(len(order)))),
        "the first of eight texts gets the logits {yours}, expected {expected}: the rows begin with the longest text. "
        "You sorted the texts; nobody sorted the answers back",
    ),
    Mistake(
        "order applied again",
        changed(back=torch.tensor),
        "the first of eight texts gets the logits {yours}, expected {expected}: the rows are mixed up. Either you index with "
        "the order a second time, which mixes them once more (order[i] says which text went to row i; you need the row to "
        "which text i went), or the texts were sorted before they were numbered",
    ),
    Mistake(
        "dropout active",
        logits_in_training_mode,
        "the same texts, asked twice, get different logits: dropout is active. In which mode does a model predict?",
    ),
    Mistake(
        "mode lost",
        logits_leaving_evaluation_mode,
        "the logits are right, but the model came in training mode and is left in evaluation mode: whoever calls this "
        "between two steps trains on without dropout",
    ),
    Mistake(
        "gradients kept",
        logits_in_training_mode_afterwards,
        "the logits are right, but they carry the whole graph for gradients, which keeps every layer's numbers in "
        "memory. What switches that off?",
    ),
    Mistake(
        "padding read",
        changed(mask=False),
        "the third text, a single word, gets the logits {yours}, expected {expected}: it is short, and the "
        "padding behind it is read as if it were text. Which of the inputs says what is padding?",
        show=row(2),
    ),
    Mistake(
        "probabilities",
        changed(end=lambda logits: logits.softmax(dim=-1)),
        "the first of eight texts gets {yours}, expected {expected}: those are probabilities. Asked for are the logits, "
        "from which `predict` makes them",
    ),
    Mistake(
        "classes",
        changed(end=lambda logits: logits.argmax(dim=-1)),
        "You give back the class of each text; asked for is a row of logits for each",
    ),
    Mistake(
        "last batch lost",
        logits_of_whole_batches,
        "Of seventy texts only the full batch of 64 is answered. The last, smaller one counts as well",
    ),
    Mistake(
        "first batch alone",
        logits_of_the_first_batch,
        "Only the first 64 of seventy texts are answered: the loop ends after one batch",
    ),
    Mistake(
        "cut to the first text",
        logits_of_cut_texts,
        "the longest text, the fifth, gets the logits {yours}, expected {expected}: it was cut to the length of the "
        "first text. A batch is padded to its longest text, not cut",
        show=row(4),
    ),
    Mistake(
        "all at once",
        changed(size=1000),
        "the logits are right, but seventy texts go through the model in one batch; with all reviews of a test part the "
        "memory would not be enough. At most 64 at a time",
    ),
    Mistake(
        "max_length not passed on",
        lambda model, texts, tokenizer, max_length=128: logits_with(model, texts, tokenizer),
        "right as long as no text is too long; but with max_length=5 the fifth text gets the logits {yours}, expected "
        "{expected}: it is not cut. Who makes the encodings has to be told",
        show=lambda parts: parts["texts of at most five tokens"][4],
    ),
    Mistake(
        "a list of rows",
        rows_in_a_list,
        "The rows belong into one tensor (N, C)",
    ),
)

EXERCISES = (
    Exercise(
        id="8.4",
        name="class_logits",
        reference=classification.class_logits,
        stub=LOGITS,
        probe=probe_logits,
        hints=(
            "First make it right without sorting: encode, pad in parts of 64, run the model, join the results. Then "
            "sort numbers of texts instead of the texts.",
            "If `order` lists the numbers of the texts by length, row i of the joined result belongs to text order[i]. "
            "Make an empty result and write each row where it belongs, or find the inverse of `order`.",
            "`torch.tensor(order).argsort()` is the inverse. `with evaluating(model), torch.no_grad():` around the "
            "loop takes care of mode and gradients.",
        ),
        mistakes=LOGITS_MISTAKES,
        notice="a text gets the same logits alone, in a batch, and in any order: that is what the mask and the mode are "
        "for, and it makes a good test of any such function",
        difficulty=2,
        minutes=15,
        show=first_row,
        variants=(
            lambda model, texts, tokenizer, max_length=128: torch.cat(
                [logits_with(model, [text], tokenizer, max_length) for text in texts]
            ),
            changed(size=3),
            changed(key=lambda ids: -len(ids)),
            changed(key=lambda ids: 0),
        ),
    ),
)
