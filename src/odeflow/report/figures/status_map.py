"""The outcome of each trajectory over the design."""

import numpy as np
import xarray as xr
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from odeflow.config.root import Config
from odeflow.ensemble.labels import design_dims
from odeflow.problem.status import Status
from odeflow.report.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    YELLOW,
    label,
    message,
    panels,
)
from odeflow.report.scales import is_log_axis
from odeflow.report.selection import shown_axes

_COLOURS = {
    Status.success: SKY,
    Status.max_steps_reached: ORANGE,
    Status.dt_min_reached: PURPLE,
    Status.non_finite: VERMILION,
    Status.nonlinear_solve_failed: BLACK,
    Status.stopped_by_event: GREEN,
    Status.events_failed: BLUE,
    Status.suspect: YELLOW,
    Status.history_full: GREY,
}
#: From best to worst: their numbers are in the order of their invention.
_SEVERITY = sorted(Status, key=lambda s: (s.is_failure, s))
_MOST_POINTS = 20_000


def status_map(ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """Cells of a grid's first two axes (the worst over the others), else points; counts beside."""
    del summary
    axes = shown_axes(ensemble, config, at_most=2)
    status = ensemble["status"]
    present = [s for s in Status if (status.values == s).any()]
    if len(present) == 1:  # a map of one colour says less than a line
        words = present[0].name.replace("_", " ")
        return message(f"All {status.size:,} trajectories have the same outcome: {words}.")
    figure, (ax,) = panels(1, square=len(axes) == 2)
    if design_dims(ensemble) == ("sample",):
        _points(ax, ensemble, axes)
    else:
        _cells(ax, status, axes)
    for axis, name in zip((ax.xaxis, ax.yaxis), axes):
        axis.set_label_text(label(ensemble[name]))
        if is_log_axis(name, config):
            axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    if len(axes) == 1:
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
    handles = [
        Line2D([], [], marker="s", linestyle="", color=_COLOURS[s],
               label=f"{s.name.replace('_', ' ')}: {int((status.values == s).sum()):,}")
        for s in present
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 2))
    return figure


def _cells(ax, status: xr.DataArray, axes: list[str]) -> None:
    others = [d for d in status.dims if d not in axes]
    rank = status.copy(data=np.argsort(_SEVERITY)[status.values])
    plane = (rank.max(others) if others else rank).sortby(axes)
    if len(axes) == 1:  # a strip: two equal rows
        plane = plane.expand_dims(strip=[0.0, 1.0])
    y, x = (axes[1], axes[0]) if len(axes) == 2 else ("strip", axes[0])
    colours = ListedColormap([_COLOURS[s] for s in _SEVERITY])
    ax.pcolormesh(
        plane[x].values, plane[y].values, plane.transpose(y, x).values, cmap=colours,
        vmin=-0.5, vmax=len(Status) - 0.5, shading="nearest", rasterized=True,
    )  # fmt: skip


def _points(ax, ensemble: xr.Dataset, axes: list[str]) -> None:
    status = ensemble["status"].values
    x = ensemble[axes[0]].values
    y = ensemble[axes[1]].values if len(axes) == 2 else np.zeros_like(x)
    # The rare ones are drawn last and larger, and are never thinned out.
    for outcome in sorted(Status, key=lambda s: -int((status == s).sum())):
        where = np.flatnonzero(status == outcome)
        if outcome == Status.success:
            where = where[:: max(1, -(-len(where) // _MOST_POINTS))]
        size = float(np.clip(4000 / max(len(where), 1), 2.0, 12.0))
        ax.scatter(
            x[where], y[where], s=size, color=_COLOURS[outcome], linewidths=0,
            rasterized=len(where) > 2000,
        )  # fmt: skip
