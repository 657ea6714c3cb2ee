"""Chains of named operations, as RandAugment and AutoAugment draw them, on pictures and on their labels.

A chain is data: steps of a name and a number. `apply` walks it with as few passes over the pixels as it can: tables of
grey values are composed into one table, maps into one map; tables and maps wait until something needs the pixels. What
an operation needs to know of the values (the darkest, the mean, their order) comes from counts that went through the
waiting table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from datatools.kernels import geometry, tones
from datatools.kernels.geometry import Fill, Matrix, Picture

Name = Literal[
    "identity",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
    "rotate",
    "autocontrast",
    "brightness",
    "color",
    "contrast",
    "equalize",
    "invert",
    "posterize",
    "sharpness",
    "solarize",
]

GREY: Fill = (128, 128, 128)
"""What AutoAugment puts where there was no picture."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation and how strong it is.

    value: shear_*: shift per pixel of height or width; translate_*: whole pixels; rotate: degrees clockwise;
    brightness, color, contrast, sharpness: factor, 1 changes nothing; posterize: bits kept; solarize: threshold.
    """

    name: Name
    value: float = 0.0


def matrix_of(steps: Sequence[Step], size_wh: tuple[int, int]) -> Matrix:
    """Return where a chain moves things, as a map (see `geometry`); shear and rotation are about the centre."""
    matrix = np.eye(3)
    for step in steps:
        if (moved := _map(step, size_wh)) is not None:
            matrix = moved @ matrix
    return matrix


def _map(step: Step, size_wh: tuple[int, int]) -> Matrix | None:
    centre = (size_wh[0] / 2, size_wh[1] / 2)
    match step.name:
        case "shear_x":
            return geometry.around(geometry.shear(step.value, 0.0), centre)
        case "shear_y":
            return geometry.around(geometry.shear(0.0, step.value), centre)
        case "rotate":
            return geometry.around(geometry.rotate(step.value), centre)
        case "translate_x":
            return geometry.translate(step.value, 0.0)
        case "translate_y":
            return geometry.translate(0.0, step.value)
    return None


def apply(rgb: Picture, steps: Sequence[Step], *, fill: Fill = GREY, grow: bool = False) -> Picture:
    """Return the picture after all steps. rgb: (height, width, 3) uint8 RGB.

    Several maps in a row are one map: what the first moves out of the picture, the next may bring back.
    grow: make the picture larger where something would be moved out of it; otherwise its size stays.
    """
    waiting = _Waiting(rgb, fill, grow)
    for step in steps:
        waiting.take(step)
    return waiting.picture()


class _Waiting:
    """A picture, and the table and then the map that are still to be applied to it."""

    def __init__(self, rgb: Picture, fill: Fill, grow: bool) -> None:
        self.rgb = rgb
        self.grow = grow
        self.fill = self.default = fill
        self.size_wh = (rgb.shape[1], rgb.shape[0])
        self.table: tones.Table | None = None
        self.matrix: Matrix | None = None

    def take(self, step: Step) -> None:
        if (moved := _map(step, self.size_wh)) is not None:
            self.matrix = moved if self.matrix is None else moved @ self.matrix
        elif step.name == "color":
            self.rgb = tones.color(self.picture(), step.value)
        elif step.name == "sharpness":
            self.rgb = tones.sharpness(self.picture(), step.value)
        elif (table := self._table_of(step)) is not None:
            self.table = tones.chain(self.table, table)
            if self.matrix is not None:  # what the waiting map uncovers changes its tone, too
                three = table if table.ndim == 2 else table[:, None].repeat(3, axis=1)
                self.fill = (int(three[self.fill[0], 0]), int(three[self.fill[1], 1]), int(three[self.fill[2], 2]))

    def _table_of(self, step: Step) -> tones.Table | None:
        match step.name:
            case "brightness":
                return tones.brightness(step.value)
            case "invert":
                return tones.invert()
            case "posterize":
                return tones.posterize(round(step.value))
            case "solarize":
                return tones.solarize(step.value)
            case "autocontrast":
                return tones.autocontrast(self._counts())
            case "equalize":
                return tones.equalize(self._counts())
            case "contrast":
                return tones.contrast(step.value, self._counts())
        return None

    def _counts(self) -> tones.Counts:
        if self.matrix is not None:
            self.rgb = self.picture()
        counts = tones.counts_of(self.rgb)
        return counts if self.table is None else tones.moved_counts(counts, self.table)

    def picture(self) -> Picture:
        """Apply what waits."""
        if self.table is not None:
            self.rgb = tones.apply(self.rgb, self.table)
        if self.matrix is not None:
            if self.grow:
                self.matrix, self.size_wh = geometry.grown(self.matrix, self.size_wh)
            self.rgb = geometry.warp_image(self.rgb, self.matrix, self.size_wh, fill=self.fill)
        self.table = self.matrix = None
        self.fill = self.default
        return self.rgb
