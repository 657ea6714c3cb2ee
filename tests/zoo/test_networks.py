"""Networks have the parameters, multiply-accumulates and shapes of their papers and of the official implementations."""

import pkgutil

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import datatools
from datatools import zoo
from datatools.core import op
from datatools.core.errors import UsageError
from datatools.zoo import figures, profile, registry
from datatools.zoo.network import Network

STORED = figures.stored()

# parameters and MACs with 1000 classes at the usual input, exactly
PUBLISHED: dict[str, tuple[int, int]] = {
    "shufflenet_v1_g1": (1_531_936, 143_078_976),
    "shufflenet_v1_g2": (1_733_848, 140_836_512),
    "shufflenet_v1_g3": (1_865_728, 137_460_672),
    "shufflenet_v1_g4": (1_968_344, 134_339_776),
    "shufflenet_v1_g8": (2_434_768, 138_365_952),
    "shufflenet_v2_x0_5": (1_366_792, 40_476_448),
    "shufflenet_v2_x1_0": (2_278_604, 144_907_992),
    "shufflenet_v2_x1_5": (3_503_624, 295_759_392),
    "shufflenet_v2_x2_0": (7_393_996, 583_253_464),
    "shufflenet_v2_paddle_x2_0": (7_366_536, 564_370_824),
    "mobilenet_v1_x0_25": (470_072, 41_030_272),
    "mobilenet_v1_x0_5": (1_331_592, 149_497_088),
    "mobilenet_v1_x0_75": (2_585_560, 325_400_448),
    "mobilenet_v1": (4_231_976, 568_740_352),
    "mobilenet_v2": (3_504_872, 300_774_272),
    "mobilenet_v3_large": (5_483_032, 216_589_760),
    "mobilenet_v3_small": (2_542_856, 56_510_400),
    "mobilenet_v3_large_paddle": (5_480_206, 219_799_200),
    "mobilenet_v3_small_paddle": (2_939_958, 60_119_520),
    "pp_lcnet_x0_25": (1_521_184, 16_773_440),
    "pp_lcnet_x0_35": (1_643_090, 27_357_832),
    "pp_lcnet_x0_5": (1_879_576, 44_731_008),
    "pp_lcnet_x0_75": (2_357_008, 94_786_496),
    "pp_lcnet_x1_0": (2_952_520, 155_700_480),
    "pp_lcnet_x1_5": (4_499_832, 334_188_416),
    "pp_lcnet_x2_0": (6_521_512, 580_194_816),
    "pp_lcnet_x2_5": (9_017_560, 893_719_680),
    "ghostnet_x0_5": (2_587_292, 42_328_152),
    "ghostnet_x1_0": (5_182_508, 141_150_512),
    "ghostnet_x1_3": (7_358_820, 227_003_256),
    "resnet18_paddle": (11_693_736, 1_826_918_400),
    "resnet18_vd": (11_712_968, 2_066_558_976),
}

