"""JSON from strangers: what the standard reader lets through."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.core.errors import DataError
from datatools.io.jsontext import MAX_DEPTH, load, too_deep

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text('a[]{}\\"é'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("k[}"), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=50)
@given(VALUES)
def test_reads_what_the_standard_reader_reads(value: object) -> None:
    assert load(json.dumps(value).encode(), "x.json") == value


def test_a_byte_order_mark_and_crlf_are_fine() -> None:
    assert load(b"\xef\xbb\xbf{\r\n}\r\n", "x.json") == {}


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b'{"a": NaN}', "E-JSON-BROKEN", 0),
        (b"[-Infinity]", "E-JSON-BROKEN", 0),
        (b"[1e400]", "E-JSON-BROKEN", 0),
        (b"[" + b"9" * 5000 + b"]", "E-JSON-BROKEN", 0),
        (b'{"a": 1, "a": 2}', "E-JSON-BROKEN", 0),
        (b'["\\ud800"]', "E-JSON-BROKEN", 0),
        (b'{"\\udc00": 1}', "E-JSON-BROKEN", 0),
        (b'{\n"a": \n}', "E-JSON-BROKEN", 3),
        (b'{\n"a": "\xff"}', "E-JSON-BROKEN", 2),
        (b"", "E-JSON-BROKEN", 1),
        (b"[1] [2]", "E-JSON-BROKEN", 1),
        (b"[" * 100_000, "E-JSON-LIMIT", 0),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "E-JSON-LIMIT", 0),
    ],
)
def test_each_trap_is_one_line(data: bytes, code: str, line: int) -> None:
    with pytest.raises(DataError) as caught:
        load(data, "x.json")
    assert (caught.value.code, caught.value.line) == (code, line)
    assert "\n" not in str(caught.value)


def test_pairs_of_surrogates_are_letters() -> None:
    assert load(b'["\\ud83d\\ude00"]', "x.json") == ["\U0001f600"]


@pytest.mark.parametrize(("depth", "deep"), [(1, False), (MAX_DEPTH, False), (MAX_DEPTH + 1, True), (100_000, True)])
def test_depth_is_counted_without_recursion(depth: int, deep: bool) -> None:
    assert too_deep(b"[" * depth + b"]" * depth) is deep
    assert too_deep(b'["]]]", ' + b"[" * (depth - 1) + b"]" * depth) is deep
