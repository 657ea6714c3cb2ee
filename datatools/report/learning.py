"""Charts of training: curves over the epochs, confusion of classes, two sets compared run by run."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from datatools.report import svg

DRAWN_CLASSES = 40
"""So many classes are drawn in a confusion matrix, those that are confused the most; the table has all."""


def curves_svg(curves: Mapping[str, Sequence[float]], *, title: str, label: str) -> bytes:
    """Draw values over the epochs, one line a name, as an SVG file. Values that are not finite are left out."""
    lines = [
        svg.Line([(float(i), v) for i, v in enumerate(values, 1) if np.isfinite(v)], name=name, colour=colour)
        for colour, (name, values) in enumerate(curves.items())
    ]
    drawn = [y for line in lines for _, y in line.xy]
    last = max((x for line in lines for x, _ in line.xy), default=1.0)
    x = svg.Axis("epoch", min(1.0, last - 1), last)
    y = svg.Axis.over([*drawn, 0.0], label)
    return svg.document(svg.plot(lines, x, y, title=title, width=720, height=360))


def confusion_svg(confusion: NDArray[np.integer], classes: Sequence[str], *, title: str) -> bytes:
    """Draw how often each class (row) was taken for each (column), as an SVG file. confusion: (C, C) counts."""
    wrong = confusion.sum(axis=0) + confusion.sum(axis=1) - 2 * np.diagonal(confusion)
    kept = np.sort(np.argsort(-wrong, kind="stable")[:DRAWN_CLASSES])
    names = [classes[i] for i in kept.tolist()]
    values = confusion[np.ix_(kept, kept)].tolist()
    more = f" (the {len(kept)} of {len(classes)} classes that are confused most)" if len(kept) < len(classes) else ""
    return svg.document(svg.heat_map(values, title=title + more, rows=names, columns=names))


def differences_svg(
    differences: Sequence[float], mean: float, interval: tuple[float, float], *, title: str, label: str
) -> bytes:
    """Draw the difference that each run found, the mean with its interval below them, as an SVG file.

    differences: one a run. The line at 0 is where there is none.
    """
    runs = len(differences)
    marks: list[svg.Points | svg.Line] = [
        svg.Line([(0.0, -0.5), (0.0, runs + 0.5)], name="no difference", colour=11),
        svg.Points([(d, float(i)) for i, d in enumerate(differences, 1)], name="a run", radius=5, opacity=1),
        svg.Line([(interval[0], 0.0), (interval[1], 0.0)], name="mean with its 95 % interval", colour=1),
        svg.Points([(mean, 0.0)], colour=1, cross=True),
    ]
    x = svg.Axis.over([*differences, *interval, 0.0], label)
    y = svg.Axis("run (0: all)", -0.5, runs + 0.5)
    return svg.document(svg.plot(marks, x, y, title=title, width=640, height=140 + 40 * min(runs + 1, 12)))
