"""One chunk: design rows in, labelled trajectories out."""

import contextlib
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.design import axis_names, rows
from odeflow.engines.attempts import Retried, Retrier, progress_after
from odeflow.engines.choice import Resources, missing_device
from odeflow.ensemble.build import Axes, build
from odeflow.ensemble.chunk_labels import label_chunk
from odeflow.ensemble.rest.observed import Observed
from odeflow.ensemble.rest.preequilibration import Preequilibration, varied
from odeflow.ensemble.rest.steady_states import SteadyStates
from odeflow.ensemble.small_rates import small_rate_notes
from odeflow.files.ahead import ahead
from odeflow.files.compiled.jax_cache import keep_programs
from odeflow.files.compiled.store import open_store
from odeflow.files.digests import canonical_json
from odeflow.files.errors import ConfigError
from odeflow.files.slabs import slabs
from odeflow.importers.loading import load_model
from odeflow.importers.model_data import data_digests
from odeflow.problem.model import Model
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
    prepared = _Prepared(config, study, axes)
    if not at_start:
        axes = prepared.started(axes, resources)
    lanes = prepared.built.lanes(axes)
    solved = prepared.retrier.solve(lanes, resources, progress)
    return prepared.label(axes, start, lanes, solved, prepared.at_rest(axes, resources))


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
            axes = prepared.started(rows(config.design, first, last, study), resources)
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
        yield prepared.label(axes, first, lanes, found, prepared.at_rest(axes, resources))


class _Prepared:
    """An experiment that is built, for any of its samples."""

    def __init__(self, config: Config, study: Path, axes: Iterable[str]):
        self.built, self._study = build(config, study, axes), study
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

    @cached_property
    def _model(self) -> Model:
        return load_model(self.built.config.model, self._study)

    @cached_property
    def _preequilibration(self) -> Preequilibration:
        return Preequilibration(self.built.config, self._model)

    @cached_property
    def _steady_states(self) -> SteadyStates:
        return SteadyStates(self.built.config, self._model, varied(self.built.config))

    @cached_property
    def _observed(self) -> Observed:
        states = self._steady_states
        return Observed(states.model, states.t, self.built.problem.variables)

    def started(self, axes: Axes, resources: Resources) -> Axes:
        """The axes with what trajectories start from, where that is at rest before."""
        if not self.built.config.design.preequilibration:
            return axes
        return self._preequilibration.started(axes, resources)

    def at_rest(self, axes: Axes, resources: Resources) -> dict[str, np.ndarray]:
        """What is kept of the steady states that trajectories go to, where it is asked for."""
        if not self.built.config.saveat.steady_state:
            return {}
        return self._observed(self._steady_states(axes, resources))

    def label(
        self,
        axes: Axes,
        start: int,
        lanes: Lanes,
        solved: Retried,
        at_rest: Mapping[str, np.ndarray],
    ) -> xr.Dataset:
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
            config.summary,
            config.plain_doses,
            conditions,
            at_rest,
        )
        return chunk.assign_attrs(
            environment=environment(config.runtime.device),
            model_source=self._sources,
            model_data=self._data,
            time_switches=built.switching.comment,
        )
