"""A request's head and body to texts, or a `Refusal` that says what was wrong and what to do.

    {"text": "..."}     {"text": "...", "second": "..."}
    {"texts": ["..."]}  {"texts": ["..."], "seconds": ["..."]}

Statuses (RFC 9110, section 15.5): 400, no JSON in UTF-8; 408, the body did not arrive in time; 413, too
much; 415, another kind of content; 422, JSON that is no such request. Sentences repeat names of fields, never
texts.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping

from helpers.everyday.errors import named
from helpers.everyday.examples import Pair
from helpers.everyday.labels import is_empty
from helpers.serving.limits import Limits

__all__ = ["Refusal", "check_head", "pairs_in", "read_body"]

ONE, MANY = ("text", "second"), ("texts", "seconds")


class Refusal(Exception):
    """A request that gets no answer: an HTTP status, a sentence for the client, more headers."""

    def __init__(self, status: int, sentence: str, **headers: str):
        super().__init__(sentence)
        self.status, self.sentence = status, sentence
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def check_head(headers: Mapping[str, str], limits: Limits) -> None:
    """Refuse a request by its headers: other content than plain JSON in UTF-8, or a body that is too long."""
    kind, *parameters = headers.get("content-type", "").lower().split(";")
    if kind.strip() != "application/json":
        found = f"is {kind.strip()[:60]!r}" if kind.strip() else "is missing"
        raise Refusal(415, f"the header Content-Type {found}: send JSON with Content-Type: application/json")
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            raise Refusal(415, f"the body's charset is {value[:60]!r}: send JSON in UTF-8")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(415, "the body is compressed (Content-Encoding): send it as it is")
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limits.bytes:
        raise _too_long(limits)


async def read_body(chunks: AsyncIterator[bytes], limits: Limits) -> bytes:
    """All of a body; Refusal as soon as it is too long or takes too long to arrive."""
    body = bytearray()
    try:
        async with asyncio.timeout(limits.arrival):
            async for chunk in chunks:
                body += chunk
                if len(body) > limits.bytes:
                    raise _too_long(limits)
    except TimeoutError:
        raise Refusal(
            408, f"the body did not arrive within {limits.arrival:g} seconds: send it at once",
            connection="close",
        ) from None  # fmt: skip
    return bytes(body)


def _too_long(limits: Limits) -> Refusal:
    return Refusal(413, f"the body has more than {limits.bytes:,} bytes: send the texts in several requests")


def pairs_in(body: bytes, limits: Limits, second: bool) -> list[Pair]:
    """The texts of a request's body; second: the classifier reads pairs of texts."""
    content = _json(body)
    if not isinstance(content, dict):
        raise Refusal(422, f'the body is {_kind(content)}: send an object such as {{"text": "..."}}')
    if stray := [name for name in content if name not in (*ONE, *MANY)]:
        raise Refusal(422, f"the body has the field {named(stray[:1])}, known are text and texts"
                           f"{', with second and seconds' if second else ''}: leave others away")  # fmt: skip
    if ("text" in content) == ("texts" in content):
        found = "both text and texts" if "text" in content else "neither text nor texts"
        raise Refusal(422, f'the body has {found}: send one of them, such as {{"text": "..."}}')
    names = ONE if "text" in content else MANY
    wrong = (MANY if names is ONE else ONE)[1]
    if wrong in content:
        raise Refusal(422, f"{wrong} does not belong to {names[0]}: {names[1]} does")
    if (names[1] in content) != second:
        raise Refusal(422, f"this classifier reads pairs of texts: add the field {names[1]}" if second else
                           f"this classifier reads single texts: leave {names[1]} away")  # fmt: skip
    columns = [_column(content[name], name, limits, names is ONE) for name in names[: 1 + second]]
    if len({len(column) for column in columns}) > 1:
        raise Refusal(422, f"there are {len(columns[0])} texts and {len(columns[1])} seconds: send as many "
                           "of both")  # fmt: skip
    return [Pair(*each) for each in zip(*columns, strict=True)]


def _column(value: object, name: str, limits: Limits, alone: bool) -> list[str]:
    """The checked texts of a field."""
    if alone:
        return [_checked(value, name, limits, "send a text with letters")]
    if not isinstance(value, list):
        raise Refusal(422, f"{name} is {_kind(value)}: send a list of texts")
    if not value:
        raise Refusal(422, f"{name} is an empty list: send at least one text")
    if len(value) > limits.texts:
        raise Refusal(413, f"{name} holds {len(value):,} texts, at most {limits.texts:,} are read at once: "
                           "send the others in further requests")  # fmt: skip
    return [_checked(each, f"{name}[{index}]", limits, "leave it away") for index, each in enumerate(value)]


def _checked(text: object, place: str, limits: Limits, advice: str) -> str:
    """A text that a tokenizer can read. advice: what to do about an empty one."""
    if not isinstance(text, str):
        raise Refusal(422, f"{place} is {_kind(text)}: send a text in quotes")
    if len(text) > limits.characters:
        raise Refusal(413, f"{place} has {len(text):,} characters, at most {limits.characters:,} are read: "
                           "shorten it")  # fmt: skip
    if surrogate := re.search("[\ud800-\udfff]", text):
        raise Refusal(422, f"{place} has half a surrogate pair at character {surrogate.start():,}, counted "
                           "from 0, which stands for no character: send both halves, or UTF-8")  # fmt: skip
    if is_empty(text):
        raise Refusal(422, f"{place} is empty, or blanks alone: {advice}")
    return text


def _json(body: bytes) -> object:
    """What the body says, by RFC 8259: no NaN or Infinity, and no name twice in an object."""
    if not body:
        raise Refusal(400, 'the body is empty: send JSON such as {"text": "..."}')
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(
            400, f"the body is no UTF-8 (byte {error.start:,}, counted from 0): send JSON in UTF-8"
        ) from None
    try:
        return json.loads(text, parse_constant=_no_number, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Refusal(400, f"the body is no JSON ({error.msg}, {place}): correct it there") from None
    except RecursionError:
        raise Refusal(400, "the body is nested too deeply: send an object with texts") from None
    except ValueError:  # the interpreter's own limit for whole numbers
        raise Refusal(400, "the body holds a number with too many digits: send texts in quotes") from None


def _no_number(name: str) -> object:
    raise Refusal(400, f"the body holds {name}, which JSON does not have: send texts in quotes")


def _object(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise Refusal(400, f"an object has the field {named([double])} twice: send each one once")
    return found


def _kind(value: object) -> str:
    """What a value is called in JSON."""
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
