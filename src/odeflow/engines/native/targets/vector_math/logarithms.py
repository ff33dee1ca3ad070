"""Logarithms of lanes."""

import math

import numpy as np

from odeflow.engines.native.targets.primitives import (
    bits,
    from_bits,
    select,
)
from odeflow.engines.native.targets.vector_math.parts import (
    INF,
    LN2_HI,
    LN2_LO,
    MANTISSA,
    MANTISSA_BITS,
    NAN,
    inlined,
)

SMALLEST_NORMAL = 2.2250738585072014e-308
_SQRT_HALF_BITS = np.uint64(0x3FE6A09E667F3BCD)
#: Makes exponents positive.
_OFFSET = np.uint64(2048 << 52)
_TWO52_BITS = np.uint64(0x4330000000000000)
#: 2**52 + 2048, which with the line below leaves the exponent k of a number as a float64.
_TWO52_2048 = 2.0**52 + 2048.0


@inlined
def _split(x):
    """`(k, m)` with x = 2**k m and m in [sqrt(1/2), sqrt(2)), for positive normal x."""
    word = bits(x) - _SQRT_HALF_BITS + _OFFSET
    k = from_bits((word >> MANTISSA) | _TWO52_BITS) - _TWO52_2048
    m = from_bits((word & MANTISSA_BITS) + _SQRT_HALF_BITS)
    return k, m


@inlined
def _log_tail(s2):
    """The function log(1+f) / s - 2 for s = f / (2 + f), given s**2."""
    s4 = s2 * s2
    even = s4 * (0.3999999999940941908 + s4 * (0.2222219843214978396 + s4 * 0.1531383769920937332))
    odd = s2 * (
        0.6666666666666735130
        + s4 * (0.2857142874366239149 + s4 * (0.1818357216161805012 + s4 * 0.1479819860511658591))
    )
    return odd + even


@inlined
def log_parts(x):
    """`(k, f)` with x = 2**k (1 + f) for positive x, subnormal ones included."""
    subnormal = x < SMALLEST_NORMAL
    k, m = _split(select(subnormal, x * 2.0**54, x))
    return k - select(subnormal, 54.0, 0.0), m - 1.0


@inlined
def _log_ends(x, value):
    """The value at x > 0, and what a logarithm is elsewhere."""
    value = select(x < INF, value, x)
    value = select(x == 0.0, -INF, value)
    return select(x < 0.0, NAN, value)


@inlined
def log(x):
    """Natural logarithm; -inf at 0 and NaN below."""
    k, f = log_parts(x)
    s = f / (2.0 + f)
    half = 0.5 * f * f
    tail = s * (half + _log_tail(s * s))
    return _log_ends(x, k * LN2_HI - ((half - (tail + k * LN2_LO)) - f))


@inlined
def rough_log(x):
    """Natural logarithm to 1e-10, of x moved into [1e-300, 1e300] (zero and infinity too)."""
    k, m = _split(select(x > 1e-300, select(x < 1e300, x, 1e300), 1e-300))
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    tail = 2 / 3 + z * (2 / 5 + z * (2 / 7 + z * (2 / 9 + z * (2 / 11))))
    return k * math.log(2.0) + (2.0 * s + s * (z * tail))


@inlined
def log1p(x):
    """The function log(1 + x), accurate around 0."""
    u = 1.0 + x
    k, f = log_parts(u)
    # what rounding took from u, relative to it
    lost = select(u < 2.0**53, (x - (u - 1.0)) / u, 0.0)
    s = f / (2.0 + f)
    half = 0.5 * f * f
    tail = s * (half + _log_tail(s * s))
    value = k * LN2_HI - ((half - (tail + (k * LN2_LO + lost))) - f)
    value = select(abs(x) < 2.0**-53, x, value)
    return _log_ends(u, value)
