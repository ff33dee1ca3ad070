"""Whether an output varies by more than the solver's error, of which indices would tell nothing."""

import numpy as np
from jaxtyping import Bool, Float

from odeflow.config.root import Config

#: An error of one tolerance is then a hundredth of the variance.
_TOLERANCES = 10.0


class Spread:
    """Mean and standard deviation of outputs, from samples as they are read."""

    def __init__(self) -> None:
        self._number = self._mean = self._squares = np.zeros(0)

    def add(self, y: Float[np.ndarray, "sample output"]) -> None:
        """Takes more samples in, NaN excepted (Chan, Golub, LeVeque, 1983)."""
        if not self._number.size:
            self._number, self._mean, self._squares = np.zeros((3, y.shape[1]))
        known = np.isfinite(y)
        number = known.sum(axis=0)
        mean = np.where(known, y, 0.0).sum(axis=0) / np.maximum(number, 1)
        squares = (np.where(known, y - mean, 0.0) ** 2).sum(axis=0)
        total = np.maximum(self._number + number, 1)
        step = mean - self._mean
        self._squares = self._squares + squares + step**2 * self._number * number / total
        self._mean = self._mean + step * number / total
        self._number = self._number + number

    @property
    def mean(self) -> Float[np.ndarray, " output"]:
        """Over the samples that have a value; NaN where none has."""
        return np.where(self._number > 0, self._mean, np.nan)

    @property
    def deviation(self) -> Float[np.ndarray, " output"]:
        """The standard deviation; NaN where no sample has a value."""
        number = np.where(self._number > 0, self._number, np.nan)
        return np.sqrt(self._squares / number)

    def is_noise(
        self, rtol: float, atol: Float[np.ndarray, " output"]
    ) -> Bool[np.ndarray, " output"]:
        """Where the spread is below ten tolerances, `atol + rtol |mean|`."""
        return self.deviation < _TOLERANCES * (atol + rtol * np.abs(self.mean))


def absolute_tolerance(config: Config, output: str) -> float:
    """What `solver.atol` amounts to in a variable or metric.

    Of an observable it is taken to be the smallest of the states'. Times, and solutions by constant
    steps, have none.
    """
    if config.solver.stepsize_controller == "constant":
        return 0.0
    states = config.model.states
    atol = config.solver.tolerances(states).atol
    of = max((s for s in states if output == s or output.startswith(f"{s}_")), key=len, default="")
    least = min(atol.values())
    metric = output.removeprefix(of)
    if "time_of_" in metric or "first_time_" in metric:
        return 0.0
    span = config.model.t1 - config.model.t0 if metric.endswith("integral") else 1.0
    return atol.get(of, least) * span
