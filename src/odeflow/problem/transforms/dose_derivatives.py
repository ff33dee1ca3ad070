"""Doses whose times, amounts, rates or values depend on what sensitivities are asked for.

How a dose depends on an axis are further doses: a bolus of d amount / dp into the sensitivity of
its state, an infusion of how the rate changes, a switch of how a parameter does. The last two are
*seeds*: parameters that hold the derivatives of others. Where the time of a dose moves too, the
sensitivities jump with it, see `saltation`; the derivatives of the time of the last dose and of the
next are parameters as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from odeflow.problem.declaration import Parameter
from odeflow.problem.model import Model
from odeflow.problem.problem import Jumps, JumpTargets, Lanes
from odeflow.problem.transforms.dose_changes import Axes, DoseChange
from odeflow.problem.transforms.doses import Targets, planned
from odeflow.problem.transforms.given_doses import DosesOfModel, GivenDoses

#: Relative steps of differences. Times, amounts and values are linear in most axes, and quotients
#: in others; a difference of second order then has about eleven digits.
_STEP = 2.0**-17
#: Margins around a time, in units in the last place of the largest: the engines' stops beside a
#: dose are at its own time, see `switching`.
_MARGIN_ULPS = 12


_Keyed = Mapping[Any, DoseChange]


class Varied(NamedTuple):
    """A change, and its derivatives along each axis; those of what does not move are zero."""

    change: DoseChange
    times: Sequence[np.ndarray]
    values: Sequence[np.ndarray]
    ends: Sequence[np.ndarray]


@dataclass(frozen=True, eq=False)
class DoseDerivatives:
    """Doses and their derivatives along `axes`, of a model without sensitivities."""

    doses: DosesOfModel
    axes: Sequence[str]

    @property
    def model(self) -> Model:
        """The model without sensitivities."""
        return self.doses.model

    @cached_property
    def replaced(self) -> tuple[int, ...]:
        """Numbers of the parameters that doses change: switched ones, then rates."""
        return self.doses.targets.parameters

    def __bool__(self) -> bool:
        """Whether any of the axes has to do with a dose."""
        return self.doses.concerns(self.axes)

    # what the model with sensitivities has

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """The further parameters: seeds axis by axis, then times of doses and how they move."""
        known = list(self.model.declared.parameters)
        taken = {*known, *self.model.declared.states, *self.model.observable_names}
        names = [f"seed_{i}_{axis}" for axis in self.axes for i in self.replaced]
        first = [float(known[i] == axis) for axis in self.axes for i in self.replaced]
        more = [f"{when}_{axis}" for when in ("dose_moves", "dose_moved") for axis in self.axes]
        more += ["dose_from", "dose_until"]
        result = {}
        for name, value in zip([*names, *more], [*first, *([0.0] * len(more))]):
            while name in taken:
                name += "_"
            taken.add(name)
            result[name] = Parameter(value=value)
        return result

    @property
    def moving(self) -> frozenset[int]:
        """Numbers of the parameters that may depend on an axis."""
        return frozenset(self.replaced)

    def seeds(self, args: Sequence[Any]) -> list[dict[int, Any]]:
        """Along each axis, the derivatives of the parameters that doses change."""
        size, number = len(self.model.declared.parameters), len(self.replaced)
        return [
            dict(zip(self.replaced, args[size + j * number : size + (j + 1) * number]))
            for j in range(len(self.axes))
        ]

    def before(self, t: Any, args: Sequence[Any]) -> Any:
        """How the time of the next dose moves along each axis, if it is now."""
        moves, _, start, _ = self._moves(args)
        return jnp.where(t >= start, jnp.stack(moves), 0.0)

    def after(self, t: Any, args: Sequence[Any]) -> tuple[Any, Any]:
        """How the time of the last dose moves along each axis, if it is now, and whether it is."""
        _, moved, _, end = self._moves(args)
        return jnp.where(t <= end, jnp.stack(moved), 0.0), t <= end

    def _moves(self, args: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any], Any, Any]:
        number = len(self.axes)
        start = len(self.model.declared.parameters) + number * len(self.replaced)
        rest = list(args[start : start + 2 * number + 2])
        return rest[:number], rest[number : 2 * number], rest[-2], rest[-1]

    # the schedule

    @cached_property
    def _targets(self) -> Targets:
        """Those of the doses and of their derivatives, by components and names."""
        added, switched, rates = self.doses.changed
        size = len(self.model.components)
        along = range(len(self.axes))
        return Targets(
            [*added, *((1 + j) * size + i for j in along for i in added)],
            [*switched, *(_seed(j, name) for j in along for name in switched)],
            # what is infused into a sensitivity runs into its seed
            [*rates, *((1 + j) * size + i for j in along for i in rates)],
        )

    @cached_property
    def targets(self) -> JumpTargets:
        """What jumps change in the model with sensitivities."""
        size, number = len(self.model.declared.parameters), len(self.replaced)
        count = len(self.doses.changed.switched)
        seeds = [[size + j * number + i for i in range(number)] for j in range(len(self.axes))]
        switched = [*self.replaced[:count], *(i for row in seeds for i in row[:count])]
        rates = [*self.replaced[count:], *(i for row in seeds for i in row[count:])]
        rest = range(size + len(self.axes) * number, size + len(self.parameters))
        return JumpTargets(tuple(self._targets.added), (*switched, *rates, *rest))

    def jumps(self, axes: Axes, lanes: Lanes) -> Jumps:
        """The jumps of lanes of the model with sensitivities, the first of them at t0."""
        varied = self._varied(self.doses.given(axes, lanes, self.axes))
        lanes = self.doses.begin(axes, lanes)
        changes, apart = [], []
        for one in varied:
            for change in self._changes(one):
                changes.append(change)
                apart.append(np.stack(one.times))
                if change.end is not None:
                    apart.append(np.stack(one.ends))
        number = len(self._targets.switched) + len(self._targets.rates)
        levels = lanes.args[list(self.targets.parameters[:number])]
        clock = self.doses.clock
        plan = planned(clock, lanes, changes, self._targets, levels, apart)
        times = plan.jumps.times
        information = np.finfo(clock.dtype)
        precision, largest_time = float(information.eps), information.max
        largest = max(abs(clock.t0), abs(clock.t1 if lanes.t1 is None else lanes.t1.max()))
        following = np.concatenate([times[1:], np.full((1, lanes.size), np.inf)])
        moves = np.concatenate([plan.apart[1:], np.zeros((1, *plan.apart.shape[1:]))])
        until = times + _MARGIN_ULPS * precision * largest
        until[0] = -largest_time  # what is given at t0 does not move by itself
        rest = [moves, plan.apart, following[:, None], until[:, None]]
        bounded = np.clip(np.concatenate(rest, axis=1), -largest_time, largest_time)
        values = np.concatenate([plan.jumps.values, bounded], axis=1)
        return Jumps(times, plan.jumps.amounts, values)

    def _changes(self, one: Varied) -> list[DoseChange]:
        """A change, and the changes that its derivatives are."""
        change, size = one.change, len(self.model.components)
        if change.is_switch:
            derivatives = [
                change._replace(target=_seed(j, change.target), value=value)
                for j, value in enumerate(one.values)
            ]
            return [change, *derivatives]
        if change.end is None:
            derivatives = [
                change._replace(target=(1 + j) * size + int(change.target), value=value)
                for j, value in enumerate(one.values)
            ]
            return [change, *derivatives]
        with np.errstate(all="ignore"):
            length = change.end - change.time
            rate = np.where(length > 0, change.value / length, 0.0)
        # what a rate of d rate / dp delivers
        derivatives = [
            change._replace(
                target=(1 + j) * size + int(change.target), value=value - rate * (end - time)
            )
            for j, (value, time, end) in enumerate(zip(one.values, one.times, one.ends))
        ]
        return [change, *derivatives]

    def _varied(self, given: GivenDoses) -> list[Varied]:
        base = given.changes()
        beside = [self._beside(axis, given) for axis in self.axes]
        result = []
        for key, change in base.items():
            ends = [change.end] if change.end is not None else []
            known = [change.time, change.value, *ends]
            never = change._replace(
                time=np.full_like(change.time, np.inf), end=ends and np.full_like(ends[0], np.inf)
            )
            numbers = [
                (step, _numbers(one.get(key, never)), _numbers(two.get(key, never)))
                for step, one, two in beside
            ]
            # what is nothing at this value, and something beside it, is where it would be
            for _, near, far in numbers:
                for i in (0, 2)[: 1 + len(ends)]:
                    with np.errstate(invalid="ignore"):
                        known[i] = np.where(
                            np.isinf(known[i]) & np.isfinite(near[i]),
                            2 * near[i] - far[i],
                            known[i],
                        )
            along = [
                [_slope(a, b, c, step) for a, b, c in zip(known, near, far)]
                for step, near, far in numbers
            ]
            none = [np.zeros_like(change.time)] * len(self.axes)
            changed = change._replace(time=known[0], end=known[2] if ends else None)
            result.append(
                Varied(
                    changed,
                    [x[0] for x in along],
                    [x[1] for x in along],
                    [x[2] for x in along] if ends else none,
                )
            )
        return result

    def _beside(self, axis: str, given: GivenDoses) -> tuple[np.ndarray, _Keyed, _Keyed]:
        """A step in an axis, and the changes one and two steps beside."""
        value = given.value(axis)
        size = np.where(value == 0, 1.0, np.abs(value))
        step = _STEP * 2.0 ** np.floor(np.log2(size))
        forward = given.fits(axis, step) & given.fits(axis, 2 * step)
        step = np.where(forward, step, -step)
        return step, given.changes(axis, step), given.changes(axis, 2 * step)


def _seed(axis: int, target: int | str) -> str:
    return f"{axis} {target}"


def _numbers(change: DoseChange) -> list[np.ndarray]:
    return [change.time, change.value, *([] if change.end is None else [change.end])]


def _slope(at: np.ndarray, one: np.ndarray, two: np.ndarray, step: np.ndarray) -> np.ndarray:
    """The derivative from values one and two steps beside; zero of what never is."""
    with np.errstate(invalid="ignore"):
        slope = ((one - at) * 4 - (two - at)) / (2 * step)
    return np.where(np.isfinite(slope), slope, 0.0)
