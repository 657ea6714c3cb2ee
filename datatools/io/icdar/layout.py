"""How an ICDAR set lies below a folder: a text file for each image, called `gt_img_1.txt` or `img_1.txt`.

Training and test images often have the same names in two folders, and the ground truth lies in two more; which belongs
to which is told by the words in the names of the folders (`ch4_training_images`,
`ch4_training_localization_transcription_gt`).
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datatools.core.errors import DataError
from datatools.io.files import read_head, walk
from datatools.io.icdar.lines import looks_like, looks_like_words
from datatools.io.images import IMAGE_SUFFIXES

_HEAD_BYTES = 16384
_WORDS = {"train": "train", "training": "train", "val": "val", "validation": "val", "test": "test", "testing": "test"}
_STEM = re.compile(r"(?:gt_|res_)?(.+?)(?:[._]gt)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TruthFile:
    """A text file. name, image: relative to the root; image is "" where there is none, or several.

    split: train, val, test, or "" where no folder tells it.
    """

    name: str
    image: str
    split: str


@dataclass(frozen=True)
class IcdarSet:
    """pages: detection files, sorted. words: recognition files. by_name: the images of each name."""

    root: Path
    pages: tuple[TruthFile, ...]
    words: tuple[TruthFile, ...]
    by_name: Mapping[str, Sequence[str]]

    def image_of(self, file: TruthFile, name: str) -> str:
        """The image that a line of a recognition file names; "" where there is none, or several."""
        return _nearest(self.by_name.get(name, ()), file.name)


def find_set(src: Path) -> IcdarSet:
    """Find the text files and images below a folder; both lists of files may be empty.

    Nothing but the heads of text files is read. Raises UsageError where the folder is none.
    """
    by_name: dict[str, list[str]] = {}
    by_stem: dict[str, list[str]] = {}
    pages: list[str] = []
    words: list[str] = []
    for folder, _, names in walk(src):
        where = folder.as_posix() + "/" if folder.parts else ""
        for name in names:
            stem, suffix = os.path.splitext(name)
            if suffix.lower() in IMAGE_SUFFIXES:
                by_name.setdefault(name, []).append(where + name)
                by_stem.setdefault(stem, []).append(where + name)
            elif suffix.lower() == ".txt":
                head = _head(src / folder / name)
                if looks_like(head):
                    pages.append(where + name)
                elif looks_like_words(head):
                    words.append(where + name)
    found = []
    for name in pages:
        stem = os.path.splitext(name.rpartition("/")[2])[0]
        short = _STEM.fullmatch(stem)
        named = by_stem.get(stem) or (by_stem.get(short[1]) if short else None) or ()
        found.append(TruthFile(name, _nearest(named, name), split_of(name)))
    return IcdarSet(src, tuple(found), tuple(TruthFile(n, "", split_of(n)) for n in words), by_name)


def _head(path: Path) -> bytes:
    try:
        head, size = read_head(path, _HEAD_BYTES)
    except DataError:  # it went away, or is no file any more
        return b""
    return head if size <= len(head) else head[: head.rfind(b"\n") + 1]


def split_of(name: str) -> str:
    """Return the split that the folders of a file tell, the innermost first; "" where none does.

    >>> split_of("ch4_training_localization_transcription_gt/gt_img_1.txt")
    'train'
    """
    for folder in reversed(name.split("/")[:-1]):
        for word in re.findall(r"[a-z]+", folder.lower()):
            if word in _WORDS:
                return _WORDS[word]
    return ""


def _nearest(images: Sequence[str], name: str) -> str:
    """The image that belongs to a text file: in its folder, else of its split, else the only one; "" where none is."""
    folder = name.rpartition("/")[0]
    for chosen in (
        [image for image in images if image.rpartition("/")[0] == folder],
        [image for image in images if split_of(image) == split_of(name)],
    ):
        if len(chosen) == 1:
            return chosen[0]
    return images[0] if len(images) == 1 and not split_of(images[0]) else ""
