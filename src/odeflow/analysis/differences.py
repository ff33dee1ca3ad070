"""Trajectory by trajectory: how far two experiments are apart, in units of tolerance."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.files.slabs import slabs, take
from odeflow.problem.status import Status


class SolvedExperiment(NamedTuple):
    """An experiment that has run; both datasets may be opened lazily."""

    config: Config
    ensemble: xr.Dataset
    summary: xr.Dataset


class Difference(NamedTuple):
    """Of one variable of two ensembles, in units of tolerance.

    `largest_of` is each trajectory's largest over time (and over the entries of an array state),
    NaN where one of the two did not succeed; `rms` is over trajectories, times and entries.
    """

    rms: float
    largest_of: np.ndarray
    where: dict[str, float]


def not_comparable(first: SolvedExperiment, other: SolvedExperiment) -> str | None:
    """Why trajectories of two experiments do not belong together; None where they do."""
    if first.config.model != other.config.model:
        return "their models differ"
    if first.ensemble["status"].dims != other.ensemble["status"].dims:
        return "their designs differ"
    for name, coordinate in first.ensemble.coords.items():
        there = other.ensemble.coords.get(name)
        if there is None or not np.array_equal(coordinate.values, there.values):
            return "their saved times differ" if name == "time" else "their designs differ"
    if not common_variables(first, other):
        return "they have no saved variable in common"
    return None


def common_variables(first: SolvedExperiment, other: SolvedExperiment) -> list[str]:
    """Variables over time that both have."""
    return [
        str(name)
        for name, variable in first.ensemble.items()
        if "time" in variable.dims and name in other.ensemble
    ]


def difference(first: SolvedExperiment, other: SolvedExperiment, name: str) -> Difference:
    """The difference of a variable of two comparable experiments, a slab at a time."""
    a, b = first.ensemble[name], other.ensemble[name]
    dims = first.ensemble["status"].dims
    rtol = max(one.config.solver.rtol for one in (first, other))
    atol = max(
        one.config.solver.tolerances(one.config.model.states).of(name) for one in (first, other)
    )
    both = np.logical_and(
        *(one.ensemble["status"].values == Status.success for one in (first, other))
    )
    largest_of = np.full(both.shape, np.nan)
    size = int(np.prod(a.shape[len(dims) :])) * 8
    square, count, largest, where = 0.0, 0, -1.0, {}
    for start, stop in slabs(0, both.size, size):
        x, y = (take(one, start, stop, both.shape).astype(float) for one in (a, b))
        scaled = np.abs(x - y) / (atol + rtol * np.maximum(np.abs(x), np.abs(y)))
        scaled[~both.flat[start:stop]] = np.nan
        kept = np.isfinite(scaled)
        square, count = square + float((scaled[kept] ** 2).sum()), count + int(kept.sum())
        of_each = np.where(kept, scaled, -np.inf).max(tuple(range(1, scaled.ndim)))
        largest_of.flat[start:stop] = np.where(np.isfinite(of_each), of_each, np.nan)
        if kept.any() and (here := float(scaled[kept].max())) > largest:
            largest = here
            sample, *rest = np.unravel_index(np.nanargmax(scaled), scaled.shape)
            where = _place(a, [*np.unravel_index(start + sample, both.shape), *rest])
    return Difference(float(np.sqrt(square / count)) if count else np.nan, largest_of, where)


def _place(array: xr.DataArray, spot: Sequence[Any]) -> dict[str, float]:
    one = array[tuple(int(i) for i in spot)]
    return {str(name): float(value) for name, value in one.coords.items() if value.ndim == 0}
