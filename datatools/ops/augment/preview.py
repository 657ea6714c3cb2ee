"""`datatools augment preview`: originals beside what an augmentation draws of them, to choose its strength by eye."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Op, Param, op
from datatools.core.result import Result, Table
from datatools.core.types import Dataset, Seed
from datatools.core.values import Classified, Donors, Labelled, Source, TextLine, TextPage, printable
from datatools.ops.augment import labels, spoken

if TYPE_CHECKING:
    from datatools.report.draws import Shown

_CARRIED = "carried"


@dataclass(frozen=True)
class Preview(Result):
    """What stands on the sheet.

    out: the file. op: the augmentation with its options. shown: ids of the items, in the order of the sheet. draws: how
    many stand beside each. failures: items that could not be read or augmented.
    """

    out: Path
    op: str
    shown: tuple[str, ...]
    draws: int
    failures: tuple[DataError, ...] = ()

    @property
    def problems(self) -> int:
        """How many items could not be read or augmented."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """What could not be read, and where the sheet lies."""
        yield from map(str, self.failures)
        yield f"{len(self.shown)} items with {self.draws} draws each of {self.op}; open {escape(self.out)}"


@op("augment.preview", version=1)
def preview(
    src: Dataset,
    *,
    op: Annotated[str, Param('augmentation with its options, as "randaugment --magnitude 12"', metavar="TEXT")],
    out: Annotated[
        Path, Param("picture that is made, .jpg or .png", flags=("-o", "--out"), metavar="FILE", writes="file")
    ],
    n: Annotated[int, Param("number of items", flags=("-n",), ge=1, le=100)] = 4,
    draws: Annotated[int, Param("draws beside each", ge=1, le=12)] = 4,
    side: Annotated[int, Param("longer side of a picture on the sheet, px", ge=64, le=1024)] = 240,
    format: Annotated[str, Param("kind of set that SRC is; found by itself where left out", metavar="KIND")] = "",
    seed: Seed = 0,
) -> Preview:
    """Draw a sheet: some items of the set, and beside each what an augmentation makes of it, with the labels.

    The draws are those that the augmentation itself makes with the same seed and --copies. Classes have a colour each,
    texts that are ignored are grey.
    """
    from datatools.io import atomic, codecs, images
    from datatools.report import draws as sheets

    if out.suffix.lower() not in (".jpg", ".jpeg", ".png"):
        raise UsageError(f"{escape(out)}: the name of the sheet must end in .jpg or .png")
    if not src.is_dir():
        raise UsageError(f"{escape(src)} is not a folder")
    operation, arguments = spoken.understood(op)
    codec = codecs.choose(operation.items, src, format)
    sources = [one for one in codec.find(src) if one.kind != _CARRIED and one.group not in ("val", "test")]
    if not sources:
        raise UsageError(f"{escape(src)}: has no item outside of val and test")
    augment = _Augmenter(operation, arguments, src, codec, sources, seed)
    rows: list[tuple[str, list[Any]]] = []
    failures = []
    for source in _some(sources, n, seed):
        try:
            rows.append(augment.row(source, draws))
        except DataError as error:
            failures.append(error)
    known = sorted({name for _, items in rows for item in items for name in _names(item)})
    shown = [(text, [_shown(item, known) for item in items]) for text, items in rows]
    drawn = sheets.compose(shown, f"datatools augment {op}", side=side)
    atomic.write_bytes(out, images.encode_png(drawn) if out.suffix.lower() == ".png" else images.encode_jpeg(drawn, 85))
    return Preview(out, op, tuple(text for text, _ in rows), draws, tuple(failures))


class _Augmenter:
    """Runs an augmentation on single items, as a run over the set does."""

    def __init__(
        self,
        operation: Op[..., Any],
        arguments: dict[str, Any],
        src: Path,
        codec: Any,
        sources: list[Source],
        seed: int,
    ) -> None:
        self._op = operation
        self._arguments = arguments
        self._src = src
        self._codec = codec
        self._sources = sources
        self._seed = seed
        self._prepared = operation.prepare(src, iter(sources), arguments) if operation.prepare else None

    def row(self, source: Source, draws: int) -> tuple[str, list[Any]]:
        """The item's id, the item, and so many draws of it."""
        original = self._read(source)
        return printable(source.id), [original, *(self._drawn(original, source, copy) for copy in range(draws))]

    def _read(self, source: Source) -> Any:
        from datatools.io.intake import Intake

        return self._codec.read(source, Intake(str(self._src), source.files))

    def _drawn(self, item: Any, source: Source, copy: int) -> Any:
        from datatools.kernels.draws import generator

        handed: dict[str, Any] = {self._op.rng_parameter: generator(self._seed, source.id, copy)}
        if self._op.donors_parameter:
            leak = self._arguments.get("allow_leak", False)
            others = (s for s in self._sources if s.id != source.id and (leak or s.group == source.group))
            handed[self._op.donors_parameter] = Donors(tuple(others), self._read)
        if self._op.prepared_parameter:
            handed[self._op.prepared_parameter] = self._prepared
        return self._op.function(item, **self._arguments, **handed)


def _some(sources: list[Source], n: int, seed: int) -> list[Source]:
    """At most n of them, drawn by the seed, in the order of the set."""
    import numpy as np

    return [sources[i] for i in sorted(np.random.default_rng(seed).permutation(len(sources))[:n].tolist())]


def _names(item: labels.Anything) -> list[str]:
    """The class of each outline; texts have one in common, and none where they are ignored."""
    if isinstance(item, Labelled):
        return [box.label for box in item.boxes]
    return ["" if region.ignore else "text" for region in item.regions] if isinstance(item, TextPage) else []


def _shown(item: Labelled | TextPage | TextLine | Classified, known: list[str]) -> "Shown":
    from datatools.report.draws import Shown

    ignored = isinstance(item, TextPage)
    numbers = [-1 if ignored and not name else known.index(name) for name in _names(item)]
    return Shown(item.pixels, labels.outlines_of(item), numbers)
