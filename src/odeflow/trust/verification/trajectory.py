"""The problem of one trajectory, as the ensemble's coordinates tell it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.design import END, SUBJECT, has_own_ends
from odeflow.files.flags import flag_meaning
from odeflow.problem.axis_names import axis_coordinate
from odeflow.problem.model import Model
from odeflow.problem.status import Status
from odeflow.trust.verification.algebraic import StateSpace
from odeflow.trust.verification.followed import FollowedVariables
from odeflow.trust.verification.inputs import GivenInputs
from odeflow.trust.verification.numpy_functions import PointFunctions
from odeflow.trust.verification.past import Past, given_delays
from odeflow.trust.verification.problem import PointProblem, StopCondition
from odeflow.trust.verification.records import RecordedDoses
from odeflow.trust.verification.schedule import Rounding, changes
from odeflow.trust.verification.start import InitialValues

#: A derivative may be this many times as large as that of a steady state.
_NEARLY = 2.0
#: Later times at which it is looked whether a state at rest stays there.
_LATER = 100


class Trajectories:
    """Makes the problem of each trajectory of an experiment: `config` and `model` as the user has
    them, without what the engines are given for doses and sensitivities.
    """

    def __init__(self, config: Config, model: Model, study: Path):
        self.config, self.model = config, model
        self.inputs = GivenInputs(config.model, study)
        self.functions = PointFunctions(
            model, config.model if config.model.is_imported else None, study, self.inputs
        )
        self.start = InitialValues(config.model, model, study, self.inputs)
        self.stops = _stops(config, model, self.functions)
        self.followed = FollowedVariables(config, model, self.functions.observables)
        self.space: StateSpace | None = None
        if model.declared.is_implicit:
            by_state = config.solver.tolerances(config.model.states).atol
            atol = np.array([by_state[one.state] for one in model.components])
            self.space = StateSpace(model.declared, atol)
        self.delays = given_delays(model)
        self.recorded = (
            RecordedDoses(config, model, self.functions.vector_field)
            if config.design.records is not None
            else None
        )

    def problem(
        self, one: xr.Dataset, moved: Mapping[str, float] | None = None, precision: str = "float64"
    ) -> PointProblem:
        """That of one trajectory of the ensemble; float64 numbers as the engine had them.

        `moved` changes axes by these numbers, whether the design has them or not.
        """
        config, model, known = self.config, self.model, self.model.declared
        cast = lambda values: np.asarray(values).astype(precision).astype(float)
        axes = {name: float(cast(x)) for name, x in _axes(one, config, model).items()}
        t1 = known.t1
        if has_own_ends(config, axes):
            t1 = axes[END]
            saved = np.atleast_1d(one["time"].values).astype(float)
            same = saved[np.abs(saved - t1) <= Rounding(config)(t1)]
            t1 = float(same[0]) if len(same) and config.saveat.ts is not None else t1
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
            number = np.asarray(value, float)[..., 0]
            if name in initial:
                initial[name] = np.broadcast_to(number, initial[name].shape)
            else:
                numbers[name] = float(number)
        computed = self.start(np.array(list(numbers.values()), float))
        initial |= {name: x for name, x in computed.items() if name not in varied}
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
            changes(config, model, given, args, lambda args: self._observed(y0, args))
            if self.recorded is None
            else self.recorded.changes(axes[SUBJECT], y0, args, axes),
            self.stops,
            self.functions.events or (),
            self.functions.still,
            follows_time=not self.functions.is_autonomous,
            ends_at=self._rests_at(one),
            space=self.space,
            followed=self.followed.function,
            past=lambda y0: Past(self.delays, list(numbers), args, y0),
            given_times=self.inputs.times,
        )

    def _observed(self, y0: np.ndarray, args: np.ndarray) -> dict[str, float]:
        values = self.functions.observables(self.model.declared.t0, y0, args)
        return dict(zip(self.model.observable_names, map(float, values)))

    def _rests_at(self, one: xr.Dataset) -> float | None:
        """Where a trajectory ended if that may have been since it was steady, else None.

        A steady state is looked for after steps only, so when it is found is for the solver to
        say; that the state is steady then is for verification.
        """
        stop = self.config.stop
        if stop is None or stop.steady_state is None or "status" not in one:
            return None
        stopped = int(one["status"]) == Status.stopped_by_event
        return float(one["time_reached"]) if stopped else None

    def is_at_rest(self, problem: PointProblem, t: float, y: np.ndarray, args: np.ndarray) -> bool:
        """Whether a state is as steady as `stop` asks, or nearly so, and nothing moves it later."""
        stop = self.config.stop
        assert stop is not None and stop.steady_state is not None
        if any(t < change.time <= problem.t1 for change in problem.changes):
            return False
        usual = self.config.solver.tolerances(self.config.model.states)
        size = lambda x: float(np.sqrt(np.mean(np.square(x))))
        rtol = stop.steady_state.rtol or usual.rtol
        allowed = (stop.steady_state.atol or usual.least) + rtol * size(y)
        rates = problem.rates(t)
        motion = (lambda f: f) if self.space is None else self.space.motion
        moves = [
            size(motion(self.functions.vector_field(later, y, args)) + rates)
            for later in np.linspace(t, problem.t1, _LATER)
        ]
        return moves[0] <= _NEARLY * allowed and max(moves) <= _LATER * allowed


def _axes(one: xr.Dataset, config: Config, model: Model) -> Mapping[str, np.ndarray]:
    """By name the numbers that a trajectory has for itself."""
    named = [name for dose in config.plain_doses for _, name in dose.named()]
    named += config.design.records.occasion_columns if config.design.records else ()
    known = [*model.declared.states, *model.declared.parameters, END, SUBJECT, *named]
    coordinates = {name: axis_coordinate(name, model.declared) for name in known}
    found = {
        name: np.asarray(one[coordinate].values, float)
        for name, coordinate in coordinates.items()
        if coordinate in one.coords and one[coordinate].ndim == 0
    }
    for axis, known in config.model.categories.items():  # which the model may number otherwise
        if axis in found:
            chosen = flag_meaning(one[axis])
            found[axis] = np.asarray(float(known.index(chosen)))
    return found


def _stops(config: Config, model: Model, functions: PointFunctions) -> list[StopCondition]:
    """The thresholds of `stop`, each as a margin that becomes positive where it is crossed."""
    stop = config.stop
    if stop is None:
        return []
    return [
        StopCondition(_beyond(model, functions, name, threshold, sign))
        for thresholds, sign in ((stop.above, 1.0), (stop.below, -1.0))
        for name, threshold in thresholds.items()
    ]


def _beyond(
    model: Model, functions: PointFunctions, name: str, threshold: float, sign: float
) -> Any:
    places = [i for i, component in enumerate(model.components) if component.state == name]
    if places:
        return lambda t, y, args: sign * (y[places[0]] - threshold)
    number = model.observable_names.index(name)
    return lambda t, y, args: sign * (float(functions.observables(t, y, args)[number]) - threshold)
