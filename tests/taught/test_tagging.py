"""Labels for tokens: compared with the Transformers library, scikit-learn, nervaluate and brute force."""

import copy
import random

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from nervaluate import Evaluator
from sklearn.metrics import precision_recall_fscore_support

from helpers import checkpoints
from helpers.classification import FineTuning
from helpers.encoder import Bert, BertConfig
from helpers.pretraining import IGNORE
from helpers.tagging import (
    CASES,
    BertForTagging,
    Scores,
    TaggedText,
    bio_tags,
    case_of,
    check_tagged,
    cut_into_windows,
    entities_of,
    entity_scores,
    fine_tune_tagger,
    first_piece_labels,
    in_case,
    most_context,
    places_of_first_pieces,
    predict_tags,
    restore,
    tag_logits,
    tag_scores,
    tagging_loss,
    window_batches,
    windows,
)
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer, word_spans

WORDS = ["anna", "##s", "the", "new", "york", "##er", "reads", "in", "a", "b", ".", ",", "-"]
TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, *WORDS])
CONFIG = BertConfig(
    vocab_size=len(SPECIAL_TOKENS) + len(WORDS), hidden_size=24, num_layers=2, num_heads=3,
    intermediate_size=48, max_positions=40, dropout=0.0, init_std=None,
)  # fmt: skip

PLAN = FineTuning(epochs=1, batch_size=8, max_length=20)


def make_model(tags=3, dropout=0.1):
    torch.manual_seed(3)
    return BertForTagging(Bert(CONFIG), tags, dropout).eval()


def tagged(text, tags=3, seed=0):
    dice = random.Random(seed)
    spans = word_spans(text)
    return TaggedText(text, spans, [dice.randrange(tags) for _ in spans])


def some_examples(count, tags=3):
    dice = random.Random(1)
    words = ["annas", "the", "yorker", "reads", "."]
    texts = [" ".join(dice.choices(words, k=dice.randrange(1, 25))) for _ in range(count)]
    return [tagged(text, tags, row) for row, text in enumerate(texts)]


# The model and its loss


