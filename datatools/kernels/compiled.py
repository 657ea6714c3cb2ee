"""Functions that are compiled to machine code by numba, and byte arithmetic that becomes SIMD.

Machine code is kept beside the module, or in the user's cache folder where that cannot be written, and made anew on
every run where neither can.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

P = ParamSpec("P")
R = TypeVar("R")

_BYTE = ir.IntType(8)
_OPTIONS: dict[str, Any] = {"nogil": True, "boundscheck": False, "error_model": "numpy"}


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays when it is first called; other threads run meanwhile.

    Indices are not checked: the caller vouches for the shapes.
    """
    try:
        kept: Callable[P, R] = numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # no folder to keep the code in: a read-only install, a user without a home
        kept = numba.njit(**_OPTIONS)(function)
    return kept


def compiled_loose(function: Callable[P, R]) -> Callable[P, R]:
    """As `compiled`; floats may be summed in any order, and multiplied and added with one rounding."""
    try:
        kept: Callable[P, R] = numba.njit(cache=True, fastmath=True, **_OPTIONS)(function)
    except RuntimeError:
        kept = numba.njit(fastmath=True, **_OPTIONS)(function)
    return kept


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function into those that call it."""
    made: Callable[P, R] = numba.njit(inline="always", **_OPTIONS)(function)
    return made


# numba widens bytes to 64 bits in every expression, which leaves a few of them in a register where 32 fit; these keep
# to 8 bits, so that LLVM's vectorizer can fill whole registers


@intrinsic  # type: ignore[untyped-decorator]
def distance_u8(context: Any, a: Any, b: Any) -> Any:
    """The absolute difference of two bytes, a byte."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        subtract = _saturating(builder, "usub")
        a, b = args
        return builder.or_(builder.call(subtract, [a, b]), builder.call(subtract, [b, a]))

    return types.uint8(types.uint8, types.uint8), generate


@intrinsic  # type: ignore[untyped-decorator]
def add_u8(context: Any, a: Any, b: Any) -> Any:
    """The sum of two bytes, a byte; 255 where it would be more."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.call(_saturating(builder, "uadd"), args)

    return types.uint8(types.uint8, types.uint8), generate


@intrinsic  # type: ignore[untyped-decorator]
def or_u8(context: Any, a: Any, b: Any) -> Any:
    """The bitwise or of two bytes, a byte."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.or_(*args)

    return types.uint8(types.uint8, types.uint8), generate


@intrinsic  # type: ignore[untyped-decorator]
def at_most_u8(context: Any, a: Any, b: Any) -> Any:
    """1 where the first byte is at most the second, else 0; a byte."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.zext(builder.icmp_unsigned("<=", *args), _BYTE)

    return types.uint8(types.uint8, types.uint8), generate


@intrinsic  # type: ignore[untyped-decorator]
def below_u8(context: Any, a: Any, b: Any) -> Any:
    """255 where the first byte is below the second, else 0; a byte."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.sext(builder.icmp_unsigned("<", *args), _BYTE)

    return types.uint8(types.uint8, types.uint8), generate


def _saturating(builder: Any, name: str) -> Any:
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(_BYTE, [_BYTE, _BYTE]), f"llvm.{name}.sat.i8")
