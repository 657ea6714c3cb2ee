"""A set derived from another: the same files, with objects renamed or removed in the XML and the lists kept true.

XML is edited, not written anew: comments, indentation and unknown tags stay. What filter, rename and merge share.
"""

import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param
from datatools.core.types import Run
from datatools.ops.voc import list_updates

if TYPE_CHECKING:
    from datatools.io.voc.layout import Item, VocSet

Link = Annotated[
    Literal["hard", "sym", "copy"],
    Param("images get a second name (hard; a copy where the disk cannot), a link to the original (sym), or a copy"),
]
How = Literal["hard", "sym", "copy"]
Entry = tuple[str, bytes | Path]
"""A file of the output: its path in it, and its bytes or the file that it is a copy of (images: a link to)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done to the objects of every XML. Names are compared as they stand in the file, blanks included.

    keep: the classes that stay, None for all. min_area: square pixels. names: old name -> new one.
    drop_empty: items that are left without any object are left out.
    """

    keep: frozenset[str] | None = None
    min_area: float = 0.0
    names: Mapping[str, str] = field(default_factory=dict)
    drop_empty: bool = False


@dataclass(frozen=True, slots=True)
class Edited:
    """What a rule made of one XML. data: the new bytes, None where nothing changed.

    filename: as the XML has it. objects: (name, difficult) of those that stay, under their new names. removed, renamed:
    by the old names.
    """

    item: "Item"
    filename: str = ""
    data: bytes | None = None
    objects: tuple[tuple[str, bool], ...] = ()
    removed: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    dropped: bool = False
    failure: DataError | None = None


@dataclass(frozen=True)
class DerivedSet:
    """A whole set after a rule. entries: its files. list_notes: what became of lists of classes.

    removed, renamed: objects by the old name of their class. kept, dropped, failed: how many items.
    """

    entries: tuple[Entry, ...]
    kept: int
    dropped: tuple[str, ...]
    objects: dict[str, int]
    removed: dict[str, int]
    renamed: dict[str, int]
    failures: tuple[DataError, ...]
    list_notes: tuple[str, ...]


def check_known(names: Iterable[str], classes: Sequence[str]) -> None:
    """Raise UsageError, with the nearest name, for a class that the set does not have."""
    import difflib

    for name in names:
        if name not in classes:
            near = difflib.get_close_matches(name, classes, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(map(repr, classes)) or 'none'}"
            raise UsageError(f"the set has no class {name!r}; {hint}")


def read_xml(path: str, name: str) -> bytes:
    """The bytes of an XML. Raises DataError that calls it `name`, as the user knows it."""
    from datatools.io.files import read_bytes

    try:
        return read_bytes(path)
    except DataError as error:
        raise DataError(name, 0, error.code, error.message, error.remedy) from None


def stems(keys: Iterable[str]) -> dict[str, str]:
    """A file name without suffix for each key, flat and unlike every other even where case does not count.

    The last part of the key where only one key has it, else the whole key with `_` between its parts, else that with a
    number.

    >>> stems(["train/a", "train/b", "val/a"])
    {'train/a': 'train_a', 'train/b': 'b', 'val/a': 'val_a'}
    """
    keys = list(keys)
    last = Counter(_folded(key.rpartition("/")[2]) for key in keys)
    taken = {folded for folded, times in last.items() if times == 1}
    found: dict[str, str] = {}
    for key in keys:
        stem = key.rpartition("/")[2]
        if last[_folded(stem)] > 1:
            whole = key.replace("/", "_")
            base = stem = whole if len(whole.encode("utf-8", "surrogateescape")) <= 200 else stem
            number = 1
            while _folded(stem) in taken:
                number += 1
                stem = f"{base}-{number}"
            taken.add(_folded(stem))
        found[key] = stem
    return found


def _folded(text: str) -> str:
    import unicodedata

    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).casefold()


def closing(out: Path, dry_run: bool, following: str = "datatools voc lint {out}") -> str:
    """The last line of the report of an operation that makes a set. following: what one does with it next."""
    if dry_run:
        return f"next: the same without --dry-run writes {escape(out)}"
    return f"written: {escape(out)}; next: {following.format(out=escape(out))}"


