"""Exercise 20.1. Each text hidden at a rate of its own."""

import torch

from helpers import writing
from helpers.exercises.exercise import Exercise, Mistake
from helpers.exercises.tables.mlm_pretraining.small import MASK, TOKENIZER, About, rows
from helpers.pretraining import IGNORE, choose_positions

HIDE = '''
def my_hide_at_rates(ids, rates, tokenizer, generator=None):
    """Every token becomes [MASK] with the probability of its text's rate: corrupted, labels, both (B, T).

    ids (B, T), rates (B, 1). Each token is decided by itself. The special tokens, all those in
    SPECIAL_TOKENS, never become [MASK]. labels: the original id where a token was hidden, IGNORE elsewhere.
    tokenizer.id_of["[MASK]"] is the id of one; torch.rand takes generator=generator. ids stays as it is.
    """
    ...
'''

RATES = torch.tensor([[1.0], [1e-9], [0.3], [0.75]])


def probe_hide(hide_at_rates):
    ids = rows([5, 4, 6, 3], 9)
    ids[0, 2] = TOKENIZER.id_of["[UNK]"]
    read, labels = hide_at_rates(ids, RATES, TOKENIZER, torch.Generator().manual_seed(5))
    yield "what the model reads at rate 1", read[0]
    yield "its labels", labels[0]
    yield "what it reads at a rate of nearly 0", read[1]
    yield "the labels there", labels[1]
    many = rows([400] * 40, 402)
    rates = torch.tensor([[0.3], [0.75]]).repeat(20, 1)
    read, labels = hide_at_rates(many, rates, TOKENIZER, torch.Generator().manual_seed(3))
    hidden, words = read == MASK, many >= 10
    for row, rate in enumerate((0.3, 0.75)):
        yield f"share hidden at rate {rate}", About(hidden[row::2][words[row::2]].float().mean(), 0.03)
    yield "labels only where hidden", bool(((labels != IGNORE) == hidden).all())
    yield "labels are the originals", bool((labels[hidden] == many[hidden]).all())
    each = hidden.sum(dim=1)[::2]
    yield "texts of one rate have different numbers of gaps", bool(len(each.unique()) > 4)
    again = hide_at_rates(many, rates, TOKENIZER, torch.Generator().manual_seed(3))[0]
    yield "the same seed gives the same", bool((again == read).all())
    other = hide_at_rates(many, rates, TOKENIZER, torch.Generator().manual_seed(4))[0]
    yield "another seed gives other gaps", bool((other != read).any())


def sure(ids):
    return ids >= 10  # what is no special token


FEW = [TOKENIZER.id_of[token] for token in ("[CLS]", "[SEP]", "[PAD]")]


def hide_with(special=True, few=False, rates=lambda rates: rates, below=True, labels=None, dice=None):
    def program(ids, given, tokenizer, generator=None):
        draws = dice(ids, generator) if dice else torch.rand(ids.shape, generator=generator)
        wanted = rates(given)
        hidden = (draws < wanted) if below else (draws > wanted)
        if few:
            hidden = hidden & ~torch.isin(ids, torch.tensor(FEW))
        elif special:
            hidden = hidden & (ids >= 10)
        read = ids.masked_fill(hidden, MASK)
        right = ids.masked_fill(~hidden, IGNORE)
        return read, labels(ids, read, hidden) if labels else right

    return program


def hide_in_place(ids, rates, tokenizer, generator=None):
    read, labels = hide_with()(ids, rates, tokenizer, generator)
    ids[read == MASK] = MASK
    return ids, labels


def hide_counted(ids, rates, tokenizer, generator=None):
    chosen = torch.cat([
        choose_positions(row[None], tokenizer, float(rate), generator) for row, rate in zip(ids, rates, strict=True)
    ])  # fmt: skip
    return ids.masked_fill(chosen, MASK), ids.masked_fill(~chosen, IGNORE)


def hide_from_the_same_draws(ids, rates, tokenizer, generator=None):
    return hide_with()(ids, rates, tokenizer, torch.Generator().manual_seed(0))


def exchanged(ids, rates, tokenizer, generator=None):
    return hide_with()(ids, rates, tokenizer, generator)[::-1]


