"""Records of subjects as jumps of lanes, and the model that has them.

Where a subject starts over, what the jump adds is all that is there after it: the model itself
makes its state zero before (`Jumping.leave`), at the time that a parameter holds. That is the time
of the next new start, so that jumps in between, of whatever kind, change nothing about it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from odeflow.problem.clock import Clock, Times
from odeflow.problem.declaration import Declaration, Parameter
from odeflow.problem.model import Jumping, Model
from odeflow.problem.problem import Jumps, JumpTargets, Lanes
from odeflow.problem.records import Records, apart_of
from odeflow.problem.transforms.doses import with_rates
from odeflow.problem.transforms.timelines import Repeated, Timeline, timeline

#: Resolutions of the clock within which a time is that of a jump, which may have been moved twice.
_SAME = 4.0
#: The steady states of repeated doses, (component,) each: of doses, and of their lanes' parameters.
Orbits = Callable[[Sequence[Repeated], Float[np.ndarray, "parameter dose"]], np.ndarray]


def component_of(declared: Declaration, state: str) -> int:
    """The number among components of a scalar state."""
    sizes = [int(np.prod(one.shape)) for one in declared.states.values()]
    return sum(sizes[: list(declared.states).index(state)])


def with_records(model: Model, records: Records) -> Model:
    """The model with rates of infusions and the time of the next new start as last parameters."""
    rated = with_rates(model, [component_of(model.declared, s) for s in records.infused])
    name, size = "next_start", len(rated.declared.parameters)
    while name in {*rated.declared.parameters, *rated.declared.states, *rated.observable_names}:
        name += "_"

    def own(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda t, y, args: function(t, y, rated.Args(*args[:size]))

    def leave(t: Any, y: Any, args: Any) -> Any:
        return jax.tree.map(lambda x: jnp.where(t >= args[size], jnp.zeros_like(x), x), y)

    return replace(
        rated,
        declared=rated.declared.with_parameters({name: Parameter(value=np.inf)}),
        function=own(rated.vector_field),
        observables_function=rated.observables_function and own(rated.observables),
        jumping=Jumping(leave, lambda t, y, args: y),
    )


def recorded_targets(model: Model, records: Records) -> JumpTargets:
    """What jumps change in a model of `with_records`: all components, covariates, the last ones."""
    parameters = list(model.declared.parameters)
    first = len(parameters) - len(records.infused) - 1
    covariates = map(parameters.index, records.covariates)
    return JumpTargets(
        tuple(range(len(model.components))), (*covariates, *range(first, len(parameters)))
    )


def recorded(
    model: Model,
    records: Records,
    clock: Clock,
    subjects: Sequence[float],
    lanes: Lanes,
    orbits: Orbits,
) -> Lanes:
    """Lanes of a model of `with_records` with the jumps of their subjects; those at t0 are done.

    Raises ConfigError as `timeline` does.
    """
    names = list(model.declared.parameters)
    apart = apart_of(clock.t0, clock.t1)
    args = lanes.args.copy()
    for lane, subject in enumerate(subjects):
        for name, value in records.of[subject][0].covariates.items():
            args[names.index(name), lane] = value
    lines = [
        timeline(records, subject, dict(zip(names, args[:, lane].tolist())), clock.t0, apart)
        for lane, subject in enumerate(subjects)
    ]
    states = _steady_states(lines, names, args, orbits)
    plans = [
        _Plan(model, records, clock, line, lanes.y0[:, lane], args[:, lane], states[lane])
        for lane, line in enumerate(lines)
    ]
    count = max(len(plan.times) for plan in plans)
    targets = recorded_targets(model, records)
    jumps = Jumps(
        np.stack([_padded(plan.times, count, np.inf) for plan in plans], axis=-1),
        np.stack([_padded(plan.amounts, count, 0.0) for plan in plans], axis=-1),
        np.stack([_padded(plan.values, count, 0.0) for plan in plans], axis=-1),
    )
    y0 = np.stack([plan.y0 for plan in plans], axis=-1)
    args[list(targets.parameters)] = jumps.values[0]
    later = Jumps(jumps.times[1:], jumps.amounts[1:], jumps.values[1:])
    return replace(lanes, y0=y0, args=args, jumps=later)


def _steady_states(
    lines: Sequence[Timeline], names: Sequence[str], args: np.ndarray, orbits: Orbits
) -> list[list[np.ndarray]]:
    """Those of every lane, in the order of its timeline; all are looked for together."""
    asked = [(lane, one.dose) for lane, line in enumerate(lines) for one in line.settled]
    found: list[list[np.ndarray]] = [[] for _ in lines]
    if not asked:
        return found
    own = args[:, [lane for lane, _ in asked]].copy()
    for column, (_, dose) in enumerate(asked):
        for name, value in dose.covariates:
            own[names.index(name), column] = value
    states = orbits([dose for _, dose in asked], own)
    for (lane, _), state in zip(asked, states.T):
        found[lane].append(state)
    return found


def _padded(rows: np.ndarray, count: int, value: float) -> np.ndarray:
    missing = [(0, count - len(rows)), *[(0, 0)] * (rows.ndim - 1)]
    return np.pad(rows, missing, constant_values=value)


class _Plan:
    """The jumps of one lane, the first at t0: `times`, `amounts`, `values`; and its start `y0`."""

    def __init__(
        self,
        model: Model,
        records: Records,
        clock: Clock,
        line: Timeline,
        y0: np.ndarray,
        args: np.ndarray,
        states: Sequence[np.ndarray],
    ):
        declared = model.declared
        listed = np.sort([clock.t0, *line.times])
        self.times = _distinct(clock, clock.moved(listed, np.full(len(listed), clock.t1)))
        self._clock = clock
        self.amounts = np.zeros((len(self.times), len(y0)))
        for time in line.initial:
            self._add(time, y0)
        for one in line.boluses:
            self._add(one.time, _unit(len(y0), component_of(declared, one.state)) * one.amount)
        for one, state in zip(line.settled, states):
            self._add(one.time, state)
        infused = records.infused
        rates = np.zeros((len(self.times), len(infused)))
        for one in line.infusions:
            first, last = self._slot(one.start), self._slot(one.end)
            rates[first:last, infused.index(one.state)] += one.rate
            if first == last:  # it takes no time that can be told
                unit = _unit(len(y0), component_of(declared, one.state))
                self._add(one.start, unit * one.rate * (one.end - one.start))
        starts = [self._slot(time) for time in line.starts]
        following = np.full(len(self.times), np.inf)
        for slot in sorted(starts, reverse=True):
            following[:slot] = self.times[slot] if slot < len(self.times) else np.inf
        self.y0 = self.amounts[0] if 0 in starts else y0 + self.amounts[0]
        switched = self._switched(model, records, line.switches, args)
        self.values = np.concatenate([switched, rates, following[:, None]], axis=1)

    def _slot(self, time: float) -> int:
        """The number of the jump at a time; one more than the last after the end."""
        within = _SAME * float(np.asarray(self._clock.resolution(time)))
        place = max(int(np.searchsorted(self.times, time + within, "right")) - 1, 0)
        return place + int(time > self.times[place] + within)

    def _add(self, time: float, amounts: np.ndarray) -> None:
        slot = self._slot(time)
        if slot < len(self.times):
            self.amounts[slot] += amounts

    def _switched(
        self,
        model: Model,
        records: Records,
        switches: Sequence[tuple[float, Mapping[str, float]]],
        args: np.ndarray,
    ) -> np.ndarray:
        """The values of covariates after each jump."""
        names = list(model.declared.parameters)
        level = np.array([args[names.index(name)] for name in records.covariates])
        values = np.tile(level, (len(self.times), 1))
        for time, covariates in switches:
            values[self._slot(time) :] = list(covariates.values())
        return values


def _unit(size: int, place: int) -> np.ndarray:
    result = np.zeros(size)
    result[place] = 1.0
    return result


def _distinct(clock: Clock, ordered: Times) -> np.ndarray:
    """Increasing times, of those that are the same the first; none after the end."""
    first = clock.first_of_same(np.reshape(ordered, (-1, 1)))[:, 0]
    return np.unique(first[first <= clock.t1])
