"""The reader compared with the Transformers library, torchmetrics, brute force and cases worked by hand."""

import itertools
import math
import random
from dataclasses import replace

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.text import SQuAD

from helpers import checkpoints, reading
from helpers.encoder import Bert, BertConfig
from helpers.reading import (
    BertForQuestionAnswering,
    Reading,
    ReadingExample,
    SpanAnswer,
    SpanLogits,
    answer_texts,
    answer_windows,
    best_span,
    check_reading,
    choose_answer,
    choose_threshold,
    context_places,
    encode_windows,
    exact_match,
    f1_score,
    normalize_answer,
    read_answers,
    score_answers,
    span_loss,
    span_to_tokens,
    train_reader,
    window_starts,
)
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

WORDS = ["who", "where", "sings", "sleeps", "anna", "ben", "leo", "in", "at", "home", "school", "the", "a"]
WORDS += [".", "?", ",", "em", "##bed", "##s", "(", ")"]
CONFIG = BertConfig(
    vocab_size=len(SPECIAL_TOKENS) + len(WORDS), hidden_size=24, num_layers=2, num_heads=3,
    intermediate_size=48, max_positions=40, init_std=None,
)  # fmt: skip
PLAN = Reading(epochs=30, batch_size=8, learning_rate=5e-3, max_length=24, overlap=6, max_answer=4)


@pytest.fixture
def tokenizer():
    return WordPieceTokenizer([*SPECIAL_TOKENS, *WORDS])


def make_reader(seed=0):
    torch.manual_seed(seed)
    return BertForQuestionAnswering(Bert(CONFIG)).eval()


def make_batch(seed=3):
    torch.manual_seed(seed)
    ids = torch.randint(5, CONFIG.vocab_size, (3, 11))
    types, mask = torch.zeros_like(ids), torch.ones_like(ids)
    types[:, 4:], mask[1, 8:] = 1, 0
    return {"ids": ids, "type_ids": types, "attention_mask": mask}


# The model


@pytest.mark.parametrize("direction", ["to", "from"])
def test_equals_the_library_forward_loss_and_gradients(direction):
    ours = make_reader()
    theirs = checkpoints.to_transformers(ours)
    assert type(theirs) is transformers.BertForQuestionAnswering
    if direction == "from":
        theirs = transformers.BertForQuestionAnswering(theirs.config).eval()
        ours = checkpoints.from_transformers(theirs)
        assert type(ours) is BertForQuestionAnswering
        assert not ours.bert.pooler.weight.any()  # they have none
    batch, starts, ends = make_batch(), torch.tensor([4, 0, 10]), torch.tensor([7, 0, 10])
    answer = theirs(
        input_ids=batch["ids"], token_type_ids=batch["type_ids"], attention_mask=batch["attention_mask"],
        start_positions=starts, end_positions=ends,
    )  # fmt: skip
    logits = ours(**batch)
    assert (logits.start - answer.start_logits).abs().max() < 1e-5
    assert (logits.end - answer.end_logits).abs().max() < 1e-5
    loss = span_loss(logits, starts, ends)
    assert abs(loss.item() - answer.loss.item()) < 1e-5
    loss.backward()
    answer.loss.backward()
    gradients = dict(theirs.named_parameters())
    compared = 0
    for name, weight in ours.named_parameters():
        if "pooler" in name:
            assert weight.grad is None
        else:
            other = gradients[checkpoints.their_name(name)].grad
            assert (weight.grad - other).abs().max() < 1e-5, name
            compared += 1
    assert compared == len(gradients)


def test_a_saved_reader_opens_in_the_library_and_here(tmp_path, tokenizer):
    ours, batch = make_reader(), make_batch()
    checkpoints.save(ours, tokenizer, tmp_path / "reader")
    again, _ = checkpoints.load(tmp_path / "reader")
    assert all(torch.equal(a, b) for a, b in zip(ours(**batch), again(**batch), strict=True))
    theirs = transformers.AutoModelForQuestionAnswering.from_pretrained(tmp_path / "reader").eval()
    answer = theirs(batch["ids"], batch["attention_mask"], batch["type_ids"])
    assert (ours(**batch).end - answer.end_logits).abs().max() < 1e-5
    theirs.save_pretrained(tmp_path / "theirs")  # has no pooler
    tokenizer.save(tmp_path / "theirs" / "vocab.txt")
    third, _ = checkpoints.load(tmp_path / "theirs")
    assert torch.equal(third(**batch).start, ours(**batch).start)


