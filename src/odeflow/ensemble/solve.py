"""One chunk: design rows in, labelled trajectories out."""

import contextlib
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float

from odeflow.config.ladder import ladder
from odeflow.config.metrics import check_metric_names, reduced_summary, wanted_metrics
from odeflow.config.root import Config
from odeflow.config.saved_times import save_times
from odeflow.config.solver import SolverConfig
from odeflow.design import axis_names, has_own_ends, rows
from odeflow.engines.attempts import Retried, Retrier, progress_after
from odeflow.engines.choice import EngineChoice, Resources, choose_engine, missing_device
from odeflow.engines.diffrax.events import counted_before
from odeflow.ensemble.labels import label_chunk
from odeflow.ensemble.small_rates import small_rate_notes
from odeflow.files.ahead import ahead
from odeflow.files.compiled.jax_cache import keep_programs
from odeflow.files.compiled.store import open_store
from odeflow.files.digests import canonical_json
from odeflow.files.errors import ConfigError
from odeflow.files.slabs import slabs
from odeflow.importers.model_data import data_digests
from odeflow.problem.model import Model, load_model
from odeflow.problem.problem import Lanes, Problem, Progress
from odeflow.problem.reductions import Reduction
from odeflow.problem.solver import Solver
from odeflow.problem.transforms.doses import jump_targets, own_ends, schedule, with_doses
from odeflow.problem.transforms.drift_limit import DriftLimit, with_drift_limit
from odeflow.problem.transforms.invariants import Drift, load_invariants, with_invariants
from odeflow.problem.transforms.sensitivity import (
    at_start,
    sensitivity_tolerances,
    with_sensitivities,
)
from odeflow.problem.transforms.stops import comment as stop_comment
from odeflow.problem.transforms.stops import stop_guards
from odeflow.problem.transforms.switching import Switching, with_switching
from odeflow.provenance.environment import environment
from odeflow.provenance.sources import all_sources

#: Values of the axes, by name.
Axes = Mapping[str, Float[np.ndarray, " sample"]]


def configure_jax(resources: Resources) -> None:
    """Sets JAX up for solving: float64, one CPU device a thread, compiled programs kept on disk.

    To be called before JAX is first used.
    """
    import jax

    jax.config.update("jax_enable_x64", True)
    # Where a backend is already running, as in a notebook, its devices are used.
    with contextlib.suppress(RuntimeError):
        jax.config.update("jax_num_cpu_devices", resources.threads)
    keep_programs(open_store(resources.cache))


def make_problem(
    config: Config, model: Model, own_ends: bool = False, drifting: tuple[str, ...] = ()
) -> Problem:
    """The problem of an experiment; raises ConfigError for a variable that does not exist.

    `drifting` are the model's invariants, which are evaluated whatever variables are saved.
    """
    known = [name for name in model.variables() if name not in {*drifting, *model.hidden}]
    kept = config.saveat.variables or known
    for name in kept:
        if name not in known:
            raise ConfigError(
                f"saveat.variables: {name!r} is not a state or observable; "
                f"known: {', '.join(known)}"
            )
    variables = tuple(name for name in known if name in kept)
    ts = None if config.saveat.ts is None else np.array(save_times(config))
    return Problem(
        model=model,
        solver=resolved(config.solver, model),
        ts=ts,
        variables=variables + drifting,
        dtype=np.dtype(config.runtime.precision),
        reductions=_reductions(config, model, variables, own_ends),
        own_ends=own_ends,
        jumps=jump_targets(config, model),
        stops=stop_guards(config, model),
        counted=bool(config.doses) and bool(config.stop or model.events),
    )


