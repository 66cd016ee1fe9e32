"""The tables of notebook 12: clean parts, and measures that agree with others' and with counting by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from helpers import data
from helpers.analysis.duplicates import near_duplicates
from helpers.studies import own_methods, own_tables
from helpers.studies.own_tables import Table


@pytest.fixture(scope="module", params=own_tables.TABLES)
def table(request):
    return own_tables.load(request.param)


def parts_of(table):
    return (table.train, table.validation, table.test)


def test_no_text_stands_in_two_parts_or_twice(table):
    columns = [name for name in ("text", "second") if name in table.train]
    forms = [
        ["\t".join(map(data.normalized, row)) for row in part[columns].values] for part in parts_of(table)
    ]
    everything = [form for part in forms for form in part]
    assert len(everything) == len(set(everything)) and all(form.strip() for form in everything)


def test_every_part_has_each_label_in_its_share(table):
    shares = [part["label"].value_counts(normalize=True).sort_index() for part in parts_of(table)]
    assert table.classes == list(shares[0].index)
    for share in shares[1:]:
        assert np.abs(share - shares[0]).max() < 0.005


def test_messages_have_no_near_duplicates_left():
    rows = pd.concat(parts_of(own_tables.load("messages")))
    assert len(rows) == 4_742 and len(set(near_duplicates(rows["text"]))) == len(rows)
    assert (rows["label"] == "spam").sum() == 384


def test_pairs_are_of_one_article_and_hard():
    table = own_tables.load("neighbors")
    sentences = {}
    for article in data.wikipedia():
        for paragraph in article.text.split("\n\n"):
            sentences.setdefault(article.title, []).append(paragraph)
    home = {}
    for name, part in zip(("train", "validation", "test"), parts_of(table), strict=True):
        assert part["text"].value_counts().eq(2).all()  # each first sentence with both kinds of second ones
        for row in part.sample(60, random_state=0).itertuples():
            articles = {title for title, found in sentences.items() if any(row.text in p for p in found)}
            theirs = {title for title in articles if any(row.second in p for p in sentences[title])}
            assert theirs, row
            together = [p for title in theirs for p in sentences[title] if row.text in p and row.second in p]
            assert bool(together) == (row.label == "follows"), row
            assert not any(p.startswith(row.second) for title in theirs for p in sentences[title])
            home.setdefault(name, set()).update(theirs)
    assert not home["train"] & home["test"] and not home["validation"] & home["test"]


def test_fewer_rows_keep_the_shares_and_the_test_part():
    table = own_tables.load("messages")
    fewer, same = table.drawn(200, 0), table.drawn(200, 0)
    assert len(fewer.train) == len(fewer.validation) == 200 and fewer.test is table.test
    assert fewer.train.equals(same.train) and not fewer.train.equals(table.drawn(200, 1).train)
    assert 14 <= (fewer.train["label"] == "spam").sum() <= 18 and table.drawn(10**6, 0) is table
    assert set(fewer.train["text"]) <= set(table.train["text"])


def test_an_unknown_table_is_named():
    with pytest.raises(ValueError, match="no table 'mails': choose one of messages, questions, neighbors"):
        own_tables.load("mails")


def test_macro_f1_is_that_of_scikit_learn():
    chance = np.random.default_rng(0)
    for classes in (2, 5):
        labels, answers = chance.integers(classes, size=(2, 40))
        expected = f1_score(labels, answers, average="macro", zero_division=0)
        assert own_tables.macro_f1(labels, answers) == pytest.approx(expected)


def test_cost_by_hand_and_the_cheapest_threshold():
    labels, spam = np.array([0, 0, 1, 1, 0]), np.array([0.1, 0.8, 0.7, 0.9, 0.3])
    assert own_tables.cost(labels, spam, 0.5) == 100 * 10 / 5  # the ham at 0.8 is lost
    assert own_tables.cost(labels, spam, 0.85) == 100 * 1 / 5  # the spam at 0.7 is let through
    assert own_tables.threshold_of_least_cost(labels, spam) == pytest.approx(0.85)
    everything = [own_tables.cost(labels, spam, threshold) for threshold in np.linspace(0, 1, 201)]
    assert own_tables.cost(labels, spam, own_tables.threshold_of_least_cost(labels, spam)) == min(everything)
    hopeless = np.array([0.9, 0.9, 0.1, 0.1, 0.9])
    assert own_tables.cost(labels, hopeless, own_tables.threshold_of_least_cost(labels, hopeless)) == 40.0


# Methods, on tables small enough to be learned in seconds


def small_table(pair: bool = False) -> Table:
    names = ["Ann", "Bob", "Cleo", "Dan", "Eve", "Finn"]
    rows = [(f"Who is {name} ?", "HUM") for name in names] + [(f"Where is {name} ?", "LOC") for name in names]
    frame = pd.DataFrame(rows, columns=["text", "label"])
    if pair:
        frame["second"] = [f"{name} it is." for name in names] + ["Nobody knows."] * 6
    parts = [frame.iloc[place::3].reset_index(drop=True) for place in range(3)]
    return Table("small", ["HUM", "LOC"], *parts)


@pytest.mark.parametrize("pair", [False, True])
def test_the_linear_model_learns_a_plain_rule(pair):
    table = small_table(pair)
    answer = own_methods._linear(table)
    assert (answer.test.argmax(axis=1) == table.labels("test")).all() and "C " in answer.chosen
    assert np.allclose(answer.test.sum(axis=1), 1)


@pytest.mark.parametrize("pair", [False, True])
def test_frozen_and_majority_answer_every_row(monkeypatch, pair):
    table = small_table(pair)
    monkeypatch.setattr(own_methods, "load", lambda name: table)
    own_methods._vectors.cache_clear()
    frozen = own_methods._frozen(table)
    assert frozen.test.shape == (4, 2) and (frozen.test.argmax(axis=1) == table.labels("test")).mean() >= 0.5
    assert np.allclose(own_methods._majority(table).test, 0.5)
    own_methods._vectors.cache_clear()


@pytest.mark.parametrize("pair", [False, True])
def test_fine_tuning_answers_in_the_order_of_the_rows(pair):
    table = small_table(pair)
    answer = own_methods.fine_tune(table, seed=0, epochs=1, batch_size=4)
    again = own_methods.fine_tune(table, seed=0, epochs=1, batch_size=4)
    assert answer.validation.shape == answer.test.shape == (4, 2)
    assert np.allclose(answer.test, again.test) and np.allclose(answer.test.sum(axis=1), 1)


def test_buckets_hand_out_every_row_once_in_an_order_that_changes():
    lengths = [5, 60, 7, 8, 50, 6, 9]
    buckets = own_methods.Buckets(lengths, 3)
    epochs = [list(buckets) for _ in range(8)]
    assert all(sorted(sum(batches, [])) == list(range(7)) for batches in epochs)
    assert all(len(batches) == len(buckets) == 3 for batches in epochs)
    assert len({str(batches) for batches in epochs}) > 1
    for batches in epochs:  # the two long texts are together, or next to each other in the order of lengths
        assert max(min(lengths[row] for row in batch) for batch in batches) >= 9


def test_settings_say_what_decides_a_run():
    line = own_methods.settings_of("messages", "minilm", 200, 3)
    assert set(line) == set(own_methods.SETTINGS) and all(isinstance(value, str) for value in line.values())
    assert (line["batch_size"], line["seed"]) == ("16", "3") and int(line["epochs"]) * 13 >= 100
    total = len(own_tables.load("messages").train)
    assert own_methods.settings_of("messages", "linear", total, 3)["seed"] == ""  # nothing is drawn
    assert own_methods.settings_of("messages", "linear", 200, 3)["seed"] == "3"
    assert own_methods.settings_of("messages", "minilm", total, 3)["epochs"] == "2"
