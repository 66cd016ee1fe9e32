"""What taught functions are given: any sequence by position, any precision, any mode, or a clear refusal."""

import copy
import pickle
import re
import time
from collections import Counter
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.classification import (
    BertForClassification,
    Evaluation,
    Examples,
    FineTuning,
    check_and_encode,
    check_examples,
    classification_loss,
    encode_texts,
    evaluate,
    fine_tune,
    freeze_lower_layers,
    labelled_batches,
    length_buckets,
    predict,
    rater_agreement,
)
from helpers.encoder import Bert, BertConfig
from helpers.pretraining import (
    IGNORE,
    BertForPreTraining,
    fill_mask,
    linear_warm_up_and_decay,
    make_optimizer,
    make_sentence_pairs,
    mask_tokens,
    mask_whole_words,
    mean_losses,
    pairs_to_batch,
    places_to_mask,
    pretrain,
    pretraining_batches,
    pretraining_loss,
    split_into_segments,
)
from helpers.wordpiece import (
    SPECIAL_TOKENS,
    WordPieceTokenizer,
    check_number,
    check_texts,
    count_words,
    normalize,
    pre_tokenize,
    read_in_order,
    split_into_characters,
    train_wordpiece,
)
from scripts.dev import sync_cells

WORDS = ["good", "bad", "film", "a", "plot", "##s"]
VOCABULARY = [*SPECIAL_TOKENS, *WORDS]
TEXTS = ["a good film", "bad", "a plot", "good films", "a bad bad plot"]


def shuffled(values):
    """A column whose row numbers are not its positions, as `frame.sample(frac=1)` gives it."""
    return pd.Series(list(values), index=list(range(len(values)))[::-1])


def part_of_a_table(values):
    """A column of a slice: its row numbers don't begin at 0."""
    return pd.DataFrame({"values": [values[0], *values]})["values"][1:]


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "array": np.array,
    "array of objects": lambda values: np.array(values, dtype=object),
    "shuffled column": shuffled,
    "column of a slice": part_of_a_table,
    "index": pd.Index,
    "generator": lambda values: (value for value in values),
    "dictionary's values": lambda values: dict(enumerate(values)).values(),
}
NO_SEQUENCES = {
    "one string": "a good film",
    "bytes": b"a good film",
    "a set": {"a good film", "bad"},
    "a frozen set": frozenset(["a good film"]),
    "a dictionary": {"a good film": 1},
    "a table": pd.DataFrame({"text": TEXTS}),
    "a number": 3,
    "nothing": None,
    "an array of one string": np.array("a good film"),
}
NO_TEXTS = {
    "None": None, "nan": float("nan"), "numpy's nan": np.float64("nan"), "pandas' NA": pd.NA, "int": 3,
    "bytes": b"good", "list": ["good"], "tuple": ("good", "bad"), "no time": pd.NaT,
}  # fmt: skip


@pytest.fixture
def tokenizer():
    return WordPieceTokenizer(VOCABULARY)


def same_batch(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


# Texts


@pytest.mark.parametrize("kind", CONTAINERS)
def test_any_sequence_of_texts_is_read_by_position(tokenizer, kind):
    put = CONTAINERS[kind]
    assert list(check_texts(put(TEXTS))) == TEXTS
    assert same_batch(tokenizer.encode_batch(put(TEXTS)), tokenizer.encode_batch(TEXTS))
    assert same_batch(
        tokenizer.encode_batch(put(TEXTS), put(TEXTS[::-1])), tokenizer.encode_batch(TEXTS, TEXTS[::-1])
    )
    assert count_words(put(TEXTS)) == count_words(TEXTS)
    assert train_wordpiece(put(TEXTS), 40) == train_wordpiece(TEXTS, 40)
    assert WordPieceTokenizer(put(VOCABULARY)).id_of == tokenizer.id_of


@pytest.mark.parametrize("kind", NO_SEQUENCES)
def test_what_is_no_sequence_of_texts_is_refused(tokenizer, kind):
    wrong = NO_SEQUENCES[kind]
    string = kind in ("one string", "bytes", "an array of one string")
    words = "must be a list, not one string" if string else "must be a list or another sequence in order"
    for take in (tokenizer.encode_batch, count_words, check_texts, WordPieceTokenizer):
        with pytest.raises(ValueError, match=words):
            take(wrong)
    with pytest.raises(ValueError, match=words):
        train_wordpiece(wrong, 100)
    if wrong is not None:  # which means "no second texts"
        with pytest.raises(ValueError, match=f"the second texts {words}"):
            tokenizer.encode_batch(["a good film"], wrong)


@pytest.mark.parametrize("kind", NO_TEXTS)
def test_a_row_that_is_no_text_is_named(tokenizer, kind):
    wrong = NO_TEXTS[kind]
    message = re.escape("the text in row 1 (from 0) must be a string, not ")
    for take in (tokenizer.encode_batch, count_words, lambda texts: train_wordpiece(texts, 100)):
        with pytest.raises(ValueError, match=message):
            take(["a good film", wrong, "bad"])
    with pytest.raises(ValueError, match=r"the word piece in row 5 \(from 0\) must be a string"):
        WordPieceTokenizer([*SPECIAL_TOKENS, wrong])
    if wrong is not None:
        with pytest.raises(ValueError, match=r"the second text in row 1 .* must be a string"):
            tokenizer.encode_batch(["a", "a"], ["bad", wrong])
    for take in (tokenizer.encode, tokenizer.tokenize, normalize, pre_tokenize):
        with pytest.raises(ValueError, match="the text must be a string"):
            take(wrong)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(st.text(st.sampled_from("agodbfilm s"), max_size=12), min_size=1, max_size=8), st.data())
