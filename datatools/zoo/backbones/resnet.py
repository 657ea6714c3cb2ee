"""ResNet-18 (He, Zhang, Ren, Sun: CVPR 2016)."""

from torch import Tensor, nn

from datatools.zoo.layers import ConvNormAct, Pool, relu
from datatools.zoo.network import Network, initialize

WIDTHS = (64, 128, 256, 512)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvNormAct(inputs, outputs, 3, stride),
            ConvNormAct(outputs, outputs, 3, act=None),
        )
        plain = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if plain else ConvNormAct(inputs, outputs, 1, stride, act=None)
        self.act = relu()

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        out: Tensor = self.act(self.body(x) + self.shortcut(x))
        return out


def resnet18(*, num_classes: int = 1000, in_channels: int = 3, features_only: bool = False) -> Network:
    """Build a ResNet-18. Maps: strides 4, 8, 16, 32."""
    stages = []
    channels = WIDTHS[0]
    for index, width in enumerate(WIDTHS):
        stride = 1 if index == 0 else 2
        blocks = [BasicBlock(channels, width, stride), BasicBlock(width, width, 1)]
        if index == 0:
            stem = [ConvNormAct(in_channels, channels, 7, 2), nn.MaxPool2d(3, 2, 1)]
            stages.append(nn.Sequential(*stem, *blocks))
        else:
            stages.append(nn.Sequential(*blocks))
        channels = width
    head = None if features_only else nn.Sequential(Pool(), nn.Linear(channels, num_classes))
    model = Network(stages, WIDTHS, head)
    initialize(model)
    return model
