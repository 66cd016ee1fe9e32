"""Configurations: what the library writes is understood, what makes no sense is refused at once."""

import json
import warnings

import numpy as np
import pytest
import torch
import transformers

from helpers import checkpoints
from helpers.checkpoints import CheckpointError, LeftOutWarning
from helpers.classification import BertForClassification
from helpers.encoder import Bert, BertConfig
from helpers.pretraining import BertForPreTraining
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

WORDS = [*SPECIAL_TOKENS, "the", "river", "bank"]
SHAPE = {"hidden_size": 12, "num_layers": 2, "num_heads": 3, "intermediate_size": 20, "max_positions": 16}
THEIRS = {"vocab_size": len(WORDS), "hidden_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2,
          "intermediate_size": 16, "max_position_embeddings": 16}  # fmt: skip

pytestmark = pytest.mark.usefixtures("quiet_libraries")


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    bert = Bert(BertConfig(len(WORDS), **SHAPE))
    checkpoints.save(BertForClassification(bert, 3), WordPieceTokenizer(WORDS), tmp_path / "my-model")
    (tmp_path / "my-model" / "SHA256SUMS").unlink()
    return tmp_path / "my-model"


def edit(folder, without=(), **entries):
    content = json.loads((folder / "config.json").read_text()) | entries
    content = {name: value for name, value in content.items() if name not in without}
    (folder / "config.json").write_text(json.dumps(content))


SIZES = ["vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
         "max_position_embeddings", "type_vocab_size"]  # fmt: skip


@pytest.mark.parametrize("value", [0, -1, -3, True, 12.0, "two", None, [], float("nan"), 10**30])
@pytest.mark.parametrize("name", SIZES)
def test_sizes_of_another_type_or_range_are_refused(folder, name, value):
    edit(folder, **{name: value})
    with pytest.raises(CheckpointError, match=f"can't be used: {name} must be a whole number from 1"):
        checkpoints.load(folder)


SHARES = ["hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"]
NO_NUMBERS = ["x", True, [], float("nan"), float("inf"), -1]


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name in (*SHARES, "layer_norm_eps", "initializer_range") for value in NO_NUMBERS]
    + [(name, 1.0) for name in SHARES]
    + [("layer_norm_eps", 0), ("layer_norm_eps", None), ("hidden_dropout_prob", None), ("init_std", -0.1)]
    + [("pad_token_id", value) for value in (-1, 8, 0.0, "0", True)],
)
def test_numbers_of_another_type_or_range_are_refused(folder, name, value):
    edit(folder, **{name: value})
    with pytest.raises(CheckpointError, match=f"my-model can't be used: {name} must be "):
        checkpoints.load(folder)


@pytest.mark.parametrize("value", [{"BertModel": 1}, "BertModel", [1], 3])
def test_architectures_of_another_type_are_refused(folder, value):
    edit(folder, architectures=value)
    with pytest.raises(CheckpointError, match="architectures must be null or a list of names"):
        checkpoints.load(folder)


@pytest.mark.parametrize(
    "value",
    [{"0": "a", "2": "b", "3": "c"}, {"a": 0, "b": 1, "c": 2}, {"0": 1, "1": 2, "2": 3}, ["a", "b", "c"], 3],
)
def test_names_of_classes_that_are_none_are_refused(folder, value):
    edit(folder, id2label=value)
    with pytest.raises(CheckpointError, match="id2label must give a name for each class"):
        checkpoints.load(folder)


def test_two_classes_of_one_name_are_refused(folder):
    edit(folder, id2label={"0": "a", "1": "a", "2": "b"})
    with pytest.raises(CheckpointError, match="3 classes need as many names, all different"):
        checkpoints.load(folder)


@pytest.mark.parametrize("value", [0, -1, 2.0, "three", True])
def test_numbers_of_classes_that_are_none_are_refused(folder, value):
    edit(folder, without=["id2label", "label2id"], num_labels=value)
    with pytest.raises(CheckpointError, match="num_labels must be a whole number of at least 1"):
        checkpoints.load(folder)


