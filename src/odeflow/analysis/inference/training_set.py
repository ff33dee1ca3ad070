"""A training set, shard by shard: parameters, noisy outputs, and which rows can be learned from.

Every random word has a place in a stream of its output: that of the row, then of the value. So a
row has the same numbers whatever the shards, the number of samples and the other outputs are.
"""

import json
from collections.abc import Iterator
from functools import cached_property

import numpy as np
import xarray as xr

from odeflow.analysis.inference.features import Feature, features, parameter_labels
from odeflow.analysis.outputs import SAMPLE, Samples, named_outputs
from odeflow.config.root import Config
from odeflow.config.simulate_for_inference import SHARD_UNIT
from odeflow.design.laws import quantile
from odeflow.design.streams import open_unit, stream
from odeflow.files.errors import ConfigError
from odeflow.problem.axis_names import axis_coordinate
from odeflow.problem.noise import drawn

KEY = "analyse.simulate_for_inference"
#: Bytes of the outputs of a shard whose size is left open, and its most rows.
_SHARD_BYTES, _MOST_ROWS = 2**26, 2**16
#: Attributes of the ensemble that are not repeated.
_ENSEMBLE_ONLY = {"odeflow_config", "odeflow_model_source", "odeflow_model_data"}


class TrainingSet:
    """The training set of an experiment.

    Each row has `theta` (parameter), the noisy outputs `x` (feature), the same without noise as
    `x_without_noise`, `failed`, `num_missing` and `valid`: whether it neither failed nor misses a
    value. No row is left out.

    Arguments:
        config: the experiment, with `analyse.simulate_for_inference`.
        axes: names of the design's axes.
        ensemble: its `ensemble.nc`, opened.
        summary: its `summary.nc`, opened.

    Raises:
        ConfigError: an output asked for is not there, or noise names none.
    """

    def __init__(self, config: Config, axes: list[str], ensemble: xr.Dataset, summary: xr.Dataset):
        asked = config.analyse.simulate_for_inference
        assert asked is not None
        self._config, self._asked, self._axes = config, asked, axes
        self._ensemble = ensemble
        self._outputs = named_outputs(ensemble, summary, asked.variables, asked.metrics, KEY)
        if not self._outputs:
            raise ConfigError(f"{KEY}: no outputs; name metrics or variables, or give null")
        for name in asked.noise:
            if name not in self._outputs:
                raise ConfigError(
                    f"{KEY}.noise.{name}: not one of the outputs, {', '.join(self._outputs)}"
                )
        self._samples = Samples(ensemble, config.design.runs)

    @property
    def number(self) -> int:
        """Rows: sets of the axes' values."""
        return self._samples.number

    @cached_property
    def features(self) -> list[Feature]:
        """What the columns of `x` are."""
        conditions = list(self._config.design.conditions)
        return features(self._outputs, conditions, self._asked.noise)

    @property
    def shard_size(self) -> int:
        """Rows of a shard, but for the last one."""
        if self._asked.shard_size != "auto":
            return self._asked.shard_size
        rows = _SHARD_BYTES // (8 * len(self.features)) // SHARD_UNIT * SHARD_UNIT
        return min(max(rows, SHARD_UNIT), _MOST_ROWS)

    def shards(self) -> Iterator[xr.Dataset]:
        """The shards in order."""
        for start in range(0, self.number, self.shard_size):
            yield self.rows(start, min(start + self.shard_size, self.number))

    def rows(self, start: int, stop: int) -> xr.Dataset:
        """Rows start..stop, labelled."""
        theta = self._theta(start, stop)
        simulated = self._samples.read(list(self._outputs.values()), start, stop)
        x = self._with_noise(simulated, theta, start, stop)
        failed = self._failed(start, stop)
        missing = np.isnan(x).sum(axis=1)
        units = {"units": "1"}
        data = {
            "theta": (
                (SAMPLE, "parameter"),
                np.stack(list(theta.values()), axis=1),
                {"long_name": "parameters"},
            ),
            "x": ((SAMPLE, "feature"), x, {"long_name": "outputs with noise"}),
            "x_without_noise": ((SAMPLE, "feature"), simulated, {"long_name": "outputs"}),
            "failed": (
                SAMPLE,
                failed.astype(np.int8),
                {"long_name": "whether a trajectory failed"} | units,
            ),
            "num_missing": (
                SAMPLE,
                missing.astype(np.int32),
                {"long_name": "outputs that have no value"} | units,
            ),
            "valid": (
                SAMPLE,
                (~failed & (missing == 0)).astype(np.int8),
                {"long_name": "whether the row can be learned from"} | units,
            ),
        }
        number = np.arange(start, stop)
        coords = {
            SAMPLE: (SAMPLE, number, {"long_name": "row of the training set"}),
            **parameter_labels(self._config, self._axes),
            **_labels(self.features),
        }
        return xr.Dataset(data, coords, self._attributes)

    @cached_property
    def _attributes(self) -> dict[str, str]:
        kept = {k: v for k, v in self._ensemble.attrs.items() if k not in _ENSEMBLE_ONLY}
        noise = {name: {law.law: law.level} for name, law in self._asked.noise.items()}
        title = f"{kept.get('title', self._config.name)}, a training set"
        own = {"title": title, "seed": str(self._asked.seed), "noise": json.dumps(noise)}
        return kept | own

    def _theta(self, start: int, stop: int) -> dict[str, np.ndarray]:
        """The parameters by name: those of the design, then those that noise alone reads."""
        runs = self._samples.runs
        rows = slice(start * runs, stop * runs, runs)
        found = {}
        for name in self._axes:
            coordinate = self._ensemble[axis_coordinate(name, self._config.model)]
            found[name] = coordinate[rows].values.astype(float)
        for name, axis in self._asked.parameters.items():
            words = stream(f"parameter {name} {self._asked.seed}", start, stop)
            found[name] = quantile(axis, open_unit(words))
        return found

    def _failed(self, start: int, stop: int) -> np.ndarray:
        runs = self._samples.runs
        by_row = self._samples.failed[start * runs : stop * runs].reshape(-1, runs)
        return np.any(by_row, axis=1)

    def _with_noise(
        self, simulated: np.ndarray, theta: dict[str, np.ndarray], start: int, stop: int
    ) -> np.ndarray:
        x = simulated.copy()
        runs = self._samples.runs
        by_run = x.reshape(stop - start, runs, -1)
        first = 0
        for name, array in self._outputs.items():
            width = int(np.prod(array.shape[1:]))
            columns = slice(first, first + width)
            first += width
            law = self._asked.noise.get(name)
            if law is None:
                continue
            places = runs * width
            words = stream(f"noise {name} {self._asked.seed}", start * places, stop * places)
            unit = open_unit(words).reshape(stop - start, runs, width)
            level = np.asarray(theta[law.level] if isinstance(law.level, str) else law.level)
            level = np.where(level > 0, level, np.nan).reshape(-1, 1, 1)
            by_run[:, :, columns] = drawn(by_run[:, :, columns], unit, level, law.model)
        return x


def _labels(columns: list[Feature]) -> dict[str, xr.Variable]:
    """The coordinates of the columns of `x`."""
    text = lambda key: np.array([getattr(one, key) for one in columns], dtype=object)
    return {
        "feature": xr.Variable("feature", text("name"), {"long_name": "output"}),
        "feature_of": xr.Variable("feature", text("output"), {"long_name": "variable or metric"}),
        "feature_units": xr.Variable("feature", text("units")),
        "feature_noise": xr.Variable("feature", text("noise"), {"long_name": "law of the noise"}),
        "feature_condition": xr.Variable("feature", text("condition")),
        "feature_time": xr.Variable(
            "feature",
            np.array([one.time for one in columns], float),
            {"long_name": "time of a variable's value, NaN of a metric"},
        ),
    }