def _reductions(
    config: Config, model: Model, variables: tuple[str, ...], own_ends: bool
) -> tuple[Reduction, ...]:
    """The metrics to reduce while solving."""
    summary = reduced_summary(config, own_ends)
    asked = {*summary.first_time_above, *summary.first_time_below}
    named = [name for name in variables if name in asked or name not in model.derivatives]
    if summary.variables is not None:
        named = summary.variables
    for key in ("variables", "first_time_above", "first_time_below"):
        for name in getattr(summary, key) or ():
            if name not in variables:
                raise ConfigError(
                    f"summary.{key}: {name!r} is not a saved variable; "
                    f"known: {', '.join(variables)}"
                )
    check_metric_names(summary, named, [*model.variables(), *model.config.parameters])
    return tuple(
        Reduction(name, metric, threshold)
        for name in variables
        if name in named
        for metric, threshold in wanted_metrics(summary, name).items()
    )


def make_lanes(config: Config, axes: Axes) -> Lanes:
    """Initial values and parameters of every sample: the config's, replaced by the axes'."""
    size = len(next(iter(axes.values()))) if axes else 1
    y0 = []
    for name, state in config.model.states.items():
        values = np.asarray(axes.get(name, np.asarray(state.initial, float)))
        if name in config.model.nonnegative and values.size and values.min() < 0:
            raise ConfigError(
                f"model.nonnegative: an initial value of {name} is {values.min():g}; raise it, or "
                f"take {name} out of the list"
            )
        column = values[None, :] if name in axes else values.reshape(-1, 1)
        y0.append(np.broadcast_to(column, (column.shape[0], size)))
    args = [
        np.broadcast_to(np.asarray(axes.get(name, parameter.value), float), (size,))
        for name, parameter in config.model.parameters.items()
    ]
    t1 = None
    if has_own_ends(config, axes):
        t1 = own_ends(config, axes)
    return Lanes(np.concatenate(y0), np.array(args).reshape(len(args), size), t1)


def resolved(solver: SolverConfig, model: Model) -> Solver:
    """A config's solver for the problem of a model, which may have states beside its own."""
    others = {*model.derivatives, *model.hidden}
    own = [name for name in model.config.states if name not in others]
    return sensitivity_tolerances(solver.solver(own), model)


class Loaded(NamedTuple):
    """An experiment's model loaded and traced: what an engine solves, and which one.

    `config` has the sensitivities among its states, the problem those and the invariants, and
    stops where time switches something. `limit` is None where no drift rejects a step.
    """

    config: Config
    switching: Switching
    drift: Drift
    limit: DriftLimit | None
    engine: EngineChoice

    @property
    def problem(self) -> Problem:
        """What an engine solves."""
        return self.switching.problem if self.limit is None else self.limit.problem


def load_problem(config: Config, study: Path, axes: Iterable[str]) -> Loaded:
    """The problem of an experiment with these axes.

    Raises ConfigError where the model does not load or the engine asked for cannot run it.
    """
    model = load_model(config.model, study)
    # doses and events change what is conserved
    changed = config.doses or config.model.events
    drift = Drift(None if changed else load_invariants(config.model, study))
    wanted, device = config.runtime.engine, config.runtime.device
    config, model = with_doses(config, model)
    config, model = with_sensitivities(config, model)
    model = with_invariants(model, drift)
    problem = make_problem(config, model, has_own_ends(config, axes), drift.names)
    switching = with_switching(problem)
    unwatched = stop_comment(config, model)
    if unwatched:
        warnings.warn(unwatched, stacklevel=2)
        comments = [text for text in (switching.comment, unwatched) if text]
        switching = switching._replace(comment="; ".join(comments))
    limit, problem = None, switching.problem
    if config.solver.reject_drift:
        assert config.verify.max_drift is not None  # as `config.check` sees to
        limit = with_drift_limit(problem, drift, config.verify.max_drift)
        problem = limit.problem
    chosen = choose_engine(problem, wanted, device)
    return Loaded(config, switching, drift, limit, chosen)


def solve_samples(
    config: Config, study: Path, start: int, stop: int, resources: Resources
) -> xr.Dataset:
    """Samples start..stop of the design, solved: dimensions (sample, time, ...).

    Raises ConfigError as `solve_axes` does.
    """
    axes = rows(config.design, start, stop, study)
    return solve_axes(config, study, axes, start, resources)


