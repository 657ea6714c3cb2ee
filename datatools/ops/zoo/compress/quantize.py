"""`datatools zoo compress quantize`: weights in few bits."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from datatools.core.census import count_of
from datatools.core.errors import DataError, UsageError
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Run, Seed
from datatools.ops.zoo import choices
from datatools.ops.zoo.compress import measuring
from datatools.ops.zoo.compress.measuring import Measured

if TYPE_CHECKING:
    from datatools.zoo.coding import CodedTensor

SHOWN = 5
"""So many tensors, the ones that lost most, are shown; JSON has all."""


@dataclass(frozen=True)
class Quantized(Result):
    """A network whose weights have few bits.

    bits_a_weight: of the coded weights, with their scales and codebooks. tensors: how well each one survived.
    """

    checkpoint: Path
    model: str
    scheme: str
    bits: int
    per: str
    before: Measured
    after: Measured
    bits_a_weight: float
    tensors: "tuple[CodedTensor, ...]"
    failures: tuple[DataError, ...] = ()
    out: Path | None = None
    data: Path | None = field(default=None, repr=False)

    @property
    def problems(self) -> int:
        """How many pictures of the set could not be used."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """The tensors that lost most, then before and after."""
        yield from map(str, self.failures)
        worst = sorted(self.tensors, key=lambda t: (-t.mse, t.name))[:SHOWN]
        rows = tuple((t.name, t.numbers, t.mse**0.5, t.greatest) for t in worst)
        width = count_of(self.bits, "bit")
        title = f"{self.model}, {self.scheme}, {width} a weight, per {self.per}: what lost most"
        yield Table(("weights", "numbers", "root mean square error", "greatest error"), rows, title, digits=5)
        yield measuring.comparison((self.before, self.after))
        yield f"{self.bits_a_weight:.2f} bits a coded weight, scales and codebooks included"
        yield from measuring.written(self.out)
        yield measuring.next_line(self.out, self.data)


@op("zoo.compress.quantize", version=1)
def quantize(
    checkpoint: choices.Checkpoint,
    *,
    out: measuring.Target = None,
    scheme: Annotated[
        Literal["symmetric", "affine", "kmeans", "binary"],
        Param("levels around 0, levels from the least to the greatest, cluster centres, or the sign alone"),
    ] = "symmetric",
    bits: Annotated[int | None, Param("bits a weight (8; kmeans 4, which is 16 centres)", ge=2, le=8)] = None,
    per: Annotated[
        Literal["channel", "tensor"], Param("a scale for every output channel, or one for all (kmeans: one codebook)")
    ] = "channel",
    data: measuring.Data = None,
    seed: Seed = 0,
    run: Run = SERIAL,
) -> Quantized:
    """Keep the weights of convolutions and linear layers in few bits; compare file and accuracy before and after.

    The file really is that small: codes, scales and codebooks are stored, and read back as floats wherever a
    checkpoint is. symmetric with 8 bits stores plain int8. Computing stays in float32, so MACs do not change. Biases
    and norms are left as they are.
    """
    choices.require()
    if scheme == "binary" and bits is not None:
        raise UsageError("--bits: binary weights have one bit")
    from datatools.zoo import coding, loading

    width = 1 if scheme == "binary" else bits or (4 if scheme == "kmeans" else 8)
    subject = measuring.opened(checkpoint, data, out, seed, run)
    coded = coding.encode(
        subject.model.state_dict(), scheme, width, per_channel=per == "channel" and scheme != "kmeans"
    )
    size = measuring.encoded(coded.tensors, subject.note | {"coding": coded.coding}, out)
    loading.load(subject.model, coding.decode(coded.tensors, coded.coding))
    own = {f"{t.name}{part}" for t in coded.rows for part in ("", *(f".{p}" for p in coding.PARTS))}
    kept_bits = 8 * sum(t.numel() * t.element_size() for name, t in coded.tensors.items() if name in own)
    return Quantized(
        checkpoint=checkpoint,
        model=subject.name,
        scheme=scheme,
        bits=width,
        per="tensor" if scheme == "kmeans" else per,
        before=subject.measured,
        after=subject.measure(subject.model, size),
        bits_a_weight=kept_bits / max(1, sum(t.numbers for t in coded.rows)),
        tensors=coded.rows,
        failures=subject.data.failures if subject.data else (),
        out=out,
        data=data,
    )
