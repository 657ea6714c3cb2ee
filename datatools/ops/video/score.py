"""`datatools video score`: masks against a ground truth, as changedetection.net scores them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Dataset, Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one sequence, or of all. NaN where there is nothing to divide by.

    frames: compared. tp, fp, fn, tn: pixels; foreground is positive. shadow: of the false positives, those on shadows.
    pwc: percentage of wrong classifications.
    """

    name: str
    frames: int
    tp: int
    fp: int
    fn: int
    tn: int
    shadow: int
    precision: float
    recall: float
    specificity: float
    f_measure: float
    pwc: float


@dataclass(frozen=True)
class VideoScore(Result):
    """How well masks agree with a ground truth. total: over the pixels of all sequences.

    failures: pairs that could not be compared, and frames that one side lacks.
    """

    masks: Path
    truth: Path
    sequences: tuple[Scores, ...]
    total: Scores
    failures: tuple[DataError, ...] = ()

    @property
    def problems(self) -> int:
        """Frames that could not be compared."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """A row a sequence, the total, what could not be compared."""
        header = ("sequence", "frames", "precision", "recall", "F-measure", "PWC", "specificity")
        rows = self.sequences if len(self.sequences) == 1 else (*self.sequences, self.total)
        yield Table(
            header,
            tuple((s.name, s.frames, s.precision, s.recall, s.f_measure, s.pwc, s.specificity) for s in rows),
            digits=4,
        )
        for failure in self.failures:
            yield str(failure)
        if self.total.shadow:
            yield f"{self.total.shadow / self.total.fp:.1%} of the false positives lie on shadows"
        yield f"{self.total.frames} frames compared; next: --open and --close of datatools video foreground mend masks"


@op("video.score", version=1)
def score(
    masks: Dataset,
    groundtruth: Dataset,
    *,
    roi: Annotated[
        Path | None, Param("picture of the frames' size; where it is black, nothing is compared", metavar="FILE")
    ] = None,
    run: Run = SERIAL,
) -> VideoScore:
    """Score masks against a ground truth: precision, recall, F-measure, PWC (changedetection.net).

    A mask and a ground truth belong together where the last numbers in their names are equal, `bin000012.png` and
    `gt000012.png`, in folders of the same name below MASKS and GROUNDTRUTH. Masks are foreground from 128 on. The
    ground truth has 0 (static), 50 (shadow), 85 (outside), 170 (unknown) and 255 (motion); 85 and 170 are not compared.

    Raises UsageError where no mask belongs to a ground truth.
    """
    import functools

    from datatools.kernels.change_scores import Counts

    truths, found = _by_number(groundtruth), _by_number(masks)
    shared = sorted(truths.keys() & found.keys())
    if not shared:
        raise UsageError(f"no picture in {escape(masks)} has the number of one in {escape(groundtruth)}")
    inside = _region(roi) if roi else None
    failures = [
        DataError(f"{groundtruth}/{truths[key]}", 0, "E-MASK-MISSING", "there is no mask of this frame")
        for key in sorted(truths.keys() - found.keys())
    ]
    pairs = [(key[0], f"{masks}/{found[key]}", f"{groundtruth}/{truths[key]}") for key in shared]
    sums: dict[str, Any] = {}
    frames: dict[str, int] = {}
    compared = run.map(functools.partial(compare, inside=inside), pairs, "comparing")
    for (name, _, _), counted in zip(pairs, compared, strict=True):
        if isinstance(counted, DataError):
            failures.append(counted)
            continue
        sums[name] = sums.get(name, Counts()) + counted
        frames[name] = frames.get(name, 0) + 1
    total = functools.reduce(lambda a, b: a + b, sums.values(), Counts())
    sequences = tuple(_scores(name or ".", frames[name], sums[name]) for name in sorted(sums))
    return VideoScore(masks, groundtruth, sequences, _scores("all", sum(frames.values()), total), tuple(failures))


def compare(pair: tuple[str, str, str], inside: "NDArray[np.bool_] | None") -> Any:
    """Count the pixels of a mask and its ground truth; a DataError where they cannot be compared."""
    from datatools.io import files, images
    from datatools.kernels import change_scores

    _, mask_path, truth_path = pair
    try:
        mask, truth = (
            images.decode(files.read_bytes(path, images.MAX_FILE_BYTES), name=path)[..., 0]
            for path in (mask_path, truth_path)
        )
        try:
            return change_scores.count(mask, truth, inside)
        except ValueError as error:
            raise DataError(truth_path, 0, "E-MASK-TRUTH", str(error)) from None
    except DataError as error:
        return error


def _region(path: Path) -> "NDArray[np.bool_]":
    import numpy as np

    from datatools.io import files, images

    return np.asarray(images.decode(files.read_bytes(path), name=str(path)).any(axis=2), np.bool_)


def _by_number(root: Path) -> dict[tuple[str, int], str]:
    """Pictures below a folder by their folder and the last number in their names.

    Raises UsageError where two have the same.
    """
    import re

    from datatools.io import files, images

    found: dict[tuple[str, int], str] = {}
    for folder, _, names in files.walk(root):
        where = str(folder) if folder.parts else ""
        for name in names:
            stem, _, suffix = name.rpartition(".")
            numbers = re.findall(r"[0-9]{1,18}", stem)
            if f".{suffix.lower()}" not in images.IMAGE_SUFFIXES or not numbers:
                continue
            key = (where, int(numbers[-1]))
            path = f"{where}/{name}" if where else name
            if key in found:
                raise UsageError(f"{escape(root)}: {escape(found[key])} and {escape(name)} have the same number")
            found[key] = path
    return found


def _scores(name: str, frames: int, counts: Any) -> Scores:
    c = counts
    return Scores(
        name, frames, c.tp, c.fp, c.fn, c.tn, c.shadow, c.precision, c.recall, c.specificity, c.f_measure, c.pwc
    )
