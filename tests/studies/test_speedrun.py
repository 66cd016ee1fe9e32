"""The speedrun's clock, judge and entries, on a task that answers at once."""

import math
from types import SimpleNamespace

import pytest
import torch

from helpers.pretraining import IGNORE
from helpers.studies import speedrun
from helpers.studies.errors import RowError
from helpers.studies.speedrun import (
    MOST_MEASUREMENTS,
    Clock,
    Ended,
    Entry,
    Judge,
    commit_of,
    race,
    read_entry,
)

V = 4


@pytest.fixture
def task():
    """Two gaps with the labels 1 and 3; the gain of a loss is 1 - loss / log 4, that of guessing is 0."""
    labels = torch.full((1, 4), IGNORE)
    labels[0, 1], labels[0, 2] = 1, 3
    batch = {
        "ids": torch.tensor([[0, 2, 2, 0]]), "type_ids": torch.zeros(1, 4, dtype=torch.long),
        "attention_mask": torch.ones(1, 4, dtype=torch.long), "labels": labels,
    }  # fmt: skip
    return SimpleNamespace(
        batches=[batch], gain=lambda loss: 1 - loss / math.log(V), documents=[[[1, 2], [3]]],
        tokenizer=SimpleNamespace(vocabulary=list("abcd")),
    )  # fmt: skip


def knowing(sure):
    """Scores that give the right entries so much more than the others."""

    def predict(ids, type_ids, attention_mask, positions):
        assert positions.dtype == torch.bool and int(positions.sum()) == 2
        return sure * torch.nn.functional.one_hot(torch.tensor([1, 3]), V).float()

    return predict


def entry(train, path=None):
    return Entry("made", "somebody", "something", train, path)


def test_the_clock_stands_still_while_it_is_told_to():
    now = [10.0]
    clock = Clock(lambda: now[0])
    now[0] = 13.0
    assert clock.now() == 3.0

    def measuring():
        now[0] += 100.0
        return 7.0

    assert clock.without(measuring) == 7.0 and clock.now() == 3.0
    now[0] += 1.0
    assert clock.now() == 4.0


def test_a_run_ends_at_the_target(task):
    asked = []

    def train(data, seed, measure):
        assert data.documents == [[[1, 2], [3]]] and seed == 5
        for step in range(1, 10):
            asked.append(step)
            assert measure(knowing(2.0 * step), step) is None

    found = race(entry(train), task, 5, most=60)
    gains = [task.gain(loss) for _, _, loss in found.curve]
    assert found.reached and found.gain == gains[-1] >= 0.92 and all(gain < 0.92 for gain in gains[:-1])
    assert asked == [step for step, _, _ in found.curve] and found.step == asked[-1] < 9
    assert math.isclose(found.curve[0][2], math.log(math.exp(2) + 3) - 2, rel_tol=1e-5)


def test_an_eighth_is_enough_while_the_target_is_far(task):
    task.batches = task.batches * 16
    seen = []

    def train(data, seed, measure):
        for sure in (1.0, 3.05, 9.0):
            seen.append(0)

            def predict(*given, sure=sure):
                seen[-1] += 1
                return knowing(sure)(*given)

            measure(predict, len(seen))

    found = race(entry(train), task, 0, most=60)
    assert seen == [2, 18, 18] and found.reached
    assert 0.89 < task.gain(found.curve[1][2]) < 0.92


def test_a_run_that_never_gets_there(task):
    found = race(entry(lambda data, seed, measure: measure(knowing(0.0), 3)), task, 0, most=60)
    assert (found.reached, found.step) == (False, 3) and abs(found.gain) < 1e-6


def test_a_run_that_is_too_slow_ends(task):
    def train(data, seed, measure):
        for step in range(1, 4):
            measure(knowing(0.0), step)

    assert race(entry(train), task, 0, most=0.0).step == 1


def test_no_more_than_so_many_measurements(task):
    def train(data, seed, measure):
        for step in range(1, 1000):
            measure(knowing(0.0), step)

    assert race(entry(train), task, 0, most=60).step == MOST_MEASUREMENTS


def test_the_first_steps_alone_are_timed_without_measuring(task):
    def train(data, seed, measure):
        for step in range(100, 1000, 100):
            measure(None, step)

    found = race(entry(train), task, 0, most=60, only=250)
    assert found.step == 300 and not found.reached and math.isnan(found.curve[-1][2])


def test_measuring_is_not_counted(task, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(speedrun, "Clock", lambda: Clock(lambda: now[0]))

    def slowly(*given):
        now[0] += 1000.0
        return knowing(1.0)(*given)

    def train(data, seed, measure):
        now[0] += 2.0
        measure(slowly, 1)
        now[0] += 3.0
        measure(slowly, 2)

    assert [seconds for _, seconds, _ in race(entry(train), task, 0, most=60).curve] == [2.0, 5.0]


def test_what_an_entry_changes_in_its_data_is_its_own(task):
    def train(data, seed, measure):
        data.documents[0][0].append(9)
        measure(knowing(9.0), 1)

    race(entry(train), task, 0, most=60)
    assert task.documents == [[[1, 2], [3]]]


def test_what_a_model_is_given_is_its_own(task):
    def spoiling(ids, type_ids, attention_mask, positions):
        scores = knowing(0.0)(ids, type_ids, attention_mask, positions)
        ids.zero_(), positions.zero_()
        return scores

    before = {name: values.clone() for name, values in task.batches[0].items()}
    race(entry(lambda data, seed, measure: measure(spoiling, 1)), task, 0, most=60)
    assert all(torch.equal(before[name], task.batches[0][name]) for name in before)


def test_scores_of_another_shape_get_a_sentence(task):
    judge = Judge(task, Clock(), 60)
    for scores, words in (
        (torch.zeros(1, 4), r"\(2, 4\), one row a hidden word, not \(1, 4\)"),
        (None, "NoneType"),
    ):
        with pytest.raises(RowError, match=words):
            judge(lambda *given, scores=scores: scores, 1)
    with pytest.raises(Ended):
        judge(knowing(20.0), 1)


def test_an_entry_that_is_never_measured(task):
    with pytest.raises(RowError, match="had no model measured"):
        race(entry(lambda data, seed, measure: None), task, 0, most=60)


def test_numbers_that_are_not_finite_get_a_sentence(task):
    def train(data, seed, measure):
        raise FloatingPointError("step 3: the loss is nan")

    with pytest.raises(RowError, match="made, seed 2: step 3: the loss is nan"):
        race(entry(train), task, 2, most=60)


def test_an_entry_is_read_from_its_file(tmp_path):
    path = tmp_path / "fast.py"
    path.write_text('WHO = "Ada"\nWHAT = "less"\n\n\ndef train(data, seed, measure):\n    measure(None, 1)\n')
    found = read_entry(path)
    assert found[:3] == ("fast", "Ada", "less") and callable(found.train)
    assert commit_of(path) == ""  # in no repository
    path.write_text("WHO = 'Ada'\nWHAT = 'less'\n")
    with pytest.raises(RowError, match="fast.py lacks train"):
        read_entry(path)
    with pytest.raises(RowError, match="there is no entry"):
        read_entry(tmp_path / "slow.py")