def test_loss_of_a_reader_that_knows_nothing_is_the_logarithm_of_the_tokens():
    logits = SpanLogits(torch.zeros(2, 8), torch.zeros(2, 8))
    assert math.isclose(
        span_loss(logits, torch.tensor([3, 0]), torch.tensor([5, 7])), math.log(8), rel_tol=1e-6
    )


def test_loss_worked_by_hand():
    """Softmax of (ln 2, 0, 0) is (1/2, 1/4, 1/4): the loss of start 0 is ln 2, of end 2 it is ln 4."""
    row = torch.tensor([[math.log(2), 0.0, 0.0]])
    loss = span_loss(SpanLogits(row, row), torch.tensor([0]), torch.tensor([2]))
    assert math.isclose(loss, (math.log(2) + math.log(4)) / 2, rel_tol=1e-6)


@pytest.mark.parametrize("place", [-1, 11])
def test_loss_refuses_places_outside(place):
    with pytest.raises(ValueError, match="places of tokens go from 0 to 10"):
        span_loss(make_reader()(**make_batch()), torch.tensor([1, 1, place]), torch.tensor([1, 1, 1]))


# Windows


@given(st.integers(0, 60), st.integers(1, 20), st.integers(0, 19))
def test_windows_cover_everything_and_every_short_span_whole(count, room, overlap):
    if room <= overlap:
        with pytest.raises(ValueError, match="make max_length larger, or overlap smaller"):
            window_starts(count, room, overlap)
        return
    starts = window_starts(count, room, overlap)
    pieces = [range(start, min(start + room, count)) for start in starts]
    assert set(itertools.chain(*pieces)) == set(range(count))
    assert all(a + room - b == overlap for a, b in itertools.pairwise(starts))
    assert len(starts) == 1 or pieces[-2].stop < count  # no window too many
    for length in range(1, overlap + 2):
        for begin in range(count - length + 1):
            assert any(piece.start <= begin and begin + length <= piece.stop for piece in pieces)


def test_windows_are_those_of_the_library(tmp_path):
    """The fast tokenizer's `stride` is our overlap: the same ids, segments and offsets."""
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *WORDS])
    tokenizer.save(tmp_path / "vocab.txt")
    theirs = transformers.BertTokenizerFast(str(tmp_path / "vocab.txt"))
    question, context = (
        "Who sings?",
        "Anna sings at home. Ben sleeps in the school, Leo embeds (a home) . " * 3,
    )
    ours = encode_windows(question, context, tokenizer, Reading(max_length=17, overlap=5))
    found = theirs(
        question, context, max_length=17, stride=5, truncation="only_second", return_offsets_mapping=True,
        return_overflowing_tokens=True,
    )  # fmt: skip
    assert [window.ids for window in ours] == found["input_ids"]
    assert [window.type_ids for window in ours] == found["token_type_ids"]
    assert [[tuple(o) for o in row] for row in found["offset_mapping"]] == [window.offsets for window in ours]
    assert len(ours) > 4


def test_a_long_question_is_cut_and_an_empty_context_is_a_window(tokenizer):
    plan = Reading(max_length=12, overlap=2, max_question=3)
    (window,) = encode_windows("who sings in the home ?", "", tokenizer, plan)
    assert (
        window.tokens == ["[CLS]", "who", "sings", "in", "[SEP]", "[SEP]"]
        and len(context_places(window)) == 0
    )
    assert span_to_tokens(window, (0, 4)) == (0, 0)


TEXTS = st.lists(st.sampled_from(["anna", "Ben", " ", ".", "embeds", "(home)", "  ", "x", "é"]), max_size=14)


