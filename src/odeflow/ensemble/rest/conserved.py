"""What a vector field conserves whatever its state: linear combinations, found by its derivatives.

A row of the Jacobian that others imply says nothing of where the field is zero; the amount that is
conserved stands in its place, and the matrix is regular.

Reference: Vallabhajosyula, Chickarmane and Sauro (2006), Conservation analysis of large biochemical
networks, Bioinformatics 22, 346-353.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
import scipy.linalg
from jaxtyping import Bool, Float

#: Points at which a field is differentiated: what holds at all of them holds everywhere.
_POINTS = 4
#: Singular values below this part of the largest are zero.
_ZERO = 1e-10
#: Rounds of scaling rows and columns to the size of one; what is rounded to zero in the result.
_ROUNDS, _ROUNDED = 3, 1e-9
#: A field over arrays: (t, y, args) to dy/dt.
Field = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]


class Conserved(NamedTuple):
    """What is conserved, one row per conserved amount, in place of a row of the Jacobian.

    `rows` has zeros in the places of the components that are `kept`, those whose rates stand for
    themselves.
    """

    rows: Float[np.ndarray, "component component"]
    kept: Bool[np.ndarray, " component"]


def conserved_by(
    field: Field,
    t: float,
    size: int,
    args: Float[np.ndarray, " parameter"],
    varied: Bool[np.ndarray, " parameter"],
) -> Conserved:
    """What a field conserves for all states and for all values of some parameters.

    Arguments:
        field: the field; its derivatives are taken.
        t: the time that it is looked at.
        size: of the state.
        args: the parameters: of those that vary the sign counts, zero where a reaction is off.
        varied: the parameters that vary.

    Returns:
        The conserved amounts; a point where the field is not finite says nothing.
    """
    random = np.random.default_rng(0)
    along = jax.jit(jax.jacfwd(field, argnums=(1, 2)))
    parts = []
    for _ in range(_POINTS):
        y = random.uniform(0.5, 2.0, size)
        moved = np.where(varied, random.uniform(0.5, 2.0, len(args)) * np.sign(args), args)
        of_y, of_args = (np.asarray(x) for x in along(t, y, moved))
        part = np.concatenate([of_y, of_args[:, varied & (args != 0)]], axis=1)
        if np.isfinite(part).all():
            parts.append(part)
    rows, kept = np.zeros((size, size)), np.ones(size, bool)
    if not parts:
        return Conserved(rows, kept)
    null = _left_null(np.concatenate(parts, axis=1))
    if null.shape[1]:
        _, order = scipy.linalg.qr(null.T, mode="r", pivoting=True)  # pyright: ignore
        pivots = order[: null.shape[1]]
        amounts = np.linalg.solve(null[pivots].T, null.T)
        amounts[np.abs(amounts) < _ROUNDED] = 0.0
        rows[pivots], kept[pivots] = amounts, False
    return Conserved(rows, kept)


def _left_null(matrix: Float[np.ndarray, "row column"]) -> Float[np.ndarray, "row null"]:
    """The combinations of rows that are zero, whatever the sizes of rows and columns."""
    scale = np.ones(len(matrix))
    for _ in range(_ROUNDS):
        for axis in (0, 1):
            size = np.abs(matrix).max(axis=axis, keepdims=True)
            size[size == 0] = 1.0
            matrix = matrix / size
            if axis:
                scale /= size[:, 0]
    left, values, _ = np.linalg.svd(matrix)
    rank = int((values > _ZERO * max(values[0], _ZERO)).sum())
    null = scale[:, None] * left[:, rank:]
    return null / np.abs(null).max(axis=0, initial=1e-300)
