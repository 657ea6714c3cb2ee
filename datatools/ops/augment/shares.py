"""Shares of classes in a mixed picture."""

Shares = tuple[tuple[str, float], ...]


def mixed(first: Shares, second: Shares, weight: float) -> Shares:
    """What two pictures' classes are in their mixture, the first one weighing so much; they sum to 1.

    >>> mixed((("cat", 1.0),), (("dog", 1.0),), 0.75)
    (('cat', 0.75), ('dog', 0.25))
    """
    found: dict[str, float] = {}
    for classes, part in ((first, weight), (second, 1 - weight)):
        for name, share in classes:
            found[name] = found.get(name, 0.0) + part * share
    return tuple(found.items())
