"""Powers of lanes, by logarithms in two parts, and the cube root."""

import numpy as np

from odeflow.engines.native.targets.primitives import (
    bits,
    floor,
    fma,
    in_lanes,
    select,
)
from odeflow.engines.native.targets.vector_math.exponentials import exp, exp_tail, reduced
from odeflow.engines.native.targets.vector_math.logarithms import log, log_parts
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

#: 2/3 in two parts.
_TWO_THIRDS, _TWO_THIRDS_LOW = 2.0 / 3.0, 3.700743415417188e-17


@inlined
def _atanh_tail(z):
    """The function (2 atanh(s) / s - 2) / s**2 - 2/3 for z = s**2 < 0.03, by its Taylor series."""
    z2 = z * z
    z4 = z2 * z2
    a = 2 / 5 + z * (2 / 7) + z2 * (2 / 9 + z * (2 / 11))
    b = 2 / 13 + z * (2 / 15) + z2 * (2 / 17 + z * (2 / 19))
    return z * (a + z4 * (b + z4 * (2 / 21 + z * (2 / 23))))


@exact
def _log_two_parts(x):
    """Logarithm of a positive finite number as a sum of two parts, to some 64 bits."""
    k, f = log_parts(x)
    total = 2.0 + f
    s = f / total
    s_low = (fma(-s, total, f) - s * (f - (total - 2.0))) / total
    z = s * s
    z_low = fma(s, s, -z) + 2.0 * s * s_low
    # log(1 + f) = 2 s + s**3 (2/3 + tail): product by product in two parts
    tail = _atanh_tail(z)
    p = _TWO_THIRDS + tail
    p_low = (_TWO_THIRDS - p) + tail + _TWO_THIRDS_LOW
    v = z * p
    v_low = fma(z, p, -v) + (z * p_low + z_low * p)
    w = s * v
    w_low = fma(s, v, -w) + (s * v_low + s_low * v)
    large = k * LN2_HI
    first = large + 2.0 * s
    high = first + w
    low = ((large - first) + 2.0 * s) + ((first - high) + w)
    low = low + (2.0 * s_low + (w_low + k * LN2_LO))
    total = high + low
    return total, low - (total - high)


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


@inlined
def power(x, y):
    """The number x**y, as C's `pow`."""
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


@inlined
def cbrt(x):
    """Cube root."""
    size = abs(x)
    regular = (size > 0.0) & (size < INF)
    safe = select(regular, size, 1.0)
    root = exp(log(safe) * (1.0 / 3.0))
    root = root - (root - safe / (root * root)) * (1.0 / 3.0)
    return select(regular, select(x < 0.0, -root, root), x)
