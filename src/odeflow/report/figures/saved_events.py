"""What was kept at crossings: their times against an axis, and a section of the states there."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.ensemble.event_names import count_name
from odeflow.report.figures.groups import groups
from odeflow.report.figures.style import BLUE, label, message, panels
from odeflow.report.ranks import flat_axis
from odeflow.report.scales import is_log_axis
from odeflow.report.selection import shown_axes

#: More would be as good as ink all over.
_MOST_POINTS = 50_000
_MOST_PANELS = 6


def event_times(ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """A panel for each saved event: a mark at each time, over the first axis of the design."""
    del summary
    events = [event for event in config.saveat.events if ensemble.sizes.get(event)]
    if not events:
        return message("No trajectory crossed a threshold of saveat.events.")
    figure, panes = panels(len(events[:_MOST_PANELS]), columns=2)
    for ax, event in zip(panes, events):
        x, words = _axis(ensemble, config)
        times = ensemble[f"{event}_time"]
        owners = _owners(ensemble, event)
        _points(ax, x[owners], times.values, [(np.arange(len(owners)), BLUE, None)])
        _label_axis(ax, ensemble, config, words)
        ax.set_ylabel(label(times))
    return figure


def event_section(ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """The first saved event: two variables at its crossings, or one over an axis of the design."""
    del summary
    event = next(iter(config.saveat.events))
    if not ensemble.sizes.get(event):
        return message(f"No trajectory crossed the threshold of {event}.")
    names = [
        str(name)
        for name, array in ensemble.data_vars.items()
        if array.dims == (event,) and name != f"{event}_time"
    ]
    shown = [name for name in config.plot.variables or () if f"{event}_{name}" in names]
    names = [f"{event}_{name}" for name in shown] or names
    if not names:
        return message(f"Nothing but times is kept of {event}.")
    owners, parted = _owners(ensemble, event), groups(ensemble, config)
    parts: list[tuple[np.ndarray, str, str | None]]
    parts = [(np.flatnonzero(np.isin(owners, g.rows)), g.colour, g.name) for g in parted]
    parts = parts or [(np.arange(len(owners)), BLUE, None)]
    figure, (ax,) = panels(1, square=len(names) > 1)
    if len(names) > 1:
        _points(ax, ensemble[names[0]].values, ensemble[names[1]].values, parts)
        ax.set_xlabel(label(ensemble[names[0]]))
    else:
        x, words = _axis(ensemble, config)
        _points(ax, x[owners], ensemble[names[0]].values, parts)
        _label_axis(ax, ensemble, config, words)
    ax.set_ylabel(label(ensemble[names[min(1, len(names) - 1)]]))
    if parted:
        figure.legend(loc="outside upper center", ncols=min(len(parted), 3))
    return figure


def _owners(ensemble: xr.Dataset, event: str) -> np.ndarray:
    """The row of the trajectory that each crossing is of."""
    counts = ensemble[count_name(event)].values.ravel()
    return np.repeat(np.arange(len(counts)), counts)


def _axis(ensemble: xr.Dataset, config: Config) -> tuple[np.ndarray, str | None]:
    """The first shown axis, a value for each trajectory, and its name; else their numbers."""
    axes = shown_axes(ensemble, config, at_most=1)
    if not axes:
        return np.arange(ensemble["status"].size, dtype=float), None
    return flat_axis(ensemble, axes[0]), axes[0]


def _label_axis(ax: Axes, ensemble: xr.Dataset, config: Config, axis: str | None) -> None:
    if axis is not None and is_log_axis(axis, config):
        ax.set_xscale("log")
    ax.set_xlabel("Trajectory" if axis is None else label(ensemble[axis]))


def _points(
    ax: Axes, x: np.ndarray, y: np.ndarray, parts: Sequence[tuple[np.ndarray, str, str | None]]
) -> None:
    step = max(-(-len(x) // _MOST_POINTS), 1)
    size = float(np.clip(4000 / max(len(x), 1), 0.5, 8.0))
    for rows, colour, name in parts:
        some = rows[::step]
        ax.scatter(x[some], y[some], s=size, color=colour, linewidths=0, label=name,
                   rasterized=len(x) > 2000)  # fmt: skip
