"""Figures by a function of the user's: `function(ensemble, summary)` gives a Matplotlib figure."""

import inspect
import traceback
from collections.abc import Callable
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.files.errors import ConfigError
from odeflow.importers.functions import load_function

_KEY = "plot.figures"


def own_figure(kind: str, ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """The figure that the user's function of that name draws.

    Arguments:
        kind: the function's name.
        ensemble: the trajectories, as `ensemble.nc` has them.
        summary: their metrics, as `summary.nc` has them.
        config: the experiment; its study has the function's file.

    Raises:
        ConfigError: the function cannot be called with `(ensemble, summary)`, raises, or gives
            something other than a figure.
    """
    reference = config.plot.functions[kind]
    function = load_function(reference, config.study, _KEY)
    try:
        inspect.signature(function).bind(ensemble, summary)
    except TypeError as error:
        raise ConfigError(
            f"{_KEY}: {reference} is called with two arguments, (ensemble, summary): {error}"
        ) from None
    try:
        figure = function(ensemble, summary)
    except Exception as error:
        where = f"{_KEY}: {reference}{_line(error, function)}"
        raise ConfigError(f"{where} {type(error).__name__}: {error}") from error
    figure = getattr(figure, "figure", figure)  # of axes, which are easily returned
    if not isinstance(figure, Figure):
        raise ConfigError(
            f"{_KEY}: {reference} gives {type(figure).__name__}; return a matplotlib Figure"
        )
    return figure


def _line(error: Exception, function: Callable[..., Any]) -> str:
    code = getattr(function, "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if code and frame.filename == code.co_filename]
    return f", line {lines[-1]}:" if lines else ":"
