"""Time courses: median, bands, and some single trajectories; a colour for each group."""

import textwrap

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.problem.status import has_failed
from odeflow.report.figures.groups import DrawnGroup, groups, of_group
from odeflow.report.figures.space_time import space_time
from odeflow.report.figures.style import BLUE, GREY, label, message, panels
from odeflow.report.figures.time_axis import time_axis
from odeflow.report.scales import dust_of, is_log_time, value_scale
from odeflow.report.selection import (
    example,
    example_indices,
    scalar_variables,
    shown_variables,
)

#: Trajectories that the band of a group is of, at most, and where its edges are.
_MOST, _BAND = 1000, (5, 95)
#: Bands of more groups than these cover one another.
_MOST_BANDS = 3


def time_courses(ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """One panel per variable; of an array state, one trajectory as a map over place and time."""
    names = shown_variables(ensemble, config)
    if has_failed(summary["status"].values).all():
        return message("No trajectory succeeded: see the overview page for the reasons.")
    scalars = scalar_variables(ensemble, config)
    time = ensemble["time"]
    log_time = is_log_time(time, config) and bool((time.values > 0).any())
    examples = example_indices(ensemble, config.plot.trajectories)
    parted = groups(ensemble, config)
    figure, axes = panels(len(names))
    for name, ax in zip(names, axes):
        if name not in scalars:
            space_time(figure, ax, ensemble, name)
        else:
            if parted:
                drawn = _groups(ax, ensemble, name, parted)
            else:
                drawn = _whole(ax, ensemble, summary, name, examples)
            scale = value_scale(drawn, dust_of(name, config), config.plot.scale_of(name))
            scale.apply(ax.yaxis, drawn)
            ax.set_ylabel(label(ensemble[name]))
            ax.margins(x=0)
            time_axis(ax, time)
        if log_time and ax.get_xlabel() == label(time):  # no picture of one time, and no dates
            ax.set_xscale("log")
    _legend(figure, axes, _running(summary))
    return figure


def _whole(
    ax: Axes,
    ensemble: xr.Dataset,
    summary: xr.Dataset,
    name: str,
    examples: list[tuple[int, ...]],
) -> np.ndarray:
    """Median, bands and single trajectories; returns what decides the scale."""
    drawn = _bands(ax, summary, name)
    time = ensemble["time"].values
    marker = "." if len(time) == 1 else None  # a line of one point is not seen
    for number, index in enumerate(examples):
        y = example(ensemble, name, index)
        word = "single trajectories" if number == 0 else None
        ax.plot(time, y, color=GREY, linewidth=0.4, alpha=0.6, zorder=1, label=word, marker=marker)
        if drawn is None:
            drawn = y
    return np.empty(0) if drawn is None else drawn


def _groups(ax: Axes, ensemble: xr.Dataset, name: str, parted: list[DrawnGroup]) -> np.ndarray:
    """Median and band of each group; returns what decides the scale."""
    time, drawn = ensemble["time"].values, []
    for group in parted:
        values = of_group(ensemble[name], ensemble, group.rows, _MOST)
        known = values[:, np.isfinite(values).any(axis=0)]
        if not known.size:
            continue
        at = time[np.isfinite(values).any(axis=0)]
        low, middle, high = np.nanpercentile(known, [_BAND[0], 50, _BAND[1]], axis=0)
        if len(parted) <= _MOST_BANDS:
            ax.fill_between(at, low, high, color=group.colour, alpha=0.18, linewidth=0)
        ax.plot(at, middle, color=group.colour, linestyle=group.line, label=group.name,
                marker="." if len(at) == 1 else None)  # fmt: skip
        drawn += [low, middle, high]
    return np.concatenate(drawn) if drawn else np.empty(0)


def _legend(figure: Figure, axes: list[Axes], note: str | None) -> None:
    """What lines and bands are, once for all panels."""
    handles, labels = max((ax.get_legend_handles_labels() for ax in axes), key=lambda x: len(x[1]))
    if handles:
        columns = max(int(figure.get_size_inches()[0] / 1.3), 1)
        place = "outside upper center"
        figure.legend(handles, labels, loc=place, ncols=min(len(handles), columns), title=note,
                      title_fontsize=7)  # fmt: skip
    elif note:
        figure.suptitle(note, fontsize=7)


def _running(summary: xr.Dataset) -> str | None:
    """How many trajectories the quantiles are over, where it is not the same number throughout."""
    if "num_running" not in summary:
        return None
    number, time = summary["num_running"].values, summary["time"]
    if (number == number[0]).all():
        return None
    units = time.attrs.get("units", "1")
    at = lambda place: f"{time.values[place]:g}\u00a0{units}".removesuffix("\u00a01")
    full = np.flatnonzero(number == number[0])[-1]
    half = np.flatnonzero(number <= number[0] / 2)[:1]
    parts = [f"{number[0]:,} up to {at(full)}", *(f"{number[i]:,} at {at(i)}" for i in half)]
    if number[-1] == 0:
        parts.append(f"none after {at(np.flatnonzero(number)[-1])}")
    else:
        parts.append(f"{number[-1]:,} at the end")
    return "\n".join(textwrap.wrap(f"over those still running: {', '.join(parts)}", 70))


def _bands(ax: Axes, summary: xr.Dataset, name: str) -> np.ndarray | None:
    """Median and symmetric bands, from the quantiles that the summary has, which it returns."""
    if f"{name}_quantiles" not in summary:
        return None
    quantiles = summary[f"{name}_quantiles"]
    levels = [float(q) for q in quantiles["quantile"]]
    time = quantiles["time"].values
    pairs = [(q, r) for q in levels for r in levels if q < 0.5 and abs(q + r - 1) < 1e-9]
    for number, (low, high) in enumerate(pairs):
        ax.fill_between(
            time,
            quantiles.sel(quantile=low),
            quantiles.sel(quantile=high),
            color=BLUE,
            alpha=0.18 + 0.14 * number,
            linewidth=0,
            label=f"{100 * low:g} to {100 * high:g} %",
        )
    if 0.5 in levels:
        median = quantiles.sel(quantile=0.5)
        marker = "o" if len(time) == 1 else None
        ax.plot(time, median, color=BLUE, label="median", zorder=3, marker=marker)
    return quantiles.values
