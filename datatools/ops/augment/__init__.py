"""Operations that make new items of labelled sets: each is the function of the module that has its name."""

OPERATIONS = (
    "copy_paste",
    "tia.distort",
    "tia.stretch",
    "tia.perspective",
    "randaugment",
    "autoaugment",
    "cutout",
    "random_erasing",
    "hide_and_seek",
    "gridmask",
    "mixup",
    "cutmix",
    "mosaic",
    "bda",
    "pp_det",
    "shrink_map",
    "border_map",
    "imgaug",
    "preview",
)
"""`datatools augment copy-paste`, `augment tia distort` ...; they make nothing new of what is in val or test."""
