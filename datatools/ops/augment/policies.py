"""Chains of named operations on items: what RandAugment and AutoAugment have in common."""

from typing import TYPE_CHECKING

from datatools.core.values import TextLine
from datatools.ops.augment import labels

if TYPE_CHECKING:
    from datatools.kernels.policy import Step


def applied(item: labels.Item, steps: "tuple[Step, ...]", min_visible: float) -> labels.Item:
    """The item after the steps, labels included."""
    from dataclasses import replace

    import numpy as np

    from datatools.kernels import geometry, policy

    if isinstance(item, TextLine):  # its label is what all of it says
        return replace(item, pixels=policy.apply(item.pixels, steps, grow=True), draw=steps)
    matrix = policy.matrix_of(steps, labels.size_of(item))
    pixels = policy.apply(item.pixels, steps)
    if (matrix == np.eye(3)).all():
        return replace(item, pixels=pixels, draw=steps)
    return labels.moved(item, pixels, lambda xy: geometry.warp_points(xy, matrix), steps, min_visible=min_visible)
