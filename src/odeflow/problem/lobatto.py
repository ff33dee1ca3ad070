"""Gauss-Lobatto nodes: places in a step, both its ends among them, that tell a polynomial well."""

from math import comb

import numpy as np
from numpy.polynomial.legendre import Legendre


def lobatto(number: int) -> np.ndarray:
    """The nodes as fractions of a step."""
    inner = Legendre.basis(number - 1).deriv().roots()
    return np.concatenate([[0.0], 0.5 + 0.5 * np.sort(inner.real), [1.0]])


def bernstein(nodes: np.ndarray) -> np.ndarray:
    """The matrix that makes coefficients in Bernstein's basis of the values at the nodes."""
    n = len(nodes) - 1
    basis = [comb(n, j) * nodes**j * (1 - nodes) ** (n - j) for j in range(n + 1)]
    matrix = np.linalg.inv(np.stack(basis, axis=1))
    matrix[0], matrix[-1] = np.eye(n + 1)[0], np.eye(n + 1)[-1]
    return matrix
