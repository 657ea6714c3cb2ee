"""YOLO sets: `images/<split>/x.jpg`, `labels/<split>/x.txt`, and a `data.yaml` that names classes and splits.

A label line is `class cx cy width height`, all but the class as shares of the image's size; seven and more columns are
a polygon. Six decimals are written, as everyone does: a corner comes back within a millionth of the image's side, and a
corner that close to a whole pixel is read as that pixel, so that whole numbers survive.
"""

import os
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.records import XYXY, Box
from datatools.io.config import load_yaml
from datatools.io.files import read_bytes, walk
from datatools.io.images import IMAGE_SUFFIXES

MAX_LABEL_BYTES = 8 << 20
COORDS_KEY = "datatools_coords"
RESOLUTION = 1e-6

_NUMBER = re.compile(r"[0-9]{1,7}(\.[0-9]{0,20})?([eE][-+]?[0-9]{1,2})?", re.ASCII)
_CLASS = re.compile(r"[0-9]{1,7}", re.ASCII)
_OVERFLOW = 1.01  # what trainers let pass

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a label file: shares of the image's size. polygon_norm is empty for a box."""

    class_id: int
    cxcywh_norm: tuple[float, float, float, float]
    polygon_norm: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """An image of a set. image, labels: relative to the root, `/` between folders; labels is empty for background."""

    split: str
    image: str
    labels: str


@dataclass(frozen=True)
class YoloSet:
    """A set as its data.yaml describes it.

    coords: how the VOC files counted that it came from, "" if it is silent. unlisted: images that no split names.
    """

    root: Path
    classes: tuple[str, ...]
    coords: Literal["", "voc", "zero"]
    items: tuple[Item, ...]
    unlisted: tuple[str, ...]
    failures: tuple[DataError, ...]


def label_bytes(rows: Iterable[tuple[int, XYXY]], size_wh: Size) -> bytes:
    r"""Return a label file of boxes that lie inside the image. No boxes make an empty file: background.

    >>> label_bytes([(0, (0., 0., 50., 25.))], (100, 50))
    b'0 0.250000 0.250000 0.500000 0.500000\n'
    """
    width, height = size_wh
    return "".join(
        f"{class_id} {(left + right) / 2 / width:.6f} {(top + bottom) / 2 / height:.6f}"
        f" {(right - left) / width:.6f} {(bottom - top) / height:.6f}\n"
        for class_id, (left, top, right, bottom) in rows
    ).encode()


def config_bytes(classes: Sequence[str], splits: Mapping[str, Sequence[str]], *, coords: str) -> bytes:
    """Return a data.yaml. splits: train, val, test -> folders relative to it. Class names are quoted: `no` stays text.

    There is no `path`: trainers take the folder of the file then, wherever the set is moved.
    """
    lines = [f"{COORDS_KEY}: {coords} # how the VOC files counted; datatools voc convert --from yolo goes by it"]
    for split, folders in splits.items():
        lines.append(f"{split}: {folders[0] if len(folders) == 1 else '[' + ', '.join(folders) + ']'}")
    lines += [f"nc: {len(classes)}", "names:" if classes else "names: []"]
    lines += [f"  {number}: {_quoted(name)}" for number, name in enumerate(classes)]
    return ("\n".join(lines) + "\n").encode()


def _quoted(text: str) -> str:
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=1 << 20).strip()


