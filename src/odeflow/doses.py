"""Doses and switches of the config as jumps of each trajectory, and the model that has them.

An infusion is a rate that is added to the derivative of its state, a parameter of the model's own
that jumps to that rate and back to zero. So all that an engine sees are jumps: of components of
the state, and of parameters.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from odeflow import engine
from odeflow.config.base import ConfigError
from odeflow.config.doses import Dose, Quantity
from odeflow.config.model import ModelConfig, Parameter
from odeflow.config.root import Config
from odeflow.model import Model

Axes = Mapping[str, np.ndarray]


class _Change(NamedTuple):
    """One change at a time of each trajectory, infinite where it has none.

    `kind` is "add" (to a component of the state, by its number), "rate" (added to its derivative)
    or "set" (a parameter, by its name).
    """

    kind: str
    target: int | str
    times: np.ndarray
    values: np.ndarray


def with_doses(config: Config, model: Model) -> tuple[Config, Model]:
    """The experiment whose model has the rates of infusions as further parameters.

    Both are returned as they are where there are no infusions. The further parameters are the last.
    """
    _, _, rates = _targets(config)
    if not rates:
        return config, model
    known = model.config
    names = _rate_names(model, rates)
    parameters = known.parameters | {
        name: Parameter.model_validate({"value": 0.0}) for name in names.values()
    }
    changed = known.model_copy(update={"parameters": parameters})
    size = len(known.parameters)

    def vector_field(t: Any, y: Any, args: Any) -> Any:
        derivative = model.flatten(model.vector_field(t, y, model.Args(*args[:size])))
        infused = [
            value + getattr(args, names[number]) if number in names else value
            for number, value in enumerate(derivative)
        ]
        return model.unflatten(infused)

    def observables(t: Any, y: Any, args: Any) -> Any:
        return model.observables(t, y, model.Args(*args[:size]))

    infused = Model(
        changed,
        vector_field,
        observables if model.observables_function else None,
        model.derivatives,
        model.events,
        model.start,
    )
    return config.model_copy(update={"model": changed}), infused


def _rate_names(model: Model, rates: Sequence[int]) -> dict[int, str]:
    """Names of the rates into components of these numbers, unlike all names of the model."""
    taken = {*model.config.states, *model.config.parameters, *model.observable_names}
    names = {}
    for number in rates:
        component = model.components[number]
        name = "_".join(["infusion", component.state, *map(str, component.index)])
        while name in taken:
            name += "_"
        names[number] = name
        taken.add(name)
    return names


def jump_targets(config: Config, model: Model) -> engine.JumpTargets | None:
    """What the doses of a config change; None where it has none. `model` is of `with_doses`."""
    if not config.doses:
        return None
    added, switched, rates = _targets(config)
    parameters = list(model.config.parameters)
    first_rate = len(parameters) - len(rates)
    return engine.JumpTargets(
        tuple(added),
        (*map(parameters.index, switched), *range(first_rate, len(parameters))),
    )


def schedule(config: Config, axes: Axes, lanes: engine.Lanes, model: Model) -> engine.Lanes:
    """Lanes with the jumps of their doses; those at t0 are done.

    Raises ConfigError, naming the dose, for one before t0 and for an infusion that does not last.
    """
    targets = jump_targets(config, model)
    if targets is None:
        return lanes
    size, t0 = lanes.size, config.model.t0
    changes = [
        change
        for number, dose in enumerate(config.doses)
        for change in _changes(f"doses.{number}", dose, axes, config.model, size)
    ]
    # t0 is a time of every trajectory; equal times are one
    listed = np.stack([np.full(size, t0), *(change.times for change in changes)])
    order = np.argsort(listed, axis=0, kind="stable")
    ordered = np.take_along_axis(listed, order, axis=0)
    is_new = np.concatenate([np.zeros((1, size), bool), ordered[1:] > ordered[:-1]])
    slots = np.empty_like(order)
    np.put_along_axis(slots, order, np.cumsum(is_new, axis=0), axis=0)
    times = np.full_like(listed, np.inf)
    lane = np.arange(size)
    np.put_along_axis(times, slots, listed, axis=0)

    added, switched, rates = _targets(config)
    to_add: dict[int | str, int] = {target: place for place, target in enumerate(added)}
    places = {target: place for place, target in enumerate([*switched, *rates])}
    amounts = np.zeros((len(times), len(added), size))
    steps = np.zeros((len(times), len(places), size))
    given = np.full((len(times), len(places), size), np.nan)
    running = np.zeros((len(times), len(places), size))
    for change, slot in zip(changes, slots[1:]):
        if change.kind == "add":
            amounts[slot, to_add[change.target], lane] += change.values
            continue
        place = places[change.target]
        if change.kind == "rate":
            steps[slot, place, lane] += change.values
            running[slot, place, lane] += np.sign(change.values)
        else:
            given[slot, place, lane] = change.values
    values = np.empty_like(given)
    level = lanes.args[list(targets.parameters)]
    is_rate = np.arange(len(places))[:, None] >= len(switched)
    # where no infusion runs the rate is zero, and not what rounding leaves of it
    infused = np.where(np.cumsum(running, axis=0) > 0, np.cumsum(steps, axis=0), 0.0)
    for number in range(len(times)):
        level = np.where(np.isnan(given[number]), level, given[number])
        values[number] = np.where(is_rate, infused[number], level)
    y0, args = lanes.y0.copy(), lanes.args.copy()
    for row, target in zip(amounts[0], targets.components):
        y0[target] += row
    for row, target in zip(values[0], targets.parameters):
        args[target] = row
    jumps = engine.Jumps(times[1:], amounts[1:], values[1:])
    return engine.Lanes(y0, args, lanes.t1, jumps)


def _targets(config: Config) -> tuple[list[int], list[str], list[int]]:
    """Components that boluses go to, parameters that are switched, components infused into."""
    model = config.model
    given = [d for d in config.doses if d.state is not None]
    boluses = [_component(d, model) for d in given if not d.is_infusion]
    switched = [d.parameter for d in config.doses if d.parameter is not None]
    infused = [_component(d, model) for d in given if d.is_infusion]
    return list(dict.fromkeys(boluses)), list(dict.fromkeys(switched)), list(dict.fromkeys(infused))


def _component(dose: Dose, model: ModelConfig) -> int:
    """The number among the components of the state of the one that a dose goes to."""
    before = list(model.states).index(dose.state or "")
    offset = sum(math.prod(state.shape) for state in list(model.states.values())[:before])
    shape = model.states[dose.state or ""].shape
    return offset + int(np.ravel_multi_index(dose.index, shape)) if shape else offset


def _changes(key: str, dose: Dose, axes: Axes, model: ModelConfig, size: int) -> list[_Change]:
    """The changes of a dose, each at one time of every trajectory."""
    number = lambda value: _numbers(value, axes, model, size)
    every = number(dose.every or 0.0)
    if dose.every is not None:
        _refuse(~(every > 0), f"{key}.every:", every, "is not greater than 0")
    times = [
        number(first) + repeat * every for first in dose.first_times for repeat in range(dose.count)
    ]
    if dose.parameter is not None:
        assert dose.value is not None
        values = number(dose.value)
        for time in times:
            _refuse(time < model.t0, f"{key}: a time", time, f"is before model.t0, {model.t0:g}")
        return [_Change("set", dose.parameter, time, values) for time in times]
    assert dose.amount is not None
    amount = number(dose.amount)
    # a dose of nothing is none: a subject with fewer doses than others has such
    given = amount != 0
    for time in times:
        _refuse(
            given & (time < model.t0), f"{key}: a time", time, f"is before model.t0, {model.t0:g}"
        )
    times = [np.where(given, time, np.inf) for time in times]
    if not dose.is_infusion:
        return [_Change("add", _component(dose, model), time, amount) for time in times]
    length, rate = number(dose.duration or 0.0), number(dose.rate or 0.0)
    key_of_length, asked = ("duration", length) if dose.rate is None else ("rate", rate)
    _refuse(given & ~(asked > 0), f"{key}.{key_of_length}:", asked, "is not greater than 0")
    _refuse(given & ~(amount > 0), f"{key}.amount:", amount, "cannot be infused")
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(given, amount / length if dose.rate is None else rate, 0.0)
        length = np.where(given, length if dose.rate is None else amount / rate, 0.0)
    into = _component(dose, model)
    return [
        change
        for time in times
        for change in (
            _Change("rate", into, time, rate),
            _Change("rate", into, time + length, -rate),
        )
    ]


def _numbers(value: Quantity, axes: Axes, model: ModelConfig, size: int) -> np.ndarray:
    """A number of each trajectory: the same one, an axis', or a parameter's."""
    found: Any = value
    if isinstance(value, str):
        found = axes[value] if value in axes else model.parameters[value].value
    return np.broadcast_to(np.asarray(found, float), (size,))


def _refuse(wrong: np.ndarray, what: str, values: np.ndarray, why: str) -> None:
    if wrong.any():
        raise ConfigError(f"{what} {values[wrong][0]:g} {why}")
