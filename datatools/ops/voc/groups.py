"""What must stay together in a split: the groups that the user names, joined with whatever else ties items."""

import os
import re
from collections.abc import Hashable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from datatools.core.errors import UsageError, escape
from datatools.core.types import Run

if TYPE_CHECKING:
    from datatools.io.voc.layout import Item


def labels_of(spec: str, items: "Sequence[Item]", keys: Sequence[str], run: Run) -> list[str | None]:
    """The group of each item, None where it has none.

    spec: `parent` (the folder of the image, else of the XML), `csv:FILE` (id, group), `xml:TAG` (the text of a tag),
    or a regular expression that is searched in the id: its first group, or the whole match.
    keys: the ids with their trees, which a table may name as well. Raises UsageError for what cannot be read that way.
    """
    form, colon, rest = spec.partition(":")
    if spec == "parent":
        return [os.path.dirname(item.image_file or item.xml_file) for item in items]
    if form == "csv" and colon:
        return _from_table(Path(rest), items, keys)
    if form == "xml" and colon:
        from datatools.io.voc.tags import check_path

        check_path(rest)
        files = [item.xml_file for item in items]
        return list(run.map(partial(_tag_text, path=rest), files, "reading groups"))
    try:
        pattern = re.compile(spec)
    except re.error as error:
        raise UsageError(f"--group {escape(spec)} is no regular expression: {error}") from None
    return [_matched(pattern, item.id) for item in items]


def joined(labelings: Iterable[Sequence[Hashable | None]], n: int) -> list[int]:
    """Number the units of n items: items that share a label in any of the labelings are one unit; None ties nothing.

    Units are numbered in the order of their first items.

    >>> joined([["a", None, "a", None], [None, 1, None, 1]], 4)
    [0, 1, 0, 1]
    """
    parent = list(range(n))

    def top(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for labels in labelings:
        first: dict[Hashable, int] = {}
        for i, label in enumerate(labels):
            if label is not None:
                a, b = top(first.setdefault(label, i)), top(i)
                parent[max(a, b)] = min(a, b)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(top(i), len(numbers)) for i in range(n)]


def _matched(pattern: re.Pattern[str], item_id: str) -> str | None:
    """What the pattern finds; nothing, where it finds an empty text or its group took no part."""
    found = pattern.search(item_id)
    return (found.group(1 if pattern.groups else 0) or None) if found else None


def _tag_text(file: str, path: str) -> str | None:
    from datatools.io import files
    from datatools.io.voc.tags import tag_text

    return tag_text(files.read_bytes(file), file, path)


def _from_table(table: Path, items: "Sequence[Item]", keys: Sequence[str]) -> list[str | None]:
    """Groups from a CSV file of two columns; the line `id,group` may stand first."""
    import csv

    from datatools.core.errors import DataError
    from datatools.io import files

    name = escape(table)
    try:
        text = files.read_bytes(table).decode("utf-8-sig")
        # not splitlines(): other characters that Python takes for line ends may be part of an id
        rows = list(csv.reader(line + "\n" for line in text.replace("\r\n", "\n").split("\n")))
    except (DataError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"--group csv: {name} cannot be read: {escape(error)}") from None
    groups: dict[str, str] = {}
    for line, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (line == 1 and [c.casefold() for c in cells] == ["id", "group"]):
            continue
        if len(cells) != 2 or not all(cells):
            raise UsageError(f"{name}:{line}: two columns are needed, id and group")
        if groups.setdefault(cells[0], cells[1]) != cells[1]:
            raise UsageError(f"{name}:{line}: {escape(cells[0])} is in two groups")
    found = [groups.get(key, groups.get(item.id)) for key, item in zip(keys, items, strict=True)]
    if items and not any(found):
        raise UsageError(f"{name}: none of its ids is in the set (it has {escape(keys[0])} ...)")
    return found
