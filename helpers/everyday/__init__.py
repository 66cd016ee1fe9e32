"""A classifier for one's own table: what `scripts/classify.py` does, in functions.

    learning    `train`: from a table to a folder
    answering   `predict` and `evaluate`: from a folder and a table to answers and figures
    tables      `load_table` and `write_table`: CSV, TSV and JSON lines, every value as it was written
    delimited   comma, semicolon or tab, found out; quotes
    json_lines  one object a line
    decoding    bytes to text; a wrong encoding is named with the byte's place
    labels      labels as people write them; columns that hold none
    examples    `labelled` and `split`: usable rows, three parts that share no text
    training    the course's loop for texts and pairs, best epoch by macro-F1
    baseline    tuned word counts beside it
    scoring     macro-F1, accuracy and each class, with intervals
    grouping    texts of similar length are read at once, so that little is padding
    predicting  probabilities for rows, new columns of a table
    folder      model, settings and card, written whole
    card        the model card
    reports     figures as lines of text
    errors      `InputError`, whose message is a whole sentence

Left out: several labels for one text, numbers to be predicted, tables that don't fit into memory.
"""

from helpers.everyday.answering import evaluate, predict
from helpers.everyday.baseline import count_words
from helpers.everyday.errors import InputError
from helpers.everyday.examples import labelled, pairs_of, split
from helpers.everyday.folder import load_classifier, save_classifier
from helpers.everyday.learning import Choices, train
from helpers.everyday.predicting import predict_pairs
from helpers.everyday.scoring import compare_answers, score
from helpers.everyday.tables import Table, check_output, load_table, write_table

__all__ = [
    "Choices",
    "InputError",
    "Table",
    "check_output",
    "compare_answers",
    "count_words",
    "evaluate",
    "labelled",
    "load_classifier",
    "pairs_of",
    "predict",
    "predict_pairs",
    "load_table",
    "save_classifier",
    "score",
    "split",
    "train",
    "write_table",
]
