"""COCO instance files: 0-based float boxes `[x, y, width, height]`, one JSON file a split.

What COCO has no field for travels in extra keys, as other tools write them: `ignore` and `attributes` of an
annotation, `depth` of an image. `info.datatools.coords` remembers how the VOC files counted that the file came from, so
that converting back gives the same numbers.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeGuard

from datatools.core.errors import DataError
from datatools.core.records import XYXY, Annotation, Box
from datatools.io.files import safe_component
from datatools.io.jsontext import load

MAX_BYTES = 1 << 30
MAX_SIDE = 1_000_000
MAX_COORDINATE = 1e9
XYXY_KEY = "datatools_xyxy"
"""Extra key of the rare annotation whose corners no x, y, width and height give bit for bit."""

_MARKS = ("difficult", "truncated", "occluded", "pose")


@dataclass(frozen=True)
class CocoFile:
    """What one file says.

    classes: the categories in the order of the file. annotations: an image each, in the order of the file;
    `filename` is its `file_name`, checked to be a relative path that stays where it starts, with `/` between folders.
    coords: how the VOC files counted that it came from, empty where it does not say.
    lost: what VOC-like records cannot hold -> how often it occurs. failures: what was left out because it is wrong,
    bad_images images and bad_boxes annotations.
    """

    classes: tuple[str, ...]
    annotations: tuple[Annotation, ...]
    coords: Literal["", "voc", "zero"] = ""
    lost: dict[str, int] = field(default_factory=dict)
    failures: tuple[DataError, ...] = ()
    bad_images: int = 0
    bad_boxes: int = 0


def width_to(left: float, right: float) -> float:
    """Return the width for which `left + width == right` holds in floating point, else the nearest.

    There is one but for exact ties of rounding, and for a negative left that is much larger than right.

    >>> left, right = 0.1, 349.1198786039454
    >>> left + width_to(left, right) == right
    True
    """
    width = right - left
    if left + width == right:
        return width
    toward = math.inf if left + width < right else -math.inf
    nudged = math.nextafter(width, toward)
    return nudged if left + nudged == right else width


def render(annotations: Iterable[Annotation], classes: Sequence[str], *, coords: str = "voc") -> bytes:
    """Return one split as a COCO file; ids count from 1, categories in the order of `classes`.

    annotations: `filename` becomes `file_name`; boxes must not be inverted. coords: "voc" or "zero", remembered.
    Parts are not written: COCO has no place for them.
    """
    category = {name: number for number, name in enumerate(classes, start=1)}
    images: list[dict[str, Any]] = []
    objects: list[dict[str, Any]] = []
    for image_id, annotation in enumerate(annotations, start=1):
        width, height = annotation.size_wh
        image = {"id": image_id, "file_name": annotation.filename, "width": width, "height": height}
        if annotation.depth != 3:
            image["depth"] = annotation.depth
        images.append(image)
        for box in annotation.boxes:
            objects.append(_object(box, len(objects) + 1, image_id, category[box.label]))
    document = {
        "info": {"description": "converted by datatools", "datatools": {"coords": coords}},
        "licenses": [],
        "images": images,
        "annotations": objects,
        "categories": [{"id": n, "name": name, "supercategory": "none"} for name, n in category.items()],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def kept_attributes(box: Box) -> dict[str, str]:
    """The attributes that fit in: of equal names the last; names of the marks that every annotation has do not."""
    return {name: value for name, value in box.attributes if name not in _MARKS}


def _object(box: Box, number: int, image_id: int, category_id: int) -> dict[str, Any]:
    left, top, right, bottom = box.xyxy
    width, height = width_to(left, right), width_to(top, bottom)
    exact = left + width == right and top + height == bottom
    attributes = kept_attributes(box) | {mark: getattr(box, mark) for mark in _MARKS}
    return {
        "id": number,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": [_short(v) for v in (left, top, width, height)],
        "area": _short(_polygon_area(box.polygon) if box.polygon else width * height),
        "iscrowd": 0,
        "ignore": int(box.difficult),
        "segmentation": [[_short(v) for point in box.polygon for v in point]] if box.polygon else [],
        "attributes": attributes,
    } | ({} if exact else {XYXY_KEY: list(box.xyxy)})


def _short(value: float) -> float:
    """Whole numbers as ints: `62`, not `62.0`."""
    return int(value) if value == int(value) else value


def _polygon_area(points: Sequence[tuple[float, float]]) -> float:
    following = (*points[1:], points[0])
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(points, following, strict=True))) / 2


def read(data: bytes, name: str) -> CocoFile:
    """Return what a COCO file says; a bad image or annotation is a failure that names its id, the others are read.

    name: the file's name for messages. Raises DataError where the file as a whole cannot be read: E-JSON-BROKEN,
    E-JSON-LIMIT, E-COCO-FORM.
    """
    document = load(data, name)
    if not isinstance(document, dict):
        raise DataError(name, 0, "E-COCO-FORM", "not a JSON object")
    for key in ("images", "annotations", "categories"):
        if not isinstance(document.get(key), list):
            raise DataError(name, 0, "E-COCO-FORM", f"there is no list `{key}`")
    return _Reader(name).read(document)


class _Reader:
    """Reads one document, collecting failures and losses as it goes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.failures: list[DataError] = []
        self.lost: Counter[str] = Counter()

    def read(self, document: dict[str, Any]) -> CocoFile:
        categories = self.categories(document["categories"])
        images = self.images(document["images"])
        boxes: dict[int, list[Box]] = {number: [] for number in images}
        seen: set[int] = set()
        for at, entry in enumerate(document["annotations"]):
            try:
                image_id, box = self.annotation(entry, at, categories, images, seen)
            except DataError as error:
                self.failures.append(error)
            else:
                boxes[image_id].append(box)
        return CocoFile(
            classes=tuple(dict.fromkeys(categories.values())),
            annotations=tuple(
                Annotation(image.item_id, image.filename, image.size_wh, image.depth, tuple(boxes[number]))
                for number, image in images.items()
            ),
            coords=_coords(document.get("info")),
            lost=dict(self.lost),
            failures=tuple(self.failures),
            bad_images=len(document["images"]) - len(images),
            bad_boxes=len(document["annotations"]) - sum(map(len, boxes.values())),
        )

    def error(self, what: str, message: str, remedy: str = "") -> DataError:
        return DataError(self.name, 0, "E-COCO-FORM", f"{what}: {message}", remedy)

    def categories(self, entries: list[Any]) -> dict[int, str]:
        found: dict[int, str] = {}
        for at, entry in enumerate(entries):
            what = f"categories[{at}]"
            if not isinstance(entry, dict) or not _is_int(entry.get("id")):
                raise self.error(what, "not an object with a whole number as id")
            if entry["id"] in found:
                raise self.error(what, f"the id {entry['id']} occurs twice")
            label = entry.get("name")
            if not isinstance(label, str) or not label or not label.isprintable():
                raise self.error(what, "name is not a printable text")
            found[entry["id"]] = label
        return found

    def images(self, entries: list[Any]) -> dict[int, Annotation]:
        found: dict[int, Annotation] = {}
        names: set[str] = set()
        for at, entry in enumerate(entries):
            try:
                number, image = self.image(entry, at)
                if number in found:
                    raise self.error(f"image {number}", "the id occurs twice")
                if image.filename in names:
                    raise self.error(f"image {number}", f"{image.filename!r} is described twice")
            except DataError as error:
                self.failures.append(error)
            else:
                found[number] = image
                names.add(image.filename)
        return found

    def image(self, entry: Any, at: int) -> tuple[int, Annotation]:
        if not isinstance(entry, dict) or not _is_int(entry.get("id")):
            raise self.error(f"images[{at}]", "not an object with a whole number as id")
        number: int = entry["id"]
        filename = entry.get("file_name")
        if not isinstance(filename, str) or not all(safe_component(part) for part in filename.split("/")):
            raise self.error(
                f"image {number}", f"file_name {str(filename)[:200]!r} is not a relative path inside the set"
            )
        size = tuple(self.side(entry, side) for side in ("width", "height"))
        depth = entry.get("depth", 3)
        stem = filename.rpartition(".")[0] or filename
        return number, Annotation(stem, filename, (size[0], size[1]), depth if _is_int(depth) and depth > 0 else 3)

    def side(self, entry: dict[str, Any], side: str) -> int:
        """The side's length in pixels; 0, nobody knows, where it is absent. Whole floats are taken: some write them."""
        value = entry.get(side, 0)
        if not _is_number(value) or not 0 <= value <= MAX_SIDE or value != int(value):
            raise self.error(f"image {entry['id']}", f"{side} is not a whole number of pixels")
        return int(value)

    def annotation(
        self, entry: Any, at: int, categories: dict[int, str], images: dict[int, Annotation], seen: set[int]
    ) -> tuple[int, Box]:
        if not isinstance(entry, dict) or not _is_int(entry.get("id")):
            raise self.error(f"annotations[{at}]", "not an object with a whole number as id")
        what = f"annotation {entry['id']}"
        if entry["id"] in seen:
            raise self.error(what, "the id occurs twice")
        seen.add(entry["id"])
        image_id, category_id = entry.get("image_id"), entry.get("category_id")
        if not _is_int(image_id) or image_id not in images:
            raise self.error(what, f"image_id {str(image_id)[:40]} is no image that could be read")
        if not _is_int(category_id) or category_id not in categories:
            raise self.error(what, f"category_id {str(category_id)[:40]} is no category")
        if entry.get("iscrowd"):
            self.lost["iscrowd"] += 1
        return image_id, self.box(entry, what, categories[category_id])

    def box(self, entry: dict[str, Any], what: str, label: str) -> Box:
        bbox = entry.get("bbox")
        if not isinstance(bbox, list) or len(bbox) != 4 or not all(_is_number(v) for v in bbox):
            raise self.error(what, "bbox is not [x, y, width, height]")
        left, top, width, height = (float(v) for v in bbox)
        if width < 0 or height < 0:
            raise self.error(what, f"bbox has a negative width or height ({width:g} x {height:g})")
        attributes = entry.get("attributes", {})
        if not isinstance(attributes, dict):
            raise self.error(what, "attributes is not an object")
        pose = attributes.get("pose")
        xyxy = _exact(entry.get(XYXY_KEY), (left, top, left + width, top + height))
        return Box(
            label,
            xyxy,
            difficult=attributes.get("difficult", entry.get("ignore", 0)) in (True, 1),
            truncated=attributes.get("truncated", 0) in (True, 1),
            occluded=attributes.get("occluded", 0) in (True, 1),
            pose=pose if isinstance(pose, str) else "",
            polygon=self.polygon(entry.get("segmentation"), what),
            attributes=tuple(self.attributes(attributes)),
        )

    def polygon(self, value: Any, what: str) -> tuple[tuple[float, float], ...]:
        if isinstance(value, dict):
            self.lost["mask"] += 1  # run lengths: VOC's XML has no place for a mask
            return ()
        if not value:
            return ()
        first = value[0] if isinstance(value, list) else None
        if not isinstance(first, list) or len(first) < 6 or len(first) % 2 or not all(_is_number(v) for v in first):
            raise self.error(what, "segmentation is not a list of polygons")
        if len(value) > 1:
            self.lost["polygon"] += len(value) - 1
        return tuple((float(x), float(y)) for x, y in zip(first[::2], first[1::2], strict=True))

    def attributes(self, given: dict[str, Any]) -> Iterable[tuple[str, str]]:
        for name, value in given.items():
            if name in _MARKS:
                continue
            if isinstance(value, str):
                yield name, value
            elif isinstance(value, bool | int | float):
                yield name, json.dumps(value)
            elif value is not None:
                self.lost["attribute"] += 1


def _exact(given: object, xyxy: XYXY) -> XYXY:
    """The corners that were written beside bbox, unless bbox has been changed since."""
    if not isinstance(given, list) or len(given) != 4 or not all(_is_number(v) for v in given):
        return xyxy
    left, top, right, bottom = (float(v) for v in given)
    same = (math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-9) for a, b in zip(given, xyxy, strict=True))
    return (left, top, right, bottom) if all(same) else xyxy


def _coords(info: object) -> Literal["", "voc", "zero"]:
    own = info.get("datatools") if isinstance(info, dict) else None
    coords = own.get("coords") if isinstance(own, dict) else None
    return coords if coords in ("voc", "zero") else ""


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63


def _is_number(value: object) -> bool:
    """Whether it is a finite number of a sane size; written positively, so that NaN is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_COORDINATE
