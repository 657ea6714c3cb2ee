"""Journal lines on their way to the disk, always behind the files that they name.

Bringing files to the disk takes long and needs no processor: a thread does it, for all that was made in the last
second, while workers make more.
"""

import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

EVERY_S = 1.0
"""How much work a kill may cost."""
_MOST_LINES = 20_000  # that wait for a slow disk before the run does, too


class Committer:
    """Takes lines for the journal of the folder that is being made. keep: bytes of the journal that stay."""

    def __init__(self, partial: Path, keep: int) -> None:
        from datatools.io import journal
        from datatools.io.files import cannot

        self._partial = partial
        try:
            self._file = journal.JournalFile(partial / journal.JOURNAL, keep)
        except OSError as error:
            raise cannot("write", partial / journal.JOURNAL, error) from None
        self._lines: list[bytes] = []
        self._busy = False
        self._due = False
        self._error: Exception | None = None
        self._changed = threading.Condition()
        self._ended = False
        self._last = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="datatools-committer", daemon=True)
        self._thread.start()

    def add(self, line: bytes) -> None:
        """Take a line. Raises StorageError where an earlier one could not be written."""
        with self._changed:
            self._lines.append(line)
            while len(self._lines) > _MOST_LINES and not self._error:
                self._due = True
                self._changed.notify_all()
                self._changed.wait()
            self._raise()

    def tick(self) -> None:
        """Start writing what has waited for a second. Raises StorageError as `add` does."""
        with self._changed:
            if self._lines and not self._busy and time.monotonic() - self._last > EVERY_S:
                self._due = True
                self._changed.notify_all()
            self._raise()

    def flush(self) -> None:
        """Wait until all lines are on the disk. Raises StorageError."""
        with self._changed:
            while (self._lines or self._busy) and not self._error:
                self._due = True  # again each time: what came while the thread was writing is wanted, too
                self._changed.notify_all()
                self._changed.wait()
            self._raise()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not self._error:
                self.flush()  # after an error, too: what is done is done
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
            self._thread.join()
            self._close()

    def _close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            self._error = error
            self._raise()

    def _raise(self) -> None:
        if isinstance(self._error, OSError):
            from datatools.io.files import cannot

            raise cannot("write", self._partial, self._error) from None
        if self._error:
            raise self._error

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._ended and not (self._lines and self._due):
                    self._changed.wait()
                if self._ended:
                    return
                lines, self._lines = self._lines, []
                self._busy, self._due = True, False
            error = self._write(lines)
            with self._changed:
                self._busy, self._error, self._last = False, error, time.monotonic()
                self._changed.notify_all()
                if error:
                    return

    def _write(self, lines: list[bytes]) -> Exception | None:
        from datatools.io.syncing import sync_tree

        try:
            sync_tree(os.fspath(self._partial))
            self._file.append(lines)
        except Exception as error:  # whatever it is: somebody waits for the answer
            return error
        return None
