"""Notebook 11: three published faults."""

from types import SimpleNamespace

import torch
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import bert_with_transformers as references

# 11.b1 sentence_vectors

VECTORS = '''
def my_sentence_vectors(model, batch):
    """A vector for each text, (B, H): the mean of the vectors of its tokens."""
    hidden = model(**batch).last_hidden_state  # (B, T, H)
    return hidden.mean(dim=1)
'''


class SmallModel:
    """Stands in for a BertModel: as there, padding gets vectors, too, and is not looked at if the mask says so."""

    def __init__(self):
        self.table = torch.linspace(-1, 2, 12 * 3).sin().mul(3).view(12, 3)  # V = 12, H = 3

    def __call__(self, input_ids, attention_mask=None, token_type_ids=None):
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        own = self.table[input_ids] + 0.1 * torch.arange(input_ids.shape[1])[:, None]
        seen = (own * mask[..., None]).sum(dim=1, keepdim=True) / mask.sum(dim=1)[:, None, None]
        hidden = own + 0.5 * seen
        return SimpleNamespace(last_hidden_state=hidden, pooler_output=hidden[:, 0].tanh())


IDS = torch.tensor([[2, 7, 5, 9, 3, 6], [2, 8, 4, 3, 0, 0], [2, 6, 3, 0, 0, 0]])  # B = 3, T = 6


def small_batch(rows):
    ids = IDS[rows].clone()
    return {"input_ids": ids, "attention_mask": (ids != 0).long(), "token_type_ids": torch.zeros_like(ids)}


def probe_vectors(sentence_vectors):
    yield "the longest text alone", sentence_vectors(SmallModel(), small_batch([0]))
    yield "three texts", sentence_vectors(SmallModel(), small_batch([0, 1, 2]))


def second_text(parts):
    return parts["three texts"][1]


def _mean(hidden, mask):
    return (hidden * mask[..., None]).sum(dim=1) / mask.sum(dim=1)[:, None]


def vectors_of_every_token(model, batch):
    return model(**batch).last_hidden_state.mean(dim=1)


def vectors_divided_by_all(model, batch):
    return (model(**batch).last_hidden_state * batch["attention_mask"][..., None]).mean(dim=1)


def vectors_of_the_shortest(model, batch):
    shortest = int(batch["attention_mask"].sum(dim=1).min())
    return model(**batch).last_hidden_state[:, :shortest].mean(dim=1)


def vectors_without_marks(model, batch):
    counts = batch["attention_mask"].sum(dim=1).tolist()
    rows = zip(model(**batch).last_hidden_state, counts, strict=True)
    return torch.stack([hidden[1 : count - 1].mean(dim=0) for hidden, count in rows])


def vectors_without_mask(model, batch):
    return _mean(model(batch["input_ids"]).last_hidden_state, batch["attention_mask"])


def vectors_in_a_loop(model, batch):
    rows = zip(model(**batch).last_hidden_state, batch["attention_mask"], strict=True)
    return torch.stack([hidden[mask.bool()].mean(dim=0) for hidden, mask in rows])