def special_asked(ids, rates, tokenizer, generator=None):
    chosen = torch.rand(ids.shape, generator=generator) < rates
    return ids.masked_fill(chosen & sure(ids), MASK), ids.masked_fill(~chosen, IGNORE)


def special_only(ids, rates, tokenizer, generator=None):
    chosen = (torch.rand(ids.shape, generator=generator) < rates) & ~sure(ids)
    return ids.masked_fill(chosen, MASK), ids.masked_fill(~chosen, IGNORE)


def hidden_but_padding(ids, rates, tokenizer, generator=None):
    chosen = (torch.rand(ids.shape, generator=generator) < rates) & (ids != TOKENIZER.id_of["[PAD]"])
    return ids.masked_fill(chosen, MASK), ids.masked_fill(~chosen, IGNORE)


def hide_by_loop(ids, rates, tokenizer, generator=None):
    read, labels = ids.clone(), torch.full_like(ids, IGNORE)
    for row in range(len(ids)):
        for place in range(ids.shape[1]):
            die = torch.rand(1, generator=generator).item()
            if ids[row, place] >= 10 and die < rates[row].item():
                read[row, place], labels[row, place] = MASK, ids[row, place]
    return read, labels


def first_row(parts):
    return parts["what the model reads at rate 1"]


def first_labels(parts):
    return parts["its labels"]


def low(parts):
    return parts["share hidden at rate 0.3"]


HIDE_MISTAKES = (
    Mistake(
        "special tokens hidden, too",
        hide_with(special=False),
        "at rate 1 the model reads {yours}, expected {expected}: [CLS], [SEP] and the padding are hidden, too. They are no "
        "words of the text, and nobody asks for them",
        show=first_row,
    ),
    Mistake(
        "[UNK] hidden",
        hide_with(few=True),
        "at rate 1 the model reads {yours}, expected {expected}: the [UNK] that stood there is hidden and asked for. "
        "SPECIAL_TOKENS has five, and none of them is a word to be guessed",
        show=first_row,
    ),
    Mistake(
        "the kept are hidden",
        hide_with(below=False),
        "at rate 1 the model reads {yours}, expected {expected}: your tokens are hidden with the probability 1 - rate. On "
        "which side of the rate does a draw have to lie?",
        show=first_row,
    ),
    Mistake(
        "one rate for all",
        hide_with(rates=lambda rates: rates.mean()),
        "at rate 1 the model reads {yours}, expected {expected}: one rate serves the whole batch, their mean. Each text has "
        "its own, (B, 1)",
        show=first_row,
    ),
    Mistake(
        "always 15 %",
        hide_with(rates=lambda rates: 0.15),
        "at rate 1 the model reads {yours}, expected {expected}: you hide 15%, whatever the rate",
        show=first_row,
    ),
    Mistake(
        "labels after hiding",
        hide_with(labels=lambda ids, read, hidden: read.masked_fill(~hidden, IGNORE)),
        "the labels at rate 1 are {yours}, expected {expected}: they are what stands there after hiding, [MASK]. Where is "
        "the original?",
        show=first_labels,
    ),
    Mistake(
        "the two exchanged",
        exchanged,
        "at rate 1 the model reads {yours}, expected {expected}: these are the labels. Which of the two does the model read, "
        "and which is it asked for?",
        show=first_row,
    ),
    Mistake(
        "nothing hidden",
        lambda ids, rates, tokenizer, generator=None: (
            ids.clone(),
            hide_with()(ids, rates, tokenizer, generator)[1],
        ),
        "at rate 1 the model reads {yours}, expected {expected}: the whole text, though the labels are right. Do you give back the "
        "ids in which something was hidden?",
        show=first_row,
    ),
    Mistake(
        "only padding kept",
        hidden_but_padding,
        "at rate 1 the model reads {yours}, expected {expected}: padding stays, but other special tokens are hidden. How many "
        "are in SPECIAL_TOKENS?",
        show=first_row,
    ),
    Mistake(
        "special tokens only",
        special_only,
        "at rate 1 the model reads {yours}, expected {expected}: the special tokens are hidden, and every word stays. Of which "
        "of the two do you mean the opposite?",
        show=first_row,
    ),
    Mistake(
        "special tokens asked for",
        special_asked,
        "what is read is right, but the labels at rate 1 are {yours}, expected {expected}: special tokens that were not "
        "hidden are asked for. Do both results come from the same table of true and false?",
        show=first_labels,
    ),
    Mistake(
        "labels of what stays",
        hide_with(labels=lambda ids, read, hidden: ids.masked_fill(hidden, IGNORE)),
        "the labels at rate 1 are {yours}, expected {expected}: what was hidden is ignored, and what can be read is asked for. "
        "Which side does the model have to guess?",
        show=first_labels,
    ),
    Mistake(
        "0 where nothing is asked",
        hide_with(labels=lambda ids, read, hidden: ids.masked_fill(~hidden, 0)),
        "the labels at rate 1 are {yours}, expected {expected}: 0 is the id of a token, so the model would be asked for it. "
        "Which number does the loss pass over?",
        show=first_labels,
    ),
    Mistake(
        "labels everywhere",
        hide_with(labels=lambda ids, read, hidden: ids.clone()),
        "at a rate of nearly 0 the labels are {yours}, expected {expected}: nothing is hidden, so nothing is asked. What "
        "says so?",
        show=lambda parts: parts["the labels there"],
    ),
    Mistake(
        "one die for a text",
        hide_with(dice=lambda ids, generator: torch.rand(len(ids), 1, generator=generator)),
        "{yours} of the tokens are hidden at rate 0.3, expected about {expected}: one die decides for a whole text, which is "
        "hidden entirely or not at all. Each token needs its own",
        show=low,
    ),
    Mistake(
        "exactly so many",
        hide_counted,
        "at a rate of nearly 0 the model reads {yours}, expected {expected}: you hide a fixed number of each text, at least "
        "one. Here each token is decided by itself, and there may be none",
        show=lambda parts: parts["what it reads at a rate of nearly 0"],
    ),
    Mistake(
        "ids changed",
        hide_in_place,
        "both results are right, but your function writes into `ids`, which the caller still needs. On what do you work "
        "instead?",
    ),
    Mistake(
        "always the same gaps",
        hide_from_the_same_draws,
        "with another seed the gaps are the same: your draws come from a generator that begins anew in each call. Which one "
        "is given?",
    ),
    Mistake(
        "its own chance",
        lambda ids, rates, tokenizer, generator=None: hide_with()(ids, rates, tokenizer),
        "the same seed gives other gaps the second time: your draws do not come from the generator that is given",
    ),
)

