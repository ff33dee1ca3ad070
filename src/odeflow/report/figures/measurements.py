"""Measurements over the trajectories: one panel per observable, one colour per condition."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from odeflow.config.root import Config
from odeflow.files.flags import flag_meanings
from odeflow.report.figures.at_rest import mark_rest, placed
from odeflow.report.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    label,
    message,
    panels,
)
from odeflow.report.figures.time_axis import time_axis

_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
#: Trajectories of a condition that a band is of, and panels of a figure, at most.
_MOST, _MOST_PANELS = 2000, 12
#: The percentiles between which the band of all is, and the part that counts as the best ones.
_BAND, _BEST = (5, 95), 0.01
#: A trajectory that leaves the data by this factor does not stretch a logarithmic axis.
_BEYOND = 4.0


def measurements(ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """Points with the noise of the best parameter set, its line, and bands of all and the best."""
    runs = config.design.runs
    likelihood = summary["log_likelihood"].values[::runs]
    succeeded = np.flatnonzero(~np.isnan(likelihood))
    if not len(succeeded):
        return message("No parameter set succeeded: see the overview page for the reasons.")
    ranked = succeeded[np.argsort(-likelihood[succeeded], kind="stable")]
    names = flag_meanings(summary["measured_variable"])
    if config.plot.variables is not None:
        names = [name for name in names if name in config.plot.variables] or names
    names = names[:_MOST_PANELS]
    figure, axes = panels(len(names))
    conditions = list(config.design.conditions)
    for name, ax in zip(names, axes):
        seen = []
        for number in range(len(conditions)):
            points = _points(summary, name, number)
            if len(points["value"]):
                colour = _COLOURS[number % len(_COLOURS)]
                line = _trajectories(ax, ensemble[name], ranked, number, runs, colour)
                ends = _error_bars(ax, points, colour)
                seen.append((*ends, line))
        _limits(ax, seen, bool((_points(summary, name)["scale"] > 0).all()))
        mark_rest(ax, summary["measured_time"].values)
        time_axis(ax, ensemble["time"])
        ax.set_ylabel(label(ensemble[name]))
    _legend(figure, conditions, len(ranked))
    return figure


def _points(summary: xr.Dataset, name: str, condition: int | None = None) -> dict[str, np.ndarray]:
    """What was measured of a variable, under one condition or all."""
    number = flag_meanings(summary["measured_variable"]).index(name)
    here = summary["measured_variable"].values == number
    if condition is not None:
        here &= summary["measured_condition"].values == condition
    columns = {
        "time": "measured_time",
        "value": "measured_value",
        "noise": "best_noise",
        "scale": "measured_transformation",
    }
    points = {key: summary[column].values[here] for key, column in columns.items()}
    return points | {"time": placed(summary["measured_time"].values)[here]}


def _error_bars(
    ax: Axes, points: dict[str, np.ndarray], colour: str
) -> tuple[np.ndarray, np.ndarray]:
    """Points, and one unit of noise to both sides on its scale; returns the ends of the bars."""
    value, noise = points["value"], np.nan_to_num(points["noise"])
    factor = np.choose(points["scale"], [np.ones_like(noise), np.exp(noise), 10.0**noise])
    linear = points["scale"] == 0
    low = np.where(linear, value - noise, value / factor)
    high = np.where(linear, value + noise, value * factor)
    ax.errorbar(
        points["time"], value, [value - low, high - value], linestyle="", marker="o",
        markersize=3.2, markeredgecolor="white", markeredgewidth=0.5, color=colour,
        elinewidth=0.8, capsize=1.8, capthick=0.8, zorder=4,
    )  # fmt: skip
    return low, high


def _trajectories(
    ax: Axes, array: xr.DataArray, ranked: np.ndarray, condition: int, runs: int, colour: str
) -> np.ndarray:
    """The band of all parameter sets, that of the best, and the line of the best, returned."""
    time = array["time"].values

    def values(sets: np.ndarray) -> np.ndarray:
        rows = np.sort(sets) * runs + condition
        return array.isel(sample=rows).transpose("sample", "time").values

    if len(ranked) > 1:
        every = values(ranked[:: -(-len(ranked) // _MOST)])
        low, high = np.percentile(every, _BAND, axis=0)
        ax.fill_between(time, low, high, color=colour, alpha=0.1, linewidth=0, zorder=1)
        best = values(ranked[: _number_of_best(len(ranked))])
        low, high = best.min(axis=0), best.max(axis=0)
        ax.fill_between(time, low, high, color=colour, alpha=0.3, linewidth=0, zorder=2)
    line = values(ranked[:1])[0]
    ax.plot(time, line, color=colour, linewidth=1.3, zorder=3)
    return line


def _number_of_best(number: int) -> int:
    return min(max(int(_BEST * number), 2), _MOST)


def _limits(ax: Axes, seen: list[tuple[np.ndarray, ...]], is_log: bool) -> None:
    """Limits by the data and the best trajectories: a band of all sets may be far wider."""
    lows, highs, lines = (np.concatenate(parts) for parts in zip(*seen))
    lines = lines[np.isfinite(lines)]
    if is_log:
        least, most = lows.min() / _BEYOND, highs.max() * _BEYOND
        lines = lines[(lines > least) & (lines < most)]
        ax.set_yscale("log")
    low, high = min([lows.min(), *lines]), max([highs.max(), *lines])
    if is_log:
        margin = (high / low) ** 0.08
        ax.set_ylim(low / margin, high * margin)
    else:
        margin = 0.08 * ((high - low) or 1.0)
        ax.set_ylim(low - margin, high + margin)
    ax.margins(x=0.02)


def _legend(figure: Figure, conditions: list[str], sets: int) -> None:
    """What line, bands and points are, and the colour of each condition."""
    neutral = "#555555"
    handles: list = [
        Line2D([], [], color=neutral, marker="o", markersize=3.2, linestyle="", label="measured"),
        Line2D([], [], color=neutral, label="best parameter set"),
    ]
    if sets > 1:
        best = f"best {_number_of_best(sets):,} of {sets:,}"
        all_ = f"{_BAND[0]} to {_BAND[1]} % of all"
        handles += [
            Patch(color=neutral, alpha=0.45, linewidth=0, label=best),
            Patch(color=neutral, alpha=0.15, linewidth=0, label=all_),
        ]
    if len(conditions) > 1:
        colours = (_COLOURS[number % len(_COLOURS)] for number in range(len(conditions)))
        handles += [
            Line2D([], [], color=colour, marker="s", linestyle="", label=name)
            for name, colour in zip(conditions, colours)
        ]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 6))
