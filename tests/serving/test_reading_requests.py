"""A request's head and body to texts, and every sentence with which one is refused."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.everyday.examples import Pair
from helpers.serving import Limits, Refusal
from helpers.serving.reading import check_head, pairs_in, read_body

LIMITS = Limits(texts=3, characters=20, bytes=1_000, waiting=3, arrival=0.05)

# What is read: name -> (body, pairs)
READ = {
    "one": (b'{"text": "a film"}', [Pair("a film")]),
    "several": (b'{"texts": ["a", "b", "a"]}', [Pair("a"), Pair("b"), Pair("a")]),
    "a mark, blanks and line breaks": (b'\xef\xbb\xbf \r\n{ "text" :\t"a" }\n ', [Pair("a")]),
    "escapes, both halves": (rb'{"text": "caf\u00e9 \ud83d\ude00"}', [Pair("café 😀")]),
    "UTF-8": ('{"text": "café 😀"}'.encode(), [Pair("café 😀")]),
    "exactly the limits": (json.dumps({"texts": ["x" * 20] * 3}).encode(), [Pair("x" * 20)] * 3),
    "words that mean nothing elsewhere": (b'{"texts": ["NaN", "null"]}', [Pair("NaN"), Pair("null")]),
    "a control character among letters": (rb'{"text": "a\u0000b"}', [Pair("a\0b")]),
}

# What is refused: name -> (body, status, words of the sentence)
REFUSED = {
    "nothing": (b"", 400, "the body is empty"),
    "blanks": (b"  \n", 400, "no JSON (Expecting value, line 2, column 1)"),
    "text": (b"a film", 400, "no JSON (Expecting value, line 1, column 1)"),
    "half": (b'{"text": "a', 400, "Unterminated string"),
    "two": (b'{"text": "a"}{"text": "b"}', 400, "Extra data, line 1, column 14"),
    "single quotes": (b"{'text': 'a'}", 400, "no JSON"),
    "a form": (b"text=a+film", 400, "no JSON"),
    "Latin-1": (b'{"text": "caf\xe9"}', 400, "no UTF-8 (byte 13"),
    "UTF-16": ('{"text": "a"}'.encode("utf-16"), 400, "no UTF-8 (byte 0"),
    "bytes of a surrogate": (b'{"text": "\xed\xa0\x80"}', 400, "no UTF-8 (byte 10"),
    "a control character": (b'{"text": "a\nb"}', 400, "Invalid control character"),
    "NaN": (b'{"text": NaN}', 400, "holds NaN"),
    "infinite": (b'{"text": "a", "other": -Infinity}', 400, "holds -Infinity"),
    "deep": (b"[" * 400 + b"]" * 400, 422, "is a list"),
    "many digits": (b'{"text": ' + b"9" * 900 + b"}", 422, "text is a number"),
    "twice": (b'{"text": "a", "text": "b"}', 400, "'text' twice"),
    "null": (b"null", 422, "the body is null"),
    "a number": (b"3.5", 422, "the body is a number"),
    "a list": (b'["a film"]', 422, "the body is a list"),
    "an empty object": (b"{}", 422, "neither text nor texts"),
    "both": (b'{"text": "a", "texts": ["b"]}', 422, "both text and texts"),
    "another field": (b'{"text": "a", "Text": "b"}', 422, "the field 'Text'"),
    "a field that can't be written": (rb'{"\ud800": 1}', 422, r"'\ud800'"),
    "a number for a text": (b'{"text": 5}', 422, "text is a number"),
    "null for a text": (b'{"text": null}', 422, "text is null"),
    "true for a text": (b'{"text": true}', 422, "text is true or false"),
    "a list for a text": (b'{"text": ["a"]}', 422, "text is a list"),
    "a text for texts": (b'{"texts": "abc"}', 422, "texts is a text"),
    "an object among texts": (b'{"texts": ["a", {}]}', 422, "texts[1] is an object"),
    "no texts": (b'{"texts": []}', 422, "texts is an empty list"),
    "too many texts": (b'{"texts": ["a", "b", "c", "d"]}', 413, "4 texts, at most 3"),
    "too long a text": (
        b'{"texts": ["a", "' + b"x" * 21 + b'"]}', 413, "texts[1] has 21 characters, at most 20"
    ),
    "an empty text": (b'{"texts": ["a", ""]}', 422, "texts[1] is empty, or blanks alone: leave it away"),
    "blanks for a text": (
        rb'{"text": " \t\u00a0\u200b"}', 422, "text is empty, or blanks alone: send a text with letters",
    ),
    "half a pair": (rb'{"text": "ab\ud83d"}', 422, "half a surrogate pair at character 2"),
    "halves the wrong way round": (rb'{"text": "\ude00\ud83d"}', 422, "half a surrogate pair at character 0"),
    "second for single texts": (b'{"text": "a", "second": "b"}', 422, "leave second away"),
    "second beside texts": (b'{"texts": ["a"], "second": "b"}', 422, "second does not belong to texts"),
}  # fmt: skip

PAIRS_REFUSED = {
    "no second": (b'{"text": "a"}', 422, "add the field second"),
    "no seconds": (b'{"texts": ["a"]}', 422, "add the field seconds"),
    "unequal": (b'{"texts": ["a", "b"], "seconds": ["c"]}', 422, "2 texts and 1 seconds"),
    "an empty one": (b'{"texts": ["a", "b"], "seconds": ["c", " "]}', 422, "seconds[1] is empty"),
    "a wrong one": (b'{"text": "a", "second": ["b"]}', 422, "second is a list"),
    "too many": (b'{"texts": ["a"], "seconds": ["a", "b", "c", "d"]}', 413, "4 texts, at most 3"),
}


@pytest.mark.parametrize("name", READ)
def test_what_is_read(name):
    body, pairs = READ[name]
    assert pairs_in(body, LIMITS, second=False) == pairs


def test_pairs_are_read():
    one = pairs_in(b'{"second": "b", "text": "a"}', LIMITS, second=True)
    many = pairs_in(b'{"texts": ["a", "b"], "seconds": ["c", "d"]}', LIMITS, second=True)
    assert (one, many) == ([Pair("a", "b")], [Pair("a", "c"), Pair("b", "d")])


@pytest.mark.parametrize("name", [*REFUSED, *(f"pairs: {name}" for name in PAIRS_REFUSED)])
def test_what_is_refused(name):
    second = name.startswith("pairs: ")
    body, status, words = PAIRS_REFUSED[name.removeprefix("pairs: ")] if second else REFUSED[name]
    with pytest.raises(Refusal) as refused:
        pairs_in(body, LIMITS, second)
    assert refused.value.status == status
    assert words in refused.value.sentence and "\n" not in refused.value.sentence
    assert refused.value.sentence.isascii()


def test_more_than_the_interpreter_reads():
    for body in (b"[" * 200_000, b'{"text": ' + b"9" * 5_000 + b"}"):
        with pytest.raises(Refusal, match="too deeply|too many digits") as refused:
            pairs_in(body, Limits(), second=False)
        assert refused.value.status == 400


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({}, 415, "Content-Type is missing"),
        ({"content-type": "text/plain"}, 415, "is 'text/plain'"),
        ({"content-type": "application/x-www-form-urlencoded"}, 415, "send JSON"),
        ({"content-type": "application/json; charset=utf-16"}, 415, "charset is 'utf-16'"),
        ({"content-type": "application/json", "content-encoding": "gzip"}, 415, "compressed"),
        ({"content-type": "application/json", "content-length": "1001"}, 413, "more than 1,000 bytes"),
        ({"content-type": "application/json", "content-length": "9" * 5_000}, 413, "more than 1,000 bytes"),
    ],
)
def test_a_head_that_is_refused(headers, status, words):
    with pytest.raises(Refusal) as refused:
        check_head(headers, LIMITS)
    assert refused.value.status == status and words in refused.value.sentence


def test_heads_that_are_taken():
    for kind in ("application/json", "Application/JSON ; Charset=UTF-8", 'application/json;charset="utf-8"'):
        check_head({"content-type": kind, "content-length": "1000", "content-encoding": "identity"}, LIMITS)


async def chunks(*parts, pause=0.0):
    for part in parts:
        await asyncio.sleep(pause)
        yield part


def test_a_body_in_parts():
    assert asyncio.run(read_body(chunks(b"a" * 400, b"b" * 600), LIMITS)) == b"a" * 400 + b"b" * 600
    with pytest.raises(Refusal, match="more than 1,000 bytes"):
        asyncio.run(read_body(chunks(b"a" * 400, b"b" * 601), LIMITS))


def test_a_body_that_does_not_arrive():
    with pytest.raises(Refusal, match=r"within 0\.05 seconds") as refused:
        asyncio.run(read_body(chunks(b"a", b"b", pause=0.04), LIMITS))
    assert refused.value.status == 408 and refused.value.headers == {"connection": "close"}


def test_limits_that_can_never_be_met_are_refused():
    with pytest.raises(ValueError, match="may hold 64 texts, but only 63 may wait"):
        Limits(waiting=63)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["text", "texts", "second", "seconds", "x"]) | st.text(), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(st.binary() | st.text().map(str.encode) | JSON.map(lambda content: json.dumps(content).encode()))
def test_any_body_is_read_or_refused_in_a_sentence(body):
    for second in (False, True):
        try:
            pairs = pairs_in(body, LIMITS, second)
        except Refusal as refused:
            assert refused.status in (400, 413, 422) and "\n" not in refused.sentence
        else:
            assert pairs and all((pair.second is not None) == second and not pair.empty for pair in pairs)
