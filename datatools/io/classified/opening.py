"""Finding out which kind of classified set a folder or file is."""

from dataclasses import replace
from pathlib import Path

from datatools.core.errors import UsageError, escape
from datatools.core.types import SERIAL, Run
from datatools.core.values import printable
from datatools.io import files
from datatools.io.classified import class_folders, label_lists, origins, voc_crops
from datatools.io.classified.class_folders import is_picture
from datatools.io.classified.examples import ClassifiedSet, Example
from datatools.io.voc import layout


def open_set(src: Path, run: Run = SERIAL) -> ClassifiedSet:
    """Read what a set consists of, without decoding a picture.

    A file is a list of labels. A folder with annotations is a Pascal VOC set, one with label lists a direction set or
    the like, any other one a folder of class folders.

    Raises UsageError where there is nothing of the name, or no example; StorageError where it cannot be read.
    """
    if src.is_file():
        found = label_lists.read([src])
    elif (voc_set := layout.open_set(src)).items:
        found = voc_crops.read(voc_set, run)
    elif lists := label_lists.find(src):
        found = label_lists.read(lists)
    else:
        found = class_folders.read(src)
    made_from, unread = origins.read(found.root)
    if made_from:
        examples = (replace(e, origins=made_from.get(printable(e.key.partition("#")[0]), ())) for e in found.examples)
        found = replace(found, examples=tuple(examples))
    found = replace(found, failures=(*found.failures, *unread))
    if not found.examples:
        first = f" ({found.failures[0]})" if found.failures else ""
        raise UsageError(
            f"{escape(src)}: holds no classified picture: class folders, a Pascal VOC set with boxes and a list of "
            f"lines `path TAB label` are read{first}"
        )
    return found


def open_pictures(src: Path) -> ClassifiedSet:
    """Return all pictures below a folder, or the one that `src` is, as examples without a class.

    Raises UsageError where there is none.
    """
    if src.is_file():
        found = [Example(src.name, str(src), -1)] if is_picture(src.name) else []
        root = src.parent
    else:
        root = src
        found = [
            Example("/".join((*folder.parts, name)), str(src / folder / name), -1)
            for folder, _, names in files.walk(src)
            for name in filter(is_picture, names)
        ]
    if not found:
        raise UsageError(f"{escape(src)}: holds no picture")
    return ClassifiedSet(root, "folders", (), tuple(found))
