"""Gauss-Lobatto nodes: places in a step, both its ends among them, that tell a polynomial well."""

import numpy as np
from numpy.polynomial.legendre import Legendre, legval


def lobatto(number: int) -> np.ndarray:
    """The nodes as fractions of a step."""
    inner = Legendre.basis(number - 1).deriv().roots()
    return np.concatenate([[0.0], 0.5 + 0.5 * np.sort(inner.real), [1.0]])


def lobatto_weights(number: int) -> np.ndarray:
    """What the value at each node counts in the mean over a step: exact to degree 2 number - 3.

    Reference: Abramowitz and Stegun, Handbook of Mathematical Functions, 25.4.32.
    """
    at_nodes = legval(2 * lobatto(number) - 1, [0.0] * (number - 1) + [1.0])
    return 1 / (number * (number - 1) * at_nodes**2)
