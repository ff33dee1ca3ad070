"""What the records of one subject do to it: boluses, infusions, new starts, steady states.

What a record implies for later, an additional dose or one that arrives after a lag, comes before
the records at its time. A new start forgets what has not arrived and ends infusions.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from odeflow.files.errors import ConfigError
from odeflow.problem.doses import Quantity
from odeflow.problem.formulas import formula_value
from odeflow.problem.records import (
    MODELLED_DURATION,
    MODELLED_RATE,
    Compartment,
    Record,
    Records,
    moments,
)

#: Parts of an interval that are rounding, and of what sets records apart.
CLOSE, CLOSE_PART = 1e-12, 1 / 64


class Bolus(NamedTuple):
    """An amount into a state at a time."""

    time: float
    state: str
    amount: float


class Infusion(NamedTuple):
    """A constant rate into a state between two times."""

    start: float
    end: float
    state: str
    rate: float


class Repeated(NamedTuple):
    """A dose that was given at an interval ever since, and the covariates under which it was.

    It arrives `lag` later, at once or over `duration`; a constant infusion has no interval.
    """

    state: str
    amount: float
    rate: float
    duration: float
    interval: float
    lag: float
    covariates: tuple[tuple[str, float], ...]


class Settled(NamedTuple):
    """A time at which the steady state of a repeated dose is added."""

    time: float
    dose: Repeated


@dataclass
class Timeline:
    """All that happens to a subject.

    It begins with the covariates of its first record. At the times of `starts` the state becomes
    zero, at those of `initial` the initial state is added; from the times of `switches` on
    parameters have new values. `doses` are the times at which it starts and takes doses, which may
    arrive later. Times that are as `close` are the same.
    """

    close: float
    begins_with: Mapping[str, float]
    boluses: list[Bolus] = field(default_factory=list)
    infusions: list[Infusion] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    initial: list[float] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    switches: list[tuple[float, Mapping[str, float]]] = field(default_factory=list)
    doses: list[float] = field(default_factory=list)

    def start_over(self, now: float) -> None:
        """The state becomes zero, and what was given before counts no more."""
        self.starts.append(now)
        before = now - self.close
        self.boluses = [one for one in self.boluses if one.time < before]
        self.infusions = [
            one._replace(end=min(one.end, now)) for one in self.infusions if one.start < before
        ]
        self.initial = [time for time in self.initial if time < before]
        self.settled = [one for one in self.settled if one.time < before]
        self.doses = [*(time for time in self.doses if time < before), now]

    @property
    def count(self) -> int:
        """How many things are given."""
        return len(self.boluses) + len(self.infusions) + len(self.settled)


def timeline(
    records: Records, subject: float, numbers: Mapping[str, float], t0: float, apart: float
) -> Timeline:
    """What the records of a subject do to a trajectory with these parameters.

    `numbers` are the parameters by name; covariates have the value of each record, at t0 that of
    the first. Raises ConfigError for a quantity of a compartment that a dose cannot have.
    """
    own = [one.with_numbers(numbers) for one in records.of[subject]]
    holding = own[0].covariates
    line = Timeline(apart * CLOSE_PART, holding)
    times = moments(own, apart)
    for number, (one, now) in enumerate(zip(own, times)):
        if one.starts_over or (not number and now > t0):
            line.start_over(now)
            line.initial.append(now)
        elif not number:
            line.doses.append(now)
        since, covariates = _covariates_from(records, own, number, now, apart)
        if covariates != holding:
            line.switches.append((since, covariates))
            holding = covariates
        if one.gives:
            known = {**numbers, **one.covariates}
            _give(line, one, now, records.compartments.get(one.state, Compartment()), known)
            line.doses.append(now)
            line.doses += [one.time + k * one.interval for k in range(1, one.additional + 1)]
    return line


def _covariates_from(
    records: Records, own: Sequence[Record], number: int, now: float, apart: float
) -> tuple[float, Mapping[str, float]]:
    """The covariates that hold after a record, and since when: its own, or those of the next."""
    if records.interpolation == "previous":
        return now, own[number].covariates
    following = own[min(number + 1, len(own) - 1)]
    later = following if following.time > own[number].time else own[number]
    return now + 0.5 * apart, later.covariates


def _give(
    line: Timeline, one: Record, now: float, way: Compartment, known: Mapping[str, float]
) -> None:
    def number(key: str, quantity: Quantity | None, positive: bool) -> float:
        value = quantity if quantity is not None else np.nan
        value = float(formula_value(value, known) if isinstance(value, str) else value)
        if not (value > 0 or (value == 0 and not positive)) or not math.isfinite(value):
            least = "greater than 0" if positive else "0 or more"
            raise ConfigError(
                f"model.compartments.{one.state}.{key}: {value:g} at time {one.time:g}, but it has "
                f"to be {least}"
            )
        return value

    lag = number("lag", way.lag, False)
    amount = one.amount * number("bioavailability", way.bioavailability, False)
    rate, duration = one.rate, 0.0
    if one.rate == MODELLED_RATE:
        rate = number("rate", way.rate, True)
    elif one.rate == MODELLED_DURATION:
        duration = number("duration", way.duration, True)
        rate = amount / duration
    if rate and not duration:
        duration = amount / rate
    if one.steady:
        if one.steady == 1:
            line.start_over(now)
        covariates = tuple(one.covariates.items())
        constant = not one.interval
        repeated = Repeated(one.state, amount, rate, duration, one.interval, lag, covariates)
        if rate if constant else amount:
            line.settled.append(Settled(now, repeated))
        earlier = 0 if constant or not amount else math.ceil((lag + duration) / one.interval)
        for k in range(1, earlier + 1):  # what of those before is still to come
            since = lag - k * one.interval
            if since + duration > CLOSE * one.interval:
                _arrive(line, one.state, now, now + since, amount, rate, duration)
    if not amount:
        return
    for k in range(one.additional + 1):
        # the dose itself is at its record, further ones are not set apart from their time
        given = now if k == 0 else one.time + k * one.interval
        _arrive(line, one.state, given + lag, given + lag, amount, rate, duration)


def _arrive(
    line: Timeline,
    state: str,
    after: float,
    start: float,
    amount: float,
    rate: float,
    duration: float,
) -> None:
    """A dose that arrives from `start` on, of which counts what comes after a time."""
    if duration:
        line.infusions.append(Infusion(max(start, after), start + duration, state, rate))
    else:
        line.boluses.append(Bolus(start, state, amount))
