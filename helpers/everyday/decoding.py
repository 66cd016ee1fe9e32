"""Bytes to text: the first byte that does not fit is named with its place, and the likely right encoding.

A byte order mark at the beginning is no part of the text. Left out: guessing an encoding without being
asked, because a wrong guess changes texts without a word.
"""

from charset_normalizer import from_bytes

from helpers.everyday.errors import InputError

__all__ = ["decode", "likely_encoding"]

# First bytes of files that are no text, and what to do with them.
FILE_STARTS = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook: save the sheet as CSV UTF-8 first",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: save the sheet as CSV UTF-8 first",
    b"\x1f\x8b": "compressed by gzip: unpack it first",
    b"PAR1": "a Parquet file: write it as CSV first (pandas: read_parquet, to_csv)",
    b"%PDF": "a PDF: a table is text, such as CSV",
    b"SQLite format 3": "a database: export the table as CSV first",
}
MARKS = {
    b"\xff\xfe\x00\x00": "utf-32", b"\x00\x00\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"
}  # fmt: skip
AROUND = 20_000  # bytes on each side of a wrong one that the guess is made from


def decode(content: bytes, name: str, encoding: str = "utf-8") -> str:
    """The text of a file, whose name stands in messages.

    InputError for an encoding that there is not, for a byte that does not fit, for files of another kind, and
    for a character NUL, which text doesn't have.
    """
    for start, kind in FILE_STARTS.items():
        if content.startswith(start):
            raise InputError(f"{name} is no text, but {kind}")
    try:
        text = content.decode(encoding)
    except LookupError:
        raise InputError(
            f"there is no encoding {encoding!r}: try utf-8, cp1252 (Western Windows), utf-16 or another name "
            "from the list of Python's standard encodings"
        ) from None
    except UnicodeError as error:
        raise InputError(_wrong_byte(content, name, encoding, getattr(error, "start", 0))) from None
    if (place := text.find("\0")) >= 0:
        guess = likely_encoding(content, 0)
        advice = f"it is probably {guess}: try --encoding {guess}" if guess else "it is damaged, or no text"
        line = text.count("\n", 0, place) + 1
        raise InputError(f"{name} holds the character NUL in line {line}, which no text has: {advice}")
    return text.removeprefix("\ufeff")


def _wrong_byte(content: bytes, name: str, encoding: str, place: int) -> str:
    """The sentence about a byte that does not fit the encoding."""
    line = content.count(b"\n", 0, place) + 1
    byte = content[place : place + 1].hex()
    found = f"{name} is not {encoding}: byte {place:,}, counted from 0, in line {line:,} is 0x{byte}"
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        text = content.decode("utf-8", errors="replace")
        good = sum(char > "\x7f" and char != "\ufffd" for char in text)
        if good > 5 * text.count("\ufffd"):
            return f"{found}. The rest is UTF-8 for the most part: the byte is damaged or came from elsewhere"
    guess = likely_encoding(content, place)
    if not guess:
        return f"{found}. Save it as UTF-8, or name its encoding with --encoding"
    if guess.startswith("utf"):
        first, last = 0, 60
    else:  # the line with the byte in it, at most 20 bytes on each side
        first = max(content.rfind(b"\n", 0, place) + 1, place - 20)
        last = min(content.find(b"\n", place) % (len(content) + 1), place + 20)
    example = content[first:last].decode(guess, errors="ignore").split("\n")[0]
    return (
        f"{found}. It is probably {guess}, in which that place reads {example.strip()!r}: if this is right, "
        f"add --encoding {guess}"
    )


def likely_encoding(content: bytes, place: int) -> str | None:
    """The encoding that the bytes around a place are most likely in; None where nothing fits.

    Marks at the beginning decide, then zeros at every second place (UTF-16), then Western Windows if
    the letters that it makes stand among others, and else charset_normalizer's statistics of languages.
    """
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            return encoding
    start = content[:AROUND]
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = start[first::2].count(0)
        if (
            len(start) > 3
            and zeros > 0.3 * len(start[first::2])
            and zeros > 4 * start[1 - first :: 2].count(0)
        ):
            return encoding
    nearby = content[max(0, place - AROUND) : place + AROUND]
    if 0 in nearby:
        return None
    if _reads_well(nearby):
        return "cp1252"
    best = from_bytes(nearby, cp_exclusion=["utf_7"]).best()
    return best.encoding if best and best.encoding not in ("ascii", "utf_8") else None


def _reads_well(content: bytes) -> bool:
    """Whether bytes as cp1252 are Western text: its letters between letters, its marks elsewhere."""
    high = sum(byte > 127 for byte in content)
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        return False
    common = sum(
        text.count(char) for char in "äöüßÄÖÜéèêëàâáãåçñîïíìôóòõøûúùæœÉÀÅØÆÇÑ’‘“”–—…€£°«»¿¡·•ªº§®©™´\xa0"
    )
    plain = sum(char.isascii() and char.isalpha() for char in text)
    return high > 0 and common > 0.9 * high and plain > 2 * high
