"""What is stored of an experiment, read as far as a picture needs it."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.design import CONDITION, PARAMETER_SET, REPLICATE
from odeflow.ensemble.labels import design_axes, design_dims
from odeflow.files.flags import flag_meanings
from odeflow.problem.axis_names import axis_coordinate
from odeflow.problem.status import has_failed
from odeflow.report.live.selection import Selection

#: A variable is read whole where it has no more bytes than this; else a few trajectories are.
_WHOLE, _FEW = 2**28, 60
#: Variables that are kept in memory.
_KEPT = 6


class SomeRows(NamedTuple):
    """SomeRows of a design, thinned, and how many there were."""

    numbers: np.ndarray
    total: int


class Stored:
    """An experiment's ensemble and summary, opened lazily.

    Arguments:
        config: the experiment.
        ensemble: its trajectories.
        summary: their metrics; None where the file is missing.
    """

    def __init__(self, config: Config, ensemble: xr.Dataset, summary: xr.Dataset | None):
        self.config, self.ensemble, self.summary = config, ensemble, summary
        self.dims = design_dims(ensemble)
        self.shape = tuple(ensemble.sizes[dim] for dim in self.dims)
        self._whole: dict[str, np.ndarray] = {}
        self._columns: dict[str, np.ndarray] = {}

    @property
    def total(self) -> int:
        """Trajectories."""
        return self.ensemble["status"].size

    @cached_property
    def times(self) -> np.ndarray:
        """The saved times."""
        return self.ensemble["time"].values.astype(float)

    @cached_property
    def variables(self) -> list[str]:
        """States and observables, without derivatives along parameters."""
        names = [str(name) for name, x in self.ensemble.items() if "time" in x.dims]
        return [name for name in names if "derivative_of" not in self.ensemble[name].attrs]

    @cached_property
    def metrics(self) -> list[str]:
        """Metrics of one number per trajectory."""
        if self.summary is None:
            return []
        dims = self.summary["status"].dims
        return [str(n) for n, x in self.summary.items() if x.dims == dims and n != "status"]

    @cached_property
    def axes(self) -> list[str]:
        """Coordinates of the design that are its own: not what conditions set."""
        design = self.config.design
        own = {CONDITION, PARAMETER_SET, *design.set_by_conditions} if design.conditions else set()
        hidden = {axis_coordinate(name, self.config.model) for name in own} | {REPLICATE}
        return [axis for axis in design_axes(self.ensemble) if axis not in hidden]

    @property
    def conditions(self) -> list[str]:
        """Names of the conditions, if there are any."""
        return list(self.config.design.conditions)

    def axis_name(self, coordinate: str) -> str:
        """The axis of the design that a coordinate of the dataset is."""
        model = self.config.model
        names = {axis_coordinate(name, model): name for name in model.states}
        return names.get(coordinate, coordinate)

    def places_of(self, variable: str) -> tuple[str, ...]:
        """The dimensions that a variable has besides the design's and time."""
        known = {*self.dims, "time"}
        return tuple(str(d) for d in self.ensemble[variable].dims if d not in known)

    def _column(self, coordinate: str) -> np.ndarray:
        """A coordinate's values; kept, since a store would read them each time."""
        if coordinate not in self._columns:
            self._columns[coordinate] = self.ensemble[coordinate].values
        return self._columns[coordinate]

    def axis_values(self, axis: str, rows: np.ndarray) -> np.ndarray:
        """An axis of the design in some rows."""
        values = self._column(axis)
        if self.dims == ("sample",):
            return values[rows]
        return values[np.unravel_index(rows, self.shape)[self.dims.index(axis)]]

    def span(self, axis: str) -> tuple[float, float]:
        """The least and the largest value of an axis."""
        values = self._column(axis)
        return float(np.min(values)), float(np.max(values))

    def levels(self, axis: str) -> np.ndarray | None:
        """The levels of a grid's axis; None for one of samples."""
        return self._column(axis).astype(float) if axis in self.dims else None

    def rows(self, selection: Selection, most: int) -> SomeRows:
        """SomeRows that are in a selection, evenly thinned.

        Arguments:
            selection: has the slices and the condition.
            most: how many at most.
        """
        if self.dims == ("sample",):
            inside = self._inside(selection)
            return SomeRows(inside[:: max(-(-len(inside) // most), 1)], len(inside))
        places = [self.levels_inside(dim, selection) for dim in self.dims]
        total = int(np.prod([len(one) for one in places]))
        strides = [1] * len(places)
        count = lambda i: -(-len(places[i]) // strides[i])
        while np.prod([count(i) for i in range(len(places))]) > most:
            strides[max(range(len(places)), key=count)] += 1
        grid = np.meshgrid(*(p[::s] for p, s in zip(places, strides)), indexing="ij")
        if not grid:
            return SomeRows(np.zeros(1, int), 1)
        return SomeRows(np.ravel_multi_index(grid, self.shape).ravel(), total)

    def _inside(self, selection: Selection) -> np.ndarray:
        inside = np.ones(self.total, bool)
        for axis, (low, high) in selection.slices.items():
            values = self._column(axis)
            inside &= (values >= low) & (values <= high)
        if selection.condition is not None:
            number = self.conditions.index(selection.condition)
            inside &= self._column(CONDITION) == number
        return np.flatnonzero(inside)

    def levels_inside(self, dim: str, selection: Selection) -> np.ndarray:
        """Places along a grid's dimension that are in a selection."""
        values = self._column(dim)
        low, high = selection.slices.get(dim, (-np.inf, np.inf))
        return np.flatnonzero((values >= low) & (values <= high))

    @cached_property
    def _status(self) -> np.ndarray:
        return self.ensemble["status"].transpose(*self.dims).values.ravel()

    def succeeded(self, rows: np.ndarray) -> np.ndarray:
        """Those of some rows whose trajectory did not fail."""
        return rows[~has_failed(self._status[rows])]

    def courses(
        self, variable: str, rows: np.ndarray, places: Mapping[str, int] | None = None
    ) -> np.ndarray:
        """A variable along some trajectories, (row, time) or with the dimensions of an array state.

        Arguments:
            variable: a state or observable.
            rows: the design's rows.
            places: an index for each further dimension; None leaves them as they are.
        """
        key = f"{variable} {places and sorted(places.items())}"
        if key in self._whole:
            return self._whole[key][rows]
        array = self.ensemble[variable].transpose(*self.dims, "time", ...)
        if places is not None:
            array = array.isel({dim: places.get(dim, 0) for dim in self.places_of(variable)})
        if array.nbytes <= _WHOLE:
            return self._kept(key, array)[rows]
        some = (array.isel(self._place(int(row))).values for row in rows)
        return np.stack([*some]) if len(rows) else np.empty((0, *array.shape[len(self.dims) :]))

    def most_courses(self, variable: str, most: int) -> int:
        """How many trajectories of a variable are read for one picture."""
        return most if self.ensemble[variable].nbytes <= _WHOLE else min(most, _FEW)

    def _kept(self, key: str, array: xr.DataArray) -> np.ndarray:
        if key not in self._whole:
            while len(self._whole) >= _KEPT:
                self._whole.pop(next(iter(self._whole)))
            rest = array.shape[len(self.dims) :]
            self._whole[key] = array.values.reshape(self.total, *rest)
        return self._whole[key]

    def _place(self, row: int) -> dict[str, int]:
        return dict(zip(self.dims, map(int, np.unravel_index(row, self.shape))))

    def metric(self, name: str, rows: np.ndarray) -> np.ndarray:
        """A metric of some trajectories."""
        assert self.summary is not None
        return self._kept(f"metric {name}", self.summary[name].transpose(*self.dims))[rows]

    @cached_property
    def middle(self) -> int:
        """The row that is nearest to the middle of every axis."""
        medians = {axis: float(np.median(self._column(axis))) for axis in self.axes}
        return self.nearest(medians, next(iter(self.conditions), None)) or 0

    def nearest(self, values: Mapping[str, float], condition: str | None) -> int | None:
        """The row whose axes are nearest; None where no trajectory is under the condition.

        Arguments:
            values: a number by coordinate; those that are missing do not count.
            condition: None for any.
        """
        selection = Selection(condition=condition)
        if self.dims != ("sample",):
            levels = [self._column(dim) for dim in self.dims]
            at = [
                int(np.argmin(np.abs(one - values.get(dim, one[0]))))
                for dim, one in zip(self.dims, levels)
            ]
            return int(np.ravel_multi_index(at, self.shape)) if at else 0
        rows = self._inside(selection)
        if not len(rows):
            return None
        distance = np.zeros(len(rows))
        for axis in self.axes:
            low, high = self.span(axis)
            if axis in values and high > low:
                distance += ((self.axis_values(axis, rows) - values[axis]) / (high - low)) ** 2
        return int(rows[np.argmin(distance)])

    def level_words(self, axis: str, levels: Sequence[float]) -> list[str]:
        """What levels of a coordinate are called."""
        coordinate = self.ensemble[axis]
        if "flag_meanings" in coordinate.attrs:
            meanings = flag_meanings(coordinate)
            return [meanings[int(level)].replace("_", " ") for level in levels]
        return [f"{axis} = {level:.4g}" for level in levels]
