"""Tables of texts: read from CSV, TSV or JSON lines, every value as it was written, and written whole.

Nothing is taken for a missing value but an empty one: "nan", "N/A" and "None" are texts. Left out: tables
that don't fit into memory.
"""

import codecs
import csv
import difflib
import io
import json
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.data.files import replace_whole
from helpers.everyday.decoding import decode
from helpers.everyday.delimited import WORDS, parse_delimited
from helpers.everyday.errors import InputError, check_writable, explained, named
from helpers.everyday.json_lines import parse_json_lines

__all__ = ["Table", "changes_of_form", "check_output", "load_table", "table_bytes", "write_table"]

DELIMITERS_OF = {".csv": ",;\t", ".tsv": "\t", ".jsonl": "", ".ndjson": ""}  # extension: possible delimiters
MOST_BYTES = 500_000_000  # a table takes about twelve times as much memory


@dataclass(frozen=True)
class Table:
    """Rows of a file by column. Values are strings; in JSON lines also numbers, true, false and null."""

    name: str  # of the file, for messages
    columns: tuple[str, ...]
    rows: list[list]
    lines: list[int]  # where in the file each row begins, from 1
    notes: tuple[str, ...] = ()  # what was found out while reading
    delimiter: str = ""  # what sets off values in the file; "" in JSON lines and in a single column

    def __len__(self) -> int:
        return len(self.rows)

    def place(self, column: str) -> int:
        """The number of a column; InputError, saying which there are, for one that isn't there, or twice.

        Blanks around names don't count unless two columns differ in nothing else.
        """
        for names in (self.columns, [name.strip() for name in self.columns]):
            if names.count(column) == 1:
                return names.index(column)
            if column in names:
                raise InputError(f"{self.name} has {names.count(column)} columns {column!r}: rename one")
        near = difflib.get_close_matches(column.lower(), [name.lower() for name in self.columns], 1, 0.7)
        close = [name for name in self.columns if name.lower() in near]
        guess = f". Is it {close[0]!r}?" if close else ". The first line must hold their names"
        raise InputError(f"{self.name} has no column {column!r}, but {named(self.columns)}{guess}")

    def texts(self, column: str) -> list[str]:
        """The values of a column as strings, "" for null; InputError for lists and objects in JSON lines."""
        place = self.place(column)
        return [self._text(row[place], column, line) for row, line in zip(self.rows, self.lines, strict=True)]

    def _text(self, value: object, column: str, line: int) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, list | dict):
            kind = "a list" if isinstance(value, list) else "an object"
            raise InputError(f"{self.name}, line {line:,}: {column!r} holds {kind}, expected a string")
        return "" if value is None else json.dumps(value)


def load_table(path: str | Path, wanted: Sequence[str] = (), encoding: str = "utf-8") -> Table:
    """Read a .csv (comma, semicolon or tab), .tsv, .jsonl or .ndjson file.

    wanted: the columns that will be asked for; InputError where one isn't there, where the file can't be read
    as such a table (with the line), or has no rows.
    """
    path = Path(path)
    kind = _kind(path)
    text, delimiter = decode(_content(path), path.name, encoding), ""
    if DELIMITERS_OF[kind]:
        parsed = parse_delimited(text, path.name, DELIMITERS_OF[kind], wanted)
        notes = [parsed.habit] if parsed.habit else []
        if kind == ".csv" and parsed.delimiter != "," and len(parsed.header) > 1:
            notes.insert(0, f"values are set off by a {WORDS[parsed.delimiter]}")
        header, rows, lines = parsed.header, parsed.rows, parsed.lines
        delimiter = parsed.delimiter if len(header) > 1 else ""
    else:
        (header, rows, lines), notes = parse_json_lines(text, path.name), []
    table = Table(path.name, tuple(header), rows, lines, tuple(notes), delimiter)
    for column in wanted:
        table.place(column)
    if not rows:
        raise InputError(f"{path.name} has no rows, only the names of columns: {named(header)}")
    return table