def test_the_order_of_rows_is_that_of_the_column(texts, data):
    numbers = data.draw(st.permutations(range(len(texts))))
    column = pd.Series(texts, index=numbers, dtype=object)
    assert list(read_in_order(column, "the texts")) == texts
    assert same_batch(
        WordPieceTokenizer(VOCABULARY).encode_batch(column),
        WordPieceTokenizer(VOCABULARY).encode_batch(texts),
    )


@pytest.mark.parametrize("put", [list, np.array, torch.tensor, shuffled])
def test_ids_of_any_kind_are_decoded(tokenizer, put):
    assert tokenizer.decode(put([2, 5, 7, 3])) == "[CLS] good film [SEP]"


@pytest.mark.parametrize("wrong", [[5.0], ["good"], [None], torch.tensor([[5]]), np.array([1.5])])
def test_what_is_no_id_is_not_decoded(tokenizer, wrong):
    with pytest.raises(ValueError, match="is not in the vocabulary"):
        tokenizer.decode(wrong)


# The vocabulary


def test_a_double_entry_and_a_missing_one_are_named():
    with pytest.raises(ValueError, match="'bad' is there twice"):
        WordPieceTokenizer([*VOCABULARY, "bad"])
    with pytest.raises(ValueError, match=re.escape("[CLS], [MASK] is missing")):
        WordPieceTokenizer(["[PAD]", "[UNK]", "[SEP]", "good"])


@pytest.mark.parametrize("entry", ["a\nb", "a\rb", "\n", "\ud800", "##\udfff"])
def test_an_entry_that_no_file_could_hold_is_refused(entry):
    with pytest.raises(ValueError, match=re.escape(f"{entry!r} can't be an entry")):
        WordPieceTokenizer([*VOCABULARY, entry])


def test_options_are_checked_when_the_tokenizer_is_made(tmp_path):
    with pytest.raises(TypeError, match="unexpected keyword argument 'do_lower_case'"):
        WordPieceTokenizer(VOCABULARY, do_lower_case=False)
    for options in (
        {"lowercase": "False"},
        {"split_chinese": None},
        {"strip_accents": "no"},
        {"lowercase": 2},
    ):
        for take in (WordPieceTokenizer, train):
            with pytest.raises(
                ValueError, match="lowercase, strip_accents and split_chinese must be True or"
            ):
                take(VOCABULARY, **options)
    assert WordPieceTokenizer(VOCABULARY, lowercase=np.bool_(False)).tokenize("A a") == ["[UNK]", "a"]


def train(corpus, **options):
    return train_wordpiece(corpus, 100, **options)


@pytest.mark.parametrize("options", [{}, {"lowercase": False, "strip_accents": True}])
def test_a_tokenizer_goes_to_worker_processes(options):
    tokenizer = WordPieceTokenizer(VOCABULARY, **options)
    text = "A good Film\u0301s"
    for pieces in (tokenizer.pieces(text), tokenizer.pieces(text)):  # also once it remembers some
        other = pickle.loads(pickle.dumps(tokenizer))
        assert other.pieces(text) == pieces and other.options == options and other.id_of == tokenizer.id_of
        assert copy.deepcopy(tokenizer).pieces(text) == pieces


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_vocabulary_file_as_any_editor_writes_it(tmp_path, end, last, encoding):
    text = end.join([*VOCABULARY, "é"]) + (end if last else "")
    (tmp_path / "vocab.txt").write_bytes(text.encode(encoding))
    assert WordPieceTokenizer.from_file(tmp_path / "vocab.txt").vocabulary == [*VOCABULARY, "é"]


# Training a vocabulary


def test_a_minimum_frequency_of_0_is_one_of_1():
    corpus = ["hat hats hat that chat chats cat cats cat bat", "abab babab ab aab"]
    assert train_wordpiece(corpus, 200, 0) == train_wordpiece(corpus, 200, 1)

    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(st.lists(st.text("ab", min_size=1, max_size=9), min_size=1, max_size=9))
    def same(words):
        assert train_wordpiece(words, 60, 0) == train_wordpiece(words, 60, 1)

    same()


@pytest.mark.parametrize("word", ["ab" * 40_000, "a" * 80_000, "x" * 79_999 + "y"])
def test_a_word_without_end_does_not_hang_the_trainer(word):
    start = time.perf_counter()
    entries = train_wordpiece([word, *TEXTS], 60)
    assert time.perf_counter() - start < 1
    assert entries == train_wordpiece(TEXTS, 60)
    assert WordPieceTokenizer(entries).tokenize(word) == ["[UNK]"]


def test_words_are_learned_from_up_to_the_length_that_is_encoded():
    fits, too_long = "ab" * 50, "cd" * 50 + "c"
    entries = train_wordpiece([f"{fits} {too_long} e"] * 2, 300)
    assert fits in entries and not any("c" in entry or "d" in entry for entry in entries[5:])
    assert WordPieceTokenizer(entries).tokenize(f"{fits} {too_long}") == [fits, "[UNK]"]
    with pytest.raises(ValueError, match="the corpus has no words"):
        train_wordpiece([too_long], 100)


@pytest.mark.parametrize("setting", [{"min_frequency": -1}, {"alphabet_size": 0}, {"alphabet_size": -3}])
@pytest.mark.parametrize("nan", [False, True])
def test_numbers_without_sense_are_refused(setting, nan):
    setting = dict.fromkeys(setting, float("nan")) if nan else setting
    with pytest.raises(ValueError, match="must be at least"):
        train_wordpiece(TEXTS, 100, **setting)
    with pytest.raises(ValueError, match="vocab_size must be at least"):
        train_wordpiece(TEXTS, float("nan"))


