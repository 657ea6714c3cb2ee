"""Fixtures that several test files use."""

import os
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
def shared_audio() -> Path:
    """The folder of the real recordings, where the checkout has them beside it."""
    folder = ROOT.parent / "shared" / "data" / "audio"
    if not folder.is_dir():
        pytest.skip("the real sets of ../shared/data are not here")
    return folder


@pytest.fixture(scope="session")
def fixture_audio() -> Path:
    """Recordings of made voices, with reference.rttm."""
    return ROOT / "fixtures" / "audio"


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
