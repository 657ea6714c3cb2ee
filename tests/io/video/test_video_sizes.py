"""Sizes read off packets of the codecs in which they change."""

from pathlib import Path

import numpy as np
import pytest

from datatools.io.video import isobmff, sizes, write

SETS = {
    "baseline": ("0000016742c00dd90150878888c044000003000400000300c83c50a920", (322, 242)),
    "high": ("00000167640028acd940780227e5c044000003000400000300c83c60c658", (1920, 1080)),
    "4:4:4": ("00000167f4000d919b282a10f1f1f808800000030080000019078a14cb", (322, 242)),
    "interlaced": ("00000167f40028919b280f0089f97011000003000100000300321f162d96", (1920, 1080)),
}
"""Sequence parameter sets that x264 wrote, and the sizes of their pictures."""


@pytest.mark.parametrize("name", SETS)
def test_sequence_parameter_sets_tell_the_size(name: str) -> None:
    hexadecimal, size = SETS[name]
    data = bytes.fromhex(hexadecimal)
    assert sizes.h264(data) == size
    assert sizes.h264(b"\0\0\0\1\x09\xf0" + data + b"\0\0\1\x68\xeb\xe3") == size
    assert sizes.h264(b"\0\0\1\x68" + bytes(20)) is None


@pytest.mark.parametrize("codec", ["mjpg", "vp9"])
@pytest.mark.parametrize("size", [(64, 48), (322, 242)])
def test_key_frames_tell_the_size(tmp_path: Path, codec: write.Codec, size: tuple[int, int]) -> None:
    frame = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    write.write_video(tmp_path / "a", [frame, frame], [0, 1], codec)
    track = isobmff.read_track(tmp_path / "a")
    data = (tmp_path / "a").read_bytes()
    packets = [data[at : at + n] for at, n in zip(track.offsets, track.sizes, strict=True)]
    read = {"mjpg": sizes.jpeg, "vp9": sizes.vp9}[codec]
    assert read(packets[0]) == size
    assert read(packets[1]) == (size if codec == "mjpg" else None)


def test_any_bytes_give_a_size_or_none() -> None:
    rng = np.random.default_rng(0)
    starts = [
        b"",
        b"\xff\xd8\xff\xe0",
        b"\x10\0\0\x9d\x01\x2a",
        b"\x82\x49\x83\x42",
        b"\0\0\1\x67\x64",
        b"\0\0\1\x67\x42",
    ]
    for i in range(3000):
        data = starts[i % len(starts)] + rng.integers(0, 256, int(rng.integers(0, 60)), dtype=np.uint8).tobytes()
        for read in (sizes.jpeg, sizes.vp8, sizes.vp9, sizes.h264):
            size = read(data)
            assert size is None or len(size) == 2
