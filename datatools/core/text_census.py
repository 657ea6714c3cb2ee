"""What is counted in a text set: plain numbers, for JSON, tables and pages alike."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from datatools.core.census import Distribution, SizeCount, count_of
from datatools.core.errors import escape

MAX_LENGTH = 25
"""PaddleOCR's max_text_length, unless configured: longer texts are passed over in training."""
MIN_TEXT_HEIGHT = 8.0
"""Lower regions are left out of the loss by DB's shrink maps (min_text_size)."""
LINE_HEIGHT, LINE_WIDTH = 48, 320
"""What recognition scales lines to; wider ones are squeezed."""


@dataclass(frozen=True, slots=True)
class TextSplit:
    """One split. strange: different characters of its texts that train has not; 0 for train itself."""

    name: str
    pages: int
    regions: int
    ignored: int
    lines: int
    directions: int
    strange: int


@dataclass(frozen=True)
class TextCensus:
    """Everything that is counted in a text set.

    pages, lines, directions: images of each task. empty: pages without a region. regions: those that are read;
    ignored: those that are not. corners: of outlines -> regions. texts, distinct: of regions and lines together.
    long: texts of more than MAX_LENGTH characters. low: regions lower than MIN_TEXT_HEIGHT px. tall: regions and lines
    at least 1.5 times as high as wide. squeezed: lines that are wider than LINE_WIDTH px when LINE_HEIGHT px high.
    characters: each with how often it occurs, commonest first. commonest: texts, with how often. degrees: directions.
    strange: characters of val and test that train has not -> how often.
    """

    pages: int = 0
    empty: int = 0
    regions: int = 0
    ignored: int = 0
    lines: int = 0
    directions: int = 0
    texts: int = 0
    distinct: int = 0
    long: int = 0
    low: int = 0
    tall: int = 0
    squeezed: int = 0
    corners: Mapping[int, int] = field(default_factory=dict)
    degrees: Mapping[str, int] = field(default_factory=dict)
    characters: Mapping[str, int] = field(default_factory=dict)
    commonest: tuple[tuple[str, int], ...] = ()
    strange: Mapping[str, int] = field(default_factory=dict)
    splits: tuple[TextSplit, ...] = ()
    text_length: Distribution = field(default=Distribution())
    regions_per_page: Distribution = field(default=Distribution())
    region_width: Distribution = field(default=Distribution())
    region_height: Distribution = field(default=Distribution())
    region_ratio: Distribution = field(default=Distribution())
    line_width: Distribution = field(default=Distribution())
    line_height: Distribution = field(default=Distribution())
    line_ratio: Distribution = field(default=Distribution())
    page_sizes: tuple[SizeCount, ...] = ()

    def hints(self) -> Iterator[str]:
        """Say in a line each what usually costs accuracy, with what to do about it."""
        if self.ignored > self.regions:
            yield f"{self.ignored / (self.ignored + self.regions):.0%} of the regions are ignored: little to learn from"
        if self.low:
            yield (
                f"{count_of(self.low, 'region')} lower than {MIN_TEXT_HEIGHT:g} px: detectors leave them out of the "
                "loss; larger images would help"
            )
        if self.long:
            yield (
                f"{count_of(self.long, 'text')} longer than {MAX_LENGTH} characters: passed over unless "
                "`max_text_length` is raised"
            )
        if self.squeezed:
            yield (
                f"{count_of(self.squeezed, 'line')} wider than {LINE_WIDTH} px when {LINE_HEIGHT} px high: squeezed "
                "unless `image_shape` is widened"
            )
        if self.strange:
            shown = "".join(list(self.strange)[:24])
            yield (
                f"{count_of(len(self.strange), 'character')} of val and test that train never shows: {escape(shown)}: "
                "`datatools ocr split` deals anew, or add texts that have them"
            )
        if self.commonest and self.commonest[0][1] > max(0.1 * self.texts, 10):
            text, count = self.commonest[0]
            yield f"{count / self.texts:.0%} of the texts are {escape(text)!r}: the network may learn the text by heart"
        if self.degrees and max(self.degrees.values()) > 2 * min(self.degrees.values()):
            told = ", ".join(f"{count:,} at {degrees}" for degrees, count in self.degrees.items())
            yield f"directions are not balanced: {told}"
