"""Metrics that follow a variable through its course, as records: what is asked for, in numbers.

`odeflow.problem.trackers` has how each is found in the solver's steps.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

#: A peak that stands out by no more tolerances than this may be one of the solver's errors.
NOISE = 10.0


@dataclass(frozen=True)
class FirstTime:
    """The first time at which a variable is above a threshold; below, where `sign` is -1."""

    threshold: float
    sign: int


@dataclass(frozen=True)
class CountedCrossings:
    """How often a variable crosses a threshold, and when: first, last, the first `times`.

    `direction` is 1 for upwards, -1 for downwards, 0 for both. Those from `start` to `end` count.
    """

    threshold: float
    direction: int
    times: int = 0
    start: float = -math.inf
    end: float = math.inf


@dataclass(frozen=True)
class CountedPeaks:
    """How many peaks a variable has, when, and how high the first `times` are.

    A peak is where it has risen by more than its prominence, which it then falls by:
    `prominence + relative |height|`. Those from `start` to `end` count.
    """

    prominence: float | None
    relative: float = 0.0
    times: int = 0
    start: float = -math.inf
    end: float = math.inf


@dataclass(frozen=True)
class TimeBeyond:
    """For how long a variable is above a threshold between two times; below, for a `sign` of -1."""

    threshold: float
    sign: int
    start: float = -math.inf
    end: float = math.inf


@dataclass(frozen=True)
class WindowIntegral:
    """The integral of a variable between two times."""

    start: float = -math.inf
    end: float = math.inf


@dataclass(frozen=True)
class ValueAt:
    """The value of a variable at a time."""

    time: float


@dataclass(frozen=True)
class LogSlope:
    """The slope of a variable's logarithm between two times: that of the straight line which is
    nearest to it there, in the mean of squares over the time.
    """

    start: float = -math.inf
    end: float = math.inf


Measure = (
    FirstTime | CountedCrossings | CountedPeaks | TimeBeyond | WindowIntegral | ValueAt | LogSlope
)
#: Measures that depend on where a variable passes a value or turns.
CURVED = (FirstTime, CountedCrossings, CountedPeaks, TimeBeyond)


class MeasuredPart(NamedTuple):
    """One number of what a measure gives, by its name there."""

    measure: Measure
    output: str


def regularity(number: np.ndarray, first: np.ndarray, last: np.ndarray) -> dict[str, np.ndarray]:
    """The mean time from one of several events to the next, and how many there are in a unit of
    time then; NaN where there are less than two.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        interval = np.where(number > 1, (last - first) / (number - 1), np.nan)
        return {"interval": interval, "frequency": 1 / interval}
