"""5,000 Pascal VOC files to YOLO and to COCO: this package against a plain script and its peers.

Everyone reads the same set and writes labels that a trainer can use. datatools and the plain script also link the
images into the output; the peers are told to leave images alone. datatools checks its input, counts what gets lost and
brings the output to the disk; nobody else does.
"""

import itertools
import json
import os
import random
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import contest
import cv2
import numpy as np

from datatools.core.types import Dataset
from datatools.ops.voc.convert import convert

FILES = 5_000
OBJECTS = 3
WIDTH, HEIGHT = 500, 375
CLASSES = ("bicycle", "bottle", "car", "cat", "chair", "dog", "person", "pottedplant")
_numbers = itertools.count()

PEER = """
import itertools, os, sys
from pathlib import Path
root, out, target, classes = sys.argv[2:6]
numbers = itertools.count()
"""
SUPERVISION = (
    PEER
    + """
import supervision
def job():
    folder = Path(out) / f"sv{target}{next(numbers)}"
    folder.mkdir()
    data = supervision.DetectionDataset.from_pascal_voc(root + "/JPEGImages", root + "/Annotations")
    if target == "coco":
        data.as_coco(annotations_path=str(folder / "a.json"))
    else:
        data.as_yolo(annotations_directory_path=str(folder / "labels"), data_yaml_path=str(folder / "data.yaml"))
"""
)
LABELFORMAT = (
    PEER
    + """
from labelformat.formats import (
    COCOObjectDetectionOutput, PascalVOCObjectDetectionInput, YOLOv8ObjectDetectionOutput,
)
def job():
    folder = Path(out) / f"lf{target}{next(numbers)}"
    folder.mkdir()
    data = PascalVOCObjectDetectionInput(input_folder=Path(root) / "Annotations", category_names=classes)
    if target == "coco":
        COCOObjectDetectionOutput(output_file=folder / "a.json").save(label_input=data)
    else:
        YOLOv8ObjectDetectionOutput(output_file=folder / "data.yaml", output_split="train").save(label_input=data)
"""
)
DATUMARO = (
    PEER
    + """
import datumaro
def job():
    data = datumaro.Dataset.import_from(root, "voc_detection")
    name = {"coco": "coco_instances", "yolo": "yolo_ultralytics"}[target]
    data.export(str(Path(out) / f"dm{target}{next(numbers)}"), name, save_media=False)
"""
)


