"""Derivatives of formulas in NumPy by a complex step, exact to rounding.

Reference: Squire and Trapp (1998), Using complex variables to estimate derivatives of real
functions, SIAM Rev. 40, 110-112.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

_STEP = 1e-30


def along(
    function: Callable[[Mapping[str, Any]], Any], known: Mapping[str, Any], name: str
) -> np.ndarray:
    """The derivative of a function of named arrays with respect to one of them.

    The function may do what NumPy does with complex numbers; where it compares or takes an
    absolute value, the derivative of the branch taken is not followed.
    """
    moved = {**known, name: np.asarray(known[name], complex) + 1j * _STEP}
    return np.imag(np.asarray(function(moved))) / _STEP
