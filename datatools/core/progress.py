"""How far an item is that takes long: told by whoever works on it, heard by whoever shows it."""

from collections.abc import Callable

_listeners: list[Callable[[float], object]] = []


def tell(share: float) -> None:
    """Say that this share of the item is done, 0 to 1."""
    for listener in _listeners:
        listener(share)


def listen(listener: Callable[[float], object]) -> None:
    """Be called with every share that is told in this process from now on."""
    _listeners.append(listener)
