"""Forward passes against figures that other implementations gave.

Weights and inputs are made by a hash of their indices, so that every framework makes the same ones. The figures were
taken from official implementations: PaddleOCR 2.4, PaddleClas 2.3, torchvision 0.28, huawei-noah's GhostNet, and the
Xception of pytorch-deeplab-xception with its in-place ReLU mended.
"""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from datatools import zoo

Figures = tuple[float, float, tuple[float, float, float], float]
"""Mean, population standard deviation, the first three values and the last."""


def uniform(index: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Numbers in [0, 1), each a hash of its index."""
    v = index.copy()
    for _ in range(2):
        v ^= v >> np.uint32(16)
        v *= np.uint32(0x45D9F3B)
    v ^= v >> np.uint32(16)
    return v.astype(np.float32) * np.float32(2**-32)


def picture(*shape: int) -> Tensor:
    return torch.from_numpy(uniform(np.arange(np.prod(shape), dtype=np.uint32) + np.uint32(99)).reshape(shape))


def fill(model: nn.Module, gain: float = 1.0) -> nn.Module:
    """Give every weight its number; return the model in evaluation mode. gain: of convolutions."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            weight = module.weight
            # PaddleClas has some 1x1 convolutions after the pooling: as linear layers here, their gain is their own
            factor = gain if isinstance(module, nn.Conv2d) or getattr(module, "was_conv", False) else 1.0
            at = np.full([1] * weight.dim(), 17, np.uint32)
            for side, step in zip(np.ogrid[tuple(map(slice, weight.shape))], (1000003, 10007, 101, 11), strict=False):
                at = at + side.astype(np.uint32) * np.uint32(step)
            limit = np.float32(factor * np.sqrt(6 / weight[0].numel()))
            weight.data.copy_(torch.from_numpy((2 * uniform(at) - 1) * limit))
            if module.bias is not None:
                module.bias.data.copy_(0.01 * (torch.arange(len(module.bias)) % 3))
    return model.eval()


def check(values: Tensor, shape: Sequence[int], figures: Figures) -> None:
    mean, std, first, last = figures
    flat = values.double().flatten()
    assert values.shape == tuple(shape)
    assert float(flat.std(correction=0)) == pytest.approx(std, rel=1e-3)
    close = 1e-3 * std  # of numbers that may be near 0
    assert float(flat.mean()) == pytest.approx(mean, rel=1e-3, abs=close)
    assert flat[:3].tolist() == pytest.approx(list(first), rel=1e-3, abs=close)
    assert float(flat[-1]) == pytest.approx(last, rel=1e-3, abs=close)


def test_the_hash_is_the_one_that_the_figures_were_made_with() -> None:
    expected = [0, 0.19197247, 0.40099446, 0.00969868, 0.36093515]
    assert uniform(np.array([0, 1, 2, 17, 100], np.uint32)) == pytest.approx(expected, abs=5e-8)
    assert picture(1, 3).tolist()[0] == pytest.approx([0.6113298, 0.36093515, 0.6931666], abs=5e-8)


LOGITS: dict[str, Figures] = {
    # two pictures of 64 x 64, 1000 classes
    "shufflenet_v1_g1": (197.382, 13218.5, (-2407.05, -1366.69, -2339.67), -8514.22),
    "shufflenet_v1_g2": (31.6743, 11742.1, (-6366.33, 4229.41, -15636.3), -6616.74),
    "shufflenet_v1_g3": (284.657, 9262.04, (-12826.4, 38.239, 3939.19), 9631.93),
    "shufflenet_v1_g4": (-415.035, 26062.1, (-23796.7, -22630.8, -22000), -14643.8),
    "shufflenet_v1_g8": (-251.21, 6786.67, (-3801.45, -11935, -5704.2), 195.306),
    "shufflenet_v2_x1_0": (-0.236329, 27.7184, (-40.2348, 21.5427, -30.1659), -18.7578),
    "shufflenet_v2_x0_5": (-0.210837, 13.3463, (-13.9583, -5.85034, -10.288), 22.7969),
    "mobilenet_v1_x0_5": (0.016123, 0.334624, (0.0217891, -0.31799, 0.067652), -0.282479),
    "mobilenet_v1": (0.00785627, 0.258846, (-0.216412, 0.261582, -0.296153), -0.0964211),
    "mobilenet_v2": (-0.107282, 2.79576, (-2.95806, -1.76386, -3.7198), -3.2232),
    "mobilenet_v2_paddle": (-0.120035, 2.78211, (-3.13928, -1.35044, -3.86038), -2.83562),
    "mobilenet_v3_large": (-3.15956, 207.898, (59.2271, 204.055, -99.2924), -21.1629),
    "mobilenet_v3_small": (0.0204947, 0.19211, (0.0208383, 0.262851, -0.397909), 0.0199259),
    "mobilenet_v3_small_paddle": (0.0624768, 4.43361, (-0.875736, 3.40589, -3.57046), -4.06742),
    "mobilenet_v3_large_paddle_x0_5": (3.10666, 301.588, (-219.535, -87.9336, -190.828), 64.9011),
    "mobilenet_v3_large_paddle": (-5.33036, 314.307, (155.311, 166.916, 10.749), -1.3716),
    "ghostnet_x1_0": (-642.576, 31477.7, (-4573.43, 26263.7, -7550.85), 21716.5),
    "ghostnet_paddle_x1_0": (-839.234, 37722.8, (-7228.03, 28222.2, -18496.6), 9441.08),
}


@pytest.mark.parametrize("name", LOGITS)
def test_logits_are_those_of_the_official_implementation(name: str) -> None:
    model = fill(zoo.create(name))
    with torch.no_grad():
        check(model(picture(2, 3, 64, 64)), (2, 1000), LOGITS[name])


LCNETS: dict[str, Figures] = {
    "pp_lcnet_x0_25": (0.0107773, 0.0754509, (-0.110635, 0.0541588, -0.0780319), 0.0190871),
    "pp_lcnet_x0_5": (0.0299609, 2.09937, (0.142172, -0.0922481, 0.0431562), -0.25047),
    "pp_lcnet_x1_0": (-0.510899, 22.6511, (-41.2713, 21.2123, -6.62991), 14.0326),
    "pp_lcnet_x2_5": (-0.307638, 10.1207, (-3.7509, -3.72222, -1.44544), -8.26062),
}


@pytest.mark.parametrize("name", LCNETS)
def test_logits_of_pp_lcnet_are_those_of_paddle(name: str) -> None:
    model = zoo.create(name)
    model.head[1].was_conv = True
    with torch.no_grad():
        check(fill(model, 1.25)(picture(2, 3, 64, 64)), (2, 1000), LCNETS[name])


def test_three_classes_of_resnet18() -> None:
    with torch.no_grad():
        logits = fill(zoo.create("resnet18", num_classes=3))(picture(2, 3, 64, 64))
    check(logits, (2, 3), (-9.39263, 15.2767, (11.9647, -15.0051, -24.9307), -24.6542))


@pytest.mark.parametrize(
    ("groups", "figures"),
    [
        (2, (-15.3323, 171.029, (-242.793, -146.658, -39.0625), -51.8304)),
        (3, (-64.7499, 110.52, (-63.2531, -72.9587, -145.809), -171.316)),
    ],
)
def test_shufflenet_for_small_pictures(groups: int, figures: Figures) -> None:
    model = fill(zoo.create(f"shufflenet_v1_cifar_g{groups}", num_classes=10))
    with torch.no_grad():
        check(model(picture(2, 3, 32, 32)), (2, 10), figures)


def test_the_direction_classifier_of_pp_ocr() -> None:
    model = fill(zoo.create("mobilenet_v3_small_text_cls_x0_35", num_classes=2))
    with torch.no_grad():
        answer = model(picture(2, 3, 48, 192)).softmax(1)
    check(answer, (2, 2), (0.5, 0.0336268, (0.48301, 0.516989, 0.455583), 0.544417))


MAPS: dict[tuple[str, float, tuple[int, ...]], list[tuple[tuple[int, ...], Figures]]] = {
    ("mobilenet_v3_large_paddle_x0_5", 1, (2, 3, 64, 96)): [
        ((2, 16, 16, 24), (0.0519623, 4.43107, (-0.662941, -3.82873, -2.81205), 0.574503)),
        ((2, 24, 8, 12), (-3.17774, 44.1477, (29.5277, 56.9613, 36.2859), -35.5007)),
        ((2, 56, 4, 6), (-64.2554, 417.501, (-603.195, -361.268, -424.874), -751.323)),
        ((2, 480, 2, 3), (266.434, 421.057, (1046.66, 867.24, 719.449), 928.671)),
    ],
    ("mobilenet_v3_large_paddle_no_se_x0_5", 1, (2, 3, 64, 96)): [
        ((2, 16, 16, 24), (0.0519623, 4.43107, (-0.662941, -3.82873, -2.81205), 0.574503)),
        ((2, 24, 8, 12), (-4.45124, 43.4386, (18.5658, 32.0949, 17.9526), -36.8259)),
        ((2, 56, 4, 6), (-79.4692, 663.916, (-1353.65, -1654.33, -1687.5), 89.4229)),
        ((2, 480, 2, 3), (788.343, 1177.7, (4956.79, 6377.41, 3500.27), 2593.46)),
    ],
    ("mobilenet_v3_small_paddle", 1, (1, 3, 64, 64)): [
        ((1, 16, 16, 16), (0.400398, 0.825234, (-0.916666, -0.540467, -0.368322), 0.499493)),
        ((1, 24, 8, 8), (-0.0665599, 2.41842, (-0.110994, -0.721436, -0.458362), 0.393987)),
        ((1, 48, 4, 4), (-0.0185691, 3.91423, (0.714833, -2.57615, -4.46961), 4.24091)),
        ((1, 576, 2, 2), (2.23182, 3.45338, (5.07369, 0.632874, 11.1133), 4.29086)),
    ],
    ("mobilenet_v3_small_text_cls_x0_5", 1, (2, 3, 32, 100)): [
        ((2, 288, 1, 25), (0.299256, 0.585769, (0.218619, 0.011934, 0.255242), 0.0683513)),
    ],
    ("mobilenet_v3_small_text_x0_5", 1, (2, 3, 32, 100)): [
        ((2, 288, 1, 25), (21.967, 21.375, (52.0959, 43.005, 58.56), 3.37538)),
    ],
    ("resnet18_vd", 1, (1, 3, 64, 64)): [
        ((1, 64, 16, 16), (0.989159, 1.38712, (0.21917, 0.304473, 0.755269), 1.9049)),
        ((1, 128, 8, 8), (1.90855, 2.54591, (1.64219, 1.6899, 2.36924), 4.23461)),
        ((1, 256, 4, 4), (3.74858, 5.03698, (3.71775, 4.96039, 6.5887), 4.67791)),
        ((1, 512, 2, 2), (5.314, 7.16232, (0.794312, 6.0351, 0), 5.18429)),
    ],
    ("mobilenet_v1_enhance", 1.25, (2, 3, 32, 100)): [
        ((2, 512, 1, 25), (93.2077, 106.063, (0, 0, 0), 13.9984)),
    ],
    ("mobilenet_v1_enhance_x1_0", 1.25, (2, 3, 32, 100)): [
        ((2, 1024, 1, 25), (43.5508, 44.6739, (0, 0, 8.71364), 66.1719)),
    ],
}


@pytest.mark.parametrize("case", MAPS, ids=lambda case: case[0])
def test_maps_are_those_of_the_official_implementation(case: tuple[str, float, tuple[int, ...]]) -> None:
    name, gain, shape = case
    model = fill(zoo.create(name, features_only=True), gain)
    with torch.no_grad():
        maps = model(picture(*shape))
    assert len(maps) == len(MAPS[case])
    for values, (expected, figures) in zip(maps, MAPS[case], strict=True):
        check(values, expected, figures)
    assert model.tap_channels == tuple(values.shape[1] for values in maps)


def test_both_strides_of_aligned_xception_with_the_shortcut_that_no_relu_overwrites() -> None:
    coarse = fill(zoo.create("aligned_xception", features_only=True))
    with torch.device("meta"):
        fine = zoo.create("aligned_xception_os8", features_only=True).eval()
    fine.load_state_dict(coarse.state_dict(), assign=True)  # they differ in strides alone
    with torch.no_grad():
        low, high = coarse(picture(1, 3, 65, 65))
        same, higher = fine(picture(1, 3, 65, 65))
    check(low, (1, 128, 17, 17), (1.0267, 1.49843, (0, 0, 0), 0.889163))
    check(high, (1, 2048, 5, 5), (1.24093e09, 1.81161e09, (1.65136e09, 0, 0), 5.25309e09))
    check(same, (1, 128, 17, 17), (1.0267, 1.49843, (0, 0, 0), 0.889163))
    check(higher, (1, 2048, 9, 9), (7.25076e08, 1.07228e09, (7.6582e08, 8.727e08, 0), 4.04058e09))
