"""Elementary functions of lanes, without branches or tables.

Accurate in float64 to 1 unit in the last place (exp, log, log1p, sin, cos, atan, cbrt), to 2 (exp2,
expm1, cosh, power) or 3 (tan, sinh, tanh), with the values of IEEE 754 at zeros, infinities and
NaN. Only `contract` is allowed as a fast-math flag: reordering would undo the argument reductions.
`rough_log` and `rough_exp` are for the step-size control, which needs no more.

References: fdlibm (Sun Microsystems, 1993, https://netlib.org/fdlibm/) for log, log1p, sin, cos
and tan; Cody and Waite, Software Manual for the Elementary Functions (1980), for the reductions;
Shibata and Petrogalli, SLEEF, IEEE Trans. Parallel Distrib. Syst. 31, 1316-1327 (2020), for the
polynomial of exp; Dekker, Numer. Math. 18, 224-242 (1971), for numbers in two parts.
"""

import math
from typing import Any

import numpy as np

from odeflow.engines.native.targets.primitives import (
    bits,
    floor,
    fma,
    from_bits,
    in_double,
    in_lanes,
    select,
)

_inlined = in_double(("contract",))
#: For sums and differences whose rounding errors are wanted.
_exact = in_double(())

_INF, _NAN = np.inf, np.nan
_ONE = np.uint64(1)
_SIGN_BIT = np.uint64(1 << 63)
_MANTISSA = np.uint64(52)
_MANTISSA_BITS = np.uint64((1 << 52) - 1)
_BIAS = np.uint64(1023)
_OFFSET = np.uint64(2048)
_HALF_OFFSET = np.uint64(1024)
#: Added to a number below 2**51, it leaves the nearest integer in the last bits.
_ROUND = 1.5 * 2.0**52
_ROUND_BITS = np.float64(_ROUND).view(np.uint64)
_LOG2E = 1.4426950408889634
#: log(2) in two parts: products of the first with an integer below 2**20 are exact.
_LN2_HI = 6.93147180369123816490e-01
_LN2_LO = 1.90821492927058770002e-10


@_inlined
def _scaled(x, k_bits):
    """The number x 2**k, k given as `bits(k + _ROUND)`, abs(k) < 2048; may under- or overflow."""
    k = k_bits - _ROUND_BITS + _OFFSET
    half = k >> _ONE
    rest = k - half
    return (
        x
        * from_bits((half - _HALF_OFFSET + _BIAS) << _MANTISSA)
        * from_bits((rest - _HALF_OFFSET + _BIAS) << _MANTISSA)
    )


@_inlined
def _exp_tail(r):
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


@_inlined
def _reduced(x):
    """`(k_bits, r, p)` with exp(x) = 2**k (1 + r + p), abs(r) < 0.347; x within exp's range."""
    shifted = x * _LOG2E + _ROUND
    k = shifted - _ROUND
    r = (x - k * _LN2_HI) - k * _LN2_LO
    return bits(shifted), r, _exp_tail(r) * (r * r)


@_inlined
def exp(x):
    """Exponential function."""
    k, r, p = _reduced(select(x > 710.0, 710.0, select(x < -746.0, -746.0, x)))
    return _scaled((p + r) + 1.0, k)


@_inlined
def exp2(x):
    """Power of 2."""
    clipped = select(x > 1025.0, 1025.0, select(x < -1076.0, -1076.0, x))
    shifted = clipped + _ROUND
    r = (clipped - (shifted - _ROUND)) * math.log(2.0)
    return _scaled((_exp_tail(r) * (r * r) + r) + 1.0, bits(shifted))


@_inlined
def expm1(x):
    """The function exp(x) - 1, accurate around 0."""
    k, r, p = _reduced(select(x > 710.0, 710.0, select(x < -40.0, -40.0, x)))
    scale = _scaled(1.0, k)
    value = scale * (p + r) + (scale - 1.0)
    # the scale overflows before the function does
    value = select(x > 709.0, _scaled((p + r) + 1.0, k), value)
    return select(x == 0.0, x, value)


