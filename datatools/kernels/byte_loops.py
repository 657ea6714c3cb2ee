"""What compiled loops over bytes are made of, so that they become SIMD.

numba widens bytes to 64 bits in every expression, which leaves a few of them in a register where 32 fit. These keep to
8 bits, so that LLVM's vectorizer can fill whole registers.
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


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function into those that call it."""
    made: Callable[P, R] = numba.njit(inline="always", nogil=True, boundscheck=False, error_model="numpy")(function)
    return made


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
