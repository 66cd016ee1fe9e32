"""JSON and tables that somebody opened with another program: read, or refused by name."""

import pytest

from helpers.training.files import csv_lines, read_object


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    for mark in (b"", b"\xef\xbb\xbf"):
        (tmp_path / "a.json").write_bytes(mark + '{"wört": 1}'.encode())
        (tmp_path / "a.csv").write_bytes(mark + b"step,loss\r\n5,1.5\r\n")
        assert read_object(tmp_path / "a.json") == {"wört": 1}
        assert csv_lines(tmp_path / "a.csv") == [{"step": "5", "loss": "1.5"}]


DEEP = [b'{"a":' * 200_000, b"[" * 200_000]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"7", b'"text"', b"{", b"\xff\xfe\x00", *DEEP], ids=lambda c: c[:9].hex()
)
def test_what_is_no_object_is_a_value_error(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError):
        read_object(tmp_path / "a.json")


@pytest.mark.parametrize(
    "content", [b"step,loss\n\xff\xfe,1\n", b'step\n"' + b"a" * 200_000], ids=["bytes", "long"]
)
def test_what_is_no_table_is_a_value_error(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ValueError):
        csv_lines(tmp_path / "a.csv")
