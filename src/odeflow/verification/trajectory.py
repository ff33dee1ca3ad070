"""The problem of one trajectory, as the ensemble's coordinates tell it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.design import END, axis_coordinate
from odeflow.model import Model
from odeflow.verification.numpy_functions import PointFunctions
from odeflow.verification.problem import PointProblem, Stop
from odeflow.verification.schedule import changes


class Trajectories:
    """Makes the problem of each trajectory of an experiment: `config` and `model` as the user has
    them, without what the engines are given for doses and sensitivities.
    """

    def __init__(self, config: Config, model: Model, study: Path):
        self.config, self.model = config, model
        self.functions = PointFunctions(model, study)
        self.stops = _stops(config, model, self.functions)

    def problem(
        self, one: xr.Dataset, moved: Mapping[str, float] | None = None, precision: str = "float64"
    ) -> PointProblem:
        """That of one trajectory of the ensemble; float64 numbers as the engine had them.

        `moved` changes axes by these numbers, whether the design has them or not.
        """
        config, model, known = self.config, self.model, self.model.config
        cast = lambda values: np.asarray(values).astype(precision).astype(float)
        axes = {name: float(cast(x)) for name, x in _axes(one, config, model).items()}
        t1 = known.t1
        if END not in {*known.states, *known.parameters}:
            t1 = float(axes.get(END, known.t1))
        shifts = dict(moved or {})
        initial = {name: np.asarray(state.initial, float) for name, state in known.states.items()}
        initial = {
            name: np.broadcast_to(axes[name], x.shape) if name in axes else x
            for name, x in initial.items()
        }
        numbers = {name: float(x.value) for name, x in known.parameters.items()}
        numbers |= {name: axes[name] for name in numbers if name in axes}
        for name, shift in shifts.items():
            if name in initial:
                initial[name] = initial[name] + shift
            else:
                numbers[name] = numbers[name] + shift
        varied = set(axes) | set(shifts)
        columns = {
            name: np.array([numbers[name] if name in numbers else float(initial[name].flat[0])])
            if name in numbers or name in initial
            else np.array([axes[name]])
            for name in varied
        }
        for name, value in model.start(columns).items():
            number = float(np.asarray(value, float).ravel()[0])
            if name in initial:
                initial[name] = np.broadcast_to(number, initial[name].shape)
            else:
                numbers[name] = number
        y0 = cast(np.concatenate([np.ravel(x) for x in initial.values()]))
        args = cast(list(numbers.values())) if numbers else np.empty(0)
        if shifts:  # a small shift is not to be lost in the precision of the engine
            y0 = np.concatenate([np.ravel(x) for x in initial.values()]).astype(float)
            args = np.array(list(numbers.values()), float)
        given = {name: float(column[0]) for name, column in columns.items()}
        return PointProblem(
            self.functions.vector_field,
            self.functions.notes,
            y0,
            known.t0,
            t1,
            changes(config, model, given, args),
            self.stops,
            self.functions.events or (),
            self.functions.still,
        )


def _axes(one: xr.Dataset, config: Config, model: Model) -> Mapping[str, np.ndarray]:
    """By name the numbers that a trajectory has for itself."""
    named = [name for dose in config.doses for _, name in dose.named()]
    known = [*model.config.states, *model.config.parameters, END, *named]
    coordinates = {name: axis_coordinate(name, model.config) for name in known}
    return {
        name: np.asarray(one[coordinate].values, float)
        for name, coordinate in coordinates.items()
        if coordinate in one.coords and one[coordinate].ndim == 0
    }


def _stops(config: Config, model: Model, functions: PointFunctions) -> list[Stop]:
    """The conditions of `stop`, each as a margin that becomes positive where it is met."""
    stop = config.stop
    if stop is None:
        return []
    result = [
        Stop(_beyond(model, functions, name, threshold, sign), counts=True)
        for thresholds, sign in ((stop.above, 1.0), (stop.below, -1.0))
        for name, threshold in thresholds.items()
    ]
    if stop.steady_state is not None:
        least = config.solver.atol
        least = min(least.values()) if isinstance(least, dict) else least
        rtol = stop.steady_state.rtol or config.solver.rtol
        atol = stop.steady_state.atol or least

        def margin(t: float, y: np.ndarray, args: np.ndarray, rates: np.ndarray) -> float:
            size = lambda x: float(np.sqrt(np.mean(np.square(x))))
            return atol + rtol * size(y) - size(functions.vector_field(t, y, args) + rates)

        result.append(Stop(margin, counts=False))
    return result


def _beyond(
    model: Model, functions: PointFunctions, name: str, threshold: float, sign: float
) -> Any:
    places = [i for i, component in enumerate(model.components) if component.state == name]
    if places:
        return lambda t, y, args, rates: sign * (y[places[0]] - threshold)
    number = model.observable_names.index(name)
    return lambda t, y, args, rates: (
        sign * (float(functions.observables(t, y, args)[number]) - threshold)
    )
