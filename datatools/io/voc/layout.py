"""Where a Pascal VOC set keeps its XML and its images.

Three layouts are found by themselves, any number of them under one root:

    VOC2007/{Annotations,JPEGImages,ImageSets/Main}    and annotations/ images/ in any case and with subfolders
    data/{any_name,images}                             XML alone in a folder beside an image folder
    data/**/{a.xml,a.jpg}                              XML beside the images

No XML is opened here: an item is found by its name.
"""

import functools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from datatools.core.errors import UsageError, escape
from datatools.io import files
from datatools.io.images import IMAGE_SUFFIXES

ANNOTATION_FOLDERS = frozenset({"annotations", "annotation", "xml", "xmls", "labels", "label"})
"""Folders that hold XML, in lower case."""

IMAGE_FOLDERS = ("jpegimages", "images", "image", "imgs", "img", "pictures", "photos")
"""Folders that hold images, in lower case, the most likely first."""


class Item(NamedTuple):
    """An annotation, its image, or both.

    id: the path inside the annotation folder without suffix, "/" between folders ("a", "train/a").
    xml_file, image_file: absolute, empty where there is none; `xml` and `image` give them as paths.
    tree: index into VocSet.trees.
    """

    id: str
    xml_file: str
    image_file: str
    tree: int

    @property
    def xml(self) -> Path | None:
        """The annotation; None for an image that has none."""
        return Path(self.xml_file) if self.xml_file else None

    @property
    def image(self) -> Path | None:
        """The image of the same name; None where there is none (see VocSet.image_by_filename)."""
        return Path(self.image_file) if self.image_file else None


@dataclass(frozen=True)
class Tree:
    """One annotation folder and what belongs to it; all paths are absolute.

    root: the folder of `annotations` and `images`; where XML lies beside the images all three are the same.
    images: None where no image folder was found. lists: the folder ImageSets/Main, None where there is none.
    items: one for each XML. image_files: all images of the tree, relative to `images`, sorted by bytes.
    images_without_xml: images that no XML has the name of; an XML may still name one in its <filename>.
    """

    root: Path
    annotations: Path
    images: Path | None
    lists: Path | None
    items: tuple[Item, ...]
    image_files: tuple[str, ...]
    images_without_xml: tuple[Item, ...]

    @functools.cached_property
    def images_by_name(self) -> dict[str, tuple[str, ...]]:
        """Relative paths of the images by their last part ("a.jpg") and by that without suffix ("a")."""
        found: dict[str, list[str]] = {}
        for file in self.image_files:
            name = file.rpartition("/")[2]
            for key in {name, _split_suffix(name)[0]}:
                found.setdefault(key, []).append(file)
        return {name: tuple(where) for name, where in found.items()}


@dataclass(frozen=True)
class VocSet:
    """A Pascal VOC set: trees in the order of their paths, items in the order of tree and id (by bytes).

    root: absolute. stray_xml: XML files outside every tree, relative to the root; they are left alone.
    """

    root: Path
    trees: tuple[Tree, ...]
    items: tuple[Item, ...]
    stray_xml: tuple[str, ...] = field(default=())

    @property
    def images_without_xml(self) -> tuple[Item, ...]:
        """Those of all trees; their `xml` is None."""
        return tuple(item for tree in self.trees for item in tree.images_without_xml)

    @functools.cached_property
    def tree_names(self) -> tuple[str, ...]:
        """A unique name of each tree: its root's path inside the set, "" for the set's own root."""
        roots = [relative(tree.root, self.root) for tree in self.trees]
        return tuple(
            root if roots.count(root) == 1 else relative(tree.annotations, self.root)
            for root, tree in zip(roots, self.trees, strict=True)
        )

    def key(self, item: Item) -> str:
        """A text that names the item in the whole set: its id, after the tree's path where there are several trees."""
        if len(self.trees) == 1:
            return item.id
        return f"{self.tree_names[item.tree]}/{item.id}".removeprefix("/")

    def name(self, path: Path | str) -> str:
        """A path as messages show it: relative to the set's root where it lies inside."""
        text, root = os.fspath(path), os.fspath(self.root)
        return text[len(root) :].lstrip("/") if text.startswith(root.rstrip("/") + "/") else text

    def image_by_filename(self, item: Item, filename: str) -> Path | None:
        """The image that the XML names in <filename>, looked up among the images of the item's tree.

        Only the last part of the name counts, after / and \\ alike, so that nothing outside the set can be named. The
        folder of the item comes first; a name that several other folders have is nobody's.
        """
        tree = self.trees[item.tree]
        if tree.images is None:
            return None
        found = tree.images_by_name.get(filename.replace("\\", "/").rpartition("/")[2].strip(), ())
        folder = item.id.rpartition("/")[0]
        beside = [file for file in found if file.rpartition("/")[0] == folder]
        if beside:
            return tree.images / beside[0]
        return tree.images / found[0] if len(found) == 1 else None


