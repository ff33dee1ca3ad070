"""Single machine instructions that Python has no name for: selections, fused products, bits."""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_DOUBLE, _WORD = ir.DoubleType(), ir.IntType(64)


@intrinsic
def select(typing: Any, condition: Any, one: Any, other: Any) -> Any:
    """`one` where the condition holds, else `other`; both are evaluated."""
    result = typing.unify_types(types.unliteral(one), types.unliteral(other))
    if result is None:
        return None

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        one_, other_ = (
            context.cast(builder, value, kind, result)
            for value, kind in zip(args[1:], signature.args[1:])
        )
        return builder.select(args[0], one_, other_)

    return result(types.boolean, types.unliteral(one), types.unliteral(other)), generate


@intrinsic
def fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """The number a b + c, rounded once (float64)."""
    signature = types.float64(types.float64, types.float64, types.float64)
    return signature, lambda context, builder, signature, args: builder.fma(*args)


@intrinsic
def bits(typing: Any, x: Any) -> Any:
    """The 64 bits of a float64, as an unsigned integer."""
    signature = types.uint64(types.float64)
    return signature, lambda context, builder, signature, args: builder.bitcast(args[0], _WORD)


@intrinsic
def from_bits(typing: Any, word: Any) -> Any:
    """The float64 of 64 bits."""
    signature = types.float64(types.uint64)
    return signature, lambda context, builder, signature, args: builder.bitcast(args[0], _DOUBLE)


@intrinsic
def isfinite(typing: Any, x: Any) -> Any:
    """Whether a number is neither infinite nor NaN."""
    signature = types.boolean(x)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        # x - x is NaN for an infinity, and NaN is not ordered with anything.
        difference = builder.fsub(args[0], args[0])
        return builder.fcmp_ordered("ord", difference, difference)

    return signature, generate


@intrinsic
def maximum(typing: Any, a: Any, b: Any) -> Any:
    """The greater of two numbers; `b` where one of them is NaN."""
    result = typing.unify_types(types.unliteral(a), types.unliteral(b))
    if result is None:
        return None

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        a_, b_ = (context.cast(builder, x, t, result) for x, t in zip(args, signature.args))
        return builder.select(builder.fcmp_ordered(">", a_, b_), a_, b_)

    return result(types.unliteral(a), types.unliteral(b)), generate


def _rounding(name: str, doc: str) -> Any:
    """One of LLVM's rounding instructions for a floating-point number of either precision."""

    def rounded(typing: Any, x: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kind = context.get_value_type(signature.args[0])
            return builder.call(builder.module.declare_intrinsic(f"llvm.{name}", [kind]), args)

        kind = x if isinstance(x, types.Float) else types.float64
        return kind(kind), generate

    rounded.__name__, rounded.__doc__ = name, doc
    return intrinsic(rounded)


floor = _rounding("floor", "The greatest integer that is not greater.")
ceil = _rounding("ceil", "The least integer that is not less.")
trunc = _rounding("trunc", "The integer part, towards zero.")
rint = _rounding("rint", "The nearest integer, even ones of two.")
