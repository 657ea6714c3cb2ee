"""Fixtures that several test files use."""

import os
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

# new examples are looked for on developers' machines; a run that decides over a change is the same every time
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

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