def write(entries: Iterable[Entry], out: Path, *, link: How, force: bool, inputs: Sequence[Path]) -> None:
    """Make the folder. Images are linked as `link` says; other files are copied, so that editing them stays local."""
    from datatools.io.atomic import Batch, link_or_copy
    from datatools.io.folders import folder
    from datatools.io.images import IMAGE_SUFFIXES

    with folder(out, force=force, inputs=inputs) as partial, Batch() as batch:
        for name, content in entries:
            target = f"{partial}/{name}"
            if isinstance(content, bytes):
                batch.write(target, content)
            else:
                link_or_copy(content, target, link if content.suffix.lower() in IMAGE_SUFFIXES else "copy")


def derive(voc_set: "VocSet", rule: Rule, coords: str, run: Run) -> DerivedSet:
    """Apply a rule to a whole set. coords: "voc" or "zero", for the area."""
    editor = functools.partial(_edit, rule=rule, root=str(voc_set.root), coords=coords)
    edited = list(run.map(editor, voc_set.items, "edit"))
    out_of_it = {e.item.xml_file for e in edited if e.dropped or e.failure}
    image_of = {
        e.item.xml_file: e.item.image_file or str(voc_set.image_by_filename(e.item, e.filename) or "") for e in edited
    }
    kept_images = {image for file, image in image_of.items() if file not in out_of_it}
    out_of_it |= {image for file, image in image_of.items() if file in out_of_it} - kept_images
    rewritten, notes = list_updates.updated(voc_set, edited, rule)
    rewritten |= {e.item.xml_file: e.data for e in edited if e.data is not None}
    return DerivedSet(
        entries=tuple(_entries(voc_set, rewritten, out_of_it, run)),
        kept=sum(e.item.xml_file not in out_of_it for e in edited),
        dropped=tuple(voc_set.key(e.item) for e in edited if e.dropped),
        objects=_counts(name for e in edited if e.item.xml_file not in out_of_it for name, _ in e.objects),
        removed=_counts(name for e in edited for name in e.removed),
        renamed=_counts(name for e in edited for name in e.renamed),
        failures=tuple(e.failure for e in edited if e.failure),
        list_notes=tuple(notes),
    )


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _edit(item: "Item", rule: Rule, root: str, coords: str) -> Edited:
    from datatools.io.voc import document
    from datatools.io.voc.edit import Editor

    name = item.xml_file.removeprefix(root).lstrip("/")
    objects: list[tuple[str, bool]] = []
    removed: list[str] = []
    renamed: list[str] = []
    try:
        data = read_xml(item.xml_file, name)
        parsed = document.parse(data, name)
        editor = Editor(data, name)
        for index, raw in enumerate(parsed.objects):
            label = raw.name.text if raw.name else ""
            boxes = document.annotation(replace(parsed, objects=(raw,)), item.id, coords).boxes if rule.min_area else ()
            small = any((b.xyxy[2] - b.xyxy[0]) * (b.xyxy[3] - b.xyxy[1]) < rule.min_area for b in boxes)
            if small or (rule.keep is not None and raw.name and label not in rule.keep):
                editor.remove_object(index)
                removed.append(label)
                continue
            if rule.names.get(label, label) != label:
                editor.set_name(index, rule.names[label])
                renamed.append(label)
            objects.append((rule.names.get(label, label), document.flag(raw.difficult)))
        changed = bool(removed or renamed)
        return Edited(
            item,
            parsed.filename.text if parsed.filename else "",
            editor.result() if changed else None,
            tuple(objects),
            tuple(removed),
            tuple(renamed),
            dropped=rule.drop_empty and not objects,
        )
    except DataError as error:
        return Edited(item, failure=error)


def _entries(
    voc_set: "VocSet", rewritten: Mapping[str, bytes | None], out_of_it: set[str], run: Run
) -> Iterator[Entry]:
    """Every file of the set with its new content; rewritten: None leaves a file out."""
    from datatools.io.files import walk

    fresh = {file: content for file, content in rewritten.items() if content is not None}
    for where, _, names in run.track(list(walk(voc_set.root)), "list"):
        for name in names:
            path = voc_set.root / where / name
            relative = (where / name).as_posix()
            content = rewritten.get(str(path), path)
            fresh.pop(str(path), None)
            if content is not None and str(path) not in out_of_it and relative != "run.json":
                yield relative, content
    for file, data in fresh.items():  # a list under the new name of its class
        yield voc_set.name(file), data