def _kind(path: Path) -> str:
    """The extension of a table; InputError for another one."""
    kind = path.suffix.lower()
    if kind not in DELIMITERS_OF:
        what = f"{path.name} ends in {kind or 'nothing'}"
        raise InputError(f"{what}: a table is a .csv, .tsv, .jsonl or .ndjson file; convert or rename it")
    return kind


def _content(path: Path) -> bytes:
    """The bytes of an ordinary file of a size that fits into memory."""
    with explained(path, "read"):
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise InputError(f"{path} is a folder, not a table")
        if not stat.S_ISREG(found.st_mode):
            raise InputError(f"{path} is no ordinary file: save the table in one")
        if found.st_size > MOST_BYTES:
            raise InputError(
                f"{path} has {found.st_size / 1e6:,.0f} MB, more than the {MOST_BYTES / 1e6:,.0f} that are "
                "read at once: cut it into parts"
            )
        return path.read_bytes()


def table_bytes(kind: str, columns: Sequence[str], rows: Iterable[Sequence]) -> bytes:
    """A table as UTF-8; kind: ".csv" (commas), ".tsv", ".jsonl" or ".ndjson"; None is an empty value.

    InputError for JSON lines with two columns of one name: an object has each name once.
    """
    if not DELIMITERS_OF[kind]:
        if len(set(columns)) < len(columns):
            double = next(name for name in columns if list(columns).count(name) > 1)
            raise InputError(f"two columns are called {double!r}, JSON needs each name once: write a .csv")
        objects = (dict(zip(columns, row, strict=True)) for row in rows)
        return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in objects).encode()
    out = io.StringIO(newline="")
    style = {"delimiter": _written_delimiter(kind), "lineterminator": "\n"}
    plain, quoted = csv.writer(out, **style), csv.writer(out, **style, quoting=csv.QUOTE_ALL)
    for row in (columns, *rows):
        values = [value if isinstance(value, str) else _plain(value) for value in row]
        # csv leaves a bare \r outside quotes, where it is read as a line end; a first line sep=; decides
        protected = any("\r" in value for value in values) or "".join(values[:1]).lower().startswith("sep=")
        (quoted if protected else plain).writerow(values)
    return out.getvalue().encode()


def _written_delimiter(kind: str) -> str:
    return "\t" if kind == ".tsv" else ","


def changes_of_form(table: Table, out: str | Path, encoding: str) -> str:
    """How `write_table` will write a table otherwise than it was read, as the end of a sentence, or "".

    encoding: that of the file that was read.
    """
    kind, changes = _kind(Path(out)), []
    written = _written_delimiter(kind) if DELIMITERS_OF[kind] else ""
    if table.delimiter and written and written != table.delimiter:
        changes.append(f"with {WORDS[written]}s, not {WORDS[table.delimiter]}s as in {table.name}")
    if codecs.lookup(encoding).name not in ("utf-8", "utf-8-sig", "ascii"):
        changes.append(f"in UTF-8, not {encoding} as {table.name} is")
    return "".join(f", {change}" for change in changes)


def _plain(value: object) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def check_output(path: str | Path, source: str | Path | None = None, force: bool = False) -> Path:
    """The path of a table to be written; InputError for one that must not be written there.

    That is another extension, a folder, the source itself, a file that exists (unless `force`), and a place
    where there is no folder.
    """
    path = Path(path)
    _kind(path)
    with explained(path, "written"):
        if path.is_dir():
            raise InputError(f"{path} is a folder: name a file in it")
        if not path.absolute().parent.is_dir():
            raise InputError(f"there is no folder {path.parent} for {path.name}: make one")
        if path.exists():
            if source is not None and path.samefile(source):
                raise InputError(f"{path} is the table that is read: choose another name for what is written")
            if not force:
                raise InputError(f"{path} exists already: choose another name, or add --force to replace it")
    check_writable(path.absolute().parent)
    return path


def write_table(path: str | Path, columns: Sequence[str], rows: Iterable[Sequence]) -> None:
    """Write a table whole or not at all, in the format of its extension; InputError where it fails."""
    path = Path(path)
    content = table_bytes(_kind(path), columns, rows)
    with explained(path, "written"):
        replace_whole(path, content)
