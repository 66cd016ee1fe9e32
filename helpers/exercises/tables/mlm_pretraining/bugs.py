"""Three published bugs, each planted in a small pretraining run."""

import torch
from torch import nn
from torch.nn import functional

from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.references import mlm_pretraining as references
from helpers.exercises.tables.mlm_pretraining.small import MASK, TOKENIZER, About, rows
from helpers.pretraining import IGNORE, choose_positions

# 6.b1 labels that were never handed back

WORDS = '''
def my_hide_words(ids, tokenizer, rate, generator):
    """Hide some words of every text: ids (B, T) -> what the model reads, and the labels, both (B, T)."""
    chosen = choose_positions(ids, tokenizer, rate, generator)
    labels = ids.clone()
    new_labels = torch.full_like(ids, IGNORE)
    new_labels[chosen] = labels[chosen]
    read = ids.clone()
    read[chosen] = tokenizer.id_of["[MASK]"]
    return read, labels
'''


def probe_words(hide_words):
    ids = rows([18, 12, 18], 20)
    read, labels = hide_words(ids, TOKENIZER, 0.3, torch.Generator().manual_seed(1))
    hidden = read == MASK
    yield "share hidden of the words", About(hidden[ids >= 10].float().mean(), 0.06)
    asked = labels != IGNORE
    yield "places asked for that can be read", int((asked & ~hidden).sum())
    yield "places hidden and not asked for", int((hidden & ~asked).sum())
    yield "labels are the original ids", bool((labels[asked] == ids[asked]).all())
    yield "the rest can be read", bool((read[~hidden] == ids[~hidden]).all())


def words_variant(give):
    def program(ids, tokenizer, rate, generator):
        chosen = choose_positions(ids, tokenizer, rate, generator)
        labels = torch.where(chosen, ids, IGNORE)
        return give(ids, chosen, ids.masked_fill(chosen, tokenizer.id_of["[MASK]"]), labels)

    return program


def can_be_read(parts):
    return parts["places asked for that can be read"]


WORDS_MISTAKES = (
    Mistake(
        "the bug",
        words_variant(lambda ids, chosen, read, labels: (read, ids.clone())),
        "{yours} places are asked for at which the answer can be read (expected {expected}): the right labels are made, "
        "and others are handed back",
        show=can_be_read,
    ),
    Mistake(
        "padding and special tokens taken out alone",
        words_variant(lambda ids, chosen, read, labels: (read, ids.masked_fill(ids < 10, IGNORE))),
        "{yours} places are asked for at which the answer can be read (expected {expected}): special tokens are out, but "
        "every word still has a label, hidden or not",
        show=can_be_read,
    ),
    Mistake(
        "IGNORE at the hidden places",
        words_variant(lambda ids, chosen, read, labels: (read, ids.masked_fill(chosen, IGNORE))),
        "{yours} places are asked for at which the answer can be read (expected {expected}), and the hidden ones are not: "
        "IGNORE stands on the wrong side",
        show=can_be_read,
    ),
    Mistake(
        "labels from what is read",
        words_variant(lambda ids, chosen, read, labels: (read, read.masked_fill(~chosen, IGNORE))),
        "the right places are asked for, but the label at each is [MASK] itself, which can be read there",
    ),
    Mistake(
        "nothing hidden",
        words_variant(lambda ids, chosen, read, labels: (ids.clone(), labels)),
        "the right places are asked for, but at {yours} of them the word can still be read (expected {expected}): that "
        "trades one leak for another",
        show=can_be_read,
    ),
    Mistake(
        "results exchanged",
        words_variant(lambda ids, chosen, read, labels: (labels, read)),
        "the two results have changed places: first what the model reads, then the labels",
    ),
)

# 6.b2 the mean before the mask

SLOTS = '''
def my_token_loss_of_slots(logits, labels, weights):
    """The mean loss of the guesses in S slots: logits (B, S, V), labels and weights (B, S); 1: slot used."""
    losses = functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    losses = losses * weights.flatten()
    return losses.sum() / weights.sum()
'''


def slots():
    """Two texts with four slots; the second uses one of them, and the others hold the label 0."""
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(2, 4, 5, generator=generator)
    labels = torch.tensor([[2, 4, 1, 3], [3, 0, 0, 0]])
    return logits, labels, (torch.tensor([[1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0]]))


def probe_slots(loss):
    logits, labels, weights = slots()
    yield "five guesses", float(loss(logits, labels, weights))
    other = torch.where(weights[..., None] > 0, logits, logits * 5 - 3)
    yield "other scores in the unused slots", float(loss(other, labels, weights))
    asked_for_0 = labels.clone()
    asked_for_0[0, 1] = 0  # a used slot may ask for entry 0
    yield "a used slot that asks for entry 0", float(loss(logits, asked_for_0, weights))
    yield "all slots used", float(loss(logits, labels, torch.ones_like(weights)))


