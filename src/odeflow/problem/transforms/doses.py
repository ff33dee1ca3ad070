"""Doses and switches as jumps of each trajectory, and the model that has them.

An infusion is a rate that is added to the derivative of its state, a parameter of the model's own
that jumps to that rate and back to zero. So all that an engine sees are jumps: of components of
the state, and of parameters.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from odeflow.problem.clock import Clock
from odeflow.problem.declaration import Declaration, Parameter
from odeflow.problem.doses import Dose
from odeflow.problem.model import Jumping, Model
from odeflow.problem.problem import Jumps, JumpTargets, Lanes
from odeflow.problem.transforms.dose_changes import Axes, DoseChange, component_number, dose_changes


def with_doses(model: Model, doses: Sequence[Dose]) -> Model:
    """The model with the rates of infusions as further parameters, the last ones.

    It is returned as it is where there are no infusions.
    """
    _, _, rates = dose_targets(doses, model.declared)
    return with_rates(model, rates)


def with_rates(model: Model, rates: Sequence[int]) -> Model:
    """The model with rates into components of these numbers as further parameters, the last ones.

    It is returned as it is where there are none.
    """
    if not rates:
        return model
    names = _rate_names(model, rates)
    size = len(model.declared.parameters)

    def vector_field(t: Any, y: Any, args: Any) -> Any:
        derivative = model.flatten(model.vector_field(t, y, model.Args(*args[:size])))
        infused = [
            value + getattr(args, names[number]) if number in names else value
            for number, value in enumerate(derivative)
        ]
        return model.unflatten(infused)

    return Model(
        model.declared.with_parameters({name: Parameter(value=0.0) for name in names.values()}),
        vector_field,
        model.observables_function and _own(model, size, model.observables),
        model.derivatives,
        model.events,
        model.start,
        model.fixed,
        jumping=model.jumping and Jumping(*(_own(model, size, f) for f in model.jumping)),
        algebraic=model.algebraic and model.algebraic.each(lambda f: _own(model, size, f)),
        knots=model.knots,
    )


def _own(model: Model, size: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of (t, y, args) that is given the model's own parameters only."""
    return lambda t, y, args: function(t, y, model.Args(*args[:size]))


def _rate_names(model: Model, rates: Sequence[int]) -> dict[int, str]:
    """Names of the rates into components of these numbers, unlike all names of the model."""
    taken = {*model.declared.states, *model.declared.parameters, *model.observable_names}
    names = {}
    for number in rates:
        component = model.components[number]
        name = "_".join(["infusion", component.state, *map(str, component.index)])
        while name in taken:
            name += "_"
        names[number] = name
        taken.add(name)
    return names


class Targets(NamedTuple):
    """What doses change: components of the state, parameters they set, components infused into."""

    added: list[int]
    switched: list[str]
    rates: list[int]


class PlannedDoses(NamedTuple):
    """Jumps of lanes, the first of them at t0, and how their times depend on what is varied.

    `apart` (time, axis, lane) are the derivatives of the times, where given.
    """

    jumps: Jumps
    apart: np.ndarray


def jump_targets(model: Model, doses: Sequence[Dose]) -> JumpTargets | None:
    """What doses change; None where there are none. `model` is of `with_doses`, or of that with
    sensitivities.
    """
    if model.dosing is not None:
        return model.dosing.targets
    if not doses:
        return None
    added, switched, rates = dose_targets(doses, model.declared)
    parameters = list(model.declared.parameters)
    first_rate = len(parameters) - len(rates)
    return JumpTargets(
        tuple(added),
        (*map(parameters.index, switched), *range(first_rate, len(parameters))),
    )


def schedule(model: Model, doses: Sequence[Dose], clock: Clock, axes: Axes, lanes: Lanes) -> Lanes:
    """Lanes with the jumps of their doses; those at t0 are done.

    Times that are the same but for rounding are one: t0, a saved time or the end, if it is near
    one. An infusion whose end is then its start is a bolus.

    Raises ConfigError, naming the dose, as `dose_changes` does.
    """
    targets = jump_targets(model, doses)
    if targets is None:
        return lanes
    if model.dosing is not None:
        return begun(lanes, targets, model.dosing.jumps(axes, lanes))
    changes = dose_changes(doses, clock, model, axes, lanes.args)
    levels = lanes.args[list(targets.parameters)]
    plan = planned(clock, lanes, changes, dose_targets(doses, model.declared), levels)
    return begun(lanes, targets, plan.jumps)


def begun(lanes: Lanes, targets: JumpTargets, jumps: Jumps) -> Lanes:
    """Lanes with jumps, the first of which is at t0 and done."""
    y0, args = lanes.y0.copy(), lanes.args.copy()
    for row, target in zip(jumps.amounts[0], targets.components):
        y0[target] += row
    for row, target in zip(jumps.values[0], targets.parameters):
        args[target] = row
    later = Jumps(jumps.times[1:], jumps.amounts[1:], jumps.values[1:])
    return Lanes(y0, args, lanes.t1, later)


