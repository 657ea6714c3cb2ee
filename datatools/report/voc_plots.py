"""The PNG plots of `datatools voc stats --png`; they need matplotlib."""

import io
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from datatools.core.census import Census, Distribution
from datatools.core.errors import MissingExtra, escape
from datatools.report.scale import Axis, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 120
CLASSES = 40
"""So many classes are drawn, the commonest."""


def require() -> None:
    """Raise MissingExtra unless matplotlib can be imported."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise MissingExtra("PNG plots", "plot") from None


def pngs(census: Census) -> dict[str, bytes]:
    """Draw a census as PNG files: name -> bytes, the same for the same census and matplotlib.

    classes.png, box_sizes.png, boxes_per_image.png, image_sizes.png, positions.png and co_occurrence.png; those for
    which there is nothing to draw are absent. Raises MissingExtra without matplotlib.
    """
    require()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # names in scripts that the font lacks
        return {name: _bytes(figure) for name, figure in _figures(census)}


def _figures(census: Census) -> Iterator[tuple[str, "Figure"]]:
    if census.classes:
        yield "classes.png", _classes(census)
    if census.width.count:
        yield "box_sizes.png", _box_sizes(census)
    if census.images:
        yield "boxes_per_image.png", _boxes_per_image(census)
    if census.image_sizes:
        yield "image_sizes.png", _image_sizes(census)
    if any(map(any, census.position_map)):
        yield "positions.png", _positions(census)
    if len(census.co_occurrence.classes) > 1:
        yield "co_occurrence.png", _co_occurrence(census)


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure  # without pyplot: no global state, no display

    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")


def _bytes(figure: "Figure") -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _label(text: str) -> str:
    text = escape(text)
    return text if len(text) <= 28 else text[:27] + "…"


def _classes(census: Census) -> "Figure":
    drawn = sorted(census.classes, key=lambda c: -c.boxes)[:CLASSES]
    figure = _figure(9, 1.2 + 0.3 * len(drawn))
    axes = figure.subplots()
    places = range(len(drawn))
    left = [0] * len(drawn)
    for split in [s.name for s in census.splits] or [""]:
        boxes = [c.splits[split].boxes if split else c.boxes for c in drawn]
        axes.barh(places, boxes, left=left, label=split or None)
        left = [a + b for a, b in zip(left, boxes, strict=True)]
    axes.set_yticks(places, [_label(c.name) for c in drawn], parse_math=False)
    axes.invert_yaxis()
    axes.set_xlabel("boxes")
    axes.set_title("Boxes a class")
    if census.splits:
        axes.legend(frameon=False)
    return figure


def _box_sizes(census: Census) -> "Figure":
    figure = _figure(10, 7)
    ((a, b), (c, d)) = figure.subplots(2, 2)
    _histogram(a, census.width, "Width", "px")
    _histogram(b, census.height, "Height", "px")
    _histogram(c, census.area, "Area", "px², lines: COCO's limits 32² and 96²", (32.0**2, 96.0**2))
    _histogram(d, census.aspect_ratio, "Aspect ratio", "width / height", (1.0,))
    return figure


def _histogram(axes: "Axes", values: Distribution, title: str, label: str, rules: tuple[float, ...] = ()) -> None:
    axes.stairs(values.counts, values.edges, fill=True)
    axes.set_xscale("log")
    ticks = Axis("", values.edges[0], values.edges[-1], log=True).ticks()
    axes.set_xticks(ticks, [number(t) for t in ticks])
    axes.set_xticks([], minor=True)
    for rule in rules:
        if values.edges[0] <= rule <= values.edges[-1]:
            axes.axvline(rule, color="0.4", linestyle="--", linewidth=1)
    axes.set_title(title)
    axes.set_xlabel(label)
    axes.set_ylabel("boxes")


def _boxes_per_image(census: Census) -> "Figure":
    figure = _figure(7, 4)
    axes = figure.subplots()
    axes.stairs(census.boxes_per_image.counts, census.boxes_per_image.edges, fill=True)
    axes.set_title("Boxes an image")
    axes.set_xlabel("boxes")
    axes.set_ylabel("images")
    return figure


def _image_sizes(census: Census) -> "Figure":
    figure = _figure(6, 5)
    axes = figure.subplots()
    most = census.image_sizes[0].images
    axes.scatter(
        [s.width for s in census.image_sizes],
        [s.height for s in census.image_sizes],
        s=[20 + 280 * s.images / most for s in census.image_sizes],
        alpha=0.6,
    )
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_title("Image sizes (the larger the dot, the more images)")
    axes.set_xlabel("width, px")
    axes.set_ylabel("height, px")
    return figure


def _positions(census: Census) -> "Figure":
    figure = _figure(6, 5)
    axes = figure.subplots()
    shown = axes.imshow(census.position_map, extent=(0, 1, 1, 0), cmap="Blues", vmin=0, aspect=0.75)
    figure.colorbar(shown, label="boxes")
    axes.set_title("Centres of boxes")
    axes.set_xlabel("x / image width")
    axes.set_ylabel("y / image height")
    return figure


def _co_occurrence(census: Census) -> "Figure":
    both = census.co_occurrence
    kept = sorted(sorted(range(len(both.classes)), key=lambda i: -both.images[i][i])[:CLASSES])
    names = [_label(both.classes[i]) for i in kept]
    side = 3 + 0.35 * len(kept)
    figure = _figure(side + 1, side)
    axes = figure.subplots()
    shown = axes.imshow([[both.images[i][j] for j in kept] for i in kept], cmap="Blues", vmin=0)
    figure.colorbar(shown, label="images")
    axes.set_xticks(range(len(kept)), names, rotation=45, ha="right", parse_math=False)
    axes.set_yticks(range(len(kept)), names, parse_math=False)
    axes.set_title("Images that hold both classes")
    return figure
