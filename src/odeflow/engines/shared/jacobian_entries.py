"""Which entries of a Jacobian both engines leave out of a linear solve."""

from typing import Any

import numpy as np


def largest_entry(dtype: Any) -> float:
    """Above this a sum of a row of the Jacobian is not used: products of two would overflow."""
    return float(np.sqrt(np.finfo(dtype).max))
