"""Steady states of repeated doses: periodic orbits, by Newton's method on the map of one interval.

What a state has become after an interval in which the dose is given is a function of it, P. A
steady state is a fixed point, y = P(y), and Newton's method needs dP/dy, which is solved for beside
P: the sensitivities to the initial state. Where P is linear one step is exact. Where Newton's
method does not get closer, the dose is given until the state repeats itself.

Reference: Aprille, Trick (1972), Steady-state analysis of nonlinear circuits with periodic inputs,
Proc. IEEE 60; Beal et al., NONMEM users guide VI, on SS.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from odeflow.config.root import Config
from odeflow.engines.choice import Resources, choose_engine, solve
from odeflow.files.errors import ConfigError
from odeflow.problem.derivative_names import sensitivity_names
from odeflow.problem.methods import METHODS
from odeflow.problem.model import Model
from odeflow.problem.problem import Jumps, JumpTargets, Lanes, Problem
from odeflow.problem.records import Records
from odeflow.problem.status import has_failed
from odeflow.problem.transforms.sensitivity import (
    at_start,
    sensitivity_tolerances,
    with_sensitivities,
)
from odeflow.problem.transforms.stops import moves_with_time
from odeflow.problem.transforms.timelines import CLOSE, Repeated

#: Tolerances of the map are those of the solver times this, and not below what rounding leaves.
_TIGHTER, _LEAST = 1e-3, 1e-12
#: In place of a method that has no error estimate.
_METHOD = "tsit5"
#: Steps of Newton's method, and intervals that are simulated where it fails.
_MOST_STEPS, _MOST_INTERVALS = 15, 2_000
#: Where a state still moves by this part of what it did, for so many intervals, it drifts for ever.
_STAYS, _MOST_STAYS = 1 - 1e-6, 50


class PeriodicOrbits:
    """Finds the steady states of a model under repeated doses.

    Arguments:
        config: the experiment; its tolerances and its engine are taken.
        model: the model of `with_records`.
        records: those of its subjects.

    Raises:
        ConfigError: the model depends on time, or has arrays.
    """

    def __init__(self, config: Config, model: Model, records: Records):
        key = "design.nonmem: SS"
        arrays = [name for name, state in model.declared.states.items() if state.shape]
        if arrays:
            raise ConfigError(f"{key}: {arrays[0]} is an array; a model of scalar states is needed")
        if moves_with_time(model):
            raise ConfigError(
                f"{key}: {model.declared.origin} depends on time, so that doses that repeat lead "
                "to no steady state"
            )
        self._span = model.declared.t1 - model.declared.t0
        self._states = list(model.declared.states)
        self._infused = records.infused
        declared = replace(model.declared, t0=0.0, t1=1.0)
        plain = replace(model, declared=declared, observables_function=None, jumping=None)
        last = len(declared.parameters) - 1
        self._rates = tuple(range(last - len(self._infused), last))
        dtype = np.dtype(config.runtime.precision)
        tolerances = config.solver.tolerances(self._states)
        self._rtol = max(_TIGHTER * tolerances.rtol, _LEAST)
        self._atol = np.array([tolerances.atol[name] for name in self._states]) * _TIGHTER
        tight = replace(
            tolerances, rtol=self._rtol, atol=dict(zip(self._states, self._atol.tolist()))
        )
        sensitive = with_sensitivities(plain, self._states, None, None, tight)
        names = sensitivity_names(self._states, self._states, declared)
        of = {pair: name for name, pair in names.items()}
        self._slopes = [[of[state, axis] for axis in self._states] for state in self._states]
        asked = config.solver.solver(self._states)
        method = asked.method if METHODS[asked.method].adaptive else _METHOD
        solver = replace(
            asked,
            method=method,
            tolerances=tight,
            stepsize_controller="pid",
            dt0=None,
            dtmin=None,
            dtmax=None,
        )
        self._problem = Problem(
            model=sensitive,
            solver=sensitivity_tolerances(solver, sensitive),
            ts=None,
            variables=(*self._states, *names),
            dtype=dtype,
            own_ends=True,
            jumps=JumpTargets(tuple(range(len(self._states))), self._rates),
        )
        self._size = len(sensitive.components)
        self._engine = choose_engine(self._problem, config.runtime.engine, config.runtime.device)

    def __call__(
        self,
        doses: Sequence[Repeated],
        args: Float[np.ndarray, "parameter dose"],
        resources: Resources,
    ) -> Float[np.ndarray, "component dose"]:
        """The states that repeat, just before the next of the doses is recorded.

        Arguments:
            doses: what is repeated.
            args: the parameters of the model under which each is.
            resources: cores, and the folder for compiled code.

        Returns:
            One state per dose; NaN where there is none. Equal ones are looked for once.
        """
        keys = [(dose, args[:, i].tobytes()) for i, dose in enumerate(doses)]
        unique: dict[tuple[Repeated, bytes], int] = {}
        for number, key in enumerate(keys):
            unique.setdefault(key, number)
        given = [dose for dose, _ in unique]
        intervals = _Intervals(self._states, self._infused, given, self._span)
        intervals.put_into(args[:, list(unique.values())], self._rates)
        found = self._found(intervals, resources)
        place = {key: i for i, key in enumerate(unique)}
        return found[:, [place[key] for key in keys]]

    def _found(self, intervals: "_Intervals", resources: Resources) -> np.ndarray:
        """By Newton's method, all lanes together; then by simulation what is left."""
        size = len(self._states)
        y = np.zeros((size, len(intervals.doses)))
        best, left = np.full(y.shape, np.nan), np.arange(y.shape[1])
        for _ in range(_MOST_STEPS):
            after, slopes, failed = self._after(intervals, y[:, left], left, resources)
            moves = after - y[:, left]
            done = self._is_same(moves, after) & ~failed
            step = np.full(moves.T.shape, np.nan)
            for i in np.flatnonzero(~failed):
                with np.errstate(all="ignore"):
                    try:
                        step[i] = np.linalg.solve(np.eye(size) - slopes[i], moves[:, i])
                    except np.linalg.LinAlgError:
                        continue
            # the last step has an error of its square
            ends = np.where(np.isfinite(step.T), y[:, left] + step.T, after)
            best[:, left[done]] = ends[:, done]
            goes_on = ~done & np.isfinite(step).all(axis=1)
            y[:, left] = y[:, left] + np.nan_to_num(step.T)
            left = left[goes_on]
            if not len(left):
                break
        missing = np.flatnonzero(np.isnan(best).any(axis=0))
        if len(missing):
            best[:, missing] = self._simulated(intervals, missing, resources)
        return best

    def _simulated(
        self, intervals: "_Intervals", lanes: np.ndarray, resources: Resources
    ) -> np.ndarray:
        """The states after so many intervals that they repeat; NaN where they do not."""
        y = np.zeros((len(self._states), len(lanes)))
        best, left = np.full(y.shape, np.nan), np.arange(len(lanes))
        before, stays = np.full(len(lanes), np.inf), np.zeros(len(lanes), int)
        for _ in range(_MOST_INTERVALS):
            after, _, failed = self._after(intervals, y[:, left], lanes[left], resources)
            moves = after - y[:, left]
            moved = np.abs(moves).max(axis=0)
            with np.errstate(invalid="ignore"):
                ratio = moved / before[left]
                # of what moves by this ratio from one interval to the next this much is to come
                done = (ratio < 1) & self._is_same(moves / (1 - ratio), after) | (moved == 0)
            best[:, left[done & ~failed]] = after[:, done & ~failed]
            y[:, left], before[left] = after, moved
            stays[left] = np.where(ratio > _STAYS, stays[left] + 1, 0)
            goes_on = (stays[left] < _MOST_STAYS) & np.isfinite(after).all(axis=0)
            left = left[~done & ~failed & goes_on]
            if not len(left):
                break
        return best

    def _is_same(self, moves: np.ndarray, y: np.ndarray) -> Bool[np.ndarray, " dose"]:
        """Whether states are the same within the tolerances of the map."""
        allowed = 10 * (self._atol[:, None] + self._rtol * np.abs(y).max(axis=0, initial=0.0))
        return (np.abs(moves) <= allowed).all(axis=0)

    def _after(
        self, intervals: "_Intervals", y: np.ndarray, lanes: np.ndarray, resources: Resources
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """States after an interval, (component, lane), their slopes (lane, component, component)
        in those before it, and which were not solved.
        """
        begun = at_start(self._problem.model, intervals.lanes(y, lanes, self._size))
        solution = solve(self._problem, begun, self._engine, resources)
        after = np.stack([solution.values[name][:, 0] for name in self._states])
        slopes = np.stack(
            [
                np.stack([solution.values[name][:, 0] for name in row], axis=-1)
                for row in self._slopes
            ],
            axis=1,
        )
        failed = has_failed(solution.status) | ~np.isfinite(slopes).all(axis=(1, 2))
        return after.astype(float), slopes.astype(float), failed


class _Intervals:
    """What is given within the interval of each dose, after it is recorded."""

    def __init__(
        self,
        states: Sequence[str],
        infused: Sequence[str],
        doses: Sequence[Repeated],
        span: float,
    ):
        self.doses = doses
        size, count = len(states), len(doses)
        self._start = np.zeros((size, count))
        self._rates = np.zeros((len(infused), count))
        self._args, self._size = np.empty((0, count)), size
        self._t1 = np.array([dose.interval or span for dose in doses])
        self._times = np.full((2, count), np.inf)
        self._amounts = np.zeros((2, size, count))
        self._values = np.zeros((2, len(infused), count))
        for lane, dose in enumerate(doses):
            place = states.index(dose.state)
            if not dose.interval:
                self._rates[infused.index(dose.state), lane] = dose.rate
                continue
            phase = _phase(dose)
            if dose.duration:
                self._infusion(lane, infused.index(dose.state), dose, phase)
            elif phase:
                self._times[0, lane] = min(phase, dose.interval)
                self._amounts[0, place, lane] = dose.amount
            else:
                self._start[place, lane] = dose.amount

    def _infusion(self, lane: int, row: int, dose: Repeated, phase: float) -> None:
        """Infusions that overlap, and the rest of one, which may go on into the next interval."""
        whole = math.floor(dose.duration / dose.interval * (1 + CLOSE))
        rest = max(dose.duration - whole * dose.interval, 0.0)
        level = whole * dose.rate
        first, last = phase % dose.interval, (phase + rest) % dose.interval
        if rest <= CLOSE * dose.interval:
            self._rates[row, lane] = level
            return
        wraps = last < first
        self._rates[row, lane] = level + (dose.rate if wraps or first == 0 else 0.0)
        changes = sorted([(first, level + dose.rate), (last, level)])
        for number, (time, rate) in enumerate(one for one in changes if one[0] > 0):
            self._times[number, lane] = time
            self._values[number, row, lane] = rate

    def put_into(self, args: np.ndarray, rates: Sequence[int]) -> None:
        """Takes the parameters of each dose, of which some are the rates at first."""
        self._args = args.copy()
        self._args[list(rates)] = self._rates

    def lanes(self, y: np.ndarray, which: np.ndarray, components: int) -> Lanes:
        """The lanes of some of the doses that begin with these states.

        Behind them are their derivatives, and what else there are of so many components.
        """
        size = self._size
        slopes = np.tile(np.eye(size).reshape(-1, 1), (1, len(which)))
        more = np.zeros((components - size - size**2, len(which)))
        times, amounts = self._times[:, which], self._amounts[..., which]
        # rates are what they were where nothing about them changes
        given = self._values[..., which]
        changes = self._has_rates[which]
        values = np.where(changes, given, self._rates[:, which])
        return Lanes(
            np.concatenate([y + self._start[:, which], slopes, more]),
            self._args[:, which],
            self._t1[which],
            Jumps(times, amounts, values),
        )

    @property
    def _has_rates(self) -> np.ndarray:
        """Which doses change a rate within the interval."""
        return np.array([bool(dose.duration and dose.interval) for dose in self.doses])


def _phase(dose: Repeated) -> float:
    """When within an interval a dose arrives that began with it, or with an earlier one.

    The end of the interval is one of the phases: what arrives at a record's time comes before it.
    """
    if not dose.lag:
        return 0.0
    earlier = math.ceil(dose.lag / dose.interval - CLOSE) - 1
    return dose.lag - earlier * dose.interval
