"""Networks: forward passes beside torchvision's own, and what importing and making one costs.

torchvision's wheel is built for another torch than the one for CPUs, so that its compiled operators are missing; its
networks need none of them. It is taken from .venv-peers, beside the torch of this environment.
"""

import sys

import contest
import startup
import torch
from torch import Tensor, nn

from datatools import zoo

PEERS = contest.PEER_PYTHON.parent.parent / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
NAMES = ("shufflenet_v2_x1_0", "mobilenet_v3_small", "mobilenet_v3_large", "resnet18")
BATCH = 8
SLOWEST = 1.1
"""Our forward pass may take so many times torchvision's."""


def torchvision_models() -> object | None:
    """The module that has its networks; None where it is not installed."""
    if not (PEERS / "torchvision").is_dir():
        return None
    sys.path.append(str(PEERS))
    missing = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        missing.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    from torchvision import models

    torchvision_models.library = missing  # it must live as long as the operators
    return models


def forward(model: nn.Module, pictures: Tensor) -> contest.Contestant:
    """A contestant that does one forward pass."""
    model.eval()

    def job() -> None:
        with torch.inference_mode():
            model(pictures)

    return job


def beside(name: str, models: object) -> bool:
    """Compare our network with theirs, in both layouts of memory; whether ours is fast enough in each."""
    torch.manual_seed(0)
    pictures = torch.rand(BATCH, 3, 224, 224)
    last = {"memory_format": torch.channels_last}
    contestants = {
        "datatools": forward(zoo.create(name), pictures),
        "torchvision": forward(getattr(models, name)(), pictures),
        "datatools, channels last": forward(zoo.create(name).to(**last), pictures.contiguous(**last)),
        "torchvision, channels last": forward(getattr(models, name)().to(**last), pictures.contiguous(**last)),
    }
    note = f"forward pass, {BATCH} pictures of 224 x 224, one thread"
    ratios = contest.run(f"zoo_{name}", note, contestants, rounds=15)
    plain = 1 / ratios["torchvision"]
    packed = ratios["datatools, channels last"] / ratios["torchvision, channels last"]
    return all(
        [
            contest.bar(f"{name}: at most {SLOWEST} times torchvision's ({plain:.2f})", plain <= SLOWEST),
            contest.bar(f"{name}, channels last: the same ({packed:.2f})", packed <= SLOWEST),
        ]
    )


def imports() -> bool:
    """Compare what a process that imports us costs with one that imports torch."""
    contestants = {
        "import torch": startup.command(sys.executable, "-c", "import torch"),
        "import datatools.zoo": startup.command(sys.executable, "-c", "import datatools.zoo"),
        "making a network": startup.command(
            sys.executable, "-c", "from datatools import zoo; zoo.create('mobilenet_v3_small')"
        ),
        "datatools zoo list": startup.command(sys.executable, "-m", "datatools", "zoo", "list"),
    }
    ratios = contest.run("zoo_import", "CPU seconds of the whole process", contestants, rounds=7)
    torch_s = startup.command(sys.executable, "-c", "import torch")().cpu_s
    extra = (ratios["making a network"] - 1) * torch_s
    return all(
        [
            contest.bar(
                "import datatools.zoo is a fifth of import torch at most", ratios["import datatools.zoo"] < 0.2
            ),
            contest.bar(f"with a network made, import torch and 0.3 s at most ({extra:.2f} s)", extra <= 0.3),
        ]
    )


def main() -> None:
    """Compare, and hold ourselves to the bars."""
    torch.set_num_threads(1)
    met = [imports()]
    models = torchvision_models()
    if models is None:
        print("\ntorchvision is not in .venv-peers: `make bench` installs it")
    else:
        met += [beside(name, models) for name in NAMES]
    contest.finish(*met)


if __name__ == "__main__":
    main()
