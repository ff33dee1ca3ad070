"""Functions whose sensitivity indices are known in closed form, on the unit cube."""

import numpy as np

#: Ishigami and Homma (1990): a and b.
A, B = 7.0, 0.1
#: Sobol's g-function: the smaller, the more a parameter matters.
G = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0])


def ishigami(u: np.ndarray) -> np.ndarray:
    """Of points (..., 3) of the unit cube, stretched to [-pi, pi]."""
    x = np.pi * (2 * u - 1)
    return np.sin(x[..., 0]) + A * np.sin(x[..., 1]) ** 2 + B * x[..., 2] ** 4 * np.sin(x[..., 0])


def ishigami_indices() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First, total and second order, the last (3, 3) with NaN on its diagonal."""
    v1 = 0.5 * (1 + B * np.pi**4 / 5) ** 2
    v2, v13 = A**2 / 8, B**2 * np.pi**8 * (1 / 18 - 1 / 50)
    variance = v1 + v2 + v13
    first = np.array([v1, v2, 0]) / variance
    second = np.full((3, 3), np.nan)
    second[0, 1] = second[1, 0] = second[1, 2] = second[2, 1] = 0
    second[0, 2] = second[2, 0] = v13 / variance
    return first, np.array([v1 + v13, v2, v13]) / variance, second


def sobol_g(u: np.ndarray) -> np.ndarray:
    """Of points (..., 6) of the unit cube."""
    return np.prod((np.abs(4 * u - 2) + G) / (1 + G), axis=-1)


def sobol_g_indices() -> tuple[np.ndarray, np.ndarray]:
    """First and total order."""
    parts = 1 / (3 * (1 + G) ** 2)
    variance = np.prod(1 + parts) - 1
    return parts / variance, parts * np.prod(1 + parts) / (1 + parts) / variance
