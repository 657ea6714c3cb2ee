"""Charts of anchors: the boxes they were made for, and what a further anchor brings."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from datatools.report import svg

Floats = NDArray[np.float64]


def clusters_svg(wh: Floats, label: NDArray[np.integer], anchors: Floats, *, title: str, unit: str = "px") -> bytes:
    """Draw box sizes coloured by their anchor, and the anchors as crosses, on logarithmic axes, as an SVG file.

    wh: (M, 2) sizes to draw, one dot each; label: (M,) the index of each one's anchor; anchors: (k, 2).
    Beyond a dozen anchors colours repeat, and the legend is left out.
    """
    x = svg.Axis.over([*wh[:, 0], *anchors[:, 0]], f"width, {unit}", log=True)
    y = svg.Axis.over([*wh[:, 1], *anchors[:, 1]], f"height, {unit}", log=True)
    named = len(anchors) <= len(svg.PALETTE)
    opacity = 0.75 if len(wh) <= 500 else 0.5
    dots = [
        svg.Points(
            [(a, b) for a, b in wh[label == j].tolist()],
            name=f"{w:.0f} x {h:.0f}" if named else "",
            colour=j,
            radius=3.0 if len(wh) <= 500 else 2.0,
            opacity=opacity,
        )
        for j, (w, h) in enumerate(anchors.tolist())
    ]
    crosses = [svg.Points([(w, h)], name="", colour=j, cross=True) for j, (w, h) in enumerate(anchors.tolist())]
    return svg.document(svg.plot([*dots, *crosses], x, y, title=title, width=720, height=560))


def elbow_svg(ks: Sequence[int], avg_iou: Sequence[float], bpr: Sequence[float], *, title: str) -> bytes:
    """Draw the average IoU and the best possible recall over the number of anchors, as an SVG file."""
    x = svg.Axis.over([float(k) for k in ks], "anchors (k)")
    y = svg.Axis.over([*avg_iou, *bpr, 1.0], "share")
    lines = [
        svg.Line([(float(k), v) for k, v in zip(ks, values, strict=True)], name=name, colour=colour)
        for values, name, colour in ((avg_iou, "average IoU", 0), (bpr, "best possible recall (thr 4)", 1))
    ]
    return svg.document(svg.plot(lines, x, y, title=title, width=720, height=420))
