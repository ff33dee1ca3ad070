"""Powers of lanes, by logarithms in two parts, and the cube root."""

import numpy as np

from odeflow.engines.native.targets.primitives import (
    bits,
    floor,
    fma,
    from_bits,
    in_lanes,
    select,
)
from odeflow.engines.native.targets.vector_math.exponentials import exp_tail, reduced
from odeflow.engines.native.targets.vector_math.logarithms import SMALLEST_NORMAL, log_parts
from odeflow.engines.native.targets.vector_math.parts import (
    INF,
    LN2_HI,
    LN2_LO,
    NAN,
    SIGN_BIT,
    exact,
    inlined,
    scaled,
)

_TWO52_BITS = np.uint64(0x4330000000000000)
#: Less a third of 2**52 + the upper half of a number's bits, it leaves that of 1/cbrt of it.
_THIRD_START = (1.5 + 1 / 3) * 2.0**52 + 0x553EE92F
#: 2/3 in two parts.
_TWO_THIRDS, _TWO_THIRDS_LOW = 2.0 / 3.0, 3.700743415417188e-17


@exact
def _atanh_tail(z):
    """The function ((2 atanh(s) / s - 2) / z - 2/3) / z for z = s**2 < 0.03."""
    z2 = z * z
    a = fma(z, 0.28571428570903906, 0.4000000000000061)
    b = fma(z, 0.18181796989175641, 0.22222222375446193)
    c = fma(z, 0.132701225843893, 0.15386179892198557)
    c = fma(z2, 0.1307445110492376, c)
    return fma(z2 * z2, c, fma(z2, b, a))


@exact
def _log_two_parts(x):
    """Logarithm of a positive finite number as a sum of two parts, to some 63 bits."""
    k, f = log_parts(x)
    total = 2.0 + f
    inverse = 1.0 / total
    s = f * inverse
    s_low = fma(-s, f - (total - 2.0), fma(-s, total, f)) * inverse
    twice = s + s
    z = s * s
    z_low = fma(twice, s_low, fma(s, s, -z))
    # log(1 + f) = 2 s + s**3 (2/3 + tail): product by product in two parts
    tail = fma(z, _atanh_tail(z), _TWO_THIRDS_LOW)
    p = _TWO_THIRDS + tail
    v = z * p
    v_low = fma(z_low, p, fma(z, (_TWO_THIRDS - p) + tail, fma(z, p, -v)))
    w = s * v
    w_low = fma(s_low, v, fma(s, v_low, fma(s, v, -w)))
    large = k * LN2_HI
    first = large + twice
    high = first + w
    low = ((large - first) + twice) + ((first - high) + w)
    return high, low + fma(2.0, s_low, fma(k, LN2_LO, w_low))


@inlined
def _positive_power(x, y):
    """The number x**y for positive finite x."""
    high, low = _log_two_parts(x)
    product = y * high
    clipped = select(product > 710.0, 710.0, select(product < -746.0, -746.0, product))
    lost = select(clipped == product, fma(y, high, -product) + y * low, 0.0)
    k, r, _ = reduced(clipped)
    r = r + lost
    return scaled((exp_tail(r) * (r * r) + r) + 1.0, k)


@exact
def _cube_root(x):
    """Cube root of a positive normal number.

    A third of the exponent and mantissa, taken from a constant as if they were one number, is
    1/cbrt(x) to 3.5%; the rest are steps of Householder's and Newton's.
    """
    upper = from_bits((bits(x) >> np.uint64(32)) | _TWO52_BITS)
    y = from_bits(bits(fma(upper, -1 / 3, _THIRD_START)) << np.uint64(32))
    y2 = y * y
    e = fma(-(x * y), y2, 1.0)
    series = fma(e, fma(e, fma(e, 35 / 243, 14 / 81), 2 / 9), 1 / 3)
    y = fma(y * e, series, y)
    y = fma(y * (1 / 3), fma(-(x * y), y * y, 1.0), y)
    y2 = y * y
    root = x * y2
    return fma(fma(-root, root * root, x), y2 * (1 / 3), root)


@inlined
def cbrt(x):
    """Cube root."""
    size = abs(x)
    subnormal = size < SMALLEST_NORMAL
    root = _cube_root(select(subnormal, size * 2.0**54, size))
    root = root * select(subnormal, 2.0**-18, 1.0)
    root = select((size > 0.0) & (size < INF), root, size)
    return from_bits(bits(root) | (bits(x) & SIGN_BIT))


@inlined
def _third_power(x):
    """Cube root where it is a power: not below zero, and without the sign of zero."""
    return select((x < 0.0) & (x > -INF), NAN, abs(cbrt(x)))


@inlined
def power(x, y):
    """The number x**y, as C's `pow`; the cube root where a constant y is the number next to 1/3."""
    if isinstance(y, float) and y == 1 / 3:
        return _third_power(x)
    x = in_lanes(x, y)
    size = abs(x)
    regular = (size > 0.0) & (size < INF)
    value = _positive_power(select(regular, size, 1.0), y)
    grows = (size > 1.0) == (y > 0.0)
    value = select(regular, value, select(grows, INF, 0.0))
    value = select((y == y) & (x == x), value, NAN)
    value = select((size == 1.0) & (abs(y) == INF), 1.0, value)
    whole = floor(y) == y
    odd = whole & (floor(0.5 * y) != 0.5 * y)
    negative = (bits(x) & SIGN_BIT) != np.uint64(0)
    value = select((x < 0.0) & (size < INF) & ~whole, NAN, value)
    value = select(negative & odd, -value, value)
    return select((y == 0.0) | (x == 1.0), 1.0, value)
