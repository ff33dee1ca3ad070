"""What the records of subjects change in lanes, and when: from timelines to changes of doses.

Lanes of one subject share a timeline unless a compartment's quantities read what they differ in.
Beside an axis of derivatives, the initial state is what its derivatives make of it, and so are
steady states of repeated doses, whose own derivatives are differences of fourth order: they have
the error of a solver, and times and amounts have only rounding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from odeflow.files.errors import ConfigError
from odeflow.problem.axis_names import SUBJECT
from odeflow.problem.clock import Clock
from odeflow.problem.declaration import Declaration
from odeflow.problem.formulas import formula_names
from odeflow.problem.model import Model
from odeflow.problem.problem import Jumps, JumpTargets, Lanes
from odeflow.problem.records import Records, apart_of
from odeflow.problem.transforms.dose_changes import Axes, DoseChange
from odeflow.problem.transforms.doses import Targets, planned
from odeflow.problem.transforms.timelines import Repeated, Timeline, timeline

#: The steady states of repeated doses, (component,) each: of doses, and of their lanes' parameters.
Orbits = Callable[[Sequence[Repeated], Float[np.ndarray, "parameter dose"]], np.ndarray]
#: Relative steps of differences of steady states; of the fourth order, multiples and weights: to
#: both sides, and to one where there is nothing beyond.
_STEP = 2.0**-9
_STENCILS = np.array([
    [[-2, -1, 1, 2, 0], [1 / 12, -8 / 12, 8 / 12, -1 / 12, 0]],
    [[1, 2, 3, 4, 0], [4, -3, 4 / 3, -1 / 4, -25 / 12]],
])  # fmt: skip


def component_of(declared: Declaration, state: str) -> int:
    """The number among components of a scalar state."""
    sizes = [int(np.prod(one.shape)) for one in declared.states.values()]
    return sum(sizes[: list(declared.states).index(state)])


def size_of(values: np.ndarray) -> np.ndarray:
    """The sizes of values, 1 where they are zero."""
    return np.where(values == 0, 1.0, np.abs(values))


@dataclass(frozen=True, eq=False)
class DosesOfRecords:
    """What the records of subjects change, and when, in a model of `with_records`.

    `orbits` finds steady states, where there may be any.
    """

    records: Records
    clock: Clock
    model: Model
    orbits: Orbits | None = None

    @cached_property
    def names(self) -> list[str]:
        """The parameters of the model."""
        return list(self.model.declared.parameters)

    @property
    def changed(self) -> Targets:
        """All components; covariates, last dose, next new start; what is infused into."""
        infused = [component_of(self.model.declared, one) for one in self.records.infused]
        components = list(range(len(self.model.components)))
        told = [] if self.records.last_dose is None else [self.records.last_dose]
        return Targets(components, [*self.records.covariates, *told, self.names[-1]], infused)

    @property
    def targets(self) -> JumpTargets:
        """The same as numbers."""
        switched = [self.names.index(name) for name in self.changed.switched]
        last = len(self.names) - 1
        rates = range(last - len(self.changed.rates), last)
        return JumpTargets(tuple(self.changed.added), (*switched, *rates))

    def concerns(self, axes: Sequence[str]) -> bool:
        """Whether derivatives along these axes change with them: a new start always does that."""
        return True

    def begin(self, axes: Axes, lanes: Lanes) -> Lanes:
        """Lanes with what first records say, and empty where they start over at t0."""
        args, y0 = lanes.args.copy(), lanes.y0.copy()
        next_start = len(self.names) - 1
        for line, where in self.lines(axes, lanes.args):
            for name, value in line.begins_with.items():
                args[self.names.index(name), where] = value
            now = [time <= self.clock.t0 + line.close for time in line.starts]
            if any(now):
                y0[:, where] = 0.0
            later = min((t for t, at_once in zip(line.starts, now) if not at_once), default=np.inf)
            args[next_start, where] = later - line.close
        return replace(lanes, y0=y0, args=args)

    def jumps(self, axes: Axes, lanes: Lanes) -> Jumps:
        """The jumps of lanes, the first of them at t0."""
        levels = self.begin(axes, lanes).args[list(self.targets.parameters)]
        changes = list(self.given(axes, lanes).changes().values())
        return planned(self.clock, lanes, changes, self.changed, levels).jumps

    def given(self, axes: Axes, lanes: Lanes, along: Sequence[str] = ()) -> "GivenByRecords":
        """What is given to lanes, and beside them along these axes.

        Raises ConfigError as `timeline` does.
        """
        return GivenByRecords(self, axes, lanes, along)

    @cached_property
    def _reads(self) -> list[int]:
        """Numbers of the parameters that decide on what records mean."""
        quantities = (x for one in self.records.compartments.values() for x in vars(one).values())
        texts = (x for x in quantities if isinstance(x, str))
        read = {name for text in texts for name in formula_names(text)}
        read -= {*self.records.covariates}
        return [number for number, name in enumerate(self.names) if name in read]

    def reads(self, axis: str) -> bool:
        """Whether what records mean depends on an axis."""
        return axis in [self.names[number] for number in self._reads]

    def lines(self, axes: Axes, args: np.ndarray) -> list[tuple[Timeline, np.ndarray]]:
        """Timelines, and the lanes that have each: of one subject, with the same of what is read.

        Raises ConfigError as `timeline` does.
        """
        apart = apart_of(self.clock.t0, self.clock.t1)
        subjects = np.asarray(axes[SUBJECT], float)
        values = {
            name: np.asarray(axes.get(name, args[self.names.index(of)]), float)
            for name, of in self.records.named.items()
        }
        keys = np.concatenate(
            [subjects[None], args[self._reads], *(x[None] for x in values.values())]
        )
        different, of = np.unique(keys, axis=1, return_inverse=True)
        order = np.split(np.argsort(of.ravel(), kind="stable"), np.bincount(of.ravel()).cumsum())
        found = []
        for key, where in zip(different.T.tolist(), order):
            numbers = dict(zip(self.names, args[:, where[0]].tolist()))
            numbers |= {name: float(column[where[0]]) for name, column in values.items()}
            found.append((timeline(self.records, key[0], numbers, self.clock.t0, apart), where))
        return found


class GivenByRecords:
    """What records give to lanes of `DosesOfRecords`, and give beside them along axes."""

    def __init__(self, doses: DosesOfRecords, axes: Axes, lanes: Lanes, along: Sequence[str]):
        self._doses, self._axes, self._lanes = doses, axes, lanes
        self._own = len(doses.model.components)
        self._along = along
        self._lines = doses.lines(axes, lanes.args)
        settled = [(lane, len(line.settled)) for line, where in self._lines for lane in where]
        counts = np.array([count for _, count in sorted(settled)])
        self._first = np.cumsum(counts) - counts
        self._lane_of_settled = np.repeat(np.arange(len(counts)), counts)
        self._states, self._slopes = self._steady_states()

    def value(self, axis: str) -> np.ndarray:
        """The value of an axis, by lane."""
        if axis in self._doses.names:
            return self._lanes.args[self._doses.names.index(axis)]
        declared = self._doses.model.declared
        first, size = component_of(declared, axis), int(np.prod(declared.states[axis].shape))
        return np.asarray(np.abs(self._lanes.y0[first : first + size]).max(axis=0))

    def fits(self, axis: str, shift: np.ndarray) -> np.ndarray:
        """Of which lanes records mean as many things beside an axis."""
        if not self._doses.reads(axis):
            return np.ones(self._lanes.size, bool)
        counts = np.zeros(self._lanes.size, int)
        for line, where in self._lines:
            counts[where] = line.count
        try:
            beside = self._beside(axis, shift)
        except ConfigError:
            return np.zeros(self._lanes.size, bool)
        for line, where in beside:
            counts[where] -= line.count
        return counts == 0

    def _beside(self, axis: str | None, shift: Any) -> list[tuple[Timeline, np.ndarray]]:
        if axis is None or not self._doses.reads(axis):
            return self._lines
        args = self._lanes.args.copy()
        args[self._doses.names.index(axis)] += shift
        return self._doses.lines(self._axes, args)

    def changes(self, axis: str | None = None, shift: Any = 0.0) -> dict[Any, DoseChange]:
        """What is given, and of what kind; with a shift of an axis, beside the lanes."""
        found = _Changes(self._lanes.size)
        names, model = self._doses.names, self._doses.model
        beside = self._beside(axis, shift)
        y0 = self._lanes.y0[: self._own]
        if axis is not None:
            place = (1 + list(self._along).index(axis)) * self._own
            y0 = y0 + shift * self._lanes.y0[place : place + self._own]
        for line, where in beside:
            for number, time in enumerate(line.starts):
                following = min((t for t in line.starts if t > time), default=np.inf)
                found.switch(where, names[-1], number, time, following - line.close)
            for number, (time, covariates) in enumerate(line.switches):
                for name, value in covariates.items():
                    found.switch(where, name, number, time, value)
            if (told := self._doses.records.last_dose) is not None:
                for number, time in enumerate(line.doses):
                    found.switch(where, told, number, time, self._on_clock(time))
            for number, time in enumerate(line.initial):
                for component in range(self._own):
                    found.bolus(where, component, ("initial", number), time, y0[component, where])
            for number, one in enumerate(line.boluses):
                component = component_of(model.declared, one.state)
                found.bolus(where, component, ("bolus", number), one.time, one.amount)
            for number, one in enumerate(line.infusions):
                component = component_of(model.declared, one.state)
                found.infusion(where, component, number, one.start, one.end, one.rate)
        self._settle(found, axis, shift)
        return found.in_order

    def _on_clock(self, time: float) -> float:
        clock = self._doses.clock
        return float(clock.moved(np.asarray(time), np.asarray(clock.t1)))

    def _settle(self, found: "_Changes", axis: str | None, shift: Any) -> None:
        shift = np.broadcast_to(np.asarray(shift, float), self._lanes.size)
        states = self._states
        if axis is not None and states.size:
            states = states + shift[self._lane_of_settled] * self._slopes[axis]
        for line, where in self._lines:
            for number, one in enumerate(line.settled):
                state = states[:, self._first[where] + number]
                for component in range(self._own):
                    kind = ("settled", number)
                    found.bolus(where, component, kind, one.time, state[component])

    def _steady_states(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Those of all lanes in order, (component, settled), and their derivatives by axis."""
        if not len(self._lane_of_settled):
            return np.empty((self._own, 0)), {}
        cases: list[tuple[str | None, np.ndarray]] = [(None, np.zeros(self._lanes.size))]
        steps, weights = {}, {}
        for axis in self._along:
            steps[axis] = _STEP * size_of(self.value(axis))
            one_sided = (~self.fits(axis, -2 * steps[axis])).astype(int)
            multiples, weights[axis] = np.moveaxis(_STENCILS[one_sided], 0, -1)
            cases += [(axis, k * steps[axis]) for k in multiples[:-1]]
        asked = [one for axis, shift in cases for one in self._repeated(axis, shift)]
        assert self._doses.orbits is not None
        found = self._doses.orbits([dose for dose, _ in asked], np.stack([x for _, x in asked], 1))
        base, *beside = np.split(found, len(cases), axis=1)
        slopes, lane = {}, self._lane_of_settled
        for i, axis in enumerate(self._along):
            points = [*beside[4 * i : 4 * i + 4], base]
            terms = [weight[lane] * x for weight, x in zip(weights[axis], points)]
            slopes[axis] = sum(terms) / steps[axis][lane]
        return base, slopes

    def _repeated(self, axis: str | None, shift: np.ndarray) -> list[tuple[Repeated, np.ndarray]]:
        """The repeated doses of all lanes in order beside an axis, with parameters of each."""
        names = self._doses.names
        args = self._lanes.args[: len(names)].copy()
        if axis in names:
            args[names.index(axis)] += shift
        of_lane = {lane: line for line, where in self._beside(axis, shift) for lane in where}
        result = []
        for lane in range(self._lanes.size):
            for one in of_lane[lane].settled:
                own = args[:, lane].copy()
                for name, value in one.dose.covariates:
                    own[names.index(name)] = value
                result.append((one.dose, own))
        return result


