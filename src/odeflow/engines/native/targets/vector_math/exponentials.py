"""Exponential and hyperbolic functions of lanes."""

import math
from typing import Any

from odeflow.engines.native.targets.primitives import (
    bits,
    from_bits,
    select,
)
from odeflow.engines.native.targets.vector_math.parts import (
    LN2_HI,
    LN2_LO,
    LOG2E,
    MANTISSA,
    ONE,
    ROUND,
    ROUND_SCALES,
    SIGN_BIT,
    inlined,
    scaled,
)


@inlined
def exp_tail(r):
    """The function (exp(r) - 1 - r) / r**2 for abs(r) < 0.347."""
    r2 = r * r
    r4 = r2 * r2
    a = 2.51112930892876518610661e-08 * r + 2.75573911234900471893338e-07
    b = 2.75572362911928827629423e-06 * r + 2.4801587159235472998791e-05
    c = 0.000198412698960509205564975 * r + 0.00138888888889774492207962
    d = 0.00833333333331652721664984 * r + 0.0416666666666665047591422
    e = 0.166666666666666851703837 * r + 0.5
    high = 2.08860621107283687536341e-09 * r2 + a
    return (high * r4 + (b * r2 + c)) * r4 + (d * r2 + e)


@inlined
def reduced(x):
    """`(k_bits, r, p)` with exp(x) = 2**k (1 + r + p), abs(r) < 0.347; x within exp's range."""
    shifted = x * LOG2E + ROUND_SCALES
    k = shifted - ROUND_SCALES
    r = (x - k * LN2_HI) - k * LN2_LO
    return bits(shifted), r, exp_tail(r) * (r * r)


@inlined
def exp(x):
    """Exponential function."""
    k, r, p = reduced(select(x > 710.0, 710.0, select(x < -746.0, -746.0, x)))
    return scaled((p + r) + 1.0, k)


@inlined
def exp2(x):
    """Power of 2."""
    clipped = select(x > 1025.0, 1025.0, select(x < -1076.0, -1076.0, x))
    shifted = clipped + ROUND_SCALES
    r = (clipped - (shifted - ROUND_SCALES)) * math.log(2.0)
    return scaled((exp_tail(r) * (r * r) + r) + 1.0, bits(shifted))


@inlined
def expm1(x):
    """The function exp(x) - 1, accurate around 0."""
    k, r, p = reduced(select(x > 710.0, 710.0, select(x < -40.0, -40.0, x)))
    scale = scaled(1.0, k)
    value = scale * (p + r) + (scale - 1.0)
    # the scale overflows before the function does
    value = select(x > 709.0, scaled((p + r) + 1.0, k), value)
    return select(x == 0.0, x, value)


@inlined
def tanh(x):
    """Hyperbolic tangent."""
    size = abs(x)
    e = expm1(2.0 * select(size > 20.0, 20.0, size))
    value = e / (e + 2.0)
    return from_bits(bits(value) | (bits(x) & SIGN_BIT))


@inlined
def _half_exp(x):
    """The number exp(x) / 2 for x >= 0, infinite only where sinh(x) is."""
    k, r, p = reduced(select(x > 711.0, 711.0, x))
    return scaled((p + r) + 1.0, k - ONE)


@inlined
def sinh(x):
    """Hyperbolic sine."""
    size = abs(x)
    e = expm1(select(size > 20.0, 20.0, size))
    value = select(size > 20.0, _half_exp(size), 0.5 * (e + e / (e + 1.0)))
    return from_bits(bits(value) | (bits(x) & SIGN_BIT))


@inlined
def cosh(x):
    """Hyperbolic cosine."""
    half = _half_exp(abs(x))
    return half + 0.25 / half


@inlined
def rough_exp(x):
    """Exponential function to 1e-10, of x moved into [-700, 700]."""
    x = select(x > -700.0, select(x < 700.0, x, 700.0), -700.0)
    shifted = x * LOG2E + ROUND
    r = x - (shifted - ROUND) * math.log(2.0)
    value: Any = 1 / math.factorial(9)
    for n in range(8, -1, -1):
        value = value * r + 1 / math.factorial(n)
    return from_bits(bits(value) + (bits(shifted) << MANTISSA))
