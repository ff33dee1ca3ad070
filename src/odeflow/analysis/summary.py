"""Metrics of every trajectory and quantiles over the ensemble, a slab of trajectories at a time."""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np
import xarray as xr

from odeflow.analysis.function_metrics import FunctionMetrics
from odeflow.analysis.groups import GROUP, by_group_name, groups_of
from odeflow.analysis.likelihood import likelihood_variables
from odeflow.analysis.nca import nca_variables
from odeflow.analysis.near_quantiles import KEPT, MANY, SUGGESTING
from odeflow.analysis.quantiles import QuantileCounts
from odeflow.analysis.residual_error import errors_at_records, measured_array, with_residual_error
from odeflow.analysis.summarised import rows_of_courses, summarised_variables
from odeflow.analysis.vpc import vpc_variables
from odeflow.config.metrics import (
    TimeCourses,
    metric_attributes,
    metric_function,
    needs_times,
)
from odeflow.config.summary import SummaryConfig
from odeflow.config.wanted import wanted_metrics
from odeflow.files import slabs
from odeflow.files.ahead import ahead
from odeflow.files.netcdf import write_filled
from odeflow.importers.petab.likelihood_data import Measurements
from odeflow.problem.names import with_error_name
from odeflow.problem.status import Status, has_failed


def summarise(
    ensemble: xr.Dataset,
    config: SummaryConfig,
    measurements: Measurements | None = None,
    functions: FunctionMetrics | None = None,
) -> xr.Dataset:
    """Summary of an ensemble.

    One variable `<variable>_<metric>` per metric over the dimensions of the design, NaN for a
    trajectory that failed: a metric of what is left of it would mean something else.
    `<variable>_quantiles(quantile, time)` are over the trajectories that succeeded and are still
    running at the time, `num_running(time)` of them. Metrics that were reduced while solving, and
    the drifts of invariants, are taken from the ensemble as they are; else, with one saved time,
    there is no time to integrate over, and metrics that need it are left out. `measurements` add
    their log-likelihood, as `likelihood_variables` has it, `functions` the metrics of these.

    Raises ConfigError for a variable that the ensemble does not have.
    """
    plan = _Plan(ensemble, config, measurements, functions)
    return slabs.in_memory(plan.template(), plan.streamed, plan.fill)


def summarise_to_file(
    ensemble: xr.Dataset,
    config: SummaryConfig,
    path: Path,
    measurements: Measurements | None = None,
    functions: FunctionMetrics | None = None,
    progress: Callable[[int], None] | None = None,
) -> None:
    """The same as a file, with the ensemble's attributes; both may be larger than memory.

    `progress` is told how many trajectories have their metrics.
    """
    plan = _Plan(ensemble, config, measurements, functions, progress)
    template = plan.template()
    template.attrs = {k: v for k, v in ensemble.attrs.items() if k not in _ENSEMBLE_ONLY}
    write_filled(path, template, plan.streamed, len(plan.dims), plan.fill)


#: Attributes that a summary does not repeat.
_ENSEMBLE_ONLY = {"odeflow_config", "odeflow_model_source", "odeflow_model_data"}
#: Stored pieces of the ensemble that suggest where its quantiles are, unless it has many rows.
_SOME_PIECES = 8
#: The variable of how many trajectories the quantiles are over.
_NUMBER = "num_running"
_NUMBER_ATTRIBUTES = {
    "long_name": "trajectories still running, which the quantiles are over",
    "units": "1",
}
#: Trajectories whose values are worked on at once: they stay in the cache.
_AT_ONCE = 512


