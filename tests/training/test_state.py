"""The state of a run on the disk: exact, checked, and whole whatever happens while it is written."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from helpers.training import state as training_state
from helpers.training.state import StateError, load_latest, save_state

ROOT = Path(__file__).resolve().parents[2]
FILES = ("model.safetensors", "optimizer.safetensors", "state.json")


def make(seed=0, **options):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Embedding(11, 6), nn.Linear(6, 5), nn.LayerNorm(5), nn.Linear(5, 3))
    model[3].bias.requires_grad_(False)  # it has no moments
    model.register_buffer("seen", torch.arange(4))
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    options = {"lr": 0.02, "fused": True} | options
    return model, torch.optim.AdamW(trained, **options)


def train(model, optimizer, steps):
    """Each step's batch follows from its number."""
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        ids = torch.randint(11, (16,), generator=generator)
        labels = torch.randint(3, (16,), generator=generator)
        optimizer.zero_grad()
        functional.cross_entropy(model(ids), labels).backward()
        optimizer.step()


def everything(model, optimizer):
    """All tensors of model and optimizer by name."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    moments = {
        f"{names[parameter]} {kind}": value
        for parameter, values in optimizer.state.items()
        for kind, value in values.items()
    }
    return {name: tensor.clone() for name, tensor in (model.state_dict() | moments).items()}


def same(one, other):
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and torch.equal(one[name], other[name]) for name in one
    )


def test_what_is_loaded_is_what_was_saved(tmp_path):
    model, optimizer = make()
    train(model, optimizer, range(7))
    more = {"seconds": 0.1 + 0.2, "words": "ein Wörtchen", "sums": [1.0, 2.5]}
    place = save_state(tmp_path / "states", 7, model, optimizer, more)
    assert place.name == "step-00000007" and sorted(path.name for path in place.iterdir()) == sorted(FILES)
    other, other_optimizer = make(seed=1)
    assert not same(everything(model, optimizer), everything(other, other_optimizer))
    assert load_latest(tmp_path / "states", other, other_optimizer) == {"step": 7} | more
    assert same(everything(model, optimizer), everything(other, other_optimizer))
    theirs = torch.load(_pickled(tmp_path, model), weights_only=True)  # PyTorch's own way keeps the same
    assert same(theirs, load_file(place / "model.safetensors"))


def _pickled(folder, model):
    torch.save(model.state_dict(), folder / "theirs.pt")
    return folder / "theirs.pt"


@pytest.mark.parametrize("fused", [True, False])
def test_going_on_gives_the_weights_of_a_run_that_never_stopped(tmp_path, fused):
    model, optimizer = make(fused=fused)
    train(model, optimizer, range(25))
    expected = everything(model, optimizer)
    start = 0
    for stop in (1, 2, 11, 25):  # a new process each time, in effect
        model, optimizer = make(seed=stop, fused=fused)
        assert load_latest(tmp_path, model, optimizer).get("step", 0) == start
        if start == 0:
            model, optimizer = make(fused=fused)
        train(model, optimizer, range(start, stop))
        save_state(tmp_path, stop, model, optimizer)
        start = stop
    assert same(everything(model, optimizer), expected)


def test_moments_are_needed_for_that(tmp_path):
    """The test above can fail: weights without the optimizer's moments go another way."""
    model, optimizer = make()
    train(model, optimizer, range(10))
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    train(model, optimizer, range(10, 12))
    other, other_optimizer = make(seed=1)
    other.load_state_dict(weights)
    train(other, other_optimizer, range(10, 12))
    assert not same(model.state_dict(), other.state_dict())


def test_nothing_there(tmp_path):
    model, optimizer = make()
    before = everything(model, optimizer)
    assert load_latest(tmp_path / "no such folder", model, optimizer) == {}
    (tmp_path / "empty").mkdir()
    assert load_latest(tmp_path / "empty", model, optimizer) == {}
    assert same(everything(model, optimizer), before)


def test_the_last_two_are_kept(tmp_path):
    model, optimizer = make()
    for step in (5, 10, 15, 100, 1000):
        save_state(tmp_path, step, model, optimizer)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000100", "step-00001000"]


# Damage


