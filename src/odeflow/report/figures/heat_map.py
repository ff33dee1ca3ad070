"""A metric over two axes of the design, and small multiples over a third one."""

import numpy as np
import xarray as xr
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.ensemble.labels import design_dims
from odeflow.report.figures.style import GREY, label, message, panels
from odeflow.report.scales import is_log_axis, metric_dust, value_scale
from odeflow.report.selection import shown_axes, shown_metric

#: Levels of a third axis that have a panel each.
_MOST_PANELS = 6


def heat_map(ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """Cells of a grid, a panel for each of some levels of a third axis; points of samples."""
    name = shown_metric(summary, config)
    if name is None:
        return message("The summary has no metric of one number per trajectory.")
    metric = summary[name]
    x, y = shown_axes(ensemble, config, at_most=2)
    finite = metric.values[np.isfinite(metric.values)]
    if not finite.size:
        return message(f"{name} has no value: see the overview page for failures.")
    if np.ptp(finite) == 0 and finite.size == metric.size:
        return message(f"{name} is {finite[0]:.6g} in all {metric.size:,} trajectories.")
    norm = _norm(finite, name, config)
    dims = design_dims(ensemble)
    others = [] if dims == ("sample",) else [d for d in dims if d not in (x, y)]
    slices = _slices(metric, others)
    figure, axes = panels(len(slices), square=True)
    image = None
    for ax, fixed in zip(axes, slices):
        if dims == ("sample",):
            image = ax.scatter(
                ensemble[x], ensemble[y], c=metric, s=_size(metric.size), linewidths=0, norm=norm,
                rasterized=True,
            )  # fmt: skip
        else:
            plane = metric.isel(fixed).sortby([x, y])
            image = ax.pcolormesh(
                plane[x], plane[y], plane.transpose(y, x), shading="nearest", norm=norm,
                rasterized=True,
            )  # fmt: skip
            ax.set_facecolor("#dddddd")  # a failed trajectory is a gap, not a colour
            if others:
                words = [f"{d} = {float(plane[d]):.4g}" for d in others[:2]]
                ax.set_title("\n".join([*words, *(["..."] if others[2:] else [])]), color=GREY)
        for axis, coordinate in ((ax.xaxis, x), (ax.yaxis, y)):
            if is_log_axis(coordinate, config):
                getattr(ax, f"set_{axis.axis_name}scale")("log")
            axis.set_label_text(label(ensemble[coordinate]))
    assert image is not None
    figure.colorbar(image, ax=axes).set_label(label(metric))
    return figure


def _slices(metric: xr.DataArray, others: list[str]) -> list[dict[str, int]]:
    """Places along the other axes: some levels of the first of them, the others' middle ones."""
    if not others:
        return [{}]
    third, *rest = others
    middle = {d: metric.sizes[d] // 2 for d in rest}
    size = metric.sizes[third]
    places = np.unique(np.linspace(0, size - 1, min(size, _MOST_PANELS)).round().astype(int))
    return [{third: int(place), **middle} for place in places]


def _norm(finite: np.ndarray, name: str, config: Config) -> Normalize:
    """The colours of all panels: of the logarithm where the values are over decades."""
    scale = value_scale(finite, metric_dust(name, config), config.plot.scale_of(name))
    if scale.kind != "log":
        return Normalize(float(finite.min()), float(finite.max()))
    return LogNorm(scale.floor, float(finite.max()), clip=True)


def _size(count: int) -> float:
    """Area of a point, in points squared, so that many points do not merge into one blot."""
    return float(np.clip(6000 / count, 1.0, 20.0))
