"""The command groups and what they are for. A group's operations live in datatools.ops.<group>."""

GROUPS: dict[str, str] = {
    "voc": "Pascal VOC sets: lint, fix, count, split, convert, look at, filter, merge",
    "anchors": "anchor boxes of detectors: cluster, sweep, check",
    "video": "videos: what moves in them, their frames, scores of masks",
    "audio": "recordings: find speech, slice, features, look at, convert, augment",
    "haze": "haze in pictures and videos: remove, add, score",
}
