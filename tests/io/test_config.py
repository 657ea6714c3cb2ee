"""YAML is read as configuration: strictly, with places, without its bombs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.core.errors import UsageError
from datatools.io.config import load_marked, load_yaml


def test_values_are_those_of_the_core_schema() -> None:
    text = b"a: on\nb: 1:30\nc: 017\nd: 1e3\ne: true\nf:\ng: '1'\nh: 2001-01-01\ni: [1, -.5]\nj: no\n"
    assert load_yaml(text, "x.yaml") == {
        "a": "on", "b": "1:30", "c": 17, "d": 1000.0, "e": True, "f": None, "g": "1", "h": "2001-01-01",
        "i": [1, -0.5], "j": "no",
    }  # fmt: skip


def test_every_value_has_its_place() -> None:
    document = load_marked(b"version: 1\nstages:\n  - id: a\n    with: {k: 0}\n", "p.yaml")
    assert document.where(("stages", 0, "with", "k")) == "p.yaml:4:12"
    assert document.where(("stages", 0, "with", "absent")) == "p.yaml:4:5"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a: &x 1\nb: *x", r"x:1:4: anchors"),
        (b"a: {<<: {b: 1}}", r"merge keys"),
        (b"a: 1\na: 2", r"x:2:1: the key 'a' stands here twice"),
        (b"[" * 100_000, r"deeper than 32"),
        (b"a: [1", r"x:"),
        (b"\xff\xfe", r"not UTF-8"),
        (b"--- 1\n--- 2\n", r"second document"),
        (b"!!python/object/apply:os.system [true]", r"tags"),
        (b"? [a]\n: 1", r"a key must be plain text"),
        (b"a: 1e999", r"too large|1e999"),
        (b" " * 1_000_001, r"larger"),
        (b"- 1\n" * 20_001, r"more than 20000"),
    ],
)
def test_what_yaml_hides_is_refused_in_one_line(data: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        load_yaml(data, "x")
    assert "\n" not in str(caught.value)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        load_yaml(data, "x")
    except UsageError as error:
        assert "\n" not in str(error)
