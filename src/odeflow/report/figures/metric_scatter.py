"""A metric against every axis of the design, with the rank correlation."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.ensemble.labels import design_axes, design_dims
from odeflow.report.figures.scales import is_log_axis
from odeflow.report.figures.selection import shown_axes, shown_metric
from odeflow.report.figures.style import BLUE, GREY, label, message, panels, spans_decades

_MOST_AXES = 9
_MOST_POINTS = 20_000
#: The part of a log-likelihood's axis that is linear.
_LINEAR = 10.0


def metric_scatter(ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """One panel per axis; a line where the design has one axis only, else points."""
    name = shown_metric(summary, config)
    if name is None:
        return message("The summary has no metric of one number per trajectory.")
    axes = shown_axes(ensemble, config, at_most=_MOST_AXES)
    dims = design_dims(ensemble)
    metric = summary[name].broadcast_like(ensemble["status"]).transpose(*dims)
    values = metric.values.ravel()
    finite = np.isfinite(values)
    if not finite.any():
        return message(f"{name} has no value: see the overview page for failures.")
    figure, panes = panels(len(axes))
    alone = len(design_axes(ensemble)) == 1
    ranks = _ranks(values[finite]) if finite.sum() > 2 and not alone else None
    for ax, axis in zip(panes, axes):
        x = ensemble[axis].broadcast_like(ensemble["status"]).transpose(*dims).values.ravel()
        _draw(ax, x[finite], values[finite], alone)
        if is_log_axis(axis, config):
            ax.set_xscale("log")
        if spans_decades(values[finite]):
            ax.set_yscale("log")
        elif name.endswith("log_likelihood"):
            ax.set_yscale("symlog", linthresh=_LINEAR)  # the best are close, the worst far off
            low, high = float(values[finite].min()), float(values[finite].max())
            ax.set_ylim(low - 0.5 * abs(low) - _LINEAR, high + 0.5 * abs(high) + _LINEAR)
        ax.set_xlabel(label(ensemble[axis]))
        if ranks is not None:
            text = f"rank correlation {_correlation(_ranks(x[finite]), ranks):+.2f}"
            text = text.replace("-", "\N{MINUS SIGN}")
            ax.set_title(text, color=GREY)
    for ax in panes[:: min(3, len(panes))]:
        ax.set_ylabel(label(metric))
    return figure


def _draw(ax, x: np.ndarray, y: np.ndarray, alone: bool) -> None:
    if alone:
        order = np.argsort(x)
        marker = "." if len(x) <= 100 else None
        ax.plot(x[order], y[order], color=BLUE, marker=marker)
        return
    step = -(-len(x) // _MOST_POINTS)
    size = float(np.clip(4000 / len(x), 1.0, 12.0))
    ax.scatter(
        x[::step], y[::step], s=size, color=BLUE, alpha=0.5, linewidths=0, rasterized=len(x) > 2000
    )


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks; ties (levels of a grid) get their mean rank."""
    from scipy.stats import rankdata

    return rankdata(values)


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rank correlation, from ranks; NaN where all of one side are equal."""
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])
