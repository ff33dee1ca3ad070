"""The log-likelihood of measurements under the trajectories of an ensemble."""

import math
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from odeflow.files.flags import flag_attributes
from odeflow.files.slabs import slabs
from odeflow.importers.expressions.evaluation import evaluate
from odeflow.importers.expressions.expression import TIME
from odeflow.importers.petab.likelihood_data import NOISE, Group, Measurements
from odeflow.problem.names import steady_name
from odeflow.problem.noise import TRANSFORMATIONS, log_density
from odeflow.problem.status import has_failed

Table = Float[np.ndarray, "sample measurement"]


def likelihood_variables(
    ensemble: xr.Dataset, measurements: Measurements
) -> dict[str, xr.Variable]:
    """What measurements add to the summary of an ensemble, whose samples take turns in conditions.

    `<variable>_log_likelihood(sample)` is of the measurements under the condition of the sample,
    `log_likelihood(sample)` the sum over variables and conditions, the same for all samples of a
    parameter set. NaN where a trajectory failed. Over `measurement`: value, time, variable,
    condition and transformation of what was measured; `best_value` and `best_noise` are simulated
    with the parameter set of the largest likelihood.
    """
    total, runs = ensemble.sizes["sample"], len(measurements.conditions)
    parts = {name: np.zeros(total) for name in measurements.variables}
    without_noise = np.zeros(measurements.number, bool)
    width = 8 * sum(math.prod(ensemble[n].shape[1:]) for n in _variables(measurements))
    for first, last in slabs(0, total, width):
        slab = _Slab(ensemble, measurements, first, last)
        for group in measurements.groups:
            here = slab.of_condition(group)
            simulated, noise = slab.values(group, here)
            density = log_density(
                group.values, simulated, noise, group.transformation, group.distribution
            ).sum(axis=1)
            failed = has_failed(slab.status[here])
            without_noise[group.rows] |= (~failed[:, None] & (noise <= 0)).any(axis=0)
            parts[group.variable][first + here] += np.where(failed, np.nan, density)
    by_set = np.sum(list(parts.values()), axis=0).reshape(-1, runs).sum(axis=1)
    words = "log-likelihood of {} under the sample's condition"
    result = {
        f"{name}_log_likelihood": _variable(
            "sample", values, words.format(ensemble[name].attrs.get("long_name", name))
        )
        for name, values in parts.items()
    }
    result["log_likelihood"] = _variable(
        "sample", np.repeat(by_set, runs), "log-likelihood of the parameter set"
    )
    if without_noise.any():
        result["log_likelihood"].attrs["comment"] = _without_noise(without_noise)
    best = 0 if np.isnan(by_set).all() else int(np.nanargmax(by_set))
    return result | _measured(ensemble, measurements, best)


def _without_noise(rows: np.ndarray) -> str:
    """Says for which measurements noise was not positive somewhere."""
    numbers = (1 + np.flatnonzero(rows)).tolist()
    shown = ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")
    return f"no number where the noise is not > 0: for some parameter sets of measurement {shown}"


class _Slab:
    """Samples first..last of an ensemble, in memory."""

    def __init__(self, ensemble: xr.Dataset, measurements: Measurements, first: int, last: int):
        part = ensemble.isel(sample=slice(first, last))
        self.status = part["status"].values
        self._numbers = np.arange(first, last) % len(measurements.conditions)
        self._data = {
            name: part[name].transpose("sample", "time").values.astype(float)
            for name in _variables(measurements)
        }
        self._time = ensemble["time"].values.astype(float)
        if any(np.isinf(group.times).any() for group in measurements.groups):
            # measured at rest: one more time
            self._time = np.append(self._time, np.inf)
            for name, values in self._data.items():
                at_rest = part[steady_name(name)].values[:, None]
                self._data[name] = np.concatenate([values, at_rest], axis=1)
        columns = {c for group in measurements.groups for c in group.columns.values()}
        self._columns = {name: part[name].values.astype(float) for name in columns}

    def of_condition(self, group: Group) -> np.ndarray:
        """Places in the slab of the samples under the condition of a group."""
        return np.flatnonzero(self._numbers == group.condition)

    def values(self, group: Group, here: np.ndarray) -> tuple[Table, Table]:
        """Simulated values and noise of these samples at the measurements of a group."""
        with np.errstate(invalid="ignore"):
            far = np.nan_to_num(np.abs(self._time[None, :] - group.times[:, None]), nan=0.0)
        at = far.argmin(axis=1)
        place = np.ix_(here, at)
        known = {TIME: group.times, **group.constants}
        known |= {name: self._data[name][place] for name in group.states}
        known |= {name: self._columns[c][here][:, None] for name, c in group.columns.items()}
        noise = evaluate(group.noise, known, np)[NOISE]
        simulated = self._data[group.variable][place]
        return simulated, np.broadcast_to(np.asarray(noise, float), simulated.shape)


def _variables(measurements: Measurements) -> list[str]:
    states = [name for group in measurements.groups for name in group.states]
    return list(dict.fromkeys([*measurements.variables, *states]))


def _variable(dim: str, values: np.ndarray, long_name: str, **attributes: Any) -> xr.Variable:
    units = {} if "flag_values" in attributes else {"units": "1"}
    return xr.Variable(dim, values, {"long_name": long_name} | units | attributes)


def _measured(
    ensemble: xr.Dataset, measurements: Measurements, best: int
) -> dict[str, xr.Variable]:
    """The measurements, and what the best parameter set makes of them."""
    number, runs = measurements.number, len(measurements.conditions)
    numbers = {name: np.full(number, np.nan) for name in ("value", "time", "best", "noise")}
    flags = {name: np.zeros(number, np.int16) for name in ("variable", "condition", "scale")}
    slab = _Slab(ensemble, measurements, best * runs, (best + 1) * runs)
    names = measurements.variables
    for group in measurements.groups:
        simulated, noise = slab.values(group, slab.of_condition(group))
        numbers["value"][group.rows], numbers["time"][group.rows] = group.values, group.times
        numbers["best"][group.rows], numbers["noise"][group.rows] = simulated[0], noise[0]
        flags["variable"][group.rows] = names.index(group.variable)
        flags["condition"][group.rows] = group.condition
        flags["scale"][group.rows] = TRANSFORMATIONS.index(group.transformation)
    units = {"units": ensemble["time"].attrs.get("units", "1")}
    dim = "measurement"
    return {
        "measured_value": _variable(dim, numbers["value"], "measured value"),
        "measured_time": _variable(dim, numbers["time"], "time of the measurement", **units),
        "measured_variable": _variable(
            dim, flags["variable"], "what was measured", **flag_attributes(names, np.int16)
        ),
        "measured_condition": _variable(
            dim,
            flags["condition"],
            "condition",
            **flag_attributes(measurements.conditions, np.int16),
        ),
        "measured_transformation": _variable(
            dim,
            flags["scale"],
            "scale that noise is on",
            **flag_attributes(TRANSFORMATIONS, np.int16),
        ),
        "best_value": _variable(dim, numbers["best"], "value by the best parameter set"),
        "best_noise": _variable(dim, numbers["noise"], "noise by the best parameter set"),
    }
