"""One chunk: design rows in, labelled trajectories out."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr
from jaxtyping import Float

from odeflow import engine
from odeflow.config.base import ConfigError
from odeflow.config.check import save_times
from odeflow.config.ladder import ladder
from odeflow.config.model import ModelConfig
from odeflow.config.root import Config
from odeflow.dataset import label_chunk
from odeflow.design import END, axis_names, rows
from odeflow.doses import jump_targets, schedule, with_doses
from odeflow.metrics import check_metric_names, reduced_summary, wanted_metrics
from odeflow.model import Model, load_model
from odeflow.retry import Retrier
from odeflow.sensitivity import sensitivity_tolerances, with_sensitivities
from odeflow.slabs import SLAB_BYTES, slabs
from odeflow.stops import stop_guards


def configure_jax(resources: engine.Resources) -> None:
    """Sets JAX up for solving: float64, one CPU device a thread, compiled programs kept on disk.

    To be called before JAX is first used.
    """
    import jax

    jax.config.update("jax_enable_x64", True)
    # Where a backend is already running, as in a notebook, its devices are used.
    with contextlib.suppress(RuntimeError):
        jax.config.update("jax_num_cpu_devices", resources.threads)
    jax.config.update("jax_compilation_cache_dir", str(resources.cache.absolute() / "jax"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def make_problem(config: Config, model: Model, own_ends: bool = False) -> engine.Problem:
    """The problem of an experiment; raises ConfigError for a variable that does not exist."""
    known = [*config.model.states, *model.observable_names]
    kept = config.saveat.variables or known
    for name in kept:
        if name not in known:
            raise ConfigError(
                f"saveat.variables: {name!r} is not a state or observable; "
                f"known: {', '.join(known)}"
            )
    variables = tuple(name for name in known if name in kept)
    ts = None if config.saveat.ts is None else np.array(save_times(config))
    return engine.Problem(
        model=model,
        solver=config.solver,
        ts=ts,
        variables=variables,
        dtype=np.dtype(config.runtime.precision),
        reductions=_reductions(config, model, variables),
        own_ends=own_ends,
        jumps=jump_targets(config, model),
        stops=stop_guards(config, model),
    )


def _reductions(
    config: Config, model: Model, variables: tuple[str, ...]
) -> tuple[engine.Reduction, ...]:
    """The metrics to reduce while solving, where no times are saved."""
    summary = reduced_summary(config)
    named = [name for name in variables if name not in model.derivatives]
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
        engine.Reduction(name, metric, threshold)
        for name in variables
        if name in named
        for metric, threshold in wanted_metrics(summary, name).items()
    )


def make_lanes(config: Config, axes: Mapping[str, Float[np.ndarray, " sample"]]) -> engine.Lanes:
    """Initial values and parameters of every sample: the config's, replaced by the axes'."""
    size = len(next(iter(axes.values()))) if axes else 1
    y0 = []
    for name, state in config.model.states.items():
        values = np.asarray(axes.get(name, np.asarray(state.initial, float)))
        column = values[None, :] if name in axes else values.reshape(-1, 1)
        y0.append(np.broadcast_to(column, (column.shape[0], size)))
    args = [
        np.broadcast_to(np.asarray(axes.get(name, parameter.value), float), (size,))
        for name, parameter in config.model.parameters.items()
    ]
    t1 = None
    if has_own_ends(axes, config.model):
        t1, t0 = np.asarray(axes[END], float), config.model.t0
        if not (t1 > t0).all():
            raise ConfigError(f"design.axes.t1: {t1.min():g} is not after model.t0, {t0:g}")
    return engine.Lanes(np.concatenate(y0), np.array(args).reshape(len(args), size), t1)


def has_own_ends(axes: Iterable[str], model: ModelConfig) -> bool:
    """Whether one of the axes is the end of the trajectories."""
    return END in axes and END not in {*model.states, *model.parameters}


def load_problem(config: Config, study: Path) -> tuple[Config, engine.Problem, engine.EngineChoice]:
    """The problem of an experiment, its model loaded and traced, and the engine that runs it.

    Also the config with the sensitivities among its states. Raises ConfigError where the model
    does not load or the engine asked for cannot run it.
    """
    names = axis_names(config.design, study)
    config, model = with_doses(config, load_model(config.model, study))
    config, model = with_sensitivities(config, model)
    problem = make_problem(config, model, has_own_ends(names, config.model))
    return config, problem, engine.choose_engine(problem, config.runtime.engine)


def solve_samples(
    config: Config, study: Path, start: int, stop: int, resources: engine.Resources
) -> xr.Dataset:
    """Samples start..stop of the design, solved: dimensions (sample, time, ...).

    Raises ConfigError where the model does not load or the engine asked for cannot run it.
    A trajectory that fails is solved again as `runtime.retry` says; one that fails in every
    attempt has a status and NaN. It stops nobody.
    """
    return next(solve_slabs(config, study, start, stop, resources, slab_bytes=None))


def solve_slabs(
    config: Config,
    study: Path,
    start: int,
    stop: int,
    resources: engine.Resources,
    progress: engine.Progress | None = None,
    slab_bytes: int | None = SLAB_BYTES,
) -> Iterator[xr.Dataset]:
    """As `solve_samples`, in slabs of consecutive samples with about that many bytes of values."""
    given = config
    attempts = [
        replace(attempt, solver=sensitivity_tolerances(attempt.solver, config))
        for attempt in ladder(config)
    ]
    config, problem, chosen = load_problem(config, study)
    retrier = Retrier(problem, attempts, chosen, config.runtime.engine)
    row_bytes = problem.lane_bytes if slab_bytes else 1
    for first, last in slabs(start, stop, row_bytes, slab_bytes or 2**62):
        axes = rows(given.design, first, last, study)
        done = (lambda n, before=first - start: progress(before + n)) if progress else None
        lanes = schedule(config, axes, make_lanes(config, axes), problem.model)
        solved = retrier.solve(lanes, resources, done)
        yield label_chunk(problem, solved, attempts, axes, first, given.doses)
