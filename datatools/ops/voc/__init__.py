"""Operations on Pascal VOC detection sets: each is the function of the module that has its name."""

OPERATIONS = (
    "lint",
    "fix",
    "undo",
    "stats",
    "classes",
    "split",
    "convert",
    "preview",
    "filter",
    "rename",
    "merge",
)
