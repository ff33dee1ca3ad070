"""The rows of a `saltelli` design: from two points A and B, steps that move one axis at a time.

References:
    Saltelli, Annoni, Azzini, Campolongo, Ratto, Tarantola (2010), Variance based sensitivity
    analysis of model output, Comput. Phys. Commun. 181.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from odeflow.design.sobol_points import sobol_points


def saltelli_points(
    seed: int, groups: Sequence[Sequence[int]], second_order: bool, start: int, stop: int
) -> Float[np.ndarray, "row axis"]:
    """Rows start..stop of the blocks of all base points, in the unit cube.

    A block is A, A with one group after another from B, where there is a second order B with one
    group after another from A, and B. A and B are the halves of a Sobol point, so that blocks do
    not depend on how many follow.

    Arguments:
        seed: of the points' scramble.
        groups: the places of the axes of each group, which move together.
        second_order: whether rows for second order indices are among them.
        start: the first row, from 0.
        stop: the row after the last one.

    Returns:
        Points, each coordinate in (0, 1).
    """
    axes = sum(len(group) for group in groups)
    pattern = from_b(groups, second_order)
    block, row = np.divmod(np.arange(start, stop), len(pattern))
    first, last = start // len(pattern), -(-stop // len(pattern))
    both = sobol_points(seed, 2 * axes, first, last)[block - first]
    return np.where(pattern[row], both[:, axes:], both[:, :axes])


def from_b(groups: Sequence[Sequence[int]], second_order: bool) -> np.ndarray:
    """Which coordinates of a block's rows are B's, (row, axis)."""
    axes = sum(len(group) for group in groups)
    moved = np.zeros((len(groups), axes), bool)
    for place, group in enumerate(groups):
        moved[place, list(group)] = True
    a, b = np.zeros((1, axes), bool), np.ones((1, axes), bool)
    return np.concatenate([a, moved, *([~moved] if second_order else []), b])
