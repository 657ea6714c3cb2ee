"""Boxes, classes and sizes of 10,000 Pascal VOC files: this package against loops over XML parsers, and its peers.

Every contestant lists the folder, reads each file, and ends with the boxes, the class of each, and the image sizes.
"""

import random
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import contest
import cv2
import numpy as np
import xmltodict
from lxml import etree

from datatools.io.voc.layout import open_set
from datatools.io.voc.scan import read_table

FILES = 10_000
OBJECTS = 3
CLASSES = ("person", "car", "dog", "bicycle", "chair", "cat", "bottle", "pottedplant")

HEAD = """<annotation>
\t<folder>VOC2007</folder>
\t<filename>{stem}.jpg</filename>
\t<source>
\t\t<database>The VOC2007 Database</database>
\t\t<annotation>PASCAL VOC2007</annotation>
\t\t<image>flickr</image>
\t</source>
\t<size>
\t\t<width>500</width>
\t\t<height>375</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
"""
OBJECT = """\t<object>
\t\t<name>{name}</name>
\t\t<pose>Unspecified</pose>
\t\t<truncated>{truncated}</truncated>
\t\t<difficult>0</difficult>
\t\t<bndbox>
\t\t\t<xmin>{x}</xmin>
\t\t\t<ymin>{y}</ymin>
\t\t\t<xmax>{x2}</xmax>
\t\t\t<ymax>{y2}</ymax>
\t\t</bndbox>
\t</object>
"""

SUPERVISION = """
import supervision
root = sys.argv[2]
def job():
    data = supervision.DetectionDataset.from_pascal_voc(root + "/JPEGImages", root + "/Annotations")
    assert len(data.annotations) == int(sys.argv[3])
"""
LABELFORMAT = """
from pathlib import Path
from labelformat.formats.pascalvoc import PascalVOCObjectDetectionInput
root, classes = sys.argv[2], sys.argv[4]
def job():
    data = PascalVOCObjectDetectionInput(input_folder=Path(root) / "Annotations", category_names=classes)
    assert sum(1 for _ in data.get_labels()) == int(sys.argv[3])
"""
DATUMARO = """
import datumaro
root = sys.argv[2]
def job():
    data = datumaro.Dataset.import_from(root, "voc_detection")
    assert sum(1 for _ in data) == int(sys.argv[3])
"""


def make(root: Path) -> None:
    """A set of the usual form. The images are one small JPEG, linked: two peers open them."""
    rng = random.Random(11)
    for folder in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (root / folder).mkdir(parents=True)
    picture = root / "picture.jpg"
    picture.write_bytes(cv2.imencode(".jpg", np.full((375, 500, 3), 128, np.uint8))[1].tobytes())
    stems = [f"{number:06d}" for number in range(FILES)]
    for stem in stems:
        text = HEAD.format(stem=stem)
        for _ in range(OBJECTS):
            x, y = rng.randint(1, 300), rng.randint(1, 200)
            text += OBJECT.format(
                name=rng.choice(CLASSES),
                truncated=rng.randint(0, 1),
                x=x,
                y=y,
                x2=x + rng.randint(5, 190),
                y2=y + rng.randint(5, 170),
            )
        (root / "Annotations" / f"{stem}.xml").write_text(text + "</annotation>\n")
        (root / "JPEGImages" / f"{stem}.jpg").hardlink_to(picture)
    (root / "ImageSets" / "Main" / "train.txt").write_text("\n".join(stems) + "\n")
    picture.unlink()


def with_datatools(root: Path) -> int:
    """The job, as the operations do it."""
    return len(read_table(open_set(root)).xyxy)


def with_parser(root: Path, parse: Callable[[bytes], Any]) -> int:
    """A plain loop over a parser that gives a tree."""
    boxes, names, sizes = [], [], []
    for path in sorted((root / "Annotations").glob("*.xml")):
        annotation = parse(path.read_bytes())
        size = annotation.find("size")
        sizes.append((int(size.find("width").text), int(size.find("height").text)))
        for element in annotation.findall("object"):
            box = element.find("bndbox")
            names.append(element.find("name").text)
            boxes.append([float(box.find(tag).text) for tag in ("xmin", "ymin", "xmax", "ymax")])
    return len(boxes)


def with_xmltodict(root: Path) -> int:
    """The same loop over xmltodict."""
    boxes, names, sizes = [], [], []
    for path in sorted((root / "Annotations").glob("*.xml")):
        annotation = xmltodict.parse(path.read_bytes(), force_list=("object",))["annotation"]
        sizes.append((int(annotation["size"]["width"]), int(annotation["size"]["height"])))
        for element in annotation.get("object", ()):
            names.append(element["name"])
            boxes.append([float(element["bndbox"][tag]) for tag in ("xmin", "ymin", "xmax", "ymax")])
    return len(boxes)


def main() -> None:
    """Run, and hold ourselves to the bars."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "VOC2007"
        make(root)
        contestants = {
            "datatools": lambda: with_datatools(root),
            "xml.etree loop": lambda: with_parser(root, ET.fromstring),
            "lxml loop": lambda: with_parser(root, etree.fromstring),
            "xmltodict loop": lambda: with_xmltodict(root),
        }
        assert len({job() for job in contestants.values()}) == 1, "the contestants disagree"
        for name, code in (("supervision", SUPERVISION), ("labelformat", LABELFORMAT), ("datumaro", DATUMARO)):
            if contest.has_peer(name):
                contestants[name] = contest.peer(code, root, FILES, ",".join(CLASSES))
        rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
        note = f"boxes, classes and sizes of {FILES} files of {OBJECTS} objects, one process each"
        ratios = contest.run("voc_reading", note, contestants, rounds=rounds)
    contest.finish(
        contest.bar("at most half the CPU of an xml.etree loop", ratios["xml.etree loop"] >= 2),
        contest.bar("at least 10 times faster than an xmltodict loop", ratios["xmltodict loop"] >= 10),
    )


if __name__ == "__main__":
    main()
