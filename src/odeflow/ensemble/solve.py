"""One chunk: design rows in, labelled trajectories out."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import xarray as xr

from odeflow.config.root import Config
from odeflow.design import axis_names, rows
from odeflow.engines.attempts import Retried, progress_after
from odeflow.engines.choice import Resources
from odeflow.ensemble.build import Axes
from odeflow.ensemble.prepared import prepare
from odeflow.ensemble.small_rates import small_rate_notes
from odeflow.files.ahead import ahead
from odeflow.files.compiled.jax_cache import keep_programs
from odeflow.files.compiled.store import open_store
from odeflow.files.slabs import slabs
from odeflow.problem.problem import Lanes, Progress


def configure_jax(resources: Resources) -> None:
    """Sets JAX up for solving: float64, one CPU device per thread, compiled programs kept on disk.

    To be called before JAX is first used.
    """
    import jax

    jax.config.update("jax_enable_x64", True)
    # Where a backend is already running, as in a notebook, its devices are used.
    with contextlib.suppress(RuntimeError):
        jax.config.update("jax_num_cpu_devices", resources.threads)
    keep_programs(open_store(resources.cache))


def solve_samples(
    config: Config, study: Path, start: int, stop: int, resources: Resources
) -> xr.Dataset:
    """Samples start..stop of the design, solved: dimensions (sample, time, ...).

    Raises ConfigError as `solve_axes` does.
    """
    axes = rows(config.design, start, stop, study)
    return solve_axes(config, study, axes, start, resources, at_start=False)


def solve_axes(
    config: Config,
    study: Path,
    axes: Axes,
    start: int,
    resources: Resources,
    progress: Progress | None = None,
    at_start: bool = True,
) -> xr.Dataset:
    """Samples with these values of the axes, solved; they are numbered from `start`.

    `at_start` says whether the axes are what trajectories start from, as in an ensemble; the rows
    of a design may be what is at rest before.
    Raises ConfigError where the model does not load or the engine asked for cannot run it.
    A trajectory that fails is solved again as `runtime.retry` says; one that fails in every
    attempt has a status and NaN. It stops no other.
    """
    prepared = prepare(config, study, axes)
    if not at_start:
        axes = prepared.started(axes, resources)
    lanes = prepared.built.lanes(axes, resources)
    solved = prepared.retrier.solve(lanes, resources, progress)
    return prepared.label(axes, start, lanes, solved, prepared.at_rest(axes, resources))


def solve_slabs(
    config: Config,
    study: Path,
    start: int,
    stop: int,
    resources: Resources,
    progress: Progress | None = None,
    notes: bool = True,
) -> Iterator[xr.Dataset]:
    """As `solve_samples`, in slabs of consecutive samples of about `SLAB_BYTES`.

    With `notes` it warns of states that no tolerance controls.
    """
    prepared = prepare(config, study, axis_names(config.design, study))

    def designed() -> Iterator[tuple[int, Axes, Lanes]]:
        for first, last in slabs(start, stop, prepared.built.lane_bytes):
            axes = prepared.started(rows(config.design, first, last, study), resources)
            lanes = prepared.built.lanes(axes, resources)
            if notes and first == 0:  # in one chunk of the experiment
                for note in small_rate_notes(prepared.built.problem, lanes):
                    warnings.warn(note, stacklevel=2)
            yield first, axes, lanes

    def solved() -> Iterator[tuple[int, Axes, Lanes, Retried]]:
        for first, axes, lanes in ahead(designed()):
            done = progress_after(first - start, progress)
            yield first, axes, lanes, prepared.retrier.solve(lanes, resources, done)

    # the engine goes on while the slab before is labelled and the caller works on it
    for first, axes, lanes, found in ahead(solved()):
        yield prepared.label(axes, first, lanes, found, prepared.at_rest(axes, resources))
