"""Trigonometric functions of lanes, and the arc tangent."""

import numpy as np

from odeflow.engines.native.targets.primitives import (
    bits,
    fma,
    from_bits,
    select,
)
from odeflow.engines.native.targets.vector_math.parts import ONE, ROUND, SIGN_BIT, exact, inlined

#: pi/2 in three parts, each the nearest number to what the ones before leave.
_HALF_PI = 1.5707963267948966
_HALF_PI_2 = 6.123233995736766e-17
_HALF_PI_3 = -1.4973849048591833e-33
#: The same of pi, and 1/pi.
_PI, _PI_2, _PI_3 = 2 * _HALF_PI, 2 * _HALF_PI_2, 2 * _HALF_PI_3
_TURNS = 0.3183098861837907
#: From here on arguments are too large to be reduced.
_FAR = 2.0**40


@exact
def _quarter_turns(x):
    """`(n_bits, r, low)`: x = n pi/2 + r + low with abs(r) < pi/4, for abs(x) < 2**40."""
    shifted = x * 0.6366197723675814 + ROUND
    n = shifted - ROUND
    first = fma(-n, _HALF_PI, x)
    w = n * _HALF_PI_2
    w_low = fma(n, _HALF_PI_2, -w)
    r = first - w
    low = ((first - r) - w) - w_low - n * _HALF_PI_3
    return bits(shifted), r, low


@inlined
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


@inlined
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


@exact
def _half_turned(size, shifted, n):
    """Sine of x for x = n pi + r, abs(r) < pi/2, and n or n + 1/2 as the last bits of `shifted`;
    with the sign of odd turns.
    """
    r = fma(-n, _PI_3, fma(-n, _PI_2, fma(-n, _PI, size)))
    z = r * r
    z2 = z * z
    a = fma(z, -0.00019841269841208844, 0.008333333333333193)
    b = fma(z, -2.5052106866630427e-08, 2.7557319211071427e-06)
    c = fma(z, -7.642983060215164e-13, 1.6058939388709893e-10)
    c = fma(z2, 2.7210844340324243e-15, c)
    p = fma(z, fma(z2 * z2, c, fma(z2, b, a)), -0.16666666666666666)
    value = fma(z * r, p, r)
    value = select(value > 1.0, 1.0, select(value < -1.0, -1.0, value))  # a rounding may be above
    return from_bits(bits(value) ^ (bits(shifted) << np.uint64(63)))


def _far(name, x, near):
    """A function of C's library where x is too large to be reduced, else the value given."""
    return x.writer.library_where(abs(x) >= _FAR, name, x, near)


@inlined
def sin(x):
    """Sine; that of C's library from 2**40 on, where pi in three parts is not enough."""
    size = abs(x)
    shifted = size * _TURNS + ROUND
    value = _half_turned(size, shifted, shifted - ROUND)
    return _far("sin", x, from_bits(bits(value) ^ (bits(x) & SIGN_BIT)))


@inlined
def cos(x):
    """Cosine; that of C's library as `sin`."""
    size = abs(x)
    shifted = (size * _TURNS + 0.5) + ROUND
    return _far("cos", x, _half_turned(size, shifted, (shifted - ROUND) - 0.5))


@inlined
def tan(x):
    """Tangent; that of C's library as `sin`."""
    n, r, low = _quarter_turns(x)
    odd = (n & ONE) == ONE
    sine, cosine = _sin_kernel(r, low), _cos_kernel(r, low)
    value = select(odd, -cosine, sine) / select(odd, sine, cosine)
    return _far("tan", x, select(x == 0.0, x, value))


@inlined
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
    return from_bits(bits(value) | (bits(x) & SIGN_BIT))