def parse_labels(data: bytes, name: str, classes: int) -> tuple[tuple[Row, ...], tuple[DataError, ...]]:
    r"""Return the rows of a label file and what is wrong with the others, each with its line.

    classes: how many there are. A byte order mark, CRLF, tabs and blank lines are fine.

    >>> parse_labels(b"0 0.5 0.5 1 1\n", "a.txt", 1)[0]
    (Row(class_id=0, cxcywh_norm=(0.5, 0.5, 1.0, 1.0), polygon_norm=()),)
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return (), (DataError(name, line, "E-LABEL-LINE", "not UTF-8"),)
    rows: list[Row] = []
    failures: list[DataError] = []
    for number, columns in enumerate((line.split() for line in text.split("\n")), start=1):
        if columns:
            try:
                rows.append(_row(columns, classes))
            except ValueError as error:
                failures.append(DataError(name, number, "E-LABEL-LINE", str(error)))
    return tuple(rows), tuple(failures)


def _row(columns: list[str], classes: int) -> Row:
    if len(columns) != 5 and (len(columns) < 7 or len(columns) % 2 == 0):
        raise ValueError(f"{len(columns)} columns; a box has 5, a polygon 7, 9, 11 ...")
    if not _CLASS.fullmatch(columns[0]):
        raise ValueError(f"the class is {columns[0][:40]!r}, not a whole number")
    class_id = int(columns[0])
    if class_id >= classes:
        raise ValueError(f"class {class_id}, but data.yaml names {classes} (0 to {classes - 1})")
    values = [_share(text) for text in columns[1:]]
    if len(values) == 4:
        cx, cy, width, height = values
        if not (width > 0 and height > 0):
            raise ValueError("the box is empty")
        return Row(class_id, (cx, cy, width, height))
    points = tuple(zip(values[::2], values[1::2], strict=True))
    left, right = min(values[::2]), max(values[::2])
    top, bottom = min(values[1::2]), max(values[1::2])
    if not (left < right and top < bottom):
        raise ValueError("the polygon is empty")
    return Row(class_id, ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top), points)


def _share(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a share of the image's size")
    value = float(text)
    if not 0 <= value <= _OVERFLOW:
        raise ValueError(f"{text[:40]} lies outside of the image (shares go from 0 to 1; these look like pixels)")
    return value


def boxes(rows: Iterable[Row], classes: Sequence[str], size_wh: Size) -> tuple[Box, ...]:
    """Return the boxes of an image in pixels, cut at its edges; whole pixels within the 6 decimals are whole."""
    width, height = size_wh
    found = []
    for row in rows:
        cx, cy, w, h = row.cxcywh_norm
        xyxy = (
            _pixels(cx - w / 2, width),
            _pixels(cy - h / 2, height),
            _pixels(cx + w / 2, width),
            _pixels(cy + h / 2, height),
        )
        polygon = tuple((_pixels(x, width), _pixels(y, height)) for x, y in row.polygon_norm)
        found.append(Box(classes[row.class_id], xyxy, polygon=polygon))
    return tuple(found)


def _pixels(share: float, side: int) -> float:
    value = min(max(share * side, 0.0), float(side))
    whole = round(value)
    return float(whole) if abs(value - whole) <= RESOLUTION * side else value


def open_set(src: Path) -> YoloSet:
    """Find the images and label files of a set by its data.yaml.

    Every path in it must stay inside the folder. A folder, a list file or a list of them is taken for each split, and
    names as a list or as `{0: cat}`. UsageError where data.yaml is absent or wrong.
    """
    name, config = _config(src)
    classes = _classes(config, name)
    listing = _Listing(src, name, config.get("path"))
    for split in ("train", "val", "valid", "test"):
        entries = config.get(split)
        for entry in entries if isinstance(entries, list) else [entries]:
            if entry is not None:
                listing.add("val" if split == "valid" else split, entry)
    listing.check_labels()
    coords = config.get(COORDS_KEY)
    return YoloSet(
        src,
        classes,
        coords if coords in ("voc", "zero") else "",
        tuple(listing.items),
        tuple(listing.unlisted()),
        tuple(listing.failures),
    )


def _config(src: Path) -> tuple[str, dict[str, Any]]:
    found = next(walk(src))[2]
    names = [n for n in found if n in ("data.yaml", "data.yml")] or [n for n in found if n.endswith((".yaml", ".yml"))]
    if len(names) != 1:
        raise UsageError(f"{escape(src)} has no data.yaml: is it the folder of a YOLO set?")
    config = load_yaml(read_bytes(src / names[0]), names[0])
    if not isinstance(config, dict):
        raise UsageError(f"{escape(names[0])}: not a mapping with the keys train, val, names")
    return names[0], config


def _classes(config: dict[str, Any], name: str) -> tuple[str, ...]:
    names = config.get("names")
    if isinstance(names, dict):
        if sorted(names, key=lambda k: (len(k), k)) != [str(n) for n in range(len(names))]:
            raise UsageError(f"{escape(name)}: names must count from 0 without a gap")
        names = [names[str(n)] for n in range(len(names))]
    if not isinstance(names, list):
        raise UsageError(f"{escape(name)}: names must be a list or a mapping such as {{0: cat}}")
    for number, label in enumerate(names):
        if not isinstance(label, str) or not label.isprintable() or not label:
            raise UsageError(f"{escape(name)}: names: class {number} must be a text (put it in quotes)")
    if len(set(names)) != len(names):
        raise UsageError(f"{escape(name)}: names: a class stands there twice")
    if config.get("nc", len(names)) != len(names):
        raise UsageError(f"{escape(name)}: nc is {config['nc']}, but {len(names)} names are given")
    return tuple(names)


class _Listing:
    """Collects the images of the splits, looking names up in what the folder really holds."""

    def __init__(self, src: Path, name: str, base: object) -> None:
        self.src = src
        self.name = name
        self.items: list[Item] = []
        self.failures: list[DataError] = []
        self.folders: dict[str, list[str]] = {}
        self.files: set[str] = set()
        for where, _, names in walk(src):
            folder = str(where)
            self.folders[folder] = [posixpath.normpath(posixpath.join(folder, n)) for n in names]
            self.files.update(self.folders[folder])
        self.seen: set[str] = set()
        self.base = "."
        if base is not None:
            self.base = self.inside(base)

    def inside(self, entry: object) -> str:
        """A path of data.yaml, relative to the set; UsageError where it leads out."""
        if not isinstance(entry, str):
            raise UsageError(f"{escape(self.name)}: {str(entry)[:80]!r} is not a path")
        text = posixpath.normpath(posixpath.join(self.base, entry))
        if text.startswith("../"):
            # hosts export `../train/images` and mean `train/images`; trainers read it so, and it stays inside
            stripped = re.sub(r"^(\.\./)+", "", text)
            text = stripped if stripped in self.folders or stripped in self.files else text
        if posixpath.isabs(text) or text.split("/")[0] == "..":
            raise UsageError(
                f"{escape(self.name)}: {escape(entry)} leads out of the set"
                " (make it relative to the folder of data.yaml; remove `path`)"
            )
        return text

    def add(self, split: str, entry: object) -> None:
        where = self.inside(entry)
        if where in self.files and where.endswith(".txt"):
            self.add_list(split, where)
        elif where in self.folders:
            below = "" if where == "." else where + "/"
            for folder, files in self.folders.items():
                if folder == where or (folder + "/").startswith(below):
                    for file in files:
                        self.add_image(split, file)
        else:
            raise UsageError(f"{escape(self.name)}: {split}: there is no {escape(where)} in the set")

    def add_list(self, split: str, file: str) -> None:
        """`./x` in a list file is relative to the list, the rest to the set."""
        text = read_bytes(self.src / file).decode("utf-8-sig", "surrogateescape")
        for number, line in enumerate(text.split("\n"), start=1):
            entry = line.strip()
            if not entry:
                continue
            start = posixpath.dirname(file) if entry.startswith("./") else self.base
            image = posixpath.normpath(posixpath.join(start, entry))
            if image in self.files:
                self.add_image(split, image)
            else:
                outside = posixpath.isabs(image) or image.startswith("..")
                what = "leads out of the set" if outside else "is not in the set"
                self.failures.append(DataError(file, number, "E-IMAGE-MISSING", f"{entry[:200]} {what}"))

    def add_image(self, split: str, image: str) -> None:
        if not _is_image(image) or image in self.seen:
            return
        self.seen.add(image)
        labels = _labels_of(image)
        self.items.append(Item(split, image, labels if labels in self.files else ""))

    def unlisted(self) -> list[str]:
        return sorted((f for f in self.files if _is_image(f) and f not in self.seen), key=os.fsencode)

    def check_labels(self) -> None:
        """Name the label files whose image is not there: their boxes would vanish silently."""
        known = {_labels_of(file) for file in self.files if _is_image(file)}
        for file in sorted(self.files - known, key=os.fsencode):
            if "/labels/" in f"/{file}" and file.endswith(".txt") and not file.endswith("/classes.txt"):
                self.failures.append(DataError(file, 0, "E-IMAGE-MISSING", "there is no image for these labels"))


def _is_image(file: str) -> bool:
    return posixpath.splitext(file)[1].lower() in IMAGE_SUFFIXES


def _labels_of(image: str) -> str:
    """Where trainers look for the labels of an image: the last `/images/` becomes `/labels/`."""
    stem = posixpath.splitext(image)[0]
    head, found, tail = f"/{stem}".rpartition("/images/")
    return (f"{head}/labels/{tail}" if found else f"/{stem}")[1:] + ".txt"
