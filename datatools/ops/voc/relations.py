"""What lint checks between items: labels, names, copies of images, the lists of the splits."""

import itertools
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datatools.core.errors import DataError, escape
from datatools.core.findings import Finding
from datatools.core.types import Run
from datatools.ops.voc.codes import finding

if TYPE_CHECKING:
    from datatools.io.voc.layout import Tree, VocSet

Lists = Mapping[str, Mapping[str, int]]  # split -> id -> line
DISJOINT = (("train", "val"), ("train", "test"), ("val", "test"), ("trainval", "test"))

_JOINTS = re.compile(r"[\s_-]+")


def spelling(label: str) -> str:
    """What is left of a label when case, blanks, _ and - do not count.

    >>> spelling(" Traffic_Light "), spelling("traffic  light")
    ('traffic light', 'traffic light')
    """
    return _JOINTS.sub(" ", unicodedata.normalize("NFC", label)).strip().casefold()


def similar_labels(labels: Iterable[tuple[str, str, int, int]]) -> Iterator[Finding]:
    """Each spelling that a more frequent one resembles, once. labels: (label, file, first line, count) in set order."""
    import shlex

    from datatools.io.voc.document import shown

    total: dict[str, int] = {}
    first: dict[str, tuple[str, int]] = {}
    for label, file, line, count in labels:
        total[label] = total.get(label, 0) + count
        first.setdefault(label, (file, line))
    alike: dict[str, list[str]] = {}
    for label in total:
        alike.setdefault(spelling(label), []).append(label)
    for group in alike.values():
        common, *rare = sorted(group, key=lambda label: (-total[label], label))
        for label in rare:
            what = f"{shown(label)} ({total[label]}x) is nearly {shown(common)} ({total[common]}x)"
            remedy = f"datatools voc rename --map {shlex.quote(f'{label}={common}')}"
            yield finding("W-LABEL-SIMILAR", *first[label], what, escape(remedy))


def name_clashes(voc_set: "VocSet") -> Iterator[Finding]:
    """Names of one tree that differ only in case, and files that want to be the same item."""
    for tree in voc_set.trees:
        items = (*tree.items, *tree.images_without_xml)
        files = {item.id: item.image_file or item.xml_file for item in items if not item.id.lower().endswith(".xml")}
        for group in _groups(files, _folded):
            for name in group[1:]:
                what = f"{os.path.basename(name)} and {os.path.basename(group[0])} differ only in case"
                yield finding("W-NAME-CASE", voc_set.name(files[name]), 1, what)
        xmls = [voc_set.name(item.xml_file) for item in tree.items]
        images = [voc_set.name(f"{tree.images}/{file}") for file in tree.image_files]
        for group in itertools.chain(_groups(xmls, _stem), _groups(images, _stem)):
            for name in group[1:]:
                what = f"{os.path.basename(group[0])} beside it has the same name but for the suffix"
                yield finding("E-STEM-DUPLICATE", name, 1, what)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _stem(name: str) -> str:
    return os.path.splitext(name)[0]


def _groups(names: Iterable[str], key: Callable[[str], str]) -> Iterator[list[str]]:
    """Names of equal key, sorted by bytes, where there are two or more."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(key(name), []).append(name)
    return (sorted(group, key=os.fsencode) for group in found.values() if len(group) > 1)


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that could be read. file: absolute. name: relative to the set. sample: as in checks.Checked."""

    file: str
    name: str
    tree: int
    item_id: str
    sample: tuple[int, int]


def copies(pictures: Iterable[Picture], splits: Mapping[int, Lists], run: Run) -> Iterator[Finding]:
    """Images whose bytes another one has: a leak where both are in splits that must be disjoint."""
    from datatools.io import files

    by_sample: dict[tuple[int, int], list[Picture]] = {}
    for picture in pictures:
        by_sample.setdefault(picture.sample, []).append(picture)
    likely = [picture for group in by_sample.values() if len(group) > 1 for picture in group]
    by_digest: dict[str, list[Picture]] = {}
    digests = run.map(files.digest, [picture.file for picture in likely], "comparing images")
    for picture, digest in zip(likely, digests, strict=True):
        by_digest.setdefault(digest, []).append(picture)
    for group in by_digest.values():
        group.sort(key=lambda picture: os.fsencode(picture.name))
        for i, picture in enumerate(group[1:], 1):
            yield _copy(picture, group[:i], splits)


def _copy(picture: Picture, before: list[Picture], splits: Mapping[int, Lists]) -> Finding:
    mine = _splits_of(picture, splits)
    for other in before:
        for a, b in DISJOINT:
            theirs = _splits_of(other, splits)
            if (a in mine and b in theirs) or (b in mine and a in theirs):
                here, there = (a, b) if a in mine else (b, a)
                return finding(
                    "E-SPLIT-LEAK", picture.name, 1, f"in {here}; {other.name} in {there} has the same bytes"
                )
    return finding("W-IMAGE-DUPLICATE", picture.name, 1, f"the same bytes as {before[0].name}")


def _splits_of(picture: Picture, splits: Mapping[int, Lists]) -> set[str]:
    return {split for split, ids in splits.get(picture.tree, {}).items() if picture.item_id in ids}


def read_splits(voc_set: "VocSet", found: list[Finding]) -> dict[int, Lists]:
    """The lists of each tree that has some; one that cannot be read becomes a finding."""
    from datatools.io.voc.lists import read_lists

    splits: dict[int, Lists] = {}
    for number, tree in enumerate(voc_set.trees):
        try:
            lists = read_lists(tree)
        except DataError as error:
            found.append(finding("E-LIST-ENCODING", voc_set.name(error.path), error.line, error.message))
            continue
        if lists:
            splits[number] = lists
    return splits


def check_lists(voc_set: "VocSet", splits: Mapping[int, Lists]) -> Iterator[Finding]:
    """Ids in two disjoint lists, ids without an XML, annotated images in no list."""
    for number, lists in splits.items():
        tree = voc_set.trees[number]
        yield from _overlaps(voc_set, tree, lists)
        annotated = {item.id for item in tree.items}
        with_image = {item.id for item in tree.images_without_xml}
        for split, ids in lists.items():
            for item_id, line in ids.items():
                if item_id not in annotated:
                    what = f"{item_id} has an image but no XML" if item_id in with_image else f"{item_id} has no XML"
                    yield finding("E-SPLIT-NO-XML", _list_name(voc_set, tree, split), line, what)
        listed = set(itertools.chain.from_iterable(lists.values()))
        for item in tree.items:
            if item.image_file and item.id not in listed:
                yield finding("W-SPLIT-UNLISTED", voc_set.name(item.image_file), 1, f"not in {', '.join(lists)}")


def _overlaps(voc_set: "VocSet", tree: "Tree", lists: Lists) -> Iterator[Finding]:
    empty: dict[str, int] = {}
    told: set[str] = set()
    for a, b in DISJOINT:
        first, second = lists.get(a, empty), lists.get(b, empty)
        for item_id, line in second.items():
            # what is in train, trainval and test is one problem, not two
            if item_id in first and not (a == "trainval" and item_id in told):
                told.add(item_id)
                what = f"{item_id} is in {a} too (line {first[item_id]})"
                yield finding("E-SPLIT-OVERLAP", _list_name(voc_set, tree, b), line, what)


def _list_name(voc_set: "VocSet", tree: "Tree", split: str) -> str:
    return voc_set.name(f"{tree.lists}/{split}.txt")
