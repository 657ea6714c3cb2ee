"""Turning pictures: the pixels that are seen stay the same, the tag is gone."""

import cv2
import numpy as np
import pytest

from datatools.core.errors import DataError
from datatools.io import images, upright

TIFF = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0%c\0\0\0\0\0\0\0"


def picture(channels: int = 3) -> np.ndarray:
    rows, columns = np.mgrid[0:16, 0:32]
    grey = (rows * 8 + columns * 3).astype(np.uint8)
    return np.stack([grey, 255 - grey, np.where(columns < 8, 200, 20).astype(np.uint8)], axis=2)[:, :, :channels]


def jpeg(orientation: int) -> bytes:
    data = images.encode_jpeg(np.ascontiguousarray(picture()), 98)
    exif = b"Exif\0\0" + TIFF % orientation
    return data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]


def png(orientation: int, pixels: np.ndarray) -> bytes:
    import zlib

    data = bytes(cv2.imencode(".png", pixels)[1])
    exif = b"eXIf" + TIFF % orientation
    chunk = len(exif[4:]).to_bytes(4, "big") + exif + zlib.crc32(exif).to_bytes(4, "big")
    return data[:33] + chunk + data[33:]


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_picture_looks_the_same(orientation: int) -> None:
    for data, limit in ((jpeg(orientation), 12), (png(orientation, picture()), 0)):
        new = upright.turned(data, "a")
        assert images.header_of(new, name="a").orientation == 1
        seen, before = images.decode(new, name="a"), images.decode(data, name="a")
        assert seen.shape == before.shape
        assert np.abs(seen.astype(int) - before).max() <= limit


def test_png_keeps_its_depth_and_alpha() -> None:
    deep = (np.arange(2 * 3 * 4).reshape(2, 3, 4) * 2500).astype(np.uint16)
    new = upright.turned(png(6, deep), "a")
    back = cv2.imdecode(np.frombuffer(new, np.uint8), cv2.IMREAD_UNCHANGED)
    assert back.dtype == np.uint16
    assert (back == np.rot90(deep, -1)).all()


def test_grey_stays_grey() -> None:
    import simplejpeg

    data = simplejpeg.encode_jpeg(np.ascontiguousarray(picture(1)), 95, "GRAY")
    assert images.header_of(upright.turned(data, "a"), name="a").channels == 1


@pytest.mark.parametrize("data", [jpeg(6), png(6, picture())])
def test_taking_the_tag_back_changes_nothing_else(data: bytes) -> None:
    new = upright.without_turn(data, "a")
    assert images.header_of(new, name="a").orientation == 1
    assert len(new) == len(data)
    assert sum(a != b for a, b in zip(new, data, strict=True)) <= 5  # the value, and a PNG's check sum
    images.decode(new, name="a")


def test_other_formats_are_refused() -> None:
    bmp = bytes(cv2.imencode(".bmp", picture())[1])
    for change in (upright.turned, upright.without_turn):
        with pytest.raises(DataError, match="E-IMAGE-FORMAT"):
            change(bmp, "a.bmp")
