"""Notebook 11: its own definitions, and what crosses between the course's classifier and the library's.

What the notebook's outputs show already is compared by nbval and not repeated here.
"""

import ast
import math
import warnings
from pathlib import Path

import nbformat
import pytest
import torch
import transformers
from datasets import Dataset
from torch import nn

from helpers import checkpoints, data
from helpers.checkpoints import CheckpointError
from helpers.classification import BertForClassification, predict
from helpers.encoder import Bert, BertConfig
from helpers.wordpiece import SPECIAL_TOKENS, TruncationWarning, WordPieceTokenizer

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = nbformat.read(ROOT / "notebooks" / "11_bert_with_transformers.ipynb", as_version=4)
WORDS = [*SPECIAL_TOKENS, "the", "river", "bank", "##s", "is", "wide", ",", "deep"]
SMALL = BertConfig(
    vocab_size=len(WORDS), hidden_size=12, num_layers=2, num_heads=3, intermediate_size=20, max_positions=16,
    num_segments=2, init_std=None,
)  # fmt: skip
TEXTS = ["the river banks", "The bank, the river, is WIDE", "", "deep", "the bank is deep is deep is deep"]


pytestmark = pytest.mark.usefixtures("quiet_libraries")


@pytest.fixture
def tokenizer():
    return WordPieceTokenizer(WORDS)


def classifier(num_classes=3):
    torch.manual_seed(1)
    model = BertForClassification(Bert(SMALL), num_classes)
    with torch.no_grad():  # LayerNorm and biases too: a lost one must show
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model.eval()


def from_notebook(name, **names):
    """A function that the notebook defines, with the notebook's imports before it and `names` as globals."""
    namespace = {"data": data, "torch": torch, **names}
    for cell in NOTEBOOK.cells:
        if cell.cell_type != "code" or cell.source.startswith("# Set-up"):
            continue
        tree = ast.parse(cell.source)
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                exec(ast.get_source_segment(cell.source, node), namespace)
            elif isinstance(node, ast.FunctionDef) and node.name == name:
                exec(ast.get_source_segment(cell.source, node), namespace)
                return namespace[name]
    raise LookupError(f"the notebook defines no {name}")


def probabilities_of(answers):
    """The pipeline's answers with top_k=None as a tensor (N, C), classes in the order of their numbers."""
    by_name = [{one["label"]: one["score"] for one in answer} for answer in answers]
    return torch.tensor([[row[f"LABEL_{i}"] for i in range(len(row))] for row in by_name])


# The one line that chooses the checkpoint


@pytest.mark.parametrize("name", ["nobody/bert-that-is-nowhere", "no-such-bert", "./no-such-folder"])
def test_a_checkpoint_that_cannot_be_reached(name, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ConnectionError) as caught:
        from_notebook("reachable")(name)
    message = str(caught.value)
    assert repr(name) in message and "check the name and the connection" in message
    assert "set CHECKPOINT to 'minilm'" in message and "\n" not in message


def test_a_folder_without_a_model_is_said_to_be_none(tmp_path):
    with pytest.raises(ConnectionError, match="is no folder with a model here"):
        from_notebook("reachable")(str(tmp_path))


def test_a_folder_of_ones_own_is_reachable(tokenizer, tmp_path):
    checkpoints.save(classifier(), tokenizer, tmp_path / "model")
    assert from_notebook("reachable")(str(tmp_path / "model")) == str(tmp_path / "model")


# Out of the course's code and into it


