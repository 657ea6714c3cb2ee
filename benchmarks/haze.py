"""Haze: time, memory and nearness to the clear picture, beside a plain transcription of the same algorithm.

The transcription is what one writes down from the papers, in NumPy and OpenCV on float64, with the guided filter. One
picture of 1920 x 1080 on one core; memory is the peak above what the process holds before. Quality is measured on the
real pairs of ../shared/data where they are there, else on the drawn towns of fixtures/. A folder of 200 JPEG files is
held against two processes that do nothing but decode, clear, encode and write.
"""

import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import contest
import cv2
import numpy as np

from datatools.core.types import Dataset
from datatools.io import images
from datatools.kernels import fidelity, haze
from datatools.kernels.haze import Settings

TOWNS = contest.ROOT / "fixtures" / "haze"
SHARED = contest.ROOT.parent / "shared" / "data" / "haze"
FILES = 200
ROUNDS = 3

XIMGPROC = """
import cv2, numpy as np
cv2.setNumThreads(1)
image = np.load(sys.argv[2])
def job():
    pixels = image.astype(np.float64) / 255
    window = cv2.getStructuringElement(cv2.MORPH_RECT, (15, 15))
    dark = cv2.erode(pixels.min(axis=2), window)
    top = np.argsort(dark.ravel())[-dark.size // 1000:]
    light = pixels.reshape(-1, 3)[top]
    light = light[light.sum(axis=1).argmax()]
    t = (1 - 0.95 * cv2.erode((pixels / light).min(axis=2), window)).astype(np.float32)
    guide = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    t = np.maximum(cv2.ximgproc.guidedFilter(guide, t, 60, 1e-3), 0.1)
    return (((pixels - light) / t[..., None] + light).clip(0, 1) * 255).round().astype(np.uint8)
"""

MEMORY = """
import re, sys
import cv2, numpy as np
cv2.setNumThreads(1)
sys.path.insert(0, "benchmarks")
from haze import CONTESTANTS
job, image = CONTESTANTS[sys.argv[1]], np.load(sys.argv[2])
def held(what):
    return int(re.search(what + r":\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
job(image[:64, :64].copy())
open("/proc/self/clear_refs", "w").write("5")
before = held("VmRSS")
job(image)
print(held("VmHWM") - before)
"""

BARE = """
import os, sys
sys.path.insert(0, os.getcwd())
import cv2, simplejpeg
from datatools.kernels import haze
cv2.setNumThreads(1)
source, target, part = sys.argv[1], sys.argv[2], int(sys.argv[3])
for name in sorted(os.listdir(source))[part::2]:
    with open(f"{source}/{name}", "rb") as file:
        rgb = simplejpeg.decode_jpeg(file.read(), "RGB")
    clear = haze.remove(rgb)
    with open(f"{target}/{name}", "wb") as file:
        file.write(simplejpeg.encode_jpeg(clear, 95, "RGB", "444", fastdct=False))
"""


def plain(image: np.ndarray) -> np.ndarray:
    """He, Sun, Tang with the guided filter, from the papers, without a thought for speed."""
    pixels = image.astype(np.float64) / 255
    window = cv2.getStructuringElement(cv2.MORPH_RECT, (15, 15))
    dark = cv2.erode(pixels.min(axis=2), window)
    order = np.argsort(-dark.ravel(), kind="stable")[: max(dark.size // 1000, 1)]
    haziest = image.reshape(-1, 3)[np.sort(order)]
    light = haziest[haziest.sum(axis=1).argmax()] / 255
    t = 1 - 0.95 * cv2.erode((pixels / light).min(axis=2), window)
    guide = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64) / 255
    inside = cv2.boxFilter(np.ones_like(t), -1, (121, 121), normalize=False, borderType=cv2.BORDER_CONSTANT)

    def mean(plane: np.ndarray) -> np.ndarray:
        return cv2.boxFilter(plane, -1, (121, 121), normalize=False, borderType=cv2.BORDER_CONSTANT) / inside

    mean_guide, mean_t = mean(guide), mean(t)
    a = (mean(guide * t) - mean_guide * mean_t) / (mean(guide * guide) - mean_guide * mean_guide + 1e-3)
    t = mean(a) * guide + mean(mean_t - a * mean_guide)
    clear = (pixels - light) / np.maximum(t, 0.1)[..., None] + light
    return np.clip(np.rint(clear * 255), 0, 255).astype(np.uint8)


CONTESTANTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "datatools, guided": haze.remove,
    "datatools, fast": lambda image: haze.remove(image, Settings(refine="fast")),
    "datatools, no refinement": lambda image: haze.remove(image, Settings(refine="none")),
    "plain float64 transcription": plain,
}