class _Plan:
    """What a summary consists of, and how its values come about.

    `dims` are the design's dimensions; `streamed` the names of the variables that are filled in.
    """

    def __init__(
        self,
        ensemble: xr.Dataset,
        config: SummaryConfig,
        measurements: Measurements | None,
        functions: FunctionMetrics | None = None,
        progress: Callable[[int], None] | None = None,
    ):
        self._ensemble, self._levels = ensemble, config.quantiles
        self._report = progress or (lambda done: None)
        measured = measurements and likelihood_variables(ensemble, measurements)
        self._measured = dict(measured or {}) | nca_variables(ensemble, config.nca)
        self._measured |= errors_at_records(ensemble, config.residual_error)
        self._measured |= vpc_variables(ensemble, config.vpc, config.residual_error)
        self.dims = tuple(map(str, ensemble["status"].dims))
        self._leading = ensemble["status"].shape
        self._arrays = {
            name: ensemble[name].transpose(*self.dims, "time", ...)
            for name in summarised_variables(ensemble, config)
        }
        #: What would be measured: the variable it is of, and its error.
        self._errors = {with_error_name(v): (v, e) for v, e in config.residual_error.items()}
        with_errors = {made: measured_array(ensemble[v]) for made, (v, _) in self._errors.items()}
        self._arrays |= {n: x.transpose(*self.dims, "time", ...) for n, x in with_errors.items()}
        self._groups = None if config.group is None else groups_of(ensemble, config.group)
        #: Taken from the ensemble as they are.
        self._copied = ["status", *(c for c, v in ensemble.coords.items() if v.dims == self.dims)]
        self._outcomes = [name for name in ("status", "time_reached") if name in ensemble]
        self._copied += [str(n) for n, v in ensemble.data_vars.items() if "drift_of" in v.attrs]
        #: By name: the variable it is of, its function, its attributes.
        self._computed: dict[
            str, tuple[str, Callable[[TimeCourses], np.ndarray], dict[str, str]]
        ] = {}
        for name in (name for name in self._arrays if name not in self._errors):
            self._plan_metrics(name, config)
        if not self._levels:  # what nothing is computed of is not read
            used = {of for of, _, _ in self._computed.values()} | {*self._errors}
            self._arrays = {name: array for name, array in self._arrays.items() if name in used}
        self._functions = functions
        seen = () if functions is None else functions.variables
        #: What is read: the variables that are summarised, and those that functions see.
        self._courses = self._arrays | {
            name: ensemble[name].transpose(*self.dims, "time", ...) for name in seen
        }
        own = {} if functions is None else functions.attributes
        made = [f"{name}_quantiles" for name in self._arrays if self._levels]
        if self._groups is not None:
            made += [by_group_name(name) for name in self._arrays if self._levels]
        made += [_NUMBER] if made else []
        self.streamed = [*self._copied, *self._computed, *self._errors, *own, *made]
        self._files = Lock()  # HDF5 is for one thread at a time, and a slab is read ahead

    def _plan_metrics(self, name: str, config: SummaryConfig) -> None:
        array, time = self._ensemble[name], self._ensemble["time"]
        for metric, wanted in wanted_metrics(config, name).items():
            made, function = f"{name}_{metric}", metric_function(wanted)
            if made in self._ensemble.data_vars and "time" not in self._ensemble[made].dims:
                self._copied.append(made)
            elif function is not None and (time.size > 1 or not needs_times(wanted.metric)):
                units, words = array.attrs.get("units", "1"), array.attrs.get("long_name", name)
                attributes = metric_attributes(wanted, units, words, time.attrs.get("units", "1"))
                self._computed[made] = (name, function, attributes)

    def template(self) -> xr.Dataset:
        """Dimensions, coordinates and attributes, what is to be filled in without values."""
        ensemble = self._ensemble
        copied = {
            name: slabs.unfilled(v.dims, v.shape, v.dtype, v.attrs)
            for name, v in ((name, ensemble[name]) for name in self._copied)
        }
        coords = {c: copied.pop(c, v.variable) for c, v in ensemble.coords.items()}
        data = copied
        for made, (name, _, attributes) in self._computed.items():
            shape, dims = self._rest(name)
            data[made] = slabs.unfilled(
                (*self.dims, *dims), (*self._leading, *shape), np.float64, attributes
            )
        for name, attributes in (self._functions.attributes if self._functions else {}).items():
            data[name] = slabs.unfilled(self.dims, self._leading, np.float64, attributes)
        for made in self._errors:
            array = self._arrays[made]
            dims = tuple(map(str, array.dims))
            data[made] = slabs.unfilled(dims, array.shape, np.float64, array.attrs)
        for name, array in self._arrays.items() if self._levels else ():
            shape, dims = self._rest(name)
            words = f"quantiles of {array.attrs.get('long_name', name)}"
            data[f"{name}_quantiles"] = slabs.unfilled(
                ("quantile", "time", *dims),
                (len(self._levels), array.sizes["time"], *shape),
                np.float64,
                {"units": array.attrs.get("units", "1"), "long_name": words},
            )
            if self._groups is not None:
                one = data[f"{name}_quantiles"]
                data[by_group_name(name)] = slabs.unfilled(
                    (GROUP, *map(str, one.dims)),
                    (len(self._groups.values), *one.shape),
                    one.dtype,
                    one.attrs,
                )
        if _NUMBER in self.streamed:
            number = ensemble.sizes["time"]
            data[_NUMBER] = slabs.unfilled(("time",), (number,), np.int64, _NUMBER_ATTRIBUTES)
        if self._levels:
            attributes = {"long_name": "quantile", "units": "1"}
            coords["quantile"] = xr.Variable("quantile", self._levels, attributes)
            if self._groups is not None:
                coords[GROUP] = self._groups.coordinate
        return xr.Dataset(data | self._measured, coords)

    def _rest(self, name: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Shape and dimensions of a variable's values at one time."""
        after = len(self.dims) + 1
        return self._arrays[name].shape[after:], tuple(map(str, self._arrays[name].dims[after:]))

    def fill(self, targets: Mapping[str, slabs.Target]) -> dict[str, int]:
        """Fills everything in; returns how many trajectories ended how, as attributes."""
        counts = dict.fromkeys(Status, 0)
        parts = [None, *range(0 if self._groups is None else len(self._groups.values))]
        rows, most = self._ensemble["status"].size, KEPT // max(len(self._arrays), 1)
        counted = {
            (name, part): QuantileCounts(
                # of a group it is not known how many rows it has
                self._some(name, part),
                self._levels if part is None else (),
                rows,
                most,
            )
            for name in self._arrays
            for part in (parts if self._levels else ())
        }
        for first, taken, courses in ahead(self._read()):
            for status in Status:
                counts[status] += int((taken["status"] == status).sum())
            succeeded = ~has_failed(taken["status"])
            for name in self._arrays:
                values = courses[name]
                taken |= self._metrics(name, values, succeeded)
                taken |= {name: values} if name in self._errors else {}
                for part in parts if self._levels else ():
                    chosen = self._of_part(succeeded, first, part)
                    counted[name, part].add(
                        *rows_of_courses(values, chosen, self._ended(values, taken))
                    )
            if self._functions is not None:
                taken |= self._functions.of(courses, succeeded, first)
            with self._files:
                for name in (name for name in taken if name in targets):
                    slabs.place(targets[name], taken[name], first, self._leading)
            self._report(first + len(succeeded))
        for (name, part), known in counted.items():
            rows = lambda name=name, part=part: self._successes(name, part)
            found = known.quantiles(rows, self._levels)
            shape = self._arrays[name].shape[len(self.dims) :]
            if part is not None:
                targets[by_group_name(name)][part] = found.reshape(-1, *shape)
                continue
            targets[f"{name}_quantiles"][...] = found.reshape(-1, *shape)
            # the same of each variable
            targets[_NUMBER][...] = known.number.reshape(shape[0], -1)[:, 0]
        return {f"number_of_{status.name}": count for status, count in counts.items()}

    def _read(self) -> Iterator[tuple[int, dict[str, np.ndarray], dict[str, np.ndarray]]]:
        """Slab by slab: its first sample, what is copied, and the time courses."""
        for first, last in self._slabs():
            with self._files:
                names = dict.fromkeys([*self._copied, *self._outcomes])
                taken = {n: self._take(self._ensemble[n], first, last) for n in names}
                courses = {n: self._course(n, first, last) for n in self._arrays}
                others = {n: a for n, a in self._courses.items() if n not in self._arrays}
                courses |= {n: self._take(a, first, last) for n, a in others.items()}
            yield first, taken, courses

    def _slabs(self) -> Iterator[tuple[int, int]]:
        total = self._ensemble["status"].size
        courses = sum(array.nbytes for array in self._courses.values())
        return slabs.slabs(0, total, courses // max(total, 1), slabs.READ_BYTES)

    def _take(self, array: xr.DataArray, first: int, last: int) -> np.ndarray:
        return slabs.take(array.variable, first, last, self._leading)

    def _course(self, name: str, first: int, last: int) -> np.ndarray:
        """The values of samples first..last, with their errors where there are some."""
        values = self._take(self._arrays[name], first, last)
        if name not in self._errors:
            return values
        variable, error = self._errors[name]
        return with_residual_error(values.astype(float), error, variable, first)

    def _of_part(self, succeeded: np.ndarray, first: int, part: int | None) -> np.ndarray:
        """Those of consecutive samples that succeeded and are of a group; None: of any."""
        if part is None or self._groups is None:
            return succeeded
        return succeeded & (self._groups.number[first : first + len(succeeded)] == part)

    def _some(self, name: str, part: int | None) -> np.ndarray:
        """Successes of a few pieces, from all over the ensemble."""
        total = self._ensemble["status"].size
        number = SUGGESTING // slabs.PIECE if total >= MANY else _SOME_PIECES
        starts = range(0, total, slabs.PIECE)[:: max(total // slabs.PIECE // number, 1)]
        ends = (min(first + slabs.PIECE, total) for first in starts)
        return np.concatenate([self._succeeded(name, *x, part) for x in zip(starts, ends)])

    def _successes(self, name: str, part: int | None) -> Iterator[np.ndarray]:
        return ahead(self._succeeded(name, *slab, part) for slab in self._slabs())

    def _succeeded(self, name: str, first: int, last: int, part: int | None) -> np.ndarray:
        taken = {n: self._take(self._ensemble[n], first, last) for n in self._outcomes}
        values = self._course(name, first, last)
        chosen = self._of_part(~has_failed(taken["status"]), first, part)
        rows, _ = rows_of_courses(values, chosen, self._ended(values, taken))
        return rows

    def _ended(self, values: np.ndarray, taken: Mapping[str, np.ndarray]) -> np.ndarray | None:
        """Where trajectories have no value since they have ended, (sample, time); None: nowhere.

        A stop at a saved time may leave a value there.
        """
        if "time_reached" not in taken:
            return None
        time = self._ensemble["time"].values.astype(values.dtype)
        reached = taken["time_reached"].astype(values.dtype)[:, None]
        ended = time > reached
        at_stop = (time == reached) & (taken["status"] == Status.stopped_by_event)[:, None]
        if at_stop.any():
            ended |= at_stop & np.isnan(values.reshape(*ended.shape, -1)[..., 0])
        return ended if ended.any() else None

    def _metrics(
        self, name: str, values: np.ndarray, succeeded: np.ndarray
    ) -> dict[str, np.ndarray]:
        """The metrics of one variable of a slab, (sample, time, ...)."""
        functions = {m: function for m, (of, function, _) in self._computed.items() if of == name}
        time = self._ensemble["time"].values
        found = {m: np.empty((len(values), *values.shape[2:])) for m in functions}

        def work_on(start: int) -> None:
            rows = slice(start, start + _AT_ONCE)
            together = np.ascontiguousarray(np.moveaxis(values[rows], 1, 0), float)
            course = TimeCourses(together, time)
            with np.errstate(invalid="ignore"):
                for metric, function in functions.items():
                    found[metric][rows] = function(course)

        if functions:
            with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
                list(pool.map(work_on, range(0, len(values), _AT_ONCE)))
        for value in found.values():
            value[~succeeded] = np.nan
        return found
