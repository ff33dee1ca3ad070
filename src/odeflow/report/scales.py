"""Which scale an axis has: by the config, else by a rule that knows what is dust."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.problem.axis_names import axis_coordinate

#: Values over this many decades are drawn on a logarithmic axis.
_DECADES = 3.0
#: The part of the values that may lie below these decades: a few small ones decide nothing.
_LOWEST = 0.15
#: The part of the values that may be dust on such an axis.
_MOST_DUST = 0.25
#: A solver's values are dust below this many times their absolute tolerance.
_SAFETY = 10.0
#: Metrics in the units of their variable.
_OF_VALUES = ("_final", "_min", "_max", "_mean", "_amplitude")


class Scale(NamedTuple):
    """How an axis of values is drawn, and the smallest value that means anything on it."""

    kind: str
    floor: float

    def apply(self, axis, values: np.ndarray) -> None:
        """Sets the scale of an axis of Matplotlib; a logarithmic one ends at the floor.

        Arguments:
            axis: `ax.xaxis` or `ax.yaxis`.
            values: what is drawn along it.
        """
        name = axis.axis_name
        set_scale = getattr(axis.axes, f"set_{name}scale")
        if self.kind == "symlog":
            set_scale("symlog", linthresh=self.floor)
        elif self.kind == "log":
            set_scale("log")
            finite = values[np.isfinite(values) & (values > 0)]
            if finite.size and finite.min() < self.floor < finite.max():
                axis.axes.set(**{f"{name}lim": (self.floor, None)})


def dust_of(variable: str, config: Config) -> float:
    """Below which size values of a variable are the solver's noise.

    Arguments:
        variable: a state, or an observable, for which the largest tolerance of a state counts.
        config: the experiment.
    """
    return _SAFETY * config.solver.tolerances(config.model.states).of(variable)


def metric_dust(name: str, config: Config) -> float:
    """Below which size a metric is the solver's noise: its variable's, where units are the same.

    Arguments:
        name: the metric, `<variable>_<metric>`.
        config: the experiment.
    """
    for ending in _OF_VALUES:
        if name.endswith(ending):
            return dust_of(name.removesuffix(ending), config)
    return 0.0


def value_scale(values: np.ndarray, dust: float, asked: str = "auto") -> Scale:
    """The scale of an axis of values.

    Arguments:
        values: what is drawn; what is not finite does not count.
        dust: sizes below this mean nothing.
        asked: `linear`, `log`, `symlog`, or `auto`: logarithmic where values range over three
            decades above the dust, all but the lowest 15% of them, and at most a quarter of
            them are dust.

    Returns:
        The scale. Its floor is the dust, or the smallest positive value where all are above it.
    """
    finite = values[np.isfinite(values)]
    positive = finite[finite > 0]
    floor = max(dust, float(positive.min())) if positive.size else dust
    if asked == "symlog":
        return Scale("symlog", dust if dust > 0 else 1.0)
    if asked == "linear" or not positive.size or positive.max() <= floor:
        return Scale("linear", floor)
    if asked == "log":
        return Scale("log", floor)
    in_dust = np.count_nonzero(finite < dust) / finite.size
    meant = positive[positive >= floor]
    spans = positive.max() / np.quantile(meant, _LOWEST) > 10**_DECADES
    return Scale("log" if spans and in_dust <= _MOST_DUST else "linear", floor)


def is_log_axis(coordinate: str, config: Config) -> bool:
    """Whether an axis of the design is laid out evenly in the logarithm."""
    laws = {axis_coordinate(name, config.model): a.law for name, a in config.design.axes.items()}
    return laws.get(coordinate) in (
        *("logspace", "geomspace", "loguniform", "lognormal", "trunclognormal"),
        "truncloglaplace",
    )


def is_log_time(time: xr.DataArray, config: Config) -> bool:
    """Whether time is drawn on a logarithmic axis: as the config says, else as times are spaced."""
    if config.plot.log_time is not None:
        return config.plot.log_time
    return is_geometric(time.values[time.values > 0].tolist())


def is_geometric(levels: Sequence[float]) -> bool:
    """Whether increasing levels are spaced more evenly on a logarithmic axis."""
    if len(levels) < 4 or levels[0] <= 0:
        return False
    ratio, step = levels[-1] / levels[0], levels[-1] - levels[0]
    middle = levels[len(levels) // 2]
    in_log = math.log(middle / levels[0]) / math.log(ratio)
    return ratio > 20 and abs(in_log - 0.5) < abs((middle - levels[0]) / step - 0.5)
