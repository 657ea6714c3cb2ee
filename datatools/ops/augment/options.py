"""Options that several augmentations have."""

from typing import Annotated, Literal

from datatools.core.op import Param

MinVisible = Annotated[float, Param("boxes are dropped of which less than this share is seen", ge=0, le=1)]
AllowLeak = Annotated[bool, Param("take from val and test, too; what is learned then cannot be judged by them")]
Strength = Annotated[float, Param("factor of all moves", ge=0, le=5)]
Segments = Annotated[int, Param("parts into which control points divide the picture", ge=2, le=20)]
Pad = Annotated[Literal["auto", "none"], Param("auto: a larger picture where something would be moved out of it")]
Fill = Annotated[Literal["black", "grey", "mean", "noise"], Param("what hides: mean is that of the picture")]
