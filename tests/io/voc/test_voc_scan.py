"""All boxes of a set: columns, coordinates, classes, failures."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from datatools.core.types import Run
from datatools.io.voc import scan
from datatools.io.voc.document import annotation, parse
from datatools.io.voc.layout import open_set
from datatools.io.voc.scan import BoxTable, read_table

T = TypeVar("T")
R = TypeVar("R")


def xml(
    *objects: tuple[str, str, str, str, str], size: str = "<size><width>640</width><height>480</height></size>"
) -> str:
    tags = ("xmin", "ymin", "xmax", "ymax")
    body = "".join(
        f"<object><name>{name}</name><bndbox>"
        + "".join(f"<{t}>{v}</{t}>" for t, v in zip(tags, box, strict=True))
        + "</bndbox></object>"
        for name, *box in objects
    )
    return f"<annotation>{size}{body}</annotation>"


def make(root: Path, **texts: str) -> Path:
    (root / "Annotations").mkdir(exist_ok=True)
    for name, text in texts.items():
        (root / "Annotations" / f"{name}.xml").write_text(text)
    return root


def test_columns(tmp_path: Path) -> None:
    root = make(
        tmp_path,
        a=xml(("dog", "1", "2", "30", "40"), ("cat", "5", "6", "7.5", "8")),
        b=xml(size=""),
        c=xml(("dog", "1", "1", "640", "480"), ("dog", "3", "3", "4", "4")).replace("<name>", "<!-- x --><name>"),
    )
    table = read_table(open_set(root))
    assert [item.id for item in table.items] == ["a", "b", "c"]
    assert table.classes == ("cat", "dog")
    assert table.coords == "voc"
    assert table.box_item.tolist() == [0, 0, 2, 2]
    assert table.box_class.tolist() == [1, 0, 1, 1]
    assert table.xyxy.tolist() == [[0, 1, 30, 40], [4, 5, 7.5, 8], [0, 0, 640, 480], [2, 2, 4, 4]]
    np.testing.assert_array_equal(table.size_wh, [[640, 480], [np.nan, np.nan], [640, 480]])
    assert table.failures == ()
    assert not table.difficult.any()


def test_coords(tmp_path: Path) -> None:
    root = make(tmp_path, a=xml(("dog", "1", "2", "30", "40")), b=xml(("dog", "5", "0", "7", "8")))
    assert read_table(open_set(root)).coords == "zero"
    assert read_table(open_set(root)).xyxy[0].tolist() == [1, 2, 30, 40]
    assert read_table(open_set(root), coords="voc").xyxy[1].tolist() == [4, -1, 7, 8]


def test_failures_are_named_and_the_others_are_read(tmp_path: Path) -> None:
    root = make(
        tmp_path,
        a=xml(("dog", "1", "2", "30", "nan"), ("dog", "1", "2", "30", "40")),
        b="<annotation><object>",
        c="<!DOCTYPE annotation><annotation/>",
        d="<annotation>\n<object><name>x</name></object></annotation>",
        e="",
    )
    table = read_table(open_set(root))
    assert [item.id for item in table.items] == ["a", "d"]
    assert len(table.box_item) == 1
    assert [(e.path, e.line, e.code) for e in table.failures] == [
        ("Annotations/a.xml", 1, "E-BOX-INVALID"),
        ("Annotations/b.xml", 1, "E-XML-BROKEN"),
        ("Annotations/c.xml", 1, "E-XML-DTD"),
        ("Annotations/d.xml", 2, "E-OBJECT-NO-BOX"),
        ("Annotations/e.xml", 1, "E-XML-BROKEN"),
    ]


def test_a_file_that_is_gone_or_became_a_pipe(tmp_path: Path) -> None:
    root = make(tmp_path, a=xml(), b=xml(), c=xml())
    voc_set = open_set(root)
    (root / "Annotations/a.xml").unlink()
    (root / "Annotations/b.xml").unlink()
    os.mkfifo(root / "Annotations/b.xml")
    table = read_table(voc_set)
    assert [item.id for item in table.items] == ["c"]
    assert [e.code for e in table.failures] == ["E-FILE-READ"] * 2


def test_a_large_file_is_read_whole(tmp_path: Path) -> None:
    root = make(tmp_path, a=xml(*[("dog", "1", "2", "30", str(40 + i)) for i in range(2000)]))
    assert read_table(open_set(root)).xyxy[-1].tolist() == [0, 1, 30, 2039]


@pytest.mark.parametrize(
    ("name", "text"),
    [("labelmap.txt", "# label:color\nbackground:0,0,0::\nzebra:1,2,3::\ncat\n"), ("classes.txt", "zebra\r\ncat")],
)
def test_declared_classes_come_first(tmp_path: Path, name: str, text: str) -> None:
    root = make(tmp_path, a=xml(("dog", "1", "2", "3", "4"), ("cat", "1", "2", "3", "4")))
    (root / name).write_text(text)
    table = read_table(open_set(root))
    assert table.classes == ("zebra", "cat", "dog")
    assert table.box_class.tolist() == [2, 1]


def test_empty_set(tmp_path: Path) -> None:
    table = read_table(open_set(tmp_path))
    assert (table.items, table.classes, table.xyxy.shape, table.size_wh.shape) == ((), (), (0, 4), (0, 2))


class Processes(Run):
    jobs = 2

    def map(self, function: Callable[[T], R], items: Sequence[T], label: str) -> Iterator[R]:
        with ProcessPoolExecutor(2) as pool:
            yield from pool.map(function, items)


def same(a: BoxTable, b: BoxTable) -> bool:
    columns = ("size_wh", "depth", "box_item", "box_class", "xyxy", "difficult", "truncated", "occluded")
    return (
        all(np.array_equal(getattr(a, c), getattr(b, c), equal_nan=True) for c in columns)
        and (a.items, a.classes, a.filenames) == (b.items, b.classes, b.filenames)
        and list(map(str, a.failures)) == list(map(str, b.failures))
    )


def test_processes_and_chunks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {f"f{i}": xml((f"c{i % 7}", "1", "2", str(10 + i), "40")) for i in range(40)}
    texts["f11"] = "<annotation>"
    texts["f12"] = xml(("a", "x", "2", "3", "4"))
    voc_set = open_set(make(tmp_path, **texts))
    whole = read_table(voc_set)
    monkeypatch.setattr(scan, "CHUNK_FILES", 7)
    assert same(whole, read_table(voc_set))
    assert same(whole, read_table(voc_set, run=Processes()))


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "boxes", "coords"),
    [
        ("bccd", 1870, "voc"),
        ("microcontrollers", 54, "voc"),
        ("radar_xml", 1928, "voc"),
        ("robosub", 251, "voc"),
        ("vott_unicode", 41, "zero"),
    ],
)
def test_real_sets_read_alike_file_by_file(shared_voc: Path, name: str, boxes: int, coords: str) -> None:
    voc_set = open_set(shared_voc / name)
    table = read_table(voc_set)
    assert (len(table.xyxy), table.coords, table.failures) == (boxes, coords, ())
    assert table.items == voc_set.items
    expected = [annotation(parse(Path(i.xml_file).read_bytes(), ""), i.id, coords) for i in voc_set.items]
    assert table.xyxy.tolist() == [list(box.xyxy) for a in expected for box in a.boxes]
    assert [table.classes[c] for c in table.box_class] == [box.label for a in expected for box in a.boxes]
    assert list(table.filenames) == [a.filename for a in expected]
