"""The page of `datatools voc stats --html`."""

from collections.abc import Iterator, Sequence

from datatools.core.census import Census, Distribution, numbers, quoted
from datatools.core.result import Table
from datatools.report import page, svg

BAR_CLASSES = 40
"""So many classes are drawn as bars; the table beside holds all."""
MATRIX_CLASSES = 20
"""So many classes are drawn in the co-occurrence matrix."""


def html(
    census: Census, name: str, subtitle: str, hints: Sequence[str], failures: Sequence[str], notes: Sequence[str] = ()
) -> bytes:
    """Draw a census as one page.

    name, subtitle: what the page is about. hints: lines for the reader. failures: what could not be read.
    notes: further facts for the last section.
    """
    return page.page(f"Statistics of {name}", subtitle, _parts(census, hints, failures, notes))


def _parts(census: Census, hints: Sequence[str], failures: Sequence[str], notes: Sequence[str]) -> Iterator[str]:
    yield _totals(census, len(failures))
    if not census.boxes:
        yield page.section("Boxes", page.paragraph("There is no box in this set: nothing to draw."))
    if hints:
        yield page.section("Worth a look", page.hints(hints))
    if census.classes:
        yield page.section("Classes", page.charts(class_bars(census)), page.table(class_table(census)))
    if census.splits:
        yield page.section("Splits", page.table(split_table(census)))
    if census.width.count:
        yield page.section("Box sizes", page.charts(*_size_charts(census)), page.table(size_table(census)))
    if census.images:
        yield page.section("Images", page.charts(*_image_charts(census)))
    if census.boxes:
        yield page.section("Where boxes lie, and what occurs together", page.charts(*_maps(census)))
    closing = [page.problems(failures)] if failures else [page.paragraph("Every annotation could be read.")]
    yield page.section("Problems", *closing, *map(page.paragraph, notes))


def class_table(census: Census) -> Table:
    """Classes by their number of boxes: boxes of every split, and what is there of flags and sizes."""
    ordered = sorted(census.classes, key=lambda c: -c.boxes)
    flags = [f for f in ("difficult", "truncated", "occluded") if getattr(census, f)]
    columns: dict[str, list[object]] = {
        "class": [quoted(c.name) for c in ordered],
        "boxes": [c.boxes for c in ordered],
        "share %": [100 * c.boxes / max(census.boxes, 1) for c in ordered],
        "images": [c.images for c in ordered],
        **{s.name: [c.splits[s.name].boxes for c in ordered] for s in census.splits},
        **{f: [getattr(c, f) for c in ordered] for f in (*flags, "small", "medium", "large")},
        "median w": [c.median_width for c in ordered],
        "median h": [c.median_height for c in ordered],
    }
    return Table(tuple(columns), tuple(zip(*columns.values(), strict=True)), digits=1)


def split_table(census: Census) -> Table:
    """One row a split."""
    header = ("split", "images", "without a box", "boxes", "boxes an image", "difficult", "truncated")
    rows = tuple(
        (s.name, s.images, s.empty, s.boxes, s.boxes / s.images if s.images else 0.0, s.difficult, s.truncated)
        for s in census.splits
    )
    return Table(header, rows, digits=2)


def size_table(census: Census) -> Table:
    """One row a measure: quantiles."""
    measures = (
        ("width, px", census.width),
        ("height, px", census.height),
        ("area, px²", census.area),
        ("width / height", census.aspect_ratio),
        ("share of the image, %", census.image_share),
        ("boxes an image", census.boxes_per_image),
    )
    rows = tuple(
        (name, *(_brief(v * 100 if name.endswith("%") else v) for v in numbers(d))) for name, d in measures if d.count
    )
    return Table(("", "min", "5 %", "median", "mean", "95 %", "max"), rows, digits=2)


def class_bars(census: Census) -> str:
    """Boxes of each class, stacked by split."""
    drawn = sorted(census.classes, key=lambda c: -c.boxes)[:BAR_CLASSES]
    if census.splits:
        series = {s.name: [c.splits[s.name].boxes for c in drawn] for s in census.splits}
    else:
        series = {"": [c.boxes for c in drawn]}
    more = len(census.classes) - len(drawn)
    title = "Boxes a class" + (f" (the {len(drawn)} commonest; {more} more in the table)" if more else "")
    return svg.bars([quoted(c.name) for c in drawn], series, title=title, label="boxes", width=1040)