def _each(logits, labels):
    return functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")


def loss_of_slots_bug(logits, labels, weights):
    losses = functional.cross_entropy(logits.flatten(0, 1), labels.flatten()) * weights.flatten()
    return losses.sum() / weights.sum()


def loss_of_used_slots(logits, labels, weights):
    return functional.cross_entropy(logits[weights > 0], labels[weights > 0])


def five(parts):
    return parts["five guesses"]


def other_scores(parts):
    return parts["other scores in the unused slots"]


SLOTS_MISTAKES = (
    Mistake(
        "sum of all slots",
        lambda logits, labels, weights: (
            functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum") / weights.sum()
        ),
        "five guesses cost {yours}, expected {expected}: the losses are single now or added up, but nothing strikes out those of the unused slots",
        show=five,
    ),
    Mistake(
        "the bug",
        loss_of_slots_bug,
        "five guesses cost {yours}, expected {expected}: when the weights come, the losses are one number already, the "
        "mean over used and unused slots. How many numbers does `losses` hold after its first line?",
        show=five,
    ),
    Mistake(
        "divided by all slots",
        lambda logits, labels, weights: (_each(logits, labels) * weights.flatten()).mean(),
        "five guesses cost {yours}, expected {expected}: the unused slots count 0 now, but are still in the number that "
        "you divide by",
        show=five,
    ),
    Mistake(
        "not divided",
        lambda logits, labels, weights: (_each(logits, labels) * weights.flatten()).sum(),
        "five guesses cost {yours}, expected {expected}: a sum, not a mean",
        show=five,
    ),
    Mistake(
        "label 0 ignored",
        lambda logits, labels, weights: functional.cross_entropy(
            logits.flatten(0, 1), labels.flatten(), ignore_index=0
        ),
        "right as long as no used slot asks for entry 0; one that does costs {yours}, expected {expected}. The weights "
        "know which slots are used, the labels don't",
        show=lambda parts: parts["a used slot that asks for entry 0"],
    ),
    Mistake(
        "sum before the weights",
        lambda logits, labels, weights: (
            (_each(logits, labels).sum() * weights.flatten()).sum() / weights.sum()
        ),
        "five guesses cost {yours}, expected {expected}: instead of the mean it is now the sum of all slots that the "
        "weights cannot undo. `losses` has to stay a number for each slot",
        show=five,
    ),
    Mistake(
        "means of texts",
        lambda logits, labels, weights: (
            (_each(logits, labels).view(weights.shape) * weights).sum(1) / weights.sum(1)
        ).mean(),
        "five guesses cost {yours}, expected {expected}: the unused slots are out, but now each text counts the same, and "
        "one has four guesses, the other one",
        show=five,
    ),
    Mistake(
        "weights on the scores",
        lambda logits, labels, weights: _each(logits * weights[..., None], labels).mean(),
        "five guesses cost {yours}, expected {expected}: scores of 0 are a guess as well, with the same chance for every "
        "entry",
        show=five,
    ),
)

# 6.b3 an answer that is ignored

TWO = '''
def my_two_losses(token_logits, labels, next_logits, next_labels):
    """The losses of tokens and pairs. labels (B, T): 0, the entry [PAD], where nothing is asked."""
    criterion = nn.CrossEntropyLoss(ignore_index=0)
    token_loss = criterion(token_logits.flatten(0, 1), labels.flatten())
    next_loss = criterion(next_logits, next_labels)
    return token_loss, next_loss
'''


def probe_two(two_losses):
    generator = torch.Generator().manual_seed(4)
    token_logits, next_logits = (
        torch.randn(3, 4, 6, generator=generator),
        torch.randn(3, 2, generator=generator),
    )
    labels = torch.tensor([[0, 3, 0, 5], [0, 0, 1, 0], [2, 0, 0, 0]])
    tokens, pairs = two_losses(token_logits, labels, next_logits, torch.tensor([0, 1, 0]))
    yield "loss of the tokens", float(tokens)
    yield "loss of the pairs", float(pairs)
    stubborn = torch.tensor([[-4.0, 4.0]]).expand(3, 2)
    _, pairs = two_losses(token_logits, labels, stubborn, torch.tensor([0, 1, 0]))
    yield "loss of one who always says 1", float(pairs)


def two_with(tokens=None, pairs=None):
    def program(token_logits, labels, next_logits, next_labels):
        tokens_of = tokens or nn.CrossEntropyLoss(ignore_index=0)
        pairs_of = pairs or nn.CrossEntropyLoss()
        return tokens_of(token_logits.flatten(0, 1), labels.flatten()), pairs_of(next_logits, next_labels)

    return program


