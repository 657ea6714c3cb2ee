"""ViBe against a plain transcription that draws the same numbers, and against what the paper says of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datatools.kernels import vibe_loops
from datatools.kernels.vibe import Settings, Vibe

ALL = 2**64 - 1
STEP = 0x9E3779B97F4A7C15
AROUND = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]


class Plain:
    """The same method, pixel by pixel, as one reads it in the paper."""

    def __init__(self, first: np.ndarray, rng: np.random.Generator, settings: Settings) -> None:
        self.settings = settings
        self.key = int(rng.integers(2**63))
        self.frames = 0
        self.height, self.width = first.shape[:2]
        self.samples = np.empty((settings.samples, *first.shape), np.uint8)
        self.stuck = np.zeros(first.shape[:2], int)
        self.start()
        for y, x in np.ndindex(self.height, self.width):
            for k in range(settings.samples):
                if k % 21 == 0:
                    bits = self.draw()
                self.samples[k, y, x] = first[self.neighbour(bits, y, x)]
                bits >>= 3

    def start(self) -> None:
        self.frames += 1
        self.state = (self.key + self.frames * 0xD1342543DE82EF95) & ALL

    def draw(self) -> int:
        self.state = (self.state + STEP) & ALL
        z = ((self.state ^ self.state >> 30) * 0xBF58476D1CE4E5B9) & ALL
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & ALL
        return z ^ z >> 31

    def neighbour(self, bits: int, y: int, x: int) -> tuple[int, int]:
        dy, dx = AROUND[bits & 7]
        ny, nx = y + dy, x + dx
        ny = ny if 0 <= ny < self.height else y - dy
        nx = nx if 0 <= nx < self.width else x - dx
        return min(max(ny, 0), self.height - 1), min(max(nx, 0), self.width - 1)

    def apply(self, frame: np.ndarray) -> np.ndarray:
        s = self.settings
        far = np.abs(self.samples.astype(int) - frame)
        near = far <= s.radius if frame.ndim == 2 else far.sum(axis=3) <= int(4.5 * s.radius)
        mask = np.where(near.sum(axis=0) >= s.matches, 0, 255).astype(np.uint8)
        jumps = vibe_loops.jumps(s.subsampling)
        pixels = self.height * self.width
        self.start()
        bits = self.draw()
        at = int(jumps[bits & 0xFFFF]) - 1
        while at < pixels:
            bits = self.draw()
            y, x = divmod(at, self.width)
            if not mask[y, x]:
                self.samples[(bits >> 16 & 0xFFFF) * s.samples >> 16, y, x] = frame[y, x]
            at += int(jumps[bits & 0xFFFF])
        at = int(jumps[bits >> 32 & 0xFFFF]) - 1
        while at < pixels:
            bits = self.draw()
            y, x = divmod(at, self.width)
            if not mask[y, x]:
                self.samples[((bits >> 16 & 0xFFFF) * s.samples >> 16, *self.neighbour(bits >> 32, y, x))] = frame[y, x]
            at += int(jumps[bits & 0xFFFF])
        if s.stuck_frames:
            self.start()
            self.stuck = np.where(mask > 0, self.stuck + 1, 0)
            for y, x in zip(*np.nonzero(self.stuck > s.stuck_frames), strict=True):
                self.samples[(self.draw() & 0xFFFF) * s.samples >> 16, y, x] = frame[y, x]
        return mask


def clip(shape: tuple[int, ...], frames: int, seed: int = 0) -> list[np.ndarray]:
    """Noise on a ground, with a bright square that moves."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(40, 160, shape)
    made = []
    for i in range(frames):
        frame = ground + rng.integers(-12, 13, shape)
        frame[i % shape[0] : i % shape[0] + 3, i % shape[1] : i % shape[1] + 4] = 250
        made.append(frame.astype(np.uint8))
    return made


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (17, 23), (24, 40, 3), (3, 2, 3)])
@pytest.mark.parametrize(
    "settings", [Settings(), Settings(samples=30, radius=9, matches=3, subsampling=2, stuck_frames=3)]
)
def test_it_equals_a_plain_transcription(shape: tuple[int, ...], settings: Settings) -> None:
    frames = clip(shape, 12)
    fast = Vibe(frames[0], np.random.default_rng(5), settings)
    plain = Plain(frames[0], np.random.default_rng(5), settings)
    for frame in frames:
        np.testing.assert_array_equal(fast.apply(frame), plain.apply(frame))
    channels = fast.state()["samples"].reshape(settings.samples, -1, *shape[:2])
    plainly = plain.samples.reshape(settings.samples, *shape[:2], -1)
    np.testing.assert_array_equal(np.moveaxis(channels, 1, -1), plainly)