@given(TEXTS, st.data())
def test_tokens_of_a_span_by_brute_force(words, data):
    """A token belongs to a span if they share a character; the span is whole if all such tokens are there."""
    tokenizer, context = WordPieceTokenizer([*SPECIAL_TOKENS, *WORDS]), " ".join(words)
    everything = tokenizer.pieces(context)
    if not everything:
        return
    begin = data.draw(st.sampled_from([start for _, start, _ in everything]))
    end = data.draw(st.sampled_from([stop for _, _, stop in everything if stop > begin]))
    wanted = [piece for piece in everything if set(range(*piece[1:])) & set(range(begin, end))]
    for window in encode_windows("who?", context, tokenizer, Reading(max_length=11, overlap=2)):
        places = context_places(window)
        shown = [(window.tokens[place], *window.offsets[place]) for place in places]
        first, last = span_to_tokens(window, (begin, end))
        if all(piece in shown for piece in wanted):
            assert shown[first - places[0] : last - places[0] + 1] == wanted
        else:
            assert (first, last) == (0, 0)


def test_labels_of_windows(tokenizer):
    context = "Anna sings at home. Ben sleeps in the school. Anna sleeps."
    spans = ((0, 4), (46, 50))
    assert [context[a:b] for a, b in spans] == ["Anna", "Anna"]
    plan = Reading(max_length=11, overlap=2)
    windows, labels = answer_windows([ReadingExample("who?", context, spans)], tokenizer, plan)
    marked = [window.tokens[first : last + 1] for window, (first, last) in zip(windows, labels, strict=True)]
    assert marked == [["anna"], ["[CLS]"], ["anna"]]


# The best span


def brute_best(start, end, allowed, longest):
    spans = [(start[i] + end[j], i, j) for i in allowed for j in allowed if i <= j < i + longest]
    return max(spans, key=lambda span: span[0], default=(-math.inf, 0, 0))


@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(0, 12), st.integers(0, 12))
def test_best_span_by_brute_force(seed, longest, first, stop):
    torch.manual_seed(seed)
    start, end = torch.randn(2, 12)
    allowed = range(first, stop)
    score, i, j = best_span(start, end, allowed, longest)
    wanted = brute_best(start.tolist(), end.tolist(), allowed, longest)
    assert (i, j) == wanted[1:] and (score == wanted[0] or abs(score - wanted[0]) < 1e-5)


def test_the_best_answer_over_windows_worked_by_hand(tokenizer):
    """Two windows share `home`; the second is surer of it; [CLS] of the second is the less sure one."""
    context = "Anna sings at home in the school."
    windows = encode_windows("who?", context, tokenizer, Reading(max_length=9, overlap=1))
    assert [w.tokens[4:-1] for w in windows] == [
        ["anna", "sings", "at", "home"], ["home", "in", "the", "school"], ["school", "."]
    ]  # fmt: skip
    logits = [SpanLogits(torch.zeros(len(w.ids)), torch.zeros(len(w.ids))) for w in windows]
    logits[0].start[0], logits[1].start[0], logits[2].start[0] = 4.0, 1.5, 3.0  # "no answer"
    logits[0].start[7], logits[0].end[7] = 1.0, 1.0
    logits[1].start[4], logits[1].end[4] = 2.0, 3.0
    logits[1].end[3] = 9.0  # the [SEP] after the question is no place for an answer
    assert choose_answer(context, windows, logits) == SpanAnswer("home", (14, 18), 5.0 - 1.5)
    logits[2].start[4], logits[2].end[5] = 3.0, 2.5
    assert choose_answer(context, windows, logits) == SpanAnswer("school.", (26, 33), 5.5 - 1.5)
    assert choose_answer(context, windows, logits, max_tokens=1)[0] == "home"


def test_a_context_without_tokens_has_no_answer(tokenizer):
    (answer,) = read_answers(make_reader(), [ReadingExample("who?", " ")], tokenizer)
    assert answer.text == "" and answer.margin == -math.inf and answer_texts([answer]) == [""]


def test_read_does_not_depend_on_the_batch_and_leaves_the_model_as_it_was(tokenizer):
    model = make_reader().train()
    model.bert.layers[1].eval()
    modes = [part.training for part in model.modules()]
    examples = [ReadingExample("who sings?", "Anna sings. " * count) for count in (1, 9, 4)]
    plan = Reading(max_length=20, overlap=5)
    together = read_answers(model, examples, tokenizer, plan)
    alone = [read_answers(model, [example], tokenizer, plan)[0] for example in examples]
    assert [a[:2] for a in together] == [a[:2] for a in alone]
    assert all(abs(a.margin - b.margin) < 1e-4 for a, b in zip(together, alone, strict=True))
    assert modes == [part.training for part in model.modules()]
    for answer, example in zip(together, examples, strict=True):
        assert answer.text == example.context[slice(*answer.span)] != ""


