"""imgaug on numpy 2: every augmenter that is said to work does, labels follow, the same seed gives the same bytes."""

import re

import numpy as np
import pytest

from datatools.compat import imgaug, imgaug_catalogue
from datatools.core.errors import UsageError

BOX = np.array([[20.0, 15.0], [60.0, 15.0], [60.0, 40.0], [20.0, 40.0]])


@pytest.fixture(scope="module")
def entries() -> dict[str, imgaug_catalogue.Entry]:
    return {entry.name: entry for entry in imgaug_catalogue.entries()}


def scene(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (64, 96, 3), dtype=np.uint8)


def labels_for(name: str) -> list[np.ndarray]:
    return [] if name in imgaug.IMAGES_ONLY else [BOX]


def run(name: str, arguments: object, seed: int, rgb: np.ndarray, outlines: list[np.ndarray]):
    return imgaug.augment(imgaug.build([{name: arguments}]), seed, rgb, outlines)


def test_the_catalogue_is_complete_and_mostly_works(entries: dict[str, imgaug_catalogue.Entry]) -> None:
    assert len(entries) == len(imgaug_catalogue.names()) == 189
    refused = {name: entry.remark for name, entry in entries.items() if not entry.works}
    assert len(refused) == 28
    assert {name for name in refused if not name.startswith("imgcorruptlike.")} | {"imgcorruptlike"} == set(
        imgaug.REFUSED
    )
    assert all(refused.values())


def test_the_same_seed_gives_the_same_bytes(entries: dict[str, imgaug_catalogue.Entry]) -> None:
    for name in (entry.name for entry in entries.values() if entry.works):
        rgb, arguments = scene(), imgaug_catalogue.EXAMPLES.get(name)
        before = rgb.copy()
        image, labels = run(name, arguments, 11, rgb, labels_for(name))
        run(name, arguments, 5, scene(3), [])  # other work in between
        imgaug.load().random.seed(len(name))  # nor does what all of the package shares decide anything
        again, labels_again = run(name, arguments, 11, rgb, labels_for(name))
        assert (rgb == before).all(), name
        assert image.dtype == np.uint8, name
        assert image.shape[2] == 3, name
        assert image.tobytes() == again.tobytes(), name
        assert [(i, xy.tolist()) for i, xy in labels] == [(i, xy.tolist()) for i, xy in labels_again], name


CHOICE = [{"Add": {"value": 50}}, {"Multiply": {"mul": 2}}]
NESTED = [
    {"MultiplyAndAddToBrightness": None},
    {"WithChannels": {"channels": [0], "children": [{"SomeOf": {"n": 1, "children": CHOICE}}]}},
    {"Sometimes": {"p": 0.5, "then_list": {"OneOf": {"children": CHOICE}}}},
    {"BlendAlpha": {"factor": 0.5, "foreground": {"Sequential": {"children": CHOICE, "random_order": True}}}},
]


@pytest.mark.parametrize("step", NESTED, ids=lambda step: next(iter(step)))
def test_what_draws_inside_another_is_seeded_too(step: dict[str, object]) -> None:
    made = set()
    for state in range(8):
        imgaug.load().random.seed(state)
        image, _ = imgaug.augment(imgaug.build([step]), 11, scene(), [BOX])
        made.add(image.tobytes())
    assert len(made) == 1


MOVING = [
    {"Fliplr": {"p": 1.0}},
    {"Flipud": {"p": 1.0}},
    {"Affine": {"rotate": [-30, 30], "scale": {"x": [0.8, 1.2], "y": [0.8, 1.2]}, "translate_px": [-8, 8], "shear": 8}},
    {"Rot90": {"k": 1}},
    {"PerspectiveTransform": {"scale": 0.05, "keep_size": False}},
    {"Crop": {"px": [0, 8]}},
    {"Pad": {"px": 9}},
    {"Resize": {"size": 1.7}},
    {"Sequential": {"children": [{"Fliplr": {"p": 1.0}}, {"ScaleX": {"scale": 1.2}}]}},
    {"Sometimes": {"p": 0.5, "then_list": [{"ShearX": {"shear": 15}}]}},
]