def test_the_number_of_classes_alone(folder):
    edit(folder, without=["id2label", "label2id"], num_labels=3)
    model, _ = checkpoints.load(folder)
    assert model.classifier.out_features == 3 and model.labels is None
    edit(folder, num_labels=4)
    with pytest.raises(CheckpointError, match=r"classifier.weight has the shape \(3, 12\), .* \(4, 12\)"):
        checkpoints.load(folder)


@pytest.mark.parametrize(
    ("settings", "dropout"),
    [({}, 0.2), ({"classifier_dropout": 0.4}, 0.4), ({"classifier_dropout": 0.0}, 0.0)],
)
def test_dropout_before_the_classifier_is_the_librarys(settings, dropout, tmp_path):
    rates = {"hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.2}
    config = transformers.BertConfig(**THEIRS, **rates, num_labels=3, **settings)
    theirs = transformers.BertForSequenceClassification(config)
    assert theirs.dropout.p == dropout
    ours = checkpoints.from_transformers(theirs)
    assert ours.dropout.p == dropout and ours.labels is None
    assert checkpoints.to_transformers(ours).dropout.p == dropout
    theirs.save_pretrained(tmp_path)
    WordPieceTokenizer(WORDS).save(tmp_path / "vocab.txt")
    assert checkpoints.load(tmp_path)[0].dropout.p == dropout


def test_a_folder_of_before_loads(folder):
    """Without the dropout before the classifier, a SHA-256, or names of classes."""
    edit(folder, without=["classifier_dropout"])
    model, _ = checkpoints.load(folder)
    assert model.classifier.out_features == 3 and model.labels is None


def test_names_that_are_no_strings_are_not_saved(tmp_path):
    model = BertForClassification(Bert(BertConfig(len(WORDS), **SHAPE)), 2)
    model.labels = [0, 1]  # changed since
    with pytest.raises(CheckpointError, match=r"names of the classes must be strings, not \[0, 1\]"):
        checkpoints.save(model, WordPieceTokenizer(WORDS), tmp_path / "model")


@pytest.mark.parametrize("part", ["weight", "bias"])
def test_a_token_head_with_weights_of_its_own_is_refused(part, tmp_path):
    torch.manual_seed(0)
    config = transformers.BertConfig(**THEIRS, tie_word_embeddings=False)
    theirs = transformers.BertForPreTraining(config).eval()
    decoder, tied = theirs.cls.predictions.decoder, theirs.bert.embeddings.word_embeddings.weight
    with torch.no_grad():
        decoder.weight.copy_(tied)
        decoder.bias.copy_(theirs.cls.predictions.bias)
    ours = checkpoints.from_transformers(theirs)  # of their own, but equal
    ids = torch.tensor([[2, 5, 6, 3]])
    with torch.no_grad():
        expected = theirs(ids).prediction_logits
        torch.testing.assert_close(ours.eval()(ids).token_logits, expected, atol=1e-5, rtol=0)
        getattr(decoder, part).data = getattr(decoder, part).data + 0.5
    with pytest.raises(CheckpointError, match=f"decoder.{part} is not .*tie_word_embeddings=False"):
        checkpoints.from_transformers(theirs)
    theirs.save_pretrained(tmp_path)
    WordPieceTokenizer(WORDS).save(tmp_path / "vocab.txt")
    with pytest.raises(CheckpointError, match=f"decoder.{part} is not .*tie_word_embeddings=False"):
        checkpoints.load(tmp_path)


WITHOUT = ["BertForMaskedLM"]


@pytest.mark.parametrize("kind", WITHOUT)
def test_without_a_pooler_the_way_out_is_named(kind, tmp_path):
    theirs = getattr(transformers, kind)(transformers.BertConfig(**THEIRS))
    with pytest.raises(CheckpointError, match="has no pooler .*AutoModel, which draws a new one"):
        checkpoints.from_transformers(theirs)
    theirs.save_pretrained(tmp_path)
    WordPieceTokenizer(WORDS).save(tmp_path / "vocab.txt")
    with pytest.raises(CheckpointError, match="has no pooler .*AutoModel, which draws a new one"):
        checkpoints.load(tmp_path)
    way_out = transformers.AutoModel.from_pretrained(tmp_path)
    assert type(checkpoints.from_transformers(way_out)) is Bert


@pytest.mark.parametrize("model", [Bert(BertConfig(8, **SHAPE)), torch.nn.Linear(2, 2), "bert"])
def test_what_is_no_model_of_the_library_is_refused(model):
    with pytest.raises(CheckpointError, match="is no model of the Transformers library: give a BertModel"):
        checkpoints.from_transformers(model)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("head", [None, BertForPreTraining, lambda bert: BertForClassification(bert, 3)])
def test_every_dtype_and_mode_goes_both_ways(dtype, head):
    torch.manual_seed(0)
    bert = Bert(BertConfig(len(WORDS), **SHAPE))
    model = (head(bert) if head else bert).to(dtype).train()
    checkpoints.encoder_of(model).layers[0].eval()
    modes = [part.training for part in model.modules()]
    theirs = checkpoints.to_transformers(model)
    again = checkpoints.from_transformers(theirs)
    assert {weight.dtype for weight in again.parameters()} == {dtype} and again.training
    ours, found = model.state_dict(), again.state_dict()
    assert all(torch.equal(ours[name], found[name]) for name in ours)
    assert [part.training for part in model.modules()] == modes


# What a model of ours can't be told


def ours_of(theirs, tmp_path):
    """The two ways to a model of ours: from the library's, and from its folder."""
    theirs.save_pretrained(tmp_path)
    WordPieceTokenizer(WORDS).save(tmp_path / "vocab.txt")
    return lambda: checkpoints.from_transformers(theirs), lambda: checkpoints.load(tmp_path)[0]


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ({"attention_probs_dropout_prob": 0.4}, r"attention is 0.4 in .*, but 0.1 in our model"),
        ({"attention_probs_dropout_prob": 0.0}, r"attention is 0.0 in .*, but 0.1 in our model"),
        ({"hidden_dropout_prob": 0.3}, r"attention is 0.1 in .*, but 0.3 in our model"),
    ],
)
@pytest.mark.parametrize("kind", ["BertModel", "BertForPreTraining", "BertForSequenceClassification"])
def test_a_dropout_of_attention_alone_is_lost_with_a_warning(kind, rates, words, tmp_path):
    theirs = getattr(transformers, kind)(transformers.BertConfig(**THEIRS, **rates))
    for make in ours_of(theirs, tmp_path):
        with pytest.warns(LeftOutWarning, match=words) as said:
            model = make()
        assert len(said) == 1 and said[0].filename == __file__
        dropout = checkpoints.encoder_of(model).config.dropout
        assert dropout == theirs.config.hidden_dropout_prob


