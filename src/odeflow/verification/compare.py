"""Saved values against the reference solutions of a random part of the trajectories."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.dataset import trajectory
from odeflow.design import END, axis_coordinate
from odeflow.methods import METHODS
from odeflow.model import Model, load_model
from odeflow.sensitivity import with_sensitivities
from odeflow.status import Status
from odeflow.verification.labels import label_verification
from odeflow.verification.numpy_functions import PointFunctions
from odeflow.verification.reference import NoReferenceError, Reference, reference_solution
from odeflow.verification.tolerances import Tolerances


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
    config, model = with_sensitivities(config, load_model(config.model, study))
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
        self._known = [*model.config.states, *model.config.parameters, END]
        self.functions = PointFunctions(model)
        self.dtype = np.dtype(config.runtime.precision)
        self.tolerances = Tolerances(config.solver, model, self.dtype)
        first = "Radau" if METHODS[config.solver.method].implicit else "DOP853"
        other = {"Radau": "DOP853", "DOP853": "Radau"}[first]
        asked = {"auto": (first, other), "dop853": ("DOP853",), "radau": ("Radau",)}
        self.methods = asked[config.verify.method]

    def compare(self, number: int) -> Comparison:
        """The trajectory in row `number` of the design against its reference."""
        one = trajectory(self.ensemble, number)
        y0, args, t1 = self._start(one)
        times = one["time"].values.astype(float)
        ts = np.array([t1]) if self.config.saveat.ts is None else times[times <= t1]
        try:
            found = self._solve(y0, args, ts, self.config.verify.tightening)
        except NoReferenceError as error:
            nothing = {name: np.full(one[name].shape, np.nan) for name in self.names}
            return Comparison(nothing, nothing, np.ones(len(times)), reason=str(error))
        reference, tolerance = self._values(found, args, ts)
        padding = len(times) - len(ts)
        reference = {name: _padded(reference[name], padding) for name in self.names}
        ratio = {}
        for name in self.names:
            saved = one[name].transpose("time", ...).values.astype(float)
            ratio[name] = _error(saved, reference[name]) / _padded(tolerance[name], padding)
        amplification = np.ones(len(times))
        limit = self.config.verify.max_error_ratio
        if limit is not None and max(np.nanmax(r, initial=0.0) for r in ratio.values()) > limit:
            amplification[: len(ts)] = self._amplification(found, y0, args, ts)
        return Comparison(reference, ratio, amplification, found.method, found.evaluations)

    def _start(self, one: xr.Dataset) -> tuple[np.ndarray, np.ndarray, float]:
        """Initial state, parameters and end of a trajectory, from the ensemble's coordinates."""
        config = self.model.config
        coordinates = {name: axis_coordinate(name, config) for name in self._known}
        axes = {
            name: np.asarray(one[coordinate].values, float)
            for name, coordinate in coordinates.items()
            if coordinate in one.coords and one[coordinate].ndim == 0
        }
        computed = self.model.start({name: value[None] for name, value in axes.items()})
        axes |= {name: np.asarray(value, float)[..., 0] for name, value in computed.items()}

        def value(name: str, default: Any) -> np.ndarray:
            return np.asarray(axes.get(name, default), float)

        initial = [value(name, s.initial).ravel() for name, s in config.states.items()]
        args = [value(name, p.value) for name, p in config.parameters.items()]
        names = {*config.states, *config.parameters}
        t1 = config.t1 if END in names else float(value(END, config.t1))
        # the engine casts to its precision: that is the problem which it solves
        exact = (np.array(part, float) for part in (np.concatenate(initial), args))
        y0, parameters = (part.astype(self.dtype).astype(float) for part in exact)
        return y0, parameters, t1

    def _solve(
        self, y0: np.ndarray, args: np.ndarray, ts: np.ndarray, tightening: float
    ) -> Reference:
        return reference_solution(
            lambda t, y: self.functions.vector_field(t, y, args),
            self.model.config.t0,
            ts,
            y0,
            self.tolerances.rtol / tightening,
            self.tolerances.atol / tightening,
            self.methods,
            self.config.verify.max_evaluations,
        )

    def _values(
        self, found: Reference, args: np.ndarray, ts: np.ndarray
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
            for i, (t, y) in enumerate(zip(ts, found.ys)):
                observables = lambda y, t=t: self.functions.observables(t, y, args)
                observed[i] = observables(y)
                widths[i] = self.tolerances.of_observables(observables, y)
        values |= dict(zip(names, observed.T))
        tolerances |= dict(zip(names, widths.T))
        return values, tolerances

    def _amplification(
        self, found: Reference, y0: np.ndarray, args: np.ndarray, ts: np.ndarray
    ) -> np.ndarray:
        """At each time, the most tolerances that SciPy is off so far, if it does as the solver."""
        # away from zero: what is positive stays so
        beside = y0 + np.where(y0 < 0, -1.0, 1.0) * self.tolerances.of_state(y0)
        try:
            moved = self._solve(beside, args, ts, 1.0).ys
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
