"""A visual predictive check: bands of quantiles over replicates, and the quantiles observed."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.files.flags import flag_meanings
from odeflow.problem.names import record_name, vpc_name
from odeflow.report.figures.style import BLACK, BLUE, GREY, VERMILION, label, panels
from odeflow.report.figures.time_axis import time_axis

_MOST_PANELS = 12


def vpc(ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """A panel for each variable and group: observations, their quantiles, and bands of those."""
    wanted = [
        (name, number)
        for name in config.summary.vpc
        for number in range(summary.sizes[f"vpc_group_{name}"])
    ][:_MOST_PANELS]
    figure, axes = panels(len(wanted), columns=min(3, len(wanted)))
    for (name, number), ax in zip(wanted, axes):
        _points(ax, ensemble, name, summary, number)
        _bands(ax, summary, name, number, config.summary.vpc[name].band)
        groups = summary[f"vpc_group_{name}"]
        if "group_of" in groups.attrs:
            ax.set_title(_title(groups, number), fontsize="medium")
        time_axis(ax, ensemble[record_name("time")].assign_attrs(long_name="time"))
        ax.set_ylabel(label(ensemble[name]))
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 4))
    return figure


def _bands(ax: Axes, summary: xr.Dataset, name: str, group: int, part: float) -> None:
    """Of each quantile the band of the replicates, their median, and what was observed."""
    time = summary[vpc_name(name, "time")].values
    order = np.flatnonzero(np.isfinite(time))
    order = order[np.argsort(time[order])]
    observed = summary[vpc_name(name, "observed")].values[group]
    simulated = summary[vpc_name(name, "simulated")].values[:, group]
    levels = summary[f"vpc_quantile_{name}"].values
    mark = "o" if len(order) == 1 else None  # a line of one point shows nothing
    outer = [i for i, level in enumerate(levels) if abs(level - 0.5) > 1e-9]
    share = f"{100 * levels[outer[0]]:g} and {100 * levels[outer[-1]]:g} %" if outer else ""
    for i in range(len(levels)):
        inner = i not in outer
        colour, words = (VERMILION, "median") if inner else (BLUE, share)
        named = inner or i == outer[0]
        known = order[np.isfinite(simulated[0, i, order])]
        low, middle, high = simulated[:, i, known]
        band = f"{words}: {100 * part:g} % of replicates" if named else None
        line = f"{words}, observed" if named else None
        ax.fill_between(time[known], low, high, color=colour, alpha=0.25, linewidth=0, label=band)
        ax.plot(time[known], middle, color=colour, linewidth=0.7, linestyle=":")
        style = "-" if inner else "--"
        ax.plot(time[known], observed[i, known], style, color=BLACK, marker=mark, label=line)


def _points(ax: Axes, ensemble: xr.Dataset, name: str, summary: xr.Dataset, group: int) -> None:
    """The observations of the first replicate's records, which are those of all."""
    kind, groups = ensemble[record_name("observed")], summary[f"vpc_group_{name}"]
    number = int(ensemble["row_size"].values[: len(np.unique(ensemble["subject"]))].sum())
    here = kind.values[:number] == flag_meanings(kind).index(name) - 1
    if "group_of" in groups.attrs:
        column = ensemble[record_name(groups.attrs["group_of"])].values[:number]
        here &= column == groups.values[group]
    times = ensemble[record_name("time")].values[:number][here]
    values = ensemble[record_name("dv")].values[:number][here]
    ax.plot(times, values, ".", color=GREY, alpha=0.5, markersize=3, zorder=1, label="observations")


def _title(groups: xr.DataArray, number: int) -> str:
    value = groups.values[number]
    if "flag_meanings" in groups.attrs:
        shown = flag_meanings(groups)[list(groups.attrs["flag_values"]).index(value)]
    else:
        shown = f"{value:g}"
    return f"{groups.attrs['group_of']} = {shown}"
