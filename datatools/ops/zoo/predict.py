"""`datatools zoo predict`: what a trained network says about pictures that nobody has labelled."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Dataset, Run
from datatools.ops.zoo import choices

SHOWN = 20
"""So many pictures are named on a terminal; the file and JSON have all."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The first choices for one picture, as (class, probability), the most probable first."""

    picture: str
    choices: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Predictions(Result):
    """What the network said. counts: pictures of each class, the commonest first. written: the files that were made."""

    src: Path
    checkpoint: Path
    model: str
    predictions: tuple[Prediction, ...]
    counts: dict[str, int]
    failures: tuple[DataError, ...]
    written: tuple[Path, ...] = ()

    @property
    def problems(self) -> int:
        """How many pictures could not be read."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """The first pictures, then how many each class has."""
        yield from map(str, self.failures)
        shown = self.predictions[:SHOWN]
        said = (", ".join(f"{escape(name)} {p:.3f}" for name, p in one.choices) for one in shown)
        yield Table(("picture", "class"), tuple((escape(o.picture), s) for o, s in zip(shown, said, strict=True)))
        if len(self.predictions) > SHOWN:
            yield f"... and {len(self.predictions) - SHOWN:,} more (-o FILE.csv has all)"
        counted = ", ".join(f"{escape(name)} {count:,}" for name, count in self.counts.items())
        yield f"{len(self.predictions):,} pictures: {counted}"
        yield from (f"wrote {escape(path)}" for path in self.written)


@op("zoo.predict", version=1)
def predict(
    src: Dataset,
    *,
    checkpoint: choices.Checkpoint,
    out: Annotated[
        Path | None, Param("write all as .csv or .json", flags=("-o", "--out"), metavar="FILE", writes="file")
    ] = None,
    plot: Annotated[Path | None, Param("draw pictures with their classes", metavar="SHEET.jpg", writes="file")] = None,
    n: Annotated[int, Param("pictures on the sheet, spread over all", flags=("-n",), ge=1, le=400)] = 24,
    top: Annotated[int, Param("choices for each picture", ge=1, le=1000, metavar="K")] = 1,
    device: choices.DeviceName = "auto",
    run: Run = SERIAL,
) -> Predictions:
    """Say the class of every picture below a folder, or of one picture.

    Pictures are scaled to the size that the network was trained with. A .json file holds a list of objects with
    `picture` and `choices`, a .csv file a row a picture.
    """
    choices.require()
    from datatools.io import atomic
    from datatools.io.classified import opening
    from datatools.ops.zoo import pictures as sheets
    from datatools.zoo import classifier, devices, pictures

    if out is not None and out.suffix.lower() not in (".csv", ".json"):
        raise UsageError(f"{escape(out)}: the name must end in .csv or .json")
    encode = sheets.encoder(plot) if plot else None
    network = classifier.read(checkpoint, devices.choose(device))
    loaded = pictures.load(opening.open_pictures(src).examples, network.size_wh, run)
    p = network.probabilities(loaded.rgb)
    order = (-p).argsort(axis=1, kind="stable")[:, :top].tolist()
    made = tuple(
        Prediction(example.key, tuple((network.classes[i], float(row[i])) for i in best))
        for example, row, best in zip(loaded.examples, p, order, strict=True)
    )
    counts = Counter(one.choices[0][0] for one in made)
    written = []
    if out is not None:
        atomic.write_bytes(out, _json(made) if out.suffix.lower() == ".json" else _csv(made))
        written.append(out)
    if plot is not None and encode is not None and made:
        rows = _spread(len(made), n)
        remarks = [f"{name} {p:.2f}" for name, p in (made[i].choices[0] for i in rows)]
        title = f"{len(rows)} of {len(made)} pictures"
        drawn = sheets.sheet([loaded.examples[i] for i in rows], remarks, title, run)
        atomic.write_bytes(plot, encode(drawn))
        written.append(plot)
    return Predictions(
        src=src,
        checkpoint=checkpoint,
        model=network.name,
        predictions=made,
        counts=dict(sorted(counts.items(), key=lambda c: (-c[1], c[0]))),
        failures=loaded.failures,
        written=tuple(written),
    )


def _spread(count: int, n: int) -> list[int]:
    """At most n places, evenly spread."""
    shown = min(count, n)
    return [i * count // shown for i in range(shown)]


def _csv(made: tuple[Prediction, ...]) -> bytes:
    from datatools.io import tables

    most = max((len(one.choices) for one in made), default=1)
    header = [
        "picture",
        *(f"{word}{'' if i == 1 else i}" for i in range(1, most + 1) for word in ("class", "probability")),
    ]
    return tables.csv_bytes(header, ([one.picture, *(v for c in one.choices for v in c)] for one in made))


def _json(made: tuple[Prediction, ...]) -> bytes:
    from datatools.core.result import plain

    rows = [{"picture": one.picture, "choices": plain(one.choices)} for one in made]
    return (json.dumps(plain(rows), ensure_ascii=False, indent=1) + "\n").encode()
