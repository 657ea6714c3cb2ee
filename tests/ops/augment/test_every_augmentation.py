"""What every augmentation is held to, without starting processes as the contract of all operations does.

The same generator gives the same item whatever was done in between, the item is not changed, and what was drawn is
plain data.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datatools.core import op
from datatools.core.records import Box, TextRegion
from datatools.core.result import plain
from datatools.core.values import Classified, Donors, Labelled, Source, TextLine, TextPage

NAMES = [n for n in op.names("augment") if op.find(n).generates]
SEEDS = range(6)


def items(seed: int) -> dict[type, Any]:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    boxes = (Box("a", (10, 10, 60, 50)), Box("b", (80, 30, 150, 90), parts=(Box("head", (90.0, 40.0, 110.0, 60.0)),)))
    quad = ((10.0, 12.0), (70.0, 18.0), (68.0, 40.0), (8.0, 34.0))
    regions = (TextRegion(quad, "one"), TextRegion(tuple((x + 70, y + 60) for x, y in quad), "###", True))
    return {
        Labelled: Labelled(pixels, boxes),
        TextPage: TextPage(pixels, regions),
        TextLine: TextLine(pixels[:48], "one"),
        Classified: Classified(pixels, (("a", 1.0),)),
    }


def made(name: str, kind: type, seed: int) -> Any:
    operation = op.find(name)
    other = items(1)[kind]
    given: dict[str, Any] = {operation.rng_parameter: np.random.default_rng([seed, 5])}
    if operation.donors_parameter:
        given[operation.donors_parameter] = Donors((Source("other", ()),), lambda source: other)
    if operation.prepared_parameter:
        given["prepared"] = None
    if name == "augment.imgaug":
        steps = [{"Affine": {"rotate": [-20, 20]}}, {"AdditiveGaussianNoise": {"scale": [0, 20]}}]
        given |= {"pipeline": Path("x.yaml"), "prepared": steps}
    return operation.function(items(0)[kind], **given)


def state(item: Any) -> tuple[bytes, str]:
    rest = {field: getattr(item, field) for field in item.__dataclass_fields__ if field != "pixels"}
    return item.pixels.tobytes(), json.dumps(plain(rest), allow_nan=False)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_generator_gives_the_same_item(name: str) -> None:
    for kind in op.find(name).items:
        first = [state(made(name, kind, seed)) for seed in SEEDS]
        np.random.seed(3)
        again = [state(made(name, kind, seed)) for seed in reversed(SEEDS)]
        assert first == again[::-1]
        assert len({pixels for pixels, _ in first}) > 1, "different draws look different"


@pytest.mark.parametrize("name", NAMES)
def test_the_item_is_not_changed(name: str) -> None:
    operation = op.find(name)
    for kind in operation.items:
        item = items(0)[kind]
        before = state(item)
        for seed in SEEDS:
            changed = made(name, kind, seed)
            assert isinstance(changed, kind)
            assert changed.pixels.dtype == np.uint8
        assert state(items(0)[kind]) == before == state(item)


@pytest.mark.parametrize("name", NAMES)
def test_it_takes_what_makes_sense(name: str) -> None:
    """Whole pictures can be read by what changes pixels alone; objects are needed where objects are moved about."""
    taken = set(op.find(name).items)
    assert taken == set(op.find(name).makes)
    if name in ("augment.copy_paste", "augment.mosaic", "augment.pp_det"):
        assert taken == {Labelled, TextPage}
    elif name == "augment.cutmix":
        assert taken == {Labelled, TextPage, Classified}
    elif name == "augment.mixup":
        assert taken == {Labelled, Classified}
    else:
        assert taken == {Labelled, TextPage, TextLine, Classified}
