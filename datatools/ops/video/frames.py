"""`datatools video frames`: pictures out of videos."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from datatools.core.errors import UsageError
from datatools.core.op import Param, op
from datatools.core.values import Clip, Film, Frame, Shot, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@op("video.frames", version=1)
def frames(
    clip: Clip,
    *,
    every: Annotated[int | None, Param("take every Nth frame", metavar="N", ge=1)] = None,
    fps: Annotated[
        float | None, Param("take so many frames a second, by their times", metavar="F", gt=0, le=1000)
    ] = None,
    scene: Annotated[bool, Param("take the first frame of each scene")] = False,
    min_change: Annotated[
        float, Param("leave out frames that differ less from the last one taken, levels of 255", ge=0, le=255)
    ] = 0.0,
) -> Film:
    """Take pictures out of videos, with their times and how sharp they are.

    All frames are taken unless one of --every, --fps and --scene says which. Nothing is skipped by seeking, which lands
    on other frames than counting does: a video is read once, from its first frame to its last.

    Raises UsageError where more than one of them is given.
    """
    if (every is not None) + (fps is not None) + scene > 1:
        raise UsageError("--every, --fps and --scene exclude each other")
    return Film(clip, Choice(clip.id, every or 1, fps or 0.0, scene, min_change))


class Choice:
    """Chooses frames and writes them. item: the clip's id, the folder of the pictures."""

    def __init__(self, item: str, every: int, fps: float, scene: bool, min_change: float) -> None:
        from datatools.kernels.footage import Cuts

        self._item = item
        self._every = every
        self._fps = fps
        self._cuts = Cuts() if scene else None
        self._min_change = min_change
        self._due = 0
        self._last: NDArray[np.uint8] | None = None  # the thumbnail of the last frame taken

    def wants(self, index: int, t_s: float) -> bool:
        """Whether the frame's turn has come; of scenes, every frame must be seen."""
        # a frame that is a millisecond early is not left for the next one
        return index % self._every == 0 if not self._fps else (t_s + 1e-3) * self._fps >= self._due

    def take(self, frame: Frame) -> Shot:
        """Write the frame, if it is not like the last one."""
        from datatools.io import images
        from datatools.kernels import footage

        if self._fps:
            self._due = int((frame.t_s + 1e-3) * self._fps) + 1
        thumb = footage.thumbnail(frame.bgr)
        if self._cuts is not None and not self._cuts.starts_scene(thumb):
            return Shot()
        change = None if self._last is None else footage.change(self._last, thumb)
        if change is not None and change < self._min_change:
            return Shot()
        self._last = thumb
        name = f"{frame.name}_{clock(frame.t_s)}.jpg"
        row = [name, frame.index, frame.t_s, footage.sharpness(frame.bgr), change]
        return Shot(files={f"{self._item}/{name}": images.encode(frame.bgr[..., ::-1], ".jpg")}, row=row)

    def end(self, rows: Sequence[Any]) -> Mapping[str, bytes]:
        """The list of the pictures."""
        import csv
        import io

        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["file", "frame", "t_s", "sharpness", "change"])
        for name, index, t_s, sharp, change in rows:
            shown = "" if change is None else f"{change:.3f}"
            writer.writerow([printable(name), index, f"{t_s:.3f}", f"{sharp:.2f}", shown])
        return {f"{self._item}.csv": text.getvalue().encode()}

    def state(self) -> "Mapping[str, NDArray[Any]]":
        """What was chosen last, and where the scene stands."""
        import numpy as np

        none = np.empty(0, np.uint8)
        cuts = self._cuts.state() if self._cuts is not None else {}
        return {"due": np.array(self._due), "last": none if self._last is None else self._last, **cuts}

    def restore(self, state: "Mapping[str, NDArray[Any]]") -> None:
        """Go on from a state."""
        self._due = int(state["due"])
        self._last = state["last"] if state["last"].size else None
        if self._cuts is not None:
            self._cuts.restore(state)


def clock(t_s: float) -> str:
    """A time in a file's name.

    >>> clock(3723.25)
    '01-02-03.250'
    """
    thousandths = round(t_s * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}-{minutes % 60:02d}-{rest // 1000:02d}.{rest % 1000:03d}"
