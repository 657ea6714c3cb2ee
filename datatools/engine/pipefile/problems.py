"""Everything that is wrong with the files of a pipeline, each with its place, told at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from datatools.core.errors import UsageError, escape

if TYPE_CHECKING:
    from datatools.io.config import Marked


@dataclass(frozen=True)
class Spot:
    """A place in a pipeline file.

    path: keys and indices from the top: ("stages", 0, "with", "k"). via: where the file was included, for messages.
    """

    document: Marked
    path: tuple[str | int, ...] = ()
    via: str = ""

    def at(self, *more: str | int) -> Spot:
        """The place of what lies inside."""
        return replace(self, path=(*self.path, *more))

    @property
    def where(self) -> str:
        """`file:line:column`."""
        return self.document.where(self.path)

    @property
    def dotted(self) -> str:
        """The keys as a user writes them: `stages[0].with.k`."""
        parts = (f"[{part}]" if isinstance(part, int) else f".{escape(part)}" for part in self.path)
        return "".join(parts).lstrip(".")


class Problems:
    """Collects what is wrong. The same thing told twice, as for each repeat of a stage, is kept once."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[int, int, int]] = {}
        self._files: dict[str, int] = {}

    def enter(self, spot: Spot) -> None:
        """Take note of a file; problems are told file by file, in the order in which these were opened."""
        self._files.setdefault(spot.document.name, len(self._files) + 1)

    def add(self, spot: Spot, message: str) -> None:
        """Note what is wrong there."""
        dotted = f"{spot.dotted}: " if spot.path else ""
        rank = (self._files[spot.document.name], *spot.document.place(spot.path))
        self._told.setdefault(f"{spot.where}: {dotted}{message}{spot.via}", rank)

    def add_setting(self, name: str, message: str) -> None:
        """Note what is wrong with a value of the command line."""
        self._told.setdefault(f"--set {escape(name)}: {message}", (0, 0, 0))

    def raise_any(self) -> None:
        """Raise UsageError with all that was noted, a line each, in the order of the files, if there is anything."""
        if self._told:
            raise UsageError("\n".join(sorted(self._told, key=self._told.__getitem__)))
