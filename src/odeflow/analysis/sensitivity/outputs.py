"""What is analysed: variables over time and metrics, a range of samples and times at once."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from odeflow.analysis.sensitivity.noise import Spread, absolute_tolerance
from odeflow.config.analyse import SensitivityConfig
from odeflow.config.root import Config
from odeflow.ensemble.labels import OUTCOMES
from odeflow.files.errors import ConfigError
from odeflow.problem.status import has_failed

SAMPLE = "sample"


class OutputGroup(NamedTuple):
    """Outputs that are worked on together: one over time, or all that have one number a sample.

    `arrays` have the dimension `sample` first and the same shape behind it.
    """

    arrays: tuple[xr.DataArray, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the values of one sample, without those of several arrays."""
        return self.arrays[0].shape[1:]

    @property
    def dims(self) -> tuple[str, ...]:
        """Of the values of one sample."""
        return tuple(map(str, self.arrays[0].dims[1:]))

    def parts(self, most: int) -> list["OutputGroup"]:
        """Cut along the dimension behind the samples, so that at most so many outputs are in each.

        At least one of that dimension is.
        """
        if not self.shape:
            size = max(most, 1)
            return [
                OutputGroup(self.arrays[i : i + size]) for i in range(0, len(self.arrays), size)
            ]
        size = max(most // max(int(np.prod(self.shape[1:])), 1), 1)
        dim = self.dims[0]
        return [
            OutputGroup(tuple(array.isel({dim: slice(i, i + size)}) for array in self.arrays))
            for i in range(0, self.shape[0], size)
        ]

    def read(self, first: int, last: int) -> np.ndarray:
        """Values of samples first..last, (sample, output), array by array."""
        rows = [
            array[first:last].values.astype(float).reshape(last - first, -1)
            for array in self.arrays
        ]
        return rows[0] if len(rows) == 1 else np.concatenate(rows, axis=1)


def output_groups(
    ensemble: xr.Dataset, summary: xr.Dataset, asked: SensitivityConfig
) -> list[OutputGroup]:
    """All outputs asked for.

    Raises ConfigError for one that is not there, with the names of those that are.
    """
    metrics = {
        str(name): array
        for name, array in summary.items()
        if array.dims[:1] == (SAMPLE,) and name not in OUTCOMES and _is_plain(array)
    }
    variables = {
        str(name): array
        for name, array in ensemble.items()
        if SAMPLE in array.dims and name not in {*OUTCOMES, *metrics} and _is_plain(array)
    }
    chosen = _chosen(variables, asked.variables, "variables")
    chosen |= _chosen(metrics, asked.metrics, "metrics")
    arrays = [array.transpose(SAMPLE, ...) for array in chosen.values()]
    alone = [OutputGroup((array,)) for array in arrays if array.ndim > 1]
    together = tuple(array for array in arrays if array.ndim == 1)
    found = [*alone, *([OutputGroup(together)] if together else [])]
    if not found:
        raise ConfigError(
            "analyse.sensitivity: nothing to analyse; name variables or metrics, or give null"
        )
    return found


def _is_plain(array: xr.DataArray) -> bool:
    """Whether it is a number of the model's, and not a derivative or a drift."""
    return array.dtype.kind == "f" and not {"derivative_of", "drift_of"} & array.attrs.keys()


def _chosen(
    known: dict[str, xr.DataArray], names: Sequence[str] | None, key: str
) -> dict[str, xr.DataArray]:
    if names is None:
        return known
    for name in names:
        if name not in known:
            raise ConfigError(
                f"analyse.sensitivity.{key}: {name!r} is not there; known: {', '.join(known)}"
            )
    return {name: known[name] for name in names}


class Samples:
    """The samples of a design by sets of the axes' values, each under all conditions."""

    def __init__(self, ensemble: xr.Dataset, runs: int):
        self._failed = has_failed(ensemble["status"].values)
        self.runs, self.number = runs, len(self._failed) // runs

    def read(self, group: OutputGroup, first: int, last: int) -> np.ndarray:
        """Values of sets first..last, (set, outputs under each condition), NaN where one failed."""
        rows = slice(first * self.runs, last * self.runs)
        values = group.read(rows.start, rows.stop)
        values[self._failed[rows]] = np.nan
        return values.reshape(last - first, -1)


class Reader:
    """Reads the outputs of a group, and keeps how far they spread.

    An output is a value of one array under one condition: conditions, arrays, then their values.
    """

    def __init__(self, samples: Samples, group: OutputGroup):
        self._samples, self._group = samples, group
        self.spread = Spread()
        self.width = samples.runs * len(group.arrays) * math.prod(group.shape)

    def read(self, first: int, last: int) -> np.ndarray:
        """Values of sets first..last, (set, output)."""
        values = self._samples.read(self._group, first, last)
        self.spread.add(values)
        return values

    def is_noise(self, config: Config) -> np.ndarray:
        """Of which outputs the spread is no more than the solver's error, (output,)."""
        each = [absolute_tolerance(config, str(array.name)) for array in self._group.arrays]
        values = np.repeat(each, math.prod(self._group.shape))
        adaptive = config.solver.stepsize_controller != "constant"
        rtol = config.solver.rtol if adaptive else 0.0
        return self.spread.is_noise(rtol, np.tile(values, self._samples.runs))
