"""Finding the image that a label file means, among those that are there.

Paths in label files are relative to a folder that only a training configuration knows, or absolute on the machine of
whoever made them. So a path from a label file never opens anything: it is looked up among the images below the root of
the set, first as it stands, then by its last parts.
"""

import os
import posixpath
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

How = Literal["as written", "by its end", "missing", "outside", "ambiguous"]

_DRIVE = re.compile(r"[A-Za-z]:[/\\]")


class Found(NamedTuple):
    """image: relative to the root, "" where there is none. how: what led to it, or why there is none."""

    image: str
    how: How


class Images:
    """The images of a set, found by what label files write.

    files: relative to the root, with `/` between folders. root_name: the name of the root's own folder, with which the
    paths of PPOCRLabel begin.
    """

    def __init__(self, files: Iterable[str], root_name: str = "") -> None:
        self.files = frozenset(files)
        self._root_name = root_name
        self._by_name: dict[str, list[str]] = {}
        self._by_folder_and_name: dict[str, list[str]] = {}  # many sets have a 0.jpg in each of their folders
        for file in sorted(self.files, key=os.fsencode):
            self._by_name.setdefault(file.rpartition("/")[2], []).append(file)
            self._by_folder_and_name.setdefault("/".join(file.split("/")[-2:]), []).append(file)

    def find(self, written: str, folder: str) -> Found:
        """Look up a path as it stands in a label file of `folder` (relative to the root, "" for the root itself).

        It counts from the folder of the label file or from one around it. Where it is nowhere so (absolute, or from
        another layout), the image is taken whose path ends like it, with as many parts as possible: at least the name
        and its folder (img_1.jpg of the training set is not that of the test set), or the name where that is all.
        A path that leaves the root is refused, whatever its end.
        """
        path = written if written in self.files or "\\" not in written else written.replace("\\", "/")
        absolute = path.startswith("/") or _DRIVE.match(path) is not None
        if not absolute:
            plain = path if "." not in path.split("/") and ".." not in path and "//" not in path else None
            base = folder
            while True:
                at = f"{base}/{path}" if base else path
                if plain is None:
                    at = posixpath.normpath(at)
                if at in self.files:
                    return Found(at, "as written")
                if not base:
                    break
                base = base.rpartition("/")[0]
            if self._root_name and path.startswith(self._root_name + "/"):
                rest = path[len(self._root_name) + 1 :]
                if rest in self.files:
                    return Found(rest, "as written")
        if ".." in path.split("/"):
            return Found("", "outside")
        return self._by_end(path, folder)

    def _by_end(self, path: str, folder: str) -> Found:
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if len(parts) > 1:
            candidates = self._by_folder_and_name.get("/".join(parts[-2:]), [])
        else:
            candidates = self._by_name.get(parts[-1], []) if parts else []
        if len(candidates) > 1:
            shared = [_shared(parts, candidate.split("/")) for candidate in candidates]
            candidates = [c for c, count in zip(candidates, shared, strict=True) if count == max(shared)]
        if len(candidates) > 1:
            below = f"{folder}/" if folder else ""
            candidates = [c for c in candidates if c.startswith(below)] or candidates
        if len(candidates) > 1:
            return Found("", "ambiguous")
        return Found(candidates[0], "by its end") if candidates else Found("", "missing")


def _shared(a: list[str], b: list[str]) -> int:
    """How many parts two paths have in common at their ends."""
    count = 0
    for x, y in zip(reversed(a), reversed(b), strict=False):
        if x != y:
            break
        count += 1
    return count
