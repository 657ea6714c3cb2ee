"""The names of all networks, and how each is made. Only making one imports torch.

A name says family, form and width: `mobilenet_v3_small_paddle_x0_5`. A width of 1 may be said or left out.
"""

import difflib
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from datatools.core.errors import UsageError, escape

if TYPE_CHECKING:
    from datatools.zoo.network import Network


@dataclass(frozen=True, slots=True)
class Entry:
    """One network.

    builder: a function of datatools.zoo.backbones, `module.function`. options: what it is called with. source: who
    described it. input_chw: the input that the source counts for: channels, height, width.
    """

    builder: str
    source: str
    options: Mapping[str, Any] = field(default_factory=dict)
    input_chw: tuple[int, int, int] = (3, 224, 224)


TEXT_LINE = (3, 32, 320)


def _shufflenets() -> Iterator[tuple[str, Entry]]:
    for groups in (1, 2, 3, 4, 8):
        for scale in (0.25, 0.5, 1.0, 1.5, 2.0):
            yield (
                f"shufflenet_v1_g{groups}{_width(scale)}",
                Entry("shufflenet_v1.shufflenet_v1", "Zhang 2018", {"groups": groups, "scale": scale}),
            )
    for groups in (2, 3):
        yield (
            f"shufflenet_v1_cifar_g{groups}",
            Entry("shufflenet_v1.shufflenet_v1_cifar", "Zhang 2018", {"groups": groups}, (3, 32, 32)),
        )
    forms = {
        "": {},
        "_se": {"squeeze": True},
        "_residual": {"residual": True},
        "_se_residual": {"squeeze": True, "residual": True},
        "_megvii": {"megvii": True},
    }
    for form, options in forms.items():
        for scale in (0.5, 1.0, 1.5, 2.0):
            yield (
                f"shufflenet_v2{form}_{suffix(scale)}",
                Entry("shufflenet_v2.shufflenet_v2", "Ma 2018", {"scale": scale, **options}),
            )
    yield (
        "shufflenet_v2_paddle_x2_0",
        Entry("shufflenet_v2.shufflenet_v2", "PaddleClas 2.3", {"scale": 2.0, "paddle": True}),
    )


def _mobilenets() -> Iterator[tuple[str, Entry]]:
    for scale in (0.25, 0.5, 0.75, 1.0):
        yield f"mobilenet_v1{_width(scale)}", Entry("mobilenet_v1.mobilenet_v1", "Howard 2017", {"scale": scale})
    for scale in (0.35, 0.5, 0.75, 1.0, 1.4):
        yield f"mobilenet_v2{_width(scale)}", Entry("mobilenet_v2.mobilenet_v2", "Sandler 2018", {"scale": scale})
    for scale in (0.25, 0.5, 0.75, 1.0, 1.5, 2.0):
        options: dict[str, Any] = {"scale": scale, "paddle": True}
        yield f"mobilenet_v2_paddle{_width(scale)}", Entry("mobilenet_v2.mobilenet_v2", "PaddleClas 2.3", options)
    forms: dict[str, tuple[str, dict[str, Any]]] = {
        "": ("Howard 2019", {}),
        "_paddle": ("PaddleClas 2.3", {"paddle": True}),
        "_paddle_no_se": ("PaddleOCR 2.4", {"paddle": True, "squeeze": False}),
    }
    texts = {"_text": (1, 2, 2, 2), "_text_cls": (2, 2, 2, 2)}
    for size in ("large", "small"):
        for scale in (0.35, 0.5, 0.75, 1.0, 1.25):
            for form, (source, options) in forms.items():
                yield (
                    f"mobilenet_v3_{size}{form}{_width(scale)}",
                    Entry("mobilenet_v3.mobilenet_v3", source, {"size": size, "scale": scale, **options}),
                )
            for form, strides in texts.items() if size == "small" else ():
                options = {"size": size, "scale": scale, "strides": strides}
                line = (3, 48, 192) if form == "_text_cls" else TEXT_LINE
                yield (
                    f"mobilenet_v3_{size}{form}{_width(scale)}",
                    Entry("mobilenet_v3.mobilenet_v3_text", "PaddleOCR 2.4", options, line),
                )
    # PP-OCRv2 has half the width, and so has the plain name
    for scale in (0.25, 0.35, 0.5, 0.75, 1.0):
        yield (
            f"mobilenet_v1_enhance{'' if scale == 0.5 else '_' + suffix(scale)}",
            Entry("mobilenet_v1.mobilenet_v1_enhance", "Du 2021", {"scale": scale}, TEXT_LINE),
        )