@pytest.fixture(scope="module")
def two_states(tmp_path_factory):
    """A folder with the states of steps 10 and 20, and all tensors of step 10."""
    folder = tmp_path_factory.mktemp("two") / "states"
    model, optimizer = make()
    train(model, optimizer, range(10))
    save_state(folder, 10, model, optimizer, {"seconds": 1.5})
    kept = everything(model, optimizer)
    train(model, optimizer, range(10, 20))
    save_state(folder, 20, model, optimizer, {"seconds": 2.5})
    return folder, kept


def change(path, place, value=None):
    content = bytearray(path.read_bytes())
    content[place] = content[place] ^ 1 if value is None else value
    path.write_bytes(content)


def cut(share):
    return lambda path: path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


DAMAGES = {
    "cut short by a byte": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "cut in half": cut(0.5),
    "empty": cut(0),
    "missing": lambda path: path.unlink(),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "first byte flipped": lambda path: change(path, 0),
    "middle byte flipped": lambda path: change(path, path.stat().st_size // 2),
    "last byte flipped": lambda path: change(path, -1),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_state_is_named_and_the_one_before_it_is_used(two_states, tmp_path, name, damage):
    shutil.copytree(two_states[0], tmp_path / "states")
    damage(tmp_path / "states" / "step-00000020" / name)
    model, optimizer = make(seed=1)
    said = []
    found = load_latest(tmp_path / "states", model, optimizer, said.append)
    if name == "state.json" and found["step"] == 20:
        # The last bytes of a JSON file can change, or more can follow, without a change of what it says.
        assert found == {"step": 20, "seconds": 2.5} and said == []
        return
    assert found == {"step": 10, "seconds": 1.5} and same(everything(model, optimizer), two_states[1])
    assert len(said) == 1 and "step-00000020 is damaged" in said[0]
    assert sorted(path.name for path in (tmp_path / "states").iterdir()) == [
        "damaged-step-00000020", "step-00000010",
    ]  # fmt: skip
    # It goes on from there, over the same step.
    train(model, optimizer, range(10, 20))
    save_state(tmp_path / "states", 20, model, optimizer, {"seconds": 2.5})
    assert load_latest(tmp_path / "states", *make(seed=2), said.append) == {"step": 20, "seconds": 2.5}


def test_no_flipped_byte_of_state_json_changes_what_is_loaded(two_states, tmp_path):
    path = two_states[0] / "step-00000020" / "state.json"
    content = path.read_bytes()
    right = training_state._checked(path.parent)
    shutil.copytree(path.parent, tmp_path / path.parent.name)
    damaged = tmp_path / path.parent.name / path.name
    refused = 0
    for place in range(len(content)):
        damaged.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            found = training_state._checked(damaged.parent)
            assert {name: found[name] for name in right} == right, f"byte {place}"
        except (ValueError, KeyError, TypeError, OSError):
            refused += 1
    assert refused > 0.7 * len(content)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"7", b"{}", b'{"step": 20}', b"\xff\xfe", b"{" * 50, b'{"files": 3}',
                b'{"a":' * 200_000], ids=lambda content: str(content[:9])
)  # fmt: skip
def test_bad_json(two_states, tmp_path, content):
    shutil.copytree(two_states[0], tmp_path / "states")
    (tmp_path / "states" / "step-00000020" / "state.json").write_bytes(content)
    said = []
    assert load_latest(tmp_path / "states", *make(), said.append)["step"] == 10
    assert "step-00000020 is damaged" in said[0]


def test_all_damaged(two_states, tmp_path):
    shutil.copytree(two_states[0], tmp_path / "states")
    for place in (tmp_path / "states").iterdir():
        cut(0.9)(place / "optimizer.safetensors")
    said = []
    with pytest.raises(StateError, match="no state in .* is whole: delete that folder"):
        load_latest(tmp_path / "states", *make(), said.append)
    assert ["step-00000020" in said[0], "step-00000010" in said[1], len(said)] == [True, True, 2]


def test_after_that_no_start_begins_anew(two_states, tmp_path):
    """The first start set the damaged states aside; the second must not take that for an empty folder."""
    shutil.copytree(two_states[0], tmp_path / "states")
    for place in (tmp_path / "states").iterdir():
        cut(0.9)(place / "optimizer.safetensors")
    for _ in range(3):
        with pytest.raises(StateError, match="no state in .* is whole: delete that folder and the run's log"):
            load_latest(tmp_path / "states", *make(), lambda words: None)
    shutil.copytree(two_states[0] / "step-00000010", tmp_path / "states" / "step-00000010")
    assert load_latest(tmp_path / "states", *make(), pytest.fail)["step"] == 10