# parameters exactly, MACs in millions as they were printed
ROUNDED: dict[str, tuple[int, float]] = {
    "mobilenet_v2_x0_35": (1_677_128, 59.29),
    "mobilenet_v2_x0_5": (1_968_680, 97.13),
    "mobilenet_v2_x0_75": (2_636_424, 209.07),
    "mobilenet_v2_x1_4": (6_108_776, 582.20),
    "mobilenet_v2_paddle_x0_25": (1_517_392, 30.48),
    "mobilenet_v2_paddle_x0_5": (1_965_736, 92.27),
    "mobilenet_v2_paddle_x0_75": (2_628_592, 186.65),
    "mobilenet_v2_paddle": (3_505_960, 313.62),
    "mobilenet_v2_paddle_x1_5": (6_852_712, 681.02),
    "mobilenet_v2_paddle_x2_0": (11_262_312, 1188.81),
    "mobilenet_v3_large_paddle_x0_35": (2_104_328, 37.19),
    "mobilenet_v3_large_paddle_x0_5": (2_673_422, 66.70),
    "mobilenet_v3_large_paddle_x0_75": (3_912_248, 143.78),
    "mobilenet_v3_large_paddle_x1_25": (7_443_308, 349.97),
    "mobilenet_v3_small_paddle_x0_35": (1_665_954, 13.16),
    "mobilenet_v3_small_paddle_x0_5": (1_902_536, 20.76),
    "mobilenet_v3_small_paddle_x0_75": (2_375_106, 43.05),
    "mobilenet_v3_small_paddle_x1_25": (3_627_370, 95.36),
    "ghostnet_paddle_x0_5": (2_588_232, 42.33),
    "ghostnet_paddle_x1_0": (5_183_016, 141.15),
    "ghostnet_paddle_x1_3": (7_352_622, 227.00),
    "shufflenet_v2_megvii_x0_5": (1_365_792, 40.48),
    "shufflenet_v2_megvii_x1_0": (2_278_760, 145.81),
    "shufflenet_v2_megvii_x1_5": (3_506_720, 298.97),
    "shufflenet_v2_megvii_x2_0": (7_402_600, 590.78),
    # torchvision 0.28 states these of its own
    "resnet18": (11_689_512, 1814.07),
    "resnext50_32x4d": (25_028_904, 4230.48),
    "squeezenet1_1": (1_235_496, 349.15),
    "inception_v3": (27_161_264 - 3_326_696, 5713.22),  # without the auxiliary classifier
    # pytorchcv states these of its own (its MACs count more kinds of layer)
    "se_resnet18": (11_778_592, 1814.16),
    "igcv3": (3_491_688, 312.97),
    # megvii's classifier has no bias: 1,000 parameters fewer than the paper's
    "shufflenet_v1_g3_x0_5": (717_324 + 1000, 37.59),
    "shufflenet_v1_g3_x1_5": (3_441_168 + 1000, 292.44),
    "shufflenet_v1_g3_x2_0": (5_449_776 + 1000, 524.05),
    "shufflenet_v1_g8_x0_5": (1_010_448 + 1000, 40.47),
    "shufflenet_v1_g8_x1_5": (4_268_952 + 1000, 290.19),
    "shufflenet_v1_g8_x2_0": (6_521_232 + 1000, 521.94),
    # squeeze-and-excitation in the 13 units that keep the size
    "shufflenet_v2_se_x0_5": (1_366_792 + 6_354, 40.482064),
    "shufflenet_v2_se_x1_0": (2_278_604 + 33_682, 144.939892),
    "shufflenet_v2_se_x1_5": (3_503_624 + 78_918, 295.8356),
    "shufflenet_v2_se_x2_0": (7_393_996 + 147_958, 583.397668),
    "shufflenet_v2_residual_x1_0": (2_278_604, 144.907992),
}


def build(name: str, **options: object) -> Network:
    """The network without numbers."""
    with torch.device("meta"):
        return zoo.create(name, **options)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_table_has_the_published_figures(name: str) -> None:
    assert (STORED[name].params, STORED[name].macs) == PUBLISHED[name]


@pytest.mark.parametrize("name", ROUNDED)
def test_the_table_has_the_printed_figures(name: str) -> None:
    params, millions = ROUNDED[name]
    assert STORED[name].params == params
    digits = len(str(millions).partition(".")[2])
    assert round(STORED[name].macs / 1e6, max(digits, 2)) == pytest.approx(millions, abs=1e-9)


@pytest.mark.parametrize("part", range(4))
def test_the_table_is_what_the_networks_are(part: int) -> None:
    assert tuple(STORED) == zoo.names()
    for name in zoo.names()[part::4]:
        model = build(name)
        found = profile.measure(model, registry.entry(name).input_chw)
        assert figures.Figures(found.params, found.macs) == STORED[name], "run: python -m datatools.zoo.figures"
        *stages, head = profile.stages(found)
        assert head.output == (1000,), name
        assert tuple(stage.output[0] for stage in stages) == model.tap_channels, name


def test_a_row_of_the_table_is_measured_on_the_network() -> None:
    assert figures.measured("mobilenet_v3_small_x0_35") == STORED["mobilenet_v3_small_x0_35"]


