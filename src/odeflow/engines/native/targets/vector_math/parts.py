"""The parts of a float64, its sign, exponent and mantissa; and what all functions share."""

import numpy as np

from odeflow.engines.native.targets.primitives import (
    from_bits,
    in_double,
)

inlined = in_double(("contract",))
#: For sums and differences whose rounding errors are wanted.
exact = in_double(())
INF, NAN = np.inf, np.nan
ONE = np.uint64(1)
SIGN_BIT = np.uint64(1 << 63)
MANTISSA = np.uint64(52)
MANTISSA_BITS = np.uint64((1 << 52) - 1)
#: Added to a number below 2**51, it leaves the nearest integer in the last bits.
ROUND = 1.5 * 2.0**52
#: The same with what two exponents are stored with, for `scaled`.
ROUND_SCALES = ROUND + 2 * 1023.0
LOG2E = 1.4426950408889634
#: log(2) in two parts: products of the first with an integer below 2**20 are exact.
LN2_HI = 6.93147180369123816490e-01
LN2_LO = 1.90821492927058770002e-10


@inlined
def scaled(x, k_bits):
    """The number x 2**k, which may under- or overflow; k is given as `bits(k + ROUND_SCALES)`."""
    half = (k_bits >> ONE) << MANTISSA
    return x * from_bits(half) * from_bits((k_bits << MANTISSA) - half)