def test_a_log_without_the_states_that_it_tells_of(two_states, tmp_path):
    states = tmp_path / "states"
    training_state.wait_for_first(states, begun=False)
    training_state.wait_for_first(states, begun=True)  # killed before its first state: it may begin anew
    model, optimizer = make()
    assert load_latest(states, model, optimizer) == {}
    save_state(states, 5, model, optimizer)
    assert [path.name for path in states.iterdir()] == ["step-00000005"]
    shutil.rmtree(states / "step-00000005")
    for remove in (lambda: None, lambda: shutil.rmtree(states)):
        remove()
        with pytest.raises(StateError, match="the log has lines, but .* no state .* delete log.csv"):
            training_state.wait_for_first(states, begun=True)
    training_state.wait_for_first(states, begun=False)


@pytest.mark.filterwarnings("ignore:.*copying from a non-meta parameter")
def test_a_state_goes_on_on_another_device(two_states, tmp_path):
    """The moments go to where the weights are; "meta" is a device that every machine has."""
    shutil.copytree(two_states[0], tmp_path / "states")
    model, optimizer = make()
    model.to("meta")
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for options, place in (({}, "cpu"), ({"capturable": True}, "meta")):
        optimizer = torch.optim.AdamW(trained, **options)
        assert load_latest(tmp_path / "states", model, optimizer, pytest.fail)["step"] == 20
        moments = [values for values in optimizer.state.values() if values]
        assert len(moments) == len(trained)
        kinds = ("exp_avg", "exp_avg_sq")
        assert {values[kind].device.type for values in moments for kind in kinds} == {"meta"}
        assert {values["step"].device.type for values in moments} == {place}


def test_a_state_goes_from_one_kind_of_optimizer_to_another(two_states, tmp_path):
    """A GPU may count its steps where a CPU does not; the weights that follow are the same."""
    results = []
    for fused in (True, False):
        shutil.copytree(two_states[0], tmp_path / str(fused))
        model, optimizer = make(fused=fused)
        assert load_latest(tmp_path / str(fused), model, optimizer, pytest.fail)["step"] == 20
        train(model, optimizer, range(20, 25))
        results.append(everything(model, optimizer))
    for name, value in results[0].items():
        torch.testing.assert_close(results[1][name], value, rtol=1e-5, atol=1e-6)


def test_a_state_of_another_model_is_not_called_damaged(two_states, tmp_path):
    shutil.copytree(two_states[0], tmp_path / "states")
    model = nn.Sequential(nn.Embedding(11, 7))
    with pytest.raises(StateError, match="step-00000020 is the state of another model"):
        load_latest(tmp_path / "states", model, torch.optim.AdamW(model.parameters()))
    assert (tmp_path / "states" / "step-00000020").exists()


def test_an_unfinished_state_is_no_state(two_states, tmp_path):
    shutil.copytree(two_states[0], tmp_path / "states")
    (tmp_path / "states" / "step-00000020").rename(tmp_path / "states" / ".unfinished-00000020")
    assert load_latest(tmp_path / "states", *make(), pytest.fail)["step"] == 10
    assert [path.name for path in (tmp_path / "states").iterdir()] == ["step-00000010"]


# Writing that fails


def killed_at(count, call, monkeypatch):
    """Let the `count`-th sync, rename or removal raise what no handler catches, as a kill would end it."""

    class Killed(BaseException):
        pass

    calls = []

    def stop(real):
        def stopping(*args, **kwargs):
            calls.append(args)
            if len(calls) == count:
                raise Killed
            return real(*args, **kwargs)

        return stopping

    monkeypatch.setattr(training_state, "_sync", stop(training_state._sync))
    monkeypatch.setattr(Path, "rename", stop(Path.rename))
    monkeypatch.setattr(training_state.shutil, "rmtree", stop(shutil.rmtree))
    try:
        call()
    except Killed:
        return True
    return False