@pytest.mark.parametrize("step", MOVING, ids=lambda s: next(iter(s)))
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_labels_follow_the_pixels(painted, step: dict[str, object], seed: int) -> None:
    outlines = [BOX, BOX + np.array([60, 30]), np.array([[20.0, 60], [70, 64], [66, 90], [18, 86]])]
    rgb = painted.paint((150, 110), outlines)
    image, labels = imgaug.augment(imgaug.build([step]), seed, rgb, outlines)
    painted.check(
        image, {number: xy for number, xy in labels if xy.min() >= 0 and (xy.max(axis=0) <= image.shape[1::-1]).all()}
    )


def test_polar_warping_moves_labels(painted) -> None:
    """It needs the repair of cv2.cartToPolar's new shape."""
    outlines = [np.array([[90.0, 40], [110, 40], [110, 60], [90, 60]])]
    step = {"WithPolarWarping": {"children": [{"Affine": {"rotate": 0}}]}}
    _, labels = imgaug.augment(imgaug.build([step]), 1, painted.paint((150, 110), outlines), outlines)
    assert len(labels) == 1
    assert np.abs(labels[0][1] - outlines[0]).max() < 3


def test_whole_numbers_suit_the_elastic_transformation() -> None:
    image, _ = run("ElasticTransformation", {"alpha": [5, 10], "sigma": 3}, 1, scene(), [BOX])
    assert (image != scene()).any()


def test_values_become_ranges_choices_and_distributions() -> None:
    values = {int(run("Add", {"value": [5, 9]}, s, np.zeros((4, 4, 3), np.uint8), [])[0][0, 0, 0]) for s in range(60)}
    assert values == {5, 6, 7, 8, 9}
    chosen = {
        int(run("Add", {"value": [5, 9, 70]}, s, np.zeros((4, 4, 3), np.uint8), [])[0][0, 0, 0]) for s in range(60)
    }
    assert chosen == {5, 9, 70}
    two = {"value": {"Choice": {"a": [5, 9, 9]}}}
    assert {int(run("Add", two, s, np.zeros((4, 4, 3), np.uint8), [])[0][0, 0, 0]) for s in range(40)} == {5, 9}


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (None, "is a list of augmenters"),
        ([], "is a list of augmenters"),
        ([{"Fliplr": {"p": 0.5}, "Flipud": {}}], "a step is one name"),
        ([{"Flplr": {"p": 0.5}}], "has no augmenter Flplr"),
        ([{"os.system": {"p": 0.5}}], "has no augmenter os.system"),
        ([{"__class__": {}}], "has no augmenter __class__"),
        ([{"Fliplr": [0.5]}], "names with values"),
        ([{"Fliplr": {"q": 0.5}}], "Fliplr: it got an unexpected keyword argument 'q'"),
        ([{"Fliplr": {"p": "often"}}], "Fliplr: "),
        ([{"Fliplr": {"seed": 3}}], "--seed decides"),
        ([{"Lambda": {}}], "it takes Python functions"),
        ([{"SaveDebugImageEveryNBatches": {"destination": "/tmp", "interval": 1}}], "it writes files"),
        ([{"imgcorruptlike.Fog": {}}], "pkg_resources"),
        ([{"Sometimes": {"p": 1, "then_list": [{"Lambda": {}}]}}], "it takes Python functions"),
    ],
)
def test_what_is_no_pipeline_is_refused(steps: object, told: str) -> None:
    with pytest.raises(UsageError, match=re.escape(told)):
        imgaug.build(steps)


def test_names_are_found_at_any_depth() -> None:
    steps = [
        {
            "Sometimes": {
                "p": 0.5,
                "then_list": [{"ElasticTransformation": {"alpha": {"Normal": {"loc": 3, "scale": 1}}}}],
            }
        }
    ]
    assert {"Sometimes", "ElasticTransformation", "Normal"} <= imgaug.names_in(steps)
