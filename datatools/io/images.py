"""Pictures: their headers, the proof that they are whole, their pixels.

JPEG, PNG, BMP, GIF, WebP and TIFF are known, each by its magic number, whatever the file is called. Decoders are given
bytes, never names, and only after the header has shown that the picture is of a size that anybody can want.
"""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatools.core.errors import DataError
from datatools.io import headers, jpeg, png
from datatools.io.files import cannot, open_regular, read_bytes
from datatools.io.headers import BadHeader, Header, Window

if TYPE_CHECKING:  # numpy and the decoders take 0.2 s to load, and most callers only want headers
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

__all__ = [
    "IMAGE_SUFFIXES",
    "Header",
    "check",
    "decode",
    "decode_as_is",
    "encode",
    "encode_jpeg",
    "encode_png",
    "header_of",
    "read_header",
]

IMAGE_SUFFIXES = frozenset([".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff"])
"""Suffixes, in lower case and with their dot, of files that are taken for pictures."""

MAX_PIXELS = 100_000_000
"""Larger pictures are not decoded: a PNG of 100 kB can hold 5 GB."""

MAX_SCANS = 100
"""JPEG files of more scans are not decoded: each scan can cost as much as a whole picture."""

MAX_FILE_BYTES = 512 * 2**20
"""Larger files are not decoded."""

_HEAD = 2048

_READERS: tuple[tuple[bytes, Callable[[Window], Header]], ...] = (
    (b"\xff\xd8\xff", jpeg.header),
    (b"\x89PNG\r\n\x1a\n", png.header),
    (b"BM", headers.bmp),
    (b"GIF87a", headers.gif),
    (b"GIF89a", headers.gif),
    (b"RIFF", headers.webp),
    (b"II*\0", headers.tiff),
    (b"MM\0*", headers.tiff),
)


def read_header(path: str | Path) -> Header:
    """Read what the header of a picture says; a few kilobytes are read and nothing is decoded.

    Raises DataError E-IMAGE-UNREADABLE where the file is no regular file or has no header of a picture, StorageError
    where the disk or the rights fail.
    """
    try:
        fd, state = open_regular(path)
    except DataError as error:
        raise _unreadable(path, error.message) from None
    try:
        return _read(Window(os.pread(fd, _HEAD, 0), state.st_size, fd))
    except BadHeader as error:
        raise _unreadable(path, str(error)) from None
    except OSError as error:
        raise cannot("read", path, error) from None
    finally:
        os.close(fd)


def header_of(data: bytes, *, name: str) -> Header:
    """Read the header of a picture in memory. Raises DataError E-IMAGE-UNREADABLE; `name` is for its text."""
    try:
        return _read(Window(data, len(data)))
    except BadHeader as error:
        raise _unreadable(name, str(error)) from None


def check(path: str | Path, *, max_pixels: int = MAX_PIXELS, max_scans: int = MAX_SCANS) -> None:
    """Prove that a picture is whole, by decoding all of it and testing every check sum that its format has.

    JPEG: segments up to the end marker, then libjpeg-turbo, each of whose warnings counts as damage (it finds cuts, and
    flipped bits unless they make another valid picture). PNG: the check sum of every chunk, the end chunk, the length
    of the pixels. Other formats: that they decode.

    Raises DataError E-IMAGE-DAMAGED, also for a picture of more pixels or JPEG scans than allowed; E-IMAGE-UNREADABLE
    where the file is no regular file or too large; StorageError where the disk or the rights fail.
    """
    try:
        data = read_bytes(path, MAX_FILE_BYTES)
    except DataError as error:
        raise _unreadable(path, error.message) from None
    _decode(data, str(path), max_pixels, max_scans)


def decode(
    data: bytes, *, name: str, upright: bool = True, max_pixels: int = MAX_PIXELS, max_scans: int = MAX_SCANS
) -> "Picture":
    """Decode a picture, as it is meant to be displayed, to (height, width, 3) uint8 RGB.

    Grey is repeated in three channels, 16 bits are cut to the upper 8, transparency is dropped, CMYK is converted
    without a colour profile (as browsers do), a palette is resolved, the first frame of an animation and the first page
    of a TIFF are taken. The EXIF orientation is applied unless `upright` is false (to a TIFF always).

    Raises DataError E-IMAGE-DAMAGED as `check` does; `name` is for its text.
    """
    header, pixels = _decode(data, name, max_pixels, max_scans)
    return pixels if header.format == "tiff" or not upright else _upright(pixels, header.orientation)


def decode_as_is(data: bytes, *, name: str, max_pixels: int = MAX_PIXELS, max_scans: int = MAX_SCANS) -> "NDArray[Any]":
    """Decode a picture, as it is meant to be displayed, with the channels and the depth that it has.

    Returns (height, width) grey, (height, width, 3) RGB or (height, width, 4) RGBA; uint16 where the file has 16 bits,
    else uint8. CMYK is converted without a colour profile, a palette is resolved, the first frame of an animation and
    the first page of a TIFF are taken, the EXIF orientation is applied.

    Raises DataError E-IMAGE-DAMAGED as `check` does; `name` is for its text.
    """
    try:
        header = _read(Window(data, len(data)))
        if header.width * header.height > max_pixels:
            raise BadHeader(f"{header.width} x {header.height} pixels are more than {max_pixels:,}")
        if header.format == "jpeg":
            pixels = _decode_jpeg(data, max_scans, "GRAY" if header.channels == 1 else "RGB")
            pixels = pixels[:, :, 0] if header.channels == 1 else pixels
        else:
            pixels = _decode_unchanged(png.essence(data) if header.format == "png" else data)
    except BadHeader as error:
        raise DataError(name, 0, "E-IMAGE-DAMAGED", str(error)) from None
    return pixels if header.format == "tiff" else _upright(pixels, header.orientation)


