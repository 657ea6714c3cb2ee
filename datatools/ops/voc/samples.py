"""A data set as samples, whatever format it came from: what `voc convert` reads before it writes any other."""

import functools
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.records import Annotation, Box
from datatools.core.types import Run
from datatools.ops.voc.derived import read_xml

if TYPE_CHECKING:
    from datatools.io.coco import CocoFile
    from datatools.io.voc.layout import Item
    from datatools.io.voc.scan import BoxTable
    from datatools.io.yolo import Item as YoloItem

SPLITS = ("train", "val", "test", "trainval")

Coords = Literal["auto", "voc", "zero"]


@dataclass(frozen=True, slots=True)
class Sample:
    """An annotated image of a set.

    key: names it in the whole set, "/" between folders. split: one of SPLITS. image: absolute, None where it is
    missing. annotation: in pixels, origin 0, right and bottom exclusive; its size comes from the image's header where
    the annotation is silent, (0, 0) where nobody knows. xml_file: absolute; empty where it came from none.
    """

    key: str
    split: str
    image: Path | None
    annotation: Annotation
    xml_file: str = ""


@dataclass(frozen=True)
class SampleSet:
    """All samples of a set, sorted by key.

    classes: in the set's own order. coords: how its VOC files count, or counted before they became something else.
    listed: whether it has lists of splits; without, everything is `train`. lost: what only the source can say -> how
    often. skipped: why -> keys of what was left out. failures: what could not be read; rejected: how many samples that
    cost; bad_boxes: how many objects of samples that were read.
    """

    root: Path
    classes: tuple[str, ...]
    coords: Literal["voc", "zero"]
    samples: tuple[Sample, ...]
    listed: bool = True
    lost: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, tuple[str, ...]] = field(default_factory=dict)
    failures: tuple[DataError, ...] = ()
    rejected: int = 0
    bad_boxes: int = 0


def read(src: Path, source_format: str, coords: Coords, run: Run) -> SampleSet:
    """Read a set of any of the formats voc, yolo, coco. UsageError where the folder is none."""
    readers: dict[str, Callable[[Path, Coords, Run], SampleSet]] = {"voc": _voc, "yolo": _yolo, "coco": _coco}
    found = readers[source_format](src, coords, run)
    return replace(found, samples=tuple(sorted(found.samples, key=lambda s: s.key.encode("utf-8", "surrogateescape"))))


def _voc(src: Path, coords: Coords, run: Run) -> SampleSet:
    from datatools.io.voc.layout import open_set
    from datatools.io.voc.lists import splits_of
    from datatools.io.voc.scan import read_table

    voc_set = open_set(src)
    table = read_table(voc_set, coords=coords, run=run)
    split_of, several = _first_split(splits_of(voc_set))
    keys = {item.xml_file: voc_set.key(item) for item in voc_set.items}
    wanted = {file: key for file, key in keys.items() if not split_of or key in split_of}
    samples: list[Sample] = []
    for item, annotation in _annotations(table, run, str(voc_set.root)):
        if item.xml_file in wanted:
            key = wanted[item.xml_file]
            image = item.image or voc_set.image_by_filename(item, annotation.filename)
            samples.append(Sample(key, split_of.get(key, "train"), image, sized(annotation, image), item.xml_file))
    used = {str(sample.image) for sample in samples}  # some by their <filename> alone
    rejected = len(wanted) - len(samples)
    names = {voc_set.name(file) for file in wanted}
    failures = tuple(error for error in table.failures if error.path in names)
    skipped = {
        "in no list": tuple(key for file, key in keys.items() if file not in wanted),
        "image without XML": tuple(
            voc_set.key(item) for item in voc_set.images_without_xml if item.image_file not in used
        ),
    }
    return SampleSet(
        voc_set.root,
        table.classes,
        table.coords,
        tuple(samples),
        listed=bool(split_of),
        lost={"second split": several} if several else {},
        skipped={why: which for why, which in skipped.items() if which},
        failures=failures,
        rejected=rejected,
        bad_boxes=len(failures) - rejected,
    )


def _first_split(splits: dict[str, list[str]]) -> tuple[dict[str, str], int]:
    """The split of each key, and how many stand in several; the first of SPLITS counts."""
    split_of: dict[str, str] = {}
    for split in reversed(SPLITS):
        split_of |= dict.fromkeys(splits.get(split, ()), split)
    return split_of, sum(len(keys) for keys in splits.values()) - len(split_of)


