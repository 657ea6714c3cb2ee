"""What operations eat, and the parameters that are given to them rather than typed by the user."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, NewType, TypeVar

from datatools.core.errors import DataError
from datatools.core.kinds import Kind
from datatools.core.op import Param

T = TypeVar("T")
R = TypeVar("R")

Dataset = NewType("Dataset", Path)
"""The folder of a data set: the operation runs once for the whole of it."""

VocFolder = Annotated[Dataset, Kind("voc")]
"""The same, a Pascal VOC set."""

OutFolder = Annotated[
    Path,
    Param("folder that is made; it appears whole or not at all", flags=("-o", "--out"), metavar="OUT", writes="folder"),
]
OutVocFolder = Annotated[OutFolder, Kind("voc")]
Force = Annotated[bool, Param("replace an output that an earlier run of datatools made", steers=True)]
DryRun = Annotated[bool, Param("show what would be written, write nothing", steers=True)]
Seed = Annotated[int, Param("the same seed gives the same bytes", ge=0, le=2**32 - 1)]


class Run:
    """How an operation spreads its work and tells its progress.

    This one does both plainly: in this process, silently. The command line and the pipeline hand in one that
    uses several processes and draws a bar. Results come in the order of the items whatever the number of jobs.
    """

    jobs: int = 1

    def map(
        self,
        function: Callable[[T], R],
        items: Sequence[T],
        label: str,
        lost: Callable[[T, DataError], R] | None = None,
    ) -> Iterator[R]:
        """Yield function(item) for every item, in order. The function is one that pickles; it may not raise
        anything but DatatoolsError, which ends the whole; what is wrong with one item is part of its result.

        lost: gives the result of an item that killed the process that worked on it; without it the error ends the
        whole."""
        for item in items:
            yield function(item)

    def track(self, items: Sequence[T], label: str) -> Iterator[T]:
        """Yield the items themselves while showing how far the loop is."""
        yield from items


SERIAL = Run()
