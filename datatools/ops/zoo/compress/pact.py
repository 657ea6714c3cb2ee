"""`datatools zoo compress pact`: activations in few bits, too, by training with them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from datatools.core.errors import DataError, UsageError
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Run, Seed
from datatools.ops.zoo import choices
from datatools.ops.zoo.compress import measuring, tuning
from datatools.ops.zoo.compress.measuring import Measured


@dataclass(frozen=True)
class Pact(Result):
    """A network that computes with rounded weights and activations.

    untrained: rounded as it came, clipped where its activations end. after: trained with the rounding. alphas: where
    each activation is clipped now.
    """

    checkpoint: Path
    model: str
    bits: int
    before: Measured
    untrained: Measured
    after: Measured
    alphas: tuple[tuple[str, float], ...]
    failures: tuple[DataError, ...] = ()
    out: Path | None = None
    data: Path | None = field(default=None, repr=False)

    @property
    def problems(self) -> int:
        """How many pictures of the set could not be used."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """Before, rounded, and rounded and trained."""
        yield from map(str, self.failures)
        yield f"{self.model}, {self.bits} bits for weights and activations"
        names = ("float32", "rounded", "trained with it")
        yield measuring.comparison((self.before, self.untrained, self.after), names)
        low, high = min(a for _, a in self.alphas), max(a for _, a in self.alphas)
        yield f"{len(self.alphas)} activations are clipped, at {low:.2f} to {high:.2f}"
        yield from measuring.written(self.out)
        yield measuring.next_line(self.out, self.data)


CALIBRATION_BATCHES = 8


@op("zoo.compress.pact", version=1)
def pact(
    checkpoint: choices.Checkpoint,
    *,
    data: Annotated[Path, Param("classified set to train and measure on, as `zoo train` reads it", metavar="SET")],
    out: measuring.Target = None,
    bits: Annotated[int, Param("bits of weights and of activations", ge=2, le=8)] = 8,
    epochs: Annotated[int, Param("times that every picture is seen", ge=1, le=10_000)] = 5,
    batch: choices.Batch = 32,
    lr: tuning.Rate = 0.0005,
    seed: Seed = 0,
    run: Run = SERIAL,
) -> Pact:
    """Train a network with rounded weights and activations (quantisation-aware training with PACT).

    Each ReLU becomes a clip to [0, alpha], each hardswish is followed by a clip to [-alpha, alpha]. alpha is learnt: it
    starts at the largest activation of some batches, 20 at most, and its square is penalised by 2e-5. Weights have a
    scale a channel. The file holds the weights in that many bits.
    """
    choices.require()
    from datatools.zoo import coding, devices, training
    from datatools.zoo import pact as clipping

    subject = measuring.opened(checkpoint, data, out, seed, run)
    if "pact" in subject.note:
        raise UsageError("the network has clipped activations already")
    assert subject.data
    model = clipping.insert(subject.model, bits)
    shown, device = subject.data.train.rgb[: CALIBRATION_BATCHES * batch], devices.choose("cpu")
    with devices.settled(device):
        starts = range(0, len(shown), batch)
        clipping.calibrate(model, (training.as_input(shown[start : start + batch], device) for start in starts))
    clipping.round_weights(model, bits)
    untrained = clipping.settled(model)
    coded = coding.encode(untrained.state_dict(), "symmetric", bits, per_channel=True)
    rough = subject.measure(untrained, measuring.encoded(coded.tensors, subject.note, None))
    trained = clipping.settled(tuning.tuned(subject, model, epochs, batch, lr, seed, run))
    coded = coding.encode(trained.state_dict(), "symmetric", bits, per_channel=True)
    size = measuring.encoded(coded.tensors, subject.note | {"pact": bits, "coding": coded.coding}, out)
    return Pact(
        checkpoint=checkpoint,
        model=subject.name,
        bits=bits,
        before=subject.measured,
        untrained=rough,
        after=subject.measure(trained, size),
        alphas=tuple((n, float(p.detach())) for n, p in trained.named_parameters() if n.endswith(".alpha")),
        failures=subject.data.failures,
        out=out,
        data=data,
    )
