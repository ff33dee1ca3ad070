"""The outputs of an experiment that an analysis may name: variables over time, and metrics."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from odeflow.ensemble.labels import OUTCOMES
from odeflow.files.errors import ConfigError
from odeflow.problem.status import has_failed

SAMPLE = "sample"


def named_outputs(
    ensemble: xr.Dataset,
    summary: xr.Dataset,
    variables: Sequence[str] | None,
    metrics: Sequence[str] | None,
    key: str,
) -> dict[str, xr.DataArray]:
    """All outputs asked for, variables before metrics, with the dimension `sample` first.

    Arguments:
        ensemble: `ensemble.nc`, opened.
        summary: `summary.nc`, opened.
        variables: names of states and observables; None for all.
        metrics: names of what the summary has; None for all.
        key: what a message names, the part of the config that has both lists.

    Returns:
        The arrays by name, not read yet.

    Raises:
        ConfigError: one that is not there, with the names of those that are.
    """
    there = {
        str(name): array
        for name, array in summary.items()
        if array.dims[:1] == (SAMPLE,) and name not in OUTCOMES and _is_plain(array)
    }
    over_time = {
        str(name): array
        for name, array in ensemble.items()
        if SAMPLE in array.dims and name not in {*OUTCOMES, *there} and _is_plain(array)
    }
    chosen = _chosen(over_time, variables, f"{key}.variables")
    chosen |= _chosen(there, metrics, f"{key}.metrics")
    return {name: array.transpose(SAMPLE, ...) for name, array in chosen.items()}


def _is_plain(array: xr.DataArray) -> bool:
    """Whether it is a number of the model's, and not a derivative or a drift."""
    return array.dtype.kind == "f" and not {"derivative_of", "drift_of"} & array.attrs.keys()


def _chosen(
    known: Mapping[str, xr.DataArray], names: Sequence[str] | None, key: str
) -> dict[str, xr.DataArray]:
    if names is None:
        return dict(known)
    for name in names:
        if name not in known:
            raise ConfigError(f"{key}: {name!r} is not there; known: {', '.join(known)}")
    return {name: known[name] for name in names}


class Samples:
    """The samples of a design by sets of the axes' values, each under all conditions."""

    def __init__(self, ensemble: xr.Dataset, runs: int):
        self.failed = has_failed(ensemble["status"].values)
        self.runs, self.number = runs, len(self.failed) // runs

    def read(self, arrays: Sequence[xr.DataArray], first: int, last: int) -> np.ndarray:
        """Values of sets first..last, (set, output), NaN where a trajectory failed.

        Outputs are conditions, then arrays, then their values.
        """
        start, stop = first * self.runs, last * self.runs
        rows = [
            array[start:stop].values.astype(float).reshape(stop - start, -1) for array in arrays
        ]
        values = rows[0] if len(rows) == 1 else np.concatenate(rows, axis=1)
        values[self.failed[start:stop]] = np.nan
        return values.reshape(last - first, -1)
