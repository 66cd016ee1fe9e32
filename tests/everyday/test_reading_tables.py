"""Tables read: the nastiest there are, each with what must be read, or what must be said."""

import csv
import io
import os

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.everyday import InputError, check_output, load_table, write_table
from helpers.everyday.decoding import likely_encoding
from helpers.everyday.delimited import parse_delimited, whole_fields
from helpers.everyday.tables import changes_of_form, table_bytes

LONG = "a word " * 14_286  # 100,002 characters
ROWS = [["one, two; three", "a"], ["four", "b"]]

# name: (name of the file, bytes, columns, rows)
READ = {
    "comma": ("t.csv", b'text,label\n"one, two; three",a\nfour,b\n', ROWS),
    "semicolon": ("t.csv", b'text;label\n"one, two; three";a\nfour;b\n', ROWS),
    "semicolon, commas in every text": (
        "t.csv", b"text;label\na, b;x\nc, d;y\n", [["a, b", "x"], ["c, d", "y"]],
    ),
    "tab in a .csv": ("t.csv", b"text\tlabel\none, two; three\ta\nfour\tb\n", ROWS),
    "Excel's own first line": ("t.csv", b"sep=;\r\ntext;label\r\none, two;a\r\n", [["one, two", "a"]]),
    "byte order mark": ("t.csv", b"\xef\xbb\xbftext,label\nfour,b\n", [["four", "b"]]),
    "byte order mark before a quote": ("t.csv", b'\xef\xbb\xbf"text","label"\nfour,b\n', [["four", "b"]]),
    "CRLF": ("t.csv", b"text,label\r\nfour,b\r\nfive,a", [["four", "b"], ["five", "a"]]),
    "old Macintosh line ends": ("t.csv", b"text,label\rfour,b\rfive,a\r", [["four", "b"], ["five", "a"]]),
    "line breaks in quotes": (
        "t.csv", b'text,label\n"two\n\nlines\r\nand, ""more""",a\nfour,b\n',
        [['two\n\nlines\r\nand, "more"', "a"], ["four", "b"]],
    ),
    "other line ends are none": (
        "t.csv", "text,label\none\u2028two\x0bthree\x85four,b\n".encode(),
        [["one\u2028two\x0bthree\x85four", "b"]],
    ),
    "quotes with a backslash": (
        "t.csv", b'text,label\n"she said \\"no, never\\" twice",a\nfour,b\n',
        [['she said "no, never" twice', "a"], ["four", "b"]],
    ),
    "a backslash at the end of a text": ("t.csv", b'text,label\n"C:\\dir\\",a\n', [["C:\\dir\\", "a"]]),
    "lone quotes in a .tsv": (
        "t.tsv", b'text\tlabel\n"no end\ta\nfive" and "six\tb\n', [['"no end', "a"], ['five" and "six', "b"]],
    ),
    "quotes inside a text that has none around it": (
        "t.csv", b'text,label\na 6" nail,b\n', [['a 6" nail', "b"]],
    ),
    "words that mean nothing elsewhere": (
        "t.csv", b"text,label\nnan,N/A\nNone,null\nNA,-\n-inf,1.0\n",
        [["nan", "N/A"], ["None", "null"], ["NA", "-"], ["-inf", "1.0"]],
    ),
    "only delimiters, only blanks": ("t.csv", b"text,label\n,\n\n   \n  ,b\n", [["", ""], ["  ", "b"]]),
    "one very long text": ("t.csv", f"text,label\n{LONG},b\n".encode(), [[LONG, "b"]]),
    "one column": ("t.csv", b'text\none, two\n""\nthree; four\n', [["one, two"], [""], ["three; four"]]),
    "blanks after commas": (
        "t.csv", b'"text", "label"\n"one, two", "x"\n"a", "b"\n', [["one, two", "x"], ["a", "b"]],
    ),
    "blanks around a name": ("t.csv", b'text, label\nfour,b\n', [["four", "b"]]),
    "JSON lines": (
        "t.jsonl",
        '{"text": "one\\ntwo\u2028", "label": 1}\r\n\n{"label": true, "text": null, "x": [1]}'.encode(),
        [["one\ntwo\u2028", "1"], ["", "true"]],
    ),
    "numbers in JSON": (
        "t.ndjson", b'{"text": "a", "label": 1.0}\n{"text": NaN, "label": 1e999}\n',
        [["a", "1.0"], ["", "1e999"]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_is_read_as_it_was_written(name, tmp_path):
    file, content, rows = READ[name]
    (tmp_path / file).write_bytes(content)
    wanted = ["text", "label"][: len(rows[0])]
    for known in ([], wanted):  # also without knowing which columns there are
        table = load_table(tmp_path / file, known)
        texts = [table.texts(column) for column in wanted]
        assert [list(row) for row in zip(*texts, strict=True)] == rows


# name: (name of the file, bytes, words of the sentence)
REFUSED = {
    "no such column": ("t.csv", b"Text,y\na,b\n", ["no column 'text', but 'Text', 'y'", "Is it 'Text'?"]),
    "no first line": ("t.csv", b"hello there,spam\nbye,ham\n", ["no column 'text'", "must hold their names"]),
    "a column twice": ("t.csv", b"text,text,label\na,b,c\n", ["2 columns 'text'", "rename"]),
    "nothing": ("t.csv", b"", ["is empty", "first line"]),
    "nothing but a mark": ("t.csv", b"\xef\xbb\xbf\r\n \n", ["is empty"]),
    "a first line alone": ("t.csv", b"text,label\n", ["no rows", "'text', 'label'"]),
    "a row too long": (
        "t.csv", b"text,label\na,b\n\nwell, yes,b\n", ["line 4: 3 values", "2 columns", "quotes"],
    ),
    "rows too short": ("t.csv", b"text,label\na,b\nc\nd\ne,f\n", ["line 3: 1 value,", "1 more row"]),
    "line numbers after line breaks": ("t.csv", b'text,label\n"a\nb\nc",x\nd\n', ["line 5: 1 value"]),
    "row numbers without a name": ("t.csv", b"text,label\n1,a,x\n2,b,y\n", ["name their column"]),
    "a quote never closed": ("t.csv", b'text,label\na,b\n"c,d\ne,f\n', ["line 3", "closed nowhere"]),
    "a quote inside quotes": ("t.csv", b'text,label\n"say "no" now",d\n', ["line 2", 'twice ("")']),
    "Western Windows": ("t.csv", "text,label\na caf\xe9 closed,x\n".encode("cp1252"),
                        ["byte 16", "line 2 is 0xe9.", "cp1252", "'a café closed,x'"]),
    "Russian": ("t.csv", ("text,label\n" + "привет как дела сегодня,x\n" * 9).encode("cp1251"),
                ["byte 11", "--encoding cp1251"]),
    "one wrong byte in UTF-8": (
        "t.csv",
        "text,label\nКлючи у меня,x\n".encode() + b"caf\xe9,y\n",
        ["line 3", "e9", "The rest is UTF-8"],
    ),
    "UTF-16": (
        "t.csv", "text,label\na,x\n".encode("utf-16"), ["byte 0", "--encoding utf-16", "'text,label'"],
    ),
    "UTF-16 without a mark": ("t.csv", "text,label\na,x\n".encode("utf-16-be"), ["NUL", "utf-16-be"]),
    "a character NUL": ("t.csv", b"text,label\na\0b,x\n", ["NUL", "line 2"]),
    "a workbook renamed": ("t.csv", b"PK\x03\x04\0\0", ["Excel workbook"]),
    "a Parquet file renamed": ("t.csv", b"PAR1\x15\0", ["Parquet"]),
    "a JSON list": ("t.jsonl", b'[{"text": "a"}]\n', ["line 1", "list, expected an object", "lines=True"]),
    "a JSON list over lines": ("t.jsonl", b'[\n{"text": "a"}]\n', ["line 1 is no JSON", "no list"]),
    "a JSON line cut short": ("t.jsonl", b'{"text": "a"}\n{"text": "b\n', ["line 2 is no JSON"]),
    "a name twice in JSON": ("t.jsonl", b'{"text": "a", "text": "b"}\n', ["'text' stands twice"]),
    "half a character": ("t.jsonl", b'{"text": "a \\ud83d", "label": "b"}\n', ["line 1", "half"]),
    "a list for a text": ("t.jsonl", b'{"text": ["a"], "label": "b"}\n', ["line 1: 'text' holds a list"]),
    "nested very deeply": ("t.jsonl", b'{"text": ' + b"[" * 9999, ["line 1 is no JSON"]),
    "a workbook": ("t.xlsx", b"", ["ends in .xlsx", ".csv"]),
    "no extension": ("t", b"text\na\n", ["ends in nothing"]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_with_a_sentence(name, tmp_path):
    file, content, words = REFUSED[name]
    (tmp_path / file).write_bytes(content)
    with pytest.raises(InputError) as refused:
        load_table(tmp_path / file, ["text"]).texts("text")
    message = str(refused.value)
    assert all(word in message for word in words), message
    assert message.startswith(file) and "\n" not in message and len(message) < 500


def test_places_that_are_no_files(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv") if hasattr(os, "mkfifo") else None
    with pytest.raises(InputError, match=r"folder.csv is a folder, not a table"):
        load_table(tmp_path / "folder.csv")
    with open(tmp_path / "huge.csv", "wb") as file:
        file.truncate(501_000_000)  # takes no room
    with pytest.raises(InputError, match="has 501 MB, more than the 500 that are read"):
        load_table(tmp_path / "huge.csv")
    with pytest.raises(InputError, match=r"gone.csv can't be read \(No such file"):
        load_table(tmp_path / "gone.csv")
    if hasattr(os, "mkfifo"):
        with pytest.raises(InputError, match="no ordinary file"):
            load_table(tmp_path / "pipe.csv")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig", "utf-8"])
def test_a_named_encoding_is_used(tmp_path, encoding):
    path = tmp_path / "t.csv"
    path.write_bytes("text,label\ncafé,x\n".encode(encoding))
    assert load_table(path, ["text"], encoding).texts("text") == ["café"]


@pytest.mark.parametrize(
    ("name", "text", "encoding", "out", "words"),
    [
        ("t.csv", "text,label\ncafé,x\n", "utf-8", "a.csv", ""),
        ("t.csv", "text,label\ncafé,x\n", "utf_8_sig", "a.jsonl", ""),
        ("t.csv", "text\na cafe\n", "ascii", "a.tsv", ""),
        ("t.csv", "text;label\ncafé;x\n", "utf-8", "a.csv", ", with commas, not semicolons as in t.csv"),
        ("t.csv", "text;label\ncafé;x\n", "utf-8", "a.jsonl", ""),
        ("t.csv", "text\tlabel\ncafé\tx\n", "cp1252", "a.tsv", ", in UTF-8, not cp1252 as t.csv is"),
        ("t.csv", "text;label\ncafé;x\n", "cp1252", "a.tsv",
         ", with tabs, not semicolons as in t.csv, in UTF-8, not cp1252 as t.csv is"),
        ("t.jsonl", '{"text": "café"}\n', "latin-1", "a.csv", ", in UTF-8, not latin-1 as t.jsonl is"),
    ],
)  # fmt: skip
def test_what_is_written_otherwise_than_it_was_read(tmp_path, name, text, encoding, out, words):
    (tmp_path / name).write_bytes(text.encode(encoding))
    assert changes_of_form(load_table(tmp_path / name, ["text"], encoding), out, encoding) == words


@pytest.mark.parametrize("encoding", ["klingon", "base64", ""])
def test_an_encoding_that_there_is_not(tmp_path, encoding):
    (tmp_path / "t.csv").write_bytes(b"text,label\na,x\n")
    with pytest.raises(InputError, match=f"there is no encoding '{encoding}': try utf-8"):
        load_table(tmp_path / "t.csv", encoding=encoding)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Le café était fermé, l’été dernier — déjà."),
        ("cp1253", "Καλημέρα κόσμε, τι κάνεις σήμερα;"),
        ("cp932", "今日は天気がいいですね。映画を見に行きましょう。"),
        ("gb18030", "这部电影非常好看，我很喜欢。推荐给大家"),
    ],
)
def test_the_likely_encoding(encoding, text):
    content = "\n".join([text] * 20).encode(encoding)
    place = next(number for number, byte in enumerate(content) if byte > 127)
    assert likely_encoding(content, place) == encoding


def test_a_large_table_of_which_a_sample_decides(tmp_path):
    """The delimiter is found in the beginning, which may end inside a quoted text."""
    row = '"' + "a, b; c\n" * 50_000 + '";x\n'
    parsed = parse_delimited("text;label\n" + row * 3, "t.csv")
    assert parsed.delimiter == ";" and [len(r) for r in parsed.rows] == [2, 2, 2]
    assert parsed.lines == [2, 2 + 50_001, 2 + 2 * 50_001]


CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = st.text(CHARACTERS | st.sampled_from("\r\n\t,;\"'\\ "), max_size=12)


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5), kind=st.sampled_from([".csv", ".tsv"]))
def test_what_was_written_is_read(rows, kind):
    """By ourselves and by pandas."""
    rows = [[first.removeprefix("\ufeff"), second] for first, second in rows]
    content = table_bytes(kind, ["text", "label"], rows)
    parsed = parse_delimited(content.decode(), "t", ",;\t" if kind == ".csv" else "\t", ["text", "label"])
    assert parsed.rows == [list(row) for row in rows]
    frame = pd.read_csv(
        io.BytesIO(content), sep="," if kind == ".csv" else "\t", dtype=str, keep_default_na=False,
        skip_blank_lines=False,
    )  # fmt: skip
    assert frame.to_numpy().tolist() == parsed.rows


def test_json_lines_keep_their_values(tmp_path):
    path, out = tmp_path / "t.jsonl", tmp_path / "out.jsonl"
    path.write_text(
        '{"text": "ä", "n": 1.50, "b": true, "x": {"y": [1, null]}}\n{"n": null}\n', encoding="utf-8"
    )
    table = load_table(path)
    write_table(out, table.columns, table.rows)
    assert load_table(out).rows == table.rows == [["ä", 1.5, True, {"y": [1, None]}], [None] * 4]
    write_table(tmp_path / "out.csv", table.columns, table.rows)
    assert load_table(tmp_path / "out.csv").rows == [["ä", "1.5", "true", '{"y": [1, null]}'], [""] * 4]


def test_no_two_names_alike_in_json(tmp_path):
    with pytest.raises(InputError, match="two columns are called 'x'"):
        write_table(tmp_path / "t.jsonl", ["x", "x"], [])


def test_unasked_columns_may_be_nameless_or_double(tmp_path):
    """The best-known table of spam has three columns without a name."""
    path = tmp_path / "t.csv"
    path.write_bytes(b"v1,v2,,,\nham,a,,,\n")
    table = load_table(path, ["v2", "v1"])
    assert table.columns == ("v1", "v2", "", "", "") and table.texts("v2") == ["a"]


def test_where_a_table_can_be_written(tmp_path):
    source = tmp_path / "in.csv"
    source.write_bytes(b"text\na\n")
    (tmp_path / "folder.csv").mkdir()
    for path, words in {
        "out.xlsx": "ends in .xlsx", "folder.csv": "is a folder", "no/out.csv": "there is no folder",
        "in.csv": "is the table that is read", "../" + tmp_path.name + "/in.csv": "is the table that is read",
    }.items():  # fmt: skip
        with pytest.raises(InputError, match=words):
            check_output(tmp_path / path, source, force=True)
    (tmp_path / "old.csv").write_bytes(b"old")
    with pytest.raises(InputError, match="exists already.*--force"):
        check_output(tmp_path / "old.csv", source)
    assert check_output(tmp_path / "old.csv", source, force=True) == tmp_path / "old.csv"


def test_a_full_disk_leaves_the_old_table(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(InputError, match="No space left on device.*make room"):
        write_table(path, ["text"], [["a"]])
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_the_limit_of_a_field_is_lifted():
    before = csv.field_size_limit()
    with whole_fields():
        assert csv.field_size_limit() >= 10**9
    assert len(parse_delimited("text,label\n" + "x" * 200_000 + ",a\n", "t.csv").rows[0][0]) == 200_000
    assert csv.field_size_limit() == before < 10**9  # other tables are told from what is none by it


@pytest.mark.parametrize("kind", [".csv", ".tsv"])
def test_a_column_called_like_the_line_that_decides(tmp_path, kind):
    write_table(tmp_path / f"t{kind}", ["sep=;"], [['"'], ["x"]])
    assert load_table(tmp_path / f"t{kind}", ["sep=;"]).rows == [['"'], ["x"]]


PIECES = st.sampled_from(
    ['"', '""', ",", ";", "\t", "\n", "\r\n", "\\", '\\"', " ", "\0", "text", "label", "sep=;\n", "{", "}",
     ":", "[", "é", "а"]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(pieces=st.lists(PIECES, max_size=14), kind=st.sampled_from([".csv", ".tsv", ".jsonl"]), data=st.data())
def test_any_bytes_are_a_table_or_refused(tmp_path_factory, pieces, kind, data):
    """Never an error of another kind, and what is read is read again after writing."""
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8", "cp1251", "utf-16"]))
    folder = tmp_path_factory.mktemp("bytes")
    (folder / f"t{kind}").write_bytes("".join(pieces).encode(encoding, errors="ignore"))
    try:
        table = load_table(folder / f"t{kind}")
    except InputError as refused:
        assert "\n" not in str(refused) and str(refused).startswith("t.")
        return
    if len(set(table.columns)) == len(table.columns) and table.columns != ("",):
        write_table(folder / f"out{kind}", table.columns, table.rows)
        assert load_table(folder / f"out{kind}", table.columns).rows == table.rows
