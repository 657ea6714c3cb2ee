"""The command groups and what they are for. A group's operations live in datatools.ops.<group>."""

GROUPS: dict[str, str] = {
    "voc": "Pascal VOC sets: lint, fix, count, split, convert, look at, filter, merge",
    "anchors": "anchor boxes of detectors: cluster, sweep, check",
    "haze": "haze in pictures: remove",
    "zoo": "networks that classify pictures: list, summary, train, judge sets with them, compress",
}

SUBGROUPS: dict[str, str] = {
    "zoo.compress": "make a network smaller: quantize, prune, pact",
}
"""Groups inside of groups; their operations live in datatools.ops.<group>.<subgroup>."""
