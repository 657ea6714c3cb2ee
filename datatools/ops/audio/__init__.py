"""Operations on recordings: each is the function of the module that has its name."""

OPERATIONS = ("slice", "vad", "score", "features", "info", "plot", "convert", "augment")
