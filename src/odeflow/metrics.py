"""Metrics of single trajectories: reductions over time of arrays with time as one axis."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

Values = Float[np.ndarray, "time *rest"]
Times = Float[np.ndarray, " time"]


class MetricDefinition(NamedTuple):
    """A metric: its function of (y, t), and how to name it.

    `units` is a template of the variable's and the time's units; `long_name` of the variable's.
    """

    function: Callable[[Values, Times], np.ndarray]
    units: str
    long_name: str
    needs_times: bool = True


def integral(y: Values, t: Times) -> np.ndarray:
    """Trapezoidal rule over the saved times (the area under the curve)."""
    return np.trapezoid(y, t, axis=0)


def mean(y: Values, t: Times) -> np.ndarray:
    """Time average, by the trapezoidal rule over the saved times."""
    return integral(y, t) / (t[-1] - t[0])


def _time_at(choose: Callable[..., np.ndarray]) -> Callable[[Values, Times], np.ndarray]:
    def time_at(y: Values, t: Times) -> np.ndarray:
        # argmax would find the NaN of a failed trajectory, which is masked afterwards
        return t[choose(y, axis=0)]

    return time_at


def first_time_beyond(y: Values, t: Times, threshold: float, above: bool) -> np.ndarray:
    """First time y is above (or below) a threshold, linear between saved times; NaN if never.

    The first saved time where y is beyond the threshold there already.
    """
    distance = (y - threshold) if above else (threshold - y)
    beyond = distance > 0
    index = np.argmax(beyond, axis=0)
    before = np.maximum(index - 1, 0)
    take = lambda values, at: np.take_along_axis(values, at[None], axis=0)[0]
    d0, d1 = take(distance, before), take(distance, index)
    with np.errstate(divide="ignore", invalid="ignore"):
        fraction = np.where(index == 0, 0.0, -d0 / (d1 - d0))
    found = t[before] + fraction * (t[index] - t[before])
    return np.where(beyond.any(axis=0), found, np.nan)


METRICS: dict[str, MetricDefinition] = {
    "final": MetricDefinition(lambda y, t: y[-1], "{y}", "final {name}", needs_times=False),
    "min": MetricDefinition(lambda y, t: y.min(0), "{y}", "minimum of {name}", needs_times=False),
    "max": MetricDefinition(lambda y, t: y.max(0), "{y}", "maximum of {name}", needs_times=False),
    "mean": MetricDefinition(mean, "{y}", "time average of {name}"),
    "integral": MetricDefinition(integral, "{y} {t}", "time integral of {name}"),
    "time_of_min": MetricDefinition(_time_at(np.argmin), "{t}", "time of the minimum of {name}"),
    "time_of_max": MetricDefinition(_time_at(np.argmax), "{t}", "time of the maximum of {name}"),
    "amplitude": MetricDefinition(
        lambda y, t: y.max(0) - y.min(0), "{y}", "range of {name}", needs_times=False
    ),
}


def product_units(template: str, y: str, t: str) -> str:
    """Units from a template, without factors of one: `mmol/L` times `1` is `mmol/L`."""
    factors = [f for f in template.format(y=y, t=t).split(" ") if f != "1"]
    return " ".join(factors) or "1"