# Scores


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The  Eiffel Tower!", "eiffel tower"),
        ("a man, an art, the end", "man art end"),
        ("U.S.A.", "usa"),
        ("theater", "theater"),
        ("3.5%", "35"),
        ("The", ""),
        ("«café»", "«café»"),
        ("to-day", "today"),
    ],
)
def test_normalized_by_hand(text, normal):
    assert normalize_answer(text) == normal


@pytest.mark.parametrize(
    ("answer", "truths", "exact", "f1"),
    [
        ("The red house", ["red house"], 1.0, 1.0),
        ("red house", ["the house"], 0.0, 2 / 3),  # shared 1; 2 * 1 / (2 + 1)
        ("in the old red house", ["red house", "a hut"], 0.0, 4 / 6),  # shared 2; 2 * 2 / (4 + 2)
        ("very very good", ["very good very bad"], 0.0, 6 / 7),  # shared 3 of 3 and 4
        ("no", ["no no no no"], 0.0, 2 / 5),
        ("", [""], 1.0, 1.0),
        ("the", [""], 1.0, 1.0),
        ("home", [""], 0.0, 0.0),
        ("", ["home"], 0.0, 0.0),
        ("green", ["red"], 0.0, 0.0),
    ],
)
def test_scores_by_hand(answer, truths, exact, f1):
    assert exact_match(answer, truths) == exact
    assert math.isclose(f1_score(answer, truths), f1)


PHRASES = st.lists(
    st.sampled_from(["the", "a", "red", "Red,", "house", "U.S.", "an", "--", "old"]), max_size=5
)


@settings(deadline=None)
@given(PHRASES, st.lists(PHRASES, min_size=1, max_size=3))
def test_scores_are_those_of_torchmetrics(words, others):
    answer, truths = " ".join(words), [" ".join(other) for other in others]
    theirs = SQuAD()
    theirs.update(
        [{"prediction_text": answer, "id": "1"}],
        [{"answers": {"text": truths, "answer_start": [0] * len(truths)}, "id": "1"}],
    )
    found = {name: value.item() / 100 for name, value in theirs.compute().items()}
    assert abs(found["exact_match"] - exact_match(answer, truths)) < 1e-6
    assert abs(found["f1"] - f1_score(answer, truths)) < 1e-6


def test_means_and_every_question():
    examples = [ReadingExample("who?", "Anna sings", [(0, 4)]), ReadingExample("who?", "Ben"),
                ReadingExample("what?", "a red house", [(2, 11), (6, 11)])]  # fmt: skip
    scores = score_answers(["Anna sings", "", "house"], examples)
    assert scores.each_exact == [0.0, 1.0, 1.0] and scores.each_f1 == [2 / 3, 1.0, 1.0]
    assert math.isclose(scores.exact, 2 / 3) and math.isclose(scores.f1, 8 / 9)
    with pytest.raises(ValueError, match="2 texts for 3 questions"):
        score_answers(["", ""], examples)


@given(st.integers(0, 10**6), st.integers(1, 12))
def test_threshold_by_brute_force(seed, count):
    dice = random.Random(seed)
    examples, answers = [], []
    for _ in range(count):
        spans = [(0, 4)] if dice.random() < 0.6 else []
        examples.append(ReadingExample("who?", "Anna Ben", spans))
        text = dice.choice(["Anna", "Ben"])
        answers.append(SpanAnswer(text, (0, 4), dice.choice([-2.0, -0.5, 0.1, 0.7, 1.5, dice.gauss(0, 1)])))
    chosen = choose_threshold(answers, examples)
    margins = sorted({answer.margin for answer in answers})
    tried = [-math.inf, *margins]
    best = max(score_answers(answer_texts(answers, limit), examples).exact for limit in tried)
    assert math.isclose(score_answers(answer_texts(answers, chosen), examples).exact, best)


# Training


