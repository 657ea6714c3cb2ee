"""Fixtures that several test files use."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import hypothesis
import numpy as np
import pytest
from numpy.typing import NDArray

# new examples are looked for on developers' machines; a run that decides over a change is the same every time
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

# else each of the hundreds of processes that the tests start would compile everything anew
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def shared_voc() -> Path:
    """The folder of the real VOC sets, where the checkout has them beside it."""
    folder = ROOT.parent / "shared" / "data" / "voc"
    if not folder.is_dir():
        pytest.skip("the real sets of ../shared/data are not here")
    return folder


@pytest.fixture
def fixture_voc() -> Path:
    """The set of drawn street scenes; four of its files are messy in ways that `voc fix` mends."""
    return ROOT / "fixtures" / "voc"


@pytest.fixture
def fixture_defects() -> Path:
    """The set that holds each defect once."""
    return ROOT / "fixtures" / "voc_defects"


@pytest.fixture
def fixture_video() -> Path:
    """The drawn videos: walkers.mp4 with truth/ and region.png, scenes.mp4, sound.mp4."""
    return ROOT / "fixtures" / "video"


@pytest.fixture
def shared_video() -> Path:
    """The real video, where the checkout has it beside it."""
    path = ROOT.parent / "shared" / "data" / "video" / "opencv_samples" / "vtest.avi"
    if not path.is_file():
        pytest.skip("the real video of ../shared/data is not here")
    return path


@pytest.fixture
def fixture_ocr() -> Path:
    """The set of drawn signs: pages, lines, directions and a dictionary; nothing in it is wrong."""
    return ROOT / "fixtures" / "ocr"


@pytest.fixture
def shared_ocr() -> Path:
    """The folder of the real OCR sets, where the checkout has them beside it."""
    folder = ROOT.parent / "shared" / "data" / "ocr"
    if not folder.is_dir():
        pytest.skip("the real sets of ../shared/data are not here")
    return folder


@pytest.fixture
def shared_audio() -> Path:
    """The folder of the real recordings, where the checkout has them beside it."""
    folder = ROOT.parent / "shared" / "data" / "audio"
    if not folder.is_dir():
        pytest.skip("the real sets of ../shared/data are not here")
    return folder


class Painted:
    """A picture whose objects each have a colour of their own, and the proof that labels stay on the colours."""

    COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255), (0, 255, 255), (255, 255, 255))

    @staticmethod
    def paint(size_wh: tuple[int, int], outlines: Sequence[NDArray[np.float64]], first: int = 0) -> NDArray[np.uint8]:
        """Draw convex outlines on black, the n-th in the colour number first + n; edges are smooth."""
        large = np.zeros((size_wh[1] * 4, size_wh[0] * 4, 3), np.uint8)
        for number, xy in enumerate(outlines):
            colour = Painted.COLOURS[(first + number) % len(Painted.COLOURS)]
            cv2.fillConvexPoly(large, np.rint((xy * 4 - 0.5) * 16).astype(np.int32), colour, shift=4)
        return np.asarray(cv2.resize(large, size_wh, interpolation=cv2.INTER_AREA), np.uint8)

    @staticmethod
    def seen(rgb: NDArray[np.uint8], number: int) -> NDArray[np.float64]:
        """The centres of the pixels, (n, 2), that have mostly the colour of that number."""
        colour = np.array(Painted.COLOURS[number % len(Painted.COLOURS)])
        ys, xs = np.nonzero(np.abs(rgb.astype(np.int64) - colour).max(axis=2) < 100)
        return np.stack([xs + 0.5, ys + 0.5], axis=1)

    @staticmethod
    def outside(points: NDArray[np.float64], outline: NDArray[np.float64]) -> NDArray[np.float64]:
        """Those of the points, (n, 2), that lie outside of the outline by more than a pixel."""
        if not len(points):
            return points
        low = np.floor(points.min(axis=0)) - 2
        width, height = (np.ceil(points.max(axis=0)) - low + 2).astype(int)
        inside = np.zeros((height, width), np.uint8)
        cv2.fillPoly(inside, [np.rint((outline - low - 0.5) * 16).astype(np.int32)], 1, shift=4)
        at = np.floor(points - low).astype(int)
        rest = points[inside[at[:, 1], at[:, 0]] == 0]  # measured one by one, which is slow
        contour = outline.astype(np.float32).reshape(-1, 1, 2)
        far = [cv2.pointPolygonTest(contour, (x, y), True) < -1 for x, y in rest.tolist()]
        return rest[np.array(far, dtype=bool)]

    @staticmethod
    def check(rgb: NDArray[np.uint8], labels: Mapping[int, NDArray[np.float64]], *, exact: bool = True) -> None:
        """Assert that each colour lies in its label, nowhere outside by more than a pixel, and fills it.

        labels: the outline of each number that is left. exact: whether a label is the outline itself; the box around
        something turned is larger than what is inside.
        """
        for number, outline in labels.items():
            points = Painted.seen(rgb, number)
            assert len(points), f"object {number} is not to be seen"
            assert not len(Painted.outside(points, outline)), f"object {number} sticks out of its label"
            area = cv2.contourArea(outline.astype(np.float32))
            if exact and area > 60:
                assert len(points) > 0.6 * area, f"the label of object {number} is too large"


@pytest.fixture(scope="session")
def painted() -> type[Painted]:
    """Pictures with objects in colours of their own."""
    return Painted


@pytest.fixture(scope="session")
def colours() -> Callable[..., Path]:
    """Makes class folders of small noisy pictures, each class in a colour of its own: the simplest set to learn."""

    def make(folder: Path, per_class: int = 8, classes: str = "blue,green,red", seed: int = 0, side: int = 32) -> Path:
        import numpy as np

        from datatools.io import images

        rng = np.random.default_rng(seed)
        for name in classes.split(","):
            rgb = {"red": (200, 60, 50), "green": (60, 180, 70), "blue": (60, 80, 200)}.get(name, (128, 128, 128))
            (folder / name).mkdir(parents=True)
            for i in range(per_class):
                pixels = np.clip(rng.normal(rgb, 15, (side, side, 3)), 0, 255).astype(np.uint8)
                (folder / name / f"{i:03d}.png").write_bytes(images.encode_png(pixels))
        return folder

    return make


@pytest.fixture(scope="session")
def small_classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a small network with the classes of `fixture_voc`, and weights as they were drawn."""
    import torch

    from datatools.zoo import registry, weights

    path = tmp_path_factory.mktemp("classifier") / "small.safetensors"
    classes = ["bicycle", "bus", "car", "car ", "person", "traffic light"]
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        model = registry.create("mobilenet_v1_x0_25", num_classes=len(classes))
    note = {"model": "mobilenet_v1_x0_25", "num_classes": len(classes), "classes": classes, "size": [16, 16]}
    weights.write(path, model, note)
    return path


@pytest.fixture(scope="session")
def fixture_audio() -> Path:
    """Recordings of made voices, with reference.rttm."""
    return ROOT / "fixtures" / "audio"
