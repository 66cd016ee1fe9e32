"""A BERT of the learner's parts: what takes the place of what, and which part is to blame."""

import sys

import pytest
import torch

import helpers.attention
import helpers.encoder
import helpers.pretraining
import helpers.wordpiece
from helpers.exercises import building, mine
from helpers.exercises.building import Build, my_bert, my_fine_tuning, my_pretraining, my_tokenizer
from helpers.exercises.exercise import Exercise

CONFIG = helpers.encoder.BertConfig(
    vocab_size=50, hidden_size=12, num_layers=2, num_heads=3, intermediate_size=20, max_positions=16
)


def entry(number, name, reference, stub):
    return Exercise(
        id=f"5.{number}", name=name, reference=reference, stub=stub, probe=lambda f: f, hints=("a", "b"),
        mistakes=(), notice="x", difficulty=1, minutes=5,
    )  # fmt: skip


ENTRIES = (
    entry(1, "split_heads", helpers.attention.split_heads, "def my_split_heads(hidden, num_heads): ..."),
    entry(2, "EncoderLayer.forward", helpers.encoder.EncoderLayer.forward,
          "def my_layer_forward(self, hidden, mask=None, return_probabilities=False): ..."),
    entry(3, "BertConfig.of", helpers.encoder.BertConfig.of, "def my_config_of(model): ..."),
    entry(4, "corrupt", helpers.pretraining.corrupt, "def my_corrupt(*given): ..."),
    entry(5, "FeedForward", helpers.encoder.FeedForward, "class MyFeedForward: ..."),
    entry(6, "pre_tokenize", helpers.wordpiece.pre_tokenize, "def my_pre_tokenize(text): ..."),
    entry(7, "largest", max, "def my_largest(numbers): ..."),
)  # fmt: skip
RIGHT = {
    "5.1": "def my_split_heads(hidden, num_heads):\n"
           "    calls.append('heads')\n"
           "    return hidden.unflatten(2, (num_heads, -1)).transpose(1, 2)\n",
    "5.2": "def my_layer_forward(self, hidden, mask=None, return_probabilities=False):\n"
           "    calls.append('layer')\n"
           "    heads, table = self.attention(hidden, mask, return_probabilities)\n"
           "    hidden = self.attention_norm(hidden + self.dropout(heads))\n"
           "    hidden = self.feed_forward_norm(hidden + self.dropout(self.feed_forward(hidden)))\n"
           "    return hidden, table\n",
    "5.5": "from torch import nn\n"
           "from torch.nn import functional\n"
           "class MyFeedForward(nn.Module):\n"
           "    def __init__(self, *sizes):\n"
           "        super().__init__()\n"
           "        self.widen = nn.Linear(sizes[0], sizes[1])\n"
           "        self.narrow = nn.Linear(sizes[1], sizes[0])\n"
           "    def forward(self, hidden):\n"
           "        calls.append('feed forward')\n"
           "        return self.narrow(functional.gelu(self.widen(hidden)))\n",
}  # fmt: skip


@pytest.fixture(autouse=True)
def learner(tmp_path, monkeypatch):
    monkeypatch.setenv("BERT_COURSE_MINE", str(tmp_path))
    monkeypatch.setattr(building, "EXERCISES", {e.id: e for e in ENTRIES})
    monkeypatch.setattr(helpers.encoder.Bert, "calls", [], raising=False)

    def write(name, text):
        text = text if "calls" not in text else f"import helpers.encoder as h\ncalls = h.Bert.calls\n{text}"
        mine.path_of(name).write_text(text)

    write.calls = helpers.encoder.Bert.calls
    return write


def given():
    torch.manual_seed(0)
    return torch.randint(1, 50, (2, 7))


def apart(build):
    torch.manual_seed(1)
    ours = helpers.encoder.Bert(CONFIG).eval()
    return (build.model(ours)(given()).last_hidden_state - ours(given()).last_hidden_state).abs().max().item()


def check(build):
    assert (worst := apart(build)) < 1e-5, f"off by {worst:.2f}"


def test_unsolved_it_runs_with_ours(capsys):
    build = my_bert()
    assert build.parts == dict.fromkeys(("5.1", "5.2", "5.3", "5.5"), "ours") and apart(build) == 0
    build.table()
    out = capsys.readouterr().out.splitlines()
    assert out[1].split() == ["5.2", "EncoderLayer.forward", "ours"] and out[-1] == "0 of 4 parts are yours"
    assert build.prove(check) is build


def test_which_parts_belong_to_which(learner):
    assert list(my_tokenizer().parts) == ["5.6"] and list(my_pretraining().parts) == [
        "5.1",
        "5.2",
        "5.3",
        "5.5",
        "5.4",
    ]
    assert list(my_fine_tuning().parts) == ["5.1", "5.2", "5.3", "5.5"]


def test_copies_import_copies_and_touch_nothing(learner):
    before = {
        n: dict(vars(sys.modules[f"helpers.{n}"])) for n in building.TAUGHT if f"helpers.{n}" in sys.modules
    }
    for name, text in RIGHT.items():
        learner(name, text)
    build = my_pretraining()
    assert build.pretraining.Bert is build.encoder.Bert is not helpers.encoder.Bert
    assert build.encoder.MultiHeadSelfAttention is build.attention.MultiHeadSelfAttention
    assert build.encoder.FeedForward.__name__ == "MyFeedForward"
    for name, names in before.items():
        assert {k: v for k, v in vars(sys.modules[f"helpers.{name}"]).items() if k in names} == names
    assert build.model(helpers.encoder.Bert(CONFIG)) is not None and isinstance(
        build.model(helpers.pretraining.BertForPreTraining(helpers.encoder.Bert(CONFIG))),
        build.pretraining.BertForPreTraining,
    )
    with pytest.raises(AttributeError, match="there is no part 'stories'"):
        build.stories  # noqa: B018