def small_examples(count, seed=0):
    """Who is the first name in the context, where is the word after "at"."""
    dice = random.Random(seed)
    found = []
    for _ in range(count):
        who, where = dice.choice(["Anna", "Ben", "Leo"]), dice.choice(["home", "school"])
        context = f"{who} {dice.choice(['sings', 'sleeps', 'embeds'])} at {where}."
        question, wanted = dice.choice([("Who?", who), ("Where?", where)])
        begin = context.index(wanted)
        found.append(ReadingExample(question, context, [(begin, begin + len(wanted))]))
    return found


def test_a_reader_learns_and_repeats_bit_for_bit(tokenizer):
    train, test = small_examples(60), small_examples(40, seed=1)
    losses = []
    for _ in range(2):
        model = make_reader()
        losses.append(train_reader(model, train, tokenizer, PLAN))
        assert not model.training
    assert losses[0] == losses[1] and len(losses[0]) == 30 * math.ceil(60 / 8)
    assert sum(losses[0][-5:]) < sum(losses[0][:5]) / 4
    scores = score_answers([answer.text for answer in read_answers(model, test, tokenizer, PLAN)], test)
    assert scores.exact > 0.9


def test_the_new_layer_has_a_rate_of_its_own():
    model = make_reader()
    plan = replace(PLAN, learning_rate=2e-4, head_rate=30.0, warm_up=0.5)
    optimizer, schedule = plan.optimizer(model, 4)
    rates = []
    for _ in range(4):
        found = {id(weight): group["lr"] for group in optimizer.param_groups for weight in group["params"]}
        rates.append(
            (found[id(model.span.weight)], found[id(model.span.bias)], found[id(model.bert.pooler.bias)])
        )
        encoder = found[id(model.bert.layers[0].attention.query.weight)]
        assert math.isclose(rates[-1][0], 30 * encoder) and rates[-1][0] == rates[-1][1]
        optimizer.step()
        schedule.step()
    assert max(rate for rate, *_ in rates) > 20 * 2e-4 and len({rate for rate, *_ in rates}) > 1


def test_windows_without_an_answer_can_be_left_out(tokenizer):
    context = "Anna sings at home. Ben sleeps in the school. Anna sleeps."
    plan = Reading(max_length=11, overlap=2, keep_empty=False)
    windows, labels = answer_windows([ReadingExample("who?", context, ((0, 4),))], tokenizer, plan)
    assert labels == [(4, 4)] and len(windows) == 1
    with pytest.raises(ValueError, match="no window holds an answer"):
        answer_windows([ReadingExample("who?", context)], tokenizer, plan)


def test_on_step_is_told_every_loss(tokenizer):
    seen = []
    losses = train_reader(
        make_reader(), small_examples(9), tokenizer, replace(PLAN, epochs=1, batch_size=4),
        lambda step, loss: seen.append((step, loss)),
    )  # fmt: skip
    assert seen == list(enumerate(losses, 1)) and len(seen) == 3


@pytest.mark.parametrize(
    ("examples", "words"),
    [
        ([], "there are no questions"),
        ([ReadingExample("who?", "Anna", [(0, 9)])], r"the answer \(0, 9\) in row 0 .* 4 characters"),
        ([ReadingExample("who?", "Anna"), ReadingExample("who?", "Anna", [(2, 2)])], "in row 1"),
        ([ReadingExample("who?", None)], "the context in row 0"),
        ([ReadingExample(7, "Anna")], "the question in row 0"),
    ],
)
def test_bad_examples_are_refused(examples, words):
    with pytest.raises(ValueError, match=words):
        check_reading(examples)


@pytest.mark.parametrize("change", [{"overlap": -1}, {"max_answer": 0}, {"max_question": 0}, {"patience": 2}])
def test_bad_plans_are_refused(change):
    with pytest.raises(ValueError):
        Reading(**change)


def test_a_foreign_tokenizer_is_refused(tokenizer):
    other = WordPieceTokenizer([*SPECIAL_TOKENS, "who"])
    for run in (train_reader, read_answers):
        with pytest.raises(ValueError, match="tokenizer with 6 entries"):
            run(make_reader(), small_examples(2), other, PLAN)


def test_all_that_is_taught_has_a_docstring():
    assert all(getattr(reading, name).__doc__ for name in reading.__all__)