@_inlined
def tanh(x):
    """Hyperbolic tangent."""
    size = abs(x)
    e = expm1(2.0 * select(size > 20.0, 20.0, size))
    value = e / (e + 2.0)
    return from_bits(bits(value) | (bits(x) & _SIGN_BIT))


@_inlined
def _half_exp(x):
    """The number exp(x) / 2 for x >= 0, infinite only where sinh(x) is."""
    k, r, p = _reduced(select(x > 711.0, 711.0, x))
    return _scaled((p + r) + 1.0, k - _ONE)


@_inlined
def sinh(x):
    """Hyperbolic sine."""
    size = abs(x)
    e = expm1(select(size > 20.0, 20.0, size))
    value = select(size > 20.0, _half_exp(size), 0.5 * (e + e / (e + 1.0)))
    return from_bits(bits(value) | (bits(x) & _SIGN_BIT))


@_inlined
def cosh(x):
    """Hyperbolic cosine."""
    half = _half_exp(abs(x))
    return half + 0.25 / half


_SMALLEST_NORMAL = 2.2250738585072014e-308
_SQRT_HALF_BITS = np.uint64(0x3FE6A09E667F3BCD)
_MANTISSA_BITS = np.uint64(0x000FFFFFFFFFFFFF)
_TWO52_BITS = np.uint64(0x4330000000000000)
#: 2**52 + 2048, which with the line below leaves the exponent k of a number as a float64.
_TWO52_2048 = 2.0**52 + 2048.0


@_inlined
def _split(x):
    """`(k, m)` with x = 2**k m and m in [sqrt(1/2), sqrt(2)), for positive normal x."""
    word = bits(x) - _SQRT_HALF_BITS + (_OFFSET << _MANTISSA)
    k = from_bits((word >> _MANTISSA) | _TWO52_BITS) - _TWO52_2048
    m = from_bits((word & _MANTISSA_BITS) + _SQRT_HALF_BITS)
    return k, m


@_inlined
def _log_tail(s2):
    """The function log(1+f) / s - 2 for s = f / (2 + f), given s**2."""
    s4 = s2 * s2
    even = s4 * (0.3999999999940941908 + s4 * (0.2222219843214978396 + s4 * 0.1531383769920937332))
    odd = s2 * (
        0.6666666666666735130
        + s4 * (0.2857142874366239149 + s4 * (0.1818357216161805012 + s4 * 0.1479819860511658591))
    )
    return odd + even


@_inlined
def _log_parts(x):
    """`(k, f)` with x = 2**k (1 + f) for positive x, subnormal ones included."""
    subnormal = x < _SMALLEST_NORMAL
    k, m = _split(select(subnormal, x * 2.0**54, x))
    return k - select(subnormal, 54.0, 0.0), m - 1.0


@_inlined
def _log_ends(x, value):
    """The value at x > 0, and what a logarithm is elsewhere."""
    value = select(x < _INF, value, x)
    value = select(x == 0.0, -_INF, value)
    return select(x < 0.0, _NAN, value)


@_inlined
def log(x):
    """Natural logarithm; -inf at 0 and NaN below."""
    k, f = _log_parts(x)
    s = f / (2.0 + f)
    half = 0.5 * f * f
    tail = s * (half + _log_tail(s * s))
    return _log_ends(x, k * _LN2_HI - ((half - (tail + k * _LN2_LO)) - f))


@_inlined
def rough_log(x):
    """Natural logarithm to 1e-10, of x moved into [1e-300, 1e300] (zero and infinity too)."""
    k, m = _split(select(x > 1e-300, select(x < 1e300, x, 1e300), 1e-300))
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    tail = 2 / 3 + z * (2 / 5 + z * (2 / 7 + z * (2 / 9 + z * (2 / 11))))
    return k * math.log(2.0) + (2.0 * s + s * (z * tail))


