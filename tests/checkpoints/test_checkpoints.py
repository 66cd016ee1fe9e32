"""Weights in and out: folders open here and in the library, and nothing broken passes for a checkpoint."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from helpers import checkpoints, data
from helpers.checkpoints import CheckpointError, folders, places
from helpers.classification import BertForClassification
from helpers.encoder import Bert, BertConfig
from helpers.pretraining import BertForPreTraining
from helpers.tagging import BertForTagging
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

ROOT = Path(__file__).resolve().parents[2]
WORDS = [*SPECIAL_TOKENS, "the", "river", "bank", "##s", "is", "wide", ",", "é"]
SMALL = BertConfig(
    vocab_size=len(WORDS), hidden_size=12, num_layers=2, num_heads=3, intermediate_size=20, max_positions=16,
    num_segments=2, init_std=None,
)  # fmt: skip
TEXTS = ["the river banks", "The bank, the river, is WIDE"]


pytestmark = pytest.mark.usefixtures("quiet_libraries")


@pytest.fixture
def tokenizer():
    return WordPieceTokenizer(WORDS)


def small(kind="encoder", config=SMALL):
    torch.manual_seed(1)
    bert = Bert(config)
    with torch.no_grad():  # LayerNorm and biases too: a lost one must show
        for parameter in bert.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    model = {
        "encoder": lambda: bert,
        "pretraining": lambda: BertForPreTraining(bert),
        "classification": lambda: BertForClassification(bert, 3),
        "tagging": lambda: BertForTagging(bert, 5),
    }[kind]()
    if kind == "pretraining":
        torch.nn.init.normal_(model.token_bias)
    if kind == "tagging":
        for parameter in bert.pooler.parameters():  # no checkpoint of a tagger has any other
            torch.nn.init.zeros_(parameter)
    return model.eval()


def same_state(first, second):
    first, second = first.state_dict(), second.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def theirs_of(batch):
    """A batch under the library's names."""
    return {
        "input_ids": batch["ids"],
        "token_type_ids": batch["type_ids"],
        "attention_mask": batch["attention_mask"],
    }


def snapshot(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# Folders


@pytest.mark.parametrize("kind", ["encoder", "pretraining", "classification", "tagging"])
def test_a_saved_model_comes_back(kind, tokenizer, tmp_path):
    model = small(kind)
    checkpoints.save(model, tokenizer, tmp_path / "new" / "model")
    loaded, words = checkpoints.load(tmp_path / "new" / "model")
    assert type(loaded) is type(model) and not loaded.training
    assert same_state(loaded, model)
    assert checkpoints.encoder_of(loaded).config == checkpoints.encoder_of(model).config
    assert words.vocabulary == WORDS
    assert {p.name for p in (tmp_path / "new").iterdir()} == {"model"}, "nothing unfinished is left"
    assert {p.name for p in (tmp_path / "new" / "model").iterdir()} == set(checkpoints.FILES)
    loaded.train()(**tokenizer.encode_batch(TEXTS))[0].sum().backward()  # it can be trained on


def test_a_class_defined_elsewhere_under_the_same_name_can_be_saved(tokenizer, tmp_path):
    learners_own = type("Bert", (Bert,), {})
    model = learners_own(SMALL)
    checkpoints.save(model, tokenizer, tmp_path / "model")
    assert same_state(checkpoints.load(tmp_path / "model")[0], model)
    with pytest.raises(CheckpointError, match="Other has no counterpart in the library: use Bert, "):
        checkpoints.save(type("Other", (Bert,), {})(SMALL), tokenizer, tmp_path / "other")


@pytest.mark.parametrize(
    "options",
    [{}, {"lowercase": False}, {"strip_accents": False}, {"lowercase": False, "split_chinese": False}],
    ids=str,
)
def test_tokenizer_options_come_back_and_are_the_librarys(options, tmp_path):
    vocabulary = [*WORDS, "É", "e", "The", "中"]
    config = BertConfig(**{**SMALL.__dict__, "vocab_size": len(vocabulary)})
    checkpoints.save(Bert(config), WordPieceTokenizer(vocabulary, **options), tmp_path / "model")
    ours = checkpoints.load(tmp_path / "model")[1]
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "model")
    assert len(theirs) == len(vocabulary) and theirs.model_max_length == SMALL.max_positions
    for text in ["The É é, the bank", "the 中 中the", "[MASK] unknown"]:
        assert ours.encode(text).ids == theirs(text)["input_ids"], text
        assert ours.tokenize(text) == WordPieceTokenizer(vocabulary, **options).tokenize(text)


