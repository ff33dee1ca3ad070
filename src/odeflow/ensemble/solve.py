"""One chunk: design rows in, labelled trajectories out."""

import contextlib
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import xarray as xr

from odeflow.config.root import Config
from odeflow.design import axis_names, rows
from odeflow.engines.attempts import Retried, Retrier, progress_after
from odeflow.engines.choice import Resources, missing_device
from odeflow.ensemble.build import Axes, build
from odeflow.ensemble.chunk_labels import label_chunk
from odeflow.ensemble.small_rates import small_rate_notes
from odeflow.files.ahead import ahead
from odeflow.files.compiled.jax_cache import keep_programs
from odeflow.files.compiled.store import open_store
from odeflow.files.digests import canonical_json
from odeflow.files.errors import ConfigError
from odeflow.files.slabs import slabs
from odeflow.importers.model_data import data_digests
from odeflow.problem.problem import Lanes, Progress
from odeflow.provenance.environment import environment
from odeflow.provenance.sources import all_sources


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
    attempt has a status and NaN. It stops no other.
    """
    prepared = _Prepared(config, study, axes)
    lanes = prepared.built.lanes(axes)
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
        for first, last in slabs(start, stop, prepared.built.lane_bytes):
            axes = rows(config.design, first, last, study)
            lanes = prepared.built.lanes(axes)
            if first == 0:  # in one chunk of the experiment
                for note in small_rate_notes(prepared.built.problem, lanes):
                    warnings.warn(note, stacklevel=2)
            yield first, axes, lanes

    def solved() -> Iterator[tuple[int, Axes, Lanes, Retried]]:
        for first, axes, lanes in ahead(designed()):
            done = progress_after(first - start, progress)
            yield first, axes, lanes, prepared.retrier.solve(lanes, resources, done)

    # the engine goes on while the slab before is labelled and the caller works on it
    for first, axes, lanes, found in ahead(solved()):
        yield prepared.label(axes, first, lanes, found)


class _Prepared:
    """An experiment that is built, for any of its samples."""

    def __init__(self, config: Config, study: Path, axes: Iterable[str]):
        self.built = build(config, study, axes)
        self._sources = canonical_json(all_sources(config.model, study))
        self._data = canonical_json(data_digests(config.model, study))
        # not where the model is only checked, which may be on a node without the device
        missing = missing_device(self.built.engine)
        if missing is not None:
            raise ConfigError(missing)
        self._attempts, runtime = self.built.attempts(), config.runtime
        self.retrier = Retrier(
            self.built.problem, self._attempts, self.built.engine, runtime.engine, runtime.device
        )

    def label(self, axes: Axes, start: int, lanes: Lanes, solved: Retried) -> xr.Dataset:
        """The samples as a dataset, numbered from `start`."""
        built, config = self.built, self.built.config
        values, dtype = solved.solution.values, built.problem.dtype
        drifts = built.drift.taken_from(values, lanes.y0, lanes.args, dtype)
        conditions = list(config.design.conditions)
        chunk = label_chunk(
            built.problem,
            solved,
            self._attempts,
            axes,
            start,
            drifts,
            config.plain_doses,
            conditions,
        )
        return chunk.assign_attrs(
            environment=environment(config.runtime.device),
            model_source=self._sources,
            model_data=self._data,
            time_switches=built.switching.comment,
        )
