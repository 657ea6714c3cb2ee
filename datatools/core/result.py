"""What an operation hands back: data for programs, lines and tables for people."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from datatools.core.errors import DataError, escape


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """A small table for people. Numbers are aligned right; floats are shown with `digits` decimals."""

    header: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    title: str = ""
    digits: int = 3


@dataclasses.dataclass(frozen=True)
class Result:
    """The root of what operations return: a frozen dataclass whose fields are the answer.

    Fields are plain data (numbers, text, tuples, dicts, paths, dataclasses); `to_json` gives them as one object.
    """

    @property
    def problems(self) -> int:
        """How many problems the data has; the command exits with 1 where there is one."""
        return 0

    @property
    def written(self) -> tuple[PurePath, ...]:
        """Files that were written beside those that the parameters name."""
        return ()

    def lines(self) -> Iterator[str | Table]:
        """The answer for people, in the order in which it is shown; the last line says what to do next."""
        return iter(())

    def remarks(self) -> Iterator[str]:
        """What is said beside the answer, on stderr, so that stdout can be kept as a file."""
        return iter(())

    def to_json(self) -> dict[str, Any]:
        """The answer as one JSON object."""
        return {f.name: plain(getattr(self, f.name)) for f in dataclasses.fields(self) if f.repr}


def plain(value: object) -> Any:
    """Turn a value into what JSON knows. Paths become text, tuples lists, NaN and infinities None."""
    if value is None or isinstance(value, bool | int | str):
        return escape(value) if isinstance(value, str) and not value.isprintable() else value
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, PurePath):
        return escape(value)
    if isinstance(value, Mapping):
        return {escape(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, Result | DataError):
        return value.to_json()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if hasattr(value, "tolist"):  # numpy scalars and arrays, without importing numpy here
        return plain(value.tolist())
    raise TypeError(f"{type(value).__name__} has no form in JSON")
