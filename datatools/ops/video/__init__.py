"""Operations on videos: each is the function of the module that has its name."""

OPERATIONS = ("info", "frames", "foreground", "score")
