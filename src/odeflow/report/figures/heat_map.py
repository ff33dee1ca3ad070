"""A metric over two axes of the design, and small multiples over a third one."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.ensemble.labels import design_dims
from odeflow.report.figures.style import GREY, label, message, panels
from odeflow.report.scales import is_log_axis, metric_dust, value_scale
from odeflow.report.selection import shown_axes, shown_metrics

#: Levels of a third axis that have a panel each.
_MOST_PANELS = 6


def heat_map(ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """Cells of a grid, points of samples; a panel per metric, or per level of a third axis.

    Where there are several metrics, further axes are at their middle levels.
    """
    names = shown_metrics(summary, config)
    if not names:
        return message("The summary has no metric of one number per trajectory.")
    nothing = {name: _nothing_to_see(summary[name]) for name in names}
    names = [name for name in names if not nothing[name]]
    if not names:
        return message(" ".join(filter(None, nothing.values())))
    dims = design_dims(ensemble)
    x, y = shown_axes(ensemble, config, at_most=2)
    others = [] if dims == ("sample",) else [d for d in dims if d not in (x, y)]
    if len(names) == 1:
        slices = _slices(summary[names[0]], others)
        figure, axes = panels(len(slices), square=True)
        _draw(figure, axes, ensemble, summary[names[0]], slices, (x, y), config)
        return figure
    figure, axes = panels(len(names), square=True)
    middle = {d: ensemble.sizes[d] // 2 for d in others}
    for name, ax in zip(names, axes):
        _draw(figure, [ax], ensemble, summary[name], [middle], (x, y), config)
    return figure


def _nothing_to_see(metric: xr.DataArray) -> str | None:
    """Why a map of a metric would say nothing; None where it says something, if only by gaps."""
    finite = metric.values[np.isfinite(metric.values)]
    if not finite.size:
        return f"{metric.name} has no value: see the overview page for failures."
    if np.ptp(finite) == 0 and finite.size == metric.size:
        return f"{metric.name} is {finite[0]:.6g} in all {metric.size:,} trajectories."
    return None


def _draw(
    figure: Figure,
    axes: Sequence[Axes],
    ensemble: xr.Dataset,
    metric: xr.DataArray,
    slices: list[dict[str, int]],
    plane_axes: tuple[str, str],
    config: Config,
) -> None:
    """One metric, a panel for each slice, and one bar of colours."""
    x, y = plane_axes
    norm = _norm(metric.values[np.isfinite(metric.values)], str(metric.name), config)
    dims = design_dims(ensemble)
    others = [] if dims == ("sample",) else [d for d in dims if d not in (x, y)]
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
    figure.colorbar(image, ax=list(axes)).set_label(label(metric))


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
