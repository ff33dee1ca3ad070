"""The same pictures as a figure for a paper, by Matplotlib, in the look of the others."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.report.figures.look import look
from odeflow.report.figures.math_text import wrapped
from odeflow.report.figures.style import GREY, LINES, VERMILION, image_bytes, panels
from odeflow.report.figures.ticks import tidy_log_axes
from odeflow.report.live.picture import CellMap, Marks, Picture, edges

#: What is solved stands out.
_WIDTH = 1.8


def paper_figure(
    shown: Sequence[tuple[Picture, Marks]], config: Config, kind: str, groups: bool
) -> bytes:
    """The pictures and what is solved, as a file.

    Arguments:
        shown: the pictures in order, and what is on each.
        config: the experiment, for the size and the style of figures.
        kind: `svg` or `png`.
        groups: whether what is solved has the colours of groups.

    Returns:
        The content of the file.
    """
    with look(config):
        square = any(picture.colour is not None for picture, _ in shown)
        drawn, axes = panels(max(len(shown), 1), square=square)
        for ax, (picture, marks) in zip(axes, shown):
            _panel(drawn, ax, picture, marks, groups)
        handles = {}
        for ax in axes:
            handles |= dict(zip(*reversed(ax.get_legend_handles_labels())))
        if handles:
            columns = max(int(drawn.get_size_inches()[0] / 1.3), 1)
            drawn.legend(handles.values(), handles.keys(), loc="outside upper center",
                         ncols=min(len(handles), columns))  # fmt: skip
        tidy_log_axes(drawn)
        return image_bytes(drawn, kind, max(config.plot.dpi, 200))


def _panel(drawn: Figure, ax: Axes, picture: Picture, marks: Marks, groups: bool) -> None:
    for band in picture.bands:
        ax.fill_between(band.x, band.low, band.high, color=LINES[band.number][0], alpha=0.2,
                        linewidth=0, label=None if band.name else "stored, 5 to 95 %")  # fmt: skip
    for line in picture.lines:
        colour, dashes = LINES[line.number]
        if line.role == "median":
            ax.plot(line.x, line.y, color=colour, linestyle=dashes, label=line.name or "median")
        else:
            colour = GREY if picture.bands else colour
            ax.plot(line.x, line.y, color=colour, linewidth=0.4, alpha=0.5, zorder=1)
    image = _stored_colours(ax, picture)
    if marks.cells is not None:
        image = _mesh(ax, picture, marks.cells)
    for line in marks.lines:
        if line.role == "nearest":
            ax.plot(line.x, line.y, color="black", linewidth=0.8, linestyle=(0, (4, 3)),
                    label="nearest stored")  # fmt: skip
        else:
            colour = LINES[line.number][0] if groups else VERMILION
            name = None if groups else "solved"
            ax.plot(line.x, line.y, color=colour, linewidth=_WIDTH, label=name)
    for one in marks.points:
        colour = LINES[one.number][0] if groups else VERMILION
        ax.plot(one.x, one.y, "D", color=colour, markeredgecolor="black", markersize=5,
                label=None if groups else one.name or "solved")  # fmt: skip
    for axis, along in ((ax.xaxis, picture.x), (ax.yaxis, picture.y)):
        if along.log:
            getattr(ax, f"set_{axis.axis_name}scale")("log")
        axis.set_label_text(wrapped(along.label[:1].upper() + along.label[1:], 30))
    if picture.title:
        ax.set_title(picture.title, color=GREY)
    if image is not None and picture.colour is not None:
        drawn.colorbar(image, ax=ax).set_label(wrapped(picture.colour.label, 30))


def _stored_colours(ax: Axes, picture: Picture):
    image = None
    for one in picture.points:
        size = float(np.clip(6000 / max(len(one.x), 1), 1.0, 20.0))
        if one.value is None:
            ax.scatter(one.x, one.y, s=size, color=LINES[one.number][0], alpha=0.5, linewidths=0,
                       label=one.name or None, rasterized=True)  # fmt: skip
        else:
            image = ax.scatter(one.x, one.y, s=size, c=one.value, norm=_norm(picture, one.value),
                               linewidths=0, rasterized=True)  # fmt: skip
    return image if picture.cells is None else _mesh(ax, picture, picture.cells)


def _mesh(ax: Axes, picture: Picture, cells: CellMap):
    values = cells.values if picture.colour is None else picture.colour.shown(cells.values)
    return ax.pcolormesh(
        edges(cells.x, picture.x.log), edges(cells.y, picture.y.log), values,
        norm=_norm(picture, values), rasterized=True,
    )  # fmt: skip


def _norm(picture: Picture, values: np.ndarray) -> Normalize:
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    if picture.colour is not None and picture.colour.log and low > 0:
        return LogNorm(low, high)
    return Normalize(low, high)
