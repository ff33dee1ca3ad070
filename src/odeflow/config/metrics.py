"""Metrics of single trajectories: which there are, their names and units, and what they are of
saved times. `odeflow.problem.reductions` has what they are of all times, through the dense output.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from odeflow.config.followed import labelled
from odeflow.config.root import Config
from odeflow.config.summary import FOLLOWED, SummaryConfig
from odeflow.config.wanted import WantedMetric, wanted_metrics
from odeflow.files.errors import ConfigError
from odeflow.problem.time_text import duration_units

Values = Float[np.ndarray, "time *rest"]
Times = Float[np.ndarray, " time"]


class TimeCourses:
    """Time courses of trajectories that have the same times; what metrics share is found once.

    Where a course ends in NaN, its trajectory has ended: metrics are those of the times before. A
    NaN in between leaves nothing to be said.
    """

    def __init__(self, y: Values, t: Times):
        self.y, self.t, self._end = y, t, t[-1]
        self._after: np.ndarray | None = None
        if np.isnan(y[-1]).any():
            self._stay_at_the_end()

    def _stay_at_the_end(self) -> None:
        """Lets the last value stand at all later times, where it changes no extreme."""
        numbers = ~np.isnan(self.y)
        last = len(self.t) - 1 - np.argmax(numbers[::-1], axis=0)
        places = np.arange(len(self.t)).reshape(-1, *[1] * last.ndim)
        after, ends = places > last, np.take_along_axis(self.y, last[None], axis=0)
        self.y = np.where(after, ends, self.y)
        self._after, self._end = after, self.t[last]

    @cached_property
    def least(self) -> np.ndarray:
        """Minimum over the saved times."""
        return self.y.min(axis=0)

    @cached_property
    def greatest(self) -> np.ndarray:
        """Maximum over the saved times."""
        return self.y.max(axis=0)

    @cached_property
    def integral(self) -> np.ndarray:
        """Trapezoidal rule over the saved times (the area under the curve)."""
        half = np.diff(self.t) / 2
        column = lambda x: x.reshape(-1, *[1] * (self.y.ndim - 1))
        if self._after is not None:
            pieces = column(half) * (self.y[1:] + self.y[:-1])
            return np.where(self._after[1:], 0.0, pieces).sum(axis=0)
        weights = np.concatenate([half, [0.0]]) + np.concatenate([[0.0], half])
        return (column(weights) * self.y).sum(axis=0)

    @property
    def mean(self) -> np.ndarray:
        """Time average, by the trapezoidal rule over the saved times."""
        return self.integral / (self._end - self.t[0])

    def log_slope(self, last: int) -> np.ndarray:
        """The slope of the logarithm over the last so many saved times: of the straight line whose
        squares are least. NaN where there are not as many.
        """
        numbers = np.isfinite(self.y)
        if self._after is not None:
            numbers &= ~self._after
        places = np.cumsum(numbers[::-1], axis=0)[::-1]
        used = numbers & (places <= last)
        t = self.t.reshape(-1, *[1] * (self.y.ndim - 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.where(used, np.log(np.where(used, self.y, 1.0)), 0.0)
            mean_t = np.where(used, t, 0.0).sum(axis=0) / last
            moved = np.where(used, t - mean_t, 0.0)
            slope = (moved * logs).sum(axis=0) / (moved**2).sum(axis=0)
        enough = (places[0] >= last) & np.isfinite(slope)
        return np.where(enough, slope, np.nan)

    def time_of(self, choose: Callable[..., np.ndarray], extreme: np.ndarray) -> np.ndarray:
        """The saved time of an extreme, which `np.argmin` or `np.argmax` chooses."""
        return np.where(np.isnan(extreme), np.nan, self.t[choose(self.y, axis=0)])


class MetricDefinition(NamedTuple):
    """A metric: what it is of a time course, and how to name it.

    `units` is a template for the units of the variable and of the time, `long_name` for the name
    of the variable.
    """

    function: Callable[[TimeCourses], np.ndarray]
    units: str
    long_name: str
    needs_times: bool = True


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
    "final": MetricDefinition(lambda c: c.y[-1], "{y}", "final {name}", needs_times=False),
    "min": MetricDefinition(lambda c: c.least, "{y}", "minimum of {name}", needs_times=False),
    "max": MetricDefinition(lambda c: c.greatest, "{y}", "maximum of {name}", needs_times=False),
    "mean": MetricDefinition(lambda c: c.mean, "{y}", "time average of {name}"),
    "integral": MetricDefinition(lambda c: c.integral, "{y} {t}", "time integral of {name}"),
    "time_of_min": MetricDefinition(
        lambda c: c.time_of(np.argmin, c.least), "{t}", "time of the minimum of {name}"
    ),
    "time_of_max": MetricDefinition(
        lambda c: c.time_of(np.argmax, c.greatest), "{t}", "time of the maximum of {name}"
    ),
    "amplitude": MetricDefinition(
        lambda c: c.greatest - c.least, "{y}", "range of {name}", needs_times=False
    ),
}
#: Metrics that are one of the saved times, and so have no derivative: they move in jumps.
WITHOUT_SLOPE = ("time_of_min", "time_of_max")


def product_units(template: str, y: str, t: str) -> str:
    """Units from a template, without factors of one: `mmol/L` times `1` is `mmol/L`."""
    factors = [f for f in template.format(y=y, t=t).split(" ") if f != "1"]
    return " ".join(factors) or "1"


def metric_function(wanted: WantedMetric) -> Callable[[TimeCourses], np.ndarray] | None:
    """A metric as a function of saved times; None for one that follows what lies between them."""
    metric, threshold, last = wanted.metric, wanted.threshold, wanted.last
    if threshold is not None:
        return lambda c: first_time_beyond(c.y, c.t, threshold, metric == "first_time_above")
    if last is not None and metric == "slope":
        return lambda c: c.log_slope(last)
    if last is not None:
        return lambda c: _half_life(c.log_slope(last))
    return METRICS[metric].function if metric in METRICS else None


def _half_life(slope: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(slope < 0, np.log(2) / -slope, np.nan)


def needs_times(metric: str) -> bool:
    """Whether a metric means nothing for a single saved time."""
    return metric not in METRICS or METRICS[metric].needs_times


def metric_attributes(
    wanted: WantedMetric, units: str, long_name: str, time_units: str
) -> dict[str, str]:
    """`units` and `long_name` of a metric, from those of its variable."""
    metric, threshold = wanted.metric, wanted.threshold
    if wanted.words:
        own = product_units(wanted.units, units, time_units)
        behind = {
            f"of_{key}": "" if x == "1" else f" {x}" for key, x in (("y", units), ("t", time_units))
        }
        return {"units": own, "long_name": wanted.words.format(name=long_name, **behind)}
    if threshold is not None:
        side = metric.removeprefix("first_time_")
        words = f"first time {long_name} is {side} {threshold:g} {units}".removesuffix(" 1")
        return {"units": time_units, "long_name": words}
    known = METRICS[metric]
    # a time is one of those since a date; what is multiplied by it is not
    t = time_units if known.units == "{t}" else duration_units(time_units)
    made = product_units(known.units, units, t)
    return {"units": made, "long_name": known.long_name.format(name=long_name)}


def reduces_metrics(config: Config, own_ends: bool) -> bool:
    """Whether metrics are computed while solving.

    They are where no times are saved; and where a trajectory may jump or end between saved times,
    by doses, stops, events or an end of its own, since what lies between is then not to be had from
    the values there.
    """
    ends_or_jumps = bool(config.is_dosed or config.stop or config.model.events or own_ends)
    return config.saveat.ts is None or ends_or_jumps


def reduced_summary(config: Config, own_ends: bool) -> SummaryConfig:
    """The part of `summary` that is computed while solving.

    What follows the course between saved times always is, other metrics where `reduces_metrics`.
    The same for every config that asks for the same numbers. `final` is none of them where no times
    are saved: the end value is. `own_ends` is whether each trajectory has an end of its own.
    """
    wanted = config.summary
    part: dict[str, object] = {"metrics": []}
    part |= {key: getattr(wanted, key) for key in FOLLOWED if not key.startswith("first_time_")}
    part["slope"] = {
        variable: there
        for variable, slopes in wanted.slope.items()
        if (there := [one for one in labelled(slopes) if one.last is None])
    }
    if reduces_metrics(config, own_ends):
        saved = ["final"] if config.saveat.ts is None else []
        part["metrics"] = [m for m in METRICS if m in wanted.metrics and m not in saved]
        for key in ("first_time_above", "first_time_below"):
            part[key] = getattr(wanted, key)
    if any(part.values()) and wanted.variables is not None:
        part["variables"] = sorted(wanted.variables)
    return SummaryConfig.model_validate(part)


def check_metric_names(
    summary: SummaryConfig, variables: Iterable[str], taken: Iterable[str]
) -> None:
    """Raises ConfigError for a metric whose name in the dataset something else has already."""
    names = dict.fromkeys(taken, "something in the model")
    for variable in variables:
        quantiles = ["quantiles"] if summary.quantiles else []
        for metric in [*wanted_metrics(summary, variable), *quantiles]:
            name = f"{variable}_{metric}"
            if name in names:
                raise ConfigError(
                    f"summary: the {metric} of {variable!r} would be called {name}, as "
                    f"{names[name]} is; rename that, or leave the metric out"
                )
            names[name] = f"the {metric} of {variable!r}"
    for name in summary.function_units:
        if name in names:
            raise ConfigError(
                f"summary.function_units: {names[name]} is called {name}; rename what the function "
                "returns"
            )
