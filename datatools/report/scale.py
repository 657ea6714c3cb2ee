"""Numbers as text, round numbers, and the axes of charts."""

import math
from collections.abc import Iterable
from dataclasses import dataclass


def number(value: float) -> str:
    """Write a number as a reader wants it.

    >>> [number(v) for v in (12345, 0.25, 1234.5, 1 / 3, float("nan"))]
    ['12,345', '0.25', '1,234', '0.333', 'n/a']
    """
    if not math.isfinite(value):
        return "n/a"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round numbers (1, 2 or 5 times a power of ten apart) from low to high.

    >>> ticks(0, 47)
    [0.0, 10.0, 20.0, 30.0, 40.0]
    """
    if not high > low:
        return [float(low)]
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = min((m * power for m in (1, 2, 5, 10)), key=lambda s: abs(s - raw))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(f"{i * step:.15g}") for i in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale from low to high, linear or logarithmic (then low must be above 0)."""

    label: str = ""
    low: float = 0.0
    high: float = 1.0
    log: bool = False

    @classmethod
    def over(cls, values: Iterable[float], label: str = "", *, zero: bool = False, log: bool = False) -> "Axis":
        """Return an axis that holds all finite values with a small margin; `zero` makes it start at 0.

        >>> Axis.over([0.0, 95.0], zero=True).high
        99.75
        """
        kept = [v for v in values if math.isfinite(v) and (v > 0 or not log)]
        low, high = (min(kept), max(kept)) if kept else (1.0, 10.0)
        if log:
            return cls(label, low / 1.15, high * 1.15, log=True)
        low = 0.0 if zero else low
        margin = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
        return cls(label, low if zero else low - margin, high + margin)

    def share(self, value: float) -> float:
        """Where the value lies, 0 at low, 1 at high; values outside are clipped to the ends."""
        if self.log:
            value = max(value, self.low)
            low, high = math.log(self.low), math.log(self.high)
            share = (math.log(value) - low) / (high - low)
        else:
            share = (value - self.low) / (self.high - self.low or 1.0)
        return min(max(share, 0.0), 1.0)

    def ticks(self) -> list[float]:
        """Round numbers on the axis."""
        if not self.log:
            return ticks(self.low, self.high)
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        steps = (1, 2, 5) if len(powers) <= 4 else (1,)
        return [v for p in powers for v in (s * 10.0**p for s in steps) if self.low <= v <= self.high]
