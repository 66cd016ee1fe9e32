"""Mutants of a right function: which there are, and which of them a weak probe lets through."""

import sys

from helpers.exercises.exercise import Exercise
from scripts.dev import mutants


def clipped(numbers, most=3):
    """Those below `most`, each plus 1."""
    found = []
    for place in range(len(numbers)):
        if numbers[place] < most:
            found.append(numbers[place] + 1)
    return sorted(found, reverse=False)


def stops(numbers):
    while numbers:
        numbers = numbers[1:]
    return 7



def entry(reference, probe):
    stub = f"def my_{reference.__name__}(*given):\n    ..."
    return Exercise(
        id="4.96", name=reference.__name__, reference=reference, stub=stub, probe=probe, hints=("a", "b"),
        mistakes=(), notice="x", difficulty=1, minutes=3,
    )  # fmt: skip


def test_each_kind_of_change_is_made_once():
    found = [mutant.change for mutant in mutants.mutants(entry(clipped, lambda f: f([1])))]
    assert found == list(dict.fromkeys(found))
    for change in ("numbers[place] < most  ->  numbers[place] <= most", "3  ->  4", "3  ->  2", "1  ->  0",
                   "numbers[place] + 1  ->  numbers[place] - 1", "False  ->  True",
                   "sorted(found, reverse=False)  ->  sorted(found)",
                   "range(len(numbers))  ->  range(len(numbers) - 1)"):  # fmt: skip
        assert change in found
    negated = "if not numbers[place] < most: found.append(numbers[place] + 1)"
    assert any(change.endswith(negated) for change in found)


def test_a_weak_probe_lets_mutants_through_and_a_good_one_only_those_that_do_the_same():
    weak = mutants.judged(entry(clipped, lambda f: f([1])))
    good = mutants.judged(entry(clipped, lambda f: [f([3, 2, 1, 0, 2]), f([3, 2, 4], 4)]))
    through = [[change for _, change, right in rows if right] for rows in (weak, good)]
    assert "3  ->  2" in through[0] and len(through[0]) > 3
    assert through[1] == ["sorted(found, reverse=False)  ->  sorted(found)"]


def test_a_mutant_without_an_end_is_seen():
    rows = list(mutants.judged(entry(stops, lambda f: f([1, 2]))))
    assert ("1  ->  0", False) in [row[1:] for row in rows]


def test_rows_come_from_processes_of_their_own(monkeypatch, capsys):
    """One that a mutant ends is followed by another, which goes on behind it."""
    program = (
        "import os, sys; first = int(sys.argv[-1])\n"
        "for n in range(first, 3):\n"
        "    os._exit(3) if n == 1 else print(f'[{n}, \"c\", true]', flush=True)\n"
        "print('[\"done\"]')\n"
    )
    started = mutants.subprocess.Popen

    def start(command, **more):
        return started([sys.executable, "-c", program, command[-1]], **more)

    monkeypatch.setattr(mutants.subprocess, "Popen", start)
    assert mutants.apart("4.1") == [
        (0, "c", True), (0, "ended its process, or could not be stopped", False), (2, "c", True)
    ]  # fmt: skip
    mutants.main(["4.1"])
    assert "notebook 04: 3 mutants, 2 called right (66.7%)" in capsys.readouterr().out