def test_the_learner_s_parts_are_what_runs(learner):
    for name, text in RIGHT.items():
        learner(name, text)
    build = my_bert()
    assert build.yours() == ["5.1", "5.2", "5.5"] and not build.faults
    learner.calls.clear()
    assert apart(build) < 1e-6
    assert learner.calls == ["layer", "heads", "heads", "heads", "feed forward"] * 2
    learner.calls.clear()
    assert apart(build.without("5.2", "5.5")) < 1e-6 and learner.calls == ["heads"] * 6


def test_parts_may_lean_on_each_other_and_on_taught_names(learner):
    learner("5.1", RIGHT["5.1"])
    learner("5.2", "def my_layer_forward(self, hidden, mask=None, p=False):\n"
                   "    split_heads(hidden, 3)\n    MultiHeadSelfAttention, check_inputs, BertConfig\n"
                   "    from helpers.attention import join_heads\n"
                   "    assert join_heads.__module__ == 'yours.attention'\n"
                   "    return hidden, None\n")  # fmt: skip
    build = my_bert()
    (fault,) = build.faults
    assert fault.startswith("my_layer_forward (exercise 5.2) uses split_heads, which its notebook made: give")
    learner("5.2", mine.path_of("5.2").read_text().replace("    split_heads(hidden, 3)\n", ""))
    build = my_bert()
    assert not build.faults and build.yours() == ["5.1", "5.2"]
    build.model(helpers.encoder.Bert(CONFIG))(given())


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [("5.1", "transpose(1, 2)", "transpose(1, 2).flip(1)"), ("5.5", "gelu", "relu"),
     ("5.2", "self.feed_forward(hidden)", "hidden")],
)  # fmt: skip
def test_the_one_that_breaks_it_is_named(learner, capsys, name, old, new):
    for other, text in RIGHT.items():
        learner(other, text.replace(old, new) if other == name else text)
    build = my_bert()
    proved = build.prove(check)
    out = capsys.readouterr().out
    assert f"({name}) breaks it (AssertionError: off by" in out and out.count("breaks it") == 1
    assert proved.parts == build.parts | {name: "ours"} and apart(proved) < 1e-5


def test_two_that_break_it(learner, capsys):
    learner("5.1", RIGHT["5.1"].replace("transpose(1, 2)", "transpose(1, 2).flip(1)"))
    learner("5.5", RIGHT["5.5"].replace("gelu", "relu"))
    learner("5.2", RIGHT["5.2"])
    proved = my_bert().prove(check)
    assert proved.yours() == ["5.2"] and capsys.readouterr().out.count("breaks it") == 2


def test_a_part_without_an_end_is_named(learner, capsys, monkeypatch):
    """A check that passed on small inputs says nothing of a loop that never ends on larger ones."""
    monkeypatch.setattr(building, "LEAST", 0.5)
    for name, text in RIGHT.items():
        learner(name, text)
    endless = "    while hidden.shape[1] > 6:\n        pass\n    return hidden"
    learner("5.1", RIGHT["5.1"].replace("    return hidden", endless))
    proved = my_bert().prove(check, seconds=1.0)
    out = capsys.readouterr().out
    assert "my_split_heads (5.1) breaks it (TimeoutError: it did not end within 1 s)" in out
    assert proved.yours() == ["5.2", "5.5"] and out.count("breaks it") == 1


def test_where_ours_is_to_blame_the_error_comes_through(learner):
    learner("5.1", RIGHT["5.1"])
    with pytest.raises(AssertionError, match="nothing is right"):
        my_bert().prove(lambda build: pytest.fail("nothing is right") if False else wrong())


def wrong():
    raise AssertionError("nothing is right")


def test_damaged_files_are_told_and_left_out(learner, capsys):
    learner("5.1", "def my_split_heads(:")
    learner("5.5", "1 / 0\n\nclass MyFeedForward: ...")
    build = my_bert()
    assert build.parts["5.1"] == build.parts["5.5"] == "ours" and len(build.faults) == 2
    build.table()
    out = capsys.readouterr().out
    assert "left out: exercise_5_1.py can't be read" in out and "can't be run (ZeroDivisionError" in out


def test_a_static_method_stays_one(learner):
    learner("5.3", "def my_config_of(model):\n    return model.config\n")
    build = my_bert()
    assert build.encoder.BertConfig.of(build.encoder.Bert(CONFIG)) is CONFIG


def test_a_tokenizer():
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "bank", "##s"]
    ours = helpers.wordpiece.WordPieceTokenizer(vocabulary, lowercase=False)
    made = Build("wordpiece").tokenizer(ours)
    assert type(made).__module__ == "yours.wordpiece" and made.options == ours.options
    assert made.encode("banks bank").ids == ours.encode("banks bank").ids == [2, 5, 6, 5, 3]


def test_a_part_that_brought_a_taught_function_along_calls_the_learner_s(learner):
    """What a cell's function calls is kept with it, as the course has it: the build's own comes first."""
    text = "def corrupt(*given):\n    return 'brought along'\n\n\n"
    text += "def my_mask_tokens(*given):\n    return corrupt(*given)\n"
    exercise = entry(8, "mask_tokens", helpers.pretraining.mask_tokens, "def my_mask_tokens(*given): ...")
    building.EXERCISES["5.8"] = exercise
    try:
        mine.path_of("5.8").write_text(text)
        mine.path_of("5.4").write_text("def my_corrupt(*given):\n    return 'mine'\n")
        assert my_pretraining().pretraining.mask_tokens() == "mine"
    finally:
        del building.EXERCISES["5.8"]
