"""Gauss-Lobatto nodes: places in a step, both its ends among them, that tell a polynomial well."""

from collections.abc import Sequence
from math import comb

import numpy as np
from numpy.polynomial.legendre import Legendre


def lobatto(number: int) -> np.ndarray:
    """The nodes as fractions of a step."""
    inner = Legendre.basis(number - 1).deriv().roots()
    return np.concatenate([[0.0], 0.5 + 0.5 * np.sort(inner.real), [1.0]])


def bernstein_basis(degree: int, places: Sequence[float] | np.ndarray) -> np.ndarray:
    """The polynomials of Bernstein's basis at fractions of a step: places by polynomials."""
    x = np.asarray(places, float)
    basis = [comb(degree, j) * x**j * (1 - x) ** (degree - j) for j in range(degree + 1)]
    return np.stack(basis, axis=1)


def bernstein(nodes: np.ndarray) -> np.ndarray:
    """The matrix that makes coefficients in Bernstein's basis of the values at the nodes."""
    n = len(nodes) - 1
    matrix = np.linalg.inv(bernstein_basis(n, nodes))
    matrix[0], matrix[-1] = np.eye(n + 1)[0], np.eye(n + 1)[-1]
    return matrix