def _others() -> Iterator[tuple[str, Entry]]:
    for scale in (0.25, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5):
        yield f"pp_lcnet_{suffix(scale)}", Entry("pp_lcnet.pp_lcnet", "Cui 2021", {"scale": scale})
    for form, source in (("", "Han 2020"), ("_paddle", "PaddleClas 2.3")):
        for scale in (0.5, 1.0, 1.3):
            options = {"scale": scale, "paddle": bool(form)}
            yield f"ghostnet{form}_{suffix(scale)}", Entry("ghostnet.ghostnet", source, options)
    yield "resnet18", Entry("resnet.resnet18", "He 2016")
    yield "resnet18_paddle", Entry("resnet.resnet18", "PaddleClas 2.3", {"project_first": True})
    yield "resnet18_vd", Entry("resnet.resnet18", "He 2019", {"vd": True})
    yield "se_resnet18", Entry("resnet.resnet18", "Hu 2018", {"squeeze": True})
    yield "resnext50_32x4d", Entry("resnet.resnext50", "Xie 2017")
    yield "squeezenet1_1", Entry("squeezenet.squeezenet", "Iandola 2016")
    yield "inception_v3", Entry("inception_v3.inception_v3", "Szegedy 2016", {}, (3, 299, 299))
    yield "igcv3", Entry("mobilenet_v2.igcv3", "Sun 2018")
    for name, stride in (("aligned_xception", 16), ("aligned_xception_os8", 8)):
        options = {"output_stride": stride}
        yield name, Entry("aligned_xception.aligned_xception", "Chen 2018", options, (3, 512, 512))


def suffix(scale: float) -> str:
    """How a name says a width.

    >>> suffix(0.35), suffix(1)
    ('x0_35', 'x1_0')
    """
    return "x" + str(float(scale)).replace(".", "_")


def _width(scale: float) -> str:
    return "" if scale == 1 else "_" + suffix(scale)


ENTRIES: dict[str, Entry] = dict([*_shufflenets(), *_mobilenets(), *_others()])


def names() -> tuple[str, ...]:
    """All names, family by family."""
    return tuple(ENTRIES)


def full_name(name: str) -> str:
    """The name as `names` has it, where a width of 1 is said or left out against that.

    Raises UsageError, with the nearest names, where there is none.
    """
    for spelled in (name, name.removesuffix("_x1_0"), f"{name}_x1_0"):
        if spelled in ENTRIES:
            return spelled
    raise UsageError(f"there is no network {escape(name)!r}{near(name)}")


def near(name: str) -> str:
    """What to say of a name that is none: the nearest ones, or where all are listed."""
    close = difflib.get_close_matches(name, ENTRIES, n=3)
    return f"; did you mean {' or '.join(close)}?" if close else " (`datatools zoo list` names all)"


def entry(name: str) -> Entry:
    """What is known of a network. Raises UsageError, with the nearest names, where there is none of that name."""
    return ENTRIES[full_name(name)]


def create(name: str, *, num_classes: int = 1000, in_channels: int = 3, features_only: bool = False) -> "Network":
    """Build a network with fresh weights, drawn from torch's global generator.

    features_only: give the maps of all stages instead of logits; `tap_channels` has their channels.

    Raises UsageError for an unknown name or counts below 1.
    """
    found = entry(name)
    if num_classes < 1 or in_channels < 1:
        raise UsageError("a network needs at least one class and one channel")
    from datatools.zoo import network

    module, _, function = found.builder.partition(".")
    build = getattr(importlib.import_module(f"datatools.zoo.backbones.{module}"), function)
    with network.Undrawn():
        model: Network = build(
            **found.options, num_classes=num_classes, in_channels=in_channels, features_only=features_only
        )
    network.initialize(model)
    return model