def test_measuring_leaves_a_network_as_it_was() -> None:
    torch.manual_seed(0)
    model = zoo.create("mobilenet_v3_small_x0_35", num_classes=2)
    picture = torch.rand(2, 3, 32, 32)
    before = model(picture)
    profile.measure(model, (3, 64, 64))
    assert model.training
    torch.manual_seed(0)
    again = zoo.create("mobilenet_v3_small_x0_35", num_classes=2)
    assert before.isfinite().all()
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
    bare = build("mobilenet_v3_small")
    assert profile.measure(bare, (3, 64, 64)) == profile.measure(bare, (3, 64, 64))
    assert not any(module._forward_hooks or "forward" in vars(module) for module in bare.modules())


COUNTED = ("shufflenet_v2_se_x0_5", "mobilenet_v3_small", "resnext50_32x4d", "squeezenet1_1", "aligned_xception")

FAMILIES = (
    "shufflenet_v1_g3", "shufflenet_v1_cifar_g2", "shufflenet_v2_se_x0_5", "mobilenet_v1_x0_25", "mobilenet_v2",
    "mobilenet_v3_small", "mobilenet_v3_small_text_x0_5", "pp_lcnet_x0_25", "ghostnet_x0_5", "resnext50_32x4d",
    "squeezenet1_1", "inception_v3", "igcv3", "aligned_xception",
)  # fmt: skip


@pytest.mark.parametrize("name", COUNTED)
def test_macs_are_half_of_what_torch_counts(name: str) -> None:
    model = build(name).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        logits = model(torch.empty(1, *registry.entry(name).input_chw, device="meta"))
    assert logits.shape == (1, 1000)
    assert counter.get_total_flops() == 2 * STORED[name].macs


DETECTION: dict[str, tuple[int, int, tuple[int, ...]]] = {
    # parameters, MACs and channels of the backbone at 640 x 640
    "mobilenet_v3_large_paddle_x0_5": (778_022, 526_360_992, (16, 24, 56, 480)),
    "mobilenet_v3_large_paddle_no_se_x0_5": (398_480, 525_984_000, (16, 24, 56, 480)),
    "mobilenet_v3_large_paddle": (2_970_406, 1_763_015_776, (24, 40, 112, 960)),
    "mobilenet_v3_large_paddle_no_se": (1_459_960, 1_761_510_400, (24, 40, 112, 960)),
    "mobilenet_v3_large_paddle_x0_35": (393_248, 288_310_000, (8, 16, 40, 336)),
    "mobilenet_v3_large_paddle_x0_75": (1_709_648, 1_149_680_000, (24, 32, 88, 720)),
    "mobilenet_v3_large_paddle_x1_25": (4_626_308, 2_817_020_000, (32, 48, 144, 1200)),
    "mobilenet_v3_small_paddle_x0_35": (128_954, 94_500_000, (8, 8, 16, 200)),
    "mobilenet_v3_small_paddle_x0_5": (252_896, 155_190_000, (8, 16, 24, 288)),
    "mobilenet_v3_small_paddle_x0_75": (541_146, 334_620_000, (16, 24, 40, 432)),
    "mobilenet_v3_small_paddle": (921_678, 471_060_000, (16, 24, 48, 576)),
    "mobilenet_v3_small_paddle_x1_25": (1_424_770, 755_420_000, (24, 32, 64, 720)),
    "resnet18_vd": (11_199_968, 16_865_689_600, (64, 128, 256, 512)),
}


