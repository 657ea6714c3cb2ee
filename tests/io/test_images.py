"""Pictures: headers against Pillow, damage of every kind, pixels as displayed."""

import io
import os
import random
import struct
import time
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from datatools.core.errors import DataError, StorageError
from datatools.io import images
from datatools.io.images import Header

WIDTH, HEIGHT = 60, 40


def scene() -> np.ndarray:
    """A smooth picture in which no two corners are alike."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([x * 4, y * 6, (x + y) * 2], axis=-1).astype(np.uint8)


def encoded(format: str, mode: str = "RGB", turn: int = 1, **options: object) -> bytes:
    buffer = io.BytesIO()
    if turn != 1:
        exif = Image.Exif()
        exif[274] = turn
        options["exif"] = exif
    Image.fromarray(scene()).convert(mode).save(buffer, format, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int, bits: int = 8, colour: int = 2) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))


def saved(folder: Path, data: bytes, name: str = "x.jpg") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def damage(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        images.check(path)
    assert caught.value.code == "E-IMAGE-DAMAGED"
    assert len(str(caught.value).splitlines()) == 1
    return caught.value.message


GOOD = {
    "jpeg": (encoded("JPEG"), Header("jpeg", 60, 40, 3, 8)),
    "jpeg grey": (encoded("JPEG", "L"), Header("jpeg", 60, 40, 1, 8)),
    "jpeg cmyk": (encoded("JPEG", "CMYK"), Header("jpeg", 60, 40, 4, 8)),
    "jpeg progressive": (encoded("JPEG", progressive=True), Header("jpeg", 60, 40, 3, 8)),
    "jpeg turned": (encoded("JPEG", turn=6), Header("jpeg", 60, 40, 3, 8, 6)),
    "png": (encoded("PNG"), Header("png", 60, 40, 3, 8)),
    "png grey": (encoded("PNG", "L"), Header("png", 60, 40, 1, 8)),
    "png bits": (encoded("PNG", "1"), Header("png", 60, 40, 1, 1)),
    "png palette": (encoded("PNG", "P"), Header("png", 60, 40, 3, 8)),
    "png alpha": (encoded("PNG", "RGBA"), Header("png", 60, 40, 4, 8)),
    "png grey alpha": (encoded("PNG", "LA"), Header("png", 60, 40, 2, 8)),
    "png turned": (encoded("PNG", turn=8), Header("png", 60, 40, 3, 8, 8)),
    "png texts": (encoded("PNG", icc_profile=b"nonsense" * 20), Header("png", 60, 40, 3, 8)),
    "bmp": (encoded("BMP"), Header("bmp", 60, 40, 3, 8)),
    "bmp alpha": (encoded("BMP", "RGBA"), Header("bmp", 60, 40, 4, 8)),
    "gif": (encoded("GIF"), Header("gif", 60, 40, 3, 8)),
    "webp": (encoded("WEBP"), Header("webp", 60, 40, 3, 8)),
    "webp lossless": (encoded("WEBP", lossless=True), Header("webp", 60, 40, 3, 8)),
    "webp alpha": (encoded("WEBP", "RGBA", lossless=True, exact=True), Header("webp", 60, 40, 4, 8)),
    "webp turned": (encoded("WEBP", turn=5), Header("webp", 60, 40, 3, 8, 5)),
    "tiff": (encoded("TIFF"), Header("tiff", 60, 40, 3, 8)),
    "tiff turned": (encoded("TIFF", turn=3), Header("tiff", 60, 40, 3, 8, 3)),
    "tiff packed": (encoded("TIFF", compression="tiff_deflate"), Header("tiff", 60, 40, 3, 8)),
}


@pytest.mark.parametrize("name", GOOD)
def test_good_pictures(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    data, header = GOOD[name]
    path = saved(tmp_path, data, os.fsdecode(b"\xff\xfe.xyz"))
    found = images.read_header(path)
    if name == "webp alpha":  # Pillow may say "no alpha" of a picture that has none to speak of
        header = Header("webp", 60, 40, found.channels, 8)
    assert found == header == images.header_of(data, name="x")
    images.check(path)
    shown = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    pixels = images.decode(data, name="x")
    assert pixels.dtype == np.uint8
    assert pixels.shape == shown.shape == (*header.displayed_wh[::-1], 3)
    assert np.abs(pixels.astype(int) - shown).max() <= (3 if name.startswith(("jpeg", "webp")) else 0)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("turn", range(1, 9))
def test_orientations_as_pillow_shows_them(turn: int) -> None:
    for format in ("JPEG", "PNG"):
        data = encoded(format, turn=turn)
        header = images.header_of(data, name="x")
        shown = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
        assert header.orientation == turn
        assert header.stored_wh == (60, 40)
        assert header.displayed_wh == (shown.shape[1], shown.shape[0])
        assert np.abs(images.decode(data, name="x").astype(int) - shown).max() <= 3


def test_sixteen_bits_lose_the_lower_eight() -> None:
    values = np.arange(WIDTH * HEIGHT, dtype=np.uint16).reshape(HEIGHT, WIDTH) * 27
    data = cv2.imencode(".png", values)[1].tobytes()
    assert images.header_of(data, name="x") == Header("png", 60, 40, 1, 16)
    assert (images.decode(data, name="x") == (values >> 8)[..., None]).all()


def test_transparency_is_dropped() -> None:
    rgba = np.dstack([scene(), np.zeros((HEIGHT, WIDTH), np.uint8)])
    data = cv2.imencode(".png", cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))[1].tobytes()
    assert (images.decode(data, name="x") == scene()).all()


def test_round_trips() -> None:
    assert (images.decode(images.encode_png(scene()), name="x") == scene()).all()
    again = images.decode(images.encode_jpeg(scene(), 95), name="x")
    assert np.abs(again.astype(int) - scene()).max() <= 4
    assert len(images.encode_jpeg(scene(), 30)) < len(images.encode_jpeg(scene(), 95))
    assert (images.decode(images.encode_png(scene()[:, ::-1]), name="x") == scene()[:, ::-1]).all()
    assert images.encode_jpeg(scene()[:, ::-1])


def test_a_header_behind_large_segments(tmp_path: Path) -> None:
    data = encoded("JPEG", turn=6)
    for size, count in ((65_533, 3), (2, 500), (2046 - 4, 1), (2044, 1)):
        padding = b"".join(b"\xff\xee" + struct.pack(">H", size) + b"\xff" * (size - 2) for _ in range(count))
        path = saved(tmp_path, data[:2] + padding + b"\xff\xff" + data[2:])
        assert images.read_header(path) == Header("jpeg", 60, 40, 3, 8, 6)
        images.check(path)


def test_a_thumbnail_is_not_the_picture(tmp_path: Path) -> None:
    thumbnail = b"Exif\0\0" + b"MM\0*\0\0\0\x08\0\0" + encoded("JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    data = encoded("JPEG", "L")
    path = saved(tmp_path, data[:2] + segment + data[2:] + b"more than the picture")
    assert images.read_header(path) == Header("jpeg", 60, 40, 1, 8)
    images.check(path)


@pytest.mark.parametrize("exif", [b"", b"MM", b"XX\0*", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff", b"II*\0"])
def test_broken_exif_says_nothing(exif: bytes) -> None:
    body = b"Exif\0\0" + exif
    data = encoded("JPEG")
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]
    assert images.header_of(data, name="x") == Header("jpeg", 60, 40, 3, 8)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_out_of_range_says_nothing(value: int) -> None:
    entry = struct.pack("<HHII", 274, 3, 1, value)
    data = png_header(60, 40) + chunk(b"eXIf", b"II*\0\x08\0\0\0\x01\0" + entry) + chunk(b"IEND", b"")
    assert images.header_of(data, name="x").orientation == 1


@pytest.mark.parametrize("name", GOOD)
def test_every_cut_is_found(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    data = GOOD[name][0]
    for length in {
        0,
        1,
        2,
        3,
        10,
        20,
        30,
        len(data) // 3,
        len(data) // 2,
        len(data) - 20,
        len(data) - 2,
        len(data) - 1,
    }:
        if name == "bmp alpha" or (name.startswith("tiff") and length >= len(data) - 20):
            continue  # the end of these is not pixels
        damage(saved(tmp_path, data[:length]))
    out, _ = capfd.readouterr()
    assert out == ""


def test_no_byte_of_a_png_changes_unseen(tmp_path: Path) -> None:
    data = encoded("PNG")
    chosen = random.Random(1)
    for at in [*range(50), *(chosen.randrange(len(data)) for _ in range(150))]:
        damage(saved(tmp_path, data[:at] + bytes([data[at] ^ 1 << chosen.randrange(8)]) + data[at + 1 :]))


def test_flipped_bits_of_a_jpeg(tmp_path: Path) -> None:
    """What libjpeg warns of is found; what makes another valid picture cannot be. Nothing else may come out."""
    data = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))[1].tobytes()
    found = 0
    chosen = random.Random(1)
    for _ in range(200):
        at = chosen.randrange(len(data))
        path = saved(tmp_path, data[:at] + bytes([data[at] ^ 1 << chosen.randrange(8)]) + data[at + 1 :])
        try:
            images.check(path)
        except DataError as error:
            assert error.code == "E-IMAGE-DAMAGED"
            found += 1
    assert found > 50
    hole = len(data) // 2
    damage(saved(tmp_path, data[:hole] + b"\0" * 500 + data[hole + 500 :]))


def test_bombs_are_refused_in_no_time(tmp_path: Path) -> None:
    zeros = zlib.compressobj()
    rows = b"".join(zeros.compress(b"\0" * 3751) for _ in range(3000)) + zeros.flush()
    png = saved(tmp_path, png_header(30_000, 30_000, 1, 0) + chunk(b"IDAT", rows) + chunk(b"IEND", b""), "a.png")
    progressive = encoded("JPEG", progressive=True)
    last = progressive.rindex(b"\xff\xda")
    scans = saved(tmp_path, progressive[:-2] + progressive[last:-2] * 5000 + b"\xff\xd9", "b.jpg")
    plain = encoded("JPEG")
    scan = plain[plain.index(b"\xff\xda") : -2]
    again = saved(tmp_path, plain[:-2] + scan * 5000 + b"\xff\xd9", "e.jpg")
    empty = saved(tmp_path, progressive[:2] + b"\xff\xee\0\2" * 1_000_000 + progressive[2:], "c.jpg")
    fill = saved(tmp_path, b"\xff\xd8" + b"\xff" * 5_000_000, "d.jpg")
    start = time.process_time()
    assert damage(png) == "30000 x 30000 pixels are more than 100,000,000"
    assert damage(scans) == "5010 scans are more than 100"
    assert "more than one scan" in damage(again)
    assert "10000 segments" in damage(empty)
    assert "10000 segments" in damage(fill)
    assert time.process_time() - start < 1
    assert images.read_header(png).stored_wh == (30_000, 30_000)
    with pytest.raises(DataError, match="60 x 40 pixels are more than 1,000"):
        images.check(saved(tmp_path, progressive), max_pixels=1000)
    images.check(saved(tmp_path, progressive), max_scans=10)
    with pytest.raises(DataError, match="10 scans are more than 9"):
        images.check(saved(tmp_path, progressive), max_scans=9)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda p: p.symlink_to("/dev/zero"), lambda p: None])
def test_what_is_no_file(tmp_path: Path, make: object) -> None:
    make(tmp_path / "x.jpg")  # type: ignore[operator]
    for read in (images.read_header, images.check):
        with pytest.raises(DataError, match="E-IMAGE-UNREADABLE"):
            read(tmp_path / "x.jpg")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"<html>", "it is no JPEG, PNG, BMP, GIF, WebP or TIFF file"),
        (b"RIFF\0\0\0\0WAVEfmt " + b"\0" * 40, "it is a RIFF file, but not of pictures"),
        (b"RIFF\0\0\0\0WEBPJUNK" + b"\0" * 40, "its first WebP chunk is no picture"),
        (b"\xff\xd8\xff", "the file ends before the picture begins"),
        (b"\xff\xd8\xff\xe0\0\x04ab12345", "no JPEG marker at byte 8"),
        (b"\xff\xd8\xff\xe0\0\x01ab12345", "a segment at byte 2 has no length"),
        (b"\xff\xd8\xff\xd9ab12345", "it has no frame header"),
        (b"\xff\xd8\xff\xd0\xff\xc0\0\x0b\x08\0", "the file ends inside the frame header"),
        (b"\xff\xd8\xff\xc0\0\x0b\x08\0\0\0\x10\x03", "it says that it is 16 x 0 pixels"),
        (b"\x89PNG\r\n\x1a\n", "the file ends inside the header"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 30, "its first PNG chunk is no header"),
        (png_header(0, 10), "it says that it is 0 x 10 pixels"),
        (png_header(10, 10, 8, 5), "PNG has no colour type 5"),
        (b"GIF89a\x01", "the file ends inside the header"),
        (b"BM" + b"\0" * 30, "it says that it is 0 x 0 pixels"),
        (b"II*\0\x08\0\0\0\0\0", "its first TIFF directory gives no size"),
    ],
)
def test_headers_that_are_none(tmp_path: Path, data: bytes, message: str) -> None:
    path = saved(tmp_path, data)
    with pytest.raises(DataError) as caught:
        images.read_header(path)
    assert (caught.value.code, caught.value.message) == ("E-IMAGE-UNREADABLE", message)
    assert damage(path) == message


def test_pixels_that_end_early_under_valid_check_sums(tmp_path: Path) -> None:
    rows = zlib.compress(b"\0" * 181 * 20)
    path = saved(tmp_path, png_header(60, 40) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    assert damage(path) == "its pixels are incomplete or not of the format"


def test_disk_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise OSError(5, "Input/output error")

    path = saved(tmp_path, encoded("PNG"))
    monkeypatch.setattr(os, "pread", fail)
    with pytest.raises(StorageError, match=r"cannot read .*x\.jpg: Input/output error"):
        images.read_header(path)


@hypothesis_settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(sorted(GOOD)), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6), st.data()
)
def test_mutants_are_read_or_refused(name: str, changes: list[tuple[int, int]], data: st.DataObject) -> None:
    mutant = bytearray(GOOD[name][0])
    for at, value in changes:
        mutant[at % len(mutant)] = value
    mutant = mutant[: data.draw(st.integers(0, len(mutant)))]
    for function in (images.header_of, images.decode):
        try:
            function(bytes(mutant), name="x")
        except DataError as error:
            assert error.code in ("E-IMAGE-UNREADABLE", "E-IMAGE-DAMAGED")


@pytest.mark.shared
def test_real_pictures(shared_voc: Path) -> None:
    paths = sorted(shared_voc.rglob("*.jpg"))[::10]
    for path in paths:
        with Image.open(path) as reference:
            assert images.read_header(path).stored_wh == reference.size
    assert paths
