"""What `datatools augment imgaug --list` shows."""

from collections.abc import Iterator
from dataclasses import dataclass

from datatools.core.result import Result, Table


@dataclass(frozen=True)
class Catalogue(Result):
    """The augmenters of imgaug. usable: name and what is to be said of it. refused: name and why."""

    usable: tuple[tuple[str, str], ...]
    refused: tuple[tuple[str, str], ...]

    def lines(self) -> Iterator[str | Table]:
        """Both lists."""
        yield Table(("augmenter", "remark"), self.usable)
        yield Table(("augmenter", "cannot be used because it"), self.refused)
        yield f"{len(self.usable)} augmenters can be used, {len(self.refused)} cannot"


def catalogue() -> Catalogue:
    """Try every augmenter. Takes some seconds. Raises MissingExtra where imgaug is not installed."""
    from datatools.compat import imgaug_catalogue

    entries = imgaug_catalogue.entries()
    return Catalogue(
        tuple((entry.name, entry.remark) for entry in entries if entry.works),
        tuple((entry.name, entry.remark) for entry in entries if not entry.works),
    )
