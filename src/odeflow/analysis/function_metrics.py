"""The user's own metrics of an ensemble: their functions called with courses and parameters."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.problem.axis_names import axis_coordinate


class FunctionMetrics:
    """The metrics of `summary.functions`, slab by slab.

    `attributes` are those of each in the dataset, by name; `variables` are what the functions see.
    Raises ConfigError as `MetricFunctions` does.
    """

    def __init__(self, config: Config, study: Path, ensemble: xr.Dataset):
        from odeflow.importers.metric_functions import MetricFunctions  # imports JAX

        dims = ensemble["status"].dims
        arrays = {
            str(name): array
            for name, array in ensemble.data_vars.items()
            if "time" in array.dims and "derivative_of" not in array.attrs
        }
        shapes = {
            name: tuple(array.sizes[d] for d in array.dims if d not in (*dims, "time"))
            for name, array in arrays.items()
        }
        self.variables, self._shape = list(arrays), ensemble["status"].shape
        self._dims, self._given = dims, {}
        for name, parameter in config.model.parameters.items():
            coordinate = axis_coordinate(name, config.model)
            is_axis = coordinate in ensemble.coords and set(ensemble[coordinate].dims) <= {*dims}
            self._given[name] = ensemble[coordinate] if is_axis else xr.DataArray(parameter.value)
        self._functions = MetricFunctions(
            config.summary, study, shapes, list(self._given), ensemble["time"].values
        )
        self.attributes = {
            name: {"units": units, "long_name": name.replace("_", " ")}
            for name, units in self._functions.units.items()
        }

    def of(
        self, courses: Mapping[str, np.ndarray], succeeded: np.ndarray, first: int
    ) -> dict[str, np.ndarray]:
        """Of consecutive trajectories from number `first` on; NaN for those that failed."""
        rows = first + np.flatnonzero(succeeded)
        places = dict(zip(self._dims, np.unravel_index(rows, self._shape) if self._shape else ()))
        parameters = {
            name: np.broadcast_to(
                np.asarray(given.values, float)[tuple(places[d] for d in given.dims)], (len(rows),)
            )
            for name, given in self._given.items()
        }
        found = self._functions(
            {name: np.asarray(courses[name][succeeded], float) for name in self.variables},
            parameters,
        )
        result = {}
        for name, values in found.items():
            result[name] = np.full(len(succeeded), np.nan)
            result[name][succeeded] = values
        return result


def function_metrics(config: Config, study: Path, ensemble: xr.Dataset) -> FunctionMetrics | None:
    """The metrics of a config's functions; None where it names none."""
    return FunctionMetrics(config, study, ensemble) if config.summary.functions else None