def _annotations(table: "BoxTable", run: Run, root: str) -> Iterator[tuple["Item", Annotation]]:
    """Each item that could be read with what it says: boxes from the table, the rest of the objects from its XML."""
    ends = table.box_item.searchsorted(range(len(table.items)), side="right").tolist()
    starts = [0, *ends]
    labels = [table.classes[number] for number in table.box_class.tolist()]
    marks = zip(table.difficult.tolist(), table.truncated.tolist(), table.occluded.tolist(), strict=True)
    rows = list(zip(labels, map(tuple, table.xyxy.tolist()), marks, strict=True))
    sizes = table.size_wh.tolist()
    reader = functools.partial(_details, root=root, coords=table.coords)
    work = [(item, end - start) for item, start, end in zip(table.items, starts, ends, strict=False)]
    for at, details in enumerate(run.map(reader, work, "read")):
        item = table.items[at]
        if isinstance(details, Annotation):
            yield item, details
            continue
        boxes = tuple(
            Box(label, xyxy, difficult, truncated, occluded, pose)
            for (label, xyxy, (difficult, truncated, occluded)), pose in zip(
                rows[starts[at] : ends[at]], details, strict=True
            )
        )
        width, height = (math.floor(v + 0.5) if v > 0 else 0 for v in sizes[at])
        yield item, Annotation(item.id, table.filenames[at], (width, height), int(table.depth[at]) or 3, boxes)


_UNUSUAL = re.compile(rb"<(?:part|polygon|attributes|!)|<pose[^>]|&|\?>.*<\?", re.DOTALL)
_POSE = re.compile(rb"<pose>([ -;=-~]*)</pose>")


def _details(work: tuple["Item", int], root: str, coords: str) -> Annotation | list[str]:
    """What the table of boxes does not hold of an XML: the poses of its objects where that is all, else everything.

    work: the item, and how many boxes it has in the table.
    """
    from datatools.io.voc import document

    item, boxes = work
    name = item.xml_file.removeprefix(root).lstrip("/")
    data = read_xml(item.xml_file, name)
    objects = data.split(b"<object>")[1:]
    if len(objects) == boxes and not _UNUSUAL.search(data):
        poses = [_POSE.findall(text) for text in objects]
        if all(len(found) == text.count(b"<pose>") <= 1 for found, text in zip(poses, objects, strict=True)):
            return [found[0].decode() if found else "" for found in poses]
    return document.annotation(document.parse(data, name), item.id, coords)


def sized(annotation: Annotation, image: Path | None) -> Annotation:
    """The annotation with the size from the image's header where it has none itself and the header can be read."""
    if min(annotation.size_wh) > 0 or image is None:
        return annotation
    from datatools.io.images import read_header

    try:
        header = read_header(image)
    except DataError:
        return replace(annotation, size_wh=(0, 0))  # who needs the size will say that nobody knows it
    return replace(annotation, size_wh=header.displayed_wh, depth=header.channels)


def _yolo(src: Path, coords: Coords, run: Run) -> SampleSet:
    from datatools.io import yolo

    found = yolo.open_set(src)
    reader = functools.partial(_yolo_annotation, src=src, classes=found.classes)
    samples: list[Sample] = []
    failures = list(found.failures)
    for item, (annotation, problems) in zip(found.items, run.map(reader, found.items, "read"), strict=True):
        failures += problems
        if annotation is not None:
            key = item.image.rpartition(".")[0]
            samples.append(Sample(key, item.split, src.absolute() / item.image, annotation))
    return SampleSet(
        src.absolute(),
        found.classes,
        _remembered(coords, {found.coords}),
        tuple(samples),
        skipped={"in no split": found.unlisted} if found.unlisted else {},
        failures=tuple(failures),
        rejected=len(found.items) - len(samples) + len(found.failures),
    )


def _yolo_annotation(
    item: "YoloItem", src: Path, classes: Sequence[str]
) -> tuple[Annotation | None, tuple[DataError, ...]]:
    """One image with its label file; None where anything of it is wrong."""
    from datatools.io import yolo
    from datatools.io.files import read_bytes
    from datatools.io.images import read_header

    name = item.image.rpartition("/")[2]
    try:
        header = read_header(src / item.image)
        data = read_bytes(src / item.labels, yolo.MAX_LABEL_BYTES) if item.labels else b""
    except DataError as error:
        return None, (DataError(item.image, 0, error.code, error.message, error.remedy),)
    rows, problems = yolo.parse_labels(data, item.labels, len(classes))
    if problems:
        return None, problems
    size = header.displayed_wh
    boxes = yolo.boxes(rows, classes, size)
    return Annotation(name.rpartition(".")[0], name, size, header.channels, boxes), ()