def make(root: Path) -> None:
    """A set of the usual form, a fifth of it in val. The images are one small JPEG, linked."""
    rng = random.Random(5)
    for folder in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (root / folder).mkdir(parents=True)
    picture = cv2.imencode(".jpg", np.full((HEIGHT, WIDTH, 3), 128, np.uint8))[1].tobytes()
    stems = [f"{number:06d}" for number in range(FILES)]
    for stem in stems:
        (root / "Annotations" / f"{stem}.xml").write_text(_xml(stem, rng))
        (root / "JPEGImages" / f"{stem}.jpg").write_bytes(picture)
    for split, ids in (("train", stems[: FILES * 4 // 5]), ("val", stems[FILES * 4 // 5 :])):
        (root / "ImageSets" / "Main" / f"{split}.txt").write_text("\n".join(ids) + "\n")


def _xml(stem: str, rng: random.Random) -> str:
    size = f"<width>{WIDTH}</width>\n\t\t<height>{HEIGHT}</height>\n\t\t<depth>3</depth>"
    lines = ["<annotation>", "\t<folder>VOC2007</folder>", f"\t<filename>{stem}.jpg</filename>"]
    lines += [f"\t<size>\n\t\t{size}\n\t</size>", "\t<segmented>0</segmented>"]
    for _ in range(OBJECTS):
        x, y = rng.randint(1, 300), rng.randint(1, 200)
        corners = {"xmin": x, "ymin": y, "xmax": x + rng.randint(5, 190), "ymax": y + rng.randint(5, 170)}
        lines += ["\t<object>", f"\t\t<name>{rng.choice(CLASSES)}</name>", "\t\t<pose>Unspecified</pose>"]
        lines += ["\t\t<truncated>0</truncated>", "\t\t<difficult>0</difficult>", "\t\t<bndbox>"]
        lines += [f"\t\t\t<{tag}>{value}</{tag}>" for tag, value in corners.items()]
        lines += ["\t\t</bndbox>", "\t</object>"]
    return "\n".join([*lines, "</annotation>", ""])


def with_datatools(root: Path, out: Path, target: str) -> Path:
    """The operation itself."""
    made = out / f"dt{target}{next(_numbers)}"
    convert(Dataset(root), out=made, to=target)
    return made


def with_script(root: Path, out: Path, target: str) -> Path:
    """What everyone writes in the first hour: xml.etree, no checks."""
    made = out / f"script{target}{next(_numbers)}"
    for split in ("train", "val"):
        images = made / (f"images/{split}" if target == "yolo" else "images")
        labels = made / (f"labels/{split}" if target == "yolo" else "annotations")
        images.mkdir(parents=True, exist_ok=True)
        labels.mkdir(parents=True, exist_ok=True)
        document: dict[str, list[dict[str, object]]] = {"images": [], "annotations": [], "categories": []}
        for stem in (root / "ImageSets" / "Main" / f"{split}.txt").read_text().split():
            annotation = ET.parse(root / "Annotations" / f"{stem}.xml").getroot()
            width, height = int(annotation.find("size/width").text), int(annotation.find("size/height").text)
            lines = []
            document["images"].append({"id": len(document["images"]) + 1, "file_name": stem + ".jpg"})
            for element in annotation.findall("object"):
                box = element.find("bndbox")
                x0, y0, x1, y1 = (float(box.find(tag).text) for tag in ("xmin", "ymin", "xmax", "ymax"))
                x0, y0 = x0 - 1, y0 - 1
                number = CLASSES.index(element.find("name").text)
                if target == "yolo":
                    values = ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)
                    lines.append(f"{number} " + " ".join(f"{value:.6f}" for value in values) + "\n")
                else:
                    bbox = [x0, y0, x1 - x0, y1 - y0]
                    entry = {"id": len(document["annotations"]) + 1, "category_id": number + 1, "bbox": bbox}
                    entry |= {"image_id": len(document["images"]), "area": bbox[2] * bbox[3], "iscrowd": 0}
                    document["annotations"].append(entry)
            if target == "yolo":
                (labels / f"{stem}.txt").write_text("".join(lines))
            os.link(root / "JPEGImages" / f"{stem}.jpg", images / f"{stem}.jpg")
        if target == "coco":
            (labels / f"instances_{split}.json").write_text(json.dumps(document))
    return made


def check_equal(root: Path, out: Path) -> None:
    """Both ways give the same labels."""
    mine, its = with_datatools(root, out, "yolo"), with_script(root, out, "yolo")
    for path in (its / "labels").rglob("*.txt"):
        assert path.read_bytes() == (mine / path.relative_to(its)).read_bytes(), path
    documents = [
        json.loads((f(root, out, "coco") / "annotations/instances_train.json").read_bytes())
        for f in (with_datatools, with_script)
    ]
    boxes = [[entry["bbox"] for entry in document["annotations"]] for document in documents]
    assert boxes[0] == boxes[1]


def contest_of(target: str, root: Path, out: Path, rounds: int) -> list[bool]:
    """One target format; returns whether each bar was met."""
    contestants: dict[str, Callable[[], object]] = {
        "datatools": lambda: with_datatools(root, out, target),
        "xml.etree script": lambda: with_script(root, out, target),
    }
    peers = (("labelformat", LABELFORMAT), ("supervision", SUPERVISION), ("datumaro", DATUMARO))
    for name, code in peers:
        if contest.has_peer(name):
            contestants[name] = contest.peer(code, root, out, target, ",".join(CLASSES))
    note = f"{FILES} VOC files of {OBJECTS} objects to {target}, one process each"
    ratios = contest.run(f"convert_{target}", note, contestants, rounds=rounds)
    # the plain script and labelformat check nothing, and labelformat writes no images: shown beside us, no bar
    bars = {
        "supervision": ("at most half the CPU of supervision", 2),
        "datumaro": ("at most half the CPU of datumaro", 2),
    }
    return [contest.bar(text, ratios[name] >= least) for name, (text, least) in bars.items() if name in ratios]


def main() -> None:
    """Run, and hold ourselves to the bars."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        root, out = Path(folder) / "VOC2007", Path(folder) / "out"
        make(root)
        out.mkdir()
        check_equal(root, out)
        contest.finish(*(met for target in ("yolo", "coco") for met in contest_of(target, root, out, rounds)))


if __name__ == "__main__":
    main()
