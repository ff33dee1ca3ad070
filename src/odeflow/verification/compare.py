"""Saved values against the reference solutions of a random part of the trajectories."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.dataset import trajectory
from odeflow.doses import with_doses
from odeflow.model import Model, load_model
from odeflow.sensitivity import with_sensitivities
from odeflow.status import Status
from odeflow.verification.labels import label_verification
from odeflow.verification.numpy_functions import PointFunctions
from odeflow.verification.reference import NoReferenceError, Reference, reference_solution
from odeflow.verification.tolerances import Tolerances
from odeflow.verification.trajectory import Trajectory


@dataclass(frozen=True)
class Comparison:
    """One trajectory against its reference.

    `reference[name]` and `ratio[name]` have the shape of the saved values, NaN where those are not
    compared; all NaN where `reason` says why there is no reference. `amplification` has one value
    a time: how many tolerances SciPy is off by then at the tolerances of the solver, if 1 or more.
    """

    reference: Mapping[str, np.ndarray]
    ratio: Mapping[str, np.ndarray]
    amplification: np.ndarray
    method: str = ""
    evaluations: int = 0
    reason: str = ""


def verify(config: Config, study: Path, ensemble: xr.Dataset) -> xr.Dataset:
    """Errors of a seeded random part of an ensemble's trajectories, in units of their tolerance.

    Of the trajectories that succeeded, `verify.number` are solved again by SciPy, from what the
    ensemble says of initial values and parameters, with tolerances `verify.tightening` times
    tighter, and the vector field called through NumPy. Every saved value is compared: states,
    observables, sensitivities. Metrics that were reduced while solving are not.

    An error is divided by the tolerance atol + rtol |y|, with y the reference. A tolerance bounds
    the error of a step, not that of a trajectory, so ratios above one are usual. Where a ratio is
    above `verify.max_error_ratio`, SciPy solves once more, at the solver's own tolerances and from
    one tolerance beside: the verdict divides by how far off that is, so that a trajectory which is
    chaotic or close to a switch is not taken for a wrong one.
    """
    jax.config.update("jax_enable_x64", True)
    config, model = with_doses(config, load_model(config.model, study))
    config, model = with_sensitivities(config, model)
    checker = _Checker(config, model, ensemble)
    chosen = chosen_samples(ensemble["status"].values, config.verify.number, config.verify.seed)
    results = [checker.compare(int(number)) for number in chosen]
    return label_verification(config, ensemble, chosen, results, checker.functions.evaluator)


def chosen_samples(status: np.ndarray, number: int, seed: int) -> np.ndarray:
    """Rows of the design to verify, increasing: `number` of those that succeeded, or all."""
    succeeded = np.flatnonzero(status.ravel() == Status.success)
    if len(succeeded) <= number:
        return succeeded
    return np.sort(np.random.default_rng(seed).choice(succeeded, number, replace=False))


class _Checker:
    """What all trajectories of an ensemble have in common."""

    def __init__(self, config: Config, model: Model, ensemble: xr.Dataset):
        self.config, self.model, self.ensemble = config, model, ensemble
        self.names = [str(n) for n, v in ensemble.data_vars.items() if "time" in v.dims]
        self.functions = PointFunctions(model)
        self.dtype = np.dtype(config.runtime.precision)
        self.tolerances = Tolerances(config.solver, model, self.dtype)

    def compare(self, number: int) -> Comparison:
        """The trajectory in row `number` of the design against its reference."""
        one = trajectory(self.ensemble, number)
        problem = Trajectory.of(one, self.config, self.model)
        t1 = problem.t1
        times = one["time"].values.astype(float)
        ts = np.array([t1]) if self.config.saveat.ts is None else times[times <= t1]
        try:
            tightening = self.config.verify.tightening
            found = self._solve(problem, problem.y0, ts, tightening)
        except NoReferenceError as error:
            nothing = {name: np.full(one[name].shape, np.nan) for name in self.names}
            return Comparison(nothing, nothing, np.ones(len(times)), reason=str(error))
        reference, tolerance = self._values(found, problem, ts)
        padding = len(times) - len(ts)
        reference = {name: _padded(reference[name], padding) for name in self.names}
        ratio = {}
        for name in self.names:
            saved = one[name].transpose("time", ...).values.astype(float)
            ratio[name] = _error(saved, reference[name]) / _padded(tolerance[name], padding)
        amplification = np.ones(len(times))
        limit = self.config.verify.max_error_ratio
        if limit is not None and max(np.nanmax(r, initial=0.0) for r in ratio.values()) > limit:
            amplification[: len(ts)] = self._amplification(found, problem, ts)
        return Comparison(reference, ratio, amplification, found.method, found.evaluations)

    def _solve(
        self, problem: Trajectory, y0: np.ndarray, ts: np.ndarray, tightening: float
    ) -> Reference:
        return reference_solution(
            self.functions.vector_field,
            problem.stretches,
            ts,
            y0,
            self.tolerances.rtol / tightening,
            self.tolerances.atol / tightening,
            problem.methods,
            self.config.verify.max_evaluations,
        )

    def _values(
        self, found: Reference, problem: Trajectory, ts: np.ndarray
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Every saved variable at `ts` as the reference has it, and its tolerance."""
        values, tolerances = {}, {}
        allowed = self.tolerances.of_state(found.ys)
        start = 0
        for name, state in self.model.config.states.items():
            stop = start + int(np.prod(state.shape))
            for result, all_ in ((values, found.ys), (tolerances, allowed)):
                result[name] = all_[:, start:stop].reshape(len(ts), *state.shape)
            start = stop
        if set(self.names) <= set(values):
            return values, tolerances
        names = self.model.observable_names
        observed, widths = np.empty((2, len(ts), len(names)))
        with np.errstate(all="ignore"):
            for i, (t, y, args) in enumerate(zip(ts, found.ys, problem.parameters(ts))):
                observables = lambda y, t=t, args=args: self.functions.observables(t, y, args)
                observed[i] = observables(y)
                widths[i] = self.tolerances.of_observables(observables, y)
        values |= dict(zip(names, observed.T))
        tolerances |= dict(zip(names, widths.T))
        return values, tolerances

    def _amplification(self, found: Reference, problem: Trajectory, ts: np.ndarray) -> np.ndarray:
        """At each time, the most tolerances that SciPy is off so far, if it does as the solver."""
        # away from zero: what is positive stays so
        y0 = problem.y0
        beside = y0 + np.where(y0 < 0, -1.0, 1.0) * self.tolerances.of_state(y0)
        try:
            moved = self._solve(problem, beside, ts, 1.0).ys
        except NoReferenceError:
            return np.ones(len(ts))
        grown = np.abs(moved - found.ys) / self.tolerances.of_state(found.ys)
        return np.maximum.accumulate(np.maximum(grown.max(axis=1), 1.0))


def _error(saved: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Absolute difference, NaN where the reference is NaN, infinite where only `saved` is not."""
    with np.errstate(invalid="ignore"):
        error = np.where(saved == reference, 0.0, np.abs(saved - reference))
    return np.where(np.isfinite(error) | np.isnan(reference), error, np.inf)


def _padded(values: np.ndarray, rows: int) -> np.ndarray:
    """With `rows` times of NaN behind: those after a trajectory's own end."""
    return np.concatenate([values, np.full((rows, *values.shape[1:]), np.nan)])
