"""Inception v3 (Szegedy et al.: CVPR 2016), without the classifier on the side that only training had."""

from functools import partial

import torch
from torch import Tensor, nn

from datatools.zoo.layers import ConvNormAct, Pool
from datatools.zoo.network import Network

Conv = partial(ConvNormAct, eps=1e-3)


class Branches(nn.Module):
    """Several ways from one map, concatenated."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the channels of all branches."""
        return torch.cat([branch(x) for branch in self.branches], 1)


def _pooled(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.AvgPool2d(3, 1, 1), Conv(inputs, outputs, 1))


def _square(inputs: int, pooled: int) -> Branches:
    """Figure 5: 5x5 and 3x3 convolutions side by side."""
    return Branches(
        Conv(inputs, 64, 1),
        nn.Sequential(Conv(inputs, 48, 1), Conv(48, 64, 5)),
        nn.Sequential(Conv(inputs, 64, 1), Conv(64, 96, 3), Conv(96, 96, 3)),
        _pooled(inputs, pooled),
    )


def _crossed(inside: int) -> Branches:
    """Figure 6: 7x7 convolutions taken apart into rows and columns."""
    row, column = (1, 7), (7, 1)
    return Branches(
        Conv(768, 192, 1),
        nn.Sequential(Conv(768, inside, 1), Conv(inside, inside, row), Conv(inside, 192, column)),
        nn.Sequential(
            Conv(768, inside, 1),
            Conv(inside, inside, column),
            Conv(inside, inside, row),
            Conv(inside, inside, column),
            Conv(inside, 192, row),
        ),
        _pooled(768, 192),
    )


def _spread(inputs: int) -> Branches:
    """Figure 7: rows and columns side by side, for the coarsest map."""

    def both() -> Branches:
        return Branches(Conv(384, 384, (1, 3)), Conv(384, 384, (3, 1)))

    return Branches(
        Conv(inputs, 320, 1),
        nn.Sequential(Conv(inputs, 384, 1), both()),
        nn.Sequential(Conv(inputs, 448, 1), Conv(448, 384, 3), both()),
        _pooled(inputs, 192),
    )


def inception_v3(*, num_classes: int = 1000, in_channels: int = 3, features_only: bool = False) -> Network:
    """Build an Inception v3, made for pictures of 299 x 299. Maps: strides 4, 8, 16, 32 (its edges are not padded)."""
    pool = partial(nn.MaxPool2d, 3, 2)
    stem = nn.Sequential(
        Conv(in_channels, 32, 3, 2, pad="valid"), Conv(32, 32, 3, pad="valid"), Conv(32, 64, 3), pool()
    )
    fine = nn.Sequential(
        Conv(64, 80, 1), Conv(80, 192, 3, pad="valid"), pool(), _square(192, 32), _square(256, 64), _square(288, 64)
    )
    halve = Branches(
        Conv(288, 384, 3, 2, pad="valid"),
        nn.Sequential(Conv(288, 64, 1), Conv(64, 96, 3), Conv(96, 96, 3, 2, pad="valid")),
        pool(),
    )
    middle = nn.Sequential(halve, _crossed(128), _crossed(160), _crossed(160), _crossed(192))
    halve = Branches(
        nn.Sequential(Conv(768, 192, 1), Conv(192, 320, 3, 2, pad="valid")),
        nn.Sequential(
            Conv(768, 192, 1), Conv(192, 192, (1, 7)), Conv(192, 192, (7, 1)), Conv(192, 192, 3, 2, pad="valid")
        ),
        pool(),
    )
    coarse = nn.Sequential(halve, _spread(1280), _spread(2048))
    head = None if features_only else nn.Sequential(Pool(), nn.Dropout(0.5), nn.Linear(2048, num_classes))
    return Network([stem, fine, middle, coarse], (64, 288, 768, 2048), head)