def picture(size_wh: tuple[int, int], seed: int = 0) -> np.ndarray:
    """A hazy town, enlarged, with the noise of a sensor."""
    small = images.decode((TOWNS / "hazy" / f"town_{seed % 3 + 1}_b2.0.jpg").read_bytes(), name="town")
    large = cv2.resize(small, size_wh, interpolation=cv2.INTER_CUBIC)
    noisy = large + np.random.default_rng(seed).normal(0, 2, large.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def contest_time(image: np.ndarray) -> list[bool]:
    """CPU of one picture, and how near the contestants come to each other."""
    cv2.setNumThreads(1)
    results = {label: job(image) for label, job in CONTESTANTS.items()}
    near = fidelity.psnr(results["datatools, guided"], results["plain float64 transcription"])
    assert near > 45, f"the contestants disagree: {near:.1f} dB"
    jobs = {label: (lambda job=job: job(image)) for label, job in CONTESTANTS.items()}  # type: ignore[misc]
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file.name, image)
        if contest.has_peer("cv2"):
            jobs["OpenCV's ximgproc.guidedFilter"] = contest.peer(XIMGPROC, file.name)
        ratios = contest.run("haze", "one picture of 1920 x 1080, one core", jobs, rounds=9)
    slow = ratios["plain float64 transcription"]
    return [
        contest.bar("guided: at least 3 times faster than the transcription", slow >= 3),
        contest.bar("fast: at least 15 times faster", slow / ratios["datatools, fast"] >= 15),
        contest.bar("fast: at least 40 dB from guided", psnr_fast(image) >= 40),
    ]


def psnr_fast(image: np.ndarray) -> float:
    """How near fast comes to guided, dB."""
    return fidelity.psnr(haze.remove(image, Settings(refine="fast")), haze.remove(image))


def contest_memory(image: np.ndarray) -> bool:
    """Peak memory of one picture, each contestant in a process of its own."""
    rows = []
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file.name, image)
        for label in CONTESTANTS:
            words = [sys.executable, "-c", MEMORY, label, file.name]
            environment = {**os.environ, "PYTHONPATH": str(contest.ROOT)}
            done = subprocess.run(words, cwd=contest.ROOT, env=environment, capture_output=True, text=True, check=True)
            rows.append({"contestant": label, "peak_mb": round(float(done.stdout), 1)})
            print(f"  {label:<34} {rows[-1]['peak_mb']:>8} MB")
    contest.save("haze_memory", "peak above what the process holds before, 1920 x 1080", {"rows": rows})
    return contest.bar("guided: less than 100 MB", float(str(rows[0]["peak_mb"])) < 100)


def contest_quality() -> list[bool]:
    """PSNR and SSIM of the pairs before and after, and of fast beside guided."""
    from datatools.ops.haze.score import score

    real = (SHARED / "haze_pairs_derived").is_dir()
    pairs = SHARED / "haze_pairs_derived" if real else TOWNS
    before = score(Dataset(pairs / "hazy"), reference=pairs / "clear")
    rows = [{"contestant": "the hazy pictures", "psnr_db": before.psnr_db, "ssim": before.ssim}]
    for label, job in list(CONTESTANTS.items()):
        with tempfile.TemporaryDirectory() as folder:
            for path in sorted((pairs / "hazy").iterdir()):
                clear = job(images.decode(path.read_bytes(), name=path.name))
                (Path(folder) / path.with_suffix(".png").name).write_bytes(images.encode_png(clear))
            found = score(Dataset(Path(folder)), reference=pairs / "clear")
        rows.append({"contestant": label, "psnr_db": found.psnr_db, "ssim": found.ssim})
    for row in rows:
        row.update(psnr_db=round(float(row["psnr_db"] or 0), 3), ssim=round(float(row["ssim"] or 0), 4))  # type: ignore[arg-type]
        print(f"  {row['contestant']:<34} PSNR {row['psnr_db']:6.2f} dB   SSIM {row['ssim']:.4f}")
    name = "six hazy pairs of real scenes (haze_pairs_derived)" if real else "the drawn towns of fixtures/haze"
    nearest = min(map(psnr_fast, photographs()), default=math.inf)
    contest.save("haze_quality", f"mean over {name}", {"rows": rows, "fast_from_guided_db_min": round(nearest, 2)})
    gained = [float(str(row["psnr_db"])) - float(str(rows[0]["psnr_db"])) for row in rows]
    return [
        contest.bar("guided: PSNR at least 3 dB above the hazy pictures'", gained[1] >= 3),
        contest.bar("guided: SSIM not lower", float(str(rows[1]["ssim"])) >= float(str(rows[0]["ssim"]))),
        contest.bar("fast: PSNR at least 3 dB above", gained[2] >= 3),
        contest.bar(f"fast: at least 40 dB from guided on every photograph (least: {nearest:.1f})", nearest >= 40),
    ]