@pytest.mark.parametrize(("value", "fits"), [(0, True), (0.5, True), (1, False), (-0.1, False)])
def test_a_number_between_two_others(value, fits):
    for kind in (float, np.float32, np.float64, torch.tensor):
        if fits:
            check_number("the share", kind(value), 0, 1)
        else:
            with pytest.raises(ValueError, match="the share must be at least 0 and below 1, not"):
                check_number("the share", kind(value), 0, 1)
    for value in (float("nan"), float("inf"), -float("inf")):
        with pytest.raises(ValueError, match="the rate must be at least 0, not"):
            check_number("the rate", value, 0)


WHOLE = ["100", 100.0, 100.5, None, np.float64(100)]


@pytest.mark.parametrize("value", WHOLE, ids=repr)
@pytest.mark.parametrize("name", ["vocab_size", "alphabet_size", "max_length", "batch_size", "length",
                                  "count", "steps", "epochs", "seed", "patience"])  # fmt: skip
def test_a_count_is_a_whole_number(tokenizer, name, value):
    if value is None and name in ("max_length", "patience"):
        return  # which means "no limit"
    batches = pretraining_batches(documents(), tokenizer, 2, 0)
    take = {
        "vocab_size": lambda: train_wordpiece(TEXTS, value),
        "alphabet_size": lambda: train_wordpiece(TEXTS, 100, alphabet_size=value),
        "max_length": lambda: tokenizer.encode("good", max_length=value),
        "batch_size": lambda: next(pretraining_batches(documents(), tokenizer, value, 0)),
        "length": lambda: split_into_segments([1, 2, 3], value),
        "count": lambda: fill_mask(pretrainer(), tokenizer, "a [MASK]", count=value),
        "steps": lambda: pretrain(pretrainer(), batches, value),
    }.get(name, lambda: FineTuning(**{name: value}))
    subject = {"alphabet_size": "the size of the alphabet"}.get(name, name)
    with pytest.raises(
        ValueError, match=f"{subject} must be (a whole number|at least . and below|at least .,)"
    ):
        take()


def test_a_number_is_no_text(tokenizer):
    for name in ("epochs", "batch_size", "max_length", "patience", "seed", "learning_rate", "layer_decay"):
        with pytest.raises(ValueError, match=f"{name} must be at least ., not '3'"):
            FineTuning(**{name: "3"})
    with pytest.raises(ValueError, match=r"epochs must be a whole number, not 1\.5"):
        FineTuning(epochs=1.5)
    with pytest.raises(ValueError, match="batch_size must be a whole number"):
        length_buckets([1, 2], 2.0)
    with pytest.raises(ValueError, match="max_length must be a whole number"):
        FineTuning(max_length=10.5)
    assert FineTuning(epochs=np.int64(2), seed=np.uint8(3)).epochs == 2
    assert length_buckets([5], np.int32(2)) == [[0]]


def test_half_a_surrogate_pair_is_not_learned(tmp_path):
    entries = train_wordpiece(["a\ud800b \udc00 a\ud800b \udc00 ab", *TEXTS], 60)
    assert not any(0xD800 <= ord(character) <= 0xDFFF for entry in entries for character in entry)
    WordPieceTokenizer(entries).save(tmp_path / "vocab.txt")
    assert WordPieceTokenizer.from_file(tmp_path / "vocab.txt").vocabulary == entries
    with pytest.raises(ValueError, match="the corpus has no words"):
        train_wordpiece(["\ud800"], 60)


def test_counting_words_counts_long_ones_too():
    assert count_words(["a" * 101]) == Counter({"a" * 101: 1})


@pytest.mark.parametrize(
    ("text", "joins"), [("cat cat", ["##a ##t", "c ##at"]), ("a b", []), ("a", []), ("ab cd", [])]
)
def test_the_naive_trainer_stops_when_nothing_is_left_to_join(text, joins):
    names = {"pair_frequencies", "join_everywhere", "train_naively"}
    place = {"Counter": Counter, "pairwise": pairwise}
    for found in sync_cells.shown([sync_cells.ROOT / "notebooks" / "02_training_a_vocabulary.ipynb"]):
        if found.definition.name in names:
            exec(found.definition.text, place)
    counts = count_words([text])
    words = [split_into_characters(word, "abcdt") for word in counts]
    pieces = sorted({piece for word in words for piece in word})
    trace = place["train_naively"](words, list(counts.values()), pieces, steps=100)
    assert [pair for pair, _ in trace] == joins


# Models: any precision, any mode, any place of [PAD]

LABELS = [1, 0, 0, 1, 0]
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
PLAN = FineTuning(epochs=1, batch_size=2, max_length=12)


def config(**changes):
    return BertConfig(**({"vocab_size": len(VOCABULARY), "hidden_size": 16, "num_layers": 2, "num_heads": 2,
                          "intermediate_size": 32, "max_positions": 24} | changes))  # fmt: skip


def classifier(**changes):
    torch.manual_seed(0)
    return BertForClassification(Bert(config(**changes)), 2)


def pretrainer(**changes):
    torch.manual_seed(0)
    return BertForPreTraining(Bert(config(**changes)))


def documents(first=5):
    """Documents of word ids, in segments of three."""
    return [
        [[first + (3 * part + place + count) % 6 for place in range(3)] for part in range(4)]
        for count in range(3)
    ]


def mixed_modes(model):
    """Training mode but for one layer and one part of another."""
    model.train()
    model.bert.layers[1].eval()
    model.bert.embeddings.norm.eval()
    return [part.training for part in model.modules()]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_model_of_any_precision_gives_probabilities(tokenizer, dtype):
    expected = torch.float64 if dtype == torch.float64 else torch.float32
    in_single = predict(classifier(), TEXTS, tokenizer)
    found = predict(classifier().to(dtype), TEXTS, tokenizer)
    assert found.dtype == expected
    torch.testing.assert_close(found.sum(dim=1), torch.ones(len(TEXTS), dtype=expected))
    torch.testing.assert_close(found.float(), in_single, atol=0.02, rtol=0)
    result = evaluate(classifier().to(dtype), Examples(TEXTS, LABELS), tokenizer)
    assert torch.equal(result.probabilities, found) and abs(result.loss - 0.69) < 0.2
    guesses = fill_mask(pretrainer().to(dtype), tokenizer, "a [MASK] film", count=len(VOCABULARY))
    assert abs(sum(chance for _, chance in guesses[0]) - 1) < 1e-5
    batch = next(pretraining_batches(documents(), tokenizer, 2, 0))
    in_single = mean_losses(pretrainer(), [batch])
    assert abs(mean_losses(pretrainer().to(dtype), [batch]).token_loss - in_single.token_loss) < 0.05


