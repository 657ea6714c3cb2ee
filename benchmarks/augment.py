"""Augmentation beside its peers: TIA beside a bare remap and PaddleOCR, RandAugment beside albumentations, Pillow and
PaddleOCR, CopyPaste beside PaddleOCR, whole commands beside decoding and encoding alone.

One process each, one thread, pictures already decoded (but for the commands). Peers draw their own random numbers; all
take the same pictures, of smooth noise, and the same operations with the same strengths.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import contest
import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.core.records import Annotation, Box
from datatools.kernels import blend, contours, copy_paste, geometry, mls, policy, randaugment, tia

Picture = NDArray[np.uint8]
cv2.setNumThreads(1)

PICTURES = """
import cv2, numpy as np
cv2.setNumThreads(1)
def pictures(count, width, height):
    rng = np.random.default_rng(7)
    noise = (rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(count))
    return [cv2.GaussianBlur(one, (0, 0), 2) for one in noise]
"""

PADDLE = (
    PICTURES
    + """
import ast, importlib.util, random, sys, types
root = importlib.util.find_spec("paddleocr").submodule_search_locations[0]
for name in ("ppocr", "ppocr.data", "ppocr.data.imaug"):  # without what these import: paddle itself
    module = types.ModuleType(name)
    module.__path__ = [f"{root}/{name.replace('.', '/')}"]
    sys.modules[name] = module
