"""What a folder holds, at the cost of a walk: one digest of the names and states of all files below.

Two equal fingerprints say that nobody touched anything in between: size, times of content and inode, and number of
every file are the same. A file that was changed within the clock's tick of being looked at would be missed, so a
fingerprint that is as young as that is not given.
"""

import os
import struct
import time
from pathlib import Path
from typing import NamedTuple

import xxhash

from datatools.core.errors import UsageError, escape
from datatools.io.files import MAX_DEPTH, cannot

TICK_NS = 20_000_000
"""The clocks of file systems may stand still for so long."""

_pack = struct.Struct("=qqqq").pack


class Fingerprint(NamedTuple):
    """digest: of names and states. content: of names, sizes, times of content and inodes alone, which a new name for a
    file elsewhere does not change. files: how many. newest_ns: the latest change of all."""

    digest: str
    content: str
    files: int
    newest_ns: int

    @property
    def settled(self) -> bool:
        """Whether a change of any file since would have changed its times; clocks that were set back are seen too."""
        return self.newest_ns + TICK_NS < time.time_ns()


def fingerprint(root: str | Path) -> Fingerprint:
    """Look at every file below a folder, or at the one file; hidden ones are passed over, as `files.walk` does.

    Raises UsageError where nothing is there, StorageError where a folder cannot be listed.
    """
    top = os.fspath(root)
    whole, content = xxhash.xxh3_128(), xxhash.xxh3_128()
    count = newest = 0
    waiting = [(top, "")]
    if not os.path.isdir(top):
        try:
            status = os.stat(top)
        except OSError:
            raise UsageError(f"{escape(root)}: no such file or folder") from None
        packed = _pack(status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns)
        whole.update(packed)
        content.update(packed[:24])
        return Fingerprint(whole.hexdigest(), content.hexdigest(), 1, status.st_ctime_ns)
    while waiting:
        folder, relative = waiting.pop()
        if relative.count("/") > MAX_DEPTH:
            raise UsageError(f"{escape(folder)}: folders are nested more than {MAX_DEPTH} deep")
        found: dict[str, bytes] = {}
        folders = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = entry.name
                    if name[0] == ".":
                        continue
                    if entry.is_file(follow_symlinks=False):
                        status = entry.stat(follow_symlinks=False)
                        changed = status.st_ctime_ns
                        if changed > newest:
                            newest = changed
                        found[name] = _pack(status.st_size, status.st_mtime_ns, status.st_ino, changed)
                    elif entry.is_dir(follow_symlinks=False):
                        folders.append(name)
        except OSError as error:
            raise cannot("read", folder, error) from None
        count += len(found)
        for name in sorted(found):
            encoded = os.fsencode(relative + name) + b"\0"
            whole.update(encoded + found[name])
            content.update(encoded + found[name][:24])
        waiting += [(f"{folder}/{name}", f"{relative}{name}/") for name in sorted(folders, reverse=True)]
    return Fingerprint(whole.hexdigest(), content.hexdigest(), count, newest)
