"""The model card: what a classifier learned from, what it is worth, and what it must not be used for.

Support code. Sections after Mitchell et al. 2019, *Model Cards for Model Reporting*, section 4. Everything
comes from the settings that are saved beside it.
"""

import json
import shlex

from helpers.everyday.reports import percent, plain, points, shown_names, verdict

__all__ = ["model_card"]

HUB_NAMES = {"minilm": "sentence-transformers/all-MiniLM-L6-v2"}
MEASURES = ("precision", "recall", "f1")

CARD = """---
library_name: transformers
pipeline_tag: text-classification
base_model: {base}
---

# {title}

Which of {number} classes {what} belongs to: {names}.

## Use

```python
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

model = AutoModelForSequenceClassification.from_pretrained("FOLDER")
classify = pipeline("text-classification", model=model, tokenizer=AutoTokenizer.from_pretrained("FOLDER"))
print(classify({example}, truncation=True, max_length={max_length}))
```

A whole table: `python scripts/classify.py predict FOLDER table.csv --text {text_column}{second_option} --out
answers.csv`. FOLDER is the folder of this file.

## Data

- table: {file} ({rows} rows, SHA-256 {sha256}), {columns}
- left out: {empty} rows without a text, {missing} without a label
- {usable} usable rows with {different} different texts (case, punctuation and blanks apart); {two} of them
  have more than one label
- split by seed {seed}, each class in the same share; copies of a text stay on one side
- {cut} of the texts were longer than {max_length} tokens and read up to there

{labels}

## Training

`{command}`

Start: {base}. {epochs} epochs, of which number {best_epoch} was kept, the best on the validation part.
Learning rate {learning_rate:g}, batches of {batch_size}, {frozen} lower layers unchanged; {seconds:.0f} s.
{versions}.

## How good it is

On the test part ({test_rows} texts, none of them seen in training; intervals of 95% for other texts of this
kind and this one model):

| | macro-F1 | accuracy |
| --- | --- | --- |
| this classifier | {macro} | {accuracy} |
| word counts, tuned ({chosen}) | {baseline_macro} | {baseline_accuracy} |
| always the most frequent class | {usual_macro} | {usual_accuracy} |

Macro-F1 against word counts: {difference}. {verdict}

{classes}

## What it must not be used for

- Texts of another kind, language or time than those of the table: the figures say nothing about them.
- Texts that belong to none of the classes: it answers with one of them all the same.
- Decisions about people (work, credit, care, punishment) without a person who reads the text and answers for
  the decision.
- Probabilities as frequencies: they were not calibrated, and 0.99 does not mean 99 of 100.
- Classes with few test examples: the figures of such a class are guesses.
"""


def model_card(settings: dict) -> str:
    """The card as Markdown from the settings of `helpers.everyday.runs.train`, safe with any label."""
    test, baseline, data = settings["test"], settings["baseline"], settings["data"]
    pair = settings["second"] is not None
    names, tested = (
        shown_names([each["name"] for each in part], 60) for part in (settings["labels"], test["classes"])
    )
    columns = [f"texts in the column {_code(settings['text'])}"]
    columns += [f"second texts in {_code(settings['second'])}"] if pair else []
    columns += [f"labels in {_code(settings['label'])}"]
    return CARD.format(
        title=f"A classifier of {_safe(data['file'])}",
        base=json.dumps(HUB_NAMES.get(settings["model"], settings["model"])),
        number=len(names),
        what="a pair of texts" if pair else "a text",
        names=", ".join(map(_safe, names[:20])) + (" and more" if len(names) > 20 else ""),
        example='{"text": "first text", "text_pair": "second text"}' if pair else '"a text"',
        text_column=_word(settings["text"]),
        second_option=f" --second {_word(settings['second'])}" if pair else "",
        file=_safe(data["file"]),
        rows=f"{data['rows']:,}",
        sha256=data["sha256"],
        columns=", ".join(columns),
        empty=f"{data['empty_texts']:,}",
        missing=f"{data['missing_labels']:,}",
        usable=f"{data['usable']:,}",
        different=f"{data['different_texts']:,}",
        two=f"{data['texts_with_two_labels']:,}",
        labels=_table(("class", "training", "validation", "test"), [
            (name, each["train"], each["validation"], each["test"])
            for name, each in zip(names, settings["labels"], strict=True)
        ]),
        command=plain(settings["command"], 2000).replace("`", "'"),
        versions=", ".join(f"{name} {version}" for name, version in settings["versions"].items()),
        test_rows=f"{test['examples']:,}",
        macro=percent(test["macro_f1"]), accuracy=percent(test["accuracy"]),
        chosen=_safe(baseline["chosen"]),
        baseline_macro=percent(baseline["macro_f1"]), baseline_accuracy=percent(baseline["accuracy"]),
        usual_macro=percent(baseline["most_frequent"]["macro_f1"]),
        usual_accuracy=percent(baseline["most_frequent"]["accuracy"]),
        difference=points(baseline["difference"]),
        verdict=verdict(settings),
        classes=_table(("class", "precision", "recall", "F1", "test examples"), [
            (name, *(f"{100 * each[key]:.1f}" for key in MEASURES), each["examples"])
            for name, each in zip(tested, test["classes"], strict=True)
        ]),
        **{key: settings[key] for key in (
            "max_length", "seed", "epochs", "best_epoch", "learning_rate", "batch_size", "seconds",
        )},
        frozen=settings["frozen_layers"], cut=f"{settings['cut_texts']:,}",
    )  # fmt: skip


def _safe(name: str) -> str:
    """A name in running Markdown: marks that mean something there are escaped."""
    return "".join("\\" + char if char in "\\`*_{}[]<>|#~&$" else char for char in plain(name, 60))


def _word(name: str) -> str:
    """A column's name as a shell reads it, inside a code span."""
    return shlex.quote(plain(name, 60)).replace("`", "'")


def _code(name: str) -> str:
    return f"`{plain(name, 60).replace('`', chr(39))}`"


def _table(header: tuple, rows: list[tuple]) -> str:
    lines = [f"| {' | '.join(header)} |", "| --- |" + " ---: |" * (len(header) - 1)]
    lines += [f"| {' | '.join([_safe(row[0]), *map(str, row[1:])])} |" for row in rows]
    return "\n".join(lines)