VECTORS_MISTAKES = (
    Mistake(
        "counts along the wrong axis",
        lambda model, batch: (
            (model(**batch).last_hidden_state * batch["attention_mask"][..., None]).sum(dim=1)
            / batch["attention_mask"].sum(dim=1)
        ),
        "the second text's vector is {yours}, expected {expected}: the counts (B,) are laid along the numbers of a vector, not along the texts (only since B and H are alike here does nothing crash). What shape divides each row by one number?",
        show=second_text,
    ),
    Mistake(
        "the largest of each",
        lambda model, batch: (
            model(**batch)
            .last_hidden_state.masked_fill(batch["attention_mask"][..., None] == 0, -1e9)
            .amax(dim=1)
        ),
        "the longest text's vector is {yours}, expected {expected}: padding is left out, but you take the largest number of the tokens; this model's sentence vectors are means",
        show=lambda parts: parts["the longest text alone"][0],
    ),
    Mistake(
        "all tokens added, the real ones counted",
        lambda model, batch: (
            model(**batch).last_hidden_state.sum(dim=1) / batch["attention_mask"].sum(dim=1)[:, None]
        ),
        "the second text's vector is {yours}, expected {expected}: you divide by its four tokens, but the padding is still in the sum",
        show=second_text,
    ),
    Mistake(
        "still every token",
        vectors_of_every_token,
        "the second text has four tokens and two of padding, and its vector is {yours}, expected {expected}: padding is "
        "in the mean. The mask keeps others from looking at padding, but padding gets vectors all the same",
    ),
    Mistake(
        "divided by the padded length",
        vectors_divided_by_all,
        "the second text's vector is {yours}, expected {expected}: padding is no longer in the sum, but you divide by "
        "six, and the text has four tokens",
    ),
    Mistake(
        "the sum",
        lambda model, batch: (model(**batch).last_hidden_state * batch["attention_mask"][..., None]).sum(
            dim=1
        ),
        "the longest text's vector is {yours}, expected {expected}: that is the sum. By what is it divided?",
        show=lambda parts: parts["the longest text alone"][0],
    ),
    Mistake(
        "[CLS] instead of the mean",
        lambda model, batch: model(**batch).last_hidden_state[:, 0],
        "the longest text's vector is {yours}, expected {expected}: that is the vector of [CLS]. It does not feel the "
        "padding, but this model's sentence vectors are means (it was tuned for them), so the cure must keep the mean",
        show=lambda parts: parts["the longest text alone"][0],
    ),
    Mistake(
        "the pooled output",
        lambda model, batch: model(**batch).pooler_output,
        "the longest text's vector is {yours}, expected {expected}: that is the pooled output, another vector than the "
        "mean. Repair the mean",
        show=lambda parts: parts["the longest text alone"][0],
    ),
    Mistake(
        "cut at the shortest",
        vectors_of_the_shortest,
        "the second text's vector is {yours}, expected {expected}: you take only as many tokens of each text as the "
        "shortest one has",
    ),
    Mistake(
        "divided by the batch's tokens",
        lambda model, batch: (
            (model(**batch).last_hidden_state * batch["attention_mask"][..., None]).sum(dim=1)
            / batch["attention_mask"].sum()
        ),
        "the second text's vector is {yours}, expected {expected}: you divide by the tokens of all three texts together",
    ),
    Mistake(
        "without the marks",
        vectors_without_marks,
        "the longest text's vector is {yours}, expected {expected}: you leave out [CLS] and [SEP] as well. Only padding "
        "is no token of the text",
        show=lambda parts: parts["the longest text alone"][0],
    ),
    Mistake(
        "mask kept from the model",
        vectors_without_mask,
        "the second text's vector is {yours}, expected {expected}: padding is out of your mean, but the model no longer "
        "gets the mask, so the words look at padding inside it. The mask is needed in both places",
    ),
    Mistake(
        "normalized",
        lambda model, batch: functional.normalize(
            _mean(model(**batch).last_hidden_state, batch["attention_mask"]), dim=1
        ),
        "the longest text's vector is {yours}, expected {expected}: the mean is right, but you make its length 1; that "
        "was not asked for",
        show=lambda parts: parts["the longest text alone"][0],
    ),
)

# 11.b2 token_types

TYPES = '''
def my_token_types(input_ids):
    """The type ids of [CLS] question [SEP] text [SEP], a list: 0 for the question with its two marks, then 1.

    input_ids: a list of numbers. 102 is the id of [SEP].
    """
    return [0 if place <= 102 else 1 for place in range(len(input_ids))]
'''


def probe_types(token_types):
    yield (
        "question of three, text of four",
        token_types([101, 2040, 2003, 2002, 102, 2002, 2003, 1037, 2158, 102]),
    )
    long = [101, *range(2000, 2007), 102, *range(3000, 3120), 102]  # 130 tokens
    yield "a long text", token_types(list(long))


def short_types(parts):
    return "".join(map(str, parts["question of three, text of four"]))


def first_one(parts):
    return list(parts["a long text"]).index(1)


def last_separator(input_ids):
    return len(input_ids) - 1 - input_ids[::-1].index(102)


