"""The counts of a text set as tables, and the page of `datatools ocr stats --html`."""

from collections.abc import Iterator, Sequence

from datatools.core.census import Distribution, numbers
from datatools.core.characters import kinds
from datatools.core.errors import escape
from datatools.core.result import Table
from datatools.core.text_census import LINE_HEIGHT, LINE_WIDTH, MAX_LENGTH, MIN_TEXT_HEIGHT, TextCensus
from datatools.report import page, svg

BAR_CHARACTERS = 60
"""So many characters are drawn as bars; the table holds all."""


def tables(census: TextCensus) -> Iterator[Table]:
    """Splits, sizes, kinds of characters, the commonest texts; those of which there is something."""
    if len(census.splits) > 1 or any(split.name for split in census.splits):
        header = ("split", "pages", "regions", "ignored", "lines", "directions", "not in train")
        rows = (
            (s.name or "none", s.pages, s.regions, s.ignored, s.lines, s.directions, s.strange) for s in census.splits
        )
        yield Table(header, tuple(rows), title="splits")
    if sizes := tuple(_sizes(census)):
        yield Table(("", "min", "5 %", "median", "mean", "95 %", "max"), sizes, title="sizes", digits=2)
    if census.characters:
        yield kind_table(census)
    if census.commonest and census.commonest[0][1] > 1:
        often = ((escape(text), count, 100 * count / census.texts) for text, count in census.commonest if count > 1)
        yield Table(
            ("text", "count", "share %"), tuple(often), title=f"commonest of {census.distinct:,} texts", digits=1
        )


def kind_table(census: TextCensus) -> Table:
    """Characters by what they are."""
    rows = [
        (kind, len(members), sum(census.characters[c] for c in members), escape("".join(sorted(members)[:24])))
        for kind, members in kinds(census.characters).items()
    ]
    rows.sort(key=lambda row: -row[2])
    return Table(("kind", "characters", "occurrences", "such as"), tuple(rows), title="characters")


def _sizes(census: TextCensus) -> Iterator[tuple[object, ...]]:
    measures = (
        ("characters a text", census.text_length),
        ("regions a page", census.regions_per_page),
        ("region width, px", census.region_width),
        ("region height, px", census.region_height),
        ("region width / height", census.region_ratio),
        ("line width, px", census.line_width),
        ("line height, px", census.line_height),
        ("line width / height", census.line_ratio),
    )
    for name, d in measures:
        if d.count:
            yield name, *(round(v) if abs(v) >= 100 or v == int(v) else v for v in numbers(d))


def html(census: TextCensus, name: str, subtitle: str, failures: Sequence[str]) -> bytes:
    """Draw a census as one page. name, subtitle: what it is about. failures: what could not be read."""
    return page.page(f"Statistics of {name}", subtitle, _parts(census, failures))


def _parts(census: TextCensus, failures: Sequence[str]) -> Iterator[str]:
    yield page.cards(
        (
            ("Pages", svg.number(census.pages), f"{census.empty:,} without a region"),
            ("Regions", svg.number(census.regions), f"{census.ignored:,} more are ignored"),
            ("Lines", svg.number(census.lines), f"{census.directions:,} directions"),
            ("Texts", svg.number(census.texts), f"{census.distinct:,} different"),
            ("Characters", svg.number(len(census.characters)), "different ones"),
            ("Unreadable", svg.number(len(failures)), "listed at the end" if failures else "nothing was left out"),
        )
    )
    if hints := list(census.hints()):
        yield page.section("Worth a look", page.hints(hints))
    for table in tables(census):
        title = table.title[0].upper() + table.title[1:]
        figures = {"sizes": list(_charts(census)), "characters": [_bars(census)]}.get(table.title, [])
        yield page.section(title, page.charts(*figures), page.table(Table(table.header, table.rows, "", table.digits)))
    closing = page.problems(failures) if failures else page.paragraph("Every line and image could be read.")
    yield page.section("Problems", closing)


def _charts(census: TextCensus) -> Iterator[str]:
    def chart(d: Distribution, title: str, label: str, rules: Sequence[tuple[float, str]] = ()) -> Iterator[str]:
        if d.count:
            yield svg.histogram(d.edges, d.counts, title=title, label=label, log=True, rules=rules)

    if census.text_length.count:
        d, limit = census.text_length, [(float(MAX_LENGTH), "max_text_length")]
        yield svg.histogram(d.edges, d.counts, title="Length of texts", label="characters", whole=True, rules=limit)
    if census.regions_per_page.count:
        d = census.regions_per_page
        yield svg.histogram(d.edges, d.counts, title="Regions a page", label="regions", whole=True)
    low = [(MIN_TEXT_HEIGHT, "min_text_size")]
    yield from chart(census.region_height, "Height of regions", "px, log scale", low)
    yield from chart(census.region_ratio, "Shape of regions", "width / height, log scale", [(1.0, "square")])
    yield from chart(census.line_height, "Height of lines", "px, log scale")
    widest = [(LINE_WIDTH / LINE_HEIGHT, "squeezed from here")]
    yield from chart(census.line_ratio, "Shape of lines", "width / height, log scale", widest)


def _bars(census: TextCensus) -> str:
    drawn = list(census.characters.items())[:BAR_CHARACTERS]
    more = len(census.characters) - len(drawn)
    title = "Occurrences a character" + (f" (the {len(drawn)} commonest; {more} more)" if more else "")
    names = ["blank" if c == " " else escape(c) for c, _ in drawn]
    return svg.bars(names, {"": [float(n) for _, n in drawn]}, title=title, label="occurrences", width=1040)
