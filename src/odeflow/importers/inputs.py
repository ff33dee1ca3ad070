"""The courses of `model.inputs`: read and checked when a run is planned. Without JAX."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from odeflow.config.inputs import InputConfig
from odeflow.config.model import ModelConfig
from odeflow.config.root import Config
from odeflow.design import END, axis_names, has_own_ends, number_of_samples, rows
from odeflow.files.errors import ConfigError
from odeflow.importers.model_data import read_table
from odeflow.problem.pieces import MOST_SWITCHES, Pieces, pieces
from odeflow.problem.time_text import shown_time


def read_inputs(model: ModelConfig, study: Path) -> dict[str, Pieces]:
    """The courses of each input, those of categories in the order of `model.categories`.

    Raises ConfigError, one line, where a file does not hold what the config says.
    """
    found = {}
    for name, given in model.inputs.items():
        times, values = samples(model, name, study)
        ordered = model.categories[given.by] if given.by is not None else [""]
        rows = np.stack([values[category] for category in ordered])
        found[name] = pieces(times, rows, given.interpolation)
    return found


def samples(
    model: ModelConfig, name: str, study: Path
) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
    """The times of an input, and its values at them by category. Raises as `read_inputs`."""
    given, key = model.inputs[name], f"inputs.{name}"
    if given.table is None:
        times = np.array(given.time, float)
        if not (np.diff(times) > 0).all():
            at = int(np.argmin(np.diff(times) > 0))
            raise ConfigError(
                f"model.{key}.time: times must increase, but {times[at + 1]:.17g} follows "
                f"{times[at]:.17g}"
            )
        return times, {one: np.array(row, float) for one, row in given.courses.items()}
    arrays = read_table(key, given.table, study, model.time_units)
    values = {one: arrays[f"course_{i}"] for i, one in enumerate(given.courses)}
    for one, row in values.items():
        if row.ndim != 1 or len(row) != len(arrays["time"]):
            column = given.courses[one]
            raise ConfigError(
                f"model.{key}.value: {given.file}: {column!r} is not a column beside the times"
            )
    return arrays["time"], values


def check_inputs(config: Config, study: Path) -> None:
    """Raises ConfigError for the first input that cannot be what the config says."""
    model = config.model
    for name, given in model.inputs.items():
        times, _ = samples(model, name, study)
        with np.errstate(over="ignore"):
            cast = times.astype(config.runtime.precision)
        if not (np.isfinite(cast).all() and (np.diff(cast) > 0).all()):
            raise ConfigError(
                f"model.inputs.{name}: times are no longer apart in {config.runtime.precision}; "
                "count them from the first one, or use runtime.precision=float64"
            )
        _check_covered(config, study, name, given, times)
        if given.jumps:
            _check_jumps(config, study, name)


def _check_jumps(config: Config, study: Path, name: str) -> None:
    """Whether a trajectory stops for the jumps of an input no more often than it may."""
    knots = read_inputs(config.model, study)[name].knots
    t0, t1 = config.model.t0, _last_end(config, study)
    number = int(((knots > t0) & (knots < t1)).sum())
    if number > MOST_SWITCHES:
        raise ConfigError(
            f"model.inputs.{name}: it jumps {number:,} times from {shown_time(t0, t1)} to "
            f"{shown_time(t1, t0)}, and a trajectory stops at each; at most {MOST_SWITCHES:,}, "
            "take interpolation: linear, or fewer values"
        )


def _last_end(config: Config, study: Path) -> float:
    """The end of the time span, or of the trajectory that ends last."""
    if not has_own_ends(config, axis_names(config.design, study)):
        return config.model.t1
    samples = number_of_samples(config.design, study)
    return float(rows(config.design, 0, samples, study)[END].max())


def _check_covered(
    config: Config, study: Path, name: str, given: InputConfig, times: np.ndarray
) -> None:
    """Whether the times of an input cover the time span, where it may not be held outside."""
    t0, t1 = config.model.t0, _last_end(config, study)
    if given.outside == "error" and not times[0] <= t0 < t1 <= times[-1]:
        first, last = shown_time(times[0], times[-1]), shown_time(times[-1], times[0])
        raise ConfigError(
            f"model.inputs.{name}: its times, {first} to {last}, do not cover the time span "
            f"[{shown_time(t0, t1)}, {shown_time(t1, t0)}]; change model.t0 and model.t1, or set "
            "outside: hold"
        )
