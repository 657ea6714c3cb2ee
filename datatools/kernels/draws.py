"""Random numbers that belong to an item, whatever was done before and by whom."""

import numpy as np
import xxhash


def generator(seed: int, item_id: str, copy: int) -> np.random.Generator:
    """The generator for one copy of an item. item_id: as the operating system gives names.

    >>> generator(7, "a.jpg", 0).random() == generator(7, "a.jpg", 0).random() != generator(7, "a.jpg", 1).random()
    True
    """
    return np.random.default_rng([seed, xxhash.xxh3_64_intdigest(item_id.encode("utf-8", "surrogateescape")), copy])
