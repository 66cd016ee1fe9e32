"""Labels as people write them, and a split in which no text stands on two sides."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.everyday import InputError, Table, labelled, split
from helpers.everyday.examples import Pair, same_text_key
from helpers.everyday.labels import classes_of, is_empty, merged, spellings
from helpers.everyday.reports import count_lines, places


def table(rows, columns=("text", "label")):
    return Table("t.csv", columns, [list(row) for row in rows], list(range(2, len(rows) + 2)))


def many(label, count=5):
    return [(f"text {number} of {label}", label) for number in range(count)]


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\xa0", "\u200b", "\ufeff \u3000", "\x07"])
def test_nothing_to_see(text):
    assert is_empty(text)


@pytest.mark.parametrize("text", ["nan", "N/A", "None", "0", "-", "👍", "\ue000", "é"])
def test_something_to_see(text):
    assert not is_empty(text)


def test_empty_texts_and_missing_labels_are_counted_and_left_out():
    found = labelled(
        table([*many("a"), *many("b"), ("", "a"), (" ", ""), ("x", " "), ("nan", "a")]), "text", "label"
    )
    assert found.counts == {
        "rows": 14, "empty_texts": 2, "missing_labels": 1, "usable": 11, "different_texts": 11,
        "texts_with_two_labels": 0,
    }  # fmt: skip
    assert found.classes == ("a", "b") and len(found.pairs) == len(found.labels) == 11
    assert found.pairs[-1] == Pair("nan")
    assert found.left_out == {"empty_texts": [12, 13], "missing_labels": [14]}
    assert count_lines(found.counts, found.left_out) == [
        "14 rows, left out: 2 without a text (lines 12, 13), 1 without a label (line 14)"
    ]
    assert places([2, 3, 1_000]) == "lines 2, 3, 1,000" and places([*range(9)]) == "lines 0, 1, 2 and 6 more"


def test_spellings_are_reported_and_merged_only_when_asked():
    rows = [*many("Spam", 4), *many("spam ", 3), *many("SPAM", 2), *many("ham", 5)]
    found = labelled(table(rows), "text", "label")
    assert found.classes == ("SPAM", "Spam", "ham", "spam ")
    assert any("'Spam', 'spam ', 'SPAM' differ" in note and "--merge-labels" in note for note in found.notes)
    found = labelled(table(rows), "text", "label", merge=True)
    assert found.classes == ("Spam", "ham") and Counter(found.labels) == {0: 9, 1: 5}
    assert found.notes == ["labels merged: 'spam ', 'SPAM' -> 'Spam'"]
    assert spellings(["a", "b"]) == {} and merged(["b", "A", "a", "a"]) == ["b", "a", "a", "a"]


def test_numbers_stay_as_written_and_stand_in_their_order():
    assert classes_of(["10", "2", "-1", "2"]) == ("-1", "2", "10")
    assert classes_of(["--5", "10", "2"]) == ("--5", "10", "2") and classes_of(["9" * 5000, "10"])[0] == "10"
    assert classes_of(["1.0", "1", "01"]) == ("01", "1", "1.0")
    assert labelled(table([*many("1"), *many("1.0")]), "text", "label").classes == ("1", "1.0")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (many("a"), ["all labels are 'a'", "two classes"]),
        ([*many("a"), ("one more", "b")], ["1 of 2 classes", "'b' (the first in line 7)"]),
        ([*many("a"), ("one more", "b"), ("One more!", "b")], ["have a single text", "'b'"]),
        ([*many("a"), *many("b"), ("one more", "A ")], ["'A '", "add --merge-labels"]),
        ([(f"{n} texts", f"name {n}") for n in range(9)], ["9 different labels for 9", "is this the column"]),
        ([("a", ""), ("", "b")], ["no row has both"]),
    ],
)
def test_labels_that_nothing_can_be_learned_from(rows, words):
    with pytest.raises(InputError) as refused:
        labelled(table(rows), "text", "label")
    assert all(word in str(refused.value) for word in words), str(refused.value)
    assert "t.csv, column 'label'" in str(refused.value)


def test_columns_that_are_one():
    with pytest.raises(InputError, match="must be different"):
        labelled(table([*many("a"), *many("b")]), "text", "text")


def test_what_is_odd_is_said():
    rows = [*many("yes", 110), *many("nan", 5)]
    notes = labelled(table(rows), "text", "label").notes
    assert any("the label 'nan' counts as a class" in note for note in notes)
    assert any("uneven: 110 rows of 'yes', 5 of 'nan'" in note for note in notes)


def test_swallowed_rows_are_noticed():
    """A quote left open in a table, found where another program had closed it at the end."""
    swallowed = 'a text"\nham\tanother\nspam\tanother one\nham\tand one more\nham\tthe last'
    poem = "a line, and\nanother; with\nall, marks\nthat, there, are"
    rows = [*many("a"), *many("b"), (poem, "b")]
    assert not any("swallowed" in note for note in labelled(table(rows), "text", "label").notes)
    notes = labelled(table([*rows, (swallowed, "a")]), "text", "label").notes
    assert any("1 texts look as if they had swallowed" in note and "line 13" in note for note in notes)


@pytest.mark.parametrize("other", ["free  PRIZE!!", "“Free prize”", "ｆｒｅｅ prize", " free\nprize."])
def test_the_same_text(other):
    assert same_text_key(Pair(other)) == same_text_key(Pair("Free prize"))


@pytest.mark.parametrize(("one", "other"), [("!!!", "???"), ("👍", "👎"), ("a b", "ab"), ("कि", "की")])
def test_not_the_same_text(one, other):
    assert same_text_key(Pair(one)) != same_text_key(Pair(other))
    assert same_text_key(Pair("x", one)) != same_text_key(Pair("x", other))


def test_a_text_with_two_labels_is_reported_and_stays_on_one_side():
    rows = [*many("a", 30), *many("b", 30), ("both", "a"), ("Both!", "b"), ("both", "b")]
    found = labelled(table(rows), "text", "label")
    assert found.counts["texts_with_two_labels"] == 1
    for seed in range(30):
        parts = split(found, seed)
        for rows_held in parts[1:]:
            assert [row for row in rows_held if row in (60, 61, 62)] in ([], [61])  # its usual label


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(2, 40), min_size=2, max_size=5),
    copies=st.integers(1, 3),
    seed=st.integers(0, 9),
)
def test_parts(sizes, copies, seed):
    """No text on two sides, nothing lost from training, every class in training and test, in equal shares."""
    rows = [row for number, size in enumerate(sizes) for row in many(f"c{number}", size)] * copies
    found = labelled(table(rows), "text", "label")
    parts = split(found, seed)
    keys = [{found.keys[row] for row in part} for part in parts]
    assert not (keys[0] & keys[1] or keys[0] & keys[2] or keys[1] & keys[2])
    assert set.union(*keys) == set(found.keys)
    assert len(parts.train) == copies * len(keys[0])
    assert len(parts.validation) == len(keys[1]) and len(parts.test) == len(keys[2])
    for number, size in enumerate(sizes):
        counts = [len({found.keys[row] for row in part if found.labels[row] == number}) for part in parts]
        wanted = max(1, round(size / 10))
        assert counts == [size - wanted - (wanted if size > 2 else 0), wanted if size > 2 else 0, wanted]
    assert parts == split(found, seed)


def test_a_split_depends_on_its_seed():
    found = labelled(table([*many("a", 50), *many("b", 50)]), "text", "label")
    assert len({tuple(split(found, seed).test) for seed in range(5)}) == 5


def test_no_text_is_left_for_a_test():
    rows = [("x", "a"), ("x", "b"), ("x", "a"), ("y", "b"), ("y", "a"), ("y", "b")]
    with pytest.raises(InputError, match="none is left for a test"):
        split(labelled(table(rows), "text", "label"))


def test_pairs():
    rows = [(f"first {n}", f"second {n}", "ab"[n % 2]) for n in range(8)]
    rows += [("first 0", "", "a"), ("", "second", "b")]
    found = labelled(table(rows, ("one", "two", "label")), "one", "label", "two")
    assert found.counts["usable"] == 8 and found.counts["empty_texts"] == 2
    assert found.pairs[3] == ("first 3", "second 3")