def test_stopped_between_any_two_operations_a_whole_state_is_left(two_states, tmp_path):
    model, optimizer = make()
    train(model, optimizer, range(30))
    for count in range(1, 30):
        folder = tmp_path / str(count)
        shutil.copytree(two_states[0], folder)
        with pytest.MonkeyPatch.context() as patch:
            killed = killed_at(count, lambda: save_state(folder, 30, model, optimizer, keep=1), patch)  # noqa: B023
        said = []
        other, other_optimizer = make(seed=1)
        found = load_latest(folder, other, other_optimizer, said.append)
        assert found["step"] in (20, 30) and said == []
        if found["step"] == 30:
            assert same(everything(model, optimizer), everything(other, other_optimizer))
        if not killed:
            break
    assert 6 < count < 29 and found["step"] == 30


FULL_DISK = """
import resource, sys
sys.path[:0] = [{root!r}, {tests!r}]
from test_state import make, train
from helpers.training.state import StateError, save_state
import torch
model, optimizer = make()
train(model, optimizer, range(20))
for most in (100, 2000):  # cut within the weights, then within the moments
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    try:
        save_state({folder!r}, 30, model, optimizer)
    except StateError as error:
        print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_disk_that_is_full_leaves_the_last_state_whole(two_states, tmp_path):
    """A limit on the size of files, in a child process: writing fails as on a full disk."""
    folder = tmp_path / "states"
    shutil.copytree(two_states[0], folder)
    sizes = [(folder / "step-00000020" / name).stat().st_size for name in FILES[:2]]
    assert 100 < sizes[0] < 2000 < sizes[1]
    code = FULL_DISK.format(root=str(ROOT), tests=str(Path(__file__).parent), folder=str(folder))
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (child.returncode, child.stderr) == (0, "")
    for line in child.stdout.splitlines():
        assert line.startswith("the state after step 30 could not be written") and "make room" in line
    assert len(child.stdout.splitlines()) == 2
    assert sorted(path.name for path in folder.iterdir()) == ["step-00000010", "step-00000020"]
    assert load_latest(folder, *make(), pytest.fail)["step"] == 20


def test_a_folder_that_can_t_be_made(tmp_path):
    (tmp_path / "states").write_text("a file")
    with pytest.raises(StateError, match="could not be written below"):
        save_state(tmp_path / "states", 1, *make())


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_not_kept(two_states, tmp_path, bad):
    shutil.copytree(two_states[0], tmp_path / "states")
    model, optimizer = make()
    with torch.no_grad():
        model[1].weight[2, 3] = bad
    with pytest.raises(StateError, match=r"step 30: 1\.weight is not finite"):
        save_state(tmp_path / "states", 30, model, optimizer)
    assert load_latest(tmp_path / "states", model, optimizer, pytest.fail)["step"] == 20
    assert all(weight.isfinite().all() for weight in model.parameters())


def test_nothing_is_pickled(two_states):
    for place in two_states[0].iterdir():
        assert sorted(path.name for path in place.iterdir()) == sorted(FILES)
        state = json.loads((place / "state.json").read_text(encoding="utf-8"))
        for name in FILES[:2]:
            content = (place / name).read_bytes()
            assert content[8:9] == b"{" and len(content) == state["files"][name]["bytes"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"x": np.float32(1)}, "float32 is not JSON serializable"),
        ({"x": {1, 2}}, "set is not JSON serializable"),
        ({(1, 2): 3}, "keys must be"),
        ([1], "not a mapping"),
    ],
)
def test_what_json_can_not_hold_is_refused_before_anything_is_written(tmp_path, more, words):
    model, optimizer = make()
    with pytest.raises(StateError, match=f"more.* must be a dictionary that JSON can hold .*{words}"):
        save_state(tmp_path, 1, model, optimizer, more)
    assert list(tmp_path.iterdir()) == []


def test_keys_that_are_numbers_come_back_as_texts(tmp_path):
    model, optimizer = make()
    save_state(tmp_path, 1, model, optimizer, {2: "b", 10: "a"})
    assert load_latest(tmp_path, model, optimizer) == {"step": 1, "2": "b", "10": "a"}


@pytest.mark.parametrize("keep", [0, -1])
def test_at_least_the_new_state_is_kept(tmp_path, keep):
    model, optimizer = make()
    with pytest.raises(ValueError, match="keep must be at least 1"):
        save_state(tmp_path, 1, model, optimizer, keep=keep)
    assert list(tmp_path.iterdir()) == []
