"""The command groups and what they are for. A group's operations live in datatools.ops.<group>."""

GROUPS: dict[str, str] = {
    "voc": "Pascal VOC sets: lint, fix, count, split, convert, look at, filter, merge",
    "anchors": "anchor boxes of detectors: cluster, sweep, check",
    "augment": "new items of labelled sets: paste, bend, hide, mix, degrade; labels move with the pixels",
    "haze": "haze in pictures and videos: remove, add, score",
    "video": "videos: what moves in them, their frames, scores of masks",
    "audio": "recordings: find speech, slice, features, look at, convert, augment",
    "ocr": "text sets of PaddleOCR and others: lint, split, crop, count, convert, look at",
    "zoo": "networks that classify pictures: list, summary, train, judge sets with them, compress",
}

INNER: dict[str, str] = {
    "augment.tia": "text image augmentation: lines are bent, stretched and tilted",
    "zoo.compress": "make a network smaller: quantize, prune, pact",
}
"""Groups inside of groups, in the same words."""
