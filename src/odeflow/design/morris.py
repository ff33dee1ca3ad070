"""The rows of a `morris` design: trajectories on a grid of levels, or radial steps from points.

References:
    Morris (1991), Factorial sampling plans for preliminary computational experiments, Technometrics
    33. Campolongo, Saltelli, Cariboni (2011), From screening to quantitative sensitivity analysis,
    Comput. Phys. Commun. 182.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from odeflow.design.saltelli import saltelli_points
from odeflow.design.streams import inside, open_unit, stream


def morris_points(
    seed: int, groups: Sequence[Sequence[int]], levels: int, start: int, stop: int
) -> Float[np.ndarray, "row axis"]:
    """Rows start..stop of the trajectories, in the unit cube.

    A trajectory starts at random levels 0, 1/(levels - 1), ..., 1 and moves one group after
    another, in random order, by levels/(2 (levels - 1)) up or down. A trajectory does not depend on
    the others.

    Arguments:
        seed: of the trajectories.
        groups: the places of the axes of each group, which move together.
        levels: their number, even.
        start: the first row, from 0.
        stop: the row after the last one.

    Returns:
        Points, each coordinate in (0, 1): the ends are 2**-53 and 1 - 2**-53.
    """
    number, axes = len(groups), sum(len(group) for group in groups)
    rows = number + 1
    first, last = start // rows, -(-stop // rows)
    drawn = lambda what, width: open_unit(
        stream(f"morris {what} {seed}", first * width, last * width)
    ).reshape(-1, width)
    half = levels // 2
    low = np.floor(drawn("levels", axes) * half)
    upward = drawn("directions", axes) < 0.5
    turn = np.argsort(np.argsort(drawn("orders", number), axis=1), axis=1)
    of_axis = np.empty(axes, int)
    for place, group in enumerate(groups):
        of_axis[list(group)] = place
    moved = turn[:, None, of_axis] < np.arange(rows)[None, :, None]
    points = low[:, None] + half * (moved == upward[:, None])
    points = inside(points.reshape(-1, axes) / (levels - 1))
    return points[start - first * rows : stop - first * rows]


def radial_points(seed: int, axes: int, start: int, stop: int) -> Float[np.ndarray, "row axis"]:
    """Rows start..stop of points from which one axis after another steps to another value.

    Arguments:
        seed: of the points' scramble.
        axes: their number.
        start: the first row, from 0.
        stop: the row after the last one.

    Returns:
        Points, each coordinate in (0, 1).
    """
    # blocks of Saltelli's without their last rows
    groups = [[axis] for axis in range(axes)]
    first, last = start // (axes + 1), -(-stop // (axes + 1))
    points = saltelli_points(seed, groups, False, first * (axes + 2), last * (axes + 2))
    kept = points.reshape(-1, axes + 2, axes)[:, :-1].reshape(-1, axes)
    return kept[start - first * (axes + 1) : stop - first * (axes + 1)]