@pytest.mark.parametrize("fails", [False, True])
def test_looking_leaves_every_part_in_its_mode(tokenizer, fails):
    model, other = classifier(), pretrainer()
    modes, others = mixed_modes(model), mixed_modes(other)
    batch = next(pretraining_batches(documents(), tokenizer, 2, 0))
    if fails:  # inside the model: more tokens than positions
        long = "a good film " * 20
        for look in (
            lambda: predict(model, [long], tokenizer),
            lambda: evaluate(model, Examples([long], [0]), tokenizer),
            lambda: fill_mask(other, tokenizer, f"[MASK] {long}"),
            lambda: mean_losses(other, [batch | {"ids": batch["ids"] + 99}]),
        ):
            with pytest.raises(ValueError, match="positions|must lie in"):
                look()
    else:
        predict(model, TEXTS, tokenizer)
        evaluate(model, Examples(TEXTS, LABELS), tokenizer)
        fill_mask(other, tokenizer, "a [MASK] film")
        mean_losses(other, [batch])
    assert [part.training for part in model.modules()] == modes
    assert [part.training for part in other.modules()] == others


def test_dropout_goes_on_when_on_step_looks(tokenizer):
    seen = []

    def fine_tuned(on_step):
        model = classifier(dropout=0.5)
        return fine_tune(model, examples, examples, tokenizer, PLAN, on_step=on_step and on_step(model))

    def look(model):
        def on_step(step, loss):
            assert all(part.training for part in model.modules())
            predict(model, TEXTS, tokenizer)
            evaluate(model, examples, tokenizer)
            seen.append(step)
            assert all(part.training for part in model.modules())

        return on_step

    examples = Examples(TEXTS, LABELS)
    assert fine_tuned(look) == fine_tuned(None)
    assert len(seen) == 3

    def pretrained(looks):
        model, batches = pretrainer(dropout=0.5), pretraining_batches(documents(), tokenizer, 2, 0)
        held_out = [next(pretraining_batches(documents(), tokenizer, 2, 1))]
        torch.manual_seed(0)

        def on_step(step, losses):
            if looks:
                fill_mask(model, tokenizer, "a [MASK] film")
                mean_losses(model, held_out)

        return pretrain(model, batches, 4, on_step=on_step)

    assert pretrained(True) == pretrained(False)


@settings(max_examples=12, deadline=None, derandomize=True, database=None)
@given(st.permutations(range(len(VOCABULARY))), st.integers(0, 99))
def test_special_tokens_may_stand_anywhere(order, seed):
    tokenizer = WordPieceTokenizer([VOCABULARY[index] for index in order])
    pad_id = tokenizer.id_of["[PAD]"]
    model, examples = classifier(pad_token_id=pad_id), Examples(TEXTS, LABELS)
    before = model.bert.embeddings.token.weight.clone()
    torch.manual_seed(seed)
    fine_tune(model, examples, examples, tokenizer, PLAN)
    moved = (model.bert.embeddings.token.weight != before).any(dim=1)
    used = {token for text in TEXTS for token in tokenizer.tokenize(text)}
    assert not moved[pad_id] and all(moved[tokenizer.id_of[token]] for token in used)
    other = pretrainer(pad_token_id=pad_id)
    words = [[[tokenizer.id_of[w] for w in part] for part in (["a", "film"], ["bad", "plot"])] for _ in "ab"]
    pretrain(other, pretraining_batches(words, tokenizer, 2, seed), 2)
    if pad_id:
        for refuse in (
            lambda: predict(classifier(), TEXTS, tokenizer),
            lambda: evaluate(classifier(), examples, tokenizer),
            lambda: fine_tune(classifier(), examples, examples, tokenizer, PLAN),
            lambda: fill_mask(pretrainer(), tokenizer, "a [MASK]"),
        ):
            with pytest.raises(ValueError, match=rf"\[PAD\] is entry {pad_id} of the tokenizer, but entry 0"):
                refuse()


def test_pretraining_refuses_to_guess_what_the_model_takes_for_padding():
    tokenizer = WordPieceTokenizer(["good", *SPECIAL_TOKENS, "bad"])
    words = [[[0], [6]], [[0], [6]]]
    with pytest.raises(ValueError, match="a label is 0, the model's pad_token_id"):
        pretrain(pretrainer(vocab_size=7), pretraining_batches(words, tokenizer, 4, 0), 4)
    assert (
        len(
            pretrain(pretrainer(vocab_size=7, pad_token_id=1), pretraining_batches(words, tokenizer, 4, 0), 4)
        )
        == 4
    )


@pytest.mark.parametrize("entries", [VOCABULARY[:-1], [*VOCABULARY, "more"]])
def test_the_tokenizer_of_another_model_is_refused(entries):
    other, examples = WordPieceTokenizer(entries), Examples(TEXTS, LABELS)
    for take in (
        lambda: predict(classifier(), TEXTS, other),
        lambda: evaluate(classifier(), examples, other),
        lambda: fine_tune(classifier(), examples, examples, other, PLAN),
        lambda: fill_mask(pretrainer(), other, "a [MASK]"),
    ):
        with pytest.raises(
            ValueError, match=f"tokenizer with {len(entries)} entries, model with {len(VOCABULARY)}"
        ):
            take()


