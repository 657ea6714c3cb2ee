"""Text sets against the loops of PaddleOCR's tools: reading label files, cutting quads, the whole crop command.

The loops are written here as those tools work: json.loads and one array a page; getPerspectiveTransform and
warpPerspective for each quad; imread and imwrite. They check nothing. datatools proves every line and image, finds
images by their paths, keeps a journal and brings its output to the disk.
"""

import itertools
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import contest
import cv2
import numpy as np

from datatools.core import op
from datatools.engine.executors import LocalRun
from datatools.engine.runner import execute
from datatools.io.paddleocr import items, layout
from datatools.kernels.rectify import rectify

PAGES, REGIONS = 10_000, 12
CUT_PAGES = 300
WIDTH, HEIGHT = 1280, 720
TEXTS = ("###", "Hello", "connexis", "Tower 12", "中文", "No. 42")
_numbers = itertools.count()


def regions(rng: random.Random) -> list[dict[str, object]]:
    """Slanted quads with texts, whole pixels."""
    found = []
    for _ in range(REGIONS):
        x, y, w, h = (
            rng.randint(0, WIDTH - 220),
            rng.randint(20, HEIGHT - 80),
            rng.randint(30, 200),
            rng.randint(12, 40),
        )
        slant = rng.randint(-8, 8)
        points = [[x, y], [x + w, y + slant], [x + w, y + h + slant], [x, y + h]]
        found.append({"transcription": rng.choice(TEXTS), "points": points})
    return found


def make(root: Path, pages: int, picture: bytes) -> None:
    """A detection set whose images are one JPEG, linked."""
    rng = random.Random(5)
    (root / "imgs").mkdir(parents=True)
    (root / "imgs" / "0.jpg").write_bytes(picture)
    for number in range(1, pages):
        os.link(root / "imgs" / "0.jpg", root / "imgs" / f"{number}.jpg")
    lines = (f"imgs/{n}.jpg\t{json.dumps(regions(rng), ensure_ascii=False)}\n" for n in range(pages))
    (root / "train.txt").write_text("".join(lines), encoding="utf-8")


def read_plainly(root: Path) -> list[tuple[str, np.ndarray, list[str], np.ndarray]]:
    """As a training loader reads labels."""
    found = []
    for line in (root / "train.txt").open("rb"):
        name, label = line.decode("utf-8").strip("\n").split("\t")
        path = os.path.join(root, name)
        if not os.path.exists(path):
            raise FileNotFoundError(path)
        entries = json.loads(label)
        boxes = np.array([entry["points"] for entry in entries], dtype=np.float32)
        texts = [entry["transcription"] for entry in entries]
        found.append((path, boxes, texts, np.array([text in ("*", "###") for text in texts], dtype=bool)))
    return found


def read_with_datatools(root: Path) -> list[items.Item]:
    """The reader itself."""
    return items.read_pages(layout.open_set(root))[0]


def cut_plainly(picture: np.ndarray, quad: np.ndarray) -> np.ndarray:
    """As PaddleOCR's tools cut a quad, float32."""
    top, right, bottom, left = (float(np.linalg.norm(quad[i] - quad[(i + 1) % 4])) for i in range(4))
    width, height = int(max(top, bottom)), int(max(left, right))
    upright = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(quad, upright)
    cut = cv2.warpPerspective(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC)
    return np.rot90(cut) if cut.shape[0] >= 1.5 * cut.shape[1] else cut


def crop_plainly(root: Path, out: Path) -> None:
    """Read, cut and write every region: imread, imwrite, a list of lines."""
    made = out / f"plain{next(_numbers)}"
    (made / "crop_img").mkdir(parents=True)
    with (made / "rec_gt.txt").open("w", encoding="utf-8") as file:
        for line in (root / "train.txt").read_text(encoding="utf-8").splitlines():
            name, _, label = line.partition("\t")
            picture = cv2.imread(str(root / name))
            for number, entry in enumerate(json.loads(label)):
                if entry["transcription"] == "###":
                    continue
                cut = cut_plainly(picture, np.array(entry["points"], np.float32))
                image = f"crop_img/{Path(name).stem}_crop_{number}.jpg"
                cv2.imwrite(str(made / image), cut)
                file.write(f"{image}\t{entry['transcription']}\n")