def solve_axes(
    config: Config,
    study: Path,
    axes: Axes,
    start: int,
    resources: Resources,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Samples with these values of the axes, solved; they are numbered from `start`.

    Raises ConfigError where the model does not load or the engine asked for cannot run it.
    A trajectory that fails is solved again as `runtime.retry` says; one that fails in every
    attempt has a status and NaN. It stops nobody.
    """
    prepared = _Prepared(config, study, axes)
    lanes = prepared.lanes(axes)
    return prepared.label(axes, start, lanes, prepared.retrier.solve(lanes, resources, progress))


def solve_slabs(
    config: Config,
    study: Path,
    start: int,
    stop: int,
    resources: Resources,
    progress: Progress | None = None,
) -> Iterator[xr.Dataset]:
    """As `solve_samples`, in slabs of consecutive samples with about `SLAB_BYTES` of values."""
    prepared = _Prepared(config, study, axis_names(config.design, study))

    def designed() -> Iterator[tuple[int, Axes, Lanes]]:
        for first, last in slabs(start, stop, prepared.lane_bytes):
            axes = rows(config.design, first, last, study)
            lanes = prepared.lanes(axes)
            if first == 0:  # in one chunk of the experiment
                for note in small_rate_notes(prepared.problem, lanes):
                    warnings.warn(note, stacklevel=2)
            yield first, axes, lanes

    def solved() -> Iterator[tuple[int, Axes, Lanes, Retried]]:
        for first, axes, lanes in ahead(designed()):
            done = progress_after(first - start, progress)
            yield first, axes, lanes, prepared.retrier.solve(lanes, resources, done)

    # the engine goes on while the slab before is labelled, and whoever asked for it works on it
    for first, axes, lanes, found in ahead(solved()):
        yield prepared.label(axes, first, lanes, found)


class _Prepared:
    """An experiment whose model is loaded and whose engine is chosen, for any of its samples."""

    def __init__(self, config: Config, study: Path, axes: Iterable[str]):
        loaded = load_problem(config, study, axes)
        self.config, self.problem, self._drift = loaded.config, loaded.problem, loaded.drift
        self._switching, self._limit = loaded.switching, loaded.limit
        self.lane_bytes = self.problem.lane_bytes + self._switching.lane_bytes
        self._sources = canonical_json(all_sources(config.model, study))
        self._data = canonical_json(data_digests(config.model, study))
        self._attempts = ladder(config)
        solvers = [
            self._switching.bounded(resolved(attempt.solver, self._switching.model))
            for attempt in self._attempts
        ]
        # not where the model is only checked, which may be on a node without the device
        missing = missing_device(loaded.engine)
        if missing is not None:
            raise ConfigError(missing)
        runtime = config.runtime
        self.retrier = Retrier(
            self.problem, self._attempts, solvers, loaded.engine, runtime.engine, runtime.device
        )

    def lanes(self, axes: Axes) -> Lanes:
        """The lanes of samples with these values of the axes."""
        model = self._switching.model
        before = at_start(model, make_lanes(self.config, {**axes, **model.start(axes)}))
        lanes = at_start(model, schedule(self.config, axes, before, model))
        lanes = self._switching.scheduled(lanes)
        if self._limit is not None:
            lanes = self._limit.limited(lanes)
        if not self.problem.counted:
            return lanes
        args = np.concatenate([before.args, lanes.args[len(before.args) :]])
        return replace(lanes, counted=counted_before(self.problem, before.y0, args))

    def label(self, axes: Axes, start: int, lanes: Lanes, solved: Retried) -> xr.Dataset:
        """The samples as a dataset, numbered from `start`."""
        values, dtype = solved.solution.values, self.problem.dtype
        drifts = self._drift.taken_from(values, lanes.y0, lanes.args, dtype)
        doses, conditions = self.config.doses, list(self.config.design.conditions)
        chunk = label_chunk(
            self.problem, solved, self._attempts, axes, start, drifts, doses, conditions
        )
        return chunk.assign_attrs(
            environment=environment(self.config.runtime.device),
            model_source=self._sources,
            model_data=self._data,
            time_switches=self._switching.comment,
        )
