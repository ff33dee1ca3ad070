"""What a precision can tell apart of the times of a config."""

import itertools

import numpy as np

from odeflow.config.root import Config
from odeflow.files.errors import ConfigError
from odeflow.problem.time_resolution import check_span, resolution, too_close
from odeflow.problem.time_text import shown_time

#: Units in the last place that a gap between saved times, and a step need.
_LEAST_GAP, _LEAST_STEP = 10, 4


def check_times(config: Config, times: list[float]) -> None:
    """Raises ConfigError where `runtime.precision` cannot tell the times of a config apart.

    `times` are those to save, increasing, within the span.
    """
    model, solver = config.model, config.solver
    dtype = np.dtype(config.runtime.precision)
    t0, t1 = model.t0, model.t1
    check_span("model.t1", t0, t1, dtype)
    gaps = [(b - a, a, b) for a, b in itertools.pairwise([t0, *times, t1]) if b > a]
    for gap, a, b in gaps:
        if gap < _LEAST_GAP * resolution(max(abs(a), abs(b)), dtype):
            raise ConfigError(
                f"saveat.ts: {shown_time(a, b)} and {shown_time(b, a)} are too close: "
                f"{too_close(max(abs(a), abs(b)), dtype)}"
            )
    _check_dose_times(config, dtype)
    for key in ("dt0", "dtmax"):
        step = getattr(solver, key)
        if step is not None and step < _LEAST_STEP * resolution(abs(t0), dtype):
            raise ConfigError(f"solver.{key}: {step:g} is too short: {too_close(abs(t0), dtype)}")


def _check_dose_times(config: Config, dtype: np.dtype) -> None:
    """Those given as numbers; float64 times that differ by rounding count as equal elsewhere."""
    given = sorted(
        (time, f"doses.{name}")
        for name, dose in enumerate(config.plain_doses)
        for time in dose.first_times
        if not isinstance(time, str)
    )
    least = lambda time: _LEAST_GAP * resolution(abs(time), dtype)
    for (a, _), (b, key) in itertools.pairwise([(config.model.t0, ""), *given]):
        if least(b) > b - a > _LEAST_GAP * np.spacing(abs(b)):
            raise ConfigError(
                f"{key}: the times {shown_time(a, b)} and {shown_time(b, a)} are too close: "
                f"{too_close(b, dtype)}"
            )
    for name, dose in enumerate(config.doses):
        every = 0.0 if dose.every is None or isinstance(dose.every, str) else dose.every
        if 0 < every < least(config.model.t1):
            raise ConfigError(
                f"doses.{name}.every: {every:g} is too short: {too_close(config.model.t1, dtype)}"
            )
