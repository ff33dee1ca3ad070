"""Some trajectories in the plane of two variables, from start to end; a colour for each group."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.report.figures.groups import DrawnGroup, groups
from odeflow.report.figures.style import BLUE, GREEN, VERMILION, label, message, panels
from odeflow.report.selection import example, example_indices, scalar_variables

#: A step this long, as a part of the picture, is long; so many of the steps may be.
_LONG, _MOST_LONG = 0.15, 0.2


def phase_portrait(ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """The first two shown variables against each other; the groups of `plot.group`, if any."""
    del summary
    names = scalar_variables(ensemble, config)
    examples = example_indices(ensemble, max(config.plot.trajectories, 1))
    parted = groups(ensemble, config)
    if len(names) < 2:
        return message("A phase portrait needs two scalar variables.")
    if not examples:
        return message("No trajectory succeeded: see the overview page for the reasons.")
    x_name, y_name = names[:2]
    figure, (ax,) = panels(1, square=True)
    courses = [(example(ensemble, x_name, i), example(ensemble, y_name, i)) for i in examples]
    coarse = any(_is_coarse(x, y) for x, y in courses)
    shape, seen = ensemble["status"].shape, set()
    for number, ((x, y), index) in enumerate(zip(courses, examples)):
        first = number == 0
        own = _group(parted, int(np.ravel_multi_index(index, shape)))
        colour, line = (BLUE, "-") if own is None else (own.colour, own.line)
        words = ("saved values" if coarse else "trajectory") if own is None else own.name
        ax.plot(x, y, linestyle="none" if coarse else line, marker="." if coarse else None,
                color=colour, linewidth=0.7, markersize=1.5, alpha=0.7,
                label=None if words in seen else words)  # fmt: skip
        seen.add(words)
        ax.plot(x[0], y[0], "o", color=GREEN, markersize=3, label="start" if first else None)
        ax.plot(x[-1], y[-1], "s", color=VERMILION, markersize=3, label="end" if first else None)
    ax.set_xlabel(label(ensemble[x_name]))
    ax.set_ylabel(label(ensemble[y_name]))
    handles, labels = ax.get_legend_handles_labels()
    names = [*(group.name for group in parted), "trajectory", "saved values", "start", "end"]
    order = sorted(range(len(labels)), key=lambda i: names.index(labels[i]))
    columns = 2 if parted else 3
    figure.legend([handles[i] for i in order], [labels[i] for i in order],
                  loc="outside upper center", ncols=columns)  # fmt: skip
    return figure


def _group(parted: list[DrawnGroup], row: int) -> DrawnGroup | None:
    """The group that a row of the design is in."""
    return next((group for group in parted if row in group.rows), None)


def _is_coarse(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether saved times are so far apart that lines between them cut corners."""
    spans = [np.nanmax(values) - np.nanmin(values) or 1.0 for values in (x, y)]
    steps = np.hypot(np.diff(x) / spans[0], np.diff(y) / spans[1])
    known = steps[np.isfinite(steps)]
    return known.size > 20 and float(np.sum(known > _LONG)) > _MOST_LONG * known.size
