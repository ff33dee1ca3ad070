"""Parameters as drawn, and noisy outputs against each of them."""

import json

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odeflow.report.figures.math_text import wrapped
from odeflow.report.figures.style import (
    BLUE,
    GREY,
    VERMILION,
    message,
)
from odeflow.report.scales import value_scale

_MOST_PARAMETERS, _MOST_OUTPUTS, _MOST_ROWS = 5, 4, 800
_BINS = 30
#: Laws that are even on a logarithmic axis.
_LOGARITHMIC = {"loguniform", "lognormal", "trunclognormal", "truncloglaplace"}
#: Inches of a panel.
_WIDTH, _HEIGHT = 1.6, 1.45


def training_set(dataset: xr.Dataset) -> Figure:
    """A column per parameter: its histogram, then the outputs against it, first ones of each."""
    rows = dataset.isel(sample=slice(0, _MOST_ROWS))
    valid = rows["valid"].values == 1
    if not valid.any():
        return message("No row can be learned from: see the overview page for the reasons.")
    theta = rows["theta"].values[:, :_MOST_PARAMETERS]
    places = _spread_over(dataset.sizes["feature"])
    x, clean = (rows[name].values[valid][:, places] for name in ("x", "x_without_noise"))
    columns, lines = theta.shape[1], 1 + len(places)
    figure = Figure(figsize=(max(_WIDTH * columns + 0.7, 3.4), _HEIGHT * lines + 0.3))
    grid = figure.subplots(lines, columns, squeeze=False, sharex="col")
    for column in range(columns):
        is_log = _is_logarithmic(dataset, column)
        _histogram(grid[0, column], theta[:, column], is_log)
        for line, place in enumerate(places):
            ax = grid[1 + line, column]
            _points(ax, theta[valid, column], clean[:, line], x[:, line])
            if column == 0:
                ax.set_ylabel(wrapped(_output(dataset, place), 24))
            else:
                ax.sharey(grid[1 + line, 0])
                ax.tick_params(labelleft=False)
        grid[-1, column].set_xlabel(wrapped(_parameter(dataset, column), 24))
        if is_log:
            grid[0, column].set_xscale("log")
    grid[0, 0].set_ylabel("draws")
    if not np.array_equal(x, clean):
        first = grid[1, 0]
        first.scatter([], [], s=8, color=BLUE, label="simulated, with noise")
        first.scatter([], [], s=8, color=VERMILION, label="without noise")
        figure.legend(*first.get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return figure


def _spread_over(number: int) -> list[int]:
    """Some of the outputs, from the first to the last."""
    chosen = np.linspace(0, number - 1, min(number, _MOST_OUTPUTS))
    return [int(place) for place in np.round(chosen)]


def _histogram(ax: Axes, values: np.ndarray, is_log: bool) -> None:
    low, high = float(values.min()), float(values.max())
    spaced = np.geomspace if is_log and low > 0 else np.linspace
    edges = spaced(low, high, _BINS + 1) if low < high else np.array([low - 0.5, low + 0.5])
    ax.hist(values, edges.tolist(), color=GREY)
    ax.set_yticks([])


def _points(ax: Axes, theta: np.ndarray, clean: np.ndarray, x: np.ndarray) -> None:
    size = float(np.clip(3000 / len(theta), 1.0, 10.0))
    ax.scatter(theta, x, s=size, color=BLUE, alpha=0.5, linewidths=0, rasterized=True)
    if not np.array_equal(x, clean):
        ax.scatter(theta, clean, s=size / 3, color=VERMILION, linewidths=0, rasterized=True)
    if x.min() > 0 and value_scale(x, dust=0.0).kind == "log":
        ax.set_yscale("log")


def _is_logarithmic(dataset: xr.Dataset, place: int) -> bool:
    law = json.loads(str(dataset["parameter_law"].values[place])) or {}
    return bool(_LOGARITHMIC & law.keys())


def _parameter(dataset: xr.Dataset, place: int) -> str:
    units = str(dataset["parameter_units"].values[place])
    name = str(dataset["parameter"].values[place])
    return name if units in ("", "1") else f"{name} ({units})"


def _output(dataset: xr.Dataset, place: int) -> str:
    units = str(dataset["feature_units"].values[place])
    name = str(dataset["feature"].values[place]).replace("_", " ").replace("@", " at ")
    return name if units in ("", "1") else f"{name} ({units})"
