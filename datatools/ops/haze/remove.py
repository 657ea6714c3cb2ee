"""`datatools haze remove`: pictures without their haze."""

from typing import Annotated, Literal

from datatools.core.op import Param, op
from datatools.core.values import Image


@op("haze.remove", version=1)
def remove(
    image: Image,
    *,
    patch: Annotated[int, Param("side of the dark channel's window, px, odd", ge=1, le=99)] = 15,
    omega: Annotated[float, Param("share of the haze that is removed", ge=0, le=1)] = 0.95,
    t0: Annotated[float, Param("transmissions below this count as this", ge=0.01, le=1)] = 0.1,
    refine: Annotated[Literal["guided", "fast", "none"], Param("how the transmission finds the edges")] = "guided",
) -> Image:
    """Remove the haze of pictures by the dark channel prior (He, Sun, Tang, CVPR 2009).

    Every picture of SRC is written to OUT under its name; all other files of SRC (labels, lists) come along unchanged,
    so a labelled set stays a labelled set.
    """
    from datatools.kernels import haze

    settings = haze.Settings(patch=patch, omega=omega, t0=t0, refine=refine)
    return Image(haze.remove(image.pixels, settings))
