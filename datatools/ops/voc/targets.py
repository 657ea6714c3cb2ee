"""What a converted set consists of: for each target format, its files one after the other, and what it cannot hold.

A target yields (path relative to the output, content): bytes to write, or the Path of an image to link. Nothing is
written here, so that a dry run counts exactly what a real one does.
"""

import functools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.records import XYXY, Annotation, Box
from datatools.core.types import Run
from datatools.ops.voc.derived import Entry, read_xml, stems
from datatools.ops.voc.samples import SPLITS, Sample, SampleSet


@dataclass
class Ledger:
    """Counts what becomes of items and boxes while a target is made.

    lost: what the target cannot hold -> how often. changed: what was made to fit -> how often. splits: items written.
    """

    splits: Counter[str] = field(default_factory=Counter)
    boxes: int = 0
    rejected_boxes: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    failures: list[DataError] = field(default_factory=list)

    def note_lost(self, box: Box, *, marks: bool, polygon: bool = True) -> None:
        """Count what a written box had besides its label and corners. marks: difficult, pose ... are lost, too."""
        self.lost["part"] += len(box.parts)
        if polygon:
            self.lost["polygon"] += bool(box.polygon)
        if marks:
            self.lost["difficult"] += box.difficult
            self.lost["truncated"] += box.truncated
            self.lost["occluded"] += box.occluded
            self.lost["pose"] += box.pose not in ("", "Unspecified")
            self.lost["attribute"] += len(box.attributes)

    def rejects(self, sample: Sample, box: Box) -> bool:
        """Whether the box has no area that a detector could learn: it is counted and left out."""
        left, top, right, bottom = box.xyxy
        if left < right and top < bottom:
            return False
        self.rejected_boxes += 1
        self.changed["inverted or empty box left out"] += 1
        return True


def _suffix(sample: Sample) -> str:
    if sample.image is not None:
        return sample.image.suffix
    return Path(sample.annotation.filename.replace("\\", "/")).suffix[:10] or ".jpg"


def _needs_size(sample: Sample, ledger: Ledger) -> bool:
    """Whether the size is unknown, which is a failure of the item."""
    if min(sample.annotation.size_wh) > 0:
        return False
    message = "the size of the image is unknown: the annotation does not say and no image can be read"
    ledger.failures.append(DataError(sample.key, 0, "E-SIZE-MISSING", message, "datatools voc fix --rule size"))
    return True


