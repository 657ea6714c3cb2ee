"""Loops that numba compiles to machine code, kept between runs wherever there is a place to keep them."""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a function of arrays and numbers at its first call; floats may be summed in any order.

    The machine code is kept beside the source or, where that folder cannot be written, in the user's cache; where
    neither can be, it is made anew in each process. Inside, an index beyond an array's end is not noticed.
    """
    options: dict[str, Any] = {"fastmath": True, "error_model": "numpy", "nogil": True}
    try:
        made: F = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # there is no place for a cache
        made = numba.njit(**options)(function)
    return made