def test_the_library_opens_a_saved_encoder(tokenizer, tmp_path):
    model = small()
    checkpoints.save(model, tokenizer, tmp_path / "model")
    reference = transformers.AutoModel.from_pretrained(tmp_path / "model")
    words = transformers.AutoTokenizer.from_pretrained(tmp_path / "model")
    assert type(reference) is transformers.BertModel
    with torch.no_grad():
        ours = model(**tokenizer.encode_batch(TEXTS))
        theirs = reference(**words(TEXTS, padding=True, return_tensors="pt"))
    torch.testing.assert_close(ours.last_hidden_state, theirs.last_hidden_state, atol=1e-6, rtol=0)
    torch.testing.assert_close(ours.pooled_output, theirs.pooler_output, atol=1e-6, rtol=0)


def test_the_library_opens_minilm_saved_by_us(tmp_path):
    model, tokenizer = checkpoints.load("minilm")
    checkpoints.save(model, tokenizer, tmp_path / "model")
    reference = transformers.AutoModel.from_pretrained(tmp_path / "model")
    original = transformers.BertModel.from_pretrained(data.fetch("minilm"))
    assert same_state(reference, original)
    again, _ = checkpoints.load(tmp_path / "model")
    assert same_state(again, model)
    assert type(again) is Bert and again.config.num_layers == 6 and again.config.hidden_size == 384


@pytest.mark.parametrize(
    "auto", [transformers.AutoModelForPreTraining, transformers.AutoModelForMaskedLM], ids=["both", "mlm"]
)
def test_the_library_opens_the_pretraining_heads(auto, tokenizer, tmp_path):
    model = small("pretraining")
    checkpoints.save(model, tokenizer, tmp_path / "model")
    reference = auto.from_pretrained(tmp_path / "model").eval()
    batch = tokenizer.encode_batch(TEXTS)
    with torch.no_grad():
        ours, theirs = model(**batch), reference(**theirs_of(batch))
    logits = theirs["prediction_logits"] if "prediction_logits" in theirs else theirs["logits"]
    torch.testing.assert_close(ours.token_logits, logits, atol=1e-5, rtol=0)
    if "seq_relationship_logits" in theirs:
        torch.testing.assert_close(ours.next_logits, theirs["seq_relationship_logits"], atol=1e-5, rtol=0)


def test_a_pipeline_of_the_library_runs_a_saved_classifier(tokenizer, tmp_path):
    model = small("classification")
    checkpoints.save(model, tokenizer, tmp_path / "model")
    classify = transformers.pipeline("text-classification", str(tmp_path / "model"), device="cpu", top_k=None)
    with torch.no_grad():
        ours = model(**tokenizer.encode_batch(TEXTS)).softmax(dim=-1)
    for row, answers in zip(ours, classify(TEXTS), strict=True):
        theirs = {answer["label"]: answer["score"] for answer in answers}
        assert theirs == pytest.approx({f"LABEL_{i}": p.item() for i, p in enumerate(row)}, abs=1e-5)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (transformers.BertModel, Bert),
        (transformers.BertForPreTraining, BertForPreTraining),
        (transformers.BertForSequenceClassification, BertForClassification),
    ],
)
def test_a_folder_written_by_the_library_opens(theirs, ours, tokenizer, tmp_path):
    torch.manual_seed(2)
    config = transformers.BertConfig(
        vocab_size=len(WORDS), hidden_size=12, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=16, num_labels=4,
    )  # fmt: skip
    reference = theirs(config).eval()
    reference.save_pretrained(tmp_path)
    tokenizer.save(tmp_path / "vocab.txt")
    model, _ = checkpoints.load(tmp_path)
    assert type(model) is ours
    assert same_state(model, checkpoints.from_transformers(reference))
    batch = tokenizer.encode_batch(TEXTS)
    with torch.no_grad():
        result, wanted = model(**batch), reference(**theirs_of(batch))
    result = result if torch.is_tensor(result) else result[0]
    torch.testing.assert_close(result, wanted[0], atol=1e-5, rtol=0)


def test_half_precision_is_loaded_as_single(tokenizer, tmp_path):
    checkpoints.save(small().half(), tokenizer, tmp_path / "model")
    assert {t.dtype for t in load_file(tmp_path / "model" / "model.safetensors").values()} == {torch.float16}
    loaded, _ = checkpoints.load(tmp_path / "model")
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    assert same_state(loaded, small().half().float())