def _remembered(coords: Coords, said: Iterable[str]) -> Literal["voc", "zero"]:
    """The convention that VOC files get: what the user says, else what the source remembers, else VOC's own."""
    if coords != "auto":
        return coords
    return "zero" if set(said) == {"zero"} else "voc"


def _coco(src: Path, coords: Coords, run: Run) -> SampleSet:
    from datatools.io import coco
    from datatools.io.files import read_bytes

    root = src.absolute()
    names, images = _coco_names(src)
    files: list[tuple[str, CocoFile]] = []
    failures: list[DataError] = []
    for name in run.track(names, "read"):
        try:
            files.append((name, coco.read(read_bytes(root / name, coco.MAX_BYTES), name)))
        except DataError as error:
            failures.append(DataError(name, error.line, error.code, error.message, error.remedy))
    if not files and not failures:
        raise UsageError(f"{escape(src)} has no COCO file: annotations/instances_<split>.json is looked for")
    lost: Counter[str] = Counter()
    samples: dict[str, Sample] = {}
    rejected = 0
    for name, file in sorted(files, key=lambda f: (SPLITS.index(_split(f[0])), f[0])):
        lost.update(file.lost)
        failures += file.failures
        rejected += file.bad_images
        for annotation in file.annotations:
            key = annotation.item_id
            image = _coco_image(annotation.filename, images, _split(name))
            if key in samples:
                where = f"{annotation.filename!r} is described in another file, too"
                failures.append(DataError(name, 0, "E-STEM-DUPLICATE", where, "keep each image in one split"))
                rejected += 1
            else:
                path = root / image if image else None
                samples[key] = Sample(key, _split(name), path, sized(annotation, path))
    return SampleSet(
        root,
        tuple(dict.fromkeys(label for _, file in files for label in file.classes)),
        _remembered(coords, {file.coords for _, file in files}),
        tuple(samples.values()),
        lost=dict(lost),
        failures=tuple(failures),
        rejected=rejected,
        bad_boxes=sum(file.bad_boxes for _, file in files),
    )


def _coco_names(src: Path) -> tuple[list[str], dict[str, list[str]]]:
    """The JSON files that count, and the images by their last part.

    Where some are called instances they alone count (captions and keypoints lie beside them), else those of folders
    called annotations, else all.
    """
    from datatools.io.files import walk
    from datatools.io.images import IMAGE_SUFFIXES

    jsons: list[str] = []
    images: dict[str, list[str]] = {}
    for where, _, names in walk(src):
        for name in names:
            path = (where / name).as_posix()
            if name.endswith(".json") and path != "run.json":
                jsons.append(path)
            elif "." + name.rpartition(".")[2].lower() in IMAGE_SUFFIXES:
                images.setdefault(name, []).append(path)
    instances = [path for path in jsons if "instances" in path.rpartition("/")[2]]
    annotations = [path for path in jsons if "/annotations/" in f"/{path}"]
    return instances or annotations or jsons, images


def _split(name: str) -> str:
    """The split that a path tells: instances_val2017.json, valid/_annotations.coco.json; else `train`."""
    lowered = name.lower()
    for mark, split in (("trainval", "trainval"), ("train", "train"), ("val", "val"), ("test", "test")):
        if mark in lowered.rpartition("/")[2]:
            return split
    for mark, split in (("/trainval", "trainval"), ("/train", "train"), ("/val", "val"), ("/test", "test")):
        if mark in f"/{lowered}":
            return split
    return "train"


def _coco_image(filename: str, images: dict[str, list[str]], split: str) -> str:
    """The image that file_name means, looked up among those that are there: the path that ends with it."""
    ending = f"/{filename}"
    found = [path for path in images.get(filename.rpartition("/")[2], ()) if f"/{path}".endswith(ending)]
    if len(found) > 1:
        found = [path for path in found if split in f"/{path}"[: -len(ending)]] or found
    return min(found, key=len, default="")
