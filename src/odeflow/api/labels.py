"""A solution as a labelled dataset."""

import re
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
import xarray as xr

from odeflow.files.flags import flag_attributes
from odeflow.problem.status import Status
from odeflow.provenance.versions import VERSION

_WORDS = {
    "num_steps": "attempted solver steps",
    "num_accepted_steps": "accepted solver steps",
    "num_rejected_steps": "rejected solver steps",
}


def dataset(
    ts: Any,
    ys: Any,
    outcomes: Mapping[str, Any],
    engine: str,
    reason: str,
    *,
    coords: Mapping[str, Any],
    units: Mapping[str, str],
    long_names: Mapping[str, str],
    time_units: str,
) -> xr.Dataset:
    """See `EnsembleSolution.to_xarray`; `outcomes` are its `status`, `time_reached` and `stats`."""
    status = np.asarray(outcomes["status"])
    if status.ndim > 1:
        raise ValueError(
            f"to_xarray: trajectories have {status.ndim} axes; take one batch of the outermost vmap"
        )
    lane = ("sample",) * status.ndim
    data: dict[str, Any] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(ys):
        name, values = _name(path), np.asarray(leaf)
        if name in data:
            raise ValueError(f"to_xarray: two leaves of ys are called {name}; rename one of them")
        dims = [f"{name}_dim_{i}" for i in range(values.ndim - status.ndim - 1)]
        data[name] = ((*lane, "time", *dims), values)
    data["status"] = (
        lane,
        status,
        {"long_name": "outcome of the trajectory"}
        | flag_attributes([s.name for s in Status], np.int8),
    )
    for name, words in _WORDS.items():
        count = np.asarray(outcomes[name])
        data[name] = (lane, count, {"long_name": words, "units": "1"})
    data["time_reached"] = (
        lane,
        np.asarray(outcomes["time_reached"]),
        {"long_name": "end of the trajectory, or of its last accepted step", "units": time_units},
    )
    known: dict[str, Any] = {"time": _time(np.asarray(ts), status.ndim, time_units)}
    if status.ndim:
        known["sample"] = ("sample", np.arange(status.size), {"long_name": "trajectory"})
    for name, values in coords.items():
        if name in data or name in known:
            raise ValueError(f"to_xarray: coords: {name} is a variable already; rename it")
        known[name] = (lane, np.asarray(values))
    attributes = {
        "source": f"odeflow {VERSION}, engine {engine}",
        "odeflow_engine": engine,
        "odeflow_engine_reason": reason,
        "odeflow_version": VERSION,
    }
    result = xr.Dataset(data, known, attributes)
    for key, texts in (("units", units), ("long_name", long_names)):
        for name, text in texts.items():
            if name not in result.variables:
                raise ValueError(
                    f"to_xarray: {key}s: no variable {name!r}; known: {', '.join(data)}"
                )
            result[name].attrs[key] = text
    return result


def _time(ts: np.ndarray, lanes: int, units: str) -> Any:
    """The coordinate of time: the number of the saved value where times differ by trajectory."""
    shared = ts.reshape(-1, ts.shape[-1]) if lanes else ts[None]
    attributes = {"units": units, "long_name": "time"}
    if len(shared) and (shared == shared[0]).all():
        return "time", shared[0], attributes
    attributes["comment"] = "values are at each trajectory's own end, the variable time_reached"
    return "time", np.full(ts.shape[-1], np.nan), attributes


def _name(path: tuple[Any, ...]) -> str:
    """`a_b` for what is at ["a"]["b"], `y_0` for what is at [0], `y` for a leaf alone."""
    parts = [str(getattr(x, "key", getattr(x, "name", getattr(x, "idx", x)))) for x in path]
    name = re.sub(r"\W", "_", "_".join(parts))
    return name if name and not name[0].isdigit() else f"y_{name}".rstrip("_")
