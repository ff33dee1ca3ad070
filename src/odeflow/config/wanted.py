"""The metrics that `summary` asks for of one variable: their names, and what each of them is."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from odeflow.config.followed import (
    CrossingsConfig,
    One,
    PeaksConfig,
    SlopeConfig,
    Windowed,
    labelled,
)
from odeflow.config.summary import SummaryConfig
from odeflow.problem.measures import (
    CountedCrossings,
    CountedPeaks,
    LogSlope,
    MeasuredPart,
    TimeBeyond,
    ValueAt,
    WindowIntegral,
)


class WantedMetric(NamedTuple):
    """A metric of a variable.

    One of `METRICS`, or with a `threshold` `first_time_above` or `first_time_below`. Any other is a
    `part` of a measure, or of the `last` so many saved times; it has `units` and `words` of its
    own, in which {y} stands for the units of the variable, {t} for those of the time and {name}
    for what the variable is called; {of_y} and {of_t} are these units behind a number.
    """

    metric: str
    threshold: float | None = None
    part: MeasuredPart | None = None
    last: int | None = None
    units: str = ""
    words: str = ""


def wanted_metrics(summary: SummaryConfig, variable: str) -> dict[str, WantedMetric]:
    """The metrics of one variable that a config asks for, by what follows its name in theirs."""
    wanted = {metric: WantedMetric(metric) for metric in summary.metrics}
    for metric in ("first_time_above", "first_time_below"):
        for label, one in _named(getattr(summary, metric).get(variable, ())):
            wanted[metric + label] = WantedMetric(metric, one.threshold)
    for metric in followed_metrics(summary, variable):
        wanted |= metric
    return wanted


def followed_metrics(summary: SummaryConfig, variable: str) -> Iterator[dict[str, WantedMetric]]:
    """Those that are followed through its course: all of one record together."""
    for label, crossings in _named(summary.crossings.get(variable, ())):
        yield _crossings(crossings, label)
    for label, peaks in _named(summary.peaks.get(variable, ())):
        yield _peaks(peaks, label)
    for key, sign in (("time_above", 1), ("time_below", -1)):
        for label, one in _named(getattr(summary, key).get(variable, ())):
            part = MeasuredPart(TimeBeyond(one.threshold, sign, *one.window), "duration")
            side, times = key.removeprefix("time_"), _times(one)
            words = f"time during which {{name}} is {side} {one.threshold:g}{{of_y}}{times}"
            yield {key + label: WantedMetric(key, part=part, units="{t}", words=words)}
    for label, one in _named(summary.integral_over.get(variable, ())):
        part, key = MeasuredPart(WindowIntegral(*one.window), "integral"), "integral_over"
        words = f"time integral of {{name}}{_times(one)}"
        yield {key + label: WantedMetric(key, part=part, units="{y} {t}", words=words)}
    for label, one in _named(summary.value_at.get(variable, ())):
        part, key = MeasuredPart(ValueAt(one.time), "value"), "value_at"
        words = f"{{name}} at {one.time:g}{{of_t}}"
        yield {key + label: WantedMetric(key, part=part, units="{y}", words=words)}
    for label, slope in _named(summary.slope.get(variable, ())):
        yield _slope(slope, label)


def _named(records: Sequence[One]) -> Iterator[tuple[str, One]]:
    """Each record with what its names end in."""
    for one in labelled(records):
        yield "" if one.label is None else f"_{one.label}", one


def _crossings(one: CrossingsConfig, label: str) -> dict[str, WantedMetric]:
    direction = {"up": 1, "down": -1, "both": 0}[one.direction]
    measure = CountedCrossings(one.threshold, direction, one.times, *one.window)
    verb = {"up": "rises above", "down": "falls below", "both": "crosses"}[one.direction]
    passes, times = f"{{name}} {verb} {one.threshold:g}{{of_y}}", _times(one)
    known = {
        "crossings": ("number", "1", f"number of times {passes}{times}"),
        "crossing_first": ("first", "{t}", f"first time {passes}{times}"),
        "crossing_last": ("last", "{t}", f"last time {passes}{times}"),
        "crossing_interval": ("interval", "{t}", f"mean time between two times {passes}{times}"),
        "crossing_frequency": ("frequency", "1/{t}", f"frequency at which {passes}{times}"),
    }
    for number in range(1, one.times + 1):
        words = f"time {number} of those at which {passes}{times}"
        known[f"crossing_time_{number}"] = (f"time_{number}", "{t}", words)
    return {
        name + label: WantedMetric("crossings", None, MeasuredPart(measure, output), None, *rest)
        for name, (output, *rest) in known.items()
    }


def _peaks(one: PeaksConfig, label: str) -> dict[str, WantedMetric]:
    measure = CountedPeaks(one.prominence, 0.0, one.times, *one.window)
    times = _times(one)
    known = {
        "peaks": ("number", "1", f"number of peaks of {{name}}{times}"),
        "peak_interval": ("interval", "{t}", f"mean time between two peaks of {{name}}{times}"),
        "peak_frequency": ("frequency", "1/{t}", f"frequency of the peaks of {{name}}{times}"),
    }
    for number in range(1, one.times + 1):
        of = f"peak {number} of {{name}}{times}"
        known[f"peak_time_{number}"] = (f"time_{number}", "{t}", f"time of {of}")
        known[f"peak_height_{number}"] = (f"height_{number}", "{y}", f"height of {of}")
    return {
        name + label: WantedMetric("peaks", None, MeasuredPart(measure, output), None, *rest)
        for name, (output, *rest) in known.items()
    }


def _slope(one: SlopeConfig, label: str) -> dict[str, WantedMetric]:
    measure = LogSlope(*one.window)
    where = f" over the last {one.last} saved times" if one.last else _times(one)
    known = {
        "slope": ("slope", "1/{t}", f"slope of the logarithm of {{name}}{where}"),
        "half_life": ("half_life", "{t}", f"half-life of {{name}}{where}"),
    }
    return {
        name + label: WantedMetric(
            name, None, None if one.last else MeasuredPart(measure, output), one.last, *rest
        )
        for name, (output, *rest) in known.items()
    }


def _times(one: Windowed) -> str:
    """The time span in words, with a blank before."""
    start, end = one.window
    if math.isinf(start) and math.isinf(end):
        return ""
    if math.isinf(start):
        return f" until {end:g}{{of_t}}"
    if math.isinf(end):
        return f" from {start:g}{{of_t}} on"
    return f" from {start:g} to {end:g}{{of_t}}"
