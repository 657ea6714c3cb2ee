"""COCO-Text: one JSON file for a set, with `imgs`, `anns` and `imgToAnns` (Veit et al., arXiv:1601.07140).

An annotation has its text in `utf8_string`, its outline as a flat list in `mask` (version 2) or `polygon` (version 1),
else only `bbox` `[x, y, width, height]`; `legibility: illegible` says that nobody can read it. Each image names its
split in `set`. TextOCR's files, which have `points`, are read, too.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datatools.core.errors import DataError
from datatools.core.records import PageLabel, TextRegion
from datatools.io.files import read_head, safe_component, walk
from datatools.io.jsontext import load

MAX_BYTES = 1 << 30
MAX_COORDINATE = 1e7
KEPT = ("class", "language")
"""Keys of an annotation that are kept in `extra`, where they are not `na`."""

_HEAD_BYTES = 1 << 20
_OUTLINES = ("mask", "polygon", "points")


@dataclass(frozen=True)
class CocoText:
    """What a file says. pages: in its order, each with its split; their `filename` stays inside the set.

    lost: what is not read -> how often it occurs. failures: what was left out because it is wrong.
    """

    pages: tuple[tuple[str, PageLabel], ...]
    lost: dict[str, int] = field(default_factory=dict)
    failures: tuple[DataError, ...] = ()


def looks_like(head: bytes) -> bool:
    """Whether a JSON file that begins so may be one of COCO-Text; `read` says whether it is."""
    return (b'"anns"' in head or b'"imgs"' in head) and b'"annotations"' not in head


def find_files(src: Path) -> list[str]:
    """Return the JSON files below a folder that may be COCO-Text's, relative to it."""
    return [
        (folder / name).as_posix()
        for folder, _, names in walk(src)
        for name in names
        if name.endswith(".json") and looks_like(read_head(src / folder / name, _HEAD_BYTES)[0])
    ]


def read(data: bytes, name: str) -> CocoText:
    """Return the pages of a file. An image with a bad annotation is left out and named, as is a bad image.

    name: the file's name for messages. Raises DataError where the file as a whole cannot be read: E-JSON-BROKEN,
    E-JSON-LIMIT, E-COCO-FORM.
    """
    document = load(data, name)
    if not isinstance(document, dict):
        raise DataError(name, 0, "E-COCO-FORM", "not a JSON object")
    images, annotations = document.get("imgs"), document.get("anns")
    if not isinstance(images, dict) or not isinstance(annotations, dict):
        raise DataError(name, 0, "E-COCO-FORM", "there are no objects `imgs` and `anns`")
    failures: list[DataError] = []
    bad: set[str] = set()
    found: dict[str, list[TextRegion]] = {str(key): [] for key in images}
    lost: dict[str, int] = {}
    for key, entry in annotations.items():
        image = str(entry.get("image_id")) if isinstance(entry, dict) else ""
        try:
            if image not in found:
                raise ValueError(f"image_id {image[:40]} is no image of the file")
            region, without = _region(entry)
            found[image].append(region)
            if without:
                lost["outline: only bbox is there"] = lost.get("outline: only bbox is there", 0) + 1
        except ValueError as error:
            bad.add(image)
            failures.append(DataError(name, 0, "E-COCO-FORM", f"annotation {str(key)[:40]}: {error}"))
    pages: list[tuple[str, PageLabel]] = []
    names: set[str] = set()
    for key, entry in images.items():
        try:
            split, page = _page(entry, found[str(key)])
            if page.filename in names:
                raise ValueError(f"{page.filename!r} is described twice")
            names.add(page.filename)
        except ValueError as error:
            failures.append(DataError(name, 0, "E-COCO-FORM", f"image {str(key)[:40]}: {error}"))
        else:
            if str(key) not in bad:
                pages.append((split, page))
    return CocoText(tuple(pages), lost, tuple(failures))


