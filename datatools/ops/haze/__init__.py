"""Operations on haze: each is the function of the module that has its name."""

OPERATIONS = ("remove", "add", "score")
