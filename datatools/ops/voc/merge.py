"""`voc merge`: several sets as one, without collisions of names."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, DryRun, Force, OutVocFolder, Run, VocFolder
from datatools.ops.voc import derived
from datatools.ops.voc.derived import Entry, Link

if TYPE_CHECKING:
    from datatools.io.voc.layout import Item, VocSet
    from datatools.io.voc.scan import BoxTable


@dataclass(frozen=True)
class Merged(Result):
    """What `voc merge` did, or would do.

    sets: name -> items of that set. items: of all, written but for those in `failures`; images without XML count.
    renamed: stem in the output -> "set: key" for items whose stem another one has, too.
    splits: split -> items; empty where a set has no lists. coords: set -> how its files count, "voc" or "zero".
    duplicates: stems with the same image bytes. leaks: those of them whose members are in different splits.
    conflicts: how many of the duplicates differ in their XML.
    """

    out: Path
    sets: dict[str, int]
    items: int
    renamed: dict[str, str]
    splits: dict[str, int]
    coords: dict[str, str]
    duplicates: tuple[tuple[str, ...], ...]
    conflicts: int
    leaks: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    dry_run: bool
    failures: tuple[DataError, ...]

    @property
    def problems(self) -> int:
        """How many items could not be read."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """The sets, what they share, then the figures."""
        yield from map(str, self.failures)
        yield Table(("set", "items", "coordinates"), tuple((n, k, self.coords[n]) for n, k in self.sets.items()))
        yield from self.notes
        for group in self.leaks[:20]:
            yield f"The same image in different splits: {', '.join(map(escape, group))}"
        if self.duplicates:
            shown = "; ".join(", ".join(map(escape, group)) for group in self.duplicates[:5])
            yield (
                f"{len(self.duplicates)} images are there more than once, all are kept ({self.conflicts} with other "
                f"annotations): {shown}{' ...' if len(self.duplicates) > 5 else ''}"
            )
        splits = ", ".join(f"{split} {count}" for split, count in self.splits.items())
        yield (
            f"{self.items} items: {self.items - len(self.failures)} written, {len(self.failures)} rejected, "
            f"{len(self.renamed)} under a new name; lists: {splits or 'none'}."
        )
        yield derived.closing(self.out, self.dry_run)


@dataclass(frozen=True, slots=True)
class _Member:
    """An item of one of the sets. key: set name and item key."""

    key: str
    item: "Item"
    image: Path | None
    splits: tuple[str, ...]


@op("voc.merge", version=1)
def merge(
    srcs: Annotated[tuple[VocFolder, ...], Param("folders of the sets, two or more")],
    *,
    out: OutVocFolder,
    link: Link = "hard",
    force: Force = False,
    dry_run: DryRun = False,
    run: Run = SERIAL,
) -> Merged:
    """Merge sets into one of the usual layout: Annotations, JPEGImages, ImageSets/Main.

    An item whose stem another one has, too, gets its set's name before its own; <filename> follows, the rest of each
    XML stays. Lists are merged where all sets have them. The same image in several sets is kept and reported.
    """
    from datatools.io.voc.layout import open_set
    from datatools.io.voc.lists import declared_classes, list_bytes
    from datatools.io.voc.scan import read_table

    if len({src.resolve() for src in srcs}) < max(2, len(srcs)):
        raise UsageError("two different sets or more are needed")
    sets = dict(zip(_set_names(srcs), map(open_set, srcs), strict=True))
    tables = {name: read_table(voc_set, run=run) for name, voc_set in sets.items()}
    readable = {item.xml_file for table in tables.values() for item in table.items}
    listed = {name: _splits(voc_set) for name, voc_set in sets.items()}
    members = [m for name, voc_set in sets.items() for m in _members(name, voc_set, listed[name], tables[name])]
    failures = [
        DataError(f"{name}/{error.path}", error.line, error.code, error.message, error.remedy)
        for name, voc_set in sets.items()
        for error in tables[name].failures
        if error.path in {voc_set.name(i.xml_file) for i in voc_set.items if i.xml_file not in readable}
    ]
    good = [m for m in members if not m.item.xml_file or m.item.xml_file in readable]
    stems = derived.stems(m.key for m in good)
    splits = _merged_splits(good, stems) if all(listed.values()) else {}
    entries, unedited = _entries(run.track(good, "edit"), stems)
    failures += unedited
    spoilt = {error.path for error in unedited}
    entries += [
        (f"ImageSets/Main/{split}.txt", list_bytes(i for i in ids if i not in spoilt)) for split, ids in splits.items()
    ]
    if classes := tuple(dict.fromkeys(c for voc_set in sets.values() for c in declared_classes(voc_set))):
        entries.append(("classes.txt", list_bytes(classes)))
    duplicates, conflicts = _duplicates(good, stems, run)
    split_of = {stem: split for split in ("train", "val", "test") for stem in splits.get(split, ())}
    if not dry_run:
        derived.write(run.track(entries, "write"), out, link=link, force=force, inputs=srcs)
    return Merged(
        out=out,
        sets={name: sum(m.key.startswith(name + "/") for m in members) for name in sets},
        items=len(members),
        renamed={stems[m.key]: m.key for m in good if stems[m.key] != m.key.rpartition("/")[2]},
        splits={split: len(ids) for split, ids in splits.items()},
        coords={name: table.coords for name, table in tables.items()},
        duplicates=duplicates,
        conflicts=conflicts,
        leaks=tuple(g for g in duplicates if len({split_of[stem] for stem in g if stem in split_of}) > 1),
        notes=tuple(_notes(sets, listed, {table.coords for table in tables.values()})),
        dry_run=dry_run,
        failures=tuple(failures),
    )


def _set_names(srcs: Sequence[Path]) -> list[str]:
    """The folders' own names, with a number where two have the same."""
    found: list[str] = []
    for src in srcs:
        base = name = src.resolve().name or "set"
        number = 1
        while name in found:
            number += 1
            name = f"{base}-{number}"
        found.append(name)
    return found


