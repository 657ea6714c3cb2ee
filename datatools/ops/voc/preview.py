"""`datatools voc preview`: a contact sheet of a Pascal VOC set, to look at before anything else."""

import difflib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.kinds import Kind
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Run, Seed, VocFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from datatools.io.voc.layout import VocSet
    from datatools.io.voc.scan import BoxTable
    from datatools.report.sheet import Tile

SHOWN_FAILURES = 20
"""So many failures are shown on a terminal; JSON has all."""


@dataclass(frozen=True)
class Preview(Result):
    """What stands on the sheet.

    out: the file. shown: keys of the items, in the order of the sheet. candidates: how many items there were to choose
    from. boxes: how many of each class are drawn. failures: files that could not be read.
    """

    out: Path
    shown: tuple[str, ...]
    candidates: int
    boxes: dict[str, int]
    failures: tuple[DataError, ...] = ()

    @property
    def problems(self) -> int:
        """How many files could not be read."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """The classes that are seen, what could not be read, and where the sheet lies."""
        yield Table(("class", "boxes"), tuple((escape(name), count) for name, count in self.boxes.items()))
        yield from map(str, self.failures[:SHOWN_FAILURES])
        if len(self.failures) > SHOWN_FAILURES:
            yield f"... and {len(self.failures) - SHOWN_FAILURES:,} more that could not be read"
        yield f"{len(self.shown):,} of {self.candidates:,} images are shown; open {escape(self.out)}"


@op("voc.preview", version=1)
def preview(
    src: VocFolder,
    *,
    out: Annotated[
        Path,
        Param("picture that is made, .jpg or .png", flags=("-o", "--out"), metavar="FILE", writes="file"),
        Kind("picture"),
    ],
    only: Annotated[tuple[str, ...], Param("choose images that have this class, draw no other", metavar="CLASS")] = (),
    n: Annotated[int, Param("number of images", flags=("-n",), ge=1, le=400)] = 16,
    split: Annotated[
        Literal["train", "val", "trainval", "test"] | None, Param("choose from the images of this list")
    ] = None,
    side: Annotated[int, Param("longer side of an image on the sheet, px", ge=64, le=2048)] = 320,
    seed: Seed = 0,
    coords: Annotated[
        Literal["auto", "voc", "zero"], Param("voc: corners count from 1; zero: from 0; auto: as the set looks")
    ] = "auto",
    run: Run = SERIAL,
) -> Preview:
    """Draw a sheet of images with their boxes, classes in distinct colours.

    The images are chosen at random, by the seed, and stand in the order of the set. A class has the same colour on
    every sheet of a set. Boxes marked difficult have a star. An image that cannot be read leaves its place grey.
    """
    from datatools.io import atomic, images
    from datatools.io.voc import layout, scan
    from datatools.report import sheet

    suffix = out.suffix.lower()
    if suffix not in (".jpg", ".jpeg", ".png"):
        raise UsageError(f"{escape(out)}: the name of the sheet must end in .jpg or .png")
    voc_set = layout.open_set(src)
    _check_outside(out, voc_set)
    table = scan.read_table(voc_set, coords=coords, run=run)
    wanted = _class_numbers(table, only)
    candidates = _candidates(voc_set, table, wanted, bool(only), split)
    chosen = _choose(len(candidates), n, seed)
    jobs = [_job(voc_set, *candidates[i], table, wanted) for i in chosen]

    faces = [_face(job) for job in jobs]
    cell_wh = sheet.cell_size([face.size_wh for face in faces if isinstance(face, _Face)], side)
    drawing = functools.partial(_tile, cell_wh=cell_wh)
    tiles: list[Tile] = []
    failures = list(table.failures)
    for tile, failure in run.map(drawing, list(zip(jobs, faces, strict=True)), "drawing", _lost_tile):
        tiles.append(tile)
        failures += [failure] if failure else []
    title = f"{voc_set.root.name}: {len(tiles):,} of {len(candidates):,} images" + (f" of {split}" if split else "")
    drawn = sheet.compose(tiles, table.classes, cell_wh, title)
    atomic.write_bytes(out, images.encode_png(drawn) if suffix == ".png" else images.encode_jpeg(drawn, 92))
    return Preview(
        out=out,
        shown=tuple(job.key for job in jobs),
        candidates=len(candidates),
        boxes=sheet.count_boxes(tiles, table.classes),
        failures=tuple(failures),
    )


@dataclass(frozen=True, slots=True)
class _Job:
    """An image to draw. name: as messages show it. size_wh: as the XML says, NaN where it does not. xyxy: pixels."""

    key: str
    name: str
    image: Path
    size_wh: "NDArray[np.float64]"
    xyxy: "NDArray[np.float64]"
    box_class: "NDArray[np.int32]"
    difficult: "NDArray[np.bool_]"


@dataclass(frozen=True, slots=True)
class _Face:
    """How an image is shown: its size then, and whether its EXIF orientation is applied."""

    size_wh: tuple[int, int]
    upright: bool


def _check_outside(out: Path, voc_set: "VocSet") -> None:
    """Raise UsageError where the sheet would become an image of the set."""
    place = out.resolve().parent
    for tree in voc_set.trees:
        for folder in (tree.annotations, tree.images):
            if folder and (place == folder.resolve() or folder.resolve() in place.parents):
                raise UsageError(f"{escape(out)}: lies among the files of the set; choose another place")


def _class_numbers(table: "BoxTable", only: tuple[str, ...]) -> list[int]:
    """The numbers of the classes to draw: of all where none is named."""
    for name in only:
        if name not in table.classes:
            near = difflib.get_close_matches(name, table.classes, n=1)
            hint = f"did you mean {escape(near[0])}?" if near else "datatools voc classes lists them"
            raise UsageError(f"--only: there is no class {escape(name)!r}; {hint}")
    return [number for number, name in enumerate(table.classes) if name in only or not only]


def _candidates(
    voc_set: "VocSet", table: "BoxTable", wanted: list[int], only: bool, split: str | None
) -> list[tuple[int, Path]]:
    """The items, by their number in the table, that have an image, a wanted class and are in the split; with the image.

    Raises UsageError where there is none, saying why.
    """
    import numpy as np

    listed = _listed(voc_set, split) if split else None
    has_class = np.bincount(table.box_item[np.isin(table.box_class, wanted)], minlength=len(table.items)) > 0
    found = []
    for i, item in enumerate(table.items):
        if (listed is None or (item.tree, item.id) in listed) and (has_class[i] or not only):
            image = item.image or (voc_set.image_by_filename(item, table.filenames[i]) if table.filenames[i] else None)
            if image:
                found.append((i, image))
    if not found:
        where = f" in {split}" if split else ""
        what = " and a box of the class" if only else ""
        raise UsageError(f"{escape(voc_set.root)}: of {len(table.items):,} annotations none{where} has an image{what}")
    return found


def _listed(voc_set: "VocSet", split: str) -> set[tuple[int, str]]:
    """Tree and id of the items of a list. Raises UsageError where no tree has it."""
    from datatools.io.voc import lists

    found = {number: lists.read_lists(tree) for number, tree in enumerate(voc_set.trees)}
    if not any(split in named for named in found.values()):
        there = sorted({name for named in found.values() for name in named}) or ["none"]
        raise UsageError(f"{escape(voc_set.root)}: there is no list {split}.txt (there is {', '.join(there)})")
    return {(number, item_id) for number, named in found.items() for item_id in named.get(split, ())}


def _choose(count: int, n: int, seed: int) -> list[int]:
    """At most n different numbers below count, ascending."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return sorted(rng.permutation(count)[:n].tolist())