@pytest.mark.parametrize("tags", [2, 5])
def test_logits_loss_and_gradients_are_the_librarys_both_ways(tags):
    model = make_model(tags)
    theirs = checkpoints.to_transformers(model).eval()
    assert type(theirs) is transformers.BertForTokenClassification
    cut = [w for e in some_examples(5, tags) for w in cut_into_windows(e, TOKENIZER, 40)]
    batch, labels = next(window_batches(cut, 5, TOKENIZER))
    output = theirs(input_ids=batch["ids"], token_type_ids=batch["type_ids"],
                    attention_mask=batch["attention_mask"], labels=labels)  # fmt: skip
    loss = tagging_loss(model, batch, labels)
    torch.testing.assert_close(model(**batch), output.logits, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(loss, output.loss, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(
        checkpoints.from_transformers(theirs)(**batch), output.logits, atol=1e-6, rtol=1e-5
    )
    loss.backward()
    output.loss.backward()
    for parameter in theirs.parameters():  # a model whose weights are the gradients, to get our names
        parameter.data = parameter.grad
    gradients = checkpoints.from_transformers(theirs).state_dict()
    for name, parameter in model.named_parameters():
        if name.startswith("bert.pooler."):
            assert parameter.grad is None
        else:
            torch.testing.assert_close(parameter.grad, gradients[name], atol=1e-6, rtol=1e-4, msg=name)


def test_loss_is_the_mean_over_tokens_with_a_label():
    """Not over all tokens, nor the mean of the texts' means."""
    model = make_model()
    batch = TOKENIZER.encode_batch(["annas", "the new york reads ."])
    labels = torch.full(batch["ids"].shape, IGNORE)
    labels[0, 1], labels[1, 1:4] = 2, torch.tensor([0, 1, 2])
    chances = model(**batch).softmax(dim=-1)
    asked = [chances[0, 1, 2], chances[1, 1, 0], chances[1, 2, 1], chances[1, 3, 2]]
    torch.testing.assert_close(tagging_loss(model, batch, labels), -torch.stack(asked).log().mean())
    with pytest.raises(ValueError, match="no token of the batch has a label"):
        tagging_loss(model, batch, torch.full_like(labels, IGNORE))


def test_the_head_leaves_the_encoder_as_it_was():
    torch.manual_seed(0)
    bert = Bert(CONFIG)
    before = copy.deepcopy(bert.state_dict())
    model = BertForTagging(bert, 4, 0.3, labels=CASES)
    assert model.bert is bert and all(torch.equal(v, before[n]) for n, v in bert.state_dict().items())
    assert model.labels == CASES and model.dropout.p == 0.3 and model.classifier.bias.eq(0).all()
    assert BertForTagging(bert, 4).labels is None


def test_names_and_numbers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="at least 2 tags, not 1"):
        BertForTagging(Bert(CONFIG), 1)
    for labels in ((), ["O"], ["O", "O"], "ab"):
        with pytest.raises(ValueError, match="2 tags need as many names, all different"):
            BertForTagging(Bert(CONFIG), 2, labels=labels)


# Words and pieces


def test_labels_by_hand():
    text = "Annas the, new-yorker"
    encoding = TOKENIZER.encode(text)
    assert encoding.tokens == "[CLS] anna ##s the , new - york ##er [SEP]".split()
    spans = [(0, 5), (6, 9), (11, 14), (15, 21)]
    assert places_of_first_pieces(encoding.offsets, spans) == [1, 3, 5, 7]
    assert first_piece_labels(encoding.offsets, spans, [3, 1, 2, 0]) == [
        IGNORE, 3, IGNORE, 1, IGNORE, 2, IGNORE, 0, IGNORE, IGNORE
    ]  # fmt: skip
    whole = [(0, 5), (6, 9), (11, 21)]  # a word may hold marks
    assert places_of_first_pieces(encoding.offsets, whole) == [1, 3, 5]
    assert places_of_first_pieces(encoding.offsets, [(0, 2), (2, 4), (9, 10)]) == [1, None, 4]
    assert places_of_first_pieces(encoding.offsets, []) == []
    assert places_of_first_pieces([], [(0, 1)]) == [None]


@given(st.text("aAbé .,-\u200b\u00a0İ", max_size=30), st.data())
@settings(max_examples=150, deadline=None)
def test_places_are_the_brute_force_ones(text, data):
    spans = word_spans(text)
    spans = [span for span in spans if data.draw(st.booleans())]
    offsets = TOKENIZER.encode(text).offsets
    expected = []
    for begin, end in spans:
        inside = [i for i, (a, b) in enumerate(offsets) if begin <= a < end and a < b]
        expected.append(inside[0] if inside else None)
    assert places_of_first_pieces(offsets, spans) == expected
    labels = first_piece_labels(offsets, spans, list(range(len(spans))))
    assert [labels[p] for p in expected if p is not None] == [
        i for i, p in enumerate(expected) if p is not None
    ]
    assert sum(label != IGNORE for label in labels) == sum(p is not None for p in expected)


@pytest.mark.parametrize(
    ("example", "words"),
    [
        (("a b", [(0, 1)], [0, 1]), "example 1 .* has 1 words, but 2 tags"),
        (("a b", [(0, 1), (2, 4)], [0, 1]), "spans must lie in the text of 3 characters"),
        (("a b", [(2, 3), (0, 1)], [0, 1]), "in order"),
        (("a b", [(0, 2), (1, 3)], [0, 1]), "in order"),
        (("a b", [(0, 1), (2, 3)], [0, 3]), "tags must be 0 to 2, not 3"),
        (("a b", [(0, 1), (2, 3)], [0, -100]), "tags must be 0 to 2, not -100"),
        ((None, [], []), "must be a string"),
    ],
)
def test_what_is_no_tagged_text_is_refused(example, words):
    with pytest.raises(ValueError, match=words):
        check_tagged([TaggedText("a", [(0, 1)], [0]), TaggedText(*example)], 3)


# Windows


@given(st.integers(0, 60), st.integers(1, 12), st.data())
def test_windows_cover_everything_and_overlap_as_asked(count, size, data):
    overlap = data.draw(st.integers(0, size - 1))
    found = windows(count, size, overlap)
    assert {place for begin, end in found for place in range(begin, end)} == set(range(count))
    assert all(end - begin == size for begin, end in found[:-1])
    assert all(0 < end - begin <= size for begin, end in found)
    assert all(later[0] == earlier[1] - overlap for earlier, later in zip(found, found[1:], strict=False))
    assert all(earlier[1] < later[1] for earlier, later in zip(found, found[1:], strict=False)), (
        "none is inside"
    )
    for place in range(count):
        best = most_context(place, found)
        assert found[best][0] <= place < found[best][1]


def test_windows_by_hand():
    assert windows(10, 4, 1) == [(0, 4), (3, 7), (6, 10)]
    assert windows(10, 4) == [(0, 4), (4, 8), (8, 10)] and windows(3, 4) == [(0, 3)] and windows(0, 4) == []
    assert [most_context(place, [(0, 6), (4, 10)]) for place in range(10)] == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    for size, overlap in ((0, 0), (4, 4), (4, -1), (2.5, 0)):
        with pytest.raises(ValueError, match="size|overlap"):
            windows(10, size, overlap)


def test_a_window_that_begins_inside_a_word_has_no_label_for_it():
    example = TaggedText("annas yorker the", [(0, 5), (6, 12), (13, 16)], [1, 2, 0])
    cut = cut_into_windows(example, TOKENIZER, 5)
    assert [window.encoding.tokens for window in cut] == [
        ["[CLS]", "anna", "##s", "york", "[SEP]"], ["[CLS]", "##er", "the", "[SEP]"]
    ]  # fmt: skip
    assert [window.labels for window in cut] == [[IGNORE, 1, IGNORE, 2, IGNORE], [IGNORE, IGNORE, 0, IGNORE]]
    assert cut[1].encoding.offsets == [(0, 0), (10, 12), (13, 16), (0, 0)]


def test_batches_hold_every_label_once():
    examples = some_examples(23)
    cut = [window for example in examples for window in cut_into_windows(example, TOKENIZER, 12)]
    counts = [0, 0, 0]
    for batch, labels in window_batches(cut, 4, TOKENIZER):
        assert batch["ids"].shape == labels.shape and len(labels) <= 4
        assert (labels[batch["attention_mask"] == 0] == IGNORE).all()
        for tag in range(3):
            counts[tag] += (labels == tag).sum().item()
    assert counts == [sum(e.tags.count(tag) for e in examples) for tag in range(3)]


# Prediction


def test_answers_are_those_of_each_text_alone():
    model = make_model(3, 0.5).train()
    examples = [*some_examples(40), tagged("annas reads " * 30), TaggedText("", [], []), tagged("yorker")]
    together = tag_logits(model, examples, TOKENIZER, 20, 6)
    assert model.training and [len(rows) for rows in together] == [len(e.spans) for e in examples]
    for example, rows in zip(examples, together, strict=True):
        (alone,) = tag_logits(model, [example[:2]], TOKENIZER, 20, 6)
        torch.testing.assert_close(rows, alone, atol=1e-5, rtol=0)
    assert predict_tags(model, examples, TOKENIZER, 20, 6) == [
        rows.argmax(dim=-1).tolist() for rows in together
    ]


def test_a_long_text_is_answered_where_there_is_most_context():
    model, example = make_model(), tagged("annas the yorker reads in a new york . " * 4)
    (rows,) = tag_logits(model, [example], TOKENIZER, 12, 4)
    encoding = TOKENIZER.encode(example.text)
    spans = windows(len(encoding.ids) - 2, 10, 4)
    for word, place in enumerate(places_of_first_pieces(encoding.offsets, example.spans)):
        begin, end = spans[most_context(place - 1, spans)]
        ids = [encoding.ids[0], *encoding.ids[1 + begin : 1 + end], encoding.ids[-1]]
        with torch.no_grad():
            expected = model(torch.tensor([ids]))[0, place - begin]
        torch.testing.assert_close(rows[word], expected, atol=1e-5, rtol=0)


def test_a_word_without_a_piece_gets_zeros():
    (rows,) = tag_logits(make_model(), [("a \u200b b", [(0, 1), (2, 3), (4, 5)])], TOKENIZER)
    assert rows[1].eq(0).all() and rows[0].any() and rows[2].any()


def test_another_models_tokenizer_is_refused():
    other = WordPieceTokenizer([*SPECIAL_TOKENS, "a"])
    for use in (tag_logits, fine_tune_tagger):
        with pytest.raises(ValueError, match="load both from one checkpoint"):
            use(make_model(), some_examples(2), other, *([PLAN] if use is fine_tune_tagger else []))


# Training


def test_a_tagger_learns_what_depends_on_the_neighbor():
    """A word's tag is whether "the" stands before it: a table of words can do no better than F1 = 1/3."""
    examples = []
    for example in some_examples(150):
        words = [example.text[a:b] for a, b in example.spans]
        examples.append(example._replace(tags=[int(w == "the") for w in ["", *words[:-1]]]))
    model, seen = make_model(2), []
    plan = FineTuning(epochs=12, batch_size=16, learning_rate=4e-3, max_length=20)
    losses = fine_tune_tagger(
        model, examples[:100], TOKENIZER, plan, lambda step, loss: seen.append((step, loss))
    )
    assert seen == list(enumerate(losses, 1)) and losses[-1] < 0.2 < losses[0] and not model.training
    truth = [tag for example in examples[100:] for tag in example.tags]
    found = [tag for tags in predict_tags(model, examples[100:], TOKENIZER, 20, 6) for tag in tags]
    assert tag_scores(truth, found, (1,)).f1 > 0.7


def test_the_seed_decides_everything():
    plan, examples = FineTuning(epochs=2, batch_size=8, max_length=20, seed=3), some_examples(20)
    first, second = (fine_tune_tagger(make_model(), examples, TOKENIZER, plan) for _ in range(2))
    assert first == second
    other = FineTuning(epochs=2, batch_size=8, max_length=20, seed=4)
    assert first != fine_tune_tagger(make_model(), examples, TOKENIZER, other)


def test_nothing_to_learn_from_is_refused():
    for examples in ([], [TaggedText("a b", [], [])]):
        with pytest.raises(ValueError, match="nothing to learn from"):
            fine_tune_tagger(make_model(), examples, TOKENIZER, PLAN)


# Capitals


@pytest.mark.parametrize(
    ("word", "case"),
    [("the", "lower"), ("The", "Capital"), ("A", "Capital"), ("a", "lower"), ("NASA", "UPPER"),
     ("iPhone", "miXed"), ("McDonald", "miXed"), ("1960s", "lower"), ("3D", "Capital"), ("", "lower"),
     ("É", "Capital"), ("ÉTÉ", "UPPER"), ("42", "lower"), ("DNAs", "miXed")],
)  # fmt: skip
def test_case_of(word, case):
    assert case_of(word) == case


@given(st.text(st.characters(codec="utf-8", categories=["L", "N"]), max_size=8))
def test_a_case_leads_back_to_the_word(word):
    lower, case = word.lower(), case_of(word)
    if (
        lower.upper() == word.upper()
        and len(lower) == len(word)
        and case != "miXed"
        and word.title() != word.upper()
    ):
        simple = all(c.lower().upper() == c.upper() and len(c.upper()) == 1 for c in word)
        assert not simple or in_case(lower, case) == word
    assert in_case(lower, "miXed", {lower: word}) == word


def test_restore():
    text = "anna reads the-new york, in a b"
    spans = word_spans(text)
    spans = [span for span in spans if text[span[0]] not in "-,"]
    cases = ["Capital", "lower", "lower", "miXed", "UPPER", "lower", "lower", "lower"]
    stops = ["", ",", ",", "", ".", "", "", "."]
    assert restore(text, spans, cases) == "Anna reads the-New YORK, in a b"
    assert restore(text, spans, cases, stops, {"new": "nEw"}) == "Anna reads, the-nEw YORK, in a b."
    assert restore("", [], []) == "" and restore("  x ", [], []) == "  x "
    with pytest.raises(ValueError, match="shorter|longer"):
        restore(text, spans, cases[:-1])


# Scores


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40), st.data())
def test_tag_scores_are_scikit_learns(pairs, data):
    truth, predicted = map(list, zip(*pairs, strict=True))
    tags = sorted(data.draw(st.sets(st.integers(0, 3), min_size=1)))
    *theirs, _ = precision_recall_fscore_support(
        truth, predicted, labels=tags, average="micro", zero_division=0
    )
    assert tag_scores(truth, predicted, tags) == pytest.approx(tuple(theirs))


