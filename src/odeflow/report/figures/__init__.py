"""Figures of an ensemble and its summary: one file per kind, one look for all."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.report.figures.best_fit import best_fit
from odeflow.report.figures.estimates import estimates
from odeflow.report.figures.heat_map import heat_map
from odeflow.report.figures.look import look
from odeflow.report.figures.math_text import escape_what_is_no_math
from odeflow.report.figures.measurements import measurements
from odeflow.report.figures.metric_scatter import metric_scatter
from odeflow.report.figures.morris_plane import morris_plane
from odeflow.report.figures.own import own_figure
from odeflow.report.figures.phase_portrait import phase_portrait
from odeflow.report.figures.posterior import posterior
from odeflow.report.figures.predictive import predictive
from odeflow.report.figures.profiles import profiles
from odeflow.report.figures.saved_events import event_section, event_times
from odeflow.report.figures.sensitivity_bars import sensitivity_indices
from odeflow.report.figures.sensitivity_convergence import sensitivity_convergence
from odeflow.report.figures.sensitivity_over_time import sensitivity_over_time
from odeflow.report.figures.sensitivity_pairs import sensitivity_pairs
from odeflow.report.figures.solver_effort import solver_effort
from odeflow.report.figures.status_map import status_map
from odeflow.report.figures.style import lay_out, save
from odeflow.report.figures.ticks import plain_numbers, tidy_log_axes
from odeflow.report.figures.time_courses import time_courses
from odeflow.report.figures.training_set import training_set
from odeflow.report.figures.verification import verification
from odeflow.report.figures.vpc import vpc
from odeflow.report.figures.waterfall import waterfall

FIGURES: dict[str, Callable[[xr.Dataset, xr.Dataset, Config], Figure]] = {
    "measurements": measurements,
    "time_courses": time_courses,
    "heat_map": heat_map,
    "metric_scatter": metric_scatter,
    "phase_portrait": phase_portrait,
    "vpc": vpc,
    "event_times": event_times,
    "event_section": event_section,
    "solver_effort": solver_effort,
    "status_map": status_map,
}
#: Of `indices.nc`.
SENSITIVITY: dict[str, Callable[[xr.Dataset, Config], Figure]] = {
    "sensitivity_indices": sensitivity_indices,
    "sensitivity_over_time": sensitivity_over_time,
    "sensitivity_pairs": sensitivity_pairs,
    "morris_plane": morris_plane,
    "sensitivity_convergence": sensitivity_convergence,
}

#: Those of `estimates.nc`.
ESTIMATE_FIGURES: dict[str, Callable[[xr.Dataset], Figure]] = {
    "waterfall": waterfall,
    "estimates": estimates,
    "best_fit": best_fit,
    "profiles": profiles,
    "posterior": posterior,
    "predictive": predictive,
}

#: Of the first shard of a training set.
TRAINING: dict[str, Callable[[xr.Dataset], Figure]] = {"training_set": training_set}

__all__ = [
    "ESTIMATE_FIGURES", "FIGURES", "SENSITIVITY", "TRAINING", "draw", "draw_estimates",
    "draw_sensitivity", "draw_training", "draw_verification", "save", "save_each",
]  # fmt: skip


def draw(kind: str, ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """The figure of that kind, or by the user's function of that name.

    Arguments:
        kind: a kind of figure, or a name of `plot.functions`.
        ensemble: the trajectories, maybe opened lazily.
        summary: their metrics.
        config: the experiment.

    Raises:
        ConfigError: a name of the config is not in the results, or the user's function fails.
    """
    with look(config):
        drawn = partial(own_figure, kind) if kind in config.plot.functions else FIGURES[kind]
        return _finished(drawn(ensemble, summary, config))


def draw_sensitivity(kind: str, indices: xr.Dataset, config: Config) -> Figure:
    """The figure of that kind, from `indices.nc`."""
    with look(config):
        return _finished(SENSITIVITY[kind](indices, config))


def draw_estimates(kind: str, dataset: xr.Dataset, config: Config | None = None) -> Figure:
    """The figure of that kind, from `estimates.nc`."""
    with look(config):
        return _finished(ESTIMATE_FIGURES[kind](dataset))


def draw_training(kind: str, dataset: xr.Dataset, config: Config | None = None) -> Figure:
    """The figure of that kind, from rows of a training set."""
    with look(config):
        return _finished(TRAINING[kind](dataset))


def draw_verification(dataset: xr.Dataset, config: Config | None = None) -> Figure:
    """The figure of `verification.nc`."""
    with look(config):
        return _finished(verification(dataset))


def _finished(figure: Figure) -> Figure:
    """A figure whose text is readable and in its place."""
    escape_what_is_no_math(figure)
    tidy_log_axes(figure)
    plain_numbers(figure)
    return figure


def save_each(files: Sequence[Path], drawn: Callable[[str], Figure], dpi: int) -> None:
    """Saves figures, each drawn and laid out once for all of its formats.

    Arguments:
        files: a file's name is the kind of figure, its suffix the format.
        drawn: makes the figure of a kind.
        dpi: dots per inch of formats of pixels.
    """

    @cache
    def laid_out(kind: str) -> Figure:
        figure = drawn(kind)
        lay_out(figure, dpi)
        return figure

    for file in files:
        save(laid_out(file.stem), file, dpi=dpi)
