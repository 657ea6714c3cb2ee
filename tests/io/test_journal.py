"""Journals: the last row of an id counts, and no damage makes a row that nobody wrote."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from datatools.io.journal import Journal, JournalFile, Row, parse, replaced
from datatools.io.room import Seen

NAMES = st.binary(min_size=1, max_size=12).map(os.fsdecode)  # bytes that are no text too
NUMBERS = st.integers(0, 2**63 - 1)
SEEN = st.builds(Seen, NAMES, NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.text("0123456789abcdef", min_size=32, max_size=32))
SEVERAL = st.lists(SEEN, max_size=3).map(tuple)
ROWS = st.lists(
    st.builds(Row, NAMES, st.text("0123456789abcdef", min_size=32, max_size=32), SEVERAL, SEVERAL, NAMES), max_size=6
)


@pytest.fixture(scope="module")
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "home" / "journal.jsonl"


def write(path: Path, rows: list[Row]) -> bytes:
    path.parent.mkdir(exist_ok=True)
    data = b"".join(row.line() for row in rows)
    path.write_bytes(data)
    return data


@settings(max_examples=50, deadline=None)
@given(rows=ROWS)
def test_what_was_written_is_read(path: Path, rows: list[Row]) -> None:
    data = write(path, rows)
    last = {row.id: row for row in rows}
    with Journal(path) as journal:
        assert journal.end == len(data)
        assert len(journal) == len(last)
        assert {row.id: row for row in journal.rows()} == last
        assert all(journal.get(name) == row for name, row in last.items())
        assert journal.get("no such item") is last.get("no such item")


@settings(max_examples=30, deadline=None)
@given(rows=ROWS, cut=st.floats(0, 1))
def test_a_cut_journal_has_the_rows_before_the_cut(path: Path, rows: list[Row], cut: float) -> None:
    data = write(path, rows)
    data = data[: round(cut * len(data))]
    path.write_bytes(data)
    whole = rows[: data.count(b"\n")]
    with Journal(path) as journal:
        assert journal.end == data.rfind(b"\n") + 1
        assert {row.id: row for row in journal.rows()} == {row.id: row for row in whole}
        keep = journal.end
    added = Row("added", "k", (), ())
    file = JournalFile(path, keep)
    file.append([added.line()])
    file.close()
    with Journal(path) as journal:
        assert journal.get("added") == added
        assert all(row in [*whole, added] for row in journal.rows())


@settings(max_examples=60, phases=(Phase.explicit, Phase.generate), deadline=None)
@given(rows=ROWS.filter(bool), at=st.integers(0), bit=st.integers(0, 7))
def test_a_flipped_bit_costs_its_row_or_changes_a_value(path: Path, rows: list[Row], at: int, bit: int) -> None:
    data = bytearray(write(path, rows))
    at %= len(data)
    data[at] ^= 1 << bit
    path.write_bytes(data)
    lines = [line for line in bytes(data).split(b"\n") if line]
    with Journal(path) as journal:
        for row in journal.rows():
            assert row in rows or any(_is(line, row) for line in lines)
        for name in {row.id for row in rows}:
            assert (found := journal.get(name)) is None or found.id == name


def _is(line: bytes, row: Row) -> bool:
    """Whether the damaged line still is valid and says this."""
    try:
        return json.loads(line)["id"] == row.id and parse(line) == row
    except (ValueError, KeyError, TypeError):
        return False


@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_are_a_journal_without_rows_or_with_readable_ones(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    for text in (data, b'{"id": ' + data + b"\n", b'{"id": "a", "key": ' + data + b"}\n"):
        path.write_bytes(text)
        with Journal(path) as journal:
            list(journal.rows())
            journal.get("a")


@pytest.mark.parametrize(
    "line",
    [
        b'{"id": "a", "key": "k", "in": [], "out": [["x"]]}\n',
        b'{"id": "a", "key": "k", "in": 3, "out": []}\n',
        b'{"id": "a", "key": "k", "in": [], "out": {"x": 1}}\n',
        b'{"id": "a"}\n',
        b'{"id": 3, "key": "k", "in": [], "out": []}\n',
        b'{"id": "a", "key": "k", "in": ' + b"[" * 100_000 + b"\n",
        b'{"id": "\\ud800", "key": ' + b"[" * 100_000 + b"\n",
        b"\n",
        b'{"id": "a\n',
    ],
)
def test_a_line_that_is_no_row_is_passed_over(path: Path, line: bytes) -> None:
    good = Row("b", "k", (), ())
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(line + good.line())
    with Journal(path) as journal:
        assert list(journal.rows()) == [good]
        assert journal.get("a") is None


def test_a_missing_journal_is_empty(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "absent")
    assert (len(journal), journal.end, list(journal.rows()), journal.get("a")) == (0, 0, [], None)
    journal.close()


def test_lines_longer_than_any_block_are_whole(path: Path) -> None:
    rows = [Row(f"{n}", "k", (), (), "x" * size) for n, size in enumerate([1, 1000, 2**20, 3 * 2**20, 8190])]
    write(path, rows)
    with Journal(path) as journal:
        assert [journal.get(row.id) for row in rows] == rows


def test_outputs_of_a_line_are_replaced() -> None:
    row = Row("a", "k", (), (Seen("x", 1, 2, 3, 4, "d"),), row={"n": 1}, error={"code": "E"})
    assert parse(replaced(row.line(), ())) == Row("a", "k", (), (), row={"n": 1}, error={"code": "E"})
