"""A text set as PaddleOCR trains on it: for each task a folder with a label file a split, images beside it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from datatools.core.errors import DataError
from datatools.core.records import LineLabel, PageLabel
from datatools.core.textset import Sample, TextSet
from datatools.ops.voc.derived import Entry, stems

R = TypeVar("R", PageLabel, LineLabel)

UNSPLIT = ("labels.txt", "images")
"""Label file and image folder of what is in no split."""


@dataclass
class Ledger:
    """Counts what becomes of samples while a set is made.

    written: samples by split. lost: what the target cannot hold -> how often. changed: what was made to fit.
    """

    written: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    failures: list[DataError] = field(default_factory=list)

    def refuse(self, sample: Sample[PageLabel] | Sample[LineLabel], message: str, code: str = "E-ITEM-NAME") -> None:
        """Count a sample that cannot be written, by name."""
        remedy = "rename the image" if code == "E-ITEM-NAME" else "mend its label"
        self.failures.append(DataError(sample.image, 0, code, message, remedy))


def training_files(found: TextSet, ledger: Ledger) -> Iterator[Entry]:
    """Yield the files of `det/`, `rec/` and `cls/`: `train.txt` with lines `train/x.jpg TAB label`, and the images.

    Labels that came from PaddleOCR are written as they stood, byte for byte.
    """
    yield from _task(found, "det", found.pages, _page_label, ledger)
    yield from _task(found, "rec", found.lines, _text, ledger)
    yield from _task(found, "cls", found.directions, _text, ledger)
    if (found.root / "dict.txt").is_file():
        yield "dict.txt", found.root / "dict.txt"


def _page_label(sample: Sample[PageLabel]) -> str:
    from datatools.io.paddleocr.pages import label_of

    return sample.label or label_of(sample.record.regions)


def _text(sample: Sample[LineLabel]) -> str:
    return sample.label or sample.record.text


def _task(
    found: TextSet, task: str, samples: Sequence[Sample[R]], label: Callable[[Sample[R]], str], ledger: Ledger
) -> Iterator[Entry]:
    from datatools.io.paddleocr.lines import check_path

    names = stems(sample.key for sample in samples)
    lists: dict[str, list[str]] = {}
    for sample in samples:
        list_name, folder = (f"{sample.split}.txt", sample.split) if sample.split else UNSPLIT
        image = f"{folder}/{names[sample.key]}{found.path(sample).suffix}"
        try:
            check_path(image)
            line = f"{image}\t{label(sample)}\n"
        except ValueError as error:
            ledger.refuse(sample, str(error))
            continue
        lists.setdefault(list_name, []).append(line)
        ledger.written[sample.split] += 1
        yield f"{task}/{image}", found.path(sample)
    for list_name, lines in lists.items():
        yield f"{task}/{list_name}", "".join(lines).encode()