@pytest.mark.parametrize("num_classes", [2, 3])
def test_our_classifier_gives_the_same_probabilities_in_the_pipeline(num_classes, tokenizer, tmp_path):
    model = classifier(num_classes)
    checkpoints.save(model, tokenizer, tmp_path / "model")
    classify = transformers.pipeline("text-classification", str(tmp_path / "model"), device="cpu")
    ours = predict(model, TEXTS, tokenizer)
    assert ours.std(dim=0).min() > 1e-4, "texts that all get the same answer would prove nothing"
    for batch_size in (1, 4):  # alone, and padded among others
        theirs = probabilities_of(classify(TEXTS, top_k=None, batch_size=batch_size))
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_the_librarys_classifier_becomes_ours(tokenizer, tmp_path):
    torch.manual_seed(2)
    config = transformers.BertConfig(
        vocab_size=len(WORDS), hidden_size=12, num_hidden_layers=2, num_attention_heads=3,
        intermediate_size=20, max_position_embeddings=16, num_labels=3, initializer_range=0.5,
    )  # fmt: skip
    theirs = transformers.BertForSequenceClassification(config).eval()
    ours = checkpoints.from_transformers(theirs)
    assert type(ours) is BertForClassification and not ours.training
    batch = tokenizer.encode_batch(TEXTS)
    names = {"ids": "input_ids", "type_ids": "token_type_ids", "attention_mask": "attention_mask"}
    with torch.no_grad():
        expected = theirs(**{names[name]: values for name, values in batch.items()}).logits.softmax(dim=-1)
    torch.testing.assert_close(predict(ours, TEXTS, tokenizer), expected, atol=1e-5, rtol=0)
    # and the way back into the pipeline
    checkpoints.save(ours, tokenizer, tmp_path / "model")
    classify = transformers.pipeline("text-classification", str(tmp_path / "model"), device="cpu")
    torch.testing.assert_close(probabilities_of(classify(TEXTS, top_k=None)), expected, atol=1e-5, rtol=0)


def test_a_newer_encoder_is_refused_with_its_name():
    config = transformers.ModernBertConfig(
        vocab_size=len(WORDS), hidden_size=12, intermediate_size=20, num_hidden_layers=1,
        num_attention_heads=3, pad_token_id=0, bos_token_id=2, eos_token_id=3, cls_token_id=2, sep_token_id=3,
    )  # fmt: skip
    with pytest.raises(CheckpointError, match="no plain BERT encoder: its model_type is 'modernbert'"):
        checkpoints.from_transformers(transformers.ModernBertForSequenceClassification(config))


