"""Codes of a lint command, as every lint command has them."""

from collections import Counter

import pytest

from datatools.core.errors import UsageError
from datatools.core.findings import Catalogue, Code, beyond, order

CODES = Catalogue(
    "thing lint",
    "things.py",
    (Code("E-A", "a thing", "It is bad.", by_hand="mend it"), Code("W-B", "a <b>", "It is odd.", rule="b")),
)


def test_a_finding_takes_what_its_code_says() -> None:
    one = CODES.finding("E-A", "x/y.txt", 0, "what\nelse")
    assert str(one) == "x/y.txt:1: E-A error what\\nelse (mend it)"
    assert CODES.finding("W-B", "x", 3, "m", "do this").remedy == "do this"
    assert CODES["W-B"].remedy == "datatools voc fix --rule b"


def test_codes_are_typed_in_any_case() -> None:
    assert CODES.parse(["e-a,W-B", ""]) == {"E-A", "W-B"}
    with pytest.raises(UsageError, match="did you mean W-B"):
        CODES.parse(["W-C"])


def test_order_table_and_baseline() -> None:
    found = order(CODES.finding(c, f, n, "m") for c, f, n in (("W-B", "b", 1), ("E-A", "a", 2), ("E-A", "a", 10)))
    assert [(f.file, f.line) for f in found] == [("a", 2), ("a", 10), ("b", 1)]
    assert CODES.table(found).rows == (("E-A", "error", 2, 1, "a thing"), ("W-B", "warning", 1, 1, "a <b>"))
    assert beyond(found, Counter([found[0].fingerprint])) == list(found[1:])


def test_the_page_escapes_what_markdown_would_take() -> None:
    page = CODES.markdown()
    assert "`datatools thing lint`" in page
    assert "a &lt;b>" in page
    assert "| [`W-B`](#w-b) | a &lt;b> | `datatools voc fix --rule b` |" in page
