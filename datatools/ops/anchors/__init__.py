"""Operations on anchor boxes: each is the function of the module that has its name."""

OPERATIONS = ("kmeans", "sweep", "check")