def _job(voc_set: "VocSet", index: int, image: Path, table: "BoxTable", wanted: list[int]) -> _Job:
    import numpy as np

    first, last = np.searchsorted(table.box_item, [index, index + 1])
    drawn = first + np.flatnonzero(np.isin(table.box_class[first:last], wanted))
    return _Job(
        key=voc_set.key(table.items[index]),
        name=voc_set.name(image),
        image=image,
        size_wh=table.size_wh[index],
        xyxy=table.xyxy[drawn],
        box_class=table.box_class[drawn],
        difficult=table.difficult[drawn],
    )


def _face(job: _Job) -> _Face | DataError:
    """Find how the image must lie for its boxes: as displayed, unless the XML has the size of the stored picture."""
    from datatools.io import images

    try:
        header = images.read_header(job.image)
    except DataError as error:
        return _named(error, job.name)
    said = tuple(job.size_wh.tolist())
    if said == header.stored_wh != header.displayed_wh:
        return _Face(header.stored_wh, upright=False)
    return _Face(header.displayed_wh, upright=True)


def _lost_tile(work: tuple[_Job, _Face | DataError], error: DataError) -> "tuple[Tile, DataError | None]":
    from datatools.report import sheet

    job = work[0]
    failure = _named(error, job.name)
    note = f"cannot be read: {failure.message}"
    return sheet.Tile(job.key, None, job.xyxy, job.box_class, job.difficult, note), failure


def _tile(work: tuple[_Job, _Face | DataError], cell_wh: tuple[int, int]) -> "tuple[Tile, DataError | None]":
    """Decode an image and shrink it; an empty tile and the reason where it cannot be decoded."""
    import numpy as np

    from datatools.io import files, images
    from datatools.report import sheet

    job, face = work
    try:
        if isinstance(face, DataError):
            raise face
        data = files.read_bytes(job.image, images.MAX_FILE_BYTES)
        picture = images.decode(data, name=job.name, upright=face.upright)
    except DataError as error:
        return _lost_tile(work, error)
    small = sheet.fit(picture, cell_wh)
    scale = np.array([small.shape[1] / picture.shape[1], small.shape[0] / picture.shape[0]] * 2)
    return sheet.Tile(job.key, small, job.xyxy * scale, job.box_class, job.difficult), None


def _named(error: DataError, name: str) -> DataError:
    return DataError(name, error.line, error.code, error.message, error.remedy)