def test_scores_by_hand():
    assert tag_scores([1, 1, 2, 0, 0], [1, 0, 2, 2, 0], (1, 2)) == pytest.approx(Scores(2 / 3, 2 / 3, 2 / 3))
    assert tag_scores([0, 0], [0, 0], (1,)) == Scores(0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="shorter|longer"):
        tag_scores([0], [0, 0], (0,))


def test_bio_by_hand():
    entities = [("who", 0, 1), ("place", 1, 3), ("place", 3, 4)]
    tags = ["B-who", "B-place", "I-place", "B-place", "O"]
    assert bio_tags(5, entities) == tags and entities_of(tags) == entities
    assert entities_of(["I-a", "I-a", "I-b", "O", "I-b"]) == [("a", 0, 2), ("b", 2, 3), ("b", 4, 5)]
    for bad in ([("a", 0, 6)], [("a", 2, 2)], [("a", 0, 2), ("b", 1, 3)], [("a", -1, 2)]):
        with pytest.raises(ValueError, match="overlaps another entity or"):
            bio_tags(5, bad)


TAGS = st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b"])


@given(st.lists(st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=9), min_size=1, max_size=4))
@settings(deadline=None)
def test_entity_scores_are_nervaluates(texts):
    truth = [[true for true, _ in text] for text in texts]
    predicted = [[guessed for _, guessed in text] for text in texts]
    strict = Evaluator(truth, predicted, tags=["a", "b"], loader="list").evaluate()["overall"]["strict"]
    ours = entity_scores(truth, predicted)
    there = sum(len(entities_of(tags)) for tags in truth)
    found = sum(len(entities_of(tags)) for tags in predicted)
    assert ours == pytest.approx(Scores.of(strict.correct, found, there))
    assert strict.possible == there and strict.actual == found


@given(st.integers(1, 12), st.data())
def test_bio_leads_there_and_back(count, data):
    edges = sorted(data.draw(st.sets(st.integers(0, count))))
    kinds = st.sampled_from(["who", "a-b", "place"])
    entities = [
        (data.draw(kinds), a, b) for a, b in zip(edges, edges[1:], strict=False) if data.draw(st.booleans())
    ]
    assert entities_of(bio_tags(count, entities)) == entities