@_inlined
def rough_exp(x):
    """Exponential function to 1e-10, of x moved into [-700, 700]."""
    x = select(x > -700.0, select(x < 700.0, x, 700.0), -700.0)
    shifted = x * _LOG2E + _ROUND
    r = x - (shifted - _ROUND) * math.log(2.0)
    value: Any = 1 / math.factorial(9)
    for n in range(8, -1, -1):
        value = value * r + 1 / math.factorial(n)
    return from_bits(bits(value) + (bits(shifted) << _MANTISSA))


@_inlined
def log1p(x):
    """The function log(1 + x), accurate around 0."""
    u = 1.0 + x
    k, f = _log_parts(u)
    # what rounding took from u, relative to it
    lost = select(u < 2.0**53, (x - (u - 1.0)) / u, 0.0)
    s = f / (2.0 + f)
    half = 0.5 * f * f
    tail = s * (half + _log_tail(s * s))
    value = k * _LN2_HI - ((half - (tail + (k * _LN2_LO + lost))) - f)
    value = select(abs(x) < 2.0**-53, x, value)
    return _log_ends(u, value)


#: pi/2 in three parts, each the nearest number to what the ones before leave.
_HALF_PI = 1.5707963267948966
_HALF_PI_2 = 6.123233995736766e-17
_HALF_PI_3 = -1.4973849048591833e-33


@_exact
def _quarter_turns(x):
    """`(n_bits, r, low)`: x = n pi/2 + r + low with abs(r) < pi/4, for abs(x) < 2**47."""
    shifted = x * 0.6366197723675814 + _ROUND
    n = shifted - _ROUND
    first = fma(-n, _HALF_PI, x)
    w = n * _HALF_PI_2
    w_low = fma(n, _HALF_PI_2, -w)
    r = first - w
    low = ((first - r) - w) - w_low - n * _HALF_PI_3
    return bits(shifted), r, low


@_inlined
def _sin_kernel(r, low):
    """Sine of r + low for abs(r) < pi/4."""
    z = r * r
    v = z * r
    p = 8.33333333332248946124e-03 + z * (
        -1.98412698298579493134e-04
        + z
        * (
            2.75573137070700676789e-06
            + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)
        )
    )
    return r - ((z * (0.5 * low - v * p) - low) - v * -1.66666666666666324348e-01)


@_inlined
def _cos_kernel(r, low):
    """Cosine of r + low for abs(r) < pi/4."""
    z = r * r
    p = z * (
        4.16666666666666019037e-02
        + z
        * (
            -1.38888888888741095749e-03
            + z
            * (
                2.48015872894767294178e-05
                + z
                * (
                    -2.75573143513906633035e-07
                    + z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)
                )
            )
        )
    )
    half = 0.5 * z
    w = 1.0 - half
    return w + (((1.0 - w) - half) + (z * p - r * low))


@_inlined
def _turned(n, r, low):
    """Sine of n pi/2 + r + low; n as the last bits of a word."""
    odd = (n & _ONE) == _ONE
    value = select(odd, _cos_kernel(r, low), _sin_kernel(r, low))
    return from_bits(bits(value) ^ ((n >> _ONE) << np.uint64(63)))


def _far(name, x, near):
    """A function of C's library where x is too large to be reduced, else the value given."""
    return x.writer.library_where(abs(x) >= 2.0**47, name, x, near)


@_inlined
def sin(x):
    """Sine; that of C's library from 2**47 on, where pi/2 in three parts is not enough."""
    n, r, low = _quarter_turns(x)
    return _far("sin", x, select(x == 0.0, x, _turned(n, r, low)))


@_inlined
def cos(x):
    """Cosine; that of C's library as `sin`."""
    n, r, low = _quarter_turns(x)
    return _far("cos", x, _turned(n + _ONE, r, low))


@_inlined
def tan(x):
    """Tangent; that of C's library as `sin`."""
    n, r, low = _quarter_turns(x)
    odd = (n & _ONE) == _ONE
    sine, cosine = _sin_kernel(r, low), _cos_kernel(r, low)
    value = select(odd, -cosine, sine) / select(odd, sine, cosine)
    return _far("tan", x, select(x == 0.0, x, value))