@pytest.mark.parametrize("name", DETECTION)
def test_backbones_of_the_text_detector(name: str) -> None:
    params, macs, channels = DETECTION[name]
    model = build(name, features_only=True)
    found = profile.measure(model, (3, 640, 640))
    assert found.params == params
    assert found.macs == pytest.approx(macs, abs=0 if macs % 10_000 else 5_000)  # printed to 10,000
    assert model.tap_channels == channels
    shapes = [stage.output for stage in profile.stages(found)]
    assert shapes == [(c, 640 // s, 640 // s) for c, s in zip(channels, (4, 8, 16, 32), strict=True)]


NO_SE_BACKBONES = {
    "mobilenet_v3_large_paddle_no_se_x0_35": 208_768,
    "mobilenet_v3_large_paddle_no_se_x0_75": 859_320,
    "mobilenet_v3_large_paddle_no_se_x1_25": 2_267_392,
    "mobilenet_v3_small_paddle_no_se_x0_35": 72_296,
    "mobilenet_v3_small_paddle_no_se_x0_5": 137_920,
    "mobilenet_v3_small_paddle_no_se_x0_75": 282_304,
    "mobilenet_v3_small_paddle_no_se": 465_656,
    "mobilenet_v3_small_paddle_no_se_x1_25": 709_576,
}


@pytest.mark.parametrize("name", NO_SE_BACKBONES)
def test_backbones_without_squeeze_and_excitation(name: str) -> None:
    assert sum(p.numel() for p in build(name, features_only=True).parameters()) == NO_SE_BACKBONES[name]


TEXT: dict[tuple[str, tuple[int, int]], tuple[int, int, tuple[int, int, int]]] = {
    # name, height and width: parameters, MACs, the map
    ("mobilenet_v3_small_text_x0_5", (32, 320)): (252_896, 58_153_856, (288, 1, 80)),
    ("mobilenet_v3_small_text_cls_x0_5", (32, 320)): (252_896, 29_492_096, (288, 1, 80)),
    ("mobilenet_v3_small_text", (32, 320)): (921_678, 192_366_112, (576, 1, 80)),
    ("mobilenet_v3_small_text_cls_x0_35", (32, 100)): (128_954, 4_902_848 - 400, (200, 1, 25)),
    ("mobilenet_v1_enhance_x0_25", (32, 320)): (270_896, 117_920_000, (256, 1, 80)),
    ("mobilenet_v1_enhance_x0_35", (32, 320)): (509_939, 220_730_000, (358, 1, 80)),
    ("mobilenet_v1_enhance", (32, 320)): (1_016_160, 438_435_840, (512, 1, 80)),
    ("mobilenet_v1_enhance_x0_75", (32, 320)): (2_235_792, 961_540_000, (768, 1, 80)),
    ("mobilenet_v1_enhance_x1_0", (32, 320)): (3_929_792, 1_687_220_000, (1024, 1, 80)),
    ("mobilenet_v1_enhance", (23, 320)): (1_016_160, 361_861_120, (512, 1, 80)),
}


@pytest.mark.parametrize("case", TEXT, ids=lambda c: f"{c[0]}-{c[1][0]}x{c[1][1]}")
def test_backbones_of_the_text_reader(case: tuple[str, tuple[int, int]]) -> None:
    name, size = case
    params, macs, shape = TEXT[case]
    found = profile.measure(build(name, features_only=True), (3, *size))
    assert found.params == params
    assert found.macs == pytest.approx(macs, abs=0 if macs % 10_000 else 5_000)
    assert profile.stages(found)[0].output == shape


def kept(found: profile.Profile) -> int:
    """Running means and variances: buffers without the counters of batches."""
    return found.buffers - sum(layer.kind == "BatchNorm2d" for layer in found.layers)


def test_resnet18_of_three_classes() -> None:
    found = profile.measure(build("resnet18", num_classes=3), (3, 224, 224))
    assert (found.params, found.macs, kept(found)) == (11_178_051, 1_813_562_880, 9_600)


def test_running_means_of_the_text_reader() -> None:
    found = profile.measure(build("mobilenet_v1_enhance", features_only=True), (3, 32, 320))
    assert kept(found) == 10_944


def test_the_direction_classifier() -> None:
    found = profile.measure(build("mobilenet_v3_small_text_cls_x0_35", num_classes=2), (3, 48, 192))
    assert (found.params, found.macs) == (129_356, 16_315_376)
    assert [stage.output for stage in profile.stages(found)] == [(200, 1, 48), (2,)]


@pytest.mark.parametrize(
    ("name", "macs", "size"),
    [("aligned_xception", 46_023_352_320, 32), ("aligned_xception_os8", 158_714_167_296, 64)],
)
def test_aligned_xception_as_a_backbone(name: str, macs: int, size: int) -> None:
    found = profile.measure(build(name, features_only=True), (3, 512, 512))
    assert (found.params, found.macs) == (37_867_312, macs)
    assert kept(found) == 185_200
    assert [stage.output for stage in profile.stages(found)] == [(128, 128, 128), (2048, size, size)]


def test_aligned_xception_of_a_usual_picture() -> None:
    found = profile.measure(build("aligned_xception", features_only=True), (3, 224, 224))
    assert found.macs == 8_809_157_280
    assert [stage.output for stage in profile.stages(found)] == [(128, 56, 56), (2048, 14, 14)]


CIFAR = {2: (887_582, 39_614_080, 19_776, (200, 400, 800)), 3: (862_768, 38_605_056, 23_736, (240, 480, 960))}


@pytest.mark.parametrize("groups", CIFAR)
def test_shufflenet_for_small_pictures(groups: int) -> None:
    params, macs, buffers, channels = CIFAR[groups]
    found = profile.measure(build(f"shufflenet_v1_cifar_g{groups}", num_classes=10), (3, 32, 32))
    assert (found.params, found.macs) == (params, macs)
    assert kept(found) == buffers
    assert found.blocks[0].output == (24, 32, 32)
    shapes = [stage.output for stage in profile.stages(found)]
    assert shapes == [*((c, s, s) for c, s in zip(channels, (16, 8, 4), strict=True)), (10,)]


SHAPES: dict[str, list[tuple[int, int, int]]] = {
    "shufflenet_v1_g3": [(24, 56, 56), (240, 28, 28), (480, 14, 14), (960, 7, 7)],
    "shufflenet_v2_x0_5": [(24, 56, 56), (48, 28, 28), (96, 14, 14), (1024, 7, 7)],
    "shufflenet_v2_x1_0": [(24, 56, 56), (116, 28, 28), (232, 14, 14), (1024, 7, 7)],
    "shufflenet_v2_x1_5": [(24, 56, 56), (176, 28, 28), (352, 14, 14), (1024, 7, 7)],
    "shufflenet_v2_x2_0": [(24, 56, 56), (244, 28, 28), (488, 14, 14), (2048, 7, 7)],
    "shufflenet_v2_paddle_x2_0": [(24, 56, 56), (224, 28, 28), (488, 14, 14), (2048, 7, 7)],
    "inception_v3": [(64, 73, 73), (288, 35, 35), (768, 17, 17), (2048, 8, 8)],
    "squeezenet1_1": [(128, 55, 55), (256, 27, 27), (512, 13, 13)],
}


@pytest.mark.parametrize("name", SHAPES)
def test_maps_have_the_sizes_of_the_paper(name: str) -> None:
    model = build(name, features_only=True)
    found = profile.measure(model, registry.entry(name).input_chw)
    assert [stage.output for stage in profile.stages(found)] == SHAPES[name]
    assert model.tap_channels == tuple(shape[0] for shape in SHAPES[name])


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_takes_other_classes_and_channels_and_gives_its_maps(name: str) -> None:
    _, height, width = registry.entry(name).input_chw
    model = build(name, num_classes=7, in_channels=1)
    found = profile.measure(model, (1, height, width))
    *stages, head = profile.stages(found)
    assert head.output == (7,)
    assert model.tap_channels == tuple(stage.output[0] for stage in stages)
    bare = build(name, in_channels=1, features_only=True)
    assert bare.head is None
    assert bare.tap_channels == model.tap_channels
    assert {k for k in model.state_dict() if not k.startswith("head.")} == set(bare.state_dict())


def test_the_stem_of_shufflenet_v1_is_that_of_the_paper() -> None:
    found = profile.measure(build("shufflenet_v1_g3"), (3, 224, 224))
    assert [block.output for block in found.blocks[:2]] == [(24, 112, 112), (24, 56, 56)]


def test_unit_costs_of_shufflenet_v2_are_those_of_the_paper_table() -> None:
    blocks = profile.measure(build("shufflenet_v2_x1_0"), (3, 224, 224)).blocks
    by_stage = {k: [b.params for b in blocks if b.name.startswith(f"stages.{k}.")] for k in range(4)}
    assert by_stage[0] == [696, 0]
    assert by_stage[1] == [7398, *[7598] * 3]
    assert by_stage[2] == [43616, *[28652] * 7]
    assert by_stage[3] == [167968, *[111128] * 3, 477184]
    assert blocks[-1].params == 1_025_000


def test_the_same_seed_gives_the_same_weights() -> None:
    made = []
    for _ in range(2):
        torch.manual_seed(3)
        made.append(zoo.create("mobilenet_v3_small_x0_35", num_classes=2).state_dict())
    assert all(torch.equal(a, b) for a, b in zip(made[0].values(), made[1].values(), strict=True))


def test_a_picture_is_not_changed_and_batches_do_not_mix() -> None:
    torch.manual_seed(0)
    for name in ("resnet18", "shufflenet_v1_g2_x0_25", "ghostnet_x0_5", "shufflenet_v2_megvii_x0_5"):
        model = zoo.create(name, num_classes=3).eval()
        pictures = torch.rand(2, 3, 64, 64)
        kept = pictures.clone()
        with torch.no_grad():
            both, alone = model(pictures), model(pictures[:1])
        assert torch.equal(pictures, kept)
        torch.testing.assert_close(both[:1], alone, rtol=1e-4, atol=1e-4)


def test_every_network_learns_in_all_of_its_weights() -> None:
    torch.manual_seed(0)
    for name in ("mobilenet_v3_small_paddle_x0_35", "shufflenet_v2_se_residual_x0_5", "pp_lcnet_x0_25"):
        model = zoo.create(name, num_classes=3).train()
        logits = model(torch.rand(4, 3, 64, 64))
        torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2, 0])).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("mobilenet_v3_small_x1_0", "mobilenet_v3_small"),
        ("shufflenet_v2", "shufflenet_v2_x1_0"),
        ("ghostnet", "ghostnet_x1_0"),
        ("resnet18", "resnet18"),
    ],
)
def test_a_width_of_one_may_be_said_or_not(said: str, meant: str) -> None:
    assert registry.full_name(said) == meant


