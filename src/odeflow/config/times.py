"""What a precision can tell apart of the times of a config."""

import itertools

import numpy as np

from odeflow.config.root import Config
from odeflow.config.time_text import shown_time
from odeflow.files.errors import ConfigError

#: Units in the last place that a time span, a gap between saved times, and a step need.
_LEAST_SPAN, _LEAST_GAP, _LEAST_STEP = 1000, 10, 4


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
                f"{_apart(max(abs(a), abs(b)), dtype)}"
            )
    _check_dose_times(config, dtype)
    for key in ("dt0", "dtmax"):
        step = getattr(solver, key)
        if step is not None and step < _LEAST_STEP * resolution(abs(t0), dtype):
            raise ConfigError(f"solver.{key}: {step:g} is too short: {_apart(abs(t0), dtype)}")


def _check_dose_times(config: Config, dtype: np.dtype) -> None:
    """Those given as numbers; float64 times that differ by rounding count as equal elsewhere."""
    given = sorted(
        (time, f"doses.{name}")
        for name, dose in enumerate(config.doses)
        for time in dose.first_times
        if not isinstance(time, str)
    )
    least = lambda time: _LEAST_GAP * resolution(abs(time), dtype)
    for (a, _), (b, key) in itertools.pairwise([(config.model.t0, ""), *given]):
        if least(b) > b - a > _LEAST_GAP * np.spacing(abs(b)):
            raise ConfigError(
                f"{key}: the times {shown_time(a, b)} and {shown_time(b, a)} are too close: "
                f"{_apart(b, dtype)}"
            )
    for name, dose in enumerate(config.doses):
        every = 0.0 if dose.every is None or isinstance(dose.every, str) else dose.every
        if 0 < every < least(config.model.t1):
            raise ConfigError(
                f"doses.{name}.every: {every:g} is too short: {_apart(config.model.t1, dtype)}"
            )


def check_span(key: str, t0: float, t1: float, dtype: np.dtype) -> None:
    """Raises ConfigError, which names the key, where steps from t0 to t1 cannot be told apart."""
    largest = max(abs(t0), abs(t1))
    if t1 - t0 < _LEAST_SPAN * resolution(largest, dtype):
        raise ConfigError(
            f"{key}: from {shown_time(t0, t1)} to {shown_time(t1, t0)} there is no room for steps: "
            f"{_apart(largest, dtype)}"
        )


def resolution(time: float, dtype: np.dtype) -> float:
    """The distance of a time to the next that there is."""
    return float(np.spacing(dtype.type(abs(time))))


def _apart(time: float, dtype: np.dtype) -> str:
    """Why, and what to do: of the sizes of times, near to which they are too close."""
    better = "runtime.precision=float64, or " if dtype == np.float32 else ""
    return (
        f"{dtype} tells times near {shown_time(time)} apart by {resolution(time, dtype):.3g}; take "
        f"{better}a time that begins at 0"
    )
