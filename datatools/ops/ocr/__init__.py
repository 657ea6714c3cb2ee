"""Operations on text recognition sets: each is the function of the module that has its name."""

OPERATIONS = ("lint", "split", "crop", "dict", "stats", "cls_set", "preview", "convert")