def test_exporting_with_another_vocabulary_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="do not belong together"):
        checkpoints.save(classifier(), WordPieceTokenizer(WORDS[:-1]), tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_text_of_2000_tokens_is_cut_alike(tokenizer, tmp_path):
    model, endless = classifier(), "the river is deep, " * 400
    checkpoints.save(model, tokenizer, tmp_path / "model")
    classify = transformers.pipeline("text-classification", str(tmp_path / "model"), device="cpu")
    theirs = probabilities_of(classify([endless], top_k=None, truncation=True))
    with pytest.warns(TruncationWarning, match="1 of 1 texts are longer than 16 tokens and were cut"):
        ours = predict(model, [endless], tokenizer, max_length=16)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    with pytest.raises((RuntimeError, IndexError)):
        classify([endless])


# Training that was interrupted


class Stop(transformers.TrainerCallback):
    """Ends a training after its second step, having saved it."""

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == 2:
            control.should_save = control.should_training_stop = True


def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(tokenizer, tmp_path):
    ids = [tokenizer.encode(text).ids for text in TEXTS[:2] + TEXTS[3:]] * 4
    columns = {
        "input_ids": ids,
        "attention_mask": [[1] * len(row) for row in ids],
        "labels": [0, 1, 2, 1] * 4,
    }
    checkpoints.save(classifier(), tokenizer, tmp_path / "model")

    def trainer(folder, *callbacks):
        arguments = transformers.TrainingArguments(
            output_dir=str(tmp_path / folder), max_steps=4, per_device_train_batch_size=4,
            learning_rate=1e-2, train_sampling_strategy="group_by_length", save_strategy="no",
            use_cpu=True, report_to="none", seed=0,
        )  # fmt: skip
        words = transformers.AutoTokenizer.from_pretrained(tmp_path / "model")
        model = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
        made = transformers.Trainer(
            model, arguments, train_dataset=Dataset.from_dict(columns), processing_class=words,
            callbacks=list(callbacks),
        )  # fmt: skip
        made.remove_callback(transformers.PrinterCallback)
        return made

    whole = trainer("whole")  # making a trainer sets the seed, so each is trained as soon as it is made
    whole.train()
    first = trainer("parts", Stop())
    first.train()
    assert first.state.global_step == 2
    second = trainer("parts")
    second.train(resume_from_checkpoint=True)
    assert second.state.global_step == 4
    before, after = whole.model.state_dict(), second.model.state_dict()
    assert not torch.equal(first.model.classifier.weight, second.model.classifier.weight)
    for name in before:
        torch.testing.assert_close(after[name], before[name], atol=1e-6, rtol=0, msg=name)


# What the library says, and what it does without a word


def definitions(*names):
    """The notebook's functions and constants of these names, with its imports, in one namespace."""
    namespace = {"data": data, "torch": torch}
    for cell in NOTEBOOK.cells:
        if cell.cell_type != "code" or cell.source.startswith("# Set-up"):
            continue
        for node in ast.parse(cell.source).body:
            is_import = isinstance(node, ast.Import | ast.ImportFrom)
            bound = getattr(node, "name", None) or getattr(
                (getattr(node, "targets", None) or [None])[0], "id", None
            )
            if is_import or bound in names:
                exec(ast.get_source_segment(cell.source, node), namespace)
    return namespace


def test_the_load_report_is_caught_and_the_silence_comes_back(tokenizer, tmp_path, capfd):
    from transformers.utils import logging

    ours = classifier()
    checkpoints.save(ours.bert, tokenizer, tmp_path / "encoder")
    said_while = definitions("said_while")["said_while"]
    said_while.__globals__.update(source=str(tmp_path), CHECKPOINT="here")
    before = logging.get_verbosity()

    def load():
        transformers.BertForSequenceClassification.from_pretrained(tmp_path / "encoder", num_labels=2)

    report = said_while(load)
    for words in (
        "LOAD REPORT from: here",
        "classifier.weight",
        "classifier.bias",
        "MISSING",
        "newly initialized",
    ):
        assert words in report
    assert "\x1b" not in report and str(tmp_path) not in report
    with pytest.raises(ZeroDivisionError):
        said_while(lambda: 1 / 0)
    assert logging.get_verbosity() == before and capfd.readouterr().err == ""


def test_predictions_of_a_trainer_that_groups_by_length():
    names = definitions("TINY", "BY_LENGTH", "test_answers_in_order", "answers_in_order")
    names["test_answers_in_order"](names["answers_in_order"])
    arguments = transformers.TrainingArguments(use_cpu=True, report_to="none", **names["BY_LENGTH"])

    class Fails:
        args = arguments

        def predict(self, dataset):
            assert arguments.train_sampling_strategy == "random"
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        names["answers_in_order"](Fails(), None)
    assert arguments.train_sampling_strategy == "group_by_length"  # as it was, whatever happened


def test_accumulated_steps_of_the_installed_version():
    names = definitions(
        "TINY", "EIGHT", "ONE_STEP", "one_step", "test_accumulation", "wrong_accumulation_as_it_comes",
        "dividing_trainer", "CLASS_WEIGHTS", "weighted_loss", "weighted_trainer",
    )  # fmt: skip
    one_step, as_it_comes = names["one_step"], names["wrong_accumulation_as_it_comes"]
    (loss, norm), (accumulated_loss, accumulated_norm) = (
        one_step(as_it_comes, 8, 1),
        one_step(as_it_comes, 2, 4),
    )
    assert accumulated_loss == pytest.approx(4 * loss, rel=1e-3), (
        "the library is mended: notebook 11 says otherwise"
    )
    assert accumulated_norm == pytest.approx(4 * norm, rel=1e-3)
    for make_trainer in (names["dividing_trainer"], names["weighted_trainer"]):
        names["test_accumulation"](make_trainer)

    def with_the_older_name(tiny, asked, dataset):
        made = transformers.Trainer(tiny, asked, train_dataset=dataset)
        made.model_accepts_loss_kwargs = False
        return made

    names["test_accumulation"](with_the_older_name)


def test_weighted_loss_against_pytorch():
    names = definitions("CLASS_WEIGHTS", "weighted_loss", "test_class_weights")
    names["test_class_weights"](names["weighted_loss"])
    torch.manual_seed(0)
    logits, classes = torch.randn(6, 2), torch.tensor([0, 1, 1, 0, 0, 1])
    weight = torch.tensor(names["CLASS_WEIGHTS"])
    answered = transformers.modeling_outputs.SequenceClassifierOutput(logits=logits)
    mean = nn.functional.cross_entropy(logits, classes, weight=weight)
    expected = mean * weight[classes].sum() / len(classes)  # PyTorch divides by the sum of the weights
    torch.testing.assert_close(names["weighted_loss"](answered, classes), expected)
    torch.testing.assert_close(names["weighted_loss"](answered, classes, 12), expected / 2)


# The notebook's own functions


def test_batches_by_length_keep_the_order_of_the_texts(tokenizer, tmp_path):
    model = classifier()
    checkpoints.save(model, tokenizer, tmp_path / "model")
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    words = transformers.AutoTokenizer.from_pretrained(tmp_path / "model")
    classify_all = from_notebook("classify_all")
    texts = TEXTS * 20
    expected = predict(model, texts, tokenizer)
    computed = {}
    for by_length in (False, True):
        probabilities, computed[by_length], seconds = classify_all(theirs, words, texts, by_length)
        torch.testing.assert_close(probabilities, expected, atol=1e-5, rtol=0)
        assert seconds > 0
    real = sum(len(tokenizer.encode(text).ids) for text in texts)
    assert real <= computed[True] < computed[False]


def test_kept_bytes_by_hand():
    class Once(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(3, 4, bias=False)

        def forward(self, x):
            return self.linear(x).exp()  # keeps x for the weights' gradient, and the result of exp

    assert from_notebook("kept_bytes")(Once(), {"x": torch.ones(5, 3)}) == 4 * (5 * 3 + 5 * 4)


def test_coverage_by_hand():
    function = from_notebook("coverage_and_accuracy")
    probabilities = torch.tensor([[0.9, 0.1], [0.4, 0.6], [0.45, 0.55], [0.2, 0.8]])
    labels = torch.tensor([0, 0, 1, 1])
    for threshold, coverage, accuracy in ((0.5, 1.0, 0.75), (0.6, 0.75, 2 / 3), (0.7, 0.5, 1.0)):
        found = function(probabilities, labels, threshold)
        assert math.isclose(found[0], coverage, rel_tol=1e-6), threshold
        assert math.isclose(found[1], accuracy, rel_tol=1e-6), threshold


def test_eight_bits_change_the_logits_a_little_and_the_weights_much():
    theirs = checkpoints.to_transformers(classifier())
    before = {name: values.clone() for name, values in theirs.state_dict().items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copies = from_notebook("smaller_copies")(theirs)
    assert {"32 bits", "bfloat16"} < set(copies), "no way to int8 was found"
    ids = torch.tensor([[2, 5, 6, 7, 9, 3]])
    with torch.inference_mode():
        exact = theirs(input_ids=ids).logits.softmax(dim=-1)
        for name, smaller in copies.items():
            found = smaller(input_ids=ids).logits.float().softmax(dim=-1)
            difference = (found - exact).abs().max()
            assert difference < 0.1 and (name == "32 bits") == bool(difference < 1e-7), name
    assert all(torch.equal(before[name], values) for name, values in theirs.state_dict().items())


ASIDE = ("plt.", "at_home", "said_while", "def test_", "must_fail(")  # cells that draw, report or check


def test_the_job_is_as_short_as_it_says():
    """From the tokenizer to the pipeline, without what prints, draws and checks: about eighty lines."""
    sources = [cell.source for cell in NOTEBOOK.cells]
    first, last = (
        next(i for i, text in enumerate(sources) if mark in text)
        for mark in ("## The whole job", "### Loading")
    )
    lines = [
        line.strip()
        for cell in NOTEBOOK.cells[first:last]
        if cell.cell_type == "code" and not any(mark in cell.source for mark in ASIDE)
        for line in cell.source.split("\n")
    ]
    code = [line for line in lines if line and not line.startswith(("#", "print(", "assert "))]
    assert 55 <= len(code) <= 80, len(code)