def test_a_tokenizer_of_the_library_is_named(tokenizer, tmp_path):
    transformers = pytest.importorskip("transformers")
    tokenizer.save(tmp_path / "vocab.txt")
    other, examples = transformers.BertTokenizerFast(str(tmp_path / "vocab.txt")), Examples(TEXTS, LABELS)
    for take in (
        lambda: predict(classifier(), TEXTS, other),
        lambda: evaluate(classifier(), examples, other),
        lambda: fine_tune(classifier(), examples, examples, other, PLAN),
        lambda: fill_mask(pretrainer(), other, "a [MASK]"),
    ):
        with pytest.raises(ValueError, match=f"give a WordPieceTokenizer, .* not {type(other).__name__}"):
            take()


@pytest.mark.parametrize(
    "kind", ["DataParallel", "BertForSequenceClassification", "BertModel", "RobertaModel"]
)
def test_a_model_that_is_none_of_the_course_is_named(tokenizer, kind):
    if kind == "DataParallel":
        models = torch.nn.DataParallel(classifier()), torch.nn.DataParallel(pretrainer())
    else:
        transformers = pytest.importorskip("transformers")
        shape = transformers.AutoConfig.for_model(
            "roberta" if kind == "RobertaModel" else "bert", vocab_size=len(VOCABULARY), hidden_size=16,
            num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, pad_token_id=0,
        )  # fmt: skip
        models = [getattr(transformers, kind)(shape)] * 2
    model, other = models
    examples, batches = Examples(TEXTS, LABELS), pretraining_batches(documents(), tokenizer, 2, 0)
    for take in (
        lambda: predict(model, TEXTS, tokenizer),
        lambda: evaluate(model, examples, tokenizer),
        lambda: fine_tune(model, examples, examples, tokenizer, PLAN),
        lambda: fill_mask(other, tokenizer, "a [MASK]"),
        lambda: pretrain(other, batches, 1),
        lambda: mean_losses(other, [next(batches)]),
    ):
        with pytest.raises(
            ValueError,
            match=rf"{kind} is no model of this course: checkpoints.from_transformers.*model\.module",
        ):
            take()


@pytest.mark.parametrize("put", [torch.Tensor.tolist, torch.Tensor.numpy, torch.Tensor.short,
                                 torch.Tensor.byte, torch.Tensor.bool, torch.Tensor.half])  # fmt: skip
def test_ids_are_a_tensor_of_32_or_64_bits(put):
    bert, ids = Bert(config()).eval(), torch.tensor([[2, 5, 3], [2, 1, 3]])
    torch.testing.assert_close(bert(ids.int(), (ids > 2).int())[0], bert(ids, (ids > 2).long())[0])
    words = "must be whole numbers .a tensor of torch.long., not (list|ndarray|torch)"
    with pytest.raises(ValueError, match=f"ids {words}"):
        bert(put(ids))
    with pytest.raises(ValueError, match=f"type_ids {words}"):
        bert(ids, put(ids - ids))
    if put in (torch.Tensor.tolist, torch.Tensor.numpy, torch.Tensor.half):
        with pytest.raises(ValueError, match=f"attention_mask {words}"):
            bert(ids, None, put(ids))
    else:
        torch.testing.assert_close(bert(ids, None, put(ids > 0))[0], bert(ids)[0])
    with pytest.raises(ValueError, match=f"ids {words.replace('list', 'NoneType')}"):
        bert(None)


# Examples


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize(
    "labels_kind", ["list", "array", "shuffled column", "column of a slice", "generator"]
)
def test_each_text_keeps_its_label(tokenizer, kind, labels_kind):
    examples = Examples(CONTAINERS[kind](TEXTS), CONTAINERS[labels_kind](LABELS))
    assert examples == (TEXTS, LABELS)
    expected = Examples(TEXTS, LABELS)
    torch.testing.assert_close(predict(classifier(), CONTAINERS[kind](TEXTS), tokenizer),
                               predict(classifier(), TEXTS, tokenizer))  # fmt: skip
    columns = CONTAINERS[kind](TEXTS), CONTAINERS[labels_kind](LABELS)
    found = evaluate(classifier(), columns, tokenizer)
    assert found[:2] == evaluate(classifier(), expected, tokenizer)[:2]
    assert fine_tune(classifier(), examples, examples, tokenizer, PLAN) == fine_tune(
        classifier(), expected, expected, tokenizer, PLAN
    )


def test_a_shuffled_table_trains_as_its_lists_do(tokenizer):
    frame = pd.DataFrame({"text": ["good film", "bad film"] * 10, "label": [1, 0] * 10}).sample(
        frac=1, random_state=3
    )
    plan = FineTuning(epochs=6, batch_size=4, learning_rate=5e-3, max_length=12)
    examples = Examples(frame.text, frame.label)
    model = classifier()
    fine_tune(model, examples, examples, tokenizer, plan)
    assert evaluate(model, examples, tokenizer).accuracy == 1.0
    part = frame[5:15]
    assert evaluate(model, Examples(part.text, part.label), tokenizer).accuracy == 1.0


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.data(), st.integers(1, 9))
def test_batches_hold_every_label_with_its_text(data, size):
    numbers = data.draw(st.permutations(range(size)))
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *map(str, range(10))])
    examples = Examples(
        pd.Series(map(str, range(size)), index=numbers), pd.Series(range(size), index=numbers)
    )
    encodings = encode_texts(examples.texts, tokenizer, 8)
    for labels in (examples.labels, pd.Series(range(size), index=numbers)):
        for batch, found in labelled_batches(encodings, labels, 2, tokenizer):
            assert (batch["ids"][:, 1] - len(SPECIAL_TOKENS)).tolist() == found.tolist()
    lengths = pd.Series([len(e.ids) for e in encodings], index=numbers)
    assert sorted(i for batch in length_buckets(lengths, 2) for i in batch) == list(range(size))


