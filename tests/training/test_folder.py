"""The folder of a run: its settings are kept, and whoever goes on with others is told which."""

import json

import pytest

from helpers.training.folder import FREE, lock, settle
from helpers.training.settings import RunError, arguments


@pytest.fixture
def begun(tmp_path):
    """A run that has made its vocabulary: the settings for some more arguments, and its folder."""
    text, out = tmp_path / "text.txt", tmp_path / "run"
    text.write_text("first words")
    out.mkdir()

    def settings(*more):
        return arguments([f"--out={out}", "--text", str(text), *more])

    settle(settings())
    (out / "vocab.txt").write_text("a")
    return settings, out


def test_the_same_settings_go_on_and_free_ones_may_differ(begun):
    settings, out = begun
    settle(settings())
    settle(settings("--steps=7", "--minutes=3", "--save-every=100", "--workers=1", "--cpu", "--half"))
    assert json.loads((out / "settings.json").read_text())["steps"] == 7
    assert {"steps", "minutes", "cpu"} <= set(FREE) and "seed" not in FREE


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("--seed=3", "seed was 0, now 3"),
        ("--mixed-precision=no", "mixed_precision was None, now no"),
        ("--mask-shares 1 0 0", r"mask_shares was \[0.8, 0.1, 0.1\], now \[1.0, 0.0, 0.0\]"),
        ("--tokenizer pyproject.toml", "tokenizer was None, now pyproject.toml"),
    ],
)
def test_other_settings_are_named(begun, more, words, monkeypatch, request):
    monkeypatch.chdir(request.config.rootpath)
    settings, out = begun
    before = (out / "settings.json").read_bytes()
    with pytest.raises(RunError, match=f"holds a run with other settings: {words}"):
        settle(settings(*more.split()))
    assert (out / "settings.json").read_bytes() == before


def test_a_text_edited_to_the_same_size_is_noticed(begun, tmp_path):
    settings, _ = begun
    (tmp_path / "text.txt").write_text("other words")
    with pytest.raises(RunError, match="the content of the text has changed"):
        settle(settings())
    (tmp_path / "text.txt").write_text("first words")
    settle(settings())


def test_a_text_by_another_name_of_the_same_file_goes_on(begun, tmp_path, monkeypatch):
    _, out = begun
    monkeypatch.chdir(tmp_path)
    known = json.loads((out / "settings.json").read_text()) | {"text": ["./text.txt"]}
    (out / "settings.json").write_text(json.dumps(known))
    settle(arguments([f"--out={out}", "--text", "text.txt"]))


def test_settings_of_a_run_that_began_before_texts_were_hashed(begun):
    settings, out = begun
    known = json.loads((out / "settings.json").read_text())
    del known["text_sha256"]
    (out / "settings.json").write_text(json.dumps(known))
    settle(settings())
    assert len(json.loads((out / "settings.json").read_text())["text_sha256"]) == 1


def test_settings_from_before_the_warm_up_was_called_by_its_steps(begun):
    """Of a run's folder, and of its states, which `changes` compares, too."""
    settings, out = begun
    known = json.loads((out / "settings.json").read_text())
    known["warm_up"] = known.pop("warm_up_steps")
    (out / "settings.json").write_text(json.dumps(known))
    with pytest.raises(RunError, match="with other settings: warm_up_steps was 500, now 7"):
        settle(settings("--warm-up-steps=7"))
    settle(settings("--warm-up-steps=500"))
    kept = json.loads((out / "settings.json").read_text())
    assert kept["warm_up_steps"] == 500 and "warm_up" not in kept


def test_a_run_that_began_before_there_was_a_wider_text_has_the_course_s_own(begun, tmp_path):
    _, out = begun
    (tmp_path / "other").mkdir()
    settle(arguments([f"--out={tmp_path / 'other'}"]))
    known = json.loads((tmp_path / "other" / "settings.json").read_text())
    del known["corpus"]
    (out / "settings.json").write_text(json.dumps(known))
    settle(arguments([f"--out={out}"]))
    with pytest.raises(RunError, match="with other settings: corpus was course, now wider"):
        settle(arguments([f"--out={out}", "--corpus=wider"]))


def test_settings_with_a_byte_order_mark(begun):
    settings, out = begun
    path = out / "settings.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    settle(settings())


ODD = [b"", b"[]", b"null", b"{", b"\xff\xfe", b'{"a":' * 200_000, "folder"]


@pytest.mark.parametrize("content", ODD, ids=lambda content: str(content[:9]))
def test_settings_that_can_t_be_read(begun, content):
    settings, out = begun
    (out / "settings.json").unlink()
    (out / "settings.json").mkdir() if content == "folder" else (out / "settings.json").write_bytes(content)
    with pytest.raises(RunError, match="settings.json, can't be read .* put the file back"):
        settle(settings())


@pytest.mark.parametrize("made", ["vocab.txt", "rows", "states", "log.csv"])
def test_a_run_whose_settings_are_gone_accepts_no_others(begun, made):
    settings, out = begun
    (out / "settings.json").unlink()
    (out / "vocab.txt").rename(out / made)
    with pytest.raises(RunError, match="its settings.json is gone"):
        settle(settings("--seed=3"))


def test_a_folder_in_which_nothing_was_made_takes_any_settings(begun):
    settings, out = begun
    (out / "vocab.txt").unlink()
    (out / "settings.json").write_bytes(b"")
    settle(settings("--seed=3"))
    assert json.loads((out / "settings.json").read_text())["seed"] == 3


def test_one_run_at_a_time(tmp_path):
    held = lock(tmp_path / "run")
    with pytest.raises(RunError, match="another run is writing to"):
        lock(tmp_path / "run")
    held.release()
    lock(tmp_path / "run").release()