def _by_split(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {split: [] for split in SPLITS}
    for sample in samples:
        found[sample.split].append(sample)
    return {split: members for split, members in found.items() if members}


def yolo(found: SampleSet, ledger: Ledger, run: Run) -> Iterator[Entry]:
    """images/<split>/, labels/<split>/ and data.yaml. Boxes are cut at the image's edges, empty ones left out."""
    from datatools.io import yolo as format_

    number = {name: n for n, name in enumerate(found.classes)}
    names = stems(sample.key for sample in found.samples)
    for sample in run.track(found.samples, "write"):
        if _needs_size(sample, ledger):
            continue
        rows = list(_inside(sample, number, ledger))
        stem = names[sample.key]
        yield f"labels/{sample.split}/{stem}.txt", format_.label_bytes(rows, sample.annotation.size_wh)
        if sample.image is not None:
            yield f"images/{sample.split}/{stem}{_suffix(sample)}", sample.image
        ledger.lost["image"] += sample.image is None
        ledger.splits[sample.split] += 1
    made = {
        key: [f"images/{split}" for split in splits if ledger.splits[split]]
        for key, splits in (("train", ("train", "trainval")), ("val", ("val",)), ("test", ("test",)))
    }
    yield (
        "data.yaml",
        format_.config_bytes(found.classes, {key: where for key, where in made.items() if where}, coords=found.coords),
    )


def _inside(sample: Sample, number: dict[str, int], ledger: Ledger) -> Iterator[tuple[int, XYXY]]:
    width, height = sample.annotation.size_wh
    for box in sample.annotation.boxes:
        left, top, right, bottom = box.xyxy
        clipped = (max(left, 0.0), max(top, 0.0), min(right, float(width)), min(bottom, float(height)))
        if ledger.rejects(sample, box):
            continue
        if not (clipped[0] < clipped[2] and clipped[1] < clipped[3]):
            ledger.rejected_boxes += 1
            ledger.changed["box wholly outside of the image left out"] += 1
            continue
        ledger.changed["box cut at the image's edge"] += clipped != box.xyxy
        ledger.note_lost(box, marks=True)
        ledger.boxes += 1
        yield number[box.label], clipped


def coco(found: SampleSet, ledger: Ledger, run: Run) -> Iterator[Entry]:
    """annotations/instances_<split>.json and images/, to which file_name is relative. Boxes are kept bit for bit."""
    from datatools.io import coco as format_

    names = stems(sample.key for sample in found.samples)
    for split, members in _by_split(found.samples).items():
        annotations: list[Annotation] = []
        for sample in run.track(members, f"write {split}"):
            if _needs_size(sample, ledger):
                continue
            filename = names[sample.key] + _suffix(sample)
            if not is_unicode(filename):
                message = "the name of the file is not UTF-8, and JSON holds nothing else"
                ledger.failures.append(DataError(sample.key, 0, "E-ITEM-NAME", message, "rename the file"))
                continue
            boxes = tuple(box for box in sample.annotation.boxes if not ledger.rejects(sample, box))
            for box in boxes:
                ledger.note_lost(box, marks=False, polygon=False)
                ledger.lost["attribute"] += len(box.attributes) - len(format_.kept_attributes(box))
            if sample.image is not None:
                yield f"images/{filename}", sample.image
            ledger.lost["image"] += sample.image is None
            annotations.append(replace(sample.annotation, filename=filename, boxes=boxes))
            ledger.boxes += len(boxes)
        ledger.splits[split] += len(annotations)
        yield (
            f"annotations/instances_{split}.json",
            format_.render(annotations, found.classes, coords=found.coords),
        )


def is_unicode(name: str) -> bool:
    """Whether the name is text; a file's name may be bytes that are none, which Python holds as half surrogates."""
    return not any("\ud800" <= c <= "\udfff" for c in name)


def voc(found: SampleSet, ledger: Ledger, run: Run) -> Iterator[Entry]:
    """Annotations/, JPEGImages/, ImageSets/Main/ and classes.txt, which keeps the order of the classes."""
    from datatools.io.voc.lists import list_bytes
    from datatools.io.voc.write import render

    names = stems(sample.key for sample in found.samples)
    listed: dict[str, list[str]] = {split: [] for split in SPLITS}
    for sample in run.track(found.samples, "write"):
        stem = names[sample.key]
        filename = stem + _suffix(sample)
        annotation = replace(sample.annotation, item_id=stem, filename=filename)
        try:
            data = render(annotation, coords=found.coords)
        except DataError as error:
            ledger.failures.append(DataError(sample.key, 0, error.code, error.message, error.remedy))
            continue
        yield f"Annotations/{stem}.xml", data
        if sample.image is not None:
            yield f"JPEGImages/{filename}", sample.image
        ledger.lost["image"] += sample.image is None
        ledger.boxes += len(annotation.boxes)
        ledger.splits[sample.split] += 1
        listed[sample.split].append(stem)
    if listed["train"] or listed["val"]:
        listed["trainval"] = sorted(listed["train"] + listed["val"] + listed["trainval"], key=_bytes)
    for split, ids in listed.items():
        if ids:
            yield f"ImageSets/Main/{split}.txt", list_bytes(ids)
    yield "classes.txt", list_bytes(name for name in found.classes if _fits_line(name))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _fits_line(name: str) -> bool:
    """Whether a class name is read back from a line of classes.txt as it is."""
    return name == name.strip() and "\n" not in name and "\r" not in name


def yolo_txt(found: SampleSet, ledger: Ledger, run: Run) -> Iterator[Entry]:
    """<split>.txt with a line an image, `path x1,y1,x2,y2,class ...`, and classes.txt.

    Paths are absolute, of the images where they are; corners are whole, as VOC files give them. `refuse_blanks` has
    checked that the format can hold the set.
    """
    from datatools.io.voc.lists import list_bytes

    number = {name: n for n, name in enumerate(found.classes)}
    origin = 1 if found.coords == "voc" else 0
    for split, members in _by_split(found.samples).items():
        lines: list[str] = []
        for sample in run.track(members, f"write {split}"):
            if sample.image is None:
                message = "the line of the image cannot be written: there is no image"
                ledger.failures.append(DataError(sample.key, 0, "E-IMAGE-MISSING", message))
                continue
            fields = [str(sample.image)]
            for box in sample.annotation.boxes:
                if ledger.rejects(sample, box):
                    continue
                left, top, right, bottom = box.xyxy
                corners = (left + origin, top + origin, right, bottom)
                whole = [math.floor(v + 0.5) for v in corners]
                ledger.changed["box with fractions, rounded to whole pixels"] += tuple(whole) != corners
                ledger.note_lost(box, marks=True)
                ledger.boxes += 1
                fields.append(",".join(map(str, (*whole, number[box.label]))))
            lines.append(" ".join(fields))
            ledger.splits[split] += 1
        yield f"{split}.txt", list_bytes(lines)
    yield "classes.txt", list_bytes(found.classes)


def refuse_blanks(found: SampleSet) -> None:
    """Raise UsageError for a path with blanks and a class that is no line: no reader of yolo-txt can take them."""
    for name in found.classes:
        if not _fits_line(name):
            raise UsageError(f"the class {name!r} cannot stand on a line of classes.txt (datatools voc rename)")
    bad = [sample.image for sample in found.samples if sample.image and len(str(sample.image).split()) != 1]
    if bad:
        raise UsageError(
            f"{escape(bad[0])}: a blank in the path, which a line of this format cannot hold ({len(bad)} images;"
            " rename the file or its folder, or choose --to yolo or coco)"
        )


def jsonl(found: SampleSet, ledger: Ledger, run: Run) -> Iterator[Entry]:
    """<split>.jsonl: each XML whole, as xmltodict reads it, an object a line."""
    for split, members in _by_split(found.samples).items():
        lines: list[bytes] = []
        reader = functools.partial(_json_line, root=str(found.root))
        for sample, line in zip(members, run.map(reader, [s.xml_file for s in members], f"write {split}"), strict=True):
            if isinstance(line, DataError):
                ledger.failures.append(line)
                continue
            lines.append(line)
            ledger.boxes += len(sample.annotation.boxes)
            ledger.splits[split] += 1
        yield f"{split}.jsonl", b"".join(lines)


def _json_line(xml_file: str, root: str) -> bytes | DataError:
    """The XML as a line of JSON. `object` and `part` are lists even where there is one."""
    import json
    from xml.parsers.expat import ExpatError

    import xmltodict

    from datatools.io.voc.document import parse

    name = xml_file.removeprefix(root).lstrip("/")
    try:
        data = read_xml(xml_file, name)
        parse(data, name)  # refuses a DTD and whatever is not well-formed, before the laxer reader sees it
        value: dict[str, Any] = xmltodict.parse(data, force_list=("object", "part"))
    except DataError as error:
        return error
    except (ExpatError, LookupError, ValueError) as error:
        return DataError(name, 0, "E-XML-BROKEN", f"xmltodict cannot read it: {error}", "save it as UTF-8")
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


TARGETS: dict[str, Callable[[SampleSet, Ledger, Run], Iterator[Entry]]] = {
    "yolo": yolo,
    "coco": coco,
    "voc": voc,
    "yolo-txt": yolo_txt,
    "jsonl": jsonl,
}
"""The formats that `voc convert` writes."""