TYPES_MISTAKES = (
    Mistake(
        "still the place 102",
        lambda input_ids: [0 if place <= 102 else 1 for place in range(len(input_ids))],
        "the types of a short pair are {yours}, expected {expected}: the text counts as question. `place` is where a "
        "token stands, 102 is what [SEP] is called; these two are compared",
    ),
    Mistake(
        "compared with the id",
        lambda input_ids: [0 if token <= 102 else 1 for token in input_ids],
        "the types of a short pair are {yours}, expected {expected}: now ids are compared with 102, and every word has a "
        "larger one. What matters is whether a token stands before or after the first [SEP]",
    ),
    Mistake(
        "the first [SEP] typed 1",
        lambda input_ids: [0 if place < input_ids.index(102) else 1 for place in range(len(input_ids))],
        "the types of a short pair are {yours}, expected {expected}: the first [SEP] ends the question, and belongs to it",
    ),
    Mistake(
        "the last [SEP]",
        lambda input_ids: [0 if place <= last_separator(input_ids) else 1 for place in range(len(input_ids))],
        "the types of a short pair are {yours}, expected {expected}: you look for the last [SEP]; all stands before it",
    ),
    Mistake(
        "the last [SEP] typed 0",
        lambda input_ids: [
            int(input_ids.index(102) < place < last_separator(input_ids)) for place in range(len(input_ids))
        ],
        "the types of a short pair are {yours}, expected {expected}: the last [SEP] ends the text, and belongs to it",
    ),
    Mistake(
        "exchanged",
        lambda input_ids: [1 if place <= input_ids.index(102) else 0 for place in range(len(input_ids))],
        "the types of a short pair are {yours}, expected {expected}: question and text are exchanged",
    ),
    Mistake(
        "one token too far",
        lambda input_ids: [0 if place <= input_ids.index(102) + 1 else 1 for place in range(len(input_ids))],
        "the types of a short pair are {yours}, expected {expected}: the first word of the text counts as question",
    ),
    Mistake(
        "half and half",
        lambda input_ids: [int(place >= len(input_ids) // 2) for place in range(len(input_ids))],
        "right for a short pair with equal halves, but of a long one the first 1 stands at place {yours}, expected "
        "{expected}: question and text have different lengths",
        show=first_one,
    ),
    Mistake(
        "a fixed length",
        lambda input_ids: [0 if place <= 4 else 1 for place in range(len(input_ids))],
        "right for the short pair, but of a longer question the first 1 stands at place {yours}, expected {expected}: "
        "questions have different lengths. Look for the mark that ends it",
        show=first_one,
    ),
)

# 11.b3 masked_batch

MASKED = '''
def my_masked_batch(input_ids, attention_mask, hidden, mask_id):
    """The batch for BertForMaskedLM: where `hidden` (B, T) is True stands [MASK], and is to be guessed."""
    labels = input_ids.clone()
    corrupted = input_ids.masked_fill(hidden, mask_id)
    return {"input_ids": corrupted, "attention_mask": attention_mask, "labels": labels}
'''


def probe_masked(masked_batch):
    ids = torch.tensor([[2, 17, 15, 19, 3], [2, 11, 3, 0, 0]])
    hidden = torch.tensor([[0, 1, 0, 1, 0], [0, 1, 0, 0, 0]], dtype=torch.bool)
    batch = masked_batch(ids, (ids != 0).long(), hidden, 4)
    for name in ("input_ids", "attention_mask", "labels"):
        yield name, batch[name]


def first_labels(parts):
    return parts["labels"][0]


def _labels(make):
    """masked_batch with labels made in another way, from ids, mask, hidden, corrupted ids."""

    def program(input_ids, attention_mask, hidden, mask_id):
        corrupted = input_ids.masked_fill(hidden, mask_id)
        labels = make(input_ids, attention_mask, hidden, corrupted)
        return {"input_ids": corrupted, "attention_mask": attention_mask, "labels": labels}

    return program


def masked_without_hiding(input_ids, attention_mask, hidden, mask_id):
    labels = input_ids.masked_fill(~hidden, -100)
    return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}


def masked_in_place(input_ids, attention_mask, hidden, mask_id):
    labels = input_ids.clone()
    labels[~hidden] = -100
    input_ids[hidden] = mask_id
    return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}


def masked_with_hidden_attention(input_ids, attention_mask, hidden, mask_id):
    batch = references.masked_batch(input_ids, attention_mask, hidden, mask_id)
    return batch | {"attention_mask": attention_mask * ~hidden}


