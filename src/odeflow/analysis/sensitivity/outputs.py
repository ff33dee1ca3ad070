"""What is analysed: variables over time and metrics, a range of samples and times at once."""

import math
from typing import NamedTuple

import numpy as np
import xarray as xr

from odeflow.analysis.outputs import Samples, named_outputs
from odeflow.analysis.sensitivity.noise import Spread, absolute_tolerance
from odeflow.config.analyse import SensitivityConfig
from odeflow.config.root import Config
from odeflow.files.errors import ConfigError


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


def output_groups(
    ensemble: xr.Dataset, summary: xr.Dataset, asked: SensitivityConfig
) -> list[OutputGroup]:
    """All outputs asked for.

    Raises ConfigError for one that is not there, with the names of those that are.
    """
    chosen = named_outputs(ensemble, summary, asked.variables, asked.metrics, "analyse.sensitivity")
    arrays = list(chosen.values())
    alone = [OutputGroup((array,)) for array in arrays if array.ndim > 1]
    together = tuple(array for array in arrays if array.ndim == 1)
    found = [*alone, *([OutputGroup(together)] if together else [])]
    if not found:
        raise ConfigError(
            "analyse.sensitivity: nothing to analyse; name variables or metrics, or give null"
        )
    return found


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
        values = self._samples.read(self._group.arrays, first, last)
        self.spread.add(values)
        return values

    def is_noise(self, config: Config) -> np.ndarray:
        """Of which outputs the spread is no more than the solver's error, (output,)."""
        each = [absolute_tolerance(config, str(array.name)) for array in self._group.arrays]
        values = np.repeat(each, math.prod(self._group.shape))
        adaptive = config.solver.stepsize_controller != "constant"
        rtol = config.solver.rtol if adaptive else 0.0
        return self.spread.is_noise(rtol, np.tile(values, self._samples.runs))