sys.modules["ppocr.data.imaug.iaa_augment"] = types.ModuleType("iaa_augment")
sys.modules["ppocr.data.imaug.iaa_augment"].IaaAugment = lambda *a, **k: None  # is built and never called
text = open(f"{root}/tools/infer/utility.py").read()
crop = next(n for n in ast.parse(text).body if getattr(n, "name", "") == "get_rotate_crop_image")
for name in ("tools", "tools.infer", "tools.infer.utility"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["tools.infer.utility"].__dict__.update(cv2=cv2, np=np)
exec(ast.get_source_segment(text, crop), sys.modules["tools.infer.utility"].__dict__)
"""
)

PADDLE_TIA = (
    PADDLE
    + """
from ppocr.data.imaug.text_image_aug import tia_distort, tia_perspective, tia_stretch
lines = pictures(6, 320, 48)
def job():
    for line in lines:
        tia_distort(line, 3)
        tia_stretch(line, 3)
        tia_perspective(line)
"""
)

PADDLE_RAND = (
    PADDLE
    + """
from ppocr.data.imaug.randaugment import RandAugment
rand = RandAugment(prob=1.0)
taken = pictures(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
def job():
    for one in taken:
        rand({"image": one})
"""
)

PADDLE_PASTE = (
    PADDLE
    + """
from ppocr.data.imaug.copy_paste import CopyPaste
target, donor = pictures(2, 1280, 720)
there, objects = (np.array(one, np.float32) for one in ast.literal_eval(sys.argv[2]))
paste = CopyPaste(objects_paste_ratio=1.0)
def job():
    for _ in range(10):
        paste({
            "image": target, "polys": there.copy(), "texts": ["a"] * len(there),
            "ignore_tags": np.zeros(len(there), bool),
            "ext_data": [{"image": donor, "polys": objects.copy(), "texts": ["a"] * len(objects),
                          "ignore_tags": np.zeros(len(objects), bool)}],
        })
"""
)

ALBUMENTATIONS = (
    PICTURES
    + """
import sys
import albumentations as A
space = dict(border_mode=cv2.BORDER_CONSTANT, fill=(128, 128, 128), p=1)
still = dict(brightness=0, contrast=0, saturation=0, hue=0, p=1)
fourteen = [
    A.NoOp(p=1), A.AutoContrast(p=1), A.Equalize(p=1, by_channels=True), A.Posterize(num_bits=7, p=1),
    A.Solarize(threshold_range=(0.7, 0.7), p=1), A.ColorJitter(**{**still, "brightness": (0.73, 1.27)}),
    A.ColorJitter(**{**still, "contrast": (0.73, 1.27)}), A.ColorJitter(**{**still, "saturation": (0.73, 1.27)}),
    A.Sharpen(alpha=(0.27, 0.27), p=1), A.Affine(rotate=(-9, 9), **space),
    A.Affine(shear={"x": (-5.1, 5.1), "y": (0, 0)}, **space), A.Affine(shear={"x": (0, 0), "y": (-5.1, 5.1)}, **space),
    A.Affine(translate_percent={"x": (-0.136, 0.136), "y": (0, 0)}, **space),
    A.Affine(translate_percent={"x": (0, 0), "y": (-0.136, 0.136)}, **space),
]
rand = A.Compose([A.SomeOf(fourteen, n=2, replace=True, p=1)])
taken = pictures(*map(int, sys.argv[2:5]))
def job():
    for one in taken:
        rand(image=one)
"""
)

PILLOW = (
    PICTURES
    + """
import random, sys
from PIL import Image, ImageEnhance, ImageOps
def shifted(one, a, b, c, d, e, f):
    how = Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BILINEAR
    return one.transform(one.size, *how, fillcolor=(128,) * 3)
def sign():
    return random.choice((-1, 1))
fourteen = [
    lambda one: one, ImageOps.autocontrast, ImageOps.equalize, lambda one: ImageOps.posterize(one, 7),
    lambda one: ImageOps.solarize(one, 179), lambda one: ImageEnhance.Brightness(one).enhance(1 + sign() * 0.27),
    lambda one: ImageEnhance.Contrast(one).enhance(1 + sign() * 0.27),
    lambda one: ImageEnhance.Color(one).enhance(1 + sign() * 0.27),
    lambda one: ImageEnhance.Sharpness(one).enhance(1 + sign() * 0.27),
    lambda one: one.rotate(sign() * 9, Image.Resampling.BILINEAR, fillcolor=(128,) * 3),
    lambda one: shifted(one, 1, sign() * 0.09, 0, 0, 1, 0), lambda one: shifted(one, 1, 0, 0, sign() * 0.09, 1, 0),
    lambda one: shifted(one, 1, 0, sign() * 0.136 * one.width, 0, 1, 0),
    lambda one: shifted(one, 1, 0, 0, 0, 1, sign() * 0.136 * one.height),
]
taken = pictures(*map(int, sys.argv[2:5]))
def job():
    for one in taken:
        made = Image.fromarray(one)
        for step in random.choices(fourteen, k=2):
            made = step(made)
        np.asarray(made)
"""
)


BARE = """
import os, simplejpeg, sys
from pathlib import Path
src, out, first, step = Path(sys.argv[1], "JPEGImages"), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
os.makedirs(out, exist_ok=True)
files = sorted(src.iterdir())
for file, other in list(zip(files, files[1:] + files[:1]))[first::step]:
    picture = simplejpeg.decode_jpeg(file.read_bytes(), "RGB", strict=True)
    simplejpeg.decode_jpeg(other.read_bytes(), "RGB", strict=True)
    (out / file.name).write_bytes(simplejpeg.encode_jpeg(picture, 95, "RGB", "444", fastdct=False))
"""


def pictures(count: int, width: int, height: int) -> list[Picture]:
    """Pictures of smooth noise, the same in every process."""
    space: dict[str, Any] = {}
    exec(PICTURES, space)
    made: list[Picture] = space["pictures"](count, width, height)
    return made


def has_peers(*modules: str) -> bool:
    """Whether the peers are there; says so where they are not."""
    missing = [module for module in modules if not contest.has_peer(module)]
    if missing:
        print(f"  without {', '.join(missing)}: make .venv-peers/done")
    return not missing


def bend() -> bool:
    """TIA on lines of 48 x 320: all three kinds, drawn anew, made larger where glyphs would be cut."""
    lines = pictures(6, 320, 48)
    kinds: tuple[tia.Kind, ...] = ("distort", "stretch", "perspective")
    rng = np.random.default_rng(1)
    maps = []
    for kind in kinds:
        warp = tia.draw(rng, (320, 48), kind, pad=False)
        fixed = mls.pixel_map(np.array(warp.dst), np.array(warp.src), 320, 48)
        maps.append(cv2.convertMaps(*fixed, cv2.CV_32FC1))

    def ours() -> None:
        for line in lines:
            for kind in kinds:
                tia.warp_image(line, tia.draw(rng, (320, 48), kind))

    def remap() -> None:
        for line in lines:
            for x, y in maps:
                cv2.remap(line, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    contestants: dict[str, contest.Contestant] = {"datatools": lambda: many(ours, 20), "remap": lambda: many(remap, 20)}
    if has_peers("paddleocr"):
        contestants["PaddleOCR"] = contest.peer(PADDLE_TIA)
    ratios = contest.run("augment_tia", "18 lines of 48 x 320; PaddleOCR's time is for one twentieth", contestants, 9)
    if "PaddleOCR" in ratios:
        print(f"  PaddleOCR takes {20 * ratios['PaddleOCR']:.0f} times as long")
    return contest.bar(f"TIA takes {1 / ratios['remap']:.2f} times a bare remap, 2.5 at most", ratios["remap"] >= 0.4)


def many(job: contest.Contestant, times: int) -> None:
    for _ in range(times):
        job()


def vary(name: str, count: int, width: int, height: int) -> list[bool]:
    """RandAugment: two of the paper's operations at magnitude 9."""
    taken = pictures(count, width, height)
    rng = np.random.default_rng(1)

    def ours() -> None:
        for one in taken:
            policy.apply(one, randaugment.draw(rng, (width, height)))

    contestants: dict[str, contest.Contestant] = {"datatools": ours}
    size = (count, width, height)
    if has_peers("albumentations", "PIL", "paddleocr"):
        contestants["albumentations"] = contest.peer(ALBUMENTATIONS, *size)
        contestants["Pillow"] = contest.peer(PILLOW, *size)
        contestants["PaddleOCR (its 14 at 5)"] = contest.peer(PADDLE_RAND, *size)
    ratios = contest.run(f"augment_randaugment_{name}", f"{count} pictures of {width} x {height}", contestants, 9)
    if "Pillow" not in ratios:
        return []
    over = ratios["albumentations"]
    if name == "lines":
        return [contest.bar(f"{over:.2f} times albumentations' images/s, 2 at least", over >= 2)]
    return [
        contest.bar(f"{over:.2f} times albumentations' images/s, 1 at least", over >= 1),
        contest.bar(f"{ratios['Pillow']:.2f} times Pillow's images/s, 2.5 at least", ratios["Pillow"] >= 2.5),
    ]


def quads(seed: int, count: int) -> list[list[list[float]]]:
    """Text quads that lie apart, in a picture of 1280 x 720."""
    rng = np.random.default_rng(seed)
    cells = rng.permutation(24)[:count]
    made = []
    for cell in cells.tolist():
        x, y = 20 + cell % 6 * 210, 20 + cell // 6 * 175
        width, height = rng.uniform(80, 160), rng.uniform(24, 60)
        corners = geometry.corners((width, height)) + np.array([x, y])
        made.append((corners + rng.uniform(0, 6, (4, 2))).round(1).tolist())
    return made


def paste() -> bool:
    """CopyPaste of 5 texts, turned by any angle, into a picture of 1280 x 720 with 10."""
    target, donor = pictures(2, 1280, 720)
    there, objects = ([np.array(q) for q in quads(seed, count)] for seed, count in ((1, 10), (2, 5)))
    rng = np.random.default_rng(1)
    rules = copy_paste.Rules(flip=0.0, rotate=True, scales=(0.999, 1.001))

    def ours() -> None:
        canvas = target.copy()
        for one in copy_paste.draw(rng, (1280, 720), there, objects, [False] * 5, range(5), rules):
            blend.paste(canvas, donor, objects[one.donor], one.map, None, "none")

    contestants: dict[str, contest.Contestant] = {
        "datatools": lambda: many(ours, 10),
        "copying the picture": lambda: many(target.copy, 10),
    }
    if has_peers("paddleocr"):
        contestants["PaddleOCR"] = contest.peer(PADDLE_PASTE, [quads(1, 10), quads(2, 5)])
    contest.run("augment_copy_paste", "10 times 5 texts into 1280 x 720", contestants, 9)
    result = json.loads((contest.RESULTS / "augment_copy_paste.json").read_text())
    rate = 10 / result["rows"][0]["cpu_s"]
    return contest.bar(f"{rate:.0f} images/s on one core, 200 at least", rate >= 200)


def make_set(root: Path, count: int) -> Path:
    """A Pascal VOC set of pictures of 1280 x 720 with 10 boxes each."""
    import simplejpeg

    from datatools.io.voc import write

    for folder in ("Annotations", "JPEGImages"):
        (root / folder).mkdir(parents=True)
    taken = pictures(8, 1280, 720)
    for i in range(count):
        name = f"{i:04d}"
        data = simplejpeg.encode_jpeg(np.ascontiguousarray(taken[i % 8]), 95, "RGB", "444", fastdct=False)
        (root / "JPEGImages" / f"{name}.jpg").write_bytes(data)
        outlines = [contours.box_around(np.array(q)).round().tolist() for q in quads(i, 10)]
        boxes = tuple(Box("sign", tuple(xyxy)) for xyxy in outlines)
        annotation = Annotation(name, f"{name}.jpg", (1280, 720), boxes=boxes)
        (root / "Annotations" / f"{name}.xml").write_bytes(write.render(annotation))
    return root


def commands() -> list[bool]:
    """The whole of copy-paste, item by item, beside two decodes and one encode; and over two processes."""
    import simplejpeg

    from datatools.engine.item_job import ItemJob

    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        src = make_set(Path(folder, "set"), 60)
        given = {"ratio": 0.5, "max_objects": 5}
        job = ItemJob("augment.copy_paste", given, str(src), f"{folder}/partial", "", seed=3)
        sources = [one for one in job.sources() if not one.kind]
        files = [(src / one.files[0]) for one in sources]
        order = np.random.default_rng(1).integers(0, len(files), len(files)).tolist()

        def ours() -> None:
            for source in sources:
                job(source)

        def plain() -> None:
            for file, other in zip(files, order, strict=True):
                picture = simplejpeg.decode_jpeg(file.read_bytes(), "RGB", strict=True)
                simplejpeg.decode_jpeg(files[other].read_bytes(), "RGB", strict=True)
                data = simplejpeg.encode_jpeg(picture, 95, "RGB", "444", fastdct=False)
                Path(folder, "partial", file.name).write_bytes(data)

        os.makedirs(f"{folder}/partial", exist_ok=True)
        ratios = contest.run(
            "augment_command",
            "60 pictures of 1280 x 720 in memory, 5 objects",
            {"copy-paste": ours, "decode x 2, encode": plain},
            7,
        )
        share = 1 / ratios["decode x 2, encode"]
        met = [contest.bar(f"copy-paste takes {share:.2f} times two decodes and an encode, 1.3 at most", share <= 1.3)]
        return [*met, jobs(Path(folder))]


def jobs(folder: Path) -> bool:
    """The command over one process and over two, wall time with the start; and what two processes gain that only decode
    and encode, which says how much of the machine there was to have. All alternate."""
    src, out = make_set(folder / "large", 800), folder / "out"

    def command(count: int) -> list[list[str]]:
        words = ["augment", "copy-paste", src, out, "-j", count, "--ratio", 0.5]
        return [[sys.executable, "-m", "datatools", *map(str, words)]]

    def bare(count: int) -> list[list[str]]:
        return [[sys.executable, "-c", BARE, str(src), str(out), str(i), str(count)] for i in range(count)]

    kinds = {f"{name} {n}": start(n) for name, start in (("copy-paste -j", command), ("bare, x", bare)) for n in (1, 2)}
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(3):
        for name, processes in kinds.items():
            shutil.rmtree(out, ignore_errors=True)
            began = time.perf_counter()
            started = [subprocess.Popen(words, stdout=subprocess.DEVNULL) for words in processes]
            if any(process.wait() for process in started):
                raise RuntimeError(f"{name} failed")
            seconds[name].append(time.perf_counter() - began)
    one, two, bare_one, bare_two = (sorted(taken)[1] for taken in seconds.values())
    rows = [{"contestant": name, "wall_s": sorted(t)[1], "all_s": t} for name, t in seconds.items()]
    contest.save("augment_jobs", "copy-paste of 800 pictures of 1280 x 720, wall time with start", {"rows": rows})
    print(f"  two bare processes are {bare_one / bare_two:.2f} times as fast as one")
    return contest.bar(f"-j 2 is {one / two:.2f} times as fast as -j 1, 1.7 at least", one / two >= 1.7)


def main() -> None:
    """Run all; exit 1 where a bar is missed."""
    lines, images = vary("lines", 200, 192, 48), vary("images", 40, 640, 480)
    contest.finish(bend(), *lines, *images, paste(), *commands())


if __name__ == "__main__":
    main()