def test_the_names_that_were_promised_are_there() -> None:
    promised = """shufflenet_v1_g1 shufflenet_v1_g2 shufflenet_v1_g3 shufflenet_v1_g4 shufflenet_v1_g8
        shufflenet_v1_cifar_g2 shufflenet_v1_cifar_g3 shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5
        shufflenet_v2_x2_0 aligned_xception mobilenet_v1 mobilenet_v2 mobilenet_v3_large mobilenet_v3_small
        mobilenet_v3_large_x0_35 mobilenet_v3_small_x0_35 mobilenet_v1_enhance pp_lcnet_x0_25 pp_lcnet_x2_5
        ghostnet_x0_5 ghostnet_x1_0 ghostnet_x1_3 resnet18 resnet18_vd resnext50_32x4d se_resnet18 squeezenet1_1
        inception_v3 igcv3"""
    assert set(promised.split()) <= set(zoo.names())


@pytest.mark.parametrize("name", ["mobilenetv3_small", "resnet-18", "shufflenet"])
def test_a_name_that_is_close_is_suggested(name: str) -> None:
    with pytest.raises(UsageError, match="did you mean"):
        zoo.create(name)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "\x1b[31m", "x" * 5000])
def test_a_name_that_is_none_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        zoo.create(name)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("options", [{"num_classes": 0}, {"in_channels": 0}, {"num_classes": -1}])
def test_counts_below_one_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        zoo.create("resnet18", **options)


def test_no_module_hides_an_operation() -> None:
    modules = {module.name for module in pkgutil.iter_modules(zoo.__path__)}
    assert not modules & {name.split(".")[1] for name in op.names("zoo")}
    assert datatools.zoo is zoo
    assert datatools.zoo.summary is op.find("zoo.summary")