def encode(pixels: "NDArray[Any]", suffix: str, quality: int = 95) -> bytes:
    """Encode a picture as the suffix says (`.jpg`, `.png` ...), without loss where the format can.

    pixels: (height, width) grey, (height, width, 3) RGB or (height, width, 4) RGBA, uint8 or uint16. JPEG has full
    colour resolution; it takes neither alpha, which is dropped, nor 16 bits, of which the upper 8 stay.
    """
    import numpy as np

    if suffix in (".jpg", ".jpeg", ".jpe", ".jfif"):
        import simplejpeg

        if pixels.dtype == np.uint16:
            pixels = (pixels >> 8).astype(np.uint8)
        if pixels.ndim == 3:
            return encode_jpeg(pixels[:, :, :3], quality)
        return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels[:, :, None]), quality, "GRAY"))
    cv2 = _cv2()
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    lossless = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []
    ok, encoded = cv2.imencode(suffix, pixels, lossless)
    if not ok:
        raise ValueError(f"cannot encode an array of shape {pixels.shape} as {suffix}")
    return bytes(encoded)


def encode_jpeg(rgb: "Picture", quality: int = 90) -> bytes:
    """Encode (height, width, 3) uint8 RGB as JPEG, with full colour resolution from quality 90 on."""
    import numpy as np
    import simplejpeg

    sampling = "444" if quality >= 90 else "420"
    encoded = simplejpeg.encode_jpeg(np.ascontiguousarray(rgb), quality, "RGB", sampling, fastdct=False)
    return bytes(encoded)


def encode_png(rgb: "Picture") -> bytes:
    """Encode (height, width, 3) uint8 RGB as PNG, without loss."""
    cv2 = _cv2()
    ok, encoded = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    if not ok:
        raise ValueError(f"cannot encode an array of shape {rgb.shape}")
    return bytes(encoded)


def _read(source: Window) -> Header:
    magic = source.take(0, 8)
    for start, reader in _READERS:
        if magic.startswith(start):
            header = reader(source)
            if header.width < 1 or header.height < 1:
                raise BadHeader(f"it says that it is {header.width} x {header.height} pixels")
            return header
    raise BadHeader("it is no JPEG, PNG, BMP, GIF, WebP or TIFF file" if magic else "the file is empty")


def _decode(data: bytes, name: str, max_pixels: int, max_scans: int) -> "tuple[Header, Picture]":
    """Decode to RGB as stored, except a TIFF, which OpenCV always turns upright."""
    try:
        header = _read(Window(data, len(data)))
        if header.width * header.height > max_pixels:
            raise BadHeader(f"{header.width} x {header.height} pixels are more than {max_pixels:,}")
        if header.format == "jpeg":
            return header, _decode_jpeg(data, max_scans)
        return header, _decode_other(png.essence(data) if header.format == "png" else data)
    except BadHeader as error:
        raise DataError(name, 0, "E-IMAGE-DAMAGED", str(error)) from None


def _decode_jpeg(data: bytes, max_scans: int, space: str = "RGB") -> "Picture":
    import simplejpeg

    scans = jpeg.count_scans(data)
    if scans > max_scans:
        raise BadHeader(f"{scans} scans are more than {max_scans}")
    try:
        pixels: Picture = simplejpeg.decode_jpeg(data, space, strict=True)
        return pixels
    except (ValueError, MemoryError) as error:
        raise BadHeader(f"the JPEG decoder says: {error}") from None


def _decode_other(data: bytes) -> "Picture":
    import numpy as np

    cv2 = _cv2()
    try:
        pixels: Picture | None = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
        )
    except cv2.error as error:
        raise BadHeader(f"the decoder says: {error.err}") from None
    if pixels is None:
        raise BadHeader("its pixels are incomplete or not of the format")
    return pixels


def _decode_unchanged(data: bytes) -> "NDArray[Any]":
    import numpy as np

    cv2 = _cv2()
    try:
        pixels: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise BadHeader(f"the decoder says: {error.err}") from None
    if pixels is None:
        raise BadHeader("its pixels are incomplete or not of the format")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise BadHeader(f"its pixels are {pixels.dtype} numbers; 8 and 16 bits are taken")
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    return np.asarray(pixels)


def _upright(pixels: "NDArray[Any]", orientation: int) -> "NDArray[Any]":
    """Turn and mirror the stored picture as its EXIF orientation asks (1 to 8, TIFF 6.0 and EXIF 2.3)."""
    import numpy as np

    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


@functools.cache
def _cv2() -> Any:
    """Load OpenCV, which must be told its limit before, and to keep quiet about what we report ourselves."""
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**30))
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


def _unreadable(path: str | Path, message: str) -> DataError:
    return DataError(path, 0, "E-IMAGE-UNREADABLE", message)
