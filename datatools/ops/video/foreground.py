"""`datatools video foreground`: what moves, as masks, videos and boxes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from datatools.core.errors import DataError, UsageError
from datatools.core.op import Param, op
from datatools.core.values import Clip, Film, Rng
from datatools.ops.video.moving import Moving, Wanted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CodecParam = Annotated[
    Literal["mp4v", "mjpg", "vp9", "ffv1"],
    Param("of videos: mp4v is small and quick, vp9 smaller and slow, mjpg a JPEG a frame, ffv1 lossless"),
]


@op("video.foreground", version=1)
def foreground(
    clip: Clip,
    *,
    engine: Annotated[
        Literal["vibe", "mog2", "knn"], Param("the background model; ViBe is patented, MOG2 and KNN are OpenCV's")
    ] = "vibe",
    grey: Annotated[bool, Param("compare grey levels instead of colours: faster, and a third of the memory")] = False,
    stuck_frames: Annotated[
        int,
        Param("what is foreground for so many frames in a row enters the background; 0: never (vibe)", ge=0, le=65534),
    ] = 0,
    masks: Annotated[
        bool, Param("write a PNG for each frame, 0 and 255; the default where nothing else is asked")
    ] = False,
    mask_video: Annotated[bool, Param("write the masks as a video")] = False,
    overlay: Annotated[bool, Param("write the video with the foreground in red and boxes around it")] = False,
    side_by_side: Annotated[bool, Param("write the video and its masks beside each other")] = False,
    boxes: Annotated[
        Literal["voc", "coco", "csv"] | None, Param("write a box around each thing that moves, of class `moving`")
    ] = None,
    min_area: Annotated[int, Param("smaller things get no box, px", ge=1)] = 100,
    open: Annotated[int, Param("specks narrower than this leave the masks, px; 0: none", ge=0, le=255)] = 0,
    close: Annotated[int, Param("gaps and holes narrower than this are filled, px; 0: none", ge=0, le=255)] = 0,
    roi: Annotated[
        Path | None, Param("picture of the frames' size; where it is black, nothing moves", metavar="FILE")
    ] = None,
    keep_every: Annotated[
        int | None, Param("write every Nth frame as a JPEG; 1 with boxes voc or coco, else none", metavar="N", ge=1)
    ] = None,
    state: Annotated[Path | None, Param("go on from the model that --save-state wrote (vibe)", metavar="FILE")] = None,
    save_state: Annotated[bool, Param("write the model as it is after the last frame (vibe)")] = False,
    codec: CodecParam = "mp4v",
    rng: Rng,
) -> Film:
    """Tell what moves in videos from what stands still (ViBe; Barnich, Van Droogenbroeck 2011).

    SRC is a video, a folder of videos, or a folder of numbered pictures. The first frame is taken for background; what
    stood in it and leaves is foreground for a while (a ghost).
    """
    if engine != "vibe" and (state or save_state or stuck_frames):
        raise UsageError(f"--state, --save-state and --stuck-frames need --engine vibe (not {engine})")
    anything = masks or mask_video or overlay or side_by_side or boxes or save_state or keep_every
    wanted = Wanted(
        masks=masks or not anything,
        mask_video=mask_video,
        overlay=overlay,
        side_by_side=side_by_side,
        boxes=boxes or "",
        min_area=min_area,
        open_px=open,
        close_px=close,
        keep_every=keep_every or (1 if boxes in ("voc", "coco") else 0),
        save_state=save_state,
    )
    inside = _region(roi, clip.size_wh) if roi else None
    step = Moving(clip, wanted, inside, engine=engine, grey=grey, stuck_frames=stuck_frames, rng=rng)
    if state:
        _start_from(step, state)
    return Film(clip, step, codec, sound=(step.overlay_name, step.side_by_side_name))


def _region(path: Path, size_wh: tuple[int, int]) -> "NDArray[np.bool_]":
    from datatools.io import files, images

    pixels = images.decode(files.read_bytes(path), name=str(path))
    if (pixels.shape[1], pixels.shape[0]) != size_wh:
        width, height = size_wh
        what = f"the region is {pixels.shape[1]} x {pixels.shape[0]} pixels, the frames are {width} x {height}"
        raise DataError(path, 0, "E-ROI-SIZE", what)
    import numpy as np

    return np.asarray(pixels.any(axis=2), np.bool_)


def _start_from(step: Moving, path: Path) -> None:
    from datatools.io import arrays

    held: Any = arrays.read_npz(path)
    try:
        step.restore(held)
    except ValueError as error:
        raise DataError(path, 0, "E-STATE", str(error), "use a state of frames of this size") from None
