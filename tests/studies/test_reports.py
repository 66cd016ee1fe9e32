"""What is printed about tables, against means worked out here and the stored tables of notebooks 8 and 9."""

import re
from pathlib import Path

import numpy as np
import pytest

from helpers.studies import domains, recipes, reports, rows
from helpers.studies.tables import RunTable, TableError

STORED = Path(__file__).resolve().parent.parent.parent / "benchmarks" / "results"
RIGHT = np.array([0, 1, 1, 0, 1, 0, 0, 1])


def make_table(folder, accuracy="0.75", row="ours", labels="8"):
    """Two seeds of `majority`, 50 % and 50 %, and two of `row`, 75 % and 100 %."""
    table = RunTable(folder / "a.csv", recipes.SETTINGS, rows.RESULTS)
    empty = dict.fromkeys(recipes.SETTINGS, "") | {"task": "movies", "labels": labels}
    for seed in (0, 1):
        line = empty | {"row": "majority", "seed": seed, "test_accuracy": "0.5"}
        table.add(line, np.full(8, seed), RIGHT)
        answers = RIGHT.copy()
        answers[: 2 * seed] ^= 1
        line = empty | {"row": row, "seed": seed, "test_accuracy": accuracy if seed else "1.0"}
        table.add(line, answers, RIGHT)
    return table


def test_groups_of_seeds_are_compared_with_the_row_before(tmp_path, capsys):
    reports.report_rows(make_table(tmp_path))
    first, second = capsys.readouterr().out.splitlines()
    assert re.match(r"movies +8  majority +2 +50.0% ± 0.0%  mean 50.0% to 50.0%", first)
    # Seeds 100 % and 75 %: deviation 0.25 / sqrt(2); t of one degree of freedom is 12.706
    half = 12.7062 * 0.25 / 2
    assert re.match(r"movies +8  ours +2 +87.5% ± 17.7%", second)
    assert f"mean {0.875 - half:.1%} to {0.875 + half:.1%}" in second
    assert "against majority: +37.5 points (" in second


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"accuracy": "many"}, "test_accuracy has 'many'"),
        ({"accuracy": "nan"}, "test_accuracy has 'nan'"),
        ({"row": "theirs"}, "a row 'theirs': only majority"),
        ({"labels": "1e3"}, "labels has '1e3'"),
    ],
)
def test_numbers_that_are_none_get_one_sentence(tmp_path, changes, message):
    with pytest.raises(TableError, match=message):
        reports.report_rows(make_table(tmp_path, **changes))


def test_the_stored_tables_can_be_reported(capsys):
    """One line for each group; the accuracies are those of the stored answers."""
    table = RunTable(STORED / "domains.csv", domains.SETTINGS, domains.RESULTS, "evaluated_on")
    for line in table.lines:
        assert table.points(line).mean() == pytest.approx(float(line["accuracy"]), abs=1e-6)
    for name in ("fine_tuning", "fine_tuning_ablations", "fine_tuning_grid"):
        stored = RunTable(STORED / f"{name}.csv", recipes.SETTINGS, rows.RESULTS)
        assert stored.lines
        for line in stored.lines:
            assert stored.points(line).mean() == pytest.approx(float(line["test_accuracy"]), abs=1e-6)
    reports.report_curves(STORED / "fine_tuning_curves.csv")
    assert len(capsys.readouterr().out.splitlines()) == 7
