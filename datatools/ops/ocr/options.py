"""Options that several operations on text sets have."""

from typing import Annotated, Literal

from datatools.core.op import Param

FormatOption = Annotated[
    Literal["auto", "paddleocr", "ppocrlabel", "icdar", "cocotext"],
    Param("format of SRC; auto finds it by the files that are there"),
]

Encoding = Annotated[Literal["jpg", "png"], Param("pictures are written as JPEG of quality 95, or as PNG without loss")]
