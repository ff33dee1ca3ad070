"""The axis that is time: its label, and dates where times are those since one."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import dates, ticker
from matplotlib.axes import Axes

from odeflow.config.dates import reference_date
from odeflow.report.figures.style import label


def time_axis(ax: Axes, time: xr.DataArray) -> None:
    """Labels the horizontal axis with a time."""
    units = str(time.attrs.get("units", "1"))
    since = reference_date(units)
    if since is None:
        ax.set_xlabel(label(time))
        return
    seconds, start = since
    ax.set_xlabel(label(time.assign_attrs(units="1")))
    days = _Days(float(dates.date2num(start)), timedelta(seconds=seconds) / timedelta(days=1))
    locator = _DateLocator(days)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(_DateFormatter(days))


class _Days:
    """Times as Matplotlib's days, and back."""

    def __init__(self, start: float, length: float):
        self._start, self._length = start, length

    def of(self, times: Any) -> Any:
        return self._start + np.asarray(times) * self._length

    def back(self, days: Any) -> Any:
        return (np.asarray(days) - self._start) / self._length


class _DateLocator(ticker.Locator):
    """Ticks at the dates that Matplotlib would choose."""

    def __init__(self, days: _Days):
        self._days = days

    def __call__(self) -> Any:
        assert self.axis is not None
        return self.tick_values(*self.axis.get_view_interval())

    def tick_values(self, vmin: float, vmax: float) -> Any:
        ends = (dates.num2date(self._days.of(end)) for end in sorted((vmin, vmax)))
        found = dates.AutoDateLocator(minticks=3, maxticks=7).tick_values(*ends)
        return self._days.back(found)


class _DateFormatter(ticker.Formatter):
    """Dates as short as they tell ticks apart; what all have in common is beside the axis."""

    def __init__(self, days: _Days):
        self._days, self._concise = days, dates.ConciseDateFormatter(dates.AutoDateLocator())

    def __call__(self, x: float, pos: int | None = None) -> str:
        del pos
        return dates.num2date(self._days.of(x)).strftime("%Y-%m-%d")

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        return self._concise.format_ticks(self._days.of(values).tolist())

    def get_offset(self) -> str:
        return self._concise.get_offset()
