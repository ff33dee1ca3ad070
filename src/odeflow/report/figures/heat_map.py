"""A metric over two axes of the design."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.ensemble.labels import design_dims
from odeflow.report.figures.scales import is_log_axis
from odeflow.report.figures.selection import shown_axes, shown_metric
from odeflow.report.figures.style import GREY, label, message, panels


def heat_map(ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """Cells of a grid, other axes at their middle level; points of a sampled design."""
    name = shown_metric(summary, config)
    if name is None:
        return message("The summary has no metric of one number per trajectory.")
    metric = summary[name]
    x, y = shown_axes(ensemble, config, at_most=2)
    if not np.isfinite(metric.values).any():
        return message(f"{name} has no value: see the overview page for failures.")
    figure, (ax,) = panels(1, square=True)
    if design_dims(ensemble) == ("sample",):
        image = ax.scatter(
            ensemble[x], ensemble[y], c=metric, s=_size(metric.size), linewidths=0, rasterized=True
        )
    else:
        others = [d for d in design_dims(ensemble) if d not in (x, y)]
        plane = metric.isel({d: metric.sizes[d] // 2 for d in others}).sortby([x, y])
        image = ax.pcolormesh(
            plane[x], plane[y], plane.transpose(y, x), shading="nearest", rasterized=True
        )
        ax.set_facecolor("#dddddd")  # a failed trajectory is a gap, not a colour
        if others:
            fixed = ", ".join(f"{d} = {float(plane[d]):.4g}" for d in others)
            ax.set_title(fixed, color=GREY)
    for axis, coordinate in ((ax.xaxis, x), (ax.yaxis, y)):
        if is_log_axis(coordinate, config):
            axis.axes.set(**{f"{axis.axis_name}scale": "log"})
        axis.set_label_text(label(ensemble[coordinate]))
    figure.colorbar(image, ax=ax).set_label(label(metric))
    return figure


def _size(count: int) -> float:
    """Area of a point, in points squared, so that many points do not merge into one blot."""
    return float(np.clip(6000 / count, 1.0, 20.0))