#: 2/3 in two parts.
_TWO_THIRDS, _TWO_THIRDS_LOW = 2.0 / 3.0, 3.700743415417188e-17


@_inlined
def _atanh_tail(z):
    """The function (2 atanh(s) / s - 2) / s**2 - 2/3 for z = s**2 < 0.03, by its Taylor series."""
    z2 = z * z
    z4 = z2 * z2
    a = 2 / 5 + z * (2 / 7) + z2 * (2 / 9 + z * (2 / 11))
    b = 2 / 13 + z * (2 / 15) + z2 * (2 / 17 + z * (2 / 19))
    return z * (a + z4 * (b + z4 * (2 / 21 + z * (2 / 23))))


@_exact
def _log_two_parts(x):
    """Logarithm of a positive finite number as a sum of two parts, to some 64 bits."""
    k, f = _log_parts(x)
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
    large = k * _LN2_HI
    first = large + 2.0 * s
    high = first + w
    low = ((large - first) + 2.0 * s) + ((first - high) + w)
    low = low + (2.0 * s_low + (w_low + k * _LN2_LO))
    total = high + low
    return total, low - (total - high)


@_inlined
def _positive_power(x, y):
    """The number x**y for positive finite x."""
    high, low = _log_two_parts(x)
    product = y * high
    clipped = select(product > 710.0, 710.0, select(product < -746.0, -746.0, product))
    lost = select(clipped == product, fma(y, high, -product) + y * low, 0.0)
    k, r, _ = _reduced(clipped)
    r = r + lost
    return _scaled((_exp_tail(r) * (r * r) + r) + 1.0, k)


@_inlined
def power(x, y):
    """The number x**y, as C's `pow`."""
    x = in_lanes(x, y)
    size = abs(x)
    regular = (size > 0.0) & (size < _INF)
    value = _positive_power(select(regular, size, 1.0), y)
    grows = (size > 1.0) == (y > 0.0)
    value = select(regular, value, select(grows, _INF, 0.0))
    value = select((y == y) & (x == x), value, _NAN)
    value = select((size == 1.0) & (abs(y) == _INF), 1.0, value)
    whole = floor(y) == y
    odd = whole & (floor(0.5 * y) != 0.5 * y)
    negative = (bits(x) & _SIGN_BIT) != np.uint64(0)
    value = select((x < 0.0) & (size < _INF) & ~whole, _NAN, value)
    value = select(negative & odd, -value, value)
    return select((y == 0.0) | (x == 1.0), 1.0, value)


@_inlined
def cbrt(x):
    """Cube root."""
    size = abs(x)
    regular = (size > 0.0) & (size < _INF)
    safe = select(regular, size, 1.0)
    root = exp(log(safe) * (1.0 / 3.0))
    root = root - (root - safe / (root * root)) * (1.0 / 3.0)
    return select(regular, select(x < 0.0, -root, root), x)


@_inlined
def atan(x):
    """Arc tangent. Reference: Moshier, Cephes Mathematical Library (1984), atan.c."""
    size = abs(x)
    steep, middle = size > 2.414213562373095, size > 0.66
    top = select(steep, -1.0, select(middle, size - 1.0, size))
    base = select(steep, size, select(middle, size + 1.0, 1.0))
    start = select(steep, 1.5707963267948966, select(middle, 0.7853981633974483, 0.0))
    lost = select(steep, 6.123233995736766e-17, select(middle, 3.061616997868383e-17, 0.0))
    z = top / base
    w = z * z
    p = -8.750608600031904122785e-1 * w - 1.615753718733365076637e1
    p = (p * w - 7.500855792314704667340e1) * w - 1.228866684490136173410e2
    p = p * w - 6.485021904942025371773e1
    q = (w + 2.485846490142306297962e1) * w + 1.650270098316988542046e2
    q = ((q * w + 4.328810604912902668951e2) * w + 4.853903996359136964868e2) * w
    q = q + 1.945506571482613964425e2
    value = start + ((z * (w * p / q) + z) + lost)
    value = select(x == x, value, x)
    return from_bits(bits(value) | (bits(x) & _SIGN_BIT))