@pytest.mark.parametrize("kind", ["shuffled column", "column of a slice", "array", "generator"])
def test_lengths_are_read_by_position(kind):
    lengths = [7, 3, 9, 1, 8, 2, 6, 4, 5, 3, 12, 10]
    torch.manual_seed(0)
    expected = length_buckets(lengths, 3)
    torch.manual_seed(0)
    assert length_buckets(CONTAINERS[kind](lengths), 3) == expected
    by_length = sorted(range(len(lengths)), key=lambda index: lengths[index])
    found = sorted(sorted(lengths[index] for index in batch) for batch in expected)
    assert found == sorted([lengths[index] for index in by_length[i : i + 3]] for i in range(0, 12, 3))


@pytest.mark.parametrize("kind", NO_SEQUENCES)
def test_examples_of_what_is_no_sequence_are_refused(tokenizer, kind):
    for make in (lambda: Examples(NO_SEQUENCES[kind], [0]), lambda: Examples(["a"], NO_SEQUENCES[kind])):
        with pytest.raises(ValueError, match="must be a list"):
            make()
    with pytest.raises(ValueError, match="must be a list"):
        predict(classifier(), NO_SEQUENCES[kind], tokenizer)
    with pytest.raises(ValueError, match="must be a list"):
        evaluate(classifier(), (NO_SEQUENCES[kind], [0]), tokenizer)


@pytest.mark.parametrize("kind", NO_TEXTS)
def test_an_example_that_is_no_text_is_named(tokenizer, kind):
    examples, good = Examples(["a", NO_TEXTS[kind], "bad"], [0, 1, 0]), Examples(TEXTS, LABELS)
    for take in (
        lambda: check_examples(examples, 2),
        lambda: predict(classifier(), examples.texts, tokenizer),
        lambda: evaluate(classifier(), examples, tokenizer),
        lambda: fine_tune(classifier(), examples, good, tokenizer, PLAN),
        lambda: fine_tune(classifier(), good, examples, tokenizer, PLAN),
    ):
        with pytest.raises(ValueError, match=r"the text in row 1 \(from 0\) must be a string"):
            take()
    with pytest.raises(ValueError, match="the text must be a string"):
        fill_mask(pretrainer(), tokenizer, NO_TEXTS[kind])


@pytest.mark.parametrize("label", [None, float("nan"), pd.NA, "1", 0.5, 2, -1])
def test_a_label_that_is_no_class_is_named(label):
    with pytest.raises(ValueError, match=r"but 1 are not, such as .* in row 2 \(from 0\)"):
        check_examples(Examples(["a", "b", "c"], [0, 1, label]), 2)


@pytest.mark.parametrize(
    "put", [np.bool_, np.int8, np.float16, np.float64, Fraction, torch.tensor, bool, float, int]
)
def test_each_label_may_be_a_number_of_any_kind(tokenizer, put):
    examples, expected = Examples(TEXTS, [put(label) for label in LABELS]), Examples(TEXTS, LABELS)
    assert evaluate(classifier(), examples, tokenizer)[:2] == evaluate(classifier(), expected, tokenizer)[:2]
    assert fine_tune(classifier(), examples, examples, tokenizer, PLAN) == fine_tune(
        classifier(), expected, expected, tokenizer, PLAN
    )
    encodings = encode_texts(TEXTS, tokenizer, 12)
    ((_, labels),) = labelled_batches(encodings[:1], [put(1)], 1, tokenizer)
    assert labels.dtype == torch.long and labels.tolist() == [1]


@pytest.mark.parametrize(
    "labels", [[1.7, 0.3, 1.2, 0.9], [0, 1, 0], [0, 1, 0, 1, 1], [0, 1, None, 1], [0, 1, "1", 0],
               [0, 1, float("nan"), 1], [], np.array([[0, 1]] * 4)]
)  # fmt: skip
def test_labels_that_do_not_fit_the_texts_are_refused(tokenizer, labels):
    encodings = encode_texts(TEXTS[:4], tokenizer, 12)
    with pytest.raises(ValueError, match="4 texts need as many labels, whole numbers, not"):
        list(labelled_batches(encodings, labels, 2, tokenizer))


@pytest.mark.parametrize("kind", ["a pair of lists", "generators", "replaced", "columns"])
def test_examples_in_any_form_train_alike(tokenizer, kind):
    def make():
        texts, labels = iter(TEXTS), iter(LABELS)
        return {
            "a pair of lists": (TEXTS, LABELS),
            "generators": (texts, labels),
            "replaced": Examples(["bad"], [0])._replace(texts=texts, labels=labels),
            "columns": (shuffled(TEXTS), shuffled(LABELS)),
        }[kind]

    expected = Examples(TEXTS, LABELS)
    losses = fine_tune(classifier(), expected, expected, tokenizer, PLAN)
    assert len(losses) == 3 and fine_tune(classifier(), make(), make(), tokenizer, PLAN) == losses
    encodings = check_and_encode(classifier(), make(), make(), tokenizer, 12)
    assert encodings == encode_texts(TEXTS, tokenizer, 12)


def test_names_of_classes_come_in_order():
    bert = Bert(config())
    for labels in ({"negative", "positive"}, {0: "negative", 1: "positive"}, frozenset("ab"), 2):
        with pytest.raises(ValueError, match="the labels must be a list or another sequence in order, not"):
            BertForClassification(bert, 2, labels=labels)
    for put in CONTAINERS.values():
        names = BertForClassification(bert, 2, labels=put(["negative", "positive"])).labels
        assert names == ("negative", "positive") and type(names[0]) is str


