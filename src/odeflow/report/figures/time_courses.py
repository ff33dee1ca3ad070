"""Time courses: median, bands, and some single trajectories."""

import textwrap

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.problem.status import has_failed
from odeflow.report.figures.selection import (
    example,
    example_indices,
    scalar_variables,
    shown_variables,
)
from odeflow.report.figures.style import (
    BLUE,
    GREY,
    is_geometric,
    label,
    message,
    panels,
    spans_decades,
)


def time_courses(ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """One panel per variable; array states are shown as a map of the median over time."""
    names = shown_variables(ensemble, config)
    examples = example_indices(ensemble, config.plot.trajectories)
    if has_failed(summary["status"].values).all():
        return message("No trajectory succeeded: see the overview page for the reasons.")
    scalars = scalar_variables(ensemble, config)
    time = ensemble["time"]
    log_time = config.plot.log_time
    if log_time is None:
        log_time = is_geometric(time.values[time.values > 0].tolist())
    figure, axes = panels(len(names))
    banded = [name for name in names if name in scalars and f"{name}_quantiles" in summary]
    for name, ax in zip(names, axes):
        if log_time:
            ax.set_xscale("log")
        if name in scalars:
            _bands(ax, summary, name, label_bands=banded[:1] == [name])
            for index in examples:
                y = example(ensemble, name, index)
                ax.plot(time, y, color=GREY, linewidth=0.4, alpha=0.6, zorder=1)
            ax.set_ylabel(label(ensemble[name]))
            ax.margins(x=0)
        else:
            _space_time(figure, ax, ensemble, summary, name)
        ax.set_xlabel(label(time))
    # only one of the panels has any
    handles, labels = max((ax.get_legend_handles_labels() for ax in axes), key=lambda x: len(x[1]))
    note = _running(summary)
    if handles:
        place = "outside upper center"
        figure.legend(handles, labels, loc=place, ncols=len(handles), title=note, title_fontsize=7)
    elif note:
        figure.suptitle(note, fontsize=7)
    return figure


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


def _bands(ax: Axes, summary: xr.Dataset, name: str, label_bands: bool) -> None:
    """Median and symmetric bands, from the quantiles that the summary has."""
    if f"{name}_quantiles" not in summary:
        return
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
            label=f"{_percent(low)} to {_percent(high)} %" if label_bands else None,
        )
    if 0.5 in levels:
        median = quantiles.sel(quantile=0.5)
        ax.plot(time, median, color=BLUE, label="median" if label_bands else None, zorder=3)
        positive = quantiles.values[np.isfinite(quantiles.values)]
        if positive.size and spans_decades(positive):
            ax.set_yscale("log")


def _percent(level: float) -> str:
    return f"{100 * level:g}"


def _space_time(
    figure: Figure, ax: Axes, ensemble: xr.Dataset, summary: xr.Dataset, name: str
) -> None:
    quantiles = summary[f"{name}_quantiles"]
    levels = quantiles["quantile"].values
    middle = int(np.argmin(np.abs(levels - 0.5)))
    values = quantiles.isel(quantile=middle).transpose("time", ...).values
    values = values.reshape(values.shape[0], -1).T
    time = ensemble["time"].values
    image = ax.pcolormesh(
        time, np.arange(values.shape[0]), values, shading="nearest", rasterized=True
    )
    extra = [str(d) for d in quantiles.dims if d not in ("quantile", "time")]
    ax.set_ylabel(" and ".join(extra) + " (index)")
    bar = figure.colorbar(image, ax=ax)
    bar.set_label(f"Median: {label(ensemble[name])}")
