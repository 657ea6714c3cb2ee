"""The command groups and what they are for. A group's operations live in datatools.ops.<group>."""

GROUPS: dict[str, str] = {
    "voc": "Pascal VOC sets: lint, fix, count, split, convert, look at, filter, merge",
    "anchors": "anchor boxes of detectors: cluster, sweep, check",
    "haze": "haze in pictures: remove",
    "audio": "recordings: find speech, slice, features, look at, convert, augment",
}
