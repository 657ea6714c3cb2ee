"""Few-bit numbers: worked examples, a slow reference, and what always holds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.kernels import quantization as q

RNG = np.random.default_rng(5)
MATRIX = np.array(
    [[2.09, -0.98, 1.48, 0.09], [0.05, -0.14, -1.08, 2.12], [-0.91, 1.92, 0, -1.03], [1.87, 0, 1.53, 1.49]]
)


def test_the_worked_example_of_deep_compression() -> None:
    found = q.codebook(MATRIX, 4)
    assert found.centres == pytest.approx([-1, 0, 1.5, 2])
    assert found.codes.tolist() == [[3, 0, 2, 1], [1, 1, 0, 3], [0, 3, 1, 0], [3, 1, 2, 2]]
    error = found.values() - MATRIX
    assert np.square(error).mean() == pytest.approx(0.005825)
    assert np.abs(error).max() == pytest.approx(0.14)


@pytest.mark.parametrize(("count", "clusters", "ratio"), [(16, 4, 3.2), (10**6, 16, 7.998976), (10**6, 256, 3.995908)])
def test_the_codebook_counts_as_size(count: int, clusters: int, ratio: float) -> None:
    assert q.codebook_ratio(count, clusters) == pytest.approx(ratio, abs=5e-7)


def test_affine_example() -> None:
    values = np.array([-1.2, -1, -0.5, 0, 0.7, 2.5, 3])
    found = q.affine_between(values, -1.0, 2.5, 8)
    assert float(found.scale) == pytest.approx(0.0137254902)
    assert int(found.zero_point) == 73
    assert found.codes.tolist() == [0, 0, 37, 73, 124, 255, 255]
    assert found.values() == pytest.approx([-1.001961, -1.001961, -0.494118, 0, 0.7, 2.498039, 2.498039], abs=5e-7)


def test_symmetric_example_rounds_half_to_even() -> None:
    found = q.symmetric(np.array([1.0, 0.7, -0.5]), 8)
    assert found.codes.tolist() == [127, 89, -64]
    assert found.values()[1:] == pytest.approx([0.700787, -0.503937], abs=5e-7)


def test_given_scale_examples() -> None:
    assert q.given(np.array([0.725]), 0.025, 0, -128, 127).values() == pytest.approx([0.725])
    found = q.given(np.array([0.725, -1, 2, 5]), 0.025, 10, -128, 127)
    assert found.codes.tolist() == [39, -30, 90, 127]
    assert found.values() == pytest.approx([0.725, -1, 2, 2.925])


def test_the_sign_of_zero_is_plus() -> None:
    assert q.binary(np.array([0.0, -0.0, -1.0])).codes.tolist() == [1, 1, -1]


def slow_codebook(values: np.ndarray, clusters: int) -> np.ndarray:
    """Lloyd's rounds in plain loops."""
    centres = list(np.linspace(values.min(), values.max(), clusters))
    for _ in range(300):
        near = [min(range(clusters), key=lambda c: (abs(v - centres[c]), c)) for v in values]
        moved = [
            float(np.mean([v for v, n in zip(values, near, strict=True) if n == c])) if c in near else centres[c]
            for c in range(clusters)
        ]
        if np.allclose(moved, centres, rtol=0, atol=1e-15):
            break
        centres = moved
    return np.array(centres)


def test_the_codebook_is_that_of_plain_loops() -> None:
    values = RNG.normal(size=200)
    assert q.codebook(values, 8).centres == pytest.approx(slow_codebook(values, 8), abs=1e-9)


ARRAYS = st.lists(st.floats(-100, 100, width=32), min_size=0, max_size=40).map(lambda v: np.array(v, np.float32))


@settings(max_examples=60)
@given(ARRAYS, st.integers(2, 8))
def test_linear_errors_stay_within_half_a_step(values: np.ndarray, bits: int) -> None:
    for found in (q.symmetric(values, bits), q.affine(values, bits)):
        step = float(np.max(found.scale, initial=0))
        assert (
            np.abs(found.values() - values).max(initial=0)
            <= step * 0.5000001 + step * (found.zero_point != 0).any() * 0.5
        )


@settings(max_examples=60)
@given(ARRAYS, st.integers(1, 8))
def test_packed_codes_come_back(values: np.ndarray, bits: int) -> None:
    codes = np.abs(np.rint(values)).astype(np.int64) % 2**bits
    packed = q.pack(codes, bits)
    assert len(packed) == -(-len(codes) * bits // 8)
    assert q.unpack(packed, bits, len(codes)).tolist() == codes.tolist()


@pytest.mark.parametrize("make", [q.symmetric, q.affine])
def test_each_channel_has_its_own_scale(make) -> None:
    values = RNG.normal(size=(3, 4, 2)) * np.array([1, 10, 100]).reshape(3, 1, 1)
    together, apart = make(values, 8), make(values, 8, per_channel=True)
    assert apart.scale.shape == (3, 1, 1)
    assert together.scale.shape == (1, 1, 1)
    assert np.square(apart.values() - values)[0].sum() < np.square(together.values() - values)[0].sum() / 100


@pytest.mark.parametrize("make", [q.symmetric, q.affine])
def test_zero_stays_zero(make) -> None:
    values = np.array([5.0, 3.0, 0.0, 4.0])
    assert make(values, 4).values()[2] == 0
    assert make(np.zeros(3), 8).values().tolist() == [0, 0, 0]


def test_nothing_is_changed_and_empty_input_works() -> None:
    values = RNG.normal(size=(4, 3))
    kept = values.copy()
    for call in (q.symmetric, q.affine):
        call(values, 8)
        assert call(np.zeros((0, 3)), 8).values().shape == (0, 3)
    q.codebook(values, 4)
    q.binary(values)
    assert q.codebook(np.zeros((0, 3)), 4).values().shape == (0, 3)
    assert q.binary(np.zeros((0, 3))).values().shape == (0, 3)
    assert (values == kept).all()


def test_the_codebook_of_few_different_values_is_exact() -> None:
    values = RNG.choice([-1.0, 0.25, 3.0], size=50)
    assert q.codebook(values, 16).values() == pytest.approx(values)
