"""Where a set keeps its files, in every layout."""

from pathlib import Path

import pytest

from datatools.core.errors import UsageError
from datatools.io.voc.layout import VocSet, open_set


def make(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def pairs(voc_set: VocSet) -> list[tuple[str, str, str]]:
    return [
        (voc_set.key(i), voc_set.name(i.xml_file), voc_set.name(i.image_file) if i.image_file else "")
        for i in voc_set.items
    ]


def test_devkit(tmp_path: Path) -> None:
    root = make(
        tmp_path,
        "VOCdevkit/VOC2007/Annotations/b.xml",
        "VOCdevkit/VOC2007/Annotations/a.xml",
        "VOCdevkit/VOC2007/JPEGImages/a.JPG",
        "VOCdevkit/VOC2007/JPEGImages/c.png",
        "VOCdevkit/VOC2007/SegmentationClass/a.png",
        "VOCdevkit/VOC2007/ImageSets/Main/train.txt",
    )
    voc_set = open_set(root)
    base = "VOCdevkit/VOC2007"
    assert pairs(voc_set) == [
        ("a", f"{base}/Annotations/a.xml", f"{base}/JPEGImages/a.JPG"),
        ("b", f"{base}/Annotations/b.xml", ""),
    ]
    (tree,) = voc_set.trees
    assert tree.lists == root / base / "ImageSets" / "Main"
    assert tree.image_files == ("a.JPG", "c.png")
    (alone,) = voc_set.images_without_xml
    assert (alone.id, alone.xml, alone.image) == ("c", None, root / base / "JPEGImages" / "c.png")


@pytest.mark.parametrize(
    "folders", [("annotations", "images"), ("XML", "Imgs"), ("anything", "images"), ("labels", "img")]
)
def test_two_folders_with_subfolders(tmp_path: Path, folders: tuple[str, str]) -> None:
    xml, images = folders
    root = make(tmp_path, f"{xml}/train/a.xml", f"{images}/train/a.jpg", f"{xml}/val/a.xml", f"{images}/val/a.webp")
    assert pairs(open_set(root)) == [
        ("train/a", f"{xml}/train/a.xml", f"{images}/train/a.jpg"),
        ("val/a", f"{xml}/val/a.xml", f"{images}/val/a.webp"),
    ]


def test_xml_beside_images_is_one_tree(tmp_path: Path) -> None:
    root = make(tmp_path, "images/train/a.xml", "images/train/a.jpg", "images/test/b.xml", "images/test/b.jpg")
    voc_set = open_set(root)
    assert [t.root for t in voc_set.trees] == [root]
    assert [key for key, _, _ in pairs(voc_set)] == ["images/test/b", "images/train/a"]
    assert all(item.image for item in voc_set.items)


def test_inner_annotation_folder(tmp_path: Path) -> None:
    root = make(tmp_path, "annotations/xmls/a.xml", "annotations/trimaps/a.png", "images/a.jpg")
    assert pairs(open_set(root)) == [("a", "annotations/xmls/a.xml", "images/a.jpg")]


def test_several_trees_with_the_same_stems(tmp_path: Path) -> None:
    root = make(tmp_path, *(f"{t}{d}" for t in ("", "two/") for d in ("Annotations/1.xml", "JPEGImages/1.jpg")))
    make(root, "two/settings.xml", "three/2.xml", "three/2.jpg")
    voc_set = open_set(root)
    assert [voc_set.key(i) for i in voc_set.items] == ["three/2", "Annotations/1", "two/1"]
    assert voc_set.items[2].image == root / "two/JPEGImages/1.jpg"
    assert voc_set.stray_xml == ("two/settings.xml",)


def test_twins_are_kept_apart(tmp_path: Path) -> None:
    root = make(tmp_path, "Annotations/a.xml", "Annotations/a.XML", "JPEGImages/a.png", "JPEGImages/a.jpg")
    voc_set = open_set(root)
    assert [i.id for i in voc_set.items] == ["a", "a.xml"]  # A.XML comes first by bytes
    assert voc_set.items[0].image == root / "JPEGImages/a.jpg"
    assert voc_set.trees[0].image_files == ("a.jpg", "a.png")


def test_annotations_alone(tmp_path: Path) -> None:
    root = make(tmp_path, "Annotations/a.xml")
    for src in (root, root / "Annotations"):
        (item,) = open_set(src).items
        assert item.image is None
    assert open_set(root).trees[0].images is None


def test_no_folder_and_half_a_set_and_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a folder"):
        open_set(tmp_path / "missing")
    assert open_set(tmp_path).items == ()
    make(tmp_path, "Annotations/a.xml", "JPEGImages/a.jpg")
    for half, other in (("Annotations", "JPEGImages"), ("JPEGImages", "Annotations")):
        with pytest.raises(UsageError, match=f"{other} lies beside it: give {tmp_path}"):
            open_set(tmp_path / half)


def test_odd_files_are_not_seen(tmp_path: Path) -> None:
    root = make(tmp_path, "Annotations/a.xml", "Annotations/.b.xml", "JPEGImages/._a.jpg", "outside.jpg")
    (root / "JPEGImages" / "a.jpg").symlink_to(root / "outside.jpg")
    (root / "JPEGImages" / "folder.jpg").mkdir()
    (item,) = open_set(root).items
    assert item.image is None


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    name = b"\xff\xfe"
    root = make(tmp_path, "Annotations/z.xml", "JPEGImages/z.jpg")
    for folder, suffix in ((b"Annotations/", b".xml"), (b"JPEGImages/", b".jpg")):
        with open(bytes(root) + b"/" + folder + name + suffix, "wb"):
            pass
    voc_set = open_set(root)
    assert [bool(i.image) for i in voc_set.items] == [True, True]


def test_image_by_filename(tmp_path: Path) -> None:
    root = make(tmp_path, "Annotations/a.xml", "Annotations/s/b.xml", "secret.jpg")
    make(root, "JPEGImages/photo.jpg", "JPEGImages/s/twin.jpg", "JPEGImages/t/twin.jpg")
    voc_set = open_set(root)
    a, b = voc_set.items
    photo = root / "JPEGImages/photo.jpg"
    for name in ("photo.jpg", "C:\\Users\\me\\photo.jpg", "../../photo.jpg", "/etc/photo.jpg", "photo"):
        assert voc_set.image_by_filename(a, name) == photo, name
    for name in ("", "..", "../secret.jpg", "/", "missing.jpg", "twin.jpg"):
        assert voc_set.image_by_filename(a, name) is None, name
    assert voc_set.image_by_filename(b, "twin.jpg") == root / "JPEGImages/s/twin.jpg"


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "trees", "items", "with_image"),
    [
        ("bccd", 1, 120, 120),
        ("microcontrollers", 1, 50, 50),
        ("radar_xml", 1, 375, 0),
        ("robosub", 1, 191, 39),
        ("vott_unicode", 4, 36, 36),
    ],
)
def test_real_sets(shared_voc: Path, name: str, trees: int, items: int, with_image: int) -> None:
    voc_set = open_set(shared_voc / name)
    assert len(voc_set.trees) == trees
    assert len({voc_set.key(i) for i in voc_set.items}) == len(voc_set.items) == items
    assert sum(i.image is not None for i in voc_set.items) == with_image
    assert voc_set.images_without_xml == ()
