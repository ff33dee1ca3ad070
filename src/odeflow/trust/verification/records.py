"""The doses that are recorded of one subject, from the columns of its data set: nothing of what
makes jumps of them for the engines.

All that records lead to is listed first, with the record that it is of; what a later record ends
is taken out after that.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from odeflow.config.root import Config
from odeflow.problem.model import Model
from odeflow.trust.verification.dose_formulas import evaluated
from odeflow.trust.verification.periodic import Repeating, periodic_state
from odeflow.trust.verification.schedule import Change, Rounding, distinct

#: Roundings of the span by which records of one time are apart where their order counts.
_APART = 4096


class _Row(NamedTuple):
    """A record, and when it is."""

    number: int
    at: float
    time: float
    event: int
    state: str
    amount: float
    rate: float
    interval: float
    additional: int
    steady: int
    covariates: Mapping[str, float]


class _Given(NamedTuple):
    """What is added at a time, or a rate until `end`; by which record."""

    record: int
    time: float
    added: np.ndarray
    end: float | None = None


class RecordedDoses:
    """The changes of trajectories by the records of their subjects.

    Arguments:
        config: the experiment.
        model: the model as the user has it.
        field: its derivative, a function of (t, y, args).
    """

    def __init__(self, config: Config, model: Model, field: Callable[..., np.ndarray]):
        self._config, self._model, self._field = config, model, field
        self._apart = _APART * 2.0**-52 * max(abs(config.model.t0), abs(config.model.t1))
        self._parameters = list(model.declared.parameters)
        self._orbits: dict[tuple, np.ndarray] = {}

    def times(self, subject: float) -> list[float]:
        """When values of a subject are kept."""
        return [row.at for row in self._rows(subject) if row.event in (0, 2)]

    def changes(
        self,
        subject: float,
        y0: Float[np.ndarray, " component"],
        args: np.ndarray,
        axes: Mapping[str, float],
    ) -> list[Change]:
        """The changes of a trajectory of the subject in the order of time, the first at t0."""
        rows, t0 = self._rows(subject, axes), self._config.model.t0
        resets: list[tuple[int, float]] = []
        given: list[_Given] = []
        for row in rows:
            if row.event in (3, 4) or (row.number == 0 and row.at > t0):
                resets.append((row.number, row.at))
                given.append(_Given(row.number, row.at, y0))
            if row.event in (1, 4):
                if row.steady == 1:
                    # a new start of its own, after one that the record itself may be
                    given = [one for one in given if one.record < row.number]
                    resets.append((row.number, row.at))
                given += self._dose(row, self._with(args, row.covariates))
        close = 8 * self._apart / _APART
        taken = self._taken(rows, resets)
        left: list[_Given] = []
        for one in given:
            ends = [at for number, at in resets if number > one.record]
            first = min(ends, default=math.inf)
            if one.time < first - close:
                left.append(one._replace(end=one.end and min(one.end, first)))
        return self._in_order(rows, resets, left, taken, args)

    def _rows(self, subject: float, axes: Mapping[str, float] | None = None) -> list[_Row]:
        given = self._config.design.records
        assert given is not None
        own = [i for i, one in enumerate(given.subject) if one == subject]
        rows: list[_Row] = []
        shift, seen = 0, False
        for number, i in enumerate(own):
            if rows and given.time[i] > rows[-1].time:
                shift, seen = 0, False
            kept = given.event[i] in (0, 2)
            shift += int(seen and not kept)
            seen = kept or (seen and kept)
            covariates = {name: column[i] for name, column in given.covariates.items()}
            if axes is not None:
                of_occasion = {x: f"{x}_occasion_{given.occasion[i]}" for x in given.by_occasion}
                covariates |= {name: float(axes[own]) for name, own in of_occasion.items()}
            at = given.time[i] + shift * self._apart
            rows.append(
                _Row(
                    number, at, given.time[i], given.event[i], given.state[i], given.amount[i],
                    given.rate[i], given.interval[i], given.additional[i], given.steady[i],
                    covariates,
                )
            )  # fmt: skip
        return rows

    def _with(self, args: np.ndarray, covariates: Mapping[str, float]) -> np.ndarray:
        changed = np.array(args, float)
        for name, value in covariates.items():
            changed[self._parameters.index(name)] = value
        return changed

    def _dose(self, row: _Row, args: np.ndarray) -> list[_Given]:
        """All that a dose leads to."""
        way = self._config.model.compartments.get(row.state)
        known = dict(zip(self._parameters, args.tolist()))

        def number(key: str, default: float) -> float:
            value = default if way is None else getattr(way, key)
            return evaluated(value, known) if isinstance(value, str) else float(value or 0.0)

        lag, amount = number("lag", 0.0), row.amount * number("bioavailability", 1.0)
        unit = self._unit(row.state)
        if row.rate == -2:
            length = number("duration", 0.0)
        elif row.rate:
            length = amount / (row.rate if row.rate > 0 else number("rate", 0.0))
        else:
            length = 0.0
        speed = amount / length if length else row.rate
        found: list[_Given] = []

        def arrives(start: float, since: float) -> None:
            if length:
                span = (max(start, since), start + length)
                found.append(_Given(row.number, span[0], speed * unit, span[1]))
            else:
                found.append(_Given(row.number, start, amount * unit))

        if row.steady:
            repeating = Repeating(row.interval, lag, length, amount * unit, speed * unit)
            found.append(_Given(row.number, row.at, self._orbit(row, repeating, args)))
            k = 1
            while row.interval and lag - k * row.interval + length > 1e-12 * row.interval:
                arrives(row.at + lag - k * row.interval, row.at)
                k += 1
        for k in range(row.additional + 1 if amount else 0):
            first = row.at if k == 0 else row.time
            arrives(first + k * row.interval + lag, -math.inf)
        return found

    def _orbit(self, row: _Row, repeating: Repeating, args: np.ndarray) -> np.ndarray:
        key = (row.at, row.state, row.interval, repeating.lag, args.tobytes(),
               repeating.dose.tobytes())  # fmt: skip
        if key not in self._orbits:
            span = self._config.model.t1 - self._config.model.t0
            tolerances = self._config.solver.tolerances(self._config.model.states)
            self._orbits[key] = periodic_state(
                lambda y: self._field(self._config.model.t0, y, args),
                repeating if row.interval else repeating._replace(interval=span, constant=True),
                tolerances.least,
            )
        return self._orbits[key]

    def _unit(self, state: str) -> np.ndarray:
        places = [one.state for one in self._model.components]
        unit = np.zeros(len(places))
        unit[places.index(state)] = 1.0
        return unit

    def _taken(self, rows: list[_Row], resets: list[tuple[int, float]]) -> list[float]:
        """When a subject starts and takes doses; what a later record ends is not taken."""
        if self._config.model.time_after_dose is None:
            return []
        found = [rows[0].at, *(at for _, at in resets)]
        close = 8 * self._apart / _APART
        for row in rows:
            end = min((at for number, at in resets if number > row.number), default=math.inf)
            if row.event in (1, 4):
                further = [row.time + k * row.interval for k in range(1, row.additional + 1)]
                found += [at for at in (row.at, *further) if at < end - close]
        return found

    def _in_order(
        self,
        rows: list[_Row],
        resets: list[tuple[int, float]],
        given: list[_Given],
        taken: list[float],
        args: np.ndarray,
    ) -> list[Change]:
        t0, rounding = self._config.model.t0, Rounding(self._config)
        switches = self._switches(rows)
        times = [t0, *(at for _, at in resets), *(time for time, _ in switches), *taken]
        times += [time for one in given for time in (one.time, one.end) if time is not None]
        ordered = distinct(times, rounding)
        result = []
        for time, following in zip(ordered, [*ordered[1:], math.inf]):
            same = lambda other, time=time: abs(other - time) <= rounding(time)
            middle = time + 0.5 * min(following - time, 1.0)
            added, rates = np.zeros((2, len(self._model.components)))
            for one in given:
                if one.end is None:
                    added = added + one.added * same(one.time)
                elif one.time <= middle < one.end:
                    rates = rates + one.added
            now = self._with(args, rows[0].covariates)
            for since, covariates in switches:
                now = self._with(now, covariates) if since <= time + rounding(time) else now
            if taken:
                before = [at for at in taken if at <= time + rounding(time)]
                told = self._config.model.time_after_dose
                now = self._with(now, {str(told): min(max(before, default=t0), time)})
            kept = not any(same(at) for _, at in resets)
            result.append(Change(time, added, now, rates, kept))
        return result

    def _switches(self, rows: list[_Row]) -> list[tuple[float, Mapping[str, float]]]:
        """Covariates from each record on, or from just after the one before."""
        given = self._config.design.records
        assert given is not None
        if given.interpolation == "previous":
            return [(row.at, row.covariates) for row in rows]
        return [
            (row.at + 0.5 * self._apart, after.covariates)
            for row, after in zip(rows, rows[1:])
            if after.time > row.time
        ]
