"""A metric against every axis of the design, with the rank correlation; lines of groups."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.ensemble.labels import design_axes, design_dims
from odeflow.report.figures.groups import DrawnGroup, groups
from odeflow.report.figures.style import BLUE, GREY, label, message, panels
from odeflow.report.ranks import flat_axis, rank_correlations
from odeflow.report.scales import Scale, is_log_axis, metric_dust, value_scale
from odeflow.report.selection import shown_axes, shown_metric

_MOST_AXES = 9
_MOST_POINTS = 20_000
#: The part of a log-likelihood's axis that is linear.
_LINEAR = 10.0


def metric_scatter(ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """One panel per axis: a line over a grid's only axis, a line for each group, else points."""
    name = shown_metric(summary, config)
    if name is None:
        return message("The summary has no metric of one number per trajectory.")
    dims = design_dims(ensemble)
    metric = summary[name].broadcast_like(ensemble["status"]).transpose(*dims)
    values = metric.values.ravel()
    finite = np.isfinite(values)
    if not finite.any():
        return message(f"{name} has no value: see the overview page for failures.")
    if np.ptp(values[finite]) == 0:
        return message(f"{name} is {values[finite][0]:.6g} in all trajectories that have a value.")
    parted = groups(ensemble, config)
    axes = shown_axes(ensemble, config, at_most=_MOST_AXES)
    axes = [axis for axis in axes if axis != config.plot.group] or axes
    figure, panes = panels(len(axes))
    alone = len(design_axes(ensemble)) == 1
    ranks = {} if alone or parted else rank_correlations(ensemble, axes, values)
    scale = _scale(values[finite], name, config)
    for ax, axis in zip(panes, axes):
        x = flat_axis(ensemble, axis)
        _draw(ax, x, values, parted, is_line=alone and axis in ensemble.dims,
              on_grid=dims != ("sample",))  # fmt: skip
        if is_log_axis(axis, config):
            ax.set_xscale("log")
        _limits(ax, scale, values[finite], name)
        ax.set_xlabel(label(ensemble[axis]))
        if axis in ranks and np.isfinite(ranks[axis]):
            text = f"rank correlation {ranks[axis]:+.2f}".replace("-", "\N{MINUS SIGN}")
            ax.set_title(text, color=GREY)
    for ax in panes[:: min(3, len(panes))]:
        ax.set_ylabel(label(metric))
    if parted:
        handles, labels = panes[0].get_legend_handles_labels()
        columns = max(int(figure.get_size_inches()[0] / 1.3), 1)
        figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), columns))
    return figure


def _scale(finite: np.ndarray, name: str, config: Config) -> Scale:
    asked = config.plot.scale_of(name)
    if asked == "auto" and name.endswith("log_likelihood"):
        return Scale("symlog", _LINEAR)  # the best are close, the worst far off
    return value_scale(finite, metric_dust(name, config), asked)


def _limits(ax: Axes, scale: Scale, finite: np.ndarray, name: str) -> None:
    scale.apply(ax.yaxis, finite)
    if scale.kind == "symlog" and name.endswith("log_likelihood"):
        low, high = float(finite.min()), float(finite.max())
        ax.set_ylim(low - 0.5 * abs(low) - _LINEAR, high + 0.5 * abs(high) + _LINEAR)


def _draw(
    ax: Axes, x: np.ndarray, y: np.ndarray, parted: list[DrawnGroup], is_line: bool, on_grid: bool
) -> None:
    """A line where x has an order, points where it has not; a colour for each group."""
    if is_line:
        order = np.argsort(x)
        marker = "." if len(x) <= 100 else None
        ax.plot(x[order], y[order], color=BLUE, marker=marker)
        return
    for group in parted:
        own_x, own_y = x[group.rows], y[group.rows]
        if on_grid:  # the mean over what else varies
            levels = np.unique(own_x)
            means = [_mean(own_y[own_x == level]) for level in levels]
            ax.plot(levels, means, color=group.colour, linestyle=group.line, marker=".",
                    label=group.name)  # fmt: skip
        else:
            _points(ax, own_x, own_y, group.colour, group.name)
    if not parted:
        _points(ax, x, y, BLUE, None)


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def _points(ax: Axes, x: np.ndarray, y: np.ndarray, colour: str, name: str | None) -> None:
    known = np.isfinite(y)
    x, y = x[known], y[known]
    step = max(-(-len(x) // _MOST_POINTS), 1)
    size = float(np.clip(4000 / max(len(x), 1), 1.0, 12.0))
    ax.scatter(
        x[::step], y[::step], s=size, color=colour, alpha=0.5, linewidths=0, label=name,
        rasterized=len(x) > 2000,
    )  # fmt: skip
