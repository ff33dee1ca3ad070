"""The inputs of a model at a time, by SciPy from the given numbers: nothing of the engines'."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator

from odeflow.config.model import ModelConfig
from odeflow.importers.inputs import samples


class GivenInputs:
    """The courses of `model.inputs`, as functions of time and of the number of a category."""

    def __init__(self, model: ModelConfig, study: Path):
        self._model = model
        self._samples = {name: samples(model, name, study) for name in model.inputs}
        self._courses: dict[tuple[str, int | None], Callable[[float], float]] = {}

    def value(self, name: str, t: float, category: float | None) -> float:
        """The value of one at a time, under the category of this number, if it has some."""
        number = None if category is None else int(category)
        if (name, number) not in self._courses:
            self._courses[name, number] = self._course(name, number)
        return self._courses[name, number](float(t))

    def values(self, t: float, categories: Sequence[float]) -> list[float]:
        """All values at a time; `categories` are the numbers for `model.categories`, in order."""
        of = dict(zip(self._model.categories, categories))
        by = {name: given.by for name, given in self._model.inputs.items()}
        return [self.value(name, t, of[axis] if axis else None) for name, axis in by.items()]

    @cached_property
    def times(self) -> Float[np.ndarray, " time"]:
        """All times that are given, at which a course may have a kink or a jump."""
        return np.unique(np.concatenate([np.empty(0), *(x for x, _ in self._samples.values())]))

    def _course(self, name: str, number: int | None) -> Callable[[float], float]:
        given = self._model.inputs[name]
        times, rows = self._samples[name]
        category = "" if given.by is None else self._model.categories[given.by][number or 0]
        values, last = rows[category], len(times) - 1
        if given.interpolation == "previous":
            return lambda t: values[max(int(np.searchsorted(times, t, side="right")) - 1, 0)]
        if given.interpolation == "next":
            # at a time itself what holds after it
            return lambda t: values[min(int(np.searchsorted(times, t, side="right")), last)]
        if given.interpolation == "linear" or last < 1:
            return lambda t: float(np.interp(t, times, values))
        cubic = PchipInterpolator(times, values)
        return lambda t: float(cubic(min(max(t, times[0]), times[-1])))
