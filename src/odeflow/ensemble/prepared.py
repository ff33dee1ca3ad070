"""An experiment that is built, for any of its samples; the last few are kept."""

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.design import SUBJECT
from odeflow.engines.attempts import Retried, Retrier
from odeflow.engines.choice import Resources, missing_device
from odeflow.ensemble.at_records import AtRecords
from odeflow.ensemble.build import Axes, build
from odeflow.ensemble.chunk_labels import label_chunk
from odeflow.ensemble.pilot import pilot_of
from odeflow.ensemble.rest.observed import Observed
from odeflow.ensemble.rest.preequilibration import Preequilibration, varied
from odeflow.ensemble.rest.steady_states import SteadyStates
from odeflow.files.digests import canonical_json
from odeflow.files.errors import ConfigError
from odeflow.importers.functions import load_function
from odeflow.importers.loading import load_model
from odeflow.importers.model_data import data_digests
from odeflow.problem.model import Model
from odeflow.problem.problem import Lanes
from odeflow.provenance.environment import environment
from odeflow.provenance.sources import all_sources

#: What changes nothing of how an experiment is built and labelled.
_ELSEWHERE = {"name", "about", "assemble", "plot", "analyse"}
#: How many are kept, each with its compiled programs.
_KEPT = 4
_kept: OrderedDict[Any, "Prepared"] = OrderedDict()
_lock = Lock()


def prepare(config: Config, study: Path, axes: Iterable[str]) -> "Prepared":
    """An experiment with these axes, built; the one that is kept, where nothing can have changed.

    That is where its functions are those of installed modules, which Python imports once. What
    comes from files of the study is read again each time.
    Raises ConfigError where the model does not load or the engine asked for cannot run it.
    """
    axes = tuple(axes)
    functions = _installed_functions(config, study)
    if functions is None:
        return Prepared(config, study, axes)
    settings = canonical_json(config.model_dump(mode="json", exclude=_ELSEWHERE))
    # the functions themselves: a module may have been loaded again
    key = settings, axes, study.resolve(), functions, tuple(sorted(os.environ.items()))
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    prepared = Prepared(config, study, axes)
    with _lock:
        _kept[key] = prepared
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return prepared


def _installed_functions(config: Config, study: Path) -> tuple[Callable[..., Any], ...] | None:
    """All functions of the model; None where some of it comes from files."""
    model = config.model
    if model.is_imported or model.files or config.design.petab is not None:
        return None
    if any(reference.rsplit(":", 1)[0].endswith(".py") for reference in model.functions):
        return None
    return tuple(load_function(one, study, "model.vector_field") for one in model.functions)


class Prepared:
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
            self.built.problem,
            self._attempts,
            self.built.engine,
            runtime.engine,
            runtime.device,
            pilot_of(self.built, study, self.started),
        )

    @cached_property
    def _model(self) -> Model:
        return load_model(self.built.config.model, self._study)

    @cached_property
    def _at_records(self) -> AtRecords | None:
        config = self.built.config
        return None if config.records is None else AtRecords(config)

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
        solution, times = solved.solution, None
        if self._at_records is not None:
            times = self._at_records.times
            solved = replace(solved, solution=self._at_records.at_saved_times(solution))
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
            times,
            config.design.choices,
        )
        if self._at_records is not None:
            subjects = np.asarray(axes[SUBJECT], float).tolist()
            chunk = chunk.assign(self._at_records.variables(chunk, solution, subjects))
        return chunk.assign_attrs(
            environment=environment(config.runtime.device),
            model_source=self._sources,
            model_data=self._data,
            time_switches=built.switching.comment,
        )
