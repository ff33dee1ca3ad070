"""One trajectory of an ensemble against its reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.ensemble.labels import trajectory
from odeflow.files.flags import flag_meaning
from odeflow.problem.derivative_names import sensitivity_names, time_derivative_names
from odeflow.problem.methods import METHODS
from odeflow.problem.model import Model
from odeflow.problem.status import Status
from odeflow.trust.verification.advice import MOST_TRIED, advice
from odeflow.trust.verification.course import Accuracy, Course, NoReferenceError, Work, course
from odeflow.trust.verification.differences import derivatives
from odeflow.trust.verification.judgement import (
    TIME_REACHED,
    Errors,
    Judged,
    Limits,
    Outcome,
    look_at,
)
from odeflow.trust.verification.problem import PointProblem
from odeflow.trust.verification.reference import (
    Reference,
    Sides,
    Values,
    distances,
    reference_solution,
)
from odeflow.trust.verification.tolerances import Tolerances
from odeflow.trust.verification.trajectory import Trajectories

#: Evaluations after which what an implicit method solved is taken to be stiff.
_IF_NOT_STIFF = 6_000
#: What stands for the solver where it is asked how far off that may be: DOP853 is of order 8.
_ALIKE = {"DOP853": "RK45"}
#: Tolerances of the solutions that are subtracted for sensitivities.
_RTOL_OF_DIFFERENCES = 1e-12


@dataclass
class Comparison:
    """One trajectory against its reference.

    `reference[name]` and `errors[name]` have the shape of the saved values, NaN where those are
    not compared; `amplification` has one value a time: how many tolerances SciPy is off by then at
    the tolerances of the solver, if 1 or more.
    """

    reference: Mapping[str, np.ndarray]
    errors: Mapping[str, Errors]
    amplification: np.ndarray
    judged: Judged
    method: str = ""
    evaluations: int = 0
    advice: Callable[[float], str] | None = None


class Checker:
    """What all trajectories of an ensemble have in common."""

    def __init__(self, config: Config, model: Model, study: Path, ensemble: xr.Dataset):
        self.config, self.model, self.ensemble = config, model, ensemble
        self.names = [str(n) for n, v in ensemble.data_vars.items() if "time" in v.dims]
        self.trajectories = Trajectories(config, model, study)
        self.functions = self.trajectories.functions
        asked = config.solver.tolerances(config.model.states)
        self.tolerances = Tolerances(asked, model, np.dtype(config.runtime.precision))
        self.limits = Limits(
            np.inf if config.verify.max_error is None else config.verify.max_error,
            np.inf if config.verify.max_error_ratio is None else config.verify.max_error_ratio,
        )
        variables = [*model.declared.states, *model.observable_names]
        axes = config.saveat.sensitivities or []
        self.derivatives = {
            name: pair
            for name, pair in sensitivity_names(variables, axes, model.declared).items()
            if name in self.names
        }
        if config.stop is not None:
            self.derivatives |= {
                name: (TIME_REACHED, axis)
                for name, axis in time_derivative_names(axes, model.declared).items()
                if name in ensemble
            }

    def compare(self, number: int, deadline: float = np.inf) -> Comparison:
        """The trajectory in row `number` of the design against its reference.

        Raises OutOfTimeError where that is not done at the deadline (`time.monotonic`).
        """
        one = trajectory(self.ensemble, number)
        try:
            return _One(self, one, deadline).compared()
        except NoReferenceError as error:
            return self.nothing(number, str(error))

    def nothing(self, number: int, reason: str) -> Comparison:
        """What is said of a trajectory that could not be compared."""
        one = trajectory(self.ensemble, number)
        judged = Judged(Outcome.not_judged, reasons={reason: set()})
        saved = {name: one[name].transpose("time", ...).values for name in self.names}
        nothing = {name: np.full(values.shape, np.nan) for name, values in saved.items()}
        errors = {name: _no_errors(values) for name, values in saved.items()}
        return Comparison(nothing, errors, np.ones(one.sizes["time"]), judged)

    def methods(self, one: xr.Dataset) -> tuple[tuple[str, int], ...]:
        """SciPy's methods in the order in which to try them, and how many evaluations each has.

        What an implicit method has solved need not be stiff, and DOP853 is soon done if it is not.
        """
        most = self.config.verify.max_evaluations
        solved_by = flag_meaning(one["method"]) if "method" in one else self.config.solver.method
        explicit, implicit = ("DOP853", most), (("LSODA", most), ("Radau", most))
        auto = (explicit, *implicit)
        if METHODS[solved_by].implicit:
            auto = (("DOP853", min(_IF_NOT_STIFF, most)), *implicit)
        asked = {"auto": auto, "dop853": (explicit,), "radau": (("Radau", most),)}
        return asked[self.config.verify.method]


class _One:
    """One trajectory while it is compared."""

    def __init__(self, checker: Checker, one: xr.Dataset, deadline: float):
        self.checker, self.one, self.deadline = checker, one, deadline
        self.config, self.model = checker.config, checker.model
        self.tolerances, self.limits = checker.tolerances, checker.limits
        self.problem = checker.trajectories.problem(one, precision=self.config.runtime.precision)
        times = one["time"].values.astype(float)
        self.only_end = self.config.saveat.ts is None
        kept = times <= self.problem.t1
        self.ts = np.array([self.problem.t1]) if self.only_end else times[kept]
        self.padding = len(times) - len(self.ts)
        self.status = flag_meaning(one["status"])

    def work(self, most: int | None = None) -> Work:
        return Work(most or self.config.verify.max_evaluations, self.deadline)

    def compared(self) -> Comparison:
        checker = self.checker
        for event in self.problem.events:
            if event.asks_if_equal:
                raise NoReferenceError(
                    f"the trigger of event {event.name} asks whether numbers are equal that move"
                )
        found = reference_solution(
            self.problem,
            self.ts,
            self.tolerances,
            self.config.verify.tightening,
            checker.methods(self.one),
            self.work,
            self.read,
            self._is_enough,
        )
        errors = self._errors(found)
        references = {
            name: found.values.here[name] for name in checker.names if name in found.values.here
        }
        evaluations = found.evaluations
        if checker.derivatives:
            more, values, count, unknown = self._of_derivatives(found)
            errors, references, evaluations = (
                errors | more,
                references | values,
                evaluations + count,
            )
        else:
            unknown = set()
        findings = look_at(errors, self.limits)
        if unknown:
            findings.judged.reasons["there is no derivative at this stop"] = unknown
        judged, amplification = findings.judged, np.ones(len(self.ts))
        if findings.exceeds or (findings.suspicious > self.limits.ratio).any():
            amplification = self._amplification(found)
            explained = (findings.suspicious <= self.limits.ratio * amplification).all()
            if self.config.solver.stepsize_controller == "constant":
                judged.outcome = Outcome.not_judged
                judged.reasons.setdefault("constant steps keep no tolerance", set())
            elif not explained:
                judged.outcome = Outcome.failed
            elif findings.exceeds:
                judged.outcome = Outcome.tolerances_too_loose
        return Comparison(
            {name: self._padded(references[name]) for name in checker.names},
            {name: self._padded_errors(errors[name]) for name in checker.names},
            np.concatenate([amplification, np.ones(self.padding)]),
            judged,
            found.course.method,
            evaluations,
            self._adviser(found),
        )

    def _adviser(self, found: Reference) -> Callable[[float], str]:
        """What makes the advice on this trajectory, which costs a few more solutions."""

        def error(accuracy: Accuracy) -> float:
            """The largest error relative to its scale, of SciPy with this accuracy."""
            moved = self._like(self.problem, self.problem.y0)
            values = self.read(course(moved, self.ts, accuracy, self.work(MOST_TRIED)))
            off = distances(values.here, found.values, found.course.near_end)
            scales = self._scales(found.values.here, found.course)
            worst = 0.0
            for name, one in off.items():
                scale, below = scales[name]
                relative = np.where(below, 0.0, np.nan_to_num(one) / np.maximum(scale, 1e-300))
                worst = max(worst, float(relative.max(initial=0.0)))
            return worst

        span = self.problem.t1 - self.problem.t0

        def advise(deadline: float) -> str:
            self.deadline = deadline
            limit = self.limits.relative
            return advice(error, self.config.solver.method, self.tolerances, span, limit)

        return advise

    def read(self, found: Course) -> Sides:
        """Every state and observable that is saved, and where it ended if a stop did it."""
        ys, args, beside = found.ys, found.args, found.beside
        if self.only_end:
            ys, args = found.at_end[None], found.end_args[None]
            beside = np.full_like(ys, np.nan)
        here, other = self._named(ys, args), self._named(beside, args)
        if self.problem.stops or self.problem.ends_at is not None:
            end = found.end
            if end == self.problem.ends_at and found.stopped:
                rests = self.checker.trajectories.is_at_rest
                if not rests(self.problem, end, found.at_end, found.end_args):
                    end = self.problem.t1  # nothing ends it there
            here[TIME_REACHED] = np.array([end])
            other[TIME_REACHED] = np.array([np.nan])
        return Sides(here, other)

    def _named(self, ys: np.ndarray, args: np.ndarray) -> dict[str, np.ndarray]:
        values, start = {}, 0
        for name, state in self.model.declared.states.items():
            stop = start + int(np.prod(state.shape))
            values[name] = ys[:, start:stop].reshape(len(ys), *state.shape)
            start = stop
        names = self.model.observable_names
        if any(name in self.checker.names for name in names):
            observed = np.full((len(ys), len(names)), np.nan)
            with np.errstate(all="ignore"):
                for i, (t, y, p) in enumerate(zip(self._times(), ys, args)):
                    if not np.isnan(y).all():
                        observed[i] = self.checker.functions.observables(t, y, p)
            values |= dict(zip(names, observed.T))
        wanted = {*self.checker.names, *(v for v, _ in self.checker.derivatives.values())}
        return {name: value for name, value in values.items() if name in wanted}

    def _times(self) -> np.ndarray:
        return self.ts

    def _is_enough(self, values: Values, uncertainty: Values, found: Course) -> bool:
        """Whether the reference is sure to a hundredth of what is allowed."""
        allowed = 0.02 * min(self.limits.relative, 0.01)
        scales = self._scales(values, found)
        for name, doubt in uncertainty.items():
            scale, _ = scales[name]
            with np.errstate(invalid="ignore"):
                if (doubt > allowed * np.maximum(scale, 1e-300)).any():
                    return False
        return True

    def _scales(self, values: Values, found: Course) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Of each variable the scale, and whether all of it lies below its absolute tolerance."""
        result, start = {}, 0
        with np.errstate(all="ignore"):
            for name, state in self.model.declared.states.items():
                stop = start + int(np.prod(state.shape))
                scale = found.largest[start:stop].reshape(state.shape)
                atol = self.tolerances.atol[start:stop].reshape(state.shape)
                result[name] = scale, np.asarray(scale <= atol)
                start = stop
            for name in values:
                if name in result or name == TIME_REACHED:
                    continue
                scale = np.asarray(np.nanmax(np.abs(values[name]), axis=0, initial=0.0))
                result[name] = scale, np.asarray(scale == 0)
        span = np.array(self.problem.t1 - self.problem.t0)
        result[TIME_REACHED] = span, np.array(False)
        return result

    def _errors(self, found: Reference) -> dict[str, Errors]:
        """Of every saved state and observable, and of the end."""
        values, run = found.values, found.course
        saved = {name: self._saved(name) for name in values.here}
        error = distances(saved, values, run.near_end)
        if self.only_end:
            error = {n: np.where(np.isnan(saved[n]), np.inf, e) for n, e in error.items()}
        widths, least = self._widths(run)
        scales = self._scales(values.here, run)
        result = {}
        for name in saved:
            scale, below = scales[name]
            if name in least:
                below = np.asarray(least[name] >= 0.1 * scale)
            result[name] = Errors(
                error[name],
                np.where(np.isnan(found.uncertainty[name]), 0.0, found.uncertainty[name]),
                widths[name],
                scale,
                below,
            )
        return result

    def _widths(self, run: Course) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        """The tolerances of states and observables by time; for observables besides the least that
        absolute tolerances alone do to them.
        """
        ys, args = (run.at_end[None], run.end_args[None]) if self.only_end else (run.ys, run.args)
        allowed = self.tolerances.of_state(ys)
        result, start = {}, 0
        for name, state in self.model.declared.states.items():
            stop = start + int(np.prod(state.shape))
            result[name] = allowed[:, start:stop].reshape(len(ys), *state.shape)
            start = stop
        span = self.problem.t1 - self.problem.t0
        result[TIME_REACHED] = np.array([self.tolerances.rtol * span])
        names, least = self.model.observable_names, {}
        wanted = {*self.checker.names, *(v for v, _ in self.checker.derivatives.values())}
        if any(name in wanted for name in names):
            widths, smallest = np.full((2, len(ys), len(names)), np.nan)
            with np.errstate(all="ignore"):
                for i, (t, y, p) in enumerate(zip(self.ts, ys, args)):
                    if np.isnan(y).all():
                        continue
                    observables = lambda y, t=t, p=p: self.checker.functions.observables(t, y, p)
                    widths[i], smallest[i] = self.tolerances.of_observables(observables, y)
                floor = np.nanmin(smallest, axis=0, initial=np.inf)
            result |= dict(zip(names, widths.T))
            least = {n: float(x) if np.isfinite(x) else 0.0 for n, x in zip(names, floor)}
        return result, least

    def _of_derivatives(
        self, found: Reference
    ) -> tuple[dict[str, Errors], dict[str, np.ndarray], int, set[str]]:
        """Errors and references of the sensitivities, by differences of solutions.

        The last is of which of them the dataset says, at a stop, that there is none.
        """
        errors, references, count, unknown = {}, {}, 0, set()
        widths, _ = self._widths(found.course)
        for axis in self.config.saveat.sensitivities or ():
            own = {
                n: v
                for n, (v, a) in self.checker.derivatives.items()
                if a == axis and v in found.values.here
            }
            size, nominal = self._size(axis)
            spent = [0]

            def values_at(shift: float, axis: str = axis, spent: list[int] = spent) -> Values:
                moved = self.checker.trajectories.problem(
                    self.one, {axis: shift}, self.config.runtime.precision
                )
                moved.follows_time = self.problem.is_followed
                accuracy = Accuracy(
                    found.course.method,
                    _RTOL_OF_DIFFERENCES,
                    np.minimum(1e-6 * self.tolerances.atol, 1e-12 * found.course.largest + 1e-30),
                )
                run = course(moved, self.ts, accuracy, self.work())
                spent[0] += run.evaluations
                return self.read(run).here

            scales = {}

            def is_enough(values: Values, doubts: Values) -> bool:
                for variable in set(own.values()):  # noqa: B023
                    scale = np.nanmax(np.abs(values[variable]), axis=0, initial=0.0)
                    scales[variable] = scale  # noqa: B023
                    allowed = 0.02 * min(self.limits.relative, 0.01) * scale
                    if (doubts[variable] > allowed).any():
                        return False
                return True

            try:
                values, doubts = derivatives(values_at, size, is_enough)
            except NoReferenceError:
                values = {v: np.full_like(found.values.here[v], np.nan) for v in own.values()}
                doubts = {v: np.full_like(x, np.inf) for v, x in values.items()}
            count += spent[0]
            for name, variable in own.items():
                reference, doubt = values[variable], doubts[variable]
                saved = self._saved(name)
                with np.errstate(invalid="ignore"):
                    error = np.abs(saved - reference)
                of_end = variable == TIME_REACHED or self.only_end
                if of_end and self.status == Status.stopped_by_event.name and np.isnan(saved).all():
                    unknown.add(name)
                else:
                    error = np.where(np.isnan(saved) & ~np.isnan(reference), np.inf, error)
                scale = np.asarray(np.nanmax(np.abs(reference), axis=0, initial=0.0))
                absolute = widths[variable] / nominal
                width = absolute + self.tolerances.rtol * np.abs(np.nan_to_num(reference))
                below = scale <= np.nanmin(self.tolerances.atol) / nominal
                if not saved.any():  # nothing depends on that axis, by both
                    scale, below = np.where(below, np.inf, scale), np.zeros_like(below)
                errors[name] = Errors(error, doubt, width, scale, np.asarray(below))
                references[name] = reference
        return errors, references, count, unknown

    def _saved(self, name: str) -> np.ndarray:
        """What the ensemble has at the times that are compared."""
        one = self.one[name]
        if "time" not in one.dims:
            return np.array([float(one)])
        return one.transpose("time", ...).values.astype(float)[: len(self.ts)]

    def _size(self, axis: str) -> tuple[float, float]:
        """The size of an axis' value in this trajectory, and of its value in the config."""
        known = self.model.declared
        if axis in known.parameters:
            nominal = abs(known.parameters[axis].value)
            place = list(known.parameters).index(axis)
            here = abs(float(self.problem.changes[0].args[place]))
        else:
            nominal = float(np.max(np.abs(known.states[axis].initial)))
            places = [i for i, c in enumerate(self.model.components) if c.state == axis]
            here = float(np.max(np.abs(self.problem.y0[places])))
        return here or nominal or 1.0, nominal or 1.0

    def _amplification(self, found: Reference) -> np.ndarray:
        """At each time, the most tolerances that SciPy is off so far, if it does as the solver."""
        # away from zero: what is positive stays so
        y0, run = self.problem.y0, found.course
        beside = y0 + np.where(y0 < 0, -1.0, 1.0) * self.tolerances.of_state(y0)
        grown = np.ones(len(self.ts))
        for start in (beside, y0):
            moved = self._like(self.problem, start)
            accuracy = Accuracy(
                _ALIKE.get(run.method, run.method), self.tolerances.rtol, self.tolerances.atol
            )
            try:
                values = self.read(course(moved, self.ts, accuracy, self.work()))
            except NoReferenceError:
                continue
            off = distances(values.here, found.values, run.near_end)
            widths, _ = self._widths(run)
            for name, one in off.items():
                with np.errstate(all="ignore"):
                    ratio = (one / widths[name]).reshape(len(one), -1).max(axis=1)
                grown = np.maximum(grown, np.nan_to_num(ratio, nan=1.0, posinf=np.inf))
        return np.maximum.accumulate(grown)

    @staticmethod
    def _like(problem: PointProblem, y0: np.ndarray) -> PointProblem:
        """The problem from another start, as a solver sees it that knows its exact switches."""
        return PointProblem(
            problem.field, problem.notes, y0, problem.t0, problem.t1, problem.changes,
            problem.stops, problem.events, problem.still, False, problem.ends_at,
        )  # fmt: skip

    def _padded(self, values: np.ndarray) -> np.ndarray:
        """With times of NaN behind: those after a trajectory's own end."""
        nothing = np.full((self.padding, *values.shape[1:]), np.nan)
        return np.concatenate([values, nothing])

    def _padded_errors(self, one: Errors) -> Errors:
        error, uncertainty = self._padded(one.error), self._padded(one.uncertainty)
        return Errors(error, uncertainty, self._padded(one.tolerance), one.scale, one.below)


def _no_errors(like: np.ndarray) -> Errors:
    nothing = np.full(like.shape, np.nan)
    rest = like.shape[1:]
    return Errors(nothing, nothing, nothing, np.full(rest, np.nan), np.zeros(rest, bool))
