"""Count a detection set that is held in columns."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from datatools.core.census import Census, ClassCount, CoOccurrence, SizeCount, SplitCount, Tally
from datatools.kernels import counts

Bools = npt.NDArray[np.bool_]

CO_OCCURRENCE_CLASSES = 100
"""Co-occurrence is counted for this many classes at most, those in the most images."""


def take(
    classes: Sequence[str],
    size_wh: counts.Floats,
    box_item: counts.Ints,
    box_class: counts.Ints,
    xyxy: counts.Floats,
    *,
    difficult: Bools,
    truncated: Bools,
    occluded: Bools,
    splits: Mapping[str, Bools],
) -> Census:
    """Count everything.

    size_wh: (n, 2) pixels of the images; NaN or not above 0 where unknown. box_item: (m,) which image, box_class: (m,)
    which class. xyxy: (m, 4) pixels, right and bottom exclusive. splits: name -> (n,) whether the image is in it; an
    image may be in several or none.
    """
    n_images, n_classes = len(size_wh), len(classes)
    box_wh = xyxy[:, 2:] - xyxy[:, :2]
    sound = _usable(box_wh) & _usable(np.abs(xyxy) + 1)
    area = box_wh[sound].prod(1)
    known = _usable(size_wh)
    placed: Bools = sound & known[box_item]
    item_wh = size_wh[box_item[placed]]
    per_image = np.bincount(box_item, minlength=n_images)
    bands = counts.cross_table(box_class[sound], counts.size_band(area), (n_classes, 3))
    pair_item, pair_class = counts.distinct_pairs(box_item, box_class)
    flags = {"difficult": difficult, "truncated": truncated, "occluded": occluded}

    def by_class(chosen: Bools) -> list[int]:
        tally: list[int] = np.bincount(box_class[chosen], minlength=n_classes).tolist()
        return tally

    every = np.ones(len(box_item), np.bool_)
    columns = {
        "images": np.bincount(pair_class, minlength=n_classes).tolist(),
        "boxes": by_class(every),
        **{name: by_class(flag) for name, flag in flags.items()},
        **{name: bands[:, i].tolist() for i, name in enumerate(("small", "medium", "large"))},
        "median_width": counts.grouped_median(box_wh[sound, 0], box_class[sound], n_classes).tolist(),
        "median_height": counts.grouped_median(box_wh[sound, 1], box_class[sound], n_classes).tolist(),
    }
    tallies: dict[str, list[Tally]] = {}
    for name, member in splits.items():
        inside = member[box_item]
        images = np.bincount(pair_class[member[pair_item]], minlength=n_classes).tolist()
        rows = images, by_class(inside), by_class(inside & difficult), by_class(inside & truncated)
        tallies[name] = [Tally(*row) for row in zip(*rows, strict=True)]
    small, medium, large = bands.sum(0).tolist()
    return Census(
        images=n_images,
        empty=int((per_image == 0).sum()),
        boxes=len(box_item),
        degenerate=int((~sound).sum()),
        **{name: int(flag.sum()) for name, flag in flags.items()},
        small=small,
        medium=medium,
        large=large,
        unknown_sizes=int((~known).sum()),
        classes=tuple(
            ClassCount(
                name=name,
                **{column: values[i] for column, values in columns.items()},
                splits={split: tallies[split][i] for split in tallies},
            )
            for i, name in enumerate(classes)
        ),
        splits=tuple(
            SplitCount(
                name=name,
                images=int(member.sum()),
                empty=int((per_image[member] == 0).sum()),
                boxes=int(per_image[member].sum()),
                difficult=int(difficult[member[box_item]].sum()),
                truncated=int(truncated[member[box_item]].sum()),
            )
            for name, member in splits.items()
        ),
        width=counts.distribution(box_wh[sound, 0], log=True),
        height=counts.distribution(box_wh[sound, 1], log=True),
        area=counts.distribution(area, log=True),
        aspect_ratio=counts.distribution(box_wh[sound, 0] / box_wh[sound, 1], log=True),
        image_share=counts.distribution(box_wh[placed].prod(1) / item_wh.prod(1), log=True),
        boxes_per_image=counts.distribution(per_image, whole=True),
        position_map=_rows(counts.position_map((xyxy[placed, :2] + xyxy[placed, 2:]) / 2 / item_wh)),
        image_sizes=_image_sizes(size_wh[known]),
        co_occurrence=_co_occurrence(classes, pair_item, pair_class),
    )


def _usable(lengths: counts.Floats) -> Bools:
    """Which rows hold lengths above 0 throughout; NaN and what would overflow an area count as none."""
    return np.asarray(((lengths > 1e-6) & (lengths < 1e9)).all(axis=1), np.bool_)


def _rows(matrix: npt.NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    return tuple(map(tuple, matrix.tolist()))


def _image_sizes(size_wh: counts.Floats) -> tuple[SizeCount, ...]:
    """Commonest first; of equals, the smallest."""
    sizes, often = np.unique(np.rint(size_wh).astype(np.int64), axis=0, return_counts=True)
    order = np.argsort(-often, kind="stable")
    return tuple(SizeCount(*row) for row in np.column_stack([sizes, often])[order].tolist())


def _co_occurrence(classes: Sequence[str], pair_item: counts.Ints, pair_class: counts.Ints) -> CoOccurrence:
    often = np.bincount(pair_class, minlength=len(classes))
    kept = np.sort(np.argsort(-often, kind="stable")[:CO_OCCURRENCE_CLASSES])
    new_place = np.full(len(classes), -1)
    new_place[kept] = np.arange(len(kept))
    chosen = new_place[pair_class] >= 0
    matrix = counts.co_occurrence(pair_item[chosen], new_place[pair_class[chosen]], len(kept))
    return CoOccurrence(tuple(classes[i] for i in kept.tolist()), _rows(matrix))