def _splits(voc_set: "VocSet") -> dict[str, set[str]]:
    """split -> keys, trainval as its own list."""
    from datatools.io.voc.lists import read_lists

    found: dict[str, set[str]] = {}
    for number, tree in enumerate(voc_set.trees):
        keys = {item.id: voc_set.key(item) for item in tree.items if item.tree == number}
        for split, ids in read_lists(tree).items():
            found.setdefault(split, set()).update(keys[i] for i in ids if i in keys)
    return found


def _members(name: str, voc_set: "VocSet", splits: Mapping[str, set[str]], table: "BoxTable") -> Iterator[_Member]:
    """The items of a set, then the images that belong to none of them."""
    filenames = {item.xml_file: filename for item, filename in zip(table.items, table.filenames, strict=True)}
    used: set[str] = set()
    for item in voc_set.items:
        key = voc_set.key(item)
        image = item.image or voc_set.image_by_filename(item, filenames.get(item.xml_file, ""))
        used.add(str(image))
        yield _Member(f"{name}/{key}", item, image, tuple(split for split, keys in splits.items() if key in keys))
    for item in voc_set.images_without_xml:
        if item.image_file not in used:
            yield _Member(f"{name}/{voc_set.key(item)}", item, item.image, ())


def _merged_splits(members: Sequence[_Member], stems: Mapping[str, str]) -> dict[str, list[str]]:
    """split -> stems, sorted. trainval, where a set has it, takes in every train and val."""
    found: dict[str, set[str]] = {}
    for member in members:
        for split in member.splits:
            found.setdefault(split, set()).add(stems[member.key])
    if "trainval" in found:
        found["trainval"] |= found.get("train", set()) | found.get("val", set())
    order = ("train", "val", "trainval", "test")
    return {s: sorted(found[s], key=lambda i: i.encode("utf-8", "surrogateescape")) for s in order if s in found}


def _entries(members: Iterator[_Member], stems: Mapping[str, str]) -> tuple[list[Entry], list[DataError]]:
    """The XML and image of each member; a member whose XML cannot be edited is a failure that its stem names."""
    from datatools.io.files import read_bytes
    from datatools.io.voc.edit import Editor

    entries: list[Entry] = []
    failures: list[DataError] = []
    for member in members:
        stem = stems[member.key]
        filename = stem + (member.image.suffix if member.image else "")
        if member.item.xml is not None:
            content: bytes | Path = member.item.xml
            if stem != member.key.rpartition("/")[2]:
                try:
                    editor = Editor(read_bytes(member.item.xml), stem)
                    editor.set_filename(filename if member.image else stem + ".jpg")
                    content = editor.result()
                except DataError as error:
                    failures.append(error)
                    continue
            entries.append((f"Annotations/{stem}.xml", content))
        if member.image is not None:
            entries.append((f"JPEGImages/{filename}", member.image))
    return entries, failures


def _duplicates(
    members: Sequence[_Member], stems: Mapping[str, str], run: Run
) -> tuple[tuple[tuple[str, ...], ...], int]:
    """Groups of stems with the same image bytes, and how many of them differ in their XML."""
    from datatools.io.files import digest

    sizes = Counter(m.image.stat().st_size for m in members if m.image)
    groups: dict[str, list[_Member]] = {}
    for member in run.track(members, "compare"):
        if member.image and sizes[member.image.stat().st_size] > 1:
            groups.setdefault(digest(member.image), []).append(member)
    found = [group for group in groups.values() if len(group) > 1]
    conflicts = sum(len({digest(m.item.xml) if m.item.xml else "" for m in group}) > 1 for group in found)
    return tuple(tuple(stems[m.key] for m in group) for group in found), conflicts


def _notes(sets: Mapping[str, "VocSet"], listed: Mapping[str, object], coords: set[str]) -> Iterator[str]:
    without = [name for name in sets if not listed[name]]
    if without and len(without) < len(sets):
        yield f"Lists are left out: {', '.join(map(escape, without))} has none (datatools voc split makes new ones)."
    elif not without:
        yield "The split lists are merged; datatools voc split --extend --per-class makes lists of single classes."
    if len(coords) > 1:
        yield "Some sets count from 0, others from 1; numbers are kept as they are, so that boxes differ by a pixel."