def test_the_first_checkpoints_names_are_understood(tokenizer, tmp_path):
    """As in bert-base-uncased: gamma and beta, the masked-language-model's class, all under `bert.`."""
    checkpoints.save(small("pretraining"), tokenizer, tmp_path)
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): t
        for name, t in load_file(tmp_path / "model.safetensors").items()
    }
    assert "bert.embeddings.LayerNorm.gamma" in old and "bert.embeddings.LayerNorm.weight" not in old
    save_file(old, tmp_path / "model.safetensors")
    (tmp_path / "SHA256SUMS").unlink()
    assert same_state(checkpoints.load(tmp_path)[0], small("pretraining"))
    edit_config(tmp_path, architectures=["BertForMaskedLM"])
    assert same_state(checkpoints.load(tmp_path)[0], small())
    with_heads, _ = checkpoints.load(tmp_path, architecture="BertForPreTraining")
    assert same_state(with_heads, small("pretraining"))  # both heads, though config.json names one


def test_heads_that_are_not_there_are_named(tokenizer, tmp_path):
    checkpoints.save(small(), tokenizer, tmp_path / "encoder")
    with pytest.raises(
        CheckpointError, match="encoder can't be used: the weight cls.predictions.* is missing"
    ):
        checkpoints.load(tmp_path / "encoder", architecture="BertForPreTraining")


def test_loading_does_not_touch_the_random_state(tokenizer, tmp_path):
    checkpoints.save(small("classification"), tokenizer, tmp_path / "model")
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    checkpoints.load(tmp_path / "model")
    assert torch.equal(torch.rand(3), wanted)


# Both ways without a folder


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["encoder", "pretraining", "classification", "tagging"])
def test_to_the_library_and_back(kind, dtype):
    model = small(kind).to(dtype).train()
    with torch.no_grad():
        for parameter in model.parameters():  # digits that fp32 does not hold
            parameter.mul_(1 + 1e-12 if dtype == torch.float64 else 1)
    reference = checkpoints.to_transformers(model)
    assert reference.training and {p.dtype for p in reference.parameters()} == {dtype}
    again = checkpoints.from_transformers(reference)
    assert again.training and type(again) is type(model) and same_state(again, model)
    with torch.no_grad():
        next(reference.parameters()).zero_()
    assert same_state(again, model), "the weights are copies"


def test_a_tagger_goes_without_its_pooler(tokenizer, tmp_path):
    """The library's class has none: it is neither converted nor saved, and comes back as zeros."""
    model = small("tagging")
    torch.nn.init.ones_(model.bert.pooler.weight)
    model.bert.embeddings.requires_grad_(False)
    reference = checkpoints.to_transformers(model)
    assert type(reference) is transformers.BertForTokenClassification
    checkpoints.save(model, tokenizer, tmp_path / "model")
    opened = transformers.AutoModelForTokenClassification.from_pretrained(tmp_path / "model").eval()
    assert same_state(opened, reference) and not any("pooler" in name for name in reference.state_dict())
    for again in (checkpoints.from_transformers(reference), checkpoints.load(tmp_path / "model")[0]):
        assert not any(weight.any() for weight in again.bert.pooler.parameters())
        batch = tokenizer.encode_batch(TEXTS)
        with torch.no_grad():
            torch.testing.assert_close(again(**batch), model(**batch), atol=0, rtol=0)
            torch.testing.assert_close(again(**batch), opened(**theirs_of(batch)).logits, atol=1e-6, rtol=0)
    frozen = checkpoints.from_transformers(reference).bert
    assert not frozen.embeddings.token.weight.requires_grad and frozen.pooler.weight.requires_grad


def test_names_of_tags_come_back(tokenizer, tmp_path):
    model = BertForTagging(Bert(SMALL), 2, 0.3, labels=["O", "B-who"]).eval()
    checkpoints.save(model, tokenizer, tmp_path / "model")
    again = checkpoints.load(tmp_path / "model")[0]
    assert again.labels == ("O", "B-who") and again.dropout.p == 0.3
    tag = transformers.pipeline(
        "token-classification", str(tmp_path / "model"), device="cpu", ignore_labels=[]
    )
    with torch.no_grad():
        ours = model(**tokenizer.encode_batch(["the bank"]))[0, 1:-1].argmax(dim=-1)
    assert [answer["entity"] for answer in tag("the bank")] == [model.labels[tag] for tag in ours]


def test_other_classes_give_the_bare_encoder():
    reference = transformers.BertForNextSentencePrediction(
        transformers.BertConfig(**checkpoints.their_config(small()))
    )
    model = checkpoints.from_transformers(reference)
    assert type(model) is Bert
    assert torch.equal(model.pooler.weight, reference.bert.pooler.dense.weight)