@pytest.mark.parametrize("dtype", [np.int8, np.float16, np.int64])
def test_ratings_of_few_bits_do_not_overflow(dtype):
    big = np.finfo(dtype).max if dtype == np.float16 else 100
    assert rater_agreement(list(np.array([40] * 40, dtype=dtype))) == 1.0
    assert rater_agreement([dtype(big)] * 3) == rater_agreement([float(big)] * 3) == 1.0
    assert rater_agreement([dtype(100)] * 3 + [dtype(-100)]) == 0.75


@pytest.mark.parametrize("rating", [None, float("nan"), pd.NA, "1", float("inf")])
def test_a_rating_that_is_no_number_is_refused(rating):
    assert rater_agreement(shuffled([1, 1, -1])) == rater_agreement(np.array([1, 1, -1])) == 0.0
    with pytest.raises(ValueError, match="ratings must be numbers"):
        rater_agreement([1, 2, rating])


def test_the_loss_is_computed_from_the_logits(tokenizer):
    model = classifier()
    torch.nn.init.zeros_(model.classifier.weight)
    model.classifier.bias.data = torch.tensor([120.0, 0.0])
    result = evaluate(model, Examples(["good", "bad"], [0, 1]), tokenizer)
    assert isinstance(result, Evaluation) and result.loss == pytest.approx(60.0) and result.accuracy == 0.5


# Numbers


@pytest.mark.parametrize("warm_up", [50, 1.0, 1, -0.1, float("nan"), float("inf")])
def test_a_warm_up_that_is_no_share_is_refused_wherever_it_enters(tokenizer, warm_up):
    batches = pretraining_batches(documents(), tokenizer, 2, 0)
    for take in (
        lambda: linear_warm_up_and_decay(0, 100, warm_up),
        lambda: make_optimizer(pretrainer(), 100, 1e-3, warm_up=warm_up),
        lambda: pretrain(pretrainer(), batches, 2, warm_up=warm_up),
        lambda: FineTuning(warm_up=warm_up),
    ):
        with pytest.raises(
            ValueError, match="warm_up, a share of the steps, must be at least 0 and below 1, not"
        ):
            take()


@given(st.integers(1, 200), st.floats(0, 1, exclude_max=True), st.integers(0, 300))
@settings(derandomize=True, database=None, deadline=None)
def test_the_share_of_the_rate_is_a_share(steps, warm_up, step):
    assert 0 <= linear_warm_up_and_decay(step, steps, warm_up) <= 1


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["learning_rate", "weight_decay", "embedding_rate", "next_sentence",
                                  "epochs", "batch_size", "patience", "max_length"])  # fmt: skip
def test_numbers_of_a_run_without_sense_are_refused(tokenizer, name, value):
    with pytest.raises(ValueError, match=f"{name} must be at least"):
        if name in ("embedding_rate", "next_sentence"):
            pretrain(pretrainer(), pretraining_batches(documents(), tokenizer, 2, 0), 2, **{name: value})
        else:
            FineTuning(**{name: value})


def test_a_model_without_a_weight_to_learn_says_so(tokenizer):
    model, other = classifier().requires_grad_(False), pretrainer().requires_grad_(False)
    examples = Examples(TEXTS, LABELS)
    with pytest.raises(ValueError, match="all weights are frozen"):
        fine_tune(model, examples, examples, tokenizer, PLAN)
    with pytest.raises(ValueError, match="all weights are frozen"):
        pretrain(other, pretraining_batches(documents(), tokenizer, 2, 0), 2)
    for count in (np.int64(1), torch.tensor(1), True):
        freeze_lower_layers(classifier().bert, count)
    assert classification_loss(model, tokenizer.encode_batch(["a"]), torch.tensor([1])) > 0


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_training_without_gradients_says_so(tokenizer, mode):
    examples = Examples(TEXTS, LABELS)
    with mode(), pytest.raises(ValueError, match=r"gradients are off: train outside of torch\.no_grad"):
        fine_tune(classifier(), examples, examples, tokenizer, PLAN)
    with mode(), pytest.raises(ValueError, match="gradients are off"):
        pretrain(pretrainer(), pretraining_batches(documents(), tokenizer, 2, 0), 1)


def test_a_run_that_breaks_off_at_once_leaves_the_model_in_evaluation_mode(tokenizer):
    model, examples = classifier().requires_grad_(False), Examples(TEXTS, LABELS)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match="all weights are frozen"):
        fine_tune(model, examples, examples, tokenizer, PLAN)
    assert not any(part.training for part in model.modules())
    assert all(torch.equal(before[name], values) for name, values in model.state_dict().items())


# Masks and pairs


@pytest.mark.parametrize("mask", [mask_tokens, mask_whole_words])
@pytest.mark.parametrize(
    "put", [torch.Tensor.byte, torch.Tensor.int, torch.Tensor.float, torch.Tensor.tolist, torch.Tensor.numpy,
            lambda ids: ids[0], lambda ids: ids[None], lambda ids: ids[:, :0], lambda ids: ids[:0]]
)  # fmt: skip
def test_only_whole_ids_of_64_bits_are_masked(tokenizer, mask, put):
    ids = tokenizer.encode_batch(TEXTS)["ids"]
    assert all(values.dtype == torch.long for values in mask(ids, tokenizer))
    with pytest.raises(
        ValueError, match=r"ids must be a torch.long tensor of shape \(B, T\), B and T at least 1"
    ):
        mask(put(ids), tokenizer)


def test_positions_are_boolean(tokenizer):
    model, batch = pretrainer().eval(), tokenizer.encode_batch(["a [MASK] film", "a bad [MASK]"])
    positions = batch["ids"] == tokenizer.id_of["[MASK]"]
    assert model(**batch, positions=positions).token_logits.shape == (2, len(VOCABULARY))
    for wrong in (positions.long(), positions.int(), positions.float(), positions.tolist()):
        with pytest.raises(ValueError, match="positions must be a boolean tensor, True = predict"):
            model(**batch, positions=wrong)


