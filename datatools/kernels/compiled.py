"""Functions that are compiled to machine code by numba.

Machine code is kept beside the module, or in the user's cache folder where that cannot be written, and made anew on
every run where neither can.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")

_OPTIONS: dict[str, Any] = {"nogil": True, "boundscheck": False, "error_model": "numpy"}


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays when it is first called; other threads run meanwhile.

    Indices are not checked: the caller vouches for the shapes.
    """
    return _compiled(function, _OPTIONS)


def compiled_fastmath(function: Callable[P, R]) -> Callable[P, R]:
    """Compile as `compiled` does; floats may be summed in any order, which lets loops over them become SIMD."""
    return _compiled(function, {**_OPTIONS, "fastmath": True})


def _compiled(function: Callable[P, R], options: dict[str, Any]) -> Callable[P, R]:
    try:
        kept: Callable[P, R] = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no folder to keep the code in: a read-only install, a user without a home
        kept = numba.njit(**options)(function)
    return kept
