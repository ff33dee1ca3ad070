"""A chunk's solution as a labelled dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr

from odeflow.config.metrics import metric_attributes
from odeflow.config.summary import SummaryConfig
from odeflow.config.wanted import wanted_metrics
from odeflow.engines.attempts import Retried
from odeflow.ensemble.event_rows import label_event
from odeflow.ensemble.labels import ENGINES, OUTCOMES
from odeflow.files.flags import flag_attributes
from odeflow.problem.attempt import Attempt
from odeflow.problem.axis_names import axis_attributes, axis_coordinate
from odeflow.problem.derivative_names import sensitivity_attributes, time_derivative_names
from odeflow.problem.doses import Dose
from odeflow.problem.names import drift_name, steady_name
from odeflow.problem.problem import Problem
from odeflow.problem.time_text import duration_units

_NO_DERIVATIVE = (
    "0 where no stop ended the trajectory; NaN where it failed, where it ended at rest, which is "
    "noticed after steps only, and where it touches its threshold, so that there is no derivative"
)


def label_chunk(
    problem: Problem,
    solved: Retried,
    attempts: Sequence[Attempt],
    axes: Mapping[str, np.ndarray],
    start: int,
    drifts: Mapping[str, np.ndarray],
    summary: SummaryConfig,
    doses: Sequence[Dose] = (),
    conditions: Sequence[str] = (),
    at_rest: Mapping[str, np.ndarray] | None = None,
    times: np.ndarray | None = None,
    choices: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> xr.Dataset:
    """A chunk's dataset over (sample, time, ...); sample numbers count from `start`.

    `drifts` are the relative drifts of the model's invariants, one per lane, by invariant;
    `summary` says what the metrics are that were reduced; `doses` are those of the config, which
    name axes, and `conditions` the names of the design's; `at_rest` are the values that the
    trajectories go to, by variable, and `times` are those that the solution has, where they are not
    the problem's; `choices` are the categories of axes that have some.
    """
    declared, solution = problem.model.declared, solved.solution
    known = problem.model.variables()
    size = len(solution.status)
    data: dict[str, Any] = {}
    for name in (name for name in problem.variables if name in solution.values):
        state = declared.states.get(name)
        dims = ("sample", "time", *(state.dims if state else ()))
        attributes = {"units": known[name].units, "long_name": known[name].long_name}
        if name in problem.model.derivatives:
            attributes["derivative_of"], _ = problem.model.derivatives[name]
        data[name] = (dims, solution.values[name], attributes)
    for reduction in problem.reductions:
        name = reduction.variable
        state, units = declared.states.get(name), known[name].units
        words = known[name].long_name or name
        wanted = wanted_metrics(summary, name)[reduction.metric]
        data[reduction.name] = (
            ("sample", *(state.dims if state else ())),
            solution.reduced[reduction.name],
            metric_attributes(wanted, units, words, declared.time_units),
        )
    for event in problem.events:
        data |= label_event(problem, event, solution)
    for name, values in (at_rest or {}).items():
        words = known[name].long_name or name
        attributes = {"units": known[name].units, "long_name": f"{words} at rest"}
        data[steady_name(name)] = ("sample", values, attributes)
    for name, values in drifts.items():
        words = known[drift_name(name)].long_name
        attributes = {
            "units": "1",
            "long_name": f"largest relative drift of {words}",
            "drift_of": name,
        }
        data[drift_name(name)] = ("sample", values, attributes)
    for name, attributes in OUTCOMES.items():
        units = {"units": declared.time_units} if name == "time_reached" else {}
        data[name] = ("sample", getattr(solution, name), attributes | units)
    axes_of = time_derivative_names(_varied(problem), declared) if solution.time_derivatives else {}
    for name, values in solution.time_derivatives.items():
        units, words = duration_units(declared.time_units), OUTCOMES["time_reached"]["long_name"]
        attributes = sensitivity_attributes(units, words, axes_of[name], declared)
        data[name] = ("sample", values, attributes | {"comment": _NO_DERIVATIVE})
    data |= _attempt_variables(solved, attempts)
    time = {"units": declared.time_units, "long_name": "time"}
    if problem.own_ends and problem.ts is None:
        time["comment"] = "values are at each trajectory's own end, the coordinate t1"
    coords: dict[str, Any] = {
        "sample": ("sample", np.arange(start, start + size), {"long_name": "row of the design"}),
        "time": ("time", problem.times if times is None else times, time),
    }
    for name, values in axes.items():
        coordinate = axis_coordinate(name, declared)
        attributes = axis_attributes(name, declared, doses, conditions, choices)
        coords[coordinate] = ("sample", values, attributes)
    first = next(engine for engine in solved.engines if engine is not None)
    return xr.Dataset(data, coords, {"engine": first.name, "engine_reason": first.reason})


def _varied(problem: Problem) -> list[str]:
    """The axes of the sensitivities, in order."""
    return list(dict.fromkeys(axis for _, axis in problem.model.derivatives.values()))


def _attempt_variables(solved: Retried, attempts: Sequence[Attempt]) -> dict[str, Any]:
    """The attempt that is kept of each trajectory, its method and its engine, as flags."""
    methods = list(dict.fromkeys(attempt.solver.method for attempt in attempts))
    method_of = np.array([methods.index(attempt.solver.method) for attempt in attempts], np.int8)
    engine_of = np.array([ENGINES.index(e.name) if e else 0 for e in solved.engines], np.int8)
    flags = {
        "attempt": (solved.attempt, [a.name for a in attempts], "attempt that is kept"),
        "method": (method_of[solved.attempt], methods, "method of that attempt"),
        "engine": (engine_of[solved.attempt], ENGINES, "engine of that attempt"),
    }
    return {
        name: (
            "sample",
            values,
            {"long_name": long_name, **flag_attributes(meanings, np.int8)},
        )
        for name, (values, meanings, long_name) in flags.items()
    }
