"""Going on with a network that was changed: a short training on the set that it is measured on."""

from typing import TYPE_CHECKING, Annotated

from datatools.core.op import Param
from datatools.core.types import Run

if TYPE_CHECKING:
    from datatools.ops.zoo.compress.measuring import Subject
    from datatools.zoo.network import Network

Rate = Annotated[float, Param("highest learning rate (Adam)", gt=0, le=1)]

SMOOTHING, JITTER = 0.1, 0.1


def tuned(subject: "Subject", model: "Network", epochs: int, batch: int, lr: float, seed: int, run: Run) -> "Network":
    """Train the network on the training part of the set, by Adam along a cosine; norms are measured anew at the end."""
    from datatools.zoo import devices
    from datatools.zoo.network import Network
    from datatools.zoo.training import Recipe, Trainer

    assert subject.data
    train = subject.data.train
    steps = epochs * -(-len(train) // batch)
    recipe = Recipe(
        model=subject.name,
        classes=len(subject.data.classes),
        steps=steps,
        batch=batch,
        lr=lr,
        smoothing=SMOOTHING,
        jitter=JITTER,
        seed=seed,
    )
    device = devices.choose("cpu")
    with devices.settled(device):
        trainer = Trainer(recipe, train.rgb, train.label, device, model)
        for _ in run.track(range(steps), "training"):
            trainer.advance()
        made = trainer.evaluated()
    assert isinstance(made, Network)
    return made