def _page(entry: Any, found: Sequence[TextRegion]) -> tuple[str, PageLabel]:
    if not isinstance(entry, dict):
        raise ValueError("not an object")
    filename = entry.get("file_name", entry.get("filename"))
    if not isinstance(filename, str) or not all(safe_component(part) for part in filename.split("/")):
        raise ValueError(f"file_name {str(filename)[:200]!r} is not a relative path inside the set")
    sides = [entry.get(side, 0) for side in ("width", "height")]
    if not all(type(side) is int and 0 <= side <= 1_000_000 for side in sides):
        raise ValueError("width and height are not whole numbers of pixels")
    split = entry.get("set", "")
    stem = filename.rpartition(".")[0] or filename
    return split if split in ("train", "val", "test") else "", PageLabel(
        stem, filename, (sides[0], sides[1]), tuple(found)
    )


def _region(entry: Any) -> tuple[TextRegion, bool]:
    """The region, and whether it has but a bbox."""
    text = entry.get("utf8_string", "")
    if not isinstance(text, str):
        raise ValueError("utf8_string is not a text")
    # TextOCR has no legibility; its unreadable words are a full stop
    ignore = entry.get("legibility", "illegible" if text == "." else "") == "illegible" or text == "###"
    told = ((key, entry.get(key)) for key in KEPT)
    extra = tuple((k, json.dumps(v, ensure_ascii=False)) for k, v in told if isinstance(v, str) and v != "na")
    flat = next((entry[key] for key in _OUTLINES if entry.get(key)), None)
    if flat is not None:
        if not isinstance(flat, list) or len(flat) < 8 or len(flat) % 2 or not all(map(_is_number, flat)):
            raise ValueError("its outline is not a flat list of four or more points")
        points = tuple((float(x), float(y)) for x, y in zip(flat[::2], flat[1::2], strict=True))
        return TextRegion(points, text, ignore, extra), False
    box = entry.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)) or min(box[2:]) < 0:
        raise ValueError("bbox is not [x, y, width, height]")
    left, top, right, bottom = float(box[0]), float(box[1]), float(box[0] + box[2]), float(box[1] + box[3])
    return TextRegion(((left, top), (right, top), (right, bottom), (left, bottom)), text, ignore, extra), True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_COORDINATE


def render(pages: Iterable[tuple[str, PageLabel]]) -> bytes:
    """Return pages with their splits as a file of version 2; ids count from 1. The sizes must be known."""
    images: dict[str, Any] = {}
    annotations: dict[str, Any] = {}
    of_image: dict[str, list[int]] = {}
    for image_id, (split, page) in enumerate(pages, 1):
        width, height = page.size_wh
        images[str(image_id)] = {
            "id": image_id, "set": split or "train", "width": width, "height": height, "file_name": page.filename,
        }  # fmt: skip
        of_image[str(image_id)] = []
        for region in page.regions:
            number = len(annotations) + 1
            annotations[str(number)] = _annotation(region, number, image_id)
            of_image[str(image_id)].append(number)
    document: Mapping[str, Any] = {
        "cats": {}, "anns": annotations, "imgs": images, "imgToAnns": of_image,
        "info": {"description": "converted by datatools"},
    }  # fmt: skip
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def _annotation(region: TextRegion, number: int, image_id: int) -> dict[str, Any]:
    xs, ys = zip(*region.points, strict=True)
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    following = (*region.points[1:], region.points[0])
    twice = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(region.points, following, strict=True))
    told = dict(region.extra)
    kept = {key: json.loads(told[key]) if key in told else "na" for key in ("class", "language")}
    return {
        "mask": [_short(v) for point in region.points for v in point],
        **kept,
        "bbox": [_short(v) for v in (left, top, right - left, bottom - top)],
        "image_id": image_id,
        "id": number,
        "area": _short(abs(twice) / 2),
        "utf8_string": "" if region.ignore and region.text in ("###", "*") else region.text,
        "legibility": "illegible" if region.ignore else "legible",
    }


def _short(value: float) -> float:
    """Whole numbers as ints: `62`, not `62.0`."""
    return int(value) if value == int(value) else value
