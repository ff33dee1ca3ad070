"""Arrays to labelled, CF-attributed datasets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from odeflow.config.metrics import metric_attributes
from odeflow.config.model import ModelConfig
from odeflow.config.outputs import EFFORT
from odeflow.config.root import Config
from odeflow.config.yaml_text import write_yaml
from odeflow.files.digests import canonical_json, text_digest
from odeflow.files.errors import ConfigError
from odeflow.files.flags import flag_attributes
from odeflow.importers.model_data import data_bytes, stored
from odeflow.problem.attempt import Attempt
from odeflow.problem.axis_names import axis_attributes, axis_coordinate
from odeflow.problem.derivative_names import sensitivity_attributes, time_derivative_names
from odeflow.problem.doses import Dose
from odeflow.problem.names import drift_name
from odeflow.problem.status import Status
from odeflow.provenance.sources import SOLVING, source_digest
from odeflow.provenance.versions import VERSION, numerical_packages, versions

if TYPE_CHECKING:  # stages that only read and label files need no JAX
    from odeflow.engines.attempts import Retried
    from odeflow.problem.problem import Problem

#: Variables besides states and observables, one value a trajectory, of the attempt that is kept.
OUTCOMES: dict[str, dict[str, Any]] = {
    "status": {
        "long_name": "outcome of the trajectory",
        "flag_values": np.array([int(s) for s in Status], np.int8),
        "flag_meanings": " ".join(s.name for s in Status),
    },
    "num_steps": {"long_name": "attempted solver steps", "units": "1"},
    "num_accepted_steps": {"long_name": "accepted solver steps", "units": "1"},
    "num_rejected_steps": {"long_name": "rejected solver steps", "units": "1"},
    "time_reached": {"long_name": "end of the trajectory, or of its last accepted step"},
}
_NO_DERIVATIVE = (
    "0 where no stop ended the trajectory; NaN where it failed, where it ended at rest, which is "
    "noticed after steps only, and where it touches its threshold, so that there is no derivative"
)
ENGINES = ("native", "diffrax")


def label_chunk(
    problem: Problem,
    solved: Retried,
    attempts: Sequence[Attempt],
    axes: Mapping[str, np.ndarray],
    start: int,
    drifts: Mapping[str, np.ndarray],
    doses: Sequence[Dose] = (),
    conditions: Sequence[str] = (),
) -> xr.Dataset:
    """A chunk's dataset over (sample, time, ...); sample numbers count from `start`.

    `drifts` are the relative drifts of the model's invariants, one a lane, by invariant; `doses`
    are those of the config, which name axes, and `conditions` the names of the design's.
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
    for name, metric, threshold in problem.reductions:
        state, units = declared.states.get(name), known[name].units
        words = known[name].long_name or name
        data[f"{name}_{metric}"] = (
            ("sample", *(state.dims if state else ())),
            solution.reduced[f"{name}_{metric}"],
            metric_attributes(metric, threshold, units, words, declared.time_units),
        )
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
        units, words = declared.time_units, OUTCOMES["time_reached"]["long_name"]
        attributes = sensitivity_attributes(units, words, axes_of[name], declared)
        data[name] = ("sample", values, attributes | {"comment": _NO_DERIVATIVE})
    data |= _attempt_variables(solved, attempts)
    time = {"units": declared.time_units, "long_name": "time"}
    if problem.own_ends and problem.ts is None:
        time["comment"] = "values are at each trajectory's own end, the coordinate t1"
    coords: dict[str, Any] = {
        "sample": ("sample", np.arange(start, start + size), {"long_name": "row of the design"}),
        "time": ("time", problem.times, time),
    }
    for name, values in axes.items():
        coordinate = axis_coordinate(name, declared)
        attributes = axis_attributes(name, declared, doses, conditions)
        coords[coordinate] = ("sample", values, attributes)
    first = solved.engines[0]
    assert first is not None
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


def design_dims(ensemble: xr.Dataset) -> tuple[str, ...]:
    """Dimensions of the design: a grid's axes, or `sample`."""
    return tuple(map(str, ensemble["status"].dims))


def design_axes(ensemble: xr.Dataset) -> list[str]:
    """Coordinates that are axes of the design, in order."""
    if design_dims(ensemble) != ("sample",):
        return list(design_dims(ensemble))
    return [str(c) for c, v in ensemble.coords.items() if v.dims == ("sample",) and c != "sample"]


def global_attributes(
    config: Config, engine: str, engine_reason: str, model_source: str, time_switches: str
) -> dict[str, str]:
    """Attributes of a dataset: what it is, how it was made, by which versions and model files.

    No dates, paths or host names: the same config and versions give the same bytes on the same kind
    of processor. What cannot change the numbers (chunk size, threads, figures) is left out for the
    same reason. Engine and method are those of the first attempt; the variables of these names have
    each trajectory's.
    """
    model = config.model
    groups = ("about", "model", "design", "doses", "stop", "solver", "saveat", "summary", "runtime")
    place = " on a GPU" if config.runtime.device == "gpu" else ""
    recorded = config.slice("name", *groups)
    for key in EFFORT:
        recorded["runtime"].pop(key)
    return {
        "Conventions": "CF-1.11",
        "title": f"{model.title or model.name}: {config.name}",
        "history": f"solved, assembled and labelled by odeflow {VERSION}",
        "source": f"odeflow {VERSION}, engine {engine}{place}, method {config.solver.method}",
        "references": model.references or "",
        **config.about.attributes(),
        "odeflow_engine": engine,
        "odeflow_engine_reason": engine_reason,
        "odeflow_time_switches": time_switches,
        "odeflow_version": VERSION,
        "odeflow_versions": canonical_json(
            versions(numerical_packages(model, config.runtime.device))
        ),
        "odeflow_source_digest": source_digest(SOLVING),
        "odeflow_model_source": model_source,
        "odeflow_model_sha256": text_digest(model_source),
        "odeflow_config": write_yaml(recorded),
    }


def data_attributes(model: ModelConfig, study: Path, digests: str) -> dict[str, str]:
    """The files of `model.data` as attributes, and their digest.

    `digests` are those of the files that were solved with; raises ConfigError where a file is
    another one by now.
    """
    contents = data_bytes(model, study)
    for name, digest in json.loads(digests).items():
        if name not in contents or hashlib.sha256(contents[name]).hexdigest() != digest:
            raise ConfigError(f"model.data: {name} was changed during the run; run again")
    text = canonical_json(stored(contents))
    return {"odeflow_model_data": text, "odeflow_model_data_sha256": text_digest(text)}


def trajectory(ensemble: xr.Dataset, row: int) -> xr.Dataset:
    """One row of the design of an ensemble, in memory, whatever the design: over time only."""
    dims = ensemble["status"].dims
    shape = tuple(ensemble.sizes[dim] for dim in dims)
    place = map(int, np.unravel_index(row, shape)) if dims else ()
    return ensemble.isel(dict(zip(dims, place))).load()