def test_a_model_without_a_pooler_is_refused():
    config = transformers.BertConfig(**checkpoints.their_config(small()))
    with pytest.raises(CheckpointError, match="pooler.dense.weight is missing"):
        checkpoints.from_transformers(transformers.BertForMaskedLM(config))


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        (transformers.RobertaModel, {}, "model_type is 'roberta', and only 'bert'"),
        (transformers.BertModel, {"hidden_act": "gelu_new"}, "hidden_act is 'gelu_new', and only 'gelu'"),
        (transformers.BertModel, {"is_decoder": True}, "is_decoder is True"),
    ],
)
def test_what_is_no_plain_bert_is_refused(kind, settings, words):
    config = kind.config_class(
        vocab_size=20, hidden_size=12, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        **settings,
    )  # fmt: skip
    with pytest.raises(CheckpointError, match=words):
        checkpoints.from_transformers(kind(config))


# Nothing broken passes for a checkpoint


def edit_config(folder, **settings):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | settings))
    (folder / "SHA256SUMS").unlink(missing_ok=True)


@pytest.fixture
def saved(tokenizer, tmp_path):
    folder = tmp_path / "my-model"
    checkpoints.save(small(), tokenizer, folder)
    (folder / "SHA256SUMS").unlink()  # as in older folders: everything is found without it, too
    return folder


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "vocab.txt"])
def test_a_missing_file_is_named(saved, name):
    (saved / name).unlink()
    with pytest.raises(CheckpointError, match=f"my-model is no complete checkpoint: {name} is missing"):
        checkpoints.load(saved)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer_config.json"])
def test_a_file_cut_short_is_named(saved, name, share):
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[: int(len(content.rstrip()) * share)])
    with pytest.raises(CheckpointError, match=f"{name} of .*my-model can't be read .* Save or fetch it anew"):
        checkpoints.load(saved)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\n".join(w.encode() for w in WORDS[:9]) + b"\n", "vocabulary has 9 entries, the model has 13"),
        ("\n".join([*WORDS, "more"]).encode(), "vocabulary has 14 entries, the model has 13"),
        ("\n".join(WORDS[1:]).encode(), r"vocab.txt of .* can't be read .*\[PAD\]"),
        ("\n".join(WORDS).encode()[:-1], "vocab.txt of .* can't be read .*utf-8"),
    ],
    ids=["cut short", "too long", "no [PAD]", "half a character"],
)
def test_a_vocabulary_that_does_not_fit_is_refused(saved, content, words):
    (saved / "vocab.txt").write_bytes(content)
    with pytest.raises(CheckpointError, match=words):
        checkpoints.load(saved)


def test_saving_with_a_vocabulary_of_another_size_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="vocabulary has 14 entries, the model has 13"):
        checkpoints.save(small(), WordPieceTokenizer([*WORDS, "more"]), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"model_type": "roberta"}, "my-model can't be used: .* model_type is 'roberta'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type is 'relative_key'"),
        ({"hidden_size": 24}, r"embeddings.word_embeddings.weight has the shape \(13, 12\), .* \(13, 24\)"),
        ({"num_hidden_layers": 3}, "weight encoder.layer.2.attention.self.query.weight is missing"),
        ({"num_attention_heads": 5}, "12 can't be shared out evenly among 5 heads"),
        ({"num_hidden_layers": "two"}, "my-model can't be used"),
        ({"architectures": ["BertForPreTraining"]}, "weight cls.predictions.bias is missing"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(saved, settings, words):
    edit_config(saved, **settings)
    with pytest.raises(CheckpointError, match=words):
        checkpoints.load(saved)


def test_a_configuration_that_is_no_object_is_refused(saved):
    (saved / "config.json").write_text("[1, 2]")
    with pytest.raises(CheckpointError, match="config.json of .* can't be read .expected a JSON object"):
        checkpoints.load(saved)


# A good folder survives


@pytest.mark.parametrize(("module", "step"), [(folders, "save_file"), (places, "replace_folder")])
def test_a_failure_while_saving_leaves_the_older_folder(saved, tokenizer, monkeypatch, module, step):
    before = snapshot(saved)

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, step, fail)
    with pytest.raises(CheckpointError, match="my-model can't be written .*No space left.*Make room"):
        checkpoints.save(small("classification"), tokenizer, saved)
    assert snapshot(saved) == before
    assert [p.name for p in saved.parent.iterdir()] == ["my-model"], "nothing unfinished is left"


