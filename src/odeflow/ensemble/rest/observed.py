"""What is kept of a steady state: states and observables."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from odeflow.ensemble.rest.newton import padded
from odeflow.ensemble.rest.steady_states import Steady
from odeflow.problem.model import Model


class Observed:
    """States and observables at rest.

    Arguments:
        model: the model, which may have derivatives.
        t: a late time.
        names: of what is wanted.
    """

    def __init__(self, model: Model, t: float, names: Sequence[str]):
        observe = model.observer(names)

        def one(lane: Any) -> Mapping[str, Any]:
            y, args = lane
            return observe(t, model.unflatten(list(y)), model.Args(*args))

        self._observe = jax.jit(lambda lanes: jax.lax.map(one, lanes))

    def __call__(self, steady: Steady) -> dict[str, np.ndarray]:
        """The values of steady states, which have derivatives where the model has some.

        Arguments:
            steady: the states.

        Returns:
            By name, one number per lane.
        """
        size = steady.y.shape[1]
        index = padded(size)
        found = self._observe((steady.y.T[index], steady.args.T[index]))
        return {name: np.asarray(x)[:size] for name, x in found.items()}