class _Changes:
    """Changes gathered by what they change, each of some lanes."""

    def __init__(self, size: int):
        self._size = size
        self._all: dict[Any, DoseChange] = {}

    @property
    def in_order(self) -> dict[Any, DoseChange]:
        """New starts and covariates first: what is given at their time comes after them."""
        return dict(sorted(self._all.items(), key=lambda one: not one[1].is_switch))

    def switch(self, where: np.ndarray, name: str, number: int, time: float, value: float) -> None:
        """A parameter of this name has a value from a time on."""
        one = self._one((name, number), name, is_switch=True)
        one.time[where], one.value[where] = time, value

    def bolus(self, where: np.ndarray, to: int, kind: Any, time: float, amount: Any) -> None:
        """An amount into a component."""
        one = self._one((to, *kind), to)
        one.time[where], one.value[where] = time, amount

    def infusion(
        self, where: np.ndarray, to: int, number: int, start: float, end: float, rate: float
    ) -> None:
        """A constant rate into a component between two times."""
        one = self._one((to, "infusion", number), to, ends=True)
        assert one.end is not None
        one.time[where], one.value[where] = start, rate * (end - start)
        one.end[where] = end

    def _one(
        self, key: Any, target: int | str, ends: bool = False, is_switch: bool = False
    ) -> DoseChange:
        if key not in self._all:
            never = np.full(self._size, np.inf)
            end = never.copy() if ends else None
            self._all[key] = DoseChange(target, never, np.zeros(self._size), end, is_switch)
        return self._all[key]
