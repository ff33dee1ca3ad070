"""The tolerance that an error of a saved value is measured in."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from odeflow.problem.model import Model
from odeflow.problem.solver import Tolerances

#: A relative error below this many units of rounding counts as zero.
_ROUNDING = 16

#: Observables over flat arrays: y -> values.
Observables = Callable[[np.ndarray], np.ndarray]


class ComponentTolerances:
    """Tolerances of the components of a state, and of what is computed from it.

    `atol` has one number per component. `rtol` is the solver's, but no less than what a number of
    `dtype` resolves.
    """

    atol: Float[np.ndarray, " component"]
    rtol: float

    def __init__(self, tolerances: Tolerances, model: Model, dtype: np.dtype):
        by_state = tolerances.atol
        self.atol = np.array([by_state[component.state] for component in model.components])
        self.rtol = max(tolerances.rtol, _ROUNDING * float(np.finfo(dtype).eps))

    def of_state(
        self, y: Float[np.ndarray, "*time component"]
    ) -> Float[np.ndarray, "*time component"]:
        """The absolute plus rtol |y|."""
        return self.atol + self.rtol * np.abs(y)

    def of_observables(
        self, observables: Observables, y: Float[np.ndarray, " component"]
    ) -> tuple[Float[np.ndarray, " observable"], Float[np.ndarray, " observable"]]:
        """What the tolerances of the states amount to in each observable, at one state; and what
        of that their absolute tolerances do alone.

        The smallest atol + rtol |value|, plus the largest change of the value where every
        component moves by its tolerance, up or down in four patterns of signs.
        """
        value = observables(y)
        number = np.arange(len(y))
        parity = np.stack([np.zeros_like(number), number, number // 2, number + number // 2]) % 2

        def change(step: np.ndarray) -> np.ndarray:
            moved = [np.abs(observables(y + sign * step) - value) for sign in 1.0 - 2.0 * parity]
            return np.max(np.where(np.isfinite(moved), moved, 0.0), axis=0)

        least = float(self.atol.min())
        return (
            least + self.rtol * np.abs(value) + change(self.of_state(y)),
            change(self.atol),
        )
