"""One trajectory as the ensemble has it, beside what a reference says of the same variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from odeflow.files.flags import flag_meaning
from odeflow.problem.names import at_record_name
from odeflow.trust.verification.common import Common
from odeflow.trust.verification.course import Course
from odeflow.trust.verification.followed import FoundAgain
from odeflow.trust.verification.judgement import (
    TIME_REACHED,
    Errors,
)
from odeflow.trust.verification.reference import (
    Reference,
    Sides,
    Values,
    distances,
)
from odeflow.trust.verification.stepping import Work


class SavedTrajectory:
    """What is saved of one trajectory, and the scales and tolerances that it is measured in."""

    def __init__(self, checker: Common, dataset: xr.Dataset, deadline: float):
        self.checker, self.deadline = checker, deadline
        self.config, self.model = checker.config, checker.model
        recorded = checker.trajectories.recorded
        self.tolerances, self.limits = checker.tolerances, checker.limits
        self.problem = checker.trajectories.problem(
            dataset, precision=self.config.runtime.precision
        )
        #: Which of the times that are compared the ensemble has for all trajectories.
        self.shown: np.ndarray | slice = slice(None)
        if recorded is not None:
            moments = recorded.times(float(dataset["subject"]))
            dataset, self.shown = with_records(dataset, checker.names, np.array(moments))
        self.dataset = dataset
        times = dataset["time"].values.astype(float)
        self.only_end = self.config.saveat.ts is None and recorded is None
        kept = times <= self.problem.t1
        self.ts = np.array([self.problem.t1]) if self.only_end else times[kept]
        self.padding = len(times) - len(self.ts)
        self.status = flag_meaning(dataset["status"])

    def work(self, most: int | None = None) -> Work:
        """What one more solution may cost."""
        return Work(most or self.config.verify.max_evaluations, self.deadline)

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
        for name, metric in self.metrics(found).items():
            here[name] = metric.value[None]
            other[name] = np.full_like(here[name], np.nan)
        return Sides(here, other)

    def metrics(self, found: Course) -> Mapping[str, FoundAgain]:
        """What is followed between the saved times, found again."""
        if not self.checker.followed:
            return {}
        if found.metrics is None:
            span = self.problem.t1 - self.problem.t0
            usual = self.config.solver.tolerances(self.config.model.states)
            followed = self.checker.trajectories.followed
            rtol = self.tolerances.rtol
            found.metrics = followed.found_again(found.pieces, self.dataset, usual, rtol, span)
        return found.metrics

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

    def is_enough(self, values: Values, uncertainty: Values, found: Course) -> bool:
        """Whether the reference is sure to a hundredth of what is allowed."""
        allowed = 0.02 * min(self.limits.relative, 0.01)
        scales = self.scales(values, found)
        for name, doubt in uncertainty.items():
            scale, _ = scales[name]
            with np.errstate(invalid="ignore"):
                if (doubt > allowed * np.maximum(scale, 1e-300)).any():
                    return False
        return True

    def scales(self, values: Values, found: Course) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Of each variable the scale, and whether all of it lies below its absolute tolerance."""
        result, start = {}, 0
        with np.errstate(all="ignore"):
            for name, state in self.model.declared.states.items():
                stop = start + int(np.prod(state.shape))
                scale = found.largest[start:stop].reshape(state.shape)
                atol = self.tolerances.atol[start:stop].reshape(state.shape)
                result[name] = scale, np.asarray(scale <= atol)
                start = stop
            metrics = self.metrics(found)
            for name in values:
                if name in result or name == TIME_REACHED or name in metrics:
                    continue
                scale = np.asarray(np.nanmax(np.abs(values[name]), axis=0, initial=0.0))
                result[name] = scale, np.asarray(scale == 0)
        span = np.array(self.problem.t1 - self.problem.t0)
        result[TIME_REACHED] = span, np.array(False)
        for name, one in metrics.items():
            result[name] = one.scale, one.below
        return result

    def errors(self, found: Reference) -> dict[str, Errors]:
        """Of every saved state and observable, and of the end."""
        values, run = found.values, found.course
        saved = {name: self.saved(name) for name in values.here}
        error = distances(saved, values, run.near_end)
        if self.only_end:
            ends = [name for name in error if name not in self.metrics(run)]
            error = {**error} | {n: np.where(np.isnan(saved[n]), np.inf, error[n]) for n in ends}
        widths, least = self.widths(run)
        scales = self.scales(values.here, run)
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

    def widths(self, run: Course) -> tuple[dict[str, np.ndarray], dict[str, float]]:
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
        result |= {name: one.tolerance[None] for name, one in self.metrics(run).items()}
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

    def saved(self, name: str) -> np.ndarray:
        """What the ensemble has at the times that are compared."""
        one = self.dataset[name]
        if "time" not in one.dims:
            return one.values.astype(float)[None]
        return one.transpose("time", ...).values.astype(float)[: len(self.ts)]

    def padded(self, values: np.ndarray) -> np.ndarray:
        """With times of NaN behind, after a trajectory's own end; without those of records."""
        nothing = np.full((self.padding, *values.shape[1:]), np.nan)
        return np.concatenate([values[self.shown], nothing])

    def padded_errors(self, one: Errors) -> Errors:
        """With times of NaN behind, as `padded`."""
        error, uncertainty = self.padded(one.error), self.padded(one.uncertainty)
        return Errors(error, uncertainty, self.padded(one.tolerance), one.scale, one.below)


def with_records(
    one: xr.Dataset, names: Sequence[str], moments: np.ndarray
) -> tuple[xr.Dataset, np.ndarray]:
    """A trajectory at the times of its records too, and the places of the times that it had."""
    saved = one["time"].values.astype(float)
    times = np.unique(np.concatenate([saved, moments]))
    shown, at_records = np.searchsorted(times, saved), np.searchsorted(times, moments)
    data = {}
    for name in names:
        values = one[name].transpose("time", ...)
        merged = np.full((len(times), *values.shape[1:]), np.nan)
        merged[at_records] = one[at_record_name(name)].values
        merged[shown] = values.values
        data[name] = (values.dims, merged, values.attrs)
    rest = one.drop_vars([str(n) for n, v in one.variables.items() if "time" in v.dims])
    return rest.assign_coords(time=times).assign(data), shown
