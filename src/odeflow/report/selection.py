"""What a figure shows: which variables, which axes of the design, which trajectories."""

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.design import CONDITION, PARAMETER_SET, REPLICATE
from odeflow.ensemble.labels import design_axes, design_dims
from odeflow.files.errors import ConfigError
from odeflow.problem.axis_names import axis_coordinate
from odeflow.problem.status import has_failed

#: Panels that fit a page.
_MOST_VARIABLES = 6


def shown_axes(ensemble: xr.Dataset, config: Config, at_most: int) -> list[str]:
    """The axes a figure shows: those that `plot.axes` names, else the first."""
    if config.plot.axes is None:
        own = {CONDITION, PARAMETER_SET, *config.design.set_by_conditions}
        own = own if config.design.conditions else set()
        hidden = {axis_coordinate(x, config.model) for x in own} | {REPLICATE}
        return [axis for axis in design_axes(ensemble) if axis not in hidden][:at_most]
    named = [axis_coordinate(name, config.model) for name in config.plot.axes]
    for name in named:
        if name not in design_axes(ensemble):
            known = ", ".join(design_axes(ensemble))
            raise ConfigError(f"plot.axes: {name!r} is not an axis of the design; axes: {known}")
    return named[:at_most]


def shown_variables(ensemble: xr.Dataset, config: Config) -> list[str]:
    """Variables a figure shows: those that `plot.variables` names, else the first few."""
    known = [str(name) for name, variable in ensemble.items() if "time" in variable.dims]
    if config.plot.variables is None:
        own = [name for name in known if "derivative_of" not in ensemble[name].attrs]
        return own[:_MOST_VARIABLES]
    for name in config.plot.variables:
        if name not in known:
            raise ConfigError(
                f"plot.variables: {name!r} is not a saved variable; known: {', '.join(known)}"
            )
    return list(config.plot.variables)


def scalar_variables(ensemble: xr.Dataset, config: Config) -> list[str]:
    """The shown variables that have one value per trajectory and time."""
    dims = {*design_dims(ensemble), "time"}
    return [name for name in shown_variables(ensemble, config) if set(ensemble[name].dims) <= dims]


def shown_metrics(summary: xr.Dataset, config: Config) -> list[str]:
    """The metrics of maps and scatters: those that `plot.metric` names, else the likeliest one.

    That is the log-likelihood, else an integral, else what comes first and is no drift.
    """
    dims = summary["status"].dims
    known = [str(n) for n, v in summary.items() if v.dims == dims and n != "status"]
    if not config.plot.metrics:
        likely = [name for name in known if name == "log_likelihood"]
        integrals = [name for name in known if name.endswith("_integral")]
        others = sorted(known, key=lambda name: "drift_of" in summary[name].attrs)
        return (likely or integrals or others)[:1]
    for name in config.plot.metrics:
        if name not in known:
            raise ConfigError(f"plot.metric: {name!r} is not a metric; known: {', '.join(known)}")
    return config.plot.metrics


def shown_metric(summary: xr.Dataset, config: Config) -> str | None:
    """The first of the shown metrics, if there are any."""
    return next(iter(shown_metrics(summary, config)), None)


def example_indices(ensemble: xr.Dataset, count: int) -> list[tuple[int, ...]]:
    """Indices of `count` trajectories that succeeded, spread evenly over the design."""
    succeeded = np.argwhere(~has_failed(ensemble["status"].values))
    if not len(succeeded) or not count:
        return []
    # An irrational stride does not fall into step with the axes of a grid.
    order = np.floor(len(succeeded) * ((0.5 + np.arange(count) * 0.6180339887) % 1)).astype(int)
    return [tuple(map(int, succeeded[i])) for i in dict.fromkeys(order.tolist())]


def example(ensemble: xr.Dataset, name: str, index: tuple[int, ...]) -> np.ndarray:
    """One trajectory of a variable, time first."""
    array = ensemble[name].isel(dict(zip(design_dims(ensemble), index)))
    return array.transpose("time", ...).values
