"""`datatools zoo compress prune`: fewer channels."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from datatools.core.errors import DataError, UsageError
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Run, Seed
from datatools.ops.zoo import choices
from datatools.ops.zoo.compress import measuring, tuning
from datatools.ops.zoo.compress.measuring import Measured, Subject

if TYPE_CHECKING:
    from datatools.zoo.channels import Channels, Group

SCANNED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Ratios that a scan tries in a group of channels, until the accuracy falls too far."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """A group of channels. makers: the layers that make them. channels: how many the first one makes. ratio: the share
    that was to go; gone: how many went.

    losses: by how much the accuracy fell when this group alone was pruned by each of SCANNED, as far as was tried.
    """

    makers: tuple[str, ...]
    channels: int
    ratio: float
    gone: int
    losses: tuple[float, ...] = ()


@dataclass(frozen=True)
class Pruning(Result):
    """A network with fewer channels. tuned: whether it was trained on afterwards."""

    checkpoint: Path
    model: str
    method: str
    before: Measured
    after: Measured
    groups: tuple[Pruned, ...]
    tuned: bool
    failures: tuple[DataError, ...] = ()
    out: Path | None = None
    data: Path | None = field(default=None, repr=False)

    @property
    def problems(self) -> int:
        """How many pictures of the set could not be used."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """A row a group, then before and after."""
        yield from map(str, self.failures)
        rows = []
        for g in self.groups:
            more = f" and {len(g.makers) - 1} more" if len(g.makers) > 1 else ""
            told = " ".join(f"{100 * loss:.0f}" for loss in g.losses)
            rows.append((g.makers[0] + more, g.channels, g.ratio, g.gone, *([told] if self.scanned else [])))
        header = ("made by", "channels", "ratio", "gone", *(["loss at 0.1, 0.2 ... (points)"] if self.scanned else []))
        yield Table(header, tuple(rows), f"{self.model}, {self.method}", digits=2)
        yield measuring.comparison((self.before, self.after))
        yield from measuring.written(self.out)
        if not self.tuned and self.after.accuracy is not None and self.after.accuracy < (self.before.accuracy or 0):
            yield "next: the same with --epochs 5 trains what is left, which usually gives most of the accuracy back"
        else:
            yield measuring.next_line(self.out, self.data)

    @property
    def scanned(self) -> bool:
        """Whether the ratios come from a scan."""
        return any(g.losses for g in self.groups)


@op("zoo.compress.prune", version=2)
def prune(
    checkpoint: choices.Checkpoint,
    *,
    out: measuring.Target = None,
    method: Annotated[
        Literal["fpgm", "l1"], Param("filters nearest to all others go (geometric median), or the smallest")
    ] = "fpgm",
    ratio: Annotated[float, Param("share of the channels that goes in every group", ge=0, le=1)] = 0.1,
    sensitivity: Annotated[bool, Param("find each group's ratio by trying: see --max-loss")] = False,
    max_loss: Annotated[
        float, Param("with --sensitivity: accuracy that one group alone may cost", ge=0, le=1, metavar="X")
    ] = 0.02,
    data: measuring.Data = None,
    epochs: Annotated[int, Param("train what is left on the set so many times", ge=0, le=10_000)] = 0,
    batch: choices.Batch = 32,
    lr: tuning.Rate = 0.001,
    seed: Seed = 0,
    run: Run = SERIAL,
) -> Pruning:
    """Take channels out of a network; compare file, MACs and accuracy before and after.

    Filters are really removed, with everything that read or made their channels: norms, single-channel filters, squeeze
    and excitation, the other layers that add to the same map. Of convolutions with groups one filter of each group goes
    at a time. Channels whose places matter, as in the halves of ShuffleNet V2's units, stay. --sensitivity prunes each
    group alone by 10 %, 20 % and so on, and takes the largest ratio before the held-out accuracy falls by more than
    --max-loss.
    """
    choices.require()
    if (sensitivity or epochs) and data is None:
        raise UsageError(f"{'--sensitivity' if sensitivity else '--epochs'} needs --data SET")
    from datatools.zoo import channels, slimming

    subject = measuring.opened(checkpoint, data, out, seed, run)
    found = channels.trace(subject.model)
    if not found.groups:
        why = "the places of all of them matter to groups, shuffles or splits"
        raise UsageError(f"{subject.name}: none of its channels can go ({why})")
    losses: list[tuple[float, ...]] = [()] * len(found.groups)
    ratios = [ratio] * len(found.groups)
    if sensitivity:
        losses = _scan(subject, found, method, max_loss, run)
        kept = [sum(loss <= max_loss for loss in tried) for tried in losses]
        ratios = [SCANNED[count - 1] if count else 0.0 for count in kept]
    removed = slimming.choose(subject.model, found.groups, ratios, method)
    small = slimming.without(subject.model, found, removed)
    slimming.recount(small)
    if epochs:
        small = tuning.tuned(subject, small, epochs, batch, lr, seed, run)
    size = measuring.encoded(small.state_dict(), subject.note | {"pruned": True}, out)
    told = zip(found.groups, ratios, losses, strict=True)
    rows = tuple(_told(group, share, removed, tried) for group, share, tried in told)
    return Pruning(
        checkpoint=checkpoint,
        model=subject.name,
        method=method,
        before=subject.measured,
        after=subject.measure(small, size),
        groups=rows,
        tuned=epochs > 0,
        failures=subject.data.failures if subject.data else (),
        out=out,
        data=data,
    )


def _told(group: "Group", ratio: float, removed: set[int], losses: tuple[float, ...]) -> Pruned:
    each = group.makers.count(group.makers[0])  # filters that go together
    gone = len(removed & set(group.roots.tolist()))
    return Pruned(tuple(dict.fromkeys(group.makers)), len(group.roots) * each, ratio, gone * each, losses)


def _scan(
    subject: Subject, found: "Channels", method: Literal["fpgm", "l1"], max_loss: float, run: Run
) -> list[tuple[float, ...]]:
    """The loss of accuracy for each group and ratio, up to the first that is too large."""
    from datatools.zoo import slimming

    whole = subject.measured.accuracy
    assert whole is not None
    losses = []
    for group in run.track(found.groups, "scanning"):
        tried: list[float] = []
        before: set[int] = set()
        for ratio in SCANNED:
            removed = slimming.choose(subject.model, [group], [ratio], method)
            if removed != before:  # narrow groups lose the same channels at several ratios
                with slimming.silenced(subject.model, found, removed):
                    loss = whole - subject.accuracy(subject.model)
            else:
                loss = tried[-1] if tried else 0.0
            before = removed
            tried.append(loss)
            if loss > max_loss:
                break
        losses.append(tuple(tried))
    return losses
