"""Checkpoint folders that were changed, damaged or written by others: read rightly, or refused by name."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from helpers import checkpoints
from helpers.checkpoints import CheckpointError
from helpers.classification import BertForClassification
from helpers.encoder import Bert, BertConfig
from helpers.pretraining import BertForPreTraining
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

ROOT = Path(__file__).resolve().parents[2]
WORDS = ["the", "river", "bank", "##s", "is", "wide", ",", "é", "The", "e"]
SHAPE = {"hidden_size": 12, "num_layers": 2, "num_heads": 3, "intermediate_size": 20, "max_positions": 16}
TEXTS = ["the river banks", "The É bank, the [MASK]", "中 unknown"]
NAMES = ["model.safetensors", "config.json", "vocab.txt", "tokenizer_config.json"]

pytestmark = pytest.mark.usefixtures("quiet_libraries")


def make(vocabulary=(*SPECIAL_TOKENS, *WORDS), head=None, **options):
    """A small model of ours and its tokenizer; the model knows where [PAD] is."""
    tokenizer = WordPieceTokenizer(vocabulary, **options)
    torch.manual_seed(1)
    bert = Bert(BertConfig(len(vocabulary), **SHAPE, pad_token_id=tokenizer.id_of["[PAD]"]))
    return (head(bert) if head else bert).eval(), tokenizer


@pytest.fixture
def saved(tmp_path):
    folder = tmp_path / "my-model"
    checkpoints.save(*make(), folder)
    return folder


@pytest.fixture
def without_sums(saved):
    (saved / "SHA256SUMS").unlink()
    return saved


def edit(folder, name="config.json", **entries):
    content = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps(content | entries))


def same_state(first, second):
    first, second = first.state_dict(), second.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


# What was saved comes back, and nothing else


def test_the_sums_are_those_of_sha256sum(saved):
    tool = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=saved, capture_output=True, text=True)
    assert tool.returncode == 0 and tool.stdout.count(": OK") == len(NAMES), tool.stderr


@pytest.mark.parametrize("name", checkpoints.OWN)
def test_the_courses_own_checkpoints_have_sums_and_come_out_as_they_are(name, tmp_path):
    folder = checkpoints.CHECKPOINTS / name
    assert {path.name for path in folder.iterdir()} == set(checkpoints.FILES)
    model, tokenizer = checkpoints.load(name)
    stored = next(iter(load_file(folder / "model.safetensors").values())).dtype
    checkpoints.save(model, tokenizer, tmp_path / name, stored)
    for file in checkpoints.FILES:
        assert (tmp_path / name / file).read_bytes() == (folder / file).read_bytes(), file


@pytest.mark.parametrize("name", [*NAMES, "SHA256SUMS"])
def test_any_flipped_bit_is_noticed(saved, name):
    content, dice = (saved / name).read_bytes(), random.Random(0)
    for bit in [0, 8 * len(content) - 1, *(dice.randrange(8 * len(content)) for _ in range(60))]:
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        (saved / name).write_bytes(damaged)
        with pytest.raises(CheckpointError, match=f"(?s)my-model (is not|can't be).*{name}|{name} of "):
            checkpoints.load(saved)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(name=st.sampled_from([*NAMES, "SHA256SUMS"]), data=st.data())
def test_a_damaged_file_without_sums_is_read_or_named(without_sums, name, data):
    """Cut, overwritten or replaced by noise, a file gives a model of the right shape or a CheckpointError."""
    path = without_sums / name
    content = path.read_bytes() if path.exists() else b""
    start = data.draw(st.integers(0, len(content)))
    noise = data.draw(st.binary(max_size=20))
    rest = data.draw(st.sampled_from([b"", content[start + len(noise) :]]))
    try:
        path.write_bytes(content[:start] + noise + rest)
        model, _ = checkpoints.load(without_sums)
    except CheckpointError as error:
        assert "my-model" in str(error)
    else:
        assert model(torch.tensor([[2, 3]])).last_hidden_state.shape[:2] == (1, 2)
    finally:
        path.write_bytes(content) if content else path.unlink(missing_ok=True)


@pytest.mark.parametrize("name", [*NAMES, "SHA256SUMS"])
@pytest.mark.parametrize("what", ["empty", "a folder", "missing"])
def test_a_file_that_is_empty_a_folder_or_missing_is_named(saved, name, what):
    (saved / name).unlink()
    if what == "empty":
        (saved / name).write_bytes(b"")
    elif what == "a folder":
        (saved / name).mkdir()
    elif name == "SHA256SUMS":
        return  # folders of others have none
    with pytest.raises(CheckpointError, match=f"my-model.*{name}|{name} of .*my-model"):
        checkpoints.load(saved)
    if (saved / "SHA256SUMS").is_file() and name != "SHA256SUMS":
        (saved / "SHA256SUMS").unlink()
        if not (what == "missing" and name == "tokenizer_config.json"):  # that one may be missing
            with pytest.raises(CheckpointError, match=f"my-model.*{name}|{name} of .*my-model"):
                checkpoints.load(saved)


@pytest.mark.parametrize("with_sums", [True, False])
@pytest.mark.parametrize("change", ["byte order mark", "CRLF", "both"])
def test_texts_with_a_byte_order_mark_or_other_line_ends_are_the_same_texts(saved, with_sums, change):
    if not with_sums:
        (saved / "SHA256SUMS").unlink()
    model, tokenizer = make()
    for path in saved.iterdir():
        if path.suffix != ".safetensors":
            content = path.read_bytes()
            content = content if change == "byte order mark" else content.replace(b"\n", b"\r\n")
            path.write_bytes((b"" if change == "CRLF" else b"\xef\xbb\xbf") + content)
    loaded, words = checkpoints.load(saved)
    assert same_state(loaded, model) and words.vocabulary == tokenizer.vocabulary


def test_swapped_lines_of_the_vocabulary_are_noticed(saved):
    lines = (saved / "vocab.txt").read_text(encoding="utf-8").split("\n")
    lines[5], lines[6] = lines[6], lines[5]
    (saved / "vocab.txt").write_bytes("\n".join(lines).encode())
    with pytest.raises(CheckpointError, match="vocab.txt of .* is not what was saved .*delete SHA256SUMS"):
        checkpoints.load(saved)


@pytest.mark.parametrize(
    "content", ["", "nothing\n", f"{'0' * 64}  config.json\n", f"{'0' * 64}  ../config.json\n" * 4]
)
def test_sums_that_are_none_are_refused(saved, content):
    (saved / "SHA256SUMS").write_text(content)
    with pytest.raises(CheckpointError, match="SHA256SUMS of .* can't be read .*one SHA-256 for each"):
        checkpoints.load(saved)


# Weights


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_refused(without_sums, value):
    weights = load_file(without_sums / "model.safetensors")
    weights["pooler.dense.bias"][3] = value
    save_file(weights, without_sums / "model.safetensors")
    with pytest.raises(CheckpointError, match="can't be used: the weight pooler.dense.bias is not finite"):
        checkpoints.load(without_sums)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int8, torch.bool, torch.complex64])
def test_weights_that_are_no_floating_point_numbers_are_refused(without_sums, dtype):
    weights = load_file(without_sums / "model.safetensors")
    weights["pooler.dense.bias"] = weights["pooler.dense.bias"].to(dtype)
    save_file(weights, without_sums / "model.safetensors")
    with pytest.raises(CheckpointError, match=rf"pooler.dense.bias holds {dtype}, not floating-point"):
        checkpoints.load(without_sums)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_any_floating_dtype_comes_back_as_single(dtype, tmp_path):
    model, tokenizer = make()
    checkpoints.save(model.to(dtype), tokenizer, tmp_path / "model")
    assert same_state(checkpoints.load(tmp_path / "model")[0], model.float())


def test_what_cannot_be_loaded_is_not_saved(tmp_path):
    model, tokenizer = make()
    with pytest.raises(CheckpointError, match="not floating-point"):
        checkpoints.save(model, tokenizer, tmp_path / "model", torch.int8)
    with torch.no_grad():
        model.pooler.bias[0] = 1e5
    with pytest.raises(CheckpointError, match="pooler.dense.bias is not finite: as torch.float16"):
        checkpoints.save(model, tokenizer, tmp_path / "model", torch.float16)
    with torch.no_grad():
        model.pooler.bias[0] = torch.nan
    with pytest.raises(CheckpointError, match="pooler.dense.bias is not finite: it holds"):
        checkpoints.save(model, tokenizer, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("layers", [1, 3])
def test_as_many_layers_as_are_stored(without_sums, layers):
    edit(without_sums, num_hidden_layers=layers)
    words = (
        "holds the weights of 2 layers, .* asks for 1" if layers == 1 else "layer.2.attention.* is missing"
    )
    with pytest.raises(CheckpointError, match=words):
        checkpoints.load(without_sums)


def test_weights_of_the_encoder_without_a_place_are_refused(without_sums):
    weights = load_file(without_sums / "model.safetensors")
    weights["embeddings.position_ids"] = torch.arange(16)[None]  # older versions stored this counter
    save_file(weights, without_sums / "model.safetensors")
    assert same_state(checkpoints.load(without_sums)[0], make()[0])
    weights["encoder.layer.1.attention.self.distance_embedding.weight"] = torch.ones(31, 4)
    save_file(weights, without_sums / "model.safetensors")
    with pytest.raises(CheckpointError, match="1 weights of the encoder have no place .*distance_embedding"):
        checkpoints.load(without_sums)


def test_heads_that_are_left_out_are_said(tmp_path, recwarn):
    checkpoints.save(*make(head=BertForPreTraining), tmp_path / "model")
    checkpoints.load(tmp_path / "model")
    assert type(checkpoints.load(tmp_path / "model", architecture="BertModel")[0]) is Bert
    assert not recwarn.list  # asked for
    edit(tmp_path / "model", architectures=["BertForMaskedLM"])
    (tmp_path / "model" / "SHA256SUMS").unlink()
    with pytest.warns(checkpoints.LeftOutWarning, match="cls.predictions, cls.seq_relationship") as said:
        checkpoints.load(tmp_path / "model")
    assert said[0].filename == __file__


# Sizes


@pytest.mark.parametrize("size", [10**9, 10**6, 10**30])
@pytest.mark.parametrize(
    "name",
    ["num_hidden_layers", "hidden_size", "vocab_size", "intermediate_size", "max_position_embeddings",
     "type_vocab_size", "num_attention_heads"],
)  # fmt: skip
def test_enormous_sizes_are_refused_at_once(without_sums, name, size):
    edit(without_sums, **{name: size})
    start = time.perf_counter()
    with pytest.raises(CheckpointError, match="my-model can't be used"):
        checkpoints.load(without_sums)
    assert time.perf_counter() - start < 2


def test_an_enormous_vocabulary_is_refused_at_once(without_sums):
    with (without_sums / "vocab.txt").open("wb") as file:
        for _ in range(20):
            file.write(b"word\n" * 1_000_000)
    start = time.perf_counter()
    with pytest.raises(CheckpointError, match="the vocabulary has 20000000 entries, the model has 15"):
        checkpoints.load(without_sums)
    assert time.perf_counter() - start < 5


# The tokenizer's files


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("kind", ["BertModel", "BertForPreTraining", "BertForSequenceClassification"])
def test_a_folder_of_the_librarys_fifth_version(kind, lowercase, tmp_path):
    """It writes tokenizer.json and no vocab.txt."""
    (tmp_path / "vocab.txt").write_text("\n".join([*SPECIAL_TOKENS, *WORDS]), encoding="utf-8")
    words = transformers.BertTokenizer(vocab=str(tmp_path / "vocab.txt"), do_lower_case=lowercase)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=12, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=16,
    )  # fmt: skip
    reference = getattr(transformers, kind)(config).eval()
    reference.save_pretrained(tmp_path / "theirs")
    words.save_pretrained(tmp_path / "theirs")
    assert (
        not (tmp_path / "theirs" / "vocab.txt").exists() and (tmp_path / "theirs" / "tokenizer.json").exists()
    )
    model, tokenizer = checkpoints.load(tmp_path / "theirs")
    for text in TEXTS:
        assert tokenizer.encode(text).ids == words(text)["input_ids"], text
    assert same_state(model, checkpoints.from_transformers(reference))


@pytest.mark.parametrize("part", ["strip_accents", "handle_chinese_chars"])
@pytest.mark.parametrize("value", [True, False])
def test_options_in_tokenizer_json(saved, part, value, tmp_path):
    words = transformers.AutoTokenizer.from_pretrained(saved)
    words.save_pretrained(tmp_path / "fast")
    content = json.loads((tmp_path / "fast" / "tokenizer.json").read_text(encoding="utf-8"))
    content["normalizer"][part] = value
    for name in ("vocab.txt", "tokenizer_config.json", "SHA256SUMS"):
        (saved / name).unlink()
    (saved / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8-sig")
    tokenizer = checkpoints.load(saved)[1]
    reference = Tokenizer.from_str(json.dumps(content))
    for text in [*TEXTS, "中the中"]:
        assert tokenizer.encode(text).tokens == reference.encode(text).tokens, text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda c: c["model"].update(type="BPE"),
            "the type of its model is 'BPE', not 'WordPiece'",
        ),
        (
            lambda c: c["model"].update(max_input_chars_per_word=200),
            "max_input_chars_per_word of its model is 200",
        ),
        (lambda c: c.update(normalizer=None), "the type of its normalizer is None"),
        (
            lambda c: c["pre_tokenizer"].update(type="Whitespace"),
            "pre_tokenizer is 'Whitespace'.*AutoTokenizer",
        ),
        (
            lambda c: c["added_tokens"].append({"content": "<new>", "id": 15}),
            "such as '<new>'",
        ),
        (lambda c: c["model"]["vocab"].update(wide=99), "are not numbered 0 to 14"),
        (lambda c: c["normalizer"].update(lowercase="yes"), "lowercase is 'yes', neither true nor false"),
        (lambda c: c["model"].update(vocab=[]), "has 5 entries, the model has 15"),
        (lambda c: c["model"].pop("vocab"), "tokenizer.json of .*my-model can't be read"),
    ],
)
def test_a_tokenizer_json_that_is_not_like_ours_is_refused(saved, change, words):
    transformers.AutoTokenizer.from_pretrained(saved).save_pretrained(saved)
    content = json.loads((saved / "tokenizer.json").read_text(encoding="utf-8"))
    change(content)
    (saved / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    for name in ("vocab.txt", "SHA256SUMS"):
        (saved / name).unlink()
    with pytest.raises(CheckpointError, match=words):
        checkpoints.load(saved)


@pytest.mark.parametrize("name", ["do_lower_case", "strip_accents", "tokenize_chinese_chars"])
@pytest.mark.parametrize("value", ["true", 1, []])
def test_options_of_another_type_are_refused(without_sums, name, value):
    edit(without_sums, "tokenizer_config.json", **{name: value})
    with pytest.raises(CheckpointError, match=f"tokenizer_config.json of .* can't be read .{name} is"):
        checkpoints.load(without_sums)


# The entry [PAD]


@settings(max_examples=10, deadline=None)
@given(order=st.permutations([*SPECIAL_TOKENS, *WORDS]))
def test_special_tokens_may_stand_anywhere(order, tmp_path_factory):
    folder = tmp_path_factory.mktemp("order") / "model"
    model, tokenizer = make(order)
    checkpoints.save(model, tokenizer, folder)
    loaded, words = checkpoints.load(folder)
    place = order.index("[PAD]")
    assert json.loads((folder / "config.json").read_text())["pad_token_id"] == place
    assert loaded.config == model.config and loaded.embeddings.token.padding_idx == place
    assert words.encode_batch(TEXTS)["ids"].equal(tokenizer.encode_batch(TEXTS)["ids"])
    theirs = checkpoints.to_transformers(model)
    assert theirs.embeddings.word_embeddings.padding_idx == place
    assert checkpoints.from_transformers(theirs).config.pad_token_id == place


def test_another_padding_than_the_tokenizers_is_refused(tmp_path):
    order = [*WORDS, *SPECIAL_TOKENS]
    bert = Bert(BertConfig(len(order), **SHAPE))
    with pytest.raises(CheckpointError, match=r"\[PAD\] is entry 10 .* pad_token_id is 0: .*pad_token_id=10"):
        checkpoints.save(bert, WordPieceTokenizer(order), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
    checkpoints.save(*make(order), tmp_path / "model")
    (tmp_path / "model" / "SHA256SUMS").unlink()
    edit(tmp_path / "model", pad_token_id=0)
    with pytest.raises(CheckpointError, match=r"model can't be used: \[PAD\] is entry 10"):
        checkpoints.load(tmp_path / "model")


@pytest.mark.parametrize("padding", ["absent", None])
def test_a_configuration_that_does_not_name_padding(padding, tmp_path):
    checkpoints.save(*make([*WORDS, *SPECIAL_TOKENS]), tmp_path / "model")
    (tmp_path / "model" / "SHA256SUMS").unlink()
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    del config["pad_token_id"]
    config |= {} if padding == "absent" else {"pad_token_id": None}
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    loaded, _ = checkpoints.load(tmp_path / "model")
    assert loaded.embeddings.token.padding_idx == (10 if padding == "absent" else None)


# Saving that fails


def run(script, *arguments, **options):
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, **options,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sets no limits on the size of a file")
def test_a_full_disk_is_said_with_path_and_advice(saved):
    """A limit on the size of a file fails the writing as a full disk does."""
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    result = run(
        "import resource, signal, sys\n"
        "from helpers import checkpoints\n"
        "model, tokenizer = checkpoints.load(sys.argv[1])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "for size in (0, 500, 4096):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))\n"
        "    try: checkpoints.save(model, tokenizer, sys.argv[1])\n"
        "    except checkpoints.CheckpointError as error: print(error)\n",
        saved,
    )
    lines = result.stdout.splitlines()
    assert len(lines) == 3, result.stderr
    for line in lines:
        assert "my-model can't be written (" in line and "Make room on the disk" in line
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    assert [path.name for path in saved.parent.iterdir()] == ["my-model"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_what_a_killed_process_left_is_removed_by_the_next_that_saves(saved):
    result = run(
        "import os, signal, sys\n"
        "from helpers import checkpoints\n"
        "from helpers.checkpoints import folders\n"
        "model, tokenizer = checkpoints.load(sys.argv[1])\n"
        "folders.write_sums = lambda folder: os.kill(os.getpid(), signal.SIGKILL)\n"
        "checkpoints.save(model, tokenizer, sys.argv[1])\n",
        saved,
    )
    assert result.returncode == -signal.SIGKILL
    left = [path.name for path in saved.parent.iterdir() if path.name != "my-model"]
    assert len(left) == 1 and left[0].startswith(".my-model-unfinished-")
    (saved.parent / ".my-model-backup").mkdir()  # somebody's own
    (saved.parent / ".my-model-2-unfinished-abc").mkdir()  # another checkpoint's
    checkpoints.save(*make(), saved)
    names = sorted(path.name for path in saved.parent.iterdir())
    assert names == [".my-model-2-unfinished-abc", ".my-model-backup", "my-model"]


def test_two_processes_that_save_at_once_leave_a_whole_folder(saved):
    script = (
        "import sys\nfrom helpers import checkpoints\n"
        "model, tokenizer = checkpoints.load(sys.argv[1])\n"
        "for _ in range(8): checkpoints.save(model, tokenizer, sys.argv[1]); checkpoints.load(sys.argv[1])\n"
    )
    command = [sys.executable, "-c", script, str(saved)]
    running = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert same_state(checkpoints.load(saved)[0], make()[0])
    assert [path.name for path in saved.parent.iterdir()] == ["my-model"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_closed_folder_is_said(saved):
    saved.parent.chmod(0o500)
    try:
        with pytest.raises(CheckpointError, match="can't be written .* choose another folder"):
            checkpoints.save(*make(), saved.parent / "new")
    finally:
        saved.parent.chmod(0o700)


def test_a_classifier_keeps_dropout_and_names(tmp_path):
    model, tokenizer = make(
        head=lambda bert: BertForClassification(bert, 3, 0.25, labels=["bad", "so so", "good"])
    )
    checkpoints.save(model, tokenizer, tmp_path / "model")
    loaded, _ = checkpoints.load(tmp_path / "model")
    assert loaded.dropout.p == 0.25 and loaded.labels == ("bad", "so so", "good")
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    assert theirs.dropout.p == 0.25 and theirs.config.id2label == {0: "bad", 1: "so so", 2: "good"}
    again = checkpoints.from_transformers(theirs)
    assert again.dropout.p == 0.25 and again.labels == loaded.labels
    assert checkpoints.to_transformers(again).dropout.p == 0.25