def crop_with_datatools(root: Path, out: Path) -> Path:
    """The command itself, in this process."""
    made = out / f"datatools{next(_numbers)}"
    execute(op.find("ocr.crop"), {"src": root, "out": made}, LocalRun(1))
    return made


def with_children(job: Callable[[], object]) -> contest.Timing:
    """Run once; count the CPU of the worker processes, too."""
    before, started = os.times(), time.perf_counter()
    job()
    after = os.times()
    return contest.Timing(sum(after[:4]) - sum(before[:4]), time.perf_counter() - started)


def photograph() -> np.ndarray:
    """Something like a photograph: smooth with some grain. (H, W, 3) uint8."""
    rng = np.random.default_rng(3)
    coarse = cv2.resize(rng.integers(0, 256, (24, 40, 3), np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.clip(coarse + rng.normal(0, 6, coarse.shape), 0, 255).astype(np.uint8)


def check_equal(root: Path, out: Path) -> None:
    """Both ways cut the same texts."""
    crop_plainly(root, out)
    plain = next(out.glob("plain*"))
    mine = crop_with_datatools(root, out)
    theirs = [line.partition("\t")[2] for line in (plain / "rec_gt.txt").read_text().splitlines()]
    assert [line.partition("\t")[2] for line in (mine / "train.txt").read_text().splitlines()] == theirs


def main() -> None:
    """Run, and hold ourselves to the bars."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    cv2.setNumThreads(1)
    picture = photograph()
    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    met = []
    with tempfile.TemporaryDirectory() as folder:
        many, few, out = Path(folder) / "many", Path(folder) / "few", Path(folder) / "out"
        make(many, PAGES, jpeg)
        make(few, CUT_PAGES, jpeg)
        out.mkdir()
        check_equal(few, out)
        note = f"{PAGES} pages of {REGIONS} regions from a PaddleOCR label file"
        ways = {
            "datatools": lambda: read_with_datatools(many),
            "json.loads and np.array, unchecked": lambda: read_plainly(many),
        }
        ratios = contest.run("ocr_reading", note, ways, rounds)
        met.append(contest.bar("at most 2.5 times the CPU of the unchecked loop", ratios[list(ways)[1]] >= 1 / 2.5))

        rng = random.Random(7)
        quads = [np.array(entry["points"], float) for _ in range(40) for entry in regions(rng)]
        singles = [quad.astype(np.float32) for quad in quads]
        ways = {
            "datatools": lambda: [rectify(picture, quad) for quad in quads],
            "as PaddleOCR": lambda: [cut_plainly(picture, quad) for quad in singles],
        }
        ratios = contest.run("ocr_quads", f"{len(quads)} quads cut out of a 1280 x 720 picture", ways, rounds)
        met.append(contest.bar("at most the CPU of PaddleOCR's way, within 5 %", ratios["as PaddleOCR"] >= 0.95))

        note = f"{CUT_PAGES} pages of 1280 x 720, {REGIONS} regions each, to a recognition set"
        ways = {
            "datatools ocr crop": lambda: with_children(lambda: crop_with_datatools(few, out)),
            "imread, cut, imwrite, unchecked": lambda: crop_plainly(few, out),
        }
        ratios = contest.run("ocr_crop", note, ways, rounds)
        met.append(contest.bar("at most 1.5 times the CPU of the unchecked loop", ratios[list(ways)[1]] >= 1 / 1.5))
    contest.finish(*met)


if __name__ == "__main__":
    main()