def test_a_failure_between_the_two_renames_puts_the_older_folder_back(saved, tokenizer, monkeypatch):
    before, rename = snapshot(saved), Path.rename

    def fail(path, target):
        if Path(target) == saved and path.name != ".my-model-old":
            raise PermissionError("in use")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(CheckpointError, match="my-model can't be written .in use.* where you may write"):
        checkpoints.save(small("classification"), tokenizer, saved)
    assert snapshot(saved) == before and [p.name for p in saved.parent.iterdir()] == ["my-model"]


@pytest.mark.parametrize("then", ["load", "save"])
def test_a_crash_between_the_two_renames_loses_nothing(saved, tokenizer, then):
    saved.rename(saved.with_name(".my-model-old"))  # what a power cut would leave
    if then == "save":
        checkpoints.save(small("classification"), tokenizer, saved)
        assert type(checkpoints.load(saved)[0]) is BertForClassification
    else:
        assert same_state(checkpoints.load(saved)[0], small())
    assert [p.name for p in saved.parent.iterdir()] == ["my-model"]


def test_a_killed_process_leaves_a_whole_folder(saved):
    """Whatever moment SIGKILL hits, the folder loads and holds one of the two models, not a mixture."""
    script = (
        "import sys, torch; from helpers import checkpoints\n"
        "model, tokenizer = checkpoints.load(sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    with torch.no_grad():\n"
        "        for p in model.parameters(): p.add_(1)\n"
        "    checkpoints.save(model, tokenizer, sys.argv[1])\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, saved], cwd=ROOT, stdout=subprocess.PIPE)
    process.stdout.readline()
    time.sleep(0.3)
    process.kill()
    process.wait()
    process.stdout.close()
    loaded, _ = checkpoints.load(saved)
    steps = {
        round((a - b).mean().item()) for a, b in zip(loaded.parameters(), small().parameters(), strict=True)
    }
    assert len(steps) == 1 and steps != {0}, steps


def test_saving_over_other_files_is_refused(tokenizer, tmp_path):
    (tmp_path / "thesis.txt").write_text("three years of work")
    with pytest.raises(CheckpointError, match=r"holds more than a checkpoint \(thesis.txt\)"):
        checkpoints.save(small(), tokenizer, tmp_path)
    with pytest.raises(CheckpointError, match="is a file, not a folder"):
        checkpoints.save(small(), tokenizer, tmp_path / "thesis.txt")
    assert snapshot(tmp_path) == {"thesis.txt": b"three years of work"}


def test_saving_into_an_empty_folder_or_the_current_one(tokenizer, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    checkpoints.save(small(), tokenizer, ".")
    assert same_state(checkpoints.load(tmp_path / "here")[0], small())


def test_saving_what_was_loaded_into_its_own_folder(saved, tokenizer):
    model, _ = checkpoints.load(saved)
    checkpoints.save(model, tokenizer, saved)
    assert same_state(checkpoints.load(saved)[0], model)


# Names that lead nowhere


@pytest.mark.parametrize(
    "name", ["./nothing", "/no/such/folder", "~/no-such-model-here", "a/b/c", Path("nothing")]
)
def test_a_folder_that_is_not_there(name):
    with pytest.raises(CheckpointError, match="there is no folder .* check the path"):
        checkpoints.load(name)


@pytest.mark.parametrize(
    "surroundings",
    [
        {"HF_HUB_OFFLINE": "1"},
        {"HF_HUB_OFFLINE": "0", "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"},
    ],
    ids=["offline", "dead proxy"],
)
def test_a_hub_that_cannot_be_reached(surroundings, tmp_path):
    """In a process of its own: the hub's client reads the variables when it is imported."""
    script = (
        "from helpers import checkpoints\n"
        "try: checkpoints.load('bert-base-uncased')\n"
        "except checkpoints.CheckpointError as error: print(error)\n"
    )
    proxies = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=proxies | {"HF_HOME": str(tmp_path)} | surroundings,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "'bert-base-uncased' is no folder here, and the model hub did not give it" in result.stdout
    assert "use 'minilm', which needs no hub" in result.stdout
    assert result.stderr == ""


def test_a_model_of_the_hub(saved, monkeypatch):
    """What the hub's client fetches is asked for by name, and an incomplete model is called by its name."""
    asked = []

    def fetched(name, allow_patterns):
        asked.append((name, sorted(allow_patterns)))
        return str(saved)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetched)
    assert same_state(checkpoints.load("someone/some-bert")[0], small())
    assert asked == [("someone/some-bert", sorted([*checkpoints.FILES, "tokenizer.json"]))]
    (saved / "model.safetensors").unlink()
    with pytest.raises(
        CheckpointError, match="^someone/some-bert is no complete .* model.safetensors is missing"
    ):
        checkpoints.load("someone/some-bert")
