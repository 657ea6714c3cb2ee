"""Operations on networks: each is the function of the module that has its name."""

OPERATIONS: tuple[str, ...] = ("train", "evaluate", "predict", "check")
