"""Bringing an output up to date that nobody has touched since it was made, where little has changed.

What an item costs that is kept is what ten thousand of them cost. So none of them is looked at alone: every file of the
old output gets a second name in the new one, but those that belong to items which are gone or are made anew, and the
rows of all others are copied as they are.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatools.engine.item_plan import Planner
from datatools.engine.tally import Tally

if TYPE_CHECKING:
    from datatools.io.journal import Row


class Update:
    """What stays of an output. planner: after it has decided about every item. record: the output's run.json.

    tally: of what stays. Raises ValueError where the journal and run.json do not tell enough.
    """

    def __init__(self, planner: Planner, out: Path, record: dict[str, Any]) -> None:
        from datatools.io.folders import RECORD

        self._planner = planner
        self._out = out
        self.tally = Tally.of(record)
        self._leave = {RECORD}
        self._made: set[str] = set()
        for row in _gone(planner):
            self.tally.take(row.inputs, row.outputs)
            self._leave.update(one.name for one in row.outputs)

    def link(self, partial: Path) -> None:
        """Give all files that stay a second name. Raises Unlinkable, StorageError."""
        from datatools.io import trees

        trees.link(self._out, partial, self._leave)

    def made(self, line: bytes) -> None:
        """Take note of an item that was made, by its line for the journal."""
        from datatools.io import journal

        self._made.update(one.name for one in journal.parse(line).outputs)

    def folders(self, files: Iterable[str]) -> set[str]:
        """The folders in which files are others than before, with a slash at the end. files: those of the whole set."""
        return {name[: name.rfind("/") + 1] for name in (*self._leave, *self._made, *files)}

    def write_rows(self, partial: Path) -> None:
        """Add the rows that stay to the journal of the new output. Raises StorageError."""
        from datatools.io import journal
        from datatools.io.files import cannot

        refreshed = self._planner.refreshed
        new = set(self._planner.earlier.places(list(refreshed)))
        old = [place for place, stays in enumerate(self._planner.stays) if not stays or place in new]
        path = partial / journal.JOURNAL
        try:
            with open(path, "ab") as file:
                file.writelines(self._planner.earlier.without(old))
                file.writelines(refreshed.values())
        except OSError as error:
            raise cannot("write", path, error) from None


def _gone(planner: Planner) -> "Iterable[Row]":
    """The rows that do not stay, but the one of run.json, which nobody counts.

    Raises ValueError where one cannot be read, or the journal is not whole."""
    from datatools.io import journal

    earlier = planner.earlier
    special = earlier.places([journal.SET_ROW, journal.RECORD_ROW])
    if earlier.damaged or min(special) < 0:
        raise ValueError("the journal is damaged")
    gone = [place for place, stays in enumerate(planner.stays) if not stays and place != special[1]]
    try:
        return [journal.parse(earlier.at(place)) for place in gone]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("a row cannot be read") from error
