"""Counting a text set."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from datatools.core.census import SizeCount
from datatools.core.text_census import LINE_HEIGHT, LINE_WIDTH, MAX_LENGTH, MIN_TEXT_HEIGHT, TextCensus, TextSplit
from datatools.core.textset import SPLITS, TextSet
from datatools.ops.ocr.outlines import sides_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TALL = 1.5
COMMONEST = 20

Size = tuple[int, int]


def count(found: TextSet, sizes: Mapping[str, Size]) -> TextCensus:
    """Count everything. sizes: width and height of images, by their paths; those that nobody knows are absent."""
    import numpy as np

    from datatools.kernels.counts import distribution

    texts = list(found.texts())
    repeated = Counter(texts)
    characters = Counter("".join(texts))
    region_wh = _region_sides(found)
    known = [sizes[line.image] for line in found.lines if line.image in sizes]
    line_wh = np.array(known, np.float64).reshape(-1, 2)
    sound = region_wh[(region_wh > 0).all(axis=1)]
    per_page = np.array([len(page.record.regions) for page in found.pages], np.float64)
    by_split = {split: _characters(found, split) for split in SPLITS}
    strange = Counter[str]()
    for split in ("val", "test"):
        if by_split["train"]:
            strange.update({c: n for c, n in by_split[split].items() if c not in by_split["train"]})
    regions = [region for page in found.pages for region in page.record.regions]
    return TextCensus(
        pages=len(found.pages),
        empty=int((per_page == 0).sum()),
        regions=sum(not region.ignore for region in regions),
        ignored=sum(region.ignore for region in regions),
        lines=len(found.lines),
        directions=len(found.directions),
        texts=len(texts),
        distinct=len(repeated),
        long=sum(len(text) > MAX_LENGTH for text in texts),
        low=int((region_wh[:, 1] < MIN_TEXT_HEIGHT).sum()),
        tall=int((sound[:, 1] >= TALL * sound[:, 0]).sum() + (line_wh[:, 1] >= TALL * line_wh[:, 0]).sum()),
        squeezed=int((line_wh[:, 0] * LINE_HEIGHT > LINE_WIDTH * line_wh[:, 1]).sum()),
        corners=dict(sorted(Counter(len(region.points) for region in regions).items())),
        degrees=dict(sorted(Counter(line.record.text for line in found.directions).items())),
        characters=_ordered(characters),
        commonest=tuple(sorted(repeated.items(), key=lambda item: (-item[1], item[0]))[:COMMONEST]),
        strange=_ordered(strange),
        splits=tuple(_split(found, split, by_split) for split in found.splits),
        text_length=distribution(np.array([len(text) for text in texts], np.float64), whole=True),
        regions_per_page=distribution(per_page, whole=True),
        region_width=distribution(sound[:, 0], log=True),
        region_height=distribution(sound[:, 1], log=True),
        region_ratio=distribution(sound[:, 0] / sound[:, 1], log=True),
        line_width=distribution(line_wh[:, 0], log=True),
        line_height=distribution(line_wh[:, 1], log=True),
        line_ratio=distribution(line_wh[:, 0] / line_wh[:, 1], log=True),
        page_sizes=_sizes([sizes[page.image] for page in found.pages if page.image in sizes]),
    )


def _ordered(counted: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _region_sides(found: TextSet) -> "NDArray[np.float64]":
    """Width and height, (n, 2), of the regions that are not ignored."""
    import numpy as np

    by_corners: dict[int, list[tuple[tuple[float, float], ...]]] = defaultdict(list)
    for page in found.pages:
        for region in page.record.regions:
            if not region.ignore:
                by_corners[len(region.points)].append(region.points)
    measured = [sides_of(np.array(points)) for _, points in sorted(by_corners.items())]
    return np.concatenate([np.zeros((0, 2)), *measured])


def _characters(found: TextSet, split: str) -> Counter[str]:
    texts = [r.text for page in found.pages if page.split == split for r in page.record.regions if not r.ignore]
    texts += [line.record.text for line in found.lines if line.split == split]
    return Counter("".join(texts))


def _split(found: TextSet, name: str, by_split: Mapping[str, Counter[str]]) -> TextSplit:
    regions = [region for page in found.pages if page.split == name for region in page.record.regions]
    train, own = by_split["train"], by_split.get(name, Counter())
    return TextSplit(
        name=name,
        pages=sum(page.split == name for page in found.pages),
        regions=sum(not region.ignore for region in regions),
        ignored=sum(region.ignore for region in regions),
        lines=sum(line.split == name for line in found.lines),
        directions=sum(direction.split == name for direction in found.directions),
        strange=len(own.keys() - train.keys()) if train else 0,
    )


def _sizes(sizes: Sequence[Size]) -> tuple[SizeCount, ...]:
    """Commonest first; of equals, the smallest."""
    often = sorted(Counter(sizes).items(), key=lambda item: (-item[1], item[0]))
    return tuple(SizeCount(width, height, images) for (width, height), images in often)
