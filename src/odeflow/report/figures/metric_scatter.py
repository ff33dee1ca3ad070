"""A metric against every axis of the design, with the rank correlation; lines of groups."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.ensemble.labels import design_axes, design_dims
from odeflow.report.figures.groups import MOST_GROUPS, DrawnGroup, groups
from odeflow.report.figures.style import BLUE, GREY, LINES, label, message, panels
from odeflow.report.ranks import flat_axis, rank_correlations
from odeflow.report.scales import Scale, is_log_axis, metric_dust, value_scale
from odeflow.report.selection import shown_axes, shown_metrics
from odeflow.report.units import printed_units

_MOST_AXES = 9
_MOST_POINTS = 20_000
#: A line of so many points at most has a mark at each.
_MOST_MARKED = 100
#: The part of a log-likelihood's axis that is linear.
_LINEAR = 10.0


def metric_scatter(ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """One panel per axis and metric: lines over a grid's only axis or of groups, else points.

    Over a grid's only axis metrics in the same units share a panel, a line each.
    """
    names = shown_metrics(summary, config)
    if not names:
        return message("The summary has no metric of one number per trajectory.")
    dims = design_dims(ensemble)
    arrays = [summary[n].broadcast_like(ensemble["status"]).transpose(*dims) for n in names]
    nothing = [_nothing_to_see(array) for array in arrays]
    arrays = [array for array, text in zip(arrays, nothing) if text is None]
    if not arrays:
        return message(" ".join(filter(None, nothing)))
    parted = groups(ensemble, config)
    axes = shown_axes(ensemble, config, at_most=_MOST_AXES)
    axes = [axis for axis in axes if axis != config.plot.group] or axes
    if len(design_axes(ensemble)) == 1 and axes[0] in ensemble.dims:
        return _lines(ensemble, arrays, axes[0], config)
    columns = -(-len(axes) // -(-len(axes) // 3))  # rows as full as can be: 2 and 2, not 3 and 1
    room = -(-len(axes) // columns) * columns  # each metric begins a row of its own
    figure, panes = panels(room * (len(arrays) - 1) + len(axes), columns)
    for number, metric in enumerate(arrays):
        row = panes[number * room : (number + 1) * room]
        for unused in row[len(axes) :]:
            unused.remove()
        _scatters(row[: len(axes)], ensemble, metric, axes, parted, config)
    if parted:
        _legend(figure, panes[0])
    return figure


def _nothing_to_see(metric: xr.DataArray) -> str | None:
    values = metric.values[np.isfinite(metric.values)]
    if not values.size:
        return f"{metric.name} has no value: see the overview page for failures."
    if np.ptp(values) == 0:
        return f"{metric.name} is {values[0]:.6g} in all trajectories that have a value."
    return None


def _lines(ensemble: xr.Dataset, metrics: list[xr.DataArray], axis: str, config: Config) -> Figure:
    """Metrics over a grid's only axis: a panel for each of their units, a line for each metric."""
    by_units: dict[str, list[xr.DataArray]] = {}
    for metric in metrics:
        by_units.setdefault(str(metric.attrs.get("units", "1")), []).append(metric)
    figure, panes = panels(len(by_units), columns=2)
    for ax, (units, own) in zip(panes, by_units.items()):
        own = own[:MOST_GROUPS]
        x = flat_axis(ensemble, axis)
        for metric, (colour, line) in zip(own, LINES):
            y, order = metric.values.ravel(), np.argsort(x)
            few = len(x) <= _MOST_MARKED
            ax.plot(x[order], y[order], color=colour, linestyle=line, marker="." if few else None,
                    label=label(metric.assign_attrs(units="1"), 40))  # fmt: skip
        values = np.concatenate([metric.values.ravel() for metric in own])
        values = values[np.isfinite(values)]
        _limits(ax, _scale(values, str(own[0].name), config), values, str(own[0].name))
        if is_log_axis(axis, config):
            ax.set_xscale("log")
        ax.set_xlabel(label(ensemble[axis]))
        if len(own) > 1:
            ax.set_ylabel("" if units == "1" else printed_units(units))
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0))
        else:
            ax.set_ylabel(label(own[0]))
    return figure


def _scatters(
    panes: list[Axes],
    ensemble: xr.Dataset,
    metric: xr.DataArray,
    axes: list[str],
    parted: list[DrawnGroup],
    config: Config,
) -> None:
    """One metric, a panel per axis."""
    values, name = metric.values.ravel(), str(metric.name)
    finite = values[np.isfinite(values)]
    ranks = {} if parted else rank_correlations(ensemble, axes, values)
    scale = _scale(finite, name, config)
    for ax, axis in zip(panes, axes):
        x = flat_axis(ensemble, axis)
        _draw(ax, x, values, parted, on_grid=design_dims(ensemble) != ("sample",))
        if is_log_axis(axis, config):
            ax.set_xscale("log")
        _limits(ax, scale, finite, name)
        ax.set_xlabel(label(ensemble[axis]))
        if axis in ranks and np.isfinite(ranks[axis]):
            text = f"rank correlation {ranks[axis]:+.2f}".replace("-", "\N{MINUS SIGN}")
            ax.set_title(text, color=GREY)
    for ax in panes[:: min(3, len(panes))]:
        ax.set_ylabel(label(metric))


def _legend(figure: Figure, ax: Axes) -> None:
    """What the groups are, once for all panels."""
    handles, labels = ax.get_legend_handles_labels()
    columns = max(int(figure.get_size_inches()[0] / 1.3), 1)
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), columns))


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


def _draw(ax: Axes, x: np.ndarray, y: np.ndarray, parted: list[DrawnGroup], on_grid: bool) -> None:
    """Points, or on a grid lines of groups; a colour for each group."""
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