EXERCISES = (
    Exercise(
        id="20.1",
        name="hide_at_rates",
        reference=writing.hide_at_rates,
        stub=HIDE,
        probe=probe_hide,
        hints=(
            "A number between 0 and 1 for each token, compared with the rate of its text: (B, T) beside (B, 1) broadcasts.",
            "torch.isin(ids, torch.tensor([...])) finds the special tokens; masked_fill(where, value) gives a new tensor.",
            "hidden = (torch.rand(ids.shape, generator=generator) < rates) & ~special; then ids.masked_fill twice.",
        ),
        mistakes=HIDE_MISTAKES,
        asks={
            "what the model reads at rate 1": "at rate 1 every word becomes [MASK], by itself and always, and every special "
            "token stays. Which of your places breaks that?",
            "its labels": "at rate 1 the labels are the words, and IGNORE at the special tokens",
            "what it reads at a rate of nearly 0": "nothing is hidden there: whose rate do the tokens of this text get with you?",
            "the labels there": "nothing is hidden there, so nothing is asked for: IGNORE at every place",
            "labels only where hidden": "at some places one result says hidden and the other does not: is there one draw for "
            "each token, and do both results come from it?",
            "texts of one rate have different numbers of gaps": "each token of each text has a draw of its own, so two texts "
            "of one rate are rarely hidden at equally many places. Do texts share their draws, or is the number fixed?",
        },
        notice="at rate 1 nothing of the text is left: from such a text the model will write",
        difficulty=1,
        minutes=8,
        variants=(hide_by_loop,),
    ),
)
