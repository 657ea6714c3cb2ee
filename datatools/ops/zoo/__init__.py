"""Operations on networks: each is the function of the module that has its name."""

OPERATIONS = (
    "list",
    "summary",
    "train",
    "evaluate",
    "predict",
    "check",
    "compare",
    "compress.quantize",
    "compress.prune",
    "compress.pact",
)