@dataclass(slots=True)
class _Folder:
    dirs: list[str]
    xmls: list[str]
    images: list[str]


def open_set(src: Path) -> VocSet:
    """Find the trees and items of a folder. An empty folder is an empty set.

    Raises UsageError where `src` is no folder, or is the inner folder of a set whose other half lies beside it.
    """
    root = Path(os.path.abspath(src))
    if not root.is_dir():
        raise UsageError(f"{escape(src)} is not a folder")
    folders = {str(where).removeprefix("."): _folder(dirs, names) for where, dirs, names in files.walk(root)}
    _refuse_half(src, root, folders)
    found = _annotation_folders(folders)
    beside, stray = _beside(folders, found)
    plans = [_plan(folders, annotations) for annotations in found]
    if beside is not None:
        plans.append(beside)
    plans.sort(key=lambda plan: (os.fsencode(plan.root), os.fsencode(plan.annotations)))
    trees = tuple(_tree(root, folders, plan, number) for number, plan in enumerate(plans))
    return VocSet(root, trees, tuple(item for tree in trees for item in tree.items), tuple(stray))


@dataclass(frozen=True, slots=True)
class _Plan:
    """A tree to be: folders relative to the set's root, and which of their subfolders count."""

    root: str
    annotations: str
    images: str | None
    xml_folders: tuple[str, ...]
    image_folders: tuple[str, ...]


def relative(path: Path, root: Path) -> str:
    """`path` inside `root` with "/" between the parts, "" for the root itself."""
    return path.relative_to(root).as_posix().removeprefix(".")


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _split_suffix(name: str) -> tuple[str, str]:
    """("a.b", ".jpg") of "a.b.JPG"; like os.path.splitext for names that do not start with a dot."""
    stem, dot, suffix = name.rpartition(".")
    return (stem, dot + suffix.lower()) if dot else (name, "")


def _folder(dirs: list[str], names: list[str]) -> _Folder:
    folder = _Folder(dirs, [], [])
    kinds = {".xml": folder.xmls} | dict.fromkeys(IMAGE_SUFFIXES, folder.images)
    for name in names:
        at = name.rfind(".")
        kind = kinds.get(name[at:]) or kinds.get(name[at:].lower()) if at > 0 else None
        if kind is not None:
            kind.append(name)
    return folder


def _sorted(names: list[str]) -> list[str]:
    """Sorted by bytes; plain names are so in the order of their characters."""
    return sorted(names, key=None if "".join(names).isascii() else os.fsencode)


def _under(folders: Iterable[str], top: str) -> Iterator[str]:
    """The folder `top` and all below it."""
    inside = top + "/"
    return (f for f in folders if not top or f == top or f.startswith(inside))


def _refuse_half(src: Path, root: Path, folders: dict[str, _Folder]) -> None:
    """Raise where `src` is the Annotations or JPEGImages folder itself and the other half lies beside it."""
    name = root.name.lower()
    if any(f.images for f in folders.values()) == any(f.xmls for f in folders.values()):
        return
    wanted: Iterable[str] = ()
    if name in ANNOTATION_FOLDERS and any(f.xmls for f in folders.values()):
        wanted = IMAGE_FOLDERS
    elif name in IMAGE_FOLDERS and any(f.images for f in folders.values()):
        wanted = ANNOTATION_FOLDERS
    try:
        with os.scandir(root.parent) as entries:
            beside = sorted(e.name for e in entries if e.name.lower() in wanted and e.is_dir(follow_symlinks=False))
    except OSError:  # no right to look there: then nothing is known to lie beside
        return
    if beside:
        raise UsageError(
            f"{escape(src)} is one half of a set, {escape(beside[0])} lies beside it: give {escape(root.parent)}"
        )


def _annotation_folders(folders: dict[str, _Folder]) -> list[str]:
    """The topmost folders that hold annotations, by their name or by the image folder beside them."""
    with_xml = _ancestors(f for f, folder in folders.items() if folder.xmls)
    with_image = _ancestors(f for f, folder in folders.items() if folder.images)
    found: list[str] = []
    inside: tuple[str, ...] = ()
    for where in folders:  # parents come before their children
        if not where or where.startswith(inside):
            continue
        parent, _, name = where.rpartition("/")
        image_folder = _image_folder(folders, parent, where)
        named = name.lower() in ANNOTATION_FOLDERS and (where in with_xml or image_folder is not None)
        alone = where in with_xml and where not in with_image and image_folder in with_image
        if named or alone:
            found.append(where)
            inside = (*inside, where + "/")
    return found


def _ancestors(folders: Iterable[str]) -> set[str]:
    """The folders and all that they lie in."""
    found: set[str] = set()
    for folder in folders:
        while folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


