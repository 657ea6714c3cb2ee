"""Pascal VOC sets: pictures with the boxes of their XML.

The output has the folders of the input. The lists of ImageSets/Main (train, val, trainval, test) name what was made of
their items; lists of single classes would be stale and are left out. What belongs to no item comes along unchanged.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.records import Annotation
from datatools.core.values import Labelled, Source, printable
from datatools.io import files, images
from datatools.io.codecs.image import CARRIED
from datatools.io.intake import Intake
from datatools.io.room import Room
from datatools.io.voc import document, lists, write
from datatools.io.voc.layout import Tree, VocSet, open_set
from datatools.io.voc.scan import read_table

DROPPED = ("run.json",)
"""Files that say nothing true of the output."""

_HELD_OUT_FIRST = ("test", "val", "train", "trainval")


class LabelledCodec:
    """An item is an XML with its picture, found as `voc lint` finds it; its id is the XML's path in the set.

    JPEG is written with quality 95. Coordinates count from 1 or from 0, as in the files that were read.
    """

    suffixes: frozenset[str] = frozenset()
    wants_rows = True

    def recognises(self, root: Path) -> bool:
        """Whether there is an annotation of Pascal VOC."""
        try:
            return any(item.xml_file for item in open_set(root).items)
        except UsageError:
            return False

    def find(self, root: Path) -> Iterator[Source]:
        """Every annotation, its picture beside it; one without a picture fails when it is read. Then the rest."""
        voc_set = open_set(root)
        table = read_table(voc_set)
        if not voc_set.items:
            raise UsageError(f"{escape(root)}: holds no annotation of Pascal VOC")
        taken: set[str] = set()
        splits = _splits(voc_set)
        filenames = {item.xml_file: name for item, name in zip(table.items, table.filenames, strict=True)}
        for item in voc_set.items:
            filename = filenames.get(item.xml_file, "")
            picture = item.image or (voc_set.image_by_filename(item, filename) if filename else None)
            names = [voc_set.name(item.xml_file), *([voc_set.name(picture)] if picture else [])]
            taken.update(names)
            member_of, group = splits.get(item.xml_file, ((), ""))
            labels = json.dumps({"coords": table.coords, "id": item.id, "lists": member_of, "tree": item.tree})
            yield Source(voc_set.key(item), tuple(reversed(names)), labels, group)
        stale = [voc_set.name(tree.lists) for tree in voc_set.trees if tree.lists]
        for folder, _, others in files.walk(root):
            if folder.as_posix() in stale:
                continue
            where = f"{folder}/" if folder.parts else ""
            for name in others:
                if where + name not in taken and where + name not in DROPPED:
                    yield Source(where + name, (where + name,), kind=CARRIED)

    def read(self, source: Source, intake: Intake) -> Labelled:
        """Decode the picture and read its boxes. Raises DataError for either, also for an object without a box."""
        annotation = _annotation(source, intake)
        data = intake.read(limit=images.MAX_FILE_BYTES)
        header = images.header_of(data, name=source.id)
        displayed = (header.width, header.height)[:: -1 if header.orientation >= 5 else 1]
        stored = (header.width, header.height)
        upright = annotation.size_wh != stored or stored == displayed
        return Labelled(images.decode(data, name=source.id, upright=upright), annotation.boxes)

    def keep(self, source: Source, intake: Intake, room: Room) -> Any:
        """Write the XML as it is, and give the picture a second name."""
        _annotation(source, intake)
        room.link(intake.path(), source.files[0], intake.digests[0])
        intake.refresh()
        room.write(source.files[1], intake.read(1))
        return json.loads(source.labels) | {"variant": ""}

    def write(self, value: Labelled, source: Source, room: Room, variant: str) -> Any:
        """Encode the picture and write its XML beside it as the old ones lay; note the lists that it belongs to."""
        told = json.loads(source.labels)
        picture, xml = (PurePosixPath(name) for name in source.files)
        suffix = picture.suffix if picture.suffix.lower() != ".gif" else ".png"
        new = picture.with_name(f"{picture.stem}{variant}{suffix}")
        height, width = value.pixels.shape[:2]
        filename = printable(new.name)
        annotation = Annotation(printable(source.id), filename, (width, height), value.pixels.shape[2], value.boxes)
        rendered = write.render(annotation, coords=told["coords"], folder=printable(new.parent.name))
        room.write(str(new), images.encode(value.pixels, suffix.lower()))
        room.write(str(xml.with_name(f"{xml.stem}{variant}{xml.suffix}")), rendered)
        return told | {"variant": variant}

    def finish(self, rows: Iterable[tuple[Source, Any]], root: Path, room: Room) -> None:
        """Write the lists, in the order of the set."""
        voc_set = open_set(root)
        ids: dict[str, list[str]] = {}
        for tree in voc_set.trees:
            ids |= {_list_name(voc_set, tree, split): [] for split in lists.read_lists(tree)}
        for _, notes in rows:
            for note in notes:
                tree = voc_set.trees[note["tree"]]
                for split in note["lists"]:
                    ids[_list_name(voc_set, tree, split)].append(note["id"] + note["variant"])
        for name, members in ids.items():
            room.write(name, lists.list_bytes(members))


def _annotation(source: Source, intake: Intake) -> Annotation:
    """What the item's XML says. Raises DataError where it cannot be read whole, or the picture is missing."""
    name = printable(source.files[-1])
    if len(source.files) < 2:
        what = "its image is not in the set"
        raise DataError(name, 0, "E-IMAGE-MISSING", what, "add the image, or remove the annotation")
    parsed = document.parse(intake.read(1, limit=document.MAX_BYTES), name)
    for raw in parsed.objects:
        if problem := raw.problem(name):
            raise problem
    return document.annotation(parsed, source.id, json.loads(source.labels)["coords"])


def _list_name(voc_set: VocSet, tree: Tree, split: str) -> str:
    return f"{voc_set.name(tree.lists or tree.root)}/{split}.txt"


def _splits(voc_set: VocSet) -> dict[str, tuple[tuple[str, ...], str]]:
    """For the XML of each item in a list: the lists that it is in, and its split; in several, the one that judges."""
    found: dict[str, tuple[tuple[str, ...], str]] = {}
    for tree in voc_set.trees:
        members = lists.read_lists(tree)
        for item in tree.items:
            where = tuple(split for split in lists.SPLITS if item.id in members.get(split, ()))
            if where:
                judged = next(split for split in _HELD_OUT_FIRST if split in where)
                found[item.xml_file] = where, "train" if judged == "trainval" else judged
    return found
