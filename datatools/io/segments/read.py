"""Readers of segment lists: RTTM, CSV, Audacity labels (also as `.segments`), Kaldi's segments, TextGrid.

Which it is, is seen by the content. Every reader gives, by recording, the spans that hold speech: where any label says
`speech`, those alone; else all but those whose label is a usual word for something else.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from datatools.core.errors import DataError
from datatools.io import files

Spans = Mapping[str, list[tuple[float, float]]]
"""By recording: start and end of each span, seconds, sorted."""

OTHERS = frozenset(["silence", "sil", "non-speech", "nonspeech", "non_speech", "noise", "music", "sp", "<p:>", "pause"])
"""Labels, in lower case, of what is no speech."""
SUFFIXES = frozenset([".rttm", ".csv", ".txt", ".segments", ".textgrid"])

_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,12})?(e-?[0-9]{1,2})?", re.ASCII | re.IGNORECASE)
_MAX_BYTES = 256 * 2**20

Row = tuple[str, float, float, str]
"""Recording (empty where the file is for one), start, end, label."""


def read_segments(path: str | Path) -> Spans:
    """Read a file, or all files below a folder.

    A form without a column for the recording (Audacity, TextGrid) is for the recording that has the file's name.
    Raises DataError E-SEGMENTS with the line of what cannot be read, E-FILE-READ; UsageError, StorageError.
    """
    where = Path(path)
    names = [where] if not where.is_dir() else list(_below(where))
    found: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for one in names:
        name = one.name if one == where else one.relative_to(where).as_posix()
        stem = str(PurePosixPath(name).with_suffix(""))
        rows = list(_rows(one, name))
        for recording in {row[0] or stem for row in rows} or {stem}:
            found[recording] += _speech([row for row in rows if (row[0] or stem) == recording])
    return {name: sorted(spans) for name, spans in found.items()}


def _below(root: Path) -> Iterator[Path]:
    for folder, _, names in files.walk(root):
        for name in names:
            if f".{name.rpartition('.')[2].lower()}" in SUFFIXES:
                yield root / folder / name


def _rows(path: Path, name: str) -> list[Row]:
    try:
        text = files.read_bytes(path, _MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(name, 0, "E-SEGMENTS", "is no UTF-8 text") from None
    head = next((line for line in text.split("\n") if line.strip() and not line.startswith(";;")), "")
    if "ooTextFile" in head:
        return list(_textgrid(text, name))
    if "," in head and {"start", "end"} <= {cell.strip().lower() for cell in head.split(",")}:
        return list(_csv(text, name))
    fields = head.split()
    reader: Callable[[list[str], str], Row]
    if fields and fields[0].isupper() and len(fields) in (9, 10):
        reader = _rttm_line
    elif len(fields) == 4 and _NUMBER.fullmatch(fields[2]) and not ("\t" in head and _NUMBER.fullmatch(fields[0])):
        reader = _kaldi_line
    else:
        reader = _audacity_line
    return list(_by_line(text, name, reader))


def _by_line(text: str, name: str, reader: Callable[[list[str], str], Row]) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.rstrip("\r")
        if not line.strip() or line.startswith((";;", "\\")):  # a comment, or the frequencies of an Audacity label
            continue
        try:
            yield _checked(reader(line.split(), line))
        except _Bad as bad:
            raise DataError(name, number, "E-SEGMENTS", str(bad)) from None


class _Bad(Exception):
    pass


def _checked(row: Row) -> Row:
    if not 0 <= row[1] <= row[2] < 1e9:
        raise _Bad(f"from {row[1]:g} s to {row[2]:g} s is no span")
    return row


def _seconds(text: str) -> float:
    if not _NUMBER.fullmatch(text.strip()):
        raise _Bad(f"{text.strip()[:40]!r} is no number of seconds")
    return float(text)


def _rttm_line(fields: list[str], line: str) -> Row:
    if len(fields) not in (9, 10):
        raise _Bad(f"an RTTM line has 10 fields, here are {len(fields)}")
    start, length = _seconds(fields[3]), _seconds(fields[4])
    return fields[1], start, start + length, "speech" if fields[0] == "SPEAKER" else "non-speech"


def _kaldi_line(fields: list[str], line: str) -> Row:
    if len(fields) != 4:
        raise _Bad(f"a line of segments has 4 fields, here are {len(fields)}")
    return fields[1], _seconds(fields[2]), _seconds(fields[3]), "speech"


def _audacity_line(fields: list[str], line: str) -> Row:
    parts = line.split("\t")
    if len(parts) < 2:
        raise _Bad("a label has start, tab, end, tab, text")
    return "", _seconds(parts[0]), _seconds(parts[1]), parts[2].strip() if len(parts) > 2 else ""


def _csv(text: str, name: str) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    reader.fieldnames = [cell.strip().lower() for cell in reader.fieldnames or []]
    try:
        for row in reader:
            try:
                start, end = _seconds(row["start"] or ""), _seconds(row["end"] or "")
                yield _checked((row.get("recording") or "", start, end, row.get("label") or ""))
            except _Bad as bad:
                raise DataError(name, reader.line_num, "E-SEGMENTS", str(bad)) from None
    except csv.Error as error:
        raise DataError(name, reader.line_num, "E-SEGMENTS", str(error)) from None


def _textgrid(text: str, name: str) -> Iterator[Row]:
    """The intervals of the first interval tier, long or short form."""
    tier = text.partition('"IntervalTier"')[2].partition('"IntervalTier"')[0].partition('"TextTier"')[0]
    # numbers and quoted texts in order, whatever stands around them
    tokens = re.findall(r'"(?:[^"]|"")*"|(?<![\w.\[])-?[0-9][0-9.e-]*', tier)
    values = tokens[4:]  # the tier's name, its start and end, the number of intervals
    if not tokens or len(values) % 3:
        raise DataError(name, 0, "E-SEGMENTS", "the TextGrid's first interval tier is cut short")
    for start, end, label in zip(values[::3], values[1::3], values[2::3], strict=True):
        try:
            if label.strip('"'):
                yield _checked(("", _seconds(start), _seconds(end), label.strip('"')))
        except _Bad as bad:
            raise DataError(name, 0, "E-SEGMENTS", str(bad)) from None


def _speech(rows: list[Row]) -> list[tuple[float, float]]:
    labels = {row[3].lower() for row in rows}
    wanted = {"speech"} if "speech" in labels else labels - OTHERS
    return [(start, end) for _, start, end, label in rows if label.lower() in wanted]