def planned(
    clock: Clock,
    lanes: Lanes,
    changes: Sequence[DoseChange],
    targets: Targets,
    levels: Float[np.ndarray, "parameter lane"],
    apart: Sequence[Float[np.ndarray, "axis lane"]] = (),
) -> PlannedDoses:
    """The jumps that changes make, t0 included; `levels` are the parameters before.

    Changes are at one jump where their times are the same; where the derivatives of the times of
    all, `apart`, in the order of starts and ends, are given, only if these are too.
    """
    times, starts, ends, moved = _slots(clock, lanes, changes, apart)
    added, switched, rates = targets
    place = lambda targets: {target: number for number, target in enumerate(targets)}
    added_at, switched_at, rate_at = place(added), place(switched), place(rates)
    number, size = times.shape
    lane = np.arange(size)
    amounts = np.zeros((number, len(added), size))
    given = np.full((number, len(switched), size), np.nan)
    steps = np.zeros((number, len(rates), size))
    changes_of_number = np.zeros((number, len(rates), size), np.int32)
    for change, start, end in zip(changes, starts, ends):
        if change.is_switch:
            given[start, switched_at[change.target], lane] = change.value
        elif change.end is None:
            amounts[start, added_at[change.target], lane] += change.value
        else:
            rate, lasts = _rate(change, times[start, lane], times[end, lane], clock)
            at_once = np.where(lasts, 0.0, change.value)
            amounts[start, added_at[change.target], lane] += at_once
            at = rate_at[change.target]
            steps[start, at, lane] += rate
            steps[end, at, lane] -= rate
            changes_of_number[start, at, lane] += lasts
            changes_of_number[end, at, lane] -= lasts
    values = np.concatenate(
        [
            _levels(given, levels[: len(switched)]),
            _sums(steps, changes_of_number),
        ],
        axis=1,
    )
    return PlannedDoses(Jumps(times, amounts, values), moved)


def _slots(
    clock: Clock,
    lanes: Lanes,
    changes: Sequence[DoseChange],
    apart: Sequence[Float[np.ndarray, "axis lane"]],
) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray], np.ndarray]:
    """The times of each lane, (time, lane), increasing from t0 on and infinite where it has no
    more; where among these each change starts, and ends if it does; and what sets times apart.
    """
    size = lanes.size
    listed = [np.full(size, clock.t0)]
    listed += [time for x in changes for time in (x.time, x.end) if time is not None]
    t1 = np.full(size, clock.t1) if lanes.t1 is None else lanes.t1
    times = np.stack([clock.moved(time, t1) for time in listed])
    order = np.argsort(times, axis=0, kind="stable")
    ordered = clock.first_of_same(np.take_along_axis(times, order, axis=0))
    is_new = np.concatenate([np.zeros((1, size), bool), ordered[1:] > ordered[:-1]])
    keys = np.stack([np.zeros_like(apart[0]), *apart]) if apart else np.zeros((len(times), 0, size))
    keys = np.take_along_axis(keys, order[:, None], axis=0)
    is_new[1:] |= (keys[1:] != keys[:-1]).any(axis=1)
    slot_of_ordered = np.cumsum(is_new, axis=0)
    slots = np.empty_like(order)
    np.put_along_axis(slots, order, slot_of_ordered, axis=0)
    result = np.full_like(times, np.inf)
    np.put_along_axis(result, slot_of_ordered, ordered, axis=0)
    moved = np.zeros_like(keys)
    np.put_along_axis(moved, slot_of_ordered[:, None], keys, axis=0)
    place = iter(slots[1:])
    starts = []
    ends = []
    for change in changes:
        starts.append(next(place))
        ends.append(starts[-1] if change.end is None else next(place))
    return result, starts, ends, moved


def _rate(
    change: DoseChange, start: np.ndarray, end: np.ndarray, clock: Clock
) -> tuple[np.ndarray, np.ndarray]:
    """The rate of an infusion, and whether it takes any time; else the rate is zero.

    The rate is that which delivers the amount between the times as the engine has them.
    """
    precision = clock.dtype.type
    with np.errstate(all="ignore"):
        rate = change.value / (precision(end) - precision(start)).astype(float)
        lasts = (end > start) & np.isfinite(precision(rate))
    return np.where(lasts, rate, 0.0), lasts


def _levels(given: np.ndarray, level: np.ndarray) -> np.ndarray:
    """What was given last, of (time, parameter, lane); before all, the level. NaN gives nothing."""
    result = np.empty_like(given)
    for row, new in zip(result, given):
        level = np.where(np.isnan(new), level, new)
        row[...] = level
    return result


def _sums(steps: np.ndarray, changes_of_number: np.ndarray) -> np.ndarray:
    """Running sums of the rates over the times; zero, and not what rounding leaves, where by the
    changes of their number no infusion runs.

    What rounding takes from each sum is kept beside it (Knuth's two-sum), so that a slow infusion
    is not lost under a fast one.
    """
    result = np.empty_like(steps)
    total, rest = np.zeros_like(steps[0]), np.zeros_like(steps[0])
    number = np.zeros_like(changes_of_number[0])
    for row, step, change in zip(result, steps, changes_of_number):
        number += change
        new = total + step
        part = new - total
        rest += (total - (new - part)) + (step - part)
        total = new
        row[...] = np.where(number > 0, total + rest, 0.0)
    return result


def dose_targets(doses: Sequence[Dose], declared: Declaration) -> Targets:
    """Components that doses go to, parameters that are switched, components infused into.

    An infusion may turn out to be a bolus, so its component is among the first.
    """
    given = sorted((d for d in doses if d.state is not None), key=lambda d: d.is_infusion)
    added = [component_number(dose, declared) for dose in given]
    switched = [d.parameter for d in doses if d.parameter is not None]
    infused = [component_number(dose, declared) for dose in given if dose.is_infusion]
    unique = lambda names: list(dict.fromkeys(names))
    return Targets(unique(added), unique(switched), unique(infused))