def test_a_dropout_that_the_file_leaves_to_the_library_is_0_1(folder):
    edit(folder, without=["attention_probs_dropout_prob"], hidden_dropout_prob=0.1)
    with warnings.catch_warnings(action="error"):
        checkpoints.load(folder)
    edit(folder, hidden_dropout_prob=0.2)
    with pytest.warns(LeftOutWarning, match="attention is 0.1 in .*, but 0.2 in our model"):
        checkpoints.load(folder)


@pytest.mark.parametrize("kind", ["BertModel", "BertForPreTraining", "BertForSequenceClassification"])
def test_equal_rates_of_dropout_give_no_warning(kind, tmp_path):
    for rates in ({}, {"hidden_dropout_prob": 0.3, "attention_probs_dropout_prob": 0.3}):
        theirs = getattr(transformers, kind)(transformers.BertConfig(**THEIRS, **rates))
        with warnings.catch_warnings(action="error"):
            for make in ours_of(theirs, tmp_path):
                make()
                checkpoints.from_transformers(checkpoints.to_transformers(make()))


@pytest.mark.parametrize("name", ["stories", "stories_long", "real_text", "wider_text", "writer"])
def test_the_courses_own_checkpoints_give_no_warning(name):
    with warnings.catch_warnings(action="error"):
        model, _ = checkpoints.load(name)
        checkpoints.from_transformers(checkpoints.to_transformers(model))