def tokens_cost(parts):
    return parts["loss of the tokens"]


def pairs_cost(parts):
    return parts["loss of the pairs"]


TWO_MISTAKES = (
    Mistake(
        "the bug",
        two_with(pairs=nn.CrossEntropyLoss(ignore_index=0)),
        "the pairs cost {yours}, expected {expected}: only those with the label 1 are looked at. For the tokens 0 means "
        "“nothing asked”; what does it mean for the pairs?",
        show=pairs_cost,
    ),
    Mistake(
        "nothing ignored anywhere",
        two_with(tokens=nn.CrossEntropyLoss()),
        "the pairs are mended, but the tokens cost {yours}, expected {expected}: now the model is asked to say [PAD] "
        "wherever nothing was asked",
        show=tokens_cost,
    ),
    Mistake(
        "the other answer ignored",
        two_with(pairs=nn.CrossEntropyLoss(ignore_index=1)),
        "the pairs cost {yours}, expected {expected}: now those with the label 1 are left out. Both are answers",
        show=pairs_cost,
    ),
    Mistake(
        "-100 for both",
        two_with(tokens=nn.CrossEntropyLoss(ignore_index=-100), pairs=nn.CrossEntropyLoss(reduction="sum")),
        "the tokens cost {yours}, expected {expected}, and the pairs are a sum: in these labels “nothing asked” is "
        "written as 0",
        show=tokens_cost,
    ),
    Mistake(
        "a sum",
        two_with(pairs=nn.CrossEntropyLoss(reduction="sum")),
        "the pairs cost {yours}, expected {expected}: all of them are looked at, but added up",
        show=pairs_cost,
    ),
    Mistake(
        "answers exchanged",
        lambda token_logits, labels, next_logits, next_labels: two_with()(
            token_logits, labels, next_logits, 1 - next_labels
        ),
        "the pairs cost {yours}, expected {expected}: all are looked at, but with 0 and 1 exchanged, against a head that "
        "has learned the other way round",
        show=pairs_cost,
    ),
)
EXERCISES = (
    Exercise(
        id="6.b1",
        name="hide_words",
        kind="bug",
        source="huggingface/course, issue 291: the collator for whole words builds `new_labels` and never hands them "
        "back",
        reference=references.hide_words,
        stub=WORDS,
        probe=probe_words,
        hints=(
            "At how many places of a text is the model asked for a word? Print the labels of one text beside its ids.",
            "Two tables of labels are made in this function. Follow each of them to the last line.",
        ),
        mistakes=WORDS_MISTAKES,
        notice="a loss that falls far below the floor is no success: the answer can be seen somewhere",
        difficulty=1,
        minutes=5,
        variants=(words_variant(lambda ids, chosen, read, labels: (read, labels)),),
    ),
    Exercise(
        id="6.b2",
        name="token_loss_of_slots",
        kind="bug",
        source="d2l-ai/d2l-en, issue 2582: the loss of `_get_batch_loss_bert` in PyTorch",
        reference=references.token_loss_of_slots,
        stub=SLOTS,
        probe=probe_slots,
        hints=(
            "Print the shape of `losses` after each of the first two lines.",
            "`functional.cross_entropy` takes the mean unless it is told otherwise: its parameter is `reduction`.",
        ),
        mistakes=SLOTS_MISTAKES,
        notice="the same three lines are right in a framework whose cross-entropy takes no mean by itself: the bug came "
        "with the translation",
        difficulty=2,
        minutes=8,
        show=five,
        variants=(loss_of_used_slots,),
    ),
    Exercise(
        id="6.b3",
        name="two_losses",
        kind="bug",
        source="codertimo/BERT-pytorch, issues 49 and 98: one loss with `ignore_index=0` for tokens and pairs",
        reference=references.two_losses,
        stub=TWO,
        probe=probe_two,
        hints=(
            "Which of the pairs have a part in the loss? Try it with a single pair whose label is 0.",
            "`ignore_index` says which label is no question. Do tokens and pairs agree about that?",
        ),
        mistakes=TWO_MISTAKES,
        notice="the loss of the bug could fall to zero only because one answer was never wrong: beside every loss, print "
        "how many are right",
        difficulty=2,
        minutes=8,
        variants=(two_with(),),
    ),
)


def planted(exercise_id: str):
    """The program with its bug, as it stands in the stub: for the cell that shows the symptom."""
    exercise = next(each for each in EXERCISES if each.id == exercise_id)
    space = {"torch": torch, "nn": nn, "functional": functional}
    space |= {"IGNORE": IGNORE, "choose_positions": choose_positions}
    exec(compile(exercise.stub, f"<bug {exercise_id}>", "exec"), space)
    return space[exercise.learner]
