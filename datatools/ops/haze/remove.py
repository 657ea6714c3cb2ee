"""`datatools haze remove`: pictures without their haze."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from datatools.core.errors import UsageError, escape
from datatools.core.op import Param, op
from datatools.core.values import Clip, Film, Image, Source

if TYPE_CHECKING:
    from datatools.kernels.haze import Settings

COMPARISONS = "compare"
"""The folder of the output for pictures of before and after."""


def _check(root: Path, sources: Iterator[Source], arguments: Mapping[str, Any]) -> None:
    """Refuse what cannot work for any item, before anything is written."""
    _check_patch(arguments.get("patch", 15))
    maps = arguments.get("maps") or ""
    compared = COMPARISONS if arguments.get("compare") else ""
    if maps and not _safe(maps):
        raise UsageError(f"--maps: {escape(maps)} is no name of a folder of OUT")
    if maps and maps == compared:
        raise UsageError(f"--maps: the folder {COMPARISONS} is that of --compare")
    options = {folder: option for option, folder in (("--maps", maps), ("--compare", compared)) if folder}
    for source in sources if options else ():
        for folder, option in options.items():
            if source.files[0].startswith(f"{folder}/"):
                raise UsageError(
                    f"{option}: {escape(root / folder)} is part of the input; its files and the new ones mix"
                )


def _check_patch(patch: int) -> None:
    if patch % 2 == 0:
        raise UsageError(f"--patch must be odd (got {patch})")


def _safe(folder: str) -> bool:
    from datatools.io.files import safe_component

    return all(safe_component(part) and not part.startswith(".") for part in folder.split("/"))


@op("haze.remove", version=1, prepare=_check)
def remove(
    item: Image | Clip,
    *,
    patch: Annotated[int, Param("side of the dark channel's window, px, odd", ge=1, le=99)] = 15,
    omega: Annotated[float, Param("share of the haze that is removed", ge=0, le=1)] = 0.95,
    t0: Annotated[float, Param("transmissions below this count as this", ge=0.01, le=1)] = 0.1,
    refine: Annotated[
        Literal["guided", "fast", "none"],
        Param("how the transmission finds the edges: guided filter, the same at a quarter of the size, not at all"),
    ] = "guided",
    radius: Annotated[int, Param("of the guided filter's window, px", ge=1, le=1000)] = 60,
    eps: Annotated[float, Param("how much contrast the guided filter smooths over", gt=0, le=1)] = 1e-3,
    airlight: Annotated[
        Literal["brightest", "mean", "quad-tree"],
        Param("the brightest of the haziest pixels, their mean, or the flattest bright place"),
    ] = "brightest",
    sky: Annotated[bool, Param("leave the sky and other bright flat places as they are")] = False,
    exposure: Annotated[float, Param("factor of the brightness of the result", gt=0, le=10)] = 1.0,
    maps: Annotated[
        str | None,
        Param("folder of OUT for dark channel, transmission and airlight of every item", metavar="DIR"),
    ] = None,
    compare: Annotated[bool, Param(f"put pictures of before and after into the folder {COMPARISONS} of OUT")] = False,
    smooth: Annotated[
        float, Param("weight of the frames before, where nothing moves (videos); 0 flickers", ge=0, le=0.99)
    ] = 0.9,
    codec: Annotated[
        Literal["mp4v", "mjpg", "vp9", "ffv1"],
        Param("of videos: mp4v is small and quick, vp9 smaller and slow, mjpg a JPEG a frame, ffv1 lossless"),
    ] = "mp4v",
    prepared: None = None,
) -> Image | Film:
    """Remove the haze of pictures and videos by the dark channel prior (He, Sun, Tang, CVPR 2009).

    Every picture of SRC is written to OUT under its name, every video as MP4 with its sound; all other files of SRC
    (labels, lists) come along unchanged, so a labelled set stays a labelled set.
    """
    from datatools.kernels import haze

    _check_patch(patch)
    settings = haze.Settings(
        patch=patch,
        omega=omega,
        t0=t0,
        refine=refine,
        radius=radius,
        eps=eps,
        airlight=airlight,
        sky=sky,
        exposure=exposure,
    )
    if isinstance(item, Image):
        return _cleared(item.pixels, settings, maps or "", compare)
    from datatools.ops.haze.clearing import Clearing

    step = Clearing(item, settings, smooth, maps or "", COMPARISONS if compare else "")
    return Film(item, step, codec, sound=step.sounding)


def _cleared(pixels: Any, settings: "Settings", maps: str, compare: bool) -> Image:
    from datatools.kernels import haze
    from datatools.kernels.before_after import before_after

    beside: dict[str, Any] = {}
    if maps:
        clear, beside = _with_maps(pixels, settings, maps)
    else:
        clear = haze.remove(pixels, settings)
    if compare:
        beside[f"{COMPARISONS}/{{}}"] = before_after(pixels, clear)
    return Image(clear, beside)


def _with_maps(pixels: Any, settings: "Settings", folder: str) -> tuple[Any, dict[str, Any]]:
    import numpy as np

    from datatools.kernels import haze
    from datatools.kernels.scattering import recover

    found = haze.estimate(pixels, settings)
    clear = recover(pixels, found.transmission, found.airlight, settings.t0, settings.exposure)
    top = int(np.iinfo(pixels.dtype).max)
    return clear, {
        f"{folder}/{{}}.dark.png": found.dark,
        f"{folder}/{{}}.transmission.png": np.rint(found.transmission * top).astype(pixels.dtype),
        f"{folder}/{{}}.airlight.json": {"airlight": found.airlight.tolist(), "of": top},
    }
