"""Metrics of every trajectory and quantiles over the ensemble, with bounded memory."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from odeflow.config.base import ConfigError
from odeflow.config.outputs import SummaryConfig
from odeflow.metrics import metric_attributes, metric_function, needs_times, wanted_metrics
from odeflow.status import Status

#: Bytes of one variable that are in memory at a time.
_SLAB_BYTES = 128 * 2**20


def summarise(ensemble: xr.Dataset, config: SummaryConfig) -> xr.Dataset:
    """Summary of an ensemble, which may be larger than memory.

    One variable `<variable>_<metric>` a metric over the dimensions of the design, NaN for a
    trajectory that failed: a metric of what is left of it would be one of something else.
    `<variable>_quantiles(quantile, time)` are over the trajectories that succeeded. Metrics that
    were reduced while solving are taken from the ensemble as they are; else, with one saved time,
    there is no time to integrate over, and metrics that need it are left out.

    Raises ConfigError for a variable that the ensemble does not have.
    """
    names = _variables(ensemble, config)
    dims = ensemble["status"].dims
    succeeded = ensemble["status"].values == Status.success
    data: dict[str, Any] = {"status": ensemble["status"].variable}
    for name in names:
        data |= _trajectory_metrics(ensemble, name, dims, succeeded, config)
        if config.quantiles:
            data |= _quantiles(ensemble, name, dims, succeeded, config.quantiles)
    kept = {c: v.variable for c, v in ensemble.coords.items()}
    quantile = ("quantile", config.quantiles, {"long_name": "quantile", "units": "1"})
    summary = xr.Dataset(data, kept | ({"quantile": quantile} if config.quantiles else {}))
    counts = {s.name: int((ensemble["status"].values == s).sum()) for s in Status}
    return summary.assign_attrs({f"number_of_{name}": count for name, count in counts.items()})


def _variables(ensemble: xr.Dataset, config: SummaryConfig) -> list[str]:
    known = [str(name) for name, variable in ensemble.items() if "time" in variable.dims]
    for key in ("variables", "first_time_above", "first_time_below"):
        for name in getattr(config, key) or ():
            if name not in known:
                raise ConfigError(
                    f"summary.{key}: {name!r} is not a saved variable; known: {', '.join(known)}"
                )
    if config.variables is not None:
        return list(config.variables)
    named = {*config.first_time_above, *config.first_time_below}
    return [n for n in known if n in named or "derivative_of" not in ensemble[n].attrs]


def _trajectory_metrics(
    ensemble: xr.Dataset,
    name: str,
    dims: tuple[Any, ...],
    succeeded: np.ndarray,
    config: SummaryConfig,
) -> dict[str, Any]:
    array, t = ensemble[name], ensemble["time"].values
    wanted = wanted_metrics(config, name)
    reduced = {
        metric: ensemble[made].variable
        for metric in wanted
        if (made := f"{name}_{metric}") in ensemble.data_vars and "time" not in ensemble[made].dims
    }
    functions = {
        metric: metric_function(metric, threshold)
        for metric, threshold in wanted.items()
        if metric not in reduced and (len(t) > 1 or not needs_times(metric))
    }
    rest = tuple(d for d in array.dims if d not in (*dims, "time"))
    shape = tuple(array.sizes[d] for d in (*dims, *rest))
    results = {metric: np.full(shape, np.nan) for metric in functions}
    for index in _slabs(array, dims) if functions else ():
        slab = array[index].transpose("time", *dims, *rest).values.astype(float)
        lost = ~succeeded[tuple(index.values())]
        for metric, function in functions.items():
            with np.errstate(invalid="ignore"):
                value = np.asarray(function(slab, t), float)
            value[lost] = np.nan
            results[metric][tuple(index.values())] = value
    units, words = array.attrs.get("units", "1"), array.attrs.get("long_name", name)
    time_units = ensemble["time"].attrs.get("units", "1")
    computed = {
        metric: (
            (*dims, *rest),
            values,
            metric_attributes(metric, wanted[metric], units, words, time_units),
        )
        for metric, values in results.items()
    }
    found = reduced | computed
    return {f"{name}_{metric}": found[metric] for metric in wanted if metric in found}


def _slabs(array: xr.DataArray, dims: tuple[Any, ...]) -> Iterator[Mapping[Any, slice]]:
    """Cuts along the first dimension of the design into slabs of bounded size."""
    if not dims:
        yield {}
        return
    first = dims[0]
    step = max(1, _SLAB_BYTES * array.sizes[first] // max(array.nbytes, 1))
    for start in range(0, array.sizes[first], step):
        yield {first: slice(start, min(start + step, array.sizes[first]))}


def _quantiles(
    ensemble: xr.Dataset,
    name: str,
    dims: tuple[Any, ...],
    succeeded: np.ndarray,
    quantiles: list[float],
) -> dict[str, Any]:
    array = ensemble[name]
    rest = tuple(d for d in array.dims if d not in (*dims, "time"))
    times, lanes = array.sizes["time"], succeeded.ravel()
    shape = (len(quantiles), times, *(array.sizes[d] for d in rest))
    result = np.full(shape, np.nan)
    step = max(1, _SLAB_BYTES * times // max(array.nbytes, 1))
    for start in range(0, times, step) if lanes.any() else ():
        block = array.isel(time=slice(start, start + step)).transpose(*dims, "time", *rest).values
        kept = block.reshape(-1, *block.shape[len(dims) :])[lanes]
        result[:, start : start + step] = np.quantile(kept, quantiles, axis=0)
    words = f"quantiles of {array.attrs.get('long_name', name)}"
    attributes = {"units": array.attrs.get("units", "1"), "long_name": words}
    return {f"{name}_quantiles": (("quantile", "time", *rest), result, attributes)}