def photographs() -> list[np.ndarray]:
    """All hazy pictures at hand."""
    folders = (TOWNS / "hazy", SHARED / "haze_pairs_derived" / "hazy", SHARED / "haze_real_aod" / "test_images")
    paths = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]
    return [images.decode(path.read_bytes(), name=path.name) for path in paths]


def contest_folder() -> bool:
    """A folder of JPEG files in two processes, start-up included."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in"
        source.mkdir()
        for number in range(FILES):
            (source / f"{number:03d}.jpg").write_bytes(images.encode_jpeg(picture((1280, 720), number), 90))
        environment = {**os.environ, "PYTHONPATH": str(contest.ROOT)}

        def with_datatools(out: Path) -> None:
            words = [sys.executable, "-m", "datatools", "haze", "remove", source, out, "-j", "2"]
            subprocess.run(words, cwd=contest.ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)

        def bare(out: Path) -> None:
            out.mkdir()
            words = [sys.executable, "-c", BARE, source, out]
            both = [subprocess.Popen([*words, str(i)], cwd=contest.ROOT, env=environment) for i in range(2)]
            assert [one.wait() for one in both] == [0, 0]

        jobs = {"datatools haze remove -j 2": with_datatools, "two bare processes": bare}
        taken: dict[str, list[tuple[float, float]]] = {label: [] for label in jobs}
        for turn in range(ROUNDS + 1):
            for label, job in jobs.items():
                cpu, begun = children_cpu(), time.perf_counter()
                job(Path(folder) / f"{turn}_{len(label)}")
                taken[label].append((children_cpu() - cpu, time.perf_counter() - begun))
        rows: list[dict[str, object]] = []
        for label, turns in taken.items():
            cpu_s, wall_s = (round(statistics.median(column), 3) for column in zip(*turns[1:], strict=True))
            rows.append({"contestant": label, "cpu_s": cpu_s, "wall_s": wall_s, "ratio": 1.0})
            print(f"  {label:<34} {cpu_s:>8} s CPU {wall_s:>8} s wall")
        ours, theirs = (turns[1:] for turns in taken.values())  # the first warms the caches
        pairs = [(a[0] / b[0], a[1] / b[1]) for a, b in zip(ours, theirs, strict=True)]
        of_cpu, of_wall = (statistics.median(column) for column in zip(*pairs, strict=True))
        rows[1]["ratio"] = round(1 / of_cpu, 3)
        note = f"{FILES} JPEG files of 1280 x 720, two processes, start-up included"
        contest.save("haze_folder", note, {"rounds": ROUNDS, "rows": rows, "of_bare_wall": round(of_wall, 3)})
    return contest.bar(
        f"at most 1.5 times the bare CPU (now {of_cpu:.2f}; {of_wall:.2f} times the wall)", of_cpu <= 1.5
    )


def children_cpu() -> float:
    """CPU seconds of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Run all four parts, or those that are named, and hold ourselves to the bars."""
    image = picture((1920, 1080))
    parts: dict[str, Callable[[], list[bool]]] = {
        "time": lambda: contest_time(image),
        "memory": lambda: [contest_memory(image)],
        "quality": contest_quality,
        "folder": lambda: [contest_folder()],
    }
    met = []
    for part in sys.argv[1:] or parts:
        print(f"\n{part}", flush=True)
        met += parts[part]()
    contest.finish(*met)


if __name__ == "__main__":
    main()
