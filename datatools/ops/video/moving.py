"""What `video foreground` makes of each frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from datatools.core.records import Annotation, Box
from datatools.core.values import Clip, Frame, Rng, Shot, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

LABEL = "moving"
"""The class of all boxes."""

_BOX_BGR = (0, 255, 255)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written; as the options of the command say."""

    masks: bool = False
    mask_video: bool = False
    overlay: bool = False
    side_by_side: bool = False
    boxes: str = ""
    min_area: int = 100
    open_px: int = 0
    close_px: int = 0
    keep_every: int = 0
    save_state: bool = False


class Moving:
    """Takes the frames of a clip, tells what moves in them. inside: (height, width), where things may move; everywhere,
    unless told otherwise.
    """

    def __init__(
        self,
        clip: Clip,
        wanted: Wanted,
        inside: "NDArray[np.bool_] | None" = None,
        *,
        engine: Literal["vibe", "mog2", "knn"] = "vibe",
        grey: bool = False,
        stuck_frames: int = 0,
        rng: Rng,
    ) -> None:
        self._item = clip.id
        self._size_wh = clip.size_wh
        self._wanted = wanted
        self._inside = inside
        self._engine = engine
        self._grey = grey
        self._stuck_frames = stuck_frames
        self._rng = rng
        self._model: Any = None
        self.overlay_name = f"overlay/{clip.id}.mp4"
        self.side_by_side_name = f"side_by_side/{clip.id}.mp4"

    def wants(self, index: int, t_s: float) -> bool:
        """Every frame: the model learns from each."""
        return True

    def take(self, frame: Frame) -> Shot:
        """Tell what moves in the frame, and write it down as is wanted."""
        mask = self._mask(frame.bgr)
        blobs = self._blobs(mask)
        videos, files = self._videos(frame.bgr, mask, blobs), self._files(frame, mask, blobs)
        row = None
        if self._wanted.boxes in ("coco", "csv"):
            row = [frame.name, round(frame.t_s, 6), frame.index, [*blobs[0].tolist()], [*blobs[1].tolist()]]
        return Shot(videos, files, row)

    def end(self, rows: Sequence[Any]) -> Mapping[str, bytes]:
        """The files of boxes of the whole clip, and the model."""
        made: dict[str, bytes] = {}
        if self._wanted.boxes == "csv":
            made[f"boxes/{self._item}.csv"] = _csv(rows)
        if self._wanted.boxes == "coco":
            made[f"boxes/{self._item}.json"] = self._coco(rows)
        if self._wanted.save_state:
            from datatools.io import arrays

            made[f"state/{self._item}.npz"] = arrays.npz(self._model.state())
        return made

    def state(self) -> "Mapping[str, NDArray[Any]] | None":
        """The model's; None for OpenCV's models, which do not tell it."""
        held: dict[str, NDArray[Any]] | None = self._model.state() if self._engine == "vibe" and self._model else None
        return held

    def restore(self, state: "Mapping[str, NDArray[Any]]") -> None:
        """Go on from the state of a model. Raises ValueError where it is none, or of other frames."""
        from datatools.kernels.vibe import Vibe

        model = Vibe.from_state(state, self._settings())
        if model.shape != self._size_wh[::-1] + (() if self._grey else (3,)):
            raise ValueError(f"it is the model of frames of shape {model.shape}")
        self._model = model

    def _settings(self) -> Any:
        from datatools.kernels.vibe import Settings

        return Settings(stuck_frames=self._stuck_frames)

    def _mask(self, bgr: "Picture") -> "Picture":
        import cv2
        import numpy as np

        from datatools.kernels import background, blobs

        seen = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8) if self._grey else bgr
        if self._model is None:
            self._model = background.model(self._engine, seen, self._rng, self._settings())
        mask = blobs.cleaned(self._model.apply(seen), self._wanted.open_px, self._wanted.close_px)
        if self._inside is not None:
            mask[~self._inside] = 0
        return mask

    def _blobs(self, mask: "Picture") -> Any:
        from datatools.kernels import blobs

        return blobs.find(mask, self._wanted.min_area) if self._wanted.boxes or self._wanted.overlay else None

    def _videos(self, bgr: "Picture", mask: "Picture", blobs: Any) -> "dict[str, Picture]":
        import cv2
        import numpy as np

        videos: dict[str, Picture] = {}
        if self._wanted.mask_video:
            videos[f"mask_video/{self._item}.mp4"] = mask
        if self._wanted.overlay:
            videos[self.overlay_name] = _marked(bgr, mask, blobs.xyxy)
        if self._wanted.side_by_side:
            shown = np.asarray(cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR), np.uint8)
            videos[self.side_by_side_name] = np.hstack([bgr, shown])
        return videos

    def _files(self, frame: Frame, mask: "Picture", blobs: Any) -> dict[str, bytes]:
        from datatools.io import images
        from datatools.io.voc import write

        files: dict[str, bytes] = {}
        if self._wanted.masks:
            files[f"masks/{self._item}/{frame.name}.png"] = images.encode(mask, ".png")
        if self._wanted.keep_every and frame.index % self._wanted.keep_every == 0:
            name = f"{self._item}_{frame.name}"
            files[f"JPEGImages/{name}.jpg"] = images.encode(frame.bgr[..., ::-1], ".jpg")
            if self._wanted.boxes == "voc":
                files[f"Annotations/{name}.xml"] = write.render(self._annotation(frame.name, blobs.xyxy.tolist()))
        return files

    def _annotation(self, name: str, xyxy: list[list[float]]) -> Annotation:
        item = f"{self._item}_{name}"
        boxes = tuple(Box(LABEL, (x0, y0, x1, y1)) for x0, y0, x1, y1 in xyxy)
        return Annotation(item, f"{printable(item)}.jpg", self._size_wh, boxes=boxes)

    def _coco(self, rows: Sequence[Any]) -> bytes:
        from datatools.io import coco

        kept = (row for row in rows if row[2] % self._wanted.keep_every == 0)
        return coco.render([self._annotation(name, boxes) for name, _, _, boxes, _ in kept], [LABEL])


def _csv(rows: Sequence[Any]) -> bytes:
    """A line for each box; corners as they are in the frame, right and bottom exclusive."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["frame", "t_s", "xmin", "ymin", "xmax", "ymax", "area"])
    for name, t_s, _, boxes, areas in rows:
        for box, area in zip(boxes, areas, strict=True):
            writer.writerow([printable(name), f"{t_s:.3f}", *(f"{side:g}" for side in box), area])
    return text.getvalue().encode()


def _marked(bgr: "Picture", mask: "Picture", xyxy: "NDArray[np.float64]") -> "Picture":
    """The frame with its foreground half red and a yellow line around each box."""
    import cv2
    import numpy as np

    half = np.arange(256) // 2
    tinted = cv2.LUT(bgr, np.stack([half, half, half + 127], axis=1).astype(np.uint8)[None])
    marked = np.asarray(cv2.copyTo(tinted, mask, bgr.copy()), np.uint8)
    for x0, y0, x1, y1 in xyxy.astype(int).tolist():
        cv2.rectangle(marked, (x0, y0), (x1 - 1, y1 - 1), _BOX_BGR, 1)
    return marked