NAMES = ["ids", "type_ids", "attention_mask", "labels", "next_labels"]


@pytest.mark.parametrize("missing", [*NAMES, "all"])
def test_what_a_batch_lacks_is_named(tokenizer, missing):
    batch = next(pretraining_batches(documents(), tokenizer, 2, 0))
    if missing == "all":
        batches, missing = [tuple(batch.values()), []], "ids, type_ids, attention_mask, labels"
    else:
        less = {name: values for name, values in batch.items() if name != missing}
        batches = [less, batch | {missing: batch[missing].numpy()}, batch | {missing: None}]
    for wrong in batches:
        for take in (
            lambda wrong=wrong: pretraining_loss(pretrainer(), wrong),
            lambda wrong=wrong: pretrain(pretrainer(), [wrong], 1),
            lambda wrong=wrong: mean_losses(pretrainer(), [wrong]),
        ):
            with pytest.raises(ValueError, match=f"a batch is a dictionary of tensors, .* lacks .*{missing}"):
                take()


def test_one_batch_is_no_list_of_batches(tokenizer):
    batch = next(pretraining_batches(documents(), tokenizer, 2, 0))
    for take in (lambda: pretrain(pretrainer(), batch, 1), lambda: mean_losses(pretrainer(), batch)):
        with pytest.raises(
            ValueError, match="the batches must be a list or another sequence in order, not dict"
        ):
            take()
    whole = mean_losses(pretrainer(), [batch])
    narrow = {name: values.int() for name, values in batch.items()}
    assert mean_losses(pretrainer(), (each for each in [narrow])) == whole
    assert mean_losses(pretrainer(), [batch | {"next_labels": batch["next_labels"].bool()}]) == whole


def test_pairs_are_of_ids(tokenizer):
    pairs = make_sentence_pairs(documents(), 0)
    assert same_batch(pairs_to_batch(iter(pairs), tokenizer), pairs_to_batch(pairs, tokenizer))
    arrays = [(np.array(first), torch.tensor(second), label) for first, second, label in pairs]
    assert same_batch(pairs_to_batch(arrays, tokenizer), pairs_to_batch(pairs, tokenizer))
    words = "a pair is .ids of the first segment, ids of the second, label."
    for wrong in (("good film", "bad", 0), (["good"], ["bad"], 0), (["5"], [5], 1), ([5], [6]), (5, 6, 0)):
        with pytest.raises(ValueError, match=words):
            pairs_to_batch([wrong], tokenizer)
    with pytest.raises(ValueError, match="the pairs must be a list"):
        pairs_to_batch(3, tokenizer)
    texts = [["a good film", "bad"], ["a plot", "good films"]]
    with pytest.raises(ValueError, match=words):
        next(pretraining_batches(texts, tokenizer, 2, 0))


# Whole words


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=12), min_size=1, max_size=4),
       st.sampled_from([0.15, 0.3, 0.5, 1.0]), st.integers(0, 9))  # fmt: skip
def test_whole_words_are_at_most_the_number_asked_for(texts, rate, seed):
    """Against a loop over words: the right count, words whole, and no room left for a skipped word."""
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, "a", "##s"])
    batch = tokenizer.encode_batch([" ".join("a" + "s" * (length - 1) for length in text) for text in texts])
    ids, generator = batch["ids"], torch.Generator().manual_seed(seed)
    chosen = mask_whole_words(ids, tokenizer, rate, generator)[1] != IGNORE
    _, count = places_to_mask(ids, tokenizer, rate)
    for row, text, most in zip(chosen, texts, count.flatten().tolist(), strict=True):
        assert most == max(1, round(rate * sum(text)))
        parts = row[1 : 1 + sum(text)].split(text)
        assert all(part.all() or not part.any() for part in parts) and row.sum() <= most
        left = most - row.sum()
        assert all(part.any() or len(part) > left for part in parts)


def test_google_s_example_of_long_words():
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, "a", "##s"])
    ids = tokenizer.encode_batch([" ".join(["assssss"] * 9)] * 200)["ids"]  # 63 tokens, words of 7 pieces
    for rate, share in ((0.15, 7 / 63), (0.3, 14 / 63), (0.05, 0)):
        labels = mask_whole_words(ids, tokenizer, rate, torch.Generator().manual_seed(0))[1]
        assert (labels != IGNORE).sum().item() / (200 * 63) == pytest.approx(share)


def test_words_of_one_piece_are_masked_as_tokens_are_counted(tokenizer):
    ids = tokenizer.encode_batch(["a good film a bad plot " * 3] * 50)["ids"]
    numbers = [(mask(ids, tokenizer)[1] != IGNORE).sum(dim=1) for mask in (mask_tokens, mask_whole_words)]
    assert torch.equal(*numbers)


def test_documents_in_any_sequence(tokenizer):
    expected = make_sentence_pairs(documents(), 0)
    column = shuffled([tuple(document) for document in documents()])
    for kind in (tuple(documents()), iter(documents()), np.array(documents()), column):
        assert make_sentence_pairs(kind, 0) == expected
    batches = [pretraining_batches(kind, tokenizer, 100, 0) for kind in (documents(), map(iter, documents()))]
    for _ in range(3):  # epochs
        assert same_batch(*map(next, batches))
    with pytest.raises(ValueError, match="documents must be a list, not one string"):
        make_sentence_pairs("one text", 0)
    with pytest.raises(ValueError, match="a document must be a list, not one string"):
        make_sentence_pairs(["one text", "another"], 0)
    assert pairs_to_batch(expected, tokenizer)["ids"].shape == (len(expected), 9)
    for length in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="length must be at least 1"):
            split_into_segments([1, 2, 3], length)
