"""Arrays to labelled, CF-attributed datasets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
import yaml

from odeflow.config.model import Variable, drift_name
from odeflow.config.root import Config
from odeflow.design import axis_attributes, axis_coordinate
from odeflow.metrics import metric_attributes
from odeflow.provenance import (
    NUMERICAL_PACKAGES,
    VERSION,
    canonical_json,
    source_digest,
    text_digest,
    versions,
)
from odeflow.status import Status

if TYPE_CHECKING:  # stages that only read and label files need no JAX
    from odeflow.engine import EngineChoice, Problem, Solution

#: Variables besides states and observables, one value a trajectory.
OUTCOMES: dict[str, dict[str, Any]] = {
    "status": {
        "long_name": "outcome of the trajectory",
        "flag_values": np.array([int(s) for s in Status], np.int8),
        "flag_meanings": " ".join(s.name for s in Status),
    },
    "num_steps": {"long_name": "attempted solver steps", "units": "1"},
    "num_accepted_steps": {"long_name": "accepted solver steps", "units": "1"},
    "num_rejected_steps": {"long_name": "rejected solver steps", "units": "1"},
    "time_reached": {"long_name": "end of the last accepted step"},
}


def label_chunk(
    problem: Problem,
    solution: Solution,
    axes: Mapping[str, np.ndarray],
    start: int,
    chosen: EngineChoice,
    drifts: Mapping[str, np.ndarray],
) -> xr.Dataset:
    """A chunk's dataset over (sample, time, ...); sample numbers count from `start`.

    `drifts` are the relative drifts of the model's invariants, one a lane, by invariant.
    """
    config = problem.model.config
    known = problem.model.variables()
    size = len(solution.status)
    data: dict[str, Any] = {}
    for name in (name for name in problem.variables if name in solution.values):
        state = config.states.get(name)
        dims = ("sample", "time", *(state.dims if state else ()))
        attributes = {"units": known[name].units, "long_name": known[name].long_name}
        if name in problem.model.derivatives:
            attributes["derivative_of"], _ = problem.model.derivatives[name]
        data[name] = (dims, solution.values[name], attributes)
    for name, metric, threshold in problem.reductions:
        state, units = config.states.get(name), known[name].units
        words = known[name].long_name or name
        data[f"{name}_{metric}"] = (
            ("sample", *(state.dims if state else ())),
            solution.reduced[f"{name}_{metric}"],
            metric_attributes(metric, threshold, units, words, config.time_units),
        )
    for name, values in drifts.items():
        assert config.invariants is not None
        words = config.invariants.variables.get(name, Variable()).long_name or name
        attributes = {
            "units": "1",
            "long_name": f"largest relative drift of {words}",
            "drift_of": name,
        }
        data[drift_name(name)] = ("sample", values, attributes)
    for name, attributes in OUTCOMES.items():
        units = {"units": config.time_units} if name == "time_reached" else {}
        data[name] = ("sample", getattr(solution, name), attributes | units)
    time = {"units": config.time_units, "long_name": "time"}
    if problem.own_ends and problem.ts is None:
        time["comment"] = "values are at each trajectory's own end, the coordinate t1"
    coords: dict[str, Any] = {
        "sample": ("sample", np.arange(start, start + size), {"long_name": "row of the design"}),
        "time": ("time", problem.times, time),
    }
    for name, values in axes.items():
        coordinate = axis_coordinate(name, config)
        coords[coordinate] = ("sample", values, axis_attributes(name, config))
    attributes = {"engine": chosen.name, "engine_reason": chosen.reason}
    return xr.Dataset(data, coords, attributes)


def global_attributes(
    config: Config, engine: str, engine_reason: str, model_source: str
) -> dict[str, str]:
    """Attributes of a dataset: what it is, how it was made, by which versions and model files.

    No dates, paths or host names: the same config and versions give the same bytes. What cannot
    change the numbers (chunk size, threads, figures) is left out for the same reason.
    """
    model = config.model
    recorded = config.slice("name", "model", "design", "solver", "saveat", "summary", "runtime")
    for key in ("chunk_size", "threads"):
        recorded["runtime"].pop(key)
    return {
        "Conventions": "CF-1.11",
        "title": f"{model.title or model.name}: {config.name}",
        "history": f"solved, assembled and labelled by odeflow {VERSION}",
        "source": f"odeflow {VERSION}, engine {engine}, method {config.solver.method}",
        "references": model.references or "",
        "odeflow_engine": engine,
        "odeflow_engine_reason": engine_reason,
        "odeflow_version": VERSION,
        "odeflow_versions": canonical_json(versions(NUMERICAL_PACKAGES)),
        "odeflow_source_digest": source_digest("odeflow.solve"),
        "odeflow_model_source": model_source,
        "odeflow_model_sha256": text_digest(model_source),
        "odeflow_config": yaml.safe_dump(recorded, sort_keys=False),
    }


def trajectory(ensemble: xr.Dataset, row: int) -> xr.Dataset:
    """One row of the design of an ensemble, in memory, whatever the design: over time only."""
    dims = ensemble["status"].dims
    shape = tuple(ensemble.sizes[dim] for dim in dims)
    place = map(int, np.unravel_index(row, shape)) if dims else ()
    return ensemble.isel(dict(zip(dims, place))).load()