@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 600), st.booleans())
def test_every_pixel_is_compared_whatever_the_size(seed: int, height: int, width: int, colour: bool) -> None:
    rng = np.random.default_rng(seed)
    shape = (height, width, 3) if colour else (height, width)
    model = Vibe(rng.integers(0, 256, shape, np.uint8), rng)
    samples = model.state()["samples"].astype(int)
    frame = rng.integers(0, 256, shape, np.uint8)
    far = np.abs(samples - np.moveaxis(frame.reshape(height * width, -1), 1, 0)).sum(axis=1)
    expected = np.where((far <= (90 if colour else 20)).sum(axis=0) < 2, 255, 0)
    np.testing.assert_array_equal(model.apply(frame).ravel(), expected)


def test_what_stands_still_is_background_and_what_appears_is_not() -> None:
    still = np.full((20, 30), 100, np.uint8)
    assert not Vibe(still, np.random.default_rng(0)).apply(still).any()
    assert not Vibe(still, np.random.default_rng(0)).apply(still + np.uint8(20)).any()  # the radius is inclusive
    assert Vibe(still, np.random.default_rng(0)).apply(still + np.uint8(21)).all()


def test_colours_may_differ_by_four_and_a_half_times_the_radius() -> None:
    still = np.full((4, 4, 3), 100, np.uint8)
    near, far = (still + np.array(step, np.uint8) for step in ([30, 30, 30], [30, 30, 31]))
    assert not Vibe(still, np.random.default_rng(0)).apply(near).any()
    assert Vibe(still, np.random.default_rng(0)).apply(far).all()


def test_a_sample_lives_as_long_as_the_paper_says() -> None:
    """P(a sample survives) after t frames is (1 - 1/16/20)^t by updates of its own; neighbours take as much again."""
    rng = np.random.default_rng(1)
    dark, bright = np.full((200, 300), 100, np.uint8), np.full((200, 300), 101, np.uint8)
    model = Vibe(dark, rng)
    frames = 100
    for _ in range(frames):
        model.apply(bright)
    alive = (model.state()["samples"] == 100).mean()
    assert alive == pytest.approx((1 - 1 / 16 / 20) ** (2 * frames), abs=0.003)


def test_updates_come_once_in_sixteen_frames() -> None:
    jumps = vibe_loops.jumps(16).astype(float)
    assert jumps.mean() == pytest.approx(16, rel=1e-3)
    assert (jumps == 1).mean() == pytest.approx(1 / 16, rel=1e-3)


def test_a_ghost_is_eaten_by_its_neighbours_and_foreground_never_updates() -> None:
    ghost = np.full((30, 30), 100, np.uint8)
    ghost[10:20, 10:20] = 200  # stood there in the first frame only
    empty = np.full((30, 30), 100, np.uint8)
    model = Vibe(ghost, np.random.default_rng(0))
    first = model.apply(empty)
    for _ in range(600):
        last = model.apply(empty)
    assert first[11:19, 11:19].all()
    assert last.mean() < 10
    everywhere = np.full((30, 30), 250, np.uint8)
    for _ in range(200):
        assert model.apply(everywhere).all()