@pytest.mark.parametrize("problem", ["multi_label_classification", "regression", "other", 3])
def test_a_classifier_whose_outputs_mean_something_else_is_refused(problem, folder):
    edit(folder, problem_type=problem)
    with pytest.raises(CheckpointError, match=f"my-model can't be used: the problem_type .* is {problem!r}"):
        checkpoints.load(folder)
    assert type(checkpoints.load(folder, architecture="BertModel")[0]) is Bert  # the encoder is the same


@pytest.mark.parametrize("problem", ["multi_label_classification", "regression"])
def test_the_librarys_classifier_of_another_problem_is_refused(problem):
    config = transformers.BertConfig(**THEIRS, num_labels=2, problem_type=problem)
    theirs = transformers.BertForSequenceClassification(config)
    with pytest.raises(CheckpointError, match=f"problem_type of this classifier is '{problem}'"):
        checkpoints.from_transformers(theirs)
    assert type(checkpoints.from_transformers(theirs.bert)) is Bert


@pytest.mark.parametrize("problem", [None, "single_label_classification"])
def test_a_classifier_of_one_right_class_is_taken(problem, folder):
    edit(folder, problem_type=problem)
    assert checkpoints.load(folder)[0].classifier.out_features == 3


# What `load` would refuse is not written


def classifier(**changes):
    torch.manual_seed(0)
    return BertForClassification(Bert(BertConfig(**{"vocab_size": len(WORDS)} | SHAPE | changes)), 3)


def with_names(*names):
    model = classifier()
    model.labels = names
    return model


def with_more_rows():
    model = classifier()
    model.bert.embeddings.position = torch.nn.Embedding(20, 12)  # the configuration says 16
    return model