def _image_folder(folders: dict[str, _Folder], parent: str, annotations: str) -> str | None:
    """The folder of `parent` that is named like one of images, the most likely name first."""
    named = [d for d in folders[parent].dirs if d.lower() in IMAGE_FOLDERS and _join(parent, d) != annotations]
    return _join(parent, min(named, key=lambda d: (IMAGE_FOLDERS.index(d.lower()), os.fsencode(d)))) if named else None


def _plan(folders: dict[str, _Folder], annotations: str) -> _Plan:
    root = annotations.rpartition("/")[0]
    images = _image_folder(folders, root, annotations)
    while not folders[annotations].xmls:  # annotations/xmls/*.xml beside images/*.jpg: the inner folder is the one
        below = ((d, _under(folders, _join(annotations, d))) for d in folders[annotations].dirs)
        inner = [d for d, tree in below if any(folders[f].xmls for f in tree)]
        if len(inner) != 1 or images is None or inner[0] in folders[images].dirs:
            break
        annotations = _join(annotations, inner[0])
    image_folders: tuple[str, ...] = ()
    if images is not None:
        image_folders = tuple(_under(folders, images))
    elif any(folders[f].images for f in _under(folders, annotations)):
        images, image_folders = annotations, tuple(_under(folders, annotations))
    elif folders[root].images:
        images, image_folders = root, (root,)
    return _Plan(root, annotations, images, tuple(_under(folders, annotations)), image_folders)


def _beside(folders: dict[str, _Folder], found: list[str]) -> tuple[_Plan | None, list[str]]:
    """The tree of XML that lies in no annotation folder, and the XML files that belong to none.

    Beside proper trees an XML without an image of its name is somebody's settings rather than an annotation.
    """
    taken = {f for annotations in found for f in _under(folders, annotations)}
    loose = [f for f, folder in folders.items() if folder.xmls and f not in taken]
    if not found:
        everything = tuple(folders)
        return (_Plan("", "", "", everything, everything) if loose or _has_images(folders) else None), []
    paired = [f for f in loose if _stems(folders[f].xmls) & _stems(folders[f].images)]
    stray = [_join(f, name) for f in loose if f not in paired for name in folders[f].xmls]
    return (_Plan("", "", "", tuple(paired), tuple(paired)) if paired else None), stray


def _has_images(folders: dict[str, _Folder]) -> bool:
    return any(folder.images for folder in folders.values())


def _stems(names: list[str]) -> set[str]:
    return {_split_suffix(name)[0] for name in names}


def _tree(root: Path, folders: dict[str, _Folder], plan: _Plan, number: int) -> Tree:
    image_files = _files_below(plan.images, plan.image_folders, {f: folders[f].images for f in plan.image_folders})
    xml_files = _files_below(plan.annotations, plan.xml_folders, {f: folders[f].xmls for f in plan.xml_folders})
    stems = [file[: file.rfind(".")] for file in image_files]
    # reversed: of a.jpg and a.png the first is the image, lint names the other
    by_stem = dict(zip(reversed(stems), reversed(image_files), strict=True))
    annotations = os.path.join(root, plan.annotations).rstrip("/") + "/"
    images = os.path.join(root, plan.images).rstrip("/") + "/" if plan.images is not None else ""
    items: dict[str, Item] = {}
    for file in xml_files:
        stem = file[:-4]
        image = by_stem.get(stem)
        name = stem if stem not in items else file  # a.XML beside a.xml
        items[name] = Item(name, annotations + file, images + image if image else "", number)
    alone = [
        Item(stem, "", images + file, number)
        for stem, file in zip(stems, image_files, strict=True)
        if stem not in items
    ]
    return Tree(
        root=root / plan.root,
        annotations=root / plan.annotations,
        images=root / plan.images if plan.images is not None else None,
        lists=_lists_folder(root, folders, plan.root),
        items=tuple(items[name] for name in _sorted(list(items))),
        image_files=image_files,
        images_without_xml=tuple(alone),
    )


def _files_below(top: str | None, where: Iterable[str], names: dict[str, list[str]]) -> tuple[str, ...]:
    """Files relative to the folder `top`, sorted by bytes."""
    if top is None:
        return ()
    cut = len(top) + 1 if top else 0
    found: list[str] = []
    for folder in where:
        inner = _join(folder, "")[cut:]
        found += [inner + name for name in names[folder]] if inner else names[folder]
    return tuple(_sorted(found))


def _lists_folder(root: Path, folders: dict[str, _Folder], tree_root: str) -> Path | None:
    for sets in folders[tree_root].dirs:
        if sets.lower() == "imagesets":
            for main in folders[_join(tree_root, sets)].dirs:
                if main.lower() == "main":
                    return root / tree_root / sets / main
    return None