def test_what_is_stuck_is_let_go() -> None:
    empty = np.full((30, 30), 100, np.uint8)
    parked = empty.copy()
    parked[10:20, 10:20] = 200
    model = Vibe(empty, np.random.default_rng(0), Settings(stuck_frames=25))
    seen = [model.apply(parked)[15, 15] for _ in range(40)]
    assert all(seen[:26])
    assert not seen[-1]


def test_a_saved_state_goes_on_as_if_nothing_had_happened() -> None:
    frames = clip((20, 30, 3), 30)
    settings = Settings(stuck_frames=4)
    through = Vibe(frames[0], np.random.default_rng(2), settings)
    masks = [through.apply(frame) for frame in frames]
    stopped = Vibe(frames[0], np.random.default_rng(2), settings)
    for frame in frames[:13]:
        stopped.apply(frame)
    state = stopped.state()
    gone_on = Vibe.from_state(state, settings)
    stopped.apply(frames[0])  # does not reach the copy
    for frame, mask in zip(frames[13:], masks[13:], strict=True):
        np.testing.assert_array_equal(gone_on.apply(frame), mask)


def test_equal_seeds_give_equal_masks_and_others_do_not() -> None:
    frames = clip((30, 40), 20)

    def masks(seed: int) -> bytes:
        model = Vibe(frames[0], np.random.default_rng(seed))
        return b"".join(model.apply(frame).tobytes() + model.state()["samples"].tobytes() for frame in frames)

    assert masks(1) == masks(1) != masks(2)


def test_nothing_is_changed_and_memory_is_twenty_bytes_a_pixel() -> None:
    frame = clip((30, 40), 1)[0]
    frame.flags.writeable = False
    model = Vibe(frame, np.random.default_rng(0))
    mask = model.apply(frame)
    assert mask.shape == (30, 40)
    assert mask.dtype == np.uint8
    assert sum(array.nbytes for array in (model._samples, model._stuck)) == 20 * frame.size


def test_strided_frames_work() -> None:
    wide = np.random.default_rng(0).integers(0, 256, (20, 30, 4), np.uint8)
    model = Vibe(wide[::2, :, :3], np.random.default_rng(0))
    same = Vibe(wide[::2, :, :3].copy(), np.random.default_rng(0))
    np.testing.assert_array_equal(model.apply(wide[1::2, :, :3]), same.apply(wide[1::2, :, :3].copy()))


@pytest.mark.parametrize(
    "frame",
    [np.zeros((0, 5), np.uint8), np.zeros((5, 5), np.float32), np.zeros((5, 5, 4), np.uint8), np.zeros(5, np.uint8)],
)
def test_what_is_no_frame_is_refused(frame: np.ndarray) -> None:
    with pytest.raises(ValueError, match="frame"):
        Vibe(frame, np.random.default_rng(0))


def test_a_frame_of_another_size_is_refused() -> None:
    model = Vibe(np.zeros((5, 6), np.uint8), np.random.default_rng(0))
    with pytest.raises(ValueError, match="frame of shape"):
        model.apply(np.zeros((6, 5), np.uint8))


@pytest.mark.parametrize("wrong", [{"samples": 2}, {"radius": 57}, {"matches": 21}, {"subsampling": 0}])
def test_settings_have_bounds(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Settings(**wrong)


def test_arrays_that_are_no_state_are_refused() -> None:
    state = Vibe(np.zeros((5, 6), np.uint8), np.random.default_rng(0)).state()
    for wrong in (
        {},
        state | {"samples": state["samples"][:, :, 1:]},
        state | {"samples": state["samples"].astype(int)},
        state | {"shape": np.array([5])},
        state | {"drawn": np.array([1])},
    ):
        with pytest.raises(ValueError, match="state"):
            Vibe.from_state(wrong)
    with pytest.raises(ValueError, match="state"):
        Vibe.from_state(state, Settings(samples=10))