LIBRARY = transformers.BertForPreTraining(transformers.BertConfig(**THEIRS))
UNREADABLE = {
    "dropout": (lambda: classifier(dropout=1.0), WORDS, {}, "hidden_dropout_prob must be a number"),
    "norm_eps": (lambda: classifier(norm_eps=0.0), WORDS, {}, "layer_norm_eps must be a number above 0"),
    "no layers": (lambda: classifier(num_layers=0), WORDS, {}, "num_hidden_layers must be a whole number"),
    "init_std": (lambda: classifier(init_std=0.0), WORDS, {}, None),
    "lowercase": (classifier, WORDS, {"lowercase": 1}, "lowercase is 1, neither true nor false"),
    "no lowercase": (classifier, WORDS, {"lowercase": None}, "lowercase is None, neither true nor false"),
    "option": (classifier, WORDS, {"clean": True}, "no option 'clean'. Its options are lowercase, "),
    "line end": (classifier, [*WORDS[:-1], "a\nb"], {}, r"entry 'a\\nb' of the vocabulary can't be a line"),
    "return": (classifier, [*WORDS[:-1], "a\rb"], {}, r"entry 'a\\rb' of the vocabulary can't be a line"),
    "half": (classifier, [*WORDS[:-1], "\ud800"], {}, "of the vocabulary can't be a line"),
    "names": (lambda: with_names("a", "b"), WORDS, {}, "3 classes need as many names"),
    "equal names": (lambda: with_names("a", "b", "b"), WORDS, {}, "3 classes need as many names"),
    "rows": (with_more_rows, WORDS, {}, r"position_embeddings.weight has the shape \(20, 12\)"),
    "the library's": (lambda: LIBRARY, WORDS, {}, "the Transformers library's: convert it with"),
    "parallel": (lambda: torch.nn.DataParallel(classifier()), WORDS, {}, "the model inside it, its .module"),
    "compiled": (lambda: torch.compile(classifier(), backend="eager"), WORDS, {}, "it, its ._orig_mod"),
    "sequential": (lambda: torch.nn.Sequential(classifier()), WORDS, {}, "Sequential is no model of this"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_could_not_be_loaded_again_is_not_saved(folder, kind):
    make, vocabulary, options, words = UNREADABLE[kind]
    model, tokenizer = make(), WordPieceTokenizer(WORDS)
    tokenizer.vocabulary, tokenizer.options = vocabulary, options  # changed since
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    if words is None:
        checkpoints.save(model, tokenizer, folder)
        checkpoints.load(folder)
        return
    with pytest.raises(CheckpointError, match=words):
        checkpoints.save(model, tokenizer, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    checkpoints.load(folder)


@pytest.mark.parametrize("dtype", ["float16", 16, float])
def test_a_dtype_that_is_none_is_refused(folder, dtype):
    with pytest.raises(CheckpointError, match="such as torch.float16, not"):
        checkpoints.save(classifier(), WordPieceTokenizer(WORDS), folder, dtype)


def test_a_tokenizer_of_the_library_is_not_saved(folder):
    theirs = transformers.BertTokenizer(str(folder / "vocab.txt"))
    with pytest.raises(CheckpointError, match="BertTokenizer is no tokenizer of this course: give a Word"):
        checkpoints.save(classifier(), theirs, folder)


def test_numbers_of_numpy_and_pytorch_are_saved(tmp_path):
    odd = {"hidden_size": np.int64(12), "dropout": np.float32(0.25), "pad_token_id": np.int64(0),
           "norm_eps": np.float64(1e-12), "init_std": torch.tensor(0.5)}  # fmt: skip
    checkpoints.save(classifier(**odd), WordPieceTokenizer(WORDS, lowercase=True), tmp_path / "m")
    config = checkpoints.load(tmp_path / "m")[0].bert.config
    assert config == BertConfig(len(WORDS), **SHAPE | {"dropout": 0.25, "init_std": 0.5})


# Both ways, weight by weight


def test_the_librarys_model_of_the_same_name_is_not_converted_twice():
    with pytest.raises(CheckpointError, match="BertForPreTraining .* the Transformers library's: convert it"):
        checkpoints.to_transformers(LIBRARY)


def both_ways(model):
    theirs = checkpoints.to_transformers(model)
    return theirs, checkpoints.from_transformers(theirs)


@pytest.mark.parametrize("head", [BertForPreTraining, lambda bert: BertForClassification(bert, 3)])
def test_every_weight_keeps_its_dtype_and_whether_it_learns(head):
    model = head(Bert(BertConfig(len(WORDS), **SHAPE)))
    model.bert.layers[1].half()
    model.bert.pooler.to(torch.bfloat16)
    model.bert.embeddings.requires_grad_(False)
    model.bert.layers[0].attention.query.requires_grad_(False)
    theirs, again = both_ways(model)
    for name, weight in model.named_parameters():
        for other in (theirs.get_parameter(checkpoints.their_name(name)), again.get_parameter(name)):
            assert other.dtype == weight.dtype and other.requires_grad == weight.requires_grad, name
            assert torch.equal(other, weight) and other is not weight


def test_a_dropout_that_is_off_stays_off():
    """Half of the parts in evaluation mode: what is dropped is the same, so are the logits by one seed."""
    model = classifier(dropout=0.5, init_std=None).train()
    model.bert.embeddings.dropout.eval()
    model.bert.layers[0].eval()
    model.bert.layers[1].attention.eval()
    theirs, again = both_ways(model)
    for part, other in zip(model.modules(), again.modules(), strict=True):
        assert part.training == other.training
    layers = theirs.bert.encoder.layer
    off = [theirs.bert.embeddings.dropout, layers[0].output.dropout, layers[0].attention.output.dropout,
           layers[0].attention.self, layers[1].attention.self]  # fmt: skip
    on = [theirs.dropout, layers[1].output.dropout, layers[1].attention.output.dropout, theirs]
    assert not any(part.training for part in off) and all(part.training for part in on)
    model.eval()
    model.bert.layers[1].dropout.train()
    theirs, again = both_ways(model)
    ids = torch.tensor([[2, 5, 6, 7, 3]])
    found = []
    for run in (lambda: model(ids), lambda: again(ids), lambda: theirs(input_ids=ids).logits):
        torch.manual_seed(0)
        found.append(run())
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], model.eval()(ids))
    torch.testing.assert_close(found[2], found[0])
