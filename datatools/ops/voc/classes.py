"""`datatools voc classes`: the class list of a set, and nothing else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Run, VocFolder

SHOWN = 20
"""So many failures are told one by one."""


@dataclass(frozen=True)
class Classes(Result):
    """The class names in the order in which they are numbered: labelmap.txt or classes.txt first, others sorted.

    failures: files that could not be read, whose classes may be missing; they are no part of the printed list.
    """

    classes: tuple[str, ...]
    failures: tuple[DataError, ...] = field(default=(), repr=False)

    @property
    def problems(self) -> int:
        """How many files and objects could not be read."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """The names, one a line and nothing else, so that the output can be kept as a file."""
        yield from map(escape, self.classes)

    def remarks(self) -> Iterator[str]:
        """What could not be read, and what that may mean."""
        yield from map(str, self.failures[:SHOWN])
        if len(self.failures) > SHOWN:
            yield f"... and {len(self.failures) - SHOWN:,} more (datatools voc lint lists all)"


@op("voc.classes", version=1)
def classes(src: VocFolder, *, run: Run = SERIAL) -> Classes:
    """Print the class list of a Pascal VOC set, one name a line."""
    from datatools.io.voc import layout, scan

    table = scan.read_table(layout.open_set(src), run=run)
    return Classes(table.classes, table.failures)


def class_list(names: Sequence[str]) -> bytes:
    r"""Write a class list the way trainers read it: one name a line, the line number is the class number.

    Raises UsageError for a name that holds a line break, since it would shift the numbers of all that follow.

    >>> class_list(["car", "person"])
    b'car\nperson\n'
    """
    for name in names:
        if any(c in name for c in "\r\n"):
            raise UsageError(f"class '{escape(name)}' holds a line break (datatools voc rename)")
    return "".join(f"{name}\n" for name in names).encode()