def _brief(value: float) -> float:
    """Whole numbers where decimals say nothing."""
    return round(value) if abs(value) >= 100 or value == int(value) else value


def _totals(census: Census, failures: int) -> str:
    sized = census.small + census.medium + census.large
    share = f"{census.small / sized:.0%}" if sized else "n/a"
    splits = f"{len(census.splits)} splits" if census.splits else "no split"
    mean = svg.number(round(census.boxes_per_image.mean, 1)) if census.images else "n/a"
    most = svg.number(census.boxes_per_image.maximum) if census.images else "n/a"
    return page.cards(
        (
            ("Images", svg.number(census.images), f"{census.empty:,} without a box"),
            ("Boxes", svg.number(census.boxes), _flags(census)),
            ("Classes", svg.number(len(census.classes)), splits),
            ("Boxes an image", mean, f"at most {most}"),
            ("Small boxes", share, "below 32 x 32 px"),
            ("Unreadable", svg.number(failures), "listed at the end" if failures else "nothing was left out"),
        )
    )


def _flags(census: Census) -> str:
    counted = (f"{getattr(census, f):,} {f}" for f in ("difficult", "truncated", "occluded") if getattr(census, f))
    return ", ".join(counted) or "none difficult or truncated"


def _size_charts(census: Census) -> Iterator[str]:
    def chart(d: Distribution, title: str, label: str, rules: Sequence[tuple[float, str]] = ()) -> str:
        return svg.histogram(d.edges, d.counts, title=title, label=label, log=True, rules=rules)

    yield chart(census.width, "Width", "px, log scale")
    yield chart(census.height, "Height", "px, log scale")
    bands = (32.0**2, "32²"), (96.0**2, "96²")
    yield chart(census.area, "Area", "px², log scale", bands)
    yield chart(census.aspect_ratio, "Aspect ratio", "width / height, log scale", [(1.0, "square")])
    if census.image_share.count:
        yield chart(census.image_share, "Share of the image", "box area / image area, log scale")
    yield svg.bars(
        ["small", "medium", "large"],
        {"": [census.small, census.medium, census.large]},
        title="COCO sizes (limits 32 x 32 and 96 x 96 px)",
        label="boxes",
        width=480,
    )


def _image_charts(census: Census) -> Iterator[str]:
    d = census.boxes_per_image
    yield svg.histogram(d.edges, d.counts, title="Boxes an image", label="boxes", whole=True)
    shown = census.image_sizes[:8]
    labels = [f"{s.width} x {s.height}" for s in shown]
    images = [float(s.images) for s in shown]
    if rest := census.image_sizes[8:]:
        labels.append(f"{len(rest):,} other sizes")
        images.append(sum(s.images for s in rest))
    if census.unknown_sizes:
        labels.append("unknown")
        images.append(census.unknown_sizes)
    yield svg.bars(labels, {"": images}, title="Image sizes, px", label="images", width=480)


def _maps(census: Census) -> Iterator[str]:
    if any(map(any, census.position_map)):
        title = "Where the centres of boxes lie in the image"
        common = census.image_sizes[0]
        cell_h = min(max(48 * common.height / common.width, 16), 96)
        yield svg.heat_map(census.position_map, title=title, texts=False, linear=True, cell=(48, cell_h))
    both = census.co_occurrence
    if len(both.classes) > 1:
        kept = sorted(sorted(range(len(both.classes)), key=lambda i: -both.images[i][i])[:MATRIX_CLASSES])
        names = [quoted(both.classes[i]) for i in kept]
        values = [[both.images[i][j] for j in kept] for i in kept]
        more = len(census.classes) - len(kept)
        title = "Images that hold both" + (f" (the {len(kept)} commonest classes)" if more else "")
        yield svg.heat_map(values, title=title, rows=names, columns=names, cell=(46, 28))
