"""`datatools voc stats`: everything that can be counted in a Pascal VOC set."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from datatools.core.errors import DataError, escape
from datatools.core.kinds import Kind
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Run, VocFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from datatools.core.census import Census
    from datatools.io.voc.layout import VocSet
    from datatools.io.voc.scan import BoxTable

SHOWN = 20
"""So many rows or lines of one kind are shown on a terminal; JSON and the page hold all."""


@dataclass(frozen=True)
class Stats(Result):
    """The counts of a set, and what could not be counted.

    coords: the convention that the files were taken to have. census: all counts; in JSON they stand beside the
    other fields. images_missing: annotations without an image. images_unannotated: images without an annotation.
    sizes_from_images: images whose annotation has no size, which was then taken from the image's header.
    failures: files and objects that could not be read. written: the files that were made.
    """

    src: Path
    coords: str
    census: "Census"
    images_missing: int
    images_unannotated: int
    sizes_from_images: int
    failures: tuple[DataError, ...]
    written: tuple[Path, ...] = ()

    @property
    def problems(self) -> int:
        """How many files and objects could not be read."""
        return len(self.failures)

    def hints(self) -> Iterator[str]:
        """What usually costs accuracy, a line each."""
        from datatools.core.census import count_of

        yield from self.census.hints()
        unlisted = next((s.images for s in self.census.splits if s.name == UNLISTED), 0)
        if unlisted:
            yield f"{count_of(unlisted, 'annotated image')} in no list: `datatools voc split --extend`"
        if self.images_missing:
            yield f"{count_of(self.images_missing, 'annotation')} without an image: `datatools voc lint` names them"
        if self.images_unannotated:
            yield f"{count_of(self.images_unannotated, 'image')} without an annotation: `datatools voc lint` names them"

    def lines(self) -> Iterator[str | Table]:
        """The classes first, then splits and sizes, hints, failures, and what to do next."""
        from datatools.core.census import count_of
        from datatools.report import voc_stats

        census = self.census
        images, boxes = count_of(census.images, "annotated image"), count_of(census.boxes, "box", "boxes")
        counted = f"{images}, {boxes}, {count_of(len(census.classes), 'class', 'classes')}"
        yield f"{escape(self.src)}: {counted} (coordinates: {self.coords})"
        if census.classes:
            yield _cut(dataclasses.replace(voc_stats.class_table(census), title="classes"))
        if census.splits:
            yield dataclasses.replace(voc_stats.split_table(census), title="splits")
        if census.boxes:
            yield dataclasses.replace(voc_stats.size_table(census), title="sizes")
        if census.image_sizes:
            shown = ", ".join(f"{s.width} x {s.height} ({s.images:,})" for s in census.image_sizes[:5])
            more = len(census.image_sizes) - 5
            yield f"image sizes: {shown}" + (f" and {more:,} more" if more > 0 else "")
        yield from (f"hint: {hint.replace('`', '')}" for hint in self.hints())
        yield from map(str, self.failures[:SHOWN])
        if len(self.failures) > SHOWN:
            yield f"... and {len(self.failures) - SHOWN:,} more that could not be read (--json lists all)"
        yield from (f"wrote {escape(path)}" for path in self.written)
        yield self._next()

    def _next(self) -> str:
        if not self.census.images:
            return f"nothing to count: there is no annotation in {escape(self.src)}"
        if self.failures:
            return f"next: datatools voc lint {escape(self.src)}"
        if page := next((path for path in self.written if path.suffix in (".html", ".htm")), None):
            return f"next: open {escape(page)} in a browser"
        return f"next: datatools voc stats {escape(self.src)} --html stats.html (draws all of this)"

    def to_json(self) -> dict[str, Any]:
        """All counts, and the hints."""
        answer = super().to_json()
        first = {name: answer.pop(name) for name in ("src", "coords")}
        return {**first, **answer.pop("census"), **answer, "hints": list(self.hints())}


UNLISTED = "unlisted"
"""The name under which images in no list are counted, where there are lists."""


@op("voc.stats", version=1)
def stats(
    src: VocFolder,
    *,
    html: Annotated[
        Path | None, Param("write it as one self-contained page", metavar="FILE", writes="file"), Kind("page")
    ] = None,
    # several files in a folder that may be the user's own: no output folder that is replaced as a whole
    png: Annotated[
        Path | None, Param("write the plots as PNG into this folder (extra `plot`)", metavar="DIR", writes="files")
    ] = None,
    classes: Annotated[
        Path | None, Param("write the class list, one a line", metavar="FILE", writes="file"), Kind("classes")
    ] = None,
    coords: Annotated[
        Literal["auto", "voc", "zero"], Param("voc: corners count from 1; zero: from 0; auto: as the set looks")
    ] = "auto",
    run: Run = SERIAL,
) -> Stats:
    """Count classes, splits, sizes, shapes, positions and what occurs together in a Pascal VOC set.

    Sizes are those that the XML declares; where it has none, the image's header is asked. Boxes without area are
    counted with their class and left out of the distributions.
    """
    from datatools.io import atomic
    from datatools.io.voc import layout, scan
    from datatools.kernels import census

    if png:
        from datatools.report import voc_plots

        voc_plots.require()  # before the work rather than after it
    voc_set = layout.open_set(src)
    table = scan.read_table(voc_set, coords=coords, run=run)
    sizes = _sizes(voc_set, table, run)
    splits, list_failures = _splits(voc_set, table)
    counted = census.take(
        table.classes,
        sizes.size_wh,
        table.box_item,
        table.box_class,
        table.xyxy,
        difficult=table.difficult,
        truncated=table.truncated,
        occluded=table.occluded,
        splits=splits,
    )
    result = Stats(
        src=src,
        coords=table.coords,
        census=counted,
        images_missing=sizes.missing,
        images_unannotated=sizes.unannotated,
        sizes_from_images=sizes.from_images,
        failures=(*table.failures, *list_failures, *sizes.failures),
    )
    outputs: dict[Path, bytes] = {}
    if classes:
        from datatools.ops.voc.classes import class_list

        outputs[classes] = class_list(table.classes)
    if html:
        outputs[html] = _page(result)
    if png:
        outputs.update({png / name: data for name, data in voc_plots.pngs(counted).items()})
    for path, data in outputs.items():
        atomic.write_bytes(path, data)
    return dataclasses.replace(result, written=tuple(outputs))


@dataclass(frozen=True)
class _Sizes:
    """size_wh: (n, 2) pixels of the images, NaN where nobody knows."""

    size_wh: "NDArray[np.float64]"
    from_images: int
    missing: int
    unannotated: int
    failures: tuple[DataError, ...]


def _sizes(voc_set: "VocSet", table: "BoxTable", run: Run) -> _Sizes:
    """Take the declared sizes, and those of image headers where none is declared."""
    import numpy as np

    size_wh = np.array(table.size_wh)
    unknown = np.asarray(~(size_wh > 0).all(axis=1))  # NaN is unknown too
    missing = 0
    named: set[str] = set()  # images that an XML of another name speaks for
    asked: list[tuple[int, str, str]] = []
    for i, item in enumerate(table.items):
        image = item.image_file
        if not image and table.filenames[i]:
            image = str(voc_set.image_by_filename(item, table.filenames[i]) or "")
            named.add(image)
        if not image:
            missing += 1
        elif unknown[i]:
            asked.append((i, image, voc_set.name(image)))
    failures = []
    for (i, _, _), answer in zip(asked, run.map(_header_size, asked, "image sizes"), strict=True):
        if isinstance(answer, DataError):
            failures.append(answer)
            size_wh[i] = np.nan
        else:
            size_wh[i] = answer
    return _Sizes(
        size_wh=size_wh,
        from_images=len(asked) - len(failures),
        missing=missing,
        unannotated=sum(item.image_file not in named for item in voc_set.images_without_xml),
        failures=tuple(failures),
    )


def _header_size(asked: tuple[int, str, str]) -> tuple[int, int] | DataError:
    """The size of an image as displayed."""
    from datatools.io import images

    _, path, name = asked
    try:
        return images.read_header(Path(path)).displayed_wh
    except DataError as error:
        return DataError(name, error.line, error.code, error.message, error.remedy)


def _splits(voc_set: "VocSet", table: "BoxTable") -> tuple[dict[str, "NDArray[np.bool_]"], tuple[DataError, ...]]:
    """Which item is in which split; those in none are in `unlisted`. Nothing where the set has no lists."""
    import numpy as np

    from datatools.io.voc import lists

    try:
        named = lists.splits_of(voc_set)
    except DataError as error:
        return {}, (DataError(voc_set.name(error.path), error.line, error.code, error.message, error.remedy),)
    keys = [voc_set.key(item) for item in table.items]
    members = {}
    for split, ids in named.items():
        wanted = set(ids)
        members[split] = np.fromiter((key in wanted for key in keys), np.bool_, len(keys))
    if members:
        unlisted = ~np.logical_or.reduce(list(members.values()))
        if unlisted.any():
            members[UNLISTED] = unlisted
    return members, ()


def _page(result: Stats) -> bytes:
    from datatools.report import voc_stats

    notes = []
    if result.census.degenerate:
        notes.append(
            f"{result.census.degenerate:,} boxes without area are counted with their class and stand in no chart."
        )
    if result.sizes_from_images:
        notes.append(f"{result.sizes_from_images:,} sizes that no XML declares were read from the images.")
    subtitle = f"{result.src}, Pascal VOC, coordinates: {result.coords}"
    name = result.src.resolve().name or "the set"
    return voc_stats.html(result.census, name, subtitle, list(result.hints()), list(map(str, result.failures)), notes)


def _cut(table: Table) -> Table:
    if len(table.rows) <= SHOWN:
        return table
    more = f"{table.title}: the {SHOWN} commonest of {len(table.rows):,} (--json, --html list all)"
    return dataclasses.replace(table, rows=table.rows[:SHOWN], title=more)
