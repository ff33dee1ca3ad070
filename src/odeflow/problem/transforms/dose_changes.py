"""What doses change, and when, as numbers of each trajectory.

Pure functions of the values of the axes: nothing here knows of engines or of saved times.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from odeflow.files.errors import ConfigError
from odeflow.problem.clock import Clock
from odeflow.problem.declaration import Declaration
from odeflow.problem.doses import Dose, Quantity
from odeflow.problem.formulas import formula_names, formula_value
from odeflow.problem.model import Model

Axes = Mapping[str, np.ndarray]
Column = Float[np.ndarray, " lane"]


class DoseChange(NamedTuple):
    """What is given at a time of each trajectory, infinite where it is not given.

    A bolus adds `value` to the component of the state with the number `target`, and has neither
    `end` nor `is_switch`; an infusion adds it evenly until `end`; a switch sets the parameter of
    the name `target` to it.
    """

    target: int | str
    time: Column
    value: Column
    end: Column | None = None
    is_switch: bool = False


def component_number(dose: Dose, model: Declaration) -> int:
    """The number among the components of the state of the one that a dose goes to."""
    before = list(model.states).index(dose.state or "")
    offset = sum(math.prod(state.shape) for state in list(model.states.values())[:before])
    shape = model.states[dose.state or ""].shape
    return offset + int(np.ravel_multi_index(dose.index, shape)) if shape else offset


def dose_changes(
    doses: Sequence[Dose],
    clock: Clock,
    model: Model,
    axes: Axes,
    args: Float[np.ndarray, "parameter lane"],
) -> list[DoseChange]:
    """The changes of all doses, repetitions one by one: what is given, and switches in their order.

    `args` are the parameters of each trajectory at t0. Raises ConfigError, naming the dose, for one
    before t0, for an infusion that does not last, and for what is not a number.
    """
    known = _Quantities(doses, clock, model, axes, args)
    changes: list[DoseChange] = []
    for number, dose in enumerate(doses):
        key = f"doses.{number}"
        if dose.state is not None:
            changes += _given(key, dose, known)
        elif dose.value is None:
            changes += _told(key, dose, known)
    for key, parameter, time, value in known.switches():
        always = np.ones(known.size, bool)
        time = _checked(f"{key}: a time", time, known, always)
        _refuse(~np.isfinite(value), f"{key}.value:", value, "cannot be set")
        changes.append(DoseChange(parameter, time, value, is_switch=True))
    return changes


class _Switch(NamedTuple):
    """A switch at one of its times: where it stands in the config, and what it is."""

    key: str
    parameter: str
    value: Quantity
    time: Column


class _Quantities:
    """The numbers that doses name: axes, parameters, and what the model computes from these.

    A parameter that is switched has the value of the time asked for, at which switches have
    happened; those at one time happen in the order of the config.
    """

    def __init__(
        self,
        doses: Sequence[Dose],
        clock: Clock,
        model: Model,
        axes: Axes,
        args: Float[np.ndarray, "parameter lane"],
    ):
        self.size = args.shape[1]
        self.clock = clock
        self.model, self._fixed = model.declared, model.fixed
        self._known = {**axes, **dict(zip(model.declared.parameters, args))}
        switches = [dose for dose in doses if dose.value is not None]
        self._switched = {dose.parameter for dose in switches if dose.parameter is not None}
        self._switches = [
            _Switch(f"doses.{number}", dose.parameter, dose.value, time)
            for number, dose in enumerate(doses)
            if dose.parameter is not None and dose.value is not None
            for time in self._times_of_switch(f"doses.{number}", dose)
        ]

    def times(self, key: str, dose: Dose) -> list[Column]:
        """The times of a dose, repetitions included, in the order of the config.

        Where a switch changes what a time names, it is the first at which it is what is named
        then; not a number where that never comes.
        """
        every = 0.0 if dose.every is None else dose.every
        if not self._reads(every) & self._switched:
            interval = self._number(every, {})
            wrong = ~(interval > 0) & (dose.every is not None)
            _refuse(wrong, f"{key}.every:", interval, "is not greater than 0")
        return [
            self._time(first, every, repeat)
            for first in dose.first_times
            for repeat in range(dose.count)
        ]

    def _time(self, first: Quantity, every: Quantity, repeat: int) -> Column:
        time = lambda level: self._number(first, level) + repeat * self._number(every, level)
        changed = (self._reads(first) | self._reads(every)) & self._switched
        if not changed:
            return time({})
        ordered, course, _ = self._course
        never = np.full((1, self.size), np.inf)
        found = np.full(self.size, np.nan)
        for number, (start, end) in enumerate(
            zip(np.concatenate([-never, ordered]), np.concatenate([ordered, never]))
        ):
            here = time({name: course[name][number] for name in changed})
            latest = here + self.clock.resolution(here)
            comes = np.isnan(found) & (latest >= start) & (latest < end)
            found = np.where(comes, here, found)
        return found

    def _times_of_switch(self, key: str, dose: Dose) -> list[Column]:
        """The times of a switch, which must not depend on switches."""
        for value in (*dose.first_times, dose.every or 0.0):
            moved = self._reads(value) & self._switched
            if moved:
                raise ConfigError(
                    f"{key}: the time of this switch is moved by one of {', '.join(sorted(moved))}"
                    "; name an axis, or a parameter that no dose switches"
                )
        return self.times(key, dose)

    def at(self, value: Quantity, times: Column) -> Column:
        """A quantity as it is at times of the trajectories, infinite ones included."""
        changed = self._reads(value) & self._switched
        if not changed:
            return self._number(value, {})
        ordered, course, _ = self._course
        last = (ordered <= times + self.clock.resolution(times)).sum(axis=0)
        lane = np.arange(self.size)
        return self._number(value, {name: course[name][last, lane] for name in changed})

    def switches(self) -> list[tuple[str, str, Column, Column]]:
        """Key, parameter, time and value of every switch."""
        values = [self._number(switch.value, {}) for switch in self._switches]
        if any(self._reads(switch.value) & self._switched for switch in self._switches):
            _, _, values = self._course
        return [(x.key, x.parameter, x.time, value) for x, value in zip(self._switches, values)]

    def _reads(self, value: Quantity) -> set[str]:
        """The names that decide on a quantity."""
        if not isinstance(value, str):
            return set()
        names = formula_names(value)
        computed = (self._fixed[name].reads for name in names if name not in self._known)
        return {name for name in names if name in self._known}.union(*computed)

    def _number(self, value: Quantity, changed: Axes) -> Column:
        if not isinstance(value, str):
            return np.full(self.size, float(value))
        known = {**self._known, **changed}
        computed = {
            name: self._fixed[name].value(known)
            for name in formula_names(value)
            if name not in known
        }
        found = formula_value(value, {**known, **computed})
        return np.broadcast_to(np.asarray(found, float), (self.size,))

    @cached_property
    def _course(self) -> tuple[np.ndarray, dict[str, np.ndarray], list[Column]]:
        """The times of all switches, increasing; each parameter that is switched, from t0 on and
        after each of them; and the value of every switch.
        """
        listed = np.stack([switch.time for switch in self._switches])
        order = np.argsort(listed, axis=0, kind="stable")
        ordered = np.take_along_axis(listed, order, axis=0)
        ordered = self.clock.first_of_same(ordered)
        order = np.take_along_axis(order, np.lexsort((order, ordered), axis=0), axis=0)
        targets = sorted(self._switched)
        target = np.array([targets.index(switch.parameter) for switch in self._switches])
        dependent = [bool(self._reads(switch.value) & self._switched) for switch in self._switches]
        values = np.stack(
            [
                np.zeros(self.size) if depends else self._number(switch.value, {})
                for switch, depends in zip(self._switches, dependent)
            ]
        )
        level = np.stack([self._known[name] for name in targets])
        levels, lane = [level], np.arange(self.size)
        for chosen in order:
            now = dict(zip(targets, level))
            for number in np.flatnonzero(dependent):
                here = chosen == number
                if here.any():
                    value = self._number(self._switches[number].value, now)
                    values[number] = np.where(here, value, values[number])
            level = level.copy()
            level[target[chosen], lane] = values[chosen, lane]
            levels.append(level)
        course = np.stack(levels, axis=1)
        return ordered, dict(zip(targets, course)), list(values)


def _given(key: str, dose: Dose, known: _Quantities) -> list[DoseChange]:
    """The boluses or infusions of a dose."""
    assert dose.amount is not None
    return [
        _once(key, dose, known, time, known.at(dose.amount, time))
        for time in known.times(key, dose)
    ]


def _told(key: str, dose: Dose, known: _Quantities) -> list[DoseChange]:
    """The parameter that holds the time of a dose, as `Clock` has it; not of a dose of nothing."""
    assert dose.parameter is not None and dose.amount is not None
    clock, changes = known.clock, []
    for time in known.times(key, dose):
        time = _checked(f"{key}: a time", time, known, known.at(dose.amount, time) != 0)
        value = clock.moved(np.where(np.isfinite(time), time, clock.t0), np.asarray(clock.t1))
        changes.append(DoseChange(dose.parameter, time, np.asarray(value), is_switch=True))
    return changes


def _once(key: str, dose: Dose, known: _Quantities, time: Column, amount: Column) -> DoseChange:
    """A dose at one of its times; a dose of nothing does not count, and may have any time."""
    given, target = amount != 0, component_number(dose, known.model)
    _refuse(given & ~np.isfinite(amount), f"{key}.amount:", amount, "cannot be given")
    time = _checked(f"{key}: a time", time, known, given)
    if not dose.is_infusion:
        return DoseChange(target, time, np.where(given, amount, 0.0))
    by_rate = dose.rate is not None
    asked = known.at((dose.rate if by_rate else dose.duration) or 0.0, time)
    wrong = given & ~((asked > 0) & np.isfinite(asked))
    _refuse(wrong, f"{key}.{'rate' if by_rate else 'duration'}:", asked, "is not greater than 0")
    _refuse(given & ~(amount > 0), f"{key}.amount:", amount, "cannot be infused")
    with np.errstate(divide="ignore", invalid="ignore"):
        length = np.where(given, amount / asked if by_rate else asked, 0.0)
    return DoseChange(target, time, np.where(given, amount, 0.0), end=time + length)


def _checked(what: str, time: Column, known: _Quantities, given: np.ndarray) -> Column:
    """Times of what is given, infinite for what is not; refuses those before t0, and no numbers."""
    _refuse(given & np.isnan(time), what, time, "is not a number, or switched away before it comes")
    early = given & known.clock.is_before_start(time)
    _refuse(early, what, time, f"is before model.t0, {known.clock.t0:g}")
    return np.where(given, np.maximum(time, known.clock.t0), np.inf)


def _refuse(wrong: np.ndarray, what: str, values: np.ndarray, why: str) -> None:
    if wrong.any():
        raise ConfigError(f"{what} {values[wrong][0]:g} {why}")
