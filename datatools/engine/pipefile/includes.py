"""`include`: which file is meant, and that reading it is safe and comes to an end.

A path is relative to the folder of the file that includes. It stays inside the folder of the file that is run or inside
the working directory: a pipeline from elsewhere reads nothing of this machine but pipelines beside it. Links are not
followed.
"""

import os
from pathlib import Path

from datatools.core.errors import StorageError, UsageError, escape
from datatools.engine.pipefile import entries
from datatools.engine.pipefile.entries import PipelineFile
from datatools.engine.pipefile.problems import Problems, Spot

MAX_DEPTH = 8
"""How many files may include each other in a row."""

MAX_INCLUDES = 256
"""How many includes a whole pipeline may have, repeats counted."""


class Files:
    """The files of a pipeline. Each is read and checked once, however often it is included."""

    def __init__(self, top: Path, problems: Problems) -> None:
        self.problems = problems
        self.roots = (os.path.realpath(top.parent), os.path.realpath("."))
        self.count = 0
        self._read: dict[str, PipelineFile | None] = {}

    def top(self, path: Path) -> PipelineFile:
        """The file that is run. Raises UsageError where it cannot be read."""
        return entries.read(path, self.problems)

    def included(self, name: str, trail: tuple[Path, ...], at: Spot) -> PipelineFile | None:
        """The file that the last file of the trail includes there; None where it may not be, which is noted.

        trail: the files that include each other up to here.
        """
        path = Path(os.path.normpath(trail[-1].parent / name))
        self.count += 1
        if self.count > MAX_INCLUDES:
            if self.count == MAX_INCLUDES + 1:
                self.problems.add(at, f"more than {MAX_INCLUDES} includes in one pipeline")
            return None
        if wrong := self._wrong(name, path, trail):
            self.problems.add(at, wrong)
            return None
        key = os.path.realpath(path)
        if key not in self._read:
            try:
                self._read[key] = entries.read(path, self.problems)
            except (UsageError, StorageError) as error:
                self.problems.add(at, str(error))
                self._read[key] = None
        return self._read[key]

    def _wrong(self, name: str, path: Path, trail: tuple[Path, ...]) -> str:
        if "${" in name:
            return "takes no variable: which files a pipeline has does not depend on values"
        if os.path.isabs(name):
            return "is relative to the folder of this file"
        real = os.path.realpath(path)
        if not any(os.path.commonpath([real, root]) == root for root in self.roots):
            return f"{escape(name)} lies outside the folder of the pipeline that is run and the working directory"
        if not path.is_file():
            return f"there is no file {escape(path)}"
        files = [os.path.realpath(file) for file in trail]
        if real in files:
            circle = " -> ".join(escape(file) for file in (*trail[files.index(real) :], path))
            return f"the files include each other: {circle}"
        if len(trail) >= MAX_DEPTH:
            return f"more than {MAX_DEPTH} files include each other in a row"
        return ""
