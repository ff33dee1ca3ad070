"""What is made of one trajectory's errors: passed, tolerances too loose, failed, or not judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

import numpy as np

#: The end of a stopped trajectory among what is compared.
TIME_REACHED = "time_reached"


def is_of_end(name: str) -> bool:
    """Whether something is of the end of a trajectory: its time, or a derivative of that."""
    return name == TIME_REACHED or name.startswith(f"d_{TIME_REACHED}_d_")


class Outcome(IntEnum):
    """What became of a trajectory, or of a run. Numbers are part of the dataset."""

    passed = 0
    tolerances_too_loose = 1
    failed = 2
    not_judged = 3

    @property
    def words(self) -> str:
        """As it is printed."""
        return self.name.replace("_", " ")


class Limits(NamedTuple):
    """What is allowed: an error relative to its variable's scale, and one over its tolerance."""

    relative: float
    ratio: float


@dataclass(frozen=True)
class Errors:
    """Of one variable of a trajectory: its errors and what they are measured by.

    All have the shape (time, ...) of the saved values but for `scale` and `below`, which have one
    number per component: its largest size on the whole course, and whether that lies below its
    absolute tolerance. `error` is NaN where nothing is compared, `uncertainty` is that of the
    reference.
    """

    error: np.ndarray
    uncertainty: np.ndarray
    tolerance: np.ndarray
    scale: np.ndarray
    below: np.ndarray

    @property
    def relative(self) -> np.ndarray:
        """Errors relative to the scale; NaN for what lies below its absolute tolerance."""
        return _over(self.error, np.where(self.below, np.nan, self.scale))

    @property
    def ratio(self) -> np.ndarray:
        """Errors over their tolerances."""
        return _over(self.error, self.tolerance)

    @property
    def at_least(self) -> np.ndarray:
        """The part of the errors that is sure."""
        with np.errstate(invalid="ignore"):
            sure = self.error - self.uncertainty
        # an infinite error is one, however uncertain a number is
        sure = np.where(np.isinf(self.error) & ~np.isinf(self.uncertainty), np.inf, sure)
        return np.where(
            np.isnan(sure), np.where(np.isnan(self.error), np.nan, 0.0), np.maximum(sure, 0.0)
        )


def _over(error: np.ndarray, size: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error == 0, np.where(np.isnan(size), np.nan, 0.0), error / size)


@dataclass(frozen=True)
class Worst:
    """The largest error of a trajectory: of which variable, at which number of its times, and when
    that is.
    """

    relative: float = np.nan
    ratio: float = np.nan
    variable: str = ""
    time: int = -1
    at: float = np.nan


@dataclass
class Judged:
    """What became of a trajectory, its worst error relative to the scale, and how many values
    were judged. `reasons` say what could not be, by a short reason the variables.
    """

    outcome: Outcome
    worst: Worst = field(default_factory=Worst)
    number: int = 0
    reasons: dict[str, set[str]] = field(default_factory=dict)


class Findings(NamedTuple):
    """What the errors of a trajectory alone say.

    `exceeds` is whether an error is above the limit relative to its scale, `largest_ratio` the
    largest sure error over tolerance, where that is above its limit, by time.
    """

    judged: Judged
    exceeds: bool
    suspicious: np.ndarray

    def with_metric(self, other: "Findings") -> "Findings":
        """These, and in what is judged and exceeds a limit those of a metric."""
        judged = self.judged
        judged.number += other.judged.number
        for reason, names in other.judged.reasons.items():
            judged.reasons.setdefault(reason, set()).update(names)
        mine, its = judged.worst.relative, other.judged.worst.relative
        if its > mine or np.isnan(mine):
            judged.worst = other.judged.worst
        if judged.number:
            judged.outcome = Outcome.passed
        return self._replace(exceeds=self.exceeds or other.exceeds)


def look_at(errors: Mapping[str, Errors], limits: Limits) -> Findings:
    """The findings of a trajectory, whose outcome is open where one of its errors is large."""
    judged = Judged(Outcome.not_judged)
    exceeds = False
    suspicious = np.zeros(1)
    for name, one in errors.items():
        relative, sure = one.relative, one.at_least
        if one.below.any():
            judged.reasons.setdefault("below its atol", set()).add(name)
        scale = np.broadcast_to(one.scale, one.error.shape)
        compared = ~np.isnan(relative)
        with np.errstate(invalid="ignore"):
            doubtful = compared & (one.error + one.uncertainty > limits.relative * scale)
            above = compared & (sure > limits.relative * scale)
        undecided = doubtful & ~above & (one.uncertainty > 0.1 * limits.relative * scale)
        if undecided.any():
            judged.reasons.setdefault("the reference does not agree with itself", set()).add(name)
        exceeds |= bool(above.any())
        if not is_of_end(name):
            judged.number += int((compared & ~undecided).sum())
        by_time = np.where(np.isnan(_over(sure, one.tolerance)), 0.0, _over(sure, one.tolerance))
        by_time = by_time.reshape(len(by_time), -1).max(axis=1, initial=0.0)
        suspicious = np.maximum(suspicious, by_time)
        _note_worst(judged, name, relative, one.ratio)
    if judged.number:
        judged.outcome = Outcome.passed
    return Findings(judged, exceeds, suspicious)


def _note_worst(judged: Judged, name: str, relative: np.ndarray, ratio: np.ndarray) -> None:
    if not relative.size or np.isnan(relative).all():
        return
    flat = np.where(np.isnan(relative), -1.0, relative).reshape(len(relative), -1)
    at = np.unravel_index(int(np.argmax(flat)), flat.shape)
    if np.isnan(judged.worst.relative) or flat[at] > judged.worst.relative:
        over = ratio.reshape(len(ratio), -1)[at]
        judged.worst = Worst(float(flat[at]), float(over), name, int(at[0]))
