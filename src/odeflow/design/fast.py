"""The curves of a `fast` design: along the curve of an axis that one moves fast, the others slowly.

References:
    Saltelli, Tarantola, Chan (1999), A quantitative model-independent method for global sensitivity
    analysis of model output, Technometrics 41.
"""

import numpy as np
from jaxtyping import Float

from odeflow.design.streams import inside, open_unit, stream

#: Multiples of a frequency that count as its own.
HARMONICS = 4
#: With fewer points the frequencies of axes cannot be told apart.
FEWEST_POINTS = 4 * HARMONICS**2 + 1


def fastest(number: int) -> int:
    """The frequency of the axis that a curve of so many points is of."""
    return (number - 1) // (2 * HARMONICS)


def fast_points(
    seed: int, axes: int, number: int, start: int, stop: int
) -> Float[np.ndarray, "row axis"]:
    """Rows start..stop of the curves of all axes, `number` points each, in the unit cube.

    Frequencies as SALib chooses them; each curve has a phase of its own.

    Arguments:
        seed: of the phases.
        axes: their number.
        number: points of a curve.
        start: the first row, from 0.
        stop: the row after the last one.

    Returns:
        Points, each coordinate in (0, 1).
    """
    slowest = fastest(number) // (2 * HARMONICS)
    if slowest >= axes - 1:
        slow = np.floor(np.linspace(1, slowest, axes - 1))
    else:
        slow = np.arange(axes - 1) % slowest + 1
    rows = np.arange(start, stop)
    curve, place = np.divmod(rows, number)
    frequency = np.empty((len(rows), axes))
    for one in np.unique(curve):
        frequency[curve == one] = np.insert(slow, one, fastest(number))
    phase = 2 * np.pi * open_unit(stream(f"phases {seed}", 0, axes))[curve]
    angle = frequency * (2 * np.pi / number * place)[:, None] + phase[:, None]
    return inside(0.5 + np.arcsin(np.sin(angle)) / np.pi)
