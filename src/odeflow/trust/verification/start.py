"""Initial values that the study's functions compute, by NumPy from the parameters."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from odeflow.config.model import ModelConfig
from odeflow.importers.initial import initial_functions, part_of
from odeflow.importers.loading import given_to
from odeflow.problem.model import Model
from odeflow.trust.verification.inputs import GivenInputs
from odeflow.trust.verification.numpy_functions import with_numpy


class InitialValues:
    """The initial values that are no numbers of the config; by JAX where NumPy cannot."""

    def __init__(self, config: ModelConfig, model: Model, study: Path, inputs: GivenInputs):
        self._start, self._parameters = model.start, list(model.declared.parameters)
        self._t0, self._config = model.declared.t0, config
        value = lambda name, t, category: inputs.value(name, float(t), category)
        chosen = lambda arrays, category: arrays[int(float(category))]
        self._given = given_to(config, study).taking(lambda array: array, chosen, value, np.reshape)
        self._functions = {
            name: (function, _by_numpy(function))
            for name, function in initial_functions(config, study).items()
        }

    def __call__(self, args: Float[np.ndarray, " parameter"]) -> dict[str, np.ndarray]:
        """The values by state, in its shape."""
        found = {}
        for name, (_, function) in self._functions.items():
            try:
                with np.errstate(all="ignore"):
                    values = np.asarray(function(self._given(self._t0, args)))
                    found[name] = np.asarray(part_of(self._config, name)(values), float)
            except Exception:
                axes = dict(zip(self._parameters, np.reshape(args, (-1, 1))))
                found[name] = self._start(axes)[name][..., 0]
        return found


def _by_numpy(function: Callable[..., Any]) -> Callable[..., Any]:
    try:
        return with_numpy(function)
    except TypeError:  # no Python function
        return function