MASKED_MISTAKES = (
    Mistake(
        "everything else masked",
        lambda input_ids, attention_mask, hidden, mask_id: {
            "input_ids": input_ids.masked_fill(~hidden, mask_id),
            "attention_mask": attention_mask,
            "labels": input_ids.masked_fill(~hidden, -100),
        },
        "the input ids of the first text are {yours}, expected {expected}: [MASK] stands where nothing is hidden. The labels are mended; the ids were right as they were",
        show=lambda parts: parts["input_ids"][0],
    ),
    Mistake(
        "still all tokens",
        _labels(lambda ids, mask, hidden, corrupted: ids.clone()),
        "the labels of the first text are {yours}, expected {expected}: every token has one, so the loss is mostly that "
        "of copying visible tokens. How does a label tell the model that it does not count?",
    ),
    Mistake(
        "padding alone left out",
        _labels(lambda ids, mask, hidden, corrupted: ids.masked_fill(mask == 0, -100)),
        "padding no longer counts, but the labels of the first text are {yours}, expected {expected}: visible words still "
        "do, and they can be copied",
    ),
    Mistake(
        "inverted",
        _labels(lambda ids, mask, hidden, corrupted: ids.masked_fill(hidden, -100)),
        "the labels of the first text are {yours}, expected {expected}: the other way round. Left out are the hidden "
        "ones, and copying is all that is trained",
    ),
    Mistake(
        "-1 as in old versions",
        _labels(lambda ids, mask, hidden, corrupted: ids.masked_fill(~hidden, -1)),
        "the labels of the first text are {yours}, expected {expected}: the right ones are left out, but by a number "
        "that the library gave up in version 2.4; now it is the one that PyTorch's cross-entropy leaves out by default",
    ),
    Mistake(
        "0 for what does not count",
        _labels(lambda ids, mask, hidden, corrupted: ids * hidden),
        "the labels of the first text are {yours}, expected {expected}: 0 is a token ([PAD]), so the model is trained to "
        "answer [PAD] at every visible word",
    ),
    Mistake(
        "labels from the corrupted ids",
        _labels(lambda ids, mask, hidden, corrupted: corrupted.masked_fill(~hidden, -100)),
        "the labels of the first text are {yours}, expected {expected}: the answer to be given is [MASK] itself. Take the "
        "labels from the ids as they were",
    ),
    Mistake(
        "nothing hidden",
        masked_without_hiding,
        "the ids of the first text are {yours}, expected {expected}: the labels are right, but the words can be seen",
        show=lambda parts: parts["input_ids"][0],
    ),
    Mistake(
        "hidden from attention",
        masked_with_hidden_attention,
        "the labels are right, but the attention mask of the first text is {yours}, expected {expected}: [MASK] is a "
        "token that is there, and marks where a word is missing. Only padding is not looked at",
        show=lambda parts: parts["attention_mask"][0],
    ),
    Mistake(
        "input changed",
        masked_in_place,
        "the batch is right, but the words are overwritten in `input_ids`, which the caller still needs: in the next "
        "epoch other words should be hidden",
    ),
)

EXERCISES = (
    Exercise(
        id="11.b1",
        name="sentence_vectors",
        kind="bug",
        source="issue #3150 of huggingface/transformers (2020), Padding changes model outputs (even with attention_mask)",
        reference=references.sentence_vectors,
        stub=VECTORS,
        probe=probe_vectors,
        hints=(
            "The attention mask goes into the model. What does the model give at the places of padding: nothing, zeros, "
            "or vectors like others? And what does `mean(dim=1)` do with them?",
            "Make the vectors of padding zero by multiplying with the mask, (B, T, 1), and add up. Then the number of "
            "tokens to divide by is another one for each text.",
        ),
        mistakes=VECTORS_MISTAKES,
        notice="a text alone has no padding, so a test with single texts never finds this fault",
        difficulty=2,
        minutes=10,
        show=second_text,
        variants=(vectors_in_a_loop,),
    ),
    Exercise(
        id="11.b2",
        name="token_types",
        kind="bug",
        source="pull request #3790 to huggingface/transformers (2020), Fix token_type_id in BERT question-answering example",
        reference=references.token_types,
        stub=TYPES,
        probe=probe_types,
        hints=(
            "Print the types of a short pair. Which of the two numbers that are compared is a place, and which is an id?",
            "Where in the list does the first [SEP] stand? Lists have `index`.",
        ),
        mistakes=TYPES_MISTAKES,
        notice="no line is needed at all: the tokenizer, given both texts in one call, returns `token_type_ids` itself",
        difficulty=1,
        minutes=6,
        show=short_types,
        variants=(
            lambda input_ids: (
                [0] * (input_ids.index(102) + 1) + [1] * (len(input_ids) - input_ids.index(102) - 1)
            ),
            lambda input_ids: [int(102 in input_ids[:place]) for place in range(len(input_ids))],
        ),
    ),
    Exercise(
        id="11.b3",
        name="masked_batch",
        kind="bug",
        source="issues #7136 and #2759 of huggingface/transformers (2020), on the labels of BertForMaskedLM",
        reference=references.masked_batch,
        stub=MASKED,
        probe=probe_masked,
        hints=(
            "Of which tokens is the loss the mean? In which of them is there anything to guess?",
            "Cross-entropy leaves out labels of -100. Which labels should be -100: the hidden ones or the others?",
        ),
        mistakes=MASKED_MISTAKES,
        notice="a loss can only be compared with another one over the same tokens: the repaired run has the higher loss "
        "at first and the better model",
        difficulty=2,
        minutes=8,
        show=first_labels,
        variants=(_labels(lambda ids, mask, hidden, corrupted: torch.where(hidden, ids, -100)),),
    ),
)
