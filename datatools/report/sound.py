"""Pictures of recordings: the waveform with its segments, the spectrogram; as SVG or PNG."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from datatools.core.values import Audio
from datatools.io import images
from datatools.report import svg
from datatools.report.scale import number, ticks

Floats = NDArray[np.float32]
Rgb = NDArray[np.uint8]

WIDTH = 1200
HEIGHT = 160
_LEFT, _TOP, _BOTTOM = 46, 14, 26

# dark to bright, in equal steps of lightness: blue, violet, red, orange, yellow, white
_HEAT = np.array(
    [[8, 10, 28], [58, 20, 96], [132, 32, 107], [205, 64, 71], [246, 138, 32], [250, 223, 120]], np.float64
)


@dataclass(frozen=True)
class Envelope:
    """low, high: (columns,) the least and the greatest sample of each column. frames, sr: of the whole."""

    low: Floats
    high: Floats
    frames: int
    sr: int


def envelope(audio: Audio, columns: int = WIDTH) -> Envelope:
    """Read a recording and note what a picture of its waveform needs; several channels become their mean."""
    columns = max(min(columns, audio.frames), 1)
    edges = np.linspace(0, audio.frames, columns + 1).astype(np.int64)
    low, high = np.full(columns, np.inf, np.float32), np.full(columns, -np.inf, np.float32)
    at = 0
    for block in audio.blocks():
        mono = block.mean(axis=1)
        first = int(np.searchsorted(edges, at, side="right")) - 1
        last = int(np.searchsorted(edges, at + len(mono), side="left"))
        starts = np.maximum(edges[first:last] - at, 0)
        low[first:last] = np.minimum(low[first:last], np.minimum.reduceat(mono, starts))
        high[first:last] = np.maximum(high[first:last], np.maximum.reduceat(mono, starts))
        at += len(mono)
    return Envelope(np.where(low > high, 0, low), np.where(low > high, 0, high), audio.frames, audio.sr)


def waveform(found: Envelope, spans: NDArray[np.int64], form: Literal["svg", "png"]) -> bytes:
    """Draw a waveform over its time in seconds, spans shaded. spans: (K, 2) samples."""
    return _waveform_svg(found, spans) if form == "svg" else _waveform_png(found, spans)


def _waveform_svg(found: Envelope, spans: NDArray[np.int64]) -> bytes:
    scale = WIDTH / max(found.frames, 1)
    middle, half = _TOP + HEIGHT / 2, HEIGHT / 2
    parts = [
        f'<rect x="{_LEFT + a * scale:.1f}" y="{_TOP}" width="{max((b - a) * scale, 0.5):.1f}" height="{HEIGHT}" '
        f'fill="{svg.PALETTE[2]}" opacity="0.3"><title>{a / found.sr:.3f} s to {b / found.sr:.3f} s</title></rect>'
        for a, b in spans.tolist()
    ]
    step = WIDTH / len(found.low)
    x = _LEFT + (np.arange(len(found.low)) + 0.5) * step
    up, down = middle - np.clip(found.high, -1, 1) * half, middle - np.clip(found.low, -1, 1) * half
    outline = [f"{a:.1f} {b:.1f}" for a, b in zip(x, up, strict=True)]
    outline += [f"{a:.1f} {b + 0.5:.1f}" for a, b in zip(x[::-1], down[::-1], strict=True)]
    parts.append(f'<path class="mark" d="M{"L".join(outline)}Z"/>')
    parts += _axes_svg(found.frames / found.sr, [(-1.0, "-1"), (0.0, "0"), (1.0, "1")], lambda v: middle - v * half)
    return svg.document(_chart(parts))


def _axes_svg(duration_s: float, marks: Iterable[tuple[float, str]], y: object) -> Iterator[str]:
    assert callable(y)
    bottom = _TOP + HEIGHT
    yield f'<path class="axis" d="M{_LEFT} {bottom}h{WIDTH}"/>'
    for tick in ticks(0, duration_s, 10):
        x = _LEFT + WIDTH * tick / (duration_s or 1)
        yield f'<path class="axis" d="M{x:.1f} {bottom}v4"/>'
        yield f'<text class="soft small mid" x="{x:.1f}" y="{bottom + 17}">{number(tick)} s</text>'
    for value, text in marks:
        yield f'<text class="soft small end" x="{_LEFT - 6}" y="{y(value) + 4:.1f}">{text}</text>'


def _chart(parts: Iterable[str]) -> str:
    width, height = _LEFT + WIDTH + 14, _TOP + HEIGHT + _BOTTOM
    return f'<svg class="chart" width="{width}" height="{height}" viewBox="0 0 {width} {height}">{"".join(parts)}</svg>'


def _waveform_png(found: Envelope, spans: NDArray[np.int64]) -> bytes:
    picture = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    scale = WIDTH / max(found.frames, 1)
    for a, b in spans.tolist():
        picture[:, int(a * scale) : max(int(b * scale), int(a * scale) + 1)] = (205, 227, 200)
    columns = np.minimum(np.arange(WIDTH) * len(found.low) // WIDTH, len(found.low) - 1)
    rows = np.arange(HEIGHT)[:, None]
    half = (HEIGHT - 1) / 2
    top = np.round(half - np.clip(found.high[columns], -1, 1) * half)
    bottom = np.round(half - np.clip(found.low[columns], -1, 1) * half)
    picture[(rows >= top) & (rows <= bottom)] = (47, 109, 179)
    return images.encode_png(picture)


def spectrogram(levels: Floats, duration_s: float, sr: int, form: Literal["svg", "png"]) -> bytes:
    """Draw log energies of mel bands, (columns, bands) with the lowest band first, over time and frequency."""
    picture = _heat(levels)
    png = images.encode_png(picture)
    if form == "png":
        return png
    inside = base64.b64encode(png).decode()
    parts = [
        f'<image x="{_LEFT}" y="{_TOP}" width="{WIDTH}" height="{HEIGHT}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{inside}"/>'
    ]
    top = _mel(sr / 2)
    marks = [(hz, f"{hz / 1000:g} kHz") for hz in (500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0) if hz <= sr / 2]
    parts += _axes_svg(duration_s, marks, lambda hz: _TOP + HEIGHT * (1 - _mel(hz) / top))
    return svg.document(_chart(parts))


def _heat(levels: Floats) -> Rgb:
    """Colours of (columns, bands): the lowest percent is dark, the highest value bright; time goes to the right."""
    if not levels.size:
        return np.zeros((1, 1, 3), np.uint8)
    low, high = float(np.percentile(levels, 1)), float(levels.max())
    share = np.clip((levels.T[::-1] - low) / max(high - low, 1e-6), 0, 1) * (len(_HEAT) - 1)
    under = np.minimum(share.astype(np.int64), len(_HEAT) - 2)
    part = (share - under)[..., None]
    colours: Rgb = np.round(_HEAT[under] * (1 - part) + _HEAT[under + 1] * part).astype(np.uint8)
    return colours


def _mel(hz: float) -> float:
    return float(1127 * np.log(1 + hz / 700))
